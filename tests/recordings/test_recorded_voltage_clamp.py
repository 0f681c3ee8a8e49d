"""Recorded families: a file written here with pyabf, and the published sodium family where it is at hand."""

import numpy as np
import pytest

from helpers.recordings.published import RecordingUnavailable
from helpers.recordings.voltage_clamp import RecordedFamily, read_family, sodium_family


def family(**changes):
    """Three sweeps of 10 ms: nothing, then I(t) = level·exp(-t) plus a leak of 1 pA/mV."""
    t, levels = np.arange(-1.0, 9.0, 0.01), np.array([-50.0, -20.0, 10.0])
    transient = np.where((t >= 0) & (t < 8.0), -100.0 * np.exp(-np.abs(t)), 0.0) * np.array([[0.5], [1.0], [0.2]])
    given = dict(t=t, levels=levels, holding=-120.0, I=transient + levels[:, None], end=8.0, capacitance=20.0)
    return RecordedFamily(**{**given, **changes})


def test_the_steady_part_is_taken_off():
    bare = family().without_steady_current(last=1.0)
    expected = -100.0 * np.exp(-2.0) * np.array([0.5, 1.0, 0.2])
    np.testing.assert_allclose(bare.I[:, 300], expected, atol=0.1)  # 2 ms into the step; the rest at its end: e^-7.5
    with pytest.raises(ValueError, match="last = 9 ms"):
        family().without_steady_current(last=9.0)


def test_peaks_are_those_after_the_blank():
    value, when = family().without_steady_current(1.0).peaks(begin=0.5)
    np.testing.assert_allclose(when, 0.5, atol=0.011)
    np.testing.assert_allclose(value, -100.0 * np.exp(-0.5) * np.array([0.5, 1.0, 0.2]), rtol=0.02)
    with pytest.raises(ValueError, match="begin = 20 ms"):
        family().peaks(begin=20.0)


def test_density_needs_a_capacitance():
    np.testing.assert_allclose(family().density() * 20.0, family().I)  # pA/pF is µA/cm² at 1 µF/cm²
    with pytest.raises(ValueError, match="capacitance = nan pF"):
        family(capacitance=float("nan")).density()


def test_a_file_that_is_no_family_is_refused(tmp_path):
    (tmp_path / "no.abf").write_bytes(b"no recording")
    with pytest.raises(ValueError, match="no.abf cannot be read as ABF"):
        read_family(tmp_path / "no.abf")
    with pytest.raises(FileNotFoundError):
        read_family(tmp_path / "absent.abf")


def test_the_published_sodium_family():
    try:
        recorded = sodium_family()
    except RecordingUnavailable as reason:
        pytest.skip(str(reason))
    assert recorded.levels.tolist() == list(np.arange(-100.0, 81.0, 5.0))
    assert (recorded.holding, recorded.end) == (-120.0, 25.0)
    assert recorded.I.shape == (37, 516) and recorded.capacitance == pytest.approx(11.084, abs=1e-3)
    assert recorded.t[[0, 8]] == pytest.approx([-0.4, 0.0])
    assert np.abs(recorded.I[:, 8:12]).max(axis=1).min() > 1000.0  # the capacitive current begins with the step
    value, _ = recorded.without_steady_current().peaks(begin=0.6)
    assert recorded.levels[value.argmin()] == -20.0
    assert np.interp(0.0, np.sort(value[24:30]), recorded.levels[24:30]) <= 45.0
