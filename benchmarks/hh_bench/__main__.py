"""Measure methods of inference on tasks with neurons: `python -m benchmarks.hh_bench`. Prints Markdown.

What is measured is a line in a file of results at once. A run that was stopped goes on with --resume; what fails is a
line that says so. Times are seconds of processor.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.inference.diagnostics.trials import Sampler
from helpers.inference.fingerprint import versions

from ..inference import Stopwatch
from ..speed import processor
from .measures import calibration, compared
from .methods import METHODS
from .results import Results, table
from .task import tasks

ROOT = Path(__file__).parents[2]
OF_CALIBRATION = 5_000_000  # added to the seed


@dataclass(frozen=True)
class Sizes:
    """draws: for each observation. trials, trial_draws: of the calibration. few: observations of a slow method."""

    draws: int = 1000
    trials: int = 100
    trial_draws: int = 200
    few: int = 3


QUICK = Sizes(draws=100, trials=20, trial_draws=20, few=1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hh_bench", description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=tasks, default=list(tasks), help="default: all")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="default: all")
    parser.add_argument("--budgets", nargs="+", type=int, default=[1000, 10_000], help="of simulations (1000 10000)")
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "hh_bench.jsonl", help="file of results")
    parser.add_argument("--resume", action="store_true", help="go on with the file, and leave out what is in it")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default %(default)s)")
    options = parser.parse_args(arguments)
    if options.results.exists() and not options.resume:
        parser.error(f"{options.results} exists: --resume goes on with it; or name another with --results")
    sizes = QUICK if options.quick else Sizes()
    setting = {
        "seed": options.seed,
        "sizes": asdict(sizes),
        "versions": versions("sbi", "torch", "numpy", "numba"),
        "machine": f"{processor()}, {os.cpu_count()} cores; {platform.system()}",
        "tasks": {name: task.fingerprint for name, task in tasks.items()},
    }
    try:
        results = Results(options.results, setting)
    except ValueError as error:
        parser.error(str(error))
    for task, budget, method in itertools.product(options.tasks, options.budgets, options.methods):
        measure(results, task, method, budget, sizes, options.seed)
    print(", ".join([setting["machine"], *map(" ".join, setting["versions"].items())]) + f"; seed {options.seed}.")
    print("QUICK: no measurement.\n" if options.quick else "")
    for line in table(results):
        print(line)
    return 0


def measure(results: Results, name: str, method: str, budget: int, sizes: Sizes, seed: int) -> None:
    """Measure what is not in the results yet of one method on one task at one number of simulations."""
    task, one = tasks[name], METHODS[method]
    numbers = [int(number) for number in np.flatnonzero(task.agree)][: sizes.few if one.slow else None]
    wanted: list[str | int] = ["start", *numbers, *["calibration"] * (one.amortised and not one.slow)]
    known = results.parts()
    missing = [part for part in wanted if (name, method, budget, part) not in known]
    if not missing or "failed" in known.get((name, method, budget, "start"), {}):
        return
    if name in one.not_for:
        results.append(name, method, budget, "start", {"failed": f"not applicable: {one.not_for[name]}"})
        return
    count = 0

    def simulate(theta: np.ndarray, seed: int) -> np.ndarray:
        nonlocal count
        count += len(theta)
        return task.summarise(task.simulator(theta, seed))

    def kept(part: str | int, do: Callable[[], dict[str, Any]]) -> bool:
        nonlocal count
        count = 0
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of budgets that are too small: the table shows it
                line = do()
        except Exception as error:
            traceback.print_exc()
            words = " ".join(str(error).split())[:160].replace("|", "/")
            line = {"failed": f"{type(error).__name__}: {words}"}
        print(f"{name}, {method}, {budget:,} simulations, {part}: {line}", file=sys.stderr, flush=True)
        if part in missing:
            results.append(name, method, budget, part, line)
        return "failed" not in line

    found: list[Sampler] = []

    def start() -> dict[str, Any]:
        watch = Stopwatch()
        found.append(one.start(task, simulate, budget, seed))
        return {"busy": round(watch.read()[1], 2), "simulations": count}

    def answer(number: int) -> dict[str, Any]:
        watch = Stopwatch()
        draws = found[0].sample(sizes.draws, task.summarise(task.x_o[number]), seed + 1000 * (number + 1))
        busy = round(watch.read()[1], 2)
        allowed = sizes.draws, len(task.prior.names)
        if draws.shape != allowed or not np.isfinite(draws).all():
            raise ValueError(f"draws of shape {draws.shape}, or not finite; allowed: {allowed}")
        return {**compared(task.reference_samples[number], draws), "busy": busy, "simulations": count}

    of_calibration = sizes.trials, sizes.trial_draws, seed + OF_CALIBRATION
    if kept("start", start):
        for part in missing:
            if isinstance(part, int):
                kept(part, lambda number=part: answer(number))  # type: ignore[misc]
            elif part == "calibration":
                kept(part, lambda: calibration(task, found[0], simulate, *of_calibration))


if __name__ == "__main__":
    sys.exit(main())
