"""What a network is trained on, and how: enough to train it again on any machine, and to tell its file from others."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from helpers.validation import whole_number

from .density_estimators import Training
from .npe import MIN_SIMULATIONS, train_npe
from .posterior import Posterior
from .priors import Prior
from .simulator import NeuronSimulator, without_inferred

__all__ = ["DescribedSimulator", "Recipe"]

VERSION = 1  # raise it when the code of training changes so that its networks do


class DescribedSimulator(Protocol):
    """A simulator that can say what it simulates: `NeuronSimulator`, `LifSimulator`."""

    @property
    def prior(self) -> Prior:
        """What parameters are drawn from."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics."""

    def __call__(self, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the statistics of simulations with parameters `theta` (n, n_parameters)."""

    def as_data(self) -> dict[str, Any]:
        """Return what is simulated as plain data."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a trained network depends on.

    Parameters
    ----------
    name
        First part of the name of its file.
    simulator
        A `NeuronSimulator` or `LifSimulator`; its prior is that of the network.
    simulations
        How many simulations to train on.
    seed
        Of the parameters, the simulations and the training.
    training
        More arguments of `train_npe`: model, epochs, batch, ...

    Examples
    --------
    >>> recipe = Recipe("mine", NeuronSimulator(Pospischil(), step(3.0, 10.0, 110.0), prior, 120.0), 10_000, seed=1)
    >>> posterior = load_or_train(recipe)
    """

    name: str
    simulator: DescribedSimulator
    simulations: int
    seed: int
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.replace("-", "").isalnum() and self.name.isascii()):
            raise ValueError(f"name = {self.name!r}; allowed: letters, digits and hyphens, as it names a file")
        if not all(hasattr(self.simulator, part) for part in ("prior", "names", "as_data")):
            raise ValueError(f"simulator = {self.simulator!r}; allowed: a NeuronSimulator or LifSimulator")
        object.__setattr__(self, "simulations", whole_number("simulations", self.simulations, MIN_SIMULATIONS))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, 2**31))
        self._settings()  # raises for what `train_npe` does not take

    def simulated(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return `n` parameter sets, (n, n_parameters), drawn from the prior, and what was simulated with them."""
        theta = self.simulator.prior.draw(n, seed)
        return theta, self.simulator(theta, seed + 1)

    def train(self, *, progress: bool = True) -> Posterior:
        """Simulate, and train a network on the simulations: a call of `train_npe`."""
        theta, x = self.simulated(self.simulations, self.seed)
        own = self.simulator if isinstance(self.simulator, NeuronSimulator) else None
        how = {"statistics": self.simulator.names, "simulator": own, "progress": progress, **self.training}
        return replace(train_npe(self.simulator.prior, theta, x, self.seed, **how), recipe=self.as_data())

    def as_data(self) -> dict[str, Any]:
        """Return the recipe as plain data that can be stored and compared."""
        simulated = self.simulator.as_data()
        if isinstance(self.simulator, NeuronSimulator):
            simulated = without_inferred(simulated, self.simulator.prior.names)
        data = {
            "version": VERSION,
            "prior": _without_words(self.simulator.prior.as_data()),
            "simulator": simulated,
            "simulations": self.simulations,
            "seed": self.seed,
            "training": self._settings(),
        }
        return json.loads(json.dumps(data))  # tuples become lists, as in a file

    def _settings(self) -> dict[str, Any]:
        """Return the settings of the training, with those that are left at their defaults."""
        bound = inspect.signature(train_npe).bind_partial(**self.training)
        bound.apply_defaults()
        given = bound.arguments
        how = {name: given[name] for name in ("model", "ensemble", "scaling")} | asdict(Training(**given["training"]))
        return how | {"embedding": given["embedding"] and asdict(given["embedding"])}

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that stand for the recipe."""
        return hashlib.sha256(json.dumps(self.as_data(), sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return the recipe in words."""
        names = ", ".join(self.simulator.prior.names)
        how = {name: value for name, value in self.training.items() if name != "embedding"}
        looks = ", with a network that looks at the recording" if "embedding" in self.training else ""
        return (
            f"{self.name}: the posterior of {names}, from {self.simulations:,} simulations (seed {self.seed})\n"
            f"seen: {', '.join(self.simulator.names)}{looks}\n"
            f"training: {', '.join(f'{name} {value}' for name, value in how.items()) or 'by default'}"
        )


def _without_words(prior: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not change a number: the meaning of a parameter in words."""
    names = [{name: entry[name] for name in ("name", "unit")} for entry in prior["parameters"]]
    return {**prior, "parameters": names}
