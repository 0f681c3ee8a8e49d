"""Where the posterior lies, roughly, by rejection ABC in smaller and smaller regions: what references start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.validation import numbers, whole_number

from ..local_noise import noise_units, quadratic_terms, same_counts, smallest
from ..priors import Prior
from .common import Coordinates, Simulator, drawn_inside

__all__ = ["Region", "find_region"]

REACH = 6.0  # half-width of the next region, in SDs of the rough posterior
SETTLED = 0.8  # the SDs shrank to no less than this
N_TRIED = 12  # regions


@dataclass(frozen=True)
class Region(Coordinates):
    """A rough posterior, with coordinates over it.

    Attributes
    ----------
    n_simulations
        How many simulations it took.
    """

    prior: Prior
    n_simulations: int

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the parameters, (n_parameters, n_parameters)."""
        return self.axes @ self.axes.T

    def draw(self, n: int, reach: float, rng: np.random.Generator) -> np.ndarray:
        """Draw `n` coordinates (n, n_parameters), uniform between -reach and reach where the prior is not 0."""
        return drawn_inside(self.prior, lambda k: rng.uniform(-reach, reach, (k, len(self.mean))), n, self.theta)


def find_region(
    simulate: Simulator, prior: Prior, x_o: np.ndarray, *, seed: int, simulations: int = 20_000, accept: int = 300
) -> Region:
    """Find where the posterior lies by rejection ABC, first in the prior, then around what the last round accepted.

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Where to look.
    x_o
        The observed statistics, (n_statistics,).
    seed
        Of everything random.
    simulations, accept
        Of each round, and how many of them are accepted.

    Raises
    ------
    ValueError
        If the region does not settle in 12 rounds.
    """
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    accept = whole_number("accept", accept, 50)
    simulations = whole_number("simulations", simulations, 4 * accept)
    rng, made = np.random.default_rng(seed), simulations
    theta = prior.draw(simulations, seed)
    x = np.asarray(simulate(theta, seed + 1), dtype=float)
    region = _around(prior, *nearest(theta, x, x_o, accept, quadratic=False)[:2], made)
    for number in range(N_TRIED):
        u = region.draw(simulations, REACH, rng)
        x, made = np.asarray(simulate(region.theta(u), seed + 2 + number), dtype=float), made + simulations
        found, weights, _ = nearest(u, x, x_o, accept, quadratic=False)
        before, region = region, _around(prior, region.theta(found), weights, made)
        if (np.diag(region.covariance) > SETTLED**2 * np.diag(before.covariance)).all():
            return region
    raise ValueError(f"the region of the posterior at x_o = {x_o} is still shrinking after {N_TRIED} rounds")


def nearest(
    points: np.ndarray, x: np.ndarray, x_o: np.ndarray, accept: int, *, quadratic: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """The simulations nearest to `x_o`, shifted by a regression to where they would be if they had given it.

    Only those with the observed counts, if there are twice as many as are accepted. Distances are in units of the
    scatter around a surface, by the kernel of Epanechnikov. A regression follows the accepted ones a little too well;
    their scatter is corrected for its number of coefficients.

    Returns the shifted points (accept, n_parameters), their weights, and the distance of the farthest.
    """
    same, _ = same_counts(x, x_o)
    if same.sum() >= 2 * accept:
        points, x = points[same], x[same]
    away = noise_units(points, x, x_o, accept)
    distance = np.sqrt(np.sum(away**2, axis=1))
    near = smallest(distance, accept)
    farthest = float(distance[near].max())
    weights = np.maximum(1 - (distance[near] / farthest) ** 2, 1e-9) if farthest > 0 else np.ones(accept)
    weights /= weights.sum()
    terms = quadratic_terms(away[near]) if quadratic else np.column_stack([np.ones(accept), away[near]])
    root = np.sqrt(weights)[:, None]
    coefficients = np.linalg.lstsq(root * terms, root * points[near], rcond=None)[0]
    effective = 1 / np.sum(weights**2)
    widened = np.sqrt(effective / max(effective - terms.shape[1], 1))
    return coefficients[0] + widened * (points[near] - terms @ coefficients), weights, farthest


def _around(prior: Prior, theta: np.ndarray, weights: np.ndarray, made: int) -> Region:
    mean = np.clip(np.average(theta, axis=0, weights=weights), prior.lower, prior.upper)
    axes = np.linalg.cholesky(np.atleast_2d(np.cov(theta.T, aweights=weights)))
    return Region(mean, axes, prior, made)
