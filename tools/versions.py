"""Try the series with other versions than the tested ones, in an environment of its own: ./setup_pyhh.sh versions.

oldest     the oldest versions that the requirements allow
newest     the newest that they allow
numba      the tested ones, but numba and numpy as they will come: with pre-releases
sbi        the tested ones, but sbi as it is being written
jupyter    the tested ones, but Jupyter and its widgets with pre-releases

It runs the quick tests, and for what is still to come also the notebooks. The end says which versions there were and
what failed; on GitHub it also stands in the summary of the run. It exits with 1 if anything failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from .doctor import requirements, within

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ".venv-versions"
ASKED = ["-r", "tests/requirements.txt"]
TESTED = ["-c", "constraints.txt", *ASKED]
COMING = ["--upgrade", "--prerelease", "allow"]
INSTALLS: Mapping[str, Sequence[Sequence[str]]] = {
    "oldest": [["--resolution", "lowest-direct", *ASKED]],
    "newest": [ASKED],
    "numba": [TESTED, [*COMING, "numba", "numpy"]],
    "sbi": [TESTED, ["sbi @ git+https://github.com/sbi-dev/sbi"]],
    "jupyter": [TESTED, [*COMING, "notebook", "ipywidgets"]],
}
RANGES = ("oldest", "newest")
VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        print(name, "missing")
"""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Install, check and tell; 0 if all went well."""
    chosen = sys.argv[1:] if arguments is None else list(arguments)
    if len(chosen) != 1 or chosen[0] not in INSTALLS:
        print(f"usage: ./setup_pyhh.sh versions {' | '.join(INSTALLS)}", file=sys.stderr)
        return 2
    which = chosen[0]
    os.chdir(root)
    failures = install(which)
    if not failures:
        for command in checks(which):
            failures += run(command)
    tell(summary(which, failures))
    return int(bool(failures))


def install(which: str) -> list[str]:
    """Make the environment; return what failed."""
    venv.create(FOLDER, clear=True, with_pip=True)
    failures = run([python(), "-m", "pip", "install", "--quiet", "uv"])
    for packages in INSTALLS[which]:
        failures = failures or run(
            [python(), "-m", "uv", "pip", "install", "--python", python(), "--torch-backend", "cpu", *packages]
        )
    return failures


def checks(which: str) -> list[list[str]]:
    """The commands that must succeed."""
    quick = [python(), "-m", "pytest", "tests", "-q", "-m", "not slow and not browser and not long"]
    if which == "oldest":
        quick += ["-W", "ignore::DeprecationWarning"]  # old packages use of each other what newer ones will take away
    if which in RANGES:
        return [quick]
    lessons = sorted(path.name for path in Path().glob("[0-9]_*.ipynb"))
    return [quick, *([python(), "-m", "tools.notebooks", "run", name] for name in lessons)]


def run(command: Sequence[str]) -> list[str]:
    """Run a command and show what it says; return what failed, in the lines that say so."""
    print("$", *command, flush=True)
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line.rstrip())
    if process.returncode == 0:
        return []
    failed = [line for line in said if line.startswith(("FAILED ", "ERROR "))]
    return failed or [f"{' '.join(command[1:])}: {' / '.join([line for line in said if line][-3:])}"]


def summary(which: str, failures: Sequence[str]) -> str:
    """Versions and failures, in Markdown."""
    names = [name for name, _ in requirements(Path("requirements.txt"))]
    tested = {name: ranges for name, ranges in requirements(Path("constraints.txt"))}
    shown = subprocess.run([python(), "-c", VERSIONS, *names], capture_output=True, text=True, check=False).stdout
    lines = [f"## Versions: {which}", "", "| package | here | tested |", "|---|---|---|"]
    for name, version in (line.split() for line in shown.splitlines()):
        same = version != "missing" and within(version, tested[name])
        lines.append(f"| {name} | {version if same else f'**{version}**'} | {tested[name].removeprefix('==')} |")
    if not failures:
        return "\n".join([*lines, "", "Nothing failed.", ""])
    short = [f"- `{line[:300].replace('`', '')}`" for line in failures[:50]]
    more = [f"- and {len(failures) - 50} more"] if len(failures) > 50 else []
    return "\n".join([*lines, "", f"{len(failures)} failed:", "", *short, *more, ""])


def tell(text: str) -> None:
    """Print the summary, on GitHub also where the page of the run shows it."""
    print(f"\n{text}", flush=True)
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(page, "a", encoding="utf-8") as file:
            file.write(text + "\n")


def python() -> str:
    """The Python of the environment."""
    return f"{FOLDER}/Scripts/python.exe" if os.name == "nt" else f"{FOLDER}/bin/python"


if __name__ == "__main__":
    sys.exit(main())
