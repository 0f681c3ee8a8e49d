"""Axon Text File: text that says by itself how it is laid out. Its first line is "ATF" and the version."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["AtfHeader", "atf_header"]


@dataclass(frozen=True)
class AtfHeader:
    """What the header of an Axon Text File says.

    Parameters
    ----------
    titles
        Number of lines up to the titles of the columns, these included.
    columns
        How many columns it announces.
    signals
        Name of the signal in each column after the first; () if it does not say.
    starts
        When each sweep began [ms], () if it does not say.
    """

    titles: int
    columns: int
    signals: tuple[str, ...]
    starts: tuple[float, ...]


def atf_header(path: Path, lines: Sequence[str]) -> AtfHeader | None:
    """Return the header of an Axon Text File, or None for another file.

    The second line counts the optional lines of the header and the columns. Raises ValueError, with file and line, if
    it does not, or if the file ends before its titles.
    """
    if not re.fullmatch(r'"?ATF"?[\s,]+"?\d+(\.\d+)?"?\s*', lines[0]):
        return None
    counts = re.fullmatch(r"\s*(\d{1,6})[\s,]+(\d{1,6})\s*", lines[1]) if len(lines) > 1 else None
    if not counts or int(counts[2]) < 1:
        raise ValueError(
            f"{path.name}, line 2: an Axon Text File has the numbers of its header lines and of its columns here"
        )
    titles = 3 + int(counts[1])
    if len(lines) < titles:
        raise ValueError(f"{path.name} ends before the titles of its columns, which line 2 places in line {titles}")
    optional = lines[2 : titles - 1]
    signals = next((_values(line) for line in optional if re.match(r'"?Signals=', line)), ())
    starts = next((_values(line) for line in optional if re.match(r'"?SweepStartTimesMS=', line)), ())
    try:
        times = tuple(float(value) for value in starts)
    except ValueError:
        times = ()
    return AtfHeader(titles, int(counts[2]), signals if len(signals) == int(counts[2]) - 1 else (), times)


def _values(line: str) -> tuple[str, ...]:
    """The values of an optional line: "Signals=" and "IN 0", "IN 1" in cells, or one quoted text with commas."""
    cells = next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])
    name, _, first = cells[0].partition("=")
    values = [*([first] if first.strip() else []), *cells[1:]]
    if len(values) == 1:
        values = values[0].split(",")
    return tuple(value.strip() for value in values)
