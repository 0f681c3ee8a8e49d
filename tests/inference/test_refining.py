"""The density estimator that refines its guess: a density, whose draws follow it, from numbers of any size."""

import numpy as np
import pytest
import torch

from helpers.inference.density_estimators import repeatable
from helpers.inference.embedding import Convolutional
from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior
from helpers.inference.refining import RefiningEstimator
from helpers.neurons.models import Pospischil

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 2.0], high=[60.0, 8.0])
NOISE = 0.002  # of the statistics, where the prior has width 1


def counted(theta, seed):
    """Four statistics: a whole number, a curved one that jumps with it, a smooth one, and one that never varies."""
    a, b = ((theta - PRIOR.lower) / (PRIOR.upper - PRIOR.lower)).T
    noise = NOISE * np.random.default_rng(seed).standard_normal((2, len(theta)))
    count = np.floor(3 * (a + b))
    return np.column_stack([count, np.exp(a) + 0.3 * count + noise[0], b + 0.2 * a**2 + noise[1], np.full(len(a), 7.0)])


def network_of(n_parameters, n_statistics, seed=0):
    """A network with weights that do not begin at 0."""
    with repeatable(seed):
        network = RefiningEstimator(n_parameters, n_statistics)
        network.prepare(torch.randn(500, n_statistics))
        for weights in network.parameters():
            weights.data += 0.1 * torch.randn_like(weights)
    return network.eval()


def test_it_is_a_density():
    network, x = network_of(1, 3), torch.tensor([[0.3, -1.0, 0.5]])
    grid = torch.linspace(-40, 40, 4001)[:, None]
    with torch.no_grad():
        density = network.log_prob(grid, x.expand(len(grid), -1)).exp()
    assert density.sum() * 0.02 == pytest.approx(1.0, abs=0.01)


def test_draws_follow_the_density():
    """Of a normal mixture in three parameters, correlated: the mean log-density of draws is minus the entropy."""
    network, x = network_of(3, 2), torch.tensor([[0.3, -1.0]])
    with repeatable(1), torch.no_grad():
        drawn = network.sample((20_000,), condition=x)[:, 0]
        mean, covariance = drawn.mean(0), torch.cov(drawn.T)
        wide = torch.distributions.MultivariateNormal(mean, 2.0 * covariance)
        proposed = wide.sample((20_000,))
        log_prob = network.log_prob(proposed, x.expand(20_000, -1))
    weights = (log_prob - wide.log_prob(proposed)).exp()  # importance sampling: the same moments from the density
    assert weights.mean() == pytest.approx(1.0, abs=0.1)
    again = (weights[:, None] * proposed).mean(0) / weights.mean()
    np.testing.assert_allclose(again, mean, atol=0.1 * covariance.diagonal().sqrt().max())
    centred = proposed - again
    other = torch.einsum("n,ni,nj->ij", weights, centred, centred) / weights.sum()
    np.testing.assert_allclose(other, covariance, atol=0.1 * covariance.diagonal().max())


def test_whole_numbers_have_inputs_of_their_own():
    network = RefiningEstimator(2, 4)
    network.prepare(torch.as_tensor(counted(PRIOR.draw(2000, seed=0), 1)).float())
    assert network.levels.isfinite().sum() == 6 and (network.level_of == 0).all()
    seen, level = network._seen(torch.tensor([[2.0, 1.5, 0.5, 7.0], [9.0, 1.5, 0.5, 7.0], [2.5, 1e6, -1e6, 7.0]]))
    np.testing.assert_array_equal(level.sum(1), [1, 0, 0])
    assert level[0, 2] == 1
    assert seen.isfinite().all() and seen.abs().max() <= 10


def test_recordings_are_refused():
    theta, x = PRIOR.draw(60, seed=0), np.random.default_rng(0).standard_normal((60, 400, 1))
    with pytest.raises(ValueError, match="takes summary statistics; allowed with an embedding: 'maf', 'nsf', 'mdn'"):
        train_npe(PRIOR, theta, x, 1, model="refining", embedding=Convolutional(), epochs=1)
