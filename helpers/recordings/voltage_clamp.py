"""Recorded families of currents under voltage clamp, the counterpart of `clamp` for a real cell.

A recording contains what a model does not: leak through the seal, the capacitive current of each step, and potentials
that the amplifier commanded rather than measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from helpers.validation import number

from .abf import abf_header, abf_sweeps
from .conversion import CURRENT, VOLTAGE, existing, require
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


def read_family(path: str | Path) -> RecordedFamily:
    """Read every sweep of a voltage-clamp recording in Axon Binary Format whose protocol is one step per sweep.

    Raises ValueError, with the file's name, for any other file.
    """
    path = existing(path)
    abf = abf_header(path)
    if not (abf.adcUnits and abf.dacUnits):
        raise ValueError(f"{path.name} contains no channel")
    to_pA = require(path, "the current", CURRENT, abf.adcUnits[0])
    to_mV = require(path, "the command", VOLTAGE, abf.dacUnits[0])
    I, V = abf_sweeps(path, abf)
    I, V = I * to_pA, V * to_mV
    holding = V[0, 0]
    moved = np.flatnonzero((V != holding).any(axis=0))
    if not moved.size or not (V[:, 0] == holding).all():
        raise ValueError(f"{path.name}: no step from one holding level is commanded")
    first, last = moved[0], moved[-1]
    if not (V[:, first : last + 1] == V[:, [first]]).all():
        raise ValueError(f"{path.name}: the command is not one step per sweep")
    t = (np.arange(I.shape[1]) - first) * 1e3 / abf.dataRate
    end = float((last + 1 - first) * 1e3 / abf.dataRate)
    # what the amplifier reported (pyabf has no public name for it), 0 if it did not
    capacitance = float(getattr(getattr(abf, "_adcSection", None), "fTelegraphMembraneCap", [0.0])[0])
    return RecordedFamily(t, V[:, first], float(holding), I, end, capacitance if capacitance > 0.0 else float("nan"))


def sodium_family() -> RecordedFamily:
    """Return a recorded family of sodium currents, 37 steps from -120 mV to -100 ... +80 mV: "sodium_currents".

    Raises RecordingUnavailable if it is neither on this machine nor can be downloaded now.
    """
    return read_family(fetch("sodium_currents"))
