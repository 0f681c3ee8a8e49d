"""Measure this series and its peers in one run, and print a Markdown table: `python -m benchmarks.speed`.

Best on an idle machine: where other work takes a core for a while, peers that share out every step among threads
(PyTorch, Brian2) lose far more than the others.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from statistics import median

from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

from .peer import Peer
from .peers import ALL
from .peers.series import NAME as OURS
from .worker import Failed, Ready, Worker

WORKLOADS = {
    "training": "training set",
    "single": "single cell",
}
REPEATS = 5


@dataclass
class Result:
    """One peer on one workload. calls: seconds, one per repeat; reason: why it is not in the table."""

    ready: Ready | None = None
    calls: list[float] = field(default_factory=list)
    reason: str = ""

    @property
    def nanoseconds(self) -> float | None:
        """Median time per neuron and step [ns], or None."""
        return None if self.reason or self.ready is None else median(self.calls) / self.ready.neuron_steps * 1e9

    @property
    def set_up(self) -> float:
        """What is done once, compilation included: time until the first answer less that of a call [s]."""
        assert self.ready is not None
        return max(self.ready.first - median(self.calls), 0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{peer.name}: {peer.available() or 'ready'}" for peer in ALL))
        return 0
    peers = chosen(options.only)
    here = machine()
    results = {workload: measure(peers, workload, options.quick, options.repeats) for workload in WORKLOADS}
    print(here, end="\n\n")
    print(table(peers, results), end="\n\n")
    print("\n".join(left_out(peers, results)))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="peers whose name contains one of these, and ours")
    parser.add_argument("--quick", action="store_true", help="small sizes, one repeat: a try, not a measurement")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="timed runs of each peer (default %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the peers, and what keeps one from running")
    return parser


def chosen(only: Sequence[str] | None) -> list[Peer]:
    if not only:
        return list(ALL)
    unknown = [word for word in only if not any(word.lower() in peer.name.lower() for peer in ALL)]
    if unknown:
        sys.exit(f"no peer is called {', '.join(unknown)}; try --list")
    return [peer for peer in ALL if peer.name == OURS or any(word.lower() in peer.name.lower() for word in only)]


# ------------------------------------------------------------------------------------------------------ measuring


def measure(peers: Sequence[Peer], workload: str, quick: bool, repeats: int) -> dict[str, Result]:
    """Results by name. Repeats are interleaved: a machine that slows down for a while slows all of them."""
    results: dict[str, Result] = {}
    with ExitStack() as stack:
        workers = {}
        for peer in peers:
            if getattr(peer, workload) is None:
                continue
            say(f"{WORKLOADS[workload]}: setting up {peer.name}")
            result = results[peer.name] = Result(reason=peer.available() or "")
            if result.reason:
                continue
            try:
                worker = stack.enter_context(Worker(peer, workload, quick))
                result.ready = worker.ready
                workers[peer.name] = worker
            except Failed as failed:
                result.reason = str(failed)
        for repeat in range(1 if quick else repeats):
            say(f"{WORKLOADS[workload]}: repeat {repeat + 1}")
            for name, worker in workers.items():
                try:
                    if not results[name].reason:
                        results[name].calls.append(worker.time())
                except Failed as failed:
                    results[name].reason = str(failed)
    return results


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------ reporting


def machine() -> str:
    features = get_host_cpu_features()
    vectors = ", ".join(f"{name} {'yes' if features.get(flag) else 'no'}" for name, flag in VECTORS.items())
    versions = ", ".join(f"{package} {version(package)}" for package in ("numpy", "numba"))
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{processor()}, {os.cpu_count()} cores, {vectors}; {platform.system()}, Python {platform.python_version()}, "
        f"{versions}; {load} at the start."
    )


VECTORS = {"AVX2": "avx2", "AVX-512": "avx512f", "NEON": "neon"}


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model} ({get_host_cpu_name()})"


COLUMNS = (
    "system",
    "stands on",
    "precision",
    "cores",
    "training set, ns per neuron-step",
    "× ours",
    "single cell, ns per step",
    "× ours",
    "set-up, s",
    "answers",
    "notes",
)


def table(peers: Sequence[Peer], results: dict[str, dict[str, Result]]) -> str:
    """Markdown, one row per peer that was timed. An empty cell: the peer does not do this workload, or failed at it."""
    rows = [COLUMNS, ("---", "---", "---", *("---:",) * 6, "---", "---")]
    for peer in peers:
        both = [results[workload].get(peer.name, Result()) for workload in WORKLOADS]
        timed = [result for result in both if result.nanoseconds is not None]
        if not timed:
            continue
        cells = [peer.name, peer.version, peer.precision, str(peer.cores if both[0] in timed else 1)]
        for workload, result in zip(WORKLOADS, both, strict=True):
            ours = results[workload].get(OURS, Result()).nanoseconds
            cells.append(digits(result.nanoseconds))
            cells.append(digits(result.nanoseconds / ours) if result in timed and ours else "")
        cells.append(" / ".join(f"{result.set_up:.1f}" for result in timed))
        cells.append("; ".join(result.ready.said for result in timed if result.ready))
        rows.append((*cells, peer.note))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def digits(x: float | None) -> str:
    """Two significant digits, three where the first is 1; an empty text for None."""
    if x is None:
        return ""
    places = (2 if f"{x:e}".startswith("1") else 1) - int(f"{x:e}".split("e")[1])
    return f"{round(x, places):,.{max(places, 0)}f}"


def left_out(peers: Sequence[Peer], results: dict[str, dict[str, Result]]) -> list[str]:
    """One line for each peer that was not timed, with the reason."""
    reasons = {
        (peer.name, workload): results[workload][peer.name].reason
        for peer in peers
        for workload in WORKLOADS
        if peer.name in results[workload]
    }
    return [
        f"Not timed: {name}, {WORKLOADS[workload]}: {reason}" for (name, workload), reason in reasons.items() if reason
    ]


if __name__ == "__main__":
    sys.exit(main())
