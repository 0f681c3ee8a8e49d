"""All neurons at once, one array operation after the other: NumPy, PyTorch and JAX run the same text.

The statistics are summed up on the way, so that no trace is kept: faster here than to keep and to reduce them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Training
from benchmarks.workloads import CORTICAL, DT, END, LATE_REST, ONSET, TRAINING_STEPS

Array = Any  # of any of the three


class Neurons(NamedTuple):
    """State and running sums, each (n,)."""

    V: Array
    gates: tuple[Array, ...]
    before: tuple[Array, Array]  # V one and two samples ago
    last_peak: Array  # its sample
    spikes: Array
    rest: Array  # sum of V before the stimulus
    late: tuple[Array, Array]  # sums of powers 1, 2 of V - V_init late before it
    during: tuple[Array, ...]  # sums of powers 1 to 4 of V - CENTRE during it


class Backend(NamedTuple):
    """What the three differ in: the functions' home, a loop, and normal numbers for one step."""

    xp: Any
    loop: Callable[[Callable[[Neurons, Any], Neurons], Neurons, int, int], Neurons]
    normal: Callable[[Any], Array]


CENTRE = -60.0  # mV, near the mean, so that single precision serves the sums as well


def simulate(backend: Backend, g_Na: Array, g_K: Array, noise: float) -> Array:
    """The seven statistics (7, n), with the precision of g_Na."""
    xp = backend.xp
    zero = 0.0 * g_Na
    V = zero + CORTICAL.V_init
    gates = tuple(alpha / (alpha + beta) for alpha, beta in rates(xp, V))
    neurons = Neurons(V, gates, (V, V), zero - 1000, zero, zero + V, (zero, zero), (zero,) * 4)
    for first, end, current, observe in (
        (1, LATE_REST, 0.0, rest),
        (LATE_REST, ONSET, 0.0, late_rest),
        (ONSET, ONSET + 1, 0.0, None),  # the tutorial leaves this sample out
        (ONSET + 1, END, CORTICAL.amplitude, during),
        (END, TRAINING_STEPS + 1, 0.0, None),
    ):

        def one_step(now: Neurons, i: Any, current: float = current, observe: Any = observe) -> Neurons:
            drive = current + noise / DT**0.5 * backend.normal(i)
            then = advance(xp, now, g_Na, g_K, drive)
            return then if observe is None else observe(xp, then, i)

        neurons = backend.loop(one_step, neurons, first, end)
    return statistics(xp, neurons)


def advance(xp: Any, now: Neurons, g_Na: Array, g_K: Array, drive: Array) -> Neurons:
    c = CORTICAL
    m, h, n, p = now.gates
    sodium, potassium, slow = g_Na * (m * m * m) * h, g_K * (n * n) * (n * n), c.g_M * p
    g = sodium + potassium + slow + c.g_L
    V_inf = (c.E_Na * sodium + c.E_K * (potassium + slow) + (c.g_L * c.E_L + drive)) / g
    V = V_inf + (now.V - V_inf) * xp.exp(-DT / c.C * g)
    gates = []
    for x, (alpha, beta) in zip(now.gates, rates(xp, V), strict=True):
        rate = alpha + beta
        limit = alpha / rate
        gates.append(limit + (x - limit) * xp.exp(-DT * rate))
    return now._replace(V=V, gates=tuple(gates), before=(now.V, now.before[0]))


def rates(xp: Any, V: Array) -> tuple[tuple[Array, Array], ...]:
    """(alpha, beta) of m, h, n, p."""

    def ratio(z: Array) -> Array:
        return xp.where(abs(z) < 1e-4, 1 - z / 2, z / (xp.exp(z) - 1))

    u = V - CORTICAL.V_T
    p_inf = 1 / (1 + xp.exp(-0.1 * (V + 35)))
    p_rate = (3.3 * xp.exp(0.05 * (V + 35)) + xp.exp(-0.05 * (V + 35))) / CORTICAL.tau_max
    return (
        (1.28 * ratio(-0.25 * (u - 13)), 1.4 * ratio(0.2 * (u - 40))),
        (0.128 * xp.exp((17 - u) / 18), 4 / (1 + xp.exp(-0.2 * (u - 40)))),
        (0.16 * ratio(-0.2 * (u - 15)), 0.5 * xp.exp((10 - u) / 40)),
        (p_inf * p_rate, (1 - p_inf) * p_rate),
    )


def rest(xp: Any, now: Neurons, i: Any) -> Neurons:
    return now._replace(rest=now.rest + now.V)


def late_rest(xp: Any, now: Neurons, i: Any) -> Neurons:
    d = now.V - CORTICAL.V_init
    return rest(xp, now, i)._replace(late=(now.late[0] + d, now.late[1] + d * d))


def during(xp: Any, now: Neurons, i: Any) -> Neurons:
    d = now.V - CENTRE
    d2 = d * d
    first, second, third, fourth = now.during
    middle, left = now.before
    peak = (left > -10) & (middle >= left) & (now.V < middle)
    spike = peak & (i - now.last_peak > round(0.5 / DT))
    return now._replace(
        during=(first + d, second + d2, third + d2 * d, fourth + d2 * d2),
        spikes=now.spikes + spike,
        last_peak=xp.where(peak, i, now.last_peak),
    )


def statistics(xp: Any, now: Neurons) -> Array:
    late = [s / (ONSET - LATE_REST) for s in now.late]
    a, b, c, d = (s / (END - ONSET - 1) for s in now.during)  # moments about CENTRE, turned into central ones:
    variance = b - a * a
    third = c - 3 * a * b + 2 * a * a * a
    fourth = d - 4 * a * c + 6 * a * a * b - 3 * a * a * a * a
    late_sd = abs(late[1] - late[0] * late[0]) ** 0.5
    skewness, kurtosis = third / variance**1.5, fourth / variance**2
    return xp.stack([now.spikes, now.rest / ONSET, late_sd, a + CENTRE, variance, skewness, kurtosis])


def python_loop(one_step: Callable[[Neurons, Any], Neurons], neurons: Neurons, first: int, end: int) -> Neurons:
    for i in range(first, end):
        neurons = one_step(neurons, i)
    return neurons


def numpy_training(n: int) -> Training:
    rng = np.random.default_rng(0)
    backend = Backend(np, python_loop, lambda i: rng.standard_normal(n))

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 in the branch that `where` drops
            return simulate(backend, g_Na, g_K, noise).T

    return run


def torch_training(n: int, precision: str) -> Training:
    import torch

    torch.set_flush_denormal(True)  # gates near 0 get denormal, which makes a step fifty times slower
    torch.set_num_threads(ALL_CORES)
    dtype = {"f32": torch.float32, "f64": torch.float64}[precision]
    generator = torch.Generator().manual_seed(0)
    backend = Backend(torch, python_loop, lambda i: torch.randn(n, dtype=dtype, generator=generator))

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        with torch.inference_mode():
            drawn = (torch.as_tensor(g, dtype=dtype) for g in (g_Na, g_K))
            return simulate(backend, *drawn, noise).T.numpy()

    return run


def jax_training(n: int, precision: str) -> Training:
    import jax
    from jax import lax
    from jax import numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", precision == "f64")
    dtype = {"f32": jnp.float32, "f64": jnp.float64}[precision]

    @jax.jit
    def compiled(g_Na: Array, g_K: Array, noise: Array, seed: Array) -> Array:
        key = jax.random.key(seed, impl="unsafe_rbg")  # far cheaper on a processor than the default, threefry

        def scan(one_step: Any, neurons: Neurons, first: int, end: int) -> Neurons:
            return lax.scan(lambda now, i: (one_step(now, i), None), neurons, jnp.arange(first, end))[0]

        backend = Backend(jnp, scan, lambda i: jax.random.normal(jax.random.fold_in(key, i), (n,), dtype))
        return simulate(backend, g_Na, g_K, noise)

    def run(g_Na: np.ndarray, g_K: np.ndarray, noise: float) -> np.ndarray:
        return np.asarray(compiled(g_Na.astype(dtype), g_K.astype(dtype), dtype(noise), 0)).T

    return run


FLUSHED = "denormals flushed to 0: else far slower"
PEERS = (
    Peer("NumPy, 1,000 at once", "numpy", numpy_training, n=1000),
    Peer("NumPy, 10,000 at once", "numpy", numpy_training, n=10_000),
    *(
        Peer(
            f"PyTorch {precision}",
            "torch",
            partial(torch_training, precision=precision),
            n=10_000,
            precision=precision,
            cores=ALL_CORES,
            note=FLUSHED,
        )
        for precision in ("f64", "f32")
    ),
    *(
        Peer(
            f"JAX {precision}",
            "jax",
            partial(jax_training, precision=precision),
            n=2000,
            precision=precision,
            cores=ALL_CORES,
            note="lax.scan",
        )
        for precision in ("f64", "f32")
    ),
)
