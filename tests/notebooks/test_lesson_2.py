"""Lesson 2: each section runs alone after the opening, each cell again after all; and what its values must be."""

import numpy as np
import pytest
from support.sections import *  # noqa: F403

from helpers import Pospischil, inference, simulate, step, summary_statistics, widgets

NOTEBOOK = "2_Bayesian_Inference.ipynb"


def test_by_hand_sodium_is_hard_to_see(lesson):
    """The folded answer: 45, 50 and 55 look alike, and even the truth has a distance."""
    observed, stimulus, scatter = (lesson.values[name] for name in ("observed", "stimulus", "scatter"))
    tried = [widgets.attempt(observed, stimulus, scatter, g_Na=g_Na, g_K=5.0) for g_Na in (45.0, 50.0, 55.0)]
    distance = [one.distance for one in tried]
    assert LEAST - 0.01 < distance[1] < min(distance[0], distance[2]) < distance[1] + 0.02
    pairs = ((25.0, 10.0), (50.0, 5.0), (70.0, 3.0))
    away = np.array([widgets.attempt(observed, stimulus, scatter, g_Na=a, g_K=b).away for a, b in pairs])
    assert np.ptp(away[:, 1:3], axis=0).max() < 0.01 < np.ptp(away[:, 3:], axis=0).min()
    assert 19 < observed.spike_times[0] < 21 and 92 < observed.spike_times[-1] < 94
    assert (np.diff(observed.spike_times, n=2) > 0).all()  # growing intervals


LEAST = 0.18  # the distance of the truth, in the folded answer


def test_explorers_move_to_both_ends(lesson):
    values = lesson.section("By hand").values
    widgets.explore_conductances(values["observed"], values["stimulus"], values["scatter"]).try_both_ends()
    values = lesson.section("One network for every neuron").values
    explorer = widgets.explore_posterior(values["amortised"], Pospischil(), values["stimulus"], duration=120.0)
    explorer.try_both_ends()
    explorer.reset()
    assert explorer.failure is None and "5 spikes. Inferred: g_Na" in explorer.sentence.value


def test_the_noise_of_a_trace(lesson):
    """Near the fifth spike V differs by tens of millivolts between runs, the mean of V by hundredths."""
    V, t = lesson.values["V_runs"], lesson.values["times"]
    assert V[:, (t > 88) & (t < 98)].std(axis=0).max() > 10
    assert 0.40 < lesson.values["likelihood_B"] < 0.48 and lesson.values["likelihood_A"] == 1.0


def test_rejection(lesson):
    nearest, shifted = (draws.std(axis=0) for draws in lesson.values["accepted"].values())
    assert 9 < nearest[0] < 13 and 0.6 < shifted[0] < 2.0 and (shifted < 0.3 * nearest).all()


@pytest.mark.long  # nbval runs the section, which checks its claim; tests/inference holds the method to more
def test_the_reference_is_the_published_width(lesson):
    np.testing.assert_allclose(lesson.values["curves"].sd, [0.056, 0.0039], rtol=0.1)
    assert abs(lesson.values["curves"].correlation[0, 1] - 0.91) < 0.03
    wide, last = lesson.values["too_wide"], lesson.values["draws_last"]
    assert (5 < wide).all() and (wide < 7).all()  # "about six times"
    assert inference.c2st(last, lesson.values["reference"], at_most=1000) < 0.6


def test_the_amortised_network_is_calibrated(lesson):
    trials, x_new = lesson.values["trials"], lesson.values["x_new"]
    covered = inference.coverage(trials)
    for level in (0.5, 0.8, 0.95):
        assert (np.abs(covered.coverage_at(level) - level) < 0.02 + 4 * covered.standard_error(level)).all()
    ignorant = inference.coverage(lesson.values["ignorant"]).coverage_at(0.8)
    assert np.abs(ignorant - 0.8).max() < 0.07
    assert inference.coverage(lesson.values["narrower"]).coverage_at(0.5)[0] < 0.35
    few = x_new[:, 0] < 4  # "neurons that fire fewer than four spikes tell less"
    assert (np.median(trials.sd[few], axis=0) > 1.5 * np.median(trials.sd[~few], axis=0)).all()


def test_what_the_posterior_explorer_shows(lesson):
    """Silent: a large cloud of little sodium. Firing: a small one, long and thin, sodium paid for by potassium."""
    trials, fires = lesson.values["trials"], lesson.values["x_new"][:, 0] >= 4
    silent = lesson.values["x_new"][:, 0] == 0
    assert (np.median(trials.sd[silent], axis=0) > 2 * np.median(trials.sd[fires], axis=0)).all()
    assert trials.samples[silent][:, :, 0].mean() < 10  # of 80 mS/cm²
    correlation = np.array([np.corrcoef(draws.T)[0, 1] for draws in trials.samples[fires]])
    assert np.mean(correlation > 0.5) > 0.85


def test_predictive_check(lesson):
    predicted, drawn = lesson.values["predicted"], lesson.values["drawn"]
    spread = np.std(predicted.spikes, axis=0)
    assert (np.diff(spread) > 0).all() and spread[0] < 0.2  # later spikes scatter more
    assert 0.55 < predicted.within(0.5) < 0.75  # "two in three"
    assert predicted.p_count == 0.5 and predicted.p_spikes > 0.01 and np.abs(predicted.z).max() < 2
    assert (drawn.std(axis=0) / [50, 5] < 0.02).all()  # "known to better than 2 %"


def test_the_twins(lesson):
    """The two neurons with different leaks: spikes at nearly the same times, another V under the step down."""
    responses = lesson.values["responses"]
    up, down = ([*responses[title].values()] for title in ("step up", "step down"))
    assert np.abs(np.subtract(*(trace.spike_times for trace in up))).max() < 5  # ms
    low = [trace.V[(trace.t > 60) & (trace.t < 110)] for trace in down]
    assert abs(low[0].mean() - low[1].mean()) > 3 * max(V.std() for V in low)
    g_L = [row[2] for row in lesson.values["twins"].values()]
    assert 5.5 < g_L[1] / g_L[0] < 6.5
    for row in lesson.values["twins"].values():  # inside the prior
        lesson.values["eight"].check(np.array(row))


def test_eight_unknowns_at_a_coarser_step():
    """The networks of eight parameters are trained at 0.025 ms, which moves the moments by less than their noise."""
    pulse, cells = step(3.248, 10.0, 110.0), {"g_Na": np.full(200, 50.0)}
    prior = inference.box_prior(Pospischil, ["g_Na"])
    fine, coarse = (
        inference.NeuronSimulator(Pospischil(), pulse, prior, 120.0, dt=dt)(cells["g_Na"][:, None], seed=5)
        for dt in (0.01, 0.025)
    )
    off = np.abs(fine.mean(axis=0) - coarse.mean(axis=0))[3:] / fine.std(axis=0)[3:]
    assert (off < 1).all()


def test_the_real_cell(lesson, recordings):
    """Each statistic alone lies among the simulations; the model misses the cell all the same."""
    x_sim, x_cell, check = (lesson.values[name] for name in ("x_sim", "x_cell", "checked"))
    inside = np.mean(x_sim < x_cell, axis=0)
    assert 0.001 < inside.min() and inside.max() < 0.999
    assert lesson.values["source"] == "recorded" and np.abs(check.z).max() > 4
    assert x_cell[0] == 6 and -77 < x_cell[1] < -75
    assert lesson.values["width_cell"] > 1.5 * np.median(lesson.values["above"])


@pytest.mark.long  # nbval runs the section, which checks recovery and calibration
def test_six_parameters(lesson):
    trials, recovered = lesson.values["six_trials"], lesson.values["six_recovered"]
    assert (recovered.r > [0.95, 0.93, 0.75, 0.93, 0.97, 0.75]).all()
    silent = lesson.values["x_six"][:, 0] == 0
    wide = np.median(trials.sd[silent], axis=0) > 3 * np.median(trials.sd[~silent], axis=0)
    assert wide[0] and wide[3]  # "they never fired": V_th and V_reset


def test_a_wrong_threshold_is_hidden_in_the_band(lesson):
    right, wrong = lesson.values["lif_checks"].values()
    assert right.coverage_90 > 0.85 and wrong.coverage_90 > 0.8
    assert right.p_spikes > 0.05 > wrong.p_spikes
    assert lesson.values["draws_6"][:, 0].std() < 0.25  # 1 mV is many times that


def test_the_trace_is_that_of_the_text(lesson):
    observed = simulate(Pospischil(), lesson.values["stimulus"], duration=120.0, seed=11)
    np.testing.assert_array_equal(summary_statistics(observed), lesson.values["x_o"])
    assert len(observed.t) == 12_001
