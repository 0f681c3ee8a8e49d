"""What the header of a file in Axon Binary Format says, in one form for both versions, and what reading it needs."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "BLOCK",
    "EPISODIC",
    "GAP_FREE",
    "MODES",
    "AbfHeader",
    "Damaged",
    "Epoch",
    "Input",
    "Output",
    "StimulusFile",
    "UserList",
    "copy_of",
    "finite",
    "held_outputs",
    "lengths_of",
    "need",
    "positive",
    "reader",
    "scale_of",
    "sweeps_of",
    "user_list",
]

GAP_FREE, EPISODIC = 3, 5
MODES = {
    1: "variable-length events",
    2: "fixed-length events",
    GAP_FREE: "gap-free",
    4: "high-speed oscilloscope",
    EPISODIC: "episodic stimulation",
}
BLOCK = 512
# What a user list can vary, before what it can vary in an epoch; the numbers are those in the header.
LISTED = (
    "number of conditioning pulses",
    "duration of the conditioning baseline",
    "level of the conditioning baseline",
    "duration of the conditioning step",
    "level of the conditioning step",
    "duration after the conditioning train",
    "level after the conditioning train",
    "time between sweeps",
    "holding level of the other output",
    "digital holding pattern",
    "number of P/N pulses",
)
LISTED_IN_EPOCHS = ("digital pattern", "level", "duration", "train period", "pulse width")


@dataclass(frozen=True)
class Input:
    """An input that was recorded: value = gain · count + offset, in `unit`. number: of the converter's socket."""

    number: int
    name: str
    unit: str
    gain: float
    offset: float
    capacitance: float  # of the cell, as the amplifier reported it [pF]; 0 if it did not


@dataclass(frozen=True)
class Epoch:
    """A column of the waveform table: `kind` 1 step, 2 ramp, 3 pulses, 4 triangles, 5 cosines, 7 biphasic pulses.

    Durations, period and width are samples of one channel. The steps are added once per sweep.
    """

    number: int
    kind: int
    level: float
    level_step: float
    duration: int
    duration_step: int
    period: int
    width: int

    @property
    def letter(self) -> str:
        """As the waveform editor names it."""
        return chr(65 + self.number % 26)


@dataclass(frozen=True)
class StimulusFile:
    """A file that was the waveform: command = scale · its value + offset.

    sweep: the one that was used, counted from 1; 0 for all in turn. copy: what was output, from the ABF file itself, as
    the place of its first sample, its number of sweeps, and the factor and offset of counts; None if there is none.
    """

    name: str
    scale: float
    offset: float
    sweep: int
    input: int
    copy: tuple[int, int, float, float] | None


@dataclass(frozen=True)
class Output:
    """An output and its waveform.

    source: 0 none, 1 epochs, 2 a file, -1 one that the header does not describe any more. described: False where the
    format has no room for a waveform. keeps_level: between sweeps it stays at the level of the last epoch.
    conditioned: the level after a conditioning train that came before each sweep, or None without one.
    """

    number: int
    name: str
    unit: str
    holding: float
    source: int
    keeps_level: bool = False
    epochs: tuple[Epoch, ...] = ()
    file: StimulusFile | None = None
    conditioned: tuple[float, float] | None = None
    leak_subtracted: bool = False
    described: bool = True


@dataclass(frozen=True)
class UserList:
    """A list that gives one parameter of an output a value in each sweep; used up, the last stays or all repeat."""

    output: int
    parameter: str
    epoch: int | None
    text: str
    repeats: bool


@dataclass(frozen=True, eq=False)
class AbfHeader:
    """The header of a file.

    sweeps: first sample and number of samples of each, per channel. interval: between samples of a channel [µs].
    planned, runs: sweeps in the protocol, and of how many runs of it each is the average. held: outputs whose holding
    level was changed during the recording.
    """

    path: Path
    version: float
    mode: int
    interval: float
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    sweeps: tuple[tuple[int, int], ...]
    planned: int
    runs: int
    alternating: bool
    user_lists: tuple[UserList, ...]
    begin: int
    dtype: str
    held: tuple[int, ...] = ()
    creator: str = ""

    @property
    def dt(self) -> float:
        """Interval between the samples of a channel [ms]."""
        return self.interval / 1e3

    def times(self, sweep: int) -> np.ndarray:
        """Return the times of the samples of a sweep from its beginning, (n,) [ms]."""
        return np.arange(self.sweeps[sweep][1]) * self.interval / 1e3

    def samples(self, sweep: int, channel: int) -> np.ndarray:
        """Return what one input recorded during a sweep, (n,) in its unit."""
        first, n = self.sweeps[sweep]
        width, size = len(self.inputs), np.dtype(self.dtype).itemsize
        values = np.fromfile(self.path, self.dtype, width * n, offset=self.begin + size * width * first)
        found = self.inputs[channel]
        values = values.reshape(n, width)[:, channel].astype(float)
        return values * found.gain + found.offset if self.dtype == "<i2" else values


class Damaged(Exception):
    """What is wrong with a header."""


def need(right: bool, why: str) -> None:
    """Raise Damaged, with the reason, unless something is right."""
    if not right:
        raise Damaged(why)


def reader(data: mmap, begin: int = 0) -> Callable[..., Any]:
    """A function (offset, format) that gives one value, or a tuple of several."""

    def get(offset: int, form: str) -> Any:
        found = struct.unpack_from("<" + form, data, begin + offset)
        return found[0] if len(found) == 1 else found

    return get


def positive(x: float) -> bool:
    """Whether a number of the header can be an interval or a range."""
    return bool(np.isfinite(x) and 0.0 < x < 1e9)


def finite(x: float) -> float:
    """Return an offset, which must be a number."""
    need(bool(np.isfinite(x)), "an offset that is not a number")
    return x


def scale_of(full: float, resolution: int, gain: float) -> float:
    """Units per count of the converter."""
    need(np.isfinite(gain) and gain != 0.0 and resolution > 0 and positive(full), "an input without a gain")
    return float(full / (resolution * gain))


def user_list(output: int, code: int, n_epochs: int, text: str, repeats: bool) -> UserList:
    """Name what a user list varies: 11 numbers for what concerns no epoch, then `n_epochs` for each of the others."""
    if code > len(LISTED) + 5 * 10 - 1:
        n_epochs = 50
    if 0 <= code < len(LISTED):
        return UserList(output, LISTED[code], None, text, repeats)
    kind, epoch = divmod(code - len(LISTED), n_epochs)
    need(0 <= kind < len(LISTED_IN_EPOCHS), "a user list of an unknown parameter")
    return UserList(output, LISTED_IN_EPOCHS[kind], epoch, text, repeats)


def copy_of(
    block: int, n_sweeps: int, width: int, dac: tuple[float, int, float], calibration: tuple[float, float]
) -> tuple[int, int, float, float] | None:
    """Where the file keeps what an output was given, and how its counts become units; None if it does not."""
    full, resolution, scale = dac
    if block <= 0 or n_sweeps <= 0 or width != 1 or resolution <= 0:
        return None
    per_count = full / resolution * scale * calibration[0]
    return (BLOCK * block, n_sweeps, per_count, calibration[1]) if np.isfinite(per_count) and per_count else None


def lengths_of(path: Path, size: int, begin: int, number: int) -> np.ndarray:
    """The lengths of the sweeps, in samples of all channels together; empty if the file does not say."""
    if number <= 0:
        return np.empty(0, dtype=int)
    need(0 < begin and begin + 8 * number <= size, "the lengths of the sweeps lie outside the file")
    return np.fromfile(path, "<i4", 2 * number, offset=begin).reshape(number, 2)[:, 1].astype(int)


def sweeps_of(
    mode: int, count: int, width: int, actual: int, lengths: np.ndarray, unit: float
) -> tuple[tuple[int, int], ...]:
    """First sample and number of samples of each sweep, per channel."""
    need(mode in MODES, "an unknown mode of acquisition")
    if mode == GAP_FREE or (not len(lengths) and actual <= 1):
        return ((0, count // width),)
    if not len(lengths):
        need(0 < actual <= count // width, "more sweeps than samples")
        each = count // width // actual
        return tuple((k * each, each) for k in range(actual))
    if mode == 1 and lengths.sum() != count and positive(unit):
        lengths = np.rint(lengths / unit).astype(int)  # some programs count time, not samples
    need(bool((lengths > 0).all()) and int(lengths.sum()) <= count, "sweeps longer than the file")
    lengths = lengths[: actual or None] // width
    need(bool((lengths > 1).all()), "sweeps without samples")
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return tuple(zip(first.tolist(), lengths.tolist(), strict=True))


def held_outputs(path: Path, size: int, begin: int, number: int) -> tuple[int, ...]:
    """The outputs whose holding level was changed during the recording: parameters 0 to 3 of the list of changes."""
    if number <= 0 or begin <= 0:
        return ()
    need(begin + 12 * number <= size, "the list of changes lies outside the file")
    found = np.fromfile(path, "<i4", 3 * number, offset=begin).reshape(number, 3)[:, 1]
    return tuple(k for k in range(4) if k in found)
