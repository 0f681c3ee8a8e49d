"""Three rules for changing weights: the gradient, random feedback, and trial and error.

A network has one hidden layer of tanh units without biases, y = W2·tanh(W1·x), and the cross-entropy of softmax(y). The
gradients are written out, to show what each rule needs to know.

    backprop              knows the forward weights W2, and uses them backwards
    feedback_alignment    uses other, random weights B in their place (Lillicrap et al. 2016, Nat Commun 7:13276)
    weight_perturbation   knows only how the loss changes when all weights change at random, at once
                          (Dembo & Kailath 1990, IEEE Trans Neural Netw 1:58; Spall 1992, IEEE Trans Autom Control
                          37:332; Cauwenberghs 1993, NIPS 5:244. Jabri & Flower 1992, IEEE Trans Neural Netw 3:154,
                          change one weight at a time)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from helpers.validation import number, one_of, whole_number

from .tasks import Task
from .training import MAX_LEARNING_RATE

__all__ = [
    "RuleRun",
    "Weights",
    "backprop",
    "cross_entropy",
    "feedback_alignment",
    "gradient_angle",
    "initial_weights",
    "perturbation_noise",
    "train_by_rule",
    "weight_perturbation",
]

Weights = tuple[Tensor, Tensor]  # W1 (hidden, inputs), W2 (classes, hidden)


def initial_weights(inputs: int, hidden: int, classes: int, seed: int) -> Weights:
    """Draw random weights whose sums have a variance of about 1 for inputs of about 1."""
    inputs, hidden = whole_number("inputs", inputs, 1), whole_number("hidden", hidden, 1)
    classes, seed = whole_number("classes", classes, 1), whole_number("seed", seed, 0, 2**63 - 1)
    generator = torch.Generator().manual_seed(seed)
    shapes = (hidden, inputs), (classes, hidden)
    W1, W2 = (torch.randn(shape, generator=generator) / shape[1] ** 0.5 for shape in shapes)
    return W1, W2


def cross_entropy(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Compute the mean cross-entropy of classes y (n,) for inputs x (n, inputs)."""
    W1, W2 = weights
    return torch.nn.functional.cross_entropy(torch.tanh(x @ W1.T) @ W2.T, y)


def _gradients(weights: Weights, x: Tensor, y: Tensor, back: Tensor) -> Weights:
    """Gradients when the error of the outputs reaches the hidden units by `back` (classes, hidden)."""
    W1, W2 = weights
    h = torch.tanh(x @ W1.T)
    error = (torch.softmax(h @ W2.T, 1) - torch.nn.functional.one_hot(y, len(W2))) / len(y)  # of the outputs
    hidden_error = error @ back * (1 - h**2)
    return hidden_error.T @ x, error.T @ h


def backprop(weights: Weights, x: Tensor, y: Tensor) -> Weights:
    """Compute the gradient of the cross-entropy of classes y (n,) for inputs x (n, inputs)."""
    return _gradients(weights, x, y, weights[1])


def feedback_alignment(weights: Weights, x: Tensor, y: Tensor, B: Tensor) -> Weights:
    """Compute the gradient as if the error came back by the fixed random weights B (classes, hidden)."""
    return _gradients(weights, x, y, B)


def weight_perturbation(
    weights: Weights, x: Tensor, y: Tensor, generator: torch.Generator, size: float = 1e-3
) -> Weights:
    """Estimate the gradient from two losses: (change of the loss / size) · (the random change itself).

    All weights change at once by `size` times standard normal numbers. On average the estimate is the gradient g; its
    variance, summed over the n weights, is (n + 1)·|g|².

    Parameters
    ----------
    weights
        Weights of the network.
    x, y
        Inputs (n, inputs) and classes (n,).
    generator
        Source of the random changes.
    size
        Size of the changes.
    """
    size = number("size", size, low=1e-7, high=1e3)
    changes = [torch.randn(W.shape, generator=generator, dtype=W.dtype) for W in weights]
    up = cross_entropy((weights[0] + size * changes[0], weights[1] + size * changes[1]), x, y)
    down = cross_entropy((weights[0] - size * changes[0], weights[1] - size * changes[1]), x, y)
    slope = (up - down) / (2 * size)
    return slope * changes[0], slope * changes[1]


def gradient_angle(a: Weights, b: Weights) -> float:
    """Compute the angle between two gradients [degrees]: 0 is the same direction, 90 unrelated."""
    u, v = _flat(a).double(), _flat(b).double()
    return float(torch.rad2deg(torch.arccos((u @ v / (u.norm() * v.norm())).clamp(-1, 1))))


def perturbation_noise(weights: Weights, x: Tensor, y: Tensor, draws: int, seed: int) -> float:
    """Compute the variance of weight perturbation, summed over all weights, in units of |gradient|².

    Parameters
    ----------
    weights
        Weights of the network.
    x, y
        Inputs (n, inputs) and classes (n,).
    draws
        Number of estimates.
    seed
        Seed of the estimates.
    """
    draws, seed = whole_number("draws", draws, 1), whole_number("seed", seed, 0, 2**63 - 1)
    exact = weights[0].double(), weights[1].double()
    gradient = _flat(backprop(exact, x.double(), y))
    generator = torch.Generator().manual_seed(seed)
    errors = [_flat(weight_perturbation(exact, x.double(), y, generator)) - gradient for _ in range(draws)]
    return float(torch.stack(errors).square().sum(1).mean() / (gradient @ gradient))


def _flat(weights: Weights) -> Tensor:
    """All numbers in one row."""
    return torch.cat([W.ravel() for W in weights])


# -------------------------------------------------------------------------------------------------------- training


@dataclass(frozen=True)
class RuleRun:
    """Training by one rule, examined after every `every` steps.

    Attributes
    ----------
    every
        Steps between two examinations.
    accuracy
        Accuracy on the test samples (n,).
    angles
        Angle between the rule's change and the gradient (n,) [degrees].
    weights
        Final weights.
    """

    every: int
    accuracy: np.ndarray
    angles: np.ndarray
    weights: Weights


def train_by_rule(
    rule: str, task: Task, *, hidden: int, learning_rate: float, steps: int, seed: int, every: int = 50, batch: int = 64
) -> RuleRun:
    """Train a network by plain descent along what a rule says.

    Parameters
    ----------
    rule
        "backprop", "feedback alignment" or "weight perturbation".
    task
        Samples to train and to test with.
    hidden
        Number of hidden units.
    learning_rate, steps, batch
        Step size, number of steps, samples in a step.
    seed
        Gives each rule the same initial weights and the same batches.
    every
        Steps between two examinations.

    Raises
    ------
    ValueError
        For another rule, and if the weights diverge.
    """
    hidden, steps = whole_number("hidden", hidden, 1), whole_number("steps", steps, 1)
    every, batch = whole_number("every", every, 1), whole_number("batch", batch, 1)
    seed = whole_number("seed", seed, 0, 2**62)
    learning_rate = number("learning_rate", learning_rate, above=0.0, high=MAX_LEARNING_RATE)
    generator = torch.Generator().manual_seed(seed)
    inputs, classes = task.x_train.shape[1], int(task.y_train.max()) + 1
    weights = initial_weights(inputs, hidden, classes, seed)
    B = initial_weights(inputs, hidden, classes, seed + 1000)[1]
    rules: dict[str, Callable[[Weights, Tensor, Tensor], Weights]] = {
        "backprop": backprop,
        "feedback alignment": lambda w, x, y: feedback_alignment(w, x, y, B),
        "weight perturbation": lambda w, x, y: weight_perturbation(w, x, y, generator),
    }
    apply = rules[one_of("rule", rule, rules)]
    order = torch.Generator().manual_seed(seed)
    accuracies, angles = [], []
    for k in range(steps):
        chosen = torch.randint(len(task.y_train), (batch,), generator=order)
        x, y = task.x_train[chosen], task.y_train[chosen]
        change = apply(weights, x, y)
        if k % every == every - 1:
            angles.append(gradient_angle(change, backprop(weights, x, y)))
        weights = weights[0] - learning_rate * change[0], weights[1] - learning_rate * change[1]
        if not all(torch.isfinite(W).all() for W in weights):
            raise ValueError(f"the weights diverge in step {k} at learning_rate = {learning_rate:g}; try a smaller one")
        if k % every == every - 1:
            output = torch.tanh(task.x_test @ weights[0].T) @ weights[1].T
            accuracies.append(float((output.argmax(1) == task.y_test).float().mean()))
    return RuleRun(every, np.array(accuracies), np.array(angles), weights)
