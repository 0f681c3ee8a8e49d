"""Neurodata Without Borders (.nwb), version 2: current-clamp series and their stimuli."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from .contents import Contents, FileSweep, Signal
from .conversion import CURRENT, VOLTAGE, check_even

__all__ = ["open_nwb"]

MAX_READING_TIME = 8.0  # s; a file that takes longer to read from end to end is damaged

_asking = threading.Lock()  # two threads must not read each other's answers


def open_nwb(path: Path) -> Contents:
    """Open a Neurodata Without Borders (NWB 2) file: its current-clamp series, each a sweep.

    Sweeps are counted in the order of their sweep numbers, then starting times, then names. The command is the
    CurrentClampStimulusSeries that belongs to the sweep: by the table of intracellular recordings if the file has one,
    else by electrode and sweep number or starting time. Values are data times conversion plus offset, in volts and
    amperes. Raises ValueError, with the file's name, for a file that is damaged or not NWB.
    """
    with _open_nwb(path) as nwb:
        names = tuple(series.name for series in _clamp_series(path, nwb))

    def sweep(k: int) -> FileSweep:
        with _open_nwb(path) as nwb:
            response = _clamp_series(path, nwb)[k]
            stimulus = _stimulus(path, nwb, response)
            t, V = _samples(path, response, VOLTAGE, "volts")
            t_I, I = _samples(path, stimulus, CURRENT, "amperes")
            if len(t) != len(t_I) or abs(t[-1] - t_I[-1]) > 0.05 * t[-1] / len(t):
                raise ValueError(
                    f"{path.name}: {response.name} has {len(t)} samples in {t[-1]:g} ms but its stimulus "
                    f"{stimulus.name} {len(t_I)} in {t_I[-1]:g} ms; they must be sampled alike"
                )
            bias = response.bias_current
            said = (f"a bias current of {bias * 1e12:g} pA is not part of I",) if bias else ()
            return FileSweep(
                t,
                (Signal(response.name, "mV", 0, lambda: V),),
                (Signal(stimulus.name, "pA", 0, lambda: I),),
                warnings=said,
            )

    return Contents(path, "NWB 2", len(names), sweep, alike=lambda k: [k], names=names)


@contextmanager
def _open_nwb(path: Path) -> Iterator[Any]:
    import pynwb  # here, because the import takes seconds

    with warnings.catch_warnings():
        # pynwb warns about old schema versions, and about units that it replaces: _samples checks the file's own.
        warnings.simplefilter("ignore", UserWarning)
        try:
            _check_hdf5(path)
            io = pynwb.NWBHDF5IO(path, "r")
            with ExitStack() as closing:  # HDF5 answers from a file that stayed open, even after it was overwritten
                closing.callback(io.close)
                nwb = io.read()
                closing.pop_all()
        except Exception as error:  # h5py and hdmf raise many kinds
            raise ValueError(
                f"{path.name} cannot be read as NWB: it is not an NWB 2 file, damaged or cut short"
            ) from error
        with io:
            try:
                yield nwb
            except ValueError:
                raise
            except Exception as error:  # what is missing in a damaged file shows late
                raise ValueError(f"{path.name} cannot be read as NWB: it is damaged") from error


def _check_hdf5(path: Path) -> None:
    """Raise ValueError unless the HDF5 library can read the file from end to end."""
    status = path.stat()
    with _asking:
        fault = _hdf5_fault(str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino)
    if fault:
        raise ValueError(fault)


@functools.lru_cache(maxsize=64)
def _hdf5_fault(path: str, *version: int) -> str:
    """Return what the HDF5 library finds wrong with this version of a file, or ""."""
    child = _hdf5_process(os.getpid())
    assert child.stdin and child.stdout
    try:
        child.stdin.write(f"{path!a}\n")
        child.stdin.flush()
        answer = child.stdout.readline()
    except OSError:
        answer = ""
    if not answer:
        _hdf5_process.cache_clear()
        _end(child)
        return "the HDF5 library crashes or hangs on it"
    return answer.strip()


@functools.cache
def _hdf5_process(owner: int) -> subprocess.Popen:
    """Start the program in `hdf5`, once per process: a forked one must not read the answers to its parent."""
    child = subprocess.Popen(
        [sys.executable, "-m", "helpers.recordings.hdf5", str(MAX_READING_TIME)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    atexit.register(_end, child)
    return child


def _end(child: subprocess.Popen) -> None:
    with suppress(OSError), child:  # closes its streams, of which one may be broken, and waits
        child.kill()


def _begin(series: Any) -> float:
    """When a series begins in the session [s]."""
    return float(series.timestamps[0] if series.starting_time is None else series.starting_time)


def _clamp_series(path: Path, nwb: Any) -> list[Any]:
    kinds = [type(series).__name__ for series in nwb.acquisition.values()]
    found = [s for s in nwb.acquisition.values() if type(s).__name__ == "CurrentClampSeries"]
    if not found and "VoltageClampSeries" in kinds:
        raise ValueError(f"{path.name} is a voltage-clamp recording; only current clamp can be read")
    if not found:
        held = ", ".join(sorted(set(kinds))) or "no series"
        raise ValueError(f"{path.name} contains no CurrentClampSeries; it contains {held}")
    return sorted(found, key=lambda s: (s.sweep_number or 0, _begin(s), s.name))


def _stimulus(path: Path, nwb: Any, response: Any) -> Any:
    """The CurrentClampStimulusSeries that was injected during `response`."""
    table = nwb.intracellular_recordings
    if table is not None:
        responses = table.category_tables["responses"]["response"]
        rows = [row for row in range(len(table)) if responses[row].timeseries is response]
        stimuli = [table.category_tables["stimuli"]["stimulus"][row] for row in rows]
        found = [reference.timeseries for reference in stimuli if reference.timeseries is not None]
    else:
        injected = [s for s in nwb.stimulus.values() if s.neurodata_type == "CurrentClampStimulusSeries"]
        found = [s for s in injected if s.electrode is response.electrode]
        if response.sweep_number is None:
            found = [s for s in found if abs(_begin(s) - _begin(response)) < 1e-6]
        else:
            found = [s for s in found if s.sweep_number == response.sweep_number]
    if len(found) != 1:
        raise ValueError(
            f"{path.name}: {len(found)} stimuli belong to {response.name}; needed: one CurrentClampStimulusSeries, "
            "in the table of intracellular recordings or with the same electrode and sweep number or starting time"
        )
    return found[0]


def _samples(path: Path, series: Any, units: Mapping[str, float], standard: str) -> tuple[np.ndarray, np.ndarray]:
    """Times from 0 [ms] and values [mV or pA] of a series, each (n,)."""
    # pynwb replaces the unit by the standard one, whatever the file says: look at the file.
    unit = series.data.attrs.get("unit", standard)
    if unit not in (standard, standard[0].upper()):
        raise ValueError(f"{path.name}: {series.name} is in {unit!r}; allowed in NWB: {standard}")
    values = (np.asarray(series.data[:], dtype=float) * series.conversion + series.offset) * units[standard]
    if len(values) < 2:
        raise ValueError(f"{path.name}: {series.name} has {len(values)} samples; needed: at least 2")
    if series.rate is not None:
        return np.arange(len(values)) * 1e3 / series.rate, values
    t = (np.asarray(series.timestamps[:], dtype=float) - series.timestamps[0]) * 1e3
    if len(t) != len(values):
        raise ValueError(f"{path.name}: {series.name} has {len(values)} samples but {len(t)} timestamps")
    check_even(path, t)
    return t, values
