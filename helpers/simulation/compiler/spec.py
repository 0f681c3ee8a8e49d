"""What is compiled: a neuron under a stimulus by a method, for one neuron, many, or coupled ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.neurons.equations import Neuron

from ..integrators import EXPONENTIAL_EULER, TABLEAUS, Tableau
from ..stimuli import Stimulus
from .optimise import OptimisedEquations, optimised_equations

__all__ = ["LANES", "MAX_HALVINGS", "KernelSpec"]

LANES = 64  # the states and parameters of 64 neurons fit the first-level cache, and fill vector registers of any width

MAX_HALVINGS = 9  # makes the exponential update valid for any b·dt

SCRATCH = (
    "I",
    "normal",
    "next_normal",
    "max_b_dt",
    "coupling",
    "per_C",
    "shown",
)  # rows that the time loop itself keeps


@dataclass(frozen=True)
class KernelSpec:
    """What to compile; `codegen.compile_kernel` does it.

    Parameters
    ----------
    neuron, stimulus
        The classes whose equations are compiled.
    method
        "exponential_euler" or a Runge-Kutta method.
    lanes
        How many neurons run side by side; None for a single one.
    halvings
        How often b·dt is halved in the exponential update, see `kernels.relaxation`; exponential Euler only.
    precision
        "double", "single", or "plain": double by the C library without shortcuts, a reference for tests.
    coupling
        What the lanes of a network send to each other: coupling(V, current, recorded, step, links) is called before
        each step and fills `current` (lanes,), which is added to the injected one, from `V` (lanes,) and from what has
        been recorded until then, see `network.couple`. Its text is copied into the generated code.
    """

    neuron: type[Neuron]
    stimulus: type[Stimulus]
    method: str = EXPONENTIAL_EULER
    lanes: int | None = None
    halvings: int = 0
    precision: str = "double"
    coupling: Callable[..., None] | None = None

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the neuron's states."""
        return self.neuron.states

    @property
    def tableau(self) -> Tableau | None:
        """The coefficients of a Runge-Kutta method."""
        return TABLEAUS.get(self.method)

    @property
    def equations(self) -> OptimisedEquations:
        """The neuron's equations as they are compiled."""
        return optimised_equations(self.neuron, self.precision)  # type: ignore[arg-type]  # a class is hashable

    @functools.cached_property
    def layout(self) -> tuple[str, ...]:
        """The names of the workspace's rows: states, constants, and what the time loop itself keeps."""
        stimulus = (f"stimulus_{name}" for name in self.stimulus.parameters())
        constants = (*self.neuron.parameters(), *self.neuron.derived, *stimulus)
        stages = [f"k{i}_{x}" for i in range(len(self.tableau.b) if self.tableau else 0) for x in self.states]
        inner = [f"at_{x}" for x in self.states] if self.tableau else []
        return (*self.states, *constants, *self.equations.rows, *inner, *stages, *SCRATCH)

    @property
    def valid_b_dt(self) -> float:
        """The largest b·dt, as the row "max_b_dt" counts it, for which the exponential update is valid."""
        return 2.0**self.halvings / 2 if self.halvings < MAX_HALVINGS else np.inf

    @property
    def stops_at_overflow(self) -> bool:
        """Whether a V out of bounds is an error; while a narrow update is tried, it only asks for a wider one."""
        return self.tableau is not None or self.halvings >= MAX_HALVINGS

    def is_noisy(self, workspace: np.ndarray) -> bool:
        """Whether any neuron of the `workspace` (n_rows, lanes) has noise."""
        return "noise" in self.layout and bool(workspace[self.layout.index("noise")].any())

    def max_b_dt(self, workspace: np.ndarray) -> np.ndarray:
        """The row "max_b_dt" (lanes,) of a `workspace` that the time loop has left."""
        return workspace.reshape(len(self.layout), -1)[self.layout.index("max_b_dt")]
