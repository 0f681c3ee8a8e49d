"""Train the networks that come with the series again, and say how far the new ones are from the old.

python -m tools.train [NAME...]     default: all of them

Written are, for the old and the new network: the loss on new simulations (mean log p(theta) - log p(theta|x) in nats;
lower is better), the coverage of joint 50 % and 95 % regions there, and the least p-value of SBC; and between both the
C2ST at fixed observations (0.5: the same).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import torch

from helpers.inference import c2st, coverage, run_trials, sbc
from helpers.inference.cache import SHIPPED_FOLDER
from helpers.inference.posterior import Posterior
from helpers.inference.recipe import Recipe
from helpers.inference.shipped import RECIPES

NEW_TRUTHS = 500
NEW_SEED = 1_000_000  # far from the seeds of the training
OBSERVATIONS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, or 1 if a training was interrupted."""
    parser = argparse.ArgumentParser(prog="tools.train", description="Train the networks that come with the series.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(RECIPES)}")
    chosen = parser.parse_args(arguments).names or list(RECIPES)
    if unknown := [name for name in chosen if name not in RECIPES]:
        parser.error(f"no network is called {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    return 0 if all(renew(RECIPES[name]) for name in chosen) else 1


def renew(recipe: Recipe) -> bool:
    """Train one network, compare it with the old one and write its file; return whether the training was finished."""
    print(recipe, flush=True)
    path = SHIPPED_FOLDER / f"{recipe.name}.npz"
    try:
        old = Posterior.load(path)
    except FileNotFoundError:
        old = None
    except ValueError as error:
        print(error)
        old = None
    new = recipe.train()
    if new.interrupted:
        print(f"{recipe.name}: interrupted; {path.name} stays as it was")
        return False
    path.parent.mkdir(exist_ok=True)
    new.save(path)
    print(f"  wrote {path.name}, {path.stat().st_size / 1e6:.2f} MB", flush=True)
    theta, x = recipe.simulated(NEW_TRUTHS, NEW_SEED)
    print(f"  new: {describe(new, theta, x)}")
    if old is not None and not recipe.describes(old):
        print("  old: not comparable, of another prior or other statistics")
    elif old is not None:
        print(f"  old: {describe(old, theta, x)}")
        apart = [c2st(old.sample(1000, x_o, seed=1), new.sample(1000, x_o, seed=2)) for x_o in x[:OBSERVATIONS]]
        print(f"  C2ST of old and new at {OBSERVATIONS} observations: {', '.join(f'{one:.2f}' for one in apart)}")
    return True


def describe(posterior: Posterior, theta: np.ndarray, x: np.ndarray) -> str:
    """Say how good a posterior is on simulations that it was not trained on."""
    trials = run_trials(posterior, posterior.prior, theta, x, seed=1, samples=200)
    half, most = coverage(trials).coverage_at(np.array([0.5, 0.95]))[:, 0]
    gain = losses(posterior, theta, x)
    return (
        f"loss {gain.mean():.3f} ± {gain.std() / np.sqrt(len(gain)):.3f} nats; 50 and 95 % regions hold "
        f"{half:.0%} and {most:.0%}; least p of SBC {sbc(trials, seed=1).p.min():.2g}"
    )


def losses(posterior: Posterior, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return log p(theta) - log p(theta|x) [nats] for each simulation, (n,)."""
    parameters, seen = torch.as_tensor(theta), torch.as_tensor(x, dtype=torch.float64)
    with torch.no_grad():
        found = posterior.prior.log_prob(parameters) - posterior.network.log_prob(parameters[None], seen)[0]
    return found.numpy().astype(float)


if __name__ == "__main__":
    sys.exit(main())
