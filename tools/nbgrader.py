"""Write the exercises as a course of nbgrader: python -m tools.nbgrader FOLDER.

FOLDER/source/exercises_1/ and so on hold notebooks with solutions between nbgrader's marks, which it takes out for the
students; a check is a test cell worth one point. FOLDER/nbgrader_config.py sets the course up. See docs/exercises.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from . import EXERCISES, ROOT
from .exercises import exercises_of, solutions_of

CONFIG = '''"""A course of exercises; nbgrader reads this file in the folder of the course."""

import os

c = get_config()
c.CourseDirectory.course_id = "neurons"
c.ClearSolutions.code_stub = {{"python": "# your answer goes above, in place of ..."}}
c.ExecutePreprocessor.timeout = 300
os.environ["PYTHONPATH"] = {root!r}  # where helpers/ is
'''


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line."""
    parser = argparse.ArgumentParser(prog="./setup_pyhh.sh nbgrader", description="Write a course of nbgrader.")
    parser.add_argument("folder", type=Path, help="of the course, new or empty")
    folder = parser.parse_args(arguments).folder
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty", file=sys.stderr)
        return 1
    for path in EXERCISES:
        target = folder / "source" / f"exercises_{path.name[0]}" / path.name
        target.parent.mkdir(parents=True)
        nbformat.write(as_source(path), target)
        print(f"{target}  {len(exercises_of(path))} exercises")
    (folder / "nbgrader_config.py").write_text(CONFIG.format(root=str(ROOT)), encoding="utf-8")
    return 0


def as_source(path: Path) -> NotebookNode:
    """The instructor's version of a notebook: solutions in the answer cells, asserted checks, metadata."""
    notebook, solutions = nbformat.read(path, as_version=4), solutions_of(path)
    for cell in notebook.cells:
        name, _, part = cell.id.rpartition("-")
        if part == "answer":
            cell.source += f"\n### BEGIN SOLUTION\n{solutions[name]}\n### END SOLUTION"
            cell.metadata["nbgrader"] = metadata(cell.id, solution=True)
        elif part == "check":
            cell.source = f"assert {cell.source}"
            cell.metadata["nbgrader"] = metadata(cell.id, grade=True, points=1, locked=True)
        elif part in ("task", "given", "caption"):
            cell.metadata["nbgrader"] = metadata(cell.id, locked=True)
    return notebook


def metadata(grade_id: str, **kinds: Any) -> dict[str, Any]:
    """The metadata of a cell in nbgrader's schema, version 3."""
    plain = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False}
    return {**plain, "task": False, **kinds}


if __name__ == "__main__":
    sys.exit(main())
