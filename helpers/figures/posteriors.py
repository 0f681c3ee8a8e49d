"""The figures of notebook 2 that show posteriors, beside each other and beside a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from scipy.stats import chi2

from helpers.inference.diagnostics.predictive import PredictiveCheck
from helpers.inference.truncated_rounds import Rounds
from helpers.simulation.trace import Trace

from .traces import COLOURS, plot_voltage, shades

__all__ = [
    "plot_beside",
    "plot_budget",
    "plot_close_ups",
    "plot_clouds",
    "plot_correlations",
    "plot_experiments",
    "plot_learned",
    "plot_prior_predictive",
    "plot_repeats",
    "plot_rounds",
]

PALETTE = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")
STYLES = ("--", (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (5, 1.5)))
REFERENCE = "reference"  # this one is black and solid
BUDGETS = (300, 1000, 3000, 10_000)  # simulations that carry a tick


def plot_repeats(
    t: np.ndarray, V: np.ndarray, window: tuple[float, float], values: np.ndarray, label: str, over_prior: float
) -> Figure:
    """Left: repeated runs `V` (n, n_samples) [mV] of one neuron in a `window` [ms] of `t`. Right: a statistic of each.

    values: (n,) of the statistic; over_prior: its SD over the prior, in the title.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    shown = (t >= window[0]) & (t <= window[1])
    left.plot(t[shown], V[:, shown].T, color=COLOURS["I_K"], linewidth=0.7, alpha=0.5)
    left.plot(t[shown], V[0, shown], color=COLOURS["V"], linewidth=1.8)
    left.set(xlabel="time (ms)", ylabel="V (mV)", title=f"{len(V)} runs of one neuron (one in black)")
    right.hist(values, 30, color=COLOURS["I_K"], alpha=0.6)
    right.set(xlabel=label, ylabel="runs", title=f"SD {values.std():.2g} (over the prior {over_prior:.2g})")
    return figure


def plot_clouds(
    ax: Axes,
    clouds: Mapping[str, np.ndarray],
    labels: Sequence[str],
    truth: Sequence[float] | None = None,
    at_most: int = 500,
) -> Axes:
    """Posterior draws (n, 2) by name: some as dots, each set with the ellipse that holds 95 % of a normal one.

    The set named "reference" is black and solid. The truth is a cross.
    """
    others = [name for name in clouds if name != REFERENCE]
    for name, samples in clouds.items():
        colour, style = ("black", "-") if name == REFERENCE else (
            PALETTE[others.index(name) % 4], STYLES[others.index(name) % 4]
        )  # fmt: skip
        ax.plot(*samples[:at_most].T, ".", color=colour, markersize=2.5, alpha=0.35)
        ax.plot(*_ellipse(samples), color=colour, linestyle=style, label=name)
    if truth is not None:
        ax.plot(*truth, "+", color="#CC79A7", markersize=14, markeredgewidth=2.5, label="truth")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(clouds) + 1, borderaxespad=0.2, columnspacing=1.2)
    return ax


def _ellipse(samples: np.ndarray) -> np.ndarray:
    """Points (2, n) on the ellipse around samples (n, 2) that holds 95 % of a normal distribution."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes = np.linalg.cholesky(np.cov(samples.T)) * np.sqrt(chi2.ppf(0.95, 2))
    return samples.mean(axis=0)[:, None] + axes @ np.array([np.cos(angle), np.sin(angle)])


def plot_beside(
    samples: np.ndarray, reference: np.ndarray, name: str, labels: Sequence[str], truth: Sequence[float]
) -> Figure:
    """A posterior (n, 2) beside the reference (m, 2): left all of it, right the part around the reference.

    The frame on the left marks what the right panel shows.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
    clouds = {name: samples, REFERENCE: reference}
    plot_clouds(left, clouds, labels)
    plot_clouds(right, clouds, labels, truth, at_most=1500).get_legend().remove()
    middle, reach = reference.mean(axis=0), 4.5 * reference.std(axis=0)
    right.set(xlim=(middle[0] - reach[0], middle[0] + reach[0]), ylim=(middle[1] - reach[1], middle[1] + reach[1]))
    right.set_title("the frame, enlarged; the cross is the truth", fontsize=12)
    left.add_patch(Rectangle(middle - reach, *(2 * reach), fill=False, edgecolor="black", linewidth=1.2))
    return figure


def plot_prior_predictive(
    examples: Mapping[str, Trace], theta: np.ndarray, counts: np.ndarray, labels: Sequence[str]
) -> Figure:
    """Left: traces by name. Right: how many spikes, `counts` (n,), each parameter set (n, 2) gave."""
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
        ("0", counts == 0, "x", "#7F7F7F"), ("1 to 4", (counts > 0) & (counts < 5), "^", PALETTE[0]),
        ("5", counts == 5, ".", PALETTE[1]), ("6 or more", counts > 5, "s", PALETTE[2]),
    )  # fmt: skip
    for name, these, marker, colour in groups:
        right.plot(*theta[these].T, marker, color=colour, markersize=4, alpha=0.7, label=name)
    right.legend(
        title="spikes", loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2, columnspacing=0.8,
        handletextpad=0.2, fontsize=11, alignment="left",
    )  # fmt: skip
    right.set(xlabel=labels[0], ylabel=labels[1])
    return figure


def plot_experiments(experiments: Mapping[str, Mapping[str, Trace]], legend: str, sharey: bool = True) -> Figure:
    """Experiments side by side, by title: in each the same two or three neurons, by name, under the title `legend`."""
    figure, axes = plt.subplots(1, len(experiments), figsize=(9, 3.4), sharey=sharey)
    for ax, (title, traces) in zip(axes, experiments.items(), strict=True):
        for (name, trace), colour, style in zip(traces.items(), PALETTE, ("-", "--", ":"), strict=False):
            ax.plot(trace.t, trace.V, color=colour, linestyle=style, label=name)
        ax.set(xlabel="time (ms)", title=title)
    for ax in axes[:1] if sharey else axes:
        ax.set_ylabel("V (mV)")
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=legend)
    return figure


def plot_rounds(result: Rounds, reference: np.ndarray, columns: int = 4) -> Figure:
    """The posterior after the first rounds and after the last one, each in the box that it was trained on.

    reference: (n, 2) draws, whose ellipse is drawn in each.
    """
    last = len(result.rounds)
    which = [*range(1, min(columns, last)), last]
    figure, axes = plt.subplots(1, len(which), figsize=(9, 2.9))
    labels = result.posterior.prior.labels
    for ax, number in zip(axes, which, strict=True):
        one = result.rounds[number - 1]
        ax.plot(*one.samples[:800].T, ".", color=PALETTE[1], markersize=2, alpha=0.4)
        ax.plot(*_ellipse(reference), color="black")
        ax.set(xlim=[end[0] for end in one.box], ylim=[end[1] for end in one.box], xlabel=labels[0])
        ax.set_title(f"round {number}{' (last)' * (number == last)}", fontsize=12)
        ax.locator_params(nbins=3)
        ax.tick_params(labelsize=10)
    axes[0].set_ylabel(labels[1])
    return figure


def plot_budget(curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]) -> Figure:
    """What simulations buy. By name of the method: simulations (n,), posterior SD over that of the reference, C2ST."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    for (name, (count, width, told_apart)), colour, style, marker in zip(
        curves.items(), PALETTE, ("--", "-", ":"), "os^", strict=False
    ):
        left.loglog(count, width, color=colour, linestyle=style, marker=marker, label=name)
        right.semilogx(count, told_apart, color=colour, linestyle=style, marker=marker)
    left.axhline(1.0, color="black", linewidth=1)
    right.axhline(0.5, color="black", linewidth=1)
    left.set(xlabel="simulations", ylabel="SD of g_Na / that of the reference")
    right.set(xlabel="simulations", ylabel="C2ST against the reference", ylim=(0.47, 1.02))
    for axis, ticks in ((left.xaxis, BUDGETS), (right.xaxis, BUDGETS), (left.yaxis, (1, 2, 5, 10, 20, 50))):
        axis.set_major_locator(FixedLocator(ticks))  # round numbers instead of powers of ten
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_minor_locator(NullLocator())
    left.annotate("as narrow as it should be", (0.02, 1.0), xycoords=("axes fraction", "data"), xytext=(0, 4),
                  textcoords="offset points", fontsize=10)  # fmt: skip
    right.annotate("cannot be told apart", (0.02, 0.5), xycoords=("axes fraction", "data"), xytext=(0, 4),
                   textcoords="offset points", fontsize=10)  # fmt: skip
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def plot_close_ups(check: PredictiveCheck, reach: float = 3.0) -> Figure:
    """Traces of all draws and the observed one. Above whole, below within `reach` [ms] of each observed spike."""
    times = check.observed.spike_times
    figure = plt.figure(figsize=(9, 5))
    grid = figure.add_gridspec(2, len(times), height_ratios=[1.2, 1])
    whole = figure.add_subplot(grid[0, :])
    thin = {"color": COLOURS["I_K"], "linewidth": 0.6, "alpha": 0.3}
    whole.plot(check.t[::5], check.V[:, ::5].T, **thin)
    plot_voltage(whole, check.observed).set(xlabel="time (ms)", title="the whole trace")
    for column, time in enumerate(times):
        ax = figure.add_subplot(grid[1, column])
        near, seen = np.abs(check.t - time) < reach, np.abs(check.observed.t - time) < reach
        ax.plot(check.t[near] - time, check.V[:, near].T, **thin)
        ax.plot(check.observed.t[seen] - time, check.observed.V[seen], color=COLOURS["V"], linewidth=2)
        ax.set(ylim=(-80, 55), xlim=(-reach, reach), yticks=[-50, 0, 50])
        ax.set_title(f"spike {column + 1}", fontsize=12)
        if column:
            ax.set_yticklabels([])
        else:
            ax.set_ylabel("V (mV)")
        if column == len(times) // 2:
            ax.set_xlabel("time from the observed spike (ms)")
    return figure


def plot_learned(shrunk: Mapping[str, np.ndarray], labels: Sequence[str]) -> Figure:
    """Shrinkage (n_parameters,) of every parameter, by name of the data that the posterior was given."""
    figure, ax = plt.subplots(figsize=(9, 0.45 * len(labels) + 0.9))
    rows = np.arange(len(labels))
    shifts = np.linspace(-0.22, 0.22, len(shrunk))
    for (name, values), shift, marker, colour in zip(shrunk.items(), shifts, "osD", PALETTE, strict=False):
        ax.hlines(rows + shift, 0, np.clip(values, 0, 1), color=colour, linewidth=1)
        ax.plot(np.clip(values, 0, 1), rows + shift, marker, color=colour, label=name)
    ax.set_yticks(rows, labels)
    ax.set(xlim=(-0.02, 1.02), ylim=(len(labels) - 0.5, -0.6))
    ax.set_xlabel("shrinkage: 0 = as wide as the prior, 1 = known exactly")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.2)
    return figure


def plot_correlations(tables: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Correlations (n, n) between parameters, side by side, by title; the diagonal is left blank."""
    figure, axes = plt.subplots(1, len(tables), figsize=(9, 4.5), sharey=True, squeeze=False)
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        ax.imshow(np.where(np.eye(len(names)), 0.0, table), cmap="PuOr", vmin=-1, vmax=1)
        for row, column in np.ndindex(table.shape):
            if row != column:
                value = table[row, column].round(1) + 0.0  # no "-0.0"
                colour = "white" if abs(value) > 0.6 else "black"
                ax.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=9, color=colour)
        ax.set_xticks(range(len(names)), names, rotation=60)
        ax.set_yticks(range(len(names)), names)
        ax.set_title(title)
    return figure
