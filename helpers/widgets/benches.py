"""Three benches to try the squid axon out on: voltage clamp, phase plane and integrators. (For current: live.py.)

Each is one pure function from what is set to a result, and one that says the result in words. bench_explorers.py puts
sliders in front of them and a picture behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers.experiments.dynamics import eigenvalues, fixed_points, nullclines, separatrix
from helpers.experiments.voltage_clamp import ClampTrace, clamp, peak_currents, step_command
from helpers.neurons.models import HodgkinHuxley
from helpers.neurons.parameters import Parameter
from helpers.simulation.engine import PRECISIONS
from helpers.simulation.integrators import METHODS, TABLEAUS
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace

__all__ = [
    "ClampBench",
    "IntegratorBench",
    "PhasePlane",
    "clamp_bench",
    "clamp_in_words",
    "integration_in_words",
    "integrator_bench",
    "phase_plane_bench",
    "phase_plane_in_words",
    "reference_run",
    "spikes_in_words",
]


def spikes_in_words(trace: Trace) -> str:
    """How many spikes there are, and what counts as one."""
    count = len(trace.spike_times)
    return f"{count} spike{'s' * (count != 1)} (V rising through {trace.spike_threshold:g} mV)"


# --------------------------------------------------------------------------------------------------- voltage clamp

HOLDING = Parameter("holding", -65.0, "mV", "holding potential", -120.0, -30.0, -200.0, 200.0)
TEST = Parameter("test", 0.0, "mV", "test potential", -100.0, 80.0, -200.0, 200.0)
LEVELS = np.arange(-100.0, 80.5, 2.0)
BEFORE, DURING, AFTER = 2.0, 20.0, 5.0  # ms


@dataclass(frozen=True)
class ClampBench:
    """A voltage-clamp step and where it stands on the current-voltage relation.

    trace: the step. levels: (n,) test potentials [mV]. curves: the peak of each current during a step to each level,
    (n,) [µA/cm²]; peaks: the same of this step.
    """

    trace: ClampTrace
    levels: np.ndarray
    curves: Mapping[str, np.ndarray]
    peaks: Mapping[str, float]


def clamp_bench(holding: float = -65.0, test: float = 0.0, **parameters: float) -> ClampBench:
    """Hold an axon with these `parameters` at `holding`, step to `test` [mV] for 20 ms: the function behind the bench.

    Raises ValueError for a bad value.
    """
    neuron = HodgkinHuxley(**parameters)
    trace = clamp(neuron, step_command(holding, test, BEFORE, DURING, AFTER), dt=0.01)
    curves = peak_currents(neuron, LEVELS, holding, DURING, dt=0.02)
    return ClampBench(trace, LEVELS, curves, {name: float(trace.peak(name)) for name in trace.currents})


def clamp_in_words(bench: ClampBench) -> str:
    """The peak currents of the step, and how ready the sodium channels were."""
    trace = bench.trace
    during = (trace.t >= BEFORE) & (trace.t < BEFORE + DURING)
    since = trace.t[during][np.argmax(np.abs(trace.currents["I_Na"][during]))] - BEFORE
    peaks = {name: round(value) for name, value in bench.peaks.items()}
    delay = f" after {since:.2f} ms" if peaks["I_Na"] else ""
    return (
        f"From {trace.V[0]:.4g} to {trace.V[during][0]:.4g} mV: I_Na peaks at {peaks['I_Na']} µA/cm²{delay}, "
        f"I_K at {peaks['I_K']}, I_L at {peaks['I_L']} µA/cm² (outward positive). "
        f"Before the step h = {trace.gates['h'][0]:.2f}, the share of sodium channels that are not inactivated."
    )


# ----------------------------------------------------------------------------------------------------- phase plane

WATCHED = 20.0  # ms
MOMENT = Parameter("moment", 0.5, "ms", "when to look", 0.0, WATCHED, 0.0, WATCHED)
ACROSS, UP = np.linspace(-130.0, 60.0, 191), np.linspace(0.0, 1.0, 101)  # V [mV] and m


@dataclass(frozen=True)
class PhasePlane:
    """One moment of a spike in the plane of V and m, in which h and n count as standing still.

    trace: the whole run. k: the sample of the moment. nullclines: lines (n, 2) of points (V, m), by name of the state
    that does not move there. points: (n_points, 2), where neither moves; stable: (n_points,) whether a small push dies
    out. separatrix: (n, 2), the border between the starts that fire and those that do not; empty without a saddle.
    """

    trace: Trace
    k: int
    nullclines: Mapping[str, list[np.ndarray]]
    points: np.ndarray
    stable: np.ndarray
    separatrix: np.ndarray


def phase_plane_bench(amplitude: float = 10.0, moment: float = 0.5) -> PhasePlane:
    """The fast states V and m of the squid axon at `moment` [ms], with h and n frozen as they are then.

    A current of `amplitude` [µA/cm²] flows from 1 ms on. This is the function behind the bench.
    Raises ValueError for a moment outside 0 to 20 ms.
    """
    MOMENT.check(moment)
    neuron = HodgkinHuxley()
    trace = simulate(neuron, step(amplitude, 1.0, WATCHED), WATCHED)
    k = round(moment / trace.dt)
    I, frozen = float(trace.I[k]), {name: float(trace.states[name][k]) for name in ("h", "n")}
    state = np.array([x[k] for x in trace.states.values()])
    points = fixed_points(neuron, I, frozen, (ACROSS[0], ACROSS[-1]))
    leading = np.array([eigenvalues(neuron, point, frozen)[0].real for point in points])
    saddles = points[leading > 0]
    border = separatrix(neuron, saddles[0], frozen, I, (ACROSS[0], ACROSS[-1])) if len(saddles) else np.empty((0, 4))
    return PhasePlane(
        trace,
        k,
        nullclines(neuron, ("V", "m"), ACROSS, UP, state, I),
        points[:, :2],
        leading < 0,
        border[:, :2],
    )


def phase_plane_in_words(plane: PhasePlane) -> str:
    """Where V and m are, and where they could rest."""
    trace, k = plane.trace, plane.k
    crossings = ", ".join(
        f"at {V:.1f} mV ({'stable' if stable else 'a saddle'})"
        for (V, _), stable in zip(plane.points, plane.stable, strict=True)
    )
    times = {0: "nowhere", 1: "once"}.get(len(plane.points), f"{len(plane.points)} times")
    return (
        f"{spikes_in_words(trace)} in the run, V up to {trace.V.max():.1f} mV. At {trace.t[k]:.2f} ms, with "
        f"{trace.I[k]:.4g} µA/cm²: V = {trace.V[k]:.1f} mV, m = {trace.m[k]:.2f}; h = {trace.h[k]:.2f} and "
        f"n = {trace.n[k]:.2f} are frozen. The nullclines cross {times}: {crossings}."
    )


# ----------------------------------------------------------------------------------------------------- integrators

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1)  # ms
RUN = 50.0  # ms
INJECTED = step(10.0, 5.0, 45.0)


@dataclass(frozen=True)
class IntegratorBench:
    """A run of one integrator beside the reference, LSODA at a tolerance of 1e-10, sampled at the same times.

    trace: None where the method fails; `failure` then says why, in the simulator's words. Below about 1e-4 mV and
    1e-6 ms the differences are those of the reference itself.
    evaluations: how often the slopes were computed, one per stage of a step.
    """

    reference: Trace
    trace: Trace | None
    failure: str
    evaluations: int

    @property
    def error(self) -> np.ndarray:
        """|V - V of the reference| at every sample, (n,) [mV]."""
        assert self.trace is not None
        return np.abs(self.trace.V - self.reference.V)

    @property
    def late(self) -> np.ndarray:
        """How much later than in the reference each spike comes, (n_spikes,) [ms]; empty if their numbers differ.

        Both are sampled at the same times, so what a straight line between samples gets wrong is wrong in both alike.
        """
        assert self.trace is not None
        spikes, exact = self.trace.spike_times, self.reference.spike_times
        return spikes - exact if len(spikes) == len(exact) else np.empty(0)


def integrator_bench(
    method: str = "exponential_euler", dt: float = 0.025, precision: str = "double"
) -> IntegratorBench:
    """Integrate the squid axon under 10 µA/cm² from 5 to 45 ms: the function behind the bench.

    method, precision: as in `simulate`. dt: one of `STEPS` [ms].
    Raises ValueError for any other method, step or precision. That a method fails at a step is part of the result.
    """
    for name, value, allowed in (("method", method, METHODS), ("dt", dt, STEPS), ("precision", precision, PRECISIONS)):
        if value not in allowed:
            raise ValueError(f"{name} = {value!r}; allowed: {', '.join(map(str, allowed))}")
    reference = reference_run(dt)
    stages = len(TABLEAUS[method].b) if method in TABLEAUS else 1
    evaluations = stages * (len(reference.t) - 1)
    try:
        trace = simulate(HodgkinHuxley(), INJECTED, RUN, dt, method, precision=precision)
    except ValueError as failure:
        return IntegratorBench(reference, None, str(failure), evaluations)
    return IntegratorBench(reference, trace, "", evaluations)


@cache
def reference_run(dt: float) -> Trace:
    return simulate(HodgkinHuxley(), INJECTED, RUN, dt, "lsoda")


def integration_in_words(bench: IntegratorBench) -> str:
    """How far off the method is, or why it failed."""
    if bench.trace is None:
        return f"No trace: {bench.failure}."
    if len(bench.late):
        timing = f"the last of {len(bench.late)} spikes comes {_interval(bench.late[-1])} than in the reference"
    else:
        timing = f"{len(bench.trace.spike_times)} spikes, {len(bench.reference.spike_times)} in the reference"
    return f"{timing[0].upper()}{timing[1:]}; V is off by at most {bench.error.max():.2g} mV. " + (
        f"The slopes were computed {bench.evaluations:,} times."
    )


def _interval(late: float) -> str:
    return f"{abs(late):.2g} ms {'later' if late > 0 else 'earlier'}"
