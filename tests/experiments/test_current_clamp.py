"""Protocols against the published numbers of the squid axon, closed forms, and the simulator itself."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import oracles

from helpers.experiments.current_clamp import (
    conductances,
    find_threshold,
    fit_strength_duration,
    freeze_gate,
    lapicque,
    refractory_threshold,
    steady_currents,
    strength_duration,
    weiss,
)
from helpers.experiments.dynamics import resting_state
from helpers.experiments.voltage_clamp import clamp, step_command
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import pulse_pair, step


def test_rest_is_the_published_one():
    rest = resting_state(HodgkinHuxley())
    published = {"V": -64.9964, "m": 0.05296, "h": 0.59599, "n": 0.31773}
    assert rest == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("neuron", [HodgkinHuxley(temperature=18.5), Pospischil(noise=0.0)])
def test_a_neuron_begun_at_rest_stays_there(neuron):
    rest = resting_state(neuron)
    assert sum(steady_currents(neuron, rest["V"]).values()) == pytest.approx(0.0, abs=1e-9)
    trace = simulate(neuron, step(0.0, 1.0, 2.0), 100.0, initial_state=rest)
    np.testing.assert_allclose(trace.V, rest["V"], atol=1e-8)


def test_no_rest_between_the_limits_is_named():
    with pytest.raises(ValueError, match="between -100 and -90 mV"):
        resting_state(HodgkinHuxley(), (-100.0, -90.0))


def test_rest_is_where_the_steady_current_turns_outward():
    assert resting_state(Pospischil(), (-60.0, 0.0))["V"] == pytest.approx(-27.129, abs=1e-3)  # not -50.8: inward there
    with pytest.raises(ValueError, match="between -120 and 0 mV"):
        resting_state(HodgkinHuxley(g_K=0.0, g_L=0.0))  # its one fixed point is E_Na


def test_steady_currents_are_where_a_clamp_ends():
    V = np.array([-80.0, -50.0, 0.0])
    held = clamp(HodgkinHuxley(), step_command(-65.0, V, during=200.0))
    for name, current in steady_currents(HodgkinHuxley(), V).items():
        np.testing.assert_allclose(current, held.currents[name][:, 20_400], rtol=1e-6, atol=1e-9)


def test_conductance_times_driving_force_is_the_current():
    neuron = HodgkinHuxley(block_Na=0.3)
    for trace in (simulate(neuron, step(20.0, 1.0, 20.0), 20.0), clamp(neuron, step_command(-65.0, [-20.0, 20.0]))):
        g = conductances(neuron, trace)
        for name, E in (("I_Na", neuron.E_Na), ("I_K", neuron.E_K), ("I_L", neuron.E_L)):
            assert g[name].shape == trace.V.shape
            np.testing.assert_allclose(g[name] * (trace.V - E), trace.currents[name], atol=1e-9)


@pytest.mark.parametrize("gate", ["m", *(pytest.param(gate, marks=pytest.mark.long) for gate in "hn")])
def test_a_held_gate_against_an_independent_integration(gate):
    """The equations written out again, one gate a constant, at a tight tolerance."""
    held, axon = 0.4, freeze_gate(HodgkinHuxley(), gate, 0.4)
    assert axon.values() == {**HodgkinHuxley().values(), "frozen": held}

    def slope(t, x):
        values = dict(zip("mhn", x[1:], strict=True)) | {gate: held}
        m, h, n = values.values()
        rates = [0.0 if name == gate else a * (1 - values[name]) - b * values[name]
                 for name, (a, b) in oracles.hodgkin_huxley(x[0]).items()]  # fmt: skip
        I_ion = 120 * m**3 * h * (x[0] - 50) + 36 * n**4 * (x[0] + 77) + 0.3 * (x[0] + 54.387)
        return [5.0 - I_ion, *rates]

    start = np.array(oracles.steady_state(oracles.hodgkin_huxley, -65.0))
    start[1 + "mhn".index(gate)] = held
    solution = solve_ivp(slope, (0.0, 20.0), start, t_eval=[1.0, 5.0, 20.0], rtol=1e-10, atol=1e-12, method="LSODA")
    trace = simulate(axon, step(5.0, 0.0, 20.0), 20.0, dt=0.01, method="rk4")
    np.testing.assert_array_equal(trace.states[gate], held)
    np.testing.assert_allclose(trace.V[[100, 500, 2000]], solution.y[0], atol=1e-3)


def test_a_gate_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="gate = 'p'; allowed: m, h, n"):
        freeze_gate(HodgkinHuxley(), "p", 0.5)
    with pytest.raises(ValueError, match="frozen"):
        freeze_gate(HodgkinHuxley(), "h", 1.5)


def test_one_gate_can_be_frozen_and_no_second_one_takes_over_its_value():
    frozen = freeze_gate(HodgkinHuxley(), "m", 0.1)
    with pytest.raises(ValueError, match="the gate m of HodgkinHuxley_m_frozen is frozen already"):
        freeze_gate(frozen, "h", 0.6)
    assert freeze_gate(frozen, "m", 0.2).initial_state()["m"] == 0.2


def test_threshold_finds_known_borders():
    border = np.array([0.001, 1.0, 77.7, 2000.0])
    found = find_threshold(lambda strength: strength >= border, 0.0, 1000.0, tolerance=1e-6)
    np.testing.assert_allclose(found[:3], border[:3], rtol=2e-6)
    assert (found[:3] >= border[:3]).all()  # what is returned did fire
    assert found[3] == np.inf


@pytest.mark.parametrize(
    ("low", "high", "tolerance", "message"),
    [(2.0, 1.0, 1e-3, "low below high"), (0.0, np.nan, 1e-3, "finite"), (0.0, 9.0, 0.0, "tolerance = 0"),
     (6.0, 9.0, 1e-3, "low = 6 fires already")],
)  # fmt: skip
def test_threshold_refuses(low, high, tolerance, message):
    with pytest.raises(ValueError, match=message):
        find_threshold(lambda strength: strength >= 5.0, [low], [high], tolerance)


def test_rheobase_is_the_published_one():
    assert strength_duration(HodgkinHuxley(), [50.0]) == pytest.approx([2.240], abs=0.002)


def test_thresholds_are_borders_of_the_adaptive_solver():
    """1 % above each threshold LSODA gives a spike, 1 % below it none."""
    widths, V = np.array([0.2, 1.0, 5.0]), resting_state(HodgkinHuxley())["V"]
    for width, found in zip(widths, strength_duration(HodgkinHuxley(), widths), strict=True):
        for factor, expected in ((1.01, 1), (0.99, 0)):
            pulse = step(factor * found, 5.0, 5.0 + width)
            trace = simulate(HodgkinHuxley(), pulse, 45.0, dt=0.05, method="lsoda", initial_state={"V": V})
            assert len(trace.spike_times) == expected, (width, factor)


def test_without_sodium_no_pulse_fires():
    assert strength_duration(HodgkinHuxley(block_Na=1.0), [1.0], max_amplitude=30.0).tolist() == [np.inf]


def test_short_pulses_need_one_charge():
    widths = np.array([0.05, 0.1, 0.2])
    charge = widths * strength_duration(HodgkinHuxley(), widths)
    np.testing.assert_allclose(charge, charge[0], rtol=0.005)


def test_after_a_spike_the_axon_is_refractory_then_supernormal():
    relative = refractory_threshold(HodgkinHuxley(), [6.0, 12.0, 19.0, 100.0])
    assert relative[0] == np.inf and relative[1] > 2.0
    assert relative[2] == pytest.approx(0.84, abs=0.01)
    assert relative[3] == pytest.approx(1.0, abs=0.01)  # all is forgotten


def test_threshold_after_a_spike_is_a_border_of_single_runs():
    neuron, start = HodgkinHuxley(), {"V": resting_state(HodgkinHuxley())["V"]}
    (relative,), (at_rest,) = refractory_threshold(neuron, [12.0]), strength_duration(neuron, [0.5])
    for factor, expected in ((1.01, 2), (0.99, 1)):
        pair = pulse_pair(2 * at_rest, 0.5, 12.0, 5.0, 60.0, second_amplitude=factor * relative * at_rest)
        assert len(simulate(neuron, pair, 60.0, initial_state=start).spike_times) == expected


def test_a_second_pulse_that_needs_no_channels_is_refused():
    with pytest.raises(ValueError, match="raises V to -20 mV without channels"):
        refractory_threshold(HodgkinHuxley(), [10.0], max_relative=8.0)


@pytest.mark.parametrize("law", [weiss, lapicque])
def test_laws_meet_their_definitions(law):
    assert law(np.array([1e6]), 2.0, 1.5) == pytest.approx([2.0], rel=1e-5)  # the rheobase
    assert law(np.array([1.5]), 2.0, 1.5) == pytest.approx([4.0])  # at the chronaxie twice that
    charge = law(np.array([1e-6, 2e-6]), 2.0, 1.5) * np.array([1e-6, 2e-6])
    assert charge[0] == pytest.approx(charge[1], rel=1e-5)


@pytest.mark.parametrize("law", [weiss, lapicque])
def test_a_fit_finds_the_law_that_made_the_data(law):
    widths = np.geomspace(0.05, 20.0, 12)
    fitted = fit_strength_duration(law, widths, law(widths, 2.3, 1.7))
    assert (fitted.rheobase, fitted.chronaxie) == pytest.approx((2.3, 1.7), rel=1e-6)
    np.testing.assert_allclose(fitted.errors, 0.0, atol=1e-6)


def test_a_leaky_capacitor_obeys_lapicque():
    """Charging in closed form: V = (I/g)(1 - exp(-t·g/C)) reaches 10 mV at the end of the pulse."""
    C, g, widths = 1.0, 0.3, np.geomspace(0.1, 20.0, 10)
    needed = 10.0 * g / (1 - np.exp(-widths * g / C))
    fitted = fit_strength_duration(lapicque, widths, needed)
    assert (fitted.rheobase, fitted.chronaxie) == pytest.approx((10.0 * g, np.log(2) * C / g), rel=1e-6)


def test_an_infinite_threshold_cannot_be_fitted():
    with pytest.raises(ValueError, match="thresholds = inf µA/cm² .*; allowed: above 0 µA/cm²"):
        fit_strength_duration(weiss, [1.0, 2.0], [np.inf, 2.0])
