"""The f-I curves of two recorded cells, a regular-spiking and a fast-spiking one, or of simulated stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.neurons.models import Pospischil
from helpers.simulation.simulate import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import number

from .read import RecordingUnavailable, load
from .rig import rig_like, stand_in

__all__ = ["CELLS", "CellCurve", "cell_curve", "fast_stand_in", "steady_rate"]

CELLS = ("regular_spiking", "fast_spiking")
SWEEPS = 17  # of each recording: steps from -100 to +300 pA by 25


@dataclass(frozen=True)
class CellCurve:
    """Steady firing rates (n,) [Hz] at step currents (n,) [pA]; `recorded` is False for a simulated stand-in."""

    currents: np.ndarray
    rates: np.ndarray
    recorded: bool


def steady_rate(trace: Trace) -> float:
    """Spikes per second [Hz] in the second half of the step, from the first of them to the last; 0 below two spikes."""
    late = trace.spike_times[(trace.spike_times > (trace.start + trace.stop) / 2) & (trace.spike_times <= trace.stop)]
    return 1000.0 * (len(late) - 1) / (late[-1] - late[0]) if len(late) > 1 else 0.0


def cell_curve(name: str) -> CellCurve:
    """The f-I curve of a published recording, one of `CELLS`, or of a stand-in where the file cannot be had.

    Raises ValueError for another name.
    """
    if not (isinstance(name, str) and name in CELLS):
        raise ValueError(f"cell {name!r}; allowed: {', '.join(CELLS)}")
    steps = -100.0 + 25.0 * np.arange(SWEEPS)  # pA
    try:
        traces = [load(name, sweep) for sweep in range(SWEEPS)]
        recorded = True
    except RecordingUnavailable:
        make = stand_in if name == "regular_spiking" else fast_stand_in
        traces = [make(amplitude, seed) for seed, amplitude in enumerate(steps)]
        recorded = False
    return CellCurve(steps, np.array([steady_rate(trace) for trace in traces]), recorded)


def fast_stand_in(amplitude: float, seed: int) -> Trace:
    """A step of `amplitude` [pA] into a small cell that does not adapt, as a rig would record it: 1,000 ms at 20 kHz.

    A `Pospischil` neuron without M current and of 7e-5 cm², through `rig_like`; the step from 150 to 650 ms.
    So Pospischil et al. (2008, Biol Cybern 99:427) model fast-spiking cells.
    """
    area, amplitude = 7e-5, number("amplitude", amplitude, "pA")
    cell = Pospischil(g_M=0.0, g_Na=50.0, g_K=10.0, g_L=0.06, V_T=-58.0, E_L=-66.0, V_init=-66.0)
    trace = simulate(cell, step(amplitude * 1e-6 / area, 150.0, 650.0), 1000.0, seed=seed)
    seen = rig_like(trace, seed)
    return replace(seen, I=seen.I * area * 1e6, I_unit="pA")
