"""What the live bench tells the browser, as plain data: neurons, stimuli, the voltage clamp, a key for the noise.

Nothing is declared here a second time: equations and waveforms are translated, parameters, presets and colours read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from helpers.experiments.voltage_clamp import clamp, step_command
from helpers.figures.colours import ON_DARK, looks
from helpers.neurons.equations import Neuron
from helpers.neurons.parameters import Parameter
from helpers.simulation.compiler.kernels import random_keys
from helpers.simulation.compiler.targets.javascript import javascript, waveform_text
from helpers.simulation.spikes import spike_rule
from helpers.simulation.stimuli import Stimulus, pulse_pair, ramp, step

from ..voltage_clamp import BEFORE, DURING, HOLDING, TEST

__all__ = [
    "COMMAND",
    "COMMAND_TIMES",
    "POINTS",
    "PROTOCOLS",
    "SETTLING",
    "SLIDERS",
    "bench_as_data",
    "can_be_clamped",
    "durations_of",
    "initial_setting",
    "neuron_as_data",
    "presets_of",
    "settling_step",
    "stimulus_of",
    "stimulus_sliders",
    "time_unit",
]

POINTS = 5000  # steps of a trace, whatever its duration
DURATIONS = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # ms
LONGEST = 500.0  # ms, of the initial setting
SETTLING = 200.0  # ms without any current, before the picture begins
ONSET = 0.1  # of the duration: when a stimulus begins

# The parameters of each protocol: a number, or the name of a slider or of a time; see `times`.
PROTOCOLS: Mapping[str, tuple[type[Stimulus], Mapping[str, float | str]]] = {
    "step": (step, {"amplitude": "amplitude", "start": "start", "stop": "stop"}),
    "ramp": (ramp, {"first": 0.0, "last": "amplitude", "start": "start", "stop": "stop"}),
    "pulse pair": (
        pulse_pair,
        {"amplitude": "amplitude", "second_amplitude": "amplitude", "width": "width", "interval": "interval"}
        | {"start": "start", "stop": "end"},
    ),
}
SLIDERS = {
    "step": ("amplitude", "length"),
    "ramp": ("amplitude", "length"),
    "pulse pair": ("amplitude", "width", "interval"),
}

COMMAND = {"holding": HOLDING, "test": TEST}
COMMAND_TIMES = (BEFORE, DURING, 3.0)  # ms: 25 in all, so that the steps of V fall on samples
LEVELS = np.arange(-100.0, 81.0, 4.0)  # mV, of the current-voltage curve


def durations_of(kind: type[Neuron]) -> dict[float, int]:
    """The durations that can be shown [ms], and how many steps there are for each of the `POINTS` samples.

    Steps are at most half as long as the neuron allows. If a neuron has a reset every step is a sample, since its
    spikes last no longer.
    """
    steps = {T: math.ceil(2 * T / POINTS / kind.max_dt - 1e-9) for T in DURATIONS}
    possible = {T: every for T, every in steps.items() if every == 1 or not kind.event}
    return possible or {POINTS * kind.max_dt / 2: 1}


def initial_duration(kind: type[Neuron]) -> float:
    """The longest duration up to 500 ms with one step for each sample [ms]."""
    steps = durations_of(kind)
    return max((T for T, every in steps.items() if every == 1 and T <= LONGEST), default=min(steps))


def settling_step(kind: type[Neuron]) -> float:
    """The time step while the neuron comes to rest [ms]; the resting state does not depend on it."""
    return SETTLING / math.ceil(SETTLING / min(0.04, kind.max_dt) - 1e-9)


def times(duration: float, length: float) -> dict[str, float]:
    """When a stimulus begins and ends, and when the picture does [ms]."""
    start = ONSET * duration
    return {"start": start, "stop": start + length, "end": duration}


def stimulus_sliders(kind: type[Neuron], duration: float) -> dict[str, Parameter]:
    """Everything that can be set of a stimulus of this neuron, by name, so that it fits into `duration` [ms]."""
    default, low, high = kind.current_range
    pulses = pulse_pair.parameters()
    shortest, longest = 0.01 * duration, 0.85 * duration
    length = Parameter("length", 0.7 * duration, "ms", "how long the current flows", shortest, longest, 1e-6, longest)
    amplitude = step.parameters()["amplitude"]
    sliders = [
        replace(amplitude, default=default, low=low, high=high, unit=kind.current_unit),
        length,
        replace(pulses["width"], high=min(pulses["width"].high, 0.1 * duration), maximum=0.1 * duration),
        replace(pulses["interval"], high=min(pulses["interval"].high, 0.5 * duration), maximum=0.5 * duration),
    ]
    unit = time_unit(kind)
    return {
        slider.name: replace(
            slider, default=min(slider.default, slider.high), unit=unit if slider.unit == "ms" else slider.unit
        )
        for slider in sliders
    }


def time_unit(kind: type[Neuron]) -> str:
    """Return the unit of time: ms, or none where the first state has no unit either, as in Hindmarsh-Rose."""
    return "ms" if _unit(kind, kind.states[0]) else ""


def stimulus_of(protocol: str, duration: float, values: Mapping[str, float]) -> Stimulus:
    """The stimulus of a protocol with these values of its sliders."""
    kind, parts = PROTOCOLS[protocol]
    known = {**values, **times(duration, values["length"])}
    return kind(**{name: known[part] if isinstance(part, str) else part for name, part in parts.items()})


def can_be_clamped(kind: type[Neuron]) -> bool:
    """Whether the neuron has ionic currents whose gates depend on V alone."""
    try:
        clamp(kind(), step_command(HOLDING.default, TEST.default), dt=1.0)
    except ValueError:
        return False
    return True


def initial_setting(neuron: Neuron) -> dict[str, Any]:
    """The setting of a bench when it opens with this neuron."""
    kind = type(neuron)
    duration = initial_duration(kind)
    return {
        "neuron": kind.__name__,
        "clamp": "current",
        "protocol": "step",
        "duration": duration,
        "plane": (*kind.states[1:], "")[0],
        "parameters": neuron.values(),
        "stimulus": {name: slider.default for name, slider in stimulus_sliders(kind, duration).items()},
        "command": {name: slider.default for name, slider in COMMAND.items()},
    }


# ----------------------------------------------------------------------------------------------- as the browser has it


def bench_as_data(kinds: Iterable[type[Neuron]]) -> dict[str, Any]:
    """Everything that stays the same while a bench is used."""
    protocols = {
        name: {
            "text": waveform_text(kind.I),
            "arguments": ["t" if argument == "t" else parts[argument] for argument in kind.I.arguments],
            "sliders": SLIDERS[name],
        }
        for name, (kind, parts) in PROTOCOLS.items()
        if kind.I is not None
    }
    command = {"times": COMMAND_TIMES, "sliders": _sliders_as_data(COMMAND.values()), "levels": LEVELS.tolist()}
    return {
        "points": POINTS,
        "onset": ONSET,
        "noise_key": str(random_keys(0, np.array([0]))[0]),  # 64 bits; the noise of simulate(..., seed=0)
        "neurons": {kind.__name__: neuron_as_data(kind) for kind in kinds},
        "protocols": protocols,
        "command": command,
    }


def neuron_as_data(kind: type[Neuron]) -> dict[str, Any]:
    """A neuron: equations, parameters, presets, units and the looks of its lines."""
    first, *others = kind.states
    currents = list(kind.currents)
    starts = {f"{state}_init" for state in kind.states}
    settles = not kind.event
    declared = kind.parameters()
    shown = [entry for name, entry in declared.items() if not (settles and name in starts)]
    return {
        "about": (kind.__doc__ or "").strip().splitlines()[0],
        "text": javascript(kind),
        "states": list(kind.states),
        "gates": list(kind.gates),
        "currents": currents,
        "units": {name: _unit(kind, name) for name in kind.states},
        "current_unit": kind.current_unit,
        "time_unit": time_unit(kind),
        "threshold": kind.spike_threshold,
        "spike_rule": spike_rule(kind),
        "settling": [SETTLING if settles else 0.0, settling_step(kind)],
        "parameters": _sliders_as_data(shown),
        "presets": presets_of(kind),
        "stimulus": {
            f"{duration:g}": _sliders_as_data(stimulus_sliders(kind, duration).values())
            for duration in durations_of(kind)
        },
        "durations": {f"{duration:g}": every for duration, every in durations_of(kind).items()},
        "initial": initial_setting(kind()),
        "clamped": can_be_clamped(kind),
        "looks": {**_looks(["I"]), **_looks(others), **_looks(currents), first: _looks(["V"])["V"]},
    }


def presets_of(kind: type[Neuron]) -> dict[str, tuple[str, dict[str, float]]]:
    """By name: the source, and the value of every parameter. A second name for the same neuron is left out."""
    presets: dict[str, tuple[str, dict[str, float]]] = {}
    for name, (source, _) in kind.presets.items():
        values = kind.preset(name).values()
        if not any(np.allclose(list(values.values()), list(known.values())) for _, known in presets.values()):
            presets[name] = source, values
    return presets


def _unit(kind: type[Neuron], state: str) -> str:
    """The unit of a state: that of its start value; a gate has none."""
    declared = kind.parameters().get(f"{state}_init")
    return declared.unit if declared else ""


def _sliders_as_data(sliders: Iterable[Parameter]) -> list[dict[str, Any]]:
    """Parameters without the limits of what is allowed, which may be infinite: a slider stays within low and high."""
    kept = ("name", "default", "unit", "meaning", "low", "high")
    return [{name: getattr(slider, name) for name in kept} for slider in sliders]


def _looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colours and dashes by name, as in every figure."""
    return {
        name: {
            "colour": look["color"],
            "on_dark": ON_DARK.get(look["color"], look["color"]),
            "dashes": [] if look["linestyle"] == "-" else list(look["linestyle"][1]),
        }
        for name, look in looks(names).items()
    }
