"""Which Boolean functions of its inputs one unit can compute: by linear programming, so that "cannot" is a proof."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.optimize import linprog

from helpers.validation import numbers

__all__ = ["band_separable", "separable"]


def separable(x: np.ndarray, y: Sequence[bool]) -> bool:
    """Test whether some w and b give w·x + b >= 1 where y is true and <= -1 elsewhere.

    This is what a unit with a rising activation function and a threshold can do. (Any gap can be scaled to 1 and -1.)

    Parameters
    ----------
    x
        Inputs (n, n_inputs).
    y
        Desired output for each (n,).
    """
    x, true = _checked(x, y)
    side = np.where(true, 1.0, -1.0)
    rows = -side[:, None] * np.column_stack([x, np.ones(len(x))])
    found = linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(x)), bounds=(None, None))
    return found.status == 0


def band_separable(x: np.ndarray, y: Sequence[bool]) -> bool:
    """Test whether some w, b and c > 0 give |w·x + b| <= c - 1 where y is true and >= c + 1 elsewhere.

    This is what a unit can do whose activation function rises and falls again. Each input without output lies below
    the band or above it, and every such choice is tried.

    Parameters
    ----------
    x
        Inputs (n, n_inputs).
    y
        Desired output for each (n,).
    """
    x, true = _checked(x, y)
    inside, outside = x[true], x[~true]
    for sides in product((-1.0, 1.0), repeat=len(outside)):
        rows = [[*point * s, s, -1.0] for point in inside for s in (-1.0, 1.0)]  # s·(w·x + b) - c <= -1
        rows += [[*(-s * point), -s, 1.0] for point, s in zip(outside, sides, strict=True)]  # c - s·(w·x + b) <= -1
        bounds = [(None, None)] * (x.shape[1] + 1) + [(0.0, None)]
        if linprog(np.zeros(x.shape[1] + 2), rows, -np.ones(len(rows)), bounds=bounds).status == 0:
            return True
    return False


def _checked(x: np.ndarray, y: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, n_inputs) and true or false for each (n,)."""
    x = numbers("x", x, shape=(None, None), low=-1e9, high=1e9)
    true = numbers("y", y, shape=(len(x),), low=0.0, high=1.0)
    if not np.isin(true, (0.0, 1.0)).all():
        raise ValueError("y holds numbers other than 0 and 1; allowed: true or false for each input")
    return x, true.astype(bool)
