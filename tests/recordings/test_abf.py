"""Axon Binary Format: what the inputs recorded, and the command as the header describes it, in both versions.

Small files are written by the tests from one description for both versions (support.abf_files). pyabf, an independent
reader, is asked for the samples, and for the commands that it gets right.
"""

import struct
import warnings

import numpy as np
import pyabf
import pytest
from support.abf_files import COUNT, Out, abf_file

from helpers.recordings.abf import STIMULI, open_abf
from helpers.recordings.published import RECORDINGS
from helpers.recordings.reading import number_of_sweeps, read
from helpers.recordings.voltage_clamp import read_family

N = 1280  # samples in a sweep: 20 at the holding level at either end
EDGE = N // 64
VERSIONS = pytest.mark.parametrize("version", [1, 2])


def V_at(level=-65.0, n=N, width=1):
    return np.full((n, width), level)


def step_epochs(level=100.0, level_step=0.0, duration=400, duration_step=0):
    """200 samples of nothing and a step."""
    return [(1, 0.0, 0.0, 200, 0, 0, 0), (1, level, level_step, duration, duration_step, 0, 0)]


def commands(path, number=0):
    """What an output was told in each sweep."""
    contents = open_abf(path)
    sweeps = [contents.sweep(k).commanded for k in range(contents.n_sweeps)]
    chosen = [next(x for x in sweep if x.number == number and not x.on_request) for sweep in sweeps]
    assert not any(x.why for x in chosen), chosen[0].why
    return np.array([x.load() for x in chosen])


def why(path, number=0, sweep=0):
    """Why the command of an output is not known."""
    return next(x for x in open_abf(path).sweep(sweep).commanded if x.number == number and not x.on_request).why


def expected(*parts, holding=0.0, end=None, start=None):
    """A sweep of levels: (samples, level or array) each, between the edges."""
    I = np.full(N, holding if end is None else end, dtype=float)
    I[:EDGE] = holding if start is None else start
    at = EDGE
    for n, level in parts:
        I[at : at + n] = level
        at += n
    return I


# ---- samples


@VERSIONS
@pytest.mark.parametrize("floats", [False, True])
def test_samples_agree_with_pyabf(tmp_path, version, floats):
    rng = np.random.default_rng(1)
    sweeps = [rng.normal(-60.0, 5.0, (N, 2)) for _ in range(3)]
    inputs = (("Vm", "mV"), ("Im", "pA"))
    gains = None if floats else (2.0, 5.0)
    outs = [Out(), Out("Cmd 1", "mV")]
    path = abf_file(tmp_path / "a.abf", version, sweeps, outs, inputs, gains=gains, floats=floats)
    contents = open_abf(path)
    assert (contents.n_sweeps, contents.format) == (3, f"Axon Binary Format {version}")
    for k, sweep in enumerate(sweeps):
        found = contents.sweep(k)
        np.testing.assert_allclose(found.t, 0.1 * np.arange(N))
        assert [(x.name, x.unit, x.number) for x in found.recorded] == [("Vm", "mV", 0), ("Im", "pA", 1)]
        for channel, signal in enumerate(found.recorded):
            step = 1e-5 if floats else COUNT / gains[channel]  # a telegraphed gain makes the counts finer
            np.testing.assert_allclose(signal.load(), sweep[:, channel], atol=0.51 * step)
    if version == 1 and floats:
        return  # pyabf does not read these
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pyabf.ABF(path)
        for channel in range(2):
            other.setSweep(2, channel=channel)
            np.testing.assert_allclose(contents.sweep(2).recorded[channel].load(), other.sweepY, rtol=1e-5)


def test_real_voltage_agrees_with_the_file(recordings):
    path = recordings / RECORDINGS["regular_spiking"].file
    raw = np.fromfile(path, np.int16, count=17 * 60_000, offset=6656).reshape(17, 60_000)
    # 16 bits over ±10 V behind a gain of 10 mV of output for each mV: 20 V / 65536 / 0.01 V/mV
    for sweep in (0, 11, 16):
        np.testing.assert_allclose(read(path, sweep).V, raw[sweep] * 20.0 / 65536 / 0.01, rtol=1e-6)


@VERSIONS
def test_sweeps_of_different_lengths(tmp_path, version):
    sweeps = [V_at(-60.0 - k, n) for k, n in enumerate((300, 1280, 77))]
    path = abf_file(tmp_path / "a.abf", version, sweeps, [Out(epochs=step_epochs())], mode=1)
    assert number_of_sweeps(path) == 3
    for k, sweep in enumerate(sweeps):
        trace = read(path, k)
        assert len(trace.t) == len(sweep) and trace.V[0] == pytest.approx(-60.0 - k, abs=COUNT)
        assert (trace.I == 0.0).all(), "events are recorded without a waveform"


@VERSIONS
def test_without_a_list_of_lengths_sweeps_are_equal(tmp_path, version):
    sweeps = [V_at(-60.0 - k) for k in range(3)]
    path = abf_file(tmp_path / "a.abf", version, sweeps, [Out()], synchronised=False)
    assert [read(path, k).V[5] for k in range(3)] == pytest.approx([-60.0, -61.0, -62.0], abs=COUNT)


@pytest.mark.parametrize("pad", [20, 24, 28])
def test_names_stand_at_the_end_of_their_section(tmp_path, pad):
    path = abf_file(tmp_path / "a.abf", 2, [V_at()], [Out("µ out", "µA")], (("Vm µ", "mV"),), strings_pad=pad)
    found = open_abf(path).sweep(0)
    assert (found.recorded[0].name, found.commanded[0].name, found.commanded[0].unit) == ("Vm µ", "µ out", "µA")


# ---- epochs


@VERSIONS
def test_increments_of_level_and_duration(tmp_path, version):
    out = Out(holding=-20.0, epochs=step_epochs(50.0, 25.0, 300, 40))
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 3, [out])
    wanted = [expected((200, 0.0), (300 + 40 * k, 50.0 + 25.0 * k), holding=-20.0) for k in range(3)]
    np.testing.assert_array_equal(commands(path), wanted)
    np.testing.assert_array_equal(read(path, 2).I, wanted[2])
    assert (read(path, 1).start, read(path, 1).stop) == pytest.approx((22.0, 56.0))


SHAPES = {  # kind, period, width: one period of an epoch that starts from 10 and goes to 60
    "pulses": (3, 8, 3, [60, 60, 60, 10, 10, 10, 10, 10]),
    "triangles": (4, 8, 2, [10, 35, 60, 60 - 50 / 6, 60 - 100 / 6, 35, 60 - 200 / 6, 60 - 250 / 6]),
    "cosines": (5, 8, 3, 10 + 50 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8))),
    "biphasic": (7, 8, 4, [60, 60, -40, -40, 10, 10, 10, 10]),
}


@VERSIONS
@pytest.mark.parametrize("shape", SHAPES)
def test_trains_start_from_the_level_before_them(tmp_path, version, shape):
    kind, period, width, wave = SHAPES[shape]
    epochs = [(1, 10.0, 0.0, 100, 0, 0, 0), None, (kind, 60.0, 0.0, 82, 0, period, width), (2, 0.0, 0.0, 10, 0, 0, 0)]
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=epochs)])
    train = np.concatenate([np.tile(wave, 10), [10, 10]])  # a pulse that does not fit at the end is left out
    ramp = 60.0 - 6.0 * np.arange(1, 11)  # from the level of the train
    np.testing.assert_allclose(commands(path)[0], expected((100, 10.0), (82, train), (10, ramp)), atol=1e-12)


@VERSIONS
def test_a_last_pulse_that_fits_is_kept(tmp_path, version):
    epochs = [(3, 60.0, 0.0, 19, 0, 8, 3)]
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=epochs)])
    assert commands(path)[0, EDGE : EDGE + 19].tolist() == 2 * [60, 60, 60, 0, 0, 0, 0, 0] + [60, 60, 60]


@VERSIONS
def test_a_ramp_ends_at_its_level(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(holding=10.0, epochs=[(2, 60.0, 0.0, 100, 0, 0, 0)])])
    I = commands(path)[0]
    np.testing.assert_allclose(I[EDGE : EDGE + 100], 10.0 + 0.5 * np.arange(1, 101))
    assert set(I[EDGE + 100 :]) == {10.0}


@VERSIONS
def test_two_inputs_are_sampled_in_turn_and_the_first_counts(tmp_path, version):
    """An output changes with each input: a ramp of 100 samples takes 200 values, every other one at V."""
    inputs = (("IN 0", "mV"), ("IN 1", "mV"))
    out = Out(epochs=[(2, 100.0, 0.0, 100, 0, 0, 0), (7, 200.0, 0.0, 40, 0, 20, 5)])
    path = abf_file(tmp_path / "a.abf", version, [V_at(width=2)], [out], inputs)
    I = commands(path)[0]
    np.testing.assert_allclose(I[EDGE : EDGE + 100], (2 * np.arange(100) + 1) / 2)
    assert I[EDGE + 100 : EDGE + 106].tolist() == [200, 200, 200, 0, 0, 100]  # 5 of 10 values each way


@VERSIONS
def test_between_sweeps_the_last_level_is_kept(tmp_path, version):
    out = Out(holding=5.0, keeps=True, epochs=[(1, 40.0, 10.0, 300, 0, 0, 0)])
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 3, [out])
    wanted = [expected((300, 40 + 10 * k), start=(5, 40, 50)[k], end=40 + 10 * k) for k in range(3)]
    np.testing.assert_array_equal(commands(path), wanted)


@VERSIONS
def test_outputs_that_take_turns(tmp_path, version):
    outs = [Out("Cmd 0", holding=1.0, epochs=step_epochs(100.0)), Out("Cmd 1", holding=2.0, epochs=step_epochs(200.0))]
    inputs = (("IN 0", "mV"), ("IN 1", "mV"))
    path = abf_file(tmp_path / "a.abf", version, [V_at(width=2)] * 2, outs, inputs, alternating=True)
    first, second = (expected((200, 0.0), (400, level), holding=h) for level, h in ((100.0, 1.0), (200.0, 2.0)))
    np.testing.assert_array_equal(commands(path, 0), [first, np.full(N, 1.0)])
    np.testing.assert_array_equal(commands(path, 1), [np.full(N, 2.0), second])
    np.testing.assert_array_equal(read(path, 0, channel=0).I, first)
    np.testing.assert_array_equal(read(path, 1, channel="IN 1").I, second)


@VERSIONS
@pytest.mark.parametrize("mode", [2, 3, 4])
def test_waveforms_are_output_in_episodic_mode_only(tmp_path, version, mode):
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 2, [Out(holding=-30.0, epochs=step_epochs())], mode=mode)
    contents = open_abf(path)
    assert contents.n_sweeps == (1 if mode == 3 else 2), "a gap-free recording is one sweep"
    assert set(read(path).I) == {-30.0}
    assert any("not output in this mode" in note for note in contents.notes)


@VERSIONS
def test_a_holding_level_changed_by_hand_is_not_guessed(tmp_path, version):
    outs = [Out(holding=-30.0)]
    path = abf_file(tmp_path / "a.abf", version, [V_at()], outs, mode=3, changes=[(40, 4, 0.0)])
    assert set(read(path).I) == {-30.0}, "4 are the digital outputs"
    abf_file(path, version, [V_at()], outs, mode=3, changes=[(40, 4, 0.0), (50, 0, -60.0)])
    with pytest.raises(ValueError, match=r"a.abf, sweep 0: Cmd 0: its holding level was changed by hand.*current="):
        read(path)
    assert not read(path, current="unknown").has_current


@VERSIONS
def test_after_a_conditioning_train(tmp_path, version):
    out = Out(holding=5.0, epochs=step_epochs(), conditioned=(10.0, -7.0))
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [out])
    np.testing.assert_array_equal(commands(path)[0], expected((200, 0.0), (400, 100.0), holding=5.0, start=-7.0))
    with pytest.warns(UserWarning, match="a.abf, sweep 0: a conditioning train of 'Cmd 0' came before each sweep"):
        read(path)


@VERSIONS
def test_averages_are_said(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=step_epochs())], runs=5)
    with pytest.warns(UserWarning, match="a.abf, sweep 0: each sweep is the average of 5 runs"):
        read(path)


@VERSIONS
def test_leak_subtraction_is_said(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=step_epochs(), leak=True)])
    with pytest.warns(UserWarning, match="P/N leak subtraction was on for 'Cmd 0'"):
        read(path)


@VERSIONS
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epochs": [(6, 60.0, 0.0, 100, 0, 0, 0)]}, "epoch A is of kind 6"),
        ({"epochs": [None, (3, 60.0, 0.0, 100, 0, 0, 0)]}, "epoch B is a train with a period of 0 samples"),
        ({"epochs": step_epochs(duration=N)}, "the epochs up to B are longer than the sweep"),
        ({"epochs": step_epochs(level=np.nan)}, "one of its levels is nan"),
        ({"holding": 1e30}, r"one of its levels is 1e\+30"),
        ({"source": 0}, "had a waveform, but does not describe it"),
        ({"source": 2}, "a stimulus file that the header does not name"),
    ],
)
def test_what_the_header_says_and_cannot_be_followed_is_refused(tmp_path, version, change, reason):
    out = Out(**{"epochs": step_epochs(), **change})
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 2, [out])
    with pytest.raises(ValueError, match=rf"a\.abf, sweep 0: Cmd 0: .*{reason}.*current='unknown' reads V alone"):
        read(path)
    assert not read(path, current="unknown").has_current


@VERSIONS
def test_sweeps_that_the_protocol_does_not_have(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 3, [Out(epochs=step_epochs())], planned=2)
    assert read(path, 1).I.max() == 100.0
    with pytest.raises(ValueError, match="sweep 2: Cmd 0: the protocol has 2 sweeps; this one was added later"):
        read(path, 2)


def test_version_1_describes_two_waveforms(tmp_path):
    inputs = tuple((f"IN {k}", "mV") for k in range(3))
    outs = [Out(f"Cmd {k}", epochs=step_epochs(10.0 * k)) for k in range(3)]
    path = abf_file(tmp_path / "a.abf", 1, [V_at(width=3)], outs, inputs)
    assert read(path, channel=1).I.max() == 10.0
    with pytest.raises(ValueError, match="Cmd 2: ABF version 1 describes the waveforms of the first two outputs only"):
        read(path, channel=2)
    abf_file(path, 2, [V_at(width=3)], outs, inputs)
    assert read(path, channel=2).I.max() == 20.0


# ---- user lists

LISTS = {  # parameter, list, and the epochs (duration, level) of three sweeps
    "level": (22, "5, -10.5", [[(200, 0), (400, 5)], [(200, 0), (400, -10.5)], [(200, 0), (400, -10.5)]]),
    "duration": (32, "10,20,30,", [[(200, 0), (n, 100)] for n in (10, 20, 30)]),
}


@VERSIONS
@pytest.mark.parametrize("name", LISTS)
def test_user_lists(tmp_path, version, name):
    code, text, parts = LISTS[name]
    out = Out(holding=1.0, epochs=step_epochs(level_step=7.0, duration_step=9))
    if name == "level":
        out.epochs = step_epochs(level_step=7.0)
    else:
        out.epochs = step_epochs(duration_step=9)
    path = abf_file(tmp_path / "a.abf", version, [V_at()] * 3, [out], lists=[(0, code, text, False)])
    np.testing.assert_array_equal(commands(path), [expected(*part, holding=1.0) for part in parts])
    assert any(f"a user list gives the {name} of epoch B of output 0: {text}" in note for note in open_abf(path).notes)


@VERSIONS
def test_a_user_list_that_repeats(tmp_path, version):
    path = abf_file(
        tmp_path / "a.abf", version, [V_at()] * 5, [Out(epochs=step_epochs())], lists=[(0, 22, "1 2", True)]
    )
    assert commands(path)[:, EDGE + 300].tolist() == [1, 2, 1, 2, 1]


@VERSIONS
def test_user_lists_of_trains_and_of_the_other_output(tmp_path, version):
    train = [(3, 100.0, 0.0, 400, 0, 40, 10)]
    inputs = (("IN 0", "mV"), ("IN 1", "mV"))
    outs = [Out(epochs=train), Out("Cmd 1", holding=3.0)]
    sweeps = [V_at(width=2)] * 2
    path = abf_file(tmp_path / "a.abf", version, sweeps, outs, inputs, lists=[(0, 41, "20,10", False)])
    assert [(np.diff(I) > 0).sum() for I in commands(path)] == [20, 1], "period 10, width 10: one long pulse"
    abf_file(path, version, sweeps, outs, inputs, lists=[(0, 51, "4,8", False)])
    assert [(I > 0).sum() for I in commands(path)] == [40, 80]
    abf_file(path, version, sweeps, outs, inputs, lists=[(0, 8, "-50,-60", False)])
    assert [set(I) for I in commands(path, 1)] == [{-50.0}, {-60.0}]
    assert [I.max() for I in commands(path)] == [100.0, 100.0]


def test_more_epochs_in_newer_files(tmp_path):
    """From version 2.9 on there may be 50 epochs: the numbers of the parameters are others."""
    path = abf_file(tmp_path / "a.abf", 2, [V_at()] * 2, [Out(epochs=step_epochs())], lists=[(0, 62, "7,8", False)])
    data = bytearray(path.read_bytes())
    data[6] = 9
    path.write_bytes(data)
    assert commands(path)[:, EDGE + 300].tolist() == [7, 8]


@VERSIONS
@pytest.mark.parametrize("code", [7, 9, 10, 12])
def test_user_lists_that_do_not_change_the_command(tmp_path, version, code):
    lists = [(0, code, "1*01", False)]
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=step_epochs())], lists=lists)
    np.testing.assert_array_equal(commands(path)[0], expected((200, 0.0), (400, 100.0)))


@VERSIONS
@pytest.mark.parametrize("text", ["", "1, two", "nan"])
def test_a_user_list_that_cannot_be_read_is_refused(tmp_path, version, text):
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=step_epochs())], lists=[(0, 22, text, False)])
    with pytest.raises(ValueError, match="Cmd 0: the user list of level cannot be read"):
        read(path)


# ---- stimulus files


def wave_files(tmp_path, version, *, name="C:\\far away\\Wave.ABF", copy=None, n=N, dt=0.1, sweeps=1, sweep=0):
    """A recording whose waveform is twice the file wave.abf, less 5, between the edges; and that wave."""
    waves = [10.0 * np.sin(np.arange(n) / 50.0 + k) for k in range(sweeps)]
    abf_file(tmp_path / "wave.abf", 2, waves, [Out("x", "mV")], (("IN 0", ""),), dt=dt, floats=True)
    out = Out(holding=1.0, source=2, file=(name, 2.0, -5.0, sweep), copy=copy)
    return abf_file(tmp_path / "a.abf", version, [V_at()] * 2, [out]), waves


@VERSIONS
def test_a_stimulus_file_next_to_the_recording_is_scaled(tmp_path, version, monkeypatch):
    path, (wave,) = wave_files(tmp_path, version)
    wanted = 2.0 * wave - 5.0
    wanted[:EDGE] = wanted[-EDGE:] = 1.0  # at the edges the output is at its holding level, whatever the file says
    for k in range(2):
        np.testing.assert_allclose(read(path, k).I, wanted, atol=1e-5)
    (tmp_path / "stimuli").mkdir()
    (tmp_path / "wave.abf").rename(tmp_path / "stimuli" / "wave.abf")
    message = rf"sweep 0: Cmd 0: .*stimulus file 'Wave\.ABF', which is not in {tmp_path}; .*{STIMULI}"
    with pytest.raises(ValueError, match=message):
        read(path)
    assert read(path, current=0.0).V[0] == pytest.approx(-65.0, abs=COUNT)
    monkeypatch.setenv(STIMULI, str(tmp_path / "stimuli"))
    np.testing.assert_allclose(read(path).I, wanted, atol=1e-5)


@VERSIONS
def test_no_path_of_a_header_is_followed(tmp_path, version):
    (tmp_path / "elsewhere").mkdir()
    path, _ = wave_files(tmp_path, version, name=str(tmp_path / "elsewhere" / "wave.abf"))
    (tmp_path / "wave.abf").rename(tmp_path / "elsewhere" / "wave.abf")
    with pytest.raises(ValueError, match=r"stimulus file 'wave\.abf', which is not in"):
        read(path)


@VERSIONS
def test_the_sweeps_of_a_stimulus_file(tmp_path, version):
    path, waves = wave_files(tmp_path, version, sweeps=2)
    for k in range(2):
        np.testing.assert_allclose(read(path, k).I[100:200], 2.0 * waves[k][100:200] - 5.0, atol=1e-5)
    path, waves = wave_files(tmp_path, version, sweeps=2, sweep=2)
    np.testing.assert_allclose(read(path, 0).I[100:200], 2.0 * waves[1][100:200] - 5.0, atol=1e-5)


def test_a_stimulus_file_of_text(tmp_path):
    path, _ = wave_files(tmp_path, 2, name="C:\\Wave.atf")
    waves = [10.0 * np.sin(np.arange(N) / 50.0 + k) for k in range(2)]
    rows = [f"{1e-4 * k:.4f}\t{a:.6f}\t{b:.6f}" for k, (a, b) in enumerate(zip(*waves, strict=True))]
    head = ["ATF\t1.0", "1\t3", '"AcquisitionMode=Episodic Stimulation"', '"Time (s)"\t"Trace #1"\t"Trace #2"']
    (tmp_path / "wave.atf").write_text("\r\n".join([*head, *rows, ""]))
    for k in range(2):
        np.testing.assert_allclose(read(path, k).I[100:200], 2.0 * waves[k][100:200] - 5.0, atol=1e-5)
    (tmp_path / "wave.atf").write_text("no table")
    with pytest.raises(ValueError, match=r"a\.abf, sweep 0: Cmd 0: .*wave\.atf"):
        read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n": 1000}, "has 1000 samples in a sweep, the recording 1280"),
        ({"dt": 0.2}, r"has a sample every 0\.2 ms, the recording every 0\.1 ms"),
        ({"sweep": 3}, "has 1 sweeps; needed: sweep 2"),
    ],
)
def test_a_stimulus_file_that_does_not_fit_is_refused(tmp_path, change, reason):
    path, _ = wave_files(tmp_path, 2, **change)
    with pytest.raises(ValueError, match=rf"a\.abf, sweep 0: Cmd 0: the stimulus file 'wave\.abf' {reason}"):
        read(path)


@VERSIONS
def test_the_copy_of_what_was_output(tmp_path, version):
    per_count = 10.0 / 32768 * 400.0
    wave = 20.0 * np.sin(np.arange(N) / 50.0) - 5.0
    wave[:EDGE] = wave[-EDGE:] = 1.0
    counts = np.rint(wave / per_count)
    path, _ = wave_files(tmp_path, version, copy=counts)
    np.testing.assert_allclose(read(path).I, wave, atol=1e-5)  # the stimulus file, which agrees: no warning
    (tmp_path / "wave.abf").unlink()
    with pytest.raises(ValueError, match=r"keeps a copy of what was output: current='Cmd 0 \(copy\)' takes it"):
        read(path)
    np.testing.assert_allclose(read(path, current="Cmd 0 (copy)").I, per_count * counts, atol=1e-9)
    path, _ = wave_files(tmp_path, version, copy=np.rint(0.5 * counts))
    (note,) = open_abf(path).sweep(0).notes  # the scale in the header is another: said, and no more
    assert "from the copy in the recording" in note and read(path).I.min() == pytest.approx(-25.0, abs=0.1)
    path, _ = wave_files(tmp_path, version, copy=np.roll(counts, 300))  # the file is another
    with pytest.warns(UserWarning, match=r"differs by up to [\d.]+ pA from the copy in the recording"):
        read(path)


# ---- which signals


@VERSIONS
def test_a_file_without_a_protocol_gives_V(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()])
    trace = read(path)
    assert trace.V[0] == pytest.approx(-65.0, abs=COUNT) and not trace.has_current
    with pytest.raises(ValueError, match="sweep 0: no protocol in this file: give the current yourself: current="):
        _ = trace.I
    assert set(read(path, current=0.0).I) == {0.0}


@VERSIONS
def test_wrong_units_are_named_by_the_caller(tmp_path, version):
    path = abf_file(tmp_path / "a.abf", version, [V_at()], [Out(epochs=step_epochs())], (("IN 0", "pA"),))
    with pytest.raises(ValueError, match=r"'IN 0' \(pA\); it commanded 'Cmd 0' \(pA\).*units=\{'IN 0': 'mV'\}"):
        read(path)
    assert read(path, units={"IN 0": "mV"}).V[0] == pytest.approx(-65.0, abs=COUNT)


PAIR = (("IN 0", "mV"), ("IN 1", "pA"))


@VERSIONS
def test_a_recorded_current_is_compared_with_the_command(tmp_path, version):
    I = expected((200, 0.0), (400, 100.0))
    rng = np.random.default_rng(0)
    both = np.column_stack([V_at(), I + rng.normal(0.0, 4.0, N)])
    outs = [Out(epochs=step_epochs()), Out("Cmd 1", "V", enabled=False)]
    path = abf_file(tmp_path / "a.abf", version, [both], outs, PAIR)
    np.testing.assert_array_equal(read(path).I, I)  # they agree: no warning
    np.testing.assert_allclose(read(path, current=1).I, both[:, 1], atol=COUNT)
    both[700:760, 1] += 40.0  # 6 ms, after the step
    abf_file(path, version, [both], outs, PAIR)
    with pytest.warns(UserWarning, match=r"recorded current 'IN 1' differs from the command by up to .* pA \(sample 7"):
        read(path)
    assert read(path, current="IN 1").I[730] == pytest.approx(both[730, 1], abs=COUNT)


@VERSIONS
def test_the_current_of_another_cell_under_voltage_clamp_is_not_compared(tmp_path, version):
    both = np.column_stack([V_at(), np.full(N, 250.0)])
    outs = [Out(epochs=step_epochs()), Out("Cmd 1", "mV", holding=-70.0, enabled=False)]
    path = abf_file(tmp_path / "a.abf", version, [both], outs, PAIR)
    assert read(path).I.max() == 100.0


@VERSIONS
def test_the_command_of_another_output(tmp_path, version):
    """One cell, stimulated through the second output: the first stays at its level, without a waveform."""
    inputs = (("IN 0", "mV"),)
    outs = [Out(enabled=False), Out("Cmd 1", "nA", epochs=step_epochs(0.2))]
    path = abf_file(tmp_path / "a.abf", version, [V_at()], outs, inputs)
    assert read(path).I.max() == pytest.approx(200.0, rel=1e-6)
    assert set(read(path, current="Cmd 0").I) == {0.0}


@VERSIONS
def test_voltage_clamp_is_refused(tmp_path, version):
    outs = [Out("Cmd 0", "mV", holding=-70.0, epochs=step_epochs(-20.0))]
    path = abf_file(tmp_path / "a.abf", version, [V_at(50.0)], outs, (("IN 0", "pA"),))
    with pytest.raises(ValueError, match=r"this is voltage clamp, .* 0: 'IN 0' \(pA\); it commanded 'Cmd 0' \(mV\)"):
        read(path)
    both = (("IN 0", "pA"), ("V command", "mV"))  # the command, recorded, is no membrane potential
    abf_file(path, version, [V_at(-70.0, width=2)], [*outs, Out("Cmd 1", "V", enabled=False)], both)
    with pytest.raises(ValueError, match="this is voltage clamp"):
        read(path)
    assert read(path, channel="V command", current=0.0).V[0] == pytest.approx(-70.0, abs=COUNT)


def test_a_trigger_in_volts_is_not_V(tmp_path):
    inputs = (("stim", "V"), ("Vm", "mV"))
    path = abf_file(tmp_path / "a.abf", 2, [V_at(width=2)], [Out(), Out("Cmd 1", "pA", epochs=step_epochs())], inputs)
    assert read(path).V[0] == pytest.approx(-65.0, abs=COUNT) and read(path).I.max() == 100.0


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


@pytest.mark.parametrize(
    ("units", "V", "I"),
    [(("mV", "pA"), 1.0, 1.0), (("V", "nA"), 1e3, 1e3), (("uV", "uA"), 1e-3, 1e6), (("\u00b5V", "A"), 1e-3, 1e12)],
)
def test_units_are_converted(tmp_path, units, V, I):
    level, current = -65.0 / V, 100.0 / I
    path = abf_file(
        tmp_path / "a.abf", 2, [V_at(level)], [Out(unit=units[1], epochs=step_epochs(current))], (("IN 0", units[0]),),
        floats=True,
    )  # fmt: skip
    trace = read(path)
    assert trace.V[0] == pytest.approx(-65.0, rel=1e-6) and trace.I.max() == pytest.approx(100.0, rel=1e-6)
    wrong = abf_file(tmp_path / "b.abf", 2, [V_at()], [Out()], (("IN 0", units[0]),), floats=True)
    if V != 1.0:
        message = r"V reaches ±[\d.]+ mV; allowed: up to 1000 mV" if V > 1.0 else r"V stays within ±0\.065 mV"
        with pytest.raises(ValueError, match=message + ".* Is its unit right\\?"):
            read(wrong)  # neither -65 V nor -65 µV is a membrane potential


# ---- families


@VERSIONS
def test_families_of_either_channel(tmp_path, version):
    inputs = (("IN 0", "pA"), ("IN 1", "nA"))
    outs = [
        Out("Cmd 0", "mV", holding=-80.0, epochs=[(1, -60.0, 10.0, 500, 0, 0, 0)]),
        Out("Cmd 1", "mV", holding=-90.0, epochs=[(1, -60.0, 20.0, 300, 0, 0, 0)]),
    ]
    path = abf_file(tmp_path / "a.abf", version, [V_at(3.0, width=2)] * 3, outs, inputs)
    first, second = read_family(path), read_family(path, channel="IN 1")
    assert (first.holding, second.holding) == (-80.0, -90.0)
    assert first.levels.tolist() == [-60.0, -50.0, -40.0] and second.levels.tolist() == [-60.0, -40.0, -20.0]
    assert (first.end, second.end) == pytest.approx((50.0, 30.0))
    np.testing.assert_allclose(1e3 * first.I, second.I)
    with pytest.raises(ValueError, match=r"a\.abf: channel = 2 is no recorded current; it recorded 0: 'IN 0' \(pA\)"):
        read_family(path, channel=2)
    outs[0].leak = True
    abf_file(path, version, [V_at(3.0, width=2)] * 3, outs, inputs)
    with pytest.warns(UserWarning, match=r"a\.abf: P/N leak subtraction was on for 'Cmd 0'"):
        read_family(path)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (Out("Cmd 0", "mV", source=2, file=("wave.abf", 1.0, 0.0, 0)), "sweep 0: Cmd 0: .*stimulus file"),
        (Out("Cmd 0", "mV", holding=-80.0), "no step from one holding level is commanded by 'Cmd 0'"),
        (Out("Cmd 0", "mV", epochs=[(2, 60.0, 0.0, 99, 0, 0, 0)]), "the command 'Cmd 0' is not one step per sweep"),
        (Out("Cmd 0", "pA", epochs=step_epochs()), "no potential was commanded for 'IN 0'"),
    ],
)
def test_a_recording_that_is_no_family_is_refused(tmp_path, out, message):
    path = abf_file(tmp_path / "a.abf", 2, [V_at(3.0)] * 2, [out], (("IN 0", "pA"),))
    with pytest.raises(ValueError, match=rf"a\.abf[:,] .*{message}"):
        read_family(path)


# ---- damaged files


def test_truncated_abf(recordings, tmp_path):
    whole = (recordings / RECORDINGS["regular_spiking"].file).read_bytes()
    path = tmp_path / "cut.abf"
    for length in (4, 100, 512, 3000, 6000, 6656, 7000, 100_000, 1_000_000, 2_046_655, 2_046_656, 2_046_700):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.abf cannot be read as ABF: it is damaged or cut short"):
            read(path)
        with pytest.raises(ValueError, match=r"cut\.abf"):
            number_of_sweeps(path)


@VERSIONS
def test_truncated_small_files(tmp_path, version):
    whole = abf_file(tmp_path / "a.abf", version, [V_at()] * 2, [Out(epochs=step_epochs())]).read_bytes()
    path = tmp_path / "cut.abf"
    end = len(whole) - 512  # the last block holds the lengths of the sweeps, 16 bytes
    for length in (4, 200, 600, 2100, 4000, 6500, end - 1, end + 15):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.abf cannot be read as ABF: it is damaged or cut short"):
            read(path)
    path.write_bytes(whole[: end + 16])
    assert read(path, 1).I.max() == 100.0


@pytest.mark.parametrize(
    ("offset", "form", "value", "reason"),
    [
        (8, "h", 9, "unknown mode"), (100, "h", 3, "unknown format"), (120, "h", 17, "no inputs"),
        (122, "f", 0.0, "interval"), (922, "f", 0.0, "without a gain"), (16, "i", 0, None),
        (3368, "h", 9999, "unknown parameter"),
    ],
)  # fmt: skip
def test_fields_that_cannot_be(tmp_path, offset, form, value, reason):
    path = abf_file(tmp_path / "a.abf", 1, [V_at()] * 2, [Out(epochs=step_epochs())], lists=[(0, 22, "1", False)])
    data = bytearray(path.read_bytes())
    struct.pack_into("<" + form, data, offset, value)
    path.write_bytes(data)
    if reason is None:  # the number of sweeps is that of their lengths
        assert number_of_sweeps(path) == 2
        return
    with pytest.raises(ValueError, match=rf"a\.abf cannot be read as ABF: it is damaged or cut short \(.*{reason}"):
        read(path)


def test_two_sampling_intervals_are_refused(tmp_path):
    path = abf_file(tmp_path / "a.abf", 1, [V_at()], [Out()])
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, 126, 500.0)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.abf: a sweep was sampled every 100 and then every 500 µs"):
        read(path)


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
    with pytest.raises(ValueError, match=r"c\.unknown ends in '\.unknown'; allowed: \.abf"):
        read(tmp_path / "c.unknown")


def test_old_files_have_one_waveform(tmp_path):
    """Up to version 1.5: a header of 2 kB, one table of epochs, for the output that is named active."""
    path = abf_file(tmp_path / "a.abf", 1, [V_at()] * 2, [Out(holding=-5.0), Out("Cmd 1", "V")])
    data = bytearray(path.read_bytes())
    for offset, form, *values in (
        (4, "f", 1.5), (1436, "hhhh", 0, 1, 0, 0), (1444, "3h", 1, 1, 2), (1464, "3f", 0.0, 20.0, 0.0),
        (1504, "3f", 0.0, 30.0, 0.0), (1544, "3h", 200, 400, 100), (2296, "hhhh", 0, 0, 0, 0),
    ):  # fmt: skip
        struct.pack_into("<" + form, data, offset, *values)
    path.write_bytes(data)
    ramps = [(20 + 30 * k) * (1 - np.arange(1, 101) / 100) for k in range(2)]
    wanted = [expected((200, 0.0), (400, 20 + 30 * k), (100, ramps[k]), holding=-5.0) for k in range(2)]
    np.testing.assert_allclose(commands(path), wanted)
    struct.pack_into("<h", data, 1966, 1)  # a user list
    struct.pack_into("<h80s", data, 1762, 22, b"70, 80".ljust(80))
    path.write_bytes(data)
    assert commands(path)[:, EDGE + 300].tolist() == [70.0, 80.0]


@VERSIONS
def test_a_command_in_mV_by_mistake(tmp_path, version):
    path = abf_file(tmp_path / "cell.abf", version, [V_at()], [Out(unit="mV", epochs=step_epochs(5.0))])
    with pytest.raises(ValueError, match=r"this is voltage clamp.*units=\{'Cmd 0': 'pA'\} names the right one"):
        read(path)
    assert not read(path, channel=0).has_current
    for units, level in (({"Cmd 0": "pA"}, 5.0), ({"Cmd 0": "pA", "I": 20.0}, 100.0), ({"I": "pA"}, 5.0)):
        np.testing.assert_allclose(read(path, units=units).I, expected((200, 0.0), (400, level)))


def test_an_integer_is_no_constant_current(tmp_path):
    path = abf_file(tmp_path / "cell.abf", 2, [V_at()], [Out(epochs=step_epochs())])
    for current, why in ((0, "current = 0 is V itself"), (7, "current = 7: no signal is called so")):
        with pytest.raises(ValueError, match=rf"{why}.*a constant current is a float: current={current}\.0"):
            read(path, current=current)
    with pytest.raises(ValueError, match="current = 'IN 0' is V itself"):
        read(path, current="IN 0")
