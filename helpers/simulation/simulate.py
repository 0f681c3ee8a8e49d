"""Run a neuron: one of them into a `Trace`, or thousands of parameter sets into their summary statistics."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher
from tqdm.auto import tqdm

from helpers.neurons.equations import Neuron
from helpers.validation import MOST_STEPS, instance, number, one_of, whole_number

from .arguments import as_seed, as_stimulus, check_window, number_of_steps, prefixed, values_of_simulations
from .compiler.codegen import LANES, WIDEST, Plan
from .compiler.kernels import random_keys
from .integrators import EXPONENTIAL_EULER, METHODS
from .lsoda import integrate
from .stimuli import Stimulus, Waveform
from .summaries import Summary, summary_statistics
from .trace import LazyArrays, Sweep, Trace

__all__ = ["METHODS", "simulate", "simulate_many"]

PRECISIONS = {"double": np.float64, "single": np.float32}

# An exponential update is right while b·dt <= 2^doublings / 2. Tried in this order, nearly always the first.
DOUBLINGS = (0, 3, WIDEST)


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
    """Simulate one neuron and return its `Trace`, sampled every `dt` from 0 to `duration` (both included) [ms].

    stimulus: a stimulus, or an array (n_steps + 1,) of current density [µA/cm²], one value per sample of the trace.
    method: "exponential_euler", one of the Runge-Kutta methods "euler", "rk4", "rk5", "rk6" (see integrators.py), or
        "lsoda", the adaptive solver of SciPy at a tolerance of 1e-10, slow, to compare with.
    seed: of the current noise, if the neuron has any; None draws one and keeps it in `trace.seed`. The pair (seed, i)
        gives the noise of simulation i of `simulate_many(..., seed=seed)`.
    initial_state: values by name of state; the others begin as `neuron.initial_state()` says.
    precision: "double" (64 bits) or "single" (32 bits).

    Raises ValueError for a bad parameter, a stimulus outside the duration, a `dt` at which the method fails.
    """
    n_steps = number_of_steps(duration, dt, method, neuron)
    duration, dt, stimulus = float(duration), float(dt), as_stimulus(stimulus, n_steps, float(dt))
    check_window(stimulus.stop, duration)
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
        plan = Plan(type(neuron), type(stimulus), method, precision=_checked_precision(precision))
        w = working_array(plan, {**states, **neuron.constants(), **prefixed(stimulus.values())}, 1)
        recorded = np.empty((len(states), n_steps + 1), w.dtype)
        run(
            plan,
            w,
            random_keys(base, np.array([simulation])),
            stimulus,
            dt,
            n_steps,
            recorded,
            lambda lane: str(neuron),
        )
    return trace_of(neuron, stimulus, t, recorded, base if seed is None else seed)


def simulate_many(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    parameters: Mapping[str, Any],
    duration: float,
    dt: float = 0.01,
    *,
    seed: int,
    first: int = 0,
    summarise: Summary | Callable[[Any], Any] = summary_statistics,
    keep: str = "statistics",
    sampling: float | None = None,
    method: str = EXPONENTIAL_EULER,
    precision: str = "double",
    threads: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Simulate one neuron per entry of `parameters` and return the summary statistics, (n_sims, n_features).

    parameters: arrays (n_sims,) by name of a parameter of the neuron or of the stimulus; all others stay at the values
        that `neuron` and `stimulus` hold.
    seed: of the current noise; simulation i depends on (seed, i) only, not on how many run or on how many threads.
    first: the number of the first simulation, for a part of a larger set.
    summarise: a `Summary`, or a function of a `Sweep` (t, V, I, start, stop) that returns a float array and that Numba
        can compile.
    keep: "statistics", or "trace": return V itself, (n_sims, n_samples) [mV], one sample every `sampling` [ms].
    method, precision: as in `simulate` (there is no "lsoda" here).
    threads: how many blocks of simulations run at a time; by default one per processor core.
    progress: show a progress bar. Ctrl-C stops at the end of the running blocks.

    Memory does not grow with the number of simulations, but for what is returned.
    Raises ValueError for bad parameters (naming the first), where a statistic is not a finite number, and where the
    method fails.
    """
    if isinstance(method, str) and method == "lsoda":
        raise ValueError(f"method = 'lsoda' runs one neuron at a time; allowed: {', '.join(METHODS)}")
    n_steps = number_of_steps(duration, dt, method, neuron, MOST_STEPS // 8)  # of all lanes at once
    duration, dt, stimulus = float(duration), float(dt), as_stimulus(stimulus, n_steps, float(dt))
    base, first_number = as_seed(seed)[0], whole_number("first", first, 0)
    values, n_sims = values_of_simulations(neuron, stimulus, parameters)
    starts, stops = (np.broadcast_to(values[f"stimulus_{end}"], n_sims).astype(float) for end in ("start", "stop"))
    check_window(stops, duration)
    every = _samples_kept(keep, sampling, dt)
    if isinstance(summarise, Summary):
        if not every:
            summarise.check(starts.min(), starts.min() + (stops - starts).min(), dt)
        summarise = summarise.compiled
    compiled = summarise if isinstance(summarise, Dispatcher) else njit(nogil=True, error_model="numpy")(summarise)
    plan = Plan(type(neuron), type(stimulus), method, LANES, precision=_checked_precision(precision))
    inject, samples = plan.compile().inject, stimulus_samples(stimulus, PRECISIONS[precision])
    one_current = not set(stimulus.parameters()) & set(parameters)
    t = np.arange(n_steps + 1) * dt
    buffers = threading.local()

    def describe(simulation: int) -> str:
        given = ", ".join(f"{name} = {np.asarray(parameters[name])[simulation]:g}" for name in parameters)
        return f"simulation {first_number + simulation} ({given})"

    def block(first: int) -> np.ndarray:
        """What is kept of the simulations from `first` on. Their traces live in a buffer that the thread uses again."""
        if not hasattr(buffers, "recorded"):
            buffers.recorded = np.empty((LANES, n_steps + 1), PRECISIONS[precision])
        recorded, count = buffers.recorded, min(LANES, n_sims - first)
        lanes = np.minimum(np.arange(first, first + LANES), n_sims - 1)  # a last block is filled up with its last one
        own = neuron.with_derived({name: value[lanes] if np.ndim(value) else value for name, value in values.items()})
        w = working_array(plan, {**own, **neuron.initial_state(own)}, LANES)
        keys = random_keys(base, first_number + lanes)
        run(plan, w, keys, stimulus, dt, n_steps, recorded, lambda lane: describe(lanes[lane]))
        if every:
            return recorded[:count, ::every].copy()
        window = starts[lanes], stops[lanes]
        V = recorded.astype(float, copy=False)
        table = _summarise(compiled, inject, one_current, w.ravel(), samples, dt, t, V, *window, count)
        bad = ~np.isfinite(table).all(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(f"{describe(first + row)} gives {table[row]}: every statistic must be finite")
        return table

    return np.concatenate(_in_threads(block, range(0, n_sims, LANES), threads, progress, n_sims))


# ---------------------------------------------------------------------------------------------- running a plan


def run(
    plan: Plan,
    w: np.ndarray,
    keys: np.ndarray,
    stimulus: Stimulus,
    dt: float,
    n_steps: int,
    recorded: np.ndarray,
    describe: Callable[[int], str],
) -> None:
    """Fill `recorded` by the time loop of `plan`; `describe(lane)` names a neuron in an error.

    A lane that met a larger b·dt than the fast exponential update covers is computed again with a wider one: lane by
    lane, so that the result of one does not depend on its neighbours.
    """
    noisy, samples = plan.is_noisy(w), stimulus_samples(stimulus, w.dtype)
    pending = np.ones(w.shape[1], dtype=bool)
    for doublings in DOUBLINGS:
        work = w.ravel().copy()
        target = recorded if pending.all() else np.empty_like(recorded)
        wide = replace(plan, doublings=doublings)
        ended = wide.compile().run(work, keys, samples, float(dt), n_steps, noisy, target)
        if ended < n_steps:
            _explain_overflow(plan, target[:, : ended + 2], dt, describe)
        if target is not recorded:
            recorded[pending] = target[pending]
        pending &= ~(plan.fastest(work) <= wide.reach)
        if not pending.any():
            return


def _explain_overflow(plan: Plan, recorded: np.ndarray, dt: float, describe: Callable[[int], str]) -> None:
    shown = recorded[:1] if plan.lanes is None else recorded
    wild = ~(np.abs(shown) < 1e5)
    lane = int(np.argmax(wild.any(axis=1)))
    step = int(np.argmax(wild[lane])) if wild[lane].any() else shown.shape[1] - 1
    raise ValueError(
        f"{plan.method} at dt = {dt:g} ms is unstable for {describe(lane)}: {plan.states[0]} is {shown[lane, step]:g} "
        f"at step {step}, {step * dt:g} ms; choose a smaller dt or another method"
    )


def working_array(plan: Plan, values: Mapping[str, Any], lanes: int) -> np.ndarray:
    """The rows that the time loop works on, (n_rows, lanes), from states and constants by name."""
    w = np.zeros((len(plan.rows), lanes), PRECISIONS.get(plan.precision, np.float64))
    for row, name in enumerate(plan.rows):
        if name in values:
            w[row] = values[name]
    return w


def stimulus_samples(stimulus: Stimulus, dtype: Any) -> np.ndarray:
    """The samples of a `Waveform`; nothing for a stimulus that is a formula."""
    return stimulus.samples.astype(dtype) if isinstance(stimulus, Waveform) else np.empty(0, dtype)


def trace_of(neuron: Neuron, stimulus: Stimulus, t: np.ndarray, recorded: np.ndarray, seed: Any) -> Trace:
    """The `Trace` of recorded states, (n_states, n); ionic currents are computed when somebody asks for them."""
    by_state = dict(zip(neuron.states, recorded, strict=True))
    names = {**neuron.constants(), **by_state}

    def current(name: str) -> np.ndarray:
        g, E = neuron.equations[name].evaluate(names)
        return g * (by_state["V"] - E)

    return Trace(
        t=t,
        states=by_state,
        I=stimulus.current(t + 1e-6 * (t[1] - t[0])),
        start=stimulus.start,
        stop=stimulus.stop,
        currents=LazyArrays(neuron.currents, current),
        I_unit=neuron.current_unit,
        spike_threshold=neuron.spike_threshold,
        seed=seed,
    )


@njit(nogil=True, error_model="numpy")
def _summarise(summarise, inject, one_current, w, samples, dt, t, V, starts, stops, count):
    """The statistics of the first `count` lanes of a block, (count, n_features)."""
    I = np.empty(len(t))
    for lane in range(count):
        if lane == 0 or not one_current:
            inject(w, lane, samples, dt, I)
        features = summarise(Sweep(t, V[lane], I, starts[lane], stops[lane]))
        if lane == 0:
            table = np.empty((count, len(features)))
        table[lane] = features
    return table


def _in_threads(
    block: Callable[[int], np.ndarray], firsts: range, threads: int | None, progress: bool, n_sims: int
) -> list[np.ndarray]:
    """Run `block` for every first simulation; the results in order."""
    workers = os.cpu_count() if threads is None else whole_number("threads", threads, 1)
    results = []
    with ThreadPoolExecutor(workers) as pool, tqdm(total=n_sims, unit="sim", disable=not progress) as bar:
        futures = [pool.submit(block, first) for first in firsts]
        try:
            for first, future in zip(firsts, futures, strict=True):
                results.append(future.result())
                bar.update(min(LANES, n_sims - first))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _checked_precision(precision: str) -> str:
    return one_of("precision", precision, PRECISIONS)


def _samples_kept(keep: str, sampling: float | None, dt: float) -> int:
    """Every how many steps a sample of the trace is kept; 0 where statistics are."""
    if not (isinstance(keep, str) and keep in ("statistics", "trace")):
        raise ValueError(f"keep = {keep!r}; allowed: 'statistics', 'trace'")
    if sampling is not None:
        sampling = number("sampling", sampling, "ms", above=0.0, high=1e9)
    if keep == "statistics":
        if sampling is not None:
            raise ValueError(f"sampling = {sampling:g} ms goes with keep='trace' only")
        return 0
    every = 1 if sampling is None else round(sampling / dt)
    if every < 1 or (sampling is not None and abs(every * dt - sampling) > 1e-6 * dt):
        raise ValueError(f"sampling = {sampling:g} ms; allowed: a whole number of steps dt = {dt:g} ms")
    return every
