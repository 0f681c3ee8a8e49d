"""The posterior by synthetic likelihood: how probable the observation is, from repeated runs of many parameter sets.

At each of some 200 parameter sets around the posterior the model is run 2,000 times. The share of runs with the
observed counts is the probability of the counts; a mixture of normal distributions, fitted to the other statistics of
these runs, gives the density of the observed ones. So the noise may have any shape, and another one at every place. The
only thing that is smooth is the logarithm of the result, a polynomial over the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from numpy.polynomial.legendre import legvander
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from helpers.validation import number, numbers, whole_number

from ..local_noise import best_mixture, same_counts
from ..priors import Prior
from .common import Coordinates, RoughPosterior, Simulator, Spread, check_observation, drawn_inside

__all__ = ["GridPosterior", "synthetic_likelihood"]

MIN_RUNS = 100  # with the observed counts, for a density
SPREAD = 1.8  # SD of the parameter sets, in SDs of the rough posterior
DEEP = 6.0  # nats of half the log-likelihood below the highest, where a set counts least
MAX_DEPTH = 3.0  # nats below the least probable of the runs
BLOCK = 100_000  # simulations at a time
MAX_MOVED, MAX_STRETCHED = 0.5, 1.25  # SDs, and their ratio, between the rough posterior and the result


@dataclass(frozen=True)
class GridPosterior(Spread):
    """A posterior on a grid of cells.

    Attributes
    ----------
    around
        The coordinates u of the grid.
    u, width
        Centres of the cells, (n_cells, n_parameters), and their width.
    probability
        Probability of each cell, (n_cells,), with sum 1.
    n_simulations
        How many simulations were made.
    at_edge
        Probability in the outermost cells, which should be close to 0.
    """

    prior: Prior
    x_o: np.ndarray
    around: Coordinates
    u: np.ndarray
    width: float
    probability: np.ndarray
    n_simulations: int
    at_edge: float

    @property
    def mean(self) -> np.ndarray:
        """Posterior mean, (n_parameters,)."""
        return self.around.mean + self.around.axes @ (self.probability @ self.u)

    @property
    def covariance(self) -> np.ndarray:
        """Posterior covariance, (n_parameters, n_parameters)."""
        in_u = np.atleast_2d(np.cov(self.u.T, aweights=self.probability, ddof=0))
        axes = self.around.axes
        return axes @ (in_u + self.width**2 / 12 * np.eye(self.u.shape[1])) @ axes.T

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters): a cell by its probability, then uniformly within it."""
        check_observation(self.x_o, x_o)
        n, rng = whole_number("n", n, 1), np.random.default_rng(whole_number("seed", seed))

        def draw(k: int) -> np.ndarray:
            u = self.u[rng.choice(len(self.u), k, p=self.probability)]
            return self.around.theta(u + self.width * rng.uniform(-0.5, 0.5, u.shape))

        return drawn_inside(self.prior, draw, n)

    def __str__(self) -> str:
        named = zip(self.prior.names, self.mean, self.sd, strict=True)
        values = ", ".join(f"{name} {m:.4g} ± {s:.2g}" for name, m, s in named)
        return f"synthetic likelihood on a grid: {values}; {self.n_simulations:,} simulations"


def synthetic_likelihood(
    simulate: Simulator,
    prior: Prior,
    x_o: np.ndarray,
    start: RoughPosterior,
    *,
    seed: int,
    points: int = 200,
    repeats: int = 2000,
    degree: int = 4,
    reach: float = 4.5,
    cells: int = 40_000,
    rounds: int = 5,
) -> GridPosterior:
    """Posterior on a grid, from the scatter of the statistics in repeated runs of parameter sets around it.

    If the result is not where `start` was (by half an SD, or 25 % of an SD), the same is done around the result.

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Prior over at most 3 parameters.
    x_o
        The observed statistics, (n_statistics,). Whole numbers (the spike count) have probabilities, all others
        densities.
    start
        A first estimate of the posterior: of `find_region`, `local_gaussian` or `synthetic_likelihood`.
    seed
        Of everything random.
    points, repeats
        How many parameter sets are run, and how often each.
    degree
        Total degree of the polynomial.
    reach
        Radius of the region, in SDs of the rough posterior.
    cells
        Approximate number of grid cells.
    rounds
        Maximal number of regions.

    Raises
    ------
    ValueError
        For more than 3 parameters, if hardly any simulation has the observed counts, if x_o lies farther off than all
        runs of the most probable parameters, and if region and result do not agree after `rounds`.

    References
    ----------
    Wood 2010, Nature 466:1102. Mixtures for it: Fasiolo et al. 2018, Electron J Stat 12:1544.
    """
    x_o, count = numbers("x_o", x_o, shape=(None,)), len(prior.names)
    seed, reach = whole_number("seed", seed), number("reach", reach, low=1.0, high=100.0)
    degree, rounds = whole_number("degree", degree, 1), whole_number("rounds", rounds, 1)
    repeats = whole_number("repeats", repeats, MIN_RUNS)
    if count > 3:
        raise ValueError(f"{count} parameters make too large a grid; allowed: at most 3")
    cells = whole_number("cells", cells, 4**count)
    points = whole_number("points", points, 2 * _terms(np.zeros((1, count)), degree).shape[1])
    rng, made = np.random.default_rng(seed), 0
    side = round(cells ** (1 / count))
    width = 2 * reach / side
    ticks = (np.arange(side) + 0.5) * width - reach
    grid = np.stack(np.meshgrid(*[ticks] * count, indexing="ij"), -1).reshape(-1, count)
    radius = np.sqrt(np.sum(grid**2, axis=1))
    grid, edge = grid[radius < reach], radius[radius < reach] > 0.95 * reach
    centre, covariance = start.mean, start.covariance
    for attempt in range(rounds):
        around = Coordinates(centre, np.linalg.cholesky(covariance))
        u = _spread_out(points, reach, prior, around, rng)
        log = _log_likelihoods(simulate, around.theta(u), x_o, seed + 1000 * attempt, repeats)
        density = prior.log_prob(torch.as_tensor(around.theta(grid))).double().numpy()
        density += _smooth(u / reach, log, grid / reach, degree)
        probability, made = softmax(density), made + points * repeats
        result = GridPosterior(prior, x_o, around, grid, width, probability, made, float(probability[edge].sum()))
        moved = np.abs(result.mean - centre) / result.sd
        stretched = np.exp(np.abs(np.log(result.sd / np.sqrt(np.diag(covariance)))))
        centre, covariance = result.mean, result.covariance
        if moved.max() < MAX_MOVED and stretched.max() < MAX_STRETCHED and result.at_edge < 0.01:
            return result
    raise ValueError(
        f"no agreement after {rounds} rounds: the last moved by {moved.max():.2g} SD, {result.at_edge:.1e} of the "
        f"probability lies at the edge of its region; start from a point nearer to the posterior"
    )


def _spread_out(
    n: int, reach: float, prior: Prior, around: Coordinates, rng: np.random.Generator
) -> np.ndarray:
    """Coordinates (n, n_parameters) within `reach`, denser in the middle, where the prior is not 0."""

    def draw(k: int) -> np.ndarray:
        u = SPREAD * rng.standard_normal((k, len(prior.names)))
        return u[np.sum(u**2, axis=1) < reach**2]

    return drawn_inside(prior, draw, n, around.theta)


def _log_likelihoods(simulate: Simulator, theta: np.ndarray, x_o: np.ndarray, seed: int, repeats: int) -> np.ndarray:
    """Log-likelihood of `x_o` at each of `theta` (n, n_parameters), (n,); NaN where too few runs have its counts."""
    blocks = np.array_split(theta, max(1, len(theta) * repeats // BLOCK))
    runs = [simulate(np.repeat(one, repeats, axis=0), seed + k) for k, one in enumerate(blocks)]
    x = np.concatenate([np.asarray(one, dtype=float) for one in runs])
    same, counts = same_counts(x, x_o)
    log, depth = np.full(len(theta), np.nan), np.zeros(len(theta))
    with threadpool_limits(1):  # several threads take ten times as long for matrices as small as these
        for k, (rows, alike) in enumerate(zip(np.split(x, len(theta)), np.split(same, len(theta)), strict=True)):
            if alike.sum() >= MIN_RUNS:
                density, depth[k] = _density(rows[alike][:, ~counts], x_o[~counts])
                log[k] = density + np.log(alike.mean())
    if not np.isfinite(log).any():
        raise ValueError(
            f"hardly any of {repeats} runs has the observed {x_o[counts]} in statistics {np.flatnonzero(counts)}, "
            f"whatever the parameters; allowed: at least {MIN_RUNS} of them"
        )
    if (below := depth[np.nanargmax(log)]) > MAX_DEPTH:
        raise ValueError(
            f"x_o lies farther off than all runs of the most probable parameters, by {below:.1f} nats of log-density"
        )
    return log


def _density(noise: np.ndarray, x_o: np.ndarray) -> tuple[float, float]:
    """Log-density of `x_o` (n_statistics,) among `noise` (n, n_statistics), and how far below the least of theirs.

    The mixture is the one with the lowest Bayesian information criterion.
    """
    varies = np.ptp(noise, axis=0) > 0
    if not np.array_equal(noise[0][~varies], x_o[~varies]):
        return -np.inf, 0.0
    noise, x_o = noise[:, varies], x_o[varies]
    if not varies.any():
        return 0.0, 0.0
    centre, scale = np.median(noise, axis=0), np.subtract(*np.percentile(noise, [75, 25], axis=0))
    scale = np.where(scale > 0, scale, noise.std(axis=0))
    z = (noise - centre) / scale
    best = best_mixture(z)
    observed = float(best.score_samples(((x_o - centre) / scale)[None])[0])
    return observed - float(np.log(scale).sum()), float(best.score_samples(z).min()) - observed


def _smooth(u: np.ndarray, log: np.ndarray, at: np.ndarray, degree: int) -> np.ndarray:
    """A polynomial through `log` (n,) at the points `u` (n, n_parameters), at the points `at`; the high ones count."""
    known = np.isfinite(log)
    terms = _terms(u[known], degree)
    if known.sum() < terms.shape[1]:
        raise ValueError(f"the observed counts are too rare at all but {known.sum()} of {len(log)} parameter sets")
    root = np.exp(0.5 * np.maximum(0.5 * (log[known] - log[known].max()), -DEEP))[:, None]
    coefficients = np.linalg.lstsq(root * terms, root[:, 0] * log[known], rcond=None)[0]
    return _terms(at, degree) @ coefficients


def _terms(u: np.ndarray, degree: int) -> np.ndarray:
    """Products of Legendre polynomials of the coordinates (n, n_parameters), up to a total degree: (n, n_terms)."""
    powers = [legvander(column, degree) for column in u.T]
    exponents = [which for which in np.ndindex(*[degree + 1] * u.shape[1]) if sum(which) <= degree]
    return np.column_stack(
        [reduce(np.multiply, (p[:, k] for p, k in zip(powers, which, strict=True))) for which in exponents]
    )
