"""The explorers: sliders above a picture. Behind each stands one pure function from the values to what is shown.

The picture is drawn by reused artists on axes that are drawn only when they change, and sent as an image: many times
faster than a fresh figure. What it shows stands below it in words, and the same words are the picture's description for
those who cannot see it. While Python computes, a browser keeps only the latest move of a slider: nothing queues up.

Here is what every explorer is made of; those of the benches are in bench_explorers.py.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .controls import Control
from .picture import Picture

__all__ = [
    "Explorer",
    "canvas",
]


COLUMN = {"width": "386px", "max_width": "100%", "margin": "0 18px 0 0"}  # of controls


class Explorer(widgets.VBox):
    """Controls, a picture and a sentence. `update(**values)` draws on `figure` and returns the sentence.

    groups: the controls, by heading of the column that they stand in.

    A control can be set from Python, `explorer.sliders["amplitude"].value = 3.0`. The reset button brings every default
    back. Values that do not go together give the error's message in place of the picture; `failure` holds it. Where no
    slider can be shown (on GitHub, or before the cell is run) the picture stands by itself.
    """

    def __init__(
        self,
        figure: Figure,
        update: Callable[..., str],
        groups: Mapping[str, Sequence[Control]],
    ) -> None:
        self.figure, self.update = figure, update
        self.sliders = {control.name: control for controls in groups.values() for control in controls}
        width, height = figure.canvas.get_width_height()
        self.image = Picture(width=width, height=height)
        self.sentence = widgets.HTML()
        reset = widgets.Button(description="reset", tooltip="bring every default back", layout={"width": "6em"})
        reset.on_click(lambda _: self.reset())
        for control in self.sliders.values():
            control.observe(lambda _: self.draw(), names="value")
        columns = [
            widgets.VBox([*([widgets.HTML(f"<b>{heading}</b>")] if heading else []), *controls], layout=COLUMN)
            for heading, controls in groups.items()
        ]
        controls = [reset, widgets.HBox(columns, layout={"flex_flow": "row wrap"})]
        shown = [self.image, self.sentence]
        if len(self.sliders) > 6:  # so many stand beside the picture where the page is wide enough
            left = widgets.VBox(controls, layout={"flex": "1 1 404px"})
            right = widgets.VBox(shown, layout={"flex": "0 1 722px"})
            super().__init__([widgets.HBox([left, right], layout={"flex_flow": "row wrap"})])
        else:
            super().__init__([*controls, *shown])
        self._busy = False
        self._still = None
        self._one_at_a_time = RLock()  # Jupyter moves the sliders in one thread and runs the cells in another
        self.draw()

    @property
    def values(self) -> dict[str, Any]:
        """The value of every control by name."""
        return {name: control.value for name, control in self.sliders.items()}

    def draw(self) -> None:
        """Show what the controls say now."""
        if self._busy:
            return
        with self._one_at_a_time:
            self.image.busy = True
            try:
                words, self.failure = self.update(**self.values), None
                self.image.value = self._painted()
            except ValueError as failure:  # values that do not go together: no picture is better than the one before
                words, self.failure = f"No picture: {failure}.", failure
                self.image.value = b""
            finally:
                self.image.busy = False
            self.image.words = words
            self.sentence.value = f'<p role="status">{html.escape(words)}</p>'

    def _painted(self) -> bytes:
        """The figure as a PNG. Axes are drawn anew only if they have changed, which takes most of the time."""
        figure = self.figure
        moving = [artist for ax in figure.axes for artist in _moving(ax)]
        for artist in moving:
            artist.set_animated(True)  # left out when the figure is drawn
        state = [(ax.viewLim.frozen().get_points().tolist(), ax.get_title(), len(_moving(ax))) for ax in figure.axes]
        if self._still is None:
            figure.canvas.draw()
            _keep_layout(figure)
        if self._still is None or self._still[0] != state:
            figure.canvas.draw()
            self._still = state, figure.canvas.copy_from_bbox(figure.bbox)
        figure.canvas.restore_region(self._still[1])
        for artist in moving:
            artist.draw(figure.canvas.renderer)
        picture = io.BytesIO()
        Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3]).save(picture, "PNG", compress_level=1)
        return picture.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        png = base64.b64encode(self.image.value).decode("ascii")
        still = {"text/plain": "run this cell to get the slider", "image/png": png}
        return (super()._repr_mimebundle_(**kwargs) or {}) | still

    def set(self, **values: Any) -> None:
        """Set several controls and draw once."""
        with self._drawing_once():
            for name, value in values.items():
                self.sliders[name].value = value

    def reset(self) -> None:
        """Bring every control back to its default."""
        self.set(**{name: control.default for name, control in self.sliders.items()})

    def try_both_ends(self) -> None:
        """Move each control to its ends and back: whatever fails there fails here."""
        for control in self.sliders.values():
            for value in (*control.ends, control.value):
                control.value = value
                if self.failure:
                    raise self.failure

    @contextmanager
    def _drawing_once(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        self.draw()


def canvas(height: float) -> Figure:
    """A figure of the width of a notebook, `height` inches high, that no notebook shows by itself."""
    figure = Figure(figsize=(9, height), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _moving(ax: Axes) -> list[Artist]:
    """What is drawn inside of axes, from back to front; the rest are the axes themselves."""
    return sorted([*ax.images, *ax.collections, *ax.patches, *ax.lines, *ax.texts], key=Artist.get_zorder)


def _keep_layout(figure: Figure) -> None:
    """Leave axes and their labels where they are: to lay out anew at each move takes longer than to draw."""
    figure.set_layout_engine("none")
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            on_page = axis.label.get_transform().transform(axis.label.get_position())
            axis.set_label_coords(*ax.transAxes.inverted().transform(on_page))
