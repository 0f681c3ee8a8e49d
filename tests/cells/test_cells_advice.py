"""Which recording would help: the formula against closed forms, and stimuli that must tell apart what they can."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.cells import family

from helpers.cells.choice import cell_of
from helpers.cells.next_recording import Advice, Gain, _candidates, _gain, next_recording
from helpers.cells.problem import CellProblem
from helpers.cells.sweeps import Measurement
from helpers.cells.unknowns import choose_unknowns


def test_the_gain_of_a_linear_experiment():
    random = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    z = random.multivariate_normal([0.0, 0.0], covariance, 20_000)
    slopes = np.array([[2.0, 0.0], [0.0, 0.5]])
    x = z @ slopes + 0.7 * random.standard_normal((20_000, 2))
    after = np.linalg.inv(np.linalg.inv(covariance) + slopes @ slopes.T / (1.0 + 0.49))
    found = _gain("both", ("a", "b"), z, x, 20_000)
    assert found.nats == pytest.approx(0.5 * np.log(np.linalg.det(covariance) / np.linalg.det(after)), rel=0.03)
    assert found.narrower["a"] == pytest.approx(1.0 / np.sqrt(after[0, 0]), rel=0.02)
    assert found.narrower["b"] == pytest.approx(1.0 / np.sqrt(after[1, 1]), rel=0.02)  # for a tells of b as well


def test_chance_is_no_gain():
    random = np.random.default_rng(1)
    z, x = random.standard_normal((150, 10)), 3.0 * random.standard_normal((150, 18))
    assert _gain("nothing", tuple("abcdefghij"), z, x, 150).nats < 0.5


def test_a_deterministic_copy_is_limited_by_the_tolerance():
    z = np.random.default_rng(2).standard_normal((5000, 1))
    assert _gain("same", ("a",), z, 3.0 * z, 5000).narrower["a"] == pytest.approx(np.sqrt(10.0), rel=0.05)


class Posterior:
    """Draws around the middle of a fit: all parameters known but for two that are exchanged."""

    def __init__(self, problem, open_names):
        self.prior, self.open = problem.unknowns.prior, open_names

    def sample(self, n, seed):
        names = self.prior.names
        z = 0.01 * np.random.default_rng(seed).standard_normal((n, len(names)))
        for name in self.open:
            z[:, names.index(name)] *= 30.0
        middle = self.prior.to_normal(torch.as_tensor(TRUTH(names)[None])).numpy()
        return self.prior.from_normal(torch.as_tensor(middle + z)).numpy()


def TRUTH(names):
    known = {"C": 1.0, "g_Na": 15.0, "g_K": 3.0, "g_L": 0.03, "E_L": -72.0, "V_T": -66.0, "rate_Na": 1.5, "rate_K": 1.0,
             "g_M": 0.1, "tau_max": 300.0, "slow_Na": 0.01, "slow_K": 0.02, "g_h": 0.01}  # fmt: skip
    return np.array([known[name] for name in names])


def a_fit(sweeps, *open_names):
    cell = cell_of(family(), sweeps, [], Measurement(), {})
    problem = CellProblem(cell.fitted, cell.membrane, choose_unknowns(cell.fitted, cell.membrane))
    posterior = Posterior(problem, open_names)
    return SimpleNamespace(
        cell=cell, problem=problem, names=problem.unknowns.prior.names, sample=posterior.sample,
        posterior=SimpleNamespace(beta=1.0), verdict=SimpleNamespace(status="passes"),
    )  # fmt: skip


def test_a_leak_that_is_open_asks_for_a_step_that_shows_it():
    fit = a_fit([3], "g_L", "C")
    advice = next_recording(fit, n=60)
    by_name = {gain.stimulus: gain for gain in advice.gains}
    down, pulse = by_name["a step of -250 pA for 500 ms"], next(g for g in advice.gains if "pulse" in g.stimulus)
    assert down.narrower["g_L"] > 1.5 * pulse.narrower["g_L"] > 1.0
    assert [gain.nats for gain in advice.gains] == sorted((gain.nats for gain in advice.gains), reverse=True)
    assert advice.gains[0].stimulus[1:] in str(advice) and "trace 3 once more" in str(advice)
    assert not advice.caveats
    fit.posterior.beta, fit.verdict.status = 0.01, "does not pass"
    again = next_recording(fit, n=60)
    assert again.gains == advice.gains  # the same seed
    assert len(again.caveats) == 2 and str(again).endswith("all this holds for the model.")


def test_few_draws_are_refused():
    fit = a_fit([3], "g_L")
    fit.sample = lambda n, seed: np.repeat(TRUTH(fit.names)[None], n, axis=0)
    with pytest.raises(ValueError, match="1 different draws of .* a larger n"):
        next_recording(fit)


def test_stimuli_are_new_and_within_reach():
    words = [words for words, _ in _candidates(a_fit([0, 3], "g_L"))]
    assert "a step of -100 pA for 500 ms" not in words and "a step of -250 pA for 500 ms" in words
    assert sum("pulse" in one for one in words) == sum("ramp" in one for one in words) == 1
    for _, stimulus in _candidates(a_fit([0, 3], "g_L")):
        assert np.abs(stimulus.samples).max() * 100.0 * 2.0 < 5000.0  # pA, on 2e-4 cm²
        assert stimulus.stop <= (len(stimulus.samples) - 1) * stimulus.dt


def test_advice_in_words():
    one = Gain("a step of +50 pA for 500 ms", 2.0, {"a": 2.0, "b": 1.1})
    same = Gain("sweep 3 once more", 0.2, {"a": 1.1, "b": 1.1})
    other = Gain("a ramp", 1.5, {"a": 1.3, "b": 1.9})
    advice = Advice((one, other), same, (("a", "b", -0.9),), 300)
    assert advice.helps
    assert advice.sentence() == (
        "A step of +50 pA for 500 ms would make the SD of a 2.0 times smaller. a and b (correlation -0.90) are told "
        "apart best by a ramp: it would make the SD of b 1.9 times smaller, of a 1.3 times smaller."
    )
    nothing = Advice((Gain("a step", 0.4, {"a": 1.2, "b": 1.0}),), same, (), 300)
    assert not nothing.helps and nothing.sentence().startswith("None of these stimuli would tell much more")
