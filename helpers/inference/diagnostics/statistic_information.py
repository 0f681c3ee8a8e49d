"""What each summary statistic knows about each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.validation import numbers

from ..references.local_gaussian import LocalGaussian

__all__ = ["StatisticInformation", "statistic_information"]


@dataclass(frozen=True)
class StatisticInformation:
    """What each statistic tells about each parameter at one point of parameter space.

    Attributes
    ----------
    names, parameters
        Names of statistics and parameters.
    noise, over_prior
        SD of each statistic over repeats and over the prior, (n_statistics,) each.
    sensitivity
        Change of the statistic, in units of its noise, when the parameter moves by one prior SD, (n_statistics,
        n_parameters).
    alone
        Posterior SD / prior SD if this were the only statistic and all other parameters were known, (n_statistics,
        n_parameters).
    without
        Posterior SD if this statistic were left out, over the posterior SD with all of them, (n_statistics,
        n_parameters).
    """

    names: tuple[str, ...]
    parameters: tuple[str, ...]
    noise: np.ndarray
    over_prior: np.ndarray
    sensitivity: np.ndarray
    alone: np.ndarray
    without: np.ndarray

    @property
    def uninformative(self) -> np.ndarray:
        """Which statistics, alone, narrow no parameter below 90 % of its prior SD, (n_statistics,)."""
        return np.all(self.alone > 0.9, axis=1)

    def __str__(self) -> str:
        head = ["statistic", "noise SD", "prior SD", "ratio", *(f"per SD of {p}" for p in self.parameters)]
        head += [f"{p} without it" for p in self.parameters]
        rows = [head]
        for j, name in enumerate(self.names):
            ratio = f"{self.over_prior[j] / self.noise[j]:.3g}" if self.noise[j] > 0 else "-"
            cells = [name, f"{self.noise[j]:.3g}", f"{self.over_prior[j]:.3g}", ratio]
            cells += [f"{value:+.3g}" for value in self.sensitivity[j]] + [
                f"× {value:.3g}" for value in self.without[j]
            ]
            rows.append(cells)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows)


def statistic_information(local: LocalGaussian, x: np.ndarray, names: Sequence[str]) -> StatisticInformation:
    """What each statistic tells about each parameter, from the Fisher information of a local Gaussian posterior.

    A statistic without noise that does not change there (mostly a spike count) has sensitivity 0.

    Parameters
    ----------
    local
        Repeated simulations at and around one point, by `local_gaussian`.
    x
        Statistics of simulations from the prior, (n, n_statistics).
    names
        Names of the statistics.
    """
    x = numbers("x", x, low=-1e100, high=1e100)
    if x.ndim != 2 or x.shape[1] != len(local.centre) or len(names) != len(local.centre):
        raise ValueError(f"x {x.shape} and {len(names)} names; allowed: (n, {len(local.centre)}) and as many names")
    prior_sd = local.prior.draw(10_000, seed=0).std(axis=0)
    noise = np.sqrt(np.diag(local.noise))
    response = np.abs(local.jacobian) / np.where(noise > 0, noise, np.inf)[:, None]
    without = np.ones_like(response)
    for j in np.flatnonzero(local.used):
        others = local.used & (np.arange(len(noise)) != j)
        without[j] = _sd(local, others) / local.sd
    return StatisticInformation(
        tuple(names), local.prior.names, noise, x.std(axis=0),
        np.sign(local.jacobian) * response * prior_sd, 1.0 / np.sqrt(1.0 + (response * prior_sd) ** 2), without,
    )  # fmt: skip


def _sd(local: LocalGaussian, used: np.ndarray) -> np.ndarray:
    """Posterior SDs (n_parameters,) from a part of the statistics; infinite if they leave a parameter undetermined."""
    slope = local.jacobian[used]
    precision = slope.T @ np.linalg.pinv(local.noise[np.ix_(used, used)], hermitian=True) @ slope
    scaled = precision * np.outer(local.sd, local.sd)  # free of units, so that one limit suits all parameters
    if used.sum() == 0 or np.linalg.matrix_rank(scaled, hermitian=True) < len(scaled):
        return np.full(len(local.sd), np.inf)
    return local.sd * np.sqrt(np.diag(np.linalg.inv(scaled)))
