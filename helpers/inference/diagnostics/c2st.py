"""The classifier two-sample test: how well two sets of samples can be told apart."""

from __future__ import annotations

import numpy as np
import torch
from sbi.utils import metrics

from helpers.validation import one_of, plain, whole_number

__all__ = ["c2st"]


def c2st(a: np.ndarray, b: np.ndarray, *, seed: int = 1, at_most: int = 2000, classifier: str = "mlp") -> float:
    """Share of samples that a classifier trained on the others sorts into the right set: 0.5 if both are one
    distribution.

    a, b: samples (n, n_parameters); the first `at_most` of each are used, as many of one as of the other.
    classifier: "mlp" (a small network, as in Lueckmann et al. 2021, AISTATS) or "rf" (random forest, less sensitive
    here).
    Source: Lopez-Paz & Oquab 2017, ICLR; five-fold cross-validation by sbi. The result scatters by about 0.01.
    Raises ValueError for samples that do not fit together or are not finite.
    """
    sets = [plain(name, values, "samples (n, n_parameters)") for name, values in (("a", a), ("b", b))]
    seed, at_most = whole_number("seed", seed, 0, 2**32 - 1), whole_number("at_most", at_most, 1)
    one_of("classifier", classifier, ("mlp", "rf"))
    if any(values.ndim != 2 for values in sets) or sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"samples of shape {sets[0].shape} and {sets[1].shape}; allowed: two of (n, n_parameters)")
    count = min(at_most, *map(len, sets))
    if count < 50:
        raise ValueError(f"{count} samples are too few to tell two sets apart; allowed: at least 50")
    if not all(np.isfinite(values).all() for values in sets):
        raise ValueError("samples hold values that are not finite")
    if max(np.abs(values).max() for values in sets) > 1e100:
        raise ValueError("samples hold values beyond 1e100: their square overflows")
    centre, spread = sets[0].mean(axis=0), sets[0].std(axis=0)  # in double precision: posteriors can be narrow
    scaled = [(values[:count] - centre) / np.where(spread > 0, spread, 1.0) for values in sets]
    return float(
        metrics.c2st(*(torch.as_tensor(values).float() for values in scaled), seed=seed, classifier=classifier)
    )
