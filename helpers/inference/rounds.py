"""The posterior at one observation, in rounds: each simulates only where the posterior of the last one has mass.

An amortised network spends its simulations on the whole prior. Where the data are informative, the posterior fills a
millionth of it, and no network resolves that. Truncated proposals (Deistler, Gonçalves & Macke 2022, NeurIPS) draw the
next simulations from the prior, truncated to a region around the current posterior; the loss then needs no correction.
Here the region is a box with a margin, and every round trains a new network, scaled to its region: on the scale of the
whole prior all of the region would be one point.

sbi's `RestrictedPrior` truncates by rejection: it draws from the whole prior until enough draws have a high density
under the network. With a region of a 50,000th of the prior that is 200 million draws for a round of 4,000, and what an
early network gets wrong about the density is lost for good. A box is drawn from directly, and can grow again.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.validation import number, numbers, whole_number

from .npe import MIN_SIMULATIONS, train_npe
from .posterior import ExtrapolationWarning, Posterior
from .priors import Prior
from .simulator import NeuronSimulator
from .storage import read_arrays, write_arrays

__all__ = ["Round", "Rounds", "truncated_rounds"]

FILE_FORMAT = 2
N_DRAWS = 4000  # of the posterior, to place the next box
TAILS = (0.5, 99.5)  # percentiles between which the posterior lies, but for its tails
MIN_SIDE_RATIO = 0.7  # the box has converged when no side shrinks to less than this
MIN_NEW_FRACTION = 0.25  # of the simulations of a round
EDGE_WIDTH = 0.02  # of the width of the box
MAX_EDGE_MASS = 0.01  # with more of the posterior than this at an edge, the box was cut too small there


@dataclass(frozen=True)
class Round:
    """What one round did.

    Attributes
    ----------
    theta, x
        Its new simulations, (n, n_parameters) and (n, n_statistics), drawn from the box.
    n_used
        How many simulations the network was trained on, with those of earlier rounds that lie in the box.
    posterior
        What it learned, on the box only.
    samples
        Draws at x_o, (n_draws, n_parameters).
    edge_mass
        Share of the draws at the lower and upper edges of the box, (2, n_parameters), where that is too large; 0
        elsewhere, and where the edge is that of the prior.
    """

    theta: np.ndarray
    x: np.ndarray
    n_used: int
    posterior: Posterior
    samples: np.ndarray
    edge_mass: np.ndarray

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
    n_final: int = 4000,
    budget: int = 10_000,
    margin: float = 0.5,
    ensemble: int = 3,
    folder: str | Path | None = None,
    progress: bool = False,
    **training: Any,
) -> Rounds:
    """Infer the posterior at `x_o` in rounds, each in a smaller box around it.

    A box was cut too small if more than 1 % of the posterior lies in the outer 2 % of it: it then grows to that side by
    its own width. The box has converged when no side would shrink by more than 30 %. Then comes the final round, and it
    is the last one if the box is still unchanged after it. Otherwise the rounds go on until the budget is used up, and
    end with a warning. Ctrl-C ends them at once and returns what there is.

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
        simulations that lie in the box count; at least a quarter are new.
    budget
        Of simulations in all rounds together.
    margin
        The next box spans the central 99 % of the draws at x_o, and on either side `margin` times that width more.
    folder
        Stores every round, so that the same call resumes where an earlier one was interrupted.
    progress, training
        As in `train_npe`.

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
    region, left, final, stopped = prior.restricted(prior.lower, prior.upper), budget, False, ""
    try:
        while not stopped:
            wanted = n_final if final else n_round
            inside = sum(int(region.contains(one.theta).sum()) for one in rounds)
            count = min(left, max(wanted - inside, round(MIN_NEW_FRACTION * wanted)))
            how = {"ensemble": ensemble if final else 1, "simulator": simulator, "progress": progress, **training}
            one = _round(simulate, prior, region, x_o, seed, rounds, count, stored, how)
            rounds.append(one)
            left -= count
            if one.posterior.interrupted:
                raise KeyboardInterrupt
            region, converged = _next_region(prior, one, margin)
            if final and converged:
                stopped = "ended: the box is settled, and the final round lies well inside it"
            elif left < MIN_NEW_FRACTION * n_final:
                stopped = f"ended: the budget of {budget} simulations is used up before the box has settled"
                warnings.warn(f"{stopped}: the posterior may be too wide", stacklevel=2)
            final = converged or left < n_round + n_final
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
    stored: _Folder | None,
    how: dict[str, Any],
) -> Round:
    """Simulate `count` draws from `region`, train on all that lie in it, and draw at x_o."""
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
    all_theta = np.concatenate([*(one.theta for one in earlier), theta])
    all_x = np.concatenate([*(one.x for one in earlier), x])
    inside = region.contains(all_theta)
    posterior = stored.posterior(number, region) if stored else None
    if posterior is None:
        posterior = train_npe(region, all_theta[inside], all_x[inside], seeds[2], **how)
        if stored and not posterior.interrupted:
            posterior.save(stored.path(number, "posterior"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)  # the mass at the edges of the box tells it, next
        samples = posterior.sample(N_DRAWS, x_o, seeds[3])
    return Round(theta, x, int(inside.sum()), posterior, samples, _edge_mass(prior, region, samples))


def _edge_mass(prior: Prior, region: Prior, samples: np.ndarray) -> np.ndarray:
    """Share of the samples at the lower and upper edges of the box, (2, n_parameters); 0 where it is small enough."""
    position = (samples - region.lower) / (region.upper - region.lower)
    mass = np.array([(position < EDGE_WIDTH).mean(axis=0), (position > 1 - EDGE_WIDTH).mean(axis=0)])
    inner = np.array([region.lower > prior.lower, region.upper < prior.upper])
    return np.where(inner & (mass > MAX_EDGE_MASS), mass, 0.0)


def _next_region(prior: Prior, one: Round, margin: float) -> tuple[Prior, bool]:
    """The prior cut down to the next box, and whether the box has converged."""
    lower, upper = one.box
    if one.edge_mass.any():
        growth = (upper - lower) * (one.edge_mass > 0)
        return prior.restricted(lower - growth[0], upper + growth[1]), False
    low, high = np.percentile(one.samples, TAILS, axis=0)
    region = prior.restricted(low - margin * (high - low), high + margin * (high - low))
    return region, bool(((region.upper - region.lower) > MIN_SIDE_RATIO * (upper - lower)).all())


class _Folder:
    """A folder that stores the settings and, for every round, its simulations and its posterior."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "settings.npz"
        settings = json.loads(json.dumps(settings))
        if not path.exists():
            if others := sorted(entry.name for entry in folder.iterdir()):
                raise ValueError(f"folder {folder} contains {others[0]} but no rounds: choose an empty one")
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
        """The statistics that `theta` gave in this round; None if it was never reached."""
        path = self.path(number, "simulations")
        if not path.exists():
            return None
        arrays = read_arrays(path, FILE_FORMAT, "simulations")[1]
        if set(arrays) != {"theta", "x"} or not np.array_equal(arrays["theta"], theta):
            raise ValueError(f"{path} holds other parameters than this round draws: choose another folder")
        return arrays["x"]

    def store_simulations(self, number: int, theta: np.ndarray, x: np.ndarray) -> None:
        write_arrays(self.path(number, "simulations"), {"format": FILE_FORMAT}, {"theta": theta, "x": x})

    def posterior(self, number: int, region: Prior) -> Posterior | None:
        path = self.path(number, "posterior")
        return Posterior.load(path, prior=region) if path.exists() else None
