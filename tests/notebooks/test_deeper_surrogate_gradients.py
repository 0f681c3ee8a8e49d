"""docs/deeper/surrogate_gradients: its sections alone, its cells again, and what its text says."""

import numpy as np
import torch
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import widgets

NOTEBOOK = "docs/deeper/surrogate_gradients.ipynb"


def test_a_gradient_dies_out_or_explodes(lesson):
    Spike, layer = lesson.values["Spike"], lesson.values["SpikingLayer"]
    narrow, middle, wide = (widgets.surrogate_at(Spike.apply, layer, width).gradient for width in (0.02, 0.5, 5.0))
    assert narrow[20] < middle[20] and max(narrow[39] / narrow[0], middle[39] / middle[0]) < 0.01
    assert wide[39] > 1e3 * wide[0]
    accuracy = lesson.values["accuracy"]  # by width, of two seeds
    assert accuracy[:4].min() > 0.95 and accuracy[4].max() < 0.8


def test_the_factor_is_the_slope_of_one_ms(lesson):
    """By torch, through the layer's own three lines."""
    V = torch.tensor([-1.0, -0.11, 0.5, 0.99, 1.2, 1.5], dtype=torch.float64, requires_grad=True)
    spike = lesson.values["Spike"].apply(V - 1.0, 5.0)
    (slope,) = torch.autograd.grad((0.9 * V * (1.0 - spike)).sum(), V)
    np.testing.assert_allclose(slope, lesson.values["factor"](V.detach().numpy(), 5.0), rtol=1e-4)
