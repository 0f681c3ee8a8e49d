"""The integrator explorer: choose an integrator and its step and see its error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from helpers.figures.colours import COLOURS, GUIDE
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.engine import PRECISIONS
from helpers.simulation.integrators import METHODS, TABLEAUS
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace

from .controls import Dropdown
from .explorer import Explorer, canvas

__all__ = ["IntegratorRun", "describe_integrator_run", "explore_integrators", "run_integrator"]

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1)  # ms
DURATION = 50.0  # ms
STIMULUS = step(10.0, 5.0, 45.0)


@dataclass(frozen=True)
class IntegratorRun:
    """A run of one integrator compared with a reference, LSODA at a tolerance of 1e-10.

    Below about 1e-4 mV and 1e-6 ms the differences are those of the reference itself.

    Attributes
    ----------
    reference
        The reference, sampled at the same times.
    trace
        The run, or None where the method fails.
    failure
        Why the method fails, in the simulator's words; empty otherwise.
    evaluations
        How often the slopes were computed: once for each stage of each step.
    """

    reference: Trace
    trace: Trace | None
    failure: str
    evaluations: int

    @property
    def error(self) -> np.ndarray:
        """Absolute difference of V from the reference at every sample, shape (n_samples,) [mV]."""
        assert self.trace is not None
        return np.abs(self.trace.V - self.reference.V)

    @property
    def late(self) -> np.ndarray:
        """Delay of each spike relative to the reference, shape (n_spikes,) [ms]; empty if their numbers differ.

        Both are sampled at the same times, so linear interpolation between samples has the same error in both.
        """
        assert self.trace is not None
        spikes, exact = self.trace.spike_times, self.reference.spike_times
        return spikes - exact if len(spikes) == len(exact) else np.empty(0)


def run_integrator(method: str = "exponential_euler", dt: float = 0.025, precision: str = "double") -> IntegratorRun:
    """Integrate the squid axon under 10 µA/cm² from 5 to 45 ms and compare the result with a reference.

    Parameters
    ----------
    method, precision
        As in `simulate`.
    dt
        One of `STEPS` [ms].

    Returns
    -------
    IntegratorRun
        A method that fails at this step is a result, too.

    Raises
    ------
    ValueError
        If `method`, `dt` or `precision` is none of those allowed.
    """
    for name, value, allowed in (("method", method, METHODS), ("dt", dt, STEPS), ("precision", precision, PRECISIONS)):
        if value not in allowed:
            raise ValueError(f"{name} = {value!r}; allowed: {', '.join(map(str, allowed))}")
    reference = _reference(dt)
    stages = len(TABLEAUS[method].b) if method in TABLEAUS else 1
    evaluations = stages * (len(reference.t) - 1)
    try:
        trace = simulate(HodgkinHuxley(), STIMULUS, DURATION, dt, method, precision=precision)
    except ValueError as failure:
        return IntegratorRun(reference, None, str(failure), evaluations)
    return IntegratorRun(reference, trace, "", evaluations)


@cache
def _reference(dt: float) -> Trace:
    return simulate(HodgkinHuxley(), STIMULUS, DURATION, dt, "lsoda")


def describe_integrator_run(run: IntegratorRun) -> str:
    """Describe the error of the run, or why the method failed."""
    if run.trace is None:
        return f"No trace: {run.failure}."
    if len(run.late):
        last = run.late[-1]
        delay = f"{abs(last):.2g} ms {'later' if last > 0 else 'earlier'}"
        timing = f"The last of {len(run.late)} spikes comes {delay} than in the reference"
    else:
        timing = f"{len(run.trace.spike_times)} spikes, {len(run.reference.spike_times)} in the reference"
    return (
        f"{timing}; V is off by at most {run.error.max():.2g} mV. The slopes were computed {run.evaluations:,} times."
    )


def explore_integrators() -> Explorer:
    """Choose an integrator and its step: see its trace next to the reference, and its error."""
    figure = canvas(4.8)
    for_V, for_error = figure.subplots(2, sharex=True, height_ratios=[3, 2])
    reference = _reference(0.01)
    for_V.plot(reference.t, reference.V, color=GUIDE, linewidth=5, label="reference (LSODA)")
    (line,) = for_V.plot([], [], color=COLOURS["I_Na"], linestyle=(0, (5, 1.5)), label="this method")
    (error,) = for_error.plot([], [], color=COLOURS["I_Na"])
    note = for_error.text(DURATION / 2, 1e-5, "no trace: the words below say why", ha="center", color=COLOURS["I_Na"])
    for_V.set(ylabel="V (mV)", ylim=(-90, 60), xlim=(0, DURATION))
    for_V.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    for_error.set(ylabel="error of V (mV)", xlabel="time (ms)", yscale="log", ylim=(1e-12, 1e3))
    for_error.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1e0, 1e3])

    def update(**values: Any) -> str:
        run = run_integrator(**values)
        note.set_visible(run.trace is None)
        line.set_data(*([], []) if run.trace is None else (run.trace.t, run.trace.V))
        error.set_data(*([], []) if run.trace is None else (run.trace.t, run.error))
        return describe_integrator_run(run)

    groups = {
        "": [
            Dropdown("method", METHODS, "exponential_euler", "the integrator"),
            Dropdown("dt", {f"{dt:g} ms": dt for dt in STEPS}, 0.025, "length of a step"),
            Dropdown("precision", list(PRECISIONS), "double", "64 or 32 bits per number"),
        ]
    }
    return Explorer(figure, update, groups)
