"""Axon Binary Format (.abf), as Clampex writes it: what the inputs recorded and what the outputs were told.

The header is read by `abf_header`, the commands are built by `abf_command`. A stimulus file that a header names is
looked for by its name alone, next to the recording and in the folder that the environment variable PYHH_STIMULI names:
no path in a file is followed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path, PureWindowsPath

import numpy as np

from .abf_command import command, is_flat, remarks
from .abf_fields import EPISODIC, GAP_FREE, MODES, AbfHeader, Output, StimulusFile
from .abf_header import read_header
from .contents import Contents, FileSweep, Signal, absent

__all__ = ["STIMULI", "contents_of", "open_abf"]

STIMULI = "PYHH_STIMULI"  # names a folder of stimulus files
SAME_RATE = 1e-3  # sampling intervals that differ by less are the same


def open_abf(path: Path) -> Contents:
    """Open a recording in Axon Binary Format, version 1 or 2.

    Commands are what the protocol in the header describes: epochs of all kinds, user lists, stimulus files. Where it
    cannot be followed, the command says why. Raises ValueError, with the file's name, for a file that is damaged or not
    ABF.
    """
    return contents_of(read_header(path))


def contents_of(header: AbfHeader) -> Contents:
    """What a file holds, of which the header has been read."""
    outputs = [x for x in header.outputs if _is_used(header, x)]
    notes = [f"acquired in {MODES[header.mode]} mode"]
    if header.mode != EPISODIC and any(x.source for x in outputs):
        notes.append("its waveforms were not output in this mode: the commands are the holding levels")
    for found in header.user_lists:
        of = f" of epoch {chr(65 + found.epoch % 26)}" if found.epoch is not None else ""
        notes.append(f"a user list gives the {found.parameter}{of} of output {found.output}: {found.text.strip()}")
    kind = f"Axon Binary Format {int(header.version)}"
    return Contents(
        header.path, kind, len(header.sweeps), partial(_sweep, header, outputs), notes=tuple(notes)
    )


def _is_used(header: AbfHeader, output: Output) -> bool:
    """Whether an output has a waveform, or belongs to an input that was recorded."""
    if header.mode == EPISODIC and output.source:
        return True
    return bool(output.unit) and output.number < len(header.inputs)


def _sweep(header: AbfHeader, outputs: list[Output], sweep: int) -> FileSweep:
    """Everything about one sweep."""
    recorded = tuple(
        Signal(x.name, x.unit, k, partial(header.samples, sweep, k)) for k, x in enumerate(header.inputs)
    )
    commanded: list[Signal] = []
    notes: list[str] = []
    warnings: list[str] = []
    if header.mode == EPISODIC and header.runs > 1:
        warnings.append(f"each sweep is the average of {header.runs} runs: spikes at different times are blurred in it")
    for output in outputs:
        name = output.name or f"output {output.number}"
        if output.source:
            warnings += remarks(header, output)
        copy = _copy(header, output, sweep)
        try:
            values = command(header, output, sweep, partial(_stimulus, header))
        except ValueError as error:
            why = str(error)
            if copy is not None:
                why += f". The recording keeps a copy of what was output: current={name + COPY!r} takes it"
            commanded.append(absent(name, output.unit, output.number, why, needed=True))
        else:
            flat = is_flat(header, output)
            commanded.append(Signal(name, output.unit, output.number, partial(_same, values), flat=flat))
            if copy is not None and (gap := float(np.abs(copy - values).max())) > 2 * _step(output):
                words = (
                    f"the stimulus file and the header's scale give a command of {name!r} that differs by up to "
                    f"{gap:.3g} {output.unit} from the copy in the recording: current={name + COPY!r} takes the copy"
                )
                (notes if _alike(copy, values, 2 * _step(output)) else warnings).append(words)
        if copy is not None:
            commanded.append(Signal(name + COPY, output.unit, output.number, partial(_same, copy), on_request=True))
    return FileSweep(
        header.times(sweep), recorded, tuple(commanded), notes=tuple(notes), warnings=tuple(warnings),
        gap_free=header.mode == GAP_FREE,
    )  # fmt: skip


COPY = " (copy)"


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _step(output: Output) -> float:
    """The least difference between two values of an output that is driven by a file."""
    assert output.file is not None and output.file.copy is not None
    return abs(output.file.copy[2])


def _alike(copy: np.ndarray, values: np.ndarray, close: float) -> bool:
    """Whether two commands have the same shape: only the scale in the header, a setting, is another; not the file."""
    inner = slice(len(values) // 64 + 1, -len(values) // 64 - 1)
    x, y = values[inner] - values[inner].mean(), copy[inner] - copy[inner].mean()
    slope = float(x @ y) / max(float(x @ x), 1e-300)
    return slope != 0.0 and float(np.abs(y - slope * x).max()) <= close * max(1.0, abs(slope))


def _copy(header: AbfHeader, output: Output, sweep: int) -> np.ndarray | None:
    """What was output during a sweep, as the recording itself keeps it for a stimulus file; None if it does not."""
    if header.mode != EPISODIC or output.file is None or output.file.copy is None:
        return None
    begin, n_sweeps, factor, offset = output.file.copy
    n = header.sweeps[sweep][1]
    begin += 2 * n * min(sweep, n_sweeps - 1)
    if begin + 2 * n > header.path.stat().st_size:
        return None
    return (np.fromfile(header.path, "<i2", n, offset=begin) + offset) * factor


def _stimulus(header: AbfHeader, file: StimulusFile, sweep: int, n: int) -> np.ndarray:
    """The samples of a stimulus file for a sweep, (n,). Raises ValueError with the reason, without the file's name."""
    path = _find(header, file)
    number, n_sweeps, dt, load = _opened(path, file)
    if file.sweep > 0:
        number = file.sweep - 1
    elif n_sweeps > 1:
        number = sweep
    if number >= n_sweeps:
        raise ValueError(f"the stimulus file {path.name!r} has {n_sweeps} sweeps; needed: sweep {number}")
    if abs(dt - header.dt) > SAME_RATE * header.dt:
        raise ValueError(
            f"the stimulus file {path.name!r} has a sample every {dt:g} ms, the recording every {header.dt:g} ms"
        )
    values = load(number)
    if len(values) < n:
        raise ValueError(f"the stimulus file {path.name!r} has {len(values)} samples in a sweep, the recording {n}")
    return values[:n]


def _find(header: AbfHeader, file: StimulusFile) -> Path:
    """The stimulus file of this name, next to the recording or in the folder that the user names."""
    name = PureWindowsPath(file.name).name
    if not name:
        raise ValueError("its waveform was a stimulus file that the header does not name")
    named = os.environ.get(STIMULI, "")
    folders = [header.path.resolve().parent, *([Path(named)] if named else [])]
    for folder in folders:
        same = [x for x in folder.iterdir() if x.name.lower() == name.lower()] if folder.is_dir() else []
        if same and same[0].is_file():
            return same[0]
    places = " and ".join(str(folder) for folder in folders)
    raise ValueError(
        f"its waveform was the stimulus file {name!r}, which is not in {places}; put it there, or name its folder in "
        f"the environment variable {STIMULI}"
    )


def _opened(path: Path, file: StimulusFile) -> tuple[int, int, float, Callable[[int], np.ndarray]]:
    """First sweep, number of sweeps, sampling interval [ms] and samples by sweep of a stimulus file."""
    if path.suffix.lower() == ".abf":
        header = read_header(path)
        same = [k for k, x in enumerate(header.inputs) if x.number == file.input] or [0]
        return 0, len(header.sweeps), header.dt, lambda k: header.samples(k, same[0])
    sweeps, dt = _text_sweeps(path, path.stat().st_mtime_ns)
    return 0, len(sweeps), dt, lambda k: sweeps[k]


@lru_cache(maxsize=2)  # a long table of text takes seconds, and each sweep of a recording asks for it
def _text_sweeps(path: Path, changed: int) -> tuple[list[np.ndarray], float]:
    """The first signal of a stimulus file in another format, sweep by sweep, and its sampling interval [ms]."""
    from .reading import open_file  # here, as it imports this module

    contents = open_file(path)
    found = [contents.sweep(k) for k in range(contents.n_sweeps)]
    if not all(one.recorded and len(one.t) > 1 for one in found):
        raise ValueError(f"the stimulus file {path.name!r} holds no signal")
    t = found[0].t
    return [one.recorded[0].load() for one in found], float(t[-1] - t[0]) / (len(t) - 1)
