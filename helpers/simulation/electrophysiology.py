"""Features that electrophysiologists measure: of the spike train, of the shape of spikes, and of V between them.

`FEATURES` declares each of them: name, unit, definition, and what takes its place where a trace does not have it.
`features` compiles a choice into a `Summary`; `measure_features` and `measure_spikes` describe one trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from helpers.validation import did_you_mean, instance, number

from .compiler.cache import load_module
from .summaries import Summary, sweep_of
from .trace import Sweep, Trace

__all__ = ["FEATURES", "Feature", "FeatureValues", "features", "measure_features", "measure_spikes"]

DURATION, HIGHEST = "the duration of the stimulus", "the highest V during the stimulus"


@dataclass(frozen=True)
class Feature:
    """One feature of a trace.

    Parameters
    ----------
    name, unit, definition
        Its name, its unit ("" for none) and what it is.
    spikes
        How many spikes during the stimulus it needs.
    absent
        Why a trace with so many spikes may still lack it; "" if none does.
    missing
        What `features` puts in its place where it is absent: a number, DURATION or HIGHEST. Without rest before the
        stimulus, the summary refuses the trace instead.
    """

    name: str
    unit: str
    definition: str
    spikes: int = 0
    absent: str = ""
    missing: float | str = 0.0


_ONSET = "the spike already rises when the trace begins"
_BACK = f"V is not back at this level before the next spike or the end of the stimulus, or {_ONSET}"
_AHP = "V is still falling when the stimulus ends"
_REST = "the stimulus begins with the trace, which leaves no rest before it"
_SAG = f"V is not lower at the end of the stimulus than at rest, or {_REST}"

# In the order in which the functions below fill them in. All of them look at the stimulus only, its end excluded.
_TRAIN = (
    Feature("spike_count", "", "number of spikes"),
    Feature("mean_rate", "Hz", "spike_count over the duration of the stimulus"),
    Feature("latency", "ms", "from the onset of the stimulus to the peak of the first spike", 1, missing=DURATION),
    Feature("first_interval", "ms", "between the peaks of the first two spikes", 2, missing=DURATION),
    Feature("last_interval", "ms", "between the peaks of the last two spikes", 2, missing=DURATION),
    Feature("mean_interval", "ms", "mean interval between the peaks of successive spikes", 2, missing=DURATION),
    Feature("interval_cv", "", "standard deviation of the intervals (n - 1) over their mean", 3),
    Feature("adaptation_index", "", "mean of (next - interval) / (next + interval): above 0 if intervals grow", 3),
    Feature("doublet_ratio", "", "second interval over the first: well above 1 after a doublet", 3),
)
_SHAPE = (
    Feature("threshold", "mV", "V where its slope rises through 10 mV/ms for the last time before the peak; in a spike "
            "slower than 20 mV/ms, through half its steepest slope", 1, _ONSET, HIGHEST),
    Feature("peak", "mV", "highest V, that of a parabola through the three highest samples", 1, missing=HIGHEST),
    Feature("amplitude", "mV", "peak - threshold", 1, _ONSET),
    Feature("half_width", "ms", "width halfway between threshold and peak", 1, _BACK, DURATION),
    Feature("width", "ms", "from threshold until V is back at the threshold", 1, _BACK, DURATION),
    Feature("rise_time", "ms", "from threshold to peak", 1, _ONSET, DURATION),
    Feature("rise_speed", "mV/ms", "steepest slope of the rise, over 0.1 ms", 1),
    Feature("fall_time", "ms", "from the peak until V is back at the threshold", 1, _BACK, DURATION),
    Feature("fall_speed", "mV/ms", "steepest slope of the fall, over 0.1 ms, as a positive number", 1),
    Feature("ahp_voltage", "mV", "lowest V before the next spike or the end of the stimulus", 1, _AHP, HIGHEST),
    Feature("ahp_depth", "mV", "threshold - ahp_voltage", 1, f"{_AHP}, or {_ONSET}"),
    Feature("ahp_time", "ms", "from the peak to ahp_voltage", 1, _AHP, DURATION),
)  # fmt: skip
_VOLTAGE = (
    Feature("V_rest", "mV", "median of V in the last 100 ms before the stimulus, or in all there is", 0, _REST),
    Feature("V_rest_sd", "mV", "standard deviation of V in that time", 0, _REST),
    Feature("V_steady", "mV", "mean V in the last tenth of the stimulus"),
    Feature("deflection", "mV", "V_steady - V_rest", 0, _REST),
    Feature("lowest", "mV", "lowest V"),
    Feature("sag", "mV", "V_steady - lowest mean of V over 1 ms", 0, _SAG),
    Feature("sag_ratio", "", "sag / (V_rest - lowest mean of V over 1 ms)", 0, _SAG),
)
_OF_ONE = tuple(
    replace(feature, name=f"{which}_{feature.name}", definition=f"{feature.name} of the {which} spike")
    for which in ("first", "last")
    for feature in _SHAPE
)
_TIME = Feature("time", "ms", "when V is highest")



class _FeatureTable(dict[str, Feature]):
    """Features by name; the last line of a notebook cell shows them as a table."""

    def _repr_markdown_(self) -> str:
        lines = ["| feature | unit | what it is | absent with fewer spikes, or if | replaced by |"]
        lines.append("|---|---|---|---|---|")
        for row in self.values():
            if row not in _OF_ONE:
                why = "; ".join(filter(None, (str(row.spikes or ""), row.absent)))
                missing = row.missing if isinstance(row.missing, str) else f"{row.missing:g}"
                missing = "refused" if row.absent == _REST else missing
                lines.append(f"| `{row.name}` | {row.unit} | {row.definition} | {why} | {missing if why else ''} |")
        return "\n".join(lines)


FEATURES = _FeatureTable({feature.name: feature for feature in (*_TRAIN, *_SHAPE, *_OF_ONE, *_VOLTAGE)})

_N_TRAIN, _N_SHAPE, _N_ALL = len(_TRAIN), len(_SHAPE), len(FEATURES)

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
_LEVEL, _SLOPE_OVER = 10.0, 0.1  # mV/ms; ms
_REST_TIME, _SHORT = 100.0, 1.0  # ms


@njit(**_OPTIONS)
def _train(times, start, stop, out):
    """Fill in the features of `_TRAIN`; times (n,) of the spikes during the stimulus [ms]."""
    n = len(times)
    out[0] = n
    out[1] = 1000.0 * n / (stop - start)
    if n > 0:
        out[2] = times[0] - start
    if n > 1:
        out[3] = times[1] - times[0]
        out[4] = times[n - 1] - times[n - 2]
        mean = out[5] = (times[n - 1] - times[0]) / (n - 1)
    if n > 2:
        squares, change = 0.0, 0.0
        for k in range(1, n):
            interval = times[k] - times[k - 1]
            squares += (interval - mean) ** 2
            if k + 1 < n:
                following = times[k + 1] - times[k]
                change += (following - interval) / (following + interval)
        out[6] = np.sqrt(squares / (n - 2)) / mean
        out[7] = change / (n - 2)
        out[8] = (times[2] - times[1]) / out[3]


@njit(**_OPTIONS)
def _vertex(V, i):
    """Position [samples] and height of the parabola through the samples around a peak."""
    if 0 < i < len(V) - 1:
        before, after = V[i] - V[i - 1], V[i] - V[i + 1]
        if before >= 0.0 and after >= 0.0 and before + after > 0.0:
            offset = 0.5 * (before - after) / (before + after)
            return i + offset, V[i] + 0.25 * (before - after) * offset
    return float(i), V[i]


@njit(**_OPTIONS)
def _at(V, x):
    """V at a position between two samples."""
    i = min(int(x), len(V) - 2)
    return V[i] + (x - i) * (V[i + 1] - V[i])


@njit(**_OPTIONS)
def _shape(V, dt, foot, peak, end, bounded, out):
    """Fill in the features of `_SHAPE` for the spike that rises from sample `foot` and is over before sample `end`.

    bounded: whether the stimulus stops at `end`, not another spike.
    """
    for k in range(_N_SHAPE):
        out[k] = np.nan
    at, top = _vertex(V, peak)
    out[1] = top

    # The slope over 0.1 ms, which is the same at every sampling interval up to there; V[i + span] - V[i] belongs to
    # the point midway. It is followed backwards from the peak, so that what a step does to V is not taken for a rise.
    span = max(1, int(round(_SLOPE_OVER / dt)))
    half, steepest, onset = 0.5 * (V[foot] + top), 0.0, np.nan
    for i in range(peak - span, foot - span - 1, -1):
        if i < 0:
            break
        slope = (V[i + span] - V[i]) / (span * dt)
        steepest = max(steepest, slope)
        level = min(_LEVEL, 0.5 * steepest)  # a slow spike begins at half its own steepest slope
        if slope < level and V[i + span] < half:
            following = (V[i + 1 + span] - V[i + 1]) / (span * dt)
            while following <= level and i + span + 1 < peak:  # the rise turns steep only above half its height
                i, slope = i + 1, following
                following = (V[i + 1 + span] - V[i + 1]) / (span * dt)
            if following > level:
                onset = i + 0.5 * span + (level - slope) / (following - slope)
            break
    out[6] = steepest

    low, fall = peak, 0.0
    for i in range(peak + 1, end):
        if V[i] < V[low]:
            low = i
    for i in range(peak, min(low, len(V) - 1 - span) + 1):
        fall = max(fall, (V[i] - V[i + span]) / (span * dt))
    out[8] = fall
    if low > peak and not (bounded and (end - low) * dt < _SHORT):
        out[9] = V[low]
        out[11] = (low - at) * dt
    if np.isnan(onset):
        return

    threshold = out[0] = _at(V, onset)
    out[2] = top - threshold
    out[5] = (at - onset) * dt
    out[10] = threshold - out[9]
    half = 0.5 * (threshold + top)
    rise = peak
    while rise > 0 and V[rise] >= half:
        rise -= 1
    fall_half, fall_whole = _falls_to(V, peak, end, half), _falls_to(V, peak, end, threshold)
    out[3] = (fall_half - rise - (half - V[rise]) / (V[rise + 1] - V[rise])) * dt
    out[4] = (fall_whole - onset) * dt
    out[7] = (fall_whole - at) * dt


@njit(**_OPTIONS)
def _falls_to(V, peak, end, level):
    """Where V falls to `level` after the peak [samples]; NaN if it does not before `end`."""
    for i in range(peak + 1, end):
        if V[i] <= level:
            return i - (level - V[i]) / (V[i - 1] - V[i])
    return np.nan


@njit(**_OPTIONS)
def _median(x):
    """The (lower) median, to a billionth of the range: found by bisection, as np.median takes seconds to compile."""
    low, high = x[0], x[0]
    for i in range(len(x)):
        low, high = min(low, x[i]), max(high, x[i])
    for _ in range(30):
        middle, below = 0.5 * (low + high), 0
        for i in range(len(x)):
            below += x[i] <= middle
        if 2 * below < len(x):
            low = middle
        else:
            high = middle
    return high


@njit(**_OPTIONS)
def _voltage(V, dt, begin, end, out):
    """Fill in the features of `_VOLTAGE`; the stimulus lasts from sample `begin` to sample `end`, excluded."""
    first = max(0, begin - int(round(_REST_TIME / dt)))
    if begin > first:
        rest, total = np.empty(begin - first), 0.0
        for i in range(first, begin):
            rest[i - first] = V[i]
            total += V[i] - V[first]
        mean, squares = V[first] + total / len(rest), 0.0
        for i in range(first, begin):
            squares += (V[i] - mean) ** 2
        out[0] = _median(rest)
        out[1] = np.sqrt(squares / len(rest))
    late = min(end - 1, end - int(0.1 * (end - begin) + 0.5))
    total = 0.0
    for i in range(late, end):
        total += V[i] - V[late]
    out[2] = V[late] + total / (end - late)
    out[3] = out[2] - out[0]
    window, total, lowest = min(end - begin, max(1, int(round(_SHORT / dt)))), 0.0, np.inf
    out[4] = V[begin]
    for i in range(begin, end):
        out[4] = min(out[4], V[i])
        total += V[i] - V[begin]
        if i - begin >= window:
            total -= V[i - window] - V[begin]
        if i - begin >= window - 1:
            lowest = min(lowest, total)
    lowest = V[begin] + lowest / window
    if out[3] < 0.0:
        out[5] = max(out[2] - lowest, 0.0)
        out[6] = out[5] / (out[0] - lowest)


@njit(**_OPTIONS)
def _window(sweep):
    """First sample of the stimulus, first one after it, first spike in it, first one after it; and dt [ms]."""
    n = len(sweep.V)
    dt = (sweep.t[n - 1] - sweep.t[0]) / (n - 1)
    begin = int(np.ceil(sweep.start / dt - 1e-6))
    end = min(n, int(np.ceil(sweep.stop / dt - 1e-6)))
    first = 0
    while first < len(sweep.spikes) and sweep.spikes[first, 1] < begin:
        first += 1
    last = first
    while last < len(sweep.spikes) and sweep.spikes[last, 1] < end:
        last += 1
    return begin, end, first, last, dt


@njit(**_OPTIONS)
def _spikes(sweep):
    """Peaks of the spikes during the stimulus, (n,) [ms], and `_SHAPE` of each, (n, n_features), NaN if absent."""
    begin, end, first, last, dt = _window(sweep)
    times, table = np.empty(last - first), np.empty((last - first, _N_SHAPE))
    for k in range(first, last):
        following = sweep.spikes[k + 1, 0] + 1 if k + 1 < len(sweep.spikes) else len(sweep.V)
        foot, peak = sweep.spikes[k, 0], sweep.spikes[k, 1]
        times[k - first] = dt * _vertex(sweep.V, peak)[0]
        _shape(sweep.V, dt, foot, peak, min(end, following), end < following, table[k - first])
    return times, table


@njit(**_OPTIONS)
def _measure(sweep, with_voltage):
    """All features of a sweep in the order of `FEATURES`, NaN where it has none or where they are left out."""
    out = np.empty(_N_ALL)
    for k in range(_N_ALL):
        out[k] = np.nan
    times, table = _spikes(sweep)
    _train(times, sweep.start, sweep.stop, out)
    n = len(times)
    for k in range(_N_SHAPE if n else 0):
        total, count = 0.0, 0
        for spike in range(n):
            if not np.isnan(table[spike, k]):
                total += table[spike, k]
                count += 1
        if count:
            out[_N_TRAIN + k] = total / count
        out[_N_TRAIN + _N_SHAPE + k] = table[0, k]
        out[_N_TRAIN + 2 * _N_SHAPE + k] = table[n - 1, k]
    if with_voltage:
        begin, end, _, _, dt = _window(sweep)
        _voltage(sweep.V, dt, begin, end, out[_N_TRAIN + 3 * _N_SHAPE :])
    return out


@njit(**_OPTIONS)
def _fill(sweep, found, columns, missing, special):
    """The chosen features, each that is absent replaced by what is declared to take its place."""
    chosen = np.empty(len(columns))
    for k in range(len(columns)):
        chosen[k] = found[columns[k]]
        if np.isnan(chosen[k]):
            if special[k] == 1:
                chosen[k] = sweep.stop - sweep.start
            elif special[k] == 2:
                begin, end, _, _, _ = _window(sweep)
                chosen[k] = sweep.V[begin]
                for i in range(begin, end):
                    chosen[k] = max(chosen[k], sweep.V[i])
            else:
                chosen[k] = missing[k]
    return chosen


# A module for each choice: as closures of one function they would share an index in Numba's cache, and of two processes
# that compile different choices at once, each could find the machine code of the other under its own name.
_CHOSEN = """
import numpy as np
from numba import njit
from helpers.simulation.electrophysiology import _OPTIONS, _fill, _measure

columns, numbers, special = np.array({columns}), np.array({numbers}), np.array({special})


@njit(**_OPTIONS)
def chosen_features(sweep):
    return _fill(sweep, _measure(sweep, {with_voltage}), columns, numbers, special)
"""


@dataclass(frozen=True)
class _Chosen(Summary):
    """A `Summary` of chosen features, which another process makes again from its arguments."""

    arguments: tuple[tuple[str, ...], Any] = ((), None)

    def __call__(self, trace: Trace) -> np.ndarray:
        return super().__call__(_prepared(trace))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, self.arguments


def _again(names: tuple[str, ...], missing: Any) -> Summary:
    return features(*names, missing=missing)


def features(*names: str, missing: float | Mapping[str, float] | None = None) -> Summary:
    """Return a `Summary` of some of the `FEATURES`, for a `Trace`, `simulate_many` and everything that infers.

    Parameters
    ----------
    *names
        Names of `FEATURES`, in the order of the statistics.
    missing
        What stands for a feature that a trace does not have, such as the latency of no spike: one number for all, or
        numbers by name. By default what the table says: a time is as long as the stimulus, threshold, peak and AHP
        voltage are the highest V during the stimulus, all others are 0.

    Raises
    ------
    ValueError
        For an unknown name, one given twice, none at all, and a number that is not finite.

    Examples
    --------
    >>> summarise = features("latency", "half_width", "ahp_depth")
    >>> summarise.labels
    ('latency (ms)', 'half width (ms)', 'ahp depth (mV)')
    """
    chosen = _known(names)
    if not chosen:
        raise ValueError("no feature is named; allowed: names of FEATURES, such as 'latency'")
    if len(set(names)) < len(names):
        raise ValueError(f"features {', '.join(names)}: one is named twice; allowed: each at most once")
    if isinstance(missing, Mapping):
        for name in missing:
            if name not in names:
                raise ValueError(f"missing names {name!r}; allowed: the chosen features, {', '.join(names)}")
        given = {name: number(f"missing[{name!r}]", value) for name, value in missing.items()}
    else:
        given = {} if missing is None else dict.fromkeys(names, number("missing", missing))
    places = [given.get(feature.name, feature.missing) for feature in chosen]
    columns = np.array([list(FEATURES).index(name) for name in names])
    special = np.array([{DURATION: 1, HIGHEST: 2}.get(str(place), 0) for place in places])
    numbers = np.array([0.0 if isinstance(place, str) else place for place in places])
    with_voltage = any(feature in _VOLTAGE for feature in chosen)  # they take a look at every sample

    text = _CHOSEN.format(
        columns=columns.tolist(), numbers=numbers.tolist(), special=special.tolist(), with_voltage=with_voltage
    )

    return _Chosen(
        units={feature.name: feature.unit for feature in chosen},
        compiled=load_module(text, Path(__file__)).chosen_features,
        rest=1 if any(_REST in feature.absent for feature in chosen) else 0,
        __doc__="\n".join(f"{feature.name}: {feature.definition}" for feature in chosen),
        arguments=(names, missing if missing is None or isinstance(missing, float | int) else given),
    )


@dataclass(frozen=True, repr=False)
class FeatureValues(Mapping[str, float]):
    """Features of one trace, or of one spike, by name. Print it to see all.

    Parameters
    ----------
    found
        The values of the features that the trace has, by name.
    units
        Their units.
    absent
        Why another feature is not among them, by name.
    """

    found: Mapping[str, float]
    units: Mapping[str, str]
    absent: Mapping[str, str]

    def __getitem__(self, name: str) -> float:
        if name in self.absent:
            raise KeyError(f"{name} is absent: {self.absent[name]}")
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __repr__(self) -> str:
        """One line for each feature."""
        wide = max(map(len, (*self.found, *self.absent)), default=0)
        lines = [f"{name:{wide}}  {value:10.4g} {self.units[name]}".rstrip() for name, value in self.found.items()]
        return "\n".join(lines + [f"{name:{wide}}  absent: {reason}" for name, reason in self.absent.items()])


def measure_features(trace: Trace, *names: str) -> FeatureValues:
    """Return the features of one trace by name; without names, all that are not of a single spike.

    Parameters
    ----------
    trace
        Simulated or recorded.
    *names
        Names of `FEATURES`.

    Returns
    -------
    FeatureValues
        A mapping. It leaves out what the trace does not have; `absent` says why.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    sweep = _sweep(trace)
    chosen = _known(names or tuple(name for name, feature in FEATURES.items() if feature not in _OF_ONE))
    return _values(chosen, dict(zip(FEATURES, _measure(sweep, True).tolist(), strict=True)))


def measure_spikes(trace: Trace) -> list[FeatureValues]:
    """Return the shape of every spike during the stimulus: its threshold, its half-width and so on.

    Parameters
    ----------
    trace
        Simulated or recorded.

    Returns
    -------
    list of FeatureValues
        One for each spike, in order: "time", that of its peak [ms], then those of the `FEATURES` of a spike.
    """
    times, table = _spikes(_sweep(trace))
    names = ("time", *(feature.name for feature in _SHAPE))
    rows = np.column_stack((times + trace.t[0], table)).tolist()
    return [_values((_TIME, *_SHAPE), {"spike_count": 1.0, **dict(zip(names, row, strict=True))}) for row in rows]


def _sweep(trace: Trace) -> Sweep:
    return sweep_of(_prepared(instance("trace", trace, Trace, "a Trace")))


def _prepared(trace: Trace) -> Trace:
    """Return a trace that may have no current, as no feature looks at it, with zeros in its place."""
    largest = float(np.abs(trace.V).max())
    if largest > 1e9:  # sums of such numbers overflow to NaN, which would be taken for an absent feature
        raise ValueError(f"V up to {largest:g} mV has no features; allowed: up to 1e9 mV")
    return trace if trace.has_current else replace(trace, I=np.zeros(len(trace.t)))


def _values(chosen: Iterable[Feature], values: Mapping[str, float]) -> FeatureValues:
    found = {feature.name: values[feature.name] for feature in chosen if not np.isnan(values[feature.name])}
    units = {feature.name: feature.unit for feature in chosen if feature.name in found}
    absent = {feature.name: _why(feature, values["spike_count"]) for feature in chosen if feature.name not in found}
    return FeatureValues(found, units, absent)


def _why(feature: Feature, spikes: float) -> str:
    if spikes < feature.spikes:
        return f"it needs {feature.spikes} spike{'s'[: feature.spikes - 1]} during the stimulus, got {spikes:g}"
    return feature.absent


def _known(names: tuple[str, ...]) -> list[Feature]:
    for name in names:
        if not (isinstance(name, str) and name in FEATURES):
            near = did_you_mean(name, FEATURES) if isinstance(name, str) else ""
            raise ValueError(f"unknown feature {name!r}{near or ';'} allowed: {', '.join(FEATURES)}")
    return [FEATURES[name] for name in names]
