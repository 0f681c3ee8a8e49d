"""Independent answers to test against: the neurons written out again, integrated by LSODA, and the seven statistics.

Nothing here imports helpers. The equations follow the papers term by term, for one neuron, slowly.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp
from scipy.stats import kurtosis, skew


def ratio(x: float, y: float) -> float:
    """x / (exp(x/y) - 1) with its limit y at x = 0."""
    return y - x / 2 if abs(x / y) < 1e-7 else x / math.expm1(x / y)


def hodgkin_huxley(V: float) -> dict[str, tuple[float, float]]:
    """(alpha, beta) of each gate of the squid axon (Hodgkin & Huxley 1952) with rest near -65 mV."""
    return {
        "m": (0.1 * ratio(-(V + 40), 10), 4 * math.exp(-(V + 65) / 18)),
        "h": (0.07 * math.exp(-(V + 65) / 20), 1 / (1 + math.exp(-(V + 35) / 10))),
        "n": (0.01 * ratio(-(V + 55), 10), 0.125 * math.exp(-(V + 65) / 80)),
    }


def hodgkin_huxley_slopes(state: np.ndarray, current: float, g_Na: float = 120.0, g_K: float = 36.0) -> list[float]:
    V, m, h, n = state
    ionic = g_Na * m**3 * h * (V - 50) + g_K * n**4 * (V + 77) + 0.3 * (V + 54.387)
    gates = zip((m, h, n), hodgkin_huxley(V).values(), strict=True)
    return [current - ionic, *(alpha * (1 - x) - beta * x for x, (alpha, beta) in gates)]


def pospischil(V: float, V_T: float = -60.0, tau_max: float = 600.0) -> dict[str, tuple[float, float]]:
    """(alpha, beta) of each gate of Pospischil et al. (2008), from x_inf and tau where the paper gives those."""
    u = V - V_T
    p_inf = 1 / (1 + math.exp(-(V + 35) / 10))
    tau_p = tau_max / (3.3 * math.exp((V + 35) / 20) + math.exp(-(V + 35) / 20))
    return {
        "m": (0.32 * ratio(-(u - 13), 4), 0.28 * ratio(u - 40, 5)),
        "h": (0.128 * math.exp(-(u - 17) / 18), 4 / (1 + math.exp(-(u - 40) / 5))),
        "n": (0.032 * ratio(-(u - 15), 5), 0.5 * math.exp(-(u - 10) / 40)),
        "p": (p_inf / tau_p, (1 - p_inf) / tau_p),
    }


def pospischil_slopes(state: np.ndarray, current: float, g_Na: float = 50.0, g_K: float = 5.0) -> list[float]:
    V, m, h, n, p = state
    ionic = g_Na * m**3 * h * (V - 53) + (g_K * n**4 + 0.07 * p) * (V + 107) + 0.1 * (V + 70)
    gates = zip((m, h, n, p), pospischil(V).values(), strict=True)
    return [current - ionic, *(alpha * (1 - x) - beta * x for x, (alpha, beta) in gates)]


def steady_state(rates: Callable[[float], dict[str, tuple[float, float]]], V: float) -> list[float]:
    return [V, *(alpha / (alpha + beta) for alpha, beta in rates(V).values())]


def lsoda_spikes(
    slopes: Callable[..., list[float]], state: list[float], phases: list[tuple[float, float]], threshold: float = -20.0
) -> np.ndarray:
    """Times [ms] at which V rises through `threshold` [mV], at relative and absolute tolerance 1e-10.

    phases: (duration [ms], current [µA/cm²]) one after the other; the solver restarts at each jump of the current.
    """

    def rising(t: float, y: np.ndarray, *_: float) -> float:
        return y[0] - threshold

    rising.direction = 1  # type: ignore[attr-defined]
    spikes, begin = [], 0.0
    for duration, current in phases:
        span = (begin, begin + duration)
        solution = solve_ivp(
            lambda t, y, current: slopes(y, current),
            span,
            state,
            method="LSODA",
            rtol=1e-10,
            atol=1e-10,
            args=(current,),
            events=rising,
        )
        spikes += list(solution.t_events[0])
        state, begin = list(solution.y[:, -1]), span[1]
    return np.array(spikes)


def seven_statistics(t: np.ndarray, V: np.ndarray, start: float, stop: float, dt: float) -> np.ndarray:
    """The seven statistics of sbi's tutorial by masking, as its rule is told in words."""
    clipped = np.maximum(V, -10.0)
    clipped[:-1][np.diff(clipped) < 0] = -10.0
    peaks = t[:-1][np.diff(clipped) < 0]
    peaks = peaks[(peaks > start) & (peaks < stop)]
    count = np.sum(np.diff(peaks, prepend=-np.inf) > 0.5)
    before, during = V[t < start], V[(t > start) & (t < stop)]
    late = V[int(0.9 * start / dt) : int(start / dt)]
    return np.array(
        [count, before.mean(), late.std(), during.mean(), during.var(), skew(during), kurtosis(during, fisher=False)]
    )
