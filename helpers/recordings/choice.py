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
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from helpers.simulation.stimuli import Stimulus
from helpers.simulation.trace import Trace
from helpers.validation import did_you_mean

from .contents import Contents, FileSweep, Signal
from .conversion import (
    CURRENT,
    DENSITY,
    VOLTAGE,
    check_even,
    check_index,
    factor,
    make_trace,
)
from .steps import Step, doubts, find_steps, main_window
from .units import check_current, check_finite, check_voltage, checked_units, relabelled, scaled, unit_of

__all__ = ["UNKNOWN", "Chosen", "check_names", "choose", "inventory", "sweep_number"]

UNKNOWN = "unknown"  # current="unknown": V alone
DIFFERENCE = 0.05  # of the span of the command: a recorded current that differs by more is spoken of
LEAST_DIFFERENCE = 5.0  # pA
ZEROS = 10.0  # ms; a potential that jumps to exactly 0 and stays there for longer to the end was not recorded
LEAST_JUMP = 10.0  # mV
MOST_COMPARED = 12  # sweeps that the main step is told from
USUAL_DT = (0.001, 1.0)  # ms
FEW = 100  # samples; a table that is shorter is an example, of which no interval is expected
HIGHEST_CLAMP = 300.0  # mV; an output that commands more drives something else than a cell


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
    found
        What the file holds of the sweep.
    """

    trace: Trace
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    V: Signal
    I: str
    found: FileSweep


def choose(
    contents: Contents,
    sweep: int | str = 0,
    *,
    channel: int | str | None = None,
    current: Any = None,
    start: float | None = None,
    stop: float | None = None,
    units: Mapping[Any, str | float] | None = None,
    known: dict[int, tuple[Step, ...]] | None = None,
) -> Chosen:
    """Make a sweep of an opened file into a `Trace`; the arguments are those of `helpers.recordings.read`.

    known: the steps of sweeps that were looked at before with the same arguments, to which new ones are added.
    """
    path = contents.path
    sweep = sweep_number(contents, sweep)
    units = checked_units(path, units)
    found = relabelled(contents.sweep(sweep), units)
    where = f"{path.name}, sweep {sweep}"
    check_even(path, found.t)
    try:
        V_signal, notes = _voltage(where, found, channel, units)
    except ValueError as error:
        raise ValueError(f"{error}{_other_protocols(contents, sweep)}") from None
    others = tuple(notes)
    V = scaled(where, V_signal, VOLTAGE, units, "V")
    if len(V) != len(found.t):
        raise ValueError(f"{where}: {V_signal.name} has {len(V)} samples, its times {len(found.t)}")
    I, unit, more = _current(where, found, V_signal, current, units)
    notes += [*more.notes]
    warnings = [*found.warnings, *more.warnings]
    if not isinstance(I, str) and I.shape != V.shape:
        raise ValueError(
            f"{where}: {V_signal.name} has {len(V)} samples but {more.name} {len(I) if I.ndim == 1 else I.shape}; they "
            f"must be sampled alike. Give the current yourself: {HOW_TO_GIVE}"
        )
    end, cut = _end(found.t, V_signal.name, V, more.name, I)
    if end < 2:
        raise ValueError(f"{where}: {V_signal.name} or {more.name} has numbers in {end} sample(s); needed: 2 or more")
    found, V, I = replace(found, t=found.t[:end]), V[:end], I if isinstance(I, str) else I[:end]
    warnings += cut
    check_finite(where, V_signal.name, V)
    warnings += _check_interval(found.t)
    try:
        warnings += check_voltage(where, V_signal, V, units)
    except ValueError as error:
        raise ValueError("; ".join([str(error), *others])) from None
    steps: tuple[Step, ...] = ()
    if not isinstance(I, str):
        check_finite(where, more.name, I)
        warnings += check_current(where, more.name, more.signal, I, unit, units)
        steps = find_steps(found.t, I)
    window = _window(contents, sweep, found, steps, more, start, stop, units, {} if known is None else known)
    trace = make_trace(path, found.t, V, I, window, unit)
    told = start is not None or found.window is not None or (not steps and (found.gap_free or not _is_whole(trace)))
    if more.signal and trace.has_current and not told:
        warnings += doubts(found.t, trace.I, steps)
    source = more.notes[0] if more.notes else "I is unknown"
    return Chosen(trace, steps, (*contents.notes, *found.notes, *notes), tuple(warnings), V_signal, source, found)


def sweep_number(contents: Contents, sweep: int | str) -> int:
    """Return the number of a sweep, given by number or by the file's name for it."""
    if not isinstance(sweep, str) or not contents.names:
        return check_index(contents.path, "sweep", sweep, contents.n_sweeps)  # type: ignore[arg-type]
    if contents.names.count(sweep) != 1:
        names = ", ".join(contents.names[:20]) + (", ..." if len(contents.names) > 20 else "")
        raise ValueError(f"{contents.path.name} has no sweep {sweep!r}; it has {names}")
    return contents.names.index(sweep)


def _other_protocols(contents: Contents, sweep: int) -> str:
    """In words, a sweep of each of the other protocols that a file holds, by name."""
    if not contents.alike or not contents.names:
        return ""
    left = set(range(contents.n_sweeps)) - set(contents.alike(sweep))
    others: list[int] = []
    while left and len(others) < 10:
        others.append(min(left))
        left -= {others[-1], *contents.alike(others[-1])}
    names = ", ".join(repr(contents.names[k]) for k in others)
    return f". The file holds other series: sweep={names}{', ...' if left else ''}" if others else ""


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


def inventory(found: FileSweep) -> str:
    """What a sweep holds, in words, for a message that asks for a choice."""
    recorded = [f"{x.number}: {x.name!r} ({', '.join([x.unit or 'no unit', *x.also])})" for x in found.recorded]
    commanded = [f"{x.name!r} ({x.unit or 'no unit'})" for x in found.commanded]
    return f"it recorded {', '.join(recorded) or 'nothing'}" + (
        f"; it commanded {', '.join(commanded)}" if commanded else "; it commanded nothing"
    )


def check_names(name_of_file: str, found: FileSweep, units: Mapping[Any, Any] | None) -> None:
    """Raise ValueError if `units` names a signal that the sweep does not have: it would change nothing."""
    known = {name for x in (*found.recorded, *found.commanded) for name in (x.name, *x.also)} | {"V", "I", "t"}
    for name, unit in (units or {}).items():
        of_time = isinstance(unit, str) and factor(VOLTAGE | CURRENT | DENSITY, unit) is None  # a column, not a signal
        if isinstance(name, str) and name not in known and not of_time:
            near = did_you_mean(name, known)
            raise ValueError(
                f"{name_of_file}: units = {dict(units or {})!r}: no signal is called {name!r}{near}; "
                f"{inventory(found)}"
            )


def _pick(where: str, signals: Sequence[Signal], choice: int | str, argument: str, found: FileSweep) -> Signal:
    """The signal of this number or name."""
    if isinstance(choice, str):
        fits = [x for x in signals if x.name == choice] or [x for x in signals if choice in x.also]
        fits = fits or [x for x in signals if x.name.lower() == choice.lower()]
    elif isinstance(choice, (int, np.integer)) and not isinstance(choice, bool):
        fits = [x for x in signals if x.number == choice]
    else:
        fits = []
    if len(fits) == 1:
        return fits[0]
    near = difflib.get_close_matches(str(choice), [name for x in signals for name in (x.name, *x.also)], 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    count = "more than one signal is called so" if fits else "no signal is called so"
    constant = _constant(argument, choice)
    raise ValueError(f"{where}: {argument} = {choice!r}: {count};{hint} {inventory(found)}{constant}")


def _constant(argument: str, choice: int | str) -> str:
    """In words, how a constant current is given by those who gave an integer."""
    if argument != "current" or isinstance(choice, str):
        return ""
    return f". An integer is the number of a signal; a constant current is a float: current={choice}.0"


def _voltage(
    where: str, found: FileSweep, channel: int | str | None, units: Mapping[Any, str | float]
) -> tuple[Signal, list[str]]:
    """The signal that is V."""
    if channel is not None:
        return _pick(where, found.recorded, channel, "channel", found), []
    candidates = [x for x in found.recorded if factor(VOLTAGE, unit_of(x, units))]
    if not candidates and "V" in units and len(found.recorded) == 1:
        candidates = list(found.recorded)
    free = [x for x in candidates if not _is_clamped(x, found)]
    free.sort(key=lambda x: factor(VOLTAGE, unit_of(x, units, "V")) == 1e3)  # triggers and the like; cells are in mV
    if free:
        others = [x.name for x in free[1:]]
        more = [f"V is {free[0].name!r}, the first of several: channel= takes another ({', '.join(others)})"]
        return free[0], more if others else []
    clamped = any(factor(VOLTAGE, x.unit) for x in found.commanded if not x.on_request)
    if candidates or (clamped and any(factor(CURRENT, x.unit) for x in found.recorded)):
        raise ValueError(
            f"{where}: this is voltage clamp, in which V is a command: {inventory(found)}. Only current clamp can be "
            f"read as a trace; if the cell was not clamped all the same, {_how_to_unclamp(found)}"
        )
    name = found.recorded[0].name if found.recorded else "V"
    raise ValueError(
        f"{where}: no signal was recorded in a unit of voltage: {inventory(found)}. If the unit is wrong, "
        f"name the right one: units={{{name!r}: 'mV'}}, or units={{'V': 'mV', 'I': 'pA'}}, and V by channel="
        + ("" if found.commanded else ". There is no protocol in this file: give the current yourself, too: current=")
    )


def _how_to_unclamp(found: FileSweep) -> str:
    """The arguments that make current clamp of what looks like voltage clamp."""
    commanded = [x for x in found.commanded if not x.on_request and factor(VOLTAGE, x.unit)]
    if commanded and not any(factor(CURRENT, x.unit) for x in found.recorded):
        name = commanded[0].name
        return (
            f"the unit of its command is wrong: units={{{name!r}: 'pA'}} names the right one, "
            f"units={{{name!r}: 'pA', 'I': 20.0}} multiplies it by 20, too; channel= reads V alone"
        )
    return "name V by channel= and I by current="


def _is_clamped(signal: Signal, found: FileSweep) -> bool:
    """Whether a recorded potential is that of a voltage clamp: no output commands a current, and one a potential.

    It is the output of this input, or one under which a current was recorded: what was recorded is the command then.
    """
    commanded = [x for x in found.commanded if not x.on_request]
    if any(factor(CURRENT, x.unit) for x in commanded):
        return False
    return any(
        _holds_potential(x) and (x.number == signal.number or _records_current(x, found)) for x in commanded
    )


def _records_current(output: Signal, found: FileSweep) -> bool:
    return any(x.number == output.number and factor(CURRENT, x.unit) for x in found.recorded)


def _holds_potential(output: Signal) -> bool:
    """Whether an output commands a potential that a cell can be held at; 0 mV throughout is an output not in use."""
    scale = factor(VOLTAGE, output.unit)
    if not scale:
        return False
    return bool(output.why) or 0.0 < float(np.abs(output.load()).max()) * scale <= HIGHEST_CLAMP


def _flows_under_clamp(signal: Signal, found: FileSweep) -> bool:
    """Whether a recorded current is that of another cell, under voltage clamp: its own output holds a potential."""
    own = [x for x in found.commanded if x.number == signal.number and not x.on_request]
    return any(_holds_potential(x) for x in own)


def _current(
    where: str, found: FileSweep, V: Signal, current: Any, units: Mapping[Any, str | float]
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
        if signal is V:
            raise ValueError(
                f"{where}: current = {current!r} is V itself; {inventory(found)}{_constant('current', current)}"
            )
        return _of_signal(where, signal, units, _Current(signal.name, (f"I is {signal.name!r}",), signal=signal))
    return _by_rule(where, found, V, units)


def _by_rule(
    where: str, found: FileSweep, V: Signal, units: Mapping[Any, str | float]
) -> tuple[np.ndarray | str, str, _Current]:
    """The current where none was asked for: the command, else what was recorded."""

    def currents(signals: Sequence[Signal]) -> list[Signal]:
        table = CURRENT | DENSITY
        return [x for x in signals if x is not V and factor(table, unit_of(x, units))]

    commands = [x for x in currents(found.commanded) if not x.on_request]
    recorded = [x for x in currents(found.recorded) if not _flows_under_clamp(x, found)]
    if not commands and not recorded and "I" in units and len(found.commanded) == 1:
        commands = list(found.commanded)
    usable = [x for x in commands if not x.why]
    if len(own := [x for x in commands if x.number == V.number and not x.flat]) == 1:
        usable = [x for x in own if not x.why]  # its own waveform, or none, but no other output's
    elif len(usable) > 1:
        usable = _one_of_several(where, usable, V, found)
    if usable:
        command = usable[0]
        source = _Current(command.name, (f"I is the command {command.name!r}",), signal=command)
        I, unit, source = _of_signal(where, command, units, source)
        differences = [] if isinstance(I, str) else _differences(where, I, unit, recorded, units, command)
        others = [f"{x.name!r} was recorded, too: current={x.name!r} takes it" for x in recorded]
        notes = (*source.notes, *([] if differences else others))
        return I, unit, _Current(source.name, notes, tuple(differences), signal=command)
    if len(recorded) == 1:
        why = f", as {commands[0].why}" if commands else ", as the file holds no command"
        said = (f"I is {recorded[0].name!r}, which was recorded{why}",)
        return _of_signal(where, recorded[0], units, _Current(recorded[0].name, said, signal=recorded[0]))
    if len(recorded) > 1:
        names = ", ".join(repr(x.name) for x in recorded)
        raise ValueError(f"{where}: several currents were recorded: {names}; choose one by current=")
    if untold := next((x for x in commands if x.why and x.needed), None):
        raise ValueError(
            f"{where}: {untold.name}: {untold.why}. Give the current yourself: {HOW_TO_GIVE}; "
            "current='unknown' reads V alone"
        )
    odd = [f"the command {x.name!r} is in {x.unit!r}, not a current" for x in found.commanded if not x.why]
    missing = next((x.why for x in commands if x.why), "") or "; ".join(odd) or "no protocol in this file"
    reason = f"{where}: {missing}: give the current yourself: {HOW_TO_GIVE}"
    return reason, "pA", _Current("I", (f"{missing}: V alone was read",))


def _one_of_several(where: str, commands: list[Signal], V: Signal, found: FileSweep) -> list[Signal]:
    """Of several commanded currents the one that belongs to V, else the only one with a waveform."""
    waves = [x for x in commands if not x.flat]
    own = [x for x in commands if x.number == V.number]
    voltages = [x for x in found.recorded if factor(VOLTAGE, x.unit)]
    if len(waves) == 1 and (not own or len(voltages) == 1):
        return waves
    if len(own) == 1:
        return own
    raise ValueError(
        f"{where}: several commands are currents: {', '.join(repr(x.name) for x in commands)}; choose one by current="
    )


def _of_signal(
    where: str, signal: Signal, units: Mapping[Any, str | float], source: _Current
) -> tuple[np.ndarray | str, str, _Current]:
    if signal.why:
        raise ValueError(f"{where}: {signal.name}: {signal.why}. Give the current yourself: {HOW_TO_GIVE}")
    unit = unit_of(signal, units, "I")
    table = DENSITY if factor(DENSITY, unit) else CURRENT
    return scaled(where, signal, table, units, "I"), "µA/cm²" if table is DENSITY else "pA", source


def _differences(
    where: str, I: np.ndarray, unit: str, recorded: Sequence[Signal], units: Mapping[Any, str | float], command: Signal
) -> list[str]:
    """In words, where a recorded current is not what was commanded."""
    said = []
    for signal in recorded:
        measured = scaled(where, signal, CURRENT, units, signal.name)
        if unit != "pA" or len(measured) != len(I):
            continue
        at, worst = _largest_difference(np.nan_to_num(measured - I), I)
        if worst > max(LEAST_DIFFERENCE, DIFFERENCE * float(np.ptp(I))):
            said.append(
                f"the recorded current {signal.name!r} differs from the command by up to {worst:.3g} pA (sample {at}); "
                f"I is the command {command.name!r}: current={signal.name!r} takes what was recorded"
            )
    return said


def _end(t: np.ndarray, V_name: str, V: np.ndarray, I_name: str, I: np.ndarray | str) -> tuple[int, list[str]]:
    """How many samples are left when what programs fill up a stopped sweep with is cut off, and that in words."""
    end, said = len(V), []
    for name, values in ((V_name, V), (I_name, I)):
        known = np.flatnonzero(np.isfinite(values)) if isinstance(values, np.ndarray) else np.arange(end)
        if len(known) and known[-1] + 1 < end:
            end = int(known[-1]) + 1
            said = [f"{name} is not a number from {t[end]:.6g} ms on: the sweep was cut off there"]
    last = int(np.flatnonzero(V[:end])[-1]) if np.any(V[:end]) else end - 1
    if t[end - 1] - t[last] > ZEROS and abs(V[last]) > LEAST_JUMP:
        end = last + 1
        said = [f"{V_name} is exactly 0 mV from {t[end]:.6g} ms on, as in a stopped sweep: it was cut off there"]
    return end, said


def _largest_difference(gap: np.ndarray, I: np.ndarray) -> tuple[int, float]:
    """Where a measured current is furthest from the command, and by how much beyond its noise, in means of 20 samples.

    The first and last fifth of each level are left out: there the electrode is charged.
    """
    bounds = [0, *(np.flatnonzero(np.diff(I)) + 1).tolist(), len(I)]
    if len(bounds) > 1000:  # a wave: as a whole
        return 0, float(np.sqrt(np.mean(gap**2)))
    noise = float(np.median(np.abs(np.diff(gap)))) / 0.954  # of a normal distribution: its SD
    at, worst = 0, 0.0
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        fifth = (last - first) // 5
        inner = gap[first + fifth : last - fifth]
        size = min(len(inner), 20)
        if size < 3:
            continue
        means = np.abs(inner[: len(inner) // size * size].reshape(-1, size).mean(axis=1))
        if (found := float(means.max()) - 6.0 * noise / size**0.5) > worst:
            at, worst = first + fifth + size * int(means.argmax()), found
    return at, worst


def _check_interval(t: np.ndarray) -> list[str]:
    """In words, that samples are too far apart for spikes, or closer than any amplifier takes them."""
    dt = float(t[-1] - t[0]) / (len(t) - 1)
    if len(t) < FEW or USUAL_DT[0] * (1 - 1e-6) <= dt <= USUAL_DT[1] * (1 + 1e-6):
        return []
    why = "too far for spikes, which last about 1 ms" if dt > USUAL_DT[1] else "closer than recordings are sampled"
    unit = "ms" if dt > USUAL_DT[1] else "s"
    return [
        f"samples are {dt:g} ms apart, {why}. Is the unit of time right? In text and Igor files "
        f"units={{'t': {unit!r}}} names another"
    ]


def _window(
    contents: Contents,
    sweep: int,
    found: FileSweep,
    steps: tuple[Step, ...],
    source: _Current,
    start: float | None,
    stop: float | None,
    units: Mapping[Any, str | float],
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
    compared = _spread(alike, sweep)
    if source.signal:
        for k in compared:
            looked = () if k in known else steps if k == sweep else _steps_of(contents, k, source, found, units)
            if k not in known and looked is not None:
                known[k] = looked
    window = main_window(steps, [known[k] for k in compared if k in known] if sweep in known else [steps])
    dt = float(found.t[-1] - found.t[0]) / (len(found.t) - 1)
    whole = (float(found.t[0]), float(found.t[-1]) + dt)
    if window is None or window[1] > whole[1] + 1e-6 * dt:
        return whole
    return window


def _is_whole(trace: Trace) -> bool:
    """Whether the window of the stimulus is the whole sweep, as it is where no step is known."""
    return trace.stop - trace.start > trace.t[-1] - trace.t[0]


def _spread(sweeps: Sequence[int], sweep: int) -> list[int]:
    """So many of the sweeps, evenly spread, that the step in which they differ shows: to read all takes too long."""
    chosen = np.unique(np.linspace(0, len(sweeps) - 1, MOST_COMPARED).round().astype(int))
    return sorted({sweeps[k] for k in chosen} | {sweep})


def _steps_of(
    contents: Contents, sweep: int, source: _Current, own: FileSweep, units: Mapping[Any, str | float]
) -> tuple[Step, ...] | None:
    """The steps of another sweep in the signal that is I; None where it cannot be read."""
    try:
        found = contents.sweep(sweep)
        usable = [x for x in (*found.recorded, *found.commanded) if not x.why]
        signals = [x for x in usable if x.name == source.name]
        if not signals and source.signal in own.commanded:  # its name may have the number of the sweep in it
            signals = [x for x in found.commanded if x in usable]
        if len(signals) != 1:
            return None
        I, *_ = _of_signal(contents.path.name, signals[0], units, _Current(source.name))
        if len(I) != len(found.t) or isinstance(I, str) or not np.isfinite(I).any():
            return None
        end = int(np.flatnonzero(np.isfinite(I))[-1]) + 1
        return find_steps(found.t[:end], I[:end])
    except ValueError:
        return None
