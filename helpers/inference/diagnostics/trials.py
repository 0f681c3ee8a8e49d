"""Truths from the prior, what each gave, and posterior draws for each: what every check of a posterior works on.

Any posterior that has `sample(n, x_o, seed)` can be tried.
"""

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
    if isinstance(posterior, Posterior):
        table = posterior.sample_each(samples, x, seed)
    else:
        seeds = np.random.SeedSequence(seed).generate_state(len(x))
        table = np.stack([posterior.sample(samples, row, int(own)) for row, own in zip(x, seeds, strict=True)])
    if table.shape != (len(theta), samples, theta.shape[1]) or not np.isfinite(table).all():
        raise ValueError(f"the posterior's draws have shape {table.shape} or are not finite")
    return Trials(prior, theta, x, table)


def as_tensor(values: np.ndarray, exact: bool = False) -> torch.Tensor:
    """An array as sbi takes it: in single precision, unless `exact`."""
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64 if exact else torch.float32)
