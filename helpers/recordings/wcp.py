"""WinWCP (.wcp): records of several inputs; the file does not hold what was commanded.

The format is described in the manual of WinWCP, "Data file structure". Scales and sampling intervals are taken record
by record, because the amplifier's range may change from one to the next.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from .binary import Unreadable, refusing, samples, text, unpack
from .contents import Contents, FileSweep, Signal

__all__ = ["open_wcp"]

SECTOR = 512  # bytes


def open_wcp(path: Path) -> Contents:
    """Open a file of WinWCP, version 8 or 9, of any number of inputs.

    Each record is a sweep. I is an input that recorded a current, if there is one. Raises ValueError, with the file's
    name, for a file that is damaged or of another format.
    """
    with refusing(path, "WinWCP"):
        with open(path, "rb") as file:
            head = file.read(SECTOR * 2)
            entries = _entries(head)
            version = int(entries.get("VER", "0"))
            if not 8 <= version <= 9:
                found = f"it is of version {version}" if version else "it is not a WinWCP file"
                raise Unreadable(f"{found}; versions 8 and 9 can be read. WinWCP opens older ones and saves them anew")
            count = _number(entries, "NC", 1, 128)
            first = SECTOR * 2 * ((count - 1) // 8 + 1)
            entries = _entries(head + file.read(first - len(head)))
        announced = _number(entries, "NR", 0, 2**31)
        analysis, data = (SECTOR * _number(entries, key, 1, 2**22) for key in ("NBA", "NBD"))
        n = _number(entries, "NP", 2, data // (2 * count)) if "NP" in entries else data // (2 * count)
        top = _number(entries, "ADCMAX", 1, 2**15)
        inputs = [
            (entries.get(f"YN{k}", f"input {k}"), entries.get(f"YU{k}", ""), _real(entries, f"YG{k}"),
             _number(entries, f"YO{k}", 0, count - 1))
            for k in range(count)
        ]  # fmt: skip
        whole = (path.stat().st_size - first) // (analysis + data)
        n_sweeps = min(announced, whole)
        if n_sweeps < 1:
            raise Unreadable("it holds no records" if announced == 0 else "it ends before the first record does")
        usual = _real(entries, "DT") if "DT" in entries else 0.0
    missing = f"the header announces {announced} records, but the file ends after {n_sweeps}"

    def sweep(k: int) -> FileSweep:
        begin = first + k * (analysis + data)
        with refusing(path, "WinWCP"), open(path, "rb") as file:
            file.seek(begin)
            block = file.read(analysis)
            status, interval = text(block[:8]), unpack("<f", block, 20)
            ranges = np.array(unpack(f"<{count}f", block, 24)).reshape(count)
            # The header has more digits than the record's float.
            dt = usual if abs(interval - usual) <= 1e-5 * usual or interval <= 0 else round(interval, 9)
            if not 1e-7 <= dt <= 10.0 or not np.isfinite(ranges).all() or (ranges <= 0).any():
                raise Unreadable(f"record {k} is sampled every {dt:g} s over ranges of {ranges} V: it is damaged")

        def load(column: int, gain: float, full: float) -> np.ndarray:
            table = samples(path, "<i2", begin + analysis, n * count).reshape(n, count)
            return table[:, column] * (full / (top * gain))

        recorded = [
            Signal(name, unit, i, partial(load, column, gain, float(ranges[i])))
            for i, (name, unit, gain, column) in enumerate(inputs)
        ]
        said = [f"the record is marked {status}"] if status and status != "ACCEPTED" else []
        said += [missing] if n_sweeps < announced else []
        notes = ("the file does not say whether the cell was clamped",)
        return FileSweep(np.arange(n) * dt * 1e3, tuple(recorded), (), notes=notes, warnings=tuple(said))

    return Contents(path, f"WinWCP {version}", n_sweeps, sweep)


def _entries(head: bytes) -> dict[str, str]:
    """The lines KEY=value of the header."""
    lines = (line.partition("=") for line in text(head).splitlines())
    return {key.strip().upper(): value.strip() for key, equals, value in lines if equals}


def _number(entries: dict[str, str], key: str, low: int, high: int) -> int:
    try:
        number = int(entries[key])
    except (KeyError, ValueError):
        raise Unreadable(f"{key} = {entries.get(key)!r} in its header; needed: an integer") from None
    if not low <= number <= high:
        raise Unreadable(f"{key} = {number} in its header; allowed: {low} to {high}")
    return number


def _real(entries: dict[str, str], key: str) -> float:
    """A positive or negative number, with a decimal comma where Windows was set to it."""
    try:
        number = float(entries[key].replace(",", "."))
    except (KeyError, ValueError):
        number = np.nan
    if not np.isfinite(number) or number == 0:
        raise Unreadable(f"{key} = {entries.get(key)!r} in its header; needed: a number other than 0")
    return number
