"""Axon Binary Format (.abf), as Clampex writes it: one sweep of a current-clamp recording becomes a `Trace`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..trace import Trace
from .common import CURRENT, VOLTAGE, check_index, existing, factor, first_stretch, make_trace, require, stretch_times

__all__ = ["count_abf", "open_abf", "read_abf"]


def read_abf(path: str | Path, sweep: int = 0, channel: int = 0) -> Trace:
    """Read one sweep of a current-clamp recording in Axon Binary Format, version 1 or 2.

    V is the record of input `channel`; I is the command waveform of the output of the same number, as the protocol in
    the file describes it. start and stop are those of the protocol's first step; a sweep in which that step has zero
    amplitude gets them from the other sweeps, so that all sweeps of a file share one window.
    Raises ValueError, with the file's name, for voltage clamp, unknown units, a sweep or channel that is not there,
    a file that is cut short or not ABF.
    """
    path = existing(path)
    abf = open_abf(path)
    check_index(path, "sweep", sweep, abf.sweepCount)
    check_index(path, "channel", channel, min(len(abf.adcUnits), len(abf.dacUnits)))
    measured, command = abf.adcUnits[channel], abf.dacUnits[channel]
    if factor(CURRENT, measured) and factor(VOLTAGE, command):
        raise ValueError(
            f"{path.name} is a voltage-clamp recording ({measured} recorded, {command} commanded); "
            "only current clamp (mV recorded, pA commanded) can be read"
        )
    V_factor = require(path, f"channel {channel}", VOLTAGE, measured)
    I_factor = require(path, f"the command of channel {channel}", CURRENT, command)
    commands = _abf_commands(path, abf, channel)
    abf.setSweep(int(sweep), channel=channel)
    V = abf.sweepY.astype(float) * V_factor
    t = np.arange(len(V)) * 1e3 / abf.dataRate
    off = [waveform != waveform[0] for waveform in commands]
    shared = first_stretch(np.any(off, axis=0))
    own = None if shared is None else first_stretch(off[sweep][: shared[1]])
    window = stretch_times(t, own or shared)
    return make_trace(path, t, V, commands[sweep] * I_factor, window, "pA")


def count_abf(path: str | Path) -> int:
    """The number of sweeps in the file. Raises ValueError for a file that is cut short or not ABF."""
    return int(open_abf(existing(path)).sweepCount)


def open_abf(path: Path) -> Any:
    """The file as pyabf reads it. Raises ValueError where it cannot."""
    import pyabf  # here, so that a notebook without ABF files does not wait for it

    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    try:
        return pyabf.ABF(path)
    except Exception as error:  # pyabf meets a damaged header with whatever fails first
        why = "no ABF file" if isinstance(error, NotImplementedError) else "damaged or cut short"
        raise ValueError(f"{path.name} cannot be read as ABF: it is {why}") from error


def _abf_commands(path: Path, abf: Any, channel: int) -> list[np.ndarray]:
    """The command waveform of every sweep, each (n,), in the file's own unit."""
    commands = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pyabf warns, then fills with NaN or zeros: refused below
        for sweep in range(abf.sweepCount):
            abf.setSweep(sweep, channel=channel)
            command = abf.sweepC
            if command is None or len(command) != len(abf.sweepY) or not np.isfinite(command).all():
                raise ValueError(f"{path.name} does not hold the command of sweep {sweep}, channel {channel}")
            commands.append(np.asarray(command, dtype=float))
    if len({len(command) for command in commands}) > 1:
        raise ValueError(f"{path.name}: its sweeps differ in length; only sweeps of one length can be read")
    return commands
