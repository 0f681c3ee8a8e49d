"""The steps of a stimulus: where an injected current leaves its first level, and which of the steps is the main one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from helpers.validation import numbers

__all__ = ["Step", "doubts", "find_steps", "is_noisy", "main_window", "split_at"]

SHORTEST = 1.0  # ms; a level that is held for less is part of a ramp or of a wave
MOST_LEVELS = 200  # of a command; a current with more is noisy, or a wave
SAME_TIME = 0.3  # ms; steps of two sweeps that begin and end within this are the same part of the protocol
NOISES = 6.0  # how many SDs of its noise a measured current must move by
TURNS = 0.02  # of the changes of a measured current, at least so many go back
RESTING = 0.05  # of a measured current, at most so much stays at a value for 1 ms
SLOW = 5.0  # ms; what happens over longer times in a measured current is a ramp, a wave or drift, not noise


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

    A command is taken by its values. In a measured current a step is where the means of 1, 4 or 16 ms before and after
    differ by more than 6 SDs of what they differ by elsewhere; it begins where the current leaves its level, so that an
    electrode that charges slowly does not delay it. What changes faster, or never rests, is one step that is not
    constant. `doubts` says what the noise may hide.

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
    measured = is_noisy(t, I)
    if measured:
        edges = _noisy_edges(I, max(5, round(SHORTEST / dt)))
    bounds = [0, *edges.tolist(), len(I)]
    levels = I[bounds[:-1]].tolist()  # of a command, which is even between its edges
    if measured:
        levels = [float(np.median(I[a:b])) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    runs = list(zip(bounds[:-1], bounds[1:], levels, strict=True))
    base = runs[0][2]
    if measured:
        slow = _blocks(I, round(SLOW / dt))
        if _never_rests(I, runs, slow, round(SLOW / dt)):
            return _away(t, dt, slow, round(SLOW / dt))
        runs = _returned(runs, slow, round(SLOW / dt))
    steps: list[Step] = []
    for stretch in _stretches(runs, base, 0.0):
        first, last = stretch[0][0], stretch[-1][1]
        lengths = sorted((b - a) * dt for a, b, _ in stretch)
        brief = lengths[0] < SHORTEST * (1 - 1e-6)
        brief = brief or (measured and len(lengths) > 6 and lengths[len(lengths) // 2] < SLOW)
        if brief and len(stretch) > 1:
            stretch = [(first, last, float(np.median(I[first:last])))]
            steps.append(_step(t, dt, stretch[0], base, constant=False))
        else:
            steps += [_step(t, dt, run, base) for run in stretch]
    steps = _joined(steps)
    if measured and _is_wave(steps):
        first, last = round((steps[0].start - t[0]) / dt), round((steps[-1].stop - t[0]) / dt)
        return (_step(t, dt, (first, last, float(np.median(I[first:last]))), base, constant=False),)
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


def doubts(t: np.ndarray, I: np.ndarray, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return, in words, what the noise of a measured current leaves open; nothing for a command.

    Parameters
    ----------
    t, I, steps
        As `find_steps` takes and returns them.
    """
    if not is_noisy(t, I):
        return ()
    dt = float(t[-1] - t[0]) / (len(t) - 1)
    rest = np.ones(len(t), dtype=bool)
    for step in steps:
        rest &= (t < step.start - SAME_TIME) | (t > step.stop + SAME_TIME)
    quiet = I[rest] if rest.sum() > 10 else I
    noise = float(np.std(quiet))
    window = "start= and stop= give the window of the stimulus"
    if not steps:
        return (f"no step stands out of the noise of the current (SD {noise:.3g} pA): {window}",)
    smallest = min(abs(step.amplitude) for step in steps)
    size = max(1, round(SLOW / dt))
    coherent = float(np.std(_blocks(quiet, size))) * size**0.5 / 1.25  # of white noise: its SD; of slow noise more
    # The likeliest place of an edge in noise has an SD of 5 samples where the step is one SD of the noise.
    uncertain = 10.0 * dt * (max(noise, coherent) / smallest) ** 2 if smallest else 0.0
    if not all(step.constant for step in steps):
        return (f"a ramp or a wave in a measured current begins and ends within about {SLOW:g} ms of the times found",)
    if uncertain > 2.0 * dt:
        said = f"steps of {smallest:.3g} pA in noise of SD {noise:.3g} pA begin and end within about {uncertain:.2g} ms"
        return (f"{said} of what was found, and others may be hidden: {window}",)
    return ()


def is_noisy(t: np.ndarray, I: np.ndarray) -> bool:
    """Whether a current was measured, with noise: it turns back again and again, and hardly ever stays at a value.

    A command rests at exact levels; a ramp or a wave goes on the way it went. In a coarsely sampled current the noise
    may be a single unit up and down.
    """
    changes = np.diff(I)
    moving = changes[changes != 0]
    if len(moving) < MOST_LEVELS:
        return False
    turns = float(np.mean(moving[1:] * moving[:-1] < 0))
    dt = float(t[-1] - t[0]) / (len(t) - 1)
    lengths = np.diff(np.concatenate([[0], np.flatnonzero(changes) + 1, [len(I)]]))
    brief = lengths < max(5, SHORTEST / dt * (1 - 1e-6))
    resting = float(lengths[~brief].sum()) / len(I)
    unit = float(np.abs(moving).min())
    flickers = np.median(np.abs(moving)) <= 1.01 * unit and float(np.mean(brief)) > 0.5
    return turns > TURNS and (resting < RESTING or bool(flickers))


def _noisy_edges(I: np.ndarray, width: int) -> np.ndarray:
    """Where the level of a measured current changes: samples that begin a new level."""
    edges: list[int] = []
    for wide in (width, 4 * width, 16 * width):
        if wide > len(I) // 8:
            break
        bounds = [0, *edges, len(I)]
        fitted = [np.full(b - a, np.median(I[a:b])) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
        found = _changes(I - np.concatenate(fitted), wide)
        edges = sorted({*edges, *(k for k in found if all(abs(k - other) > width for other in edges))})
    for _ in range(5):  # without what is no edge, levels are others, and so is what is an edge
        bounds = [0, *edges, len(I)]
        levels = [float(np.median(I[a:b])) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
        low = 0.02 * (max(levels) - min(levels))  # what moves less than this is drift
        sizes = np.abs(np.diff(levels)).tolist()
        kept = [k for k, size in zip(edges, sizes, strict=True) if size > low and _is_abrupt(I, k, width, size)]
        if kept == edges:
            break
        edges = kept
    return np.array([_onset(I, k, width) for k in edges], int)


def _changes(rest: np.ndarray, width: int) -> list[int]:
    """Where means of `width` samples before and after differ by far more than elsewhere."""
    sums = np.concatenate([[0.0], np.cumsum(rest)])
    n = len(rest)
    k = np.arange(n + 1)
    before, after = np.maximum(k - width, 0), np.minimum(k + width, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = (sums[after] - sums[k]) / (after - k) - (sums[k] - sums[before]) / (k - before)
    change[: width // 2], change[n - width // 2 :] = 0.0, 0.0
    spread = 1.4826 * np.median(np.abs(change - np.median(change)))
    size = np.abs(change)
    peaks = np.flatnonzero((size == ndimage.maximum_filter1d(size, 2 * width + 1)) & (size > NOISES * spread))
    found = []
    for peak in peaks.tolist():
        a, b = max(peak - width, 0), min(peak + width, n)
        left, right = np.median(rest[a:peak]), np.median(rest[peak:b])
        # The sample from which on the current is nearer to the new level: it parts the stretch best in two.
        towards = np.cumsum((rest[a:b] - (left + right) / 2) * np.sign(right - left))
        found.append(min(a + int(np.argmin(towards)) + 1, n - 1))
    return found


def _is_abrupt(I: np.ndarray, edge: int, width: int, size: float) -> bool:
    """Whether the means of `width` samples before and after an edge differ by its size, as far as their noise shows.

    In drift, in a ramp and in a slow wave, levels differ, but nowhere all at once.
    """
    before, after = I[max(edge - width, 0) : edge], I[edge : edge + width]
    near = abs(float(np.mean(after) - np.mean(before)))
    noise = float(np.std(before) + np.std(after)) / 2
    return near > 0.5 * size - 3.0 * noise * (2.0 / width) ** 0.5


def _onset(I: np.ndarray, edge: int, width: int) -> int:
    """The sample at which the current leaves its level, before it is half way to the next one."""
    before, after = I[max(edge - width, 0) : edge], I[edge : edge + width]
    left, right = float(np.median(before)), float(np.median(after))
    band = max(6.0 * float(np.median(np.abs(before - left))), 0.05 * abs(right - left))  # 4 SDs
    beyond = (before - left) * np.sign(right - left) > band
    return edge - int(np.argmin(beyond[::-1])) if not beyond.all() else edge


def _blocks(I: np.ndarray, size: int) -> np.ndarray:
    """Medians of consecutive blocks of so many samples."""
    size = max(1, min(size, len(I) // 4))
    return np.median(I[: len(I) // size * size].reshape(-1, size), axis=1)


def _wander(runs: list[tuple[int, int, float]], slow: np.ndarray, size: int) -> list[float]:
    """How far each run wanders within itself: the range of the blocks that lie in it."""
    found = [slow[-(-a // size) : b // size] for a, b, _ in runs]
    return [float(np.ptp(blocks)) if len(blocks) > 1 else 0.0 for blocks in found]


def _never_rests(I: np.ndarray, runs: list[tuple[int, int, float]], slow: np.ndarray, size: int) -> bool:
    """Whether a measured current is a ramp or a wave: within a level it goes further than its noise and drift do."""
    spread = float(np.ptp(slow))
    noise = 1.4826 * float(np.median(np.abs(np.diff(slow)))) if len(slow) > 2 else 0.0
    return max(_wander(runs, slow, size)) > max(0.3 * spread, 12.0 * noise)


def _away(t: np.ndarray, dt: float, slow: np.ndarray, size: int) -> tuple[Step, ...]:
    """The stretch of a ramp or a wave: from the first to the last block away from the base."""
    base = float(np.median(slow[:3]))
    noise = float(np.percentile(np.abs(np.diff(slow)), 25)) / 0.45  # SD of the blocks, where the current rests
    away = np.flatnonzero(np.abs(slow - base) > max(0.01 * float(np.ptp(slow)), 4.0 * noise))
    if not len(away):
        return ()
    first, last = int(away[0]) * size, min((int(away[-1]) + 1) * size, len(t))
    return (_step(t, dt, (first, last, float(np.median(slow[away[0] : away[-1] + 1]))), base, constant=False),)


def _returned(
    runs: list[tuple[int, int, float]], slow: np.ndarray, size: int
) -> list[tuple[int, int, float]]:
    """The runs, those that are back at the base, but for noise and drift, at its very level."""
    base = runs[0][2]
    spread = max(level for *_, level in runs) - min(level for *_, level in runs)
    near = max(0.02 * spread, min(2.0 * max(_wander(runs, slow, size), default=0.0), 0.3 * spread))
    return [(a, b, base if abs(level - base) <= near else level) for a, b, level in runs]


def _is_wave(steps: Sequence[Step]) -> bool:
    """Whether many short steps of all sizes are what a slow noise gives that was injected."""
    lengths = [step.stop - step.start for step in steps]
    sizes = np.abs([step.amplitude for step in steps])
    return len(steps) > 8 and float(np.median(lengths)) < 2 * SLOW and float(np.std(sizes)) > 0.3 * float(sizes.mean())


def _moves(step: Step) -> bool:
    return not step.constant or step.stop - step.start < SHORTEST


def _joined(steps: list[Step]) -> list[Step]:
    """The steps, parts of one wave that are parted by a moment at the base made into one."""
    joined: list[Step] = []
    for step in steps:
        last = joined[-1] if joined else None
        if last and not (last.constant and step.constant) and _moves(last) and _moves(step):
            gap = step.start - last.stop
            if gap < max(SHORTEST, 0.1 * min(last.stop - last.start, step.stop - step.start)):
                levels, lengths = [last.level, step.level], [last.stop - last.start, step.stop - step.start]
                joined[-1] = replace(last, stop=step.stop, level=float(np.average(levels, weights=lengths)))
                continue
        joined.append(step)
    return joined


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
