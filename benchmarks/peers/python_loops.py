"""One neuron at a time in plain Python: as in sbi's tutorial, with NumPy scalars, and with floats."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, END, ONSET, SINGLE_STEPS, SQUID, TRAINING_STEPS, seven_statistics


def tutorial_training(n: int) -> Training:
    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        return np.array([tutorial_simulation(*drawn, noise) for drawn in zip(g_Na, g_K, strict=True)])

    return run


def tutorial_training_in_workers(n: int) -> Training:
    pool = ProcessPoolExecutor(ALL_CORES)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        return np.array(list(pool.map(tutorial_simulation, g_Na, g_K, [noise] * n)))

    return run


def ratio(z: float) -> float:
    """z / (exp(z) - 1)."""
    return 1 - z / 2 if np.abs(z) < 1e-4 else z / (np.exp(z) - 1)


def cortical_rates(V: float) -> tuple[tuple[float, float], ...]:
    """(alpha, beta) of m, h, n, p."""
    u = V - CORTICAL.V_T
    p_inf = 1 / (1 + np.exp(-0.1 * (V + 35)))
    tau_p = CORTICAL.tau_max / (3.3 * np.exp(0.05 * (V + 35)) + np.exp(-0.05 * (V + 35)))
    return (
        (0.32 * ratio(-0.25 * (u - 13)) / 0.25, 0.28 * ratio(0.2 * (u - 40)) / 0.2),
        (0.128 * np.exp(-(u - 17) / 18), 4 / (1 + np.exp(-0.2 * (u - 40)))),
        (0.032 * ratio(-0.2 * (u - 15)) / 0.2, 0.5 * np.exp(-(u - 10) / 40)),
        (p_inf / tau_p, (1 - p_inf) / tau_p),
    )


def tutorial_simulation(g_Na: float, g_K: float, noise: float) -> np.ndarray:
    c = CORTICAL
    current = np.zeros(TRAINING_STEPS + 1)
    current[ONSET:END] = c.amplitude
    current += noise * np.random.default_rng().standard_normal(TRAINING_STEPS + 1) / np.sqrt(DT)
    V = np.zeros(TRAINING_STEPS + 1)
    gates = np.zeros((4, TRAINING_STEPS + 1))
    V[0] = c.V_init
    for x, (alpha, beta) in enumerate(cortical_rates(V[0])):
        gates[x, 0] = alpha / (alpha + beta)
    for i in range(1, TRAINING_STEPS + 1):
        m, h, n, p = gates[:, i - 1]
        sodium, potassium, slow = g_Na * m**3 * h, g_K * n**4, c.g_M * p
        g = sodium + potassium + c.g_L + slow
        V_inf = (sodium * c.E_Na + (potassium + slow) * c.E_K + c.g_L * c.E_L + current[i - 1]) / g
        V[i] = V_inf + (V[i - 1] - V_inf) * np.exp(-DT * g / c.C)
        for x, (alpha, beta) in enumerate(cortical_rates(V[i])):
            limit = alpha / (alpha + beta)
            gates[x, i] = limit + (gates[x, i - 1] - limit) * np.exp(-DT * (alpha + beta))
    return seven_statistics(V)


def floats_single() -> Single:
    def run() -> np.ndarray:
        c, exp = SQUID, math.exp
        V = c.V_init
        (a_m, b_m), (a_h, b_h), (a_n, b_n) = squid_rates(V)
        m, h, n = a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)
        trace = [V]
        for _ in range(SINGLE_STEPS):
            sodium, potassium = c.g_Na * m**3 * h, c.g_K * n**4
            g = sodium + potassium + c.g_L
            V_inf = (sodium * c.E_Na + potassium * c.E_K + c.g_L * c.E_L + c.amplitude) / g
            V = V_inf + (V - V_inf) * exp(-DT * g / c.C)
            (a_m, b_m), (a_h, b_h), (a_n, b_n) = squid_rates(V)
            m += (a_m / (a_m + b_m) - m) * (1 - exp(-DT * (a_m + b_m)))
            h += (a_h / (a_h + b_h) - h) * (1 - exp(-DT * (a_h + b_h)))
            n += (a_n / (a_n + b_n) - n) * (1 - exp(-DT * (a_n + b_n)))
            trace.append(V)
        return np.array(trace)

    return run


def squid_rates(V: float) -> tuple[tuple[float, float], ...]:
    """(alpha, beta) of m, h, n with math.exp; the two 0/0 points are never met to the last bit."""
    exp = math.exp
    return (
        (0.1 * (V + 40) / (1 - exp(-(V + 40) / 10)), 4 * exp(-(V + 65) / 18)),
        (0.07 * exp(-(V + 65) / 20), 1 / (1 + exp(-(V + 35) / 10))),
        (0.01 * (V + 55) / (1 - exp(-(V + 55) / 10)), 0.125 * exp(-(V + 65) / 80)),
    )


PEERS = (
    Peer("sbi tutorial's loop", "numpy", tutorial_training, n=4, quick_n=1, note="rewritten in its style"),
    Peer(
        f"sbi tutorial's loop, {ALL_CORES} workers",
        "numpy",
        tutorial_training_in_workers,
        n=4 * ALL_CORES,
        quick_n=ALL_CORES,
        cores=ALL_CORES,
        note="rewritten in its style",
    ),
    Peer("Python floats", "numpy", single=floats_single, note="exponential Euler"),
)
