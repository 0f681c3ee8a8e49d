"""Axon Binary Format (.abf), as Clampex writes it: what the file records and what its protocol commands."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .contents import Contents, FileSweep, Signal

__all__ = ["abf_header", "abf_sweeps", "open_abf"]


def open_abf(path: Path) -> Contents:
    """Open a recording in Axon Binary Format, version 1 or 2.

    Commands are what pyabf makes of the protocol in the header. Raises ValueError, with the file's name, for a file
    that is damaged or not ABF.
    """
    abf = abf_header(path)
    count = min(len(abf.adcUnits), len(abf.dacUnits))

    def sweep(k: int) -> FileSweep:
        def load(channel: int, commanded: bool) -> Callable[[], np.ndarray]:
            return lambda: _abf_sweep(path, abf, k, channel)[int(commanded)]

        n = len(_abf_sweep(path, abf, k, 0)[0])
        return FileSweep(
            np.arange(n) * 1e3 / abf.dataRate,
            tuple(Signal(abf.adcNames[i], abf.adcUnits[i], i, load(i, False)) for i in range(count)),
            tuple(Signal(abf.dacNames[i], abf.dacUnits[i], i, load(i, True)) for i in range(count)),
        )

    return Contents(path, f"Axon Binary Format {abf.abfVersion['major']}", int(abf.sweepCount), sweep)


def abf_header(path: Path) -> Any:
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
