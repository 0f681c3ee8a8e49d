"""With what a cell was fitted: versions of Python and of the packages that matter, and the commit of this series."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

__all__ = ["software_versions"]

PACKAGES = ("numpy", "scipy", "numba", "torch")
ROOT = Path(__file__).resolve().parents[2]


def software_versions() -> dict[str, str]:
    """Return versions by name; `commit` is missing without git, and ends in -dirty where files were changed."""
    found = {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    if commit := _commit():
        found["commit"] = commit
    return found


def _commit() -> str:
    if not (ROOT / ".git").exists():  # within another repository, its commit would say nothing
        return ""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
