"""Neurodata Without Borders (.nwb), version 2: current-clamp series and their stimuli."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .contents import Contents, FileSweep, Signal, absent
from .conversion import CURRENT, VOLTAGE, factor
from .hdf5 import file_version
from .nwb_series import Row, Series, open_nwb_file, read_samples, read_table, read_values, series_of
from .nwb_stimuli import commanded, find_stimuli, same_start

__all__ = ["open_nwb"]

V_KINDS = ("CurrentClampSeries", "IZeroClampSeries")
I_KIND = "CurrentClampStimulusSeries"
OTHER_KINDS = ("VoltageClampSeries", "VoltageClampStimulusSeries", "ElectricalSeries", "SpikeEventSeries")
NOTHING = ("", "n/a", "na", "none", "unknown", "not available", "no description", "no stimulus description")


@dataclass(frozen=True)
class _Sweep:
    """A response and what may be its stimulus."""

    response: Series
    stimuli: tuple[Series, ...]  # one, if the file tells which it is
    how: str  # the file tells it, if in a way that should be said
    currents: tuple[Series, ...]  # recorded at the same time
    others: tuple[int, ...]  # sweeps of other electrodes at the same time
    group: tuple  # sweeps of one protocol have the same


def open_nwb(path: Path) -> Contents:
    """Open a Neurodata Without Borders (NWB 2) file: each current-clamp series, or row of the table, is a sweep.

    Sweeps are counted in the order of their sweep numbers, then starting times, then names; `Contents.names` are those
    of the series, with the number of the row behind where several rows share one. A stimulus belongs to the sweep by
    the table of intracellular recordings, else by electrode and sweep number, starting time, or the number in its name.
    One that covers part of the sweep is completed by the level that is held outside, one at another rate is held
    between its samples, if all its edges are samples of V. Values are data times conversion plus offset, in the unit
    that the file gives. Where there is no CurrentClampSeries and no IZeroClampSeries, plain time series in a unit of
    voltage are taken. Raises ValueError, with the file's name, for a file that is damaged or not NWB 2.
    """
    version = file_version(path)
    sweeps, notes = _index(path, version)

    def sweep(k: int) -> FileSweep:
        if file_version(path) != version:
            raise ValueError(f"{path.name} has changed since it was opened; open it again")
        return _file_sweep(path, sweeps[k], [sweeps[other] for other in sweeps[k].others])

    def alike(k: int) -> Sequence[int]:
        return [i for i, one in enumerate(sweeps) if one.group == sweeps[k].group]

    return Contents(path, "NWB 2", len(sweeps), sweep, alike, _names(sweeps), notes)


@functools.lru_cache(maxsize=8)
def _index(path: Path, version: tuple[int, ...]) -> tuple[tuple[_Sweep, ...], tuple[str, ...]]:
    """All sweeps of this version of a file, and notes about the file: everything but the samples."""
    with open_nwb_file(path) as file:
        found = series_of(path, file)
        return _sweeps(path, list(found.values()), read_table(file, found))


def _sweeps(
    path: Path, series: Sequence[Series], rows: Sequence[Row]
) -> tuple[tuple[_Sweep, ...], tuple[str, ...]]:
    """The sweeps of a file, in order, and what was assumed in finding them."""
    stimuli = [one for one in series if _is_stimulus(one)]
    responses, notes = _responses(path, series)
    known = {one.data for one in responses}
    listed = {row.response.data for row in rows}
    parts = [row for row in rows if row.response.data in known]
    parts += [Row(one, None, None) for one in responses if one.data not in listed]
    parts.sort(key=lambda row: _order(row.response))
    all_responses = [row.response for row in parts]
    plain = [one for one in series if one.place == "acquisition" and one.kind not in (*OTHER_KINDS, I_KIND)]
    currents = [one for one in plain if _is_current(one)]
    sweeps = []
    for row in parts:
        own, how = ((row.stimulus,), "") if row.stimulus else find_stimuli(row.response, stimuli, all_responses)
        flowing = tuple(one for one in currents if _simultaneous(one, row.response))
        others = tuple(
            k
            for k, one in enumerate(all_responses)
            if one.electrode != row.response.electrode and _simultaneous(one, row.response)
        )
        sweeps.append(_Sweep(row.response, own, how, flowing, others, _group(row, own)))
    return tuple(sweeps), notes


def _responses(path: Path, series: Sequence[Series]) -> tuple[list[Series], tuple[str, ...]]:
    """The series that may be V: in current clamp, else plain ones in a unit of voltage; acquired ones first."""
    clamped = [one for one in series if one.kind.startswith("VoltageClamp") and not one.place.startswith("stimulus")]
    plain = [one for one in series if one.kind not in (*OTHER_KINDS, *V_KINDS, I_KIND)]
    kinds = {
        "CurrentClampSeries": [one for one in series if one.kind in V_KINDS],
        "TimeSeries in a unit of voltage": [one for one in plain if factor(VOLTAGE, one.unit)],
        "TimeSeries": [one for one in plain if not _is_current(one)] if not clamped else [],
    }
    for kind, found in kinds.items():
        for place in ("acquisition", "processing"):
            here = [one for one in found if one.place == place]
            if here:
                said = {
                    f"no CurrentClampSeries in this file: V is a {kind}": kind != "CurrentClampSeries",
                    f"{len(clamped)} voltage-clamp series were left out": bool(clamped),
                    "V is in a processing module, not among what was acquired": place == "processing",
                }
                return here, tuple(words for words, holds in said.items() if holds)
    if clamped:
        raise ValueError(f"{path.name} is a voltage-clamp recording; only current clamp can be read")
    held = ", ".join(sorted({one.kind for one in series})) or "no series"
    raise ValueError(f"{path.name} contains no CurrentClampSeries; it contains {held}")


def _is_stimulus(series: Series) -> bool:
    if series.place == "stimulus/templates" or series.kind in OTHER_KINDS:
        return False
    return series.kind == I_KIND or (series.place.startswith("stimulus") and not factor(VOLTAGE, series.unit))


def _order(series: Series) -> tuple:
    parts = re.split(r"(\d+)", series.name)
    natural = tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
    return series.sweep_number or 0, series.start, natural, series.first


def _group(row: Row, stimuli: Sequence[Series]) -> tuple:
    """What sweeps of one protocol have in common: what the file calls it, electrode, length and rate."""
    said = [text for one in (*stimuli, row.response) for text in one.described if text.lower() not in NOTHING]
    words = [re.sub(r"[-+]?\d+(\.\d+)?", "", text) for text in said[:1]] or [
        re.sub(r"\d+", "", one.name) for one in stimuli[:1]
    ]
    return row.response.electrode, row.response.count, row.response.rate, row.sequence, *words


def _names(sweeps: Sequence[_Sweep]) -> tuple[str, ...]:
    """The names of the series; where several rows or groups share one, with a number behind."""
    names = [one.response.name for one in sweeps]
    return tuple(
        name if names.count(name) == 1 else f"{name}[{names[:k].count(name)}]" for k, name in enumerate(names)
    )


def _is_current(series: Series) -> bool:
    return factor(CURRENT, series.unit) is not None


def _simultaneous(a: Series, b: Series) -> bool:
    numbers = {a.sweep_number, b.sweep_number} - {None}
    return len(numbers) < 2 and same_start(a, b) and a.count == b.count and a.rate == b.rate


def _file_sweep(path: Path, sweep: _Sweep, others: Sequence[_Sweep]) -> FileSweep:
    response = sweep.response
    if response.why:
        raise ValueError(f"{path.name}: {response.name} cannot be read: {response.why}")
    if response.count < 2:
        raise ValueError(f"{path.name}: {response.name} has {response.count} samples; needed: at least 2")
    if response.times:
        listed = read_samples(path, response, response.times)
        t = (listed - listed[0]) * 1e3
        response = replace(response, start=float(listed[0]), rate=(len(t) - 1) * 1e3 / float(t[-1]) if t[-1] else 0.0)
    else:
        t = np.arange(response.count) * 1e3 / response.rate
    recorded = list(_signals(path, response, 0))
    commands, notes, warnings = commanded(path, response, sweep.stimuli, sweep.how)
    if others and not commands:  # or else the stimulus of another electrode would be taken
        why = f"no stimulus in this file belongs to {response.name}"
        commands = (absent("its stimulus", "pA", 0, why),)
    for other in others:
        number = len(recorded)
        recorded += _signals(path, other.response, number)
        theirs, *_ = commanded(path, other.response, other.stimuli, other.how)
        commands += tuple(replace(one, number=number) for one in theirs)
    for one in sweep.currents:
        recorded += _signals(path, one, len(recorded))
    if response.bias and response.kind != "IZeroClampSeries":
        warnings.append(f"a bias current of {response.bias:g} pA is not part of I")
    return FileSweep(t, tuple(recorded), commands, notes=tuple(notes), warnings=tuple(warnings))


def _signals(path: Path, series: Series, number: int) -> Iterator[Signal]:
    """A signal for each column of a series."""
    columns = series.shape[1] if len(series.shape) == 2 else 1
    for column in range(columns):
        name = series.name if columns == 1 else f"{series.name}[{column}]"
        also = (series.electrode,) if series.electrode and columns == 1 else ()
        load = functools.partial(read_values, path, series, column)
        yield Signal(name, series.unit, number + column, load, series.why, also)
