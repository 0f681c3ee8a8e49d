"""From a file to the sweeps that are fitted: what is there, which are taken, and what is said about it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers.recordings.choice import sweep_number
from helpers.recordings.passive import crop, passive_properties
from helpers.recordings.recording import Recording
from helpers.recordings.steps import Step, find_steps, split_at
from helpers.simulation.trace import Trace

from .instrument import HIGHEST_CUTOFF
from .sweeps import DT, MIN_SWEEPS, CellSweep, Measurement, cell_sweep, spikes_before
from .unknowns import Membrane, membrane_of_step

__all__ = ["Cell", "cell_of"]

DRIFT = 4.0  # mV, by which the rest of sweeps of one cell may differ
SHORTEST = 20.0  # ms, of a step and of the rest before it: less does not show how the membrane charges
RECOVERED = 100.0  # ms after an earlier step from which V counts as rest, where there is as much
WINDOWS = (100.0, 50.0, 25.0)  # ms of a hyperpolarising step that passive properties are taken from, as long as can be
BLOCKED = 5.0  # mV above the threshold, at which a cell that has stopped firing is in depolarisation block
SILENT = -40.0  # mV at which a cell that has not fired at all is
SAME = (1.0, 0.01)  # pA, and share of the amplitude, by which the current of repeats may differ


@dataclass(frozen=True)
class Cell:
    """A cell as it is fitted.

    Parameters
    ----------
    source
        Name of the file, or "traces".
    fitted, held_out
        The sweeps.
    membrane
        Area, input resistance and time constant.
    measurement
        What is assumed of the measurement.
    notes
        What was found, chosen and assumed, in sentences.
    """

    source: str
    fitted: tuple[CellSweep, ...]
    held_out: tuple[CellSweep, ...]
    membrane: Membrane
    measurement: Measurement
    notes: tuple[str, ...]

    def words(self) -> str:
        """Return what was found, chosen and assumed."""
        membrane = self.membrane
        lines = [
            f"{self.source}: fitted {_listed(self.fitted)}; held out {_listed(self.held_out) or 'none'}",
            f"membrane: {membrane.area:.3g} cm² at 1 µF/cm², R_in {membrane.R_in:.4g} MΩ, tau {membrane.tau_m:.3g} ms "
            f"({membrane.words})",
            f"assumed: junction potential {self.measurement.junction_potential:g} mV, subtracted; "
            f"{_filter_in_words(self.measurement.low_pass)}",
            *self.notes,
        ]
        return "\n".join(lines)


def cell_of(
    source: Any,
    sweeps: Sequence[int | str] | None,
    held_out: Sequence[int | str] | None,
    measurement: Measurement,
    reading: Mapping[str, Any],
) -> Cell:
    """Read a cell, and choose what is fitted and what is held out. See `fit_cell`."""
    if isinstance(source, str | Path):
        source = Recording(source, **reading)
    elif reading:
        raise ValueError(f"{', '.join(reading)}: allowed with a file only; this source has been read already")
    found = _from_recording(source) if isinstance(source, Recording) else _from_traces(source)
    if not found.usable:
        reasons = "; ".join(f"{found.kind} {key} {why}" for key, why in list(found.left_out.items())[:5])
        raise ValueError(
            f"{found.name}: nothing can be fitted without a sweep with one constant step of {SHORTEST:g} ms or more, "
            f"after as much rest: {reasons}. In a file, start= and stop= say where the step is"
        )
    known = {
        key: cell_sweep(f"{found.kind} {key}", trace, holding, measurement)
        for key, (trace, holding) in found.usable.items()
    }
    notes = [f"{found.kind} {key} {why}: left out" for key, why in found.left_out.items()] + found.notes
    chosen, tests = found.wanted("sweeps", sweeps), found.wanted("held_out", held_out)
    if common := set(chosen or ()) & set(tests or ()):
        names = ", ".join(known[key].name for key in sorted(common))
        raise ValueError(f"held_out: {names} is fitted as well; a test needs a sweep that the fit has not seen")
    if chosen is None:
        steady, words = _without_doubts({key: sweep for key, sweep in known.items() if key not in (tests or ())})
        notes += words
        chosen = _default(steady)
    else:
        notes += [f"{known[key].name} {why}" for key in chosen if (why := _doubt(known[key]))]
    chosen, again = _without_repeats(known, chosen)
    notes += [f"{known[key].name} repeats {known[same].name}: it tells how far that is known" for key, same in again]
    if tests is None:
        tests = _default_test(known, chosen)
    fitted = []
    for key in chosen:
        sweep = known[key]
        others = [k for k in known if k != key and k not in tests and _same_step(known[k], sweep)]
        others = [k for k in others if bool(_doubt(known[k])) == bool(_doubt(sweep))]
        if len(others) + 1 >= MIN_SWEEPS:
            trace, holding = found.usable[key]
            sweep = cell_sweep(sweep.name, trace, holding, measurement, [found.usable[k][0] for k in others])
            notes.append(f"{sweep.name}: known up to what {len(others) + 1} sweeps with its step differ by")
        fitted.append(sweep)
    held = [known[key] for key in tests]
    notes += _remarks(fitted, held)
    membrane = found.membrane or membrane_of_step(_for_membrane(list(known.values())))
    return Cell(found.name, tuple(fitted), tuple(held), membrane, measurement, tuple(notes))


@dataclass
class _Found:
    """What a source holds: for each sweep its trace and holding current, or why it cannot be used, as a predicate."""

    name: str
    kind: str  # "sweep" or "trace"
    count: int
    number_of: Callable[[Any], int]
    usable: dict[int, tuple[Trace, float]] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    membrane: Membrane | None = None
    notes: list[str] = field(default_factory=list)

    def add(self, key: int, trace: Trace, main: Step | None, before: Sequence[Step], base: float) -> None:
        """Take a sweep, or say why not."""
        trace, why = _usable(trace, main, before)
        if why:
            self.left_out[key] = why
        else:
            self.usable[key] = trace, base

    def wanted(self, argument: str, wanted: Any) -> list[int] | None:
        """Return the numbers of the sweeps that are asked for, each once."""
        if wanted is None:
            return None
        if isinstance(wanted, str | int) or not hasattr(wanted, "__iter__"):
            raise ValueError(f"{argument} = {wanted!r}; allowed: several, such as [0, 8]")
        keys = list(dict.fromkeys(self._number(argument, one) for one in wanted))
        if not keys and argument == "sweeps":
            raise ValueError("sweeps = []; allowed: at least one, or None for a choice by what they show")
        for key in keys:
            if key in self.left_out:
                usable = ", ".join(map(str, self.usable))
                raise ValueError(
                    f"{self.name}, {argument}: {self.kind} {key} {self.left_out[key]}; those that can be fitted: "
                    f"{usable}"
                )
        return keys

    def _number(self, argument: str, one: Any) -> int:
        number = self.number_of(one)
        if number not in self.usable and number not in self.left_out:
            raise ValueError(
                f"{self.name}, {argument}: {self.kind} {one!r} is not among the {self.count} {self.kind}s: "
                f"{', '.join(map(str, sorted({**self.usable, **self.left_out})))}"
            )
        return number


def _usable(trace: Trace, main: Step | None, before: Sequence[Step]) -> tuple[Trace, str]:
    """Return the trace from rest to its end with the window of its main step, or why it cannot be fitted."""
    if main is None:
        return trace, "has no step of current"
    if not main.amplitude:
        return trace, "has a step of 0 pA"
    if not main.constant:
        return trace, "has a current that is not constant"
    if main.stop - main.start < SHORTEST:
        return trace, f"has a step of {main.stop - main.start:.3g} ms, shorter than {SHORTEST:g} ms"
    end = max((step.stop for step in before), default=float(trace.t[0]))
    rest = main.start - end
    if rest < SHORTEST:
        return trace, f"has {max(rest, 0.0):.3g} ms of rest before the step, less than {SHORTEST:g} ms"
    if before:  # V is still on its way back from the step before
        end = min(end + RECOVERED, main.start - SHORTEST)
        trace = crop(trace, end, float(trace.t[-1]))
    return trace, ""


def _from_recording(recording: Recording) -> _Found:
    name = recording.path.name
    unit = recording.steps.unit
    if unit != "pA":
        raise ValueError(
            f"{name}: the current is in {unit or 'no unit'}; needed: pA, in current clamp. If the file does not hold "
            "the current, give it: fit_cell(..., current=...)"
        )
    found = _Found(name, "sweep", recording.n_in_file, lambda one: sweep_number(recording.contents, one))
    found.notes += [f"quality, {finding.name}: {finding.words}" for finding in recording.quality().to_look_at]
    found.left_out |= {key: f"cannot be read: {why}" for key, why in recording.refused.items()}
    for row in recording.steps:
        if row.base is None:
            found.left_out[row.sweep] = "has a current that nobody knows: give it, current=..."
        else:
            found.add(row.sweep, recording.trace(row.sweep), row.main, row.before, row.base)
    tried = list[str]()
    for window in WINDOWS:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                passive = passive_properties(recording, window)
        except ValueError as error:
            tried.append(str(error))
            continue
        found.notes += [str(one.message) for one in caught]
        found.membrane = _measured(passive.area, passive.R_in, passive.tau_m, "all hyperpolarising steps", window)
        break
    else:
        found.notes.append(f"no passive properties: {tried[0]}")
    return found


def _from_traces(source: Any) -> _Found:
    traces = [source] if isinstance(source, Trace) else list(source) if isinstance(source, Sequence) else None
    if not traces or not all(isinstance(one, Trace) for one in traces):
        raise ValueError(f"source is of type {type(source).__name__}; allowed: a file, a Recording, a Trace or several")
    found = _Found("traces", "trace", len(traces), lambda number: number)
    for k, trace in enumerate(traces):
        _check_units(k, trace)
        before = trace.I[trace.t < trace.start - 0.5 * trace.dt]
        base = float(np.median(before)) if len(before) else 0.0
        main, earlier, _ = split_at(find_steps(trace.t, trace.I), (trace.start, trace.stop), base)
        found.add(k, trace, main, earlier, base)
    fits = list[tuple[float, float, float, float]]()
    for key, (trace, _) in found.usable.items():
        for window in WINDOWS:
            if trace.stop - trace.start < window:
                continue
            try:
                passive = passive_properties(trace, window)
            except ValueError as error:
                if "negative" not in str(error):
                    found.notes.append(f"trace {key}, first {window:g} ms: no passive properties: {error}")
                continue
            fits.append((passive.area, passive.R_in, passive.tau_m, window))
            break
    if fits:
        area, R_in, tau_m, window = np.median(fits, axis=0)
        words = f"{len(fits)} hyperpolarising step{'s'[: len(fits) - 1]}"
        found.membrane = _measured(float(area), float(R_in), float(tau_m), words, float(window))
    return found


def _measured(area: float, R_in: float, tau_m: float, steps: str, window: float) -> Membrane:
    """The membrane that hyperpolarising steps show; what lasts less than two time constants shows it roughly."""
    brief = window < 2.0 * tau_m
    words = f"from the first {window:g} ms of {steps}{', little for such a time constant: rough' if brief else ''}"
    return Membrane(area, R_in, tau_m, words, measured=not brief)


def _check_units(k: int, trace: Trace) -> None:
    if trace.I_unit != "pA" or not trace.has_current:
        raise ValueError(f"trace {k}: I is in {trace.I_unit if trace.has_current else 'no unit'}; needed: the injected "
                         "current in pA")  # fmt: skip
    highest, most = float(np.abs(trace.V).max()), float(np.ptp(trace.I))
    if highest < 1.0:
        raise ValueError(f"trace {k}: V stays within ±{highest:.3g} mV: in volts? needed: mV, 1000 times as much")
    if highest > 1000.0:
        raise ValueError(f"trace {k}: V reaches ±{highest:.3g} mV: in µV? needed: mV")
    if 0.0 < most < 1.0:
        raise ValueError(f"trace {k}: I changes by {most:.3g} pA, which moves no membrane: in nA? needed: pA")
    if most > 5e4:
        raise ValueError(f"trace {k}: I changes by {most:.3g} pA, which no cell takes: in fA? needed: pA")


def _doubt(sweep: CellSweep) -> str:
    """What speaks against fitting a sweep, as a predicate; "" for nothing."""
    trace = sweep.trace
    times = trace.spike_times
    if early := spikes_before(trace):
        return f"fires in the 100 ms before the step ({early} of its spikes): its first latency says little"
    V = sweep.value("V_steady")
    late = ((times > trace.stop - 0.25 * sweep.length) & (times < trace.stop)).any()
    level = sweep.value("threshold") + BLOCKED if sweep.count else SILENT
    if not late and sweep.amplitude > 0.0 and level < V:
        return f"is in depolarisation block: {sweep.count} spikes, none at the end, where V is at {V:.0f} mV"
    return ""


def _without_doubts(known: Mapping[int, CellSweep]) -> tuple[dict[int, CellSweep], list[str]]:
    """The sweeps that a default may take, and why not the others. At least one is kept."""
    doubts = {key: why for key, sweep in known.items() if (why := _doubt(sweep))}
    kept = {key: sweep for key, sweep in known.items() if key not in doubts}
    if not kept:
        return dict(known), [f"{known[key].name} {why}: taken, as no other is better" for key, why in doubts.items()]
    words = [f"{known[key].name} {why}: left out" for key, why in doubts.items()]
    rests = {key: sweep.value("V_rest") for key, sweep in kept.items()}
    near = [[k for k in kept if 0.0 <= rests[k] - rests[key] <= DRIFT] for key in kept]
    steady = max(near, key=len)
    if len(steady) < len(kept):
        far = ", ".join(kept[key].name for key in kept if key not in steady)
        words.append(f"rest drifts from {min(rests.values()):.1f} to {max(rests.values()):.1f} mV: {far} left out")
    return {key: kept[key] for key in steady}, words


def _same_step(a: CellSweep, b: CellSweep) -> bool:
    slack = max(SAME[0], SAME[1] * abs(a.amplitude))
    return (
        abs(a.amplitude - b.amplitude) <= slack
        and abs(a.holding - b.holding) <= slack
        and abs(a.length - b.length) <= 1.0
        and abs(a.value("V_rest") - b.value("V_rest")) <= DRIFT
    )


def _without_repeats(known: Mapping[int, CellSweep], chosen: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """The first sweep of each step, and which sweeps repeat which: fitted together, they would count as new stimuli."""
    first, again = list[int](), list[tuple[int, int]]()
    for key in chosen:
        same = next((k for k in first if _same_step(known[k], known[key])), None)
        if same is None:
            first.append(key)
        else:
            again.append((key, same))
    return first, again


def _default(known: Mapping[int, CellSweep]) -> list[int]:
    """The strongest hyperpolarising step, and the weakest, a middle and the strongest step that fire."""
    different, _ = _without_repeats(known, list(known))
    by_current = sorted(different, key=lambda key: known[key].amplitude)
    firing = [key for key in by_current if known[key].count]
    down = [key for key in by_current if known[key].amplitude < 0.0 and not known[key].count]
    some = [firing[k] for k in sorted({0, len(firing) // 2, len(firing) - 1})] if firing else by_current[-1:]
    return list(dict.fromkeys([*down[:1], *some]))


def _default_test(known: Mapping[int, CellSweep], chosen: Sequence[int]) -> list[int]:
    """The one that fires most within the range of those that are fitted."""
    strongest = max(known[key].amplitude for key in chosen)
    rest = np.median([known[key].value("V_rest") for key in chosen])
    inside = [
        key
        for key, sweep in known.items()
        if sweep.count
        and sweep.amplitude < strongest
        and abs(sweep.value("V_rest") - rest) <= DRIFT
        and not _doubt(sweep)
        and key not in chosen
        and not any(_same_step(sweep, known[k]) for k in chosen)
    ]
    return [max(inside, key=lambda key: known[key].count)] if inside else []


def _for_membrane(sweeps: Sequence[CellSweep]) -> CellSweep:
    """The sweep that shows best how the membrane charges: a weak step without spikes, or the one with fewest."""
    return min(sweeps, key=lambda sweep: (sweep.count, abs(sweep.amplitude)))


def _remarks(fitted: Sequence[CellSweep], tests: Sequence[CellSweep]) -> list[str]:
    found = []
    if not any(sweep.count for sweep in fitted):
        found.append("no sweep fires: only the membrane can be inferred, nothing of the channels of the spike")
    if len(fitted) == 1:
        found.append(
            "one sweep is fitted: what parameters can be exchanged for each other stays open, and what the model "
            "cannot do at another current stays unseen; more steps help, a hyperpolarising one first"
        )
    if not tests:
        found.append("no sweep is held out: nothing tests the fit on what it has not seen")
    for test in tests:
        found += [f"{test.name} has the step of {one.name}: a weak test" for one in fitted if _same_step(test, one)]
    rests = [sweep.value("V_rest") for sweep in fitted]
    if np.ptp(rests) > DRIFT:
        found.append(f"rest differs by {np.ptp(rests):.1f} mV between the fitted sweeps: no one cell does that")
    lengths = {round(sweep.length) for sweep in fitted}
    if len(lengths) > 1:
        found.append(f"the steps last {', '.join(f'{length} ms' for length in sorted(lengths))}: different protocols")
    return found


def _listed(sweeps: Sequence[CellSweep]) -> str:
    return ", ".join(f"{sweep.name} ({sweep.amplitude:+.4g} pA, {sweep.count} spikes)" for sweep in sweeps)


def _filter_in_words(low_pass: float | None) -> str:
    if low_pass is None:
        return "no filter"
    beyond = ", too high to change simulations" if low_pass >= HIGHEST_CUTOFF / DT else ""
    return f"a filter at {low_pass:g} kHz{beyond}"
