"""The seven statistics against an independent NumPy version, and what they do where a statistic is undefined."""

import numpy as np
import pytest
from support import oracles

from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import spike_timing, statistics_and_timing, summary_statistics
from helpers.simulation.trace import Trace

TUTORIAL = step(3.24806, 10.0, 110.0)


def trace_of(V, dt=0.1, start=10.0, stop=30.0):
    t = np.arange(len(V)) * dt
    return Trace(t=t, states={"V": np.asarray(V, dtype=float)}, I=np.zeros(len(V)), start=start, stop=stop)


def test_against_numpy_on_200_prior_draws():
    rng = np.random.default_rng(0)
    counts = set()
    for i, (g_Na, g_K) in enumerate(rng.uniform([0.5, 1e-4], [80, 15], (200, 2))):
        trace = simulate(Pospischil(g_Na=g_Na, g_K=g_K), TUTORIAL, 120.0, seed=(1, i))
        expected = oracles.seven_statistics(trace.t, trace.V, 10.0, 110.0, 0.01)
        np.testing.assert_allclose(summary_statistics(trace), expected, rtol=1e-9, atol=1e-9)
        counts.add(int(expected[0]))
    assert len(counts) >= 5  # the draws do differ: silent, single spikes, trains


def test_noise_free_tutorial_point():
    trace = simulate(Pospischil(noise=0.0), TUTORIAL, 120.0)
    expected = [5, -70.2772, 0.0083, -56.4534, 375.185, 3.7038, 18.3247]  # facts: the tutorial's own simulator
    assert (np.abs(summary_statistics(trace) - expected) <= [0, 1e-4, 1e-4, 1e-4, 2e-3, 1e-4, 1e-4]).all()
    assert summary_statistics.names[4] == "variance"
    assert summary_statistics.units["variance"] == "mV²"


def test_noisy_statistics_scatter_as_in_the_tutorial():
    x = np.array([summary_statistics(simulate(Pospischil(), TUTORIAL, 120.0, seed=s)) for s in range(30)])
    assert (x[:, 0] == 5).all()
    low = np.array([-70.9, 0.01, -56.7, 373.0, 3.66, 18.1])
    high = np.array([-69.7, 0.12, -56.2, 378.0, 3.74, 18.5])
    assert ((x[:, 1:] > low) & (x[:, 1:] < high)).all()
    assert (x[:, 1:].std(axis=0) > 0).all()


def test_two_peaks_within_half_a_millisecond_count_once():
    V = np.full(401, -65.0)
    V[150:155] = [-5, 20, 5, 21, -30]  # peaks 0.2 ms apart
    V[200:204] = [-5, 30, 5, -30]
    V[250:253] = [-30, 30, -30]  # rises through -10 mV within one sample: the rule wants two samples above it
    assert summary_statistics(trace_of(V))[0] == 2


def test_peaks_outside_the_stimulus_do_not_count():
    V = np.full(401, -65.0)
    V[50:54] = V[350:354] = [-5, 30, 5, -30]
    assert summary_statistics(trace_of(V))[0] == 0


def test_a_constant_trace_has_the_shape_of_a_normal_distribution_and_no_nan():
    np.testing.assert_array_equal(summary_statistics(trace_of(np.full(401, -65.3))), [0, -65.3, 0, -65.3, 0, 0, 3])


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (0.5, 30.0, r"start = 0.5 ms leaves too little rest.*at least 1 ms"),
        (10.0, 10.1, r"stop - start = 0.1 ms is too short"),
    ],
)
def test_undefined_statistics_are_refused(start, stop, message):
    with pytest.raises(ValueError, match=message):
        summary_statistics(trace_of(np.zeros(401), start=start, stop=stop))


@pytest.mark.parametrize("name", ["t", "V", "I"])
def test_a_trace_with_nan_is_refused(name):
    arrays = {"t": np.arange(5.0), "V": np.zeros(5), "I": np.zeros(5)}
    arrays[name][2] = np.nan
    with pytest.raises(ValueError, match=f"{name} is nan at sample 2"):
        Trace(arrays["t"], {"V": arrays["V"]}, arrays["I"], start=1.0, stop=3.0)


def test_timing_of_a_trace_made_by_hand():
    V = np.full(401, -65.0)
    V[:100] += 0.5 * (np.arange(100) % 2)  # second differences of 1 mV
    V[[150, 200, 280]] = 20.0
    V[220] = -80.0
    found = dict(zip(spike_timing.names, spike_timing(trace_of(V)), strict=True))
    assert found == pytest.approx(
        {"latency": 5.0, "first_interval": 5.0, "last_interval": 8.0, "lowest": -80.0, "flicker": 1.0}, abs=0.11
    )  # a spike is where V rises through -20 mV, within a sample


@pytest.mark.parametrize(("spikes", "expected"), [([], [20.0, 20.0, 20.0]), ([150], [5.0, 20.0, 20.0])])
def test_timing_that_needs_more_spikes_than_there_are_is_the_length_of_the_stimulus(spikes, expected):
    V = np.full(401, -65.0)
    V[[*spikes, 50, 350]] = 20.0  # two of them outside the stimulus
    np.testing.assert_allclose(spike_timing(trace_of(V))[:3], expected, atol=0.11)


def test_statistics_and_timing_are_both():
    trace = simulate(Pospischil(), TUTORIAL, 120.0, seed=1)
    np.testing.assert_array_equal(statistics_and_timing(trace), [*summary_statistics(trace), *spike_timing(trace)])
    assert statistics_and_timing.names == summary_statistics.names + spike_timing.names
