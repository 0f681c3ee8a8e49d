"""Rejection ABC: the simulations nearest to the observation, corrected by a local regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from helpers.validation import plain, whole_number

from ..priors import Prior
from .common import check_observation

__all__ = ["AbcPosterior", "rejection_abc"]


@dataclass(frozen=True)
class AbcPosterior:
    """Weighted parameter sets that rejection ABC accepted.

    Attributes
    ----------
    theta
        Accepted parameter sets, (n_accepted, n_parameters), adjusted if `adjusted`.
    weights
        Their weights, (n_accepted,), with sum 1.
    tolerance
        Distance of the farthest accepted simulation, each statistic in units of its scatter over the prior.
    n_simulations
        How many simulations were made.
    """

    prior: Prior
    x_o: np.ndarray
    theta: np.ndarray
    weights: np.ndarray
    tolerance: float
    n_simulations: int
    adjusted: bool

    @property
    def effective(self) -> float:
        """Effective sample size: how many equally weighted samples would be as good."""
        return float(1.0 / np.sum(self.weights**2))

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets with replacement, (n, n_parameters)."""
        check_observation(self.x_o, x_o)
        return self.theta[np.random.default_rng(seed).choice(len(self.theta), n, p=self.weights)]

    def __str__(self) -> str:
        how = "adjusted by regression" if self.adjusted else "not adjusted"
        return (
            f"rejection ABC: {len(self.theta):,} of {self.n_simulations:,} simulations accepted, within "
            f"{self.tolerance:.3g} SD of the observation, {how}; worth {self.effective:,.0f} samples"
        )


def rejection_abc(
    prior: Prior, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray, *, accept: int = 200, adjust: bool = True
) -> AbcPosterior:
    """Keep the simulations nearest to the observation, and correct them by a local linear regression.

    Parameters
    ----------
    prior
        The prior of the simulations.
    theta, x
        Parameters (n, n_parameters) and statistics (n, n_statistics) of simulations from the prior.
    x_o
        The observed statistics, (n_statistics,).
    accept
        How many simulations are kept. Each statistic counts in units of its median absolute deviation.
    adjust
        Whether to weight by the Epanechnikov kernel and to shift each accepted set along the regression of parameters
        on statistics, on the scale on which the prior is standard normal, so that nothing leaves it.

    Raises
    ------
    ValueError
        For shapes that do not fit, values that are not finite, and fewer than `accept` simulations.

    References
    ----------
    Beaumont, Zhang & Balding 2002, Genetics 162:2025, eq. 2-7.
    """
    given = {"theta": theta, "x": x, "x_o": x_o}
    theta, x, x_o = (np.array(plain(name, values, "numbers")) for name, values in given.items())
    accept = whole_number("accept", accept, 1)
    if theta.ndim != 2 or x.ndim != 2 or len(theta) != len(x) or x_o.shape != x.shape[1:]:
        raise ValueError(
            f"theta {theta.shape}, x {x.shape} and x_o {x_o.shape} do not fit together; allowed: "
            f"(n, {len(prior.names)}), (n, n_statistics), (n_statistics,)"
        )
    for name, values in (("x", x), ("x_o", x_o)):
        if not (np.abs(values) <= 1e100).all():  # the square of a larger one overflows
            raise ValueError(f"{name} holds values that are not finite or exceed 1e100: leave such simulations out")
    theta = prior.check(theta)
    fewest = 2 * (x.shape[1] + 1)
    if not fewest <= accept <= len(theta):
        raise ValueError(
            f"accept = {accept} of {len(theta)} simulations; allowed: from {fewest} (twice the coefficients of the "
            f"regression) to all of them"
        )
    scatter = np.median(np.abs(x - np.median(x, axis=0)), axis=0)
    scatter = np.where(scatter > 0, 1.4826 * scatter, x.std(axis=0))
    away = (x - x_o) / np.where(scatter > 0, scatter, 1.0)
    distance = np.sqrt(np.mean(away**2, axis=1))
    nearest = np.argsort(distance, kind="stable")[:accept]
    kept, tolerance, weights = theta[nearest], float(distance[nearest[-1]]), np.full(accept, 1.0 / accept)
    if adjust:
        kernel = 1.0 - (distance[nearest] / tolerance) ** 2 if tolerance > 0 else np.ones(accept)
        kernel = np.maximum(kernel, 1e-12)
        design, root = np.column_stack([np.ones(accept), away[nearest]]), np.sqrt(kernel)[:, None]
        z = prior.to_normal(torch.as_tensor(kept)).numpy()
        slope = np.linalg.lstsq(root * design, root * z, rcond=None)[0][1:]
        kept = prior.from_normal(torch.as_tensor(z - away[nearest] @ slope)).numpy()
        weights = kernel / kernel.sum()
    return AbcPosterior(prior, x_o, kept, weights, tolerance, len(theta), adjust)
