"""The GitHub workflows, as far as they can be tried elsewhere: what they call exists, and their rights are few."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"


def read(name: str) -> dict:
    workflow = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return {**workflow, "on": workflow[True]}  # YAML takes the bare word on for a truth value


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*")), ids=lambda path: path.name)
def test_every_command_is_one_of_the_set_up(path):
    jobs = read(path.name)["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    usage = subprocess.run([ROOT / "setup_pyhh.sh", "help"], capture_output=True, text=True, check=True).stdout
    known = re.findall(r"^  (\w+)", usage, flags=re.MULTILINE)
    assert commands
    for command in commands:
        script, name = command.split()
        assert script == "./setup_pyhh.sh" and name in known


def test_the_tests_run_everywhere_and_every_week():
    workflow = read("tests.yml")
    (job,) = workflow["jobs"].values()
    assert [system.split("-")[0] for system in job["strategy"]["matrix"]["os"]] == ["ubuntu", "macos", "windows"]
    assert {"push", "pull_request", "schedule"} <= set(workflow["on"]) and workflow["permissions"] == {
        "contents": "read"
    }
    assert [step.get("shell") for step in job["steps"] if "run" in step] == ["bash"]  # Windows would take another one


def test_what_is_published_is_what_is_built():
    workflow = read("site.yml")
    (job,) = workflow["jobs"].values()
    uploaded = next(step["with"]["path"] for step in job["steps"] if "upload-pages" in step.get("uses", ""))
    source = (ROOT / "tools/website/__main__.py").read_text("utf-8")
    assert f'else "{uploaded}"' in source
    assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
