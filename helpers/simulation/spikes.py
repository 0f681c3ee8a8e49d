"""When a neuron spikes: the one place where upward crossings of a threshold are found."""

from __future__ import annotations

import numpy as np
from numba import njit

from helpers.validation import number, numbers

__all__ = ["find_spikes", "spike_times"]


@njit(cache=True, nogil=True, error_model="numpy")
def spike_times(t, V, threshold):
    """Return the times at which V rises through a threshold, interpolated linearly between samples.

    Compiled, for arrays that were checked before; `find_spikes` checks its arguments.

    Parameters
    ----------
    t, V
        Times [ms] and membrane potential [mV], (n,).
    threshold
        V[i - 1] < threshold <= V[i] is a spike [mV].

    Returns
    -------
    ndarray
        Spike times, (n_spikes,) [ms].
    """
    count = 0
    for i in range(1, len(V)):
        count += (V[i - 1] < threshold) & (V[i] >= threshold)
    times = np.empty(count)
    found, i = 0, 1
    while found < count:
        if V[i - 1] < threshold <= V[i]:
            before, after = np.float64(V[i - 1]), np.float64(V[i])  # also where V is in single precision
            share = (threshold - before) / (after - before)
            times[found] = t[i - 1] + share * (t[i] - t[i - 1])
            found += 1
        i += 1
    return times


def find_spikes(t: np.ndarray, V: np.ndarray, threshold: float) -> np.ndarray:
    """Return the times at which V rises through a threshold, interpolated linearly between samples.

    Parameters
    ----------
    t, V
        Times [ms] and membrane potential [mV], (n,).
    threshold
        Level whose upward crossing is a spike [mV].

    Returns
    -------
    ndarray
        Spike times, (n_spikes,) [ms].

    Raises
    ------
    ValueError
        For arrays that are empty, not finite or of different lengths.
    """
    t, V = numbers("t", t, "ms", shape=(None,)), numbers("V", V, "mV", shape=(None,))
    if len(t) != len(V):
        raise ValueError(f"t and V differ in length: {len(t)}, {len(V)} samples")
    return spike_times(np.ascontiguousarray(t), np.ascontiguousarray(V), number("threshold", threshold, "mV"))
