"""Which stimulus of an NWB file belongs to a response, and its samples at the times of the response."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .contents import Signal, absent
from .conversion import CURRENT, factor
from .nwb_series import Series, read_samples, read_values

__all__ = ["commanded", "find_stimuli", "same_start"]

SAME_TIME = 0.5  # of a sample: starting times that differ by less are the same
EXACT = 0.05  # of a sample: how far an edge of a stimulus may lie off the samples of V


def find_stimuli(
    response: Series, stimuli: Sequence[Series], responses: Sequence[Series]
) -> tuple[tuple[Series, ...], str]:
    """The stimuli that may belong to a response, by ever weaker signs: one, or several if nothing tells them apart."""
    fits = [one for one in stimuli if one.electrode in ("", response.electrode) or not response.electrode]
    numbered = [one for one in fits if one.sweep_number is not None]
    if response.sweep_number is not None and numbered:
        fits = [one for one in numbered if one.sweep_number == response.sweep_number] or [
            one for one in fits if one.sweep_number is None
        ]
    same = [one for one in fits if same_start(one, response)]
    end = response.start + response.duration
    over = [one for one in fits if one.start < end and response.start < one.start + one.duration]
    numbered = [one for one in fits if one.sweep_number is not None and one.sweep_number == response.sweep_number]
    found = numbered or same or over
    if len(found) == 1:
        rivals = [one for one in responses if one.electrode == response.electrode and same_start(one, response)]
        if numbered or len(rivals) < 2 or _digits(found[0].name) == _digits(response.name):
            return tuple(found), ""
        return tuple(found), "by its starting time, which several sweeps share"
    named = [one for one in found or fits if _digits(one.name) and _digits(one.name) == _digits(response.name)]
    if len(named) == 1:
        return tuple(named), "by the number in its name"
    return tuple(found), ""


def same_start(a: Series, b: Series) -> bool:
    """Whether two series begin at the same time."""
    return abs(a.start - b.start) <= SAME_TIME * max(a.dt, b.dt)


def _digits(name: str) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", name)]


def commanded(
    path: Path, response: Series, stimuli: Sequence[Series], how: str
) -> tuple[tuple[Signal, ...], list[str], list[str]]:
    """The stimulus of a sweep as commanded signals, with notes and warnings."""
    n = response.count
    if response.kind == "IZeroClampSeries":
        zero = Signal("I = 0", "pA", 0, lambda: np.zeros(n))
        return (zero,), ["an IZeroClampSeries: the file says that no current was injected"], []
    if not stimuli:
        return (), [f"no stimulus in this file belongs to {response.name}"], []
    signals, notes, warnings = [], [], []
    if len(stimuli) > 1:
        names = ", ".join(one.name for one in stimuli[:10])
        notes.append(f"{len(stimuli)} stimuli could belong to {response.name}: {names}")
    if how:
        warnings.append(f"the stimulus {stimuli[0].name!r} was found {how}")
    for stimulus in stimuli:
        load, why, said = _aligned(path, stimulus, response)
        named = stimulus.name, stimulus.unit, 0
        signals.append(Signal(*named, load) if load else absent(*named, why))
        if len(stimuli) == 1:
            warnings += said
    return tuple(signals), notes, warnings


def _aligned(path: Path, stimulus: Series, response: Series) -> tuple[Callable[[], np.ndarray] | None, str, list[str]]:
    """What loads the samples of a stimulus at the times of a response, why that cannot be, and what is to be said."""
    why = f"the stimulus {stimulus.name!r} cannot be read: {stimulus.why}" if stimulus.why else ""
    if not why and (stimulus.count < 1 or len(stimulus.shape) != 1):
        why = f"the stimulus {stimulus.name!r} has no samples, or more than one column"
    if why:
        return None, why, []
    if stimulus.times:
        times = read_samples(path, stimulus, stimulus.times)
        span = float(times[-1] - times[0])
        if len(times) < 2 or not span > 0.0 or np.abs(np.diff(times) * (len(times) - 1) - span).max() > 0.05 * span:
            return None, f"the times of the stimulus {stimulus.name!r} are not even", []
        stimulus = replace(stimulus, start=float(times[0]), rate=(len(times) - 1) / span)
    # Positions are in samples of the stimulus, counted from its first.
    ratio = stimulus.rate / response.rate
    offset = (response.start - stimulus.start) * stimulus.rate
    said = []
    if not -response.count * ratio < offset < stimulus.count:
        said = [f"{stimulus.name!r} and {response.name!r} have no time in common: taken to begin together"]
        offset = 0.0
    drift = abs(ratio - 1.0) * response.count
    if stimulus.count == response.count and abs(offset) < SAME_TIME and drift < SAME_TIME:
        return functools.partial(read_values, path, stimulus), "", said
    values = read_values(path, stimulus)
    at = np.floor(offset + np.arange(response.count) * ratio + EXACT).astype(int)
    covered = (at >= 0) & (at < stimulus.count)
    edges = (np.flatnonzero(np.diff(values)) + 1 - offset) / ratio  # in samples of V
    off = np.abs(edges - np.round(edges))
    if drift >= SAME_TIME and off.size and off.max() > EXACT:
        worst = int(np.argmax(off))
        why = (
            f"the stimulus {stimulus.name!r} is sampled at {stimulus.rate:g} Hz, V at {response.rate:g} Hz, and the "
            f"change at {edges[worst] / response.rate * 1e3:.6g} ms lies between two samples of V"
        )
        return None, why, []
    if drift >= SAME_TIME:
        said.append(
            f"the stimulus {stimulus.name!r} is sampled at {stimulus.rate:g} Hz, V at {response.rate:g} Hz: "
            "its values were held"
        )
    whole = np.where(covered, values[np.clip(at, 0, stimulus.count - 1)], 0.0)
    if not covered.all():
        held = _held(values)
        whole[~covered] = held
        begin, end = np.flatnonzero(covered)[[0, -1]] / response.rate * 1e3
        unit = stimulus.unit
        said.append(
            f"the stimulus {stimulus.name!r} covers {begin:g} to {end + 1e3 / response.rate:g} ms of the sweep: "
            f"outside, I is the level that is held, {held * (factor(CURRENT, unit) or 1.0):g} "
            f"{'pA' if factor(CURRENT, unit) else unit}"
        )
    return lambda: whole, "", said


def _held(values: np.ndarray) -> float:
    """What is held before and after a stimulus that covers part of a sweep.

    Outside a constant one 0, else its first or last level, whichever is nearer to 0.
    """
    if np.ptp(values) == 0.0:
        return 0.0
    return float(min(values[0], values[-1], key=abs))
