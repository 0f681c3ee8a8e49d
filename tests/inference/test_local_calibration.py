"""Near one observation: the exact posterior passes, one with 30 % too wide or narrow an SD there does not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.gaussian import MEAN, NOISE, POSTERIOR_SD, PRIOR, SD, Ignorant, Known, simulate

from helpers.inference.diagnostics.combinations import parameter_combinations
from helpers.inference.diagnostics.local_calibration import local_calibration
from helpers.inference.marginals import normal
from helpers.inference.priors import prior_of
from helpers.inference.rounds import Round, Rounds
from helpers.inference.truncation import Truncated, truncated_around
from helpers.inference.warning_classes import ExtrapolationWarning
from helpers.neurons.models import LeakyIntegrateAndFire, Pospischil

X_O = np.array([42.0, 6.8])
SMALL = {"simulations": 2000, "trials": 200, "samples": 60}


class Here(Known):
    """Wrong near X_O, exact elsewhere."""

    def sample(self, n, x_o, seed):
        near = (np.abs(x_o - X_O) < 3 * NOISE).all()
        return (super() if near else Known()).sample(n, x_o, seed)


class Elsewhere(Known):
    """Exact near X_O, wrong elsewhere."""

    def sample(self, n, x_o, seed):
        far = (np.abs(x_o - X_O) > 3 * NOISE).any()
        return (super() if far else Known()).sample(n, x_o, seed)


@cache
def found(posterior, seed=1, x_o=tuple(X_O)):
    return local_calibration(posterior, simulate, PRIOR, np.array(x_o), seed=seed, **SMALL)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_exact_posterior_passes(seed):
    right = found(Known(), seed)
    assert right.passed(0.01) and right.left_out == 0 and abs(right.c2st - 0.5) < 0.08
    np.testing.assert_allclose(right.width, 1.0, atol=0.2)
    np.testing.assert_allclose(right.shift, 0.0, atol=0.3)


@pytest.mark.parametrize("width", [1.3, 0.7])
def test_an_sd_that_is_off_by_30_percent_is_found(width):
    wrong = found(Known(width))
    assert not wrong.passed(0.001) and "miscalibrated" in str(wrong)
    assert wrong.names[-1] == "all, jointly" and wrong.width[-1] == pytest.approx(width, rel=0.12)
    assert wrong.p_width[-1] == wrong.p_width.min()


def test_a_shift_is_found_with_its_sign():
    wrong = found(Known(shift=0.5))
    assert not wrong.passed(0.001) and (wrong.shift[:2] > 0.25).all() and wrong.p_position[:2].max() < 0.01


def test_only_what_is_wrong_at_the_observation_counts():
    """The first is right for most neurons of the prior, the second for none but those like this one."""
    assert not found(Here(1.4)).passed(0.001)
    assert found(Elsewhere(1.5)).passed(0.01)


def test_trials_are_near_the_observation_and_truths_in_the_region():
    right = found(Known())
    off = np.abs(right.trials.x - X_O) / NOISE
    assert off.max() < 2.0 and right.region.contains(right.trials.theta).all()
    assert right.region.contains(right.trials.samples.reshape(-1, 2)).all()
    assert right.trials.samples.shape == (200, 60, 2)


def test_the_prior_itself_passes_over_the_prior_and_not_here():
    """Its ranks are right on average; near one observation all truths are in the same place."""
    wrong = found(Ignorant())
    assert not wrong.passed(0.001) and wrong.shift[0] < -0.2 < 0.2 < wrong.shift[1]


def rounds_of(posterior, region):
    """What `truncated_rounds` would return: a posterior that only knows `region`."""
    nothing = np.empty((0, 2))
    one = Round(region, nothing, nothing, 0, posterior, nothing, np.zeros((2, 2)), 0.0)
    return Rounds((one,), "ended")


@pytest.mark.parametrize(("width", "passes"), [(1.0, True), (1.35, False), (0.7, False)])
def test_rounds_are_tested_against_the_prior_of_their_region(width, passes):
    exact = Known().sample(4000, X_O, 1)
    region = truncated_around(exact, 0.05, Truncated.whole(PRIOR))
    region = replace(region, radius=2.5)  # cuts off 4 % of the posterior at X_O, much more of others
    tested = local_calibration(rounds_of(Known(width), region), simulate, PRIOR, X_O, seed=1, **SMALL)
    assert tested.passed(0.01) == passes
    assert region.contains(tested.trials.theta).all() and region.contains(tested.trials.samples.reshape(-1, 2)).all()


def counting(theta, seed):
    """`simulate` with a count of 7 or 8 by chance; with 7 the readings lie elsewhere."""
    eight = np.random.default_rng(seed + 1).random(len(theta)) < 0.5
    return np.column_stack([7.0 + eight, simulate(theta, seed) + np.where(eight, 0.0, 9.0)[:, None] * NOISE])


class KnowsEight(Known):
    def sample(self, n, x_o, seed):
        assert x_o[0] == 8
        return super().sample(n, x_o[1:], seed)


def test_only_simulations_with_the_observed_count_are_inferred():
    tested = local_calibration(KnowsEight(), counting, PRIOR, np.array([8.0, *X_O]), seed=1, **SMALL)
    assert tested.passed(0.01) and (tested.trials.x[:, 0] == 8).all()
    small = SMALL | {"simulations": 400}  # about 200 have the count, and all of them are inferred
    fewer = local_calibration(KnowsEight(), counting, PRIOR, np.array([8.0, *X_O]), seed=3, **small).trials
    assert 160 < len(fewer.theta) < 200 and (fewer.x[:, 0] == 8).all()
    with pytest.raises(ValueError, match=r"0 of 2000 simulations near the posterior have the observed \[9.\]"):
        local_calibration(Nine(), counting, PRIOR, np.array([9.0, *X_O]), seed=1, **SMALL)


class Nine(Known):
    def sample(self, n, x_o, seed):
        return super().sample(n, x_o[1:], seed)


def test_an_observation_that_the_model_cannot_give_is_told():
    def twice(theta, seed):
        return np.column_stack([simulate(theta, seed), simulate(theta, seed + 1)])

    class KnowsTwice(Known):
        def sample(self, n, x_o, seed):
            return super().sample(n, (x_o[:2] + x_o[2:]) / 2, seed)

    apart = np.array([*X_O, *(X_O + 9 * NOISE)])
    with pytest.warns(ExtrapolationWarning, match="no parameters near the posterior give statistics like x_o"):
        local_calibration(KnowsTwice(), twice, PRIOR, apart, seed=1, **SMALL)


def test_a_posterior_that_flees_is_refused():
    class Fleeing(Known):
        def sample(self, n, x_o, seed):
            return super().sample(n, X_O if (x_o == X_O).all() else X_O + 40 * POSTERIOR_SD, seed)

    with pytest.raises(ValueError, match=r"of 200 trials 200 have hardly any draw .* in the wrong place"):
        local_calibration(Fleeing(), simulate, PRIOR, X_O, seed=1, **SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_o": np.array([1.0, np.nan])}, "x_o = nan"),
        ({"trials": 10}, "trials = 10; allowed: an integer from 50"),
        ({"simulations": 300}, "simulations = 300; allowed: an integer from 400"),
        ({"simulate": lambda theta, seed: theta[:, :1]}, r"simulate gave \(2000, 1\).*allowed: \(2000, 2\)"),
        ({"simulate": lambda theta, seed: theta * np.nan}, "values not finite"),
    ],
)
def test_bad_input(change, message):
    arguments = {"posterior": Known(), "simulate": simulate, "prior": PRIOR, "x_o": X_O, "seed": 1, **SMALL} | change
    with pytest.raises(ValueError, match=message):
        local_calibration(**arguments)


def test_dependencies_are_refused():
    prior = prior_of(LeakyIntegrateAndFire, {"V_init": normal(-70.0, 2.0), "E_L": normal(-60.0, 2.0)},
                     below={"V_init": ("E_L", 0.5)})  # fmt: skip
    with pytest.raises(ValueError, match="V_init must lie below others cannot be cut down"):
        local_calibration(Known(), simulate, prior, X_O, seed=1)


# ------------------------------------------------------------------------------------- which combinations are known


def test_what_two_parameters_do_together_is_known_best():
    rng = np.random.default_rng(1)
    sum_of, difference = 0.01 * rng.standard_normal(5000), 0.5 * rng.standard_normal(5000)
    draws = MEAN + SD * np.column_stack([sum_of + difference, sum_of - difference]) / np.sqrt(2)
    known = parameter_combinations(PRIOR, draws)
    np.testing.assert_allclose(known.remaining, [0.01, 0.5], rtol=0.06)
    np.testing.assert_allclose(np.abs(known.weights), np.sqrt(0.5), atol=0.02)
    assert known.weights[0].prod() > 0 > known.weights[1].prod()
    np.testing.assert_allclose(known.evaluate(draws).std(axis=0), [0.01, 0.5], rtol=0.06)
    assert "g_Na" in known.in_words(0) and len(str(known).splitlines()) == 3


def test_parameters_that_are_correlated_before_are_not_called_known_together():
    marginals = {"g_Na": normal(40.0, 2.0), "g_K": normal(7.0, 0.5)}
    prior = prior_of(Pospischil, marginals, correlations={("g_Na", "g_K"): 0.95})
    np.testing.assert_allclose(parameter_combinations(prior, prior.draw(20_000, 1)).remaining, 1.0, atol=0.03)
    with pytest.raises(ValueError, match="3 draws of 2 parameters are too few; allowed: at least 4"):
        parameter_combinations(prior, prior.draw(3, 1))
