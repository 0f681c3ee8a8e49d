"""Figures of notebook 3 about networks: spikes and their surrogate gradient, teacher and student, learning rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.artificial.distillation import Lesson, Marks
from helpers.artificial.learning_rules import Learned
from helpers.artificial.spiking import PricedRuns
from helpers.artificial.training import Runs

from .traces import COLOURS, direct_label
from .units import BLUE, GREEN, ORANGE, PINK

__all__ = [
    "plot_learning_rules",
    "plot_order",
    "plot_price",
    "plot_prices_of_work",
    "plot_students",
    "plot_widths",
]

LOOKS = (
    (BLUE, "-"),
    (ORANGE, (0, (5, 1.5))),
    (GREEN, (0, (1, 1))),
    (PINK, (0, (3, 1, 1, 1))),
    (COLOURS["V"], (0, (6, 2, 1, 2))),
)


def _band(ax: plt.Axes, x: np.ndarray, values: np.ndarray, name: str, look: tuple, rise: float = 0.0) -> None:
    """The mean of values (n_seeds, n) with a band of one standard deviation, named at the right end."""
    mean, sd = values.mean(0), values.std(0, ddof=1)
    colour, style = look
    ax.plot(x, mean, color=colour, linestyle=style)
    ax.fill_between(x, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
    direct_label(ax, x[-1], mean[-1], name, colour, rise)


def plot_order(example: np.ndarray, runs: Mapping[str, Runs], names: Mapping[str, float]) -> Figure:
    """Left: one sample of each class, (2, steps, 2). Right: test accuracy by epoch; `names` gives each label's rise."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=[1, 1.5])
    for k, sample in enumerate(example):
        for channel, colour in enumerate((BLUE, ORANGE)):
            times = np.flatnonzero(sample[:, channel])
            left.eventplot([times], lineoffsets=3 * k + channel, linelengths=0.8, color=colour, linewidths=3)
            left.text(-1, 3 * k + channel, f"input {channel}", ha="right", va="center", color=colour, fontsize=10)
        left.text(15, 3 * k + 1.75, f"class {k}", ha="center", fontsize=11)
    left.set(xlabel="time (ms)", yticks=[], xlim=(0, example.shape[1]), ylim=(-0.7, 5.2))
    left.spines["left"].set_visible(False)
    epochs = np.arange(1, next(iter(runs.values())).curves.shape[1] + 1)
    for (name, run), look in zip(runs.items(), LOOKS, strict=False):
        _band(right, epochs, run.curves, name, look, names[name])
    right.axhline(0.5, color="0.6", linewidth=0.8, zorder=0)
    right.set(xlabel="epoch", ylabel="test accuracy", ylim=(0.4, 1.04))
    return figure


def plot_price(priced: PricedRuns, rate_network: np.ndarray, joules: float, ratio: float = 0.95) -> Figure:
    """Accuracy (means, whiskers of one SD over seeds) against spikes per sample and against their energy [J].

    rate_network: test accuracies (n_seeds,) of the ReLU network; dotted is `ratio` of their mean.
    """
    figure, ax = plt.subplots(figsize=(9, 3.6))
    right, spikes = priced.accuracy.mean(1), priced.spikes.mean(1)
    spread = priced.accuracy.std(1, ddof=1), priced.spikes.std(1, ddof=1)
    ax.errorbar(spikes, right, *spread, "o-", color=BLUE, capsize=3)
    for price, x, y in zip(priced.prices, spikes, right, strict=True):
        ax.annotate(f"price {price:g}", (x, y), (6, -15), textcoords="offset points", color=BLUE, fontsize=10)
    level, sd, across = rate_network.mean(), rate_network.std(ddof=1), ax.get_yaxis_transform()
    ax.axhline(level, color=ORANGE, linestyle="--")
    ax.axhspan(level - sd, level + sd, color=ORANGE, alpha=0.15, linewidth=0)
    ax.axhline(ratio * level, color="0.5", linestyle=":")
    ax.text(0.01, level + 0.001, "ReLU network", color=ORANGE, transform=across)
    ax.text(1.0, ratio * level + 0.004, f"{ratio:.0%} of it", color="0.35", ha="right", transform=across)
    ax.set(
        xlabel="spikes per picture, all hidden units together", ylabel="test accuracy", xlim=(0, 1.12 * spikes.max())
    )
    top = ax.secondary_xaxis("top", functions=(lambda n: n * joules * 1e12, lambda e: e / joules / 1e12))
    top.set_xlabel("energy for the sodium pumps (pJ)")
    return figure


def plot_widths(widths: np.ndarray, lags: np.ndarray, reach: np.ndarray, accuracies: np.ndarray) -> Figure:
    """Left: gradient (n_widths, steps) against how far back it went [ms]. Right: accuracy (n_widths, n_seeds)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    place = 0.0  # of the names: apart where lines end close together
    for width, size, look in zip(widths, reach, LOOKS, strict=False):
        left.semilogy(lags, size, color=look[0], linestyle=look[1])
        place = max(size[-1], 12.0 * place)
        direct_label(left, lags[-1], place, f"width {width:g}", look[0])
    left.set(xlabel="how long before the spike (ms)", ylabel="mean |gradient|")
    for width, seeds in zip(widths, accuracies, strict=True):
        right.plot(np.full(len(seeds), width), seeds, "o", color="0.65", markersize=4)
    right.errorbar(widths, accuracies.mean(1), accuracies.std(1, ddof=1), fmt="o-", color=BLUE, capsize=3)
    right.set(xscale="log", xlabel="width of the surrogate (of threshold − rest)", ylabel="test accuracy")
    right.set_xticks(widths, [f"{width:g}" for width in widths])
    right.minorticks_off()
    return figure


def plot_students(
    lesson: Lesson, predicted: np.ndarray, part: slice, depths: Sequence[int], marks: Sequence[Sequence[Marks]]
) -> Figure:
    """Top: current, the teacher's spikes and the student's probability in a part of the held-out time.

    Bottom: AUC and correlation of the spike counts by depth; dots are seeds, the line joins their means.
    """
    figure = plt.figure(figsize=(9, 6))
    grid = figure.add_gridspec(3, 2, height_ratios=[0.8, 1, 2])
    for_I = figure.add_subplot(grid[0, :])
    for_p = figure.add_subplot(grid[1, :], sharex=for_I)
    t = np.arange(len(lesson.current))[part]
    for_I.plot(t, lesson.current[part], color=COLOURS["I"], linewidth=1.2)
    for_I.set_ylabel("I (µA/cm²)")
    for_I.tick_params(labelbottom=False)
    for_p.plot(t, predicted[part], color=BLUE, linewidth=1.4)
    fired = t[lesson.spikes[part] > 0]
    for_p.plot(fired, np.full(len(fired), 1.12), "v", color=COLOURS["V"], markersize=5)
    for_p.set(xlabel="held-out time (ms)", ylabel="probability", ylim=(-0.04, 1.25), xlim=(t[0], t[-1]))
    for column, (quantity, goal) in enumerate((("AUC", 0.98), ("correlation", 0.95))):
        ax = figure.add_subplot(grid[2, column])
        values = [np.array([getattr(mark, quantity) for mark in seeds]) for seeds in marks]
        for depth, seeds in zip(depths, values, strict=True):
            ax.plot(np.full(len(seeds), depth), seeds, "o", color="0.6", markersize=4)
        ax.plot(depths, [seeds.mean() for seeds in values], "o-", color=BLUE)
        ax.axhline(goal, color="0.5", linestyle=":")
        ax.text(depths[0], goal, f" {goal}", va="bottom", color="0.35", fontsize=10)
        label = "area under the ROC curve" if quantity == "AUC" else "correlation of spike counts"
        ax.set(xlabel="hidden layers of the student", ylabel=label, xticks=list(depths))
    return figure


def plot_learning_rules(
    learned: Mapping[str, Sequence[Learned]], weights: np.ndarray, noise: np.ndarray, rises: Mapping[str, float]
) -> Figure:
    """Left: test accuracy by step for each rule, mean and SD over seeds. Right: variance of weight perturbation,
    (n_sizes, n_seeds) in units of |gradient|², against the number of weights (n_sizes,); the line is n + 1."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.7), width_ratios=[1.5, 1])
    for (name, runs), look in zip(learned.items(), LOOKS, strict=False):
        steps = runs[0].every * np.arange(1, len(runs[0].accuracy) + 1)
        _band(left, steps, np.array([run.accuracy for run in runs]), name, look, rises[name])
    left.set(xlabel="steps of learning", ylabel="test accuracy", ylim=(0, 1.03))
    right.loglog(weights, weights + 1, color="0.5", linewidth=1.2)
    right.plot(weights, noise.mean(1), "o", color=ORANGE)
    direct_label(right, weights[1], weights[1] + 1, "line: n + 1", "0.4", rise=-18)
    right.set(xlabel="number of weights n", ylabel="variance / |gradient|²")
    return figure


def plot_prices_of_work(costs: Mapping[str, tuple[float, float]]) -> Figure:
    """What one event costs, lowest and highest estimate [J], by name: a bar on a logarithmic axis."""
    figure, ax = plt.subplots(figsize=(9, 0.55 * len(costs) + 0.9))
    for place, (low, high) in enumerate(reversed(costs.values())):
        ax.plot([low, high], [place, place], color=BLUE, linewidth=7, solid_capstyle="butt")
        ax.plot(np.sqrt(low * high), place, "|", color="white", markersize=9)
        ax.text(high * 1.25, place, f"{low * 1e12:.3g} to {high * 1e12:.3g} pJ", va="center", fontsize=10)
    ax.set_yticks(range(len(costs)), list(reversed(costs)))
    ax.set(xscale="log", xlabel="energy (J)", ylim=(-0.6, len(costs) - 0.4))
    ax.set_xlim(right=ax.get_xlim()[1] * 8)
    return figure
