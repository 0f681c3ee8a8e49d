"""Experiments on one neuron in current clamp: steady currents, frozen gates, thresholds and refractoriness.

A threshold is found by bisection, for many experiments at once (`simulate_many`). "Fires" means a spike as the neuron
declares it, see `find_spikes`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

from helpers.neurons.equations import Equation, Neuron
from helpers.neurons.parameters import parameter
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import pulse_pair, step
from helpers.simulation.summaries import spike_count
from helpers.simulation.trace import Trace
from helpers.validation import number, numbers, one_of

from .dynamics import resting_state
from .voltage_clamp import ClampTrace

__all__ = [
    "StrengthDurationFit",
    "conductances",
    "find_threshold",
    "fit_strength_duration",
    "freeze_gate",
    "lapicque",
    "refractory_threshold",
    "steady_currents",
    "strength_duration",
    "weiss",
]

BASELINE = 5.0  # ms of rest before a pulse
RESPONSE = 30.0  # ms after the last pulse within which a spike counts as the response

# ----------------------------------------------------------------------------------------- currents and conductances


def steady_currents(neuron: Neuron, V: Any) -> dict[str, np.ndarray]:
    """Return each ionic current with all gates at their steady state.

    Parameters
    ----------
    neuron : Neuron
    V : array_like
        Of any shape [mV].

    Returns
    -------
    dict
        The currents by name, shaped like `V` [µA/cm²], outward positive.
    """
    V = numbers("V", V, "mV", low=-1000.0, high=1000.0)
    values = {**neuron.constants(), "V": V, **{gate: neuron.steady_state(gate, V) for gate in neuron.gates}}
    channels = {name: entry.evaluate(values) for name, entry in neuron.currents.items()}
    return {name: g * (V - E) for name, (g, E) in channels.items()}


def conductances(neuron: Neuron, trace: Trace | ClampTrace) -> dict[str, np.ndarray]:
    """Return the conductance behind each ionic current of a trace.

    Parameters
    ----------
    neuron : Neuron
        The neuron that was simulated.
    trace : Trace or ClampTrace

    Returns
    -------
    dict
        The conductances by name of the current, shaped like `trace.V` [mS/cm²].
    """
    values = {**neuron.constants(), **trace.states}
    return {name: np.broadcast_to(entry.evaluate(values)[0], trace.V.shape) for name, entry in neuron.currents.items()}


def freeze_gate(neuron: Neuron, gate: str, value: float) -> Neuron:
    """Return the same neuron with one gate fixed at a value, whatever V does.

    No drug does this; it shows the role of that gate.

    Parameters
    ----------
    neuron : Neuron
    gate : str
        The name of the gate.
    value : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If another gate of the neuron is frozen already.
    """
    one_of("gate", gate, neuron.gates)
    kind = type(neuron)
    others = [name for name, entry in neuron.gates.items() if entry.function is _frozen and name != gate]
    if others:  # both would take their value from the one parameter `frozen`
        raise ValueError(f"the gate {others[0]} of {kind.__name__} is frozen already; allowed: one frozen gate")
    frozen = parameter(0.5, "", f"value at which {gate} is frozen", low=0.0, high=1.0, minimum=0.0, maximum=1.0)
    body = {
        "__doc__": f"{kind.__name__} with {gate} frozen.",
        "__module__": __name__,
        "__annotations__": {"frozen": "float"},
        "frozen": frozen,
        gate: Equation(gate, "gate", _frozen, ("frozen",)),
    }
    changed: type[Neuron] = dataclass(frozen=True, kw_only=True)(type(f"{kind.__name__}_{gate}_frozen", (kind,), body))
    return changed(**{**neuron.values(), "frozen": value})


def _frozen(frozen):
    return frozen, 1.0 - frozen  # x_inf = frozen at every V, and the gate starts there


# --------------------------------------------------------------------------------------------------------- thresholds


def find_threshold(
    fires: Callable[[np.ndarray], np.ndarray], low: Any, high: Any, tolerance: float = 1e-4
) -> np.ndarray:
    """Return the smallest strength that fires, found by bisection for several experiments at once.

    Parameters
    ----------
    fires : callable
        Takes strengths (n,) and returns whether each fires, bool (n,). It must switch from False to True once between
        `low` and `high`.
    low, high : array_like
        Numbers, or of shape (n,).
    tolerance : float
        The interval is halved until it is smaller than this fraction of the strength.

    Returns
    -------
    ndarray of shape (n,)
        The upper end of the last interval, a strength that did fire; inf where even `high` does not.

    Raises
    ------
    ValueError
        If `low` is not below `high`, or fires already.
    """
    tolerance = number("tolerance", tolerance, low=1e-12, high=1.0)
    low, high = np.atleast_1d(numbers("low", low)), np.atleast_1d(numbers("high", high))
    if low.ndim > 1 or high.ndim > 1 or 1 < low.size != high.size > 1:
        raise ValueError(f"low and high have shapes {low.shape}, {high.shape}; allowed: numbers, or (n,) both")
    low, high = np.broadcast_arrays(low, high)
    if not (low < high).all():
        raise ValueError(f"low = {low}, high = {high}; allowed: low below high")
    if (early := fires(low)).any():
        raise ValueError(f"low = {low[np.argmax(early)]:g} fires already; allowed: a strength below threshold")
    reachable = fires(high)
    while True:
        middle = 0.5 * low + 0.5 * high
        # between neighbouring floating-point numbers no middle is left
        if not ((0.5 * high - 0.5 * low > 0.5 * tolerance * np.abs(high)) & (low < middle) & (middle < high)).any():
            break
        fired = fires(middle)
        low, high = np.where(fired, low, middle), np.where(fired, middle, high)
    return np.where(reachable, high, np.inf)


def strength_duration(
    neuron: Neuron, widths: np.ndarray, *, max_amplitude: float = 1000.0, tolerance: float = 1e-4, dt: float = 0.01
) -> np.ndarray:
    """Return the threshold of the resting neuron for current pulses of each width.

    Parameters
    ----------
    neuron : Neuron
    widths : ndarray of shape (n,)
        In ms.
    max_amplitude : float
        The strongest current that is tried [µA/cm²].
    tolerance : float
        Relative, as in `find_threshold`.
    dt : float
        Time step [ms].

    Returns
    -------
    ndarray of shape (n,)
        In µA/cm²; inf for a pulse that needs more than `max_amplitude`.
    """
    widths = numbers("widths", widths, "ms", shape=(None,), low=2.0 * number("dt", dt, "ms", above=0.0), high=1e3)
    max_amplitude = number("max_amplitude", max_amplitude, "µA/cm²", above=0.0, high=1e6)
    V_rest = np.full(len(widths), resting_state(neuron)["V"])
    last = BASELINE + float(np.max(widths))

    def fires(amplitudes: np.ndarray) -> np.ndarray:
        changed = {"V_init": V_rest, "amplitude": amplitudes, "stop": BASELINE + widths}
        return _spikes(neuron, step(0.0, BASELINE, last), changed, last + RESPONSE, dt) >= 1

    return find_threshold(fires, *_bracket(fires, max_amplitude, len(widths)), tolerance)


def _bracket(fires: Callable[[np.ndarray], np.ndarray], strongest: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The last strength without a spike and the first with one, (n,) each, doubling up to the strongest.

    Bisection would miss the threshold if it began at a current so strong that it carries V past any spike.
    """
    low, high = np.zeros(n), np.full(n, np.inf)
    for strength in strongest * 2.0 ** np.arange(-16.0, 1.0):
        waits = np.isinf(high)
        fired = fires(np.full(n, strength))
        high[waits & fired], low[waits & ~fired] = strength, strength
        if np.isfinite(high).all():
            break
    silent = np.isinf(high)
    return np.where(silent, 0.0, low), np.where(silent, strongest, high)


def refractory_threshold(
    neuron: Neuron,
    intervals: np.ndarray,
    *,
    width: float = 0.5,
    max_relative: float = 5.0,
    tolerance: float = 1e-3,
    dt: float = 0.01,
) -> np.ndarray:
    """Return the threshold of a second pulse after a spike, relative to the threshold at rest.

    A first pulse of twice the threshold fires the neuron; the second must make it spike again.

    Parameters
    ----------
    neuron : Neuron
    intervals : ndarray of shape (n,)
        Between the onsets of the two pulses [ms].
    width : float
        Of both pulses [ms].
    max_relative : float
        The strongest second pulse that is tried, relative to the threshold at rest. It must be too weak to raise V to
        the spike threshold without the help of any channel.
    tolerance : float
        Relative, as in `find_threshold`.
    dt : float
        Time step [ms].

    Returns
    -------
    ndarray of shape (n,)
        inf where no pulse fires: the absolute refractory period.
    """
    intervals = numbers("intervals", intervals, "ms", shape=(None,), low=0.0, high=1e3)
    width, max_relative = (
        number("width", width, "ms", above=0.0),
        number("max_relative", max_relative, above=0.0, high=1e6),
    )
    (at_rest,) = strength_duration(neuron, np.array([width]), tolerance=tolerance, dt=dt)
    V_rest, C = resting_state(neuron)["V"], neuron.constants()["C"]
    if V_rest + max_relative * at_rest * width / C > neuron.spike_threshold:
        raise ValueError(
            f"max_relative = {max_relative:g} raises V to {neuron.spike_threshold:g} mV without channels; "
            f"allowed: less than {(neuron.spike_threshold - V_rest) * C / (at_rest * width):.3g}"
        )
    end = BASELINE + float(np.max(intervals)) + width
    pulses = pulse_pair(2.0 * at_rest, width, 0.0, BASELINE, end)

    def fires(relative: np.ndarray) -> np.ndarray:
        changed = {
            "V_init": np.full(len(intervals), V_rest),
            "second_amplitude": relative * at_rest,
            "interval": intervals,
        }
        return _spikes(neuron, pulses, changed, end + RESPONSE, dt) >= 2

    return find_threshold(fires, np.zeros(len(intervals)), max_relative, tolerance)


def _spikes(neuron: Neuron, stimulus: Any, changed: Mapping[str, np.ndarray], duration: float, dt: float) -> np.ndarray:
    """Number of spikes for each set of changed parameters."""
    duration = np.ceil(duration / dt - 1e-6) * dt  # widths need not be multiples of dt
    return simulate_many(neuron, stimulus, changed, duration, dt, seed=0, summarise=spike_count)[:, 0]


# -------------------------------------------------------------------------------------- laws of strength and duration


def weiss(widths: np.ndarray, rheobase: float, chronaxie: float) -> np.ndarray:
    """Threshold [µA/cm²] by Weiss's law, in which the charge grows linearly with the width of the pulse.

    Parameters
    ----------
    widths : ndarray of shape (n,)
        In ms.
    rheobase : float
        In µA/cm².
    chronaxie : float
        In ms.

    References
    ----------
    Weiss 1901, Arch Ital Biol 35:413.
    """
    widths, rheobase, chronaxie = _checked_law(widths, rheobase, chronaxie)
    return rheobase * (1.0 + chronaxie / widths)


def lapicque(widths: np.ndarray, rheobase: float, chronaxie: float) -> np.ndarray:
    """Threshold [µA/cm²] by Lapicque's law, in which a leaky capacitor must reach a fixed V.

    Its time constant is chronaxie / ln 2: a pulse of one chronaxie needs twice the rheobase, as in Weiss's law.

    Parameters
    ----------
    widths, rheobase, chronaxie
        As in `weiss`.

    References
    ----------
    Lapicque 1907, J Physiol Pathol Gen 9:620.
    """
    widths, rheobase, chronaxie = _checked_law(widths, rheobase, chronaxie)
    return rheobase / -np.expm1(-np.log(2.0) * widths / chronaxie)


def _checked_law(widths: np.ndarray, rheobase: float, chronaxie: float) -> tuple[np.ndarray, float, float]:
    """Widths and chronaxie [ms] and the rheobase [µA/cm²], in ranges in which nothing overflows."""
    widths = numbers("widths", widths, "ms", low=1e-9, high=1e9)
    return (
        widths,
        number("rheobase", rheobase, "µA/cm²", above=0.0, high=1e9),
        number("chronaxie", chronaxie, "ms", low=1e-9, high=1e9),
    )


@dataclass(frozen=True, eq=False)
class StrengthDurationFit:
    """A law fitted to thresholds.

    Parameters
    ----------
    rheobase : float
        In µA/cm².
    chronaxie : float
        In ms.
    errors : ndarray of shape (n,)
        Relative error of the law at each threshold.
    """

    rheobase: float
    chronaxie: float
    errors: np.ndarray


def fit_strength_duration(
    law: Callable[[np.ndarray, float, float], np.ndarray], widths: np.ndarray, thresholds: np.ndarray
) -> StrengthDurationFit:
    """Fit a law by least squares of the logarithm, so that relative errors count.

    Parameters
    ----------
    law : callable
        `weiss` or `lapicque`, or another function with these arguments.
    widths : ndarray of shape (n,)
        In ms.
    thresholds : ndarray of shape (n,)
        In µA/cm².

    Raises
    ------
    ValueError
        For thresholds that are not finite and positive, or that the law cannot fit.
    """
    widths = numbers("widths", widths, "ms", shape=(None,), low=1e-9, high=1e9)
    thresholds = numbers("thresholds", thresholds, "µA/cm²", shape=widths.shape, above=0.0)
    if len(widths) < 2:
        raise ValueError(f"widths has shape {widths.shape}; allowed: at least 2")

    def logarithm(widths: np.ndarray, log_rheobase: float, log_chronaxie: float) -> np.ndarray:
        return np.log(law(widths, np.exp(log_rheobase), np.exp(log_chronaxie)))

    first = np.log([thresholds.min(), np.median(widths)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an overflow or a singular fit counts as a failure
            (rheobase, chronaxie), _ = curve_fit(logarithm, widths, np.log(thresholds), p0=first)
    except (RuntimeError, RuntimeWarning, OptimizeWarning, ValueError):
        raise ValueError(f"no curve of this law fits thresholds = {thresholds} µA/cm²") from None
    rheobase, chronaxie = float(np.exp(rheobase)), float(np.exp(chronaxie))
    return StrengthDurationFit(rheobase, chronaxie, law(widths, rheobase, chronaxie) / thresholds - 1.0)
