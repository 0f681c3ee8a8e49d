"""A recording as a whole: sweeps, steps, f-I curve, plot, and what was found and assumed."""

from dataclasses import replace

import numpy as np
import pytest
from support.builders import nwb_file, opened, spiking, step_trace

from helpers.figures.recordings import outline, plot_recording
from helpers.recordings.reading import read
from helpers.recordings.recording import Recording
from helpers.simulation.stimuli import step

LEVELS = (-50.0, 0.0, 50.0, 100.0)
SPIKES = ((), (), (60.0,), (55.0, 100.0, 160.0, 200.0, 240.0))


def family(levels=LEVELS, spikes=SPIKES, **more):
    """Sweeps of one cell at steps from 50 to 250 ms, with spikes where they are wanted."""
    made = [step_trace(level=level, **more) for level in levels]
    return [
        replace(x, states={"V": x.V + spiking(x.t, times)}) for x, times in zip(made, spikes[: len(made)], strict=True)
    ]


@pytest.fixture
def recording(monkeypatch):
    """Makes a recording of traces without a file."""

    def make(traces=None, how=None, **what):
        contents = opened(family() if traces is None else traces, **what)
        monkeypatch.setattr("helpers.recordings.recording.open_file", lambda path, units: contents)
        return Recording("made.abf", **(how or {}))

    return make


def test_sweeps_are_a_sequence_of_traces(recording):
    made = recording(names=("a", "b", "c", "d"))
    sweeps = made.sweeps
    assert len(sweeps) == 4 and sweeps[1:].numbers == (1, 2, 3) and sweeps[::2].numbers == (0, 2)
    for trace, truth in zip(sweeps, family(), strict=True):
        np.testing.assert_array_equal(trace.V, truth.V)
        np.testing.assert_array_equal(trace.I, truth.I)
        assert (trace.start, trace.stop) == (50.0, 250.0)
    np.testing.assert_array_equal(sweeps[-1].V, sweeps["d"].V)
    np.testing.assert_array_equal(sweeps[1:][-1].V, sweeps[3].V)
    assert repr(sweeps[1:]) == "<3 sweeps: 1 to 3>"
    for wrong, error in ((4, IndexError), (-5, IndexError), (1.0, TypeError), (True, TypeError), ("e", ValueError)):
        with pytest.raises(error, match="sweep"):
            sweeps[wrong]
    with pytest.raises(ValueError, match="sweep 'a' is not among the sweeps chosen"):
        sweeps[1:]["a"]


def test_a_recording_agrees_with_the_sweeps_that_are_read(tmp_path):
    traces = family(duration=300.0, dt=0.1)
    sweeps = [{"V": {"data": x.V * 1e-3}, "I": {"data": x.I * 1e-12}} for x in traces]
    path = nwb_file(tmp_path / "cell.nwb", sweeps)
    for k, trace in enumerate(Recording(path).sweeps):
        one = read(path, k)
        np.testing.assert_array_equal(trace.V, one.V)
        np.testing.assert_array_equal(trace.I, one.I)
        assert (trace.start, trace.stop) == (one.start, one.stop)


def test_steps_are_a_table(recording):
    pulses = [replace(x, I=x.I + np.where((x.t >= 10) & (x.t < 20), -20.0, 0.0) - 30.0) for x in family()]
    steps = recording(pulses).steps
    assert [row.main.amplitude for row in steps] == list(LEVELS) and {row.base for row in steps} == {-30.0}
    assert {(row.main.start, row.main.stop) for row in steps} == {(50.0, 250.0)}
    for row in steps:
        assert [(x.start, x.stop, x.amplitude) for x in row.before] == [(10.0, 20.0, -20.0)] and not row.after
    assert str(steps[1:2]).splitlines() == [
        "sweep  main step (ms)  amplitude (pA)  holding (pA)  other steps",
        "    1       50 to 250               0           -30  10 to 20 ms: -20 pA",
    ]


def test_f_I(recording):
    curve = recording().f_I()
    np.testing.assert_array_equal(curve.currents, LEVELS)
    np.testing.assert_array_equal(curve.counts, [0, 0, 1, 5])
    np.testing.assert_allclose(curve.mean_rates, [0, 0, 5, 25])
    np.testing.assert_allclose(curve.rates, [0, 0, 0, 25], rtol=1e-3)  # 160, 200, 240 ms; a lone spike has no interval
    assert curve.unit == "pA" and curve.recorded


def test_f_I_needs_steps_of_one_kind(recording):
    flat = [replace(x, I=0 * x.I) for x in family()]
    with pytest.raises(ValueError, match=r"made\.abf, sweep 0: no f-I curve without a step: .*start=, stop="):
        recording(flat).f_I()
    assert recording(flat, {"start": 50.0, "stop": 250.0}).f_I().counts.tolist() == [0, 0, 1, 5]
    ramps = [replace(x, I=x.I * x.t) for x in family()]
    with pytest.raises(ValueError, match=r"sweep 0: the current from 50 to 250 ms is not constant"):
        recording(ramps).f_I()
    mixed = family() + [step_trace(level=70.0, on=100.0, off=150.0)]
    alike = lambda k: range(4) if k < 4 else [4]  # noqa: E731
    with pytest.raises(ValueError, match=r"last from 50 to 200 ms \(sweep 4: 50 ms\); sweeps= takes"):
        recording(mixed, alike=alike).f_I()
    assert recording(mixed, {"sweeps": range(4)}, alike=alike).f_I().counts.tolist() == [0, 0, 1, 5]
    with pytest.raises(ValueError, match=r"without a step: .*no protocol in this file.*give the current"):
        recording(command=None).f_I()


def test_a_sweep_that_cannot_be_read_is_named_and_can_be_left_out(recording):
    made = recording(damaged=(0, 2))
    assert "unreadable" in str(made) and "sweep 0 is damaged" in str(made)
    assert set(made.refused) == {0, 2} and [row.sweep for row in made.steps] == [1, 3]
    with pytest.raises(ValueError, match=r"sweep 0 is damaged .*leave it out: sweeps=\[1, 3\]"):
        made.f_I()
    with pytest.raises(ValueError, match="sweep 0 is damaged"):
        list(made.sweeps)
    assert "2 not readable" in made.plot().get_supxlabel()
    assert recording(damaged=(0, 2), how={"sweeps": [1, 3]}).f_I().counts.tolist() == [0, 5]
    with pytest.raises(ValueError, match="sweep 0 is damaged"):
        recording(damaged=range(4))


def test_each_sweep_may_have_a_current_of_its_own(recording):
    stimuli = [step(level, 50.0, 250.0) for level in LEVELS]
    for current in (stimuli, np.array([x.I for x in family()])):
        curve = recording(command=None, how={"current": current}).f_I()
        np.testing.assert_array_equal(curve.currents, LEVELS)
        np.testing.assert_array_equal(curve.counts, [0, 0, 1, 5])
    with pytest.raises(ValueError, match="current has 3 entries; needed: one for each of 4 sweeps"):
        recording(command=None, how={"current": stimuli[:3]})


@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        ([4], "sweep = 4; allowed: an integer from 0 to 3"),
        ([], "at least one, each once"),
        ([1, 1], "at least one, each once"),
        (1, "allowed: several"),
        ("ab", "allowed: several"),
    ],
)
def test_bad_choice_of_sweeps(recording, sweeps, message):
    with pytest.raises(ValueError, match=rf"made\.abf: .*{message}"):
        recording(how={"sweeps": sweeps})


def test_the_summary_tells_what_was_found_and_assumed(recording):
    words = str(recording())
    assert 4 <= len(words.splitlines()) <= 12
    for part in (
        "made.abf: made to order, 4 sweeps of 300 ms at 20 kHz",
        "V          'IN 0' (mV), input 0",
        "I          the command 'Cmd 0'; held at 0 pA before the first step",
        "main step  50 to 250 ms, -50 to 100 pA from holding",
    ):
        assert part in words
    assert "1 of 4 sweeps of 300 ms" in str(recording(how={"sweeps": [2]}))
    assert "no protocol in this file" in str(recording(command=None))
    protocols = str(recording(alike=lambda k: (0, 1) if k < 2 else (2, 3)))
    assert "protocols" in protocols and "sweeps 0, 1; sweeps 2, 3" in protocols


def test_warnings_are_given_once_and_listed(recording):
    made = recording(warnings=("the clock of this file is 3 % slow",))
    with pytest.warns(UserWarning, match=r"made\.abf, sweep 0: the clock .*print\(recording\)") as said:
        list(made.sweeps)
    assert len(said) == 1
    made = recording(warnings=("the clock of this file is 3 % slow",))
    assert "warning" in str(made) and "the clock of this file is 3 % slow" in str(made)
    list(made.sweeps)  # the summary has said it


def test_plot(recording):
    figure = recording().plot()
    top, bottom = figure.axes
    assert len(top.lines) == len(bottom.lines) == 4
    names = [text.get_text() for text in top.get_legend().get_texts()]
    assert names == ["\N{MINUS SIGN}50 pA", "0 pA", "50 pA", "100 pA"]
    assert top.lines[3].get_ydata().max() == pytest.approx(family()[3].V.max())  # no spike is lost between points
    zoomed = plot_recording(recording(), begin=90.0, end=110.0).axes[0]
    assert zoomed.get_xlim() == (90.0, 110.0) and len(zoomed.lines[0].get_xdata()) == 401
    unknown = recording(command=None).plot()
    assert not unknown.axes[1].lines and unknown.axes[1].texts[0].get_text() == "current unknown"
    with pytest.raises(ValueError, match="begin to end: 400 to 500 ms; the sweeps run from 0 to 299"):
        recording().plot(begin=400.0, end=500.0)


def test_outline_keeps_the_extremes():
    t = np.arange(100_003) * 0.05
    x = np.random.default_rng(1).standard_normal(len(t))
    x[77_777] = 50.0
    short, drawn = outline(t, x, 1000)
    assert len(short) <= 1010 and np.all(np.diff(short) >= 0.0)
    assert drawn.max() == 50.0 and drawn.min() == x.min() and short[np.argmax(drawn)] == t[77_777]


def test_published_recording(recordings):
    made = Recording(recordings / "171116sh_0018.abf")
    curve = made.f_I()
    np.testing.assert_array_equal(curve.currents, np.arange(-100.0, 301.0, 25.0))
    assert not curve.counts[curve.currents < 50].any() and curve.counts[-1] == 9
    assert len(str(made).splitlines()) <= 12 and "146.85 to 646.85 ms, -100 to 300 pA" in str(made)
    row = made.steps[0]
    assert len(row.after) == 1 and (row.after[0].start, row.after[0].amplitude) == (1146.85, -100.0)


def test_cases_as_a_whole(cases):
    made = Recording(cases / "abf" / "18711001.abf")
    assert made.f_I().counts[[10, 20, 29]].tolist() == [3, 5, 7]
    assert {(x.start, x.stop, x.amplitude) for row in made.steps for x in row.before} == {(23.4, 323.4, -100.0)}
    listed = Recording(cases / "abf" / "2020_03_02_0000.abf").f_I().currents
    assert listed.tolist() == [-200, -150, -100, -50, 0, 25, 50, 100, 150, 200, 250, 300, 350, 400, 500, 600]
    gap_free = Recording(cases / "abf" / "gapfree_epochs_on.abf")
    assert gap_free.steps[0].main is None and "V without a step" in str(gap_free)
    unknown = Recording(cases / "abf" / "written_by_pyabf.abf").plot()
    assert unknown.axes[1].texts[0].get_text() == "current unknown"


def test_a_list_of_numbers_is_samples_of_every_sweep(recording):
    traces = family()
    samples = traces[3].I.tolist()
    made = recording(traces, {"current": samples})
    for trace in made.sweeps:
        np.testing.assert_array_equal(trace.I, samples)
    rows = [trace.I.tolist() for trace in traces]
    for trace, row in zip(recording(traces, {"current": rows}).sweeps, rows, strict=True):
        np.testing.assert_array_equal(trace.I, row)
    with pytest.raises(ValueError, match=r"samples but current 2; they must be sampled alike"):
        recording(traces, {"current": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"current is a list of strs; allowed: samples in pA, or one stimulus"):
        recording(traces, {"current": ["a", "b", "c", "d"]})
