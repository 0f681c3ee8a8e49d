"""Each warning comes where it must, and stays away where it must, over many truths."""

import pickle

import numpy as np
import pytest
from scipy import stats

from helpers.inference.marginals import normal, uniform
from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior, prior_of
from helpers.inference.warning_classes import EdgeMassWarning, ParametersOnBoundsWarning
from helpers.neurons.models import LeakyIntegrateAndFire, Pospischil

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 2.0], high=[60.0, 8.0])
WIDTH = PRIOR.upper - PRIOR.lower


def cut_off_normals(reading, sd, n, seed):
    """Draws (n_truths, n, 2) of exact posteriors: for each reading a normal of SD `sd`, cut off at 0 and 1."""
    shares = np.random.default_rng(seed).random((len(reading), n, 2))
    ends = (0.0 - reading[:, None]) / sd, (1.0 - reading[:, None]) / sd
    return stats.truncnorm.ppf(shares, *ends, reading[:, None], sd)


# ------------------------------------------------------------------------------------------------ mass at an edge


@pytest.mark.parametrize("sd", [0.001, 0.003, 0.03, 0.3, 3.0])
def test_posteriors_of_truths_from_the_prior_are_not_piled_up(sd):
    """However narrow they are: only where a truth itself lies in an outermost 0.1 % may that be said, 1 in 250."""
    rng = np.random.default_rng(0)
    truths = rng.random((1000, 2))
    draws = cut_off_normals(truths + sd * rng.standard_normal(truths.shape), sd, 25, 1)
    fired = [EdgeMassWarning.of(PRIOR, PRIOR.lower + WIDTH * own) is not None for own in draws]
    assert np.mean(fired) <= 0.008


def test_the_prior_itself_is_not_piled_up():
    chain = prior_of(
        LeakyIntegrateAndFire,
        {"V_init": normal(-70.0, 2.0), "E_L": uniform(), "g_L": uniform(log=True)},
        below={"V_init": ("E_L", 0.5)},
    )
    for prior in (PRIOR, chain):
        assert not any(EdgeMassWarning.of(prior, prior.draw(50, seed)) for seed in range(300))


@pytest.mark.parametrize(("column", "side"), [(0, "lower"), (0, "upper"), (1, "lower"), (1, "upper")])
def test_data_that_ask_for_values_beyond_a_bound_pile_draws_up_at_it(column, side):
    rng = np.random.default_rng(2)
    readings = rng.random((200, 2)) * 0.8 + 0.1
    beyond = rng.uniform(0.2, 1.0, 200)
    readings[:, column] = -beyond if side == "lower" else 1 + beyond
    for own in PRIOR.lower + WIDTH * cut_off_normals(readings, 0.01, 200, 3):
        (edge,) = EdgeMassWarning.of(PRIOR, own).edges
        assert edge.parameter == PRIOR.names[column] and edge.bound.startswith(side) and 0.5 < edge.share <= 1.0


def test_a_network_says_at_which_bound_its_draws_are_piled_up():
    theta = PRIOR.draw(300, seed=0)
    x = (theta - PRIOR.lower) / WIDTH
    posterior = train_npe(PRIOR, theta, x, seed=0, model="mdn", epochs=30)
    posterior.sample(100, np.array([0.5, 0.5]), seed=0)
    posterior.network.scaling.highest[1] = 9.0  # as if such a value had been simulated
    wanted = r"% of the draws of g_K lie in the outermost 0\.1 % of its prior, at the upper bound, 8 mS/cm²\. Widen"
    with pytest.warns(EdgeMassWarning, match=wanted) as said:
        draws = posterior.sample(400, np.array([0.5, 4.0]), seed=1)
    share = np.mean(draws[:, 1] > 8.0 - 0.001 * 6.0)
    assert said[0].message.edges[0].share == pytest.approx(share, abs=0.01)
    assert "a bound" not in str(said[0].message) and said[0].filename == __file__


def test_few_draws_tell_nothing():
    piled_up = np.tile(PRIOR.upper, (10, 1))
    assert EdgeMassWarning.of(PRIOR, piled_up[:9]) is None
    assert [edge.share for edge in EdgeMassWarning.of(PRIOR, piled_up).edges] == [1.0, 1.0]


def test_a_bound_that_depends_on_another_parameter_is_named():
    chain = prior_of(
        LeakyIntegrateAndFire, {"V_init": uniform(), "E_L": uniform()}, below={"V_init": ("E_L", 0.5)}
    )
    theta = chain.draw(20, seed=1)
    theta[:, 0] = np.minimum(-65.0, theta[:, 1] - 0.5) - 1e-4
    assert "upper bound, -65 mV or E_L - 0.5" in str(EdgeMassWarning.of(chain, theta))


# -------------------------------------------------------------------------------------------- parameters on bounds


def readings(theta, sd=0.05):
    return (theta - PRIOR.lower) / WIDTH + sd * np.random.default_rng(1).standard_normal(theta.shape)


def test_simulations_on_a_bound_are_left_out_of_the_training():
    """The same network as without them: they change nothing."""
    theta = PRIOR.draw(200, seed=0)
    spoilt = theta.copy()
    spoilt[::10, 1], spoilt[5, 0] = PRIOR.upper[1], PRIOR.lower[0]
    x, kept = readings(theta), np.ones(200, dtype=bool)
    kept[::10] = kept[5] = False
    text = r"21 of 200 simulations have a parameter exactly on a bound of the prior \(g_Na in 1, g_K in 20\)"
    how = {"model": "mdn", "epochs": 3}
    with pytest.warns(ParametersOnBoundsWarning, match=text) as said:
        posterior = train_npe(PRIOR, spoilt, x, 0, **how)
    clean = train_npe(PRIOR, theta[kept], x[kept], 0, **how)
    np.testing.assert_array_equal(posterior.losses[0], clean.losses[0])
    warned = said[0].message
    assert (warned.names, warned.counts, warned.left_out) == (("g_Na", "g_K"), (1, 20), 21)
    assert str(pickle.loads(pickle.dumps(warned))) == str(warned) and said[0].filename == __file__


def test_a_grid_that_ends_a_rounding_error_inside_counts_as_on_the_bounds():
    prior = prior_of(Pospischil, {"g_M": uniform(log=True)})
    grid = np.geomspace(prior.lower[0] * (1 + 1e-15), prior.upper[0] * (1 - 1e-15), 60)[:, None]
    with pytest.warns(ParametersOnBoundsWarning, match=r"2 of 60 .*\(g_M in 2\)"):
        train_npe(prior, grid, np.log(grid), 0, model="mdn", epochs=1)


def test_draws_from_a_prior_never_lie_on_a_bound():
    far = prior_of(Pospischil, {"g_Na": normal(40.0, 2.0, 0.5, 80.0), "g_M": uniform(log=True), "g_K": uniform()})
    shares = far.shares(far.sample((20_000,))).numpy()  # in single precision
    assert ParametersOnBoundsWarning.of(far.names, (shares < 1e-12) | (shares > 1 - 1e-12)) is None


def test_nothing_is_left_of_a_design_of_corners():
    corners = np.array(np.meshgrid(PRIOR.lower, PRIOR.upper)).reshape(2, -1).T[np.zeros(80, dtype=int)]
    corners[:, 0], corners[:, 1] = PRIOR.lower[0], PRIOR.upper[1]
    with pytest.raises(ValueError, match="80 of 80 simulations .* without them 0 are too few to train on"):
        train_npe(PRIOR, corners, readings(corners), 0)
