"""Features, likelihood, embedding and checks of the integrate-and-fire problem."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from helpers.inference.diagnostics.recovery import recovery
from helpers.inference.diagnostics.trials import run_trials
from helpers.inference.embedding import Convolutional
from helpers.inference.lif.likelihood import exact_recovery, log_likelihood
from helpers.inference.lif.predictive import lif_check
from helpers.inference.lif.problem import CORRECTED, ORIGINAL, PUBLISHED_PRIOR, TWO_LEVELS, WIDE_PRIOR, LifExperiment
from helpers.inference.lif.statistics import LIF_STATISTICS, lif_statistic_names, lif_statistics
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import box_prior
from helpers.neurons.models import Pospischil

PRIOR = PUBLISHED_PRIOR
FIRING = np.array([-54.0, 10.0, 9.0, -77.0, -74.0, -68.0])
SILENT = np.array([-50.0, 10.0, 14.0, -77.0, -74.0, -70.0])


# ------------------------------------------------------------------------------------------------------------ features


@pytest.mark.parametrize("version", ["original", "corrected"])
def test_features_of_a_neuron_without_noise(version):
    """Closed form: from V_reset to V_th takes tau ln((S - V_reset) / (S - V_th)), plus the time at rest."""
    quiet = LifExperiment(version=version, current_sd=0.0, observation_noise=0.0, dt=0.02)
    x = quiet.simulate(PRIOR, FIRING[None], seed=0)
    found = dict(zip(LIF_STATISTICS, lif_statistics(quiet, x)[0], strict=True))
    V_th, tau, g, V_reset, V_init, E = FIRING
    S = E + 200 / g
    assert found["latency"] == pytest.approx(tau * np.log((S - V_init) / (S - V_th)), abs=0.05)
    interval = tau * np.log((S - V_reset) / (S - V_th)) + 2.0
    assert found["mean_interval"] == pytest.approx(interval, abs=0.08)
    assert found["sd_interval"] < 0.02
    assert found["tau"] == pytest.approx(tau, rel=0.02)
    assert found["settled"] == pytest.approx(S, abs=0.3)
    assert found["start"] == pytest.approx(V_init, abs=0.02) and found["reset"] == pytest.approx(V_reset, abs=0.02)
    assert found["at_spike"] == pytest.approx(V_th, abs=0.1)
    assert found["spikes"] == x[0, :, 1].sum() > 8


def test_the_threads_of_torch_are_left_alone():
    """A pool of OpenMP threads, as Numba's, would set them: small networks then train ten times as slowly."""
    before = torch.get_num_threads()
    lif_statistics(CORRECTED, CORRECTED.simulate(WIDE_PRIOR, WIDE_PRIOR.draw(3, seed=1), seed=1))
    assert torch.get_num_threads() == before



def test_features_of_noisy_neurons_are_unbiased():
    x = CORRECTED.simulate(PRIOR, np.tile(FIRING, (400, 1)), seed=1)
    found = dict(zip(LIF_STATISTICS, lif_statistics(CORRECTED, x).T, strict=True))
    for name, truth, tolerance in (
        ("tau", 10.0, 0.4),
        ("start", -74.0, 0.1),
        ("reset", -77.0, 0.05),
        ("at_spike", -54.0, 0.4),
    ):
        assert abs(found[name].mean() - truth) < tolerance
    assert found["misfit"].mean() == pytest.approx(1.0, abs=0.03)


def test_more_leak_means_less_noise_in_V():
    theta = np.array([[-50.0, 10.0, g, -75.0, -74.0, -72.0 + 20 - 200 / g] for g in np.repeat([7.0, 13.0], 300)])
    found = dict(
        zip(LIF_STATISTICS, lif_statistics(CORRECTED, CORRECTED.simulate(WIDE_PRIOR, theta, seed=2)).T, strict=True)
    )
    assert found["noise_high"][300:].mean() > found["noise_high"][:300].mean() + 3


def test_features_of_a_silent_neuron_are_stated():
    x = CORRECTED.simulate(PRIOR, SILENT[None], seed=3)
    found = dict(zip(LIF_STATISTICS, lif_statistics(CORRECTED, x)[0], strict=True))
    assert x[0, :, 1].sum() == found["spikes"] == 0
    assert found["latency"] == found["mean_interval"] == 200.0 and found["reset"] == found["start"]
    assert found["at_spike"] == found["highest"] and np.isfinite(list(found.values())).all()


def test_a_spike_in_the_last_sample_leaves_nothing_undefined():
    x = CORRECTED.simulate(PRIOR, SILENT[None], seed=3)
    x[0, -1] = 20.0, 1.0
    found = dict(zip(LIF_STATISTICS, lif_statistics(CORRECTED, x)[0], strict=True))
    assert np.isfinite(list(found.values())).all() and found["reset"] == found["start"] and found["spikes"] == 1


def test_two_levels_have_features_each():
    x = TWO_LEVELS.simulate(PRIOR, FIRING[None], seed=4)
    table = lif_statistics(TWO_LEVELS, x)
    assert table.shape == (1, 2 * len(LIF_STATISTICS)) == (1, len(lif_statistic_names(TWO_LEVELS)))
    np.testing.assert_array_equal(
        table[:, : len(LIF_STATISTICS)], lif_statistics(CORRECTED, np.ascontiguousarray(x[:, :, :2]))
    )
    assert (
        lif_statistic_names(TWO_LEVELS)[-1] == "noise_high at 400 pA"
        and lif_statistic_names(CORRECTED) == LIF_STATISTICS
    )


# ---------------------------------------------------------------------------------------------------------- likelihood


def test_likelihood_without_a_threshold_is_a_normal_density():
    """V of a neuron that cannot fire is jointly normal: mean and covariance in closed form."""
    short = replace(CORRECTED, duration=20.0)
    x = short.simulate(PRIOR, SILENT[None], seed=5)
    other = SILENT + [0.0, 1.0, 0.5, 0.0, 0.3, 0.4]
    exact = []
    for _, tau, g, _, V_init, E in (SILENT, other):
        decay, k = np.exp(-0.2 / tau), np.arange(100)
        mean = E + 200 / g + (V_init - E - 200 / g) * decay**k
        q = ((1 - decay) * 50 / g) ** 2
        low = np.minimum(k[:, None], k)
        covariance = q * decay ** np.abs(k[:, None] - k) * (1 - decay ** (2 * low)) / (1 - decay**2)
        exact.append(multivariate_normal(mean, covariance + np.eye(100)).logpdf(x[0, :, 0]))
    ours = log_likelihood(short, PRIOR, np.stack([SILENT, other])[None], x)[0]
    assert ours[1] - ours[0] == pytest.approx(exact[1] - exact[0], abs=1e-3)


@pytest.mark.parametrize("experiment", [CORRECTED, ORIGINAL, TWO_LEVELS])
def test_the_score_is_zero_on_average_at_the_truth(experiment):
    """True of the right likelihood only."""
    x = experiment.simulate(PRIOR, np.tile(FIRING, (300, 1)), seed=6)
    for column, step in enumerate((0.02, 0.05, 0.05, 0.02, 0.05, 0.05)):
        sides = np.stack([FIRING, FIRING])
        sides[:, column] += [-step, step]
        low, high = log_likelihood(experiment, PRIOR, np.broadcast_to(sides, (300, 2, 6)), x).T
        slope = (high - low) / (2 * step)
        assert abs(slope.mean()) < 4 * slope.std() / np.sqrt(300), PRIOR.names[column]


@pytest.mark.parametrize("experiment", [CORRECTED, ORIGINAL])
def test_the_likelihood_is_that_of_a_fine_grid_over_V(experiment):
    """Written here the long way: every mass moves to every other one, at each sample."""
    short = replace(experiment, duration=24.0)
    x = short.simulate(PRIOR, FIRING[None], seed=9)[0].astype(float)
    assert 1 <= x[:, 1].sum() <= 3
    theta = FIRING + np.array([[0.0] * 6, [0.6, 0, 0, 0, 0, 0], [-0.5, 1, 1, 0.1, 0.2, 0.5], [0.3, -1, 0, 0, 0, 3]])

    def by_grid(V_th, tau, g, V_reset, V_init, E):
        pull = 0.2 / tau if experiment is ORIGINAL else 1 - np.exp(-0.2 / tau)
        sd, h = pull * 50 / g, 0.2 * pull * 50 / g
        grid = np.arange(V_th - h / 2, V_th - 30, -h)

        def step(V):
            return norm.pdf(grid[:, None], V + pull * (E + 200 / g - V), sd) * h

        within, left, total, V, mass = step(grid), 0, 0.0, np.array([V_init]), np.ones(1)
        for k, (y, spike) in enumerate(x):
            if spike:
                total += np.log(mass @ norm.sf(V_th, V + pull * (E + 200 / g - V), sd))
                V, mass, left = np.array([V_reset]), np.ones(1), short.refractory_samples
            elif left > 0:
                left -= 1
            elif k > 0:
                V, mass = grid, (within if len(V) > 1 else step(V)) @ mass
            if not spike or experiment is ORIGINAL:  # which shows V at a spike
                mass = mass * np.exp(-0.5 * (y - V) ** 2)
                total, mass = total + np.log(mass.sum()), mass / mass.sum()
        return total

    exact = np.array([by_grid(*one) for one in theta])
    ours = log_likelihood(short, PRIOR, theta[None], x[None])[0]
    np.testing.assert_allclose(ours, exact, atol=0.01)


def test_the_likelihood_is_of_six_parameters():
    with pytest.raises(ValueError, match="allowed: over V_th, tau_m, g_L, V_reset, V_init, E_L"):
        log_likelihood(CORRECTED, box_prior(Pospischil, ["g_Na"]), np.ones((1, 1, 1)), np.zeros((1, 1000, 2)))


# ----------------------------------------------------------------------------------------------------------- inference


@pytest.fixture(scope="module")
def simulated():
    prior = WIDE_PRIOR
    theta, truth = prior.draw(2000, seed=1), prior.draw(150, seed=11)
    return prior, theta, CORRECTED.simulate(prior, theta, seed=2), truth, CORRECTED.simulate(prior, truth, seed=12)


@pytest.mark.slow
def test_features_and_flow_come_near_the_exact_posterior(simulated):
    prior, theta, x, truth, x_test = simulated
    posterior = train_npe(
        prior, theta, lif_statistics(CORRECTED, x), 0, epochs=30, batch=128, statistics=LIF_STATISTICS
    )
    trials = run_trials(posterior, prior, truth, lif_statistics(CORRECTED, x_test), seed=3, samples=300)
    found, (best, worth) = recovery(trials), exact_recovery(CORRECTED, posterior, trials, x_test)
    assert (found.r > [0.96, 0.93, 0.75, 0.93, 0.96, 0.75]).all()
    assert np.median(worth) > 3
    good = worth > 20  # elsewhere a single draw may carry all the weight
    assert (np.abs(best.mean - truth)[good].mean(axis=0) < 1.15 * np.abs(found.mean - truth)[good].mean(axis=0)).all()
    z = (best.mean - truth)[good] / best.sd[good]
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.25)


@pytest.mark.slow
def test_a_network_that_looks_is_saved_and_loaded(simulated, tmp_path):
    prior, theta, x, truth, x_test = simulated
    small = Convolutional(filters=(8, 8), strides=(4, 4), n_features=8)
    kept = train_npe(
        prior, theta, x, 0, embedding=small, scaling="standardise", epochs=16, batch=128, statistics=CORRECTED.channels
    )
    assert kept.losses[0][-1, 1] < -1.0  # it has learned something
    kept.save(tmp_path / "kept.npz")
    again = Posterior.load(tmp_path / "kept.npz", prior=prior, statistics=CORRECTED.channels)
    assert again.embedding == small
    np.testing.assert_array_equal(again.sample(20, x_test[0], seed=1), kept.sample(20, x_test[0], seed=1))
    np.testing.assert_array_equal(again.log_prob(truth, x_test[0]), kept.log_prob(truth, x_test[0]))
    trials = run_trials(kept, prior, truth, x_test, seed=2, samples=50)
    assert recovery(trials).r[0] > 0.7  # the threshold shows most

    with pytest.raises(ValueError, match=r"x_o has shape \(1000,\); allowed: \(1000, 2\)"):
        kept.sample(1, x_test[0, :, 0], seed=0)
    with pytest.warns(UserWarning, match="V = 200, simulated"):
        kept.sample(1, np.where(np.arange(1000)[:, None] == 500, [200.0, 0.0], x_test[0]), seed=0)
    with pytest.raises(ValueError, match="V is not finite"):
        kept.sample(1, np.where(np.arange(1000)[:, None] == 500, [np.nan, 0.0], x_test[0]), seed=0)


def test_a_network_that_looks_is_trained_to_the_end_on_what_it_will_be_given(simulated, monkeypatch):
    """Batch normalisation follows the batches in the first half of the training only."""
    prior, theta, x, *_ = simulated
    follows, forward = [], torch.nn.BatchNorm1d.forward

    def watched(layer, given):
        if torch.is_grad_enabled():  # not while it is validated
            follows.append(layer.training)
        return forward(layer, given)

    monkeypatch.setattr(torch.nn.BatchNorm1d, "forward", watched)
    small = Convolutional(filters=(4, 4), strides=(8, 8), n_features=4)
    how = {"epochs": 4, "batch": 100, "statistics": CORRECTED.channels, "scaling": "standardise"}
    train_npe(prior, theta[:500], x[:500], 0, embedding=small, **how)
    half = len(follows) // 2
    assert half > 0 and all(follows[:half]) and not any(follows[half:])


def test_recordings_need_an_embedding(simulated):
    prior, theta, x, *_ = simulated
    with pytest.raises(ValueError, match=r"allowed: \(n, 6\) and \(n, n_statistics\)"):
        train_npe(prior, theta, x, 0)
    with pytest.raises(ValueError, match="which the embedding looks at"):
        train_npe(prior, theta, x[:, :, 0], 0, embedding=Convolutional())
    with pytest.raises(ValueError, match="too short"):
        Convolutional().build(50, 2)
    with pytest.raises(ValueError, match="width = 0; allowed: integers, at least 1"):
        Convolutional(width=0)
    with pytest.raises(ValueError, match="3 filters and 2 strides"):
        Convolutional(strides=(4, 4))


# ---------------------------------------------------------------------------------------------------------- predictive


def spread(centre, seed=0):
    return centre + np.random.default_rng(seed).standard_normal((100, 6)) * [0.1, 0.2, 0.2, 0.1, 0.2, 0.2]


def test_a_wrong_threshold_passes_the_band_and_fails_the_intervals():
    prior = WIDE_PRIOR
    x_o = CORRECTED.simulate(prior, FIRING[None], seed=7)[0]
    right, wrong = (
        lif_check(CORRECTED, prior, spread(FIRING + [shift, 0, 0, 0, 0, 0]), x_o, seed=8) for shift in (0, 1.5)
    )
    assert min(right.coverage_90, wrong.coverage_90) > 0.75
    assert right.p_intervals > 0.05 > wrong.p_intervals
    assert right.failures == () and str(right).endswith(right.verdict)
    assert right.aligned_coverage_90 == pytest.approx(0.9, abs=0.08) and right.aligned_mae < 1.1  # noise of 1 mV


def test_the_measures_as_the_original_defines_them():
    prior = WIDE_PRIOR
    x_o = CORRECTED.simulate(prior, FIRING[None], seed=9)[0]
    check = lif_check(CORRECTED, prior, spread(FIRING), x_o, seed=10)
    low, middle, high = np.percentile(check.V, [5, 50, 95], axis=0)
    inside = [low[k] <= x_o[k, 0] <= high[k] for k in range(1000)]
    assert check.coverage_90 == pytest.approx(np.mean(inside))
    below = x_o[:, 0] < np.median(check.theta[:, 0])
    assert check.subthreshold_mae == pytest.approx(np.abs(x_o[:, 0] - middle)[below].mean(), rel=1e-6)
    count = x_o[:, 1].sum()
    assert check.spike_percentile == np.mean(check.counts <= count)
    assert check.p_count == pytest.approx(np.mean(check.counts < count) + 0.5 * np.mean(check.counts == count))


def test_nothing_to_align_in_a_silent_recording():
    x_o = CORRECTED.simulate(PRIOR, SILENT[None], seed=11)[0]
    check = lif_check(CORRECTED, PRIOR, np.tile(SILENT, (20, 1)), x_o, seed=12)
    assert np.isnan(check.aligned_coverage_90) and np.isnan(check.aligned_mae) and check.p_count == 0.5
    with pytest.raises(ValueError, match="at least 10 draws"):
        lif_check(CORRECTED, PRIOR, SILENT[None], x_o, seed=0)
    with pytest.raises(ValueError, match=r"allowed: \(1000, 2\)"):
        lif_check(CORRECTED, PRIOR, np.tile(SILENT, (20, 1)), x_o[:10], seed=0)
