"""What the networks of notebook 3 learn: digits to be told apart, and two pulses to be put in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from helpers.validation import whole_number

__all__ = ["Task", "digits", "which_first"]


@dataclass(frozen=True)
class Task:
    """Inputs x and classes y (whole numbers from 0) to train on and to test with; the first index counts samples."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def digits(seed: int = 0) -> Task:
    """The 1,797 handwritten digits of scikit-learn, 8 × 8 pixels from 0 to 1: x (n, 64), y (n,). 30 % are for testing.

    Every class has the same share in both parts; `seed` says which samples go where.
    Source: E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, stratify=y, random_state=seed)
    return Task(_floats(x_train), torch.as_tensor(y_train), _floats(x_test), torch.as_tensor(y_test))


def which_first(n: int = 1000, steps: int = 30, longest: int = 10, seed: int = 0) -> Task:
    """Two inputs, one pulse each: class 0 if input 0 comes first, else class 1. x (n, steps, 2), 1 where a pulse is.

    The pulses lie 1 to `longest` steps apart, anywhere in the time. Each input has one pulse in each sample: who counts
    pulses cannot do better than guess. As many samples again are for testing.
    Raises ValueError unless 1 <= longest < steps.
    """
    n, steps, seed = whole_number("n", n, 1), whole_number("steps", steps, 2), whole_number("seed", seed)
    if not 1 <= whole_number("longest", longest, -(2**63)) < steps:
        raise ValueError(f"longest = {longest}; allowed: from 1 to {steps - 1}, one below the {steps} steps")
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 2 * n)
    lag = random.integers(1, longest + 1, 2 * n)
    first = random.integers(0, steps - lag)
    x = np.zeros((2 * n, steps, 2))
    x[np.arange(2 * n), first, y] = 1.0
    x[np.arange(2 * n), first + lag, 1 - y] = 1.0
    return Task(_floats(x[:n]), torch.as_tensor(y[:n]), _floats(x[n:]), torch.as_tensor(y[n:]))


def _floats(x: np.ndarray) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float32)
