"""What each lesson needs, and what Google Colab and Binder install."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import LESSONS, ROOT

NEEDS = {"1": "requirements/lesson1.txt", "2": "requirements/lessons.txt", "3": "requirements/lessons.txt"}
MODULES = {"scikit-learn": "sklearn"}  # whose module has another name than the package
# In August 2026 (github.com/googlecolab/backend-info). Replacing one costs time, and may break Colab itself.
COLAB = {
    "anywidget": "0.9.21", "filelock": "3.32.3", "ipywidgets": "7.7.1", "lazy-loader": "0.5", "matplotlib": "3.10.0",
    "numba": "0.61.2", "numpy": "2.1.3", "pooch": "1.9.0", "scikit-learn": "1.6.1", "scipy": "1.16.3",
    "seaborn": "0.13.2", "torch": "2.11.0", "tqdm": "4.67.3",
}  # fmt: skip


def requirements(path: Path) -> Iterator[Requirement]:
    """What a file asks for, with what it takes from other files."""
    for line in path.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from requirements(path.parent / text.removeprefix("-r "))
        elif text:
            yield Requirement(text)


def modules(name: str) -> set[str]:
    """The modules that a file brings."""
    return {MODULES.get(one.name, one.name.replace("-", "_")) for one in requirements(ROOT / name)}


def code(lesson: Path) -> list[str]:
    cells = json.loads(lesson.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def uses(lesson: Path) -> str:
    """The imports of a lesson, and each name that it takes from a room: the program that looks all of them up."""
    lines: list[str] = []
    for source in code(lesson)[1:]:
        nodes = list(ast.walk(ast.parse(source)))
        lines += [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        lines += [
            f"{node.value.id}.{node.attr}"
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ROOMS
        ]
    return "\n".join(dict.fromkeys(lines))


ROOMS = ("artificial", "experiments", "figures", "inference", "recordings", "widgets")
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError("No module named " + name)
sys.meta_path.insert(0, Missing())
"""


@pytest.mark.parametrize(
    "lesson",
    [*LESSONS[:2], pytest.param(LESSONS[2], marks=pytest.mark.long)],  # the third has the file of the second
    ids=lambda path: path.name[0],
)
@pytest.mark.slow
def test_a_lesson_needs_only_what_its_file_says(lesson):
    missing = modules("requirements.txt") | {"distributed"}
    missing -= modules(NEEDS[lesson.name[0]])
    assert {"h5py", "pyarrow"} <= missing and ({"torch", "sbi"} <= missing) == lesson.name.startswith("1")
    program = uses(lesson)
    assert "figures." in program and len(program.splitlines()) > 20
    program = WITHOUT.replace("{missing}", repr(missing)) + program
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.name[0])
def test_colab_installs_what_the_lesson_needs_from_a_clone_of_its_own(lesson):
    *_, clone, enter, install = code(lesson)[0].splitlines()
    (target,) = set(re.findall(r"/content/\w+", clone))
    assert re.search(rf" https://github\.com/[\w.-]+/[\w.-]+\.git {target}$", clone)
    assert enter.split() == ["%cd", target]
    assert install.strip() == f"!pip install -q -r {NEEDS[lesson.name[0]]}"


def test_colab_keeps_what_it_has():
    ranges = {canonicalize_name(one.name): one.specifier for one in requirements(ROOT / "requirements/lessons.txt")}
    assert set(ranges) - set(COLAB) == {"executing", "sbi"}, "nothing else is missing there"
    for name, version in COLAB.items():
        assert ranges[name].contains(version), name


BINDER = ROOT / "binder"  # where it exists, Binder ignores the requirements.txt at the top


def test_binder_has_a_python_that_was_tested_and_a_script_it_can_run():
    assert {path.name for path in BINDER.iterdir()} == {"runtime.txt", "postBuild"}
    assert re.fullmatch(r"python-3\.1[1-3]\n", (BINDER / "runtime.txt").read_text("utf-8"))
    if os.name != "nt":
        assert os.access(BINDER / "postBuild", os.X_OK) and b"\r" not in (BINDER / "postBuild").read_bytes()


def test_binder_installs_the_lessons_as_tested_with_the_small_torch(tmp_path):
    """Its script, with a Python that only writes down what it is asked for."""
    (tmp_path / "python").write_text('#!/bin/sh\necho "$*" >>"$CALLS"\n')
    (tmp_path / "python").chmod(0o755)
    variables = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    subprocess.run(["bash", "binder/postBuild"], cwd=ROOT, env={**os.environ, **variables}, check=True, timeout=60)
    fetch, install, *_ = (tmp_path / "calls").read_text().splitlines()
    assert fetch == "-m pip install --no-cache-dir uv" and install.startswith("-m uv pip install --python ")
    assert "--torch-backend=cpu" in install.split()
    assert re.findall(r"-[cr] \S+", install) == ["-c constraints.txt", "-r requirements/lessons.txt"]
    assert "http" not in (BINDER / "postBuild").read_text("utf-8")


def test_the_badges_of_the_readme_open_lesson_1():
    badges = re.findall(r"\]\((https://(?:mybinder|colab)\S+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(badges) == 2 and all(unquote(badge).endswith(f"/{LESSONS[0].name}") for badge in badges)
    assert "/HEAD?urlpath=/doc/tree/" in unquote(badges[0])
