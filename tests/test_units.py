"""The f-I curve against published rates, fits against curves that they must find again."""

import numpy as np
import pytest

from helpers.neurons import HodgkinHuxley
from helpers.units import ACTIVATIONS, fit_activation, measure_f_I

CURRENTS = np.arange(0.0, 51.0)


def test_f_I_curve_of_the_squid_axon():
    rates = measure_f_I(HodgkinHuxley(), np.array([0.0, 6.0, 6.5, 10.0, 20.0, 50.0, 100.0]))
    np.testing.assert_allclose(rates, [0, 0, 55, 68, 86, 117, 0], atol=1)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_curve_of_its_own_shape_is_found_again(name):
    rates = 120.0 * ACTIVATIONS[name](0.15 * (CURRENTS - 12.0))
    fit = fit_activation(name, CURRENTS, rates)
    assert fit.R2 > 0.9999
    np.testing.assert_allclose(fit(CURRENTS), rates, atol=0.5)
    assert fit.bias == pytest.approx(12.0, abs=0.5)


def test_fits_of_a_silent_neuron_explain_nothing():
    assert fit_activation("tanh", CURRENTS, np.zeros(51)).R2 == 0.0


def test_activations_are_different_functions():
    """A sigmoid is a shifted, scaled tanh (of half the slope): with a free offset they would be one curve, here not."""
    z = np.linspace(-4, 4, 101)
    curves = {name: function(z) for name, function in ACTIVATIONS.items()}
    names = list(curves)
    assert all(
        np.ptp(curves[a] / curves[a].max() - curves[b] / curves[b].max()) > 0.1 for a in names for b in names if a < b
    )


@pytest.mark.parametrize(
    ("name", "rates", "message"),
    [
        ("step", np.zeros(51), "activation 'step'; allowed: ReLU"),
        ("ReLU", np.zeros(50), r"currents \(51,\) and rates \(50,\)"),
    ],
)
def test_bad_fits(name, rates, message):
    with pytest.raises(ValueError, match=message):
        fit_activation(name, CURRENTS, rates)
