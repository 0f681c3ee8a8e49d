"""The explorers: sliders above a picture. Behind each stands one pure function from the values to what is shown.

The picture is drawn by reused artists and sent as an image, several times faster than a fresh figure. What it shows
stands below it in words, and the same words are the picture's description for those who cannot see it.

Here are what every explorer is made of and the two explorers of one slider; those of the four
benches are in bench_explorers.py.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .benches import spikes_in_words
from .controls import Control, Dial
from .figures import COLOURS, LINES
from .neurons import HodgkinHuxley
from .simulator import simulate
from .stimuli import Step, step
from .trace import Trace

__all__ = [
    "Explorer",
    "canvas",
    "explore_spikes",
    "held_current",
]


# ---------------------------------------------------------------------------------------------------- the explorer

OWN = "your own values"  # what the list of presets shows when the values are those of none


class Explorer(widgets.VBox):
    """Controls, a picture and a sentence. `update(**values)` draws on `figure` and returns the sentence.

    groups: the controls, by heading of the column that they stand in.
    presets: by name, in words what it is, and the value of every control that it sets.

    A control can be set from Python, `explorer.sliders["amplitude"].value = 3.0`. The reset button brings every default
    back. Values that do not go together give the error's message in place of the picture; `failure` holds it. Where no
    slider can be shown (on GitHub, or before the cell is run) the picture stands by itself.
    """

    def __init__(
        self,
        figure: Figure,
        update: Callable[..., str],
        groups: Mapping[str, Sequence[Control]],
        presets: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        self.figure, self.update, self.presets = figure, update, presets or {}
        self.sliders = {control.name: control for controls in groups.values() for control in controls}
        self.image = widgets.HTML()
        self.sentence = widgets.HTML()
        reset = widgets.Button(description="reset", tooltip="bring every default back", layout={"width": "6em"})
        reset.on_click(lambda _: self.reset())
        self.preset = widgets.Dropdown(
            options=[*self.presets, OWN], value=OWN, description="preset", layout={"width": "17em"}
        )
        self.source = widgets.HTML()
        self.preset.observe(lambda change: self.take(change.new), names="value")
        for control in self.sliders.values():
            control.observe(lambda _: self.draw(), names="value")
        columns = [
            widgets.VBox([*([widgets.HTML(f"<b>{heading}</b>")] if heading else []), *controls])
            for heading, controls in groups.items()
        ]
        top = [widgets.HBox([self.preset, reset]), self.source] if self.presets else [reset]
        controls = [*top, widgets.HBox(columns, layout={"flex_flow": "row wrap"})]
        shown = [self.image, self.sentence]
        if len(self.sliders) > 6:  # so many stand beside the picture where the page is wide enough
            left = widgets.VBox(controls, layout={"flex": "1 1 372px"})
            right = widgets.VBox(shown, layout={"flex": "0 1 722px"})
            super().__init__([widgets.HBox([left, right], layout={"flex_flow": "row wrap"})])
        else:
            super().__init__([*controls, *shown])
        self._busy = False
        self.draw()
        _keep_layout(figure)

    @property
    def values(self) -> dict[str, Any]:
        """The value of every control by name."""
        return {name: control.value for name, control in self.sliders.items()}

    def draw(self) -> None:
        """Show what the controls say now."""
        if self._busy:
            return
        self.preset.value = self._matching()
        self.source.value = html.escape(self.presets.get(self.preset.value, ("",))[0])
        try:
            words, self.failure = self.update(**self.values), None
        except ValueError as failure:  # values that do not go together: no picture is better than the one before
            self.failure, self.image.value = failure, ""
            self.sentence.value = f'<p role="status">No picture: {html.escape(str(failure))}.</p>'
            return
        words = html.escape(words)
        picture = io.BytesIO()
        self.figure.canvas.print_png(picture, pil_kwargs={"compress_level": 1})
        self.png = base64.b64encode(picture.getvalue()).decode("ascii")
        width, height = self.figure.canvas.get_width_height()
        self.image.value = (
            f'<img width="{width}" height="{height}" style="max-width: 100%; height: auto" '
            f'alt="{words}" src="data:image/png;base64,{self.png}">'
        )
        self.sentence.value = f'<p role="status">{words}</p>'

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        still = {"text/plain": "run this cell to get the slider", "image/png": self.png}
        return (super()._repr_mimebundle_(**kwargs) or {}) | still

    def set(self, **values: Any) -> None:
        """Set several controls and draw once."""
        with self._drawing_once():
            for name, value in values.items():
                self.sliders[name].value = value

    def reset(self) -> None:
        """Bring every control back to its default."""
        self.set(**{name: control.default for name, control in self.sliders.items()})

    def take(self, preset: str) -> None:
        """Set the controls that a preset names; the others stay."""
        if preset not in (OWN, self._matching()):
            self.set(**self.presets[preset][1])

    def try_both_ends(self) -> None:
        """Move each control to its ends and back, and take each preset: whatever fails there fails here."""
        before = self.values
        moves = [(control, value) for name, control in self.sliders.items() for value in (*control.ends, before[name])]
        for widget, value in [*moves, *((self.preset, preset) for preset in self.presets)]:
            widget.value = value
            if self.failure:
                raise self.failure
        self.set(**before)

    def _matching(self) -> str:
        """The preset that the values are those of."""
        values = self.values
        alike = (name for name, (_, own) in self.presets.items() if all(values[key] == own[key] for key in own))
        return next(alike, OWN)

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


def _keep_layout(figure: Figure) -> None:
    """Leave axes and their labels where they are: to lay out anew at each move takes longer than to draw."""
    figure.set_layout_engine("none")
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            on_page = axis.label.get_transform().transform(axis.label.get_position())
            axis.set_label_coords(*ax.transAxes.inverted().transform(on_page))


# ------------------------------------------------------------------------------------------------ injected current


def held_current(amplitude: float) -> Trace:
    """The squid axon under a current of `amplitude` [µA/cm²] from 5 to 95 ms: the function behind `explore_spikes`."""
    return simulate(HodgkinHuxley(), step(amplitude, 5.0, 95.0), 100.0, dt=0.02)


def explore_spikes() -> Explorer:
    """Slide the injected current; see V and the gates."""
    figure = canvas(5.0)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=[3, 2])
    first = held_current(0.0)
    (line_V,) = top.plot(first.t, first.V, color=COLOURS["V"])
    top.axhline(first.spike_threshold, color="0.7", linestyle=":", linewidth=1)
    gates = {
        name: bottom.plot(first.t, x, color=COLOURS[name], linestyle=LINES.get(name, "-"), label=name)[0]
        for name, x in first.gates.items()
    }
    top.set(ylabel="V (mV)", ylim=(-95, 60))
    bottom.set(ylabel="open fraction", xlabel="time (ms)", ylim=(-0.03, 1.35), yticks=[0, 0.5, 1], xlim=(0, 100))
    bottom.legend(ncols=3, loc="upper right")

    def update(amplitude: float) -> str:
        trace = held_current(amplitude)
        line_V.set_ydata(trace.V)
        for name, line in gates.items():
            line.set_ydata(trace.gates[name])
        return f"{amplitude:.4g} µA/cm² for {trace.stop - trace.start:.0f} ms: {spikes_in_words(trace)}."

    amplitude = replace(Step.parameters()["amplitude"], default=10.0, low=0.0)
    return Explorer(figure, update, {"": [Dial(amplitude)]})
