"""Train classifiers in the same way every time: Adam on the cross-entropy, in batches, from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import instance, number, whole_number

from .tasks import Task

__all__ = ["MAX_LEARNING_RATE", "TrainingHistory", "TrainingRuns", "accuracy", "compare", "train"]

MAX_LEARNING_RATE = 1e37  # Adam's first step is ten times as large, which single precision just holds


@dataclass(frozen=True)
class TrainingHistory:
    """Progress of one training run.

    Attributes
    ----------
    loss
        Mean loss in each epoch (n_epochs,).
    accuracy
        Accuracy on the test samples after each epoch (n_epochs,).
    """

    loss: np.ndarray
    accuracy: np.ndarray

    def epochs_to(self, level: float) -> float:
        """Count the epochs until the accuracy first reached `level`; infinity if it never did."""
        reached = np.flatnonzero(self.accuracy >= number("level", level))
        return float(reached[0] + 1) if len(reached) else np.inf


@torch.no_grad()
def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Compute the fraction of samples `x` (n, ...) whose largest output is that of their class `y` (n,)."""
    return float((network(x).argmax(1) == y).float().mean())


def train(
    network: nn.Module,
    task: Task,
    *,
    epochs: int,
    seed: int,
    learning_rate: float = 3e-3,
    batch: int = 64,
    penalty: Callable[[], Tensor] | None = None,
) -> TrainingHistory:
    """Train a network in place.

    Parameters
    ----------
    network
        Maps samples (n, ...) to outputs (n, n_classes).
    task
        Samples to train and to test with.
    epochs, learning_rate, batch
        Settings of the optimiser.
    seed
        Seed of the order of the samples; the initial weights are up to the caller.
    penalty
        Added to the loss, computed after each forward pass; for example a price on spikes.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    epochs, batch = whole_number("epochs", epochs, 1), whole_number("batch", batch, 1)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    learning_rate = number("learning_rate", learning_rate, above=0.0, high=MAX_LEARNING_RATE)
    instance("network", network, nn.Module, "a network")
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), learning_rate, fused=True)
    losses, accuracies = [], []
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(task.y_train), generator=order).split(batch):
            loss = nn.functional.cross_entropy(network(task.x_train[chosen]), task.y_train[chosen])
            total += loss.item() * len(chosen)
            if penalty is not None:
                loss = loss + penalty()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if not np.isfinite(total):
            raise ValueError(f"the loss is {total} in epoch {epoch}: training diverged; try a smaller learning_rate")
        losses.append(total / len(task.y_train))
        accuracies.append(accuracy(network, task.x_test, task.y_test))
    return TrainingHistory(np.array(losses), np.array(accuracies))


@dataclass(frozen=True)
class TrainingRuns:
    """The same training from several seeds: the trained networks, and the history of each."""

    networks: Sequence[nn.Module]
    histories: Sequence[TrainingHistory]

    @property
    def accuracy(self) -> np.ndarray:
        """Final accuracy on the test samples (n_seeds,)."""
        return self.curves[:, -1]

    @property
    def curves(self) -> np.ndarray:
        """Accuracy on the test samples after each epoch (n_seeds, n_epochs)."""
        return np.array([history.accuracy for history in self.histories])


def compare(
    makers: Mapping[str, Callable[[], nn.Module]],
    task: Task,
    *,
    seeds: Sequence[int],
    epochs: int,
    learning_rate: float = 3e-3,
) -> dict[str, TrainingRuns]:
    """Train several kinds of networks from the same seeds on the same samples in the same order.

    Parameters
    ----------
    makers
        By name, a function that builds a network.
    task
        Samples to train and to test with.
    seeds
        One run for each; also the seed of the initial weights.
    epochs, learning_rate
        As in `train`.
    """
    results = {}
    seeds = [whole_number("seeds", seed, 0, 2**63 - 1) for seed in seeds]
    for name, make in makers.items():
        networks, histories = [], []
        for seed in seeds:
            torch.manual_seed(seed)
            networks.append(make())
            histories.append(train(networks[-1], task, epochs=epochs, seed=seed, learning_rate=learning_rate))
        results[name] = TrainingRuns(networks, histories)
    return results
