"""A cell as a problem of inference: its sweeps, what is unknown, and simulations of parameters in all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.inference.priors import Prior
from helpers.neurons.cortical import CorticalNeuron
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.stimuli import Waveform

from .sweeps import DT, CellSweep
from .unknowns import Membrane, Unknowns

__all__ = ["CellProblem", "traces_of"]


@dataclass(frozen=True)
class CellProblem:
    """Call it with parameters (n, n_unknowns) and a seed: the features of all sweeps, side by side, (n, n_features).

    Parameters
    ----------
    sweeps
        Those that are fitted.
    membrane
        Turns the current into a density.
    unknowns
        What is inferred.
    """

    sweeps: tuple[CellSweep, ...]
    membrane: Membrane
    unknowns: Unknowns

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, each after that of its sweep."""
        return tuple(f"{sweep.name}: {name}" for sweep in self.sweeps for name in sweep.summarise.names)

    @property
    def observed(self) -> np.ndarray:
        """The features of the recording, (n_features,)."""
        return np.concatenate([sweep.observed for sweep in self.sweeps])

    @property
    def tolerance(self) -> np.ndarray:
        """Up to what each is known, (n_features,)."""
        return np.concatenate([sweep.tolerance for sweep in self.sweeps])

    def __call__(self, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the features of all sweeps, (n, n_features)."""
        return np.hstack([self.simulate(sweep, theta, seed + k) for k, sweep in enumerate(self.sweeps)])

    def simulate(self, sweep: CellSweep, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the features of simulations of one sweep, also one that is not fitted, (n, n_features)."""
        stimulus = sweep.stimulus(self.membrane.area, DT)
        steps = len(stimulus.samples) - 1
        return simulate_many(
            self.unknowns.neuron, stimulus, self.unknowns.prior.by_name(theta), steps * DT, DT, seed=seed,
            summarise=sweep.of_simulations(DT), precision="single",
        )  # fmt: skip

    def traces(self, sweep: CellSweep, theta: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the times from the onset of the step (n_samples,) [ms] and V (n, n_samples) [mV] of simulations."""
        unknowns, stimulus = self.unknowns, sweep.stimulus(self.membrane.area, DT)
        return traces_of(unknowns.neuron, unknowns.prior, stimulus, theta, seed)


def traces_of(
    neuron: CorticalNeuron, prior: Prior, stimulus: Waveform, theta: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the times from the onset of the step (n_samples,) [ms] and V (n, n_samples) [mV] of simulations.

    Parameters
    ----------
    neuron, prior
        The values of all parameters that `theta` does not hold, and the names of those it does.
    stimulus
        A step, at the time step `DT`.
    theta
        Unknown parameters, (n, n_unknowns).
    seed
        Of the noise.
    """
    steps = len(stimulus.samples) - 1
    V = simulate_traces(neuron, stimulus, prior.by_name(theta), steps * DT, DT, seed=seed, precision="single")
    return np.arange(steps + 1) * DT - stimulus.start, V
