"""The tasks: a simulator, its prior, ten observations with known truths, and samples of reference posteriors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.inference.lif.problem import CORRECTED, WIDE_PRIOR
from helpers.inference.lif.simulator import LifSimulator
from helpers.inference.lif.statistics import lif_statistic_names, lif_statistics
from helpers.inference.priors import Prior
from helpers.inference.recipe import DescribedSimulator
from helpers.inference.shipped import RECIPES
from helpers.inference.simulator import NeuronSimulator
from helpers.inference.storage import read_arrays, write_arrays
from helpers.neurons.models import Pospischil
from helpers.validation import plain, whole_number

from ..inference import DURATION, PRIOR, STIMULUS

__all__ = ["OBSERVATIONS", "Task", "tasks"]

FOLDER = Path(__file__).parent / "references"
FILE_FORMAT = 1
OBSERVATIONS = 10


@dataclass(frozen=True)
class Task:
    """A problem of inference, and all that it takes to try a method on it.

    Attributes
    ----------
    name
        Of the task.
    about
        What is inferred from what.
    reference
        How the reference was made.
    model
        The simulator of this series: model(theta, seed) takes and returns arrays.
    statistics
        Names of the numbers that `summarise` returns.
    """

    name: str
    about: str
    reference: str
    model: DescribedSimulator
    statistics: tuple[str, ...]
    _summarise: Callable[[np.ndarray], np.ndarray] | None = field(default=None, repr=False)

    @property
    def prior(self) -> Prior:
        """The prior: a torch distribution, as sbi takes it, and `draw(n, seed)` for arrays."""
        return self.model.prior

    def simulator(self, theta: Any, seed: int | None = None) -> Any:
        """Simulate parameter sets `theta` (n, n_parameters), or one of them, (n_parameters,).

        Takes an array and returns one, or a tensor and returns one, in single precision. Without a seed it comes from
        torch's random numbers, so that `torch.manual_seed` makes it repeatable. Raises ValueError for a wrong shape or
        values that are not finite.
        """
        tensor = isinstance(theta, torch.Tensor)
        values = plain("theta", theta.detach().cpu().double().numpy() if tensor else theta, "parameters")
        names = self.prior.names
        if values.ndim not in (1, 2) or values.shape[-1] != len(names) or not np.isfinite(values).all():
            allowed = f"finite, (n, {len(names)}): {', '.join(names)}"
            raise ValueError(f"theta has shape {values.shape}, or is not finite; allowed: {allowed}")
        seed = int(torch.randint(2**31, ())) if seed is None else whole_number("seed", seed)
        x = self.model(np.atleast_2d(values), seed)
        x = x if values.ndim == 2 else x[0]
        return torch.as_tensor(x, dtype=torch.float32) if tensor else x

    def summarise(self, x: Any) -> Any:
        """The summary statistics of simulations, arrays or tensors; unchanged where the simulator returns statistics.

        The reference is the posterior given x itself: what statistics lose counts against a method that uses them.
        """
        if self._summarise is None:
            return x
        tensor = isinstance(x, torch.Tensor)
        values = x.detach().cpu().numpy() if tensor else np.asarray(x)
        found = self._summarise(values[None])[0] if values.ndim == 2 else self._summarise(values)
        return torch.as_tensor(found, dtype=torch.float32) if tensor else found

    @property
    def truths(self) -> np.ndarray:
        """The parameters behind the observations, (10, n_parameters)."""
        return np.stack([arrays["truth"] for _, arrays in self._kept])

    @property
    def x_o(self) -> np.ndarray:
        """The observations, (10, ...): what the simulator returned for each of the truths."""
        return np.stack([arrays["x_o"] for _, arrays in self._kept])

    @property
    def references(self) -> Mapping[str, np.ndarray]:
        """Draws from the posteriors by each method that made a reference, (10, 1000, n_parameters); maybe none."""
        names = [name for name in self._kept[0][1] if name not in ("truth", "x_o")]
        return {name: np.stack([arrays[name] for _, arrays in self._kept]).astype(float) for name in names}

    @property
    def reference_samples(self) -> np.ndarray:
        """Draws of the first reference, (10, 1000, n_parameters). Use those where `agree`. ValueError without one."""
        if not self.references:
            raise ValueError(f"the task {self.name} has no reference: {self.reference}")
        return next(iter(self.references.values()))

    @property
    def agree(self) -> np.ndarray:
        """Whether the two references of each observation agree, (10,): where not, measure nothing against them."""
        return np.array([about["agree"] for about, _ in self._kept])

    @property
    def c2st(self) -> np.ndarray:
        """C2ST of the two references of each observation, (10,); 1 without references."""
        return np.array([about["c2st"] for about, _ in self._kept])

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits for what is simulated: equations, stimulus, statistics and prior."""
        data = {"model": self.model.as_data(), "prior": self.prior.as_data()}
        for entry in data["prior"]["parameters"]:
            del entry["meaning"]  # words change no number
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]

    def path(self, number: int) -> Path:
        """The file of an observation and its references."""
        return FOLDER / f"{self.name}-{whole_number('number', number, 0, OBSERVATIONS - 1)}.npz"

    def keep(self, number: int, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write that file: truth, x_o, and draws by method."""
        described = {"format": FILE_FORMAT, "fingerprint": self.fingerprint, **about}
        write_arrays(self.path(number), described, dict(arrays))

    @cached_property
    def _kept(self) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        return [self._read(number) for number in range(OBSERVATIONS)]

    def _read(self, number: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        about, arrays = read_arrays(self.path(number), FILE_FORMAT, "observation of HH-bench")
        if about["fingerprint"] != self.fingerprint:
            raise ValueError(
                f"{self.path(number).name} was made by other equations, statistics or another prior than those of "
                f"today; make it again: python -m benchmarks.hh_bench.make_references {self.name} --again"
            )
        return about, arrays


_TUTORIAL = NeuronSimulator(Pospischil(), STIMULUS, PRIOR, DURATION)
_EIGHT = RECIPES["eight-two-steps"].simulator

tasks = {
    one.name: one
    for one in (
        Task(
            "tutorial",
            "two conductances of a cortical neuron from seven statistics of its response to one step",
            "local rejection ABC and synthetic likelihood, which share no assumption",
            _TUTORIAL,
            _TUTORIAL.names,
        ),
        Task(
            "integrate_and_fire",
            "six parameters of an integrate-and-fire neuron from a noisy recording of V and spikes",
            "the likelihood of the recording, by Metropolis steps from draws of a network, twice",
            LifSimulator(CORRECTED, WIDE_PRIOR, statistics=False),
            lif_statistic_names(CORRECTED),
            lambda x: lif_statistics(CORRECTED, x),
        ),
        Task(
            "eight",
            "eight parameters of a cortical neuron from seven statistics of each of two steps, up and down",
            "none: no two methods are known that agree",
            _EIGHT,
            _EIGHT.names,
        ),
    )
}
