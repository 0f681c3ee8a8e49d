"""The picture of an explorer: a PNG that changes without flickering, its words, and a mark while Python computes."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["Picture"]

HERE = Path(__file__).parent


class Picture(anywidget.AnyWidget):
    """value: a PNG, or nothing: its place then stays empty. words: its description. busy: shows the mark after 0.2 s.

    width, height: of the picture on the page [px]; it becomes smaller where there is less room.
    """

    _esm = HERE / "picture.js"
    _css = HERE / "picture.css"
    value = traitlets.Bytes(b"").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
