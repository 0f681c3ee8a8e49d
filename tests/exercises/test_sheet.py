"""What a check makes of whatever it is given: not done, a hint, and never an error."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.exercises import Lesson1, Sheet
from helpers.exercises.sheet import Verdict, exercise, needs, right


class Small(Sheet):
    lesson = 9

    @exercise()
    def check_number(self, a: float) -> Verdict:
        needs(a == 3, "it is more than 2.")
        return right("three.")

    @exercise(lambda sheet, function: [function(2)])
    def check_function(self, value: float) -> Verdict:
        return right("four.") if value == 4 else Verdict("hint", f"{value} is not it.")


def test_what_a_check_prints_and_returns(capsys):
    small = Small(1)
    assert small.check_number(3) and not small.check_number(2) and not small.check_number(...)
    assert capsys.readouterr().out == "✓ three.\n✗ not yet: it is more than 2.\nnot done yet\n"
    assert Small.exercises() == ("number", "function")


@pytest.mark.parametrize("answer", [None, ..., (1, ...), [(..., 2)], {"A": ...}])
def test_an_answer_with_a_gap_is_not_done(answer):
    assert Small(1).check_number(answer).state == "not done"


def test_a_function_that_returns_nothing_is_not_done_and_one_that_fails_is_told():
    assert Small(1).check_function(lambda x: None).state == "not done"
    failed = Small(1).check_function(lambda x: 1 / 0)
    assert failed.state == "hint" and failed.words == "your code stopped with ZeroDivisionError: division by zero"


@pytest.mark.parametrize("value", [np.float64(4), np.array(4), torch.tensor(4.0), 4])
def test_numbers_arrays_and_tensors_are_the_same(value):
    assert Small(1).check_function(lambda x: value)


@pytest.mark.parametrize("value", [object(), {1}, np.zeros(200_000)])
def test_what_is_not_plain_gets_a_hint(value):
    assert Small(1).check_function(lambda x: value).state == "hint"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", ["nernst", "rheobase", "rise", "rebound", "charge", "drug", "current", "neuron"])
@settings(max_examples=30, deadline=None)
@given(data=st.lists(anything, max_size=3))
def test_a_grader_gets_a_verdict_whatever_the_data(name, data):
    assert Lesson1(3).judge(name, data).state in ("right", "hint")


@pytest.mark.parametrize("seed", [-1, 1.5, None, [1], "\ud800", "a\n"])
def test_what_is_no_student_number_is_refused(seed):
    with pytest.raises(ValueError, match="SEED"):
        Lesson1(seed)


def test_a_student_number_decides_everything():
    assert Lesson1(5).axon == Lesson1(5).axon != Lesson1(6).axon
    assert Lesson1("a1").potassium != Lesson1("a2").potassium
    axons = {repr(Lesson1(seed).axon) for seed in range(100)}
    assert len(axons) > 95


def test_a_check_leaves_the_answer_for_a_grader(tmp_path, monkeypatch):
    monkeypatch.setenv("PYHH_ANSWERS", str(tmp_path / "answers"))
    for answer in (np.float64(3), 2, ...):
        Small("x").check_number(answer)
    lines = [json.loads(line) for line in (tmp_path / "answers").read_text().splitlines()]
    assert [line["state"] for line in lines] == ["right", "hint", "not done"]
    assert [line.get("answer") for line in lines] == [[3.0], [2], None]
    assert {(line["lesson"], line["exercise"], line["seed"]) for line in lines} == {(9, "number", "x")}
