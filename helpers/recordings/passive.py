"""From a recording to a model: passive properties of the cell, and its current as a density."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from helpers.simulation.trace import Trace
from helpers.validation import number

from .charging import (
    StepResponse,
    beginning_of_step,
    beginnings,
    disagreement,
    fit_charging,
    responses_to_steps,
    steady_resistance,
)

if TYPE_CHECKING:
    from .recording import Recording

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
    """Passive properties of a cell, measured with hyperpolarising steps.

    Parameters
    ----------
    V_rest : float
        Median of V before the step [mV]; of several steps their median.
    R_in : float
        Input resistance [MΩ]: amplitude of the exponential charging over the amplitude of the step.
    tau_m : float
        Membrane time constant [ms], of the same exponential.
    R_steady : float
        (V at the end of the step - V_rest) over the amplitude of the step [MΩ]. A sag makes it smaller than R_in; an
        uncompensated voltage drop across the electrode makes it larger.
    R_in_se, tau_m_se : float
        Standard errors of the fit [MΩ, ms]. They hold what noise does within a step, not how steps differ.
    misfit : float
        How far V is from the exponential beyond what the noise explains [mV, root mean square].
    responses : tuple of StepResponse
        Each step by itself, of those that follow an exponential.
    """

    V_rest: float
    R_in: float
    tau_m: float
    R_steady: float
    R_in_se: float
    tau_m_se: float
    misfit: float
    responses: tuple[StepResponse, ...] = field(repr=False)

    @property
    def area(self) -> float:
        """Membrane area [cm²]: capacitance tau_m / R_in at 1 µF/cm² (Gonçalves et al. 2020, eLife 9:e56261)."""
        return self.tau_m * 1e-3 / self.R_in


def passive_properties(source: Trace | Recording, window: float = 100.0) -> PassiveProperties:
    """Fit V = V_end + A·exp(-(t - start)/tau) to the beginning of a hyperpolarising step, or of all in a recording.

    The first millisecond is left out, because there V jumps by the voltage across the electrode. The rest of the step
    is left out because a sag current (I_h) pulls V back there, and R_in and tau_m must belong to the same curve.

    Noise is no misfit: V and fit are compared in means over a twentieth of the window, and what such means vary by
    before the step is subtracted. Standard errors take the autocorrelation of the noise into account, as it is before
    the step and in the residuals; of noise slower than the membrane they see only a part, and are a third too small.

    Parameters
    ----------
    source : Trace or Recording
        A sweep without spikes in the step, I in pA, constant and negative during the step. Of a recording every such
        step that begins from the holding current is taken, with one R_in and one tau_m for all.
    window : float
        How much of the step is fitted [ms], at least 5.

    Raises
    ------
    ValueError
        For other sweeps; if V does not follow an exponential (misfit above 10 % of its amplitude); if the noise leaves
        R_in or tau_m open (standard error above half the value).

    Warns
    -----
    UserWarning
        If R_in of a step of a recording is further than 25 % from the median of all, and further than its noise.
    """
    single = isinstance(source, Trace)
    if not single and not (hasattr(source, "steps") and hasattr(source, "trace")):
        raise ValueError(f"source is of type {type(source).__name__}; allowed: a Trace or a Recording")
    unit = source.I_unit if isinstance(source, Trace) else source.steps.unit
    if unit != "pA":
        raise ValueError(f"I is in {unit}; passive properties in MΩ need a current in pA")
    longest = max(5.0, source.stop - source.start) if isinstance(source, Trace) else 1e6
    window = number("window", window, "ms", low=5.0, high=longest)
    if isinstance(source, Trace):
        parts, left_out = [beginning_of_step(source, window)], list[str]()
    else:
        parts, left_out = beginnings(source, window)
    if not parts:
        why = f": {left_out[0]}" if left_out else ""
        raise ValueError(f"no hyperpolarising step of {window:g} ms or more, without spikes, from holding{why}")
    responses = responses_to_steps(parts, window)
    words = disagreement(responses)[1]
    try:
        fit = fit_charging(parts, window)
    except ValueError as error:
        raise ValueError(f"{error}; {words}") if words else error from None
    if words:
        warnings.warn(words, stacklevel=2)
    V_rest = float(np.median([part.V_rest for part in parts]))
    return PassiveProperties(
        V_rest, 1e3 * fit.R, fit.tau, steady_resistance(parts), 1e3 * fit.R_se, fit.tau_se, fit.misfit, responses
    )


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
