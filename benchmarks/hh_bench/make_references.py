"""Make the observations of the tasks and their references: `python -m benchmarks.hh_bench.make_references`.

Each observation is a file of its own in references/, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.special import softmax

from helpers.inference.cache import load_or_train
from helpers.inference.diagnostics.agreement import MAX_C2ST, MAX_SD_RATIO
from helpers.inference.diagnostics.c2st import c2st
from helpers.inference.lif.likelihood import log_likelihood
from helpers.inference.lif.problem import CORRECTED
from helpers.inference.shipped import RECIPES

from ..inference import TRUTHS, Sizes, reference_at, simulate
from .task import OBSERVATIONS, Task, tasks

__all__ = ["kept", "main", "observations"]

N_DRAWS = 1000  # that are kept, of each reference
WEIGHTED, MOVES = 4000, 40  # draws of a network, of which weights choose those that are moved
MIN_EFFECTIVE = 300
LENGTHS = (0.3, 1.0)  # of moves, times the best for a normal distribution: short ones where a posterior bends
LIF_SEED, EIGHT_SEED = 7, 70
MIN_SPIKES = 3  # of the eight-parameter neuron: of a silent one little can be inferred


def observations(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """The truths (10, n_parameters) of a task, and what the simulator gives for them, (10, ...)."""
    if task.name == "tutorial":  # the truths of `python -m benchmarks.inference`, and its observations at seed 0
        truths = np.array(TRUTHS)
        return truths, np.concatenate([simulate(truth[None], 1000 * k + 1) for k, truth in enumerate(truths)])
    if task.name == "integrate_and_fire":
        truths = task.prior.draw(OBSERVATIONS, LIF_SEED)
        return truths, task.simulator(truths, LIF_SEED + 1)
    drawn = task.prior.draw(200, EIGHT_SEED)
    x = task.simulator(drawn, EIGHT_SEED + 1)
    fires = np.flatnonzero(x[:, task.statistics.index("up: spike_count")] >= MIN_SPIKES)[:OBSERVATIONS]
    return drawn[fires], x[fires]


Draws = dict[str, np.ndarray]


def _tutorial(task: Task, x_o: np.ndarray, seed: int) -> Draws:
    likelihood, abc = reference_at(x_o, seed + 100, Sizes()).samples
    return {"local ABC": abc, "synthetic likelihood": likelihood}


def _integrate_and_fire(task: Task, x_o: np.ndarray, seed: int) -> Draws:
    """Draws of the shipped network, chosen by their likelihood and then moved by Metropolis steps, twice.

    All where the prior is standard normal, so that its bounds and dependencies need no care.
    """
    network, prior = load_or_train(RECIPES["lif-statistics"]), task.prior

    def log_posterior(z: np.ndarray) -> np.ndarray:
        theta = prior.from_normal(torch.as_tensor(z)).numpy()
        return log_likelihood(CORRECTED, prior, theta[None], x_o[None])[0] - 0.5 * (z**2).sum(axis=1)

    def moved(seed: int) -> np.ndarray:
        rng, seen = np.random.default_rng(seed), task.summarise(x_o)
        theta = network.sample(WEIGHTED, seen, seed)
        z = prior.to_normal(torch.as_tensor(theta)).numpy()
        logs, density = log_posterior(z), network.log_prob(theta, seen) - prior.log_prob(torch.as_tensor(theta)).numpy()
        log_weights = logs + 0.5 * (z**2).sum(axis=1) - density
        log_weights[~np.isfinite(log_weights)] = -np.inf  # at the very edge, by rounding
        moves = MOVES
        while 1 / (softmax(log_weights) ** 2).sum() < MIN_EFFECTIVE:  # the network is wrong here: moves do the rest
            log_weights, moves = log_weights / 2, 5 * MOVES
        rows = rng.choice(WEIGHTED, N_DRAWS, p=softmax(log_weights))
        z, logs = z[rows], logs[rows]
        for _ in range(moves):
            along = 2.38 / np.sqrt(z.shape[1]) * np.linalg.cholesky(np.cov(z.T))
            proposed = z + rng.choice(LENGTHS, (N_DRAWS, 1)) * (rng.standard_normal(z.shape) @ along.T)
            new = log_posterior(proposed)
            better = np.log(rng.random(N_DRAWS)) < new - logs
            z[better], logs[better] = proposed[better], new[better]
        return prior.from_normal(torch.as_tensor(z)).numpy()

    return {"likelihood": moved(seed + 1), "likelihood, second run": moved(seed + 2)}


def _eight(task: Task, x_o: np.ndarray, seed: int) -> Draws:
    """None: `truncated_rounds` is not right in every combination of parameters, and `sharpened` refuses."""
    return {}


MAKERS: dict[str, Callable[[Task, np.ndarray, int], Draws]] = {
    "tutorial": _tutorial,
    "integrate_and_fire": _integrate_and_fire,
    "eight": _eight,
}


def kept(task: Task, number: int, truth: np.ndarray, x_o: np.ndarray, draws: Draws) -> str:
    """Compare the two references of an observation, write its file, with 1,000 draws of each, and say what was found.

    They agree if C2ST is at most 0.57 and SDs differ by at most 15 %.
    """
    found, about = "no references", {"c2st": 1.0, "agree": False}
    if draws:
        first, second = draws.values()
        distance, ratio = c2st(first, second), second.std(axis=0) / first.std(axis=0)
        agree = bool(distance <= MAX_C2ST and (np.abs(np.log(ratio)) <= np.log(MAX_SD_RATIO)).all())
        about = {"c2st": round(distance, 3), "agree": agree}
        ratios = ", ".join(f"{value:.2f}" for value in ratio)
        found = f"C2ST {distance:.3f}, SD ratios {ratios}: {'they agree' if agree else 'THEY DISAGREE'}"
    few = {name: all_of[:: len(all_of) // N_DRAWS][:N_DRAWS].astype(np.float32) for name, all_of in draws.items()}
    task.keep(number, about, {"truth": truth, "x_o": x_o, **few})
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hh_bench.make_references", description=__doc__)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(tasks)}; default: all")
    parser.add_argument("--again", action="store_true", help="also where there is a file already")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.tasks if name not in tasks]:
        parser.error(f"unknown task {unknown[0]}; allowed: {', '.join(tasks)}")
    for name in options.tasks or tasks:
        task = tasks[name]
        truths, x_o = observations(task)
        for number in range(OBSERVATIONS):
            if task.path(number).exists() and not options.again:
                continue
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of references that disagree: they are flagged
                draws = MAKERS[name](task, x_o[number], 1000 * number)
            found = kept(task, number, truths[number], x_o[number], draws)
            print(f"{name} {number}: {found} ({time.process_time() - began:.0f} s of processor)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
