"""Peak memory of a long sweep: `python -m benchmarks.memory [SIMULATIONS]`, by default a million of 12,000 steps."""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(0)
    parameters = {"g_Na": rng.uniform(0.5, 80.0, n), "g_K": rng.uniform(1e-4, 15.0, n)}
    begin = time.perf_counter()
    table = simulate_many(Pospischil(), step(3.24806, 10.0, 110.0), parameters, 120.0, seed=0, progress=True)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform != "darwin" else 1e9)
    print(f"{len(table):,} simulations of 12,000 steps, 7 statistics each: {seconds:.0f} s, peak memory {peak:.2f} GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
