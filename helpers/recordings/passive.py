"""From a recording to a model: passive properties of the cell, and its current as a density."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from helpers.simulation.trace import Trace
from helpers.validation import number

__all__ = ["PassiveProperties", "crop", "current_density", "in_model_units", "passive_properties"]


def crop(trace: Trace, begin: float, end: float) -> Trace:
    """Return the part of a trace from `begin` to `end` [ms], both inclusive; times do not change.

    Raises
    ------
    ValueError
        If `begin` or `end` is outside the trace, or the part does not contain the stimulus.
    """
    begin, end = number("begin", begin, "ms"), number("end", end, "ms")
    slack = 1e-6 * trace.dt
    if not trace.t[0] - slack <= begin < end <= trace.t[-1] + trace.dt + slack:
        raise ValueError(f"begin to end: {begin:g} to {end:g} ms; allowed: within {trace.t[0]:g} to {trace.t[-1]:g} ms")
    keep = (trace.t >= begin - slack) & (trace.t <= end + slack)
    cut = {name: getattr(trace, name)[keep] for name in ("t", "I")}
    for name in ("states", "currents"):
        cut[name] = {key: values[keep] for key, values in getattr(trace, name).items()}
    return replace(trace, **cut)


@dataclass(frozen=True)
class PassiveProperties:
    """Passive properties of a cell, measured with a small hyperpolarising step.

    Parameters
    ----------
    V_rest : float
        Median of V before the step [mV].
    R_in : float
        Input resistance [MΩ]: amplitude of the exponential charging over the amplitude of the step.
    tau_m : float
        Membrane time constant [ms], of the same exponential.
    R_steady : float
        (V at the end of the step - V_rest) over the amplitude of the step [MΩ]. A sag makes it smaller than R_in; an
        uncompensated voltage drop across the electrode makes it larger.
    """

    V_rest: float
    R_in: float
    tau_m: float
    R_steady: float

    @property
    def area(self) -> float:
        """Membrane area [cm²]: capacitance tau_m / R_in at 1 µF/cm² (Gonçalves et al. 2020, eLife 9:e56261)."""
        return self.tau_m * 1e-3 / self.R_in


def passive_properties(trace: Trace, window: float = 100.0) -> PassiveProperties:
    """Fit V = V_end + A·exp(-(t - start)/tau) to the beginning of a hyperpolarising step.

    The first millisecond is left out, because there V jumps by the voltage across the electrode. The rest of the step
    is left out because a sag current (I_h) pulls V back there, and R_in and tau_m must belong to the same curve.

    Parameters
    ----------
    trace : Trace
        A sweep without spikes in the step, I in pA, constant and negative during the step.
    window : float
        How much of the step is fitted [ms], at least 5.

    Raises
    ------
    ValueError
        For another sweep, or if V does not follow an exponential (residual above 10 % of its amplitude).
    """
    if trace.I_unit != "pA":
        raise ValueError(f"I is in {trace.I_unit}; passive properties in MΩ need a current in pA")
    window = number("window", window, "ms", low=5.0, high=max(5.0, trace.stop - trace.start))
    before = trace.t < trace.start - 0.5 * trace.dt
    inside = ~before & (trace.t < trace.stop - 0.5 * trace.dt)
    levels = np.unique(trace.I[inside])
    if not before.any():
        raise ValueError("the step begins with the trace: V at rest is missing")
    step = levels[0] - trace.I[before][-1]
    if len(levels) > 1 or step >= 0.0:
        words = "is not constant" if len(levels) > 1 else f"changes by {step:+g} pA"
        raise ValueError(f"the current of the step {words}; needed: one negative step")
    if ((trace.spike_times >= trace.start) & (trace.spike_times < trace.stop)).any():
        raise ValueError("the cell fires during the step; needed: a step without spikes")

    since = trace.t - trace.start
    fitted = (since >= 1.0) & (since <= window)
    x, y = since[fitted], trace.V[fitted]

    def charging(x: np.ndarray, V_end: float, A: float, tau: float) -> np.ndarray:
        return V_end + A * np.exp(-x / tau)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an overflow or a singular fit counts as a failure
            (V_end, A, tau), _ = optimize.curve_fit(charging, x, y, p0=(y[-1], y[0] - y[-1], window / 5.0))
    except (RuntimeError, RuntimeWarning, optimize.OptimizeWarning):
        raise ValueError("no exponential fits the beginning of the step") from None
    residual = float(np.std(y - charging(x, V_end, A, tau)))
    if not (A > 0.0 and 0.0 < tau < window and residual < 0.1 * A):
        raise ValueError(
            f"the beginning of the step is not exponential: amplitude {A:.3g} mV, time constant {tau:.3g} ms, "
            f"residual {residual:.3g} mV; needed: amplitude > 0, time constant below {window:g} ms, residual below 10 %"
        )
    V_rest = float(np.median(trace.V[before]))
    late = inside & (trace.t >= trace.stop - 0.2 * (trace.stop - trace.start))
    R_steady = (float(np.mean(trace.V[late])) - V_rest) / step
    return PassiveProperties(V_rest, float(1e3 * A / -step), float(tau), float(1e3 * R_steady))


def current_density(trace: Trace, area: float) -> Trace:
    """Return the same trace with I in µA/cm², as the neuron models take it, for a membrane of `area` [cm²].

    Raises
    ------
    ValueError
        If I is not in pA, or the area not between 1e-6 and 1e-2 cm².
    """
    if trace.I_unit != "pA":
        raise ValueError(f"I is in {trace.I_unit}; only a current in pA can be divided by an area")
    area = number("area", area, "cm²", low=1e-6, high=1e-2)
    return replace(trace, I=trace.I * 1e-6 / area, I_unit="µA/cm²")


def in_model_units(trace: Trace, area: float, *, junction_potential: float) -> Trace:
    """Return a recording as the neuron models have it: I in µA/cm², and V inside minus outside.

    Parameters
    ----------
    trace
        A recording with I in pA.
    area
        Membrane area [cm²], see `PassiveProperties.area`.
    junction_potential
        What the electrode adds to V [mV], subtracted here.

    Raises
    ------
    ValueError
        As `current_density`, and for a junction potential beyond ±100 mV.
    """
    offset = number("junction_potential", junction_potential, "mV", low=-100.0, high=100.0)
    return replace(current_density(trace, area), states={**trace.states, "V": trace.V - offset})
