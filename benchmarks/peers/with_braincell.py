"""braincell: its own channels, and its exponential Euler of one state at a time, compiled by JAX."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.peer import ALL_CORES, Peer, Single, Training
from benchmarks.workloads import CORTICAL, DT, END, ONSET, SINGLE_STEPS, SQUID, TRAINING_STEPS


def training(n: int, precision: str) -> Training:
    brainstate, braincell, u = packages(precision)
    c, density = CORTICAL, u.mS / u.cm**2
    current = np.zeros(TRAINING_STEPS)
    current[ONSET:END] = c.amplitude

    @brainstate.transform.jit
    def compiled(g_Na: Any, g_K: Any) -> Any:
        cells = compartments(braincell, u, n, c)
        cells.na.add(Na=braincell.channel.Na_TM1991(n, g_max=g_Na * density, V_sh=c.V_T * u.mV))
        cells.k.add(K=braincell.channel.K_TM1991(n, g_max=g_K * density, V_sh=c.V_T * u.mV))
        cells.k.add(M=braincell.channel.KNI_Ya1989(n, g_max=c.g_M * density, tau_max=c.tau_max * u.ms))
        cells.leak = braincell.channel.IL(n, E=c.E_L * u.mV, g_max=c.g_L * density)
        return trace(brainstate, u, cells, current)

    return lambda g_Na, g_K, noise: np.asarray(compiled(g_Na, g_K)).T


def single(precision: str) -> Single:
    brainstate, braincell, u = packages(precision)
    c, density = SQUID, u.mS / u.cm**2
    current = np.full(SINGLE_STEPS, c.amplitude)

    @brainstate.transform.jit
    def compiled(current: Any) -> Any:
        cell = compartments(braincell, u, 1, c)
        cell.na.add(Na=braincell.channel.Na_HH1952(1, g_max=c.g_Na * density))
        cell.k.add(K=braincell.channel.K_HH1952(1, g_max=c.g_K * density))
        cell.leak = braincell.channel.IL(1, E=c.E_L * u.mV, g_max=c.g_L * density)
        return trace(brainstate, u, cell, current)

    return lambda: np.asarray(compiled(current))[:, 0]


def packages(precision: str) -> tuple[Any, Any, Any]:
    import jax

    jax.config.update("jax_platforms", "cpu")
    import brainstate

    brainstate.environ.set(precision=int(precision[1:]))
    import braincell
    import brainunit

    return brainstate, braincell, brainunit


def compartments(braincell: Any, u: Any, n: int, constants: Any) -> Any:
    import braintools

    start = braintools.init.Constant(constants.V_init * u.mV)
    C = constants.C * u.uF / u.cm**2
    cells = braincell.SingleCompartment(n, C=C, V_initializer=start, solver="ind_exp_euler")
    cells.na = braincell.ion.SodiumFixed(n, E=constants.E_Na * u.mV)
    cells.k = braincell.ion.PotassiumFixed(n, E=constants.E_K * u.mV)
    return cells


def trace(brainstate: Any, u: Any, cells: Any, current: np.ndarray) -> Any:
    """V after each step (steps, n)."""

    def step(i: Any, density: Any) -> Any:
        with brainstate.environ.context(t=i * DT * u.ms):
            cells.update(density * u.uA / u.cm**2)
        return cells.V.value.to_decimal(u.mV)

    cells.init_state()
    cells.reset_state()  # puts the gates at their steady state
    with brainstate.environ.context(dt=DT * u.ms):
        return brainstate.transform.for_loop(step, np.arange(len(current)), current)


def peer(precision: str) -> Peer:
    return Peer(
        f"braincell {precision}",
        "braincell",
        partial(training, precision=precision),
        partial(single, precision),
        precision=precision,
        cores=ALL_CORES,
        note="exponential Euler, no noise, traces",
    )


PEERS = (peer("f64"), peer("f32"))
