"""The lesson of a file of tests: the notebook that it names as NOTEBOOK, run section by section when needed.

    NOTEBOOK = "1_HH_model_simulation.ipynb"

    def test_the_rheobase(lesson):
        assert abs(lesson.values["rheobase"] - 2.240) < 0.002

A value is computed by the section that binds the name, run alone after the opening, once for all tests of the file.
"""

import pytest
from support.lessons import RunLesson

from tools import ROOT
from tools.sections import Lesson

pytest.register_assert_rewrite("support.sections")  # its tests say what they compared, as those of the files do


@pytest.fixture(scope="module")
def lesson(request) -> RunLesson:
    """The notebook of this file: `lesson.values["name"]`, `lesson.section("title")`."""
    return RunLesson(ROOT / request.module.NOTEBOOK)


def pytest_generate_tests(metafunc):
    """A test with the argument `title` is run for each section of the file's notebook."""
    if "title" in metafunc.fixturenames and hasattr(metafunc.module, "NOTEBOOK"):
        titles = [section.title for section in Lesson(ROOT / metafunc.module.NOTEBOOK).sections]
        metafunc.parametrize("title", titles)
