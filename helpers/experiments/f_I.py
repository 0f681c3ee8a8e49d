"""The f-I curve: how fast a neuron fires under constant currents."""

from __future__ import annotations

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import firing_rate
from helpers.validation import number, numbers

__all__ = ["measure_f_I"]


def measure_f_I(neuron: Neuron, currents: np.ndarray, seconds: float = 2.0) -> np.ndarray:
    """Measure the steady firing rate at constant currents.

    Parameters
    ----------
    neuron
        Any neuron; what a spike is, it declares itself, see `find_spikes`.
    currents
        Constant currents, (n,) in the neuron's unit of current.
    seconds
        How long each current flows [s]. The rate is taken over the second half, when the firing has become steady.

    Returns
    -------
    ndarray
        Firing rates, (n,) [Hz].
    """
    duration = number("seconds", seconds, "s", above=0.0, high=1e6) * 1000.0
    constant = {"amplitude": numbers("currents", currents, neuron.current_unit, shape=(None,))}
    pulse = step(0.0, 0.0, duration)
    return simulate_many(neuron, pulse, constant, duration, 0.02, seed=0, summarise=firing_rate)[:, 0]
