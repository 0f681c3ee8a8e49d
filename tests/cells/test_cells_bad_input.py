"""What can be wrong with the recording of a cell: each is named, and what can still be done is done."""

from dataclasses import replace

import numpy as np
import pytest
from support.builders import csv_file, nwb_file, opened
from support.cells import SPIKES, blocked, family, response

from helpers.cells.choice import cell_of
from helpers.cells.fit import fit_cell
from helpers.cells.sweeps import Measurement, cell_sweep
from helpers.cells.unknowns import choose_unknowns, membrane_of_step
from helpers.recordings.recording import Recording

LEVELS = list(SPIKES)


def cell(source, sweeps=None, held_out=None, **reading):
    return cell_of(source, sweeps, held_out, Measurement(), reading)


def said(found, words):
    assert any(words in note for note in found.notes), found.notes


def amplitudes(sweeps):
    return [sweep.amplitude for sweep in sweeps]


@pytest.fixture
def recording(monkeypatch):
    """Makes a recording of traces without a file."""

    def make(traces, **what):
        contents = opened(traces, **what)
        monkeypatch.setattr("helpers.recordings.recording.open_file", lambda path, units: contents)
        return Recording("made.abf")

    return make


def test_a_good_family_needs_no_excuse(recording):
    for found in (cell(family()), cell(recording(family()))):
        assert amplitudes(found.fitted) == [-100.0, 150.0, 250.0, 300.0] and amplitudes(found.held_out) == [200.0]
        assert found.membrane.measured
        assert found.membrane.R_in == pytest.approx(100.0, rel=0.02)
        assert found.membrane.tau_m == pytest.approx(20.0, rel=0.05)
        assert not [note for note in found.notes if "quality" not in note]


@pytest.mark.parametrize("name", ["abf/pclamp11_4ch.abf", "abf/pclamp11_4ch_abf1.abf"])
def test_voltage_clamp(cases, name):
    with pytest.raises(ValueError, match="voltage clamp.*Only current clamp"):
        fit_cell(cases / name)


@pytest.mark.parametrize("name", ["abf/gapfree_epochs_on.abf", "nwb/izero.nwb"])
def test_no_step(cases, name):
    with pytest.raises(ValueError, match="sweep 0 has no step of current.*start= and stop="):
        fit_cell(cases / name)


def test_steps_of_0_pA():
    with pytest.raises(ValueError, match="trace 0 has a step of 0 pA"):
        cell(response(0.0, 0))


def test_no_spike_leaves_the_membrane():
    found = cell([response(-100.0, 0), response(50.0, 0, seed=1)])
    said(found, "no sweep fires: only the membrane can be inferred")
    unknowns = choose_unknowns(found.fitted, found.membrane)
    assert unknowns.prior.names == ("C", "g_L", "E_L") == tuple(unknowns.why)
    neuron = unknowns.neuron
    assert neuron.g_Na == neuron.g_K == neuron.g_M == 0.0


def test_one_sweep():
    found = cell(response())
    assert amplitudes(found.fitted) == [200.0] and found.held_out == ()
    said(found, "one sweep is fitted")
    said(found, "no sweep is held out")
    assert not found.membrane.measured and "charging" in found.membrane.words
    assert found.membrane.R_in == pytest.approx(100.0, rel=0.1)  # it fires 30 ms after the onset


def test_one_step_down_is_enough_for_the_membrane():
    found = cell(response(-100.0, 0))
    assert found.membrane.measured and found.membrane.R_in == pytest.approx(100.0, rel=0.02)


def test_a_weak_step_shows_the_membrane_where_none_goes_down():
    found = cell([response(50.0, 0), response(200.0, 4)])
    assert "trace 0 of 60 ms" in found.membrane.words
    assert found.membrane.R_in == pytest.approx(100.0, rel=0.05)
    assert found.membrane.tau_m == pytest.approx(20.0, rel=0.1)


def test_spikes_before_the_step():
    early = response(250.0, 6, early=3)
    found = cell([*family()[:4], early])
    said(found, "trace 4 fires in the 100 ms before the step (2 of its spikes)")
    assert 250.0 not in amplitudes(found.fitted)
    found = cell([*family()[:4], early], sweeps=[0, 4])  # asked for, it is fitted, but not when its first spike comes
    assert "latency" not in found.fitted[1].summarise.names and found.fitted[1].count == 6
    assert "latency" in cell(family()).fitted[1].summarise.names
    found = cell([early])
    said(found, "taken, as no other is better")
    assert len(cell([response(250.0, 6, early=1)]).notes) == 2  # one that is long over changes nothing


def test_current_missing(cases):
    with pytest.raises(ValueError, match="current that nobody knows: give it, current="):
        fit_cell(cases / "text/10_no_current.csv")
    found = family()[3]
    with pytest.raises(ValueError, match="trace 0: I is in no unit"):
        cell(replace(found, I="the current is not in this file"))
    with pytest.raises(ValueError, match="trace 0: I is in µA/cm²"):
        cell(replace(found, I_unit="µA/cm²"))


def test_different_protocols():
    found = cell([response(-100.0, 0), response(200.0, 8, length=500.0, seed=1)])
    said(found, "the steps last 300 ms, 500 ms: different protocols")
    assert [sweep.length for sweep in found.fitted] == [300.0, 500.0]
    lengths = [np.sum(sweep.stimulus(1e-4, 0.05).samples != 0.0) * 0.05 for sweep in found.fitted]
    assert lengths == pytest.approx([300.0, 500.0])  # each is simulated with its own


def test_drift():
    made = [*family(), response(350.0, 9, rest=-50.0)]
    found = cell(made)
    said(found, "rest drifts from -74.0 to -64.0 mV: trace 6 left out")
    assert max(amplitudes(found.fitted)) == 300.0
    found = cell(made, sweeps=[0, 6])
    said(found, "rest differs by 10.0 mV between the fitted sweeps")
    two = cell([response(150.0, 2), response(200.0, 4, rest=-50.0)])  # which of the two is right, nobody knows
    assert len(two.fitted) == 1
    said(two, "rest drifts")


def test_a_current_that_is_not_constant():
    ramp = family()[3]
    during = (ramp.t >= ramp.start) & (ramp.t < ramp.stop)
    I = np.where(during, 200.0 * (ramp.t - ramp.start) / 300.0, 0.0)
    with pytest.raises(ValueError, match="trace 0 has a current that is not constant"):
        cell(replace(ramp, I=I))
    found = cell([*family(), replace(ramp, I=I)])
    said(found, "trace 6 has a current that is not constant: left out")


def test_short_steps():
    with pytest.raises(ValueError, match="trace 0 has a step of 5 ms, shorter than 20 ms"):
        cell(response(1000.0, 0, length=5.0))
    found = cell([*family(), response(1000.0, 0, length=5.0)])
    said(found, "left out")
    assert len(found.fitted) == 4


def test_passive_properties_of_a_short_step_are_said_to_be_rough():
    found = cell([response(-100.0, 0, length=30.0), response(200.0, 1, length=60.0)])
    assert not found.membrane.measured and "first 25 ms of 1 hyperpolarising step" in found.membrane.words
    assert found.membrane.R_in == pytest.approx(100.0, rel=0.2)


def test_too_little_rest():
    with pytest.raises(ValueError, match="trace 0 has 10 ms of rest before the step"):
        cell(response(on=10.0))
    trace = response()
    near = replace(trace, I=trace.I - 50.0 * ((trace.t >= 50.0) & (trace.t < 195.0)))
    with pytest.raises(ValueError, match=r"trace 0 has 5 ms of rest before the step"):
        cell(near)
    far = cell(replace(trace, I=trace.I - 50.0 * ((trace.t >= 10.0) & (trace.t < 60.0))))
    assert far.fitted[0].trace.t[0] == pytest.approx(160.0)  # V is taken from when the step before is over


def test_a_sweep_that_ends_within_its_step():
    whole = response()
    kept = whole.t < 400.0
    cut = replace(whole, t=whole.t[kept], states={"V": whole.V[kept]}, I=whole.I[kept], stop=400.0)
    found = cell([*family()[:2], cut])
    assert found.fitted[-1].length == 200.0
    said(found, "different protocols")


def test_units_of_a_trace():
    trace = response()
    with pytest.raises(ValueError, match="V stays within .* in volts"):
        cell(replace(trace, states={"V": 1e-3 * trace.V}))
    with pytest.raises(ValueError, match="in µV"):
        cell(replace(trace, states={"V": 1e3 * trace.V}))
    with pytest.raises(ValueError, match="in nA"):
        cell(replace(trace, I=1e-3 * trace.I))
    with pytest.raises(ValueError, match="in fA"):
        cell(replace(trace, I=1e3 * trace.I))


def test_volts_in_a_file(cases):
    with pytest.raises(ValueError, match="Is its unit right"):
        fit_cell(cases / "text/37_V_in_V_named_mV.csv")


def test_not_a_number(tmp_path):
    trace = response()
    rows = [f"{t:.1f},{'nan' if k == 3000 else f'{V:.3f}'},{I:g}" for k, (t, V, I) in
            enumerate(zip(trace.t, trace.V, trace.I, strict=True))]  # fmt: skip
    with pytest.raises(ValueError, match="nan|not a number"):
        cell(csv_file(tmp_path, "time (ms),V (mV),I (pA)\n" + "\n".join(rows)))


def test_nan_at_the_end_is_cut_off(cases):
    with pytest.warns(UserWarning, match="cut off there"):
        found = cell(cases / "nwb/trailing_nan.nwb")
    assert np.isfinite(found.fitted[0].observed).all()


def test_depolarisation_block():
    found = cell([*family(), blocked()])
    said(found, "trace 6 is in depolarisation block: 2 spikes, none at the end")
    assert max(amplitudes(found.fitted)) == 300.0
    found = cell([*family(), blocked()], sweeps=[0, 6])
    said(found, "is in depolarisation block")
    assert amplitudes(found.fitted) == [-100.0, 600.0]


def test_names_of_sweeps(recording):
    with pytest.raises(ValueError, match="trace 9 is not among the 6 traces: 0, 1, 2, 3, 4, 5"):
        cell(family(), sweeps=[0, 9])
    with pytest.raises(ValueError, match="held_out: trace 9"):
        cell(family(), held_out=[9])
    with pytest.raises(ValueError, match="allowed: several, such as"):
        cell(family(), sweeps=3)
    with pytest.raises(ValueError, match=r"sweeps = \[\]"):
        cell(family(), sweeps=[])
    with pytest.raises(ValueError, match="trace 0 has a step of 0 pA; those that can be fitted: 1"):
        cell([response(0.0, 0), response()], sweeps=[0])
    named = recording(family(), names=tuple("abcdef"))
    assert amplitudes(cell(named, sweeps=["a", "d"]).fitted) == [-100.0, 200.0]
    with pytest.raises(ValueError, match="has no sweep 'x'"):
        cell(named, sweeps=["x"])
    with pytest.raises(ValueError, match="sweep"):
        cell(recording(family()), sweeps=[40])


def test_a_test_that_was_fitted():
    with pytest.raises(ValueError, match="held_out: trace 3 is fitted as well"):
        cell(family(), sweeps=[0, 3], held_out=[3])
    found = cell(family(), held_out=[5])  # by default, others are fitted then
    assert 300.0 not in amplitudes(found.fitted) and amplitudes(found.held_out) == [300.0]


def test_what_is_no_cell():
    for source in (3, [1, 2], [], None):
        with pytest.raises(ValueError, match="allowed: a file, a Recording, a Trace or several"):
            cell(source)
    with pytest.raises(ValueError, match="current: allowed with a file only"):
        cell(family(), current=3)
    with pytest.raises(FileNotFoundError):
        cell("missing.abf")


def test_a_cell_that_does_not_charge():
    trace = response(200.0, 0)
    dead = replace(trace, states={"V": np.full(len(trace.t), -60.0)})
    with pytest.raises(ValueError, match=r"V does not charge in a step of \+200 pA"):
        cell(dead)
    soon = cell_sweep("sweep 0", replace(trace, states={"V": trace.V + response(0.0, 0).V * 0.0 + 80.0 * np.exp(
        -(((trace.t - 203.0) / 0.4) ** 2))}), 0.0, Measurement())  # fmt: skip
    with pytest.raises(ValueError, match="too soon to see the membrane charge"):
        membrane_of_step(soon)


def test_repeats_tell_how_far_a_feature_is_known():
    repeats = [response(200.0, count, seed=k) for k, count in enumerate((4, 6, 8))]
    found = cell([family()[0], *repeats], sweeps=[0, 1])
    sweep = found.fitted[1]
    assert sweep.tolerance[sweep.summarise.names.index("spike_count")] == pytest.approx(2.0, rel=1e-6)
    said(found, "trace 1: known up to what 3 sweeps with its step differ by")
    two = cell([family()[0], *repeats[:2]], sweeps=[0, 1]).fitted[1]
    assert two.tolerance[0] < 0.6  # of two sweeps, the floor


def test_repeats_are_fitted_once():
    repeats = [response(200.0, 4, seed=k) for k in range(3)]
    found = cell([family()[0], *repeats], sweeps=[0, 1, 2, 3])
    assert [sweep.name for sweep in found.fitted] == ["trace 0", "trace 1"]
    said(found, "trace 3 repeats trace 1")
    assert not cell([family()[0], *repeats]).held_out  # a repeat is no test
    said(cell([family()[0], *repeats], held_out=[2]), "has the step of trace 1: a weak test")


def test_a_file_of_two_protocols(tmp_path):
    sweeps = [
        {"V": {"data": trace.V * 1e-3}, "I": {"data": trace.I * 1e-12}}
        for trace in (response(-100.0, 0), response(200.0, 4), response(200.0, 8, length=500.0))
    ]
    found = cell(nwb_file(tmp_path / "cell.nwb", sweeps), sweeps=[0, 1, 2], held_out=[])
    assert [sweep.length for sweep in found.fitted] == pytest.approx([300.0, 300.0, 500.0])
    said(found, "different protocols")
