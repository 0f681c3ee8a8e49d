"""From what a file holds to a `Trace`: which signal is V, which is I, when the main step is, and whether that can be.

The rules are the same for all formats:

- V is the signal that is asked for, else the first recorded one in a unit of voltage that was not clamped.
- I is what is asked for: a signal, a stimulus, samples, a constant. Else it is the command, else the recorded current.
  Where there is neither, the trace has V alone and says so when its I is used.
- start and stop are as given, else as the file says, else those of the main step (`helpers.recordings.steps`).

Nothing is guessed without a word: what was assumed is in `Chosen.notes`, and what changes the numbers is a warning.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.simulation.stimuli import Stimulus
from helpers.simulation.trace import Trace

from .contents import Contents, FileSweep, Signal
from .conversion import CURRENT, DENSITY, VOLTAGE, check_even, check_index, factor, make_trace
from .steps import Step, find_steps, main_window

__all__ = ["UNKNOWN", "Chosen", "choose", "inventory", "sweep_number"]

UNKNOWN = "unknown"  # current="unknown": V alone
DIFFERENCE = 0.05  # of the span of the command: a recorded current that differs by more is spoken of
LEAST_DIFFERENCE = 5.0  # pA


@dataclass(frozen=True, eq=False)
class Chosen:
    """A sweep as it was read.

    Parameters
    ----------
    trace
        With start and stop of the main step.
    steps
        All steps of the injected current.
    notes, warnings
        What was assumed; what the reader must know.
    V
        The signal that is V.
    I
        Where the current comes from, in words.
    """

    trace: Trace
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    V: Signal
    I: str


def choose(
    contents: Contents,
    sweep: int | str = 0,
    *,
    channel: int | str | None = None,
    current: Any = None,
    start: float | None = None,
    stop: float | None = None,
    units: Mapping[Any, str] | None = None,
    known: dict[int, tuple[Step, ...]] | None = None,
) -> Chosen:
    """Make a sweep of an opened file into a `Trace`; the arguments are those of `helpers.recordings.read`.

    known: the steps of sweeps that were looked at before with the same arguments, to which new ones are added.
    """
    path = contents.path
    sweep = sweep_number(contents, sweep)
    found = contents.sweep(sweep)
    where = f"{path.name}, sweep {sweep}"
    units = _checked_units(path, units)
    check_even(path, found.t)
    V_signal, notes = _voltage(where, found, channel, units)
    V = _scaled(where, V_signal, VOLTAGE, units, "V")
    if len(V) != len(found.t):
        raise ValueError(f"{where}: {V_signal.name} has {len(V)} samples, its times {len(found.t)}")
    _check_finite(where, V_signal.name, V)
    _check_voltage(where, V_signal, V)

    I, unit, more = _current(where, found, V_signal, current, units)
    notes += [*more.notes]
    warnings = [*found.warnings, *more.warnings]
    steps: tuple[Step, ...] = ()
    if not isinstance(I, str):
        _check_finite(where, more.name, I)
        if len(I) != len(V):
            raise ValueError(
                f"{where}: {V_signal.name} has {len(V)} samples but {more.name} {len(I)}; they must be sampled alike. "
                f"Give the current yourself: {HOW_TO_GIVE}"
            )
        _check_current(where, more.name, I, unit)
        steps = find_steps(found.t, I)
    window = _window(contents, sweep, found, steps, more, start, stop, units, {} if known is None else known)
    trace = make_trace(path, found.t, V, I, window, unit)
    source = "; ".join(more.notes) or "I is unknown"
    return Chosen(trace, steps, (*contents.notes, *found.notes, *notes), tuple(warnings), V_signal, source)


def sweep_number(contents: Contents, sweep: int | str) -> int:
    """Return the number of a sweep, given by number or by the file's name for it."""
    if not isinstance(sweep, str) or not contents.names:
        return check_index(contents.path, "sweep", sweep, contents.n_sweeps)  # type: ignore[arg-type]
    if contents.names.count(sweep) != 1:
        names = ", ".join(contents.names[:20]) + (", ..." if len(contents.names) > 20 else "")
        raise ValueError(f"{contents.path.name} has no sweep {sweep!r}; it has {names}")
    return contents.names.index(sweep)


HOW_TO_GIVE = (
    "current=step(100, 270, 770) in pA, current=0.0 for none, an array of pA, or the name of a recorded current"
)


@dataclass(frozen=True)
class _Current:
    """Where the current comes from."""

    name: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    window: tuple[float, float] | None = None  # of a stimulus that was given
    signal: Signal | None = None


def _checked_units(path: Path, units: Mapping[Any, str] | None) -> dict[Any, str]:
    if units is None:
        return {}
    if not isinstance(units, Mapping) or not all(isinstance(unit, str) for unit in units.values()):
        raise ValueError(f"{path.name}: units = {units!r}; allowed: units by signal, such as {{'V': 'mV', 'I': 'pA'}}")
    for name, unit in units.items():
        if factor(VOLTAGE | CURRENT | DENSITY, unit) is None:
            raise ValueError(
                f"{path.name}: units[{name!r}] = {unit!r}; allowed: {', '.join(VOLTAGE | CURRENT | DENSITY)}"
            )
    return dict(units)


def _unit(signal: Signal, units: Mapping[Any, str], role: str) -> str:
    """The unit of a signal: as given for its name, for its role (V or I), or as the file has it."""
    return units.get(signal.name) or units.get(role) or signal.unit


def inventory(found: FileSweep) -> str:
    """What a sweep holds, in words, for a message that asks for a choice."""
    recorded = [f"{x.number}: {x.name!r} ({x.unit or 'no unit'})" for x in found.recorded]
    commanded = [f"{x.name!r} ({x.unit or 'no unit'})" for x in found.commanded]
    return f"it recorded {', '.join(recorded) or 'nothing'}" + (
        f"; it commanded {', '.join(commanded)}" if commanded else "; it commanded nothing"
    )


def _pick(where: str, signals: Sequence[Signal], choice: int | str, argument: str, found: FileSweep) -> Signal:
    """The signal of this number or name."""
    if isinstance(choice, str):
        fits = [x for x in signals if x.name == choice] or [x for x in signals if x.name.lower() == choice.lower()]
    elif isinstance(choice, (int, np.integer)) and not isinstance(choice, bool):
        fits = [x for x in signals if x.number == choice]
    else:
        fits = []
    if len(fits) == 1:
        return fits[0]
    near = difflib.get_close_matches(str(choice), [x.name for x in signals], 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    count = "more than one signal is called so" if fits else "no signal is called so"
    raise ValueError(f"{where}: {argument} = {choice!r}: {count};{hint} {inventory(found)}")


def _voltage(
    where: str, found: FileSweep, channel: int | str | None, units: Mapping[Any, str]
) -> tuple[Signal, list[str]]:
    """The signal that is V."""
    if channel is not None:
        return _pick(where, found.recorded, channel, "channel", found), []
    candidates = [x for x in found.recorded if factor(VOLTAGE, units.get(x.name) or x.unit)]
    if not candidates and "V" in units and len(found.recorded) == 1:
        candidates = list(found.recorded)
    free = [x for x in candidates if not _is_clamped(x, found)]
    if free:
        others = [x.name for x in free[1:]]
        more = [f"V is {free[0].name!r}, the first of several: channel= takes another ({', '.join(others)})"]
        return free[0], more if others else []
    if candidates or any(factor(CURRENT, x.unit) for x in found.recorded):
        raise ValueError(
            f"{where}: this is voltage clamp, in which V is a command: {inventory(found)}. Only current clamp can be "
            "read as a trace; if the cell was not clamped all the same, name V by channel= and I by current="
        )
    raise ValueError(
        f"{where}: no signal was recorded in a unit of voltage: {inventory(found)}. If the unit is wrong, "
        "name the right one: units={'V': 'mV', 'I': 'pA'}, or by the signal's name, and V by channel="
    )


def _is_clamped(signal: Signal, found: FileSweep) -> bool:
    """Whether the output that belongs to an input commands a voltage and no output commands a current."""
    if any(factor(CURRENT, x.unit) for x in found.commanded if x.number == signal.number):
        return False
    own = [x for x in found.commanded if x.number == signal.number]
    return any(factor(VOLTAGE, x.unit) for x in own) and not any(factor(CURRENT, x.unit) for x in found.commanded)


def _scaled(where: str, signal: Signal, table: Mapping[str, float], units: Mapping[Any, str], role: str) -> np.ndarray:
    """The samples of a signal in the unit of the trace."""
    unit = _unit(signal, units, role)
    scale = factor(table, unit)
    if scale is None:
        raise ValueError(
            f"{where}: {signal.name} is in {unit!r}; allowed for {role}: {', '.join(table)}. "
            f"If the file is wrong, name the right unit: units={{{signal.name!r}: {'mV' if role == 'V' else 'pA'!r}}}"
        )
    return np.asarray(signal.load(), dtype=float) * scale


def _current(
    where: str, found: FileSweep, V: Signal, current: Any, units: Mapping[Any, str]
) -> tuple[np.ndarray | str, str, _Current]:
    """I (n,) or the reason why there is none, its unit, and where it comes from."""
    if isinstance(current, str) and current == UNKNOWN:
        return f"{where}: I was not read, as current='unknown' asks; give it: {HOW_TO_GIVE}", "pA", _Current("I")
    if isinstance(current, Stimulus):
        given = current.current(found.t + 1e-6 * (found.t[1] - found.t[0]))
        window = (float(current.start), float(current.stop))
        return given, "pA", _Current("current", ("I was given as a stimulus, in pA",), window=window)
    if isinstance(current, float | np.floating):
        constant = np.full(len(found.t), float(current))
        return constant, "pA", _Current("current", (f"I was given as a constant, {current:g} pA",))
    if isinstance(current, np.ndarray | list | tuple):
        return np.asarray(current, dtype=float), "pA", _Current("current", ("I was given as samples, in pA",))
    if current is not None:
        signals = [*found.recorded, *found.commanded] if isinstance(current, str) else found.recorded
        signal = _pick(where, signals, current, "current", found)
        return _of_signal(where, signal, units, _Current(signal.name, (f"I is {signal.name!r}",), signal=signal))
    return _by_rule(where, found, V, units)


def _by_rule(
    where: str, found: FileSweep, V: Signal, units: Mapping[Any, str]
) -> tuple[np.ndarray | str, str, _Current]:
    """The current where none was asked for: the command, else what was recorded."""

    def currents(signals: Sequence[Signal]) -> list[Signal]:
        table = CURRENT | DENSITY
        return [x for x in signals if x is not V and factor(table, units.get(x.name) or x.unit)]

    commands, recorded = currents(found.commanded), currents(found.recorded)
    if not commands and not recorded and "I" in units and len(found.commanded) == 1:
        commands = list(found.commanded)
    usable = [x for x in commands if not x.why]
    if len(usable) > 1:
        usable = [x for x in usable if x.number == V.number] or usable
    if len(usable) > 1:
        raise ValueError(
            f"{where}: several commands are currents: {', '.join(repr(x.name) for x in usable)}; "
            "choose one by current="
        )
    if usable:
        command = usable[0]
        source = _Current(command.name, (f"I is the command {command.name!r}",), signal=command)
        I, unit, source = _of_signal(where, command, units, source)
        differences = [] if isinstance(I, str) else _differences(where, I, unit, recorded, units, command)
        return I, unit, _Current(source.name, source.notes, tuple(differences), signal=command)
    if len(recorded) == 1:
        why = f", as {commands[0].why}" if commands else ", as the file holds no command"
        said = (f"I is {recorded[0].name!r}, which was recorded{why}",)
        return _of_signal(where, recorded[0], units, _Current(recorded[0].name, said, signal=recorded[0]))
    if len(recorded) > 1:
        names = ", ".join(repr(x.name) for x in recorded)
        raise ValueError(f"{where}: several currents were recorded: {names}; choose one by current=")
    missing = next((x.why for x in commands if x.why), "") or "no protocol in this file"
    reason = f"{where}: {missing}: give the current yourself: {HOW_TO_GIVE}"
    return reason, "pA", _Current("I", (f"{missing}: V alone was read",))


def _of_signal(
    where: str, signal: Signal, units: Mapping[Any, str], source: _Current
) -> tuple[np.ndarray | str, str, _Current]:
    if signal.why:
        raise ValueError(f"{where}: {signal.name}: {signal.why}. Give the current yourself: {HOW_TO_GIVE}")
    unit = _unit(signal, units, "I")
    table = DENSITY if factor(DENSITY, unit) else CURRENT
    return _scaled(where, signal, table, units, "I"), "µA/cm²" if table is DENSITY else "pA", source


def _differences(
    where: str, I: np.ndarray, unit: str, recorded: Sequence[Signal], units: Mapping[Any, str], command: Signal
) -> list[str]:
    """In words, where a recorded current is not what was commanded."""
    said = []
    for signal in recorded:
        measured = _scaled(where, signal, CURRENT, units, signal.name)
        if unit != "pA" or len(measured) != len(I):
            continue
        bounds = [0, *(np.flatnonzero(np.diff(I)) + 1).tolist(), len(I)]
        if len(bounds) > 1000:  # a wave: as a whole
            worst, at = float(np.sqrt(np.mean((measured - I) ** 2))), 0
        else:
            runs = [(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True) if b - a >= 5] or [(0, len(I))]
            parts = [(a + (b - a) // 5, b - (b - a) // 5) for a, b in runs]
            gaps = [abs(float(np.median(measured[a:b])) - float(I[a])) for a, b in parts]
            at = parts[int(np.argmax(gaps))][0]
            worst = max(gaps)
        if worst > max(LEAST_DIFFERENCE, DIFFERENCE * float(np.ptp(I))):
            said.append(
                f"the recorded current {signal.name!r} differs from the command by up to {worst:.3g} pA (sample {at}); "
                f"I is the command {command.name!r}: current={signal.name!r} takes what was recorded"
            )
    return said


def _check_finite(where: str, name: str, values: np.ndarray) -> None:
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{where}: {name} has shape {values.shape}; needed: one number per sample")
    finite = np.isfinite(values)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(f"{where}: {name} is {values[first]} at sample {first}: every sample must be finite")


def _check_voltage(where: str, signal: Signal, V: np.ndarray) -> None:
    """No membrane potential is beyond ±1000 mV, and none stays within a millivolt of 0."""
    largest = float(np.abs(V).max())
    hint = f"Is its unit right? units={{{signal.name!r}: 'V'}} names another"
    if largest > 1000.0:
        raise ValueError(f"{where}: V reaches ±{largest:g} mV; allowed: up to 1000 mV. {hint}")
    if 0.0 < largest < 1.0:
        raise ValueError(f"{where}: V stays within ±{largest:.3g} mV, which no membrane potential does. {hint}")


def _check_current(where: str, name: str, I: np.ndarray, unit: str) -> None:
    """No cell takes more than 10 µA, and nobody injects less than a femtoampere."""
    largest = float(np.abs(I).max())
    most, least = (1e7, 1e-3) if unit == "pA" else (1e6, 1e-9)
    if largest > most or 0.0 < largest < least:
        raise ValueError(
            f"{where}: {name} reaches {largest:.3g} {unit}, which no cell is given; allowed: 0, or from {least:g} to "
            f"{most:g} {unit}. Is its unit right? units={{{name!r}: 'nA'}} names another"
        )


def _window(
    contents: Contents,
    sweep: int,
    found: FileSweep,
    steps: tuple[Step, ...],
    source: _Current,
    start: float | None,
    stop: float | None,
    units: Mapping[Any, str],
    known: dict[int, tuple[Step, ...]],
) -> tuple[float, float]:
    """Start and stop [ms] as given, as the file says, or of the main step; else of the whole sweep."""
    if (start is None) != (stop is None):
        raise ValueError(f"{contents.path.name}: start = {start}, stop = {stop} ms; give both or neither")
    if start is not None and stop is not None:
        return start, stop
    if source.window or found.window:
        return source.window or found.window  # type: ignore[return-value]
    alike = contents.alike(sweep) if contents.alike else range(contents.n_sweeps)
    if source.signal:
        for k in alike:
            if k not in known:
                known[k] = steps if k == sweep else _steps_of(contents, k, source, units)
    window = main_window(steps, [known[k] for k in alike] if all(k in known for k in alike) else [steps])
    dt = float(found.t[-1] - found.t[0]) / (len(found.t) - 1)
    whole = (float(found.t[0]), float(found.t[-1]) + dt)
    if window is None or window[1] > whole[1] + 1e-6 * dt:
        return whole
    return window


def _steps_of(contents: Contents, sweep: int, source: _Current, units: Mapping[Any, str]) -> tuple[Step, ...]:
    """The steps of another sweep in the signal that is I; none where it cannot be read."""
    try:
        found = contents.sweep(sweep)
        signals = [x for x in (*found.recorded, *found.commanded) if x.name == source.name and not x.why]
        if len(signals) != 1:
            return ()
        I, *_ = _of_signal(contents.path.name, signals[0], units, _Current(source.name))
        return find_steps(found.t, I) if len(I) == len(found.t) else ()  # type: ignore[arg-type]
    except ValueError:
        return ()
