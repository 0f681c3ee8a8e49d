"""Spiking networks: what surrounds the layer that notebook 3 writes, and what its spikes cost.

The layer is a `torch.nn.Module` that turns inputs (n, steps, n_in) into spikes (n, steps, n_out) of 0 or 1; a step is
1 ms. Nothing here depends on how the layer makes its gradient.
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
    "SpikeCost",
    "SpikePriceSweep",
    "SpikingClassifier",
    "gradient_through_time",
    "spike_cost",
    "sweep_spike_price",
]


class SpikingClassifier(nn.Module):
    """A layer of spiking units, and one weighted sum of their spike counts per class.

    After a forward pass, `spikes` holds its spikes (n, steps, hidden).

    Parameters
    ----------
    layer
        Maps inputs (n, steps, n_in) to spikes (n, steps, hidden).
    hidden, classes
        Numbers of spiking units and of classes.
    steps
        Only for constant inputs (n, n_in), such as images: the number of steps for which they are injected.
    """

    def __init__(self, layer: nn.Module, hidden: int, classes: int, steps: int | None = None) -> None:
        super().__init__()
        hidden, classes = whole_number("hidden", hidden, 1), whole_number("classes", classes, 1)
        steps = None if steps is None else whole_number("steps", steps, 1)
        self.layer, self.steps = layer, steps
        self.readout = nn.Linear(hidden, classes)
        self.spikes = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output (n, classes) for each sample."""
        if self.steps is not None:
            x = x[:, None].expand(-1, self.steps, -1)
        self.spikes = self.layer(x)
        return self.readout(self.spikes.mean(1) * 10.0)  # about as large as pixels and rates of other networks

    @torch.no_grad()
    def spikes_per_sample(self, x: Tensor) -> float:
        """Compute the mean number of spikes of all hidden units together per sample."""
        self(x)
        return float(self.spikes.sum((1, 2)).mean())


# ------------------------------------------------------------------------------------------ the surrogate gradient


def gradient_through_time(layer: nn.Module, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Compute how strongly the spikes of the last step depend on earlier inputs.

    Parameters
    ----------
    layer
        A layer of spiking units.
    x
        Inputs (n, steps, n_in).

    Returns
    -------
    lags, size
        Steps before the last one (steps,), and mean |gradient| of the sum of its spikes there (steps,).
    """
    inputs = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(inputs)[:, -1].sum(), inputs)
    size = gradient.abs().mean((0, 2)).numpy()[::-1]
    return np.arange(len(size)), size.copy()


# ------------------------------------------------------------------------------------------------ what spikes cost


@dataclass(frozen=True)
class SpikeCost:
    """What the sodium-potassium pumps spend on one spike of an area of membrane.

    Attributes
    ----------
    charge
        Sodium that enters beyond the current at rest [nC/cm²].
    ATP
        Molecules per spike, one for 3 sodium ions.
    energy
        Their free energy [J].
    """

    charge: float
    ATP: float
    energy: float


def spike_cost(neuron: HodgkinHuxley, area: float, free_energy: float = 50.0) -> SpikeCost:
    """Compute the cost of one spike, evoked by 0.5 ms of 60 µA/cm².

    Parameters
    ----------
    neuron
        The neuron.
    area
        Area of its membrane [cm²].
    free_energy
        Free energy of ATP in a cell [kJ/mol].

    Raises
    ------
    ValueError
        Unless the pulse evokes exactly one spike.
    """
    area = number("area", area, "cm²", above=0.0, high=1e6)
    free_energy = number("free_energy", free_energy, "kJ/mol", high=1e6)
    spike = simulate(neuron, step(60.0, 5.0, 5.5), 45.0, dt=0.002)
    if len(spike.spike_times) != 1:
        raise ValueError(f"the pulse gives {len(spike.spike_times)} spikes; allowed: exactly one")
    charge = -float(np.trapezoid(spike.I_Na - spike.I_Na[0], spike.t))  # µA/cm² · ms = nC/cm²
    ATP = charge * 1e-9 * area / constants.e / 3.0
    return SpikeCost(charge, ATP, ATP / constants.N_A * free_energy * 1e3)


@dataclass(frozen=True)
class SpikePriceSweep:
    """Training with several prices on spikes.

    Attributes
    ----------
    prices
        Added to the loss for each spike of a hidden unit (n_prices,).
    accuracy, spikes
        Test accuracy and spikes per sample (n_prices, n_seeds).
    """

    prices: np.ndarray
    accuracy: np.ndarray
    spikes: np.ndarray


def sweep_spike_price(
    make: Callable[[], SpikingClassifier],
    task: Task,
    prices: np.ndarray,
    *,
    seeds: range,
    epochs: int,
    learning_rate: float,
) -> SpikePriceSweep:
    """Train networks with each price on a spike, from each seed.

    Parameters
    ----------
    make
        Builds a network.
    task
        Samples to train and to test with.
    prices
        Added to the loss for each spike of a hidden unit (n_prices,).
    seeds, epochs, learning_rate
        As in `compare`.
    """
    prices = numbers("prices", prices, shape=(None,), low=-1e9, high=1e9)
    accuracy, spikes = np.empty((2, len(prices), len(seeds)))
    for i, price in enumerate(prices):
        for j, seed in enumerate(seeds):
            torch.manual_seed(seed)
            network = make()

            def penalty(network: SpikingClassifier = network, price: float = price) -> Tensor:
                return price * network.spikes.sum(1).mean()

            history = train(network, task, epochs=epochs, seed=seed, learning_rate=learning_rate, penalty=penalty)
            accuracy[i, j], spikes[i, j] = history.accuracy[-1], network.spikes_per_sample(task.x_test)
    return SpikePriceSweep(prices, accuracy, spikes)
