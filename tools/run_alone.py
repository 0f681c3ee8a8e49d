"""Run the code cells of one notebook in this process, as a grader does: python -m tools.run_alone NOTEBOOK [FOLDER].

A cell that fails does not stop those after it; what went wrong is added to the file of answers. From the first cell on
nothing opens a file in FOLDER, where the solutions are, and no other program is started.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell

STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty")
READS = ("open", "os.listdir", "os.scandir", "os.link", "os.symlink", "os.rename", "shutil.copyfile", "shutil.copytree")


def main(arguments: list[str]) -> int:
    """Run one notebook; the exit status says nothing about its cells."""
    warnings.simplefilter("ignore")
    try:
        notebook = nbformat.read(arguments[0], as_version=4)
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:  # whatever a student hands in
        note(f"not a notebook: {type(error).__name__}")
        return 0
    shell = InteractiveShell.instance()
    if arguments[1:]:
        close_off(Path(arguments[1]))
    for failure in run(shell, cells):
        note(failure)
    return 0


def run(shell: InteractiveShell, cells: list[str]) -> Iterator[str]:
    """Run cells one after the other, and yield what went wrong."""
    for i, source in enumerate(cells, 1):
        outcome = shell.run_cell(source, store_history=True)
        error = outcome.error_before_exec or outcome.error_in_exec
        if error is not None:
            yield f"code cell {i}: {type(error).__name__}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, if it can be asked."""
    try:
        return str(error).partition("\n")[0]
    except Exception:
        return ""


def close_off(folder: Path) -> None:
    """Let nothing in this process look into a folder, or start another program; there is no way back."""
    closed = os.path.realpath(folder)
    noted: set[str] = set()

    def refuse(words: str) -> None:
        if words not in noted:  # also where the notebook catches the error
            noted.add(words)
            note(words, "attempt")
        raise PermissionError(words)

    def watch(event: str, values: tuple[Any, ...]) -> None:
        if event in STARTS:
            refuse("exercises are marked without starting other programs")
        if event in READS:
            for value in values[:2]:
                if isinstance(value, str | bytes | os.PathLike):
                    path = os.path.realpath(os.fsdecode(value))
                    if path == closed or path.startswith(closed + os.sep):
                        refuse("the solutions are closed while exercises are marked")

    sys.addaudithook(watch)


def note(words: str, kind: str = "error") -> None:
    """Add a remark to the file of answers."""
    if path := os.environ.get("PYHH_ANSWERS"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({kind: words}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
