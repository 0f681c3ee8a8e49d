"""The tasks can be used by anyone, and the benchmark measures what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.hh_bench import __main__ as bench
from benchmarks.hh_bench import tasks
from benchmarks.hh_bench.make_references import observations
from benchmarks.hh_bench.measures import calibration, compared
from benchmarks.hh_bench.methods import METHODS
from benchmarks.hh_bench.results import Results, table
from helpers.inference.storage import write_arrays

SHAPES = {"tutorial": (2, (7,)), "integrate_and_fire": (6, (1000, 2)), "eight": (8, (14,))}
WITH_REFERENCE = ("tutorial", "integrate_and_fire")


@pytest.mark.parametrize("name", tasks)
def test_a_task_takes_and_returns_tensors(name):
    task, (n_parameters, of_one) = tasks[name], SHAPES[name]
    torch.manual_seed(1)
    theta = task.prior.sample((3,))
    x = task.simulator(theta)
    assert theta.shape == (3, n_parameters) and x.shape == (3, *of_one) and x.dtype == torch.float32
    assert task.summarise(x).shape == (3, len(task.statistics)) and task.summarise(x[0]).ndim == 1
    torch.manual_seed(1)
    assert torch.equal(task.simulator(task.prior.sample((3,))), x)
    assert task.x_o.shape == (10, *of_one) and task.truths.shape == (10, n_parameters)
    with pytest.raises(ValueError, match="theta has shape"):
        task.simulator(theta[:, 1:])


@pytest.mark.parametrize("name", tasks)
def test_the_observations_are_those_of_the_truths(name):
    truths, x_o = observations(tasks[name])
    np.testing.assert_array_equal(truths, tasks[name].truths)
    np.testing.assert_allclose(x_o, tasks[name].x_o, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", WITH_REFERENCE)
def test_references_lie_within_the_prior_and_predict_the_observations(name):
    """Statistics of draws scatter around the observed ones no more than twice as far as those of the truth."""
    task = tasks[name]
    assert task.agree.sum() >= 8 and (task.c2st[task.agree] <= 0.57).all()
    for number in np.flatnonzero(task.agree)[:3]:
        seen, truth = task.summarise(task.x_o[number]), task.truths[number]
        at_truth = task.summarise(task.simulator(np.tile(truth, (60, 1)), 1))
        scale = np.maximum(at_truth.std(axis=0), 1e-9)
        expected = np.median(np.abs(at_truth - seen) / scale, axis=0).clip(0.5)
        for draws in task.references.values():
            assert draws.shape[1:] == (1000, len(truth)) and task.prior.contains(draws[number]).all()
            x = task.summarise(task.simulator(draws[number, :60], 2))
            assert (np.median(np.abs(x - seen) / scale, axis=0) < 2.5 * expected).all()


def test_a_task_without_reference_says_so():
    assert not tasks["eight"].agree.any()
    with pytest.raises(ValueError, match="has no reference"):
        _ = tasks["eight"].reference_samples


def test_a_reference_of_other_equations_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.hh_bench.task.FOLDER", tmp_path)
    task = tasks["tutorial"]
    write_arrays(task.path(3), {"format": 1, "fingerprint": "0" * 16}, {"truth": np.zeros(2)})
    with pytest.raises(ValueError, match="tutorial-3.npz was made by other equations"):
        task._read(3)


# -------------------------------------------------------------------------------------------------- what is measured


@pytest.mark.parametrize(
    ("wider", "shifted", "expected"), [(1.0, 0.0, (0.45, 0.56)), (3.0, 0.0, (0.65, 0.85)), (1.0, 4.0, (0.93, 1.0))]
)
def test_distances_of_normal_distributions(wider, shifted, expected):
    rng = np.random.default_rng(1)
    found = compared(rng.standard_normal((500, 2)), shifted + wider * rng.standard_normal((500, 2)))
    assert expected[0] < found["c2st"] < expected[1]
    assert found["sd_ratio"] == pytest.approx([wider] * 2, rel=0.12)
    assert found["shift"] == pytest.approx([shifted] * 2, abs=0.3)


class OfThePrior:
    """The prior as a posterior: calibrated, and right for data that say nothing; or half as wide."""

    def __init__(self, task, width=1.0):
        self.prior, self.width = task.prior, width

    def sample(self, n, x_o, seed):
        drawn = self.prior.draw(n, seed)
        middle = (self.prior.lower + self.prior.upper) / 2
        return middle + self.width * (drawn - middle)


@pytest.mark.parametrize(("width", "right"), [(1.0, True), (0.5, False)])
def test_calibration_tells_the_right_width(width, right):
    def says_nothing(theta, seed):
        return np.random.default_rng(seed).standard_normal((len(theta), 7))

    task = tasks["tutorial"]
    found = calibration(task, OfThePrior(task, width), says_nothing, 200, 100, seed=1)
    assert (found["p"] > 0.01) == right
    assert found["coverage"] == pytest.approx([0.9 if right else 0.45] * 2, abs=0.08)


# ------------------------------------------------------------------------------------------------------ a whole run


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_is_stopped_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.hh_bench.measures.c2st", lambda a, b: 0.75)  # which takes seconds; see above
    method, file = "ours, NPE", tmp_path / "results.jsonl"
    arguments = ["--tasks", "tutorial", "--methods", method, "--budgets", "100", "--quick", "--results", str(file)]
    assert bench.main(arguments) == 0
    whole = lines_of(file)
    agree = np.flatnonzero(tasks["tutorial"].agree).tolist()
    assert [line["part"] for line in whole[1:]] == ["start", *agree, "calibration"]
    assert not any("failed" in line for line in whole) and whole[1]["simulations"] == 100
    printed = capsys.readouterr().out
    assert "QUICK: no measurement." in printed and f"| {method} | 100 | {len(agree)} |" in printed

    file.write_text("".join(f"{json.dumps(line)}\n" for line in whole[:-3]))  # stopped before the last three
    with pytest.raises(SystemExit):
        bench.main(arguments)
    assert "--resume goes on with it" in capsys.readouterr().err
    assert bench.main([*arguments, "--resume"]) == 0
    again = lines_of(file)
    assert [line.get("part") for line in again] == [line.get("part") for line in whole]
    assert again[-2]["sd_ratio"] == whole[-2]["sd_ratio"]
    with pytest.raises(SystemExit):
        bench.main([*arguments, "--resume", "--seed", "1"])
    assert "has results with seed = 0, now 1" in capsys.readouterr().err


def test_what_fails_is_a_line_that_says_so(tmp_path, capsys):
    results = Results(tmp_path / "results.jsonl", {"seed": 0})
    bench.measure(results, "tutorial", "ours, NPE", 20, bench.QUICK, 0)  # too few
    bench.measure(results, "integrate_and_fire", "ours, rounds", 1000, bench.QUICK, 0)
    lines = "\n".join(table(results))
    assert "| ours, NPE | 20 | 0 | ValueError: " in lines
    assert "| ours, rounds | 1,000 | 0 | not applicable: the bounds of its prior depend on one another |" in lines
    capsys.readouterr()


def test_every_method_says_what_it_is():
    assert all(method.about for method in METHODS.values())
    assert {name for method in METHODS.values() for name in method.not_for} <= set(tasks)
