"""Lesson 1: each section runs alone after the opening, each cell again after all; and what its values must be."""

import numpy as np
import pytest
from scipy.signal import find_peaks
from support.sections import *  # noqa: F403

from helpers import (
    HindmarshRose,
    HodgkinHuxley,
    Izhikevich,
    LeakyIntegrateAndFire,
    Pospischil,
    experiments,
    ramp,
    simulate,
    step,
    widgets,
)
from helpers.experiments import firing_properties, measure_f_I, operations_per_step

NOTEBOOK = "1_HH_model_simulation.ipynb"


# ------------------------------------------------------------------------------------------- sections 1 to 3


def test_the_reversal_potentials_of_nernst_come_close(lesson):
    nernst, neuron = lesson.values["nernst"], lesson.values["neuron"]
    assert abs(lesson.values["E_K"] - neuron.E_K) < 5 and abs(lesson.values["E_Na"] - neuron.E_Na) < 3
    assert abs(nernst(400, 40) - nernst(400, 20) - 16.7) < 0.05  # twice the potassium outside


def test_rest_is_where_the_currents_balance(lesson):
    rest, at_rest = lesson.values["rest"], lesson.values["at_rest"]
    for name, value in {"V": -64.9964, "m": 0.05296, "h": 0.59599, "n": 0.31773}.items():
        assert abs(rest[name] - value) < 1e-4
    assert [round(float(I), 2) for I in at_rest.values()] == [-1.22, 4.4, -3.18]
    assert abs(sum(at_rest.values())) < 1e-9
    for V in (-80.0, -62.0):  # from below and from above
        back = simulate(lesson.values["neuron"], step(0.0, 1.0, 2.0), 150.0, initial_state={"V": V})
        assert abs(back.V[-1] - rest["V"]) < 1e-3


def test_drugs_take_the_clamp_currents_apart(lesson):
    control, TTX, TEA = lesson.values["clamped"].values()
    assert np.abs(control.total - TTX.total - control.currents["I_Na"]).max() < 1e-9
    leak = lesson.values["neuron"].g_L * (control.V - lesson.values["neuron"].E_L)  # in TTX and in TEA
    assert np.abs(TTX.total + TEA.total - leak - control.total).max() < 1e-9


def test_the_sodium_current_reverses_at_E_Na(lesson):
    test_levels, peaks = lesson.values["test_levels"], lesson.values["peaks"]
    above = test_levels > 20
    assert abs(np.interp(0.0, peaks["I_Na"][above], test_levels[above]) - lesson.values["neuron"].E_Na) < 0.1
    assert -5 <= test_levels[peaks["I_Na"].argmin()] <= 0
    assert np.all(np.diff(peaks["I_K"]) > 0)


def test_h_and_n_are_ten_times_as_slow_as_m(lesson):
    V, neuron = np.linspace(-100, 40, 281), lesson.values["neuron"]
    assert min(neuron.time_constant(gate, V).max() for gate in ("h", "n")) > 5 > 0.6 > lesson.values["tau_m_max"]


# ------------------------------------------------------------------------------------------- sections 4 to 6


def test_the_balance_of_currents_is_the_slope_of_the_spike(lesson):
    spike = simulate(lesson.values["neuron"], step(10.0, 5.0, 45.0), 50.0, dt=0.002)
    total = spike.I - sum(spike.currents.values())
    slope = np.gradient(spike.V, spike.t)
    inside = (spike.t > 5.1) & (spike.t < 44.9)
    assert np.abs(total - slope)[inside].max() < 0.02 * slope.max()
    assert (round(spike.V.min()), round(slope[spike.t < 15.0].max())) == (-75, 308)


def test_what_the_live_bench_is_said_to_show():
    bench = widgets.live_bench()

    def spikes(**values):
        bench.set(**values)
        return bench.trace().spike_times

    counts = [len(spikes(amplitude=I)) for I in (2.2, 2.3, 5.9, 6.0, 6.25)]
    assert counts == [0, 1, 1, 2, 4] and spikes(amplitude=6.25)[-1] > 65
    assert spikes(amplitude=-20.0).round().tolist() == [88]
    bench.reset()
    for preset, count, top in (("squid", 5, 40), ("cold", 3, 42), ("warm", 14, 26)):
        assert len(spikes(preset=preset)) == count and round(bench.trace().V.max()) == top
    bench.set(preset="squid", protocol="pulse pair", amplitude=20.0)
    assert [len(spikes(interval=interval)) for interval in (10.0, 11.0)] == [1, 2]


def test_one_spike_however_long_a_weak_current_flows():
    trace = simulate(HodgkinHuxley(), step(5.0, 5.0, 505.0), 510.0)
    assert len(trace.spike_times) == 1


def test_a_frozen_gate_keeps_V_up(lesson):
    frozen = lesson.values["answers"]
    assert [round(frozen[name].V.max()) for name in ("h frozen", "n frozen")] == [44, 48]


def test_all_or_none(lesson):
    peaks = np.array([pulse.V.max() for pulse in lesson.values["pulses"].values()])
    assert (peaks[:4] < -55).all() and (peaks[4:] > 30).all() and np.ptp(peaks[4:]) < 10


def test_the_rheobase_is_the_published_one(lesson):
    assert abs(lesson.values["rheobase"] - 2.240) < 0.002  # µA/cm²


def test_only_the_fastest_ramp_fires(lesson):
    ramps = lesson.values["ramps"]
    assert [len(trace.spike_times) for trace in ramps.values()] == [1, 0, 0]
    assert ramps["in 35 ms"].I.max() > 4 * lesson.values["rheobase"]
    assert abs(ramps["in 200 ms"].V.max() + 59.5) < 0.1
    assert {name: round(V) for name, V in lesson.values["V_left"].items()} == {"pulse": -59, "ramp": -52}
    assert ramps["in 35 ms"].V.argmax() * ramps["in 35 ms"].dt == pytest.approx(40.0)  # then V returns


@pytest.mark.parametrize(("stop", "after"), [(40.0, 1.0), (205.0, 584.0)])
def test_a_ramp_whose_end_is_held_fires_later(stop, after):
    held = step(10.0, stop, 800.0).sampled(800.0, 0.01) + ramp(0.0, 10.0, start=5.0, stop=stop)
    assert simulate(HodgkinHuxley(), held, 800.0).spike_times[0] == pytest.approx(stop + after, abs=0.5)


def test_the_f_I_curve(lesson):
    neuron, currents, rates = (lesson.values[name] for name in ("neuron", "currents", "rates"))
    assert np.abs(np.interp([6.27, 10.0, 20.0, 50.0], currents, rates) - [51, 68, 86, 117]).max() <= 1.0
    assert (np.diff(rates) >= 0).all()
    onset = experiments.measure_f_I(neuron, np.array([6.245, 6.275]), seconds=6.0)
    assert onset[0] == 0 and abs(onset[1] - 52) < 2


# ------------------------------------------------------------------------------------------ sections 7 to 10


def test_warmth_shortens_and_lowers_the_spike(lesson):
    spikes = lesson.values["warm_spikes"]
    for level in (-40.0, -20.0, 0.0):
        width = {name: trace.dt * np.sum(trace.V > level) for name, trace in spikes.items()}
        assert width["6.3 °C"] / width["16.3 °C"] == pytest.approx(3.0, abs=0.2)  # "about a third", at any level
    tops = [trace.V.max() for trace in spikes.values()]
    assert (np.diff(list(width.values())) <= 0).all() and (np.diff(tops) < 0).all() and tops[-1] < 0.0
    assert [round(top) for top in tops[:3]] == [41, 36, 10] and lesson.values["warm_rates"].max() == 0.0


def test_TTX_ends_steady_firing_long_before_single_spikes():
    for block, fires, top in ((0.0, True, 41), (0.2, True, 39), (0.4, False, 34), (0.8, False, 0)):
        axon = HodgkinHuxley(block_Na=block)
        assert measure_f_I(axon, np.arange(0.0, 121.0, 10.0)).any() == fires
        assert simulate(axon, step(40.0, 1.0, 2.0), 8.0).V.max() == pytest.approx(top, abs=0.6)


def test_methods_have_the_orders_that_their_names_promise(lesson):
    errors = {name: np.array(error) for name, error in lesson.values["errors"].items()}
    for name, order in {"Euler": 1, "RK4": 4, "RK6": 6}.items():
        assert np.log2(errors[name][-2] / errors[name][-1]) == pytest.approx(order, abs=0.15)
    assert 0.0009 < errors["RK4"][1] < 0.00115 and 1.8 < errors["Euler"][3] < 1.95  # the answer to the prediction
    single = errors["RK4, float"]
    assert single[0] == pytest.approx(errors["RK4"][0], rel=0.05) and single[-1] > 2 * single.min()
    V = [lesson.values["V_of_spike"](method, 0.4 if method == "lsoda" else 0.001) for method in ("lsoda", "rk6")]
    assert np.abs(V[0] - V[1]).max() < 2e-6  # an adaptive solver by others finds the same spike


def test_large_steps_are_unstable_or_lose_spikes(monkeypatch):
    current = step(10.0, 5.0, 95.0)
    with pytest.raises(ValueError, match="unstable"):
        simulate(HodgkinHuxley(), current, 100.0, dt=0.1, method="rk4")

    monkeypatch.setattr(HodgkinHuxley, "max_dt", np.inf)  # the simulator refuses exponential Euler above 0.05 ms
    counts = [len(simulate(HodgkinHuxley(), current, 100.0, dt).spike_times) for dt in (0.05, 0.1, 0.25, 1.0)]
    assert counts == [7, 7, 6, 5]


def test_a_second_of_firing_by_the_usual_method_and_in_single_precision():
    train = step(10.0, 5.0, 1005.0)
    runs = [("rk4", "double"), ("exponential_euler", "double"), ("rk4", "single")]
    exact, usual, single = (
        simulate(HodgkinHuxley(), train, 1005.0, 0.01, method, precision=precision).spike_times
        for method, precision in runs
    )
    assert len(exact) == len(usual) == len(single) == 69
    assert abs(usual[-1] - exact[-1]) == pytest.approx(0.05, abs=0.005) and abs(single[-1] - exact[-1]) < 0.005


def test_the_M_current_and_what_it_amounts_to(lesson):
    adapted, without = lesson.values["with_M"], lesson.values["without_M"]
    rates, even = (1000.0 / np.diff(trace.spike_times) for trace in (adapted, without))
    assert np.allclose(even, 75.0, atol=1.0) and rates[adapted.spike_times[1:] > 300.0].max() < 1.03 * 31
    late = (adapted.t > 800.0) & (adapted.t < adapted.stop)
    assert adapted.p[adapted.t < 50.0].max() < 0.05 < 0.3 < adapted.p[late].min()  # p opens over the second
    # The cell without it slows as much if the mean of I_M is taken from the injected current.
    lower = step(3.0 - adapted.I_M[late].mean(), 50.0, 1050.0)
    weaker = simulate(Pospischil(noise=0.0, g_M=0.0), lower, 1100.0)
    assert 1000.0 / np.diff(weaker.spike_times)[-1] == pytest.approx(rates[-1], rel=0.1)


def test_spikes_of_the_cortical_cell_come_when_those_of_the_published_tutorial_do():
    trace = simulate(Pospischil(noise=0.0), step(3.24806, 10.0, 110.0), 120.0)
    peaks, _ = find_peaks(trace.V, height=0.0)
    assert np.allclose(trace.t[peaks], [19.54, 34.26, 51.31, 70.82, 92.68], atol=0.03)


def test_integrate_and_fire_follows_its_formula_and_can_fire_slowly():
    lif = LeakyIntegrateAndFire()

    def interval(I: float) -> float:
        goal = lif.E_L + I / lif.g_L
        return lif.t_ref + lif.tau_m * np.log((goal - lif.V_reset) / (goal - lif.V_th))

    for I in (150.5, 200.0, 300.0):
        assert np.allclose(np.diff(simulate(lif, step(I, 0.0, 1000.0), 1000.0).spike_times), interval(I), atol=0.03)
    assert 1000.0 / interval(150.0 * (1 + 1e-9)) < 6  # Hz: type I
    silent, first = measure_f_I(HodgkinHuxley(), np.array([6.25, 6.27]))
    assert silent == 0 and first == pytest.approx(51, abs=0.6)  # type II


def test_hindmarsh_rose_bursts_regularly_chaotically_or_not(lesson):
    regular, chaotic, tonic = (
        np.diff(trace.spike_times[trace.spike_times > 1000]) for trace in lesson.values["bursting"].values()
    )
    kinds = [len(np.unique(np.round(gaps / 2))) for gaps in (regular, chaotic, tonic)]
    assert kinds[2] <= 2 < kinds[0] < 8 < kinds[1]
    published = simulate(HindmarshRose(), step(0.0, 0.0, 1000.0), 1000.0, method="rk4")
    assert len(published.spike_times) == 75


def test_sodium_switches_the_train_on(lesson):
    g_Na, counts = lesson.values["g_Na_scan"]["g_Na"], lesson.values["spike_counts"].ravel()
    assert counts.tolist() == [1] * 6 + [3, 7] + [8] * 9 + [9] * 3  # as published
    assert g_Na[counts == 1][-1] == pytest.approx(89.5, abs=0.1) and g_Na[counts == 8][0] < 113.5


def test_the_table_of_neurons_says_what_they_can():
    zoo = {  # neuron: currents to try, one to drive it, one to pull it down; in the unit of each
        HodgkinHuxley(): (np.array([6.3, 8.0, 200.0]), 10.0, -10.0),
        Pospischil(noise=0.0): (np.array([1.4, 1.5, 1.6, 1.7, 2.0, 200.0]), 3.0, -3.0),
        LeakyIntegrateAndFire(): (np.array([150.001, 160.0, 5000.0]), 250.0, -100.0),
        Izhikevich(): (np.r_[3.5:5.0:0.25, 400.0], 10.0, -10.0),
        HindmarshRose(e=0.0): (np.array([1.5, 2.0, 3.281, 40.0]), 3.281, -1.0),
    }
    properties = [firing_properties(neuron, *currents) for neuron, currents in zoo.items()]
    assert [can.lowest_rate < 12 for can in properties] == [False, True, True, True, True]
    assert [can.depolarisation_block for can in properties] == [True, True, False, False, True]
    assert [can.rebound for can in properties] == [True, False, False, False, True]
    assert [can.burst_ratio > 2 for can in properties] == [False] * 4 + [True]
    assert [can.adaptation > 1.5 for can in properties[:4]] == [False, True, False, True]
    assert firing_properties(Izhikevich.preset("chattering"), np.array([10.0, 12.0]), 10.0, -10.0).burst_ratio > 5
    assert [len(neuron.currents) for neuron in zoo] == [3, 4, 0, 0, 0]  # who has currents to show


def test_integrate_and_fire_costs_a_hundredth_and_in_such_steps_spikes_are_counted_right():
    squid, lif = (operations_per_step(neuron) for neuron in (HodgkinHuxley(), LeakyIntegrateAndFire()))
    assert squid.arithmetic / HodgkinHuxley.max_dt > 100 * lif.arithmetic / LeakyIntegrateAndFire.max_dt
    for neuron, I in ((HodgkinHuxley(), 10.0), (LeakyIntegrateAndFire(), 250.0), (Izhikevich(), 20.0)):
        counts = [
            len(simulate(neuron, step(I, 0.0, 1000.0), 1000.0, dt, "euler").spike_times) for dt in (neuron.max_dt, 0.01)
        ]
        assert counts[0] == pytest.approx(counts[1], rel=0.1)


def phase(pair) -> float:
    """How far the second neuron is behind the first, as a share of the cycle: 0 together, 0.5 taking turns."""
    one, two = (trace.spike_times for trace in pair)
    return float((two[two > one[-4]][0] - one[-4]) / (one[-3] - one[-4]))


def test_a_gap_junction_makes_two_axons_fire_together(lesson):
    free, joined = lesson.values["gap_pairs"].values()
    assert 0.9 < phase(free) < 0.99  # the second stays ahead
    late = free[0].t > 150.0
    assert np.corrcoef(*(trace.V[late] for trace in joined))[0, 1] > 0.999999


def test_mutual_inhibition_locks_pacemakers_in_antiphase_and_makes_a_rhythm_by_rebound(lesson):
    pacemakers, silent = lesson.values["taking_turns"].values()
    assert abs(phase(pacemakers) - 0.5) < 0.02 and abs(phase(silent) - 0.5) < 0.02
    assert np.diff(silent[0].spike_times)[-1] > 1.3 * np.diff(pacemakers[0].spike_times)[-1]
    two_axons, mutual = lesson.values["two_axons"], lesson.values["mutual"]
    assert [len(trace.spike_times) for trace in two_axons(10.0, [])] == [21, 21]  # pacemakers without synapses
    for one_synapse in (mutual[:1], mutual[1:]):  # the other one is cut
        assert max(trace.spike_times[-1] for trace in two_axons(5.0, one_synapse)) < 50.0
