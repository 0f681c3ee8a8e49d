"""The file formats: what each holds is read, and every way in which a file can be wrong is named."""

import warnings

import numpy as np
from support.builders import nwb_file

from helpers.recordings.published import load
from helpers.recordings.reading import read


def test_readers_leave_no_warning_and_no_noise(recordings, tmp_path, capfd):
    sweep = {"V": {"data": -0.065 - 0.001 * np.arange(9.0)}, "I": {"data": np.zeros(9)}}
    path = nwb_file(tmp_path / "cell.nwb", [sweep])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        load("fast_spiking", 2)
        read(path)
    assert [str(w.message) for w in seen] == []
    assert capfd.readouterr() == ("", "")
