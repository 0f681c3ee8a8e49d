"""Make a notebook of some sections of a lesson, for a class; and slides of the same cells.

python -m tools.lesson 1 --sections 4-6 --minutes 90 --no-answers --slides

The notebook has the opening of the lesson with the minutes of what is in it, then the sections. It is written next to
the lesson, as lesson_1_sections_4-6_without_answers.ipynb.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode

from . import LESSONS, NOTEBOOKS, ROOT, notebooks
from .clock import count_all, with_minutes
from .sections import Cell, Lesson, Section, names_bound, names_used
from .sections import name_of as called

CAPTION = re.compile(r"\A\*[^*\s](?:[^\n]|\n(?!\s*\n))*\*\s*(?:\n\s*\n|\Z)")  # what a figure shows, in italics
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
    parser.add_argument("--no-answers", action="store_true", help="without answers, captions, checks and outputs")
    parser.add_argument("--slides", action="store_true", help="also slides, as a web page")
    parser.add_argument("--output", type=Path, help="the file to write, in place of the name above")
    parser.add_argument("--force", action="store_true", help="replace a file that --output names")
    chosen = parser.parse_args(arguments)
    answers = not chosen.no_answers
    try:
        lesson = Lesson(find(chosen.lesson))
        sections, left_out = fitting(lesson, select(lesson, chosen.sections), chosen.minutes, answers=answers)
        must_stand_alone(lesson, sections)
        name = f"{name_of(lesson, sections)}{'' if answers else '_without_answers'}.ipynb"
        path = chosen.output or lesson.path.parent / name
        must_be_writable(path, lesson, force=chosen.force or chosen.output is None)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    made = extract(lesson, sections, path, answers=answers)
    nbformat.write(made, path)
    print(f"{path.name}: {', '.join(titles(sections))}; {round(count_all(Lesson(path)).minutes)} minutes by the clock")
    if left_out:
        print(f"left out, to fit {chosen.minutes:g} minutes: {', '.join(titles(left_out))}")
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
    if not any(known):
        raise ValueError(f"sections {wanted}: {lesson.path.name} has no numbered sections; leave --sections out")
    numbers: set[int] = set()
    for part in wanted.split(","):
        ends = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        found = range(int(ends[1]), int(ends[2] or ends[1]) + 1) if ends else range(0)
        if not found or any(number not in known for number in found):
            raise ValueError(f"sections {wanted}; {allowed}")
        numbers |= set(found)
    return [section for number, section in known.items() if number in numbers]


def fitting(
    lesson: Lesson, sections: list[Section], minutes: float | None, *, answers: bool = True
) -> tuple[list[Section], list[Section]]:
    """Return the first sections whose notebook takes no more than the minutes, and the rest."""
    if minutes is None:
        return list(sections), []
    if not minutes > 0.0:
        raise ValueError(f"minutes {minutes:g}; allowed: more than 0")
    for n in range(len(sections), 0, -1):
        made = Lesson(lesson.path, extract(lesson, sections[:n], lesson.path, answers=answers))
        needed = round(count_all(made).minutes)
        if needed <= minutes:
            return sections[:n], sections[n:]
    raise ValueError(f"minutes {minutes:g}; allowed: at least {needed}, for {titles(sections[:1])[0]}")


def must_stand_alone(lesson: Lesson, sections: Sequence[Section]) -> None:
    """Raise ValueError if a section needs a name that neither the opening nor a chosen section makes."""
    known = set().union(*map(names_bound, lesson.opening.code))
    for section in sections:
        for cell in section.code:
            if missing := names_used(cell) - known:
                title = titles([section])[0]
                raise ValueError(f"section {title} needs {', '.join(sorted(missing))} from a section before it")
            known |= names_bound(cell)


def must_be_writable(path: Path, lesson: Lesson, *, force: bool) -> None:
    """Raise ValueError if a notebook cannot be written to `path`, or would replace what it should not."""
    if path.suffix != ".ipynb" or path.is_dir():
        raise ValueError(f"{path}; needed: the name of a file that ends with .ipynb")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no folder {path.parent}")
    if path.resolve() in {each.resolve() for each in (lesson.path, *NOTEBOOKS)}:
        raise ValueError(f"{path} is a notebook of the series; choose another name")
    if path.exists() and not force:
        raise ValueError(f"{path} exists; --force replaces it")


def titles(sections: Sequence[Section]) -> list[str]:
    """Return the headings of sections, with their numbers."""
    return [f"{section.number} {section.title}" if section.number else section.title for section in sections]


def name_of(lesson: Lesson, sections: Sequence[Section]) -> str:
    """Return the name of the file for some sections, such as "lesson_1_sections_4-6"."""
    number = re.match(r"(\d)_", lesson.path.name)
    stem = f"lesson_{number[1] if number else lesson.path.stem}"
    return stem if len(sections) == len(lesson.sections) else f"{stem}_sections_{in_words(sections) or len(sections)}"


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
    cells = [made.cells[cell.index] for cell in lesson.opening.cells]
    if len(sections) < len(lesson.sections):
        _shorten_opening(cells, lesson, sections)
    cells += [made.cells[cell.index] for section in sections for cell in section.cells]
    if not answers:
        cells = _without_answers(cells)
    made.cells = cells
    where = Path(os.path.relpath(lesson.path.parent, path.resolve().parent)).as_posix()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = _with_links(cell.source, lesson, sections, where)
    if where != ".":
        _add_path(cells, Path(os.path.relpath(ROOT, path.resolve().parent)).as_posix())
    for index, source in with_minutes(Lesson(path, made)).items():
        cells[index].source = source
    return made


def _without_answers(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Drop folded answers, what a figure shows, checks and outputs; and cells of which nothing is left."""
    for i, cell in enumerate(cells):
        if cell.cell_type == "code":
            cell.source = without_checks(cell.source)
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = DETAILS.sub("", cell.source)
            if i and cells[i - 1].cell_type == "code":
                cell.source = CAPTION.sub("", cell.source)
    return [cell for cell in cells if cell.source.strip()]


def without_checks(source: str) -> str:
    """Return code without its lines `check(...)`."""
    statements = Cell(0, "code", source).tree.body
    checks = [statement for statement in statements if is_check(statement)]
    lines = source.splitlines()
    for check in reversed(checks):
        del lines[check.lineno - 1 : check.end_lineno]
    return "\n".join(lines)


def is_check(statement: ast.stmt) -> bool:
    """Whether a statement is a line `check(...)`."""
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and called(statement.value) == "check"
    )


def _shorten_opening(cells: list[NotebookNode], lesson: Lesson, sections: Sequence[Section]) -> None:
    """Say in the first cell which sections these are, and drop what the whole lesson promises."""
    numbers = in_words(sections).replace("-", " to ").replace(",", ", ") or ", ".join(titles(sections))
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
    for before, cell, after in zip(shown.cells, shown.cells[1:], [*shown.cells[2:], None], strict=False):
        if cell.metadata.slideshow.slide_type == "subslide" and _is_continued(before, cell, after):
            cell.metadata["slideshow"] = {"slide_type": "-"}
    exporter = SlidesExporter(reveal_scroll=True, reveal_width="1200", reveal_height="800")  # 90 columns of code
    page, _ = exporter.from_notebook_node(shown, {"metadata": {"name": path.stem}})
    target = path.with_suffix(".slides.html")
    target.write_text(page, encoding="utf-8")
    return target


def _is_continued(before: NotebookNode, cell: NotebookNode, after: NotebookNode | None) -> bool:
    """Whether a cell belongs on the slide of the one before it.

    That is so after a heading, after code that only prepares, and for code that draws nothing but checks, or stands
    between a figure and what is said of it.
    """
    if before.metadata.slideshow == SKIP:
        return False
    if before.cell_type != "code":
        return bool(re.fullmatch(r"#+ [^\n]*", before.source.strip()))
    code = Cell(0, cell.cell_type, cell.source)
    says = after is not None and after.cell_type == "markdown" and CAPTION.match(after.source)
    return cell.cell_type == "code" and (not before.outputs or bool(not code.figures and (code.checks or says)))


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
    """Return the paragraphs of a text; a folded answer, a displayed formula and a block of code stay whole."""
    whole = re.split(r"(?ms)(<details>.*?</details>|\$\$.*?\$\$|^```.*?^```$)", text)
    parts = [[part] if part.startswith(("<details>", "$$", "```")) else re.split(r"\n\s*\n", part) for part in whole]
    return [block.strip() for part in parts for block in part if block.strip()]


if __name__ == "__main__":
    sys.exit(main())
