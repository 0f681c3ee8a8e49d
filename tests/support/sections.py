"""What holds for every section of every notebook. Files of tests import these; `lesson` is the notebook of the file."""

import pytest

__all__ = ["test_a_section_runs_alone_and_its_cells_again", "test_slow_cells_run_again"]


@pytest.mark.long
def test_a_section_runs_alone_and_its_cells_again(lesson, title):
    """Short form: test_cells.py looks whether a section uses names that neither the opening nor itself gives."""
    lesson.section(title).again()


@pytest.mark.long
def test_slow_cells_run_again(lesson, title):
    lesson.section(title).again(slow=True)
