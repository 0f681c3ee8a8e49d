"""Every figure of the series: functions that draw on given axes and return them. `use_style()` sets the look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .trace import Trace

__all__ = [
    "COLOURS",
    "direct_label",
    "plot_currents",
    "plot_f_I",
    "plot_gates",
    "plot_injected",
    "plot_posterior",
    "plot_predictive",
    "plot_spike",
    "plot_voltage",
    "use_style",
]

# One colour and one line style for each thing, in every figure.
COLOURS = {
    "V": "#000000", "I": "#7F7F7F",
    "m": "#D55E00", "h": "#E69F00", "n": "#0072B2", "p": "#009E73",
    "I_Na": "#D55E00", "I_K": "#0072B2", "I_M": "#009E73", "I_L": "#7F7F7F", "I_leak": "#7F7F7F",
}  # fmt: skip
LINES = {"h": (0, (5, 1.5)), "n": (0, (1, 1)), "p": (0, (3, 1, 1, 1))} | {
    "I_K": (0, (5, 1.5)), "I_L": (0, (1, 1)), "I_leak": (0, (1, 1)), "I_M": (0, (3, 1, 1, 1)),
}  # fmt: skip


def use_style() -> None:
    """Switch matplotlib to the look of the series."""
    plt.style.use(Path(__file__).with_name("pyhh.mplstyle"))


def direct_label(ax: Axes, x: float, y: float, text: str, colour: str, rise: float = 0.0) -> None:
    """Write the name of a line beside the point (x, y), `rise` points higher, in the line's colour."""
    ax.annotate(
        text, (x, y), xytext=(5, rise), textcoords="offset points", color=colour, va="center", annotation_clip=False
    )


def _mathematical(name: str) -> str:
    """I_Na as I with the index Na."""
    head, _, index = name.partition("_")
    return rf"${head}_{{\mathrm{{{index}}}}}$" if index else f"${head}$"


def plot_voltage(ax: Axes, trace: Trace) -> Axes:
    """V over time; a small tick above each spike marks the time at which V rises through the spike threshold."""
    ax.plot(trace.t, trace.V, color=COLOURS["V"])
    ax.plot(trace.spike_times, np.full(len(trace.spike_times), trace.V.max() + 8), "|", color=COLOURS["V"])
    ax.set_ylabel("V (mV)")
    return ax


def plot_injected(ax: Axes, trace: Trace) -> Axes:
    """The injected current over time."""
    ax.plot(trace.t, trace.I, color=COLOURS["I"], drawstyle="steps-post")
    ax.set_ylabel(f"I ({trace.I_unit})")
    return ax


def plot_gates(ax: Axes, trace: Trace) -> Axes:
    """The open fraction of each gate over time, labelled at the right end."""
    for name, values in trace.gates.items():
        ax.plot(trace.t, values, color=COLOURS[name], linestyle=LINES.get(name, "-"))
    _label_ends(ax, trace.t, trace.gates)
    ax.set_ylabel("open fraction")
    ax.set_ylim(-0.03, 1.03)
    return ax


def plot_currents(ax: Axes, trace: Trace) -> Axes:
    """The ionic currents over time, outward positive, each labelled where it is largest."""
    for name, values in trace.currents.items():
        ax.plot(trace.t, values, color=COLOURS[name], linestyle=LINES.get(name, "-"))
    for name, values in trace.currents.items():
        peak = int(np.argmax(np.abs(values)))
        direct_label(
            ax, trace.t[peak], values[peak], _mathematical(name), COLOURS[name], rise=9 * np.sign(values[peak])
        )
    ax.set_ylabel("current (µA/cm²)")
    ax.margins(y=0.15)
    return ax


def _label_ends(ax: Axes, t: np.ndarray, lines: Mapping[str, np.ndarray]) -> None:
    """Name each line at its right end, moved apart where ends lie close."""
    low, high = -0.03, 1.03
    place = -np.inf
    for name in sorted(lines, key=lambda name: lines[name][-1]):
        place = max(place + 0.11 * (high - low), lines[name][-1])
        direct_label(ax, t[-1], place, _mathematical(name), COLOURS[name])


def plot_spike(trace: Trace, begin: float | None = None, end: float | None = None) -> Figure:
    """Injected current, V, gates and ionic currents above one another on one time axis, from `begin` to `end` [ms]."""
    keep = (trace.t >= (trace.t[0] if begin is None else begin)) & (trace.t <= (trace.t[-1] if end is None else end))
    part = Trace(
        t=trace.t[keep],
        V=trace.V[keep],
        I=trace.I[keep],
        start=max(trace.start, trace.t[keep][0]),
        stop=min(trace.stop, trace.t[keep][-1]),
        gates={name: values[keep] for name, values in trace.gates.items()},
        currents={name: values[keep] for name, values in trace.currents.items()},
        I_unit=trace.I_unit,
        spike_threshold=trace.spike_threshold,
    )
    figure, axes = plt.subplots(4, 1, figsize=(9, 8), sharex=True, height_ratios=[1, 3, 2, 3])
    for ax, plot in zip(axes, (plot_injected, plot_voltage, plot_gates, plot_currents), strict=True):
        plot(ax, part)
    axes[-1].set_xlabel("time (ms)")
    figure.align_ylabels()
    return figure


def plot_posterior(
    samples: np.ndarray,
    labels: Sequence[str],
    truth: Sequence[float] | None = None,
    limits: Sequence[tuple[float, float]] | None = None,
) -> Figure:
    """Pair plot of posterior samples (n, n_parameters): marginals on the diagonal, pairs below, truth as a cross.

    limits: axis range of each parameter, e.g. the prior box; by default that of the samples.
    """
    count = len(labels)
    size = 2.3 * count + 1.2
    figure, axes = plt.subplots(count, count, figsize=(size, 0.85 * size), squeeze=False)
    for row, column in np.ndindex(count, count):
        ax = axes[row, column]
        if column > row:
            ax.axis("off")
            continue
        if row == column:
            sns.histplot(x=samples[:, row], ax=ax, color=COLOURS["I_K"], element="step", stat="density", bins=40)
            ax.set(yticks=[], ylabel="")
            ax.spines["left"].set_visible(False)
        else:
            ax.plot(samples[:, column], samples[:, row], ".", color=COLOURS["I_K"], alpha=0.25, markersize=3)
        if truth is not None and row == column:
            ax.axvline(truth[row], color=COLOURS["I_Na"], linestyle="--")
        elif truth is not None:
            ax.plot(truth[column], truth[row], "+", color=COLOURS["I_Na"], markersize=16, markeredgewidth=2.5)
        if limits is not None:
            ax.set_xlim(limits[column])
            if row != column:
                ax.set_ylim(limits[row])
        if row == column and count > 2:  # the axis label stands far below
            ax.set_title(labels[row], fontsize=11)
        ax.set_xlabel(labels[column] if row == count - 1 else "")
        ax.set_ylabel(labels[row] if column == 0 and row > 0 else "")
    return figure


def plot_predictive(ax: Axes, observed: Trace, simulated: Sequence[Trace]) -> Axes:
    """Posterior predictive traces (thin) behind the observed one."""
    for trace in simulated:
        ax.plot(trace.t, trace.V, color=COLOURS["I_K"], linewidth=0.7, alpha=0.35)
    ax.plot(observed.t, observed.V, color=COLOURS["V"], linewidth=1.4)
    ax.set(xlabel="time (ms)", ylabel="V (mV)")
    return ax


def plot_f_I(ax: Axes, currents: np.ndarray, rates: np.ndarray, fits: Mapping[str, np.ndarray]) -> Axes:
    """A measured f-I curve (dots) and fitted curves (`currents` to rate [Hz]), each with its own line style."""
    styles = ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1))]
    palette = [COLOURS["I_Na"], COLOURS["I_K"], COLOURS["p"], "#CC79A7"]
    for (name, curve), style, colour in zip(fits.items(), styles, palette, strict=False):
        ax.plot(currents, curve, color=colour, linestyle=style, label=name)
    ax.plot(currents, rates, "o", color=COLOURS["V"], markersize=5, label="neuron")
    ax.set(xlabel="injected current (µA/cm²)", ylabel="firing rate (Hz)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)  # above the axes, where no line can run
    return ax
