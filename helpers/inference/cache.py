"""Trained posteriors that a notebook makes when it runs for the first time, and keeps (see helpers/cache.py).

What is kept is found again by the content of what made it, so that an edited equation, statistic or prior, other data
or another version of a library is trained on anew, and the old posterior is never taken for the new one.
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

__all__ = ["fast", "load_or_train"]

PACKAGES = "numpy", "numba", "torch", "sbi"


def fast() -> bool:
    """Whether PYHH_FAST is set (to anything but 0): notebooks then take small budgets, for testing only."""
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
    """The posterior kept under `name`; where none was made of the same things, `train` it and keep it.

    folder: where it is kept, by default the cache of this series.

    The same things are: what Python runs of `train` and of all that it calls in this repository, the data and settings
    that it refers to (arrays by their bits), prior, statistics and settings, and the versions of NumPy, Numba, torch
    and sbi. See fingerprint.py. A list that `train` itself changes counts with what is in it at the call.
    An interrupted training is not kept. Raises ValueError where the content of something cannot be told.
    """
    made_of = fingerprint(train, prior.as_data(), tuple(settings), tuple(statistics), versions(*PACKAGES))
    path = (folder or cache_folder("networks")) / f"{name}-{made_of[:16]}.npz"
    try:
        return Posterior.load(path, prior=prior, statistics=statistics)
    except (FileNotFoundError, ValueError):  # a damaged or outdated file is made anew
        posterior = train()
    if not posterior.interrupted:
        path.parent.mkdir(exist_ok=True)
        posterior.save(path)
    return posterior
