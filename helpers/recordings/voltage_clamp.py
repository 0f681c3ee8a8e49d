"""A recorded family of currents under voltage clamp: read it, take off the leak, and find the published one.

The counterpart of `clamp` for a real cell. A recording has what a model has not: leak through the seal, the capacitive
current of each step, and potentials that the amplifier commanded rather than measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from helpers.validation import number

from .abf import abf_sweep, open_abf
from .common import CURRENT, VOLTAGE, existing, require
from .read import fetch

__all__ = ["RecordedFamily", "read_family", "sodium_family"]


@dataclass(frozen=True, eq=False)
class RecordedFamily:
    """Sweeps of one voltage-clamp protocol: hold, step to a test level, return.

    t: (n,) times [ms]; the step begins at 0.
    levels: (n_family,) test levels [mV]. holding: the level before them [mV].
    I: (n_family, n) current, outward positive [pA].
    end: when the step ends [ms].
    capacitance: of the cell, as the amplifier told [pF]; NaN where it did not.
    """

    t: np.ndarray
    levels: np.ndarray
    holding: float
    I: np.ndarray
    end: float
    capacitance: float

    def without_steady(self, last: float = 4.0) -> RecordedFamily:
        """The same with the current at the end of each step (mean over its `last` ms) taken off: what inactivates.

        That current is the leak, and channels that do not inactivate. Raises ValueError unless 0 < `last` < `end`.
        """
        last = number("last", last, "ms")
        late = (self.t >= self.end - last) & (self.t < self.end)
        if not 0.0 < last < self.end or not late.any():
            words = f"above 0 and less than the step, {self.end:g} ms, with a sample in it"
            raise ValueError(f"last = {last:g} ms; allowed: {words}")
        return replace(self, I=self.I - self.I[:, late].mean(axis=1, keepdims=True))

    def density(self) -> np.ndarray:
        """`I` per membrane area at 1 µF/cm², (n_family, n) [µA/cm²]: pA/pF is µA/µF.

        Raises ValueError where the capacitance is unknown.
        """
        if not self.capacitance > 0.0:
            raise ValueError(f"capacitance = {self.capacitance:g} pF; allowed: above 0 pF")
        return self.I / self.capacitance

    def peaks(self, begin: float) -> tuple[np.ndarray, np.ndarray]:
        """For each sweep the most inward current between `begin` [ms] and the end of the step [pA], and when [ms].

        begin: late enough for the capacitive current of the step to have gone.
        """
        begin = number("begin", begin, "ms")
        inside = (self.t >= begin) & (self.t < self.end)
        if not inside.any():
            raise ValueError(f"begin = {begin:g} ms; allowed: from {self.t[0]:g} to {self.end:g} ms")
        where = np.argmin(self.I[:, inside], axis=1)
        return np.take_along_axis(self.I[:, inside], where[:, None], axis=1)[:, 0], self.t[inside][where]


def read_family(path: str | Path) -> RecordedFamily:
    """Read every sweep of a voltage-clamp recording in Axon Binary Format whose protocol is one step per sweep.

    Raises ValueError, with the file's name, for a file that is no such recording.
    """
    path = existing(path)
    abf = open_abf(path)
    if not (abf.adcUnits and abf.dacUnits):
        raise ValueError(f"{path.name} holds no channel")
    to_pA = require(path, "the current", CURRENT, abf.adcUnits[0])
    to_mV = require(path, "the command", VOLTAGE, abf.dacUnits[0])
    sweeps = [abf_sweep(path, abf, sweep) for sweep in range(abf.sweepCount)]
    if len({len(current) for current, _ in sweeps}) > 1:
        raise ValueError(f"{path.name}: its sweeps differ in length; only sweeps of one length can be read")
    I, V = (np.array(part) * scale for part, scale in zip(zip(*sweeps, strict=True), (to_pA, to_mV), strict=True))
    holding = V[0, 0]
    moved = np.flatnonzero((V != holding).any(axis=0))
    if not moved.size or not (V[:, 0] == holding).all():
        raise ValueError(f"{path.name}: no step from one holding level is commanded")
    first, last = moved[0], moved[-1]
    if not (V[:, first : last + 1] == V[:, [first]]).all():
        raise ValueError(f"{path.name}: the command is not one step per sweep")
    t = (np.arange(I.shape[1]) - first) * 1e3 / abf.dataRate
    return RecordedFamily(t, V[:, first], float(holding), I, float((last + 1 - first) * 1e3 / abf.dataRate), _told(abf))


def _told(abf: object) -> float:
    """The capacitance that the amplifier telegraphed into the file [pF], or NaN."""
    told = getattr(getattr(abf, "_adcSection", None), "fTelegraphMembraneCap", [0.0])[0]
    return float(told) if told > 0.0 else float("nan")


def sodium_family() -> RecordedFamily:
    """A recorded family of sodium currents, 37 steps from -120 mV to -100 ... +80 mV: "sodium_currents" of `fetch`.

    Raises RecordingUnavailable where it is neither on this machine nor to be downloaded now.
    """
    return read_family(fetch("sodium_currents"))
