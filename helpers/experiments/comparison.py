"""The neurons side by side: what one step of each costs, counted, and what each can do, measured.

Costs are counted, not timed, so that every computer says the same: the equations are run on numbers that keep a tally
of what is done with them. Parameters are plain numbers there: what can be worked out once, before the simulation,
costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from helpers.neurons.equations import Neuron
from helpers.simulation.lsoda import slopes
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import numbers

__all__ = ["Abilities", "Cost", "abilities", "cost_of_a_step"]


@dataclass(frozen=True)
class Cost:
    """What one step takes: `arithmetic` (plus, minus, times, divided by, compared) and calls of the exponential."""

    arithmetic: int
    exponentials: int


def cost_of_a_step(neuron: Neuron) -> Cost:
    """What one step of forward Euler takes: all slopes, x + dt·slope for each state, and the event if there is one."""
    tally: Counter[str] = Counter()
    start = {name: _Counted(value, tally) for name, value in neuron.initial_state().items()}
    slopes(neuron, list(start.values()), _Counted(1.0, tally))
    if neuron.event:
        neuron.event.evaluate({**neuron.constants(), **start, "dt": 0.1})
    return Cost(tally["arithmetic"] + 2 * len(start), tally["exponentials"])


class _Counted(NDArrayOperatorsMixin):
    """A number that enters each operation on it into `tally`."""

    def __init__(self, value: Any, tally: Counter[str]) -> None:
        self.value, self.tally = value, tally

    def __float__(self) -> float:
        return float(self.value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any) -> Any:
        values = [_plain(x) for x in inputs]
        if any(not isinstance(x, _Counted) and x == 0 for x in inputs):  # a plain 0: a term that is not there
            return 0.0 if ufunc is np.multiply else _Counted(ufunc(*values), self.tally)
        if ufunc in (np.exp, np.expm1):
            self.tally["exponentials"] += 1
        else:
            self.tally["arithmetic"] += values[1] - 1 if ufunc is np.power else 1  # m³ = m·m·m
        return _Counted(ufunc(*values), self.tally)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, more: Any) -> _Counted:
        return _Counted(function(*(_plain(x) for x in inputs)), self.tally)  # where(), which chooses, computes nothing


def _plain(x: Any) -> Any:
    return x.value if isinstance(x, _Counted) else x


# -------------------------------------------------------------------------------------------------- what they can do


@dataclass(frozen=True)
class Abilities:
    """How one neuron answers. Rates are per 1000 of its time units: Hz, where that unit is the ms.

    slowest: the lowest steady rate above 0 among the currents that were tried.
    silenced: whether it stops firing again at the strongest of them.
    adaptation: last interval between spikes divided by the first, under `drive`.
    burst: longest interval divided by the shortest, in the second half of `drive`; 1 for a regular train.
    rebounds: whether a spike follows the end of `pull`.
    """

    slowest: float
    silenced: bool
    adaptation: float
    burst: float
    rebounds: bool


def abilities(neuron: Neuron, currents: np.ndarray, drive: float, pull: float) -> Abilities:
    """Try `neuron` under rising held `currents` (n,), a `drive` at which it fires and a `pull` downwards.

    All three in the neuron's unit of current; each current flows for 2000 time units, of which the second half counts
    as steady, the pull for 200.

    Raises ValueError where the neuron does not fire at two of the currents, or not three times in each half of `drive`.
    """

    currents = numbers("currents", currents, shape=(None,))

    def held(current: float) -> Trace:
        return simulate(neuron, step(current, 0.0, 2000.0), 2000.0, dt=0.02, method="rk4")

    steady = [_intervals(held(current), after=1000.0) for current in currents]
    slowest = [1000.0 / gaps.max() for gaps in steady if len(gaps)]
    driven = held(drive)
    gaps, late = _intervals(driven), _intervals(driven, after=1000.0)
    if len(slowest) < 2 or len(gaps) < 4 or len(late) < 2:
        raise ValueError(f"drive = {drive:g} or currents up to {np.max(currents):g} hardly make {neuron} fire")
    released = simulate(neuron, step(pull, 200.0, 400.0), 600.0, dt=0.02, method="rk4").spike_times
    return Abilities(
        slowest=min(slowest),
        silenced=not len(steady[-1]),
        adaptation=gaps[-1] / gaps[0],
        burst=late.max() / late.min(),
        rebounds=bool((released > 400.0).any()) and not ((released > 100.0) & (released <= 400.0)).any(),
    )


def _intervals(trace: Trace, after: float = 0.0) -> np.ndarray:
    """Times between the spikes that come `after`."""
    return np.diff(trace.spike_times[trace.spike_times > after])
