"""docs/deeper/noise: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

NOTEBOOK = "docs/deeper/noise.ipynb"


def test_without_the_division_the_scatter_grows_with_the_root_of_the_step(lesson):
    steps, unscaled, SD = (lesson.values[name] for name in ("time_steps", "unscaled", "SD_formula"))
    assert np.allclose(unscaled, SD * np.sqrt(steps / 0.01), rtol=0.02)
    assert np.allclose([SD, unscaled[-1], unscaled[0]], [0.27, 0.14, 0.62], atol=0.01)


def test_spikes_scatter_as_the_root_of_the_number_of_intervals(lesson):
    for sd in lesson.values["jitter"].values():
        assert np.allclose(sd[2:], sd[8] * np.sqrt(np.arange(2, 15) / 8), rtol=0.25) and sd[0] < 0.1 * sd[8]
