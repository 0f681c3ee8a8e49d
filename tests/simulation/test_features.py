"""Features: known values of a trace made by hand, no dependence on the sampling, absent ones, and parity with eFEL."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from support import efel_parity

from helpers.neurons import models
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.electrophysiology import (
    _SHAPE,
    FEATURES,
    features,
    measure_features,
    measure_spikes,
)
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace

# Corners of V [ms, mV]: two spikes of straight lines in a stimulus from 20 to 120 ms, one before it and one after it.
SPIKE = [(0.0, -50.0), (1.5, 10.0), (3.5, -70.0), (13.5, -60.0)]  # 40 mV/ms up, 40 mV/ms down, then back slowly
STARTS = (2.0, 40.0, 70.0, 125.0)


def drawn(dt, starts=STARTS, rest=-60.0, stop=120.0):
    t = np.arange(round(200.0 / dt) + 1) * dt
    corners = [(0.0, rest), *((start + at, V) for start in starts for at, V in [(-5.0, rest), *SPIKE, (20.0, rest)])]
    return Trace(t, {"V": np.interp(t, *zip(*corners, strict=True))}, np.zeros(len(t)), 20.0, stop)


KNOWN = {
    "spike_count": 2, "mean_rate": 20.0, "latency": 21.5, "first_interval": 30.0, "last_interval": 30.0,
    "mean_interval": 30.0, "threshold": -50.0, "peak": 10.0, "amplitude": 60.0, "half_width": 1.5, "width": 3.0,
    "rise_time": 1.5, "rise_speed": 40.0, "fall_time": 1.5, "fall_speed": 40.0, "ahp_voltage": -70.0, "ahp_depth": 20.0,
    "ahp_time": 2.0, "V_rest_sd": None, "V_rest": None, "V_steady": -60.0, "deflection": None, "lowest": -70.0,
}  # fmt: skip


@pytest.mark.parametrize("dt", [0.01, 0.02, 0.05, 0.1])
def test_a_trace_made_by_hand(dt):
    found = measure_features(drawn(dt))
    assert set(KNOWN) == set(found)
    near = {"ms": 0.06, "mV": 1.0, "mV/ms": 1e-6, "Hz": 1e-9, "": 1e-9}  # a slope over 0.1 ms rounds the corners
    for name, value in KNOWN.items():
        assert value is None or abs(found[name] - value) <= near[FEATURES[name].unit], (name, found[name])


def test_the_spikes_of_a_trace_made_by_hand():
    one, two = measure_spikes(drawn(0.05))
    assert (one["time"], two["time"]) == (pytest.approx(41.5, abs=0.06), pytest.approx(71.5, abs=0.06))
    assert set(one) == {"time", *(feature.name for feature in _SHAPE)} and one.units["time"] == "ms"
    assert [one[name] for name in one if name != "time"] == pytest.approx([two[name] for name in two if name != "time"])
    found = measure_features(drawn(0.05), "first_threshold", "last_threshold", "threshold")
    assert found["first_threshold"] == one["threshold"] and found["last_threshold"] == two["threshold"]
    assert list(found) == ["first_threshold", "last_threshold", "threshold"]


def test_a_rise_without_a_foot_has_its_threshold_where_it_turns_steep():
    """A ramp of 3 mV/ms that turns into a spike above half its height: no point of the lower half is steep."""
    t = np.arange(4001) * 0.05
    V = np.interp(t, [0.0, 40.0, 53.4, 54.9, 57.0, 200.0], [-60.0, -60.0, -19.8, 10.2, -60.0, -60.0])
    found = measure_features(Trace(t, {"V": V}, np.zeros(len(t)), 20.0, 120.0), "threshold", "half_width")
    assert -27.0 < found["threshold"] < -19.8 and 0.0 < found["half_width"] < 5.0


def test_the_spike_train():
    starts = (30.0, 50.0, 80.0, 115.0)
    found = measure_features(drawn(0.01, starts, stop=150.0))
    intervals = np.diff(starts)
    assert found["interval_cv"] == pytest.approx(np.std(intervals, ddof=1) / np.mean(intervals), rel=1e-6)
    assert found["adaptation_index"] == pytest.approx(np.mean([10 / 50, 5 / 65]), rel=1e-6)
    assert found["doublet_ratio"] == pytest.approx(1.5, rel=1e-6)
    assert found["first_interval"] == pytest.approx(20.0) and found["last_interval"] == pytest.approx(35.0)


def test_a_sag():
    t = np.arange(20_001) * 0.05
    answer = np.where((t < 200.0) | (t >= 700.0), 0.0, -10.0 * (1.0 - np.exp(-(t - 200.0) / 10.0)))
    answer += np.where((t < 200.0) | (t >= 700.0), 0.0, 4.0 * (1.0 - np.exp(-(t - 200.0) / 60.0)))
    noise = np.random.default_rng(0).normal(0.0, 0.2, len(t))
    found = measure_features(Trace(t, {"V": -65.0 + answer + noise}, np.zeros(len(t)), 200.0, 700.0))
    assert found["V_rest"] == pytest.approx(-65.0, abs=0.02) and found["V_rest_sd"] == pytest.approx(0.2, abs=0.01)
    assert found["V_steady"] == pytest.approx(-71.0, abs=0.02) and found["deflection"] == pytest.approx(-6.0, abs=0.03)
    lowest = answer.min()
    assert found["sag"] == pytest.approx(-6.0 - lowest, abs=0.1)  # the noise alone would make it 0.7 mV deeper
    assert found["sag_ratio"] == pytest.approx((-6.0 - lowest) / -lowest, abs=0.02)
    assert found["lowest"] < lowest - 65.0 - 0.3


@pytest.mark.parametrize("neuron, amplitude", [(HodgkinHuxley(), 10.0), (Pospischil(noise=0.0), 3.0)])
def test_the_sampling_interval_matters_little(neuron, amplitude):
    fine = simulate(neuron, step(amplitude, 50.0, 150.0), 200.0, 0.01)
    expected = measure_features(fine)
    assert expected["spike_count"] >= 5
    apart = {"ms": 0.06, "mV": 0.5, "mV/ms": 8.0, "": 0.005, "Hz": 1e-9}
    sharp = {"rise_speed": 0.1 * expected["rise_speed"], "peak": 1.5, "amplitude": 1.5}  # sharp tips
    for every in (2, 5, 10):
        for shift in range(0, every, max(1, every // 2)):
            coarse = Trace(fine.t[shift::every], {"V": fine.V[shift::every]}, fine.I[shift::every], 50.0, 150.0)
            found = measure_features(coarse)
            assert set(found) == set(expected)
            for name in found:
                allowed = sharp.get(name, apart[FEATURES[name].unit])
                assert abs(found[name] - expected[name]) <= allowed, (name, every, found[name], expected[name])


# ---- What a trace does not have


def flat(n=2001, start=20.0):
    return Trace(np.arange(n) * 0.05, {"V": np.full(n, -65.0)}, np.zeros(n), start, 80.0)


def test_what_is_absent_is_named_with_the_reason():
    found = measure_features(flat())
    assert set(found) == {"spike_count", "mean_rate", "V_rest", "V_rest_sd", "V_steady", "deflection", "lowest"}
    of_one = {f"{which}_{feature.name}" for which in ("first", "last") for feature in _SHAPE}
    assert set(found) | set(found.absent) == set(FEATURES) - of_one
    assert found.absent["latency"] == "it needs 1 spike during the stimulus, got 0"
    assert found.absent["adaptation_index"] == "it needs 3 spikes during the stimulus, got 0"
    assert found.absent["sag"].startswith("V is not lower at the end of the stimulus than at rest")
    with pytest.raises(KeyError, match="latency is absent: it needs 1 spike"):
        found["latency"]
    with pytest.raises(KeyError, match="half_widht"):
        found["half_widht"]
    assert "latency" not in found and found.get("latency") is None
    lines = str(found).splitlines()
    assert len(lines) == len(found) + len(found.absent)
    assert any(line.split() == ["V_rest", "-65", "mV"] for line in lines)
    assert measure_spikes(flat()) == []


def test_a_stimulus_from_the_beginning_leaves_no_rest():
    found = measure_features(flat(start=0.0))
    assert found.absent["V_rest"] == "the stimulus begins with the trace, which leaves no rest before it"
    assert found["V_steady"] == -65.0 and features("spike_count", "V_steady")(flat(start=0.0)).tolist() == [0.0, -65.0]
    with pytest.raises(ValueError, match="too little rest before the stimulus"):
        features("deflection")(flat(start=0.0))


def test_a_recording_of_V_alone_has_features():
    alone = replace(drawn(0.05), I="no current in this file")
    assert dict(measure_features(alone)) == dict(measure_features(drawn(0.05)))
    assert features("half_width")(alone) == features("half_width")(drawn(0.05))


def test_a_last_spike_that_is_not_over_has_no_ahp_and_no_width():
    cut = drawn(0.05, (40.0, 70.0), stop=72.5)  # on the way down, at -30 mV
    one, two = measure_spikes(cut)
    assert set(one) - set(two) == {"width", "fall_time", "ahp_voltage", "ahp_depth", "ahp_time"}
    assert two["half_width"] == pytest.approx(one["half_width"], abs=1e-6)
    assert two.absent["ahp_depth"].startswith("V is still falling when the stimulus ends")
    found = measure_features(cut)
    assert found["width"] == one["width"] and "last_width" not in measure_features(cut, "last_width")


def test_what_stands_for_a_missing_feature():
    summarise = features("latency", "mean_interval", "threshold", "peak", "half_width", "ahp_depth", "sag", "mean_rate")
    assert summarise(flat()).tolist() == [60.0, 60.0, -65.0, -65.0, 60.0, 0.0, 0.0, 0.0]
    assert features("latency", "sag", missing=-1.0)(flat()).tolist() == [-1.0, -1.0]
    assert features("latency", "sag", missing={"sag": 2.0})(flat()).tolist() == [60.0, 2.0]
    assert np.isfinite(features(*FEATURES)(flat())).all()


def test_every_feature_says_when_it_is_absent():
    always = {name for name, feature in FEATURES.items() if not feature.spikes and not feature.absent}
    assert always == {"spike_count", "mean_rate", "V_steady", "lowest"}
    assert all(feature.definition and feature.unit in ("", "ms", "mV", "mV/ms", "Hz") for feature in FEATURES.values())
    assert FEATURES._repr_markdown_().count("\n") == len(FEATURES) - 2 * len(_SHAPE) + 1


@pytest.mark.parametrize(
    ("names", "missing", "message"),
    [
        ((), None, "no feature is named"),
        (("half_widht",), None, "unknown feature 'half_widht'; did you mean half_width"),
        ((3,), None, "unknown feature 3; allowed: spike_count"),
        (("latency", "latency"), None, "one is named twice"),
        (("latency",), np.nan, "missing = nan"),
        (("latency",), "highest", "missing = 'highest' is not a number"),
        (("latency",), {"sag": 1.0}, "missing names 'sag'; allowed: the chosen features, latency"),
        (("latency",), {"latency": np.inf}, r"missing\['latency'\] = inf"),
    ],
)
def test_a_wrong_choice_is_refused(names, missing, message):
    with pytest.raises(ValueError, match=message):
        features(*names, missing=missing)


# ---- In the batch


@pytest.mark.parametrize("name", models.__all__)
def test_every_neuron_has_finite_features(name):
    neuron = getattr(models, name)()
    length = 500.0 if name == "HindmarshRose" else 100.0
    trace = simulate(neuron, step(neuron.current_range[0], 20.0, 20.0 + length), 50.0 + length, 0.05, seed=0)
    found = measure_features(trace)
    assert found["spike_count"] > 0 and np.isfinite(list(found.values())).all()
    assert len(measure_spikes(trace)) == found["spike_count"]


def test_thousands_of_simulations_give_what_each_trace_gives():
    neuron, stimulus = HodgkinHuxley(), step(10.0, 10.0, 60.0)
    summarise = features("spike_count", "latency", "half_width", "ahp_depth", "last_peak", "sag_ratio", "V_rest")
    amplitudes = [-5.0, 0.0, 5.0, 10.0, 30.0]
    x = simulate_many(neuron, stimulus, {"amplitude": amplitudes}, 80.0, 0.025, seed=0, summarise=summarise)
    traces = [simulate(neuron, step(amplitude, 10.0, 60.0), 80.0, 0.025) for amplitude in amplitudes]
    np.testing.assert_allclose(x, [summarise(trace) for trace in traces], rtol=1e-9, atol=1e-9)
    assert len(set(x[:, 0])) >= 4 and summarise.units["ahp_depth"] == "mV"
    again = pickle.loads(pickle.dumps(summarise))
    assert again.names == summarise.names and again(traces[3]).tolist() == summarise(traces[3]).tolist()


# ---- eFEL

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def assert_parity(cases):
    assert all(cases.values()), "a feature that was never compared"
    for compared in cases.values():
        for row, case in compared:
            near = abs(case.ours - case.theirs) <= row.within + 1e-9
            assert near or row.explained(case), (row.name, case.spike, case.ours, case.theirs)


def test_parity_with_efel_on_simulations():
    assert_parity(efel_parity.compare_all(efel_parity.simulated()))


@pytest.mark.slow
def test_parity_with_efel_on_recordings(recordings):
    traces = [*efel_parity.simulated(), *efel_parity.recorded(recordings)]
    cases = efel_parity.compare_all(traces)
    assert_parity(cases)
    if len(traces) == efel_parity.ALL_TRACES:  # the table of the page includes recordings of the Allen Institute
        pages = (efel_parity.page(cases), efel_parity.PAGE.read_text("utf-8"))
        (text, numbers), (written, known) = ((NUMBER.sub("#", page), NUMBER.findall(page)) for page in pages)
        hint = "PYTHONPATH=.:tests python -m support.efel_parity"
        assert text == written, hint  # where V is flat, rounding decides which of two equal samples is the lowest
        np.testing.assert_allclose(np.array(numbers, float), np.array(known, float), rtol=0.05, atol=0.02, err_msg=hint)
