"""How long a lesson takes, by section.

python -m tools.clock [NOTEBOOK...]            print words, lines of code, figures and minutes of each section
python -m tools.clock --write [NOTEBOOK...]    also put the minutes into the opening: into the line that begins with
                                               **Time:**, and into the table of sections

Reading goes at 200 words a minute and 8 seconds a line of code; a figure takes 1 minute, a drawing half of one, a
prediction 1, an explorer 6. Hidden cells and the cell for Google Colab do not count.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from . import DEEPER, LESSONS
from .sections import Lesson, Section

MINUTES = {"words": 1 / 200, "lines": 8 / 60, "figures": 1.0, "drawings": 0.5, "predictions": 1.0, "explorers": 6.0}
TABLE = re.compile(r"(?m)^\|[^\n]*\bmin\b[^\n]*\|\n\|[-| :]+\|\n(?:\|.*\|\n?)*")
TIME = re.compile(r"\*\*Time:\*\*(?: about)? \d+ minutes?")


@dataclass(frozen=True)
class Count:
    """What a reader meets in a section: words of text, lines of code, figures, drawings, predictions, explorers."""

    words: int
    lines: int
    figures: int
    drawings: int
    predictions: int
    explorers: int

    @property
    def minutes(self) -> float:
        """The time that it takes [min]."""
        return sum(minutes * getattr(self, name) for name, minutes in MINUTES.items())

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def count(section: Section) -> Count:
    """Count what a section holds."""
    return Count(
        section.total(lambda cell: cell.words),
        section.total(lambda cell: len(cell.lines)),
        section.total(lambda cell: cell.figures),
        section.total(lambda cell: cell.drawings),
        section.total(lambda cell: cell.predictions),
        section.total(lambda cell: cell.explorers),
    )


def count_all(lesson: Lesson) -> Count:
    """Count what a whole lesson holds."""
    return sum(map(count, lesson.sections), count(lesson.opening))


def report(lesson: Lesson) -> str:
    """Return the counts by section and in all, as a table to print."""
    rows = [(f"{s.number or ''} {s.title}".strip(), count(s)) for s in lesson.all] + [("in all", count_all(lesson))]
    width = max(len(title) for title, _ in rows)
    head = " ".join([lesson.path.name.ljust(width), *(f"{name:>11}" for name in MINUTES), f"{'min':>6}"])
    lines = [
        " ".join([title.ljust(width), *(f"{getattr(row, name):11d}" for name in MINUTES), f"{row.minutes:6.1f}"])
        for title, row in rows
    ]
    return "\n".join([head, *lines[:-1], "-" * len(head), lines[-1], lesson.style()])


def promised(lesson: Lesson) -> int | None:
    """Return how many minutes the opening of a lesson promises, None if it promises nothing."""
    found = TIME.search("\n".join(cell.source for cell in lesson.opening.cells))
    return int(re.findall(r"\d+", found[0])[0]) if found else None


def with_minutes(lesson: Lesson) -> dict[int, str]:
    """Return the text of the cells of the opening in which minutes stand, as it must be; by number of the cell."""
    minutes = round(count_all(lesson).minutes)
    time = f"**Time:** about {minutes} minute{'s' * (minutes != 1)}"
    text = [cell for cell in lesson.opening.cells if cell.kind == "markdown"]
    written: dict[int, str] = {}
    for cell in text:
        source = TIME.sub(time, TABLE.sub(lambda _: table(lesson), cell.source))
        if source != cell.source:
            written[cell.index] = source
    if text and promised(lesson) is None:
        written[text[0].index] = f"{written.get(text[0].index, text[0].source).rstrip()}\n\n{time}."
    return written


def whole_parts(parts: Sequence[float], total: int) -> list[int]:
    """Round each part down or up so that they add up to `total`: up those that lose most when rounded down."""
    whole = [int(part) for part in parts]
    by_loss = sorted(range(len(parts)), key=lambda k: whole[k] - parts[k])
    for k in by_loss[: total - sum(whole)]:
        whole[k] += 1
    return whole


def table(lesson: Lesson) -> str:
    """Return the minutes of the opening and of the numbered sections in two columns, in Markdown; they add up."""
    numbered = [s for s in lesson.sections if s.number]
    times = [count(s).minutes for s in numbered]
    total = count_all(lesson).minutes
    opening, *minutes = whole_parts([total - sum(times), *times], round(total))
    cells = [f" | Opening | {opening}"] * (opening > 0)
    cells += [f"{s.number} | {s.title} | {minute}" for s, minute in zip(numbered, minutes, strict=True)]
    half = -(-len(cells) // 2)
    pairs = zip(cells[:half], [*cells[half:], " | | "][:half], strict=True)
    head = "| section | | min | section | | min |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"| {left} | {right} |\n" for left, right in pairs)


def write(lesson: Lesson) -> bool:
    """Put the minutes into the opening and save the notebook; return whether anything changed."""
    written = with_minutes(lesson)
    if written:
        content = json.loads(lesson.path.read_text("utf-8"))
        for index, source in written.items():
            content["cells"][index]["source"] = source.splitlines(keepends=True)
        lesson.path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return bool(written)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, or 1 if a notebook is missing."""
    parser = argparse.ArgumentParser(prog="tools.clock", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: the lessons and docs/deeper")
    parser.add_argument("--write", action="store_true", help="put the minutes into the openings")
    chosen = parser.parse_args(arguments)
    paths = chosen.notebooks or [*LESSONS, *DEEPER]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        print(f"no such notebook: {', '.join(missing)}", file=sys.stderr)
        return 1
    for path in paths:
        lesson = Lesson(path)
        if chosen.write and write(lesson):
            print(f"{path.name}: minutes written")
            lesson = Lesson(path)
        print(f"{report(lesson)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
