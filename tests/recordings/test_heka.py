"""HEKA PatchMaster: series, sweeps and traces; the command that the stimulus tree describes, held to myokit's."""

import warnings

import numpy as np
import pytest
from myokit.formats.heka import PatchMasterFile
from support.recorders import START, STOP, command, heka, response, segment

from helpers.recordings.reading import number_of_sweeps, open_file, read

# The step of sweep k is -50 + 75 k pA, in nA as PatchMaster keeps it.
STEPS = (-50.0, 25.0, 100.0)
SEGMENTS = [segment(0.0, START * 1e-3), segment(-0.05, 0.1, step=0.075), segment(0.0, 0.05)]


def sweeps(levels=STEPS, n=400, current=True):
    voltage = [[("Vmon", "V", response(level, n) * 1e-3)] for level in levels]
    return [v + [("Imon", "A", command(level, n) * 1e-12)] * current for v, level in zip(voltage, levels, strict=True)]


def series(**more):
    return {"label": "CC steps", "sweeps": sweeps(), "segments": SEGMENTS, **more}


def written(tmp_path, *args, **more):
    path = tmp_path / "cell.dat"
    path.write_bytes(heka(*args, **more))
    return path


@pytest.mark.parametrize(
    ("one", "file"),
    [
        ({}, {}), ({"kind": "i4"}, {}), ({"kind": "f4"}, {}), ({"kind": "f8"}, {}), ({"interleave": 100}, {}),
        ({"interleave": 70}, {}), ({}, {"order": ">"}),
        ({}, {"version": "1.4.1 [Build 1036]", "sizes": (640, 144, 1408, 352, 512)}),
        ({}, {"version": "v2x65, 19-Dec-2011", "sizes": (544, 128, 1120, 160, 280)}),
    ],
)  # fmt: skip
def test_voltage_command_and_step(tmp_path, one, file):
    path = written(tmp_path, [series(**one)], **file)
    assert number_of_sweeps(path) == 3
    for k, level in enumerate(STEPS):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the recorded current does not differ from the command
            trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=0.005)
        np.testing.assert_allclose(trace.I, command(level), atol=1e-9)
        np.testing.assert_allclose(trace.t, 0.5 * np.arange(400))
        assert (trace.start, trace.stop) == (START, STOP)
        np.testing.assert_allclose(read(path, k, current="Imon").I, command(level), atol=0.01)


@pytest.mark.parametrize(
    "segments", [SEGMENTS, [segment(0.02, 0.05), segment(-0.1, 0.1, step=0.05, mode=1), SEGMENTS[2]]]
)
@pytest.mark.parametrize("more", [{}, {"holding": 0.03}, {"mode": 1, "unit": "V"}])
def test_myokit_reads_the_same(tmp_path, segments, more):
    path = written(tmp_path, [series(segments=segments, **more)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = PatchMasterFile(path)
    with other:
        theirs = next(iter(other))[0]
        _, commands = theirs.da()
        for k in range(3):
            found = open_file(path).sweep(k)
            np.testing.assert_array_equal(found.recorded[0].load(), theirs[k][0].values())
            np.testing.assert_array_equal(found.recorded[1].load(), theirs[k][1].values())
            np.testing.assert_allclose(found.commanded[0].load(), commands[k], atol=1e-12)


def test_levels_relative_to_the_holding_current(tmp_path):
    """Bit 1 of StimToDacID, "UseRelative"; myokit 1.39 takes the set of 16 bits for 16 bytes and finds none."""
    segments = [segment(9.0, 0.05, source=1), *SEGMENTS[1:]]
    path = written(tmp_path, [series(segments=segments, sweeps=sweeps(current=False), holding=0.03, flags=3)])
    for k, level in enumerate(STEPS):
        np.testing.assert_allclose(read(path, k).I, 30.0 + command(level), atol=1e-9)


def test_the_series_is_chosen_by_name(tmp_path):
    later = series(label="later", sweeps=sweeps((10.0,)), segments=[SEGMENTS[0], segment(0.01, 0.1), SEGMENTS[2]])
    path = written(tmp_path, [series(), later])
    contents = open_file(path)
    assert contents.names == ("1/1/1", "1/1/2", "1/1/3", "1/2/1")
    assert "series 1/2 'later' has 1 sweeps" in contents.notes[0] and "'1/2/1'" in contents.notes[0]
    np.testing.assert_allclose(read(path, "1/2/1").I, command(10.0), atol=1e-9)
    with pytest.raises(ValueError, match=r"cell\.dat has no sweep '2/1/1'; it has 1/1/1, 1/1/2"):
        read(path, "2/1/1")
    assert [len(read(path, k).t) for k in range(4)] == [400] * 4


def test_segments_that_are_not_stored_are_not_in_the_command(tmp_path):
    hidden = [segment(0.5, 0.3, store=0), *SEGMENTS]
    np.testing.assert_allclose(read(written(tmp_path, [series(segments=hidden)]), 2).I, command(100.0), atol=1e-9)


def test_a_ramp_leads_from_the_level_before_it(tmp_path):
    ramp = [segment(0.02, 0.05), segment(0.12, 0.1, kind=1), segment(0.0, 0.05)]
    I = read(written(tmp_path, [series(segments=ramp, sweeps=sweeps(current=False))])).I
    np.testing.assert_allclose(I[100:300], np.linspace(20.0, 120.0, 200, endpoint=False))
    assert (I[:100] == 20.0).all() and (I[300:] == 0.0).all()


def test_sweeps_of_different_lengths(tmp_path):
    longer = [SEGMENTS[0], segment(0.1, 0.1, longer=0.05), SEGMENTS[2]]
    made = [sweeps((100.0,), 400 + 100 * k)[0] for k in range(2)]
    path = written(tmp_path, [series(sweeps=[[trace[0]] for trace in made], segments=longer)])
    assert [len(read(path, k).t) for k in range(2)] == [400, 500]
    assert [np.count_nonzero(read(path, k).I) for k in range(2)] == [200, 300]


def test_a_series_that_was_stopped_says_so(tmp_path):
    found = open_file(written(tmp_path, [series(intended=7)])).sweep(1)
    assert found.notes == ("the series was stopped after 3 of 7 sweeps",)


def test_clipping_is_said(tmp_path):
    path = written(tmp_path, [series(sweeps=sweeps(current=False), bits=32)])
    with pytest.warns(UserWarning, match=r"cell\.dat, sweep 0: the amplifier clipped Vmon"):
        read(path)


def test_leak_traces_are_no_signals(tmp_path):
    with pytest.raises(ValueError, match="a sweep holds nothing but leak traces"):
        read(written(tmp_path, [series(bits=2)]))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"segments": [segment(0.0, 0.2, kind=4)]}, "segment 1 of its stimulus is a square wave"),
        ({"segments": [segment(0.1, 0.2, source=2)]}, "segment 1 of its stimulus takes its value from a parameter"),
        ({"segments": [segment(0.1, 0.2, step=0.1, mode=2)]}, "segment 1 .* changes its order .*increment mode 2"),
        ({"segments": [segment(0.1, 0.2, step=0.1, mode=5)]}, ".*increment mode 5"),
        ({"segments": [segment(0.1, 0.2, step=0.1, factor=2.0)]}, "segment 1 of its stimulus grows by a factor"),
        ({"segments": [segment(0.1, 0.05)]}, "its stimulus has 100 samples, but 400 were recorded"),
        ({"segments": [segment(0.1, 1e9)]}, "segment 1 of its stimulus lasts 1e\\+09 s at 0.1"),
        ({"flags": 0}, "the scale of its stimulus is the user's own"),
        ({"flags": 5}, "its stimulus is a template in a file of its own"),
        ({"flags": 33}, "its stimulus is scaled or made by an extension"),
        ({"unit": "V"}, "its stimulus is in volts at the output"),
    ],
)
def test_a_command_that_the_tree_does_not_tell_is_not_made_up(tmp_path, more, reason):
    path = written(tmp_path, [series(sweeps=sweeps(current=False), **more)])
    trace = read(path)
    np.testing.assert_allclose(trace.V, response(STEPS[0]), atol=0.005)
    with pytest.raises(ValueError, match=rf"cell\.dat, sweep 0: {reason}.*give the current yourself"):
        _ = trace.I
    recorded = written(tmp_path, [series(**more)])
    np.testing.assert_allclose(read(recorded).I, command(STEPS[0]), atol=0.01)  # Imon


def test_voltage_clamp_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cell\.dat, sweep 0: this is voltage clamp.* current=$"):
        read(written(tmp_path, [series(mode=1, unit="V")]))
    path = written(tmp_path, [series(mode=1, unit="V"), series(), series()])
    with pytest.raises(ValueError, match=r"voltage clamp.* The file holds other series: s.*='1/2/1', '1/3/1'$"):
        read(path)
    np.testing.assert_allclose(read(path, "1/2/1").I, command(STEPS[0]), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"DAT1" + data[4:], "its traces and stimuli are in files of their own .*save it as a bundle"),
        (lambda data: data[:300], "it is damaged or cut short"),
        (lambda data: data[:64] + bytes(192) + data[256:], "its bundle holds no description of traces"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, change, reason):
    path = tmp_path / "cell.dat"
    path.write_bytes(change(heka([series()])))
    with pytest.raises(ValueError, match=rf"cell\.dat cannot be read as HEKA PatchMaster: {reason}"):
        read(path)


def test_no_sweeps(tmp_path):
    with pytest.raises(ValueError, match="it holds no sweeps"):
        read(written(tmp_path, []))
