"""Six parameters of an integrate-and-fire neuron, compared with BayesFlow in one run: `python -m benchmarks.lif`.

Everyone gets the same simulations, the same number of epochs and the same held-out recordings. "exact" is the posterior
by the likelihood, which no method can beat. Prints Markdown. Times are those of one thread.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy.stats import binom  # noqa: E402

from helpers.inference.diagnostics.calibration import Calibration, coverage, sbc, tarp  # noqa: E402
from helpers.inference.diagnostics.recovery import Recovery, recovery  # noqa: E402
from helpers.inference.diagnostics.trials import Trials, run_trials  # noqa: E402
from helpers.inference.embedding import Convolutional  # noqa: E402
from helpers.inference.lif.likelihood import exact_recovery  # noqa: E402
from helpers.inference.lif.problem import (  # noqa: E402
    CORRECTED,
    ORIGINAL,
    PUBLISHED_PRIOR,
    TWO_LEVELS,
    WIDE_PRIOR,
    LifExperiment,
    lif_prior,
)
from helpers.inference.lif.statistics import lif_statistic_names, lif_statistics  # noqa: E402
from helpers.inference.npe import train_npe  # noqa: E402
from helpers.inference.priors import Prior  # noqa: E402

from .inference import Stopwatch, head, row  # noqa: E402
from .speed import processor  # noqa: E402

TARGETS = (0.985, 0.965, 0.86, 0.985, 0.995, 0.72)  # r of V_th, tau_m, g_L, V_reset, V_init, E_L
BINS = 20


@dataclass(frozen=True)
class Sizes:
    """training: simulations. epochs, batch: of training. trials: held-out recordings, with `draws` each."""

    training: int = 20_000
    epochs: int = 50
    batch: int = 128
    trials: int = 1000
    draws: int = 250


QUICK = Sizes(training=500, epochs=2, trials=60, draws=50)


@dataclass(frozen=True)
class Data:
    """Simulations for training and, new, for testing: parameters (n, 6) and recordings (n, n_samples, n_channels)."""

    experiment: LifExperiment
    prior: Prior
    theta: np.ndarray
    x: np.ndarray
    theta_test: np.ndarray
    x_test: np.ndarray

    @classmethod
    def of(cls, experiment: LifExperiment, prior: Prior, sizes: Sizes, seed: int) -> Data:
        theta, test = prior.draw(sizes.training, seed + 1), prior.draw(sizes.trials, seed + 11)
        recorded = (experiment.simulate(prior, values, seed + 2 + 10 * i) for i, values in enumerate((theta, test)))
        x, x_test = recorded
        return cls(experiment, prior, theta, x, test, x_test)


@dataclass(frozen=True)
class Result:
    """What a method did: its answers to the held-out recordings, and how long it took [s, s of processor]."""

    trials: Trials
    seconds: float
    busy: float
    exact: Recovery | None = None


def with_statistics(data: Data, sizes: Sizes, seed: int, exact: bool = True) -> Result:
    """This series: hand-made summary statistics and a flow. The time includes computing the statistics."""
    watch = Stopwatch()
    seen = lif_statistics(data.experiment, data.x)
    names = lif_statistic_names(data.experiment)
    posterior = train_npe(data.prior, data.theta, seen, seed, epochs=sizes.epochs, batch=sizes.batch, statistics=names)
    took = watch.read()
    x = lif_statistics(data.experiment, data.x_test)
    trials = run_trials(posterior, data.prior, data.theta_test, x, seed=seed, samples=sizes.draws)
    best = exact_recovery(data.experiment, posterior, trials, data.x_test)[0] if exact else None
    return Result(trials, *took, best)


def with_network(data: Data, sizes: Sizes, seed: int) -> Result:
    """This series: a convolutional network that sees V and the spikes."""
    watch = Stopwatch()
    posterior = train_npe(
        data.prior, data.theta, data.x, seed, scaling="standardise", embedding=Convolutional(), epochs=sizes.epochs,
        batch=sizes.batch, statistics=data.experiment.channels,
    )  # fmt: skip
    took = watch.read()
    trials = run_trials(posterior, data.prior, data.theta_test, data.x_test, seed=seed, samples=sizes.draws)
    return Result(trials, *took)


def bayesflow_statistics(data: Data, sizes: Sizes, seed: int) -> Result:
    """BayesFlow's coupling flow on the same hand-made summary statistics."""
    tables = [lif_statistics(data.experiment, x) for x in (data.x, data.x_test)]
    middle, scale = tables[0].mean(axis=0), tables[0].std(axis=0)
    return _bayesflow(data, sizes, seed, *((table - middle) / scale for table in tables), None)


def bayesflow_network(data: Data, sizes: Sizes, seed: int) -> Result:
    """BayesFlow's time-series network (summary 32, hidden 64, as the original) on V and spikes, and its coupling flow.

    Two convolutions in front shorten the recording 50 times: Keras on PyTorch walks through a recurrent layer sample by
    sample, so that the network as the original has it, over 1,000 samples, would take many hours.
    """
    from bayesflow.networks import TimeSeriesNetwork

    middle, scale = data.x.mean(axis=(0, 1)), data.x.std(axis=(0, 1))
    network = TimeSeriesNetwork(
        summary_dim=32, recurrent_dim=64, filters=(32, 32), kernel_sizes=(20, 10), strides=(10, 5)
    )
    return _bayesflow(data, sizes, seed, (data.x - middle) / scale, (data.x_test - middle) / scale, network)


def _bayesflow(data: Data, sizes: Sizes, seed: int, x: np.ndarray, x_test: np.ndarray, network: object) -> Result:
    import bayesflow as bf
    import keras

    keras.utils.set_random_seed(seed)
    watch = Stopwatch()
    # Scaled here: BayesFlow's own standardisation, which follows the training, made every step slower than the last.
    middle, scale = data.theta.mean(axis=0), data.theta.std(axis=0)
    slot = "inference_conditions" if network is None else "summary_variables"
    workflow = bf.BasicWorkflow(
        inference_network=bf.networks.CouplingFlow(),
        summary_network=network,
        inference_variables=["theta"],
        standardize=None,
        **{slot: ["x"]},
    )
    given = {"theta": ((data.theta - middle) / scale).astype(np.float32), "x": x.astype(np.float32)}
    workflow.fit_offline(given, epochs=sizes.epochs, batch_size=sizes.batch, verbose=0)
    took = watch.read()
    blocks = [
        np.asarray(workflow.sample(num_samples=sizes.draws, conditions={"x": part.astype(np.float32)})["theta"])
        for part in np.array_split(x_test, max(1, len(x_test) // 100))
    ]
    torch.set_grad_enabled(True)  # Keras switches it off for the whole program
    samples = middle + scale * np.concatenate(blocks).astype(float)
    return Result(Trials(data.prior, data.theta_test, x_test, samples), *took)


METHODS: dict[str, Callable[[Data, Sizes, int], Result]] = {
    "statistics, flow": with_statistics,
    "network, flow": with_network,
    "BayesFlow, the same statistics": bayesflow_statistics,
    "BayesFlow, its network": bayesflow_network,
}
EXPERIMENTS = {
    "published prior, corrected": (CORRECTED, PUBLISHED_PRIOR),
    "published prior, original": (ORIGINAL, PUBLISHED_PRIOR),
    "wide prior, corrected": (CORRECTED, WIDE_PRIOR),
    "uniform prior, corrected": (CORRECTED, lif_prior(voltage_sd=None)),
    "wide prior, two levels": (TWO_LEVELS, WIDE_PRIOR),
    "published prior, two levels": (TWO_LEVELS, PUBLISHED_PRIOR),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lif", description=__doc__)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS), help="default: all")
    parser.add_argument("--experiments", nargs="*", choices=EXPERIMENTS, default=list(EXPERIMENTS), help="default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default %(default)s)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sizes = QUICK if options.quick else Sizes()
    print(
        f"{processor()}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
        f"torch {version('torch')}, sbi {version('sbi')}, bayesflow {_version('bayesflow')}; seed {options.seed}"
        f"{', QUICK: no measurement' if options.quick else ''}. {sizes.training:,} simulations, {sizes.epochs} epochs "
        f"of batches of {sizes.batch}; {sizes.trials:,} held-out recordings, {sizes.draws} draws each."
    )
    for title, lines in (("Methods", methods(options.methods, sizes, options.seed)),
                         ("Experiments", experiments(options.experiments, sizes, options.seed))):  # fmt: skip
        print(f"\n## {title}\n", flush=True)
        for line in lines:
            print(line, flush=True)
    return 0


def methods(names: Sequence[str], sizes: Sizes, seed: int) -> Iterator[str]:
    """Every method on the same simulations: one current, the wide prior."""
    if not names:
        return
    data = Data.of(CORRECTED, WIDE_PRIOR, sizes, seed)
    yield from _head("method")
    for name in names:
        try:
            result = METHODS[name](data, sizes, seed)
        except ModuleNotFoundError as error:
            yield f"| {name} | left out: {error} |"
            continue
        yield _line(name, result, seed)
        if result.exact is not None:
            yield row("exact", "", *(f"{r:.3f}" for r in result.exact.r), "", "", "", "")


def experiments(names: Sequence[str], sizes: Sizes, seed: int) -> Iterator[str]:
    """Summary statistics and flow on each version, prior and number of currents; and what is exact."""
    if not names:
        return
    yield "Targets for one level: " + ", ".join(f"{target:g}" for target in TARGETS)
    yield ""
    yield from _head("experiment")
    for name in names:
        result = with_statistics(Data.of(*EXPERIMENTS[name], sizes, seed), sizes, seed)
        yield _line(name, result, seed)
        yield row(f"{name}: exact", "", *(f"{r:.3f}" for r in result.exact.r), "", "", "", "")


def _head(what: str) -> Iterator[str]:
    columns = "training, s (of processor)", *(f"r {name}" for name in PUBLISHED_PRIOR.names)
    yield from head((what, *columns, "least p of SBC", "bars outside", "90 % intervals hold", "TARP area"), 1)


def _line(name: str, result: Result, seed: int) -> str:
    ranks, covered = sbc(result.trials, seed=seed), coverage(result.trials).coverage_at(0.9)[1:]
    return row(
        name,
        f"{result.seconds:.0f} ({result.busy:.0f})",
        *(f"{r:.3f}" for r in recovery(result.trials).r),
        f"{ranks.p.min():.2g}",
        f"{bars_outside(ranks)} of {BINS * len(ranks.p)}",
        f"{100 * covered.min():.0f} to {100 * covered.max():.0f} %",
        f"{tarp(result.trials, seed=seed).atc:+.3f}",
    )


def bars_outside(ranks: Calibration) -> int:
    """Bars of the rank histograms of all parameters beyond the band that holds 99 % of the bars of right posteriors."""
    low, high = binom(len(ranks.ranks), 1 / BINS).ppf([0.005, 0.995])
    share = (ranks.ranks + 0.5) / (ranks.n_samples + 1)
    bars = np.stack([np.histogram(column, BINS, (0, 1))[0] for column in share.T])
    return int(((bars < low) | (bars > high)).sum())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


if __name__ == "__main__":
    sys.exit(main())
