"""A neuron as a dynamical system: its fixed points, their stability, and its phase planes.

All of it follows from the slopes d(state)/dt of the neuron's own equations, under a constant current and without noise.
Resets (of integrate-and-fire neurons) are ignored. For the terms see Izhikevich 2007, Dynamical Systems in
Neuroscience, chapters 3 to 6.

    fixed_points, fixed_point_current, resting_state          where all slopes vanish
    jacobian, eigenvalues, hopf_points, unstable_range        whether a small perturbation decays there
    nullclines, separatrix                                    a plane of two states, the others frozen
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from contourpy import LineType, contour_generator
from scipy import differentiate
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from helpers.neurons.equations import MAX_POTENTIAL, Neuron
from helpers.simulation.integrators import slopes
from helpers.validation import number, numbers, one_of, whole_number

__all__ = [
    "HopfPoint",
    "eigenvalues",
    "fixed_point_current",
    "fixed_points",
    "hopf_points",
    "jacobian",
    "nullclines",
    "resting_state",
    "separatrix",
    "steady_states",
    "unstable_range",
]

SPAN = (-120.0, 60.0)  # of the first state [mV]
NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class HopfPoint:
    """Where a fixed point gains or loses its stability to an oscillation.

    Parameters
    ----------
    I : float
        The constant current [µA/cm²].
    state : Mapping[str, float]
        The value of every state.
    frequency : float
        Of the oscillation that neither grows nor decays [Hz, for a neuron whose time unit is the ms].
    """

    I: float
    state: Mapping[str, float]
    frequency: float


def steady_states(neuron: Neuron, x: Any, I: Any = 0.0, frozen: Mapping[str, float] = NONE) -> np.ndarray:
    """Return the steady state of all other states while the first one is held.

    Parameters
    ----------
    neuron : Neuron
    x : array_like
        The first state, of any shape (...) [mV].
    I : float or ndarray of shape (...)
        The constant current [µA/cm²].
    frozen : Mapping[str, float]
        States that keep a given value instead.

    Returns
    -------
    ndarray of shape (n_states, ...)

    Raises
    ------
    ValueError
        If another state has no steady state, or one that does not depend on the first state alone.
    """
    first, *others = neuron.states
    for name, value in frozen.items():
        number(f"frozen {one_of('frozen state', name, others)}", value, low=-1e6, high=1e6)
    x = numbers(first, x, "mV", low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    I = numbers("I", I)
    if I.ndim and I.shape != x.shape:
        raise ValueError(f"I has shape {I.shape}; allowed: one number, or one for each x, {x.shape}")
    values = {**neuron.constants(), **frozen, first: x, "I": I}
    free = {name for name in others if name not in frozen}
    states = [x]
    for name in others:
        if name in frozen:
            states.append(frozen[name])
            continue
        entry = neuron.equations[name]
        if free & set(entry.arguments):
            raise ValueError(f"{type(neuron).__name__}.{name} does not depend on {first} alone: freeze what it needs")
        a, b = entry.evaluate(values)
        b = a + b if entry.kind == "gate" else b  # alpha and beta of a gate
        if not np.all(b):
            raise ValueError(f"{type(neuron).__name__}.{name} has no steady state: freeze it")
        states.append(a / b)
    return np.array(np.broadcast_arrays(*states))


def fixed_point_current(neuron: Neuron, x: Any, frozen: Mapping[str, float] = NONE) -> np.ndarray:
    """Return the constant current at which the neuron has a fixed point with its first state at `x`.

    Parameters
    ----------
    x : array_like
        Of any shape (...) [mV].
    frozen : Mapping[str, float]
        As in `steady_states`.

    Returns
    -------
    ndarray of shape (...)
        In µA/cm².
    """
    # The slope of the first state is a linear function of I.
    at_0, at_1 = (slopes(neuron, steady_states(neuron, x, I, frozen), I)[0] for I in (0.0, 1.0))
    return at_0 / (at_0 - at_1)


def fixed_points(
    neuron: Neuron, I: float = 0.0, frozen: Mapping[str, float] = NONE, span: tuple[float, float] = SPAN
) -> np.ndarray:
    """Return the fixed points under a constant current, in ascending order of the first state.

    Parameters
    ----------
    neuron : Neuron
    I : float
        The constant current [µA/cm²].
    frozen : Mapping[str, float]
        As in `steady_states`; the slopes of frozen states need not vanish.
    span : tuple of float
        Where to look for the first state [mV]. Two points closer than a thousandth of it can be missed.

    Returns
    -------
    ndarray of shape (n_points, n_states)
    """
    number("I", I)
    excess = partial(_excess, neuron=neuron, I=I, frozen=frozen)
    grid = np.linspace(*_checked_span(span), num=2001)
    roots = [brentq(excess, low, high, xtol=1e-13) for low, high in _sign_changes(grid, excess(grid))]
    return steady_states(neuron, roots, I, frozen).T if roots else np.empty((0, len(neuron.states)))


def resting_state(neuron: Neuron, span: tuple[float, float] = (-120.0, 0.0)) -> dict[str, float]:
    """Return the lowest fixed point without a current to which the first state drifts from both sides.

    The drift is that with all other states steady: in a neuron driven by currents, the steady current turns from inward
    to outward there. The point may be unstable all the same: see `eigenvalues`.

    Parameters
    ----------
    span : tuple of float
        As in `fixed_points` [mV].

    Raises
    ------
    ValueError
        If there is none.
    """
    points = fixed_points(neuron, span=span)
    if len(points):
        below, above = (_excess(points[:, 0] + side, neuron) for side in (-1e-6, 1e-6))
        points = points[below > above]
    if not len(points):
        raise ValueError(f"{neuron} has no resting state between {span[0]:g} and {span[1]:g} mV")
    return dict(zip(neuron.states, points[0].tolist(), strict=True))


def _excess(x: Any, neuron: Neuron, I: float = 0.0, frozen: Mapping[str, float] = NONE) -> Any:
    """The slope of the first state at `x`, with all other states steady or frozen."""
    return slopes(neuron, steady_states(neuron, x, I, frozen), I)[0]


def jacobian(neuron: Neuron, state: np.ndarray, frozen: Mapping[str, float] = NONE) -> np.ndarray:
    """Return the derivative of each slope (row) with respect to each state (column).

    It does not depend on a constant current, which only adds to a slope.

    Parameters
    ----------
    neuron : Neuron
    state : ndarray of shape (n_states, ...)
    frozen : Mapping[str, float]
        As in `steady_states`; these states are left out.

    Returns
    -------
    ndarray of shape (n_free, n_free, ...)
        In 1/ms.
    """
    free, state = _free(neuron, frozen), _checked_state(neuron, "state", state)

    def free_slopes(values: np.ndarray) -> np.ndarray:
        return slopes(neuron, _joined(neuron, values, frozen), 0.0)[free]

    return differentiate.jacobian(free_slopes, state[free]).df


def eigenvalues(neuron: Neuron, state: np.ndarray, frozen: Mapping[str, float] = NONE) -> np.ndarray:
    """Return the eigenvalues of the Jacobian, in descending order of the real part.

    A small perturbation along the direction of one grows as exp(real part · t) and oscillates at the imaginary part
    [rad/ms]: a fixed point is stable if the first real part is below zero.

    Parameters
    ----------
    neuron : Neuron
    state : ndarray of shape (n_states, ...)
    frozen : Mapping[str, float]
        As in `jacobian`.

    Returns
    -------
    ndarray of complex, of shape (..., n_free)
        In 1/ms.
    """
    values = np.linalg.eigvals(np.moveaxis(jacobian(neuron, state, frozen), (0, 1), (-2, -1))).astype(complex)
    return np.take_along_axis(values, np.lexsort((-values.imag, -values.real)), axis=-1)


def hopf_points(neuron: Neuron, span: tuple[float, float] = (-100.0, 0.0), steps: int = 200) -> list[HopfPoint]:
    """Return the Hopf points, where the real part of a leading complex pair of eigenvalues passes through zero.

    Parameters
    ----------
    neuron : Neuron
    span : tuple of float
        Fixed points with a first state in this range [mV] are examined, in ascending order.
    steps : int
        Number of intervals into which `span` is divided.
    """

    def leading(x: Any) -> Any:
        return eigenvalues(neuron, steady_states(neuron, x))[..., 0]

    grid = np.linspace(*_checked_span(span), num=whole_number("steps", steps, 2, 100_000) + 1)
    found = []
    for low, high in _sign_changes(grid, leading(grid).real):
        x = brentq(lambda x: leading(x).real, low, high, xtol=1e-10)
        angular = abs(leading(x).imag)
        if angular > 1e-6:  # else two fixed points meet here: a real eigenvalue passes through zero
            state = dict(zip(neuron.states, steady_states(neuron, x).tolist(), strict=True))
            current = float(fixed_point_current(neuron, x))
            found.append(HopfPoint(current, state, float(1000.0 * angular / (2.0 * np.pi))))
    return found


def unstable_range(
    neuron: Neuron, name: str, values: np.ndarray, span: tuple[float, float] = (-100.0, 0.0)
) -> np.ndarray:
    """Return the two currents between which the fixed point is unstable, as a function of a parameter.

    Parameters
    ----------
    neuron : Neuron
    name : str
        The parameter.
    values : ndarray of shape (n,)
        Its values.
    span : tuple of float
        As in `hopf_points` [mV].

    Returns
    -------
    ndarray of shape (n, 2)
        In µA/cm²; NaN where the neuron does not have exactly two Hopf points.
    """
    one_of("name", name, neuron.parameters())
    values = numbers("values", values, shape=(None,))
    neurons = [type(neuron)(**{**neuron.values(), name: value}) for value in values]
    found = [[point.I for point in hopf_points(changed, span)] for changed in neurons]
    return np.array([pair if len(pair) == 2 else (np.nan, np.nan) for pair in found])


def nullclines(
    neuron: Neuron, plane: tuple[str, str], x: np.ndarray, y: np.ndarray, state: np.ndarray, I: float = 0.0
) -> dict[str, list[np.ndarray]]:
    """Return where the slope of each of two states is zero, in the plane of both.

    Parameters
    ----------
    neuron : Neuron
    plane : tuple of str
        The names of the states along `x` and `y`.
    x, y : ndarray of shape (n_x,), (n_y,)
        The grid on which the lines are sought.
    state : ndarray of shape (n_states,)
        At which all other states are frozen.
    I : float
        The constant current [µA/cm²].

    Returns
    -------
    dict
        For each of the two states a list of lines, each of shape (n, 2).
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
    state = numbers("state", state, shape=(len(neuron.states),), low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    across, up = (neuron.states.index(name) for name in plane)
    grid = np.multiply.outer(state, np.ones((len(y), len(x))))
    grid[across], grid[up] = np.meshgrid(x, y)
    slope = slopes(neuron, grid, I)
    contours = {
        name: contour_generator(x, y, slope[neuron.states.index(name)], line_type=LineType.Separate) for name in plane
    }
    return {name: cast(list[np.ndarray], contour.lines(0.0)) for name, contour in contours.items()}


def separatrix(
    neuron: Neuron, saddle: np.ndarray, frozen: Mapping[str, float], I: float = 0.0, span: tuple[float, float] = SPAN
) -> np.ndarray:
    """Return the line through a saddle that separates the states from which the neuron goes to either side.

    It is followed backwards in time until the first state leaves `span` or the second one its range from 0 to 1.

    Parameters
    ----------
    neuron : Neuron
    saddle : ndarray of shape (n_states,)
        A fixed point of the two states that are not frozen.
    frozen : Mapping[str, float]
        All states but two.
    I : float
        The constant current [µA/cm²].
    span : tuple of float
        Of the first state [mV].

    Returns
    -------
    ndarray of shape (n, n_states)

    Raises
    ------
    ValueError
        If `saddle` is not a saddle of two states.
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


def _checked_span(span: tuple[float, float]) -> tuple[float, float]:
    low, high = numbers("span", span, shape=(2,), low=-1000.0, high=1000.0).tolist()
    if not low < high:
        raise ValueError(f"span = {span}; allowed: two numbers, rising")
    return low, high


def _checked_state(neuron: Neuron, name: str, state: Any) -> np.ndarray:
    """A value for each state of the neuron, (n_states, ...)."""
    values = numbers(name, state, low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
    if values.ndim == 0 or len(values) != len(neuron.states):
        raise ValueError(f"{name} has shape {values.shape}; allowed: ({len(neuron.states)}, ...), one for each state")
    return values


def _free(neuron: Neuron, frozen: Mapping[str, float]) -> list[int]:
    """Indices of the states that are not frozen."""
    return [k for k, name in enumerate(neuron.states) if name not in frozen]


def _joined(neuron: Neuron, values: np.ndarray, frozen: Mapping[str, float]) -> np.ndarray:
    """All states, (n_states, ...), from the free ones, (n_free, ...), and the frozen ones."""
    free = iter(values)
    states = [frozen[name] if name in frozen else next(free) for name in neuron.states]
    return np.array(np.broadcast_arrays(*states))


def _sign_changes(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """The neighbours in `x` (n,) between which `y` (n,) changes its sign."""
    return [(x[k], x[k + 1]) for k in np.flatnonzero(np.diff(np.signbit(y)))]
