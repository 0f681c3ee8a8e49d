"""References against closed forms, against each other, and against reference posteriors made elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import gamma, norm, skew
from support.gaussian import MEAN, NOISE, POSTERIOR_SD, PRIOR, SD, Known, simulate

from helpers.inference.diagnostics.agreement import reference
from helpers.inference.diagnostics.c2st import c2st
from helpers.inference.priors import box_prior
from helpers.inference.references.local_abc import local_abc
from helpers.inference.references.local_gaussian import local_gaussian
from helpers.inference.references.region import find_region
from helpers.inference.references.rejection_abc import rejection_abc
from helpers.inference.references.synthetic_likelihood import synthetic_likelihood
from helpers.inference.warning_classes import ReferenceWarning
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step

X_O = np.array([41.0, 6.8])
EXACT = Known().sample(4000, X_O, 99)
FEW = {"points": 60, "repeats": 400}
BOX = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.5, 1e-4], high=[80.0, 15.0])


def spiking(theta, seed):
    return simulate_many(Pospischil(), step(3.24806, 10.0, 110.0), BOX.by_name(theta), 120.0, seed=seed)


# ------------------------------------------------------------------------------------------------------------- c2st


def test_c2st_of_equal_and_of_different_samples():
    g = np.random.default_rng(0)
    a, b = g.standard_normal((2, 600, 2))
    assert c2st(a, b) == pytest.approx(0.5, abs=0.05)
    # Two normals d SDs apart: the best possible classifier is right in Phi(d/2) of cases.
    assert c2st(a, b + [1.0, 0.0]) == pytest.approx(0.691, abs=0.05)
    assert c2st(a, b + [50.0, 0.0]) > 0.99
    # Also far away from 0, where single precision cannot tell the samples apart.
    assert c2st(1e-7 * a + 50.0, 1e-7 * (b + [1.0, 0.0]) + 50.0) == pytest.approx(0.691, abs=0.05)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((100, 2)), np.zeros((100, 3)), r"\(100, 2\) and \(100, 3\)"),
        (np.zeros((20, 2)), np.zeros((100, 2)), "20 samples are too few"),
        (np.full((100, 2), np.nan), np.zeros((100, 2)), "not finite"),
    ],
)
def test_c2st_refuses(a, b, message):
    with pytest.raises(ValueError, match=message):
        c2st(a, b)


# -------------------------------------------------------------------------------------------------------------- ABC


def test_regression_adjustment_brings_abc_to_the_posterior():
    theta = PRIOR.draw(4000, seed=1)
    x = simulate(theta, 2)
    raw = rejection_abc(PRIOR, theta, x, X_O, accept=1000, adjust=False)
    adjusted = rejection_abc(PRIOR, theta, x, X_O, accept=1000)
    draws = adjusted.sample(4000, X_O, seed=3)
    np.testing.assert_allclose(draws.std(axis=0), POSTERIOR_SD, rtol=0.1)
    assert (np.abs(draws.mean(axis=0) - EXACT.mean(axis=0)) < 0.15 * POSTERIOR_SD).all()
    # So coarse a tolerance leaves plain rejection far too wide.
    assert (raw.sample(4000, X_O, seed=3).std(axis=0) > 1.15 * POSTERIOR_SD).all()
    assert "1,000 of 4,000 simulations accepted" in str(adjusted)
    assert 400 < adjusted.effective < 1000 == pytest.approx(raw.effective)


def test_adjusted_draws_stay_inside_the_prior():
    prior = box_prior(Pospischil, ["g_Na", "g_K"], low=[39.0, 6.5], high=[42.0, 7.5])
    theta = prior.draw(2000, seed=1)
    posterior = rejection_abc(prior, theta, simulate(theta, 2), np.array([42.5, 6.3]), accept=300)
    prior.check(posterior.theta)
    assert (posterior.theta.mean(axis=0) - theta.mean(axis=0) > [0.3, -np.inf]).all()


def test_abc_refuses():
    theta = PRIOR.draw(100, seed=1)
    x = simulate(theta, 2)
    with pytest.raises(ValueError, match="accept = 5 of 100 simulations; allowed: from 6"):
        rejection_abc(PRIOR, theta, x, X_O, accept=5)
    with pytest.raises(ValueError, match="x holds values that are not finite"):
        rejection_abc(PRIOR, theta, np.where(x == x[3], np.nan, x), X_O, accept=50)
    with pytest.raises(ValueError, match="do not fit together"):
        rejection_abc(PRIOR, theta[:50], x, X_O, accept=50)
    with pytest.raises(ValueError, match=r"belongs to x_o = \[41"):
        rejection_abc(PRIOR, theta, x, X_O, accept=50).sample(10, X_O + 1, seed=1)


# ---------------------------------------------------------------------------------------------------- local Gaussian


def test_local_gaussian_of_a_linear_problem():
    """With a flat prior the posterior is the statistic, give or take its noise."""
    wide = box_prior(Pospischil, ["g_Na", "g_K"], low=[1.0, 0.1], high=[80.0, 15.0])
    local = local_gaussian(simulate, wide, MEAN, X_O, seed=1, repeats=4000)
    np.testing.assert_allclose(local.sd, NOISE, rtol=0.03)
    np.testing.assert_allclose(local.mean, X_O, atol=4 * NOISE.max() / np.sqrt(4000))
    np.testing.assert_allclose(local.jacobian, np.eye(2), atol=1e-9)  # the same noise at both ends of a step
    assert abs(local.correlation[0, 1]) < 0.06
    assert c2st(local.sample(2000, X_O, 1), X_O + NOISE * np.random.default_rng(2).standard_normal((2000, 2))) < 0.54


def test_local_gaussian_of_the_tutorials_problem():
    """SD 0.056 and 0.0039, correlation 0.91: the published facts of this problem."""
    x_o = spiking(np.array([[50.0, 5.0]]), 7)[0]
    local = local_gaussian(spiking, BOX, [50.0, 5.0], x_o, seed=1, step=[1.0, 0.1])
    np.testing.assert_allclose(local.sd, [0.056, 0.0039], rtol=0.08)
    assert local.correlation[0, 1] == pytest.approx(0.91, abs=0.02)
    assert (np.abs(local.mean - [50.0, 5.0]) < 4 * local.sd).all()
    assert local.used.tolist() == [False] + 6 * [True]
    assert local.p_misfit > 0.001
    # An observation that the model cannot give is far from anything it can.
    assert local_gaussian(spiking, BOX, [50.0, 5.0], x_o * [1, 1, 1, 1, 1, 1.1, 1], seed=1).p_misfit < 1e-6


def test_local_gaussian_says_where_it_does_not_apply():
    x_o = np.array([5.0, 41.0])

    def step_function(theta, seed):
        return np.column_stack([5.0 + (theta[:, 0] > 40.0), simulate(theta, seed)[:, 0]])

    with pytest.raises(ValueError, match="statistic 0 has no noise and jumps within a step"):
        local_gaussian(step_function, PRIOR, [40.0, 7.0], x_o, seed=1)
    with pytest.raises(ValueError, match=r"x_o\[0\] = 4, but every simulation at theta .* gives 5"):
        local_gaussian(step_function, PRIOR, [35.0, 7.0], [4.0, 41.0], seed=1)
    with pytest.raises(ValueError, match="no statistic responds to g_K: its posterior is its prior"):
        local_gaussian(step_function, PRIOR, [35.0, 7.0], x_o, seed=1)


# ----------------------------------------------------------------------------------------------- synthetic likelihood


@pytest.fixture(scope="module")
def on_grid():
    start = local_gaussian(simulate, PRIOR, [40.0, 7.0], X_O, seed=1)
    return synthetic_likelihood(simulate, PRIOR, X_O, start, seed=2, **FEW)


def test_synthetic_likelihood_with_the_prior(on_grid):
    """Unlike the local Gaussian it takes the prior into account."""
    np.testing.assert_allclose(on_grid.sd, POSTERIOR_SD, rtol=0.05)
    assert c2st(on_grid.sample(2000, X_O, 1), EXACT) == pytest.approx(0.5, abs=0.04)
    draws = on_grid.sample(20_000, X_O, 1)
    np.testing.assert_allclose(draws.mean(axis=0), on_grid.mean, atol=4 * POSTERIOR_SD.max() / np.sqrt(20_000))
    np.testing.assert_allclose(draws.std(axis=0), on_grid.sd, rtol=0.03)


def test_synthetic_likelihood_learns_the_probability_of_a_count():
    """A count that is 1 with probability Phi((theta_1 - 40) / 2), and no other statistic of that parameter."""
    from scipy.stats import norm

    def counted(theta, seed):
        fires = np.random.default_rng(seed + 1).random(len(theta)) < norm.cdf((theta[:, 0] - 40.0) / 2)
        return np.column_stack([fires, simulate(theta, seed)[:, 1]]).astype(float)

    x_o = np.array([1.0, 6.8])
    start = local_gaussian(simulate, PRIOR, [40.0, 7.0], X_O, seed=1)
    posterior = synthetic_likelihood(counted, PRIOR, x_o, start, seed=2, points=100, repeats=2000)
    g = np.linspace(25, 55, 3001)
    density = norm.pdf(g, 40, 2) * norm.cdf((g - 40) / 2)
    mean = np.sum(g * density) / density.sum()
    sd = np.sqrt(np.sum((g - mean) ** 2 * density) / density.sum())
    assert posterior.mean[0] == pytest.approx(mean, abs=0.1 * sd)
    assert posterior.sd[0] == pytest.approx(sd, rel=0.05)
    assert posterior.sd[1] == pytest.approx(POSTERIOR_SD[1], rel=0.05)


def outliers(theta, seed):
    """The normal problem, but one simulation in ten is far off in one statistic, more often for a large theta_1."""
    strays = np.random.default_rng(seed + 1).random(len(theta)) < 0.1 + 0.02 * (theta[:, 0] - 40.0)
    return simulate(theta, seed) + np.column_stack([25.0 * NOISE[0] * strays, np.zeros(len(theta))])


def test_synthetic_likelihood_is_not_misled_by_simulations_far_off():
    start = local_gaussian(simulate, PRIOR, [40.0, 7.0], X_O, seed=1)
    posterior = synthetic_likelihood(outliers, PRIOR, X_O, start, seed=2, **FEW)
    np.testing.assert_allclose(posterior.sd, POSTERIOR_SD, rtol=0.1)  # counted as noise they would widen it twofold
    assert np.abs((posterior.mean - EXACT.mean(axis=0)) / POSTERIOR_SD).max() < 0.25


def skewed(theta, seed):
    """The normal problem with gamma noise: the same SD, skewness 0.82."""
    noise = np.random.default_rng(seed).gamma(6.0, size=theta.shape)
    return theta + NOISE * (noise - 6.0) / np.sqrt(6.0)


def exact_of_skewed(column):
    """The exact posterior of one parameter: values and their density."""
    theta = MEAN[column] + SD[column] * np.linspace(-5.0, 5.0, 4001)
    noise = (X_O[column] - theta) / NOISE[column] * np.sqrt(6.0) + 6.0
    return theta, norm.pdf(theta, MEAN[column], SD[column]) * gamma.pdf(noise, 6.0)


def assert_follows_skewed_noise(draws):
    for column in range(2):
        theta, exact = exact_of_skewed(column)
        mean, sd = moments(theta, exact)
        assert draws[:, column].mean() == pytest.approx(mean, abs=0.12 * sd)
        assert draws[:, column].std() == pytest.approx(sd, rel=0.1)
        third = np.sum(exact * ((theta - mean) / sd) ** 3) / exact.sum()
        assert third < -0.5  # which normal noise would miss
        assert skew(draws[:, column]) == pytest.approx(third, abs=0.25)


def test_both_kinds_of_reference_follow_skewed_noise():
    start = find_region(skewed, PRIOR, X_O, seed=1, simulations=4000)
    posterior = synthetic_likelihood(skewed, PRIOR, X_O, start, seed=2, points=100, repeats=1000)
    assert_follows_skewed_noise(posterior.sample(20_000, X_O, seed=3))
    assert_follows_skewed_noise(local_abc(skewed, PRIOR, X_O, start, seed=2, simulations=100_000).sample(4000, X_O, 3))


def two_clouds(theta, seed):
    """A count of 7 or 8 at any parameters, and statistics whose noise is another one with either count."""
    eight = np.random.default_rng(seed + 1).random(len(theta)) < 0.5
    x = simulate(theta, seed)
    return np.column_stack([7.0 + eight, np.where(eight[:, None], x, x + 5 * NOISE)])


def test_a_count_that_is_not_sure_is_conditioned_on():
    """With the observed count the posterior is that of `simulate`; both clouds together would widen and shift it."""
    x_o = np.array([8.0, *X_O])
    found = reference(two_clouds, PRIOR, x_o, seed=3, simulations=100_000, **FEW)
    assert found.agree and "they agree" in str(found)
    for draws in found.samples:
        np.testing.assert_allclose(draws.std(axis=0), POSTERIOR_SD, rtol=0.1)
        assert np.abs((draws.mean(axis=0) - EXACT.mean(axis=0)) / POSTERIOR_SD).max() < 0.2


def test_references_that_disagree_say_so(monkeypatch):
    from helpers.inference.diagnostics import agreement

    def too_wide(*arguments, **settings):
        found = local_abc(*arguments, **settings)
        middle = found.theta.mean(axis=0)
        return replace(found, theta=middle + 1.5 * (found.theta - middle))

    monkeypatch.setattr(agreement, "local_abc", too_wide)
    with pytest.warns(ReferenceWarning, match="THEY DISAGREE"):
        found = reference(two_clouds, PRIOR, np.array([8.0, *X_O]), seed=3, simulations=20_000, **FEW)
    assert not found.agree


def test_the_region_is_found_in_the_whole_prior():
    box = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.5, 1e-4], high=[80.0, 15.0])
    tight = 0.02
    region = find_region(lambda theta, seed: theta + tight * (simulate(theta, seed) - theta), box, X_O, seed=1)
    np.testing.assert_allclose(np.sqrt(np.diag(region.covariance)), tight * NOISE, rtol=0.25)
    assert (np.abs(region.mean - X_O) < 0.5 * tight * NOISE).all()
    assert region.n_simulations % 20_000 == 0


def moments(values, weights):
    mean = np.average(values, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=weights))


def test_references_refuse():
    start = local_gaussian(simulate, PRIOR, [40.0, 7.0], X_O, seed=1)

    def doubled(theta, seed):
        return np.column_stack([simulate(theta, seed), simulate(theta, seed + 1)])

    def never(theta, seed):
        return np.column_stack([np.zeros(len(theta)), simulate(theta, seed)])

    unseen = np.array([2.0, *X_O])
    with pytest.raises(ValueError, match=r"hardly any of 400 runs has the observed \[2.\] in statistics \[0\]"):
        synthetic_likelihood(never, PRIOR, unseen, start, seed=1, **FEW)
    region = find_region(simulate, PRIOR, X_O, seed=1, simulations=2000, accept=100)
    with pytest.raises(ValueError, match=r"0 of 5000 simulations have the observed \[2.\] .* at least 2000"):
        local_abc(never, PRIOR, unseen, region, seed=1, simulations=5000)
    twice = local_gaussian(doubled, PRIOR, [40.0, 7.0], [40.0, 7.0, 40.0, 7.0], seed=1)
    with pytest.raises(ValueError, match=r"x_o lies farther off than all runs of the most probable parameters"):
        synthetic_likelihood(doubled, PRIOR, np.array([40.0, 7.0, 60.0, 7.0]), twice, seed=1, **FEW)
    eight = box_prior(Pospischil, ["g_Na", "g_K", "g_M", "V_T"])
    with pytest.raises(ValueError, match="4 parameters make too large a grid"):
        synthetic_likelihood(simulate, eight, X_O, start, seed=1)


@pytest.mark.parametrize(
    ("name", "repeats", "at_most"),
    [
        # Half of the default of 2000 runs: a mixture of normals that is too coarse at 8 spikes costs 0.58 to 0.62. The
        # method that this one replaced had 0.70 to 0.75: in short, the tests above of skewed noise and of two clouds.
        ("obs3", 1000, 0.65),
        ("obs3", 2000, 0.58),
        ("obs0", 1000, 0.58),  # the benchmark of inference has others as easy
        ("obs2", 1000, 0.58),
    ],
)
@pytest.mark.long
def test_reference_posteriors_made_elsewhere(name, repeats, at_most, reference_posteriors):
    """References by an independent simulator, at obs3 (7 or 8 spikes) also by rejection ABC."""
    with np.load(reference_posteriors / f"{name}.npz") as file:
        x_o, theirs = file["x_o"], file["samples_abc"] if "samples_abc" in file else file["samples_A"]
    start = find_region(spiking, BOX, x_o, seed=1)
    ours = synthetic_likelihood(spiking, BOX, x_o, start, seed=2, points=60, repeats=repeats)
    np.testing.assert_allclose(ours.sd, theirs.std(axis=0), rtol=0.2)
    assert ours.correlation[0, 1] == pytest.approx(np.corrcoef(theirs.T)[0, 1], abs=0.1)
    assert c2st(ours.sample(2000, x_o, 3), theirs) < at_most
