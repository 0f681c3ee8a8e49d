"""Files of plain arrays (NumPy's .npz) with a description: reading one runs no code, and a cut-off one is noticed."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_arrays", "write_arrays"]


def write_arrays(path: str | Path, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays and a description to an .npz file that appears under its name only when it is whole."""
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_arrays(path: str | Path, file_format: int, what: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write_arrays` wrote, where `about["format"]` is `file_format`.

    Raises ValueError for a file that is damaged or is no `what`, FileNotFoundError where there is none.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        if about["format"] != file_format:
            raise ValueError(f"format {about['format']}; this version reads format {file_format}")
    except FileNotFoundError:
        raise
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{Path(path).name} holds no {what} that can be read: {error}") from error
    return about, arrays
