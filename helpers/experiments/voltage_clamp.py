"""Voltage clamp: the experimenter sets V and measures the current, as Hodgkin and Huxley did in 1952.

While V is constant a gate relaxes exponentially, x(t) = x_inf + (x(0) - x_inf)·exp(-(alpha + beta)·t), independently of
the other gates (Hodgkin & Huxley 1952, J Physiol 117:500, equations 8 and 11). Under a command of constant steps the
currents therefore have a closed form, without any error of integration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.validation import MOST_STEPS, instance, number, numbers, one_of, whole_number

__all__ = ["ClampTrace", "Command", "clamp", "peak_currents", "step_command"]

MAX_COMMAND = 300.0  # mV; beyond it, outside the physiological range, some rates overflow


@dataclass(frozen=True, eq=False)
class Command:
    """Potentials that are held one after the other; the first has been held long enough to reach steady state.

    Parameters
    ----------
    levels : sequence
        One entry per part [mV]: a number, or an array (n_family,) where the sweeps of a family differ.
    durations : sequence of float
        Of the parts [ms].
    """

    levels: tuple[Any, ...]
    durations: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("levels", "durations"):
            if not np.iterable(getattr(self, name)):
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: one entry for each part")
        parts = [numbers("levels", level, "mV", low=-MAX_COMMAND, high=MAX_COMMAND) for level in self.levels]
        durations = np.array([number("durations", one, "ms", above=0.0, high=1e9) for one in self.durations])
        if not len(parts) == len(durations) > 0:
            raise ValueError(f"{len(parts)} levels and {len(durations)} durations; allowed: equally many, at least one")
        if durations.sum() > 1e9:
            raise ValueError(f"durations = {self.durations} ms; allowed: together up to 1e9 ms")
        try:
            levels = np.array(np.broadcast_arrays(*parts))
        except ValueError:
            levels = np.empty((0, 0, 0))
        if levels.ndim > 2:
            shapes = ", ".join(str(part.shape) for part in parts)
            raise ValueError(f"levels have shapes {shapes}; allowed: numbers, and arrays (n_family,) of one length")
        object.__setattr__(self, "levels", tuple(levels))
        object.__setattr__(self, "durations", tuple(durations.tolist()))

    @property
    def edges(self) -> np.ndarray:
        """When each part begins, and the end of the last, (n_parts + 1,) [ms]."""
        return np.cumsum([0.0, *self.durations])


def step_command(
    holding: float, test: float | np.ndarray, before: float = 5.0, during: float = 20.0, after: float = 10.0
) -> Command:
    """Make a command that steps from a holding level to a test level and back.

    Parameters
    ----------
    holding : float
        In mV.
    test : float or ndarray of shape (n_family,)
        In mV.
    before, during, after : float
        How long each part lasts [ms].
    """
    return Command((holding, test, holding), (before, during, after))


@dataclass(frozen=True, eq=False)
class ClampTrace:
    """What a voltage clamp measures, for one sweep or a family of sweeps.

    The capacitive current, which flows only at the moment of a step, is left out, as an experimenter subtracts it.

    Parameters
    ----------
    t : ndarray of shape (n,)
        Times [ms].
    V : ndarray of shape (n,) or (n_family, n)
        The command [mV]; a sample at a step has the new level.
    currents : Mapping[str, ndarray]
        Each ionic current, shaped like `V` [µA/cm²], outward positive.
    gates : Mapping[str, ndarray]
        Each gate, shaped like `V`, from 0 to 1.
    edges : ndarray of shape (n_parts + 1,)
        When each part of the command begins, and its end [ms].
    """

    t: np.ndarray
    V: np.ndarray
    currents: Mapping[str, np.ndarray]
    gates: Mapping[str, np.ndarray]
    edges: np.ndarray

    @property
    def states(self) -> dict[str, np.ndarray]:
        """V and the gates by name."""
        return {"V": self.V, **self.gates}

    @property
    def total(self) -> np.ndarray:
        """The sum of the ionic currents [µA/cm²]."""
        return np.sum(list(self.currents.values()), axis=0)

    def peak(self, name: str, part: int = 1) -> np.ndarray:
        """Return the value of a current with the largest absolute value in one part of the command.

        Parameters
        ----------
        name : str
            Of the current.
        part : int
            0 is the holding level, 1 the test step.

        Returns
        -------
        float or ndarray of shape (n_family,)
            In µA/cm².
        """
        whole_number("part", part, 0, len(self.edges) - 2)
        inside = self.currents[one_of("current", name, self.currents)][..., _part_of(self.t, self.edges) == part]
        if inside.shape[-1] == 0:
            raise ValueError(f"part {part} of the command contains no sample: choose a smaller dt")
        return np.where(inside.max(axis=-1) >= -inside.min(axis=-1), inside.max(axis=-1), inside.min(axis=-1))[()]


def clamp(neuron: Neuron, command: Command, *, dt: float = 0.01) -> ClampTrace:
    """Return the currents of a neuron under voltage clamp, exact at any `dt`.

    Drugs act through the neuron: HodgkinHuxley(block_Na=1.0) is an axon in tetrodotoxin.

    Parameters
    ----------
    neuron : Neuron
    command : Command
    dt : float
        Time between samples [ms], at most the length of the command.

    Raises
    ------
    ValueError
        For a neuron without ionic currents or with a state that does not depend on V alone.
    """
    _check_can_be_clamped(instance("neuron", neuron, Neuron, "a neuron, e.g. HodgkinHuxley()"))
    edges = command.edges
    dt = number("dt", dt, "ms")
    if not edges[-1] / MOST_STEPS < dt <= edges[-1]:
        words = f"above 0 and at most the {edges[-1]:g} ms of the command, in up to {MOST_STEPS:,} steps"
        raise ValueError(f"dt = {dt:g} ms; allowed: {words}")
    t = np.arange(int(edges[-1] / dt + 1e-6) + 1) * dt
    part = _part_of(t, edges)
    since = np.maximum(t - edges[part], 0.0)
    levels = np.array(command.levels)  # (n_parts,) or (n_parts, n_family)
    gates = {name: _gate(neuron, name, levels, command.durations, part, since) for name in neuron.gates}
    V = levels.T[..., part]
    values = {**neuron.constants(), **gates, "V": V}
    channels = {name: entry.evaluate(values) for name, entry in neuron.currents.items()}
    return ClampTrace(t, V, {name: g * (V - E) for name, (g, E) in channels.items()}, gates, edges)


def peak_currents(
    neuron: Neuron, levels: np.ndarray, holding: float = -65.0, during: float = 20.0, *, dt: float = 0.01
) -> dict[str, np.ndarray]:
    """Return the current-voltage relation: the peak of each current for steps to each level.

    Parameters
    ----------
    neuron : Neuron
    levels : ndarray of shape (n_levels,)
        Of the test step [mV].
    holding : float
        The level before the step [mV].
    during : float
        Duration of the step [ms].
    dt : float
        Time between samples [ms].

    Returns
    -------
    dict
        For each current an array (n_levels,) [µA/cm²].
    """
    levels = numbers("levels", levels, "mV", shape=(None,))
    trace = clamp(neuron, step_command(holding, levels, dt, during, dt), dt=dt)
    return {name: trace.peak(name) for name in trace.currents}


def _gate(
    neuron: Neuron, name: str, levels: np.ndarray, durations: tuple[float, ...], part: np.ndarray, since: np.ndarray
) -> np.ndarray:
    """A gate at `since` [ms] (n,) after the beginning of `part` (n,); each part starts where the previous one ended."""
    x_inf, rate = np.broadcast_arrays(neuron.steady_state(name, levels), 1.0 / neuron.time_constant(name, levels))
    start = [x_inf[0]]
    for k, duration in enumerate(durations[:-1]):
        start.append(x_inf[k] + (start[k] - x_inf[k]) * np.exp(-rate[k] * duration))
    x_inf, rate, x = (values.T[..., part] for values in (x_inf, rate, np.array(start)))
    return x_inf + (x - x_inf) * np.exp(-rate * since)


def _part_of(t: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The part of a command that contains each time; a time at an edge is in the later one, despite rounding errors."""
    slack = 1e-6 * (t[1] - t[0])
    return np.searchsorted(edges[1:-1], t + slack, side="right")


def _check_can_be_clamped(neuron: Neuron) -> None:
    kind = type(neuron).__name__
    if not neuron.currents:
        raise ValueError(f"{kind} has no ionic currents to clamp")
    others = set(neuron.states) - {"V"}
    for name in others:
        entry = neuron.equations[name]
        if entry.kind != "gate" or others & set(entry.arguments):
            raise ValueError(f"{kind} has the state {name}, which does not depend on V alone: it has no closed form")
