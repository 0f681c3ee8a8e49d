"""Posteriors: pair plots, sets of draws next to each other and next to a reference, what they cost and tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from scipy.stats import chi2

from .colours import BLACK, BLUE, MARKERS, ORANGE, PALETTE, PINK, STYLES
from .style import fixed_ticks, legend_above

__all__ = [
    "plot_against_reference",
    "plot_correlations",
    "plot_posterior",
    "plot_samples",
    "plot_shrinkage_by_data",
    "plot_simulation_budget",
]

REFERENCE = "reference"  # this one is black and solid


def plot_posterior(
    samples: np.ndarray,
    labels: Sequence[str],
    truth: Sequence[float] | None = None,
    limits: Sequence[tuple[float, float]] | None = None,
) -> Figure:
    """Make a pair plot of posterior samples: marginals on the diagonal, pairs below.

    Parameters
    ----------
    samples
        Posterior draws (n, n_parameters).
    labels
        Axis label of each parameter.
    truth
        True values (n_parameters,), marked by crosses.
    limits
        Axis range of each parameter, e.g. the prior box; by default that of the samples.
    """
    with plt.rc_context({"figure.constrained_layout.use": False}):  # PairGrid makes its own layout
        grid = sns.PairGrid(pd.DataFrame(samples, columns=list(labels)), corner=True, diag_sharey=False)
        grid.map_diag(sns.histplot, color=BLUE, element="step", stat="density", bins=40)
        grid.map_lower(sns.scatterplot, color=BLUE, alpha=0.25, s=9, linewidth=0)
    for k, ax in enumerate(grid.diag_axes):
        ax.set_title(labels[k] if len(labels) > 2 else "", fontsize=11)  # the axis labels are far below
        if truth is not None:
            ax.axvline(truth[k], color=ORANGE, linestyle="--")
    for row, column in np.argwhere(np.tri(len(labels), dtype=bool)):
        ax = grid.axes[row, column]
        if limits is not None:
            ax.set(xlim=limits[column], **({"ylim": limits[row]} if row != column else {}))
        if truth is not None and row != column:
            ax.plot(truth[column], truth[row], "+", color=ORANGE, markersize=16, markeredgewidth=2.5)
    return grid.figure


def plot_samples(
    ax: Axes,
    clouds: Mapping[str, np.ndarray],
    labels: Sequence[str],
    truth: Sequence[float] | None = None,
    shown: int = 500,
) -> Axes:
    """Plot sets of posterior draws of two parameters, each with the ellipse that holds 95 % of a normal distribution.

    Parameters
    ----------
    clouds
        Draws (n, 2) by name; the set named "reference" is black and solid.
    labels
        Axis labels of the two parameters.
    truth
        True values (2,), marked by a cross.
    shown
        How many draws of each set are drawn as dots.
    """
    others = iter(zip(PALETTE, STYLES[1:], strict=False))
    for name, samples in clouds.items():
        colour, style = (BLACK, "-") if name == REFERENCE else next(others)
        ax.plot(*samples[:shown].T, ".", color=colour, markersize=2.5, alpha=0.35)
        ax.plot(*_ellipse(samples), color=colour, linestyle=style, label=name)
    if truth is not None:
        halo = [withStroke(linewidth=6, foreground="white")]  # it lies on the draws
        look: dict[str, Any] = {"color": PINK, "markersize": 16, "markeredgewidth": 3, "path_effects": halo}
        ax.plot(*truth, "+", **look, zorder=5, label="truth")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    legend_above(ax, len(clouds) + 1)
    return ax


def _ellipse(samples: np.ndarray) -> np.ndarray:
    """Points (2, n) on the ellipse around samples (n, 2) that holds 95 % of a normal distribution."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes = np.linalg.cholesky(np.cov(samples.T)) * np.sqrt(chi2.ppf(0.95, 2))
    return samples.mean(axis=0)[:, None] + axes @ np.array([np.cos(angle), np.sin(angle)])


def plot_against_reference(
    samples: np.ndarray, reference: np.ndarray, name: str, labels: Sequence[str], truth: Sequence[float]
) -> Figure:
    """Make a figure of a posterior and the reference: all of it (left), and the part around the reference (right).

    Parameters
    ----------
    samples, reference
        Draws of the posterior (n, 2) and of the reference (m, 2).
    name
        Name of the posterior, for the legend.
    labels
        Axis labels of the two parameters.
    truth
        True values (2,), marked by a cross.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
    clouds = {name: samples, REFERENCE: reference}
    plot_samples(left, clouds, labels)
    plot_samples(right, clouds, labels, truth, shown=1500)
    if legend := right.get_legend():  # that of the left panel is enough
        legend.remove()
    middle, reach = reference.mean(axis=0), 4.5 * reference.std(axis=0)
    right.set(xlim=(middle[0] - reach[0], middle[0] + reach[0]), ylim=(middle[1] - reach[1], middle[1] + reach[1]))
    right.set_title("the frame, enlarged; the cross is the truth", fontsize=12)
    left.add_patch(Rectangle(middle - reach, *(2 * reach), fill=False, edgecolor="black", linewidth=1.2))
    return figure


def plot_simulation_budget(curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]) -> Figure:
    """Make a figure of how close posteriors come to the reference with how many simulations.

    Parameters
    ----------
    curves
        By name of the method: numbers of simulations (n,), posterior SD relative to that of the reference (n,), and
        C2ST against the reference (n,).
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    styles = zip(PALETTE, ("--", "-", ":"), MARKERS, strict=False)
    for (name, (count, width, told_apart)), (colour, style, marker) in zip(curves.items(), styles, strict=False):
        left.loglog(count, width, color=colour, linestyle=style, marker=marker, label=name)
        right.semilogx(count, told_apart, color=colour, linestyle=style, marker=marker)
    left.set(xlabel="simulations", ylabel="SD of g_Na / that of the reference")
    right.set(xlabel="simulations", ylabel="C2ST against the reference", ylim=(0.47, 1.02))
    for ax, level, words in ((left, 1.0, "as narrow as it should be"), (right, 0.5, "indistinguishable")):
        ax.axhline(level, color=BLACK, linewidth=1)
        ax.annotate(words, (0.02, level), (0, 4), ("axes fraction", "data"), "offset points", fontsize=10)
        fixed_ticks(ax.xaxis, (300, 1000, 3000, 10_000))
    fixed_ticks(left.yaxis, (1, 2, 5, 10, 20, 50))
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def plot_shrinkage_by_data(shrunk: Mapping[str, np.ndarray], labels: Sequence[str]) -> Figure:
    """Make a figure of the shrinkage (n_parameters,) of every parameter, by name of the data that were used."""
    figure, ax = plt.subplots(figsize=(9, 0.45 * len(labels) + 0.9))
    rows = np.arange(len(labels))
    shifts = np.linspace(-0.22, 0.22, len(shrunk))
    for (name, values), shift, marker, colour in zip(shrunk.items(), shifts, "osD", PALETTE, strict=False):
        ax.hlines(rows + shift, 0, np.clip(values, 0, 1), color=colour, linewidth=1)
        ax.plot(np.clip(values, 0, 1), rows + shift, marker, color=colour, label=name)
    ax.set_yticks(rows, labels)
    ax.set(xlim=(-0.02, 1.02), ylim=(len(labels) - 0.5, -0.6))
    ax.set_xlabel("shrinkage: 0 = as wide as the prior, 1 = known exactly")
    legend_above(ax, 3)
    return figure


def plot_correlations(tables: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Make a figure of correlations (n, n) between parameters, by title; the diagonal is left blank."""
    figure, axes = plt.subplots(1, len(tables), figsize=(9, 4.5), sharey=True, squeeze=False)
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        sns.heatmap(
            table.round(1) + 0.0, mask=np.eye(len(names), dtype=bool), annot=True, fmt=".1f", annot_kws={"size": 9},
            cmap="PuOr", vmin=-1, vmax=1, square=True, cbar=False, xticklabels=names, yticklabels=names, ax=ax,
        )  # fmt: skip
        ax.tick_params(axis="x", rotation=60, length=0)
        ax.tick_params(axis="y", rotation=0, length=0)
        ax.set_title(title)
    return figure
