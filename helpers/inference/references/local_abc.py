"""Local rejection ABC: very many simulations around the posterior, of which the nearest are kept."""

from __future__ import annotations

import numpy as np
import torch

from helpers.validation import number, numbers, whole_number

from ..local_noise import same_counts
from ..priors import Prior
from .common import Simulator
from .region import Region, nearest
from .rejection_abc import AbcPosterior

__all__ = ["local_abc"]

CHUNK = 100_000  # simulations at a time


def local_abc(
    simulate: Simulator,
    prior: Prior,
    x_o: np.ndarray,
    start: Region,
    *,
    seed: int,
    simulations: int = 1_000_000,
    accept: int = 1000,
    reach: float = 5.0,
) -> AbcPosterior:
    """Posterior by rejection ABC with a quadratic regression, from simulations drawn around a rough posterior.

    It assumes no shape of the noise, and no likelihood. What it assumes is that the accepted simulations are near
    enough for a regression to take the rest of the way: compare results with other numbers of accepted ones.

    Parameters
    ----------
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Of any form.
    x_o
        The observed statistics, (n_statistics,).
    start
        The rough posterior, by `find_region`.
    seed
        Of everything random.
    simulations, accept
        How many are made and, of those with the observed counts, kept.
    reach
        Half-width of the box that is drawn from, in SDs of the rough posterior.

    Raises
    ------
    ValueError
        If fewer than twice as many simulations as are to be kept have the observed counts.

    References
    ----------
    Beaumont, Zhang & Balding 2002, Genetics 162:2025. Quadratic: Blum 2010, J Am Stat Assoc 105:1178.
    """
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    accept = whole_number("accept", accept, 100)
    simulations = whole_number("simulations", simulations, 2 * accept)
    u = start.draw(simulations, number("reach", reach, low=1.0), np.random.default_rng(seed))
    theta = start.theta(u)
    blocks = [theta[k : k + CHUNK] for k in range(0, simulations, CHUNK)]
    x = np.concatenate([np.asarray(simulate(one, seed + 1 + k), dtype=float) for k, one in enumerate(blocks)])
    same, counts = same_counts(x, x_o)
    if same.sum() < 2 * accept:
        raise ValueError(
            f"{same.sum()} of {simulations} simulations have the observed {x_o[counts]} in statistics "
            f"{np.flatnonzero(counts)}; allowed: at least {2 * accept}, twice as many as are accepted"
        )
    found, weights, tolerance = nearest(u, x, x_o, accept, quadratic=True)
    theta = start.theta(found)
    density = prior.log_prob(torch.as_tensor(theta)).double().numpy()  # minus infinity for what the shift put outside
    weights = weights * np.exp(density - density.max())
    return AbcPosterior(prior, x_o, theta, weights / weights.sum(), tolerance, simulations, True)
