"""Coupled neurons against single ones, closed forms, LSODA on the coupled equations, and published behaviour."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import oracles

from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.simulation.compiler.codegen import generated_source
from helpers.simulation.compiler.spec import KernelSpec
from helpers.simulation.engine import UnstableIntegration
from helpers.simulation.network import ChemicalSynapse, GapJunction, excitatory, inhibitory, simulate_network
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

AREA = 7.854e-3  # cm², of the cells of the Neun library, whose values are for the whole cell
QUIET, DRIVEN = step(0.0, 1.0, 2.0), step(10.0, 1.0, 100.0)
METHODS = ["exponential_euler", "rk4"]


def neun_pair(g, duration=300.0, method="rk4"):
    """Two cells of the Neun library under its input 0.1, started at -65 and -55 mV, with a gap junction g [mS]."""
    gates = {"m": 0.05, "h": 0.6, "n": 0.3}
    return simulate_network(
        [HodgkinHuxley.preset("neun")] * 2,
        step(0.1 / AREA, 0.0, duration),
        [GapJunction(0, 1, g / AREA, allow_negative=True)],
        duration,
        method=method,
        initial_state={0: {"V": -65.0, **gates}, 1: {"V": -55.0, **gates}},
    )


def driver_and_rest(connections, duration=100.0, dt=0.01, rest=QUIET, **changes):
    """Neuron "a" fires under a step from 1 ms on, "b" gets `rest`."""
    cells = {"a": HodgkinHuxley(), "b": HodgkinHuxley(**changes)}
    return simulate_network(cells, {"b": rest, "a": step(10.0, 1.0, duration)}, connections, duration, dt)


def correlation(traces, after=0.0):
    late = traces[0].t >= after
    return np.corrcoef(traces[0].V[late], traces[1].V[late])[0, 1]


def same(trace, expected):
    np.testing.assert_array_equal(trace.V, expected.V)
    for name, values in expected.states.items():
        np.testing.assert_array_equal(trace.states[name], values)


# --------------------------------------------------------------------------------- without coupling: single neurons


@pytest.mark.parametrize("method", METHODS)
def test_neurons_without_connections_equal_single_simulations(method):
    cells = [HodgkinHuxley(), HodgkinHuxley(g_K=30.0, temperature=10.0)]
    stimuli = [step(10.0, 5.0, 40.0), step(20.0, 0.0, 30.0)]
    traces = simulate_network(cells, stimuli, [], 50.0, method=method)
    for trace, cell, stimulus in zip(traces, cells, stimuli, strict=True):
        same(trace, simulate(cell, stimulus, 50.0, method=method))
        assert (trace.start, trace.stop) == (stimulus.start, stimulus.stop)
        assert not trace.I_gap.any() and not trace.I_syn.any()


def test_connections_of_no_conductance_change_nothing():
    traces = driver_and_rest([GapJunction("a", "b", 0.0), excitatory("a", "b", 0.0)])
    same(traces[0], simulate(HodgkinHuxley(), DRIVEN, 100.0))
    same(traces[1], simulate(HodgkinHuxley(), QUIET, 100.0))


def test_noise_of_neuron_i_is_that_of_simulation_i():
    traces = simulate_network([Pospischil()] * 2, step(3.0, 10.0, 40.0), [], 50.0, seed=7)
    for i, trace in enumerate(traces):
        same(trace, simulate(Pospischil(), step(3.0, 10.0, 40.0), 50.0, seed=(7, i)))
    drawn = simulate_network([Pospischil()] * 2, QUIET, [], 5.0)
    again = simulate_network([Pospischil()] * 2, QUIET, [], 5.0, seed=drawn[1].seed)
    same(drawn[1], again[1])


def test_each_neuron_may_have_its_own_waveform():
    samples = np.random.default_rng(0).normal(8.0, 5.0, (2, 2001))
    for stimuli in (samples, list(samples)):
        traces = simulate_network([HodgkinHuxley()] * 2, stimuli, [], 20.0)
        for trace, row in zip(traces, samples, strict=True):
            same(trace, simulate(HodgkinHuxley(), row, 20.0))
    shared = simulate_network([HodgkinHuxley()] * 2, samples[0], [], 20.0)
    same(shared[1], traces[0])


def test_fast_neurons_get_the_wider_update_that_single_ones_get():
    cells = [HodgkinHuxley(C=0.03), HodgkinHuxley(C=0.04)]
    for trace, cell in zip(simulate_network(cells, DRIVEN, [], 100.0), cells, strict=True):
        same(trace, simulate(cell, DRIVEN, 100.0))


def test_uncoupled_kernels_know_nothing_of_links():
    assert "links" not in generated_source(KernelSpec(HodgkinHuxley, step, lanes=2))


# ---------------------------------------------------------------------------------------------------- gap junctions


def test_the_sign_of_a_gap_junction():
    """Measured with Neun's equations: uncoupled 0.72; +0.002 mS synchronises, -0.002 mS repels, 29 spikes each."""
    uncoupled, pulled, pushed = (neun_pair(g) for g in (0.0, 0.002, -0.002))
    assert correlation(uncoupled) == pytest.approx(0.72, abs=0.01)
    assert correlation(pulled, after=150.0) == pytest.approx(1.0, abs=1e-6)
    assert correlation(pushed) == pytest.approx(-0.5, abs=0.02)
    assert [len(trace.spike_times) for trace in pushed] == [29, 29]


@pytest.mark.parametrize("method", METHODS)
def test_a_strong_repulsion_is_reported_where_it_diverges(method):
    with pytest.raises(
        UnstableIntegration, match=rf"{method} at dt = 0.01 ms is unstable .* at step \d+, \d.*V of neuron 0 goes"
    ):
        neun_pair(-0.01, method=method)


def test_what_enters_one_neuron_leaves_the_other():
    pulled = driver_and_rest([GapJunction("a", "b", 0.3)])
    assert np.abs(pulled[0].I_gap).max() > 5.0
    np.testing.assert_array_equal(pulled[0].I_gap, -pulled[1].I_gap)
    np.testing.assert_array_equal(pulled[0].I_gap, 0.3 * (pulled[0].V - pulled[1].V))
    turned = driver_and_rest([GapJunction("b", "a", 0.3)])
    np.testing.assert_array_equal(turned[0].V, pulled[0].V)


def test_two_passive_cells_against_the_closed_form():
    """C V1' = I - g_L (V1 - E) - g (V1 - V2): sum and difference relax with g_L / C and (g_L + 2g) / C."""
    cell, g_L, g, I = HodgkinHuxley(g_Na=0.0, g_K=0.0, g_L=0.2, E_L=-60.0, V_init=-60.0), 0.2, 0.5, 2.0
    errors = []
    for dt in (0.02, 0.01, 0.005):
        stimuli = [step(I, 0.0, 40.0), step(0.0, 0.0, 40.0)]
        first, second = simulate_network([cell] * 2, stimuli, [GapJunction(0, 1, g)], 40.0, dt)
        total = I / g_L * (1 - np.exp(-g_L * first.t))
        gap = I / (g_L + 2 * g) * (1 - np.exp(-(g_L + 2 * g) * first.t))
        expected = np.array([total + gap, total - gap]) / 2 - 60.0
        errors.append(np.abs(np.array([first.V, second.V]) - expected).max())
    assert errors[-1] < 2e-3
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, rtol=0.03)


def coupled_squids(currents, g, duration, t):
    """Two squid axons with a gap junction, the equations written out, by LSODA: V of both, (2, n)."""

    def slopes(_, y):
        flow = g * (y[0] - y[4])
        first = oracles.hodgkin_huxley_slopes(y[:4], currents[0] - flow)
        return [*first, *oracles.hodgkin_huxley_slopes(y[4:], currents[1] + flow)]

    start = oracles.steady_state(oracles.hodgkin_huxley, -65.0) * 2
    return solve_ivp(slopes, (0, duration), start, "LSODA", t_eval=t, rtol=1e-10, atol=1e-10).y[[0, 4]]


@pytest.mark.parametrize("method", METHODS)
def test_a_coupled_pair_approaches_lsoda_with_order_1(method):
    """The second axon gets no current: it fires because the first one does."""
    errors = []
    for dt in (0.01, 0.005, 0.0025):
        stimuli = [step(20.0, 0.0, 20.0), step(0.0, 0.0, 20.0)]
        traces = simulate_network([HodgkinHuxley()] * 2, stimuli, [GapJunction(0, 1, 0.4)], 20.0, dt, method)
        expected = coupled_squids((20.0, 0.0), 0.4, 20.0, traces[0].t)
        errors.append(np.abs(np.array([trace.V for trace in traces]) - expected).mean())
    assert expected[1].max() > 0.0
    assert errors[-1] < 0.1
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, rtol=0.1)


def test_currents_of_a_coupled_neuron_balance():
    """C dV/dt = I - all currents of the trace, those of the coupling included."""
    links = [GapJunction("a", "b", 0.2), inhibitory("a", "b", 1.0, E=-60.0), excitatory("b", "a", 0.3)]
    for trace in driver_and_rest(links, 30.0, dt=0.001, rest=step(8.0, 1.0, 29.0))[:2]:
        leaving = sum(trace.currents.values())
        balance = trace.I[:-1] - (leaving[:-1] + leaving[1:]) / 2
        slope = np.diff(trace.V) / 0.001
        assert np.abs(slope - balance).max() < 0.01 * np.abs(slope).max()
        assert min(np.abs(trace.I_gap).max(), np.abs(trace.I_syn).max()) > 2.0


def test_three_neurons_and_neurons_without_ionic_currents():
    bursting = simulate_network([HindmarshRose(), HindmarshRose(x_init=0.5)], step(0.0, 1.0, 2.0), [], 1000.0)
    pulled = simulate_network(
        [HindmarshRose(), HindmarshRose(x_init=0.5)], step(0.0, 1.0, 2.0), [GapJunction(0, 1, 1.0)], 1000.0
    )
    assert correlation(bursting, 500.0) < 0.9 and correlation(pulled, 500.0) > 0.999
    chain = [GapJunction("a", "b", 0.4), GapJunction("b", "c", 0.4)]
    stimuli = {"a": DRIVEN, "b": QUIET, "c": QUIET}
    traces = simulate_network(dict.fromkeys("abc", HodgkinHuxley()), stimuli, chain, 100.0)
    first = [trace.spike_times[0] for trace in traces]
    assert first[0] < first[1] < first[2]
    np.testing.assert_allclose(sum(trace.I_gap for trace in traces), 0.0, atol=1e-12)


# ------------------------------------------------------------------------------------------------ chemical synapses


@pytest.mark.parametrize("dt", [0.01, 0.05])
def test_r_against_its_closed_form(dt):
    """One spike: r rises to its bound for 1 ms and decays; the step length does not matter."""
    pulse = step(20.0, 1.0, 3.0)
    synapse = excitatory("a", "b", alpha=0.8, beta=0.3, T=2.0)
    cells = dict.fromkeys("ab", HodgkinHuxley())
    a, b = simulate_network(cells, {"a": pulse, "b": replace(pulse, amplitude=0.0)}, [synapse], 30.0, dt)
    (k,) = np.flatnonzero((a.V[:-1] < 0.0) & (a.V[1:] >= 0.0)) + 1
    since, bound, rate = a.t - a.t[k], 1.6 / 1.9, 1.9
    rising = bound * (1 - np.exp(-rate * np.clip(since, 0.0, 1.0)))
    np.testing.assert_allclose(b.r0, rising * np.exp(-0.3 * np.maximum(since - 1.0, 0.0)), atol=1e-12)
    assert "r0" not in a.states and b.r0.max() > 0.6


def test_a_second_spike_renews_the_transmitter():
    synapse = excitatory(0, 1, release=20.0)  # longer than the 15 ms between two spikes
    traces = simulate_network([HodgkinHuxley()] * 2, [DRIVEN, QUIET], [synapse], 100.0)
    first = np.searchsorted(traces[0].t, traces[0].spike_times[0])
    assert np.diff(traces[1].r0[first + 100 : 9000]).min() >= 0.0  # never without


def test_excitation_makes_the_other_neuron_fire():
    alone, driven = driver_and_rest([]), driver_and_rest([excitatory("a", "b", 0.5)])
    assert len(alone[1].spike_times) == 0
    assert len(driven[1].spike_times) == len(driven[0].spike_times) == 7
    assert (driven[1].spike_times > driven[0].spike_times).all()
    np.testing.assert_array_equal(driven[0].V, alone[0].V)  # one way only
    assert driven[1].I_syn.min() < -5.0  # inward, so negative


def test_inhibition_prevents_and_delays_spikes():
    brief, lasting = step(6.0, 6.0, 8.0), step(10.0, 6.0, 100.0)
    synapse = [inhibitory("a", "b", 0.5)]
    assert len(driver_and_rest([], 20.0, rest=brief)[1].spike_times) == 1
    assert len(driver_and_rest(synapse, 20.0, rest=brief)[1].spike_times) == 0
    alone = driver_and_rest([], rest=lasting)[1].spike_times
    delayed = driver_and_rest(synapse, rest=lasting)[1]
    assert 0 < len(delayed.spike_times) < len(alone)
    assert delayed.spike_times[0] > alone[0] + 1.0
    assert delayed.I_syn.max() > 5.0  # outward above E, so positive


def test_a_synapse_pulls_towards_its_reversal_potential():
    """At E no current flows, above it leaves, below it enters."""
    for E in (-80.0, -65.0, -50.0):
        b = driver_and_rest([inhibitory("a", "b", 0.05, E=E)], 20.0)[1]
        np.testing.assert_allclose(b.I_syn, 0.05 * b.r0 * (b.V - E))
        assert np.sign(b.V[-1] - b.V[0]) == np.sign(E - b.V[0]) or E == -65.0


def test_a_delay_shifts_the_response_by_just_that():
    plain = driver_and_rest([excitatory("a", "b", 0.5)], 60.0)[1]
    for delay in (3.0, 30.0):  # the longer one holds two spikes on their way
        shifted, k = driver_and_rest([excitatory("a", "b", 0.5, delay=delay)], 60.0)[1], round(delay / 0.01)
        np.testing.assert_array_equal(shifted.r0[k:], plain.r0[:-k])
        assert not shifted.r0[:k].any()
        begin = np.flatnonzero(plain.r0)[0]
        lone = driver_and_rest([], 60.0)[1].V
        assert np.flatnonzero(shifted.V != lone)[0] == begin + k + 1  # the first current flows in the step after r


def test_several_synapses_keep_their_places():
    links = [excitatory("a", "b", 0.1), GapJunction("a", "b", 0.1), inhibitory("a", "b", 0.3)]
    a, b = driver_and_rest(links)
    assert [name for name in b.states if name.startswith("r")] == ["r0", "r2"] and set(a.states) == {"V", "m", "h", "n"}
    np.testing.assert_allclose(b.I_syn, 0.1 * b.r0 * b.V + 0.3 * b.r2 * (b.V + 80.0), atol=1e-12)
    assert b.r0.max() == pytest.approx(1.1 / 1.29 * (1 - np.exp(-1.29)), rel=0.2)
    assert b.r2.max() == pytest.approx(5.0 / 5.18 * (1 - np.exp(-5.18)), rel=0.02)


@pytest.mark.parametrize(("neuron", "drive", "g"), [(LeakyIntegrateAndFire(), 200.0, 20.0), (Izhikevich(), 20.0, 1.0)])
def test_neurons_with_a_reset_release_transmitter_at_their_drawn_spikes(neuron, drive, g):
    stimuli = [step(drive, 10.0, 190.0), step(0.0, 10.0, 190.0)]
    a, b = simulate_network([neuron] * 2, stimuli, [excitatory(0, 1, g)], 200.0)
    lone = simulate(neuron, stimuli[0], 200.0)
    same(a, lone)
    rises = np.diff(b.r0) > 0.0
    assert np.sum(rises[1:] & ~rises[:-1]) == len(a.spike_times) > 2
    assert len(b.spike_times) > 0 == len(simulate(neuron, stimuli[1], 200.0).spike_times)


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GapJunction("a", "a", 0.1), "GapJunction connects neuron 'a' to itself"),
        (lambda: excitatory(1, 1), "ChemicalSynapse connects neuron 1 to itself"),
        (
            lambda: GapJunction("a", "b", -0.25),
            "g = -0.25 mS/cm².*positive g pulls the neurons together.*allow_negative",
        ),
        (lambda: GapJunction("a", "b", np.nan), "g = nan mS/cm²"),
        (lambda: excitatory("a", "b", -0.1), "g = -0.1 mS/cm²; allowed: at least 0 mS/cm²"),
        (lambda: inhibitory("a", "b", delay=-1.0), "delay = -1 ms; allowed: at least 0 ms"),
        (lambda: inhibitory("a", "b", delay=np.nan), "delay = nan ms"),
        (lambda: inhibitory("a", "b", release=-1.0), "release = -1 ms; allowed: at least 0 ms"),
        (lambda: inhibitory("a", "b", T=-1.0), "T = -1 mM; allowed: at least 0 mM"),
        (lambda: ChemicalSynapse("a", "b", beta=0.0), "beta = 0 1/ms; allowed: at least 1e-06"),
        (lambda: ChemicalSynapse("a", "b", E="low"), "E = 'low' is not a number"),
    ],
)
def test_bad_connections(make, message):
    with pytest.raises(ValueError, match=message):
        make()


PAIR = {"a": HodgkinHuxley(), "b": HodgkinHuxley()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neurons": {}}, "neurons is empty"),
        ({"neurons": []}, "neurons is empty"),
        ({"neurons": [HodgkinHuxley, HodgkinHuxley]}, r"neurons\[0\] = .* is not a neuron"),
        ({"neurons": {"a": HodgkinHuxley(), "b": Pospischil()}}, "neurons of 2 classes.*HodgkinHuxley, Pospischil"),
        ({"stimuli": [DRIVEN]}, "1 stimuli for 2 neurons; allowed: one for all, or one for each"),
        ({"stimuli": [DRIVEN] * 3}, "3 stimuli for 2 neurons"),
        ({"stimuli": {"a": DRIVEN}}, r"stimuli for \['a'\]; allowed: one for each of \['a', 'b'\]"),
        ({"stimuli": [DRIVEN, np.zeros(10_001)]}, "stimuli of 2 classes in one network: Waveform, step"),
        ({"stimuli": np.zeros(100)}, "the stimulus has 100 samples; allowed: 10001"),
        ({"stimuli": [DRIVEN, step(1.0, 0.0, 150.0)]}, "stop = 150 ms; allowed: at most the duration, 100 ms"),
        ({"connections": [GapJunction("a", "c")]}, r"connections\[0\] has post = 'c'; the neurons are \['a', 'b'\]"),
        ({"connections": [excitatory("a", "b"), GapJunction(0, "b")]}, r"connections\[1\] has pre = 0"),
        ({"connections": [("a", "b", 0.1)]}, r"connections\[0\] = \('a', 'b', 0.1\); allowed: a GapJunction"),
        (
            {"connections": [excitatory("a", "b", delay=100.0)]},
            "delay = 100 ms; allowed: less than the duration, 100 ms",
        ),
        (
            {"connections": [excitatory("a", "b", delay=0.005)]},
            "delay = 0.005 ms; allowed: a multiple of dt = 0.01 ms",
        ),
        (
            {"connections": [excitatory("a", "b", release=0.333)]},
            "release = 0.333 ms; allowed: a multiple of dt = 0.01 ms",
        ),
        (
            {"initial_state": {"c": {"V": 0.0}}},
            r"initial_state has values for neuron 'c'; the neurons are \['a', 'b'\]",
        ),
        (
            {"initial_state": {"a": {"q": 0.0}}},
            r"initial_state\['a'\]\['q'\] = 0.0; allowed: finite values of V, m, h, n",
        ),
        ({"initial_state": {"b": {"V": np.nan}}}, r"initial_state\['b'\]\['V'\] = nan"),
        ({"method": "lsoda"}, "method = 'lsoda' runs one neuron at a time"),
        ({"method": "magic"}, "method = 'magic'; allowed"),
        ({"dt": np.nan}, "dt = nan ms"),
        ({"duration": np.nan}, "duration = nan ms"),
        ({"seed": -1}, "seed = -1; allowed"),
    ],
)
def test_bad_arguments_of_simulate_network(change, message):
    arguments = {"neurons": PAIR, "stimuli": DRIVEN, "connections": [GapJunction("a", "b")], "duration": 100.0}
    with pytest.raises(ValueError, match=message):
        simulate_network(**arguments | change)
