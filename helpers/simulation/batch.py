"""Simulate one neuron with thousands of parameter sets, into summary statistics or traces."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import is_jitted

from helpers.neurons.equations import Neuron
from helpers.validation import MOST_STEPS, number, one_of, whole_number, whole_steps

from .arguments import as_seed, as_stimulus, check_window, number_of_steps, values_of_simulations
from .compiler.cache import load_module
from .compiler.codegen import compile_kernel
from .compiler.kernels import random_keys
from .compiler.spec import LANES, KernelSpec
from .engine import (
    PRECISIONS,
    make_workspace,
    map_blocks,
    report_overflow,
    run_kernel,
    stimulus_samples,
)
from .integrators import EXPONENTIAL_EULER, METHODS
from .spikes import spike_events, spike_rule, times_of
from .stimuli import Stimulus
from .summaries import Summary, summary_statistics
from .trace import Sweep

__all__ = ["simulate_many", "simulate_traces"]


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
    method: str = EXPONENTIAL_EULER,
    precision: str = "double",
    threads: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Simulate one neuron per parameter set and return the summary statistics, (n_sims, n_statistics).

    Memory does not grow with the number of simulations, except for the result.

    Parameters
    ----------
    neuron, stimulus
        They hold all parameters that `parameters` leaves out. A stimulus may also be an array of samples,
        (n_steps + 1,) [µA/cm²].
    parameters
        Arrays (n_sims,) by name of a parameter of the neuron or of the stimulus.
    duration, dt
        Duration and step [ms].
    seed
        Seed of the current noise. Simulation i depends on (seed, i) only, not on how many run or on how many threads.
    first
        Number of the first simulation, for a part of a larger set.
    summarise
        A `Summary`, or a function of a `Sweep` (t, V, I, start, stop, spike_times, spikes) that Numba can compile and
        that returns an array of floats.
    method, precision
        As in `simulate`, without "lsoda".
    threads
        Blocks of simulations that run at a time, by default one per processor core.
    progress
        Whether to show a progress bar. Ctrl-C stops after the blocks that are running.

    Raises
    ------
    ValueError
        For an invalid argument (naming the first bad value) and for a statistic that is not finite.
    UnstableIntegration
        If the method diverges.

    Examples
    --------
    >>> x = simulate_many(HodgkinHuxley(), step(10.0, 10.0, 90.0), {"g_Na": [90.0, 120.0]}, 100.0, seed=0)
    >>> x.shape
    (2, 7)

    The number of spikes alone, for a scan over a parameter, also where the stimulus begins at once:

    >>> scan = {"g_Na": np.linspace(50.0, 200.0, 20)}
    >>> simulate_many(HodgkinHuxley(), step(10.0, 0.0, 90.0), scan, 100.0, seed=0, summarise=spike_count).shape
    (20, 1)
    """
    batch = _Batch(neuron, stimulus, parameters, duration, dt, seed, first, method, precision)
    starts, stops = batch.starts, batch.stops
    if isinstance(summarise, Summary):
        summarise.check(starts.min(), starts.min() + (stops - starts).min(), batch.dt)
        summarise = summarise.compiled
    compiled = summarise if is_jitted(summarise) else njit(nogil=True, error_model="numpy")(summarise)
    summarise_lanes = _over_lanes(compiled)
    inject, t = compile_kernel(batch.spec).inject, np.arange(batch.n_steps + 1) * batch.dt
    rule = spike_rule(neuron)
    one_current = not set(batch.stimulus.parameters()) & set(parameters)

    def statistics(block: _Block) -> np.ndarray:
        V, lanes = block.V.astype(float, copy=False), block.simulations
        workspace = block.workspace.ravel()
        together = len(V) if one_current else 8  # lanes at a time: their currents take memory
        I = np.empty((1 if one_current else together, len(t)))
        parts = []
        for first in range(0, len(V), together):
            for row, current in enumerate(I):
                inject(workspace, first + row, batch.samples, batch.dt, current)
            some = slice(first, first + together)
            parts.append(summarise_lanes(t, V[some], I, starts[lanes[some]], stops[lanes[some]], rule))
        table = np.concatenate(parts)
        bad = ~np.isfinite(table).all(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(f"{batch.describe(lanes[row])} gives {table[row]}: every statistic must be finite")
        return table

    return batch.run(statistics, threads, progress)


def simulate_traces(
    neuron: Neuron,
    stimulus: Stimulus | np.ndarray,
    parameters: Mapping[str, Any],
    duration: float,
    dt: float = 0.01,
    *,
    seed: int,
    first: int = 0,
    sampling: float | None = None,
    method: str = EXPONENTIAL_EULER,
    precision: str = "double",
    threads: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Simulate one neuron per parameter set and return V (the first state), (n_sims, n_samples) [mV].

    Parameters
    ----------
    sampling
        Time between the samples that are kept [ms], a multiple of `dt`; by default `dt`.
    neuron, stimulus, parameters, duration, dt, seed, first, method, precision, threads, progress
        As in `simulate_many`.

    Raises
    ------
    ValueError
        For an invalid argument (naming the first bad value).
    UnstableIntegration
        If the method diverges.
    """
    batch = _Batch(neuron, stimulus, parameters, duration, dt, seed, first, method, precision)
    every = 1 if sampling is None else whole_steps("sampling", number("sampling", sampling, "ms"), batch.dt)
    return batch.run(lambda block: block.V[:, ::every].copy(), threads, progress)


class _Block(NamedTuple):
    """Up to LANES simulations that have run: their numbers (n,), V (n, n_steps + 1), and the workspace of all lanes."""

    simulations: np.ndarray
    V: np.ndarray
    workspace: np.ndarray


class _Batch:
    """A set of simulations, whose arguments it checks."""

    def __init__(
        self,
        neuron: Neuron,
        stimulus: Stimulus | np.ndarray,
        parameters: Mapping[str, Any],
        duration: float,
        dt: float,
        seed: int,
        first: int,
        method: str,
        precision: str,
    ) -> None:
        if isinstance(method, str) and method == "lsoda":
            raise ValueError(f"method = 'lsoda' runs one neuron at a time; allowed: {', '.join(METHODS)}")
        self.n_steps = number_of_steps(duration, dt, method, neuron, MOST_STEPS // 8)  # for all lanes of a block
        self.neuron, self.parameters, self.dt = neuron, parameters, float(dt)
        self.stimulus = as_stimulus(stimulus, self.n_steps, self.dt)
        self.seed, self.first = as_seed(seed)[0], whole_number("first", first, 0)
        self.values, self.n_sims = values_of_simulations(neuron, self.stimulus, parameters)
        ends = (np.broadcast_to(self.values[f"stimulus_{end}"], self.n_sims).astype(float) for end in ("start", "stop"))
        self.starts, self.stops = ends  # (n_sims,) [ms]
        check_window(self.stimulus, self.stops, float(duration))
        one_of("precision", precision, PRECISIONS)
        self.spec = KernelSpec(type(neuron), type(self.stimulus), method, LANES, precision=precision)
        self.samples = stimulus_samples(self.stimulus, PRECISIONS[precision])

    def describe(self, simulation: int) -> str:
        """Name a simulation in an error."""
        given = ", ".join(f"{name} = {np.asarray(x)[simulation]:g}" for name, x in self.parameters.items())
        return f"simulation {self.first + simulation} ({given})"

    def run(self, keep: Callable[[_Block], np.ndarray], threads: int | None, progress: bool) -> np.ndarray:
        """Run all simulations and return what `keep` takes from each block, (n_sims, ...)."""
        buffers = threading.local()

        def run_block(first: int) -> np.ndarray:
            if not hasattr(buffers, "recorded"):  # one per thread, used for block after block
                buffers.recorded = np.empty((LANES, self.n_steps + 1), PRECISIONS[self.spec.precision])
            # The last block is filled up with copies of the last simulation.
            lanes = np.minimum(np.arange(first, first + LANES), self.n_sims - 1)
            own = {name: value[lanes] if np.ndim(value) else value for name, value in self.values.items()}
            own = self.neuron.with_derived(own)
            workspace = make_workspace(self.spec, {**own, **self.neuron.initial_state(own)}, LANES)
            keys = random_keys(self.seed, self.first + lanes)
            report = partial(report_overflow, self.spec, self.dt, lambda lane: self.describe(int(lanes[lane])))
            run_kernel(self.spec, workspace, keys, self.samples, self.dt, self.n_steps, buffers.recorded, report)
            count = min(LANES, self.n_sims - first)
            return keep(_Block(lanes[:count], buffers.recorded[:count], workspace))

        return map_blocks(run_block, self.n_sims, threads, progress)


# Numba caches nothing on disk that takes a function as an argument: with this around it, a process need not compile it.
_LANES = """
from numba import njit
from {module} import {name}
from helpers.simulation.batch import _summarise

compiled = {name}.compiled


@njit(cache=True, nogil=True, error_model="numpy")
def summarise_lanes(t, V, I, starts, stops, rule):
    return _summarise(compiled, t, V, I, starts, stops, rule)
"""


@lru_cache(32)
def _over_lanes(compiled: Any) -> Callable[..., np.ndarray]:
    """`_summarise` with a compiled summary; from the disk for those of this package, whose text it goes by."""
    module, name = compiled.py_func.__module__, compiled.py_func.__name__
    found = getattr(sys.modules.get(module), name, None)
    if not module.startswith(f"{__package__}.") or getattr(found, "compiled", None) is not compiled:
        return partial(_summarise, compiled)
    built_on = sorted(Path(__file__).parent.glob("*.py"))
    return load_module(_LANES.format(module=module, name=name), *built_on).summarise_lanes


@njit(nogil=True, error_model="numpy", inline="always")
def _summarise(summarise, t, V, I, starts, stops, rule):
    """The statistics of the lanes `V` (n, n_steps + 1) under `I` (n or 1, n_steps + 1), (n, n_statistics).

    The currents come as numbers: with the function that makes them, all of this would be compiled for each neuron.
    """
    for lane in range(len(V)):
        spikes = spike_events(t, V[lane], *rule)
        times = times_of(t, V[lane], spikes, rule[0])
        found = summarise(Sweep(t, V[lane], I[lane % len(I)], starts[lane], stops[lane], times, spikes))
        if lane == 0:
            table = np.empty((len(V), len(found)))
        if len(found) != table.shape[1]:
            raise ValueError("a summary must return the same number of statistics for every simulation")
        for k in range(len(found)):  # `table[lane] = found` would take four times as long to compile, in every process
            table[lane, k] = found[k]
    return table
