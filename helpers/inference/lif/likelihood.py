"""The likelihood of a recording of the integrate-and-fire neuron: a reference without a network.

Between spikes the membrane is linear and its noise normal, so that a Kalman filter gives the probability of each sample
of V given those before it. That V stayed below the threshold, or reached it, multiplies the probability by the mass on
that side. Within 6 SDs of the threshold the distribution of V is not normal, and is kept as masses on a grid (a
point-mass filter: Bucy & Senne 1971, Automatica 7:287) until it is 8 SDs away. Cutting it off and taking a normal one
with the same mean and variance instead is faster, and shifts posteriors: too much mass stays close to the threshold.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numba import njit
from scipy.special import softmax

from helpers.simulation.engine import LANES, map_blocks
from helpers.validation import plain

from ..diagnostics.recovery import Recovery
from ..diagnostics.trials import Trials
from ..posterior import Posterior
from ..priors import Prior
from .problem import LifExperiment

__all__ = ["exact_recovery", "log_likelihood"]

NEAR, FAR = 6.0, 8.0  # SDs from the threshold: where the grid begins, and where it ends
SPACING = 0.7  # of the grid, in SDs of the noise of a step or of the recording, whichever is less
WIDTH = 7.0  # SDs of V that the grid holds on either side
REACH = 5.0  # SDs of the noise of a step
EDGE = (26 / 24, 21 / 24, 25 / 24)  # weights of the points next to the threshold, where V is cut off (midpoint rule)
LEAST = 1e-8  # a mass that goes nowhere

PARAMETERS = ("V_th", "tau_m", "g_L", "V_reset", "V_init", "E_L")


def log_likelihood(experiment: LifExperiment, prior: Prior, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log-likelihood of parameters given recordings, up to a constant.

    Parameters
    ----------
    experiment
        How the recordings were made.
    prior
        Names the columns of `theta`: the six parameters of the problem.
    theta
        Parameters, (n, n_draws, 6).
    x
        Recordings (n, n_samples, 2 n_currents), as `experiment.simulate` returns them.

    Returns
    -------
    ndarray
        (n, n_draws).
    """
    if sorted(prior.names) != sorted(PARAMETERS):
        raise ValueError(f"a prior over {', '.join(prior.names)}; allowed: over {', '.join(PARAMETERS)}")
    sweeps, theta = list(experiment.sweeps(x)), plain("theta", theta, "parameters")
    if theta.ndim != 3 or len(theta) != len(x) or theta.shape[2] != len(prior.names) or not np.isfinite(theta).all():
        raise ValueError(f"theta has shape {theta.shape}, x {np.shape(x)}; allowed: finite, (n, n_draws, n_parameters)")
    ordered = np.ascontiguousarray(theta[..., [prior.names.index(name) for name in PARAMETERS]])
    of_experiment = experiment.noise_per_step, experiment.dt, experiment.refractory_samples
    observed, original = experiment.observation_noise**2, experiment.version == "original"
    driven = list(zip(sweeps, experiment.currents, strict=True))

    def of_block(first: int) -> np.ndarray:
        jobs = first, min(first + LANES, ordered.shape[0] * ordered.shape[1])
        return np.sum([_filter(ordered, jobs, *sweep, I, *of_experiment, observed, original) for sweep, I in driven], 0)

    return map_blocks(of_block, ordered.shape[0] * ordered.shape[1], None, False).reshape(ordered.shape[:2])


def exact_recovery(
    experiment: LifExperiment, posterior: Posterior, trials: Trials, x: np.ndarray
) -> tuple[Recovery, np.ndarray]:
    """What the exact posterior would recover: no posterior's mean is nearer to the truth on average.

    The posterior's draws get the weight prior times likelihood over density (importance sampling).

    Parameters
    ----------
    experiment
        How the recordings were made.
    posterior
        A posterior near the exact one.
    trials
        Its draws.
    x
        The recordings that the trials were made from, (n_trials, n_samples, 2 n_currents).

    Returns
    -------
    Recovery
        Means and SDs of the exact posterior.
    ndarray
        Effective sample size of each trial, (n_trials,).
    """
    theta, prior = trials.samples, trials.prior
    logs = log_likelihood(experiment, prior, theta, x) + prior.log_prob(torch.as_tensor(theta)).numpy()
    logs -= np.stack([posterior.log_prob(draws, x_o) for draws, x_o in zip(theta, trials.x, strict=True)])
    weights = softmax(np.where(np.isfinite(logs), logs, -np.inf), axis=1)  # not finite at the very edge, by rounding
    mean = np.einsum("ij,ijk->ik", weights, theta)
    sd = np.sqrt(np.einsum("ij,ijk->ik", weights, (theta - mean[:, None]) ** 2))
    return Recovery(prior, trials.theta, mean, sd), 1.0 / (weights**2).sum(axis=1)


@njit(cache=True)
def _log_tail(z):
    """Log of the probability that a standard normal number is below z."""
    if z > -6.0:
        return math.log(0.5 * math.erfc(-z * 0.7071067811865476))
    ratio = -z + 1.0 / (-z + 2.0 / (-z + 3.0 / (-z + 4.0 / -z)))  # continued fraction of Laplace
    return -0.5 * z * z - 0.9189385332046727 - math.log(ratio)


@njit(cache=True, nogil=True, error_model="numpy")
def _filter(theta, jobs, V, spikes, current, noise, dt, rests, observed, original):
    """The log-likelihood of jobs[0] to jobs[1] of all draws of all recordings, one recording after the other."""
    draws = theta.shape[1]
    out = np.empty(jobs[1] - jobs[0])
    for job in range(jobs[0], jobs[1]):
        i, d = job // draws, job % draws
        V_th, tau, g, V_reset, V_init, E = theta[i, d]
        pull = dt / tau if original else -math.expm1(-dt / tau)
        target, sd = E + current / g, pull * noise / g
        h = SPACING * min(sd, math.sqrt(observed))
        size = int(2 * WIDTH * math.sqrt(observed) / h) + 2 if h > 0.0 else 0
        masses, moved = np.zeros(size), np.zeros(size)  # of V between V_th - (first + j) h and h less
        first, end, on_grid = 0, 0, False
        m, p, left, total, logs = V_init, 0.0, 0, 0.0, 0.0
        for k in range(V.shape[1]):
            if k > 0:
                m, p = m + pull * (target - m), (1.0 - pull) ** 2 * p + sd * sd
            y = V[i, k]
            if spikes[i, k] > 0.0:
                reached = 0.0
                if on_grid:
                    for j in range(end - first):
                        start = V_th - (first + j + 0.5) * h
                        away = V_th - start - pull * (target - start)
                        reached += masses[j] * 0.5 * math.erfc(away / sd * 0.7071067811865476)
                total += math.log(reached) if reached > 0.0 else _log_tail((m - V_th) / math.sqrt(p))
                m, p, left, on_grid = V_reset, 0.0, rests, False
                if original:
                    total -= 0.5 * (y - m) ** 2 / observed
                continue
            if left > 0:
                m, p, left = V_reset, 0.0, left - 1
                total -= 0.5 * (y - m) ** 2 / observed
                continue
            s = p + observed
            off = y - m
            if not on_grid:
                total -= 0.5 * off * off / s
                logs += math.log(s / observed)
            m, p = m + p / s * off, p * observed / s
            if not (p > 0.0 and (on_grid or m > V_th - NEAR * math.sqrt(p))):
                continue
            width = WIDTH * math.sqrt(p) / h
            below = (V_th - m) / h
            low = max(0, int(below - width))
            high = min(low + size, int(max(below, 0.0) + width) + 1)
            if on_grid:
                moved[: high - low] = 0.0
                _step(masses, first, end, moved, low, high, V_th, h, pull, target, sd)
                masses, moved = moved, masses
                nearest = y - V_th + (min(max(low, int((V_th - y) / h)), high - 1) + 0.5) * h
                total -= 0.5 * nearest * nearest / observed  # so that nothing underflows
                for j in range(high - low):
                    off = y - V_th + (low + j + 0.5) * h
                    masses[j] *= math.exp(0.5 * (nearest * nearest - off * off) / observed)
            else:
                z = (V_th - m) / math.sqrt(p)
                total += _log_tail(z)
                nearest = min(z, 0.0)
                for j in range(high - low):
                    off = ((low + j + 0.5) * h - V_th + m) / math.sqrt(p)
                    masses[j] = math.exp(0.5 * (nearest * nearest - off * off))
            first, end = low, high
            for j in range(first, min(end, 3)):
                masses[j - first] *= EDGE[j]
            seen, mean = 0.0, 0.0
            for j in range(end - first):
                seen += masses[j]
                mean += masses[j] * j
            if not seen > 0.0:
                total = -math.inf
                break
            if on_grid:
                total += math.log(seen)
            on_grid, mean, square = True, mean / seen, 0.0
            for j in range(end - first):
                masses[j] /= seen
                square += masses[j] * (j - mean) ** 2
            m, p = V_th - (first + mean + 0.5) * h, square * h * h
            on_grid = m > V_th - FAR * math.sqrt(p)
        out[job - jobs[0]] = total - 0.5 * logs
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _step(masses, first, end, moved, low, high, V_th, h, pull, target, sd):
    """Add to `moved` (grid points low to high) where the masses of points first to end are after a step."""
    step = h / sd
    bend = math.exp(-step * step)
    for j in range(end - first):
        if masses[j] < LEAST:
            continue
        start = V_th - (first + j + 0.5) * h
        centre = (V_th - start - pull * (target - start)) / h - 0.5  # in points
        a = max(low, int(math.ceil(centre - REACH / step)))
        off = (a - centre) * step
        value = masses[j] * step * 0.3989422804014327 * math.exp(-0.5 * off * off)
        ratio = math.exp(-step * (off + 0.5 * step))
        for i in range(a - low, min(high, int(centre + REACH / step) + 1) - low):  # a normal density, by its ratios
            moved[i] += value
            value *= ratio
            ratio *= bend
