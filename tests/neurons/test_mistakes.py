"""Mistakes in equations are found when the class is made, and the message says what to write."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from helpers.neurons import Neuron, Pospischil, current, exp, gate, state


def alone(V):
    return exp(V)


def by_name(V):
    alpha = exp(V)
    return alpha


def argument(V):
    return V


def three(V):
    return V, 1.0, 2.0


def nothing(V):
    exp(V)


def of_numpy(V):
    return np.exp(V), 1.0


def of_math(V):
    return 1.0, math.sqrt(V)


def misspelt(V):
    return expo(V), 1.0  # noqa: F821


def from_outside(V):
    return GRID * V, 1.0


def left_out(V):
    return g_M * V, V_T  # noqa: F821


def with_self(self, V):
    return self.g_K * V, self.E_K


GRID = 3.0
MUST = r"must return \(alpha, beta\), two values with a comma between them"
MISTAKES = [
    (alone, MUST),
    (by_name, MUST),
    (argument, MUST),
    (three, MUST),
    (nothing, MUST),
    (of_numpy, r"uses \['np'\].*; write exp\(...\) for np.exp\(...\)"),
    (of_math, r"uses \['math'\].*; write sqrt\(...\) for math.sqrt\(...\)"),
    (misspelt, r"equations may call only abs, exp, .* from helpers.neurons; did you mean exp\?"),
    (from_outside, r"uses \['GRID'\]: not among its arguments, and equations may call only"),
    (left_out, r"uses g_M, V_T, which its arguments leave out: write def left_out\(V, g_M, V_T\)"),
    (with_self, r"takes self, which equations do not have: write def with_self\(V, g_K, E_K\)"),
]


@pytest.mark.parametrize(("function", "message"), MISTAKES, ids=lambda case: getattr(case, "__name__", ""))
def test_a_mistake_is_refused_when_the_class_is_made(function, message):
    entry = gate(function)
    with pytest.raises(TypeError, match=rf"Mine\.{function.__name__} (|.*){message}"):
        type("Mine", (Pospischil,), {function.__name__: entry})


@pytest.mark.parametrize(("mark", "pair"), [(current, r"\(g, E\)"), (state, r"\(a, b\)")])
def test_what_must_be_returned_depends_on_the_kind(mark, pair):
    with pytest.raises(TypeError, match=f"Mine.alone must return {pair}"):
        type("Mine", (Pospischil,), {"alone": mark(alone)})


def test_what_is_right_is_left_alone():
    @dataclass(frozen=True, kw_only=True)
    class Mine(Neuron):
        @gate
        def annotated(V):
            alpha: float = abs(exp(V))
            alpha += 1.0
            both = alpha, 1.0
            return both

    assert Mine.states == ("annotated",)
