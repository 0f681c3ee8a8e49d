"""A cortical neuron that can do what recorded cells do."""

from __future__ import annotations

from dataclasses import dataclass

from .equations import current, gate
from .functions import exp, linoid
from .models import Pospischil
from .parameters import parameter

__all__ = ["CorticalNeuron"]


@dataclass(frozen=True, kw_only=True)
class CorticalNeuron(Pospischil):
    """The cortical neuron of Pospischil et al. (2008) with what recordings ask of it; with the defaults, that neuron.

    The gates of sodium and of potassium channels have a clock each, `rate_Na` and `rate_K`, for temperature and for the
    channels that a cell has. While V is high, both kinds of channels also inactivate slowly, and recover within
    `tau_slow`. Without sodium channels, thresholds rise during a train and peaks fall (Fleidervish, Friedman & Gutnick
    1996, J Physiol 493:83); without potassium channels, spikes become broader (Aldrich, Getting & Thompson 1979,
    J Physiol 291:507). I_h makes the sag of a hyperpolarising step (kinetics of Kole, Hallermann & Stuart 2006,
    J Neurosci 26:1677).
    """

    presets = {
        "regular spiking": ("like cells of the Allen Cell Types Database at 34 °C", {
            "C": 1.2, "g_Na": 15.0, "g_K": 3.0, "g_L": 0.02, "g_M": 0.15, "tau_max": 300.0, "V_T": -66.0,
            "E_L": -84.0, "E_K": -90.0, "rate_Na": 1.5, "slow_Na": 0.01, "slow_K": 0.02, "V_init": -84.0, "noise": 0.02,
        }),
    }  # fmt: skip

    E_K: float = parameter(-107.0, "mV", "potassium reversal potential", low=-110.0, high=-70.0)
    rate_Na: float = parameter(1.0, "", "speed of the sodium gates", low=0.3, high=5.0, minimum=0.01)
    rate_K: float = parameter(1.0, "", "speed of the potassium gate n", low=0.2, high=5.0, minimum=0.01)
    slow_Na: float = parameter(0.0, "1/ms", "slow inactivation of sodium at high V", low=0.0, high=1.0, minimum=0.0)
    slow_K: float = parameter(0.0, "1/ms", "slow inactivation of potassium at high V", low=0.0, high=1.0, minimum=0.0)
    tau_slow: float = parameter(300.0, "ms", "time of recovery from both", low=50.0, high=2000.0, minimum=1.0)
    g_h: float = parameter(0.0, "mS/cm²", "maximal conductance of I_h", low=0.0, high=0.3, minimum=0.0)
    E_h: float = parameter(-45.0, "mV", "reversal potential of I_h", low=-60.0, high=-20.0)

    @gate
    def m(V, V_T, rate_Na):
        u = V - V_T
        alpha = rate_Na * 0.32 * 4.0 * linoid(-(u - 13.0) / 4.0)
        beta = rate_Na * 0.28 * 5.0 * linoid((u - 40.0) / 5.0)
        return alpha, beta

    @gate
    def h(V, V_T, rate_Na):
        u = V - V_T
        alpha = rate_Na * 0.128 * exp(-(u - 17.0) / 18.0)
        beta = rate_Na * 4.0 / (1.0 + exp(-(u - 40.0) / 5.0))
        return alpha, beta

    @gate
    def n(V, V_T, rate_K):
        u = V - V_T
        alpha = rate_K * 0.032 * 5.0 * linoid(-(u - 15.0) / 5.0)
        beta = rate_K * 0.5 * exp(-(u - 10.0) / 40.0)
        return alpha, beta

    @gate
    def s(V, slow_Na, tau_slow):
        alpha = 1.0 / tau_slow
        beta = slow_Na / (1.0 + exp(-(V + 20.0) / 6.0))
        return alpha, beta

    @gate
    def z(V, slow_K, tau_slow):
        alpha = 1.0 / tau_slow
        beta = slow_K / (1.0 + exp(-(V + 20.0) / 6.0))
        return alpha, beta

    @gate
    def q(V):
        alpha = 0.00643 * 11.9 * linoid((V + 154.9) / 11.9)
        beta = 0.193 * exp(V / 33.1)
        return alpha, beta

    @current
    def I_Na(m, h, s, g_Na, E_Na):
        return g_Na * m**3 * h * s, E_Na

    @current
    def I_K(n, z, g_K, E_K):
        return g_K * n**4 * z, E_K

    @current
    def I_h(q, g_h, E_h):
        return g_h * q, E_h
