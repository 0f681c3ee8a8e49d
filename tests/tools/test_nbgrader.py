"""The exercises as a course of nbgrader: metadata as its schema (version 3) and its validator ask for."""

import re

import nbformat
import pytest

from tools import EXERCISES, nbgrader
from tools.exercises import exercises_of, solutions_of

# nbgrader/nbgraderformat/v3.json: what metadata.nbgrader may hold, and must
TYPES = {
    "schema_version": int, "grade": bool, "locked": bool, "solution": bool, "task": bool, "grade_id": str,
    "points": int, "checksum": str, "cell_type": str,
}  # fmt: skip
REQUIRED = {"schema_version", "grade", "locked", "solution"}


@pytest.fixture(params=EXERCISES, ids=lambda path: path.name[0])
def path(request):
    return request.param


def test_metadata_fits_the_schema_and_the_validator(path):
    source = nbgrader.as_source(path)
    nbformat.validate(source)
    ids = set()
    for cell in source.cells:
        data = cell.metadata.get("nbgrader")
        if data is None:
            continue
        assert REQUIRED <= set(data) <= set(TYPES)
        assert all(type(value) is TYPES[key] for key, value in data.items())
        assert data["schema_version"] == 3 and re.fullmatch(r"[a-zA-Z0-9_\-]+", data["grade_id"])
        assert ("points" in data) == data["grade"]
        if cell.cell_type == "markdown":
            assert not data["grade"] and not data["solution"]
        assert not (data["solution"] and data["locked"])
        assert data["grade_id"] not in ids
        ids.add(data["grade_id"])


def test_without_the_solutions_it_is_the_students_notebook(path):
    """What nbgrader's ClearSolutions does: regions between its marks are replaced by the stub of the config."""
    source, original = nbgrader.as_source(path), nbformat.read(path, as_version=4)
    solved = [cell for cell in source.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert len(solved) == len(exercises_of(path)) == len(solutions_of(path))
    for cell, before in zip(source.cells, original.cells, strict=True):
        text = re.sub(r"\n### BEGIN SOLUTION\n.*\n### END SOLUTION", "", cell.source, flags=re.DOTALL)
        assert text in (before.source, f"assert {before.source}")
    points = [cell.metadata.nbgrader.points for cell in source.cells if cell.id.endswith("-check")]
    assert points == [1] * len(solved)


def test_a_course_is_written_once(tmp_path, capsys):
    course = tmp_path / "course"
    assert nbgrader.main([str(course)]) == 0
    assert len(list(course.glob("source/exercises_[123]/*.ipynb"))) == 3
    config = (course / "nbgrader_config.py").read_text("utf-8")
    compile(config, "nbgrader_config.py", "exec")
    assert "code_stub = {" in config
    assert nbgrader.main([str(course)]) == 1
    assert "not empty" in capsys.readouterr().err
