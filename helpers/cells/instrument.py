"""What is between the membrane and the file: filter and sampling, which simulations get as well, and noise."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from scipy.signal import detrend

from helpers.recordings.rig import amplifier_filter
from helpers.simulation.electrophysiology import features
from helpers.simulation.spikes import spike_events, times_of
from helpers.simulation.summaries import Summary
from helpers.simulation.trace import Sweep, Trace

__all__ = ["HIGHEST_CUTOFF", "as_recorded", "noise_effect", "summary_of"]

HIGHEST_CUTOFF = 0.4  # of the sampling rate of a simulation: a filter above changes nothing that its samples can show
RECOVERY = 10.0  # ms after a spike before the step, from which V counts as rest
N_NOISY = 8
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


@lru_cache(maxsize=64)
def summary_of(names: tuple[str, ...]) -> Summary:
    """Return the features of these names, compiled once for all sweeps that have them."""
    return features(*names)


@lru_cache(maxsize=64)
def as_recorded(
    names: tuple[str, ...], dt: float, low_pass: float | None, sampling: float, rule: tuple[float, ...]
) -> Summary:
    """Return these features of simulations that are filtered and sampled like the recording.

    Parameters
    ----------
    names
        Of the features.
    dt
        Step of the simulations [ms].
    low_pass
        Corner of the amplifier's filter [kHz], a 4-pole Bessel filter as in `record_through`. None, or one above 0.4
        of the simulation's sampling rate, filters nothing.
    sampling
        Time between the samples of the recording [ms]. Where it is longer than `dt`, V is taken at its samples only.
    rule
        What counts as a spike, as `spike_rule` returns it.
    """
    summarise = summary_of(names)
    filters = low_pass is not None and low_pass < HIGHEST_CUTOFF / dt
    samples = sampling > dt * (1 + 1e-6)
    if not (filters or samples):
        return summarise
    sections = amplifier_filter(low_pass, dt) if filters and low_pass else np.zeros((0, 6))
    every = sampling if samples else dt
    inner = summarise.compiled

    @njit(nogil=True, error_model="numpy")  # small, as each process compiles it: the rest is on the disk
    def recorded_features(sweep):
        return inner(_recorded(sweep.V, sweep.start, sweep.stop, dt, sections, every, rule))

    return Summary(summarise.units, recorded_features, summarise.rest, summarise.__doc__)


@njit(**_OPTIONS)
def _recorded(V, start, stop, dt, sections, every, rule):
    """A simulation as a sweep that was filtered and sampled."""
    V = _sampled(_filtered(V, sections), dt, every)
    t, (threshold, prominence, height, duration) = np.arange(len(V)) * every, rule
    spikes = spike_events(t, V, threshold, prominence, height, duration)
    return Sweep(t, V, np.zeros(len(V)), start, stop, times_of(t, V, spikes, threshold), spikes)


@njit(**_OPTIONS)
def _filtered(V, sections):
    """V after the second-order sections (n, 6), as if it had been at its first value for ever."""
    out = V.copy()
    for k in range(len(sections)):
        b0, b1, b2, _, a1, a2 = sections[k]
        x = out[0]
        y = x * (b0 + b1 + b2) / (1.0 + a1 + a2)
        second = b2 * x - a2 * y
        first = b1 * x - a1 * y + second
        for i in range(len(out)):
            x = out[i]
            y = b0 * x + first
            first = b1 * x - a1 * y + second
            second = b2 * x - a2 * y
            out[i] = y
    return out


@njit(**_OPTIONS)
def _sampled(V, dt, every):
    """V at multiples of `every` [ms], between samples on a straight line."""
    n = int((len(V) - 1) * dt / every + 1e-6) + 1
    out = np.empty(n)
    for k in range(n):
        place = min(k * every / dt, len(V) - 1.0)
        i = min(int(place + 1e-6), len(V) - 2)
        out[k] = V[i] + (place - i) * (V[i + 1] - V[i])
    return out


def noise_effect(trace: Trace, summarise: Summary, seed: int = 0) -> np.ndarray:
    """Return by how much the noise of the recording changes each feature, (n_features,): root mean square.

    Noise with the SD and the spectrum of V at rest, without its trend, is added to the trace once more, eight times,
    and its features are measured again. So a shift counts as well: the highest and the lowest sample of a noisy trace
    lie too far out.

    Parameters
    ----------
    trace
        As recorded, with rest before the stimulus.
    summarise
        The features.
    seed
        Of the noise that is added.
    """
    spikes = trace.spike_events
    before = int(np.ceil((trace.start - trace.t[0]) / trace.dt - 1e-6)) - 1
    ends = spikes[spikes[:, 1] < before, 2]
    first = min(int(ends[-1]) + round(RECOVERY / trace.dt), before) if len(ends) else 0
    rest = trace.V[first:before]
    if len(rest) * trace.dt < 2.0 * RECOVERY:
        return np.zeros(len(summarise.names))  # of a cell that fires all the time, nobody knows the noise
    rest = detrend(rest)
    n, random, as_it_is = len(trace.V), np.random.default_rng(seed), summarise(trace)
    spectrum = np.abs(np.fft.rfft(rest))
    shape = np.interp(np.fft.rfftfreq(n), np.fft.rfftfreq(len(rest)), spectrum)
    changes = []
    for _ in range(N_NOISY):
        noise = np.fft.irfft(shape * np.exp(2j * np.pi * random.random(len(shape))), n)
        if (size := float(noise.std())) > 0.0:
            noise *= float(rest.std()) / size
        changes.append(summarise(replace(trace, states={"V": trace.V + noise})) - as_it_is)
    return np.sqrt(np.mean(np.square(changes), axis=0))
