"""Trained posteriors that a notebook makes when it runs for the first time, and keeps in the folder trained/."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .inference import Posterior
from .priors import Prior

__all__ = ["FOLDER", "fast", "load_or_train"]

FOLDER = Path("trained")


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
    folder: Path = FOLDER,
) -> Posterior:
    """The posterior kept in `folder` under `name`; where there is none for these settings, `train` it and keep it.

    settings: everything that it depends on besides prior and statistics, e.g. an experiment and numbers; what is kept
    is taken only if all of these are the same, by their text. An interrupted training is not kept.
    """
    told = hashlib.sha256(repr((prior.as_data(), tuple(settings), tuple(statistics))).encode()).hexdigest()
    path = folder / f"{name}-{told[:8]}.npz"
    try:
        return Posterior.load(path, prior=prior, statistics=statistics)
    except (FileNotFoundError, ValueError):  # a damaged or outdated file is made anew
        posterior = train()
    if not posterior.interrupted:
        folder.mkdir(exist_ok=True)
        posterior.save(path)
    return posterior
