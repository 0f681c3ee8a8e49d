"""./setup_pyhh.sh doctor on a copy with a real environment of empty packages, and on one fault after the other."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import typing
import venv
from collections import namedtuple
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from helpers.cache import cache_folder
from helpers.inference.shipped import RECIPES
from tools import ROOT, doctor

FILES = (
    "tools/doctor.py", "requirements.txt", "requirements/lesson1.txt", "requirements/lessons.txt", "constraints.txt",
    "helpers/recordings/published.py",
)  # fmt: skip
PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"
TESTED = {name: ranges.removeprefix("==") for name, ranges in doctor.requirements(ROOT / "constraints.txt")}


class Copy:
    """The few files that the doctor reads, and an environment in which every package is a name and a version."""

    def __init__(self, base: Path):
        self.folder, self.bin, self.home = base / "the series", base / "bin", base / "home"
        for name in FILES:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        for folder in (self.bin, self.home):
            folder.mkdir()
        venv.create(self.folder / ".venv", symlinks=os.name != "nt")
        (self.folder / ".venv/setup_pyhh.stamp").write_text("Python 3.11.7 1234 56 constraints.txt\n")
        base = str(self.folder / ".venv")
        self.packages = Path(sysconfig.get_path("purelib", "venv", vars={"base": base, "platbase": base}))
        for name, _ in doctor.requirements(ROOT / "requirements.txt"):
            self.package(name, TESTED[name])
        self.package("torch", TESTED["torch"] + "+cpu", "class version: cuda = None\n")
        self.program("chromium")

    def package(self, name: str, version: str, code: str = "") -> None:
        """Install a package, or another version of it."""
        for old in self.packages.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        (self.packages / f"{name}-{version}.dist-info").mkdir()
        metadata = self.packages / f"{name}-{version}.dist-info/METADATA"
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (self.packages / f"{name}.py").write_text(code)

    def program(self, name: str, text: str = "") -> None:
        (self.bin / name).write_text("#!/bin/sh\n" + text)
        (self.bin / name).chmod(0o755)

    def __call__(self, **environment: str) -> dict[str, list[str]]:
        """The report: state, text and, if there is one, the command, by subject; `status` and `shown` are kept."""
        here = {"PATH": str(self.bin), "HOME": str(self.home), "USERPROFILE": str(self.home), **environment}
        if os.name == "nt":
            here["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        command = [sys.executable, "-I", "-S", "-B", self.folder / "tools/doctor.py"]  # -S: no packages
        done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=120, check=False)
        assert not done.stderr, done.stderr
        self.status, self.shown = done.returncode, done.stdout
        return read(done.stdout)


def read(shown: str) -> dict[str, list[str]]:
    report: dict[str, list[str]] = {}
    for line in shown.splitlines()[1:-1]:
        if found := re.fullmatch(r"  (\w+) +(ok|note|WRONG)  +(.*)", line):
            report[found[1]] = [found[2], found[3]]
        else:
            report[list(report)[-1]].append(re.fullmatch(r" {22}-> (.*)", line)[1])
    return report


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def all_files(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_a_healthy_computer_fills_one_screen_and_nothing_changes(copy):
    before = all_files(copy.folder)
    report = copy()
    assert copy.status == 0 and {state for state, *_ in report.values()} == {"ok"}, copy.shown
    assert list(report) == [
        "Python", "environment", "disk", "memory", "cache", "torch", "recordings", "browser", "GPU"
    ]  # fmt: skip
    assert len(copy.shown.splitlines()) <= 25 and max(map(len, copy.shown.splitlines())) <= 120
    assert report["torch"][1] == f"{TESTED['torch']}+cpu, CPU build"
    assert all_files(copy.folder) == before


def test_a_bare_computer_is_told_the_one_command(copy):
    shutil.rmtree(copy.folder / ".venv")
    report = copy()
    assert copy.status == 1 and report["environment"][::2] == ["WRONG", "./setup_pyhh.sh notebook"]
    assert [subject for subject, (state, *_) in report.items() if state == "WRONG"] == ["environment"]
    assert copy(PYTHON="/my/python 3")["environment"][2] == "PYTHON='/my/python 3' ./setup_pyhh.sh notebook"
    assert copy.shown.splitlines()[-1].startswith("The lessons cannot run yet: 1 thing WRONG;")


def break_python(copy):
    (copy.folder / ".venv" / PYTHON).unlink()
    (copy.folder / ".venv" / PYTHON).symlink_to("/nowhere/python")


def cut_off(copy):
    (copy.folder / ".venv/setup_pyhh.stamp").write_text("installing\n")


def remove_package(copy):
    shutil.rmtree(copy.packages / f"sbi-{TESTED['sbi']}.dist-info")


FAULTS = {
    "the Python of .venv does not run": (break_python, "./setup_pyhh.sh notebook"),
    "cut off": (cut_off, "./setup_pyhh.sh notebook"),
    "missing from .venv: sbi": (remove_package, "rm -f .venv/setup_pyhh.stamp && ./setup_pyhh.sh notebook"),
    "numpy 1.26.4 (needs >=2.0,<3)": (
        lambda copy: copy.package("numpy", "1.26.4"),
        "rm -f .venv/setup_pyhh.stamp && ./setup_pyhh.sh notebook",
    ),
    "torch cannot be imported: libcudart.so.13": (
        lambda copy: copy.package("torch", TESTED["torch"], "raise OSError('libcudart.so.13: no such file')"),
        "rm -rf .venv && ./setup_pyhh.sh notebook",
    ),
    "numba cannot be imported": (
        lambda copy: copy.package("numba", TESTED["numba"], "import llvmlite"),
        "rm -rf .venv && ./setup_pyhh.sh notebook",
    ),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_of_the_environment_has_its_command(text, copy):
    fault, fix = FAULTS[text]
    fault(copy)
    report = copy()
    assert copy.status == 1
    assert report["environment"][0] == "WRONG" and text in report["environment"][1], copy.shown
    assert report["environment"][2] == fix


def test_a_version_that_was_not_tested_is_a_note(copy):
    for name in ("numpy", "scipy", "tqdm"):
        copy.package(name, {"numpy": "2.0.1", "scipy": "1.15.1", "tqdm": "4.66.5"}[name])
    state, text, fix = copy()["environment"]
    assert (copy.status, state) == (0, "note") and "numpy 2.0.1, tested " in text and text.endswith(" and 1 more")
    assert fix == "rm -f .venv/setup_pyhh.stamp && ./setup_pyhh.sh notebook"


def test_packages_of_ones_own_do_not_matter(copy):
    copy.package("something-else", "0.0.1")
    assert copy()["environment"][0] == "ok"


READ_ONLY = Path("/proc/sys")  # in which not even root can make a file


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_cache_that_cannot_be_written(kind, copy, tmp_path):
    chosen = READ_ONLY if kind == "folder" else tmp_path / "a file"
    if kind == "file":
        chosen.write_text("")
    elif not chosen.exists():
        pytest.skip("no read-only folder here")
    report = copy(PYHH_CACHE=str(chosen))
    assert copy.status == 1 and report["cache"][::2] == ["WRONG", "unset PYHH_CACHE"]
    assert str(chosen) in report["cache"][1]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="set PYHH_CACHE"):
        patch.setenv("PYHH_CACHE", str(chosen))
        cache_folder("kernels")


def test_a_cache_of_ones_own_is_good_before_it_exists(copy, tmp_path):
    report = copy(PYHH_CACHE=str(tmp_path / "not/yet"))
    assert report["cache"][0] == "ok" and not (tmp_path / "not").exists()


def test_a_read_only_series_keeps_its_files_elsewhere(copy, monkeypatch):
    (copy.folder / ".cache").write_text("")
    report = copy()
    assert copy.status == 0 and report["cache"][0] == "note" and "your account" in report["cache"][1]
    (copy.home / ".cache").write_text("")
    assert copy()["cache"][0] == "note" and "temporary folder" in copy()["cache"][1]
    monkeypatch.setattr(doctor, "writable", lambda folder: False)
    assert doctor.cache(copy.folder).state == "WRONG"


def test_the_kinds_of_cached_files_are_those_of_the_series():
    kinds = typing.get_args(typing.get_type_hints(cache_folder)["kind"])
    assert all(f'"{kind}"' in inspect.getsource(doctor.cache) for kind in kinds)


Usage = namedtuple("Usage", "free")


def test_a_disk_that_is_nearly_full(copy, monkeypatch, capsys):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(2.0e9))
    assert doctor.main(copy.folder) in (0, 1) and read(capsys.readouterr().out)["disk"][0] == "ok", "enough to run"
    shutil.rmtree(copy.folder / ".venv")
    assert doctor.main(copy.folder) == 1
    report = read(capsys.readouterr().out)
    assert report["disk"] == ["WRONG", "2.0 GB free, 3 GB needed: make room", "python3 -m pip cache purge"]
    (copy.folder / "results").mkdir()
    assert doctor.disk(copy.folder, 3.0).fix == "rm -rf results"
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(9e9 if folder == copy.folder else 1e8))
    assert "which pip fills" in doctor.disk(copy.folder, 3.0).text


def test_little_memory_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "text_of", lambda path: {"memory.max": "2000000000", "meminfo": ""}.get(path.name, ""))
    assert doctor.memory().state == "ok" and "of 2 GB" in doctor.memory().text
    monkeypatch.setattr(doctor, "text_of", lambda path: "MemAvailable:  500000 kB" if path.name == "meminfo" else "max")
    assert doctor.memory().state == "note" and "close other programs" in doctor.memory().text


def test_builds_of_torch_and_cards(copy):
    copy.package("torch", TESTED["torch"], "class version: cuda = '13.0'\n")
    report = copy()
    assert copy.status == 0 and "more than needed" in report["torch"][1] and report["GPU"][1].startswith("none")
    copy.program("nvidia-smi", 'echo "GPU 0: NVIDIA T4 (UUID: GPU-12)"')
    report = copy()
    assert report["torch"][1].endswith("built for CUDA 13.0") and report["GPU"][1].startswith("GPU 0: NVIDIA T4;")
    copy.program("nvidia-smi", "exit 9")
    assert "fails" in copy()["GPU"][1] and copy.status == 0


def test_recordings(copy, tmp_path):
    copy_of_cache = copy.folder / ".cache/recordings"
    copy_of_cache.mkdir(parents=True)
    (copy_of_cache / "171116sh_0018.abf").write_bytes(b"")
    assert copy()["recordings"][1].startswith("1 of 4 in ")
    report = copy(PYHH_RECORDINGS=str(tmp_path / "nowhere"))
    assert copy.status == 1 and report["recordings"][::2] == ["WRONG", "unset PYHH_RECORDINGS"]
    report = copy(PYHH_RECORDINGS=str(tmp_path))
    assert copy.status == 0 and report["recordings"][0] == "note" and "none in " in report["recordings"][1]
    shutil.copy(copy_of_cache / "171116sh_0018.abf", tmp_path)
    assert copy(PYHH_RECORDINGS=str(tmp_path))["recordings"] == ["ok", f"1 of 4 in {tmp_path}"]


def test_trained_networks(copy):
    inference = copy.folder / "helpers/inference"
    (inference / "networks").mkdir(parents=True)
    shutil.copy(ROOT / "helpers/inference/shipped.py", inference)
    report = copy()
    assert report["networks"][::2] == ["note", "./setup_pyhh.sh train"] and " missing" in report["networks"][1]
    for path in (ROOT / "helpers/inference/networks").glob("*.npz"):
        shutil.copy(path, inference / "networks")
    assert copy()["networks"][0] == "ok" and f"{len(RECIPES)} trained networks, " in copy()["networks"][1]
    (inference / "networks/conductances.npz").write_bytes(path.read_bytes()[:500])
    (inference / "networks/lif-statistics.npz").unlink()
    report = copy()
    assert copy.status == 0 and report["networks"][0] == "note"
    assert "lif-statistics.npz missing, conductances.npz damaged" in report["networks"][1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a browser is always there")
def test_without_a_browser(copy):
    (copy.bin / "chromium").unlink()
    report = copy()
    assert copy.status == 0 and report["browser"][0] == "note" and len(report["browser"]) == 2, "no apt in reach"
    copy.program("apt")
    assert copy()["browser"][2] == "apt install chromium"


def test_the_browsers_are_those_of_the_tests():
    driver = pytest.importorskip("support.browser", reason="no Playwright here: pip install -r tests/requirements.txt")
    assert set(driver.INSTALLED) <= set(doctor.BROWSERS)


def test_ranges_mean_what_they_mean_to_pip():
    ranges = {text for file in ("requirements.txt", "constraints.txt") for _, text in doctor.requirements(ROOT / file)}
    for text in {*ranges, "==0.17.*"}:
        for version in ("0.9.0", "0.17.4", "1.15", "2.0", "2.0.0", "2.13.0+cpu", "2.15.0", "3.0", "2026.8.0", "27.3"):
            assert doctor.within(version, text) == SpecifierSet(text).contains(version), (version, text)
