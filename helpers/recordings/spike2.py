"""Spike2 (.smr): waveform channels of the 32-bit SON format; what was commanded is not in the file.

The format is CED's "SON filing system". Every channel is a chain of blocks, each with the times of its first and last
sample in ticks of the file's clock; where sampling paused, the next block begins late, and a new sweep with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .binary import Unreadable, refusing, text, unpack
from .contents import Contents, FileSweep, Signal
from .conversion import VOLTAGE, factor

__all__ = ["open_smrx", "open_spike2"]

FORMAT = "Spike2"
HEADER, CHANNEL, BLOCK = 512, 140, 20  # bytes of the header of the file, of a channel and of a block
ADC, REAL = 1, 9  # kinds of channels that are waveforms: integers, and floats
MOST_CHANNELS = 451
BIG_FILE = 9  # the version in which blocks are counted, not bytes


@dataclass(frozen=True)
class Run:
    """Samples of a channel without a pause: when they begin [ticks], and where (place, number) in the file."""

    begin: int
    blocks: tuple[tuple[int, int], ...]

    @property
    def n(self) -> int:
        """How many samples there are."""
        return sum(count for _, count in self.blocks)


@dataclass(frozen=True)
class Channel:
    """A waveform channel; `every` is its sampling interval [ticks]."""

    number: int
    name: str
    unit: str
    dtype: str
    scale: float
    offset: float
    every: int
    runs: tuple[Run, ...]


def open_smrx(path: Path) -> Contents:
    """Refuse a file in Spike2's 64-bit format, which CED's own library alone reads."""
    raise ValueError(
        f"{path.name} is in Spike2's 64-bit format, which cannot be read here: in Spike2, export it as 32-bit data "
        "(File, Export As, .smr) or as text"
    )


def open_spike2(path: Path) -> Contents:
    """Open a 32-bit data file of Spike2.

    A sweep is what the first voltage channel sampled without a pause; other channels belong to it where they begin
    within a sample of it. Raises ValueError, with the file's name, for a file that is damaged or of another format.
    """
    with refusing(path, FORMAT):
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        tick, channels = _channels(data)
        if not channels:
            raise Unreadable("it has no waveform channels")
        main = next((x for x in channels if factor(VOLTAGE, x.unit)), channels[0])
        del data  # so that nothing keeps the file open

    def sweep(k: int) -> FileSweep:
        own = main.runs[k]
        signals, lengths, notes = [], [own.n], []
        for channel in channels:
            run = next((x for x in channel.runs if abs(x.begin - own.begin) <= main.every), None)
            if run is None:
                notes.append(f"{channel.name!r} was not sampled from the beginning of this sweep and is left out")
                continue
            signals.append((channel, run))
            if channel.every == main.every and run.n >= 0.9 * own.n:
                lengths.append(run.n)
        n = min(lengths)  # sampling of channels does not stop at one sample
        recorded = tuple(
            Signal(x.name, x.unit, x.number, partial(_samples, path, x, run, n if x.every == main.every else run.n))
            for x, run in signals
        )
        return FileSweep(np.arange(n) * main.every * tick * 1e3, recorded, notes=tuple(notes))

    return Contents(path, FORMAT, len(main.runs), sweep)


def _channels(data: np.ndarray) -> tuple[float, list[Channel]]:
    """The duration of a tick [s], and the waveform channels."""
    head = data[:HEADER].tobytes()
    order = next((o for o in "<>" if len(head) == HEADER and 1 <= unpack(o + "h", head, 0) <= BIG_FILE), None)
    if order is None or b"CED" not in head[2:12]:
        raise Unreadable("it is not a 32-bit data file of Spike2")
    version, count = unpack(order + "h", head, 0), unpack(order + "h", head, 30)
    base = unpack(order + "d", head, 44) if version >= 6 else 1e-6
    per_tick, per_adc = unpack(order + "hh", head, 20)
    tick = per_tick * base
    if not (1e-9 <= tick <= 1.0 and 0 <= count <= MOST_CHANNELS):
        raise Unreadable("it is damaged or cut short")
    channels = []
    for k in range(count):
        begin = HEADER + CHANNEL * k
        head = data[begin : begin + CHANNEL].tobytes()
        kind = unpack("B", head, 122)
        if kind not in (ADC, REAL):
            continue
        divide = unpack(order + "h", head, 138) * per_adc if version < 6 else unpack(order + "i", head, 102)
        name, unit = _pascal(head[108:118]) or f"channel {k + 1}", _pascal(head[132:138])
        scale, offset = unpack(order + "ff", head, 124) if kind == ADC else (6553.6, 0.0)
        dtype = order + ("i2" if kind == ADC else "f4")
        if not (divide > 0 and np.isfinite([scale, offset]).all()):
            raise Unreadable("it is damaged or cut short")
        first, blocks = unpack(order + "i", head, 6), unpack(order + "H", head, 14)
        runs = tuple(_runs(data, order, first, blocks, HEADER if version == BIG_FILE else 1, divide, np.dtype(dtype)))
        if runs:
            channels.append(Channel(k + 1, name, unit, dtype, scale / 6553.6, offset, divide, runs))
    return tick, channels


def _pascal(data: bytes) -> str:
    """A text that begins with its length."""
    return text(data[1 : 1 + data[0]])


def _runs(
    data: np.ndarray, order: str, place: int, count: int, unit: int, every: int, dtype: np.dtype
) -> Iterator[Run]:
    """The stretches of a channel's chain of blocks that follow each other without a pause."""
    begin, end = 0, 0
    found: list[tuple[int, int]] = []
    for _ in range(count):
        at = place * unit
        head = data[at : at + BLOCK].tobytes() if HEADER <= at < len(data) else b""
        place, start, stop = unpack(order + "iii", head, 4)
        items = unpack(order + "H", head, 18)
        if not items or stop < start or at + BLOCK + items * dtype.itemsize > len(data):
            raise Unreadable("it is damaged or cut short")
        if abs((stop - start) - (items - 1) * every) > every:
            raise Unreadable(f"a block of {items} samples lasts {stop - start} ticks, of {every} ticks a sample")
        if found and not 0 < start - end <= 1.5 * every:
            yield Run(begin, tuple(found))
            found = []
        if not found:
            begin = start
        found.append((at + BLOCK, items))
        end = stop
    if found:
        yield Run(begin, tuple(found))


def _samples(path: Path, channel: Channel, run: Run, n: int) -> np.ndarray:
    """The first n samples of a run in the channel's unit."""
    with refusing(path, FORMAT):
        parts = [np.fromfile(path, channel.dtype, count, offset=place) for place, count in run.blocks]
        values = np.concatenate(parts)[:n].astype(float)
        return values * channel.scale + channel.offset
