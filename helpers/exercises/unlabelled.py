"""Two cells on a rig, of which only V can be seen; one of them has an M current."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import one_of, whole_number

__all__ = ["UnlabelledCells"]


@dataclass(frozen=True)
class UnlabelledCells:
    """Cells "X" and "Y": one has an M current, the other a larger leak instead.

    A step of 3 µA/cm² makes both fire at the same rate at first; only their later firing differs.

    Parameters
    ----------
    seed : int
        Decides which is which, and seeds the noise.
    """

    seed: int
    _neurons: dict[str, Pospischil] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        whole_number("seed", self.seed)
        pair = [Pospischil(), Pospischil(g_M=0.0, g_L=0.15)]
        if np.random.default_rng(self.seed).integers(2):
            pair.reverse()
        object.__setattr__(self, "_neurons", dict(zip("XY", pair, strict=True)))

    def record(self, cell: str, current: float, length: float = 1000.0) -> Trace:
        """Return V of cell "X" or "Y" under `current` [µA/cm²], applied for `length` [ms] from 50 ms on."""
        neuron = self._neurons[one_of("cell", cell, self._neurons)]
        noise = (self.seed, "XY".index(cell))
        whole = simulate(neuron, step(current, 50.0, 50.0 + length), length + 100.0, dt=0.02, seed=noise)
        return replace(whole, states={"V": whole.V}, currents={})

    def has_M_current(self, cell: str) -> bool:
        """Whether cell "X" or "Y" is the one with the M current."""
        return self._neurons[one_of("cell", cell, self._neurons)].g_M > 0.0
