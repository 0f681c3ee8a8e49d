"""How a membrane charges at the beginning of a hyperpolarising step: an exponential, fitted in correlated noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, optimize, stats

from helpers.simulation.trace import Trace

from .steps import find_steps, split_at

if TYPE_CHECKING:
    from .recording import Recording

__all__ = [
    "Beginning",
    "Charging",
    "StepResponse",
    "beginning_of_step",
    "beginnings",
    "disagreement",
    "fit_charging",
    "responses_to_steps",
    "steady_resistance",
]

BLANK = 1.0  # ms after the onset, in which V jumps by the voltage across the electrode
BINS = 20  # of the window: V and fit are compared in means over one of them
FINE = 100  # bins of the window in which the autocorrelation of the noise is taken
MAX_MISFIT = 0.1  # of the amplitude
MAX_ERROR = 0.5  # standard error of R_in and tau_m over their values
MOSTLY = 0.8  # of the samples repeat the one before: noise is narrower than the steps between values
MAX_GRAIN = 0.25  # of the amplitude: wider steps between the values of V leave too few of them
AFTER_SPIKE = 20.0  # ms after a spike in which V before the step is not taken for noise
RECOVERY = 200.0  # ms at the holding current that a second step of a sweep must follow
MAX_SPREAD = 0.25  # how far R_in of a step may be from the median of all


@dataclass(frozen=True)
class StepResponse:
    """What one hyperpolarising step tells of a cell.

    Parameters
    ----------
    sweep
        Its number in the file; 0 for a single trace.
    start, amplitude
        Of the step [ms, pA].
    V_rest, R_in, tau_m, R_steady, R_in_se, tau_m_se, misfit
        As in `PassiveProperties`.
    """

    sweep: int
    start: float
    amplitude: float
    V_rest: float
    R_in: float
    tau_m: float
    R_steady: float
    R_in_se: float
    tau_m_se: float
    misfit: float


@dataclass(frozen=True, eq=False)
class Beginning:
    """The beginning of a step.

    Parameters
    ----------
    sweep
        Number of the sweep in the file.
    start, step
        Onset [ms] and amplitude [pA].
    x, y
        Times since the onset (n,) [ms] and V (n,) [mV].
    before
        V before the step, as far as its noise is looked at [mV].
    V_rest, V_late
        Median of V before the step, and mean of V over its last fifth [mV].
    """

    sweep: int
    start: float
    step: float
    x: np.ndarray
    y: np.ndarray
    before: np.ndarray
    V_rest: float
    V_late: float


@dataclass(frozen=True)
class Charging:
    """A fitted exponential: R [GΩ] and tau [ms] with their standard errors, and the misfit beyond the noise [mV]."""

    R: float
    tau: float
    R_se: float
    tau_se: float
    misfit: float


def beginning_of_step(trace: Trace, window: float) -> Beginning:
    """Return the beginning of the main step of a trace. Raises ValueError if it is not hyperpolarising, or fires."""
    before = trace.t < trace.start - 0.5 * trace.dt
    if not before.any():
        raise ValueError("the step begins with the trace: V at rest is missing")
    base = float(np.median(trace.I[before & (trace.t >= trace.start - 5.0)]))
    main, *_ = split_at(find_steps(trace.t, trace.I), (trace.start, trace.stop), base)
    step = float(np.median(trace.I[_during(trace, trace.start, trace.stop)])) - base
    if not main.constant or step >= 0.0:
        words = f"changes by {step:+g} pA" if main.constant else "is not constant"
        raise ValueError(f"the current of the step {words}; needed: one negative step")
    return _beginning(trace, 0, (trace.start, trace.stop), step, window, float(trace.t[0]))


def beginnings(recording: Recording, window: float) -> tuple[list[Beginning], list[str]]:
    """Return those of all hyperpolarising steps from the holding current, and why others were left out."""
    found, left_out = [], []
    for row in recording.steps:
        if not any(step.amplitude < 0.0 for step in row.all):
            continue
        trace = recording.trace(row.sweep)
        free = first = float(trace.t[0])  # since when the current has been at its base
        for step in row.all:
            rested = step.start - free
            begin = first if free == first else step.start - rested / 2
            enough = rested >= (5.0 if free == first else RECOVERY) and step.stop - step.start >= window
            if step.amplitude:
                free = step.stop
            if step.amplitude < 0.0 and step.constant and enough:
                try:
                    found.append(_beginning(trace, row.sweep, (step.start, step.stop), step.amplitude, window, begin))
                except ValueError as error:
                    left_out.append(f"sweep {row.sweep}, step at {step.start:g} ms: {error}")
    return found, left_out


def _during(trace: Trace, start: float, stop: float) -> np.ndarray:
    return (trace.t >= start - 0.5 * trace.dt) & (trace.t < stop - 0.5 * trace.dt)


def _beginning(
    trace: Trace, sweep: int, times: tuple[float, float], step: float, window: float, begin: float
) -> Beginning:
    start, stop = times
    if ((trace.spike_times >= start) & (trace.spike_times < stop)).any():
        raise ValueError("the cell fires during the step; needed: a step without spikes")
    since = trace.t - start
    fitted = (since >= BLANK) & (since <= window)
    rest = (since < -0.5 * trace.dt) & (trace.t >= begin - 0.5 * trace.dt)
    late = _during(trace, stop - 0.2 * (stop - start), stop)
    spikes = trace.spike_times[trace.spike_times < start]
    quiet = spikes[-1] + AFTER_SPIKE if len(spikes) else -np.inf
    before = trace.V[rest & (since >= -2.0 * window) & (trace.t > quiet)]
    V_rest, V_late = float(np.median(trace.V[rest])), float(np.mean(trace.V[late]))
    return Beginning(sweep, start, step, since[fitted], trace.V[fitted], before, V_rest, V_late)


def fit_charging(parts: Sequence[Beginning], window: float) -> Charging:
    """Fit one R and one tau to the beginnings of steps, with a final potential for each.

    Raises
    ------
    ValueError
        If V does not follow an exponential, the noise leaves R or tau open, or V is recorded too coarsely.
    """
    tau = _best_tau(parts, window)
    R, _ = _least_squares(parts, tau)
    residuals = [_centred(part.y) + R * part.step * _centred(np.exp(-part.x / tau)) for part in parts]
    A = -R * float(np.mean([part.step for part in parts]))  # mV
    misfit = _misfit(parts, residuals)
    if not (A > 0.0 and tau < window and misfit < MAX_MISFIT * A):
        raise ValueError(
            f"the beginning of the step is not exponential: amplitude {A:.3g} mV, time constant {tau:.3g} ms, misfit "
            f"beyond the noise {misfit:.3g} mV; needed: amplitude > 0, time constant below {window:g} ms, misfit below "
            f"{100 * MAX_MISFIT:g} % of the amplitude"
        )
    grain = max(_grain(part) for part in parts)
    if grain > MAX_GRAIN * A:
        raise ValueError(
            f"V is recorded in steps of {grain:.3g} mV, wider than its noise, of which the amplitude of {A:.3g} mV has "
            f"too few; needed: steps below {100 * MAX_GRAIN:g} % of it, from a larger current or a higher gain"
        )
    R_se, tau_se = _standard_errors(parts, residuals, R, tau)
    if R_se > MAX_ERROR * R or tau_se > MAX_ERROR * tau:
        raise ValueError(
            f"the noise leaves the exponential open: R_in = {1e3 * R:.3g} ± {1e3 * R_se:.2g} MΩ, tau_m = {tau:.3g} ± "
            f"{tau_se:.2g} ms; needed: standard errors below {100 * MAX_ERROR:g} %, from a larger step or from several "
            "sweeps together: passive_properties(Recording(path))"
        )
    return Charging(R, tau, R_se, tau_se, misfit)


def _grain(part: Beginning) -> float:
    """The least difference between two values of V [mV]; 0 if the noise, being wider, makes up for it."""
    V = np.concatenate([part.before, part.y])
    values = np.unique(V)
    grain = float(np.diff(values).min()) if len(values) > 1 else 0.0
    moves = np.abs(np.diff(V))
    return grain if float(np.mean(moves < 0.5 * grain)) > MOSTLY else 0.0


def _best_tau(parts: Sequence[Beginning], window: float) -> float:
    """The time constant whose exponential leaves the least squares: everything else in the model is linear."""
    taus = np.geomspace(0.2, 3.0 * window, 50)
    left = [_least_squares(parts, tau)[1] for tau in taus.tolist()]
    best = int(np.clip(np.argmin(left), 1, len(taus) - 2))
    low, high = float(taus[best - 1]), float(taus[best + 1])
    exact = {"xatol": 1e-9 * high}
    return float(
        optimize.minimize_scalar(
            lambda tau: _least_squares(parts, tau)[1], bounds=(low, high), method="bounded", options=exact
        ).x
    )


def _least_squares(parts: Sequence[Beginning], tau: float) -> tuple[float, float]:
    """R [GΩ] that fits best with this tau [ms], and the sum of squares that is left."""
    top = bottom = total = 0.0
    for part in parts:
        shape, V = -part.step * _centred(np.exp(-part.x / tau)), _centred(part.y)
        top, bottom, total = top + float(shape @ V), bottom + float(shape @ shape), total + float(V @ V)
    return top / bottom, total - top**2 / bottom


def _misfit(parts: Sequence[Beginning], residuals: Sequence[np.ndarray]) -> float:
    """Root mean square of V - fit [mV] in means over a bin, less what such means vary by before the step."""
    squares, noises = [], []
    for part, residual in zip(parts, residuals, strict=True):
        width = max(1, len(residual) // BINS)
        squares.append(float(np.mean(_binned(residual, width) ** 2)))
        rest = _without_trend(_binned(part.before, width))
        noises.append((1.4826 * float(np.median(np.abs(rest)))) ** 2 if len(rest) > 5 else 0.0)
    return float(np.sqrt(max(0.0, float(np.mean(squares)) - float(np.mean(noises)))))


def _standard_errors(
    parts: Sequence[Beginning], residuals: Sequence[np.ndarray], R: float, tau: float
) -> tuple[float, float]:
    """Standard errors of R [GΩ] and tau [ms]: least squares in noise with the autocorrelation that was measured."""
    width = max(1, len(residuals[0]) // FINE)
    slopes, noise = [], []
    for part, residual in zip(parts, residuals, strict=True):
        shape, x = np.exp(-part.x / tau), part.x
        columns = [-part.step * _binned(_centred(y), width) for y in (shape, R * shape * x / tau**2)]
        slopes.append(np.column_stack(columns))
        noise += [_binned(residual, width)]
        rest = _binned(part.before, width)
        noise += [_without_trend(rest)] if len(rest) > BINS else []
    longest = max(map(len, slopes))
    covariance = _autocovariance(noise, longest)
    inverse = np.linalg.inv(np.sum([slope.T @ slope for slope in slopes], axis=0))
    middle = np.sum([slope.T @ linalg.toeplitz(covariance[: len(slope)]) @ slope for slope in slopes], axis=0)
    variances = np.diag(inverse @ middle @ inverse)
    return float(np.sqrt(variances[0])), float(np.sqrt(variances[1]))


def _autocovariance(noise: Sequence[np.ndarray], lags: int) -> np.ndarray:
    """Autocovariance (lags,) of several stretches of noise, with Bartlett's taper, so that no variance is negative."""
    count = sum(map(len, noise))
    sums = np.zeros(lags)
    for x in noise:
        whole = np.correlate(x, x, "full")[len(x) - 1 :][:lags]
        sums[: len(whole)] += whole
    return sums / count * (1.0 - np.arange(lags) / lags)


def _binned(x: np.ndarray, width: int) -> np.ndarray:
    """Means of x over `width` samples each; what is left over at the beginning is left out."""
    count = len(x) // width
    return x[len(x) - count * width :].reshape(count, width).mean(axis=1)


def _centred(x: np.ndarray) -> np.ndarray:
    return x - x.mean()


def _without_trend(x: np.ndarray) -> np.ndarray:
    if len(x) < 3:
        return np.zeros(0)
    k = _centred(np.arange(len(x), dtype=float))
    y = _centred(x)
    return y - k * (k @ y) / (k @ k)


def steady_resistance(parts: Sequence[Beginning]) -> float:
    """Return (V at the end of the step - V_rest) over the amplitude [MΩ], by least squares over all steps."""
    steps = np.array([part.step for part in parts])
    return float(1e3 * (steps @ [part.V_late - part.V_rest for part in parts]) / (steps @ steps))


def responses_to_steps(parts: Sequence[Beginning], window: float) -> tuple[StepResponse, ...]:
    """Return what each step tells by itself; a step that follows no exponential tells nothing."""
    found = []
    for part in parts:
        try:
            fit = fit_charging([part], window)
        except ValueError:
            continue
        numbers = (1e3 * fit.R, fit.tau, steady_resistance([part]), 1e3 * fit.R_se, fit.tau_se, fit.misfit)
        found.append(StepResponse(part.sweep, part.start, part.step, part.V_rest, *numbers))
    return tuple(found)


def disagreement(responses: Sequence[StepResponse]) -> tuple[float, str]:
    """Return how far R_in of a step is from the median of all, at most, and in words what that looks like.

    The words are "" where no step is further away than `MAX_SPREAD`, or no further than its noise lets it be.
    """
    R = np.array([x.R_in for x in responses])
    if len(R) < 2:
        return 0.0, ""
    middle = float(np.median(R))
    away = np.abs(R - middle)
    spread = float(away.max() / middle)
    if not (away > np.maximum(MAX_SPREAD * middle, 3.0 * np.array([x.R_in_se for x in responses]))).any():
        return spread, ""
    levels: dict[float, list[StepResponse]] = {}
    for x in sorted(responses, key=lambda x: x.amplitude):
        levels.setdefault(round(x.amplitude, 1), []).append(x)
    reasons = [*_by_amplitude(levels), *_by_sweep(max(levels.values(), key=len))]
    rests = [x.V_rest for x in responses]
    if np.ptp(rests) > 5.0:
        reasons.append(f"the steps begin at different potentials, {min(rests):.0f} to {max(rests):.0f} mV")
    found = f"R_in of the weak steps is from {R.min():,.0f} to {R.max():,.0f} MΩ"
    return spread, f"{found}: {'; '.join(reasons) or 'in no order: look for spontaneous activity'}"


def _by_amplitude(levels: Mapping[float, Sequence[StepResponse]]) -> list[str]:
    """In words, if R_in depends on the size of the step."""
    typical = [float(np.median([x.R_in for x in found])) for found in levels.values()]
    if len(levels) < 2 or typical[-1] < (1.0 + MAX_SPREAD) * typical[0] or np.any(np.diff(typical) < 0.0):
        return []
    pairs = ", ".join(f"{R:,.0f} MΩ at {level:g} pA" for level, R in zip(levels, typical, strict=True))
    return [f"the smaller the step, the larger R_in ({pairs}): the membrane rectifies, so R_in holds for one potential"]


def _by_sweep(alike: Sequence[StepResponse]) -> list[str]:
    """In words, if R_in of equal steps rises or falls from sweep to sweep."""
    R, sweeps = np.array([x.R_in for x in alike]), np.array([x.sweep for x in alike])
    if len(set(sweeps.tolist())) < 4 or abs(float(stats.spearmanr(sweeps, R).statistic)) < 0.7:
        return []
    first, last = (float(np.median(part)) for part in (R[:2], R[-2:]))
    way = "rises" if last > first else "falls"
    return [
        f"at {alike[0].amplitude:g} pA it {way} from {first:,.0f} MΩ in sweep {sweeps[0]} to {last:,.0f} MΩ in sweep "
        f"{sweeps[-1]}: the cell, the seal, or what came before the step changes"
    ]
