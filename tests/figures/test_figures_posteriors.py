"""What the figures of notebook 2 show: their data, by other means."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.path import Path

from helpers.figures.diagnostics import plot_calibration, plot_shrinkage
from helpers.figures.posteriors import (
    plot_against_reference,
    plot_correlations,
    plot_samples,
    plot_shrinkage_by_data,
    plot_simulation_budget,
)
from helpers.figures.predictive import plot_paired_experiments, plot_prior_predictive
from helpers.inference.diagnostics.calibration import Calibration, Coverage, Tarp
from helpers.inference.diagnostics.recovery import Shrinkage
from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step


def correlated(n, seed):
    return np.random.default_rng(seed).multivariate_normal([50.0, 5.0], [[4.0, 0.35], [0.35, 0.04]], n)


def test_the_ellipse_holds_95_percent_of_normal_draws():
    samples = correlated(20_000, 0)
    ax = plot_samples(plt.figure().subplots(), {"one": samples, "reference": samples}, ["a", "b"], [50.0, 5.0])
    ellipses = [line for line in ax.lines if len(line.get_xdata()) == 200]
    assert len(ellipses) == 2 and {line.get_linestyle() for line in ellipses} == {"--", "-"}
    for ellipse in ellipses:
        assert Path(ellipse.get_xydata()).contains_points(samples).mean() == pytest.approx(0.95, abs=0.005)


def test_the_frame_is_what_the_right_panel_shows():
    samples, reference = correlated(2000, 1), 50.0 + 0.01 * (correlated(2000, 2) - 50.0)
    left, right = plot_against_reference(samples, reference, "wide", ["a", "b"], [50.0, 5.0]).axes
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
    left, right = plot_simulation_budget(curves).axes
    for number, (count, width, told_apart) in enumerate(curves.values()):
        np.testing.assert_array_equal(left.lines[number].get_xydata().T, [count, width])
        np.testing.assert_array_equal(right.lines[number].get_xydata().T, [count, told_apart])


def test_the_budget_axes_have_names_and_round_numbers():
    for ax in plot_simulation_budget({"one": ([300, 10_000], [30.0, 10.0], [1.0, 0.9])}).axes:
        assert "simulations" in ax.get_xlabel() and "reference" in ax.get_ylabel()
        assert [ax.xaxis.get_major_formatter()(tick) for tick in ax.get_xticks()] == ["300", "1,000", "3,000", "10,000"]


def test_experiments_show_their_traces_and_share_an_axis_only_if_told():
    traces = [simulate(Pospischil(), step(I, 10.0, 110.0), 120.0, seed=0) for I in (3.0, -1.0)]
    for sharey in (True, False):
        axes = plot_paired_experiments({"up": {"a": traces[0]}, "down": {"a": traces[1]}}, "cell", sharey).axes
        assert [ax.get_title(loc="left") for ax in axes] == ["up", "down"]
        assert axes[1].get_legend().get_title().get_text() == "cell"
        for ax, trace in zip(axes, traces, strict=True):
            np.testing.assert_array_equal(ax.lines[0].get_ydata(), trace.V)
        assert (axes[0].get_ylim() == axes[1].get_ylim()) == sharey


def test_learned_shows_each_shrinkage_once_and_not_below_zero():
    shrunk = {"little": np.array([-0.1, 0.2]), "more": np.array([0.5, 0.9])}
    (ax,) = plot_shrinkage_by_data(shrunk, ["a", "b"]).axes
    assert [line.get_label() for line in ax.lines] == list(shrunk)
    np.testing.assert_array_equal([line.get_xdata() for line in ax.lines], [[0.0, 0.2], [0.5, 0.9]])


def test_correlations_are_written_where_they_belong():
    table = np.array([[1.0, -0.72, 0.3], [-0.72, 1.0, -0.04], [0.3, -0.04, 1.0]])
    (ax,) = plot_correlations({"t": table}, ["a", "b", "c"]).axes
    written = {(int(y), int(x)): text.get_text() for text in ax.texts for x, y in [text.get_position()]}
    assert written == {(i, j): f"{table[i, j].round(1) + 0.0:.1f}" for i in range(3) for j in range(3) if i != j}
    assert written[1, 2] == "0.0" and np.diag(ax.collections[0].get_array().mask.reshape(3, 3)).all()


class SixNames:
    names = labels = tuple("abcdef")


def test_many_parameters_have_a_row_of_ranks_each_and_none_hides_another():
    rng = np.random.default_rng(4)
    ranks = rng.integers(0, 101, (600, 6))
    ranks[:, 2] = 100 * rng.beta(2, 2, 600)  # a posterior that is too wide
    result = Calibration(SixNames, ranks, 100, np.full(6, 0.1), np.full(6, 0.1))
    coverage = Coverage(SixNames, rng.uniform(size=600), rng.uniform(size=(600, 6)), "region")
    tarp = Tarp(np.linspace(0, 1, 5), np.linspace(0, 1, 5), 0.0, 0.5)
    ax = plot_calibration({"all": (result, coverage, tarp)}).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abcdef") and ax.yaxis_inverted()
    rows = [patch.get_data().values for patch in ax.patches if hasattr(patch, "get_data")]
    assert len(rows) == 6
    for k, row in enumerate(rows):
        assert (np.abs(row - k) < 0.5).all()
        assert np.argmax(k - row) == np.argmax(np.histogram(ranks[:, k], np.linspace(-0.5, 100.5, 13))[0])
    assert np.abs(rows[2] - 2).max() > 1.5 * max(np.abs(rows[k] - k).max() for k in (0, 1, 3, 4, 5))


def test_many_parameters_have_a_cross_each_for_their_trials():
    rng = np.random.default_rng(5)
    result = Shrinkage(SixNames, rng.uniform(0.2, 0.9, (300, 6)), rng.normal(size=(300, 6)))
    ax = plot_shrinkage(plt.figure().subplots(), result)
    middles = [line.get_xydata()[0] for line in ax.lines if line.get_marker() not in ("None", "|", "_", "")][:6]
    np.testing.assert_allclose(middles, np.median([result.shrinkage, result.z], axis=1).T)
