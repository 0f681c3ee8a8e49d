"""./setup_pyhh.sh lesson: notebooks of some sections, which stand alone, and slides of them."""

import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from support.lessons import RunLesson

from tools import LESSONS, ROOT, lesson
from tools.sections import Lesson

ANSWER = "<details><summary>Answer</summary>It is **two**.</details>"
CELLS = [
    new_markdown_cell(
        "# 7. Count\n\nAt the end of this notebook you can count.\n\n**You will learn to**\n\n- count\n\n**You need** "
        "fingers.\n\n**Time:** about 9 minutes."
    ),
    new_code_cell("import math"),
    new_markdown_cell(f"## 1. One\n\nSee [three](#3.-Three) and [words](docs/glossary.md#one).\n\n{ANSWER}\n\nMore."),
    new_code_cell("one = math.floor(1.5)", outputs=[new_output("stream", text="hello")], execution_count=3),
    new_markdown_cell("*The figure: one.*\n\nAnd so on."),
    new_markdown_cell("## 2. Two\n\n**Predict first:** how many?"),
    new_code_cell("def twice(x):\n    return 2 * x * base"),
    new_code_cell("base = one"),
    new_markdown_cell("## 3. Three\n\nSee [one](#1.-One)" + 100 * " word"),
    new_code_cell("assert twice(one) + 1 == 3"),
]


@pytest.fixture
def path(tmp_path):
    nbformat.write(new_notebook(cells=CELLS), tmp_path / "7_Count.ipynb")
    return tmp_path / "7_Count.ipynb"


def made(path, *options):
    assert lesson.main([str(path), *options]) == 0
    return max(path.parent.glob("lesson_*.ipynb"), key=lambda file: file.stat().st_mtime_ns)


def test_a_section_brings_what_it_needs_from_others(path, capsys):
    found = made(path, "--sections", "3")
    assert found.name == "lesson_7_sections_3.ipynb"
    printed = capsys.readouterr().out
    assert "3 Three; 1 minutes by the clock" in printed
    assert "put in from 2 Two: the cell that makes twice" in printed
    sources = [cell.source for cell in Lesson(found).cells]
    assert sources[1:-2] == ["import math", "### From earlier sections", *(CELLS[i].source for i in (3, 6, 7))]
    assert "Section 3 of [the lesson](7_Count.ipynb)." in sources[0] and "fingers" in sources[0]
    assert "count" not in sources[0].lower().replace("7_count", "").replace("# 7. count", "")
    assert "**Time:** about 1 minute." in sources[0]
    assert "[one](7_Count.ipynb#1.-One)" in sources[-2]
    nbformat.validate(nbformat.read(found, as_version=4))
    RunLesson(found).section("Three")


def test_without_answers_neither_folded_ones_nor_outputs_are_left(path):
    with_answers, without = (made(path, "--sections", "1-2", *more) for more in ([], ["--no-answers"]))
    assert with_answers == without  # of one name; the second replaced the first
    text = without.read_text("utf-8")
    assert "details" not in text and "two" not in text and "hello" not in text and "More." in text


def test_sections_that_do_not_fit_are_left_out(path, capsys):
    made(path, "--minutes", "2")
    assert "left out, to fit 2 minutes: 3 Three" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "message"), [
    (["--sections", "4"], "sections 4; allowed: numbers from 1 to 3, such as 4-6 or 1,3,5-7"),
    (["--sections", "2-1"], "sections 2-1; allowed"), (["--sections", "two"], "sections two; allowed"),
    (["--sections", "1,"], "sections 1,; allowed"),
    (["--sections", "3", "--minutes", "0"], "minutes 0; allowed: at least 1, for 3 Three"),
])  # fmt: skip
def test_what_is_not_there_is_refused(path, options, message, capsys):
    assert lesson.main([str(path), *options]) == 1
    assert message in capsys.readouterr().err


def test_a_lesson_that_is_not_there_is_refused(capsys):
    assert lesson.main(["9"]) == 1
    assert capsys.readouterr().err == "lesson 9: not found; allowed: 1 to 3, or the file of a notebook\n"


def test_in_another_folder_it_finds_the_series_and_its_links(path):
    target = path.parent / "class" / "monday.ipynb"
    target.parent.mkdir()
    assert lesson.main([str(path), "--output", str(target)]) == 0
    cells = Lesson(target).cells
    assert "[words](../docs/glossary.md#one)" in cells[2].source and "(#3.-Three)" in cells[2].source
    assert re.match(r'import sys; sys.path.insert\(0, ".+"\)\nimport math', cells[1].source)


def test_slides_are_made_of_the_same_cells(path, capsys):
    found = made(path, "--sections", "1", "--slides")
    page = found.with_suffix(".slides.html").read_text("utf-8")
    assert "reveal" in page and "hello" in page and "It is **two**" in page
    kinds = [slide.metadata["slideshow"]["slide_type"] for cell in CELLS[2:5] for slide in lesson.as_slides(cell)]
    assert kinds == ["slide", "-", "fragment", "-", "subslide", "-", "subslide"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_lessons_can_be_taken_apart(number, tmp_path):
    whole = Lesson(LESSONS[number - 1])
    for section in whole.sections:
        assert set(lesson.borrowed(whole, [section]).values()) <= set(whole.sections[: whole.sections.index(section)])
    chosen = whole.sections[1:3]
    few = lesson.extract(whole, chosen, tmp_path / "few.ipynb", answers=False)
    assert lesson.titles(Lesson(tmp_path / "few.ipynb", few).sections) == lesson.titles(chosen)
    assert "<details>" not in "".join(cell.source for cell in few.cells)


def test_the_command_says_what_it_can(path):
    done = subprocess.run([sys.executable, "-m", "tools.lesson", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "--no-answers" in done.stdout and "./setup_pyhh.sh lesson" in done.stdout
