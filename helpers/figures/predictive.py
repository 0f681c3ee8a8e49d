"""Traces that go with a posterior: from the prior, from the posterior, and from neurons that are hard to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, GREY, PALETTE
from .style import legend_above, shades

__all__ = [
    "plot_paired_experiments",
    "plot_prior_predictive",
    "plot_repeated_runs",
]


def plot_repeated_runs(
    t: np.ndarray, V: np.ndarray, window: tuple[float, float], values: np.ndarray, label: str
) -> Figure:
    """Make a figure of repeated runs of one neuron (left) and of a summary statistic of each (right).

    Parameters
    ----------
    t, V
        Times (n_samples,) [ms] and runs (n, n_samples) [mV].
    window
        Begin and end of what is shown [ms].
    values, label
        A statistic of each run (n,), of these or more, and its axis label.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    shown = (t >= window[0]) & (t <= window[1])
    left.plot(t[shown], V[:, shown].T, color=BLUE, linewidth=0.7, alpha=0.75)
    left.plot(t[shown], V[0, shown], color=COLOURS["V"], linewidth=1.8)
    left.set(xlabel="time (ms)", ylabel="V (mV)", title=f"{len(V)} runs of one neuron (one in black)")
    right.hist(values, 30, color=BLUE, alpha=0.6)
    right.locator_params(axis="x", nbins=4)
    right.set(xlabel=label, ylabel="runs", title=f"{len(values):,} runs: SD {values.std():.2g}")
    return figure


def plot_prior_predictive(
    examples: Mapping[str, Trace], theta: np.ndarray, counts: np.ndarray, labels: Sequence[str]
) -> Figure:
    """Make a figure of a few prior predictive traces (left) and of the spikes of many parameter sets (right).

    Parameters
    ----------
    examples
        Traces by name.
    theta, counts
        Parameter sets (n, 2) and the number of spikes of each (n,).
    labels
        Axis labels of the two parameters.
    """
    figure = plt.figure(figsize=(9, 4.6))
    grid = figure.add_gridspec(len(examples), 2, width_ratios=[1, 1.05])
    for row, ((name, trace), shade) in enumerate(zip(examples.items(), shades(len(examples)), strict=True)):
        ax = figure.add_subplot(grid[row, 0])
        ax.plot(trace.t, trace.V, color=shade, linewidth=1.2)
        ax.set(ylim=(-115, 60), yticks=[-80, 0], ylabel="V (mV)")
        ax.set_title(name, fontsize=11)
        if row < len(examples) - 1:
            ax.set_xticklabels([])
    ax.set_xlabel("time (ms)")
    right = figure.add_subplot(grid[:, 1])
    groups = (
        ("0", counts == 0, "x", GREY), ("1 to 4", (counts > 0) & (counts < 5), "^", PALETTE[0]),
        ("5", counts == 5, ".", PALETTE[1]), ("6 or more", counts > 5, "s", PALETTE[2]),
    )  # fmt: skip
    for name, these, marker, colour in groups:
        right.plot(*theta[these].T, marker, color=colour, markersize=4, alpha=0.7, label=name)
    legend_above(right, title="spikes", columnspacing=0.8, handletextpad=0.2, fontsize=11, alignment="left")
    right.set(xlabel=labels[0], ylabel=labels[1])
    return figure


def plot_paired_experiments(experiments: Mapping[str, Mapping[str, Trace]], legend: str, sharey: bool = True) -> Figure:
    """Make a figure of experiments side by side, in each the same two or three neurons.

    Parameters
    ----------
    experiments
        By title, traces by name of the neuron.
    legend
        Title of the legend.
    sharey
        Whether all experiments share an axis of V.
    """
    figure, axes = plt.subplots(1, len(experiments), figsize=(9, 3.4), sharey=sharey)
    for ax, (title, traces) in zip(axes, experiments.items(), strict=True):
        for (name, trace), colour, style in zip(traces.items(), PALETTE, ("-", "--", ":"), strict=False):
            ax.plot(trace.t, trace.V, color=colour, linestyle=style, label=name)
        ax.set(xlabel="time (ms)", title=title)
    for ax in axes[:1] if sharey else axes:
        ax.set_ylabel("V (mV)")
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=legend)
    return figure
