"""What is believed about one parameter: a distribution between two ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from helpers.neurons.parameters import Parameter
from helpers.validation import number, plain

__all__ = ["Marginal", "normal", "uniform"]


@dataclass(frozen=True)
class Marginal:
    """One parameter's distribution between `low` and `high` (None: the range that the parameter declares).

    sd: None for a uniform distribution; otherwise it is normal around `mean`. log: all this on the scale of log(value);
    `mean` is then the median, and `sd` a number without unit.
    """

    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    log: bool = False

    def __str__(self) -> str:
        kind = "uniform" if self.sd is None else "normal"
        spread = "" if self.sd is None else f"({self.mean:g}, {self.sd:g})"
        return f"{'log' if self.log else ''}{kind}{spread}"

    def cut(self, value: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Share of the probability below `value` if the upper end is `high`, and log-density of `value`."""
        position, jacobian = (value.log(), value.log()) if self.log else (value, torch.zeros_like(value))
        low, top = self._ends(high)
        if self.sd is None:
            return (position - low) / (top - low), -(top - low).log() - jacobian
        z = (position - self._centre) / self.sd
        mass = torch.special.ndtr(top) - torch.special.ndtr(low)
        density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(self.sd) - mass.log() - jacobian
        return (torch.special.ndtr(z) - torch.special.ndtr(low)) / mass, density

    def at(self, share: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """The value below which `share` of the probability lies where the upper end is `high`."""
        low, top = self._ends(high)
        if self.sd is None:
            position = low + share * (top - low)
        else:
            below, above = torch.special.ndtr(low), torch.special.ndtr(top)
            position = self._centre + self.sd * torch.special.ndtri(below + share * (above - below))
        value = position.exp() if self.log else position
        return torch.minimum(torch.clamp(value, min=self.low), high)

    def completed(self, declared: Parameter) -> Marginal:
        """This marginal with the ends of its parameter where it has none. Raises ValueError for what does not fit."""
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
            return replace(self, low=float(low), high=float(high))
        sd, mean = number(f"{name}: sd", self.sd, above=0.0), number(f"{name}: mean", self.mean, unit)
        if not low <= mean <= high:
            raise ValueError(f"{name}: mean = {mean:g} {unit}; allowed: from {low:g} to {high:g} {unit}")
        if not 1e-9 < sd / (np.log(high / low) if self.log else high - low) < 1e9:
            raise ValueError(
                f"{name}: sd = {sd:g}; allowed: from a billionth of low to high to a billion times as much"
            )
        return replace(self, low=float(low), high=float(high), mean=mean, sd=sd)

    @property
    def _centre(self) -> float:
        return float(np.log(self.mean) if self.log else self.mean)

    def _ends(self, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both ends on the scale of the distribution, for a normal one in units of its SD."""
        ends = torch.full_like(high, self.low), high
        low, top = (end.log() for end in ends) if self.log else ends
        return (low, top) if self.sd is None else ((low - self._centre) / self.sd, (top - self._centre) / self.sd)


def uniform(low: float | None = None, high: float | None = None, *, log: bool = False) -> Marginal:
    """Every value (log: every order of magnitude) between `low` and `high` is as probable as any other."""
    return Marginal(low, high, log=log)


def normal(
    mean: float, sd: float, low: float | None = None, high: float | None = None, *, log: bool = False
) -> Marginal:
    """Normal around `mean` with SD `sd`, cut off at `low` and `high`; log: log-normal with median `mean`."""
    return Marginal(low, high, mean, sd, log)
