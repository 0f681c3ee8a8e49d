"""Spiking networks: what stands around the layer that notebook 3 writes, and what its spikes cost.

The layer itself is the notebook's: a `torch.nn.Module` that turns inputs (n, steps, n_in) into spikes (n, steps, n_out)
of 0 or 1. One step is 1 ms. What is here does not know how the layer makes its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import constants
from torch import Tensor, nn

from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.validation import number, numbers, whole_number

from .tasks import Task
from .training import train

__all__ = [
    "PricedRuns",
    "SpikeCost",
    "SpikingClassifier",
    "gradient_through_time",
    "price_of_spikes",
    "spike_cost",
]


class SpikingClassifier(nn.Module):
    """Inputs, a layer of spiking units, and one weighted sum of their spike counts per class.

    layer: (n, steps, n_in) to spikes (n, steps, n_hidden). steps: given for inputs (n, n_in) that do not change, such
    as pictures: they are held as a current for so many steps. `spikes` are those of the last pass forward.
    """

    def __init__(self, layer: nn.Module, hidden: int, classes: int, steps: int | None = None) -> None:
        super().__init__()
        hidden, classes = whole_number("hidden", hidden, 1), whole_number("classes", classes, 1)
        steps = None if steps is None else whole_number("steps", steps, 1)
        self.layer, self.steps = layer, steps
        self.readout = nn.Linear(hidden, classes)
        self.spikes = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        if self.steps is not None:
            x = x[:, None].expand(-1, self.steps, -1)
        self.spikes = self.layer(x)
        return self.readout(self.spikes.mean(1) * 10.0)  # about as large as pixels and rates of other networks

    @torch.no_grad()
    def spikes_per_sample(self, x: Tensor) -> float:
        """Spikes of all hidden units together that a sample takes on average."""
        self(x)
        return float(self.spikes.sum((1, 2)).mean())


# ------------------------------------------------------------------------------------------ the surrogate gradient


def gradient_through_time(layer: nn.Module, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What the last spike's gradient is worth at earlier inputs: lags (steps,) and mean |gradient| (steps,) there.

    x: (n, steps, n_in). The sum of all spikes in the last step is differentiated with respect to every input before.
    """
    inputs = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(inputs)[:, -1].sum(), inputs)
    size = gradient.abs().mean((0, 2)).numpy()[::-1]
    return np.arange(len(size)), size.copy()


# ------------------------------------------------------------------------------------------------ what spikes cost


@dataclass(frozen=True)
class SpikeCost:
    """What the pumps pay for one spike of an area of membrane.

    charge: sodium that enters beyond what flows at rest [nC/cm²]. ATP: molecules per spike (3 sodium ions each).
    energy: their free energy [J].
    """

    charge: float
    ATP: float
    energy: float


def spike_cost(neuron: HodgkinHuxley, area: float, free_energy: float = 50.0) -> SpikeCost:
    """The cost of one spike of `area` [cm²] of `neuron`, set off by 0.5 ms of 60 µA/cm².

    free_energy: of ATP in a cell [kJ/mol].
    Raises ValueError where the pulse gives another number of spikes than one.
    """
    area, free_energy = (
        number("area", area, "cm²", above=0.0, high=1e6),
        number("free_energy", free_energy, "kJ/mol", high=1e6),
    )
    spike = simulate(neuron, step(60.0, 5.0, 5.5), 45.0, dt=0.002)
    if len(spike.spike_times) != 1:
        raise ValueError(f"the pulse gives {len(spike.spike_times)} spikes; allowed: exactly one")
    charge = -float(np.trapezoid(spike.I_Na - spike.I_Na[0], spike.t))  # µA/cm² · ms = nC/cm²
    ATP = charge * 1e-9 * area / constants.e / 3.0
    return SpikeCost(charge, ATP, ATP / constants.N_A * free_energy * 1e3)


@dataclass(frozen=True)
class PricedRuns:
    """What training with a price on spikes gives: accuracy and spikes per sample, (n_prices, n_seeds)."""

    prices: np.ndarray
    accuracy: np.ndarray
    spikes: np.ndarray


def price_of_spikes(
    make: Callable[[], SpikingClassifier], task: Task, prices: np.ndarray, *, seeds: range, epochs: int, rate: float
) -> PricedRuns:
    """Train what `make` makes, from each seed with each price: what a spike of a hidden unit adds to the loss."""
    prices = numbers("prices", prices, shape=(None,), low=-1e9, high=1e9)
    right, spent = np.empty((2, len(prices), len(seeds)))
    for (i, price), (j, seed) in ((a, b) for a in enumerate(prices) for b in enumerate(seeds)):
        torch.manual_seed(seed)
        network = make()

        def bill(network: SpikingClassifier = network, price: float = price) -> Tensor:
            return price * network.spikes.sum(1).mean()

        right[i, j] = train(network, task, epochs=epochs, seed=seed, rate=rate, penalty=bill).accuracy[-1]
        spent[i, j] = network.spikes_per_sample(task.x_test)
    return PricedRuns(prices, right, spent)
