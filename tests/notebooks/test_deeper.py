"""The notebooks of docs/deeper of which no other file of tests here knows any value."""

import re
from pathlib import Path

import pytest
from support.lessons import RunWhole
from support.whole import *  # noqa: F403

from tools import DEEPER

HERE = Path(__file__).parent
TESTED = {  # the NOTEBOOK of each file of tests
    Path(name).name
    for path in HERE.glob("test_*.py")
    for name in re.findall(r'(?m)^NOTEBOOK = "(.+)"', path.read_text("utf-8"))
}
LONG = {  # half a minute each of training and sampling, which tests/inference holds to more
    "eight_unknowns",
    "the_best_possible_inference",
    "what_statistics_and_simulations_buy",
    "which_check_sees_what",
}
REST = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.long] if path.stem in LONG else [])
    for path in DEEPER
    if path.name not in TESTED
]


pytestmark = pytest.mark.parametrize("lesson", REST, indirect=True)


@pytest.fixture(scope="module")
def lesson(request: pytest.FixtureRequest) -> RunWhole:
    return RunWhole(request.param)
