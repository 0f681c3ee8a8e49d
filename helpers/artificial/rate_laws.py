"""Rate laws: the f-I curve of a neuron in closed form, and activation functions fitted to a measured one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit
from sklearn.metrics import r2_score

from helpers.neurons.models import LeakyIntegrateAndFire
from helpers.validation import numbers, one_of

__all__ = [
    "RATE_LAWS",
    "RateFit",
    "RateLaw",
    "fit_rate_law",
    "fit_rate_laws",
    "lif_rate",
    "lif_rheobase",
    "r_squared",
]


# ------------------------------------------------------------------------------------------ the LIF in closed form


def lif_rheobase(neuron: LeakyIntegrateAndFire) -> float:
    """Compute the smallest current [pA] at which the LIF neuron fires repeatedly: g_L·(V_th - E_L)."""
    return neuron.g_L * (neuron.V_th - neuron.E_L)


def lif_rate(neuron: LeakyIntegrateAndFire, currents: np.ndarray) -> np.ndarray:
    """Compute the firing rate [Hz] of the noiseless LIF neuron at constant currents, in closed form.

    1/(t_ref + tau_m·ln((E_L + I/g_L - V_reset)/(E_L + I/g_L - V_th))), and 0 up to the rheobase.

    Parameters
    ----------
    neuron
        The neuron.
    currents
        Constant currents (n,) [pA].

    References
    ----------
    Gerstner et al. 2014, Neuronal Dynamics, section 1.3.
    """
    end = neuron.E_L + numbers("currents", currents, "pA") / neuron.g_L  # where V would go [mV]
    above = np.maximum(end - neuron.V_th, 1e-300)
    with np.errstate(over="ignore", divide="ignore"):
        interval = neuron.t_ref + neuron.tau_m * np.log(np.maximum(end - neuron.V_reset, above) / above)
        return np.where(end > neuron.V_th, 1000.0 / interval, 0.0)


# --------------------------------------------------------------------------------------------- fitted to a curve


@dataclass(frozen=True)
class RateLaw:
    """A function of z = gain·(I - threshold), scaled by a rate [Hz].

    Attributes
    ----------
    function
        The function of z, and of the shape if there is one.
    shape
        Initial, lowest and highest value of the shape in a fit.
    meaning
        What the shape is.
    """

    function: Callable[..., np.ndarray]
    shape: tuple[float, float, float] | None = None
    meaning: str = ""


def _leaky(z: np.ndarray, slope: float) -> np.ndarray:
    return np.where(z > 0.0, z, slope * z)


def _lif(z: np.ndarray, ratio: float) -> np.ndarray:
    """`lif_rate` with scale = 1/t_ref, gain = 1/(g_L·(V_th - V_reset)), threshold the rheobase, ratio = tau_m/t_ref."""
    inverse = 1.0 / np.maximum(z, 1e-300)
    return np.where(z > 0.0, 1.0 / (1.0 + ratio * np.log1p(inverse)), 0.0)


# The activation functions of artificial neurons, and two laws with a shape.
RATE_LAWS: Mapping[str, RateLaw] = MappingProxyType(
    {
        "ReLU": RateLaw(lambda z: np.maximum(0.0, z)),
        "leaky ReLU": RateLaw(_leaky, (0.01, 0.0, 1.0), "slope below the threshold over the slope above it"),
        "softplus": RateLaw(lambda z: np.logaddexp(0.0, z)),
        "sigmoid": RateLaw(expit),
        "tanh": RateLaw(np.tanh),
        "LIF": RateLaw(_lif, (5.0, 1e-3, 1e3), "membrane time constant over refractory time"),
    }
)


@dataclass(frozen=True)
class RateFit:
    """A rate law fitted to an f-I curve: rate = scale·f(gain·(I - threshold)), where f may also have a shape.

    In the form f(w·I + b) the weight w is the gain, and the bias b = -gain·threshold.

    Attributes
    ----------
    name
        Name of the rate law.
    scale
        Rate [Hz].
    gain, threshold
        In the inverse unit and the unit of the current.
    R2
        Share of the variance of the rates that it explains; 0 if they do not vary.
    shape
        Shape of the laws that have one, else None.
    """

    name: str
    scale: float
    gain: float
    threshold: float
    R2: float
    shape: float | None = None

    def __call__(self, currents: np.ndarray) -> np.ndarray:
        """Compute the rate [Hz] at `currents` of any shape."""
        z = self.gain * (numbers("currents", currents, low=-1e100, high=1e100) - self.threshold)
        more = () if self.shape is None else (self.shape,)
        return self.scale * RATE_LAWS[self.name].function(z, *more)


def r_squared(rates: np.ndarray, predicted: np.ndarray) -> float:
    """Compute the share of the variance of `rates` (n,) that `predicted` (n,) explains; 0 if they do not vary."""
    rates = numbers("rates", rates, "Hz", shape=(None,), low=-1e100, high=1e100)
    predicted = numbers("predicted", predicted, "Hz", shape=rates.shape, low=-1e100, high=1e100)
    return float(r2_score(rates, predicted)) if np.ptp(rates) > 0 else 0.0


def fit_rate_law(name: str, currents: np.ndarray, rates: np.ndarray) -> RateFit:
    """Fit a rate law to an f-I curve by least squares.

    Parameters
    ----------
    name
        One of `RATE_LAWS`.
    currents, rates
        At least 5 currents (n,) and rates (n,) [Hz].

    Raises
    ------
    ValueError
        For an unknown law, fewer than 5 points, or values that are not finite.
    """
    law = RATE_LAWS[one_of("rate law", name, RATE_LAWS)]
    currents = numbers("currents", currents, shape=(None,), low=-1e100, high=1e100)
    rates = numbers("rates", rates, "Hz", shape=currents.shape, low=-1e100, high=1e100)
    if len(currents) < 5 or not np.ptp(currents) > 0:
        raise ValueError(f"currents: {len(currents)} from {currents.min():g} on; allowed: at least 5 that differ")
    least, span, top = float(currents.min()), float(np.ptp(currents)), max(float(rates.max()), 1.0)
    x, y = (currents - least) / span, rates / top  # all numbers of a fit are then about 1

    def curve(x: np.ndarray, scale: float, gain: float, threshold: float, *shape: float) -> np.ndarray:
        return scale * law.function(gain * (x - threshold), *shape)

    more = [law.shape] if law.shape else []
    low = [0.0, 1e-3, -1000.0, *(low for _, low, _ in more)]
    high = [50.0, 1e3, 1.0, *(high for _, _, high in more)]
    starts = _starts(law, x, y)  # least squares finds only the nearest minimum
    ends = [  # a start that does not converge within the steps allowed counts as far as it got
        least_squares(lambda p: curve(x, *p) - y, start, bounds=(low, high), max_nfev=200) for start in starts
    ]
    scale, gain, threshold, *shape = map(float, min(ends, key=lambda end: end.cost).x)
    R2 = r_squared(y, curve(x, scale, gain, threshold, *shape))
    return RateFit(name, scale * top, gain / span, least + threshold * span, R2, shape[0] if shape else None)


def fit_rate_laws(currents: np.ndarray, rates: np.ndarray) -> dict[str, RateFit]:
    """Fit each of `RATE_LAWS` to an f-I curve, as `fit_rate_law` does; return the fits by name."""
    return {name: fit_rate_law(name, currents, rates) for name in RATE_LAWS}


def _starts(law: RateLaw, x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Search a grid of gain, threshold and shape, each with its best scale; return the two best of each shape."""
    first = max(int(np.argmax(y > 0)), 1)  # index of the lowest current that makes it fire
    onsets = x[first] - (x[first] - x[first - 1]) * np.array([0.98, 0.6, 0.3, 0.1, 0.01])
    thresholds = np.array([*np.linspace(-1.003, 0.797, 19), *onsets])  # on no current: there it could not move
    starts = []
    for shape in [[law.shape[0] * factor] for factor in (0.04, 0.2, 1.0, 20.0)] if law.shape else [[]]:
        found = []
        for gain in np.geomspace(0.3, 300.0, 13):
            values = law.function(gain * (x - thresholds[:, None]), *shape)  # (n_thresholds, n)
            power = np.square(values).sum(1)
            scales = np.clip(values @ y / np.where(power > 0.0, power, 1.0), 0.0, 50.0)
            costs = np.square(scales[:, None] * values - y).sum(1)
            k = int(costs.argmin())
            found.append((float(costs[k]), [float(scales[k]), float(gain), float(thresholds[k]), *shape]))
        starts += [start for _, start in sorted(found)[:2]]
    return starts
