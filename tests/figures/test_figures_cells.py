"""Figures of fitted cells show what they are given: recording and predictions, draws and priors."""

import numpy as np
import pytest

from helpers.figures import plot_best_known, plot_marginals, plot_predicted_sweep
from helpers.inference.marginals import uniform
from helpers.inference.priors import prior_of
from helpers.neurons.cortical import CorticalNeuron
from helpers.simulation.trace import Trace

T = np.arange(0.0, 200.0, 0.1)


def spikes_at(*times):
    """V [mV] with a spike that peaks at each of these times [ms]."""
    return -70.0 + sum(100.0 * np.exp(-(((T - time) / 0.5) ** 2)) for time in times)


def sweep(*times):
    I = np.where((T >= 50.0) & (T < 150.0), 80.0, 0.0)
    return Trace(T, {"V": spikes_at(*times) + 0.0 * T}, I, 50.0, 150.0, I_unit="pA")


def test_a_firing_sweep_has_spike_rows_and_its_first_spike():
    V = np.array([spikes_at(72.0, 110.0), spikes_at(69.0, 105.0, 140.0)])
    figure = plot_predicted_sweep(sweep(70.0, 100.0), T - 50.0, V)
    voltage, current, rows, first = figure.axes
    assert [len(one.get_positions()) for one in rows.collections] == [2, 3, 2]
    assert rows.collections[-1].get_positions() == pytest.approx([20.0, 50.0], abs=0.5)
    assert len(voltage.lines) == len(first.lines) == 3 and first.get_xlim() == (-1.5, 5.0)
    assert voltage.get_ylabel() == "V (mV)" and current.get_ylabel() == "I (pA)"
    assert all(line.get_ydata().max() > 20.0 for line in first.lines)


def test_a_silent_sweep_has_neither():
    figure = plot_predicted_sweep(sweep(), T - 50.0, np.full((3, len(T)), -70.0))
    assert len(figure.axes) == 2 and len(figure.axes[0].lines) == 4


def test_marginals_span_their_prior():
    prior = prior_of(CorticalNeuron, {"g_Na": uniform(3.0, 150.0, log=True), "E_L": uniform(-90.0, -60.0)})
    figure = plot_marginals(prior, prior.draw(500, seed=0))
    for k, (ax, scale) in enumerate(zip(figure.axes[:2], ("log", "linear"), strict=True)):
        assert ax.get_xscale() == scale and ax.get_title(loc="left") == prior.labels[k]
        assert ax.get_xlim() == pytest.approx((prior.lower[k], prior.upper[k]))
        assert ax.patches[0].get_data().values.sum() == 500


def test_the_pair_plot_labels_every_axis():
    draws = np.random.default_rng(0).normal(size=(100, 3))
    figure = plot_best_known(["a (mV)", "b (ms)", "c"], draws)
    labels = {ax.get_xlabel() for ax in figure.axes} | {ax.get_ylabel() for ax in figure.axes}
    assert {"a (mV)", "b (ms)", "c"} <= labels
