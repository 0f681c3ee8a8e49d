"""Run a neuron: one of them into a `Trace`, or thousands of parameter sets into their summary statistics."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher
from tqdm.auto import tqdm

from .compiler import LANES, compile_simulation, rows
from .equations import Neuron
from .kernels import random_keys
from .stimuli import Stimulus, Waveform
from .summaries import Summary, summary_statistics
from .trace import Sweep, Trace

__all__ = ["METHODS", "simulate", "simulate_many"]

# The largest dt [ms] at which a method gives the right number of spikes (tests/test_simulator.py holds it to that).
METHODS = {"exponential_euler": 0.05}

DOUBLINGS = (1, 4, 8)  # an update is exact while b·dt <= 0.5·2^doublings: tried in this order, nearly always the first


def simulate(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    duration: float,
    dt: float = 0.01,
    method: str = "exponential_euler",
    seed: int | tuple[int, int] | None = None,
    *,
    start: Mapping[str, float] | None = None,
) -> Trace:
    """Simulate one neuron and return its `Trace`, sampled every `dt` from 0 to `duration` (both included) [ms].

    stimulus: a stimulus, or an array (n_steps + 1,) of current density [µA/cm²], one value per sample of the trace.
    seed: of the current noise, if the neuron has any; None draws one and keeps it in `trace.seed`. The pair (seed, i)
        gives the noise of simulation i of `simulate_many(..., seed=seed)`.
    start: start values by name of state; the others begin at `neuron.start()`.

    Exponential Euler (Rush & Larsen 1978, IEEE Trans Biomed Eng 25:389): each state relaxes exactly while the others
    stand still; V first, then the gates at the new V.

    Raises ValueError for a bad parameter, a stimulus outside the duration, a `dt` that is too large.
    """
    n_steps = _number_of_steps(duration, dt, method)
    stimulus = _as_stimulus(stimulus, n_steps, dt)
    _check_window(stimulus.start, stimulus.stop, duration)
    base, simulation = _as_seed(seed)
    states = {**neuron.start(), **(start or {})}
    for name, value in states.items():
        if name not in neuron.states() or not np.isfinite(value):
            raise ValueError(f"start[{name!r}] = {value!r}; allowed: finite values of {', '.join(neuron.states())}")

    names = neuron.names()
    values = {**states, **names, **_prefixed(stimulus.values())}
    recorded = np.empty((n_steps + 1, len(states)))
    w = np.array([[values.get(row, 0.0)] for row in rows(type(neuron), type(stimulus))])
    keys = random_keys(base, np.array([simulation]))
    _run(neuron, stimulus, None, w, keys, dt, n_steps, recorded)

    if not np.isfinite(recorded[-1]).all():
        raise ValueError(f"V leaves every bound within {duration:g} ms: check the parameters {neuron}")
    by_state = dict(zip(neuron.states(), recorded.T.copy(), strict=True))
    channels = {name: entry.at({**names, **by_state}) for name, entry in neuron.of_kind("current").items()}
    return Trace(
        t=np.arange(n_steps + 1) * dt,
        V=by_state["V"],
        I=stimulus.current((np.arange(n_steps + 1) + 1e-6) * dt),
        start=stimulus.start,
        stop=stimulus.stop,
        gates={name: by_state[name] for name in neuron.of_kind("gate")},
        currents={name: g * (by_state["V"] - E) for name, (g, E) in channels.items()},
        I_unit=neuron.current_unit,
        spike_threshold=neuron.spike_threshold,
        seed=base if seed is None else seed,
    )


def simulate_many(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    parameters: Mapping[str, Any],
    duration: float,
    dt: float = 0.01,
    *,
    seed: int,
    summarise: Summary | Callable[[Any], Any] = summary_statistics,
    threads: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Simulate one neuron per entry of `parameters` and return the summary statistics, (n_sims, n_features).

    parameters: arrays (n_sims,) by name of a parameter of the neuron or of the stimulus; all others stay at the values
        that `neuron` and `stimulus` hold.
    seed: of the current noise; simulation i depends on (seed, i) only, not on how many run or on how many threads.
    summarise: a `Summary`, or a function of a `Sweep` (t, V, I, start, stop) that returns a float array and that Numba
        can compile.
    threads: how many blocks of simulations run at a time; by default one per processor core.
    progress: show a progress bar.

    Raises ValueError for bad parameters (naming the first), and where a statistic is not a finite number.
    """
    n_steps = _number_of_steps(duration, dt, "exponential_euler")
    stimulus = _as_stimulus(stimulus, n_steps, dt)
    base, _ = _as_seed(seed)
    values, n_sims = _values_of_simulations(neuron, stimulus, parameters)
    starts, stops = (np.broadcast_to(values[f"stimulus_{end}"], n_sims).astype(float) for end in ("start", "stop"))
    _check_window(starts, stops, duration)
    if isinstance(summarise, Summary):
        summarise.check(starts.min(), starts.min() + (stops - starts).min(), dt)
        summarise = summarise.compiled
    compiled = summarise if isinstance(summarise, Dispatcher) else njit(nogil=True, error_model="numpy")(summarise)
    one_current = not set(stimulus.parameters()) & set(parameters)
    inject = compile_simulation(type(neuron), type(stimulus), lanes=LANES, doublings=DOUBLINGS[0]).inject
    t = np.arange(n_steps + 1) * dt
    buffers = threading.local()

    def block(first: int) -> np.ndarray:
        """Statistics of the simulations from `first` on. Their traces live in a buffer that the thread uses again."""
        if not hasattr(buffers, "recorded"):
            buffers.recorded = np.empty((n_steps + 1, LANES))
        lanes = np.minimum(np.arange(first, first + LANES), n_sims - 1)  # a last block is filled up with its last one
        own = {name: value[lanes] if np.ndim(value) else value for name, value in values.items()}
        for name, entry in neuron.of_kind("derived").items():
            own[name] = entry.at(own)
        for name, entry in neuron.of_kind("gate").items():
            alpha, beta = entry.at({**own, "V": own["V_init"]})
            own[name] = alpha / (alpha + beta)
        own["V"] = own["V_init"]
        w = np.array([np.broadcast_to(own.get(row, 0.0), LANES) for row in rows(type(neuron), type(stimulus))])
        keys = random_keys(base, lanes)
        _run(neuron, stimulus, LANES, w, keys, dt, n_steps, buffers.recorded)
        count = min(LANES, n_sims - first)
        window = starts[lanes], stops[lanes]
        features = _summarise(
            compiled, inject, one_current, w.ravel(), _samples(stimulus), dt, t, buffers.recorded, *window, count
        )
        bad = ~(np.isfinite(features).all(axis=1) & np.isfinite(buffers.recorded[-1, :count]))
        if bad.any():
            row = int(np.argmax(bad))
            given = ", ".join(f"{name} = {np.asarray(parameters[name])[first + row]:g}" for name in parameters)
            raise ValueError(
                f"simulation {first + row} ({given}) gives {features[row]}: every statistic must be finite"
            )
        return features

    return np.concatenate(_in_threads(block, range(0, n_sims, LANES), threads, progress, n_sims))


# ------------------------------------------------------------------------------------------------- running blocks


def _run(
    neuron: Neuron,
    stimulus: Stimulus,
    lanes: int | None,
    w: np.ndarray,
    keys: np.ndarray,
    dt: float,
    n_steps: int,
    recorded: np.ndarray,
) -> None:
    """Fill `recorded`. A lane that met a larger b·dt than the fast update covers is computed again with a wider one.

    Lane by lane, so that the result of one does not depend on its neighbours.
    """
    noisy = bool(w[rows(type(neuron), type(stimulus)).index("noise")].any())
    pending = np.ones(w.shape[1], dtype=bool)
    for doublings in DOUBLINGS:
        module = compile_simulation(type(neuron), type(stimulus), lanes=lanes, doublings=doublings)
        work = w.ravel().copy()
        target = recorded if pending.all() else np.empty_like(recorded)
        module.run(work, keys, _samples(stimulus), dt, n_steps, noisy, target)
        if target is not recorded:
            recorded[:, pending] = target[:, pending]
        fastest = work.reshape(w.shape)[-1]
        pending &= ~(fastest <= 0.5 * 2**doublings)
        if not pending.any():
            return
    raise ValueError(
        f"dt = {dt:g} ms is too large: a state relaxes {fastest.max():.3g} times within one step; "
        f"allowed: at most {0.5 * 2 ** DOUBLINGS[-1]:g} times"
    )


@njit(nogil=True, error_model="numpy")
def _summarise(summarise, inject, one_current, w, samples, dt, t, recorded, starts, stops, count):
    """The statistics of the first `count` lanes of a block, (count, n_features)."""
    V, I = np.empty(len(t)), np.empty(len(t))
    for lane in range(count):
        V[:] = recorded[:, lane]
        if lane == 0 or not one_current:
            inject(w, lane, samples, dt, I)
        features = summarise(Sweep(t, V, I, starts[lane], stops[lane]))
        if lane == 0:
            table = np.empty((count, len(features)))
        table[lane] = features
    return table


def _in_threads(
    block: Callable[[int], np.ndarray], firsts: range, threads: int | None, progress: bool, n_sims: int
) -> list[np.ndarray]:
    """Run `block` for every first simulation, in order of results; Ctrl-C stops at the end of the running blocks."""
    workers = os.cpu_count() if threads is None else threads
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f"threads = {threads!r}; allowed: a whole number, at least 1")
    with ThreadPoolExecutor(workers) as pool, tqdm(total=n_sims, unit="sim", disable=not progress) as bar:
        futures = [pool.submit(block, first) for first in firsts]
        results = []
        try:
            for first, future in zip(firsts, futures, strict=True):
                results.append(future.result())
                bar.update(min(LANES, n_sims - first))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


# --------------------------------------------------------------------------------------------- arguments, checked


def _number_of_steps(duration: float, dt: float, method: str) -> int:
    if method not in METHODS:
        raise ValueError(f"method = {method!r}; allowed: {', '.join(METHODS)}")
    if not (np.isfinite(dt) and 0 < dt <= METHODS[method]):
        raise ValueError(f"dt = {dt:g} ms; allowed for {method}: above 0 and at most {METHODS[method]:g} ms")
    if not (np.isfinite(duration) and duration >= dt):
        raise ValueError(f"duration = {duration:g} ms; allowed: at least one step of {dt:g} ms")
    n_steps = round(duration / dt)
    if abs(n_steps * dt - duration) > 1e-6 * dt:
        raise ValueError(f"duration = {duration:g} ms is no whole number of steps dt = {dt:g} ms")
    return n_steps


def _as_stimulus(stimulus: Stimulus | np.ndarray, n_steps: int, dt: float) -> Stimulus:
    if isinstance(stimulus, Waveform) and abs(stimulus.dt - dt) > 1e-9 * dt:
        raise ValueError(f"the waveform is sampled every {stimulus.dt:g} ms, the simulation every dt = {dt:g} ms")
    if not isinstance(stimulus, Stimulus):
        stimulus = Waveform.from_samples(stimulus, dt)
    if isinstance(stimulus, Waveform) and len(stimulus.samples) != n_steps + 1:
        raise ValueError(
            f"the stimulus has {len(stimulus.samples)} samples; allowed: {n_steps + 1}, one every {dt:g} ms from 0 to "
            f"{n_steps * dt:g} ms"
        )
    return stimulus


def _check_window(start: float | np.ndarray, stop: float | np.ndarray, duration: float) -> None:
    if np.any(np.less_equal(stop, start)):
        raise ValueError("stop must come after start in every simulation [ms]")
    if np.max(stop) > duration * (1 + 1e-9):
        raise ValueError(
            f"the stimulus lasts until stop = {np.max(stop):g} ms; allowed: at most the duration, {duration:g} ms"
        )


def _as_seed(seed: int | tuple[int, int] | None) -> tuple[int, int]:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1)), 0
    pair = seed if isinstance(seed, tuple) else (seed, 0)
    if len(pair) != 2 or not all(isinstance(n, int | np.integer) and 0 <= n < 2**63 for n in pair):
        raise ValueError(f"seed = {seed!r}; allowed: a whole number from 0 to 2^63 - 1, or a pair (seed, simulation)")
    return int(pair[0]), int(pair[1])


def _values_of_simulations(
    neuron: Neuron, stimulus: Stimulus, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Every constant by name of its row, one number or (n_sims,), and n_sims."""
    values: dict[str, Any] = {**neuron.values(), **_prefixed(stimulus.values())}
    known = {**_prefixed(stimulus.parameters()), **neuron.parameters()}
    lengths = set()
    for name, given in parameters.items():
        row = name if name in neuron.parameters() else f"stimulus_{name}"
        if row not in known:
            raise ValueError(
                f"unknown parameter {name!r}; allowed: {', '.join((*neuron.parameters(), *stimulus.parameters()))}"
            )
        values[row] = known[row].check(given)
        lengths.add(values[row].shape)
    if len(lengths) != 1 or len(next(iter(lengths))) != 1 or lengths == {(0,)}:
        shapes = ", ".join(f"{name} {np.shape(given)}" for name, given in parameters.items())
        raise ValueError(f"parameters must be arrays of one and the same length, at least 1; got {shapes or 'none'}")
    return values, lengths.pop()[0]


def _prefixed(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {f"stimulus_{name}": value for name, value in entries.items()}


def _samples(stimulus: Stimulus) -> np.ndarray:
    return stimulus.samples if isinstance(stimulus, Waveform) else np.empty(0)
