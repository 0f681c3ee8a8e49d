"""Priors against scipy's distributions, their chain of dependencies, and every way in which they can be wrong."""

import numpy as np
import pytest
import torch
from scipy import stats

from helpers.inference.marginals import normal, uniform
from helpers.inference.priors import Prior, box_prior, prior_of
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire, Pospischil

LIF = prior_of(
    LeakyIntegrateAndFire,
    {
        "V_th": normal(-55.0, 2.0),
        "tau_m": normal(10.0, 0.2, log=True),
        "V_reset": normal(-72.0, 2.0),
        "V_init": normal(-70.0, 2.0),
        "E_L": normal(-70.0, 2.0),
        "g_L": uniform(log=True),
    },
    below={"V_init": ("E_L", 0.5), "V_reset": ("V_init", 0.5)},
)


def test_the_box_covers_its_ranges_and_repeats():
    prior = box_prior(Pospischil(), ["g_Na", "V_T"])
    theta = prior.draw(5000, seed=1)
    np.testing.assert_array_equal(theta, prior.draw(5000, seed=1))
    np.testing.assert_allclose([theta.min(axis=0), theta.max(axis=0)], [[0.5, -90], [80, -40]], atol=0.1)
    assert list(prior.by_name(theta)) == ["g_Na", "V_T"]
    np.testing.assert_allclose(prior.log_prob(torch.as_tensor(theta)), -np.log(79.5 * 50), rtol=1e-5)
    assert prior.sample((3, 2)).shape == (3, 2, 2) and prior.sample().shape == (2,)


def test_marginals_are_those_of_scipy():
    theta = dict(zip(LIF.names, LIF.draw(20000, seed=0).T, strict=True))
    exact = {
        "V_th": stats.truncnorm(-2.5, 2.5, -55, 2),
        "E_L": stats.truncnorm(-2.5, 5, -70, 2),
        "g_L": stats.loguniform(5, 15),
    }
    for name, distribution in exact.items():
        assert stats.kstest(theta[name], distribution.cdf).pvalue > 0.01
    half = np.log(2) / 0.2  # from 10 ms to 5 and to 20 ms, in SD
    assert stats.kstest(np.log(theta["tau_m"]), stats.truncnorm(-half, half, np.log(10), 0.2).cdf).pvalue > 0.01


def test_a_chain_of_dependencies_has_the_density_of_its_conditionals():
    """V_reset below V_init below E_L: each a normal cut off at the one above, less 0.5 mV."""
    theta = LIF.draw(500, seed=3)
    V_th, tau_m, V_reset, V_init, E_L, g_L = theta.T
    assert (V_init <= E_L - 0.5).all() and (V_reset <= V_init - 0.5).all()

    def cut(value, mean, low, high):
        return stats.truncnorm.logpdf(value, (low - mean) / 2, (high - mean) / 2, mean, 2)

    log_tau = stats.norm(np.log(10), 0.2)
    exact = (
        cut(V_th, -55, -60, -50)
        + (log_tau.logpdf(np.log(tau_m)) - np.log(log_tau.cdf(np.log(20)) - log_tau.cdf(np.log(5))) - np.log(tau_m))
        + cut(V_reset, -72, -85, np.minimum(-65, V_init - 0.5))
        + cut(V_init, -70, -80, np.minimum(-65, E_L - 0.5))
        + cut(E_L, -70, -75, -60)
        + stats.loguniform(5, 15).logpdf(g_L)
    )
    np.testing.assert_allclose(LIF.log_prob(torch.as_tensor(theta)), exact, atol=2e-5)
    wrong = theta[:1].copy()
    wrong[0, 3] = wrong[0, 4]
    assert LIF.log_prob(torch.as_tensor(wrong)) == -np.inf
    assert torch.isfinite(LIF.log_prob(LIF.sample((1000,)))).float().mean() > 0.99  # single precision may sit on an end


CORRELATED = prior_of(
    Pospischil,
    {"g_Na": normal(40.0, 6.0, 0.5, 80.0), "g_K": normal(7.0, 1.0), "g_M": uniform(log=True), "V_T": uniform()},
    correlations={("g_K", "g_Na"): 0.8, ("g_M", "V_T"): -0.5},
)


@pytest.mark.parametrize("prior", [LIF, box_prior(Pospischil, ["g_Na", "g_K"]), CORRELATED])
def test_standard_normal_numbers_stand_for_the_parameters(prior):
    theta = torch.as_tensor(prior.draw(20000, seed=1))
    z = prior.to_normal(theta)
    torch.testing.assert_close(prior.from_normal(z), theta, rtol=1e-9, atol=1e-9)
    assert all(stats.kstest(column, stats.norm.cdf).pvalue > 0.01 for column in z.numpy().T)
    off_diagonal = np.corrcoef(z.numpy().T) - np.eye(len(prior.names))
    assert abs(off_diagonal).max() < 0.03


def test_correlated_parameters_keep_their_distributions_and_have_the_density_of_a_multivariate_normal():
    """Six SDs and more from all bounds g_Na and g_K are together a bivariate normal, known in closed form."""
    theta = CORRELATED.draw(20_000, seed=1)
    exact = [
        stats.norm(40.0, 6.0),
        stats.truncnorm(-7.0, 8.0, 7.0, 1.0),
        stats.loguniform(*(end[2] for end in (CORRELATED.lower, CORRELATED.upper))),
        stats.uniform(-90.0, 50.0),
    ]
    assert all(stats.kstest(own, one.cdf).pvalue > 0.01 for own, one in zip(theta.T, exact, strict=True))
    assert np.corrcoef(theta[:, :2].T)[0, 1] == pytest.approx(0.8, abs=0.01)
    assert abs(np.corrcoef(theta[:, 0], theta[:, 2])[0, 1]) < 0.03
    z = stats.norm.ppf([exact[2].cdf(theta[:500, 2]), exact[3].cdf(theta[:500, 3])]).T
    both = stats.multivariate_normal([40.0, 7.0], [[36.0, 4.8], [4.8, 1.0]]).logpdf(theta[:500, :2])
    other = stats.multivariate_normal([0, 0], [[1, -0.5], [-0.5, 1]]).logpdf(z) - stats.norm.logpdf(z).sum(axis=1)
    other += exact[2].logpdf(theta[:500, 2]) + exact[3].logpdf(theta[:500, 3])
    np.testing.assert_allclose(CORRELATED.log_prob(torch.as_tensor(theta[:500])), both + other, atol=1e-4)
    assert CORRELATED.log_prob(torch.tensor([[90.0, 7.0, 0.01, -60.0]])) == -np.inf


def test_a_correlated_prior_repeats_survives_as_data_and_says_what_it_is():
    theta = CORRELATED.draw(9, seed=3)
    np.testing.assert_array_equal(theta[4:], CORRELATED.draw(5, seed=3, first=4))
    again = Prior.from_data(CORRELATED.as_data())
    np.testing.assert_array_equal(theta, again.draw(9, seed=3))
    assert CORRELATED.difference(again) == "" and CORRELATED.sample((2, 3)).shape == (2, 3, 4)
    lines = CORRELATED.table().splitlines()
    assert "correlations" in lines[0] and "g_K +0.8" in lines[1] and "g_M -0.5" in lines[4]
    assert "correlation" not in LIF.table() and "correlations" not in LIF.as_data()
    with pytest.raises(ValueError, match="g_K and g_Na, g_M and V_T are correlated cannot be cut down to a box"):
        CORRELATED.restricted(CORRELATED.lower, CORRELATED.upper)


@pytest.mark.parametrize(
    ("correlations", "message"),
    [
        ({("g_Na", "g_Ca"): 0.5}, r"\('g_Na', 'g_Ca'\); allowed: each pair once, of different ones of g_Na, g_K, g_M"),
        ({("g_Na", "g_Na"): 0.5}, "each pair once"),
        ({"g_Na": 0.5}, "each pair once"),
        ({("g_Na", "g_K"): 0.5, ("g_K", "g_Na"): 0.5}, "each pair once"),
        ({("g_Na", "g_K"): 1.0}, r"correlations: \('g_Na', 'g_K'\) = 1; allowed: from -0.999 to 0.999"),
        ({("g_Na", "g_K"): np.nan}, "allowed: from -0.999"),
        ({("g_Na", "g_K"): 0.9, ("g_K", "g_M"): 0.9, ("g_Na", "g_M"): -0.9}, "contradict each other"),
        ([0.5], "correlations is of type list; allowed: numbers by pairs of names"),
    ],
)
def test_bad_correlations(correlations, message):
    with pytest.raises(ValueError, match=message):
        prior_of(Pospischil, {"g_Na": uniform(), "g_K": uniform(), "g_M": uniform()}, correlations=correlations)


def test_a_prior_is_a_chain_or_correlated():
    pair = {"V_init": uniform(), "E_L": uniform()}
    with pytest.raises(ValueError, match="either parameters below others or correlations"):
        prior_of(LeakyIntegrateAndFire, pair, {"V_init": ("E_L", 0.5)}, {("V_init", "E_L"): 0.5})


def test_cutting_down_keeps_relative_probabilities():
    prior = prior_of(Pospischil, {"g_Na": normal(50, 10), "g_M": uniform(log=True)})
    small = prior.restricted(np.array([45.0, -1.0]), np.array([52.0, 0.01]))
    assert (small.lower == [45.0, 1e-4]).all() and (small.upper == [52.0, 0.01]).all()
    theta = torch.as_tensor(small.draw(100, seed=0))
    gained = small.log_prob(theta) - prior.log_prob(theta)
    np.testing.assert_allclose(gained, gained[0].item(), atol=1e-5)
    draws = prior.draw(100_000, seed=0)
    share = ((draws >= small.lower) & (draws <= small.upper)).all(axis=1).mean()
    assert float(gained[0]) == pytest.approx(-np.log(share), abs=0.02)
    with pytest.raises(ValueError, match="V_init, V_reset must lie below others cannot be cut down"):
        LIF.restricted(LIF.lower, LIF.upper)


def test_the_table_says_what_is_believed():
    lines = LIF.table().splitlines()
    assert lines[0].split() == ["parameter", "unit", "distribution", "low", "high", "below", "meaning"]
    assert lines[2].split()[:6] == ["tau_m", "ms", "lognormal(10,", "0.2)", "5", "20"]
    assert "V_init - 0.5" in lines[3]
    assert "below" not in box_prior(Pospischil, ["g_Na"]).table()


def test_a_prior_survives_as_data():
    again = Prior.from_data(LIF.as_data())
    np.testing.assert_array_equal(again.draw(10, seed=0), LIF.draw(10, seed=0))
    assert LIF.difference(again) == ""


def test_truths_outside_are_named():
    prior = box_prior(Pospischil, ["g_Na", "g_K"])
    np.testing.assert_array_equal(prior.check([50.0, 5.0]), [50.0, 5.0])
    with pytest.raises(ValueError, match=r"truth: g_K = 20 mS/cm² lies outside the prior; allowed: from 0.0001 to 15"):
        prior.check([50.0, 20.0], "truth")
    with pytest.raises(ValueError, match=r"theta\[1\]: g_Na = nan"):
        prior.check([[50.0, 5.0], [np.nan, 5.0]])
    with pytest.raises(ValueError, match=r"truth has shape \(3,\); allowed: \(..., 2\)"):
        prior.check([1.0, 2.0, 3.0], "truth")
    truth = LIF.draw(1, seed=0)[0]
    truth[3] = truth[4] - 0.2
    with pytest.raises(ValueError, match=r"V_init = .* outside the prior; allowed: at most E_L - 0.5 = "):
        LIF.check(truth)


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
def test_bad_boxes(arguments, message):
    with pytest.raises(ValueError, match=message):
        box_prior(HodgkinHuxley(), *arguments)


@pytest.mark.parametrize(
    ("marginals", "below", "message"),
    [
        ({"V_th": normal(-55, 0)}, None, "V_th: sd = 0; allowed: above 0"),
        ({"V_th": normal(-5, 1)}, None, "V_th: mean = -5 mV; allowed: from -60 to -50 mV"),
        ({"V_th": uniform(log=True)}, None, "V_th: low = -60 mV; allowed on a logarithmic scale: above 0 mV"),
        ({"V_th": uniform()}, {"V_th": ("E_L", 0.5)}, "below: V_th under E_L; allowed: two different ones of V_th"),
        (
            {"V_th": uniform(), "E_L": uniform()},
            {"V_th": ("E_L", 0.5)},
            "V_th cannot always lie 0.5 mV under E_L: they begin at -60 and -75 mV",
        ),
        (
            {"V_init": uniform(), "E_L": uniform()},
            {"E_L": ("V_init", 0.5)},
            "E_L cannot always lie 0.5 mV under V_init",
        ),
        ({"V_init": uniform(), "E_L": uniform()}, {"V_init": ("E_L", -1.0)}, "cannot always lie -1 mV under E_L"),
        (
            {"V_reset": uniform(), "V_init": uniform()},
            {"V_reset": ("V_init", 0.1), "V_init": ("V_reset", 0.1)},  # round in a circle
            "V_init cannot always lie 0.1 mV under V_reset",
        ),
    ],
)
def test_bad_priors(marginals, below, message):
    with pytest.raises(ValueError, match=message):
        prior_of(LeakyIntegrateAndFire, marginals, below)
