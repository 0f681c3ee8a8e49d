"""The spiking layer that notebook 3 writes, run from its cells; what spikes cost; training that is repeatable."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from torch import nn

from helpers.artificial.activations import hidden_layer
from helpers.artificial.spiking import SpikingClassifier, gradient_through_time, spike_cost, sweep_spike_price
from helpers.artificial.tasks import Task, digits, pulse_order
from helpers.artificial.training import accuracy, compare, train
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

NOTEBOOK = Path(__file__).parents[2] / "3_Biological_vs_Artificial_Neurons.ipynb"


@pytest.fixture(scope="module")
def written() -> dict:
    """The names that the two cells of section 4 define."""
    names = {"torch": torch, "nn": nn}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.source.startswith(("class Spike(", "class SpikingLayer(")):
            exec(cell.source, names)
    return names


def test_forward_is_a_step_and_backward_the_slope_of_a_smooth_function(written):
    d = torch.linspace(-2.0, 2.0, 101, dtype=torch.float64, requires_grad=True)
    spikes = written["Spike"].apply(d, 0.3)
    np.testing.assert_array_equal(spikes.detach(), (d.detach() >= 0).float())
    (slope,) = torch.autograd.grad(spikes.sum(), d)
    h, at = 1e-6, d.detach().numpy()
    smooth = [x / (1 + np.abs(x) / 0.3) for x in (at + h, at - h)]
    np.testing.assert_allclose(slope, (smooth[0] - smooth[1]) / (2 * h), atol=1e-5)


@pytest.mark.parametrize("current", [140.0, 160.0, 220.0, 400.0, 900.0])
def test_the_layer_is_the_LIF_of_the_simulator(written, current):
    model = LeakyIntegrateAndFire(V_reset=-70.0, t_ref=0.0, tau_m=-1.0 / np.log(0.9))
    layer = written["SpikingLayer"](1, 1).double()
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = 0.1 * current / 150.0, 0.0
        mine = np.flatnonzero(layer(torch.ones(1, 300, 1, dtype=torch.float64)))
    theirs = simulate(model, step(current, 0.0, 300.0), 300.0, dt=1.0).V > 0.0
    assert len(mine) == theirs.sum()
    np.testing.assert_array_equal(np.diff(mine), np.diff(np.flatnonzero(theirs)))


def test_gradient_through_time_without_a_reset_is_the_decay_of_the_membrane():
    class Leak(nn.Module):  # passive: V alone, so that each earlier ms counts 0.8 times as much
        def forward(self, x):
            V, trace = 0.0, []
            for I in x.unbind(1):
                V = 0.8 * V + I
                trace.append(V)
            return torch.stack(trace, 1)

    lags, size = gradient_through_time(Leak(), torch.rand(3, 12, 2))
    np.testing.assert_array_equal(lags, np.arange(12))
    np.testing.assert_allclose(size, 0.8**lags, rtol=1e-5)


def test_cost_of_a_spike():
    """Hodgkin & Huxley's axon at 18.5 °C takes 4.0 pmol/cm² of sodium, as notebook 1 measures."""
    warm = HodgkinHuxley.preset("warm")
    cost, double = spike_cost(warm, 1e-4), spike_cost(warm, 2e-4, free_energy=60.0)
    assert cost.charge == pytest.approx(382.0, abs=2.0)
    assert cost.ATP == pytest.approx(4.0e-12 * 1e-4 / 3 * 6.022e23, rel=0.02)
    assert cost.energy == pytest.approx(cost.ATP / 6.022e23 * 50e3, rel=1e-3)
    assert double.energy / cost.energy == pytest.approx(2.4)
    with pytest.raises(ValueError, match="0 spikes; allowed: exactly one"):
        spike_cost(HodgkinHuxley.preset("TTX"), 1e-4)


def test_price_saves_spikes(written):
    task = digits()
    small = Task(task.x_train[:300], task.y_train[:300], task.x_test[:100], task.y_test[:100])

    def make() -> SpikingClassifier:
        return SpikingClassifier(written["SpikingLayer"](64, 16), 16, 10, steps=8)

    priced = sweep_spike_price(make, small, [0.0, 3.0], seeds=range(2), epochs=4, learning_rate=0.01)
    assert priced.accuracy.shape == (2, 2) and np.all(priced.spikes[1] < 0.7 * priced.spikes[0])
    network = make()
    assert network.spikes_per_sample(small.x_test) == network.spikes.sum() / 100
    assert set(network.spikes.unique().tolist()) <= {0.0, 1.0} and network.spikes.shape == (100, 8, 16)


@pytest.mark.slow
def test_the_order_of_pulses_needs_time(written):
    task = pulse_order(200, seed=1)
    counts = Task(task.x_train.sum(1), task.y_train, task.x_test.sum(1), task.y_test)
    blind = compare({"": lambda: hidden_layer(nn.ReLU(), 2, 8, 2)}, counts, seeds=[0], epochs=5)[""]
    assert abs(blind.accuracy[0] - 0.5) < 0.1
    torch.manual_seed(0)
    network = SpikingClassifier(written["SpikingLayer"](2, 16), 16, 2)
    assert train(network, task, epochs=40, seed=0, learning_rate=0.02).accuracy[-1] > 0.9


# ---------------------------------------------------------------------------------------------------------- training


def test_training_is_repeatable_and_fair():
    task = digits()
    makers = {name: lambda: hidden_layer(nn.Tanh(), 64, 8, 10) for name in ("one", "other")}
    runs = compare(makers, task, seeds=[0, 1], epochs=2)
    np.testing.assert_array_equal(runs["one"].curves, runs["other"].curves)
    assert not np.array_equal(runs["one"].curves[0], runs["one"].curves[1])
    history = runs["one"].histories[0]
    assert (
        history.loss[1] < history.loss[0]
        and accuracy(runs["one"].networks[0], task.x_test, task.y_test) == (history.accuracy[-1])
    )
    assert history.epochs_to(0.0) == 1.0 and history.epochs_to(1.1) == np.inf


def test_training_that_runs_away_is_refused():
    task = digits()
    with pytest.raises(ValueError, match="the loss is nan in epoch"):
        train(nn.Sequential(nn.Linear(64, 10)), task, epochs=3, seed=0, learning_rate=1e37)
    with pytest.raises(ValueError, match=r"learning_rate = 1e\+38; allowed: above 0, at most 1e\+37"):
        train(nn.Sequential(nn.Linear(64, 10)), task, epochs=3, seed=0, learning_rate=1e38)
