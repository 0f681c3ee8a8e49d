"""NWB files of the kinds that people have (../shared/cases/nwb), and six cells of the Allen Cell Types Database."""

import numpy as np
import pytest
from support.builders import nwb_file

from helpers.recordings.choice import choose
from helpers.recordings.reading import open_file, read

WINDOW = (270.0, 770.0)  # ms, of the step in most files


@pytest.mark.parametrize(
    ("name", "levels", "window"),
    [
        ("concatenated_sweeps", [-50.0, 50.0, 100.0, 150.0], WINDOW),
        ("test_pulse_first", [-50.0, 100.0, 200.0], WINDOW),
        ("measured_current_float", [100.0], WINDOW),
        ("measured_current_int16", [100.0], WINDOW),
        ("stim_plain_timeseries", [100.0], WINDOW),
        ("stimulus_only_pulse", [100.0], WINDOW),
        ("trailing_nan", [100.0], WINDOW),
        ("table_for_one_of_two", [100.0, 100.0], (25.0, 50.0)),
    ],
)
@pytest.mark.filterwarnings("ignore:.*covers 270 to 770 ms of the sweep", "ignore:.*the sweep was cut off there")
def test_current_and_window(cases, name, levels, window):
    path = cases / "nwb" / f"{name}.nwb"
    contents = open_file(path)
    assert contents.n_sweeps == len(levels)
    for k, level in enumerate(levels):
        trace = read(path, k)
        assert (trace.start, trace.stop) == (pytest.approx(window[0]), pytest.approx(window[1]))
        on = (trace.t >= window[0] + 0.1) & (trace.t < window[1] - 0.1)
        assert np.median(trace.I[on]) == pytest.approx(level, abs=0.1)
        off = (trace.t < 19.9) | ((trace.t > 30.1) & (trace.t < window[0] - 0.1)) | (trace.t > window[1] + 0.1)
        assert np.median(trace.I[off]) == pytest.approx(0.0, abs=0.1) and np.abs(trace.I[off]).max() < 5.0
        assert len(trace.t) == {"table_for_one_of_two": 2000, "trailing_nan": 18_000}.get(name, 20_000)


def test_the_test_pulse_is_known_too(cases):
    steps = choose(open_file(cases / "nwb/test_pulse_first.nwb"), 1).steps
    assert [(step.start, step.stop, step.level) for step in steps] == pytest.approx(
        np.array([(20.0, 30.0, -50.0), (*WINDOW, 100.0)])
    )


def test_what_was_assumed_is_said(cases):
    with pytest.warns(
        UserWarning, match="covers 270 to 770 ms of the sweep: outside, I is the level that is held, 0 pA"
    ):
        read(cases / "nwb/stimulus_only_pulse.nwb")
    with pytest.warns(UserWarning, match="r0 is not a number from 900 ms on: the sweep was cut off there"):
        read(cases / "nwb/trailing_nan.nwb")


@pytest.mark.parametrize("name", ["no_stimulus", "in_processing", "timeseries"])
def test_v_without_a_current(cases, name):
    trace = read(cases / "nwb" / f"{name}.nwb")
    assert trace.V.shape == (20_000,) and trace.V.min() < -50.0
    with pytest.raises(ValueError, match=rf"{name}\.nwb, sweep 0: no protocol in this file: give the current yourself"):
        _ = trace.I


def test_no_current_where_the_file_says_so(cases):
    assert not read(cases / "nwb/izero.nwb").I.any()


def test_a_current_that_no_cell_takes(cases):
    path = cases / "nwb/current_in_pA_without_conversion.nwb"
    with pytest.raises(
        ValueError, match=r"s0 reaches 1e\+14 pA, which no cell .* units=\{'I': 'pA'\} makes it 100 pA"
    ):
        read(path)
    trace = read(path, units={"s0": "pA"})
    assert (trace.I.min(), trace.I.max(), trace.start, trace.stop) == (0.0, 100.0, *WINDOW)


@pytest.mark.parametrize(
    "cell", ["509881736_sweep_number_39", "518290966_sweep_number_57", "569469018_sweep_number_44"]
)
def test_a_cell_of_the_allen_institute_as_its_programs_write_it(recordings, tmp_path, cell):
    """Written as MIES does, with a test pulse before; V as 32-bit floats in mV, the sweep stopped before its end."""
    cell = np.load(recordings / "allen" / f"ephys_cell_{cell}.npz")
    dt, V, I = float(cell["dt_ms"]), cell["V"].copy(), cell["I_pA"].copy()
    first, last = (round(float(cell[name]) / dt) for name in ("on_ms", "off_ms"))
    V[-2000:] = np.nan
    I[500:1000] = -20.0
    common = {
        "rate": 1e3 / dt,
        "starting_time": 12.0,
        "sweep_number": np.uint32(39),
        "stimulus_description": "X4PS_DA_0",
    }
    sweep = {
        "V": {"name": "data_00039_AD0", "data": V, "conversion": 1e-3, **common},
        "I": {"name": "data_00039_DA0", "data": I, "conversion": 1e-12, **common},
    }
    path = nwb_file(tmp_path / "cell.nwb", [sweep])
    with pytest.warns(UserWarning, match="data_00039_AD0 is not a number from 1410 ms on"):
        trace = read(path, "data_00039_AD0")
    np.testing.assert_allclose(trace.V, cell["V"][:-2000], rtol=1e-6)
    np.testing.assert_allclose(trace.I, I[:-2000], rtol=1e-6)
    assert trace.start == pytest.approx(first * dt, abs=dt) and trace.stop == pytest.approx(last * dt, abs=2 * dt)
    assert [step.start for step in choose(open_file(path)).steps] == pytest.approx([10.0, first * dt], abs=dt)
