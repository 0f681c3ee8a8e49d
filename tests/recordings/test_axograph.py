"""AxoGraph: columns as neo reads them, and sweeps where neo sees one."""

import logging

import numpy as np
import pytest
from neo.rawio import AxographRawIO
from support.recorders import LEVELS, START, STOP, axograph, command, response

from helpers.recordings.reading import number_of_sweeps, read

COLUMNS = [
    pair
    for level in LEVELS
    for pair in (("Vm (V)", response(level) * 1e-3), ("Im (A)", command(level) * 1e-12))
]  # fmt: skip


def written(tmp_path, *args, name="cell.axgx", **more):
    path = tmp_path / name
    path.write_bytes(axograph(*args, **more))
    return path


def untitled(columns):
    """Titles as AxoGraph gives them: to the columns of the first sweep."""
    others = ["", *(f"Column{k}" for k in range(2, 20))]
    return [(title if k < 2 else others[k % 2 * k], values) for k, (title, values) in enumerate(columns)]


@pytest.mark.parametrize("columns", [COLUMNS, untitled(COLUMNS)])
@pytest.mark.parametrize("more", [{}, {"kind": 7}, {"kind": 6}, {"version": 1}, {"version": 2}, {"version": 3}])
def test_voltage_current_and_step(tmp_path, columns, more):
    path = written(tmp_path, columns, **more, name="cell.axgd" if more.get("version", 6) < 3 else "cell.axgx")
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(LEVELS):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=0.005)
        np.testing.assert_allclose(trace.I, command(level), atol=0.005)
        np.testing.assert_allclose(trace.t, 0.5 * np.arange(400), rtol=1e-6)
        assert (trace.start, trace.stop) == pytest.approx((START, STOP), rel=1e-6)


@pytest.mark.parametrize("kind", [4, 5])
def test_columns_of_integers(tmp_path, kind):
    V = np.round(response(100.0))
    np.testing.assert_array_equal(read(written(tmp_path, [("Vm (mV)", V)], kind=kind)).V, V)


@pytest.mark.parametrize("version", [1, 2, 6])
def test_neo_reads_the_same_columns(tmp_path, version, caplog):
    caplog.set_level(logging.ERROR)
    columns = COLUMNS[:2]
    path = written(tmp_path, columns, version=version)
    other = AxographRawIO(str(path))
    other.parse_header()
    raw = other.get_analogsignal_chunk(0, 0, None, None, 0, None)
    values = other.rescale_signal_raw_to_float(raw, stream_index=0)
    trace = read(path)
    np.testing.assert_allclose(trace.V, values[:, 0] * 1e3, rtol=1e-5)
    np.testing.assert_allclose(trace.I, values[:, 1] * 1e12, rtol=1e-5, atol=1e-3)


def test_the_current_is_asked_for_where_none_was_recorded(tmp_path):
    path = written(tmp_path, COLUMNS[::2])
    assert number_of_sweeps(path) == 3
    with pytest.raises(ValueError, match=r"cell\.axgx, sweep 2: no protocol .*give the current yourself"):
        _ = read(path, 2).I


def test_each_sweep_may_have_times_of_its_own(tmp_path):
    later = ("Time (ms)", 30.0 + np.arange(400.0))
    path = written(tmp_path, [*COLUMNS[:2], later, *COLUMNS[2:4]], kind=7)
    assert number_of_sweeps(path) == 2
    np.testing.assert_allclose(read(path, 1).t, np.arange(400.0))
    np.testing.assert_allclose(read(path, 1).V, response(LEVELS[1]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:3000], "it is damaged or cut short"),
        (lambda data: b"GrAx" + data[4:], "it is not a file of AxoGraph"),
        (lambda data: data[:7] + b"\x09" + data[8:], "it is of version 9 with 7 columns; versions 1 to 6"),
        (lambda data: data[:12] + bytes(3) + b"\0" + data[16:], "its times are damaged"),
        (lambda data: data.replace("(s)".encode("utf-16-be"), "(h)".encode("utf-16-be")), "its times are in 'h'"),
        (lambda data: data[:11] + b"\1" + data[12:], "it has 1 columns; needed: times"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, change, reason):
    path = tmp_path / "cell.axgx"
    path.write_bytes(change(axograph(COLUMNS)))
    with pytest.raises(ValueError, match=rf"cell\.axgx cannot be read as AxoGraph: {reason}"):
        read(path)
