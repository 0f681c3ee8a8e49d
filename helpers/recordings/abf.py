"""Axon Binary Format (.abf), as Clampex writes it: one sweep of a current-clamp recording becomes a `Trace`."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from helpers.simulation.trace import Trace

from .conversion import (
    CURRENT,
    VOLTAGE,
    check_index,
    existing,
    factor,
    first_stretch,
    make_trace,
    require,
    stretch_times,
)

__all__ = ["abf_sweeps", "count_abf", "open_abf", "read_abf"]


def read_abf(path: str | Path, sweep: int = 0, channel: int = 0) -> Trace:
    """Read one sweep of a current-clamp recording in Axon Binary Format, version 1 or 2.

    V is the record of input `channel`; I is the command waveform of the output of the same number, as the protocol in
    the file describes it. start and stop are those of the protocol's first step; a sweep in which that step has zero
    amplitude gets them from the other sweeps, so that all sweeps of a file share one window.

    Parameters
    ----------
    path : str or Path
    sweep, channel : int
        Counted from 0.

    Raises
    ------
    ValueError
        With the file's name, for voltage clamp, unknown units, a missing sweep or channel, or a file that is damaged
        or not ABF.
    """
    path = existing(path)
    abf = open_abf(path)
    check_index(path, "sweep", sweep, abf.sweepCount)
    check_index(path, "channel", channel, min(len(abf.adcUnits), len(abf.dacUnits)))
    measured, command = abf.adcUnits[channel], abf.dacUnits[channel]
    if factor(CURRENT, measured) and factor(VOLTAGE, command):
        raise ValueError(
            f"{path.name} is a voltage-clamp recording ({measured} recorded, {command} commanded); "
            "only current clamp (mV recorded, pA commanded) can be read"
        )
    V_factor = require(path, f"channel {channel}", VOLTAGE, measured)
    I_factor = require(path, f"the command of channel {channel}", CURRENT, command)
    recorded, commands = abf_sweeps(path, abf, channel)
    V = recorded[sweep] * V_factor
    t = np.arange(len(V)) * 1e3 / abf.dataRate
    on = commands != commands[:, :1]
    shared = first_stretch(on.any(axis=0))
    own = None if shared is None else first_stretch(on[sweep, : shared[1]])
    window = stretch_times(t, own or shared)
    return make_trace(path, t, V, commands[sweep] * I_factor, window, "pA")


def count_abf(path: str | Path) -> int:
    """Return the number of sweeps in the file. Raises ValueError for a file that is damaged or not ABF."""
    return int(open_abf(existing(path)).sweepCount)


def open_abf(path: Path) -> Any:
    """Open a file with pyabf. Raises ValueError if pyabf cannot read it."""
    import pyabf  # here, so that a notebook without ABF files does not wait for it

    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    try:
        _check_sections(path)
        with _quiet():
            abf = pyabf.ABF(path)
            _check_counts(abf)
    except Exception as error:  # on a damaged header pyabf raises whatever fails first
        why = "not an ABF file" if isinstance(error, NotImplementedError) else "damaged or cut short"
        raise ValueError(f"{path.name} cannot be read as ABF: it is {why}") from error
    return abf


def abf_sweeps(path: Path, abf: Any, channel: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return what was recorded and what was commanded, (n_sweeps, n) each, in the file's own units.

    Raises ValueError, with the file's name, unless all values are finite and all sweeps have one length.
    """
    sweeps = [_abf_sweep(path, abf, sweep, channel) for sweep in range(abf.sweepCount)]
    if len({len(command) for _, command in sweeps}) > 1:
        raise ValueError(f"{path.name}: its sweeps differ in length; only sweeps of one length can be read")
    recorded, commands = zip(*sweeps, strict=True)
    return np.array(recorded), np.array(commands)


def _abf_sweep(path: Path, abf: Any, sweep: int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        with _quiet():  # pyabf warns, then fills with NaN or zeros: refused below
            abf.setSweep(sweep, channel=channel)
            recorded, command = np.asarray(abf.sweepY, dtype=float), np.asarray(abf.sweepC, dtype=float)
    except Exception as error:
        raise ValueError(f"{path.name}: sweep {sweep}, channel {channel} is damaged") from error
    if not np.isfinite(recorded).all():
        raise ValueError(f"{path.name}: sweep {sweep}, channel {channel} contains values that are not finite")
    if command.shape != recorded.shape or not np.isfinite(command).all():
        raise ValueError(f"{path.name} does not contain the command of sweep {sweep}, channel {channel}")
    return recorded, command


def _check_sections(path: Path) -> None:
    """Raise ValueError if a version 2 file announces more than it contains: pyabf would look for all of it."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head[:4] != b"ABF2":
        return
    for place in range(76, 364, 16):  # table of sections: first block of 512 bytes, bytes per entry, number of entries
        block, size, count = struct.unpack_from("<IIq", head, place)
        if count and not (count > 0 and 512 * block + size * count <= path.stat().st_size):
            raise ValueError("a section lies outside the file")


def _check_counts(abf: Any) -> None:
    """Raise ValueError for counts that would turn a short file into long arrays."""
    points = abf.dataPointCount
    synchronised = getattr(abf, "_synchArraySection", None)
    lengths = getattr(synchronised, "lLength", [])
    header = abf._headerV1 if abf.abfVersion["major"] == 1 else abf._epochPerDacSection
    epochs = zip(header.nEpochType, header.lEpochInitDuration, header.lEpochDurationInc, strict=True)
    steps = [abs(first) + abs(more) * abf.sweepCount for kind, first, more in epochs if kind]
    if not (
        0 < abf.sweepCount <= points
        and 0 < abf.dataRate <= 10**8
        and abf.sweepPointCount > 1
        and all(0 <= length <= points for length in lengths)
        and sum(steps) <= 10 * points
    ):
        raise ValueError("counts that do not fit the file's length")


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
