"""docs/deeper/thresholds: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import simulate, step

NOTEBOOK = "docs/deeper/thresholds.ipynb"


def test_strength_and_duration(lesson):
    assert abs(lesson.values["rheobase"] - 2.240) < 0.002 and round(lesson.values["chronaxie"], 1) == 1.7
    worst = {name: np.abs(fit.errors).max() for name, (_, fit) in lesson.values["fits"].items()}
    assert worst["Lapicque"] < 0.12 < 0.17 < worst["Weiss"]


def test_the_threshold_after_a_spike(lesson):
    gaps, relative = lesson.values["gaps"], lesson.values["relative"]
    above = gaps[np.isfinite(relative) & (relative > 1.0) & (gaps < 20)].max()
    assert 15.5 <= above <= 16.5 and 18 <= gaps[relative.argmin()] <= 20 and abs(relative.min() - 0.84) < 0.01
    easier = gaps[relative < 0.999]
    assert 16.0 <= easier[0] <= 17.5 and 23.5 <= easier[easier < 30][-1] <= 25.0


def test_which_gate_makes_the_rebound(lesson):
    axons = lesson.values["axons"]
    for amplitude, expected in ((-3.0, [1, 0, 0]), (-4.0, [1, 1, 0]), (-20.0, [1, 1, 0])):
        negative = step(amplitude, 5.0, 35.0)
        assert [len(simulate(axon, negative, 60.0).spike_times) for axon in axons.values()] == expected
