"""A neuron that the series does not have: one class of a dozen lines, which every part of the series then takes."""

from dataclasses import dataclass

from helpers.neurons.equations import Neuron, current, gate
from helpers.neurons.functions import exp
from helpers.neurons.parameters import parameter


@dataclass(frozen=True, kw_only=True)
class MorrisLecar(Neuron):
    """Barnacle muscle fibre: instantaneous calcium, delayed potassium (Morris & Lecar 1981, Biophys J 35:193)."""

    C: float = parameter(20.0, "µF/cm²", "membrane capacitance", low=10.0, high=30.0, minimum=0.1)
    g_Ca: float = parameter(4.4, "mS/cm²", "calcium conductance", low=3.0, high=6.0, minimum=0.0)
    g_K: float = parameter(8.0, "mS/cm²", "potassium conductance", low=4.0, high=12.0, minimum=0.0)
    g_L: float = parameter(2.0, "mS/cm²", "leak conductance", low=1.0, high=3.0, minimum=0.0)
    noise: float = parameter(0.0, "µA/cm²·√ms", "intensity of white current noise", low=0.0, high=5.0, minimum=0.0)
    V_init: float = parameter(-60.0, "mV", "membrane potential at the start", low=-80.0, high=0.0)

    @gate
    def w(V):
        w_inf = 1.0 / (1.0 + exp(-(V - 2.0) / 15.0))  # (1 + tanh((V - 2)/30)) / 2
        rate = 0.04 * 0.5 * (exp((V - 2.0) / 60.0) + exp(-(V - 2.0) / 60.0))  # 0.04·cosh((V - 2)/60)
        return w_inf * rate, (1.0 - w_inf) * rate

    @current
    def I_Ca(V, g_Ca):
        return g_Ca / (1.0 + exp(-(V + 1.2) / 9.0)), 120.0

    @current
    def I_K(w, g_K):
        return g_K * w, -84.0

    @current
    def I_L(g_L):
        return g_L, -60.0
