"""Small recordings as programs of other laboratories write them, from the public descriptions of their formats.

Each writer takes sweeps and gives bytes: what a reader must find in them is known.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

N, DT = 400, 0.0005  # samples of a sweep, and their interval in s
START, STOP = 50.0, 150.0  # ms: a step of LEVELS[k] in sweep k
LEVELS = (-50.0, 0.0, 100.0)  # pA


def command(level: float, n: int = N, dt: float = DT) -> np.ndarray:
    """A step [pA] from START to STOP."""
    t = 1e3 * dt * np.arange(n)
    return np.where((t >= START - 1e-9) & (t < STOP - 1e-9), level, 0.0)


def response(level: float, n: int = N, dt: float = DT) -> np.ndarray:
    """V [mV] of a cell of 100 MΩ that follows at once, with a ripple that tells samples apart."""
    return -70.0 + 0.1 * command(level, n, dt) + 0.5 * np.sin(0.1 * np.arange(n))


def wcp(
    sweeps: Sequence[Sequence[np.ndarray]],
    inputs: Sequence[tuple[str, str, float]] = (("Vm", "mV", 0.01), ("Im", "pA", 0.0005)),
    *,
    dt: float = DT,
    ranges: Sequence[float] = (10.0,),
    order: Sequence[int] | None = None,
    status: Sequence[str] = ("ACCEPTED",),
    comma: bool = False,
    version: int = 9,
    announced: int | None = None,
) -> bytes:
    """WinWCP: inputs are (name, unit, V per unit); ranges of the converter [V] and status go round the sweeps."""
    count, n, top = len(inputs), len(sweeps[0][0]), 32767
    order = list(range(count)) if order is None else list(order)
    sectors = -(-2 * count * n // 512)
    blocks = 2 * ((count - 1) // 8 + 1)
    announced = len(sweeps) if announced is None else announced
    lines = [f"VER={version}", f"NC={count}", f"NR={announced}", f"NBA={blocks}", f"NBH={512 * blocks}"]
    lines += [f"NBD={sectors}", f"ADCMAX={top}", f"NP={n}", f"DT={dt}", "RTIME=1/1/2020 a=b", "ID=a cell = one"]
    for k, (name, unit, gain) in enumerate(inputs):
        lines += [f"YN{k}={name}", f"YU{k}={unit}", f"YG{k}={gain}", f"YO{k}={order[k]}", f"YZ{k}=7", f"YR{k}=0"]
    text = "\r\n".join([*lines, ""])
    data = (text.replace(".", ",") if comma else text).encode("latin-1").ljust(512 * blocks, b"\0")
    for k, sweep in enumerate(sweeps):
        full = ranges[k % len(ranges)]
        head = status[k % len(status)].encode().ljust(8, b"\0") + b"TEST"
        head += struct.pack("<fff", 1.0, 0.5 * k, dt) + struct.pack(f"<{count}f", *[full] * count)
        table = np.zeros((n, count), "<i2")
        for i, (values, (_, _, gain)) in enumerate(zip(sweep, inputs, strict=True)):
            table[:, order[i]] = np.round(np.asarray(values) * gain * top / full)
        data += head.ljust(512 * blocks, b"\0") + table.tobytes().ljust(512 * sectors, b"\0")
    return data


class Node:
    """A record of one of HEKA's trees: numbers and texts by their places, and the records below."""

    def __init__(self, fields: dict[int, tuple[str, float | str]], children: Sequence["Node"] = ()):
        self.fields, self.children = fields, children

    def pack(self, sizes: Sequence[int], order: str) -> bytes:
        data = bytearray(sizes[0])
        for place, (form, value) in self.fields.items():
            packed = value.encode("latin-1") if isinstance(value, str) else struct.pack(order + form, value)
            if place + len(packed) <= sizes[0]:  # older versions lack the fields behind
                data[place : place + len(packed)] = packed
        below = b"".join(child.pack(sizes[1:], order) for child in self.children)
        return bytes(data) + struct.pack(order + "i", len(self.children)) + below


def tree(root: Node, sizes: Sequence[int], order: str) -> bytes:
    head = (b"eerT" if order == "<" else b"Tree") + struct.pack(f"{order}{len(sizes) + 1}i", len(sizes), *sizes)
    return head + root.pack(sizes, order)


def segment(level: float, duration: float, **more: float) -> Node:
    """A constant segment of a stimulus [nA or V, s]; more: kind, store, step, source, factor, mode, longer."""
    return Node({
        4: ("b", more.get("kind", 0)), 5: ("b", more.get("store", 1)), 6: ("b", more.get("mode", 0)),
        8: ("d", level), 16: ("i", more.get("source", 0)), 20: ("d", more.get("factor", 1.0)),
        28: ("d", more.get("step", 0.0)), 36: ("d", duration), 44: ("i", 0), 48: ("d", 1.0),
        56: ("d", more.get("longer", 0.0)),
    })  # fmt: skip


def heka(
    series: Sequence[dict],
    *,
    order: str = "<",
    version: str = "v2x90.2, 22-Nov-2016",
    signature: bytes = b"DAT2",
    sizes: Sequence[int] = (544, 128, 1120, 160, 408),
) -> bytes:
    """PatchMaster: one group of series, each a dict.

    label; sweeps, each a list of (label, unit, samples in that unit); segments of the stimulus; unit of its output, "A"
    or "V"; mode of the amplifier (1 voltage clamp, 2 current clamp); holding; flags; kind ("i2", "f8", ...); interleave
    (samples in a block), intended (number of sweeps), bits of every trace.
    """
    data, place, groups, stimuli = b"", 256, [], []
    for number, one in enumerate(series, 1):
        sweeps = []
        kind = one.get("kind", "i2")
        for k, traces in enumerate(one["sweeps"], 1):
            records = []
            arrays = []
            for label, unit, values in traces:
                scale = max(float(np.abs(values).max()), 1e-15) / 30_000 if kind[0] == "i" else 1.0
                raw = np.round(values / scale) if kind[0] == "i" else values
                arrays.append((label, unit, scale, np.asarray(raw).astype(order + kind)))
            block = one.get("interleave", 0)
            size = np.dtype(kind).itemsize
            if block:
                step = block * size
                shapes = [a.tobytes() + bytes(-a.nbytes % step) for *_, a in arrays]
                mixed = b"".join(shape[i : i + step] for i in range(0, len(shapes[0]), step) for shape in shapes)
                starts = [place + j * step for j in range(len(arrays))]
                data += mixed
                place += len(mixed)
            else:
                starts = []
                for *_, a in arrays:
                    starts.append(place)
                    data += a.tobytes()
                    place += a.nbytes
            for (label, unit, scale, a), begin in zip(arrays, starts, strict=True):
                records.append(Node({
                    4: ("32s", label), 40: ("i", begin), 44: ("i", len(a)),
                    64: ("h", (order == "<") | one.get("bits", 0)), 68: ("b", 4 if one.get("mode", 2) == 2 else 3),
                    70: ("b", ("i2", "i4", "f4", "f8").index(kind)), 72: ("d", scale), 96: ("8s", unit),
                    88: ("d", 1e-3), 104: ("d", one.get("dt", DT)), 120: ("8s", "s"),
                    292: ("i", block * size), 296: ("i", block * size * len(arrays)),
                }))  # fmt: skip
            sweeps.append(Node({4: ("32s", ""), 40: ("i", number), 44: ("i", k), 48: ("d", 1e8 + k)}, records))
        intended = one.get("intended", len(sweeps))
        label = one.get("label", "steps")
        groups.append(Node({4: ("32s", label), 120: ("i", intended), 124: ("i", 472), 136: ("d", 1e8)}, sweeps))
        channel = {
            22: ("b", 1), 25: ("b", one.get("mode", 2)), 40: ("8s", one.get("unit", "A")),
            48: ("d", one.get("holding", 0.0)), 76: ("h", one.get("flags", 1)),
        }  # fmt: skip
        times = {4: ("32s", label), 112: ("d", one.get("dt", DT)), 144: ("i", intended)}
        stimuli.append(Node(times, [Node(channel, one["segments"])]))
    pulsed = tree(Node({8: ("32s", version)}, [Node({4: ("32s", "E-1")}, groups)]), sizes, order)
    stimulus = tree(Node({8: ("32s", version)}, stimuli), (584, 248, 400, 80), order)
    data += pulsed + stimulus
    head = signature.ljust(8, b"\0") + version.encode().ljust(32, b"\0") + struct.pack(order + "di", 1e8, 3)
    head += bytes([order == "<"]) + bytes(11)
    items = [(256, place - 256, ".dat"), (place, len(pulsed), ".pul"), (place + len(pulsed), len(stimulus), ".pgf")]
    head += b"".join(struct.pack(order + "ii8s", begin, size, name.encode()) for begin, size, name in items)
    return head.ljust(256, b"\0") + data


def ibw(name: str, values: np.ndarray, unit: str, every: float = DT, x_unit: str = "s", order: str = "<") -> bytes:
    """An Igor binary wave of version 5; a matrix has its sweeps in columns."""
    values = np.asarray(values).astype(order + "f4")
    shape = [*values.shape, 0, 0, 0][:4]
    body = struct.pack(order + "4i2h6xh", 0, 0, 0, values.size, 2, 0, 1) + name.encode().ljust(32, b"\0") + bytes(8)
    body += struct.pack(order + "4i4d4d", *shape, every, 1.0, 1.0, 1.0, *[0.0] * 4)
    body += unit.encode().ljust(4, b"\0") + x_unit.encode().ljust(4, b"\0") + bytes(12)
    body = body.ljust(320, b"\0")

    def head(checksum: int) -> bytes:
        return struct.pack(order + "hh15i", 5, checksum, 320 + values.nbytes, *[0] * 14)

    total = int(np.frombuffer(head(0) + body, order + "i2").sum())
    checksum = (-total + 2**15) % 2**16 - 2**15
    return head(checksum) + body + values.tobytes(order="F")


def pxp(waves: dict[str, bytes], order: str = "<") -> bytes:
    """A packed experiment: binary waves by name; a name "folder:wave" lies in a data folder."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack(order + "Hhi", kind, 1, len(data)) + data

    data, inside = record(2, b"a history\r"), ""
    for name, wave in waves.items():
        folder = name.partition(":")[0] if ":" in name else ""
        if folder != inside:
            data += record(10, b"") if inside else b""
            data += record(9, folder.encode().ljust(32, b"\0")) if folder else b""
            inside = folder
        data += record(3, wave)
    return data + (record(10, b"") if inside else b"")


def axograph(
    columns: Sequence[tuple[str, np.ndarray]], *, version: int = 6, every: float = DT, kind: int = 10
) -> bytes:
    """AxoGraph: columns after the times, each a title with its unit and SI values; versions 1, 2, and 3 to 6.

    kind: of the columns from version 3 on (4 integers, 5 long ones, 6 floats, 7 doubles, 10 scaled integers).
    """
    n = len(columns[0][1])
    data = b"AxGr" + struct.pack(">hh", version, len(columns) + 1)
    if version > 2:
        data = b"axgx" + struct.pack(">ii", version, len(columns) + 1)
    for k, (title, values) in enumerate([("Time (s)", every * np.arange(n)), *columns]):
        if version < 3:
            data += struct.pack(">i", n) + bytes([len(title)]) + title.encode("mac-roman").ljust(79, b"\0")
        else:
            text = title.encode("utf-16-be")
            data += struct.pack(">iii", n, 9 if k == 0 else kind, len(text)) + text
        scale = max(float(np.abs(values).max()), 1e-15) / 30_000
        counts = np.round(np.asarray(values) / scale).astype(">i2").tobytes()
        if version == 1:
            data += np.asarray(values).astype(">f4").tobytes()
        elif k == 0:
            data += struct.pack(">ff" if version == 2 else ">dd", 0.0, every)
        elif version == 2:
            data += struct.pack(">f", scale) + counts
        elif kind == 10:
            data += struct.pack(">dd", scale, 0.0) + counts
        else:
            data += np.asarray(values).astype({4: ">i2", 5: ">i4", 6: ">f4", 7: ">f8"}[kind]).tobytes()
    return data if version < 3 else data + struct.pack(">ii", 0, 0)  # a comment and notes, both empty


def smr(
    channels: Sequence[tuple[str, str, Sequence[np.ndarray], float]],
    *,
    every: Sequence[int] = (50,),
    gap: int = 100_000,
    block: int = 150,
    version: int = 6,
    order: str = "<",
    kind: int = 1,
    late: int = 3,
) -> bytes:
    """Spike2: channels are (name, unit, runs of samples, units per volt), sampled every so many ticks of 10 µs.

    Runs begin `gap` ticks after the one before; each channel begins `late` ticks after the one before it.
    """
    per_tick, base = 10, 1e-6
    first = 512 + 140 * (len(channels) + 1)
    blocks, heads = b"", []
    for number, (name, unit, runs, scale) in enumerate(channels):
        step = every[number % len(every)]
        pieces = []
        begin = number * late
        for values in runs:
            for k in range(0, len(values), block):
                part = values[k : k + block]
                pieces.append((begin + k * step, begin + (k + len(part) - 1) * step, part))
            begin += gap
        size = 20 + block * (2 if kind == 1 else 4)
        place = first + len(blocks)
        for k, (start, stop, part) in enumerate(pieces):
            own = place + k * size
            raw = np.round(part * 6553.6 / scale).astype(order + "i2") if kind == 1 else part.astype(order + "f4")
            before = own - size if k else -1
            head = struct.pack(order + "iiiihH", before, own + size, start, stop, number + 1, len(part))
            blocks += (head + raw.tobytes()).ljust(size, b"\0")
        head = struct.pack(order + "hiiiHhhhhh", 0, -1, place, place, len(pieces), 0, 0, 0, 512, block)
        head = head.ljust(98, b"\0") + struct.pack(order + "iih", begin, step, number)
        head += bytes([len(name)]) + name.encode().ljust(9, b"\0") + struct.pack(order + "fBb", 1e5 / step, kind, 0)
        head += struct.pack(order + "ff", scale, 0.0) + bytes([len(unit)]) + unit.encode().ljust(5, b"\0")
        heads.append(head + struct.pack(order + "h", step))
    heads.append(bytes(140))  # a channel that is not used
    data = struct.pack(order + "h", version) + b"(C) CED 87" + b"SPIKE2".ljust(8, b"\0")
    data += struct.pack(order + "hhhihhhhhid", per_tick, 1, 0, first, len(channels) + 1, 140, 0, 0, 0, 0, base)
    return data.ljust(512, b"\0") + b"".join(heads) + blocks


def wavesurfer(
    path: Path,
    sweeps: Sequence[np.ndarray],
    *,
    inputs: Sequence[tuple[str, str, float]] = (("Vm", "mV", 0.01), ("Im", "pA", 0.0005)),
    outputs: Sequence[tuple[str, str]] = (("Cmd", "pA"),),
    maps: Sequence[dict] = (),
    sequence: Sequence[int] | None = None,
    stimuli: Sequence[dict] = (),
    settings: dict | None = None,
) -> Path:
    """WaveSurfer 0.98: inputs are (name, unit, V per unit); sweeps are (inputs, n) in those units.

    maps: each the names of outputs with (number of the stimulus, factor); sequence: numbers of maps, counted from 1.
    """
    polynomial = np.array([0.001, 3e-4, 0.0, 0.0])

    def texts(values: Sequence[str]) -> np.ndarray:
        return np.array([value.encode() for value in values])

    with h5py.File(path, "w") as file:
        head = file.create_group("header")
        plain = {
            "VersionString": texts(["0.982"]),
            "AIChannelNames": texts([name for name, *_ in inputs]),
            "AIChannelUnits": texts([unit for _, unit, _ in inputs]),
            "AIChannelScales": np.array([[scale] for *_, scale in inputs]),
            "IsAIChannelActive": np.ones((len(inputs), 1)),
            "AIScalingCoefficients": np.tile(polynomial, (len(inputs), 1)),
            "AcquisitionSampleRate": np.array([[1 / DT]]),
            "AOChannelNames": texts([name for name, _ in outputs]),
            "AOChannelUnits": texts([unit for _, unit in outputs]),
            "IsStimulationEnabled": np.ones((1, 1)),
            "DoRepeatStimulusSequence": np.ones((1, 1)),
            "StimulationUsesAcquisitionTrigger": np.ones((1, 1)),
            "StimulusLibrary/SelectedOutputableClassName": texts(
                ["ws.StimulusMap" if sequence is None else "ws.StimulusSequence"]
            ),
            "StimulusLibrary/SelectedOutputableIndex": np.ones((1, 1)),
        }
        for k, bound in enumerate(maps, 1):
            place = f"StimulusLibrary/Maps/element{k}"
            plain[f"{place}/ChannelName"] = texts(list(bound))
            plain[f"{place}/Multiplier"] = np.array([[factor] for _, factor in bound.values()])
            for i, (which, _) in enumerate(bound.values(), 1):
                plain[f"{place}/IndexOfEachStimulusInLibrary/element{i}"] = np.array([[float(which)]])
        for k, which in enumerate(sequence or (), 1):
            place = f"StimulusLibrary/Sequences/element1/IndexOfEachMapInLibrary/element{k}"
            plain[place] = np.array([[float(which)]])
        for k, stimulus in enumerate(stimuli, 1):
            for name, value in stimulus.items():
                where = "" if name in ("TypeString", "Delay", "Duration", "Amplitude", "DCOffset") else "Delegate/"
                plain[f"StimulusLibrary/Stimuli/element{k}/{where}{name}"] = texts([value])
        for name, value in {**plain, **(settings or {})}.items():
            if value is not None:
                head[name] = value
        for k, values in enumerate(sweeps, 1):
            volts = np.asarray(values) * np.array([[scale] for *_, scale in inputs])
            counts = np.round((volts - polynomial[0]) / polynomial[1]).astype("i2")
            file[f"sweep_{k:04}/analogScans"] = counts
            file[f"sweep_{k:04}/timestamp"] = np.zeros((1, 1))
    return path
