"""A training recipe: what identifies a trained network and reproduces it."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from helpers.validation import instance, one_of, whole_number

from .density_estimators import MODELS, Training
from .embedding import Convolutional
from .npe import MIN_SIMULATIONS, train_npe
from .posterior import Posterior
from .priors import Prior
from .scaling import SCALINGS
from .simulator import CombinedSimulator, NeuronSimulator, without_inferred

__all__ = ["DescribedSimulator", "Recipe"]

RECIPE_VERSION = 1  # raise it when training or the engine of the simulator change what they compute
SETTINGS = ("model", "ensemble", "scaling", "embedding", *(setting.name for setting in fields(Training)))
MAX_NAME = 100  # characters


class DescribedSimulator(Protocol):
    """A simulator that can say what it simulates: `NeuronSimulator`, `CombinedSimulator`, `LifSimulator`."""

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
        A `NeuronSimulator`, `CombinedSimulator` or `LifSimulator`; its prior is that of the network.
    simulations
        How many simulations to train on.
    seed
        Of the parameters, the simulations and the training.
    training
        Settings of `train_npe` that are not at their defaults: model, ensemble, scaling, embedding, and those of
        `Training`.

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
        named = isinstance(self.name, str) and self.name.isascii() and self.name.replace("-", "").isalnum()
        if not (named and len(self.name) <= MAX_NAME):
            allowed = f"up to {MAX_NAME} letters, digits and hyphens, as it names a file"
            raise ValueError(f"name = {self.name!r}; allowed: {allowed}")
        if not all(hasattr(self.simulator, part) for part in ("prior", "names", "as_data")):
            raise ValueError(
                f"simulator = {self.simulator!r}; allowed: a NeuronSimulator, CombinedSimulator or LifSimulator"
            )
        object.__setattr__(self, "simulations", whole_number("simulations", self.simulations, MIN_SIMULATIONS, 10**9))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, 2**31))
        instance("training", self.training, Mapping, "settings of train_npe by name")
        object.__setattr__(self, "training", dict(self.training))
        self._settings()  # refuses what `train_npe` would refuse after the simulations

    def simulated(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return `n` parameter sets, (n, n_parameters), drawn from the prior, and what was simulated with them."""
        theta = self.simulator.prior.draw(n, seed)
        return theta, self.simulator(theta, seed + 1)

    def train(self, *, progress: bool = True) -> Posterior:
        """Simulate, and train a network on the simulations: a call of `train_npe`."""
        theta, x = self.simulated(self.simulations, self.seed)
        simulator = self.simulator if isinstance(self.simulator, NeuronSimulator) else None
        posterior = train_npe(
            self.simulator.prior, theta, x, self.seed,
            statistics=self.simulator.names, simulator=simulator, progress=progress, **self.training,
        )  # fmt: skip
        return replace(posterior, recipe=self.as_data())

    def describes(self, posterior: Posterior) -> bool:
        """Tell whether prior and statistics of a posterior are those of the recipe."""
        own, other = (_without_descriptions(prior.as_data()) for prior in (self.simulator.prior, posterior.prior))
        return own == other and self.simulator.names == posterior.statistics

    def as_data(self) -> dict[str, Any]:
        """Return the recipe as plain data that can be stored and compared."""
        simulated, inferred = self.simulator.as_data(), self.simulator.prior.names
        if isinstance(self.simulator, NeuronSimulator):
            simulated = without_inferred(simulated, inferred)
        if isinstance(self.simulator, CombinedSimulator):
            simulated = {name: without_inferred(one, inferred) for name, one in simulated.items()}
        data = {
            "version": RECIPE_VERSION,
            "prior": _without_descriptions(self.simulator.prior.as_data()),
            "simulator": simulated,
            "simulations": self.simulations,
            "seed": self.seed,
            "training": self._settings(),
        }
        return json.loads(json.dumps(data))  # tuples become lists, as in a file

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that stand for the recipe."""
        return hashlib.sha256(json.dumps(self.as_data(), sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return the recipe in words."""
        names = ", ".join(self.simulator.prior.names)
        settings = [f"{name} {value}" for name, value in self.training.items() if name != "embedding"]
        looks = ", by an embedding network" if "embedding" in self.training else ""
        return (
            f"{self.name}: the posterior of {names}, from {self.simulations:,} simulations (seed {self.seed})\n"
            f"seen: {', '.join(self.simulator.names)}{looks}\n"
            f"training: {', '.join(settings) or 'by default'}"
        )

    def _settings(self) -> dict[str, Any]:
        """Return the settings of the training, with those that are left at their defaults. Raises ValueError."""
        for name in self.training:
            one_of("training", name, SETTINGS)
        bound = inspect.signature(train_npe).bind_partial(**self.training)
        bound.apply_defaults()
        given = bound.arguments
        embedding = instance("embedding", given["embedding"], (Convolutional, type(None)), "a Convolutional or None")
        return {
            "model": one_of("model", given["model"], MODELS),
            "ensemble": whole_number("ensemble", given["ensemble"], 1),
            "scaling": one_of("scaling", given["scaling"], SCALINGS),
            "embedding": embedding and asdict(embedding),
            **asdict(Training(**given["training"])),
        }


def _without_descriptions(prior: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not change a number: the meaning of a parameter in words."""
    names = [{name: entry[name] for name in ("name", "unit")} for entry in prior["parameters"]]
    return {**prior, "parameters": names}
