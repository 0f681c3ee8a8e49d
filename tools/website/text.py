"""Markdown and code as HTML: equations as MathML, links to notebooks as links to their pages, headings with a link."""

from __future__ import annotations

import html
import re
from pathlib import PurePosixPath

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

__all__ = ["Markdown", "code", "page_of", "plain"]


def page_of(source: str) -> str:
    """The page made from a notebook or a Markdown file of the series."""
    path = PurePosixPath(source)
    kind = "exercises_" if path.parent.name == "exercises" else ""  # they have the names of their lessons
    return f"{kind}{path.stem}.html"


def code(source: str, language: str = "ipython3") -> str:
    """Source text, coloured by the classes of style.css."""
    shown = highlight(source, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{shown}</code></pre>'


def equation(latex: str, display: str) -> str:
    """MathML; ValueError for LaTeX that the converter would otherwise leave as text."""
    upright = re.sub(r"\\mathrm\{([^{}]*)\}", r"\\text{\1}", latex.strip())  # or a single letter would come out slanted
    mathml = latex2mathml.converter.convert(upright, display=display)
    unread = re.search(r"<mi>(\\\w+)</mi>", mathml)
    if unread:
        raise ValueError(f"{unread[1]} in the equation {latex!r} has no MathML")
    mathml = re.sub(r"<mi>([a-z]{2,})</mi>", r'<mo lspace="0.17em" rspace="0.17em">\1</mo>', mathml)  # ln, tanh
    return re.sub(
        r"<mo[^>]*>(/|\||&#x0002F;|&#x0007C;)</mo>", r'<mo lspace="0" rspace="0" stretchy="false">\1</mo>', mathml
    )


def plain(markup: str) -> str:
    """The text of some HTML, as a screen reader says it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


class Renderer(IPythonRenderer):
    """Also notes the headings: (level, id, HTML)."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.headings: list[tuple[int, str, str]] = []

    def heading(self, text: str, level: int, **attrs: object) -> str:
        if level == 1 and self.headings:  # a page has one title: further parts are sections
            level = 2
        name = re.sub(r"[^\w]+", "-", plain(text).lower()).strip("-")
        taken = [other for _, other, _ in self.headings]
        name = name if name not in taken else f"{name}-{len(taken)}"
        self.headings.append((level, name, text))
        link = f'<a class="anchor" href="#{name}" aria-label="link to this section">#</a>' if level > 1 else ""
        return f'<h{level} id="{name}">{text}{link}</h{level}>\n'

    def block_math(self, body: str) -> str:
        return f'<div class="math" tabindex="0">{equation(body, "block")}</div>'

    def inline_math(self, body: str) -> str:
        return equation(body, "inline")

    def block_html(self, html: str) -> str:  # an answer that begins on the line of its <details>
        return re.sub(r"(?<!\\)\$([^$]+)\$", lambda found: equation(found[1], "inline"), super().block_html(html))

    def block_code(self, code_: str, info: str | None = None) -> str:
        return code(code_, "ipython3" if info in (None, "python") else info.split()[0])

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target, hash_, part = url.partition("#")
        return super().link(
            text, page_of(target) + hash_ + part if target.endswith((".ipynb", "glossary.md")) else url, title
        )


class Markdown:
    """Renders the cells of one page when called with a source, and keeps its `headings`."""

    def __init__(self) -> None:
        self.renderer = Renderer()
        self.headings = self.renderer.headings

    def __call__(self, source: str) -> str:
        """The HTML of a source; wide tables can be scrolled."""
        shown = MarkdownWithMath(renderer=self.renderer).render(source)
        shown = shown.replace("<table>", '<div class="table" tabindex="0"><table>')
        return shown.replace("</table>", "</table></div>")
