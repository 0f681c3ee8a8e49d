"""A reference that one can rely on: two methods that share no assumption, compared."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from helpers.validation import numbers, whole_number

from ..priors import Prior
from ..references.common import Simulator
from ..references.local_abc import local_abc
from ..references.region import find_region
from ..references.rejection_abc import AbcPosterior
from ..references.synthetic_likelihood import GridPosterior, synthetic_likelihood
from ..warning_classes import ReferenceWarning
from .c2st import c2st

__all__ = ["Reference", "reference"]

N_DRAWS = 4000
MAX_C2ST = 0.57
MAX_SD_RATIO = 1.15
MAX_CORRELATION = 0.15  # difference


@dataclass(frozen=True)
class Reference:
    """The posterior at one observation by two methods that share no assumption.

    Attributes
    ----------
    likelihood
        By synthetic likelihood: assumes that log-likelihoods are smooth over the parameters, and that mixtures of
        normals describe the noise.
    abc
        By local rejection ABC: assumes that a regression takes simulations near the observation the rest of the way.
    samples
        4,000 draws of each, in this order.
    c2st
        Classifier two-sample test of the two; 0.5 where they cannot be told apart.
    sd_ratio
        SDs by ABC over those by synthetic likelihood, (n_parameters,).
    correlation
        Of the parameters, by either method: (2, n_parameters, n_parameters).
    """

    likelihood: GridPosterior
    abc: AbcPosterior
    samples: tuple[np.ndarray, np.ndarray]
    c2st: float
    sd_ratio: np.ndarray
    correlation: np.ndarray

    @property
    def agree(self) -> bool:
        """Whether C2ST is at most 0.57, SDs differ by at most 15 % and correlations by at most 0.15."""
        return bool(
            self.c2st <= MAX_C2ST
            and (np.abs(np.log(self.sd_ratio)) <= np.log(MAX_SD_RATIO)).all()
            and np.ptp(self.correlation, axis=0).max() <= MAX_CORRELATION
        )

    @property
    def n_simulations(self) -> int:
        """Simulations of both methods."""
        return self.likelihood.n_simulations + self.abc.n_simulations

    def __str__(self) -> str:
        names = self.likelihood.prior.names
        lines = [f"{'':22}" + "".join(f"{name:>14}{'SD':>11}" for name in names)]
        for title, draws in zip(("synthetic likelihood", "local ABC"), self.samples, strict=True):
            cells = zip(draws.mean(axis=0), draws.std(axis=0), strict=True)
            lines.append(f"{title:22}" + "".join(f"{mean:14.6g}{sd:11.3g}" for mean, sd in cells))
        pairs = zip(*np.triu_indices(len(names), 1), strict=True)
        correlations = ", ".join(
            f"{names[i]} and {names[j]} {self.correlation[0, i, j]:.2f} and {self.correlation[1, i, j]:.2f}"
            for i, j in pairs
        )
        verdict = "they agree" if self.agree else "THEY DISAGREE"
        return "\n".join([*lines, f"correlation: {correlations}; C2ST {self.c2st:.3f}: {verdict}"])


def reference(
    simulate: Simulator,
    prior: Prior,
    x_o: np.ndarray,
    *,
    seed: int,
    points: int = 200,
    repeats: int = 2000,
    simulations: int = 1_000_000,
    accept: int = 1000,
) -> Reference:
    """Compute the posterior at `x_o` twice, by synthetic likelihood and by local rejection ABC, and compare the two.

    Two runs of one method agree also where the method is wrong. Emits a `ReferenceWarning` if the two disagree.

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Over at most 3 parameters.
    x_o
        The observed statistics, (n_statistics,).
    seed
        Of everything random.
    points, repeats
        Of `synthetic_likelihood`.
    simulations, accept
        Of `local_abc`.

    Raises
    ------
    ValueError
        Where one of the methods does not apply, with its reason.
    """
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    region = find_region(simulate, prior, x_o, seed=seed)
    likelihood = synthetic_likelihood(
        simulate, prior, x_o, region, seed=seed + 100_000, points=points, repeats=repeats
    )
    abc = local_abc(simulate, prior, x_o, region, seed=seed + 200_000, simulations=simulations, accept=accept)
    samples = likelihood.sample(N_DRAWS, x_o, seed), abc.sample(N_DRAWS, x_o, seed + 1)
    distance = c2st(*samples, seed=seed)
    correlation = np.array([np.atleast_2d(np.corrcoef(one.T)) for one in samples])
    found = Reference(
        likelihood, abc, samples, distance, samples[1].std(axis=0) / samples[0].std(axis=0), correlation
    )
    if not found.agree:
        warnings.warn(
            f"two references of different kinds disagree, and nothing should be measured against either:\n{found}",
            ReferenceWarning,
            stacklevel=2,
        )
    return found
