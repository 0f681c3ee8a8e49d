"""docs/deeper/bursting_and_chaos: its sections alone, its cells again, and what its text says."""

import numpy as np
import pytest
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

NOTEBOOK = "docs/deeper/bursting_and_chaos.ipynb"


def test_from_silence_over_bursts_and_chaos_to_tonic_spiking(lesson):
    drives, intervals = lesson.values["drives"], lesson.values["intervals"]

    def at(drive: float) -> np.ndarray:
        row = intervals[np.argmin(np.abs(drives - drive))]
        return row[row > 0]

    def kinds(drive: float) -> int:  # different intervals, told apart at 2 time units
        return len(np.unique(np.round(at(drive) / 2)))

    regular = [kinds(drive) for drive in (1.6, 2.0, 2.5, 3.0)]
    assert kinds(1.1) == 0 and regular == sorted(regular) and max(regular) < 8
    assert min(map(kinds, (3.25, 3.281, 3.3))) > 10
    assert kinds(3.39) == 2 and kinds(3.43) == kinds(3.6) == kinds(4.0) == 1
    assert at(4.1).max() < at(3.7).max()  # faster with more drive
    assert at(1.4).max() > at(2.0).max() > at(2.8).max()  # pauses grow shorter


def test_only_the_chaotic_copies_part(lesson):
    chaotic, tonic = lesson.values["apart"].values()
    assert chaotic[-1] > 0.3 and tonic.max() < 1e-5
    assert 250 < np.log(10) / lesson.values["exponent"] < 350
    first, second = (trace.V for trace in lesson.values["pair"])
    t, off = lesson.values["t"], np.abs(first - second)
    assert off[t < 1000].max() < 0.1 and off[t > 1800].max() > 1


def test_the_size_of_the_gap_does_not_matter(lesson):
    chaotic, t, early = (lesson.values[name] for name in ("chaotic", "t", "early"))
    orbit = lesson.values["orbit_of"](chaotic)
    pairs = [lesson.values["pair_from"](chaotic, orbit, time, gap=1e-8) for time in np.arange(1000.0, 4200.0, 100.0)]
    logs = np.mean([np.log(lesson.values["distance"](pair)) for pair in pairs], axis=0)
    assert np.polyfit(t[early], logs[early], 1)[0] == pytest.approx(lesson.values["exponent"], rel=0.2)


def test_long_pauses_follow_intervals_of_30_to_40(lesson):
    times = lesson.values["successive"]["e = 3.281"]
    before = times[:-1][times[1:] > 100.0]
    assert len(before) > 30 and before.min() > 26 and before.max() < 42


def test_patterns_of_izhikevich(lesson):
    gaps = {kind: np.diff(trace.spike_times) for kind, trace in lesson.values["patterns"].items()}
    assert gaps["regular spiking"].argmin() == 0 and gaps["fast spiking"].max() < 9
    assert gaps["chattering"].max() / gaps["chattering"].min() > 20
    assert gaps["intrinsically bursting"][0] < 5 < 15 < gaps["intrinsically bursting"][3:].min()
