"""Recorded families of currents under voltage clamp, the counterpart of `clamp` for a real cell.

A recording contains what a model does not: leak through the seal, the capacitive current of each step, and potentials
that the amplifier commanded rather than measured.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from helpers.validation import number

from .abf import contents_of
from .abf_header import read_header
from .choice import inventory
from .contents import FileSweep, Signal
from .conversion import CURRENT, VOLTAGE, existing, factor
from .published import fetch

__all__ = ["RecordedFamily", "read_family", "sodium_family"]


@dataclass(frozen=True, eq=False)
class RecordedFamily:
    """Sweeps of one voltage-clamp protocol: hold, step to a test level, return.

    Parameters
    ----------
    t : ndarray of shape (n,)
        Times [ms]; the step begins at 0.
    levels : ndarray of shape (n_family,)
        Test levels [mV].
    holding : float
        The level before and after the step [mV].
    I : ndarray of shape (n_family, n)
        Current, outward positive [pA].
    end : float
        When the step ends [ms].
    capacitance : float
        Of the cell, as the amplifier reported it [pF]; NaN if it did not.
    """

    t: np.ndarray
    levels: np.ndarray
    holding: float
    I: np.ndarray
    end: float
    capacitance: float

    def without_steady_current(self, last: float = 4.0) -> RecordedFamily:
        """Return the inactivating part: the mean current over the `last` ms of each step is subtracted.

        That current is the leak, and channels that do not inactivate. Raises ValueError unless 0 < `last` < `end`.
        """
        last = number("last", last, "ms")
        late = (self.t >= self.end - last) & (self.t < self.end)
        if not 0.0 < last < self.end or not late.any():
            words = f"above 0 and less than the step, {self.end:g} ms, with a sample in it"
            raise ValueError(f"last = {last:g} ms; allowed: {words}")
        return replace(self, I=self.I - self.I[:, late].mean(axis=1, keepdims=True))

    def density(self) -> np.ndarray:
        """Return `I` per membrane area at 1 µF/cm², (n_family, n) [µA/cm²]: pA/pF is µA/µF.

        Raises ValueError if the capacitance is unknown.
        """
        if not self.capacitance > 0.0:
            raise ValueError(f"capacitance = {self.capacitance:g} pF; allowed: above 0 pF")
        return self.I / self.capacitance

    def peaks(self, begin: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the most inward current of each sweep between `begin` and the end of the step [pA], and its time [ms].

        begin: in ms, late enough for the capacitive current of the step to have decayed.
        """
        begin = number("begin", begin, "ms")
        inside = (self.t >= begin) & (self.t < self.end)
        if not inside.any():
            raise ValueError(f"begin = {begin:g} ms; allowed: from {self.t[0]:g} to {self.end:g} ms")
        I = self.I[:, inside]
        return I.min(axis=1), self.t[inside][I.argmin(axis=1)]


def read_family(path: str | Path, channel: int | str | None = None) -> RecordedFamily:
    """Read every sweep of a voltage-clamp recording in Axon Binary Format whose protocol is one step per sweep.

    Parameters
    ----------
    path : str or Path
        The file.
    channel : int or str, optional
        Number or name of the recorded current; by default the first. Its command is that of the output of this number.

    Raises
    ------
    ValueError
        With the file's name, for any other file or channel.
    """
    path = existing(path)
    header = read_header(path)
    contents = contents_of(header)
    sweeps = [contents.sweep(k) for k in range(contents.n_sweeps)]
    current, command = _clamped(path, sweeps[0], channel)
    to_pA, to_mV = factor(CURRENT, current.unit) or 1.0, factor(VOLTAGE, command.unit) or 1.0
    if len({len(found.t) for found in sweeps}) > 1:
        raise ValueError(f"{path.name}: its sweeps differ in length; only sweeps of one length make a family")
    commands = [next(x for x in found.commanded if x.name == command.name) for found in sweeps]
    for k, found in enumerate(commands):
        if found.why:
            raise ValueError(f"{path.name}, sweep {k}: {found.name}: {found.why}")
    V = to_mV * np.array([found.load() for found in commands])
    I = to_pA * np.array([found.recorded[current.number].load() for found in sweeps])
    if not np.isfinite(I).all():
        raise ValueError(f"{path.name}: {current.name} contains values that are not finite")
    holding = V[0, 0]
    moved = np.flatnonzero((V != holding).any(axis=0))
    if not moved.size or not (V[:, 0] == holding).all():
        raise ValueError(f"{path.name}: no step from one holding level is commanded by {command.name!r}")
    first, last = moved[0], moved[-1]
    if not (V[:, first : last + 1] == V[:, [first]]).all():
        raise ValueError(f"{path.name}: the command {command.name!r} is not one step per sweep")
    for words in dict.fromkeys(words for found in sweeps for words in found.warnings):
        warnings.warn(f"{path.name}: {words}", stacklevel=2)
    t = (np.arange(I.shape[1]) - first) * header.interval / 1e3
    end = float((last + 1 - first) * header.interval / 1e3)
    capacitance = header.inputs[current.number].capacitance
    return RecordedFamily(t, V[:, first], float(holding), I, end, capacitance if capacitance > 0.0 else float("nan"))


def _clamped(path: Path, found: FileSweep, channel: int | str | None) -> tuple[Signal, Signal]:
    """The recorded current of this number or name, and the command under which it flowed."""
    currents = [x for x in found.recorded if factor(CURRENT, x.unit)]
    asked = [x for x in currents if channel is None or channel in (x.number, x.name)]
    if not asked or isinstance(channel, bool):
        raise ValueError(f"{path.name}: channel = {channel!r} is no recorded current; {inventory(found)}")
    voltages = [x for x in found.commanded if factor(VOLTAGE, x.unit) and not x.on_request]
    own = [x for x in voltages if x.number == asked[0].number]
    waves = [x for x in voltages if not x.flat]
    command = own if own and not (own[0].flat and len(waves) == 1) else waves
    if len(command) != 1:
        raise ValueError(f"{path.name}: no potential was commanded for {asked[0].name!r}; {inventory(found)}")
    return asked[0], command[0]


def sodium_family() -> RecordedFamily:
    """Return a recorded family of sodium currents, 37 steps from -120 mV to -100 ... +80 mV: "sodium_currents".

    Raises RecordingUnavailable if it is neither on this machine nor can be downloaded now.
    """
    return read_family(fetch("sodium_currents"))
