"""The neural density estimator of a posterior, and the loop that trains it.

The networks are those of sbi, and one of our own (refining.py). They work on scaled numbers: the prior maps parameters
to standard normal numbers (so that no probability leaks out of it, and an untrained network is close to the prior),
`Scaling` maps statistics. `Estimator` combines both maps with an ensemble of networks, and takes raw parameters and raw
statistics, as sbi's own posteriors and diagnostics expect.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sbi.neural_nets import posterior_nn
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from tqdm.auto import tqdm

from helpers.validation import number, whole_number

from .priors import Prior
from .refining import RefiningEstimator
from .scaling import Scaling

__all__ = ["MODELS", "Estimator", "Training", "new_network", "repeatable", "train_network"]

MODELS = ("maf", "small maf", "nsf", "mdn", "refining")
SMALL = {"hidden_features": 20, "num_transforms": 3}  # sbi's are 50 and 5
VALIDATION_BATCH = 10_000  # simulations whose validation loss is computed at a time
PREPARED = 200_000  # simulations from which a network learns the ranges of the statistics, at most


@dataclass(frozen=True)
class Training:
    """How a network is trained. The network with the lowest validation loss is kept.

    Parameters
    ----------
    epochs
        Maximal number; None for 40, or more if these are fewer than 1,000 steps.
    batch
        Simulations per step.
    learning_rate
        Maximum, for Adam; it rises over the first tenth of the steps and falls to zero along a cosine.
    patience
        Epochs without a better validation loss after which training stops early.
    held_out
        Share of the simulations that the validation loss is computed on.

    References
    ----------
    Loshchilov & Hutter 2017, ICLR.
    """

    epochs: int | None = None
    batch: int = 100
    learning_rate: float = 5e-3
    patience: int = 40
    held_out: float = 0.1

    def __post_init__(self) -> None:
        whole = {"epochs": self.epochs, "batch": self.batch, "patience": self.patience}
        for name, value in whole.items():
            if not (name == "epochs" and value is None):
                object.__setattr__(self, name, whole_number(name, value, 1))
        for name in ("learning_rate", "held_out"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        if not 0 < self.learning_rate <= 0.1:
            raise ValueError(f"learning_rate = {self.learning_rate!r}; allowed: above 0, at most 0.1")
        if not 0 < self.held_out <= 0.5:
            raise ValueError(f"held_out = {self.held_out!r}; allowed: above 0, at most 0.5")

    def for_simulations(self, n: int) -> Training:
        """Return a copy with a number of epochs that suits `n` simulations, if none was given."""
        steps = math.ceil((1 - self.held_out) * n / self.batch)
        return self if self.epochs is not None else replace(self, epochs=max(40, math.ceil(1000 / steps)))

    def learning_rate_factor(self, n_steps: int) -> Callable[[int], float]:
        """Return the learning rate as a function of the step, as a share of the maximum."""
        rise = max(1, n_steps // 10)
        return lambda step: min(
            (step + 1) / rise, 0.5 * (1 + math.cos(math.pi * max(0, step - rise) / (n_steps - rise + 1)))
        )


class Estimator(ConditionalDensityEstimator):
    """The density p(theta | x) as an equal mixture of networks, in raw parameters and raw statistics.

    Parameters
    ----------
    prior, scaling
        The maps to what the networks see.
    networks
        The density estimators.
    embeddings
        For each network the one that summarises x for it; empty if x are statistics.
    shape
        Of x, (n_statistics,) or (n_samples, n_channels); by default that of the statistics that `scaling` takes.
    """

    net: torch.nn.ModuleList
    prior: Prior
    scaling: Scaling

    def __init__(
        self,
        prior: Prior,
        scaling: Scaling,
        networks: Sequence[torch.nn.Module],
        embeddings: Sequence[torch.nn.Module] = (),
        shape: Sequence[int] | None = None,
    ) -> None:
        shapes = torch.Size([len(prior.names)]), torch.Size(shape or [len(scaling.centre)])
        super().__init__(torch.nn.ModuleList(networks), *shapes)
        self.prior, self.scaling = prior, scaling
        self.embeddings = torch.nn.ModuleList(embeddings or [torch.nn.Identity() for _ in networks])

    def log_prob(self, input: torch.Tensor, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Return log p(input | condition), (n_samples, n_observations)."""
        theta, x, _ = self._broadcast_and_align(input, condition)
        prior = self.prior.log_prob(theta).double()
        inside = prior.isfinite()
        anywhere = self.prior.from_normal(torch.zeros(self.input_shape))
        z = self.prior.to_normal(torch.where(inside[..., None], theta.double(), anywhere))
        rows, scaled = z.float().flatten(0, 1), self.scaling(x).flatten(0, 1)
        with _quiet():
            members: Iterable[tuple[Any, Any]] = zip(self.net, self.embeddings, strict=True)
            each = torch.stack(
                [net.log_prob(rows, condition=embed(scaled)).reshape(inside.shape) for net, embed in members]
            )
        mixture = torch.logsumexp(each, 0) - math.log(len(self.net))
        return torch.where(inside, mixture + prior + _negative_log_prior(z), -torch.inf).float()

    def sample(self, sample_shape: torch.Size, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Draw parameters (*sample_shape, n_observations, n_parameters) given `condition` (n_observations, ...)."""
        n_draws, n_observations = math.prod(sample_shape), len(condition)
        scaled = self.scaling(condition)
        member = torch.randint(len(self.net), (n_draws * n_observations,))
        z = torch.empty(n_draws * n_observations, *self.input_shape)
        with torch.no_grad(), _quiet():
            members: Iterable[tuple[Any, Any]] = zip(self.net, self.embeddings, strict=True)
            for number, (net, embed) in enumerate(members):
                rows = torch.nonzero(member == number)[:, 0]
                if len(rows):
                    z[rows] = net.sample((1,), condition=embed(scaled)[rows % n_observations])[0]
        return self.prior.from_normal(z).float().reshape(*sample_shape, n_observations, *self.input_shape)

    def loss(self, input: torch.Tensor, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Return the negative log-density."""
        return -self.log_prob(input, condition)[0]


def new_network(model: str, n_parameters: int, n_statistics: int) -> ConditionalDensityEstimator:
    """Build an untrained network for standard normal numbers and scaled statistics."""
    n_parameters = whole_number("n_parameters", n_parameters, 1)
    n_statistics = whole_number("n_statistics", n_statistics, 1)
    if not (isinstance(model, str) and model in MODELS):
        raise ValueError(f"model = {model!r}; allowed: {', '.join(map(repr, MODELS))}")
    autoregressive = model.endswith("maf")
    if autoregressive and n_parameters == 1:
        others = "'nsf', 'mdn', 'refining'"
        raise ValueError(f"model = {model!r} can only be normal where there is one parameter; allowed: {others}")
    if model == "refining":
        return RefiningEstimator(n_parameters, n_statistics)
    # A spline is a straight line beyond its bound. At sbi's bound of 3 that holds for 1 draw in 400 in every layer; it
    # then lies anywhere in the prior, however narrow the posterior is.
    splines = {"tail_bound": 6.0} if model == "nsf" else {}
    build = posterior_nn(  # theta and x are on scale already
        model="maf" if autoregressive else model, z_score_theta="none", z_score_x="none", **splines,
        **(SMALL if model == "small maf" else {}),
    )  # fmt: skip
    network = build(torch.randn(10, n_parameters), torch.randn(10, n_statistics))
    # A layer of this flow does not let its first parameter depend on x. sbi shuffles the parameters between the five
    # layers: with two of them, 1 network in 12 has one that is always first and is never learned. Reversed from layer
    # to layer, as in the paper (Papamakarios et al. 2017, arXiv:1705.07057), each has its turn.
    turned = {
        name: value.sort(descending=True).values
        for name, value in network.state_dict().items()
        if name.endswith("_permutation") and autoregressive
    }
    network.load_state_dict(turned, strict=False)
    return network


def train_network(
    network: ConditionalDensityEstimator,
    embed: torch.nn.Module,
    z: torch.Tensor,
    scaled: torch.Tensor,
    how: Training,
    bar: tqdm,
) -> tuple[np.ndarray, bool]:
    """Train `network` for the density of `z` (n, n_parameters) given scaled statistics that `embed` summarises.

    Returns the losses after each epoch, (n_epochs, 2): of training and of validation, as mean log p(theta) -
    log p(theta|x) in nats (0 is no better than the prior), and whether the user stopped it; the networks are then the
    best so far. Raises ValueError if no epoch gives a finite loss.
    """
    assert how.epochs is not None, "see for_simulations"
    n_held_out = max(1, round(how.held_out * len(z)))
    shuffled = torch.randperm(len(z))
    held_out, used = shuffled[:n_held_out], shuffled[n_held_out:]
    steps = math.ceil(len(used) / how.batch)
    both = torch.nn.ModuleList([network, embed])
    optimiser = torch.optim.Adam(both.parameters(), lr=how.learning_rate, fused=True)  # many small tensors
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, how.learning_rate_factor(how.epochs * steps))
    losses: list[tuple[float, float]] = []
    best, best_epoch, stopped = (math.inf, copy.deepcopy(both.state_dict())), 0, False

    parts: list[torch.nn.Module] = [both]  # whose gradients are clipped each by itself
    if isinstance(network, RefiningEstimator):
        network.prepare(scaled[used[:PREPARED]])
        parts = network.stages

    def losses_of(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of the posterior, and that of what else a network learns."""
        condition, relative_to = embed(scaled[rows]), _negative_log_prior(z[rows])
        if not isinstance(network, RefiningEstimator):
            return -(network.log_prob(z[rows], condition=condition) + relative_to).mean(), torch.zeros(())
        of_density, *others = network.losses(z[rows], condition)
        return (of_density - relative_to).mean(), torch.stack(others).sum(0).mean()

    try:
        for epoch in range(how.epochs):
            both.train()
            if epoch >= how.epochs // 2:
                _freeze_batch_norm(embed)
            total = 0.0
            for rows in used[torch.randperm(len(used))].split(how.batch):
                if len(rows) == 1 and steps > 1:  # batch normalisation cannot take a single one
                    continue
                optimiser.zero_grad()
                loss, others = losses_of(rows)
                (loss + others).backward()
                for part in parts:
                    torch.nn.utils.clip_grad_norm_(part.parameters(), 5.0)
                optimiser.step()
                schedule.step()
                total += loss.item() * len(rows)
            both.eval()
            with torch.no_grad():
                held = sum(losses_of(rows)[0].item() * len(rows) for rows in held_out.split(VALIDATION_BATCH))
                losses.append((total / len(used), held / n_held_out))
            if losses[-1][1] < best[0]:
                best, best_epoch = (losses[-1][1], copy.deepcopy(both.state_dict())), epoch
            bar.set_postfix_str(f"loss {losses[-1][1]:.2f}, best {best[0]:.2f}")
            bar.update()
            if epoch - best_epoch >= how.patience:
                break
    except KeyboardInterrupt:
        stopped = True
        if not losses:
            raise
    both.load_state_dict(best[1])
    both.eval()
    if not math.isfinite(best[0]):
        raise ValueError(f"training diverged at learning_rate = {how.learning_rate:g}; try a smaller one")
    return np.array(losses), stopped


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed torch and limit it to one thread, since sums depend on how they are split; restore both afterwards."""
    seed, threads = whole_number("seed", seed, 0, 2**63 - 1), torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.triangular_solve is deprecated")  # inside the spline flow
        yield


def _freeze_batch_norm(embed: torch.nn.Module) -> None:
    """Stop batch normalisation (Ioffe & Szegedy 2015, ICML) from following every batch.

    Normalised by its batch, a recording gives other numbers each time; a flow trained on these to the end is too wide
    for what it gets later, which is normalised by the averages of the training.
    """
    for layer in embed.modules():
        if isinstance(layer, torch.nn.BatchNorm1d):
            layer.eval()


def _negative_log_prior(z: torch.Tensor) -> torch.Tensor:
    """Negative log-density of standard normal numbers, (...,)."""
    return 0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)
