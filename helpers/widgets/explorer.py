"""The explorers: sliders above a picture. Each has a pure function from the values to what is shown.

Artists are reused on axes that are redrawn only when they change, and the figure is sent as an image: many times faster
than a new figure. A sentence below describes what it shows and is also the picture's description for screen readers.
While Python computes, a browser keeps only the latest move of a slider, so nothing queues up.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image, ImageDraw, ImageFont

from helpers.figures.colours import looks, mathematical
from helpers.simulation.trace import Trace

from .assets import text_of
from .controls import Control

__all__ = ["Explorer", "Picture", "canvas", "describe_spikes", "empty_lines", "set_lines"]

COLUMN = {"flex": "1 1 540px", "min_width": "0", "margin": "0 18px 0 0"}  # of controls: sliders of 250 px and more
DPI, SHOWN = 110, 0.8  # of a figure, and how much smaller a page shows it: sharp also on dense screens
STILL = "A still picture: its sliders appear where this cell is run (Shift+Enter)."


class Picture(anywidget.AnyWidget):
    """A PNG that changes without flickering.

    Attributes
    ----------
    value
        The PNG; its place stays empty without one.
    words
        Its description.
    busy
        Whether a mark shows that Python is computing; it appears after 0.2 s.
    width, height
        Size on the page [px]; smaller where there is less room.
    """

    _esm = text_of("explorer_picture.js")
    _css = text_of("explorer_picture.css")
    value = traitlets.Bytes(b"").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)


class Explorer(ipywidgets.VBox):
    """Controls, a picture and a sentence.

    Controls can be set from Python, `explorer.sliders["amplitude"].value = 3.0`. Values that are not allowed together
    give the error's message in place of the picture; `failure` holds the error. Where no slider can be shown (on
    GitHub, or before the cell is run) the picture is shown alone.

    Parameters
    ----------
    figure
        What is shown, see `canvas`.
    update
        Draws on the figure from the value of every control, given by name, and returns the sentence.
    groups
        The controls, by heading of their column.
    """

    def __init__(self, figure: Figure, update: Callable[..., str], groups: Mapping[str, Sequence[Control]]) -> None:
        self.figure, self.update = figure, update
        self._canvas = FigureCanvasAgg(figure)
        self.sliders = {control.name: control for controls in groups.values() for control in controls}
        width, height = (round(SHOWN * size) for size in self._canvas.get_width_height())
        self.image = Picture(width=width, height=height)
        self.sentence = ipywidgets.HTML()
        reset = ipywidgets.Button(description="reset", tooltip="reset every control", layout={"width": "6em"})
        reset.on_click(lambda _: self.reset())
        for control in self.sliders.values():
            control.observe(lambda _: self.draw(), names="value")
        columns = [
            ipywidgets.VBox([*([ipywidgets.HTML(f"<b>{heading}</b>")] if heading else []), *controls], layout=COLUMN)
            for heading, controls in groups.items()
        ]
        controls = [reset, ipywidgets.HBox(columns, layout={"flex_flow": "row wrap"})]
        shown = [self.image, self.sentence]
        if len(self.sliders) > 6:  # next to the picture where the page is wide enough
            left = ipywidgets.VBox(controls, layout={"flex": "1 1 404px", "min_width": "0"})
            right = ipywidgets.VBox(shown, layout={"flex": "0 1 792px"})
            super().__init__([ipywidgets.HBox([left, right], layout={"flex_flow": "row wrap"})])
        else:
            super().__init__([*controls, *shown])
        self._setting_several = False
        self._axes_drawn: tuple[Any, Any] | None = None
        self._one_at_a_time = RLock()  # Jupyter moves the sliders in one thread and runs the cells in another
        self.draw()

    @property
    def values(self) -> dict[str, Any]:
        """The value of every control by name."""
        return {name: control.value for name, control in self.sliders.items()}

    def draw(self) -> None:
        """Show what the controls say now."""
        if self._setting_several:
            return
        with self._one_at_a_time:
            self.image.busy = True
            try:
                words, self.failure = self.update(**self.values), None
                self.image.value = self._png()
            except ValueError as failure:  # not allowed together: no picture is better than the previous one
                words, self.failure = f"No picture: {failure}.", failure
                self.image.value = b""
            finally:
                self.image.busy = False
            self.image.words = words
            self.sentence.value = f'<p role="status">{html.escape(words)}</p>'

    def _png(self) -> bytes:
        """Draw the figure. Axes, which take most of the time, are redrawn only if they have changed."""
        figure, canvas = self.figure, self._canvas
        moving = [artist for ax in figure.axes for artist in _inside(ax)]
        for artist in moving:
            artist.set_animated(True)  # left out when the figure is drawn
        state = [(ax.viewLim.frozen().get_points().tolist(), ax.get_title(), len(_inside(ax))) for ax in figure.axes]
        if self._axes_drawn is None:
            canvas.draw()
            _keep_layout(figure)
        if self._axes_drawn is None or self._axes_drawn[0] != state:
            canvas.draw()
            self._axes_drawn = state, canvas.copy_from_bbox(figure.bbox)
        canvas.restore_region(self._axes_drawn[1])
        for artist in moving:
            artist.draw(canvas.get_renderer())
        picture = io.BytesIO()
        Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(picture, "PNG", compress_level=1)
        return picture.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        png = base64.b64encode(_with_words(self.image.value, STILL)).decode("ascii")
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}  # not super(): ipywidgets 7 has none
        still = {"text/plain": "run this cell to get the slider", "image/png": png}
        return {"application/vnd.jupyter.widget-view+json": view, **still}

    def set(self, **values: Any) -> None:
        """Set several controls and draw once."""
        self._setting_several = True
        try:
            for name, value in values.items():
                self.sliders[name].value = value
        finally:
            self._setting_several = False
        self.draw()

    def reset(self) -> None:
        """Set every control to its default."""
        self.set(**{name: control.default for name, control in self.sliders.items()})

    def try_both_ends(self) -> None:
        """Move each control to its ends and back, and raise whatever fails there."""
        for control in self.sliders.values():
            for value in (*control.ends, control.value):
                control.value = value
                if self.failure:
                    raise self.failure


def canvas(height: float) -> Figure:
    """Make a figure of the width of a notebook, `height` inches high, that no notebook shows by itself."""
    return Figure(figsize=(9, height), dpi=DPI, layout="constrained")


def empty_lines(ax: Axes, names: Sequence[str]) -> dict[str, Line2D]:
    """Add an empty line for each gate or current, in its colour and style; return them by name."""
    return {name: ax.plot([], [], **look, label=mathematical(name))[0] for name, look in looks(names).items()}


def set_lines(lines: Mapping[str, Line2D], x: np.ndarray, y: Mapping[str, np.ndarray]) -> None:
    """Redraw each line, from the values of its name."""
    for name, line in lines.items():
        line.set_data(x, y[name])


def describe_spikes(trace: Trace) -> str:
    """Say how many spikes there are, and what counts as one."""
    count = len(trace.spike_times)
    return f"{count} spike{'s' * (count != 1)} (V peaking above {trace.spike_threshold:g} mV)"


def _with_words(png: bytes, words: str) -> bytes:
    """Write a line above a picture, for where it is shown without what makes it move."""
    if not png:
        return png
    picture = Image.open(io.BytesIO(png))
    size = round(DPI / 6)  # 12 points
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
    higher = Image.new("RGB", (picture.width, picture.height + 2 * size), "white")
    ImageDraw.Draw(higher).text((size / 2, size / 2), words, "black", font)
    higher.paste(picture, (0, 2 * size))
    written = io.BytesIO()
    higher.save(written, "PNG", compress_level=1)
    return written.getvalue()


def _inside(ax: Axes) -> list[Artist]:
    """Everything drawn inside of axes, from back to front, but not the axes themselves."""
    return sorted([*ax.images, *ax.collections, *ax.patches, *ax.lines, *ax.texts], key=Artist.get_zorder)


def _keep_layout(figure: Figure) -> None:
    """Fix axes and their labels where they are: a new layout at each move takes longer than drawing."""
    figure.set_layout_engine("none")
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            on_page = axis.label.get_transform().transform(axis.label.get_position())
            axis.set_label_coords(*ax.transAxes.inverted().transform(on_page))
