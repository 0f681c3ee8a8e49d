"""Between the public functions and the compiler: working arrays, running a kernel, blocks of simulations on threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from helpers.neurons.equations import Neuron
from helpers.validation import whole_number

from .compiler.codegen import compile_kernel
from .compiler.spec import LANES, MAX_HALVINGS, KernelSpec
from .spikes import spike_fields
from .stimuli import Stimulus, Waveform
from .trace import LazyArrays, Trace

__all__ = [
    "PRECISIONS",
    "UnstableIntegration",
    "diverged",
    "make_workspace",
    "map_blocks",
    "report_overflow",
    "run_kernel",
    "stimulus_samples",
    "trace_of",
]

PRECISIONS = {"double": np.float64, "single": np.float32}

HALVINGS = (0, 3, MAX_HALVINGS)  # of the exponential update, tried in this order; the first nearly always suffices


class UnstableIntegration(ValueError):
    """The membrane potential diverged: the time step is too large for this method and neuron."""


def make_workspace(spec: KernelSpec, values: Mapping[str, Any], lanes: int) -> np.ndarray:
    """The array (n_rows, lanes) that the time loop works on, filled with states and constants by name."""
    workspace = np.zeros((len(spec.layout), lanes), PRECISIONS.get(spec.precision, np.float64))
    for row, name in enumerate(spec.layout):
        if name in values:
            workspace[row] = values[name]
    return workspace


def stimulus_samples(stimulus: Stimulus, dtype: Any) -> np.ndarray:
    """The samples of a `Waveform`; empty for a stimulus given by a formula."""
    return stimulus.samples.astype(dtype) if isinstance(stimulus, Waveform) else np.empty(0, dtype)


def run_kernel(
    spec: KernelSpec,
    workspace: np.ndarray,
    keys: np.ndarray,
    samples: np.ndarray,
    dt: float,
    n_steps: int,
    recorded: np.ndarray,
    report: Callable[[np.ndarray], None],
    links: tuple[np.ndarray, ...] = (),
) -> tuple[np.ndarray, ...]:
    """Fill `recorded` by running the kernel of `spec`, and return the `links` as the run leaves them.

    A lane that meets a b·dt beyond `spec.valid_b_dt` is computed again with a wider exponential update. Lanes are
    repeated one by one, so that no result depends on its neighbours; coupled ones (with `links`) all together.
    After an overflow `report(recorded)` gets what was recorded until then, and raises.
    """
    noisy = spec.is_noisy(workspace)
    pending = np.ones(workspace.shape[1], dtype=bool)
    for halvings in HALVINGS:
        attempt = replace(spec, halvings=halvings)
        work, left = workspace.ravel().copy(), tuple(array.copy() for array in links)
        target = recorded if pending.all() else np.empty_like(recorded)
        ended = compile_kernel(attempt).run(work, keys, samples, dt, n_steps, noisy, target, *([left] if links else []))
        if ended < n_steps:
            report(target[..., : ended + 2])
        if target is not recorded:
            recorded[pending] = target[pending]
        valid = attempt.max_b_dt(work) <= attempt.valid_b_dt
        pending &= ~(valid.all() if links else valid)
        if not pending.any():
            break
    return left


def diverged(V: np.ndarray) -> np.ndarray:
    """Where `V` is NaN, or so large that the method must have failed."""
    return ~(np.abs(V) < 1e5)


def report_overflow(spec: KernelSpec, dt: float, describe: Callable[[int], str], recorded: np.ndarray) -> None:
    """Raise UnstableIntegration for the first diverged lane of `recorded` (lanes, n); `describe(lane)` names it."""
    V = recorded[:1] if spec.lanes is None else recorded
    bad = diverged(V)
    lane = int(np.argmax(bad.any(axis=1)))
    step = int(np.argmax(bad[lane])) if bad[lane].any() else V.shape[1] - 1
    raise UnstableIntegration(
        f"{spec.method} at dt = {dt:g} ms is unstable for {describe(lane)}: {spec.states[0]} is {V[lane, step]:g} "
        f"at step {step}, {step * dt:g} ms; choose a smaller dt or another method"
    )


def map_blocks(run_block: Callable[[int], np.ndarray], n_sims: int, threads: int | None, progress: bool) -> np.ndarray:
    """Join the results of `run_block(first)` for every LANES-th simulation, in order, computed on threads.

    threads: blocks at a time, by default one per processor core. Ctrl-C or an error stops what has not begun.
    """
    workers = os.cpu_count() if threads is None else whole_number("threads", threads, 1)
    results = []
    with ThreadPoolExecutor(workers) as pool, tqdm(total=n_sims, unit="sim", disable=not progress) as bar:
        futures = [(first, pool.submit(run_block, first)) for first in range(0, n_sims, LANES)]
        try:
            for first, future in futures:
                results.append(future.result())
                bar.update(min(LANES, n_sims - first))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return np.concatenate(results)


def trace_of(neuron: Neuron, stimulus: Stimulus, t: np.ndarray, recorded: np.ndarray, seed: Any) -> Trace:
    """The `Trace` of recorded states (n_states, n) at the times `t` (n,) [ms]; ionic currents are computed lazily."""
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
        **spike_fields(neuron),
        seed=seed,
    )
