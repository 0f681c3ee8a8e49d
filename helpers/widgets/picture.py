"""The picture of an explorer: a PNG that changes without flickering, its words, and a mark while Python computes."""

from __future__ import annotations

import anywidget
import traitlets

from .assets import text_of

__all__ = ["Picture"]


class Picture(anywidget.AnyWidget):
    """value: a PNG, or nothing: its place then stays empty. words: its description. busy: shows the mark after 0.2 s.

    width, height: of the picture on the page [px]; it becomes smaller where there is less room.
    """

    _esm = text_of("picture.js")
    _css = text_of("picture.css")
    value = traitlets.Bytes(b"").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
