"""Artificial units: the measured input-output curve of a neuron, and activation functions fitted to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from helpers.neurons.models import LeakyIntegrateAndFire
from helpers.validation import numbers, plain

__all__ = [
    "ACTIVATIONS",
    "RATE_LAWS",
    "Fit",
    "RateLaw",
    "explained",
    "fit_activation",
    "lif_rate",
    "lif_rheobase",
]


# ------------------------------------------------------------------------------------------ the LIF in closed form


def lif_rheobase(neuron: LeakyIntegrateAndFire) -> float:
    """The smallest current [pA] at which the LIF fires for ever: g_L·(V_th - E_L)."""
    return neuron.g_L * (neuron.V_th - neuron.E_L)


def lif_rate(neuron: LeakyIntegrateAndFire, currents: np.ndarray) -> np.ndarray:
    """The firing rate [Hz], (n,), of the noiseless LIF at constant `currents` (n,) [pA], in closed form.

    1/(t_ref + tau_m·ln((E_L + I/g_L - V_reset)/(E_L + I/g_L - V_th))), and 0 up to the rheobase.
    Source: Gerstner et al. 2014, Neuronal Dynamics, section 1.3.
    """
    end = neuron.E_L + numbers("currents", currents, "pA") / neuron.g_L  # where V would go [mV]
    above = np.maximum(end - neuron.V_th, 1e-300)
    with np.errstate(over="ignore", divide="ignore"):
        interval = neuron.t_ref + neuron.tau_m * np.log(np.maximum(end - neuron.V_reset, above) / above)
        return np.where(end > neuron.V_th, 1000.0 / interval, 0.0)


# --------------------------------------------------------------------------------------------- fitted to a curve

# Activation functions of artificial neurons, of the input z = gain·(I - bias). Each is scaled by a rate [Hz].
ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "ReLU": lambda z: np.maximum(0.0, z),
        "softplus": lambda z: np.logaddexp(0.0, z),
        "sigmoid": expit,
        "tanh": np.tanh,
    }
)


@dataclass(frozen=True)
class RateLaw:
    """A function of z and, where `shape` is given, of one more number: its start, lowest and highest value in a fit."""

    function: Callable[..., np.ndarray]
    shape: tuple[float, float, float] | None = None
    meaning: str = ""


def _leaky(z: np.ndarray, slope: float) -> np.ndarray:
    return np.where(z > 0.0, z, slope * z)


def _lif(z: np.ndarray, ratio: float) -> np.ndarray:
    """`lif_rate` with scale = 1/t_ref, gain = 1/(g_L·(V_th - V_reset)), bias = the rheobase, ratio = tau_m/t_ref."""
    inverse = 1.0 / np.maximum(z, 1e-300)
    return np.where(z > 0.0, 1.0 / (1.0 + ratio * np.log1p(inverse)), 0.0)


# What can be fitted: the activation functions, and two laws with one number more.
RATE_LAWS: Mapping[str, RateLaw] = MappingProxyType(
    {
        "ReLU": RateLaw(ACTIVATIONS["ReLU"]),
        "leaky ReLU": RateLaw(_leaky, (0.01, 0.0, 1.0), "slope below the bias over the slope above it"),
        **{name: RateLaw(ACTIVATIONS[name]) for name in ("softplus", "sigmoid", "tanh")},
        "LIF": RateLaw(_lif, (5.0, 1e-3, 1e3), "membrane time constant over refractory time"),
    }
)


@dataclass(frozen=True)
class Fit:
    """A rate law fitted to an f-I curve: rate = scale·f(gain·(I - bias)), or f(gain·(I - bias), shape).

    scale [Hz]; gain and bias in the inverse unit and the unit of the current; shape: the one number more of the laws
    that have it, else None. R2 is the share of the variance of the rates that it explains (0 where they do not vary).
    """

    name: str
    scale: float
    gain: float
    bias: float
    R2: float
    shape: float | None = None

    def __call__(self, currents: np.ndarray) -> np.ndarray:
        """The rate [Hz] at `currents`."""
        z = self.gain * (numbers("currents", currents, low=-1e100, high=1e100) - self.bias)
        more = () if self.shape is None else (self.shape,)
        return self.scale * RATE_LAWS[self.name].function(z, *more)


def explained(rates: np.ndarray, predicted: np.ndarray) -> float:
    """R²: the share of the variance of `rates` (n,) that `predicted` (n,) explains; 0 where they do not vary."""
    rates = numbers("rates", rates, "Hz", shape=(None,), low=-1e100, high=1e100)
    predicted = numbers("predicted", predicted, "Hz", shape=rates.shape, low=-1e100, high=1e100)
    total = np.sum((rates - np.mean(rates)) ** 2)
    return float(1.0 - np.sum((rates - predicted) ** 2) / total) if total > 0 else 0.0


def fit_activation(name: str, currents: np.ndarray, rates: np.ndarray) -> Fit:
    """Least-squares fit of a rate law, one of `RATE_LAWS`, to an f-I curve: (n,) currents and (n,) rates [Hz].

    Raises ValueError for an unknown law, fewer than 5 points, or values that are not finite.
    """
    if not (isinstance(name, str) and name in RATE_LAWS):
        raise ValueError(f"activation {name!r}; allowed: {', '.join(RATE_LAWS)}")
    currents, rates = (
        plain(what, values, "finite numbers") for what, values in (("currents", currents), ("rates", rates))
    )
    if currents.shape != rates.shape or currents.ndim != 1 or len(currents) < 5:
        raise ValueError(f"currents {currents.shape} and rates {rates.shape}; allowed: the same length, at least 5")
    if not (np.isfinite(currents).all() and np.isfinite(rates).all()):
        raise ValueError("currents or rates hold NaN or infinity; allowed: finite numbers")
    if max(np.abs(currents).max(), np.abs(rates).max()) > 1e100 or not np.ptp(currents) > 0:
        ends = f"currents from {currents.min():g} to {currents.max():g}, rates up to {rates.max():g} Hz"
        raise ValueError(f"{ends}; allowed: currents that differ, and numbers up to 1e100")
    law, least, span, top = RATE_LAWS[name], currents.min(), np.ptp(currents), max(rates.max(), 1.0)
    x, y = (currents - least) / span, rates / top  # all numbers of a fit are then about 1

    def curve(x: np.ndarray, scale: float, gain: float, bias: float, *shape: float) -> np.ndarray:
        return scale * law.function(gain * (x - bias), *shape)

    more = [law.shape] if law.shape else []
    low = [0.0, 1e-3, -1000.0, *(low for _, low, _ in more)]
    high = [50.0, 1e3, 1.0, *(high for _, _, high in more)]
    first = max(int(np.argmax(rates > 0)), 1)  # of the currents that make it fire
    onsets = np.linspace(x[first - 1], x[first], 4)[:3]
    starts = [  # least squares only finds the nearest valley
        [1.0, gain, bias, *shape]
        for gain in (1.0, 10.0)
        for bias in (*np.quantile(x, [0.0, 0.25, 0.5]), *onsets)
        for shape in ([[law.shape[0] * factor] for factor in (0.2, 1.0, 20.0)] if law.shape else [[]])
    ]
    ends = [  # a start that leads to no end within the steps given is as good as where it got
        least_squares(lambda p: curve(x, *p) - y, start, bounds=(low, high), max_nfev=1000) for start in starts
    ]
    scale, gain, bias, *shape = map(float, min(ends, key=lambda end: end.cost).x)
    R2 = explained(y, curve(x, scale, gain, bias, *shape))
    numbers = map(float, (scale * top, gain / span, least + bias * span, R2))
    return Fit(name, *numbers, shape[0] if shape else None)
