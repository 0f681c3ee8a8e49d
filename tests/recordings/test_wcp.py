"""WinWCP: what a file holds is what myokit reads where it reads it, and right where it does not."""

import warnings
from pathlib import Path

import myokit.formats.wcp
import numpy as np
import pytest
from support.recorders import LEVELS, START, STOP, command, response, wcp

from helpers.recordings.reading import number_of_sweeps, read

SWEEPS = [(response(level), command(level)) for level in LEVELS]


def written(tmp_path, *args, **more):
    path = tmp_path / "cell.wcp"
    path.write_bytes(wcp(*args, **more))
    return path


@pytest.mark.parametrize("more", [{}, {"comma": True}, {"version": 8}, {"order": [1, 0]}, {"ranges": [10.0, 5.0, 2.0]}])
def test_voltage_current_and_step(tmp_path, more):
    path = written(tmp_path, SWEEPS, **more)
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(LEVELS):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=0.02)
        np.testing.assert_allclose(trace.I, command(level), atol=0.4)
        np.testing.assert_allclose(trace.t, 0.5 * np.arange(400))
        assert (trace.start, trace.stop) == (START, STOP)


def test_myokit_reads_the_same(tmp_path):
    sample = Path(myokit.__file__).parent / "tests/data/formats/wcp-file.wcp"
    for path in (sample, written(tmp_path, SWEEPS)):
        other = myokit.formats.wcp.WcpFile(path)
        names = other.channel_names()
        for k in range(other.sweep_count()):
            trace = read(path, k)
            np.testing.assert_allclose(trace.V, other.values(k, names.index("Vm")), rtol=1e-5)
            np.testing.assert_allclose(trace.I, other.values(k, names.index("Im")), rtol=1e-5, atol=1e-3)
            np.testing.assert_allclose(trace.t, 1e3 * other.times())


def test_more_inputs_than_fit_into_the_first_header(tmp_path):
    inputs = [(f"In {k}", "mV", 0.01) for k in range(12)]
    path = written(tmp_path, [[response(0.0) - k for k in range(12)]], inputs)
    for k in (0, 11):
        np.testing.assert_allclose(read(path, channel=f"In {k}").V, response(0.0) - k, atol=0.02)
    assert not read(path).has_current
    with pytest.raises(ValueError, match=r"cell\.wcp, sweep 0: no protocol .*give the current yourself"):
        _ = read(path).I


def test_rejected_records_are_said(tmp_path):
    path = written(tmp_path, SWEEPS, status=["ACCEPTED", "REJECTED"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(path, 0)
    with pytest.warns(UserWarning, match=r"cell\.wcp, sweep 1: the record is marked REJECTED"):
        read(path, 1)


def test_a_file_that_ends_early_gives_its_whole_records(tmp_path):
    path = written(tmp_path, SWEEPS, announced=5)
    assert number_of_sweeps(path) == 3
    with pytest.warns(UserWarning, match="announces 5 records, but the file ends after 3"):
        read(path, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data.replace(b"VER=9", b"VER=6"), "it is of version 6; versions 8 and 9 can be read"),
        (lambda data: data.replace(b"VER=9", b"XER=9"), "it is not a WinWCP file"),
        (lambda data: data.replace(b"NR=3", b"NR=0"), "it holds no records"),
        (lambda data: data[:2000], "it ends before the first record does"),
        (lambda data: data.replace(b"YG0=0.01", b"YG0=zero"), "YG0 = 'zero' in its header; needed: a number"),
        (lambda data: data.replace(b"NBD=4\r", b"NBD=0\r"), "NBD = 0 in its header; allowed: 1 to"),
        (lambda data: b"", "it is not a WinWCP file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, change, reason):
    path = tmp_path / "cell.wcp"
    path.write_bytes(change(wcp(SWEEPS)))
    with pytest.raises(ValueError, match=rf"cell\.wcp cannot be read as WinWCP: {reason}"):
        read(path)
