"""Whether the stated uncertainty is right near one observation.

Calibration over the prior averages over all neurons, and a network can be right on average and wrong at the one that
was recorded. Two facts make the same test local (Säilynoja et al. 2025, arXiv:2502.03279, condition on the observation
in another way). Ranks are uniform under any prior, so also under the prior truncated to a region around the posterior,
if the posterior is truncated, too. And they are uniform given any x, so simulations may be chosen by their statistics:
here those nearest to the observation. A network that knows only a region (`truncated_rounds`) is tested there, on the
prior of its region.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, kstest, norm, rankdata

from helpers.validation import numbers, whole_number

from ..local_noise import MIN_P, noise_units, p_misfit, same_counts
from ..posterior import Posterior
from ..priors import Prior
from ..references.common import Simulator
from ..rounds import Rounds
from ..truncation import Truncated, truncated_around
from ..warning_classes import ExtrapolationWarning
from .c2st import c2st
from .calibration import coverage
from .combinations import Combinations, parameter_combinations
from .trials import Sampler, Trials

__all__ = ["LocalCalibration", "local_calibration"]

AT_X_O = 4000  # draws at the observation, to place the region
MARGIN = 0.5  # on either side, in widths of the posterior: a posterior half as wide as the right one still shows
ATTEMPTS = 20  # to draw inside the region
MAX_LEFT_OUT = 0.1  # of the trials
MIN_TRIALS = 50


@dataclass(frozen=True)
class LocalCalibration:
    """Calibration near one observation.

    Attributes
    ----------
    names
        What was tested: each parameter, each combination of parameters, and all of them jointly; n_tested.
    p_position, p_width
        p-values of Kolmogorov-Smirnov tests, (n_tested,): truths lie as often below as above, and as often in the
        middle as in the tails. Of the joint region only the second one; the first is 1.
    width
        SD of the posterior over that of a right one, about, (n_tested,); of the joint region the same for all
        parameters together.
    shift
        Median of the posterior minus the truth, in its SDs, the median over all trials, (n_tested,); joint: 0.
    c2st
        How well truths and draws, each together with the statistics, can be told apart; 0.5 if not at all.
    left_out
        Share of the trials whose posterior has hardly any mass in the region; at most 0.1 if it is right.
    trials
        The truths near the observation, their statistics and draws, as other checks take them.
    region
        Where the truths are from.
    combinations
        The combinations that were tested.
    """

    names: tuple[str, ...]
    p_position: np.ndarray
    p_width: np.ndarray
    width: np.ndarray
    shift: np.ndarray
    c2st: float
    left_out: float
    trials: Trials
    region: Truncated
    combinations: Combinations

    @property
    def p(self) -> float:
        """The smallest p-value times their number (Bonferroni)."""
        n_tests = 2 * len(self.names) - 1
        return float(min(1.0, n_tests * min(self.p_position.min(), self.p_width.min())))

    def passed(self, level: float = 0.05) -> bool:
        """Whether nothing fails at `level`, and trials have draws in the region."""
        return self.p > level and self.left_out <= MAX_LEFT_OUT

    def __str__(self) -> str:
        verdict = "no sign of miscalibration" if self.passed() else "miscalibrated"
        wide = max(map(len, self.names))
        lines = [
            f"near x_o, over {len(self.trials.theta)} trials: {verdict} (p {self.p:.2g}); C2ST {self.c2st:.3f}",
            f"{'':{wide}}{'width':>8}{'p':>9}{'shift':>8}{'p':>9}",
        ]
        columns = self.names, self.width, self.p_width, self.shift, self.p_position
        for name, width, p_width, shift, p_position in zip(*columns, strict=True):
            lines.append(f"{name:{wide}}{width:8.2f}{p_width:9.2g}{shift:+8.2f}{p_position:9.2g}")
        if self.left_out > MAX_LEFT_OUT:
            share = f"{100 * self.left_out:.0f} % of the trials"
            lines.append(f"{share} have hardly any draw where the truths are from: the posterior is in the wrong place")
        return "\n".join(lines)


def local_calibration(
    posterior: Sampler | Rounds,
    simulate: Simulator,
    prior: Prior,
    x_o: np.ndarray,
    *,
    seed: int,
    simulations: int = 10_000,
    trials: int = 500,
    samples: int = 200,
) -> LocalCalibration:
    """Simulate neurons like those that the posterior names at `x_o`, infer them again, and test the ranks.

    Truths are drawn from the prior, truncated to a region around the posterior at `x_o`. Of their simulations, the
    `trials` nearest to `x_o` with the same counts (spikes) are inferred, with all draws outside the region left out.
    Tested are each parameter, each combination of `parameter_combinations` (a wrong width may show only there), and the
    ellipse around all draws. 500 trials find a parameter that is 30 % too wide or too narrow.

    Emits an `ExtrapolationWarning` if no parameters of the region give statistics like `x_o`: what is found then holds
    elsewhere.

    Parameters
    ----------
    posterior
        Of any observation: a `Posterior`, anything with `sample(n, x_o, seed)`, or the result of `truncated_rounds`,
        which is tested on its last region.
    simulate
        simulate(theta, seed) returns the statistics (n, n_statistics) of parameter sets (n, n_parameters).
    prior
        Without dependencies between parameters.
    x_o
        The observation, (n_statistics,).
    seed
        Of everything random.
    simulations
        How many are made; the more, the nearer to `x_o` are the trials.
    trials
        How many are inferred, at least 50; fewer if fewer simulations have the observed counts.
    samples
        Posterior draws for each.

    Raises
    ------
    ValueError
        For a prior with dependencies, fewer than 50 simulations with the observed counts, and a posterior none of whose
        draws lie in the region.

    References
    ----------
    Talts et al. 2018, arXiv:1804.06788; given the data: Säilynoja et al. 2025, arXiv:2502.03279.
    """
    x_o, seed = numbers("x_o", x_o, shape=(None,)), whole_number("seed", seed)
    trials, samples = whole_number("trials", trials, MIN_TRIALS), whole_number("samples", samples, 50)
    simulations = whole_number("simulations", simulations, 2 * trials)
    known = posterior.rounds[-1].region if isinstance(posterior, Rounds) else Truncated.whole(prior)
    sampler = posterior.posterior if isinstance(posterior, Rounds) else posterior
    seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(5)]
    at_x_o = sampler.sample(AT_X_O, x_o, seeds[0])
    at_x_o = at_x_o[known.contains(at_x_o)]
    if len(at_x_o) < AT_X_O // 2:
        share = f"{AT_X_O - len(at_x_o)} of {AT_X_O} draws of the posterior at x_o lie"
        raise ValueError(f"{share} outside the prior, or the region that it was trained on: nothing to be tested there")
    region = truncated_around(at_x_o, MARGIN, known)
    theta = region.draw(simulations, seeds[1])
    x = np.asarray(simulate(theta, seeds[2]), dtype=float)
    if x.shape != (simulations, len(x_o)) or not np.isfinite(x).all():
        raise ValueError(f"simulate gave {x.shape}, or values not finite; allowed: {(simulations, len(x_o))}, as x_o")
    chosen = _nearest(region, theta, x, x_o, trials)
    draws = _draws_inside(sampler, region, x[chosen], samples, seeds[3])
    enough = np.array([len(one) == samples for one in draws])
    if not enough.sum() >= MIN_TRIALS // 2:
        raise ValueError(
            f"of {len(enough)} trials {len(enough) - enough.sum()} have hardly any draw in the region of the posterior "
            "at x_o, from which their truths are: the posterior is in the wrong place, or varies wildly with x"
        )
    kept, table = chosen[enough], np.array([one for one, good in zip(draws, enough, strict=True) if good])
    done = Trials(region.box, theta[kept], x[kept], table)
    combinations = parameter_combinations(prior, at_x_o)
    rng = np.random.default_rng(seeds[4])
    combined = combinations.evaluate(done.theta), combinations.evaluate(done.samples)
    truths, drawn = (np.concatenate(parts, axis=-1) for parts in zip((done.theta, done.samples), combined, strict=True))
    u = _spread((drawn < truths[:, None]).sum(axis=1), samples, rng)
    joint = _spread(np.round(coverage(done).joint * samples), samples, rng)
    names = (*prior.names, *map(combinations.in_words, range(len(prior.names))), "all, jointly")
    folded = np.column_stack([np.abs(2 * u - 1), joint])
    return LocalCalibration(
        names,
        p_position=np.append(kstest(u, "uniform", axis=0).pvalue, 1.0),
        p_width=kstest(folded, "uniform", axis=0).pvalue,
        width=np.append(_too_wide(u), _too_wide_jointly(joint, len(prior.names))),
        shift=np.append(-np.median(norm.ppf(u), axis=0), 0.0),
        c2st=_c2st_of_pairs(*combined, done.x, seed),
        left_out=float(1 - enough.mean()),
        trials=done,
        region=region,
        combinations=combinations,
    )


def _nearest(region: Truncated, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray, wanted: int) -> np.ndarray:
    """Numbers of the simulations with the observed counts that are nearest to x_o, in units of the noise."""
    same, counts = same_counts(x, x_o)
    rows = np.flatnonzero(same)
    if len(rows) < MIN_TRIALS:
        raise ValueError(
            f"{len(rows)} of {len(x)} simulations near the posterior have the observed {x_o[counts]} in statistics "
            f"{np.flatnonzero(counts)}; allowed: at least {MIN_TRIALS}. Make more simulations (simulations=)"
        )
    points = region.centred(theta[rows])
    if (p := p_misfit(points, x[rows], x_o)) < MIN_P:
        warnings.warn(
            f"no parameters near the posterior give statistics like x_o (p = {p:.2g}): calibration is tested elsewhere",
            ExtrapolationWarning,
            stacklevel=3,
        )
    wanted = min(wanted, len(rows))
    away = noise_units(points, x[rows], x_o, wanted)
    return rows[np.argsort(np.sum(away**2, axis=1), kind="stable")[:wanted]]


def _draws_inside(sampler: Sampler, region: Truncated, x: np.ndarray, n: int, seed: int) -> list[np.ndarray]:
    """Up to `n` draws inside `region` given each of `x` (n_trials, n_statistics); fewer where hardly any are inside."""
    found = [np.empty((0, len(region.centre))) for _ in x]
    for attempt in range(ATTEMPTS):
        rows = [row for row, one in enumerate(found) if len(one) < n]
        if not rows:
            break
        for row, drawn in zip(rows, _each(sampler, x[rows], n, seed + attempt), strict=True):
            found[row] = np.concatenate([found[row], drawn[region.contains(drawn)]])[:n]
    return found


def _each(sampler: Sampler, x: np.ndarray, n: int, seed: int) -> Sequence[np.ndarray]:
    if isinstance(sampler, Posterior):
        return list(sampler.sample_each(n, x, seed))
    seeds = np.random.SeedSequence(seed).generate_state(len(x))
    return [sampler.sample(n, row, int(own)) for row, own in zip(x, seeds, strict=True)]


def _spread(ranks: np.ndarray, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Ranks from 0 to `n_samples` as numbers between 0 and 1, uniform if the ranks are."""
    return (ranks + rng.random(ranks.shape)) / (n_samples + 1)


def _too_wide(u: np.ndarray) -> np.ndarray:
    """SD of the posterior over that of a right one, from ranks `u` (n_trials, n), (n,)."""
    return norm.ppf(0.75) / np.median(np.abs(norm.ppf(u)), axis=0)


def _too_wide_jointly(inside: np.ndarray, n_parameters: int) -> float:
    """The same, from the probability of the smallest ellipse that holds the truth, (n_trials,)."""
    return float(np.sqrt(chi2.median(n_parameters) / np.median(chi2.ppf(inside, n_parameters))))


def _c2st_of_pairs(truths: np.ndarray, drawn: np.ndarray, x: np.ndarray, seed: int) -> float:
    """C2ST of truths and draws, each with its statistics, relative to mean and SD of the draws given these."""
    one, rest = drawn[:, 0], drawn[:, 1:]
    middle, sd = rest.mean(axis=1), rest.std(axis=1)
    statistics = rankdata(x, axis=0) / len(x)
    true, false = (np.column_stack([(values - middle) / sd, statistics]) for values in (truths, one))
    return c2st(true, false, seed=seed)
