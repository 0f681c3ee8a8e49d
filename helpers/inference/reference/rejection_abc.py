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
    """What rejection ABC accepted: weighted parameter sets.

    theta: (n_accepted, n_parameters), adjusted if `adjusted`. weights: (n_accepted,), sum 1. tolerance: distance of the
    farthest accepted simulation, each statistic in units of its scatter over the prior. n_simulations: how many were
    made.
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
        """As many equally weighted samples would be as good."""
        return float(1.0 / np.sum(self.weights**2))

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws with replacement, (n, n_parameters)."""
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
    """Keep the `accept` simulations nearest to the observation, and correct for their being near rather than there.

    theta (n, n_parameters), x (n, n_features): simulations from the prior; x_o (n_features,).
    Statistics are scaled by their median absolute deviation (SD where that is 0). adjust: weigh by the Epanechnikov
    kernel and shift each accepted set along a linear regression of parameters on statistics, made on the scale on which
    the prior is standard normal, so that nothing leaves it.
    Source: Beaumont, Zhang & Balding 2002, Genetics 162:2025, eq. 2-7.
    Raises ValueError where shapes do not fit, values are not finite, or fewer than `accept` simulations are given.
    """
    given = {"theta": theta, "x": x, "x_o": x_o}
    theta, x, x_o = (np.array(plain(name, values, "numbers")) for name, values in given.items())
    accept = whole_number("accept", accept, 1)
    _check_simulations(prior, theta, x, x_o)
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


def _check_simulations(prior: Prior, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray) -> None:
    if theta.ndim != 2 or x.ndim != 2 or theta.shape != (len(x), len(prior.names)) or x_o.shape != x.shape[1:]:
        raise ValueError(
            f"theta {theta.shape}, x {x.shape} and x_o {x_o.shape} do not fit together; allowed: "
            f"(n, {len(prior.names)}), (n, n_features), (n_features,)"
        )
    for name, values in (("theta", theta), ("x", x), ("x_o", x_o)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite: mend them or leave such simulations out")
        if values.size and np.abs(values).max() > 1e100:
            raise ValueError(f"{name} holds values beyond 1e100: their square overflows")
    prior.check(theta)
