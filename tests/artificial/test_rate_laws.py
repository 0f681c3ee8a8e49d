"""The f-I curve of the LIF against a closed form; fits against curves that they must find again."""

import numpy as np
import pytest

from helpers.artificial.rate_laws import (
    RATE_LAWS,
    fit_rate_law,
    fit_rate_laws,
    lif_rate,
    lif_rheobase,
    r_squared,
)
from helpers.experiments.f_I import measure_f_I
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire

CURRENTS = np.arange(0.0, 51.0)
SHAPES = {"leaky ReLU": 0.1, "LIF": 3.0}


@pytest.mark.parametrize(
    "neuron",
    [
        LeakyIntegrateAndFire(),
        LeakyIntegrateAndFire(t_ref=0.0, tau_m=20.0, V_reset=-60.0),
        LeakyIntegrateAndFire(g_L=5.0, E_L=-65.0, V_init=-65.0),
    ],
)
def test_the_closed_form_of_the_LIF_is_what_the_simulation_gives(neuron):
    rheobase = lif_rheobase(neuron)
    currents = rheobase * np.array([0.0, 0.5, 0.99, 1.05, 1.5, 3.0, 5.0])
    formula, simulated = lif_rate(neuron, currents), measure_f_I(neuron, currents)
    assert not formula[:3].any() and not simulated[:3].any()
    longer = 1000.0 / simulated[3:] - 1000.0 / formula[3:]  # ms: a spike waits for the end of its step of 0.02 ms
    assert np.all((longer > -1e-6) & (longer < 0.0201))


def test_the_closed_form_by_hand_and_its_limits():
    neuron = LeakyIntegrateAndFire(V_th=-55.0, V_reset=-70.0, E_L=-70.0, g_L=10.0, tau_m=10.0, t_ref=2.0)
    assert lif_rheobase(neuron) == 150.0  # 10 nS · 15 mV
    assert lif_rate(neuron, np.array([300.0]))[0] == pytest.approx(1000.0 / (2.0 + 10.0 * np.log(2.0)))
    assert lif_rate(neuron, np.array([150.0]))[0] == 0.0
    assert lif_rate(neuron, np.array([1e12]))[0] == pytest.approx(500.0)  # one spike each refractory time


@pytest.mark.parametrize("name", RATE_LAWS)
def test_a_curve_of_its_own_shape_is_found_again(name):
    shape = (SHAPES[name],) if name in SHAPES else ()
    rates = 120.0 * RATE_LAWS[name].function(0.15 * (CURRENTS - 12.0), *shape)
    fit = fit_rate_law(name, CURRENTS, rates)
    assert fit.R2 > 0.9999 and (fit.shape is None) == (name not in SHAPES)
    np.testing.assert_allclose(fit(CURRENTS), rates, atol=0.5)
    assert fit.threshold == pytest.approx(12.0, abs=0.5)


@pytest.mark.slow
def test_the_unit_of_the_current_does_not_matter():
    rates = measure_f_I(HodgkinHuxley(), CURRENTS)
    for name in RATE_LAWS:
        in_uA, in_pA = fit_rate_law(name, CURRENTS, rates), fit_rate_law(name, 1e6 * CURRENTS, rates)
        assert in_pA.R2 == pytest.approx(in_uA.R2, abs=1e-6)
        np.testing.assert_allclose(in_pA(1e6 * CURRENTS), in_uA(CURRENTS), atol=0.01)


def test_the_law_of_the_LIF_is_the_LIF():
    neuron = LeakyIntegrateAndFire(V_reset=-70.0, E_L=-70.0)
    currents = np.linspace(0.0, 600.0, 61)
    fit = fit_rate_law("LIF", currents, lif_rate(neuron, currents))
    assert fit.R2 > 0.9999 and fit.threshold == pytest.approx(lif_rheobase(neuron), abs=2.0)
    assert 1000.0 / fit.scale == pytest.approx(neuron.t_ref, rel=0.05)
    assert fit.shape == pytest.approx(neuron.tau_m / neuron.t_ref, rel=0.05)


def test_R2_against_its_meaning():
    rates = np.array([0.0, 1.0, 2.0, 3.0])
    assert r_squared(rates, rates) == 1.0
    assert r_squared(rates, np.full(4, 1.5)) == 0.0
    assert r_squared(rates, -rates) < 0.0
    assert r_squared(np.ones(4), rates) == 0.0


def test_many_random_starts_find_no_fit_that_is_much_better():
    currents = np.linspace(0.0, 60.0, 31)
    fits = fit_rate_laws(currents, measure_f_I(HodgkinHuxley(), currents, seconds=1.0))
    best = {"ReLU": 0.7608, "leaky ReLU": 0.7608, "softplus": 0.7608, "sigmoid": 0.9009, "tanh": 0.9345, "LIF": 0.9995}
    assert fits.keys() == best.keys()  # of 60 random starts, 150 with a shape
    assert all(best[name] - 0.002 < fit.R2 < best[name] + 0.001 for name, fit in fits.items())


def test_fits_of_a_silent_neuron_explain_nothing():
    assert fit_rate_law("tanh", CURRENTS, np.zeros(51)).R2 == 0.0


def test_activations_are_different_functions():
    """A sigmoid is a shifted, scaled tanh (of half the slope): with a free offset they would be one curve, here not."""
    z = np.linspace(-4, 4, 101)
    curves = {name: law.function(z) for name, law in RATE_LAWS.items() if law.shape is None}
    assert len(curves) == 4
    names = list(curves)
    assert all(
        np.ptp(curves[a] / curves[a].max() - curves[b] / curves[b].max()) > 0.1 for a in names for b in names if a < b
    )


@pytest.mark.parametrize(
    ("name", "rates", "message"),
    [
        ("step", np.zeros(51), "rate law = 'step'; allowed: ReLU"),
        ("ReLU", np.zeros(50), r"rates has shape \(50,\); allowed: \(51,\)"),
        ("ReLU", np.full(51, np.nan), "rates = nan"),
    ],
)
def test_bad_fits(name, rates, message):
    with pytest.raises(ValueError, match=message):
        fit_rate_law(name, CURRENTS, rates)
