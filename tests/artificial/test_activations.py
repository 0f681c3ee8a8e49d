"""Tabulated activations: values, slopes against finite differences, dead units by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.artificial.activations import TabulatedActivation, as_activation, hidden_layer, silent_fraction

Z = np.linspace(-2.0, 3.0, 51)


def test_values_between_and_beyond_the_points():
    table = TabulatedActivation(Z, np.sin(Z))
    z = torch.linspace(-4.0, 5.0, 400)
    np.testing.assert_allclose(table(z).numpy(), np.interp(z.numpy(), Z, np.sin(Z)), atol=1e-6)


def test_slope_is_that_of_the_function():
    table = TabulatedActivation(Z, np.sin(Z)).double()
    z = torch.linspace(-1.93, 2.93, 50, dtype=torch.float64, requires_grad=True)  # never on a point
    (slope,) = torch.autograd.grad(table(z).sum(), z)
    h = 1e-6
    with torch.no_grad():
        np.testing.assert_allclose(slope, (table(z + h) - table(z - h)) / (2 * h), atol=1e-5)
    np.testing.assert_allclose(slope, np.cos(z.detach().numpy()), atol=0.06)  # steps of 0.1


def test_no_slope_beyond_the_ends():
    z = torch.tensor([-5.0, 7.0], requires_grad=True)
    (slope,) = torch.autograd.grad(TabulatedActivation(Z, np.exp(Z))(z).sum(), z)
    assert not slope.any()


def test_a_measured_curve_loses_its_units():
    currents, rates = np.array([0.0, 10.0, 20.0, 30.0]), np.array([0.0, 0.0, 40.0, 60.0])
    one = as_activation(currents, rates, zero=10.0, one=20.0)
    scaled = as_activation(1000 * currents, 7 * rates, zero=1e4, one=2e4)
    z = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0, 9.0])
    np.testing.assert_allclose(one(z), [0.0, 0.0, 0.5, 1.0, 1.5, 1.5], atol=1e-5)
    np.testing.assert_allclose(scaled(z), one(z), atol=1e-5)
    by_itself = as_activation(currents, rates)  # 0 at 10, 4 at 30, and 1 at 15, where the rate is 20 Hz
    np.testing.assert_allclose(by_itself(torch.tensor([0.0, 1.0, 2.0, 4.0, 9.0])), [0.0, 1.0, 2.0, 3.0, 3.0], atol=1e-5)


def test_silent_units_by_hand():
    network = hidden_layer(nn.ReLU(), 2, 4, 3)
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        network[0].bias.zero_()
    x = torch.tensor([[1.0, 2.0], [3.0, 1.0], [2.0, -1.0]])
    assert silent_fraction(network, x) == 0.5  # of 12 answers 3, 1 and 2 of the second, third and fourth unit


@pytest.mark.parametrize(
    ("z", "values", "message"),
    [
        (Z, Z[1:], r"values has shape \(50,\); allowed: \(51,\)"),
        (Z, Z * np.nan, "values = nan .*finite"),
        (Z**3, Z, "evenly"),
        (-Z, Z, "rising"),
    ],
)
def test_bad_tables(z, values, message):
    with pytest.raises(ValueError, match=message):
        TabulatedActivation(z, values)


def test_bad_anchors():
    with pytest.raises(ValueError, match="zero = 2, one = 1; allowed: rising"):
        as_activation(Z, Z, 2.0, 1.0)
    with pytest.raises(ValueError, match="rate at one = 1 is 0 Hz"):
        as_activation(Z, np.zeros(51), 0.0, 1.0)
