"""The GitHub workflows, as far as they can be tried elsewhere: what they call exists, and their rights are few."""

import re
import subprocess

import pytest
import yaml

from tools import ROOT
from tools import versions as tools_versions

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
        script, name, *_ = command.split()
        assert script == "./setup_pyhh.sh" and name in known


def versions(name: str, job_name: str) -> list[str]:
    """For which versions a job calls ./setup_pyhh.sh versions."""
    job = read(name)["jobs"][job_name]
    (command,) = [step["run"] for step in job["steps"] if "run" in step]
    assert command == "./setup_pyhh.sh versions ${{ matrix.versions }}"
    matrix = job["strategy"]["matrix"]
    assert not job["strategy"]["fail-fast"], "one that fails does not hide the others"
    return matrix.get("versions") or [entry["versions"] for entry in matrix["include"]]


def test_both_ends_of_the_ranges_are_tried_with_the_tests():
    assert tuple(versions("tests.yml", "ranges")) == tools_versions.RANGES
    pythons = [entry["python"] for entry in read("tests.yml")["jobs"]["ranges"]["strategy"]["matrix"]["include"]]
    assert pythons == ["3.11", "3.13"]  # the oldest that is supported, and the one of Google Colab


def test_what_is_to_come_is_tried_every_week_and_stops_nothing():
    assert {*versions("canary.yml", "canary"), *tools_versions.RANGES} == set(tools_versions.INSTALLS)
    workflow = read("canary.yml")
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}, "neither a push nor a pull request waits for it"
    assert workflow["jobs"]["canary"]["continue-on-error"] is True and workflow["permissions"] == {"contents": "read"}
    (schedule,) = workflow["on"]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \d", schedule["cron"])


def test_the_actions_are_kept_up_to_date():
    dependabot = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text("utf-8"))
    (update,) = dependabot["updates"]
    assert dependabot["version"] == 2 and update["package-ecosystem"] == "github-actions"
    assert (update["directory"], update["schedule"]) == ("/", {"interval": "weekly"})


def test_the_tests_run_everywhere_and_every_week():
    workflow = read("tests.yml")
    job = workflow["jobs"]["test"]
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
