"""The posterior at one observation, in rounds: each simulates only where the posterior of the last one has mass.

An amortised network spends its simulations on the whole prior. Where the data are informative, the posterior fills a
millionth of it, and no network resolves that. Truncated proposals (Deistler, Gonçalves & Macke 2022, NeurIPS) draw the
next simulations from the prior, truncated to a region around the current posterior; the loss then needs no correction.
Here the region is a box with a margin, and every round trains a new network, scaled to its region: on the scale of the
whole prior all of the region would be one point. Two things keep it right where a neuron fires 7 spikes or 8 by chance:
networks see only simulations with the observed counts, since how statistics jump with a count is hard to learn and not
asked; and the other statistics in units of their noise around the observation (`Scaling.around`).

sbi's `RestrictedPrior` truncates by rejection: it draws from the whole prior until enough draws have a high density
under the network. With a region of a 50,000th of the prior that is 200 million draws for a round of 4,000, and what an
early network gets wrong about the density is lost for good. A box is drawn from directly, and can grow again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.validation import number, numbers, whole_number

from .local_noise import MIN_P, p_misfit, same_counts
from .npe import MIN_SIMULATIONS, train_npe
from .posterior import Posterior
from .priors import Prior
from .scaling import Scaling
from .simulator import NeuronSimulator
from .storage import RunFolder
from .truncation import Truncated, truncated_around
from .warning_classes import ExtrapolationWarning, InferenceWarning

__all__ = ["Round", "Rounds", "truncated_rounds"]

FILE_FORMAT = 3
N_DRAWS = 4000  # of the posterior, to place the next box
MIN_SIDE_RATIO = 0.7  # the box has converged when no side shrinks to less than this
MIN_NEW_FRACTION = 0.25  # of the simulations of a round
MIN_ALIKE = 300  # simulations with the observed counts; with fewer a network sees all
RARE = 0.2  # of the simulations in a region with the observed counts: it has not converged
MIN_SHARE = 0.1  # of simulations with the observed counts, when a round is planned
FINAL = {"model": "small maf", "epochs": 60, "learning_rate": 2e-3}  # a larger network makes a posterior too narrow


@dataclass(frozen=True)
class Round:
    """What one round did.

    Attributes
    ----------
    region
        The part of the prior that it drew from.
    theta, x
        Its new simulations, (n, n_parameters) and (n, n_statistics).
    n_used
        How many simulations the network was trained on, with those of earlier rounds that lie in the box, and without
        those that have other counts than x_o, if enough are left.
    posterior
        What it learned, on the box only.
    samples
        Draws at x_o, (n_draws, n_parameters).
    edge_mass
        Share of the draws at the lower and upper edges of the box, (2, n_parameters), where that is too large; 0
        elsewhere, and where the edge is that of the prior.
    outer_mass
        Share of the draws at the edge of the ellipsoid and beyond, where that is too large; else 0.
    """

    region: Truncated
    theta: np.ndarray
    x: np.ndarray
    n_used: int
    posterior: Posterior
    samples: np.ndarray
    edge_mass: np.ndarray
    outer_mass: float

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends of the box around the region, (n_parameters,) each."""
        return self.region.box.lower, self.region.box.upper

    @property
    def sd(self) -> np.ndarray:
        """SD of every parameter at x_o, (n_parameters,)."""
        return self.samples.std(axis=0)


@dataclass(frozen=True)
class Rounds:
    """All rounds in order; the posterior of the last one is the result. `stopped` says why they ended."""

    rounds: tuple[Round, ...]
    stopped: str

    @property
    def posterior(self) -> Posterior:
        """The posterior of the last round."""
        return self.rounds[-1].posterior

    @property
    def n_simulations(self) -> int:
        """Simulations in all rounds together."""
        return sum(len(one.theta) for one in self.rounds)

    def table(self) -> str:
        """Return a line per round: simulations, the box, SD at x_o."""
        prior = self.posterior.prior
        lines = ["round  simulations" + "".join(f"  {name + ' from':>12}{'to':>10}{'SD':>10}" for name in prior.names)]
        for count, one in enumerate(self.rounds, 1):
            cells = zip(*one.box, one.sd, strict=True)
            row = "".join(f"  {low:12.4g}{high:10.4g}{sd:10.3g}" for low, high, sd in cells)
            lines.append(f"{count:5d}{len(one.theta):13d}{row}")
        return "\n".join([*lines, self.stopped])


def truncated_rounds(
    simulate: Callable[[np.ndarray, int], np.ndarray],
    prior: Prior,
    x_o: np.ndarray,
    seed: int,
    *,
    n_round: int = 1000,
    n_final: int = 5000,
    budget: int = 10_000,
    margin: float = 0.5,
    ensemble: int = 3,
    folder: str | Path | None = None,
    progress: bool = False,
    **training: Any,
) -> Rounds:
    """Infer the posterior at `x_o` in rounds, each in a smaller box around it.

    Each region is a box and an ellipsoid in it, see `truncated_around`. It was cut too small if more than 1 % of the
    posterior lies at an edge: it then grows there. The box has converged when no side would shrink by more than 30 %,
    and the observed counts are not rare in it. Then comes the final round, and it is the last one if the box is still
    unchanged after it. Otherwise the rounds go on until the budget is used up, and end with a warning. Ctrl-C ends them
    at once and returns what there is.

    Emits an `ExtrapolationWarning` if no parameters of the last region give statistics like x_o: the result is then a
    guess, and `stopped` says so.

    Parameters
    ----------
    simulate
        A `NeuronSimulator`, which the posterior then remembers, or any function of parameters (n, n_parameters) and a
        seed that returns statistics (n, n_statistics).
    prior
        Without dependencies between parameters.
    x_o
        The observation, (n_statistics,).
    n_round, n_final
        How many simulations a round trains on, and the last one, which trains an `ensemble` of networks. Earlier
        simulations that lie in the box count; at least a quarter are new. If some have other counts than x_o, more are
        made in their place.
    budget
        Of simulations in all rounds together.
    margin
        The next box spans the central 99 % of the draws at x_o, and on either side `margin` times that width more.
    folder
        Stores every round, so that the same call resumes where an earlier one was interrupted.
    progress, training
        As in `train_npe`; by default the final round trains a "small maf" for 60 epochs, with a learning rate of 0.002.

    Raises
    ------
    ValueError
        For a prior with dependencies, bad simulations, or a folder that holds rounds with other settings.

    References
    ----------
    Deistler, Gonçalves & Macke 2022, NeurIPS.
    """
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    margin = number("margin", margin, above=0.0)
    ensemble = whole_number("ensemble", ensemble, 1)
    n_round = whole_number("n_round", n_round, MIN_SIMULATIONS)
    n_final = whole_number("n_final", n_final, MIN_SIMULATIONS)
    budget = whole_number("budget", budget, n_round + n_final)
    simulator = simulate if isinstance(simulate, NeuronSimulator) else None
    if simulator:
        simulator.check_prior(prior)
    settings = {
        "prior": prior.as_data(),
        "x_o": x_o.tolist(),
        "seed": seed,
        "n_round": n_round,
        "n_final": n_final,
        "budget": budget,
        "margin": margin,
        "ensemble": ensemble,
        "training": training,
        "simulated": simulator and simulator.as_data(),
    }
    stored = None if folder is None else _Folder(Path(folder), settings)
    rounds: list[Round] = []
    region, left, final, stopped = Truncated.whole(prior), budget, False, ""
    try:
        while not stopped:
            wanted = n_final if final else n_round
            missing = _missing(wanted, region, x_o, *_seen(rounds, region)) if rounds else wanted
            # Where few have the observed counts yet, a smaller region is worth more than many simulations.
            most = left if final else n_round
            count = min(left, most, max(missing, round(MIN_NEW_FRACTION * wanted)))
            size = {"ensemble": ensemble, **FINAL} if final else {"ensemble": 1}
            how = {**size, "simulator": simulator, "progress": progress, **training}
            one = _round(simulate, prior, region, x_o, seed, rounds, count, stored, how)
            rounds.append(one)
            left -= count
            if one.posterior.interrupted:
                raise KeyboardInterrupt
            after, converged = _next_region(prior, region, one, margin)
            converged = converged and not _counts_are_rare(region, x_o, *_seen(rounds, region))
            if final and converged and (p := _p_of_x_o(region, x_o, *_seen(rounds, region))) < MIN_P:
                stopped = f"ended: no parameters in the box give statistics like x_o (p = {p:.2g}); a guess"
                warnings.warn(stopped, ExtrapolationWarning, stacklevel=2)
            elif final and converged:
                stopped = "ended: the box is settled, and the final round lies well inside it"
            elif left < MIN_NEW_FRACTION * n_final:
                stopped = f"ended: the budget of {budget} simulations is used up before the box has settled"
                warnings.warn(f"{stopped}: the posterior may be too wide", stacklevel=2)
            region, final = after, converged or left < n_round + n_final
    except KeyboardInterrupt:
        if not rounds:
            raise
        stopped = "ended by the user (Ctrl-C)"
    return Rounds(tuple(rounds), stopped)


def _round(
    simulate: Callable[[np.ndarray, int], np.ndarray],
    prior: Prior,
    region: Truncated,
    x_o: np.ndarray,
    seed: int,
    earlier: Sequence[Round],
    count: int,
    stored: _Folder | None,
    how: dict[str, Any],
) -> Round:
    """Simulate `count` draws from `region`, train on all that lie in it and have the observed counts, draw at x_o."""
    number = len(earlier) + 1
    seeds = [int(word) for word in np.random.SeedSequence((seed, number)).generate_state(4)]
    theta = region.draw(count, seeds[0])
    x = stored.simulations(number, theta) if stored else None
    if x is None:
        x = np.asarray(simulate(theta, seeds[1]), dtype=float)
        if x.shape != (count, len(x_o)):
            raise ValueError(f"simulate gave statistics of shape {x.shape}; allowed: {(count, len(x_o))}, as x_o has")
        if stored:
            stored.store_simulations(number, theta, x)
    usable = [(one.theta, one.x) for one in earlier if one.region.covers(region)]
    all_theta, all_x = (np.concatenate(parts) for parts in zip(*usable, (theta, x), strict=True))
    used = _alike(region, x_o, all_theta, all_x)
    posterior = stored.posterior(number, region.box) if stored else None
    if posterior is None:
        scaling = Scaling.around(x_o, region.centred(all_theta[used]), all_x[used])
        posterior = train_npe(region.box, all_theta[used], all_x[used], seeds[2], **{"scaling": scaling, **how})
        if stored and not posterior.interrupted:
            posterior.save(stored.path(number, "posterior"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)  # the mass at the edges and `_p_of_x_o` tell it
        samples = posterior.sample(N_DRAWS, x_o, seeds[3])
    edges, outer = region.edge_mass(samples, prior), region.outer_mass(samples)
    return Round(region, theta, x, int(used.sum()), posterior, samples, edges, outer)


def _seen(rounds: Sequence[Round], region: Truncated) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and statistics of the rounds that drew from all of `region`, the first one at least."""
    usable = [one for one in rounds if one.region.covers(region)]
    return np.concatenate([one.theta for one in usable]), np.concatenate([one.x for one in usable])


def _alike(region: Truncated, x_o: np.ndarray, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Which simulations lie in `region` and have the observed counts; if these are few, which lie in it."""
    inside = region.contains(theta)
    alike = inside & same_counts(x, x_o)[0]
    return alike if alike.sum() >= MIN_ALIKE else inside


def _counts_are_rare(region: Truncated, x_o: np.ndarray, theta: np.ndarray, x: np.ndarray) -> bool:
    """Whether most of the region has other counts: a network that sees all of them learns little about one."""
    inside = region.contains(theta)
    alike = int((inside & same_counts(x, x_o)[0]).sum())
    return alike < min(MIN_ALIKE, RARE * inside.sum())


def _missing(wanted: int, region: Truncated, x_o: np.ndarray, theta: np.ndarray, x: np.ndarray) -> int:
    """How many more simulations it takes for `wanted` of those in `region` to have the observed counts."""
    inside, alike = (int(rows.sum()) for rows in (region.contains(theta), _alike(region, x_o, theta, x)))
    share = max(alike / inside, MIN_SHARE) if inside else 1.0
    return math.ceil((wanted - alike) / share)


def _p_of_x_o(region: Truncated, x_o: np.ndarray, theta: np.ndarray, x: np.ndarray) -> float:
    """Share of the simulations as far from what their parameters give as x_o is; 1 if they are too few to tell."""
    rows = _alike(region, x_o, theta, x)
    return p_misfit(region.centred(theta[rows]), x[rows], x_o) if rows.sum() >= 1 / MIN_P else 1.0


def _next_region(prior: Prior, region: Truncated, one: Round, margin: float) -> tuple[Truncated, bool]:
    """The next region, and whether it has converged."""
    if one.edge_mass.any() or one.outer_mass:
        return region.grown(one.samples, prior), False
    after = truncated_around(one.samples, margin, region)
    before, now = (box.upper - box.lower for box in (region.box, after.box))
    return after, bool((now > MIN_SIDE_RATIO * before).all())


class _Folder(RunFolder):
    """A folder that stores, for every round, its simulations and its posterior."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        super().__init__(folder, settings, FILE_FORMAT, "round", "rounds")

    def posterior(self, number: int, box: Prior) -> Posterior | None:
        path = self.path(number, "posterior")
        return Posterior.load(path, prior=box) if path.exists() else None
