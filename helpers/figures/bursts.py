"""Bursts: the states of a Hindmarsh-Rose neuron, and what becomes of its spikes when the drive changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, GREEN, ORANGE, STYLES
from .style import direct_label
from .traces import plot_voltage_pair

__all__ = ["plot_bursts", "plot_divergence", "plot_interval_map", "plot_intervals_by_drive"]


def plot_bursts(traces: Mapping[str, Trace], begin: float, end: float) -> Figure:
    """Make a figure of x (thin) and z (thick) of Hindmarsh-Rose neurons from `begin` to `end`, a panel each by title.

    Parameters
    ----------
    traces
        By title; without units.
    begin, end
        What is shown [time units].
    """
    figure, axes = plt.subplots(len(traces), 1, figsize=(9, 5.5), sharex=True, sharey=True, squeeze=False)
    for ax, (title, trace) in zip(axes[:, 0], traces.items(), strict=True):
        shown = (trace.t >= begin) & (trace.t <= end)
        t, x, z = (values[shown] for values in (trace.t, trace.states["x"], trace.states["z"]))
        ax.plot(t, x, color=COLOURS["V"], linewidth=1)
        ax.plot(t, z, color=COLOURS["I_M"], linewidth=2.4)
        direct_label(ax, end, -1.0, "x", COLOURS["V"])
        direct_label(ax, end, z[-1], "z", COLOURS["I_M"])
        ax.set_title(title)
        ax.set(xlim=(begin, end), ylabel="x, z")
    axes[-1, 0].set_xlabel("time (time units)")
    return figure


def plot_divergence(
    pair: Sequence[Trace], t: np.ndarray, distances: Mapping[str, np.ndarray], line: np.ndarray
) -> Figure:
    """Make a figure of two neurons with nearly equal starts (top), and of the distance of such pairs (bottom).

    Parameters
    ----------
    pair
        Two traces, of which the times from 1200 to 2000 are shown [time units].
    t
        Times (n,) [time units].
    distances
        Distance of two states (n,) by name.
    line
        Slope and intercept of the logarithm of the first distance, from 100 to 1200 time units.
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 5.2), height_ratios=[2, 3])
    plot_voltage_pair(top, {"first": pair[0], "second": pair[1]}).set(ylabel="x", ylim=(-2, 2.4), xlim=(1200, 2000))
    for (name, distance), colour in zip(distances.items(), (COLOURS["V"], GREEN), strict=True):
        bottom.semilogy(t, distance, color=colour)
        direct_label(bottom, 2400, distance[t <= 2400][-1], name, colour)
    fitted = t[(t >= 100) & (t <= 1200)]
    bottom.semilogy(fitted, np.exp(np.polyval(line, fitted)), color=ORANGE, linestyle=STYLES[1], linewidth=2.5)
    bottom.set(xlabel="time (time units)", ylabel="distance", xlim=(0, 2400))
    return figure


def plot_intervals_by_drive(drives: np.ndarray, intervals: np.ndarray, marks: Mapping[str, float]) -> Figure:
    """Make a figure of all intervals between spikes against the drive of the neuron: a bifurcation diagram.

    Parameters
    ----------
    drives
        Drives (n,).
    intervals
        Intervals at each of them, (n, n_intervals) [time units]; 0 where there is none.
    marks
        Drives to be marked, by name.
    """
    figure, ax = plt.subplots(figsize=(9, 4.2))
    ax.plot(np.repeat(drives, intervals.shape[1]), intervals.ravel(), "o", color=COLOURS["V"], markersize=0.9)
    for name, drive in marks.items():
        ax.axvline(drive, color=ORANGE, linestyle="--", linewidth=1)
        ax.text(drive - 0.02, 255, name, rotation=90, va="top", ha="right", color=ORANGE, fontsize=11)
    ax.set(xlabel="drive e", ylabel="interval between spikes (time units)", ylim=(1, 260), xlim=drives[[0, -1]])
    return figure


def plot_interval_map(intervals: Mapping[str, np.ndarray]) -> Figure:
    """Make a figure of each interval between spikes against the one before, a panel for each neuron by title.

    Parameters
    ----------
    intervals
        Successive intervals (n,) [time units] by title.
    """
    figure, axes = plt.subplots(1, len(intervals), figsize=(9, 4), squeeze=False)
    for ax, (title, times) in zip(axes[0], intervals.items(), strict=True):
        ends = [times.min(), times.max()]
        ax.plot(ends, ends, color="0.5", linestyle=":", linewidth=1.2)
        ax.plot(times[:-1], times[1:], "o", color=BLUE, markersize=2)
        ax.set(xlabel="one interval (time units)", ylabel="the next interval")
        ax.set_title(title)
    return figure
