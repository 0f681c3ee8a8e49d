"""Recordings in Axon Binary Format, versions 1 and 2, written from one description: for tests of the reader.

Only the fields that a reader needs are filled in, at the places that Axon's file support package gives them.
"""

import struct
from dataclasses import dataclass, field

import numpy as np

BLOCK = 512
COUNT = 10.0 / 32768 / 0.01  # units per count: ±10 V in 16 bits, 10 mV of output for each unit


@dataclass
class Out:
    """An output. epochs: (kind, level, level step, duration, duration step, period, width), or None for one unused."""

    name: str = "Cmd 0"
    unit: str = "pA"
    holding: float = 0.0
    enabled: bool = True
    source: int = 1
    keeps: bool = False
    epochs: list = field(default_factory=list)
    file: tuple = ("", 1.0, 0.0, 0)  # name, scale, offset, sweep
    copy: np.ndarray | None = None  # counts of what was output, one sweep
    conditioned: tuple | None = None  # duration and level after the train
    leak: bool = False


def abf_file(path, version, sweeps, outputs=(), inputs=(("IN 0", "mV"),), *, mode=5, dt=0.1, planned=None, runs=1,
             lists=(), alternating=False, synchronised=True, gains=None, floats=False, changes=(),
             strings_pad=24):  # fmt: skip
    """Write a file; return its path.

    sweeps: an array (n, n_inputs) or (n,) for each, in units. lists: (output, code, text, repeats). gains: telegraphed,
    by input. changes: (time, parameter, value). strings_pad: bytes before the names in version 2.
    """
    sweeps = [np.asarray(sweep, dtype=float).reshape(-1, len(inputs)) for sweep in sweeps]
    data = np.concatenate([sweep.ravel() for sweep in sweeps])
    scale = np.array([COUNT / gain for gain in gains or [1.0] * len(inputs)])
    if not floats:
        data = np.rint(data.reshape(-1, len(inputs)) / scale).astype("<i2").ravel()
    lengths = [sweep.size for sweep in sweeps]
    parts = {
        "data": data.astype("<f4" if floats else "<i2").tobytes(),
        "synch": b"".join(struct.pack("<ii", 10 * k, n) for k, n in enumerate(lengths)) if synchronised else b"",
        "delta": b"".join(struct.pack("<iif", *change) for change in changes),
        "copy": b"" if not outputs or outputs[0].copy is None else outputs[0].copy.astype("<i2").tobytes(),
    }
    write = {1: _version_1, 2: _version_2}[version]
    given = dict(inputs=inputs, outputs=list(outputs), mode=mode, dt=dt, lengths=lengths, lists=lists, gains=gains,
                 planned=len(sweeps) if planned is None else planned, runs=runs, alternating=alternating, floats=floats,
                 strings_pad=strings_pad, n_samples=len(data), n_synch=len(lengths) if synchronised else 0,
                 n_changes=len(changes))  # fmt: skip
    path.write_bytes(write(parts, **given))
    return path


def _placed(head_blocks, parts):
    """The parts after the header, each from a new block on, and the block of each."""
    body, places = b"", {}
    for name, raw in parts.items():
        places[name] = head_blocks + len(body) // BLOCK if raw else 0
        body += raw + b"\0" * (-len(raw) % BLOCK)
    return body, places


def _version_1(parts, *, inputs, outputs, mode, dt, lengths, lists, gains, planned, runs, alternating, floats,
               n_samples, n_synch, n_changes, **_):  # fmt: skip
    body, places = _placed(12, parts)
    head = bytearray(12 * BLOCK)

    def put(offset, form, *values):
        struct.pack_into("<" + form, head, offset, *values)

    width = len(inputs)
    put(0, "4sfhihi", b"ABF ", 1.83, mode, n_samples, 0, len(lengths))
    put(36, "h", 1)
    put(40, "i", places["data"])
    put(72, "ii", places["delta"], n_changes)
    put(92, "iih", places["synch"], n_synch, int(floats))
    put(118, "hhfff", width, width, 1e3 * dt / width, 0.0, 0.0)
    put(138, "iiiii", lengths[0], 16, planned, runs, 1)
    put(244, "ffii", 10.0, 10.0, 32768, 32768)
    put(294, "16s", b"Clampex")
    put(410, "16h", *[*range(width), *[-1] * (16 - width)])
    for k, (name, unit) in enumerate(inputs):
        put(442 + 10 * k, "10s", name.encode("latin-1").ljust(10))
        put(602 + 8 * k, "8s", unit.encode("latin-1").ljust(8))
        put(730 + 4 * k, "f", 1.0)
        put(922 + 4 * k, "f", 0.01)
        put(1050 + 4 * k, "f", 1.0)
        if gains:
            put(4512 + 2 * k, "h", 1)
            put(4576 + 4 * k, "f", gains[k])
    for k, out in enumerate(outputs):
        put(1306 + 10 * k, "10s", out.name.encode().ljust(10))
        put(1346 + 8 * k, "8s", out.unit.encode("latin-1").ljust(8))
        put(1378 + 4 * k, "f", 400.0)
        put(1394 + 4 * k, "f", out.holding)
        if k > 1:
            continue
        put(2074 + 4 * k, "f", 1.0)
        put(2296 + 2 * k, "h", int(out.enabled))
        put(2300 + 2 * k, "h", out.source)
        put(2304 + 2 * k, "h", int(out.keeps))
        for e, epoch in enumerate(out.epochs):
            if epoch:
                kind, level, level_step, duration, duration_step, period, pulse = epoch
                at = 10 * k + e
                put(2308 + 2 * at, "h", kind)
                fields = {2348: level, 2428: level_step, 2508: duration, 2588: duration_step, 2136: period, 2216: pulse}
                for place, value in fields.items():
                    put(place + 4 * at, "f" if place in (2348, 2428) else "i", value)
        name, scale, offset, sweep = out.file
        put(2708 + 4 * k, "f", scale)
        put(2716 + 4 * k, "f", offset)
        put(2724 + 4 * k, "i", sweep)
        put(2736 + 256 * k, "256s", name.encode().ljust(256))
        if out.copy is not None:
            put(2048 + 4 * k, "i", places["copy"])
            put(2056 + 4 * k, "i", 1)
        if out.conditioned:
            put(3260 + 2 * k, "h", 1)
            put(3304 + 4 * k, "f", out.conditioned[0])
            put(3312 + 4 * k, "f", out.conditioned[1])
        put(4456 + 2 * k, "h", int(out.leak))
    for k in range(4):
        put(3376 + 256 * k, "256s", b" " * 256)
    for k, code, text, repeats in lists:
        put(3360 + 2 * k, "h", 1)
        put(3368 + 2 * k, "h", code)
        put(3376 + 256 * k, "256s", text.encode().ljust(256))
        put(4400 + 2 * k, "h", int(repeats))
    put(5876, "h", int(alternating))
    return bytes(head) + body


def _version_2(parts, *, inputs, outputs, mode, dt, lengths, lists, gains, planned, runs, alternating, floats,
               n_samples, n_synch, n_changes, strings_pad):  # fmt: skip
    texts = []

    def text(words):
        if not words:
            return 0
        texts.append(words)
        return len(texts)

    protocol = bytearray(BLOCK)
    for offset, form, value in (
        (0, "h", mode), (2, "f", 1e3 * dt), (22, "i", lengths[0]), (26, "i", 16), (30, "i", planned), (34, "i", runs),
        (38, "i", 1), (110, "f", 10.0), (114, "f", 10.0), (118, "i", 32768), (122, "i", 32768),
        (182, "h", int(alternating)),
    ):  # fmt: skip
        struct.pack_into("<" + form, protocol, offset, value)
    creator = text("Clampex")
    adc = []
    for k, (name, unit) in enumerate(inputs):
        raw = bytearray(128)
        struct.pack_into("<hhhf", raw, 0, k, int(bool(gains)), 0, gains[k] if gains else 0.0)
        struct.pack_into("<f", raw, 28, 1.0)
        struct.pack_into("<ffff", raw, 40, 0.01, 0.0, 1.0, 0.0)
        struct.pack_into("<ii", raw, 74, text(name), text(unit))
        adc.append(bytes(raw))
    dac, epochs = [], []
    for k, out in enumerate(outputs):
        raw = bytearray(256)
        name, scale, offset, sweep = out.file
        copied = out.copy is not None
        for at, form, value in (
            (0, "h", k), (8, "f", 400.0), (12, "f", out.holding), (16, "f", 1.0), (24, "i", text(out.name)),
            (28, "i", text(out.unit)), (36, "i", int(copied)), (40, "h", int(out.enabled)), (42, "h", out.source),
            (44, "h", int(out.keeps)), (46, "f", scale), (50, "f", offset), (54, "i", sweep),
            (60, "h", int(bool(out.conditioned))), (82, "f", (out.conditioned or (0.0, 0.0))[0]),
            (86, "f", (out.conditioned or (0.0, 0.0))[1]), (92, "h", int(out.leak)), (118, "i", text(name)),
        ):  # fmt: skip
            struct.pack_into("<" + form, raw, at, value)
        dac.append(raw)
        for e, epoch in enumerate(out.epochs):
            if epoch:
                kind, *values = epoch
                raw = bytearray(48)
                struct.pack_into("<hhhffiiii", raw, 0, e, k, kind, *values)
                epochs.append(bytes(raw))
    listed = []
    for k, code, words, repeats in lists:
        raw = bytearray(64)
        struct.pack_into("<hhhhi", raw, 0, k, 0, code, int(repeats), text(words))
        listed.append(bytes(raw))
    joined = b"".join(words.encode("latin-1") + b"\0" for words in texts)
    start = struct.pack("<4s4I", b"SSCH", 1, len(texts), max(map(len, texts)), len(joined))
    strings = start + b"\0" * strings_pad + joined
    tables = {
        "Protocol": (bytes(protocol), 512, 1), "ADC": (b"".join(adc), 128, len(adc)), "DAC": (None, 256, len(dac)),
        "EpochPerDAC": (b"".join(epochs), 48, len(epochs)), "UserList": (b"".join(listed), 64, len(listed)),
        "Strings": (strings, len(strings), len(texts)),
    }  # fmt: skip
    blocks = 1 + sum(-(-(256 * len(dac) if raw is None else len(raw)) // BLOCK) for raw, *_ in tables.values())
    body, places = _placed(blocks, parts)
    if outputs and outputs[0].copy is not None:
        struct.pack_into("<i", dac[0], 32, places["copy"])
    tables["DAC"] = (b"".join(map(bytes, dac)), 256, len(dac))
    head, middle = bytearray(BLOCK), b""
    struct.pack_into("<4s4BI", head, 0, b"ABF2", 0, 0, 6, 2, BLOCK)
    struct.pack_into("<I", head, 12, len(lengths))
    struct.pack_into("<HH", head, 28, 1, int(floats))
    struct.pack_into("<I", head, 60, creator)
    order = (
        "Protocol ADC DAC Epoch ADCPerDAC EpochPerDAC UserList StatsRegion Math Strings Data Tag Scope Delta VoiceTag "
        "SynchArray"
    ).split()
    for name, (raw, size, count) in tables.items():
        block = 1 + len(middle) // BLOCK if raw else 0
        struct.pack_into("<IIq", head, 76 + 16 * order.index(name), block, size, count)
        middle += raw + b"\0" * (-len(raw) % BLOCK)
    sample = 4 if floats else 2
    for name, part, size, count in (
        ("Data", "data", sample, n_samples), ("SynchArray", "synch", 8, n_synch), ("Delta", "delta", 12, n_changes),
    ):  # fmt: skip
        struct.pack_into("<IIq", head, 76 + 16 * order.index(name), places[part], size, count)
    return bytes(head) + middle + body
