"""What two parameters do for each other while all others are fixed."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from sbi.analysis import conditional_corrcoeff

from helpers.validation import numbers, whole_number

from ..posterior import Posterior

__all__ = ["conditional_correlations"]

REACH = 3.0  # SDs of a parameter, were all others known, to either side of the point


def conditional_correlations(
    posterior: Posterior, x_o: np.ndarray, draws: np.ndarray, *, resolution: int = 20
) -> np.ndarray:
    """Correlation of each pair of parameters in the posterior while all others are held at its densest draw, by sbi.

    Parameters
    ----------
    posterior
        A trained posterior of three parameters or more.
    x_o
        The observed statistics, (n_statistics,).
    draws
        Draws of the posterior at `x_o`, (n, n_parameters).
    resolution
        Points of the grid along each of the two parameters.

    Returns
    -------
    ndarray
        (n_parameters, n_parameters), from -1 to 1.

    References
    ----------
    Gonçalves et al. 2020, eLife 9:e56261.
    """
    prior, resolution = posterior.prior, whole_number("resolution", resolution, 5)
    draws = numbers("draws", draws, shape=(None, len(prior.names)))
    densest = draws[np.argmax(posterior.log_prob(draws, x_o))]
    reach = REACH / np.sqrt(np.diag(np.linalg.inv(np.cov(draws.T))))
    ends = np.stack([np.maximum(densest - reach, prior.lower), np.minimum(densest + reach, prior.upper)], axis=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.meshgrid")
        density = posterior.sbi().set_default_x(torch.as_tensor(np.asarray(x_o)[None]))
        found = conditional_corrcoeff(
            density, torch.as_tensor(ends), torch.as_tensor(densest[None]), resolution=resolution
        )
    return found.numpy()
