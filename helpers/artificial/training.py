"""Train a network to classify, the same way every time: Adam on the cross-entropy, in batches, from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from helpers.validation import instance, number, whole_number

from .tasks import Task

__all__ = ["FASTEST", "History", "Runs", "accuracy", "compare", "train"]

FASTEST = 1e37  # learning rate; Adam's first step is ten times as large, which single precision just holds


@dataclass(frozen=True)
class History:
    """What happened during training: mean loss of each epoch (n,) and accuracy on the test samples after it (n,)."""

    loss: np.ndarray
    accuracy: np.ndarray

    def epochs_to(self, level: float) -> float:
        """After how many epochs the accuracy first reached `level`; infinity where it never did."""
        level = number("level", level)
        reached = np.flatnonzero(self.accuracy >= level)
        return float(reached[0] + 1) if len(reached) else np.inf


@torch.no_grad()
def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of samples whose largest output is that of their class."""
    return float((network(x).argmax(1) == y).float().mean())


def train(
    network: nn.Module,
    task: Task,
    *,
    epochs: int,
    seed: int,
    rate: float = 3e-3,
    batch: int = 64,
    penalty: Callable[[], Tensor] | None = None,
) -> History:
    """Train `network` (x to one output per class) in place.

    seed: of the order of the samples; the network's own first weights are the caller's business.
    penalty: what is added to the loss, computed after each pass forward, such as a price on spikes.
    Raises ValueError where the loss is not a finite number.
    """
    epochs, batch = whole_number("epochs", epochs, 1), whole_number("batch", batch, 1)
    seed, rate = whole_number("seed", seed, 0, 2**63 - 1), number("rate", rate, above=0.0, high=FASTEST)
    instance("network", network, nn.Module, "a network")
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), rate)
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
            raise ValueError(f"the loss is {total} in epoch {epoch}; allowed: finite numbers. Try a smaller rate")
        losses.append(total / len(task.y_train))
        accuracies.append(accuracy(network, task.x_test, task.y_test))
    return History(np.array(losses), np.array(accuracies))


@dataclass(frozen=True)
class Runs:
    """The same training from several seeds: the networks, and how each went."""

    networks: Sequence[nn.Module]
    histories: Sequence[History]

    @property
    def accuracy(self) -> np.ndarray:
        """Accuracy on the test samples at the end, (n_seeds,)."""
        return np.array([history.accuracy[-1] for history in self.histories])

    @property
    def curves(self) -> np.ndarray:
        """Accuracy on the test samples after each epoch, (n_seeds, n_epochs)."""
        return np.array([history.accuracy for history in self.histories])


def compare(
    makers: Mapping[str, Callable[[], nn.Module]], task: Task, *, seeds: Sequence[int], epochs: int, rate: float = 3e-3
) -> dict[str, Runs]:
    """Train what each maker makes from the same seeds on the same samples in the same order; by name."""
    results, seeds = {}, [whole_number("seeds", seed, 0, 2**63 - 1) for seed in seeds]
    for name, make in makers.items():
        networks, histories = [], []
        for seed in seeds:
            torch.manual_seed(seed)
            networks.append(make())
            histories.append(train(networks[-1], task, epochs=epochs, seed=seed, rate=rate))
        results[name] = Runs(networks, histories)
    return results
