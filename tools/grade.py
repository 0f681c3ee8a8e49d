"""Mark the exercises of a class: run every notebook in a folder, judge the answers, write one CSV.

python -m tools.grade FOLDER [--seconds 300] [--csv FOLDER/marks.csv] [--jobs N]

Each notebook runs in a process of its own. Its checks leave the answers, plain numbers and words, in a file; this
process judges them again, with the student number that they came with. So what a notebook prints, redefines or claims
makes no difference. docs/exercises.md says what is guarded, and what is not.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, 1 if there is nothing to mark, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="./setup_pyhh.sh grade", description="Mark the exercises of a class.")
    parser.add_argument("folder", type=Path, help="with the students' notebooks, also in folders of their own")
    parser.add_argument("--seconds", type=float, default=300.0, help="time for each notebook (default: 300)")
    parser.add_argument("--csv", type=Path, help="where to write the marks (default: FOLDER/marks.csv)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at the same time")
    chosen = parser.parse_args(arguments)
    notebooks = [path for path in sorted(chosen.folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    if not notebooks:
        print(f"no notebooks in {chosen.folder}", file=sys.stderr)
        return 1
    table = chosen.csv or chosen.folder / "marks.csv"
    marks: list[Marks] = []
    try:
        for one in mark_all(notebooks, chosen.folder, chosen.seconds, max(1, chosen.jobs)):
            marks.append(one)
            write(table, marks)
            words = f"student {one.student}: {one.right} of {len(one.results)} right" if one.lesson else "no answers"
            print(f"{len(marks)}/{len(notebooks)}  {one.file}  {words}", *one.remarks, sep="; ", flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {len(marks)} of {len(notebooks)} notebooks are in {table}", file=sys.stderr)
        return 130
    print(f"written to {table}")
    return 0


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
                    path = left.pop(future)
                    yield judge(str(path.relative_to(folder)), *future.result())
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


def judge(file: str, records: Sequence[dict[str, Any]], wrong: str = "") -> Marks:
    """Judge the answers of one notebook; the last answer to an exercise counts."""
    marks = Marks(file, remarks=[wrong] if wrong else [])
    errors = [str(record["error"])[:200] for record in records if "error" in record]
    marks.remarks += errors[:TOLD_ERRORS] + ([f"{len(errors) - TOLD_ERRORS} more"] if errors[TOLD_ERRORS:] else [])
    answers = [record for record in records if known(record)]
    if not answers:
        return marks
    marks.student, marks.lesson = answers[0]["seed"], answers[0]["lesson"]
    sheet = sheet_of(marks.lesson, marks.student)
    marks.results = dict.fromkeys(sheet.exercises(), NOT_DONE)
    for record in answers:
        if (record["lesson"], record["seed"]) == (marks.lesson, marks.student):
            marks.results[record["exercise"]] = result_of(sheet, record)
    others = {str(record["seed"]) for record in answers} - {str(marks.student)}
    if others:
        marks.remarks.append(f"answers with other student numbers were left out: {', '.join(sorted(others))}")
    if marks.student == 0:
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
    return f"{HINT}: {str(record.get('words'))[:300]}" if record.get("state") == HINT else NOT_DONE


def write(path: Path, marks: Sequence[Marks]) -> None:
    """Write the table, a row a notebook, by way of another file: it is whole at any moment."""
    names = list(dict.fromkeys(name for one in marks for name in one.results))
    twice = {key for key, n in Counter((one.student, one.lesson) for one in marks if one.lesson).items() if n > 1}
    partial = path.with_name(path.name + ".part")
    with open(partial, "w", newline="", encoding="utf-8-sig") as file:  # with the mark by which Excel knows UTF-8
        table = csv.writer(file)
        table.writerow(["file", "student", "lesson", "right", "done", "of", *names, "remarks"])
        for one in sorted(marks, key=lambda one: one.file):
            again = ["another notebook has this student number"] if (one.student, one.lesson) in twice else []
            head = [one.file, one.student, one.lesson, one.right, one.done, len(one.results)]
            remarks = "; ".join(one.remarks + again)
            table.writerow(map(plain, [*head, *(one.results.get(name, "") for name in names), remarks]))
    partial.replace(path)


def plain(value: Any) -> Any:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


if __name__ == "__main__":
    sys.exit(main())
