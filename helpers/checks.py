"""Claims of a lesson, checked in the cell that makes them."""

from __future__ import annotations

import ast
import os
import sys
from types import CodeType, FrameType
from typing import Any

import executing
import numpy as np

from helpers.validation import instance

__all__ = ["check"]

STRICT = "PYHH_CHECKS"  # set to "strict" by the tests: there, a claim that does not hold is a failure


def check(claim: str, holds: bool) -> None:
    """Print whether a claim of the text holds; if it does not, print the values that it compares, and go on.

    Parameters
    ----------
    claim : str
        What the text says, such as "the axon fires at 68 Hz".
    holds : bool
        Whether it is so, as a comparison: ``check("the axon fires at 68 Hz", round(rate) == 68)``.

    Raises
    ------
    AssertionError
        If the claim does not hold and the environment variable PYHH_CHECKS is "strict", as it is in the tests.
    """
    instance("claim", claim, str, "a sentence in quotes")
    instance("holds", holds, (bool, np.bool_), "True or False, from a comparison such as error < 1e-9")
    if holds:
        print(f"✓ {claim}")
        return
    now = "; ".join(f"{name} = {value}" for name, value in _values_compared(sys._getframe(1)).items())
    message = f"✗ with these settings it is no longer true that {claim}" + (f" (now {now})" if now else "")
    if os.environ.get(STRICT) == "strict":
        raise AssertionError(message)
    print(message)


def _values_compared(frame: FrameType) -> dict[str, str]:
    """Return the sides of the comparisons that fail, as the caller wrote them, with their values."""
    call = executing.Source.executing(frame).node  # None where the source is not known, as in `exec`
    if not isinstance(call, ast.Call):
        return {}
    arguments = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "holds")]
    values: dict[str, str] = {}
    for compare in (node for argument in arguments for node in ast.walk(argument) if isinstance(node, ast.Compare)):
        try:
            if np.all(_evaluate(compare, frame)):
                continue
            for side in (compare.left, *compare.comparators):
                if any(isinstance(node, ast.Name) for node in ast.walk(side)):
                    values[ast.unparse(side)] = _in_words(_evaluate(side, frame))
        except NameError:  # a name that only exists inside a comprehension
            continue
    return values


def _evaluate(expression: ast.expr, frame: FrameType) -> Any:
    code: CodeType = compile(ast.Expression(expression), "<check>", "eval")
    return eval(code, frame.f_globals, frame.f_locals)


def _in_words(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.array2string(value, precision=4, threshold=8)
    return str(value)
