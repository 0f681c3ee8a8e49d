"""Brian2: a C++ program of its own, run again with other values, as its documentation recommends for speed."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, SQUID

CORTICAL_EQUATIONS = """
dV/dt = (g_Na*m**3*h*(E_Na - V) + (g_K*n**4 + g_M*p)*(E_K - V) + g_L*(E_L - V)
         + amplitude*int(t >= start)*int(t < stop)) / C : 1
dm/dt = a_m*(1 - m) - b_m*m : 1
dh/dt = a_h*(1 - h) - b_h*h : 1
dn/dt = a_n*(1 - n) - b_n*n : 1
dp/dt = (p_inf - p)*p_rate : 1
a_m = 1.28/exprel(-0.25*(V - V_T - 13))/ms : Hz
b_m = 1.4/exprel(0.2*(V - V_T - 40))/ms : Hz
a_h = 0.128*exp(-(V - V_T - 17)/18)/ms : Hz
b_h = 4/(1 + exp(-0.2*(V - V_T - 40)))/ms : Hz
a_n = 0.16/exprel(-0.2*(V - V_T - 15))/ms : Hz
b_n = 0.5*exp(-(V - V_T - 10)/40)/ms : Hz
p_inf = 1/(1 + exp(-0.1*(V + 35))) : 1
p_rate = (3.3*exp(0.05*(V + 35)) + exp(-0.05*(V + 35)))/tau_max : Hz
g_Na : 1 (constant)
g_K : 1 (constant)
"""

SQUID_EQUATIONS = """
dV/dt = (g_Na*m**3*h*(E_Na - V) + g_K*n**4*(E_K - V) + g_L*(E_L - V) + amplitude) / C : 1
dm/dt = a_m*(1 - m) - b_m*m : 1
dh/dt = a_h*(1 - h) - b_h*h : 1
dn/dt = a_n*(1 - n) - b_n*n : 1
a_m = 1/exprel(-(V + 40)/10)/ms : Hz
b_m = 4*exp(-(V + 65)/18)/ms : Hz
a_h = 0.07*exp(-(V + 65)/20)/ms : Hz
b_h = 1/(1 + exp(-(V + 35)/10))/ms : Hz
a_n = 0.1/exprel(-(V + 55)/10)/ms : Hz
b_n = 0.125*exp(-(V + 65)/80)/ms : Hz
"""


def training(n: int) -> Training:
    program, neurons, V = build(CORTICAL_EQUATIONS, CORTICAL, n, ALL_CORES)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        program.run(run_args={neurons.g_Na: g_Na, neurons.g_K: g_K})
        return np.asarray(V.V)

    return run


def single() -> Single:
    program, _, V = build(SQUID_EQUATIONS, SQUID, 1, 0)

    def run() -> np.ndarray:
        program.run()
        return np.asarray(V.V)

    return run


def build(equations: str, constants: Any, count: int, threads: int) -> tuple[Any, Any, Any]:
    """The compiled program, its neurons, and the monitor of V. Units: mV and ms as in workloads.py, C in ms."""
    import brian2

    folder = tempfile.mkdtemp()
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.prefs.devices.cpp_standalone.openmp_threads = threads
    brian2.defaultclock.dt = DT * brian2.ms
    names = constants._asdict()
    for name in {"C", "start", "stop", "tau_max"} & set(names):
        names[name] = names[name] * brian2.ms
    neurons = brian2.NeuronGroup(count, equations, method="exponential_euler", namespace=names)
    neurons.V = constants.V_init
    for gate in ("m", "h", "n"):
        setattr(neurons, gate, f"a_{gate}/(a_{gate} + b_{gate})")
    if "p" in neurons.equations:
        neurons.p = "p_inf"
    monitor = brian2.StateMonitor(neurons, "V", record=True)
    brian2.run(constants.duration * brian2.ms, namespace=names)
    brian2.device.build(directory=folder, compile=True, run=False)
    return brian2.device, neurons, monitor


PEERS = (
    Peer(
        "Brian2",
        "brian2",
        training,
        single,
        cores=ALL_CORES,
        program="g++",
        note="C++ standalone, exponential Euler, no noise, traces",
    ),
)
