"""Distributions of one parameter between two bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from helpers.neurons.parameters import Parameter
from helpers.validation import number, plain

__all__ = ["Marginal", "normal", "uniform"]


@dataclass(frozen=True)
class Marginal:
    """A distribution of one parameter, truncated to the range from `low` to `high`.

    Parameters
    ----------
    low, high
        Bounds; None for those that the parameter declares.
    mean, sd
        Of a normal distribution; None for a uniform one.
    log
        Whether all this holds for log(value); `mean` is then the median, and `sd` has no unit.
    """

    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    log: bool = False

    def __str__(self) -> str:
        """Name the distribution, e.g. "lognormal(10, 0.5)"."""
        kind = "uniform" if self.sd is None else "normal"
        spread = "" if self.sd is None else f"({self.mean:g}, {self.sd:g})"
        return f"{'log' if self.log else ''}{kind}{spread}"

    def cdf_and_log_prob(self, value: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Evaluate the cumulative distribution function and the log-density at `value`, for the upper bound `high`."""
        position, jacobian = (value.log(), value.log()) if self.log else (value, torch.zeros_like(value))
        low, top = self._ends(high)
        if self.sd is None:
            return (position - low) / (top - low), -(top - low).log() - jacobian
        z = (position - self._centre) / self.sd
        mass = torch.special.ndtr(top) - torch.special.ndtr(low)
        density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(self.sd) - mass.log() - jacobian
        return (torch.special.ndtr(z) - torch.special.ndtr(low)) / mass, density

    def icdf(self, share: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """Evaluate the inverse of the cumulative distribution function at `share`, for the upper bound `high`."""
        low, top = self._ends(high)
        if self.sd is None:
            position = low + share * (top - low)
        else:
            below, above = torch.special.ndtr(low), torch.special.ndtr(top)
            position = self._centre + self.sd * torch.special.ndtri(below + share * (above - below))
        value = position.exp() if self.log else position
        return torch.minimum(torch.clamp(value, min=self.low), high)

    def completed(self, declared: Parameter) -> Marginal:
        """Return a copy with the bounds that its parameter declares where it has none.

        Raises ValueError for bounds, a mean or an SD that do not fit.
        """
        name, unit = declared.name, declared.unit
        low, high = (
            default if end is None else plain(f"{name}: {which}", end, f"one number {unit}".rstrip())
            for which, end, default in (("low", self.low, declared.low), ("high", self.high, declared.high))
        )
        for which, end in (("low", low), ("high", high)):
            if np.ndim(end):
                raise ValueError(f"{name}: {which} has shape {np.shape(end)}; allowed: one number")
        declared.check([low, high])
        low, high = float(low), float(high)
        if not low < high:
            raise ValueError(f"{name}: low = {low:g} {unit} must lie below high = {high:g} {unit}")
        if self.log and low <= 0:
            raise ValueError(f"{name}: low = {low:g} {unit}; allowed on a logarithmic scale: above 0 {unit}")
        if self.sd is None and self.mean is None:
            return replace(self, low=low, high=high)
        sd, mean = number(f"{name}: sd", self.sd, above=0.0), number(f"{name}: mean", self.mean, unit)
        if not low <= mean <= high:
            raise ValueError(f"{name}: mean = {mean:g} {unit}; allowed: from {low:g} to {high:g} {unit}")
        if not 1e-9 < sd / (np.log(high / low) if self.log else high - low) < 1e9:
            raise ValueError(
                f"{name}: sd = {sd:g}; allowed: from a billionth of low to high to a billion times as much"
            )
        return replace(self, low=low, high=high, mean=mean, sd=sd)

    @property
    def peak(self) -> float:
        """The value with the highest density, one of them if it is uniform."""
        assert self.low is not None and self.high is not None, "completed by the prior"
        if self.sd is None:
            return self.low
        top = float(np.exp(self._centre - self.sd**2)) if self.log else self._centre
        return min(max(top, self.low), self.high)

    @property
    def _centre(self) -> float:
        assert self.mean is not None
        return float(np.log(self.mean) if self.log else self.mean)

    def _ends(self, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both bounds on the scale of the distribution, for a normal one in units of its SD."""
        assert self.low is not None, "completed by the prior"
        ends = torch.full_like(high, self.low), high
        low, top = (end.log() for end in ends) if self.log else ends
        return (low, top) if self.sd is None else ((low - self._centre) / self.sd, (top - self._centre) / self.sd)


def uniform(low: float | None = None, high: float | None = None, *, log: bool = False) -> Marginal:
    """Make a uniform distribution from `low` to `high`; log: uniform in log(value)."""
    return Marginal(low, high, log=log)


def normal(
    mean: float, sd: float, low: float | None = None, high: float | None = None, *, log: bool = False
) -> Marginal:
    """Make a normal distribution, truncated to `low` and `high`; log: log-normal with median `mean`."""
    return Marginal(low, high, mean, sd, log)
