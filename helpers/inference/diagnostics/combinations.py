"""Which combinations of parameters are known well, and which are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from helpers.validation import numbers, whole_number

from ..priors import Prior

__all__ = ["Combinations", "parameter_combinations"]

PRIOR_DRAWS = 20_000
MIN_SHARE = 0.1  # of a combination's squared weights; a parameter with less is left out of the words


@dataclass(frozen=True)
class Combinations:
    """Combinations of parameters, from the best known to the least known.

    Attributes
    ----------
    weights
        Of each combination (n_parameters, n_parameters), a row each, in units of 1 / prior SD: the combination is
        weights[k] @ (theta / prior_sd). The squares of a row sum up to 1.
    remaining
        SD of each combination in the posterior over its SD in the prior, (n_parameters,), ascending.
    prior_sd
        SD of each parameter in the prior, (n_parameters,).
    """

    prior: Prior
    weights: np.ndarray
    remaining: np.ndarray
    prior_sd: np.ndarray

    def evaluate(self, theta: np.ndarray) -> np.ndarray:
        """Return the combinations (..., n_parameters) of parameters `theta` (..., n_parameters)."""
        return (np.asarray(theta, dtype=float) / self.prior_sd) @ self.weights.T

    def in_words(self, number: int) -> str:
        """Name the parameters that matter in a combination, with their weights, e.g. "+0.80 g_Na -0.60 g_K"."""
        row = self.weights[whole_number("number", number, 0, len(self.weights) - 1)]
        order = [k for k in np.argsort(-np.abs(row)) if row[k] ** 2 >= MIN_SHARE]
        return " ".join(f"{row[k]:+.2f} {self.prior.names[k]}" for k in order)

    def __str__(self) -> str:
        rows = [f"{share:9.3g}  {self.in_words(number)}" for number, share in enumerate(self.remaining)]
        return "\n".join(["remaining  combination (each parameter in units of its prior SD)", *rows])


def parameter_combinations(prior: Prior, draws: np.ndarray) -> Combinations:
    """Find the combinations of parameters that a posterior knows best and least.

    They are the eigenvectors of the posterior's covariance relative to that of the prior, with every parameter in units
    of its prior SD. Where two parameters are exchanged for each other, each alone keeps much of its SD, while one
    combination of the two is known well.

    Parameters
    ----------
    prior
        What the posterior is compared with.
    draws
        Of the posterior at one observation, (n, n_parameters), at least twice as many as there are parameters.

    Raises
    ------
    ValueError
        For draws that do not fit the prior, are not finite, or are too few.

    References
    ----------
    Gutenkunst et al. 2007, PLoS Comput Biol 3:e189, who call the least known combinations sloppy.
    """
    count = len(prior.names)
    draws = numbers("draws", draws, shape=(None, count))
    if len(draws) < 2 * count:
        raise ValueError(f"{len(draws)} draws of {count} parameters are too few; allowed: at least {2 * count}")
    before = prior.draw(PRIOR_DRAWS, seed=0)
    prior_sd = before.std(axis=0)
    posterior_covariance, prior_covariance = (np.atleast_2d(np.cov((one / prior_sd).T)) for one in (draws, before))
    ratios, vectors = eigh(posterior_covariance, prior_covariance)
    weights = (vectors / np.linalg.norm(vectors, axis=0)).T
    weights *= np.sign(weights[np.arange(count), np.abs(weights).argmax(axis=1)])[:, None]  # the largest is positive
    return Combinations(prior, weights, np.sqrt(np.maximum(ratios, 0.0)), prior_sd)
