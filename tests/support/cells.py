"""Sweeps of a cell in closed form, as it charges and fires at steps of current, for tests of what is fitted."""

from dataclasses import replace

import numpy as np

from helpers.simulation.trace import Trace

from .builders import spiking, step_trace

SPIKES = {-100.0: 0, 50.0: 0, 150.0: 2, 200.0: 4, 250.0: 6, 300.0: 8}  # of the family, by amplitude [pA]


def response(level=200.0, count=4, *, on=200.0, length=300.0, rest=-60.0, noise=0.05, early=0, seed=0) -> Trace:
    """A passive cell of 100 MΩ and 20 ms at a step, with `count` spikes in it and `early` ones before it."""
    trace = step_trace(dt=0.1, duration=on + length + 50.0, on=on, off=on + length, level=level, rest=rest)
    times = [*np.linspace(50.0, on - 30.0, early), *(on + 30.0 + (length - 50.0) * np.arange(count) / max(count, 1))]
    V = trace.V + spiking(trace.t, times) + noise * np.random.default_rng(seed).standard_normal(len(trace.t))
    return replace(trace, states={"V": V})


def blocked(level=600.0, **more) -> Trace:
    """Two spikes at the onset, then a plateau."""
    trace = response(level, 0, **more)
    return replace(trace, states={"V": trace.V + spiking(trace.t, [trace.start + 10.0, trace.start + 20.0])})


def family(**more) -> list[Trace]:
    """The same cell at six steps."""
    return [response(level, count, seed=k, **more) for k, (level, count) in enumerate(SPIKES.items())]
