"""Every check passes the exact posterior of a known problem, and finds each one that is wrong on purpose."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from support.gaussian import POSTERIOR_SD, PRIOR, SD, Ignorant, Known, simulate

from helpers.inference.diagnostics.calibration import coverage, local_test, sbc, tarp
from helpers.inference.diagnostics.recovery import recovery, shrinkage, unidentified_parameters
from helpers.inference.diagnostics.trials import Trials, run_trials

N = 200
THETA = PRIOR.draw(N, seed=1)
X = simulate(THETA, 2)
WRONG = {"wide": Known(width=1.5), "narrow": Known(width=0.6), "shifted": Known(shift=0.5)}


def trials_of(posterior, samples=200):
    return run_trials(posterior, PRIOR, THETA, X, seed=3, samples=samples)


@pytest.fixture(scope="module")
def trials():
    return {name: trials_of(posterior) for name, posterior in {"right": Known(), **WRONG}.items()}


# ------------------------------------------------------------------------------------------------ what is recovered


def test_recovery_of_the_exact_posterior(trials):
    """r² = R² = 1 - (posterior SD / prior SD)² = 0.8."""
    found = recovery(trials["right"])
    np.testing.assert_allclose(found.r, np.sqrt(0.8), atol=0.04)
    np.testing.assert_allclose(found.R2, 0.8, atol=0.06)
    np.testing.assert_array_equal(found.truth, THETA)
    assert "recovery of 200 truths\n  g_Na: r 0." in str(found)


def test_recovery_tells_correlated_from_right(trials):
    """A shift leaves r as it is; R² sees it."""
    right, shifted = recovery(trials["right"]), recovery(trials["shifted"])
    np.testing.assert_allclose(shifted.r, right.r, atol=0.01)
    np.testing.assert_allclose(shifted.R2 - right.R2, -((0.5 * POSTERIOR_SD / SD) ** 2), atol=0.05)


def test_recovery_where_nothing_is_learned():
    found = recovery(trials_of(Ignorant()))
    assert (np.abs(found.r) < 0.2).all() and (found.R2 < 0.05).all()

    class Point:
        def sample(self, n, x_o, seed):
            return np.tile([40.0, 7.0], (n, 1))

    assert (recovery(trials_of(Point())).r == 0).all()


@pytest.mark.parametrize(
    ("name", "expected", "z"), [("right", 0.8, 1.0), ("wide", 0.55, 2 / 3), ("narrow", 0.928, 5 / 3)]
)
def test_shrinkage(trials, name, expected, z):
    """1 - width² · 0.2, and z of size 1 / width."""
    found = shrinkage(trials[name])
    np.testing.assert_allclose(np.median(found.shrinkage, axis=0), expected, atol=0.02)
    np.testing.assert_allclose(np.sqrt(np.mean(found.z**2, axis=0)), z, rtol=0.12)


def test_shift_shows_in_z(trials):
    np.testing.assert_allclose(shrinkage(trials["shifted"]).z.mean(axis=0), 0.5, atol=4 / np.sqrt(N))


# ------------------------------------------------------------------------------------------------------- calibration


@pytest.fixture(scope="module")
def calibrations(trials):
    return {name: sbc(value, seed=4) for name, value in trials.items()}


def test_sbc_passes_the_right_posterior_and_finds_each_wrong_one(calibrations):
    right = calibrations["right"]
    assert right.passed() and "no sign of miscalibration" in str(right)
    assert right.p_average.min() > 0.01 > sbc(trials_of(Known(shift=2.0)), seed=4).p_average.max()
    for name in WRONG:
        assert not calibrations[name].passed() and "miscalibrated" in str(calibrations[name]), name
    # and each in its own way: few truths in the tails, many, more on one side
    low = {name: np.mean(result.ranks < 0.1 * result.n_samples) for name, result in calibrations.items()}
    high = {name: np.mean(result.ranks > 0.9 * result.n_samples) for name, result in calibrations.items()}
    assert low["wide"] < 0.06 and high["wide"] < 0.06
    assert low["narrow"] > 0.16 and high["narrow"] > 0.16
    assert low["shifted"] > 0.15 and high["shifted"] < 0.07


def test_sbc_ranks_are_those_of_the_truth(trials, calibrations):
    for name, value in trials.items():
        np.testing.assert_array_equal(calibrations[name].ranks, (value.samples < THETA[:, None]).sum(axis=1))


@pytest.mark.parametrize("by_density", [False, True])
@pytest.mark.parametrize("name", ["right", *WRONG])
def test_coverage_is_that_of_the_normal_distribution(trials, name, by_density):
    """A central interval of half-width q·SD of a posterior of given width and shift holds the truth with known
    probability; so does the joint ellipse, which is also the region of highest density."""
    posterior = WRONG.get(name, Known())
    found = coverage(trials[name], posterior.log_prob if by_density else None)
    assert found.region == ("highest density" if by_density else "ellipse")
    for level in (0.5, 0.8, 0.95):
        q, shift, width = norm.ppf(0.5 + level / 2), posterior.shift, posterior.width
        marginal = norm.cdf(q * width - shift) - norm.cdf(-q * width - shift)
        np.testing.assert_allclose(found.coverage_at(level)[1:], marginal, atol=4 * found.standard_error(level) + 0.01)
        if not shift:
            joint = 1 - (1 - level) ** (width**2)  # of the squared radius, exponentially distributed
            assert found.coverage_at(level)[0] == pytest.approx(joint, abs=4 * found.standard_error(level) + 0.01)


def test_coverage_reads_as_a_curve(trials):
    found = coverage(trials["right"])
    assert found.coverage_at(np.linspace(0, 1, 5)).shape == (5, 3)
    assert found.coverage_at(0.8) == pytest.approx(found.coverage_at(np.array([0.8]))[0])
    assert "80 % regions hold the truth: joint (ellipse)" in str(found)


def test_tarp(trials):
    results = {name: tarp(value, seed=5) for name, value in trials.items()}
    assert abs(results["right"].atc) < 0.02 and results["right"].p > 0.05
    assert results["wide"].atc > 0.03 and results["wide"].p < 1e-2
    assert results["narrow"].atc < -0.03 and results["narrow"].p < 1e-2


def test_the_prior_is_perfectly_calibrated_and_still_found_out():
    """The lesson of the unidentified parameter: only the last check sees that nothing was learned."""
    prior = trials_of(Ignorant())
    assert sbc(prior, seed=4).passed()
    assert np.abs(coverage(prior).coverage_at(0.8) - 0.8).max() < 4 * coverage(prior).standard_error(0.8)
    assert abs(tarp(prior, seed=5).atc) < 0.03
    np.testing.assert_allclose(np.median(shrinkage(prior).shrinkage, axis=0), 0.0, atol=0.1)
    assert unidentified_parameters(prior, seed=6, observations=1).unidentified.all()


@pytest.mark.slow
def test_unidentified_parameters_names_the_right_one_only():
    found = unidentified_parameters(trials_of(Ignorant(learned=True)), seed=6, observations=1)
    assert found.unidentified.tolist() == [False, True]
    assert "g_K" in str(found).splitlines()[2] and "UNIDENTIFIED" in str(found).splitlines()[2]
    assert "UNIDENTIFIED" not in str(found).splitlines()[1]


# ---------------------------------------------------------------------------------------------- at one observation


@pytest.mark.slow
def test_local_test_finds_each_wrong_posterior():
    theta = PRIOR.draw(1000, seed=7)
    x, x_o = simulate(theta, 8), np.array([41.0, 6.8])
    for name, posterior in {"right": Known(), **WRONG}.items():
        some = run_trials(posterior, PRIOR, theta, x, seed=9, samples=100)
        found = local_test(some, posterior, x_o, seed=1, null=6 if name == "right" else 3)
        if name == "right":
            assert found.p > 0.05
            assert local_test(some, posterior, x_o, seed=1, null=1).statistic == found.statistic
        else:
            assert found.p == 0 and found.statistic > 2 * found.null.max(), name
        if name == "shifted":  # upwards: too much mass above, too little below
            above = found.samples[:, 0] > np.median(found.samples[:, 0])
            assert found.probability[above].mean() > 0.5 > found.probability[~above].mean()


@pytest.mark.slow
def test_local_test_sees_what_is_wrong_at_one_observation_only():
    """Right for observations below 40, far too wide above."""

    class Half:
        def sample(self, n, x_o, seed):
            return Known(width=1.0 if x_o[0] < 40 else 2.0).sample(n, x_o, seed)

    theta = PRIOR.draw(1500, seed=7)
    some = run_trials(Half(), PRIOR, theta, simulate(theta, 8), seed=9, samples=100)
    bad, good = (local_test(some, Half(), np.array([at, 7.0]), seed=1, null=4) for at in (42.0, 38.0))
    assert bad.p == 0 and bad.statistic > 4 * good.statistic


# ------------------------------------------------------------------------------------------------------------ trials


def test_trials_are_repeatable_and_leave_the_global_generator_alone(trials, calibrations):
    np.testing.assert_array_equal(trials_of(Known()).samples, trials["right"].samples)
    assert not np.array_equal(trials["right"].samples[0], trials["right"].samples[1])
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    np.testing.assert_array_equal(sbc(trials["right"], seed=4).p, calibrations["right"].p)
    torch.testing.assert_close(torch.rand(3), expected)


def test_trials_of_a_network():
    """The batched way by sbi gives the posterior that sampling one by one gives."""
    from helpers.inference.npe import train_npe

    theta = PRIOR.draw(1000, seed=11)
    network = train_npe(PRIOR, theta, simulate(theta, 12), seed=0, epochs=15)
    batched = run_trials(network, PRIOR, THETA[:30], X[:30], seed=3, samples=400)
    single = np.stack([network.sample(400, x, seed=5) for x in X[:30]])
    error = single.std(axis=1) / np.sqrt(400)
    assert (np.abs(batched.mean - single.mean(axis=1)) < 6 * error).all()
    found = coverage(batched, network.log_prob)
    assert found.region == "highest density" and found.joint.shape == (30,)


def test_trials_refuse():
    class Shapeless:
        def sample(self, n, x_o, seed):
            return np.full((n, 2), np.nan)

    with pytest.raises(ValueError, match="19 trials say too little"):
        run_trials(Known(), PRIOR, THETA[:19], X[:19], seed=1)
    with pytest.raises(ValueError, match="do not fit together"):
        run_trials(Known(), PRIOR, THETA[:30], X[:31], seed=1)
    with pytest.raises(ValueError, match=r"x\[2\] is not finite"):
        run_trials(Known(), PRIOR, THETA[:30], np.where(np.arange(30)[:, None] == 2, np.nan, X[:30]), seed=1)
    with pytest.raises(ValueError, match="draws have shape .* or are not finite"):
        run_trials(Shapeless(), PRIOR, THETA[:30], X[:30], seed=1)


def test_a_parameter_whose_draws_are_all_the_same_is_outside_unless_it_is_right():
    draws = np.random.default_rng(0).normal(size=(3, 50, 2)) * [1e-9, 1e9]
    draws[:2, :, 1] = 7.0
    truth = np.array([[0.0, 7.0], [0.0, 7.1], [0.0, 0.0]])
    found = coverage(Trials(PRIOR, truth, np.zeros((3, 1)), draws)).joint
    assert found[1] == 1.0 and found[0] < 1.0 and found[2] < 1.0
