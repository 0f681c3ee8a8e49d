"""What reference posteriors share: the type of a simulator, draws inside the prior, which observation is theirs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..priors import Prior

__all__ = ["Simulator"]

Simulator = Callable[[np.ndarray, int], np.ndarray]


def drawn_inside(
    prior: Prior, draw: Callable[[int], np.ndarray], n: int, theta: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> np.ndarray:
    """Call `draw` for (n, n_parameters) points until `n` have parameters `theta(points)` that the prior allows."""
    found: list[np.ndarray] = []
    for _ in range(200):
        points = draw(n)
        found.append(points[prior.contains(theta(points))])
        if sum(map(len, found)) >= n:
            return np.concatenate(found)[:n]
    raise ValueError("hardly any of this region lies inside the prior")


def check_observation(made_for: np.ndarray, x_o: np.ndarray) -> None:
    """Refuse another observation than the one that a posterior was made for."""
    if not np.array_equal(made_for, np.asarray(x_o, dtype=float)):
        raise ValueError(f"this posterior belongs to x_o = {made_for}, not to {np.asarray(x_o)}")
