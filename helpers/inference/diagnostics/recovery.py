"""Is the truth found, and was anything learned? Recovery, shrinkage, and parameters that the data do not identify."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import r2_score

from helpers.validation import whole_number

from ..priors import Prior
from .c2st import c2st
from .trials import Trials

__all__ = ["Recovery", "Shrinkage", "UnidentifiedParameters", "recovery", "shrinkage", "unidentified_parameters"]


@dataclass(frozen=True)
class Recovery:
    """Truth, posterior mean and posterior SD of each trial, (n_trials, n_parameters)."""

    prior: Prior
    truth: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @property
    def r(self) -> np.ndarray:
        """Correlation of posterior mean and truth, (n_parameters,); 0 where the mean never varies."""
        truth, mean = (values - values.mean(axis=0) for values in (self.truth, self.mean))
        spread = np.sqrt((truth**2).sum(axis=0) * (mean**2).sum(axis=0))
        return (truth * mean).sum(axis=0) / np.where(spread > 0, spread, 1.0)

    @property
    def R2(self) -> np.ndarray:
        """Share of the truth's variance that the posterior mean explains, (n_parameters,); negative if it misleads."""
        return r2_score(self.truth, self.mean, multioutput="raw_values")

    def __str__(self) -> str:
        rows = zip(self.prior.names, self.r, self.R2, strict=True)
        found = [f"{name}: r {r:.3f}, R2 {R2:.3f}" for name, r, R2 in rows]
        return "\n  ".join([f"recovery of {len(self.truth)} truths", *found])


def recovery(trials: Trials) -> Recovery:
    """How well posterior means recover the truths."""
    return Recovery(trials.prior, trials.theta, trials.mean, trials.sd)


@dataclass(frozen=True)
class Shrinkage:
    """How much was learned in each trial, and how far off the posterior mean is.

    Attributes
    ----------
    shrinkage
        1 - (posterior SD / prior SD)², (n_trials, n_parameters): 0 if nothing was learned, 1 if everything.
    z
        (posterior mean - truth) / posterior SD, (n_trials, n_parameters).

    References
    ----------
    Betancourt 2018, arXiv:1803.08393; Schad, Betancourt & Vasishth 2021, Psychol Methods 26:103.
    """

    prior: Prior
    shrinkage: np.ndarray
    z: np.ndarray

    def __str__(self) -> str:
        medians, sizes = np.median(self.shrinkage, axis=0), np.sqrt(np.mean(self.z**2, axis=0))
        rows = zip(self.prior.names, medians, sizes, strict=True)
        title = "shrinkage (median) and size of z (root mean square; 1 if uncertainty is stated rightly)"
        return "\n  ".join([title, *(f"{name}: shrinkage {shrunk:.4f}, z {z:.2f}" for name, shrunk, z in rows)])


def shrinkage(trials: Trials) -> Shrinkage:
    """How much narrower the posterior is than the prior, and how far the truth lies from its mean."""
    prior_sd = trials.prior.draw(10_000, seed=0).std(axis=0)
    sd = np.maximum(trials.sd, 1e-12 * prior_sd)
    return Shrinkage(trials.prior, 1.0 - (sd / prior_sd) ** 2, (trials.mean - trials.theta) / sd)


@dataclass(frozen=True)
class UnidentifiedParameters:
    """Which parameters the data say nothing about: their posterior is the prior at every observation.

    Attributes
    ----------
    c2st
        Classifier two-sample test of posterior and prior, (n_observations, n_parameters): 0.5 if they are equal.
    shrinkage
        Shrinkage at the same observations, (n_observations, n_parameters).
    """

    prior: Prior
    c2st: np.ndarray
    shrinkage: np.ndarray

    @property
    def unidentified(self) -> np.ndarray:
        """Where the classifier is right in less than 56 % of cases at the median observation, (n_parameters,)."""
        return np.median(self.c2st, axis=0) < 0.56

    def __str__(self) -> str:
        columns = np.median(self.c2st, axis=0), np.median(self.shrinkage, axis=0), self.unidentified
        rows = [
            f"{name}: c2st {c:.2f}, shrinkage {s:.2f}{': UNIDENTIFIED, nothing was learned' if nothing else ''}"
            for name, c, s, nothing in zip(self.prior.names, *columns, strict=True)
        ]
        where = "one observation" if len(self.c2st) == 1 else f"medians over {len(self.c2st)} observations"
        return "\n  ".join([f"posterior against prior ({where})", *rows])


def unidentified_parameters(trials: Trials, *, seed: int, observations: int = 5) -> UnidentifiedParameters:
    """Compare the posterior of each parameter with its prior.

    Calibration cannot do this: the prior is a perfectly calibrated posterior.

    Parameters
    ----------
    trials
        Truths and posterior draws.
    seed
        Seed of the prior draws and of the classifiers.
    observations
        At how many of the trials posterior and prior are compared.
    """
    observations = whole_number("observations", observations, 1)
    drawn = trials.prior.draw(max(trials.samples.shape[1], 50), seed)
    which = np.linspace(0, len(trials.theta) - 1, observations).astype(int)
    scores = [
        [c2st(drawn[:, [k]], trials.samples[i][:, [k]], seed=seed + 1) for k in range(drawn.shape[1])] for i in which
    ]
    return UnidentifiedParameters(trials.prior, np.array(scores), shrinkage(trials).shrinkage[which])
