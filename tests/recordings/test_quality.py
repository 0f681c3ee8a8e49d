"""Quality before use: each finding sees what it is for, and nothing else does."""

from dataclasses import replace

import numpy as np
import pytest
from support.builders import opened, spiking, step_trace

from helpers.recordings.quality import LIMITS, quality
from helpers.recordings.recording import Recording
from helpers.recordings.sweep_quality import clipped_samples, hum_of

LEVELS = (-100.0, -75.0, -50.0, -25.0, 25.0)


def clean(seed=0, levels=LEVELS, **more):
    """Sweeps of a passive cell with the noise and the digitiser of a good recording."""
    random = np.random.default_rng(seed)
    more = {"dt": 0.1, "duration": 1000.0, "on": 150.0, "off": 350.0} | more
    sweeps = [step_trace(level=level, **more) for level in levels]
    return [with_V(x, x.V + random.normal(0.0, 0.08, len(x.t))) for x in sweeps]


def with_V(trace, V):
    return replace(trace, states={"V": np.round(V / 0.03) * 0.03})


def change(trace, what):
    """A trace with something added to V, a function of t, or of t and I."""
    return with_V(trace, trace.V + what(trace.t))


@pytest.fixture
def judged(monkeypatch):
    """Makes the findings about traces without a file."""

    def make(traces, how=None, **what):
        monkeypatch.setattr("helpers.recordings.recording.open_file", lambda path, units=None: opened(traces, **what))
        return Recording("made.abf", **(how or {})).quality()

    return make


def names(found):
    return [finding.name for finding in found.to_look_at]


def test_a_good_recording_has_nothing_to_look_at(judged):
    found = judged(clean())
    assert not found.to_look_at and [x.name for x in found] == list(LIMITS)
    assert {x.verdict for x in found} == {"good"}
    for name, value, accuracy in (
        ("rest", -65.0, 0.05),
        ("holding current", 0.0, 0.0),
        ("jump at the edges", 0.0, 1.0),
        ("noise", 0.08, 0.01),
        ("line hum", 0.0, 0.02),
    ):
        assert found[name].value == pytest.approx(value, abs=accuracy) and found[name].unit == LIMITS[name].unit


def sag(t):
    """A current that turns on after 105 ms of the step and off after it, both slowly."""
    return np.where(t < 350.0, np.clip((t - 255.0) / 20.0, 0.0, 1.0), np.exp(-np.clip(t - 350.0, 0.0, None) / 30.0))


DRIFT = (0.0, 2.0, 4.0, 6.0, 8.0)
FAULTS = {
    "rest": (lambda k, x: change(x, lambda t: 60.0), -5.0, 0.1),
    "drift across sweeps": (lambda k, x: change(x, lambda t: DRIFT[k]), 8.0, 0.1),
    "drift within sweeps": (lambda k, x: change(x, lambda t: -0.03 * np.minimum(t, 150.0)), 3.6, 0.1),
    "V without a step": (lambda k, x: change(x, lambda t: 15.0 * np.exp(-(((t - 750.0) / 80.0) ** 2))), 15.0, 0.5),
    "spikes before the step": (lambda k, x: change(x, lambda t: spiking(t, [30.0] if k == 2 else [])), 1, 0),
    "holding current": (lambda k, x: replace(x, I=x.I - 150.0), -150.0, 0.0),
    "sag": (lambda k, x: with_V(x, x.V - 0.03 * min(x.I.min(), 0.0) * sag(x.t)), 30.0, 2.0),
    "jump at the edges": (lambda k, x: with_V(x, x.V + 0.02 * x.I), 20.0, 1.0),
    "line hum": (lambda k, x: change(x, lambda t: 0.3 * np.sin(2 * np.pi * 0.05 * t + k)), 0.3, 0.03),
    "noise": (lambda k, x: change(x, lambda t: np.random.default_rng(k).normal(0.0, 0.6, len(t))), 0.6, 0.05),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen_and_measured(judged, name):
    spoil, value, accuracy = FAULTS[name]
    found = judged([spoil(k, x) for k, x in enumerate(clean())])
    assert names(found) == [name]
    assert found[name].value == pytest.approx(value, abs=accuracy) and found[name].advice
    assert name in str(found) and "1 of 14 findings need a look" in str(found)


def test_hum_is_told_from_noise_and_by_its_frequency(judged):
    for mains in (50.0, 60.0):
        t = np.arange(0.0, 1000.0, 0.1)
        hum = 0.2 * np.sin(2e-3 * np.pi * mains * t) + 0.1 * np.sin(6e-3 * np.pi * mains * t + 1.0)
        found = hum_of(hum + np.random.default_rng(2).normal(0.0, 0.3, len(t)), 0.1)
        here, beside = found[mains]
        assert np.sqrt(here - beside) == pytest.approx(np.hypot(0.2, 0.1), abs=0.02)
        other, beside = found[110.0 - mains]
        assert other < 4.0 * beside or other < 0.1**2
    assert hum_of(hum[:3000], 0.1) == {}  # 300 ms do not tell 50 from 60 Hz


def test_clipping_is_told_from_peaks_and_from_quantisation(judged):
    t = np.arange(0.0, 200.0, 0.05)
    random = np.random.default_rng(1)
    V = np.round((-65.0 + spiking(t, [50.0, 100.0, 150.0], 100.0) + random.normal(0.0, 0.05, len(t))) / 0.03) * 0.03
    assert clipped_samples(V, 0.05) == (0, 0.0)
    count, level = clipped_samples(np.minimum(V, 20.0), 0.05)
    assert level == 20.0 and count == np.count_nonzero(V >= 20.0)
    slow = -65.0 + 40.0 * np.clip((t - 50.0) / 20.0, 0.0, 1.0) + random.normal(0.0, 0.05, len(t))
    assert clipped_samples(slow, 0.05) == (0, 0.0)
    assert clipped_samples(np.minimum(slow, -30.0), 0.05)[0] > 2000
    assert clipped_samples(step_trace().V, 0.05) == (0, 0.0)  # without noise V stays at its extreme for long
    assert clipped_samples(np.full(1000, -65.0), 0.05) == (0, 0.0)
    coarse = np.round(step_trace().V + np.random.default_rng(0).normal(0.0, 0.1, len(step_trace().V)))
    assert clipped_samples(coarse, 0.05) == (0, 0.0)  # 1 mV is wider than the noise
    clipped = [with_V(x, np.minimum(x.V + spiking(x.t, [600.0], 100.0), 20.0)) for x in clean()]
    assert names(judged(clipped)) == ["clipping"]


def test_steps_that_disagree_and_sweeps_that_differ(judged):
    resistances = (100.0, 150.0, 250.0, 400.0, 400.0)
    traces = [step_trace(level=level, R=R) for level, R in zip(LEVELS, resistances, strict=True)]
    found = judged(traces)["input resistance"]
    assert found.verdict == "look" and "the membrane rectifies" in found.words and "100 MΩ at -100 pA" in found.words
    odd = clean()
    odd[3] = change(odd[3], lambda t: -12.0)
    found = judged(odd)["sweeps that differ"]
    assert found.verdict == "look" and found.words.startswith("rest of sweep 3: -77.0")


def test_sweeps_that_cannot_be_read_are_counted(judged):
    found = judged(clean(), damaged=(1,))
    assert names(found) == ["sweeps not readable"] and "sweep 1: made.abf: sweep 1 is damaged" in str(found)


def test_what_cannot_be_measured_is_said(judged):
    found = judged(clean(), command=None)
    assert found["holding current"].verdict == "not measured" and found["holding current"].value is None
    assert found["spikes before the step"].words == "no step is known"
    short = judged([step_trace(on=5.0, off=250.0)])
    for name in ("rest", "drift across sweeps", "drift within sweeps", "line hum"):
        assert short[name].verdict == "not measured" and short[name].words
    with pytest.raises(ValueError, match="recording is of type Trace; allowed: a Recording"):
        quality(step_trace())
    with pytest.raises(ValueError, match="finding = 'smell'; allowed: rest, "):
        found["smell"]


def test_the_summary_names_what_to_look_at(judged, monkeypatch):
    traces = [FAULTS["line hum"][0](k, x) for k, x in enumerate(clean())]
    monkeypatch.setattr("helpers.recordings.recording.open_file", lambda path, units=None: opened(traces))
    assert "quality    look at line hum (print" in str(Recording("made.abf"))


def test_published_cells(recordings):
    regular = Recording(recordings / "171116sh_0018.abf").quality()
    assert names(regular) == ["sag", "jump at the edges"]
    fast = Recording(recordings / "2019_07_24_0055_fsi.abf").quality()
    assert {"spikes before the step", "drift within sweeps", "input resistance"} <= set(names(fast))
    assert "342 to 1,266 MΩ" in fast["input resistance"].words
