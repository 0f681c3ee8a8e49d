"""The notebook of a file of tests, which the file names as NOTEBOOK, run when its values are needed.

    NOTEBOOK = "1_HH_model_simulation.ipynb"

    def test_the_rheobase(lesson):
        assert abs(lesson.values["rheobase"] - 2.240) < 0.002

In a lesson, which nbval runs, a value is computed by the section that binds the name, run alone after the opening; a
notebook of docs/deeper is run from top to bottom. Either happens once for all tests of the file.
"""

import pytest
from support.lessons import RunLesson, RunWhole

from tools import DEEPER, ROOT
from tools.sections import Lesson

pytest.register_assert_rewrite("support.sections", "support.whole")  # their tests say what they compared


@pytest.fixture(scope="module")
def lesson(request) -> RunLesson:
    """`lesson.values["name"]`, `lesson.whole`, `lesson.section("title")`."""
    path = ROOT / request.module.NOTEBOOK
    return RunWhole(path) if path in DEEPER else RunLesson(path)


def pytest_generate_tests(metafunc):
    """A test with the argument `title` is run for each section of the file's notebook."""
    if "title" in metafunc.fixturenames and hasattr(metafunc.module, "NOTEBOOK"):
        titles = [section.title for section in Lesson(ROOT / metafunc.module.NOTEBOOK).sections]
        metafunc.parametrize("title", titles)
