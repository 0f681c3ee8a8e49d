"""Several observations of one neuron: against an exact posterior, by SBC, and what is said when they disagree."""

from contextlib import suppress

import numpy as np
import pytest
import torch
from scipy import stats
from support.gaussian import MEAN, NOISE, POSTERIOR_SD, PRIOR, SD, simulate

from helpers.inference.cache import load_or_train
from helpers.inference.density_estimators import Estimator
from helpers.inference.independent import combined_posterior
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.scaling import Scaling
from helpers.inference.shipped import RECIPES
from helpers.inference.warning_classes import ConflictingObservationsWarning, FewEffectiveDrawsWarning

MANY = 25  # observations that exhaust the product of posteriors


class Exact(Estimator):
    """The exact posterior of support.gaussian as a network; its draws are `width` times too wide."""

    def __init__(self, width=1.0):
        super().__init__(PRIOR, Scaling.of(np.array([MEAN - 20 * SD, MEAN, MEAN + 20 * SD])), [])
        self.width = width

    def _normal(self, x):
        mean = POSTERIOR_SD**2 * (MEAN / SD**2 + x.numpy() / NOISE**2)
        return torch.distributions.Normal(torch.as_tensor(mean), torch.as_tensor(self.width * POSTERIOR_SD))

    def sample(self, sample_shape, condition, **_):
        return self._normal(condition).sample(sample_shape)

    def log_prob(self, input, condition, **_):
        return self._normal(condition).log_prob(input.double()).sum(-1)


POSTERIOR = Posterior(PRIOR, Exact(), "exact", ())


def exact(x):
    """Mean and SD of the posterior given all of `x`, (k, 2)."""
    sd = 1 / np.sqrt(SD**-2 + len(x) * NOISE**-2)
    return sd**2 * (MEAN / SD**2 + np.sum(x, axis=0) / NOISE**2), sd


def repeats(theta, k, seed):
    return [simulate(theta, 1000 * seed + number) for number in range(k)]


@pytest.mark.parametrize("k", [2, 5, MANY])
def test_the_posterior_given_all_is_the_exact_one(k):
    x = [one[0] for one in repeats(np.array([[42.0, 6.5]]), k, 1)]
    mean, sd = exact(x)
    draws = POSTERIOR.sample(4000, x, seed=1)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.06 * sd.max())
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.05)
    for column, centre, scale in zip(draws.T, mean, sd, strict=True):
        assert stats.kstest(column[:1000], stats.norm(centre, scale).cdf).pvalue > 1e-3
    wanted = stats.norm(mean, sd).logpdf(draws[:50]).sum(axis=1)
    np.testing.assert_allclose(POSTERIOR.log_prob(draws[:50], x), wanted, atol=0.08)
    assert POSTERIOR.log_prob([[90.0, 7.0]], x)[0] == -np.inf


@pytest.mark.parametrize("k", [2, 5])
def test_ranks_of_truths_are_uniform(k):
    """Simulation-based calibration; no set of observations of one neuron is said to contradict itself."""
    theta = PRIOR.draw(60, seed=3)
    theta = theta[(np.abs(theta - MEAN) < 3 * SD).all(axis=1)]  # farther out `EdgeMassWarning` is right
    x = repeats(theta, k, 2)
    ranks = [
        (POSTERIOR.sample(99, [one[row] for one in x], seed=row) < truth).sum(axis=0) for row, truth in enumerate(theta)
    ]
    for column in np.array(ranks).T:
        assert stats.kstest((column + 0.5) / 100, "uniform").pvalue > 0.005


@pytest.mark.slow
def test_five_sweeps_of_one_neuron_in_a_network_that_comes_with_the_series():
    """Ranks of truths that fire, and the posterior of five is about half as wide as that of one."""
    recipe = RECIPES["conductances-refined"]
    network, prior = load_or_train(recipe), recipe.simulator.prior
    theta = prior.draw(60, seed=5)
    theta = theta[(theta[:, 0] > 15) & (theta[:, 1] > 1)][:24]
    x = np.array([recipe.simulator(theta, 100 + repeat) for repeat in range(5)]).swapaxes(0, 1)
    drawn = np.array([network.sample(200, list(one), seed=row) for row, one in enumerate(x)])
    for column in (drawn < theta[:, None]).mean(axis=1).T:
        assert stats.kstest(column, "uniform").pvalue > 0.005
    alone = network.sample_each(200, x[:, 0], seed=1)
    assert 0.3 < np.median(drawn.std(axis=1) / alone.std(axis=1)) < 0.65


def test_a_list_of_one_is_that_one_and_the_order_does_not_matter():
    x = [np.array([41.0, 7.2]), np.array([40.0, 6.9])]
    np.testing.assert_array_equal(POSTERIOR.sample(9, x[:1], seed=1), POSTERIOR.sample(9, x[0], seed=1))
    np.testing.assert_array_equal(POSTERIOR.sample(9, list(x[0]), seed=1), POSTERIOR.sample(9, x[0], seed=1))
    np.testing.assert_array_equal(POSTERIOR.sample(9, x, seed=1), POSTERIOR.sample(9, x, seed=1))
    one, other = POSTERIOR.sample(4000, x, seed=1), POSTERIOR.sample(4000, x[::-1], seed=2)
    np.testing.assert_allclose(one.mean(axis=0), other.mean(axis=0), atol=0.08 * POSTERIOR_SD.max())


@pytest.mark.parametrize("k", [2, 4])
def test_an_observation_of_another_neuron_is_named_with_its_distance(k):
    x = [one[0] for one in repeats(np.array([[40.0, 7.0]]), k, 5)]
    x[1] = x[1] + [0.0, 6.5 * NOISE[1]]
    with pytest.warns(ConflictingObservationsWarning, match=f"of {k} observations contradict the others") as said:
        with suppress(ValueError):  # the farthest are refused as well, see below
            POSTERIOR.sample(100, x, seed=0)
    worst = said[0].message.conflicts[k == 2]  # of two observations, both contradict the other
    assert (worst.number, worst.parameter) == (1, "g_K") and worst.p < 1e-3
    assert 3.5 < worst.apart < 7 and worst.distance >= worst.apart
    assert said[0].filename == __file__


def test_observations_that_no_parameters_explain_are_refused():
    narrow = Posterior(PRIOR, Apart(), "exact", ())
    with (
        pytest.warns(ConflictingObservationsWarning),
        pytest.raises(ValueError, match=r"x_o: only .* of [\d,]+ draws count .* all 2 observations: no parameters"),
    ):
        narrow.sample(100, [np.array([36.0, 7.0]), np.array([44.0, 7.0])], seed=0)


class Apart(Exact):
    """Posteriors that end: two apart have nothing in common."""

    def log_prob(self, input, condition, **more):
        far = (input.double() - torch.as_tensor(self._normal(condition).mean)).abs() > 0.5
        return torch.where(far.any(-1), -torch.inf, super().log_prob(input, condition, **more))


def test_few_effective_draws_are_told(monkeypatch):
    monkeypatch.setattr("helpers.inference.independent.MAX_ROUNDS", 1)
    monkeypatch.setattr("helpers.inference.independent.PROPOSALS", 300)
    with pytest.warns(FewEffectiveDrawsWarning, match=r"1,000 draws .* worth \d+ independent ones, of 300 ") as said:
        POSTERIOR.sample(1000, [np.array([41.0, 7.2]), np.array([40.0, 6.9])], seed=1)
    assert 20 < said[0].message.effective < 300


def test_the_effective_number_is_that_of_the_weights():
    x = torch.as_tensor(np.array([[41.0, 7.2], [40.0, 6.9], [40.5, 7.0]]))
    found = combined_posterior(POSTERIOR.network, x, 1000, 1)
    weights = np.exp(found.log_weights - found.log_weights.max())
    assert found.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum()) and found.effective >= 1000


def test_a_trained_network_takes_a_list_and_refuses_a_table():
    theta = PRIOR.draw(2000, seed=1)
    network = train_npe(PRIOR, theta, simulate(theta, 2), seed=3, model="mdn", epochs=20)
    x = [one[0] for one in repeats(np.array([[42.0, 6.5]]), 3, 1)]
    mean, sd = exact(x)
    draws = network.sample(2000, x, seed=1)
    assert (np.abs(draws.mean(axis=0) - mean) < 0.8 * sd).all()
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.25)
    with pytest.raises(ValueError, match=r"x_o has shape \(3, 2\).*list\(x_o\) if all are of one neuron, otherwise"):
        network.sample(10, np.array(x), seed=1)
    with pytest.raises(ValueError, match=r"x_o\[1\] has shape \(3,\); allowed: \(2,\)"):
        network.sample(10, [x[0], np.zeros(3)], seed=1)
    with pytest.raises(ValueError, match=r"x_o\[2\]: x_o\[1\] is not finite|x_o\[2\]: .* is not finite"):
        network.sample(10, [x[0], x[1], np.array([40.0, np.nan])], seed=1)
