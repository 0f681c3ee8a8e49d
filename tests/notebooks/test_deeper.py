"""The notebooks of docs/deeper that no other file of tests here runs: sections alone, and each cell again."""

import re
from pathlib import Path

import pytest
from support.lessons import RunLesson
from support.sections import *  # noqa: F403

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


pytestmark = pytest.mark.parametrize(
    ("lesson", "title"),
    SECTIONS,
    indirect=["lesson"],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)


@pytest.fixture(scope="module")
def lesson(request: pytest.FixtureRequest) -> RunLesson:
    return RunLesson(request.param)
