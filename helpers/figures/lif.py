"""The figures of notebook 2, part two: the integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.inference.lif.predictive import LifCheck
from helpers.inference.lif.problem import Experiment

from .posteriors import PALETTE, STYLES
from .traces import COLOURS

__all__ = ["plot_flaws", "plot_gain", "plot_in_step", "plot_losses", "plot_recordings", "plot_ridge"]

GREY = COLOURS["I"]


def plot_recordings(experiments: Mapping[str, tuple[Experiment, np.ndarray]], until: float = 80.0) -> Figure:
    """Recordings (n_samples, 2) of experiments by name, up to `until` [ms]: V, and a tick for each spike."""
    figure, axes = plt.subplots(len(experiments), 1, figsize=(9, 2.3 * len(experiments)), sharex=True, squeeze=False)
    for ax, (name, (experiment, x)) in zip(axes.flat, experiments.items(), strict=True):
        ax.plot(experiment.t, x[:, 0], color=COLOURS["V"], linewidth=1.0)
        times = experiment.t[x[:, 1] > 0]
        ax.plot(times, np.full(len(times), 31.0), "|", color=PALETTE[0], markersize=10, markeredgewidth=2)
        ax.set(ylabel="V (mV)", ylim=(-85, 40), xlim=(0, until))
        ax.set_title(name, fontsize=12, loc="left")
    axes.flat[-1].set_xlabel("time (ms)")
    return figure


def plot_flaws(sd: Mapping[str, tuple[np.ndarray, np.ndarray]], g_L: Mapping[str, np.ndarray]) -> Figure:
    """Left: SD of V below threshold [mV] against the time step [ms], by version. Right: histograms of g_L by prior."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for (name, (dt, values)), colour, style, marker in zip(sd.items(), PALETTE, ("--", "-"), "os", strict=False):
        left.semilogx(dt, values, color=colour, linestyle=style, marker=marker)
        left.annotate(name, (dt[0], values[0]), xytext=(6, -18), textcoords="offset points", color=colour)
    left.set(
        xlabel="time step (ms)", ylabel="SD of V (mV)", ylim=(0, 1.15 * max(max(values) for _, values in sd.values()))
    )
    left.set_xticks(dt, [f"{step:g}" for step in dt])
    left.minorticks_off()
    bins = np.linspace(5, 15, 61)
    for (name, values), colour, filled in zip(g_L.items(), PALETTE, (True, False), strict=False):
        counts, _ = np.histogram(values, bins)
        right.stairs(counts, bins, color=colour, fill=filled, alpha=0.5 if filled else 1.0, linewidth=1.8, label=name)
    right.set(xlabel="g_L (nS)", ylabel="draws")
    right.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, columnspacing=1.2, fontsize=11)
    return figure


def plot_losses(ax: Axes, losses: Mapping[str, np.ndarray]) -> Axes:
    """Loss (n_epochs, 2) of each network by name: training thin, validation thick."""
    for (name, values), colour, style in zip(losses.items(), PALETTE, STYLES, strict=False):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values[:, 0], color=colour, linestyle=style, linewidth=0.8)
        ax.plot(epochs, values[:, 1], color=colour, linestyle=style, linewidth=2, label=name)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set(xlabel="epoch", ylabel="loss (nats)")
    ax.annotate(
        "no better than the prior", (1, 0), (0, 4), ("axes fraction", "data"), "offset points", ha="right", fontsize=10
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(losses), borderaxespad=0.2)
    return ax


def plot_ridge(
    clouds: Mapping[str, np.ndarray], truth: Sequence[float], current: float, labels: Sequence[str], at_most: int = 800
) -> Figure:
    """Draws of (g_L, E_L), (n, 2), by name, a panel for each, with the line on which E_L + I/g_L is that of the truth.

    truth: true g_L [nS] and E_L [mV]; current: I [pA].
    """
    figure, axes = plt.subplots(1, len(clouds), figsize=(9, 3.8), sharex=True, sharey=True, squeeze=False)
    drawn = np.concatenate(list(clouds.values()))
    g_L = np.linspace(*np.percentile(drawn[:, 0], [0.2, 99.8]), 100)
    ridge = truth[1] + current / truth[0] - current / g_L
    for ax, (name, samples), colour in zip(axes.flat, clouds.items(), PALETTE, strict=False):
        ax.plot(*samples[:at_most].T, ".", color=colour, markersize=3, alpha=0.4)
        ax.plot(g_L, ridge, color=GREY, linestyle="--", linewidth=1.5)
        ax.plot(*truth, "+", color="black", markersize=14, markeredgewidth=2.5)
        ax.set(xlabel=labels[0], ylim=np.percentile(drawn[:, 1], [0.1, 99.9]) + [-0.5, 0.5])
        ax.set_title(name, fontsize=12)
    axes[0, 0].set_ylabel(labels[1])
    figure.supxlabel(
        "dashed: E_L + I/g_L as in the truth (cross)", x=0.02, ha="left", fontsize=10, color="#505050", style="italic"
    )
    return figure


def plot_gain(ax: Axes, names: Sequence[str], r: Mapping[str, np.ndarray]) -> Axes:
    """Recovery r of each parameter, (n_parameters,), by experiment; the axis is stretched towards 1."""
    rows = np.arange(len(names))
    for i, ((name, values), colour, marker) in enumerate(zip(r.items(), PALETTE, "os^D", strict=False)):
        at = np.arctanh(np.clip(values, 0, 0.99995))
        ax.plot(at, rows + 0.16 * (i - (len(r) - 1) / 2), marker, color=colour, markersize=8, label=name)
    ticks = np.array([0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
    ax.set_xticks(np.arctanh(ticks), [f"{tick:g}" for tick in ticks], rotation=45)
    ax.set_yticks(rows, names)
    ax.grid(axis="x", color="#E4E4E4")
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="r of posterior mean and truth")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(r), borderaxespad=0.2)
    return ax


def plot_in_step(checks: Mapping[str, LifCheck]) -> Figure:
    """A row for each check, by name: V moment by moment, the same in step from the first spike on, and intervals."""
    figure, axes = plt.subplots(len(checks), 3, figsize=(9, 0.6 + 2.4 * len(checks)), width_ratios=[1.7, 1.1, 1])
    for row, (name, check) in zip(np.atleast_2d(axes), checks.items(), strict=True):
        low, middle, high = check.band
        time, own, V = check.aligned
        bands = [(check.t, check.observed, low, middle, high)]
        bands += [(time, own, *np.nanpercentile(V, [5, 50, 95], axis=0))] if len(time) else []
        for ax, (t, observed, below, centre, above) in zip(row, bands, strict=False):
            ax.fill_between(t, below, above, color=PALETTE[1], alpha=0.35, linewidth=0)
            ax.plot(t, centre, color=PALETTE[1], linewidth=0.8)
            ax.plot(t, observed, color="black", linewidth=0.6)
            ax.set_ylim(-88, -45)
        row[0].set(ylabel=f"{name}\nV (mV)")
        row[0].set_title(f"{check.coverage_90:.0%} in the band", fontsize=11)
        row[1].set_title(f"{check.aligned_coverage_90:.0%} in the band", fontsize=11)
        row[1].set_yticklabels([])
        drawn = np.concatenate([np.diff(times) for times in check.spikes])
        seen = np.diff(check.observed_spikes)
        edges = np.linspace(*np.percentile(np.concatenate([drawn, seen]), [0, 99.5]), 25)
        for values, style in ((drawn, {"color": PALETTE[1], "fill": True, "alpha": 0.35}), (seen, {"color": "black"})):
            counts, _ = np.histogram(values, edges)
            row[2].stairs(counts / max(len(values), 1), edges, **style)
        row[2].set(yticks=[])
        row[2].set_title(f"intervals: p = {check.p_intervals:.2f}", fontsize=11)
    for ax, label in zip(np.atleast_2d(axes)[-1], ("time (ms)", "time since first spike (ms)", "interval (ms)"),
                         strict=True):  # fmt: skip
        ax.set_xlabel(label)
    figure.supxlabel(
        "black: observed; blue: 90 % of the draws, and their median", x=0.02, ha="left", fontsize=10, color="#505050",
        style="italic",
    )  # fmt: skip
    return figure
