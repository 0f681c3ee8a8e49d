"""The prior, truncated to where a posterior has mass: a box, and an ellipsoid in it.

Where two parameters are exchanged for each other, the posterior fills a thin diagonal of its box. The ellipsoid follows
the diagonal, so that several times as many simulations fall where they are needed. In eight dimensions it fills less
than a thousandth of its box; draws are then made in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from .priors import Prior

__all__ = ["Truncated", "truncated_around"]

TAILS = (0.5, 99.5)  # percentiles between which the posterior lies, but for its tails
FARTHEST = 99.9  # percentile of the distances from the mean
WIDENED = 1.3  # the ellipsoid reaches that many times as far
MIN_FILLED = 1e-3  # of the box by the ellipsoid: with less, rejection from the box would take too long
TRIED = 20_000  # draws, to see how much is filled
THIN_GROWTH = 1.4  # of the radius of an ellipsoid in such a box, when it cuts into a posterior
EDGE_WIDTH = 0.02  # of the width of the box
SHELL = 0.95  # of the radius of the ellipsoid; what lies farther out is at its edge
MAX_EDGE_MASS = 0.01  # with more of the posterior than this at an edge, the region was cut too small there


@dataclass(frozen=True)
class Truncated:
    """A prior inside a box, an ellipsoid, and the region of the round before.

    So the simulations of earlier rounds cover all of it evenly, and can be used again.

    Attributes
    ----------
    box
        The prior truncated to the box.
    centre, whitening, radius
        The ellipsoid: the points theta with |whitening @ (theta - centre)| <= radius. All of the box if infinite.
    within
        The region before.
    thin
        Whether the ellipsoid fills so little of the box that draws are made in the ellipsoid, not in the box.
    """

    box: Prior
    centre: np.ndarray
    whitening: np.ndarray
    radius: float = np.inf
    within: Truncated | None = None
    thin: bool = False

    @classmethod
    def whole(cls, prior: Prior) -> Truncated:
        """All of the prior."""
        n = len(prior.names)
        return cls(prior.restricted(prior.lower, prior.upper), np.zeros(n), np.zeros((n, n)))

    def distance(self, theta: np.ndarray) -> np.ndarray:
        """How far `theta` (n, n_parameters) lie from the centre, in SDs of the posterior that they follow, (n,)."""
        return np.sqrt(np.sum(((theta - self.centre) @ self.whitening.T) ** 2, axis=1))

    def contains(self, theta: np.ndarray) -> np.ndarray:
        """Tell which of `theta` (n, n_parameters) lie inside, (n,)."""
        return self.box.contains(theta) & self._in_ellipsoids(theta)

    def covers(self, other: Truncated) -> bool:
        """Whether `other` was cut out of this region."""
        return other is self or (other.within is not None and self.covers(other.within))

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters)."""
        theta, first, rng = np.empty((0, len(self.centre))), 0, np.random.default_rng(seed)
        while len(theta) < n:
            drawn = self._drawn_in_own_ellipsoid(n, rng) if self.thin else self.box.draw(n, seed, first)
            theta, first = np.concatenate([theta, drawn[self._in_ellipsoids(drawn)]]), first + n
        return theta[:n]

    def _drawn_in_own_ellipsoid(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Make `n` draws, uniform in the ellipsoid; keep those in the box, each as often as the prior says."""
        direction = rng.standard_normal((n, len(self.centre)))
        length = self.radius * rng.random(n) ** (1 / len(self.centre))
        offset = direction * (length / np.linalg.norm(direction, axis=1))[:, None]
        theta, level = self.centre + np.linalg.solve(self.whitening, offset.T).T, rng.random(n)
        peak = np.array([marginal.peak for marginal in self.box.marginals])
        log, highest = (self.box.log_prob(torch.as_tensor(one)).double().numpy() for one in (theta, peak))
        return theta[level < np.exp(log - highest)]

    def _in_ellipsoids(self, theta: np.ndarray) -> np.ndarray:
        inside = self.distance(theta) <= self.radius
        return inside if self.within is None else inside & self.within._in_ellipsoids(theta)

    def centred(self, theta: np.ndarray) -> np.ndarray:
        """Parameters (n, n_parameters) as numbers from -1 to 1 in the box."""
        return 2 * (theta - self.box.lower) / (self.box.upper - self.box.lower) - 1

    def edge_mass(self, samples: np.ndarray, prior: Prior) -> np.ndarray:
        """Share of `samples` at the lower and upper edges of the box, (2, n_parameters), where it is too large.

        0 elsewhere, and where the edge is that of the prior.
        """
        position = (self.centred(samples) + 1) / 2
        mass = np.array([(position < EDGE_WIDTH).mean(axis=0), (position > 1 - EDGE_WIDTH).mean(axis=0)])
        inner = np.array([self.box.lower > prior.lower, self.box.upper < prior.upper])
        return np.where(inner & (mass > MAX_EDGE_MASS), mass, 0.0)

    def outer_mass(self, samples: np.ndarray) -> float:
        """Share of `samples` at or beyond the edges of the ellipsoids, where it is too large; else 0."""
        share = float((self.distance(samples) > SHELL * self.radius).mean())
        before = 0.0 if self.within is None else self.within.outer_mass(samples)
        return max(share if share > MAX_EDGE_MASS else 0.0, before)

    def grown(self, samples: np.ndarray, prior: Prior) -> Truncated:
        """The region without cutting into `samples`: where many lie at an edge, a larger box and no ellipsoid.

        A thin ellipsoid grows instead: almost all of its box is empty.
        """
        if self.within is None:
            return self
        within, edges = self.within.grown(samples, prior), self.edge_mass(samples, prior) > 0
        cut = edges.any() or (self.distance(samples) > SHELL * self.radius).mean() > MAX_EDGE_MASS
        if within is self.within and not cut:
            return self
        growth = (self.box.upper - self.box.lower) * edges
        return replace(
            self, box=within.box.restricted(self.box.lower - growth[0], self.box.upper + growth[1]),
            radius=self.radius if not cut else THIN_GROWTH * self.radius if self.thin else np.inf, within=within,
        )  # fmt: skip


def truncated_around(samples: np.ndarray, margin: float, within: Truncated) -> Truncated:
    """Truncate a region to where draws from a posterior, (n, n_parameters), lie.

    The box spans the central 99 % of the draws, and on either side `margin` times that width more; the ellipsoid, in
    which distances are in units of their covariance, reaches 1.3 times as far as 99.9 % of them.
    """
    low, high = np.percentile(samples, TAILS, axis=0)
    box = within.box.restricted(low - margin * (high - low), high + margin * (high - low))
    whitening = np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(samples.T))))
    region = Truncated(box, samples.mean(axis=0), whitening, within=within)
    region = replace(region, radius=WIDENED * float(np.percentile(region.distance(samples), FARTHEST)))
    filled = region._in_ellipsoids(box.draw(TRIED, 0)).mean()
    if filled >= MIN_FILLED:
        return region
    thin = replace(region, thin=True)
    kept = thin._in_ellipsoids(thin._drawn_in_own_ellipsoid(TRIED, np.random.default_rng(0))).sum()
    return thin if kept >= MIN_FILLED * TRIED else replace(region, radius=np.inf)
