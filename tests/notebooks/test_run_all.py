"""Every cell of every notebook, run once more after Run All: what a learner does who goes back to a cell."""

import pytest
from support.lessons import Run, at_home

from tools import DEEPER, LESSONS, NOTEBOOKS
from tools.sections import Lesson

CHEAP = {"one_step", "spike_cost", "noise", "phase_plane", "thresholds", "integrators"}
EVERY_TIME = [LESSONS[0], *(path for path in DEEPER if path.stem in CHEAP)]
CASES = [pytest.param(path, marks=[] if path in EVERY_TIME else [pytest.mark.long]) for path in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_cell_runs_again_after_run_all(path):
    lesson = Lesson(path)
    whole = Run.of(lesson, lesson.opening, "whole")
    with at_home(whole):
        for _ in ("Run All", "again"):
            for section in lesson.all:
                for cell in section.code:
                    whole.execute(cell)
