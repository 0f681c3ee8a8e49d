"""Posterior predictive checks for spiking neurons: whether parameters from the posterior reproduce the observation.

A band around a voltage trace cannot tell: one spike 2 ms early is 100 mV off, and late in a trace a band around spikes
that are out of step allows everything. Here spikes are counted, their times and intervals compared, and each summary
statistic is placed among the simulated ones.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.simulation.arguments import as_stimulus
from helpers.simulation.batch import simulate_traces
from helpers.simulation.spikes import spike_fields
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.simulation.trace import Trace
from helpers.validation import number, whole_number

from ..posterior import Posterior
from ..priors import Prior
from ..warning_classes import PredictiveCheckWarning
from .spike_trains import SpikeTrainComparison, is_predicted, mid_rank

__all__ = ["PredictiveCheck", "predictive_check"]


@dataclass(frozen=True, kw_only=True)
class PredictiveCheck(SpikeTrainComparison):
    """Simulations with parameters from the posterior compared with the observation.

    Attributes
    ----------
    observed
        The observed trace.
    x_o
        Its statistics, (n_statistics,).
    names
        Names of the statistics.
    theta
        Parameters, (n_draws, n_parameters).
    t, V
        Times (n_samples,) [ms] and simulated traces (n_draws, n_samples) [mV].
    statistics
        Statistics of the simulated traces, (n_draws, n_statistics).
    """

    observed: Trace
    x_o: np.ndarray
    names: tuple[str, ...]
    theta: np.ndarray
    t: np.ndarray
    V: np.ndarray
    statistics: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """(observed - mean of the draws) / SD of the draws for each statistic, (n_statistics,).

        0 where all draws equal the observation, infinite where all draws are one value and the observation another.
        """
        off, spread = self.x_o - self.statistics.mean(axis=0), self.statistics.std(axis=0)
        off = np.where(np.abs(off) <= 1e-12 * np.abs(self.x_o), 0.0, off)
        return np.divide(off, spread, out=np.where(off == 0, 0.0, np.copysign(np.inf, off)), where=spread > 0)

    @property
    def p(self) -> np.ndarray:
        """Mid-rank of each observed statistic among the draws, (n_statistics,)."""
        return np.array([mid_rank(values, x) for values, x in zip(self.statistics.T, self.x_o, strict=True)])

    @property
    def failures(self) -> tuple[str, ...]:
        """What of the observation the draws do not predict, in words with numbers; empty if they predict all of it.

        What is predicted lies among the draws, or not more than 4 of their SDs beyond (more if there are few draws).
        """
        rows = zip(self.names, self.x_o, self.statistics.T, self.z, strict=True)
        found = [
            f"{name} = {x:.4g}, draws {values.mean():.4g} ± {values.std():.2g} (z {z:+.1f})"
            for name, x, values, z in rows
            if name != "spike_count" and not is_predicted(values, x)
        ]
        return (*super().failures, *found)

    def __str__(self) -> str:
        counts = self.counts
        head = (
            f"{len(self.theta)} draws: {counts.min()} to {counts.max()} spikes, observed {len(self.observed_spikes)} "
            f"(p {self.p_count:.2f}); {100 * self.within(0.5):.0f} % of spikes within 0.5 ms; "
            f"spike times p {self.p_spikes:.2f}, intervals p {self.p_intervals:.2f}"
        )
        rows = (f"{name}: z {z:+.1f}, p {p:.2f}" for name, z, p in zip(self.names, self.z, self.p, strict=True))
        return "\n  ".join([head, *rows, self.verdict])


def predictive_check(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    prior: Prior,
    theta: np.ndarray,
    observed: Trace,
    *,
    seed: int,
    dt: float | None = None,
    summarise: Summary = summary_statistics,
    window: float = 2.0,
    posterior: Posterior | None = None,
) -> PredictiveCheck:
    """Simulate a neuron with parameters from the posterior and compare the traces with the observed one.

    Parameters
    ----------
    neuron, stimulus
        As in `simulate_many`; the simulation lasts as long as the observed trace.
    prior
        Names the columns of `theta`.
    theta
        Posterior draws (n_draws, n_parameters), at least 10. Prior draws make it a prior predictive check.
    observed
        The observed trace; what is a spike in it (`spike_threshold` and the like) is one in the simulated ones.
    seed, dt
        Seed of the noise and time step [ms] of the simulations; by default dt is that of the training, or 0.01 ms.
    summarise
        The summary statistics to compare.
    window
        Time scale of `spike_distance` [ms].
    posterior
        Where `theta` is from; simulations that differ from those of its training are refused, and a check that fails
        emits a `PredictiveCheckWarning`. Without it `theta` may be anything, and `verdict` says how the check ends.

    Raises
    ------
    ValueError
        For fewer than 10 draws, draws outside the prior, and whatever `simulate_many` refuses.
    """
    theta, window = prior.check(theta), number("window", window, "ms", above=0.0)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    if theta.ndim != 2 or len(theta) < 10:
        raise ValueError(
            f"theta has shape {theta.shape}; allowed: (n_draws, {len(prior.names)}) with at least 10 draws"
        )
    if dt is None:
        dt = (posterior and posterior.dt) or 0.01
    parameters, n_steps = prior.by_name(theta), round((observed.t[-1] - observed.t[0]) / dt)
    if posterior is not None:
        posterior.check_simulation(neuron, stimulus, n_steps * dt, dt=dt, summarise=summarise)
    V = simulate_traces(neuron, stimulus, parameters, n_steps * dt, dt, seed=seed)
    t, injected = np.arange(n_steps + 1) * dt, as_stimulus(stimulus, n_steps, dt)
    of_stimulus = [name for name in prior.names if name in injected.parameters()]

    def trace(draw: int) -> Trace:
        own = replace(cast(Any, injected), **{name: float(parameters[name][draw]) for name in of_stimulus})
        I = own.current(t + 1e-6 * dt)
        return Trace(t, {"V": V[draw]}, I, own.start, own.stop, **spike_fields(observed))

    traces = [trace(draw) for draw in range(len(theta))]
    check = PredictiveCheck(
        spikes=tuple(observed.t[0] + one.spike_times for one in traces),
        observed_spikes=observed.spike_times,
        window=window,
        observed=observed,
        x_o=summarise(observed),
        names=summarise.names,
        theta=theta,
        t=observed.t[0] + t,
        V=V,
        statistics=np.stack([summarise(one) for one in traces]),
    )
    if posterior is not None and check.failures:
        warnings.warn(PredictiveCheckWarning(check.failures, len(theta)), stacklevel=2)
    return check
