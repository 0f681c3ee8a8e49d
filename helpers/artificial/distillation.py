"""Distillation: a convolutional network, the student, learns when a neuron model, the teacher, fires.

The student sees only the current, one value each ms, and never its own earlier outputs; it returns the log-odds of a
spike in that ms. Beniaguev, Segev & London (2021, Neuron 109:2727) did this for a cortical neuron with dendrites and
synapses; here the neuron is one compartment under an injected current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from helpers.neurons.equations import Neuron
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Waveform, ornstein_uhlenbeck
from helpers.validation import number, numbers, whole_number

from .training import MAX_LEARNING_RATE

__all__ = [
    "Score",
    "SpikeDataset",
    "Student",
    "evaluate_student",
    "fit_student",
    "make_spike_dataset",
    "spike_probability",
]

NOISE = {"mean": -8.0, "sd": 10.0, "tau": 30.0}  # of the current [µA/cm², µA/cm², ms]
DT = 0.05  # ms, of the teacher
BIN = 1.0  # ms, of the current and of the spikes
SEGMENT = 1000  # ms, of each training sample
WARM_UP = 100  # ms at the start of a segment that do not count: the student does not see what came before


@dataclass(frozen=True)
class SpikeDataset:
    """A fluctuating current and the spikes of a neuron, in bins of 1 ms.

    Attributes
    ----------
    current
        Injected current in each bin (n,) [µA/cm²].
    spikes
        Whether the neuron fires in it (n,): 0 or 1.
    """

    current: np.ndarray
    spikes: np.ndarray


def make_spike_dataset(neuron: Neuron, seconds: int, seed: int, noise: Mapping[str, float] = NOISE) -> SpikeDataset:
    """Simulate a neuron under coloured noise, a current that is constant within each ms.

    Parameters
    ----------
    neuron
        The teacher.
    seconds
        Duration [s].
    seed
        Seed of the current.
    noise
        `mean`, `sd` and `tau` of the current, as in `ornstein_uhlenbeck`.

    Raises
    ------
    ValueError
        If the neuron fires more than once in a ms.
    """
    seed, n = whole_number("seed", seed), whole_number("seconds", seconds, 1, 100_000) * SEGMENT
    length = n * BIN
    current = ornstein_uhlenbeck(**noise, start=0.0, stop=length, duration=length, dt=BIN, seed=seed).samples[:n]
    held = Waveform(samples=np.append(np.repeat(current, round(BIN / DT)), 0.0), dt=DT, start=0.0, stop=n * BIN)
    times = simulate(neuron, held, n * BIN, dt=DT).spike_times
    spikes = np.bincount((times / BIN).astype(int), minlength=n)[:n]
    if spikes.max() > 1:
        raise ValueError(f"{neuron} fires {spikes.max()} spikes within {BIN:g} ms; allowed: at most one")
    return SpikeDataset(current, spikes)


class Student(nn.Module):
    """A causal convolutional network: current (n, steps) [µA/cm²] to log-odds of a spike (n, steps).

    Parameters
    ----------
    depth
        Number of hidden layers. The first sees 25 ms of the current, each further one 5 values of the layer below,
        spread over 17 ms. Depth 0 is a single linear filter of 60 ms.
    width
        Channels of each hidden layer.
    """

    def __init__(self, depth: int, width: int = 32) -> None:
        super().__init__()
        depth, width = whole_number("depth", depth, 0, 100), whole_number("width", width, 1)
        layers: list[nn.Module] = [_Causal(1, 1, 60)] if depth == 0 else [_Causal(1, width, 25), nn.ReLU()]
        for _ in range(depth - 1):
            layers += [_Causal(width, width, 5, 4), nn.ReLU()]
        if depth > 0:
            layers.append(nn.Conv1d(width, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, current: Tensor) -> Tensor:
        """Compute the log-odds of a spike in each ms."""
        return self.layers((current[:, None] - NOISE["mean"]) / NOISE["sd"])[:, 0]


class _Causal(nn.Conv1d):
    """A convolution that looks back only: the output at a time depends on inputs up to that time."""

    def __init__(self, n_in: int, n_out: int, taps: int, spread: int = 1) -> None:
        super().__init__(n_in, n_out, taps, dilation=spread)
        self.back = (taps - 1) * spread

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(x, (self.back, 0)))


def fit_student(
    student: Student, dataset: SpikeDataset, *, epochs: int, seed: int, learning_rate: float = 0.01, batch: int = 2
) -> None:
    """Train a student in place: Adam on the cross-entropy of each ms, with a one-cycle learning rate.

    Parameters
    ----------
    student
        The network.
    dataset
        Current and spikes of whole seconds.
    epochs, learning_rate, batch
        Settings of the optimiser: `learning_rate` is the highest, `batch` the number of seconds in a batch.
    seed
        Seed of the order of the samples.
    """
    x, y = (torch.as_tensor(v, dtype=torch.float32).reshape(-1, SEGMENT) for v in (dataset.current, dataset.spikes))
    epochs, batch = whole_number("epochs", epochs, 1), whole_number("batch", batch, 1)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    learning_rate = number("learning_rate", learning_rate, above=0.0, high=MAX_LEARNING_RATE)
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(student.parameters(), learning_rate, fused=True)
    batches = [b for _ in range(epochs) for b in torch.randperm(len(x), generator=order).split(batch)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=len(batches))
    for chosen in batches:
        log_odds = student(x[chosen])[:, WARM_UP:]
        loss = nn.functional.binary_cross_entropy_with_logits(log_odds, y[chosen][:, WARM_UP:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


# ------------------------------------------------------------------------------------------------------ evaluation


@dataclass(frozen=True)
class Score:
    """How well a student predicts.

    Attributes
    ----------
    AUC
        Area under the ROC curve of bins of 1 ms: the chance that a bin with a spike gets a higher probability than one
        without; 0.5 is guessing.
    correlation
        Correlation of the predicted with the true number of spikes in windows of 100 ms.
    """

    AUC: float
    correlation: float


@torch.no_grad()
def spike_probability(student: Student, current: np.ndarray) -> np.ndarray:
    """Compute the student's probability of a spike in each ms (n,) for a current (n,) [µA/cm²]."""
    values = numbers("current", current, "µA/cm²", shape=(None,), low=-1e6, high=1e6).astype(np.float32, order="C")
    return torch.sigmoid(student(torch.as_tensor(values)[None]))[0].numpy().astype(float)


def evaluate_student(student: Student, dataset: SpikeDataset, window: int = 100) -> Score:
    """Compare the student's predictions with spikes that it was not trained on.

    Parameters
    ----------
    student
        The network.
    dataset
        Current and spikes.
    window
        Window of the spike counts [ms].

    Raises
    ------
    ValueError
        If all windows have the same count, so that there is no correlation.
    """
    window = whole_number("window", window, 1, len(dataset.current) // 2)
    p = spike_probability(student, dataset.current)
    n = len(p) // window * window
    predicted, true = (values[:n].reshape(-1, window).sum(1) for values in (p, dataset.spikes))
    if min(np.ptp(predicted), np.ptp(true)) == 0:
        raise ValueError(f"window = {window} ms: all windows have the same number of spikes; try another window")
    return Score(float(roc_auc_score(dataset.spikes, p)), float(np.corrcoef(predicted, true)[0, 1]))
