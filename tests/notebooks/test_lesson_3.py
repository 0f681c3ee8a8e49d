"""Lesson 3: each section runs alone after the opening, each cell again after all; and what its values must be."""

import numpy as np
import pytest
import torch
from support.sections import *  # noqa: F403

from helpers import LeakyIntegrateAndFire, simulate, step, widgets
from helpers.artificial import silent_fraction

NOTEBOOK = "3_Biological_vs_Artificial_Neurons.ipynb"
# For sections that train for long: nbval runs them in any case, and each holds its claims by `check`.
trains = pytest.mark.long


def test_V_of_the_LIF_settles_where_the_leak_carries_the_current(lesson):
    lif, settled_V = lesson.values["lif"], lesson.values["settled_V"]
    shifts = [settled_V(lif, current) - lif.E_L for current in (50.0, 100.0)]
    np.testing.assert_allclose(shifts, [50.0 / lif.g_L, 100.0 / lif.g_L], atol=1e-6)


def test_the_axon_jumps_and_is_blocked_and_the_others_start_low(lesson):
    curves = lesson.values["curves"]
    first = {name: rates[rates > 0][0] / rates.max() for name, (_, rates, _) in curves.items()}
    assert curves["squid axon"][1][curves["squid axon"][1] > 0].min() > 50.0
    assert first["Pospischil"] < 0.1 < 0.4 < first["squid axon"]
    currents, rates, _ = curves["squid, into block"]
    assert rates[-1] == 0.0 and 90.0 < currents[rates > 0][-1] < 110.0
    assert curves["fast-spiking"][1][-1] > 2 * curves["regular-spiking"][1][-1] > 10.0
    assert LeakyIntegrateAndFire().t_ref == 2.0 and curves["LIF"][1][15] == 0.0 < curves["LIF"][1][16]  # 150, 160 pA


def test_the_LIF_formula_fits_best_and_where_the_others_fail(lesson):
    fits = lesson.values["fits"]
    best = {name: max(laws, key=lambda law: laws[law].R2) for name, laws in fits.items()}
    assert {best[name] for name in fits if "block" not in name} == {"LIF"}
    assert min(fits[name]["LIF"].R2 for name in fits if "block" not in name) > 0.98
    assert max(fit.R2 for fit in fits["squid, into block"].values()) < 0.1
    assert fits["squid axon"]["tanh"](0.0) < 0.0
    currents, rates, _ = lesson.values["curves"]["squid axon"]
    for law, fit in fits["squid axon"].items():
        miss = np.abs(fit(currents) - rates)
        assert (miss.max() < 15.0) if law == "LIF" else (miss.max() > 30.0 and currents[miss.argmax()] < 8.0)


def test_the_answers_of_the_fit_by_hand():
    best = widgets.hand_fit().best
    assert round(best.R2, 2) == 0.90 and widgets.hand_fit().R2 < 0.8
    assert widgets.hand_fit(scale=104.0, gain=0.28, threshold=9.6).R2 > best.R2 - 0.01
    hot = widgets.hand_fit(temperature=18.5)
    assert hot.currents[hot.rates > 0][0] == 9.0 and abs(hot.rates.max() - 352) < 2
    for g_M, slope in ((0.0, 19.7), (0.3, 7.8)):
        line = widgets.hand_fit("Pospischil", g_M=g_M, function="ReLU").best
        assert abs(line.scale * line.gain - slope) < 0.2


def test_measured_units_have_no_unit_of_measurement_and_the_blocked_one_falls(lesson):
    units = lesson.values["units"]
    one = torch.tensor(1.0)
    assert all(abs(float(units[name](one)) - 1.0) < 1e-3 for name in units if name not in ("ReLU", "sigmoid", "tanh"))
    z = torch.linspace(0.0, 4.0, 401)
    values = units["squid, into block"](z)
    assert values[-1] == 0.0 and 1.9 < float(z[values > 0].max()) < 2.4


def test_any_bend_learns_digits_and_the_sigmoid_learns_slowly(lesson):
    runs = lesson.values["runs"]
    ReLU = runs["ReLU"].accuracy.mean()
    assert all(abs(runs[name].accuracy.mean() - ReLU) < 0.013 for name in runs if name != "sigmoid")
    epochs = {name: np.mean([history.epochs_to(0.9) for history in run.histories]) for name, run in runs.items()}
    assert epochs["sigmoid"] > 1.8 * max(epochs[name] for name in runs if name != "sigmoid")
    driven = {name: run.accuracy.mean() for name, run in lesson.values["driven"].items()}
    assert ReLU > driven["ReLU"] > driven["squid axon"] > driven["squid, into block"]


def test_a_unit_in_block_is_silent_for_most_pictures_that_drive_it(lesson):
    torch.manual_seed(0)
    units, driven_network, task = (lesson.values[name] for name in ("units", "driven_network", "task"))
    silent = {n: silent_fraction(driven_network(units[n]), task.x_train) for n in ("ReLU", "squid, into block")}
    assert silent["squid, into block"] > 0.8 > silent["ReLU"] + 0.2


@trains
def test_the_units_of_the_layer_have_a_time_constant_of_9_5_ms(lesson):
    assert round(lesson.values["same_lif"].tau_m, 1) == 9.5


@trains
def test_time_and_order_are_seen_by_those_who_see_time(lesson):
    timing = {name: run.accuracy for name, run in lesson.values["timing"].items()}
    assert 0.96 < timing["ReLU, 60 inputs"].mean() < 1.0
    assert np.abs(timing["ReLU, counts"] - 0.5).max() < 0.08


@trains
def test_spiking_digits_reach_ReLU_and_spikes_can_be_saved(lesson):
    priced, ReLU = lesson.values["priced"], lesson.values["runs"]["ReLU"].accuracy.mean()
    accuracy, spikes = priced.accuracy.mean(1), priced.spikes.mean(1)
    assert abs(accuracy[0] - ReLU) < 0.015 and 65 < spikes[0] < 75 and spikes[2] < 17.0
    assert accuracy[0] - accuracy[2] < 0.02


def test_what_a_reader_guesses(lesson):
    told = lesson.values["told"]
    assert told[10.0]["latency"].correct == pytest.approx(0.5, abs=0.05)
    assert max(told[10.0][code].correct for code in ("count", "interval")) < 0.2
    assert all(told[window]["interval"].correct > 0.9 for window in (50.0, 200.0))
    assert told[200.0]["count"].correct < 0.85


def test_pairs_of_one_mean_differ_in_their_spikes(lesson):
    count = {n: len(trace.spike_times) for pair in lesson.values["answers"].values() for n, trace in pair.items()}
    mean = {n: trace.I[:-1].mean() for pair in lesson.values["answers"].values() for n, trace in pair.items()}
    assert count == {
        "8 ms apart": 1, "20 ms apart": 2, "down, up": 1, "up, down": 2, "10 Hz": 0, "60 Hz": 4, "steady": 1, "noisy": 6
    }  # fmt: skip
    for one, other in (("8 ms apart", "20 ms apart"), ("down, up", "up, down"), ("10 Hz", "60 Hz")):
        assert abs(mean[one] - mean[other]) < 1e-3
    assert mean["noisy"] < mean["steady"]


def test_the_memory_is_silent_fires_and_is_silent_and_only_at_the_right_moment(lesson):
    fired = lesson.values["memory"].spike_times
    assert fired[0] > 120.0 and len(fired) == 8 and abs(242.0 - fired[-1] - 9.0) < 0.5
    before = lesson.values["slowly"] + lesson.values["start_pulse"]
    later = simulate(lesson.values["squid"], before + step(5.0, 250.0, 251.0), 400.0, dt=0.025)
    assert later.spike_times[-1] > 380.0


def test_one_axon_computes_XOR_with_spikes_that_have_shrunk(lesson):
    swing = {inputs: np.ptp(trace.V[trace.t > 110.0][:-600]) for inputs, trace in lesson.values["responses_to"].items()}
    assert swing["0, 0"] < 1e-6 and abs(swing["0, 1"] - 55.0) < 1.0 and swing["1, 1"] < 2.0
    assert len(lesson.values["responses_to"]["1, 1"].spike_times) == 1


def test_no_rising_unit_computes_XOR():
    """The sum that the text adds up, for a grid of weights and biases."""
    w = np.linspace(-3.0, 3.0, 61)
    w1, w2, b = np.meshgrid(w, w, w)
    assert not ((b < 0) & (w1 + b > 0) & (w2 + b > 0) & (w1 + w2 + b <= 0)).any()


@trains
def test_learning_rules(lesson):
    learned = lesson.values["learned"]
    final = {rule: np.mean([run.accuracy[-1] for run in runs]) for rule, runs in learned.items()}
    assert final["backprop"] > final["feedback alignment"] > 0.96 > 0.92 > final["weight perturbation"] > 0.8
    turns = {rule: np.mean([run.angles[-10:].mean() for run in runs]) for rule, runs in learned.items()}
    assert 35 < turns["feedback alignment"] < 55 and turns["weight perturbation"] > 85
    noise = np.array(lesson.values["variance"]) / (np.array(lesson.values["n_weights"]) + 1)
    assert np.abs(noise - 1).max() < 0.25


def test_energies(lesson):
    costs, patch = lesson.values["costs"], lesson.values["spike"]
    spike, multiplication = costs["spike and its axon, rat"], costs["multiply and add"]
    assert round(spike[0] / multiplication[1]) == 2 and 160 < spike[1] / multiplication[0] < 170
    assert abs(patch.charge - 382) < 2 and 0.4 < 4 * spike[1] / costs["one neuron for one second, rat"][1] < 0.5


def test_adaptation(lesson):
    assert lesson.values["intervals"][0] == pytest.approx(16.5, abs=0.1)
