"""Coupled neurons: gap junctions and chemical synapses between neurons of one class.

The neurons run side by side as the lanes of one compiled time loop. Before each step `couple` turns the V of all of
them into the current that each receives, which stays constant during the step. So the coupling is of order 1 in dt
whatever the method: with "rk4" the neurons are of order 4, the network is not. Each number of neurons is compiled once,
which takes seconds, and cached.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.validation import number, whole_steps

from .arguments import as_seed, as_stimulus, check_window, number_of_steps, prefixed
from .compiler.kernels import random_keys
from .compiler.spec import KernelSpec
from .connections import ChemicalSynapse, Connection, GapJunction, excitatory, inhibitory
from .engine import UnstableIntegration, diverged, make_workspace, run_kernel, stimulus_samples, trace_of
from .integrators import EXPONENTIAL_EULER, METHODS
from .stimuli import Stimulus
from .trace import LazyArrays, Trace

__all__ = ["ChemicalSynapse", "GapJunction", "excitatory", "inhibitory", "simulate_network"]


def simulate_network(
    neurons: Mapping[Hashable, Neuron] | Sequence[Neuron],
    stimuli: Any,
    connections: Sequence[Connection],
    duration: float,
    dt: float = 0.01,
    method: str = EXPONENTIAL_EULER,
    seed: int | None = None,
    initial_state: Mapping[Hashable, Mapping[str, float]] | None = None,
) -> tuple[Trace, ...]:
    """Simulate coupled neurons and return the `Trace` of each, in the order of `neurons`.

    An unconnected neuron gets the trace of `simulate`, bit for bit.

    Parameters
    ----------
    neurons
        By name, or a sequence, whose names are 0, 1, ...; all of one class, each with its own parameters.
    stimuli
        One for all (a stimulus, or samples (n_steps + 1,) [µA/cm²]), or one for each, by name or in order; all of one
        class.
    connections
        Gap junctions and chemical synapses.
    duration, dt
        Duration and step [ms].
    method
        "exponential_euler" or a Runge-Kutta method; the coupling is of order 1 in any case.
    seed
        Seed of the current noise; neuron i gets that of `simulate(..., seed=(seed, i))`.
    initial_state
        Initial values by name of neuron and of state; the others as in `simulate`.

    Returns
    -------
    tuple of Trace
        Their `currents` also hold I_gap and I_syn, what leaves through all gap junctions and chemical synapses
        [µA/cm²], and their `states` hold r<k> for every chemical synapse onto the neuron, its share of open receptors,
        k being its place in `connections`. For neurons with a reset, I_gap and I_syn take a spike at its drawn height.

    Raises
    ------
    ValueError
        For an empty or mixed network, a connection to an unknown neuron, a delay or release that is not a multiple of
        dt, and a delay as long as the duration.
    UnstableIntegration
        If the network diverges.
    """
    cells = _by_name(neurons)
    names, first = list(cells), next(iter(cells.values()))
    if isinstance(method, str) and method == "lsoda":
        raise ValueError(f"method = 'lsoda' runs one neuron at a time; allowed: {', '.join(METHODS)}")
    n_steps = number_of_steps(duration, dt, method, first)
    duration, dt = float(duration), float(dt)
    given = [as_stimulus(stimulus, n_steps, dt) for stimulus in _stimuli_of(stimuli, names)]
    _check_one_class("stimuli", given)
    for stimulus in given:
        check_window(stimulus, stimulus.stop, duration)
    _check_connections(connections, names, duration, dt)
    states = _initial_states(cells, initial_state or {})
    base, simulation = as_seed(seed)

    spec = KernelSpec(type(first), type(given[0]), method, len(names), coupling=couple)
    constants = [
        {**states[name], **cells[name].constants(), **prefixed(stimulus.values())}
        for name, stimulus in zip(names, given, strict=True)
    ]
    workspace = make_workspace(spec, {key: [own[key] for own in constants] for key in constants[0]}, len(names))
    keys = random_keys(base, simulation + np.arange(len(names)))
    samples = np.array([stimulus_samples(stimulus, workspace.dtype) for stimulus in given])
    recorded = np.empty((len(names), len(spec.states), n_steps + 1))
    report = partial(_report_overflow, spec, dt, names)
    links = _links(connections, names, dt, n_steps)
    *_, opened = run_kernel(spec, workspace, keys, samples, dt, n_steps, recorded, report, links)
    report(recorded)

    t = np.arange(n_steps + 1) * dt
    used = base if seed is None else seed
    traces = {name: trace_of(cells[name], given[i], t, recorded[i], used) for i, name in enumerate(names)}
    r = dict(zip((k for k, link in enumerate(connections) if isinstance(link, ChemicalSynapse)), opened, strict=True))
    return tuple(_with_coupling(name, traces, connections, r) for name in names)


def couple(V, current, recorded, step, links):
    """Fill `current` (n,) [µA/cm²] with what flows into each neuron at `V` (n,) [mV], and move r on by one step.

    recorded: (n, n_states, n_steps + 1), valid up to `step`; spikes are found in its V, recorded before a reset.
    links: records of gap junctions and of synapses, and r (n_synapses, n_steps + 1).
    The compiler copies this text into the time loop.
    """
    gaps, synapses, r = links
    for i in range(len(current)):
        current[i] = 0.0
    for i in range(len(gaps)):
        gap = gaps[i]
        flow = gap.g * (V[gap.pre] - V[gap.post])
        current[gap.post] += flow
        current[gap.pre] -= flow
    for i in range(len(synapses)):
        synapse = synapses[i]
        current[synapse.post] -= synapse.g * r[i, step] * (V[synapse.post] - synapse.E)
        seen = step - synapse.delay  # what pre did then arrives now
        if seen > 0 and recorded[synapse.pre, 0, seen - 1] < synapse.threshold <= recorded[synapse.pre, 0, seen]:
            synapse.left = synapse.release
        if synapse.left > 0:
            synapse.left -= 1
            r[i, step + 1] = synapse.r_bound + (r[i, step] - synapse.r_bound) * synapse.rise
        else:
            r[i, step + 1] = r[i, step] * synapse.decay


_ENDS = [("pre", np.int64), ("post", np.int64)]
_STEPS = [("delay", np.int64), ("release", np.int64), ("left", np.int64)]  # left: steps for which transmitter remains
_NUMBERS = [(name, np.float64) for name in ("g", "E", "threshold", "r_bound", "rise", "decay")]


def _links(connections: Sequence[Connection], names: list[Hashable], dt: float, n_steps: int) -> tuple:
    """The connections as `couple` takes them; r starts at 0."""
    gaps, synapses = [], []
    for link in connections:
        ends = (names.index(link.pre), names.index(link.post))
        if isinstance(link, GapJunction):
            gaps.append((*ends, link.g))
        elif isinstance(link, ChemicalSynapse):
            opening = link.alpha * link.T + link.beta
            steps = (round(link.delay / dt), round(link.release / dt), 0)
            shape = (link.alpha * link.T / opening, np.exp(-opening * dt), np.exp(-link.beta * dt))
            synapses.append((*ends, *steps, link.g, link.E, link.threshold, *shape))
    return (
        np.array(gaps, [*_ENDS, ("g", np.float64)]),
        np.array(synapses, [*_ENDS, *_STEPS, *_NUMBERS]),
        np.zeros((len(synapses), n_steps + 1)),
    )


def _report_overflow(spec: KernelSpec, dt: float, names: list[Hashable], recorded: np.ndarray) -> None:
    """Raise UnstableIntegration for the neuron that diverged first in `recorded` (n, n_states, n_steps), if any did."""
    V = recorded[:, 0]
    bad = diverged(V)
    if bad.any():
        step = int(np.argmax(bad.any(axis=0)))
        worst = int(np.argmax(bad[:, step]))
        raise UnstableIntegration(
            f"{spec.method} at dt = {dt:g} ms is unstable for this network: at step {step}, {step * dt:g} ms, "
            f"{spec.states[0]} of neuron {names[worst]!r} goes from {V[worst, step - 1]:g} to {V[worst, step]:g}; "
            "choose a smaller dt, a weaker coupling, or gap junctions with positive g"
        )


def _with_coupling(
    me: Hashable, traces: Mapping[Hashable, Trace], connections: Sequence[Connection], r: Mapping[int, np.ndarray]
) -> Trace:
    """The trace of one neuron with its coupling currents, outward positive, and the r of the synapses onto it."""
    trace = traces[me]
    gaps = [link for link in connections if isinstance(link, GapJunction) and me in (link.pre, link.post)]
    synapses = {k: link for k, link in enumerate(connections) if isinstance(link, ChemicalSynapse) and link.post == me}

    def current(name: str) -> np.ndarray:
        if name == "I_gap":
            others = (traces[link.pre if link.post == me else link.post] for link in gaps)
            flows = [link.g * (trace.V - other.V) for link, other in zip(gaps, others, strict=True)]
        elif name == "I_syn":
            flows = [link.g * r[k] * (trace.V - link.E) for k, link in synapses.items()]
        else:
            return trace.currents[name]
        return np.sum([np.zeros_like(trace.V), *flows], axis=0)

    return replace(
        trace,
        states={**trace.states, **{f"r{k}": r[k] for k in synapses}},
        currents=LazyArrays((*trace.currents, "I_gap", "I_syn"), current),
    )


# ---------------------------------------------------------------------------------------------- checking arguments


def _by_name(neurons: Mapping[Hashable, Neuron] | Sequence[Neuron]) -> dict[Hashable, Neuron]:
    cells: dict[Hashable, Neuron] = dict(neurons if isinstance(neurons, Mapping) else enumerate(neurons))
    if not cells:
        raise ValueError("neurons is empty; allowed: at least one neuron")
    strangers = [name for name, cell in cells.items() if not isinstance(cell, Neuron)]
    if strangers:
        raise ValueError(f"neurons[{strangers[0]!r}] = {cells[strangers[0]]!r} is not a neuron")
    _check_one_class("neurons", cells.values())
    return cells


def _check_one_class(what: str, members: Any) -> None:
    classes = sorted({type(member).__name__ for member in members})
    if len(classes) > 1:
        raise ValueError(f"{what} of {len(classes)} classes in one network: {', '.join(classes)}; allowed: one class")


def _stimuli_of(stimuli: Any, names: list[Hashable]) -> list[Any]:
    """One stimulus per neuron, in order."""
    if isinstance(stimuli, Stimulus) or (isinstance(stimuli, np.ndarray) and stimuli.ndim == 1):
        return [stimuli] * len(names)
    if isinstance(stimuli, Mapping):
        if set(stimuli) != set(names):
            raise ValueError(f"stimuli for {list(stimuli)}; allowed: one for each of {names}")
        return [stimuli[name] for name in names]
    if len(stimuli) != len(names):
        raise ValueError(f"{len(stimuli)} stimuli for {len(names)} neurons; allowed: one for all, or one for each")
    return list(stimuli)


def _check_connections(connections: Sequence[Connection], names: list[Hashable], duration: float, dt: float) -> None:
    for k, link in enumerate(connections):
        if not isinstance(link, GapJunction | ChemicalSynapse):
            raise ValueError(f"connections[{k}] = {link!r}; allowed: a GapJunction or a ChemicalSynapse")
        for end in ("pre", "post"):
            if getattr(link, end) not in names:
                raise ValueError(f"connections[{k}] has {end} = {getattr(link, end)!r}; the neurons are {names}")
        if isinstance(link, ChemicalSynapse):
            for name in ("delay", "release"):
                whole_steps(f"connections[{k}] has {name}", getattr(link, name), dt, least=0)
            if link.delay >= duration:
                allowed = f"less than the duration, {duration:g} ms"
                raise ValueError(f"connections[{k}] has delay = {link.delay:g} ms; allowed: {allowed}")


def _initial_states(
    cells: Mapping[Hashable, Neuron], given: Mapping[Hashable, Mapping[str, float]]
) -> dict[Hashable, dict[str, float]]:
    for name, values in given.items():
        if name not in cells:
            raise ValueError(f"initial_state has values for neuron {name!r}; the neurons are {list(cells)}")
        for state, value in values.items():
            what = f"initial_state[{name!r}][{state!r}]"
            if state not in cells[name].states:
                raise ValueError(f"{what} = {value!r}; allowed: finite values of {', '.join(cells[name].states)}")
            number(what, value)
    return {name: {**cell.initial_state(), **given.get(name, {})} for name, cell in cells.items()}
