"""Comma-separated tables (.csv) with columns t, V and I and their units, read and written as a `Trace`.

Not called csv, so that nothing here can be mistaken for the module of the standard library.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from helpers.simulation.trace import Trace

from .contents import Contents, FileSweep, Signal
from .conversion import CURRENT, DENSITY, TIME, VOLTAGE, check_even, factor

__all__ = ["open_csv", "write_csv"]

COLUMNS = {"t": TIME, "V": VOLTAGE, "I": CURRENT | DENSITY}
NAMES = {"t": "t", "time": "t", "v": "V", "vm": "V", "voltage": "V", "i": "I", "current": "I"}
QUOTED = re.compile(r'"(.*)"')
WINDOW = re.compile(r"# stimulus from ([-+.e\d]+) to ([-+.e\d]+) ms")
HEADING = re.compile(r"\s*(\w+)\s*[(\[]\s*([^)\]]*?)\s*[)\]]\s*")


def open_csv(path: Path) -> Contents:
    """Open a comma-separated file with three columns: time, voltage and current, in any order.

    The first line names each column with its unit: `t (ms),V (mV),I (pA)`. Names: t or time; V, Vm or voltage; I or
    current. Units: s, ms, µs; V, mV, µV; A, µA, nA, pA, or mA/cm², µA/cm², nA/cm², A/m² (also u for µ and 2 for ²).
    Times must be evenly spaced to within 5 % of an interval. A line that begins with # is a comment; `write_csv` writes
    the window of the stimulus into one.

    Raises ValueError, with file, line and column, for anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    rows = [
        (number, [QUOTED.sub(r"\1", cell.strip()) for cell in line.split(",")])
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        raise ValueError(f"{path.name} is empty; needed: a header such as t (ms),V (mV),I (pA), and at least 2 rows")
    names, factors, unit = _header(path, *rows[0])
    if len(rows) < 3:
        raise ValueError(f"{path.name} has {len(rows) - 1} rows of numbers; needed: at least 2")
    table = np.array([_numbers(path, number, cells, names) for number, cells in rows[1:]]) * factors
    columns = dict(zip(names, table.T, strict=True))
    check_even(path, columns["t"], [number for number, _ in rows[1:]])
    written = next((match for match in map(WINDOW.fullmatch, lines) if match), None)
    window = (float(written[1]), float(written[2])) if written else None
    V, I = Signal("V", "mV", 0, lambda: columns["V"]), Signal("I", unit, 1, lambda: columns["I"])
    content = FileSweep(columns["t"], (V, I), window=window)
    return Contents(path, "comma-separated values", 1, lambda sweep: content)


def write_csv(trace: Trace, path: str | Path) -> None:
    """Write t, V and I of a trace so that `read` restores them exactly, with start and stop in a comment."""
    rows = zip(trace.t.tolist(), trace.V.tolist(), trace.I.tolist(), strict=True)
    head = [f"# stimulus from {float(trace.start)!r} to {float(trace.stop)!r} ms", f"t (ms),V (mV),I ({trace.I_unit})"]
    body = [f"{t!r},{V!r},{I!r}" for t, V, I in rows]
    Path(path).write_text("\n".join([*head, *body, ""]), encoding="utf-8")


def _header(path: Path, line: int, cells: list[str]) -> tuple[list[str], list[float], str]:
    """Column names (t, V, I) in the order of the file, their factors, and the unit of I."""
    names: list[str] = []
    factors, unit = [], ""
    for column, cell in enumerate(cells, start=1):
        place = f"{path.name}, line {line}, column {column}"
        heading = HEADING.fullmatch(cell)
        if not heading:
            raise ValueError(f"{place}: {cell.strip()!r}; needed: a name and a unit, such as t (ms),V (mV),I (pA)")
        name = NAMES.get(heading[1].lower())
        if name is None:
            raise ValueError(f"{place}: unknown column {heading[1]!r}; allowed: {', '.join(NAMES)}")
        if name in names:
            raise ValueError(f"{place}: a second column for {name}, {cell.strip()!r}; allowed: one, in one unit")
        scale = factor(COLUMNS[name], heading[2])
        if scale is None:
            allowed = ", ".join(COLUMNS[name])
            raise ValueError(f"{place}: unknown unit {heading[2]!r} of {name}; allowed: {allowed}")
        if name == "I":
            unit = "pA" if factor(CURRENT, heading[2]) else "µA/cm²"
        names.append(name)
        factors.append(scale)
    if missing := [name for name in COLUMNS if name not in names]:
        raise ValueError(f"{path.name}, line {line}: no column for {', '.join(missing)}; needed: t, V and I")
    return names, factors, unit


def _numbers(path: Path, line: int, cells: list[str], names: list[str]) -> list[float]:
    if len(cells) != len(names):
        raise ValueError(
            f"{path.name}, line {line}: {len(cells)} fields; needed: {len(names)}, separated by commas, "
            "with a point in decimal numbers"
        )
    values = []
    for name, cell in zip(names, cells, strict=True):
        try:
            values.append(float(cell))
        except ValueError:
            values.append(np.nan)
        if not np.isfinite(values[-1]):
            raise ValueError(f"{path.name}, line {line}, column {name}: {cell.strip()!r} is not a finite number")
    return values
