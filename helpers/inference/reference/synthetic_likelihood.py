"""The posterior by synthetic likelihood on a grid.

Summary statistics scatter around a smooth surface over the parameters, by a mixture of normal distributions that is the
same everywhere in the small region of the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import torch
from numpy.polynomial.legendre import legvander
from scipy.special import softmax
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from helpers.validation import number, numbers, whole_number

from ..priors import Prior
from .common import Simulator, check_observation, drawn_inside
from .local_gaussian import LocalGaussian

__all__ = ["GridPosterior", "synthetic_likelihood"]

N_COMPONENTS = (1, 2, 4, 8)  # tried for the mixture of the noise
MAX_TAIL = 8.0  # noise further off than this, in units of `_tail_limit`, belongs to another class of traces


@dataclass(frozen=True)
class GridPosterior:
    """A posterior on a grid of cells in coordinates u, where theta = centre + axes @ u.

    Attributes
    ----------
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
    centre: np.ndarray
    axes: np.ndarray
    u: np.ndarray
    width: float
    probability: np.ndarray
    n_simulations: int
    at_edge: float

    @property
    def mean(self) -> np.ndarray:
        """Posterior mean, (n_parameters,)."""
        return self.centre + self.axes @ (self.probability @ self.u)

    @property
    def covariance(self) -> np.ndarray:
        """Posterior covariance, (n_parameters, n_parameters)."""
        in_u = np.cov(self.u.T, aweights=self.probability, ddof=0) + self.width**2 / 12 * np.eye(self.u.shape[1])
        return self.axes @ in_u @ self.axes.T

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each parameter, (n_parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self) -> np.ndarray:
        """Correlation of the parameters, (n_parameters, n_parameters)."""
        return self.covariance / np.outer(self.sd, self.sd)

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters): a cell by its probability, then uniformly within it."""
        check_observation(self.x_o, x_o)
        n, rng = whole_number("n", n, 1), np.random.default_rng(whole_number("seed", seed))

        def draw(k: int) -> np.ndarray:
            u = self.u[rng.choice(len(self.u), k, p=self.probability)]
            return _to_theta(self.centre, self.axes, u + self.width * rng.uniform(-0.5, 0.5, u.shape))

        return drawn_inside(self.prior, draw, n)

    def __str__(self) -> str:
        named = zip(self.prior.names, self.mean, self.sd, strict=True)
        values = ", ".join(f"{name} {m:.4g} ± {s:.2g}" for name, m, s in named)
        return f"synthetic likelihood on a grid: {values}; {self.n_simulations:,} simulations"


def synthetic_likelihood(
    simulate: Simulator,
    prior: Prior,
    x_o: np.ndarray,
    start: LocalGaussian,
    *,
    seed: int,
    simulations: int = 20_000,
    degree: int = 5,
    reach: float = 6.0,
    cells: int = 40_000,
    rounds: int = 6,
) -> GridPosterior:
    """Posterior on a grid, from the scatter of the statistics around a smooth surface over the parameters.

    Each round simulates parameter sets within `reach` SDs of a rough posterior (first `start`), fits a polynomial to
    each statistic, and to the residuals a mixture of as many normal distributions as minimise the Bayesian information
    criterion, up to 8. The likelihood on the grid gives the next rough posterior, until both agree: mean within 0.2 SD,
    SDs within 10 %. Integer-valued statistics (the spike count) have no density: the probability of their observed
    values is a logistic regression, and the surfaces are fitted where they have these values. Simulations far off the
    surface (a spike cut off by the end of the stimulus) are treated alike, as a class without the observation.

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Prior over at most 3 parameters.
    x_o
        The observed statistics, (n_statistics,).
    start
        A first estimate of the posterior.
    seed
        Seed of the simulations.
    simulations
        Simulations in each round.
    degree
        Total degree of the polynomials.
    reach
        Half-width of the grid, in SDs of the rough posterior.
    cells
        Approximate number of grid cells.
    rounds
        Maximal number of rounds.

    Raises
    ------
    ValueError
        For more than 3 parameters, if hardly any simulation has the observed integer-valued statistics, if x_o lies far
        off the surface, and if region and result do not agree after `rounds`.

    References
    ----------
    Wood 2010, Nature 466:1102. A surface instead of repeats at each point: Meeds & Welling 2014, UAI.
    """
    x_o, count = numbers("x_o", x_o, shape=(None,)), len(prior.names)
    seed, reach = whole_number("seed", seed), number("reach", reach, low=1.0, high=100.0)
    for name, value, least in (("simulations", simulations, 100), ("degree", degree, 1), ("rounds", rounds, 1)):
        whole_number(name, value, least)
    cells = whole_number("cells", cells, 4**count)
    if count > 3:
        raise ValueError(f"{count} parameters make too large a grid; allowed: at most 3")
    rng = np.random.default_rng(seed)
    centre, covariance, made = start.mean, start.covariance, 0
    side = round(cells ** (1 / count))
    width = 2 * reach / side
    ticks = (np.arange(side) + 0.5) * width - reach
    grid = np.stack(np.meshgrid(*[ticks] * count, indexing="ij"), -1).reshape(-1, count)
    edge = (np.abs(grid) > reach - width).any(axis=1)
    for attempt in range(rounds):
        axes = np.linalg.cholesky(covariance)
        to_theta = partial(_to_theta, centre, axes)
        u = drawn_inside(prior, lambda n: rng.uniform(-reach, reach, (n, count)), simulations, to_theta)
        x = np.asarray(simulate(to_theta(u), seed + attempt), dtype=float)
        density = prior.log_prob(torch.as_tensor(to_theta(grid))).double().numpy()
        inside = np.isfinite(density)
        density[inside] += _log_likelihood(u / reach, x, x_o, grid[inside] / reach, degree)
        probability, made = softmax(density), made + simulations
        result = GridPosterior(prior, x_o, centre, axes, grid, width, probability, made, float(probability[edge].sum()))
        moved = np.abs(result.mean - centre) / result.sd
        stretched = np.abs(np.log(result.sd / np.sqrt(np.diag(covariance))))
        centre, covariance = result.mean, result.covariance
        if moved.max() < 0.2 and stretched.max() < np.log(1.1) and result.at_edge < 1e-4:
            return result
    raise ValueError(
        f"no agreement after {rounds} rounds: the last moved by {moved.max():.2g} SD, {result.at_edge:.1e} of the "
        f"probability lies at the edge of its region; start from a point nearer to the posterior"
    )


def _to_theta(centre: np.ndarray, axes: np.ndarray, u: np.ndarray) -> np.ndarray:
    return centre + u @ axes.T


def _log_likelihood(u: np.ndarray, x: np.ndarray, x_o: np.ndarray, at: np.ndarray, degree: int) -> np.ndarray:
    """Log-probability of `x_o` at the points `at`, (n_points,), learned from simulations `x` at the points `u`."""
    whole = (x == np.round(x)).all(axis=0)
    alike = (x[:, whole] == x_o[whole]).all(axis=1)
    log, terms = np.zeros(len(at)), _terms(u, degree)
    if alike.sum() < 5 * terms.shape[1]:
        raise ValueError(
            f"{alike.sum()} of {len(x)} simulations have the observed {x_o[whole]} in statistics "
            f"{np.flatnonzero(whole)}: too few to fit the others"
        )
    if not whole.all():
        alike, surface, lower = _core(terms, x[:, ~whole], alike)
        z = np.linalg.solve(lower, (x_o[~whole] - _terms(at, degree) @ surface).T).T
        nearest = np.sum(z**2, axis=1).min()
        if nearest > _tail_limit(z.shape[1]):
            raise ValueError(f"x_o lies {np.sqrt(nearest):.1f} SD of the noise from all that simulations give here")
        noise = np.linalg.solve(lower, (x[alike][:, ~whole] - terms[alike] @ surface).T).T
        log += _mixture(noise).score_samples(z)
    if not alike.all():
        regression = LogisticRegression(C=10.0, max_iter=1000).fit(_terms(u, 3)[:, 1:], alike)
        log += regression.predict_log_proba(_terms(at, 3)[:, 1:])[:, 1]
    return log


def _core(terms: np.ndarray, values: np.ndarray, alike: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of the rows `alike` lie around the surface, its coefficients, the Cholesky factor of the noise around it.

    First find the half of the rows nearest to a surface (concentration steps: Rousseeuw & Van Driessen 1999,
    Technometrics 41:212). Then fit the surface to all rows but those so far off that a normal distribution would put
    one in 10,000 there. The noise may have longer tails than normal: rows up to `MAX_TAIL` times that far off count.
    """
    n_statistics, core = values.shape[1], alike

    def fit() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        surface = np.linalg.lstsq(terms[core], values[core], rcond=None)[0]
        residual = values - terms @ surface
        lower = np.linalg.cholesky(residual[core].T @ residual[core] / (core.sum() - terms.shape[1]))
        return surface, lower, np.sum(np.linalg.solve(lower, residual.T) ** 2, axis=0)

    for _ in range(20):
        squared = fit()[2]
        middle = np.median(squared[alike])
        core = alike & (squared <= middle)
    core = alike & (
        squared <= middle / chi2.median(n_statistics) * _tail_limit(n_statistics)
    )  # the half alone looks too narrow
    for _ in range(20):
        surface, lower, squared = fit()
        before, core = core, alike & (squared <= _tail_limit(n_statistics))
        if (core == before).all():
            break
    if core.sum() < 0.5 * alike.sum():
        raise ValueError(f"only {core.sum()} of {alike.sum()} simulations lie around a surface: not normal here")
    return alike & (squared <= MAX_TAIL * _tail_limit(n_statistics)), surface, lower


def _mixture(noise: np.ndarray) -> GaussianMixture:
    """The mixture of normals with the lowest Bayesian information criterion, for `noise` (n, n_statistics)."""
    best, lowest = None, np.inf
    for n_components in N_COMPONENTS:
        mixture = GaussianMixture(n_components, random_state=0, reg_covar=1e-4, max_iter=500).fit(noise)
        if (bic := mixture.bic(noise)) >= lowest:
            break
        best, lowest = mixture, bic
    return best


def _tail_limit(n_statistics: int) -> float:
    """The squared distance, in units of the noise, that a normal distribution exceeds once in 10,000 times."""
    return float(chi2.ppf(1 - 1e-4, n_statistics))


def _terms(u: np.ndarray, degree: int) -> np.ndarray:
    """Products of Legendre polynomials of the coordinates (n, n_parameters), up to a total degree: (n, n_terms)."""
    powers = [legvander(column, degree) for column in u.T]
    exponents = [which for which in np.ndindex(*[degree + 1] * u.shape[1]) if sum(which) <= degree]
    return np.column_stack(
        [reduce(np.multiply, (p[:, k] for p, k in zip(powers, which, strict=True))) for which in exponents]
    )
