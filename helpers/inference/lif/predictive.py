"""Posterior predictive checks of the integrate-and-fire neuron: the original's, and ones that spikes cannot fool.

The original looks at each moment of time on its own. Late in a recording the draws are out of step with each other;
a band around them then spans everything between reset and threshold, and covers any recording. Here V is also compared
from the first spike to the second, with all recordings shifted so that their first spikes coincide, and spike times and
intervals are compared as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from helpers.validation import plain, whole_number

from ..diagnostics.predictive import distances, interval_distance, mid_rank, spike_distance
from ..priors import Prior
from .problem import Experiment

__all__ = ["LifCheck", "lif_check"]

WINDOW = 2.0  # ms, of the spike distance


@dataclass(frozen=True)
class LifCheck:
    """Recordings of the same experiment with parameters `theta` (n_draws, 6), beside the observed one (first sweep).

    t (n_samples,) [ms]; V (n_draws, n_samples) and observed (n_samples,) [mV]; spikes and observed_spikes: times [ms].
    to_observed, among, intervals_to_observed, intervals_among: as in `PredictiveCheck`.
    """

    theta: np.ndarray
    t: np.ndarray
    V: np.ndarray
    observed: np.ndarray
    spikes: tuple[np.ndarray, ...]
    observed_spikes: np.ndarray
    V_th: float
    to_observed: np.ndarray
    among: np.ndarray
    intervals_to_observed: np.ndarray
    intervals_among: np.ndarray

    # ------------------------------------------------------------------------------ as the original defines them

    @property
    def band(self) -> np.ndarray:
        """5th, 50th and 95th percentile of the draws at each moment, (3, n_samples) [mV]."""
        return np.percentile(self.V, [5, 50, 95], axis=0)

    @property
    def coverage_90(self) -> float:
        """Share of moments at which the observed V lies in the band."""
        low, _, high = self.band
        return float(np.mean((self.observed >= low) & (self.observed <= high)))

    @property
    def subthreshold_mae(self) -> float:
        """Mean distance of the observed V from the median of the draws where it is below the median V_th [mV]."""
        below = self.observed < self.V_th
        return float(np.mean(np.abs(self.observed - self.band[1])[below]))

    @property
    def counts(self) -> np.ndarray:
        """Spikes of each draw, (n_draws,)."""
        return np.array([len(times) for times in self.spikes])

    @property
    def spike_percentile(self) -> float:
        """Share of draws with as many spikes as observed, or less; even for a right posterior it is seldom below 0.1
        where all draws have nearly the same number.
        """
        return float(np.mean(self.counts <= len(self.observed_spikes)))

    # ----------------------------------------------------------------------------------- that spikes cannot fool

    @property
    def p_count(self) -> float:
        """The same with equal numbers counted half: even from 0 to 1 for a right posterior."""
        return mid_rank(self.counts, len(self.observed_spikes))

    @property
    def p_spikes(self) -> float:
        """Share of draws whose spike times lie at least as far from the others' as the observed ones do."""
        return 1.0 - mid_rank(self.among, float(self.to_observed.mean()))

    @property
    def p_intervals(self) -> float:
        """As `p_spikes`, for the intervals between spikes."""
        return 1.0 - mid_rank(self.intervals_among, float(self.intervals_to_observed.mean()))

    @property
    def aligned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """From the first observed spike to just before the second, all first spikes at 0: time (m,) [ms], observed V
        (m,), V of the draws (n_spiking, m), NaN from their own second spike on. Empty where nothing fired.
        """
        dt = self.t[1] - self.t[0]
        own = _between(self.observed, self.observed_spikes, dt)
        rows = [_between(V, times, dt) for V, times in zip(self.V, self.spikes, strict=True) if len(times)]
        table = np.full((len(rows), len(own)), np.nan)
        for row, V in zip(table, rows, strict=True):
            row[: len(V)] = V[: len(own)]
        enough = np.isfinite(table).sum(axis=0) >= 0.5 * len(self.V)  # where half of the draws are still between
        return np.arange(len(own))[enough] * dt, own[enough], table[:, enough]

    @property
    def aligned_coverage_90(self) -> float:
        """Share of moments at which the observed V lies between the 5th and 95th percentile of the aligned draws; NaN
        where fewer than half of the draws, or the observed recording, have a spike.
        """
        _, observed, V = self.aligned
        if not len(observed):
            return float("nan")
        low, high = np.nanpercentile(V, [5, 95], axis=0)
        return float(np.mean((observed >= low) & (observed <= high)))

    @property
    def aligned_mae(self) -> float:
        """Mean distance of the observed V from the median of the aligned draws [mV]; NaN as `aligned_coverage_90`."""
        _, observed, V = self.aligned
        return float(np.mean(np.abs(observed - np.nanmedian(V, axis=0)))) if len(observed) else float("nan")

    def __str__(self) -> str:
        counts = self.counts
        return (
            f"{len(self.theta)} draws: {counts.min()} to {counts.max()} spikes, observed {len(self.observed_spikes)}\n"
            f"  moment by moment: coverage {self.coverage_90:.2f}, subthreshold error {self.subthreshold_mae:.2f} mV, "
            f"spike percentile {self.spike_percentile:.2f} (mid-rank {self.p_count:.2f})\n"
            f"  in step: coverage {self.aligned_coverage_90:.2f}, error {self.aligned_mae:.2f} mV; "
            f"spike times p {self.p_spikes:.2f}, intervals p {self.p_intervals:.2f}"
        )


def lif_check(
    experiment: Experiment, prior: Prior, theta: np.ndarray, x_o: np.ndarray, *, seed: int, compared: int = 100
) -> LifCheck:
    """Repeat the experiment with each of `theta` (n_draws, n_parameters) and compare with the observed recording.

    x_o: (n_samples, 2 n_currents), as `experiment.simulate` returns them; only the first sweep is compared.
    compared: on how many of the draws spike times are compared, as that takes the square of their number.
    Raises ValueError for draws off the prior, less than 10 of them, or a recording of another shape.
    """
    theta, x_o = prior.check(theta), plain("x_o", x_o, "a recording")
    compared = whole_number("compared", compared, 2)
    if theta.ndim != 2 or len(theta) < 10:
        raise ValueError(f"theta has shape {theta.shape}; allowed: (n_draws, {len(prior.names)}), at least 10 draws")
    if x_o.shape != (experiment.n_samples, 2 * len(experiment.currents)):
        raise ValueError(f"x_o has shape {x_o.shape}; allowed: {(experiment.n_samples, 2 * len(experiment.currents))}")
    if not np.isfinite(x_o).all():
        raise ValueError("x_o holds values that are not finite")
    x = experiment.simulate(prior, theta, seed)
    spikes = tuple(experiment.t[row > 0] for row in x[:, :, 1])
    observed = experiment.t[x_o[:, 1] > 0]
    near, between = distances(partial(spike_distance, window=WINDOW), spikes[:compared], observed)
    near_intervals, between_intervals = distances(interval_distance, spikes[:compared], observed)
    return LifCheck(
        theta=theta,
        t=experiment.t,
        V=x[:, :, 0].astype(float),
        observed=x_o[:, 0],
        spikes=spikes,
        observed_spikes=observed,
        V_th=float(np.median(theta[:, prior.names.index("V_th")])),
        to_observed=near,
        among=between,
        intervals_to_observed=near_intervals,
        intervals_among=between_intervals,
    )


def _between(V: np.ndarray, times: np.ndarray, dt: float) -> np.ndarray:
    """V from the sample after the first spike to the one before the second, or the end."""
    if not len(times):
        return np.empty(0)
    first = round(times[0] / dt) + 1
    return V[first : round(times[1] / dt) if len(times) > 1 else len(V)]
