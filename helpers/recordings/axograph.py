"""AxoGraph (.axgd, .axgx): columns of numbers, of which the first holds the times.

The three forms of the file are described in AxoGraph_ReadWrite.h, which AxoGraph puts in the public domain. A title
ends in the unit of its column, in brackets. What was commanded is not in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from .binary import Unreadable, refusing, unpack
from .contents import Contents, FileSweep, Signal
from .conversion import TIME, factor

__all__ = ["open_axograph"]

FORMAT = "AxoGraph"
PLAIN = {4: ">i2", 5: ">i4", 6: ">f4", 7: ">f8"}  # types of columns that are arrays
SERIES, SCALED = 9, 10  # first value and step; scale and offset, and integers
MOST_COLUMNS = 10**6
NO_TITLE = re.compile(r"[Cc]olumn ?\d+")  # what AxoGraph calls a column of which nobody has named the title
TITLE = re.compile(r"(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*")


@dataclass(frozen=True)
class Column:
    """A column of the file."""

    name: str
    unit: str
    n: int
    load: Callable[[], np.ndarray]


def open_axograph(path: Path) -> Contents:
    """Open a file of AxoGraph 4 or AxoGraph X.

    Titles that come again and again ("Vm (mV)", "Im (pA)", "Vm (mV)", ...) are those of sweeps, and so are columns
    without titles after those that have them. Raises ValueError, with
    the file's name, for a file that is damaged or of another format.
    """
    with refusing(path, FORMAT):
        columns = list(_columns(path.read_bytes()))
        if len(columns) < 2:
            raise Unreadable(f"it has {len(columns)} columns; needed: times, and at least one more")
        sweeps = list(_sweeps(columns))

    def sweep(k: int) -> FileSweep:
        time, values = sweeps[k]
        scale = _seconds(time)
        with refusing(path, FORMAT):
            if scale is None:
                raise Unreadable(f"its times are in {time.unit!r}; allowed: {', '.join(TIME)}")
            t = np.asarray(time.load(), dtype=float) * scale
            if len(t) < 2 or not np.isfinite(t).all():
                raise Unreadable("its times are damaged")
        recorded = tuple(Signal(x.name, x.unit, i, x.load) for i, x in enumerate(values))
        return FileSweep(t - t[0], recorded)

    return Contents(path, FORMAT, len(sweeps), sweep)


def _columns(data: bytes) -> Iterator[Column]:
    """The columns in their order; what follows them, how to draw them, is not read."""
    kind = data[:4]
    if kind == b"AxGr":
        version, count = unpack(">hh", data, 4)
        place = 8
    elif kind.lower() == b"axgx":
        version, count = unpack(">ii", data, 4)
        place = 12
    else:
        raise Unreadable("it is not a file of AxoGraph")
    if not (version in (1, 2) if kind == b"AxGr" else 3 <= version <= 6) or not 0 <= count <= MOST_COLUMNS:
        raise Unreadable(f"it is of version {version} with {count} columns; versions 1 to 6 can be read")

    def array(dtype: str, n: int, scale: float = 1.0, offset: float = 0.0) -> Callable[[], np.ndarray]:
        nonlocal place
        begin, size = place, np.dtype(dtype).itemsize
        place += n * size
        if n < 0 or place > len(data):
            raise Unreadable("it is damaged or cut short")
        return lambda: np.frombuffer(data, dtype, n, begin).astype(float) * scale + offset

    for k in range(count):
        if version < 3:
            n = unpack(">i", data, place)
            title = data[place + 5 : place + 5 + data[place + 4]].decode("mac-roman", "replace")
            place += 84
            form = 6 if version == 1 else SERIES if k == 0 else SCALED
        else:
            n, form, length = unpack(">iii", data, place)
            if not 0 <= length <= 2**16:
                raise Unreadable("it is damaged or cut short")
            title = data[place + 12 : place + 12 + length].decode("utf-16-be", "replace")
            place += 12 + length
        parts = TITLE.fullmatch(title.strip("\0 "))
        name, unit = (parts[1], parts[2].strip()) if parts else (title.strip("\0 "), "")
        if form == SERIES:
            numbers = ">ff" if version < 3 else ">dd"
            first, step = unpack(numbers, data, place)
            place += 8 if version < 3 else 16
            if not 0 <= n <= len(data):  # as long as its columns are, and those are in the file
                raise Unreadable("it is damaged or cut short")
            load: Callable[[], np.ndarray] = partial(_series, first, step, n)
        elif form == SCALED and version < 3:
            scale = unpack(">f", data, place)
            place += 4
            load = array(">i2", n, scale)
        elif form == SCALED:
            scale, offset = unpack(">dd", data, place)
            place += 16
            load = array(">i2", n, scale, offset)
        elif form in PLAIN:
            load = array(PLAIN[form], n)
        else:
            what = f"column {k + 1} ({title[:40]!r}) is of type {form}"
            raise Unreadable(f"{what}; recordings have types 4 to 7, 9 and 10")
        yield Column(name or f"column {k + 1}", unit, n, load)


def _series(first: float, step: float, n: int) -> np.ndarray:
    return first + step * np.arange(n)


def _sweeps(columns: list[Column]) -> Iterator[tuple[Column, list[Column]]]:
    """The times and the signals of each sweep."""
    titled = next((k for k, x in enumerate(columns[1:]) if NO_TITLE.fullmatch(x.name)), len(columns) - 1)
    rest = columns[1 + titled :]
    if titled and rest and all(NO_TITLE.fullmatch(x.name) for x in rest) and len(rest) % titled == 0:
        # Of a sequence of sweeps AxoGraph gives titles to the columns of the first.
        names = columns[1 : 1 + titled] * (len(rest) // titled + 1)
        values = zip(columns[1:], names, strict=True)
        columns = [columns[0], *(replace(x, name=title.name, unit=x.unit or title.unit) for x, title in values)]
    time = columns[0]
    block: list[Column] = []
    for column in columns[1:]:
        again = any(x.name == column.name and x.unit == column.unit for x in block)
        clock = column.name.lower().startswith("time") and _seconds(column) is not None
        if (again or clock) and block:
            yield time, block
            block = []
        if clock:
            time = column
        else:
            block.append(column)
    if block:
        yield time, block


def _seconds(column: Column) -> float | None:
    """The factor of a column's unit to ms; None if it is no unit of time."""
    return factor(TIME, column.unit)
