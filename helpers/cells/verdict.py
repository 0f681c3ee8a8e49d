"""The verdict on a fit, in words and numbers: does the model pass, what fails, and what may be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from helpers.inference.importance import ImportancePosterior
from helpers.inference.priors import Prior

from .predictions import WITHIN, SweepPrediction, share_within
from .problem import CellProblem

__all__ = ["FAILS", "CellVerdict", "judge", "prior_widths"]

FAILS = "does not pass"
ENOUGH = 0.8  # of the features within 2 SD
EDGE, PILED = 0.01, 0.3  # share of a prior's probability next to its bound, and of the draws in it
MIN_ESS = 40.0
WIDEST = 2.0  # times the tolerance: with more, another model is asked for
ALONE, TOGETHER = 1.5, 4.0  # mean squared residual that a sweep alone can reach, and with the others

_WORDS = {
    "spike_count": ("fires more often", "fires less often"),
    "latency": ("begins to fire later", "begins to fire earlier"),
    "first_interval": ("has a longer first interval", "has a shorter first interval"),
    "mean_interval": ("fires more slowly", "fires faster"),
    "last_interval": ("slows down more", "slows down less"),
    "half_width": ("has broader spikes", "has narrower spikes"),
    "first_half_width": ("has a broader first spike", "has a narrower first spike"),
    "rise_speed": ("has spikes that rise faster", "has spikes that rise more slowly"),
    "fall_speed": ("has spikes that fall faster", "has spikes that fall more slowly"),
    "threshold": ("has a higher threshold", "has a lower threshold"),
    "first_threshold": ("has a higher first threshold", "has a lower first threshold"),
    "peak": ("has higher peaks", "has lower peaks"),
    "first_peak": ("has a higher first peak", "has a lower first peak"),
    "ahp_voltage": ("has shallower afterhyperpolarisations", "has deeper afterhyperpolarisations"),
    "first_ahp_voltage": ("has a shallower first afterhyperpolarisation", "has a deeper first afterhyperpolarisation"),
    "ahp_time": ("reaches its afterhyperpolarisations later", "reaches its afterhyperpolarisations earlier"),
    "V_rest": ("rests higher", "rests lower"),
    "V_steady": ("is more depolarised at the end of the step", "is less depolarised at the end of the step"),
    "lowest": ("goes less far down", "goes further down"),
    "sag": ("sags more", "sags less"),
}


@dataclass(frozen=True)
class CellVerdict:
    """What a fit is worth.

    Parameters
    ----------
    status
        "passes", "passes but for" or "does not pass".
    reasons
        What fails, each with numbers; of a fit that passes what is weak.
    share
        Share of the fitted features within 2 SD of the prediction.
    publish, not_publish
        What may be stated, and what may not.
    """

    status: str
    reasons: tuple[str, ...]
    share: float
    publish: tuple[str, ...]
    not_publish: tuple[str, ...]

    def __str__(self) -> str:
        """Return the verdict as paragraphs."""
        lines = [f"{self.status}: {self.share:.0%} of the features lie within 2 SD of what is predicted"]
        lines += [f"  - {reason}" for reason in self.reasons]
        lines += [f"  may be stated: {line}" for line in self.publish]
        lines += [f"  may not be stated: {line}" for line in self.not_publish]
        return "\n".join(lines)


def judge(
    problem: CellProblem, posterior: ImportancePosterior, draws: np.ndarray, predictions: Sequence[SweepPrediction]
) -> CellVerdict:
    """Return the verdict on a fit.

    It passes if at least 80 % of the features of the fitted sweeps lie within 2 SD of the prediction, the recorded
    spike count of each inside the interval of 90 % of the simulations, and that of a held-out sweep within 10 % or one
    spike of their median. "Passes but for" names what fails all the same, or is not settled.

    Parameters
    ----------
    problem, posterior
        The fit.
    draws
        Of the posterior, (n, n_unknowns).
    predictions
        For the fitted sweeps, and those held out.
    """
    fitted = [one for one in predictions if not one.held_out]
    share = share_within(fitted)
    wrong = [f"only {share:.0%} of the features lie within 2 SD"] if share < ENOUGH else []
    for one in fitted:
        if not one.count_inside:
            low, high = one.counts
            wrong.append(f"{one.sweep.name}: {one.sweep.count} spikes, predicted {low:.0f} to {high:.0f}")
    for one in predictions:
        if one.held_out and not one.count_near:
            low, high = one.counts
            seen = f"{one.sweep.name}, not seen by the fit: {one.sweep.count} spikes"
            wrong.append(f"{seen}, predicted {low:.0f} to {high:.0f}")
    wrong += contradictions(problem, posterior)
    if posterior.beta < 1.0:
        power = f"only draws of its likelihood to the power {posterior.beta:.2g}"
        wrong.append(f"not settled after {posterior.n_simulations:,} simulations: the posterior is not known, {power}")
    if posterior.widened > WIDEST:
        wrong.append(f"no parameters come nearer than {posterior.widened:.1f} times the tolerance, all in all")
    weak = []
    if posterior.ess < MIN_ESS:
        weak.append(f"{posterior.n_simulations:,} simulations are worth {posterior.ess:.0f} independent draws only")
    if 1.0 < posterior.widened <= WIDEST:
        weak.append(f"the tolerance of all features had to be widened by {posterior.widened:.2f}")
    piled = _at_edges(problem, draws)
    weak += [f"{name} lies at the {side} edge of its prior ({share:.0%} of the draws)" for name, side, share in piled]
    weak += _failing_features(fitted)
    status = FAILS if wrong else "passes but for" if weak else "passes"
    unsure = {name for name, *_ in piled}
    publish, not_publish = _statements(problem, posterior, draws, bool(wrong), unsure)
    return CellVerdict(status, (*wrong, *weak), share, publish, not_publish)


def contradictions(problem: CellProblem, posterior: ImportancePosterior) -> list[str]:
    """Name the pairs of sweeps that can each be met by some parameters, but not by the same ones."""
    ends = np.cumsum([0, *(len(sweep.observed) for sweep in problem.sweeps)])
    squared = ((posterior.x - problem.observed) / problem.tolerance) ** 2
    each = np.column_stack([squared[:, a:b].mean(axis=1) for a, b in zip(ends[:-1], ends[1:], strict=True)])
    alone, found = each.min(axis=0), []
    for i, first in enumerate(problem.sweeps):
        for j in range(i):
            both = float(np.maximum(each[:, i], each[:, j]).min())
            if max(alone[i], alone[j]) <= ALONE and both >= TOGETHER:
                second = problem.sweeps[j]
                found.append(
                    f"{second.name} and {first.name} contradict each other: alone each can be met (mean squared "
                    f"residual {alone[j]:.1f} and {alone[i]:.1f}), together not ({both:.1f})"
                )
    return found


def _at_edges(problem: CellProblem, draws: np.ndarray) -> list[tuple[str, str, float]]:
    prior = problem.unknowns.prior
    shares = prior.shares(torch.as_tensor(draws)).numpy()
    found = []
    for k, name in enumerate(prior.names):
        for side, there in (("lower", shares[:, k] < EDGE), ("upper", shares[:, k] > 1.0 - EDGE)):
            if there.mean() > PILED:
                found.append((name, side, float(there.mean())))
    return found


def _failing_features(fitted: Sequence[SweepPrediction]) -> list[str]:
    """Say which features fail in at least half of the sweeps that have them."""
    z: dict[str, list[float]] = {}
    for one in fitted:
        for name, value in zip(one.sweep.summarise.names, one.z, strict=True):
            z.setdefault(name, []).append(float(value))
    found = []
    for name, values in z.items():
        failing = [value for value in values if abs(value) > WITHIN]
        if len(failing) >= max(1.0, len(values) / 2):
            mean = float(np.mean(failing))
            words = _WORDS.get(name, (f"has a larger {name}", f"has a smaller {name}"))[mean < 0.0]
            found.append(f"the cell {words} than the model predicts ({name}, z {mean:+.1f})")
    return found


def _statements(
    problem: CellProblem, posterior: ImportancePosterior, draws: np.ndarray, wrong: bool, unsure: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may be stated of the parameters, and what not."""
    prior = problem.unknowns.prior
    if wrong:
        return (), (f"values of {', '.join(prior.names)}: the model does not give this recording",)
    widths = prior_widths(prior, draws)
    known = [k for k, name in enumerate(prior.names) if widths[k] < 0.5 and name not in unsure]
    lines, (low, high) = [], posterior.quantile([0.025, 0.975])
    for k in known:
        words = f"{prior.names[k]} between {low[k]:.3g} and {high[k]:.3g} {prior.parameters[k].unit}"
        lines.append(f"{words.rstrip()} (95 %), given this model")
    unknown = [name for k, name in enumerate(prior.names) if k not in known]
    return tuple(lines), ((f"{', '.join(unknown)}: hardly known",) if unknown else ())


def prior_widths(prior: Prior, draws: np.ndarray) -> np.ndarray:
    """Return which share of the prior lies inside the interval of 95 % of the draws (n, n_unknowns), (n_unknowns,)."""
    shares = prior.shares(torch.as_tensor(draws)).numpy()
    return np.percentile(shares, 97.5, axis=0) - np.percentile(shares, 2.5, axis=0)
