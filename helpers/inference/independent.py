"""Several independent observations of one neuron: the posterior given all of them, from a network that knows one.

Given the parameters, sweeps are independent, so the posterior given x_1 ... x_k is proportional to the product of
q(theta | x_i) over p(theta) to the power of k - 1. In the far tails of q, which no network knows, this product may be
anything, even grow without limit; so it counts as 0 where one of the densities is lower than at 99.8 % of its own draws
(the truncation of Deistler, Gonçalves & Macke 2022, NeurIPS), and in the tails of the prior, unless all densities lie
there.

It is drawn from by importance sampling, on the scale where the prior is standard normal. The proposal is a mixture of
what the network gives for each observation alone and of a Student's t distribution that is fitted to the weighted
draws, again and again until enough of them count (adaptive importance sampling: Cappé et al. 2004, J Comput Graph Stat
13:907); while few do, their weights are flattened for the fit.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import chi2, multivariate_t

from .density_estimators import Estimator, repeatable
from .warning_classes import ConflictingObservationsWarning, FewEffectiveDrawsWarning, ObservationConflict

__all__ = ["CombinedPosterior", "combined_posterior", "log_product"]

ALONE = 1000  # draws given each observation alone
TAIL = 0.002  # of them lie where the density given this observation is too low to count
PROPOSALS = 4000  # in a round of importance sampling, half of each part of the mixture
MAX_ROUNDS = 6
MAX_WANTED = 10_000  # effective draws, however many are asked for
MIN_EFFECTIVE = 400  # with fewer effective draws comes a warning,
TOO_FEW = 20  # with fewer than these an error
FREEDOM = 5.0  # degrees of freedom of the t distribution: its tails are heavier than those of a posterior
INFLATION = 1.3  # of its covariance
MAX_Z = 3.5  # beyond lie 5 of 10,000 draws from the prior: networks were hardly trained there
P_CONFLICT = 1e-3  # of all comparisons together


@dataclass(frozen=True)
class CombinedPosterior:
    """Weighted draws from the posterior given several observations.

    Attributes
    ----------
    theta, log_weights
        Draws (n, n_parameters) from the proposals, and logarithms of their importance weights (n,).
    log_evidence
        Logarithm of the integral over the product of densities, which makes it a density.
    effective
        Effective number of draws: (sum of weights)² / sum of squared weights.
    """

    theta: np.ndarray
    log_weights: np.ndarray
    log_evidence: float
    effective: float

    def resample(self, n: int, seed: int) -> np.ndarray:
        """Draw `n` parameter sets (n, n_parameters) in proportion to their weights (systematic resampling)."""
        rng = np.random.default_rng(seed)
        weights = np.exp(self.log_weights - self.log_weights.max())
        ends = np.cumsum(weights) / weights.sum()
        rows = np.searchsorted(ends, (np.arange(n) + rng.random()) / n).clip(max=len(ends) - 1)
        return self.theta[rng.permutation(rows)]


def combined_posterior(network: Estimator, observations: torch.Tensor, n: int, seed: int) -> CombinedPosterior:
    """Draw from the posterior given all `observations` (k, ...), until about `n` draws are effective.

    Emits a `ConflictingObservationsWarning` if an observation contradicts the others, and a `FewEffectiveDrawsWarning`
    if few draws count. Raises ValueError if hardly any does.
    """
    rng = np.random.default_rng(seed)
    with repeatable(seed), torch.no_grad():
        alone = [_draws(network, x, ALONE) for x in observations]
        floors = [float(_log_density(network, z, x).quantile(TAIL)) for z, x in zip(alone, observations, strict=True)]
        lower, upper = _ends(alone)
        normals = [_normal(z.numpy()) for z in alone]
        _check_agreement(normals, network.prior.names)
        centre, scatter = _product(normals)
        z, log_weights = np.empty((0, len(centre))), np.empty(0)
        wanted = min(max(n, MIN_EFFECTIVE), MAX_WANTED)
        for _ in range(MAX_ROUNDS):
            student: Any = multivariate_t(centre, INFLATION * scatter, FREEDOM, seed=rng)
            each = math.ceil(PROPOSALS / 2 / len(observations))
            new = [torch.as_tensor(student.rvs(PROPOSALS // 2).reshape(-1, len(centre)))]
            new += [_draws(network, x, each) for x in observations]
            points = torch.cat(new)
            densities = torch.stack([_log_density(network, points, x) for x in observations], -1).numpy()
            prior = _log_normal(points).numpy()
            proposal = np.logaddexp(
                student.logpdf(points.numpy()).reshape(-1),
                np.logaddexp.reduce(densities, axis=1) - math.log(len(observations)),
            ) - math.log(2)
            found = densities.sum(axis=1) - (len(observations) - 1) * prior - proposal
            counts = (densities >= floors).all(axis=1) & ((points > lower) & (points < upper)).all(-1).numpy()
            z, log_weights = np.vstack([z, points.numpy()]), np.append(log_weights, np.where(counts, found, -np.inf))
            effective = _effective(log_weights)[0]
            if effective >= wanted:
                break
            if effective > 0:
                centre, scatter = _moments(z, _flattened(log_weights, 20 * z.shape[1]))
    if not effective >= TOO_FEW:
        raise ValueError(
            f"x_o: only {effective:.1f} of {len(z):,} draws count in the posterior given all {len(observations)} "
            "observations: no parameters explain all of them. Compare the posteriors given each (sample_each)"
        )
    if effective < min(n, MIN_EFFECTIVE):
        warnings.warn(FewEffectiveDrawsWarning(effective, len(z), n), stacklevel=3)
    log_evidence = float(np.logaddexp.reduce(log_weights)) - math.log(len(log_weights))
    theta = network.prior.from_normal(torch.as_tensor(z)).numpy()
    return CombinedPosterior(theta, log_weights, log_evidence, effective)


def log_product(network: Estimator, theta: torch.Tensor, observations: torch.Tensor) -> np.ndarray:
    """Logarithm of the product of the densities given each observation, over the prior to the power of k - 1.

    At `theta` (n, n_parameters); minus infinity outside the prior. Returns (n,).
    """
    with torch.no_grad():
        each = [network.log_prob(theta[:, None], x[None])[:, 0].double() for x in observations]
        prior = network.prior.log_prob(theta).double()
    total = torch.stack(each).sum(0) - (len(observations) - 1) * prior
    return torch.where(prior.isfinite(), total, -torch.inf).numpy()


def _draws(network: Estimator, x: torch.Tensor, n: int) -> torch.Tensor:
    """Draws (n, n_parameters) given one observation, as standard normal numbers."""
    return network.prior.to_normal(network.sample(torch.Size((n,)), x[None])[:, 0].double())


def _log_density(network: Estimator, z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Log-density (n,) given one observation, of standard normal numbers `z` (n, n_parameters)."""
    theta = network.prior.from_normal(z)
    posterior, prior = network.log_prob(theta[:, None], x[None])[:, 0].double(), network.prior.log_prob(theta).double()
    return torch.where(prior.isfinite(), posterior - prior + _log_normal(z), -torch.inf)


def _log_normal(z: torch.Tensor) -> torch.Tensor:
    """Log-density of standard normal numbers, (n,)."""
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)


def _ends(alone: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ends of the region where networks were trained, wider where all posteriors lie beyond; (n_parameters,) each."""
    low = torch.stack([z.quantile(0.01, dim=0) for z in alone]).amax(0)
    high = torch.stack([z.quantile(0.99, dim=0) for z in alone]).amin(0)
    return low.clamp(max=-MAX_Z), high.clamp(min=MAX_Z)


def _effective(log_weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Effective number of draws, and the weights with sum 1; 0 if none counts."""
    top = log_weights.max()
    if not np.isfinite(top):
        return 0.0, np.full(len(log_weights), 1 / len(log_weights))
    weights = np.exp(log_weights - top)
    weights /= weights.sum()
    return float(1 / (weights**2).sum()), weights


def _flattened(log_weights: np.ndarray, wanted: float) -> np.ndarray:
    """Weights to the highest power up to 1 (halved as often as it takes) at which that many draws are effective."""
    for halvings in range(10):
        effective, weights = _effective(log_weights / 2**halvings)
        if effective >= wanted:
            break
    return weights


def _moments(z: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = weights @ z
    return centre, ((z - centre).T * weights) @ (z - centre) + 1e-12 * np.eye(len(centre))


def _normal(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and precision of draws; in no direction less precise than the prior, which is standard normal."""
    centre, scatter = _moments(z, np.full(len(z), 1 / len(z)))
    values, vectors = np.linalg.eigh(scatter)
    return centre, (vectors / np.clip(values, 1e-12, 1.0)) @ vectors.T


def _product(normals: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior given all observations, if those given each are the `normals`."""
    extra = len(normals) - 1  # so many priors too much
    precision = sum(one for _, one in normals) - extra * np.eye(len(normals[0][0]))
    scatter = np.linalg.inv(precision)
    return scatter @ sum(one @ centre for centre, one in normals), scatter


def _check_agreement(normals: list[tuple[np.ndarray, np.ndarray]], names: tuple[str, ...]) -> None:
    """Compare the posterior given each observation with that given all others, both taken for normal."""
    conflicts = []
    for number, (centre, precision) in enumerate(normals):
        others, scatter = _product([*normals[:number], *normals[number + 1 :]])
        off, both = centre - others, np.linalg.inv(precision) + scatter
        squared = float(off @ np.linalg.solve(both, off))
        p = float(chi2.sf(squared, len(off)))
        if p < P_CONFLICT / len(normals):
            apart = off / np.sqrt(np.diag(both))
            worst = int(np.argmax(np.abs(apart)))
            conflicts.append(ObservationConflict(number, math.sqrt(squared), p, names[worst], float(apart[worst])))
    if conflicts:
        conflicts.sort(key=lambda one: -one.distance)
        warnings.warn(ConflictingObservationsWarning(tuple(conflicts), len(normals)), stacklevel=4)
