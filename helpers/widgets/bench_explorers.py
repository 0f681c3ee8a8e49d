"""The three benches with sliders: each draws what its function in benches.py returns, on artists that it uses again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from helpers.figures.colours import COLOURS, looks, mathematical
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.engine import PRECISIONS
from helpers.simulation.integrators import METHODS
from helpers.simulation.stimuli import Step

from .benches import (
    ACROSS,
    AFTER,
    BEFORE,
    DURING,
    HOLDING,
    MOMENT,
    RUN,
    STEPS,
    TEST,
    WATCHED,
    clamp_bench,
    clamp_in_words,
    integration_in_words,
    integrator_bench,
    phase_plane_bench,
    phase_plane_in_words,
    reference_run,
)
from .controls import Choice, Control, Dial
from .explorer import Explorer, canvas

__all__ = ["explore_clamp", "explore_integrators", "explore_phase_plane"]

SQUID = HodgkinHuxley.parameters()


def _dials(*names: str) -> list[Control]:
    """A dial for each parameter of the squid axon."""
    return [Dial(SQUID[name]) for name in names]


def _lines(ax: Axes, names: Sequence[str]) -> dict[str, Line2D]:
    """An empty line for each gate or current, in its colour and style."""
    return {name: ax.plot([], [], **look, label=mathematical(name))[0] for name, look in looks(names).items()}


def _key(ax: Axes) -> None:
    """Name the lines at the right of the axes, where they never run."""
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.5)


def _show(lines: Mapping[str, Line2D], t: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    for name, line in lines.items():
        line.set_data(t, values[name])


def _fit(ax: Axes, *values: Any, least: float = 0.0) -> None:
    """Choose round limits of y so that all values are seen, and at least from -least to least.

    Round ones seldom change while a slider moves: the eye can compare, and the axes need not be drawn anew.
    """
    low = min(-least, *(np.min(part) for part in values))
    high = max(least, *(np.max(part) for part in values))
    unit = 10.0 ** np.floor(np.log10(high - low)) / 4
    margin = 0.04 * (high - low)
    ax.set_ylim(unit * np.floor((low - margin) / unit), unit * np.ceil((high + margin) / unit))


# --------------------------------------------------------------------------------------------------- voltage clamp


def explore_clamp() -> Explorer:
    """Clamp the squid axon to a potential: see its currents over time, and their peaks on the I-V curve."""
    figure = canvas(4.0)
    for_t, for_peaks = figure.subplots(1, 2, width_ratios=[5, 4])
    names = list(HodgkinHuxley.currents)
    currents, curves = _lines(for_t, names), _lines(for_peaks, names)
    _key(for_peaks)
    (points,) = for_peaks.plot([], [], "o", color="black", markersize=9, fillstyle="none", markeredgewidth=2)
    for ax in (for_t, for_peaks):
        ax.axhline(0.0, color="0.7", linewidth=1, zorder=0)
    for_t.set(xlabel="time (ms)", ylabel="current (µA/cm²)", xlim=(0, BEFORE + DURING + AFTER), title="this step")
    for_peaks.set(xlabel="test potential (mV)", xlim=(-104, 84), title="peak at every step, this one ringed")
    marks = for_peaks.axvline(0.0, color="0.7", linestyle=":", linewidth=1)

    def update(**values: Any) -> str:
        bench = clamp_bench(**values)
        test = values["test"]
        _show(currents, bench.trace.t, bench.trace.currents)
        _show(curves, bench.levels, bench.curves)
        points.set_data([test] * len(names), [bench.peaks[name] for name in names])
        marks.set_xdata([test, test])
        _fit(for_t, *bench.trace.currents.values(), least=10.0)
        _fit(for_peaks, *bench.curves.values(), least=100.0)
        return clamp_in_words(bench)

    groups = {
        "command": [Dial(HOLDING), Dial(TEST)],
        "drugs and bath": _dials("block_Na", "block_K", "temperature"),
    }
    return Explorer(figure, update, groups)


# ----------------------------------------------------------------------------------------------------- phase plane


def explore_phase_plane() -> Explorer:
    """Stop a spike at any moment: see which way V and m go then, and where they could rest."""
    figure = canvas(5.2)
    axes = figure.subplot_mosaic(
        [["plane", "key"], ["plane", "V"], ["plane", "gates"]], width_ratios=[5, 3], height_ratios=[4, 4, 5]
    )
    in_plane, for_V, for_gates = axes["plane"], axes["V"], axes["gates"]
    style = {"fillstyle": "none", "color": "black", "markersize": 9, "linestyle": "none"}
    border = in_plane.plot([], [], color=COLOURS["p"], linestyle=(0, (1, 1)), label="separatrix")[0]
    path = in_plane.plot([], [], color="0.75", linewidth=1.2, label="the run")[0]
    where_V = in_plane.plot([], [], color=COLOURS["V"], label="dV/dt = 0")[0]
    where_m = in_plane.plot([], [], color=COLOURS["m"], linestyle=(0, (5, 1.5)), label="dm/dt = 0")[0]
    stable = in_plane.plot([], [], marker="o", **{**style, "fillstyle": "full"}, label="stable")[0]
    saddle = in_plane.plot([], [], marker="o", **style, label="saddle")[0]
    now = in_plane.plot([], [], "*", color=COLOURS["n"], markersize=16, label="now")[0]
    in_plane.set(xlabel="V (mV)", ylabel="m", xlim=(ACROSS[0], ACROSS[-1]), ylim=(-0.03, 1.03))
    axes["key"].axis("off")
    axes["key"].legend(handles=in_plane.lines, loc="center", ncols=2, borderaxespad=0)
    gates = _lines(for_gates, ["h", "n"])
    (line_V,) = for_V.plot([], [], color=COLOURS["V"])
    moments = [ax.axvline(0.0, color=COLOURS["n"], linestyle=":") for ax in (for_V, for_gates)]
    for_V.set(
        ylabel="V (mV)", ylim=(ACROSS[0], ACROSS[-1]), yticks=[-100, -50, 0, 50], xlim=(0, WATCHED), xticklabels=[]
    )
    for_gates.set(ylabel="open fraction", xlabel="time (ms)", ylim=(-0.03, 1.4), yticks=[0, 0.5, 1], xlim=(0, WATCHED))
    for_gates.legend(loc="upper right", ncols=2, borderaxespad=0)

    def update(**values: float) -> str:
        plane = phase_plane_bench(**values)
        trace, k = plane.trace, plane.k
        for line, points in (
            (border, plane.separatrix),
            (where_V, _joined(plane.nullclines["V"])),
            (where_m, _joined(plane.nullclines["m"])),
            (stable, plane.points[plane.stable]),
            (saddle, plane.points[~plane.stable]),
        ):
            line.set_data(points[:, 0], points[:, 1])
        path.set_data(trace.V, trace.m)
        now.set_data([trace.V[k]], [trace.m[k]])
        line_V.set_data(trace.t, trace.V)
        _show(gates, trace.t, trace.states)
        for line in moments:
            line.set_xdata([trace.t[k]] * 2)
        return phase_plane_in_words(plane)

    return Explorer(figure, update, {"": [Dial(Step.parameters()["amplitude"]), Dial(MOMENT)]})


def _joined(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Lines (n, 2) one after the other, with a gap between them."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)] or [gap])


# ----------------------------------------------------------------------------------------------------- integrators


def explore_integrators() -> Explorer:
    """Choose an integrator and its step: see its trace beside the reference, and its error."""
    figure = canvas(4.8)
    for_V, for_error = figure.subplots(2, sharex=True, height_ratios=[3, 2])
    reference = reference_run(0.01)
    for_V.plot(reference.t, reference.V, color="0.75", linewidth=5, label="reference (LSODA)")
    (line,) = for_V.plot([], [], color=COLOURS["I_Na"], linestyle=(0, (5, 1.5)), label="this method")
    (error,) = for_error.plot([], [], color=COLOURS["I_Na"])
    note = for_error.text(RUN / 2, 1e-5, "no trace: the words below say why", ha="center", color=COLOURS["I_Na"])
    for_V.set(ylabel="V (mV)", ylim=(-90, 60), xlim=(0, RUN))
    for_V.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    for_error.set(ylabel="error of V (mV)", xlabel="time (ms)", yscale="log", ylim=(1e-12, 1e3))
    for_error.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1e0, 1e3])

    def update(**values: Any) -> str:
        bench = integrator_bench(**values)
        failed = bench.trace is None
        note.set_visible(failed)
        for part, y in ((line, None if failed else bench.trace.V), (error, None if failed else bench.error)):
            part.set_data(([], []) if failed else (bench.reference.t, y))
        return integration_in_words(bench)

    groups = {
        "": [
            Choice("method", METHODS, "exponential_euler", "the integrator"),
            Choice("dt", {f"{dt:g} ms": dt for dt in STEPS}, 0.025, "length of a step"),
            Choice("precision", list(PRECISIONS), "double", "64 or 32 bits per number"),
        ]
    }
    return Explorer(figure, update, groups)
