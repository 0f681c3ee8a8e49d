"""Inference against a problem whose posterior is known, and every way in which its input can be wrong."""

import numpy as np
import pytest
import torch

from helpers.inference import Posterior, box_prior, train_npe
from helpers.neurons import HodgkinHuxley, Pospischil
from helpers.simulator import simulate_many
from helpers.stimuli import step

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 2.0], high=[60.0, 8.0])


def noisy_readings(theta, seed):
    """Two statistics: theta scaled to [0, 1], plus normal noise of SD 0.1. The posterior is a truncated normal."""
    unit = (theta - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)
    return unit + 0.1 * np.random.default_rng(seed).standard_normal(theta.shape)


@pytest.fixture(scope="module")
def posterior():
    theta = PRIOR.draw(2000, seed=0)
    return train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2)


def test_posterior_of_a_normal_problem(posterior):
    samples = posterior.sample(4000, np.array([0.5, 0.5]), seed=3)
    assert samples.shape == (4000, 2)
    assert (np.abs(samples.mean(axis=0) - [50.0, 5.0]) < [0.6, 0.2]).all()
    np.testing.assert_allclose(samples.std(axis=0) / [20.0, 6.0], 0.1, rtol=0.15)
    assert abs(np.corrcoef(samples.T)[0, 1]) < 0.1


def test_log_prob_is_a_density_over_the_prior_box(posterior):
    x_o = np.array([0.5, 0.5])
    g_Na, g_K = np.meshgrid(np.linspace(40, 60, 121), np.linspace(2, 8, 121))
    grid = np.column_stack([g_Na.ravel(), g_K.ravel()])
    density = np.exp(posterior.log_prob(grid, x_o))
    assert density.sum() * (20 / 120) * (6 / 120) == pytest.approx(1.0, abs=0.03)
    assert posterior.log_prob([[39.0, 5.0]], x_o)[0] == -np.inf


def test_same_seed_same_network_and_the_global_generator_is_left_alone(posterior):
    theta = PRIOR.draw(2000, seed=0)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    again = train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2)
    samples = [p.sample(5, np.array([0.3, 0.7]), seed=1) for p in (posterior, again)]
    np.testing.assert_array_equal(*samples)
    torch.testing.assert_close(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    np.testing.assert_array_equal(posterior.losses, again.losses)
    assert posterior.losses[-1] < posterior.losses[0]


@pytest.mark.parametrize("model", ["maf", "nsf", "mdn"])
def test_save_and_load(model, tmp_path):
    theta = PRIOR.draw(100, seed=0)
    first = train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2, model=model)
    first.save(tmp_path / "p.npz")
    second = Posterior.load(tmp_path / "p.npz")
    x_o = np.array([0.2, 0.6])
    np.testing.assert_array_equal(first.sample(50, x_o, seed=1), second.sample(50, x_o, seed=1))
    np.testing.assert_array_equal(first.log_prob(theta[:5], x_o), second.log_prob(theta[:5], x_o))
    assert second.prior.parameters == first.prior.parameters
    assert (second.prior.labels, second.model) == (("g_Na (mS/cm²)", "g_K (mS/cm²)"), model)


@pytest.mark.parametrize("damage", ["truncated", "empty", "pickle", "other", "bit"])
def test_damaged_files_are_refused(posterior, damage, tmp_path):
    path = tmp_path / "p.npz"
    posterior.save(path)
    whole = path.read_bytes()
    if damage == "pickle":
        np.savez(path, about=np.array([{"a": print}], dtype=object))
    elif damage == "other":
        np.savez(path, x=np.zeros(3))
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"truncated": whole[:middle], "empty": b"", "bit": flipped}[damage])
    with pytest.raises(ValueError, match="p.npz holds no posterior that can be read"):
        Posterior.load(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Posterior.load(tmp_path / "none.npz")


def test_the_prior_covers_its_box_and_repeats():
    prior = box_prior(Pospischil(), ["g_Na", "V_T"])
    theta = prior.draw(5000, seed=1)
    np.testing.assert_array_equal(theta, prior.draw(5000, seed=1))
    np.testing.assert_allclose([theta.min(axis=0), theta.max(axis=0)], [[0.5, -90], [80, -40]], atol=0.1)
    assert list(prior.by_name(theta)) == ["g_Na", "V_T"]
    assert torch.isfinite(prior.log_prob(torch.as_tensor(theta, dtype=torch.float32))).all()


def test_from_simulations_to_a_posterior_over_conductances():
    """The tutorial's problem, small: the truth lies inside a posterior that is much narrower than the prior."""
    prior = box_prior(Pospischil, ["g_Na", "g_K"])
    theta = prior.draw(2000, seed=1)
    stimulus = step(3.248, 10.0, 110.0)
    x = simulate_many(Pospischil(), stimulus, prior.by_name(theta), 120.0, seed=2)
    x_o = simulate_many(Pospischil(), stimulus, {"g_Na": [50.0], "g_K": [5.0]}, 120.0, seed=3)[0]
    samples = train_npe(prior, theta, x, seed=0, model="mdn").sample(1000, x_o, seed=0)
    low, high = np.percentile(samples, [0.5, 99.5], axis=0)
    assert ((low < [50.0, 5.0]) & ([50.0, 5.0] < high)).all()
    assert (samples.std(axis=0) < [6.0, 1.0]).all()  # the prior has 23 and 4.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["g_Na", "g_Ca"],), r"names = \['g_Na', 'g_Ca'\]; allowed: different ones of C, g_Na"),
        ((["g_Na", "g_Na"],), "allowed: different ones"),
        (([],), "allowed: different ones"),
        ((["g_Na"], [5.0], [5.0]), r"g_Na: low = 5 mS/cm² must lie below high = 5 mS/cm²"),
        ((["g_Na"], [-5.0], [5.0]), r"g_Na = -5 mS/cm² \(entry 0\); allowed: at least 0 mS/cm²"),
        ((["g_Na"], [1.0], [np.nan]), r"g_Na = nan mS/cm² \(entry 1\)"),
        ((["g_Na", "g_K"], [1.0], [2.0, 3.0]), "2 names, 1 lower and 2 upper bounds"),
    ],
)
def test_bad_priors(arguments, message):
    with pytest.raises(ValueError, match=message):
        box_prior(HodgkinHuxley(), *arguments)


THETA, X = PRIOR.draw(60, seed=0), np.random.default_rng(0).standard_normal((60, 3))


@pytest.mark.parametrize(
    ("theta", "x", "more", "message"),
    [
        (THETA, X[:50], {}, r"theta \(60, 2\) and x \(50, 3\) do not fit together"),
        (THETA[:, :1], X, {}, r"allowed: \(n, 2\) and \(n, n_features\)"),
        (THETA[:10], X[:10], {}, "10 simulations are too few to train on; allowed: at least 50"),
        (THETA, np.where(np.arange(60)[:, None] == 7, np.nan, X), {}, r"x\[7\] = .*is not finite"),
        (THETA + 30, X, {}, r"theta\[0\] = .* lies outside the prior"),
        (THETA, X, {"model": "magic"}, r"model = 'magic'; allowed: 'maf', 'nsf', 'mdn'"),
    ],
)
def test_bad_training_data(theta, x, more, message):
    with pytest.raises(ValueError, match=message):
        train_npe(PRIOR, theta, x, seed=0, **more)


def test_bad_observations(posterior):
    with pytest.raises(ValueError, match=r"x_o has shape \(3,\); allowed: \(2,\)"):
        posterior.sample(10, np.zeros(3), seed=0)
    with pytest.raises(ValueError, match=r"x_o\[1\] is not finite"):
        posterior.sample(10, np.array([0.5, np.nan]), seed=0)
    with pytest.raises(ValueError, match="theta has 3 columns; allowed: 2"):
        posterior.log_prob(np.zeros((1, 3)), np.zeros(2))


def test_training_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train_npe(PRIOR, THETA, X, seed=0, model="mdn")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
