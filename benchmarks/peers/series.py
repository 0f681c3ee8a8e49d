"""This series itself."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, SQUID
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step


def training(n: int, threads: int = ALL_CORES, precision: str = "double", noisy: bool = True) -> Training:
    stimulus = step(CORTICAL.amplitude, CORTICAL.start, CORTICAL.stop)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        return simulate_many(
            Pospischil(noise=noise if noisy else 0.0),
            stimulus,
            {"g_Na": g_Na, "g_K": g_K},
            CORTICAL.duration,
            seed=0,
            threads=threads,
            precision=precision,
        )

    return run


def single(precision: str = "double") -> Single:
    stimulus = step(SQUID.amplitude, 0.0, SQUID.duration)
    return lambda: simulate(HodgkinHuxley(), stimulus, SQUID.duration, precision=precision).V


NAME = "this series"
SINGLE = "single"  # precision
PEERS = (
    Peer(NAME, "numba", training, single, n=10_000, quick_n=128, cores=ALL_CORES),
    Peer(f"{NAME}, 1 thread", "numba", partial(training, threads=1), n=10_000, quick_n=128),
    Peer(
        f"{NAME}, no noise",
        "numba",
        partial(training, noisy=False),
        n=10_000,
        quick_n=128,
        cores=ALL_CORES,
        note="as the peers without noise",
    ),
    Peer(
        f"{NAME}, f32",
        "numba",
        partial(training, precision=SINGLE),
        partial(single, SINGLE),
        n=10_000,
        quick_n=128,
        precision="f32",
        cores=ALL_CORES,
    ),
)
