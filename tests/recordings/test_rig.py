"""A simulated amplifier: what it does to a trace, and the statistics of its noise."""

import numpy as np
import pytest
from scipy import signal
from support.builders import step_trace

from helpers.recordings.published import load
from helpers.recordings.rig import Rig, record_through
from helpers.simulation.trace import Trace

SILENT = {"electrode_noise": 0.0, "drift": 0.0, "resolution": 1e-6}


def model_trace(dt=0.01, duration=1000.0):
    """A clean trace with ten narrow spikes, as a simulator would give it."""
    t = dt * np.arange(round(duration / dt) + 1)
    V = -65.0 + sum(100.0 * np.exp(-0.5 * ((t - at) / 0.5) ** 2) for at in np.arange(150.0, 700.0, 60.0))
    I = np.where((t >= 100.0 - 1e-9) & (t < 700.0 - 1e-9), 2.0, 0.0)
    return Trace(t, {"V": V, "m": 0 * t}, I, 100.0, 700.0, currents={"I_K": 0 * t}, spike_threshold=-10.0)


def flat_trace(dt=0.01, duration=1000.0):
    t = dt * np.arange(round(duration / dt) + 1)
    return Trace(t, {"V": np.full(len(t), -65.0)}, 0 * t, 100.0, 700.0)


def test_rig_resamples_and_digitises():
    clean = model_trace()
    made = record_through(clean, seed=1)
    assert made.dt == pytest.approx(0.05) and len(made.t) == 20_001  # 20 kHz
    assert (made.t[0], made.t[-1]) == (0.0, pytest.approx(1000.0))
    counts = made.V / 0.0305
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)
    np.testing.assert_array_equal(made.I, np.where((made.t > 99.99) & (made.t < 699.99), 2.0, 0.0))
    assert (made.start, made.stop, made.I_unit, made.spike_threshold) == (100.0, 700.0, "µA/cm²", -10.0)
    assert list(made.states) == ["V"] and not made.currents
    # 10 spikes, at their places: the filter delays by about its group delay, below 0.05 ms at 10 kHz
    np.testing.assert_allclose(made.spike_times, clean.spike_times, atol=0.06)


def test_rig_is_reproducible():
    first, again, other = (record_through(model_trace(), seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.V, again.V)
    assert np.corrcoef(first.V - model_trace().V[::5], other.V - model_trace().V[::5])[0, 1] < 0.99
    assert not np.array_equal(first.V, other.V)


@pytest.mark.parametrize(("noise", "cutoff", "dt"), [(0.08, 10.0, 0.01), (0.5, 2.0, 0.025), (1.0, 5.0, 0.005)])
def test_rig_noise_has_its_size_and_spectrum(noise, cutoff, dt):
    rig = Rig(**{**SILENT, "electrode_noise": noise}, cutoff=cutoff, sampling=dt)
    V = record_through(flat_trace(dt), rig, seed=3).V + 65.0
    independent = 2 * cutoff * 1000.0 / 4  # a cautious count of independent samples in 1000 ms
    assert V.std() == pytest.approx(noise, rel=4 / np.sqrt(2 * independent))
    assert abs(V.mean()) < 4 * noise / np.sqrt(independent)
    # stationary from the first sample: no silent start while the filter fills
    starts = [record_through(flat_trace(dt, 800.0), rig, seed=seed).V[0] + 65.0 for seed in range(40)]
    assert np.std(starts) == pytest.approx(noise, rel=0.5)
    frequency, power = signal.welch(V, fs=1 / dt, nperseg=2048)
    low = power[(frequency > 0.05 * cutoff) & (frequency < 0.3 * cutoff)].mean()
    at_cutoff = power[np.abs(frequency - cutoff) < 0.05 * cutoff].mean()
    assert 10 * np.log10(at_cutoff / low) == pytest.approx(-3.0, abs=1.0)  # dB


def test_rig_noise_is_that_of_a_real_rig(recordings):
    def fast(V):  # what no membrane does: the change from one sample to the next
        return np.diff(V).std() / np.sqrt(2)

    real = np.mean([fast(load("regular_spiking", k).V[:2900]) for k in range(17)])
    assert fast(record_through(flat_trace(), seed=5).V) == pytest.approx(real, rel=0.2)


def test_rig_drift():
    rig = Rig(**{**SILENT, "drift": 0.5})
    ends = np.array([record_through(flat_trace(0.04, 1000.0), rig, seed=seed).V[[0, -1]] + 65.0 for seed in range(200)])
    assert np.abs(ends[:, 0]).max() < 1e-4
    assert ends[:, 1].std() == pytest.approx(0.5, rel=0.2)  # after 1 s
    assert abs(ends[:, 1].mean()) < 0.15
    walk = record_through(flat_trace(0.04, 1000.0), rig, seed=0).V + 65.0
    assert np.abs(np.diff(walk)).max() < 0.05  # slow


def test_rig_without_anything_gives_the_trace_back():
    clean = step_trace(dt=0.005)  # slow: the filter has nothing to take away
    made = record_through(clean, Rig(**SILENT), seed=0)
    np.testing.assert_allclose(made.V, clean.V[::10], atol=0.01)


@pytest.mark.parametrize("seed", [-1, 1.0, None, "1", True])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="seed = .*; allowed: an integer from 0"):
        record_through(model_trace(), seed=seed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sampling", 0.0, "sampling = 0 ms; allowed: from 0.001 to 1 ms"),
        ("electrode_noise", -0.1, "electrode_noise = -0.1 mV; allowed: from 0 to 20 mV"),
        ("cutoff", 0.0, "cutoff = 0 kHz; allowed: from 0.1 to 100 kHz"),
        ("drift", float("nan"), "drift = nan mV/√s; allowed"),
        ("resolution", 0.0, "resolution = 0 mV; allowed"),
    ],
)
def test_bad_rig(name, value, message):
    with pytest.raises(ValueError, match=message):
        Rig(**{name: value})


def test_trace_too_coarse_for_the_rig():
    with pytest.raises(ValueError, match=r"sampling = 0\.005 ms; allowed: at least the trace's own step, 0\.01 ms"):
        record_through(model_trace(), Rig(sampling=0.005), seed=0)
    with pytest.raises(ValueError, match=r"cutoff = 10 kHz; allowed: below 10 kHz, half the sampling rate"):
        record_through(model_trace(dt=0.05), seed=0)
