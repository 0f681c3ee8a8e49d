"""What every reader needs to turn the content of a file into a `Trace`: units and even times.

Whatever is wrong with a file raises ValueError with a message that begins with the name of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from helpers.simulation.trace import Trace
from helpers.validation import whole_number

__all__ = [
    "CURRENT",
    "DENSITY",
    "TIME",
    "VOLTAGE",
    "check_even",
    "check_index",
    "existing",
    "factor",
    "interval_of",
    "make_trace",
]

# Every known unit with its factor to ms, mV, pA and µA/cm². Nothing else is converted or guessed.
TIME = {"s": 1e3, "ms": 1.0, "µs": 1e-3}
VOLTAGE = {"V": 1e3, "mV": 1.0, "µV": 1e-3}
CURRENT = {"A": 1e12, "µA": 1e6, "nA": 1e3, "pA": 1.0, "fA": 1e-3}
DENSITY = {"mA/cm²": 1e3, "µA/cm²": 1.0, "nA/cm²": 1e-3, "A/m²": 100.0}
# How else people write them. In words case does not matter; in symbols it does (MV is not a millivolt), but a symbol in
# lower case means nothing else.
PREFIXES = {"milli": "m", "micro": "µ", "nano": "n", "pico": "p", "u": "µ"}
WORDS = re.compile("(milli|micro|nano|pico|[muµnp]?)(secs?|seconds?|volts?|amps?|amperes?)", re.IGNORECASE)
LOWER = {unit.lower(): unit for unit in ("V", "mV", "µV", "A", "µA", "nA", "pA", "fA")}


def existing(path: str | Path) -> Path:
    """Return the path of a file. Raises FileNotFoundError if it is missing."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"file {path} is missing")
    return path


def check_index(path: Path, what: str, index: int, count: int) -> int:
    """Return the `index` of a sweep or channel (`what`), which must be an integer from 0 to `count` - 1."""
    return whole_number(f"{path.name}: {what}", index, 0, count - 1)


def factor(units: Mapping[str, float], unit: str) -> float | None:
    """Return the factor of a unit in one of the tables above, or None if it is unknown.

    u and both Unicode signs for micro mean the same, and so do 2, ^2 and ²; "msec", "milliseconds" and "ms"; "mv" and
    "mV".
    """
    unit = re.sub("^[u\u03bc](?=[sVvAa])", "\u00b5", unit.strip())
    if word := WORDS.fullmatch(unit):
        prefix = word[1].lower()
        unit = PREFIXES.get(prefix, prefix) + {"s": "s", "v": "V", "a": "A"}[word[2][0].lower()]
    unit = re.sub(r"\^?2$", "²", unit)
    return units.get(LOWER.get(unit, unit))


def interval_of(unit: str) -> float | None:
    """Return an interval between samples in ms, written as a number and a unit ("0.1 ms"); None for anything else."""
    found = re.fullmatch(r"\s*(\d*\.?\d+(?:[eE][-+]?\d+)?)\s*(\S+)\s*", unit)
    scale = factor(TIME, found[2]) if found else None
    return float(found[1]) * scale if found and scale and float(found[1]) > 0.0 else None


def check_even(path: Path, t: np.ndarray, lines: list[int] | None = None) -> None:
    """Raise ValueError unless t (n,) [ms] increases evenly, to within 5 % of an interval.

    lines: the line of the file that contains each time, for the message; without it, samples are counted.
    """
    if len(t) < 2 or not np.isfinite(t).all():
        return  # refused by Trace
    dt = (t[-1] - t[0]) / (len(t) - 1)
    if dt <= 0.0 or np.abs(t - np.linspace(t[0], t[-1], len(t))).max() > 0.05 * dt:
        steps = np.diff(t)
        worst = int(np.argmax(np.abs(steps - np.median(steps)))) if dt > 0.0 else 0
        where = f"line {lines[worst + 1]}" if lines else f"sample {worst + 1}"
        raise ValueError(
            f"{path.name}, {where}: t goes from {t[worst]:g} to {t[worst + 1]:g} ms, elsewhere by {np.median(steps):g} "
            "ms; allowed: increasing times, even to 5 % of an interval, written with enough digits"
        )


def make_trace(
    path: Path, t: np.ndarray, V: np.ndarray, I: np.ndarray | str, window: tuple[float, float], unit: str
) -> Trace:
    """Make a trace of t [ms], V [mV] and I [unit], each (n,), with the stimulus in `window` [ms].

    Raises ValueError, with the file's name, for what `Trace` refuses.
    """
    try:
        return Trace(t, {"V": V}, I, *window, I_unit=unit)  # type: ignore[arg-type]  # I may be the reason why it is unknown
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
