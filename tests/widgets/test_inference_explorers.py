"""Hand-tuning: the distance by another way, what the sliders show, and what is refused."""

import numpy as np
import pytest

from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary_statistics
from helpers.widgets.conductances import SEED, attempt, describe_attempt, explore_conductances

STIMULUS = step(3.248, 10.0, 110.0)
SCATTER = np.array([1.5, 0.13, 0.014, 4.3, 81.0, 0.55, 1.6])


@pytest.fixture(scope="module")
def observed():
    return simulate(Pospischil(), STIMULUS, 120.0, seed=11)


def test_the_observed_neuron_under_the_same_noise_is_at_distance_0():
    own = simulate(Pospischil(), STIMULUS, 120.0, seed=SEED)
    tried = attempt(own, STIMULUS, SCATTER, g_Na=50.0, g_K=5.0)
    np.testing.assert_array_equal(tried.trace.V, own.V)
    assert tried.distance == 0.0 and not tried.away.any()


def test_the_distance_is_the_root_mean_square_in_units_of_the_scatter(observed):
    tried = attempt(observed, STIMULUS, SCATTER, g_Na=25.0, g_K=10.0)
    other = summary_statistics(simulate(Pospischil(g_Na=25.0, g_K=10.0), STIMULUS, 120.0, seed=SEED))
    off = (other - summary_statistics(observed)) / SCATTER
    assert tried.distance == pytest.approx(np.linalg.norm(off) / np.sqrt(7))
    # Twice the scatter, half the distance.
    assert attempt(observed, STIMULUS, 2 * SCATTER, g_Na=25.0, g_K=10.0).distance == pytest.approx(tried.distance / 2)


def test_nearer_conductances_are_at_a_smaller_distance(observed):
    distances = [attempt(observed, STIMULUS, SCATTER, g_Na=g, g_K=5.0).distance for g in (20.0, 35.0, 50.0, 65.0, 80.0)]
    assert np.argmin(distances) == 2


def test_the_words_name_what_is_farthest_off(observed):
    tried = attempt(observed, STIMULUS, SCATTER, g_Na=50.0, g_K=1.0)  # V stays up after two spikes
    words = describe_attempt(tried)
    assert words.startswith(f"Distance {tried.distance:.3f}. 2 spikes, observed 5.")
    name = summary_statistics.names[np.argmax(np.abs(tried.away))].replace("_", " ")
    assert f"Farthest off: {name}, {tried.x[np.argmax(np.abs(tried.away))]:.4g} instead of" in words


def test_what_does_not_fit_is_refused(observed):
    for scatter in (SCATTER[:3], np.where(SCATTER > 80, 0.0, SCATTER), np.full(7, np.nan)):
        with pytest.raises(ValueError, match="allowed: 7 numbers above 0"):
            attempt(observed, STIMULUS, scatter)
    with pytest.raises(ValueError, match="g_Na = -1 mS/cm²; allowed: at least 0"):
        attempt(observed, STIMULUS, SCATTER, g_Na=-1.0)


def test_the_explorer_draws_what_the_function_gives(observed):
    explorer = explore_conductances(observed, STIMULUS, SCATTER)
    for_V, for_x = explorer.figure.axes
    explorer.try_both_ends()
    explorer.set(g_Na=60.0, g_K=7.0)
    tried = attempt(observed, STIMULUS, SCATTER, g_Na=60.0, g_K=7.0)
    np.testing.assert_array_equal(for_V.lines[0].get_ydata(), observed.V)
    np.testing.assert_array_equal(for_V.lines[1].get_ydata(), tried.trace.V)
    np.testing.assert_allclose([bar.get_height() for bar in for_x.patches], tried.away)
    assert describe_attempt(tried) in explorer.sentence.value
    first = explorer.values
    explorer.reset()
    assert explorer.values != first and explorer.values == {"g_Na": 25.0, "g_K": 10.0}
