"""What holds for every section of every notebook. Files of tests import these; `lesson` is the notebook of the file."""

import pytest

__all__ = ["test_a_section_runs_alone_and_its_cells_again", "test_slow_cells_run_again"]


def test_a_section_runs_alone_and_its_cells_again(lesson, title):
    run = lesson.section(title)
    assert max(run.figures.values(), default=0) <= 1
    run.again()


@pytest.mark.long
def test_slow_cells_run_again(lesson, title):
    lesson.section(title).again(slow=True)
