"""What one sweep tells of the quality of a recording: rest, drift, noise, clipping, hum, and jumps at edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from helpers.simulation.trace import Trace

from .step_table import SweepSteps

__all__ = ["LEAST_HUM", "LEAST_REST", "MAINS", "Measured", "clipped_samples", "hum_of", "measure"]

QUIET_AFTER_STEP, QUIET_AFTER_SPIKE = 200.0, 50.0  # ms that V may need to come back
LEAST_REST = 20.0  # ms before the step, below which neither rest nor noise is measured
LEAST_HUM = 400.0  # ms of quiet that tell 50 from 60 Hz
MAINS, HARMONICS = (50.0, 60.0), 3  # Hz
NEIGHBOURS = (-9.0, -7.5, -5.5, 5.5, 7.5, 9.0)  # Hz away, where there is noise but no hum
STEEP = 2.0  # mV within 0.1 ms, next to samples that are cut off
LONG, NOISY = 50, 0.2  # samples that no noise leaves alike; share of moves up after down in noise
LEAST_CHANGE = 10.0  # pA, of an edge at which a jump is looked for


@dataclass(frozen=True)
class Measured:
    """What one sweep tells; None where it does not.

    rest, drift, noise [mV]; moving: range of V where I is constant [mV]; spikes before the first step, None where no
    step is known; base [pA]; length [ms]; jumps: (change of I [pA], jump of V [mV]) at edges; clipped samples and their
    value [mV]; hum: squared amplitude, with that of the noise next to it [mV²], by frequency.
    """

    sweep: int
    length: float
    rest: float | None
    drift: float | None
    noise: float | None
    moving: float | None
    spikes: int | None
    base: float | None
    jumps: tuple[tuple[float, float], ...]
    clipped: int
    clipped_at: float
    hum: Mapping[float, tuple[float, float]]


def measure(trace: Trace, row: SweepSteps) -> Measured:
    """Measure one sweep."""
    t, V, dt = trace.t, trace.V, trace.dt
    steps = [x for x in row.all if x.amplitude]
    end = float(t[-1]) + dt
    onset = steps[0].start if steps else row.main.start if row.main else None
    first = end if onset is None else onset
    spikes = trace.spike_times
    quiet = _quiet(float(t[0]), end, [(x.start, x.stop) for x in steps], spikes)
    still = _among(t, quiet)
    before = (t < first - 0.5 * dt) & still
    rest = drift = noise = moving = None
    if row.base is not None and np.count_nonzero(still) * dt >= LEAST_REST:
        low, high = np.percentile(V[still], (1.0, 99.0))
        moving = float(high - low)
    if np.count_nonzero(before) * dt >= LEAST_REST:
        x = V[before]
        rest, fifth = float(np.median(x)), len(x) // 5
        drift = float(np.median(x[-fifth:]) - np.median(x[:fifth]))
    longest = max(quiet, key=lambda part: part[1] - part[0], default=(0.0, 0.0))
    stretch = V[_among(t, [longest])]
    if len(stretch) * dt >= LEAST_REST:
        about = stretch - ndimage.uniform_filter1d(stretch, max(3, round(10.0 / dt)))
        noise = 1.4826 * float(np.median(np.abs(about)))
    clipped, at = clipped_samples(V, dt)
    return Measured(
        row.sweep, len(t) * dt, rest, drift, noise, moving,
        None if onset is None else int(np.count_nonzero(spikes < onset)), row.base,
        tuple(_jumps(trace, steps, spikes)) if row.base is not None else (), clipped, at, hum_of(stretch, dt),
    )  # fmt: skip


def _quiet(
    begin: float, end: float, steps: Sequence[tuple[float, float]], spikes: np.ndarray
) -> list[tuple[float, float]]:
    """Stretches [ms] in which neither a step nor a spike moves V."""
    moving = [(a, b + QUIET_AFTER_STEP) for a, b in steps] + [(s - 3.0, s + QUIET_AFTER_SPIKE) for s in spikes.tolist()]
    free, at = [], begin
    for a, b in sorted(moving):
        if a > at:
            free.append((at, a))
        at = max(at, b)
    return [*free, (at, end)] if end > at else free


def _among(t: np.ndarray, stretches: Sequence[tuple[float, float]]) -> np.ndarray:
    inside = np.zeros(len(t), dtype=bool)
    for a, b in stretches:
        inside[np.searchsorted(t, a) : np.searchsorted(t, b)] = True
    return inside


def _jumps(trace: Trace, steps: Sequence[Any], spikes: np.ndarray) -> Iterator[tuple[float, float]]:
    """Change of I [pA] and the jump of V [mV] that is at once with it, at the edges of constant steps."""
    edges = [edge for step in steps if step.constant for edge in (step.start, step.stop)]
    for edge in edges:
        if ((spikes > edge - 20.0) & (spikes < edge + 8.0)).any():
            continue
        since = trace.t - edge
        before, after = (since >= -1.5) & (since < -0.5 * trace.dt), (since >= 0.5) & (since <= 3.5)
        if np.count_nonzero(before) < 2 or np.count_nonzero(after) < 6:
            continue
        change = float(np.median(trace.I[after]) - np.median(trace.I[before]))
        if abs(change) >= LEAST_CHANGE and np.ptp(trace.I[after]) < 0.2 * abs(change):
            at_edge = float(np.polyval(np.polyfit(since[after], trace.V[after], 2), 0.0))
            slope, level = np.polyfit(since[before], trace.V[before], 1) if np.ptp(since[before]) else (0.0, 0.0)
            yield change, at_edge - float(level)


def clipped_samples(V: np.ndarray, dt: float) -> tuple[int, float]:
    """Return how many samples are stuck at the highest or lowest value, and that value [mV].

    A peak rounds off before it; what is cut off is flat for 0.1 ms or more between steep sides, or, if V crept to it,
    for 50 samples or more although V is noisy elsewhere.
    """
    moves = np.diff(V)
    moves = moves[moves != 0.0]
    if len(moves) < 2:
        return 0, 0.0
    grain = float(np.abs(moves).min())
    runs = np.diff(np.concatenate([[0], np.flatnonzero(np.diff(V)) + 1, [len(V)]]))
    levels = V[np.cumsum(runs) - 1]
    rests = np.any((runs >= LONG) & (levels > V.min()) & (levels < V.max()))  # steps of V that are wider than its noise
    noisy = np.mean(moves[1:] * moves[:-1] < 0.0) > NOISY and not rests
    reach = max(1, round(0.1 / dt))
    count, value = 0, 0.0
    for extreme in (float(V.max()), float(V.min())):
        at = np.concatenate([[0], (V == extreme).astype(np.int8), [0]])
        begins, ends = np.flatnonzero(np.diff(at) == 1), np.flatnonzero(np.diff(at) == -1)
        for a, b in zip(begins.tolist(), ends.tolist(), strict=True):
            steep = b - a >= max(3, reach) and a >= reach and b + reach <= len(V)
            if steep:
                sides = abs(V[a - reach] - extreme), abs(V[b + reach - 1] - extreme)
                steep = min(sides) > max(STEEP, 5.0 * grain)
            if steep or (b - a >= LONG and noisy):
                count, value = count + b - a, extreme
    return count, value


def hum_of(V: np.ndarray, dt: float) -> dict[float, tuple[float, float]]:
    """Return squared amplitude [mV²] at 50 and at 60 Hz with harmonics, and what noise alone gives next to them."""
    width = max(1, round(1.0 / dt))
    count = min(len(V) // width, 4000)
    step = width * dt
    if count * step < LEAST_HUM or 0.5e3 / step < MAINS[-1] * HARMONICS + 10.0:
        return {}
    x = V[: count * width].reshape(count, width).mean(axis=1)
    x = x - ndimage.uniform_filter1d(x, max(3, round(60.0 / step)))
    t, window = np.arange(count) * step * 1e-3, np.hanning(count)

    def squared(frequency: float) -> float:
        boxcars = np.sinc(frequency * step * 1e-3) * (1.0 - np.sinc(frequency * 0.06))
        amplitude = 2.0 * np.abs(np.sum(window * x * np.exp(-2j * np.pi * frequency * t))) / window.sum()
        return float((amplitude / boxcars) ** 2)

    found = {}
    for mains in MAINS:
        places = [mains * k for k in range(1, HARMONICS + 1)]
        here = sum(squared(f) for f in places)
        beside = sum(float(np.median([squared(f + d) for d in NEIGHBOURS])) for f in places)
        found[mains] = here, beside
    return found
