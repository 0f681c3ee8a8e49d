"""Which recording of the same cell would tell most about what a fit leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from helpers.simulation.batch import simulate_many
from helpers.simulation.spikes import spike_rule
from helpers.simulation.stimuli import Waveform
from helpers.validation import whole_number

from .instrument import as_recorded
from .sweeps import ALL_NAMES, DT, REST_BEFORE, features_for
from .verdict import FAILS

if TYPE_CHECKING:
    from .fit import CellFit

__all__ = ["Advice", "Gain", "next_recording"]

NARROWER = 1.25  # times, from which a parameter counts as better known
MORE = 0.5  # nats above what a fitted sweep once more would give, from which a new stimulus is worth its time
EXCHANGED = 0.6  # correlation from which two parameters are exchanged for each other
MOST_PAIRS = 3
STEP, LONG, BRIEF = 500.0, 2000.0, 3.0  # ms


@dataclass(frozen=True)
class Gain:
    """What one more recording would tell.

    Parameters
    ----------
    stimulus
        In words.
    nats
        By how much the logarithm of the volume of the posterior would fall.
    narrower
        How many times smaller the SD of each parameter would become, by name.
    """

    stimulus: str
    nats: float
    narrower: dict[str, float]


@dataclass(frozen=True)
class Advice:
    """Which recording would help most. Print it for a table and a sentence.

    Parameters
    ----------
    gains
        For each stimulus, the best first.
    once_more
        What a sweep like the best of those that are fitted would give: any new stimulus must give more.
    exchanged
        Pairs of parameters that the fit cannot tell apart, and their correlation, the strongest first.
    n_different
        Different draws that the gains are computed from.
    caveats
        What the fit lacks, in sentences.
    """

    gains: tuple[Gain, ...]
    once_more: Gain
    exchanged: tuple[tuple[str, str, float], ...]
    n_different: int
    caveats: tuple[str, ...] = ()

    @property
    def helps(self) -> bool:
        """Whether any stimulus is worth a recording."""
        return self._worth(self.gains[0])

    def sentence(self) -> str:
        """Return what to record, and what it would tell."""
        best = self.gains[0]
        if not self.helps:
            return (
                f"None of these stimuli would tell much more than a fitted one once more: the best, {best.stimulus}, "
                f"{best.nats:.1f} nats, {self.once_more.stimulus} {self.once_more.nats:.1f}."
            )
        words = [f"{best.stimulus[0].upper()}{best.stimulus[1:]} would make {_narrower(best.narrower)}."]
        for a, b, r in self.exchanged[:1]:
            apart = max(self.gains, key=lambda gain: gain.narrower[a] * gain.narrower[b])
            if apart is not best and max(apart.narrower[a], apart.narrower[b]) >= NARROWER and self._worth(apart):
                pair = {name: apart.narrower[name] for name in (a, b)}
                words.append(
                    f"{a} and {b} (correlation {r:+.2f}) are told apart best by {apart.stimulus}: it would make "
                    f"{_narrower(pair)}."
                )
        return " ".join(words)

    def __str__(self) -> str:
        """Return a line for each stimulus, then the sentence."""
        pairs = list(dict.fromkeys(name for a, b, _ in self.exchanged for name in (a, b)))
        wide = max(len(gain.stimulus) for gain in (*self.gains, self.once_more))
        head = f"{'stimulus':<{wide}}{'nats':>7}" + "".join(f"{name:>9}" for name in pairs)
        lines = [f"{head}  narrower (times)" if pairs else head]
        for gain in (*self.gains, self.once_more):
            numbers = "".join(f"{gain.narrower[name]:9.2f}" for name in pairs)
            lines.append(f"{gain.stimulus:<{wide}}{gain.nats:7.2f}{numbers}")
        lines += [f"exchanged: {a} and {b} (correlation {r:+.2f})" for a, b, r in self.exchanged]
        return "\n".join([*lines, self.sentence(), *self.caveats])

    def _worth(self, gain: Gain) -> bool:
        return gain.nats >= self.once_more.nats + MORE and max(gain.narrower.values()) >= NARROWER


def next_recording(fit: CellFit, *, n: int = 300, seed: int = 0) -> Advice:
    """Compute what other recordings of the cell would tell about the parameters that a fit leaves open.

    Each stimulus is simulated with draws of the posterior. With z the draws in coordinates in which the prior is
    standard normal, C their covariance, and x the features over their tolerance, regression gives x = a + B z + e. Then

        gain = 1/2 log det(1 + C Bᵀ S⁻¹ B),    S = cov(e) + 1,

    the expected information of Lindley (1956, Ann Math Stat 27:986) where the posterior is normal and x linear in it
    (Chaloner & Verdinelli 1995, Stat Sci 10:273): by so many nats the log-volume of the posterior falls. What is not
    linear is in cov(e), so a gain is rather too small. Slopes are shrunk by what chance gives with so many draws.
    V before the step is left out, as every sweep has it.

    Inferred again: a synthetic cell was fitted at -100 and +150 pA; then the step that was advised, +90 pA, was
    recorded and fitted as well. The log-volume was to fall by 3.8 nats and fell by 4.6. The SD of tau_max was to become
    2.6 times smaller, of V_T 1.7, of rate_K 1.6, of g_M 1.5, of C 1.5 and of rate_Na 1.4 times; it became 2.8, 1.8,
    1.5, 1.6, 1.6 and 1.4 times smaller.

    It holds for this model: a stimulus that would show what the model cannot do is not found.

    Parameters
    ----------
    fit
        A fitted cell.
    n
        Draws of the posterior.
    seed
        Of the draws and the noise.

    Raises
    ------
    ValueError
        If the posterior has too few different draws for a regression.
    """
    n, seed = whole_number("n", n, 50), whole_number("seed", seed)
    problem, names = fit.problem, fit.names
    draws = fit.sample(n, seed)
    n_different, n_needed = len(np.unique(draws, axis=0)), 2 * len(names) + 5
    if n_different < n_needed:
        raise ValueError(
            f"the posterior has {n_different} different draws of {len(names)} unknowns, needed: {n_needed}; a larger "
            "n, or a fit with a larger budget"
        )
    z = problem.unknowns.prior.to_normal(torch.as_tensor(draws)).numpy()
    gains = []
    for k, (words, stimulus) in enumerate(_candidates(fit)):
        x = _features(fit, stimulus, draws, seed + k)
        gains.append(_gain(words, names, z, x, n_different))
    gains.sort(key=lambda gain: -gain.nats)
    again = []
    for k, sweep in enumerate(problem.sweeps):
        x = problem.simulate(sweep, draws, seed + 100 + k) / sweep.tolerance
        kept = [i for i, name in enumerate(sweep.summarise.names) if name != "V_rest"]
        again.append(_gain(f"{sweep.name} once more", names, z, x[:, kept], n_different))
    caveats = []
    if fit.posterior.beta < 1.0:
        caveats.append(
            f"The fit is not settled (likelihood to the power {fit.posterior.beta:.2g}): more simulations of what was "
            "recorded may tell more than another recording."
        )
    if fit.verdict.status == FAILS:
        caveats.append("The model does not pass on this cell: all this holds for the model.")
    best = max(again, key=lambda gain: gain.nats)
    return Advice(tuple(gains), best, _exchanged(names, np.corrcoef(z.T)), n_different, tuple(caveats))


def _gain(words: str, names: Sequence[str], z: np.ndarray, x: np.ndarray, n_different: int) -> Gain:
    """The gain of features x (n, n_features), in units of their tolerance, of parameters z (n, n_unknowns)."""
    z, x = z - z.mean(axis=0), x - x.mean(axis=0)
    n, d = z.shape
    slopes = np.linalg.lstsq(z, x, rcond=1e-6)[0]
    rest = x - z @ slopes
    scatter = rest.T @ rest / (n_different - d - 1) * (n_different / n)
    explained, chance = (z @ slopes).var(axis=0), d / n_different * np.diag(scatter)
    slopes *= np.sqrt(np.clip(1.0 - chance / np.maximum(explained, 1e-12), 0.0, 1.0))
    covariance = np.atleast_2d(np.cov(z.T))
    known = slopes @ np.linalg.solve(scatter + np.eye(len(scatter)), slopes.T)
    both = np.eye(d) + covariance @ known
    after = np.linalg.solve(both, covariance)
    narrower = np.sqrt(np.diag(covariance) / np.diag(after))
    return Gain(words, 0.5 * float(np.linalg.slogdet(both)[1]), dict(zip(names, narrower.tolist(), strict=True)))


def _features(fit: CellFit, stimulus: Waveform, draws: np.ndarray, seed: int) -> np.ndarray:
    """The features of simulations that such a response has, in units of their tolerance, (n_draws, n_features)."""
    problem, like = fit.problem, fit.problem.sweeps[0]
    summarise = as_recorded(ALL_NAMES, DT, like.low_pass, like.trace.dt, spike_rule(like.trace))
    x = simulate_many(
        problem.unknowns.neuron, stimulus, problem.unknowns.prior.by_name(draws), (len(stimulus.samples) - 1) * DT, DT,
        seed=seed, summarise=summarise, precision="single",
    )  # fmt: skip
    middle = np.median(x, axis=0)
    count = round(float(middle[ALL_NAMES.index("spike_count")]))
    before, during = stimulus.samples[0], stimulus.samples[round(0.5 * (stimulus.start + stimulus.stop) / DT)]
    chosen = [name for name in features_for(count, bool(during < before)) if name != "V_rest"]
    columns = [ALL_NAMES.index(name) for name in chosen]
    floors = [fit.cell.measurement.floor(ALL_NAMES[k], float(middle[k])) for k in columns]
    return x[:, columns] / floors


def _candidates(fit: CellFit) -> Iterator[tuple[str, Waveform]]:
    """Stimuli that take a minute to record, in words and as a current density, but for those of the fitted sweeps."""
    R_in, tau, sweeps = fit.cell.membrane.R_in, fit.cell.membrane.tau_m, (*fit.cell.fitted, *fit.cell.held_out)
    firing = [sweep.amplitude for sweep in sweeps if sweep.count and sweep.amplitude > 0.0]
    weakest, strongest = min(firing, default=2e4 / R_in), max(firing, default=4e4 / R_in)
    far = [sweep.value("threshold") - sweep.value("V_rest") for sweep in sweeps if sweep.count]  # mV
    down = [_rounded(-mV * 1e3 / R_in) for mV in (10.0, 25.0)]
    up = [_rounded(weakest * factor) for factor in (0.6, 1.0, 1.5, 2.5)] + [_rounded(1.3 * strongest)]
    for amplitude in dict.fromkeys((*down, *up)):
        if not any(_alike(amplitude, STEP, sweep.amplitude, sweep.length) for sweep in sweeps):
            yield f"a step of {amplitude:+g} pA for {STEP:g} ms", _current(fit, (amplitude, amplitude, STEP))
    weak = _rounded(1.2 * weakest)
    if not any(_alike(weak, LONG, sweep.amplitude, sweep.length) for sweep in sweeps):
        yield f"a step of {weak:+g} pA for {LONG:g} ms", _current(fit, (weak, weak, LONG))
    pulse = _rounded(1.3e3 * max(far, default=30.0) / R_in / -np.expm1(-BRIEF / tau))
    yield f"a pulse of {pulse:+g} pA for {BRIEF:g} ms", _current(fit, (pulse, pulse, BRIEF), (0.0, 0.0, 100.0))
    top = _rounded(1.5 * strongest)
    yield f"a ramp from 0 to {top:+g} pA in 1000 ms", _current(fit, (0.0, top, 1000.0))
    yield (
        f"the release from {down[1]:+g} pA for {STEP:g} ms, and what follows in 300 ms",
        _current(fit, (down[1], down[1], STEP), (0.0, 0.0, 300.0), window_at=STEP),
    )


def _current(fit: CellFit, *parts: tuple[float, float, float], window_at: float = 0.0) -> Waveform:
    """A current of parts (first pA, last pA, ms) after rest, as a density; features are taken from `window_at` on."""
    holding = float(np.median([sweep.holding for sweep in fit.cell.fitted]))
    rest = round(REST_BEFORE / DT)
    pieces = [np.zeros(rest), *(np.linspace(a, b, round(length / DT)) for a, b, length in parts), np.zeros(rest // 10)]
    samples = (holding + np.concatenate(pieces)) * 1e-6 / fit.cell.membrane.area
    stop = REST_BEFORE + sum(length for *_, length in parts)
    return Waveform(samples=samples, dt=DT, start=REST_BEFORE + window_at, stop=stop)


def _alike(amplitude: float, length: float, other: float, other_length: float) -> bool:
    return abs(amplitude - other) <= 0.15 * abs(amplitude) and 0.5 <= length / other_length <= 2.0


def _rounded(amplitude: float) -> float:
    """Two digits, as one sets a stimulator."""
    return float(f"{amplitude:.2g}")


def _exchanged(names: Sequence[str], correlations: np.ndarray) -> tuple[tuple[str, str, float], ...]:
    pairs = [
        (names[i], names[j], float(correlations[i, j]))
        for i in range(len(names))
        for j in range(i)
        if abs(correlations[i, j]) >= EXCHANGED
    ]
    return tuple(sorted(pairs, key=lambda pair: -abs(pair[2]))[:MOST_PAIRS])


def _narrower(times: dict[str, float]) -> str:
    """The best known parameters in words, three at most."""
    best = sorted(times.items(), key=lambda pair: -pair[1])[:3]
    shown = [pair for pair in best if pair[1] >= NARROWER] or best[:1]
    return "the SD of " + ", of ".join(f"{name} {value:.1f} times smaller" for name, value in shown)
