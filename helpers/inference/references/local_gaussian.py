"""The local Gaussian posterior: statistics that are normal and linear in the parameters, from repeated simulations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from helpers.validation import numbers, whole_number

from ..priors import Prior
from .common import Simulator, Spread, check_observation, drawn_inside

__all__ = ["LocalGaussian", "local_gaussian"]


@dataclass(frozen=True)
class LocalGaussian(Spread):
    """The posterior where statistics are normal, of fixed covariance, and linear in the parameters; the prior is flat.

    Attributes
    ----------
    at
        The parameters at which it was measured, (n_parameters,).
    mean, covariance
        Of the posterior, (n_parameters,) and (n_parameters, n_parameters).
    centre, noise
        Mean (n_statistics,) and covariance (n_statistics, n_statistics) of the statistics over repeats at `at`.
    jacobian
        Change of the mean statistics per unit of each parameter, (n_statistics, n_parameters).
    used
        Which statistics are used, (n_statistics,): those that vary.
    misfit
        Squared distance of the observation from the nearest statistics that the model can give, in units of the noise.
    """

    prior: Prior
    x_o: np.ndarray
    at: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    centre: np.ndarray
    noise: np.ndarray
    jacobian: np.ndarray
    used: np.ndarray
    misfit: float

    @property
    def p_misfit(self) -> float:
        """Probability of so large a `misfit` if the model is right (chi-squared)."""
        return float(chi2.sf(self.misfit, max(int(self.used.sum()) - len(self.mean), 1)))

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets inside the prior, (n, n_parameters)."""
        check_observation(self.x_o, x_o)
        n, rng = whole_number("n", n, 1), np.random.default_rng(whole_number("seed", seed))
        return drawn_inside(self.prior, lambda k: rng.multivariate_normal(self.mean, self.covariance, k), n)

    def __str__(self) -> str:
        named = zip(self.prior.names, self.mean, self.sd, strict=True)
        return "local-Gaussian posterior: " + ", ".join(f"{name} {m:.4g} ± {s:.2g}" for name, m, s in named)


def local_gaussian(
    simulate: Simulator,
    prior: Prior,
    theta: np.ndarray,
    x_o: np.ndarray,
    *,
    seed: int,
    step: np.ndarray | None = None,
    repeats: int = 800,
) -> LocalGaussian:
    """Posterior from repeated simulations at and around one parameter set: inverse of the Fisher information.

    Trust it where it is narrower than the steps, and where no simulation is far from the others: near (20, 3) mS/cm² of
    the tutorial's problem one in fifty has part of a sixth spike, and the result is three to five times too wide
    (`synthetic_likelihood` is not).

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Only its bounds are used.
    theta
        Where to simulate, (n_parameters,), near the posterior.
    x_o
        The observed statistics, (n_statistics,).
    seed
        Seed of the simulations.
    step
        Half the distance of the two points that give each derivative, (n_parameters,); by default 1 % of the prior's
        width.
    repeats
        Simulations at each point.

    Raises
    ------
    ValueError
        If a statistic without noise jumps between the points, if the observation has another value of a statistic that
        never changes, and if no statistic responds to a parameter.
    """
    theta, x_o = prior.check(theta), numbers("x_o", x_o, shape=(None,), low=-1e100, high=1e100)
    if theta.ndim != 1:
        raise ValueError(f"theta has shape {theta.shape}; allowed: ({len(prior.names)},), one parameter set")
    seed, repeats = whole_number("seed", seed), whole_number("repeats", repeats, 2)
    step = 0.01 * (prior.upper - prior.lower) if step is None else np.asarray(step, dtype=float)

    def repeat(at: np.ndarray) -> np.ndarray:
        # The same noise at each point: differences between points then scatter far less.
        return np.asarray(simulate(np.tile(at, (repeats, 1)), seed), dtype=float)

    ends = [
        (np.maximum(theta - offset, prior.lower), np.minimum(theta + offset, prior.upper)) for offset in np.diag(step)
    ]
    here = repeat(theta)
    if x_o.shape != here.shape[1:]:
        raise ValueError(f"x_o has shape {x_o.shape}; allowed: {here.shape[1:]}, what the simulator returns")
    changes = [(repeat(up) - repeat(down)).mean(axis=0) / (up - down).sum() for down, up in ends]
    jacobian, noise, centre = np.column_stack(changes), np.atleast_2d(np.cov(here.T)), here.mean(axis=0)

    constant = np.diag(noise) <= 1e-24 * np.maximum(centre**2, 1e-300)
    jumps = constant & (jacobian != 0).any(axis=1)
    if jumps.any():
        raise ValueError(f"statistic {np.argmax(jumps)} has no noise and jumps within a step: choose a smaller step")
    differs = constant & ~np.isclose(x_o, centre)
    if differs.any():
        j = int(np.argmax(differs))
        raise ValueError(f"x_o[{j}] = {x_o[j]:g}, but every simulation at theta = {theta} gives {centre[j]:g}")
    used = ~constant
    weighted = np.linalg.solve(noise[np.ix_(used, used)], np.column_stack([jacobian[used], (x_o - centre)[used]]))
    information, gradient = jacobian[used].T @ weighted[:, :-1], jacobian[used].T @ weighted[:, -1]
    unidentified = np.diag(information) <= 0
    if unidentified.any():
        raise ValueError(f"no statistic responds to {prior.names[np.argmax(unidentified)]}: its posterior is its prior")
    covariance = np.linalg.inv(information)
    shift = covariance @ gradient
    misfit = float((x_o - centre)[used] @ weighted[:, -1] - gradient @ shift)
    return LocalGaussian(prior, x_o, theta, theta + shift, covariance, centre, noise, jacobian, used, max(misfit, 0.0))
