"""Igor Pro: a binary wave (.ibw) or a packed experiment (.pxp, .pxt).

A wave is an array with a unit and the scaling of its first axis. Which waves are the signals of one sweep is said only
by their names, as programs that run in Igor, or export to it, give them. The formats are those of WaveMetrics'
technical notes TN003 "Igor Binary Format" and PTN003 "Packed Files".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .binary import Unreadable, refusing, text, unpack
from .contents import Contents, FileSweep, Signal
from .conversion import TIME, VOLTAGE, factor

__all__ = ["open_igor"]

# PatchMaster's exports end in group, series, sweep and trace; else a name ends in the number of its sweep.
EXPORTED = re.compile(r"(?P<stem>.*?)_(?P<sweep>\d+_\d+_\d+)_(?P<trace>\d+)")
NUMBERED = re.compile(r"(?P<stem>.*?)_?(?P<sweep>\d+)")
FORMAT = "Igor Pro"
WAVE, FOLDER, FOLDER_END, SUPERSEDED = 3, 9, 10, 0x8000  # kinds of records, and the bit of one that counts no more
HEAD_5 = 64  # bytes before the header of a wave of version 5, and of earlier versions
HEADS = {1: 8, 2: 16, 3: 20}
TYPES = {2: "f4", 4: "f8", 8: "i1", 16: "i2", 32: "i4", 128: "i8", 72: "u1", 80: "u2", 96: "u4", 192: "u8"}
SECONDS, MILLISECONDS = 5e-4, 5e-3  # without a unit, intervals up to the first are in s, from the second on in ms


@dataclass(frozen=True)
class Wave:
    """A wave: its folder, name, unit, samples, and the scaling of its first axis."""

    folder: str
    name: str
    unit: str
    values: np.ndarray
    every: float
    x_unit: str


def open_igor(path: Path, units: Mapping[Any, str | float] | None = None) -> Contents:
    """Open a file of Igor Pro; `units` may say what its times are in: {"t": "ms"}.

    The columns of a matrix are sweeps. In an experiment, waves that differ in the number at the end of their names are
    sweeps ("Vm_0", "Vm_1"), waves with one number ("Vm_0", "Im_0") the signals of one sweep; other waves without a
    scaled axis are left out. Raises ValueError, with the file's name, for a file that is damaged or holds no waves over
    time.
    """
    with refusing(path, FORMAT):
        data = path.read_bytes()
        found = [column for wave in _waves(path, data) for column in wave]
        waves = [wave for wave in found if wave.x_unit or wave.every != 1.0]
        if not waves:
            raise Unreadable(
                f"none of its {len(found)} waves has numbers over time "
                '(an axis that is scaled: SetScale/P x 0, 5e-5, "s")'
            )
        sweeps = _sweeps(waves)
        names = tuple(name or "without a number" for name in sweeps) if len(sweeps) > 1 else ()

    def sweep(k: int) -> FileSweep:
        with refusing(path, FORMAT):
            return _sweep(list(sweeps.values())[k], (units or {}).get("t"))

    return Contents(path, FORMAT, len(sweeps), sweep, names=names)


def _waves(path: Path, data: bytes) -> Iterator[Iterator[Wave]]:
    """The waves of the file, each as its columns."""
    if path.suffix.lower() == ".ibw":
        yield _columns("", data)
        return
    folders: list[str] = []
    for kind, record in _records(data):
        if kind == WAVE:
            yield _columns("".join(f"{folder}:" for folder in folders), record)
        elif kind == FOLDER:
            folders.append(text(record[:32]))
        elif kind == FOLDER_END and folders:
            folders.pop()


def _records(data: bytes) -> list[tuple[int, bytes]]:
    """Kind and content of the records of an experiment, which Igor wrote on a Mac or on Windows."""
    for order in "<>":
        records, place = [], 0
        while place + 8 <= len(data):
            kind, _, size = unpack(order + "Hhi", data, place)
            if not 0 <= size <= len(data) - place - 8:
                break
            if not kind & SUPERSEDED:
                records.append((kind, data[place + 8 : place + 8 + size]))
            place += 8 + size
        if records and place == len(data):
            return records
    raise Unreadable("it is damaged or cut short")


def _columns(folder: str, data: bytes) -> Iterator[Wave]:
    """A wave of numbers, the columns of a matrix as one wave each."""
    order = "<" if data[:1] != b"\0" else ">"
    version = unpack(order + "h", data, 0)
    if version == 5:
        size, formula, note, *units = unpack(order + "9i", data, 4)
        count, kind = unpack(order + "ih", data, HEAD_5 + 12)
        name, unit, x_unit = (text(data[HEAD_5 + a : HEAD_5 + b]) for a, b in ((28, 60), (148, 152), (152, 156)))
        shape = unpack(order + "4i", data, HEAD_5 + 68)
        every = unpack(order + "d", data, HEAD_5 + 84)
        begin = HEAD_5 + 320
        # Units of more than three letters lie behind the samples.
        behind = HEAD_5 + size + formula + note
        if units[0] > 0:
            unit = text(data[behind : behind + units[0]])
        if units[1] > 0:
            x_unit = text(data[behind + units[0] : behind + units[0] + units[1]])
    elif version in HEADS:
        head = HEADS[version]
        kind, count = unpack(order + "h", data, head), unpack(order + "i", data, head + 42)
        name, unit, x_unit = (text(data[head + a : head + b]) for a, b in ((6, 26), (34, 38), (38, 42)))
        every, shape, begin = unpack(order + "d", data, head + 48), (count, 0, 0, 0), head + 110
    else:
        raise Unreadable("it is not a binary wave of Igor")
    if kind not in TYPES or count < 2 or shape[0] < 2 or shape[2] > 1:  # texts, complex numbers, layers
        return
    dtype = np.dtype(order + TYPES[kind])
    columns = max(shape[1], 1)
    if shape[0] * columns != count or begin + count * dtype.itemsize > len(data):
        raise Unreadable("it is damaged or cut short")
    table = np.frombuffer(data, dtype, count, begin).reshape(columns, shape[0])
    for k, values in enumerate(table):
        yield Wave(folder, name if columns == 1 else f"{name}_{k}", unit, values, every, x_unit)


def _sweeps(waves: list[Wave]) -> dict[str, list[tuple[str, Wave]]]:
    """The signals of each sweep, each with its name, by the sweep's name."""
    sweeps: dict[str, list[tuple[str, Wave]]] = {}
    for wave in waves:
        parts = EXPORTED.fullmatch(wave.name) or NUMBERED.fullmatch(wave.name)
        if parts is None or not parts["stem"]:
            sweep, name = "", wave.name
        else:
            sweep = parts["sweep"].replace("_", "/")
            name = f"{parts['stem']}_{parts['trace']}" if "trace" in parts.groupdict() else parts["stem"]
        sweeps.setdefault(wave.folder + sweep, []).append((name, wave))

    def order(name: str) -> list[Any]:
        return [(int(x), "") if x.isdigit() else (-1, x) for x in re.split(r"(\d+)", name)]

    return {name: sorted(sweeps[name], key=lambda one: order(one[0])) for name in sorted(sweeps, key=order)}


def _sweep(signals: list[tuple[str, Wave]], told: str | float | None) -> FileSweep:
    main = next((wave for _, wave in signals if factor(VOLTAGE, wave.unit)), signals[0][1])
    warnings: list[str] = []
    scale = factor(TIME, told if isinstance(told, str) else main.x_unit)
    if not main.x_unit and told is None:
        scale = TIME["s"] if main.every <= SECONDS else TIME["ms"] if main.every >= MILLISECONDS else None
        unit = "s" if scale == TIME["s"] else "ms"
        warnings.append(f"the times of {main.name} have no unit; an interval of {main.every:g} was taken as {unit}")
    if scale is None or not (np.isfinite(main.every) and main.every > 0):
        raise Unreadable(
            f"the times of {main.name} go by {main.every:g} {main.x_unit or 'of no unit'}; allowed: {', '.join(TIME)} "
            "(units={'t': 'ms'} names another)"
        )
    alike = [(name, wave) for name, wave in signals if wave.every == main.every and wave.x_unit == main.x_unit]
    left = [wave.name for name, wave in signals if not (wave.every == main.every and wave.x_unit == main.x_unit)]
    notes = (f"{', '.join(left)} are sampled at another interval and left out",) if left else ()
    recorded = tuple(
        Signal(name, wave.unit, k, lambda values=wave.values: values.astype(float))  # type: ignore[misc]
        for k, (name, wave) in enumerate(alike)
    )
    return FileSweep(np.arange(len(main.values)) * main.every * scale, recorded, notes=notes, warnings=tuple(warnings))
