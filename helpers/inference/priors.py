"""Priors over named parameters.

Every parameter has a `Marginal`: uniform or normal, on a linear or a logarithmic scale, truncated at two bounds. The
upper bound may depend on another parameter ("V_reset lies below V_init"). Such a prior is a chain of one-dimensional
distributions, so it can be sampled, evaluated, and mapped to standard normal numbers and back (Rosenblatt 1952, Ann
Math Stat 23:470). Or parameters may be correlated, through a Gaussian copula (Nelsen 2006, An Introduction to Copulas,
section 2.3): each keeps its distribution, and the standard normal numbers that stand for them are correlated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import torch
from torch.distributions import Distribution, constraints

from helpers.neurons.equations import Neuron
from helpers.neurons.parameters import Parameter
from helpers.validation import instance, number, plain, whole_number

from .marginals import Marginal, uniform

__all__ = ["Prior", "box_prior", "prior_of"]

MAX_CORRELATION = 0.999  # closer to 1, two parameters are one


class Prior(Distribution):
    """A prior over named parameters, for NumPy (`draw`) and, as a torch distribution, for sbi (`sample`, `log_prob`).

    Parameters
    ----------
    parameters
        Their declarations, in the order of the columns of theta.
    marginals
        Their distributions.
    below
        By name of a parameter that must lie below another one: the name of that one, and the smallest gap between them,
        e.g. {"V_reset": ("V_init", 0.5)}.
    correlations
        By pairs of names, e.g. {("g_Na", "g_K"): 0.8}: the correlation of both on the normal scale, where each
        distribution is standard normal; for normal distributions that is their own, unless a bound cuts much off.

    Raises
    ------
    ValueError
        For correlations that are impossible, or in a prior with dependencies.
    """

    arg_constraints: dict[str, Any] = {}

    def __init__(
        self,
        parameters: Sequence[Parameter],
        marginals: Sequence[Marginal],
        below: Mapping[str, tuple[str, float]] | None = None,
        correlations: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        super().__init__(event_shape=torch.Size([len(parameters)]), validate_args=False)
        self.parameters, self.marginals, self.below = tuple(parameters), tuple(marginals), dict(below or {})
        self._factor = torch.as_tensor(_factor(self.names, correlations)) if correlations else None
        self.correlations = {pair: float(value) for pair, value in (correlations or {}).items()}
        if self.correlations and self.below:
            raise ValueError("a prior has either parameters below others or correlations; allowed: one of the two")
        chain = {name: {self.below[name][0]} if name in self.below else set() for name in self.names}
        self._order = [self.names.index(name) for name in TopologicalSorter(chain).static_order()]

    def __repr__(self) -> str:
        named = zip(self.names, self.marginals, strict=True)
        parts = [f"{name}: {one} from {one.low:g} to {one.high:g}" for name, one in named]
        parts += [f"{a} with {b}: correlation {value:g}" for (a, b), value in self.correlations.items()]
        return f"Prior({', '.join(parts)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns of theta."""
        return tuple(declared.name for declared in self.parameters)

    @property
    def labels(self) -> tuple[str, ...]:
        """Axis labels, e.g. "g_Na (mS/cm²)"."""
        return tuple(declared.label for declared in self.parameters)

    @property
    def lower(self) -> np.ndarray:
        """Lower bounds, (n_parameters,)."""
        return np.array([marginal.low for marginal in self.marginals], dtype=float)

    @property
    def upper(self) -> np.ndarray:
        """Upper bounds, (n_parameters,)."""
        return np.array([marginal.high for marginal in self.marginals], dtype=float)

    def table(self) -> str:
        """Return a table: parameter, unit, distribution, range, what it must lie below, correlations, meaning."""
        rows = [("parameter", "unit", "distribution", "low", "high", "below", "correlations", "meaning")]
        for declared, marginal in zip(self.parameters, self.marginals, strict=True):
            other, gap = self.below.get(declared.name, ("", 0.0))
            limit = f"{other} - {gap:g}" if gap else other
            ends = f"{marginal.low:g}", f"{marginal.high:g}"
            pairs = ((pair, value) for pair, value in self.correlations.items() if declared.name in pair)
            with_others = ", ".join(f"{a if b == declared.name else b} {value:+g}" for (a, b), value in pairs)
            rows.append((declared.name, declared.unit, str(marginal), *ends, limit, with_others, declared.meaning))
        shown = [column for column in zip(*rows, strict=True) if any(column[1:])]
        widths = [max(map(len, column)) for column in shown]
        lines = (
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
            for row in zip(*shown, strict=True)
        )
        return "\n".join(line.rstrip() for line in lines)

    def draw(self, n: int, seed: int, first: int = 0) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters): the same for the same seed.

        first: how many of them to skip, so that draw(n, seed) is draw(k, seed) and then draw(n - k, seed, first=k).
        """
        n, seed, first = whole_number("n", n), whole_number("seed", seed), whole_number("first", first)
        bits = np.random.PCG64(seed)
        bits.advance(first * len(self.names))  # each number takes one step of this generator
        shares = np.random.Generator(bits).random((n, len(self.names)))
        return self._from_uniform(torch.as_tensor(shares)).numpy()

    def by_name(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of `theta` (n, n_parameters) by name, as `simulate_many` takes them."""
        return dict(zip(self.names, np.asarray(theta, dtype=float).T, strict=True))

    def check(self, theta: np.ndarray, name: str = "theta") -> np.ndarray:
        """Return `theta`, (..., n_parameters), as floats. Raises ValueError for values outside the prior."""
        values = plain(name, theta, f"(..., {len(self.names)}), one of {self.names}")
        if values.shape[-1:] != (len(self.names),):
            raise ValueError(f"{name} has shape {values.shape}; allowed: (..., {len(self.names)}), one of {self.names}")
        flat = values.reshape(-1, len(self.names))
        rows = np.flatnonzero(~self.contains(flat))
        if not len(rows):
            return values
        row = rows[0]
        place = name if values.ndim == 1 else f"{name}[{row}]"
        for declared, marginal, value in zip(self.parameters, self.marginals, flat[row], strict=True):
            other, gap = self.below.get(declared.name, (declared.name, -np.inf))
            limit = np.inf if gap == -np.inf else flat[row, self.names.index(other)] - gap
            if not marginal.low <= value <= marginal.high:
                allowed = f"from {marginal.low:g} to {marginal.high:g} {declared.unit}"
            elif value > limit:
                allowed = f"at most {other} - {gap:g} = {limit:g} {declared.unit}"
            else:
                continue
            raise ValueError(
                f"{place}: {declared.name} = {value:g} {declared.unit} lies outside the prior; allowed: {allowed}"
            )
        return values

    def contains(self, theta: np.ndarray) -> np.ndarray:
        """Tell which rows of `theta` (n, n_parameters) are possible, (n,)."""
        values = plain("theta", theta, "(n, n_parameters)")
        if values.shape[-1:] != (len(self.names),):
            raise ValueError(f"theta has shape {values.shape}; allowed: (n, {len(self.names)}), one of {self.names}")
        return self._inside(torch.as_tensor(np.array(values))).numpy()  # a copy: torch does not accept negative strides

    def restricted(self, lower: np.ndarray, upper: np.ndarray) -> Prior:
        """Truncate the prior to a smaller box: the same relative probabilities inside, none outside.

        Raises ValueError for a prior with dependencies or correlations, where cutting one parameter changes the weights
        of another.
        """
        if self.below:
            raise ValueError(f"a prior where {', '.join(self.below)} must lie below others cannot be cut down to a box")
        if self.correlations:
            pairs = ", ".join(" and ".join(pair) for pair in self.correlations)
            raise ValueError(f"a prior where {pairs} are correlated cannot be cut down to a box")
        for name, end in (("lower", lower), ("upper", upper)):
            values = plain(name, end, "one number for each parameter")
            if values.shape != (len(self.names),) or np.isnan(values).any():
                raise ValueError(f"{name} = {values}; allowed: one number for each of {', '.join(self.names)}")
        lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        if not (np.maximum(lower, self.lower) < np.minimum(upper, self.upper)).all():
            raise ValueError(f"lower = {lower} to upper = {upper} leaves nothing of the prior")
        ends = zip(self.marginals, np.maximum(lower, self.lower), np.minimum(upper, self.upper), strict=True)
        return Prior(self.parameters, [replace(marginal, low=float(a), high=float(b)) for marginal, a, b in ends])

    def as_data(self) -> dict[str, Any]:
        """Return the prior as numbers and text, for a file."""
        data: dict[str, Any] = {
            "parameters": [asdict(declared) for declared in self.parameters],
            "marginals": [asdict(marginal) for marginal in self.marginals],
            "below": {name: list(other) for name, other in self.below.items()},
        }
        if self.correlations:  # otherwise as before there were any: files and fingerprints stay valid
            data["correlations"] = [[*pair, value] for pair, value in self.correlations.items()]
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Prior:
        """Invert `as_data`."""
        parameters = [Parameter(**entry) for entry in data["parameters"]]
        marginals = [
            Marginal(**entry).completed(declared) for declared, entry in zip(parameters, data["marginals"], strict=True)
        ]
        below = {name: (other, gap) for name, (other, gap) in data["below"].items()}
        return cls(parameters, marginals, below, {(a, b): value for a, b, value in data.get("correlations", ())})

    def difference(self, other: Prior) -> str:
        """Say how another prior differs from this one; empty if it does not."""
        if self.names != other.names:
            return f"over {', '.join(other.names)}; expected {', '.join(self.names)}"
        return "" if self.as_data() == other.as_data() else f"\n{other.table()}\nexpected\n{self.table()}"

    def shares(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the prior probability below each value of `theta` (..., n_parameters), from 0 to 1.

        Where a parameter must lie below another one, the probability given that one.
        """
        return self._shares(theta)[0]

    def bound_in_words(self, column: int, side: str) -> str:
        """Name the "lower" or "upper" bound of a parameter, e.g. "upper bound, 15 mS/cm²"."""
        declared, marginal = self.parameters[column], self.marginals[column]
        value = f"{marginal.low if side == 'lower' else marginal.high:g} {declared.unit}".rstrip()
        if side == "upper" and declared.name in self.below:
            other, gap = self.below[declared.name]
            value += f" or {other} - {gap:g}"
        return f"{side} bound, {value}"

    def to_normal(self, theta: torch.Tensor) -> torch.Tensor:
        """Map `theta` (..., n_parameters) to standard normal numbers, independent if it is drawn from the prior."""
        z = _normal_quantile(self._shares(theta)[0])
        return z if self._factor is None else self._independent(z)

    def from_normal(self, z: torch.Tensor) -> torch.Tensor:
        """Invert `to_normal` for `z` (..., n_parameters)."""
        z = z.double()
        return self._from_shares(torch.special.ndtr(z if self._factor is None else z @ self._factor.T))

    # What sbi asks of a prior: single precision, random numbers of torch, and a support that is a box.

    def sample(self, sample_shape: Sequence[int] = ()) -> torch.Tensor:
        """Draw parameters (*sample_shape, n_parameters) with torch's own random numbers."""
        return self._from_uniform(torch.rand(*sample_shape, len(self.names), dtype=torch.float64)).float()

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return the log-density (...,) of parameters (..., n_parameters); minus infinity outside."""
        inside = self._inside(value)
        somewhere = torch.as_tensor(self._from_shares(torch.full((len(self.names),), 0.5)))
        shares, density = self._shares(torch.where(inside[..., None], value.double(), somewhere))
        if self._factor is not None:
            z = _normal_quantile(shares)
            density = density + 0.5 * (z**2 - self._independent(z) ** 2).sum(-1) - self._factor.diagonal().log().sum()
        return torch.where(inside, density, -torch.inf).float()

    @property
    def support(self) -> constraints.Constraint:
        """The box; with dependencies the prior is 0 in a part of it."""
        lower, upper = (torch.as_tensor(end, dtype=torch.float32) for end in (self.lower, self.upper))
        return constraints.independent(constraints.interval(lower, upper), 1)

    def _high(self, theta: torch.Tensor, column: int) -> torch.Tensor:
        """The upper bound of a parameter, given the others."""
        top = torch.full_like(theta[..., column], float(self.upper[column]))
        if (name := self.names[column]) in self.below:
            other, gap = self.below[name]
            top = torch.minimum(top, theta[..., self.names.index(other)] - gap)
        return top

    def _shares(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Each parameter's share of probability below it, given those before it in the chain, and the log-density.

        Both without correlations.
        """
        theta = theta.double()
        parts = [
            self.marginals[column].cdf_and_log_prob(theta[..., column], self._high(theta, column))
            for column in range(len(self.names))
        ]
        return torch.stack([share for share, _ in parts], -1), torch.stack([density for _, density in parts]).sum(0)

    def _from_shares(self, shares: torch.Tensor) -> torch.Tensor:
        theta = torch.empty_like(shares, dtype=torch.float64)
        for column in self._order:
            theta[..., column] = self.marginals[column].icdf(shares[..., column].double(), self._high(theta, column))
        return theta

    def _from_uniform(self, drawn: torch.Tensor) -> torch.Tensor:
        """Draws from the prior, of independent uniform numbers."""
        return self._from_shares(drawn) if self._factor is None else self.from_normal(_normal_quantile(drawn))

    def _independent(self, z: torch.Tensor) -> torch.Tensor:
        """Independent standard normal numbers for correlated ones (..., n_parameters)."""
        assert self._factor is not None
        return torch.linalg.solve_triangular(self._factor, z[..., None], upper=False)[..., 0]

    def _inside(self, theta: torch.Tensor) -> torch.Tensor:
        """Which rows are possible, (...,). The ends count as inside, also when rounded to single precision."""
        theta, exact = torch.as_tensor(theta), theta.dtype == torch.float64
        lower, upper = (
            torch.as_tensor(end) if exact else torch.as_tensor(end).float() for end in (self.lower, self.upper)
        )
        inside = ((theta >= lower) & (theta <= upper)).all(-1)
        for name in self.below:
            column = self.names.index(name)
            inside &= theta[..., column] <= self._high(theta, column)
        return inside


def prior_of(
    neuron: Neuron | type[Neuron],
    marginals: Mapping[str, Marginal],
    below: Mapping[str, tuple[str, float]] | None = None,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> Prior:
    """Make a prior over parameters of a neuron.

    Parameters
    ----------
    neuron
        Declares the parameters.
    marginals
        Distribution by name of the parameter; a bound that is left out is the one that the parameter declares.
    below
        By name of a parameter that must lie below another one: the name of that one, and the smallest gap between them.
    correlations
        Of pairs of parameters, see `Prior`.

    Raises
    ------
    ValueError
        For unknown names, bounds that do not fit, an SD that is not positive, and impossible dependencies or
        correlations.

    Examples
    --------
    >>> prior_of(Pospischil, {"g_Na": uniform(), "V_T": normal(-60, 5)})
    >>> prior_of(Pospischil, {"g_Na": uniform(log=True), "g_K": uniform()}, correlations={("g_Na", "g_K"): 0.8})
    """
    known: Mapping[str, Parameter] = neuron.parameters()
    unknown = [name for name in marginals if name not in known]
    if unknown or not marginals:
        raise ValueError(f"names = {list(marginals)}; allowed: different ones of {', '.join(known)}")
    declared = [known[name] for name in marginals]
    completed = [marginals[entry.name].completed(entry) for entry in declared]
    low = dict(zip(marginals, Prior(declared, completed).lower, strict=True))
    for name, (other, gap) in (below or {}).items():
        if name not in marginals or other not in marginals or name == other:
            raise ValueError(f"below: {name} under {other}; allowed: two different ones of {', '.join(marginals)}")
        if not (gap >= 0 and low[name] < low[other] - gap):
            raise ValueError(
                f"below: {name} cannot always lie {gap:g} {known[name].unit} under {other}: they begin at "
                f"{low[name]:g} and {low[other]:g} {known[name].unit}"
            )
    return Prior(declared, completed, below, correlations)  # no circle: the ends rise along every chain


def box_prior(
    neuron: Neuron | type[Neuron],
    names: Sequence[str],
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
) -> Prior:
    """Make a uniform prior over parameters of a neuron.

    Parameters
    ----------
    neuron
        Declares the parameters.
    names
        Of the parameters.
    low, high
        Bounds, one for each name; by default those that each parameter declares.

    Raises
    ------
    ValueError
        For unknown or repeated names, low >= high, and bounds that the neuron refuses.
    """
    if len(set(names)) != len(names):
        raise ValueError(f"names = {list(names)}; allowed: different ones of {', '.join(neuron.parameters())}")
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"names = {names!r}; allowed: a list of {', '.join(neuron.parameters())}")
    for name, ends in (("low", low), ("high", high)):
        if ends is not None and plain(name, ends, "one number for each name").ndim != 1:
            raise ValueError(f"{name} has shape {np.shape(ends)}; allowed: ({len(names)},), one number for each name")
    lows, highs = ([None] * len(names) if ends is None else list(ends) for ends in (low, high))
    if not len(lows) == len(highs) == len(names):
        raise ValueError(f"{len(names)} names, {len(lows)} lower and {len(highs)} upper bounds: give one of each")
    return prior_of(neuron, {name: uniform(a, b) for name, a, b in zip(names, lows, highs, strict=True)})


def _normal_quantile(share: torch.Tensor) -> torch.Tensor:
    return torch.special.ndtri(share.clamp(torch.finfo(torch.float64).tiny, 1.0 - 1e-16))


def _factor(names: Sequence[str], correlations: Mapping[tuple[str, str], float]) -> np.ndarray:
    """Cholesky factor of the correlation matrix of all parameters. Raises ValueError if there is none."""
    instance("correlations", correlations, Mapping, 'numbers by pairs of names, e.g. {("g_Na", "g_K"): 0.8}')
    matrix = np.eye(len(names))
    for pair, value in correlations.items():
        known = isinstance(pair, tuple) and len(pair) == 2 and set(pair) <= set(names) and pair[0] != pair[1]
        if not known or pair[::-1] in correlations:
            allowed = f"each pair once, of different ones of {', '.join(names)}"
            raise ValueError(f"correlations: {pair!r}; allowed: {allowed}")
        a, b = map(names.index, pair)
        matrix[a, b] = matrix[b, a] = number(f"correlations: {pair}", value, low=-MAX_CORRELATION, high=MAX_CORRELATION)
    if np.linalg.eigvalsh(matrix).min() < 0.5 * (1 - MAX_CORRELATION):
        raise ValueError(f"correlations = {dict(correlations)} contradict each other: no distribution has all of them")
    return np.linalg.cholesky(matrix)
