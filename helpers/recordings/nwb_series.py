"""What an NWB 2 file says of its time series: everything but the samples, and how to read these.

The layout is that of the NWB schema 2 (https://nwb-schema.readthedocs.io). h5py reads it, not pynwb: that replaces the
unit in a file by the standard one, refuses a file for what has nothing to do with V and I, follows links into other
files, and takes seconds to open a file of many sweeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .hdf5 import in_other_files, inside, open_hdf5

__all__ = ["Row", "Series", "open_nwb_file", "read_samples", "read_table", "read_values", "series_of", "as_text"]

PLACES = ("acquisition", "processing", "stimulus/presentation", "stimulus/templates")
ICEPHYS = "general/intracellular_ephys"  # electrodes, and the tables of recordings


@dataclass(frozen=True)
class Series:
    """A time series, or the part of one that a row of the table of recordings names."""

    data: str  # where the samples are in the file
    name: str
    kind: str
    place: str
    unit: str
    scale: float  # conversion
    offset: float
    shape: tuple[int, ...]
    first: int  # sample
    count: int
    start: float  # of the first sample [s]
    rate: float  # Hz
    times: str  # where the file lists them, if it does
    electrode: str
    sweep_number: int | None
    described: tuple[str, ...]  # what the file says of the stimulus
    bias: float  # pA
    why: str = ""  # why it cannot be read

    @property
    def dt(self) -> float:
        """Interval between samples [s]; 0 if the file has no rate."""
        return 1.0 / self.rate if self.rate else 0.0

    @property
    def duration(self) -> float:
        """From the first sample to the end of the last [s]."""
        return self.count * self.dt


@dataclass(frozen=True)
class Row:
    """A row of the table of intracellular recordings."""

    response: Series
    stimulus: Series | None
    sequence: int | None  # of the recordings of one protocol


@contextmanager
def open_nwb_file(path: Path, *datasets: str) -> Iterator[h5py.File]:
    """Open the file; whatever is wrong with it becomes a ValueError that names it."""
    try:
        with open_hdf5(path, *datasets) as file:
            yield file
    except ValueError as error:
        if str(error).startswith(path.name):
            raise
        raise ValueError(
            f"{path.name} cannot be read as NWB: it is not an NWB 2 file, damaged or cut short ({error})"
        ) from None
    except Exception as error:  # h5py raises many kinds
        raise ValueError(f"{path.name} cannot be read as NWB: it is damaged ({error})") from error


def series_of(path: Path, file: h5py.File) -> dict[int, Series]:
    """All time series of a file by their address in it. Raises ValueError if the file is not NWB 2."""
    _check_version(path, file)
    electrodes = _electrodes(file)
    found: dict[int, Series] = {}
    for place in PLACES:
        for group in _series_groups(inside(file, place)):
            found.setdefault(_address(group), _read_series(place, group, electrodes))
    return found


def _electrodes(file: h5py.File) -> dict[int, str]:
    """The names of the electrodes by their address."""
    return {
        _address(item): name
        for name, item in _members(inside(file, ICEPHYS))
        if as_text(item.attrs.get("neurodata_type")) == "IntracellularElectrode"
    }


def _check_version(path: Path, file: h5py.File) -> None:
    version = as_text(file.attrs.get("nwb_version"))
    old = inside(file, "nwb_version")  # in NWB 1 a dataset
    if isinstance(old, h5py.Dataset):
        version = as_text(old[()])
    if re.match(r"(NWB-)?[01]\.", version):
        raise ValueError(
            f"{path.name} is an NWB 1 file ({version}), the format that NWB 2 replaced in 2019; NWB 2 is read. Files "
            "of the Allen Cell Types Database open with the package allensdk (NwbDataSet(path).get_sweep(number)); "
            "write t, V and I of a sweep to a text table (.csv) and read that, or convert the file to NWB 2"
        )
    if not version.removeprefix("NWB-").startswith("2"):
        raise ValueError(
            f"{path.name} cannot be read as NWB: it is "
            + (f"version {version}; NWB 2 is read" if version else "an HDF5 file, but names no version of NWB")
        )


def as_text(value: Any) -> str:
    """A string, however it is stored: as bytes, as text, or as an array of one."""
    value = np.ravel(value)[0] if np.size(value) else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else str(value)


def _number(value: Any, default: float = np.nan) -> float:
    """A number, however it is stored; the default if it is none."""
    value = np.ravel(value)[0] if value is not None and np.size(value) else default
    return float(value) if isinstance(value, int | float | np.number) else default


def _value(group: h5py.Group, name: str) -> Any:
    """The content of a small dataset, or None."""
    item = inside(group, name)
    return item[()] if isinstance(item, h5py.Dataset) and not in_other_files(item) else None


def _address(item: h5py.Group | h5py.Dataset) -> int:
    """What tells an object of a file from all others, by whatever link it was reached."""
    return h5py.h5o.get_info(item.id).addr


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    for name in group if isinstance(group, h5py.Group) else ():
        item = inside(group, name)
        if item is not None:
            yield name, item


def _series_groups(group: Any, depth: int = 0) -> Iterator[h5py.Group]:
    """The groups that hold a time series, however deep they lie in containers."""
    for _, item in _members(group):
        if isinstance(item, h5py.Group):
            if _is_series(item):
                yield item
            elif depth < 4:
                yield from _series_groups(item, depth + 1)


def _is_series(group: h5py.Group) -> bool:
    names = set(group)
    return "data" in names and bool(names & {"starting_time", "timestamps"})


def _read_series(place: str, group: h5py.Group, electrodes: dict[int, str]) -> Series:
    """Everything about a series but its samples."""
    data, times, begin = inside(group, "data"), inside(group, "timestamps"), inside(group, "starting_time")
    attributes = data.attrs if isinstance(data, h5py.Dataset) else {}
    electrode = inside(group, "electrode")
    sweep_number = _number(group.attrs.get("sweep_number", _value(group, "sweep_number")))
    if not isinstance(times, h5py.Dataset) or begin is not None:
        times = None
    listed = times is not None
    why = ""
    if not isinstance(data, h5py.Dataset) or in_other_files(data) or (times is not None and in_other_files(times)):
        why = "its samples lie in another file, and no other file is opened"
    elif data.ndim not in (1, 2) or data.dtype.kind not in "fiu":
        why = f"its data are of shape {data.shape} and type {data.dtype}, not one number per sample"
    shape = data.shape if isinstance(data, h5py.Dataset) else (0,)
    rate, start = 0.0, 0.0
    if times is not None and not why:
        if len(times) != shape[0]:
            why = f"it has {shape[0]} samples but {len(times)} timestamps"
        elif len(times) > 1:
            start, last = float(times[0]), float(times[-1])
            rate = (len(times) - 1) / (last - start) if last > start else 0.0
    elif isinstance(begin, h5py.Dataset):
        rate, start = _number(begin.attrs.get("rate"), 0.0), _number(begin[()], 0.0)
    if not why and not (np.isfinite(rate) and rate > 0.0) and shape[0] > 1:
        why = "its timestamps do not increase" if listed else f"its rate is {rate:g} Hz"
    unit = as_text(attributes.get("unit"))
    bias = _number(_value(group, "bias_current"), 0.0) * 1e12
    return Series(
        data=data.name if isinstance(data, h5py.Dataset) else f"{group.name}/data",
        name=group.name.rpartition("/")[2],
        kind=as_text(group.attrs.get("neurodata_type")),
        place=place,
        unit=unit,
        scale=_number(attributes.get("conversion"), 1.0),
        offset=_number(attributes.get("offset"), 0.0),
        shape=shape,
        first=0,
        count=shape[0] if shape else 0,
        start=start if np.isfinite(start) else 0.0,
        rate=rate,
        times=times.name if times is not None else "",
        electrode=electrodes.get(_address(electrode), "") if electrode is not None else "",
        sweep_number=int(sweep_number) if np.isfinite(sweep_number) else None,
        described=tuple(as_text(group.attrs.get(key)) for key in ("stimulus_description", "aibs_stimulus_name")),
        bias=bias if np.isfinite(bias) else 0.0,
        why=why,
    )


def read_table(file: h5py.File, found: dict[int, Series]) -> list[Row]:
    """The rows of the table of intracellular recordings that name a response."""
    table = inside(file, f"{ICEPHYS}/intracellular_recordings")
    if not isinstance(table, h5py.Group):
        return []
    responses, stimuli, pipettes = (
        _value(table, name) for name in ("responses/response", "stimuli/stimulus", "electrodes/electrode")
    )
    electrodes, sequences = _electrodes(file), _sequences(file)
    rows: list[Row] = []
    for k in range(len(responses) if responses is not None else 0):
        response = _part(file, found, responses[k], k)
        if response is None:
            continue
        if not response.electrode and pipettes is not None and k < len(pipettes) and pipettes[k]:
            response = replace(response, electrode=electrodes.get(_address(file[pipettes[k]]), ""))
        stimulus = _part(file, found, stimuli[k], k) if stimuli is not None and k < len(stimuli) else None
        row = Row(response, stimulus, sequences.get(k))
        if row not in rows[-1:]:
            rows.append(row)
    return rows


def _part(file: h5py.File, found: dict[int, Series], reference: Any, row: int) -> Series | None:
    """The part of a series that a cell of the table names: (first sample, number of samples, series)."""
    first, count, where = int(reference[0]), int(reference[1]), reference[2]
    if not where or count == 0 or first < 0:
        return None
    group = file[where]
    series = found.get(_address(group))
    if series is None:
        if not isinstance(group, h5py.Group) or not _is_series(group):
            return None
        series = _read_series("", group, {})
    count = series.count - first if count < 0 else count
    if first + count > series.count:
        why = f"row {row} of the table names its samples {first} to {first + count}, but it has {series.count}"
        return replace(series, why=series.why or why)
    start = series.start + first * series.dt
    if series.times and first and not series.why:
        times = inside(file, series.times)
        assert isinstance(times, h5py.Dataset)
        start = float(times[first])
    return replace(series, first=first, count=count, start=start)


def _sequences(file: h5py.File) -> dict[int, int]:
    """For each row of the table, the sequence of recordings (one protocol) that it belongs to, if there is one."""
    sequences = _regions(inside(file, f"{ICEPHYS}/sequential_recordings"), "simultaneous_recordings")
    simultaneous = _regions(inside(file, f"{ICEPHYS}/simultaneous_recordings"), "recordings")
    return {
        int(row): k
        for k, several in enumerate(sequences)
        for one in several
        if 0 <= one < len(simultaneous)
        for row in simultaneous[int(one)]
    }


def _regions(table: Any, column: str) -> list[np.ndarray]:
    """Of each row of a table, the rows of another that a column names."""
    if not isinstance(table, h5py.Group):
        return []
    rows, ends = _value(table, column), _value(table, f"{column}_index")
    if rows is None or ends is None:
        return []
    return np.split(np.asarray(rows), np.asarray(ends, dtype=int))[: len(ends)]


def read_samples(path: Path, series: Series, dataset: str) -> np.ndarray:
    """The samples of a series, or their times, as stored: (count,) or (count, columns)."""
    with open_nwb_file(path, dataset) as file:
        return np.asarray(file[dataset][series.first : series.first + series.count], dtype=float)


def read_values(path: Path, series: Series, column: int = 0) -> np.ndarray:
    """The values of a series in its unit, (count,)."""
    stored = read_samples(path, series, series.data)
    scale = series.scale
    if stored.ndim == 2:
        stored = stored[:, column]
        with open_nwb_file(path) as file:
            channels = inside(file, series.data.rpartition("/")[0] + "/channel_conversion")
            scale *= float(channels[column]) if isinstance(channels, h5py.Dataset) and column < len(channels) else 1.0
    return stored * scale + series.offset
