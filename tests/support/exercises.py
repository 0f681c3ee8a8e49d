"""Exercises run in this process: each alone after the opening, with whatever answer a test gives."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt

from helpers.exercises import Verdict
from tools.exercises import Exercise, opening_of

SEEDS = (0, 20461, "s73-b")
NUMBERS = count()


def execute(cells: list[str], names: dict[str, Any]) -> dict[str, Any]:
    """Run cells in a module of their own, which can be read as a notebook's can; return its names.

    The value of the last line, which is a check, is called `verdict`.
    """
    module = ModuleType(f"exercise_{next(NUMBERS)}")
    module.__dict__.update(names)
    sys.modules[module.__name__] = module
    *others, last = cells
    with in_place():
        for i, cell in enumerate([*others, f"verdict = {last}"]):
            filename = f"{module.__name__}_{i}.py"
            linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
            exec(compile(cell, filename, "exec"), module.__dict__)
            plt.close("all")
    return module.__dict__


@contextmanager
def in_place() -> Iterator[None]:
    """Leave sys.path and plt.show as they were."""
    path, show = list(sys.path), plt.show
    plt.show = lambda *_, **__: None
    try:
        yield
    finally:
        sys.path[:], plt.show = path, show


def opened(path: Path, seed: int | str) -> dict[str, Any]:
    """The names that the opening of a notebook makes, for one student."""
    names = execute([opening_of(path, seed)[1], "None"], {})
    return {name: value for name, value in names.items() if not name.startswith("__")}


def answered(exercise: Exercise, names: dict[str, Any], answer: str | None) -> Verdict:
    """Run one exercise with an answer, or as it stands, after an opening; return what its check says."""
    return execute(exercise.code(answer), names)["verdict"]
