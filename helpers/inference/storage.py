"""Files of plain arrays (NumPy's .npz) with a description: reading one runs no code, and a cut-off one is noticed."""

from __future__ import annotations

import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

__all__ = ["RunFolder", "read_arrays", "write_arrays"]


def write_arrays(path: str | Path, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays and a description to an .npz file that appears under its name only when it is whole."""
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            members = {"about": np.array(json.dumps(about)), **arrays}
            with zipfile.ZipFile(file, "w") as packed:
                for name, value in members.items():
                    with packed.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, np.asarray(value), allow_pickle=False)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_arrays(path: str | Path, file_format: int, what: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write_arrays` wrote, where `about["format"]` is `file_format`.

    Raises ValueError for a file that is damaged or not a `what`, FileNotFoundError if it is missing.
    """
    try:
        with open(path, "rb") as stream:
            _check_sizes(stream)
            with np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        if about["format"] != file_format:
            raise ValueError(f"format {about['format']}; this version reads format {file_format}")
    except FileNotFoundError:
        raise
    except Exception as error:  # other files fail in many ways: see tests/hostile/test_hostile_files.py
        raise ValueError(f"{Path(path).name} holds no {what} that can be read: {error}") from error
    return about, arrays


class RunFolder:
    """A folder that stores the settings of a computation in parts, and the simulations of every part.

    Parameters
    ----------
    folder
        Is made if it is missing.
    settings
        What JSON can hold. Raises ValueError if the folder holds other ones, or something else.
    file_format
        Version of the files.
    part, parts
        What a part is called, e.g. "round" and "rounds".
    """

    def __init__(self, folder: Path, settings: dict[str, Any], file_format: int, part: str, parts: str) -> None:
        self.folder, self.file_format, self.part = folder, file_format, part
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "settings.npz"
        settings = json.loads(json.dumps(settings))
        if not path.exists():
            if others := sorted(entry.name for entry in folder.iterdir()):
                raise ValueError(f"folder {folder} contains {others[0]} but no {parts}: choose an empty one")
            write_arrays(path, {"format": file_format, "settings": settings}, {})
        found = read_arrays(path, file_format, f"settings of {parts}")[0]["settings"]
        for name in settings:
            if found.get(name) != settings[name]:
                raise ValueError(
                    f"folder {folder} holds {parts} with another {name}: {found.get(name)}; now {settings[name]}. "
                    "Choose another folder"
                )

    def path(self, number: int, what: str) -> Path:
        """Return the file of one part."""
        return self.folder / f"{self.part}_{number}_{what}.npz"

    def simulations(self, number: int, theta: np.ndarray) -> np.ndarray | None:
        """Return the statistics that `theta` (n, n_parameters) gave in this part; None if it was never reached."""
        path = self.path(number, "simulations")
        if not path.exists():
            return None
        arrays = read_arrays(path, self.file_format, "simulations")[1]
        if set(arrays) != {"theta", "x"} or not np.array_equal(arrays["theta"], theta):
            raise ValueError(f"{path} holds other parameters than this {self.part} draws: choose another folder")
        return arrays["x"]

    def store_simulations(self, number: int, theta: np.ndarray, x: np.ndarray) -> None:
        """Store the simulations of one part."""
        write_arrays(self.path(number, "simulations"), {"format": self.file_format}, {"theta": theta, "x": x})


def _check_sizes(stream: BinaryIO) -> None:
    """Raise ValueError if the arrays would be larger than the file: packed by another program, or to fill memory.

    The lengths that the head of each array states count, since memory is taken for these.
    """
    if not zipfile.is_zipfile(stream):
        raise ValueError("it is not an .npz file")
    room = stream.seek(0, os.SEEK_END)
    with zipfile.ZipFile(stream) as packed:
        for name in packed.namelist():
            with packed.open(name) as array:
                major, _ = np.lib.format.read_magic(array)
                read_head = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
                shape, _, dtype = read_head(array)
            if dtype.hasobject:
                raise ValueError(f"{name} holds Python objects, and to load these could run code; allowed: numbers")
            room -= math.prod(shape) * dtype.itemsize
    if room < 0:
        raise ValueError("its arrays are larger than the file")
    stream.seek(0)
