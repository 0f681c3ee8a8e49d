"""A trained posterior, and its file."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sbi.inference.posteriors import DirectPosterior

from helpers.neurons.equations import Neuron
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.validation import plain, whole_number

from .density_estimators import Estimator, new_network, repeatable
from .embedding import Convolutional
from .independent import MIN_EFFECTIVE, combined_posterior, log_product
from .priors import Prior
from .scaling import Scaling
from .simulator import DESCRIBED, NeuronSimulator, differences, without_inferred
from .storage import read_arrays, write_arrays
from .warning_classes import EdgeMassWarning, ExtrapolationWarning

__all__ = ["ExtrapolationWarning", "Posterior"]

MAX_SCALED = 1e6  # a network answers NaN to what lies further out, in units of the simulations' scatter
MAX_NUMBERS = 10**8  # in one observation
BLOCK = 100  # observations at a time
MAX_DRAWS = 100_000  # that sbi makes at a time without a warning
FILE_FORMAT = 5
REBUILT = ".mask"  # which weights of an autoregressive flow are 0: half of its numbers, the same in each of its kind


@dataclass(frozen=True)
class Posterior:
    """A trained posterior: for any observation, samples and log-probabilities of the parameters.

    Attributes
    ----------
    prior
        The prior that it was trained with.
    network
        The ensemble of networks, in raw parameters and raw statistics.
    model
        Their kind, see `train_npe`.
    losses
        For each network the loss after every epoch, (n_epochs, 2): of training and of validation, as mean
        log p(theta) - log p(theta|x) in nats; 0 is no better than the prior.
    statistics
        Names of the summary statistics; empty if unknown.
    interrupted
        Whether the user stopped the training (Ctrl-C); these are the best networks so far.
    embedding
        The architecture of the networks that summarise a recording; None for summary statistics.
    simulated
        What the training simulations were: neuron, stimulus, duration, dt and statistics as plain data (see
        `NeuronSimulator.as_data`); None if unknown.
    recipe
        What the network was made from, as `Recipe.as_data` returns it; None if it was not made from a recipe.
    """

    prior: Prior
    network: Estimator = field(repr=False)
    model: str
    losses: tuple[np.ndarray, ...] = field(repr=False)
    statistics: tuple[str, ...] = ()
    interrupted: bool = False
    embedding: Convolutional | None = None
    simulated: Mapping[str, Any] | None = field(default=None, repr=False)
    recipe: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def dt(self) -> float | None:
        """The time step [ms] of the training simulations; None if unknown."""
        return None if self.simulated is None else self.simulated["dt"]

    def check_simulation(
        self,
        neuron: Neuron,
        stimulus: Stimulus | np.ndarray,
        duration: float,
        *,
        dt: float | None = None,
        summarise: Summary = summary_statistics,
    ) -> float:
        """Check that simulations are made like those of the training, and return their time step [ms].

        Parameters
        ----------
        neuron, stimulus, duration, summarise
            As in `simulate_many`. Inferred parameters may have any value.
        dt
            By default that of the training, or 0.01 ms if it is unknown.

        Raises
        ------
        ValueError
            If anything differs from the training. If `simulated` is None, only the names of the statistics are
            compared.
        """
        if self.statistics and self.statistics != summarise.names:
            raise ValueError(
                f"statistics {', '.join(summarise.names)}; the posterior was trained on {', '.join(self.statistics)}"
            )
        if self.simulated is None:
            return 0.01 if dt is None else dt
        dt = self.simulated["dt"] if dt is None else dt
        simulator = NeuronSimulator(neuron, stimulus, self.prior, duration, dt, summarise)
        own, new = (without_inferred(data, self.prior.names) for data in (self.simulated, simulator.as_data()))
        if found := ", ".join(differences(own, new)):
            raise ValueError(f"the posterior was trained on other simulations: {found}")
        return dt

    def sample(self, n: int, x_o: np.ndarray | Sequence[np.ndarray], seed: int) -> np.ndarray:
        """Draw `n` sets of parameters (n, n_parameters) given the observation `x_o` (n_statistics,).

        A list of observations, `[x_1, x_2]`, means independent observations of the *same* neuron, such as repeats of
        a sweep: the draws are from the one posterior given all of them, narrower than any alone (importance sampling,
        see independent.py). For observations of *different* neurons, each with a posterior of its own, call
        `sample_each`. The network must be good for this, as its error counts once for each observation; rounds on the
        statistics of all of them side by side (`CombinedSimulator`) do not have this limit.

        Emits an `ExtrapolationWarning` if `x_o` lies outside all simulations of the training, and an `EdgeMassWarning`
        if the draws are piled up at a bound of the prior; for several observations also a
        `ConflictingObservationsWarning` if they contradict each other and a `FewEffectiveDrawsWarning`. Raises
        ValueError if `x_o` has the wrong shape or is not finite, and if no parameters explain all observations.
        """
        n = whole_number("n", n, 1)
        observations = self._observations(x_o)
        if len(observations) > 1:
            drawn = combined_posterior(self.network, observations, n, whole_number("seed", seed)).resample(n, seed)
        else:
            with repeatable(seed):
                drawn = self.network.sample(torch.Size((n,)), observations)[:, 0].numpy().astype(float)
        if piled_up := EdgeMassWarning.of(self.prior, drawn):
            warnings.warn(piled_up, stacklevel=2)
        return drawn

    def log_prob(self, theta: np.ndarray, x_o: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Return the log-density (n,) of `theta` (n, n_parameters) given `x_o`; minus infinity outside the prior.

        x_o: one observation, or a list of independent observations of the same neuron, as in `sample`.
        """
        given = np.array(
            np.atleast_2d(plain("theta", theta, "parameters"))
        )  # a copy: torch does not accept negative strides
        if given.ndim != 2 or np.isnan(given).any():
            raise ValueError(f"theta of shape {given.shape}; allowed: (n, {len(self.prior.names)}), without NaN")
        points = torch.as_tensor(given)
        if points.shape[1] != len(self.prior.names):
            raise ValueError(
                f"theta has {points.shape[1]} columns; allowed: {len(self.prior.names)}, {self.prior.names}"
            )
        observations = self._observations(x_o)
        several = len(observations) > 1
        evidence = combined_posterior(self.network, observations, MIN_EFFECTIVE, 0).log_evidence if several else 0.0
        with repeatable(0):
            return log_product(self.network, points, observations) - evidence

    def sample_each(self, n: int, x: np.ndarray, seed: int) -> np.ndarray:
        """Return `n` draws given each of several observations `x` (n_observations, ...), all at once.

        Each observation has its own neuron and its own posterior. For several observations of one neuron, and one
        posterior given all of them, give `sample` a list.

        Returns (n_observations, n, n_parameters). Raises ValueError where `x` is further out than networks can follow.
        """
        self._check_reach("x", x)
        drawn = []
        with repeatable(seed):
            for block in torch.as_tensor(np.ascontiguousarray(x), dtype=torch.float64).split(BLOCK):
                drawn.append(
                    self.sbi().sample_batched(
                        (n,), x=block, show_progress_bars=False, max_sampling_batch_size=MAX_DRAWS // BLOCK
                    )
                )
        return np.concatenate([one.numpy().astype(float).swapaxes(0, 1) for one in drawn])

    def sbi(self) -> DirectPosterior:
        """Return a posterior of sbi, for its diagnostics and plots. It takes raw statistics as tensors."""
        return _WithoutLeakage(self.network, self.prior)

    def save(self, path: str | Path) -> None:
        """Write the posterior to a file of plain arrays (NumPy's .npz), which `load` reads without running code.

        The file appears under its name when it is complete, and replaces one of that name.
        """
        about = {
            "format": FILE_FORMAT,
            "model": self.model,
            "networks": len(self.losses),
            "scaling": self.network.scaling.kind,
            "statistics": self.statistics,
            "interrupted": self.interrupted,
            "prior": self.prior.as_data(),
            "shape": list(self.network.condition_shape),
            "embedding": None if self.embedding is None else asdict(self.embedding),
            "simulated": self.simulated,
            "recipe": self.recipe,
        }
        state = {name: value for name, value in self.network.state_dict().items() if not name.endswith(REBUILT)}
        arrays = {f"network.{name}": value.numpy() for name, value in state.items()}
        arrays |= {f"losses.{number}": losses for number, losses in enumerate(self.losses)}
        write_arrays(path, about, arrays)

    @classmethod
    def load(
        cls, path: str | Path, *, prior: Prior | None = None, statistics: Sequence[str] | None = None
    ) -> Posterior:
        """Read a posterior written by `save`.

        prior, statistics: what the file must have been trained with; leave out what does not matter.
        Raises ValueError for a file that is damaged, something else, or trained with another prior or other statistics.
        """
        about, arrays = read_arrays(path, FILE_FORMAT, "posterior")
        try:
            own = Prior.from_data(about["prior"])
            shape, n_scales = tuple(about["shape"]), len(arrays["network.scaling.centre"])
            if not (shape[-1] == n_scales and math.prod(shape) <= MAX_NUMBERS):
                raise ValueError(f"x of shape {shape} and {n_scales} scales do not fit together")
            embedding = None if about["embedding"] is None else Convolutional(**about["embedding"])
            losses = tuple(arrays.pop(f"losses.{number}") for number in range(about["networks"]))
            with repeatable(0):  # numbers to be replaced by those of the file
                made = [new_member(about["model"], len(own.names), shape, embedding) for _ in losses]
            networks, embeddings = zip(*made, strict=True)
            network = Estimator(own, Scaling(about["scaling"], n_scales), networks, embeddings, shape)
            weights = {name.removeprefix("network."): torch.as_tensor(value) for name, value in arrays.items()}
            rebuilt = {name: value for name, value in network.state_dict().items() if name.endswith(REBUILT)}
            network.load_state_dict(rebuilt | weights)
            simulated = about["simulated"]
            if simulated is not None:
                for name in ("neuron", "stimulus"):
                    dict(simulated[name]["parameters"])
                if set(simulated) != set(DESCRIBED) or not simulated["dt"] > 0:
                    raise ValueError("its description of the simulations is incomplete")
            if not (about["recipe"] is None or isinstance(about["recipe"], dict)):
                raise ValueError(f"its recipe is {about['recipe']!r}")
            if not all(weights.isfinite().all() for weights in network.parameters()):
                raise ValueError("some of its weights are not finite")
            saved = cls(
                own, network.eval(), about["model"], losses, tuple(about["statistics"]), about["interrupted"],
                embedding, simulated, about["recipe"],
            )  # fmt: skip
        except Exception as error:  # of a file that was written by hand: anything may be missing
            raise ValueError(f"{Path(path).name} holds no posterior that can be read: {error}") from error
        if prior is not None and (difference := prior.difference(own)):
            raise ValueError(f"{Path(path).name} was trained with another prior: {difference}")
        if statistics is not None and tuple(statistics) != saved.statistics:
            raise ValueError(
                f"{Path(path).name} was trained with other statistics: {saved.statistics}; expected {tuple(statistics)}"
            )
        return saved

    def _check_reach(self, name: str, x: np.ndarray) -> None:
        """Refuse observations `x`, (n_statistics,) or (n, n_statistics), further out than a network can follow."""
        if not (self.network.scaling(torch.as_tensor(x)).abs() < MAX_SCALED).all():
            raise ValueError(f"{name} = {x}; allowed: less than {MAX_SCALED:g} times as far out as simulations scatter")

    def _observations(self, x_o: np.ndarray | Sequence[np.ndarray]) -> torch.Tensor:
        """One observation, which may be a list of numbers, or a list of several, as a tensor (k, ...)."""
        if not (isinstance(x_o, list | tuple) and _depth(x_o) > len(self.network.condition_shape)):
            return self._observation(x_o, "x_o", 4)
        checked = []
        for number, one in enumerate(x_o):
            checked.append(self._observation(one, f"x_o[{number}]", 4))
        return torch.cat(checked)

    def _observation(self, x_o: Any, name: str, stacklevel: int) -> torch.Tensor:
        values, expected = np.array(plain(name, x_o, "statistics")), tuple(self.network.condition_shape)
        names = self.statistics or tuple(f"x_o[{i}]" for i in range(expected[-1]))
        if values.shape != expected:
            table = "; a table of several: list(x_o) if all are of one neuron, otherwise sample_each"
            raise ValueError(
                f"{name} has shape {values.shape}; allowed: {expected}, one number each for {', '.join(names)}"
                f"{table if values.shape[1:] == expected else ''}"
            )
        columns = values.reshape(-1, expected[-1]).T
        if not np.isfinite(values).all():
            first = names[int(np.argmin(np.isfinite(columns).all(axis=1)))]
            raise ValueError(f"{name}: {first} is not finite: {values}")
        self._check_reach(name, values)
        scaling = self.network.scaling
        if (off := scaling.outside(values)).any():
            low, high = scaling.lowest.numpy(), scaling.highest.numpy()
            worst = [c[np.argmax(np.maximum(a - c, c - b))] for a, b, c in zip(low, high, columns, strict=True)]
            listed = "; ".join(
                f"{names[i]} = {worst[i]:g}, simulated {low[i]:g} to {high[i]:g}" for i in np.flatnonzero(off)
            )
            warnings.warn(
                f"{name} lies outside all simulations that the posterior was trained on, which makes it a guess: "
                f"{listed} (another model or prior than the data's? statistics in another order?)",
                ExtrapolationWarning,
                stacklevel=stacklevel,
            )
        return torch.as_tensor(values[None])


def _depth(values: object) -> int:
    """How many axes nested lists of arrays or numbers have, seen along the first of each."""
    return 1 + (_depth(values[0]) if values else 0) if isinstance(values, list | tuple) else np.ndim(values)  # type: ignore[arg-type]


class _WithoutLeakage(DirectPosterior):
    """No probability of our networks leaks out of the prior; sbi would draw 10,000 times to find that out."""

    def leakage_correction(self, *_: Any, **__: Any) -> torch.Tensor:
        return torch.tensor(1.0)


def new_member(
    model: str, n_parameters: int, shape: Sequence[int], embedding: Convolutional | None
) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Build a density estimator, and the network that summarises x for it; both untrained."""
    if embedding is None:
        return new_network(model, n_parameters, *shape), torch.nn.Identity()
    if model == "refining":
        raise ValueError("model = 'refining' takes summary statistics; allowed with an embedding: 'maf', 'nsf', 'mdn'")
    return new_network(model, n_parameters, embedding.n_features), embedding.build(*shape)
