"""When a neuron spikes: the one detector, for recordings and simulations alike.

A spike is an event, not a crossing of a level: V rises, passes a peak that stands out from what is before and after it,
and comes back. In this order:

1. V rises by at least `prominence` above its lowest value since the spike before, and falls by as much from the peak.
2. Both take no longer than `duration`, which leaves out slow humps and the answer of a passive membrane to a long step.
3. The peak reaches `threshold`, or misses it by at most twice `prominence` and is `height` above the trough: a low
   spike is one if it is tall.
4. The rise does not slow down from the beginning, as the voltage of a membrane without active channels does: it rises
   fastest where a current begins and ever more slowly after that.
5. If the rise is less than three times `prominence`, it is also 10 times the SD of the noise from sample to sample,
   lasts `SHORTEST_RISE` from a tenth of its height on, which the artefact of an electrode does not, and the fall is not
   five times as fast: when a current ends, V breaks off.
6. Its peak comes at least `DEAD_TIME` after the one before.

What rises like a spike, to `threshold` and by three times `prominence`, is one also where the trace ends before it can
fall.

Rises are measured between interpolated passages of levels, the noise over `NOISE_LAG`; so nothing depends on the
sampling interval as long as that resolves a spike (0.01 to 0.1 ms).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from helpers.validation import number, numbers

__all__ = ["find_spikes", "spike_events", "spike_fields", "spike_rule", "spike_times", "times_of"]

RULE = ("threshold", "prominence", "height", "duration")  # the parameters of the detector, in order
DEAD_TIME = 0.5  # ms
SHORTEST_RISE = 0.1  # ms
NOISE_LAG = 0.1  # ms
NOISE_SAMPLES = 500  # of which the noise is estimated, spread over the trace

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


def spike_rule(declared: Any) -> tuple[float, ...]:
    """What a neuron or a trace declares as its spikes: threshold, prominence, height [mV] and duration [ms]."""
    return tuple(float(getattr(declared, f"spike_{name}")) for name in RULE)


def spike_fields(declared: Any) -> dict[str, Any]:
    """The same by the names that a neuron and a `Trace` have for them."""
    return {f"spike_{name}": value for name, value in zip(RULE, spike_rule(declared), strict=True)}


@njit(**_OPTIONS)
def spike_events(t, V, threshold, prominence, height, duration):
    """Return the samples at which each spike begins, peaks and has come back.

    Compiled, for arrays that were checked before.

    Parameters
    ----------
    t, V
        Times [ms] and membrane potential [mV], (n,).
    threshold
        Level that a spike reaches unless it is tall [mV].
    prominence
        By how much V rises before the peak and falls after it, at least [mV].
    height
        Rise from trough to peak from which a spike may miss `threshold`, by at most twice `prominence` [mV].
    duration
        Longest time that V may take to rise to the peak by `prominence` and to fall by as much [ms].

    Returns
    -------
    ndarray of int64, shape (n_spikes, 3)
        The lowest sample since the end of the event before (for the first one: since the beginning), the peak, and the
        first sample after it that is at least `prominence` lower, or the last one of the trace.
    """
    found, count = np.empty((16, 3), np.int64), 0
    trough, peak, rising = 0, 0, False
    lowest, highest = V[0], V[0]
    noise = -1.0
    for first in range(0, len(V), 64):
        stretch = V[first : first + 64]
        low, high = (highest - prominence, highest) if rising else (lowest, lowest + prominence)
        if not _leaves(stretch, low, high):  # one quick look at most of them
            continue
        for k in range(len(stretch)):
            x = stretch[k]
            if not rising:
                if x < lowest:
                    trough, lowest = first + k, x
                elif x >= lowest + prominence:
                    peak, highest, rising = first + k, x, True
                continue
            if x > highest:
                peak, highest = first + k, x
                continue
            if x > highest - prominence:
                continue
            i = first + k
            rise = highest - lowest
            begin = _passage(t, V, peak, highest - prominence, t[i] - duration)
            rested = count == 0 or t[peak] - t[found[count - 1, 1]] >= DEAD_TIME
            is_low_spike = rise >= height and highest >= threshold - 2.0 * prominence
            spike = rested and begin > t[i] - duration and (highest >= threshold or is_low_spike)
            if spike and rise < 3.0 * prominence:
                if noise < 0.0:
                    noise = _noise(t, V)
                spike = rise >= 10.0 * noise and 5.0 * (t[i] - t[peak]) >= t[peak] - begin
                spike &= t[peak] - _passage(t, V, peak, lowest + 0.1 * rise, t[0]) >= SHORTEST_RISE
            if spike and _accelerates(t, V, peak, lowest, rise):
                if count == len(found):
                    found = _twice_as_long(found)
                found[count, 0], found[count, 1], found[count, 2] = trough, peak, i
                count += 1
            trough, lowest, rising = i, x, False
    if rising and highest >= threshold and highest - lowest >= 3.0 * prominence:  # cut off by the end of the trace
        end = len(V) - 1
        begin = _passage(t, V, peak, highest - prominence, t[end] - duration)
        rested = count == 0 or t[peak] - t[found[count - 1, 1]] >= DEAD_TIME
        if rested and begin > t[end] - duration and _accelerates(t, V, peak, lowest, highest - lowest):
            if count == len(found):
                found = _twice_as_long(found)
            found[count, 0], found[count, 1], found[count, 2] = trough, peak, end
            count += 1
    return found[:count]


@njit(**_OPTIONS)
def _leaves(x, low, high):
    """Whether any of x (n,) is at most `low` or at least `high`."""
    count = 0  # not a loop that ends early: vector instructions look at several samples at once
    for i in range(len(x)):
        count += (x[i] <= low) | (x[i] >= high)
    return count > 0


@njit(**_OPTIONS)
def _twice_as_long(found):
    """The same events with room for as many more."""
    more = np.empty((2 * len(found), 3), np.int64)
    for k in range(len(found)):
        for j in range(3):  # a slice assignment takes longer to compile
            more[k, j] = found[k, j]
    return more


@njit(**_OPTIONS)
def _passage(t, V, peak, level, earliest):
    """Time [ms] of the last rise through a level before a peak, interpolated, or `earliest` if it lies before that."""
    i = peak
    while i > 0 and V[i - 1] >= level and t[i] > earliest:
        i -= 1
    if i == 0:
        return t[0]
    if V[i - 1] >= level:
        return earliest
    share = (level - V[i - 1]) / (V[i] - V[i - 1])
    return max(t[i - 1] + share * (t[i] - t[i - 1]), earliest)


@njit(**_OPTIONS)
def _accelerates(t, V, peak, lowest, rise):
    """Whether not every later quarter of a rise takes 5 % longer than the first; a rise within two samples hides it."""
    if min(V[peak - 1], V[max(peak - 2, 0)]) <= lowest + 0.1 * rise:
        return True
    four = _passage(t, V, peak, lowest + 0.85 * rise, t[0])
    three = _passage(t, V, peak, lowest + 0.6 * rise, t[0])
    two = _passage(t, V, peak, lowest + 0.35 * rise, t[0])
    slower = two - min(three - two, four - three) / 1.05
    return _passage(t, V, peak, lowest + 0.1 * rise, slower) <= slower


@njit(**_OPTIONS)
def _noise(t, V):
    """SD [mV] of the part of V that is new `NOISE_LAG` later: of white noise whatever the sampling interval."""
    lag = max(1, int(NOISE_LAG / (t[1] - t[0]) + 0.5))
    last = len(V) - 2 * lag
    if last < 1:
        return 0.0
    stride = (last + NOISE_SAMPLES - 1) // NOISE_SAMPLES
    bends = np.empty((last + stride - 1) // stride)
    for k in range(len(bends)):
        i = k * stride
        bends[k] = abs(V[i] - 2.0 * V[i + lag] + V[i + 2 * lag])
    bends.sort()
    return bends[len(bends) // 2] / (0.6745 * np.sqrt(6.0))  # the median of white noise of SD 1, second differences


@njit(**_OPTIONS)
def spike_times(t, V, threshold, prominence, height, duration):
    """Return the time of each of the `spike_events`, interpolated linearly between samples.

    It is that of the last rise through `threshold` before the peak. Where the rise does not pass it, it is that of the
    rise through the middle between trough and peak.

    Parameters
    ----------
    t, V, threshold, prominence, height, duration
        As in `spike_events`.

    Returns
    -------
    ndarray
        Spike times, (n_spikes,) [ms].
    """
    return times_of(t, V, spike_events(t, V, threshold, prominence, height, duration), threshold)


@njit(**_OPTIONS)
def times_of(t, V, events, threshold):
    """Times of `spike_events` (n_spikes, 3), as `spike_times` returns them."""
    times = np.empty(len(events))
    for k in range(len(events)):
        low, high = V[events[k, 0]], V[events[k, 1]]
        level = threshold if low < threshold <= high else 0.5 * (low + high)
        times[k] = _passage(t, V, events[k, 1], level, t[0])
    return times


def find_spikes(
    t: np.ndarray,
    V: np.ndarray,
    threshold: float = -20.0,
    prominence: float = 10.0,
    height: float = 20.0,
    duration: float = 50.0,
) -> np.ndarray:
    """Return the times at which V spikes, interpolated linearly between samples.

    What a spike is, and what leaves out noise, plateaus and passive responses, is written at the top of this module.

    Parameters
    ----------
    t, V
        Times, evenly spaced [ms], and membrane potential [mV], (n,).
    threshold
        Level that a spike reaches unless it is tall [mV]. The last rise through it before the peak is the time of the
        spike; where a rise does not pass it, that is the rise through the middle between trough and peak.
    prominence
        By how much V rises before the peak and falls after it, at least [mV].
    height
        Rise from trough to peak from which a spike may miss `threshold`, by at most twice `prominence` [mV]. A
        recording, whose potentials are off by some 10 mV, needs 20 mV; a neuron declares its own, `spike_height`.
    duration
        Longest time that V may take to rise to the peak by `prominence` and to fall by as much [ms].

    Returns
    -------
    ndarray
        Spike times, (n_spikes,) [ms].

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths, times that do not rise, and parameters that are
        not positive.
    """
    t, V = numbers("t", t, "ms", shape=(None,)), numbers("V", V, "mV", shape=(None,))
    if len(t) != len(V):
        raise ValueError(f"t and V differ in length: {len(t)}, {len(V)} samples")
    if not (np.diff(t) > 0.0).all():
        raise ValueError(f"t goes from {t[0]:g} to {t[-1]:g} ms; allowed: rising, evenly spaced times")
    if len(t) < 2:
        return np.empty(0)
    return spike_times(
        np.ascontiguousarray(t),
        np.ascontiguousarray(V),
        number("threshold", threshold, "mV"),
        number("prominence", prominence, "mV", above=0.0),
        number("height", height, "mV", above=0.0),
        number("duration", duration, "ms", above=0.0),
    )
