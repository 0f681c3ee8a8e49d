"""HDF5 files, opened after a process of its own has read what is asked of them.

On some damaged files the HDF5 library crashes or hangs, and nothing in the same process could stop that. So
`python -m helpers.recordings.hdf5 SECONDS` reads first: it takes a path and the names of datasets from each line of its
input, as a Python literal, and answers with a line: what is wrong, or nothing. Without names it reads the structure of
the file and all that is small; a dataset is read from end to end only when its samples are asked for, so a file of many
sweeps opens quickly. If reading stops for more than SECONDS, the program ends without an answer.

No other file is opened: external links are not followed, and samples that lie in other files are refused.
"""

from __future__ import annotations

import ast
import atexit
import faulthandler
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

__all__ = ["file_version", "in_other_files", "inside", "open_hdf5"]

MAX_READING_TIME = 8.0  # s; a file that cannot be read on for longer is damaged
SMALL_DATASET = 2**16  # bytes; a larger dataset is read when its samples are asked for
BLOCK = 2**24  # bytes of a dataset that are read at once
MAX_COMPRESSION = 2000  # bytes of data per byte of file, at most: how far gzip compresses zeros
MAX_LINKS = 20  # of a path that leads from link to link

_asking = threading.Lock()  # two threads must not read each other's answers


@contextmanager
def open_hdf5(path: Path, *datasets: str) -> Iterator[h5py.File]:
    """Open a file in which the structure, and the named datasets, can be read. Raises ValueError if they cannot."""
    for names in [(), datasets] if datasets else [()]:
        with _asking:
            fault = _fault(str(path.resolve()), names, *file_version(path))
        if fault:
            raise ValueError(fault)
    with h5py.File(path, "r") as file:  # HDF5 answers from a file that stayed open, even after it was overwritten
        yield file


def file_version(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written: size, time of modification, inode."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def inside(group: h5py.Group, path: str, depth: int = 0) -> h5py.Group | h5py.Dataset | None:
    """Return what lies at a path, or None: if it is missing, or lies in another file."""
    if depth > MAX_LINKS:
        return None
    here = group.file["/"] if path.startswith("/") else group
    for name in path.strip("/").split("/"):
        kind = _link(here, name)
        if kind == h5py.h5l.TYPE_SOFT:
            here = inside(here, here.id.links.get_val(name.encode()).decode(), depth + 1)
        elif kind == h5py.h5l.TYPE_HARD:
            here = here[name]
        else:
            return None
    return here


def _link(group: h5py.Group | h5py.Dataset | None, name: str) -> int | None:
    """The type of a link, which nothing follows here; None if there is none."""
    if not isinstance(group, h5py.Group) or not group.id.links.exists(name.encode()):
        return None
    return group.id.links.get_info(name.encode()).type


def in_other_files(dataset: h5py.Dataset) -> bool:
    """Whether the samples of a dataset lie in other files."""
    return bool(dataset.is_virtual or dataset.external)


def find_fault(path: str, datasets: tuple[str, ...] = (), progress: Callable[[], None] = lambda: None) -> str:
    """Return what is wrong with the structure of a file, or with some of its datasets, or ""."""
    size = os.path.getsize(path)

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        progress()
        for key in item.attrs:
            item.attrs[key]
        if isinstance(item, h5py.Dataset) and not in_other_files(item):
            if item.nbytes > MAX_COMPRESSION * size:
                raise ValueError(f"{name} cannot contain {item.nbytes} bytes")
            if item.nbytes <= SMALL_DATASET or item.ndim == 0:
                item[()]
            elif name.endswith("timestamps"):
                item[0], item[-1]

    def read(dataset: h5py.Dataset) -> None:
        rows = max(1, BLOCK // max(1, dataset.nbytes // max(1, len(dataset))))
        for first in range(0, len(dataset), rows):
            progress()
            dataset[first : first + rows]

    try:
        with h5py.File(path, "r") as file:
            if datasets:
                for name in datasets:
                    read(file[name])
            else:
                visit("/", file)
                file.visititems(visit)
    except Exception as error:  # h5py raises many kinds
        return ascii(f"{type(error).__name__}: {error}")[:300]  # one line, whatever is in the file
    return ""


@functools.lru_cache(maxsize=1024)
def _fault(path: str, datasets: tuple[str, ...], *version: int) -> str:
    """Return what the process of its own finds wrong with this version of a file, or ""."""
    child = _process(os.getpid())
    assert child.stdin and child.stdout
    try:
        child.stdin.write(f"{(path, datasets)!a}\n")
        child.stdin.flush()
        answer = child.stdout.readline()
    except OSError:
        answer = ""
    if not answer:
        _process.cache_clear()
        _end(child)
        return "the HDF5 library crashes or hangs on it"
    return answer.strip()


@functools.cache
def _process(owner: int) -> subprocess.Popen:
    """Start this program, once per process: a forked one must not read the answers to its parent."""
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, str(MAX_READING_TIME)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    atexit.register(_end, child)
    return child


def _end(child: subprocess.Popen) -> None:
    with suppress(OSError), child:  # closes its streams, of which one may be broken, and waits
        child.kill()


def main(seconds: float) -> None:
    """Answer each line of the input."""

    def alive() -> None:
        faulthandler.dump_traceback_later(seconds, exit=True)  # also while compiled code hangs

    for line in sys.stdin:
        alive()
        path, datasets = ast.literal_eval(line)
        print(find_fault(path, datasets, alive), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(float(sys.argv[1]))
