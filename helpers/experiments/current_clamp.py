"""Experiments on one neuron in current clamp: rest, thresholds, refractoriness, and gates held still.

A threshold is found by halving an interval of strengths, for many experiments at once (`simulate_many`). "Fires"
means that V rises through the neuron's `spike_threshold`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from scipy.optimize import OptimizeWarning, brentq, curve_fit

from helpers.neurons.equations import Equation, Neuron
from helpers.neurons.parameters import parameter
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import pulse_pair, step
from helpers.simulation.trace import Trace
from helpers.validation import number, numbers, plain

from .voltage_clamp import ClampTrace

__all__ = [
    "Fitted",
    "conductances",
    "fit_strength_duration",
    "hold_gate",
    "lapicque",
    "resting_state",
    "steady_currents",
    "strength_duration",
    "threshold",
    "threshold_after_spike",
    "weiss",
]

ONSET = 5.0  # ms of rest before a pulse
WATCH = 30.0  # ms after the last pulse within which a spike counts as its answer

# ------------------------------------------------------------------------------------- currents at rest and over time


def steady_currents(neuron: Neuron, V: Any) -> dict[str, np.ndarray]:
    """Each ionic current by name [µA/cm²] when `V` [mV] has been held until every gate is at its steady state."""
    V = numbers("V", V, "mV", low=-1000.0, high=1000.0)
    names = {**neuron.constants(), "V": V, **{gate: neuron.steady_state(gate, V) for gate in neuron.gates}}
    channels = {name: entry.evaluate(names) for name, entry in neuron.currents.items()}
    return {name: g * (V - E) for name, (g, E) in channels.items()}


def resting_state(neuron: Neuron, low: float = -120.0, high: float = 0.0) -> dict[str, float]:
    """The lowest V [mV] at which the steady currents cancel, and every gate there: an `initial_state` for `simulate`.

    Whether V comes back to it after a push is another question: see the stability of fixed points in `dynamics`.
    Raises ValueError when the sum of the currents does not turn from inward to outward between `low` and `high` [mV].
    """

    def total(V: Any) -> np.ndarray:
        return np.sum(list(np.broadcast_arrays(*steady_currents(neuron, V).values())), axis=0)

    low, high = number("low", low, "mV", low=-1000.0, high=1000.0), number("high", high, "mV", low=-1000.0, high=1000.0)
    if not low < high:
        raise ValueError(f"low = {low:g}, high = {high:g} mV; allowed: low below high")
    V = np.linspace(low, high, 1201)
    turns = np.flatnonzero((total(V[:-1]) < 0.0) & (total(V[1:]) >= 0.0))
    if not turns.size:
        raise ValueError(f"no rest between {low:g} and {high:g} mV: the steady current does not turn outward there")
    V_rest = brentq(total, V[turns[0]], V[turns[0] + 1], xtol=1e-12)
    return {"V": V_rest, **{gate: float(neuron.steady_state(gate, V_rest)) for gate in neuron.gates}}


def conductances(neuron: Neuron, trace: Trace | ClampTrace) -> dict[str, np.ndarray]:
    """The conductance behind each ionic current of `trace`, by name of the current [mS/cm²], shaped like `trace.V`."""
    names = {**neuron.constants(), **trace.states}
    return {name: np.broadcast_to(entry.evaluate(names)[0], trace.V.shape) for name, entry in neuron.currents.items()}


# -------------------------------------------------------------------------------------------------- a gate held still


def hold_gate(neuron: Neuron, gate: str, value: float) -> Neuron:
    """The same neuron with one gate held at `value`, from 0 to 1, whatever V does.

    No drug does this; it shows what the movement of that gate is good for. Raises ValueError for an unknown gate.
    """
    if not (isinstance(gate, str) and gate in neuron.gates):
        raise ValueError(f"gate {gate!r}; allowed: {', '.join(neuron.gates)}")
    kind = type(neuron)
    held = parameter(0.5, "", f"value at which {gate} is held", low=0.0, high=1.0, minimum=0.0, maximum=1.0)
    body = {
        "__doc__": f"{kind.__name__} with {gate} held.",
        "__module__": __name__,
        "__annotations__": {"held": "float"},
        "held": held,
        gate: Equation(gate, "gate", _held, ("held",)),
    }
    changed = dataclass(frozen=True, kw_only=True)(type(f"{kind.__name__}_{gate}_held", (kind,), body))
    return changed(**neuron.values(), held=value)


def _held(held):
    return held, 1.0 - held  # x_inf = held at every V, and the gate starts there


# --------------------------------------------------------------------------------------------------------- thresholds


def threshold(fires: Callable[[np.ndarray], np.ndarray], low: Any, high: Any, tolerance: float = 1e-4) -> np.ndarray:
    """The smallest strength that fires, for several experiments at once, shape (n,); inf where even `high` does not.

    fires: takes strengths (n,) and returns whether each fires, bool (n,). Only a single switch from no to yes between
        `low` and `high` can be found by halving.
    tolerance: the interval is halved until it is smaller than this share of the strength. The upper end is returned,
        a strength that did fire.
    Raises ValueError where `low` is not below `high`, and where `low` fires already.
    """
    tolerance = number("tolerance", tolerance, low=1e-12, high=1.0)
    low, high = (plain(name, x, "finite, low below high") for name, x in (("low", low), ("high", high)))
    if low.ndim > 1 or high.ndim > 1 or 1 < low.size != high.size > 1 or not low.size * high.size:
        raise ValueError(
            f"low has shape {low.shape}, high {high.shape}; allowed: numbers, or arrays (n,) of one length"
        )
    low, high = (np.atleast_1d(np.array(x)) for x in np.broadcast_arrays(low, high))
    if not (np.isfinite(low) & np.isfinite(high) & (low < high)).all():
        raise ValueError(f"low = {low}, high = {high}; allowed: finite, low below high")
    if fires(low).any():
        raise ValueError(f"low = {low[np.argmax(fires(low))]:g} fires already; allowed: a strength below threshold")
    reachable = fires(high)
    while True:
        middle = 0.5 * low + 0.5 * high
        # the halves of the smallest numbers lie no longer between them
        if not ((0.5 * high - 0.5 * low > 0.5 * tolerance * np.abs(high)) & (low < middle) & (middle < high)).any():
            break
        fired = fires(middle)
        low, high = np.where(fired, low, middle), np.where(fired, middle, high)
    return np.where(reachable, high, np.inf)


def strength_duration(
    neuron: Neuron, widths: np.ndarray, strongest: float = 1000.0, tolerance: float = 1e-4, dt: float = 0.01
) -> np.ndarray:
    """The smallest current [µA/cm²] that fires the resting neuron, for pulses of each width (n,) [ms].

    strongest: [µA/cm²]; a pulse that needs more gives inf.
    """
    widths = numbers("widths", widths, "ms", shape=(None,), low=2.0 * number("dt", dt, "ms", above=0.0), high=1e3)
    strongest = number("strongest", strongest, "µA/cm²", above=0.0, high=1e6)
    start = {"V_init": np.full(len(widths), resting_state(neuron)["V"])}
    longest = float(np.max(widths))

    def fires(amplitudes: np.ndarray) -> np.ndarray:
        changed = {**start, "amplitude": amplitudes, "stop": ONSET + widths}
        pulse = step(0.0, ONSET, ONSET + longest)
        return _spikes(neuron, pulse, changed, ONSET + longest + WATCH, dt) >= 1

    return threshold(fires, np.zeros(len(widths)), strongest, tolerance)


def threshold_after_spike(
    neuron: Neuron,
    intervals: np.ndarray,
    width: float = 0.5,
    strongest: float = 5.0,
    tolerance: float = 1e-3,
    dt: float = 0.01,
) -> np.ndarray:
    """How strong a second pulse must be to fire again, relative to the threshold at rest, (n,); inf where none does.

    A first pulse of twice the threshold fires the neuron; the second begins `intervals` (n,) [ms] after it, and must
    make V rise through the spike threshold a second time.

    width: of both pulses [ms]. strongest: what is tried, in units of the threshold at rest; it must be too weak to
    lift V to the spike threshold by itself. Raises ValueError where it is not.
    """
    intervals = numbers("intervals", intervals, "ms", shape=(None,), low=0.0, high=1e3)
    width, strongest = number("width", width, "ms", above=0.0), number("strongest", strongest, above=0.0, high=1e6)
    (at_rest,) = strength_duration(neuron, np.array([width]), tolerance=tolerance, dt=dt)
    V_rest, C = resting_state(neuron)["V"], neuron.constants()["C"]
    if V_rest + strongest * at_rest * width / C > neuron.spike_threshold:
        raise ValueError(
            f"strongest = {strongest:g} times the threshold lifts V to {neuron.spike_threshold:g} mV by itself; "
            f"allowed: less than {(neuron.spike_threshold - V_rest) * C / (at_rest * width):.3g}"
        )
    end = ONSET + float(np.max(intervals)) + width
    start = np.full(len(intervals), V_rest)

    def fires(relative: np.ndarray) -> np.ndarray:
        changed = {"V_init": start, "second_amplitude": relative * at_rest, "interval": intervals}
        return _spikes(neuron, pulse_pair(2.0 * at_rest, width, 0.0, ONSET, end), changed, end + WATCH, dt) >= 2

    return threshold(fires, np.zeros(len(intervals)), strongest, tolerance)


def _spikes(neuron: Neuron, stimulus: Any, changed: Mapping[str, np.ndarray], duration: float, dt: float) -> np.ndarray:
    """How often V rises through the spike threshold, anywhere in the trace, for each set of changed parameters."""
    counter = _spike_counter(neuron.spike_threshold)
    duration = np.ceil(duration / dt - 1e-6) * dt  # widths need be no whole numbers of steps
    return simulate_many(neuron, stimulus, changed, duration, dt, seed=0, summarise=counter)[:, 0]


@cache
def _spike_counter(level: float) -> Callable[[Any], np.ndarray]:
    """A compiled function of a sweep: how often V rises through `level` [mV]."""

    @njit(nogil=True, error_model="numpy")
    def count(sweep):
        above = sweep.V >= level
        return np.array([float(np.sum(above[1:] & ~above[:-1]))])

    return count


# -------------------------------------------------------------------------------------- laws of strength and duration


def weiss(widths: np.ndarray, rheobase: float, chronaxie: float) -> np.ndarray:
    """Threshold [µA/cm²] by Weiss (1901, Arch Ital Biol 35:413): a charge that grows linearly with the width [ms]."""
    widths, rheobase, chronaxie = _checked_law(widths, rheobase, chronaxie)
    return rheobase * (1.0 + chronaxie / widths)


def lapicque(widths: np.ndarray, rheobase: float, chronaxie: float) -> np.ndarray:
    """Threshold [µA/cm²] by Lapicque (1907, J Physiol Pathol Gen 9:620): a leaky capacitor must reach a fixed V.

    Its time constant is chronaxie / ln 2: a pulse of one chronaxie [ms] needs twice the rheobase, as in Weiss's law.
    """
    widths, rheobase, chronaxie = _checked_law(widths, rheobase, chronaxie)
    return rheobase / -np.expm1(-np.log(2.0) * widths / chronaxie)


def _checked_law(widths: np.ndarray, rheobase: float, chronaxie: float) -> tuple[np.ndarray, float, float]:
    """Widths and chronaxie [ms], and the rheobase [µA/cm²], for which no quotient or product overflows."""
    widths = numbers("widths", widths, "ms", low=1e-9, high=1e9)
    return (
        widths,
        number("rheobase", rheobase, "µA/cm²", above=0.0, high=1e9),
        number("chronaxie", chronaxie, "ms", low=1e-9, high=1e9),
    )


@dataclass(frozen=True, eq=False)
class Fitted:
    """A law fitted to thresholds: its rheobase [µA/cm²], its chronaxie [ms], and its relative errors (n,)."""

    rheobase: float
    chronaxie: float
    errors: np.ndarray


def fit_strength_duration(
    law: Callable[[np.ndarray, float, float], np.ndarray], widths: np.ndarray, thresholds: np.ndarray
) -> Fitted:
    """Fit `law`, such as `weiss` or `lapicque`, by least squares of the logarithm, so that relative errors count.

    Raises ValueError for thresholds that are not finite and positive.
    """
    widths = numbers("widths", widths, "ms", shape=(None,), low=1e-9, high=1e9)
    thresholds = plain("thresholds", thresholds, "finite and above 0")
    if thresholds.shape != widths.shape or len(widths) < 2:
        raise ValueError(f"widths {widths.shape} and thresholds {thresholds.shape}; allowed: one length, at least 2")
    if not (np.isfinite(thresholds) & (thresholds > 0.0)).all():
        raise ValueError(f"thresholds = {thresholds} µA/cm²; allowed: finite and above 0")

    def logarithm(widths: np.ndarray, log_rheobase: float, log_chronaxie: float) -> np.ndarray:
        return np.log(law(widths, np.exp(log_rheobase), np.exp(log_chronaxie)))

    first = np.log([thresholds.min(), np.median(widths)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an overflow or a singular fit is no fit
            (rheobase, chronaxie), _ = curve_fit(logarithm, widths, np.log(thresholds), p0=first)
    except (RuntimeError, RuntimeWarning, OptimizeWarning, ValueError):
        raise ValueError(f"no curve of this law fits thresholds = {thresholds} µA/cm²") from None
    rheobase, chronaxie = float(np.exp(rheobase)), float(np.exp(chronaxie))
    return Fitted(rheobase, chronaxie, law(widths, rheobase, chronaxie) / thresholds - 1.0)
