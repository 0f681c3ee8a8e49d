"""Classification tasks of notebook 3: handwritten digits, and the order of two pulses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from helpers.validation import whole_number

__all__ = ["Task", "digits", "pulse_order"]


@dataclass(frozen=True)
class Task:
    """Inputs x (n, ...) and classes y (n,), integers from 0, to train on and to test with."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    def summed(self) -> Task:
        """Return the task with inputs summed over time: (n, steps, channels) becomes (n, channels)."""
        return Task(self.x_train.sum(1), self.y_train, self.x_test.sum(1), self.y_test)


def digits(seed: int = 0) -> Task:
    """Load the 1,797 handwritten digits of scikit-learn, 8 × 8 pixels from 0 to 1; 30 % are for testing.

    Parameters
    ----------
    seed
        Seed of the split; every class has the same share in both parts.

    References
    ----------
    E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, stratify=y, random_state=seed)
    return _task(x_train, y_train, x_test, y_test)


def pulse_order(n: int = 1000, steps: int = 30, max_lag: int = 10, seed: int = 0) -> Task:
    """Make the task of telling which of two inputs has its pulse first: class 0 if input 0, else class 1.

    Each input has one pulse in each sample, so counting pulses is no better than guessing. x is (n, steps, 2), 1 at a
    pulse; as many samples again are for testing.

    Parameters
    ----------
    n
        Number of samples to train on.
    steps
        Length of a sample.
    max_lag
        The pulses are 1 to `max_lag` steps apart.
    seed
        Seed of the samples.

    Raises
    ------
    ValueError
        Unless 1 <= max_lag < steps.
    """
    n, steps, seed = whole_number("n", n, 1), whole_number("steps", steps, 2), whole_number("seed", seed)
    max_lag = whole_number("max_lag", max_lag, 1, steps - 1)
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 2 * n)
    lag = random.integers(1, max_lag + 1, 2 * n)
    first = random.integers(0, steps - lag)
    x = np.zeros((2 * n, steps, 2))
    x[np.arange(2 * n), first, y] = 1.0
    x[np.arange(2 * n), first + lag, 1 - y] = 1.0
    return _task(x[:n], y[:n], x[n:], y[n:])


def _task(*parts: np.ndarray) -> Task:
    return Task(*(torch.as_tensor(part, dtype=torch.float32 if part.ndim > 1 else torch.int64) for part in parts))
