"""The posterior at one observation, in rounds: each simulates only where the posterior of the last one has mass.

An amortised network spends its simulations on the whole prior. Where the data say much, the posterior fills a millionth
of it, and no network resolves that. Truncated proposals (Deistler, Gonçalves & Macke 2022, NeurIPS) draw the next
simulations from the prior cut down to a region around the current posterior. As the proposal is the prior itself, only
cut, the loss needs no correction. Here the region is a box with a margin, and every round trains a fresh network on the
scale of its region: on the scale of the whole prior all of the region would be one point.

sbi's `RestrictedPrior` does the cutting by rejection: it draws from the whole prior until enough draws have a high
density under the network. With a region of a 50,000th of the prior that is 200 million draws for a round of 4,000, and
what an early network gets wrong about the density is lost for good. A box is drawn from directly, and can grow again.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.validation import number, plain, whole_number

from .npe import FEWEST, Posterior, train_npe
from .priors import Prior
from .storage import read_arrays, write_arrays

__all__ = ["Round", "Rounds", "truncated_rounds"]

FILE_FORMAT = 1
DRAWS = 4000  # of the posterior, to place the next box
TAILS = (0.5, 99.5)  # percentiles between which the posterior lies, but for its tails
SETTLED = 0.7  # the box is settled when no side shrinks to less than this
FRESH = 0.25  # smallest share of new simulations in a round
EDGE = 0.02  # share of the box's width that counts as its edge
CROWDED = 0.01  # more of the posterior than this at an edge, and the box was cut too small there


@dataclass(frozen=True)
class Round:
    """What one round did.

    theta, x: its new simulations, (n, n_parameters) and (n, n_statistics), drawn from the box; n_used: on how many the
    network was trained, with those of earlier rounds that lie in the box. posterior: what it learned, on the box only.
    samples: draws at x_o. crowded: share of them at the lower and upper edges of the box, (2, n_parameters), where that
    is too large; 0 elsewhere, and where the edge is that of the prior.
    """

    theta: np.ndarray
    x: np.ndarray
    n_used: int
    posterior: Posterior
    samples: np.ndarray
    crowded: np.ndarray

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends of the region, (n_parameters,) each."""
        return self.posterior.prior.lower, self.posterior.prior.upper

    @property
    def sd(self) -> np.ndarray:
        """SD of every parameter at x_o, (n_parameters,)."""
        return self.samples.std(axis=0)


@dataclass(frozen=True)
class Rounds:
    """All rounds in order; the last one's posterior is the result. `stopped` says why they ended."""

    rounds: tuple[Round, ...]
    stopped: str

    @property
    def posterior(self) -> Posterior:
        return self.rounds[-1].posterior

    @property
    def n_simulations(self) -> int:
        return sum(len(one.theta) for one in self.rounds)

    def table(self) -> str:
        """A line per round: simulations, the box, SD at x_o."""
        prior = self.posterior.prior
        lines = ["round  simulations" + "".join(f"  {name + ' from':>12}{'to':>10}{'SD':>10}" for name in prior.names)]
        for row_number, one in enumerate(self.rounds, 1):
            cells = zip(*one.box, one.sd, strict=True)
            row = "".join(f"  {low:12.4g}{high:10.4g}{sd:10.3g}" for low, high, sd in cells)
            lines.append(f"{row_number:5d}{len(one.theta):13d}{row}")
        return "\n".join([*lines, self.stopped])


def truncated_rounds(
    simulate: Callable[[np.ndarray, int], np.ndarray],
    prior: Prior,
    x_o: np.ndarray,
    seed: int,
    *,
    n_round: int = 1000,
    n_final: int = 4000,
    budget: int = 10_000,
    margin: float = 0.5,
    ensemble: int = 3,
    folder: str | Path | None = None,
    progress: bool = False,
    **training: Any,
) -> Rounds:
    """Infer the posterior at `x_o` (n_statistics,) in rounds, each in a smaller box around it.

    simulate: function of parameters (n, n_parameters) and a seed that gives statistics (n, n_statistics).
    n_round, n_final: on how many simulations a round trains, and the last one, which trains an `ensemble`. Earlier ones
        that lie in the box count; at least a quarter are new. budget: of simulations in all rounds together.
    margin: the next box spans the central 99 % of the draws at x_o, and on either side `margin` times that width more.
    folder: keeps every round, so that the same call goes on where an earlier one was cut off.
    progress, training: as in `train_npe`.

    A box on whose edge the posterior crowds (more than 1 % of it in the outer 2 %) was cut too small: it grows to that
    side by its own width. The box is settled when no side would shrink by more than 30 %: then comes the final round,
    and it is the last if the box is still settled after it. Otherwise the rounds go on until the budget is used up, and
    end with a warning. Ctrl-C ends them at once and gives what there is.
    Raises ValueError for a prior with dependencies, bad simulations, or a folder of other settings.
    """
    x_o, seed, margin = (
        plain("x_o", x_o, "one finite number per statistic"),
        whole_number("seed", seed),
        number("margin", margin),
    )
    ensemble = whole_number("ensemble", ensemble, 1)
    n_round, n_final = whole_number("n_round", n_round, FEWEST), whole_number("n_final", n_final, FEWEST)
    budget = whole_number("budget", budget, n_round + n_final)
    if not margin > 0:
        raise ValueError(f"margin = {margin!r}; allowed: above 0")
    if x_o.ndim != 1 or not np.isfinite(x_o).all():
        raise ValueError(f"x_o = {x_o}; allowed: one finite number per statistic")
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
    }
    kept = None if folder is None else _Kept(Path(folder), settings)
    region, settled, rounds = prior.restricted(prior.lower, prior.upper), False, []
    left, final, stopped = budget, False, ""
    try:
        while not stopped:
            wanted = n_final if final else n_round
            count = min(left, max(wanted - _n_inside(rounds, region), round(FRESH * wanted)))
            members = ensemble if final else 1
            one = _round(simulate, prior, region, x_o, seed, rounds, count, members, kept, progress, training)
            rounds.append(one)
            left -= count
            if one.posterior.interrupted:
                raise KeyboardInterrupt
            region, settled = _next_region(prior, one, margin)
            if final and settled:
                stopped = "ended: the box is settled, and the final round lies well inside it"
            elif left < FRESH * n_final:
                stopped = f"ended: the budget of {budget} simulations is used up before the box has settled"
                warnings.warn(f"{stopped}: the posterior may be too wide", stacklevel=2)
            final = settled or left < n_round + n_final
    except KeyboardInterrupt:
        if not rounds:
            raise
        stopped = "ended by the user (Ctrl-C)"
    return Rounds(tuple(rounds), stopped)


def _round(
    simulate: Callable[[np.ndarray, int], np.ndarray],
    prior: Prior,
    region: Prior,
    x_o: np.ndarray,
    seed: int,
    earlier: Sequence[Round],
    count: int,
    ensemble: int,
    kept: _Kept | None,
    progress: bool,
    training: dict[str, Any],
) -> Round:
    """Simulate `count` draws from `region`, train on all that lie in it, and look at x_o."""
    number = len(earlier) + 1
    seeds = [int(word) for word in np.random.SeedSequence((seed, number)).generate_state(4)]
    theta = region.draw(count, seeds[0])
    x = kept.simulations(number, theta) if kept else None
    if x is None:
        x = np.asarray(simulate(theta, seeds[1]), dtype=float)
        if x.shape != (count, len(x_o)):
            raise ValueError(f"simulate gave statistics of shape {x.shape}; allowed: {(count, len(x_o))}, as x_o has")
        if kept:
            kept.keep_simulations(number, theta, x)
    all_theta = np.concatenate([*(one.theta for one in earlier), theta])
    all_x = np.concatenate([*(one.x for one in earlier), x])
    inside = region.contains(all_theta)
    posterior = kept.posterior(number, region) if kept else None
    if posterior is None:
        posterior = train_npe(
            region, all_theta[inside], all_x[inside], seeds[2], ensemble=ensemble, progress=progress, **training
        )
        if kept and not posterior.interrupted:
            posterior.save(kept.path(number, "posterior"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "x_o lies outside all simulations")  # the edges of the box tell, next
        samples = posterior.sample(DRAWS, x_o, seeds[3])
    return Round(theta, x, int(inside.sum()), posterior, samples, _crowding(prior, region, samples))


def _n_inside(rounds: Sequence[Round], region: Prior) -> int:
    return sum(int(region.contains(one.theta).sum()) for one in rounds)


def _crowding(prior: Prior, region: Prior, samples: np.ndarray) -> np.ndarray:
    """Share of the samples at the lower and upper edges of the box, (2, n_parameters); 0 where it is not too large."""
    share = (samples - region.lower) / (region.upper - region.lower)
    at_edges = np.array([(share < EDGE).mean(axis=0), (share > 1 - EDGE).mean(axis=0)])
    inner = np.array([region.lower > prior.lower, region.upper < prior.upper])
    return np.where(inner & (at_edges > CROWDED), at_edges, 0.0)


def _next_region(prior: Prior, one: Round, margin: float) -> tuple[Prior, bool]:
    """The prior cut down to the next box, and whether the box has settled."""
    lower, upper = one.box
    if one.crowded.any():
        growth = (upper - lower) * (one.crowded > 0)
        return prior.restricted(lower - growth[0], upper + growth[1]), False
    low, high = np.percentile(one.samples, TAILS, axis=0)
    region = prior.restricted(low - margin * (high - low), high + margin * (high - low))
    return region, bool(((region.upper - region.lower) > SETTLED * (upper - lower)).all())


class _Kept:
    """A folder that keeps the settings and, for every round, its simulations and its posterior."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "settings.npz"
        settings = json.loads(json.dumps(settings))
        if not path.exists():
            if strangers := sorted(entry.name for entry in folder.iterdir()):
                raise ValueError(f"folder {folder} holds no rounds but {strangers[0]}: choose an empty one")
            write_arrays(path, {"format": FILE_FORMAT, "settings": settings}, {})
        found = read_arrays(path, FILE_FORMAT, "settings of rounds")[0]["settings"]
        for name in settings:
            if found.get(name) != settings[name]:
                raise ValueError(
                    f"folder {folder} holds rounds with another {name}: {found.get(name)}; now {settings[name]}. "
                    "Choose another folder"
                )

    def path(self, number: int, what: str) -> Path:
        return self.folder / f"round_{number}_{what}.npz"

    def simulations(self, number: int, theta: np.ndarray) -> np.ndarray | None:
        """The statistics that `theta` gave in this round; None where it was never reached."""
        path = self.path(number, "simulations")
        if not path.exists():
            return None
        arrays = read_arrays(path, FILE_FORMAT, "simulations")[1]
        if set(arrays) != {"theta", "x"} or not np.array_equal(arrays["theta"], theta):
            raise ValueError(f"{path} holds other parameters than this round draws: choose another folder")
        return arrays["x"]

    def keep_simulations(self, number: int, theta: np.ndarray, x: np.ndarray) -> None:
        write_arrays(self.path(number, "simulations"), {"format": FILE_FORMAT}, {"theta": theta, "x": x})

    def posterior(self, number: int, region: Prior) -> Posterior | None:
        path = self.path(number, "posterior")
        return Posterior.load(path, prior=region) if path.exists() else None
