"""docs/teaching.md: its plans fit, its sections exist, every question has a key, and some keys are computed.

Whether the other answers are right, and whether a section says what the page says of it, is for a reader.
"""

import math
import re
from collections import Counter

import pytest

from tools import LESSONS, ROOT
from tools.lesson import fitting, select
from tools.sections import Lesson

PAGE = (ROOT / "docs/teaching.md").read_text("utf-8")
PLANS = re.findall(r"`lesson (\d) --sections ([\d,-]+) --minutes (\d+)`", " ".join(PAGE.split()))


def test_two_plans_or_more_for_each_lesson():
    assert min(Counter(number for number, _, _ in PLANS).values()) >= 2
    assert {number for number, _, _ in PLANS} == {"1", "2", "3"}


@pytest.mark.parametrize(("number", "sections", "minutes"), PLANS)
def test_the_sections_of_a_plan_fit_into_its_minutes(number, sections, minutes):
    lesson = Lesson(LESSONS[int(number) - 1])
    _, left_out = fitting(lesson, select(lesson, sections), float(minutes))
    assert [section.title for section in left_out] == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_sections_that_are_named_exist(number):
    text = PAGE.partition(f"## Lesson {number}:")[2].partition("\n## ")[0]
    named = {int(n) for n in re.findall(r"[Ss]ections? (\d+)", text)} | {
        int(n) for n in re.findall(r"[Ss]ections \d+ and (\d+)", text)
    }
    assert named and named <= {section.number for section in Lesson(LESSONS[number - 1]).sections}


def test_numbers_of_the_key():
    assert f"{1000 * 8.314 * (6.3 + 273.15) / 96485 * math.log(2):.1f} mV at 6.3 °C" in " ".join(PAGE.split())
    assert f"(c) {0.6 / (0.6 + 0.3):.2f}." in PAGE


@pytest.mark.parametrize("number", [1, 2, 3])
def test_ten_questions_of_four_answers_and_one_key(number):
    text = PAGE.partition(f"**Test: lesson {number}**")[2].partition("\n---\n")[0]
    items = re.split(r"(?m)^(\d+)\. ", text)[1:]
    assert [int(item) for item in items[::2]] == list(range(1, 11))
    assert [re.findall(r"(?m)^ +- \(([a-z])\) ", item) for item in items[1::2]] == [list("abcd")] * 10
    key = re.search(rf"(?m)^\| lesson {number} \| (.*) \|$", PAGE)[1].split(" | ")
    assert len(key) == 10 and set(key) == set("abcd")
    assert max(Counter(key).values()) <= 4  # nobody gains by always choosing the same letter
