"""Posterior predictive checks made for spikes: does the model, with parameters from the posterior, do what was
observed?

A band around a voltage trace is no such check: one spike 2 ms early is 100 mV off, and late in a trace a band around
spikes out of step allows everything. Here spikes are counted, their times and intervals compared, and each summary
statistic is placed among the simulated ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numba import njit
from scipy.stats import wasserstein_distance

from helpers.neurons.equations import Neuron
from helpers.simulation.simulate import simulate_many
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.simulation.trace import Trace, find_spikes
from helpers.validation import number, numbers, plain, whole_number

from ..priors import Prior

__all__ = ["PredictiveCheck", "distances", "interval_distance", "mid_rank", "predictive_check", "spike_distance"]


def mid_rank(simulated: np.ndarray, observed: float) -> float:
    """Share of `simulated` (n,) below `observed`, equal ones counted half: even from 0 to 1 if both come from one
    source.
    """
    simulated, observed = numbers("simulated", simulated, shape=(None,)), number("observed", observed)
    return float(np.mean(simulated < observed) + 0.5 * np.mean(simulated == observed))


def spike_distance(a: np.ndarray, b: np.ndarray, *, window: float = 2.0) -> float:
    """Cost of turning spike times `a` into `b` [ms]: 1 to add or remove a spike, |shift| / window to move one.

    A spike moved by more than 2 `window` [ms] is rather removed and added again. 0 for equal trains.
    Source: Victor & Purpura 1996, J Neurophysiol 76:1310, with q = 1 / window.
    """
    window = number("window", window, "ms", above=0.0)
    a, b = _spike_times("a", a), _spike_times("b", b)
    if len(a) * len(b) > 10**9:
        raise ValueError(f"a and b of {len(a)} and {len(b)} spikes; allowed: up to 1e9 pairs of them")
    return _spike_distance(np.ascontiguousarray(a), np.ascontiguousarray(b), window)


def _spike_times(name: str, times: np.ndarray) -> np.ndarray:
    """Times of spikes [ms], (n,), which rise; there may be none."""
    values = plain(name, times, "times of spikes [ms]")
    if values.ndim != 1 or not np.isfinite(values).all() or (np.diff(values) < 0).any():
        raise ValueError(f"{name} = {values}; allowed: (n,) rising times of spikes [ms]")
    return values


@njit(cache=True)
def _spike_distance(a, b, window):
    row = np.arange(len(b) + 1.0)
    for i in range(len(a)):
        diagonal, row[0] = row[0], i + 1.0
        for j in range(len(b)):
            moved = diagonal + abs(a[i] - b[j]) / window
            diagonal = row[j + 1]
            row[j + 1] = min(moved, row[j + 1] + 1.0, row[j] + 1.0)
    return row[-1]


def interval_distance(a: np.ndarray, b: np.ndarray) -> float:
    """How far intervals between spikes must change on average to turn those of times `a` into those of `b` [ms].

    The first Wasserstein distance of their distributions. A train without intervals counts as one with intervals of 0.
    """
    a, b = _spike_times("a", a), _spike_times("b", b)
    intervals = [np.diff(times) if len(times) > 1 else np.zeros(1) for times in (a, b)]
    return float(wasserstein_distance(*intervals))


@dataclass(frozen=True)
class PredictiveCheck:
    """Simulations with parameters `theta` (n_draws, n_parameters) beside the observation.

    t (n_samples,) [ms], V (n_draws, n_samples) [mV]; spikes: times [ms] of each draw; statistics (n_draws, n_features)
    named `names`. observed, x_o: the observed trace and its statistics.
    to_observed: (n_draws,) spike distance of each draw from the observation; among: (n_draws,) its mean distance from
    the other draws; intervals_to_observed, intervals_among: the same for intervals between spikes [ms].
    """

    observed: Trace
    x_o: np.ndarray
    names: tuple[str, ...]
    theta: np.ndarray
    t: np.ndarray
    V: np.ndarray
    spikes: tuple[np.ndarray, ...]
    statistics: np.ndarray
    to_observed: np.ndarray
    among: np.ndarray
    intervals_to_observed: np.ndarray
    intervals_among: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Spikes of each draw, (n_draws,)."""
        return np.array([len(times) for times in self.spikes])

    @property
    def p_count(self) -> float:
        """Mid-rank of the observed spike count among the draws; near 0 or 1 the model fires too much or too little."""
        return mid_rank(self.counts, len(self.observed.spike_times))

    @property
    def p_spikes(self) -> float:
        """Share of draws that lie at least as far from the others as the observation does; near 0: it is unlike
        them.
        """
        return 1.0 - mid_rank(self.among, float(self.to_observed.mean()))

    @property
    def p_intervals(self) -> float:
        """As `p_spikes`, for the intervals between spikes."""
        return 1.0 - mid_rank(self.intervals_among, float(self.intervals_to_observed.mean()))

    @property
    def z(self) -> np.ndarray:
        """(observed - mean of the draws) / SD of the draws for each statistic, (n_features,); 0 where all are equal to
        it,
        infinite where all draws are one value and the observation another.
        """
        off, spread = self.x_o - self.statistics.mean(axis=0), self.statistics.std(axis=0)
        off = np.where(np.abs(off) <= 1e-12 * np.abs(self.x_o), 0.0, off)
        return np.divide(off, spread, out=np.where(off == 0, 0.0, np.copysign(np.inf, off)), where=spread > 0)

    @property
    def p(self) -> np.ndarray:
        """Mid-rank of each observed statistic among the draws, (n_features,)."""
        return np.array([mid_rank(values, x) for values, x in zip(self.statistics.T, self.x_o, strict=True)])

    def spike_errors(self) -> np.ndarray:
        """Time of spike k of each draw less that of observed spike k [ms], (n_draws, n_observed); infinite where
        missing.
        """
        times = self.observed.spike_times
        errors = np.full((len(self.spikes), len(times)), np.inf)
        for row, found in zip(errors, self.spikes, strict=True):
            both = min(len(found), len(times))
            row[:both] = found[:both] - times[:both]
        return errors

    def within(self, tolerance: float) -> float:
        """Share of the spikes of all draws within `tolerance` [ms] of the observed spike of the same number.

        Missing spikes and those beyond the observed number count as outside; 1 where neither side has a spike.
        """
        errors = np.abs(self.spike_errors())
        total = np.maximum(self.counts, errors.shape[1]).sum()
        return float((errors <= tolerance).sum() / total) if total else 1.0

    def __str__(self) -> str:
        counts, observed = self.counts, len(self.observed.spike_times)
        head = (
            f"{len(self.theta)} draws: {counts.min()} to {counts.max()} spikes, observed {observed} "
            f"(p {self.p_count:.2f}); {100 * self.within(0.5):.0f} % of spikes within 0.5 ms; "
            f"spike times p {self.p_spikes:.2f}, intervals p {self.p_intervals:.2f}"
        )
        rows = (f"  {name}: z {z:+.1f}, p {p:.2f}" for name, z, p in zip(self.names, self.z, self.p, strict=True))
        return "\n".join([head, *rows])


def predictive_check(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    prior: Prior,
    theta: np.ndarray,
    observed: Trace,
    *,
    seed: int,
    dt: float = 0.01,
    summarise: Summary = summary_statistics,
    sampling: float | None = None,
    window: float = 2.0,
) -> PredictiveCheck:
    """Simulate `neuron` with each of the parameter sets `theta` (n_draws, n_parameters) and compare with `observed`.

    theta: draws from the posterior; draws from the prior make it a prior predictive check. prior: names its columns.
    The simulation lasts as long as the observed trace, in steps of `dt` [ms], of which V is kept every `sampling` [ms].
    window: time scale of `spike_distance` [ms]. Spikes are upward crossings of the observed trace's spike threshold.
    Raises ValueError for less than 10 draws, and whatever `simulate_many` refuses.
    """
    theta, window = prior.check(theta), number("window", window, "ms", above=0.0)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    if theta.ndim != 2 or len(theta) < 10:
        raise ValueError(
            f"theta has shape {theta.shape}; allowed: (n_draws, {len(prior.names)}) with at least 10 draws"
        )
    parameters, duration = prior.by_name(theta), round((observed.t[-1] - observed.t[0]) / dt) * dt
    x = simulate_many(neuron, stimulus, parameters, duration, dt, seed=seed, summarise=summarise)
    V = simulate_many(neuron, stimulus, parameters, duration, dt, seed=seed, keep="trace", sampling=sampling)
    t = observed.t[0] + np.arange(V.shape[1]) * (dt if sampling is None else sampling)
    spikes = tuple(find_spikes(t, row, observed.spike_threshold) for row in V)
    to_observed, among = distances(partial(spike_distance, window=window), spikes, observed.spike_times)
    intervals_to_observed, intervals_among = distances(interval_distance, spikes, observed.spike_times)
    return PredictiveCheck(
        observed=observed,
        x_o=summarise(observed),
        names=summarise.names,
        theta=theta,
        t=t,
        V=V,
        spikes=spikes,
        statistics=x,
        to_observed=to_observed,
        among=among,
        intervals_to_observed=intervals_to_observed,
        intervals_among=intervals_among,
    )


def distances(
    measure: Callable[[np.ndarray, np.ndarray], float], spikes: Sequence[np.ndarray], observed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each train from the observed one, and its mean distance from the others, (n_draws,) each."""
    between = np.zeros((len(spikes), len(spikes)))
    for i, j in combinations(range(len(spikes)), 2):
        between[i, j] = between[j, i] = measure(spikes[i], spikes[j])
    return np.array([measure(times, observed) for times in spikes]), between.sum(axis=1) / (len(spikes) - 1)
