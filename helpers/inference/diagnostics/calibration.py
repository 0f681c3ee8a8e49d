"""Is the stated uncertainty right? On average over the prior (SBC, coverage, TARP), and at one observation.

Too wide a posterior has too few truths in its tails, too narrow a one too many, a shifted one more on one side. SBC,
coverage and TARP average over the prior, and the prior itself would pass: see `unidentified_parameters`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from sbi.diagnostics import LC2ST, check_tarp, run_sbc, run_tarp
from sbi.diagnostics.sbc import check_uniformity_frequentist
from scipy.stats import ks_2samp, kstwo, percentileofscore
from sklearn.exceptions import ConvergenceWarning

from helpers.validation import numbers, whole_number

from ..density_estimators import repeatable
from ..priors import Prior
from .trials import Sampler, Trials, as_tensor

__all__ = ["Calibration", "Coverage", "LocalTest", "Tarp", "coverage", "local_test", "sbc", "tarp"]

# Of the local test. With sbi's early stopping some correct posteriors got a large statistic (3 of 12 trials); a fixed
# number of epochs with strong weight decay gave none, and still detected SDs that were 20 % off.
CLASSIFIER = {"hidden_layer_sizes": (20, 20), "max_iter": 30, "alpha": 1.0, "learning_rate_init": 3e-3}


@dataclass(frozen=True)
class Calibration:
    """Result of simulation-based calibration (SBC).

    Attributes
    ----------
    ranks
        How many posterior draws lie below the truth, (n_trials, n_parameters): uniform from 0 to `n_samples` if the
        posterior is right.
    p
        p-values of a Kolmogorov-Smirnov test of that, (n_parameters,).
    p_average
        p-values of a two-sample Kolmogorov-Smirnov test that the posterior averaged over trials is the prior,
        (n_parameters,).
    """

    prior: Prior
    ranks: np.ndarray
    n_samples: int
    p: np.ndarray
    p_average: np.ndarray

    def passed(self, level: float = 0.05) -> bool:
        """Whether no parameter fails at `level`, divided by the number of parameters (Bonferroni)."""
        return bool((self.p > level / len(self.p)).all())

    def __str__(self) -> str:
        rows = zip(self.prior.names, self.p, self.p_average, strict=True)
        verdict = "no sign of miscalibration" if self.passed() else "miscalibrated"
        found = [
            f"{name}: p of ranks {p:.2g}, of averaged posterior and prior {average:.2g}" for name, p, average in rows
        ]
        return "\n  ".join([f"SBC over {len(self.ranks)} trials: {verdict}", *found])


def sbc(trials: Trials, *, seed: int) -> Calibration:
    """Simulation-based calibration of each parameter, by sbi.

    References
    ----------
    Talts et al. 2018, arXiv:1804.06788.
    """
    n_samples = trials.samples.shape[1]
    with repeatable(seed), _quiet():
        ranks, averaged = run_sbc(*_tensors(trials), trials, n_samples, show_progress_bar=False)
        # Spread over their steps, as the test is one of continuous values. sbi's `check_sbc` adds random forests for
        # each parameter, which take seconds and decide nothing that these tests do not.
        p = check_uniformity_frequentist(ranks + torch.rand(ranks.shape), n_samples + 1).numpy()
    columns = zip(trials.theta.T, averaged.double().numpy().T, strict=True)
    p_average = np.array([ks_2samp(truths, draws).pvalue for truths, draws in columns])
    return Calibration(trials.prior, ranks.numpy().astype(int), n_samples, p, p_average)


@dataclass(frozen=True)
class Coverage:
    """How often credible regions hold the truth.

    Attributes
    ----------
    joint
        Probability of the smallest joint region that holds the truth, (n_trials,): uniform if the posterior is right.
    marginal
        The same for the central interval of each parameter, (n_trials, n_parameters).
    region
        What the joint regions are, "highest density" or "ellipse".
    """

    prior: Prior
    joint: np.ndarray
    marginal: np.ndarray
    region: str

    def coverage_at(self, level: float | np.ndarray) -> np.ndarray:
        """Share of truths inside regions of probability `level`: the joint one, then each parameter's, (..., 1 + n)."""
        needed = np.column_stack([self.joint, self.marginal])
        return (needed <= np.asarray(level)[..., None, None]).mean(axis=-2)

    def standard_error(self, level: float) -> float:
        """Standard error of `coverage_at(level)` for a posterior that is right."""
        return float(np.sqrt(level * (1 - level) / len(self.joint)))

    def __str__(self) -> str:
        def row(level: float) -> str:
            shares = zip((f"joint ({self.region})", *self.prior.names), self.coverage_at(level), strict=True)
            found = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares)
            error = 100 * self.standard_error(level)
            return f"{100 * level:g} % regions hold the truth: {found} (standard error {error:.1f})"

        return "\n  ".join([f"coverage over {len(self.joint)} trials", *map(row, (0.5, 0.8, 0.95))])


def coverage(trials: Trials, log_prob: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None) -> Coverage:
    """Expected coverage of joint regions and of the central interval of each parameter.

    Parameters
    ----------
    trials
        Truths and posterior draws.
    log_prob
        Log-density of the posterior, log_prob(theta, x_o), up to a constant: joint regions are then those of highest
        density. Without it they are ellipses around the draws, which test a posterior of any shape, too.

    References
    ----------
    Deistler et al. 2022, NeurIPS; Hermans et al. 2022, TMLR.
    """
    n_samples = trials.samples.shape[1]
    if log_prob is None:
        joint = np.array([_ellipse(theta, draws) for theta, draws in zip(trials.theta, trials.samples, strict=True)])
    else:

        def less_dense(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return -as_tensor(log_prob(theta.double().numpy(), x.double().numpy()))

        with _quiet():
            ranks, _ = run_sbc(*_tensors(trials), trials, n_samples, less_dense, show_progress_bar=False)
        joint = ranks.numpy()[:, 0] / n_samples
    below = (trials.samples < trials.theta[:, None]).mean(axis=1)
    return Coverage(trials.prior, joint, np.abs(2 * below - 1), "ellipse" if log_prob is None else "highest density")


def _ellipse(theta: np.ndarray, draws: np.ndarray) -> float:
    """Share of `draws` (n, n_parameters) nearer to their mean than `theta`, by the Mahalanobis distance.

    Of a parameter whose draws are all the same, any other value is farther away than all draws.
    """
    spread = np.ptp(draws, axis=0) > 0.0
    if (theta != draws[0])[~spread].any():
        return 1.0
    if not spread.any():
        return 0.0
    theta, draws = theta[spread], draws[:, spread]
    away = (np.vstack([theta, draws]) - draws.mean(axis=0)) / draws.std(axis=0)  # numbers of one size
    scale = np.linalg.cholesky(away[1:].T @ away[1:] / len(draws))
    distance = np.linalg.norm(np.linalg.solve(scale, away.T), axis=0)
    return float((distance[1:] < distance[0]).mean())


@dataclass(frozen=True)
class Tarp:
    """Coverage of regions around random points.

    Attributes
    ----------
    level, expected
        Probability of the regions, and share of truths inside, (n_levels,) each.
    atc
        Area between the curve and the diagonal above level 0.5: positive too wide, negative too narrow. A shift that is
        the same everywhere can hide, as the points lie on all sides.
    p
        p-value of the largest distance from the diagonal (Kolmogorov-Smirnov).
    """

    level: np.ndarray
    expected: np.ndarray
    atc: float
    p: float

    def __str__(self) -> str:
        return f"TARP: area to curve {self.atc:+.3f} (0 if right, above too wide, below too narrow), p {self.p:.2g}"


def tarp(trials: Trials, *, seed: int) -> Tarp:
    """Tests of accuracy with random points, by sbi; the points are drawn from the prior.

    References
    ----------
    Lemos et al. 2023, ICML.
    """
    points = as_tensor(trials.prior.draw(len(trials.theta), seed))
    with _quiet():
        expected, level = run_tarp(*_tensors(trials), trials, points, trials.samples.shape[1], show_progress_bar=False)
        atc, _ = check_tarp(expected, level)
    # sbi's p takes the points of the curve for the sample; the sample are the trials.
    largest = float((expected - level).abs().max())
    return Tarp(level.numpy(), expected.numpy(), float(atc), float(kstwo.sf(largest, len(trials.theta))))


@dataclass(frozen=True)
class LocalTest:
    """Whether a classifier tells truths from posterior draws near one observation (local C2ST).

    Attributes
    ----------
    statistic
        Mean squared distance of the classifier's probabilities from 0.5.
    null
        The same after the labels were permuted, (n_null,).
    p
        Share of `null` above `statistic`.
    samples
        Posterior draws at the observation, (n_samples, n_parameters).
    probability
        Of each draw, that it comes from the posterior under test, (n_samples,): above 0.5 the posterior has too much
        mass there, below 0.5 too little.
    """

    prior: Prior
    statistic: float
    null: np.ndarray
    p: float
    samples: np.ndarray
    probability: np.ndarray

    def __str__(self) -> str:
        limit = np.quantile(self.null, 0.95)
        return f"local C2ST at x_o: {self.statistic:.2g} (95 % of right posteriors: below {limit:.2g}), p {self.p:.2g}"


def local_test(trials: Trials, posterior: Sampler, x_o: np.ndarray, *, seed: int, null: int = 50) -> LocalTest:
    """Local classifier two-sample test at one observation, by sbi.

    Truths and draws enter relative to the mean and SD of the posterior at their own x, as differences much smaller than
    the prior could not be seen otherwise; statistics enter by their rank over the trials.

    Parameters
    ----------
    trials
        Truths and posterior draws, a thousand or more.
    posterior
        The posterior that made the trials.
    x_o
        The observation, (n_statistics,).
    seed
        Seed of the draws and classifiers.
    null
        Number of classifiers with permuted labels.

    References
    ----------
    Linhart, Gramfort & Rodrigues 2023, NeurIPS.
    """
    one, rest = trials.samples[:, 0], trials.samples[:, 1:]
    middle, sd = rest.mean(axis=1), rest.std(axis=1)
    if not (sd > 0).all():
        raise ValueError("the draws of a trial do not differ: the posterior is a point")
    x_o = numbers("x_o", x_o, shape=trials.x.shape[1:])
    null = whole_number("null", null, 1)
    samples = posterior.sample(1000, x_o, seed)
    with repeatable(seed), _quiet():
        test = LC2ST(
            prior_samples=as_tensor((trials.theta - middle) / sd),
            xs=_ranked(trials.x, trials.x),
            posterior_samples=as_tensor((one - middle) / sd),
            seed=seed,
            z_score=True,
            num_trials_null=null,
            classifier_kwargs=CLASSIFIER,
        )
        test.train_on_observed_data(seed=seed, verbosity=0).train_under_null_hypothesis(verbosity=0)
        theta_o = as_tensor((samples - samples.mean(axis=0)) / samples.std(axis=0))
        at = _ranked(x_o[None], trials.x)
        scores = test.get_scores(theta_o, at, test.trained_clfs)
        under_null = np.ravel(test.get_statistics_under_null_hypothesis(theta_o, at).scores)
    statistic = float(scores.scores.mean())
    p = float((statistic < under_null).mean())
    return LocalTest(trials.prior, statistic, under_null, p, samples, scores.probabilities.mean(axis=0))


def _ranked(x: np.ndarray, among: np.ndarray) -> torch.Tensor:
    """Share of `among` (m, n_statistics) below each value of `x` (n, n_statistics), from -1 to 1; ties count half."""
    columns = zip(among.T, x.T, strict=True)
    return as_tensor(np.column_stack([percentileofscore(all_of, own, "mean") / 50 - 1 for all_of, own in columns]))


def _tensors(trials: Trials) -> tuple[torch.Tensor, torch.Tensor]:
    return as_tensor(trials.theta), as_tensor(trials.x)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide sbi's warnings of few trials (the results state their number) and of a test that is not used here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)  # the classifier stops early on purpose
        warnings.filterwarnings("ignore", "Number of|You are computing|C2ST score variability|ks_2samp")
        yield
