"""docs/deeper/imitate_a_neuron: its sections alone, its cells again, and what its text says."""

import numpy as np
import pytest
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

NOTEBOOK = "docs/deeper/imitate_a_neuron.ipynb"
pytestmark = pytest.mark.long  # half a minute of training; in short: test_deeper_in_short, and test_distillation


def test_each_layer_helps_and_the_probability_is_where_the_spikes_are(lesson):
    scores, held_out, p = (lesson.values[name] for name in ("scores", "held_out", "p"))
    AUC, correlation = np.array([(score.AUC, score.correlation) for score in scores.values()]).T
    assert np.all(np.diff(AUC) > 0.005) and correlation[-1] > 0.94
    near = np.convolve(held_out.spikes, np.ones(5), "same") > 0  # within 2 ms of a spike
    assert p[near].sum() / p.sum() > 0.7


def test_thousands_of_weights_for_a_dozen_parameters(lesson):
    weights = sum(each.numel() for each in lesson.values["students"][4].parameters())
    assert 16_000 < weights < 17_000 and len(lesson.values["teacher"].parameters()) == 12
