"""Which character separates the cells of a table, and which is the decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["COMMENT", "Layout", "find_layout", "looks_grouped", "some_of"]

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks"}
MARKS = {".": "point", ",": "comma"}
MISSING = frozenset(
    ["", "nan", "-nan", "na", "n/a", "#n/a", "<na>", "null", "none", "-", "--", "nd", "1.#qnan", "-1.#ind"]
)  # in lower case: how programs write that there is no number
NUMBER = {
    ".": re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf)", re.IGNORECASE),
    ",": re.compile(r"[+-]?(?:(?:\d+(?:,\d+)?|,\d+)(?:[eE][+-]?\d+)?|inf)", re.IGNORECASE),
}
MINUS = str.maketrans(dict.fromkeys("\u2212\u2012\u2013\ufe63\uff0d", "-"))  # what stands for - in typeset numbers
CLOCK = re.compile(r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]+)?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)(?: ?[AP]M|Z)?")
# 1,100.0 1.100,0 1'100 1 100: digits in groups of three. Point or comma alone, with one group, may be decimal.
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([,.'\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d*)?")
COMMENT = re.compile(r'^\s*"?\s*(#|%|//|;)+\s?')
MANY = 400  # lines that are enough to see how a table is laid out


@dataclass(frozen=True)
class Layout:
    """How a row is written.

    Parameters
    ----------
    separator
        Between cells: a tab, ";", ",", or " " for blanks of any number.
    mark
        Decimal mark: "." or ",".
    """

    separator: str
    mark: str

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line, without blanks around them and without quotes."""
        if self.separator == " ":
            return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
        if '"' in line:
            try:
                cells = next(csv.reader([line], delimiter=self.separator, skipinitialspace=True), [])
            except csv.Error:  # a cell of more than 131,072 characters
                cells = line.split(self.separator)
        else:
            cells = line.split(self.separator)
        return [cell.strip() for cell in cells]

    def number(self, cell: str) -> float | None:
        """Return a cell as a number, NaN where it says that there is none, and None where it is no number.

        A time of day is a number of milliseconds.
        """
        cell = cell.translate(MINUS)
        if NUMBER[self.mark].fullmatch(cell):
            return float(cell.replace(",", "."))
        if cell.lower() in MISSING:
            return np.nan
        if clock := CLOCK.fullmatch(cell):
            hours, minutes, seconds = clock.groups()
            return 1e3 * (3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", ".")))
        return None

    def row(self, cells: Sequence[str]) -> list[float] | None:
        """Return the numbers of a row, or None unless all cells are numbers or empty and there is a number."""
        if self.mark == ".":
            try:  # most rows, quickly; what float reads besides digits is for below
                values = list(map(float, cells))
                if not any("_" in cell for cell in cells) and any(value == value for value in values):
                    return values
            except ValueError:
                pass
        values, found = [], False
        for cell in cells:
            value = self.number(cell)
            if value is None:
                return None
            found |= value == value
            values.append(value)
        return values if found else None

    def is_comment(self, line: str) -> bool:
        """Return whether a line begins with #, %, // or ; (unless ; separates cells)."""
        found = COMMENT.match(line)
        return bool(found) and not (found[1] == ";" == self.separator)  # type: ignore[index]

    def widths(self, lines: Sequence[str]) -> Counter[int]:
        """Count the rows of numbers among lines by how many cells they have."""
        rows = (
            cells for line in lines if not self.is_comment(line) and self.row(cells := self.cells(line)) is not None
        )
        return Counter(map(len, rows))

    @property
    def words(self) -> str:
        """Separator and decimal mark, in words."""
        return f"cells separated by {SEPARATORS[self.separator]}, decimal {MARKS[self.mark]}"


def find_layout(path: Path, lines: Sequence[str], separator: str | None = None) -> Layout:
    """Return the layout in which most lines are rows of numbers, of equally many cells.

    separator: the only one allowed, where the file names it (`sep=;`, as Excel reads it).

    Raises ValueError, with the file's name, if no line is a row of numbers.
    """
    seen = some_of(lines)
    best, most = None, (0, 0)
    for candidate in (separator,) if separator else SEPARATORS:
        for mark in MARKS:
            if candidate == mark and 2 * sum('"' in line for line in seen) < len(seen):
                continue  # a comma can be both only between quotes
            layout = Layout(candidate, mark)
            width, count = max(layout.widths(seen).items(), key=lambda pair: pair[1], default=(0, 0))
            if (score := (int(width > 1), count)) > most:  # of equals the first
                best, most = layout, score
    if best is None:
        near = max(seen, key=lambda line: sum(character.isdigit() for character in line[:200]), default="")
        raise ValueError(
            f"{path.name} has 0 rows of numbers; needed: at least 2. A row has numbers alone, with one decimal mark, "
            f"separated by tabs, semicolons, commas or blanks; the nearest is {near[:60]!r}"
        )
    return best


def some_of(lines: Sequence[str]) -> list[str]:
    """Return lines that are not blank from the beginning and the end of a file, enough to see its layout."""
    seen = [line for line in lines if line.strip()]
    return seen if len(seen) <= MANY else seen[: MANY // 2] + seen[-MANY // 2 :]


def looks_grouped(cell: str, mark: str) -> bool:
    """Return whether a cell is a number with separators between its thousands, which `mark` does not explain."""
    cell = cell.translate(MINUS)
    found = GROUPED.fullmatch(cell)
    return bool(found) and not (found[1] == mark and NUMBER[mark].fullmatch(cell))  # type: ignore[index]
