"""The explorers of notebook 3: what they say, and what they draw."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.artificial.rate_laws import fit_rate_law
from helpers.widgets.rate_law import explore_hand_fit, hand_fit
from helpers.widgets.surrogate_gradient import explore_surrogate, surrogate_at


class Smooth(nn.Linear):
    """In place of the notebook's layer: V with a soft threshold, without a reset."""

    def __init__(self, n_in: int, n_out: int, width: float) -> None:
        super().__init__(n_in, n_out)
        self.width = width

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        V, out = torch.zeros(()), []
        for I in super().forward(inputs).unbind(1):
            V = 0.9 * V + I
            out.append(soft(V - 1.0, self.width))
        return torch.stack(out, 1)


def soft(distance: torch.Tensor, width: float) -> torch.Tensor:
    return torch.sigmoid(distance / width)


def test_the_best_unit_cannot_be_beaten_by_hand():
    shown = hand_fit()
    best = fit_rate_law("sigmoid", shown.currents, shown.rates)
    assert shown.best.R2 == best.R2 > shown.R2
    same = hand_fit(scale=best.scale, gain=best.gain, threshold=best.threshold)
    assert same.R2 == pytest.approx(best.R2, abs=1e-9)
    np.testing.assert_allclose(same.answer, best(shown.currents))


def test_temperature_and_adaptation_each_move_their_own_neuron():
    assert hand_fit(temperature=18.5).rates.max() > 2 * hand_fit().rates.max()
    assert hand_fit(g_M=0.3).rates.max() == hand_fit().rates.max()
    tired, fresh = (hand_fit("Pospischil", g_M=g_M).rates.max() for g_M in (0.3, 0.0))
    assert tired < 0.5 * fresh


@pytest.mark.parametrize(
    ("changed", "message"), [({"neuron": "cat"}, "neuron = 'cat'"), ({"function": "x"}, "function")]
)
def test_bad_choices(changed, message):
    with pytest.raises(ValueError, match=message):
        hand_fit(**changed)


def test_hand_fit_explorer_says_what_its_function_computes():
    explorer = explore_hand_fit()
    explorer.set(neuron="Pospischil", g_M=0.3, function="ReLU", scale=70.0, gain=0.1, threshold=2.0)
    shown = hand_fit("Pospischil", g_M=0.3, function="ReLU", scale=70.0, gain=0.1, threshold=2.0)
    assert f"R² = {shown.R2:.2f}" in explorer.sentence.value and f"{shown.best.R2:.2f}" in explorer.sentence.value
    lines = {line.get_label(): line for line in explorer.figure.axes[0].lines}
    np.testing.assert_allclose(lines["your unit"].get_ydata(), shown.answer)
    np.testing.assert_allclose(lines["neuron"].get_ydata(), shown.rates)
    explorer.reset()
    explorer.try_both_ends()


def test_surrogate_shows_the_slope_of_the_spike_that_it_is_given():
    shown = surrogate_at(soft, Smooth, 0.4)
    s = 1 / (1 + np.exp(-shown.distance / 0.4))
    np.testing.assert_allclose(shown.slope, s * (1 - s) / 0.4, atol=1e-5)
    assert len(shown.lags) == len(shown.gradient) == 40
    np.testing.assert_allclose(shown.gradient[1:] / shown.gradient[:-1], 0.9, atol=0.01)  # no reset: V only decays


def test_surrogate_explorer_draws_what_it_computes():
    explorer = explore_surrogate(soft, Smooth)
    explorer.sliders["width"].value = 1.0
    shown = surrogate_at(soft, Smooth, 1.0)
    np.testing.assert_allclose(explorer.figure.axes[1].lines[0].get_ydata(), shown.gradient)
    assert f"{shown.gradient[20] / shown.gradient[0]:.1e}" in explorer.sentence.value
    explorer.try_both_ends()
