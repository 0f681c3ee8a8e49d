"""The clock counts what a reader meets, and writes its minutes into the opening."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import clock
from tools.sections import Lesson, bindings, names_used

OPENING = """# Title

**Time:** about 7 minutes.

| section | | min | section | | min |
|---|---|---|---|---|---|
| 1 | Old | 70 | 2 | Older | 1 |

After."""
HIDDEN = new_code_cell("y = 1\n" * 9, metadata={"jupyter": {"source_hidden": True}})
CELLS = [
    new_markdown_cell(OPENING),
    new_code_cell("# Google Colab only\n!pip install"),
    new_code_cell("from helpers import figures, widgets"),
    new_markdown_cell("## 1. First\n\n**Predict first:** two [words](a.md)?\n\n<details>no <b>words</b></details>"),
    new_code_cell("figure, (ax, b) = plt.subplots(1, 2)\n\nfigures.plot_one(ax, 3)\nfigures.plot_two(x)\nplt.show()"),
    HIDDEN,
    new_markdown_cell("## 2. Second"),
    new_code_cell("figures.drawing('gate')"),
    new_code_cell("widgets.explore_clamp()"),
    new_code_cell("ax = figures.plot_voltage(axes[0], trace, V=[a for a in b])"),
    new_markdown_cell("## Recap"),
]


def lesson(cells, path="lesson.ipynb"):
    return Lesson(Path(path), new_notebook(cells=[nbformat.from_dict(dict(cell)) for cell in cells]))


def test_it_counts_what_a_reader_meets():
    first, second, recap = map(clock.count, lesson(CELLS).sections)
    assert first == clock.Count(words=8, lines=4, figures=2, drawings=0, predictions=1, explorers=0)
    assert second == clock.Count(words=2, lines=3, figures=1, drawings=1, predictions=0, explorers=1)
    assert recap.words == 1
    assert abs(first.minutes - (8 / 200 + 4 * 8 / 60 + 2 + 1)) < 1e-12
    assert abs(second.minutes - (2 / 200 + 3 * 8 / 60 + 1 + 0.5 + 6)) < 1e-12


def test_minutes_are_written_into_the_opening_once(tmp_path, capsys):
    path = tmp_path / "lesson.ipynb"
    nbformat.write(new_notebook(cells=CELLS), path)
    before = json.loads(path.read_text("utf-8"))
    assert clock.main(["--write", str(path)]) == 0
    assert "minutes written" in capsys.readouterr().out
    text = Lesson(path).cells[0].source
    assert "**Time:** about 12 minutes." in text and text.endswith("After.")
    assert "| 1 | First | 4 | 2 | Second | 8 |\n\nAfter" in text and "Old" not in text
    assert json.loads(path.read_text("utf-8"))["cells"][1:] == before["cells"][1:]
    assert clock.main(["--write", str(path)]) == 0 and "minutes written" not in capsys.readouterr().out


def test_an_opening_without_minutes_gets_them(tmp_path):
    short = lesson([new_markdown_cell("# Title"), new_code_cell("import sys"), new_markdown_cell("word " * 400)])
    assert clock.with_minutes(short) == {0: "# Title\n\n**Time:** about 2 minutes."}
    assert [section.title for section in short.sections] == ["lesson"]


def test_the_table_adds_up_to_the_whole():
    assert clock.whole_parts([2.2, 11.9, 7.4, 6.4], 28) == [2, 12, 8, 6]
    words = [new_markdown_cell("# Title\n\n" + "word " * 300)]
    words += [new_markdown_cell(f"## {k}. Section\n\n" + "word " * 280) for k in (1, 2)]
    assert clock.table(lesson(words)).splitlines()[2:] == [
        "|  | Opening | 2 | 2 | Section | 1 |", "| 1 | Section | 1 |  | |  |"
    ]  # fmt: skip


def test_a_missing_notebook_is_named(capsys):
    assert clock.main(["absent.ipynb"]) == 1
    assert capsys.readouterr().err == "no such notebook: absent.ipynb\n"


SOURCE = """
import numpy as np, os.path
from helpers import step as other
for k, (a, b) in pairs:
    total = a
with open(f) as file:
    [inner for inner in range(n)]
try:
    class Mine(Base):
        C = 1.0
except ValueError as error:
    def late(x):
        local = x + wanted
        return local
"""


@pytest.mark.parametrize(("what", "names"), [
    ("loop", {"k", "a", "b"}), ("value", {"total", "file", "Mine", "late"}),
    ("import numpy", {"np"}), ("import os.path", {"os"}), ("import helpers.step", {"other"}),
])  # fmt: skip
def test_names_that_a_cell_binds(what, names):
    [cell] = lesson([new_code_cell(SOURCE)]).cells
    assert {binding.name for binding in bindings(cell) if binding.how == what} == names


def test_names_that_a_cell_needs_from_others():
    [cell] = lesson([new_code_cell(SOURCE)]).cells
    assert names_used(cell) == {"pairs", "f", "n", "Base", "wanted"}


@pytest.mark.parametrize(("source", "count"), [
    ("[a for a in b]", 0), ("[a for a in b for c in a]", 1), ("[[c for c in a] for a in b]", 1),
    ("sum(max(x for x in a) for a in b)", 1), ("[f(a) for a in b], [a for a in c]", 0),
])  # fmt: skip
def test_nested_comprehensions(source, count):
    [cell] = lesson([new_code_cell(source)]).cells
    assert cell.nested_comprehensions == count
