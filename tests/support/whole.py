"""What holds for a notebook of docs/deeper. Files of tests import these; `lesson` is the notebook of the file."""

import re

__all__ = ["test_it_prints_what_is_saved", "test_quick_cells_run_again"]

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")  # as in nbval_sanitize.cfg


def test_it_prints_what_is_saved(lesson):
    """What nbval compares of text, without a kernel for each notebook; nbval itself runs them in the long tests."""
    run = lesson.whole
    for cell in run.cells:
        if lesson.is_compared(cell):
            assert ADDRESS.sub("", run.shown[cell.index]) == ADDRESS.sub("", lesson.saved(cell)), f"cell {cell.index}"
        assert run.figures[cell.index] <= 1


def test_quick_cells_run_again(lesson):
    lesson.whole.again()
