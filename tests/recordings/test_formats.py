"""The file formats: what each holds is read, and every way in which a file can be wrong is named."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyabf
import pytest
from pynwb.icephys import VoltageClampSeries
from support.builders import csv_file, nwb_file, step_trace

from helpers.recordings.csv_table import write_csv
from helpers.recordings.nwb import _check_hdf5
from helpers.recordings.published import RECORDINGS, load
from helpers.recordings.reading import number_of_sweeps, read
from helpers.simulation.trace import Trace

# ---- ABF


def test_real_voltage_agrees_with_the_file(recordings):
    path = recordings / RECORDINGS["regular_spiking"].file
    raw = np.fromfile(path, np.int16, count=17 * 60_000, offset=6656).reshape(17, 60_000)
    # 16 bits over ±10 V behind a gain of 10 mV of output for each mV: 20 V / 65536 / 0.01 V/mV
    for sweep in (0, 11, 16):
        np.testing.assert_allclose(read(path, sweep).V, raw[sweep] * 20.0 / 65536 / 0.01, rtol=1e-6)


def test_real_voltage_clamp_is_refused(recordings):
    with pytest.raises(ValueError, match=r"171116sh_0013\.abf, sweep 0: this is voltage clamp.* 0: 'IN 0' \(pA\)"):
        read(recordings / RECORDINGS["voltage_clamp"].file)


@pytest.mark.parametrize("sweep", [17, -1, 1.5, True, None])
def test_sweep_out_of_range(recordings, sweep):
    path = recordings / RECORDINGS["regular_spiking"].file
    with pytest.raises(ValueError, match=r"171116sh_0018\.abf: sweep = .*; allowed: an integer from 0 to 16"):
        read(path, sweep)


def test_channel_out_of_range(recordings):
    with pytest.raises(ValueError, match="sweep 0: channel = 1: no signal is called so; it recorded 0: 'IN 0'"):
        read(recordings / RECORDINGS["regular_spiking"].file, channel=1)


def test_truncated_abf(recordings, tmp_path):
    whole = (recordings / RECORDINGS["regular_spiking"].file).read_bytes()
    path = tmp_path / "cut.abf"
    for length in (4, 100, 512, 3000, 6000, 6656, 7000, 100_000, 1_000_000, 2_046_655, 2_046_656, 2_046_700):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.abf cannot be read as ABF: it is damaged or cut short"):
            read(path)
        with pytest.raises(ValueError, match=r"cut\.abf"):
            number_of_sweeps(path)


def test_empty_foreign_and_missing_abf(tmp_path):
    path = tmp_path / "a.abf"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.abf is empty"):
        read(path)
    path.write_text("t (ms),V (mV),I (pA)\n")
    with pytest.raises(ValueError, match=r"a\.abf cannot be read as ABF: it is not an ABF file"):
        read(path)
    with pytest.raises(FileNotFoundError, match="file .*b.abf is missing"):
        read(tmp_path / "b.abf")
    with pytest.raises(ValueError, match=r"c\.dat ends in '\.dat'; allowed: \.abf, \.nwb, \.csv"):
        read(tmp_path / "c.dat")


@pytest.mark.parametrize(
    ("units", "V", "I"),
    [(("mV", "pA"), 1.0, 1.0), (("V", "nA"), 1e3, 1e3), (("uV", "uA"), 1e-3, 1e6), (("\u03bcV", "A"), 1e-3, 1e12)],
)
def test_abf_units_are_converted(recordings, monkeypatch, units, V, I):
    path = recordings / RECORDINGS["regular_spiking"].file
    plain = read(path, 5)
    with_units(monkeypatch, *units)
    if V != 1.0:
        wrong = r"V reaches ±[\d.]+ mV; allowed: up to 1000 mV" if V > 1.0 else r"V stays within ±0\.076 mV"
        with pytest.raises(ValueError, match=wrong + ".* Is its unit right\\?"):
            read(path, 5)  # neither -62 V nor -62 µV is a membrane potential
        trace = read(path, 5, units={"IN 0": "mV"}, current=0.0)
        np.testing.assert_allclose(trace.V, plain.V)
    else:
        trace = read(path, 5)
        np.testing.assert_allclose(trace.V, plain.V * V)
        np.testing.assert_allclose(trace.I, plain.I * I)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (("pA", "pA"), r"this is voltage clamp, .* 0: 'IN 0' \(pA\)"),
        (("mV", "mV"), r"this is voltage clamp, .*; it commanded 'Cmd 0' \(mV\)"),
        (("", "pA"), r"'IN 0' \(no unit\).*units=\{'V': 'mV'"),
    ],
)
def test_other_abf_units_are_refused(recordings, monkeypatch, units, message):
    with_units(monkeypatch, *units)
    with pytest.raises(ValueError, match=message):
        read(recordings / RECORDINGS["regular_spiking"].file)


def with_units(monkeypatch, measured, command):
    """Let pyabf report other units than the file's, as a differently configured rig would have written."""
    read_header = pyabf.ABF._makeAdditionalVariables

    def changed(abf):
        read_header(abf)
        abf.adcUnits, abf.dacUnits = [measured], [command]

    monkeypatch.setattr(pyabf.ABF, "_makeAdditionalVariables", changed)


def test_abf_without_its_command_is_refused(recordings, monkeypatch):
    monkeypatch.setattr(pyabf.ABF, "sweepC", property(lambda abf: np.full(len(abf.sweepY), np.nan)))
    with pytest.raises(ValueError, match="does not contain the command of sweep 0, channel 0"):
        read(recordings / RECORDINGS["regular_spiking"].file)


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
    noisy = np.random.default_rng(0).choice([0.0, 0.1, -0.1], 1000)
    rows = "".join(f"{k},-65,{value}\n" for k, value in enumerate(noisy))
    path = csv_file(tmp_path, "t (ms),V (mV),I (pA)\n" + rows)
    assert (read(path).start, read(path).stop) == (0.0, 1000.0)  # noise alone has no step
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


# ---- NWB

VOLTS = -0.065 + 0.001 * np.sin(np.arange(100.0))
AMPERES = np.where((np.arange(100) >= 20) & (np.arange(100) < 70), 5e-11, 0.0)


@pytest.mark.parametrize("how", ["table", "sweep number", "starting time", "timestamps"])
def test_nwb_round_trip(tmp_path, how):
    def extra(k):
        if how == "sweep number":
            return {"sweep_number": np.uint32(5 - k), "starting_time": 0.0}
        return {"timestamps": 7.0 + k + np.arange(100) / 10_000} if how == "timestamps" else {}

    sweeps = [
        {"V": {"data": VOLTS * (k + 1), **extra(k)}, "I": {"data": AMPERES * (k + 1), **extra(k)}} for k in range(3)
    ]
    path = nwb_file(tmp_path / "cell.nwb", sweeps, table=how == "table")
    assert number_of_sweeps(path) == 3
    for sweep in range(3):
        scale = 3 - sweep if how == "sweep number" else sweep + 1
        for trace in (read(path, sweep), read(path, f"V{scale - 1}")):
            np.testing.assert_allclose(trace.t, np.arange(100) * 0.1, atol=1e-9)
            np.testing.assert_allclose(trace.V, VOLTS * scale * 1e3)
            np.testing.assert_allclose(trace.I, AMPERES * scale * 1e12)
            assert (trace.start, trace.stop, trace.I_unit) == (pytest.approx(2.0), pytest.approx(7.0), "pA")


def test_nwb_conversion_and_offset(tmp_path):
    counts = np.arange(100, dtype=np.int16)
    sweep = {
        "V": {"data": counts, "conversion": 5e-4, "offset": -0.07},
        "I": {"data": (AMPERES * 1e12).astype(np.int16), "conversion": 2e-12, "offset": 1e-12},
    }
    trace = read(nwb_file(tmp_path / "cell.nwb", [sweep]))
    np.testing.assert_allclose(trace.V, -70.0 + 0.5 * counts, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(trace.I, 1.0 + 2.0 * AMPERES * 1e12, rtol=1e-6)


def test_nwb_electrodes_are_kept_apart(tmp_path):
    sweeps = [
        {
            key: {"data": data * (k + 1), "electrode": k, "starting_time": 0.0}
            for key, data in zip("VI", (VOLTS, AMPERES), strict=True)
        }
        for k in range(2)
    ]
    path = nwb_file(tmp_path / "cell.nwb", sweeps, electrodes=2)
    assert read(path, "V0").I.max() == pytest.approx(50.0)
    assert read(path, "V1").I.max() == pytest.approx(100.0)


V, I = {"data": VOLTS}, {"data": AMPERES}


@pytest.mark.parametrize(
    ("sweeps", "options", "message"),
    [
        ([{"V": V}], {}, "0 stimuli belong to V0"),
        ([{"V": V}], {"table": True}, "0 stimuli belong to V0"),
        ([{"V": V, "I": {**I, "starting_time": 3.0}}], {}, "0 stimuli belong to V0"),
        (
            [{"V": {**V, "sweep_number": np.uint32(1)}, "I": {**I, "sweep_number": np.uint32(2)}}],
            {},
            "0 stimuli belong to V0",
        ),
        ([{"V": V, "I": {**I, "electrode": 1}}], {"electrodes": 2}, "0 stimuli belong to V0"),
        ([{"V": V, "I": I}, {"I": {**I, "starting_time": 0.0}}], {}, "2 stimuli belong to V0"),
        ([{"V": V, "I": {"data": AMPERES[:50]}}], {}, "V0 has 100 samples in 9.9 ms but its stimulus I0 50 in 4.9 ms"),
        ([{"V": V, "I": {**I, "rate": 5000.0}}], {}, "they must be sampled alike"),
        ([{"V": {"data": VOLTS * 1e3}, "I": I}], {}, "V reaches .* mV; allowed: up to 1000 mV. Is its unit right"),
        ([{"V": {"data": np.where(VOLTS > -0.0645, np.nan, VOLTS)}, "I": I}], {}, "V0 is nan at sample"),
        ([{"V": {"data": VOLTS[:1]}, "I": {"data": AMPERES[:1]}}], {}, "V0 has 1 samples; needed: at least 2"),
        ([{"V": {**V, "timestamps": np.arange(100) ** 2 / 1e4}, "I": I}], {}, "sample .*: t goes from"),
        ([{"I": I}], {}, "contains no CurrentClampSeries; it contains no series"),
    ],
)
def test_bad_nwb(tmp_path, sweeps, options, message):
    path = nwb_file(tmp_path / "cell.nwb", sweeps, **options)
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith("cell.nwb")


def test_nwb_voltage_clamp_is_refused(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {"data": AMPERES}}], kind=VoltageClampSeries)
    with pytest.raises(ValueError, match=r"cell\.nwb is a voltage-clamp recording"):
        read(path)
    with pytest.raises(ValueError, match=r"cell\.nwb is a voltage-clamp recording"):
        number_of_sweeps(path)


def test_nwb_unit_of_the_file_counts(tmp_path):
    import h5py

    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    with h5py.File(path, "a") as file:
        file["acquisition/V0/data"].attrs["unit"] = "mV"
    with pytest.raises(ValueError, match=r"cell\.nwb: V0 is in 'mV'; allowed in NWB: volts"):
        read(path)


def test_nwb_bias_current_is_named(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {**V, "bias_current": -2e-11}, "I": I}])
    with pytest.warns(UserWarning, match=r"cell\.nwb, sweep 0: a bias current of -20 pA is not part of I"):
        read(path)


def test_nwb_files_read_on_several_threads_get_their_own_answers(tmp_path):
    """One process examines the files of all threads: an answer must not reach the thread that asked about another."""
    whole = nwb_file(tmp_path / "0.nwb", [{"V": V, "I": I}]).read_bytes()
    paths = [tmp_path / f"{number}.nwb" for number in range(40)]
    for number, path in enumerate(paths):
        path.write_bytes(whole if number % 2 == 0 else whole[:1000])

    def is_whole(path):
        try:
            _check_hdf5(path)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(is_whole, paths)) == [number % 2 == 0 for number in range(40)]


def test_nwb_that_is_repaired_in_place_is_read(tmp_path):
    """HDF5 answers from a file that stayed open after it was refused, even if it has been overwritten since."""
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    whole = path.read_bytes()
    date = re.findall(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:", whole)[0]
    path.write_bytes(whole.replace(date, date[:-1] + b"*"))
    with pytest.raises(ValueError, match=r"cell\.nwb cannot be read as NWB"):
        number_of_sweeps(path)
    path.write_bytes(whole)
    assert number_of_sweeps(path) == 1


def test_nwb_names_sweeps_and_damage(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    with pytest.raises(ValueError, match=r"cell\.nwb has no sweep 'x'; it has V0"):
        read(path, "x")
    with pytest.raises(ValueError, match=r"cell\.nwb: sweep = 1; allowed: an integer from 0 to 0"):
        read(path, 1)
    whole = path.read_bytes()
    for content in (b"", b"no HDF5", whole[:1000], whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"cell\.nwb cannot be read as NWB"):
            read(path)


# ---- All formats


def test_readers_leave_no_warning_and_no_noise(recordings, tmp_path, capfd):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        load("fast_spiking", 2)
        read(nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}]))
    assert [str(w.message) for w in seen] == []
    assert capfd.readouterr() == ("", "")
