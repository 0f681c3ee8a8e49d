"""The rate-law explorer of notebook 3: fit an activation function to the f-I curve of a neuron by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from helpers.artificial.rate_laws import RATE_LAWS, RateFit, fit_rate_law, r_squared
from helpers.experiments.f_I import measure_f_I
from helpers.figures.colours import COLOURS, GUIDE, ORANGE
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.neurons.parameters import Declared, parameter
from helpers.validation import one_of

from .controls import Dropdown, Slider
from .explorer import Explorer, canvas

__all__ = ["HandFit", "explore_hand_fit", "hand_fit"]

CURRENTS = {"squid axon": np.arange(0.0, 51.0), "Pospischil": np.arange(0.0, 12.1, 0.25)}  # µA/cm², by neuron
FUNCTIONS = ("ReLU", "softplus", "sigmoid", "tanh")


@dataclass(frozen=True, kw_only=True)
class Unit(Declared):
    """An artificial neuron whose output is scale·f(gain·(I - threshold)).

    In the form f(w·x + b) of artificial networks the weight w is the gain, and the bias b = -gain·threshold.
    """

    scale: float = parameter(100.0, "Hz", "what the function's values are multiplied by", low=1.0, high=300.0)
    gain: float = parameter(0.1, "cm²/µA", "slope: how strongly the input counts", low=0.01, high=2.0)
    threshold: float = parameter(5.0, "µA/cm²", "where z is 0; the bias is −gain·threshold", low=-10.0, high=30.0)


@dataclass(frozen=True)
class HandFit:
    """A unit set by hand, compared with the measured f-I curve of a neuron.

    Attributes
    ----------
    currents, rates
        The f-I curve, each of shape (n_currents,) [µA/cm², Hz].
    answer
        Output of the unit, shape (n_currents,) [Hz].
    R2
        Share of the variance of `rates` that the unit explains.
    best
        Least-squares fit of the same function.
    """

    currents: np.ndarray
    rates: np.ndarray
    answer: np.ndarray
    R2: float
    best: RateFit


def hand_fit(
    neuron: str = "squid axon",
    temperature: float = 6.3,
    g_M: float = 0.07,
    function: str = "sigmoid",
    scale: float = 100.0,
    gain: float = 0.1,
    threshold: float = 5.0,
) -> HandFit:
    """Compare scale·f(gain·(I - threshold)) with the f-I curve of a neuron.

    Parameters
    ----------
    neuron
        "squid axon", which has a temperature, or "Pospischil", which has an M current.
    temperature
        Of the squid axon [°C].
    g_M
        Conductance of the M current [mS/cm²].
    function
        "ReLU", "softplus", "sigmoid" or "tanh".
    scale, gain, threshold
        Of the unit [Hz, cm²/µA, µA/cm²].

    Raises
    ------
    ValueError
        For another neuron or function.
    """
    one_of("neuron", neuron, CURRENTS)
    one_of("function", function, FUNCTIONS)
    currents, rates, best = _measured(neuron, temperature if neuron == "squid axon" else g_M, function)
    answer = scale * RATE_LAWS[function].function(gain * (currents - threshold))
    return HandFit(currents, rates, answer, r_squared(rates, answer), best)


@cache  # the curve does not change while the unit is adjusted
def _measured(neuron: str, setting: float, function: str) -> tuple[np.ndarray, np.ndarray, RateFit]:
    currents = CURRENTS[neuron]
    cell = HodgkinHuxley(temperature=setting) if neuron == "squid axon" else Pospischil(noise=0.0, g_M=setting)
    rates = measure_f_I(cell, currents, seconds=1.0)
    return currents, rates, fit_rate_law(function, currents, rates)


def explore_hand_fit() -> Explorer:
    """Change a neuron's temperature or adaptation, and a unit's scale, gain and threshold; see both curves and R²."""
    figure = canvas(3.8)
    ax = figure.subplots()
    (measured,) = ax.plot([], [], "o", color=COLOURS["V"], markersize=4, label="neuron")
    (best,) = ax.plot([], [], color=GUIDE, linestyle="--", label="best fit of this function")
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

    groups = {
        "neuron": [
            Dropdown("neuron", list(CURRENTS), "squid axon", "whose f-I curve is measured"),
            Slider(HodgkinHuxley.parameters()["temperature"]),
            Slider(replace(Pospischil.parameters()["g_M"], low=0.0, high=0.3)),
        ],
        "unit": [
            Dropdown("function", FUNCTIONS, "sigmoid", "activation function"),
            *map(Slider, Unit.parameters().values()),
        ],
    }
    return Explorer(figure, update, groups)
