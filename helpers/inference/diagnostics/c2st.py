"""The classifier two-sample test: how well two sets of samples can be told apart."""

from __future__ import annotations

import numpy as np
import torch
from sbi.utils import metrics

from helpers.validation import one_of, plain, whole_number

__all__ = ["c2st"]


def c2st(a: np.ndarray, b: np.ndarray, *, seed: int = 1, at_most: int = 2000, classifier: str = "mlp") -> float:
    """Share of samples that a classifier assigns to the right set (five-fold cross-validation by sbi).

    0.5 if both sets come from one distribution, 1 if they do not overlap. The result scatters by about 0.01.

    Parameters
    ----------
    a, b
        Samples (n, n_parameters) and (m, n_parameters), at least 50 of each.
    seed
        Seed of the classifier.
    at_most
        How many of each set are used: the first ones, as many of one as of the other.
    classifier
        "mlp", a small network as in Lueckmann et al. 2021 (AISTATS), or "rf", a random forest, less sensitive here.

    Raises
    ------
    ValueError
        For samples that do not fit together or are not finite.

    References
    ----------
    Lopez-Paz & Oquab 2017, ICLR.
    """
    sets = [plain(name, values, "samples (n, n_parameters)") for name, values in (("a", a), ("b", b))]
    seed, at_most = whole_number("seed", seed, 0, 2**32 - 1), whole_number("at_most", at_most, 1)
    one_of("classifier", classifier, ("mlp", "rf"))
    if any(values.ndim != 2 for values in sets) or sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"samples of shape {sets[0].shape} and {sets[1].shape}; allowed: two of (n, n_parameters)")
    count = min(at_most, *map(len, sets))
    if count < 50:
        raise ValueError(f"{count} samples are too few to tell two sets apart; allowed: at least 50")
    if not all((np.abs(values) <= 1e100).all() for values in sets):  # the square of a larger one overflows
        raise ValueError("samples hold values that are not finite or exceed 1e100")
    centre, spread = sets[0].mean(axis=0), sets[0].std(axis=0)  # in double precision: posteriors can be narrow
    scaled = [(values[:count] - centre) / np.where(spread > 0, spread, 1.0) for values in sets]
    return float(
        metrics.c2st(*(torch.as_tensor(values).float() for values in scaled), seed=seed, classifier=classifier)
    )
