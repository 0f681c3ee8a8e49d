"""The live bench: a neuron that the browser itself integrates while a slider is dragged, without asking Python.

    bench = live_bench()                    # the neurons of the series
    bench = live_bench(MyNeuron())          # one of your own: any class of marked equations, see equations.py

Everything that it shows comes from the declarations, see live_data.py; live_bench.js has the loop and the picture,
controls.js the dials. What is set lies in one dictionary, `setting`, that Python and the browser keep alike; the
browser sends it when a slider is let go. The next cell goes on from `bench.parameters`, `bench.neuron`,
`bench.stimulus` or `bench.trace()`.

A web page shows the bench without Python: `standalone(bench)` is all that the module has to be given there.
"""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anywidget
import traitlets

from helpers.experiments.voltage_clamp import ClampTrace, clamp, step_command
from helpers.figures.colours import mathematical
from helpers.neurons.equations import Neuron
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import Parameter
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Stimulus, step
from helpers.simulation.trace import Trace
from helpers.validation import instance, one_of

from ..assets import text_of
from ..explorer import canvas
from .data import (
    COMMAND,
    COMMAND_TIMES,
    DIALS,
    POINTS,
    PROTOCOLS,
    SETTLING,
    can_be_clamped,
    command_as_data,
    dials_of_stimulus,
    durations_of,
    neuron_as_data,
    noise_key,
    presets_of,
    protocols_as_data,
    settling_step,
    stimulus_of,
    usual_duration,
)

__all__ = ["CLAMPS", "ZOO", "LiveBench", "live_bench", "standalone"]

ZOO = (HodgkinHuxley, Pospischil, LeakyIntegrateAndFire, Izhikevich, HindmarshRose)
CLAMPS = ("current", "voltage")


class LiveBench(anywidget.AnyWidget):
    """A neuron under a current or a voltage clamp, integrated in the browser. See `live_bench`.

    setting: what is set; the keys are "neuron" (name of its class), "clamp" ("current" or "voltage"), "protocol",
        "duration" [ms], "plane" (the state beside the first one in the phase plane), and three dictionaries of numbers
        by name, "parameters", "stimulus" and "command". Set it by `set`, `parameters` or `neuron`.
    """

    _esm = text_of("controls.js", "live_bench.js")
    _css = text_of("controls.css", "live_bench.css")
    neurons = traitlets.Dict().tag(sync=True)
    protocols = traitlets.Dict().tag(sync=True)
    command = traitlets.Dict().tag(sync=True)
    points = traitlets.Int(POINTS).tag(sync=True)
    noise_key = traitlets.Unicode().tag(sync=True)
    setting = traitlets.Dict().tag(sync=True)

    def __init__(self, neuron: Neuron, kinds: tuple[type[Neuron], ...]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        super().__init__(
            neurons={name: neuron_as_data(kind) for name, kind in self._kinds.items()},
            protocols=protocols_as_data(),
            command=command_as_data(),
            noise_key=noise_key(),
            setting=beginning(neuron),
        )

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
        self.setting = beginning(neuron)

    @property
    def stimulus(self) -> Stimulus:
        """The injected current."""
        return stimulus_of(self.setting["protocol"], self.setting["duration"], self.setting["stimulus"])

    def dials(self) -> dict[str, Parameter]:
        """Every number that can be set, by name: those of the neuron, of the stimulus and of the voltage clamp."""
        stimulus = dials_of_stimulus(self.kind, self.setting["duration"])
        return {**self.kind.parameters(), **stimulus, **COMMAND}

    def set(self, **values: Any) -> None:
        """Set by name: any of `dials()`, or protocol, clamp, duration, plane, preset. All or nothing.

        Raises ValueError for a name that is not there and a value that is not allowed.
        """
        setting = copy.deepcopy(dict(self.setting))
        if "duration" in values:  # what the stimulus can be depends on it
            duration = values.pop("duration")
            if duration not in durations_of(self.kind):
                allowed = ", ".join(f"{T:g}" for T in durations_of(self.kind))
                raise ValueError(f"duration = {duration!r} ms; allowed: {allowed}")
            setting["duration"] = float(duration)
            setting["stimulus"] = resized(self.kind, float(duration), setting["stimulus"])
        if "preset" in values:
            presets = presets_of(self.kind)
            setting["parameters"] = dict(presets[one_of("preset", values.pop("preset"), presets)][1])
        for name, value in values.items():
            if name in ("protocol", "clamp", "plane"):
                setting[name] = value
                continue
            one_of("name", name, [*self.dials(), "protocol", "clamp", "duration", "plane", "preset"])
            group = next(group for group in ("parameters", "stimulus", "command") if name in setting[group])
            setting[group][name] = value
        self.setting = setting

    def reset(self) -> None:
        """Bring back the defaults of the neuron on the bench."""
        self.setting = beginning(self.kind())

    @traitlets.validate("setting")
    def _check(self, proposal: Any) -> dict[str, Any]:
        """The setting in plain form, or a ValueError that names what is wrong."""
        setting = proposal.value
        kind = self._kinds[one_of("neuron", setting["neuron"], self._kinds)]
        one_of("clamp", setting["clamp"], CLAMPS if can_be_clamped(kind) else CLAMPS[:1])
        one_of("protocol", setting["protocol"], PROTOCOLS)
        one_of("plane", setting["plane"], kind.states[1:] or ("",))
        duration = setting["duration"]
        groups = {"parameters": kind.parameters(), "stimulus": dials_of_stimulus(kind, duration), "command": COMMAND}
        plain = {
            group: {name: float(declared.check(setting[group][name])) for name, declared in dials.items()}
            for group, dials in groups.items()
        }
        kind(**plain["parameters"])  # each may be allowed, but not with the others
        stimulus_of(setting["protocol"], duration, plain["stimulus"])
        return {**setting, "duration": float(duration), **plain}

    # ------------------------------------------------------------------------------------------ the same in Python

    def trace(self) -> Trace | ClampTrace:
        """What the picture shows, computed by the simulator: a `Trace`, or under voltage clamp a `ClampTrace`.

        A neuron without a reset has stood for 200 ms without any current before.
        """
        neuron = self.neuron
        if self.setting["clamp"] == "voltage":
            command = step_command(*self.setting["command"].values(), *COMMAND_TIMES)
            return clamp(neuron, command, dt=sum(COMMAND_TIMES) / POINTS)
        duration = self.setting["duration"]
        dt = duration / (POINTS * durations_of(self.kind)[duration])
        start = None if neuron.event else settled_start(neuron)
        return simulate(neuron, self.stimulus, duration, dt, seed=0, initial_state=start)

    def try_both_ends(self) -> None:
        """Set each dial of this neuron to its ends, and each choice to all it has; simulate. What fails, fails here."""
        before = self.setting
        one_by_one: list[dict[str, Any]] = [{"preset": name} for name in presets_of(self.kind)]
        one_by_one += [{"protocol": name, "duration": T} for name in PROTOCOLS for T in durations_of(self.kind)]
        shown = {dial["name"] for dial in self.neurons[self.kind.__name__]["parameters"]}
        for name, dial in self.dials().items():
            if name in self.setting["parameters"] and name not in shown:
                continue
            protocol = next((kind for kind, names in DIALS.items() if name in names), "step")
            one_by_one += [{"protocol": protocol, name: end} for end in (dial.low, dial.high)]
        try:
            for values in one_by_one:
                for which in CLAMPS if can_be_clamped(self.kind) else CLAMPS[:1]:
                    self.set(**values, clamp=which)
                    self.trace()
                self.setting = before
        finally:
            self.setting = before

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """A still picture beside the bench, for where no bench can be shown (on GitHub, or before the cell is run)."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": "run this cell to get the bench", "image/png": self._still()}, metadata

    def _still(self) -> str:
        """The traces as a PNG (base64)."""
        trace, about = self.trace(), self.neurons[self.kind.__name__]
        first, *others = about["states"]
        panels = [] if isinstance(trace, ClampTrace) else [("I", about["current_unit"], {"I": trace.I})]
        panels.append((first, about["units"][first], {first: trace.V}))
        if others:
            name = "open\nfraction" if others == about["gates"] else ", ".join(others)
            panels.append((name, "", {x: trace.states[x] for x in others}))
        if trace.currents:
            panels.append(("currents", about["current_unit"], dict(trace.currents)))
        figure = canvas(1.4 * len(panels) + 0.6)
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for ax, (name, unit, lines) in zip(axes, panels, strict=True):
            for line, values in lines.items():
                colour, dashes = about["looks"][line]
                ax.plot(trace.t, values, color=colour, dashes=dashes or (None, None), label=mathematical(line))
            ax.set(ylabel=f"{name}\n({unit})" if unit else name, xlim=(trace.t[0], trace.t[-1]))
            if len(lines) > 1:
                ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.5)
            if name == first:
                ax.axhline(about["threshold"], color="0.7", linestyle=":", linewidth=1)
        axes[-1].set_xlabel("time (ms)")
        figure.align_ylabels()
        picture = io.BytesIO()
        figure.canvas.print_png(picture)
        return base64.b64encode(picture.getvalue()).decode("ascii")


def beginning(neuron: Neuron) -> dict[str, Any]:
    """The setting that a bench begins with."""
    kind, duration = type(neuron), usual_duration(type(neuron))
    return {
        "neuron": kind.__name__,
        "clamp": CLAMPS[0],
        "protocol": "step",
        "duration": duration,
        "plane": (*kind.states[1:], "")[0],
        "parameters": neuron.values(),
        "stimulus": {name: dial.default for name, dial in dials_of_stimulus(kind, duration).items()},
        "command": {name: dial.default for name, dial in COMMAND.items()},
    }


def resized(kind: type[Neuron], duration: float, values: Mapping[str, float]) -> dict[str, float]:
    """The values of the stimulus for another duration: its length anew, all others as far as they fit."""
    dials = dials_of_stimulus(kind, duration)
    kept = {name: min(values[name], dial.high) for name, dial in dials.items()}
    return {**kept, "length": dials["length"].default}


def settled_start(neuron: Neuron) -> dict[str, float]:
    """Every state after 200 ms without current and noise."""
    silent = replace(neuron, noise=0.0) if "noise" in neuron.parameters() else neuron
    quiet = simulate(silent, step(0.0, 0.0, SETTLING), SETTLING, settling_step(type(neuron)))
    return {name: float(values[-1]) for name, values in quiet.states.items()}


def live_bench(neuron: Neuron | None = None, kinds: tuple[type[Neuron], ...] = ZOO) -> LiveBench:
    """A bench with `neuron` on it (by default the squid axon) and the classes `kinds` to choose from besides.

    A neuron of your own works as it is: its class declares all that the bench needs, see equations.py.
    Raises ValueError for something else than a neuron, and for equations that JavaScript cannot express.
    """
    neuron = HodgkinHuxley() if neuron is None else instance("neuron", neuron, Neuron, "a neuron, e.g. HodgkinHuxley()")
    clash = {*neuron.parameters()} & {*dials_of_stimulus(type(neuron), usual_duration(type(neuron))), *COMMAND}
    if clash:
        raise ValueError(f"{type(neuron).__name__} has a parameter {min(clash)}, a name that the bench itself uses")
    others = tuple(kind for kind in kinds if kind.__name__ != type(neuron).__name__)
    return LiveBench(neuron, (type(neuron), *others))


def standalone(bench: LiveBench) -> dict[str, Any]:
    """What the bench needs to be shown without Python, as data for JSON; `LiveBench._esm` is the module.

    On a page:  import bench from "./bench.js";  bench.render({model: standIn(data), el: element});
    where the stand-in has get(name), set(name, value), on(event, callback), off(event, callback), save_changes().
    """
    return {
        name: getattr(bench, name) for name in ("neurons", "protocols", "command", "points", "noise_key", "setting")
    }
