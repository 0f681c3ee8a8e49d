"""The membrane under a current: charging, rest, and the thresholds of the squid axon.

Labels are placed for the default parameters; for other neurons move them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.experiments.current_clamp import StrengthDurationFit, steady_currents
from helpers.neurons.equations import Neuron
from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, GUIDE, ORANGE, STYLES, looks, mathematical
from .style import POINTER, direct_label, fixed_ticks, shades, zero_line

__all__ = [
    "plot_charging",
    "plot_pulse_responses",
    "plot_refractoriness",
    "plot_steady_currents",
    "plot_strength_duration",
]


def plot_charging(trace: Trace, V_exact: np.ndarray, tau: float) -> Figure:
    """Make a figure of V of a passive membrane under a step.

    Parameters
    ----------
    trace
        Simulated response of n samples, drawn as a line.
    V_exact
        Closed form (n,) [mV], drawn as dots.
    tau
        Time constant [ms], marked.
    """
    figure, ax = plt.subplots(figsize=(9, 3.4))
    ax.plot(trace.t, trace.V, color=COLOURS["V"])
    ax.plot(trace.t[::100], V_exact[::100], "o", color=ORANGE, markersize=5)
    after_tau = trace.start + tau
    V_tau = float(np.interp(after_tau, trace.t, trace.V))
    ax.plot([trace.start, after_tau, after_tau], [V_tau, V_tau, trace.V[0]], ":", color="0.4")
    direct_label(ax, after_tau, V_tau - 1.2, r"after $\tau$: 63 % of the way", "0.35")
    ax.axvspan(trace.start, trace.stop, color="0.94", zorder=-1)
    ax.text(trace.start + 0.3, trace.V.max(), "current on", color="0.35", va="top")
    direct_label(ax, trace.stop + 4, trace.V[0] + 5.2, "line: simulation", COLOURS["V"])
    direct_label(ax, trace.stop + 4, trace.V[0] + 4.0, "dots: closed form", ORANGE)
    ax.set(xlabel="time (ms)", ylabel="V (mV)")
    return figure


def plot_steady_currents(neuron: Neuron, V: np.ndarray, rest: float) -> Figure:
    """Make a figure of each steady current and their sum against V (n,) [mV], with `rest` [mV] marked."""
    figure, ax = plt.subplots(figsize=(9, 3.8))
    currents = steady_currents(neuron, V)
    for name, look in looks(currents).items():
        ax.plot(V, currents[name], **look)
        direct_label(ax, V[-1], currents[name][-1], mathematical(name), look["color"])
    total = np.sum(list(currents.values()), axis=0)
    ax.plot(V, total, color=COLOURS["V"], linewidth=2.8)
    direct_label(ax, V[-1], total[-1], "sum", COLOURS["V"])
    ax.plot(rest, 0.0, "o", color=COLOURS["V"], markersize=9)
    ax.annotate("rest", (rest, 0.0), (-50, 50), textcoords="offset points", ha="right", arrowprops=POINTER)
    zero_line(ax)
    ax.set(xlabel="V, held until all gates are steady (mV)", ylabel="steady current (µA/cm²)")
    return figure


def plot_pulse_responses(pulses: Mapping[float, Trace], named: Mapping[float, tuple[float, float]]) -> Figure:
    """Make a figure of V after pulses of several strengths: solid where a spike follows, dotted where none does.

    Parameters
    ----------
    pulses
        Traces by strength of the pulse [µA/cm²].
    named
        Strengths to write down where a spike follows, each with its place (t [ms], V [mV]).
    """
    figure, ax = plt.subplots(figsize=(9, 4))
    for (strength, trace), shade in zip(pulses.items(), shades(len(pulses)), strict=True):
        ax.plot(trace.t, trace.V, color=shade, linestyle="-" if len(trace.spike_times) else STYLES[2])
        ax.axvspan(trace.start, trace.stop, color="0.9", zorder=-1)
        if strength in named and len(trace.spike_times):
            direct_label(ax, *named[strength], f"{strength:g}", shade)
    too_weak = [strength for strength, trace in pulses.items() if not len(trace.spike_times)]
    if too_weak:
        last = pulses[max(too_weak)]
        which = f"dotted: {min(too_weak):g} to {max(too_weak):g}"
        direct_label(ax, 0.75 * last.t[-1], last.V[-1] + 8, which, COLOURS["V"])
    ax.set(xlabel="time (ms)", ylabel="V (mV)", ylim=(-82, 56), title="strength of the pulse in µA/cm²")
    return figure


def plot_strength_duration(
    widths: np.ndarray,
    thresholds: np.ndarray,
    laws: Mapping[str, tuple[Callable[[np.ndarray, float, float], np.ndarray], StrengthDurationFit]],
) -> Figure:
    """Make a figure of threshold current and threshold charge against the duration of the pulse.

    Parameters
    ----------
    widths, thresholds
        Durations (n,) [ms] and threshold currents (n,) [µA/cm²], drawn as dots.
    laws
        By name, a law and its fit, drawn as lines.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    fine = np.geomspace(widths[0], widths[-1], 200)
    for (name, (law, fit)), colour, style in zip(laws.items(), (BLUE, ORANGE), (STYLES[1], "-"), strict=True):
        curve = law(fine, fit.rheobase, fit.chronaxie)
        left.plot(fine, curve, color=colour, linestyle=style, label=name)
        right.plot(fine, curve * fine, color=colour, linestyle=style)
    left.plot(widths, thresholds, "o", color=COLOURS["V"], markersize=5, label="axon")
    right.plot(widths, thresholds * widths, "o", color=COLOURS["V"], markersize=5)
    panels = ((left, "current (µA/cm²)", (2, 5, 10, 20, 50, 100)), (right, "charge (nC/cm²)", (6, 10, 20, 40)))
    for ax, what, ticks in panels:
        ax.set(xscale="log", yscale="log", xlabel="duration (ms)", ylabel=f"threshold {what}")
        fixed_ticks(ax.xaxis, (0.1, 1.0, 10.0))
        fixed_ticks(ax.yaxis, ticks)
    left.legend(loc="upper right")
    return figure


def plot_refractoriness(intervals: np.ndarray, relative: np.ndarray, max_relative: float) -> Figure:
    """Make a figure of the threshold of a second pulse against the time since the first.

    Parameters
    ----------
    intervals
        Times between the pulses (n,) [ms].
    relative
        Threshold relative to that at rest (n,); infinite where no pulse gives a second spike.
    max_relative
        Upper end of the axis.
    """
    figure, ax = plt.subplots(figsize=(9, 4))
    absolute = float(intervals[np.isinf(relative)].max())
    ax.plot(intervals, relative, color=COLOURS["V"])
    ax.axhline(1.0, color=GUIDE, linewidth=1, linestyle=":")
    ax.axvspan(intervals[0], absolute, color="0.87", linewidth=0)
    ax.text(0.5 * (intervals[0] + absolute), 0.5 * max_relative, "absolute", ha="center", va="center", rotation=90)
    ax.text(absolute + 3.5, 0.62 * max_relative, "relative")
    easiest = intervals[relative.argmin()]
    ax.annotate("easier than at rest", (easiest, relative.min()), (0, -30), textcoords="offset points", ha="center")
    ax.text(intervals[-1], 1.12, "threshold at rest", ha="right", color="0.35")
    ax.set(xlabel="time between the pulses (ms)", ylabel="threshold / threshold at rest")
    ax.set(xlim=(intervals[0], intervals[-1]), ylim=(0, max_relative))
    return figure
