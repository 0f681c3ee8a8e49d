"""A recording as a whole: V of all its sweeps above the injected current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.validation import number

from .style import legend_above, reading_hint, shades

if TYPE_CHECKING:
    from helpers.recordings.recording import Recording

__all__ = ["plot_recording"]

MOST_POINTS = 4000  # along a line, more than a screen has; between them the lowest and highest sample are kept
NAMED = 5  # sweeps in the legend


def plot_recording(recording: Recording, *, begin: float | None = None, end: float | None = None) -> Figure:
    """Make a figure of V of all sweeps of a recording above the injected current.

    Parameters
    ----------
    recording
        What is drawn: all its sweeps that can be read.
    begin, end
        Part of the sweeps to draw [ms]; by default all of it.

    Raises
    ------
    ValueError
        If `begin` and `end` leave nothing to draw.
    """
    rows = list(recording.steps)
    traces = {row.sweep: recording.trace(row.sweep) for row in rows}
    unit = recording.steps.unit
    low = number("begin", min(x.t[0] for x in traces.values()) if begin is None else begin, "ms")
    high = number("end", max(x.t[-1] for x in traces.values()) if end is None else end, "ms")
    amplitudes = {row.sweep: row.main.amplitude for row in rows if row.main and row.main.constant}
    by_amplitude = len(amplitudes) == len(rows) > 1
    order = sorted(traces, key=lambda k: (amplitudes[k], k)) if by_amplitude else list(traces)
    named = {order[round(place)] for place in np.linspace(0, len(order) - 1, min(NAMED, len(order)))}

    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, height_ratios=(3, 1))
    drawn = 0
    for sweep, shade in zip(order, shades(len(order)), strict=True):
        trace = traces[sweep]
        part = (trace.t >= low) & (trace.t <= high)
        if not part.any():
            continue
        drawn += 1
        words = f"{amplitudes[sweep]:.4g} {unit}" if by_amplitude else f"sweep {sweep}"
        label = words.replace("-", "\N{MINUS SIGN}") if sweep in named else None
        look = {"color": shade, "linewidth": 0.9}
        top.plot(*outline(trace.t[part], trace.V[part]), label=label, **look)
        if trace.has_current:
            bottom.plot(*outline(trace.t[part], trace.I[part]), **look)
    if not drawn:
        plt.close(figure)
        first = traces[order[0]]
        raise ValueError(f"begin to end: {low:g} to {high:g} ms; the sweeps run from {first.t[0]:g} to {first.t[-1]:g}")
    top.set(ylabel="V (mV)", xlim=(low, high))
    bottom.set(xlabel="time (ms)", ylabel=f"I ({unit})")
    if not any(trace.has_current for trace in traces.values()):
        bottom.text(0.5, 0.5, "current unknown", transform=bottom.transAxes, ha="center", va="center")
        bottom.set(yticks=[])
    if len(order) > 1:
        title = "main step:" if by_amplitude else None
        legend_above(top, columns=NAMED, title=title, alignment="left", fontsize=11, title_fontsize=11)
    figure.align_ylabels()
    missing = f", {len(recording.refused)} not readable" if recording.refused else ""
    sweeps = f"{len(order)} sweep{'s' if len(order) > 1 else ''}"
    reading_hint(figure, f"{recording.path.name}: {sweeps}{missing}")
    return figure


def outline(t: np.ndarray, x: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return a line that looks like (t, x) with about `most` points: the lowest and highest sample of each stretch."""
    if len(t) <= most:
        return t, x
    count = most // 2
    width = -(-len(t) // count)
    whole = np.concatenate([x, np.full(-len(x) % width, x[-1])]).reshape(-1, width)
    first = width * np.arange(len(whole))
    lowest, highest = first + whole.argmin(1), first + whole.argmax(1)
    places = np.minimum(np.sort(np.column_stack([lowest, highest]), axis=1).ravel(), len(x) - 1)
    return t[places], x[places]
