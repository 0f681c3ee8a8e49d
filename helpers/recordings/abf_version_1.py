"""Axon Binary Format 1: one header of 2 kB, from version 1.6 on of 6 kB, with every field at its place."""

from __future__ import annotations

from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from .abf_fields import (
    BLOCK,
    EPISODIC,
    AbfHeader,
    Epoch,
    Input,
    Output,
    StimulusFile,
    UserList,
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
from .binary import text

__all__ = ["read_version_1"]


def read_version_1(path: Path, data: mmap, size: int) -> AbfHeader:
    """Read the header of a file of version 1. Raises Damaged, struct.error or IndexError if it is damaged."""
    get = reader(data)
    version, mode = get(4, "f"), get(8, "h")
    need(0.0 < version < 2.0, "no version")
    width = get(120, "h")
    need(1 <= width <= 16, "no inputs")
    first, second = get(122, "2f")
    need(positive(first), "no sampling interval")
    if mode == EPISODIC and second not in (0.0, first) and positive(second):
        raise ValueError(
            f"{path.name}: a sweep was sampled every {first * width:g} and then every {second * width:g} µs; only even "
            "sampling can be read: resample it in Clampfit"
        )
    begin = BLOCK * get(40, "i")
    dtype = {0: "<i2", 1: "<f4"}.get(get(100, "h"))
    need(dtype is not None, "an unknown format of samples")
    begin += get(14, "h") * np.dtype(dtype).itemsize
    count = get(10, "i")
    need(0 < begin and 0 < count and begin + np.dtype(dtype).itemsize * count <= size, "samples outside the file")
    spans = lengths_of(path, size, BLOCK * get(92, "i"), get(96, "i"))
    sweeps = sweeps_of(mode, count, width, get(16, "i"), spans, get(130, "f"))
    extended = version > 1.55 and get(40, "i") >= 12  # 6 kB
    outputs = _outputs_1(get, extended, count, width)
    lists = _user_lists_1(get, extended)
    held = held_outputs(path, size, BLOCK * get(72, "i"), get(76, "i"))
    planned, runs = max(get(146, "i"), 0), get(150, "i")
    alternating = extended and bool(get(5876, "h"))
    creator = text(get(294, "16s"))
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
        name, unit = text(get(442 + 10 * k, "10s")), text(get(602 + 8 * k, "8s"))
        scale = scale_of(get(244, "f"), get(252, "i"), gain)
        capacitance = get(4704 + 4 * k, "f") if extended else 0.0
        inputs.append(Input(k, name or f"IN {k}", unit, scale, finite(offset), capacitance))
    return tuple(inputs)


def _outputs_1(get: Callable[..., Any], extended: bool, count: int, width: int) -> tuple[Output, ...]:
    outputs = []
    active = get(1440, "h")
    for k in range(4):
        name, unit = text(get(1306 + 10 * k, "10s")), text(get(1346 + 8 * k, "8s"))
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
                text(get(2736 + 256 * k, "256s")), get(2708 + 4 * k, "f"), get(2716 + 4 * k, "f"),
                get(2724 + 4 * k, "i"), get(2732 + 2 * k, "h"),
                copy_of(get(2048 + 4 * k, "i"), get(2056 + 4 * k, "i"), width,
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
            file = StimulusFile(text(get(1634, "84s")), *scaling, get(1630, "h"), get(1632, "h"), None)
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
        return (user_list(get(1440, "h"), get(1762, "h"), 10, get(1764, "80s").decode("latin-1"), False),)
    lists = []
    for k in range(4):
        if get(3360 + 2 * k, "h"):
            listed = get(3376 + 256 * k, "256s").decode("latin-1")
            lists.append(user_list(k, get(3368 + 2 * k, "h"), 10, listed, bool(get(4400 + 2 * k, "h"))))
    return tuple(lists)
