"""Correlations of two parameters while the others are fixed, next to those when they are not."""

import numpy as np
import pytest

from helpers import inference

TRUTH = np.array([[-54.0, 10.0, 9.0, -77.0, -74.0, -68.0]])  # V_th, tau_m, g_L, V_reset, V_init, E_L


@pytest.fixture(scope="module")
def drawn():
    recipe = inference.RECIPES["lif-statistics"]
    posterior, x_o = inference.load_or_train(recipe), recipe.simulator(TRUTH, seed=21)[0]
    return posterior, x_o, posterior.sample(1000, x_o, seed=1)


def test_two_parameters_of_one_sum(drawn):
    """g_L and E_L appear in the equation of V together, so they are exchanged whatever the others do."""
    posterior, x_o, draws = drawn
    held = inference.conditional_correlations(posterior, x_o, draws, resolution=12)
    assert held.shape == (6, 6) and np.isfinite(held).all() and np.abs(held).max() <= 1.001
    np.testing.assert_allclose(held, held.T, atol=1e-6)
    together = np.corrcoef(draws.T)
    assert held[2, 5] > 0.7 and together[2, 5] > 0.7
    assert np.abs(held[4, [0, 3]]).max() < 0.5  # V_init, with threshold and reset


def test_draws_of_another_posterior_are_refused(drawn):
    posterior, x_o, draws = drawn
    with pytest.raises(ValueError, match="draws"):
        inference.conditional_correlations(posterior, x_o, draws[:, :4])
