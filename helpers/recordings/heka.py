"""HEKA PatchMaster (.dat): what each series recorded, and what its stimulus commanded.

A bundle holds the samples and trees of records that describe them: what was recorded (.pul: groups, series, sweeps,
traces) and the stimuli (.pgf: stimulations, channels, segments). Records grow from version to version and the sizes
are in the file; a field stays where it is. The places are those of HEKA's "PulsedFile_v9.txt" and "StimFile_v9.txt",
which "..._v1000.txt" continue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .binary import Unreadable, refusing, samples, text, unpack
from .contents import Contents, FileSweep, Signal, absent
from .text.reading import open_text

__all__ = ["open_dat", "open_heka"]

FORMAT = "HEKA PatchMaster"
HEADER = 256  # bytes: signature, version, time, and 12 entries of a table of contents
KINDS = ("i2", "i4", "f4", "f8")  # of samples
LEAK, CLIPPED = 2, 32  # bits of a trace's TrDataKind
CURRENT_CLAMP = 4  # a trace's TrRecordingMode
CC_MODE = 2  # a stimulus channel's chAmplMode
CONSTANT, RAMP = 0, 1  # a segment's seClass
STORED = 1  # a segment's seStoreKind; 0 not stored, 2 and 3 in the first and the last sweep only, not stored
INCREASE, DECREASE, ALTERNATE = 0, 1, 4  # a segment's increment mode
LARGEST = 1e6  # V or nA
CLASSES = ("a constant", "a ramp", "a continuous segment", "a sine wave", "a square wave", "a chirp")


@dataclass(frozen=True)
class Record:
    """A record of a tree, with the records below it."""

    data: bytes
    order: str
    children: tuple[Record, ...]

    def number(self, form: str, place: int, absent: float = 0) -> float:
        """The number at a place of the record; `absent` if the program that wrote it did not know the field."""
        if place + {"b": 1, "h": 2, "i": 4, "d": 8}[form] > len(self.data):
            return absent
        return unpack(self.order + form, self.data, place)

    def integer(self, form: str, place: int) -> int:
        """The same as an integer."""
        return int(self.number(form, place))

    def text(self, place: int, length: int) -> str:
        """The text at a place of the record."""
        return text(self.data[place : place + length])


def open_dat(path: Path, units: Mapping[Any, str | float] | None = None) -> Contents:
    """Open a file whose name ends in .dat: a bundle if it begins as one, else text, which takes `units`."""
    with open(path, "rb") as file:
        begins = file.read(4)
    return open_heka(path) if begins in (b"DAT1", b"DAT2", b"DATA") else open_text(path, units)


def open_heka(path: Path) -> Contents:
    """Open a bundle of PatchMaster or PatchMaster Next.

    Every sweep of every series is a sweep, named "group/series/sweep" as PatchMaster counts them, from 1. The command
    is made from the constant segments and ramps of the series' stimulus; what it does not describe (other waves, files,
    parameters) has no command, with the reason. Raises ValueError, with the file's name, for a file that is damaged or
    not a bundle.
    """
    with refusing(path, FORMAT):
        groups, stimuli = _trees(path)
        found = [
            (f"{g}/{s}/{w}", series, k, sweep)
            for g, group in enumerate(groups.children, 1)
            for s, series in enumerate(group.children, 1)
            for k, (w, sweep) in enumerate(enumerate(series.children, 1))
            if sweep.children
        ]
        if not found:
            raise Unreadable("it holds no sweeps")
        contents = [
            f"series {g}/{s} {series.text(4, 32)!r} has {len(series.children)} sweeps"
            for g, group in enumerate(groups.children, 1)
            for s, series in enumerate(group.children, 1)
        ]

    def sweep(k: int) -> FileSweep:
        name, series, place, record = found[k]
        with refusing(path, FORMAT):
            return _sweep(path, series, place, record, stimuli)

    def alike(k: int) -> list[int]:
        return [i for i, other in enumerate(found) if other[1] is found[k][1]]

    names = tuple(name for name, *_ in found)
    more = f"; sweep= takes a number or a name, such as {names[-1]!r} (group/series/sweep)" if len(contents) > 1 else ""
    return Contents(path, FORMAT, len(found), sweep, alike, names, ("; ".join(contents) + more,))


def _trees(path: Path) -> tuple[Record, Record]:
    """What was recorded, and the stimuli."""
    with open(path, "rb") as file:
        head = file.read(HEADER)
    signature = head[:4]
    if signature != b"DAT2":
        if signature in (b"DAT1", b"DATA"):
            raise Unreadable(
                "its traces and stimuli are in files of their own (.pul, .pgf); open it in PatchMaster and save it as "
                "a bundle (Configuration: create bundled files)"
            )
        raise Unreadable("it is not a file of PatchMaster")
    order = "<" if head[52:53] != b"\0" else ">"
    places = {}
    for k in range(12):
        begin, length = unpack(order + "ii", head, 64 + 16 * k)
        if length > 0:
            places[text(head[72 + 16 * k : 80 + 16 * k])] = (begin, length)
    if ".pul" not in places:
        raise Unreadable("its bundle holds no description of traces (.pul)")
    recorded = _tree(path, *places[".pul"], levels=5)
    if ".pgf" not in places:
        return recorded, Record(b"", order, ())
    return recorded, _tree(path, *places[".pgf"], levels=4)


def _tree(path: Path, begin: int, length: int, levels: int) -> Record:
    with open(path, "rb") as file:
        file.seek(max(begin, 0))
        data = file.read(min(length, path.stat().st_size)) if begin >= HEADER else b""
    order = {b"Tree": ">", b"eerT": "<"}.get(data[:4])
    if order is None or unpack(order + "i", data, 4) != levels:
        raise Unreadable("it is damaged or cut short")
    sizes = unpack(f"{order}{levels}i", data, 8)
    place = 8 + 4 * levels

    def node(level: int) -> Record:
        nonlocal place
        size = sizes[level]
        count = unpack(order + "i", data, place + size) if size >= 0 else -1
        record = data[place : place + size]
        place += size + 4
        # Each child takes at least the four bytes of its own count.
        if not 0 <= count <= (len(data) - place) // 4 or (count and level == levels - 1):
            raise Unreadable("it is damaged or cut short")
        return Record(record, order, tuple(node(level + 1) for _ in range(count)))

    return node(0)


def _sweep(path: Path, series: Record, place: int, record: Record, stimuli: Record) -> FileSweep:
    traces = [trace for trace in record.children if not trace.integer("h", 64) & LEAK]
    if not traces:
        raise Unreadable("a sweep holds nothing but leak traces")
    recorded, said = [], []
    for k, trace in enumerate(traces):
        name = trace.text(4, 32) or f"trace {k + 1}"
        recorded.append(Signal(name, trace.text(96, 8), k, partial(_samples, path, trace)))
        if trace.integer("h", 64) & CLIPPED:
            said.append(f"the amplifier clipped {name}")
        if trace.number("d", 504):
            said.append(f"{name} has a pedestal of {trace.number('d', 504):g}, which was not added")
    voltages = [k for k, signal in enumerate(recorded) if signal.unit.endswith("V")]
    main = traces[voltages[0] if voltages else 0]
    n, dt = main.integer("i", 44), main.number("d", 104)
    if not (n > 1 and 0 < dt <= 100.0 and main.text(120, 8) in ("s", "")):
        raise Unreadable(f"a sweep has {n} samples every {dt:g} {main.text(120, 8)}")
    if n > path.stat().st_size:
        raise Unreadable("it is damaged or cut short")
    number = record.integer("i", 44) - 1  # of the sweep in its series
    number = number if number >= 0 else place
    commanded = tuple(_commands(main, record, number, n, dt, voltages, stimuli))
    notes = []
    if len(series.children) < series.integer("i", 120):
        notes.append(f"the series was stopped after {len(series.children)} of {series.integer('i', 120)} sweeps")
    return FileSweep(np.arange(n) * dt * 1e3, tuple(recorded), commanded, notes=tuple(notes), warnings=tuple(said))


def _samples(path: Path, trace: Record) -> np.ndarray:
    """The samples of a trace in its unit; the zero current that PatchMaster shows subtracted is not."""
    begin, n, kind = trace.integer("i", 40), trace.integer("i", 44), trace.integer("b", 70)
    scale = trace.number("d", 72)
    if not 0 <= kind < len(KINDS) or not abs(scale) < LARGEST or n > path.stat().st_size:
        raise ValueError(f"{path.name} cannot be read as {FORMAT}: it is damaged")
    dtype = ("<" if trace.integer("h", 64) & 1 else ">") + KINDS[kind]
    size = np.dtype(dtype).itemsize
    block, skip = trace.integer("i", 292), trace.integer("i", 296)
    if block <= 0 or skip <= 0 or block >= n * size:
        return samples(path, dtype, begin, n) * scale
    # Blocks of several traces take turns; `skip` leads from the beginning of one block to that of the next.
    if skip < block or block % size:
        raise ValueError(f"{path.name} cannot be read as {FORMAT}: blocks of {block} bytes every {skip}")
    blocks, rest = divmod(n * size, block)
    length = (blocks - 1) * skip + block if not rest else blocks * skip + rest
    raw = samples(path, "u1", begin, length)
    full = np.pad(raw, (0, -len(raw) % skip)).reshape(-1, skip)[:, :block].ravel()[: n * size]
    return np.frombuffer(full.tobytes(), dtype) * scale


def _commands(
    main: Record, record: Record, number: int, n: int, dt: float, voltages: list[int], stimuli: Record
) -> list[Signal]:
    """What the channels of the sweep's stimulus commanded."""
    which = record.integer("i", 40) - 1
    if not 0 <= which < len(stimuli.children):
        return []
    stimulus = stimuli.children[which]
    number_of_input = voltages[0] if voltages else 0
    signals: list[Signal] = []
    outputs = set()
    for channel in stimulus.children:
        output = channel.integer("h", 28)
        # A channel that only records follows the segments of another, or drives no output.
        if output in outputs or not channel.children or channel.integer("i", 4) > 0 and signals:
            continue
        outputs.add(output)
        unit = {"A": "nA", "V": "V"}.get(channel.text(40, 8), channel.text(40, 8))
        clamped = channel.integer("b", 25) != CC_MODE and main.integer("b", 68) != CURRENT_CLAMP
        name = f"{stimulus.text(4, 32) or 'stimulus'} (DA {output})"
        try:
            if unit == "V" and not clamped:
                volts = "its stimulus is in volts at the output"
                raise Unreadable(f"{volts}, and the file does not say how many pA a volt is")
            values = _segments(channel, stimulus, number, n, dt)
            signals.append(Signal(name, unit, number_of_input, partial(np.asarray, values)))
        except Unreadable as fault:
            # Nothing commands a voltage in current clamp: what is missing is a current.
            signals.append(absent(name, unit if clamped else "nA", number_of_input, str(fault)))
    return signals


def _segments(channel: Record, stimulus: Record, number: int, n: int, dt: float) -> np.ndarray:
    """The command of a sweep, (n,) in V or nA; Unreadable with the reason if it cannot be told."""
    flags = channel.integer("h", 76)
    if not flags & 1:
        raise Unreadable("the scale of its stimulus is the user's own, and not in the file")
    if flags & 4:
        raise Unreadable("its stimulus is a template in a file of its own")
    if flags & ~3:
        raise Unreadable("its stimulus is scaled or made by an extension of PatchMaster")
    count = stimulus.integer("i", 144)
    if not 0 <= number < count <= 10**6:
        raise Unreadable(f"its stimulus has {count} sweeps, and this is number {number + 1}")
    holding, relative = channel.number("d", 48), bool(flags & 2)
    level, parts, total = holding, [], 0
    for k, segment in enumerate(channel.children, 1):
        kind = segment.integer("b", 4)
        store = segment.integer("b", 5)
        if kind not in (CONSTANT, RAMP):
            what = CLASSES[kind] if 0 <= kind < 6 else "of an unknown kind"
            raise Unreadable(f"segment {k} of its stimulus is {what}")
        if segment.integer("i", 16) not in (0, 1) or segment.integer("i", 44) != 0:
            raise Unreadable(f"segment {k} of its stimulus takes its value from a parameter")
        value = holding
        if segment.integer("i", 16) == 0:
            value = _step(segment, number, count, k, 6, 8, 20, 28) + (holding if relative else 0.0)
        duration = _step(segment, number, count, k, 7, 36, 48, 56)
        length = round(duration / dt) if 0 <= duration / dt < 10 * n + 10**6 else -1
        if length < 0 or not abs(value) < LARGEST:
            raise Unreadable(f"segment {k} of its stimulus lasts {duration:g} s at {value:g}")
        if store == STORED:
            total += length
            if total > 2 * n + 10**6:
                raise Unreadable("its stimulus is much longer than what was recorded")
            parts.append(np.linspace(level, value, length, endpoint=False) if kind == RAMP else np.full(length, value))
        if length:
            level = value
    command = np.concatenate(parts) if parts else np.empty(0)
    if len(command) < n - max(2, len(parts)):
        raise Unreadable(f"its stimulus has {len(command)} samples, but {n} were recorded")
    if len(command) < n:  # each segment is rounded to whole samples
        command = np.append(command, np.full(n - len(command), command[-1]))
    return command[:n]


def _step(segment: Record, number: int, count: int, k: int, mode: int, *places: int) -> float:
    """Level or duration of a segment in a sweep; the places of its mode, base, factor and increment are given."""
    how = segment.integer("b", mode)
    base, factor, more = (segment.number("d", place) for place in places)
    if factor not in (0.0, 1.0):  # 0 where the field was never set
        raise Unreadable(f"segment {k} of its stimulus grows by a factor from sweep to sweep")
    if more == 0.0:
        return base
    if how == INCREASE:
        return base + number * more
    if how == DECREASE:
        return base + (count - 1 - number) * more
    if how == ALTERNATE:
        return base + (number // 2 if number % 2 == 0 else count - 1 - number // 2) * more
    raise Unreadable(f"segment {k} of its stimulus changes its order from sweep to sweep (increment mode {how})")
