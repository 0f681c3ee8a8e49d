"""Descent to where simulations come near an observation: many Levenberg-Marquardt searches, simulated side by side.

Simulations drawn from a wide prior over many parameters are all far from an observation, and say little about where to
go. Following the slopes of all statistics at once takes some fifteen simulations a step, and a few steps. What is found
are not draws of a posterior: they tell a sampler where to begin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Descent", "descend"]

DIFFERENCE = 0.05  # of a coordinate, in SDs of the prior: far beyond the noise of most simulators
LONGEST = 1.0  # step
DAMPINGS = np.array([0.1, 1.0, 10.0])  # tried in every step, times that of the search
OUTLYING = 6.0  # tolerances; a residual counts less beyond
FLAT = 60.0  # tolerances; such a residual has no slope that leads anywhere, as where there is no spike
MOST = 20.0  # tolerances; what a residual costs at most
KEPT, LEAST = 0.75, 6  # share of the searches that go on after a step, and how many at least


@dataclass(frozen=True)
class Descent:
    """What was found.

    Attributes
    ----------
    ends
        Where the best searches ended, best first, (n_ends, d).
    curvatures
        Of -log posterior there, by Gauss and Newton, (n_ends, d, d).
    tried
        All points that were simulated, (n, d).
    residuals
        Theirs, (n, n_statistics).
    """

    ends: np.ndarray
    curvatures: np.ndarray
    tried: np.ndarray
    residuals: np.ndarray


def descend(
    residuals: Callable[[np.ndarray], np.ndarray], starts: np.ndarray, rng: np.random.Generator, steps: int = 8
) -> Descent:
    """Search from several starts for the largest posterior.

    After every step the worst quarter of the searches ends.

    Parameters
    ----------
    residuals
        Maps coordinates (n, d), in which the prior is standard normal, to (statistics - observed) / tolerance,
        (n, n_statistics).
    starts
        (n_starts, d).
    rng
        Chooses the sides of the differences.
    steps
        Of each search; a step takes d + 3 simulations.

    References
    ----------
    Marquardt 1963, J Soc Ind Appl Math 11:431.
    """
    z, damping = np.array(starts, dtype=float), np.ones(len(starts))
    d = z.shape[1]
    tried, found = [z], [residuals(z)]
    r = found[0]
    slopes = np.zeros((len(z), d, r.shape[1]))
    for _ in range(steps):
        side = DIFFERENCE * rng.choice([-1.0, 1.0], z.shape)
        beside = z[:, None] + side[:, :, None] * np.eye(d)
        moved = residuals(beside.reshape(-1, d))
        slopes = (moved.reshape(len(z), d, -1) - r[:, None]) / side[:, :, None]
        aims = np.stack([_steps(*each) for each in zip(z, r, slopes, damping, strict=True)])  # (n, 3, d)
        there = residuals(aims.reshape(-1, d))
        tried += [beside.reshape(-1, d), aims.reshape(-1, d)]
        found += [moved, there]
        there = there.reshape(len(z), len(DAMPINGS), -1)
        cost, each = _cost(aims, there), np.arange(len(z))
        best = cost.argmin(axis=1)
        better = cost[each, best] < _cost(z, r)
        z = np.where(better[:, None], aims[each, best], z)
        r = np.where(better[:, None], there[each, best], r)
        damping = np.where(better, 0.5 * damping * DAMPINGS[best], 10.0 * damping).clip(1e-3, 1e3)
        keep = np.argsort(_cost(z, r))[: max(LEAST, int(KEPT * len(z)))]
        z, r, damping, slopes = z[keep], r[keep], damping[keep], slopes[keep]
    near = slopes * (np.abs(r) < MOST)[:, None]
    return Descent(z, near @ near.transpose(0, 2, 1) + np.eye(d), np.concatenate(tried), np.concatenate(found))


def _steps(z: np.ndarray, r: np.ndarray, slopes: np.ndarray, damping: float) -> np.ndarray:
    """Where to go from z (d,) with each of the dampings, (3, d)."""
    slopes = np.where(np.abs(r) < FLAT, slopes, 0.0).clip(-MOST / DIFFERENCE, MOST / DIFFERENCE)
    r = r.clip(-MOST, MOST)
    weight = 1.0 / (1.0 + (r / OUTLYING) ** 2)
    curvature = (slopes * weight) @ slopes.T + np.eye(len(z))
    gradient = (slopes * weight) @ r + z
    aims = []
    for scale in damping * DAMPINGS:
        move = -np.linalg.solve(curvature + scale * np.diag(np.diag(curvature)), gradient)
        aims.append(z + move * min(1.0, LONGEST / np.linalg.norm(move)))
    return np.array(aims)


def _cost(z: np.ndarray, r: np.ndarray) -> np.ndarray:
    return (r.clip(-MOST, MOST) ** 2).sum(axis=-1) + (z**2).sum(axis=-1)
