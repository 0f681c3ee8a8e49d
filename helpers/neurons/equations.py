"""The equations of a neuron, written once, as functions of the names they use.

Every state x obeys dx/dt = a - b·x. A class in `models` marks its functions with

    @gate      returns (alpha, beta) [1/ms]:  dx/dt = alpha·(1 - x) - beta·x, so a = alpha, b = alpha + beta
    @current   returns (g, E) [mS/cm², mV]:   an ionic current I = g·(V - E); together they drive V
    @state     returns (a, b) of any other state, which has the name of the function
    @derived   returns a constant computed once from parameters
    @event     runs after each step and returns what to show of the first state, then the new value of every state:
               spike and reset

The arguments of a function are names of states, parameters or derived constants, in a state also I (the injected
current), in an event also dt; they are looked up by name. Every integrator, the batch simulator and the figures use
this one text.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, ClassVar, Self

import numpy as np

from helpers.validation import did_you_mean, numbers, one_of

from .mistakes import mistake_in
from .parameters import Declared

__all__ = ["Equation", "Neuron", "current", "derived", "equation", "event", "gate", "source_of", "state"]

MAX_POTENTIAL = 1000.0  # mV; far outside the physiological range, where rates overflow


@dataclass(frozen=True)
class Equation:
    """A marked function: call it with numbers or arrays, or let the compiler translate its source.

    The source is read when the function is marked, and pickled with it: in another process, or after an edit of the
    file, Python could no longer find it.

    Parameters
    ----------
    name
        Name of the function: of the gate, state, current, constant or event.
    kind
        "gate", "state", "current", "derived", "event", or "formula" in a stimulus.
    function
        The function itself.
    arguments
        Names of its arguments.
    source
        Its text, "" for a function without source, such as one made by `exec`.
    """

    name: str
    kind: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    source: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", source_of(self.function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """Call the function with every argument looked up in `names`."""
        return self.function(*(names[argument] for argument in self.arguments))


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function without its indentation, "" if Python cannot find it."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def equation(kind: str) -> Callable[[Callable[..., Any]], Equation]:
    """Make the decorator that marks a function as an equation of this kind."""

    def mark(function: Callable[..., Any]) -> Equation:
        return Equation(function.__name__, kind, function, tuple(inspect.signature(function).parameters))

    return mark


gate = equation("gate")
current = equation("current")
state = equation("state")
derived = equation("derived")
event = equation("event")


class Neuron(Declared):
    """Base of the neurons: a frozen dataclass of parameters plus marked equations.

    A subclass with `@current`s declares the capacitance `C` [µF/cm²] among its parameters and has the state V. Every
    state that is not a gate has its initial value as a parameter, V_init for V. A parameter `noise` is the intensity of
    white current noise [current_unit·√ms].

    Attributes
    ----------
    equations, gates, currents, derived
        Equations by name, in the order in which they are written: all, and those of one kind.
    event
        Spike and reset, or None.
    states
        Names of the state variables: V if currents drive it, then the others in the order in which they are written.
    presets
        By name: the source, and the parameters that differ from the defaults.
    current_unit
        Unit of the injected current.
    spike_threshold, spike_prominence, spike_height, spike_duration
        What counts as a spike of the first state [mV, and ms for the last], see `find_spikes` of the simulation: the
        level that it reaches unless it rises by `spike_height`, and how far V rises and falls within how much time.
    max_dt
        Largest step at which exponential Euler counts the spikes right [ms].
    current_range
        Injected current on a slider: default, lowest and highest.
    """

    equations: ClassVar[Mapping[str, Equation]] = {}
    gates: ClassVar[Mapping[str, Equation]] = {}
    currents: ClassVar[Mapping[str, Equation]] = {}
    derived: ClassVar[Mapping[str, Equation]] = {}
    event: ClassVar[Equation | None] = None
    states: ClassVar[tuple[str, ...]] = ()
    presets: ClassVar[Mapping[str, tuple[str, Mapping[str, float]]]] = {}
    current_unit: ClassVar[str] = "µA/cm²"
    spike_threshold: ClassVar[float] = -20.0
    spike_prominence: ClassVar[float] = 10.0
    spike_height: ClassVar[float] = 45.0  # more than the oscillations in depolarisation block
    spike_duration: ClassVar[float] = 50.0
    max_dt: ClassVar[float] = 0.05
    current_range: ClassVar[tuple[float, float, float]] = (10.0, -20.0, 100.0)  # of a slider: default, lowest, highest

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._refuse_unmarked()
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Equation)}
        cls.equations = {**cls.equations, **own}
        known = {"V", "I", "dt", *inspect.get_annotations(cls), *(n for base in cls.__mro__ for n in vars(base))}
        constants = sorted(name for name in known if not hasattr(Neuron, name))
        for entry in own.values():
            mistake = mistake_in(entry.kind, entry.name, entry.arguments, entry.source, constants)
            if mistake:
                raise TypeError(f"{cls.__name__}.{entry.name} {mistake}")
            unknown = [name for name in entry.arguments if name not in known]
            if unknown:
                near = did_you_mean(unknown[0], known)
                raise TypeError(f"{cls.__name__}.{entry.name} uses {unknown}, neither a state nor a parameter{near}")
        kinds: dict[str, dict[str, Equation]] = {kind: {} for kind in ("gate", "current", "state", "derived", "event")}
        for name, entry in cls.equations.items():
            kinds[entry.kind][name] = entry
        cls.gates, cls.currents, cls.derived = kinds["gate"], kinds["current"], kinds["derived"]
        if len(kinds["event"]) > 1:
            raise TypeError(f"{cls.__name__} has the events {', '.join(kinds['event'])}; allowed: at most one")
        cls.event = next(iter(kinds["event"].values()), None)
        own_states = tuple(name for name, entry in cls.equations.items() if entry.kind in ("gate", "state"))
        cls.states = ("V", *own_states) if cls.currents else own_states

    @classmethod
    def _refuse_unmarked(cls) -> None:
        """Refuse an equation without its decorator, and a parameter without its declaration."""
        for name, value in vars(cls).items():
            if isinstance(value, FunctionType) and next(iter(inspect.signature(value).parameters), "self") != "self":
                raise TypeError(
                    f"{cls.__name__}.{name} is not marked as an equation: write @gate, @current, @state, @derived or "
                    f"@event above the line def {name}"
                )
        for name, annotation in inspect.get_annotations(cls).items():
            if isinstance(vars(cls).get(name), int | float) and "ClassVar" not in str(annotation):
                raise TypeError(
                    f"{cls.__name__}.{name} = {vars(cls)[name]!r} says neither unit nor meaning; declare it: "
                    f'{name}: float = parameter({vars(cls)[name]!r}, "unit", "meaning", low=..., high=...)'
                )

    @classmethod
    def preset(cls, name: str, **changes: float) -> Self:
        """Return the neuron of a named preset, one of `presets`, with other parameters changed by name."""
        if not (isinstance(name, str) and name in cls.presets):
            raise ValueError(f"preset {name!r}; allowed: {', '.join(cls.presets) or f'{cls.__name__} has none'}")
        return cls(**{**cls.presets[name][1], **changes})

    def rates(self, name: str, V: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return opening and closing rate (alpha, beta) [1/ms] of a gate at `V` [mV], from -1000 to 1000 mV."""
        one_of("gate", name, self.gates)
        V = numbers("V", V, "mV", low=-MAX_POTENTIAL, high=MAX_POTENTIAL)
        alpha, beta = self.equations[name].evaluate({**self.constants(), "V": V})
        return alpha, beta

    def steady_state(self, name: str, V: Any) -> np.ndarray:
        """Return x_inf = alpha / (alpha + beta) of a gate at `V` [mV]."""
        alpha, beta = self.rates(name, V)
        return alpha / (alpha + beta)

    def time_constant(self, name: str, V: Any) -> np.ndarray:
        """Return tau = 1 / (alpha + beta) [ms] of a gate at `V` [mV]."""
        alpha, beta = self.rates(name, V)
        return 1.0 / (alpha + beta)

    def initial_state(self, constants: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the initial value of every state: as the parameters say, and each gate at its steady state there.

        Parameters
        ----------
        constants
            By name, numbers or arrays, instead of those of this neuron.

        Raises
        ------
        ValueError
            If a gate has no steady state at V_init.
        """
        values = dict(self.constants() if constants is None else constants)
        for name in sorted(self.states, key=lambda name: name in self.gates):
            if name in self.gates:
                with np.errstate(all="ignore"):  # refused below
                    alpha, beta = self.gates[name].evaluate(values)
                    values[name] = alpha / (alpha + beta)
                if not np.isfinite(values[name]).all():
                    formula = f"{name}({', '.join(self.gates[name].arguments)})"
                    raise ValueError(f"the gate {formula} has no steady state at V_init; allowed: physiological values")
            else:
                values[name] = values[f"{name}_init"]
        return {name: values[name] if np.ndim(values[name]) else float(values[name]) for name in self.states}

    @classmethod
    def with_derived(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters by name, numbers or arrays, with the derived constants added."""
        names = dict(values)
        for name, entry in cls.derived.items():
            names[name] = entry.evaluate(names)
        return names

    def constants(self) -> dict[str, Any]:
        """Return parameters and derived constants by name, as the equations use them."""
        return self.with_derived(self.values())
