"""Diagnostics of a posterior. Each figure says how to read it."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from helpers.inference.diagnostics.calibration import Calibration, Coverage, Tarp
from helpers.inference.diagnostics.misspecification import Misspecification
from helpers.inference.diagnostics.predictive import PredictiveCheck
from helpers.inference.diagnostics.recovery import Recovery, Shrinkage
from helpers.inference.diagnostics.statistic_information import StatisticInformation

from .colours import BLACK, BLUE, GREY, MARKERS, ORANGE, PALE, PALETTE, STYLES
from .style import grid_of_panels, legend_above, reading_hint

__all__ = [
    "plot_calibration",
    "plot_misspecification",
    "plot_predictive_check",
    "plot_recovery",
    "plot_shrinkage",
    "plot_statistic_information",
]

FEW = 3  # parameters that one panel can show on top of each other


def plot_recovery(result: Recovery, shown: int = 200) -> Figure:
    """Make a figure of posterior mean and 2 SD against the truth, a panel for each parameter.

    Parameters
    ----------
    result
        Recovery of n trials.
    shown
        How many trials are drawn.
    """
    count = len(result.prior.names)
    columns = 3 if count in (5, 6, 9) else min(count, 4)  # without a row that is nearly empty
    figure, axes = grid_of_panels(count, columns, 9 / columns + 0.25)
    for k, ax in enumerate(axes):
        truth, mean, sd = (values[:shown, k] for values in (result.truth, result.mean, result.sd))
        middle = float(truth.mean())
        ax.axline((middle, middle), slope=1, color=GREY, linewidth=1)
        ax.errorbar(truth, mean, 2 * sd, fmt="o", markersize=3, linewidth=0.8, alpha=0.7, color=BLUE)
        ax.set(xlabel=f"true {result.prior.labels[k]}", ylabel="" if k % columns else "posterior mean ± 2 SD")
        ax.set_title(f"r = {result.r[k]:.3f}, R² = {result.R2[k]:.3f}", fontsize=11)
    reading_hint(figure, "along the grey line: recovered; a flat cloud: nothing was learned")
    return figure


def plot_shrinkage(ax: Axes, result: Shrinkage) -> Axes:
    """Plot the z-score against shrinkage: a dot for each trial, of more than three parameters median and 90 %."""
    limit = max(4.0, 1.1 * float(np.quantile(np.abs(result.z), 0.99)))
    left = min(-0.1, float(np.quantile(result.shrinkage, 0.01)) - 0.05)
    for k, name in enumerate(result.prior.names):
        x, z = result.shrinkage[:, k], np.clip(result.z[:, k], -limit, limit)
        if len(result.prior.names) > FEW:  # clouds would hide each other
            (left_end, mid_x, right_end), (low, mid_z, high) = np.quantile([x, z], [0.05, 0.5, 0.95], axis=1).T
            spread = [[mid_x - left_end], [right_end - mid_x]], [[mid_z - low], [high - mid_z]]
            ax.errorbar(mid_x, mid_z, spread[1], spread[0], fmt=MARKERS[k % 8], color=PALETTE[k % 8], label=name)
        else:
            ax.plot(x, z, MARKERS[k % 8], color=PALETTE[k % 8], alpha=0.4, markersize=4, label=name)
    for edge in (-2, 2):
        ax.axhline(edge, color=GREY, linewidth=1, linestyle="--")
    ax.set(xlim=(left, 1.05), ylim=(-1.03 * limit, 1.03 * limit), xlabel="shrinkage: 1 - (posterior SD / prior SD)²")
    ax.set_ylabel("z: (mean - truth) / SD")
    hint = "right: much learned; left: nothing learned\nmany beyond the dashed lines: overconfident"
    reading_hint(ax, f"{hint}; a cross: median and 90 % of trials" if len(result.prior.names) > FEW else hint)
    legend_above(ax, fontsize=11)
    return ax


# ------------------------------------------------------------------------------------------------------- calibration


def plot_calibration(
    cases: Mapping[str, tuple[Calibration, Coverage] | tuple[Calibration, Coverage, Tarp]],
) -> Figure:
    """Make a figure of SBC ranks, coverage and, if given, TARP, a row a posterior; grey: expected of a correct one.

    Parameters
    ----------
    cases
        By name of the posterior, its two or three checks.
    """
    columns = max(map(len, cases.values()))
    height = 3.4 if any(len(calibration.ranks.T) > FEW for calibration, *_ in cases.values()) else 2.5
    figure, axes = plt.subplots(len(cases), columns, figsize=(9, 0.9 + height * len(cases)), squeeze=False)
    for row, (name, (calibration, coverage, *tarps)) in zip(axes, cases.items(), strict=True):
        _ranks(row[0], calibration)
        _coverage(row[1], coverage)
        for ax, tarp in zip(row[2:], tarps, strict=True):
            _diagonal(ax, len(calibration.ranks))
            ax.plot(tarp.level, tarp.expected, color=BLACK)
            ax.text(0.97, 0.04, f"area {tarp.atc:+.3f}", ha="right", fontsize=10)
        row[0].set_ylabel(f"{name}\ntrials")
        row[1].set_ylabel("share of truths inside")
    for ax, title in zip(axes[0], ("SBC ranks", "coverage", "TARP"), strict=False):
        ax.set_title(title)
    below = ("share of draws below the truth", "credible level", "credible level")
    hints = (
        "flat: correct\ndome: too wide, bowl: too narrow\nslope: shifted",
        "on the line: correct\nabove: too wide\nbelow: too narrow or shifted",
        "on the line: correct\nabove: too wide\nbelow: too narrow",
    )
    for ax, label, hint in zip(axes[-1], below, hints, strict=False):
        ax.set_xlabel(label)
        reading_hint(ax, hint)
    handles, names = axes[0, 1].get_legend_handles_labels()
    columns = len(names) if len(names) < 8 else 5
    figure.legend(handles, names, loc="outside upper right", ncols=columns, fontsize=11)
    return figure


def _ranks(ax: Axes, result: Calibration, bins: int = 12) -> None:
    """Histograms of ranks, and the band in which 99 % of the bars of a correct posterior end."""
    edges = np.linspace(0, 1, bins + 1)
    low, high = binom(len(result.ranks), 1 / bins).ppf([0.005, 0.995])
    if result.ranks.shape[1] > FEW:
        _rows_of_ranks(ax, result, edges, low, high)
        return
    ax.axhspan(low, high, color=PALE, zorder=0)
    for k, ranks in enumerate(result.ranks.T):
        heights, _ = np.histogram((ranks + 0.5) / (result.n_samples + 1), edges)
        ax.stairs(heights, edges, color=PALETTE[k % 8], linestyle=STYLES[k % 5], linewidth=1.8, baseline=None)
    ax.set(xlim=(0, 1), ylim=(0, max(1.3 * ax.dataLim.y1, 1.5 * high)))  # room for the words above the bars
    ax.text(0.97, 0.95, f"smallest p = {result.p.min():.1g}", ha="right", va="top", transform=ax.transAxes, fontsize=10)


def _rows_of_ranks(ax: Axes, result: Calibration, edges: np.ndarray, low: float, high: float) -> None:
    """The histogram of each parameter in a row of its own, with its band."""
    expected, height = len(result.ranks) / (len(edges) - 1), 2.2 * (high - low)
    for k, ranks in enumerate(result.ranks.T):
        counts, _ = np.histogram((ranks + 0.5) / (result.n_samples + 1), edges)
        ax.axhspan(k - (high - expected) / height, k - (low - expected) / height, color=PALE, zorder=0)
        heights = k - np.clip((counts - expected) / height, -0.48, 0.48)  # the axis points down
        ax.stairs(heights, edges, color=PALETTE[k % 8], linewidth=1.8, baseline=None)
    ax.set_yticks(range(len(result.ranks.T)), result.prior.names, fontsize=10)
    ax.set(xlim=(0, 1), ylim=(len(result.ranks.T) - 0.4, -0.9))
    ax.text(0.97, -0.6, f"smallest p = {result.p.min():.1g}", ha="right", va="center", fontsize=10)


def _coverage(ax: Axes, result: Coverage) -> None:
    level = np.linspace(0, 1, 101)
    _diagonal(ax, len(result.joint))
    for k, (name, shares) in enumerate(zip(result.prior.names, result.coverage_at(level).T[1:], strict=True)):
        ax.plot(level, shares, color=PALETTE[k % 8], linestyle=STYLES[k % 5], label=name)
    ax.plot(level, result.coverage_at(level)[:, 0], color=BLACK, linewidth=1.2, label="joint")


def _diagonal(ax: Axes, n_trials: int) -> None:
    """The diagonal and the band around it in which 95 % of the points of a correct posterior lie."""
    level = np.linspace(0, 1, 101)
    low, high = (binom(n_trials, level).ppf(edge) / n_trials for edge in (0.025, 0.975))
    ax.fill_between(level, low, high, color=PALE, zorder=0)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))


# ---------------------------------------------------------------------------------- predictive checks, statistics


def plot_predictive_check(check: PredictiveCheck) -> Figure:
    """Make a figure of spike times, spike counts and summary statistics of posterior draws and of the observation."""
    figure = plt.figure(figsize=(9, 6.2))
    grid = figure.add_gridspec(2, 2, width_ratios=[1.5, 1], height_ratios=[1, 1])
    raster, counts, scores = (figure.add_subplot(part) for part in (grid[:, 0], grid[0, 1], grid[1, 1]))
    n_draws = len(check.spikes)
    raster.eventplot(check.spikes, lineoffsets=list(range(n_draws)), linelengths=0.9, colors=BLUE, linewidths=1.5)
    tall = max(2.0, 0.06 * n_draws)
    raster.eventplot([check.observed.spike_times], lineoffsets=[-tall], linelengths=tall, colors=BLACK, linewidths=2)
    raster.set(xlabel="time (ms)", xlim=(check.t[0], check.t[-1]), ylim=(n_draws, -2 * tall))
    raster.set_yticks([-tall, n_draws / 2], ["observed", f"{n_draws}\ndraws"], fontsize=11)
    raster.set_title(f"spike times p = {check.p_spikes:.2f}, intervals p = {check.p_intervals:.2f}", fontsize=11)

    values, observed = check.counts, len(check.observed.spike_times)
    bars = np.arange(min(values.min(), observed) - 1, max(values.max(), observed) + 2)
    counts.bar(bars, [(values == bar).sum() for bar in bars], color=BLUE, alpha=0.6)
    counts.axvline(observed, color=BLACK, linestyle="--")
    counts.set(xlabel="spikes", ylabel="draws")
    counts.locator_params(axis="x", integer=True)
    counts.set_title(f"dashed: observed, p = {check.p_count:.2f}", fontsize=11)

    rows, z = np.arange(len(check.names)), np.clip(check.z, -6, 6)
    scores.axvspan(-2, 2, color=PALE, zorder=0)
    scores.hlines(rows, 0, z, color=GREY, linewidth=1)
    scores.plot(z, rows, "o", color=BLACK)
    for row in np.flatnonzero(np.abs(check.z) > 6):
        side = "left" if z[row] < 0 else "right"
        text = "∞" if np.isinf(check.z[row]) else f"{check.z[row]:+.0f}"
        scores.annotate(text, (z[row], row), xytext=(-8 if side == "right" else 8, 5), textcoords="offset points",
                        ha=side, fontsize=10)  # fmt: skip
    scores.set_yticks(rows, [name.replace("_", " ") for name in check.names], fontsize=10)
    scores.set(xlim=(-6.5, 6.5), ylim=(len(rows) - 0.4, -0.6), xlabel="z of the observed statistic")
    scores.set_xticks(range(-6, 7, 2))
    scores.set_title("grey: as expected, |z| below 2", fontsize=11)
    reading_hint(figure, "p of spike times or intervals near 0: draws resemble each other more than the observation")
    return figure


def plot_misspecification(x: np.ndarray, result: Misspecification) -> Figure:
    """Make a figure of each summary statistic over simulations from the prior, with the observed one.

    Parameters
    ----------
    x
        Summary statistics of the simulations (n, n_statistics).
    result
        The test of the observation against them.
    """
    figure, axes = grid_of_panels(len(result.names), min(len(result.names), 4), 2.3)
    for j, ax in enumerate(axes):
        low, high = np.quantile(x[:, j], [0.005, 0.995])
        low, high = min(low, result.x_o[j]), max(high, result.x_o[j])
        ax.hist(x[:, j], list(np.linspace(low, high if high > low else low + 1, 31)), color="#BFBFBF")
        ax.axvline(result.x_o[j], color=ORANGE, linestyle="--", linewidth=2)
        ax.locator_params(axis="x", nbins=3)
        ax.set(yticks=[], xlabel=result.names[j].replace("_", " "))
        ax.spines["left"].set_visible(False)
        if result.outside[j]:
            ax.set_title("outside", fontsize=11, color=ORANGE)
    seen = f"density p = {result.p_density:.2g}, MMD p = {result.p_mmd:.2g}"
    figure.suptitle(f"the observation among simulations from the prior: {seen}", fontsize=12)
    reading_hint(figure, "dashed: observed; grey: simulated from the prior; each alone can be typical, but not jointly")
    return figure


def plot_statistic_information(ax: Axes, result: StatisticInformation) -> Axes:
    """Plot how far each statistic moves, in units of its noise, when a parameter moves by one SD of its prior."""
    rows = np.arange(len(result.names))
    count = len(result.parameters)
    for k, name in enumerate(result.parameters):
        moved = np.maximum(np.abs(result.sensitivity[:, k]), 1e-2)
        at = rows + 0.28 * (k - (count - 1) / 2) / max(count - 1, 1)
        ax.hlines(at, 1e-2, moved, color=PALETTE[k % 8], linewidth=1, linestyle=STYLES[k % 5])
        ax.plot(moved, at, MARKERS[k % 8], color=PALETTE[k % 8], label=name)
    ax.axvline(1.0, color=GREY, linewidth=1)
    ax.set_xscale("log")
    ax.set_yticks(rows, [name.replace("_", " ") for name in result.names])
    ax.set(xlim=(8e-3, None), ylim=(len(rows) - 0.4, -0.6))
    ax.set_xlabel("change for one prior SD of the parameter, in noise SDs")
    reading_hint(ax, "left of the grey line: lost in noise; far to its right: informative")
    legend_above(ax, fontsize=11)
    return ax
