"""The neurons: each one class, its parameters and its equations as the papers give them.

Units: V in mV, time in ms, conductances in mS/cm², currents in µA/cm², capacitance in µF/cm².
"""

from __future__ import annotations

from dataclasses import dataclass

from .equations import Neuron, current, gate
from .functions import exp, linoid
from .parameters import parameter

__all__ = ["HodgkinHuxley", "Pospischil"]


@dataclass(frozen=True, kw_only=True)
class HodgkinHuxley(Neuron):
    """The squid giant axon of Hodgkin & Huxley (1952, J Physiol 117:500), in the modern sign convention.

    V is the membrane potential inside minus outside, with rest near -65 mV (the paper counts from rest, downwards).
    Gates m (sodium activation), h (sodium inactivation), n (potassium activation).
    """

    C: float = parameter(1.0, "µF/cm²", "membrane capacitance", low=0.5, high=3.0, minimum=0.01)
    g_Na: float = parameter(120.0, "mS/cm²", "maximal sodium conductance", low=0.0, high=200.0, minimum=0.0)
    g_K: float = parameter(36.0, "mS/cm²", "maximal potassium conductance", low=0.0, high=80.0, minimum=0.0)
    g_L: float = parameter(0.3, "mS/cm²", "leak conductance", low=0.0, high=1.0, minimum=0.0)
    E_Na: float = parameter(50.0, "mV", "sodium reversal potential", low=0.0, high=100.0)
    E_K: float = parameter(-77.0, "mV", "potassium reversal potential", low=-100.0, high=-50.0)
    E_L: float = parameter(-54.387, "mV", "leak reversal potential", low=-80.0, high=-40.0)
    noise: float = parameter(0.0, "µA/cm²·√ms", "intensity of white current noise", low=0.0, high=2.0, minimum=0.0)
    V_init: float = parameter(-65.0, "mV", "membrane potential at the start", low=-100.0, high=50.0)

    @gate
    def m(V):
        return 0.1 * 10.0 * linoid(-(V + 40.0) / 10.0), 4.0 * exp(-(V + 65.0) / 18.0)

    @gate
    def h(V):
        return 0.07 * exp(-(V + 65.0) / 20.0), 1.0 / (1.0 + exp(-(V + 35.0) / 10.0))

    @gate
    def n(V):
        return 0.01 * 10.0 * linoid(-(V + 55.0) / 10.0), 0.125 * exp(-(V + 65.0) / 80.0)

    @current
    def I_Na(m, h, g_Na, E_Na):
        return g_Na * m**3 * h, E_Na

    @current
    def I_K(n, g_K, E_K):
        return g_K * n**4, E_K

    @current
    def I_L(g_L, E_L):
        return g_L, E_L


@dataclass(frozen=True, kw_only=True)
class Pospischil(Neuron):
    """A cortical neuron after Pospischil et al. (2008, Biol Cybern 99:427), with the constants of sbi's tutorial.

    Spiking currents I_Na and I_K with kinetics shifted by V_T, a slow potassium current I_M that adapts the firing,
    a leak, and white current noise. Ranges: the prior of Gonçalves et al. (2020, eLife 9:e56261).
    """

    C: float = parameter(1.0, "µF/cm²", "membrane capacitance", low=0.5, high=3.0, minimum=0.01)
    g_Na: float = parameter(50.0, "mS/cm²", "maximal sodium conductance", low=0.5, high=80.0, minimum=0.0)
    g_K: float = parameter(5.0, "mS/cm²", "maximal potassium conductance", low=1e-4, high=15.0, minimum=0.0)
    g_leak: float = parameter(0.1, "mS/cm²", "leak conductance", low=1e-4, high=0.6, minimum=0.0)
    g_M: float = parameter(0.07, "mS/cm²", "maximal M-type potassium conductance", low=1e-4, high=0.6, minimum=0.0)
    tau_max: float = parameter(600.0, "ms", "time scale of the M current", low=50.0, high=3000.0, minimum=1.0)
    V_T: float = parameter(-60.0, "mV", "shift of the spiking kinetics", low=-90.0, high=-40.0)
    noise: float = parameter(0.1, "µA/cm²·√ms", "intensity of white current noise", low=1e-4, high=0.15, minimum=0.0)
    E_Na: float = parameter(53.0, "mV", "sodium reversal potential", low=0.0, high=100.0)
    E_K: float = parameter(-107.0, "mV", "potassium reversal potential", low=-120.0, high=-50.0)
    E_leak: float = parameter(-70.0, "mV", "leak reversal potential", low=-100.0, high=-35.0)
    V_init: float = parameter(-70.0, "mV", "membrane potential at the start", low=-100.0, high=50.0)

    @gate
    def m(V, V_T):
        u = V - V_T
        return 0.32 * 4.0 * linoid(-(u - 13.0) / 4.0), 0.28 * 5.0 * linoid((u - 40.0) / 5.0)

    @gate
    def h(V, V_T):
        u = V - V_T
        return 0.128 * exp(-(u - 17.0) / 18.0), 4.0 / (1.0 + exp(-(u - 40.0) / 5.0))

    @gate
    def n(V, V_T):
        u = V - V_T
        return 0.032 * 5.0 * linoid(-(u - 15.0) / 5.0), 0.5 * exp(-(u - 10.0) / 40.0)

    @gate
    def p(V, tau_max):
        p_inf = 1.0 / (1.0 + exp(-(V + 35.0) / 10.0))
        rate = (3.3 * exp((V + 35.0) / 20.0) + exp(-(V + 35.0) / 20.0)) / tau_max  # 1 / tau_p
        return p_inf * rate, (1.0 - p_inf) * rate

    @current
    def I_Na(m, h, g_Na, E_Na):
        return g_Na * m**3 * h, E_Na

    @current
    def I_K(n, g_K, E_K):
        return g_K * n**4, E_K

    @current
    def I_leak(g_leak, E_leak):
        return g_leak, E_leak

    @current
    def I_M(p, g_M, E_K):
        return g_M * p, E_K
