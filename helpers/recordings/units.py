"""The unit of a signal, as the file has it or as the caller names it, and whether its values can be in that unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .contents import FileSweep, Signal
from .conversion import CURRENT, DENSITY, TIME, VOLTAGE, factor, interval_of

__all__ = ["check_current", "check_finite", "check_voltage", "checked_units", "relabelled", "scaled", "unit_of"]

HIGHEST_V = 350.0  # mV; beyond it a gain is missing: a tenfold one is the commonest


def checked_units(path: Path, units: Mapping[Any, str | float] | None) -> dict[Any, str | float]:
    """Return the units that the caller names. Raises ValueError, with the file's name, for one that is unknown."""
    if units is None:
        return {}
    if not isinstance(units, Mapping):
        raise ValueError(f"{path.name}: units = {units!r}; allowed: units by signal, such as {{'V': 'mV', 'I': 'pA'}}")
    table = TIME | VOLTAGE | CURRENT | DENSITY
    for name, unit in units.items():
        known = isinstance(unit, str) and (factor(table, unit) is not None or interval_of(unit) is not None)
        is_factor = isinstance(unit, int | float) and not isinstance(unit, bool) and np.isfinite(unit) and unit != 0
        if not known and not is_factor:
            raise ValueError(
                f"{path.name}: units[{name!r}] = {unit!r}; allowed: {', '.join(table)}, a number that the values in "
                "the file are to be multiplied by, or for times an interval between samples such as '0.1 ms'"
            )
    return dict(units)


def relabelled(found: FileSweep, units: Mapping[Any, str | float]) -> FileSweep:
    """Return the sweep with the units that the caller names for its signals.

    "I" names that of the only command where the file has no current, so that a command in mV by mistake is one.
    """

    def named(signal: Signal) -> Signal:
        unit = units.get(signal.name)
        return replace(signal, unit=unit) if isinstance(unit, str) else signal

    recorded, commanded = tuple(map(named, found.recorded)), tuple(map(named, found.commanded))
    table = CURRENT | DENSITY
    own = [x for x in commanded if not x.on_request]
    unit = units.get("I")
    if isinstance(unit, str) and len(own) == 1 and not any(factor(table, x.unit) for x in (*recorded, *own)):
        commanded = tuple(replace(x, unit=unit) if x is own[0] else x for x in commanded)
    return replace(found, recorded=recorded, commanded=commanded)


def unit_of(signal: Signal, units: Mapping[Any, str | float], role: str = "") -> str:
    """Return the unit of a signal: as given for its name, for its role (V or I), or as the file has it."""
    return next((unit for unit in (units.get(signal.name), units.get(role)) if isinstance(unit, str)), signal.unit)


def _gain(signal: Signal, units: Mapping[Any, str | float], role: str) -> float:
    """What the values of a signal are to be multiplied by, as given for its name or its role."""
    return next((x for x in (units.get(signal.name), units.get(role)) if isinstance(x, int | float)), 1.0)


def scaled(
    where: str, signal: Signal, table: Mapping[str, float], units: Mapping[Any, str | float], role: str
) -> np.ndarray:
    """Return the samples of a signal in the unit of the trace. Raises ValueError if its unit is not in the table."""
    unit = unit_of(signal, units, role)
    scale = factor(table, unit)
    if scale is None:
        raise ValueError(
            f"{where}: {signal.name} is in {unit!r}; allowed for {role}: {', '.join(table)}. "
            f"If the file is wrong, name the right unit: units={{{signal.name!r}: {'mV' if role == 'V' else 'pA'!r}}}"
        )
    with np.errstate(all="ignore"):  # what a damaged scale makes of a sample is refused where it is not finite
        return np.asarray(signal.load(), dtype=float) * scale * _gain(signal, units, role)


def check_finite(where: str, name: str, values: np.ndarray) -> None:
    """Raise ValueError unless every sample is a finite number."""
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{where}: {name} has shape {values.shape}; needed: one number per sample")
    finite = np.isfinite(values)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(f"{where}: {name} is {values[first]} at sample {first}: every sample must be finite")


def check_voltage(where: str, signal: Signal, V: np.ndarray, units: Mapping[Any, str | float]) -> list[str]:
    """Return, in words, what is unusual about V.

    Raises ValueError beyond ±1000 mV and where V stays within a millivolt of 0, as no membrane potential does.
    """
    largest = float(np.abs(V).max())
    hint = _hint(signal, "V", largest, VOLTAGE, (20.0, 200.0), units)
    place = f" ({signal.place})" if signal.place else ""
    if largest > 1000.0:
        raise ValueError(f"{where}: V{place} reaches ±{largest:g} mV; allowed: up to 1000 mV. {hint}")
    if 0.0 < largest < 1.0:
        raise ValueError(f"{where}: V{place} stays within ±{largest:.3g} mV, which no membrane potential does. {hint}")
    if largest <= HIGHEST_V or any(name in units for name in (signal.name, signal.number, "V")):
        return []
    return [
        f"V reaches ±{largest:.3g} mV: is the amplifier's gain missing from the file? units={{'V': 0.1}} multiplies V "
        f"by 0.1; units={{'V': {signal.unit!r}}} confirms it"
    ]


def check_current(
    where: str, name: str, signal: Signal | None, I: np.ndarray, unit: str, units: Mapping[Any, str | float]
) -> list[str]:
    """Return, in words, what is unusual about I: it stays below 0.5 pA.

    Raises ValueError beyond 10 µA and below a femtoampere, and beyond 50 nA, which few cells take, unless the caller
    names the unit.
    """
    largest = float(np.abs(I).max())
    confirmed = signal is None or any(key in units for key in (signal.name, signal.number, "I"))
    most, least, little = (1e7 if confirmed else 5e4, 1e-3, 0.5) if unit == "pA" else (1e6, 1e-9, 1e-9)
    hint = f"The samples that were given are taken as {unit}"
    if signal:
        table = CURRENT if unit == "pA" else DENSITY
        hint = _hint(signal, "I", largest, table, (5.0, 5000.0) if unit == "pA" else (0.1, 200.0), units)
    if largest > most or 0.0 < largest < least:
        place = f" ({signal.place})" if signal and signal.place else ""
        if signal and most < largest <= 1e7:
            hint += f"; if it is right, confirm it: units={{{signal.name!r}: {signal.unit!r}}}"
        raise ValueError(
            f"{where}: {name}{place} reaches {largest:.3g} {unit}, which no cell is given; allowed: 0, or from "
            f"{least:g} to {most:g} {unit}. {hint}"
        )
    return [f"{name} stays within ±{largest:.3g} {unit}. {hint}"] if 0.0 < largest < little else []


def _hint(
    signal: Signal,
    role: str,
    largest: float,
    table: Mapping[str, float],
    usual: tuple[float, float],
    units: Mapping[Any, str | float],
) -> str:
    """What to do about implausible values: the units that would make their largest one usual."""
    now = factor(table, unit_of(signal, units, role)) or 1.0
    target = next(iter(name for name, scale in table.items() if scale == 1.0))
    fits = [
        f"units={{{role!r}: {name!r}}} makes it {largest / now * scale:.3g} {target}"
        for name, scale in table.items()
        if usual[0] <= largest / now * scale <= usual[1]
    ] or [
        f"units={{{role!r}: {scale:g}}} multiplies its values by that"
        for scale in (1e-3, 1e3, 1e-6, 1e6, 1e-9, 1e9, 1e-12, 1e12)
        if usual[0] <= largest * scale <= usual[1]
    ]
    both = f"units={{{signal.name!r}: {target!r}, {role!r}: 0.1}} names a unit and multiplies by 0.1"
    return f"Is its unit right? {' or '.join(fits) or both}"
