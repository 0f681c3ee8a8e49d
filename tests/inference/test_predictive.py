"""Predictive checks, misspecification and the information table: by hand, by closed forms, and on real spikes."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from support.gaussian import NOISE, PRIOR, SD, Known, simulate

from helpers import figures
from helpers.inference.diagnostics.calibration import coverage, sbc, tarp
from helpers.inference.diagnostics.misspecification import misspecification
from helpers.inference.diagnostics.predictive import predictive_check
from helpers.inference.diagnostics.recovery import recovery, shrinkage
from helpers.inference.diagnostics.spike_trains import (
    MAX_DISTANCE_Z,
    MAX_Z,
    interval_distance,
    is_predicted,
    mid_rank,
    spike_distance,
)
from helpers.inference.diagnostics.statistic_information import statistic_information
from helpers.inference.diagnostics.trials import run_trials
from helpers.inference.marginals import uniform
from helpers.inference.priors import Prior, box_prior
from helpers.inference.references.local_gaussian import local_gaussian
from helpers.inference.warning_classes import PredictiveCheckWarning
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate as simulate_one
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary, summary_statistics

BOX = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.5, 1e-4], high=[80.0, 15.0])
STEP = step(3.24806, 10.0, 110.0)
NAMES = summary_statistics.names


def spiking(theta, seed):
    return simulate_many(Pospischil(), STEP, BOX.by_name(theta), 120.0, seed=seed)


@pytest.fixture(scope="module")
def observed():
    return simulate_one(Pospischil(g_Na=50.0, g_K=5.0), STEP, 120.0, seed=11)


@pytest.fixture(scope="module")
def local(observed):
    return local_gaussian(spiking, BOX, [50.0, 5.0], summary_statistics(observed), seed=1, repeats=400)


def check_of(theta, observed, **more):
    return predictive_check(Pospischil(), STEP, BOX, theta, observed, seed=5, **more)


# --------------------------------------------------------------------------------------------------------- distances


def test_mid_rank_by_hand():
    assert mid_rank(np.array([1, 2, 2, 3]), 2) == 0.5
    assert mid_rank(np.array([1, 2, 3]), 0) == 0.0
    assert mid_rank(np.full(10, 5), 5) == 0.5  # "at most 5" would say 1


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([10.0, 20.0], [10.0, 20.0], 0.0),
        ([10.0, 20.0], [11.0, 20.0], 0.5),  # moved by half the window
        ([10.0, 20.0], [15.0, 20.0], 2.0),  # too far: out with one, in with the other
        ([10.0, 20.0], [10.0], 1.0),
        ([], [1.0, 2.0, 3.0], 3.0),
        ([], [], 0.0),
        ([10.0, 12.0, 30.0], [11.0, 30.5], 1.75),  # one moved by 1 ms, one gone, one moved by 0.5 ms
    ],
)
def test_spike_distance_by_hand(a, b, expected):
    assert spike_distance(a, b, window=2.0) == pytest.approx(expected)
    assert spike_distance(b, a, window=2.0) == pytest.approx(expected)


def test_spike_distance_is_a_metric():
    g = np.random.default_rng(0)
    trains = [np.sort(g.uniform(0, 50, g.integers(0, 8))) for _ in range(12)]
    d = np.array([[spike_distance(a, b) for a in trains] for b in trains])
    assert (d[:, :, None] + d[None] >= d[:, None, :] - 1e-12).all()
    with pytest.raises(ValueError, match="window = 0 ms"):
        spike_distance([1.0], [2.0], window=0.0)


def test_interval_distance_by_hand():
    assert interval_distance([0, 10, 20], [5, 15, 25]) == 0.0  # the same rhythm, later
    assert interval_distance([0, 10, 20], [0, 12, 24]) == pytest.approx(2.0)
    assert interval_distance([0, 10, 30], [0, 20, 30]) == 0.0  # the same intervals in another order
    assert interval_distance([], [3.0]) == 0.0
    assert interval_distance([0.0, 4.0], []) == pytest.approx(4.0)


# --------------------------------------------------------------------------------------------------- predictive check


def test_draws_from_the_posterior_pass(observed, local):
    check = check_of(local.sample(100, local.x_o, 1), observed)
    assert check.p_count == 0.5 and (check.counts == 5).all()
    assert check.p_spikes > 0.02 and check.p_intervals > 0.02
    assert (np.abs(check.z) < 4).all() and (check.z[0], check.p[0]) == (0.0, 0.5)
    assert check.spike_errors().shape == (100, 5)
    by_hand = np.abs(np.concatenate([times - observed.spike_times for times in check.spikes])) <= 0.5
    assert check.within(0.5) == pytest.approx(by_hand.mean())
    assert check.within(50.0) == 1.0
    np.testing.assert_allclose(check.statistics, spiking(check.theta, 5), rtol=1e-12)
    assert "100 draws: 5 to 5 spikes, observed 5 (p 0.50)" in str(check)
    assert check.failures == () and str(check).endswith("the draws predict the observation")


def test_a_stimulus_with_parameters_in_the_prior_is_that_of_each_draw(observed):
    """The statistic is of the injected current, which differs from draw to draw."""

    @summary(charge="nC/cm²")
    def charge(sweep):
        return np.array([np.sum(sweep.I) * (sweep.t[1] - sweep.t[0])])

    amplitude = Prior([step.parameters()["amplitude"]], [uniform(1.0, 5.0)])
    theta = np.linspace(2.0, 4.0, 10)[:, None]
    check = predictive_check(Pospischil(), STEP, amplitude, theta, observed, seed=5, summarise=charge)
    np.testing.assert_allclose(check.statistics, 100.0 * theta, rtol=1e-3)
    direct = simulate_many(Pospischil(), STEP, {"amplitude": theta[:, 0]}, 120.0, seed=5, summarise=charge)
    np.testing.assert_allclose(check.statistics, direct, rtol=1e-12)


def test_parameters_slightly_off_are_found_by_the_statistics(observed, local):
    """5 % more sodium is 45 posterior SDs, though the spikes look the same."""
    check = check_of(local.sample(60, local.x_o, 1) * [1.05, 1.0], observed)
    assert np.abs(check.z).max() > 6 and (check.counts == 5).all()
    assert check.failures and not any("spikes," in one for one in check.failures)
    assert check.verdict.startswith("NOT PREDICTED: ") and "(z " in check.verdict and check.verdict in str(check)


def test_parameters_far_off_are_found_by_the_spikes(observed, local):
    check = check_of(local.sample(60, local.x_o, 1) * [0.5, 1.0] + [0.0, 7.0], observed)
    assert check.p_spikes == 0.0 and check.within(0.5) < 0.3
    assert any(one.startswith("spike times at a mean distance of") for one in check.failures)


def test_silent_draws_are_told_from_a_spiking_observation(observed):
    theta = BOX.draw(60, seed=1) * [0.02, 0.5] + [0.5, 5.0]
    check = check_of(theta, observed)
    assert (check.counts < 5).all() and check.p_count == 1.0
    assert check.within(0.5) < 0.2 and np.isinf(check.spike_errors()).any()
    assert check.z[0] > 3
    assert check.failures[0].startswith("5 spikes, draws 0 to ")


@pytest.mark.parametrize("n", [10, 60, 1000])
def test_what_comes_from_the_same_source_is_predicted(n):
    """Of 3,000 observations, from a normal and from a skewed distribution, and of counts that seldom vary."""
    rng = np.random.default_rng(n)
    for draw, allowed, max_z in (
        (rng.standard_normal, 3, MAX_Z),
        (lambda size: rng.gamma(4.0, size=size), 3, MAX_DISTANCE_Z),
        (lambda size: rng.binomial(1, 0.002, size), 15, MAX_Z),
    ):
        missed = [not is_predicted(draw(n), draw(1)[0], max_z) for _ in range(3000)]
        assert sum(missed) <= allowed
    assert not is_predicted(rng.standard_normal(n), 12.0) and is_predicted(rng.standard_normal(n), 1.0)
    assert is_predicted(np.full(n, 5), 6) == (n < 50) and is_predicted(np.full(n, 0.1) * 3, 0.3)


def test_simulations_of_the_true_parameters_predict_what_they_gave():
    """At eight neurons, spiking and silent; 10 % more sodium is noticed at most of them."""
    found = []
    for seed, (g_Na, g_K) in enumerate(BOX.draw(8, seed=3)):
        seen = simulate_one(Pospischil(g_Na=g_Na, g_K=g_K), STEP, 120.0, 0.02, seed=100 + seed)
        assert not check_of(np.tile([g_Na, g_K], (50, 1)), seen, dt=0.02).failures
        found.append(bool(check_of(np.tile([0.9 * g_Na, g_K], (50, 1)), seen, dt=0.02).failures))
    assert np.mean(found) > 0.6


def test_a_failing_check_of_a_posterior_warns_and_one_of_any_parameters_only_says_so(observed, local):
    theta = local.sample(60, local.x_o, 1)
    posterior = SimpleNamespace(dt=0.01, check_simulation=lambda *_, **__: 0.01)
    check_of(theta, observed, posterior=posterior)
    wrong = theta * [1.05, 1.0]
    failures = check_of(wrong, observed).failures  # without a warning
    with pytest.warns(PredictiveCheckWarning, match=r"60 draws from the posterior do not predict .*\(z ") as said:
        check_of(wrong, observed, posterior=posterior)
    assert said[0].message.failures == failures


def test_predictive_check_keeps_its_seed_and_refuses(observed, local):
    theta = local.sample(12, local.x_o, 1)
    one, two = check_of(theta, observed), check_of(theta, observed)
    np.testing.assert_array_equal(one.V, two.V)
    assert one.V.shape == (12, 12_001) and one.t[-1] == pytest.approx(120.0)
    with pytest.raises(ValueError, match="at least 10 draws"):
        check_of(theta[:9], observed)
    with pytest.raises(ValueError, match="lies outside the prior"):
        check_of(theta + [450.0, 0.0], observed)


# -------------------------------------------------------------------------------------------------- misspecification


@pytest.fixture(scope="module")
def simulated():
    return spiking(BOX.draw(1500, seed=0), 1)


@pytest.mark.slow
def test_the_models_own_data_are_not_flagged(simulated, local):
    found = misspecification(simulated, local.x_o, NAMES, seed=1)
    assert not found.flagged and found.p_density > 0.02 and not found.outside.any()
    assert str(found).startswith("no sign of misspecification")


@pytest.mark.slow
def test_another_channel_is_flagged_though_each_statistic_is_ordinary(simulated):
    """A neuron with twice the M current: every statistic lies within those simulated, their combination does not."""
    x_o = simulate_many(Pospischil(g_M=0.15), STEP, {"g_Na": [30.0], "g_K": [3.0]}, 120.0, seed=6)[0]
    found = misspecification(simulated, x_o, NAMES, seed=1)
    assert found.flagged and found.p_density < 0.01
    again = misspecification(simulated, x_o, NAMES, seed=1)
    assert (found.p_density, found.p_mmd) == (again.p_density, again.p_mmd)


def test_misspecification_names_what_lies_outside_and_refuses(simulated, local):
    x_o = local.x_o + [0, 5.0, 0, 0, 0, 0, 0]
    found = misspecification(simulated[:500], x_o, NAMES, seed=1)
    assert found.flagged and found.outside.tolist() == [False, True] + 5 * [False]
    assert "rest_mean = -65." in str(found) and "variance" not in str(found)
    with pytest.raises(ValueError, match="499 simulations are too few"):
        misspecification(simulated[:499], x_o, NAMES, seed=1)
    with pytest.raises(ValueError, match="not finite"):
        misspecification(simulated, x_o * np.nan, NAMES, seed=1)


# ------------------------------------------------------------------------------------------------------- information


def test_information_of_a_linear_problem():
    """One statistic for each parameter: alone it narrows it to noise / sqrt(noise² + prior SD²) of the prior."""
    x = simulate(PRIOR.draw(4000, seed=1), 2)
    table = statistic_information(
        local_gaussian(simulate, PRIOR, [40.0, 7.0], [41.0, 6.8], seed=3, repeats=4000), x, ("a", "b")
    )
    np.testing.assert_allclose(table.noise, NOISE, rtol=0.05)
    np.testing.assert_allclose(table.over_prior, np.hypot(SD, NOISE), rtol=0.05)
    np.testing.assert_allclose(np.diag(table.sensitivity), SD / NOISE, rtol=0.05)
    np.testing.assert_allclose(np.diag(table.alone), NOISE / np.hypot(SD, NOISE), rtol=0.05)
    np.testing.assert_allclose(table.alone[[0, 1], [1, 0]], 1.0)
    assert np.isinf(table.without).all()  # without either statistic one parameter stays open


def test_a_statistic_that_is_there_twice_is_worth_one_more_reading():
    def twice(theta, seed):
        return np.column_stack([simulate(theta, seed), simulate(theta, seed + 1000)])

    local = local_gaussian(twice, PRIOR, [40.0, 7.0], [41.0, 6.8, 41.0, 6.8], seed=3, repeats=4000)
    table = statistic_information(local, twice(PRIOR.draw(1000, seed=1), 2), tuple("abcd"))
    np.testing.assert_allclose(table.without[0], [np.sqrt(2), 1.0], rtol=0.05)


def test_two_of_the_seven_statistics_know_nothing(simulated, local):
    table = statistic_information(local, simulated, NAMES)
    assert table.uninformative.tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
        False,
    ]  # nor does the count, right there
    np.testing.assert_allclose(table.noise[[1, 2]] / table.over_prior[[1, 2]], 1.0, atol=0.1)
    assert (table.over_prior[3:] / table.noise[3:] > 100).all()
    np.testing.assert_allclose(table.without[1:3], 1.0, atol=0.02)
    assert (table.without[4:] > 2).all()
    assert len(str(table).splitlines()) == 8


# ------------------------------------------------------------------------------------------------------------ figures


@pytest.mark.slow
def test_every_figure_shows_what_it_is_given(observed, local, simulated):
    matplotlib.use("Agg")
    theta = PRIOR.draw(60, seed=1)
    trials = run_trials(Known(), PRIOR, theta, simulate(theta, 2), seed=3, samples=100)
    _, ax = plt.subplots()
    one = shrinkage(trials)
    shown = figures.plot_shrinkage(ax, one).lines[0]
    np.testing.assert_array_equal(shown.get_xdata(), one.shrinkage[:, 0])
    drawn = figures.plot_recovery(recovery(trials))
    assert [ax.get_title(loc="left")[:5] for ax in drawn.axes] == ["r = 0"] * 2
    case = sbc(trials, seed=1), coverage(trials), tarp(trials, seed=1)
    panels = figures.plot_calibration({"one": case, "two": case}).axes
    assert len(panels) == 6
    np.testing.assert_array_equal(panels[2].lines[-1].get_ydata(), case[2].expected)
    assert sum(panels[0].patches[-1].get_data().values) == len(theta)
    assert len(figures.plot_calibration({"without TARP": case[:2]}).axes) == 2
    check = check_of(local.sample(20, local.x_o, 1), replace(observed, spike_threshold=-10.0))
    drawn = figures.plot_predictive_check(check)
    assert sum(bar.get_height() for bar in drawn.axes[1].patches) == 20
    _, ax = plt.subplots()
    figures.plot_statistic_information(ax, statistic_information(local, simulated, NAMES))
    assert [label.get_text() for label in ax.get_yticklabels()] == [name.replace("_", " ") for name in NAMES]
    found = misspecification(simulated[:500], local.x_o, NAMES, seed=1)
    assert len(figures.plot_misspecification(simulated, found).axes) == 8
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
