"""Single units of notebook 3: fitted f-I curves, activations, neural codes, input pairs of one mean, memory, XOR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from matplotlib.figure import Figure
from torch import nn

from helpers.artificial.decoding import CODES, DecodingResult, Responses
from helpers.artificial.rate_laws import RateFit
from helpers.artificial.training import TrainingRuns
from helpers.simulation.trace import Trace
from helpers.validation import one_of

from .colours import BLUE, COLOURS, GREEN, GUIDE, LAW_LOOKS, ORANGE, YELLOW
from .style import grid_of_panels

__all__ = [
    "plot_R2",
    "plot_accuracies",
    "plot_activations",
    "plot_codes",
    "plot_fitted_curves",
    "plot_input_pairs",
    "plot_memory",
    "plot_xor",
]


def plot_fitted_curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, str]],
    fits: Mapping[str, Mapping[str, RateFit]],
    shown: Sequence[str] = ("ReLU", "sigmoid", "LIF"),
) -> Figure:
    """Make a figure of measured f-I curves (dots) with rate laws fitted to each (lines).

    Parameters
    ----------
    curves
        By title: currents (n,), rates (n,) [Hz] and the unit of the currents.
    fits
        By title and rate law, the fit.
    shown
        Rate laws that are drawn.
    """
    figure, axes = grid_of_panels(len(curves), -(-len(curves) // 2), 3.2)
    for k, (ax, (name, (currents, rates, unit))) in enumerate(zip(axes, curves.items(), strict=True)):
        fine = np.linspace(currents[0], currents[-1], 600)
        for law in shown:
            colour, style = LAW_LOOKS[law]
            ax.plot(fine, fits[name][law](fine), color=colour, linestyle=style, label=f"{law} fit")
        few = slice(None, None, max(1, len(currents) // 40))
        ax.plot(currents[few], rates[few], "o", color=COLOURS["V"], markersize=3.5, label="measured")
        ax.set(title=name, xlabel=f"current ({unit})", ylim=(-0.12 * rates.max(), 1.15 * rates.max()))
        ax.title.set_fontsize(11)
        if k in (0, (len(curves) + 1) // 2):
            ax.set_ylabel("steady rate (Hz)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def plot_R2(fits: Mapping[str, Mapping[str, RateFit]]) -> Figure:
    """Make a table of R² by curve (rows) and rate law (columns), the best of each row in bold: darker fits better."""
    rows, columns = list(fits), list(next(iter(fits.values())))
    values = np.array([[fits[row][column].R2 for column in columns] for row in rows])
    figure, ax = plt.subplots(figsize=(9, 0.42 * len(rows) + 0.9))
    sns.heatmap(
        values, annot=values.round(3) + 0.0, fmt=".3f", cmap="Blues", vmin=0.6, vmax=1.05, cbar=False,
        xticklabels=columns, yticklabels=rows, ax=ax,
    )  # fmt: skip
    for row, column in enumerate(values.argmax(axis=1)):
        ax.texts[row * len(columns) + column].set_fontweight("bold")
    ax.tick_params(length=0, rotation=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    return figure


def plot_activations(units: Mapping[str, nn.Module], low: float = -2.0, high: float = 5.0) -> Figure:
    """Make a figure of activation functions by name, side by side, for inputs z from `low` to `high`."""
    figure, axes = grid_of_panels(len(units), -(-len(units) // 2), 1.9, sharex=True)
    z = torch.linspace(low, high, 701)
    for ax, (name, unit) in zip(axes, units.items(), strict=True):
        ax.plot(z, unit(z).detach(), color=BLUE)
        ax.axhline(0.0, color=GUIDE, linewidth=0.8, zorder=0)
        ax.set_title(name, fontsize=10.5)
        ax.tick_params(labelsize=9)
    figure.supxlabel("input z", fontsize=11)
    figure.supylabel("output", fontsize=11)
    return figure


def plot_accuracies(runs: Mapping[str, TrainingRuns], level: float = 0.9) -> Figure:
    """Make a figure of test accuracy and of epochs to a level of it: seeds, their mean and one SD.

    Parameters
    ----------
    runs
        By name of the activation, networks trained from several seeds.
    level
        Accuracy to which epochs are counted.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.36 * len(runs) + 1.1), sharey=True)
    places = np.arange(len(runs))[::-1]
    quantities = (
        ("test accuracy", {name: run.accuracy for name, run in runs.items()}),
        (f"epochs to {level:.0%}", {n: np.array([h.epochs_to(level) for h in r.histories]) for n, r in runs.items()}),
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
    responses: Responses,
    currents: Sequence[float],
    told: Mapping[float, Mapping[str, DecodingResult]],
    quantity: str = "correct",
    shown: int = 12,
) -> Figure:
    """Make a figure of responses to each current (left), and of what each code tells about the current (right).

    Parameters
    ----------
    responses
        Spike times in several trials for each current.
    currents
        The currents (n_currents,) [µA/cm²].
    told
        By window [ms] and code, the result of the decoder.
    quantity
        What the bars show: "correct", the share of right guesses, or "information" [bit].
    shown
        How many trials of each current are drawn.
    """
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
    is_bits = one_of("quantity", quantity, ("correct", "information")) == "information"
    limit = np.log2(len(currents)) if is_bits else 1.0
    windows = np.arange(len(told))
    for k, (code, colour, hatch) in enumerate(zip(CODES, (BLUE, YELLOW, GREEN), ("", "//", ".."), strict=True)):
        heights = [getattr(told[window][code], quantity) for window in told]
        right.bar(windows + 0.27 * (k - 1), heights, 0.25, color=colour, hatch=hatch, edgecolor="white", label=code)
    shuffled = max(d.chance for codes in told.values() for d in codes.values())
    chance = shuffled if is_bits else 1.0 / len(currents)
    words = f"complete information: {limit:.0f} bits" if is_bits else "all guesses right"
    right.axhline(limit, color="0.4", linestyle="--", linewidth=1)
    right.text(-0.4, 1.02 * limit, words, fontsize=10, color="0.3")
    right.axhline(chance, color="0.4", linestyle=":", linewidth=1)
    right.text(len(told) - 0.56, chance + 0.01 * limit, "chance", fontsize=10, color="0.3", ha="left", va="bottom")
    label = "information (bits)" if is_bits else "share of right guesses"
    right.set(ylabel=label, xlabel="window of the decoder (ms)", ylim=(0, 1.32 * limit), xlim=(-0.5, len(told) + 0.05))
    right.set_xticks(windows, [f"{window:g}" for window in told])
    right.legend(loc="upper left", ncols=3, fontsize=10, columnspacing=1.0, handlelength=1.2)
    return figure


def plot_input_pairs(pairs: Mapping[str, Mapping[str, Trace]]) -> Figure:
    """Make a figure of the responses to pairs of inputs: by title of the pair, a column of two, by name."""
    figure, axes = plt.subplots(
        4, len(pairs), figsize=(9, 5.6), height_ratios=[3, 1, 3, 1], sharex="col", squeeze=False
    )
    for column, (title, both) in zip(axes.T, pairs.items(), strict=True):
        low, high = min(t.I.min() for t in both.values()), max(t.I.max() for t in both.values())
        for k, ((label, trace), colour) in enumerate(zip(both.items(), (BLUE, ORANGE), strict=True)):
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
    for ax, label in zip(axes[:, 0], ("V (mV)", "I\n(µA/cm²)") * 2, strict=True):
        ax.set_ylabel(label)
    for column in axes.T[1:]:
        for ax in column[::2]:
            ax.set_yticklabels([])
    figure.align_ylabels()
    return figure


def plot_memory(trace: Trace, on: float, off: float) -> Figure:
    """Make a figure of a neuron that one pulse switches on at `on` [ms] and another one off at `off` [ms]."""
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
    """Make a figure of an f-I curve with the sums of 0, 1 and 2 active inputs (left), and of responses (right).

    Parameters
    ----------
    currents, rates
        The f-I curve: currents (n,) [µA/cm²] and rates (n,) [Hz].
    weight, bias
        Current of an active input, and current that always flows [µA/cm²].
    traces
        Responses by title.
    """
    figure, (left, *rights) = plt.subplots(1, 1 + len(traces), figsize=(9, 3.2), width_ratios=[2.2] + [1] * len(traces))
    left.plot(currents, rates, color=COLOURS["V"])
    for active in range(3):
        I = bias + active * weight
        rate = float(np.interp(I, currents, rates))
        left.plot(I, rate, "o", color=ORANGE, markersize=9)
        words, shift, side = (("no input", 16, "left"), ("one input", 0, "center"), ("both inputs", 0, "center"))[
            active
        ]
        left.annotate(words, (I, rate), (shift, 11), textcoords="offset points", ha=side, color=ORANGE)
    left.set(xlabel="current (µA/cm²)", ylabel="steady rate (Hz)", ylim=(-8, 1.25 * rates.max()))
    for ax, (name, trace) in zip(rights, traces.items(), strict=True):
        ax.plot(trace.t, trace.V, color=BLUE, linewidth=0.8)
        ax.set(title=name, ylim=(-85, 55), xlabel="time (ms)", yticks=[])
    rights[0].set(ylabel="V (mV)", yticks=[-60, 0, 40])
    return figure
