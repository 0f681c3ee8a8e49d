"""The spike detector against closed forms, scipy's peaks, eFEL, noise, plateaus and passive membranes."""

import efel
import numpy as np
import pyabf
import pytest
from scipy.signal import find_peaks
from support.engine import run_spikes

from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.recordings.published import load
from helpers.recordings.reading import read
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate
from helpers.simulation.spikes import find_spikes, spike_events, spike_rule, spike_times
from helpers.simulation.stimuli import ornstein_uhlenbeck, pulse_pair, step
from helpers.simulation.summaries import spike_count
from helpers.simulation.trace import Trace

TUTORIAL = step(3.24806, 10.0, 110.0)


def bumps(peaks, trough=-65.0, *, dt=0.05, apart=20.0):
    """Spikes 1 ms wide with these peaks [mV], the first after 20 ms."""
    t = dt * np.arange(round((len(peaks) + 2) * apart / dt))
    moments = apart * (1 + np.arange(len(peaks)))
    rises = zip(np.subtract(peaks, trough), moments, strict=True)
    return t, trough + sum(rise * np.exp(-(((t - at) / 0.5) ** 2)) for rise, at in rises)


def crossings(t, V, threshold):
    before = np.flatnonzero((V[:-1] < threshold) & (V[1:] >= threshold))
    share = (threshold - V[before]) / (V[before + 1] - V[before])
    return t[before] + share * (t[before + 1] - t[before])


def every(trace, k):
    return np.ascontiguousarray(trace.t[::k]), np.ascontiguousarray(trace.V[::k])


# ------------------------------------------------------------------------------------------------ what is a spike


def test_a_spike_is_timed_where_it_rises_through_the_threshold_or_else_half_way_up():
    t, V = bumps([30.0, -25.0])
    at = 0.5 * np.sqrt(np.log(95.0 / 45.0))  # where the first bump is 45 mV above the trough
    np.testing.assert_allclose(find_spikes(t, V), [20.0 - at, 40.0 - 0.5 * np.sqrt(np.log(2.0))], atol=2e-3)
    np.testing.assert_array_equal(find_spikes(t, V)[:1], crossings(t, V, -20.0))
    assert find_spikes(t, V, height=45.0).round().tolist() == [19.0 + (at < 0.5)]  # the second rises by 40 mV


def test_the_events_are_trough_peak_and_the_way_back():
    t, V = bumps([30.0, 20.0])
    (first, second) = spike_events(t, V, -20.0, 10.0, 20.0, 50.0)
    assert t[first[1]] == pytest.approx(20.0) and t[second[1]] == pytest.approx(40.0)
    assert V[first[2]] <= 20.0 < V[first[2] - 1] and V[second[0]] == V[first[2] : second[1]].min()


@pytest.mark.parametrize(("rise", "spikes"), [(9.9, 0), (10.1, 1)])
def test_above_the_threshold_ten_millivolts_are_a_spike(rise, spikes):
    t, V = bumps([-15.0 + rise], -15.0)
    assert len(find_spikes(t, V)) == spikes


def test_peaks_within_the_dead_time_count_once_and_a_return_is_needed():
    t, V = bumps([30.0, 30.0], apart=20.0)
    t, V = np.append(t, t[-1] + t[1] + t), np.append(V, np.roll(V, round(0.45 / t[1])))
    assert len(find_spikes(t, V)) == 4
    t = 0.05 * np.arange(1000)
    V = np.full(1000, -65.0)
    V[500:513] = [-45, -10, 30, 19, 30, 19, 30, 0, -30, -40, -50, -60, -64]  # peaks 0.1 ms apart
    assert find_spikes(t, V).round(2).tolist() == [25.04]
    V[502:] = 30.0
    assert len(find_spikes(t[:505], V[:505])) == 1  # cut off by the end of the trace
    assert len(find_spikes(np.append(t, 50.0 + t), np.append(V, 0.0 * V + 30.0))) == 0  # it stays up: a plateau


@pytest.mark.parametrize("dt", [0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("level", [-65.0, -20.0, 0.0])
def test_noise_at_rest_on_the_threshold_or_on_a_plateau_is_no_spike(dt, level):
    rng = np.random.default_rng(3)
    t = dt * np.arange(round(1000.0 / dt))
    for sd in (0.3, 1.0, 3.0):
        V = level + rng.normal(0.0, sd, len(t))
        assert len(find_spikes(t, V)) == 0, sd
        assert sd < 1.0 or np.ptp(V) > 7.0
    slow = np.exp(-dt / 5.0)  # a membrane of 5 ms under white current noise
    V = [level]
    for kick in rng.normal(0.0, np.sqrt(1.0 - slow**2), len(t) - 1):
        V.append(level + slow * (V[-1] - level) + kick)
    assert len(find_spikes(t, np.array(V))) == 0


def test_slow_humps_and_a_current_that_breaks_off_are_no_spikes():
    t = 0.05 * np.arange(40_000)
    assert len(find_spikes(t, -20.0 + 30.0 * np.sin(2 * np.pi * t / 300.0))) == 0
    ramp = np.where(t < 1000.0, -40.0 + 25.0 * np.exp((t - 1000.0) / 20.0), -45.0)  # V climbs until the step ends
    assert len(find_spikes(t, ramp)) == 0


@pytest.mark.parametrize("dt", [0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("fade", [1e-6, 0.1, 0.3])
def test_the_artefact_of_an_electrode_is_no_spike_where_a_short_spike_of_its_height_is(dt, fade):
    t = dt * np.arange(round(500.0 / dt))
    late = np.maximum(t - 200.0, 0.0)
    V = -60.0 + np.where(t < 200.0, 0.0, 8.0 * (1.0 - np.exp(-late / 15.0)))
    assert len(find_spikes(t, V + np.where(t < 200.0 - 1e-9, 0.0, 25.0 * np.exp(-late / fade)))) == 0
    assert len(find_spikes(t, V + 25.0 * np.exp(-(((t - 200.03) / 0.15) ** 2)))) == 1


# ---------------------------------------------------------------------------------------- simulated neurons


@pytest.mark.parametrize("block_K", [0.0, 0.8, 1.0])
def test_without_sodium_channels_no_current_makes_a_spike(block_K):
    axon = HodgkinHuxley(block_Na=1.0, block_K=block_K)
    rest = {name: x[-1] for name, x in simulate(axon, step(0.0, 0.0, 200.0), 200.0, dt=0.05).states.items()}
    for amplitude in (20.0, 100.0, 200.0):
        for length in (1.0, 5.0, 20.0, 60.0):
            trace = simulate(axon, step(amplitude, 10.0, 10.0 + length), 100.0, dt=0.02, initial_state=rest)
            for k in (1, 2, 5):
                assert len(find_spikes(*every(trace, k))) == 0, (amplitude, length, k)
    assert trace.V.max() > -20.0


@pytest.mark.parametrize(
    ("neuron", "stimulus"),
    [
        *((HodgkinHuxley(), step(I, 10.0, 300.0)) for I in (5.0, 10.0, 60.0, 80.0, 120.0, 160.0, -20.0)),
        (HodgkinHuxley(), pulse_pair(100.0, 1.0, 20.0, 10.0, 300.0)),
        (HodgkinHuxley.preset("warm"), step(80.0, 10.0, 300.0)),
        (HodgkinHuxley.preset("cold"), step(10.0, 10.0, 300.0)),
        (HodgkinHuxley.preset("braincell"), step(5.0, 10.0, 300.0)),
        (HodgkinHuxley(noise=0.5), step(20.0, 10.0, 300.0)),
        *((Pospischil(g_Na=g, g_K=5.0), step(3.0, 10.0, 300.0)) for g in (10.0, 50.0, 80.0)),
        (Pospischil(g_Na=4.0, g_K=1.5, noise=0.0), step(3.2, 10.0, 300.0)),
    ],
    ids=str,
)
def test_every_sampling_interval_gives_the_crossings_of_the_threshold(neuron, stimulus):
    """For a train that crosses -20 mV once a spike, into depolarisation block, at 0.01 to 0.1 ms."""
    trace = simulate(neuron, stimulus, 320.0, seed=1)
    expected = crossings(trace.t, trace.V, -20.0)
    np.testing.assert_array_equal(trace.spike_times, expected)
    for k in (2, 5, 10):
        found = spike_times(*every(trace, k), *spike_rule(neuron))
        assert len(found) == len(expected)
        np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0])
@pytest.mark.parametrize(
    "neuron",
    [LeakyIntegrateAndFire(), *(Izhikevich.preset(name) for name in Izhikevich.presets)],
    ids=str,
)
def test_neurons_with_a_reset_spike_in_one_sample(neuron, dt):
    trace = simulate(neuron, step(neuron.current_range[2], 10.0, 400.0), 500.0, dt)
    assert len(trace.spike_times) == len(crossings(trace.t, trace.V, neuron.spike_threshold)) > 20


def test_the_scale_of_hindmarsh_rose_is_its_own():
    for name in HindmarshRose.presets:
        trace = simulate(HindmarshRose.preset(name), step(0.0, 0.0, 1000.0), 1000.0)
        np.testing.assert_array_equal(trace.spike_times, crossings(trace.t, trace.V, 1.0))
        assert len(trace.spike_times) >= 39


def test_noise_on_a_depolarised_plateau_makes_no_train_of_the_cortical_neuron():
    trace = simulate(Pospischil(g_K=1.0), TUTORIAL, 120.0, seed=1)
    assert len(crossings(trace.t, trace.V, -20.0)) > 10 and len(trace.spike_times) == 2


def test_into_block_a_neuron_falls_silent_where_a_recording_still_shows_peaks():
    trace = simulate(HodgkinHuxley(), step(120.0, 10.0, 300.0), 300.0, dt=0.02)
    assert len(trace.spike_times) < 5
    peaks, _ = find_peaks(trace.V, prominence=20.0)
    assert abs(len(find_spikes(trace.t, trace.V)) - len(peaks)) <= 1 and len(peaks) > 30


def test_a_scan_of_a_conductance_from_time_0_is_one_line():
    """Neun's example; `summary_statistics` needs some rest before the stimulus, a count does not."""
    drive, scan = step(12.73, 0.0, 100.0), {"g_Na": np.linspace(50.0, 200.0, 20)}
    counts = simulate_many(HodgkinHuxley(), drive, scan, 100.0, seed=0, summarise=spike_count).ravel()
    assert counts.tolist() == [1] * 6 + [3, 7] + [8] * 9 + [9] * 3
    with pytest.raises(ValueError, match="too little rest.*spike_count and firing_rate need none"):
        simulate_many(HodgkinHuxley(), drive, scan, 100.0, seed=0)


def test_the_browser_has_the_same_detector():
    rng = np.random.default_rng(5)
    t, dt = 0.05 * np.arange(10_000), 0.05
    waves = [simulate(HodgkinHuxley(noise=1.0), step(I, 10.0, 500.0), 500.0, 0.05, seed=4).V for I in (0.0, 10.0, 90.0)]
    waves += [-20.0 + np.cumsum(rng.normal(0.0, sd, 10_000)) for sd in (0.5, 2.0)] + [rng.normal(0.0, 20.0, 10_000)]
    waves = [V[:10_000] for V in waves]
    rules = [spike_rule(HodgkinHuxley()), (-20.0, 10.0, 20.0, 50.0), (0.0, 5.0, 8.0, 20.0)]
    expected = [[spike_times(t, V, *rule) for V in waves] for rule in rules]
    assert sum(map(len, sum(expected, []))) > 100
    for rule, times in zip(rules, expected, strict=True):
        for ours, theirs in zip(times, run_spikes(waves, dt, rule), strict=True):
            np.testing.assert_allclose(theirs, ours, atol=1e-9)


# ------------------------------------------------------------------------------------------------ recordings


def efel_peaks(trace, threshold=-20.0):
    efel.reset()
    efel.set_setting("Threshold", threshold)
    efel.set_setting("interp_step", trace.dt)
    sweep = {"T": trace.t, "V": trace.V, "stim_start": [trace.start], "stim_end": [trace.stop]}
    found = efel.get_feature_values([sweep], ["peak_time"], raise_warnings=False)[0]["peak_time"]
    return np.empty(0) if found is None else found


@pytest.mark.parametrize("name", ["regular_spiking", "fast_spiking"])
def test_published_recordings_have_the_spikes_that_efel_finds(recordings, name):
    total = 0
    for sweep in range(0, 17, 2):
        trace = load(name, sweep)
        peaks = efel_peaks(trace)
        found = trace.t[trace.spike_events[:, 1]]
        np.testing.assert_allclose(found, peaks, atol=0.051)  # one sample, where two are equal
        total += len(peaks)
    assert total > 50


def test_simulated_trains_have_the_spikes_that_efel_finds():
    for neuron, I in ((HodgkinHuxley(), 10.0), (HodgkinHuxley(), 40.0), (Pospischil(), 3.0)):
        trace = simulate(neuron, step(I, 20.0, 280.0), 300.0, seed=1)
        np.testing.assert_allclose(trace.t[trace.spike_events[:, 1]], efel_peaks(trace), atol=1e-6)


def test_an_f_I_series_into_block(cases):
    """Peaks of more than 10 mV from 146.85 to 2146.85 ms.

    scipy counts a peak as often as its quantised top is reached, which makes 32, 35, 28, 20 of the last four. Two of
    the 17 in the last sweep are slow humps, of 53 and 158 ms.
    """
    expected = [5, 12, 18, 22, 25, 28, 29, 30, 30, 31, 29, 28, 29, 25, 15]
    abf = pyabf.ABF(str(cases / "abf" / "171116sh_0019.abf"))
    for sweep, count in zip(range(2, 17), expected, strict=True):
        abf.setSweep(sweep)
        times = find_spikes(1000.0 * abf.sweepX, abf.sweepY.astype(float))
        assert np.count_nonzero((times >= 146.85) & (times < 2146.85)) == count, sweep


def test_spikes_after_a_prepulse(cases):
    abf = pyabf.ABF(str(cases / "abf" / "18711001.abf"))
    for sweep, count in ((10, 3), (20, 5), (29, 7)):
        abf.setSweep(sweep)
        times = find_spikes(1000.0 * abf.sweepX, abf.sweepY.astype(float))
        assert np.count_nonzero((times >= 823.0) & (times < 1323.0)) == count


@pytest.mark.parametrize("name", ["18425108.abf", "18425108_abf1.abf"])
def test_a_train_of_pulses_has_a_spike_each_and_its_artefacts_are_none(cases, name):
    trace = read(cases / "abf" / name)
    assert len(trace.spike_times) == 20
    np.testing.assert_allclose(np.diff(trace.spike_times), 10.0, atol=0.1)


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"t": np.arange(3.0)}, "t and V differ in length: 3, 4 samples"),
        ({"t": np.zeros(4)}, "t goes from 0 to 0 ms; allowed: rising"),
        ({"prominence": 0.0}, "prominence = 0 mV; allowed: above 0 mV"),
        ({"duration": -1.0}, "duration = -1 ms; allowed: above 0 ms"),
        ({"height": np.nan}, "height = nan mV"),
    ],
)
def test_bad_arguments_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        find_spikes(**{"t": np.arange(4.0), "V": np.zeros(4), **values})


def test_a_trace_says_itself_what_its_spikes_are():
    t, V = bumps([30.0, -25.0])
    trace = Trace(t, {"V": V}, 0.0 * t, 10.0, 50.0)
    assert len(trace.spike_times) == len(trace.spike_events) == 2
    tall = Trace(t, {"V": V}, 0.0 * t, 10.0, 50.0, spike_height=45.0)
    assert len(tall.spike_times) == 1


def test_a_passive_membrane_that_a_strong_noise_swings_does_not_spike():
    """Far below the threshold V rises by 45 mV and more without a spike."""
    noise = ornstein_uhlenbeck(mean=-60.0, sd=15.0, tau=10.0, start=0.0, stop=4000.0, duration=4000.0, dt=0.05, seed=1)
    trace = simulate(HodgkinHuxley(), noise, 4000.0, dt=0.05)
    assert np.ptp(trace.V) > 100.0 and trace.V.max() < -45.0
    assert len(trace.spike_times) == 0
