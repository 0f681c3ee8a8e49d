"""The explorers of notebook 3: a unit set by hand beside a measured neuron, and the surrogate gradient of a spike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from helpers.artificial.rate_laws import ACTIVATIONS, Fit, explained, fit_activation
from helpers.artificial.spiking import gradient_through_time
from helpers.experiments.f_I import measure_f_I
from helpers.figures.colours import BLUE, COLOURS, LAW_LOOKS, ORANGE
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.neurons.parameters import Declared, parameter

from .controls import Choice, Dial
from .explorer import Explorer, canvas

__all__ = ["HandFit", "Surrogate", "explore_hand_fit", "explore_surrogate", "hand_fit", "surrogate"]


# ------------------------------------------------------------------------------------------- a unit set by hand

NEURONS = {"squid axon": np.arange(0.0, 51.0), "Pospischil": np.arange(0.0, 12.1, 0.25)}  # and currents [µA/cm²]
FUNCTIONS = ("ReLU", "softplus", "sigmoid", "tanh")


@dataclass(frozen=True, kw_only=True)
class Unit(Declared):
    """What can be turned of a unit whose output is scale·f(gain·(I - bias))."""

    scale: float = parameter(100.0, "Hz", "what the function's values are multiplied by", low=1.0, high=300.0)
    gain: float = parameter(0.1, "cm²/µA", "slope: how strongly the input counts", low=0.01, high=2.0)
    bias: float = parameter(5.0, "µA/cm²", "input at which z is 0", low=-10.0, high=30.0)


@dataclass(frozen=True, kw_only=True)
class Width(Declared):
    """What can be turned of a surrogate gradient."""

    width: float = parameter(
        0.5, "", "width of the surrogate, in units of threshold minus rest", low=0.02, high=5.0, minimum=1e-3
    )


@dataclass(frozen=True)
class HandFit:
    """A measured f-I curve, currents (n,) [µA/cm²] and rates (n,) [Hz], the unit's answer (n,) [Hz] and its R², and the
    best that least squares finds for the same function.
    """

    currents: np.ndarray
    rates: np.ndarray
    answer: np.ndarray
    R2: float
    best: Fit


def hand_fit(
    neuron: str = "squid axon",
    temperature: float = 6.3,
    g_M: float = 0.07,
    function: str = "sigmoid",
    scale: float = 100.0,
    gain: float = 0.1,
    bias: float = 5.0,
) -> HandFit:
    """Lay scale·f(gain·(I - bias)) over the curve of a neuron: the function behind the explorer.

    neuron: "squid axon", which has a temperature [°C], or "Pospischil", which has an M current (g_M [mS/cm²]).
    Raises ValueError for another neuron or function.
    """
    for name, value, allowed in (("neuron", neuron, tuple(NEURONS)), ("function", function, FUNCTIONS)):
        if value not in allowed:
            raise ValueError(f"{name} = {value!r}; allowed: {', '.join(allowed)}")
    currents, rates, best = _measured(neuron, temperature if neuron == "squid axon" else g_M, function)
    answer = scale * ACTIVATIONS[function](gain * (currents - bias))
    return HandFit(currents, rates, answer, explained(rates, answer), best)


@cache
def _measured(neuron: str, setting: float, function: str) -> tuple[np.ndarray, np.ndarray, Fit]:
    """The curve does not change while the unit is turned: measured and fitted once for each setting of the neuron."""
    currents = NEURONS[neuron]
    cell = HodgkinHuxley(temperature=setting) if neuron == "squid axon" else Pospischil(noise=0.0, g_M=setting)
    rates = measure_f_I(cell, currents, seconds=1.0)
    return currents, rates, fit_activation(function, currents, rates)


def explore_hand_fit() -> Explorer:
    """Turn a neuron's temperature or adaptation, and a unit's gain and bias; see both curves and R²."""
    figure = canvas(3.8)
    ax = figure.subplots()
    (measured,) = ax.plot([], [], "o", color=COLOURS["V"], markersize=4, label="neuron")
    (best,) = ax.plot([], [], color="0.6", linestyle="--", label="best fit of this function")
    (unit,) = ax.plot([], [], color=ORANGE, linewidth=2.4, label="your unit")
    ax.set(xlabel="injected current (µA/cm²)", ylabel="steady rate (Hz)", ylim=(-40, 200))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)

    def update(**values: float | str) -> str:
        shown = hand_fit(**values)  # type: ignore[arg-type]
        measured.set_data(shown.currents, shown.rates)
        best.set_data(shown.currents, shown.best(shown.currents))
        unit.set_data(shown.currents, shown.answer)
        ax.set_xlim(shown.currents[0] - 0.3, shown.currents[-1] + 0.3)
        ax.set_ylim(-40.0, max(160.0, 1.15 * shown.rates.max()))
        firing = shown.currents[shown.rates > 0]
        onset = f"fires from {firing[0]:.4g} µA/cm² on" if len(firing) else "does not fire"
        return (
            f"The neuron {onset}, at up to {shown.rates.max():.0f} Hz. Your {values['function']} explains "
            f"R² = {shown.R2:.2f} of its rates; the best {values['function']} explains {shown.best.R2:.2f}."
        )

    squid, cortical = HodgkinHuxley.parameters(), Pospischil.parameters()
    groups = {
        "neuron": [
            Choice("neuron", list(NEURONS), "squid axon", "whose f-I curve is measured"),
            Dial(squid["temperature"]),
            Dial(replace(cortical["g_M"], low=0.0, high=0.3)),
        ],
        "unit": [
            Choice("function", FUNCTIONS, "sigmoid", "activation function"),
            *(Dial(declared) for declared in Unit.parameters().values()),
        ],
    }
    return Explorer(figure, update, groups)


# ---------------------------------------------------------------------------------------- the surrogate gradient

STEPS = 40


@dataclass(frozen=True)
class Surrogate:
    """distance (k,) of V from the threshold and the surrogate's slope (k,) there; lags (steps,) [ms] before a spike and
    the gradient (steps,) that the inputs there receive.
    """

    distance: np.ndarray
    slope: np.ndarray
    lags: np.ndarray
    reach: np.ndarray


def surrogate(
    spike: Callable[[Tensor, float], Tensor], layer: Callable[..., nn.Module], width: float, seed: int = 0
) -> Surrogate:
    """What `width` does to the gradient of `spike(V - threshold, width)` and through `layer(n_in, n_out, width)`.

    The layer has 20 inputs and 50 units, random weights and random inputs, both from `seed`.
    """
    distance = torch.linspace(-2.0, 2.0, 401, requires_grad=True)
    (slope,) = torch.autograd.grad(spike(distance, width).sum(), distance)
    torch.manual_seed(seed)
    built = layer(20, 50, width)
    lags, reach = gradient_through_time(built, torch.rand(64, STEPS, 20))
    return Surrogate(distance.detach().numpy(), slope.numpy(), lags, reach)


def explore_surrogate(spike: Callable[[Tensor, float], Tensor], layer: Callable[..., nn.Module]) -> Explorer:
    """Slide the width of the surrogate; see its slope, and how far back in time the gradient of a spike reaches."""
    figure = canvas(3.5)
    left, right = figure.subplots(1, 2)
    first = surrogate(spike, layer, Width().width)
    (bump,) = left.plot(first.distance, first.slope, color=LAW_LOOKS["LIF"][0])
    left.plot([-2, 0, 0, 2], [0, 0, 1, 1], color="0.6", linestyle="--")
    left.text(0.75, 1.05, "the spike itself", color="0.4")
    left.text(-1.95, 1.05, "slope of the surrogate", color=BLUE)
    left.set(xlabel="V − threshold (of threshold − rest)", ylim=(-0.05, 1.25))
    (line,) = right.semilogy(first.lags, np.maximum(first.reach, 1e-12), color=BLUE)
    right.set(xlabel="how long before the spike (ms)", ylabel="mean |gradient|", ylim=(1e-6, 1e12), xlim=(0, STEPS))

    def update(width: float) -> str:
        shown = surrogate(spike, layer, width)
        bump.set_ydata(shown.slope)
        line.set_ydata(np.maximum(shown.reach, 1e-12))
        ratio = shown.reach[20] / shown.reach[0]
        near = (shown.slope > 0.5 * shown.slope.max()).mean() * np.ptp(shown.distance)
        return (
            f"Width {width:.4g}: the slope is above half its height over {near:.2f} of the distance from rest to "
            f"threshold. An input 20 ms before the spike receives {ratio:.1e} of the gradient of the latest one."
        )

    return Explorer(figure, update, {"": [Dial(Width.parameters()["width"])]})
