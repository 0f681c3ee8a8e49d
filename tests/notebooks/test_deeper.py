"""The notebooks of docs/deeper that no other file of tests here runs: sections alone, and each cell again."""

import re
from pathlib import Path

import pytest
from support.lessons import RunLesson

from tools import DEEPER
from tools.sections import Lesson

HERE = Path(__file__).parent
TESTED = {  # the NOTEBOOK of each file of tests
    Path(name).name
    for path in HERE.glob("test_*.py")
    for name in re.findall(r'(?m)^NOTEBOOK = "(.+)"', path.read_text("utf-8"))
}
REST = [path for path in DEEPER if path.name not in TESTED]
LONG = {
    "eight_unknowns",
    "the_best_possible_inference",
    "which_check_sees_what",
}  # they train networks; nbval runs them
SECTIONS = [
    pytest.param(path, section.title, marks=[pytest.mark.long] if path.stem in LONG else [])
    for path in REST
    for section in Lesson(path).sections
]


@pytest.fixture(scope="module")
def runs() -> dict[Path, RunLesson]:
    return {path: RunLesson(path) for path in REST}


@pytest.mark.parametrize(
    ("path", "title"), SECTIONS, ids=lambda value: value.stem if isinstance(value, Path) else value
)
def test_a_section_runs_alone_and_its_cells_again(runs, path, title):
    run = runs[path].section(title)
    assert max(run.figures.values(), default=0) <= 1
    run.again()


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "title"), SECTIONS, ids=lambda value: value.stem if isinstance(value, Path) else value
)
def test_slow_cells_run_again(runs, path, title):
    runs[path].section(title).again(slow=True)
