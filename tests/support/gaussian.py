"""A problem whose posterior is known in closed form, and posteriors for it that are wrong in a known way.

Two parameters with independent normal priors; each statistic is its parameter plus normal noise. The bounds of the
prior lie 14 SDs and more away, so that cutting it off there does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.inference.marginals import normal
from helpers.inference.priors import prior_of
from helpers.neurons.models import Pospischil

PRIOR = prior_of(Pospischil, {"g_Na": normal(40.0, 2.0, 0.5, 80.0), "g_K": normal(7.0, 0.5, 1e-4, 15.0)})
MEAN, SD, NOISE = np.array([40.0, 7.0]), np.array([2.0, 0.5]), np.array([1.0, 0.25])
POSTERIOR_SD = 1 / np.sqrt(SD**-2 + NOISE**-2)


def simulate(theta: np.ndarray, seed: int) -> np.ndarray:
    return theta + NOISE * np.random.default_rng(seed).standard_normal(theta.shape)


@dataclass(frozen=True)
class Known:
    """The exact posterior with its SD times `width`, and its mean moved by `shift` SDs."""

    width: float = 1.0
    shift: float = 0.0

    def _mean(self, x: np.ndarray) -> np.ndarray:
        return POSTERIOR_SD**2 * (MEAN / SD**2 + x / NOISE**2) + self.shift * POSTERIOR_SD

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        standard = np.random.default_rng(seed).standard_normal((n, 2))
        return self._mean(x_o) + self.width * POSTERIOR_SD * standard

    def log_prob(self, theta: np.ndarray, x_o: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum(((theta - self._mean(x_o)) / (self.width * POSTERIOR_SD)) ** 2, axis=1)


@dataclass(frozen=True)
class Ignorant:
    """The prior, whatever the observation; if `learned`, only of the second parameter."""

    learned: bool = False

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        drawn = PRIOR.draw(n, seed)
        if self.learned:
            drawn[:, 0] = Known().sample(n, x_o, seed + 1)[:, 0]
        return drawn
