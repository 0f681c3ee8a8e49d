"""How the equations of a neuron are written: once, as functions of the names they use.

Every state x obeys dx/dt = a - b·x. A class in neurons.py marks its functions with

    @gate      returns (alpha, beta) [1/ms]:  dx/dt = alpha·(1 - x) - beta·x, so a = alpha, b = alpha + beta
    @current   returns (g, E) [mS/cm², mV]:   an ionic current I = g·(V - E); together they drive V
    @derived   returns a constant computed once from parameters

The arguments of a function are names of states, parameters or derived constants; whoever runs the equations looks
them up. Every integrator, the batch simulator and the figures use this one text.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .parameters import Declared

__all__ = ["Equation", "Neuron", "current", "derived", "equation", "gate"]


@dataclass(frozen=True)
class Equation:
    """One marked function: call it with numbers or arrays, or let the compiler translate its text."""

    name: str
    kind: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def at(self, names: Mapping[str, Any]) -> Any:
        """Evaluate with every argument looked up in `names`."""
        return self.function(*(names[argument] for argument in self.arguments))


def equation(kind: str) -> Callable[[Callable[..., Any]], Equation]:
    """Make the decorator that marks a function as an equation of this kind."""

    def mark(function: Callable[..., Any]) -> Equation:
        return Equation(function.__name__, kind, function, tuple(inspect.signature(function).parameters))

    return mark


gate = equation("gate")
current = equation("current")
derived = equation("derived")


class Neuron(Declared):
    """Base of the neurons: a frozen dataclass of parameters plus marked equations.

    A subclass declares the parameters `C` [µF/cm²], `V_init` [mV] and `noise` [µA/cm²·√ms] among its own.
    """

    equations: ClassVar[Mapping[str, Equation]] = {}
    current_unit: ClassVar[str] = "µA/cm²"
    spike_threshold: ClassVar[float] = -20.0  # mV; an upward crossing is a spike
    V_range: ClassVar[tuple[float, float]] = (-150.0, 100.0)  # mV; beyond it a trace is refused as unphysical

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Equation)}
        cls.equations = {**cls.equations, **own}
        known = {"V", *inspect.get_annotations(cls), *(n for base in cls.__mro__ for n in vars(base))}
        for entry in own.values():
            unknown = [name for name in entry.arguments if name not in known]
            if unknown:
                raise TypeError(f"{cls.__name__}.{entry.name} uses {unknown}, neither a state nor a parameter")

    @classmethod
    def of_kind(cls, kind: str) -> dict[str, Equation]:
        """The equations of one kind by name, in the order in which they are written."""
        return {name: entry for name, entry in cls.equations.items() if entry.kind == kind}

    @classmethod
    def states(cls) -> tuple[str, ...]:
        """The names of the state variables: V, then the gates."""
        return ("V", *cls.of_kind("gate"))

    def rates(self, name: str, V: Any) -> tuple[np.ndarray, np.ndarray]:
        """Opening and closing rate (alpha, beta) [1/ms] of gate `name` at `V` [mV]."""
        alpha, beta = self.equations[name].at({**self.names(), "V": np.asarray(V, dtype=float)})
        return alpha, beta

    def steady_state(self, name: str, V: Any) -> np.ndarray:
        """x_inf = alpha / (alpha + beta) of gate `name` at `V` [mV]."""
        alpha, beta = self.rates(name, V)
        return alpha / (alpha + beta)

    def time_constant(self, name: str, V: Any) -> np.ndarray:
        """tau = 1 / (alpha + beta) [ms] of gate `name` at `V` [mV]."""
        alpha, beta = self.rates(name, V)
        return 1.0 / (alpha + beta)

    def start(self) -> dict[str, float]:
        """The start value of every state: V_init, and each gate at its steady state there."""
        V = self.V_init  # type: ignore[attr-defined]
        return {"V": V, **{name: float(self.steady_state(name, V)) for name in self.of_kind("gate")}}

    def names(self) -> dict[str, Any]:
        """Parameters and derived constants by name, as the equations use them."""
        values: dict[str, Any] = self.values()
        for name, entry in self.of_kind("derived").items():
            values[name] = entry.at(values)
        return values
