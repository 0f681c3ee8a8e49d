"""The integrate-and-fire problem against a simulator of a few lines, and numbers measured on the original."""

import numpy as np
import pytest

from helpers.inference.lif.problem import (
    CORRECTED,
    ORIGINAL,
    PUBLISHED_PRIOR,
    TWO_LEVELS,
    WIDE_PRIOR,
    LifExperiment,
    clipped_draws,
    lif_prior,
)

PRIOR = PUBLISHED_PRIOR


def plain(theta, seed, dt=0.2, mean=200.0, sd=50.0):
    """The original, sample by sample: recorded V without its noise, and spikes."""
    V_th, tau, g, V_reset, V_init, E = theta
    rng, n = np.random.default_rng(seed), round(200 / dt)
    recorded, spikes, v, left = np.empty(n), np.zeros(n), V_init, 0
    for k in range(n):
        if left > 0:
            v, left = V_reset, left - 1
        elif v >= V_th:
            spikes[k], v, left = 1, V_reset, round(2.0 / dt)
        recorded[k] = v
        v += (E - v + (mean + sd * rng.standard_normal()) / g) * dt / tau
    return recorded, spikes


def test_without_noise_it_is_the_plain_simulator():
    theta = PRIOR.draw(20, seed=1)
    quiet = LifExperiment(version="original", current_sd=0.0, observation_noise=0.0)
    x = quiet.simulate(PRIOR, theta, seed=0)
    for row, own in zip(x, theta, strict=True):
        V, spikes = plain(own, 0, sd=0.0)
        np.testing.assert_allclose(row[:, 0], V, atol=1e-4)  # single precision
        np.testing.assert_array_equal(row[:, 1], spikes)
    assert x[:, :, 1].sum() > 50


def test_with_noise_it_spikes_as_the_plain_simulator():
    theta = PRIOR.draw(400, seed=2)
    ours = ORIGINAL.simulate(PRIOR, theta, seed=3)[:, :, 1].sum(axis=1)
    plainly = np.array([plain(own, i)[1].sum() for i, own in enumerate(theta)])
    difference = ours - plainly  # the same neurons, so that only the noise differs
    assert abs(difference.mean()) < 4 * difference.std() / 20
    assert np.corrcoef(ours, plainly)[0, 1] > 0.98


def test_the_published_prior_predictive():
    """Measured on the original with 600 draws: 10.7 ± 5.7 spikes, 7.7 % silent."""
    counts = ORIGINAL.simulate(PRIOR, clipped_draws(PUBLISHED_PRIOR, 4000, seed=4), seed=5)[:, :, 1].sum(axis=1)
    assert counts.mean() == pytest.approx(10.7, abs=0.8) and counts.std() == pytest.approx(5.7, abs=0.6)
    assert np.mean(counts == 0) == pytest.approx(0.077, abs=0.03)


@pytest.mark.parametrize(("version", "ratio"), [("original", 10**-0.5), ("corrected", 1.0)])
def test_noise_and_the_time_step(version, ratio):
    """Closed form: SD of V = noise / g_L / sqrt(2 tau_m)."""
    theta = np.tile([-50.0, 10.0, 10.0, -75.0, -70.5, -70.0], (300, 1))
    sd = []
    for dt in (0.2, 0.02):
        one = LifExperiment(currents=(0.0,), dt=dt, observation_noise=0.0, version=version)
        sd.append(one.simulate(PRIOR, theta, seed=6)[:, one.t > 100, 0].std())
    assert sd[1] / sd[0] == pytest.approx(ratio, rel=0.05)
    assert sd[0] == pytest.approx(50 * np.sqrt(0.2) / 10 / np.sqrt(20), rel=0.05)


def test_spikes_are_seen_in_the_mended_version_only():
    theta = PRIOR.draw(50, seed=7)
    for experiment in (ORIGINAL, CORRECTED):
        x = experiment.simulate(PRIOR, theta, seed=8)
        at_spike = x[:, :, 0][x[:, :, 1] > 0]
        assert (at_spike > 10).all() if experiment is CORRECTED else (at_spike < -55).all()


def test_E_L_and_g_L_enter_together():
    """Two neurons with the same E_L + I/g_L and everything else equal make the same V; at another current they part."""
    pair = np.array([[-55.0, 10.0, 10.0, -75.0, -73.0, -70.0], [-55.0, 10.0, 12.5, -75.0, -73.0, -66.0]])
    assert pair[0, 5] + 200 / pair[0, 2] == pair[1, 5] + 200 / pair[1, 2]
    quiet = [LifExperiment(currents=(I,), current_sd=0.0, observation_noise=0.0) for I in (200.0, 400.0)]
    same, other = (one.simulate(PRIOR, pair, seed=0) for one in quiet)
    np.testing.assert_allclose(same[0], same[1], atol=1e-4)
    assert np.abs(other[0] - other[1]).max() > 1.0


def test_the_prior_is_a_chain_without_atoms():
    theta = WIDE_PRIOR.draw(5000, seed=9)
    V_th, tau_m, g_L, V_reset, V_init, E_L = theta.T
    assert (V_reset <= V_init - 0.5).all() and (V_init <= E_L - 0.5).all()
    assert np.unique(g_L).size == np.unique(tau_m).size == 5000
    clipped = clipped_draws(PUBLISHED_PRIOR, 20_000, seed=9)
    from_normal = 0.0213  # P(N(0, 1) > log(1.5) / 0.2)
    assert np.mean(clipped[:, 2] == 15.0) == pytest.approx(from_normal, abs=0.004)
    assert np.ptp(lif_prior(voltage_sd=None).draw(5000, seed=1)[:, 0]) > 9.9


def test_two_levels_are_two_recordings_in_one():
    theta = PRIOR.draw(30, seed=10)
    both, one = (experiment.simulate(PRIOR, theta, seed=11) for experiment in (TWO_LEVELS, CORRECTED))
    assert both.shape == (30, 1000, 4) and len(TWO_LEVELS.channels) == 4
    np.testing.assert_array_equal(both[:, :, :2], one)
    assert both[:, :, 3].sum() > 1.5 * both[:, :, 1].sum()
    np.testing.assert_array_equal(CORRECTED.simulate(PRIOR, theta[:7], seed=11), one[:7])  # (seed, i) only


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"version": "new"}, "allowed: original, corrected"),
        ({"currents": ()}, "one sweep or more"),
        ({"current_sd": -1.0}, "current_sd = -1 pA; allowed: at least 0 pA"),
        ({"observation_noise": np.nan}, "observation_noise = nan mV"),
    ],
)
def test_bad_experiments(wrong, message):
    with pytest.raises(ValueError, match=message):
        LifExperiment(**wrong)
