"""A notebook as the content of a web page: its text, code and outputs."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from .text import Markdown, code, page_of, plain

__all__ = ["BENCH", "Page", "page_of_notebook"]

BENCH = '<div class="bench" data-bench></div>'  # page.js puts the live bench in here
ONLY_COLAB = "# Google Colab only"
DRAWING = re.compile(r'<img src="data:image/svg\+xml;base64,([^"]+)"( width="\d+" height="\d+" alt="[^"]*")>')
LONG = 24  # lines of code that are folded away
STILL = (
    '<p class="still">This is a still picture: its sliders need Python. '
    '<a href="index.html#start">Two commands</a> bring the notebook to your computer, where they move.</p>'
)


@dataclass
class Page:
    """One page: file name, title, HTML, sections (id, HTML of the heading) and pictures by file name."""

    name: str
    title: str
    content: str
    sections: list[tuple[str, str]]
    pictures: dict[str, bytes] = field(default_factory=dict)

    @property
    def has_bench(self) -> bool:
        """Whether the live bench is on the page."""
        return BENCH in self.content


def page_of_notebook(path: Path) -> Page:
    """The page of a saved notebook."""
    cells = nbformat.read(path, as_version=4).cells
    markdown, page = Markdown(), Page(page_of("/".join(path.parts[-2:])), "", "", [])
    parts = []
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            parts.append(caption(markdown(cell.source)))
        elif cell.source.strip() and not cell.source.startswith(ONLY_COLAB):
            section = plain(markdown.headings[-1][2])
            parts.append(code_cell(cell, page, description(cells[number + 1 :]) or f"Figure of the section {section}."))
    page.content = "\n".join(parts)
    page.title = plain(next(text for level, _, text in markdown.headings if level == 1))
    page.sections = [(name, text) for level, name, text in markdown.headings if level == 2]
    return page


def caption(shown: str) -> str:
    """Mark a first paragraph in italics: it describes the figure above it."""
    return re.sub(r"\A<p><em>(.*?)</em></p>", r'<p class="caption">\1</p>', shown, flags=re.DOTALL)


def description(cells: list[NotebookNode]) -> str:
    """The words for the figures of the cell before `cells`: the text in italics with which the next text begins."""
    for cell in cells:
        if cell.cell_type == "markdown":
            found = re.match(r"\*(.+?)\*\s*(\n\n|\Z)", cell.source, flags=re.DOTALL)
            return plain(Markdown()(found[1])) if found else ""
    return ""


def code_cell(cell: NotebookNode, page: Page, words: str) -> str:
    """The code and what it gave. Checks and long lists of imports are folded."""
    source = code(cell.source)
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        source = f'<details class="fold"><summary>A check of what the text says</summary>{source}</details>'
    elif cell.source.count("\n") >= LONG:
        source = f'<details class="fold"><summary>What this page imports</summary>{source}</details>'
    return f'<div class="cell">{source}{"".join(output(one, cell, page, words) for one in cell.outputs)}</div>'


def output(one: NotebookNode, cell: NotebookNode, page: Page, words: str) -> str:
    """One output: text, a picture, or the live bench in its place."""
    if one.output_type == "stream":
        return text_output(one.text)
    data = one.get("data", {})
    said = data.get("text/plain", "")
    if "to get the bench" in said and re.search(r"\blive_bench\(\)", cell.source):
        return BENCH
    if drawing := DRAWING.match(data.get("text/html", "")):
        name = f"figures/{Path(page.name).stem}-{len(page.pictures) + 1}.svg"
        page.pictures[name] = base64.b64decode(drawing[1])
        return f'<figure><img src="{name}"{drawing[2]} loading="lazy"></figure>'
    if "image/png" in data:
        png = base64.b64decode(data["image/png"])
        name = f"figures/{Path(page.name).stem}-{len(page.pictures) + 1}.png"
        page.pictures[name] = png
        width, height = (int.from_bytes(png[start : start + 4]) for start in (16, 20))
        shown = f'<img src="{name}" width="{width}" height="{height}" alt="{html.escape(words)}" loading="lazy">'
        return f"<figure>{shown}</figure>{STILL if 'run this cell to get' in said else ''}"
    return text_output(said)


def text_output(text: str) -> str:
    return f'<pre class="output" tabindex="0">{html.escape(strip_ansi(text).rstrip())}</pre>'
