"""The fixed-step integrators in plain NumPy, to read and to test against. `compiler` has the same steps in fast form.

All neurons are conditionally linear: every state obeys dx/dt = a - b·x, where a and b depend on the other states.

Exponential Euler moves one state after the other as if a and b were constant during the step, which is then exact.

A Runge-Kutta method of s stages evaluates the slopes k_1 ... k_s at t + c_i·dt and x + dt·(a_i1·k_1 + ...), and steps
by dt·(b_1·k_1 + ... + b_s·k_s). Its order is the number of terms of the exact solution's series that it gets right;
tests/simulation/test_integrators.py checks it in exact arithmetic (Butcher 2016, Numerical Methods for ODEs, ch. 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from helpers.neurons.equations import Neuron

__all__ = [
    "EXPONENTIAL_EULER",
    "METHODS",
    "TABLEAUS",
    "Tableau",
    "coefficients",
    "exponential_euler_step",
    "runge_kutta_step",
    "slopes",
]


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: rows `a` (s rows, strictly lower triangular), weights `b`, and its order."""

    a: tuple[tuple[Fraction, ...], ...]
    b: tuple[Fraction, ...]
    order: int

    @property
    def c(self) -> tuple[Fraction, ...]:
        """Where in the step each stage lies, 0 to 1."""
        return tuple(sum(row, Fraction(0)) for row in self.a)


def _tableau(order: int, *rows: str) -> Tableau:
    *a, b = ([Fraction(entry) for entry in row.split()] for row in rows)
    return Tableau(tuple(tuple(row) for row in a), tuple(b), order)


TABLEAUS: Mapping[str, Tableau] = MappingProxyType(
    {
        # Euler 1768
        "euler": _tableau(1, "", "1"),
        # Kutta 1901, the classical method
        "rk4": _tableau(4, "", "1/2", "0 1/2", "0 0 1", "1/6 1/3 1/3 1/6"),
        # Six stages, called "RK6" by some libraries: six stages give at most order 5 (Butcher 1964).
        "rk5": _tableau(
            5,
            "",
            "1/5",
            "3/40 9/40",
            "3/10 -9/10 6/5",
            "3/40 27/40 -3/5 3/4",
            "107/162 5/2 -140/27 35/9 -70/81",
            "8/81 0 25/63 25/108 25/81 -1/28",
        ),
        # Butcher 1964, J Austral Math Soc 4:179: order 6 takes seven stages.
        "rk6": _tableau(
            6,
            "",
            "1/3",
            "0 2/3",
            "1/12 1/3 -1/12",
            "-1/16 9/8 -3/16 -3/8",
            "0 9/8 -3/8 -3/4 1/2",
            "9/44 -9/11 63/44 18/11 0 -16/11",
            "11/120 0 27/40 27/40 -4/15 -4/15 11/120",
        ),
    }
)

EXPONENTIAL_EULER = "exponential_euler"

METHODS = (EXPONENTIAL_EULER, *TABLEAUS)


def exponential_euler_step(neuron: Neuron, x: np.ndarray, I: float, dt: float) -> np.ndarray:
    """One step of exponential Euler: V first, then the other states in order, each at the new values of those before.

    Parameters
    ----------
    x
        The states, (n_states,), in the order of `neuron.states`.
    I, dt
        The current during the step, in the neuron's unit, and the step [ms].

    References
    ----------
    Rush & Larsen 1978, IEEE Trans Biomed Eng 25:389.
    """
    x = np.array(x, dtype=float)
    for i in range(len(x)):
        a, b = coefficients(neuron, x, I)
        z = b[i] * dt
        relaxation = -np.expm1(-z) / z if z != 0.0 else 1.0  # 1 for slow states; below where exp(-z) matters
        x[i] += (a[i] - b[i] * x[i]) * dt * relaxation
    return x


def runge_kutta_step(
    tableau: Tableau, slope: Callable[[float, np.ndarray], np.ndarray], t: float, x: np.ndarray, dt: float
) -> np.ndarray:
    """One step of dx/dt = slope(t, x) from `t` to `t + dt`, by the method of a tableau, such as TABLEAUS["rk4"].

    Parameters
    ----------
    slope
        Function of the time and the states that returns their slopes, (n_states,).
    x
        The states at `t`, (n_states,).
    """
    k: list[np.ndarray] = []
    for row, c in zip(tableau.a, tableau.c, strict=True):
        moved = x + dt * sum(float(weight) * k_j for weight, k_j in zip(row, k, strict=False))
        k.append(slope(t + float(c) * dt, moved))
    return x + dt * sum(float(weight) * k_j for weight, k_j in zip(tableau.b, k, strict=True))


def coefficients(neuron: Neuron, x: np.ndarray, I: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a and b of dx/dt = a - b·x, (n_states,) each [per ms], at the states `x` under the current `I`."""
    here = {**neuron.constants(), **dict(zip(neuron.states, x, strict=True)), "I": I}
    pairs = []
    for name in neuron.states:
        if name == "V" and neuron.currents:
            channels = [entry.evaluate(here) for entry in neuron.currents.values()]
            pairs.append(((I + sum(g * E for g, E in channels)) / here["C"], sum(g for g, _ in channels) / here["C"]))
        elif name in neuron.gates:
            alpha, beta = neuron.gates[name].evaluate(here)
            pairs.append((alpha, alpha + beta))
        else:
            pairs.append(neuron.equations[name].evaluate(here))
    a, b = np.array(pairs, dtype=float).T
    return a, b


def slopes(neuron: Neuron, state: np.ndarray, I: float, constants: Mapping[str, float] | None = None) -> np.ndarray:
    """The slopes d(state)/dt, (n_states,) [per ms], at `state` (n_states,) under the current `I`.

    constants: those of the neuron by name, to save computing them again and again.
    """
    here = {**(constants or neuron.constants()), **dict(zip(neuron.states, state, strict=True)), "I": I}
    result = []
    for name, x in zip(neuron.states, state, strict=True):
        if name == "V" and neuron.currents:
            channels = [entry.evaluate(here) for entry in neuron.currents.values()]
            result.append((I - sum(g * (x - E) for g, E in channels)) / here["C"])
        elif neuron.equations[name].kind == "gate":
            alpha, beta = neuron.equations[name].evaluate(here)
            result.append(alpha * (1.0 - x) - beta * x)
        else:
            a, b = neuron.equations[name].evaluate(here)
            result.append(a - b * x)
    return np.array(result, dtype=float)
