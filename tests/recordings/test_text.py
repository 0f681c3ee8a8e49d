"""Text as programs export it: every layout is read alike, and whatever is ambiguous or damaged is refused by line."""

# ruff: noqa: E501  (the tables below: one file per line)

import gc
import warnings

import numpy as np
import pytest
from support.builders import csv_file, step_trace

from helpers.recordings.published import RECORDINGS
from helpers.recordings.reading import number_of_sweeps, open_file, read
from helpers.recordings.text.blocks import find_blocks
from helpers.recordings.text.writing import write_csv
from helpers.simulation.trace import Trace

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
        ("time_ms,V_mV,I_pA", (1, 1, 1), "pA"),
        ("time/ms,voltage/uV,I(nA)", (1, 1e-3, 1e3), "pA"),
        ("Time (sec),Membrane Potential (Volts),Injected Current (Amps)", (1e3, 1e3, 1e12), "pA"),
        ("msec,mV,pA", (1, 1, 1), "pA"),
        ("s,V,A", (1e3, 1e3, 1e12), "pA"),
        ('"t, s","Vm, mV","Im in nA"', (1e3, 1, 1e3), "pA"),
        ("t,Vm,Im\ns,mV,nA", (1e3, 1, 1e3), "pA"),
        ("t,Vm,Im\n(s),(mV),(nA)", (1e3, 1, 1e3), "pA"),
        ("TIME (seconds),VM (mv),IM (pa)", (1e3, 1, 1), "pA"),
        ("Time (\u03bcs) , V (\u03bcV) , I (\u03bcA/cm^2)", (1e-3, 1e-3, 1), "µA/cm²"),
        ("t_us,V_uV,I_fA", (1e-3, 1e-3, 1e-3), "pA"),
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
        ("t (ms)\n0\n1\n", r"line 1: no column is a voltage or a current; there is 0: 't \(ms\)'"),
        ("V (mV),I (pA)\n-65,0\n-65,0\n", r"no column is a time; .*units=\{'t': '0\.1 ms'\}\. Line 1 has 0: 'V \(mV\)'"),
        ("0,-65,0\n1,-65,0\n", r"line 1: no line names the columns, .* 0, -65, 0; .*units=\{0: 'ms', 1: 'mV', 2: 'pA'\}"),
        ("a b\n0,-65,0\n1,-65,0\n", r"line 2: 3 cells, .* but no line above names as many columns; 'a b' does not"),
        ("t,V,I\n0,-65,0\n1,-65,0\n", r"line 1, column 0: unknown unit '' of t in 't'; .*units=\{'t': 'ms', 'V': 'mV', 'I': 'pA'\}"),
        ("t,V (mV),I (pA)\n0,-65,0\n.0001,-65,0\n", r"unknown unit '' of t in 't'; .* the right one: units=\{'t': 's'\}$"),
        ("t (),V (mV),I (pA)\n0,-65,0\n1,-65,0\n", r"column 0: unknown unit '' of t in 't \(\)'; allowed: s, ms, µs"),
        ("t (min),V (mV),I (pA)\n0,-65,0\n1,-65,0\n", r"column 0: unknown unit 'min' of t .*; allowed: s, ms, µs"),
        ("t (ms),V (MV)\n0,-65\n1,-65\n", r"no signal was recorded in a unit of voltage: it recorded 1: 'V' \(MV\)"),
        ("t (ms),V (pA),I (mV)\n0,-65,0\n1,-65,0\n", r"line 1, column 1: unknown unit 'pA' of V in 'V \(pA\)'"),
        ("t (ms),Vcmd (mV),I (pA)\n0,-65,0\n1,-65,0\n", r"this is voltage clamp, .*; it commanded 'Vcmd' \(mV\)"),
        (GOOD + "2.5,-65\n", r"line 7: 2 cells; needed: 3"),
        (GOOD + "2.5,-65,0,0\n", r"line 7: 4 cells; needed: 3"),
        (GOOD + "2,5,-65,0\n", r"line 7: 4 cells; needed: 3, cells separated by commas, decimal point"),
        (GOOD + "2.5,-65 mV,0\n", r"line 7, column 'V \(mV\)': '-65 mV' is not a number"),
        (GOOD + '2.5,"-65,0\n3,-65",0\n', r"line 7: 2 cells; needed: 3"),
        (GOOD + "2.5,-65,inf\n", r"line 7, column 'I \(pA\)' in line 1: 'inf' is not a finite number"),
        (GOOD + "2.5,,0\n3,-65,0\n", r"line 7, column 'V \(mV\)' in line 1: '' is not a finite number"),
        (GOOD + "x,-65,0\n3,-65,0\n", r"line 7, column 't \(ms\)': 'x' is not a number"),
        (GOOD + "what\n2.5,-65,0\n", r"line 7: 'what' stands between two rows of numbers"),
        (GOOD + "nan,-65,0\n2.5,-65,0\n", r"line 7, column 't \(ms\)': 'nan' is not a finite number"),
        ("t (ms);V (mV);I (pA)\n0,5;-65,5;0\n1;-65,5;1.100,5\n1,5;-65,5;0\n", r"line 3, column 'I \(pA\)': '1\.100,5' .*thousands"),
        ("t (ms),V (mV),I (pA)\n0.5,-65,0\n1,-65.5,\"1,100.0\"\n1.5,-65,0\n", r"line 3, column 'I \(pA\)': '1,100\.0' .*thousands"),
        ("t (ms)\tV (mV)\tI (pA)\n0\t-65\t0\n1\t-65\t1,100\n", r"line 3, column 2: '1,100' is ambiguous"),
        ("t (ms);V (mV);I (pA)\n0;-65;0\n1;-65;1.100\n", r"line 3, column 2: '1\.100' is ambiguous"),
        ("t (ms),V (mV),I (pA)\n0,0,-65,5,0,0\n0,1,-65,5,0,0\n", r"line 2: 6 cells, .*names as many columns"),
        ("t (ms),V (mV),I (pA)\n0,00,-65,50,0,00\n0,01,-65,50,0,00\n", r"the comma seems to be both separator and decimal"),
        ("t (ms);V (mV);I (pA)\n0.5;-65,5;0\n1.0;-65,5;0\n", r"0 rows of numbers; .* the nearest is '0\.5;-65,5;0'"),
        ("sample,V (mV)\n0,-65\n1,-65\n3,-65\n", r"no column is a time"),
        ("rate: 1 kHz\nsample,V (mV)\n0,-65\n1,-65\n3,-65\n", r"line 5: samples are numbered 1, 3; needed: one after"),
        ("t (ms),V (mV),I (pA)\n0,-65,1e6\n1,-65,1e6\n", r"I \('I \(pA\)' in line 1\) reaches 1e\+06 pA, .* confirm it: units=\{'I': 'pA'\}"),
        ("ATF\t1.0\nx\n", r"line 2: an Axon Text File has the numbers"),
        ("ATF\t1.0\n5\t3\n", r"ends before the titles of its columns, which line 2 places in line 8"),
        (GOOD + "3,-65,0\n", r"line 7: t goes from 2 to 3 ms, elsewhere by 0\.5 ms"),
        (GOOD + "2,-65,0\n", r"line 7: t goes from 2 to 2 ms"),
        ("t (ms),V (mV),I (pA)\n1,-65,0\n0,-65,0\n", r"line 3: t goes from 1 to 0 ms.*increasing"),
        ("t (ms),V (mV),I (pA)\n1,-65,0\n1,-65,0\n", r"line 3: t goes from 1 to 1 ms"),
        ("t (ms),V (V),I (pA)\n0,-65,0\n1,-65,0\n", r"V \('V \(V\)' in line 1\) reaches ±65000 mV; allowed: up to 1000 mV"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(csv_file(tmp_path, text))
    assert str(caught.value).startswith("cell.csv")


def test_sweep_that_a_csv_does_not_have(tmp_path):
    with pytest.raises(ValueError, match=r"cell\.csv: sweep = 1; allowed: an integer from 0 to 0"):
        read(csv_file(tmp_path, GOOD), 1)


def test_csv_times_may_be_rounded_but_not_to_nothing(tmp_path):
    def text(digits):
        return "t (s),V (mV),I (pA)\n" + "".join(f"{k / 30_000:.{digits}f},-65,0\n" for k in range(50))

    assert read(csv_file(tmp_path, text(6))).dt == pytest.approx(1 / 30, rel=1e-3)
    with pytest.warns(UserWarning, match=r"rounded to 0\.1 ms: .* evenly spaced, 0\.0333333 ms apart \(30 kHz\)"):
        trace = read(csv_file(tmp_path, text(4)))
    np.testing.assert_allclose(trace.t, np.arange(50) / 30, atol=1e-9)
    with pytest.raises(ValueError, match=r"rounded to 1 ms, so that samples may be .* units=\{'t': '0\.1 ms'\}"):
        read(csv_file(tmp_path, text(3)))
    assert read(csv_file(tmp_path, text(3)), units={"t": "0.0333 ms"}).dt == pytest.approx(0.0333)


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


# ---- The same numbers as programs write them

N = 200
T = np.arange(N) * 0.1
I = np.where((T > 4.95) & (T < 14.95), 100.0, 0.0)
V = -70.0 + 0.05 * I + 0.25 * (np.arange(N) % 3)
HEAD = "t (ms),V (mV),I (pA)"


def table(head, *columns, separator=",", form="%.4f", mark="."):
    """A table of columns of numbers, or of words."""
    rows = [
        separator.join(x if isinstance(x, str) else (form % x).replace(".", mark) for x in row)
        for row in zip(*columns, strict=True)
    ]
    return "\n".join([head, *rows, ""])


def clock(ms):
    return f"{int(ms // 3.6e6):02d}:{int(ms // 6e4) % 60:02d}:{ms / 1e3 % 60:08.5f}"


PLAIN = table(HEAD, T, V, I)
SEMICOLONS = table(HEAD.replace(",", ";"), T, V, I, separator=";", mark=",")
INDEXED = table("," + HEAD, map(str, range(N)), T, V, I)
ATF = 'ATF\t1.0\n2\t3\n"AcquisitionMode=Episodic Stimulation"\n"SyncTimeUnits=100"\n'
LABCHART = (
    "Interval=\t0.0001 s\nExcelDateTime=\t4.1E4\t2020\nChannelTitle=\tVm\tIinj\nRange=\t100 mV\t1 nA\nUnitName=\tmV\tpA"
)
KINDS = {
    "commas": PLAIN,
    "semicolons, decimal comma": SEMICOLONS,
    "tabs": PLAIN.replace(",", "\t"),
    "tabs, decimal comma": PLAIN.replace(",", "\t").replace(".", ","),
    "blanks": PLAIN.replace(",", "  "),
    "blanks, names glued": table("t(ms) V(mV) I(pA)", T, V, I, separator=" "),
    "quoted, decimal comma": PLAIN.replace(",", '","').replace("\n", '"\n"').replace(".", ",").strip('"').join(['"', ""]),
    "old Macintosh": PLAIN.replace("\n", "\r"),
    "blank lines": PLAIN.replace("\n", "\r\n\r\n"),
    "Excel's separator": "sep=;\n" + SEMICOLONS,
    "trailing separators": PLAIN.replace("\n", ",\n"),
    "empty columns": PLAIN.replace("\n", ",,\n").replace(HEAD + ",,", HEAD),
    "index": INDEXED,
    "R": table('"t_ms" "V_mV" "I_pA"', [f'"{k + 1}"' for k in range(N)], T, V, I, separator=" "),
    "unicode minus": PLAIN.replace("-", "\u2212"),
    "metadata": "Cell: 12\nDate,2020-01-01\nGain;10\n\n" + PLAIN,
    "comments": "% made by hand\n" + PLAIN.replace("\n5.0000", "\n# the step\n5.0000"),
    "names in a comment": "# " + table("t (ms), V (mV), I (pA)", T, V, I, separator=" ", form="%.18e"),
    "names after semicolons": "; made\n; " + PLAIN,
    "names after slashes": "// " + PLAIN,
    "Origin": table("Time\tVoltage\tCurrent\ns\tmV\tpA\n\tcell 1\tcell 1", T / 1e3, V, I, separator="\t", form="%.6g"),
    "Axon Text File": ATF + table('"Time (ms)"\t"Trace #1 (mV)"\t"Trace #1 (pA)"', T, V, I, separator="\t"),
    "PatchMaster": "Sweep_1_1_1_1, 1\n"
    + table('"Index", "Time[s]", "Imon-1[A]", "Time[s]", "Vmon-1[V]"', map(str, range(N)), T / 1e3, I / 1e12, T / 1e3,
            V / 1e3, separator=", ", form="%.8e"),
    "LabChart": table(LABCHART, T / 1e3, V, I, separator="\t", form="%.6g"),
    "Spike2": table('"Time","1 Memb","2 Curr"\n"s","mV","nA"', T / 1e3, V, I / 1e3, form="%.6g"),
    "AxoGraph": table("Time (s)\tMembrane Potential (V)\tCurrent (A)", T / 1e3, V / 1e3, I / 1e12, separator="\t", form="%.6g"),
    "time of day": table("time,V (mV),I (pA)", map(clock, T + 3599950), V, I),
    "h:m:s": table("Time (h:m:s),V (mV),I (pA)", map(clock, T), V, I),
    "date and time": table("Timestamp,V (mV),I (pA)", ["2020-01-01 " + clock(x) for x in T + 5e6], V, I),
    "past midnight": table("time,V (mV),I (pA)", [clock((x + 8.64e7 - 10.0) % 8.64e7) for x in T], V, I),
    "since 1970": table("timestamp (s),V (mV),I (pA)", T / 1e3 + 1.6e9, V, I, form="%.6f"),
    "sample numbers": "Sampling rate: 10 kHz\n" + table("sample,V (mV),I (pA)", range(N), V, I, form="%.6g"),
    "no times": "Sample interval [ms],0.1\n" + table("V (mV),I (pA)", V, I),
    "a last empty row": PLAIN + ",,\n",
    "a footer": PLAIN + "end of the sweep\n",
    "a command beside": table("t (ms),Vm (mV),Im (pA),Command (pA)", T, V, I + 1.0, I),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_text(tmp_path, kind):
    path = csv_file(tmp_path, KINDS[kind])
    trace = read(path)
    np.testing.assert_allclose(trace.t, T, atol=2e-3)
    np.testing.assert_allclose(trace.V, V, atol=1e-9)
    np.testing.assert_allclose(trace.I, I, atol=1e-9)
    assert (trace.start, trace.stop) == (pytest.approx(5.0, abs=0.01), pytest.approx(15.0, abs=0.01))
    (said, *_) = open_file(path).notes
    assert "UTF-8, cells separated by" in said and "headings in line" in said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ending", [".csv", ".txt", ".tsv", ".dat", ".asc", ".atf"])
def test_encodings_and_extensions(tmp_path, encoding, ending):
    path = tmp_path / f"cell{ending}"
    path.write_bytes(PLAIN.replace("pA", "µA/cm²").encode(encoding))
    trace = read(path)
    np.testing.assert_allclose(trace.V, V, atol=1e-9)
    assert trace.I_unit == "µA/cm²"
    assert {"utf-8-sig": "UTF-8 with", "cp1252": "Windows-1252"}.get(encoding, "UTF-16") in open_file(path).notes[0]


@pytest.mark.parametrize("content", [b"\x93NUMPY" + bytes(range(256)), b"t (ms),V (mV)\n0,\x01\n", PLAIN.encode("utf-16")[:-1]])
def test_what_is_not_text(tmp_path, content):
    path = tmp_path / "cell.dat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cell\.dat.* not text"):
        read(path)


SWEEPS = {
    "Clampfit": table('"Time (ms)"\t"Trace #1 (mV)"\t"Trace #1 (pA)"\t"Trace #2 (mV)"\t"Trace #2 (pA)"', T, V, I, V - 3, 2 * I, separator="\t"),
    "V first": table("t (ms),V_1 (mV),V_2 (mV),I_1 (pA),I_2 (pA)", T, V, V - 3, I, 2 * I),
    "other order": table("t (ms),V_1 (mV),V_2 (mV),I_2 (pA),I_1 (pA)", T, V, V - 3, 2 * I, I),
    "units inside": table("t_ms,V_mV_sweep1,V_mV_sweep2,I_pA_sweep1,I_pA_sweep2", T, V, V - 3, I, 2 * I),
    "Igor": table("t (ms),V (mV),V1 (mV),I (pA),I1 (pA)", T, V, V - 3, I, 2 * I),
    "pandas": table("t (ms),V (mV),I (pA),V (mV).1,I (pA).1", T, V, I, V - 3, 2 * I),
    "times of their own": table("t1 (ms),V1 (mV),I1 (pA),t2 (ms),V2 (mV),I2 (pA)", T, V, I, T + 500.0, V - 3, 2 * I),
    "PatchMaster": "".join(
        f"Sweep_1_1_{k}_1, {k}\n"
        + table('"Index", "Time[s]", "Imon-1[A]", "Time[s]", "Vmon-1[V]"', map(str, range(N)), T / 1e3 + k, k * I / 1e12,
                T / 1e3 + k, (V - 3 * (k - 1)) / 1e3, separator=", ", form="%.8e") + "\n"
        for k in (1, 2)
    ),
    "a column of sweeps": table("sweep,t (ms),V (mV),I (pA)", [*"0" * N, *"1" * N], [*T, *T], [*V, *(V - 3)], [*I, *(2 * I)]),
    "times return": table(HEAD, [*T, *T], [*V, *(V - 3)], [*I, *(2 * I)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", SWEEPS)
def test_sweeps_of_text(tmp_path, kind):
    path = csv_file(tmp_path, SWEEPS[kind])
    assert number_of_sweeps(path) == 2
    for sweep, (below, scale) in enumerate([(0.0, 1.0), (3.0, 2.0)]):
        trace = read(path, sweep)
        np.testing.assert_allclose(trace.t, T, atol=1e-6)
        np.testing.assert_allclose(trace.V, V - below, atol=1e-9)
        np.testing.assert_allclose(trace.I, scale * I, atol=1e-9)
    assert open_file(path).sweep(1).recorded[0].name == open_file(path).sweep(0).recorded[0].name


def test_sweeps_with_one_current_or_none_or_of_other_lengths(tmp_path):
    path = csv_file(tmp_path, table("t (ms),V1 (mV),V2 (mV),I (pA)", T, V, V - 3, I))
    np.testing.assert_allclose(read(path, "V2").I, I)
    path = csv_file(tmp_path, table("t (ms),V1 (mV),V2 (mV)", T, V, ["" if k > 150 else "-65" for k in range(N)]))
    trace = read(path, 1)
    assert (number_of_sweeps(path), len(read(path, 0).t), len(trace.t)) == (2, N, 151) and not trace.has_current
    with pytest.raises(ValueError, match="give the current yourself"):
        _ = trace.I
    np.testing.assert_allclose(read(path, 0, current=20.0).I, 20.0)


def test_names_of_an_axon_text_file(tmp_path):
    head = 'ATF\t1.0\n1\t5\n"Signals="\t"Vm"\t"Im"\t"Vm"\t"Im"\n'
    titles = "\t".join(["Time (s)", "Trace #1 (mV)", "Trace #1 (pA)", "Trace #2 (mV)", "Trace #2 (pA)"])
    path = csv_file(tmp_path, head + table(titles, T / 1e3, V, I, V - 3, 2 * I, separator="\t", form="%.6f"))
    contents = open_file(path)
    assert (contents.format, contents.names) == ("Axon Text File", ("Vm #1", "Vm #2"))
    assert [(x.name, x.unit) for x in contents.sweep(1).recorded] == [("Vm", "mV"), ("Im", "pA")]
    np.testing.assert_allclose(read(path, 1, channel="Vm", current="Im").I, 2 * I)


def test_a_stimulus_alone_is_opened(tmp_path):
    head = "ATF\t1.0\n0\t3\n"
    path = csv_file(tmp_path, head + table("Time (ms)\tTrace #1 (pA)\tTrace #2 (pA)", T, I, 2 * I, separator="\t"))
    contents = open_file(path)
    assert contents.n_sweeps == 2
    np.testing.assert_allclose(contents.sweep(1).recorded[0].load(), 2 * I)
    path = csv_file(tmp_path, head.replace("3", "2") + table("Time (ms)\tTrace #1", T, I, separator="\t"))
    np.testing.assert_allclose(open_file(path).sweep(0).recorded[0].load(), I)


def test_inputs_side_by_side_are_one_sweep(tmp_path):
    for names in (("Ch 1", "Ch 2"), ("soma", "dendrite")):
        path = csv_file(tmp_path, table(f"t (ms),{names[0]} (mV),{names[1]} (mV)", T, V, V - 3))
        assert number_of_sweeps(path) == 1
        np.testing.assert_allclose(read(path, channel=names[1]).V, V - 3)
        np.testing.assert_allclose(read(path, channel=1).V, V)
    path = csv_file(tmp_path, table("t (ms),V (mV),Ia (pA),Ib (pA)", T, V, I, 2 * I))
    with pytest.raises(ValueError, match="several currents were recorded: 'Ia', 'Ib'; choose one by current="):
        read(path)
    np.testing.assert_allclose(read(path, current=3).I, 2 * I)
    path = csv_file(tmp_path, table("t (ms),V (mV),t (ms),I (pA)", T, V, T + 0.05, I))
    with pytest.raises(ValueError, match=r"I \(pA\) is sampled at other times than V"):
        read(path, current="I")


def test_columns_are_named_by_their_units(tmp_path):
    path = csv_file(tmp_path, table("", T, V, I).lstrip())
    with pytest.raises(ValueError, match=r"cell\.csv, line 1: no line names the columns"):
        read(path)
    for units in ({0: "ms", 1: "mV", 2: "pA"}, {"t": "0.1 ms", 1: "mV", 2: "pA"}):
        trace = read(path, units=units)
        np.testing.assert_allclose(np.column_stack([trace.t, trace.V, trace.I]), np.column_stack([T, V, I]), atol=1e-9)
    assert not read(path, units={0: "ms", 1: "mV"}).has_current
    path = csv_file(tmp_path, table("time,voltage,foo", T / 1e3, V, I / 1e3, form="%.6f"))
    for units in ({"t": "s", "V": "mV", "foo": "nA"}, {"time": "s", 1: "mV", 2: "nA"}):
        trace = read(path, units=units)
        np.testing.assert_allclose(np.column_stack([trace.t, trace.V, trace.I]), np.column_stack([T, V, I]), atol=1e-9)
    path = csv_file(tmp_path, table(HEAD, T, V, I))
    np.testing.assert_allclose(read(path, units={1: 0.1, "I": 10}).V, 0.1 * V)
    np.testing.assert_allclose(read(path, units={2: 10.0}).I, 10 * I)
    with pytest.raises(ValueError, match=r"units = 0\.1 for 't \(ms\)'; allowed: a unit of time, an interval"):
        read(path, units={"t": 0.1})
    with pytest.raises(ValueError, match=r"units\['V'\] = 'mW'; allowed: s, ms.*'0\.1 ms'"):
        read(path, units={"V": "mW"})


def test_units_that_are_wrong_or_missing_are_named(tmp_path):
    path = csv_file(tmp_path, table(HEAD, T, V / 1e3, I / 1e12, form="%.9g"))
    with pytest.raises(ValueError, match=r"V \('V \(mV\)' in line 1\) stays within ±0\.07 mV, .*units=\{'V': 'V'\}"):
        read(path)
    with pytest.raises(ValueError, match=r"I \('I \(pA\)' in line 1\) reaches 1e-10 pA"):
        read(path, units={"V": "V"})
    trace = read(path, units={"V": "V", "I": "A"})
    np.testing.assert_allclose(np.column_stack([trace.V, trace.I]), np.column_stack([V, I]), atol=1e-9)
    path = csv_file(tmp_path, table(HEAD.replace("pA", "nA"), T, V, I))
    with pytest.raises(ValueError, match=r"reaches 1e\+05 pA, .*to 50000 pA\. .*units=\{'I': 'pA'\} .* confirm it: units=\{'I': 'nA'\}"):
        read(path)
    np.testing.assert_allclose([read(path, units={"I": unit}).I.max() for unit in ("pA", "nA")], [100.0, 1e5])
    path = csv_file(tmp_path, table("t (ms),V (mV),I (kA)", T, V, I))
    with pytest.warns(UserWarning, match=r"cell\.csv, sweep 0: 'I \(kA\)' was not read: its unit, 'kA', is unknown"):
        assert not read(path).has_current


def test_times_that_are_uneven(tmp_path):
    gap, jitter = np.delete(T, 77), T + np.random.default_rng(0).normal(0.0, 0.03, N)
    for times, digits in ((gap, 4), (gap, 1), (jitter, 4)):
        path = csv_file(tmp_path, table(HEAD, times, V[: len(times)], I[: len(times)], form=f"%.{digits}f"))
        with pytest.raises(ValueError, match=r"cell\.csv, line \d+: t goes from .*np\.interp.*units=\{'t': '0\.1 ms'\}"):
            read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(read(path, units={"t": "0.1 ms"}).t, T, atol=1e-9)
    path = csv_file(tmp_path, table(HEAD, [*T[:77], *(T[77:] + 5.0)], V, I))
    with pytest.warns(UserWarning, match=r"lasts 24\.9 ms by its times, but 19\.9 ms by the interval"):
        read(path, units={"t": "0.1 ms"})


@pytest.mark.parametrize("dt", [0.02, 0.1, 1 / 30, 0.25])
@pytest.mark.parametrize("form", ["%.3f", "%.4f", "%.3g"])
def test_rounded_times_give_the_interval_back(tmp_path, dt, form):
    t = dt * np.arange(1500)
    text = table("t (s),V (mV)", t / 1e3, np.full(1500, -65.0), form="%.6g").splitlines()
    rows = [f"{form % x},-65" for x in t / 1e3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace = read(csv_file(tmp_path, "\n".join([text[0], *rows])))
    np.testing.assert_allclose(trace.t, t, atol=0.05 * dt)


def test_a_stated_interval_is_compared_with_the_times(tmp_path):
    path = csv_file(tmp_path, "Sampling rate (Hz): 20000\n" + PLAIN)
    with pytest.warns(UserWarning, match=r"samples are 0\.1 ms apart by their times, but 0\.05 ms by line 1"):
        read(path)


@pytest.mark.parametrize("end", ["NaN,0", "-65,NaN", ",", "NA,NA"])
def test_last_rows_without_numbers_are_left_out_with_a_word(tmp_path, end):
    path = csv_file(tmp_path, PLAIN + f"20.0,{end}\n")
    if end == ",":
        assert "line 202 at the end of the sweep was left out" in open_file(path).sweep(0).notes[0]
        trace = read(path)
    else:
        with pytest.warns(UserWarning, match=r"cell\.csv, sweep 0: line 202 at the end of the sweep was left out"):
            trace = read(path)
    np.testing.assert_allclose(trace.t, T, atol=1e-9)


def test_a_trace_without_a_current_is_written(tmp_path):
    path = csv_file(tmp_path, table("t (ms),V (mV)", T, V))
    write_csv(read(path, start=5.0, stop=15.0), tmp_path / "out.csv")
    back = read(tmp_path / "out.csv")
    np.testing.assert_array_equal(back.V, read(path).V)
    assert (back.start, back.stop, back.has_current) == (5.0, 15.0, False)


def test_axon_text_file_with_several_inputs_is_read_by_sweeps(tmp_path):
    head = 'ATF\t1.0\n1\t7\n"Signals="' + 3 * '\t"IN 0"\t"IN 1"' + "\n"
    titles = ['"Time (ms)"', *(f'"Trace #{k} ({unit})"' for k in (1, 2, 3) for unit in ("mV", "pA"))]
    columns = [column for k in (1, 2, 3) for column in (V + k, k * I)]
    path = tmp_path / "cell.atf"
    path.write_text(head + table("\t".join(titles), T, *columns, separator="\t"))
    assert number_of_sweeps(path) == 3
    for k in range(3):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, V + k + 1, atol=1e-9)
        np.testing.assert_allclose(trace.I, (k + 1) * I, atol=1e-9)


@pytest.mark.parametrize(("wrong", "right", "factor"), [("s", "ms", 1000.0), ("ms", "s", 0.001)])
def test_an_unlikely_interval_is_said(tmp_path, wrong, right, factor):
    t = T if right == "ms" else T / 1e3
    path = csv_file(tmp_path, table(f"t ({wrong}),V (mV),I (pA)", t, V, I, form="%.6g"))
    with pytest.warns(UserWarning, match=rf"samples are {0.1 * factor:g} ms apart.*units=\{{'t': '{right}'\}}"):
        read(path)
    np.testing.assert_allclose(read(path, units={"t": right}).t, T, atol=1e-6)


def test_a_potential_ten_times_too_large_is_said(tmp_path):
    path = csv_file(tmp_path, table("t (ms),V (mV),I (pA)", T, 10 * V, I, form="%.8g"))
    with pytest.warns(UserWarning, match=r"V reaches ±\d+ mV: is the amplifier's gain missing.*units=\{'V': 0.1\}"):
        read(path)
    np.testing.assert_allclose(read(path, units={"V": 0.1}).V, V, atol=1e-6)
    np.testing.assert_allclose(read(path, units={"V": "mV"}).V, 10 * V, atol=1e-6)


@pytest.mark.parametrize("names", ["Dev1/ai0 (V),Dev1/ai1 (V)", "Ch0 (V),Ch1 (V)", "ADC0 (V),ADC1 (V)", "V_in0 (V),V_in1 (V)"])
def test_numbered_inputs_are_no_sweeps(tmp_path, names):
    path = csv_file(tmp_path, table(f"t (ms),{names}", T, V / 1e3, I / 400.0, form="%.8g"))
    assert number_of_sweeps(path) == 1
    second = names.split(",")[1].split(" ")[0]
    trace = read(path, current=second, units={second: "pA", "I": 400.0})
    np.testing.assert_allclose(trace.V, V, atol=1e-6)
    np.testing.assert_allclose(trace.I, I, atol=1e-4)


def test_a_message_about_many_columns_stays_short(tmp_path):
    rows = "\n".join(",".join(f"{x + k:.3f}" for x in V) for k in range(3))
    with pytest.raises(ValueError, match=r"begin with -70\.000, .*, \.\.\.; .*If its rows are sweeps, turn") as error:
        read(csv_file(tmp_path, rows))
    assert len(str(error.value)) < 400


def test_units_that_a_refusal_proposes_work(tmp_path):
    path = csv_file(tmp_path, table("V,I", V, I))
    proposed = {"t": "0.1 ms", "V": "mV", "I": "pA"}
    with pytest.raises(ValueError, match="no column is a time; ") as error:
        read(path)
    assert f"units={proposed}" in str(error.value)
    trace = read(path, units=proposed)
    np.testing.assert_allclose([trace.V, trace.I], [V, I], atol=1e-9)


@pytest.mark.parametrize("damage", ["", "30.1,-65,0,7\n30.2,-65,0\n"])
def test_the_garbage_collector_is_on_again(tmp_path, monkeypatch, damage):
    during = []
    looked = find_blocks
    monkeypatch.setattr(
        "helpers.recordings.text.reading.find_blocks", lambda *a, **k: (during.append(gc.isenabled()), looked(*a, **k))[1]
    )
    path = csv_file(tmp_path, PLAIN + damage)
    if damage:
        with pytest.raises(ValueError, match="4 cells; needed: 3"):
            read(path)
    else:
        read(path)
    assert (during, gc.isenabled()) == ([False], True)


@pytest.mark.parametrize(
    "names",
    [
        ("Vm (mV)", "Vm (mV)", "Vm (mV)"),
        ("IN 0 (mV)", "IN 0 (mV)", "IN 0 (mV)"),
        ("cell1_sweep1 (mV)", "cell1_sweep2 (mV)", "cell1_sweep3 (mV)"),
        ("input 1 step 1 (mV)", "input 1 step 2 (mV)", "input 1 step 3 (mV)"),
        ("20230101c1_0001 (mV)", "20230101c1_0002 (mV)", "20230101c1_0003 (mV)"),
        ("Ch1 Sweep1 (mV)", "Ch1 Sweep2 (mV)", "Ch1 Sweep3 (mV)"),
    ],
)
@pytest.mark.parametrize("currents", [0, 1, 3])
def test_columns_of_one_input_are_sweeps(tmp_path, names, currents):
    own = [x.replace("Ch1", "Ch2").replace("Vm", "Im").replace("IN 0", "IN 1").replace("mV", "pA") for x in names]
    own = [f"I {x}" if x.startswith(("cell", "input", "2023")) else x for x in own][:currents]
    columns = [*(V + k for k in range(3)), *((k + 1) * I for k in range(currents))]
    path = csv_file(tmp_path, table(",".join(["t (ms)", *names, *own]), T, *columns))
    assert number_of_sweeps(path) == 3
    for k in range(3):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, V + k, atol=1e-9)
        if currents:
            np.testing.assert_allclose(trace.I, (k + 1 if currents == 3 else 1) * I, atol=1e-9)
        else:
            assert not trace.has_current


def test_another_channel_is_proposed_where_the_first_is_no_membrane(tmp_path):
    path = csv_file(tmp_path, table("t (ms),Temperature (V),Vm (V),I (pA)", T, 0.0 * T + 2.5, V / 1e3, I, form="%.8g"))
    with pytest.raises(ValueError, match=r"reaches ±2500 mV; .*channel= takes another \(Vm\)"):
        read(path)
    np.testing.assert_allclose(read(path, channel="Vm").V, V, atol=1e-6)


def test_units_of_a_signal_that_is_not_there_are_refused(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("t (ms),Vm (mV),I (pA)\n" + "".join(f"{k / 10},-65,{100 * (20 <= k < 70)}\n" for k in range(100)))
    assert read(path, units={"Vm": "mV", "I": "pA"}).V[0] == -65.0
    with pytest.raises(ValueError, match=r"cell\.csv: units = .*: no signal is called 'Vn'; did you mean V\?; it rec"):
        read(path, units={"Vn": "V"})
