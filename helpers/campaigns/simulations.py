"""The simulations of a campaign as they lie on the disk: read in part or as one array, and checked.

Reading needs the folder only, not the neuron, and runs no code from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from helpers.inference.priors import Prior
from helpers.validation import whole_number

from .shards import Part, Shard, cover, fault, list_shards, read_shard, write_file

__all__ = ["Simulations", "key_of", "write_manifest"]

FILE_FORMAT = 1
MANIFEST = "campaign.json"


class Simulations:
    """The simulations in the folder of a campaign, 0 to `number` - 1, as its manifest campaign.json describes them.

    Attributes
    ----------
    about
        What was simulated, as plain data.
    prior, names
        Of the parameters theta.
    statistics
        Names of x; empty if the function that summarises has none.

    Raises
    ------
    FileNotFoundError
        If the folder holds no campaign.
    ValueError
        For a manifest that cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        path = self.folder / MANIFEST
        try:
            manifest = json.loads(path.read_text("utf-8"))
            if manifest.pop("sha256") != key_of(manifest) or manifest["format"] != FILE_FORMAT:
                raise ValueError("its check sum is another one")
            self.key: str = manifest["key"]
            self.number: int = manifest["number"]
            self.about: dict[str, Any] = manifest["campaign"]
            self.prior = Prior.from_data(self.about["prior"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is damaged ({error}): remove it, and the campaign, run again, writes it again and keeps "
                "the simulations"
            ) from error
        self.names = self.prior.names
        self.statistics = tuple(self.about["summarise"]["statistics"])

    def __len__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"Simulations({self.folder}: {self.number:,} of {self.about['neuron']['class']}, key {self.key[:8]})"

    def __dask_tokenize__(self) -> tuple[str, int]:
        """The content, for `fingerprint`: the key of a campaign and its number settle every bit."""
        return self.key, self.number

    @property
    def shards(self) -> list[Shard]:
        """The files, in order."""
        return list_shards(self.folder / "shards")

    @property
    def kept(self) -> int:
        """How many of the simulations are there."""
        return sum(part.stop - part.first for part in cover(self.shards, 0, self.number)[0])

    def parts(self, first: int = 0, stop: int | None = None) -> list[Part]:
        """Return which rows of which files hold the simulations `first` to `stop` (excluded; None: all).

        Raises ValueError if some are missing.
        """
        stop = self.number if stop is None else whole_number("stop", stop, 1, self.number)
        parts, gaps = cover(self.shards, whole_number("first", first, 0, stop - 1), stop)
        if gaps:
            missing = sum(end - begin for begin, end in gaps)
            raise ValueError(
                f"{missing:,} of the {stop - first:,} simulations are not there, from {gaps[0][0]} on: run the campaign"
            )
        return parts

    def read(self, first: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Read theta (n, n_parameters) and x (n, n_statistics) of the simulations `first` to `stop` (excluded).

        Every file is checked as it is read. Raises ValueError for one that is missing or damaged.
        """
        theta, x = zip(*self.batches(first, stop), strict=True)
        return np.concatenate(theta), np.concatenate(x)

    def batches(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read the same file by file: theta and x of no more than one shard are in memory at a time."""
        for part in self.parts(first, stop):
            theta, x = read_shard(part.shard, self.key)
            yield theta[part.rows], x[part.rows]

    @property
    def theta(self) -> Any:
        """All parameters as one Dask array (number, n_parameters), which reads what is asked for."""
        return self._lazy(0)

    @property
    def x(self) -> Any:
        """All statistics as one Dask array (number, n_statistics), which reads what is asked for."""
        return self._lazy(1)

    def verify(self) -> list[str]:
        """Return what is wrong, a line per damaged file or missing range; an empty list if the campaign is complete."""
        found, whole = [], []
        for shard in self.shards:
            if wrong := fault(shard, self.key):
                found.append(f"{shard.path.name}: {wrong.words}")
            else:
                whole.append(shard)
        gaps = cover(whole, 0, self.number)[1]
        return found + [f"simulations {begin} to {end - 1}: missing" for begin, end in gaps]

    def _lazy(self, which: int) -> Any:
        from dask import array, delayed  # takes a moment to import, and not everyone reads this way

        def rows(part: Part, key: str) -> np.ndarray:
            return read_shard(part.shard, key)[which][part.rows]

        parts = self.parts()
        columns = read_shard(parts[0].shard, self.key)[which].shape[1]
        blocks = [
            array.from_delayed(delayed(rows, pure=True)(part, self.key), (part.stop - part.first, columns), float)
            for part in parts
        ]
        return array.concatenate(blocks)


def write_manifest(folder: Path, number: int, about: dict[str, Any]) -> None:
    """Write what the campaign in `folder` is; replaces the one before as a whole."""
    manifest = {"format": FILE_FORMAT, "key": key_of(about), "number": number, "campaign": about}
    text = json.dumps({**manifest, "sha256": key_of(manifest)}, indent=1, ensure_ascii=False)
    write_file(folder / MANIFEST, text.encode())


def key_of(data: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
