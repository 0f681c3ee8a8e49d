"""Networks of notebook 3: spikes and their surrogate gradient, a trained student of a neuron, learning rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from helpers.artificial.distillation import Score, SpikeDataset
from helpers.artificial.learning_rules import RuleRun
from helpers.artificial.spiking import SpikePriceSweep
from helpers.artificial.tasks import Task
from helpers.artificial.training import TrainingRuns

from .colours import BLUE, COLOURS, GUIDE, ORANGE, PALETTE, STYLES, TEXT_GREY
from .style import direct_label, fixed_ticks, label_ends

__all__ = [
    "plot_energy_costs",
    "plot_learning_rules",
    "plot_pulse_order",
    "plot_spike_price",
    "plot_students",
    "plot_surrogate",
    "plot_surrogate_widths",
]


def _bands(ax: Axes, x: np.ndarray, accuracies: Mapping[str, np.ndarray], gap: float) -> None:
    """Means of accuracies (n_seeds, n) by name, with bands from the lowest to the highest seed; names at the ends."""
    ends = {}
    for (name, values), colour, style in zip(accuracies.items(), PALETTE, STYLES, strict=False):
        ax.plot(x, values.mean(0), color=colour, linestyle=style)
        ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
        ends[name] = x[-1], float(values.mean(0)[-1]), colour
    label_ends(ax, ends, gap)


def _means_and_seeds(ax: Axes, x: Sequence[float] | np.ndarray, values: np.ndarray) -> None:
    """A grey dot for each of values (n, n_seeds), a line through their means, whiskers of one SD."""
    ax.plot(np.repeat(x, values.shape[1]), values.ravel(), "o", color="0.65", markersize=4)
    spread = values.std(1, ddof=1) if values.shape[1] > 1 else None
    ax.errorbar(x, values.mean(1), spread, fmt="o-", color=BLUE, capsize=3)


def plot_pulse_order(task: Task, runs: Mapping[str, TrainingRuns]) -> Figure:
    """Make a figure of two samples of the task of `pulse_order` (left), and of test accuracy by epoch (right).

    Parameters
    ----------
    task
        The task.
    runs
        By name, networks trained from several seeds: their mean, and a band from the lowest to the highest.
    """
    example = np.array([task.x_train[task.y_train == k][0].numpy() for k in (0, 1)])  # one sample of each class
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=[1, 1.5])
    for k, sample in enumerate(example):
        for channel, colour in enumerate((BLUE, ORANGE)):
            times = np.flatnonzero(sample[:, channel])
            left.eventplot([times], lineoffsets=3 * k + channel, linelengths=0.8, color=colour, linewidths=3)
            left.text(-1, 3 * k + channel, f"input {channel}", ha="right", va="center", color=colour, fontsize=10)
        middle = example.shape[1] / 2
        left.text(middle, 3 * k + 1.75, f"input {k} was first", ha="center", fontsize=11)
    left.set(xlabel="time (ms)", yticks=[], xlim=(0, example.shape[1]), ylim=(-0.7, 5.2))
    left.spines["left"].set_visible(False)
    epochs = np.arange(1, next(iter(runs.values())).curves.shape[1] + 1)
    _bands(right, epochs, {name: run.curves for name, run in runs.items()}, gap=0.05)
    right.axhline(0.5, color=GUIDE, linewidth=0.8, zorder=0)
    right.set(xlabel="epoch", ylabel="test accuracy", ylim=(0.4, 1.04))
    return figure


def plot_spike_price(priced: SpikePriceSweep, ratio: float = 0.95) -> Figure:
    """Make a figure of accuracy against spikes per sample; whiskers are one SD over seeds.

    Parameters
    ----------
    priced
        Networks trained with several prices on a spike, the lowest price first.
    ratio
        Share of the accuracy at the first price at which a dotted line is drawn.
    """
    figure, ax = plt.subplots(figsize=(9, 3.4))
    right, spikes = priced.accuracy.mean(1), priced.spikes.mean(1)
    spread = priced.accuracy.std(1, ddof=1), priced.spikes.std(1, ddof=1)
    ax.errorbar(spikes, right, *spread, "o-", color=BLUE, capsize=3)
    for price, x, y in zip(priced.prices, spikes, right, strict=True):
        ax.annotate(f"price {price:g}", (x, y), (6, -15), textcoords="offset points", color=BLUE, fontsize=10)
    level, across = ratio * right[0], ax.get_yaxis_transform()
    ax.axhline(level, color=GUIDE, linestyle=":")
    ax.text(1.0, level, f"{ratio:.0%} of the accuracy without a price", color=TEXT_GREY, ha="right", va="bottom",
            transform=across)  # fmt: skip
    ax.set(xlabel="spikes per picture, all hidden units together", ylabel="test accuracy")
    ax.set_xlim(0, 1.12 * spikes.max())
    return figure


def plot_surrogate(distance: Tensor, fired: Tensor, slope: Tensor) -> Figure:
    """Make a figure of a spike (n,) and of its surrogate slope (n,), by V minus threshold (n,)."""
    figure, ax = plt.subplots(figsize=(9, 2.8))
    d, step_, bump = (values.detach().numpy() for values in (distance, fired, slope))
    ax.plot(d, step_, color=GUIDE, linestyle="--")
    ax.plot(d, bump, color=BLUE)
    direct_label(ax, d[-1], step_[-1], "the spike itself", TEXT_GREY)
    direct_label(ax, d[-1], bump[-1], "slope used in training", BLUE)
    ax.set(xlabel="V − threshold (in units of threshold − rest)", ylim=(-0.05, 1.1))
    return figure


def plot_surrogate_widths(
    widths: np.ndarray, lags: np.ndarray, gradients: np.ndarray, accuracies: np.ndarray
) -> Figure:
    """Make a figure of how far gradients reach back (left) and of accuracy (right), by width of the surrogate.

    Parameters
    ----------
    widths
        Widths of the surrogate (n_widths,), in units of threshold - rest.
    lags, gradients
        Time before the spike (steps,) [ms] and mean |gradient| there (n_widths, steps).
    accuracies
        Test accuracies (n_widths, n_seeds).
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    ends = {}
    for width, size, colour, style in zip(widths, gradients, PALETTE, STYLES, strict=False):
        left.semilogy(lags, size, color=colour, linestyle=style)
        ends[f"width {width:g}"] = lags[-1], size[-1], colour
    label_ends(left, ends, gap=12.0, log=True)
    left.set(xlabel="time before the spike (ms)", ylabel="mean |gradient|")
    _means_and_seeds(right, widths, accuracies)
    right.set(xscale="log", xlabel="width of the surrogate (of threshold − rest)", ylabel="test accuracy")
    fixed_ticks(right.xaxis, widths)
    return figure


def plot_students(
    held_out: SpikeDataset, predicted: np.ndarray, part: slice, depths: Sequence[int], scores: Sequence[Sequence[Score]]
) -> Figure:
    """Make a figure of a student's predictions (top), and of AUC and correlation of spike counts by depth (bottom).

    Parameters
    ----------
    held_out
        Held-out current and spikes of n ms.
    predicted
        Probability of a spike that the student gives for each ms, (n,).
    part
        The part of the held-out time that is drawn.
    depths, scores
        Numbers of hidden layers, and for each the scores of several seeds: dots, and a line through their means.
    """
    figure = plt.figure(figsize=(9, 6))
    grid = figure.add_gridspec(3, 2, height_ratios=[0.8, 1, 2])
    for_I = figure.add_subplot(grid[0, :])
    for_p = figure.add_subplot(grid[1, :], sharex=for_I)
    t = np.arange(len(held_out.current))[part]
    for_I.plot(t, held_out.current[part], color=COLOURS["I"], linewidth=1.2)
    for_I.set_ylabel("I (µA/cm²)")
    for_I.tick_params(labelbottom=False)
    for_p.plot(t, predicted[part], color=BLUE, linewidth=1.4)
    fired = t[held_out.spikes[part] > 0]
    for_p.plot(fired, np.full(len(fired), 1.12), "v", color=COLOURS["V"], markersize=5)
    for_p.set(xlabel="held-out time (ms)", ylabel="probability", ylim=(-0.04, 1.25), xlim=(t[0], t[-1]))
    for column, quantity in enumerate(("AUC", "correlation")):
        ax = figure.add_subplot(grid[2, column])
        _means_and_seeds(ax, depths, np.array([[getattr(score, quantity) for score in seeds] for seeds in scores]))
        label = "area under the ROC curve" if quantity == "AUC" else "correlation of spike counts"
        ax.set(xlabel="hidden layers of the student", ylabel=label, xticks=list(depths))
    return figure


def plot_learning_rules(learned: Mapping[str, Sequence[RuleRun]], weights: np.ndarray, noise: np.ndarray) -> Figure:
    """Make a figure of test accuracy by step for each rule (left), and of the noise of weight perturbation (right).

    Parameters
    ----------
    learned
        By name of the rule, runs from several seeds: their mean, and a band from the lowest to the highest.
    weights, noise
        Numbers of weights (n_sizes,), and variance (n_sizes,) in units of |gradient|²; the line is n + 1.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.7), width_ratios=[1.5, 1])
    first = next(iter(learned.values()))[0]
    steps = first.every * np.arange(1, len(first.accuracy) + 1)
    _bands(left, steps, {name: np.array([r.accuracy for r in runs]) for name, runs in learned.items()}, gap=0.08)
    left.set(xlabel="steps of learning", ylabel="test accuracy", ylim=(0, 1.03))
    right.loglog(weights, weights + 1, color=GUIDE, linewidth=1.2)
    right.plot(weights, noise, "o", color=ORANGE)
    direct_label(right, weights[1], weights[1] + 1, "line: n + 1", TEXT_GREY, rise=-18)
    right.set(xlabel="number of weights n", ylabel="variance / |gradient|²")
    fixed_ticks(right.xaxis, weights)
    fixed_ticks(right.yaxis, weights)
    return figure


def plot_energy_costs(costs: Mapping[str, tuple[float, float]]) -> Figure:
    """Make a figure of the lowest and highest estimate [J] of what an event costs, by name."""
    figure, ax = plt.subplots(figsize=(9, 0.55 * len(costs) + 0.9))
    upwards = dict(reversed(list(costs.items())))
    for place, (low, high) in enumerate(upwards.values()):
        ax.plot([low, high], [place, place], color=BLUE, linewidth=7, solid_capstyle="butt")
        ax.plot(np.sqrt(low * high), place, "|", color="white", markersize=9)
        ax.text(high * 1.25, place, f"{low * 1e12:.3g} to {high * 1e12:.3g} pJ", va="center", fontsize=10)
    ax.set_yticks(range(len(costs)), list(upwards))
    ax.set(xscale="log", xlabel="energy (J)", ylim=(-0.6, len(costs) - 0.4))
    ax.set_xlim(right=ax.get_xlim()[1] * 8)
    return figure
