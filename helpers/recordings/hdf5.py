"""Read HDF5 files from end to end in a process of its own: `python -m helpers.recordings.hdf5 SECONDS`.

On some damaged files the HDF5 library crashes or hangs, and nothing in the same process could stop that. The program
reads a path from each line of its input, as a Python literal, and answers with a line: what is wrong with the file, or
nothing. If a file takes more than SECONDS, the program ends without an answer. `nwb` runs it before it opens a file.
"""

from __future__ import annotations

import ast
import faulthandler
import os
import sys

import h5py

LARGE_DATASET = 2**28  # bytes; of a larger dataset only the ends are read
MAX_COMPRESSION = 2000  # bytes of data per byte of file, at most: how far gzip compresses zeros


def find_fault(path: str) -> str:
    """Return what is wrong with the file, or ""."""
    size = os.path.getsize(path)

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        for key in item.attrs:
            item.attrs[key]
        if isinstance(item, h5py.Dataset):
            if item.nbytes > MAX_COMPRESSION * size:
                raise ValueError(f"{name} cannot contain {item.nbytes} bytes")
            if item.ndim == 0 or item.nbytes <= LARGE_DATASET:
                item[()]
            elif len(item):
                item[0], item[-1]

    try:
        with h5py.File(path, "r") as file:
            visit("/", file)
            file.visititems(visit)
    except Exception as error:  # h5py raises many kinds
        return ascii(f"{type(error).__name__}: {error}")[:300]  # one line, whatever is in the file
    return ""


if __name__ == "__main__":
    for line in sys.stdin:
        faulthandler.dump_traceback_later(float(sys.argv[1]), exit=True)  # also while compiled code hangs
        print(find_fault(ast.literal_eval(line)), flush=True)
        faulthandler.cancel_dump_traceback_later()
