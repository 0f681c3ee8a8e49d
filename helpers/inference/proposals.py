"""Where to simulate next, so that importance sampling needs few simulations: mixtures of t distributions.

All of it in the coordinates in which the prior is standard normal. What the simulations so far tell is used in three
ways, since none is best all along. A regression of the residuals says where the posterior should lie, long before
anything was simulated there. The cloud of the weighted simulations cannot be wrong about what was seen. Narrow kernels
around the simulations nearest to the observation keep apart parts of the posterior that a regression would merge.
None of these has to be right: the weights correct what a proposal gets wrong, as long as it reaches far enough out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp
from scipy.stats import chi2
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["Proposal", "Simulated", "next_proposal", "shares_by_success"]

FREEDOM = 5  # degrees of freedom of the t distributions: tails that reach far beyond a normal posterior
SOURCES = ("regression", "cloud", "nearest")
FIRST_SHARES = np.array([0.7, 0.15, 0.15])
MIN_SHARE = 0.1  # of each source: the others go on being tried
N_COMPONENTS = 4  # of the regression's posterior
N_NEAREST = 40
KERNEL = 0.5  # width of the kernels, in units of the SDs of the nearest
WIDENED = 1.2  # times the covariances
WALKERS, STEPS = 400, 120  # of the Markov chains in the regression's posterior
FAR = 10.0  # tolerances; a residual counts less beyond, as in Huber's loss


@dataclass(frozen=True)
class Proposal:
    """A mixture of t distributions.

    Attributes
    ----------
    shares
        Of the components, (n_components,), with sum 1.
    means, axes
        Their means (n_components, d) and Cholesky factors of their scale matrices (n_components, d, d).
    source
        Which of `SOURCES` each component comes from, (n_components,).
    """

    shares: np.ndarray
    means: np.ndarray
    axes: np.ndarray
    source: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `n` points, (n, d): from every component as many as its share says, but for rounding."""
        component = np.searchsorted(np.cumsum(self.shares), (np.arange(n) + rng.random()) / n)
        component = np.minimum(component, len(self.shares) - 1)
        normal = np.einsum("nij,nj->ni", self.axes[component], rng.standard_normal((n, self.means.shape[1])))
        return self.means[component] + normal * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, n))[:, None]

    def log_densities(self, z: np.ndarray) -> np.ndarray:
        """Log-density of each component at `z` (n, d), shares included, (n_components, n)."""
        d = z.shape[1]
        constant = gammaln((FREEDOM + d) / 2) - gammaln(FREEDOM / 2) - d / 2 * np.log(FREEDOM * np.pi)
        found = np.empty((len(self.shares), len(z)))
        for row, share, mean, axes in zip(found, self.shares, self.means, self.axes, strict=True):
            squared = (np.linalg.solve(axes, (z - mean).T) ** 2).sum(axis=0)
            volume = np.log(np.diag(axes)).sum()
            row[:] = np.log(share) + constant - volume - (FREEDOM + d) / 2 * np.log1p(squared / FREEDOM)
        return found

    def log_prob(self, z: np.ndarray) -> np.ndarray:
        """Log-density at `z` (n, d), (n,)."""
        return logsumexp(self.log_densities(z), axis=0)


@dataclass(frozen=True)
class Simulated:
    """Simulations so far: coordinates (n, d), and residuals (x - x_o) / tolerance (n, n_statistics)."""

    z: np.ndarray
    residuals: np.ndarray

    @property
    def bounded(self) -> np.ndarray:
        """Residuals whose squares grow only linearly beyond `FAR` tolerances: one hopeless statistic is not all."""
        size = np.abs(self.residuals)
        return np.sign(self.residuals) * np.where(size <= FAR, size, np.sqrt(2 * FAR * np.maximum(size, FAR) - FAR**2))


def next_proposal(
    simulated: Simulated,
    weights: np.ndarray,
    shares: np.ndarray,
    rng: np.random.Generator,
    *,
    tried: Simulated,
    noise: float,
) -> Proposal:
    """Return where to simulate next.

    Parameters
    ----------
    simulated
        All simulations so far.
    weights
        Theirs, (n,), for the likelihood to a power at which many count.
    shares
        Of the three sources, (3,).
    tried
        More simulations, which are draws of no distribution: a regression learns from them all the same.
    noise
        Variance that the residuals are known up to.
    """
    z = simulated.z
    mean = weights @ z
    cloud = mean[None], _axes((weights[:, None] * (z - mean)).T @ (z - mean))[None] * np.sqrt(WIDENED)
    z, bounded = np.concatenate([z, tried.z]), np.concatenate([simulated.bounded, tried.bounded])
    squared = (bounded**2).sum(axis=1)
    order = np.argsort(squared, kind="stable")
    regression = _from_regression(z, bounded, squared, order, noise, rng)
    nearest = z[order[:N_NEAREST]]
    kernel = KERNEL * _axes(np.atleast_2d(np.cov(nearest.T)))
    kernels = nearest, np.repeat(kernel[None], len(nearest), axis=0)
    parts = regression, (np.ones(1), *cloud), (np.full(len(nearest), 1 / len(nearest)), *kernels)
    source = np.concatenate([np.full(len(part[0]), k) for k, part in enumerate(parts)])
    within, means, axes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Proposal(shares[source] * within, means, axes, source)


def shares_by_success(proposal: Proposal, z: np.ndarray, weights: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the next shares of the sources, (3,): halfway from `before` to the part of each in the weights of a batch.

    `z` (n, d) and `weights` (n,) are those of the batch, which was drawn from `proposal`. No share falls below 10 %.
    Steps of expectation maximisation bring the mixture nearer to the posterior (Cappé et al. 2008, Stat Comput 18:447).
    """
    log = proposal.log_densities(z)
    member = np.exp(log - logsumexp(log, axis=0)) @ (weights / weights.sum())
    success = np.array([member[proposal.source == k].sum() for k in range(len(SOURCES))])
    left = 1 - len(SOURCES) * MIN_SHARE
    return MIN_SHARE + 0.5 * (left * success + before - MIN_SHARE)


def _axes(covariance: np.ndarray) -> np.ndarray:
    """Cholesky factor, also where few points span no volume."""
    return np.linalg.cholesky(covariance + (1e-3 * np.diag(np.diag(covariance)) + 1e-10 * np.eye(len(covariance))))


def _terms(y: np.ndarray, quadratic: bool) -> np.ndarray:
    """Constant, coordinates and, if `quadratic`, their products, (n, n_terms)."""
    first, second = np.triu_indices(y.shape[1])
    parts = [np.ones((len(y), 1)), y] + ([y[:, first] * y[:, second]] if quadratic else [])
    return np.concatenate(parts, axis=1)


class _Regression:
    """Residuals as a linear or quadratic function of the coordinates, from the simulations nearest by residuals.

    The scatter around it, of noise and of what the function misses, adds to the tolerance.
    """

    def __init__(self, z: np.ndarray, residuals: np.ndarray, squared: np.ndarray, noise: float) -> None:
        n, d = z.shape
        self.mean, self.axes = z.mean(axis=0), _axes(np.cov(z.T).reshape(d, d))
        y = self.white(z)
        self.radius = np.quantile((y**2).sum(axis=1), 0.98)
        self.quadratic = n >= 2 * (1 + d + d * (d + 1) // 2)
        terms = _terms(y, self.quadratic)
        weights = 1 / (1 + squared / (1 + np.quantile(squared, 1 / 3)))  # the nearer, the more they count
        weighted = terms * weights[:, None]
        ridge = weights.sum() * np.r_[0.0, np.full(d, 2e-4), np.full(terms.shape[1] - 1 - d, 2e-3)]
        inverse = np.linalg.inv(weighted.T @ terms + np.diag(ridge))
        self.slopes = inverse @ (weighted.T @ residuals)
        leverage = np.minimum(np.einsum("ij,jk,ik->i", weighted, inverse, terms), 0.9)
        left_out = (residuals - terms @ self.slopes) / (1 - leverage)[:, None]
        self.variance = noise + (weights @ left_out**2) / weights.sum()

    def white(self, z: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.axes, (z - self.mean).T).T

    def log_posterior(self, z: np.ndarray) -> np.ndarray:
        """Up to a constant, (n,); it falls off beyond the simulations that it was fitted to."""
        y = self.white(z)
        misfit = ((_terms(y, self.quadratic) @ self.slopes) ** 2 / self.variance).sum(axis=1)
        outside = np.maximum((y**2).sum(axis=1) - self.radius, 0.0)
        return -0.5 * ((z**2).sum(axis=1) + misfit + outside)


def _from_regression(
    z: np.ndarray,
    bounded: np.ndarray,
    squared: np.ndarray,
    order: np.ndarray,
    noise: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares, means and axes of a mixture that follows the posterior of the regression."""
    d = z.shape[1]
    least = round(2.5 * (1 + d + d * (d + 1) / 2))
    near = int((squared < squared[order[0]] + 2 * chi2.ppf(0.99, d)).sum())
    used = order[: min(max(near, least), 4000)]
    model = _Regression(z[used], bounded[used], squared[used], noise)
    walkers = _walk(model, z[rng.choice(used, WALKERS)], rng)
    centre, spread = walkers.mean(axis=0), walkers.std(axis=0) + 1e-9
    mixture = GaussianMixture(
        N_COMPONENTS, reg_covar=1e-4, max_iter=50, init_params="random_from_data", random_state=int(rng.integers(2**31))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it need not be the best mixture
        mixture.fit((walkers - centre) / spread)
    axes = np.linalg.cholesky(WIDENED * mixture.covariances_) * spread[:, None]
    return mixture.weights_, centre + spread * mixture.means_, axes


def _walk(model: _Regression, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Markov chains from `z` (n, d), each of which moves along differences of others (ter Braak 2006)."""
    n, d = z.shape
    z, log = z.copy(), model.log_posterior(z)
    for step in range(STEPS):
        for own, others in ((slice(0, n // 2), z[n // 2 :]), (slice(n // 2, n), z[: n // 2])):
            count = len(z[own])
            pair = others[rng.integers(len(others), size=(2, count))]
            length = np.full((count, 1), 1.0) if step % 5 == 0 else rng.choice([0.3, 1.0], (count, 1)) * 1.68 / d**0.5
            moved = z[own] + length * (pair[0] - pair[1])
            after = model.log_posterior(moved)
            taken = np.log(rng.random(count)) < after - log[own]
            z[own] = np.where(taken[:, None], moved, z[own])
            log[own] = np.where(taken, after, log[own])
    return z
