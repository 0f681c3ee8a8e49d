"""Six parameters of a leaky integrate-and-fire neuron behind a noisy recording: the problem of notebook 2, part two.

A noisy current drives the neuron; recorded are V with noise of its own and the spikes, nothing of the current.
Parameters, prior, currents and noise are those of the repository Simulation-Based-Inference by B. Kiyani. Its simulator
is here in two versions:

    original   as published: noise of a fixed SD in every step, so that V depends on the step; Euler's method; V is
               reset in the sample of the spike, so that no spike is seen in V
    corrected  noise of a fixed intensity (its SD grows as 1/sqrt(dt)); exact steps; a spike is drawn at 20 mV
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from helpers.neurons.models import LeakyIntegrateAndFire
from helpers.simulation.batch import simulate_traces
from helpers.simulation.stimuli import step
from helpers.validation import MOST_STEPS, number, numbers, one_of, plain, whole_number

from ..marginals import Marginal, normal, uniform
from ..priors import Prior, prior_of

__all__ = [
    "CORRECTED",
    "ORIGINAL",
    "PUBLISHED_PRIOR",
    "TWO_LEVELS",
    "WIDE_PRIOR",
    "LifExperiment",
    "clipped_draws",
    "lif_prior",
]

VERSIONS = ("original", "corrected")
DT_OF_ORIGINAL = 0.2  # ms; at this step both versions have the same noise


def lif_prior(voltage_sd: float | None = 2.0, membrane_sd: float = 0.2) -> Prior:
    """Prior over V_th, tau_m, g_L, V_reset, V_init, E_L, in which V_reset < V_init < E_L, by 0.5 mV at least.

    The original clips tau_m and g_L to their bounds. Here they are truncated: no value has a probability of its own.

    Parameters
    ----------
    voltage_sd
        SD of the four potentials around -55 (V_th), -70 (E_L, V_init) and -72 mV (V_reset), each within bounds [mV];
        None: uniform between the bounds.
    membrane_sd
        SD of the logarithms of tau_m and g_L around their medians, 10 ms and 10 nS.
    """

    def potential(mean: float, low: float, high: float) -> Marginal:
        return uniform(low, high) if voltage_sd is None else normal(mean, voltage_sd, low, high)

    return prior_of(
        LeakyIntegrateAndFire,
        {
            "V_th": potential(-55.0, -60.0, -50.0),
            "tau_m": normal(10.0, membrane_sd, 5.0, 20.0, log=True),
            "g_L": normal(10.0, membrane_sd, 5.0, 15.0, log=True),
            "V_reset": potential(-72.0, -85.0, -65.0),
            "V_init": potential(-70.0, -80.0, -65.0),
            "E_L": potential(-70.0, -75.0, -60.0),
        },
        below={"V_init": ("E_L", 0.5), "V_reset": ("V_init", 0.5)},
    )


PUBLISHED_PRIOR = lif_prior()  # of the published code
WIDE_PRIOR = lif_prior(voltage_sd=5.0)  # the published figures show truths that fill the bounds, as this one does


def clipped_draws(prior: Prior, n: int, seed: int) -> np.ndarray:
    """Draw parameter sets as the original does: tau_m and g_L clipped to their bounds, not truncated.

    Parameters
    ----------
    prior
        One that `lif_prior` returned.
    n, seed
        Number of draws, and their seed.

    Returns
    -------
    ndarray
        (n, 6) parameter sets.
    """
    theta = prior.draw(n, seed)
    for name, z in zip(("tau_m", "g_L"), np.random.default_rng([int(seed), 1]).standard_normal((2, n)), strict=True):
        column = prior.names.index(name)
        marginal = prior.marginals[column]
        theta[:, column] = np.clip(marginal.mean * np.exp(marginal.sd * z), marginal.low, marginal.high)
    return theta


@dataclass(frozen=True)
class LifExperiment:
    """How the neuron is driven and recorded.

    Parameters
    ----------
    currents
        Mean of the injected current in each sweep [pA].
    current_sd
        SD of the current in a step of 0.2 ms [pA].
    duration, dt
        Duration of each sweep and time between samples [ms].
    t_ref
        Refractory time [ms].
    observation_noise
        SD of the noise of the recorded V [mV].
    version
        "original" or "corrected".
    """

    currents: tuple[float, ...] = (200.0,)
    current_sd: float = 50.0
    duration: float = 200.0
    dt: float = 0.2
    t_ref: float = 2.0
    observation_noise: float = 1.0
    version: str = "corrected"

    def __post_init__(self) -> None:
        one_of("version", self.version, VERSIONS)
        if isinstance(self.currents, Sequence) and not self.currents:
            raise ValueError("currents = (); allowed: the mean current of one sweep or more [pA]")
        object.__setattr__(self, "currents", tuple(numbers("currents", self.currents, "pA", shape=(None,)).tolist()))
        for name, unit in (("current_sd", "pA"), ("observation_noise", "mV"), ("t_ref", "ms")):
            object.__setattr__(self, name, number(name, getattr(self, name), unit, low=0.0))
        for name in ("duration", "dt"):
            object.__setattr__(self, name, number(name, getattr(self, name), "ms", above=0.0))
        if not 2 <= self.duration / self.dt <= MOST_STEPS:
            words = f"from 2 to {MOST_STEPS:,} steps dt = {self.dt:g} ms"
            raise ValueError(f"duration = {self.duration:g} ms; allowed: {words}")

    @property
    def n_samples(self) -> int:
        """Samples of a sweep; the first is at 0, the last one step before the end."""
        return round(self.duration / self.dt)

    @property
    def t(self) -> np.ndarray:
        """Times of the samples, (n_samples,) [ms]."""
        return np.arange(self.n_samples) * self.dt

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the last axis of what `simulate` returns."""
        if len(self.currents) == 1:
            return "V", "spikes"
        return tuple(f"{what} at {current:g} pA" for current in self.currents for what in ("V", "spikes"))

    @property
    def neuron(self) -> LeakyIntegrateAndFire:
        """The neuron with the noise of this experiment.

        The simulator's noise has an intensity; its SD in a step is intensity / sqrt(dt). The same SD at any step is
        therefore an intensity that grows as sqrt(dt).
        """
        per_step = self.dt if self.version == "original" else DT_OF_ORIGINAL
        return LeakyIntegrateAndFire(noise=self.current_sd * np.sqrt(per_step), t_ref=self.t_ref)

    @property
    def noise_per_step(self) -> float:
        """SD of the current noise in a step [pA]."""
        return self.neuron.noise / math.sqrt(self.dt)

    @property
    def refractory_samples(self) -> int:
        """Samples of the refractory time."""
        return round(self.t_ref / self.dt)

    @property
    def method(self) -> str:
        """Integration method."""
        return "euler" if self.version == "original" else "exponential_euler"

    def simulate(self, prior: Prior, theta: np.ndarray, seed: int) -> np.ndarray:
        """Record neurons with the parameters `theta` (n, n_parameters) of a prior.

        Returns
        -------
        ndarray
            (n, n_samples, 2 n_currents), single precision: for each current V [mV] with noise, and 1 where a spike
            begins, else 0. Recording i depends on its parameters, the seed and i only.
        """
        sweeps = [self._sweep(prior.by_name(theta), sweep, seed) for sweep in range(len(self.currents))]
        return np.concatenate(sweeps, axis=2)

    def sweeps(self, x: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """V and spikes, (n, n_samples) each, of every sweep of recordings `x` (n, n_samples, 2 n_currents)."""
        if not (isinstance(x, np.ndarray) and x.dtype in (np.float32, np.float64)):  # single precision is kept
            x = plain("x", x, "recordings")
        wanted = (self.n_samples, 2 * len(self.currents))
        if x.ndim != 3 or x.shape[1:] != wanted or not len(x):
            raise ValueError(
                f"x has shape {x.shape}; allowed: (n, {wanted[0]}, {wanted[1]}), as the experiment records"
            )
        if not (np.abs(x) < 1e6).all():
            raise ValueError("x holds values that are not finite, or beyond 1e6 mV: leave such recordings out")
        for sweep in range(len(self.currents)):
            yield np.ascontiguousarray(x[:, :, 2 * sweep]), np.ascontiguousarray(x[:, :, 2 * sweep + 1])

    def _sweep(self, parameters: dict[str, np.ndarray], sweep: int, seed: int) -> np.ndarray:
        own = np.random.SeedSequence([whole_number("seed", seed), sweep]).generate_state(2, np.uint32)
        neuron, duration = self.neuron, (self.n_samples - 1) * self.dt
        stimulus = step(self.currents[sweep], 0.0, duration)
        V = simulate_traces(neuron, stimulus, parameters, duration, self.dt, seed=int(own[0]), method=self.method)
        spikes = V >= neuron.V_spike  # where a spike is drawn
        if self.version == "original" and "V_reset" in parameters:
            V = np.where(spikes, parameters["V_reset"][:, None], V)
        noise = np.random.default_rng(int(own[1])).standard_normal(V.shape, dtype=np.float32)
        return np.stack([V + self.observation_noise * noise, spikes], axis=2, dtype=np.float32, casting="same_kind")


ORIGINAL = LifExperiment(version="original")
CORRECTED = LifExperiment()
TWO_LEVELS = LifExperiment(currents=(200.0, 400.0))
