"""What arrives from outside, checked: each function returns it in plain form, or refuses it by name (ValueError)."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["instance", "number", "numbers", "one_of", "plain", "whole_number", "whole_steps"]

MOST_STEPS = 10**8  # of a simulation: 0.8 GB for each state. More is a slip of the unit


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
    """`value` as an array of floats, all of them finite.

    shape: that it must have, None where any length from 1 up will do; without it any shape that is not empty.
    low, high: the allowed range, both inclusive; above: a lower end that is not allowed itself.
    """
    allowed = _in_words(unit, low, high, above)
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
    """One finite number from `low` to `high`, both inclusive, and `above` another one."""
    return float(numbers(name, value, unit, shape=(), low=low, high=high, above=above))


def whole_number(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """A whole number from `low` to `high`, both inclusive. True and 2.0 are none."""
    valid = isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)
    if not valid or value < low or (high is not None and value > high):
        end = "up" if high is None else f"to {high}"
        raise ValueError(f"{name} = {value!r}; allowed: a whole number from {low} {end}")
    return int(value)


def whole_steps(name: str, time: float, dt: float, *, least: int = 1, most: int = MOST_STEPS) -> int:
    """How many steps of `dt` make the `time` [ms] called `name`, from `least` to `most`."""
    if time > most * dt:
        raise ValueError(f"{name} = {time:g} ms; allowed: at most {most:,} steps dt = {dt:g} ms")
    n_steps = round(time / dt)
    if n_steps < least or abs(n_steps * dt - time) > 1e-6 * dt:
        raise ValueError(f"{name} = {time:g} ms; allowed: a multiple of dt = {dt:g} ms")
    return n_steps


def one_of(name: str, value: Any, allowed: Collection[str]) -> str:
    """One of some names."""
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"{name} = {value!r}; allowed: {', '.join(allowed)}")
    return value


def instance(name: str, value: Any, kind: type | tuple[type, ...], words: str) -> Any:
    """An object of a class, called `words` in the message."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} is of type {type(value).__name__}; allowed: {words}")
    return value


def plain(name: str, value: Any, allowed: str) -> np.ndarray:
    """`value` as floats, whatever they are. Text, dates, complex numbers and masked entries are no floats."""
    try:
        values = np.asarray(value)
        if values.dtype.kind == "O" and all(isinstance(entry, Real) for entry in values.flat):
            values = values.astype(float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        values = np.empty(0, dtype=object)
    if values.dtype.kind not in "biuf" or np.ma.is_masked(value):
        shown = repr(value) if np.ndim(values) == 0 and values.size else f"of {type(value).__name__}"
        raise ValueError(f"{name} = {shown} is not a number; allowed: {allowed}")
    with np.errstate(over="ignore"):  # a wider float becomes infinite, which is then refused as such
        return values.astype(float, copy=False)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(n >= 1 if want is None else n == want for n, want in pairs)


def _in_words(unit: str, low: float, high: float, above: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        words = f"from {low:g} to {high:g}"
    elif np.isfinite(low):
        words = f"at least {low:g}"
    else:
        ends = [f"above {above:g}"] if np.isfinite(above) else []
        ends += [f"at most {high:g}"] if np.isfinite(high) else []
        words = ", ".join(ends)
    return f"{words} {unit}".rstrip() if words else "finite numbers"
