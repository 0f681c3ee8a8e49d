"""A posterior knows the simulations that it was trained on, and refuses others wherever they come in."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.campaigns.campaign import Campaign
from helpers.campaigns.training import train_on
from helpers.inference.diagnostics.predictive import predictive_check
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import box_prior
from helpers.inference.rounds import truncated_rounds
from helpers.inference.simulator import CombinedSimulator, NeuronSimulator
from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Waveform, step
from helpers.simulation.summaries import summary, summary_statistics
from helpers.widgets.posterior import explore_posterior, inferred

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 4.0], high=[60.0, 6.0])
STIMULUS = step(3.248, 5.0, 25.0)
SIMULATOR = NeuronSimulator(Pospischil(), STIMULUS, PRIOR, 30.0, 0.01)
SMALL = {"epochs": 1, "model": "mdn"}


@summary(highest="mV")
def highest(sweep):
    return np.array([sweep.V.max()])


class AnotherCell(Pospischil):
    """A neuron of the same parameters."""


def trained(**changes):
    theta = PRIOR.draw(60, 1)
    simulator = replace(SIMULATOR, **changes)
    return train_npe(PRIOR, theta, simulator(theta, 2), 0, simulator=simulator, **SMALL)


@pytest.fixture(scope="module")
def posterior(tmp_path_factory):
    """From a file, where everything must be told that the posterior knows."""
    path = tmp_path_factory.mktemp("posterior") / "posterior.npz"
    trained().save(path)
    return Posterior.load(path)


@pytest.mark.parametrize("dt", [0.01, 0.02])
def test_the_explorer_simulates_at_the_time_step_of_the_training(dt):
    """It used to take 0.025 ms, whatever the network had been trained on."""
    own = trained(dt=dt)
    expected = simulate(Pospischil(g_Na=50.0, g_K=5.0), STIMULUS, 30.0, dt, seed=3)
    found = inferred(own, Pospischil(), STIMULUS, 30.0, seed=3, g_Na=50.0, g_K=5.0)
    np.testing.assert_array_equal(found.trace.V, expected.V)
    explorer = explore_posterior(own, Pospischil(), STIMULUS, 30.0, seed=3)
    explorer.set(g_Na=50.0, g_K=5.0)
    np.testing.assert_array_equal(explorer.figure.axes[0].lines[0].get_ydata(), expected.V)


OTHERS = [
    ({"dt": 0.025}, "dt 0.01, now 0.025"),
    ({"duration": 40.0}, "duration 30.0, now 40.0"),
    ({"stimulus": step(3.0, 5.0, 25.0)}, "stimulus: parameters: amplitude 3.248, now 3.0"),
    ({"stimulus": Waveform.from_samples(np.zeros(3001), 0.01)}, "stimulus: class step, now Waveform"),
    ({"neuron": Pospischil(g_M=0.1)}, "neuron: parameters: g_M 0.07, now 0.1"),
    ({"neuron": AnotherCell()}, "neuron: class Pospischil, now AnotherCell"),
    ({"summarise": highest}, "statistics highest; the posterior was trained on spike_count, rest_mean"),
]


@pytest.mark.parametrize(("change", "message"), OTHERS)
@pytest.mark.parametrize("door", ["inferred", "explore_posterior", "predictive_check"])
def test_other_simulations_are_refused_at_every_door(door, change, message, posterior):
    how = {"neuron": Pospischil(), "stimulus": STIMULUS, "duration": 30.0} | change
    neuron, stimulus, duration = (how.pop(name) for name in ("neuron", "stimulus", "duration"))
    with pytest.raises(ValueError, match=message):
        if door == "inferred":
            inferred(posterior, neuron, stimulus, duration, seed=1, g_Na=50.0, g_K=5.0, **how)
        elif door == "explore_posterior":
            explore_posterior(posterior, neuron, stimulus, duration, **how)
        else:
            observed = simulate(Pospischil(), STIMULUS, duration)
            theta = PRIOR.draw(10, 0)
            predictive_check(neuron, stimulus, PRIOR, theta, observed, seed=1, posterior=posterior, **how)


def test_the_same_simulations_are_taken_whatever_the_inferred_parameters_are(posterior):
    observed = simulate(Pospischil(g_Na=55.0), STIMULUS, 30.0, seed=1)
    theta = PRIOR.draw(10, 0)
    check = predictive_check(Pospischil(g_Na=44.0), STIMULUS, PRIOR, theta, observed, seed=1, posterior=posterior)
    assert posterior.dt == 0.01 and len(check.t) == 3001
    assert posterior.statistics == summary_statistics.names


def test_an_array_of_numbers_may_come_from_anywhere():
    theta = PRIOR.draw(60, 1)
    unknown = train_npe(PRIOR, theta, SIMULATOR(theta, 2), 0, **SMALL)
    assert unknown.simulated is None and unknown.dt is None
    assert unknown.check_simulation(Pospischil(), STIMULUS, 30.0) == 0.01
    assert unknown.check_simulation(AnotherCell(), STIMULUS, 40.0, dt=0.02) == 0.02


def test_rounds_and_campaigns_say_what_they_simulated(posterior, tmp_path):
    x_o = SIMULATOR(np.array([[50.0, 5.0]]), 3)[0]
    few = {"n_round": 50, "n_final": 50, "budget": 100, "ensemble": 1, "folder": tmp_path / "rounds", **SMALL}
    rounds = truncated_rounds(SIMULATOR, PRIOR, x_o, 1, **few)
    with pytest.raises(ValueError, match="holds rounds with another simulated"):
        truncated_rounds(replace(SIMULATOR, dt=0.02), PRIOR, x_o, 1, **few)
    made = Campaign(tmp_path / "campaign", Pospischil(), STIMULUS, PRIOR, 30.0).run(60)
    for own in (rounds.posterior, train_on(made, 0, **SMALL)):
        assert own.simulated == posterior.simulated


def test_a_simulator_with_its_parameters_in_another_order_is_refused():
    """Columns have no names: g_Na would be taken for g_K without a word."""
    turned = box_prior(Pospischil, ["g_K", "g_Na"], low=[4.0, 40.0], high=[6.0, 60.0])
    theta, message = turned.draw(60, 1), "a prior over g_K, g_Na; the simulator takes g_Na, g_K"
    with pytest.raises(ValueError, match=message):
        train_npe(turned, theta, np.ones((60, 7)), 0, simulator=SIMULATOR, **SMALL)
    with pytest.raises(ValueError, match=message):
        truncated_rounds(SIMULATOR, turned, np.ones(7), 1)


def test_bad_simulators_are_refused():
    with pytest.raises(ValueError, match=r"duration = 30.005 ms"):
        replace(SIMULATOR, duration=30.005)
    with pytest.raises(ValueError, match="summarise is the class float; allowed: a Summary"):
        replace(SIMULATOR, summarise=float)
    with pytest.raises(ValueError, match="prior is of type list; allowed: a Prior"):
        replace(SIMULATOR, prior=[1.0])


def test_combined_experiments_stand_side_by_side_each_with_its_own_noise():
    same = CombinedSimulator({"first": SIMULATOR, "second": SIMULATOR})
    theta = PRIOR.draw(3, seed=1)
    x = same(theta, seed=5)
    np.testing.assert_array_equal(x[:, :7], SIMULATOR(theta, seed=5))
    assert (x[:, 1] != x[:, 8]).all()  # rest_mean
    assert same.names[6:8] == ("first: kurtosis", "second: spike_count") and len(same.names) == x.shape[1]
    assert same.prior is PRIOR and same.as_data() == {"first": SIMULATOR.as_data(), "second": SIMULATOR.as_data()}


def test_what_cannot_be_combined():
    other = replace(SIMULATOR, prior=box_prior(Pospischil, ["g_Na", "g_K"]))
    with pytest.raises(ValueError, match=r"experiments\['b'\] has another prior than the first"):
        CombinedSimulator({"a": SIMULATOR, "b": other})
    with pytest.raises(ValueError, match="experiments is empty"):
        CombinedSimulator({})
    with pytest.raises(ValueError, match="experiments is of type list; allowed: a NeuronSimulator by name"):
        CombinedSimulator([SIMULATOR])
    with pytest.raises(ValueError, match=r"experiments\['a'\] is of type function; allowed: a NeuronSimulator"):
        CombinedSimulator({"a": lambda theta, seed: theta})
