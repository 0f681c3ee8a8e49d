"""Which parameters of a cell are unknown, and what is known of them beforehand: chosen by what the cell does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import curve_fit

from helpers.inference.marginals import Marginal, uniform
from helpers.inference.priors import Prior, prior_of
from helpers.neurons.cortical import CorticalNeuron

from .sweeps import MANY, CellSweep

__all__ = ["Membrane", "Unknowns", "choose_unknowns", "membrane_of_step"]

MEMBRANE = ("C", "g_L", "E_L", "g_h")  # all that can be known of a cell that does not fire
SAG = 1.5  # mV, from which a sag asks for I_h
RISE = 1.5  # mV, by which thresholds rise
BROADER = 0.08  # share, by which spikes become broader


@dataclass(frozen=True)
class Membrane:
    """The passive membrane: area [cm²] at 1 µF/cm², input resistance [MΩ], time constant [ms], and where from.

    `measured` is False where they had to be taken from the charging to the first spike of a depolarising step.
    """

    area: float
    R_in: float
    tau_m: float
    words: str
    measured: bool = True

    @property
    def conductance(self) -> float:
        """That of the resting membrane [mS/cm²]."""
        return 1e-3 / self.R_in / self.area


@dataclass(frozen=True)
class Unknowns:
    """The prior over the unknown parameters, why each is unknown, and the neuron that holds all others."""

    prior: Prior
    why: dict[str, str]
    neuron: CorticalNeuron


def membrane_of_step(sweep: CellSweep) -> Membrane:
    """Return the membrane as the charging to the first spike tells it, where passive properties cannot be had.

    Raises
    ------
    ValueError
        If V does not charge like a membrane.
    """
    trace = sweep.trace
    spikes = trace.spike_times[trace.spike_times >= trace.start]
    first = float(spikes[0]) if len(spikes) else trace.stop
    end = min(trace.start + (0.6 if len(spikes) else 1.0) * (first - trace.start), trace.start + 60.0)
    part = (trace.t >= trace.start + 1.0) & (trace.t <= end)
    x, y = trace.t[part] - trace.start, (trace.V[part] - sweep.value("V_rest")) * np.sign(sweep.amplitude)
    if end - trace.start < 5.0 or len(x) < 20:
        raise ValueError(
            f"{sweep.name} fires {first - trace.start:.3g} ms after the onset: too soon to see the membrane charge, "
            "and no hyperpolarising step shows it; give one, or a weaker step"
        )

    def charging(x, height, tau):
        return height * (1.0 - np.exp(-x / tau))

    guess = (max(float(y[-1]) * 1.3, 1e-2), 15.0)
    try:
        (height, tau), _ = curve_fit(charging, x, y, p0=guess, bounds=([1e-3, 2.0], [200.0, 100.0]))
    except RuntimeError:
        height = 0.0
    if height < 0.1:
        raise ValueError(
            f"{sweep.name}: V does not charge in a step of {sweep.amplitude:+.4g} pA: is the current in pA, and is it "
            "the one of this sweep? Nothing can be fitted without R_in"
        )
    resistance = height / abs(sweep.amplitude) * 1e3
    until = "to its first spike" if len(spikes) else f"of {end - trace.start:.0f} ms"
    words = f"from the charging of {sweep.name} {until}, as no hyperpolarising step shows it: rough"
    return Membrane(tau * 1e-3 / resistance, resistance, tau, words, measured=False)


def choose_unknowns(sweeps: Sequence[CellSweep], membrane: Membrane) -> Unknowns:
    """Return the unknowns that these sweeps ask for.

    Every conductance has a prior that is even on a logarithmic scale; the leak one around the resting conductance.
    Where no sweep fires, the neuron has no channels of the spike, and only the membrane is unknown: C, g_L, E_L, and
    g_h where there is a sag.
    """
    trains = [sweep for sweep in sweeps if sweep.count >= MANY]
    rest = float(np.median([sweep.value("V_rest") for sweep in sweeps]))
    ranges, wide = CorticalNeuron.parameters(), (2.0 if membrane.measured else 3.0)
    leak = membrane.conductance
    why = {
        "C": "the area is only as good as the passive fit" if membrane.measured else "the area is rough",
        "g_Na": "makes spikes", "g_K": "ends spikes",
        "g_L": "R_in is this leak together with what else is open at rest",
        "E_L": f"rest is at {rest:.1f} mV", "V_T": "threshold", "rate_Na": "temperature, and which channels there are",
        "rate_K": "temperature, and which channels there are",
        "g_M": "adaptation", "tau_max": "time course of adaptation",
    }  # fmt: skip
    marginals: dict[str, Marginal] = {
        "C": uniform(1.0 / wide, wide, log=True),
        "g_Na": uniform(3.0, 150.0, log=True),
        "g_K": uniform(0.3, 60.0, log=True),
        "g_L": uniform(leak / 10.0, min(3.0 * leak, ranges["g_L"].high), log=True),
        "E_L": uniform(rest - 12.0, rest + 30.0),
        "V_T": uniform(-80.0, -45.0),
        "rate_Na": uniform(0.3, 5.0, log=True),
        "rate_K": uniform(0.2, 5.0, log=True),
        "g_M": uniform(0.003, 1.0, log=True),
        "tau_max": uniform(50.0, 3000.0, log=True),
    }
    if grows := _largest(trains, "threshold", RISE, 0.0):
        marginals["slow_Na"] = uniform(0.001, 1.0, log=True)
        why["slow_Na"] = f"thresholds rise during {grows}"
    if grows := _largest(trains, "half_width", 0.0, BROADER):
        marginals["slow_K"] = uniform(0.001, 1.0, log=True)
        why["slow_K"] = f"spikes become broader during {grows}"
    sags = [sweep for sweep in sweeps if "sag" in sweep.summarise.names and sweep.value("sag") > SAG]
    if sags:
        marginals["g_h"] = uniform(0.001, 0.3, log=True)
        why["g_h"] = f"{sags[0].name} sags by {sags[0].value('sag'):.1f} mV"
    neuron = CorticalNeuron(V_init=rest, E_K=-90.0, noise=0.02)
    if not any(sweep.count for sweep in sweeps):
        neuron = replace(neuron, g_Na=0.0, g_K=0.0, g_M=0.0)
        marginals = {name: known for name, known in marginals.items() if name in MEMBRANE}
    prior = prior_of(CorticalNeuron, marginals)
    why = {name: why[name] for name in prior.names}
    return Unknowns(prior, why, neuron)


def _largest(trains: Sequence[CellSweep], feature: str, more: float, share: float) -> str:
    """Name the sweep in which a feature of the mean spike is most above that of the first, if it is by enough."""
    change = {sweep.name: sweep.value(feature) - sweep.value(f"first_{feature}") for sweep in trains}
    enough = {sweep.name: max(more, share * sweep.value(f"first_{feature}")) for sweep in trains}
    above = [name for name in change if change[name] > enough[name]]
    return max(above, key=lambda name: change[name] - enough[name], default="")
