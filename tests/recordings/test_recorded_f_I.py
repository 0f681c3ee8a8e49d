"""The f-I curves of the two recorded cells against what is known of the recordings, and of synthetic recordings."""

import numpy as np
import pytest

from helpers.recordings.f_I import recorded_f_I, steady_rate
from helpers.simulation.trace import Trace

CELLS = ("regular_spiking", "fast_spiking")


def test_rate_of_known_spikes():
    t = np.arange(0.0, 1000.0, 0.1)
    V = np.where(np.isin(np.round(t, 1) % 25.0, (0.0, 0.1)), 20.0, -70.0)  # every 25 ms, all the time
    trace = Trace(t=t, states={"V": V}, I=np.zeros_like(t), start=200.0, stop=800.0)
    assert steady_rate(trace) == pytest.approx(40.0, rel=1e-3)
    silent = Trace(t=t, states={"V": np.full_like(t, -70.0)}, I=np.zeros_like(t), start=200.0, stop=800.0)
    assert steady_rate(silent) == 0.0


def test_recorded_curves(recordings):
    regular, fast = (recorded_f_I(name) for name in CELLS)
    assert regular.recorded and fast.recorded
    np.testing.assert_array_equal(regular.currents, np.arange(-100.0, 301.0, 25.0))
    assert 10 < regular.rates[-1] < 18 and 120 < fast.rates[-1] < 130  # README of the recordings: up to 18, to 128 Hz
    assert not regular.rates[regular.currents <= 75.0].any()  # its rheobase lies at 50 pA: a lone spike is no rate


def test_synthetic_recordings_where_the_files_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path))  # an empty folder
    regular, fast = (recorded_f_I(name) for name in CELLS)
    assert not regular.recorded and not fast.recorded
    for cell in (regular, fast):
        assert not cell.rates[cell.currents <= 0.0].any() and np.all(np.diff(cell.rates) > -1.0)
    assert fast.rates[-1] > 2.0 * regular.rates[-1] > 20.0
    again = recorded_f_I("fast_spiking")
    np.testing.assert_array_equal(again.rates, fast.rates)


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="name = 'pyramidal'; allowed: regular_spiking, fast_spiking"):
        recorded_f_I("pyramidal")
