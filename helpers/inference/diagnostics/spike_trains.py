"""Spike trains of simulations compared with an observed one: counts, spike times, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations

import numpy as np
from numba import njit
from scipy.stats import norm, t, wasserstein_distance

from helpers.validation import number, plain

__all__ = ["SpikeTrainComparison", "interval_distance", "spike_distance"]

MAX_Z = 4.0  # SDs of many normal draws that a predicted observation may lie from their mean; more for few draws
MAX_DISTANCE_Z = 6.0  # the same for distances between spike trains, whose distribution is skewed
MIN_ALIKE = 50  # draws that must all have one value before another one counts as not predicted


def spike_distance(a: np.ndarray, b: np.ndarray, *, window: float = 2.0) -> float:
    """Cost of turning one spike train into another: 1 to add or remove a spike, |shift| / window to move one.

    Parameters
    ----------
    a, b
        Spike times (n,) and (m,) [ms], ascending.
    window
        Time scale [ms]: a spike that would have to move by more than twice this is removed and added instead.

    References
    ----------
    Victor & Purpura 1996, J Neurophysiol 76:1310, with q = 1 / window.
    """
    window, a, b = number("window", window, "ms", above=0.0), _spike_times("a", a), _spike_times("b", b)
    if len(a) * len(b) > 10**9:
        raise ValueError(f"a and b of {len(a)} and {len(b)} spikes; allowed: up to 1e9 pairs of them")
    return _spike_distance(np.ascontiguousarray(a), np.ascontiguousarray(b), window)


def interval_distance(a: np.ndarray, b: np.ndarray) -> float:
    """First Wasserstein distance [ms] between the intervals of two spike trains.

    Parameters
    ----------
    a, b
        Spike times (n,) and (m,) [ms], ascending. A train without intervals counts as one with intervals of 0.
    """
    return _interval_distance(_spike_times("a", a), _spike_times("b", b))


def mid_rank(simulated: np.ndarray, observed: float) -> float:
    """Share of `simulated` (n,) below `observed`, equal ones counted half: uniform if both come from one source."""
    return float(np.mean(simulated < observed) + 0.5 * np.mean(simulated == observed))


def is_predicted(simulated: np.ndarray, observed: float, max_z: float = MAX_Z) -> bool:
    """Whether a number may be one of the `simulated` (n,): among them, or not too many of their SDs beyond them all.

    "Too many" are `max_z` of many draws; as few know their SD badly, more of few (of equal probability, Student's t).
    """
    n, spread, off = len(simulated), float(simulated.std(ddof=1)), abs(observed - float(simulated.mean()))
    if simulated.min() <= observed <= simulated.max() or off <= 1e-12 * abs(observed):
        return True
    if spread <= 1e-12 * abs(observed):
        return n < MIN_ALIKE
    return bool(off / (spread * np.sqrt(1 + 1 / n)) <= t.isf(norm.sf(max_z), n - 1))


@dataclass(frozen=True, kw_only=True)
class SpikeTrainComparison:
    """Spike trains of posterior draws compared with the observed one.

    Attributes
    ----------
    spikes
        Spike times of each draw [ms].
    observed_spikes
        Spike times of the observation [ms].
    window
        Time scale of `spike_distance` [ms].
    compared
        How many draws are compared in time, as the work grows with the square of their number; None: all.
    """

    spikes: tuple[np.ndarray, ...]
    observed_spikes: np.ndarray
    window: float = 2.0
    compared: int | None = None

    @property
    def counts(self) -> np.ndarray:
        """Number of spikes of each draw, (n_draws,)."""
        return np.array([len(times) for times in self.spikes])

    @property
    def p_count(self) -> float:
        """Mid-rank of the observed spike count among the draws; near 0 or 1 the model fires too much or too little."""
        return mid_rank(self.counts, len(self.observed_spikes))

    @property
    def p_spikes(self) -> float:
        """Share of draws whose spike times differ from the other draws' at least as much as the observed ones do."""
        return 1.0 - mid_rank(*self._spike_distances)

    @property
    def p_intervals(self) -> float:
        """The same as `p_spikes` for the intervals between spikes."""
        return 1.0 - mid_rank(*self._interval_distances)

    @property
    def failures(self) -> tuple[str, ...]:
        """What of the observation the draws do not predict, in words with numbers; empty if they predict all of it.

        What is predicted lies among the draws, or not more than 4 of their SDs beyond (more if there are few draws).
        """
        counts, observed = self.counts, len(self.observed_spikes)
        found = []
        if not is_predicted(counts, observed):
            found.append(f"{observed} spikes, draws {counts.min()} to {counts.max()}")
        times, intervals = self._spike_distances, self._interval_distances
        for what, unit, (among, own) in (("spike times", "", times), ("intervals", " ms", intervals)):
            if own > among.mean() and not is_predicted(among, own, MAX_DISTANCE_Z):
                found.append(
                    f"{what} at a mean distance of {own:.3g}{unit} from the draws, which are {among.mean():.3g}{unit} "
                    f"from each other, {among.max():.3g}{unit} at most"
                )
        return tuple(found)

    @property
    def verdict(self) -> str:
        """Whether the draws predict the observation, and if not, what they miss."""
        missed = "; ".join(self.failures)
        return f"NOT PREDICTED: {missed}" if missed else "the draws predict the observation"

    def spike_errors(self) -> np.ndarray:
        """Time of spike k of each draw minus that of observed spike k [ms], (n_draws, n_observed); inf if missing."""
        times = self.observed_spikes
        errors = np.full((len(self.spikes), len(times)), np.inf)
        for row, found in zip(errors, self.spikes, strict=True):
            both = min(len(found), len(times))
            row[:both] = found[:both] - times[:both]
        return errors

    def within(self, tolerance: float) -> float:
        """Share of all spikes within `tolerance` [ms] of the observed spike of the same number.

        Missing and surplus spikes count as outside; 1 if neither side has a spike.
        """
        errors = np.abs(self.spike_errors())
        total = np.maximum(self.counts, errors.shape[1]).sum()
        return float((errors <= tolerance).sum() / total) if total else 1.0

    @cached_property
    def _spike_distances(self) -> tuple[np.ndarray, float]:
        return self._mean_distances(partial(_spike_distance, window=self.window))

    @cached_property
    def _interval_distances(self) -> tuple[np.ndarray, float]:
        return self._mean_distances(_interval_distance)

    def _mean_distances(self, distance: Callable[[np.ndarray, np.ndarray], float]) -> tuple[np.ndarray, float]:
        """Mean distance of each draw from the others, (n_draws,), and of the observation from all draws."""
        spikes = self.spikes[: self.compared]
        to_observed = [distance(times, self.observed_spikes) for times in spikes]
        return _mean_distances(distance, spikes), float(np.mean(to_observed))


def _mean_distances(distance: Callable[[np.ndarray, np.ndarray], float], spikes: Sequence[np.ndarray]) -> np.ndarray:
    """Mean distance of each train from the others, (n_draws,)."""
    between = np.zeros((len(spikes), len(spikes)))
    for i, j in combinations(range(len(spikes)), 2):
        between[i, j] = between[j, i] = distance(spikes[i], spikes[j])
    return between.sum(axis=1) / (len(spikes) - 1)


def _spike_times(name: str, times: np.ndarray) -> np.ndarray:
    values = plain(name, times, "spike times [ms]")
    if values.ndim != 1 or not np.isfinite(values).all() or (np.diff(values) < 0).any():
        raise ValueError(f"{name} = {values}; allowed: (n,) ascending spike times [ms]")
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


def _interval_distance(a: np.ndarray, b: np.ndarray) -> float:
    intervals = (np.diff(times) if len(times) > 1 else np.zeros(1) for times in (a, b))
    return float(wasserstein_distance(*intervals))
