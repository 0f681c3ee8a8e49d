"""What reference posteriors share: the type of a simulator, coordinates, draws inside the prior, their observation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..priors import Prior

__all__ = ["Simulator"]

Simulator = Callable[[np.ndarray, int], np.ndarray]


class RoughPosterior(Protocol):
    """What a likelihood is computed around: a mean (n_parameters,) and a covariance."""

    @property
    def mean(self) -> np.ndarray: ...

    @property
    def covariance(self) -> np.ndarray: ...


class Spread:
    """SDs and correlations of a posterior that has a covariance."""

    @property
    def sd(self: RoughPosterior) -> np.ndarray:
        """Standard deviation of each parameter, (n_parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self: RoughPosterior) -> np.ndarray:
        """Correlation of the parameters, (n_parameters, n_parameters)."""
        covariance = self.covariance
        sd = np.sqrt(np.diag(covariance))
        return covariance / np.outer(sd, sd)


@dataclass(frozen=True)
class Coordinates:
    """Coordinates u of about mean 0 and SD 1 over a posterior, where theta = mean + axes @ u.

    Attributes
    ----------
    mean
        Of the parameters, (n_parameters,).
    axes
        Cholesky factor of their covariance, (n_parameters, n_parameters).
    """

    mean: np.ndarray
    axes: np.ndarray

    def theta(self, u: np.ndarray) -> np.ndarray:
        """Parameters (n, n_parameters) at coordinates `u` (n, n_parameters)."""
        return self.mean + u @ self.axes.T


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
