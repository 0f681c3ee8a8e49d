"""What a campaign costs, measured: `python -m benchmarks.campaign`. Prints Markdown; docs/scale.md rests on it.

The training set of the tutorial: Pospischil neurons with noise, 12,000 steps of 0.01 ms, seven statistics. Parts:

    throughput   simulate_many alone, the campaign in process, and on a Dask cluster of two workers, in turn
    numbers      seconds, bytes and memory from a thousand simulations to a million, and a straight line through them
    workers      one and two workers of a Dask cluster
    parameters   one to eight parameters that vary
    resume       how long a finished campaign takes to find that it is finished
    training     memory while a network is trained on a campaign

Best on an idle machine. Processor time is given next to that of the clock: it hardly depends on what else runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from helpers.campaigns.campaign import Campaign
from helpers.campaigns.simulations import Simulations
from helpers.inference.fingerprint import versions
from helpers.inference.priors import box_prior
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step

from .speed import processor

NAMES = ["g_Na", "g_K", "g_L", "g_M", "tau_max", "V_T", "noise", "C"]
SIZES = (1_000, 10_000, 100_000, 1_000_000)
STIMULUS, DURATION = step(3.24806, 10.0, 110.0), 120.0


def campaign(folder: str | Path, n_parameters: int = 2) -> Campaign:
    return Campaign(folder, Pospischil(), STIMULUS, box_prior(Pospischil, NAMES[:n_parameters]), DURATION, seed=0)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run (default: all)")
    parser.add_argument("--largest", type=float, default=1e6, help="number of simulations (default %(default)g)")
    parser.add_argument("--repeats", type=int, default=7, help="of throughput (default %(default)s)")
    parser.add_argument("--folder", type=Path, help="where campaigns are written (default: a temporary one)")
    options = parser.parse_args(arguments)
    packages = ", ".join(f"{name} {number}" for name, number in versions("numpy", "numba", "pyarrow", "dask").items())
    print(f"{processor()}, {os.cpu_count()} cores; {platform.system()}, {packages}; load {os.getloadavg()[0]:.1f}.")
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        for part in options.only:
            print(f"\n## {part}\n", flush=True)
            for line in PARTS[part](Path(place), options):
                print(line, flush=True)
    return 0


# ------------------------------------------------------------------------------------------------------- the parts


def throughput(place: Path, options: argparse.Namespace) -> Iterator[str]:
    """Interleaved, so that whatever else the machine does hits all alike."""
    n = int(min(200_000, options.largest))
    own = campaign(place / "warm")
    theta = own.prior.by_name(own.prior.draw(n, 0))

    def alone(_: Path) -> None:
        simulate_many(Pospischil(), STIMULUS, theta, DURATION, seed=0)

    with cluster(2) as client:
        ways: dict[str, Callable[[Path], Any]] = {
            "simulate_many alone": alone,
            "campaign in process": lambda folder: campaign(folder).run(n),
            "campaign on 2 Dask workers": lambda folder: campaign(folder).run(n, client=client),
        }
        clocks: dict[str, list[float]] = {name: [] for name in ways}
        busy: dict[str, list[float]] = {name: [] for name in ways}
        for repeat in range(options.repeats + 1):  # the first one compiles and does not count
            for name, run in ways.items():
                began, worked = time.perf_counter(), processor_seconds(client)
                run(place / f"throughput {repeat} {name}")
                if repeat:
                    clocks[name].append(time.perf_counter() - began)
                    busy[name].append(processor_seconds(client) - worked)
    yield f"{n:,} simulations, {options.repeats} repeats in turn; rates as shares of that of simulate_many."
    yield from head("way", "s (median)", "rate, median of the ratios", "s of processor", "its ratio")
    first = next(iter(ways))
    for name in ways:
        rates = [a / b for a, b in zip(clocks[first], clocks[name], strict=True)]
        worked = [a / b for a, b in zip(busy[first], busy[name], strict=True)]
        yield row(name, f"{median(clocks[name]):.2f}", f"{median(rates):.3f}", f"{median(busy[name]):.2f}",
                  f"{median(worked):.3f}")  # fmt: skip


def numbers(place: Path, options: argparse.Namespace) -> Iterator[str]:
    """Each size in a process of its own, for its memory."""
    yield from head("simulations", "s", "s of processor", "µs of processor each", "MB on the disk", "bytes each",
                    "peak memory, MB")  # fmt: skip
    sizes = [n for n in SIZES if n <= options.largest]
    busy = []
    for n in sizes:
        folder = place / f"numbers {n}"
        seconds, worked, peak = map(float, in_a_process("size", folder, n).split())
        busy.append(worked)
        size = sum(shard.path.stat().st_size for shard in Simulations(folder).shards)
        yield row(f"{n:,}", f"{seconds:.2f}", f"{worked:.2f}", f"{1e6 * worked / n:.1f}", f"{size / 1e6:.2f}",
                  f"{size / n:.1f}", f"{peak:.0f}")  # fmt: skip
    slope, fixed = np.polyfit(sizes, busy, 1, w=1 / np.array(busy))  # least squares of the relative errors
    off = max(abs((fixed + slope * n) / one - 1) for n, one in zip(sizes, busy, strict=True))
    yield ""
    yield (
        f"A straight line: {fixed:.2f} s and {1e6 * slope:.1f} µs of processor per simulation, off by at most "
        f"{100 * off:.0f} %."
    )


def workers(place: Path, options: argparse.Namespace) -> Iterator[str]:
    n = int(min(20_000, options.largest))
    yield from head("workers", "s", "simulations per s", "s of processor")
    for count in (1, 2):
        with cluster(count) as client:
            campaign(place / f"workers {count} warm").run(1000 * count, shard=500, client=client)
            began, worked = time.perf_counter(), processor_seconds(client)
            campaign(place / f"workers {count}").run(n, shard=1000, client=client)
            seconds = time.perf_counter() - began
            yield row(str(count), f"{seconds:.2f}", f"{n / seconds:,.0f}", f"{processor_seconds(client) - worked:.2f}")


def parameters(place: Path, options: argparse.Namespace) -> Iterator[str]:
    n = int(min(20_000, options.largest))
    yield from head("parameters that vary", "s", "µs of processor each", "bytes each")
    campaign(place / "parameters warm").run(n)
    for count in (1, 2, 4, 8):
        began, worked = time.perf_counter(), time.process_time()
        made = campaign(place / f"parameters {count}", count).run(n)
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        size = sum(shard.path.stat().st_size for shard in made.shards)
        yield row(str(count), f"{seconds:.2f}", f"{1e6 * worked / n:.1f}", f"{size / n:.1f}")


def resume(place: Path, options: argparse.Namespace) -> Iterator[str]:
    n = int(options.largest)
    folder = place / f"numbers {n}"
    campaign(folder).run(n)  # if the part "numbers" has not made it
    yield from head("", "s")
    for what in ("run", "verify", "read"):
        yield row(f"{what}, {n:,} simulations that are there, in a new process", in_a_process(what, folder, n))


def training(place: Path, options: argparse.Namespace) -> Iterator[str]:
    yield "One epoch in batches of 1,000. Arrays: read as a whole, then train_npe."
    yield from head("simulations", "from", "s", "memory of its own, MB", "with pages of files, MB")
    for n in (n for n in SIZES[1:] if n <= options.largest):
        folder = place / f"numbers {n}"
        campaign(folder).run(n)
        for how in ("files", "arrays"):
            yield row(f"{n:,}", how, *in_a_process(f"train {how}", folder, n).split())


PARTS = {
    "throughput": throughput,
    "numbers": numbers,
    "workers": workers,
    "parameters": parameters,
    "resume": resume,
    "training": training,
}


# -------------------------------------------------------------------------------------- processes, clocks, memory


def in_a_process(what: str, folder: Path, n: int) -> str:
    """What `measured` prints in a process of its own."""
    command = [sys.executable, "-c", "import benchmarks.campaign as b, sys; b.measured(*sys.argv[1:])"]
    return (
        subprocess.run([*command, what, str(folder), str(n)], check=True, stdout=subprocess.PIPE)
        .stdout.decode()
        .strip()
    )


def measured(what: str, folder: str, n: str) -> None:
    """Run one thing and print what it took."""
    own = campaign(folder)
    if what == "size":
        own.simulate(0, 64)  # compiles
    began, worked = time.perf_counter(), time.process_time()
    if what in ("run", "size"):
        own.run(int(n))
    elif what == "verify":
        assert Simulations(folder).verify() == []
    elif what == "read":
        assert sum(len(theta) for theta, _ in Simulations(folder).batches()) == int(n)
    else:
        train(what.removeprefix("train "), Simulations(folder))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    if what == "size":
        print(f"{seconds} {worked} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}")
    elif what.startswith("train"):
        print(f"{seconds:.1f} {' '.join(f'{peak:.0f}' for peak in PEAKS)}")
    else:
        print(f"{seconds:.2f}")


PEAKS = [0.0, 0.0]  # MB: of this process's own memory, and of all that is resident


def train(how: str, made: Simulations) -> None:
    """Train for an epoch and watch the memory meanwhile."""
    import threading

    from helpers.campaigns.training import train_on
    from helpers.inference.npe import train_npe

    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for i, name in enumerate(("RssAnon", "VmRSS")):
                PEAKS[i] = max(PEAKS[i], resident(name))

    watcher = threading.Thread(target=watch)
    watcher.start()
    given = {"epochs": 1, "batch": 1000}
    _ = train_on(made, 0, **given) if how == "files" else train_npe(made.prior, *made.read(), 0, **given)
    done.set()
    watcher.join()


def resident(name: str) -> float:
    """Memory of this process [MB], by its name in /proc."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(name + ":"))


@contextmanager
def cluster(n_workers: int) -> Iterator[Any]:
    from dask.distributed import Client, LocalCluster

    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
    with local, Client(local) as client:
        yield client


def processor_seconds(client: Any) -> float:
    """Processor time of this process and of the workers so far [s]."""
    return time.process_time() + sum(client.run(time.process_time).values())


def head(*cells: str) -> list[str]:
    return [row(*cells), row("---", *("---:" for _ in cells[1:]))]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
