"""The likelihood of a recording of the integrate-and-fire neuron, nearly exact: a reference without a network.

Between spikes the membrane is linear and its noise normal, so that a Kalman filter gives the probability of each sample
of V given those before it. That V stayed below the threshold, or reached it, multiplies the probability by the mass on
that side; what remains is put back into the normal form with the same mean and variance (assumed-density filtering;
Maybeck 1982, Stochastic Models, Estimation and Control 2, ch. 12). This last step is the only approximation.
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
    """Log of the probability that a standard normal number is below z, and density over probability there."""
    if z > -6.0:
        p = 0.5 * math.erfc(-z * 0.7071067811865476)
        return math.log(p), math.exp(-0.5 * z * z) * 0.3989422804014327 / p
    ratio = -z + 1.0 / (-z + 2.0 / (-z + 3.0 / (-z + 4.0 / -z)))  # continued fraction of Laplace
    return -0.5 * z * z - 0.9189385332046727 - math.log(ratio), ratio


@njit(cache=True, nogil=True, error_model="numpy")
def _filter(theta, jobs, V, spikes, current, noise, dt, rests, observed, original):
    """The log-likelihood of jobs[0] to jobs[1] of all draws of all recordings, one recording after the other."""
    draws = theta.shape[1]
    out = np.empty(jobs[1] - jobs[0])
    for job in range(jobs[0], jobs[1]):
        i, d = job // draws, job % draws
        V_th, tau, g, V_reset, V_init, E = theta[i, d]
        pull = dt / tau if original else -math.expm1(-dt / tau)
        target, q = E + current / g, (pull * noise / g) ** 2
        m, p, left, total, logs = V_init, 0.0, 0, 0.0, 0.0
        for k in range(V.shape[1]):
            if k > 0:
                m, p = m + pull * (target - m), (1.0 - pull) ** 2 * p + q
            y = V[i, k]
            if spikes[i, k] > 0.0:
                total += _log_tail((m - V_th) / math.sqrt(p))[0]
                m, p, left = V_reset, 0.0, rests
                if original:
                    total -= 0.5 * (y - m) ** 2 / observed
                continue
            if left > 0:
                m, p, left = V_reset, 0.0, left - 1
                total -= 0.5 * (y - m) ** 2 / observed
                continue
            s = p + observed
            off = y - m
            total -= 0.5 * off * off / s
            logs += math.log(s / observed)
            m, p = m + p / s * off, p * observed / s
            if p > 0.0:
                z = (V_th - m) / math.sqrt(p)
                if z < 6.0:
                    tail, ratio = _log_tail(z)
                    total += tail
                    m, p = m - math.sqrt(p) * ratio, p * max(1.0 - ratio * (ratio + z), 1e-12)
        out[job - jobs[0]] = total - 0.5 * logs
    return out
