"""docs/deeper/what_fails_first: its section alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import HodgkinHuxley, experiments

NOTEBOOK = "docs/deeper/what_fails_first.ipynb"


def test_where_the_grey_regions_end(lesson):
    scans, without_rest, no_spike = (lesson.values[name] for name in ("scans", "without_rest", "no_spike"))
    warmest = scans["temperature"][np.isfinite(without_rest["temperature"][:, 0])][-1]
    assert abs(warmest - 28.8) < 0.3 and abs(no_spike["temperature"][0] - 34.2) < 0.3
    assert len(no_spike["block_K"]) == 0
    assert abs(scans["block_K"][without_rest["block_K"][:, 0] < 0][0] - 0.46) < 0.001


def test_steady_firing_ends_where_rest_is_always_stable():
    currents = np.arange(0.0, 121.0, 8.0)
    for silent in (HodgkinHuxley(temperature=29.0), HodgkinHuxley(block_Na=0.32)):
        assert not experiments.measure_f_I(silent, currents).any()
    assert experiments.measure_f_I(HodgkinHuxley(block_Na=0.3), np.array([40.0]))[0] > 90
    assert experiments.measure_f_I(HodgkinHuxley(block_K=0.46), np.array([0.0]))[0] > 40
