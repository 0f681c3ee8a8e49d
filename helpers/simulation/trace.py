"""Trace: what every simulation and every recording returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from helpers.validation import did_you_mean, number, plain

from .spikes import spike_events, spike_rule, times_of

__all__ = ["LazyArrays", "Sweep", "Trace"]


class LazyArrays(Mapping[str, np.ndarray]):
    """Arrays by name, each computed when it is first used."""

    def __init__(self, names: Iterable[str], compute: Callable[[str], np.ndarray]) -> None:
        self._names, self._compute, self._known = tuple(names), compute, dict[str, np.ndarray]()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._compute(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Sweep(NamedTuple):
    """The part of a `Trace` that compiled summary statistics see (Numba knows named tuples).

    Its spikes were found before, by the neuron's own declarations, so that no statistic needs to look for them.
    """

    t: np.ndarray
    V: np.ndarray
    I: np.ndarray
    start: float
    stop: float
    spike_times: np.ndarray
    spikes: np.ndarray = np.empty((0, 3), np.int64)  # samples of each, see `spike_events`


@dataclass(frozen=True)
class Trace:
    """The states of a neuron over time, and the current that was injected.

    States and currents are also attributes: `trace.V`, `trace.m`, `trace.I_Na`.

    Parameters
    ----------
    t
        Sample times, (n,) [ms], evenly spaced.
    states
        Every state by name, (n,). The first is the membrane potential [mV], called V in most neurons and in every
        recording; a recording has no other.
    I
        Injected current, (n,) in `I_unit`; for a recording whose current nobody knows, the reason in words, which is
        raised as a ValueError when I is used (see `has_current`).
    start, stop
        When the stimulus goes on and off [ms].
    currents
        Each ionic current by name, (n,) [µA/cm²], outward positive; empty for a recording.
    I_unit
        µA/cm² for a model driven by ionic currents, pA for a recording.
    spike_threshold, spike_prominence, spike_height, spike_duration
        What counts as a spike [mV, and ms for the last], see `find_spikes`: the defaults are those of a recording, a
        simulation has those of its neuron.
    seed
        What seeded the noise of a simulation, so that it can be repeated.

    Raises
    ------
    ValueError
        For arrays of different lengths, samples that are not finite, times that are not evenly spaced, and a stimulus
        outside the trace.
    """

    t: np.ndarray
    states: Mapping[str, np.ndarray]
    I: np.ndarray = field(repr=False)  # whose use may raise
    start: float
    stop: float
    currents: Mapping[str, np.ndarray] = field(default_factory=dict)
    I_unit: str = "µA/cm²"
    spike_threshold: float = -20.0
    spike_prominence: float = 10.0
    spike_height: float = 20.0
    spike_duration: float = 50.0
    seed: int | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.states, Mapping) and self.states):
            raise ValueError(f"states is of type {type(self.states).__name__}; allowed: arrays by name, V first")
        if isinstance(self.I, str):
            object.__setattr__(self, "_no_current", self.I)
            object.__delattr__(self, "I")
        for name in ("t", "I") if self.has_current else ("t",):
            object.__setattr__(self, name, _samples(name, getattr(self, name)))
        object.__setattr__(self, "states", {name: _samples(name, values) for name, values in self.states.items()})
        for name in ("start", "stop"):
            object.__setattr__(self, name, number(name, getattr(self, name), "ms"))
        arrays = {"t": self.t, **self.states, **({"I": self.I} if self.has_current else {})}
        lengths = {name: len(values) for name, values in arrays.items()}
        if len(set(lengths.values())) > 1:
            described = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(f"{', '.join(self.states)}, t and I differ in length: {described} samples")
        if len(self.t) < 2:
            raise ValueError(f"a trace needs at least 2 samples, got {len(self.t)}")
        for name, values in arrays.items():
            if not np.isfinite(values).all():
                first = int(np.argmin(np.isfinite(values)))
                raise ValueError(f"{name} is {values[first]} at sample {first}: every sample must be finite")
        if not (
            self.dt > 0.0 and np.abs(self.t - np.linspace(self.t[0], self.t[-1], len(self.t))).max() < 0.1 * self.dt
        ):
            raise ValueError(f"t goes from {self.t[0]:g} to {self.t[-1]:g} ms; allowed: rising, evenly spaced times")
        if not self.t[0] <= self.start < self.stop <= self.t[-1] + self.dt:
            raise ValueError(
                f"stimulus from {self.start:g} to {self.stop:g} ms lies outside the trace, "
                f"{self.t[0]:g} to {self.t[-1]:g} ms"
            )

    @property
    def has_current(self) -> bool:
        """Whether I is known."""
        return "_no_current" not in self.__dict__

    def __getattr__(self, name: str) -> np.ndarray:
        if name == "I" and not self.has_current:
            raise ValueError(self.__dict__["_no_current"])
        for group in ("states", "currents"):
            if name in self.__dict__.get(group, {}):
                return self.__dict__[group][name]
        known = ("t", "I", "spike_times", *self.__dict__.get("states", ()), *self.__dict__.get("currents", ()))
        near = did_you_mean(name, known) or ";"
        raise AttributeError(f"a Trace has no {name!r}{near} this one has {', '.join(known)}")

    @property
    def V(self) -> np.ndarray:
        """The membrane potential, (n,) [mV]: the first state, whatever its name."""
        return next(iter(self.states.values()))

    @property
    def dt(self) -> float:
        """Time between samples [ms]."""
        return float(self.t[-1] - self.t[0]) / (len(self.t) - 1)

    @property
    def spike_times(self) -> np.ndarray:
        """When V spikes, (n_spikes,) [ms]: the rises through `spike_threshold`, see `find_spikes`."""
        t, V = self._compiled_arrays()
        return times_of(t, V, self.spike_events, float(self.spike_threshold))

    @property
    def spike_events(self) -> np.ndarray:
        """Samples at which each spike begins, peaks and has come back, (n_spikes, 3); see `spikes.spike_events`."""
        return spike_events(*self._compiled_arrays(), *spike_rule(self))

    def _compiled_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and V as compiled functions take them."""
        return np.ascontiguousarray(self.t, dtype=float), np.ascontiguousarray(self.V, dtype=float)


def _samples(name: str, values: np.ndarray) -> np.ndarray:
    if not (isinstance(values, np.ndarray) and values.dtype.kind == "f"):
        values = plain(name, values, "an array of numbers")
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}; allowed: (n,), one number per sample")
    return values
