"""An exercise sheet: what a student number decides, and checks that say right, or give a hint, never the solution.

A check has two halves. `measure` turns an answer into plain numbers and words: it calls a student's function, for
instance. `judge` decides from these alone. So a grader can take the numbers from a student's process, and decide in
its own, where the student cannot change anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

import numpy as np

from helpers.validation import instance, whole_number

__all__ = ["Sheet", "Verdict", "close", "exercise", "hint", "needs", "right", "slip"]

ANSWERS = "PYHH_ANSWERS"  # a file to which every check appends its answer, a line of JSON each
MAX_NUMBERS = 100_000  # of one answer
RIGHT, HINT, NOT_DONE = "right", "hint", "not done"


class NeedsHint(Exception):
    """An answer of which a check knows, before it has finished, what is wrong with it."""


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer.

    Attributes
    ----------
    state : str
        "right", "hint" or "not done".
    words : str
        What is printed.
    """

    state: str
    words: str

    def __bool__(self) -> bool:
        return self.state == RIGHT

    def __str__(self) -> str:
        return {RIGHT: "✓ ", HINT: "✗ not yet: ", NOT_DONE: ""}[self.state] + self.words

    def _ipython_display_(self) -> None:
        """Show nothing more at the end of a cell: the check has printed the words."""


def right(words: str) -> Verdict:
    """Accept an answer."""
    return Verdict(RIGHT, words)


def hint(words: str) -> Verdict:
    """Decline an answer and say where to look."""
    return Verdict(HINT, words)


def needs(holds: bool, words: str) -> None:
    """Decline an answer with a hint unless a condition holds, from within a check."""
    if not holds:
        raise NeedsHint(words)


def close(value: float, wanted: float, relative: float = 0.01, absolute: float = 1e-9) -> bool:
    """Whether two numbers agree."""
    return bool(abs(value - wanted) <= max(relative * abs(wanted), absolute))


def slip(value: float, slips: dict[float, str], otherwise: str, relative: float = 0.005) -> Verdict:
    """Decline an answer with the hint for a typical slip, found by the number that it leads to."""
    return hint(next((words for wrong, words in slips.items() if close(value, wrong, relative)), otherwise))


def exercise(measure: Callable[..., Any] | None = None) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Make a check of a sheet from a function that judges.

    Parameters
    ----------
    measure : callable
        Takes the sheet and the answers as the student gives them, and returns what is judged, a list of numbers,
        strings, arrays or lists of them. Needed where an answer is a function or a class. Without it the answers
        themselves are judged.

    Returns
    -------
    callable
        A decorator. The check prints its verdict and returns it. An answer that is still ``...`` is "not done".
    """

    def decorate(judge: Callable[..., Verdict]) -> Callable[..., Verdict]:
        name = judge.__name__.removeprefix("check_")

        @wraps(judge)
        def check(self: Sheet, *answers: Any) -> Verdict:
            data, verdict = _measured(self, answers, measure)
            if verdict is None:
                verdict = self.judge(name, data)
            _record(self, name, verdict, data)
            print(verdict)
            return verdict

        check.judge = judge  # type: ignore[attr-defined]
        return check

    return decorate


@dataclass(frozen=True)
class Sheet:
    """The exercises of one lesson with the values of one student.

    Parameters
    ----------
    seed : int or str
        The student number. Every number has other values and a neuron of its own.
    """

    seed: int | str = 0
    lesson: ClassVar[int] = 0

    def __post_init__(self) -> None:
        instance("SEED", self.seed, (int, str), "your student number, such as 1234, or in quotes if it has letters")
        if isinstance(self.seed, int):
            whole_number("SEED", self.seed)
        elif not self.seed.isprintable():
            raise ValueError(f"SEED = {self.seed!a}; allowed: letters, digits and signs that can be printed")

    @classmethod
    def exercises(cls) -> tuple[str, ...]:
        """The names of the exercises, in order."""
        return tuple(name.removeprefix("check_") for name in vars(cls) if name.startswith("check_"))

    def random(self, what: str) -> np.random.Generator:
        """Random numbers for one purpose, the same each time for one student."""
        return np.random.default_rng([*what.encode(), 0, *str(self.seed).encode()])

    def judge(self, name: str, data: list[Any]) -> Verdict:
        """Judge what was measured of an answer, as a grader does; whatever is in `data`, the result is a verdict."""
        try:
            return getattr(type(self), f"check_{name}").judge(self, *data)
        except (NeedsHint, ValueError) as wrong:  # the functions of the series say what is wrong with an argument
            return hint(str(wrong))
        except (TypeError, IndexError, KeyError, AttributeError, ArithmeticError):
            return hint("the answer has another form than the task asks for; compare it with the cell as it was.")


def _measured(sheet: Sheet, answers: tuple[Any, ...], measure: Callable[..., Any] | None) -> tuple[Any, Verdict | None]:
    """What of an answer is judged, as plain data; or a verdict where there is nothing to judge."""
    if any(_open(answer) for answer in answers):
        return None, Verdict(NOT_DONE, "not done yet")
    try:
        data = _plain(list(answers) if measure is None else measure(sheet, *answers))
    except NeedsHint as wrong:
        return None, hint(str(wrong))
    except Exception as error:  # whatever the student's function does
        return None, hint(f"your code stopped with {type(error).__name__}: {error}")
    return data, Verdict(NOT_DONE, "not done yet") if _open(data) else None


def _open(answer: Any) -> bool:
    if isinstance(answer, dict):
        return any(map(_open, answer.values()))
    if isinstance(answer, list | tuple):
        return any(map(_open, answer))
    return answer is None or answer is ...


def _plain(value: Any) -> Any:
    """The same in lists, numbers and strings, as JSON gives it back."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().numpy()
    if isinstance(value, np.ndarray | np.generic):
        needs(np.size(value) <= MAX_NUMBERS, f"the answer has {np.size(value):,} numbers, far more than needed.")
        return _plain(value.tolist())
    if value is None or value is ... or isinstance(value, bool | int | float | str):
        return value
    raise NeedsHint(f"the answer is of type {type(value).__name__}; a number, a string or an array is needed.")


def _record(sheet: Sheet, name: str, verdict: Verdict, data: Any) -> None:
    """Append an answer to the file of a grader, if there is one."""
    if path := os.environ.get(ANSWERS):
        line = {"lesson": sheet.lesson, "exercise": name, "seed": sheet.seed, "state": verdict.state}
        line |= {"words": verdict.words} if data is None or verdict.state == NOT_DONE else {"answer": data}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
