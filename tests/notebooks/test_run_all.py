"""Every cell of every notebook, run once more after Run All: what a learner does who goes back to a cell."""

from types import ModuleType

import pytest
from IPython.display import display
from support.lessons import Run, at_home

from tools import NOTEBOOKS
from tools.sections import Lesson

QUICK = ["1_HH_model_simulation", "one_step", "spike_cost", "noise", "phase_plane", "thresholds", "integrators"]
CASES = [
    pytest.param(path, marks=[] if path.stem in QUICK and path.parent.name != "exercises" else [pytest.mark.long])
    for path in NOTEBOOKS
]


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_cell_runs_again_after_run_all(path):
    lesson = Lesson(path)
    whole = Run(lesson.opening, ModuleType(f"{path.parent.name}_{path.stem}_all"), path.parent)
    whole.module.__dict__["display"] = display
    with at_home(whole):
        for _ in ("Run All", "again"):
            for section in lesson.all:
                for cell in section.code:
                    whole.execute(cell)
