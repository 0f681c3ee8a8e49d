"""Sharpening a network's answer: exact on problems with a known posterior, and told where it cannot be."""

import numpy as np
import pytest
from scipy.special import expit

from helpers.inference.marginals import normal
from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior, prior_of
from helpers.inference.sharpening import sharpened
from helpers.inference.simulator import NeuronSimulator
from helpers.inference.warning_classes import ExtrapolationWarning, InferenceWarning
from helpers.neurons.models import Pospischil
from helpers.simulation.stimuli import step

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.0, 0.0], high=[80.0, 16.0])
TRUTH, SD = np.array([50.0, 5.0]), np.array([0.08, 0.016])  # a 1,000th of the prior
X_O = np.array([*TRUTH, 0.0])
FEW = {"budget": 2000, "n_step": 200}


def readings(theta, seed):
    """Both parameters with normal noise, and a statistic that says nothing. The posterior is normal, of SD `SD`."""
    noise = np.random.default_rng(seed).standard_normal((len(theta), 3))
    return np.column_stack([theta + SD * noise[:, :2], noise[:, 2]])


def trained(simulate, prior=PRIOR, epochs=10):
    """A network that is far too wide."""
    theta = prior.draw(600, seed=1)
    return train_npe(prior, theta, simulate(theta, 2), seed=3, model="mdn", epochs=epochs)


@pytest.fixture(scope="module")
def network():
    return trained(readings)


def assert_is_exact(samples):
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 0.2 * SD).all()
    np.testing.assert_allclose(samples.std(axis=0), SD, rtol=0.12)
    assert abs(np.corrcoef(samples.T)[0, 1]) < 0.12


def test_it_ends_at_the_exact_posterior(network):
    found = sharpened(network, readings, X_O, seed=1, **FEW)
    assert_is_exact(found.sample(4000, X_O, seed=0))
    assert found.settled and found.n_simulations == 2000
    assert (found.steps[0].sd > 20 * SD).all()  # what the network knew
    again = sharpened(network, readings, X_O, seed=1, **FEW)
    np.testing.assert_array_equal(found.sample(9, X_O, seed=0), again.sample(9, X_O, seed=0))
    with pytest.raises(ValueError, match="this posterior belongs to x_o"):
        found.sample(9, X_O + 1, seed=0)


def test_a_network_that_is_wrong_by_ten_sds_is_left_behind():
    near = np.linspace(-1, 1, 600)[:, None] * SD + TRUTH + 10 * SD  # all that it knows is elsewhere
    wrong = train_npe(PRIOR, near, readings(near, 1), seed=3, model="mdn", epochs=20)
    assert_is_exact(sharpened(wrong, readings, X_O, seed=1, budget=3000, n_step=200).sample(4000, X_O, seed=0))


def test_how_probable_the_observed_count_is_counts():
    """A count of 8 is the more probable the larger g_Na is; with 7 the readings lie elsewhere."""

    def counting(theta, seed):
        eight = np.random.default_rng(seed + 1).random(len(theta)) < expit(2 * (theta[:, 0] - TRUTH[0]) / SD[0])
        x = readings(theta, seed)
        x[:, :2] += np.where(eight, 0.0, 5.0)[:, None] * SD
        return np.column_stack([7.0 + eight, x])

    x_o = np.array([8.0, *X_O])
    samples = sharpened(trained(counting), counting, x_o, seed=2).sample(4000, x_o, seed=0)
    z = np.linspace(-6, 6, 2001)
    exact = expit(2 * z) * np.exp(-(z**2) / 2)
    exact /= exact.sum()
    mean, found = exact @ z, (samples - TRUTH) / SD
    assert found[:, 0].mean() == pytest.approx(mean, abs=0.15) and mean > 0.5
    assert found[:, 0].std() == pytest.approx(np.sqrt(exact @ z**2 - mean**2), rel=0.12)
    assert found[:, 1].mean() == pytest.approx(0.0, abs=0.2) and found[:, 1].std() == pytest.approx(1.0, rel=0.12)


def test_noise_of_two_clouds_with_their_own_slopes(network):
    """In three of ten runs the reading of g_K lies 4 SDs higher and does not depend on g_K, but on g_Na."""

    def clouded(theta, seed):
        x = readings(theta, seed)
        other = np.random.default_rng(seed + 1).random(len(theta)) < 0.3
        x[other, 1] = TRUTH[1] + SD[1] * (8.0 + x[other, 2] + (theta[other, 0] - TRUTH[0]) / SD[0])
        x[:, 2] = theta[:, 1] + SD[1] * np.random.default_rng(seed + 2).standard_normal(len(theta))
        return x

    for x_o, sd, mean in (
        (np.array([*TRUTH, TRUTH[1]]), [1.0, np.sqrt(0.5)], [0.0, 0.0]),
        (np.array([TRUTH[0], TRUTH[1] + 8 * SD[1], TRUTH[1]]), [np.sqrt(0.5), 1.0], [0.0, 0.0]),
    ):
        samples = (sharpened(network, clouded, x_o, seed=1).sample(4000, x_o, seed=0) - TRUTH) / SD
        np.testing.assert_allclose(samples.mean(axis=0), mean, atol=0.25)
        np.testing.assert_allclose(samples.std(axis=0), sd, rtol=0.15)


def test_the_prior_counts():
    """A normal prior as narrow as what the readings tell: mean and SD of the product."""
    marginals = {"g_Na": normal(TRUTH[0], SD[0]), "g_K": normal(TRUTH[1] + SD[1], SD[1])}
    prior = prior_of(Pospischil, marginals)
    samples = (sharpened(trained(readings, prior), readings, X_O, seed=1, **FEW).sample(4000, X_O, seed=0) - TRUTH) / SD
    np.testing.assert_allclose(samples.mean(axis=0), [0.0, 0.5], atol=0.15)
    np.testing.assert_allclose(samples.std(axis=0), np.sqrt(0.5), rtol=0.12)


def test_at_the_edge_of_the_prior(network):
    x_o = np.array([80.0, 16.0, 0.0])
    samples = sharpened(network, readings, x_o, seed=1, **FEW).sample(4000, x_o, seed=0)
    assert (samples <= PRIOR.upper).all()
    np.testing.assert_allclose(samples.std(axis=0), SD * np.sqrt(1 - 2 / np.pi), rtol=0.3)


def test_an_observation_that_no_parameters_give_is_told():
    def twice(theta, seed):
        return np.column_stack([readings(theta, seed)[:, :2], readings(theta, seed + 1)[:, :2]])

    contradictory = np.array([*TRUTH, *(TRUTH + 8 * SD)])
    with pytest.warns(ExtrapolationWarning, match="no parameters near the posterior give statistics like x_o"):
        sharpened(trained(twice), twice, contradictory, seed=1, **FEW)


def test_too_few_simulations_to_settle_are_told(network):
    def noiseless(theta, seed):  # the posterior is a point, and each step is much narrower than the last
        return np.column_stack([theta[:, 0] ** 3 / 2500, theta[:, 1] ** 3 / 25, np.zeros(len(theta))])

    with pytest.warns(InferenceWarning, match="400 simulations were too few for the posterior to settle"):
        sharpened(network, noiseless, X_O, seed=1, budget=400, n_step=200)


def test_a_posterior_too_wide_for_a_quadratic_surface_is_told():
    def waves(theta, seed):
        noise = np.random.default_rng(seed).standard_normal((2, len(theta)))
        return np.column_stack([3 * np.sin(theta[:, 0] / 10) + noise[0], theta[:, 1] + SD[1] * noise[1]])

    x_o = np.array([0.0, TRUTH[1]])
    with pytest.warns(InferenceWarning, match="too wide to be sharpened: .* use truncated_rounds|too few"):
        sharpened(trained(waves, epochs=30), waves, x_o, seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"posterior": PRIOR}, "posterior is of type Prior; allowed: a Posterior"),
        ({"n_step": 23}, "n_step = 23; allowed: an integer from 24"),
        ({"budget": 300}, "budget = 300; allowed: an integer from 400"),
        ({"x_o": X_O * np.nan}, "x_o = nan"),
        ({"simulate": lambda theta, seed: theta}, r"simulate gave statistics of shape \(200, 2\); allowed: \(200, 3\)"),
        ({"simulate": lambda theta, seed: readings(theta, seed) * np.nan}, "not finite"),
        ({"simulate": lambda theta, seed: np.zeros((len(theta), 3))}, "give the same statistics"),
    ],
)
def test_bad_input(network, change, message):
    arguments = {"posterior": network, "simulate": readings, "x_o": X_O, "seed": 1, "n_step": 200} | change
    with pytest.raises((ValueError, TypeError), match=message):
        sharpened(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("truth", "sd", "correlation"), [((50.0, 5.0), (0.056, 0.0040), 0.92), ((10.0, 0.5), (0.030, 0.00197), 0.93)]
)
def test_the_tutorials_problem(truth, sd, correlation):
    """From a network that knows little to what two references agree on (benchmarks/inference.py)."""
    prior = box_prior(Pospischil, ["g_Na", "g_K"])
    simulate = NeuronSimulator(Pospischil(), step(3.24806, 10.0, 110.0), prior, 120.0)
    around = box_prior(Pospischil, ["g_Na", "g_K"], low=np.array(truth) * 0.95, high=np.array(truth) * 1.05)
    theta = around.draw(600, seed=1)
    network = train_npe(prior, theta, simulate(theta, 2), seed=3, model="mdn", epochs=60)
    x_o = simulate(np.array(truth)[None], 1)[0]
    found = sharpened(network, simulate, x_o, seed=0)
    samples = found.sample(4000, x_o, seed=0)
    np.testing.assert_allclose(samples.std(axis=0), sd, rtol=0.25)
    assert np.corrcoef(samples.T)[0, 1] == pytest.approx(correlation, abs=0.04)
    assert (np.abs(samples.mean(axis=0) - truth) < 3.5 * samples.std(axis=0)).all()
    assert found.settled and found.n_simulations == 3000
