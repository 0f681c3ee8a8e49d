"""Three ways to find out how a weight should change: the gradient itself, a random feedback, and trial and error.

A network of one hidden layer of tanh units without biases, y = W2·tanh(W1·x), with the cross-entropy of softmax(y). The
gradients are written out, so that what each rule needs to know stands in its lines.

    backprop              knows the weights W2 of the way forward, backwards
    feedback_alignment    has other, random weights B in their place (Lillicrap et al. 2016, Nat Commun 7:13276)
    weight_perturbation   knows only how the loss changes when all weights are shaken at random
                          (Jabri & Flower 1992, IEEE Trans Neural Netw 3:154)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from helpers.validation import number, whole_number

from .tasks import Task
from .training import FASTEST

__all__ = [
    "Learned",
    "Weights",
    "angle",
    "backprop",
    "feedback_alignment",
    "learn_by",
    "loss",
    "perturbation_noise",
    "start_weights",
    "weight_perturbation",
]

Weights = tuple[Tensor, Tensor]  # W1 (hidden, inputs), W2 (classes, hidden)


def start_weights(inputs: int, hidden: int, classes: int, seed: int) -> Weights:
    """Random weights whose sums have a variance of about 1 for inputs of about 1."""
    inputs, hidden = whole_number("inputs", inputs, 1), whole_number("hidden", hidden, 1)
    classes, seed = whole_number("classes", classes, 1), whole_number("seed", seed, 0, 2**63 - 1)
    draw = torch.Generator().manual_seed(seed)
    shapes = (hidden, inputs), (classes, hidden)
    W1, W2 = (torch.randn(shape, generator=draw) / shape[1] ** 0.5 for shape in shapes)
    return W1, W2


def loss(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """The mean cross-entropy of classes y (n,) for inputs x (n, inputs)."""
    W1, W2 = weights
    return torch.nn.functional.cross_entropy(torch.tanh(x @ W1.T) @ W2.T, y)


def _sent_back(weights: Weights, x: Tensor, y: Tensor, back: Tensor) -> Weights:
    """Gradients when the error of the outputs reaches the hidden units by `back` (classes, hidden)."""
    W1, W2 = weights
    h = torch.tanh(x @ W1.T)
    error = (torch.softmax(h @ W2.T, 1) - torch.nn.functional.one_hot(y, len(W2))) / len(y)  # of the outputs
    hidden_error = error @ back * (1 - h**2)
    return hidden_error.T @ x, error.T @ h


def backprop(weights: Weights, x: Tensor, y: Tensor) -> Weights:
    """The gradient of the loss."""
    return _sent_back(weights, x, y, weights[1])


def feedback_alignment(weights: Weights, x: Tensor, y: Tensor, B: Tensor) -> Weights:
    """Like the gradient, but the error comes back by the fixed random weights B (classes, hidden)."""
    return _sent_back(weights, x, y, B)


def weight_perturbation(weights: Weights, x: Tensor, y: Tensor, draw: torch.Generator, size: float = 1e-3) -> Weights:
    """An estimate of the gradient from two losses: (change of the loss / size) · (the random change itself).

    All weights are shaken at once by `size` times standard normal numbers. On average this is the gradient g; its
    variance, summed over the n weights, is (n + 1)·|g|².
    """
    size = number("size", size, low=1e-7, high=1e3)
    shake = [torch.randn(W.shape, generator=draw, dtype=W.dtype) for W in weights]
    there = loss((weights[0] + size * shake[0], weights[1] + size * shake[1]), x, y)
    back = loss((weights[0] - size * shake[0], weights[1] - size * shake[1]), x, y)
    slope = (there - back) / (2 * size)
    return slope * shake[0], slope * shake[1]


def flat(weights: Weights) -> Tensor:
    """All numbers in one row."""
    return torch.cat([W.ravel() for W in weights])


def angle(a: Weights, b: Weights) -> float:
    """The angle between two gradients [degrees]: 0 the same direction, 90 nothing in common."""
    u, v = flat(a).double(), flat(b).double()
    return float(torch.rad2deg(torch.arccos((u @ v / (u.norm() * v.norm())).clamp(-1, 1))))


def perturbation_noise(weights: Weights, x: Tensor, y: Tensor, draws: int, seed: int) -> float:
    """The variance of the estimate by weight perturbation, summed over all weights, in units of |gradient|²."""
    draws, seed = whole_number("draws", draws, 1), whole_number("seed", seed, 0, 2**63 - 1)
    exact = tuple(W.double() for W in weights)
    gradient = flat(backprop(exact, x.double(), y))
    draw = torch.Generator().manual_seed(seed)
    misses = [((flat(weight_perturbation(exact, x.double(), y, draw)) - gradient) ** 2).sum() for _ in range(draws)]
    return float(torch.stack(misses).mean() / (gradient @ gradient))


# -------------------------------------------------------------------------------------------------------- learning


@dataclass(frozen=True)
class Learned:
    """How learning went, looked at every `every` steps.

    accuracy: on the test samples, (n,). angles: between the rule's change and the gradient, (n,) [degrees].
    weights: at the end.
    """

    every: int
    accuracy: np.ndarray
    angles: np.ndarray
    weights: Weights


def learn_by(
    rule: str, task: Task, *, hidden: int, rate: float, steps: int, seed: int, every: int = 50, batch: int = 64
) -> Learned:
    """Train by plain steps against what `rule` says: "backprop", "feedback alignment" or "weight perturbation".

    The same seed gives each rule the same first weights and the same batches.
    Raises ValueError for another rule.
    """
    for name, value in {"hidden": hidden, "steps": steps, "every": every, "batch": batch}.items():
        whole_number(name, value, 1)
    seed, rate = whole_number("seed", seed, 0, 2**62), number("rate", rate, above=0.0, high=FASTEST)
    batch, hidden = int(batch), int(hidden)
    draw = torch.Generator().manual_seed(seed)
    inputs, classes = task.x_train.shape[1], int(task.y_train.max()) + 1
    weights = start_weights(inputs, hidden, classes, seed)
    B = start_weights(inputs, hidden, classes, seed + 1000)[1]
    rules: dict[str, Callable[[Weights, Tensor, Tensor], Weights]] = {
        "backprop": backprop,
        "feedback alignment": lambda w, x, y: feedback_alignment(w, x, y, B),
        "weight perturbation": lambda w, x, y: weight_perturbation(w, x, y, draw),
    }
    if not (isinstance(rule, str) and rule in rules):
        raise ValueError(f"rule {rule!r}; allowed: {', '.join(rules)}")
    order = torch.Generator().manual_seed(seed)
    accuracies, angles = [], []
    for k in range(steps):
        chosen = torch.randint(len(task.y_train), (batch,), generator=order)
        x, y = task.x_train[chosen], task.y_train[chosen]
        change = rules[rule](weights, x, y)
        if k % every == every - 1:
            angles.append(angle(change, backprop(weights, x, y)))
        weights = weights[0] - rate * change[0], weights[1] - rate * change[1]
        if not all(torch.isfinite(W).all() for W in weights):
            raise ValueError(f"the weights grow beyond all numbers in step {k} at rate = {rate:g}; try a smaller rate")
        if k % every == every - 1:
            h = torch.tanh(task.x_test @ weights[0].T)
            accuracies.append(float(((h @ weights[1].T).argmax(1) == task.y_test).float().mean()))
    return Learned(every, np.array(accuracies), np.array(angles), weights)
