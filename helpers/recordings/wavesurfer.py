"""WaveSurfer (.h5): what the inputs recorded, and what the stimulus library commanded at the outputs.

The file is HDF5: a group `header` with the settings, and one group per sweep. Inputs are stored as the converter's
counts; a polynomial makes them volts, a scale (V per unit) makes those the unit that the user gave the input.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .binary import Unreadable, refusing
from .contents import Contents, FileSweep, Signal, absent
from .hdf5 import in_other_files, inside, open_hdf5

__all__ = ["open_wavesurfer"]

FORMAT = "WaveSurfer"
LARGEST, DEEPEST = 2**16, 10  # bytes of a setting, and groups within groups
# Where settings are, in version 0.95 and later, and before.
INPUTS = {
    "names": ("AIChannelNames", "Acquisition/AnalogChannelNames"),
    "units": ("AIChannelUnits", "Acquisition/AnalogChannelUnits"),
    "scales": ("AIChannelScales", "Acquisition/AnalogChannelScales"),
    "active": ("IsAIChannelActive", "Acquisition/IsAnalogChannelActive"),
    "coefficients": ("AIScalingCoefficients", "Acquisition/AnalogScalingCoefficients"),
    "rate": ("AcquisitionSampleRate", "Acquisition/SampleRate"),
}
OUTPUTS = {
    "names": ("AOChannelNames", "Stimulation/AnalogChannelNames"),
    "units": ("AOChannelUnits", "Stimulation/AnalogChannelUnits"),
    "enabled": ("IsStimulationEnabled", "Stimulation/IsEnabled"),
    "repeated": ("DoRepeatStimulusSequence", "Stimulation/DoRepeatSequence"),
    "triggered": ("StimulationUsesAcquisitionTrigger", "Triggering/StimulationUsesAcquisitionTriggerScheme"),
    "library": ("StimulusLibrary", "Stimulation/StimulusLibrary"),
}


def open_wavesurfer(path: Path) -> Contents:
    """Open a data file of WaveSurfer, version 0.92 or later.

    The command of an output is made from the map or sequence that was selected, of square pulses, trains, ladders and
    ramps; an output with another stimulus has no command, with the reason. Raises ValueError, with the file's name, for
    a file that is damaged or not WaveSurfer's.
    """
    with _open(path) as file:
        header = inside(file, "header")
        names = sorted(name for name in file if name.startswith(("sweep_", "trial_")))
        if not names:
            raise Unreadable("it holds no sweeps")
        inputs = {key: _first(header, *places) for key, places in INPUTS.items()}
        if inputs["coefficients"] is None:
            raise Unreadable(
                "its samples are counts without the coefficients that make them volts (written before version 0.92); "
                "WaveSurfer's addScalingToDataFile adds them"
            )
        if missing := [places[0] for key, places in INPUTS.items() if inputs[key] is None]:
            raise Unreadable(f"its header has no {', '.join(missing)}")
        rate = float(np.ravel(inputs["rate"])[0])
        active = np.flatnonzero(np.ravel(inputs["active"]))
        scales = np.ravel(np.asarray(inputs["scales"], dtype=float))[active]
        polynomials = np.asarray(inputs["coefficients"], dtype=float).reshape(len(active), -1)
        labels, units = _texts(inputs["names"]), _texts(inputs["units"])
        described = [(labels[i], units[i], int(i)) for i in active]
        if not (1e-3 < rate <= 1e8 and np.isfinite(polynomials).all() and np.isfinite(scales).all() and scales.all()):
            raise Unreadable("its header is damaged")
        outputs = {key: _first(header, *places) for key, places in OUTPUTS.items()}

    def sweep(k: int) -> FileSweep:
        with _open(path) as file:
            count, n = _scans(file, names[k]).shape
            if count != len(described) or n < 2:
                raise Unreadable(f"{names[k]} has {count} inputs of {n} samples; {len(described)} were active")
        t = np.arange(n) * 1e3 / rate
        recorded = tuple(
            Signal(name, unit, number, partial(_samples, path, names[k], i, polynomials[i], float(scales[i])))
            for i, (name, unit, number) in enumerate(described)
        )
        commanded: tuple[Signal, ...] = ()
        if outputs["names"] is not None and outputs["library"] is not None:
            with refusing(path, FORMAT):
                commanded = tuple(_commands(outputs, t, k + 1))
        return FileSweep(t, recorded, commanded)

    return Contents(path, FORMAT, len(names), sweep, names=tuple(names))


@contextmanager
def _open(path: Path, *datasets: str) -> Iterator[Any]:
    with refusing(path, FORMAT), ExitStack() as closing:
        try:
            file = closing.enter_context(open_hdf5(path, *datasets))
        except ValueError as error:
            raise Unreadable(f"it is damaged, cut short or not HDF5 ({error})") from None
        if inside(file, "header/VersionString") is None and inside(file, "header/Acquisition") is None:
            raise Unreadable("it is HDF5, but not of WaveSurfer (it has no group `header` with a version)")
        yield file


def _scans(file: Any, sweep: str) -> Any:
    """The dataset of a sweep, (inputs, n)."""
    data = inside(file, f"{sweep}/analogScans")
    if data is None or not hasattr(data, "shape") or data.ndim != 2 or in_other_files(data):
        raise Unreadable(f"{sweep} has no table analogScans in this file")
    return data


def _samples(path: Path, sweep: str, row: int, polynomial: np.ndarray, scale: float) -> np.ndarray:
    with _open(path, f"{sweep}/analogScans") as file:
        counts = np.asarray(_scans(file, sweep)[row], dtype=float)
    return np.polynomial.polynomial.polyval(counts, polynomial) / scale


def _first(header: Any, *places: str) -> Any:
    """The first setting that is there: an array, or a group as nested dicts."""
    found = (inside(header, place) for place in places)
    return next((_tree(item) for item in found if item is not None), None)


def _tree(item: Any, depth: int = 0) -> Any:
    if hasattr(item, "keys") and depth < DEEPEST:
        members = {name: inside(item, name) for name in item}
        return {name: _tree(member, depth + 1) for name, member in members.items() if member is not None}
    if not hasattr(item, "shape") or item.nbytes > LARGEST or in_other_files(item):
        raise Unreadable("a setting in its header is larger than WaveSurfer writes it")
    return item[()]


def _texts(values: Any) -> list[str]:
    return [x.decode("utf-8", "replace").strip() if isinstance(x, bytes) else str(x) for x in np.ravel(values)]


def _number(value: Any) -> float:
    return float(np.ravel(value)[0])


def _elements(group: Any) -> list[Any]:
    """The members element1, element2 ... of a list."""
    return [group[f"element{i + 1}"] for i in range(len(group))] if isinstance(group, Mapping) else []


def _commands(outputs: dict[str, Any], t: np.ndarray, i: int) -> Iterator[Signal]:
    """What each output was told in sweep i, counted from 1."""
    for number, (name, unit) in enumerate(zip(_texts(outputs["names"]), _texts(outputs["units"]), strict=True)):
        try:
            values = _command(outputs, name, t, i)
        except Unreadable as fault:
            yield absent(name, unit, number, str(fault))
        except Exception:  # whatever a setting lacks
            yield absent(name, unit, number, "its stimulus library is damaged or of an unknown version")
        else:
            yield Signal(name, unit, number, partial(np.asarray, values))


def _command(outputs: dict[str, Any], name: str, t: np.ndarray, i: int) -> np.ndarray:
    """What an output was told, in its unit. Outside a stimulus WaveSurfer tells it 0."""
    silent = np.zeros(len(t))
    if outputs["enabled"] is not None and not _number(outputs["enabled"]):
        return silent
    if outputs["triggered"] is not None and not _number(outputs["triggered"]):
        raise Unreadable("the stimulus has a trigger of its own, so the file does not say when it began")
    library = outputs["library"]
    maps = _selected_maps(library)
    if not maps or (i > len(maps) and not _number(outputs["repeated"])):
        return silent
    chosen = maps[(i - 1) % len(maps)]
    bound = _texts(chosen.get("ChannelName", chosen.get("ChannelNames", ())))
    if name not in bound:
        return silent
    place = bound.index(name)
    factor = float(np.ravel(chosen.get("Multiplier", chosen.get("Multipliers")))[place])
    if "Stimuli" in library:
        stimuli = _elements(library["Stimuli"])
        which = np.ravel(_elements(chosen["IndexOfEachStimulusInLibrary"])[place])
        if not len(which):
            return silent
        stimulus = stimuli[int(which[0]) - 1]
    else:
        stimulus = _elements(chosen["Stimuli"])[place]
    values = factor * _stimulus(stimulus, t + 0.5 * (t[1] - t[0]), i)
    values[-1] = 0.0  # WaveSurfer leaves no output on
    return values


def _selected_maps(library: Any) -> list[Any]:
    """The map of each sweep, in turn."""
    if "SelectedOutputable" in library:  # before version 0.95
        chosen = library["SelectedOutputable"]
        if not isinstance(chosen, Mapping):
            return []
        if "ChannelNames" not in chosen:
            raise Unreadable("the stimulus is a sequence in the form of an early version of WaveSurfer")
        return [chosen]
    index = np.ravel(library["SelectedOutputableIndex"])
    if not len(index):
        return []
    maps = _elements(library["Maps"])
    kind = _texts(library["SelectedOutputableClassName"])[0]
    if kind == "ws.StimulusMap":
        return [maps[int(index[0]) - 1]]
    if kind != "ws.StimulusSequence":
        return []
    sequence = _elements(library["Sequences"])[int(index[0]) - 1]
    return [maps[int(np.ravel(one)[0]) - 1] for one in _elements(sequence["IndexOfEachMapInLibrary"])]


def _stimulus(stimulus: Any, t: np.ndarray, i: int) -> np.ndarray:
    """The signal of a stimulus; its settings are expressions in i, the number of the sweep, and in seconds."""
    settings = {**stimulus, **stimulus["Delegate"]} if isinstance(stimulus.get("Delegate"), Mapping) else stimulus
    kind = _texts(settings["TypeString"])[0]

    def value(name: str) -> float:
        return _evaluate(settings[name], name, i)

    after = t * 1e-3 - value("Delay")
    if kind == "SquarePulseLadder":
        length, period = value("PulseDuration"), value("PulseDuration") + value("DelayBetweenPulses")
        pulse = np.floor(after / period)
        on = (pulse >= 0) & (pulse < value("PulseCount")) & (after - pulse * period < length)
        return np.where(on, value("FirstPulseAmplitude") + pulse * value("AmplitudeChangePerPulse"), 0.0)
    if kind == "SquarePulse":
        shape = np.ones(len(t))
    elif kind == "SquarePulseTrain":
        shape = (np.mod(after, value("Period")) < value("PulseDuration")).astype(float)
    elif kind == "Ramp":
        shape = after / value("Duration")
    else:
        raise Unreadable(f"the stimulus is of the kind {kind}, of which the command is not known")
    on = (after >= 0) & (after < value("Duration"))
    return np.where(on, value("Amplitude") * shape + value("DCOffset"), 0.0)


OPERATORS: Mapping[type, Callable[..., float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


def _evaluate(setting: Any, name: str, i: int) -> float:
    """The value of an expression such as "-100+20*(i-1)": numbers, i and arithmetic; nothing else is run."""
    written = _texts(setting)[0]

    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name) and node.id == "i":
            return float(i)
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise ValueError(written)

    try:
        if len(written) > 200:
            raise ValueError(written)
        found = float(value(ast.parse(written.strip().replace(".*", "*").replace("^", "**"), mode="eval").body))
    except (ValueError, SyntaxError, ArithmeticError, RecursionError, TypeError):
        found = np.nan
    if not np.isfinite(found):
        raise Unreadable(f"{name} of the stimulus is {written[:80]!r}, which is not arithmetic in i")
    return found
