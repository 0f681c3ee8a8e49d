"""The posterior explorer, on a posterior that can be computed by hand: the leak alone, from its mean V."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior
from helpers.inference.simulator import NeuronSimulator
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary
from helpers.widgets.posterior import describe_inferred, explore_posterior, inferred

# Without spiking channels V settles at E_L + I / g_L: two steps tell both, on paper as well.
PASSIVE = Pospischil(g_Na=0.0, g_K=0.0, g_M=0.0, noise=0.0)
DURATION, STIMULUS, DT = 120.0, step(1.0, 60.0, 119.0), 0.025


@summary(before="mV", during="mV")
def plateaus(sweep):
    return np.array([sweep.V[sweep.t < sweep.start][-1], sweep.V[sweep.t < sweep.stop][-1]])


@pytest.fixture(scope="module")
def posterior():
    prior = box_prior(PASSIVE, ["g_L", "E_L"], low=[0.1, -80.0], high=[0.5, -50.0])
    theta = prior.draw(1500, seed=1)
    x = simulate_many(PASSIVE, STIMULUS, prior.by_name(theta), DURATION, DT, seed=2, summarise=plateaus)
    return train_npe(prior, theta, x, 0, epochs=40, statistics=plateaus.names)


def infer(posterior, seed=5, **truth):
    return inferred(posterior, PASSIVE, STIMULUS, DURATION, seed=seed, dt=DT, summarise=plateaus, **truth)


def explore(posterior):
    return explore_posterior(posterior, PASSIVE, STIMULUS, DURATION, dt=DT, summarise=plateaus)


@pytest.mark.parametrize("g_L, E_L", [(0.2, -70.0), (0.4, -55.0), (0.3, -78.0)])
def test_it_finds_what_ohms_law_says(posterior, g_L, E_L):
    result = infer(posterior, g_L=g_L, E_L=E_L)
    settled = 1.0 - np.exp(-59.0 * g_L)  # C = 1 µF/cm²
    by_hand = np.array([settled / (result.x_o[1] - result.x_o[0]), result.x_o[0]])
    np.testing.assert_allclose(by_hand, [g_L, E_L], rtol=0.02)
    assert (np.abs(result.samples.mean(axis=0) - by_hand) < [0.03, 1.0]).all()
    low, high = result.interval
    np.testing.assert_array_equal(result.inside, (low <= result.truth) & (result.truth <= high))
    assert ((result.samples >= low).mean(axis=0) >= 0.97).all() and ((result.samples > high).mean(axis=0) <= 0.03).all()


def test_the_same_seed_gives_the_same_and_the_trace_is_that_of_the_simulator(posterior):
    noisy = {
        "posterior": posterior,
        "neuron": Pospischil(noise=0.1),
        "stimulus": STIMULUS,
        "duration": DURATION,
        "dt": DT,
    }
    one, same, other = (inferred(**noisy, seed=seed, summarise=plateaus, g_L=0.2, E_L=-70.0) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.samples, same.samples)
    assert not np.array_equal(one.trace.V, other.trace.V)
    expected = simulate(Pospischil(noise=0.1, g_L=0.2, E_L=-70.0), STIMULUS, DURATION, DT, seed=5)
    np.testing.assert_array_equal(one.trace.V, expected.V)
    np.testing.assert_array_equal(one.x_o, plateaus(expected))


def test_words_say_what_was_found_and_whether_it_is_right(posterior):
    result = infer(posterior, g_L=0.3, E_L=-65.0)
    words, (low, high) = describe_inferred(result), result.interval
    assert words.startswith("0 spikes. Inferred: g_L ")
    assert f"95 % between {low[1]:.3g} and {high[1]:.3g} mV (truth -65)" in words
    missed = [name for name, inside in zip(("g_L", "E_L"), result.inside, strict=True) if not inside]
    assert ("Both hold the truth." in words) == (not missed)
    assert all(f"of {name}" in words for name in missed)
    wrong = describe_inferred(type(result)(**{**vars(result), "truth": high + 1.0}))
    assert "The interval of g_L and of E_L misses the truth." in wrong


def test_an_observation_beyond_the_training_is_said_to_be_one(posterior):
    elsewhere = Pospischil(g_Na=0.0, g_K=0.0, g_M=0.6, noise=0.0, E_K=-40.0)  # lifts V above all leaks of the prior
    result = inferred(
        posterior, elsewhere, step(20.0, 60.0, 119.0), DURATION, seed=5, dt=DT, summarise=plateaus, g_L=0.1, E_L=-50.0
    )
    assert "outside all simulations" in result.warned and "Beware: x_o lies outside" in describe_inferred(result)
    assert not infer(posterior, g_L=0.3, E_L=-65.0).warned


def test_the_picture_shows_the_trace_the_draws_and_the_truth(posterior):
    explorer = explore(posterior)
    explorer.set(g_L=0.4, E_L=-60.0)
    result = infer(posterior, seed=0, g_L=0.4, E_L=-60.0)
    for_V, whole, close = explorer.figure.axes
    np.testing.assert_array_equal(for_V.lines[0].get_ydata(), result.trace.V)
    for ax in (whole, close):
        np.testing.assert_array_equal(np.column_stack(ax.lines[0].get_data()), result.samples)
        np.testing.assert_array_equal(np.ravel(ax.lines[1].get_data()), [0.4, -60.0])
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        assert left < 0.4 < right and bottom < -60.0 < top
    assert whole.get_xlim() == (0.1, 0.5) and np.diff(close.get_xlim()) < 0.5 * np.diff(whole.get_xlim())
    assert describe_inferred(result) in explorer.sentence.value


def test_every_end_of_the_sliders_works(posterior):
    explorer = explore(posterior)
    assert {name: slider.ends for name, slider in explorer.sliders.items()} == {
        "g_L": (0.1, 0.5),
        "E_L": (-80.0, -50.0),
        "sharpen": (False, True),
    }
    explorer.try_both_ends()
    assert explorer.failure is None and explorer.values == {"g_L": 0.1, "E_L": -70.0, "sharpen": False}


def test_it_simulates_as_the_posterior_was_trained(posterior):
    simulated = NeuronSimulator(PASSIVE, STIMULUS, posterior.prior, DURATION, 0.05, plateaus).as_data()
    trained = replace(posterior, simulated=simulated)
    result = inferred(trained, PASSIVE, STIMULUS, DURATION, seed=5, summarise=plateaus, g_L=0.3, E_L=-65.0)
    assert result.trace.dt == pytest.approx(0.05)
    explorer = explore_posterior(trained, PASSIVE, STIMULUS, DURATION, summarise=plateaus)
    assert len(explorer.figure.axes[0].lines[0].get_xdata()) == 2401
    with pytest.raises(ValueError, match="trained on other simulations: .*dt"):
        explore_posterior(trained, PASSIVE, STIMULUS, DURATION, dt=0.025, summarise=plateaus)


def test_bad_truths_are_refused(posterior):
    with pytest.raises(ValueError, match="truth: g_L = 0.7 mS/cm² lies outside the prior"):
        infer(posterior, g_L=0.7, E_L=-60.0)
    with pytest.raises(ValueError, match="truth names g_L; allowed: one value each for"):
        infer(posterior, g_L=0.3)
    prior = box_prior(PASSIVE, ["E_L"], low=[-80.0], high=[-50.0])
    theta = prior.draw(60, seed=1)
    single = train_npe(prior, theta, theta, 0, model="mdn", epochs=1)
    with pytest.raises(ValueError, match="a posterior of E_L; allowed: of two parameters"):
        explore(single)


def noisy(noise):
    """A posterior for a neuron whose V fluctuates, and the arguments that go with it. It is far too wide."""
    neuron = replace(PASSIVE, noise=noise)
    prior = box_prior(neuron, ["g_L", "E_L"], low=[0.1, -80.0], high=[0.5, -50.0])
    theta = prior.draw(400, seed=1)
    x = simulate_many(neuron, STIMULUS, prior.by_name(theta), DURATION, DT, seed=2, summarise=plateaus)
    wide = train_npe(prior, theta, x, 0, model="mdn", epochs=10)
    return wide, {"neuron": neuron, "stimulus": STIMULUS, "duration": DURATION, "dt": DT, "summarise": plateaus}


def test_the_answer_can_be_sharpened():
    wide, how = noisy(0.01)
    plain, sharp = (inferred(wide, seed=5, sharpen=sharpen, g_L=0.3, E_L=-65.0, **how) for sharpen in (False, True))
    assert (sharp.samples.std(axis=0) < plain.samples.std(axis=0) / 5).all()
    assert (np.abs(sharp.samples.mean(axis=0) - sharp.truth) < 4 * sharp.samples.std(axis=0)).all()
    assert (plain.n_simulations, sharp.n_simulations) == (0, 3000) and not sharp.warned
    assert "Inferred with 3,000 new simulations: g_L 0.29" in describe_inferred(sharp)
    explorer = explore_posterior(wide, seed=5, **how)
    before = explorer.image.value
    explorer.sliders["sharpen"].value = True
    assert explorer.failure is None and explorer.image.value != before
    assert "3,000 new simulations" in explorer.sentence.value
    explorer.reset()
    assert "new simulations" not in explorer.sentence.value


def test_what_cannot_be_sharpened_is_told(monkeypatch):
    def refuses(*_, **__):
        raise ValueError("all simulations give the same statistics")

    wide, how = noisy(0.01)
    plain = inferred(wide, seed=5, g_L=0.3, E_L=-65.0, **how)
    monkeypatch.setattr("helpers.widgets.posterior.sharpened", refuses)
    result = inferred(wide, seed=5, sharpen=True, g_L=0.3, E_L=-65.0, **how)
    assert "Beware: not sharpened: all simulations give the same statistics" in describe_inferred(result)
    np.testing.assert_array_equal(result.samples, plain.samples)
