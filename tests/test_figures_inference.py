"""What the figures of notebook 2 show: their data, by other means."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.path import Path

from helpers.figures_inference import plot_beside, plot_budget, plot_clouds, plot_prior_predictive
from helpers.neurons import Pospischil
from helpers.simulator import simulate
from helpers.stimuli import step


def correlated(n, seed):
    return np.random.default_rng(seed).multivariate_normal([50.0, 5.0], [[4.0, 0.35], [0.35, 0.04]], n)


def test_the_ellipse_holds_95_percent_of_normal_draws():
    samples = correlated(20_000, 0)
    ax = plot_clouds(plt.figure().subplots(), {"one": samples, "reference": samples}, ["a", "b"], [50.0, 5.0])
    ellipses = [line for line in ax.lines if len(line.get_xdata()) == 200]
    assert len(ellipses) == 2 and {line.get_linestyle() for line in ellipses} == {"--", "-"}
    for ellipse in ellipses:
        assert Path(ellipse.get_xydata()).contains_points(samples).mean() == pytest.approx(0.95, abs=0.005)


def test_the_frame_is_what_the_right_panel_shows():
    samples, reference = correlated(2000, 1), 50.0 + 0.01 * (correlated(2000, 2) - 50.0)
    left, right = plot_beside(samples, reference, "wide", ["a", "b"], [50.0, 5.0]).axes
    (frame,) = left.patches
    (x0, y0), (x1, y1) = frame.get_xy(), frame.get_xy() + np.array([frame.get_width(), frame.get_height()])
    np.testing.assert_allclose([*right.get_xlim(), *right.get_ylim()], [x0, x1, y0, y1])
    inside = (reference >= [x0, y0]) & (reference <= [x1, y1])
    assert inside.all(axis=1).mean() > 0.99


def test_every_parameter_set_is_drawn_once_by_its_number_of_spikes():
    theta, counts = correlated(500, 3), np.arange(500) % 9
    traces = {"a": simulate(Pospischil(), step(3.0, 10.0, 110.0), 120.0, seed=0)}
    *_, right = plot_prior_predictive(traces, theta, counts, ["a", "b"]).axes
    drawn = {line.get_label(): len(line.get_xdata()) for line in right.lines}
    assert drawn == {
        "0": (counts == 0).sum(), "1 to 4": ((counts > 0) & (counts < 5)).sum(),
        "5": (counts == 5).sum(), "6 or more": (counts > 5).sum(),
    }  # fmt: skip


def test_the_budget_curves_are_those_given():
    curves = {"one": ([300, 1000], [30.0, 10.0], [1.0, 0.9]), "two": ([500, 900], [9.0, 1.0], [0.9, 0.51])}
    left, right = plot_budget(curves).axes
    for number, (count, width, told_apart) in enumerate(curves.values()):
        np.testing.assert_array_equal(left.lines[number].get_xydata().T, [count, width])
        np.testing.assert_array_equal(right.lines[number].get_xydata().T, [count, told_apart])
