"""Inference against a problem whose posterior is known, and every way in which its input can be wrong."""

import numpy as np
import pytest
import torch
from scipy import stats

from helpers.inference import density_estimators as estimators
from helpers.inference.density_estimators import MODELS, Training, new_network, repeatable
from helpers.inference.marginals import normal, uniform
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import box_prior, prior_of
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 2.0], high=[60.0, 8.0])


def noisy_readings(theta, seed):
    """Two statistics: theta scaled to [0, 1], plus normal noise of SD 0.1. The posterior is a truncated normal."""
    unit = (theta - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)
    return unit + 0.1 * np.random.default_rng(seed).standard_normal(theta.shape)


@pytest.fixture(scope="module")
def posterior():
    theta = PRIOR.draw(2000, seed=0)
    return train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2)


@pytest.mark.slow
def test_posterior_of_a_normal_problem(posterior):
    samples = posterior.sample(4000, np.array([0.5, 0.5]), seed=3)
    assert samples.shape == (4000, 2)
    assert (np.abs(samples.mean(axis=0) - [50.0, 5.0]) < [0.6, 0.2]).all()
    np.testing.assert_allclose(samples.std(axis=0) / [20.0, 6.0], 0.1, rtol=0.15)
    assert abs(np.corrcoef(samples.T)[0, 1]) < 0.1


@pytest.mark.parametrize("x_o", [[0.5, 0.5], [0.05, 0.98]])  # in the middle, and cut off by two edges of the prior
def test_log_prob_is_a_density_over_the_prior_box(posterior, x_o):
    g_Na, g_K = np.meshgrid(40 + (np.arange(200) + 0.5) * 0.1, 2 + (np.arange(200) + 0.5) * 0.03)
    grid = np.column_stack([g_Na.ravel(), g_K.ravel()])
    density = np.exp(posterior.log_prob(grid, np.array(x_o)))
    assert density.sum() * 0.1 * 0.03 == pytest.approx(1.0, abs=0.005)  # nothing leaks out of the prior
    assert posterior.log_prob([[39.0, 5.0]], np.array(x_o))[0] == -np.inf


def test_posterior_cut_off_by_the_prior(posterior):
    """At x = (0.05, 0.98) the exact posterior is a normal of SD 0.1, cut off at 0 and 1."""
    samples = posterior.sample(4000, np.array([0.05, 0.98]), seed=3)
    unit = (samples - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)
    for column, centre in zip(unit.T, (0.05, 0.98), strict=True):
        exact = stats.truncnorm(-centre / 0.1, (1 - centre) / 0.1, centre, 0.1)
        assert abs(column.mean() - exact.mean()) < 0.02
        assert column.std() == pytest.approx(exact.std(), rel=0.2)


def test_the_loss_is_the_information_that_was_gained(posterior):
    """Exact: the mean over the prior of log p(theta|x) - log p(theta), from the normal density and the box."""
    theta = PRIOR.draw(20000, seed=5)
    unit = (theta - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)
    x = noisy_readings(theta, 6)
    mass = stats.norm.cdf((1 - x) / 0.1) - stats.norm.cdf(-x / 0.1)
    gained = (stats.norm.logpdf(unit, x, 0.1) - np.log(mass)).sum(axis=1).mean()
    assert -gained - 0.05 < posterior.losses[0][:, 1].min() < -gained + 0.2
    assert posterior.losses[0].shape == (Training().for_simulations(2000).epochs, 2) == (56, 2)


@pytest.mark.slow
def test_a_parameter_that_does_nothing_keeps_its_prior():
    prior = prior_of(Pospischil, {"g_Na": normal(50.0, 3.0), "E_K": normal(-100.0, 5.0)})
    theta = prior.draw(2000, seed=0)
    x = theta[:, :1] + 0.5 * np.random.default_rng(1).standard_normal((2000, 2))
    samples = train_npe(prior, theta, x, seed=0).sample(4000, np.array([50.0, 50.0]), seed=0)
    assert samples[:, 0].std() < 0.6
    assert abs(samples[:, 1].mean() + 100.0) < 0.8 and samples[:, 1].std() == pytest.approx(5.0, rel=0.12)


@pytest.mark.slow
def test_no_draw_of_a_spline_flow_strays_far_from_a_narrow_posterior():
    """With the bound that sbi gives its splines, some of 20,000 draws lie at the edges of the prior."""
    theta = PRIOR.draw(2000, seed=0)
    x = (theta - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)
    posterior = train_npe(PRIOR, theta, x, seed=2, model="nsf", epochs=25)
    draws = posterior.sample(20_000, np.array([0.5, 0.5]), seed=3)
    assert (draws.std(axis=0) < [0.2, 0.06]).all()
    assert (np.abs(draws - [50.0, 5.0]) < [4.0, 1.2]).all()  # a fifth of the prior


@pytest.mark.filterwarnings("ignore:torch.triangular_solve is deprecated")
@pytest.mark.parametrize("model", MODELS)
def test_every_network_lets_every_parameter_depend_on_the_statistics(model):
    """sbi's "maf" as it comes does not for 1 network in 12 over two parameters."""
    for seed in range(20):
        with repeatable(seed):
            network = new_network(model, 2, 3)
            for weights in network.parameters():
                weights.data += 0.1 * torch.randn_like(weights)
        drawn = []
        for x in (torch.zeros(1, 3), torch.ones(1, 3)):
            with repeatable(1), torch.no_grad():
                drawn.append(network.sample((200,), condition=x)[:, 0])
        assert ((drawn[0] - drawn[1]).abs().amax(dim=0) > 1e-4).all()


def test_an_ensemble_is_the_average_of_its_networks():
    theta = PRIOR.draw(200, seed=0)
    both = train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2, model="mdn", ensemble=2, epochs=20)
    x_o = np.array([0.4, 0.6])
    network = both.network
    single = [estimators.Estimator(PRIOR, network.scaling, [net]) for net in network.net]
    each = [Posterior(PRIOR, one, "mdn", both.losses[:1]) for one in single]
    densities = [np.exp(one.log_prob(theta[:50], x_o)) for one in each]
    np.testing.assert_allclose(np.exp(both.log_prob(theta[:50], x_o)), np.mean(densities, axis=0), rtol=1e-4)
    means = [one.sample(20000, x_o, seed=1).mean(axis=0) for one in each]
    np.testing.assert_allclose(both.sample(20000, x_o, seed=2).mean(axis=0), np.mean(means, axis=0), rtol=5e-3)


def test_the_posterior_for_sbi_takes_raw_statistics_in_batches(posterior):
    x = torch.tensor([[0.3, 0.7], [0.6, 0.2]])
    torch.manual_seed(0)
    drawn = posterior.sbi().sample_batched((2000,), x, show_progress_bars=False)
    assert drawn.shape == (2000, 2, 2)
    for i in range(2):
        ours = posterior.sample(2000, x[i].numpy(), seed=1)
        np.testing.assert_allclose(
            drawn[:, i].mean(0), ours.mean(axis=0), atol=0.03 * (PRIOR.upper - PRIOR.lower).max()
        )
    theta = torch.tensor([[50.0, 5.0], [44.0, 6.0]])
    np.testing.assert_allclose(
        posterior.sbi().log_prob(theta, x[:1]), posterior.log_prob(theta.numpy(), x[0].numpy()), atol=1e-4
    )


def test_interrupting_keeps_the_best_network_so_far(monkeypatch, tmp_path):
    theta = PRIOR.draw(1000, seed=0)
    x = noisy_readings(theta, 1)
    calls = []

    class Interrupted(estimators.tqdm):
        def update(self, n=1):
            calls.append(n)
            if len(calls) == 40:
                raise KeyboardInterrupt
            return super().update(n)

    monkeypatch.setattr("helpers.inference.npe.tqdm", Interrupted)
    stopped = train_npe(PRIOR, theta, x, seed=2, ensemble=3, epochs=30)
    assert stopped.interrupted and len(stopped.losses) == 2  # the first network whole, the second after 10 epochs
    assert [len(losses) for losses in stopped.losses] == [30, 10]
    best = stopped.losses[1][:, 1].min()
    held_out = PRIOR.draw(2000, seed=8)
    second = estimators.Estimator(PRIOR, stopped.network.scaling, [stopped.network.net[1]])
    with torch.no_grad():
        readings = torch.as_tensor(noisy_readings(held_out, 9))
        loss = -(
            second.log_prob(torch.as_tensor(held_out), readings) - PRIOR.log_prob(torch.as_tensor(held_out))
        ).mean()
    assert float(loss) == pytest.approx(best, abs=0.35)
    stopped.save(tmp_path / "p.npz")
    assert Posterior.load(tmp_path / "p.npz").interrupted


def test_training_stops_when_it_no_longer_gets_better():
    theta = PRIOR.draw(100, seed=0)
    noise = np.random.default_rng(0).standard_normal((100, 2))
    posterior = train_npe(PRIOR, theta, noise, seed=0, model="mdn", epochs=100, patience=5)
    losses = posterior.losses[0][:, 1]
    assert len(losses) == np.argmin(losses) + 1 + 5 < 100


def test_same_seed_same_network_and_the_global_generator_is_left_alone():
    theta = PRIOR.draw(300, seed=0)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    first, again = (train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2, epochs=5) for _ in range(2))
    samples = [p.sample(5, np.array([0.3, 0.7]), seed=1) for p in (first, again)]
    np.testing.assert_array_equal(*samples)
    torch.testing.assert_close(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    np.testing.assert_array_equal(first.losses[0], again.losses[0])


@pytest.mark.parametrize("model", MODELS)
def test_save_and_load(model, tmp_path):
    theta = PRIOR.draw(100, seed=0)
    first = train_npe(PRIOR, theta, noisy_readings(theta, 1), seed=2, model=model, epochs=5)
    first.save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as kept:
        assert not any(name.endswith("mask") for name in kept.files), "half of a flow's file, and never anything else"
    second = Posterior.load(tmp_path / "p.npz")
    x_o = np.array([0.2, 0.6])
    np.testing.assert_array_equal(first.sample(50, x_o, seed=1), second.sample(50, x_o, seed=1))
    np.testing.assert_array_equal(first.log_prob(theta[:5], x_o), second.log_prob(theta[:5], x_o))
    assert second.prior.difference(first.prior) == ""
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


@pytest.mark.slow
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


THETA, X = PRIOR.draw(60, seed=0), np.random.default_rng(0).standard_normal((60, 3))


@pytest.mark.parametrize(
    ("theta", "x", "more", "message"),
    [
        (THETA, X[:50], {}, r"theta \(60, 2\) and x \(50, 3\) do not fit together"),
        (THETA[:, :1], X, {}, r"allowed: \(n, 2\) and \(n, n_statistics\)"),
        (THETA[:10], X[:10], {}, "10 simulations are too few to train on; allowed: at least 50"),
        (THETA, np.where(np.arange(60)[:, None] == 7, np.nan, X), {}, r"x\[7\] = .*is not finite"),
        (THETA + 30, X, {}, r"theta\[0\]: g_Na = 8.* mS/cm² lies outside the prior; allowed: from 40 to 60"),
        (THETA, X * 0 - 70.0, {}, r"all 60 simulations give the same statistics, \[-70.*all silent"),
        (THETA, X, {"statistics": ["mean"]}, "x has 3 columns for 1 statistics, mean"),
        (THETA, X, {"ensemble": 0}, "ensemble = 0; allowed: an integer from 1"),
        (THETA, X, {"epochs": 0}, "epochs = 0; allowed: an integer from 1"),
        (THETA, X, {"learning_rate": 5.0}, r"learning_rate = 5.0; allowed: above 0, at most 0.1"),
        (THETA, X, {"held_out": 0.9}, r"held_out = 0.9; allowed: above 0, at most 0.5"),
        (THETA, X, {"scaling": "magic"}, "scaling = 'magic'; allowed: auto, standardise, asinh, rank"),
        (THETA, X, {"model": "magic"}, r"model = 'magic'; allowed: 'maf', 'small maf', 'nsf', 'mdn'"),
    ],
)
def test_bad_training_data(theta, x, more, message):
    with pytest.raises(ValueError, match=message):
        train_npe(PRIOR, theta, x, seed=0, **more)


def test_bad_observations(posterior):
    with pytest.raises(ValueError, match=r"x_o has shape \(3,\); allowed: \(2,\)"):
        posterior.sample(10, np.zeros(3), seed=0)
    with pytest.raises(ValueError, match=r"x_o: x_o\[1\] is not finite"):
        posterior.sample(10, np.array([0.5, np.nan]), seed=0)
    with pytest.raises(ValueError, match="theta has 3 columns; allowed: 2"):
        posterior.log_prob(np.zeros((1, 3)), np.zeros(2))


def test_an_observation_outside_all_simulations_is_told_in_numbers():
    theta = PRIOR.draw(200, seed=0)
    x = np.column_stack([noisy_readings(theta, 1), np.full(200, 5.0)])
    names = ["first", "second", "spike_count"]
    posterior = train_npe(PRIOR, theta, x, seed=0, model="mdn", epochs=3, statistics=names)
    posterior.sample(5, np.array([0.5, 0.9, 5.0]), seed=0)
    with pytest.warns(UserWarning, match=r"guess: second = 9, simulated -?[\d.]+ to 1\.\d+ \(another model"):
        posterior.sample(5, np.array([0.5, 9.0, 5.0]), seed=0)
    with pytest.warns(UserWarning, match=r"spike_count = 4, simulated 5 to 5 "):
        posterior.log_prob(theta, np.array([0.5, 0.9, 4.0]))
    with pytest.raises(ValueError, match="x_o: second is not finite"):
        posterior.sample(5, np.array([0.5, np.inf, 5.0]), seed=0)


def test_a_posterior_of_another_model_is_refused(posterior, tmp_path):
    path = tmp_path / "p.npz"
    posterior.save(path)
    assert list(tmp_path.iterdir()) == [path]
    Posterior.load(path, prior=box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 2.0], high=[60.0, 8.0]), statistics=())
    with pytest.raises(ValueError, match="trained with another prior: over g_Na, g_K; expected g_Na, g_M"):
        Posterior.load(path, prior=box_prior(Pospischil, ["g_Na", "g_M"]))
    with pytest.raises(ValueError, match="(?s)another prior: .*40 .*expected.*0.5"):
        Posterior.load(path, prior=box_prior(Pospischil, ["g_Na", "g_K"]))
    with pytest.raises(ValueError, match="other statistics"):
        Posterior.load(path, statistics=["mean"])


def test_one_parameter():
    prior = box_prior(Pospischil, ["g_Na"], low=[40.0], high=[60.0])
    theta = prior.draw(500, seed=0)
    x = theta + np.random.default_rng(0).standard_normal((500, 1))
    with pytest.raises(ValueError, match="one parameter; allowed: 'nsf', 'mdn'"):
        train_npe(prior, theta, x, seed=0)
    samples = train_npe(prior, theta, x, seed=0, model="mdn").sample(2000, np.array([50.0]), seed=0)
    assert abs(samples.mean() - 50) < 0.3 and samples.std() == pytest.approx(1.0, rel=0.35)


def test_training_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train_npe(PRIOR, THETA, X, seed=0, model="mdn")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("correlation", [0.9, 0.0])
def test_a_network_knows_a_prior_that_is_log_uniform_and_correlated(correlation):
    """Ranks of each parameter and of a contrast of both; one trained without the correlation fails in the contrast."""
    marginals = {"g_Na": uniform(1.0, 80.0, log=True), "g_K": normal(7.0, 1.0)}
    truths = prior_of(Pospischil, marginals, correlations={("g_Na", "g_K"): 0.9})
    prior = prior_of(Pospischil, marginals, correlations={("g_Na", "g_K"): correlation} if correlation else None)

    def vague(theta, seed):
        noise = np.random.default_rng(seed).standard_normal(theta.shape)
        return np.column_stack([np.log(theta[:, 0]), theta[:, 1]]) + 2.0 * noise

    theta, true = prior.draw(3000, 1), truths.draw(200, 5)
    network = train_npe(prior, theta, vague(theta, 2), 3, model="mdn", epochs=20)
    drawn = network.sample_each(200, vague(true, 6), seed=1)

    def with_contrast(theta):
        return np.concatenate([theta, np.log(theta[..., :1]) / 1.26 - theta[..., 1:]], axis=-1)

    ranks = (with_contrast(drawn) < with_contrast(true)[:, None]).mean(axis=1)
    p = stats.kstest(ranks, "uniform", axis=0).pvalue
    in_the_middle = stats.kstest(np.abs(2 * ranks - 1), "uniform", axis=0).pvalue
    assert (np.minimum(p, in_the_middle) > 0.003).all() if correlation else in_the_middle[2] < 1e-4, in_the_middle
