"""Times of a text file: rounded to few digits, as clock times, as numbers of samples; and whether they are even."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..conversion import TIME, check_even, factor
from .layout import MINUS

__all__ = ["Stated", "even_times", "resolution", "stated_interval", "unit_by_interval"]

RATE = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "S/s": 1.0, "samples/s": 1.0}
EVEN = 0.05  # of an interval: times may deviate by this much
MOST_WIDTH = 0.05  # relative: rounded times that leave more room do not tell the interval
STATEMENT = re.compile(
    r"\b(?:sampl\w*[\s_-]*(?P<rate>rate|freq\w*)|sampl\w*[\s_-]*(?:interval|period|time)|(?P<fs>fs|rate|frequency)"
    r"|interval|dt|delta[\s_]?[xt])(?=[^a-z]|$)(?P<rest>.*)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stated:
    """The interval between samples [ms] as a line of the file says it."""

    interval: float
    line: int


def stated_interval(texts: Sequence[tuple[int, str]]) -> Stated | None:
    """Return the interval between samples that lines of text state, with a unit: "Sampling rate: 10 kHz"."""
    for line, text in texts:
        found = STATEMENT.search(text)
        number = found and re.search(r"(?<![\w.])\d*\.?\d+(?:[eE][-+]?\d+)?", found["rest"])
        if not (found and number):
            continue
        words = re.findall(r"[^\s,;:=\t()\[\]\"']+", found["rest"].replace(number[0], " "))
        frequency = bool(found["rate"] or found["fs"])
        table = RATE if frequency else TIME
        scale = next((scale for word in words if (scale := factor(table, word))), None)
        value = float(number[0])
        if scale and value > 0.0:
            return Stated(1e3 / (value * scale) if frequency else value * scale, line)
    return None


def unit_by_interval(values: np.ndarray, stated: Stated) -> str | None:
    """Return the unit in which times go on by the interval that the file states, or None."""
    steps = np.diff(values)
    step = float(np.median(steps)) if len(steps) else 0.0
    return next(
        (unit for unit, scale in TIME.items() if abs(step * scale - stated.interval) < 0.01 * stated.interval), None
    )


def resolution(cells: Sequence[str], mark: str) -> np.ndarray:
    """Return how much the last digit of each number is worth, (n,).

    A number without trailing zeros may be more precise than it looks: decimals and significant digits are those of the
    most precise number of all.
    """
    decimals, digits, sizes = [], [], []
    for cell in cells:
        number, _, exponent = cell.translate(MINUS).lower().rpartition(":")[2].partition("e")
        whole, _, fraction = number.lstrip("+-").replace(",", ".").partition(".")
        significant = (whole + fraction).lstrip("0")
        place = len(fraction) - int(exponent or 0)
        decimals.append(place)
        digits.append(len(significant))
        sizes.append(len(significant) - place)  # the leading digit is worth 10^(size - 1)
    most, finest = max(digits), max(decimals)
    places = np.maximum(-finest, np.array(sizes) - most)
    return 10.0**places


def even_times(
    path: Path, t: np.ndarray, rounding: Callable[[], np.ndarray], lines: Sequence[int]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return times t [ms], (n,), as they are if they are even, or made even if rounding is all that makes them uneven.

    rounding: gives what the last digit of each is worth [ms], (n,). lines: where each is in the file. What was changed
    is returned in words, too. Raises ValueError, with file and line, for times that are uneven.
    """
    n = len(t)
    if n < 2 or not np.isfinite(t).all():
        return t, ()
    mean = (t[-1] - t[0]) / (n - 1)
    if mean > 0.0 and np.abs(t - np.linspace(t[0], t[-1], n)).max() <= EVEN * mean:
        return t, ()
    worth = rounding()
    bounds = _possible_intervals(t, 0.5 * worth) if _may_be_rounded(t, worth) else None
    if bounds is None or bounds[0] <= 0.0:
        _refuse(path, t, lines)
    low, high = bounds  # type: ignore[misc]
    interval = _roundest(low, high)
    coarse = float(np.max(worth))
    if interval is None:
        raise ValueError(
            f"{path.name}, line {lines[0]}: times are rounded to {coarse:g} ms, so that samples may be {low:.4g} to "
            f"{high:.4g} ms apart. Write them with more digits, or name the interval: units={{'t': '0.1 ms'}}"
        )
    said = (
        f"times are rounded to {coarse:g} ms: they were read as evenly spaced, {interval:g} ms apart "
        f"({1.0 / interval:g} kHz). units={{'t': '{interval:g} ms'}} names the interval, or another"
    )
    return t[0] + interval * np.arange(n), (said,)


def _may_be_rounded(t: np.ndarray, rounding: np.ndarray) -> bool:
    """Times of which nearly all differ by one and the same amount are not rounded: a sample is missing."""
    steps = np.diff(t)
    usual = float(np.median(steps))
    return not (usual > 0.0 and np.mean(np.abs(steps - usual) <= 0.01 * rounding[1:]) > 0.98)


def _possible_intervals(t: np.ndarray, half: np.ndarray) -> tuple[float, float] | None:
    """The least and the greatest interval d with which a + k·d, rounded, gives the times; None if there is none."""
    k = np.arange(len(t))
    half = half * (1 + 1e-6) + 1e-12 * np.abs(t)

    def excess(d: float) -> float:  # convex in d; 0 or less where an a exists
        rest = t - k * d
        return float(np.max(rest - half) - np.min(rest + half))

    mean = (t[-1] - t[0]) / (len(t) - 1)
    reach = 4.0 * float(np.max(half)) / (len(t) - 1)
    low, high = mean - reach, mean + reach
    best = _least(excess, low, high)
    if excess(best) > 0.0:
        return None
    return _edge(excess, best, low), _edge(excess, best, high)


def _least(f: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(60):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if f(a) <= 0.0:
            return a
        if f(a) < f(b):
            high = b
        else:
            low = a
    return 0.5 * (low + high)


def _edge(f: Callable[[float], float], inside: float, outside: float) -> float:
    for _ in range(40):
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if f(middle) <= 0.0 else (inside, middle)
    return inside


def _roundest(low: float, high: float) -> float | None:
    """The possible interval [ms] with the fewest digits, its own or of its rate; None where that tells nothing."""
    if high - low > MOST_WIDTH * low:
        return None
    for digits in (1, 2, 3):
        own = _round_within(low, high, digits)
        rate = _round_within(1.0 / high, 1.0 / low, digits)
        if own is not None or rate is not None:
            return own if own is not None else 1.0 / rate  # type: ignore[operator]
    return None


def _round_within(low: float, high: float, digits: int) -> float | None:
    """The number of so many digits between two others, if there is one."""
    step = 10.0 ** (np.floor(np.log10(high)) + 1 - digits)
    near = round(0.5 * (low + high) / step) * step
    slack = 1e-9 * high
    return float(f"{near:.{digits}g}") if low - slack <= near <= high + slack else None


def _refuse(path: Path, t: np.ndarray, lines: Sequence[int]) -> None:
    """Raise ValueError for uneven times, with the line, and how to make them even."""
    try:
        check_even(path, t, list(lines))
    except ValueError as error:
        raise ValueError(
            f"{error}. To resample: t_even = np.arange(t[0], t[-1], dt), V_even = np.interp(t_even, t, V) and likewise "
            "I, then write these; if samples are even and only their times are wrong: units={'t': '0.1 ms'}"
        ) from None
    raise ValueError(f"{path.name}: times do not increase evenly")
