"""setup_pyhh.sh, on a copy and with a Python that only pretends, so that nothing is installed or downloaded."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import ROOT, versions

EVERYTHING = ("requirements.txt", "tools/website/requirements.txt", "tests/requirements.txt")
INCLUDED = ("requirements/lesson1.txt", "requirements/lessons.txt")
TOOLS = "awk bash cat cksum cp df dirname git grep id mkdir mktemp rm sed tail touch uname".split()

# Writes its arguments to $CALLS and does as little as the script needs to go on.
FAKE_PYTHON = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
    *sys.version_info*) echo "$VERSION"; [ "$VERSION" = 3.11.7 ] ;;
    *importlib.metadata*) [ -e "${0%/*/*}/torch" ] ;;
    *"import ensurepip"*) [ -z "${NO_VENV:-}" ] ;;
    -V) echo "Python $VERSION" ;;
    *os.cpu_count*) echo 3 ;;
    "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/$VENV_BIN"; cp "$0" "$4/$VENV_BIN/$VENV_PYTHON" ;;
    "-m pip list "*) echo "${PIP_LISTS:-numpy==2.4.6}" ;;
    "-m pip index versions torch") echo "Available versions: 2.15.0, ${TORCHES:-2.13.0+cpu}, 2.13.0" ;;
    "-m uv "*) [ -n "${UV:-}" ] || exit 1; case "$*" in *torch[=">"]=*) touch "${0%/*/*}/torch" ;; esac ;;
    *" pip install "*torch[=">"]=*) [ -z "${CUT_OFF:-}" ] || kill -9 $PPID; touch "${0%/*/*}/torch" ;;
    "-m pip install "*"-r "*) [ -z "${PIP_SAYS:-}" ] || { echo "$PIP_SAYS"; exit 1; } ;;
esac
"""


class Copy:
    """A copy of the script in a folder with a space in its name, run with only a few programs in reach."""

    def __init__(self, base: Path):
        self.folder, self.bin, self.log = base / "the notebooks", base / "bin", base / "calls"
        for folder in (*(self.folder / name for name in ("tests", "tools/website", "requirements")), self.bin):
            folder.mkdir(parents=True)
        for name in ("setup_pyhh.sh", "constraints.txt", *INCLUDED, *EVERYTHING):
            shutil.copy(ROOT / name, self.folder / name)
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name) or pytest.skip(f"no {name} here"))
        self.program("python3", FAKE_PYTHON)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run the script from another folder; `calls` then holds what it asked of Python."""
        self.log.write_text("")
        command = [self.folder / "setup_pyhh.sh", *arguments]
        variables = {"PATH": str(self.bin), "CALLS": str(self.log), "VERSION": "3.11.7", **environment}
        variables = {"VENV_BIN": "bin", "VENV_PYTHON": "python", **variables}
        done = subprocess.run(command, env=variables, cwd=self.bin, capture_output=True, text=True, timeout=60)
        self.calls = self.log.read_text()
        return done


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def one_line(done: subprocess.CompletedProcess) -> str:
    """The single line of a run that ended in a clear message."""
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_the_script_parses():
    subprocess.run(["bash", "-n", ROOT / "setup_pyhh.sh"], check=True)
    assert os.access(ROOT / "setup_pyhh.sh", os.X_OK)


@pytest.mark.parametrize("arguments", [[], ["frobnicate"]])
def test_anything_unknown_shows_the_usage(copy, arguments):
    done = copy(*arguments)
    assert done.returncode == 2 and "usage:" in done.stderr and not copy.calls


def test_help(copy):
    done = copy("help")
    assert done.returncode == 0 and "usage:" in done.stdout


def test_a_first_run_installs_and_a_second_does_not(copy):
    first = copy("run")
    assert first.returncode == 0, first.stderr
    assert "-m venv" in copy.calls and "pip install --no-compile -c constraints.txt torch==2.13.0" in copy.calls
    assert (
        "-m pip install -c constraints.txt -r requirements.txt" in copy.calls
        and "tests/requirements.txt" not in copy.calls
    )
    assert "-m tools.notebooks run 1_HH" in copy.calls

    second = copy("run")
    assert second.returncode == 0 and "pip" not in copy.calls and "-m tools.notebooks run" in copy.calls


def test_uv_installs_where_it_can_and_pip_where_it_cannot(copy):
    by_uv, by_pip = "-m uv pip install -c constraints.txt -r requirements.txt --python", "-m pip install -c constraints"
    assert copy("run", UV="yes").returncode == 0 and by_uv in copy.calls and by_pip not in copy.calls
    copy("run")
    assert "pip" not in copy.calls
    shutil.rmtree(copy.folder / ".venv")
    assert copy("run").returncode == 0 and by_uv in copy.calls and by_pip in copy.calls


@pytest.mark.parametrize("changed", ["requirements.txt", "constraints.txt", *INCLUDED])
def test_changed_requirements_are_installed_over_what_is_there(changed, copy):
    copy("run")
    with open(copy.folder / changed, "a") as file:
        file.write("another-package==1.0\n")
    copy("run")
    assert "pip install -c constraints.txt -r requirements.txt" in copy.calls
    assert "-m venv" not in copy.calls and "torch==" not in copy.calls


def test_the_tests_need_more_and_a_run_after_them_needs_nothing(copy):
    copy("run")
    copy("test", "-k", "clamp")
    assert "pip install -c constraints.txt -r tests/requirements.txt" in copy.calls and "-m venv" not in copy.calls
    for part in ("-m ruff check", "-m pytest tests 1_HH_model_simulation.ipynb", " --nbval ", " -n 3 ", " -k clamp\n"):
        assert part in copy.calls
    copy("run")
    assert "pip" not in copy.calls


def test_the_site_needs_less_than_the_tests(copy):
    assert copy("site", "elsewhere").returncode == 0
    assert "-m tools.website elsewhere\n" in copy.calls and "-r tools/website/requirements.txt" in copy.calls
    assert "tests/requirements.txt" not in copy.calls
    copy("test")
    assert copy("site").returncode == 0 and "pip" not in copy.calls


ROOT_USER, USER = "#!/usr/bin/env bash\necho 0\n", "#!/usr/bin/env bash\necho 1000\n"
APT = '#!/usr/bin/env bash\necho "apt-get $*" >>"$CALLS"\n'


@pytest.mark.parametrize(
    "user, CI, installs", [(ROOT_USER, "", True), (USER, "true", True), (USER, "", False)], ids=["root", "CI", "a user"]
)
def test_a_browser_is_installed_where_that_is_allowed(copy, user, CI, installs):
    copy.program("id", user)
    copy.program("sudo", '#!/usr/bin/env bash\nexec "$@"\n')
    assert copy("test", CI=CI).returncode == 0, "no apt-get here"
    copy.program("apt-get", APT)
    done = copy("test", CI=CI)
    assert done.returncode == 0 and "-m pytest tests" in copy.calls
    assert ("apt-get install -y --no-install-recommends chromium" in copy.calls) == installs
    assert ("installing chromium" in done.stdout) == installs
    copy("test", "quick", CI=CI)
    assert "apt-get" not in copy.calls  # it needs none
    copy.program("chromium", APT)
    copy("test", CI=CI)
    assert "apt-get" not in copy.calls  # one is here


def test_a_browser_that_cannot_be_installed_is_said(copy):
    copy.program("id", ROOT_USER)
    copy.program("apt-get", "#!/usr/bin/env bash\nexit 100\n")
    done = copy("test")
    assert done.returncode == 0 and "could not install chromium" in done.stdout and "-m pytest tests" in copy.calls


def test_a_failing_part_fails_the_tests_and_the_later_parts_still_run(copy):
    copy("test")
    python = copy.folder / ".venv/bin/python"
    python.write_text(python.read_text() + 'case "$*" in *" ruff "*) exit 1 ;; esac\n')
    assert copy("test").returncode == 1 and "--nbval " in copy.calls


def test_an_environment_whose_python_is_gone_is_made_again(copy):
    copy("run")
    python = copy.folder / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert copy("run").returncode == 0 and "-m venv --clear .venv" in copy.calls


def test_an_install_that_was_killed_starts_afresh(copy):
    assert copy("run", CUT_OFF="yes").returncode != 0
    assert copy("run").returncode == 0 and "-m venv --clear .venv" in copy.calls
    assert "pip" in copy.calls and "tools.notebooks" in copy.calls


def test_an_environment_of_ones_own_is_kept(copy):
    copy("run")
    (copy.folder / ".venv/setup_pyhh.stamp").unlink()
    copy("run")
    assert "-m venv" not in copy.calls and "pip install -c constraints.txt -r requirements.txt" in copy.calls


def test_a_failing_install_shows_the_end_of_its_log(copy):
    done = copy("run", PIP_SAYS="ERROR: No matching distribution found")
    assert done.returncode == 1 and "No matching distribution" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(".venv/install.log")
    copy("run")
    assert "-m venv" not in copy.calls, "what was installed in good order is kept"


def test_a_disk_that_fills_up_ends_in_one_line(copy):
    done = copy("run", PIP_SAYS="OSError: [Errno 28] No space left on device")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "the disk is full" in done.stderr


def test_a_full_disk_is_noticed_before_anything_is_made(copy):
    copy.program("df", "#!/usr/bin/env bash\necho Filesystem\necho '/dev/my disk 9 9 819200 60% /my disk'\n")
    assert "needs about 3 GB of free disk space, found 800 MB" in one_line(copy("run"))
    assert not (copy.folder / ".venv").exists()


@pytest.mark.parametrize("version", ["2.7.18", "3.9.2"])
def test_an_old_python_is_refused(copy, version):
    line = one_line(copy("run", VERSION=version))
    assert f"needs Python 3.11 or newer, found {version} at {copy.bin}/python3:" in line and "PYTHON=" in line


@pytest.mark.parametrize(("name", "module"), [("inference", "inference"), ("hh", "hh_bench")])
def test_the_benchmarks_of_inference_need_nothing_more(copy, name, module):
    assert copy("bench", name, "--quick").returncode == 0
    assert f"-m benchmarks.{module} --quick\n" in copy.calls and "benchmarks/requirements.txt" not in copy.calls
    assert not (copy.folder / ".venv-bench").exists()


def test_the_benchmark_of_the_integrate_and_fire_neuron_has_its_peer(copy):
    (copy.folder / "benchmarks").mkdir()
    shutil.copy(ROOT / "benchmarks/requirements.txt", copy.folder / "benchmarks/requirements.txt")
    assert copy("bench", "lif", "--quick").returncode == 0
    assert "-m benchmarks.lif --quick\n" in copy.calls and "benchmarks/requirements.txt" in copy.calls
    assert (copy.folder / ".venv-bench").exists() and not (copy.folder / ".venv").exists()
    assert "constraints.txt" not in copy.calls, "its peers need other versions than the series was tested with"


def test_constraints_are_what_is_installed_afresh_without_them(copy):
    copy("run")
    copy.program("python3.11", FAKE_PYTHON)
    versions = "numpy==2.5.0\ntorch==2.13.0+cpu\nzuko==1.6.0"
    gpu = "cuda-bindings==13.5.0\nnvidia-cublas==13.1.1.3\ntriton==3.8.0"
    done = copy("constraints", PIP_LISTS=f"{versions}\n{gpu}")
    assert done.returncode == 0, done.stderr
    assert "-m venv --clear .venv" in copy.calls and "-c constraints.txt" not in copy.calls
    assert " torch>=" in copy.calls, "the newest torch of the range"
    assert all(f"-m pip install -r {name}\n" in copy.calls for name in EVERYTHING)
    comment, *lines = (copy.folder / "constraints.txt").read_text().splitlines()
    assert comment.startswith("# ") and lines == versions.replace("+cpu", "").split("\n")
    copy("test")
    assert "-m pip install -c constraints.txt -r requirements.txt" in copy.calls and "-m venv" not in copy.calls


def test_constraints_that_cannot_be_made_leave_the_old_ones(copy):
    before = (copy.folder / "constraints.txt").read_text()
    assert "needs Python 3.11" in one_line(copy("constraints")), "no python3.11 here"
    copy.program("python3.11", FAKE_PYTHON)
    assert copy("constraints", PIP_SAYS="ERROR: No matching distribution found").returncode == 1
    copy.program("python3.12", "#!/usr/bin/env bash\necho 3.12.1; case $* in *'!= (3, 11)'*) exit 1 ;; esac\n")
    done = copy("constraints", PYTHON="python3.12")
    assert done.returncode == 1 and "the oldest that is supported" in done.stderr
    assert (copy.folder / "constraints.txt").read_text() == before


def pins() -> dict[str, str]:
    """The lines of constraints.txt: version by canonical name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9a-z.]+)", line) for line in lines if not line.startswith("#")]
    assert all(found), "only names and versions: no build, no address, no path"
    return {canonicalize_name(line[1]): line[2] for line in found if line}


def requirements(path: Path) -> Iterator[Requirement]:
    """What a file asks for, without what it takes from other files."""
    for line in path.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-r "):
            yield Requirement(text)


def test_the_constraints_are_within_the_ranges_of_the_requirements():
    asked = [one for name in (*INCLUDED, *EVERYTHING) for one in requirements(ROOT / name)]
    assert len(asked) > 20
    for one in asked:
        assert one.specifier.contains(pins()[canonicalize_name(one.name)]), one


def test_every_version_of_the_constraints_runs_on_the_oldest_python():
    """Not only on the 3.11 that they were made with: some packages refuse 3.11.2, which Debian 12 has."""
    for one in metadata.distributions():
        if pins().get(canonicalize_name(one.name)) == one.version:
            assert SpecifierSet(one.metadata.get("Requires-Python") or "").contains("3.11.0"), one.name


@pytest.mark.skipif(Path(sys.prefix).name == versions.FOLDER, reason="other versions lead to other packages")
def test_what_comes_indirectly_has_its_version_too():
    """Everything that the requirements lead to on this machine: a new one asks for ./setup_pyhh.sh constraints."""
    others = {"setuptools", "colorama", "appnope", "pywin32", "pywinpty"}  # left to pip: see write_constraints
    left = [one for name in (*INCLUDED, *EVERYTHING) for one in requirements(ROOT / name)]
    seen: set[tuple[str, str]] = set()
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        for extra in {"", *one.extras}:
            if (name, extra) in seen or name in others:
                continue
            seen.add((name, extra))
            try:
                needs = map(Requirement, metadata.requires(name) or [])
            except metadata.PackageNotFoundError:  # of the tests or the website, and this is another environment
                continue
            left += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    missing = {name for name, _ in seen} - set(pins())
    assert not {name for name in missing if not name.startswith(("nvidia-", "cuda-", "triton"))}


@pytest.mark.parametrize("installed", [False, True])
def test_the_doctor_looks_and_installs_nothing(installed, copy):
    if installed:
        copy("run")
    assert copy("doctor").returncode == 0
    python, version = "-B tools/doctor.py\n", r"-c import sys; [^\n]*\n(sys.exit[^\n]*\n)?"
    assert re.fullmatch(f"({version})+{re.escape(python)}", copy.calls)
    assert (copy.folder / ".venv").exists() == installed


def test_the_doctor_says_that_python_is_missing(copy):
    assert "needs Python 3.11 or newer, found 3.9.2" in one_line(copy("doctor", VERSION="3.9.2"))
    copy.program("python3", "#!/usr/bin/env bash\nexit 1\n")
    assert "install one from python.org" in one_line(copy("doctor"))


def test_other_versions_are_tried_without_the_environment_of_the_series(copy):
    assert copy("versions", "oldest").returncode == 0
    assert copy.calls.endswith("-m tools.versions oldest\n") and not (copy.folder / ".venv").exists()


def test_a_campaign_gets_its_arguments(copy):
    assert copy("campaign", "status", "my folder").returncode == 0
    assert "-m helpers.campaigns status my folder\n" in copy.calls


def test_the_long_tests_are_asked_for_by_name(copy):
    assert copy("test", "long", "-x").returncode == 0
    assert "-m pytest tests -m long -x\n" in copy.calls
    assert "-m pytest docs/deeper exercises --nbval " in copy.calls
    assert "-m pytest tests/browser -x\n" in copy.calls


def test_the_quick_tests_leave_out_browser_notebooks_and_what_is_slow(copy):
    assert copy("test", "quick", "-x").returncode == 0
    assert "-m pytest tests -m not slow and not browser" in copy.calls and " -x\n" in copy.calls
    assert "nbval" not in copy.calls


def test_networks_are_trained_by_name(copy):
    assert copy("train", "conductances").returncode == 0
    assert "-m tools.train conductances\n" in copy.calls


def test_python_can_be_chosen(copy):
    copy.program("my python", FAKE_PYTHON)
    copy.program("python3", "#!/usr/bin/env bash\nexit 1\n")
    assert "found none" in one_line(copy("run"))
    assert copy("run", PYTHON=str(copy.bin / "my python")).returncode == 0


def test_windows_keeps_its_python_elsewhere(copy):
    copy.program("uname", "#!/usr/bin/env bash\necho MINGW64_NT-10.0-26100\n")
    for _ in range(2):
        assert copy("run", VENV_BIN="Scripts", VENV_PYTHON="python.exe").returncode == 0
    assert "-m tools.notebooks run" in copy.calls and "pip" not in copy.calls
    assert (copy.folder / ".venv/Scripts/python.exe").exists() and not (copy.folder / ".venv/bin").exists()


def test_a_python_without_venv_is_refused(copy):
    assert "apt install python3-venv" in one_line(copy("run", NO_VENV="yes"))


def test_linux_without_a_gpu_takes_the_cpu_build(copy):
    copy.program("uname", "#!/usr/bin/env bash\necho Linux\n")
    copy("run", TORCHES="2.12.0", UV="yes")
    assert (
        "-m uv pip install --python .venv/bin/python --torch-backend=cpu -c constraints.txt torch==2.13.0" in copy.calls
    )
    assert "-m pip install --no-compile" not in copy.calls


@pytest.mark.parametrize("other", ["nvidia-smi", "Darwin"])
def test_elsewhere_pip_takes_its_own(copy, other):
    copy.program("uname", f"#!/usr/bin/env bash\necho {other if other == 'Darwin' else 'Linux'}\n")
    copy.program(other, "#!/usr/bin/env bash\n")
    copy("run", TORCHES="2.12.0")
    assert "-m pip install --no-compile -c constraints.txt torch==2.13.0" in copy.calls
    assert "torch-backend" not in copy.calls


def test_fetching_without_a_network_says_so(copy):
    nowhere = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_VALUE_0": "https://github.com/"}
    nowhere["GIT_CONFIG_KEY_0"] = f"url.{copy.folder.as_uri()}/nothing-here/.insteadOf"
    line = one_line(copy("pyhh", **nowhere))
    assert "could not fetch" in line and "everything else works" in line


def test_fetching_twice_fetches_once(copy):
    commit = "b659579fde9949744fb5aede34f092b6374eef33"
    copy.program("git", f'#!/usr/bin/env bash\necho "$*" >>"$CALLS"\n[ $3 != rev-parse ] || echo {commit}')
    done = copy("pyhh")
    assert done.returncode == 0 and "there already" in done.stdout and " fetch " not in copy.calls


@pytest.mark.parametrize("address", ["", "neurons", "ada/neurons/more", "ada/a b", "ada/x|y", "ada/x&y"])
def test_a_wrong_address_is_refused(copy, address):
    (copy.folder / "README.md").write_text("OWNER/REPO")
    assert "badges needs an address" in one_line(copy("badges", address))
    assert (copy.folder / "README.md").read_text() == "OWNER/REPO"


def test_badges_get_the_address(copy):
    notebook = "1_HH_model_simulation.ipynb"
    readme = copy.folder / "README.md"
    readme.write_text("µA [x](https://example.org/OWNER/REPO/a) OWNER/REPO\nrest\n", "utf-8")
    (copy.folder / notebook).write_text('{"source": ["clone OWNER/REPO"]}\n')
    assert copy("badges", "ada-l/my.neurons").returncode == 0
    expected = "µA [x](https://example.org/ada-l/my.neurons/a) ada-l/my.neurons\nrest\n"
    assert readme.read_text("utf-8") == expected
    assert (copy.folder / notebook).read_text() == '{"source": ["clone ada-l/my.neurons"]}\n'
    assert not list(copy.folder.glob("*.new"))
