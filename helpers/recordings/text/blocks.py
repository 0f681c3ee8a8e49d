"""Rows of numbers, and the lines of text above each block of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .headings import find_headings
from .layout import Layout, looks_grouped, some_of

__all__ = ["Block", "find_blocks"]


@dataclass(frozen=True, eq=False)
class Block:
    """A block of rows of numbers.

    Parameters
    ----------
    head
        The lines of text above it, each with its number.
    lines
        The line of each row, (n,).
    cells
        The columns as they are written, each (n,).
    values
        The same as numbers, (n, n_columns); NaN where there is none.
    """

    head: tuple[tuple[int, str], ...]
    lines: np.ndarray
    cells: tuple[tuple[str, ...], ...]
    values: np.ndarray

    def part(self, rows: slice | np.ndarray) -> Block:
        """Return some of its rows."""
        chosen = np.arange(len(self.lines))[rows]
        cells = tuple(tuple(column[k] for k in chosen.tolist()) for column in self.cells)
        return Block(self.head, self.lines[chosen], cells, self.values[chosen])


def find_blocks(path: Path, lines: Sequence[str], layout: Layout, first: int = 0) -> tuple[list[Block], list[str]]:
    """Return the blocks of rows, and in words what was left out.

    A row has as many cells as most rows have; empty ones at its end may be more. Blank lines and comments do not end a
    block.
    first: lines before this one (counted from 0) are text, whatever they look like.

    Raises ValueError, with file, line and column, for a row that is damaged.
    """
    width = _width(lines[first:], layout)
    blocks: list[Block] = []
    head: list[tuple[int, str]] = [(k + 1, line) for k, line in enumerate(lines[:first]) if line.strip()]
    above: tuple[tuple[int, str], ...] = ()
    rows: list[tuple[int, list[str], list[float]]] = []

    def close() -> None:
        if rows:
            numbers, cells, values = zip(*rows, strict=True)
            columns = tuple(zip(*cells, strict=True))
            blocks.append(Block(above, np.array(numbers), columns, np.array(values)))
            rows.clear()

    for k in range(first, len(lines)):
        line = lines[k]
        cells = layout.cells(line)
        if not any(cells):
            continue
        values = layout.row(cells)
        fits = len(cells) >= width and not any(cells[width:])
        if fits and values is None and rows and all(layout.number(cell) is not None for cell in cells):
            values = [np.nan] * len(cells)  # a row of words that say that there is no number
        if values is not None and fits and not layout.is_comment(line):
            if not rows:
                above, head = tuple(head), []
            rows.append((k + 1, cells[:width], values[:width]))
        elif layout.is_comment(line) and rows and values is None:
            continue
        else:
            if rows and _is_row(cells, layout, width, lines[k + 1 :]):
                _refuse(path, k + 1, cells, layout, width, above)
            if blocks or rows:
                close()
            head.append((k + 1, line))
    close()
    left_out = [f"line {line} was left out, as it holds no row of numbers: {text[:60]!r}" for line, text in head[:3]]
    return blocks, left_out if blocks else []


def _width(lines: Sequence[str], layout: Layout) -> int:
    counts = layout.widths(some_of(lines))
    most = max(counts.values(), default=0)
    return next((width for width, count in sorted(counts.items()) if count == most), 0)


def _is_row(cells: Sequence[str], layout: Layout, width: int, after: Sequence[str]) -> bool:
    """Whether a line that is not a row was meant as one: it begins with a number, or stands where a row should be."""
    numbers = [layout.number(cell) is not None and cell != "" for cell in cells]
    if numbers[0] or looks_grouped(cells[0], layout.mark):
        return True
    if len(cells) != width or not any(numbers):
        return False
    following = next((line for line in after if line.strip()), None)
    return following is None or layout.row(layout.cells(following)) is not None


def _refuse(
    path: Path, line: int, cells: Sequence[str], layout: Layout, width: int, above: Sequence[tuple[int, str]]
) -> None:
    """Raise ValueError for a row that is damaged, and say how."""
    if len(cells) != width and not (len(cells) > width and not any(cells[width:])):
        raise ValueError(f"{path.name}, line {line}: {len(cells)} cells; needed: {width}, {layout.words}")
    found = find_headings(above, layout, width)
    column, cell = next((k, cell) for k, cell in enumerate(cells) if layout.number(cell) is None)
    name = repr(found[1][column].text) if found else str(column)
    why = "is not a number"
    if looks_grouped(cell, layout.mark):
        why += ": a separator between thousands is ambiguous beside decimal marks. Export the file without it"
    elif layout.separator != "," and ("," in cell or "." in cell):
        why += f" with a decimal {'point' if layout.mark == '.' else 'comma'}, as most cells are written"
    raise ValueError(f"{path.name}, line {line}, column {name}: {cell!r} {why}")
