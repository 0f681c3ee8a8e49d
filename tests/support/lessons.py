"""Notebooks run in this process: a section alone after the opening, or all from top to bottom; values kept for tests.

Without a kernel, and with what other tests have imported and compiled, a notebook runs in a third of nbval's time.
"""

from __future__ import annotations

import ast
import io
import linecache
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
from IPython.display import display

from tools.sections import Cell, Lesson

QUICK = 0.5  # s: a cell that took no longer is run again in every test, others in the long tests


@dataclass
class Run:
    """Cells that have run: their names, and the seconds, figures and printed text of each."""

    cells: list[Cell]
    module: ModuleType
    folder: Path
    seconds: dict[int, float] = field(default_factory=dict)
    figures: dict[int, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, lesson: Lesson, cells: list[Cell], name: str) -> Run:
        """Return a run of cells of which none has run yet, in a module with this name."""
        module = ModuleType(f"{lesson.path.parent.name}_{lesson.path.stem}_{name}")
        module.__dict__["display"] = display
        return cls(cells, module, lesson.path.parent)

    def execute(self, cell: Cell) -> None:
        """Run one cell as a kernel would, without a screen; what it draws is closed at its end."""
        filename = f"{self.module.__name__}_{cell.name}.py"
        source = ast.unparse(cell.tree) if any(line.lstrip()[:1] in "!%" for line in cell.lines) else cell.source
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        begin, printed = time.process_time(), io.StringIO()
        try:
            with redirect_stdout(printed):
                exec(compile(source, filename, "exec"), self.module.__dict__)
        except Exception as error:
            error.add_note(f"in cell {cell.index} of {self.module.__name__}")
            raise
        self.seconds[cell.index] = time.process_time() - begin
        self.shown[cell.index] = printed.getvalue()
        self.figures[cell.index] = self.figures.get(cell.index, 0) + len(plt.get_fignums())
        plt.close("all")

    def again(self, slow: bool = False) -> None:
        """Run each cell alone once more, as all have left the names: those that were quick, or those that were slow."""
        with at_home(self):
            for cell in self.cells:
                if (self.seconds[cell.index] > QUICK) is slow:
                    self.module.__dict__.update(self.values)
                    self.execute(cell)


class RunLesson:
    """A lesson whose sections are run when a test asks for them or for a value that they compute.

    Attributes
    ----------
    values
        Every global name of the lesson with its value. Asking for one runs the section that gives it.
    """

    def __init__(self, path: Path) -> None:
        self.lesson = Lesson(path)
        self.runs: dict[str, Run] = {}

    @cached_property
    def values(self) -> Mapping[str, Any]:
        return Values(self)

    def section(self, title: str) -> Run:
        """Run the opening and a section, once; return what came of it."""
        if title not in self.runs:
            [section] = [section for section in self.lesson.all if section.title == title]
            run = Run.of(self.lesson, section.code, f"section_{self.lesson.all.index(section)}")
            with at_home(run):
                for cell in self.lesson.opening.code:
                    run.execute(cell)
                for cell in section.code if section is not self.lesson.opening else []:
                    run.execute(cell)
            run.values = dict(run.module.__dict__)
            self.runs[title] = run
        return self.runs[title]

    @cached_property
    def whole(self) -> Run:
        """The notebook, run from top to bottom."""
        run = Run.of(self.lesson, [cell for section in self.lesson.all for cell in section.code], "whole")
        with at_home(run):
            for cell in run.cells:
                run.execute(cell)
        run.values = dict(run.module.__dict__)
        return run

    def is_compared(self, cell: Cell) -> bool:
        """Whether nbval compares what a cell shows."""
        return "nbval-ignore-output" not in self.lesson.notebook.cells[cell.index].metadata.get("tags", [])

    def saved(self, cell: Cell) -> str:
        """The text that a cell printed when the notebook was saved."""
        outputs = self.lesson.notebook.cells[cell.index].outputs
        return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


class RunWhole(RunLesson):
    """A notebook that is run from top to bottom when a test asks for a value."""

    @cached_property
    def values(self) -> Mapping[str, Any]:
        return self.whole.values


class Values(Mapping[str, Any]):
    """The global names of a lesson with their values."""

    def __init__(self, of: RunLesson) -> None:
        self._of = of

    def __getitem__(self, name: str) -> Any:
        return self._of.section(self._of.lesson.section_that_binds(name).title).values[name]

    def __iter__(self) -> Iterator[str]:
        for section in self._of.lesson.all:
            yield from self._of.section(section.title).values

    def __len__(self) -> int:
        return len(list(iter(self)))


@contextmanager
def at_home(run: Run) -> Iterator[None]:
    """Be in the notebook's folder, with a matplotlib that shows nothing, and with the notebook as a module."""
    place, path, show = Path.cwd(), list(sys.path), plt.show
    sys.modules[run.module.__name__] = run.module
    os.chdir(run.folder)
    plt.show = lambda *_, **__: None
    try:
        yield
    finally:
        plt.show = show
        os.chdir(place)
        sys.path[:] = path
        plt.close("all")
