"""Teacher and student: a neuron model fires to a fluctuating current, a convolutional network learns when.

The student sees the current only, one value each ms, and never its own earlier answers; it gives the log-odds of a
spike in that ms. Beniaguev, Segev & London (2021, Neuron 109:2727) did this for a model of a cortical neuron with
dendrites and synapses; here the neuron is one compartment under an injected current.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from helpers.neurons.equations import Neuron
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import OrnsteinUhlenbeck, Waveform
from helpers.validation import number, numbers, whole_number

from .training import FASTEST

__all__ = ["Lesson", "Marks", "Student", "learn", "mark", "probabilities", "teach"]

NOISE = OrnsteinUhlenbeck(mean=-8.0, sd=10.0, tau=30.0, start=0.0, stop=1000.0)
DT = 0.05  # ms, of the teacher
HELD = 1.0  # ms, for which each value of the current is held, and the bin of the spikes
STRETCH = 1000  # ms, in a batch
WARM_UP = 100  # ms at the start of a stretch that do not count: the student does not see what came before


@dataclass(frozen=True)
class Lesson:
    """A current (n,) [µA/cm²], one value per ms, and the spikes (n,) that the teacher fires in that ms: 0 or 1."""

    current: np.ndarray
    spikes: np.ndarray


def teach(neuron: Neuron, seconds: int, seed: int, noise: OrnsteinUhlenbeck = NOISE) -> Lesson:
    """Let `neuron` fire to coloured noise for so many seconds; each value of the current is held for 1 ms."""
    seed, n = whole_number("seed", seed), whole_number("seconds", seconds, 1, 100_000) * STRETCH
    lasting = OrnsteinUhlenbeck(**{**noise.values(), "start": 0.0, "stop": n * HELD})
    current = lasting.sampled(n * HELD, HELD, seed).samples[:n]
    held = Waveform(samples=np.append(np.repeat(current, round(HELD / DT)), 0.0), dt=DT, start=0.0, stop=n * HELD)
    times = simulate(neuron, held, n * HELD, dt=DT).spike_times
    spikes = np.bincount((times / HELD).astype(int), minlength=n)[:n]
    if spikes.max() > 1:
        raise ValueError(f"{neuron} fires {spikes.max()} spikes within {HELD:g} ms; allowed: at most one")
    return Lesson(current, spikes)


class Student(nn.Module):
    """A causal convolutional network: current (n, steps) [µA/cm²] to log-odds of a spike (n, steps).

    depth: number of hidden layers. The first looks at 25 ms of the current, each further one at 5 values of the layer
    below, spread over 17 ms. Depth 0 is one filter of 60 ms: a linear student.
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
        self.depth = depth

    def forward(self, current: Tensor) -> Tensor:
        return self.layers((current[:, None] - NOISE.mean) / NOISE.sd)[:, 0]


class _Causal(nn.Conv1d):
    """A convolution that looks back only: the output at a time depends on inputs up to that time."""

    def __init__(self, n_in: int, n_out: int, taps: int, spread: int = 1) -> None:
        super().__init__(n_in, n_out, taps, dilation=spread)
        self.back = (taps - 1) * spread

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(x, (self.back, 0)))


def learn(student: Student, lesson: Lesson, *, epochs: int, seed: int, rate: float = 0.01, batch: int = 2) -> None:
    """Train a student in place: Adam on the cross-entropy of each ms; the rate rises, then falls to nothing."""
    x, y = (torch.as_tensor(v, dtype=torch.float32).reshape(-1, STRETCH) for v in (lesson.current, lesson.spikes))
    epochs, batch = whole_number("epochs", epochs, 1), whole_number("batch", batch, 1)
    seed, rate = whole_number("seed", seed, 0, 2**63 - 1), number("rate", rate, above=0.0, high=FASTEST)
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(student.parameters(), rate)
    batches = [b for _ in range(epochs) for b in torch.randperm(len(x), generator=order).split(batch)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=len(batches))
    for chosen in batches:
        answer = student(x[chosen])[:, WARM_UP:]
        loss = nn.functional.binary_cross_entropy_with_logits(answer, y[chosen][:, WARM_UP:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


# ------------------------------------------------------------------------------------------------ how good is it?


@dataclass(frozen=True)
class Marks:
    """How well a student predicts.

    AUC: area under the ROC curve, of bins of 1 ms: the chance that a bin with a spike gets a higher probability than
        one without; 0.5 is guessing.
    correlation: of the predicted with the true number of spikes in windows of 100 ms; predicted is the sum of the
        probabilities.
    """

    AUC: float
    correlation: float


@torch.no_grad()
def probabilities(student: Student, current: np.ndarray) -> np.ndarray:
    """The student's probability of a spike in each ms, (n,), for a current (n,) [µA/cm²]."""
    current = np.array(numbers("current", current, "µA/cm²", shape=(None,), low=-1e6, high=1e6))
    return torch.sigmoid(student(torch.as_tensor(current, dtype=torch.float32)[None]))[0].numpy().astype(float)


def mark(student: Student, lesson: Lesson, window: int = 100) -> Marks:
    """Compare with a lesson that the student was not taught. window: of the spike counts [ms]."""
    window = whole_number("window", window, 1, len(lesson.current) // 2)
    p = probabilities(student, lesson.current)
    n = len(p) // window * window
    counts = (v[:n].reshape(-1, window).sum(1) for v in (p, lesson.spikes))
    counts = tuple(counts)
    if min(map(np.ptp, counts)) == 0:
        raise ValueError(f"window = {window} ms: every window holds as many spikes as the next; take another one")
    return Marks(float(roc_auc_score(lesson.spikes, p)), float(np.corrcoef(*counts)[0, 1]))
