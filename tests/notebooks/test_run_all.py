"""Every cell of every lesson and exercise, run once more after Run All: what a learner does who goes back to a cell."""

import pytest
from support.lessons import RunLesson

from tools import EXERCISES, LESSONS

# In the quick form lesson 1 alone; tests of docs/deeper do the same with each of its notebooks.
CASES = [pytest.param(path, marks=[] if path == LESSONS[0] else pytest.mark.long) for path in [*LESSONS, *EXERCISES]]


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_cell_runs_again_after_run_all(path):
    whole = RunLesson(path).whole
    whole.again()
    whole.again(slow=True)
