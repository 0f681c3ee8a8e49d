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

from .common import (
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

__all__ = ["abf_sweep", "count_abf", "open_abf", "read_abf"]


def read_abf(path: str | Path, sweep: int = 0, channel: int = 0) -> Trace:
    """Read one sweep of a current-clamp recording in Axon Binary Format, version 1 or 2.

    V is the record of input `channel`; I is the command waveform of the output of the same number, as the protocol in
    the file describes it. start and stop are those of the protocol's first step; a sweep in which that step has zero
    amplitude gets them from the other sweeps, so that all sweeps of a file share one window.
    Raises ValueError, with the file's name, for voltage clamp, unknown units, a sweep or channel that is not there,
    a file that is cut short or not ABF.
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
    commands = _abf_commands(path, abf, channel)
    V = abf_sweep(path, abf, sweep, channel)[0] * V_factor
    t = np.arange(len(V)) * 1e3 / abf.dataRate
    off = [waveform != waveform[0] for waveform in commands]
    shared = first_stretch(np.any(off, axis=0))
    own = None if shared is None else first_stretch(off[sweep][: shared[1]])
    window = stretch_times(t, own or shared)
    return make_trace(path, t, V, commands[sweep] * I_factor, window, "pA")


def count_abf(path: str | Path) -> int:
    """The number of sweeps in the file. Raises ValueError for a file that is cut short or not ABF."""
    return int(open_abf(existing(path)).sweepCount)


def open_abf(path: Path) -> Any:
    """The file as pyabf reads it. Raises ValueError where it cannot."""
    import pyabf  # here, so that a notebook without ABF files does not wait for it

    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    try:
        _check_sections(path)
        with _quiet():
            abf = pyabf.ABF(path)
            _check_counts(abf)
    except Exception as error:  # pyabf meets a damaged header with whatever fails first
        why = "no ABF file" if isinstance(error, NotImplementedError) else "damaged or cut short"
        raise ValueError(f"{path.name} cannot be read as ABF: it is {why}") from error
    return abf


def abf_sweep(path: Path, abf: Any, sweep: int, channel: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What was recorded and what was commanded in one sweep, (n,) each, in the file's own units, all of it finite."""
    try:
        with _quiet():  # pyabf warns, then fills with NaN or zeros: refused below
            abf.setSweep(int(sweep), channel=channel)
            measured, command = np.asarray(abf.sweepY, dtype=float), np.asarray(abf.sweepC, dtype=float)
    except Exception as error:
        raise ValueError(f"{path.name}: sweep {sweep}, channel {channel} is damaged") from error
    if not np.isfinite(measured).all():
        raise ValueError(f"{path.name}: sweep {sweep}, channel {channel} holds values that are not finite")
    if command.shape != measured.shape or not np.isfinite(command).all():
        raise ValueError(f"{path.name} does not hold the command of sweep {sweep}, channel {channel}")
    return measured, command


def _check_sections(path: Path) -> None:
    """Raise ValueError where a version 2 file says that it has more than it has: pyabf would look for all of it."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head[:4] != b"ABF2":
        return
    for place in range(76, 364, 16):  # the table of sections: block of 512 bytes, bytes of an entry, entries
        block, size, count = struct.unpack_from("<IIq", head, place)
        if count and not (count > 0 and 512 * block + size * count <= path.stat().st_size):
            raise ValueError("a section lies outside the file")


def _check_counts(abf: Any) -> None:
    """Raise ValueError for counts that would make long arrays out of a short file."""
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


def _abf_commands(path: Path, abf: Any, channel: int) -> list[np.ndarray]:
    """The command waveform of every sweep, each (n,), in the file's own unit."""
    commands = [abf_sweep(path, abf, sweep, channel)[1] for sweep in range(abf.sweepCount)]
    if len({len(command) for command in commands}) > 1:
        raise ValueError(f"{path.name}: its sweeps differ in length; only sweeps of one length can be read")
    return commands
