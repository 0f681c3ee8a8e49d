"""The live bench: a neuron that the browser itself integrates while a slider is dragged, without asking Python.

    bench = live_bench()                    # the neurons of the series
    bench = live_bench(MyNeuron())          # one of your own: any class of equations, see helpers/neurons/equations.py

Everything that it shows comes from the declarations, see data.py; assets/ has the JavaScript. What is set is one
dictionary, `setting`, that Python and the browser share; the browser sends it when a slider is released. The next cell
goes on from `bench.parameters`, `bench.neuron`, `bench.stimulus` or `bench.trace()`.
"""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.experiments.voltage_clamp import ClampTrace, clamp, step_command
from helpers.figures.colours import GUIDE, mathematical
from helpers.neurons.equations import Neuron
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import Parameter
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Stimulus, step
from helpers.simulation.trace import Trace
from helpers.validation import instance, one_of

from ..assets import LIVE_BENCH_CSS, LIVE_BENCH_JS
from ..explorer import canvas
from .data import (
    COMMAND,
    COMMAND_TIMES,
    POINTS,
    PROTOCOLS,
    SETTLING,
    SLIDERS,
    bench_as_data,
    can_be_clamped,
    durations_of,
    initial_setting,
    presets_of,
    settling_step,
    stimulus_of,
    stimulus_sliders,
    time_unit,
)

__all__ = ["NEURONS", "LiveBench", "live_bench", "standalone"]

NEURONS = (HodgkinHuxley, Pospischil, LeakyIntegrateAndFire, Izhikevich, HindmarshRose)
STILL = "A still picture: the bench appears where this cell is run (Shift+Enter)."
CHOICES = ("protocol", "clamp", "duration", "plane", "preset")


class LiveBench(anywidget.AnyWidget):
    """A neuron under a current or a voltage clamp, integrated in the browser. Made by `live_bench`.

    Attributes
    ----------
    setting
        Everything that is set, by name: "neuron" (name of its class), "clamp" ("current" or "voltage"), "protocol",
        "duration" [ms], "plane" (the state shown against the first one in the phase plane), and three dictionaries of
        numbers by name, "parameters", "stimulus" and "command". Change it through `set`, `parameters` or `neuron`.
    data
        Everything that stays the same, see data.py.
    """

    _esm = LIVE_BENCH_JS
    _css = LIVE_BENCH_CSS
    data = traitlets.Dict().tag(sync=True)
    setting = traitlets.Dict().tag(sync=True)

    def __init__(self, neuron: Neuron, kinds: tuple[type[Neuron], ...]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        super().__init__(data=bench_as_data(kinds), setting=initial_setting(neuron))

    # ------------------------------------------------------------------------------------------ what is set

    @property
    def kind(self) -> type[Neuron]:
        """The class of the neuron on the bench."""
        return self._kinds[self.setting["neuron"]]

    @property
    def parameters(self) -> dict[str, float]:
        """The value of every parameter of the neuron by name. Assign some of them, and the sliders move."""
        return dict(self.setting["parameters"])

    @parameters.setter
    def parameters(self, values: Mapping[str, float]) -> None:
        for name in values:
            one_of("parameter", name, self.kind.parameters())
        self.setting = {**self.setting, "parameters": {**self.setting["parameters"], **values}}

    @property
    def neuron(self) -> Neuron:
        """The neuron on the bench. Assign another one, of any class that the bench has."""
        return self.kind(**self.setting["parameters"])

    @neuron.setter
    def neuron(self, neuron: Neuron) -> None:
        one_of("neuron", type(neuron).__name__, self._kinds)
        self.setting = initial_setting(neuron)

    @property
    def stimulus(self) -> Stimulus:
        """The injected current."""
        return stimulus_of(self.setting["protocol"], self.setting["duration"], self.setting["stimulus"])

    def sliders(self) -> dict[str, Parameter]:
        """Every number that can be set, by name: those of the neuron, of the stimulus and of the voltage clamp."""
        stimulus = stimulus_sliders(self.kind, self.setting["duration"])
        return {**self.kind.parameters(), **stimulus, **COMMAND}

    def set(self, **values: Any) -> None:
        """Set any of `sliders()`, or protocol, clamp, duration, plane, preset, by name. All or nothing.

        Raises
        ------
        ValueError
            For an unknown name or a value that is not allowed.
        """
        setting = copy.deepcopy(dict(self.setting))
        if "duration" in values:  # first, since the range of the stimulus depends on it
            duration = values.pop("duration")
            if duration not in durations_of(self.kind):
                allowed = ", ".join(f"{T:g}" for T in durations_of(self.kind))
                raise ValueError(f"duration = {duration!r} ms; allowed: {allowed}")
            setting["duration"] = float(duration)
            sliders = stimulus_sliders(self.kind, float(duration))
            kept = {name: min(setting["stimulus"][name], slider.high) for name, slider in sliders.items()}
            setting["stimulus"] = {**kept, "length": sliders["length"].default}
        if "preset" in values:
            presets = presets_of(self.kind)
            setting["parameters"] = dict(presets[one_of("preset", values.pop("preset"), presets)][1])
        for name, value in values.items():
            if name in CHOICES:
                setting[name] = value
                continue
            one_of("name", name, [*self.sliders(), *CHOICES])
            group = next(group for group in ("parameters", "stimulus", "command") if name in setting[group])
            setting[group][name] = value
        self.setting = setting

    def reset(self) -> None:
        """Set the defaults of the neuron on the bench."""
        self.setting = initial_setting(self.kind())

    @traitlets.validate("setting")
    def _check(self, proposal: Any) -> dict[str, Any]:
        """The setting in plain form, or a ValueError that names what is wrong."""
        setting = proposal.value
        kind = self._kinds[one_of("neuron", setting["neuron"], self._kinds)]
        one_of("clamp", setting["clamp"], _clamps(kind))
        one_of("protocol", setting["protocol"], PROTOCOLS)
        one_of("plane", setting["plane"], kind.states[1:] or ("",))
        duration = setting["duration"]
        groups = {"parameters": kind.parameters(), "stimulus": stimulus_sliders(kind, duration), "command": COMMAND}
        plain = {
            group: {name: float(declared.check(setting[group][name])) for name, declared in sliders.items()}
            for group, sliders in groups.items()
        }
        kind(**plain["parameters"])  # each may be allowed, but not with the others
        stimulus_of(setting["protocol"], duration, plain["stimulus"])
        return {**setting, "duration": float(duration), **plain}

    # ------------------------------------------------------------------------------------------ the same in Python

    def trace(self) -> Trace | ClampTrace:
        """Simulate in Python what the picture shows.

        Returns
        -------
        Trace or ClampTrace
            Under voltage clamp a `ClampTrace`. A neuron without a reset starts at rest, after 200 ms without current.
        """
        neuron = self.neuron
        if self.setting["clamp"] == "voltage":
            before, during, after = COMMAND_TIMES
            command = step_command(**self.setting["command"], before=before, during=during, after=after)
            return clamp(neuron, command, dt=sum(COMMAND_TIMES) / POINTS)
        duration = self.setting["duration"]
        dt = duration / (POINTS * durations_of(self.kind)[duration])
        start = None if neuron.event else _state_at_rest(neuron)
        return simulate(neuron, self.stimulus, duration, dt, seed=0, initial_state=start)

    def spike_times(self) -> np.ndarray:
        """Return the times of the spikes that the picture counts, (n_spikes,) [ms]; none under voltage clamp."""
        trace = self.trace()
        return trace.spike_times if isinstance(trace, Trace) else np.empty(0)

    def try_both_ends(self) -> None:
        """Set each slider to its ends and each dropdown to every option, simulate, and raise whatever fails."""
        before = self.setting
        changes: list[dict[str, Any]] = [{"preset": name} for name in presets_of(self.kind)]
        changes += [{"protocol": name, "duration": T} for name in PROTOCOLS for T in durations_of(self.kind)]
        shown = {slider["name"] for slider in self.data["neurons"][self.kind.__name__]["parameters"]}
        for name, slider in self.sliders().items():
            if name in shown or name not in self.setting["parameters"]:
                protocol = next((kind for kind, names in SLIDERS.items() if name in names), "step")
                changes += [{"protocol": protocol, name: end} for end in (slider.low, slider.high)]
        try:
            for values in changes:
                for clamp_ in _clamps(self.kind):
                    self.set(**values, clamp=clamp_)
                    self.trace()
                self.setting = before
        finally:
            self.setting = before

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a still picture, for where no bench can be shown (on GitHub, or before the cell is run)."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": "run this cell to get the bench", "image/png": self._still()}, metadata

    def _still(self) -> str:
        """The traces as a PNG (base64)."""
        trace, about = self.trace(), self.data["neurons"][self.kind.__name__]
        first, *others = about["states"]
        panels = [] if isinstance(trace, ClampTrace) else [("I", about["current_unit"], {"I": trace.I})]
        panels.append((first, about["units"][first], {first: trace.V}))
        if others:
            name = "open\nfraction" if others == about["gates"] else ", ".join(others)
            panels.append((name, "", {x: trace.states[x] for x in others}))
        if trace.currents:
            panels.append(("currents", about["current_unit"], dict(trace.currents)))
        figure = canvas(1.4 * len(panels) + 0.9)
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for ax, (name, unit, lines) in zip(axes, panels, strict=True):
            for line, values in lines.items():
                look = about["looks"][line]
                dashes = look["dashes"] or (None, None)
                ax.plot(trace.t, values, color=look["colour"], dashes=dashes, label=mathematical(line))
            ax.set(ylabel=f"{name}\n({unit})" if unit else name, xlim=(trace.t[0], trace.t[-1]))
            if len(lines) > 1:
                ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.5)
            if name == first:
                ax.axhline(about["threshold"], color=GUIDE, linestyle=":", linewidth=1)
        unit = time_unit(self.kind)
        axes[-1].set_xlabel(f"time ({unit})" if unit else "time")
        figure.align_ylabels()
        figure.suptitle(STILL, x=0.01, ha="left", fontsize=12)
        picture = io.BytesIO()
        FigureCanvasAgg(figure).print_png(picture)
        return base64.b64encode(picture.getvalue()).decode("ascii")


def _clamps(kind: type[Neuron]) -> tuple[str, ...]:
    return ("current", "voltage") if can_be_clamped(kind) else ("current",)


def _state_at_rest(neuron: Neuron) -> dict[str, float]:
    """Every state after 200 ms without current and noise."""
    kind = type(neuron)
    silent = kind(**{name: 0.0 if name == "noise" else value for name, value in neuron.values().items()})
    quiet = simulate(silent, step(0.0, 0.0, SETTLING), SETTLING, settling_step(kind))
    return {name: float(values[-1]) for name, values in quiet.states.items()}


def live_bench(neuron: Neuron | None = None, kinds: tuple[type[Neuron], ...] = NEURONS) -> LiveBench:
    """Make a live bench.

    Parameters
    ----------
    neuron
        The neuron at first, by default the squid axon. A class of your own works, too: it declares all that the bench
        needs.
    kinds
        The classes that can be chosen in its place.

    Raises
    ------
    ValueError
        If `neuron` is not a neuron, or has equations that JavaScript cannot express.
    """
    neuron = HodgkinHuxley() if neuron is None else instance("neuron", neuron, Neuron, "a neuron, e.g. HodgkinHuxley()")
    clash = {*neuron.parameters()} & {*stimulus_sliders(type(neuron), 100.0), *COMMAND}
    if clash:
        raise ValueError(f"{type(neuron).__name__} has a parameter {min(clash)}, a name that the bench itself uses")
    others = tuple(kind for kind in kinds if kind.__name__ != type(neuron).__name__)
    return LiveBench(neuron, (type(neuron), *others))


def standalone(bench: LiveBench) -> dict[str, Any]:
    """Everything that the bench needs to be shown on a web page without Python, as data for JSON.

    Examples
    --------
    With `LIVE_BENCH_JS` of helpers.widgets.assets as bench.js, on the page::

        import bench from "./bench.js";
        bench.render({ model, el: element });

    where model has get(name), set(name, value), on(event, callback), off(event, callback) and save_changes().
    """
    return {"data": bench.data, "setting": bench.setting}
