"""The voltage-clamp explorer: step an axon to a potential and see its currents and their peaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from helpers.experiments.voltage_clamp import ClampTrace, clamp, peak_currents, step_command
from helpers.figures.colours import GUIDE
from helpers.neurons.models import HodgkinHuxley
from helpers.neurons.parameters import Parameter

from .controls import Slider
from .explorer import Explorer, canvas, empty_lines, set_lines

__all__ = ["ClampStep", "clamp_step", "describe_clamp_step", "explore_clamp"]

HOLDING = Parameter("holding", -65.0, "mV", "holding potential", -120.0, -30.0, -200.0, 200.0)
TEST = Parameter("test", 0.0, "mV", "test potential", -100.0, 80.0, -200.0, 200.0)
LEVELS = np.arange(-100.0, 80.5, 2.0)
BEFORE, DURING, AFTER = 2.0, 20.0, 5.0  # ms


@dataclass(frozen=True)
class ClampStep:
    """A voltage-clamp step and its place on the current-voltage curve.

    Attributes
    ----------
    trace
        The currents during the step.
    levels
        Test potentials [mV], shape (n_levels,).
    curves
        Peak of each current during a step to each level [µA/cm²], shape (n_levels,), by name.
    peaks
        Peak of each current during this step [µA/cm²], by name.
    """

    trace: ClampTrace
    levels: np.ndarray
    curves: Mapping[str, np.ndarray]
    peaks: Mapping[str, float]


def clamp_step(holding: float = -65.0, test: float = 0.0, **parameters: float) -> ClampStep:
    """Hold a squid axon at one potential and step to another for 20 ms.

    Parameters
    ----------
    holding, test
        Potential before and during the step [mV].
    **parameters
        Parameters of `HodgkinHuxley` that differ from their defaults.

    Raises
    ------
    ValueError
        If a potential or a parameter is outside its range.
    """
    neuron = HodgkinHuxley(**parameters)
    trace = clamp(neuron, step_command(holding, test, BEFORE, DURING, AFTER), dt=0.01)
    curves = peak_currents(neuron, LEVELS, holding, DURING, dt=0.02)
    return ClampStep(trace, LEVELS, curves, {name: float(trace.peak(name)) for name in trace.currents})


def describe_clamp_step(step: ClampStep) -> str:
    """Describe the peak currents of the step and how many sodium channels were available."""
    trace = step.trace
    during = (trace.t >= BEFORE) & (trace.t < BEFORE + DURING)
    since = trace.t[during][np.argmax(np.abs(trace.currents["I_Na"][during]))] - BEFORE
    peaks = {name: round(value) for name, value in step.peaks.items()}
    delay = f" after {since:.2f} ms" if peaks["I_Na"] else ""
    return (
        f"From {trace.V[0]:.4g} to {trace.V[during][0]:.4g} mV: I_Na peaks at {peaks['I_Na']} µA/cm²{delay}, "
        f"I_K at {peaks['I_K']}, I_L at {peaks['I_L']} µA/cm² (outward positive). "
        f"Before the step h = {trace.gates['h'][0]:.2f}, the share of sodium channels that are not inactivated."
    )


def explore_clamp() -> Explorer:
    """Clamp the squid axon to a potential: see its currents over time, and their peaks on the I-V curve."""
    figure = canvas(4.0)
    for_t, for_peaks = figure.subplots(1, 2, width_ratios=[5, 4])
    names = list(HodgkinHuxley.currents)
    currents, curves = empty_lines(for_t, names), empty_lines(for_peaks, names)
    for_peaks.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.5)  # outside: no line runs there
    (points,) = for_peaks.plot([], [], "o", color="black", markersize=9, fillstyle="none", markeredgewidth=2)
    for ax in (for_t, for_peaks):
        ax.axhline(0.0, color=GUIDE, linewidth=1, zorder=0)
    for_t.set(xlabel="time (ms)", ylabel="current (µA/cm²)", xlim=(0, BEFORE + DURING + AFTER), title="this step")
    for_peaks.set(xlabel="test potential (mV)", xlim=(-104, 84), title="peak at every step, this one ringed")
    marks = for_peaks.axvline(0.0, color=GUIDE, linestyle=":", linewidth=1)

    def update(**values: Any) -> str:
        step, test = clamp_step(**values), values["test"]
        set_lines(currents, step.trace.t, step.trace.currents)
        set_lines(curves, step.levels, step.curves)
        points.set_data([test] * len(names), [step.peaks[name] for name in names])
        marks.set_xdata([test, test])
        _set_round_limits(for_t, step.trace.currents, least=10.0)
        _set_round_limits(for_peaks, step.curves, least=100.0)
        return describe_clamp_step(step)

    squid = HodgkinHuxley.parameters()
    groups = {
        "command": [Slider(HOLDING), Slider(TEST)],
        "drugs and bath": [Slider(squid[name]) for name in ("block_Na", "block_K", "temperature")],
    }
    return Explorer(figure, update, groups)


def _set_round_limits(ax: Axes, values: Mapping[str, np.ndarray], least: float) -> None:
    """Show all values, and at least -least to least, between round limits: these seldom change while a slider moves."""
    low = min(-least, *(part.min() for part in values.values()))
    high = max(least, *(part.max() for part in values.values()))
    unit = 10.0 ** np.floor(np.log10(high - low)) / 4
    margin = 0.04 * (high - low)
    ax.set_ylim(unit * np.floor((low - margin) / unit), unit * np.ceil((high + margin) / unit))
