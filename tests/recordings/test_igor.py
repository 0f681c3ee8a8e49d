"""Igor Pro: single waves, matrices, and experiments whose waves are named by other programs."""

import numpy as np
import pytest
from igor2 import binarywave, packed
from support.recorders import LEVELS, START, STOP, command, ibw, pxp, response

from helpers.recordings.reading import number_of_sweeps, open_file, read


def written(tmp_path, data, name="cell.ibw"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def experiment(tmp_path, names, order="<"):
    """An experiment of V and I of each level; the names say where the number of the sweep goes."""
    waves = {}
    for k, level in enumerate(LEVELS):
        for name, values, unit in zip(names, (response(level) * 1e-3, command(level) * 1e-12), "VA", strict=True):
            full = name.format(k)
            waves[full] = ibw(full.rpartition(":")[2], values, unit, order=order)
    return written(tmp_path, pxp(waves, order), "cell.pxp")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("every", "unit"), [(5e-4, "s"), (0.5, "ms")])
def test_a_wave_is_a_voltage_whose_current_is_asked_for(tmp_path, order, every, unit):
    path = written(tmp_path, ibw("Vm", response(100.0), "mV", every, unit, order))
    trace = read(path)
    np.testing.assert_allclose(trace.V, response(100.0), atol=1e-4)
    np.testing.assert_allclose(trace.t, 0.5 * np.arange(400))
    with pytest.raises(ValueError, match=r"cell\.ibw, sweep 0: no protocol .*give the current yourself"):
        _ = trace.I
    assert read(path, current=command(100.0)).stop == STOP


def test_the_columns_of_a_matrix_are_sweeps(tmp_path):
    table = np.stack([response(level) for level in LEVELS], axis=1)
    path = written(tmp_path, ibw("Vm", table, "mV"))
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(LEVELS):
        np.testing.assert_allclose(read(path, k).V, response(level), atol=1e-4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "names", [("Vm_{}", "Im_{}"), ("RecordA{}", "RecordB{}"), ("cell:V{}", "cell:I{}"), ("PM_1_2_{}_1", "PM_1_2_{}_2")]
)
def test_waves_of_one_number_are_one_sweep(tmp_path, names, order):
    path = experiment(tmp_path, names, order)
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(LEVELS):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=1e-4)
        np.testing.assert_allclose(trace.I, command(level), atol=1e-4)
        assert (trace.start, trace.stop) == pytest.approx((START, STOP))
    last = {"PM_1_2_{}_1": "1/2/2", "cell:V{}": "cell:2"}.get(names[0], "2")
    np.testing.assert_array_equal(read(path, last).V, trace.V)


def test_times_without_a_unit_are_taken_with_a_word_or_refused(tmp_path):
    for every, scale, unit in ((5e-5, 1e3, "s"), (0.05, 1.0, "ms")):
        path = written(tmp_path, ibw("Vm", response(0.0), "mV", every, ""))
        with pytest.warns(UserWarning, match=rf"Vm have no unit; an interval of {every:g} was taken as {unit}"):
            trace = read(path)
        np.testing.assert_allclose(trace.t, every * scale * np.arange(400))
    path = written(tmp_path, ibw("Vm", response(0.0), "mV", 0.001, ""))
    with pytest.raises(ValueError, match="the times of Vm go by 0.001 of no unit; allowed: s, ms, µs .units="):
        read(path)
    for unit, scale in (("s", 1e3), ("ms", 1.0)):
        np.testing.assert_allclose(read(path, units={"t": unit}).t, 0.001 * scale * np.arange(400))


def test_a_voltage_without_a_unit_is_named_by_the_reader(tmp_path):
    path = written(tmp_path, ibw("Vm", response(0.0), ""))
    with pytest.raises(ValueError, match=r"no signal was recorded in a unit of voltage: .* 0: 'Vm' \(no unit\)"):
        read(path)
    np.testing.assert_allclose(read(path, units={"V": "mV"}).V, response(0.0), atol=1e-4)


def test_a_wave_of_one_number_is_no_sweep(tmp_path):
    path = written(tmp_path, ibw("Vm", np.where(np.arange(400) == 0, -70.0, np.nan), "mV"))
    with pytest.raises(ValueError, match=r"cell\.ibw, sweep 0: .* has numbers in 1 sample\(s\); needed: 2 or more"):
        read(path, current="unknown")


def test_waves_at_other_intervals_are_left_out_with_a_word(tmp_path):
    waves = {"V0": ibw("V0", response(0.0), "mV"), "I0": ibw("I0", command(0.0)[::2], "pA", 1e-3)}
    waves["K0"] = ibw("K0", np.arange(5.0), "", 1.0, "")  # not over time
    found = open_file(written(tmp_path, pxp(waves), "cell.pxp")).sweep(0)
    assert [x.name for x in found.recorded] == ["V"]
    assert found.notes == ("I0 are sampled at another interval and left out",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ibw("Vm", response(0.0), "mV")[:900], "it is damaged or cut short"),
        (b"", "it is damaged or cut short"),
        (ibw("Vm", np.arange(9.0), "mV", 1.0, ""), "none of its 1 waves has numbers over time"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, data, reason):
    with pytest.raises(ValueError, match=rf"cell\.ibw cannot be read as Igor Pro: {reason}"):
        read(written(tmp_path, data))


def test_igor2_reads_the_same(tmp_path):
    """igor2 is not what reads here: after one damaged file version 0.5.15 refuses all that come after it."""
    table = np.stack([response(level) for level in LEVELS], axis=1)
    for order in "<>":
        path = written(tmp_path, ibw("Vm", table, "mV", 0.5, "ms", order))
        theirs = binarywave.load(str(path))["wave"]["wData"]
        for k in range(3):
            np.testing.assert_array_equal(open_file(path).sweep(k).recorded[0].load(), theirs[:, k])
    path = experiment(tmp_path, ("V{}", "I{}"))
    waves = packed.load(str(path))[1]["root"]
    for k in range(3):
        for signal in open_file(path).sweep(k).recorded:
            theirs = waves[f"{signal.name}{k}".encode()].wave["wave"]["wData"]
            np.testing.assert_array_equal(signal.load(), theirs)


def test_superseded_waves_count_no_more(tmp_path):
    old, new = (pxp({"V0": ibw("V0", response(level), "mV")}) for level in (0.0, 100.0))
    record = bytearray(old)
    at = len(pxp({}))  # where the record of the wave begins
    record[at : at + 2] = (0x8003).to_bytes(2, "little")
    path = written(tmp_path, bytes(record) + new[at:], "cell.pxp")
    np.testing.assert_allclose(read(path).V, response(100.0), atol=1e-4)
