"""Posterior predictive checks of the integrate-and-fire neuron: those of the original, and ones made for spikes.

The original looks at each moment of time on its own. Late in a recording the draws are out of step with each other;
a band around them then spans everything between reset and threshold, and covers any recording. Here V is also compared
from the first spike to the second, with all recordings shifted so that their first spikes coincide, and spike times and
intervals are compared as such.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.validation import plain, whole_number

from ..diagnostics.spike_trains import SpikeTrainComparison
from ..priors import Prior
from .problem import LifExperiment

__all__ = ["LifCheck", "lif_check"]


@dataclass(frozen=True, kw_only=True)
class LifCheck(SpikeTrainComparison):
    """Recordings of the same experiment with parameters from the posterior, compared with the observed first sweep.

    Attributes
    ----------
    theta
        Parameters, (n_draws, 6).
    t
        Times, (n_samples,) [ms].
    V, observed
        Simulated and observed membrane potential, (n_draws, n_samples) and (n_samples,) [mV].
    V_th
        Median threshold of the draws [mV].
    """

    theta: np.ndarray
    t: np.ndarray
    V: np.ndarray
    observed: np.ndarray
    V_th: float

    # -------------------------------------------------------------------------- as the original defines them

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
    def spike_percentile(self) -> float:
        """Share of draws with at most as many spikes as observed.

        Where all draws have nearly the same number it is seldom below 0.1, even for a correct posterior.
        """
        return float(np.mean(self.counts <= len(self.observed_spikes)))

    # ------------------------------------------------------------- aligned at the first spike, up to the second

    @property
    def aligned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Time (m,) [ms], observed V (m,) and V of the draws (n_spiking, m) [mV], from the first spike to the second.

        All first spikes are at 0. V of a draw is NaN from its own second spike on. Empty where nothing fired.
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
        """Share of moments at which the observed V lies between the 5th and 95th percentile of the aligned draws.

        NaN where fewer than half of the draws, or the observed recording, have a spike.
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
            f"spike times p {self.p_spikes:.2f}, intervals p {self.p_intervals:.2f}\n"
            f"  {self.verdict}"
        )


def lif_check(
    experiment: LifExperiment, prior: Prior, theta: np.ndarray, x_o: np.ndarray, *, seed: int, compared: int = 100
) -> LifCheck:
    """Repeat an experiment with parameters from the posterior and compare with the observed recording.

    Parameters
    ----------
    experiment
        What is simulated.
    prior
        Names the columns of `theta`.
    theta
        Posterior draws (n_draws, n_parameters), at least 10.
    x_o
        The observed recording (n_samples, 2 n_currents), as `experiment.simulate` returns it; only the first sweep is
        compared.
    seed
        Seed of the simulations.
    compared
        How many of the draws are compared in time, as the work grows with the square of their number.

    Raises
    ------
    ValueError
        For draws outside the prior, fewer than 10 of them, or a recording of another shape.
    """
    theta, x_o = prior.check(theta), plain("x_o", x_o, "a recording")
    compared = whole_number("compared", compared, 2)
    if theta.ndim != 2 or len(theta) < 10:
        raise ValueError(f"theta has shape {theta.shape}; allowed: (n_draws, {len(prior.names)}), at least 10 draws")
    recorded = (experiment.n_samples, 2 * len(experiment.currents))
    if x_o.shape != recorded or not np.isfinite(x_o).all():
        raise ValueError(f"x_o has shape {x_o.shape} or is not finite; allowed: {recorded}, finite values [mV]")
    x = experiment.simulate(prior, theta, seed)
    return LifCheck(
        spikes=tuple(experiment.t[row > 0] for row in x[:, :, 1]),
        observed_spikes=experiment.t[x_o[:, 1] > 0],
        compared=compared,
        theta=theta,
        t=experiment.t,
        V=x[:, :, 0].astype(float),
        observed=x_o[:, 0],
        V_th=float(np.median(theta[:, prior.names.index("V_th")])),
    )


def _between(V: np.ndarray, times: np.ndarray, dt: float) -> np.ndarray:
    """V from the sample after the first spike to the one before the second, or the end."""
    if not len(times):
        return np.empty(0)
    first = round(times[0] / dt) + 1
    return V[first : round(times[1] / dt) if len(times) > 1 else len(V)]
