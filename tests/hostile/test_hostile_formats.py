"""Damaged recordings of other programs: each is read or refused with its name, and nothing else happens."""

import sys
from pathlib import Path

import numpy as np
import pytest
from support.corruption import outcomes
from support.recorders import axograph, command, heka, ibw, pxp, response, segment, smr, wavesurfer, wcp
from test_hostile_recordings import check, judge

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked, their memory limited by Linux")

N = 60  # samples of a sweep: short, so that damage meets what describes them
V, I = [response(level, N) for level in (0.0, 100.0)], [command(level, N, 0.005) for level in (0.0, 100.0)]
SWEEPS = list(zip(V, I, strict=True))


def heka_files(folder: Path) -> list[bytes]:
    segments = [segment(0.0, 0.05), segment(0.0, 0.1, step=0.1), segment(0.0, 0.15)]
    traces = [[("Vmon", "V", v * 1e-3), ("Imon", "A", i * 1e-12)] for v, i in SWEEPS]
    plain = {"sweeps": traces, "segments": segments, "dt": 0.005}
    sizes = (40, 36, 124, 48, 300)  # nothing but what is read
    return [heka([plain], sizes=sizes), heka([plain, {**plain, "interleave": 20}], order=">", sizes=sizes)]


def igor_matrices(folder: Path) -> list[bytes]:
    return [ibw("Vm", V[1], "mV"), ibw("Vm", np.stack(V, axis=1), "mV", order=">")]


def igor_experiments(folder: Path) -> list[bytes]:
    waves = {f"{x}{k}": ibw(f"{x}{k}", y[k], unit) for k in range(2) for x, y, unit in (("V", V, "mV"), ("I", I, "pA"))}
    return [pxp(waves), pxp({f"cell:{name}": wave for name, wave in waves.items()})]


def axograph_files(folder: Path) -> list[bytes]:
    columns = [pair for v, i in SWEEPS for pair in (("Vm (mV)", v), ("Im (pA)", i))]
    return [axograph(columns, version=version) for version in (1, 2, 6)]


def spike2_files(folder: Path) -> list[bytes]:
    channels = [("Vm", "mV", V, 100.0), ("Im", "pA", I, 200.0)]
    return [smr(channels, block=25), smr(channels, block=25, order=">")]


def wavesurfer_files(folder: Path) -> list[bytes]:
    pulse = {"TypeString": "SquarePulse", "Delay": "0.01", "Duration": "0.01", "Amplitude": "50*i", "DCOffset": "0"}
    sweeps = [np.stack(sweep) for sweep in SWEEPS]
    return [wavesurfer(folder / "a.h5", sweeps, maps=[{"Cmd": (1, 1.0)}], stimuli=[pulse]).read_bytes()]


# What makes the files, their ending, and how many damaged ones are tried in every run; twenty times as many in long.
FILES = {
    "WinWCP": (lambda folder: [wcp(SWEEPS), wcp(SWEEPS, comma=True)], ".wcp", 240),
    "HEKA": (heka_files, ".dat", 320),
    "Igor wave": (igor_matrices, ".ibw", 240),
    "Igor experiment": (igor_experiments, ".pxp", 240),
    "AxoGraph": (axograph_files, ".axgx", 240),
    "Spike2": (spike2_files, ".smr", 240),
    "WaveSurfer": (wavesurfer_files, ".h5", 80),
}


@pytest.mark.parametrize("what", FILES)
def test_damaged_files_are_read_or_refused_by_name(what, tmp_path, monkeypatch):
    attack(what, FILES[what][2], tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("what", FILES)
def test_more_damaged_files(what, tmp_path, monkeypatch):
    attack(what, 20 * FILES[what][2], tmp_path, monkeypatch)


def attack(what: str, cases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.recordings.hdf5.MAX_READING_TIME", 2.0)  # these files are short
    make, ending, _ = FILES[what]
    check(outcomes(judge, make(tmp_path), ending, range(cases), tmp_path), cases)
