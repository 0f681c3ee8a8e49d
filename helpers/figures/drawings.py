"""Drawings: membrane, circuit, gate, voltage clamp, spike, inference, and a neuron next to an artificial unit.

Each is a file in `drawings/`, without colours: these come from here, so that sodium has the same colour as in the
figures. A drawing has a background of its own, light or dark as the reader's computer is set.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .colours import BLACK, BLUE, COLOURS, GREEN, GREY, ON_DARK, ORANGE

__all__ = ["DARK", "DRAWINGS", "LIGHT", "Drawing", "drawing"]

FOLDER = Path(__file__).with_name("drawings")
DRAWINGS = tuple(sorted(file.stem for file in FOLDER.glob("*.svg")))
STYLE_HERE = "<style/>"  # of a file: replaced by the style below

# What a class of an SVG element stands for, and its colour on the light background.
LIGHT = {
    "ink": "#1D2430",
    "quiet": "#54606E",
    "V": BLACK,
    "I": COLOURS["I"],
    "Na": ORANGE,
    "K": BLUE,
    "L": GREY,
    "h": COLOURS["h"],
    "other": GREEN,
}
DARK = {name: ON_DARK.get(colour, colour) for name, colour in LIGHT.items()} | {"ink": "#E3E8EE", "quiet": "#A6B1BE"}
# Areas: background, its frame, the membrane and the inside of a cell. Nothing is told apart by them alone.
LIGHT_AREAS = {"paper": "#FFFFFF", "frame": "#D0D7DE", "fat": "#E9DDB8", "cell": "#EEF3F8"}
DARK_AREAS = {"paper": "#14181E", "frame": "#343D49", "fat": "#4A4226", "cell": "#1B232D"}

FIXED = """
text { fill: currentColor; font: 20px Helvetica, Arial, "Liberation Sans", sans-serif }
.index { font-size: 15px }
.small { font-size: 18px }
.strong { font-weight: bold }
.symbol { font-style: italic }
.middle { text-anchor: middle }
.end { text-anchor: end }
.line { fill: none; stroke: currentColor; stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round }
.thin { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round }
.dashed { stroke-dasharray: 6 5 }
.thick { stroke-width: 4 }
.fill { fill: currentColor }
"""


@dataclass(frozen=True)
class Drawing:
    """A drawing, which a notebook shows where it is the last line of a cell.

    Attributes
    ----------
    name
        Its name.
    title, words
        What it is called, and what it shows: the alternative text of the picture.
    svg
        The drawing as SVG, with its colours.
    """

    name: str
    title: str
    words: str
    svg: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        # An image in HTML: GitHub and notebooks that are not trusted show it, and its description is read out.
        # They would clean SVG that stands in the page, and Jupyter gives image/svg+xml no description.
        source = base64.b64encode(self.svg.encode()).decode("ascii")
        width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', self.svg)[0]
        image = f'<img src="data:image/svg+xml;base64,{source}" width="{width}" height="{height}"'
        words = html.escape(f"{self.title}. {self.words}")
        return {"text/html": f'{image} alt="{words}">', "text/plain": f"{self.title}. {self.words}"}


def drawing(name: str) -> Drawing:
    """Show a drawing by its name: a picture with its description.

    Parameters
    ----------
    name
        "membrane", "circuit", "gate", "clamp", "spike", "inference" or "unit".

    Raises
    ------
    ValueError
        If there is no drawing of this name.
    """
    if name not in DRAWINGS:
        raise ValueError(f"no drawing {name!r}; drawings: {', '.join(DRAWINGS)}")
    source = (FOLDER / f"{name}.svg").read_text("utf-8")
    title, words = (
        html.unescape(" ".join(found.split())) for found in re.findall(r"<(?:title|desc)[^>]*>([^<]*)</", source)[:2]
    )
    return Drawing(name, title, words, source.replace(STYLE_HERE, style()))


def style() -> str:
    """Return the colours of both themes, and the arrowheads in each colour, for an SVG."""
    light = rules(LIGHT, LIGHT_AREAS)
    dark = rules(DARK, DARK_AREAS)
    heads = "".join(
        f'<marker id="to-{name}" class="{name}" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="11" '
        'markerHeight="11" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        '<path class="fill" d="M0 0L10 5L0 10z"/></marker>'
        for name in LIGHT
    )
    arrows = "\n".join(f".{name} .arrow, .{name}.arrow {{ marker-end: url(#to-{name}) }}" for name in LIGHT)
    return (
        f"<style>{FIXED}{arrows}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}</style>\n"
        f"<defs>{heads}</defs>"
    )


def rules(colours: Mapping[str, str], areas: Mapping[str, str]) -> str:
    """Return the CSS of colours of lines and text, and of areas."""
    return "\n".join(
        [f".{name} {{ color: {colour} }}" for name, colour in colours.items()]
        + [f".{name} {{ fill: {colour} }}" for name, colour in areas.items() if name != "frame"]
        + [f".paper {{ stroke: {areas['frame']} }}"]
    )
