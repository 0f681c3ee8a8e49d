"""The phase-plane explorer: stop a spike at any moment and see where its fast states are heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.experiments.dynamics import eigenvalues, fixed_points, nullclines, separatrix
from helpers.figures.colours import COLOURS, GUIDE
from helpers.neurons.models import HodgkinHuxley
from helpers.neurons.parameters import Parameter
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace

from .controls import Slider
from .explorer import Explorer, canvas, describe_spikes, empty_lines, set_lines

__all__ = ["PhasePlane", "describe_phase_plane", "explore_phase_plane", "phase_plane_at"]

DURATION = 20.0  # ms
MOMENT = Parameter("moment", 0.5, "ms", "when to look", 0.0, DURATION, 0.0, DURATION)
V_GRID, M_GRID = np.linspace(-130.0, 60.0, 191), np.linspace(0.0, 1.0, 101)  # mV, 1
V_SPAN = V_GRID[0], V_GRID[-1]


@dataclass(frozen=True)
class PhasePlane:
    """One moment of a spike in the plane of V and m, with h and n frozen.

    Attributes
    ----------
    trace
        The whole run.
    k
        Index of the moment among the samples of `trace`.
    nullclines
        Lines of points (V, m), each of shape (n_points, 2), by name of the state that does not change there.
    points
        Fixed points (V, m), shape (n_fixed_points, 2).
    stable
        Whether a small perturbation of each fixed point decays, shape (n_fixed_points,).
    separatrix
        Border between the starting points that fire and those that do not, shape (n_points, 2); empty without a saddle.
    """

    trace: Trace
    k: int
    nullclines: Mapping[str, list[np.ndarray]]
    points: np.ndarray
    stable: np.ndarray
    separatrix: np.ndarray


def phase_plane_at(amplitude: float = 10.0, moment: float = 0.5) -> PhasePlane:
    """Compute the phase plane of V and m of the squid axon at one moment, with h and n frozen as they are then.

    Parameters
    ----------
    amplitude
        Current that flows from 1 ms on [µA/cm²].
    moment
        When to look, from 0 to 20 [ms].

    Raises
    ------
    ValueError
        If `moment` is outside its range.
    """
    MOMENT.check(moment)
    neuron = HodgkinHuxley()
    trace = simulate(neuron, step(amplitude, 1.0, DURATION), DURATION)
    k = round(moment / trace.dt)
    I, frozen = float(trace.I[k]), {name: float(trace.states[name][k]) for name in ("h", "n")}
    state = np.array([x[k] for x in trace.states.values()])
    points = fixed_points(neuron, I, frozen, V_SPAN)
    leading = np.array([eigenvalues(neuron, point, frozen)[0].real for point in points])
    saddles = points[leading > 0]
    border = separatrix(neuron, saddles[0], frozen, I, V_SPAN) if len(saddles) else np.empty((0, 4))
    lines = nullclines(neuron, ("V", "m"), V_GRID, M_GRID, state, I)
    return PhasePlane(trace, k, lines, points[:, :2], leading < 0, border[:, :2])


def describe_phase_plane(plane: PhasePlane) -> str:
    """Describe the values of V and m and the fixed points."""
    trace, k = plane.trace, plane.k
    crossings = ", ".join(
        f"at {V:.1f} mV ({'stable' if stable else 'a saddle'})"
        for (V, _), stable in zip(plane.points, plane.stable, strict=True)
    )
    times = {0: "nowhere", 1: "once"}.get(len(plane.points), f"{len(plane.points)} times")
    return (
        f"{describe_spikes(trace)} in the run, V up to {trace.V.max():.1f} mV. At {trace.t[k]:.2f} ms, with "
        f"{trace.I[k]:.4g} µA/cm²: V = {trace.V[k]:.1f} mV, m = {trace.m[k]:.2f}; h = {trace.h[k]:.2f} and "
        f"n = {trace.n[k]:.2f} are frozen. The nullclines cross {times}: {crossings}."
    )


def explore_phase_plane() -> Explorer:
    """Stop a spike at any moment: see how V and m change then, and where they could rest."""
    figure = canvas(5.2)
    axes = figure.subplot_mosaic(
        [["plane", "key"], ["plane", "V"], ["plane", "gates"]], width_ratios=[5, 3], height_ratios=[4, 4, 5]
    )
    in_plane, for_V, for_gates = axes["plane"], axes["V"], axes["gates"]
    style: dict[str, Any] = {"fillstyle": "none", "color": "black", "markersize": 9, "linestyle": "none"}
    border = in_plane.plot([], [], color=COLOURS["p"], linestyle=(0, (1, 1)), label="separatrix")[0]
    path = in_plane.plot([], [], color=GUIDE, linewidth=1.2, label="the run")[0]
    where_V = in_plane.plot([], [], color=COLOURS["V"], label="dV/dt = 0")[0]
    where_m = in_plane.plot([], [], color=COLOURS["m"], linestyle=(0, (5, 1.5)), label="dm/dt = 0")[0]
    stable = in_plane.plot([], [], marker="o", **{**style, "fillstyle": "full"}, label="stable")[0]
    saddle = in_plane.plot([], [], marker="o", **style, label="saddle")[0]
    now = in_plane.plot([], [], "*", color=COLOURS["n"], markersize=16, label="now")[0]
    in_plane.set(xlabel="V (mV)", ylabel="m", xlim=V_SPAN, ylim=(-0.03, 1.03))
    axes["key"].axis("off")
    axes["key"].legend(handles=in_plane.lines, loc="center", ncols=2, borderaxespad=0)
    gates = empty_lines(for_gates, ["h", "n"])
    (line_V,) = for_V.plot([], [], color=COLOURS["V"])
    moments = [ax.axvline(0.0, color=COLOURS["n"], linestyle=":") for ax in (for_V, for_gates)]
    for_V.set(ylabel="V (mV)", ylim=V_SPAN, yticks=[-100, -50, 0, 50], xlim=(0, DURATION), xticklabels=[])
    for_gates.set(ylabel="open fraction", xlabel="time (ms)", ylim=(-0.03, 1.4), yticks=[0, 0.5, 1], xlim=(0, DURATION))
    for_gates.legend(loc="upper right", ncols=2, borderaxespad=0)

    def update(**values: float) -> str:
        plane = phase_plane_at(**values)
        trace, k = plane.trace, plane.k
        for line, points in (
            (border, plane.separatrix),
            (where_V, _with_gaps(plane.nullclines["V"])),
            (where_m, _with_gaps(plane.nullclines["m"])),
            (stable, plane.points[plane.stable]),
            (saddle, plane.points[~plane.stable]),
        ):
            line.set_data(*points.T)
        path.set_data(trace.V, trace.m)
        now.set_data([trace.V[k]], [trace.m[k]])
        line_V.set_data(trace.t, trace.V)
        set_lines(gates, trace.t, trace.states)
        for line in moments:
            line.set_xdata([trace.t[k]] * 2)
        return describe_phase_plane(plane)

    return Explorer(figure, update, {"": [Slider(step.parameters()["amplitude"]), Slider(MOMENT)]})


def _with_gaps(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Lines (n, 2) one after the other, with a gap after each."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)] or [gap])
