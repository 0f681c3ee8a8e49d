"""Arbor: its own hh mechanism, and a catalogue built from the mechanism in NMODL for the cortical neuron."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, SQUID

MECHANISM = Path(__file__).with_name("pospischil.mod")
NEEDED_BY_NEURON = "ASSIGNED {\n    i\n}\n"  # and refused by Arbor
BUILDER = Path(sys.executable).with_name("arbor-build-catalogue")  # starts the first python3 on the PATH
RADIUS = 5.0  # µm; length twice that: the area cancels, as the current is given per area
AREA = 4 * np.pi * RADIUS**2 * 1e-8  # cm²


def training(n: int) -> Training:
    import arbor as A

    c = CORTICAL
    catalogue = build(A)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        def paint(k: int) -> Any:
            drawn = {"g_Na": 1e-3 * g_Na[k], "g_K": 1e-3 * g_K[k]}
            return A.decor().paint('"all"', A.density("pospischil", drawn))

        return traces(A, catalogue, paint, n, c, c.start, c.stop, ALL_CORES)

    return run


def single() -> Single:
    import arbor as A

    c = SQUID
    conductances = {"gnabar": 1e-3 * c.g_Na, "gkbar": 1e-3 * c.g_K, "gl": 1e-3 * c.g_L, "el": c.E_L}

    def paint(k: int) -> Any:
        decor = A.decor().paint('"all"', A.density("hh", conductances))
        return decor.set_ion("na", rev_pot=c.E_Na * A.units.mV).set_ion("k", rev_pot=c.E_K * A.units.mV)

    return lambda: traces(A, A.default_catalogue(), paint, 1, c, 0.0, c.duration, 1)[0]


def build(A: Any) -> Any:
    folder = Path(tempfile.mkdtemp())
    (folder / "mechanisms").mkdir()
    text = MECHANISM.read_text(encoding="utf-8").replace(NEEDED_BY_NEURON, "")
    (folder / "mechanisms" / "pospischil.mod").write_text(text, encoding="utf-8")
    path = {"PATH": os.pathsep.join([str(BUILDER.parent), os.environ["PATH"]])}
    command = [BUILDER, "bench", "mechanisms"]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **path}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"arbor-build-catalogue failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    catalogue = A.default_catalogue()
    catalogue.extend(A.load_catalogue(str(folder / "bench-catalogue.so")), "")
    return catalogue


def traces(
    A: Any, catalogue: Any, paint: Any, n: int, constants: Any, start: float, stop: float, threads: int
) -> np.ndarray:
    """V (n, steps) of n compartments, each with what `paint` gives it. Arbor has values of a cell fixed in its model,
    so that the model is rebuilt each time, as users of Arbor must."""
    tree = A.segment_tree()
    tree.append(A.mnpos, A.mpoint(-RADIUS, 0, 0, RADIUS), A.mpoint(RADIUS, 0, 0, RADIUS), tag=1)
    labels = A.label_dict({"all": "(all)", "middle": "(location 0 0.5)"})
    clamp = A.i_clamp(start * A.units.ms, (stop - start) * A.units.ms, constants.amplitude * AREA * 1e3 * A.units.nA)

    class Cells(A.recipe):
        def num_cells(self) -> int:
            return n

        def cell_kind(self, gid: int) -> Any:
            return A.cell_kind.cable

        def cell_description(self, gid: int) -> Any:
            decor = paint(gid).place('"middle"', clamp)
            return A.cable_cell(tree, decor, labels, A.cv_policy_single())

        def global_properties(self, kind: Any) -> Any:
            properties = A.neuron_cable_properties()
            properties.set_property(
                Vm=constants.V_init * A.units.mV,
                cm=1e-2 * constants.C * A.units.F / A.units.m2,
                tempK=279.45 * A.units.Kelvin,  # where the rates of hh are those of the paper
            )
            properties.catalogue = catalogue
            return properties

        def probes(self, gid: int) -> list[Any]:
            return [A.cable_probe_membrane_voltage('"middle"', "V")]

    context = A.context(threads=threads)
    simulation = A.simulation(Cells(), context)
    every = A.regular_schedule(DT * A.units.ms)
    handles = [simulation.sample((gid, "V"), every) for gid in range(n)]
    simulation.run(constants.duration * A.units.ms, DT * A.units.ms)
    return np.array([simulation.samples(handle)[0][0][:, 1] for handle in handles])


PEERS = (
    Peer(
        "Arbor",
        "arbor",
        training,
        single,
        cores=ALL_CORES,
        program="c++",
        note="implicit Euler, no noise, traces; the model is rebuilt each time",
    ),
)
