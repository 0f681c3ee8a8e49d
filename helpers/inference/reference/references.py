"""Posteriors that no neural network made, to compare one with, each for one observation; see also synthetic.py.

A *simulator* is here any function simulate(theta, seed) that returns the statistics (n, n_features) of the parameter
sets theta (n, n_parameters). Each posterior can be sampled as those of inference.py: `sample(n, x_o, seed)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sbi.utils import metrics
from scipy.stats import chi2

from helpers.validation import numbers, one_of, plain, whole_number

from ..priors import Prior

__all__ = [
    "AbcPosterior",
    "LocalGaussian",
    "Simulator",
    "c2st",
    "local_gaussian",
    "rejection_abc",
]

Simulator = Callable[[np.ndarray, int], np.ndarray]


def c2st(a: np.ndarray, b: np.ndarray, *, seed: int = 1, at_most: int = 2000, classifier: str = "mlp") -> float:
    """Share of samples that a classifier trained on the others sorts into the right set: 0.5 if both are one
    distribution.

    a, b: samples (n, n_parameters); the first `at_most` of each are used, as many of one as of the other.
    classifier: "mlp" (a small network, as in Lueckmann et al. 2021, AISTATS) or "rf" (random forest, less sensitive
    here).
    Source: Lopez-Paz & Oquab 2017, ICLR; five-fold cross-validation by sbi. The result scatters by about 0.01.
    Raises ValueError for samples that do not fit together or are not finite.
    """
    sets = [plain(name, values, "samples (n, n_parameters)") for name, values in (("a", a), ("b", b))]
    seed, at_most = whole_number("seed", seed, 0, 2**32 - 1), whole_number("at_most", at_most, 1)
    one_of("classifier", classifier, ("mlp", "rf"))
    if any(values.ndim != 2 for values in sets) or sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"samples of shape {sets[0].shape} and {sets[1].shape}; allowed: two of (n, n_parameters)")
    count = min(at_most, *map(len, sets))
    if count < 50:
        raise ValueError(f"{count} samples are too few to tell two sets apart; allowed: at least 50")
    if not all(np.isfinite(values).all() for values in sets):
        raise ValueError("samples hold values that are not finite")
    if max(np.abs(values).max() for values in sets) > 1e100:
        raise ValueError("samples hold values beyond 1e100: their square overflows")
    centre, spread = sets[0].mean(axis=0), sets[0].std(axis=0)  # in double precision: posteriors can be narrow
    scaled = [(values[:count] - centre) / np.where(spread > 0, spread, 1.0) for values in sets]
    return float(
        metrics.c2st(*(torch.as_tensor(values).float() for values in scaled), seed=seed, classifier=classifier)
    )


# ------------------------------------------------------------------------------------------------------ rejection ABC


@dataclass(frozen=True)
class AbcPosterior:
    """What rejection ABC accepted: weighted parameter sets.

    theta: (n_accepted, n_parameters), adjusted if `adjusted`. weights: (n_accepted,), sum 1. tolerance: distance of the
    farthest accepted simulation, each statistic in units of its scatter over the prior. n_simulations: how many were
    made.
    """

    prior: Prior
    x_o: np.ndarray
    theta: np.ndarray
    weights: np.ndarray
    tolerance: float
    n_simulations: int
    adjusted: bool

    @property
    def effective(self) -> float:
        """As many equally weighted samples would be as good."""
        return float(1.0 / np.sum(self.weights**2))

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws with replacement, (n, n_parameters)."""
        check_observation(self.x_o, x_o)
        return self.theta[np.random.default_rng(seed).choice(len(self.theta), n, p=self.weights)]

    def __str__(self) -> str:
        how = "adjusted by regression" if self.adjusted else "not adjusted"
        return (
            f"rejection ABC: {len(self.theta):,} of {self.n_simulations:,} simulations accepted, within "
            f"{self.tolerance:.3g} SD of the observation, {how}; worth {self.effective:,.0f} samples"
        )


def rejection_abc(
    prior: Prior, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray, *, accept: int = 200, adjust: bool = True
) -> AbcPosterior:
    """Keep the `accept` simulations nearest to the observation, and correct for their being near rather than there.

    theta (n, n_parameters), x (n, n_features): simulations from the prior; x_o (n_features,).
    Statistics are scaled by their median absolute deviation (SD where that is 0). adjust: weigh by the Epanechnikov
    kernel and shift each accepted set along a linear regression of parameters on statistics, made on the scale on which
    the prior is standard normal, so that nothing leaves it.
    Source: Beaumont, Zhang & Balding 2002, Genetics 162:2025, eq. 2-7.
    Raises ValueError where shapes do not fit, values are not finite, or fewer than `accept` simulations are given.
    """
    given = {"theta": theta, "x": x, "x_o": x_o}
    theta, x, x_o = (np.array(plain(name, values, "numbers")) for name, values in given.items())
    accept = whole_number("accept", accept, 1)
    _check_simulations(prior, theta, x, x_o)
    fewest = 2 * (x.shape[1] + 1)
    if not fewest <= accept <= len(theta):
        raise ValueError(
            f"accept = {accept} of {len(theta)} simulations; allowed: from {fewest} (twice the coefficients of the "
            f"regression) to all of them"
        )
    scatter = np.median(np.abs(x - np.median(x, axis=0)), axis=0)
    scatter = np.where(scatter > 0, 1.4826 * scatter, x.std(axis=0))
    away = (x - x_o) / np.where(scatter > 0, scatter, 1.0)
    distance = np.sqrt(np.mean(away**2, axis=1))
    nearest = np.argsort(distance, kind="stable")[:accept]
    kept, tolerance, weights = theta[nearest], float(distance[nearest[-1]]), np.full(accept, 1.0 / accept)
    if adjust:
        kernel = 1.0 - (distance[nearest] / tolerance) ** 2 if tolerance > 0 else np.ones(accept)
        kernel = np.maximum(kernel, 1e-12)
        design, root = np.column_stack([np.ones(accept), away[nearest]]), np.sqrt(kernel)[:, None]
        z = prior.to_normal(torch.as_tensor(kept)).numpy()
        slope = np.linalg.lstsq(root * design, root * z, rcond=None)[0][1:]
        kept = prior.from_normal(torch.as_tensor(z - away[nearest] @ slope)).numpy()
        weights = kernel / kernel.sum()
    return AbcPosterior(prior, x_o, kept, weights, tolerance, len(theta), adjust)


# ----------------------------------------------------------------------------------------------------- local Gaussian


@dataclass(frozen=True)
class LocalGaussian:
    """The posterior where statistics are normal, of fixed covariance, and linear in the parameters; the prior is flat.

    mean (n_parameters,), covariance (n_parameters, n_parameters): the posterior. at: the parameters where it was
    measured.
    centre (n_features,): mean statistics there; noise (n_features, n_features): their covariance over repeats;
    jacobian (n_features, n_parameters): change of the mean statistics per unit of each parameter.
    used (n_features,): which statistics take part; those that never changed do not.
    misfit: squared distance of the observation from the nearest statistics that the model can give, in units of the
    noise.
    """

    prior: Prior
    x_o: np.ndarray
    at: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    centre: np.ndarray
    noise: np.ndarray
    jacobian: np.ndarray
    used: np.ndarray
    misfit: float

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each parameter, (n_parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self) -> np.ndarray:
        """(n_parameters, n_parameters)."""
        return self.covariance / np.outer(self.sd, self.sd)

    @property
    def p_misfit(self) -> float:
        """Probability of so large a `misfit` if the model is right (chi-squared)."""
        return float(chi2.sf(self.misfit, max(int(self.used.sum()) - len(self.mean), 1)))

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws, (n, n_parameters), inside the prior."""
        check_observation(self.x_o, x_o)
        return drawn_inside(self.prior, lambda rng, k: rng.multivariate_normal(self.mean, self.covariance, k), n, seed)

    def __str__(self) -> str:
        named = zip(self.prior.names, self.mean, self.sd, strict=True)
        return "local-Gaussian posterior: " + ", ".join(f"{name} {m:.4g} ± {s:.2g}" for name, m, s in named)


def local_gaussian(
    simulate: Simulator,
    prior: Prior,
    theta: np.ndarray,
    x_o: np.ndarray,
    *,
    seed: int,
    step: np.ndarray | None = None,
    repeats: int = 800,
) -> LocalGaussian:
    """The posterior of `x_o` (n_features,) from repeated simulations at and around the parameters `theta`.

    The noise of the statistics comes from `repeats` simulations at theta, their dependence on each parameter from as
    many one `step` (n_parameters,) below and above it, by default 1 % of the prior's width. Its covariance is the
    inverse of the Fisher information. Trust it where it is narrower than the steps are wide, and where no simulation
    is far off the others: near (20, 3) mS/cm² of the tutorial's problem one in fifty has a part of a sixth spike, and
    the result is three to five times too wide (`synthetic_likelihood` is not).
    Raises ValueError where a statistic without noise jumps between the points, where the observation has another value
    of a statistic that never changes, and where no statistic responds to a parameter.
    """
    theta, x_o = prior.check(theta), numbers("x_o", x_o, shape=(None,), low=-1e100, high=1e100)
    if theta.ndim != 1:
        raise ValueError(f"theta has shape {theta.shape}; allowed: ({len(prior.names)},), one parameter set")
    seed, repeats = whole_number("seed", seed), whole_number("repeats", repeats, 2)
    step = 0.01 * (prior.upper - prior.lower) if step is None else np.asarray(step, dtype=float)

    def repeat(at: np.ndarray) -> np.ndarray:
        # The same noise at each point: differences between points then scatter far less.
        return np.asarray(simulate(np.tile(at, (repeats, 1)), seed), dtype=float)

    ends = [
        (np.maximum(theta - offset, prior.lower), np.minimum(theta + offset, prior.upper)) for offset in np.diag(step)
    ]
    here = repeat(theta)
    if x_o.shape != here.shape[1:]:
        raise ValueError(f"x_o has shape {x_o.shape}; allowed: {here.shape[1:]}, what the simulator returns")
    changes = [(repeat(up) - repeat(down)).mean(axis=0) / (up - down).sum() for down, up in ends]
    jacobian, noise, centre = np.column_stack(changes), np.atleast_2d(np.cov(here.T)), here.mean(axis=0)

    silent = np.diag(noise) <= 1e-24 * np.maximum(centre**2, 1e-300)
    jumps = silent & (jacobian != 0).any(axis=1)
    if jumps.any():
        raise ValueError(f"statistic {np.argmax(jumps)} has no noise and jumps within a step: choose a smaller step")
    other = silent & ~np.isclose(x_o, centre)
    if other.any():
        j = int(np.argmax(other))
        raise ValueError(f"x_o[{j}] = {x_o[j]:g}, but every simulation at theta = {theta} gives {centre[j]:g}")
    used = ~silent
    weighted = np.linalg.solve(noise[np.ix_(used, used)], np.column_stack([jacobian[used], (x_o - centre)[used]]))
    information, pull = jacobian[used].T @ weighted[:, :-1], jacobian[used].T @ weighted[:, -1]
    dead = np.diag(information) <= 0
    if dead.any():
        raise ValueError(f"no statistic responds to {prior.names[np.argmax(dead)]}: its posterior is its prior")
    covariance = np.linalg.inv(information)
    shift = covariance @ pull
    misfit = float((x_o - centre)[used] @ weighted[:, -1] - pull @ shift)
    return LocalGaussian(prior, x_o, theta, theta + shift, covariance, centre, noise, jacobian, used, max(misfit, 0.0))


# ------------------------------------------------------------------------------------------------------------- shared


def drawn_inside(prior: Prior, draw: Callable[[np.random.Generator, int], np.ndarray], n: int, seed: int) -> np.ndarray:
    """`n` draws that the prior allows."""
    rng, found = np.random.default_rng(whole_number("seed", seed)), []
    n = whole_number("n", n, 1)
    for _ in range(200):
        drawn = draw(rng, n)
        found.append(drawn[torch.isfinite(prior.log_prob(torch.as_tensor(drawn))).numpy()])
        if sum(map(len, found)) >= n:
            return np.concatenate(found)[:n]
    raise ValueError("next to nothing of this posterior lies inside the prior")


def check_observation(made_for: np.ndarray, x_o: np.ndarray) -> None:
    if not np.array_equal(made_for, np.asarray(x_o, dtype=float)):
        raise ValueError(f"this posterior belongs to x_o = {made_for}, not to {np.asarray(x_o)}")


def _check_simulations(prior: Prior, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray) -> None:
    if theta.ndim != 2 or x.ndim != 2 or theta.shape != (len(x), len(prior.names)) or x_o.shape != x.shape[1:]:
        raise ValueError(
            f"theta {theta.shape}, x {x.shape} and x_o {x_o.shape} do not fit together; allowed: "
            f"(n, {len(prior.names)}), (n, n_features), (n_features,)"
        )
    for name, values in (("theta", theta), ("x", x), ("x_o", x_o)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite: mend them or leave such simulations out")
        if values.size and np.abs(values).max() > 1e100:
            raise ValueError(f"{name} holds values beyond 1e100: their square overflows")
    prior.check(theta)
