"""The explorers: sliders above a picture. Behind each stands one pure function from the values to what is shown.

The picture is drawn by reused artists and sent as an image, several times faster than a fresh figure. What it shows
stands below it in words, and the same words are the picture's description for those who cannot see it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .figures import COLOURS, LINES
from .neurons import HodgkinHuxley
from .parameters import Parameter
from .simulator import simulate
from .stimuli import Step, step
from .trace import Trace
from .units import ACTIVATIONS, Fit, fit_activation, measure_f_I

__all__ = ["Dial", "Explorer", "explore_f_I", "explore_spikes", "fitted_f_I", "held_current"]


class Dial(widgets.HBox):
    """One parameter: a box that takes any number of its range, and a slider in hundredths of the range.

    `value` is exact: what is typed stays as it is, and the slider shows the nearest of its positions. Set it from
    Python as well; a number beyond `min` or `max` becomes the nearer end.
    """

    value = traitlets.Float()

    def __init__(self, declared: Parameter) -> None:
        self.min, self.max, self.default = declared.low, declared.high, declared.default
        self.step = (self.max - self.min) / 100
        common = {"value": self.default, "min": self.min, "max": self.max, "step": self.step}
        self.box = widgets.BoundedFloatText(
            **common,
            description=declared.label,
            tooltip=f"{declared.meaning}, as a number",
            style={"description_width": "12em"},
            layout={"width": "18em"},
        )
        self.slider = widgets.FloatSlider(
            **common,
            tooltip=f"{declared.meaning}: drag, PageUp or PageDown",
            readout=False,
            layout={"width": "24em"},
        )
        super().__init__([self.box, self.slider], layout={"flex_flow": "row wrap"})
        self.value = self.default
        self.observe(lambda change: self._show(change.new), names="value")
        self.box.observe(lambda change: self.set_trait("value", change.new), names="value")
        self.slider.observe(lambda change: self._moved(change.new), names="value")

    def _nearest(self) -> float:
        """The slider's position nearest to the value."""
        return self.min + self.step * round((self.value - self.min) / self.step)

    def _show(self, value: float) -> None:
        self.box.value, self.slider.value = value, self._nearest()

    def _moved(self, value: float) -> None:
        if abs(value - self._nearest()) > self.step / 100:  # moved by hand, not by `_show`
            self.value = value


class Explorer(widgets.VBox):
    """Sliders, a picture and a sentence. `update(**values)` draws on `figure` and returns the sentence.

    A slider can be set from Python, `explorer.sliders["amplitude"].value = 3.0`. The reset button brings every default
    back. Where no slider can be shown (on GitHub, or before the cell is run) the picture stands by itself.
    """

    def __init__(self, figure: Figure, update: Callable[..., str], parameters: Mapping[str, Parameter]) -> None:
        self.figure, self.update = figure, update
        self.sliders = {name: Dial(declared) for name, declared in parameters.items()}
        self.image = widgets.HTML()
        self.sentence = widgets.HTML()
        reset = widgets.Button(description="reset", tooltip="bring every default back", layout={"width": "6em"})
        reset.on_click(lambda _: self.reset())
        for slider in self.sliders.values():
            slider.observe(lambda _: self.draw(), names="value")
        super().__init__([*self.sliders.values(), reset, self.image, self.sentence])
        self.draw()

    @property
    def values(self) -> dict[str, float]:
        """The value of every slider by name."""
        return {name: slider.value for name, slider in self.sliders.items()}

    def draw(self) -> None:
        """Show what the sliders say now."""
        words = html.escape(self.update(**self.values))
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

    def reset(self) -> None:
        """Bring every slider back to its default."""
        for slider in self.sliders.values():
            slider.value = slider.default

    def try_both_ends(self) -> None:
        """Move each slider to its ends and back: whatever fails there fails here."""
        for slider in self.sliders.values():
            for value in (slider.min, slider.max, slider.default):
                slider.value = value


def _axes(rows: int, height: float, **more: Any) -> tuple[Figure, np.ndarray]:
    """A figure that no notebook shows by itself, with `rows` axes above one another."""
    figure = Figure(figsize=(9, height), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, **more)[:, 0]
    return figure, axes


# ------------------------------------------------------------------------------------------------ injected current


def held_current(amplitude: float) -> Trace:
    """The squid axon under a current of `amplitude` [µA/cm²] from 5 to 95 ms: the function behind `explore_spikes`."""
    return simulate(HodgkinHuxley(), step(amplitude, 5.0, 95.0), 100.0, dt=0.02)


def explore_spikes() -> Explorer:
    """Slide the injected current; see V and the gates."""
    figure, (top, bottom) = _axes(2, 5.0, height_ratios=[3, 2])
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
        count = len(trace.spike_times)
        spikes = f"{count} spike{'s' * (count != 1)} (V rising through {trace.spike_threshold:g} mV)"
        return f"{amplitude:.4g} µA/cm² for {trace.stop - trace.start:.0f} ms: {spikes}."

    amplitude = replace(Step.parameters()["amplitude"], default=10.0, low=0.0)
    return Explorer(figure, update, {"amplitude": amplitude})


# ------------------------------------------------------------------------------------------------------- f-I curve


def fitted_f_I(g_K: float, currents: np.ndarray) -> tuple[np.ndarray, dict[str, Fit]]:
    """The f-I curve of a squid axon with potassium conductance `g_K` [mS/cm²] and the activations fitted to it."""
    rates = measure_f_I(HodgkinHuxley(g_K=g_K), currents, seconds=1.0)
    return rates, {name: fit_activation(name, currents, rates) for name in ACTIVATIONS}


def explore_f_I(plot: Callable[[Axes, np.ndarray, np.ndarray, Mapping[str, np.ndarray]], Axes]) -> Explorer:
    """Slide the potassium conductance; see the f-I curve and its fits, drawn by `plot` (such as `plot_f_I`)."""
    currents = np.arange(0.0, 51.0)
    figure, (ax,) = _axes(1, 4.0)

    def update(g_K: float) -> str:
        rates, fits = fitted_f_I(g_K, currents)
        ax.clear()
        plot(ax, currents, rates, {name: fit(currents) for name, fit in fits.items()})
        ax.set_ylim(-35, 155)
        firing = currents[rates > 0]
        if not len(firing):
            return f"g_K = {g_K:.4g} mS/cm²: the neuron does not fire up to {currents[-1]:.0f} µA/cm²."
        best = max(fits.values(), key=lambda fit: fit.R2)
        onset = f"fires from {firing[0]:.0f} µA/cm²" if firing[0] > 0 else "fires without any current"
        return f"g_K = {g_K:.4g} mS/cm²: the neuron {onset}; the best fit is {best.name} with R² = {best.R2:.2f}."

    return Explorer(figure, update, {"g_K": replace(HodgkinHuxley.parameters()["g_K"], low=20.0, high=60.0)})
