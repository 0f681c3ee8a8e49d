"""Jaxley: its channels of Pospischil et al. and of Hodgkin & Huxley, compiled by JAX, over all neurons by vmap."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, END, ONSET, SINGLE_STEPS, SQUID, TRAINING_STEPS

RADIUS = 5.0  # µm; length twice that: the area cancels, as the current is given per area
AREA = 4 * np.pi * RADIUS**2 * 1e-8  # cm²


def training(n: int, precision: str) -> Training:
    jax, jx = packages(precision)
    from jaxley.channels.pospischil import K, Km, Leak, Na

    c = CORTICAL
    cell = compartment(jx, c, Na(), K(), Km(), Leak())
    for name, value in {
        "Leak_gLeak": 1e-3 * c.g_L,
        "Km_gKm": 1e-3 * c.g_M,
        "Km_taumax": c.tau_max,
        "vt": c.V_T,
        "eNa": c.E_Na,
        "eK": c.E_K,
        "Leak_eLeak": c.E_L,
    }.items():
        cell.set(name, value)
    cell.init_states(delta_t=DT)
    cell.set("Km_p", 1 / (1 + np.exp(-0.1 * (c.V_init + 35))))  # Jaxley takes tau_p for a rate where it starts p
    current = np.zeros(TRAINING_STEPS)
    current[ONSET:END] = c.amplitude
    cell.stimulate(current * AREA * 1e3)  # nA
    cell.record("v")

    def one(g_Na: Any, g_K: Any) -> Any:
        drawn = cell.data_set("K_gK", 1e-3 * g_K, cell.data_set("Na_gNa", 1e-3 * g_Na, None))
        return jx.integrate(cell, param_state=drawn, delta_t=DT)[0]

    compiled = jax.jit(jax.vmap(one))
    kind = np.dtype(precision.replace("f", "float"))
    return lambda g_Na, g_K, noise: np.asarray(compiled(g_Na.astype(kind), g_K.astype(kind)))


def single(precision: str) -> Single:
    jax, jx = packages(precision)
    from jaxley.channels import HH

    cell = compartment(jx, SQUID, HH())
    cell.set("HH_eLeak", SQUID.E_L)
    cell.init_states(delta_t=DT)
    cell.record("v")
    current = np.full(SINGLE_STEPS, SQUID.amplitude * AREA * 1e3)

    def one(current: Any) -> Any:
        return jx.integrate(cell, data_stimuli=cell.data_stimulate(current, None), delta_t=DT)[0]

    compiled = jax.jit(one)
    return lambda: np.asarray(compiled(current))


def packages(precision: str) -> tuple[Any, Any]:
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", precision == "f64")
    import jaxley

    return jax, jaxley


def compartment(jx: Any, constants: Any, *channels: Any) -> Any:
    cell = jx.Compartment()
    for channel in channels:
        cell.insert(channel)
    for name, value in {
        "radius": RADIUS,
        "length": 2 * RADIUS,
        "capacitance": constants.C,
        "v": constants.V_init,
    }.items():
        cell.set(name, value)
    return cell


def peer(precision: str) -> Peer:
    return Peer(
        f"Jaxley {precision}",
        "jaxley",
        partial(training, precision=precision),
        partial(single, precision),
        precision=precision,
        cores=ALL_CORES,
        note="vmap, implicit Euler, no noise, traces",
    )


PEERS = (peer("f64"), peer("f32"))
