"""./setup_pyhh.sh lesson: notebooks of some sections, which stand alone, and slides of them."""

import re
import subprocess
import sys
from itertools import pairwise

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from support.lessons import RunLesson

from tools import LESSONS, ROOT, lesson
from tools.clock import count_all
from tools.sections import Cell, Lesson

ANSWER = "<details><summary>Answer</summary>It is **two**.</details>"
CELLS = [
    new_markdown_cell(
        "# 7. Count\n\nAt the end of this notebook you can count.\n\n**You will learn to**\n\n- count\n\n**You need** "
        "fingers.\n\n**Time:** about 9 minutes."
    ),
    new_code_cell("import math\nfrom helpers import check"),
    new_markdown_cell(f"## 1. One\n\nSee [three](#3.-Three) and [words](docs/glossary.md#one).\n\n{ANSWER}\n\nMore."),
    new_code_cell("one = math.floor(1.5)", outputs=[new_output("stream", text="hello")], execution_count=3),
    new_code_cell('check("one is one", one == 1)', outputs=[new_output("stream", text="fine")]),
    new_markdown_cell("*The figure: one.*\n\nAnd so on."),
    new_markdown_cell("## 2. Two\n\n**Predict first:** how many?"),
    new_code_cell("def twice(x):\n    return 2 * x"),
    new_markdown_cell("## 3. Three\n\nSee [one](#1.-One)" + 100 * " word"),
    new_code_cell("tripled = 3 * math.floor(1.5)\ncheck(\n    'three', tripled == 3\n)"),
]


@pytest.fixture
def path(tmp_path):
    nbformat.write(new_notebook(cells=CELLS), tmp_path / "7_Count.ipynb")
    return tmp_path / "7_Count.ipynb"


def made(path, *options):
    assert lesson.main([str(path), *options]) == 0
    return max(path.parent.glob("lesson_*.ipynb"), key=lambda file: file.stat().st_mtime_ns)


def test_a_section_comes_with_the_opening(path, capsys):
    found = made(path, "--sections", "3")
    assert found.name == "lesson_7_sections_3.ipynb"
    assert "3 Three; 1 minutes by the clock" in capsys.readouterr().out
    sources = [cell.source for cell in Lesson(found).cells]
    assert sources[1] == CELLS[1].source and sources[3:] == [CELLS[9].source] and len(sources) == 4
    assert "Section 3 of [the lesson](7_Count.ipynb)." in sources[0] and "fingers" in sources[0]
    assert "count" not in sources[0].lower().replace("7_count", "").replace("# 7. count", "")
    assert "**Time:** about 1 minute." in sources[0]
    assert "[one](7_Count.ipynb#1.-One)" in sources[-2]
    nbformat.validate(nbformat.read(found, as_version=4))
    RunLesson(found).section("Three")


def test_a_section_that_needs_another_is_refused(path, capsys):
    nbformat.write(new_notebook(cells=[*CELLS, new_code_cell("twice(one)")]), path)
    assert lesson.main([str(path), "--sections", "3"]) == 1
    assert capsys.readouterr().err == "section 3 Three needs one, twice from a section before it\n"
    assert lesson.main([str(path), "--sections", "1-3"]) == 0


def test_without_answers_no_answer_is_left(path):
    assert "The figure" in made(path, "--sections", "1-3").read_text("utf-8")
    without = made(path, "--no-answers")
    assert without.name == "lesson_7_without_answers.ipynb"
    text = without.read_text("utf-8")
    for gone in ("details", "two", "hello", "fine", "The figure", "check(", "'three'"):
        assert gone not in text
    assert "More." in text and "And so on." in text and "tripled = 3" in text


def test_sections_that_do_not_fit_are_left_out(path, capsys):
    made(path, "--minutes", "1")
    assert "left out, to fit 1 minutes: 2 Two, 3 Three" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "message"), [
    (["--sections", "4"], "sections 4; allowed: numbers from 1 to 3, such as 4-6 or 1,3,5-7"),
    (["--sections", "2-1"], "sections 2-1; allowed"), (["--sections", "two"], "sections two; allowed"),
    (["--sections", "1,"], "sections 1,; allowed"),
    (["--sections", "3", "--minutes", "0.5"], "minutes 0.5; allowed: at least 1, for 3 Three"),
    (["--minutes", "nan"], "minutes nan; allowed: more than 0"),
    (["--output", "7_Count.ipynb"], "7_Count.ipynb is a notebook of the series; choose another name"),
    (["--output", "other.ipynb"], "other.ipynb exists; --force replaces it"),
    (["--output", "absent/a.ipynb"], "absent/a.ipynb: no folder absent"),
    (["--output", "."], ".; needed: the name of a file that ends with .ipynb"),
])  # fmt: skip
def test_what_is_not_there_is_refused(path, options, message, capsys, monkeypatch):
    monkeypatch.chdir(path.parent)
    (path.parent / "other.ipynb").touch()
    assert lesson.main([str(path), *options]) == 1
    assert message in capsys.readouterr().err


def test_what_fits_is_what_the_notebook_takes(path, capsys):
    whole = Lesson(path)
    needed = round(count_all(Lesson(made(path, "--sections", "1"))).minutes)
    assert lesson.fitting(whole, whole.sections[:1], needed) == (whole.sections[:1], [])


def test_a_notebook_without_numbered_sections(path, capsys):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Short"), new_code_cell("import math")]), path)
    assert lesson.main([str(path), "--sections", "1"]) == 1
    assert "7_Count.ipynb has no numbered sections" in capsys.readouterr().err


def test_force_replaces_a_file(path):
    (path.parent / "other.ipynb").touch()
    assert lesson.main([str(path), "--output", str(path.parent / "other.ipynb"), "--force"]) == 0


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
    kinds = [slide.metadata["slideshow"]["slide_type"] for cell in CELLS[2:6] for slide in lesson.as_slides(cell)]
    assert kinds == ["slide", "-", "fragment", "-", "subslide", "subslide", "-", "subslide"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_lessons_can_be_taken_apart(number, tmp_path):
    whole = Lesson(LESSONS[number - 1])
    for section in whole.sections:
        lesson.must_stand_alone(whole, [section])
    chosen = whole.sections[1:3]
    few = lesson.extract(whole, chosen, tmp_path / "few.ipynb", answers=False)
    assert lesson.titles(Lesson(tmp_path / "few.ipynb", few).sections) == lesson.titles(chosen)
    assert "<details>" not in "".join(cell.source for cell in few.cells)
    assert sum(cell.checks for cell in Lesson(tmp_path / "few.ipynb", few).cells) == 0
    for before, cell in pairwise(few.cells):
        assert before.cell_type != "code" or cell.cell_type != "markdown" or not re.match(r"\*[^*\s]", cell.source)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_caption_is_on_the_slide_of_its_figure_and_no_heading_is_alone(number, tmp_path, monkeypatch):
    pages = []
    whole = Lesson(LESSONS[number - 1])
    monkeypatch.setattr(
        lesson.SlidesExporter, "from_notebook_node", lambda self, shown, _: (pages.append(shown) or "", {})
    )
    made = lesson.extract(whole, whole.sections, tmp_path / "all.ipynb")
    lesson.write_slides(made, tmp_path / "all.ipynb")
    slides = []
    for cell in pages[0].cells:
        kind = cell.metadata.slideshow.slide_type
        if kind in ("slide", "subslide"):
            slides.append([])
        if kind != "skip":
            slides[-1].append(cell)
    for slide in slides:
        assert len(slide) > 1 or not re.fullmatch(r"#+ [^\n]*", slide[0].source), slide[0].source
        assert not re.match(r"\*[^*\s]", slide[0].source), slide[0].source
        for i, cell in enumerate(slide):
            if cell.cell_type == "markdown" and re.match(r"\*[^*\s].*\*$", cell.source):
                seen = [Cell(0, before.cell_type, before.source) for before in slide[:i]]
                assert any(before.figures or before.drawings or before.explorers for before in seen), cell.source


def test_blocks_of_code_stay_whole():
    assert lesson._blocks("a\n\n```\nb\n\nc\n```\n\nd") == ["a", "```\nb\n\nc\n```", "d"]


@pytest.mark.slow
def test_the_command_says_what_it_can(path):
    done = subprocess.run([sys.executable, "-m", "tools.lesson", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "--no-answers" in done.stdout and "./setup_pyhh.sh lesson" in done.stdout
