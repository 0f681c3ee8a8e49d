"""The neurons, one class each: parameters and equations as the papers give them.

Units: V in mV, time in ms; for neurons with ionic currents, conductances in mS/cm², currents in µA/cm², capacitance in
µF/cm². The integrate-and-fire neuron has currents in pA and conductances in nS, Hindmarsh-Rose has no units.
"""

from __future__ import annotations

from dataclasses import dataclass

from .equations import Neuron, current, derived, event, gate, state
from .functions import exp, linoid, where
from .parameters import parameter

__all__ = ["HindmarshRose", "HodgkinHuxley", "Izhikevich", "LeakyIntegrateAndFire", "Pospischil"]


@dataclass(frozen=True, kw_only=True)
class HodgkinHuxley(Neuron):
    """The squid giant axon of Hodgkin & Huxley (1952, J Physiol 117:500), in the modern sign convention.

    V is the membrane potential inside minus outside, with rest near -65 mV (the paper counts from rest, downwards).
    Gates m (sodium activation), h (sodium inactivation), n (potassium activation). All rates grow by a factor of 3 per
    10 °C. Drugs block a share of the channels: tetrodotoxin (TTX) the sodium, tetraethylammonium (TEA) the potassium.
    """

    presets = {
        "squid": ("Hodgkin & Huxley 1952 at 6.3 °C", {}),
        "TTX": ("sodium channels blocked by tetrodotoxin", {"block_Na": 1.0}),
        "TEA": ("potassium channels blocked by tetraethylammonium", {"block_K": 1.0}),
        "cold": ("the axon at 0 °C: every gate takes twice as long as at 6.3 °C", {"temperature": 0.0}),
        "warm": ("the axon at 18.5 °C, the warmest of the 1952 experiments", {"temperature": 18.5}),
        "braincell": ("first example of the braincell library: fewer channels than squid", {"g_K": 10.0, "g_L": 0.03}),
        "neun": (
            "example of the Neun library, densities from its values for 7.854e-3 cm²; inject 0.1/7.854e-3 µA/cm²",
            {"g_Na": 0.94248 / 7.854e-3, "g_K": 0.282744 / 7.854e-3, "g_L": 2.3562e-3 / 7.854e-3},
        ),
    }

    C: float = parameter(1.0, "µF/cm²", "membrane capacitance", low=0.5, high=3.0, minimum=0.01)
    g_Na: float = parameter(120.0, "mS/cm²", "maximal sodium conductance", low=0.0, high=200.0, minimum=0.0)
    g_K: float = parameter(36.0, "mS/cm²", "maximal potassium conductance", low=0.0, high=80.0, minimum=0.0)
    g_L: float = parameter(0.3, "mS/cm²", "leak conductance", low=0.0, high=1.0, minimum=0.0)
    E_Na: float = parameter(50.0, "mV", "sodium reversal potential", low=0.0, high=100.0)
    E_K: float = parameter(-77.0, "mV", "potassium reversal potential", low=-100.0, high=-50.0)
    E_L: float = parameter(-54.387, "mV", "leak reversal potential", low=-80.0, high=-40.0)
    temperature: float = parameter(6.3, "°C", "temperature", low=0.0, high=30.0, minimum=-5.0, maximum=50.0)
    block_Na: float = parameter(
        0.0, "", "share of sodium channels blocked", low=0.0, high=1.0, minimum=0.0, maximum=1.0
    )
    block_K: float = parameter(
        0.0, "", "share of potassium channels blocked", low=0.0, high=1.0, minimum=0.0, maximum=1.0
    )
    noise: float = parameter(0.0, "µA/cm²·√ms", "intensity of white current noise", low=0.0, high=2.0, minimum=0.0)
    V_init: float = parameter(-65.0, "mV", "membrane potential at the start", low=-100.0, high=50.0)

    @derived
    def phi(temperature):
        return 3.0 ** ((temperature - 6.3) / 10.0)

    @gate
    def m(V, phi):
        alpha = 0.1 * 10.0 * phi * linoid(-(V + 40.0) / 10.0)
        beta = 4.0 * phi * exp(-(V + 65.0) / 18.0)
        return alpha, beta

    @gate
    def h(V, phi):
        alpha = 0.07 * phi * exp(-(V + 65.0) / 20.0)
        beta = phi / (1.0 + exp(-(V + 35.0) / 10.0))
        return alpha, beta

    @gate
    def n(V, phi):
        alpha = 0.01 * 10.0 * phi * linoid(-(V + 55.0) / 10.0)
        beta = 0.125 * phi * exp(-(V + 65.0) / 80.0)
        return alpha, beta

    @current
    def I_Na(m, h, g_Na, block_Na, E_Na):
        return (1.0 - block_Na) * g_Na * m**3 * h, E_Na

    @current
    def I_K(n, g_K, block_K, E_K):
        return (1.0 - block_K) * g_K * n**4, E_K

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
    g_L: float = parameter(0.1, "mS/cm²", "leak conductance", low=1e-4, high=0.6, minimum=0.0)
    g_M: float = parameter(0.07, "mS/cm²", "maximal M-type potassium conductance", low=1e-4, high=0.6, minimum=0.0)
    tau_max: float = parameter(600.0, "ms", "time scale of the M current", low=50.0, high=3000.0, minimum=1.0)
    V_T: float = parameter(-60.0, "mV", "shift of the spiking kinetics", low=-90.0, high=-40.0)
    noise: float = parameter(0.1, "µA/cm²·√ms", "intensity of white current noise", low=1e-4, high=0.15, minimum=0.0)
    E_Na: float = parameter(53.0, "mV", "sodium reversal potential", low=0.0, high=100.0)
    E_K: float = parameter(-107.0, "mV", "potassium reversal potential", low=-120.0, high=-50.0)
    E_L: float = parameter(-70.0, "mV", "leak reversal potential", low=-100.0, high=-35.0)
    V_init: float = parameter(-70.0, "mV", "membrane potential at the start", low=-100.0, high=50.0)

    @gate
    def m(V, V_T):
        u = V - V_T
        alpha = 0.32 * 4.0 * linoid(-(u - 13.0) / 4.0)
        beta = 0.28 * 5.0 * linoid((u - 40.0) / 5.0)
        return alpha, beta

    @gate
    def h(V, V_T):
        u = V - V_T
        alpha = 0.128 * exp(-(u - 17.0) / 18.0)
        beta = 4.0 / (1.0 + exp(-(u - 40.0) / 5.0))
        return alpha, beta

    @gate
    def n(V, V_T):
        u = V - V_T
        alpha = 0.032 * 5.0 * linoid(-(u - 15.0) / 5.0)
        beta = 0.5 * exp(-(u - 10.0) / 40.0)
        return alpha, beta

    @gate
    def p(V, tau_max):
        p_inf = 1.0 / (1.0 + exp(-(V + 35.0) / 10.0))
        rate = (3.3 * exp((V + 35.0) / 20.0) + exp(-(V + 35.0) / 20.0)) / tau_max  # 1 / tau_p
        alpha = p_inf * rate
        beta = (1.0 - p_inf) * rate
        return alpha, beta

    @current
    def I_Na(m, h, g_Na, E_Na):
        return g_Na * m**3 * h, E_Na

    @current
    def I_K(n, g_K, E_K):
        return g_K * n**4, E_K

    @current
    def I_L(g_L, E_L):
        return g_L, E_L

    @current
    def I_M(p, g_M, E_K):
        return g_M * p, E_K


@dataclass(frozen=True, kw_only=True)
class LeakyIntegrateAndFire(Neuron):
    """A leaky membrane that is reset when it reaches a threshold (Lapicque 1907; Gerstner et al. 2014, ch. 1.3).

    tau_m dV/dt = E_L - V + I/g_L; when V reaches V_th a spike is drawn at V_spike, V goes to V_reset and stays
    there for t_ref. The current is in pA. A second state, refractory, counts the rest of the refractory time down.
    """

    current_unit = "pA"
    current_range = (200.0, -100.0, 500.0)
    max_dt = 1.0

    V_th: float = parameter(-55.0, "mV", "threshold", low=-60.0, high=-50.0)
    tau_m: float = parameter(10.0, "ms", "membrane time constant", low=5.0, high=20.0, minimum=0.1)
    g_L: float = parameter(10.0, "nS", "leak conductance", low=5.0, high=15.0, minimum=1e-3)
    V_reset: float = parameter(-72.0, "mV", "potential after a spike", low=-85.0, high=-65.0)
    V_init: float = parameter(-70.0, "mV", "membrane potential at the start", low=-80.0, high=-65.0)
    E_L: float = parameter(-70.0, "mV", "leak reversal potential", low=-75.0, high=-60.0)
    t_ref: float = parameter(2.0, "ms", "refractory time", low=0.0, high=10.0, minimum=0.0)
    V_spike: float = parameter(20.0, "mV", "height at which a spike is drawn", low=0.0, high=40.0)
    noise: float = parameter(0.0, "pA·√ms", "intensity of white current noise", low=0.0, high=100.0, minimum=0.0)
    refractory_init: float = parameter(0.0, "ms", "refractory time left at the start", low=0.0, high=10.0, minimum=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.V_reset < self.V_th:
            raise ValueError(f"V_reset = {self.V_reset:g} mV; allowed: below V_th = {self.V_th:g} mV")

    @state
    def V(E_L, g_L, tau_m, I):
        a = (E_L + I / g_L) / tau_m
        b = 1.0 / tau_m
        return a, b

    @state
    def refractory():
        return -1.0, 0.0

    @event
    def spike(V, refractory, V_th, V_reset, V_spike, t_ref, dt):
        resting = refractory > -0.5 * dt  # until t_ref has passed; half a step, so that rounding cannot matter
        fires = (V >= V_th) & (refractory <= -0.5 * dt)
        held = where(resting, V_reset, V)
        left = where(resting, refractory, -dt)
        return where(fires, V_spike, held), where(fires, V_reset, held), where(fires, t_ref, left)


@dataclass(frozen=True, kw_only=True)
class Izhikevich(Neuron):
    """Two equations that imitate many firing patterns (Izhikevich 2003, IEEE Trans Neural Netw 14:1569).

    v' = 0.04 v² + 5 v + 140 - u + I, u' = a (b v - u); when v reaches v_peak it is set to c, and d is added to u.
    """

    current_unit = ""
    current_range = (10.0, -10.0, 40.0)
    max_dt = 1.0
    spike_threshold = 15.0

    presets = {
        "regular spiking": ("Izhikevich 2003, figure 2", {}),
        "intrinsically bursting": ("Izhikevich 2003, figure 2", {"c": -55.0, "d": 4.0}),
        "chattering": ("Izhikevich 2003, figure 2", {"c": -50.0, "d": 2.0}),
        "fast spiking": ("Izhikevich 2003, figure 2", {"a": 0.1, "d": 2.0}),
    }

    a: float = parameter(0.02, "1/ms", "rate of recovery", low=0.01, high=0.2, minimum=0.0)
    b: float = parameter(0.2, "", "sensitivity of recovery to v", low=0.1, high=0.3)
    c: float = parameter(-65.0, "mV", "v after a spike", low=-70.0, high=-45.0)
    d: float = parameter(8.0, "", "jump of u at a spike", low=0.0, high=10.0)
    v_peak: float = parameter(30.0, "mV", "peak of a spike", low=20.0, high=40.0)
    noise: float = parameter(0.0, "√ms", "intensity of white current noise", low=0.0, high=10.0, minimum=0.0)
    v_init: float = parameter(-65.0, "mV", "v at the start", low=-90.0, high=0.0)
    u_init: float = parameter(-13.0, "", "u at the start", low=-30.0, high=30.0)

    @state
    def v(v, u, I):
        return 0.04 * v * v + 5.0 * v + 140.0 - u + I, 0.0

    @state
    def u(v, a, b):
        return a * b * v, a

    @event
    def spike(v, u, c, d, v_peak):
        fires = v >= v_peak
        return where(fires, v_peak, v), where(fires, c, v), where(fires, u + d, u)


@dataclass(frozen=True, kw_only=True)
class HindmarshRose(Neuron):
    """Spiking, bursting and chaos in three equations without units (Hindmarsh & Rose 1984, Proc R Soc B 221:87).

    x' = y + b x² - a x³ - z + e + I, y' = c - d x² - y, z' = µ (S (x - x_r) - v_h z). The defaults burst chaotically.
    Time and "mV" are plain numbers here; a spike is a rise of x through 1 that turns back by as much.
    """

    current_unit = ""
    current_range = (0.0, -2.0, 4.0)
    max_dt = 0.1
    spike_threshold = 1.0
    spike_prominence = 1.0
    spike_height = 3.0

    presets = {
        "chaotic bursting": ("Neun's example, e = 3.281", {}),
        "regular bursting": ("a weaker drive", {"e": 2.0}),
        "tonic spiking": ("a stronger drive", {"e": 4.0}),
    }

    a: float = parameter(1.0, "", "weight of x³", low=0.5, high=2.0)
    b: float = parameter(3.0, "", "weight of x²", low=2.0, high=4.0)
    c: float = parameter(1.0, "", "constant drive of y", low=0.5, high=2.0)
    d: float = parameter(5.0, "", "weight of x² in y", low=3.0, high=7.0)
    e: float = parameter(3.281, "", "constant drive of x", low=0.0, high=5.0)
    mu: float = parameter(0.0029, "", "rate of the slow variable z", low=0.001, high=0.02, minimum=0.0)
    S: float = parameter(4.0, "", "coupling of z to x", low=1.0, high=6.0)
    x_r: float = parameter(-1.6, "", "x at rest", low=-2.0, high=-1.0)
    v_h: float = parameter(1.0, "", "decay of z", low=0.5, high=2.0)
    noise: float = parameter(0.0, "", "intensity of white noise on x", low=0.0, high=1.0, minimum=0.0)
    x_init: float = parameter(-1.5, "", "x at the start", low=-2.0, high=2.0)
    y_init: float = parameter(-10.0, "", "y at the start", low=-20.0, high=5.0)
    z_init: float = parameter(0.0, "", "z at the start", low=-1.0, high=5.0)

    @state
    def x(x, y, z, a, b, e, I):
        return y + b * x * x - a * x * x * x - z + e + I, 0.0

    @state
    def y(x, c, d):
        return c - d * x * x, 1.0

    @state
    def z(x, mu, S, x_r, v_h):
        return mu * S * (x - x_r), mu * v_h
