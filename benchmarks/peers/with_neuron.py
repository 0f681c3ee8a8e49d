"""NEURON: its own hh mechanism, a mechanism in NMODL for the cortical neuron, threads, and CoreNEURON."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, SQUID

MECHANISM = Path(__file__).with_name("pospischil.mod")
COMPILER = Path(sys.executable).with_name("nrnivmodl")
DIAMETER = 10.0  # µm, and the length: the area cancels, as the current is given per area
AREA = np.pi * DIAMETER**2 * 1e-8  # cm²


def training(n: int, *, coreneuron: bool) -> Training:
    build(coreneuron)
    from neuron import coreneuron as core
    from neuron import h

    cells = [one_cell(h, CORTICAL) for _ in range(n)]
    for cell in cells:
        cell.insert("pospischil")
    clamps = [inject(h, cell, CORTICAL.amplitude, CORTICAL.start, CORTICAL.stop) for cell in cells]
    traces = [h.Vector().record(cell(0.5)._ref_v) for cell in cells]
    computer = h.ParallelContext()
    computer.nthread(ALL_CORES)
    computer.set_maxstep(10)
    core.enable = coreneuron
    core.verbose = 0

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        for cell, sodium, potassium in zip(cells, g_Na, g_K, strict=True):
            cell(0.5).pospischil.g_Na, cell(0.5).pospischil.g_K = 1e-3 * sodium, 1e-3 * potassium
        h.dt = DT
        h.finitialize(CORTICAL.V_init)
        computer.psolve(CORTICAL.duration)
        return np.array([trace.as_numpy() for trace in traces])

    run.kept = clamps  # NEURON drops what Python no longer holds
    return run


def single() -> Single:
    from neuron import h

    cell = one_cell(h, SQUID)
    cell.insert("hh")
    cell.el_hh, cell.ena, cell.ek = SQUID.E_L, SQUID.E_Na, SQUID.E_K
    h.celsius = 6.3  # where its rates are those of the paper
    clamp = inject(h, cell, SQUID.amplitude, 0.0, 2 * SQUID.duration)
    trace = h.Vector().record(cell(0.5)._ref_v)
    computer = h.ParallelContext()
    computer.set_maxstep(10)

    def run() -> np.ndarray:
        h.dt = DT
        h.finitialize(SQUID.V_init)
        computer.psolve(SQUID.duration)
        return trace.as_numpy().copy()

    run.kept = cell, clamp
    return run


def build(coreneuron: bool) -> None:
    """Compile the mechanism in a temporary folder, and make NEURON load it."""
    folder = tempfile.mkdtemp()
    shutil.copy(MECHANISM, folder)
    command = [COMPILER, *(["-coreneuron"] if coreneuron else []), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"nrnivmodl failed: {first_error(done.stdout + done.stderr)}")
    os.environ["CORENEURONLIB"] = str(next(Path(folder).rglob("libcorenrnmech.so"), ""))
    from neuron import h

    h.nrn_load_dll(str(next(Path(folder).rglob("libnrnmech.so"))))


def first_error(said: str) -> str:
    lines = said.strip().splitlines()
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing")


def one_cell(h: Any, constants: Any) -> Any:
    cell = h.Section()
    cell.L = cell.diam = DIAMETER
    cell.cm = constants.C
    return cell


def inject(h: Any, cell: Any, density: float, start: float, stop: float) -> Any:
    clamp = h.IClamp(cell(0.5))
    clamp.delay, clamp.dur, clamp.amp = start, stop - start, density * AREA * 1e3  # nA
    return clamp


NOTE = "implicit Euler, no noise, traces"
PEERS = (
    Peer(
        "NEURON",
        "neuron",
        partial(training, coreneuron=False),
        single,
        cores=ALL_CORES,
        program="g++",
        note=NOTE,
    ),
    Peer("CoreNEURON", "neuron", partial(training, coreneuron=True), cores=ALL_CORES, program="g++", note=NOTE),
)
