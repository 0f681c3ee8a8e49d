"""What a notebook switches on in its first cell: the look of its figures, and mistakes explained in a few lines.

A figure that the last line of a cell returns is shown once, also without `plt.show()`.

When a cell fails because of what it asked for, the message comes first, then the line of the cell; the code of the
series in between is folded away. `%tb` shows all of it.
"""

from __future__ import annotations

import dis
import linecache
import os
import re
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import FrameType, FunctionType, TracebackType
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from helpers.checks import STRICT
from helpers.figures.style import use_style
from helpers.neurons.parameters import DECORATOR
from helpers.validation import did_you_mean

__all__ = ["set_up"]

SERIES = str(Path(__file__).parent)
CONTEXT = 2  # lines of a cell before and after the one that failed
NO_ATTRIBUTE = r"No (helpers[\w.]*) attribute (\w+)"  # what lazy_loader says about a name that a room lacks
RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"


def set_up() -> None:
    """Switch to the look of the series; in a notebook, show figures once, and errors in a few lines."""
    use_style()
    shell = _shell()
    if shell is not None:
        shell.display_trap.hook = partial(_show_result, shell)
    if shell is not None and os.environ.get(STRICT) != "strict":  # the tests want everything
        shell.set_custom_exc((Exception,), _show)


def _show_result(shell: Any, result: Any) -> None:
    """Show the value of a cell's last line; of a figure, keep pyplot from showing it again at the end of the cell."""
    shell.displayhook(result)
    if isinstance(result, Figure) and "inline" in plt.get_backend():
        plt.close(result)


def explain(error: BaseException) -> str:
    """Return what helps against an error, beyond its own message; "" if the series knows nothing about it."""
    message = str(error)
    if found := re.match(r"cannot import name '(\w+)' from '(helpers[\w.]*)'", message):
        return _has(found[2], found[1], dir(sys.modules[found[2]]))
    if found := re.match(NO_ATTRIBUTE, message):
        return _has(found[1], found[2], dir(sys.modules[found[1]]))
    if isinstance(error, AttributeError):
        thing, name = getattr(error, "obj", None), getattr(error, "name", None)
        if name and _is_of_the_series(type(thing)) and message.startswith("'"):  # Python's own words
            return _has(f"a {type(thing).__name__}", name, dir(thing))
    if message.startswith("cannot inherit non-frozen dataclass from a frozen one"):
        return f"Write {DECORATOR} above the line class ..."
    if found := re.search(r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", message):
        for module in [module for name, module in sys.modules.items() if name.startswith("helpers.")]:
            function = vars(module).get(found[1])
            if getattr(function, "__module__", None) == module.__name__ and isinstance(function, FunctionType):
                code = function.__code__
                return _has(f"{found[1]}()", found[2], code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return ""


def _is_of_the_series(kind: type) -> bool:
    """Whether a class, or what it is made from, comes from the series: also a neuron that a cell has defined."""
    return any(base.__module__.startswith("helpers.") for base in kind.__mro__)


def _has(what: str, name: str, known: Iterable[str]) -> str:
    public = [entry for entry in known if not entry.startswith("_")]
    near = did_you_mean(name, public).replace("; d", "D")
    return f"{near} {what} has {', '.join(public)}".strip()


def _shell() -> Any:
    try:
        from IPython import get_ipython
    except ImportError:  # in a script
        return None
    return get_ipython()


def _show(
    shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    """Show an error as a notebook does, folded if the series raised it on purpose or can explain it."""
    frames = _frames(trace)
    help_ = explain(error)
    if isinstance(error, AttributeError) and re.match(NO_ATTRIBUTE, str(error)):
        error.args = (re.sub(NO_ATTRIBUTE, r"\1 has no \2", str(error)),)
    own = [(frame, line) for frame, line in frames if _cell(shell, frame)]
    if own and (help_ or _is_on_purpose(trace)):
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb
        lines = [f"{RED}{kind.__name__}{PLAIN}: {BOLD}{error}{PLAIN}", *([help_] if help_ else []), ""]
        for frame, line in own:
            lines += [f"{_cell(shell, frame)}, line {line}", *_context(frame.f_code.co_filename, line)]
        if any(frame.f_code.co_filename.startswith(SERIES) for frame, _ in frames):
            lines += ["", "(what happened inside the series is folded away; %tb shows it)"]
        shown = ["\n".join(lines).rstrip()]
        shell._showtraceback(kind, error, shown)
        return shown
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    return []


def _frames(trace: TracebackType) -> list[tuple[FrameType, int]]:
    found = []
    step: TracebackType | None = trace
    while step is not None:
        found.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    return found


def _is_on_purpose(trace: TracebackType) -> bool:
    """Whether the error comes from a `raise` in the code of the series."""
    last = trace
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    return code.co_filename.startswith(SERIES) and code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _cell(shell: Any, frame: FrameType) -> str:
    """Return what a notebook calls the cell of a frame, "" if the frame is not in a cell."""
    filename = frame.f_code.co_filename
    name = getattr(shell.compile, "format_code_name", lambda _: None)(filename)
    if name:
        return " ".join(name)
    return "this cell" if filename.startswith("<ipython-input") else ""  # IPython 7, on Colab


def _context(filename: str, line: int) -> list[str]:
    """Return the lines of a cell around one of them, which is marked."""
    text = linecache.getlines(filename)
    numbers = range(max(1, line - CONTEXT), min(len(text), line + CONTEXT) + 1)
    return [f"{'---->' if n == line else '     '} {n} {text[n - 1].rstrip()}" for n in numbers]
