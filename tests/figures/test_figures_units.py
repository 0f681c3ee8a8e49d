"""What the figures of notebook 3 show is what they were given."""

import numpy as np
import pytest
import torch

from helpers.artificial.decoding import CODES, DecodingResult, Responses
from helpers.artificial.distillation import Score, SpikeDataset
from helpers.artificial.learning_rules import RuleRun
from helpers.artificial.rate_laws import RateFit, fit_rate_law
from helpers.artificial.spiking import SpikePriceSweep
from helpers.artificial.tasks import pulse_order
from helpers.artificial.training import TrainingHistory, TrainingRuns
from helpers.figures.networks import (
    plot_energy_costs,
    plot_learning_rules,
    plot_pulse_order,
    plot_spike_price,
    plot_students,
    plot_surrogate,
    plot_surrogate_widths,
)
from helpers.figures.units import plot_accuracies, plot_codes, plot_fitted_curves, plot_input_pairs, plot_R2, plot_xor
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step


def test_curves_and_fits():
    currents = np.linspace(0.0, 10.0, 21)
    curves = {name: (currents, 30.0 * np.maximum(currents - k, 0.0), "pA") for k, name in enumerate("abcd")}
    fits = {n: {law: fit_rate_law(law, c, r) for law in ("ReLU", "sigmoid")} for n, (c, r, _) in curves.items()}
    figure = plot_fitted_curves(curves, fits, shown=("ReLU",))
    for ax, (name, (_, rates, _)) in zip(figure.axes, curves.items(), strict=True):
        line, dots = ax.lines
        np.testing.assert_array_equal(dots.get_ydata(), rates)
        np.testing.assert_allclose(np.interp(currents, line.get_xdata(), line.get_ydata()), rates, atol=1.0)
        assert ax.get_title(loc="left") == name and ax.get_xlabel() == "current (pA)"


def test_table_of_R2_has_its_numbers_and_the_best_in_bold():
    R2 = {"x": {"a": 0.5, "b": 0.75}, "y": {"a": 1.0, "b": -1e-6}}
    figure = plot_R2({row: {law: RateFit(law, 1.0, 1.0, 0.0, value) for law, value in R2[row].items()} for row in R2})
    texts = {text.get_text(): text.get_fontweight() for text in figure.axes[0].texts}
    assert texts == {"0.500": "normal", "0.750": "bold", "1.000": "bold", "0.000": "normal"}


def test_accuracies_are_means_and_deviations():
    accuracies = np.array([0.90, 0.94, 0.98])
    runs = {"one": TrainingRuns([], [TrainingHistory(np.array([1.0, 0.5]), np.array([0.5, a])) for a in accuracies])}
    figure = plot_accuracies(runs)
    assert [ax.get_xlabel() for ax in figure.axes] == ["test accuracy", "epochs to 90%"]
    bar = figure.axes[0].containers[0]
    assert bar.lines[0].get_xdata()[0] == pytest.approx(0.94)
    whisker = bar.lines[2][0].get_segments()[0]
    np.testing.assert_allclose(whisker[:, 0], [0.90, 0.98])


def test_codes_show_right_guesses_or_bits():
    responses = Responses(np.repeat([0, 1], 4), np.full((8, 40), 1e6))
    told = {10.0: {code: DecodingResult(0.1 * k, 0.05, 0.5 + 0.1 * k) for k, code in enumerate(CODES)}}
    for quantity, expected in (("information", [0.0, 0.1, 0.2]), ("correct", [0.5, 0.6, 0.7])):
        figure = plot_codes(responses, [1.0, 2.0], told, quantity)
        heights = [bars[0].get_height() for bars in figure.axes[1].containers]
        np.testing.assert_allclose(heights, expected)


def test_xor_marks_the_sums_on_the_curve():
    I, rates = np.array([0.0, 10.0, 20.0]), np.array([0.0, 50.0, 0.0])
    trace = simulate(HodgkinHuxley(), step(0.0, 1.0, 5.0), 10.0)
    figure = plot_xor(I, rates, 8.0, {"0, 0": trace, "1, 1": trace})
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines[1:]]
    np.testing.assert_allclose(marks, [(0, 0), (8, 40), (16, 20)])


def test_prices():
    priced = SpikePriceSweep(
        np.array([0.0, 1.0]), np.array([[0.9, 1.0], [0.8, 0.9]]), np.array([[50.0, 60.0], [10.0, 12.0]])
    )
    figure = plot_spike_price(priced, ratio=0.9)
    points, level = figure.axes[0].lines[0], figure.axes[0].lines[-1]
    np.testing.assert_allclose(points.get_xydata(), [(55, 0.95), (11, 0.85)])
    np.testing.assert_allclose(level.get_ydata(), 0.9 * 0.95)


def test_pairs_have_a_column_each():
    pair = {name: simulate(HodgkinHuxley(), step(I, 1.0, 5.0), 10.0) for name, I in (("weak", 1.0), ("strong", 9.0))}
    figure = plot_input_pairs({"one": pair, "two": pair})
    upper, lower = figure.axes[0], figure.axes[4]
    assert [ax.texts[0].get_text() for ax in (upper, lower)] == ["weak", "strong"]
    assert upper.get_title(loc="left") == "one"
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), pair["strong"].V)


def test_widths_and_costs():
    reach = np.array([[1.0, 0.1], [1.0, 10.0]])
    figure = plot_surrogate_widths(np.array([0.1, 1.0]), np.arange(2), reach, np.array([[0.9, 1.0], [0.5, 0.6]]))
    np.testing.assert_array_equal([line.get_ydata() for line in figure.axes[0].lines], reach)
    costs = plot_energy_costs({"cheap": (1e-12, 4e-12), "dear": (1e-10, 1e-10)})
    assert [text.get_text() for text in costs.axes[0].texts] == ["100 to 100 pJ", "1 to 4 pJ"]


def test_surrogate_beside_its_spike():
    d = torch.linspace(-1.0, 1.0, 5, requires_grad=True)
    figure = plot_surrogate(d, (d >= 0).float(), torch.ones(5))
    spike, slope = figure.axes[0].lines
    assert spike.get_ydata().tolist() == [0, 0, 1, 1, 1] and slope.get_ydata().tolist() == [1] * 5


def test_students_and_rules():
    lesson = SpikeDataset(np.arange(50.0), (np.arange(50) % 10 == 0).astype(int))
    marks = [[Score(0.9, 0.8), Score(0.94, 0.9)], [Score(0.99, 0.97), Score(0.99, 0.95)]]
    figure = plot_students(lesson, np.linspace(0, 1, 50), slice(10, 30), (0, 3), marks)
    fired = figure.axes[1].lines[1].get_xdata()
    np.testing.assert_array_equal(fired, [10, 20])
    means = [line for line in figure.axes[2].lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"][-1]
    np.testing.assert_allclose(means.get_ydata(), [0.92, 0.99])
    learned = {"rule": [RuleRun(10, np.array([0.1, a]), np.zeros(2), ()) for a in (0.5, 0.7)]}
    n = np.array([10, 100])
    rules = plot_learning_rules(learned, n, np.array([11.0, 101.0]))
    np.testing.assert_allclose(rules.axes[0].lines[0].get_xydata(), [(10, 0.1), (20, 0.6)])
    np.testing.assert_allclose(rules.axes[1].lines[0].get_ydata(), n + 1)


def test_order_of_pulses_shows_one_sample_of_each_class_and_no_accuracy_above_1():
    task = pulse_order(n=20, steps=15, max_lag=5)
    curves = np.array([[0.5, 1.0], [0.9, 1.0], [1.0, 0.4]])
    runs = {"one": TrainingRuns([], [TrainingHistory(np.ones(2), curve) for curve in curves])}
    figure = plot_pulse_order(task, runs)
    left, right = figure.axes
    assert {"input 0 was first", "input 1 was first"} <= {text.get_text() for text in left.texts}
    band = right.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == 0.4 and band.max() == 1.0
    np.testing.assert_allclose(right.lines[0].get_ydata(), [0.8, 0.8])
