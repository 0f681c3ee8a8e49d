"""Recorded cells, fitted one after the other: the table of docs/cells.md.

`python -m benchmarks.cells` fits the two current-clamp recordings of the lessons and, where PYHH_RECORDINGS names a
folder with a subfolder `allen`, the cells in it (arrays V, I_pA, dt_ms, on_ms, off_ms; they may not be shipped).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from helpers.cells import fit_cell
from helpers.recordings.published import fetch
from helpers.simulation.trace import Trace

PUBLISHED = ("regular_spiking", "fast_spiking")


def cells() -> Iterator[tuple[str, Any]]:
    """Yield the name of each cell, and its recording."""
    for name in PUBLISHED:
        yield name, fetch(name)
    folder = Path(os.environ.get("PYHH_RECORDINGS", ".")) / "allen"
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as found:
            V, I, dt = found["V"].astype(float), found["I_pA"].astype(float), float(found["dt_ms"])
            start, stop = float(found["on_ms"]), float(found["off_ms"])
        yield path.stem.split("_")[2], Trace(np.arange(len(V)) * dt, {"V": V}, I, start, stop, I_unit="pA")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names of cells")
    arguments = parser.parse_args()
    print("| cell | sweeps (spikes) | held out | unknown | simulations (worth) | within 2 SD | widened | s | verdict |")
    print("|---|---|---|---:|---:|---:|---:|---:|---|")
    for name, source in cells():
        if arguments.only and name not in arguments.only:
            continue
        begin = time.perf_counter()
        fit = fit_cell(source, seed=arguments.seed, progress=False)
        seconds = time.perf_counter() - begin
        counts = ", ".join(str(one.count) for one in fit.cell.fitted)
        tests = [one for one in fit.predictions if one.held_out]
        intervals = [f"{one.sweep.count}: {one.counts[0]:.0f} to {one.counts[1]:.0f}" for one in tests]
        predicted = "; ".join(intervals) or "none"
        posterior, verdict = fit.posterior, fit.verdict
        why = f": {'; '.join(verdict.reasons)}" if verdict.reasons else ""
        print(
            f"| {name} | {len(fit.cell.fitted)} ({counts}) | {predicted} | {len(fit.names)} | "
            f"{posterior.n_simulations:,} ({posterior.ess:.0f}) | {verdict.share:.0%} | {posterior.widened:.2f} | "
            f"{seconds:.0f} | {verdict.status}{why} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
