"""The posterior at one observation that is known up to a stated tolerance, by adaptive importance sampling.

Each statistic of the observation is normal around that of the model, with the SD `tolerance`: noise of the measurement,
or the error of the model that one admits. Then one simulation x at theta estimates the likelihood without bias,
N(x_o; x, tolerance²), however noisy the simulator is, and importance sampling with that estimate is exact (Wilkinson
2013, Stat Appl Genet Mol Biol 12:129; Andrieu & Roberts 2009, Ann Stat 37:697). No network, and no error but Monte
Carlo's, which the effective sample size tells.

The first simulations are from the prior, later ones from proposals that learn from all before (`proposals`). Each is
weighted by the mixture of all proposals (Cornuet et al. 2012, Scand J Stat 39:798), so that none is lost. Until some
fit, the proposals follow the likelihood to a power below 1, at which many simulations count.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import logsumexp
from tqdm.auto import tqdm

from helpers.validation import instance, number, numbers, whole_number

from .descent import descend
from .priors import Prior
from .proposals import FIRST_SHARES, Proposal, Simulated, next_proposal, shares_by_success
from .simulator import NeuronSimulator
from .storage import RunFolder
from .warning_classes import FewEffectiveSimulationsWarning

__all__ = ["ImportancePosterior", "importance_posterior"]

FILE_FORMAT = 1
FARTHEST = 8.0  # SDs of the prior: beyond, parameters equal the bounds to double precision
LEAST_ESS = 40.0  # with fewer, weights of a flatter posterior come back
APART = 1.5  # SDs of the prior between the starts of searches
MAX_RESIDUAL = 1e150  # tolerances: the squares of larger ones overflow, and weights would be NaN
MIN_ESS = 60  # and 8 per parameter: with fewer a mean and a covariance are not known


@dataclass(frozen=True)
class ImportancePosterior:
    """All simulations with their weights.

    Attributes
    ----------
    prior
        Over the parameters.
    theta, x
        The simulations, (n, n_parameters) and (n, n_statistics).
    weights
        Of the posterior, (n,), with sum 1.
    beta
        The power of the likelihood that they are for: 1, or less if too few simulations fit. The posterior is then
        flatter than the exact one.
    widened
        By how much the tolerance was widened, as no simulation came as near as it says; 1 for not at all.
    searched
        Simulations of searches, which are draws of no distribution and not among the others.
    ess
        Effective sample size: how many independent draws the weighted ones are worth (Kish).
    stopped
        Why the simulations ended.
    """

    prior: Prior
    theta: np.ndarray
    x: np.ndarray
    weights: np.ndarray
    beta: float
    ess: float
    stopped: str
    widened: float = 1.0
    searched: int = 0

    @property
    def n_simulations(self) -> int:
        """How many there are."""
        return len(self.theta) + self.searched

    @property
    def mean(self) -> np.ndarray:
        """Mean of each parameter, (n_parameters,)."""
        return self.weights @ self.theta

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the parameters, (n_parameters, n_parameters)."""
        centred = self.theta - self.mean
        return (self.weights[:, None] * centred).T @ centred

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each parameter, (n_parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draw `n` parameter sets, (n, n_parameters), in random order.

        They are simulations, each as often as its weight says (systematic resampling): with `n` near `ess` or above,
        draws repeat.
        """
        return self.theta[self._rows(n, seed)]

    def predict(self, n: int, seed: int) -> np.ndarray:
        """Return the statistics of the simulations that `sample` draws with this seed, (n, n_statistics).

        Without the tolerance; no new simulations are needed.
        """
        return self.x[self._rows(n, seed)]

    def quantile(self, q: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return quantiles `q` (n_q,), from 0 to 1, of each parameter, (n_q, n_parameters)."""
        q = numbers("q", q, shape=(None,), low=0.0, high=1.0)
        columns = []
        for values in self.theta.T:
            order = np.argsort(values, kind="stable")
            below = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
            columns.append(np.interp(q, below, values[order]))
        return np.column_stack(columns)

    def _rows(self, n: int, seed: int) -> np.ndarray:
        n, rng = whole_number("n", n, 1), np.random.default_rng(whole_number("seed", seed))
        rows = np.searchsorted(np.cumsum(self.weights), (rng.random() + np.arange(n)) / n)
        last = np.flatnonzero(self.weights)[-1]  # rounding may leave the sum below 1
        return rng.permutation(np.minimum(rows, last))

    def __str__(self) -> str:
        named = zip(self.prior.names, self.mean, self.sd, strict=True)
        flat = "" if self.beta == 1 else f" of the likelihood to the power {self.beta:.2g}"
        about = f"{self.n_simulations:,} simulations worth {self.ess:.0f} independent draws{flat}"
        listed = ", ".join(f"{name} {mean:.4g} ± {sd:.2g}" for name, mean, sd in named)
        return f"posterior by importance sampling ({about}): {listed}"


def importance_posterior(
    simulate: Callable[[np.ndarray, int], np.ndarray],
    prior: Prior,
    x_o: np.ndarray,
    tolerance: np.ndarray,
    seed: int,
    *,
    budget: int = 20_000,
    n_first: int = 3000,
    batch: int = 800,
    enough: float = 300,
    searches: int = 0,
    widen: bool = False,
    folder: str | Path | None = None,
    progress: bool = False,
) -> ImportancePosterior:
    """Infer the posterior at `x_o`, known up to `tolerance`, from weighted simulations.

    They end when they are worth `enough` independent draws, or at the budget, then with a
    `FewEffectiveSimulationsWarning`. Ctrl-C ends them and returns what there is.

    The effective sample size is itself an estimate: it falls when a batch meets a part of the posterior that the
    proposals had missed (from 289 to 110 once, on a recorded cell with ten unknowns). Where it matters, ask for more,
    or compare two seeds.

    Parameters
    ----------
    simulate
        A `NeuronSimulator`, or any function of parameters (n, n_parameters) and a seed that returns finite statistics
        (n, n_statistics), with the noise of the neuron but without that of the tolerance.
    prior
        Dependencies and correlations are allowed.
    x_o
        The observation, (n_statistics,).
    tolerance
        SD of each statistic, (n_statistics,), or one number for all: of the measurement, or the error of the model
        that is admitted.
    budget
        Of simulations in all. Whole batches only.
    n_first
        Simulations from the prior.
    batch
        Simulations between two adaptations of the proposal.
    enough
        Effective sample size that is wanted.
    searches
        How many searches for the largest posterior, from the best of the first simulations, show where to begin (see
        `descent`). They take some 60 simulations each, and pay from about eight parameters on.
    widen
        Whether to widen the tolerance where no simulation comes as near as it says: by a factor at which the nearest
        one has a chi-squared as large as its degrees of freedom (Birge 1932, Phys Rev 40:207). The error of the model
        is then estimated together with its parameters.
    folder
        Stores every batch, so that the same call resumes where an earlier one was interrupted, with the same result.
        `budget` and `enough` may then be larger. A function that is not a `NeuronSimulator` must be the same one: that
        cannot be checked.
    progress
        Show a bar, with the effective sample size.

    Raises
    ------
    ValueError
        For bad arguments, statistics of another shape or not finite, or a folder that holds batches with other
        settings.

    References
    ----------
    Wilkinson 2013, Stat Appl Genet Mol Biol 12:129. Cornuet, Marin, Mira & Robert 2012, Scand J Stat 39:798.
    """
    instance("prior", prior, Prior, "a Prior")
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    tolerance = numbers("tolerance", tolerance, shape=None if np.ndim(tolerance) == 0 else x_o.shape, above=0.0)
    tolerance = np.broadcast_to(tolerance, x_o.shape)
    n_first = whole_number("n_first", n_first, 10 * len(prior.names))
    batch = whole_number("batch", batch, 10)
    budget = whole_number("budget", budget, n_first)
    enough, searches = number("enough", enough, low=2.0), whole_number("searches", searches)
    simulator = simulate if isinstance(simulate, NeuronSimulator) else None
    if simulator:
        simulator.check_prior(prior)
    settings = {
        "prior": prior.as_data(),
        "x_o": x_o.tolist(),
        "tolerance": tolerance.tolist(),
        "seed": seed,
        "n_first": n_first,
        "batch": batch,
        "searches": searches,
        "widen": bool(widen),
        "simulated": simulator and simulator.as_data(),
    }
    stored = None if folder is None else RunFolder(Path(folder), settings, FILE_FORMAT, "batch", "batches")
    run = _Run(simulate, prior, x_o, tolerance, seed, n_first, stored, widen)
    stopped = ""
    with tqdm(total=budget, unit="simulation", disable=not progress) as bar:
        try:
            while not stopped:
                count = batch if run.batches else n_first
                run.simulate_batch(count)
                bar.update(count)
                bar.set_postfix({"effective": f"{run.ess(1.0):.0f} of {enough:.0f}"})
                if searches and run.batches == 1:
                    run.search(searches)
                    bar.update(len(run.tried.z))
                if run.ess(1.0) >= enough:
                    stopped = f"ended: the effective sample size is {run.ess(1.0):.0f}"
                elif run.n_simulations + batch > budget:
                    stopped = f"ended: the budget of {budget} simulations is used up"
        except KeyboardInterrupt:
            if not run.batches:
                raise
            stopped = "ended by the user (Ctrl-C)"
    found = run.posterior(min(enough, LEAST_ESS), stopped)
    if found.ess < enough or found.beta < 1.0:
        warnings.warn(
            FewEffectiveSimulationsWarning(found.ess, enough, found.beta, found.n_simulations), stacklevel=2
        )
    return found


def _min_ess(prior: Prior) -> int:
    return max(MIN_ESS, 8 * len(prior.names))


class _Run:
    """The batches so far, and what they tell."""

    def __init__(
        self,
        simulate: Callable[[np.ndarray, int], np.ndarray],
        prior: Prior,
        x_o: np.ndarray,
        tolerance: np.ndarray,
        seed: int,
        n_first: int,
        stored: RunFolder | None,
        widen: bool,
    ) -> None:
        self.simulate, self.prior, self.x_o, self.tolerance = simulate, prior, x_o, tolerance
        self.seed, self.n_first, self.stored = seed, n_first, stored
        self.widen, self.batches = widen, 0
        self.tried = Simulated(np.empty((0, len(prior.names))), np.empty((0, len(x_o))))
        self.z, self.theta = np.empty((0, len(prior.names))), np.empty((0, len(prior.names)))
        self.x = np.empty((0, len(x_o)))
        self.log_proposed = np.empty(0)  # log of the sum over all proposals, of their numbers times their densities
        self.proposals: list[tuple[int, Proposal]] = []
        self.shares = FIRST_SHARES

    @property
    def n_simulations(self) -> int:
        return len(self.z) + len(self.tried.z)

    @property
    def widened(self) -> float:
        """By how much the tolerance is widened."""
        if not self.widen:
            return 1.0
        nearest = float((self._simulated().residuals ** 2).sum(axis=1).min())
        return max(1.0, nearest / max(1, len(self.x_o) - len(self.prior.names))) ** 0.5

    def search(self, count: int) -> None:
        """Search for the largest posterior from `count` of the best simulations that are not close to each other."""
        seeds = np.random.SeedSequence((self.seed, 0))
        seed, rng = int(seeds.generate_state(1)[0]), np.random.default_rng(seeds)
        calls = itertools.count(seed)

        def residuals(z: np.ndarray) -> np.ndarray:
            return self._residuals(self._simulate(self._theta(z), next(calls)))

        order = np.argsort((self._simulated().bounded ** 2).sum(axis=1), kind="stable")
        starts = [self.z[order[0]]]
        for z in self.z[order[1 : 10 * count]]:
            if len(starts) < count and min(np.linalg.norm(z - other) for other in starts) > APART:
                starts.append(z)
        found = descend(residuals, np.array(starts), rng)
        self.tried = Simulated(found.tried, found.residuals)

    def simulate_batch(self, count: int) -> None:
        """Draw from the next proposal, simulate, and weight all simulations anew."""
        number = self.batches + 1
        seeds = [int(word) for word in np.random.SeedSequence((self.seed, number)).generate_state(2)]
        rng = np.random.default_rng(seeds[0])
        proposal = None
        if number == 1:
            z = rng.standard_normal((count, len(self.prior.names)))
        else:
            simulated = self._simulated()
            log_likelihood = self._log_bounded(simulated)
            weights = self._weights(self._tempered(_min_ess(self.prior), log_likelihood), log_likelihood)
            proposal = next_proposal(simulated, weights, self.shares, rng, tried=self.tried, noise=self.widened**2)
            z = proposal.draw(count, rng)
        theta = self._theta(z)
        x = self.stored.simulations(number, theta) if self.stored else None
        if x is None:
            x = self._simulate(theta, seeds[1])
            if self.stored:
                self.stored.store_simulations(number, theta, x)
        before = [self._log_prior(z) + np.log(self.n_first)]
        before += [np.log(size) + one.log_prob(z) for size, one in self.proposals]
        log_proposed = logsumexp(before, axis=0)
        self.z, self.theta = np.concatenate([self.z, z]), np.concatenate([self.theta, theta])
        self.x = np.concatenate([self.x, x])
        self.log_proposed = np.concatenate([self.log_proposed, log_proposed])
        if proposal is not None:
            self.log_proposed = np.logaddexp(self.log_proposed, np.log(count) + proposal.log_prob(self.z))
            self.proposals.append((count, proposal))
            log_likelihood = self._log_bounded(self._simulated())
            if _ess(weights := self._weights(1.0, log_likelihood)) >= _min_ess(self.prior):  # else it is too early
                self.shares = shares_by_success(proposal, z, weights[-count:], self.shares)
        self.batches = number

    def _theta(self, z: np.ndarray) -> np.ndarray:
        return self.prior.from_normal(torch.as_tensor(np.clip(z, -FARTHEST, FARTHEST))).numpy()

    def _simulate(self, theta: np.ndarray, seed: int) -> np.ndarray:
        return numbers("x of simulate", self.simulate(theta, seed), shape=(len(theta), len(self.x_o)))

    def ess(self, beta: float) -> float:
        return _ess(self._weights(beta, self._log_likelihood()))

    def posterior(self, least: float, stopped: str) -> ImportancePosterior:
        """Weights for the likelihood, or for the largest power of it that leaves `least` effective draws."""
        log_likelihood = self._log_likelihood()
        beta = self._tempered(least, log_likelihood)
        weights = self._weights(beta, log_likelihood)
        return ImportancePosterior(
            self.prior, self.theta, self.x, weights, beta, _ess(weights), stopped, self.widened, len(self.tried.z)
        )

    def _simulated(self) -> Simulated:
        return Simulated(self.z, self._residuals(self.x))

    def _residuals(self, x: np.ndarray) -> np.ndarray:
        """Residuals in tolerances."""
        with np.errstate(over="ignore"):
            return np.clip((x - self.x_o) / self.tolerance, -MAX_RESIDUAL, MAX_RESIDUAL)

    def _log_likelihood(self) -> np.ndarray:
        return -0.5 * (self._simulated().residuals ** 2).sum(axis=1) / self.widened**2

    def _log_bounded(self, simulated: Simulated) -> np.ndarray:
        return -0.5 * (simulated.bounded**2).sum(axis=1) / self.widened**2

    @staticmethod
    def _log_prior(z: np.ndarray) -> np.ndarray:
        return -0.5 * (z**2).sum(axis=1) - z.shape[1] / 2 * np.log(2 * np.pi)

    def _weights(self, beta: float, log_likelihood: np.ndarray) -> np.ndarray:
        log = beta * log_likelihood + self._log_prior(self.z) - self.log_proposed
        weights = np.exp(log - log.max())
        return weights / weights.sum()

    def _tempered(self, least: float, log_likelihood: np.ndarray) -> float:
        """A power of the likelihood at which the effective sample size is `least`; 1 if it is larger there."""
        low, high = 0.0, 1.0
        if _ess(self._weights(1.0, log_likelihood)) >= least:
            return 1.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if _ess(self._weights(middle, log_likelihood)) >= least else (low, middle)
        return low


def _ess(weights: np.ndarray) -> float:
    return float(1 / (weights**2).sum())
