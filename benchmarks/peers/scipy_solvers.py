"""SciPy's adaptive solvers, with V read off at every step of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import odeint, solve_ivp

from benchmarks.peer import Peer, Single
from benchmarks.peers.python_loops import squid_rates
from benchmarks.workloads import DT, SINGLE_STEPS, SQUID

TOLERANCE = 1e-6
TIMES = np.arange(SINGLE_STEPS + 1) * DT


def slopes(t: float, state: Sequence[float]) -> list[float]:
    c = SQUID
    V, m, h, n = state
    ionic = c.g_Na * m**3 * h * (V - c.E_Na) + c.g_K * n**4 * (V - c.E_K) + c.g_L * (V - c.E_L)
    (a_m, b_m), (a_h, b_h), (a_n, b_n) = squid_rates(V)
    return [
        (c.amplitude - ionic) / c.C,
        a_m * (1 - m) - b_m * m,
        a_h * (1 - h) - b_h * h,
        a_n * (1 - n) - b_n * n,
    ]


def start() -> list[float]:
    return [SQUID.V_init, *(alpha / (alpha + beta) for alpha, beta in squid_rates(SQUID.V_init))]


def with_solve_ivp() -> Single:
    def run() -> np.ndarray:
        span = (0.0, SQUID.duration)
        return solve_ivp(slopes, span, start(), "LSODA", t_eval=TIMES, rtol=TOLERANCE, atol=TOLERANCE).y[0]

    return run


def with_odeint() -> Single:
    return lambda: odeint(slopes, start(), TIMES, tfirst=True, rtol=TOLERANCE, atol=TOLERANCE)[:, 0]


NOTE = f"adaptive, tolerance {TOLERANCE:g}"
PEERS = (
    Peer("SciPy solve_ivp LSODA", "scipy", single=with_solve_ivp, note=NOTE),
    Peer("SciPy odeint", "scipy", single=with_odeint, note=NOTE),
)
