"""What of a figure is too pale to be read, as the Web Content Accessibility Guidelines measure contrast."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure

__all__ = ["contrast", "too_pale"]


def luminance(colour) -> float:
    """Relative luminance of a colour (WCAG 2.1)."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other="white") -> float:
    """Contrast ratio; text needs 4.5 and lines 3."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def too_pale(figure: Figure) -> list[str]:
    """Lines below 3 and text below 4.5 on white. Points, areas, and text in a table of colours are not judged."""
    return [found for ax in figure.axes for found in _of(ax)] + [
        f"text {text.get_text()!r}" for text in figure.texts if contrast(on_white(text)) < 4.5
    ]


def _of(ax: Axes) -> Iterator[str]:
    for line in ax.lines:
        drawn = line.get_visible() and line.get_linestyle() not in ("None", "none", " ", "")
        if drawn and contrast(on_white(line)) < 3:
            yield f"line {line.get_label()} in {line.get_color()}"
    if any(isinstance(collection, QuadMesh) for collection in ax.collections):
        return
    legend = ax.get_legend()
    texts = [*ax.texts, ax.title, ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label]
    for text in [*texts, *(legend.get_texts() if legend else [])]:
        if text.get_text() and contrast(on_white(text)) < 4.5:
            yield f"text {text.get_text()!r} in {text.get_color()}"
    for child in ax.child_axes:
        yield from _of(child)


def on_white(artist) -> tuple[float, ...]:
    """The colour of an artist as it looks on white."""
    r, g, b, alpha = to_rgba(artist.get_color(), artist.get_alpha())
    return tuple(1 - alpha * (1 - c) for c in (r, g, b))
