"""NWB files as programs write them: what each holds is read, or named as what it is."""

import datetime
import os
import re
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pynwb
import pytest
from pynwb.icephys import CurrentClampStimulusSeries, IZeroClampSeries, VoltageClampSeries
from support.builders import nwb_file

from helpers.recordings.choice import choose
from helpers.recordings.hdf5 import open_hdf5
from helpers.recordings.reading import number_of_sweeps, open_file, read

VOLTS = -0.065 + 0.001 * np.sin(np.arange(100.0))
AMPERES = np.where((np.arange(100) >= 20) & (np.arange(100) < 70), 5e-11, 0.0)
V, I = {"data": VOLTS}, {"data": AMPERES}
VI = (("V", V), ("I", I))


@pytest.mark.parametrize("how", ["table", "sweep number", "starting time", "timestamps"])
def test_round_trip(tmp_path, how):
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


def test_conversion_and_offset(tmp_path):
    counts = np.arange(100, dtype=np.int16)
    sweep = {
        "V": {"data": counts, "conversion": 5e-4, "offset": -0.07},
        "I": {"data": (AMPERES * 1e12).astype(np.int16), "conversion": 2e-12, "offset": 1e-12},
    }
    trace = read(nwb_file(tmp_path / "cell.nwb", [sweep]))
    np.testing.assert_allclose(trace.V, -70.0 + 0.5 * counts, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(trace.I, 1.0 + 2.0 * AMPERES * 1e12, rtol=1e-6)


def test_electrodes_are_kept_apart(tmp_path):
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
    for channel in ("V1", "pipette 1"):
        other = read(path, "V0", channel=channel)
        np.testing.assert_allclose(other.V, 2e3 * VOLTS)
        assert other.I.max() == pytest.approx(100.0)
    with pytest.raises(
        ValueError, match=r"channel = 'pipette 2'.* Did you mean 'pipette .'.*'V0' \(volts, pipette 0\), 1: 'V1'"
    ):
        read(path, 0, channel="pipette 2")


def test_the_stimulus_of_another_electrode_is_not_taken(tmp_path):
    V0, V1, I1 = ({"starting_time": 0.0, "electrode": k, **one} for k, one in ((0, V), (1, V), (1, I)))
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V0}, {"V": V1, "I": I1}], electrodes=2)
    with pytest.raises(ValueError, match="no stimulus in this file belongs to V0.* [Gg]ive the current yourself"):
        _ = read(path, "V0").I
    np.testing.assert_allclose(read(path, "V0", current="unknown").V, VOLTS * 1e3)
    assert read(path, "V0", channel="V1").I.max() == read(path, "V1").I.max() == pytest.approx(50.0)


# ---- Tables, index ranges, and what the file leaves out


def concatenated(path, ranges, length=400):
    """One long series, of which the rows of the table are parts; sample k of V is -60 mV - k µV, the stimulus k pA."""
    nwb = pynwb.NWBFile("s", "i", session_start_time=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    pipette = nwb.create_icephys_electrode(name="e", description="glass", device=nwb.create_device(name="amplifier"))
    common = {"electrode": pipette, "gain": 1.0, "rate": 10_000.0, "starting_time": 3.0}
    k = np.arange(float(length))
    response = pynwb.icephys.CurrentClampSeries(name="V", data=-0.06 - 1e-6 * k, **common)
    stimulus = CurrentClampStimulusSeries(name="I", data=1e-12 * k, **common)
    nwb.add_acquisition(response)
    nwb.add_stimulus(stimulus)
    for (first, count), (first_I, count_I) in ranges:
        nwb.add_intracellular_recording(
            electrode=pipette, response=response, response_start_index=first, response_index_count=count,
            stimulus=stimulus, stimulus_start_index=first_I, stimulus_index_count=count_I,
        )  # fmt: skip
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwb, cache_spec=False)
    return path


def test_rows_of_the_table_are_sweeps(tmp_path):
    ranges = [((100 * k, 100), (100 * k, 100)) for k in range(4)]
    path = concatenated(tmp_path / "cell.nwb", ranges)
    contents = open_file(path)
    assert contents.names == ("V[0]", "V[1]", "V[2]", "V[3]") and list(contents.alike(2)) == [0, 1, 2, 3]
    for k in range(4):
        trace = read(path, f"V[{k}]")
        np.testing.assert_allclose(trace.t, 0.1 * np.arange(100), atol=1e-9)
        np.testing.assert_allclose(trace.V, -60.0 - 1e-3 * (100 * k + np.arange(100)))
        np.testing.assert_allclose(trace.I, 100.0 * k + np.arange(100))


def test_a_row_whose_stimulus_covers_a_part_is_completed(tmp_path):
    path = concatenated(tmp_path / "cell.nwb", [((100, 100), (120, 30))])
    with pytest.warns(UserWarning, match=r"'I' covers 2 to 5 ms of the sweep: outside, I is .* held, 120 pA"):
        trace = read(path)
    k = np.arange(100)
    np.testing.assert_allclose(trace.I, np.where((k >= 20) & (k < 50), 100.0 + k, 120.0))


def test_a_row_beyond_its_series_is_refused(tmp_path):
    path = concatenated(tmp_path / "cell.nwb", [((0, 100), (0, 100)), ((100, 100), (100, 100))])
    with h5py.File(path, "a") as file:
        cells = file["general/intracellular_ephys/intracellular_recordings/responses/response"]
        row = cells[1]
        row["count"] = 1000
        cells[1] = row
    assert len(read(path, 0).V) == 100
    with pytest.raises(
        ValueError, match=r"cell\.nwb: V cannot be read: row 1 of the table names its samples 100 to 1100, "
    ):
        read(path, 1)


def test_a_series_that_the_table_leaves_out_is_found_by_its_number(tmp_path):
    sweeps = [
        {"V": {**V, "sweep_number": np.uint32(k)}, "I": {"data": AMPERES * (k + 1), "sweep_number": np.uint32(k)}}
        for k in range(2)
    ]
    path = nwb_file(tmp_path / "cell.nwb", sweeps, table=[0])
    assert [read(path, k).I.max() for k in range(2)] == pytest.approx([50.0, 100.0])


def test_numbers_in_names_tell_sweeps_apart_where_nothing_else_does(tmp_path):
    sweeps = [
        {"V": {**V, "starting_time": 0.0}, "I": {"data": AMPERES * (k + 1), "starting_time": 0.0}} for k in range(11)
    ]
    path = nwb_file(tmp_path / "cell.nwb", sweeps)
    assert open_file(path).names == tuple(f"V{k}" for k in range(11))  # not V0, V1, V10
    with pytest.warns(UserWarning, match="sweep 10: the stimulus 'I10' was found by the number in its name"):
        assert read(path, 10).I.max() == pytest.approx(550.0)


def test_several_stimuli_that_nothing_tells_apart_are_listed(tmp_path):
    path = nwb_file(
        tmp_path / "cell.nwb", [{"V": {**V, "name": "V"}, "I": I}, {"I": {"data": 2 * AMPERES, "starting_time": 0.0}}]
    )
    with pytest.raises(
        ValueError, match=r"cell\.nwb, sweep 0: several commands are currents: 'I0', 'I1'; choose one by current="
    ):
        read(path)
    assert read(path, current="I1").I.max() == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("sweeps", "options"),
    [
        ([{"V": V}], {}),
        ([{"V": V}], {"table": True}),
        ([{"V": {**V, "sweep_number": np.uint32(1)}, "I": {**I, "sweep_number": np.uint32(2)}}], {}),
        ([{"V": V, "I": {**I, "electrode": 1}}], {"electrodes": 2}),
    ],
)
def test_without_a_stimulus_there_is_v_and_the_current_is_asked_for(tmp_path, sweeps, options):
    path = nwb_file(tmp_path / "cell.nwb", sweeps, **options)
    trace = read(path)
    np.testing.assert_allclose(trace.V, VOLTS * 1e3)
    with pytest.raises(
        ValueError, match=r"cell\.nwb, sweep 0: no protocol in this file: give the current yourself"
    ):
        _ = trace.I
    assert read(path, current=0.0).I.tolist() == [0.0] * 100


def test_no_current_where_the_file_says_so(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V}], kind=IZeroClampSeries)
    assert read(path).I.tolist() == [0.0] * 100
    assert any("says that no current was injected" in note for note in choose(open_file(path)).notes)


def test_plain_time_series_are_taken_by_their_units(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [])
    with pynwb.NWBHDF5IO(path, "a") as io:
        nwb = io.read()
        for name, data, unit in (
            ("Vm", VOLTS * 1e3, "millivolts"),
            ("Im", AMPERES * 1e9, "nanoampere"),
            ("T", VOLTS, "°C"),
        ):
            nwb.add_acquisition(pynwb.TimeSeries(name=name, data=data, unit=unit, rate=10_000.0, starting_time=1.0))
        io.write(nwb, cache_spec=False)
    trace = read(path)
    np.testing.assert_allclose(trace.V, VOLTS * 1e3)
    np.testing.assert_allclose(trace.I, AMPERES * 1e12)
    assert (trace.start, trace.stop) == (pytest.approx(2.0), pytest.approx(7.0))
    said = choose(open_file(path)).notes
    assert any("V is a TimeSeries in a unit of voltage" in note for note in said) and any(
        "'Im', which was recorded" in note for note in said
    )


def test_columns_of_a_series_are_channels(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [])
    with pynwb.NWBHDF5IO(path, "a") as io:
        nwb = io.read()
        two = np.column_stack([VOLTS, 2 * VOLTS])
        nwb.add_acquisition(pynwb.TimeSeries(name="Vm", data=two, unit="volts", rate=10_000.0, starting_time=0.0))
        io.write(nwb, cache_spec=False)
    np.testing.assert_allclose(read(path).V, VOLTS * 1e3)
    np.testing.assert_allclose(read(path, channel="Vm[1]").V, 2e3 * VOLTS)
    with h5py.File(path, "a") as file:
        file["acquisition/Vm/channel_conversion"] = [1.0, 0.5]
    np.testing.assert_allclose(read(path, channel=1).V, 1e3 * VOLTS)


def test_series_in_a_processing_module_where_nothing_was_acquired(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    with h5py.File(path, "a") as file:
        file.create_group("processing/icephys/container")
        file.move("acquisition/V0", "processing/icephys/container/V0")
    contents = open_file(path)
    assert contents.notes == ("V is in a processing module, not among what was acquired",)
    assert read(path).I.max() == pytest.approx(50.0)


# ---- Stimuli that do not fit V sample by sample


@pytest.mark.parametrize(
    ("data", "start", "held", "covered"),
    [
        (np.full(50, 5e-11), 2e-3, 0.0, (20, 70)),  # the pulse alone
        (np.r_[np.zeros(20), np.full(50, 5e-11)], 0.0, 0.0, (0, 70)),  # cut off at the end of the pulse
        (np.r_[[-2e-11] * 5, [5e-11] * 40, [-2e-11] * 5], 1e-3, -20.0, (10, 60)),  # on top of a holding current
        (np.r_[AMPERES, AMPERES], -5e-3, 0.0, (0, 100)),  # begins before V, ends after it
    ],
)
def test_a_stimulus_that_covers_a_part_is_completed_by_what_is_held(tmp_path, data, start, held, covered):
    path = nwb_file(
        tmp_path / "cell.nwb", [{"V": {**V, "starting_time": 8.0}, "I": {"data": data, "starting_time": 8.0 + start}}]
    )
    first = max(0, -round(start * 1e4))
    expected = np.full(100, held)
    expected[covered[0] : covered[1]] = data[first : first + covered[1] - covered[0]] * 1e12
    if covered == (0, 100):
        trace = read(path)
    else:
        with pytest.warns(
            UserWarning, match=rf"covers .* of the sweep: outside, I is the level that is held, {held:g} pA"
        ):
            trace = read(path)
    np.testing.assert_allclose(trace.I, expected, atol=1e-9)


def test_a_stimulus_of_another_clock_begins_with_v(tmp_path):
    path = nwb_file(
        tmp_path / "cell.nwb",
        [
            {
                "V": {**V, "sweep_number": np.uint32(1), "starting_time": 50.0},
                "I": {**I, "sweep_number": np.uint32(1), "starting_time": 0.0},
            }
        ],
    )
    with pytest.warns(UserWarning, match="'I0' and 'V0' have no time in common: taken to begin together"):
        np.testing.assert_allclose(read(path).I, AMPERES * 1e12)


@pytest.mark.parametrize(
    ("rate", "edges"),
    [(5_000.0, (10, 35)), (20_000.0, (40, 140)), (4_000.0, (8, 28)), (15_000.0, (30, 105))],  # 2 to 7 ms of 10 ms
)
def test_a_stimulus_at_another_rate_is_held_between_its_samples(tmp_path, rate, edges):
    data = np.zeros(round(rate / 100))
    data[edges[0] : edges[1]] = 5e-11
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": {"data": data, "rate": rate}}])
    with pytest.warns(UserWarning, match=rf"sampled at {rate:g} Hz, V at 10000 Hz: its values were held"):
        trace = read(path)
    np.testing.assert_allclose(trace.I, AMPERES * 1e12)


def test_a_stimulus_whose_edges_lie_between_samples_is_not_taken(tmp_path):
    data = np.zeros(200)
    data[41:140] = 5e-11
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": {"data": data, "rate": 20_000.0}}])
    np.testing.assert_allclose(read(path, current="unknown").V, VOLTS * 1e3)
    said = r"at 20000 Hz, V at 10000 Hz, and the change at 2\.05 ms lies between two samples of V.* [Gg]ive the current"
    with pytest.raises(ValueError, match=said):
        _ = read(path).I


# ---- Ends, units, plausibility


@pytest.mark.parametrize("fill", [np.nan, 0.0])
def test_what_fills_up_a_stopped_sweep_is_cut_off(tmp_path, fill):
    volts, amperes = np.tile(VOLTS, 4), np.tile(AMPERES, 4)
    volts[230:] = fill
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {"data": volts}, "I": {"data": amperes}}])
    with pytest.warns(UserWarning, match="sweep 0: V0 is .* from 23 ms on.*cut off"):
        trace = read(path)
    np.testing.assert_allclose(trace.V, volts[:230] * 1e3)
    np.testing.assert_allclose(trace.I, amperes[:230] * 1e12)


def test_a_stimulus_that_ends_early_cuts_the_sweep(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": {"data": np.r_[AMPERES[:80], [np.nan] * 20]}}])
    with pytest.warns(UserWarning, match="sweep 0: I0 is not a number from 8 ms on: the sweep was cut off there"):
        assert len(read(path).V) == 80


@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        (
            [{"V": {"data": VOLTS * 1e3}, "I": I}],
            r"V reaches ±\d+.* mV; allowed: up to 1000 mV. .*units=\{'V': 'mV'\} makes it 66 mV",
        ),
        ([{"V": {**V, "conversion": 1e-3}, "I": I}], r"V stays within ±0\.066 mV.*units=\{'V': 1000\} multiplies"),
        (
            [{"V": V, "I": {"data": AMPERES * 1e12}}],
            r"I0 reaches 5e\+13 pA, which no cell.*units=\{'I': 'pA'\} makes it 50 pA",
        ),
        ([{"V": V, "I": {**I, "conversion": 1e-12}}], r"I0 reaches 5e-11 pA.*units=\{'I': 1e\+12\} multiplies"),
        ([{"V": {"data": np.where(VOLTS > -0.0645, np.nan, VOLTS)}, "I": I}], "V0 is nan at sample"),
        ([{"V": {"data": VOLTS * np.nan}, "I": I}], "V0 is nan at sample 0"),
        ([{"V": {"data": VOLTS[:1]}, "I": {"data": AMPERES[:1]}}], "V0 has 1 samples; needed: at least 2"),
        ([{"V": {**V, "timestamps": np.arange(100) ** 2 / 1e4}, "I": I}], "sample .*: t goes from"),
        ([{"V": {**V, "timestamps": np.zeros(100)}, "I": I}], "V0 cannot be read: its timestamps do not increase"),
        ([{"I": I}], "contains no CurrentClampSeries; it contains CurrentClampStimulusSeries"),
    ],
)
def test_bad_files(tmp_path, sweeps, message):
    path = nwb_file(tmp_path / "cell.nwb", sweeps)
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith("cell.nwb")


def test_times_that_are_not_as_many_as_samples(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {**V, "timestamps": np.arange(100) / 1e4}, "I": I}])
    with h5py.File(path, "a") as file:
        del file["acquisition/V0/timestamps"]
        file["acquisition/V0/timestamps"] = np.arange(99) / 1e4
    with pytest.raises(ValueError, match=r"cell\.nwb: V0 cannot be read: it has 100 samples but 99 timestamps"):
        read(path)


def test_what_a_message_proposes_helps(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {**V, "conversion": 1e-3}, "I": {"data": AMPERES * 1e12}}])
    trace = read(path, units={"V0": 1000, "I0": "pA"})
    np.testing.assert_allclose(trace.V, VOLTS * 1e3)
    np.testing.assert_allclose(trace.I, AMPERES * 1e12)


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1.0), ("volt", 1e3), ("Volts", 1e3), ("V", 1e3), ("millivolts", 1.0)]
)
def test_the_unit_in_the_file_counts(tmp_path, unit, factor):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {"data": VOLTS * 1e3 / factor}, "I": I}])
    with h5py.File(path, "a") as file:
        file["acquisition/V0/data"].attrs["unit"] = unit
        file["stimulus/presentation/I0/data"].attrs["unit"] = "Amps"
    trace = read(path)
    np.testing.assert_allclose(trace.V, VOLTS * 1e3)
    assert trace.I.max() == pytest.approx(50.0)


def test_bias_current_is_named(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {**V, "bias_current": -2e-11}, "I": I}])
    with pytest.warns(UserWarning, match=r"cell\.nwb, sweep 0: a bias current of -20 pA is not part of I"):
        read(path)


# ---- Other kinds of file


def test_voltage_clamp_is_refused(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": {"data": AMPERES}}], kind=VoltageClampSeries)
    with pytest.raises(ValueError, match=r"cell\.nwb is a voltage-clamp recording"):
        read(path)
    with pytest.raises(ValueError, match=r"cell\.nwb is a voltage-clamp recording"):
        number_of_sweeps(path)


def test_other_versions_and_other_hdf5_files_are_named(tmp_path):
    path = tmp_path / "cell.nwb"
    for content in ({"nwb_version": b"NWB-1.0.5"}, {"nwb_version": [b"NWB-1.0.2"]}):
        with h5py.File(path, "w") as file:
            file.update(content)
        with pytest.raises(ValueError, match=r"cell\.nwb is an NWB 1 file \(NWB-1\.0\.\d\), .*allensdk.*\.csv"):
            read(path)
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "3.0.0"
    with pytest.raises(ValueError, match=r"cell\.nwb cannot be read as NWB: it is version 3\.0\.0; NWB 2 is read"):
        read(path)
    with h5py.File(path, "w") as file:
        file["data"] = [1.0]
    with pytest.raises(ValueError, match=r"cell\.nwb cannot be read as NWB: it is an HDF5 file, but names no version"):
        read(path)


def test_attributes_written_as_arrays_of_one_are_read(tmp_path):
    """Igor's programs, MIES among them, write each attribute so."""
    path = nwb_file(
        tmp_path / "cell.nwb", [{"V": {**V, "sweep_number": np.uint32(3)}, "I": {**I, "sweep_number": np.uint32(3)}}]
    )
    with h5py.File(path, "a") as file:
        file.attrs["nwb_version"] = np.array([b"2.2.4"])
        for name in ("acquisition/V0", "stimulus/presentation/I0"):
            for item in (file[name], file[name]["data"], file[name]["starting_time"]):
                for key, value in item.attrs.items():
                    item.attrs[key] = np.array([value.encode() if isinstance(value, str) else value])
    assert read(path).I.max() == pytest.approx(50.0)


# ---- Other files


def linked(folder, how):
    """A file whose V lies in another file."""
    path = nwb_file(folder / "cell.nwb", [{"V": V, "I": I}])
    with h5py.File(path, "a") as file:
        data = file["acquisition/V0/data"]
        unit, samples = dict(data.attrs), data[:]
        with h5py.File(folder / "other.h5", "w") as other:
            other["V"] = samples
        del file["acquisition/V0/data"]
        if how == "external link":
            file["acquisition/V0/data"] = h5py.ExternalLink("other.h5", "V")
        elif how == "soft link to one":
            file["far"] = h5py.ExternalLink("other.h5", "V")
            file["acquisition/V0/data"] = h5py.SoftLink("/far")
        elif how == "virtual dataset":
            layout = h5py.VirtualLayout((100,), float)
            layout[:] = h5py.VirtualSource("other.h5", "V", (100,))
            file.create_virtual_dataset("acquisition/V0/data", layout).attrs.update(unit)
        else:
            samples.tofile(folder / "samples.raw")
            made = file.create_dataset("acquisition/V0/data", (100,), float, external=[("samples.raw", 0, 800)])
            made.attrs.update(unit)
    return path


@pytest.mark.parametrize("how", ["external link", "soft link to one", "virtual dataset", "external storage"])
def test_no_other_file_is_opened(tmp_path, how):
    path = linked(tmp_path, how)
    with pytest.raises(ValueError, match=r"cell\.nwb: V0 cannot be read: its samples lie in another file"):
        read(path)


def test_links_within_the_file_are_followed(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}, {"V": V, "I": I}])
    with h5py.File(path, "a") as file:
        file.move("stimulus/presentation/I1", "stimulus/templates/I1")
        file["stimulus/presentation/I1"] = h5py.SoftLink("/stimulus/templates/I1")
        del file["acquisition/V1/data"]
        file["acquisition/V1/data"] = h5py.SoftLink("/acquisition/V0/data")
        file["acquisition/loop"] = h5py.SoftLink("/acquisition/loop")
    trace = read(path, "V1")
    np.testing.assert_allclose(trace.V, VOLTS * 1e3)
    assert trace.I.max() == pytest.approx(50.0)


# ---- Many sweeps


def test_protocols_are_told_apart_by_what_the_file_calls_them(tmp_path):
    sweeps = [
        {key: {**data, "sweep_number": np.uint32(k), "stimulus_description": name + f"_DA_{k}"} for key, data in VI}
        for k, name in enumerate(["LongSquare", "Ramp", "Ramp"] * 2 + ["LongSquare"])
    ]
    contents = open_file(nwb_file(tmp_path / "cell.nwb", sweeps))
    assert list(contents.alike(0)) == [0, 3, 6] and list(contents.alike(1)) == [1, 2, 4, 5]


def test_one_sweep_of_many_is_read_without_the_others(tmp_path, monkeypatch):
    """Neither V of another sweep is read, nor the stimuli of all: so many that the main step shows, 12."""
    t, sweeps = np.arange(100), []
    for k in range(40):
        pulses = np.where((t >= 5) & (t < 10), -2e-11, 0.0) + np.where((t >= 20) & (t < 70), 1e-12 * (k + 1), 0.0)
        sweeps.append({"V": {**V, "sweep_number": np.uint32(k)}, "I": {"data": pulses, "sweep_number": np.uint32(k)}})
    path, seen = nwb_file(tmp_path / "cell.nwb", sweeps), []
    import helpers.recordings.nwb_series as series

    whole = series.read_samples
    monkeypatch.setattr(
        series, "read_samples", lambda path, one, dataset: seen.append(dataset) or whole(path, one, dataset)
    )
    trace = read(path, 17)
    assert (trace.start, trace.stop) == (pytest.approx(2.0), pytest.approx(7.0))
    assert sum("acquisition" in name for name in seen) == 1
    assert sum("stimulus" in name for name in seen) <= 13


def test_a_file_that_changed_since_it_was_opened_is_not_mixed_up(tmp_path):
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    contents = open_file(path)
    nwb_file(path, [{"V": {"data": np.tile(VOLTS, 2)}, "I": {"data": np.tile(AMPERES, 2)}}])
    with pytest.raises(ValueError, match=r"cell\.nwb has changed since it was opened; open it again"):
        contents.sweep(0)
    assert len(read(path).V) == 200


# ---- Damage


def test_files_read_on_several_threads_get_their_own_answers(tmp_path):
    """One process examines the files of all threads: an answer must not reach the thread that asked about another."""
    whole = nwb_file(tmp_path / "0.nwb", [{"V": V, "I": I}]).read_bytes()
    paths = [tmp_path / f"{number}.nwb" for number in range(40)]
    for number, path in enumerate(paths):
        path.write_bytes(whole if number % 2 == 0 else whole[:1000])

    def is_whole(path):
        try:
            with open_hdf5(path):
                return True
        except ValueError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(is_whole, paths)) == [number % 2 == 0 for number in range(40)]


def test_a_file_that_is_repaired_in_place_is_read(tmp_path):
    """HDF5 answers from a file that stayed open after it was refused, even if it has been overwritten since."""
    path = nwb_file(tmp_path / "cell.nwb", [{"V": V, "I": I}])
    whole = path.read_bytes()
    version = re.findall(rb"\d\.\d+\.\d", whole)
    path.write_bytes(whole.replace(version[0], b"9" + version[0][1:]))
    with pytest.raises(ValueError, match=r"cell\.nwb cannot be read as NWB"):
        number_of_sweeps(path)
    path.write_bytes(whole)
    assert number_of_sweeps(path) == 1
    assert not any("cell.nwb" in os.readlink(f"/proc/self/fd/{fd}") for fd in descriptors())


def descriptors():
    """The open files of this process, where the system shows them."""
    folder = "/proc/self/fd"
    return [fd for fd in os.listdir(folder) if os.path.exists(f"{folder}/{fd}")] if os.path.isdir(folder) else []


def test_sweeps_and_damage_are_named(tmp_path):
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
