"""What the exercises of notebook 1 stand on: an axon under a step, and two neurons that nobody can look into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import number, whole_number

__all__ = ["UnknownPair", "held_current"]


@dataclass(frozen=True)
class UnknownPair:
    """Neurons "X" and "Y": one has an M current, the other, in its place, a larger leak. `seed` says which.

    A step of 3 µA/cm² makes both fire equally fast at first, so that only their later firing tells them apart.
    """

    seed: int
    _neurons: dict[str, Pospischil] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        whole_number("seed", self.seed)
        pair = [Pospischil(), Pospischil(g_M=0.0, g_L=0.15)]
        if np.random.default_rng(self.seed).integers(2):
            pair.reverse()
        object.__setattr__(self, "_neurons", dict(zip("XY", pair, strict=True)))

    def record(self, name: str, current: float, length: float = 1000.0) -> Trace:
        """V of neuron "X" or "Y" under `current` [µA/cm²] for `length` [ms], from 50 ms on, as an electrode sees it.

        Raises ValueError for another name.
        """
        self._check(name)
        noise = (self.seed, "XY".index(name))
        whole = simulate(self._neurons[name], step(current, 50.0, 50.0 + length), length + 100.0, dt=0.02, seed=noise)
        return replace(whole, states={"V": whole.V}, currents={})

    def has_M_current(self, name: str) -> bool:
        """Whether neuron "X" or "Y" is the one with the M current. Raises ValueError for another name."""
        self._check(name)
        return self._neurons[name].g_M > 0.0

    def _check(self, name: str) -> None:
        if not (isinstance(name, str) and name in self._neurons):
            raise ValueError(f"neuron {name!r}; allowed: 'X', 'Y'")


def held_current(amplitude: float) -> Trace:
    """The squid axon under a current of `amplitude` [µA/cm²] from 5 to 95 ms."""
    amplitude = number("amplitude", amplitude, "µA/cm²")
    return simulate(HodgkinHuxley(), step(amplitude, 5.0, 95.0), 100.0, dt=0.02)
