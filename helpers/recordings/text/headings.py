"""What the headings of columns mean: their units, and whether they speak of time, voltage or current."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..conversion import CURRENT, DENSITY, TIME, VOLTAGE, factor
from .layout import COMMENT, Layout

__all__ = ["Heading", "find_headings", "named", "with_units"]

KINDS = {"t": TIME, "V": VOLTAGE, "I": CURRENT | DENSITY}
WORDS = {
    "t": ("time", "zeit", "temps", "tiempo", "tempo", "tijd", "clock"),
    "V": ("volt", "potential", "spannung", "tension", "vmon", "vmem"),
    "I": ("current", "imon", "strom", "courant", "corriente"),
}  # part of a name, in lower case
TOKENS = {
    "t": ("t", "x_value"),
    "V": ("v", "vm", "v_m", "em"),
    "I": ("i", "im", "i_m", "iinj", "icmd", "istim"),
    "sample": ("", "index", "idx", "sample", "samples", "point", "points", "n", "nr", "no", "row", "#", "unnamed"),
    "sweep": ("sweep", "episode", "trial", "trace", "run", "repetition", "sweep_number", "sweep_id", "trial_number"),
}  # a whole name, without its numbers
BRACKETS = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]*?)\s*[)\]}>]")
ENDING = re.compile(r"(.*?)(?:\s+in\s+|[\s_/,.:\-]+)([^\s_/,:()\[\]]+(?:/(?:cm|m)(?:\^?2|²))?)")
INSIDE = re.compile(r"[\s_]([^\W_]{1,2})(?=[\s_])")  # "V_mV_sweep1"
NEAR = 12  # lines of text above a table in which its headings are sought


@dataclass(frozen=True)
class Heading:
    """The heading of a column.

    Parameters
    ----------
    text
        As the file has it.
    name
        Without the unit.
    unit
        "" if it has none.
    role
        What it is by its name: "t", "V", "I", "sample" (number of the row), "sweep", or "".
    """

    text: str
    name: str
    unit: str
    role: str

    @property
    def kind(self) -> str:
        """What it is by its unit: "t", "V", "I", or ""."""
        return next((kind for kind, table in KINDS.items() if factor(table, self.unit)), "")


def is_unit(text: str) -> bool:
    """Return whether a text is a unit of time, voltage or current."""
    return any(factor(table, text) for table in KINDS.values())


def named(text: str, unit: str = "") -> Heading:
    """Return what a heading means: "Vm (mV)", "Vm [mV]", "Vm_mV", "Vm/mV", "Vm, mV", "Vm in mV", "mV".

    unit: from a row of its own.
    """
    text = text.strip()
    if unit:
        return Heading(text, text, unit, _role(text))
    if (first := re.sub(r"\.\d+$", "", text)) != text and (heading := named(first)).kind:
        return replace(heading, text=text)  # pandas numbers headings that are alike: "V (mV).1"
    unknown = None
    for found in BRACKETS.finditer(text):
        name = (text[: found.start()] + text[found.end() :]).strip(" _")
        if is_unit(found[1]):
            return Heading(text, name, found[1], _role(name))
        unknown = Heading(text, name, found[1], _role(name))
    if ending := ENDING.fullmatch(text):
        heading = Heading(text, ending[1], ending[2], _role(ending[1]))
        if _goes_with(heading):
            return heading
    for found in INSIDE.finditer(text):
        name = f"{text[: found.start()]} {text[found.end() :]}".strip()
        if _goes_with(heading := Heading(text, name, found[1], _role(name))):
            return heading
    if is_unit(text) and text not in ("V", "v", "A", "a"):
        return Heading(text, text, text, "")
    return unknown or Heading(text, text, "", _role(text))


def find_headings(texts: Sequence[tuple[int, str]], layout: Layout, width: int) -> tuple[int, list[Heading]] | None:
    """Find the headings of a table of `width` columns among the lines of text above it.

    Names and units may be in one line or in one each. Headings may be in a comment, and separated otherwise than the
    rows.

    Returns
    -------
    tuple or None
        Number of the line, and a heading for each column; None if no line fits.
    """
    fitting: list[tuple[int, list[str]]] = []
    for line, text in texts[-NEAR:]:
        cells = _split(text, layout, width)
        if cells and sum(layout.number(cell) is not None and cell != "" for cell in cells) <= len(cells) // 2:
            fitting.append((line, cells))
    if not fitting:
        return None
    units = next((k for k in reversed(range(len(fitting))) if _are_units(fitting[k][1])), None)
    if units is not None and units > 0:
        (line, names), (_, cells) = fitting[units - 1], fitting[units]
        if not _are_units(names):
            labelled = cells[0].endswith("=")  # LabChart names these rows where the column of times would be
            stripped = ["" if labelled and not k else _bare(cell) for k, cell in enumerate(cells)]
            names = ["time" if labelled and not k else name for k, name in enumerate(names)]
            return line, [named(*pair) for pair in zip(names, stripped, strict=True)]
    if units is not None:
        line, cells = fitting[units]
        return line, [Heading(cell, cell, _bare(cell), "") for cell in cells]
    meant = [(line, [named(cell) for cell in cells]) for line, cells in fitting]
    known = [one for one in meant if any(h.kind or h.role in ("t", "V", "I") for h in one[1])]
    line, headings = (known or meant)[-1]
    return line, headings


def with_units(
    path: Path,
    headings: Sequence[Heading],
    units: Mapping[Any, str | float],
    line: int | None,
) -> list[Heading]:
    """Return the headings with the units that were given, by number, heading, name, or role ("t", "V", "I").

    Raises ValueError, with file, line and column, where a name says one thing and its unit another.
    """
    changed = []
    for column, heading in enumerate(headings):
        keys = (column, heading.text, heading.name, heading.role or heading.kind)
        given = next((units[key] for key in keys if key in units), None)
        if heading.role == "t" and given is not None and not isinstance(given, str):
            raise ValueError(f"{path.name}: units = {given} for {heading.text!r}; allowed: a unit of time, an interval")
        if isinstance(given, str):
            heading = replace(heading, unit=given)
        elif heading.kind and heading.role in KINDS and heading.kind != heading.role:
            allowed = ", ".join(KINDS[heading.role])
            raise ValueError(
                f"{path.name}, line {line}, column {column}: unknown unit {heading.unit!r} of {heading.role} in "
                f"{heading.text!r}; allowed: {allowed}. Name it: units={{{column}: ...}}"
            )
        changed.append(heading)
    return changed


def _role(name: str) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip()).lower()
    tokens = {name, re.sub(r"[\s_.:#-]*\d+$", "", name), *re.split(r"[^a-zµ#]+", name)} - {""}
    for role, words in WORDS.items():
        if any(word in name for word in words):
            return role
    whole = re.sub(r"[\s_.:#-]*\d+$", "", name)
    for role in ("sample", "sweep"):
        if name in TOKENS[role] or (whole == "unnamed" and role == "sample"):
            return role
    return next((role for role in ("t", "V", "I") if tokens & set(TOKENS[role])), "")


def _goes_with(heading: Heading) -> bool:
    """Whether what may be a unit is one: a letter alone, as in "Vm_A" or "channel V", needs a name of its kind."""
    if not heading.kind:
        return False
    return heading.role == heading.kind or (not heading.role and len(heading.unit) > 1)


def _bare(unit: str) -> str:
    """A unit without the brackets around it."""
    return unit.strip().strip("()[]{}<>").strip()


def _are_units(cells: Sequence[str]) -> bool:
    units = [_bare(cell) for cell in (cells[1:] if cells[0].endswith("=") else cells) if _bare(cell)]
    units = [unit for unit in units if unit.lower() not in ("#", "index", "-", "1")]
    if not units or not all(is_unit(unit) for unit in units):
        return False
    return any(len(unit) > 1 or factor(TIME, unit) for unit in units)  # "V" and "A" alone are names


def _split(text: str, layout: Layout, width: int) -> list[str]:
    """The cells of a line of text, if it can be split into `width` of them."""
    plain = COMMENT.sub("", text)
    glued = re.sub(r"\s+(?=[(\[{])", "", plain)
    for line in dict.fromkeys((text, plain)):
        tries = [layout.cells(line)]
        tries += [Layout(separator, ".").cells(line) for separator in ("\t", ",", ";") if separator != layout.separator]
        for cells in tries:
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if len(cells) == width:
                return cells
    if layout.separator == " ":
        for cells in (re.split(r"\s{2,}|\t", plain.strip()), Layout(" ", ".").cells(glued)):
            if len(cells) == width:
                return cells
    cells = layout.cells(text)
    if 1 < len(cells) == width - 1:  # as R writes it: no heading for the number of the row
        return ["", *cells]
    return []
