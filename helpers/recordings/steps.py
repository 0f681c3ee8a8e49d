"""The steps of a stimulus: where an injected current leaves its first level, and which of the steps is the main one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from helpers.validation import numbers

__all__ = ["Step", "find_steps", "main_window", "split_at"]

SHORTEST = 1.0  # ms; a level that is held for less is part of a ramp or of a wave
MOST_LEVELS = 200  # of a command; a current with more is noisy, or a wave
SAME_TIME = 0.3  # ms; steps of two sweeps that begin and end within this are the same part of the protocol
NOISES = 6.0  # how many SDs of its noise a measured current must move by


@dataclass(frozen=True)
class Step:
    """A stretch of a stimulus away from its first level.

    Parameters
    ----------
    start, stop
        When it begins and ends [ms].
    level
        Median current during it, in the unit of the current.
    base
        The first level of the sweep, from which it departs.
    constant
        False for a ramp, a wave or noise.
    """

    start: float
    stop: float
    level: float
    base: float
    constant: bool = True

    @property
    def amplitude(self) -> float:
        """How far the level is from the base."""
        return self.level - self.base


def find_steps(t: np.ndarray, I: np.ndarray) -> tuple[Step, ...]:
    """Return the steps of a stimulus in the order of time, of a command or of a current that was measured with noise.

    A command is taken by its values. In a measured current a step is where the means of 1 ms before and after differ
    by more than 6 SDs of what they differ by elsewhere. What changes faster than that is one step that is not constant.

    Parameters
    ----------
    t, I
        Times [ms], evenly spaced, and current, (n,).
    """
    t, I = numbers("t", t, "ms", shape=(None,)), numbers("I", I, "", shape=(None,))
    if len(t) != len(I) or len(t) < 2:
        raise ValueError(f"t and I have {len(t)} and {len(I)} samples; needed: as many of each, at least 2")
    dt = float(t[-1] - t[0]) / (len(t) - 1)
    edges = np.flatnonzero(np.diff(I)) + 1
    measured = len(edges) > MOST_LEVELS and _is_noisy(I)
    if measured:
        edges = _noisy_edges(I, max(5, round(SHORTEST / dt)))
    bounds = [0, *edges.tolist(), len(I)]
    levels = I[bounds[:-1]].tolist()  # of a command, which is even between its edges
    if measured:
        levels = [float(np.median(I[a:b])) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    runs = list(zip(bounds[:-1], bounds[1:], levels, strict=True))
    base = runs[0][2]
    steps: list[Step] = []
    spread = max(levels) - min(levels)
    for stretch in _stretches(runs, base, 0.02 * spread if measured else 0.0):
        first, last = stretch[0][0], stretch[-1][1]
        if min(b - a for a, b, _ in stretch) * dt < SHORTEST * (1 - 1e-6) and len(stretch) > 1:
            stretch = [(first, last, float(np.median(I[first:last])))]
            steps.append(_step(t, dt, stretch[0], base, constant=False))
        else:
            steps += [_step(t, dt, run, base) for run in stretch]
    return tuple(steps)


def main_window(own: Sequence[Step], others: Sequence[Sequence[Step]]) -> tuple[float, float] | None:
    """Return start and stop [ms] of the main step of a sweep; None if no sweep has any step.

    The main step is the one that is not the same in all sweeps of the protocol, of several the longest, of equally long
    ones the first; where all sweeps are alike, it is the last step. A sweep in which the step that differs has no
    amplitude gets its window from the others. Three or more equal pulses count as one stimulus, from the beginning of
    the first to the end of the last.

    Parameters
    ----------
    own
        The steps of the sweep.
    others
        The steps of all sweeps that have its protocol, its own included.
    """
    edges = _common_edges(others)
    own, others = _split(own, edges), [_split(steps, edges) for steps in others]

    def differs(step: Step) -> bool:
        found = [next((x for x in steps if _same_time(x, step)), None) for steps in others]
        return any(x is None or not _close(x.amplitude, step.amplitude) for x in found)

    differing = [step for step in own if differs(step)]
    if not differing:
        elsewhere = [step for steps in others for step in steps if differs(step)]
        if elsewhere:
            usual = max(
                elsewhere,
                key=lambda step: (sum(_same_time(step, x) for x in elsewhere), step.stop - step.start, -step.start),
            )
            return usual.start, usual.stop
    if not own:
        return None
    main = max(differing, key=lambda step: (step.stop - step.start, -step.start)) if differing else own[-1]
    train = [step for step in differing or own if _same_pulse(step, main)]
    if len(train) > 2:
        return train[0].start, train[-1].stop
    return main.start, main.stop


def split_at(
    steps: Sequence[Step], window: tuple[float, float], base: float
) -> tuple[Step, tuple[Step, ...], tuple[Step, ...]]:
    """Return the main step of a sweep, the steps before it and those after it.

    A main step that is a train, a ramp or a wave is not constant. Where the current stays at its base in the window of
    the main step, its amplitude is 0.

    Parameters
    ----------
    steps
        All steps of the sweep.
    window
        Start and stop of the main step [ms].
    base
        The first level of the sweep.
    """
    start, stop = window
    inside = [step for step in steps if min(step.stop, stop) - max(step.start, start) > SAME_TIME]
    before = tuple(step for step in steps if step not in inside and step.start < start)
    after = tuple(step for step in steps if step not in inside and step.start >= start)
    if not inside:
        return Step(start, stop, base, base), before, after
    whole = next((x for x in inside if x.start <= start + SAME_TIME and x.stop >= stop - SAME_TIME), None)
    if whole:
        return Step(start, stop, whole.level, base, whole.constant), before, after
    furthest = max(inside, key=lambda step: abs(step.amplitude))
    return Step(start, stop, furthest.level, base, constant=False), before, after


def _is_noisy(I: np.ndarray) -> bool:
    """Whether consecutive samples go up and down like noise; a ramp or a slow wave goes on the way it went."""
    d = np.diff(I)
    d = d[d != 0]
    return bool(np.mean(d[1:] * d[:-1] < 0) > 0.25)


def _noisy_edges(I: np.ndarray, width: int) -> np.ndarray:
    """Where the level of a measured current changes: samples that begin a new level."""
    sums = np.concatenate([[0.0], np.cumsum(I - I[0])])
    n = len(I)
    k = np.arange(n + 1)
    before, after = np.maximum(k - width, 0), np.minimum(k + width, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = (sums[after] - sums[k]) / (after - k) - (sums[k] - sums[before]) / (k - before)
    change[: width // 2], change[n - width // 2 :] = 0.0, 0.0
    spread = 1.4826 * np.median(np.abs(change - np.median(change)))
    size = np.abs(change)
    peaks = np.flatnonzero((size == ndimage.maximum_filter1d(size, 2 * width + 1)) & (size > NOISES * spread))
    bounds = [0, *peaks.tolist(), n]
    levels = [float(np.median(I[a:b])) for a, b in zip(bounds[:-1], bounds[1:], strict=True) if b > a]
    low = 0.02 * (max(levels) - min(levels))  # what moves less than this is drift
    edges = []
    for peak in peaks.tolist():
        a, b = max(peak - width, 0), min(peak + width, n)
        left, right = np.median(I[a:peak]), np.median(I[peak:b])
        if abs(right - left) > low:
            # The sample from which on the current is nearer to the new level: it parts the stretch best in two.
            nearer = np.where(np.abs(I[a:b] - right) < np.abs(I[a:b] - left), 1.0, -1.0)
            edges.append(a + int(np.argmin(np.cumsum(nearer))) + 1)
    return np.unique(edges).astype(int)


def _stretches(runs: list[tuple[int, int, float]], base: float, near: float) -> list[list[tuple[int, int, float]]]:
    """Consecutive runs that are further than `near` from the base."""
    found: list[list[tuple[int, int, float]]] = []
    at_base = True
    for run in runs:
        away = abs(run[2] - base) > near
        if away and at_base:
            found.append([])
        if away:
            found[-1].append(run)
        at_base = not away
    return found


def _step(t: np.ndarray, dt: float, run: tuple[int, int, float], base: float, constant: bool = True) -> Step:
    first, last, level = run
    stop = float(t[last]) if last < len(t) else float(t[-1]) + dt
    return Step(float(t[first]), stop, level, base, constant)


def _common_edges(sweeps: Sequence[Sequence[Step]]) -> list[float]:
    """The times at which most sweeps have an edge: of two steps of one level side by side, one sweep does not tell."""
    counts: dict[int, list[float]] = {}
    for steps in sweeps:
        for edge in {edge for step in steps for edge in (step.start, step.stop)}:
            counts.setdefault(round(edge / SAME_TIME), []).append(edge)
    return sorted(found[0] for found in counts.values() if 2 * len(found) > len(sweeps))


def _split(steps: Sequence[Step], edges: Sequence[float]) -> list[Step]:
    """The steps, each parted at the edges that lie inside it."""
    parts = []
    for step in steps:
        inside = [edge for edge in edges if step.start + SAME_TIME < edge < step.stop - SAME_TIME and step.constant]
        bounds = [step.start, *inside, step.stop]
        parts += [replace(step, start=a, stop=b) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    return parts


def _same_time(a: Step, b: Step) -> bool:
    """A step that was measured begins a sample earlier or later."""
    return abs(a.start - b.start) < SAME_TIME and abs(a.stop - b.stop) < SAME_TIME


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 0.02 * max(abs(a), abs(b))


def _same_pulse(a: Step, b: Step) -> bool:
    same_length = abs((a.stop - a.start) - (b.stop - b.start)) <= 0.02 * (b.stop - b.start)
    return same_length and _close(a.amplitude, b.amplitude) and a.constant
