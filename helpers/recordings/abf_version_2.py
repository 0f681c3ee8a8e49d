"""Axon Binary Format 2: a table of sections, each of entries of one kind."""

from __future__ import annotations

import struct
from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from .abf_fields import (
    BLOCK,
    AbfHeader,
    Epoch,
    Input,
    Output,
    StimulusFile,
    copy_of,
    finite,
    held_outputs,
    lengths_of,
    need,
    positive,
    reader,
    scale_of,
    sweeps_of,
    user_list,
)

__all__ = ["read_version_2"]


SECTIONS = (
    "Protocol ADC DAC Epoch ADCPerDAC EpochPerDAC UserList StatsRegion Math Strings Data Tag Scope Delta VoiceTag "
    "SynchArray Annotation Stats"
).split()


def read_version_2(path: Path, data: mmap, size: int) -> AbfHeader:
    """Read the header of a file of version 2. Raises Damaged, struct.error or IndexError if it is damaged."""
    get = reader(data)
    version = get(7, "b") + get(6, "b") / 10.0
    places = {name: get(76 + 16 * k, "IIq") for k, name in enumerate(SECTIONS)}
    for name in ("Protocol", "ADC", "DAC", "EpochPerDAC", "UserList", "Data", "SynchArray", "Strings", "Delta"):
        block, entry, number = places[name]
        end = BLOCK * block + entry * (1 if name == "Strings" else number)
        need(number >= 0 and (not number or end <= size), f"section {name} lies outside the file")

    def entries(name: str) -> list[Callable[..., Any]]:
        block, entry, number = places[name]
        need(number <= 10_000, f"section {name} is too long")
        return [reader(data, BLOCK * block + entry * k) for k in range(number)]

    need(places["Protocol"][2] >= 1, "no protocol section")
    protocol = entries("Protocol")[0]
    mode, interval = protocol(0, "h"), protocol(2, "f")
    need(positive(interval), "no sampling interval")
    if protocol(6, "b"):
        raise ValueError(f"{path.name}: its samples are compressed, which cannot be read: save it without in Clampfit")
    strings = _strings(data, places["Strings"])

    def text(index: int) -> str:
        return strings[index - 1] if 0 < index <= len(strings) else ""

    dtype = {0: "<i2", 1: "<f4"}.get(get(30, "H"))
    block, width_of_sample, count = places["Data"]
    need(dtype is not None and np.dtype(dtype).itemsize == width_of_sample and count > 0, "no samples")
    inputs = _inputs_2(entries("ADC"), protocol, text)
    width = len(inputs)
    outputs = _outputs_2(entries("DAC"), entries("EpochPerDAC"), protocol, text, width)
    n_epochs = 50 if version > 2.65 else 10
    lists = tuple(
        user_list(x(0, "h"), x(4, "h"), n_epochs, text(x(8, "i")), bool(x(6, "h"))) for x in entries("UserList")
    )
    synch = places["SynchArray"]
    sweeps = sweeps_of(
        mode, count, width, get(12, "I"), lengths_of(path, size, BLOCK * synch[0], synch[2]), protocol(14, "f")
    )
    delta = places["Delta"]
    held = held_outputs(path, size, BLOCK * delta[0], delta[2])
    return AbfHeader(
        path, version, mode, interval, inputs, outputs, sweeps, max(protocol(30, "i"), 0), protocol(34, "i"),
        bool(protocol(182, "h")), lists, BLOCK * block, str(dtype), held, text(get(60, "I")),
    )  # fmt: skip


def _strings(data: mmap, place: tuple[int, int, int]) -> list[str]:
    """The texts to which the other sections point, from 1 on."""
    block, size, _ = place
    raw = data[BLOCK * block : BLOCK * block + size]
    total = struct.unpack_from("<I", raw, 16)[0] if raw[:4] == b"SSCH" and len(raw) >= 20 else 0
    need(0 < total <= len(raw) - 20, "no names")
    return [text.decode("latin-1").strip() for text in raw[len(raw) - total :].split(b"\0")]


def _inputs_2(
    sections: list[Callable[..., Any]], protocol: Callable[..., Any], text: Callable[[int], str]
) -> tuple[Input, ...]:
    need(len(sections) >= 1, "no inputs")
    inputs = []
    signal = protocol(138, "h") != 0
    for get in sections:
        gain = get(40, "f") * get(28, "f")
        if signal:
            gain *= get(48, "f")
        if get(2, "h"):
            gain *= get(6, "f")
        offset = get(44, "f") - (get(52, "f") if signal else 0.0)
        scale = scale_of(protocol(110, "f"), protocol(118, "i"), gain)
        name = text(get(74, "i")) or f"IN {get(0, 'h')}"
        inputs.append(Input(get(0, "h"), name, text(get(78, "i")), scale, finite(offset), get(14, "f")))
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
            copy_of(get(32, "i"), get(36, "i"), width, (protocol(114, "f"), protocol(122, "i"), get(8, "f")),
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
