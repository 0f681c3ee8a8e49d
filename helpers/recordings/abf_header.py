"""What the header of a file in Axon Binary Format says; versions 1 and 2 are read into the same form.

The places of the fields are those of Axon's file support package: version 1 has one header of 2 kB (up to 1.5) or 6 kB,
version 2 a table of sections.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "EPISODIC",
    "GAP_FREE",
    "MODES",
    "AbfHeader",
    "Epoch",
    "Input",
    "Output",
    "StimulusFile",
    "UserList",
    "read_header",
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


def read_header(path: Path) -> AbfHeader:
    """Read the header. Raises ValueError, with the file's name, for a file that is damaged, cut short or not ABF."""
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path.name} is empty")
    versions = {b"ABF ": _read_1, b"ABF2": _read_2}
    try:
        with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            read = versions.get(data[:4])
            if read is None:
                raise ValueError(f"{path.name} cannot be read as ABF: it is not an ABF file")
            return read(path, data, size)
    except _Damaged as error:
        raise ValueError(f"{path.name} cannot be read as ABF: it is damaged or cut short ({error})") from None
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"{path.name} cannot be read as ABF: it is damaged or cut short") from error


class _Damaged(Exception):
    """What is wrong with a header."""


def _need(right: bool, why: str) -> None:
    if not right:
        raise _Damaged(why)


def _reader(data: mmap, begin: int = 0) -> Callable[..., Any]:
    """A function (offset, format) that gives one value, or a tuple of several."""

    def get(offset: int, form: str) -> Any:
        found = struct.unpack_from("<" + form, data, begin + offset)
        return found[0] if len(found) == 1 else found

    return get


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1").strip()


# ---- version 1


def _read_1(path: Path, data: mmap, size: int) -> AbfHeader:
    get = _reader(data)
    version, mode = get(4, "f"), get(8, "h")
    _need(0.0 < version < 2.0, "no version")
    width = get(120, "h")
    _need(1 <= width <= 16, "no inputs")
    first, second = get(122, "2f")
    _need(_positive(first), "no sampling interval")
    if mode == EPISODIC and second not in (0.0, first) and _positive(second):
        raise ValueError(
            f"{path.name}: a sweep was sampled every {first * width:g} and then every {second * width:g} µs; only even "
            "sampling can be read: resample it in Clampfit"
        )
    begin = BLOCK * get(40, "i")
    dtype = {0: "<i2", 1: "<f4"}.get(get(100, "h"))
    _need(dtype is not None, "an unknown format of samples")
    begin += get(14, "h") * np.dtype(dtype).itemsize
    count = get(10, "i")
    _need(0 < begin and 0 < count and begin + np.dtype(dtype).itemsize * count <= size, "samples outside the file")
    spans = _synchronised(path, size, BLOCK * get(92, "i"), get(96, "i"))
    sweeps = _sweeps(mode, count, width, get(16, "i"), spans, get(130, "f"))
    extended = version > 1.55 and get(40, "i") >= 12  # 6 kB
    outputs = _outputs_1(get, extended, count, width)
    lists = _user_lists_1(get, extended)
    held = _deltas(path, size, BLOCK * get(72, "i"), get(76, "i"))
    planned, runs = max(get(146, "i"), 0), get(150, "i")
    alternating = extended and bool(get(5876, "h"))
    creator = _text(get(294, "16s"))
    inputs = _inputs_1(get, extended, width)
    return AbfHeader(
        path, version, mode, first * width, inputs, outputs, sweeps, planned, runs, alternating, lists, begin,
        str(dtype), held, creator,
    )  # fmt: skip


def _inputs_1(get: Callable[..., Any], extended: bool, width: int) -> tuple[Input, ...]:
    sequence = list(get(410, "16h")[:width])
    if len(set(sequence)) < width or not all(0 <= k < 16 for k in sequence):
        sequence = list(range(width))  # not filled in
    signal = get(1410, "h") != 0
    inputs = []
    for k in sequence:
        gain = get(922 + 4 * k, "f") * get(730 + 4 * k, "f")
        if signal:
            gain *= get(1050 + 4 * k, "f")
        if extended and get(4512 + 2 * k, "h"):
            gain *= get(4576 + 4 * k, "f")
        offset = get(986 + 4 * k, "f") - (get(1114 + 4 * k, "f") if signal else 0.0)
        name, unit = _text(get(442 + 10 * k, "10s")), _text(get(602 + 8 * k, "8s"))
        scale = _scale(get(244, "f"), get(252, "i"), gain)
        capacitance = get(4704 + 4 * k, "f") if extended else 0.0
        inputs.append(Input(k, name or f"IN {k}", unit, scale, _finite(offset), capacitance))
    return tuple(inputs)


def _outputs_1(get: Callable[..., Any], extended: bool, count: int, width: int) -> tuple[Output, ...]:
    outputs = []
    active = get(1440, "h")
    for k in range(4):
        name, unit = _text(get(1306 + 10 * k, "10s")), _text(get(1346 + 8 * k, "8s"))
        holding = get(1394 + 4 * k, "f")
        keeps, conditioned, leak, source = False, None, False, 0
        epochs: list[Epoch] = []
        file = None
        if extended and k < 2:
            source = (get(2300 + 2 * k, "h") or -1) if get(2296 + 2 * k, "h") else 0
            keeps = bool(get(2304 + 2 * k, "h"))
            leak = bool(get(4456 + 2 * k, "h"))
            if get(3260 + 2 * k, "h"):
                conditioned = get(3304 + 4 * k, "f"), get(3312 + 4 * k, "f")
            for e in range(10):
                at = 10 * k + e
                epoch = (get(2308 + 2 * at, "h"), get(2348 + 4 * at, "f"), get(2428 + 4 * at, "f"))
                epochs.append(
                    Epoch(e, *epoch, *(get(place + 4 * at, "i") for place in (2508, 2588, 2136, 2216)))
                )
            file = StimulusFile(
                _text(get(2736 + 256 * k, "256s")), get(2708 + 4 * k, "f"), get(2716 + 4 * k, "f"),
                get(2724 + 4 * k, "i"), get(2732 + 2 * k, "h"),
                _copy(get(2048 + 4 * k, "i"), get(2056 + 4 * k, "i"), width,
                      (get(248, "f"), get(256, "i"), get(1378 + 4 * k, "f")),
                      (get(2074 + 4 * k, "f"), get(2090 + 4 * k, "f"))),
            )  # fmt: skip
        elif not extended and k == active:
            source, keeps = get(1438, "h"), bool(get(1442, "h"))
            leak = bool(get(1932, "h"))
            if get(1718, "h"):
                conditioned = get(1740, "f"), get(1744, "f")
            for e in range(10):
                epoch = (get(1444 + 2 * e, "h"), get(1464 + 4 * e, "f"), get(1504 + 4 * e, "f"))
                epochs.append(Epoch(e, *epoch, get(1544 + 2 * e, "h"), get(1564 + 2 * e, "h"), 0, 0))
            scaling = get(1620, "f"), get(1624, "f")
            file = StimulusFile(_text(get(1634, "84s")), *scaling, get(1630, "h"), get(1632, "h"), None)
        outputs.append(
            Output(
                k, name, unit, holding, source, keeps, tuple(x for x in epochs if x.kind),
                file if source == 2 else None, conditioned, leak, described=k < 2 or not extended,
            )
        )  # fmt: skip
    return tuple(outputs)


def _user_lists_1(get: Callable[..., Any], extended: bool) -> tuple[UserList, ...]:
    if not extended:
        if not get(1966, "h"):
            return ()
        return (_user_list(get(1440, "h"), get(1762, "h"), 10, get(1764, "80s").decode("latin-1"), False),)
    lists = []
    for k in range(4):
        if get(3360 + 2 * k, "h"):
            text = get(3376 + 256 * k, "256s").decode("latin-1")
            lists.append(_user_list(k, get(3368 + 2 * k, "h"), 10, text, bool(get(4400 + 2 * k, "h"))))
    return tuple(lists)


# ---- version 2


SECTIONS = (
    "Protocol ADC DAC Epoch ADCPerDAC EpochPerDAC UserList StatsRegion Math Strings Data Tag Scope Delta VoiceTag "
    "SynchArray Annotation Stats"
).split()


def _read_2(path: Path, data: mmap, size: int) -> AbfHeader:
    get = _reader(data)
    version = get(7, "b") + get(6, "b") / 10.0
    places = {name: get(76 + 16 * k, "IIq") for k, name in enumerate(SECTIONS)}
    for name in ("Protocol", "ADC", "DAC", "EpochPerDAC", "UserList", "Data", "SynchArray", "Strings", "Delta"):
        block, entry, number = places[name]
        end = BLOCK * block + entry * (1 if name == "Strings" else number)
        _need(number >= 0 and (not number or end <= size), f"section {name} lies outside the file")

    def entries(name: str) -> list[Callable[..., Any]]:
        block, entry, number = places[name]
        _need(number <= 10_000, f"section {name} is too long")
        return [_reader(data, BLOCK * block + entry * k) for k in range(number)]

    _need(places["Protocol"][2] >= 1, "no protocol section")
    protocol = entries("Protocol")[0]
    mode, interval = protocol(0, "h"), protocol(2, "f")
    _need(_positive(interval), "no sampling interval")
    if protocol(6, "b"):
        raise ValueError(f"{path.name}: its samples are compressed, which cannot be read: save it without in Clampfit")
    strings = _strings(data, places["Strings"])

    def text(index: int) -> str:
        return strings[index - 1] if 0 < index <= len(strings) else ""

    dtype = {0: "<i2", 1: "<f4"}.get(get(30, "H"))
    block, width_of_sample, count = places["Data"]
    _need(dtype is not None and np.dtype(dtype).itemsize == width_of_sample and count > 0, "no samples")
    inputs = _inputs_2(entries("ADC"), protocol, text)
    width = len(inputs)
    outputs = _outputs_2(entries("DAC"), entries("EpochPerDAC"), protocol, text, width)
    n_epochs = 50 if version > 2.65 else 10
    lists = tuple(
        _user_list(x(0, "h"), x(4, "h"), n_epochs, text(x(8, "i")), bool(x(6, "h"))) for x in entries("UserList")
    )
    synch = places["SynchArray"]
    sweeps = _sweeps(
        mode, count, width, get(12, "I"), _synchronised(path, size, BLOCK * synch[0], synch[2]), protocol(14, "f")
    )
    delta = places["Delta"]
    held = _deltas(path, size, BLOCK * delta[0], delta[2])
    return AbfHeader(
        path, version, mode, interval, inputs, outputs, sweeps, max(protocol(30, "i"), 0), protocol(34, "i"),
        bool(protocol(182, "h")), lists, BLOCK * block, str(dtype), held, text(get(60, "I")),
    )  # fmt: skip


def _strings(data: mmap, place: tuple[int, int, int]) -> list[str]:
    """The texts to which the other sections point, from 1 on."""
    block, size, _ = place
    raw = data[BLOCK * block : BLOCK * block + size]
    total = struct.unpack_from("<I", raw, 16)[0] if raw[:4] == b"SSCH" and len(raw) >= 20 else 0
    _need(0 < total <= len(raw) - 20, "no names")
    return [text.decode("latin-1").strip() for text in raw[len(raw) - total :].split(b"\0")]


def _inputs_2(
    sections: list[Callable[..., Any]], protocol: Callable[..., Any], text: Callable[[int], str]
) -> tuple[Input, ...]:
    _need(len(sections) >= 1, "no inputs")
    inputs = []
    signal = protocol(138, "h") != 0
    for get in sections:
        gain = get(40, "f") * get(28, "f")
        if signal:
            gain *= get(48, "f")
        if get(2, "h"):
            gain *= get(6, "f")
        offset = get(44, "f") - (get(52, "f") if signal else 0.0)
        scale = _scale(protocol(110, "f"), protocol(118, "i"), gain)
        name = text(get(74, "i")) or f"IN {get(0, 'h')}"
        inputs.append(Input(get(0, "h"), name, text(get(78, "i")), scale, _finite(offset), get(14, "f")))
    return tuple(inputs)


def _outputs_2(
    sections: list[Callable[..., Any]],
    epochs: list[Callable[..., Any]],
    protocol: Callable[..., Any],
    text: Callable[[int], str],
    width: int,
) -> tuple[Output, ...]:
    outputs = []
    for get in sections:
        number = get(0, "h")
        own = [
            Epoch(x(0, "h"), x(4, "h"), x(6, "f"), x(10, "f"), x(14, "i"), x(18, "i"), x(22, "i"), x(26, "i"))
            for x in epochs
            if x(2, "h") == number and x(4, "h")
        ]
        source = (get(42, "h") or -1) if get(40, "h") else 0
        file = StimulusFile(
            text(get(118, "i")), get(46, "f"), get(50, "f"), get(54, "i"), get(58, "h"),
            _copy(get(32, "i"), get(36, "i"), width, (protocol(114, "f"), protocol(122, "i"), get(8, "f")),
                  (get(16, "f"), get(20, "f"))),
        )  # fmt: skip
        outputs.append(
            Output(
                number, text(get(24, "i")), text(get(28, "i")), get(12, "f"), source, bool(get(44, "h")),
                tuple(sorted(own, key=lambda x: x.number)), file if source == 2 else None,
                (get(82, "f"), get(86, "f")) if get(60, "h") else None, get(92, "h") == 1,
            )
        )  # fmt: skip
    return tuple(outputs)


# ---- what both versions have


def _positive(x: float) -> bool:
    return bool(np.isfinite(x) and 0.0 < x < 1e9)


def _finite(x: float) -> float:
    _need(bool(np.isfinite(x)), "an offset that is not a number")
    return x


def _scale(full: float, resolution: int, gain: float) -> float:
    """Units per count of the converter."""
    _need(np.isfinite(gain) and gain != 0.0 and resolution > 0 and _positive(full), "an input without a gain")
    return float(full / (resolution * gain))


def _user_list(output: int, code: int, n_epochs: int, text: str, repeats: bool) -> UserList:
    """Name what a user list varies: 11 numbers for what concerns no epoch, then `n_epochs` for each of the others."""
    if code > len(LISTED) + 5 * 10 - 1:
        n_epochs = 50
    if 0 <= code < len(LISTED):
        return UserList(output, LISTED[code], None, text, repeats)
    kind, epoch = divmod(code - len(LISTED), n_epochs)
    _need(0 <= kind < len(LISTED_IN_EPOCHS), "a user list of an unknown parameter")
    return UserList(output, LISTED_IN_EPOCHS[kind], epoch, text, repeats)


def _copy(
    block: int, n_sweeps: int, width: int, dac: tuple[float, int, float], calibration: tuple[float, float]
) -> tuple[int, int, float, float] | None:
    """Where the file keeps what an output was given, and how its counts become units; None if it does not."""
    full, resolution, scale = dac
    if block <= 0 or n_sweeps <= 0 or width != 1 or resolution <= 0:
        return None
    per_count = full / resolution * scale * calibration[0]
    return (BLOCK * block, n_sweeps, per_count, calibration[1]) if np.isfinite(per_count) and per_count else None


def _synchronised(path: Path, size: int, begin: int, number: int) -> np.ndarray:
    """The lengths of the sweeps, in samples of all channels together; empty if the file does not say."""
    if number <= 0:
        return np.empty(0, dtype=int)
    _need(0 < begin and begin + 8 * number <= size, "the lengths of the sweeps lie outside the file")
    return np.fromfile(path, "<i4", 2 * number, offset=begin).reshape(number, 2)[:, 1].astype(int)


def _sweeps(
    mode: int, count: int, width: int, actual: int, lengths: np.ndarray, unit: float
) -> tuple[tuple[int, int], ...]:
    """First sample and number of samples of each sweep, per channel."""
    _need(mode in MODES, "an unknown mode of acquisition")
    if mode == GAP_FREE or (not len(lengths) and actual <= 1):
        return ((0, count // width),)
    if not len(lengths):
        _need(0 < actual <= count // width, "more sweeps than samples")
        each = count // width // actual
        return tuple((k * each, each) for k in range(actual))
    if mode == 1 and lengths.sum() != count and _positive(unit):
        lengths = np.rint(lengths / unit).astype(int)  # some programs count time, not samples
    _need(bool((lengths > 0).all()) and int(lengths.sum()) <= count, "sweeps longer than the file")
    lengths = lengths[: actual or None] // width
    _need(bool((lengths > 1).all()), "sweeps without samples")
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return tuple(zip(first.tolist(), lengths.tolist(), strict=True))


def _deltas(path: Path, size: int, begin: int, number: int) -> tuple[int, ...]:
    """The outputs whose holding level was changed during the recording: parameters 0 to 3 of the list of changes."""
    if number <= 0 or begin <= 0:
        return ()
    _need(begin + 12 * number <= size, "the list of changes lies outside the file")
    found = np.fromfile(path, "<i4", 3 * number, offset=begin).reshape(number, 3)[:, 1]
    return tuple(k for k in range(4) if k in found)
