"""Embedding networks, which summarise a whole recording in a few numbers: an alternative to summary statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

__all__ = ["Convolutional"]


@dataclass(frozen=True)
class Convolutional:
    """The architecture of a convolutional network over time.

    Each layer slides filters along the recording. Of the output of the last one, the network keeps the mean and the SD
    over time, which do not depend on when something happened, and the first places, where the recording begins. Batch
    normalisation keeps all this on a scale on which a flow can learn.

    Parameters
    ----------
    filters
        Number of filters of each layer.
    width
        Of a filter [samples].
    strides
        Step of the filters of each layer [samples]; its output is that much shorter.
    first
        How many places of the beginning are kept.
    n_features
        How many numbers the network returns.

    References
    ----------
    LeCun et al. 1989, Neural Comput 1:541; Snyder et al. 2018, ICASSP; Ioffe & Szegedy 2015, ICML.
    """

    filters: tuple[int, ...] = (16, 32, 32)
    width: int = 9
    strides: tuple[int, ...] = (4, 2, 2)
    first: int = 4
    n_features: int = 32

    def __post_init__(self) -> None:
        for name in ("filters", "strides"):
            if not isinstance(getattr(self, name), Sequence):
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: integers, at least 1")
            object.__setattr__(self, name, tuple(getattr(self, name)))
        listed = {"width": [self.width], "first": [self.first], "n_features": [self.n_features]}
        for name, values in (listed | {"filters": self.filters, "strides": self.strides}).items():
            if not (len(values) and all(_is_count(value) for value in values)):
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: integers, at least 1")
        if len(self.filters) != len(self.strides):
            raise ValueError(
                f"{len(self.filters)} filters and {len(self.strides)} strides; allowed: one of each a layer"
            )

    def build(self, n_samples: int, n_channels: int) -> torch.nn.Module:
        """Build an untrained network that takes (n, n_samples, n_channels) and returns (n, n_features).

        Raises ValueError for a recording that is too short for these layers.
        """
        length = n_samples
        for stride in self.strides:
            length = (length - self.width) // stride + 1
        if length < self.first:
            raise ValueError(
                f"n_samples = {n_samples} is too short for filters of {self.width}, strides {self.strides}"
            )
        return _Network(self, n_channels)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


class _Network(torch.nn.Module):
    def __init__(self, built: Convolutional, n_channels: int) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        for (before, after), stride in zip(pairwise((n_channels, *built.filters)), built.strides, strict=True):
            layers += [torch.nn.Conv1d(before, after, built.width, stride), *_normalised(after)]
        kept, hidden = built.filters[-1] * (2 + built.first), 2 * built.n_features
        self.first = built.first
        self.layers = torch.nn.Sequential(*layers)
        self.summary = torch.nn.Sequential(
            torch.nn.Linear(kept, hidden),
            *_normalised(hidden),
            torch.nn.Linear(hidden, built.n_features),
            torch.nn.BatchNorm1d(built.n_features),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.layers(x.transpose(1, 2))  # convolutions want time last
        sd = torch.sqrt(found.var(dim=2) + 1e-4)  # with a slope at 0, too
        kept = [found.mean(dim=2), sd, found[:, :, : self.first].flatten(1)]
        return self.summary(torch.cat(kept, dim=1))


def _normalised(count: int) -> list[torch.nn.Module]:
    return [torch.nn.BatchNorm1d(count), torch.nn.GELU()]
