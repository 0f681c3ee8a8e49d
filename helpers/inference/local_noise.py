"""How statistics scatter around a quadratic surface over the parameters, in a region where that is all they do."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2
from sklearn.mixture import GaussianMixture

__all__ = ["best_mixture", "quadratic_terms", "same_counts", "scatter_around_surface"]

N_COMPONENTS = (1, 2, 4, 8)  # tried for a mixture
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
