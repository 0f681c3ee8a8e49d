"""What a posterior predicts for a sweep, next to what was recorded there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .sweeps import CellSweep

__all__ = ["SweepPrediction", "share_within"]

WITHIN = 2.0  # SD
INTERVAL = (5.0, 95.0)  # percent


@dataclass(frozen=True)
class SweepPrediction:
    """One sweep, fitted or held out, and the features of simulations of it with draws of the posterior.

    Parameters
    ----------
    sweep
        What was recorded.
    predicted
        Features of the simulations, (n_draws, n_features).
    held_out
        Whether the fit has not seen this sweep.
    """

    sweep: CellSweep
    predicted: np.ndarray
    held_out: bool = False

    @property
    def mean(self) -> np.ndarray:
        """Predicted features, (n_features,)."""
        return self.predicted.mean(axis=0)

    @property
    def sd(self) -> np.ndarray:
        """SD of what is predicted, that of the tolerance included, (n_features,)."""
        return np.hypot(self.predicted.std(axis=0), self.sweep.tolerance)

    @property
    def z(self) -> np.ndarray:
        """How many such SDs the recording lies above the prediction, (n_features,)."""
        return (self.sweep.observed - self.mean) / self.sd

    @property
    def counts(self) -> tuple[float, float]:
        """The interval that holds the spike count of 90 % of the simulations, with the tolerance of the count."""
        column = self.sweep.summarise.names.index("spike_count")
        noise = np.random.default_rng(0).standard_normal(len(self._counts))
        blurred = self._counts + self.sweep.tolerance[column] * noise
        low, high = np.percentile(blurred, INTERVAL)
        return float(low), float(high)

    @property
    def count_inside(self) -> bool:
        """Whether the recorded count lies in this interval."""
        low, high = self.counts
        return low <= self.sweep.count <= high

    @property
    def count_near(self) -> bool:
        """Whether the median predicted count is within 10 % of the recorded one, or one spike."""
        return abs(float(np.median(self._counts)) - self.sweep.count) <= max(1.0, 0.1 * self.sweep.count)

    @property
    def _counts(self) -> np.ndarray:
        return self.predicted[:, self.sweep.summarise.names.index("spike_count")]

    def table(self) -> str:
        """Return a line per feature: recorded, predicted, SD, z."""
        seen = "not seen by the fit" if self.held_out else "fitted"
        lines = [f"{self.sweep.name}, {self.sweep.amplitude:+.4g} pA, {seen}"]
        lines.append(f"  {'feature':<18}{'recorded':>11}{'predicted':>11}{'SD':>9}{'z':>7}")
        units = self.sweep.summarise.units
        for name, *row in zip(units, self.sweep.observed, self.mean, self.sd, self.z, strict=True):
            mark = "  *" if abs(row[3]) > WITHIN else ""
            lines.append(f"  {name:<18}{row[0]:11.4g}{row[1]:11.4g}{row[2]:9.3g}{row[3]:+7.1f}  {units[name]}{mark}")
        return "\n".join(lines)


def share_within(predictions: Iterable[SweepPrediction]) -> float:
    """Return the share of all features that lie within 2 SD of what is predicted."""
    return float(np.mean(np.abs(np.concatenate([one.z for one in predictions])) <= WITHIN))
