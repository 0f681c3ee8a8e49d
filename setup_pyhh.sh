#!/usr/bin/env bash
# Sets the notebooks up in .venv, then runs, opens or tests them. Kept to the bash 3.2 that macOS has.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
trap 'exit 130' INT  # pip turns Ctrl-C into an ordinary failure; here it stays an interruption

everything=(requirements.txt tools/website/requirements.txt tests/requirements.txt)
notebooks=(1_HH_model_simulation.ipynb 2_Bayesian_Inference.ipynb 3_Biological_vs_Artificial_Neurons.ipynb)
# use_venv FOLDER: the virtual environment that everything below works on.
use_venv() {
    venv=$1
    venv_python=$venv/bin/python
    case "$(uname)" in MINGW* | MSYS*) venv_python=$venv/Scripts/python.exe ;; esac  # Git's bash on Windows
    log=$venv/install.log
    stamp=$venv/setup_pyhh.stamp  # "installing", or what is installed; see set_up
}
pins=constraints.txt  # the versions that were tested; empty for the newest that the requirements allow
torch=""  # which torch to install; empty for the one that was tested
use_venv .venv

usage() {
    cat <<'END'
usage: ./setup_pyhh.sh COMMAND
  run                execute the three notebooks; leaves them as HTML in results/
  notebook           open the first notebook in Jupyter
  test               check the code, the helpers, the notebooks and the site, also in a browser; more arguments go to pytest
  test quick         without the browser, the notebooks and slow tests: for every change of a line
  test long          the long form of the tests that also have a short one: 50 kills, every fault, every notebook by nbval and
                     in browsers
  lesson N ...       make a notebook for a class: lesson 1 --sections 4-6 --minutes 90 --no-answers --slides
  train [NAME...]    train the networks that come with the series again, and compare them with the old ones
  grade FOLDER       mark the exercises of a class, offline: runs every notebook in FOLDER, writes FOLDER/marks.csv
  nbgrader FOLDER    write the exercises as a course of nbgrader into FOLDER
  doctor             say what is on this computer, what is wrong, and how to fix it; changes nothing
  site               make web pages of the notebooks as they are saved, with a live bench that needs no Python, in site/
  fit FILE           fit a recorded cell, with a report in results/: fit cell.abf --sweeps 0 8 11 14; see fit --help
  campaign           simulate a million times and more, into a folder that survives whatever happens; see campaign --help
  constraints        install the newest versions afresh and write them into constraints.txt; test them before you keep it
  versions WHICH     the quick tests with the oldest or newest versions, or those to come of numba, sbi or jupyter
  bench              time the simulator and its peers, in an environment of its own (.venv-bench, 3 GB)
  bench inference    measure the inference against reference posteriors
  bench hh           HH-bench: methods of inference on tasks with neurons; hours, but see --help
  bench lif          six parameters of an integrate-and-fire neuron, compared with BayesFlow (.venv-bench, too; hours)
  pyhh               fetch the pyHH simulator that the series started from, into external/pyHH
  badges OWNER/REPO  write the address of the published repository into the README and the notebooks
  help               show this text
The first command that needs it makes .venv and installs what is needed; PYTHON=... chooses its Python.
END
}

say() { echo "setup_pyhh: $*"; }
fail() { say "$*" >&2; exit 1; }

# Sets `python` to a Python 3.11 or newer; PYTHON=... leaves it no choice.
find_python() {
    local candidate version found=""
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11 python; fi
    for candidate in "$@"; do
        python=$(command -v "$candidate") || continue
        if version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])
sys.exit(sys.version_info < (3, 11))' 2>/dev/null); then return; fi
        [ -n "$found" ] || [ -z "$version" ] || found="$version at $python"
    done
    fail "needs Python 3.11 or newer, found ${found:-none}: install one from python.org or set PYTHON=/path/to/python"
}

free_mb() {  # the number before "Use%", since names of disks and folders may hold spaces
    df -Pk . | awk 'NR == 2 { for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+%$/) print int($(i - 1) / 1024) }'
}

need_gb() {
    local free
    free=$(free_mb)
    [ "$free" -ge $(($1 * 1000)) ] || fail "needs about $1 GB of free disk space, found $free MB: free some and try again"
}

# stage TEXT COMMAND...: one line on the screen, the rest into the log.
stage() {
    say "$1"
    shift
    if "$@" >>"$log" 2>&1; then return; fi
    if grep -q 'No space left' "$log" || [ "$(free_mb)" -lt 100 ]; then
        fail "the disk is full ($(free_mb) MB free here; pip also fills the temporary folder): free 3 GB and try again"
    fi
    tail -n 15 "$log" >&2
    rm -f "$stamp"  # pip gave up in good order: what is there can be built on
    fail "failed; the whole log is $PWD/$log"
}

has_torch() {  # without importing it, which takes a second
    "$venv_python" -c "from importlib.metadata import version
assert version('torch').split('+')[0] == '${torch#torch==}'" 2>/dev/null
}

# On Linux the usual torch is the CUDA build, several GB that a computer without an NVIDIA card has no use for.
install_torch() {
    local known
    known=$("$venv_python" -m pip index versions torch 2>>"$log" || true)
    if [ "$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null && [[ "$known" != *"${torch#torch==}+cpu"* ]]; then
        say "installing $torch, CPU build"
        if "$venv_python" -m uv pip install --python "$venv_python" --torch-backend=cpu \
            ${pins:+-c "$pins"} "$torch" >>"$log" 2>&1
        then return; fi
        say "no CPU build found: taking the CUDA build, about 3 GB to download"
        need_gb 8
    fi
    # Python compiles what it imports, when it does; to compile all of torch takes longer than to install it.
    stage "installing $torch" "$venv_python" -m pip install --no-compile ${pins:+-c "$pins"} "$torch"
}

# install ARGUMENTS...: by uv, in a quarter of pip's time; by pip where uv cannot, for instance with an index of one's own.
install() {
    "$venv_python" -m uv pip install ${pins:+-c "$pins"} "$@" --python "$venv_python" ||
        "$venv_python" -m pip install ${pins:+-c "$pins"} "$@"
}

# set_up REQUIREMENTS...: makes the environment hold these files. The stamp says what it holds, so that a second call is quick;
# "installing" in it means that the last call was cut off, and that no package can be trusted.
set_up() {
    local want sums python file
    torch=${torch:-$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)}
    sums=$(cksum ${pins:+"$pins"} requirements/*.txt "$@")
    want="$("$venv_python" -V 2>/dev/null || true) $sums"
    case "$(cat "$stamp" 2>/dev/null || true)" in "$want"*) return ;; esac
    has_torch || need_gb 3

    if [ "$(cat "$stamp" 2>/dev/null || true)" = installing ] || ! "$venv_python" -m pip --version >/dev/null 2>&1 ||
        ! "$venv_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        find_python
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "$python cannot make a virtual environment: on Debian or Ubuntu, apt install python3-venv"
        say "making $venv with $("$python" -V); the first time takes a few minutes"
        "$python" -m venv --clear "$venv" || fail "could not make $venv"
        want="$("$venv_python" -V) $sums"
    fi

    echo installing >"$stamp"
    : >"$log"
    "$venv_python" -m uv --version >>"$log" 2>&1 || "$venv_python" -m pip install uv >>"$log" 2>&1 || true
    has_torch || install_torch
    for file in "$@"; do
        stage "installing $file" install -r "$file"
    done
    echo "$want" >"$stamp"
}

# The oldest Python chooses: what it can install, every later one can. Packages also draw the line between 3.11.2, which
# Debian 12 has, and later ones: the earlier the better. What only other systems need is left to pip.
write_constraints() {
    local PYTHON=${PYTHON:-python3.11} python found
    find_python
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        fail "constraints are made with Python 3.11, the oldest that is supported: set PYTHON=/path/to/python3.11"
    rm -rf "$venv"
    pins=""
    torch=$(sed -n 's/^\(torch[^ ]*\).*/\1/p' requirements/lessons.txt)
    set_up "${everything[@]}"
    found=$("$venv_python" -m pip list --format=freeze --exclude pip --exclude setuptools --exclude uv)
    {
        echo "# Every version that was tested, also of what comes indirectly. ./setup_pyhh.sh constraints writes this file."
        # Without the build (+cpu and its like) and without the libraries of the CUDA build: a matter of the machine.
        echo "$found" | sed -e 's/+[^ ]*$//' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton==/d'
    } >constraints.txt
    say "wrote constraints.txt: now ./setup_pyhh.sh test"
}

fetch_pyhh() {
    local url=https://github.com/swharden/pyHH commit=b659579fde9949744fb5aede34f092b6374eef33 folder=external/pyHH
    if [ "$(git -C "$folder" rev-parse HEAD 2>/dev/null)" = "$commit" ]; then say "$folder is there already"; return; fi
    mkdir -p "$folder"
    if git init -q "$folder" && GIT_TERMINAL_PROMPT=0 git -C "$folder" -c http.lowSpeedLimit=1000 \
        -c http.lowSpeedTime=20 fetch -q --depth 1 "$url" "$commit" 2>/dev/null &&
        git -C "$folder" checkout -q "$commit"; then
        say "fetched pyHH into $folder"
    else
        fail "could not fetch $url (no network, or no git?): everything else works, as helpers/ carries the simulator"
    fi
}

write_badges() {
    local file
    [[ "${1:-}" =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || fail "badges needs an address such as ada/neurons, got '${1:-}'"
    for file in README.md "${notebooks[@]}" exercises/*.ipynb; do
        grep -qs OWNER/REPO "$file" || continue
        sed "s|OWNER/REPO|$1|g" "$file" >"$file.new"
        cat "$file.new" >"$file" && rm "$file.new"  # cat keeps the permissions
        say "wrote $1 into $file"
    done
}

has_browser() {
    local name
    for name in "${PYHH_BROWSER_PATH:-}" chromium google-chrome; do
        if [ -n "$name" ] && command -v "$name" >/dev/null; then return; fi
    done
    return 1
}

# The tests of the notebooks in a browser take the one that is here; on Debian and Ubuntu it can be installed.
install_browser() {
    local as_root=() browser_log
    if has_browser || ! command -v apt-get >/dev/null; then return 0; fi
    if [ "$(id -u)" != 0 ]; then
        if [ "${CI:-}" = true ] && command -v sudo >/dev/null; then as_root=(sudo); else return 0; fi
    fi
    say "installing chromium"
    browser_log=$(mktemp)
    { ${as_root[@]+"${as_root[@]}"} apt-get update &&
        ${as_root[@]+"${as_root[@]}"} apt-get install -y --no-install-recommends chromium fonts-dejavu; } >>"$browser_log" 2>&1 ||
        say "could not install chromium (see $browser_log): the tests go on without a browser"
}

# run_tests [quick | long] ARGUMENTS...: one process more than there are processors, as each waits now and then for a browser,
# a kernel or a program that it has started, but nine at most, of a GB each; a file of tests or a notebook stays in one.
run_tests() {
    local status=0 kind="" processes
    processes=$("$venv_python" -c 'import os; print(min(os.cpu_count() or 1, 8) + 1)')
    local workers=(-n "$processes" --dist loadfile --no-loadscope-reorder)
    local nbval=(--nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 600)
    case "${1:-}" in quick | long) kind=$1; shift ;; esac
    unset PYTHONDONTWRITEBYTECODE  # else each process that a test starts translates the helpers anew
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}  # torch: threads of several processes spend their time waiting
    if [ "$kind" = long ]; then
        "$venv_python" -m pytest tests -m long "$@" || status=1
        "$venv_python" -m pytest docs/deeper exercises "${nbval[@]}" "${workers[@]}" "$@" || status=1
        PYHH_BROWSER=whole "$venv_python" -m pytest tests/browser "$@" || status=1
        return $status
    fi
    "$venv_python" -m ruff check . || status=1
    if [ "$kind" = quick ]; then
        "$venv_python" -m pytest tests -m "not slow and not browser" "${workers[@]}" "$@" || status=1
        return $status
    fi
    "$venv_python" -m pytest tests "${notebooks[@]}" "${nbval[@]}" "${workers[@]}" "$@" || status=1
    return $status
}

# bench [inference | hh | lif] ARGUMENTS...: the peers need an environment of their own; the first two have none.
bench() {
    case "${1:-}" in inference | hh)
        program=$1
        [ "$program" = hh ] && program=hh_bench
        shift
        set_up requirements.txt
        exec "$venv_python" -m "benchmarks.$program" "$@"
        ;;
    esac
    use_venv .venv-bench
    pins=""  # some peers need older versions
    set_up requirements.txt benchmarks/requirements.txt
    if [ "${1:-}" = lif ]; then
        shift
        exec "$venv_python" -m benchmarks.lif "$@"
    fi
    exec "$venv_python" -m benchmarks.speed "$@"
}

# With the Python of .venv if it runs, else with any that could install the series; -B: nothing is written.
doctor() {
    if ! "$venv_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        find_python
        venv_python=$python
    fi
    exec "$venv_python" -B tools/doctor.py
}

command=${1:-}
[ $# -eq 0 ] || shift
case "$command" in
    run) set_up requirements.txt; exec "$venv_python" -m tools.notebooks run "${notebooks[@]}" ;;
    notebook) set_up requirements.txt; exec "$venv_python" -m notebook "${notebooks[0]}" "$@" ;;
    site) set_up requirements.txt tools/website/requirements.txt; exec "$venv_python" -m tools.website "$@" ;;
    test)
        if [ "${1:-}" != quick ]; then install_browser & fi  # while pip installs the rest
        set_up "${everything[@]}"
        wait
        run_tests "$@"
        ;;
    lesson) set_up requirements.txt; exec "$venv_python" -m tools.lesson "$@" ;;
    train) set_up requirements.txt; exec "$venv_python" -m tools.train "$@" ;;
    grade) set_up requirements.txt; exec "$venv_python" -m tools.grade "$@" ;;
    nbgrader) set_up requirements.txt; exec "$venv_python" -m tools.nbgrader "$@" ;;
    doctor) doctor ;;
    versions) find_python; exec "$python" -m tools.versions "$@" ;;
    fit) set_up requirements.txt; exec "$venv_python" -m helpers.cells "$@" ;;
    campaign) set_up requirements.txt; exec "$venv_python" -m helpers.campaigns "$@" ;;
    constraints) write_constraints ;;
    bench) bench "$@" ;;
    pyhh) fetch_pyhh ;;
    badges) write_badges "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
