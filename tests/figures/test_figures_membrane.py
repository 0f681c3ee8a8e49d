"""What the figures of notebook 1 show is what was measured."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import figures
from helpers.experiments.current_clamp import (
    StrengthDurationFit,
    conductances,
    lapicque,
    steady_currents,
    weiss,
)
from helpers.experiments.dynamics import resting_state
from helpers.experiments.voltage_clamp import Command, clamp, step_command
from helpers.neurons.models import HodgkinHuxley
from helpers.recordings.voltage_clamp import RecordedFamily
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step


def test_a_family_has_a_line_per_level_and_names_some():
    levels = np.array([-40.0, 0.0, 40.0])
    family = clamp(HodgkinHuxley(), step_command(-65.0, levels))
    ax = figures.plot_clamp_family(plt.figure().add_subplot(), family.t, family.total, levels, name_every=2, at=20.0)
    for line, current in zip(ax.lines, family.total, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), current)
    assert [text.get_text() for text in ax.texts] == ["+40 mV", "\N{MINUS SIGN}40 mV"]
    little = family.total * [[0.01], [0.02], [1.0]]
    crowded = figures.plot_clamp_family(plt.figure().add_subplot(), family.t, little, levels, name_every=1, at=20.0)
    assert [text.get_text() for text in crowded.texts] == ["+40 mV", "0 mV"]


def test_a_spike_is_drawn_with_its_conductances():
    trace = simulate(HodgkinHuxley(), step(10.0, 5.0, 20.0), 20.0)
    g = conductances(HodgkinHuxley(), trace)
    figure = figures.plot_spike(trace, begin=5.0, end=15.0, conductances=g)
    assert len(figure.axes) == 5
    shown = figure.axes[3].lines[0].get_ydata()
    assert shown.max() == g["I_Na"][500:1501].max() > 20.0


def test_responses_stand_side_by_side_with_their_spikes_marked():
    traces = {f"{a:g}": simulate(HodgkinHuxley(), step(a, 1.0, 2.0), 20.0) for a in (2.0, 20.0)}
    figure = figures.plot_responses(traces)
    assert [len(ax.lines[1].get_xdata()) for ax in figure.axes[:2]] == [0, 1]


def test_the_sum_of_the_steady_currents_crosses_zero_at_the_mark():
    neuron, rest = HodgkinHuxley(), resting_state(HodgkinHuxley())["V"]
    V = np.linspace(-80.0, -57.0, 100)
    *singles, total, mark, _ = figures.plot_steady_currents(neuron, V, rest).axes[0].lines
    np.testing.assert_allclose(total.get_ydata(), sum(steady_currents(neuron, V).values()))
    assert np.interp(0.0, total.get_ydata(), V) == pytest.approx(mark.get_xdata()[0], abs=0.01)


@pytest.mark.parametrize("strengths", [(0.5,), (20.0,)], ids=["none fires", "all fire"])
def test_pulses_of_which_none_or_all_fire_are_drawn(strengths):
    pulses = {a: simulate(HodgkinHuxley(), step(a, 1.0, 2.0), 10.0) for a in strengths}
    (ax,) = figures.plot_pulse_responses(pulses, {0.5: (3.0, 40.0)}).axes  # no name in the air without a spike
    assert len(ax.texts) == int(strengths[0] < 1.0)


def test_gate_curves_are_those_of_the_neuron():
    V = np.linspace(-100.0, 40.0, 141)
    left, right = figures.plot_gate_curves(HodgkinHuxley(), V).axes
    np.testing.assert_array_equal(left.lines[1].get_ydata(), HodgkinHuxley().steady_state("h", V))
    np.testing.assert_array_equal(right.lines[2].get_ydata(), HodgkinHuxley().time_constant("n", V))
    assert [text.get_text() for text in left.texts] == [rf"${gate}_\infty$" for gate in "mhn"]


def test_tail_currents_and_the_line_through_their_first_values():
    second = np.array([-100.0, -60.0, -40.0])
    tails = clamp(HodgkinHuxley(block_Na=1.0), Command((-100.0, 20.0, second), (1.0, 10.0, 6.0)))
    left, right = figures.plot_tail_currents(tails, "I_K", (20.0, 1540.0)).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), tails.currents["I_K"][0])
    first = right.lines[0].get_ydata()
    assert np.all(np.diff(first / (second + 77.0)) < 1e-9) and first[0] < 0 < first[1]
    assert right.texts[0].get_text() == "zero at -77 mV"


def test_phase_planes_end_at_their_moments():
    spike = simulate(HodgkinHuxley(), step(0.0, 0.0, 10.0), 10.0, initial_state={"V": -55.0})
    figure = figures.plot_phase_planes(HodgkinHuxley(), spike, {"begin": 0.0, "later": 5.0})
    stars = [line for ax in figure.axes for line in ax.lines if line.get_marker() == "*"]
    assert [star.get_xdata()[0] for star in stars] == [spike.V[0], spike.V[500]]


def test_sodium_families_with_and_without_a_recording():
    levels = np.arange(-40.0, 61.0, 20.0)
    model = clamp(HodgkinHuxley(), step_command(-120.0, levels, before=0.4, during=25.0, after=0.4))
    assert len(figures.plot_sodium_families(model, None).axes) == 2
    part = (model.t >= 0.4) & (model.t < 25.0)
    I = model.currents["I_Na"][:, part] * 10.0  # a cell of 10 pF with the model's current, in pA
    recorded = RecordedFamily(model.t[part] - 0.4, levels, -120.0, I, 24.6, 10.0)
    left, middle, right = figures.plot_sodium_families(model, recorded).axes
    assert left.lines[1].get_ydata().min() == pytest.approx(middle.lines[1].get_ydata().min(), rel=1e-3)
    drawn = [line.get_ydata().min() for line in right.lines if len(line.get_xdata()) > 2]
    assert drawn == pytest.approx([-1.0, -1.0])


def test_laws_and_thresholds_are_drawn_as_current_and_as_charge():
    widths, needed = np.array([0.1, 1.0, 10.0]), np.array([60.0, 7.0, 2.2])
    fit = StrengthDurationFit(2.0, 2.0, needed)
    laws = {"Weiss": (weiss, fit), "Lapicque": (lapicque, fit)}
    left, right = figures.plot_strength_duration(widths, needed, laws).axes
    np.testing.assert_allclose(right.lines[2].get_ydata(), left.lines[2].get_ydata() * widths)
    assert left.lines[0].get_ydata()[-1] == pytest.approx(weiss(10.0, 2.0, 2.0))


def test_the_refractory_curve_ends_where_nothing_helps():
    intervals, relative = np.arange(5.0, 10.0), np.array([np.inf, np.inf, 3.0, 1.5, 0.9])
    (ax,) = figures.plot_refractoriness(intervals, relative, max_relative=5.0).axes
    assert ax.patches[0].get_x() + ax.patches[0].get_width() == pytest.approx(6.0)
