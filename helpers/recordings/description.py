"""What was found in a recording and assumed in reading it, in about ten lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .choice import inventory

if TYPE_CHECKING:
    from .recording import Recording

__all__ = ["describe", "ranges"]

WIDTH = 110  # characters
MOST_SENTENCES = 3  # of each kind; what else there is, is counted


def describe(recording: Recording) -> str:
    """Return the summary that `print(recording)` shows."""
    steps = recording.steps  # reads every sweep once
    lines = {"V": _voltage(recording), "I": _current(recording), "main step": _main(recording)}
    others = {(round(x.start, 2), round(x.stop, 2)) for row in steps for x in (*row.before, *row.after)}
    if others:
        lines["other steps"] = _at_most(
            [f"{a:.6g} to {b:.6g} ms" for a, b in sorted(others)], 4
        ) + "; recording.steps lists all"
    _, I = recording.signals(steps[0].sweep)
    found = recording.contents.sweep(steps[0].sweep)
    if len(found.recorded) + len(found.commanded) > 2:
        lines["signals"] = inventory(found)
    protocols = _protocols(recording)
    if len(protocols) > 1:
        lines["protocols"] = _at_most([f"sweeps {ranges(x)}" for x in protocols], 6) + "; sweeps= takes those of one"
    for title, sentences in (("assumed", recording.notes), ("warning", recording.warnings)):
        said = {words: x for words, x in sentences.items() if words != I and not words.startswith("I is the command")}
        if said:
            lines[title] = _sentences(said, len(steps))
    if recording.refused:
        lines["unreadable"] = _sentences(_by_reason(recording.refused), 0)
    lines["quality"] = _quality(recording)
    wide = max(map(len, lines)) + 2
    body = [
        textwrap.fill(words, WIDTH, initial_indent=title.ljust(wide), subsequent_indent=" " * wide, tabsize=1)
        for title, words in lines.items()
    ]
    return "\n".join([_first_line(recording), *body])


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers in words: 0 to 4, 7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]} to {part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)


def _first_line(recording: Recording) -> str:
    rows = [recording.timing(row.sweep) for row in recording.steps]
    dt, lengths = rows[0][0], [length for _, length in rows]
    count = len(recording.numbers)
    of = "" if count == recording.contents.n_sweeps else f" of {recording.contents.n_sweeps}"
    last = "" if np.ptp(lengths) < dt else f" to {max(lengths):.6g}"
    rate = f"{1.0 / dt:.5g} kHz" if len({round(x, 9) for x, _ in rows}) == 1 else "different rates"
    sweeps = f"{count}{of} sweep{'' if count == 1 and not of else 's'}"
    return f"{recording.path.name}: {recording.format}, {sweeps} of {min(lengths):.6g}{last} ms at {rate}"


def _voltage(recording: Recording) -> str:
    V, _ = recording.signals(recording.steps[0].sweep)
    return f"{V.name!r} ({V.unit or 'no unit'}), input {V.number}"


def _current(recording: Recording) -> str:
    _, I = recording.signals(recording.steps[0].sweep)
    levels = [row.base for row in recording.steps if row.base is not None]
    if not levels:
        return I
    unit = recording.steps.unit
    return f"{I.removeprefix('I is ').removeprefix('I was ')}; held at {_from_to(levels)} {unit} before the first step"


def _main(recording: Recording) -> str:
    mains = [row.main for row in recording.steps if row.main]
    if not mains:
        return "none: start=, stop= set the window of the stimulus"
    first = mains[0]
    amplitudes = [main.amplitude for main in mains]
    unit = recording.steps.unit
    kind = "" if all(main.constant for main in mains) else ", not constant"
    times = {(round(main.start, 1), round(main.stop, 1)) for main in mains}
    when = f"{first.start:.6g} to {first.stop:.6g} ms" if len(times) == 1 else f"at {len(times)} different times"
    known = f" in {len(mains)} of {len(recording.steps)} sweeps" if len(mains) < len(recording.steps) else ""
    return f"{when}{known}, {_from_to(amplitudes)} {unit} from holding{kind}"


def _quality(recording: Recording) -> str:
    found = recording.quality()
    names = [finding.name for finding in found.to_look_at]
    blind = [finding.name for finding in found if finding.verdict == "not measured"]
    missing = f"; not measured: {', '.join(blind)}" if blind else ""
    what = f"look at {', '.join(names)}" if names else "nothing to look at"
    return f"{what}{missing} (print(recording.quality()) says why)"


def _protocols(recording: Recording) -> list[tuple[int, ...]]:
    """Sweeps that have one protocol, in groups."""
    alike = recording.contents.alike
    if alike is None:
        return [recording.numbers]
    groups = {tuple(k for k in alike(number) if k in recording.numbers): None for number in recording.numbers}
    return list(groups)


def _sentences(said: Mapping[str, tuple[int, ...]], count: int) -> str:
    """Each sentence once; those that differ in a number only are one sentence."""
    kinds: dict[str, list[str]] = {}
    for words in said:
        kinds.setdefault(re.sub(r"[\d.]+", "#", words), []).append(words)
    parts = []
    for alike in kinds.values():
        sweeps = sorted({number for words in alike for number in said[words]})
        of = "" if len(sweeps) == count else f" (sweep{'s' if len(sweeps) > 1 else ''} {ranges(sweeps)})"
        parts.append(alike[0].rstrip(".") + (", for example" if len(alike) > 1 else "") + of)
    return _at_most(parts, MOST_SENTENCES)


def _by_reason(refused: Mapping[int, str]) -> dict[str, tuple[int, ...]]:
    return {words: (number,) for number, words in refused.items()}


def _at_most(parts: Sequence[str], count: int) -> str:
    more = f"; and {len(parts) - count} more" if len(parts) > count else ""
    return "; ".join(parts[:count]) + more


def _from_to(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:.4g} to {high:.4g}"
