"""The figures of the checks of a posterior. Each says on itself how to read it."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from helpers.inference.diagnostics.calibration import Calibration, Coverage, LocalTest, Tarp
from helpers.inference.diagnostics.information import Information
from helpers.inference.diagnostics.misspecification import Misspecification
from helpers.inference.diagnostics.predictive import PredictiveCheck
from helpers.inference.diagnostics.recovery import DeadParameters, Recovery, Shrinkage

from .traces import COLOURS

__all__ = [
    "plot_calibration",
    "plot_dead_parameters",
    "plot_information",
    "plot_local_test",
    "plot_misspecification",
    "plot_predictive_check",
    "plot_recovery",
    "plot_shrinkage",
]

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F7F7F"]
STYLES = ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
GREY = COLOURS["I"]
KEY = {"fontsize": 10, "color": "#505050", "style": "italic"}


def plot_recovery(result: Recovery, at_most: int = 200) -> Figure:
    """Posterior mean and 2 SD against the truth, one panel for each parameter."""
    count = len(result.prior.names)
    columns = min(count, 4)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(9, 1.0 + (9 / columns - 0.5) * rows), squeeze=False)
    for ax in axes.flat[count:]:
        ax.axis("off")
    for k, ax in enumerate(axes.flat[:count]):
        truth, mean, sd = (values[:at_most, k] for values in (result.truth, result.mean, result.sd))
        middle = float(truth.mean())
        ax.axline((middle, middle), slope=1, color=GREY, linewidth=1)
        ax.errorbar(truth, mean, 2 * sd, fmt="o", markersize=3, linewidth=0.8, alpha=0.7, color=PALETTE[0])
        ax.set(xlabel=f"true {result.prior.labels[k]}", ylabel="" if k % columns else "posterior mean ± 2 SD")
        ax.set_title(f"r = {result.r[k]:.3f}, R² = {result.R2[k]:.3f}", fontsize=11)
    _key_below(figure, "along the grey line: found; a flat cloud: nothing was learned")
    return figure


def plot_shrinkage(ax: Axes, result: Shrinkage) -> Axes:
    """z against shrinkage, one dot for each trial and parameter."""
    limit = max(4.0, 1.1 * float(np.quantile(np.abs(result.z), 0.99)))
    left = min(-0.1, float(np.quantile(result.shrinkage, 0.01)) - 0.05)
    for k, name in enumerate(result.prior.names):
        z = np.clip(result.z[:, k], -limit, limit)
        ax.plot(result.shrinkage[:, k], z, MARKERS[k % 8], color=PALETTE[k % 8], alpha=0.4, markersize=4, label=name)
    for edge in (-2, 2):
        ax.axhline(edge, color=GREY, linewidth=1, linestyle="--")
    ax.set(xlim=(left, 1.05), ylim=(-1.03 * limit, 1.03 * limit), xlabel="shrinkage: 1 - (posterior SD / prior SD)²")
    ax.set_ylabel("z: (mean - truth) / SD")
    _key(ax, "right: much learned; left: nothing learned\nmany beyond the dashed lines: over-confident")
    _names_above(ax)
    return ax


def plot_dead_parameters(ax: Axes, result: DeadParameters) -> Axes:
    """How well posterior and prior can be told apart for each parameter, one dot for each observation."""
    for k, (values, dead) in enumerate(zip(result.c2st.T, result.dead, strict=True)):
        colour = PALETTE[1] if dead else PALETTE[0]
        ax.plot(np.full(len(values), k), values, "X" if dead else "o", color=colour, alpha=0.7)
        if dead:
            ax.annotate("dead", (k, values.max()), xytext=(0, 8), textcoords="offset points", ha="center")
    ax.axhline(0.5, color=GREY, linewidth=1)
    ax.set(xlim=(-0.5, len(result.dead) - 0.5), ylim=(0.4, 1.03), ylabel="C2ST of posterior and prior")
    ax.set_xticks(range(len(result.dead)), result.prior.names)
    _key(ax, "on the grey line: posterior = prior\nat 1: nothing in common with the prior", drop=26)
    return ax


# ------------------------------------------------------------------------------------------------------- calibration


def plot_calibration(cases: Mapping[str, tuple[Calibration, Coverage, Tarp]]) -> Figure:
    """A row for each posterior (by name): SBC ranks, coverage, TARP. Grey: where those of right posteriors lie."""
    figure, axes = plt.subplots(len(cases), 3, figsize=(9, 0.9 + 2.5 * len(cases)), squeeze=False)
    for row, (name, (calibration, coverage, tarp)) in zip(axes, cases.items(), strict=True):
        _ranks(row[0], calibration)
        _coverage(row[1], coverage)
        _diagonal(row[2], len(calibration.ranks))
        row[2].plot(tarp.level, tarp.expected, color="black")
        row[2].text(0.97, 0.04, f"area {tarp.atc:+.3f}", ha="right", fontsize=10)
        row[0].set_ylabel(f"{name}\ntrials")
        row[1].set_ylabel("truths inside")
    for ax, title in zip(axes[0], ("SBC ranks", "coverage", "TARP"), strict=True):
        ax.set_title(title)
    below = ("share of draws below the truth", "credible level", "credible level")
    for ax, label in zip(axes[-1], below, strict=True):
        ax.set_xlabel(label)
    _key(axes[-1, 0], "flat: right\ndome: too wide, bowl: too narrow\nslope: shifted")
    _key(axes[-1, 1], "on the line: right\nabove: too wide\nbelow: too narrow or shifted")
    _key(axes[-1, 2], "on the line: right\nabove: too wide\nbelow: too narrow")
    handles, names = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names), fontsize=11)
    return figure


def _ranks(ax: Axes, result: Calibration, bins: int = 12) -> None:
    """Histograms of ranks, and the band in which 99 % of the bars of a right posterior end."""
    edges = np.linspace(0, 1, bins + 1)
    low, high = binom(len(result.ranks), 1 / bins).ppf([0.005, 0.995])
    ax.axhspan(low, high, color="#E4E4E4", zorder=0)
    for k, ranks in enumerate(result.ranks.T):
        heights, _ = np.histogram((ranks + 0.5) / (result.n_samples + 1), edges)
        ax.stairs(heights, edges, color=PALETTE[k % 8], linestyle=STYLES[k % 4], linewidth=1.8, baseline=None)
    ax.set(xlim=(0, 1), ylim=(0, max(1.3 * ax.dataLim.y1, 1.5 * high)))  # room for the words above the bars
    ax.text(0.97, 0.95, f"least p = {result.p.min():.1g}", ha="right", va="top", transform=ax.transAxes, fontsize=10)


def _coverage(ax: Axes, result: Coverage) -> None:
    level = np.linspace(0, 1, 101)
    _diagonal(ax, len(result.joint))
    for k, (name, shares) in enumerate(zip(result.prior.names, result.at(level).T[1:], strict=True)):
        ax.plot(level, shares, color=PALETTE[k % 8], linestyle=STYLES[k % 4], label=name)
    ax.plot(level, result.at(level)[:, 0], color="black", linewidth=1.2, label="joint")


def _diagonal(ax: Axes, n_trials: int) -> None:
    """The diagonal and the band around it in which 95 % of the points of right posteriors lie."""
    level = np.linspace(0, 1, 101)
    low, high = (binom(n_trials, level).ppf(edge) / n_trials for edge in (0.025, 0.975))
    ax.fill_between(level, low, high, color="#E4E4E4", zorder=0)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))


def plot_local_test(result: LocalTest) -> Figure:
    """Left: the local C2ST at the observation among those of right posteriors. Right: where it sees a difference."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
    top = max(result.null.max(), result.statistic)
    left.hist(result.null, np.linspace(0, top, 25), color="#BFBFBF")
    left.axvline(result.statistic, color=PALETTE[1], linestyle="--", linewidth=2)
    left.set(xlabel="local C2ST statistic", ylabel="right posteriors", xlim=(0, 1.05 * top))
    left.set_title(f"dashed: this posterior, p = {result.p:.2g}", fontsize=11)
    _key(left, "inside the grey bars: no difference found\nto their right: the posterior is wrong here")
    names = result.prior.labels
    swing = max(0.05, float(np.abs(result.probability - 0.5).max()))
    if len(names) > 1:
        dots = right.scatter(
            *result.samples[:, :2].T, c=result.probability, cmap="PuOr", s=8, vmin=0.5 - swing, vmax=0.5 + swing
        )
        right.set(xlabel=names[0], ylabel=names[1])
        figure.colorbar(dots, label="low: too little mass, high: too much")
    else:
        right.plot(result.samples[:, 0], result.probability, ".", color=PALETTE[0])
        right.axhline(0.5, color=GREY, linewidth=1)
        right.set(xlabel=names[0], ylabel="below 0.5: too little mass, above: too much")
    return figure


# ---------------------------------------------------------------------------------- predictive checks, statistics


def plot_predictive_check(check: PredictiveCheck) -> Figure:
    """Spikes of each draw below those observed; how many; and where the observed statistics lie among the simulated."""
    figure = plt.figure(figsize=(9, 6.2))
    grid = figure.add_gridspec(2, 2, width_ratios=[1.5, 1], height_ratios=[1, 1])
    raster, counts, scores = (figure.add_subplot(part) for part in (grid[:, 0], grid[0, 1], grid[1, 1]))
    n_draws = len(check.spikes)
    raster.eventplot(check.spikes, lineoffsets=np.arange(n_draws), linelengths=0.9, colors=PALETTE[0], linewidths=1.5)
    tall = max(2.0, 0.06 * n_draws)
    raster.eventplot([check.observed.spike_times], lineoffsets=[-tall], linelengths=tall, colors="black", linewidths=2)
    raster.set(xlabel="time (ms)", xlim=(check.t[0], check.t[-1]), ylim=(n_draws, -2 * tall))
    raster.set_yticks([-tall, n_draws / 2], ["observed", f"{n_draws}\ndraws"], fontsize=11)
    raster.set_title(f"spike times p = {check.p_spikes:.2f}, intervals p = {check.p_intervals:.2f}", fontsize=11)

    values, observed = check.counts, len(check.observed.spike_times)
    bars = np.arange(min(values.min(), observed) - 1, max(values.max(), observed) + 2)
    counts.bar(bars, [(values == bar).sum() for bar in bars], color=PALETTE[0], alpha=0.6)
    counts.axvline(observed, color="black", linestyle="--")
    counts.set(xlabel="spikes", ylabel="draws")
    counts.locator_params(axis="x", integer=True)
    counts.set_title(f"dashed: observed, p = {check.p_count:.2f}", fontsize=11)

    rows, z = np.arange(len(check.names)), np.clip(check.z, -6, 6)
    scores.axvspan(-2, 2, color="#E4E4E4", zorder=0)
    scores.hlines(rows, 0, z, color=GREY, linewidth=1)
    scores.plot(z, rows, "o", color="black")
    for row in np.flatnonzero(np.abs(check.z) > 6):
        side = "left" if z[row] < 0 else "right"
        text = "∞" if np.isinf(check.z[row]) else f"{check.z[row]:+.0f}"
        scores.annotate(text, (z[row], row), xytext=(-8 if side == "right" else 8, 5), textcoords="offset points",
                        ha=side, fontsize=10)  # fmt: skip
    scores.set_yticks(rows, [name.replace("_", " ") for name in check.names], fontsize=10)
    scores.set(xlim=(-6.5, 6.5), ylim=(len(rows) - 0.4, -0.6), xlabel="z of the observed statistic")
    scores.set_xticks(range(-6, 7, 2))
    scores.set_title("grey: as expected, |z| below 2", fontsize=11)
    _key_below(
        figure, "p of spike times or intervals near 0: the draws are more like each other than like the observation"
    )
    return figure


def plot_misspecification(x: np.ndarray, result: Misspecification) -> Figure:
    """Each statistic over the simulations `x` (n, n_features), and the observed one (dashed)."""
    count = len(result.names)
    columns = min(count, 4)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(9, 2.3 * rows), squeeze=False)
    for ax in axes.flat[count:]:
        ax.axis("off")
    for j, ax in enumerate(axes.flat[:count]):
        low, high = np.quantile(x[:, j], [0.005, 0.995])
        low, high = min(low, result.x_o[j]), max(high, result.x_o[j])
        ax.hist(x[:, j], np.linspace(low, high if high > low else low + 1, 31), color="#BFBFBF")
        ax.axvline(result.x_o[j], color=PALETTE[1], linestyle="--", linewidth=2)
        ax.locator_params(axis="x", nbins=3)
        ax.set(yticks=[], xlabel=result.names[j].replace("_", " "))
        ax.spines["left"].set_visible(False)
        if result.outside[j]:
            ax.set_title("outside", fontsize=11, color=PALETTE[1])
    said = "misspecified" if result.flagged else "no sign of misspecification"
    figure.suptitle(f"{said}: density p = {result.p_density:.2g}, MMD p = {result.p_mmd:.2g}", fontsize=12)
    _key_below(figure, "dashed: observed; grey: simulated from the prior; each can be ordinary, and all together not")
    return figure


def plot_information(ax: Axes, result: Information) -> Axes:
    """How far each statistic moves, in units of its noise, when a parameter moves by one SD of its prior."""
    rows = np.arange(len(result.names))
    count = len(result.parameters)
    for k, name in enumerate(result.parameters):
        moved = np.maximum(np.abs(result.sensitivity[:, k]), 1e-2)
        at = rows + 0.28 * (k - (count - 1) / 2) / max(count - 1, 1)
        ax.hlines(at, 1e-2, moved, color=PALETTE[k % 8], linewidth=1, linestyle=STYLES[k % 4])
        ax.plot(moved, at, MARKERS[k % 8], color=PALETTE[k % 8], label=name)
    ax.axvline(1.0, color=GREY, linewidth=1)
    ax.set_xscale("log")
    ax.set_yticks(rows, [name.replace("_", " ") for name in result.names])
    ax.set(xlim=(8e-3, None), ylim=(len(rows) - 0.4, -0.6))
    ax.set_xlabel("change for one prior SD of the parameter, in noise SDs")
    _key(ax, "left of the grey line: lost in noise; far to its right: informative")
    _names_above(ax)
    return ax


def _key(ax: Axes, text: str, drop: float = 44) -> None:
    """How to read the plot, `drop` points below the axes."""
    ax.annotate(text, (0, 0), (0, -drop), "axes fraction", "offset points", va="top", annotation_clip=False, **KEY)


def _key_below(figure: Figure, text: str) -> None:
    """How to read all panels, below them."""
    figure.supxlabel(text, x=0.02, ha="left", **KEY)


def _names_above(ax: Axes) -> None:
    """The names of the lines above the axes, where nothing can run."""
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0.2, columnspacing=1.2, fontsize=11)
