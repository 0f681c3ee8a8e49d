"""The header of a file in Axon Binary Format, of whichever version.

The places of the fields are those of Axon's file support package.
"""

from __future__ import annotations

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

from .abf_fields import AbfHeader, Damaged
from .abf_version_1 import read_version_1
from .abf_version_2 import read_version_2

__all__ = ["read_header"]


def read_header(path: Path) -> AbfHeader:
    """Read the header. Raises ValueError, with the file's name, for a file that is damaged, cut short or not ABF."""
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path.name} is empty")
    versions = {b"ABF ": read_version_1, b"ABF2": read_version_2}
    try:
        with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            read = versions.get(data[:4])
            if read is None:
                raise ValueError(f"{path.name} cannot be read as ABF: it is not an ABF file")
            return read(path, data, size)
    except Damaged as error:
        raise ValueError(f"{path.name} cannot be read as ABF: it is damaged or cut short ({error})") from None
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"{path.name} cannot be read as ABF: it is damaged or cut short") from error
