"""The JavaScript and CSS of the widgets, put together from the files next to this one: there is no build step."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LIVE_BENCH_CSS", "LIVE_BENCH_JS", "text_of"]

HERE = Path(__file__).parent
CHAPTERS = ("noise", "spikes", "engine", "words", "panels", "drawing", "page")  # of the live bench


def text_of(*names: str) -> str:
    """Return the text of these files, one after the other."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)


LIVE_BENCH_JS = text_of("inputs.js", *(f"live_bench/{chapter}.js" for chapter in CHAPTERS))
LIVE_BENCH_CSS = text_of("inputs.css", "live_bench/style.css")
