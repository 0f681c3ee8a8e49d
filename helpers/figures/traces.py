"""Traces: the membrane potential and what goes with it over time; and how accurately they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, MARKERS, ORANGE, PALETTE, STYLES, looks, mathematical
from .style import direct_label, fixed_ticks, label_ends, legend_above

__all__ = [
    "plot_conductances",
    "plot_currents",
    "plot_gates",
    "plot_injected",
    "plot_integration_errors",
    "plot_noise_scaling",
    "plot_overlaid",
    "plot_responses",
    "plot_spike",
    "plot_voltage",
    "plot_voltage_pair",
    "plot_voltage_pairs",
    "plot_work_precision",
]


def plot_voltage(ax: Axes, trace: Trace) -> Axes:
    """Plot V over time; a tick above each spike marks when V rises through the spike threshold."""
    ax.plot(trace.t, trace.V, color=COLOURS["V"])
    ax.plot(trace.spike_times, np.full(len(trace.spike_times), trace.V.max() + 8), "|", color=COLOURS["V"])
    ax.set_ylabel("V (mV)")
    return ax


def plot_injected(ax: Axes, trace: Trace) -> Axes:
    """Plot the injected current over time."""
    ax.plot(trace.t, trace.I, color=COLOURS["I"], drawstyle="steps-post")
    ax.set_ylabel(f"I ({trace.I_unit})")
    return ax


def plot_gates(ax: Axes, trace: Trace) -> Axes:
    """Plot the open fraction of each gate over time, labelled at the right end."""
    ends = {}
    for name, look in looks(list(trace.states)[1:]).items():
        ax.plot(trace.t, trace.states[name], **look)
        ends[mathematical(name)] = trace.t[-1], trace.states[name][-1], look["color"]
    label_ends(ax, ends, gap=0.117)
    ax.set(ylabel="open fraction", ylim=(-0.03, 1.03))
    return ax


def plot_currents(ax: Axes, trace: Trace) -> Axes:
    """Plot the ionic currents over time, outward positive, each labelled at its largest value."""
    for name, look in looks(trace.currents).items():
        values = trace.currents[name]
        ax.plot(trace.t, values, **look)
        peak = int(np.argmax(np.abs(values)))
        direct_label(ax, trace.t[peak], values[peak], mathematical(name), look["color"], rise=9 * np.sign(values[peak]))
    ax.set_ylabel("current (µA/cm²)")
    ax.margins(y=0.15)
    return ax


def plot_conductances(ax: Axes, t: np.ndarray, conductances: Mapping[str, np.ndarray]) -> Axes:
    """Plot conductances over time, each labelled at its largest value.

    Parameters
    ----------
    t
        Times (n,) [ms].
    conductances
        By name of the current, each (n,) [mS/cm²].
    """
    for name, look in looks(conductances).items():
        g = conductances[name]
        ax.plot(t, g, **look)
        peak = int(np.argmax(g))
        if g[peak] > 1.0:  # a line at the bottom needs no name
            direct_label(ax, t[peak], g[peak], mathematical(name.replace("I_", "g_")), look["color"], rise=6)
    ax.set_ylabel("conductance\n(mS/cm²)")
    ax.margins(y=0.12)
    return ax


def plot_spike(
    trace: Trace,
    begin: float | None = None,
    end: float | None = None,
    conductances: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Make a figure of the injected current, V, the gates and the ionic currents, one above the other.

    Parameters
    ----------
    trace
        A simulated trace of n samples.
    begin, end
        What is shown [ms]; by default all.
    conductances
        By name of the current, each (n,) [mS/cm²]; if given, drawn between the gates and the currents.
    """
    keep = (trace.t >= (trace.t[0] if begin is None else begin)) & (trace.t <= (trace.t[-1] if end is None else end))
    part = replace(
        trace,
        t=trace.t[keep],
        states={name: values[keep] for name, values in trace.states.items()},
        I=trace.I[keep],
        start=max(trace.start, trace.t[keep][0]),
        stop=min(trace.stop, trace.t[keep][-1]),
        currents={name: values[keep] for name, values in trace.currents.items()},
    )
    plots = [plot_injected, plot_voltage, plot_gates, plot_currents]
    if conductances is not None:
        shown = {name: g[keep] for name, g in conductances.items()}
        plots.insert(3, lambda ax, trace: plot_conductances(ax, trace.t, shown))
    heights = [1, 3, 2, *[3] * (len(plots) - 3)]
    figure, axes = plt.subplots(len(plots), 1, figsize=(9, 2 * len(plots)), sharex=True, height_ratios=heights)
    for ax, plot in zip(axes, plots, strict=True):
        plot(ax, part)
    axes[-1].set_xlabel("time (ms)")
    figure.align_ylabels()
    return figure


def plot_responses(traces: Mapping[str, Trace]) -> Figure:
    """Make a figure of V above the injected current for several experiments side by side, by title."""
    figure, axes = plt.subplots(
        2, len(traces), figsize=(9, 4), sharex="col", sharey="row", squeeze=False, height_ratios=[3, 1]
    )
    for (top, bottom), (title, trace) in zip(axes.T, traces.items(), strict=True):
        plot_voltage(top, trace).set_title(title)
        plot_injected(bottom, trace).set_xlabel("time (ms)")
        top.label_outer()
        bottom.label_outer()
    figure.align_ylabels()
    return figure


def plot_voltage_pair(ax: Axes, traces: Mapping[str, Trace]) -> Axes:
    """Plot V of two neurons, or of one neuron twice, by name: the first solid, the second dashed."""
    styles = (BLUE, "-"), (ORANGE, (0, (4, 1.5)))
    for (name, trace), (colour, style), height in zip(traces.items(), styles, (0.85, 0.6), strict=True):
        ax.plot(trace.t, trace.V, color=colour, linestyle=style, linewidth=1.5)
        ax.text(1.01, height, name, color=colour, transform=ax.transAxes, va="center")
    ax.set_ylabel("V (mV)")
    return ax


def plot_voltage_pairs(pairs: Mapping[str, Sequence[Trace]], begin: float, end: float) -> Figure:
    """Make a figure of V of two neurons from `begin` to `end` [ms], a panel for each pair by title.

    Parameters
    ----------
    pairs
        Two traces each, as `simulate_network` returns them: the first solid, the second dashed.
    begin, end
        What is shown [ms].
    """
    figure, axes = plt.subplots(len(pairs), 1, figsize=(9, 0.6 + 1.9 * len(pairs)), sharex=True, squeeze=False)
    for ax, (title, (first, second)) in zip(axes[:, 0], pairs.items(), strict=True):
        plot_voltage_pair(ax, {"first": first, "second": second}).set_title(title)
    axes[-1, 0].set(xlabel="time (ms)", xlim=(begin, end))
    return figure


def plot_overlaid(traces: Mapping[str, Trace]) -> Figure:
    """Make a figure of V of several experiments in one panel, with their names above it."""
    figure, ax = plt.subplots(figsize=(9, 3.8))
    for k, (name, trace) in enumerate(traces.items()):
        ax.plot(trace.t, trace.V, color=PALETTE[k], linestyle=STYLES[k % len(STYLES)], label=name)
    ax.set(xlabel="time (ms)", ylabel="V (mV)")
    legend_above(ax)
    return figure


# -------------------------------------------------------------------------------------------------------- accuracy


def plot_integration_errors(time_steps: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Figure:
    """Make a figure of the error of V [mV] against the time step [ms], the smallest step on the right.

    Parameters
    ----------
    time_steps
        In descending order, (n,) [ms].
    errors
        By name of the method, (n,) [mV].
    """
    figure, ax = plt.subplots(figsize=(9, 4.4))
    plot_work_precision(ax, {name: (np.asarray(time_steps), np.asarray(error)) for name, error in errors.items()})
    ax.invert_xaxis()
    fixed_ticks(ax.xaxis, time_steps)
    ax.set(xlabel="time step (ms)", ylabel="error of V (mV)")
    return figure


def plot_work_precision(ax: Axes, lines: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Axes:
    """Plot error against cost on logarithmic axes.

    Parameters
    ----------
    lines
        By name of the method: cost (n,) and error (n,).
    """
    ends = {}
    for k, (name, (cost, error)) in enumerate(lines.items()):
        ax.loglog(cost, error, color=PALETTE[k], marker=MARKERS[k], markersize=6, linestyle=STYLES[k % len(STYLES)])
        ends[f" {name}"] = cost[-1], error[-1], PALETTE[k]
    label_ends(ax, ends, gap=6.0, log=True)  # most of a decade
    return ax


def plot_noise_scaling(ax: Axes, steps: np.ndarray, scaled: np.ndarray, unscaled: np.ndarray, exact: float) -> Axes:
    """Plot the SD of V against the time step, for noise that is scaled to the step and for noise that is not.

    Parameters
    ----------
    steps
        Time steps (n,) [ms].
    scaled, unscaled
        SD of V (n,) [mV], with and without division by the square root of the step.
    exact
        SD of V of the linearised equations [mV].
    """
    ax.loglog(steps, scaled, "o-", color=BLUE)
    ax.loglog(steps, unscaled, "s--", color=ORANGE)
    ax.axhline(exact, color=COLOURS["V"], linestyle=":")
    direct_label(ax, steps.min(), exact, f"σξ/√dt in each step; dotted: exact, {exact:.3f} mV", BLUE, rise=14)
    direct_label(ax, 0.0047, 0.16, "σξ in each step: grows as √dt", ORANGE)
    ax.set(xlabel="time step (ms)", ylabel="SD of V (mV)", ylim=(0.1, None))
    fixed_ticks(ax.xaxis, steps)
    fixed_ticks(ax.yaxis, (0.1, 0.2, 0.5))
    return ax
