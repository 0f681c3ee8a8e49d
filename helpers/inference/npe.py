"""From simulations to a posterior: training, and the trained posterior with its file.

Neural posterior estimation (NPE; Papamakarios & Murray 2016, Greenberg et al. 2019) with the networks of the sbi
library. SNPE is its older name: the S stands for "sequential", several rounds of it (see rounds.py).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sbi.inference.posteriors import DirectPosterior
from tqdm.auto import tqdm

from helpers.validation import instance, plain, whole_number

from .density_estimators import Estimator, Training, new_network, repeatable, train
from .embedding import Convolutional
from .marginals import normal, uniform
from .priors import Prior, box_prior, prior_of
from .scaling import Features
from .storage import read_arrays, write_arrays

__all__ = ["Posterior", "Prior", "box_prior", "normal", "prior_of", "train_npe", "uniform"]

FARTHEST = 1e6  # a network answers NaN to what lies further out, in units of the simulations' scatter
LARGEST = 10**8  # numbers in one observation
FEWEST = 50  # simulations; with less a network only repeats its prior
FILE_FORMAT = 3


@dataclass(frozen=True)
class Posterior:
    """A trained posterior: for any observation, samples and log-probabilities of the parameters.

    prior: the prior that it was trained with. network: the ensemble, in raw parameters and raw statistics.
    losses: for each network the loss after every epoch, (n_epochs, 2): of training and of validation, as mean
        log p(theta) - log p(theta|x) in nats: 0 is no better than the prior.
    statistics: names of the statistics, for messages; empty where they were not given.
    interrupted: the user stopped the training (Ctrl-C); these are the best networks so far.
    embedding: how the networks are built that look at a recording; None where statistics were given.
    """

    prior: Prior
    network: Estimator = field(repr=False)
    model: str
    losses: tuple[np.ndarray, ...] = field(repr=False)
    statistics: tuple[str, ...] = ()
    interrupted: bool = False
    embedding: Convolutional | None = None

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws of the parameters given the observation `x_o` (n_statistics,): (n, n_parameters).

        Warns where a statistic of `x_o` lies beyond everything the networks were trained on. Raises ValueError where
        `x_o` has the wrong shape or is not finite.
        """
        n = whole_number("n", n, 1)
        observation = self._observation(x_o)
        with repeatable(seed):
            return self.network.sample((n,), observation)[:, 0].numpy().astype(float)

    def log_prob(self, theta: np.ndarray, x_o: np.ndarray) -> np.ndarray:
        """Log-density of `theta` (n, n_parameters) given `x_o` (n_statistics,): (n,); minus infinity off the prior."""
        given = np.array(np.atleast_2d(plain("theta", theta, "parameters")))  # a copy: torch dislikes some views
        if given.ndim != 2 or np.isnan(given).any():
            raise ValueError(f"theta of shape {given.shape}; allowed: (n, {len(self.prior.names)}), without NaN")
        points = torch.as_tensor(given)
        if points.shape[1] != len(self.prior.names):
            raise ValueError(
                f"theta has {points.shape[1]} columns; allowed: {len(self.prior.names)}, {self.prior.names}"
            )
        with repeatable(0), torch.no_grad():
            return self.network.log_prob(points[:, None], self._observation(x_o))[:, 0].numpy().astype(float)

    def sbi(self) -> DirectPosterior:
        """The same as a posterior of sbi, which takes raw statistics as tensors: for its diagnostics and plots."""
        return DirectPosterior(self.network, self.prior)

    def save(self, path: str | Path) -> None:
        """Write the posterior to a file of plain arrays (NumPy's .npz), which `load` reads without running code.

        The file appears under its name when it is whole; one of that name is replaced.
        """
        about = {
            "format": FILE_FORMAT,
            "model": self.model,
            "networks": len(self.losses),
            "features": self.network.features.kind,
            "statistics": self.statistics,
            "interrupted": self.interrupted,
            "prior": self.prior.as_data(),
            "shape": list(self.network.condition_shape),
            "embedding": None if self.embedding is None else asdict(self.embedding),
        }
        arrays = {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
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
            shape, n_scales = tuple(about["shape"]), len(arrays["network.features.centre"])
            if not (shape[-1] == n_scales and math.prod(shape) <= LARGEST):
                raise ValueError(f"x of shape {shape} and {n_scales} scales do not fit together")
            embedding = None if about["embedding"] is None else Convolutional(**about["embedding"])
            losses = tuple(arrays.pop(f"losses.{number}") for number in range(about["networks"]))
            with repeatable(0):  # numbers to be replaced by those of the file
                made = [_new_member(about["model"], len(own.names), shape, embedding) for _ in losses]
            network = Estimator(own, Features(about["features"], n_scales), *zip(*made, strict=True), shape)
            weights = {name.removeprefix("network."): torch.as_tensor(value) for name, value in arrays.items()}
            network.load_state_dict(weights)
            saved = cls(
                own,
                network.eval(),
                about["model"],
                losses,
                tuple(about["statistics"]),
                about["interrupted"],
                embedding,
            )
        except Exception as error:  # of a file that was written by hand: anything may be missing
            raise ValueError(f"{Path(path).name} holds no posterior that can be read: {error}") from error
        if prior is not None and (difference := prior.difference(own)):
            raise ValueError(f"{Path(path).name} was trained with another prior: {difference}")
        if statistics is not None and tuple(statistics) != saved.statistics:
            raise ValueError(
                f"{Path(path).name} was trained with other statistics: {saved.statistics}; expected {tuple(statistics)}"
            )
        return saved

    def check_reach(self, name: str, x: np.ndarray) -> None:
        """Refuse observations `x`, (n_statistics,) or (n, n_statistics), further out than a network can follow."""
        if not (self.network.features(torch.as_tensor(x)).abs() < FARTHEST).all():
            raise ValueError(f"{name} = {x}; allowed: less than {FARTHEST:g} times as far out as simulations scatter")

    def _observation(self, x_o: np.ndarray) -> torch.Tensor:
        values, expected = np.array(plain("x_o", x_o, "statistics")), tuple(self.network.condition_shape)
        names = self.statistics or tuple(f"x_o[{i}]" for i in range(expected[-1]))
        if values.shape != expected:
            raise ValueError(
                f"x_o has shape {values.shape}; allowed: {expected}, one number each for {', '.join(names)}"
            )
        columns = values.reshape(-1, expected[-1]).T
        if not np.isfinite(values).all():
            raise ValueError(f"x_o: {names[int(np.argmin(np.isfinite(columns).all(axis=1)))]} is not finite: {values}")
        self.check_reach("x_o", values)
        features = self.network.features
        if (off := features.outside(values)).any():
            low, high = features.lowest.numpy(), features.highest.numpy()
            worst = [
                max(column, key=lambda value, at=i: max(low[at] - value, value - high[at]))
                for i, column in enumerate(columns)
            ]
            listed = "; ".join(
                f"{names[i]} = {worst[i]:g}, simulated {low[i]:g} to {high[i]:g}" for i in np.flatnonzero(off)
            )
            warnings.warn(
                f"x_o lies outside all simulations that the posterior was trained on, which makes it a guess: {listed} "
                "(another model or prior than the data's? statistics in another order?)",
                stacklevel=3,
            )
        return torch.as_tensor(values[None])


def train_npe(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    seed: int,
    *,
    model: str = "maf",
    ensemble: int = 1,
    features: str = "auto",
    embedding: Convolutional | None = None,
    statistics: Sequence[str] = (),
    progress: bool = False,
    **training: Any,
) -> Posterior:
    """Train neural networks to give the posterior of `theta` for any statistics `x`: NPE, formerly SNPE.

    theta: (n, n_parameters) draws from the prior; x: (n, n_statistics) the statistics that each gave, or, with an
        `embedding`, recordings (n, n_samples, n_channels) that a network of that kind learns to summarise.
    model: density estimator of sbi: "maf" (autoregressive flow), "nsf" (spline flow), "mdn" (mixture of Gaussians).
    ensemble: how many networks; their average scatters less from seed to seed.
    features: how the statistics are brought onto scale, see `Features`. statistics: their names (of a recording, those
        of its channels), for messages.
    progress: show a bar with the validation loss. training: epochs, batch, learning_rate, patience, see `Training`.
    The same seed gives the same networks on the same machine. Ctrl-C stops and keeps the best network so far.
    Raises ValueError for arrays that do not fit together, values that are not finite or off the prior, simulations that
    are all the same, or less than 50 of them.
    """
    theta, x = checked(prior, theta, x, statistics, 2 if embedding is None else 3)
    scale = Features.of(x, features)
    z, seen = prior.to_normal(torch.as_tensor(theta)).float(), torch.cat([*map(scale, torch.as_tensor(x).split(1000))])
    return fit(
        prior, scale, z, seen, seed, model=model, ensemble=ensemble, embedding=embedding, statistics=statistics,
        progress=progress, **training,
    )  # fmt: skip


def fit(
    prior: Prior,
    scale: Features,
    z: torch.Tensor,
    seen: torch.Tensor,
    seed: int,
    *,
    model: str = "maf",
    ensemble: int = 1,
    embedding: Convolutional | None = None,
    statistics: Sequence[str] = (),
    progress: bool = False,
    **training: Any,
) -> Posterior:
    """Train on what networks see: standard normal numbers `z` (n, n_parameters), features `seen` (n, ...).

    The other arguments are those of `train_npe`. Only the rows of a batch are looked at at a time: `z` and `seen` may
    lie on the disk.
    """
    ensemble = whole_number("ensemble", ensemble, 1)
    how, shape = Training(**training).for_simulations(len(z)), seen.shape[1:]
    members: list[tuple[torch.nn.Module, torch.nn.Module]] = []
    losses: list[np.ndarray] = []
    stopped = False
    with repeatable(seed), tqdm(total=ensemble * how.epochs, unit="epoch", disable=not progress) as bar:
        while len(members) < ensemble and not stopped:
            member = _new_member(model, z.shape[1], shape, embedding)
            try:
                loss, stopped = train(*member, z, seen, how, bar)
            except KeyboardInterrupt:
                if not members:
                    raise
                stopped = True
            else:
                members.append(member)
                losses.append(loss)
    estimator = Estimator(prior, scale, *zip(*members, strict=True), shape).eval()
    return Posterior(prior, estimator, model, tuple(losses), tuple(statistics), stopped, embedding)


def _new_member(
    model: str, n_parameters: int, shape: Sequence[int], embedding: Convolutional | None
) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A density estimator, and the network that looks at x for it; both untrained."""
    if embedding is None:
        return new_network(model, n_parameters, *shape), torch.nn.Identity()
    return new_network(model, n_parameters, embedding.n_features), embedding.build(*shape)


def checked(
    prior: Prior, theta: np.ndarray, x: np.ndarray, statistics: Sequence[str], dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and statistics as arrays. Raises ValueError where nothing can be learned from them."""
    theta = np.array(plain("theta", theta, "parameters"))  # a copy: torch dislikes some views
    if not (isinstance(x, np.ndarray) and x.dtype == np.float32):  # recordings are large
        x = np.array(plain("x", x, "statistics"))
    instance("prior", prior, Prior, "a Prior")
    if theta.ndim != 2 or x.ndim != dimensions or len(theta) != len(x) or theta.shape[1] != len(prior.names):
        wanted = "(n, n_statistics)" if dimensions == 2 else "(n, n_samples, n_channels), which the embedding looks at"
        raise ValueError(
            f"theta {theta.shape} and x {x.shape} do not fit together; allowed: (n, {len(prior.names)}) and {wanted}"
        )
    if statistics and len(statistics) != x.shape[-1]:
        raise ValueError(f"x has {x.shape[-1]} columns for {len(statistics)} statistics, {', '.join(statistics)}")
    if len(theta) < FEWEST:
        raise ValueError(f"{len(theta)} simulations are too few to train on; allowed: at least {FEWEST}")
    for name, values in (("theta", theta), ("x", x)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
            raise ValueError(
                f"{name}[{row}] = {values[row]} is not finite: leave such simulations out, or give a statistic that is "
                "undefined a stated value"
            )
    if (np.ptp(x, axis=0) == 0).all():
        raise ValueError(f"all {len(x)} simulations give the same statistics, {x[0]} (all silent?): nothing to learn")
    return prior.check(theta), x
