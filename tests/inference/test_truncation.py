"""Regions of a prior: draws in a thin ellipsoid are those of the prior, and it grows where it cuts into a posterior."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from helpers.inference.marginals import normal, uniform
from helpers.inference.priors import box_prior, prior_of
from helpers.inference.truncation import MIN_FILLED, Truncated, truncated_around
from helpers.neurons.models import Pospischil

NAMES = ["g_Na", "g_K", "g_L", "g_M", "tau_max", "V_T", "noise", "E_L"]
EIGHT = box_prior(Pospischil, NAMES)
SHAPED = prior_of(
    Pospischil,
    {
        "g_Na": uniform(1.0, 100.0, log=True),
        "g_K": normal(7.0, 1.0),
        "g_L": normal(0.1, 0.5, log=True),
        "V_T": uniform(),
    },
)
MARGINALS = [
    *SHAPED.marginals,
    normal(2.0, 1.0, 2.0, 5.0),
    normal(5.0, 1.0, 2.0, 5.0),
    normal(3.0, 2.0, 2.0, 5.0, log=True),  # its mode lies below its lower bound
]


def narrow(prior, n=4000, alike=0.95):
    """Draws of a posterior of a 100th of the prior's width, in which all parameters are nearly one."""
    rng, k = np.random.default_rng(0), len(prior.names)
    u = np.sqrt(alike) * rng.standard_normal((n, 1)) + np.sqrt(1 - alike) * rng.standard_normal((n, k))
    return 0.5 * (prior.lower + prior.upper) + 0.01 * (prior.upper - prior.lower) * u


def test_an_ellipsoid_that_fills_hardly_any_of_its_box_is_drawn_from_directly():
    posterior = narrow(EIGHT)
    region = truncated_around(posterior, 0.5, Truncated.whole(EIGHT))
    assert region.thin and np.isfinite(region.radius)
    assert region._in_ellipsoids(region.box.draw(20_000, 1)).mean() < MIN_FILLED
    theta = region.draw(3000, 1)
    assert theta.shape == (3000, 8) and region.contains(theta).all()
    np.testing.assert_array_equal(theta, region.draw(3000, 1))
    assert region.contains(posterior).mean() > 0.95
    # Evenly in it: half of the volume lies within 0.5^(1/8) of the radius.
    assert (region.distance(theta) < 0.5 ** (1 / 8) * region.radius).mean() == pytest.approx(0.5, abs=0.06)
    inner = truncated_around(0.5 * (posterior - region.centre) + region.centre, 0.5, region)
    assert inner.thin and region.contains(inner.draw(1000, 2)).all()


def test_draws_in_the_ellipsoid_follow_the_prior():
    """Beside those by rejection from the box, where both are possible; the centre lies off that of the prior."""
    theta = SHAPED.draw(4000, 3)
    region = truncated_around(theta[theta[:, 1] > 7.0], 0.1, Truncated.whole(SHAPED))
    region = replace(region, radius=2.5)
    assert not region.thin
    direct, rejected = replace(region, thin=True).draw(6000, 4), region.draw(6000, 5)
    for column, name in enumerate(SHAPED.names):
        assert ks_2samp(direct[:, column], rejected[:, column]).pvalue > 1e-3, name
    assert ks_2samp(region.distance(direct), region.distance(rejected)).pvalue > 1e-3


@pytest.mark.parametrize("marginal", MARGINALS, ids=str)
def test_the_peak_of_a_marginal_is_its_highest_density(marginal):
    values = torch.linspace(marginal.low, marginal.high, 5001, dtype=torch.float64)
    high = torch.full_like(values, marginal.high)
    density = marginal.cdf_and_log_prob(values, high)[1]
    peak = marginal.cdf_and_log_prob(torch.full_like(values, marginal.peak), high)[1][0]
    assert marginal.low <= marginal.peak <= marginal.high
    assert density.max() - 1e-9 <= peak <= density.max() + 1e-3


def test_a_thin_ellipsoid_that_cuts_into_a_posterior_grows_and_stays_one():
    posterior = narrow(EIGHT)
    region = truncated_around(posterior, 0.5, Truncated.whole(EIGHT))
    assert region.grown(posterior, EIGHT) is region
    rounder = narrow(EIGHT, alike=0.0)  # as wide, but without what makes the ellipsoid thin
    assert region.outer_mass(rounder) > 0.5
    grown = region.grown(rounder, EIGHT)
    assert grown.thin and region.radius < grown.radius < 2 * region.radius
    assert grown.contains(rounder).mean() > region.contains(rounder).mean()
    wide = replace(region, thin=False).grown(rounder, EIGHT)
    assert np.isinf(wide.radius), "drawn from the box, all of it is used"
