"""Generated modules on disk, cached by content hash, so that stale code is never used."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import secrets
import sys
import threading
from pathlib import Path
from types import ModuleType

from helpers.cache import cache_folder

from . import kernels

__all__ = ["load_module"]

_loading = threading.Lock()  # two threads may want the same module at the same moment


def load_module(source: str, *built_on: Path) -> ModuleType:
    """Import the module with this text. Numba caches its compiled functions next to it.

    `built_on` are the files of functions that it calls, besides the building blocks of kernels: a change of one makes
    new machine code.
    """
    with _loading:
        return _load_once(source, built_on)


@functools.cache
def _load_once(source: str, built_on: tuple[Path, ...]) -> ModuleType:
    versions = b"".join(path.read_bytes() for path in (Path(kernels.__file__), *built_on))
    name = "pyhh_" + hashlib.sha256(source.encode() + versions).hexdigest()[:16]
    path = cache_folder("kernels") / f"{name}.py"
    if not path.exists():
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        part.write_text(source, encoding="utf-8")
        os.replace(part, path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
