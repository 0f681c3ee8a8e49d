"""The exercises' notebooks and their solutions, as the programs and the tests read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

__all__ = ["Exercise", "exercises_of", "opening_of", "solutions_of"]


@dataclass(frozen=True)
class Exercise:
    """The cells of one exercise, by what they are for; their ids are such as "rheobase-answer".

    Attributes
    ----------
    name
        Of the exercise; its check is ``mine.check_NAME``.
    cells
        All of them, in order.
    """

    name: str
    cells: tuple[NotebookNode, ...]

    def part(self, of: str) -> list[NotebookNode]:
        """The cells that are the "task", "given", "caption", "answer" or "check"."""
        return [cell for cell in self.cells if cell.id == f"{self.name}-{of}"]

    def code(self, answer: str | None = None) -> list[str]:
        """What is run, with another answer in place of the one in the cell."""
        replaced = {f"{self.name}-answer": answer} if answer is not None else {}
        return [replaced.get(cell.id, cell.source) for cell in self.cells if cell.cell_type == "code"]


def exercises_of(path: Path) -> list[Exercise]:
    """The exercises of a notebook, in order."""
    cells = nbformat.read(path, as_version=4).cells
    names = [cell.id.removesuffix("-task") for cell in cells if cell.id.endswith("-task")]
    return [Exercise(name, tuple(cell for cell in cells if cell.id.rpartition("-")[0] == name)) for name in names]


def opening_of(path: Path, seed: int | str | None = None) -> list[str]:
    """The code that comes before the exercises, with a student number."""
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    opening = cells["opening"]
    if seed is not None:
        opening, n = re.subn(r"(?m)^SEED = 0\b", lambda _: f"SEED = {seed!r}", opening)
        assert n == 1, "the opening cell sets SEED = 0"
    return [cells["colab"], opening]


def solutions_of(path: Path) -> dict[str, str]:
    """For each exercise the block of the file of solutions that goes into its answer cell."""
    written = (path.parent / "solutions" / f"{path.stem}.py").read_text("utf-8")
    _, *blocks = re.split(r"(?m)^# %% (\w+)\n", written)
    found = dict(zip(blocks[::2], (block.strip() for block in blocks[1::2]), strict=True))
    found.pop("end")
    return found
