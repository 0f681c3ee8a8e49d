"""Summary statistics of a recording of the integrate-and-fire neuron, as one would measure them by hand.

Counts and times of the spikes; and a curve through V. From V_init, and again from V_reset after each spike, V relaxes
towards E_L + I/g_L with the time constant tau_m. For a given tau that is a straight line in three unknowns (where V
starts, is reset to, and would settle), hence least squares. V also fluctuates, as the current is noisy; a Kalman filter
for a typical neuron takes that into account (Kalman 1960, J Basic Eng 82:35). It knows nothing of a threshold: V at the
time of the spike is one of the statistics.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from helpers.simulation.engine import LANES, map_blocks

from .problem import LifExperiment

__all__ = ["LIF_STATISTICS", "lif_statistic_names", "lif_statistics", "statistics_of_sweep"]

LIF_STATISTICS = (
    "spikes", "latency", "mean_interval", "sd_interval",
    "tau", "settled", "start", "reset", "misfit",
    "at_spike", "sd_at_spike", "highest", "noise_low", "noise_high",
)  # fmt: skip
TAUS = np.geomspace(4.0, 25.0, 13)  # ms
TYPICAL_G_L = 8.5, 6.0, 12.0  # nS: leak conductances whose noise the curve is fitted with; compared with the first


def lif_statistic_names(experiment: LifExperiment) -> tuple[str, ...]:
    """Names of the columns of `lif_statistics`."""
    if len(experiment.currents) == 1:
        return LIF_STATISTICS
    return tuple(f"{name} at {current:g} pA" for current in experiment.currents for name in LIF_STATISTICS)


def lif_statistics(experiment: LifExperiment, x: np.ndarray) -> np.ndarray:
    """Summary statistics of each sweep of recordings.

    Parameters
    ----------
    experiment
        How the recordings were made.
    x
        Recordings (n, n_samples, 2 n_currents), as `experiment.simulate` returns them.

    Returns
    -------
    ndarray
        (n, 14 n_currents), for each sweep:

        - spikes, latency [ms], mean_interval and sd_interval [ms]. Without a spike, latency and interval are the
          duration; with a single one, the interval is the time after it.
        - tau [ms], settled, start, reset [mV]: of the curve; misfit: what it leaves, in SDs of the recording's noise.
          Where no sample follows a reset, reset is start.
        - at_spike, sd_at_spike, highest [mV]: expected V just when the neuron fired, and its maximum where it did not.
        - noise_low, noise_high: how much more probable V is (log) for a neuron of less and of more leak, and thus with
          more and with less noise in V.

    Raises
    ------
    ValueError
        For recordings of another shape, or ones that do not look like the neuron's.
    """
    observed = max(experiment.observation_noise, 0.01) ** 2
    of_experiment = experiment.dt, experiment.refractory_samples, experiment.noise_per_step, observed
    original = experiment.version == "original"
    sweeps = list(experiment.sweeps(x))

    def of_block(first: int) -> np.ndarray:
        rows = slice(first, first + LANES)
        return np.concatenate(
            [statistics_of_sweep(V[rows], spikes[rows], *of_experiment, original) for V, spikes in sweeps], axis=1
        )

    table = map_blocks(of_block, len(x), None, False)
    if not np.isfinite(table).all():
        row = int(np.argmin(np.isfinite(table).all(axis=1)))
        raise ValueError(f"x[{row}] has no finite statistics: it spikes too often, or does not look like the neuron")
    return table


# On threads of Python, not of Numba: those of OpenMP would set how many threads torch has in this process.
@njit(cache=True, nogil=True, error_model="numpy")
def statistics_of_sweep(V, spikes, dt, rests, current_noise, observed, original):
    """Compute the statistics (n, 14) of one sweep, V and spikes (n, n_samples) each."""
    table = np.empty((len(V), 14))
    for i in range(len(V)):
        table[i, :4] = _times(spikes[i], dt)
        table[i, 4:] = _curve(V[i], spikes[i], dt, rests, current_noise, observed, original)
    return table


@njit(cache=True)
def _times(spikes, dt):
    """Count, latency, mean and SD of the intervals."""
    fired = np.flatnonzero(spikes > 0.0)
    if len(fired) == 0:
        return np.array([0.0, len(spikes) * dt, len(spikes) * dt, 0.0])
    if len(fired) == 1:
        return np.array([1.0, fired[0] * dt, (len(spikes) - fired[0]) * dt, 0.0])
    intervals = np.diff(fired).astype(np.float64)
    mean = intervals.mean()
    variance = (intervals**2).mean() - mean**2  # of integers, so that it is exact
    return np.array([len(fired), fired[0] * dt, mean * dt, dt * math.sqrt(max(variance, 0.0))])


@njit(cache=True)
def _curve(V, spikes, dt, rests, current_noise, observed, original):
    """The fitted curve and what it says, the last ten of `LIF_STATISTICS`."""
    best, misfits = 0, np.empty(len(TAUS))
    for t in range(len(TAUS)):
        misfits[t] = _filter(V, spikes, dt, rests, TAUS[t], current_noise / TYPICAL_G_L[0], observed, original)[0]
        best = t if misfits[t] < misfits[best] else best
    inner = min(max(best, 1), len(TAUS) - 2)  # a parabola through the three around the best
    left, middle, right = misfits[inner - 1], misfits[inner], misfits[inner + 1]
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0.0 else float(best - inner)
    tau = TAUS[inner] * (TAUS[1] / TAUS[0]) ** min(max(shift, -1.0), 1.0)
    found = [_filter(V, spikes, dt, rests, tau, current_noise / g, observed, original) for g in TYPICAL_G_L]
    _, (settled, start, reset), (at_spike, sd_at_spike, highest), misfit = found[0]
    noise = 0.5 * (found[0][0] - found[1][0]), 0.5 * (found[0][0] - found[2][0])
    return np.array([tau, settled, start, reset, misfit, at_spike, sd_at_spike, highest, *noise])


@njit(cache=True)
def _filter(V, spikes, dt, rests, tau, noise, observed, original):
    """Fit one curve: minus twice its log-likelihood, (settled, start, reset), V at spikes, and the misfit.

    V is expected at `known` + `share` · (settled, start, reset) with variance p, given the samples so far; noise: that
    of I/g_L in a step [mV].
    """
    decay = 1.0 - dt / tau if original else math.exp(-dt / tau)
    grown = ((1.0 - decay) * noise) ** 2
    n = len(V)
    expected, shares, looks = np.empty(n), np.empty((n, 3)), np.empty(n, np.int8)
    A, b, squares, logs = np.zeros((3, 3)), np.zeros(3), 0.0, 0.0
    known, share, p, left, count = 0.0, np.array([0.0, 1.0, 0.0]), 0.0, 0, 0
    used = 0
    for k in range(n):
        if k > 0:
            known, p = decay * known, decay**2 * p + grown
            share *= decay
            share[0] += 1.0 - decay
        fires, rested = spikes[k] > 0.0, left > 0
        expected[k], shares[k], looks[k] = known, share, 2 if fires else 0 if rested else 1
        if fires or rested:
            known, p = 0.0, 0.0
            share[:] = 0.0
            share[2] = 1.0
            left, count = rests if fires else left - 1, count + fires
        if fires and not original:  # the sample shows the spike
            continue
        s, off = p + observed, V[k] - known
        for row in range(3):
            b[row] += share[row] * off / s
            for column in range(3):
                A[row, column] += share[row] * share[column] / s
        squares, logs, used = squares + off * off / s, logs + math.log(s), used + 1
        gain = p / s
        known, p = known + gain * off, p * (1.0 - gain)
        share *= 1.0 - gain
    unseen = A[2, 2] == 0.0  # no sample after a reset
    if unseen:
        A[2, 2] = 1.0
    found = _solved(A, b)
    rest = squares - found[0] * b[0] - found[1] * b[1] - found[2] * b[2]
    highest, total, total_squares = -np.inf, 0.0, 0.0
    for k in range(n):
        at = expected[k] + shares[k, 0] * found[0] + shares[k, 1] * found[1] + shares[k, 2] * found[2]
        if looks[k] == 1:
            highest = max(highest, at)
        elif looks[k] == 2:
            total, total_squares = total + at, total_squares + at * at
    reset = found[1] if unseen else found[2]
    if count == 0:
        return rest + logs, (found[0], found[1], reset), (highest, 0.0, highest), math.sqrt(rest / used)
    mean = total / count
    spread = math.sqrt(max(total_squares / count - mean * mean, 0.0))
    return rest + logs, (found[0], found[1], reset), (mean, spread, highest), math.sqrt(rest / used)


@njit(cache=True)
def _solved(A, b):
    """Solve A x = b for a symmetric positive (3, 3) matrix, by Cramer's rule."""
    c0, c1, c2 = (
        A[1, 1] * A[2, 2] - A[1, 2] ** 2,
        A[0, 2] * A[1, 2] - A[0, 1] * A[2, 2],
        A[0, 1] * A[1, 2] - A[0, 2] * A[1, 1],
    )
    determinant = A[0, 0] * c0 + A[0, 1] * c1 + A[0, 2] * c2
    d11, d22 = A[0, 0] * A[2, 2] - A[0, 2] ** 2, A[0, 0] * A[1, 1] - A[0, 1] ** 2
    d12 = A[0, 1] * A[0, 2] - A[0, 0] * A[1, 2]
    return (
        (c0 * b[0] + c1 * b[1] + c2 * b[2]) / determinant,
        (c1 * b[0] + d11 * b[1] + d12 * b[2]) / determinant,
        (c2 * b[0] + d12 * b[1] + d22 * b[2]) / determinant,
    )
