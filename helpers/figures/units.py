"""Figures of notebook 3 about single units: measured curves, activations, codes, what a rate cannot say, XOR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.artificial.decoding import CODES, Decoded, Responses
from helpers.artificial.rate_laws import Fit
from helpers.artificial.training import Runs
from helpers.simulation.trace import Trace

from .traces import COLOURS

__all__ = [
    "LAW_LOOKS",
    "plot_accuracies",
    "plot_activations",
    "plot_codes",
    "plot_curves",
    "plot_memory",
    "plot_pairs",
    "plot_R2",
    "plot_xor",
]

ORANGE, BLUE, GREEN, PINK, SKY, YELLOW = "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"

# One colour and line style for each rate law, in every figure.
LAW_LOOKS = {
    "ReLU": (ORANGE, (0, (5, 1.5))),
    "leaky ReLU": (YELLOW, (0, (8, 2))),
    "softplus": (PINK, (0, (3, 1, 1, 1))),
    "sigmoid": (GREEN, (0, (1, 1))),
    "tanh": (SKY, (0, (6, 2, 1, 2))),
    "LIF": (BLUE, "-"),
}


def plot_curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, str]],
    fits: Mapping[str, Mapping[str, Fit]],
    shown: Sequence[str] = ("ReLU", "sigmoid", "LIF"),
) -> Figure:
    """Measured f-I curves by name, (currents (n,), rates (n,) [Hz], unit), as dots; some fits to each as lines."""
    figure, axes = plt.subplots(2, -(-len(curves) // 2), figsize=(9, 6.4))
    for ax, (name, (currents, rates, unit)) in zip(axes.flat, curves.items(), strict=True):
        fine = np.linspace(currents[0], currents[-1], 600)
        for law in shown:
            colour, style = LAW_LOOKS[law]
            ax.plot(fine, fits[name][law](fine), color=colour, linestyle=style, label=f"{law} fit")
        few = slice(None, None, max(1, len(currents) // 40))
        ax.plot(currents[few], rates[few], "o", color=COLOURS["V"], markersize=3.5, label="measured")
        ax.set(title=name, xlabel=f"current ({unit})", ylim=(-0.12 * rates.max(), 1.15 * rates.max()))
        ax.title.set_fontsize(11)
    for row in axes:
        row[0].set_ylabel("steady rate (Hz)")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def plot_R2(table: Mapping[str, Mapping[str, float]]) -> Figure:
    """R² by curve (rows) and law (columns), written into its field: the darker, the better the fit."""
    rows, columns = list(table), list(next(iter(table.values())))
    values = np.array([[table[row][column] for column in columns] for row in rows])
    figure, ax = plt.subplots(figsize=(9, 0.42 * len(rows) + 0.9))
    ax.imshow(values, cmap="Blues", vmin=0.6, vmax=1.05, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        shade = "white" if value > 0.9 else "black"
        weight = "bold" if value == values[i].max() else "normal"
        text = f"{round(value, 3) + 0.0:.3f}"  # no minus before a zero
        ax.text(j, i, text, ha="center", va="center", color=shade, fontweight=weight)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def plot_activations(shapes: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Activation functions side by side: z (n,) and value (n,) by name."""
    figure, axes = plt.subplots(2, -(-len(shapes) // 2), figsize=(9, 3.8), sharex=True)
    for ax, (name, (z, y)) in zip(axes.flat, shapes.items(), strict=False):
        ax.plot(z, y, color=BLUE)
        ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
        ax.set_title(name, fontsize=10.5)
        ax.tick_params(labelsize=9)
    for ax in axes.flat[len(shapes) :]:
        ax.axis("off")
    figure.supxlabel("input z", fontsize=11)
    figure.supylabel("output", fontsize=11)
    return figure


def plot_accuracies(runs: Mapping[str, Runs], dead: Mapping[str, np.ndarray], level: float = 0.9) -> Figure:
    """By activation: accuracy on test samples, epochs until `level` of it, share of dead units. Dots are seeds; the bar
    is their mean, the whisker one standard deviation."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 0.36 * len(runs) + 1.1), sharey=True)
    places = np.arange(len(runs))[::-1]
    quantities = (
        ("test accuracy", {name: run.accuracy for name, run in runs.items()}),
        (f"epochs to {level:.0%}", {n: np.array([h.epochs_to(level) for h in r.histories]) for n, r in runs.items()}),
        ("share of dead units", dead),
    )
    for ax, (label, values) in zip(axes, quantities, strict=True):
        for place, seeds in zip(places, values.values(), strict=True):
            ax.plot(seeds, np.full(len(seeds), place), "o", color="0.65", markersize=4)
            ax.errorbar(seeds.mean(), place, xerr=seeds.std(ddof=1), fmt="|", color=BLUE, markersize=13, capsize=3)
        ax.set_xlabel(label)
        ax.grid(axis="y", color="0.92")
    axes[0].set_yticks(places, list(runs))
    return figure


def plot_codes(
    responses: Responses, currents: Sequence[float], told: Mapping[float, Mapping[str, Decoded]], shown: int = 12
) -> Figure:
    """Left: spikes of some trials for each current [µA/cm²]. Right: bits that each code tells, by window [ms]."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=[1.25, 1])
    for s, current in enumerate(currents):
        trials = responses.spikes[responses.stimulus == s][:shown]
        rows = s * (shown + 4) + np.arange(len(trials))
        times = [spikes[spikes < 1e5] for spikes in trials]
        left.eventplot(times, lineoffsets=rows, linelengths=0.9, color=COLOURS["V"], linewidths=1)
        left.text(206, rows.mean(), f"{current:g}", va="center", fontsize=10)
    for window in told:
        left.axvline(window, color=ORANGE, linestyle=":", linewidth=1.2)
    left.text(206, (len(currents)) * (shown + 4), "µA/cm²", va="center", fontsize=10)
    left.set(xlabel="time since onset (ms)", ylabel="trials, by current", yticks=[], xlim=(0, 204))
    windows = np.arange(len(told))
    limit = np.log2(len(currents))
    for k, (code, colour, hatch) in enumerate(zip(CODES, (BLUE, YELLOW, GREEN), ("", "//", ".."), strict=True)):
        bits = [told[window][code].information for window in told]
        right.bar(windows + 0.27 * (k - 1), bits, 0.25, color=colour, hatch=hatch, edgecolor="white", label=code)
    chance = max(d.chance for codes in told.values() for d in codes.values())
    right.axhline(limit, color="0.4", linestyle="--", linewidth=1)
    right.text(-0.4, limit + 0.05, f"all there is to know: {limit:.0f} bits", fontsize=10, color="0.3")
    right.axhline(chance, color="0.4", linestyle=":", linewidth=1)
    right.set(ylabel="information (bit)", xlabel="reader's window (ms)", ylim=(0, 1.32 * limit))
    right.set_xticks(windows, [f"{window:g}" for window in told])
    right.legend(loc="upper left", ncols=3, fontsize=10, columnspacing=1.0, handlelength=1.2)
    return figure


def plot_pairs(pairs: Mapping[str, tuple[Trace, Trace]], labels: Mapping[str, tuple[str, str]]) -> Figure:
    """For each pair of inputs with one mean: V of both answers, the injected currents below, in one column each."""
    figure, axes = plt.subplots(
        4, len(pairs), figsize=(9, 5.6), height_ratios=[3, 1, 3, 1], sharex="col", squeeze=False
    )
    for column, (title, both) in zip(axes.T, pairs.items(), strict=True):
        low, high = min(t.I.min() for t in both), max(t.I.max() for t in both)
        for k, (trace, label, colour) in enumerate(zip(both, labels[title], (BLUE, ORANGE), strict=True)):
            for_V, for_I = column[2 * k], column[2 * k + 1]
            for_V.plot(trace.t, trace.V, color=colour, linewidth=1.2)
            for_I.plot(trace.t, trace.I, color=COLOURS["I"], linewidth=1.2)
            for_V.set_ylim(-95, 62)
            for_V.text(0.02, 1.0, label, transform=for_V.transAxes, fontsize=9.5, va="top", color=colour)
            for_I.set_ylim(low - 0.1 * (high - low), high + 0.15 * (high - low))
            for ax in (for_V, for_I):
                ax.tick_params(labelsize=9)
        column[0].set_title(title, fontsize=11)
        column[-1].set_xlabel("time (ms)")
    for k in range(2):
        axes[2 * k, 0].set_ylabel("V (mV)")
        axes[2 * k + 1, 0].set_ylabel("I\n(µA/cm²)")
    for column in axes.T[1:]:
        for ax in column[::2]:
            ax.set_yticklabels([])
    figure.align_ylabels()
    return figure


def plot_memory(trace: Trace, on: float, off: float) -> Figure:
    """V and the injected current of a neuron that a pulse switches on at `on` and another one off at `off` [ms]."""
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 3.8), sharex=True, height_ratios=[3, 1])
    top.plot(trace.t, trace.V, color=COLOURS["V"], linewidth=1.2)
    bottom.plot(trace.t, trace.I, color=COLOURS["I"])
    for moment, word in ((on, "write 1"), (off, "write 0")):
        bottom.annotate(word, (moment, trace.I[np.searchsorted(trace.t, moment + 0.1)]), (8, 0),
                        textcoords="offset points", va="center", fontsize=11)  # fmt: skip
    middle = (trace.t[0] + on) / 2, (on + off) / 2, (off + trace.t[-1]) / 2
    for place, word in zip(middle, ("holds 0", "holds 1", "holds 0"), strict=True):
        top.text(place, 58, word, ha="center", fontsize=11)
    top.set(ylabel="V (mV)", ylim=(-85, 72))
    bottom.set(ylabel="I (µA/cm²)", xlabel="time (ms)")
    figure.align_ylabels()
    return figure


def plot_xor(
    currents: np.ndarray, rates: np.ndarray, weight: float, traces: Mapping[str, Trace], bias: float = 0.0
) -> Figure:
    """Left: an f-I curve (n,) with the sums that 0, 1 and 2 active inputs of one `weight` make. Right: the answers."""
    figure, (left, *rights) = plt.subplots(1, 1 + len(traces), figsize=(9, 3.2), width_ratios=[2.2] + [1] * len(traces))
    left.plot(currents, rates, color=COLOURS["V"])
    for active in range(3):
        I = bias + active * weight
        rate = float(np.interp(I, currents, rates))
        left.plot(I, rate, "o", color=ORANGE, markersize=9)
        words, shift, side = (("no input", 6, "left"), ("one input", 0, "center"), ("both inputs", 0, "center"))[active]
        left.annotate(words, (I, rate), (shift, 11), textcoords="offset points", ha=side, color=ORANGE)
    left.set(xlabel="current (µA/cm²)", ylabel="steady rate (Hz)", ylim=(-8, 1.25 * rates.max()))
    for ax, (name, trace) in zip(rights, traces.items(), strict=True):
        ax.plot(trace.t, trace.V, color=BLUE, linewidth=0.8)
        ax.set(title=name, ylim=(-85, 55), xlabel="time (ms)", yticks=[])
    rights[0].set(ylabel="V (mV)", yticks=[-60, 0, 40])
    return figure
