"""Measured f-I curves as activation functions: tabulated, so that any curve can be used and trained in a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import instance, number, numbers, whole_number

__all__ = ["TabulatedActivation", "as_activation", "hidden_layer", "silent_fraction"]


class TabulatedActivation(nn.Module):
    """A piecewise linear function; constant, with a slope of 0, beyond both ends.

    Parameters
    ----------
    z
        Evenly spaced, rising points (n,).
    values
        Values of the function at these points (n,).

    Raises
    ------
    ValueError
        For fewer than 2 points, points that are not evenly spaced, or values that are not finite.
    """

    values: Tensor
    slopes: Tensor

    def __init__(self, z: np.ndarray, values: np.ndarray) -> None:
        super().__init__()
        z = numbers("z", z, shape=(None,))
        values = numbers("values", values, shape=z.shape)
        spacing = np.diff(z)
        if len(z) < 2 or not np.allclose(spacing, spacing[0], rtol=1e-5, atol=0.0) or spacing[0] <= 0:
            raise ValueError(f"z of {len(z)} points; allowed: at least 2, evenly spaced, rising")
        if max(np.abs(values).max(), np.ptp(values) / spacing[0]) > 1e30:
            raise ValueError(
                f"values up to {np.abs(values).max():g} at steps of z of {spacing[0]:g}; allowed: up to 1e30"
            )
        self.first, self.spacing = float(z[0]), float(spacing[0])
        slopes = np.append(np.diff(values), 0.0) / self.spacing  # to the right of each point
        self.register_buffer("values", torch.as_tensor(values.copy(), dtype=torch.float32))
        self.register_buffer("slopes", torch.as_tensor(slopes, dtype=torch.float32))

    def forward(self, z: Tensor) -> Tensor:
        """Evaluate the function at `z` of any shape."""
        place = ((z - self.first) / self.spacing).clamp(0.0, len(self.values) - 1.0)
        k = place.detach().long()
        return self.values[k] + self.slopes[k] * (place - k) * self.spacing


def as_activation(
    currents: np.ndarray,
    rates: np.ndarray,
    zero: float | None = None,
    one: float | None = None,
    spacing: float = 0.01,
) -> TabulatedActivation:
    """Convert an f-I curve to a dimensionless activation function that passes through (1, 1).

    Its input is z = (I - zero)/(one - zero), its output the rate divided by the rate at `one`.

    Parameters
    ----------
    currents, rates
        Rising currents (n,) and rates (n,) [Hz].
    zero, one
        Currents at which z is 0 and 1. Without them z is 0 at the last current below the first spike, and 4 at the
        last current measured.
    spacing
        Step of z of the table.

    Raises
    ------
    ValueError
        Unless zero < one, both within the currents, and the rate at `one` is above 0.
    """
    currents = numbers("currents", currents, shape=(None,), low=-1e30, high=1e30)
    rates = numbers("rates", rates, "Hz", shape=currents.shape, low=-1e30, high=1e30)
    onset = currents[max(int(np.argmax(rates > 0.0)) - 1, 0)]
    zero = number("zero", onset if zero is None else zero)
    one = number("one", zero + (currents[-1] - zero) / 4.0 if one is None else one)
    if not (np.diff(currents) > 0.0).all():
        raise ValueError(f"currents go from {currents[0]:g} to {currents[-1]:g}; allowed: strictly rising")
    if not currents[0] <= zero < one <= currents[-1]:
        raise ValueError(f"zero = {zero:g}, one = {one:g}; allowed: rising, from {currents[0]:g} to {currents[-1]:g}")
    top = np.interp(one, currents, rates)
    if not top > 0.0:
        raise ValueError(f"the rate at one = {one:g} is {top:g} Hz; allowed: above 0 Hz")
    ends = (currents[[0, -1]] - zero) / (one - zero)
    spacing = number("spacing", spacing, low=np.ptp(ends) / 1e7, high=np.ptp(ends) / 4.0)
    z = np.arange(np.ceil(ends[0] / spacing), np.floor(ends[1] / spacing) + 1) * spacing
    return TabulatedActivation(z, np.interp(zero + z * (one - zero), currents, rates) / top)


def hidden_layer(activation: nn.Module, inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Build a network with one hidden layer of units with this activation."""
    inputs, hidden = whole_number("inputs", inputs, 1), whole_number("hidden", hidden, 1)
    outputs = whole_number("outputs", outputs, 1)
    return nn.Sequential(nn.Linear(inputs, hidden), activation, nn.Linear(hidden, outputs))


def silent_fraction(network: nn.Sequential, x: Tensor) -> float:
    """Compute the fraction of outputs, over hidden units and samples of `x`, that are 0 with a slope of 0."""
    outputs, slopes = _hidden_outputs(network, x)
    return float(((outputs == 0.0) & (slopes == 0.0)).float().mean())


def _hidden_outputs(network: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and slopes of the hidden units, (n, hidden) each."""
    instance("network", network, nn.Sequential, "a network of `hidden_layer`")
    z = network[0](x).detach().requires_grad_()
    outputs = network[1](z)
    (slopes,) = torch.autograd.grad(outputs.sum(), z)
    return outputs.detach(), slopes
