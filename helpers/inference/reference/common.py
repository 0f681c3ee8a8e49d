"""What reference posteriors share: the type of a simulator, draws inside the prior, which observation is theirs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from helpers.validation import whole_number

from ..priors import Prior

__all__ = ["Simulator"]

Simulator = Callable[[np.ndarray, int], np.ndarray]


def drawn_inside(prior: Prior, draw: Callable[[np.random.Generator, int], np.ndarray], n: int, seed: int) -> np.ndarray:
    """`n` draws that the prior allows."""
    rng, found = np.random.default_rng(whole_number("seed", seed)), []
    n = whole_number("n", n, 1)
    for _ in range(200):
        drawn = draw(rng, n)
        found.append(drawn[torch.isfinite(prior.log_prob(torch.as_tensor(drawn))).numpy()])
        if sum(map(len, found)) >= n:
            return np.concatenate(found)[:n]
    raise ValueError("next to nothing of this posterior lies inside the prior")


def check_observation(made_for: np.ndarray, x_o: np.ndarray) -> None:
    if not np.array_equal(made_for, np.asarray(x_o, dtype=float)):
        raise ValueError(f"this posterior belongs to x_o = {made_for}, not to {np.asarray(x_o)}")
