"""Lesson 1: each section runs alone after the opening, each cell again after all; and what its values must be."""

import numpy as np
import pytest

from helpers import HodgkinHuxley, experiments, simulate, step, widgets

NOTEBOOK = "1_HH_model_simulation.ipynb"


@pytest.mark.xfail(reason="being rewritten", strict=False)
def test_a_section_runs_alone_and_its_cells_again(lesson, title):
    run = lesson.section(title)
    assert max(run.figures.values(), default=0) <= 1
    run.again()


@pytest.mark.long
def test_slow_cells_run_again(lesson, title):
    lesson.section(title).again(slow=True)


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


def test_the_f_I_curve(lesson):
    neuron, currents, rates = (lesson.values[name] for name in ("neuron", "currents", "rates"))
    assert np.abs(np.interp([6.27, 10.0, 20.0, 50.0], currents, rates) - [51, 68, 86, 117]).max() <= 1.0
    assert (np.diff(rates) >= 0).all()
    onset = experiments.measure_f_I(neuron, np.array([6.245, 6.275]), seconds=6.0)
    assert onset[0] == 0 and abs(onset[1] - 52) < 2
