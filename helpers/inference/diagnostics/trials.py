"""Truths from the prior, what each gave, and posterior draws for each: what every check of a posterior works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from helpers.validation import plain, whole_number

from ..posterior import Posterior
from ..priors import Prior

__all__ = ["Sampler", "Trials", "run_trials"]


class Sampler(Protocol):
    """Any posterior."""

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """Draw `n` parameter sets given the observation `x_o` (n_statistics,): (n, n_parameters)."""
        ...


@dataclass(frozen=True)
class Trials:
    """Truths from the prior, one observation for each, and posterior draws given each observation.

    Attributes
    ----------
    theta
        The truths, (n_trials, n_parameters).
    x
        The observations, (n_trials, n_statistics) or recordings (n_trials, n_samples, n_channels).
    samples
        The posterior draws, (n_trials, n_samples, n_parameters).
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

    def sample_batched(self, sample_shape: Sequence[int], x: torch.Tensor, **_: Any) -> torch.Tensor:
        """Return the draws, (n_samples, n_trials, n_parameters): to sbi's diagnostics, `Trials` is the posterior."""
        assert tuple(sample_shape) == self.samples.shape[1:2] and len(x) == len(self.samples)
        return as_tensor(self.samples.swapaxes(0, 1))


def run_trials(
    posterior: Sampler, prior: Prior, theta: np.ndarray, x: np.ndarray, *, seed: int, samples: int = 500
) -> Trials:
    """Draw from the posterior of each of many observations whose truth is known.

    Parameters
    ----------
    posterior
        A trained `Posterior`, or anything with `sample(n, x_o, seed)`.
    prior
        The prior that the truths are from.
    theta
        The truths, (n_trials, n_parameters): new draws from the prior, not those of the training; at least 20.
    x
        What each truth gave, (n_trials, n_statistics); for a posterior with an embedding, recordings (n_trials,
        n_samples, n_channels).
    seed
        Seed of the posterior draws.
    samples
        Posterior draws for each observation.

    Raises
    ------
    ValueError
        For shapes that do not fit, values or draws that are not finite, and fewer than 20 trials.
    """
    theta, x = prior.check(theta), np.array(plain("x", x, "one row for each trial"))
    seed, samples = whole_number("seed", seed), whole_number("samples", samples, 1)
    if theta.ndim != 2 or x.ndim < 2 or len(theta) != len(x):
        raise ValueError(f"theta {theta.shape} and x {x.shape} do not fit together; allowed: one row for each trial")
    if len(theta) < 20:
        raise ValueError(f"{len(theta)} trials say too little; allowed: at least 20, better 200")
    if not np.isfinite(x).all():
        row = np.argmin(np.isfinite(x).reshape(len(x), -1).all(axis=1))
        raise ValueError(f"x[{row}] is not finite: fix it or leave that trial out")
    if isinstance(posterior, Posterior):
        table = posterior.sample_each(samples, x, seed)
    else:
        seeds = np.random.SeedSequence(seed).generate_state(len(x))
        table = np.stack([posterior.sample(samples, row, int(own)) for row, own in zip(x, seeds, strict=True)])
    if table.shape != (len(theta), samples, theta.shape[1]) or not np.isfinite(table).all():
        raise ValueError(f"the posterior's draws have shape {table.shape} or are not finite")
    return Trials(prior, theta, x, table)


def as_tensor(values: np.ndarray) -> torch.Tensor:
    """Return an array in single precision, as sbi takes it."""
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)
