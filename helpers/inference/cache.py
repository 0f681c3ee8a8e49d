"""Trained posteriors, cached by a hash of everything that they were trained with (see helpers/cache.py).

An edited equation, statistic or prior, other data or another version of a library lead to another file, so a stale
posterior is never used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helpers.cache import cache_folder

from .fingerprint import fingerprint, versions
from .posterior import Posterior
from .priors import Prior

__all__ = ["fast_mode", "load_or_train"]

PACKAGES = "numpy", "numba", "torch", "sbi"


def fast_mode() -> bool:
    """Tell whether PYHH_FAST is set (to anything but 0): notebooks then use small budgets, for testing only."""
    return os.environ.get("PYHH_FAST", "0") not in ("", "0")


def load_or_train(
    name: str,
    train: Callable[[], Posterior],
    *,
    prior: Prior,
    settings: Sequence[Any],
    statistics: Sequence[str] = (),
    folder: Path | None = None,
) -> Posterior:
    """Return the cached posterior that was trained with the same ingredients; otherwise train and cache it.

    The ingredients are the code of `train` and of all that it calls in this repository, the data that it refers to, the
    other arguments, and the versions of NumPy, Numba, torch and sbi; see fingerprint.py. An interrupted training is not
    cached.

    Parameters
    ----------
    name
        First part of the name of the file.
    train
        A function without arguments that returns the posterior.
    prior, settings, statistics
        What the posterior must have been trained with.
    folder
        Where the file is, by default the cache of this series.

    Raises
    ------
    ValueError
        For an iterator among the ingredients.
    """
    made_of = fingerprint(train, prior.as_data(), tuple(settings), tuple(statistics), versions(*PACKAGES))
    path = (folder or cache_folder("networks")) / f"{name}-{made_of[:16]}.npz"
    try:
        return Posterior.load(path, prior=prior, statistics=statistics)
    except (FileNotFoundError, ValueError):  # a damaged or outdated file is replaced
        posterior = train()
    if not posterior.interrupted:
        path.parent.mkdir(exist_ok=True)
        posterior.save(path)
    return posterior
