"""The f-I curves of the two recorded cells against what is known of the recordings, and of synthetic recordings."""

import numpy as np
import pytest

from helpers.recordings.example import recorded_f_I
from helpers.recordings.f_I import RecordedFI

CELLS = ("regular_spiking", "fast_spiking")


def test_recorded_curves(recordings):
    regular, fast = (recorded_f_I(name) for name in CELLS)
    assert regular.recorded and fast.recorded and len(regular.counts) == 17 and regular.unit == "pA"
    np.testing.assert_array_equal(regular.currents, np.arange(-100.0, 301.0, 25.0))
    assert 10 < regular.rates[-1] < 18 and 120 < fast.rates[-1] < 130  # README of the recordings: up to 18, to 128 Hz
    assert not regular.rates[regular.currents <= 75.0].any()  # its rheobase lies at 50 pA: a lone spike is no rate


def test_synthetic_recordings_where_the_files_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path))  # an empty folder
    regular, fast = (recorded_f_I(name) for name in CELLS)
    assert not regular.recorded and not fast.recorded
    for cell in (regular, fast):
        np.testing.assert_array_equal(cell.currents, np.arange(-100.0, 301.0, 25.0))
        assert not cell.rates[cell.currents <= 0.0].any() and np.all(np.diff(cell.rates) > -1.0)
    assert fast.rates[-1] > 2.0 * regular.rates[-1] > 20.0
    again = recorded_f_I("fast_spiking")
    np.testing.assert_array_equal(again.rates, fast.rates)


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="name = 'pyramidal'; allowed: regular_spiking, fast_spiking"):
        recorded_f_I("pyramidal")


def test_printed_as_a_table():
    columns = ([0.0, 50.0, 100.0], [0.0, 0.0, 8.25], [0, 2, 4], [0.0, 4.0, 8.0])
    curve = RecordedFI(*map(np.array, columns))
    head, *rows = repr(curve).splitlines()
    assert head.split("  ")[0] == "amplitude (pA)" and [len(rows), rows[2].split()] == [3, ["100", "4", "8.0", "8.2"]]
    assert rows[0].split()[-1] == "0.0" and rows[1].endswith("fewer than 2 spikes there")
