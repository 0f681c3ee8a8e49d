"""Checks of arguments at the door: each function returns a value in plain form, or raises ValueError with its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "did_you_mean",
    "instance",
    "number",
    "numbers",
    "one_of",
    "plain",
    "range_in_words",
    "whole_number",
    "whole_steps",
]

MOST_STEPS = 10**8  # of a simulation: 0.8 GB for each state. More must be a mistake in the unit


def numbers(
    name: str,
    value: Any,
    unit: str = "",
    *,
    shape: tuple[int | None, ...] | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    above: float = -np.inf,
) -> np.ndarray:
    """Return `value` as an array of finite floats.

    Parameters
    ----------
    name
        How the message calls it.
    value
        Anything.
    unit
        Unit, for the message.
    shape
        Required shape, None for any length from 1 up; by default any shape that is not empty.
    low, high
        Allowed range, both inclusive.
    above
        Exclusive lower bound.
    """
    allowed = range_in_words(unit, low, high, above) or "finite numbers"
    values = plain(name, value, allowed)
    fits = values.size > 0 if shape is None else _fits(values.shape, shape)
    if not fits:
        wanted = "not empty" if shape is None else str(tuple("n" if n is None else n for n in shape)).replace("'", "")
        raise ValueError(f"{name} has shape {values.shape}; allowed: {'one number' if shape == () else wanted}")
    bad = ~(np.isfinite(values) & (values >= low) & (values <= high) & (values > above))
    if bad.any():
        first = int(np.argmax(bad.ravel()))
        where = f" (entry {first})" if values.ndim else ""
        raise ValueError(f"{name} = {f'{values.ravel()[first]:g} {unit}'.rstrip()}{where}; allowed: {allowed}")
    return values


def number(
    name: str, value: Any, unit: str = "", *, low: float = -np.inf, high: float = np.inf, above: float = -np.inf
) -> float:
    """Return one finite number from `low` to `high`, both inclusive, greater than `above`."""
    return float(numbers(name, value, unit, shape=(), low=low, high=high, above=above))


def whole_number(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return an integer from `low` to `high`, both inclusive; bool and float are rejected."""
    valid = isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)
    if not valid or value < low or (high is not None and value > high):
        end = "up" if high is None else f"to {high}"
        raise ValueError(f"{name} = {value!r}; allowed: an integer from {low} {end}")
    return int(value)


def whole_steps(name: str, time: float, dt: float, *, least: int = 1, most: int = MOST_STEPS) -> int:
    """Return how many steps of `dt` [ms] make a `time` [ms], from `least` to `most`."""
    if time > most * dt:
        raise ValueError(f"{name} = {time:g} ms; allowed: at most {most:,} steps dt = {dt:g} ms")
    n_steps = round(time / dt)
    if n_steps < least or abs(n_steps * dt - time) > 1e-6 * dt:
        raise ValueError(f"{name} = {time:g} ms; allowed: a multiple of dt = {dt:g} ms")
    return n_steps


def one_of(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return one of the allowed names."""
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"{name} = {value!r}; allowed: {', '.join(allowed)}")
    return value


def instance(name: str, value: Any, kind: type | tuple[type, ...], words: str) -> Any:
    """Return an object of a class, which the message calls `words`."""
    if not isinstance(value, kind):
        found = f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"
        raise ValueError(f"{name} is {found}; allowed: {words}")
    return value


def plain(name: str, value: Any, allowed: str) -> np.ndarray:
    """Return `value` as floats, also infinite ones; text, dates, complex numbers and masked entries are rejected."""
    try:
        values = np.asarray(value)
        if values.dtype.kind == "O" and all(isinstance(entry, Real) for entry in values.flat):
            values = values.astype(float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        values = np.empty(0, dtype=object)
    if values.dtype.kind not in "biuf" or np.ma.is_masked(value):
        shown = f"= {value!r}" if np.ndim(values) == 0 and values.size else f"of type {type(value).__name__}"
        raise ValueError(f"{name} {shown} is not a number; allowed: {allowed}")
    with np.errstate(over="ignore"):  # a wider float becomes infinite, which is then refused as such
        return values.astype(float, copy=False)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(n >= 1 if want is None else n == want for n, want in pairs)


def range_in_words(unit: str, low: float, high: float, above: float = -np.inf) -> str:
    """Return the allowed range as a message words it, "" if there are no bounds."""
    if np.isfinite(low) and np.isfinite(high):
        words = f"from {low:g} to {high:g}"
    elif np.isfinite(low):
        words = f"at least {low:g}"
    else:
        ends = [f"above {above:g}"] if np.isfinite(above) else []
        ends += [f"at most {high:g}"] if np.isfinite(high) else []
        words = ", ".join(ends)
    return f"{words} {unit}".rstrip() if words else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean g_Na?" if one of the known names is like this one, else ""."""
    known = list(known)
    written = [entry.replace("_", "").lower() for entry in known]
    short = name.replace("_", "").lower()
    begins = [entry for entry in written if len(short) > 2 and entry.startswith(short)]
    for close in ([entry for entry in written if entry == short], begins, get_close_matches(short, written, n=1)):
        if close:
            return f"; did you mean {known[written.index(close[0])]}?"
    return ""
