"""Dynamics: the phase plane, Hopf points, oscillations, and where rest is unstable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.experiments.dynamics import HopfPoint, eigenvalues, fixed_points, nullclines, separatrix
from helpers.neurons.equations import Neuron
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.integrators import slopes
from helpers.simulation.trace import Trace

from .colours import BLUE, COLOURS, GREEN, GUIDE, ORANGE, STYLES
from .style import direct_label

__all__ = [
    "plot_hopf_points",
    "plot_oscillation",
    "plot_phase_plane",
    "plot_phase_planes",
    "plot_unstable_ranges",
]


def plot_phase_plane(
    ax: Axes,
    neuron: Neuron,
    plane: tuple[str, str],
    x: np.ndarray,
    y: np.ndarray,
    state: np.ndarray,
    I: float = 0.0,
) -> Axes:
    """Plot a plane of two states while the others are frozen.

    Arrows show the direction of change, lines the nullclines, points the fixed points: filled if stable, open if
    not. At a saddle, a dash-dotted separatrix divides the initial states that end on either side.

    Parameters
    ----------
    neuron, plane
        The neuron, and the names of its first state and another one.
    x, y
        Grid of the two states, (n_x,) and (n_y,).
    state
        Values at which the other states are frozen, (n_states,).
    I
        Injected current.
    """
    frozen = {name: float(value) for name, value in zip(neuron.states, state, strict=True) if name not in plane}
    across, up = (neuron.states.index(name) for name in plane)
    arrows = np.multiply.outer(state, np.ones((9, 11)))
    arrows[across], arrows[up] = np.meshgrid(np.linspace(x[0], x[-1], 13)[1:-1], np.linspace(y[0], y[-1], 11)[1:-1])
    moves = slopes(neuron, arrows, I)[[across, up]] / np.reshape([np.ptp(x), np.ptp(y)], (2, 1, 1))
    moves /= np.hypot(*moves)  # directions only: the lengths differ a thousandfold
    ax.quiver(arrows[across], arrows[up], *moves, color=GUIDE, scale=20, width=0.0035, headwidth=4, pivot="middle")
    for (name, lines), style in zip(nullclines(neuron, plane, x, y, state, I).items(), ("-", "--"), strict=True):
        for line in lines:
            ax.plot(*line.T, color=COLOURS[name], linestyle=style)
    for point in fixed_points(neuron, I, frozen, span=(x[0], x[-1])):
        values = eigenvalues(neuron, point, frozen).real
        if values[0] > 0 > values[-1]:
            border = separatrix(neuron, point, frozen, I, span=(x[0], x[-1]))
            ax.plot(border[:, across], border[:, up], color=GREEN, linestyle=STYLES[4], linewidth=1.4)
        face = COLOURS["V"] if values[0] < 0 else "white"
        ax.plot(point[across], point[up], "o", color=COLOURS["V"], markerfacecolor=face, markersize=8, clip_on=False)
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=f"{plane[0]} (mV)", ylabel=plane[1])
    return ax


def plot_phase_planes(neuron: Neuron, trace: Trace, moments: Mapping[str, float]) -> Figure:
    """Make a figure of the plane of V and m at moments of a trace without a current, with h and n as they are then.

    Parameters
    ----------
    neuron
        A neuron with the gates m, h and n.
    trace
        What it did, without a current; drawn up to each moment, with a star at the end.
    moments
        Times [ms] by title.
    """
    figure, axes = plt.subplots(1, len(moments), figsize=(9, 3.8), sharey=True, squeeze=False)
    path = np.array(list(trace.states.values()))
    for ax, (title, moment) in zip(axes.flat, moments.items(), strict=True):
        k = int(np.argmin(np.abs(trace.t - moment)))
        plot_phase_plane(ax, neuron, ("V", "m"), np.linspace(-100, 60, 321), np.linspace(0, 1, 201), path[:, k])
        ax.plot(trace.V[: k + 1], trace.m[: k + 1], color=COLOURS["n"], linewidth=1.2)
        ax.plot(trace.V[k], trace.m[k], "*", color=COLOURS["n"], markersize=14)
        ax.set_title(f"{title}: h = {trace.h[k]:.2f}, n = {trace.n[k]:.2f}", fontsize=11)
        ax.label_outer()
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for name, x, y in (("V", 8, 0.1), ("m", -24, 0.75)):
        axes[0, 0].text(x, y, f"{name} does\nnot change", color=COLOURS[name], fontsize=10, va="center", bbox=behind)
    return figure


def plot_hopf_points(currents: np.ndarray, pair: np.ndarray, points: Sequence[HopfPoint]) -> Figure:
    """Make a figure of the real part (left) and the frequency (right) of a pair of eigenvalues against the current.

    Parameters
    ----------
    currents
        Injected currents (n,) [µA/cm²].
    pair
        The complex eigenvalue of the fixed point at each current, (n,) [1/ms].
    points
        The two Hopf points.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True)
    for ax, values in ((left, pair.real), (right, 1000 * pair.imag / (2 * np.pi))):
        ax.plot(currents, values, color=COLOURS["V"])
        ax.set_xlabel("injected current (µA/cm²)")
    left.axhline(0.0, color=GUIDE, linewidth=1)
    for point, side, shift in zip(points, ("left", "right"), (8, -8), strict=True):
        left.plot(point.I, 0.0, "o", color=ORANGE)
        right.plot(point.I, point.frequency, "o", color=ORANGE)
        left.annotate(f"{point.I:.2f}", (point.I, 0), (shift, -14), textcoords="offset points", ha=side, color=ORANGE)
    left.text(sum(point.I for point in points) / 2, 0.03, "perturbations\ngrow", ha="center")
    left.set_ylabel("Re λ (1/ms)")
    right.set(ylabel="frequency of the oscillation (Hz)", ylim=(0, 200))
    return figure


def plot_oscillation(
    held: np.ndarray,
    V: np.ndarray,
    rates: Mapping[float, np.ndarray],
    I: np.ndarray,
    V_fixed: np.ndarray,
    unstable: tuple[float, float],
) -> Figure:
    """Make a figure of the range of V (top) and the rate by two spike thresholds (bottom) against a held current.

    Parameters
    ----------
    held
        Held currents (n,) [µA/cm²].
    V
        V in the steady state at each held current, (n, n_samples) [mV].
    rates
        Firing rates (n,) [Hz] by spike threshold [mV].
    I, V_fixed
        Currents (k,) [µA/cm²] of the fixed points and their V (k,) [mV].
    unstable
        First and last current at which the fixed point is unstable; drawn dotted between them.
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 6.2), sharex=True, height_ratios=[3, 2])
    oscillating = np.ptp(V, axis=1) > 0.5
    for extreme, name, rise in ((V.max(axis=1), "highest V", 14), (V.min(axis=1), "lowest V", -12)):
        top.plot(held[oscillating], extreme[oscillating], "o", markersize=3.5, color=BLUE)
        direct_label(top, 20, np.interp(20, held, extreme), name, BLUE, rise=rise)
    low, high = unstable
    for part, style in ((I <= low, "-"), ((I > low) & (I < high), ":"), (I >= high, "-")):
        top.plot(I[part], V_fixed[part], color=COLOURS["V"], linestyle=style)
    direct_label(top, 14, -43, "fixed point (dotted: unstable)", COLOURS["V"])
    top.set(ylabel="V (mV)", ylim=(-88, 45))
    for (threshold, rate), style in zip(rates.items(), ("--", "-"), strict=True):
        top.axhline(threshold, color=ORANGE, linestyle=style, linewidth=1)
        bottom.plot(held, rate, color=ORANGE, linestyle=style)
        direct_label(top, 0.7 * held[-1], threshold + 5, f"spikes counted at {threshold:.0f} mV", ORANGE)
        firing = np.flatnonzero(rate > 0)
        if len(firing):
            direct_label(bottom, held[min(firing[-1] + 1, len(held) - 1)], 60, f"{threshold:.0f} mV", ORANGE)
    bottom.set(xlabel="injected current (µA/cm²)", ylabel="rate (Hz)")
    return figure


def plot_unstable_ranges(
    scans: Mapping[str, np.ndarray], ranges: Mapping[str, np.ndarray], no_spike: Mapping[str, np.ndarray]
) -> Figure:
    """Make a figure of the currents at which no fixed point is stable, a panel for each parameter by its name.

    Parameters
    ----------
    scans
        Values of the parameter, (n,).
    ranges
        Lowest and highest current without stable rest, (n, 2) [µA/cm²]; NaN where there is none.
    no_spike
        First value at which not even a single spike is possible, (1,), marked by a dotted line; or (0,).
    """
    figure, axes = plt.subplots(1, len(scans), figsize=(9, 3.8), sharey=True)
    for ax, (name, values) in zip(axes, scans.items(), strict=True):
        low, high = ranges[name].T
        ax.fill_between(values, low, high, color="0.85")
        ax.plot(values, low, color=BLUE)
        ax.plot(values, high, color=BLUE, linestyle="--")
        ax.axhline(0.0, color=GUIDE, linewidth=1)
        ax.text(0.08 * values[np.isfinite(low)][-1], np.nanmean(ranges[name]), "no\nstable\nrest", va="center")
        for limit in no_spike[name]:
            ax.axvline(limit, color=COLOURS["V"], linestyle=":")
            ax.text(limit, 150, "no spike ", ha="right")
        declared = HodgkinHuxley.parameters()[name]
        ax.set_xlabel(declared.label if declared.unit else declared.meaning.removeprefix("share of "))
    axes[0].set_ylabel("current (µA/cm²)")
    return figure
