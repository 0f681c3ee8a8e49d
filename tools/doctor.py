"""Say what is on this computer and what is wrong, with the command that fixes it: ./setup_pyhh.sh doctor.

It needs nothing but Python, reads only, and exits with 0 if the lessons can run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import webbrowser
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = os.environ.get("PYTHON", "")  # which Python setup_pyhh.sh is told to take
INSTALL = (f"PYTHON={shlex.quote(CHOSEN)} " if CHOSEN else "") + "./setup_pyhh.sh notebook"
BROWSERS = (  # that the tests can drive
    os.environ.get("PYHH_BROWSER_PATH", ""),
    "chromium",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
NEED_GB, SPARE_GB, MEMORY_GB = 3.0, 0.5, 1.8  # to install; to run; lesson 2 takes 1.3 GB
WIDTH = 118  # of the screen
IN_VENV = """
import json, sys
from importlib.metadata import distributions
found = {"python": "%d.%d.%d" % sys.version_info[:3], "packages": {}, "fault": ""}
for one in distributions():
    if one.metadata["Name"]:
        found["packages"].setdefault(one.metadata["Name"], one.version)
for name in ("numba", "matplotlib", "ipywidgets", "torch"):
    try:
        module = __import__(name)
    except ImportError as error:
        if name in found["packages"]:
            found["fault"] = found["fault"] or "%s cannot be imported: %s" % (name, error)
        continue
    except Exception as error:
        found["fault"] = found["fault"] or "%s cannot be imported: %s" % (name, error)
        continue
    if name == "torch":
        found["cuda"] = module.version.cuda or ""
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report: state is "ok", "note" (the lessons run all the same) or "WRONG"."""

    subject: str
    state: str
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Environment:
    """What `.venv` holds: None for `python` where it does not work, `packages` by canonical name."""

    python: str | None = None
    packages: Mapping[str, str] | None = None
    fault: str = ""
    cuda: str = ""


def main(root: Path = ROOT) -> int:
    """Print the report; 0 if nothing is wrong."""
    findings = list(examine(root))
    print("setup_pyhh doctor: what is on this computer")
    for one in findings:
        print(shorten(f"  {one.subject:<12} {one.state:<5}  {one.text}"))
        if one.fix:
            print(f"  {'':<12} {'':<5}  -> {one.fix}")
    wrong = sum(one.state == "WRONG" for one in findings)
    if wrong:
        print(f"The lessons cannot run yet: {wrong} thing{'s' * (wrong > 1)} WRONG; -> is the command that fixes it.")
    else:
        print("The lessons can run: ./setup_pyhh.sh notebook opens the first.")
    return int(wrong > 0)


def shorten(line: str) -> str:
    """Cut a line to the width of the screen."""
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def examine(root: Path) -> Iterator[Finding]:
    """All findings, the most basic first."""
    venv = read_environment(root)
    installed = bool(venv.python and venv.packages and "torch" in venv.packages)
    yield python()
    yield environment(root, venv)
    yield disk(root, needed=SPARE_GB if installed else NEED_GB)
    yield memory()
    yield cache(root)
    yield torch(venv)
    if (root / "helpers/inference/networks").is_dir():
        yield networks(root)
    yield recordings(root)
    yield browser()
    yield gpu()


def python() -> Finding:
    """The Python that runs this: setup_pyhh.sh sees to it that it is 3.11 or newer."""
    return Finding("Python", "ok", f"{sys.version.split()[0]} at {sys.executable}")


def read_environment(root: Path) -> Environment:
    """Ask the Python of `.venv` what it has."""
    command = [str(venv_python(root)), "-I", "-B", "-c", IN_VENV]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return Environment()
    packages = {canonical(name): version for name, version in found["packages"].items()}
    return Environment(found["python"], packages, found["fault"], found.get("cuda", ""))


def venv_python(root: Path) -> Path:
    """The Python of `.venv`, in its place on Linux and macOS or on Windows."""
    places = [root / ".venv/bin/python", root / ".venv/Scripts/python.exe"]
    return next((place for place in places if place.exists()), places[0])


def environment(root: Path, venv: Environment) -> Finding:
    """Whether `.venv` holds what the requirements ask for, in the versions that were tested."""

    def wrong(text: str, fix: str) -> Finding:
        return Finding("environment", "WRONG", text, fix)

    if not (root / ".venv").exists():
        if not writable(root):
            return wrong(f"not installed, and {root} is read-only", "cp -R . ~/neurons && cd ~/neurons")
        if not importable("ensurepip"):
            return wrong("not installed, and this Python cannot make an environment", "apt install python3-venv")
        return wrong("not installed yet: it takes 2 GB of disk and a few minutes", INSTALL)
    if not venv.python or venv.packages is None:
        return wrong("the Python of .venv does not run: it was moved, removed, or never finished", INSTALL)
    if numbers(venv.python) < numbers("3.11"):
        return wrong(f".venv has Python {venv.python}, older than 3.11", INSTALL)
    if text_of(root / ".venv/setup_pyhh.stamp").strip() == "installing":
        return wrong("the last installation was cut off, or is still running in another window", INSTALL)

    asked = dict(requirements(root / "requirements.txt"))
    repair = "rm -f .venv/setup_pyhh.stamp && " + INSTALL
    if missing := sorted(set(asked) - set(venv.packages)):
        return wrong(f"missing from .venv: {some(missing)}", repair)
    outside = [name for name, ranges in asked.items() if not within(venv.packages[name], ranges)]
    if outside:
        return wrong(some([f"{name} {venv.packages[name]} (needs {asked[name]})" for name in outside]), repair)
    if venv.fault:
        return wrong(venv.fault, f"rm -rf .venv && {INSTALL}")
    tested = dict(requirements(root / "constraints.txt"))
    both = sorted(set(tested) & set(venv.packages))
    other = [name for name in both if not within(venv.packages[name], tested[name])]
    if other:
        names = [f"{name} {venv.packages[name]}, tested {tested[name].removeprefix('==')}" for name in other]
        return Finding("environment", "note", f"versions that were not tested: {some(names)}", repair)
    return Finding("environment", "ok", f".venv, Python {venv.python}, {len(both)} packages as in constraints.txt")


def disk(root: Path, needed: float) -> Finding:
    """Free space where the series is, and for pip where temporary files are."""
    temporary = Path(tempfile.gettempdir())
    free = {folder: shutil.disk_usage(folder).free / 1e9 for folder in (root, temporary)}
    if free[root] < needed:
        spare = [name for name in (".venv-bench", "results", "site") if (root / name).exists()]
        fix = f"rm -rf {' '.join(spare)}" if spare else "python3 -m pip cache purge"
        return Finding("disk", "WRONG", f"{free[root]:.1f} GB free, {needed:g} GB needed: make room", fix)
    if free[temporary] < needed / 3:
        text = f"{free[temporary]:.1f} GB free in {temporary}, which pip fills: {needed / 3:g} GB needed"
        return Finding("disk", "WRONG", text, "mkdir -p ~/tmp && export TMPDIR=~/tmp")
    return Finding("disk", "ok", f"{free[root]:.0f} GB free")


def memory() -> Finding:
    """Memory of this computer, or what a container may use of it."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows
        return Finding("memory", "ok", f"not known here; lesson 2 takes {MEMORY_GB:g} GB")
    limit = text_of(Path("/sys/fs/cgroup/memory.max")).strip()
    total = min(total, int(limit) / 1e9) if limit.isdigit() else total
    free = re.search(r"MemAvailable: +(\d+) kB", text_of(Path("/proc/meminfo")))
    available = min(total, int(free[1]) / 1e6) if free else total
    if available < MEMORY_GB:
        text = f"{available:.1f} of {total:.1f} GB free, lesson 2 takes {MEMORY_GB:g} GB: close other programs"
        return Finding("memory", "note", text)
    return Finding("memory", "ok", f"{available:.0f} of {total:.0f} GB free")


def cache(root: Path) -> Finding:
    """Whether compiled code, networks and downloads can be kept: the rule of helpers/cache.py."""
    if chosen := os.environ.get("PYHH_CACHE"):
        folder = Path(chosen).expanduser()
        if all(writable(folder / kind) for kind in ("kernels", "networks", "recordings")):
            return Finding("cache", "ok", f"{folder} (PYHH_CACHE) can be written")
        return Finding("cache", "WRONG", f"PYHH_CACHE = {folder} cannot be written", "unset PYHH_CACHE")
    if all(writable(root / ".cache" / kind) for kind in ("kernels", "networks", "recordings")):
        return Finding("cache", "ok", ".cache can be written")
    if writable(Path.home() / ".cache"):
        return Finding("cache", "note", ".cache here cannot be written; files go to the cache folder of your account")
    if writable(Path(tempfile.gettempdir())):
        return Finding("cache", "note", ".cache here cannot be written; files go to the temporary folder")
    return Finding("cache", "WRONG", "no cache folder can be written", "export PYHH_CACHE=/path/to/a/folder")


def torch(venv: Environment) -> Finding:
    """The version and build of torch."""
    version = (venv.packages or {}).get("torch")
    if version is None:
        return Finding("torch", "note", "comes with the installation")
    if venv.cuda and not shutil.which("nvidia-smi"):
        return Finding("torch", "ok", f"{version}, built for CUDA {venv.cuda}: works, 3 GB more than needed here")
    return Finding("torch", "ok", f"{version}, {f'built for CUDA {venv.cuda}' if venv.cuda else 'CPU build'}")


def networks(root: Path) -> Finding:
    """The trained networks that come with the series."""
    wanted = re.findall(r'Recipe\(\s*"(\S+)"', text_of(root / "helpers/inference/shipped.py"))
    files = [root / f"helpers/inference/networks/{name}.npz" for name in wanted]
    missing = [path.name for path in files if not path.is_file()]
    damaged = [path.name for path in files if path.is_file() and not whole(path)]
    if not files or missing or damaged:
        found = [f"{some(names)} {what}" for names, what in ((missing, "missing"), (damaged, "damaged")) if names]
        text = ", ".join(found) or "none here"
        return Finding("networks", "note", f"{text}: lesson 2 trains its own, for minutes", "./setup_pyhh.sh train")
    size = sum(path.stat().st_size for path in files) / 1e6
    return Finding("networks", "ok", f"{len(files)} trained networks, {size:.1f} MB")


def recordings(root: Path) -> Finding:
    """The published recordings: in the folder that PYHH_RECORDINGS names, in a package, or downloaded."""
    wanted = set(re.findall(r'"(\S+\.abf)"', text_of(root / "helpers/recordings/published.py")))
    chosen = os.environ.get("PYHH_RECORDINGS")
    if chosen and not Path(chosen).is_dir():
        return Finding("recordings", "WRONG", f"PYHH_RECORDINGS = {chosen} is not a folder", "unset PYHH_RECORDINGS")
    folder = Path(chosen or root / ".cache/recordings")
    have = {name for name in wanted if (folder / name).is_file()}
    if chosen and not have:
        text = f"none in {folder}, which PYHH_RECORDINGS names: a lesson simulates a cell"
        return Finding("recordings", "note", text, "unset PYHH_RECORDINGS")
    if have:
        return Finding("recordings", "ok", f"{len(have)} of {len(wanted)} in {folder}")
    return Finding("recordings", "ok", "none yet: a lesson downloads one when it needs it, or simulates a cell")


def browser() -> Finding:
    """A browser to open Jupyter, and Chromium for the tests."""
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return Finding("browser", "ok", found)
    try:
        webbrowser.get()
    except webbrowser.Error:
        text = "none: Jupyter prints an address to open elsewhere; tests in a browser are skipped"
        return Finding("browser", "note", text, "apt install chromium" if shutil.which("apt") else "")
    return Finding("browser", "ok", "the one that you use; tests in a browser are skipped, as they need Chromium")


def gpu() -> Finding:
    """The NVIDIA card: the lessons do without."""
    if not shutil.which("nvidia-smi"):
        return Finding("GPU", "ok", "none, and none needed")
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("GPU", "ok", "nvidia-smi is here but fails; the lessons need no card")
    return Finding("GPU", "ok", f"{done.stdout.partition('(')[0].strip()}; the lessons do not use it")


def requirements(path: Path) -> Iterator[tuple[str, str]]:
    """Name and range of each line of a requirements file, and of those that it includes."""
    for line in text_of(path).splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from requirements(path.parent / text.removeprefix("-r ").strip())
        elif found := re.match(r"([\w.-]+)(?:\[.*?\])?\s*(.*)", text):
            yield canonical(found[1]), found[2].partition(";")[0].replace(" ", "")


def within(version: str, ranges: str) -> bool:
    """Whether a version satisfies the ranges that the requirements of the series use."""
    have = numbers(version)
    for operator, bound in re.findall(r"(==|>=|<)([^,]+)", ranges):
        limit = numbers(bound)
        if operator == "==":
            digits = len(re.findall(r"\d+", bound)) if bound.endswith(".*") else None
            fits = have[:digits] == limit[:digits]
        else:
            fits = have >= limit if operator == ">=" else have < limit
        if not fits:
            return False
    return True


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, without those of the build, in a form that can be compared."""
    found = [int(digits) for digits in re.findall(r"\d+", version.partition("+")[0])]
    return tuple(found + [0] * (8 - len(found)))


def canonical(name: str) -> str:
    """The name of a package, by which names that pip takes for the same are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def some(names: list[str]) -> str:
    """The first of several names, and how many there are more."""
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def whole(path: Path) -> bool:
    """Whether an archive can be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def writable(folder: Path) -> bool:
    """Whether a file can be made in the folder, or in the nearest parent where it is missing; nothing stays."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def importable(name: str) -> bool:
    """Whether a module is there."""
    return importlib.util.find_spec(name) is not None


def text_of(path: Path) -> str:
    """The content of a file; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
