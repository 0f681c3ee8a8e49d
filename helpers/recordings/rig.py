"""Between models and recordings: measure a recorded cell, and make a simulated trace look recorded.

From a recording to a model: `crop` it, take the cell's `passive_properties`, and turn pA into the `current_density`
of a model neuron. From a model to a recording: `rig_like` sends a clean trace through electrode, filter and digitiser.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, signal

from helpers.neurons.models import Pospischil
from helpers.neurons.parameters import Declared, Parameter, parameter
from helpers.simulation.simulate import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace
from helpers.validation import number, plain, whole_number

__all__ = [
    "JUNCTION_POTENTIAL",
    "PassiveProperties",
    "Rig",
    "crop",
    "current_density",
    "passive_properties",
    "rig_like",
    "stand_in",
]

# ---- From a recording to a model


def crop(trace: Trace, begin: float, end: float) -> Trace:
    """The part of a trace from `begin` to `end` [ms], both inclusive, times unchanged.

    Raises ValueError when the trace does not reach that far or the part does not hold start to stop.
    """
    slack = 1e-6 * trace.dt
    for name, edge in (("begin", begin), ("end", end)):
        if plain(name, edge, "a number").ndim:
            raise ValueError(f"{name} has shape {np.shape(edge)}; allowed: one number [ms]")
    if not trace.t[0] - slack <= begin < end <= trace.t[-1] + trace.dt + slack:
        raise ValueError(f"begin to end: {begin:g} to {end:g} ms; allowed: within {trace.t[0]:g} to {trace.t[-1]:g} ms")
    keep = (trace.t >= begin - slack) & (trace.t <= end + slack)
    cut = {name: getattr(trace, name)[keep] for name in ("t", "V", "I")}
    for name in ("gates", "currents"):
        cut[name] = {key: values[keep] for key, values in getattr(trace, name).items()}
    return replace(trace, **cut)


@dataclass(frozen=True)
class PassiveProperties:
    """What a small hyperpolarising step tells about a cell.

    V_rest: median of V before the step [mV].
    R_in: input resistance [MΩ], amplitude of the exponential charging over the step's amplitude.
    tau_m: membrane time constant [ms], of the same exponential.
    R_steady: (V at the end of the step - V_rest) over the step's amplitude [MΩ]. A sag makes it smaller than R_in; a
    voltage drop left across the electrode makes it larger.
    """

    V_rest: float
    R_in: float
    tau_m: float
    R_steady: float

    @property
    def area(self) -> float:
        """Membrane area [cm²]: capacitance tau_m / R_in at 1 µF/cm² (Gonçalves et al. 2020, eLife 9:e56261)."""
        return self.tau_m * 1e-3 / self.R_in


def passive_properties(trace: Trace, onset: float = 100.0) -> PassiveProperties:
    """Fit V = V_end + A·exp(-(t - start)/tau) to the first `onset` ms of a hyperpolarising step.

    The first millisecond is left out: there V jumps by the voltage across the electrode. Only the onset is used
    because later a sag current (I_h) pulls V back, and R_in and tau_m must belong to the same curve.
    Raises ValueError when I is not in pA, the step is not one constant negative level of at least `onset` ms, the cell
    fires in it, or V does not follow an exponential (residual above 10 % of its amplitude).
    """
    onset = number("onset", onset, "ms")
    if trace.I_unit != "pA":
        raise ValueError(f"I is in {trace.I_unit}; passive properties in MΩ need a current in pA")
    if not 5.0 <= onset <= trace.stop - trace.start:
        raise ValueError(f"onset = {onset:g} ms; allowed: from 5 ms to the step's {trace.stop - trace.start:g} ms")
    before = trace.t < trace.start - 0.5 * trace.dt
    inside = ~before & (trace.t < trace.stop - 0.5 * trace.dt)
    levels = np.unique(trace.I[inside])
    if not before.any():
        raise ValueError("the step begins with the trace: there is no rest to compare with")
    step = levels[0] - trace.I[before][-1]
    if len(levels) > 1 or step >= 0.0:
        words = "is not constant" if len(levels) > 1 else f"goes by {step:+g} pA"
        raise ValueError(f"the current of the step {words}; needed: one negative step")
    if ((trace.spike_times >= trace.start) & (trace.spike_times < trace.stop)).any():
        raise ValueError("the cell fires during the step; needed: a step without spikes")

    since = trace.t - trace.start
    fitted = (since >= 1.0) & (since <= onset)
    x, y = since[fitted], trace.V[fitted]

    def charging(x: np.ndarray, V_end: float, A: float, tau: float) -> np.ndarray:
        return V_end + A * np.exp(-x / tau)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an overflow or a singular fit is no fit
            (V_end, A, tau), _ = optimize.curve_fit(charging, x, y, p0=(y[-1], y[0] - y[-1], onset / 5.0))
    except (RuntimeError, RuntimeWarning, optimize.OptimizeWarning):
        raise ValueError("no exponential fits the onset of the step") from None
    residual = float(np.std(y - charging(x, V_end, A, tau)))
    if not (A > 0.0 and 0.0 < tau < onset and residual < 0.1 * A):
        raise ValueError(
            f"the onset of the step is not exponential: amplitude {A:.3g} mV, time constant {tau:.3g} ms, "
            f"residual {residual:.3g} mV; needed: amplitude > 0, time constant below {onset:g} ms, residual below 10 %"
        )
    V_rest = float(np.median(trace.V[before]))
    late = inside & (trace.t >= trace.stop - 0.2 * (trace.stop - trace.start))
    R_steady = (float(np.mean(trace.V[late])) - V_rest) / step
    return PassiveProperties(V_rest, float(1e3 * A / -step), float(tau), float(1e3 * R_steady))


AREA = Parameter("area", 1e-4, "cm²", "membrane area", low=1e-5, high=1e-3, minimum=1e-6, maximum=1e-2)


def current_density(trace: Trace, area: float) -> Trace:
    """The same trace with I in µA/cm², as the neuron models take it, for a membrane of `area` [cm²].

    Raises ValueError when I is not in pA or the area is not between 1e-6 and 1e-2 cm².
    """
    if trace.I_unit != "pA":
        raise ValueError(f"I is in {trace.I_unit}; only a current in pA can be divided by an area")
    area = number("area", area, AREA.unit, low=AREA.minimum, high=AREA.maximum)
    return replace(trace, I=trace.I * 1e-6 / area, I_unit="µA/cm²")


# ---- From a model to a recording


@dataclass(frozen=True, kw_only=True)
class Rig(Declared):
    """What stands between a membrane and a file: electrode, amplifier filter, slow drift, digitiser.

    The defaults of sampling, noise and resolution are those measured in the recording "regular_spiking".
    """

    sampling: float = parameter(0.05, "ms", "time between samples", low=0.01, high=0.2, minimum=0.001, maximum=1.0)
    electrode_noise: float = parameter(0.08, "mV", "SD of the noise", low=0.0, high=1.0, minimum=0.0, maximum=20.0)
    cutoff: float = parameter(10.0, "kHz", "cutoff of the filter", low=1.0, high=20.0, minimum=0.1, maximum=100.0)
    drift: float = parameter(0.3, "mV/√s", "SD of the drift after 1 s", low=0.0, high=2.0, minimum=0.0, maximum=20.0)
    resolution: float = parameter(0.0305, "mV", "digitiser step", low=0.001, high=0.5, minimum=1e-6, maximum=5.0)


def rig_like(trace: Trace, seed: int, rig: Rig | None = None) -> Trace:
    """Make a simulated trace look recorded: filtered, with electrode noise and drift, resampled and digitised.

    V and white noise pass a 4-pole Bessel filter, as in a patch-clamp amplifier; `electrode_noise` is the SD of the
    noise behind it. The drift is a random walk from zero. I is the command: it is resampled, nothing else. Gates and
    ionic currents are left out, no electrode sees them. The same trace, seed and rig give the same result.
    Raises ValueError for a seed that is no whole number from 0, and when the trace is sampled too coarsely for the
    rig: its step must not exceed `sampling`, and half its sampling rate must lie above `cutoff`.
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
    n, settle = len(trace.t), int(np.ceil(5.0 / (rig.cutoff * trace.dt)))  # 5 periods: the filter has forgotten
    bessel = signal.bessel(4, rig.cutoff, fs=1.0 / trace.dt, norm="mag", output="sos")
    response = signal.sosfilt(bessel, np.eye(1, settle)[0])
    noise = signal.sosfilt(bessel, random.standard_normal(n + settle))[settle:] / np.linalg.norm(response)
    walk = np.concatenate([[0.0], np.cumsum(random.standard_normal(n - 1))]) * np.sqrt(trace.dt * 1e-3)
    at_rest = signal.sosfilt_zi(bessel) * trace.V[0]
    V, _ = signal.sosfilt(bessel, trace.V, zi=at_rest)
    V = V + rig.electrode_noise * noise + rig.drift * walk

    duration = trace.t[-1] - trace.t[0]
    t = trace.t[0] + rig.sampling * np.arange(int(duration / rig.sampling + 1e-6) + 1)
    latest = np.searchsorted(trace.t, t + 1e-6 * trace.dt, side="right") - 1  # I holds its value between samples
    V = np.round(np.interp(t, trace.t, V) / rig.resolution) * rig.resolution
    return replace(trace, t=t, V=V, I=trace.I[latest], gates={}, currents={})


JUNCTION_POTENTIAL = 14.0  # mV; what an electrode filled with potassium gluconate reads too much, see `stand_in`


def stand_in(amplitude: float, seed: int) -> Trace:
    """A step of `amplitude` [pA] into a cell made here, as a rig would record it: for when no real one is to be had.

    A `Pospischil` neuron of 2.5e-4 cm² with noise in its membrane, through `rig_like`; like a real electrode it reads
    V too high, by the liquid-junction potential of 14 mV (Gonçalves et al. 2020, eLife 9:e56261). 20 kHz, 1,000 ms, the
    step from 150 to 650 ms.
    """
    area, amplitude = 2.5e-4, number("amplitude", amplitude, "pA")
    cell = Pospischil(g_Na=40.0, g_K=2.0, g_M=0.012, g_L=0.025, V_T=-59.0, E_L=-76.5, V_init=-76.5)
    trace = simulate(cell, step(amplitude * 1e-6 / area, 150.0, 650.0), 1000.0, seed=seed)
    seen = rig_like(trace, seed)
    return replace(seen, V=seen.V + JUNCTION_POTENTIAL, I=seen.I * area * 1e6, I_unit="pA")
