"""The texts in JavaScript and CSS that lie beside this file, put together for a widget: there is no build step."""

from __future__ import annotations

from pathlib import Path

__all__ = ["text_of"]

HERE = Path(__file__).parent


def text_of(*names: str) -> str:
    """These files of the folder helpers/, one after the other."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)
