"""Train on a campaign that need not fit into memory: the same networks, bit for bit, as from arrays.

The files are read twice, one at a time: once for the scaling of the statistics, once to write what the networks see (in
single precision) into a temporary file. Training then picks its batches from that file, which the system keeps in
memory as far as there is room.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.inference.npe import MIN_SIMULATIONS, checked, fit
from helpers.inference.posterior import Posterior
from helpers.inference.scaling import MIN_ROWS, Scaling
from helpers.inference.simulator import DESCRIBED

from .simulations import Simulations

__all__ = ["train_on"]

ROWS = 1000  # scaled at a time, as in `train_npe`


def train_on(
    simulations: Simulations,
    seed: int,
    *,
    scaling: str = "auto",
    folder: str | Path | None = None,
    **options: Any,
) -> Posterior:
    """Train the posterior that `train_npe` would give for all of a campaign.

    Parameters
    ----------
    simulations
        The campaign.
    seed, scaling, options
        As in `train_npe`: model, ensemble, progress, epochs, ...
    folder
        Of the temporary files, 4 bytes for each parameter and statistic of a simulation; by default that of the
        campaign.

    Raises
    ------
    ValueError
        For a damaged or missing file, and for simulations from which nothing can be learned.
    """
    fitted = _fitted(simulations, scaling)
    statistics, simulated = simulations.statistics, {name: simulations.about[name] for name in DESCRIBED}
    with _on_disk(simulations, fitted, Path(folder or simulations.folder)) as (z, scaled):
        return fit(simulations.prior, fitted, z, scaled, seed, statistics=statistics, simulated=simulated, **options)


def _fitted(simulations: Simulations, kind: str) -> Scaling:
    """What `Scaling.of` learns from all statistics, from the rows that it looks at and the ends of all."""
    every = max(1, len(simulations) // MIN_ROWS)
    rows, lows, highs, first = [], [], [], 0
    for theta, x in simulations.batches():
        if not np.isfinite(x).all():
            raise ValueError(f"simulations {first} to {first + len(x) - 1} hold statistics that are not finite")
        simulations.prior.check(theta)
        rows.append(x[-first % every :: every])
        lows.append(x.min(axis=0))
        highs.append(x.max(axis=0))
        first += len(x)
    scaled, low, high = np.concatenate(rows), np.min(lows, axis=0), np.max(highs, axis=0)
    if len(simulations) < MIN_SIMULATIONS or (low == high).all():  # says what is wrong with them
        checked(simulations.prior, *simulations.read(0, min(len(simulations), ROWS)), simulations.statistics, 2)
    scaling = Scaling.of(scaled, kind)
    scaling.lowest.copy_(torch.as_tensor(low))
    scaling.highest.copy_(torch.as_tensor(high))
    return scaling


@contextmanager
def _on_disk(simulations: Simulations, scaling: Scaling, folder: Path) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """What the networks see of every simulation, as tensors (n, n_parameters) and (n, n_statistics) on the disk."""
    with tempfile.TemporaryFile(dir=folder) as parameters, tempfile.TemporaryFile(dir=folder) as statistics:
        for theta, x in simulations.batches():
            z = simulations.prior.to_normal(torch.as_tensor(theta)).float()
            parameters.write(z.numpy().tobytes())
            for part in torch.as_tensor(x).split(ROWS):
                statistics.write(scaling(part).numpy().tobytes())
        yield _mapped(parameters, len(simulations)), _mapped(statistics, len(simulations))


def _mapped(file: Any, n: int) -> torch.Tensor:
    file.flush()
    return torch.from_numpy(np.memmap(file, np.float32, "r+").reshape(n, -1))
