"""Neurons compared: operations per step, counted, and firing properties, measured.

Operations are counted rather than timed, so that the result does not depend on the computer: the equations are
evaluated on numbers that count what is done with them. Parameters are plain numbers there: what can be computed once,
before the simulation, costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from helpers.neurons.equations import Neuron
from helpers.simulation.integrators import slopes
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import numbers

__all__ = ["FiringProperties", "Operations", "firing_properties", "operations_per_step"]


@dataclass(frozen=True)
class Operations:
    """What one step takes.

    Parameters
    ----------
    arithmetic : int
        Additions, subtractions, multiplications, divisions and comparisons.
    exponentials : int
        Calls of the exponential function.
    """

    arithmetic: int
    exponentials: int


def operations_per_step(neuron: Neuron) -> Operations:
    """Count the operations in one step of forward Euler: all slopes, x + dt·slope for each state, and the event."""
    tally: Counter[str] = Counter()
    state: dict[str, Any] = {name: _Counted(value, tally) for name, value in neuron.initial_state().items()}
    current: Any = _Counted(1.0, tally)
    slopes(neuron, cast(np.ndarray, list(state.values())), current)
    if neuron.event:
        neuron.event.evaluate({**neuron.constants(), **state, "dt": 0.1})
    return Operations(tally["arithmetic"] + 2 * len(state), tally["exponentials"])


class _Counted(NDArrayOperatorsMixin):
    """A number that counts each operation on it in `tally`."""

    def __init__(self, value: Any, tally: Counter[str]) -> None:
        self.value, self.tally = value, tally

    def __float__(self) -> float:
        return float(self.value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any) -> Any:
        values = [_plain(x) for x in inputs]
        if any(not isinstance(x, _Counted) and x == 0 for x in inputs):  # a plain 0: a term that is missing
            return 0.0 if ufunc is np.multiply else _Counted(ufunc(*values), self.tally)
        if ufunc in (np.exp, np.expm1):
            self.tally["exponentials"] += 1
        else:
            self.tally["arithmetic"] += values[1] - 1 if ufunc is np.power else 1  # m³ = m·m·m
        return _Counted(ufunc(*values), self.tally)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, more: Any) -> _Counted:
        return _Counted(function(*(_plain(x) for x in inputs)), self.tally)  # where() computes nothing


def _plain(x: Any) -> Any:
    return x.value if isinstance(x, _Counted) else x


@dataclass(frozen=True)
class FiringProperties:
    """How a neuron fires. Rates are per 1000 of its time units: Hz if that unit is the ms.

    Parameters
    ----------
    lowest_rate : float
        The lowest steady rate above 0 among the currents that were tried.
    depolarisation_block : bool
        Whether the neuron is silent at the strongest of them.
    adaptation : float
        Last interval between spikes divided by the first.
    burst_ratio : float
        Longest interval divided by the shortest, once firing is steady; 1 for a regular train.
    rebound : bool
        Whether a spike follows the end of a hyperpolarising current.
    """

    lowest_rate: float
    depolarisation_block: bool
    adaptation: float
    burst_ratio: float
    rebound: bool


def firing_properties(neuron: Neuron, currents: np.ndarray, drive: float, hyperpolarisation: float) -> FiringProperties:
    """Measure the firing of a neuron under steps of current, all in its own unit of current.

    Parameters
    ----------
    neuron : Neuron
    currents : ndarray of shape (n,)
        In ascending order; each lasts 2000 time units, of which the second half counts as steady.
    drive : float
        At which adaptation and bursts are measured.
    hyperpolarisation : float
        A negative current, which lasts 200 time units.

    Raises
    ------
    ValueError
        If the neuron does not fire at two of the currents, or not three times in each half of `drive`.
    """
    currents = numbers("currents", currents, shape=(None,))

    def response(current: float) -> Trace:
        return simulate(neuron, step(current, 0.0, 2000.0), 2000.0, dt=0.02, method="rk4")

    steady = [_intervals(response(current), after=1000.0) for current in currents]
    rates = [1000.0 / gaps.max() for gaps in steady if len(gaps)]
    driven = response(drive)
    gaps, late = _intervals(driven), _intervals(driven, after=1000.0)
    if len(rates) < 2 or len(gaps) < 4 or len(late) < 2:
        raise ValueError(f"drive = {drive:g} or currents up to {np.max(currents):g} hardly make {neuron} fire")
    released = simulate(neuron, step(hyperpolarisation, 200.0, 400.0), 600.0, dt=0.02, method="rk4").spike_times
    return FiringProperties(
        lowest_rate=min(rates),
        depolarisation_block=not len(steady[-1]),
        adaptation=gaps[-1] / gaps[0],
        burst_ratio=late.max() / late.min(),
        rebound=bool((released > 400.0).any()) and not ((released > 100.0) & (released <= 400.0)).any(),
    )


def _intervals(trace: Trace, after: float = 0.0) -> np.ndarray:
    """Times between the spikes that come `after`."""
    return np.diff(trace.spike_times[trace.spike_times > after])
