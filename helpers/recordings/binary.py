"""What readers of binary files share: refusals by name, and numbers within bounds."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Unreadable", "refusing", "samples", "text", "unpack"]


class Unreadable(ValueError):
    """What is wrong with a file, in words that `refusing` passes on."""


@contextmanager
def refusing(path: Path, format: str) -> Iterator[None]:
    """Whatever goes wrong inside raises ValueError with the file's name: readers of damaged files raise anything."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except Unreadable as fault:
        raise ValueError(f"{path.name} cannot be read as {format}: {fault}") from None
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read as {format}: it is damaged or cut short") from error


def unpack(form: str, data: bytes, place: int) -> Any:
    """Return the number, or the tuple of numbers, of struct format `form` at `place`; Unreadable if it lies outside."""
    if place < 0 or place + struct.calcsize(form) > len(data):
        raise Unreadable("it is damaged or cut short")
    numbers = struct.unpack_from(form, data, place)
    return numbers[0] if len(numbers) == 1 else numbers


def text(data: bytes) -> str:
    """Return a text of fixed length that ends at its first zero, without blanks around it."""
    return data.split(b"\0", 1)[0].decode("latin-1").strip()


def samples(path: Path, dtype: str, place: int, count: int) -> np.ndarray:
    """Read `count` numbers at `place` of a file. Raises ValueError, with the file's name, if it ends before."""
    size = np.dtype(dtype).itemsize
    if place < 0 or count < 0 or place + size * count > path.stat().st_size:
        raise ValueError(f"{path.name} ends before the last sample: it is damaged or cut short")
    return np.fromfile(path, dtype, count, offset=place)
