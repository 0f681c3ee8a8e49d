"""The two unknown neurons."""

import numpy as np
import pytest

from helpers.experiments.exercises import UnlabelledCells


def test_one_of_the_two_has_the_current_and_the_seed_says_which():
    which = [(UnlabelledCells(seed).has_M_current("X"), UnlabelledCells(seed).has_M_current("Y")) for seed in range(20)]
    assert set(which) == {(True, False), (False, True)}
    assert which == [
        (UnlabelledCells(seed).has_M_current("X"), UnlabelledCells(seed).has_M_current("Y")) for seed in range(20)
    ]


def test_only_the_one_with_the_current_tires():
    pair = UnlabelledCells(seed=3)
    for name in "XY":
        gaps = np.diff(pair.record(name, 3.0, length=500.0).spike_times)
        assert (gaps[-1] > 1.5 * gaps[0]) == pair.has_M_current(name)
        assert gaps[0] == pytest.approx(16.5, abs=1.0)  # the same at first


def test_a_record_shows_nothing_but_the_potential():
    trace = UnlabelledCells(seed=3).record("X", 3.0, length=100.0)
    assert list(trace.states) == ["V"] and not trace.currents
    assert "g_M" not in repr(UnlabelledCells(seed=3))


@pytest.mark.parametrize("method", ["record", "has_M_current"])
def test_another_name_is_refused(method):
    with pytest.raises(ValueError, match="cell = 'Z'; allowed: X, Y"):
        getattr(UnlabelledCells(seed=3), method)(*("Z", 3.0)[: 1 + (method == "record")])
