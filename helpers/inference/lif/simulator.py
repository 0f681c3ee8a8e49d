"""The integrate-and-fire problem as a simulator for inference, with a description of it that a file can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from helpers.neurons.models import LeakyIntegrateAndFire

from ..fingerprint import fingerprint, fingerprint_of_text
from ..priors import Prior
from ..simulator import fingerprint_of_equations
from .problem import LifExperiment
from .statistics import lif_statistic_names, lif_statistics, statistics_of_sweep

__all__ = ["LifSimulator"]


@dataclass(frozen=True)
class LifSimulator:
    """A simulator of the six-parameter problem: parameters and a seed in, statistics or whole recordings out.

    Parameters
    ----------
    experiment
        How the neuron is driven and recorded.
    prior
        Names the parameters that vary.
    statistics
        True: `lif_statistics` of each recording, (n, 14 n_currents). False: the recordings, (n, n_samples, n_channels).
    """

    experiment: LifExperiment
    prior: Prior
    statistics: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics, or of the channels of a recording."""
        return lif_statistic_names(self.experiment) if self.statistics else self.experiment.channels

    def __call__(self, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the statistics or recordings of simulations with parameters `theta` (n, n_parameters)."""
        x = self.experiment.simulate(self.prior, theta, seed)
        return lif_statistics(self.experiment, x) if self.statistics else x

    def as_data(self) -> dict[str, Any]:
        """Return what is simulated as plain data. Code is represented by a fingerprint."""
        settings = LifExperiment.neuron, LifExperiment.noise_per_step, LifExperiment.refractory_samples
        recorded = LifExperiment.simulate, LifExperiment._sweep, *settings
        summarised = LifExperiment.sweeps, lif_statistics
        return {
            "experiment": asdict(self.experiment),
            "recording": fingerprint_of_text(*recorded),
            "neuron": self.experiment.neuron.values(),
            "equations": fingerprint_of_equations(LeakyIntegrateAndFire),
            "statistics": self.statistics and fingerprint(statistics_of_sweep) + fingerprint_of_text(*summarised),
        }
