"""This series itself."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, SQUID
from helpers.neurons import HodgkinHuxley, Pospischil
from helpers.simulator import simulate, simulate_many
from helpers.stimuli import step


def training(n: int, threads: int) -> Training:
    stimulus = step(CORTICAL.amplitude, CORTICAL.start, CORTICAL.stop)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        drawn = {"g_Na": g_Na, "g_K": g_K}
        return simulate_many(Pospischil(noise=noise), stimulus, drawn, CORTICAL.duration, seed=0, threads=threads)

    return run


def single() -> Single:
    stimulus = step(SQUID.amplitude, 0.0, SQUID.duration)
    return lambda: simulate(HodgkinHuxley(), stimulus, SQUID.duration).V


NAME = "this series"
PEERS = (
    Peer(NAME, "numba", partial(training, threads=ALL_CORES), single, n=10_000, quick_n=128, cores=ALL_CORES),
    Peer(f"{NAME}, 1 thread", "numba", partial(training, threads=1), n=10_000, quick_n=128),
)
