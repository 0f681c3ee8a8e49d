"""docs/deeper/phase_plane: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import HodgkinHuxley, experiments, simulate, step, widgets

NOTEBOOK = "docs/deeper/phase_plane.ipynb"


def test_the_hopf_points(lesson):
    low, high = lesson.values["hopf_low"], lesson.values["hopf_high"]
    assert abs(low.I - 9.775) < 0.005 and abs(low.state["V"] + 59.65) < 0.01
    assert abs(high.I - 154.52) < 0.01 and abs(high.state["V"] + 43.06) < 0.01
    assert 1000 * lesson.values["pair"].imag.min() / (2 * np.pi) > 60


def test_the_rule_of_counting_decides_when_the_axon_falls_silent(lesson):
    strong, counted = lesson.values["strong"], lesson.values["counted"]
    for I, expected in {60.0: (125, 124), 80.0: (0, 137), 100.0: (0, 0)}.items():
        assert np.abs([counted[line][strong == I][0] for line in (0.0, -20.0)] - np.array(expected)).max() <= 1
    swing = [np.ptp(simulate(HodgkinHuxley(), step(I, 0.0, 3000.0), 3000.0).V[200_000:]) for I in (154.0, 156.0)]
    assert swing[0] > 1.0 > 0.01 > swing[1]  # the oscillation ends at the Hopf point


def test_two_of_three_fixed_points_vanish_during_a_spike(lesson):
    spike, t_peak = lesson.values["spike"], lesson.values["t_peak"]

    def fixed(t):
        frozen = {gate: float(np.interp(t, spike.t, spike.states[gate])) for gate in ("h", "n")}
        return experiments.fixed_points(HodgkinHuxley(), frozen=frozen)[:, 0].round(1).tolist()

    assert fixed(0.0)[0::2] == [-65.0, 48.9] and len(fixed(t_peak)) == 3 and len(fixed(t_peak + 1.3)) == 1


def test_the_plane_underestimates_the_threshold(lesson):
    assert abs(lesson.values["in_plane"] - 2.6) < 0.1 and abs(lesson.values["needed"] - 6.6) < 0.15
    assert 1 / lesson.values["growth"] > 0.5 * lesson.values["tau_n"]


def test_the_answers_of_the_explorer():
    def points(amplitude, moment):
        return widgets.phase_plane_at(amplitude, moment).points[:, 0].round(1).tolist()

    assert points(10.0, 0.5) == [-65.0, -62.4, 48.9] and points(10.0, 2.0) == [48.9] and points(10.0, 4.5) == [-75.7]
    falling = widgets.phase_plane_at(10.0, 4.5)
    assert [round(float(falling.trace.states[gate][falling.k]), 2) for gate in ("h", "n")] == [0.09, 0.77]
    assert points(2.0, 2.0) == [48.9] and len(points(2.0, 5.0)) == 3
    caught = widgets.phase_plane_at(2.0, 5.0)
    assert 0 < caught.trace.V[caught.k] - caught.points[1, 0] < 2 and caught.trace.V.max() < -59
