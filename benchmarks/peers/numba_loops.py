"""Numba as most people would write it: the equations with math.exp, one neuron per turn of a parallel loop."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, END, LATE_REST, ONSET, SINGLE_STEPS, SQUID, TRAINING_STEPS


def parallel_training(n: int) -> Training:
    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        traces = cortical_traces(g_Na, g_K, noise)
        return seven_statistics_of_all(traces)

    return run


def single() -> Single:
    return squid_trace


@njit
def ratio(z):
    return 1 - z / 2 if abs(z) < 1e-4 else z / (math.exp(z) - 1)


@njit
def relax(x, rates):
    alpha, beta = rates
    limit = alpha / (alpha + beta)
    return limit + (x - limit) * math.exp(-DT * (alpha + beta))


@njit
def steady(rates):
    alpha, beta = rates
    return alpha / (alpha + beta)


@njit
def cortical_rates(V):
    """(alpha, beta) of m, h, n, p."""
    u = V - CORTICAL.V_T
    p_inf = 1 / (1 + math.exp(-0.1 * (V + 35)))
    tau_p = CORTICAL.tau_max / (3.3 * math.exp(0.05 * (V + 35)) + math.exp(-0.05 * (V + 35)))
    return (
        (1.28 * ratio(-0.25 * (u - 13)), 1.4 * ratio(0.2 * (u - 40))),
        (0.128 * math.exp(-(u - 17) / 18), 4 / (1 + math.exp(-0.2 * (u - 40)))),
        (0.16 * ratio(-0.2 * (u - 15)), 0.5 * math.exp(-(u - 10) / 40)),
        (p_inf / tau_p, (1 - p_inf) / tau_p),
    )


@njit(parallel=True)
def cortical_traces(g_Na, g_K, noise):
    """V (n, steps + 1)."""
    c = CORTICAL
    traces = np.empty((len(g_Na), TRAINING_STEPS + 1))
    for k in prange(len(g_Na)):
        V = c.V_init
        of_m, of_h, of_n, of_p = cortical_rates(V)
        m, h, n, p = steady(of_m), steady(of_h), steady(of_n), steady(of_p)
        traces[k, 0] = V
        for i in range(TRAINING_STEPS):
            drive = c.amplitude if ONSET <= i < END else 0.0
            drive += noise * np.random.normal() / math.sqrt(DT)  # noqa: NPY002  one generator per thread
            sodium, potassium, slow = g_Na[k] * m**3 * h, g_K[k] * n**4, c.g_M * p
            g = sodium + potassium + c.g_L + slow
            V_inf = (sodium * c.E_Na + (potassium + slow) * c.E_K + c.g_L * c.E_L + drive) / g
            V = V_inf + (V - V_inf) * math.exp(-DT * g / c.C)
            of_m, of_h, of_n, of_p = cortical_rates(V)
            m, h, n, p = relax(m, of_m), relax(h, of_h), relax(n, of_n), relax(p, of_p)
            traces[k, i + 1] = V
    return traces


@njit(parallel=True)
def seven_statistics_of_all(traces):
    """(n, 7), in the order of workloads.seven_statistics."""
    answer = np.empty((len(traces), 7))
    for k in prange(len(traces)):
        V = traces[k]
        spikes, last = 0, -1000
        for i in range(ONSET + 1, END):
            if V[i] > -10 and V[i + 1] >= V[i] and V[i + 2] < V[i + 1]:
                if i - last > 0.5 / DT:
                    spikes += 1
                last = i
        during = V[ONSET + 1 : END]
        mean = during.mean()
        second, third, fourth = 0.0, 0.0, 0.0
        for x in during:
            d = x - mean
            second += d**2
            third += d**3
            fourth += d**4
        variance = second / len(during)
        answer[k, 0] = spikes
        answer[k, 1] = V[:ONSET].mean()
        answer[k, 2] = V[LATE_REST:ONSET].std()
        answer[k, 3] = mean
        answer[k, 4] = variance
        answer[k, 5] = third / len(during) / variance**1.5
        answer[k, 6] = fourth / len(during) / variance**2
    return answer


@njit
def squid_rates(V):
    """(alpha, beta) of m, h, n."""
    return (
        (ratio(-(V + 40) / 10), 4 * math.exp(-(V + 65) / 18)),
        (0.07 * math.exp(-(V + 65) / 20), 1 / (1 + math.exp(-(V + 35) / 10))),
        (0.1 * ratio(-(V + 55) / 10), 0.125 * math.exp(-(V + 65) / 80)),
    )


@njit
def squid_trace():
    """V (steps + 1,)."""
    c = SQUID
    trace = np.empty(SINGLE_STEPS + 1)
    V = c.V_init
    of_m, of_h, of_n = squid_rates(V)
    m, h, n = steady(of_m), steady(of_h), steady(of_n)
    trace[0] = V
    for i in range(SINGLE_STEPS):
        sodium, potassium = c.g_Na * m**3 * h, c.g_K * n**4
        g = sodium + potassium + c.g_L
        V_inf = (sodium * c.E_Na + potassium * c.E_K + c.g_L * c.E_L + c.amplitude) / g
        V = V_inf + (V - V_inf) * math.exp(-DT * g / c.C)
        of_m, of_h, of_n = squid_rates(V)
        m, h, n = relax(m, of_m), relax(h, of_h), relax(n, of_n)
        trace[i + 1] = V
    return trace


PEERS = (Peer("Numba, prange and math.exp", "numba", parallel_training, single, n=2000, cores=ALL_CORES),)
