"""The look of the series: `use_style`, and the labels, legends, ticks and panels that several figures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, NullLocator

from .colours import GUIDE, TEXT_GREY

__all__ = [
    "direct_label",
    "fixed_ticks",
    "grid_of_panels",
    "label_ends",
    "legend_above",
    "readable",
    "reading_hint",
    "shades",
    "use_style",
    "zero_line",
]

POINTER = {"arrowstyle": "-", "color": GUIDE}  # from a label to what it names


def use_style() -> None:
    """Switch matplotlib to the look of the series."""
    plt.style.use(Path(__file__).with_name("pyhh.mplstyle"))


def shades(count: int) -> np.ndarray:
    """Colours (count, 4) from dark to light, also told apart in greyscale print; the lightest still shows on white."""
    return plt.get_cmap("plasma")(np.linspace(0.0, 0.62, count))


def readable(colour: Any) -> str:
    """Return the colour, darker where text in it could not be read on white."""
    rgb = np.array(to_rgb(colour))
    while contrast(rgb) < 4.55:
        rgb = 0.97 * rgb
    return to_hex(tuple(rgb.tolist()))


def contrast(colour: Any, background: Any = "white") -> float:
    """Return the contrast of two colours, from 1 to 21: at least 4.5 for text, 3 for lines (WCAG 2.1)."""
    rgb = np.array([to_rgb(colour), to_rgb(background)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    dark, light = sorted(linear @ (0.2126, 0.7152, 0.0722))
    return float((light + 0.05) / (dark + 0.05))


def direct_label(ax: Axes, x: float, y: float, text: str, colour: str, rise: float = 0.0) -> None:
    """Write the name of a line next to the point (x, y), `rise` points higher, in the line's colour."""
    ax.annotate(
        text,
        (x, y),
        xytext=(5, rise),
        textcoords="offset points",
        color=readable(colour),
        va="center",
        annotation_clip=False,
    )


def label_ends(ax: Axes, ends: Mapping[str, tuple[float, float, str]], gap: float, *, log: bool = False) -> None:
    """Name lines at their right ends, given as (x, y, colour), moved up where names would overlap.

    gap: least distance of two names; on a logarithmic axis (`log`) their least ratio.
    """
    place = 0.0 if log else -np.inf
    for name, (x, y, colour) in sorted(ends.items(), key=lambda end: end[1][1]):
        place = max(place * gap if log else place + gap, y)
        direct_label(ax, x, place, name, colour)


def zero_line(ax: Axes) -> None:
    """Draw a thin grey line at zero behind everything else."""
    ax.axhline(0.0, color=GUIDE, linewidth=0.8, zorder=0)


def legend_above(ax: Axes, columns: int = 4, **more: Any) -> Legend:
    """Put the legend above the axes, where no line can run."""
    more = {"borderaxespad": 0.2, "columnspacing": 1.2} | more
    return ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, **more)


def reading_hint(where: Axes | Figure, text: str, drop: float = 44) -> None:
    """Say below a figure, or `drop` points below axes, how to read it."""
    look: dict[str, Any] = {"fontsize": 10, "color": TEXT_GREY, "style": "italic"}
    if isinstance(where, Figure):
        where.supxlabel(text, x=0.02, ha="left", **look)
    else:
        where.annotate(
            text, (0, 0), (0, -drop), "axes fraction", "offset points", va="top", annotation_clip=False, **look
        )


def fixed_ticks(axis: Axis, ticks: Sequence[float] | np.ndarray) -> None:
    """Put ticks at these round numbers and nowhere else; for logarithmic axes."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(NullLocator())


def grid_of_panels(count: int, columns: int, height: float, **more: Any) -> tuple[Figure, list[Axes]]:
    """Make a figure with `count` panels in rows of `columns`, each row `height` inches high; return it and the axes."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(9, height * rows), squeeze=False, **more)
    for ax in axes.flat[count:]:
        ax.axis("off")
    return figure, list(axes.flat[:count])
