"""Make a notebook of some sections of a lesson, for a class; and slides of the same cells.

python -m tools.lesson 1 --sections 4-6 --minutes 90 --no-answers --slides

The notebook has the opening of the lesson with the minutes of what is in it, then the sections, and before them
whatever they need from sections that are not chosen. It is written next to the lesson.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode

from . import LESSONS, ROOT, notebooks
from .clock import count, count_all, with_minutes
from .sections import Cell, Lesson, Section, names_bound, names_used

DETAILS = re.compile(r"\n*<details>.*?</details>", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|/|data:)([^)\s]+)\)")
WORDS_ON_A_SLIDE = 90
SKIP = {"slide_type": "skip"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, or 1 if it asks for what is not there."""
    parser = argparse.ArgumentParser(prog="./setup_pyhh.sh lesson", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lesson", help="1, 2 or 3, or the file of a notebook, such as one in docs/deeper")
    parser.add_argument("--sections", default="", help="numbers, such as 4-6 or 1,3,5-7; default: all")
    parser.add_argument("--minutes", type=float, help="leave out the last sections that do not fit")
    parser.add_argument("--no-answers", action="store_true", help="without folded answers and without saved outputs")
    parser.add_argument("--slides", action="store_true", help="also slides, as a web page")
    parser.add_argument("--output", type=Path, help="the file to write; default: lesson_1_sections_4-6.ipynb")
    chosen = parser.parse_args(arguments)
    try:
        lesson = Lesson(find(chosen.lesson))
        sections, left_out = fitting(lesson, select(lesson, chosen.sections), chosen.minutes)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    path = chosen.output or lesson.path.parent / f"{name_of(lesson, sections)}.ipynb"
    made = extract(lesson, sections, path, answers=not chosen.no_answers)
    nbformat.write(made, path)
    print(f"{path.name}: {', '.join(titles(sections))}; {round(count_all(Lesson(path)).minutes)} minutes by the clock")
    if left_out:
        print(f"left out, to fit {chosen.minutes:g} minutes: {', '.join(titles(left_out))}")
    for name, section in borrowed(lesson, sections).items():
        print(f"put in from {section.number} {section.title}: the cell that makes {name}")
    if chosen.slides:
        print(f"{write_slides(made, path).name}: slides")
    return 0


# ------------------------------------------------------------------------------------------------------- the choice


def find(lesson: str) -> Path:
    """Return the file of a lesson by its number or path."""
    for path in LESSONS:
        if path.name.startswith(f"{lesson}_"):
            return path
    if Path(lesson).suffix == ".ipynb" and Path(lesson).is_file():
        return Path(lesson).resolve()
    raise ValueError(f"lesson {lesson}: not found; allowed: 1 to {len(LESSONS)}, or the file of a notebook")


def select(lesson: Lesson, wanted: str) -> list[Section]:
    """Return the sections that are asked for, such as "4-6" or "1,3,5-7", in the order of the lesson; all for ""."""
    known = {section.number: section for section in lesson.sections if section.number}
    allowed = f"allowed: numbers from 1 to {max(filter(None, known), default=0)}, such as 4-6 or 1,3,5-7"
    if not wanted:
        return lesson.sections
    numbers: set[int] = set()
    for part in wanted.split(","):
        ends = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        found = range(int(ends[1]), int(ends[2] or ends[1]) + 1) if ends else range(0)
        if not found or any(number not in known for number in found):
            raise ValueError(f"sections {wanted}; {allowed}")
        numbers |= set(found)
    return [section for number, section in known.items() if number in numbers]


def fitting(lesson: Lesson, sections: list[Section], minutes: float | None) -> tuple[list[Section], list[Section]]:
    """Return the first sections that fit into the minutes together with the opening, and the rest."""
    kept = list(sections)
    if minutes is None:
        return kept, []
    while kept and sum(count(section).minutes for section in [lesson.opening, *kept]) > minutes + 0.5:
        kept.pop()
    if not kept:
        needed = sum(count(section).minutes for section in [lesson.opening, *sections[:1]])
        raise ValueError(f"minutes {minutes:g}; allowed: at least {ceil(needed)}, for {titles(sections[:1])[0]}")
    return kept, sections[len(kept) :]


def borrowed(lesson: Lesson, sections: Sequence[Section]) -> dict[str, Section]:
    """Return the names that the sections need from others that are not chosen, each with the section that has it."""
    return {name: section for _, section, names in _cells_from_before(lesson, sections) for name in sorted(names)}


def _cells_from_before(lesson: Lesson, sections: Sequence[Section]) -> list[tuple[Cell, Section, set[str]]]:
    """Return the cells of earlier sections that must run first, with their section and the names that are needed."""
    known = set().union(*map(names_bound, lesson.opening.code))
    missing: set[str] = set()
    for section in sections:
        for cell in section.code:
            missing |= names_used(cell) - known
            known |= names_bound(cell)
    before = lesson.sections[: lesson.sections.index(sections[-1])]
    earlier = [(cell, section) for section in before if section not in sections for cell in section.code]
    taken: dict[int, tuple[Cell, Section, set[str]]] = {}
    while found := [(cell, section) for cell, section in earlier if names_bound(cell) & missing]:
        cell, section = found[-1]  # the last one before the sections, should there be several
        taken[cell.index] = (cell, section, names_bound(cell) & missing)
        known |= names_bound(cell)
        missing = (missing | names_used(cell)) - known
    return [taken[index] for index in sorted(taken)]


def titles(sections: Sequence[Section]) -> list[str]:
    """Return the headings of sections, with their numbers."""
    return [f"{section.number} {section.title}" if section.number else section.title for section in sections]


def name_of(lesson: Lesson, sections: Sequence[Section]) -> str:
    """Return the name of the file for some sections, such as "lesson_1_sections_4-6"."""
    number = re.match(r"(\d)_", lesson.path.name)
    stem = f"lesson_{number[1] if number else lesson.path.stem}"
    return stem if len(sections) == len(lesson.sections) else f"{stem}_sections_{in_words(sections)}"


def in_words(sections: Sequence[Section]) -> str:
    """Return the numbers of sections in short, such as "1,3,5-7"."""
    parts: list[list[int]] = []
    for number in (section.number for section in sections if section.number):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


# ----------------------------------------------------------------------------------------------------- the notebook


def extract(lesson: Lesson, sections: Sequence[Section], path: Path, *, answers: bool = True) -> NotebookNode:
    """Return a notebook of the opening and the sections, to be written to `path`."""
    made = copy.deepcopy(lesson.notebook)
    before = _cells_from_before(lesson, sections)
    cells = [made.cells[cell.index] for cell in lesson.opening.cells]
    if len(sections) < len(lesson.sections):
        _shorten_opening(cells, lesson, sections)
    if before:
        cells.append(nbformat.v4.new_markdown_cell("### From earlier sections"))
        cells += [made.cells[cell.index] for cell, _, _ in before]
    cells += [made.cells[cell.index] for section in sections for cell in section.cells]
    made.cells = cells
    where = Path(os.path.relpath(lesson.path.parent, path.resolve().parent)).as_posix()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = DETAILS.sub("", cell.source) if not answers else cell.source
            cell.source = _with_links(cell.source, lesson, sections, where)
        elif not answers:
            cell.outputs, cell.execution_count = [], None
    if where != ".":
        _add_path(cells, Path(os.path.relpath(ROOT, path.resolve().parent)).as_posix())
    for index, source in with_minutes(Lesson(path, made)).items():
        cells[index].source = source
    return made


def _shorten_opening(cells: list[NotebookNode], lesson: Lesson, sections: Sequence[Section]) -> None:
    """Say in the first cell which sections these are, and drop what the whole lesson promises."""
    numbers = in_words(sections).replace("-", " to ").replace(",", ", ")
    title, *rest = cells[0].source.split("\n\n")
    kept = [
        part
        for before, part in zip([title, *rest], rest, strict=False)
        if not re.match(r"At the end of|\*\*You will", part) and not re.match(r"\*\*You will", before)
    ]
    first = f"Section{'s' * (len(sections) > 1)} {numbers} of [the lesson]({lesson.path.name})."
    cells[0].source = "\n\n".join([title, first, *kept])


def _with_links(text: str, lesson: Lesson, sections: Sequence[Section], where: str) -> str:
    """Let relative links lead to the same files from another folder, and links to left-out sections to the lesson."""
    if where != ".":
        text = LINK.sub(lambda link: f"]({where}/{link[1]})", text)
    if len(sections) < len(lesson.sections):
        kept = {f"{section.number}.-" for section in sections}
        prefix = lesson.path.name if where == "." else f"{where}/{lesson.path.name}"
        text = re.sub(
            r"\]\(#(\d+\.-)?([^)]*)\)", lambda m: m[0] if m[1] in kept else f"]({prefix}#{m[1] or ''}{m[2]})", text
        )
    return text


def _add_path(cells: list[NotebookNode], root: str) -> None:
    """Let a notebook in another folder find the series."""
    code = [cell for cell in cells if cell.cell_type == "code" and not cell.source.startswith("# Google Colab")]
    if code and "sys.path.insert" not in code[0].source:
        code[0].source = f'import sys; sys.path.insert(0, "{root}")\n{code[0].source}'


# --------------------------------------------------------------------------------------------------------- slides


def write_slides(made: NotebookNode, path: Path) -> Path:
    """Write slides of a notebook next to it; run it first if it has no outputs. Return the file."""
    shown = copy.deepcopy(made)
    if not any(cell.get("outputs") for cell in shown.cells):
        notebooks.execute(shown, path)
    notebooks.drop_widgets(shown)
    shown.cells = [slide for cell in shown.cells for slide in as_slides(cell)]
    for before, cell in pairwise(shown.cells):
        if before.cell_type == cell.cell_type == "code" and not before.outputs and before.metadata.slideshow != SKIP:
            cell.metadata["slideshow"] = {"slide_type": "-"}  # on the slide of the cell that prepares it
    exporter = SlidesExporter(reveal_scroll=True, reveal_width="1200", reveal_height="800")  # 90 columns of code
    page, _ = exporter.from_notebook_node(shown, {"metadata": {"name": path.stem}})
    target = path.with_suffix(".slides.html")
    target.write_text(page, encoding="utf-8")
    return target


def as_slides(cell: NotebookNode) -> list[NotebookNode]:
    """Return a cell as parts of slides.

    A section begins a column of slides, a prediction or a cell of code a slide in it; its answer appears on the same
    slide, and so does the sentence below a figure.
    """
    if cell.cell_type != "markdown":
        is_plumbing = cell.source.startswith(("# Google Colab", "import ", "from "))
        return [_slide(cell, "skip" if is_plumbing and not cell.get("outputs") else "subslide")]
    slides: list[NotebookNode] = []
    words = WORDS_ON_A_SLIDE
    for block in _blocks(cell.source):
        length = len(block.split())
        if block.startswith(("# ", "## ")):
            kind, words = "slide", length
        elif block.startswith("<details"):
            kind = "fragment"
        elif re.match(r"\*[^*]", block) and not slides:  # what a figure shows
            kind, words = "-", WORDS_ON_A_SLIDE
        elif words + length > WORDS_ON_A_SLIDE or block.startswith(("### ", "**Predict")):
            kind, words = "subslide", length
        else:
            kind, words = "-", words + length
        slides.append(_slide(nbformat.v4.new_markdown_cell(block), kind))
    return slides


def _slide(cell: NotebookNode, kind: str) -> NotebookNode:
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def _blocks(text: str) -> list[str]:
    """Return the paragraphs of a text; a folded answer and a displayed formula stay whole."""
    whole = re.split(r"(<details>.*?</details>|\$\$.*?\$\$)", text, flags=re.DOTALL)
    parts = [[part] if part.startswith(("<details>", "$$")) else re.split(r"\n\s*\n", part) for part in whole]
    return [block.strip() for part in parts for block in part if block.strip()]


if __name__ == "__main__":
    sys.exit(main())
