"""Voltage clamp: families of currents, current-voltage curves, tail currents, and the gates behind them.

Labels are placed for the squid axon; for other neurons move them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.experiments.voltage_clamp import ClampTrace
from helpers.neurons.equations import Neuron
from helpers.recordings.voltage_clamp import RecordedFamily

from .colours import COLOURS, ORANGE, looks, mathematical
from .style import POINTER, direct_label, readable, shades, zero_line

__all__ = [
    "plot_clamp_families",
    "plot_clamp_family",
    "plot_current_voltage",
    "plot_gate_curves",
    "plot_sodium_families",
    "plot_tail_currents",
]

HEIGHTS = 0.35, 0.85, 0.15  # of the names of m, h and n next to their steady states, where the curves lie apart
BLANK = 0.6  # ms after a step in which a patch amplifier charges the membrane


def plot_clamp_family(
    ax: Axes,
    t: np.ndarray,
    currents: np.ndarray,
    levels: Sequence[float] | np.ndarray,
    name_every: int = 0,
    at: float | None = None,
) -> Axes:
    """Plot a family of currents under voltage clamp, dark at the lowest test level, light at the highest.

    Parameters
    ----------
    t
        Times (n,) [ms].
    currents
        One current for each level, (n_levels, n).
    levels
        Test levels (n_levels,) [mV].
    name_every
        Name every so many levels at the right edge, where there is room; 0 for none.
    at
        Time [ms] whose current gives the height of a name; by default the end.
    """
    where = len(t) - 1 if at is None else int(np.argmin(np.abs(t - at)))
    colours = shades(len(levels))
    for current, shade in zip(currents, colours, strict=True):
        ax.plot(t, current, color=shade, linewidth=1.4)
    line_height, last_named = 0.06 * np.ptp(currents), np.inf
    for k in range(len(levels) - 1, -1, -name_every) if name_every else ():
        height, level = currents[k][where], levels[k]
        if abs(last_named - height) > line_height:
            direct_label(ax, t[-1], height, _in_mV(level, sign="+" if level else ""), colours[k])
            last_named = height
    zero_line(ax)
    return ax


def _in_mV(level: float, sign: str = "") -> str:
    """Return the name of a level; with the sign "+" also a positive one shows its sign."""
    return f"{level:{sign}.0f} mV".replace("-", "\N{MINUS SIGN}")


def plot_clamp_families(families: Mapping[str, ClampTrace], levels: Sequence[float]) -> Figure:
    """Make a figure of families side by side, by title: the command above the total ionic current.

    Parameters
    ----------
    families
        Voltage-clamp experiments by title; the second one has its levels named.
    levels
        Test levels (n_levels,) [mV], the same in each.
    """
    figure, axes = plt.subplots(
        2, len(families), figsize=(9, 5), sharex=True, sharey="row", squeeze=False, height_ratios=[1, 4]
    )
    for column, (title, family) in enumerate(families.items()):
        top, bottom = axes[:, column]
        plot_clamp_family(top, family.t, family.V, levels)
        named = int(column == 1)
        plot_clamp_family(bottom, family.t, family.total, levels, name_every=named, at=family.edges[2] - 0.1)
        top.set_title(title)
        bottom.set(xlabel="time (ms)")
    axes[0, 0].set_ylabel("command\n(mV)")
    axes[1, 0].set_ylabel("ionic current (µA/cm²)")
    figure.align_ylabels()
    return figure


def plot_current_voltage(levels: np.ndarray, peaks: Mapping[str, np.ndarray], E_Na: float) -> Figure:
    """Make a figure of peak currents (n,) [µA/cm²] by name against test levels (n,) [mV], with `E_Na` [mV] marked."""
    figure, ax = plt.subplots(figsize=(9, 3.8))
    for name, look in looks(("I_K", "I_Na")).items():
        ax.plot(levels, peaks[name], **look)
        direct_label(ax, levels[-1], peaks[name][-1], mathematical(name), look["color"])
    zero_line(ax)
    ax.plot(E_Na, 0.0, "o", color=COLOURS["I_Na"])
    ax.annotate(mathematical("E_Na"), (E_Na, 0.0), (4, -16), textcoords="offset points", color=COLOURS["I_Na"])
    ax.set(xlabel="test level (mV)", ylabel="peak current (µA/cm²)")
    return figure


def plot_tail_currents(tails: ClampTrace, name: str, line: Sequence[float]) -> Figure:
    """Make a figure of tail currents over time, and of their first values against the second level.

    Parameters
    ----------
    tails
        A voltage-clamp family whose last part goes to a second level, another in each sweep.
    name
        The current that is drawn.
    line
        Slope and offset of the straight line through the first values.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=[3, 2])
    jump = int(np.argmin(np.abs(tails.t - tails.edges[-2])))
    levels, currents = tails.V[:, jump], tails.currents[name]
    plot_clamp_family(left, tails.t, currents, levels)
    for level, start, shade in list(zip(levels, currents[:, jump], shades(len(levels)), strict=True))[::2]:
        left.text(tails.t[jump] - 0.2, start, _in_mV(level), color=readable(shade), ha="right", va="center")
    left.set(xlabel="time (ms)", ylabel=f"{mathematical(name)} (µA/cm²)")
    right.plot(levels, currents[:, jump], "o", color=COLOURS[name])
    right.plot(levels, np.polyval(line, levels), color=COLOURS[name], linewidth=1)
    zero_line(right)
    E = -line[1] / line[0]
    right.annotate(
        f"zero at {E:.0f} mV", (E, 0.0), (-10, 40), textcoords="offset points", ha="center", arrowprops=POINTER
    )
    right.set(xlabel="second level (mV)", ylabel=f"{mathematical(name)} at the jump (µA/cm²)")
    return figure


def plot_sodium_families(model: ClampTrace, recorded: RecordedFamily | None, shown: float = 6.0) -> Figure:
    """Make a figure of sodium currents of a model and of a recorded cell at the same levels, and of both I-V curves.

    The I-V curves are divided by their largest inward current; that of the cell ends at +45 mV, above which the
    charging of the membrane hides what is left.

    Parameters
    ----------
    model
        Voltage clamp of the model.
    recorded
        Voltage clamp of the cell, or None to draw the model alone.
    shown
        How much of the steps to -40 ... +40 mV is drawn [ms].
    """
    figure, axes = plt.subplots(1, 3 if recorded is not None else 2, figsize=(9, 4.2))
    begin = model.edges[1]
    levels = model.V[:, np.searchsorted(model.t, begin + 1e-6)]
    after = (model.t >= begin) & (model.t <= begin + shown)
    _some_levels(axes[-2], model.t[after] - begin, levels, model.currents["I_Na"][:, after], "squid axon, model")
    curves = {"line: model": (levels, model.peak("I_Na"), "-", COLOURS["V"])}
    if recorded is not None:
        after = (recorded.t >= BLANK) & (recorded.t <= shown)
        _some_levels(axes[0], recorded.t[after], recorded.levels, recorded.density()[:, after], "patch-clamped cell")
        low = recorded.levels <= 45.0
        curves["dots: cell"] = recorded.levels[low], recorded.peaks(BLANK)[0][low], "o", ORANGE
    for (name, (x, peaks, style, colour)), height in zip(curves.items(), (0.9, 0.8), strict=False):
        axes[-1].plot(x, peaks / -peaks.min(), style, color=colour, markersize=4)
        axes[-1].text(0.03, height, name, color=colour, transform=axes[-1].transAxes)
    zero_line(axes[-1])
    axes[0].set_ylabel("sodium current (µA/cm²)")
    axes[-1].set(xlabel="test level (mV)", title="peak / largest inward", ylim=(-1.1, 1.1))
    return figure


def _some_levels(ax: Axes, t: np.ndarray, levels: np.ndarray, currents: np.ndarray, title: str) -> None:
    """The sweeps to -40, -20, 0, 20 and 40 mV, with a list of their levels where all currents have gone."""
    chosen = np.flatnonzero(np.isin(levels, (-40.0, -20.0, 0.0, 20.0, 40.0)))
    plot_clamp_family(ax, t, currents[chosen], levels[chosen])
    for row, (level, shade) in enumerate(zip(levels[chosen], shades(len(chosen)), strict=True)):
        ax.text(0.97, 0.06 + 0.08 * row, _in_mV(level), color=readable(shade), ha="right", transform=ax.transAxes)
    ax.set(title=title, xlabel="time after the step (ms)", xlim=(0.0, t[-1]))


def plot_gate_curves(neuron: Neuron, V: np.ndarray) -> Figure:
    """Make a figure of steady state and time constant of each gate against V.

    Parameters
    ----------
    neuron
        The neuron whose gates are drawn.
    V
        Membrane potentials (n,) [mV].
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
    for (gate, look), height in zip(looks(neuron.gates).items(), HEIGHTS, strict=False):
        x_inf, tau = neuron.steady_state(gate, V), neuron.time_constant(gate, V)
        left.plot(V, x_inf, **look)
        right.plot(V, tau, **look)
        place = int(np.argmin(np.abs(x_inf - height)))
        direct_label(left, V[place], x_inf[place], rf"${gate}_\infty$", look["color"])
        direct_label(right, V[tau.argmax()], tau.max(), rf"$\tau_{gate}$", look["color"], rise=8)
    left.set(title="steady state", xlabel="V (mV)", ylabel="open fraction")
    right.set(title="time constant", xlabel="V (mV)", ylabel="time constant (ms)", ylim=(0.0, None))
    return figure
