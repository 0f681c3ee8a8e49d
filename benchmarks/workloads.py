"""The two workloads: their constants, what is drawn, and the answer that a peer must give before it is timed.

Training set: the cortical neuron of Pospischil et al. (2008) with the constants of sbi's tutorial and current noise,
exponential Euler, 12,000 steps, random (g_Na, g_K), reduced to the tutorial's seven summary statistics.
Single cell: the squid axon of Hodgkin & Huxley (1952) under a constant current, 100,000 steps, V kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

DT = 0.01  # ms, in both


class Pospischil(NamedTuple):
    """Constants of sbi's tutorial [mV, ms, mS/cm², µA/cm², µF/cm²]; g_Na and g_K are drawn."""

    g_L: float = 0.1
    g_M: float = 0.07
    tau_max: float = 600.0
    V_T: float = -60.0
    noise: float = 0.1  # µA/cm²·√ms
    E_Na: float = 53.0
    E_K: float = -107.0
    E_L: float = -70.0
    C: float = 1.0
    V_init: float = -70.0
    amplitude: float = 3.24806  # µA/cm², flows from `start` to `stop`
    start: float = 10.0
    stop: float = 110.0
    duration: float = 120.0


class HodgkinHuxley(NamedTuple):
    """Constants of the squid axon [mV, ms, mS/cm², µA/cm², µF/cm²]."""

    g_Na: float = 120.0
    g_K: float = 36.0
    g_L: float = 0.3
    E_Na: float = 50.0
    E_K: float = -77.0
    E_L: float = -54.387
    C: float = 1.0
    V_init: float = -65.0
    amplitude: float = 10.0  # µA/cm², from the start to the end
    duration: float = 1000.0


CORTICAL, SQUID = Pospischil(), HodgkinHuxley()
TRAINING_STEPS, SINGLE_STEPS = round(CORTICAL.duration / DT), round(SQUID.duration / DT)
ONSET, END = round(CORTICAL.start / DT), round(CORTICAL.stop / DT)  # the stimulus, in samples
LATE_REST = round(0.9 * CORTICAL.start / DT)  # the noise at rest is measured from here to the onset


def draw_conductances(n: int) -> tuple[np.ndarray, np.ndarray]:
    """g_Na and g_K (n,) [mS/cm²] from the tutorial's prior, the same ones each time."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 80.0, n), rng.uniform(1e-4, 15.0, n)


def seven_statistics(V: np.ndarray) -> np.ndarray:
    """The tutorial's statistics of one trace (TRAINING_STEPS + 1,) as users of NumPy would compute them.

    Number of spikes, mean before the stimulus, SD late before it; mean, variance, skewness, kurtosis during it.
    """
    before, late, during = V[:ONSET], V[LATE_REST:ONSET], V[ONSET + 1 : END]
    peaks = np.flatnonzero((V[:-2] > -10) & (V[1:-1] >= V[:-2]) & (V[2:] < V[1:-1]))
    peaks = peaks[(peaks > ONSET) & (peaks < END)]
    spikes = np.sum(np.diff(peaks, prepend=-TRAINING_STEPS) * DT > 0.5 + 1e-9)
    deviation = during - during.mean()
    variance = np.mean(deviation**2)
    skewness, kurtosis = (np.mean(deviation**k) / variance ** (k / 2) for k in (3, 4))
    return np.array([spikes, before.mean(), late.std(), during.mean(), variance, skewness, kurtosis])


def as_statistics(answer: np.ndarray) -> np.ndarray:
    """The statistics (n, 7) of an answer that is either that or the traces (n, TRAINING_STEPS + 1)."""
    return answer if answer.shape[1] == 7 else np.array([seven_statistics(V) for V in answer])


class WrongAnswer(Exception):
    """A peer computed something else: it is not timed."""


def check_training(answer: np.ndarray) -> str:
    """What a peer answers at (g_Na, g_K) = (50, 5) without noise, in words; WrongAnswer unless that is right.

    Five spikes and a mean of -56.45 mV, found with RK4 at small steps; methods of first order come within 0.3 mV.
    """
    statistics = as_statistics(np.asarray(answer, dtype=float))
    worst = statistics[np.argmax(np.abs(statistics[:, 3] + 56.45))]
    said = f"{worst[0]:.0f} spikes, {worst[3]:.2f} mV"
    if not (np.all(statistics[:, 0] == 5) and np.all(np.abs(statistics[:, 3] + 56.45) < 0.3)):
        raise WrongAnswer(f"{said}; right: 5 spikes, -56.45 mV")
    return said


def check_prior(answer: np.ndarray) -> None:
    """WrongAnswer unless the timed answer looks like neurons drawn from the prior: most of them fire five times.

    So a peer that ignores its conductances, or whose traces run out of bounds, is not timed either.
    """
    statistics = as_statistics(np.asarray(answer, dtype=float))
    if not np.isfinite(statistics).all():
        raise WrongAnswer("not a finite number for some conductances")
    if len(statistics) >= 100:
        five = np.mean(statistics[:, 0] == 5)
        if not 0.7 < five < 0.86:
            raise WrongAnswer(f"{five:.0%} of the prior fire five times; right: 78%")


def check_single(V: np.ndarray) -> str:
    """The number of spikes of a trace of the single cell, in words; WrongAnswer unless it is 69, give or take one."""
    V = np.ravel(V)
    if not SINGLE_STEPS <= len(V) <= SINGLE_STEPS + 2:
        raise WrongAnswer(f"{len(V)} samples; right: {SINGLE_STEPS + 1}")
    spikes = int(np.sum((V[:-1] < 0) & (V[1:] >= 0)))
    if abs(spikes - 69) > 1:
        raise WrongAnswer(f"{spikes} spikes; right: 69")
    return f"{spikes} spikes"
