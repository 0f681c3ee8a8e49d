"""Fitted cells: predictions drawn over a recorded sweep, and each unknown parameter against its prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from helpers.inference.priors import Prior
from helpers.simulation.spikes import find_spikes
from helpers.simulation.trace import Trace

from .colours import BLACK, BLUE, COLOURS, ORANGE, TEXT_GREY
from .posteriors import plot_posterior
from .style import grid_of_panels

__all__ = [
    "plot_best_known",
    "plot_first_spikes",
    "plot_marginals",
    "plot_predicted_sweep",
    "plot_predicted_voltage",
    "plot_spike_rows",
]

BEFORE, AFTER = 1.5, 5.0  # ms around the first spike


def plot_predicted_voltage(ax: Axes, trace: Trace, t: np.ndarray, V: np.ndarray) -> Axes:
    """Plot simulations over time since the onset of the step, and a recording over them.

    Parameters
    ----------
    trace
        The recording.
    t, V
        Times since the onset (n_samples,) [ms], and the simulations (n, n_samples) [mV].
    """
    ax.plot(t, V.T, color=ORANGE, linewidth=0.6, alpha=0.8)
    ax.plot(trace.t - trace.start, trace.V, color=BLACK, linewidth=0.9)
    ax.set_ylabel("V (mV)")
    look: dict[str, Any] = {"transform": ax.transAxes, "fontsize": 11, "va": "bottom"}
    ax.text(0.0, 1.02, "recorded (black)", color=BLACK, **look)
    ax.text(1.0, 1.02, f"{len(V)} predictions (orange)", color=ORANGE, ha="right", **look)
    return ax


def plot_spike_rows(ax: Axes, trace: Trace, t: np.ndarray, V: np.ndarray) -> Axes:
    """Plot when simulations spike, a row each, and above them when the recording does; as `plot_predicted_voltage`."""
    rows = [find_spikes(t, one) for one in V]
    ax.eventplot(rows, lineoffsets=[-float(k) for k in range(len(rows))], linelengths=0.9, color=ORANGE, linewidths=1.0)
    height = max(2.0, len(rows) / 4)
    ax.eventplot(trace.spike_times - trace.start, lineoffsets=1.0 + height / 2, linelengths=height, color=BLACK)
    ax.set_yticks([1.0 + height / 2, -len(rows) / 2], ["recorded", "predicted"])
    ax.set_ylim(-len(rows), 1.5 + height)
    ax.tick_params(axis="y", length=0)
    return ax


def plot_first_spikes(ax: Axes, trace: Trace, t: np.ndarray, V: np.ndarray) -> Axes:
    """Plot the first spike of simulations and, over them, of the recording, aligned; as `plot_predicted_voltage`."""
    lines = [(t, one, ORANGE, 0.7, 0.8) for one in V] + [(trace.t - trace.start, trace.V, BLACK, 1.6, 1.0)]
    for times, values, colour, width, alpha in lines:
        spikes = find_spikes(times, values)
        spikes = spikes[spikes > 0.0]
        if not len(spikes):
            continue
        near = (times >= spikes[0] - BEFORE) & (times <= spikes[0] + AFTER)
        ax.plot(times[near] - spikes[0], values[near], color=colour, linewidth=width, alpha=alpha)
    ax.set(title="first spike", xlabel="time (ms)", xlim=(-BEFORE, AFTER))
    ax.title.set_fontsize(11)
    return ax


def plot_predicted_sweep(trace: Trace, t: np.ndarray, V: np.ndarray) -> Figure:
    """Make a figure of a sweep and what is predicted for it: V, spike times, injected current, and the first spike.

    Parameters
    ----------
    trace
        The recording, I in pA.
    t, V
        Times since the onset of the step (n_samples,) [ms], and the simulations (n, n_samples) [mV].
    """
    spikes = trace.spike_times
    fires = bool(((spikes >= trace.start) & (spikes < trace.stop)).any())
    figure = plt.figure(figsize=(9.0, 5.2 if fires else 4.0))
    grid = figure.add_gridspec(3 if fires else 2, 2 if fires else 1, height_ratios=[3, 1.6, 0.8] if fires else [3, 0.8],
                               width_ratios=[3, 1] if fires else [1])  # fmt: skip
    top = plot_predicted_voltage(figure.add_subplot(grid[0, 0]), trace, t, V)
    bottom = figure.add_subplot(grid[-1, 0], sharex=top)
    bottom.plot(trace.t - trace.start, trace.I, color=COLOURS["I"], linewidth=1.2)
    bottom.set(xlabel="time since the onset of the step (ms)", ylabel=f"I ({trace.I_unit})")
    shown = [top]
    if fires:
        rows = plot_spike_rows(figure.add_subplot(grid[1, 0], sharex=top), trace, t, V)
        plot_first_spikes(figure.add_subplot(grid[0, 1], sharey=top), trace, t, V).tick_params(labelleft=False)
        shown.append(rows)
    for ax in shown:
        ax.tick_params(labelbottom=False)
    length = trace.stop - trace.start
    top.set_xlim(max(t[0], -0.1 * length), min(t[-1], trace.t[-1] - trace.start))
    figure.align_ylabels([*shown[:1], bottom])
    return figure


def plot_marginals(prior: Prior, draws: np.ndarray) -> Figure:
    """Make a figure of the draws (n, n_unknowns) of each parameter over the whole width of its prior.

    A line marks the median, a bar below the interval of 95 %. Where the prior is even on a logarithmic scale, so is the
    axis: a prior without any information from the data would be flat in every panel.
    """
    figure, axes = grid_of_panels(len(prior.names), 3, 1.55)
    for k, ax in enumerate(axes):
        low, high, log = prior.lower[k], prior.upper[k], prior.marginals[k].log
        edges = np.geomspace(low, high, 41) if log else np.linspace(low, high, 41)
        ends = np.percentile(draws[:, k], [2.5, 50.0, 97.5])
        counts, _ = np.histogram(draws[:, k], edges)
        ax.stairs(counts, edges, fill=True, color=BLUE, alpha=0.55)
        ax.axvline(ends[1], color=BLACK, linewidth=1.2)
        ax.plot(ends[[0, 2]], [-0.06 * counts.max()] * 2, color=BLACK, linewidth=3, solid_capstyle="butt")
        ax.axhline(len(draws) / 40.0, color=TEXT_GREY, linestyle=":", linewidth=1.2)
        ax.set(xscale="log" if log else "linear", xlim=(low, high), yticks=[])
        if log:
            wide = high / low > 50.0
            ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=20))
            ax.xaxis.set_major_formatter("{x:,g}")
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_title(prior.labels[k], fontsize=11)
        ax.tick_params(labelsize=10)
    return figure


def plot_best_known(labels: Sequence[str], draws: np.ndarray) -> Figure:
    """Make a pair plot of draws (n, n_parameters) that fits on a page: at most six parameters are legible."""
    figure = plot_posterior(draws, labels)
    figure.set_size_inches(1.75 * len(labels), 1.75 * len(labels))
    for ax in figure.axes:
        ax.tick_params(labelsize=9)
        ax.locator_params(nbins=4)
        ax.xaxis.label.set_fontsize(10)
        ax.yaxis.label.set_fontsize(10)
    return figure
