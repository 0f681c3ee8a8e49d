"""Every solution, put into the very cell of the notebook, is right for several students; a stub is not done yet."""

import ast

import pytest
from support.exercises import SEEDS, answered, execute, opened

from helpers import exercises
from tools import EXERCISES
from tools.exercises import exercises_of, solutions_of
from tools.sections import Lesson, names_bound, names_used

WANTED = {"1": 8, "2": 8, "3": 7}
ALL = [pytest.param(path, id=path.name[0]) for path in EXERCISES]


def names_set(source: str) -> dict[str, list[str] | None]:
    """What a cell assigns, and the arguments of the functions that it defines."""
    tree, found = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [each.arg for each in node.args.args]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = [ast.unparse(base) for base in node.bases]
    return found


@pytest.mark.parametrize("path", ALL)
def test_a_notebook_a_sheet_and_a_file_of_solutions_have_the_same_exercises(path):
    found = exercises_of(path)
    names = [exercise.name for exercise in found]
    assert len(names) >= WANTED[path.name[0]]
    assert names == list(getattr(exercises, f"Lesson{path.name[0]}").exercises()) == list(solutions_of(path))
    for exercise in found:
        assert [len(exercise.part(of)) for of in ("task", "answer", "check")] == [1, 1, 1]
        assert exercise.cells[0].source.startswith("## ") and " minutes)\n" in exercise.cells[0].source
        assert exercise.part("check")[0].source.startswith(f"mine.check_{exercise.name}(")


def test_no_name_stands_for_two_exercises():
    names = [exercise.name for path in EXERCISES for exercise in exercises_of(path)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", ALL)
def test_a_solution_answers_the_stub_and_is_not_in_the_notebook(path):
    solutions, notebook = solutions_of(path), path.read_text("utf-8")
    for exercise in exercises_of(path):
        stub, solution = names_set(exercise.part("answer")[0].source), names_set(solutions[exercise.name])
        assert stub.items() <= solution.items(), exercise.name
        lines = [line for line in solutions[exercise.name].splitlines() if len(line) > 30 and "METHODS" not in line]
        given = [line for line in lines if line in notebook and not line.startswith(("def ", "class ", "@", "STEPS"))]
        assert given == [], exercise.name


@pytest.mark.parametrize("path", ALL)
def test_a_stub_is_not_done_yet(path, capsys):
    names = opened(path, 0)
    said = [str(answered(exercise, names, None)) for exercise in exercises_of(path)]
    assert said == ["not done yet"] * len(said)
    assert capsys.readouterr().out.count("not done yet\n") == len(said)


@pytest.mark.parametrize("seed", [SEEDS[0], pytest.param(SEEDS[1], marks=pytest.mark.long), SEEDS[2]])
@pytest.mark.parametrize("path", ALL)
def test_every_solution_is_right_and_each_exercise_runs_alone(path, seed):
    names, solutions = opened(path, seed), solutions_of(path)
    for exercise in reversed(exercises_of(path)):
        verdict = answered(exercise, names, solutions[exercise.name])
        assert verdict.state == "right", f"{exercise.name}: {verdict}"


@pytest.mark.slow
@pytest.mark.parametrize("path", ALL)
def test_another_student_has_other_answers(path):
    """With the numbers of a neighbour few exercises are right: those whose answer is a function, a class or a word."""
    theirs, solutions = opened(path, SEEDS[1]), solutions_of(path)
    mine = getattr(exercises, f"Lesson{path.name[0]}")(SEEDS[2])
    right = []
    for exercise in exercises_of(path):
        *code, check = exercise.code(solutions[exercise.name])
        if execute([*code, check.replace("mine.", "other.")], {**theirs, "other": mine})["verdict"]:
            right.append(exercise.name)
    general = {
        "1": {"charge", "neuron", "rise", "three", "cell", "integrator", "rebound", "intervals", "drug"},
        "2": {"rejection", "coverage", "odd", "next", "amplitude"},
        "3": {"rate", "equal", "slope", "information", "trials"},
    }
    assert set(right) <= general[path.name[0]]


@pytest.mark.parametrize("path", ALL)
def test_cells_are_short_and_an_exercise_needs_only_the_opening_and_itself(path):
    lesson = Lesson(path)
    opening = set().union(*map(names_bound, lesson.opening.code))
    assert max(len(cell.lines) for cell in lesson.opening.code) <= 8
    for section in lesson.sections:
        known = set(opening)
        for cell in section.code:
            assert len(cell.lines) <= 20 and max(map(len, cell.lines)) <= 90, cell.source
            assert cell.figures <= 1
            assert names_used(cell) - known == set(), cell.source
            known |= names_bound(cell)
