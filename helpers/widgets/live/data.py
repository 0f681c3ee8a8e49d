"""What the live bench tells the browser, as plain data: a neuron, the stimuli, the voltage clamp, a draw of noise.

Nothing is declared here a second time: equations and waveforms are translated, parameters, presets and colours read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from helpers.experiments.voltage_clamp import clamp, step_command
from helpers.figures.colours import COLOURS, LINES
from helpers.neurons.equations import Neuron
from helpers.neurons.parameters import Parameter
from helpers.simulation.compiler.kernels import random_keys
from helpers.simulation.compiler.targets.javascript import javascript, waveform_text
from helpers.simulation.stimuli import PulsePair, Ramp, Step, Stimulus

from ..benches import BEFORE, DURING, HOLDING, TEST

__all__ = [
    "COMMAND",
    "COMMAND_TIMES",
    "DIALS",
    "POINTS",
    "PROTOCOLS",
    "SETTLING",
    "can_be_clamped",
    "command_as_data",
    "durations_of",
    "neuron_as_data",
    "noise_key",
    "protocols_as_data",
    "settling_step",
    "stimulus_of",
    "usual_duration",
]

POINTS = 5000  # steps of a trace, whatever its duration
DURATIONS = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # ms
LONGEST = 500.0  # ms, of what the bench begins with
SETTLING = 200.0  # ms without any current, before the picture begins

# The parameters of each protocol: a number, or the name of a dial or of a time; see `times`.
PROTOCOLS: Mapping[str, tuple[type[Stimulus], Mapping[str, float | str]]] = {
    "step": (Step, {"amplitude": "amplitude", "start": "start", "stop": "stop"}),
    "ramp": (Ramp, {"first": 0.0, "last": "amplitude", "start": "start", "stop": "stop"}),
    "pulse pair": (
        PulsePair,
        {"amplitude": "amplitude", "second_amplitude": "amplitude", "width": "width", "interval": "interval"}
        | {"start": "start", "stop": "end"},
    ),
}
DIALS = {
    "step": ("amplitude", "length"),
    "ramp": ("amplitude", "length"),
    "pulse pair": ("amplitude", "width", "interval"),
}

COMMAND = {"holding": HOLDING, "test": TEST}
COMMAND_TIMES = (BEFORE, DURING, 3.0)  # ms: 25 in all, so that the steps of V fall on samples
LEVELS = np.arange(-100.0, 81.0, 4.0)  # mV, of the current-voltage curve
CYCLE = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # of names that have no colour of their own
DASHES = ((), (5, 1.5), (1, 1), (3, 1, 1, 1))  # in line widths


def durations_of(kind: type[Neuron]) -> dict[float, int]:
    """The durations [ms] that can be shown, and how many steps there are for each of the `POINTS` samples.

    Steps are at most half as long as the neuron allows. Of a neuron that is reset every step is shown, as its spikes
    last no longer.
    """
    steps = {T: math.ceil(2 * T / POINTS / kind.max_dt - 1e-9) for T in DURATIONS}
    possible = {T: every for T, every in steps.items() if every == 1 or not kind.event}
    return possible or {POINTS * kind.max_dt / 2: 1}


def usual_duration(kind: type[Neuron]) -> float:
    """The duration [ms] that the bench begins with: the longest, up to 500, with one step for each sample."""
    steps = durations_of(kind)
    return max((T for T, every in steps.items() if every == 1 and T <= LONGEST), default=min(steps))


def settling_step(kind: type[Neuron]) -> float:
    """The step [ms] while the neuron comes to rest; where it rests does not depend on it."""
    return SETTLING / math.ceil(SETTLING / min(0.04, kind.max_dt) - 1e-9)


def times(duration: float, length: float) -> dict[str, float]:
    """When a stimulus begins and ends [ms], and when the picture does."""
    start = duration / 10
    return {"start": start, "stop": start + length, "end": duration}


def dials_of_stimulus(kind: type[Neuron], duration: float) -> dict[str, Parameter]:
    """What can be turned at a stimulus of this neuron, by name, so that it fits into `duration` [ms]."""
    default, low, high = kind.current_range
    pulses = PulsePair.parameters()
    shortest, longest = 0.01 * duration, 0.85 * duration
    length = Parameter("length", 0.7 * duration, "ms", "how long the current flows", shortest, longest, 1e-6, longest)
    amplitude = Step.parameters()["amplitude"]
    dials = [
        replace(amplitude, default=default, low=low, high=high, unit=kind.current_unit),
        length,
        replace(pulses["width"], high=min(pulses["width"].high, 0.1 * duration), maximum=0.1 * duration),
        replace(pulses["interval"], high=min(pulses["interval"].high, 0.5 * duration), maximum=0.5 * duration),
    ]
    return {dial.name: replace(dial, default=min(dial.default, dial.high)) for dial in dials}


def stimulus_of(protocol: str, duration: float, values: Mapping[str, float]) -> Stimulus:
    """The stimulus of a protocol with these values of its dials."""
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


# ----------------------------------------------------------------------------------------------- as the browser has it


def neuron_as_data(kind: type[Neuron]) -> dict[str, Any]:
    """A neuron: equations, parameters, presets, units and the looks of its lines."""
    first, *others = kind.states
    currents = list(kind.currents)
    starts = {f"{state}_init" for state in kind.states}
    settles = not kind.event
    declared = kind.parameters()
    return {
        "about": (kind.__doc__ or "").strip().splitlines()[0],
        "text": javascript(kind),
        "states": list(kind.states),
        "gates": list(kind.gates),
        "currents": currents,
        "units": {name: _unit(kind, name) for name in kind.states},
        "current_unit": kind.current_unit,
        "threshold": kind.spike_threshold,
        "settling": [SETTLING if settles else 0.0, settling_step(kind)],
        "parameters": [_dial(entry) for name, entry in declared.items() if not (settles and name in starts)],
        "fixed": {name: entry.default for name, entry in declared.items() if settles and name in starts},
        "presets": presets_of(kind),
        "stimulus": {
            f"{duration:g}": [_dial(entry) for entry in dials_of_stimulus(kind, duration).values()]
            for duration in durations_of(kind)
        },
        "durations": {f"{duration:g}": every for duration, every in durations_of(kind).items()},
        "duration": usual_duration(kind),
        "clamped": can_be_clamped(kind),
        "looks": {first: (COLOURS["V"], ()), **_looks(["I"]), **_looks(others), **_looks(currents)},
    }


def presets_of(kind: type[Neuron]) -> dict[str, tuple[str, dict[str, float]]]:
    """By name: where it is from, and the value of every parameter. A second name for the same neuron is left out."""
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


def _dial(declared: Parameter) -> dict[str, Any]:
    """A parameter without its limits, which may be infinite: hands stay within low and high."""
    return {name: value for name, value in asdict(declared).items() if name not in ("minimum", "maximum")}


def _looks(names: list[str]) -> dict[str, tuple[str, tuple[float, ...]]]:
    """Colour and dashes by name: as in every figure, or one after the other."""
    looks = {}
    for i, name in enumerate(names):
        own = LINES.get(name, (0, ()))[1] if name in COLOURS else DASHES[i % len(DASHES)]
        looks[name] = COLOURS.get(name, CYCLE[i % len(CYCLE)]), own
    return looks


def protocols_as_data() -> dict[str, Any]:
    """By name: the waveform, what its arguments are, and which dials belong to it."""
    return {
        name: {
            "text": waveform_text(kind.I),
            "arguments": ["t" if argument == "t" else parts[argument] for argument in kind.I.arguments],
            "dials": DIALS[name],
        }
        for name, (kind, parts) in PROTOCOLS.items()
        if kind.I is not None
    }


def command_as_data() -> dict[str, Any]:
    """The voltage clamp: how long its three parts last, its dials, and the levels of the current-voltage curve."""
    return {
        "times": list(COMMAND_TIMES),
        "dials": [_dial(entry) for entry in COMMAND.values()],
        "levels": LEVELS.tolist(),
    }


def noise_key(seed: int = 0) -> str:
    """The key of the noise of `simulate(..., seed=seed)`, 64 bits, as text."""
    return str(random_keys(seed, np.array([0]))[0])
