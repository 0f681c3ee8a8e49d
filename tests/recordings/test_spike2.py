"""Spike2: runs of samples as neo reads them; pauses, rates, and what begins elsewhere."""

import numpy as np
import pytest
from neo.rawio import Spike2RawIO
from support.recorders import LEVELS, START, STOP, command, response, smr

from helpers.recordings.reading import number_of_sweeps, open_file, read

V, I = [response(level) for level in LEVELS], [command(level) for level in LEVELS]
CHANNELS = [("Vm", "mV", V, 100.0), ("Im", "pA", I, 200.0)]


def written(tmp_path, *args, **more):
    path = tmp_path / "cell.smr"
    path.write_bytes(smr(*args, **more))
    return path


@pytest.mark.parametrize("more", [{}, {"order": ">"}, {"version": 3}, {"kind": 9}, {"block": 400}])
def test_voltage_current_and_step(tmp_path, more):
    if more.get("version", 6) < 6:  # in ticks of the converter, of 10 µs as well
        more = {**more, "every": (50,)}
    path = written(tmp_path, CHANNELS, **more)
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(LEVELS):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=0.01)
        np.testing.assert_allclose(trace.I, command(level), atol=0.02)
        np.testing.assert_allclose(trace.t, 0.5 * np.arange(400), rtol=1e-5)
        assert (trace.start, trace.stop) == pytest.approx((START, STOP))


@pytest.mark.parametrize("kind", [1, 9])
def test_neo_reads_the_same(tmp_path, kind):
    path = written(tmp_path, CHANNELS, kind=kind)
    other = Spike2RawIO(str(path), try_signal_grouping=False)
    other.parse_header()
    assert other.segment_count(0) == 3
    for k in range(3):
        for i, signal in enumerate(open_file(path).sweep(k).recorded):
            raw = other.get_analogsignal_chunk(0, k, None, None, i, None)
            theirs = other.rescale_signal_raw_to_float(raw, stream_index=i)
            np.testing.assert_allclose(signal.load(), theirs[:, 0], rtol=1e-6, atol=1e-6)
            assert (signal.name, signal.unit) == (CHANNELS[i][0], CHANNELS[i][1])


def test_a_channel_that_stops_a_sample_earlier_ends_the_sweep(tmp_path):
    path = written(tmp_path, [CHANNELS[0], ("Im", "pA", [values[:-1] for values in I], 200.0)])
    trace = read(path, 2)
    assert len(trace.t) == len(trace.V) == len(trace.I) == 399


def test_a_channel_at_another_rate_is_named(tmp_path):
    slow = ("slow", "pA", [values[::2] for values in I], 200.0)
    path = written(tmp_path, [CHANNELS[0], slow], every=(50, 100))
    with pytest.raises(ValueError, match=r"Vm has 400 samples but slow 200; they must be sampled alike"):
        read(path)
    np.testing.assert_allclose(read(path, current="unknown").V, V[0], atol=0.01)


def test_a_channel_that_begins_elsewhere_is_left_out(tmp_path):
    path = written(tmp_path, CHANNELS, late=500)
    found = open_file(path).sweep(0)
    assert [x.name for x in found.recorded] == ["Vm"]
    assert found.notes == ("'Im' was not sampled from the beginning of this sweep and is left out",)


def test_smrx_is_refused_with_a_way_round(tmp_path):
    path = tmp_path / "cell.smrx"
    path.write_bytes(b"S64")
    with pytest.raises(ValueError, match=r"cell\.smrx is in Spike2's 64-bit format.* export it as 32-bit data"):
        read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "it is not a 32-bit data file of Spike2"),
        (lambda data: data[:2] + b"(C) ABC 87" + data[12:], "it is not a 32-bit data file of Spike2"),
        (lambda data: data[:1500], "it is damaged or cut short"),
        (lambda data: data[:30] + b"\0\0" + data[32:], "it has no waveform channels"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, change, reason):
    path = tmp_path / "cell.smr"
    path.write_bytes(change(smr(CHANNELS)))
    with pytest.raises(ValueError, match=rf"cell\.smr cannot be read as Spike2: {reason}"):
        read(path)
