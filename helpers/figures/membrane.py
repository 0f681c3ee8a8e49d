"""The figures of notebook 1, sections 1 to 5: membrane, voltage clamp, gates and thresholds of the squid axon.

Labels stand where they are readable for the default parameters; for other neurons move them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.experiments.current_clamp import Fitted, steady_currents
from helpers.experiments.voltage_clamp import ClampTrace
from helpers.neurons.equations import Neuron
from helpers.recordings.voltage_clamp import RecordedFamily
from helpers.simulation.trace import Trace

from .traces import COLOURS, LINES, direct_label, plot_family, shades

__all__ = [
    "plot_charging",
    "plot_current_voltage",
    "plot_families",
    "plot_gate_curves",
    "plot_pulses",
    "plot_refractoriness",
    "plot_sodium_families",
    "plot_steady_currents",
    "plot_strength_duration",
    "plot_tails",
]

BLANK = 0.6  # ms after a step in which a patch amplifier charges the membrane


def plot_charging(trace: Trace, V_exact: np.ndarray, tau: float) -> Axes:
    """V of a passive membrane under a step, simulated (line) and in closed form (dots), with its time constant [ms]."""
    _, ax = plt.subplots(figsize=(9, 3.4))
    ax.plot(trace.t, trace.V, color=COLOURS["V"])
    ax.plot(trace.t[::100], V_exact[::100], "o", color=COLOURS["I_Na"], markersize=5)
    after_tau = trace.start + tau
    V_tau = float(np.interp(after_tau, trace.t, trace.V))
    ax.plot([trace.start, after_tau, after_tau], [V_tau, V_tau, trace.V[0]], ":", color="0.4")
    direct_label(ax, after_tau, V_tau - 1.2, r"after $\tau$: 63 % of the way", "0.35")
    ax.axvspan(trace.start, trace.stop, color="0.94", zorder=-1)
    ax.text(trace.start + 0.3, trace.V.max(), "current on", color="0.35", va="top")
    direct_label(ax, trace.stop + 4, trace.V[0] + 5.2, "line: simulation", COLOURS["V"])
    direct_label(ax, trace.stop + 4, trace.V[0] + 4.0, "dots: closed form", COLOURS["I_Na"])
    ax.set(xlabel="time (ms)", ylabel="V (mV)")
    return ax


def plot_steady_currents(neuron: Neuron, V: np.ndarray, rest: float) -> Axes:
    """Each steady current and their sum over V [mV], with rest marked."""
    _, ax = plt.subplots(figsize=(9, 3.8))
    currents = steady_currents(neuron, V)
    for name, current in currents.items():
        ax.plot(V, current, color=COLOURS[name], linestyle=LINES.get(name, "-"))
        direct_label(ax, V[-1], current[-1], _symbol(name), COLOURS[name])
    total = np.sum(list(currents.values()), axis=0)
    ax.plot(V, total, color=COLOURS["V"], linewidth=2.8)
    direct_label(ax, V[-1], total[-1], "sum", COLOURS["V"])
    ax.plot(rest, 0.0, "o", color=COLOURS["V"], markersize=9)
    pointer = {"arrowstyle": "-", "color": "0.5"}
    ax.annotate("rest", (rest, 0.0), (-50, 50), textcoords="offset points", ha="right", arrowprops=pointer)
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(xlabel="V held for long (mV)", ylabel="steady current (µA/cm²)")
    return ax


def plot_families(families: Mapping[str, ClampTrace], levels: Sequence[float]) -> Figure:
    """The total ionic current of each family side by side, by title, below the command; levels named in the second."""
    figure, axes = plt.subplots(
        2, len(families), figsize=(9, 5), sharex=True, sharey="row", squeeze=False, height_ratios=[1, 4]
    )
    for column, (title, family) in enumerate(families.items()):
        top, bottom = axes[:, column]
        plot_family(top, family.t, family.V, levels)
        named = 2 if column == 1 else 0
        plot_family(bottom, family.t, family.total, levels, name_every=named, at=family.edges[2] - 0.1)
        top.set_title(title)
        bottom.set(xlabel="time (ms)")
    axes[0, 0].set_ylabel("command\n(mV)")
    axes[1, 0].set_ylabel("ionic current (µA/cm²)")
    figure.align_ylabels()
    return figure


def plot_current_voltage(levels: np.ndarray, peaks: Mapping[str, np.ndarray], E_Na: float) -> Axes:
    """Peak currents (n,) [µA/cm²] by name over the test level [mV], with the sodium reversal potential marked."""
    _, ax = plt.subplots(figsize=(9, 3.8))
    for name in ("I_K", "I_Na"):
        ax.plot(levels, peaks[name], color=COLOURS[name], linestyle=LINES.get(name, "-"))
        direct_label(ax, levels[-1], peaks[name][-1], _symbol(name), COLOURS[name])
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    ax.plot(E_Na, 0.0, "o", color=COLOURS["I_Na"])
    ax.annotate(r"$E_\mathrm{Na}$", (E_Na, 0.0), (4, -16), textcoords="offset points", color=COLOURS["I_Na"], ha="left")
    ax.set(xlabel="test level (mV)", ylabel="peak current (µA/cm²)")
    return ax


def plot_tails(t: np.ndarray, currents: np.ndarray, levels: np.ndarray, jump: int, line: np.ndarray) -> Figure:
    """Tail currents (n_family, n) over time, and their values at sample `jump` over the second level [mV].

    line: slope and offset of the straight line through these values.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=[3, 2])
    plot_family(left, t, currents, levels)
    for level, start, shade in list(zip(levels, currents[:, jump], shades(len(levels)), strict=True))[::2]:
        left.text(t[jump] - 0.2, start, f"{level:.0f} mV", color=shade, ha="right", va="center")
    left.set(xlabel="time (ms)", ylabel=r"$I_\mathrm{K}$ (µA/cm²)")
    right.plot(levels, currents[:, jump], "o", color=COLOURS["I_K"])
    right.plot(levels, np.polyval(line, levels), color=COLOURS["I_K"], linewidth=1)
    right.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    E = -line[1] / line[0]
    right.annotate(f"zero at {E:.0f} mV", (E, 0.0), (-10, 40), textcoords="offset points", ha="center",
                   arrowprops={"arrowstyle": "-", "color": "0.5"})  # fmt: skip
    right.set(xlabel="second level (mV)", ylabel=r"$I_\mathrm{K}$ at the jump (µA/cm²)")
    return figure


def plot_sodium_families(model: ClampTrace, recorded: RecordedFamily | None, shown: float = 6.0) -> Figure:
    """Sodium currents of a model and, where there is one, of a recorded cell, at the same levels; and both I-V curves.

    Drawn are the first `shown` ms of the steps to -40 ... +40 mV. The I-V curves are divided by their largest inward
    current; that of the cell ends at +45 mV, above which the charging of the membrane hides what is left.
    """
    figure, axes = plt.subplots(1, 3 if recorded is not None else 2, figsize=(9, 4.2))
    begin = model.edges[1]
    levels = model.V[:, np.searchsorted(model.t, begin + 1e-6)]
    after = (model.t >= begin) & (model.t <= begin + shown)
    _some_levels(axes[-2], model.t[after] - begin, levels, model.currents["I_Na"][:, after], "squid axon, model")
    _normalised(axes[-1], levels, model.peak("I_Na"), {"color": COLOURS["V"]}, 0.9, "line: model")
    if recorded is not None:
        after = (recorded.t >= BLANK) & (recorded.t <= shown)
        _some_levels(axes[0], recorded.t[after], recorded.levels, recorded.density()[:, after], "patch-clamped cell")
        low, look = recorded.levels <= 45.0, {"color": COLOURS["I_Na"], "marker": "o", "markersize": 4, "linestyle": ""}
        _normalised(axes[-1], recorded.levels[low], recorded.peaks(BLANK)[0][low], look, 0.8, "dots: cell")
    axes[0].set_ylabel("sodium current (µA/cm²)")
    axes[-1].set(xlabel="test level (mV)", title="peak / largest inward", ylim=(-1.1, 1.1))
    return figure


def _some_levels(ax: Axes, t: np.ndarray, levels: np.ndarray, currents: np.ndarray, title: str) -> None:
    """The sweeps to -40, -20, 0, 20 and 40 mV, with a list of their levels where all currents have gone."""
    chosen = np.flatnonzero(np.isin(levels, (-40.0, -20.0, 0.0, 20.0, 40.0)))
    plot_family(ax, t, currents[chosen], levels[chosen])
    for row, (level, shade) in enumerate(zip(levels[chosen], shades(len(chosen)), strict=True)):
        ax.text(0.97, 0.06 + 0.08 * row, f"{level:.0f} mV", color=shade, ha="right", transform=ax.transAxes)
    ax.set(title=title, xlabel="time after the step (ms)", xlim=(0.0, t[-1]))


def _normalised(ax: Axes, levels: np.ndarray, peaks: np.ndarray, look: Mapping, height: float, name: str) -> None:
    ax.plot(levels, peaks / -peaks.min(), **look)
    ax.text(0.03, height, name, color=look["color"], transform=ax.transAxes)
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)


def plot_gate_curves(neuron: Neuron, V: np.ndarray, labels: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Opening and shutting rate, steady state and time constant of each gate over V [mV].

    labels: for each gate, where its name stands in the four panels.
    """
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.2), sharex=True)
    symbols = (r"$\alpha_{}$", r"$\beta_{}$", r"${}_\infty$", r"$\tau_{}$")
    for gate, places in labels.items():
        curves = [*neuron.rates(gate, V), neuron.steady_state(gate, V), neuron.time_constant(gate, V)]
        for ax, curve, place, symbol in zip(axes.flat, curves, places, symbols, strict=True):
            ax.plot(V, curve, color=COLOURS[gate], linestyle=LINES.get(gate, "-"))
            direct_label(ax, *place, symbol.format(gate), COLOURS[gate])
    titles = ("opening rate (1/ms)", "shutting rate (1/ms)", "steady state", "time constant (ms)")
    for ax, title, scale in zip(axes.flat, titles, ("log", "log", "linear", "linear"), strict=True):
        ax.set(title=title, yscale=scale)
    for ax in axes[1]:
        ax.set_xlabel("V (mV)")
    return figure


def plot_pulses(pulses: Mapping[float, Trace], named: Mapping[float, tuple[float, float]]) -> Axes:
    """V after pulses of several strengths [µA/cm²]: solid where a spike follows, dotted where none does.

    named: strengths to write down, each with the place (t [ms], V [mV]) where it stands.
    """
    _, ax = plt.subplots(figsize=(9, 4))
    for strength, trace in pulses.items():
        ax.plot(trace.t, trace.V, color=COLOURS["V"], linestyle="-" if len(trace.spike_times) else (0, (1, 1)))
        ax.axvspan(trace.start, trace.stop, color="0.9", zorder=-1)
        if strength in named:
            direct_label(ax, *named[strength], f"{strength:g}", COLOURS["V"])
    too_weak = [strength for strength, trace in pulses.items() if not len(trace.spike_times)]
    last = pulses[max(too_weak)]
    direct_label(ax, 0.75 * last.t[-1], last.V[-1] + 8, f"dotted: {min(too_weak):g} to {max(too_weak):g}", COLOURS["V"])
    ax.set(xlabel="time (ms)", ylabel="V (mV)", ylim=(-82, 56), title="strength of the pulse in µA/cm²")
    return ax


def plot_strength_duration(
    widths: np.ndarray,
    thresholds: np.ndarray,
    laws: Mapping[str, tuple[Callable[[np.ndarray, float, float], np.ndarray], Fitted]],
) -> Figure:
    """Threshold current (n,) [µA/cm²] and threshold charge over the duration [ms]: dots; fitted laws by name: lines."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    fine = np.geomspace(widths[0], widths[-1], 200)
    looks = ((COLOURS["I_K"], (0, (5, 1.5))), (COLOURS["I_Na"], "-"))
    for (name, (law, fit)), (colour, style) in zip(laws.items(), looks, strict=True):
        curve = law(fine, fit.rheobase, fit.chronaxie)
        left.plot(fine, curve, color=colour, linestyle=style, label=name)
        right.plot(fine, curve * fine, color=colour, linestyle=style)
    left.plot(widths, thresholds, "o", color=COLOURS["V"], markersize=5, label="axon")
    right.plot(widths, thresholds * widths, "o", color=COLOURS["V"], markersize=5)
    for ax, what in ((left, "current (µA/cm²)"), (right, "charge (nC/cm²)")):
        ax.set(xscale="log", yscale="log", xlabel="duration (ms)", ylabel=f"threshold {what}")
        ax.set_xticks([0.1, 1.0, 10.0], ["0.1", "1", "10"])
    left.set_yticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    right.set_yticks([6, 10, 20, 40], ["6", "10", "20", "40"])
    for ax in (left, right):
        ax.minorticks_off()
    left.legend(loc="upper right")
    return figure


def plot_refractoriness(intervals: np.ndarray, relative: np.ndarray, strongest: float) -> Axes:
    """Threshold of a second pulse, relative to rest (n,), over the time since the first (n,) [ms]; inf: unreachable."""
    _, ax = plt.subplots(figsize=(9, 4))
    absolute = float(intervals[np.isinf(relative)].max())
    ax.plot(intervals, relative, color=COLOURS["V"])
    ax.axhline(1.0, color="0.6", linewidth=1, linestyle=":")
    ax.axvspan(intervals[0], absolute, color="0.87", linewidth=0)
    ax.text(0.5 * (intervals[0] + absolute), 0.5 * strongest, "absolute", ha="center", va="center", rotation=90)
    ax.text(absolute + 3.5, 0.62 * strongest, "relative")
    easiest = intervals[relative.argmin()]
    ax.annotate("easier than at rest", (easiest, relative.min()), (0, -30), textcoords="offset points", ha="center")
    ax.text(intervals[-1], 1.12, "threshold at rest", ha="right", color="0.35")
    ax.set(xlabel="time between the pulses (ms)", ylabel="threshold / threshold at rest")
    ax.set(xlim=(intervals[0], intervals[-1]), ylim=(0, strongest))
    return ax


def _symbol(name: str) -> str:
    """I_Na as I with the index Na."""
    return rf"$I_{{\mathrm{{{name[2:]}}}}}$"
