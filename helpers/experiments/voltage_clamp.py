"""Voltage clamp: the experimenter sets V and measures the current, as Hodgkin and Huxley did in 1952.

While V is constant a gate relaxes exponentially, x(t) = x_inf + (x(0) - x_inf)·exp(-(alpha + beta)·t), whatever the
other gates do (Hodgkin & Huxley 1952, J Physiol 117:500, equations 8 and 11). Under a command of constant steps the
currents therefore follow in closed form: there is no integration and no error of a time step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.validation import MOST_STEPS, instance, number, numbers, plain, whole_number

__all__ = ["ClampTrace", "Command", "clamp", "peak_currents", "step_command"]

HIGHEST = 300.0  # mV; beyond it no membrane lives, and some rates overflow


@dataclass(frozen=True, eq=False)
class Command:
    """Potentials that are held one after the other. Before the first, its level has been held for ever.

    levels: one entry per part [mV], a number, or an array (n_family,) where the sweeps of a family differ.
    durations: how long each part lasts [ms].
    """

    levels: tuple[Any, ...]
    durations: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("levels", "durations"):
            try:
                len(getattr(self, name))
            except TypeError:
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: one entry for each part") from None
        if not len(self.levels) == len(self.durations) > 0:
            raise ValueError(
                f"{len(self.levels)} levels and {len(self.durations)} durations; allowed: as many, at least one"
            )
        try:
            parts = [plain("levels", level, "numbers") for level in self.levels]
            levels = np.array(np.broadcast_arrays(*parts), dtype=float)
            durations = np.array([number("durations", duration, "ms") for duration in self.durations])
        except (TypeError, ValueError) as error:
            if "durations" in str(error):
                raise
            raise ValueError("levels and durations must be numbers, and all arrays of levels of one length") from None
        if levels.ndim > 2 or levels.size == 0:
            raise ValueError(f"levels of shape {levels.shape[1:]}; allowed: numbers or arrays (n_family,), not empty")
        if durations.sum() > 1e9:
            raise ValueError(f"durations = {self.durations} ms; allowed: together up to 1e9 ms")
        bad = levels[~(np.abs(levels) <= HIGHEST)]  # NaN included
        if bad.size:
            raise ValueError(f"level {bad[0]:g} mV; allowed: from {-HIGHEST:g} to {HIGHEST:g} mV")
        if durations.ndim > 1 or not (np.isfinite(durations) & (durations > 0)).all():
            raise ValueError(f"durations = {self.durations} ms; allowed: finite and above 0 ms")
        object.__setattr__(self, "levels", tuple(levels))
        object.__setattr__(self, "durations", tuple(durations.tolist()))

    @property
    def edges(self) -> np.ndarray:
        """When each part begins, and the end of the last, (n_parts + 1,) [ms]."""
        return np.cumsum([0.0, *self.durations])


def step_command(
    holding: float, test: float | np.ndarray, before: float = 5.0, during: float = 20.0, after: float = 10.0
) -> Command:
    """Hold at `holding` for `before`, step to `test` (one level or an array of them) for `during`, and come back.

    Levels in mV, durations in ms.
    """
    return Command((holding, test, holding), (before, during, after))


@dataclass(frozen=True, eq=False)
class ClampTrace:
    """What a voltage clamp measures. Arrays are (n,), or (n_family, n) for a family of sweeps.

    t: (n,) times [ms].
    V: the command [mV]; a sample at a step has the new level.
    currents: each ionic current by name [µA/cm²], outward positive.
    gates: each gate by name, 0 to 1.
    edges: when each part of the command begins, and the end [ms].

    The capacitive current, which flows only at the very moment of a step, is left out, as an experimenter subtracts it.
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
        """The value of largest size that a current takes in one part of the command, (n_family,) or one number.

        part: 0 is the holding level, 1 the test step. Raises ValueError for a current or a part that is not there.
        """
        if not (isinstance(name, str) and name in self.currents):
            raise ValueError(f"current {name!r}; allowed: {', '.join(self.currents)}")
        if whole_number("part", part, -(2**63)) not in range(len(self.edges) - 1):
            raise ValueError(f"part = {part}; allowed: from 0 to {len(self.edges) - 2}")
        inside = self.currents[name][..., _part_of(self.t, self.edges) == part]
        if inside.shape[-1] == 0:
            raise ValueError(f"part {part} of the command holds no sample: choose a smaller dt")
        where = np.argmax(np.abs(inside), axis=-1)
        return np.take_along_axis(inside, np.expand_dims(where, -1), axis=-1)[..., 0][()]


def clamp(neuron: Neuron, command: Command, dt: float = 0.01) -> ClampTrace:
    """The currents of `neuron` under `command`, sampled every `dt` [ms] from 0; exact at any `dt`.

    Drugs act through the neuron: HodgkinHuxley(block_Na=1.0) is an axon in tetrodotoxin.
    Raises ValueError for a neuron without ionic currents or with a state that does not depend on V alone, and for a
    `dt` that is not above 0 and at most the length of the command.
    """
    _check_can_be_clamped(instance("neuron", neuron, Neuron, "a Neuron"))
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
    names = {**neuron.constants(), **gates, "V": V}
    channels = {name: entry.evaluate(names) for name, entry in neuron.currents.items()}
    return ClampTrace(t, V, {name: g * (V - E) for name, (g, E) in channels.items()}, gates, edges)


def peak_currents(
    neuron: Neuron, levels: np.ndarray, holding: float = -65.0, during: float = 20.0, dt: float = 0.01
) -> dict[str, np.ndarray]:
    """The current-voltage relation: the peak of each current [µA/cm²] for steps from `holding` to `levels` [mV].

    Returns arrays (n_levels,) by name of the current. during: length of the step [ms].
    """
    levels = numbers("levels", levels, "mV", shape=(None,))
    trace = clamp(neuron, step_command(holding, levels, dt, during, dt), dt)
    return {name: trace.peak(name) for name in trace.currents}


def _gate(
    neuron: Neuron, name: str, levels: np.ndarray, durations: tuple[float, ...], part: np.ndarray, since: np.ndarray
) -> np.ndarray:
    """A gate at `since` [ms] (n,) after the begin of `part` (n,), each part begun where the one before it ended."""
    x_inf, rate = np.broadcast_arrays(neuron.steady_state(name, levels), 1.0 / neuron.time_constant(name, levels))
    begin = [x_inf[0]]
    for k, duration in enumerate(durations[:-1]):
        begin.append(x_inf[k] + (begin[k] - x_inf[k]) * np.exp(-rate[k] * duration))
    x_inf, rate, x = (values.T[..., part] for values in (x_inf, rate, np.array(begin)))
    return x_inf + (x - x_inf) * np.exp(-rate * since)


def _part_of(t: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Which part of a command each time lies in; a time at an edge in the later one, rounding errors aside."""
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
            raise ValueError(f"{kind} has the state {name}, which does not depend on V alone: no closed form")
