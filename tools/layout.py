"""Describe the rooms of helpers/ in docs/layout.md: what each module is for, and which room imports which.

python -m tools.layout            rewrite the tables of docs/layout.md
python -m tools.layout --check    exit with 1 where they are out of date
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import grimp  # comes with import-linter

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "layout.md"
MARK = "<!-- from here on made by: python -m tools.layout -->"
FLOORS = (
    ("tools", "benchmarks"),
    ("widgets", "cells"),
    ("figures", "campaigns", "exercises"),
    ("inference", "recordings", "experiments", "artificial"),
    ("simulation",),
    ("neurons",),
    ("validation", "cache"),
)  # from the top; the contract in pyproject.toml says the same to import-linter


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line."""
    check = "--check" in (sys.argv[1:] if arguments is None else arguments)
    written = PAGE.read_text("utf-8")
    fresh = written.partition(MARK)[0] + MARK + "\n\n" + "\n".join([*imports_table(), "", *modules_tables()]) + "\n"
    if check:
        return int(written != fresh)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def imports_table() -> Iterator[str]:
    """How many imports lead from each room (row) to each other room (column); above the diagonal there are none."""
    graph = grimp.build_graph("helpers", "tools", "benchmarks", exclude_type_checking_imports=True)
    counts: Counter[tuple[str, str]] = Counter()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            counts[room_of(importer), room_of(imported)] += 1
    rooms = [room for floor in reversed(FLOORS) for room in floor]
    yield "## Imports between rooms"
    yield ""
    yield "Rows import columns; the number is how many modules are imported. Nothing is imported upwards."
    yield ""
    yield f"| | {' | '.join(rooms)} |"
    yield "|---|" + "---:|" * len(rooms)
    for row in rooms:
        cells = (str(counts[row, column] or "") if row != column else "·" for column in rooms)
        yield f"| **{row}** | {' | '.join(cells)} |"


def modules_tables() -> Iterator[str]:
    """The modules of every room with the first sentence of their docstrings."""
    for floor in FLOORS[1:]:
        for room in floor:
            folder = ROOT / "helpers" / room
            single = folder.with_suffix(".py")
            head = single if single.exists() else folder / "__init__.py"
            yield from (f"## {room}", "", summary(head), "")
            if not single.exists():
                yield from ("| module | what it is for |", "|---|---|")
                for path in sorted(folder.rglob("*.py")):
                    if path.name != "__init__.py" and "__pycache__" not in path.parts:
                        link = path.relative_to(ROOT).as_posix()
                        yield f"| [{path.relative_to(folder).as_posix()}](../{link}) | {summary(path)} |"
                yield ""


def room_of(module: str) -> str:
    """The room that a module of helpers lies in, or its top-level package."""
    first, *rest = module.split(".")
    return rest[0] if first == "helpers" and rest else first


def summary(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
