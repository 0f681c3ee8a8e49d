"""The likelihood of a recording of the integrate-and-fire neuron, nearly exact: a reference that no network made.

Between spikes the membrane is linear and its noise normal, so that a Kalman filter gives the probability of each sample
of V given those before it. That V stayed below the threshold, or reached it, multiplies the probability by the mass on
that side; what remains is put back into the normal form with the same mean and variance (assumed-density filtering;
Maybeck 1982, Stochastic Models, Estimation and Control 2, ch. 12). This last step is the only approximation.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numba import njit, prange

from helpers.validation import plain

from ..diagnostics.recovery import Recovery
from ..diagnostics.trials import Trials
from ..posterior import Posterior
from ..priors import Prior
from .problem import LifExperiment
from .statistics import checked_recordings

__all__ = ["exact_recovery", "log_likelihood"]

PARAMETERS = ("V_th", "tau_m", "g_L", "V_reset", "V_init", "E_L")


def log_likelihood(experiment: LifExperiment, prior: Prior, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log-likelihood (n, n_draws) of parameters `theta` (n, n_draws, n_parameters) given recordings `x` (n, ...).

    x: as `experiment.simulate` returns them. Without the threshold's probability after a spike at 20 mV, which holds no
    information. Raises ValueError where the prior is not over the six parameters of the problem.
    """
    if sorted(prior.names) != sorted(PARAMETERS):
        raise ValueError(f"a prior over {', '.join(prior.names)}; allowed: over {', '.join(PARAMETERS)}")
    x, theta = checked_recordings(experiment, x), plain("theta", theta, "parameters")
    if theta.ndim != 3 or len(theta) != len(x) or theta.shape[2] != len(prior.names) or not np.isfinite(theta).all():
        raise ValueError(f"theta has shape {theta.shape}, x {x.shape}; allowed: finite, (n, n_draws, n_parameters)")
    columns = [prior.names.index(name) for name in PARAMETERS]
    ordered = np.ascontiguousarray(theta[..., columns])
    total = np.zeros(ordered.shape[:2])
    original = experiment.version == "original"
    noise = experiment.neuron.noise / math.sqrt(experiment.dt)
    rests = round(experiment.t_ref / experiment.dt)
    for sweep, current in enumerate(experiment.currents):
        V, spikes = (np.ascontiguousarray(x[:, :, 2 * sweep + i]) for i in (0, 1))
        total += _filter(
            ordered, V, spikes, current, noise, experiment.dt, rests, experiment.observation_noise**2, original
        )
    return total


def exact_recovery(
    experiment: LifExperiment, posterior: Posterior, trials: Trials, x: np.ndarray
) -> tuple[Recovery, np.ndarray]:
    """What the exact posterior would recover, and how many independent draws that is computed from, (n_trials,).

    The draws of `trials` by `posterior` get the weight prior times likelihood over density (importance sampling), with
    the likelihood of the recordings `x` (n_trials, n_samples, 2 n_currents) that the trials were made from.
    No posterior's mean is nearer to the truth on average: its r is what can be reached.
    """
    theta, prior = trials.samples, trials.prior
    logs = log_likelihood(experiment, prior, theta, x) + prior.log_prob(torch.as_tensor(theta)).numpy()
    logs -= np.stack([posterior.log_prob(draws, x_o) for draws, x_o in zip(theta, trials.x, strict=True)])
    logs = np.where(np.isfinite(logs), logs, -np.inf)  # at the very edge, by rounding
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
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


@njit(cache=True, parallel=True)
def _filter(theta, V, spikes, current, noise, dt, rests, observed, original):
    n, draws, _ = theta.shape
    out = np.empty((n, draws))
    for job in prange(n * draws):
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
        out[i, d] = total - 0.5 * logs
    return out
