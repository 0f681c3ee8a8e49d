"""./setup_pyhh.sh versions, with a Python that only pretends in the place of the environment."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tools import ROOT, versions

FAKE_PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    "-m pip install --quiet uv") exit ${UV:-0} ;;
    "-m uv pip "*) [ -z "${UNSOLVABLE:-}" ] || { echo "no solution found"; echo "because of numpy"; exit 1; } ;;
    "-m pytest "*) [ -z "${BROKEN:-}" ] || { echo "F."; echo "FAILED test_a.py::test_b - assert 1 == 2"; exit 1; } ;;
    *" run 2_"*) [ -z "${BROKEN:-}" ] || { echo "2_Bayes  FAILED"; echo 'ZeroDivisionError: `x`'; exit 1; } ;;
    "-c "*) printf "numpy 2.5.0rc1\\nsbi missing\\ntqdm 4.70.1\\n" ;;
esac
"""


class Run:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
        self.folder, self.capfd, self.patch = folder, capfd, monkeypatch
        (folder / "requirements").mkdir()
        for name in ("requirements.txt", "requirements/lesson1.txt", "requirements/lessons.txt", "constraints.txt"):
            (folder / name).write_text((ROOT / name).read_text("utf-8"))
        for name in ("1_a.ipynb", "2_b.ipynb"):
            (folder / name).touch()
        monkeypatch.setattr(versions.venv, "create", self.create)
        monkeypatch.setenv("CALLS", str(folder / "calls"))
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
        monkeypatch.chdir(folder)

    def create(self, name: str, clear: bool, with_pip: bool) -> None:
        assert clear and with_pip
        python = self.folder / versions.python()
        python.parent.mkdir(parents=True)
        python.write_text(FAKE_PYTHON)
        python.chmod(0o755)

    def __call__(self, *arguments: str) -> int:
        """Run it; `calls`, `summary` and `shown` are what it asked of Python, and what it told where."""
        status = versions.main(arguments, self.folder)
        self.calls, self.summary = (self.folder / "calls").read_text(), (self.folder / "summary.md").read_text("utf-8")
        self.shown = self.capfd.readouterr().out
        return status


@pytest.fixture
def run(tmp_path, monkeypatch, capfd) -> Run:
    if os.name == "nt":
        pytest.skip("the Python that pretends is a shell script")
    return Run(tmp_path, monkeypatch, capfd)


def test_the_oldest_versions_are_tried_with_the_quick_tests(run):
    assert run("oldest") == 0
    assert "--torch-backend cpu --resolution lowest-direct -r tests/requirements.txt\n" in run.calls
    assert "not slow and not browser and not long -W ignore::DeprecationWarning\n" in run.calls
    assert "constraints.txt" not in run.calls and "tools.notebooks" not in run.calls
    assert "Nothing failed." in run.summary and run.summary.strip() in run.shown


def test_what_is_to_come_replaces_only_a_part_of_what_was_tested(run):
    assert run("numba") == 0
    first, second = re.findall("-m uv pip install .*", run.calls)
    assert first.endswith("-c constraints.txt -r tests/requirements.txt") and "prerelease" not in first
    assert second.endswith("--upgrade --prerelease allow numba numpy")
    assert "-m tools.notebooks run 1_a.ipynb\n" in run.calls and "-m tools.notebooks run 2_b.ipynb\n" in run.calls
    tested = dict(versions.requirements(ROOT / "constraints.txt"))["numpy"].removeprefix("==")
    assert f"| numpy | **2.5.0rc1** | {tested} |" in run.summary and "| sbi | **missing** |" in run.summary
    assert "| tqdm | 4.70.1 | 4.70.1 |" in run.summary


def test_all_that_fails_is_told(run):
    run.patch.setenv("BROKEN", "yes")
    assert run("sbi") == 1
    assert "2 failed:" in run.summary
    assert "- `FAILED test_a.py::test_b - assert 1 == 2`" in run.summary
    assert "- `-m tools.notebooks run 2_b.ipynb: 2_Bayes  FAILED / ZeroDivisionError: x`" in run.summary


def test_versions_that_cannot_be_installed_are_told_and_nothing_is_tested(run):
    run.patch.setenv("UNSOLVABLE", "yes")
    assert run("jupyter") == 1
    assert "no solution found / because of numpy" in run.summary and "pytest" not in run.calls


def test_a_hundred_failures_fit_into_a_summary(run):
    run("sbi")
    text = versions.summary("sbi", [f"FAILED test_{k} " + 1000 * "x" for k in range(100)])
    assert "100 failed:" in text and "- and 50 more" in text and len(text) < 20_000


@pytest.mark.parametrize("arguments", [[], ["latest"], ["oldest", "newest"]])
def test_anything_else_shows_the_usage(arguments, capsys):
    assert versions.main(arguments) == 2
    assert "versions oldest | newest | numba | sbi | jupyter" in capsys.readouterr().err


def test_nothing_goes_into_the_environment_of_the_series():
    assert versions.python().startswith(".venv-versions/")
    ignored = subprocess.run(["git", "check-ignore", ".venv-versions/x"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode in (0, 128)  # 128: not a repository
