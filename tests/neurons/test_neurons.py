"""Equations and declarations: every gate against an independent text, every parameter with its one declaration."""

import dataclasses
import math

import numpy as np
import pytest
from support import oracles

from helpers.neurons.models import HodgkinHuxley, Pospischil

GRID = np.linspace(-120, 60, 181)  # passes through the 0/0 points -40, -55 (squid), -47, -45, -20 (cortex)


@pytest.mark.parametrize(
    ("neuron", "rates"), [(HodgkinHuxley(), oracles.hodgkin_huxley), (Pospischil(), oracles.pospischil)]
)
def test_rates_against_the_papers(neuron, rates):
    for name in neuron.gates:
        alpha, beta = neuron.rates(name, GRID)
        expected = np.array([rates(float(V))[name] for V in GRID])
        np.testing.assert_allclose(np.column_stack([alpha, beta]), expected, rtol=1e-6)
        np.testing.assert_allclose(
            neuron.steady_state(name, GRID) / neuron.time_constant(name, GRID), alpha, rtol=1e-12
        )


def test_rates_are_continuous_through_their_singular_points():
    for neuron, name, V in ((HodgkinHuxley(), "m", -40.0), (HodgkinHuxley(), "n", -55.0), (Pospischil(), "m", -47.0)):
        at, near = neuron.rates(name, V)[0], neuron.rates(name, V + 1e-7)[0]
        assert math.isfinite(at)
        assert abs(at - near) < 1e-7


def test_one_declaration_feeds_docstring_label_and_error():
    declared = HodgkinHuxley.parameters()["g_Na"]
    assert (declared.default, declared.unit, declared.label) == (120.0, "mS/cm²", "g_Na (mS/cm²)")
    assert "g_Na: maximal sodium conductance [mS/cm²], default 120" in HodgkinHuxley.__doc__
    for neuron in (HodgkinHuxley, Pospischil):
        for entry in neuron.parameters().values():
            assert entry.minimum <= entry.low <= entry.default <= entry.high <= entry.maximum, entry


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"block_Na": 50.0}, r"block_Na = 50; allowed: from 0 to 1"),
        ({"g_Na": -1.0}, r"g_Na = -1 mS/cm²; allowed: at least 0 mS/cm²"),
        ({"g_K": math.nan}, r"g_K = nan mS/cm²; allowed: at least 0"),
        ({"E_Na": math.inf}, r"E_Na = inf mV; allowed: a finite number"),
        ({"C": 0.0}, r"C = 0 µF/cm²; allowed: at least 0.01"),
        ({"g_L": "much"}, r"g_L = 'much' is not a number"),
        ({"g_L": np.array([0.1, 0.2])}, r"g_L takes one number, got an array of shape \(2,\).*simulate_many"),
        ({"noise": -0.1}, r"noise = -0.1 µA/cm²·√ms; allowed: at least 0"),
    ],
)
def test_bad_parameters_are_refused_by_name_value_and_unit(given, message):
    with pytest.raises(ValueError, match=message):
        HodgkinHuxley(**given)


def test_neurons_are_frozen_and_replaceable():
    neuron = HodgkinHuxley()
    with pytest.raises(dataclasses.FrozenInstanceError):
        neuron.g_Na = 1.0
    assert dataclasses.replace(neuron, g_Na=100.0).g_Na == 100.0
    with pytest.raises(ValueError, match="g_Na = -5"):
        dataclasses.replace(neuron, g_Na=-5.0)
