"""What an output of Clampex was told to do during a sweep, built from the header of the file.

One text for both versions of the format. The rules are those of Axon's file support package: 1/64 of the sweep at the
holding level before the first epoch and at least as much after the last; each epoch starts from the level of the one
before; user lists replace one parameter of one epoch from sweep to sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .abf_fields import EPISODIC, AbfHeader, Output, StimulusFile, UserList

__all__ = ["command", "is_flat", "remarks"]

MOST = 1e9  # of a level, in any unit: what is larger was never filled in


def command(
    header: AbfHeader, output: Output, sweep: int, stimulus: Callable[[StimulusFile, int, int], np.ndarray]
) -> np.ndarray:
    """Return what an output was told during a sweep, (n,) in its unit.

    Parameters
    ----------
    header, output, sweep
        Of the file; sweeps are counted from 0.
    stimulus
        Gives the samples of a stimulus file: (file, sweep, n) -> (n,).

    Raises
    ------
    ValueError
        With the reason, without the file's name, if the header does not tell or cannot be followed.
    """
    n = header.sweeps[sweep][1]
    if output.number in header.held:
        raise ValueError("its holding level was changed by hand during the recording")
    if header.mode != EPISODIC or not output.source:
        if not output.described:
            raise ValueError("ABF version 1 describes the waveforms of the first two outputs only")
        return np.full(n, _level(_holding(header, output, sweep)))
    if header.planned and sweep >= header.planned:
        raise ValueError(f"the protocol has {header.planned} sweeps; this one was added later")
    if output.source == 1:
        return _from_epochs(header, output, sweep, n)
    if output.source == 2 and output.file:
        return _from_file(header, output, output.file, sweep, n, stimulus)
    raise ValueError("the header says that it had a waveform, but does not describe it (Clampfit removes it)")


def is_flat(header: AbfHeader, output: Output) -> bool:
    """Whether an output stayed at its holding level, with no waveform."""
    return header.mode != EPISODIC or not output.source or (output.source == 1 and not output.epochs)


def remarks(header: AbfHeader, output: Output) -> list[str]:
    """What the header says of an output that is not in its command, and matters for what was recorded."""
    said = []
    if header.mode == EPISODIC and output.conditioned:
        said.append(f"a conditioning train of {output.name!r} came before each sweep; the file does not contain it")
    if header.mode == EPISODIC and output.leak_subtracted:
        said.append(f"P/N leak subtraction was on for {output.name!r}: what was recorded may be what it left")
    return said


# ---- holding level and user lists


def _lists(header: AbfHeader, output: Output, parameter: str, epoch: int | None = None) -> list[UserList]:
    lists = [x for x in header.user_lists if x.output == output.number]
    return [x for x in lists if x.parameter == parameter and x.epoch == epoch]


def _listed(lists: list[UserList], sweep: int, otherwise: float) -> float:
    """The value of a parameter in a sweep: from the list that varies it, if there is one."""
    for found in lists:
        words = found.text.replace("\0", " ").replace(",", " ").split()
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if not values or not np.isfinite(values).all():
            raise ValueError(f"the user list of {found.parameter} cannot be read: {found.text.strip()[:40]!r}")
        return values[sweep % len(values) if found.repeats else min(sweep, len(values) - 1)]
    return otherwise


def _level(level: float) -> float:
    if not (np.isfinite(level) and abs(level) < MOST):
        raise ValueError(f"one of its levels is {level:g}")
    return level


def _holding(header: AbfHeader, output: Output, sweep: int) -> float:
    """The holding level, which the user list of the other output may vary."""
    others = [x for x in header.user_lists if x.parameter == "holding level of the other output"]
    others = [x for x in others if x.output != output.number]
    if others and {output.number, others[0].output} != {0, 1}:
        raise ValueError("a user list varies the holding level of another output, without saying of which")
    return _level(_listed(others, sweep, output.holding))


def _first_level(header: AbfHeader, output: Output, sweep: int) -> float:
    """The level before the first epoch: after a conditioning train, or kept from the sweep before."""
    holding = _holding(header, output, sweep)
    if output.conditioned:
        duration, level = output.conditioned
        duration = _listed(_lists(header, output, "duration after the conditioning train"), sweep, duration)
        level = _listed(_lists(header, output, "level after the conditioning train"), sweep, level)
        return _level(level) if duration > 0.0 else holding
    if output.keeps_level and output.epochs and sweep > 0:
        return _epochs(header, output, sweep - 1)[-1].level
    return holding


# ---- epochs


@dataclass(frozen=True)
class _Part:
    """An epoch in one sweep, with increments and user lists applied."""

    letter: str
    kind: int
    level: float
    duration: int
    period: int
    width: int


def _epochs(header: AbfHeader, output: Output, sweep: int) -> list[_Part]:
    parts = []
    for epoch in output.epochs:

        def listed(parameter: str, value: float, number: int = epoch.number) -> float:
            return _listed(_lists(header, output, parameter, number), sweep, value)

        parts.append(
            _Part(
                epoch.letter,
                epoch.kind,
                _level(listed("level", epoch.level + sweep * epoch.level_step)),
                int(listed("duration", epoch.duration + sweep * epoch.duration_step)),
                int(listed("train period", epoch.period)),
                int(listed("pulse width", epoch.width)),
            )
        )
    return parts


def _edge(n: int) -> int:
    """How many samples before the first epoch, and at the end, are at the holding level."""
    return max(n // 64, 1)


def _alternates(header: AbfHeader, output: Output, sweep: int) -> bool:
    """Whether the output rests in this sweep, as the first two take turns."""
    return header.alternating and output.number in (0, 1) and sweep % 2 != output.number


def _from_epochs(header: AbfHeader, output: Output, sweep: int, n: int) -> np.ndarray:
    level = before = _first_level(header, output, sweep)
    result = np.full(n, level)
    rests = _alternates(header, output, sweep)
    at = _edge(n)
    for part in _epochs(header, output, sweep):
        if part.duration <= 0:
            continue
        if at + part.duration > n:
            raise ValueError(f"the epochs up to {part.letter} are longer than the sweep")
        if not rests:
            result[at : at + part.duration] = _shape(part, level, len(header.inputs))
        at += part.duration
        level = part.level
    if not output.keeps_level:
        level = _holding(header, output, sweep)
    result[at:] = before if rests else level
    return result


def _shape(part: _Part, start: float, width: int) -> np.ndarray:
    """The samples of an epoch that starts from a level.

    width: how many inputs are sampled in turn. An output changes with each of them; what it was at the first counts.
    """
    k = np.arange(part.duration)
    step = part.level - start
    if part.kind == 1:
        return np.full(part.duration, part.level)
    if part.kind == 2:
        return start + step * (width * k + 1) / (width * part.duration)
    if part.kind not in (3, 4, 5, 7):
        raise ValueError(f"epoch {part.letter} is of kind {part.kind}, which is not known")
    if part.period <= 0 or part.width < 0:
        raise ValueError(f"epoch {part.letter} is a train with a period of {part.period} samples")
    phase = k % part.period
    rest = part.duration % part.period  # of a period at the end: a pulse that does not fit is left out
    whole = part.duration - (rest if part.kind in (4, 5) or rest < part.width else 0)
    if part.kind == 5:
        wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * phase / part.period)
    elif part.kind == 4:
        rising = phase / max(part.width, 1)
        falling = 1.0 - (phase - part.width) / max(part.period - part.width, 1)
        wave = np.where(phase < part.width, rising, falling)
    elif part.kind == 7:
        wave = np.where(width * phase < width * part.width // 2, 1.0, np.where(phase < part.width, -1.0, 0.0))
    else:
        wave = np.where(phase < part.width, 1.0, 0.0)
    return start + step * np.where(k < whole, wave, 0.0)


# ---- stimulus files


def _from_file(
    header: AbfHeader,
    output: Output,
    file: StimulusFile,
    sweep: int,
    n: int,
    stimulus: Callable[[StimulusFile, int, int], np.ndarray],
) -> np.ndarray:
    result = np.full(n, _first_level(header, output, sweep))
    if not _alternates(header, output, sweep):
        edge = _edge(n)
        values = _level(file.scale) * stimulus(file, sweep, n) + _level(file.offset)
        result[edge : n - edge] = values[edge : n - edge]
        result[n - edge :] = _holding(header, output, sweep)
    return result
