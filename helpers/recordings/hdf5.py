"""A first look at an HDF5 file in a process of its own: on some damaged files the HDF5 library crashes or never ends.

Nothing in the process that asks could stop that. So another one, which stays for the next file, reads every attribute
and every dataset first; where it dies, or takes longer than `PATIENCE`, the file is damaged.
"""

from __future__ import annotations

import atexit
import functools
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

__all__ = ["check_hdf5"]

PATIENCE = 8.0  # s
LARGE = 2**28  # bytes; of a larger dataset only the ends are read
DENSEST = 2000  # bytes of data for a byte of file, at most: what gzip makes of zeros


def check_hdf5(path: Path) -> None:
    """Raise ValueError where the file is no HDF5 file or cannot be read from end to end."""
    status = path.stat()
    if answer := _looked_at(str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino):
        raise ValueError(answer)


@functools.lru_cache(maxsize=64)
def _looked_at(path: str, size: int, changed: int, number: int) -> str:
    """What is wrong with the file, in words; empty if nothing is."""
    return _looker(os.getpid()).ask(path)


@functools.cache
def _looker(process: int) -> _Looker:
    """One for each process: a forked one must not read what its parent asked for."""
    return _Looker()


class _Looker:
    """The other process."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        atexit.register(self.stop)

    def ask(self, path: str) -> str:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
        answers: queue.Queue[str] = queue.Queue()
        stream = self.process.stdout
        threading.Thread(target=lambda: answers.put(stream.readline()), daemon=True).start()
        try:
            self.process.stdin.write(f"{path!r}\n")
            self.process.stdin.flush()
            answer = answers.get(timeout=PATIENCE + (0.0 if self.process.poll() is None else 1.0)).strip()
        except (queue.Empty, OSError):
            answer = ""
        if not answer:
            self.stop()
            return "the HDF5 library does not come to an end with it"
        return "" if answer == "whole" else answer

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            for stream in (self.process.stdin, self.process.stdout):
                stream.close()
            self.process.wait()
            self.process = None


# ------------------------------------------------------------------------------------------------ the other process


def _look(path: str) -> str:
    """ "whole", or what is wrong."""
    import h5py

    size = os.path.getsize(path)

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        for key in item.attrs:
            item.attrs[key]
        if isinstance(item, h5py.Dataset):
            if item.nbytes > DENSEST * size:
                raise ValueError(f"{name} cannot hold {item.nbytes} bytes")
            if item.ndim == 0 or item.nbytes <= LARGE:
                item[()]
            elif len(item):
                item[0], item[-1]

    try:
        with h5py.File(path, "r") as file:
            visit("/", file)
            file.visititems(visit)
    except Exception as error:  # h5py raises many kinds
        return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    return "whole"


def _main() -> None:
    import ast

    for line in sys.stdin:
        print(_look(ast.literal_eval(line)), flush=True)


if __name__ == "__main__":
    _main()
