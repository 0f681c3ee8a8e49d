"""What can be wrong with a posterior although everything ran: one class per warning.

Each holds the numbers that it was given for, and its text says what to do. Code that reacts to one asks for the class;
`warnings.simplefilter("ignore", InferenceWarning)` silences all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .priors import Prior

__all__ = [
    "ConflictingObservationsWarning",
    "EdgeMass",
    "EdgeMassWarning",
    "ExtrapolationWarning",
    "FewEffectiveDrawsWarning",
    "FewEffectiveSimulationsWarning",
    "InferenceWarning",
    "ObservationConflict",
    "ParametersOnBoundsWarning",
    "PredictiveCheckWarning",
    "ReferenceWarning",
]

EDGE_WIDTH = 0.001  # of the prior's probability: the outermost slice of a parameter
MAX_EDGE_MASS = 0.5  # of the draws in such a slice; a neuron whose parameter lies in it is one in 1,000
MIN_DRAWS = 10  # fewer do not tell where a posterior lies


class InferenceWarning(UserWarning):
    """A posterior, or what it was made from, is not to be trusted without a closer look."""


class ExtrapolationWarning(InferenceWarning):
    """An observation lies outside all simulations that a posterior was trained on."""


class ReferenceWarning(InferenceWarning):
    """Two references of different kinds disagree: nothing may be measured against either."""


@dataclass(frozen=True)
class EdgeMass:
    """How much of a posterior lies at one bound of the prior.

    Attributes
    ----------
    parameter, unit
        Name and unit of the parameter.
    bound
        The bound, in words.
    share
        Share of the draws in the outermost 0.1 % of the prior at this bound.
    """

    parameter: str
    unit: str
    bound: str
    share: float


@dataclass(eq=False)
class EdgeMassWarning(InferenceWarning):
    """More than half of the draws lie in the outermost 0.1 % of the prior of a parameter.

    A posterior that equals the prior has 0.1 % there, a broad one little more; a narrow one lies there if the truth
    does, which is true of one neuron in 500 for each parameter. As a rule the data ask for values beyond the bound.

    Attributes
    ----------
    edges
        The bounds at which that is so, as `EdgeMass`.
    """

    edges: tuple[EdgeMass, ...]

    @classmethod
    def of(cls, prior: Prior, theta: np.ndarray) -> EdgeMassWarning | None:
        """Return the warning that draws `theta` (n, n_parameters) deserve; None if fewer than 10, or if all is well."""
        if len(theta) < MIN_DRAWS:
            return None
        shares = prior.shares(torch.as_tensor(theta)).numpy()
        found = []
        for side, inside in (("lower", shares < EDGE_WIDTH), ("upper", shares > 1 - EDGE_WIDTH)):
            for column in np.flatnonzero(inside.mean(axis=0) > MAX_EDGE_MASS):
                declared, bound = prior.parameters[column], prior.bound_in_words(int(column), side)
                found.append(EdgeMass(declared.name, declared.unit, bound, float(inside[:, column].mean())))
        return cls(tuple(found)) if found else None

    def __str__(self) -> str:
        listed = "; ".join(
            f"{100 * one.share:.1f} % of the draws of {one.parameter} lie in the outermost {100 * EDGE_WIDTH:g} % of "
            f"its prior, at the {one.bound}"
            for one in self.edges
        )
        return (
            f"the posterior is piled up at the edge of the prior: {listed}. Widen the prior if values beyond are "
            "possible; if they are not, the model lacks something that the data show (see predictive_check)"
        )


@dataclass(eq=False)
class ParametersOnBoundsWarning(InferenceWarning):
    """Simulations with a parameter exactly on a bound of the prior were left out of the training.

    A draw from the prior never lies there: such a parameter comes from a grid or was clipped. On the normal scale that
    networks see, it is 8 SDs or more from all others, and spoils the fit everywhere.

    Attributes
    ----------
    names, counts
        The parameters with such values, and how many simulations have one.
    left_out, simulations
        How many simulations were left out, and of how many.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    left_out: int
    simulations: int

    @classmethod
    def of(cls, names: Sequence[str], on_bound: np.ndarray) -> ParametersOnBoundsWarning | None:
        """Return the warning for values on bounds, (n, n_parameters); None if there are none."""
        if not on_bound.any():
            return None
        counts = {name: int(count) for name, count in zip(names, on_bound.sum(axis=0), strict=True) if count}
        return cls(tuple(counts), tuple(counts.values()), int(on_bound.any(axis=1).sum()), len(on_bound))

    def __str__(self) -> str:
        listed = ", ".join(f"{name} in {count:,}" for name, count in zip(self.names, self.counts, strict=True))
        return (
            f"{self.left_out:,} of {self.simulations:,} simulations have a parameter exactly on a bound of the prior "
            f"({listed}) and were left out of the training, which they would spoil. A draw from the prior never lies "
            "there: draw parameters with prior.draw instead of a grid, and do not clip them"
        )


@dataclass(eq=False)
class PredictiveCheckWarning(InferenceWarning):
    """Simulations with parameters from the posterior differ from the observation.

    Attributes
    ----------
    failures
        What of the observation they miss, in words with numbers, see `PredictiveCheck.failures`.
    draws
        How many simulations there were.
    """

    failures: tuple[str, ...]
    draws: int

    def __str__(self) -> str:
        return (
            f"{self.draws} draws from the posterior do not predict the observation: {'; '.join(self.failures)}. Its "
            "parameters are only those that come closest: either no parameters of the prior explain the data (widen "
            "it, or add to the model what is missing), or the network is not good enough there (see truncated_rounds)"
        )


@dataclass(frozen=True)
class ObservationConflict:
    """An observation that contradicts the others.

    Attributes
    ----------
    number
        Which one, from 0.
    distance
        Of the posterior given it from that given all others, in units of the SD of both together.
    p
        Probability of such a distance or a larger one if all are of one neuron, for normal posteriors.
    parameter, apart
        The parameter in which they differ most, and by how many of these SDs.
    """

    number: int
    distance: float
    p: float
    parameter: str
    apart: float


@dataclass(eq=False)
class ConflictingObservationsWarning(InferenceWarning):
    """Observations that should be of the same neuron have posteriors that exclude each other.

    Of two observations both contradict "the others", as it cannot be told which one is wrong.

    Attributes
    ----------
    conflicts
        The observations that contradict the others, as `ObservationConflict`, the farthest first. It is the suspect:
        the others may only seem to contradict "the others" because it is one of them.
    observations
        How many there are.
    """

    conflicts: tuple[ObservationConflict, ...]
    observations: int

    def __str__(self) -> str:
        listed = "; ".join(
            f"observation {one.number} is {one.distance:.1f} SDs from the others (p {one.p:.1g}), most of all in "
            f"{one.parameter} ({one.apart:+.1f} SDs)"
            for one in self.conflicts
        )
        return (
            f"{len(self.conflicts)} of {self.observations} observations contradict the others: {listed}. Are they of "
            "one neuron, under the same stimulus, and did it not change in between? The posterior given all of them "
            "lies where none has much mass: look at each alone (sample_each)"
        )


@dataclass(eq=False)
class FewEffectiveDrawsWarning(InferenceWarning):
    """Few draws carry the weight of the posterior given several observations.

    Attributes
    ----------
    effective
        Effective number of draws.
    proposed
        How many were proposed.
    asked
        How many were asked for.
    """

    effective: float
    proposed: int
    asked: int

    def __str__(self) -> str:
        return (
            f"the {self.asked:,} draws given all observations are worth {self.effective:.0f} independent ones, of "
            f"{self.proposed:,} that were proposed: their percentiles are coarse. Truncated rounds on the statistics "
            "of all observations side by side (see CombinedSimulator) do not have this limit"
        )


@dataclass(eq=False)
class FewEffectiveSimulationsWarning(InferenceWarning):
    """Few simulations carry the weight of a posterior by importance sampling.

    Attributes
    ----------
    effective, wanted
        Effective sample size, and the one that was wanted.
    beta
        The power of the likelihood that the draws are for; below 1 they are of a flatter posterior.
    simulations
        How many there are.
    """

    effective: float
    wanted: float
    beta: float
    simulations: int

    def __str__(self) -> str:
        if self.beta < 1:
            flat = (
                f"they are draws of a flatter posterior, with the likelihood to the power {self.beta:.2g}, since too "
                "few simulations fit the observation. Its parameters only point to where the posterior lies"
            )
        else:
            flat = "their percentiles are coarse"
        return (
            f"{self.simulations:,} simulations are worth {self.effective:.0f} independent draws, of {self.wanted:.0f} "
            f"wanted: {flat}. Give a larger budget, or tolerances that the model can meet"
        )
