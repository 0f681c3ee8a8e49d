"""Which columns and which rows of a table are a sweep."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .blocks import Block
from .headings import Heading

__all__ = ["Columns", "group_columns", "split_rows"]

COMMANDS = re.compile(r"c(om)?m(an)?d|stim|inj|\bdac|protocol|\bao\b|soll", re.IGNORECASE)
NUMBER = re.compile(r"(?:^|(?<=\s))[-+]?\d+(?:\.\d+)?|\d+")
# The numbers of inputs, "Dev1/ai0", "Vm_ch2", "ADC 1": what they have side by side was recorded at the same time.
INPUTS = re.compile(
    r"(?<![^\W\d_])(?:dev\d+\W)?"
    r"(?:ch|chan|channel|in|adc|ai|input|imon|vmon|electrode|probe|headstage|amp|amplifier|analog|cell|ic)"
    r"[\s_#-]*\d+(?!\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Columns:
    """The columns of a sweep.

    Parameters
    ----------
    time
        Column of its times; None if there is none.
    recorded, commanded
        Name, column, and number of each signal; the number is the column of the same signal in the first sweep.
    main, currents
        Columns of voltage (of whatever there is, where no voltage was measured), which every row needs; of current.
    times
        The column of times of each column.
    name
        What the file calls the sweep.
    """

    time: int | None
    recorded: tuple[tuple[str, int, int], ...]
    commanded: tuple[tuple[str, int, int], ...]
    main: list[int]
    currents: list[int]
    times: Mapping[int, int | None]
    name: str


def group_columns(
    path: Path, headings: Sequence[Heading], filled: Sequence[int], cells: Sequence[Sequence[str]], line: int | None
) -> tuple[list[Columns], list[str]]:
    """Return the columns of each sweep, and in words how they were found.

    Several voltages are sweeps if their names differ by a number at most, unless that is the number of an input; each
    goes with the current of its number, or of its place if the numbers say nothing, or with the only one.
    """
    times = _times(headings, filled, cells)
    data = [
        k
        for k in filled
        if k not in times
        and (headings[k].kind or headings[k].role not in ("sample", "sweep"))
        and headings[k].kind != "t"
    ]
    if not data:
        there = ", ".join(f"{k}: {heading.text!r}" for k, heading in enumerate(headings))
        raise ValueError(f"{path.name}, line {line}: no column is a voltage or a current; there is {there}")
    own = {k: max((time for time in times if time < k), default=times[0] if times else None) for k in data}
    voltages = [k for k in data if headings[k].kind == "V"] or [
        k for k in data if headings[k].role == "V" and not headings[k].kind
    ]
    measured = [k for k in voltages if not _is_command(headings[k])]
    commands = {k for k in data if _is_command(headings[k]) and (measured or headings[k].kind == "V")}
    main = measured or [k for k in data if k not in commands]
    numbers = _sweep_numbers([headings[k] for k in main])
    if numbers is None:
        return [_one_sweep(headings, data, own, main, commands, {}, "")], []
    keys = sorted(set(numbers), key=numbers.index)
    others: dict[str, list[int]] = {}
    for k in data:
        if k not in main:
            others.setdefault(f"{_pattern(headings[k])} {headings[k].kind}", []).append(k)
    sweeps = []
    for place, key in enumerate(keys):
        mine = [k for k, number in zip(main, numbers, strict=True) if number == key]
        first = [k for k, number in zip(main, numbers, strict=True) if number == keys[0]]
        same = dict(zip(mine, first, strict=True))
        for group in others.values():
            found = _partner(headings, group, keys, place)
            mine += found
            same |= dict(zip(found, _partner(headings, group, keys, 0), strict=True))
        sweeps.append(
            _one_sweep(headings, sorted(mine), own, main, commands, same, headings[main[numbers.index(key)]].name)
        )
    shared = sum(len(group) == 1 for group in others.values())
    words = f"{len(main)} columns of {'voltage' if measured else 'numbers'} are {len(keys)} sweeps"
    return sweeps, [words + (f", {shared} other column belongs to all" if shared else "")]


def split_rows(block: Block, headings: Sequence[Heading], time: int | None) -> tuple[list[Block], list[str]]:
    """Return the rows of each sweep where sweeps are below each other, and in words how they were found.

    They are told apart by a column of sweep numbers, or by times that return to the first.
    """
    for k, heading in enumerate(headings):
        values = block.values[:, k]
        if (
            heading.role != "sweep"
            or heading.kind
            or not np.isfinite(values).all()
            or (values != np.round(values)).any()
        ):
            continue
        edges = np.flatnonzero(np.diff(values)) + 1
        if edges.size and len(np.unique(values)) == len(edges) + 1 and len(edges) < len(values) // 2:
            return _parts(block, edges), [f"{len(edges) + 1} sweeps by column {heading.text!r}"]
    if time is None or ":" in block.cells[time][0]:
        return [block], []
    t = block.values[:, time]
    edges = np.flatnonzero(t[1:] < t[:-1]) + 1
    lengths = np.diff([0, *edges.tolist(), len(t)])
    if not edges.size or lengths.min() < 3:
        return [block], []
    step = abs(t[1] - t[0])
    if np.abs(t[edges] - t[0]).max() > step:
        return [block], []
    return _parts(block, edges), [f"{len(edges) + 1} sweeps, as times return to the first {len(edges)} times"]


def _parts(block: Block, edges: np.ndarray) -> list[Block]:
    bounds = [0, *edges.tolist(), len(block.lines)]
    return [block.part(slice(a, b)) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def _times(headings: Sequence[Heading], filled: Sequence[int], cells: Sequence[Sequence[str]]) -> list[int]:
    """The columns of times: by their names, else the first in a unit of time."""
    by_name = [k for k in filled if headings[k].role == "t" and headings[k].kind in ("t", "")]
    by_unit = [k for k in filled if headings[k].kind == "t"]
    clocks = [k for k in filled if ":" in cells[k][0]]
    return by_name or by_unit[:1] or clocks[:1]


def _one_sweep(
    headings: Sequence[Heading],
    columns: Sequence[int],
    own: Mapping[int, int | None],
    main: Sequence[int],
    commands: Collection[int],
    same: Mapping[int, int],
    name: str,
) -> Columns:
    names = {k: _name(headings[k]) if same else headings[k].name for k in columns}  # the same in all sweeps
    texts = {k: f"{names[k]} ({headings[k].unit})" if same else headings[k].text for k in columns}
    taken = list(names.values())
    signals = [(names[k] if taken.count(names[k]) == 1 else texts[k], k, same.get(k, k)) for k in columns]
    mine = [k for k in columns if k in main]
    return Columns(
        next((own[k] for k in (*mine, *columns)), None),
        tuple(one for one in signals if one[1] not in commands),
        tuple(one for one in signals if one[1] in commands),
        mine,
        [k for k in columns if headings[k].kind == "I"],
        {k: own[k] for k in columns},
        name,
    )


def _is_command(heading: Heading) -> bool:
    return bool(COMMANDS.search(heading.name)) and heading.kind in ("V", "I")


def _sweep_numbers(headings: Sequence[Heading]) -> list[tuple[str, ...]] | None:
    """What tells the sweep of each column: the numbers in its name, or how often it came before; None for one sweep."""
    if len(headings) < 2:
        return None
    patterns = [_pattern(heading) for heading in headings]
    written = list(zip(patterns, map(_numbers, headings), strict=True))
    repeats = [written[:k].count(one) for k, one in enumerate(written)]  # names that are alike are counted
    numbers = [(*number, f"repeat {n}") if n else number for (_, number), n in zip(written, repeats, strict=True)]
    of_pattern = {pattern: [n for p, n in zip(patterns, numbers, strict=True) if p == pattern] for pattern in patterns}
    first = next(iter(of_pattern.values()))
    return numbers if len(first) > 1 and all(found == first for found in of_pattern.values()) else None


def _partner(
    headings: Sequence[Heading], group: Sequence[int], keys: Sequence[tuple[str, ...]], place: int
) -> list[int]:
    """The columns of a group that belong to a sweep: its own, or all where they cannot be told apart."""
    if len(group) != len(keys):
        numbers = [_numbers(headings[k]) for k in group]
        if len(group) > 1 and set(numbers) <= set(keys):
            return [k for k, number in zip(group, numbers, strict=True) if number == keys[place]]
        return list(group)
    numbers = [_numbers(headings[k]) for k in group]
    if sorted(numbers) == sorted(keys):
        return [group[numbers.index(keys[place])]]
    return [group[place]]


def _numbers(heading: Heading) -> tuple[str, ...]:
    """The numbers in a name that are not those of an input."""
    return tuple(NUMBER.findall(INPUTS.sub(" ", heading.name)))


def _pattern(heading: Heading) -> str:
    """The name without numbers, but for those of inputs, and without what parts them from it."""
    inputs = " ".join(INPUTS.findall(heading.name))
    rest = NUMBER.sub("", INPUTS.sub(" ", heading.name))
    return re.sub(r"[\W_]+", " ", f"{rest} {inputs}").strip().lower()


def _name(heading: Heading) -> str:
    """The name of a signal without the number of its sweep."""
    without = re.sub(r"[\s_.:#-]*\d+$", "", heading.name).strip()
    if not without or len(INPUTS.findall(without)) < len(INPUTS.findall(heading.name)):
        return heading.name
    return without
