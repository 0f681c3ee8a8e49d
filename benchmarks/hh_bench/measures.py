"""What is measured of a method: distance to the reference, and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.inference.diagnostics.c2st import c2st
from helpers.inference.diagnostics.calibration import coverage, sbc
from helpers.inference.diagnostics.trials import Sampler, run_trials

from .methods import Simulate
from .task import Task

__all__ = ["calibration", "compared"]

LEVEL = 0.9


def compared(reference: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """Compare draws (n, n_parameters) with a reference: C2ST and, by parameter, SD ratio and shift in its SDs."""
    middle, sd = reference.mean(axis=0), reference.std(axis=0)
    return {
        "c2st": round(c2st(reference, draws), 4),
        "sd_ratio": _short(draws.std(axis=0) / sd),
        "shift": _short((draws.mean(axis=0) - middle) / sd),
    }


def calibration(task: Task, sampler: Sampler, simulate: Simulate, trials: int, draws: int, seed: int) -> dict[str, Any]:
    """At new truths from the prior: how many central 90 % intervals hold the truth, by parameter, and p of SBC.

    p is that of the worst parameter, times the number of parameters.
    """
    truths = task.prior.draw(trials, seed)
    found = run_trials(sampler, task.prior, truths, simulate(truths, seed + 1), seed=seed + 2, samples=draws)
    held = coverage(found).coverage_at(LEVEL)[1:]  # the first is the joint one
    least = float(sbc(found, seed=seed + 3).p.min())
    return {"coverage": _short(held), "p": float(f"{min(1.0, least * len(held)):.2g}")}


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]
