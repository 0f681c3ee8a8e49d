"""How good inference is, measured against references computed in the same run: `python -m benchmarks.inference`.

The tutorial's problem: g_Na and g_K of a cortical neuron from seven statistics. Four parts, each with the targets that
it is held to: rounds (truncated rounds at ten observations), sharpened (the network of lesson 2, sharpened at the same
ten), amortised (one network for all observations), predictive (spikes of draws from the posterior). A fifth, eight:
eight parameters from two steps, for which there is no reference. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import numpy as np

from helpers.inference.cache import load_or_train
from helpers.inference.diagnostics.agreement import Reference, reference
from helpers.inference.diagnostics.c2st import c2st
from helpers.inference.diagnostics.calibration import coverage, sbc, tarp
from helpers.inference.diagnostics.combinations import parameter_combinations
from helpers.inference.diagnostics.local_calibration import local_calibration
from helpers.inference.diagnostics.predictive import predictive_check
from helpers.inference.diagnostics.trials import Sampler, run_trials
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import box_prior
from helpers.inference.recipe import DescribedSimulator
from helpers.inference.rounds import Rounds, truncated_rounds
from helpers.inference.sharpening import sharpened
from helpers.inference.shipped import RECIPES
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate as simulate_one
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary_statistics

from .speed import processor

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.5, 1e-4], high=[80.0, 15.0])
STIMULUS = step(3.24806, start=10.0, stop=110.0)
DURATION = 120.0
TRUTHS = (
    (50.0, 5.0), (70.0, 12.0), (20.0, 3.0), (30.0, 10.0), (60.0, 2.0),
    (20.0, 2.0), (5.0, 1.0), (10.0, 0.5), (35.0, 2.0), (15.0, 8.0),
)  # fmt: skip
SEEDS = 3
LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Sizes:
    """How much is run.

    training: simulations of the amortised network. trials: truths of SBC, coverage and TARP, with `draws` each.
    held_out: truths with a reference. points, repeats, abc: of a reference. compared: samples of each of two sets in a
    C2ST. observations: of eight parameters, with rounds of `n_round`, `n_final` and `budget` simulations, and `nearby`
    simulations for the calibration near each.
    """

    training: int = 90_000
    trials: int = 1000
    draws: int = 1000
    held_out: int = 20
    points: int = 200
    repeats: int = 2000
    abc: int = 1_000_000
    compared: int = 2000
    observations: int = 10
    n_round: int = 2000
    n_final: int = 8000
    budget: int = 20_000
    nearby: int = 10_000


QUICK = Sizes(
    training=2000, trials=100, draws=100, held_out=2, points=60, repeats=300, abc=40_000,
    observations=1, n_round=100, n_final=200, budget=300, nearby=1000,
)  # fmt: skip


def simulate(theta: np.ndarray, seed: int) -> np.ndarray:
    """The seven statistics (n, 7) of parameter sets (n, 2)."""
    return simulate_many(Pospischil(), STIMULUS, PRIOR.by_name(theta), DURATION, seed=seed)


def reference_at(x_o: np.ndarray, seed: int, sizes: Sizes) -> Reference:
    """The posterior by two methods that share no assumption."""
    return reference(
        simulate, PRIOR, x_o, seed=seed, points=sizes.points, repeats=sizes.repeats, simulations=sizes.abc
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default %(default)s)")
    parser.add_argument(
        "--truths", nargs="+", type=int, choices=range(len(TRUTHS)), default=list(range(len(TRUTHS))),
        help="observations of the parts rounds and sharpened, by number (default: all ten)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    print(
        f"{processor()}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
        f"torch {version('torch')}, sbi {version('sbi')}; seed {options.seed}"
        f"{', QUICK: no measurement' if options.quick else ''}."
    )
    for part in options.only:
        print(f"\n## {part}\n", flush=True)
        chosen = {"truths": options.truths} if part in ("rounds", "sharpened") else {}
        for line in PARTS[part](QUICK if options.quick else Sizes(), options.seed, **chosen):
            print(line, flush=True)
    return 0


# ------------------------------------------------------------------------------------------ at ten observations

ALL = tuple(range(len(TRUTHS)))


def rounds(sizes: Sizes, seed: int, truths: Sequence[int] = ALL) -> Iterator[str]:
    """Truncated rounds at ten observations, with three seeds each, compared with two references of different kinds."""

    def inferred(x_o: np.ndarray, seed: int) -> tuple[Sampler, int]:
        result = truncated_rounds(simulate, PRIOR, x_o, seed)
        return result.posterior, result.n_simulations

    yield from at_truths(inferred, sizes, seed, truths, most=10_000, longest=60)


def sharpened_network(sizes: Sizes, seed: int, truths: Sequence[int] = ALL) -> Iterator[str]:
    """The same with the network of lesson 2, sharpened at each observation: one network was trained for all."""
    network = load_or_train(RECIPES["conductances-refined"])

    def inferred(x_o: np.ndarray, seed: int) -> tuple[Sampler, int]:
        result = sharpened(network, simulate, x_o, seed)
        return result, result.n_simulations

    yield from at_truths(inferred, sizes, seed, truths, most=3000, longest=15)


def at_truths(
    inferred: Callable[[np.ndarray, int], tuple[Sampler, int]],
    sizes: Sizes,
    seed: int,
    truths: Sequence[int],
    most: int,
    longest: float,
) -> Iterator[str]:
    """Table of a method that takes an observation and a seed, with `most` simulations and `longest` seconds allowed."""
    yield (
        f"Targets: C2ST at most 0.60 to both references, SDs within 20 % of them, at most {most:,} simulations and "
        f"{longest:g} s. References: synthetic likelihood (A) and local ABC (B)."
    )
    yield ""
    names = ", ".join(PRIOR.names)
    yield from head(
        ["truth", "spikes", "seed", "A and B", "C2ST to A, B", f"SD / A ({names})", f"SD / B ({names})", "simulations",
         "s (of processor)", "met"], 1,
    )  # fmt: skip
    for number in truths:
        truth, own = np.array(TRUTHS[number]), seed + 1000 * number
        x_o, exact = observed(number, seed, sizes)
        for repeat in range(SEEDS):
            watch = Stopwatch()
            found, n_simulations = inferred(x_o, own + 10 + repeat)
            seconds, busy = watch.read()
            ours = found.sample(4000, x_o, own + 4)
            distances = [c2st(one, ours, at_most=sizes.compared) for one in exact.samples]
            ratios = [ours.std(axis=0) / one.std(axis=0) for one in exact.samples]
            targets = {
                "C2ST": max(distances) <= 0.60,
                "SD": (np.abs(np.array(ratios) - 1) <= 0.2).all(),
                "simulations": n_simulations <= most,
                "time": seconds <= longest,
            }
            missed = ", ".join(name for name, met in targets.items() if not met)
            yield row(
                f"{truth[0]:g}, {truth[1]:g}", f"{x_o[0]:g}", f"{repeat}",
                f"{exact.c2st:.3f}{'' if exact.agree else ' (disagree)'}",
                ", ".join(f"{distance:.3f}" for distance in distances),
                *(", ".join(f"{ratio:.2f}" for ratio in one) for one in ratios),
                f"{n_simulations:,}", f"{seconds:.0f} ({busy:.0f})", f"NO: {missed}" if missed else "yes",
            )  # fmt: skip


@cache  # the references take minutes, and two parts need them
def observed(number: int, seed: int, sizes: Sizes) -> tuple[np.ndarray, Reference]:
    """The observation of a truth, and its references."""
    own = seed + 1000 * number
    x_o = simulate(np.array(TRUTHS[number])[None], own + 1)[0]
    return x_o, reference_at(x_o, own + 100, sizes)


# ---------------------------------------------------------------------------------------------------------- amortised


def amortised(sizes: Sizes, seed: int) -> Iterator[str]:
    """One network for every observation: is it calibrated, and how close is it to the references?"""
    theta = PRIOR.draw(sizes.training, seed)
    x = simulate(theta, seed + 1)
    watch = Stopwatch()
    network = train_npe(PRIOR, theta, x, seed, **AMORTISED)
    seconds, busy = watch.read()
    how = ", ".join(f"{k} = {v}" for k, v in AMORTISED.items())
    yield f"Trained on {sizes.training:,} simulations with {how}: {seconds:.0f} s ({busy:.0f} of processor)."
    truths = PRIOR.draw(sizes.trials, seed + 2)
    trials = run_trials(network, PRIOR, truths, simulate(truths, seed + 3), seed=seed + 4, samples=sizes.draws)
    yield f"{sizes.trials:,} new truths, {sizes.draws:,} draws for each."
    yield ""
    yield from head(("check", "target", "measured", "met"), 3)
    ranks = sbc(trials, seed=seed + 5)
    limit = 0.05 / len(PRIOR.names)
    for name, p in zip(PRIOR.names, ranks.p, strict=True):
        yield row(f"SBC, KS p of {name}", f"> {limit:g} (0.05, Bonferroni)", f"{p:.2g}", yes(p > limit))
    covered = coverage(trials, network.log_prob)
    for level in LEVELS:
        shares = covered.coverage_at(level)
        found = ", ".join(f"{100 * share:.1f}" for share in shares)
        names = ", ".join(("joint", *PRIOR.names))
        yield row(
            f"coverage of {100 * level:g} % regions ({names}; ± {100 * covered.standard_error(level):.1f})",
            "within 3 points", f"{found} %", yes((np.abs(shares - level) <= 0.03).all()),
        )  # fmt: skip
    area = tarp(trials, seed=seed + 6).atc
    yield row("TARP, area to curve", "within 0.05", f"{area:+.3f}", yes(abs(area) <= 0.05))
    found, wider = at_held_out(network, sizes, seed + 7)
    yield row(
        f"C2ST to the reference, median (range) over {len(found)} truths", "reported only",
        f"{np.median(found):.2f} ({found.min():.2f} to {found.max():.2f})", "",
    )  # fmt: skip
    yield row(
        "SD over that of the reference, median", "reported only",
        ", ".join(f"{name} {ratio:.1f}" for name, ratio in zip(PRIOR.names, np.median(wider, axis=0), strict=True)), "",
    )  # fmt: skip


AMORTISED: dict[str, object] = {"model": "nsf", "epochs": 10, "batch": 300}  # of train_npe


def at_held_out(network: Posterior, sizes: Sizes, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """C2ST to the reference (n,) and SD over its SD (n, 2), at new truths where the reference exists.

    Where the neuron hardly fires (no spike, or at the edge of the prior) the posterior is not a narrow peak, and has no
    local reference; such truths are skipped, and their number is printed.
    """
    found, wider, tried = [], [], 0
    for number, truth in enumerate(PRIOR.draw(10 * sizes.held_out, seed)):
        if len(found) == sizes.held_out:
            break
        tried += 1
        x_o = simulate(truth[None], seed + 10 * number)[0]
        try:
            exact = reference_at(x_o, seed + 10 * number + 1, sizes).likelihood
        except ValueError:
            continue
        drawn = network.sample(sizes.compared, x_o, seed)
        found.append(c2st(exact.sample(sizes.compared, x_o, seed + 1), drawn))
        wider.append(drawn.std(axis=0) / exact.sd)
    print(f"references exist at {len(found)} of {tried} truths", file=sys.stderr)
    return np.array(found), np.array(wider)


# --------------------------------------------------------------------------------------------------------- predictive


def predictive(sizes: Sizes, seed: int) -> Iterator[str]:
    """Spike times of 100 draws from the posterior at (50, 5), and how much of their scatter no posterior can avoid."""
    yield "Target: 95 % of the spike times of 100 draws within 0.5 ms of the observed ones."
    yield ""
    truth = np.array(TRUTHS[0])
    named = {name: float(value) for name, value in zip(PRIOR.names, truth, strict=True)}
    cells = Pospischil(**named), noiseless(**named)
    observed, silent = (simulate_one(cell, STIMULUS, DURATION, seed=seed + 11) for cell in cells)
    x_o = summary_statistics(observed)
    sources = {
        "truncated rounds": truncated_rounds(simulate, PRIOR, x_o, seed).posterior.sample(100, x_o, seed),
        "reference": reference_at(x_o, seed + 100, sizes).likelihood.sample(100, x_o, seed),
        "the true parameters, 100 times": np.tile(truth, (100, 1)),
    }
    columns = "parameters from", "spike count", "within 0.5 ms", "within 0.5 ms, noise off", "p of spike times"
    yield from head(columns, 1)
    for name, theta in sources.items():
        check = predictive_check(Pospischil(), STIMULUS, PRIOR, theta, observed, seed=seed + 12)
        quiet = predictive_check(noiseless(), STIMULUS, PRIOR, theta, silent, seed=seed + 12)
        counts = f"{check.counts.min()} to {check.counts.max()}"
        shares = (f"{100 * one.within(0.5):.1f} %" for one in (check, quiet))
        yield row(name, counts, *shares, f"{check.p_spikes:.2f}")


def noiseless(**parameters: float) -> Pospischil:
    """The neuron without current noise: what scatter is left comes from the parameters."""
    return Pospischil(noise=0.0, **parameters)


# --------------------------------------------------------------------------------------------------- eight parameters


def eight(sizes: Sizes, seed: int) -> Iterator[str]:
    """Truncated rounds next to the shipped network, at spiking neurons drawn from the prior; calibration near each."""
    recipe = RECIPES["eight-two-steps-and-timing"]
    simulator, network = recipe.simulator, load_or_train(recipe)
    yield (
        f"Eight parameters from {len(simulator.names)} statistics of two steps. Near each observation: how many times "
        "too wide the posterior is (all parameters jointly; the widest combination), p of all tests, and C2ST of "
        f"truths and draws. Targets of rounds: p > 0.05, at most 20,000 simulations and {MAX_BUSY} s of processor. "
        f"The network: {recipe.simulations:,} simulations."
    )
    yield ""
    yield from head(
        ["observation", "spikes", "SD network / rounds", "SD / prior, best and least known",
         "rounds: too wide, p, C2ST", "network: too wide, p, C2ST", "simulations", "s of processor", "met"], 1,
    )  # fmt: skip
    for number, x_o in enumerate(spiking(simulator, sizes.observations, seed)):
        own, watch = seed + 1000 * number, Stopwatch()
        result = truncated_rounds(
            simulator, simulator.prior, x_o, own + 1,
            n_round=sizes.n_round, n_final=sizes.n_final, budget=sizes.budget,
        )  # fmt: skip
        busy = watch.read()[1]
        ours, theirs = (one.sample(4000, x_o, own + 2) for one in (result.posterior, network))
        ratio = theirs.std(axis=0) / ours.std(axis=0)
        known = parameter_combinations(simulator.prior, ours).remaining
        near, right = calibrated_near(result, simulator, x_o, own + 3, sizes)
        targets = {"calibration": right, "simulations": result.n_simulations <= 20_000, "time": busy <= MAX_BUSY}
        missed = ", ".join(name for name, met in targets.items() if not met)
        yield row(
            f"{number}", f"{x_o[0]:g}", f"{np.median(ratio):.1f} ({ratio.min():.1f} to {ratio.max():.1f})",
            f"{known[0]:.2g}, {known[-1]:.2g}", near, calibrated_near(network, simulator, x_o, own + 3, sizes)[0],
            f"{result.n_simulations:,}", f"{busy:.0f}", f"NO: {missed}" if missed else "yes",
        )  # fmt: skip


MAX_BUSY = 180  # s


def spiking(simulator: DescribedSimulator, n: int, seed: int) -> np.ndarray:
    """Statistics (n, n_statistics) of the first `n` neurons of the prior with 2 to 30 spikes."""
    theta = simulator.prior.draw(40 * n, seed)
    x = simulator(theta, seed + 1)
    return x[(x[:, 0] >= 2) & (x[:, 0] <= 30)][:n]


def calibrated_near(
    posterior: Posterior | Rounds, simulator: DescribedSimulator, x_o: np.ndarray, seed: int, sizes: Sizes
) -> tuple[str, bool]:
    """How many times too wide, p and C2ST near `x_o`, as a cell, and whether it passes."""
    trials = min(500, sizes.nearby // 2)
    try:
        found = local_calibration(
            posterior, simulator, simulator.prior, x_o, seed=seed, simulations=sizes.nearby, trials=trials
        )
    except ValueError as reason:
        print(f"no calibration near an observation: {reason}", file=sys.stderr)
        return "-", False
    return f"{found.width[-1]:.2f} ({found.width.max():.2f}), {found.p:.1g}, {found.c2st:.2f}", found.passed()


PARTS = {
    "rounds": rounds,
    "sharpened": sharpened_network,
    "amortised": amortised,
    "predictive": predictive,
    "eight": eight,
}


# ---------------------------------------------------------------------------------------------------------- reporting


def head(columns: Sequence[str], texts: int) -> Iterator[str]:
    """The first two lines of a table; all columns but the first `texts` are aligned to the right."""
    yield row(*columns)
    yield row(*["---"] * texts, *["---:"] * (len(columns) - texts))


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


class Stopwatch:
    """Elapsed time and processor time [s] since it was made."""

    def __init__(self) -> None:
        self.began, self.busy = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self.began, time.process_time() - self.busy


def yes(good: bool) -> str:
    return "yes" if good else "NO"


if __name__ == "__main__":
    sys.exit(main())
