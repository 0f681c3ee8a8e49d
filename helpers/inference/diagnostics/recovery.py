"""Is a posterior right? Checks over many truths, each of which would fail if it were wrong in one particular way.

First `run_trials`: truths from the prior, what each gave, and posterior draws for each. Every check works on these, and
so on any posterior that has `sample(n, x_o, seed)`. The tests themselves are those of sbi.

What each check sees: `recovery` and `shrinkage` whether the truth is found and how much was learned; `sbc`, `coverage`
and `tarp` whether stated uncertainty is right on average; `dead_parameters` whether anything was learned at all: where
the posterior is the prior, calibration is perfect. Calibration stands in calibration.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from helpers.validation import plain, whole_number

from ..density_estimators import repeatable
from ..priors import Prior
from ..reference.references import c2st

__all__ = [
    "DeadParameters",
    "Recovery",
    "Sampler",
    "Shrinkage",
    "Trials",
    "dead_parameters",
    "recovery",
    "run_trials",
    "shrinkage",
]

LARGEST = 100_000  # draws that sbi makes at a time without a word of warning
BLOCK = 100  # observations at a time


class Sampler(Protocol):
    """Any posterior."""

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws of the parameters given the observation `x_o` (n_features,): (n, n_parameters)."""
        ...


@dataclass(frozen=True)
class Trials:
    """Truths from the prior, what each gave, and what the posterior says.

    theta: (n_trials, n_parameters) the truths. x: (n_trials, n_features) one observation for each.
    samples: (n_trials, n_samples, n_parameters) posterior draws given each observation.
    """

    prior: Prior
    theta: np.ndarray
    x: np.ndarray
    samples: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Posterior means, (n_trials, n_parameters)."""
        return self.samples.mean(axis=1)

    @property
    def sd(self) -> np.ndarray:
        """Posterior standard deviations, (n_trials, n_parameters)."""
        return self.samples.std(axis=1)

    # What sbi asks of a posterior: the draws that are there already, once each.
    def sample_batched(self, sample_shape: Sequence[int], x: torch.Tensor, **_: Any) -> torch.Tensor:
        assert tuple(sample_shape) == self.samples.shape[1:2] and len(x) == len(self.samples)
        return as_tensor(self.samples.swapaxes(0, 1))


def run_trials(
    posterior: Sampler, prior: Prior, theta: np.ndarray, x: np.ndarray, *, seed: int, samples: int = 500
) -> Trials:
    """Draw from the posterior of each observation `x` (n_trials, n_features) that the truths `theta` gave.

    x may also hold recordings, (n_trials, n_samples, n_channels), of a posterior that looks at these.

    theta (n_trials, n_parameters) must be new draws from the prior, not those of the training.
    Raises ValueError where shapes do not fit, values or draws are not finite, or there are fewer than 20 trials.
    """
    theta, x = prior.check(theta), np.array(plain("x", x, "one row for each trial"))
    seed, samples = whole_number("seed", seed), whole_number("samples", samples, 1)
    if theta.ndim != 2 or x.ndim < 2 or len(theta) != len(x):
        raise ValueError(f"theta {theta.shape} and x {x.shape} do not fit together; allowed: one row for each trial")
    if len(theta) < 20:
        raise ValueError(f"{len(theta)} trials say too little; allowed: at least 20, better 200")
    if not np.isfinite(x).all():
        row = np.argmin(np.isfinite(x).reshape(len(x), -1).all(axis=1))
        raise ValueError(f"x[{row}] is not finite: mend it or leave that trial out")
    if hasattr(posterior, "sbi"):
        posterior.check_reach("x", x)
        with repeatable(seed):
            blocks = as_tensor(x, exact=True).split(BLOCK)
            drawn = [_batch(posterior.sbi(), samples, block) for block in blocks]
        table = np.concatenate([block.swapaxes(0, 1) for block in drawn])
    else:
        seeds = np.random.SeedSequence(seed).generate_state(len(x))
        table = np.stack([posterior.sample(samples, row, int(own)) for row, own in zip(x, seeds, strict=True)])
    if table.shape != (len(theta), samples, theta.shape[1]) or not np.isfinite(table).all():
        raise ValueError(f"the posterior's draws have shape {table.shape} or are not finite")
    return Trials(prior, theta, x, table)


def _batch(posterior: Any, samples: int, x: torch.Tensor) -> np.ndarray:
    """Draws of an sbi posterior for several observations, (n_samples, n_observations, n_parameters)."""
    drawn = posterior.sample_batched(
        (samples,), x=x, show_progress_bars=False, max_sampling_batch_size=LARGEST // BLOCK
    )
    return drawn.detach().numpy().astype(float)


# ------------------------------------------------------------------------------------------------- what is recovered


@dataclass(frozen=True)
class Recovery:
    """Truth, posterior mean and SD of each trial, (n_trials, n_parameters)."""

    prior: Prior
    truth: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @property
    def r(self) -> np.ndarray:
        """Correlation of posterior mean and truth, (n_parameters,); 0 where the mean never varies."""
        centred = [values - values.mean(axis=0) for values in (self.truth, self.mean)]
        spread = np.sqrt((centred[0] ** 2).sum(axis=0) * (centred[1] ** 2).sum(axis=0))
        return (centred[0] * centred[1]).sum(axis=0) / np.where(spread > 0, spread, 1.0)

    @property
    def R2(self) -> np.ndarray:
        """Share of the variance of the truth that the posterior mean explains, (n_parameters,); negative if it
        misleads."""
        return 1.0 - ((self.mean - self.truth) ** 2).sum(axis=0) / ((self.truth - self.truth.mean(axis=0)) ** 2).sum(
            axis=0
        )

    def __str__(self) -> str:
        rows = zip(self.prior.names, self.r, self.R2, strict=True)
        return lines(f"recovery of {len(self.truth)} truths", (f"{n}: r {r:.3f}, R2 {R2:.3f}" for n, r, R2 in rows))


def recovery(trials: Trials) -> Recovery:
    """How well posterior means find the truths."""
    return Recovery(trials.prior, trials.theta, trials.mean, trials.sd)


@dataclass(frozen=True)
class Shrinkage:
    """For each trial and parameter, (n_trials, n_parameters).

    shrinkage: 1 - (posterior SD / prior SD)²: 0 nothing learned, 1 everything. z: (posterior mean - truth) / posterior
    SD.
    Source: Betancourt 2018, arXiv:1803.08393; Schad, Betancourt & Vasishth 2021, Psychol Methods 26:103.
    """

    prior: Prior
    shrinkage: np.ndarray
    z: np.ndarray

    def __str__(self) -> str:
        rows = zip(
            self.prior.names, np.median(self.shrinkage, axis=0), np.sqrt(np.mean(self.z**2, axis=0)), strict=True
        )
        return lines(
            "shrinkage (median) and size of z (root mean square; 1 if uncertainty is stated rightly)",
            (f"{name}: shrinkage {shrinkage:.4f}, z {z:.2f}" for name, shrinkage, z in rows),
        )


def shrinkage(trials: Trials) -> Shrinkage:
    """How much narrower the posterior is than the prior, and how far the truth lies from its middle."""
    prior_sd = trials.prior.draw(10_000, seed=0).std(axis=0)
    sd = np.maximum(trials.sd, 1e-12 * prior_sd)
    return Shrinkage(trials.prior, 1.0 - (sd / prior_sd) ** 2, (trials.mean - trials.theta) / sd)


# --------------------------------------------------------------------------------------------------- dead parameters


@dataclass(frozen=True)
class DeadParameters:
    """Which parameters the data say nothing about: their posterior is the prior at every observation.

    c2st: (n_trials, n_parameters) of posterior against prior, 0.5 if they are the same; shrinkage: (n_trials,
    n_parameters).
    """

    prior: Prior
    c2st: np.ndarray
    shrinkage: np.ndarray

    @property
    def dead(self) -> np.ndarray:
        """(n_parameters,): the classifier is right in less than 56 % of cases at the median observation."""
        return np.median(self.c2st, axis=0) < 0.56

    def __str__(self) -> str:
        rows = zip(
            self.prior.names, np.median(self.c2st, axis=0), np.median(self.shrinkage, axis=0), self.dead, strict=True
        )
        return lines(
            f"posterior against prior (medians over {len(self.c2st)} observations)",
            (
                f"{n}: c2st {c:.2f}, shrinkage {s:.2f}{': DEAD, nothing was learned' if d else ''}"
                for n, c, s, d in rows
            ),
        )


def dead_parameters(trials: Trials, *, seed: int, observations: int = 5) -> DeadParameters:
    """Compare the posterior of each parameter with its prior at a few of the trials.

    Calibration cannot do this: the prior is a perfectly calibrated posterior.
    """
    observations = whole_number("observations", observations, 1)
    drawn = trials.prior.draw(max(trials.samples.shape[1], 50), seed)
    which = np.linspace(0, len(trials.theta) - 1, observations).astype(int)
    columns = range(drawn.shape[1])
    told_apart = [[c2st(drawn[:, [k]], trials.samples[i][:, [k]], seed=seed + 1) for k in columns] for i in which]
    return DeadParameters(trials.prior, np.array(told_apart), shrinkage(trials).shrinkage[which])


# ------------------------------------------------------------------------------------------------------------- shared


def as_tensor(values: np.ndarray, exact: bool = False) -> torch.Tensor:
    """An array as sbi takes it: in single precision, unless `exact`."""
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64 if exact else torch.float32)


def lines(title: str, rows: Iterable[str]) -> str:
    """A title, and rows set in below it."""
    return "\n  ".join([title, *rows])
