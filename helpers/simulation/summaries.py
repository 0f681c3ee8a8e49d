"""Summary statistics: a few numbers that describe a trace, compiled, as thousands of traces are simulated."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from .spikes import times_of
from .trace import Sweep, Trace

__all__ = [
    "Summary",
    "firing_rate",
    "spike_count",
    "spike_timing",
    "statistics_and_timing",
    "summary",
    "summary_statistics",
]


@dataclass(frozen=True)
class Summary:
    """Summary statistics with their names and units. Call it with a `Trace`.

    Parameters
    ----------
    units
        Unit of each statistic by name, in order ("" if it has none).
    compiled
        Numba function of a `Sweep` that returns a float array, one entry for each statistic.
    rest
        How long the trace must begin before the onset of the stimulus [samples].
    """

    units: Mapping[str, str]
    compiled: Any  # what numba.njit returns, which has no public type
    rest: int
    __doc__: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics, in order."""
        return tuple(self.units)

    @property
    def labels(self) -> tuple[str, ...]:
        """Axis labels, e.g. "mean (mV)"."""
        return tuple(
            f"{name.replace('_', ' ')} ({unit})" if unit else name.replace("_", " ")
            for name, unit in self.units.items()
        )

    def check(self, start: float, stop: float, dt: float) -> None:
        """Raise ValueError if a stimulus from `start` to `stop` [ms] leaves a statistic undefined."""
        if start < self.rest * dt * (1 - 1e-6):
            raise ValueError(
                f"start = {start:g} ms leaves too little rest before the stimulus; "
                f"allowed: at least {self.rest * dt:g} ms; spike_count and firing_rate need none"
            )
        if stop - start < 3 * dt:
            raise ValueError(f"stop - start = {stop - start:g} ms is too short; allowed: at least {3 * dt:g} ms")

    def __call__(self, trace: Trace) -> np.ndarray:
        """Return the statistics of one trace, (n_statistics,), in the order of `names`."""
        self.check(trace.start, trace.stop, trace.dt)
        found = self.compiled(sweep_of(trace))
        if not np.isfinite(found).all():
            largest = float(np.abs(trace.V).max())
            raise ValueError(f"V up to {largest:g} mV gives {found}: every statistic must be finite")
        return found

    def __reduce__(self) -> tuple[Callable[..., Summary], tuple[Any, ...]]:
        """Pickle by name if there is one, so that another process finds the machine code on disk."""
        function = self.compiled.py_func
        module = function.__module__
        if module != "__main__" and getattr(sys.modules.get(module), function.__name__, None) is self:
            return _by_name, (module, function.__name__)
        return Summary, (self.units, self.compiled, self.rest, self.__doc__)


def _by_name(module: str, name: str) -> Summary:
    return getattr(importlib.import_module(module), name)


def sweep_of(trace: Trace) -> Sweep:
    """Return what compiled functions see of a trace, its times counted from the first sample."""
    begin = trace.t[0]
    t, V, I = (np.ascontiguousarray(x, dtype=float) for x in (trace.t - begin, trace.V, trace.I))
    start, stop = float(trace.start - begin), float(trace.stop - begin)
    events = trace.spike_events  # found once; their times are those of `Trace.spike_times`
    times = times_of(np.ascontiguousarray(trace.t, dtype=float), V, events, float(trace.spike_threshold))
    return Sweep(t, V, I, start, stop, times - begin, events)


def summary(*, rest: int = 0, **units: str) -> Callable[[Callable[[Any], Any]], Summary]:
    """Make a decorator that compiles a function of a `Sweep` into a `Summary`.

    Parameters
    ----------
    rest
        How long the trace must begin before the onset of the stimulus [samples].
    **units
        Unit of each statistic by name, in order.

    Examples
    --------
    >>> @summary(peak="mV")
    ... def highest(sweep):
    ...     return np.array([sweep.V.max()])
    """

    def make(function: Callable[[Any], Any]) -> Summary:
        return Summary(units, njit(cache=True, nogil=True, error_model="numpy")(function), rest, function.__doc__)

    return make


_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

# A sum is taken as this many partial sums, which vector instructions add up at once. The order is explicit: chosen by
# the compiler it would depend on the processor, and on whether the function was compiled or read from the disk.
_WIDE = 64


@njit(**_OPTIONS)
def _mean(x):
    """Mean of x (n,), counted from its first value, so that a constant has no rounding error."""
    first, sums = x[0], np.zeros(_WIDE)
    for begin in range(0, len(x), _WIDE):
        part = x[begin : begin + _WIDE]
        for k in range(len(part)):
            sums[k] += part[k] - first
    return first + _total(sums) / len(x)


@njit(**_OPTIONS)
def _moments(x):
    """Mean and the second to fourth central moments (population) of x (n,)."""
    mean, second, third, fourth = _mean(x), np.zeros(_WIDE), np.zeros(_WIDE), np.zeros(_WIDE)
    for begin in range(0, len(x), _WIDE):
        part = x[begin : begin + _WIDE]
        for k in range(len(part)):
            d = part[k] - mean
            square = d * d
            second[k] += square
            third[k] += square * d
            fourth[k] += square * square
    return mean, _total(second) / len(x), _total(third) / len(x), _total(fourth) / len(x)


@njit(**_OPTIONS)
def _total(sums):
    """One sum after the other."""
    total = 0.0
    for k in range(len(sums)):
        total += sums[k]
    return total


@njit(**_OPTIONS)
def _count_above(x, level):
    """How many of x (n,) lie above `level`."""
    count = 0
    for i in range(len(x)):
        count += x[i] > level
    return count


@summary(rest=10, spike_count="", rest_mean="mV", rest_sd="mV", mean="mV", variance="mV²", skewness="", kurtosis="")
def summary_statistics(sweep):
    """Return the seven statistics of sbi's Hodgkin-Huxley tutorial, in this order.

    spike_count   peaks of V above -10 mV during the stimulus, more than 0.5 ms after the one before
    rest_mean     mean of V before the stimulus [mV]
    rest_sd       standard deviation of V over the last tenth of that time [mV]
    mean          mean of V during the stimulus [mV]
    variance      its variance (population) [mV²]; the tutorial's text calls it a standard deviation
    skewness      third central moment / SD³
    kurtosis      fourth central moment / SD⁴ (3 for a normal distribution)

    "During" excludes both ends. A peak is a sample above -10 mV that follows one above -10 mV that is not higher, and
    precedes one that is lower: noise on a plateau makes many, of which `spike_count` counts none. If V does not vary at
    all, skewness is 0 and kurtosis 3, as for a normal distribution: the limit of vanishing noise.

    Raises
    ------
    ValueError
        With fewer than 10 samples of rest.

    References
    ----------
    Gonçalves et al. 2020, eLife 9:e56261, and the tutorial of the sbi library.
    """
    t, V, start, stop = sweep.t, sweep.V, sweep.start, sweep.stop
    dt = t[1] - t[0]
    tiny = 1e-6 * dt  # t = i·dt carries rounding errors
    onset = np.searchsorted(t, start - tiny)
    first = np.searchsorted(t, start + tiny)
    end = np.searchsorted(t, stop - tiny)

    spikes = 0
    previous = -np.inf
    last = min(end, len(V) - 2)
    for begin in range(first, last, 64):  # most stretches stay below: one quick look at each
        stretch = min(begin + 64, last)
        for i in range(begin, stretch if _count_above(V[begin:stretch], -10.0) else begin):
            if V[i] > -10.0 and V[i + 1] >= V[i] and V[i + 2] < V[i + 1]:
                if t[i] - previous > 0.5:
                    spikes += 1
                previous = t[i]

    rest_mean = _mean(V[:onset])
    _, rest_variance, _, _ = _moments(V[int(0.9 * start / dt + 1e-6) : int(start / dt + 1e-6)])
    mean, variance, third, fourth = _moments(V[first:end])
    varies = variance > 0.0
    skewness = third / variance**1.5 if varies else 0.0
    kurtosis = fourth / variance**2 if varies else 3.0
    return np.array([spikes, rest_mean, np.sqrt(rest_variance), mean, variance, skewness, kurtosis])


@summary(spikes="")
def spike_count(sweep):
    """Return the number of spikes, also before and after the stimulus, as `find_spikes` counts them.

    It needs no rest before the stimulus. The number of spikes for each of 20 conductances:

    >>> scan = {"g_Na": np.linspace(50.0, 200.0, 20)}
    >>> simulate_many(HodgkinHuxley(), step(12.73, 0.0, 100.0), scan, 100.0, seed=0, summarise=spike_count)
    """
    return np.array([float(len(sweep.spike_times))])


@summary(rest=20, latency="ms", first_interval="ms", last_interval="ms", lowest="mV", flicker="mV")
def spike_timing(sweep):
    """Return five features that the moments of V do not hold.

    latency          from the onset of the stimulus to the first spike [ms]
    first_interval   between the first two spikes [ms]
    last_interval    between the last two spikes [ms]
    lowest           lowest V during the stimulus [mV]
    flicker          median absolute second difference of V at rest [mV]: the noise, free of any drift

    A feature that needs more spikes than there are is as long as the stimulus: never NaN, and longer than any other.
    """
    t, V, length = sweep.t, sweep.V, sweep.stop - sweep.start
    during = (t >= sweep.start) & (t < sweep.stop)
    times = sweep.spike_times[(sweep.spike_times >= sweep.start) & (sweep.spike_times < sweep.stop)] - sweep.start
    latency = times[0] if len(times) else length
    intervals = np.diff(times) if len(times) > 1 else np.array([length])
    flicker = np.median(np.abs(np.diff(np.diff(V[t < sweep.start]))))
    return np.array([latency, intervals[0], intervals[-1], V[during].min(), flicker])


_SEVEN, _FIVE = summary_statistics.compiled, spike_timing.compiled


@summary(rest=20, **summary_statistics.units, **spike_timing.units)
def statistics_and_timing(sweep):
    """Return the seven `summary_statistics` and the five features of `spike_timing`."""
    return np.concatenate((_SEVEN(sweep), _FIVE(sweep)))


@summary(rate="Hz")
def firing_rate(sweep):
    """Return the firing rate in the second half of the stimulus [Hz], from the first spike to the last.

    Counted between spikes, the rate is exact however few they are; a lone spike is counted over the whole half.
    """
    begin = (sweep.start + sweep.stop) / 2
    late = sweep.spike_times[(sweep.spike_times > begin) & (sweep.spike_times <= sweep.stop)]
    if len(late) < 2:
        return np.array([len(late) / (sweep.stop - begin) * 1000.0])
    return np.array([(len(late) - 1) / (late[-1] - late[0]) * 1000.0])
