"""A class is marked: by what the answers are, not by what a notebook prints or claims; and whatever it holds."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers.exercises import Lesson1
from tools import ROOT, grade

OPENING = "from helpers import exercises\nSEED = {seed!r}\nmine = exercises.Lesson1(SEED)"
ANSWER = """import numpy as np
ions = mine.potassium
my_E_K = 8314 * (ions["temperature"] + 273.15) / 96485 * np.log(ions["outside"] / ions["inside"])"""
CHECK = "mine.check_nernst(my_E_K)"
CLASS = {
    "right": [OPENING.format(seed=11), ANSWER, CHECK, "mine.check_rheobase(...)"],
    "failing": [OPENING.format(seed="b2"), "1 / 0", ANSWER, "def broken(:", CHECK, "mine.check_rheobase(1.0)"],
    "cheating": [
        OPENING.format(seed=13),
        "class Fake:\n    def __getattr__(self, name):\n        return lambda *_: print('✓ right')",
        "mine = Fake()",
        "mine.check_nernst(0)",
        "print('✓ right')",
        f"text = open({str(grade.SOLUTIONS / '1_HH_model_simulation.py')!r}).read()",
        f"import os; os.system('cat {grade.SOLUTIONS}/*')",
        "exercises.Lesson1.check_nernst.judge = lambda *_: exercises.Verdict('right', '')",
        "exercises.Lesson1.judge = lambda *_: exercises.Verdict('right', '')",
        "exercises.Lesson1(SEED).check_nernst(1.0)",
        "exercises.Lesson1(99).check_rheobase(2.0)",
    ],
    "leaving": [OPENING.format(seed=14), ANSWER, CHECK, "import os; os._exit(3)", "mine.check_rheobase(2.0)"],
    "twin": [OPENING.format(seed="14"), "my_E_K = 'a' * 10", CHECK],
    "seedless": [OPENING.format(seed="\ud800").replace("'\ud800'", r"'\ud800'"), ANSWER, CHECK],
    "secretly": [
        r"raise ValueError('\ud800')",
        OPENING.format(seed=16),
        f"try:\n    open({str(grade.SOLUTIONS / '1_HH_model_simulation.py')!r})\nexcept OSError:\n    pass",
        "class Mute(Exception):\n    def __str__(self):\n        raise self\nraise Mute",
        ANSWER,
        CHECK,
    ],
}


def write(folder, name, cells):
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), folder / f"{name}.ipynb")


def graded(folder, *arguments, **options):
    command = [sys.executable, "-m", "tools.grade", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def table(folder):
    with open(folder / "marks.csv", encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_a_class_is_marked_and_one_bad_notebook_does_not_stop_the_rest(tmp_path):
    for name, cells in CLASS.items():
        write(tmp_path, name, cells)
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    (tmp_path / "in a folder").mkdir()
    write(tmp_path / "in a folder", "none", ["print('hello')"])
    process = graded(tmp_path)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert len(out.splitlines()) == 10 and "9/9" in out and "student 11: 1 of 12 right" in out
    rows = table(tmp_path)
    marks = {
        name: (row["student"], row["right"], row["done"], row["nernst"], row["rheobase"]) for name, row in rows.items()
    }
    assert marks["right.ipynb"] == ("11", "1", "1", "right", "not done")
    assert marks["failing.ipynb"][:4] == ("b2", "1", "2", "right") and "larger" in marks["failing.ipynb"][4]
    assert "code cell 2: ZeroDivisionError" in rows["failing.ipynb"]["remarks"]
    assert "code cell 4: SyntaxError" in rows["failing.ipynb"]["remarks"]
    assert marks["cheating.ipynb"][:3] == ("13", "0", "1") and marks["cheating.ipynb"][4] == "not done"
    remarks = rows["cheating.ipynb"]["remarks"]
    assert "the solutions are closed" in remarks and "without starting other programs" in remarks
    assert "other student numbers were left out: 99" in remarks
    assert marks["leaving.ipynb"][:4] == ("14", "1", "1", "right") and "(3)" in rows["leaving.ipynb"]["remarks"]
    assert all("another notebook has" in rows[name]["remarks"] for name in ("leaving.ipynb", "twin.ipynb"))
    remarks = rows["seedless.ipynb"]["remarks"]
    assert remarks.startswith("code cell 1: ValueError: SEED") and "NameError" not in remarks
    assert marks["secretly.ipynb"][:2] == ("16", "1") and "Mute" in rows["secretly.ipynb"]["remarks"]
    assert "ValueError: ?" in rows["secretly.ipynb"]["remarks"]
    assert "the solutions are closed" in rows["secretly.ipynb"]["remarks"]
    assert "another notebook has" in out
    assert rows["torn.ipynb"]["remarks"] == "not a notebook: NotJSONError" and rows["torn.ipynb"]["student"] == ""
    assert rows[f"in a folder{os.sep}none.ipynb"]["of"] == "0"


@pytest.mark.slow
def test_a_notebook_has_a_time_limit_and_ctrl_c_keeps_the_marks_of_those_done(tmp_path):
    write(tmp_path, "a", CLASS["right"])
    endless = "import time\nwhile True: time.sleep(0.1)"
    write(tmp_path, "b", [OPENING.format(seed=12), endless])
    write(tmp_path, "c", [OPENING.format(seed=12), endless])
    process = graded(tmp_path, "--jobs", "1", "--seconds", "10", start_new_session=True)
    first, second = process.stdout.readline(), process.stdout.readline()
    assert "a.ipynb  student 11: 1 of 12 right" in first
    assert "b.ipynb  no answers; stopped after 10 s" in second
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "interrupted: 2 of 3" in err
    assert set(table(tmp_path)) == {"a.ipynb", "b.ipynb"}


def record(**changes):
    return {"lesson": 1, "exercise": "nernst", "seed": 7, "state": "right", "answer": [1.0]} | changes


def test_what_a_record_claims_does_not_count():
    forged = [
        record(),
        record(exercise="cell", answer="right"),
        record(exercise="rheobase", answer=None, state="right"),
    ]
    marks = grade.judge("x", forged)
    assert marks.right == 0 and marks.results["cell"] == marks.results["rheobase"] == "not done"


@pytest.mark.parametrize(
    "change", [{"lesson": 4}, {"lesson": []}, {"exercise": "judge"}, {"seed": -1}, {"seed": {}}, {"exercise": 3}]
)
def test_records_of_no_exercise_are_left_out(change):
    assert grade.judge("x", [record(**change)]).lesson is None


def test_one_that_cannot_be_judged_is_told_and_not_more():
    future = Future()
    future.set_exception(OSError("disk full"))
    assert grade.judged("x", future).remarks == ["could not be marked: OSError: disk full"]


def test_a_number_with_and_without_quotes_is_one_student():
    marks = grade.judge("x", [record(seed=12), record(seed="12", exercise="rheobase", answer=[500.0])])
    assert marks.done == 2 and marks.remarks == []
    assert grade.twins(marks, ["x", "y"]) == ["another notebook has this student number: y"]
    assert grade.twins(grade.Marks("x"), ["x", "y"]) == []


def test_answers_to_two_lessons_are_told():
    marks = grade.judge("x", [record(), record(lesson=3, exercise="unit", answer=[1.0, 1.0])])
    assert marks.done == 1 and marks.remarks == ["answers to another lesson were left out: 3"]


def test_without_a_sheet_only_the_cause_is_told():
    errors = ["ValueError: SEED = -1", "NameError: name 'mine' is not defined", "NameError: name 'x' is not defined"]
    assert grade.judge("x", [{"error": error} for error in errors]).remarks == errors[:1]


def test_whatever_was_written_fits_into_a_table(tmp_path):
    remarks, words = ["a\n\ud800\x00"], "w" * 10**6
    grade.write(tmp_path / "marks.csv", [grade.Marks("\udcff", "\ud800", 1, {"nernst": words}, remarks)])
    (row,) = table(tmp_path).values()
    assert (row["file"], row["student"], row["remarks"]) == ("?", "?", "a ??")
    assert len(row["nernst"]) == 500 and row["nernst"].endswith("w…")


def test_the_last_answer_counts():
    which = "X" if Lesson1(7).cells.has_M_current("X") else "Y"
    other = {"X": "Y", "Y": "X"}[which]
    answers = [record(exercise="cell", answer=[other]), record(exercise="cell", answer=[which])]
    assert grade.judge("x", answers).right == 1
    assert grade.judge("x", answers[::-1]).right == 0


def test_lines_that_are_not_json_are_left_out(tmp_path):
    (tmp_path / "answers").write_bytes(
        b'{"a": 1}\n\xff\xfe\n' + b"[" * 100_000 + b"\n3\n" + json.dumps(record()).encode()
    )
    assert grade.lines(tmp_path / "answers") == [{"a": 1}, record()]
    assert grade.lines(tmp_path / "absent") == []


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path):
    grade.write(tmp_path / "marks.csv", [grade.Marks("=cmd|x.ipynb", student="@SUM(A1)", lesson=1)])
    (row,) = table(tmp_path).values()
    assert row["file"].startswith("'=") and row["student"].startswith("'@")


@pytest.mark.parametrize(("arguments", "message"), [
    (["{0}"], "no notebooks in {0}"), (["{0}/absent"], "no folder {0}/absent"),
    (["{0}/full/one.ipynb"], "{0}/full/one.ipynb is a file; needed: the folder with the notebooks"),
    (["{0}/full", "--seconds", "-1"], "seconds -1; allowed: more than 0"),
    (["{0}/full", "--seconds", "nan"], "seconds nan; allowed: more than 0"),
    (["{0}/full", "--csv", "{0}/no/a.csv"], "{0}/no/a.csv: no folder {0}/no"),
    (["{0}/full", "--csv", "{0}"], "{0}: that is a folder"),
])  # fmt: skip
def test_what_cannot_be_done_is_told_in_a_line(arguments, message, tmp_path, capsys):
    if "full" in "".join(arguments):
        (tmp_path / "full").mkdir()
        write(tmp_path / "full", "one", [])
    assert grade.main([argument.format(tmp_path) for argument in arguments]) == 1
    assert capsys.readouterr().err == message.format(tmp_path) + "\n"
