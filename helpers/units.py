"""Artificial units: the measured input-output curve of a neuron, and activation functions fitted to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import expit

from .equations import Neuron
from .simulator import simulate_many
from .stimuli import step
from .summaries import summary

__all__ = ["ACTIVATIONS", "Fit", "fit_activation", "firing_rate", "measure_f_I"]


@summary(rate="Hz")
def firing_rate(sweep):
    """Spikes per second [Hz] in the second half of the stimulus: upward crossings of -20 mV."""
    begin = (sweep.start + sweep.stop) / 2
    count = 0
    for i in range(1, len(sweep.V)):
        if sweep.t[i] > begin and sweep.t[i] <= sweep.stop and sweep.V[i - 1] < -20.0 <= sweep.V[i]:
            count += 1
    return np.array([count / (sweep.stop - begin) * 1000.0])


def measure_f_I(neuron: Neuron, currents: np.ndarray, seconds: float = 2.0) -> np.ndarray:
    """The f-I curve: steady firing rate [Hz], (n,), at constant `currents` (n,) [µA/cm²].

    Each current flows for `seconds`; the rate is counted over the second half, when the firing has settled.
    """
    duration = seconds * 1000.0
    held = {"amplitude": np.asarray(currents, dtype=float)}
    return simulate_many(neuron, step(0.0, 0.0, duration), held, duration, 0.02, seed=0, summarise=firing_rate)[:, 0]


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
class Fit:
    """An activation function fitted to an f-I curve: rate = scale·f(gain·(I - bias)).

    scale [Hz], gain [1/(µA/cm²)], bias [µA/cm²]; R2 is the share of the variance of the rates that
    it explains (0 where they do not vary).
    """

    name: str
    scale: float
    gain: float
    bias: float
    R2: float

    def __call__(self, currents: np.ndarray) -> np.ndarray:
        """The rate [Hz] at `currents` [µA/cm²]."""
        return self.scale * ACTIVATIONS[self.name](self.gain * (np.asarray(currents, dtype=float) - self.bias))


def fit_activation(name: str, currents: np.ndarray, rates: np.ndarray) -> Fit:
    """Least-squares fit of an activation function to an f-I curve, (n,) [µA/cm²] and (n,) [Hz].

    Raises ValueError for an unknown function, or fewer than 4 points.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r}; allowed: {', '.join(ACTIVATIONS)}")
    currents, rates = np.asarray(currents, dtype=float), np.asarray(rates, dtype=float)
    if currents.shape != rates.shape or currents.ndim != 1 or len(currents) < 4:
        raise ValueError(f"currents {currents.shape} and rates {rates.shape}; allowed: the same length, at least 4")

    def curve(x: np.ndarray, scale: float, gain: float, bias: float) -> np.ndarray:
        return scale * ACTIVATIONS[name](gain * (x - bias))

    span = np.ptp(currents)
    best: Fit | None = None
    for gain in (1.0 / span, 10.0 / span):  # a shallow and a steep start: least squares only finds the nearest valley
        for bias in np.quantile(currents, [0.0, 0.25, 0.5]):
            start = (max(rates.max(), 1.0), gain, bias)
            bounds = ([0.0, 1e-3 / span, currents.min() - span], [50 * start[0], 1e3 / span, currents.max()])
            values, _ = curve_fit(curve, currents, rates, p0=start, bounds=bounds, max_nfev=20_000)
            residual = np.sum((rates - curve(currents, *values)) ** 2)
            total = np.sum((rates - rates.mean()) ** 2)
            fit = Fit(name, *map(float, values), R2=float(1.0 - residual / total) if total > 0 else 0.0)
            best = fit if best is None or fit.R2 > best.R2 else best
    assert best is not None
    return best
