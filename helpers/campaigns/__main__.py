"""Simulation campaigns from the command line, for the neurons of this repository under a step of current.

  ./setup_pyhh.sh campaign run spikes --neuron Pospischil --vary g_Na=0.5:80 g_K=1e-4:15 --number 1e6
  ./setup_pyhh.sh campaign status spikes
  ./setup_pyhh.sh campaign verify spikes

The same command resumes an interrupted run; a larger number extends it. Everything else (other stimuli, priors,
statistics, neurons of your own) in Python: see helpers/campaigns/campaign.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.inference.priors import box_prior
from helpers.neurons import models as neurons
from helpers.simulation.integrators import METHODS
from helpers.simulation.stimuli import step

from .campaign import Campaign
from .simulations import Simulations


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return 0, or 1 if something is wrong."""
    options = _parser().parse_args(arguments)
    try:
        return options.action(options)
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here", file=sys.stderr)
        return 130
    except (OSError, ValueError) as error:
        notes = getattr(error, "__notes__", ())
        print("; ".join(map(str, (error, *notes))), file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """Simulate, resume or extend a campaign."""
    kind = getattr(neurons, options.neuron)
    ends = [(float(low), float(high)) for _, low, high in options.vary]
    prior = box_prior(kind, [name for name, *_ in options.vary], *zip(*ends, strict=True))
    amplitude, start, stop = options.step
    campaign = Campaign(
        options.folder, kind(**dict(options.set)), step(amplitude, start, stop), prior, options.duration, options.dt,
        seed=options.seed, method=options.method, precision=options.precision,
    )  # fmt: skip
    began = time.perf_counter()
    with _client(options) as client:
        simulations = campaign.run(options.number, client=client, shard=options.shard, progress=True)
    print(f"{simulations.kept:,} simulations in {simulations.folder}, {time.perf_counter() - began:.1f} s")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print what a folder holds."""
    simulations = Simulations(options.folder)
    about, shards = simulations.about, simulations.shards
    size = sum(shard.path.stat().st_size for shard in shards)
    print(f"{simulations.kept:,} of {simulations.number:,} simulations in {len(shards)} files, {size / 1e6:.1f} MB")
    print(f"{about['neuron']['class']}, {about['duration']:g} ms at dt = {about['dt']:g} ms, seed {about['seed']}")
    print(simulations.prior.table())
    return 0


def verify(options: argparse.Namespace) -> int:
    """Read every byte of a campaign, and print what is wrong."""
    simulations = Simulations(options.folder)
    found = simulations.verify()
    print("\n".join(found) or f"all {simulations.number:,} simulations are there and whole")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./setup_pyhh.sh campaign", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for action, what in (
        (run, "simulate, go on, or extend"),
        (status, "what a folder holds"),
        (verify, "read every byte of it: name damaged files and missing simulations"),
    ):
        command = commands.add_parser(action.__name__, help=what)
        command.set_defaults(action=action)
        command.add_argument("folder", type=Path, help="of the campaign")
        if action is run:
            _add_arguments_of_run(command)
    return parser


def _add_arguments_of_run(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--number", type=_whole, required=True, help="simulations in all, such as 1e6")
    add("--neuron", choices=neurons.__all__, default="Pospischil", help="(default %(default)s)")
    add("--vary", nargs="+", type=_range, metavar="NAME=LOW:HIGH", required=True, help="uniform priors")
    add("--set", nargs="+", type=_value, metavar="NAME=VALUE", default=[], help="other parameters of the neuron")
    add("--step", nargs=3, type=float, metavar=("AMPLITUDE", "START", "STOP"), default=(3.24806, 10.0, 110.0),
        help="injected current [of the neuron's unit, ms, ms] (default %(default)s)")  # fmt: skip
    add("--duration", type=float, default=120.0, help="of a simulation [ms] (default %(default)s)")
    add("--dt", type=float, default=0.01, help="time step [ms] (default %(default)s)")
    add("--method", choices=METHODS, default=METHODS[0], help="(default %(default)s)")
    add("--precision", choices=("double", "single"), default="double", help="(default %(default)s)")
    add("--seed", type=int, default=0, help="of parameters and noise (default %(default)s)")
    add("--shard", type=_whole, help="simulations in a file (default: 10,000, or as many as make 10,000 files)")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_whole, help="processes of a Dask cluster on this machine")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that runs already, tcp://HOST:PORT")


@contextmanager
def _client(options: argparse.Namespace) -> Iterator[Any]:
    """A client of the Dask cluster that was asked for; None where none was."""
    if options.workers is None and options.scheduler is None:
        yield None
        return
    from dask.distributed import Client, LocalCluster  # takes a second

    if options.scheduler is not None:
        with Client(options.scheduler) as client:
            yield client
        return
    cluster = LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        yield client


def _whole(text: str) -> int:
    value = float(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)


def _value(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _range(text: str) -> tuple[str, float, float]:
    name, _, ends = text.partition("=")
    low, _, high = ends.partition(":")
    return name, float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
