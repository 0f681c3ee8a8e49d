"""A neuron as a dynamical system: where it stands still, whether it stays there, and what its states do to each other.

All of it follows from the slopes d(state)/dt of the neuron's own equations, under a constant current and without noise.
Resets (of integrate-and-fire neurons) are not seen. What the words mean: Izhikevich 2007, Dynamical Systems in
Neuroscience, chapters 3 to 6.

    fixed_points, holding_current          where all slopes vanish
    jacobian, eigenvalues, hopf_points     whether a small push dies out there, and the currents at which that changes
    nullclines, separatrix                 a plane of two states, the others frozen
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from contourpy import contour_generator
from scipy import differentiate
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from helpers.neurons.equations import MAX_POTENTIAL, Neuron
from helpers.simulation.lsoda import slopes
from helpers.validation import number, numbers, one_of, whole_number

__all__ = [
    "HopfPoint",
    "currents_without_rest",
    "eigenvalues",
    "fixed_points",
    "holding_current",
    "hopf_points",
    "jacobian",
    "nullclines",
    "separatrix",
    "settled",
]

SPAN = (-120.0, 60.0)  # of the first state: mV, where membranes live
NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class HopfPoint:
    """Where a fixed point gains or loses its stability to an oscillation.

    I: the constant current [µA/cm²]. state: value of every state by name.
    frequency: of the oscillation that neither grows nor decays [Hz, for a neuron that counts in ms].
    """

    I: float
    state: Mapping[str, float]
    frequency: float


def settled(neuron: Neuron, x: Any, I: Any = 0.0, frozen: Mapping[str, float] = NOTHING) -> np.ndarray:
    """All states, (n_states, ...), where the first is held at `x` (...) [mV] until the others stand still.

    frozen: states by name that stay at a value instead.
    Raises ValueError where another state never settles, or not by the first state alone.
    """
    first, *others = neuron.states
    for name, value in frozen.items():
        if name not in others:
            raise ValueError(f"frozen state {name!r}; allowed: {', '.join(others)}")
        number(f"frozen {name}", value, low=-1e6, high=1e6)
    x = numbers(first, x, "mV", low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    I = numbers("I", I)
    if I.ndim and I.shape != x.shape:
        raise ValueError(f"I has shape {I.shape}; allowed: one number, or one for each x, {x.shape}")
    names = {**neuron.constants(), **frozen, first: x, "I": I}
    free = [name for name in others if name not in frozen]
    states = [x]
    for name in others:
        if name in frozen:
            states.append(frozen[name])
            continue
        entry = neuron.equations[name]
        if set(free) & set(entry.arguments):
            raise ValueError(f"{type(neuron).__name__}.{name} does not depend on {first} alone: freeze what it needs")
        a, b = entry.evaluate(names)
        b = a + b if entry.kind == "gate" else b  # alpha and beta of a gate
        if not np.all(b):
            raise ValueError(f"{type(neuron).__name__}.{name} never settles: freeze it")
        states.append(a / b)
    return np.array(np.broadcast_arrays(*states))


def holding_current(neuron: Neuron, x: Any, frozen: Mapping[str, float] = NOTHING) -> np.ndarray:
    """The constant current [µA/cm²], (...), under which the neuron stands still with its first state at `x` (...)."""
    # The slope of the first state is a straight line in I.
    at_0, at_1 = (slopes(neuron, settled(neuron, x, I, frozen), I)[0] for I in (0.0, 1.0))
    return at_0 / (at_0 - at_1)


def fixed_points(
    neuron: Neuron, I: float = 0.0, frozen: Mapping[str, float] = NOTHING, span: tuple[float, float] = SPAN
) -> np.ndarray:
    """The states at which nothing moves under the current `I` [µA/cm²]: (n_points, n_states), by rising first state.

    span: where to look for the first state [mV]. Two points closer than a thousandth of it can be missed.
    frozen: as in `settled`; slopes of frozen states are not asked to vanish.
    """

    def excess(x: Any) -> Any:
        return slopes(neuron, settled(neuron, x, I, frozen), I)[0]

    number("I", I)
    grid = np.linspace(*_checked_span(span), 2001)
    roots = [brentq(excess, low, high, xtol=1e-13) for low, high in _sign_changes(grid, excess(grid))]
    return np.array([settled(neuron, root, I, frozen) for root in roots]).reshape(-1, len(neuron.states))


def jacobian(neuron: Neuron, state: np.ndarray, frozen: Mapping[str, float] = NOTHING) -> np.ndarray:
    """Derivative of each slope (row) by each state (column) at `state` (n_states, ...): (n_free, n_free, ...) [1/ms].

    A constant current does not show in it, as it only adds to a slope. frozen: as in `settled`, left out.
    """
    free, state = _free(neuron, frozen), _checked_state(neuron, "state", state)

    def free_slopes(values: np.ndarray) -> np.ndarray:
        return slopes(neuron, _joined(neuron, values, frozen), 0.0)[free]

    return differentiate.jacobian(free_slopes, state[free]).df


def eigenvalues(neuron: Neuron, state: np.ndarray, frozen: Mapping[str, float] = NOTHING) -> np.ndarray:
    """Eigenvalues of the Jacobian at `state` (n_states, ...), by falling real part: (..., n_free) complex [1/ms].

    A small push along the direction of one grows as exp(real part · t) and turns at the imaginary part [rad/ms]: a
    fixed point is stable where the first real part is below zero.
    """
    values = np.linalg.eigvals(np.moveaxis(jacobian(neuron, state, frozen), (0, 1), (-2, -1))).astype(complex)
    return np.take_along_axis(values, np.lexsort((-values.imag, -values.real)), axis=-1)


def hopf_points(neuron: Neuron, span: tuple[float, float] = (-100.0, 0.0), steps: int = 200) -> list[HopfPoint]:
    """The Hopf points that are met while the first state is held higher and higher through `span` [mV] in `steps`.

    There the real part of the leading eigenvalues, a complex pair, passes through zero.
    """

    def leading(x: Any) -> Any:
        return eigenvalues(neuron, settled(neuron, x))[..., 0]

    found, grid = [], np.linspace(*_checked_span(span), whole_number("steps", steps, 2, 100_000) + 1)
    for low, high in _sign_changes(grid, leading(grid).real):
        x = brentq(lambda x: leading(x).real, low, high, xtol=1e-10)
        turning = abs(leading(x).imag)
        if turning > 1e-6:  # else two fixed points meet here: a real eigenvalue passes through zero
            state = dict(zip(neuron.states, settled(neuron, x).tolist(), strict=True))
            found.append(HopfPoint(float(holding_current(neuron, x)), state, float(1000.0 * turning / (2.0 * np.pi))))
    return found


def currents_without_rest(
    neuron: Neuron, name: str, values: np.ndarray, span: tuple[float, float] = (-100.0, 0.0)
) -> np.ndarray:
    """The two currents [µA/cm²] between which no fixed point is stable, (n, 2), by `values` (n,) of parameter `name`.

    NaN for a value with which the neuron has not just two Hopf points within `span` [mV].
    """
    one_of("name", name, neuron.parameters())
    values = numbers("values", values, shape=(None,))
    found = [[point.I for point in hopf_points(replace(neuron, **{name: value}), span)] for value in values]
    return np.array([pair if len(pair) == 2 else (np.nan, np.nan) for pair in found])


def nullclines(
    neuron: Neuron, plane: tuple[str, str], x: np.ndarray, y: np.ndarray, state: np.ndarray, I: float = 0.0
) -> dict[str, list[np.ndarray]]:
    """Where the slope of each of two states is zero, in the plane of both: by name, lines as arrays (n, 2) of points.

    plane: names of the states along `x` (n_x,) and `y` (n_y,), the grid on which the lines are sought.
    state: (n_states,), at which all other states are frozen.
    """
    if len(plane) != 2 or not all(name in neuron.states for name in plane) or plane[0] == plane[1]:
        raise ValueError(f"plane {plane}; allowed: two of {', '.join(neuron.states)}")
    number("I", I)
    x, y = (
        numbers(name, grid, shape=(None,), low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
        for name, grid in (("x", x), ("y", y))
    )
    if not (len(x) > 1 and len(y) > 1 and (np.diff(x) > 0).all() and (np.diff(y) > 0).all()):
        raise ValueError("x and y must rise, with at least 2 numbers each")
    state = _checked_state(neuron, "state", state)
    across, up = (neuron.states.index(name) for name in plane)
    grid = np.multiply.outer(state, np.ones((len(y), len(x))))
    grid[across], grid[up] = np.meshgrid(x, y)
    moves = slopes(neuron, grid, I)
    return {name: contour_generator(x, y, moves[k]).lines(0.0) for name, k in zip(plane, (across, up), strict=True)}


def separatrix(
    neuron: Neuron, saddle: np.ndarray, frozen: Mapping[str, float], I: float = 0.0, span: tuple[float, float] = SPAN
) -> np.ndarray:
    """The line through a saddle that parts the starts which end on one side from those on the other, (n, n_states).

    saddle: (n_states,), a fixed point of the two states that are not `frozen`. The line is followed backwards in time
    until the first state leaves `span` [mV] or the second one its range from 0 to 1.

    Raises ValueError where `saddle` is no saddle of two states.
    """
    free, shape = _free(neuron, frozen), (len(neuron.states),)
    saddle = numbers("saddle", saddle, shape=shape, low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    values, vectors = np.linalg.eig(jacobian(neuron, saddle, frozen))
    if len(free) != 2 or np.iscomplex(values).any() or values.min() >= 0 or values.max() <= 0:
        raise ValueError(f"eigenvalues {values.round(3)} 1/ms; allowed: two real ones, one below and one above 0")

    def backwards(_: float, point: np.ndarray) -> np.ndarray:
        return -slopes(neuron, _joined(neuron, point, frozen), I)[free]

    def inside(_: float, point: np.ndarray) -> float:
        return min(point[0] - span[0], span[1] - point[0], point[1], 1.0 - point[1])

    inside.terminal = True  # type: ignore[attr-defined]
    stable = vectors[:, np.argmin(values)]
    halves = [
        solve_ivp(backwards, (0, 100), saddle[free] + nudge * stable, events=inside, rtol=1e-8, max_step=0.1).y
        for nudge in (-1e-4, 1e-4)
    ]
    return _joined(neuron, np.hstack([halves[0][:, ::-1], halves[1]]), frozen).T


def _checked_span(span: tuple[float, float]) -> np.ndarray:
    ends = numbers("span", span, shape=(2,), low=-1000.0, high=1000.0)
    if not ends[0] < ends[1]:
        raise ValueError(f"span = {span}; allowed: two potentials, rising")
    return ends


def _checked_state(neuron: Neuron, name: str, state: Any) -> np.ndarray:
    """A value for each state of the neuron, (n_states, ...)."""
    values = numbers(name, state, low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    if values.ndim == 0 or len(values) != len(neuron.states):
        raise ValueError(f"{name} has shape {values.shape}; allowed: ({len(neuron.states)}, ...), one for each state")
    return values


def _free(neuron: Neuron, frozen: Mapping[str, float]) -> list[int]:
    """Where in the order of the states the free ones stand."""
    return [k for k, name in enumerate(neuron.states) if name not in frozen]


def _joined(neuron: Neuron, values: np.ndarray, frozen: Mapping[str, float]) -> np.ndarray:
    """All states, (n_states, ...), from those that are free, (n_free, ...), and those that are frozen."""
    free = iter(values)
    states = [frozen[name] if name in frozen else next(free) for name in neuron.states]
    return np.array(np.broadcast_arrays(*states))


def _sign_changes(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """The neighbours in `x` (n,) between which `y` (n,) changes its sign."""
    before = np.flatnonzero(np.diff(np.signbit(y)))
    return [(x[k], x[k + 1]) for k in before]
