"""Simulate one neuron."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.validation import instance, number, one_of

from .arguments import as_seed, as_stimulus, check_window, number_of_steps, prefixed
from .compiler.kernels import random_keys
from .compiler.spec import KernelSpec
from .engine import PRECISIONS, make_workspace, report_overflow, run_kernel, stimulus_samples, trace_of
from .integrators import EXPONENTIAL_EULER
from .lsoda import integrate
from .stimuli import Stimulus
from .trace import Trace

__all__ = ["simulate"]


def simulate(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    duration: float,
    dt: float = 0.01,
    method: str = EXPONENTIAL_EULER,
    seed: int | tuple[int, int] | None = None,
    *,
    initial_state: Mapping[str, float] | None = None,
    precision: str = "double",
) -> Trace:
    """Simulate one neuron and return its `Trace`, sampled every `dt` from 0 to `duration`, both included.

    Parameters
    ----------
    neuron
        The neuron with its parameters.
    stimulus
        A stimulus, or the current at every sample of the trace, (n_steps + 1,) [µA/cm²].
    duration, dt
        Duration and step [ms].
    method
        "exponential_euler"; a Runge-Kutta method, "euler", "rk4", "rk5" or "rk6" (see `integrators`); or "lsoda", the
        adaptive solver of SciPy at a tolerance of 1e-10: slow, a reference for the others.
    seed
        Seed of the current noise, if the neuron has any; None draws one and keeps it in `trace.seed`. The pair
        (seed, i) gives the noise of simulation i of `simulate_many(..., seed=seed)`.
    initial_state
        Initial values by name of state. Other states start where the neuron's parameters say, gates at their steady
        state.
    precision
        "double" (64 bits) or "single" (32 bits).

    Raises
    ------
    ValueError
        For an invalid argument and a stimulus that ends after `duration`.
    UnstableIntegration
        If the method diverges at this `dt`.

    Examples
    --------
    >>> trace = simulate(HodgkinHuxley(), step(10.0, start=5.0, stop=45.0), duration=50.0)
    >>> len(trace.spike_times)
    3
    """
    n_steps = number_of_steps(duration, dt, method, neuron)
    duration, dt, stimulus = float(duration), float(dt), as_stimulus(stimulus, n_steps, float(dt))
    check_window(stimulus, stimulus.stop, duration)
    base, simulation = as_seed(seed)
    given = instance("initial_state", initial_state or {}, Mapping, "values by name of state")
    states = {**neuron.initial_state(), **given}
    for name, value in states.items():
        if name not in neuron.states:
            allowed = f"finite values of {', '.join(neuron.states)}"
            raise ValueError(f"initial_state[{name!r}] = {value!r}; allowed: {allowed}")
        states[name] = number(f"initial_state[{name!r}]", value)
    t = np.arange(n_steps + 1) * dt
    if method == "lsoda":
        recorded = integrate(neuron, stimulus, states, t)
    else:
        spec = KernelSpec(type(neuron), type(stimulus), method, precision=one_of("precision", precision, PRECISIONS))
        workspace = make_workspace(spec, {**states, **neuron.constants(), **prefixed(stimulus.values())}, 1)
        keys, samples = random_keys(base, np.array([simulation])), stimulus_samples(stimulus, workspace.dtype)
        recorded = np.empty((len(states), n_steps + 1), workspace.dtype)
        report = partial(report_overflow, spec, dt, lambda lane: str(neuron))
        run_kernel(spec, workspace, keys, samples, dt, n_steps, recorded, report)
    return trace_of(neuron, stimulus, t, recorded, base if seed is None else seed)
