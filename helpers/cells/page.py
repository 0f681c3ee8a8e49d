"""The parts of a web page that is one file: text, lists, tables and pictures, also for screen readers."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Sequence
from html import escape as escape_html
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

__all__ = ["bullets", "document", "heading", "paragraph", "percent", "picture", "section", "short", "table"]

STYLE = Path(__file__).with_name("report.css")
DPI = 130

MINUS = re.compile(r"(?<!\w)-(?=[\d.])")
NUMBER = re.compile(r"[+−-]?[\d.,]+ ?%?")


def document(title: str, parts: Iterable[str], contents: Iterable[tuple[str, str]]) -> str:
    """Return a page; `contents` are the titles of its sections by their names."""
    links = "\n".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words in contents)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<nav aria-label="Contents">\n<ul>\n{links}\n</ul>\n</nav>\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(name: str, title: str, parts: Iterable[str]) -> str:
    """Return a section with a heading that links and screen readers find."""
    body = "\n".join(part for part in parts if part)
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(title)}</h2>\n{body}\n</section>'


def heading(words: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{escape(words)}</h3>"


def paragraph(words: str, kind: str = "") -> str:
    """Return a paragraph, of a class of the style sheet."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def bullets(lines: Iterable[str]) -> str:
    """Return a list; "" for an empty one."""
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>\n{items}\n</ul>" if items else ""


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str | float]], marked: Iterable[int] = ()
) -> str:
    """Return a table whose first column names the rows; numbers stand on the right, `marked` rows are bold."""
    marked = set(marked)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = []
    for k, (name, *cells) in enumerate(rows):
        row = "".join(
            f'<td class="number">{escape(text)}</td>' if NUMBER.fullmatch(text) else f"<td>{escape(text)}</td>"
            for text in (cell if isinstance(cell, str) else short(cell) for cell in cells)
        )
        kind = ' class="marked"' if k in marked else ""
        lines.append(f'<tr{kind}><th scope="row">{escape(str(name))}</th>{row}</tr>')
    body = "\n".join(lines)
    return (  # a wide table scrolls by itself, also with the keys
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">\n<table>\n'
        f"<caption><span>{escape(caption)}</span></caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def picture(figure: Figure, words: str, caption: str, *, vector: bool = False) -> str:
    """Return a figure as a picture within the page, and close it.

    Parameters
    ----------
    words
        What is seen, for those who do not see it.
    caption
        Below the picture.
    vector
        Whether as lines (SVG), or as pixels (PNG), which is smaller for traces.
    """
    kind, data = ("svg+xml", _drawn(figure, "svg", "Date", "Creator")) if vector else ("png", _drawn(figure, "png"))
    width, height = figure.get_size_inches()
    plt.close(figure)
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    size = f'width="{round(100 * width)}" height="{round(100 * height)}"'
    return (
        f'<figure>\n<div class="wide" role="region" tabindex="0" aria-label="{escape(caption.split(".")[0])}">'
        f'<img src="{source}" {size} alt="{escape(words)}"></div>\n'
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )


def escape(words: str) -> str:
    """Return text as HTML, with a true minus before numbers."""
    return MINUS.sub("−", escape_html(words))


def short(value: float) -> str:
    """Return a number with three significant digits, without an exponent where it is of ordinary size."""
    if value == 0.0 or 1e-4 <= abs(value) < 1e6:
        digits = 3 if abs(value) < 1000 else 4
        text = f"{value:.{digits}g}"
        return f"{value:,.0f}" if "e" in text else text
    return f"{value:.2e}"


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100.0 * share:.0f} %"


def _drawn(figure: Figure, kind: str, *left_out: str) -> bytes:
    """The same bytes for the same figure: without the metadata that changes."""
    stream = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": "cell", "savefig.facecolor": "white"}):
        figure.savefig(stream, format=kind, dpi=DPI, metadata=dict.fromkeys(left_out or ["Software"]))
    return stream.getvalue()
