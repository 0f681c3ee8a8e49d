"""What the figures of other neurons, of pairs and of integration errors show is what was simulated."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import HindmarshRose, LeakyIntegrateAndFire, Trace, figures, simulate, step


def lif_trace(current: float) -> Trace:
    return simulate(LeakyIntegrateAndFire(), step(current, 0.0, 200.0), 200.0, dt=0.1)


def test_experiments_in_one_panel_have_their_names_above_it():
    traces = {f"{I:g} pA": lif_trace(I) for I in (100.0, 160.0)}
    (ax,) = figures.plot_overlaid(traces).axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["100 pA", "160 pA"]
    for line, trace in zip(ax.lines, traces.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), trace.V)
    assert len({line.get_linestyle() for line in ax.lines}) == 2


def test_pairs_stand_one_below_the_other():
    pairs = {"one": (lif_trace(160.0), lif_trace(170.0)), "two": (lif_trace(180.0), lif_trace(190.0))}
    top, bottom = figures.plot_voltage_pairs(pairs, begin=20.0, end=90.0).axes
    assert (top.get_title(loc="left"), bottom.get_title(loc="left")) == ("one", "two")
    np.testing.assert_array_equal(bottom.lines[1].get_ydata(), pairs["two"][1].V)
    assert top.get_xlim() == bottom.get_xlim() == (20.0, 90.0)


def test_rates_of_an_adapting_neuron_are_one_over_its_intervals():
    traces = {"weak": lif_trace(160.0), "strong": lif_trace(200.0)}
    *tops, bottom = figures.plot_adaptation(traces).axes
    assert len(tops) == 2
    for line, trace in zip(bottom.lines, traces.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), 1000.0 / np.diff(trace.spike_times))


def test_the_band_of_an_f_I_curve_is_drawn_only_if_it_is_given():
    currents, rates = np.array([1.0, 2.0, 3.0]), np.array([0.0, 50.0, 60.0])
    with_band, without = plt.subplots(1, 2)[1]
    figures.plot_firing_onset(with_band, currents, rates, band=(1.5, 2.5))
    figures.plot_firing_onset(without, currents, rates)
    assert [len(ax.patches) for ax in (with_band, without)] == [1, 0]
    assert [len(ax.texts) for ax in (with_band, without)] == [2, 1]


def test_a_threshold_is_a_dotted_line_at_its_height():
    (ax,) = figures.plot_threshold(lif_trace(160.0), -55.0).axes
    assert list(ax.lines[-1].get_ydata()) == [-55.0, -55.0] and ax.lines[-1].get_linestyle() == ":"


def test_errors_are_drawn_against_the_step_with_the_smallest_on_the_right():
    (ax,) = figures.plot_integration_errors(
        [0.04, 0.02, 0.01], {"first": [4.0, 2.0, 1.0], "second": [4.0, 1.0, 0.25]}
    ).axes
    left, right = ax.get_xlim()
    assert left > right and [text.get_text().strip() for text in ax.texts] == ["second", "first"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [4.0, 1.0, 0.25])


def test_bursts_show_x_and_z_of_the_chosen_time():
    trace = simulate(HindmarshRose(), step(0.0, 0.0, 500.0), 500.0, dt=0.05, method="rk4")
    (ax,) = figures.plot_bursts({"chaotic": trace}, begin=100.0, end=300.0).axes
    x, z = ax.lines
    assert x.get_xdata()[[0, -1]] == pytest.approx([100.0, 300.0])
    np.testing.assert_array_equal(z.get_ydata(), trace.z[(trace.t >= 100.0) & (trace.t <= 300.0)])
    assert z.get_linewidth() > x.get_linewidth()


def test_each_interval_is_drawn_against_the_one_before_and_against_the_drive():
    (ax,) = figures.plot_interval_map({"a": np.array([10.0, 30.0, 20.0])}).axes
    assert ax.lines[1].get_xydata().tolist() == [[10.0, 30.0], [30.0, 20.0]]
    intervals = np.array([[10.0, 0.0], [20.0, 30.0]])
    (ax,) = figures.plot_intervals_by_drive(np.array([1.0, 2.0]), intervals, {"here": 1.5}).axes
    assert ax.lines[0].get_xydata().tolist() == [[1.0, 10.0], [1.0, 0.0], [2.0, 20.0], [2.0, 30.0]]


def test_the_line_through_a_growing_distance_is_the_one_that_was_fitted():
    trace = simulate(HindmarshRose(), step(0.0, 0.0, 2400.0), 2400.0, dt=0.1, method="rk4")
    distance = 1e-6 * np.exp(0.008 * trace.t)
    line = np.array([0.008, np.log(1e-6)])
    _, bottom = figures.plot_divergence((trace, trace), trace.t, {"a": distance, "b": distance}, line).axes
    t, fitted = bottom.lines[-1].get_data()
    assert (t[0], t[-1]) == pytest.approx((100.0, 1200.0))
    np.testing.assert_allclose(fitted, 1e-6 * np.exp(0.008 * t))
