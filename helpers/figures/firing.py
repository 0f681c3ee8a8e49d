"""Firing: its onset, its adaptation, and how far spike times scatter from trial to trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, ORANGE, TEXT_GREY
from .style import direct_label
from .traces import plot_voltage

__all__ = ["plot_adaptation", "plot_firing_onset", "plot_spike_jitter", "plot_threshold"]


def plot_adaptation(traces: Mapping[str, Trace]) -> Figure:
    """Make a figure of V of several spike trains by title, and below them one over each interval between spikes."""
    count = len(traces)
    figure, axes = plt.subplots(count + 1, 1, figsize=(9, 2 + 1.6 * count), sharex=True)
    for k, (ax, (title, trace)) in enumerate(zip(axes[:-1], traces.items(), strict=True)):
        plot_voltage(ax, trace).set_title(title)
        rates = 1000.0 / np.diff(trace.spike_times)
        colour, style = (COLOURS["I_M"], "o-") if k == 0 else (COLOURS["V"], "--")
        axes[-1].plot(trace.spike_times[1:], rates, style, color=colour, markersize=4)
        direct_label(axes[-1], trace.spike_times[-1], rates[-1], title, colour)
    axes[-1].set(xlabel="time (ms)", ylabel="1 / interval (Hz)", ylim=(0, None))
    axes[-1].locator_params(axis="y", nbins=5)
    figure.align_ylabels()
    return figure


def plot_firing_onset(
    ax: Axes, currents: np.ndarray, rates: np.ndarray, band: tuple[float, float] | None = None
) -> Axes:
    """Plot an f-I curve that jumps: its silent and its firing part, and the bistable currents as a grey band.

    Parameters
    ----------
    currents, rates
        Rising currents (n,) [µA/cm²] and steady rates (n,) [Hz].
    band
        First and last current [µA/cm²] at which the outcome depends on the initial state; None draws no band.
    """
    first = int(np.argmax(rates > 0))
    for part in (slice(None, first), slice(first, None)):
        ax.plot(currents[part], rates[part], color=COLOURS["V"])
    if band is not None:
        ax.axvspan(*band, color="0.9")
        direct_label(ax, band[1], 12, f"grey, {band[0]} to {band[1]} µA/cm²: depends on the initial state", "0.35")
    direct_label(ax, currents[first], rates[first] - 9, f"the jump, 0 to {rates[first]:.0f} Hz", COLOURS["V"])
    ax.set(xlabel="injected current (µA/cm²)", ylabel="steady firing rate (Hz)", ylim=(-4, None))
    return ax


def plot_spike_jitter(times: np.ndarray, shown: Sequence[int], jitter: Mapping[float, np.ndarray]) -> Figure:
    """Make a figure of spike times in the first 25 trials, and of their SD over all trials.

    Parameters
    ----------
    times
        Spike times (n_trials, n_spikes) [ms].
    shown
        Indices of the spikes whose times are drawn.
    jitter
        SD of the time of each spike (n_spikes,) [ms] by noise intensity. Each line grows as the square root of the
        number of intervals and passes through the ninth spike.
    """
    figure, (*windows, right) = plt.subplots(1, len(shown) + 1, figsize=(9, 3.8), width_ratios=[1] * len(shown) + [2])
    for ax, k in zip(windows, shown, strict=True):
        middle = round(times[:, k].mean())
        ax.eventplot(times[:25, k : k + 1], lineoffsets=np.arange(1, 26), color=COLOURS["V"], linelengths=0.8)
        ax.set(title=f"spike {k + 1}", xlabel="time (ms)", yticks=[])
        ax.set(xlim=(middle - 2.5, middle + 2.5), xticks=[middle - 2, middle + 2])
    windows[0].set(ylabel="trial", yticks=[0, 10, 20])
    number = np.arange(1, times.shape[1] + 1)
    fine = np.linspace(1, number[-1], 200)
    for (noise, sd), colour, marker in zip(jitter.items(), (BLUE, ORANGE), "os", strict=True):
        right.plot(number, sd, marker, color=colour, markersize=5)
        right.plot(fine, sd[8] * np.sqrt((fine - 1) / 8), color=colour, linewidth=1)
        direct_label(right, 9.5, 0.8 * sd[8], f"σ = {noise:g}", colour)
    right.set(xlabel="number of the spike", ylabel="SD of its time (ms)")
    return figure


def plot_threshold(trace: Trace, threshold: float) -> Figure:
    """Make a figure of V with a dotted line at the `threshold` [mV] of an integrate-and-fire neuron."""
    figure, ax = plt.subplots(figsize=(9, 3))
    plot_voltage(ax, trace).axhline(threshold, color="0.4", linestyle=":", linewidth=1.2)
    direct_label(ax, trace.t[-1], threshold, "threshold", TEXT_GREY)
    ax.set(xlabel="time (ms)", xlim=trace.t[[0, -1]])
    return figure
