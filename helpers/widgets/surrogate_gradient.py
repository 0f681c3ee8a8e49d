"""The surrogate-gradient explorer of notebook 3: the width of the surrogate and how far back a gradient reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from helpers.artificial.spiking import gradient_through_time
from helpers.figures.colours import BLUE, GUIDE, LAW_LOOKS
from helpers.neurons.parameters import Parameter

from .controls import Slider
from .explorer import Explorer, canvas

__all__ = ["SurrogateGradient", "explore_surrogate", "surrogate_at"]

N_STEPS = 40
WIDTH = Parameter("width", 0.5, "", "width of the surrogate, in units of threshold minus rest", 0.02, 5.0, 1e-3, np.inf)


@dataclass(frozen=True)
class SurrogateGradient:
    """The slope of a surrogate and what it does to a gradient through time.

    Attributes
    ----------
    distance, slope
        V minus threshold, and the slope of the surrogate there, each of shape (n_points,).
    lags, gradient
        Time before a spike [ms], and the mean gradient that inputs receive there, each of shape (n_steps,).
    """

    distance: np.ndarray
    slope: np.ndarray
    lags: np.ndarray
    gradient: np.ndarray


def surrogate_at(
    spike: Callable[[Tensor, float], Tensor], layer: Callable[..., nn.Module], width: float, seed: int = 0
) -> SurrogateGradient:
    """Compute the slope of a surrogate of this width and the gradient through a layer that uses it.

    Parameters
    ----------
    spike
        Maps (V - threshold, width) to spikes.
    layer
        Makes a layer of spiking units from (n_in, n_out, width); here of 20 inputs and 50 units.
    width
        Width of the surrogate, in units of threshold minus rest.
    seed
        Of the random weights and inputs.
    """
    distance = torch.linspace(-2.0, 2.0, 401, requires_grad=True)
    (slope,) = torch.autograd.grad(spike(distance, width).sum(), distance)
    torch.manual_seed(seed)
    lags, gradient = gradient_through_time(layer(20, 50, width), torch.rand(64, N_STEPS, 20))
    return SurrogateGradient(distance.detach().numpy(), slope.numpy(), lags, gradient)


def explore_surrogate(spike: Callable[[Tensor, float], Tensor], layer: Callable[..., nn.Module]) -> Explorer:
    """Change the width of the surrogate; see its slope, and how far back in time the gradient of a spike reaches.

    Parameters
    ----------
    spike, layer
        As in `surrogate_at`.
    """
    figure = canvas(3.5)
    left, right = figure.subplots(1, 2)
    (bump,) = left.plot([], [], color=LAW_LOOKS["LIF"][0])
    left.plot([-2, 0, 0, 2], [0, 0, 1, 1], color=GUIDE, linestyle="--")
    left.text(0.75, 1.05, "the spike itself", color="0.4")
    left.text(-1.95, 1.05, "slope of the surrogate", color=BLUE)
    left.set(xlabel="V − threshold (of threshold − rest)", ylim=(-0.05, 1.25))
    (line,) = right.semilogy([], [], color=BLUE)
    right.set(xlabel="how long before the spike (ms)", ylabel="mean |gradient|", ylim=(1e-6, 1e12), xlim=(0, N_STEPS))

    def update(width: float) -> str:
        shown = surrogate_at(spike, layer, width)
        bump.set_data(shown.distance, shown.slope)
        line.set_data(shown.lags, np.maximum(shown.gradient, 1e-12))
        ratio = shown.gradient[20] / shown.gradient[0]
        near = (shown.slope > 0.5 * shown.slope.max()).mean() * np.ptp(shown.distance)
        return (
            f"Width {width:.4g}: the slope is above half its height over {near:.2f} of the distance from rest to "
            f"threshold. An input 20 ms before the spike receives {ratio:.1e} of the gradient of the latest one."
        )

    return Explorer(figure, update, {"": [Slider(WIDTH)]})
