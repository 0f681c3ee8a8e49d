"""How statistics scatter around a quadratic surface over the parameters, in a region where that is all they do."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2
from sklearn.mixture import GaussianMixture

__all__ = [
    "best_mixture",
    "noise_units",
    "p_misfit",
    "quadratic_terms",
    "same_counts",
    "scatter_around_surface",
    "smallest",
]

N_COMPONENTS = (1, 2, 4, 8)  # tried for a mixture
MIN_P = 0.002  # of `p_misfit`: below it, no parameters give statistics like x_o
TRIMMED = 0.99  # of normal noise is kept; what lies further off (a spike cut off by the end of the step) is left out


def quadratic_terms(a: np.ndarray) -> np.ndarray:
    """1, each column of `a` (n, k), and their products of two: (n, n_terms)."""
    i, j = np.triu_indices(a.shape[1])
    return np.column_stack([np.ones(len(a)), a, a[:, i] * a[:, j]])


def scatter_around_surface(points: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a quadratic surface to statistics, without those far off it.

    Parameters
    ----------
    points
        Parameters, centred and of the order of 1, (n, n_parameters).
    x
        Statistics that vary, (n, n_statistics).

    Returns
    -------
    tuple
        The surface at `points`, (n, n_statistics), and the covariance of the statistics around it.
    """
    terms, core, n_statistics = quadratic_terms(points), np.ones(len(x), bool), x.shape[1]
    least = 1e-12 * np.diag(x.var(axis=0))  # where two statistics say the same
    for _ in range(5):
        surface = terms @ np.linalg.lstsq(terms[core], x[core], rcond=None)[0]
        covariance = np.atleast_2d(np.cov((x - surface)[core].T)) + least
        squared = np.sum(np.linalg.solve(np.linalg.cholesky(covariance), (x - surface).T) ** 2, axis=0)
        core = squared <= chi2.ppf(TRIMMED, n_statistics) * np.median(squared) / chi2.median(n_statistics)
    return surface, covariance


def same_counts(x: np.ndarray, x_o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell which simulations `x` have the observed counts, (n,), and which statistics are counts, (n_statistics,).

    Counts are whole numbers in every simulation and in the observation. Simulations with the observed counts follow the
    posterior given the others: leaving out all the rest loses nothing but simulations, and no network has to learn how
    statistics jump from one count to the next.
    """
    counts = (x == np.round(x)).all(axis=0) & (x_o == np.round(x_o))
    return (x[:, counts] == x_o[counts]).all(axis=1), counts


def best_mixture(points: np.ndarray) -> GaussianMixture:
    """The mixture of normals through `points` (n, k) with the lowest Bayesian information criterion."""
    best, lowest = GaussianMixture(), np.inf
    for n_components in N_COMPONENTS:
        mixture = GaussianMixture(n_components, random_state=0, reg_covar=1e-4, max_iter=200).fit(points)
        if (bic := mixture.bic(points)) >= lowest:
            break
        best, lowest = mixture, bic
    return best


def noise_units(points: np.ndarray, x: np.ndarray, x_o: np.ndarray, wanted: int) -> np.ndarray:
    """Differences of statistics from `x_o`, in units of their noise near it and without its correlations.

    The noise is the scatter around a surface over the nearest quarter of the simulations, at least `wanted`.

    Parameters
    ----------
    points
        Parameters, (n, n_parameters).
    x
        Statistics, (n, n_statistics).

    Returns
    -------
    ndarray
        (n, n_varying), of the statistics that vary.
    """
    away = (x - x_o)[:, np.ptp(x, axis=0) > 0]
    scale = np.median(np.abs(away - np.median(away, axis=0)), axis=0)
    away /= np.where(scale > 0, scale, away.std(axis=0))
    for _ in range(2):
        near = smallest(np.sum(away**2, axis=1), max(wanted, len(away) // 4))
        centred = (points[near] - points[near].mean(axis=0)) / points[near].std(axis=0)
        _, covariance = scatter_around_surface(centred, away[near])
        away = np.linalg.solve(np.linalg.cholesky(covariance), away.T).T
    return away


def smallest(values: np.ndarray, n: int) -> np.ndarray:
    """Numbers of the `n` smallest of `values`."""
    return np.argpartition(values, n - 1)[:n]


def p_misfit(points: np.ndarray, x: np.ndarray, x_o: np.ndarray) -> float:
    """Share of the simulations that lie as far from what their parameters give on average as x_o does from the nearest.

    The average is a surface over the parameters `points` (n, n_parameters), centred and of the order of 1; distances
    are in units of the noise.
    """
    varies = np.ptp(x, axis=0) > 0
    if not varies.any() or not np.array_equal(x[0, ~varies], x_o[~varies]):
        return 0.0
    surface, covariance = scatter_around_surface(points, x[:, varies])
    lower = np.linalg.cholesky(covariance)
    both = x[:, varies], x_o[varies]
    off, observed = (np.sum(np.linalg.solve(lower, (values - surface).T) ** 2, axis=0) for values in both)
    return float(np.mean(off >= observed.min()))
