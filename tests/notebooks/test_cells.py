"""How the cells of the lessons and of docs/deeper are written: short, one idea each, no name for two things."""

import re
from collections import defaultdict

import numpy as np
import pytest

from tools import DEEPER, LESSONS, ROOT, clock
from tools.sections import Cell, Lesson, bindings, names_bound, names_used


@pytest.fixture(scope="module", params=[*LESSONS, *DEEPER], ids=lambda path: path.stem)
def lesson(request) -> Lesson:
    return Lesson(request.param)


def told(cells: list[Cell]) -> list[str]:
    """Cells as a message names them: number and first line."""
    return [f"[{cell.index}] {cell.source.partition(chr(10))[0][:70]}" for cell in cells]


def code(lesson: Lesson) -> list[Cell]:
    return [cell for section in lesson.all for cell in section.code]


def test_cells_are_short(lesson):
    lines = lesson.visible_lines()
    assert np.median(lines) <= 4
    assert np.quantile(lines, 0.9, method="inverted_cdf") <= 10
    assert told([cell for cell in code(lesson) if len(cell.lines) > 20]) == []
    assert told([cell for cell in code(lesson) if max(map(len, cell.lines), default=0) > 90]) == []


def test_a_cell_shows_one_figure_and_checks_one_claim(lesson):
    assert told([cell for cell in code(lesson) if cell.figures + cell.drawings > 1]) == []
    assert told([cell for cell in code(lesson) if cell.checks > 1]) == []


def test_nothing_is_hidden_and_claims_are_checked_in_words(lesson):
    assert told([cell for cell in code(lesson) if cell.hidden]) == []
    assert told([cell for cell in code(lesson) if cell.asserts]) == []


def test_no_code_that_must_be_unravelled(lesson):
    assert told([cell for cell in code(lesson) if cell.nested_comprehensions]) == []
    assert told([cell for cell in code(lesson) if "searchsorted" in cell.source]) == []


def test_the_promised_minutes_are_those_of_the_clock(lesson):
    assert clock.with_minutes(lesson) == {}, "python -m tools.clock --write"
    assert clock.promised(lesson) <= 90


def test_sections_are_numbered_in_order(lesson):
    numbers = [section.number for section in lesson.sections if section.number]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({section.title for section in lesson.all}) == len(lesson.all)


def test_no_name_stands_for_two_things(lesson):
    """Names of loops and figures may come again, and so may the same import."""
    places = defaultdict(list)
    for cell in code(lesson):
        for binding in bindings(cell):
            if not binding.is_of_a_figure:
                places[binding.name].append((cell.index, binding.how))
    twice = {
        name: sorted({index for index, _ in found})
        for name, found in places.items()
        if len({index for index, _ in found}) > 1
        and len({how for _, how in found} - {"value"}) + sum(how == "value" for _, how in found) > 1
    }
    assert twice == {}


def test_a_section_needs_only_the_opening_and_itself(lesson):
    missing = {}
    opening = set().union(*map(names_bound, lesson.opening.code))
    for section in lesson.sections:
        known = set(opening)
        for cell in section.code:
            if names_used(cell) - known:
                missing[cell.index] = sorted(names_used(cell) - known)
            known |= names_bound(cell)
    assert missing == {}


def test_the_opening_imports_in_at_most_eight_lines(lesson):
    assert [len(cell.lines) for cell in lesson.opening.code if len(cell.lines) > 8] == []


def test_a_deeper_notebook_finds_the_series_and_links_to_its_lesson(lesson):
    if lesson.path.parent != ROOT:
        assert '"../.."' in lesson.opening.code[0].source
        assert any(f"../../{path.name}" in cell.source for path in LESSONS for cell in lesson.opening.cells)


def test_the_readme_promises_the_minutes_of_the_clock():
    rows = re.findall(r"^\| \[\d\. .*\]\((.*\.ipynb)\) \|.*\| (\d+) \|$", (ROOT / "README.md").read_text("utf-8"), re.M)
    assert rows == [(path.name, str(clock.promised(Lesson(path)))) for path in LESSONS]
