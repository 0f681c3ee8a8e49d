"""Fit a recorded cell: from a file to a posterior, what it predicts, and a verdict."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.inference.importance import ImportancePosterior, importance_posterior
from helpers.inference.warning_classes import InferenceWarning
from helpers.recordings.recording import Recording
from helpers.simulation.trace import Trace
from helpers.validation import instance, whole_number

from .choice import Cell, cell_of
from .next_recording import Advice, next_recording
from .predictions import SweepPrediction
from .problem import CellProblem
from .sweeps import Measurement
from .unknowns import choose_unknowns
from .verdict import CellVerdict, judge

__all__ = ["CellFit", "fit_cell"]

BUDGET = 20_000
N_FIRST, BATCH = 2000, 400  # simulations from the prior, and between two proposals
SEARCHES = 24  # for the largest posterior
N_DRAWS = 200  # simulated again for what is predicted


@dataclass(frozen=True)
class PriorCheck:
    """Which features lie outside what parameters from the prior give: `outside` by name of the feature, in words."""

    n_simulations: int
    outside: tuple[str, ...]


@dataclass(frozen=True)
class CellFit:
    """A fitted cell. Print it for a summary; `report(folder)` writes cell.html and cell.json.

    Parameters
    ----------
    cell
        What was read: sweeps, membrane, and what is said about them.
    problem
        The sweeps that were fitted, and the unknowns.
    prior_check
        Whether the prior could give such data at all.
    posterior
        All simulations with their weights.
    predictions
        For every fitted sweep and those held out.
    verdict
        Whether the model passes.
    seed
        Of everything random.
    """

    cell: Cell
    problem: CellProblem
    prior_check: PriorCheck
    posterior: ImportancePosterior
    predictions: tuple[SweepPrediction, ...]
    verdict: CellVerdict
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unknown parameters, in the order of the columns of the draws."""
        return self.problem.unknowns.prior.names

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draw parameters from the posterior, (n, n_unknowns)."""
        return self.posterior.sample(n, seed)

    def table(self) -> str:
        """Return a line for each unknown: median, 95 % interval, prior, and why it is unknown."""
        prior, why = self.problem.unknowns.prior, self.problem.unknowns.why
        low, middle, high = self.posterior.quantile([0.025, 0.5, 0.975])
        lines = [f"{'parameter':<10}{'unit':<9}{'median':>9}{'95 % from':>11}{'to':>9}{'prior':>21}  why unknown"]
        for k, (name, parameter) in enumerate(zip(prior.names, prior.parameters, strict=True)):
            known = f"{prior.lower[k]:.3g} to {prior.upper[k]:.3g}"
            row = f"{name:<10}{parameter.unit:<9}{middle[k]:9.3g}{low[k]:11.3g}{high[k]:9.3g}{known:>21}"
            lines.append(f"{row}  {why[name]}")
        return "\n".join(lines)

    def advice(self, *, n: int = 300, seed: int = 0) -> Advice:
        """Compute which recording of this cell would tell most about what is open. See `next_recording`."""
        return next_recording(self, n=n, seed=seed)

    def report(self, folder: str | Path) -> Path:
        """Write cell.html, a page for readers, and cell.json, for `load_cell`, into a folder; return the page.

        Both are one file each, and the page needs no other one, no network and no program but a browser.
        """
        from .report import write_report  # here, because it draws

        return write_report(self, folder)

    def __repr__(self) -> str:
        about = f"{self.posterior.n_simulations:,} simulations, worth {self.posterior.ess:.0f} independent draws"
        parts = [self.cell.words(), self.table(), about, *(one.table() for one in self.predictions), str(self.verdict)]
        return "\n\n".join(parts)


def fit_cell(
    source: str | Path | Recording | Trace | Sequence[Trace],
    sweeps: Sequence[int | str] | None = None,
    *,
    held_out: Sequence[int | str] | None = None,
    measurement: Measurement | None = None,
    seed: int = 0,
    budget: int = BUDGET,
    folder: str | Path | None = None,
    progress: bool = True,
    **reading: Any,
) -> CellFit:
    """Infer the parameters of a recorded cell, check what they predict, and say what the fit is worth.

    The model is `CorticalNeuron`; which of its parameters are unknown depends on what the cell does.

    Parameters
    ----------
    source
        A file in any format of `read`, a `Recording`, or sweeps in current clamp with I in pA.
    sweeps
        Numbers or names of those to fit; by default the strongest hyperpolarising one and three that fire. Of several
        with the same step the first is fitted; three or more tell how far its features are known.
    held_out
        Sweeps that only test the result; by default one that fires, where there is another one. [] for none.
    measurement
        Junction potential, filter, and up to what features are known; by default `Measurement()`.
    seed
        Of everything random: the same seed gives the same result.
    budget
        Most simulations of all fitted sweeps.
    folder
        Stores simulations as they are made: after Ctrl-C, the same call goes on from there.
    progress
        Whether to show a bar.
    **reading
        As in `Recording`, for a file: channel, current, units, start, stop.

    Raises
    ------
    ValueError
        For what cannot be fitted: voltage clamp, no step, no current. It says what can be done.

    Examples
    --------
    >>> fit = fit_cell("cell.abf", sweeps=[0, 8, 11, 14])  # doctest: +SKIP
    >>> print(fit.verdict)  # doctest: +SKIP
    >>> fit.report("results/cell")  # doctest: +SKIP
    """
    seed, budget = whole_number("seed", seed), whole_number("budget", budget, N_FIRST)
    measurement = instance("measurement", measurement or Measurement(), Measurement, "a Measurement")
    cell = cell_of(source, sweeps, held_out, measurement, reading)
    unknowns = choose_unknowns(cell.fitted, cell.membrane)
    problem = CellProblem(cell.fitted, cell.membrane, unknowns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)  # the verdict says it
        posterior = importance_posterior(
            problem, unknowns.prior, problem.observed, problem.tolerance, seed, budget=budget, n_first=N_FIRST,
            batch=BATCH, searches=SEARCHES, widen=True, folder=folder, progress=progress,
        )  # fmt: skip
    draws = posterior.sample(N_DRAWS, seed)
    predictions = tuple(
        SweepPrediction(sweep, problem.simulate(sweep, draws, seed + 1000 + k), sweep in cell.held_out)
        for k, sweep in enumerate((*cell.fitted, *cell.held_out))
    )
    verdict = judge(problem, posterior, draws, predictions)
    return CellFit(cell, problem, _check_prior(problem, posterior), posterior, predictions, verdict, seed)


def _check_prior(problem: CellProblem, posterior: ImportancePosterior) -> PriorCheck:
    x = posterior.x[:N_FIRST]
    low, high = x.min(axis=0) - problem.tolerance, x.max(axis=0) + problem.tolerance
    outside = [
        f"{name} is {value:.4g}, the prior gives {a:.4g} to {b:.4g}"
        for name, value, a, b in zip(problem.names, problem.observed, low, high, strict=True)
        if not a <= value <= b
    ]
    return PriorCheck(len(x), tuple(outside))
