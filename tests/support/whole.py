"""What holds for a notebook of docs/deeper. Files of tests import these; `lesson` is the notebook of the file."""

import re
from configparser import RawConfigParser

from tools import ROOT

__all__ = ["test_it_prints_what_is_saved", "test_quick_cells_run_again"]

SANITIZE = RawConfigParser()
SANITIZE.read(ROOT / "tests/nbval_sanitize.cfg")
ADDRESS = re.compile(SANITIZE["addresses"]["regex"])


def test_it_prints_what_is_saved(lesson):
    """What nbval compares of text, without a kernel for each notebook; nbval itself runs them in the long tests."""
    run = lesson.whole
    for cell in run.cells:
        if lesson.is_compared(cell):
            assert ADDRESS.sub("", run.shown[cell.index]) == ADDRESS.sub("", lesson.saved(cell)), f"cell {cell.index}"
        assert run.figures[cell.index] <= 1


def test_quick_cells_run_again(lesson):
    lesson.whole.again()
