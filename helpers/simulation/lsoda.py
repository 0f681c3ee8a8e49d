"""The adaptive solver LSODA of SciPy on the same equations: slow, accurate to about 1e-4 mV, a reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from helpers.neurons.equations import Neuron

from .integrators import slopes
from .stimuli import Stimulus

__all__ = ["TOLERANCE", "integrate"]

TOLERANCE = 1e-10  # relative and absolute


def integrate(neuron: Neuron, stimulus: Stimulus, states: Mapping[str, float], t: np.ndarray) -> np.ndarray:
    """All states at the times `t` (n,) [ms], (n_states, n), from `states` by name on.

    The solver restarts where the stimulus jumps.

    Raises
    ------
    ValueError
        For a neuron with noise or a reset, for a sampled waveform, which jumps all the time, and if LSODA fails.
    """
    from scipy.integrate import solve_ivp  # slow to import, and few need it

    constants = neuron.constants()
    if constants.get("noise", 0.0) > 0.0:
        raise ValueError(f"noise = {constants['noise']:g}: lsoda needs a neuron without noise")
    if neuron.event or stimulus.I is None:
        what = f"the reset of {type(neuron).__name__}" if neuron.event else "a sampled waveform"
        raise ValueError(f"lsoda cannot integrate across {what}; take another method")
    edges = np.unique(np.clip([t[0], *stimulus.jumps(), t[-1]], t[0], t[-1]))
    recorded = np.empty((len(states), len(t)))
    state = np.array(list(states.values()))
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        inside = (t >= begin) & (t <= end)
        width = 1e-9 * (end - begin)
        solution = solve_ivp(
            lambda s, y, low=begin + width, high=end - width: slopes(
                neuron, y, float(stimulus.current(np.clip(s, low, high))), constants
            ),
            (begin, end),
            state,
            method="LSODA",
            t_eval=np.union1d(t[inside], end),
            rtol=TOLERANCE,
            atol=TOLERANCE,
        )
        if not solution.success:
            raise ValueError(f"lsoda failed between {begin:g} and {end:g} ms: {solution.message}")
        recorded[:, inside] = solution.y[:, : np.count_nonzero(inside)]
        state = solution.y[:, -1]
    return recorded
