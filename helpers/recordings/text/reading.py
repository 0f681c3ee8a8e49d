"""Open a text file as sweeps of signals."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..contents import Contents, FileSweep, Signal
from ..conversion import TIME, factor, interval_of
from .atf import AtfHeader, atf_header
from .blocks import Block, find_blocks
from .decoding import read_lines
from .headings import Heading, find_headings, named, with_units
from .layout import Layout, find_layout, looks_grouped
from .sweeps import Columns, group_columns, split_rows
from .times import Stated, even_times, resolution, stated_interval, unit_by_interval
from .writing import window_of

__all__ = ["open_text"]

HOW_TO_NAME = "name its columns by their units, counted from 0: units={0: 'ms', 1: 'mV', 2: 'pA'}"
SHOWN = 8  # columns that a message names
LONGEST_IN_S, LONGEST_IN_MS = 0.004, 4.0  # intervals between samples: longer ones are in another unit
DAY = 8.64e7  # ms; times beyond it are absolute
LABEL = re.compile(r'\s*"?\s*sep=(.|\\t)"?\s*')  # of Excel: the separator


@dataclass(frozen=True, eq=False)
class _Table:
    """A block of rows whose headings are known."""

    block: Block
    headings: tuple[Heading, ...]
    line: int | None  # of the headings


@dataclass(frozen=True, eq=False)
class _Sweep:
    """Rows and columns of one sweep."""

    table: _Table
    columns: Columns
    name: str


def open_text(path: Path, units: Mapping[Any, str | float] | None = None) -> Contents:
    """Open a table of times, voltages and currents, as programs export it.

    Found by looking at the file, and told in the notes: encoding, separator, decimal mark, the line of headings, which
    columns are what. Each column needs a unit, in its heading, below it, or in `units`. Several columns of V whose
    names differ by a number, and several blocks of rows, are sweeps. Columns are counted from 0.

    Times must be evenly spaced to within 5 % of an interval, but for what rounding explains. Rows at the end without
    numbers are left out. `write_csv` writes the window of the stimulus into a comment, which is read here.

    Parameters
    ----------
    path
        The file.
    units
        Units by number of the column, by its heading, or by "t", "V", "I"; for times also the interval, "0.1 ms".

    Raises
    ------
    ValueError
        With file, line, column, and the argument that helps, for what is damaged, ambiguous or unknown.
    """
    units = dict(units or {})
    lines, encoding = read_lines(path)
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path.name} is empty; needed: a header such as t (ms),V (mV),I (pA), and at least 2 rows")
    label = LABEL.fullmatch(lines[0])
    atf = atf_header(path, lines)
    first = atf.titles if atf else int(label is not None)
    layout = find_layout(path, lines[first:], label[1].replace("\\t", "\t") if label else None)
    if label:
        lines[0] = ""
    with _no_collection():
        blocks, left_out = find_blocks(path, lines, layout, first)
    _check_size(path, blocks)
    for block in blocks:
        _check_marks(path, block, layout)
    interval = next((x for unit in units.values() if isinstance(unit, str) and (x := interval_of(unit))), None)
    named_units = {key: unit for key, unit in units.items() if not (isinstance(unit, str) and interval_of(unit))}
    gains = {key: unit for key, unit in units.items() if isinstance(key, int) and not isinstance(unit, str)}
    tables = _tables(path, blocks, layout, named_units, atf)
    stated = stated_interval([line for block in blocks for line in block.head])
    sweeps, notes = _sweeps(path, tables, layout)
    window = window_of(lines)

    def sweep(k: int) -> FileSweep:
        return _file_sweep(path, sweeps, k, layout, interval, stated, window, gains)

    where = f"headings in line {tables[0].line}" if tables[0].line else "no headings"
    columns = ", ".join(f"{k} {heading.text!r}" for k, heading in enumerate(tables[0].headings[:SHOWN]))
    columns += f" and {len(tables[0].headings) - SHOWN} more" if len(tables[0].headings) > SHOWN else ""
    names = tuple(sweep.name for sweep in sweeps)
    return Contents(
        path,
        "Axon Text File" if atf else "text",
        len(sweeps),
        sweep,
        names=names if all(names) and len(set(names)) == len(names) else (),
        notes=(f"{encoding}, {layout.words}, {where}; columns: {columns}", *notes, *left_out),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would go through the millions of cells of a long table again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _check_size(path: Path, blocks: Sequence[Block]) -> None:
    rows = sum(len(block.lines) for block in blocks)
    if rows < 2:
        raise ValueError(f"{path.name} has {rows} rows of numbers; needed: at least 2")


def _check_marks(path: Path, block: Block, layout: Layout) -> None:
    """Raise ValueError where every decimal mark may as well be a separator between thousands.

    A comma is doubtful unless another one shows that it is not; a point only next to numbers without one.
    """
    mark = layout.mark
    places = [
        (column, row)
        for column, cells in enumerate(block.cells)
        for row, cell in enumerate(cells)
        if mark in cell and ":" not in cell
    ]
    other = {",": ".", ".": ","}[mark]
    if not places or not all(looks_grouped(block.cells[c][k].replace(mark, other), mark) for c, k in places):
        return
    doubtful = [c for c in dict(places) if mark == "," or any(cell and mark not in cell for cell in block.cells[c])]
    if doubtful:
        column, k = next(place for place in places if place[0] == doubtful[0])
        raise ValueError(
            f"{path.name}, line {block.lines[k]}, column {column}: {block.cells[column][k]!r} is ambiguous: {mark!r} "
            "is a decimal mark or parts thousands. Export the file with more decimals, or without separators between "
            "thousands"
        )


def _tables(
    path: Path, blocks: Sequence[Block], layout: Layout, units: Mapping[Any, str | float], atf: AtfHeader | None
) -> list[_Table]:
    """The blocks with their headings; one without headings has those of the block before."""
    tables: list[_Table] = []
    for block in blocks:
        line: int | None = None
        width = max(k + 1 for k, column in enumerate(block.cells) if any(column) or not k)
        found = find_headings(block.head, layout, len(block.cells)) or find_headings(block.head, layout, width)
        if found is None and tables:
            if float(block.values[0, 0]) > float(tables[-1].block.values[-1, 0]):
                number, text = block.head[0]
                raise ValueError(f"{path.name}, line {number}: {text[:60]!r} stands between two rows of numbers")
            tables.append(_Table(block, tables[-1].headings, tables[-1].line))
            continue
        if found is None:
            headings = _unnamed(path, block, layout, units)
        else:
            place, headings = found
            line = place
            headings = [*headings, *(named("") for _ in range(len(block.cells) - len(headings)))]
        if atf and atf.signals and found:
            headings = [headings[0], *map(_with_signal, headings[1:], atf.signals)]
        tables.append(_Table(block, tuple(with_units(path, headings, units, line)), line))
    texts = [[heading.text for heading in table.headings] for table in tables]
    largest = max(range(len(tables)), key=lambda k: len(tables[k].block.lines))
    return [table for table, headings in zip(tables, texts, strict=True) if headings == texts[largest]]


def _with_signal(heading: Heading, signal: str) -> Heading:
    """The heading of a column of an Axon Text File, with the name of its signal: "Trace #1" of "IN 0"."""
    number = re.search(r"\d+", heading.name)
    return replace(heading, name=f"{signal} #{number[0]}" if number else signal)


def _unnamed(path: Path, block: Block, layout: Layout, units: Mapping[Any, str | float]) -> list[Heading]:
    """Headings of columns that no line names, where units name them by number."""
    width, row = len(block.cells), ", ".join([*(x[0] for x in block.cells[:SHOWN]), "..."][: len(block.cells)])
    line = int(block.lines[0])
    texts = [text for _, text in block.head if len(re.findall(r"[(\[]\w+[)\]]|[A-Za-z]{1,}\w*", text)) > 1]
    if any(re.fullmatch(r"[+-]?0\d+", cell) for column in block.cells for cell in column) and layout.separator == ",":
        raise ValueError(
            f"{path.name}, line {line}: {row!r} has {width} cells: the comma seems to be both separator and decimal "
            "mark. Export the file with semicolons or tabs, or with decimal points"
        )
    if any(isinstance(key, int) for key in units):
        return [named(f"column {k}") if k in units else named("") for k in range(width)]
    if texts:
        raise ValueError(
            f"{path.name}, line {line}: {width} cells, {layout.words}, but no line above names as many columns; "
            f"{texts[-1][:60]!r} does not. If the table is right, {HOW_TO_NAME}"
        )
    turned = ". If its rows are sweeps, turn the table (numpy.loadtxt(...).T)" if width > 10 * len(block.lines) else ""
    raise ValueError(
        f"{path.name}, line {line}: no line names the columns, which begin with {row}; {HOW_TO_NAME}{turned}"
    )


def _sweeps(path: Path, tables: Sequence[_Table], layout: Layout) -> tuple[list[_Sweep], list[str]]:
    """All sweeps of a file, and in words how they were found."""
    sweeps: list[_Sweep] = []
    notes: list[str] = []
    for table in tables:
        filled = [k for k, column in enumerate(table.block.values.T) if np.isfinite(column).any()]
        grouped, words = group_columns(path, table.headings, filled, table.block.cells, table.line)
        parts, how = split_rows(table.block, table.headings, grouped[0].time)
        block_name = next((text.split(",")[0].strip(' "\t') for _, text in table.block.head if len(tables) > 1), "")
        for part in parts:
            for columns in grouped:
                name = columns.name if len(grouped) > 1 else block_name
                sweeps.append(_Sweep(replace(table, block=part), columns, name))
        if table is tables[0]:
            notes += [*words, *how]
    if len(tables) > 1:
        notes.append(f"{len(tables)} blocks of rows are sweeps")
    return sweeps, notes


def _file_sweep(
    path: Path,
    sweeps: Sequence[_Sweep],
    k: int,
    layout: Layout,
    interval: float | None,
    stated: Stated | None,
    window: tuple[float, float] | None,
    gains: Mapping[int, float],
) -> FileSweep:
    """One sweep: rows without numbers cut off, times in ms from its beginning, even."""
    sweep = sweeps[k]
    block, notes, warned = _cut(path, sweep)
    columns = sweep.columns
    t, more, said = _times(path, replace(sweep, table=replace(sweep.table, block=block)), layout, interval, stated)
    if columns.time is not None and len(t):
        absolute = abs(t[0]) > DAY or ":" in block.cells[columns.time][0]
        pair = sweeps[max(k, 1) - 1 : max(k, 1) + 1]  # with the sweep before; the first one with the next
        if absolute or (len(pair) == 2 and _goes_on(*pair)):
            more.append(f"times count from the beginning of the sweep, which the file places at {t[0]:.10g} ms")
            t = t - t[0]
        elif t[0] != 0.0:
            more.append(f"times begin at {t[0]:g} ms, as in the file")

    for heading in (sweep.table.headings[column] for _, column, _ in columns.recorded):
        if heading.role in ("V", "I") and not heading.kind:
            said.append(
                f"{heading.text!r} was not read: its unit, {heading.unit!r}, is unknown. "
                f"Name it: units={{{heading.name!r}: {'mV' if heading.role == 'V' else 'pA'!r}}}"
            )

    def signal(name: str, column: int, number: int) -> Signal:
        heading = sweep.table.headings[column]
        place = f"{heading.text!r} in line {sweep.table.line}" if sweep.table.line else f"column {column}"
        why = ""
        if (own := columns.times.get(column)) not in (None, columns.time) and not _same_times(block, own, columns.time):
            why = f"{heading.text} is sampled at other times than V"

        def load() -> np.ndarray:
            return _values(path, block, column, place) * gains.get(column, 1.0)

        return Signal(name, heading.unit, number, load, why, place=place)

    return FileSweep(
        t,
        tuple(signal(*one) for one in columns.recorded),
        tuple(signal(*one) for one in columns.commanded),
        window,
        (*notes, *more),
        (*warned, *said),
    )


def _goes_on(before: _Sweep, sweep: _Sweep) -> bool:
    """Whether the times of a sweep continue those of the one before, in rows below or in columns of their own."""
    a, b = before.columns.time, sweep.columns.time
    if a is None or b is None or (before.table.block is sweep.table.block and a == b):
        return False
    return bool(sweep.table.block.values[0, b] > before.table.block.values[0, a])


def _same_times(block: Block, a: int | None, b: int | None) -> bool:
    if a is None or b is None:
        return True
    times = block.values[:, [a, b]]
    step = abs(times[-1, 1] - times[0, 1]) / max(len(times) - 1, 1)
    return bool(np.nanmax(np.abs(times[:, 0] - times[:, 1])) <= 0.05 * step)


def _cut(path: Path, sweep: _Sweep) -> tuple[Block, list[str], list[str]]:
    """The rows of a sweep up to the last that holds all its numbers; what was cut, as notes and as warnings."""
    block, columns = sweep.table.block, sweep.columns
    time = [] if columns.time is None else [columns.time]
    needed = [*time, *columns.main]
    whole = ~np.isnan(block.values[:, needed]).any(axis=1)
    end = int(np.flatnonzero(whole)[-1]) + 1 if whole.any() else len(whole)
    others = ~np.isnan(block.values[:end, columns.currents]).any(axis=1)
    if others.any() and 0 < end - 1 - int(np.flatnonzero(others)[-1]) <= 2:
        end = int(np.flatnonzero(others)[-1]) + 1
    if end == len(whole):
        return block, [], []
    rows, lines = block.values[end:], block.lines[end:]
    which = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
    said = f"{which} at the end of the sweep {'was' if len(lines) == 1 else 'were'} left out: no number for t, V or I"
    empty = not np.isfinite(rows[:, columns.main]).any() and all(
        not block.cells[c][k] for c in columns.main for k in range(end, len(whole))
    )
    return block.part(slice(0, end)), [said] if empty else [], [] if empty else [said]


def _times(
    path: Path, sweep: _Sweep, layout: Layout, interval: float | None, stated: Stated | None
) -> tuple[np.ndarray, list[str], list[str]]:
    """Times in ms, (n,), with notes and warnings."""
    block, column = sweep.table.block, sweep.columns.time
    n = len(block.lines)
    if interval is not None:
        warned = []
        scale = factor(TIME, sweep.table.headings[column].unit) if column is not None else None
        if column is not None and scale and np.isfinite(ends := block.values[[0, -1], column]).all():
            span, given = float(ends[1] - ends[0]) * scale, interval * (n - 1)
            rounding = scale * float(resolution([block.cells[column][0], block.cells[column][-1]], layout.mark).max())
            if abs(span - given) > interval + rounding:
                warned.append(f"the sweep lasts {span:g} ms by its times, but {given:g} ms by the interval in units=")
        return interval * np.arange(n), [f"samples are {interval:g} ms apart, as units= says"], warned
    if column is None:
        if stated is None:
            named = _units_to_name(sweep.table, "0.1 ms")
            raise ValueError(
                f"{path.name}: no column is a time; if its samples are evenly spaced, name their interval: {named}. "
                f"{_what_there_is(sweep.table)}"
            )
        _check_counted(path, sweep)
        return (
            stated.interval * np.arange(n),
            [f"samples are {stated.interval:g} ms apart, as line {stated.line} says"],
            [],
        )
    heading = sweep.table.headings[column]
    cells, values = block.cells[column], block.values[:, column]
    if not np.isfinite(values).all():
        k = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"{path.name}, line {block.lines[k]}, column {heading.text!r}: {cells[k]!r} is not a finite number"
        )
    notes: list[str] = []
    if ":" in cells[0]:
        half_a_day = 0.5 * DAY
        t, scale = np.unwrap(values, period=half_a_day), 1e3
        notes.append(f"{heading.text!r} holds times of day")
    else:
        unit = heading.unit
        if not unit and stated:
            unit = unit_by_interval(values, stated) or ""
            notes.append(f"times are in {unit}, as their interval in line {stated.line} says")
        found = factor(TIME, unit)
        if found is None:
            raise ValueError(
                f"{path.name}, {f'line {sweep.table.line}, ' if sweep.table.line else ''}column {column}: unknown unit "
                f"{unit!r} of t in {heading.text!r}; allowed: {', '.join(TIME)}. Name the right one: "
                f"{_units_to_name(sweep.table, _likely_unit(values))}"
            )
        scale = found
        t = values * scale
    even, said = even_times(path, t, lambda: scale * resolution(cells, layout.mark), block.lines.tolist())
    warned = [*said]
    if stated and len(even) > 1:
        dt = float(even[-1] - even[0]) / (len(even) - 1)
        if abs(dt - stated.interval) > 0.01 * dt:
            warned.append(
                f"samples are {dt:g} ms apart by their times, but {stated.interval:g} ms by line {stated.line}"
            )
    return even, notes, warned


def _check_counted(path: Path, sweep: _Sweep) -> None:
    """Raise ValueError where a column of sample numbers skips one."""
    block = sweep.table.block
    for column, heading in enumerate(sweep.table.headings):
        if heading.role != "sample" or heading.kind or not np.isfinite(block.values[:, column]).all():
            continue
        gaps = np.flatnonzero(np.diff(block.values[:, column]) != 1.0)
        if gaps.size:
            k = int(gaps[0])
            a, b = block.values[k : k + 2, column]
            raise ValueError(
                f"{path.name}, line {block.lines[k + 1]}: samples are numbered {a:g}, {b:g}; needed: one after another"
            )


def _values(path: Path, block: Block, column: int, place: str) -> np.ndarray:
    """The numbers of a column, (n,). Raises ValueError, with the line, where one is missing."""
    values, cells = block.values[:, column], block.cells[column]
    bad = ~np.isfinite(values) | np.array([":" in cell for cell in cells])
    if bad.any():
        k = int(np.argmax(bad))
        raise ValueError(f"{path.name}, line {block.lines[k]}, column {place}: {cells[k]!r} is not a finite number")
    return values


def _likely_unit(times: np.ndarray) -> str:
    """The unit of times in which samples are as far apart as they usually are."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return "s" if step < LONGEST_IN_S else "ms" if step < LONGEST_IN_MS else "µs"


def _units_to_name(table: _Table, time: str) -> str:
    """The argument that names the units that the headings leave out: of t, as given, of V and of I."""
    nameless = {heading.role for heading in table.headings if not heading.unit}
    return f"units={ {'t': time} | {role: unit for role, unit in (('V', 'mV'), ('I', 'pA')) if role in nameless} }"


def _what_there_is(table: _Table) -> str:
    columns = ", ".join(f"{k}: {heading.text!r}" for k, heading in enumerate(table.headings[:SHOWN]))
    columns += f" and {len(table.headings) - SHOWN} more" if len(table.headings) > SHOWN else ""
    where = f"Line {table.line}" if table.line else "The file"
    return f"{where} has {columns}; {HOW_TO_NAME}"
