"""The folder for files that can be regenerated or downloaded again: one rule for the whole series."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

__all__ = ["cache_folder"]

REPOSITORY = Path(__file__).resolve().parents[1]


def cache_folder(kind: Literal["kernels", "networks", "recordings"]) -> Path:
    """Return the folder that caches files of one kind, and create it where it is missing.

    It is a subfolder of the folder that the environment variable PYHH_CACHE names. Without that variable it is a
    subfolder of ``.cache`` in the repository, or, where the repository is read-only, of the user's cache folder or of a
    folder for this user among the temporary files; a message then says where it is, once. Several processes may ask at
    the same time.

    Parameters
    ----------
    kind
        "kernels": generated code and what Numba compiles of it. "networks": trained posteriors.
        "recordings": downloads.

    Raises
    ------
    OSError
        If no such folder can be created and written. A PYHH_CACHE that cannot be used is never silently replaced.
    """
    failures: list[str] = []
    for root in _roots():
        folder = root / kind
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            if failures:
                _say_once(f"cannot write {failures[0]}: cached files go to {root}")
            return folder
        except OSError as error:
            failures.append(f"{folder} ({error.strerror})")
    raise OSError(f"no cache folder can be written: {', '.join(failures)}; set PYHH_CACHE to a folder that can")


@functools.cache
def _say_once(message: str) -> None:
    print(message, file=sys.stderr)


def _roots() -> Iterator[Path]:
    """Yield the folders to try, in order."""
    if chosen := os.environ.get("PYHH_CACHE"):
        yield Path(chosen).expanduser().resolve()
        return
    yield REPOSITORY / ".cache"
    import pooch  # here, because a repository that can be written does not need it

    yield pooch.os_cache("pyhh")
    if not hasattr(os, "getuid"):  # Windows: the temporary folder belongs to one user
        yield Path(tempfile.gettempdir()) / "pyhh"
        return
    shared = Path(tempfile.gettempdir()) / f"pyhh-{os.getuid()}"
    shared.mkdir(mode=0o700, exist_ok=True)
    if shared.stat().st_uid == os.getuid():  # code is loaded from here, so it must not be anybody else's
        yield shared
