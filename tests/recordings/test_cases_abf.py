"""Files in Axon Binary Format that people have, and what each must give (the table with the files, row by row)."""

import shutil

import numpy as np
import pytest

from helpers.recordings.abf import open_abf
from helpers.recordings.reading import number_of_sweeps, read
from helpers.recordings.voltage_clamp import read_family


@pytest.fixture(scope="module")
def abf(cases):
    return cases / "abf"


def in_the_step(trace):
    return set(trace.I[(trace.t >= trace.start) & (trace.t < trace.stop)])


def test_a_user_list_overrides_the_step(abf):
    path = abf / "2020_03_02_0000.abf"
    levels = [-200, -150, -100, -50, 0, 25, 50, 100, 150, 200, 250, 300, 350, 400, 500, 600]
    assert number_of_sweeps(path) == len(levels)
    for sweep, measured in ((0, -200.2), (5, 23.8), (15, 598.4)):  # no warning: the recorded current agrees
        trace = read(path, sweep)
        assert in_the_step(trace) == {levels[sweep]} and (trace.start, trace.stop) == pytest.approx((131.2, 631.2))
        recorded = read(path, sweep, current=1)
        inside = (recorded.t > trace.start + 50) & (recorded.t < trace.stop - 50)
        assert np.median(recorded.I[inside]) == pytest.approx(measured, abs=1.0)
    contents = open_abf(path)
    commands = [contents.sweep(k).commanded[0].load() for k in range(16)]
    assert [I[2000] for I in commands] == levels and not any(I[0] or I[-1] for I in commands)


@pytest.mark.parametrize("name", ["18425108.abf", "18425108_abf1.abf"])
def test_a_pulse_train_in_either_version(abf, name):
    trace = read(abf / name)  # V on the second channel, the command in nA of the second output
    assert trace.V.mean() == pytest.approx(-71.0, abs=0.1)
    assert sorted(set(trace.I.round(3))) == [-50.0, 0.0, 2500.0]
    onsets = trace.t[1:][np.diff(trace.I) > 1000]
    np.testing.assert_allclose(onsets, 1000.0 + 10.0 * np.arange(20))  # in the file 20, as its header says
    assert (trace.I > 1000).sum() == 20 * 50
    V = [trace.V[(trace.t >= on) & (trace.t < on + 5.0)] for on in onsets]
    assert min(np.ptp(each) for each in V) > 50.0, "each makes a spike"


@pytest.mark.parametrize("name", ["pclamp11_4ch.abf", "pclamp11_4ch_abf1.abf"])
def test_the_holding_level_in_either_version(abf, name):
    for channel, holding in ((0, -10.0), (1, -20.0), ("IN 1", -20.0)):
        family = read_family(abf / name, channel=channel)
        assert family.holding == holding and set(family.levels) == {-holding}


def test_a_step_in_the_first_epoch_of_version_1(abf):
    for sweep in (0, 2, 9):
        trace = read(abf / "abf1_step_in_epoch_A.abf", sweep)
        step = (trace.t >= 47.8) & (trace.t < 1047.8)
        # up to half a sample: the sweep has 30,640 samples at 0.1 ms
        assert step.sum() in (10_000, 10_001)
        inside = trace.I[(trace.t > 47.9) & (trace.t < 1047.7)]
        assert set(inside) == {-120.0 + 60.0 * sweep}
        assert set(trace.I[trace.t < 47.7]) == set(trace.I[trace.t > 1047.9]) == {0.0}


def test_a_stimulus_file_that_the_header_scales(abf):
    path = abf / "stimulus_file" / "scaled.abf"
    trace = read(path)
    (note,) = open_abf(path).sweep(0).notes  # its header was changed after the recording
    assert "differs by up to 110 pA from the copy in the recording: current='Cmd 0 (copy)' takes" in note
    assert (trace.I.min(), trace.I.max()) == pytest.approx((-130.0, 70.0), abs=0.01)
    copy = read(path, current="Cmd 0 (copy)").I
    inner = slice(1600, 98_000)
    np.testing.assert_allclose(5.0 * copy[inner] - 30.0, trace.I[inner], atol=0.5)


def test_a_stimulus_file_that_is_missing(abf, tmp_path):
    path = tmp_path / "no_stimulus_file.abf"
    shutil.copy(abf / path.name, path)
    message = rf"sweep 0: Cmd 0: .*stimulus file 'sine sweep magnitude 20\.abf', which is not in {tmp_path};"
    with pytest.raises(ValueError, match=message):
        read(path)
    trace = read(path, current="unknown")
    assert trace.V.mean() == pytest.approx(-61.7, abs=0.1) and not trace.has_current
    shutil.copy(abf / "stimulus_file" / "sine sweep magnitude 20.abf", tmp_path)
    trace = read(path)  # no warning: it is what the recording keeps a copy of
    assert (trace.I.min(), trace.I.max()) == pytest.approx((-20.0, 20.0), abs=0.01)


def test_gap_free_has_no_epochs(abf):
    assert set(read(abf / "gapfree_epochs_on.abf").I) == {0.0}


def test_a_current_on_another_channel(abf):
    path = abf / "2020_07_29_0062.abf"
    trace = read(path, channel=0, current=1)
    assert trace.V.mean() == pytest.approx(-45.4, abs=0.1)
    assert trace.I.std() == pytest.approx(4.25, abs=0.05)
    named = read(path, channel="Potential", current="I_Com")
    np.testing.assert_array_equal(named.I, trace.I)
    assert set(read(path).I) == {0.0}  # the command, from which the recorded current differs by nothing but noise


def test_files_without_a_protocol(abf):
    trace = read(abf / "written_by_pyabf.abf")
    assert trace.V.mean() == pytest.approx(-65.0, abs=0.05)
    with pytest.raises(ValueError, match="no protocol in this file: give the current yourself"):
        _ = trace.I
    saved = abf / "171116sh_0020_saved.abf"
    with pytest.raises(ValueError, match=r"'IN 0' \(pA\).*units=\{'IN 0': 'mV'\}.* give the current yourself"):
        read(saved)  # pyabf writes pA whatever it saves
    assert not read(saved, units={"IN 0": "mV"}).has_current


def test_units_that_are_wrong(abf):
    with pytest.raises(ValueError, match=r"'IN 0' \(pA\); it commanded 'Cmd 0' \(pA\).*units=\{'IN 0': 'mV'\}"):
        read(abf / "18807005.abf")
    with pytest.raises(ValueError, match=r"V reaches ±1200\.56 mV; .*units=\{'IN 0': 'mV', 'V': 0\.1\} names a unit"):
        read(abf / "18807005.abf", units={"IN 0": "mV"})  # the gain in the file is that of a current, 0.5 mV/pA
    trace = read(abf / "18807005.abf", units={"IN 0": "mV", "V": 0.05})  # that of V is 10 mV/mV
    assert trace.V.mean() == pytest.approx(-42.0, abs=20.0) and trace.V.min() > -100.0


def test_sweeps_of_different_lengths(abf):
    assert [len(read(abf / "cc_variable_length.abf", k).t) for k in range(3)] == [3540, 70_040, 16_040]


def test_a_prepulse_is_not_the_step(abf):
    for sweep in (0, 10, 29):
        trace = read(abf / "18711001.abf", sweep)
        assert (trace.start, trace.stop) == pytest.approx((823.4, 1323.4))
        assert in_the_step(trace) == {10.0 * sweep}
        assert set(trace.I[(trace.t > 24) & (trace.t < 323)]) == {-100.0}
