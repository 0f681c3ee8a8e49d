"""A simulated amplifier: makes a simulated trace look recorded, and synthetic recordings for machines without files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import signal

from helpers.neurons.models import Pospischil
from helpers.neurons.parameters import Declared, parameter
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import number, one_of, whole_number

__all__ = ["JUNCTION_POTENTIAL", "Rig", "amplifier_filter", "record_through", "synthetic_recording"]


@dataclass(frozen=True, kw_only=True)
class Rig(Declared):
    """What is between a membrane and a file: electrode, amplifier filter, slow drift, digitiser.

    The defaults of sampling, noise and resolution are those measured in the recording "regular_spiking".
    """

    sampling: float = parameter(0.05, "ms", "time between samples", low=0.01, high=0.2, minimum=0.001, maximum=1.0)
    electrode_noise: float = parameter(0.08, "mV", "SD of the noise", low=0.0, high=1.0, minimum=0.0, maximum=20.0)
    cutoff: float = parameter(10.0, "kHz", "cutoff of the filter", low=1.0, high=20.0, minimum=0.1, maximum=100.0)
    drift: float = parameter(0.3, "mV/√s", "SD of the drift after 1 s", low=0.0, high=2.0, minimum=0.0, maximum=20.0)
    resolution: float = parameter(0.0305, "mV", "digitiser step", low=0.001, high=0.5, minimum=1e-6, maximum=5.0)


def amplifier_filter(cutoff: float, dt: float) -> np.ndarray:
    """Return the 4-pole Bessel filter of a patch-clamp amplifier as second-order sections, (2, 6).

    Parameters
    ----------
    cutoff
        Where its gain is 1/√2 [kHz], below half the sampling rate.
    dt
        Time between the samples that it is used on [ms].
    """
    return signal.bessel(4, cutoff, fs=1.0 / dt, norm="mag", output="sos")


def record_through(trace: Trace, rig: Rig | None = None, *, seed: int) -> Trace:
    """Return a simulated trace as a rig would record it: filtered, noisy, drifting, resampled and digitised.

    V and white noise pass a 4-pole Bessel filter, as in a patch-clamp amplifier; `electrode_noise` is the SD of the
    noise after the filter. The drift is a random walk from zero. I is the command, which is only resampled. Gates and
    ionic currents are dropped, because no electrode measures them.

    Parameters
    ----------
    trace : Trace
        A simulated trace whose step does not exceed `rig.sampling`, with half its sampling rate above `rig.cutoff`.
    rig : Rig, optional
        `Rig()` by default.
    seed : int
        Seed of noise and drift.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If the trace is sampled too coarsely for the rig.
    """
    rig = Rig() if rig is None else rig
    seed = whole_number("seed", seed)
    if trace.dt > rig.sampling * (1 + 1e-6):
        raise ValueError(f"sampling = {rig.sampling:g} ms; allowed: at least the trace's own step, {trace.dt:g} ms")
    if rig.cutoff >= 0.5 / trace.dt:
        raise ValueError(
            f"cutoff = {rig.cutoff:g} kHz; allowed: below {0.5 / trace.dt:g} kHz, half the sampling rate of the trace "
            f"(step {trace.dt:g} ms): simulate with a smaller step"
        )
    random = np.random.default_rng(seed)
    n, settle = len(trace.t), int(np.ceil(5.0 / (rig.cutoff * trace.dt)))  # 5 periods: the filter's transient is over
    bessel = amplifier_filter(rig.cutoff, trace.dt)
    response = signal.sosfilt(bessel, np.eye(1, settle)[0])
    noise = signal.sosfilt(bessel, random.standard_normal(n + settle))[settle:] / np.linalg.norm(response)
    walk = np.concatenate([[0.0], np.cumsum(random.standard_normal(n - 1))]) * np.sqrt(trace.dt * 1e-3)
    V, _ = signal.sosfilt(bessel, trace.V, zi=signal.sosfilt_zi(bessel) * trace.V[0])
    V = V + rig.electrode_noise * noise + rig.drift * walk

    duration = trace.t[-1] - trace.t[0]
    t = trace.t[0] + rig.sampling * np.arange(int(duration / rig.sampling + 1e-6) + 1)
    latest = np.searchsorted(trace.t, t + 1e-6 * trace.dt, side="right") - 1  # I keeps its value between samples
    V = np.round(np.interp(t, trace.t, V) / rig.resolution) * rig.resolution
    return replace(trace, t=t, states={"V": V}, I=trace.I[latest], currents={})


JUNCTION_POTENTIAL = 14.0  # mV; how much too high an electrode filled with potassium gluconate reads V

# By the name of the recording that they replace: neuron, membrane area [cm²], and what the electrode adds to V [mV].
# The first has noise in its membrane and a liquid-junction potential (Gonçalves et al. 2020, eLife 9:e56261); the
# second is small and does not adapt, as Pospischil et al. (2008, Biol Cybern 99:427) model fast-spiking cells.
SYNTHETIC = {
    "regular_spiking": (
        Pospischil(g_Na=40.0, g_K=2.0, g_M=0.012, g_L=0.025, V_T=-59.0, E_L=-76.5, V_init=-76.5),
        2.5e-4,
        JUNCTION_POTENTIAL,
    ),
    "fast_spiking": (
        Pospischil(g_M=0.0, g_Na=50.0, g_K=10.0, g_L=0.06, V_T=-58.0, E_L=-66.0, V_init=-66.0),
        7e-5,
        0.0,
    ),
}


def synthetic_recording(amplitude: float, name: str = "regular_spiking", *, seed: int) -> Trace:
    """Simulate a recording of a current step, to be used where the published one is unavailable.

    A `Pospischil` neuron seen through the default `Rig`: 1,000 ms at 20 kHz, with the step from 150 to 650 ms.

    Parameters
    ----------
    amplitude : float
        Of the step [pA].
    name : {"regular_spiking", "fast_spiking"}
        The published recording that this one resembles; see `RECORDINGS`.
    seed : int
        Seed of the noise of membrane and electrode.

    Returns
    -------
    Trace
        With I in pA. V of "regular_spiking" is too high by `JUNCTION_POTENTIAL`, as read by a real electrode.
    """
    neuron, area, offset = SYNTHETIC[one_of("name", name, SYNTHETIC)]
    density = number("amplitude", amplitude, "pA") * 1e-6 / area
    trace = record_through(simulate(neuron, step(density, 150.0, 650.0), 1000.0, seed=seed), seed=seed)
    return replace(trace, states={"V": trace.V + offset}, I=trace.I * area * 1e6, I_unit="pA")
