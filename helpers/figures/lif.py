"""The integrate-and-fire neuron of notebook 2: what inference from its traces can and cannot find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.inference.lif.predictive import LifCheck
from helpers.inference.lif.problem import LifExperiment

from .colours import BLACK, BLUE, COLOURS, GREY, MARKERS, ORANGE, PALE, PALETTE, STYLES
from .style import fixed_ticks, legend_above, reading_hint

__all__ = [
    "plot_aligned_checks",
    "plot_lif_recordings",
    "plot_recovery_by_experiment",
    "plot_ridge",
    "plot_simulator_errors",
    "plot_training_losses",
]


def plot_lif_recordings(experiments: Mapping[str, tuple[LifExperiment, np.ndarray]], until: float = 80.0) -> Figure:
    """Make a figure of recordings, one below the other: V, and a tick for each spike.

    Parameters
    ----------
    experiments
        By title, an experiment and its recording (n_samples, 2): V [mV], and whether there is a spike.
    until
        End of what is shown [ms].
    """
    figure, axes = plt.subplots(len(experiments), 1, figsize=(9, 2.3 * len(experiments)), sharex=True, squeeze=False)
    for ax, (name, (experiment, x)) in zip(axes.flat, experiments.items(), strict=True):
        ax.plot(experiment.t, x[:, 0], color=COLOURS["V"], linewidth=1.0)
        times = experiment.t[x[:, 1] > 0]
        ax.plot(times, np.full(len(times), 31.0), "|", color=ORANGE, markersize=10, markeredgewidth=2)
        ax.set(ylabel="V (mV)", ylim=(-85, 40), xlim=(0, until))
        ax.set_title(name, fontsize=12, loc="left")
    axes.flat[-1].set_xlabel("time (ms)")
    return figure


def plot_simulator_errors(sd: Mapping[str, tuple[np.ndarray, np.ndarray]], g_L: Mapping[str, np.ndarray]) -> Figure:
    """Make a figure of two errors of the original simulator: noise that depends on the time step, a clipped prior.

    Parameters
    ----------
    sd
        By version, time steps (n,) [ms] and SD of V below threshold (n,) [mV].
    g_L
        By prior, draws of the leak conductance (m,) [nS].
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for (name, (dt, values)), colour, style, marker in zip(sd.items(), PALETTE, ("--", "-"), "os", strict=False):
        left.semilogx(dt, values, color=colour, linestyle=style, marker=marker)
        left.annotate(name, (dt[0], values[0]), xytext=(6, -18), textcoords="offset points", color=colour)
    highest = max(max(values) for _, values in sd.values())
    left.set(xlabel="time step (ms)", ylabel="SD of V (mV)", ylim=(0, 1.15 * highest))
    fixed_ticks(left.xaxis, dt)
    bins = np.linspace(5, 15, 61)
    for (name, values), colour, filled in zip(g_L.items(), PALETTE, (True, False), strict=False):
        counts, _ = np.histogram(values, bins)
        right.stairs(counts, bins, color=colour, fill=filled, alpha=0.5 if filled else 1.0, linewidth=1.8, label=name)
    right.set(xlabel="g_L (nS)", ylabel="draws")
    legend_above(right, 2, fontsize=11)
    return figure


def plot_training_losses(ax: Axes, losses: Mapping[str, np.ndarray]) -> Axes:
    """Plot the loss (n_epochs, 2) [nats] of each network by name: training thin, validation thick."""
    for (name, values), colour, style in zip(losses.items(), PALETTE, STYLES, strict=False):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values[:, 0], color=colour, linestyle=style, linewidth=0.8)
        ax.plot(epochs, values[:, 1], color=colour, linestyle=style, linewidth=2, label=name)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set(xlabel="epoch", ylabel="loss (nats)")
    words, across = "no better than the prior", ("axes fraction", "data")
    ax.annotate(words, (1, 0), (0, 4), across, "offset points", ha="right", fontsize=10)
    legend_above(ax, len(losses))
    return ax


def plot_ridge(
    clouds: Mapping[str, np.ndarray], truth: Sequence[float], current: float, labels: Sequence[str], shown: int = 800
) -> Figure:
    """Make a figure of draws of g_L and E_L, with the line on which E_L + I/g_L is that of the truth.

    Parameters
    ----------
    clouds
        By title, draws (n, 2) of g_L [nS] and E_L [mV].
    truth
        True g_L [nS] and E_L [mV].
    current
        Injected current I [pA].
    labels
        Axis labels of the two parameters.
    shown
        How many draws of each set are drawn.
    """
    figure, axes = plt.subplots(1, len(clouds), figsize=(9, 3.8), sharex=True, sharey=True, squeeze=False)
    drawn = np.concatenate(list(clouds.values()))
    g_L = np.linspace(np.percentile(drawn[:, 0], 0.2), np.percentile(drawn[:, 0], 99.8), 100)
    ridge = truth[1] + current / truth[0] - current / g_L
    for ax, (name, samples), colour in zip(axes.flat, clouds.items(), PALETTE, strict=False):
        ax.plot(*samples[:shown].T, ".", color=colour, markersize=3, alpha=0.4)
        ax.plot(g_L, ridge, color=GREY, linestyle="--", linewidth=1.5)
        ax.plot(*truth, "+", color="black", markersize=14, markeredgewidth=2.5)
        ax.set(xlabel=labels[0], ylim=np.percentile(drawn[:, 1], [0.1, 99.9]) + [-0.5, 0.5])
        ax.set_title(name, fontsize=12)
    axes[0, 0].set_ylabel(labels[1])
    reading_hint(figure, "dashed: E_L + I/g_L as in the truth (cross)")
    return figure


def plot_recovery_by_experiment(ax: Axes, names: Sequence[str], r: Mapping[str, np.ndarray]) -> Axes:
    """Plot the recovery r (n_parameters,) of the parameters `names` by experiment, on an axis stretched towards 1."""
    rows = np.arange(len(names))
    for i, ((name, values), colour, marker) in enumerate(zip(r.items(), PALETTE, MARKERS, strict=False)):
        at = np.arctanh(np.clip(values, 0, 0.99995))
        ax.plot(at, rows + 0.16 * (i - (len(r) - 1) / 2), marker, color=colour, markersize=8, label=name)
    ticks = np.array([0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
    ax.set_xticks(np.arctanh(ticks), [f"{tick:g}" for tick in ticks], rotation=45)
    ax.set_yticks(rows, names)
    ax.grid(axis="x", color=PALE)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="r of posterior mean and truth")
    legend_above(ax, len(r))
    return ax


def plot_aligned_checks(checks: Mapping[str, LifCheck]) -> Figure:
    """Make a figure of V over time, of V aligned at the first spike, and of the intervals, a row for each check."""
    figure, axes = plt.subplots(
        len(checks), 3, figsize=(9, 0.6 + 2.4 * len(checks)), width_ratios=[1.7, 1.1, 1], squeeze=False
    )
    for (whole, aligned, intervals), (name, check) in zip(axes, checks.items(), strict=True):
        time, own, V = check.aligned
        _band(whole, check.t, check.observed, *check.band)
        if len(time):
            _band(aligned, time, own, *np.nanpercentile(V, [5, 50, 95], axis=0))
        whole.set(ylabel=f"{name}\nV (mV)")
        whole.set_title(f"{check.coverage_90:.0%} in the band", fontsize=11)
        aligned.set_title(f"{check.aligned_coverage_90:.0%} in the band", fontsize=11)
        aligned.set_yticklabels([])
        drawn = np.concatenate([np.diff(times) for times in check.spikes])
        seen = np.diff(check.observed_spikes)
        both = np.concatenate([drawn, seen])
        edges = np.linspace(both.min(), np.percentile(both, 99.5), 25)
        for values, look in ((drawn, {"color": BLUE, "fill": True, "alpha": 0.35}), (seen, {"color": BLACK})):
            counts, _ = np.histogram(values, edges)
            intervals.stairs(counts / max(len(values), 1), edges, **look)
        intervals.set(yticks=[])
        intervals.set_title(f"intervals: p = {check.p_intervals:.2f}", fontsize=11)
    for ax, label in zip(axes[-1], ("time (ms)", "time since first spike (ms)", "interval (ms)"), strict=True):
        ax.set_xlabel(label)
    reading_hint(figure, "black: observed; blue: 90 % of the draws, and their median")
    return figure


def _band(ax: Axes, t: np.ndarray, observed: np.ndarray, low: np.ndarray, middle: np.ndarray, high: np.ndarray) -> None:
    ax.fill_between(t, low, high, color=BLUE, alpha=0.35, linewidth=0)
    ax.plot(t, middle, color=BLUE, linewidth=0.8)
    ax.plot(t, observed, color=BLACK, linewidth=0.6)
    ax.set_ylim(-88, -45)
