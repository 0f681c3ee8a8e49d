"""Sharpen the answer of an amortised network at one observation: a few thousand simulations, and no new network.

A network for every neuron is wider at any one of them than the posterior, but it says where to look. There, over a
region as small as the posterior, statistics are a quadratic surface over the parameters, and noise around it. Both are
fitted to simulations: the noise as a mixture of normals in noise and parameters together; given the parameters, that is
a mixture whose clouds have their own sizes, slopes and shares (a last spike that is cut off or not). This is the
likelihood. It does not matter where simulations for a likelihood are drawn, so each step draws around the posterior of
the step before, and all of them count.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import solve_triangular
from scipy.special import log_expit, logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from helpers.validation import instance, numbers, whole_number

from .local_noise import MIN_P, best_mixture, quadratic_terms, same_counts, scatter_around_surface
from .posterior import Posterior
from .priors import Prior
from .references.common import Coordinates, check_observation, drawn_inside
from .simulator import NeuronSimulator
from .warning_classes import ExtrapolationWarning, InferenceWarning

__all__ = ["Sharpened", "SharpeningStep", "sharpened"]

N_DRAWS = 4000  # of a posterior, to place the next simulations
FIRST_WIDTH, LAST_WIDTH = 2.0, 1.5  # of the simulations, and of the draws that are weighted, in SDs of the posterior
REACH = 5.0  # SDs of the posterior before: simulations farther off are left out
MAX_MOVED, MAX_STRETCHED = 0.7, 1.4  # SDs, and their ratio, from one step to the next, before the last one is made
LAST_SLACK = 2.0  # times that, so that the last step, which is larger, does not end unsettled by chance
BLOCK = 20_000  # draws that are weighted at a time
MIN_ACCEPTED = 50  # of them, from one narrow peak
MAX_NARROWED = 8  # times that a normal distribution is narrowed to a fifth or so, to find the peak of a likelihood
MIN_EFFECTIVE = 1000  # of them, for a mean and a covariance
MIN_SHARE = 0.1  # of simulations with the observed counts; with fewer a fit sees all
MAX_BEND = 0.5  # SDs of the noise by which a cubic surface may differ


@dataclass(frozen=True)
class SharpeningStep:
    """What a step started from: the mean and SD of the parameters (n_parameters,), and its simulations."""

    mean: np.ndarray
    sd: np.ndarray
    n_simulations: int


@dataclass(frozen=True)
class Sharpened:
    """The posterior at one observation, from a likelihood fitted around it.

    Attributes
    ----------
    prior, x_o
        The prior, and the observation, (n_statistics,).
    steps
        What each step started from; the first from the amortised answer.
    settled
        Whether the last step ended where it started: within 1.4 SDs, and SDs within a factor of 2.
    """

    prior: Prior
    x_o: np.ndarray
    steps: tuple[SharpeningStep, ...]
    settled: bool
    fit: _Likelihood

    @property
    def n_simulations(self) -> int:
        """Simulations in all steps together."""
        return sum(step.n_simulations for step in self.steps)

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters). Raises ValueError for another observation than its own."""
        check_observation(self.x_o, x_o)
        return self.fit.draw(self.prior, whole_number("n", n, 1), whole_number("seed", seed))


def sharpened(
    posterior: Posterior,
    simulate: Callable[[np.ndarray, int], np.ndarray],
    x_o: np.ndarray,
    seed: int,
    *,
    budget: int = 3000,
    n_step: int = 400,
) -> Sharpened:
    """Sharpen the answer of an amortised posterior at `x_o`, where the data determine every parameter.

    Steps of `n_step` simulations follow the posterior until it stays where it is; the last step makes the rest.

    Emits an `ExtrapolationWarning` if no parameters give statistics like x_o, and an `InferenceWarning` if the
    posterior has not settled, or is so wide that a quadratic surface does not describe the statistics: then use
    `truncated_rounds`, which assumes less.

    Parameters
    ----------
    posterior
        Trained on such simulations. Where it is too narrow or in the wrong place, the steps move away from it.
    simulate
        A `NeuronSimulator`, or any function of parameters (n, n_parameters) and a seed that returns statistics (n,
        n_statistics).
    x_o
        The observation, (n_statistics,).
    seed
        Of everything random.
    budget
        Of simulations in all steps together.
    n_step
        Simulations of a step; at least four for each coefficient of a quadratic surface over the parameters.

    Raises
    ------
    ValueError
        For bad simulations, where statistics do not vary, and if the posterior is not one narrow peak.

    References
    ----------
    Wood 2010, Nature 466:1102 (synthetic likelihood). Gershenfeld 1997, Ann NY Acad Sci 808:18 (the mixture).
    """
    prior = instance("posterior", posterior, Posterior, "a Posterior").prior
    x_o, seed = numbers("x_o", x_o, shape=(None,), low=-1e100, high=1e100), whole_number("seed", seed)
    n_step = whole_number("n_step", n_step, 4 * quadratic_terms(np.zeros((1, len(prior.names)))).shape[1])
    left = whole_number("budget", budget, 2 * n_step)
    if isinstance(simulate, NeuronSimulator):
        simulate.check_prior(prior)
    rng = np.random.default_rng(seed)
    seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(2 + left // n_step)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)  # the misfit tells it
        around = _Coordinates.of(posterior.sample(N_DRAWS, x_o, seeds.pop()))
    theta, x = np.empty((0, len(prior.names))), np.empty((0, len(x_o)))
    steps: list[SharpeningStep] = []
    settled = False
    with threadpool_limits(1):  # several threads take ten times as long for matrices as small as these
        while left:
            last = settled or left < 2 * n_step
            count, width, slack = (left, LAST_WIDTH, LAST_SLACK) if last else (n_step, FIRST_WIDTH, 1.0)
            new = around.theta(around.draw(prior, count, width, rng))
            given = np.asarray(simulate(new, seeds.pop()), dtype=float)
            if given.shape != (count, len(x_o)):
                raise ValueError(f"simulate gave statistics of shape {given.shape}; allowed: {(count, len(x_o))}")
            if not np.isfinite(given).all():
                raise ValueError("simulate gave statistics that are not finite: give them a stated value")
            theta, x, left = np.concatenate([theta, new]), np.concatenate([x, given]), left - count
            steps.append(SharpeningStep(around.mean, around.sd, count))
            fit = _Likelihood.of(around, theta, x, x_o)
            after = fit.peak(prior, rng)
            settled, around = after.agrees(around, slack), after
        result = Sharpened(prior, x_o, tuple(steps), settled, fit)
        _warn(result, fit.p_misfit(result.sample(N_DRAWS, x_o, seeds.pop())), fit.bend)
    return result


def _warn(result: Sharpened, p_misfit: float, bend: float) -> None:
    if p_misfit < MIN_P:
        text = f"no parameters near the posterior give statistics like x_o (p = {p_misfit:.2g}): it is a guess"
        warnings.warn(text, ExtrapolationWarning, stacklevel=3)
    elif not result.settled:
        text = f"{result.n_simulations} simulations were too few for the posterior to settle; allowed: a larger budget"
        warnings.warn(text, InferenceWarning, stacklevel=3)
    elif bend > MAX_BEND:
        warnings.warn(
            f"the posterior is too wide to be sharpened: across it a statistic is {bend:.2g} SDs of its noise off a "
            "quadratic surface; use truncated_rounds",
            InferenceWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class _Coordinates(Coordinates):
    """Those over draws from a posterior."""

    @classmethod
    def of(cls, samples: np.ndarray) -> _Coordinates:
        return cls(samples.mean(axis=0), np.linalg.cholesky(np.atleast_2d(np.cov(samples.T))))

    def u(self, theta: np.ndarray) -> np.ndarray:
        return solve_triangular(self.axes, (theta - self.mean).T, lower=True).T

    @property
    def sd(self) -> np.ndarray:
        return np.sqrt(np.sum(self.axes**2, axis=1))

    def agrees(self, before: _Coordinates, slack: float) -> bool:
        """Whether mean and SDs are about the same, in the coordinates of `before`."""
        moved = np.abs(before.u(self.mean[None])[0])
        ratio = np.sqrt(np.sum(solve_triangular(before.axes, self.axes, lower=True) ** 2, axis=1))
        alike = (moved < slack * MAX_MOVED) & (np.abs(np.log(ratio)) < slack * np.log(MAX_STRETCHED))
        return bool(alike.all())

    def draw(self, prior: Prior, n: int, width: float, rng: np.random.Generator) -> np.ndarray:
        """Draw `n` normal coordinates of SD `width` where the prior is not 0."""
        return drawn_inside(prior, lambda k: width * rng.standard_normal((k, len(self.mean))), n, self.theta)


@dataclass(frozen=True)
class _Likelihood:
    """p(x_o | theta) around a posterior.

    coefficients, lower: of the quadratic surface, and the Cholesky factor of the scatter around it, (n_terms, k) and
    (k, k) for the k statistics `observed` that vary. mixture: of coordinates and whitened scatter. of_counts: the
    log-odds of the observed counts are quadratic_terms @ of_counts. depths: log-densities of the simulations.
    """

    around: _Coordinates
    observed: np.ndarray
    coefficients: np.ndarray
    lower: np.ndarray
    mixture: GaussianMixture
    of_counts: np.ndarray
    depths: np.ndarray
    bend: float

    @classmethod
    def of(cls, around: _Coordinates, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray) -> _Likelihood:
        u = around.u(theta)
        near = np.sum(u**2, axis=1) < REACH**2
        u, x = u[near], x[near]
        alike, of_counts = same_counts(x, x_o)[0], np.zeros(0)
        if alike.mean() < MIN_SHARE:
            alike[:] = True
        elif not alike.all():
            logistic = LogisticRegression(C=10.0, fit_intercept=False, max_iter=500)
            of_counts = logistic.fit(quadratic_terms(u), alike).coef_[0]
        u, x = u[alike], x[alike]
        varies = np.ptp(x, axis=0) > 0
        if not varies.any():
            raise ValueError(f"all simulations around the posterior give the same statistics, {x[0]}: nothing to learn")
        surface, covariance = scatter_around_surface(u, x[:, varies])
        coefficients = np.linalg.lstsq(quadratic_terms(u), surface, rcond=None)[0]
        lower = np.linalg.cholesky(covariance)
        noise = solve_triangular(lower, (x[:, varies] - surface).T, lower=True).T
        mixture = best_mixture(np.column_stack([u, noise]))
        depths = _log_density_of_noise(mixture, u, noise)
        return cls(around, x_o[varies], coefficients, lower, mixture, of_counts, depths, _bend(u, noise))

    def log_density(self, u: np.ndarray) -> np.ndarray:
        """Log-density of the observed statistics but for the counts, at coordinates `u` (n, n_parameters)."""
        missed = (self.observed - quadratic_terms(u) @ self.coefficients).T
        return _log_density_of_noise(self.mixture, u, solve_triangular(self.lower, missed, lower=True).T)

    def p_misfit(self, theta: np.ndarray) -> float:
        """Share of simulations that are as improbable where they were made as x_o at the best of `theta`."""
        return float(np.mean(self.depths <= self.log_density(self.around.u(theta)).max()))

    def peak(self, prior: Prior, rng: np.random.Generator) -> _Coordinates:
        """Mean and covariance of the posterior, by importance sampling from narrower and narrower normals."""
        around = self.around
        for _ in range(MAX_NARROWED):
            theta, log = self._weighted(prior, around, rng)
            power = 1.0  # lowered until enough draws have weight
            while np.exp(power * log).sum() ** 2 < MIN_EFFECTIVE * np.exp(2 * power * log).sum():
                power /= 2
            weights = np.exp(power * log)
            around = _Coordinates.of(theta[rng.choice(BLOCK, BLOCK, p=weights / weights.sum())])
            if power == 1.0:
                break
        return around

    def draw(self, prior: Prior, n: int, seed: int) -> np.ndarray:
        """Draw `n` parameter sets from the posterior, by rejection from a normal distribution around it."""
        rng = np.random.default_rng(seed)
        around, found = self.peak(prior, rng), np.empty((0, len(prior.names)))
        while len(found) < n:
            theta, log = self._weighted(prior, around, rng)
            accepted = theta[rng.random(BLOCK) < np.exp(log)]
            if len(accepted) < MIN_ACCEPTED:
                raise ValueError(f"the posterior is not one narrow peak at {around.mean}: use truncated_rounds")
            found = np.concatenate([found, accepted])
        return found[:n]

    def _weighted(
        self, prior: Prior, around: _Coordinates, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw `BLOCK` parameter sets; return the logarithm of their weights as draws from the posterior, at most 0."""
        v = around.draw(prior, BLOCK, LAST_WIDTH, rng)
        theta = around.theta(v)
        u = self.around.u(theta)
        log = self.log_density(u) + prior.log_prob(torch.as_tensor(theta)).double().numpy()
        log += np.sum(v**2, axis=1) / (2 * LAST_WIDTH**2)
        if len(self.of_counts):
            log += log_expit(quadratic_terms(u) @ self.of_counts)
        return theta, log - log.max()


def _log_density_of_noise(mixture: GaussianMixture, u: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Log-density (n,) of whitened noise (n, k) given coordinates `u` (n, n_parameters)."""
    both = np.column_stack([u, noise])
    return _log_density(mixture, both, both.shape[1]) - _log_density(mixture, both, u.shape[1])


def _log_density(mixture: GaussianMixture, points: np.ndarray, n_columns: int) -> np.ndarray:
    """Log-density (n,) of the first columns of `points`, whatever the others are."""
    each = []
    for weight, mean, covariance in zip(mixture.weights_, mixture.means_, mixture.covariances_, strict=True):
        lower = np.linalg.cholesky(covariance[:n_columns, :n_columns])
        distance = solve_triangular(lower, (points[:, :n_columns] - mean[:n_columns]).T, lower=True)
        each.append(np.log(weight) - 0.5 * np.sum(distance**2, axis=0) - np.log(np.diag(lower)).sum())
    return logsumexp(each, axis=0) - 0.5 * n_columns * np.log(2 * np.pi)


def _bend(u: np.ndarray, noise: np.ndarray) -> float:
    """By how many SDs of the noise a cubic surface differs from the quadratic one, for the worst statistic."""
    terms = quadratic_terms(u)
    cubic = np.column_stack([terms, *(terms * column[:, None] for column in u.T)])
    coefficients, _, rank, _ = np.linalg.lstsq(cubic, noise, rcond=None)
    squared = np.mean((cubic @ coefficients) ** 2, axis=0) / noise.var(axis=0)
    return float(np.sqrt(max(squared.max() - rank / len(u), 0.0)))
