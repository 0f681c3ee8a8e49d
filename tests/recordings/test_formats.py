"""The file formats: what each holds is read, and every way in which a file can be wrong is named."""

import warnings

import numpy as np
import pytest
from support.builders import csv_file, nwb_file, step_trace

from helpers.recordings.csv_table import write_csv
from helpers.recordings.published import RECORDINGS, load
from helpers.recordings.reading import number_of_sweeps, read
from helpers.simulation.trace import Trace

# ---- CSV

GOOD = "t (ms),V (mV),I (pA)\n0,-65,0\n0.5,-65.5,0\n1,-66,-10\n1.5,-66.5,-10\n2,-66,0\n"


def test_csv_is_read(tmp_path):
    trace = read(csv_file(tmp_path, GOOD))
    np.testing.assert_array_equal(trace.t, [0, 0.5, 1, 1.5, 2])
    np.testing.assert_array_equal(trace.V, [-65, -65.5, -66, -66.5, -66])
    np.testing.assert_array_equal(trace.I, [0, 0, -10, -10, 0])
    assert (trace.start, trace.stop, trace.I_unit) == (1.0, 2.0, "pA")
    assert number_of_sweeps(tmp_path / "cell.csv") == 1


@pytest.mark.parametrize(
    ("header", "factors", "unit"),
    [
        ("time (s),Vm (V),current (nA)", (1e3, 1e3, 1e3), "pA"),
        ("T [us],voltage [uV],I [A]", (1e-3, 1e-3, 1e12), "pA"),
        ('"t (ms)","V (mV)","I (µA)"', (1, 1, 1e6), "pA"),
        ("Time (\u03bcs) , V (\u03bcV) , I (\u03bcA/cm^2)", (1e-3, 1e-3, 1), "µA/cm²"),
        ("t (ms),V (mV),I (uA/cm2)", (1, 1, 1), "µA/cm²"),
        ("t (ms),V (mV),I (mA/cm²)", (1, 1, 1e3), "µA/cm²"),
        ("t (ms),V (mV),I (nA/cm²)", (1, 1, 1e-3), "µA/cm²"),
        ("t (ms),V (mV),I (A/m²)", (1, 1, 100), "µA/cm²"),
    ],
)
def test_csv_units(tmp_path, header, factors, unit):
    rows = np.array([[0, -60, 0], [0.25, -70, 2], [0.5, -80, 0]]) / (1, *factors[1:])
    path = csv_file(tmp_path, "\n".join([header, *(",".join(map(str, row)) for row in rows.tolist())]))
    trace = read(path)
    np.testing.assert_allclose(np.column_stack([trace.t, trace.V, trace.I]), rows * factors, rtol=1e-12)
    assert trace.I_unit == unit


def test_csv_columns_in_any_order_with_byte_order_mark(tmp_path):
    trace = read(csv_file(tmp_path, "I (pA),t (ms),V (mV)\r\n0,1,-65\r\n5,2,-64\r\n\r\n", "utf-8-sig"))
    assert (trace.t.tolist(), trace.V.tolist(), trace.I.tolist()) == ([1, 2], [-65, -64], [0, 5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"cell\.csv is empty; needed: a header"),
        ("\n\n", r"cell\.csv is empty"),
        ("t (ms),V (mV),I (pA)\n", r"has 0 rows of numbers; needed: at least 2"),
        ("t (ms),V (mV),I (pA)\n0,-65,0\n", r"has 1 rows of numbers; needed: at least 2"),
        ("V (mV),I (pA)\n-65,0\n-65,0\n", r"line 1: no column for t; needed: t, V and I"),
        ("t (ms),V (mV)\n0,-65\n1,-65\n", r"line 1: no column for I"),
        ("0,-65,0\n1,-65,0\n2,-65,0\n", r"line 1, column 1: '0'; needed: a name and a unit"),
        ("t,V,I\n0,-65,0\n1,-65,0\n", r"line 1, column 1: 't'; needed: a name and a unit"),
        ("t (ms);V (mV);I (pA)\n0;-65;0\n1;-65;0\n", r"line 1, column 1: 't \(ms\);V.*needed: a name and a unit"),
        ("t (),V (mV),I (pA)\n0,-65,0\n1,-65,0\n", r"column 1: unknown unit '' of t; allowed: s, ms, µs"),
        ("t (min),V (mV),I (pA)\n0,-65,0\n1,-65,0\n", r"column 1: unknown unit 'min' of t; allowed: s, ms, µs"),
        ("t (ms),V (MV),I (pA)\n0,-65,0\n1,-65,0\n", r"column 2: unknown unit 'MV' of V; allowed: V, volts, mV, µV"),
        ("t (ms),V (pA),I (mV)\n0,-65,0\n1,-65,0\n", r"column 2: unknown unit 'pA' of V"),
        ("t (ms),V (mV),I (uA/m)\n0,-65,0\n1,-65,0\n", r"column 3: unknown unit 'uA/m' of I; allowed: A, .*µA/cm²"),
        ("t (ms),V (mV),V (V),I (pA)\n0,-65,0,0\n1,-65,0,0\n", r"column 3: a second column for V, 'V \(V\)'"),
        ("t (ms),V (mV),I (pA),m (1)\n0,-65,0,0\n1,-65,0,0\n", r"column 4: unknown column 'm'; allowed: t, time, v"),
        (GOOD + "2.5,-65\n", r"line 7: 2 fields; needed: 3"),
        (GOOD + "2.5,-65,0,0\n", r"line 7: 4 fields; needed: 3"),
        (GOOD + "2,5,-65,0\n", r"line 7: 4 fields; needed: 3, separated by commas, with a point in decimal"),
        (GOOD + "2.5,-65 mV,0\n", r"line 7, column V: '-65 mV' is not a finite number"),
        (GOOD + "2.5,,0\n", r"line 7, column V: '' is not a finite number"),
        (GOOD + '2.5,"-65,0\n3,-65",0\n', r"line 7, column V: '\"-65' is not a finite number"),
        (GOOD + "2.5,nan,0\n", r"line 7, column V: 'nan' is not a finite number"),
        (GOOD + "2.5,-65,inf\n", r"line 7, column I: 'inf' is not a finite number"),
        (GOOD + "3,-65,0\n", r"line 7: t goes from 2 to 3 ms, elsewhere by 0\.5 ms"),
        (GOOD + "2,-65,0\n", r"line 7: t goes from 2 to 2 ms"),
        ("t (ms),V (mV),I (pA)\n1,-65,0\n0,-65,0\n", r"line 3: t goes from 1 to 0 ms.*increasing"),
        ("t (ms),V (mV),I (pA)\n1,-65,0\n1,-65,0\n", r"line 3: t goes from 1 to 1 ms"),
        ("t (ms),V (V),I (pA)\n0,-65,0\n1,-65,0\n", r"V reaches ±65000 mV; allowed: up to 1000 mV"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(csv_file(tmp_path, text))
    assert str(caught.value).startswith("cell.csv")


def test_csv_in_another_encoding_or_sweep(tmp_path):
    path = csv_file(tmp_path, GOOD.replace("pA", "µA"), "latin-1")
    with pytest.raises(ValueError, match=r"cell\.csv is not UTF-8 text"):
        read(path)
    with pytest.raises(ValueError, match=r"cell\.csv: sweep = 1; allowed: an integer from 0 to 0"):
        read(csv_file(tmp_path, GOOD), 1)


def test_csv_times_may_be_rounded_but_not_to_nothing(tmp_path):
    def text(digits):
        return "t (s),V (mV),I (pA)\n" + "".join(f"{k / 30_000:.{digits}f},-65,0\n" for k in range(50))

    assert read(csv_file(tmp_path, text(6))).dt == pytest.approx(1 / 30, rel=1e-3)
    with pytest.raises(ValueError, match="written with enough digits"):
        read(csv_file(tmp_path, text(4)))


def test_csv_window(tmp_path):
    path = csv_file(tmp_path, GOOD)
    assert (read(path, start=0.0, stop=1.5).start, read(path, start=0.0, stop=1.5).stop) == (0.0, 1.5)
    with pytest.raises(ValueError, match=r"cell\.csv: start = 0.5, stop = None ms; give both or neither"):
        read(path, start=0.5)
    with pytest.raises(ValueError, match=r"cell\.csv: stimulus from 1 to 99 ms lies outside"):
        read(path, start=1.0, stop=99.0)
    silent = read(csv_file(tmp_path, "t (ms),V (mV),I (pA)\n0,-65,0\n1,-65,0\n2,-65,0\n"))
    assert (silent.start, silent.stop) == (0.0, 3.0)  # nothing injected: the whole trace
    noisy = np.random.default_rng(0).choice([0.0, 1.0, -1.0], 1000)
    rows = "".join(f"{k},-65,{value}\n" for k, value in enumerate(noisy))
    path = csv_file(tmp_path, "t (ms),V (mV),I (pA)\n" + rows)
    with pytest.warns(UserWarning, match="no step stands out of the noise of the current"):
        trace = read(path)
    assert (trace.start, trace.stop) == (0.0, 1000.0)
    assert read(path, start=100.0, stop=200.0).start == 100.0


@pytest.mark.parametrize("unit", ["pA", "µA/cm²"])
@pytest.mark.parametrize("level", [-50.0, 0.0])
def test_csv_round_trip(tmp_path, unit, level):
    made = step_trace(level=level, on=50.0)
    noise = np.random.default_rng(1).normal(size=len(made.t)) / 3
    made = Trace(made.t, {"V": made.V + noise}, made.I / 3, 50.0, 250.0, I_unit=unit)
    write_csv(made, tmp_path / "out.csv")
    back = read(tmp_path / "out.csv")
    for name in ("t", "V", "I"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name))
    assert (back.start, back.stop, back.I_unit) == (made.start, made.stop, unit)


def test_abf_to_csv_round_trip(recordings, tmp_path):
    made = read(recordings / RECORDINGS["fast_spiking"].file, 4)
    write_csv(made, tmp_path / "out.csv")
    back = read(tmp_path / "out.csv")
    np.testing.assert_array_equal(back.V, made.V)
    assert (back.start, back.stop) == (made.start, made.stop)
    np.testing.assert_array_equal(back.spike_times, made.spike_times)


# ---- All formats


def test_readers_leave_no_warning_and_no_noise(recordings, tmp_path, capfd):
    sweep = {"V": {"data": -0.065 - 0.001 * np.arange(9.0)}, "I": {"data": np.zeros(9)}}
    path = nwb_file(tmp_path / "cell.nwb", [sweep])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        load("fast_spiking", 2)
        read(path)
    assert [str(w.message) for w in seen] == []
    assert capfd.readouterr() == ("", "")
