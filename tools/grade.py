"""Mark the exercises of a class: run every notebook in a folder, judge the answers, write one CSV.

python -m tools.grade FOLDER [--seconds 300] [--csv FOLDER/marks.csv] [--jobs N]

Each notebook runs in a process of its own. Its checks leave the answers, plain numbers and words, in a file; this
process judges them again, with the student number that they came with. So what a notebook prints, redefines or claims
makes no difference. docs/exercises.md says what is guarded, and what is not.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import exercises
from helpers.exercises.sheet import ANSWERS, HINT, NOT_DONE, RIGHT, Sheet

from . import ROOT

SOLUTIONS = ROOT / "exercises" / "solutions"
MAX_BYTES = 20_000_000  # of the answers of one notebook
TOLD_ERRORS = 3  # in the remarks
LONGEST = 500  # characters of a hint or a remark


@dataclass
class Marks:
    """What came out for one notebook.

    Attributes
    ----------
    file
        Its path within the folder.
    student
        The student number, as the checks saw it.
    lesson
        1, 2 or 3; None where no check ran.
    results
        For each exercise "right", "not done", or a hint.
    remarks
        What a teacher should know.
    """

    file: str
    student: int | str | None = None
    lesson: int | None = None
    results: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(result == RIGHT for result in self.results.values())

    @property
    def done(self) -> int:
        """How many exercises have an answer."""
        return sum(result != NOT_DONE for result in self.results.values())

    @property
    def sheet(self) -> tuple[str, int] | None:
        """Student number and lesson, which decide the sheet: 12 and "12" give the same."""
        return None if self.lesson is None else (str(self.student), self.lesson)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, 1 if there is nothing to mark, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="./setup_pyhh.sh grade", description="Mark the exercises of a class.")
    parser.add_argument("folder", type=Path, help="with the students' notebooks, also in folders of their own")
    parser.add_argument("--seconds", type=float, default=300.0, help="time for each notebook (default: 300)")
    parser.add_argument("--csv", type=Path, help="where to write the marks (default: FOLDER/marks.csv)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at the same time")
    chosen = parser.parse_args(arguments)
    table = chosen.csv or chosen.folder / "marks.csv"
    try:
        notebooks = notebooks_in(chosen.folder)
        if not 0.0 < chosen.seconds < math.inf:
            raise ValueError(f"seconds {chosen.seconds:g}; allowed: more than 0")
        if table.is_dir() or not table.parent.is_dir():
            raise ValueError(f"{table}: {'that is a folder' if table.is_dir() else f'no folder {table.parent}'}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack what a student wrote
    marks: list[Marks] = []
    try:
        for one in mark_all(notebooks, chosen.folder, chosen.seconds, max(1, chosen.jobs)):
            again = twins(one, [other.file for other in marks if other.sheet == one.sheet])
            marks.append(one)
            write(table, marks)
            words = f"student {one.student}: {one.right} of {len(one.results)} right" if one.lesson else "no answers"
            told = map(printable, [one.file, words, *one.remarks, *again])
            print(f"{len(marks)}/{len(notebooks)}  {next(told)}  {next(told)}", *told, sep="; ", flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {len(marks)} of {len(notebooks)} notebooks are in {table}", file=sys.stderr)
        return 130
    print(f"written to {table}")
    return 0


def notebooks_in(folder: Path) -> list[Path]:
    """The notebooks in a folder and the folders in it; ValueError if there are none."""
    if folder.is_file():
        raise ValueError(f"{folder} is a file; needed: the folder with the notebooks")
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}")
    found = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    if not found:
        raise ValueError(f"no notebooks in {folder}")
    return found


def mark_all(notebooks: Sequence[Path], folder: Path, seconds: float, jobs: int) -> Iterator[Marks]:
    """Run notebooks in processes of their own, `jobs` at a time, and judge the answers of each as it ends."""
    running: set[subprocess.Popen[bytes]] = set()
    stopped = threading.Event()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        left: dict[Future[tuple[list[Any], str]], Path] = {}
        try:
            for i, path in enumerate(notebooks):
                place = Path(scratch) / str(i)
                left[pool.submit(answers_of, path, place, seconds, running, stopped)] = path
            while left:
                for future in wait(left, return_when=FIRST_COMPLETED).done:
                    yield judged(str(left.pop(future).relative_to(folder)), future)
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                end(process)


def answers_of(
    path: Path, place: Path, seconds: float, running: set[subprocess.Popen[bytes]], stopped: threading.Event
) -> tuple[list[Any], str]:
    """Run one notebook in a process of its own; return the lines that its checks left, and what went wrong."""
    if stopped.is_set():
        return [], "not run"
    place.mkdir()
    answers = place / "answers.jsonl"
    environment = {
        **os.environ,
        ANSWERS: str(answers),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("PYHH_CHECKS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run_alone", str(path.resolve()), str(SOLUTIONS)],
        cwd=place, env=environment, start_new_session=os.name == "posix",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    running.add(process)
    begun = time.monotonic()
    try:
        code = process.wait(seconds)
        wrong = "" if code == 0 else f"the notebook ended its process ({code})"
    except subprocess.TimeoutExpired:
        wrong = f"stopped after {time.monotonic() - begun:.0f} s"
    finally:
        end(process)
        running.discard(process)
    return lines(answers), wrong


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it may have started."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def lines(path: Path) -> list[Any]:
    """Whatever JSON a notebook left, line by line; what is not JSON is left out."""
    found = []
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES)
    except OSError:
        return []
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            continue
    return [line for line in found if isinstance(line, dict)]


def judged(file: str, future: Future[tuple[list[Any], str]]) -> Marks:
    """Judge one notebook; if that fails, it is a remark, and the others go on."""
    try:
        return judge(file, *future.result())
    except Exception as error:
        return Marks(file, remarks=[f"could not be marked: {type(error).__name__}: {error}"])


def judge(file: str, records: Sequence[dict[str, Any]], wrong: str = "") -> Marks:
    """Judge the answers of one notebook; the last answer to an exercise counts."""
    marks = Marks(file, remarks=[wrong] if wrong else [])
    marks.remarks += dict.fromkeys(str(record["attempt"]) for record in records if "attempt" in record)
    errors = [str(record["error"])[:200] for record in records if "error" in record]
    if any("NameError: name 'mine'" in error for error in errors):
        errors = errors[:1]  # without a sheet, for a wrong SEED for instance, all the others follow
    marks.remarks += errors[:TOLD_ERRORS] + ([f"{len(errors) - TOLD_ERRORS} more"] if errors[TOLD_ERRORS:] else [])
    answers = [record for record in records if known(record)]
    if not answers:
        return marks
    marks.student, marks.lesson = answers[0]["seed"], answers[0]["lesson"]
    sheet = sheet_of(marks.lesson, marks.student)
    marks.results = dict.fromkeys(sheet.exercises(), NOT_DONE)
    for record in answers:
        if (str(record["seed"]), record["lesson"]) == marks.sheet:
            marks.results[record["exercise"]] = result_of(sheet, record)
    others = {str(record["seed"]) for record in answers} - {str(marks.student)}
    if others:
        marks.remarks.append(f"answers with other student numbers were left out: {', '.join(sorted(others))}")
    lessons = {record["lesson"] for record in answers} - {marks.lesson}
    if lessons:
        marks.remarks.append(f"answers to another lesson were left out: {', '.join(map(str, sorted(lessons)))}")
    if str(marks.student) == "0":
        marks.remarks.append("no student number: SEED is 0")
    return marks


def known(record: dict[str, Any]) -> bool:
    """Whether a record names an exercise of a lesson, and a student number."""
    try:
        return record["exercise"] in sheet_of(record["lesson"], record["seed"]).exercises()
    except (KeyError, TypeError, ValueError):
        return False


def sheet_of(lesson: Any, seed: Any) -> Sheet:
    """The sheet of one student. Only what one needs is imported: lesson 1 does without torch."""
    kinds = {1: "Lesson1", 2: "Lesson2", 3: "Lesson3"}
    sheet: Sheet = getattr(exercises, kinds[lesson])(seed)
    return sheet


def result_of(sheet: Sheet, record: dict[str, Any]) -> str:
    """What an answer is worth, by what was measured of it; a record without that is at best a hint."""
    if isinstance(record.get("answer"), list):
        verdict = sheet.judge(record["exercise"], record["answer"])
        return RIGHT if verdict else f"{HINT}: {verdict.words}"
    return f"{HINT}: {record.get('words')}" if record.get("state") == HINT else NOT_DONE


def write(path: Path, marks: Sequence[Marks]) -> None:
    """Write the table, a row a notebook, by way of another file: it is whole at any moment."""
    names = list(dict.fromkeys(name for one in marks for name in one.results))
    files: dict[tuple[str, int] | None, list[str]] = {}
    for one in marks:
        files.setdefault(one.sheet, []).append(one.file)
    partial = path.with_name(path.name + ".part")
    with open(partial, "w", newline="", encoding="utf-8-sig") as file:  # with the mark by which Excel knows UTF-8
        table = csv.writer(file)
        table.writerow(["file", "student", "lesson", "right", "done", "of", *names, "remarks"])
        for one in sorted(marks, key=lambda one: one.file):
            head = [one.file, one.student, one.lesson, one.right, one.done, len(one.results)]
            results = [one.results.get(name, "") for name in names]
            remarks = "; ".join(map(printable, one.remarks + twins(one, files[one.sheet])))
            table.writerow([*map(plain, map(printable, [*head, *results])), plain(remarks)])
    partial.replace(path)


def twins(one: Marks, files: Sequence[str]) -> list[str]:
    """A remark if other files have the same student number."""
    others = [file for file in files if file != one.file]
    return [f"another notebook has this student number: {', '.join(others)}"] if one.sheet and others else []


def printable(value: Any) -> Any:
    """Text without characters that no file or terminal takes, and not too long; a number as it is."""
    if not isinstance(value, str):
        return value
    text = "".join(each if each.isprintable() else " " if each.isspace() else "?" for each in value[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def plain(value: Any) -> Any:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


if __name__ == "__main__":
    sys.exit(main())
