"""The files of a campaign: tables of consecutive simulations, each in a Parquet file that is written once.

A file is named by the range of its simulations and by the SHA-256 of its bytes,

    000000010000-000000020000-9f86d081884c7d65.parquet

so that the folder itself says what is there, and a file that was cut off or changed says so, too. It appears under its
name only when it is whole and on the disk: written under another name, brought to the disk (fsync), then renamed.
Nothing depends on the time of a file.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = [
    "Fault",
    "FaultKind",
    "Part",
    "Shard",
    "clear_leftovers",
    "cover",
    "fault",
    "list_shards",
    "read_shard",
    "write_file",
    "write_shard",
]

DIGITS = 16  # of the SHA-256 in the name: a changed file passes for whole once in 10^19
NAME = re.compile(rf"(\d{{12,}})-(\d{{12,}})-([0-9a-f]{{{DIGITS}}})\.parquet")
LEFTOVER = re.compile(r"\.(\d{12,})-\d{12,}-.*\.part")


class FaultKind(Enum):
    """What can be wrong with a file."""

    MISSING = auto()
    DAMAGED = auto()
    FOREIGN = auto()


class Fault(NamedTuple):
    """What is wrong with a file, and the same in words."""

    kind: FaultKind
    words: str


@dataclass(frozen=True, order=True)
class Shard:
    """One file: simulations `first` (included) to `stop` (excluded), and what the bytes must hash to."""

    first: int
    stop: int
    digest: str
    folder: Path

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.folder / f"{_range(self.first, self.stop)}-{self.digest}.parquet"


@dataclass(frozen=True)
class Part:
    """The rows `first` to `stop` of a campaign, which lie in `shard`."""

    shard: Shard
    first: int
    stop: int

    @property
    def rows(self) -> slice:
        """The rows of the file."""
        return slice(self.first - self.shard.first, self.stop - self.shard.first)


def write_shard(
    folder: Path,
    key: str,
    first: int,
    theta: np.ndarray,
    x: np.ndarray,
    names: Sequence[str],
    statistics: Sequence[str],
) -> Shard:
    """Write simulations `first` onwards of the campaign `key`: theta (n, n_parameters) and x (n, n_statistics)."""
    columns = {"simulation": np.arange(first, first + len(theta))}
    columns |= {f"theta.{name}": column for name, column in zip(names, theta.T, strict=True)}
    columns |= {f"x.{name}": column for name, column in zip(statistics, x.T, strict=True)}
    table = pa.table(columns).replace_schema_metadata({"campaign": key})
    buffer = io.BytesIO()
    real = [name for name in columns if name != "simulation"]
    # Floats compress well when their bytes are sorted by their place in the number.
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False, use_byte_stream_split=real,
                   column_encoding={"simulation": "DELTA_BINARY_PACKED"})  # fmt: skip
    data = buffer.getvalue()
    shard = Shard(first, first + len(theta), hashlib.sha256(data).hexdigest()[:DIGITS], folder)
    write_file(shard.path, data)
    return shard


def read_shard(shard: Shard, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Read theta (n, n_parameters) and x (n, n_statistics) from a file.

    Raises ValueError for a file that is damaged or of another campaign than `key`, and says which.
    """
    try:
        data = shard.path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{shard.path.name} has gone: run the campaign again to regenerate it") from None
    if hashlib.sha256(data).hexdigest()[:DIGITS] != shard.digest:
        raise ValueError(f"{shard.path.name} is damaged ({len(data):,} bytes): run the campaign again to regenerate it")
    table = pq.read_table(pa.BufferReader(data), use_threads=False)
    if (found := (table.schema.metadata or {}).get(b"campaign", b"").decode()) != key:
        raise ValueError(f"{shard.path.name} belongs to another campaign, {found[:8] or 'none'}: remove it")
    expected = np.arange(shard.first, shard.stop)
    if not np.array_equal(table["simulation"].to_numpy(), expected):
        raise ValueError(f"{shard.path.name} holds other simulations than its name says: remove it")
    columns = {prefix: [name for name in table.column_names if name.startswith(prefix)] for prefix in ("theta.", "x.")}
    return _matrix(table, columns["theta."]), _matrix(table, columns["x."])


def fault(shard: Shard, key: str) -> Fault | None:
    """Say what is wrong with a file; None if nothing is. All of it is read, but never held in memory."""
    try:
        with open(shard.path, "rb") as file:
            if not hashlib.file_digest(file, "sha256").hexdigest().startswith(shard.digest):
                return Fault(FaultKind.DAMAGED, f"damaged ({shard.path.stat().st_size:,} bytes)")
    except FileNotFoundError:
        return Fault(FaultKind.MISSING, "missing")
    found = (pq.read_schema(shard.path).metadata or {}).get(b"campaign", b"").decode()
    return None if found == key else Fault(FaultKind.FOREIGN, f"of another campaign, {found[:8] or 'none'}")


def list_shards(folder: Path) -> list[Shard]:
    """List the files of simulations in a folder, in order."""
    try:
        found = (NAME.fullmatch(name) for name in os.listdir(folder))
    except FileNotFoundError:
        return []
    return sorted(Shard(int(name[1]), int(name[2]), name[3], folder) for name in found if name)


def cover(shards: Iterable[Shard], first: int, stop: int) -> tuple[list[Part], list[tuple[int, int]]]:
    """Plan how the simulations `first` to `stop` are read, each exactly once; return the missing ranges, too.

    Two processes that make the same simulations at a time may leave files that overlap: they hold the same numbers.
    """
    parts, gaps = [], []
    for shard in sorted(shards, key=lambda one: (one.first, -one.stop)):
        begin, end = max(shard.first, first), min(shard.stop, stop)
        if begin >= end:
            continue
        if begin > first:
            gaps.append((first, begin))
        parts.append(Part(shard, begin, end))
        first = end
    return parts, gaps + [(first, stop)] * (first < stop)


def clear_leftovers(folder: Path, first: int = 0, stop: int | None = None) -> None:
    """Remove unfinished files that begin in a range, left by processes that were killed.

    If one of them is being written after all, its writer notices and writes it once more.
    """
    for name in os.listdir(folder):
        found = LEFTOVER.fullmatch(name)
        if found and first <= int(found[1]) and (stop is None or int(found[1]) < stop):
            (folder / name).unlink(missing_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """Write a file that appears under its name when all of it is on the disk, or not at all."""
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.part")
    try:
        for attempts_left in (2, 1, 0):
            with open(part, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.replace(part, path)
                break
            except FileNotFoundError:  # another process took it for a leftover
                if not attempts_left:
                    raise
        if hasattr(os, "O_DIRECTORY"):  # the new name, too, must be on the disk
            handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        error.add_note(f"{path} could not be written; what was written before is kept")
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _range(first: int, stop: int) -> str:
    return f"{first:012d}-{stop:012d}"


def _matrix(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    values = np.empty((len(table), len(names)))
    for column, name in enumerate(names):
        values[:, column] = table[name].to_numpy()
    return values
