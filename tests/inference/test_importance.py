"""Importance sampling against posteriors that are known exactly: within the error that its effective size allows."""

import numpy as np
import pytest
from scipy import stats

from helpers.inference.importance import importance_posterior
from helpers.inference.marginals import normal, uniform
from helpers.inference.priors import Prior, box_prior, prior_of
from helpers.inference.proposals import FIRST_SHARES, Proposal, shares_by_success
from helpers.inference.warning_classes import FewEffectiveSimulationsWarning
from helpers.neurons.models import LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import Parameter


def standard_normal(d):
    """A prior over `d` parameters of mean 0 and SD 1."""
    ends = {"low": -50.0, "high": 50.0, "minimum": -100.0, "maximum": 100.0}
    declared = [Parameter(name=f"a{k}", default=0.0, unit="", meaning="anything", **ends) for k in range(d)]
    return Prior(declared, [normal(0.0, 1.0, -50.0, 50.0).completed(one) for one in declared])


def linear(d, k, noise, seed):
    """A linear simulator with noise of SD `noise`, and an observation with a tolerance of 0.2."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((k, d))

    def simulate(theta, seed):
        return theta @ matrix.T + noise * np.random.default_rng(seed).standard_normal((len(theta), k))

    return simulate, matrix, matrix @ rng.standard_normal(d) + np.hypot(0.2, noise) * rng.standard_normal(k)


def exact(matrix, x_o, sd):
    """Mean and covariance of the posterior."""
    covariance = np.linalg.inv(matrix.T @ matrix / sd**2 + np.eye(matrix.shape[1]))
    return covariance @ matrix.T @ x_o / sd**2, covariance


def assert_close(found, mean, covariance):
    """In 5 standard errors of as many independent draws as the effective sample size."""
    sd = np.sqrt(np.diag(covariance))
    assert (np.abs(found.mean - mean) < 5 * sd / np.sqrt(found.ess)).all()
    assert (np.abs(found.sd / sd - 1) < 5 / np.sqrt(2 * found.ess)).all()
    error = (found.covariance - covariance) / np.outer(sd, sd)
    assert (np.abs(error) < 5 * np.sqrt(2 / found.ess)).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_linear_problem_in_twelve_dimensions_is_solved_exactly(seed):
    simulate, matrix, x_o = linear(12, 24, 0.0, seed)
    found = importance_posterior(simulate, standard_normal(12), x_o, 0.2, seed)
    assert found.ess >= 300 and found.beta == 1.0 and found.n_simulations <= 8000
    assert found.stopped.startswith("ended: the effective sample size is")
    np.testing.assert_allclose(found.weights.sum(), 1.0)
    assert found.ess == pytest.approx(1 / (found.weights**2).sum())
    assert_close(found, *exact(matrix, x_o, 0.2))


def test_noise_of_the_simulator_adds_to_the_tolerance():
    """Although nothing says how large it is: one simulation estimates the likelihood without bias."""
    simulate, matrix, x_o = linear(3, 5, 0.2, 3)
    found = importance_posterior(simulate, standard_normal(3), x_o, 0.2, 1, enough=1000)
    total, narrow = exact(matrix, x_o, np.hypot(0.2, 0.2)), exact(matrix, x_o, 0.2)
    assert_close(found, *total)
    assert (found.sd > 1.2 * np.sqrt(np.diag(narrow[1]))).all()


def test_two_modes_are_found_with_their_shares():
    def simulate(theta, seed):
        return np.column_stack([theta[:, 0] ** 2, theta[:, 1:] + 0.3 * theta[:, :1]])

    shares = []
    for seed in range(3):
        found = importance_posterior(simulate, standard_normal(5), np.r_[1.0, np.zeros(4)], 0.05, seed)
        right = found.theta[:, 0] > 0
        shares.append(found.weights[right].sum())
        assert found.weights[right] @ found.theta[right, 0] / shares[-1] == pytest.approx(1.0, abs=0.02)
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(900))


def test_a_bent_posterior_has_its_exact_moments():
    """x = (a, b + 2 a² - 2), where only b is pinned down: the posterior of a is known on a grid."""

    def simulate(theta, seed):
        return np.column_stack([theta[:, 0], theta[:, 1] + 2 * theta[:, 0] ** 2 - 2, theta[:, 2:]])

    tolerance = np.r_[3.0, np.full(3, 0.05)]
    found = importance_posterior(simulate, standard_normal(4), np.zeros(4), tolerance, 1)
    a = np.linspace(-4, 4, 4001)
    density = stats.norm.pdf(a) * stats.norm.pdf(a, 0, 3.0) * stats.norm.pdf(2 * a**2 - 2, 0, np.hypot(1, 0.05))
    sd = np.sqrt((density * a**2).sum() / density.sum())
    assert found.sd[0] == pytest.approx(sd, rel=4 / np.sqrt(2 * found.ess))
    assert abs(found.mean[0]) < 4 * sd / np.sqrt(found.ess)


def test_truths_have_even_ranks():
    """Simulation-based calibration, with noise in the simulator and a curve in two dimensions."""
    prior, ranks = standard_normal(2), []

    def simulate(theta, seed):
        noise = 0.1 * np.random.default_rng(seed).standard_normal((len(theta), 2))
        return np.column_stack([theta[:, 0] + theta[:, 1] ** 2, theta[:, 1] * np.exp(0.3 * theta[:, 0])]) + noise

    truths, rng = prior.draw(40, 1), np.random.default_rng(1)
    for seed, (truth, x) in enumerate(zip(truths, simulate(truths, 2), strict=True)):
        x_o = x + 0.1 * rng.standard_normal(2)
        found = importance_posterior(simulate, prior, x_o, 0.1, seed, n_first=400, batch=150, enough=100)
        ranks.append(found.weights @ (found.theta < truth))
    for column in np.transpose(ranks):
        assert stats.kstest(column, "uniform").pvalue > 0.01
    assert np.std(ranks) == pytest.approx(np.sqrt(1 / 12), rel=0.2)


def test_dependent_parameters_stay_in_their_order():
    marginals = {"V_init": normal(-70.0, 2.0), "E_L": uniform()}
    prior = prior_of(LeakyIntegrateAndFire, marginals, below={"V_init": ("E_L", 0.5)})
    found = importance_posterior(lambda theta, seed: theta, prior, np.array([-67.0, -66.8]), 0.5, 1)
    assert (found.theta[:, 0] <= found.theta[:, 1] - 0.5).all()
    drawn = prior.draw(2_000_000, 1)
    weights = np.exp(-0.5 * (((drawn - [-67.0, -66.8]) / 0.5) ** 2).sum(axis=1))
    mean = weights @ drawn / weights.sum()
    assert (np.abs(found.mean - mean) < 5 * found.sd / np.sqrt(found.ess)).all()


# ---------------------------------------------------------------------------------------------------- the result


@pytest.fixture(scope="module")
def found():
    simulate, _, x_o = linear(3, 5, 0.1, 3)
    return importance_posterior(simulate, standard_normal(3), x_o, 0.2, 1, enough=1000)


def test_draws_follow_the_weights(found):
    drawn = found.sample(5000, 1)
    assert drawn.shape == (5000, 3)
    np.testing.assert_allclose(drawn.mean(axis=0), found.mean, atol=0.02 * found.sd.max())
    np.testing.assert_allclose(drawn.std(axis=0), found.sd, rtol=0.02)
    np.testing.assert_array_equal(drawn, found.sample(5000, 1))
    assert not np.array_equal(drawn, found.sample(5000, 2))
    assert abs(np.corrcoef(np.arange(5000), drawn[:, 0])[0, 1]) < 0.06, "in random order"
    q = [0.025, 0.5, 0.975]
    np.testing.assert_allclose(found.quantile(q), np.quantile(drawn, q, axis=0), atol=0.03)


def test_predictions_belong_to_the_draws(found):
    drawn, predicted = found.sample(50, 3), found.predict(50, 3)
    for theta, x in zip(drawn, predicted, strict=True):
        row = np.flatnonzero((found.theta == theta).all(axis=1))[0]
        np.testing.assert_array_equal(x, found.x[row])


def test_it_says_what_it_is(found):
    assert f"worth {found.ess:.0f} independent draws" in str(found) and "a2 " in str(found)


# ---------------------------------------------------------------------------------------------- budget, going on


def test_too_small_a_budget_is_told():
    simulate, _, x_o = linear(12, 24, 0.0, 1)
    with pytest.warns(FewEffectiveSimulationsWarning, match="draws of a flatter posterior, with the") as told:
        found = importance_posterior(simulate, standard_normal(12), x_o, 0.2, 1, budget=1900, n_first=1000)
    assert found.n_simulations == 1800 and "budget of 1900" in found.stopped
    assert found.beta < 1 and found.ess == pytest.approx(40, rel=0.01)
    assert told[0].message.beta == found.beta and told[0].message.simulations == 1800
    assert "to the power" in str(found)


def test_searches_show_where_to_begin_and_bias_nothing():
    simulate, matrix, x_o = linear(10, 20, 0.0, 4)
    found = importance_posterior(simulate, standard_normal(10), x_o, 0.2, 4, n_first=300, batch=400, searches=12)
    assert found.ess >= 300 and found.searched > 500
    assert found.n_simulations == len(found.theta) + found.searched
    assert_close(found, *exact(matrix, x_o, 0.2))


def test_a_tolerance_that_no_parameters_reach_is_widened():
    simulate, matrix, x_o = linear(3, 30, 0.0, 5)
    x_o = x_o + 1.0 * np.random.default_rng(6).standard_normal(30)  # five times the tolerance
    found = importance_posterior(simulate, standard_normal(3), x_o, 0.2, 5, widen=True)
    assert found.widened * 0.2 == pytest.approx(1.0, rel=0.4) and found.beta == 1.0
    assert_close(found, *exact(matrix, x_o, 0.2 * found.widened))
    _, _, near = linear(3, 30, 0.0, 5)
    assert importance_posterior(simulate, standard_normal(3), near, 0.2, 5, widen=True).widened < 1.3


def test_statistics_beyond_all_bounds_weigh_nothing():
    line, matrix, x_o = linear(2, 4, 0.0, 7)

    def simulate(theta, seed):
        return np.where(theta[:, :1] < -2.0, 1e200, line(theta, seed))

    found = importance_posterior(simulate, standard_normal(2), x_o, 0.2, 7, n_first=400)
    assert np.isfinite(found.weights).all() and found.beta == 1.0
    assert_close(found, *exact(matrix, x_o, 0.2))


def test_few_draws_of_the_right_posterior_are_not_called_flat():
    simulate, _, x_o = linear(2, 3, 0.0, 1)
    with pytest.warns(FewEffectiveSimulationsWarning, match="of 9000 wanted: their percentiles are coarse"):
        found = importance_posterior(simulate, standard_normal(2), x_o, 0.2, 1, budget=2000, n_first=400, enough=9000)
    assert found.beta == 1.0


SIMULATE, _, X_O = linear(3, 5, 0.1, 3)
SMALL = {"n_first": 200, "batch": 100, "enough": 250, "budget": 3000}


def failing(after, error):
    """The simulator, which raises `error` at the call after so many; and the seeds that it was called with."""
    seeds = []

    def simulate(theta, seed):
        if len(seeds) == after:
            raise error
        seeds.append(seed)
        return SIMULATE(theta, seed)

    return simulate, seeds


def assert_same(a, b):
    for name in ("theta", "x", "weights"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.ess, a.beta, a.stopped) == (b.ess, b.beta, b.stopped)


def test_going_on_after_a_break_gives_the_same(tmp_path):
    prior = standard_normal(3)
    whole = importance_posterior(SIMULATE, prior, X_O, 0.2, 1, **SMALL)
    assert whole.n_simulations > 400
    broken, before = failing(3, RuntimeError("power cut"))
    with pytest.raises(RuntimeError, match="power cut"):
        importance_posterior(broken, prior, X_O, 0.2, 1, folder=tmp_path / "run", **SMALL)
    counted, after = failing(99, None)
    assert_same(importance_posterior(counted, prior, X_O, 0.2, 1, folder=tmp_path / "run", **SMALL), whole)
    assert len(before) == 3 and len(set(before + after)) == len(before + after) == 1 + (whole.n_simulations - 200) / 100
    done, none = failing(0, RuntimeError("nothing is left to do"))
    assert_same(importance_posterior(done, prior, X_O, 0.2, 1, folder=tmp_path / "run", **SMALL), whole)

    more = importance_posterior(SIMULATE, prior, X_O, 0.2, 1, folder=tmp_path / "run", **SMALL | {"enough": 500})
    assert more.ess >= 500
    np.testing.assert_array_equal(more.theta[: len(whole.theta)], whole.theta)

    for change, message in (
        ({"seed": 3}, "holds batches with another seed: 1; now 3"),
        ({"tolerance": 0.3}, "batches with another tolerance"),
        ({"batch": 101}, "batches with another batch: 100; now 101"),
        ({"prior": box_prior(Pospischil, ["g_Na", "g_K", "g_M"])}, "another prior"),
    ):
        arguments = {"prior": prior, "x_o": X_O, "tolerance": 0.2, "seed": 1, **SMALL} | change
        with pytest.raises(ValueError, match=message):
            importance_posterior(SIMULATE, folder=tmp_path / "run", **arguments)
    (tmp_path / "run" / "batch_1_simulations.npz").replace(tmp_path / "run" / "batch_2_simulations.npz")
    with pytest.raises(ValueError, match="batch_2_simulations.npz holds other parameters than this batch draws"):
        importance_posterior(SIMULATE, prior, X_O, 0.2, 1, folder=tmp_path / "run", **SMALL)


def test_interrupting_gives_what_there_is():
    by_hand, seeds = failing(2, KeyboardInterrupt())
    with pytest.warns(FewEffectiveSimulationsWarning):
        found = importance_posterior(by_hand, standard_normal(3), X_O, 0.2, 1, **SMALL)
    assert found.n_simulations == 300 and len(seeds) == 2 and "Ctrl-C" in found.stopped
    at_once, _ = failing(0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        importance_posterior(at_once, standard_normal(3), X_O, 0.2, 1, **SMALL)


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_o": np.r_[X_O[:4], np.nan]}, r"x_o = nan \(entry 4\); allowed: finite numbers"),
        ({"tolerance": np.zeros(5)}, r"tolerance = 0 \(entry 0\); allowed: above 0"),
        ({"tolerance": np.nan}, "tolerance = nan; allowed: above 0"),
        ({"tolerance": np.ones(4)}, r"tolerance has shape \(4,\); allowed: \(5,\)"),
        ({"x_o": X_O[:4]}, r"x of simulate has shape \(200, 5\); allowed: \(200, 4\)"),
        ({"simulate": lambda theta, seed: SIMULATE(theta, seed) * np.nan}, r"x of simulate = nan \(entry 0\)"),
        ({"prior": "flat"}, "prior is of type str; allowed: a Prior"),
        ({"n_first": 20}, "n_first = 20; allowed: an integer from 30"),
        ({"budget": 100}, "budget = 100; allowed: an integer from 200"),
        ({"batch": 0}, "batch = 0; allowed: an integer from 10"),
        ({"enough": 1.0}, "enough = 1; allowed: at least 2"),
        ({"seed": 1.5}, "seed = 1.5; allowed: an integer from 0"),
    ],
)
def test_bad_input(change, message):
    arguments = {"simulate": SIMULATE, "prior": standard_normal(3), "x_o": X_O, "tolerance": 0.2, "seed": 1, **SMALL}
    with pytest.raises(ValueError, match=message):
        importance_posterior(**arguments | change)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(ValueError, match="contains letter.txt but no batches: choose an empty one"):
        importance_posterior(SIMULATE, standard_normal(3), X_O, 0.2, 1, folder=tmp_path, **SMALL)


# -------------------------------------------------------------------------------------------------- proposals


def mixture():
    axes = np.array([[[1.0, 0.0], [0.5, 0.3]], np.eye(2) * 0.2, np.eye(2) * 0.5])
    return Proposal(np.array([0.5, 0.3, 0.2]), np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 2.0]]), axes, np.arange(3))


def test_the_density_of_a_proposal_is_that_of_its_draws():
    """The mean over its draws of another density over its own is 1, and a grid gives the same integral."""
    proposal = mixture()
    z = proposal.draw(100_000, np.random.default_rng(1))
    other = stats.multivariate_normal([1.0, 1.0], np.eye(2))
    ratio = other.pdf(z[np.abs(z).max(axis=1) < 30]) / np.exp(proposal.log_prob(z[np.abs(z).max(axis=1) < 30]))
    assert np.isfinite(ratio).all()
    side = np.linspace(-30, 30, 1201)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert np.exp(proposal.log_prob(grid)).sum() * (side[1] - side[0]) ** 2 == pytest.approx(1.0, abs=2e-3)
    np.testing.assert_allclose(z.mean(axis=0), proposal.shares @ proposal.means, atol=0.02)
    near = np.exp(proposal.log_prob(grid)) * (np.abs(grid - [3.0, 1.0]).max(axis=1) < 0.3)
    inside = (np.abs(z - [3.0, 1.0]).max(axis=1) < 0.3).mean()
    assert inside == pytest.approx(near.sum() * (side[1] - side[0]) ** 2, abs=0.03)


def test_sources_that_did_well_get_more_of_the_next_batch():
    proposal = mixture()
    z = proposal.draw(1000, np.random.default_rng(1))
    weights = stats.multivariate_normal([3.0, 1.0], 0.04 * np.eye(2)).pdf(z) / np.exp(proposal.log_prob(z))
    shares = shares_by_success(proposal, z, weights, FIRST_SHARES)
    assert shares.sum() == pytest.approx(1.0) and shares[1] > FIRST_SHARES[1] + 0.2 and (shares >= 0.1).all()
