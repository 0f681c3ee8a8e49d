"""The exercises of lesson 2: the conductances of a cell of one's own, and what a posterior of them is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import norm

from helpers.inference.cache import load_or_train
from helpers.inference.diagnostics.predictive import PredictiveCheck, predictive_check
from helpers.inference.lif.problem import WIDE_PRIOR, LifExperiment
from helpers.inference.lif.statistics import lif_statistic_names, lif_statistics
from helpers.inference.posterior import Posterior
from helpers.inference.priors import Prior, box_prior
from helpers.inference.references.local_gaussian import LocalGaussian, local_gaussian
from helpers.inference.shipped import RECIPES
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary_statistics
from helpers.simulation.trace import Trace
from helpers.validation import number, numbers, one_of

from .sheet import Sheet, Verdict, close, exercise, hint, needs, right, slip

__all__ = ["Lesson2"]

STIMULUS = step(3.248, 10.0, 110.0)  # of the shipped network
AMPLITUDES = (2.0, 3.248, 5.0, 8.0, 12.0)  # µA/cm²
LEVELS = (0.5, 0.8, 0.95)
KEPT = 20


def _kept(sheet: Lesson2, rejection: Callable[..., np.ndarray]) -> list[Any]:
    return [rejection(sheet.theta.copy(), sheet.x.copy(), sheet.x_o.copy(), KEPT)]


def _coverages(sheet: Lesson2, coverage: Callable[..., float]) -> list[Any]:
    draws, truths = sheet.many_posteriors
    return [[coverage(draws.copy(), truths.copy(), level) for level in LEVELS]]


class Lesson2(Sheet):
    """The exercises of lesson 2 with the values of one student. `seed` is the student number."""

    lesson = 2

    # ------------------------------------------------------------------------------------ what belongs to the student
    @cached_property
    def prior(self) -> Prior:
        """The prior of lesson 2: every pair of g_Na and g_K in a box is equally likely."""
        return box_prior(Pospischil, ["g_Na", "g_K"])

    @cached_property
    def posterior(self) -> Posterior:
        """The network of lesson 2 that was trained on the whole prior."""
        return load_or_train(RECIPES["conductances"])

    @cached_property
    def observed(self) -> Trace:
        """A trace of a cell of one's own, drawn from the middle of the prior."""
        return self._record(dict(zip(self.prior.names, self._secret, strict=True)), "observed")

    @property
    def x_o(self) -> np.ndarray:
        """The seven summary statistics of that trace."""
        return summary_statistics(self.observed)

    @cached_property
    def samples(self) -> np.ndarray:
        """2,000 draws of g_Na and g_K from the posterior, given that trace, (2000, 2)."""
        return self.posterior.sample(2000, self.x_o, seed=1)

    @cached_property
    def theta(self) -> np.ndarray:
        """1,000 pairs of g_Na and g_K from the prior, (1000, 2)."""
        return self.prior.draw(1000, seed=self._number("theta"))

    @cached_property
    def x(self) -> np.ndarray:
        """The summary statistics of simulations with them, (1000, 7)."""
        return simulate_many(
            Pospischil(), STIMULUS, self.prior.by_name(self.theta), 120.0, 0.025, seed=self._number("x")
        )

    @cached_property
    def two_cells(self) -> dict[str, float]:
        """How often each of two kinds of cell fires five spikes, and the share of cells that are of kind A."""
        random = self.random("two cells")
        values = random.integers(30, 61) / 200, random.integers(5, 16) / 200, random.choice([0.05, 0.1, 0.15, 0.2])
        return dict(zip(("A", "B", "share_A"), map(float, values), strict=True))

    @cached_property
    def ranks(self) -> dict[str, np.ndarray]:
        """Ranks (400,) of the truths among 99 posterior draws each, from four posteriors, "A" to "D"."""
        truth = self.random("ranks").standard_normal(400)
        centres = truth + self.random("centres").standard_normal(400)  # so that the posterior is as wide as its error
        at = {
            "good": norm.cdf(truth - centres),
            "wide": norm.cdf((truth - centres) / 1.8),
            "narrow": norm.cdf((truth - centres) / 0.5),
            "shifted": norm.cdf(truth - centres - 0.8),
        }
        return {letter: np.floor(100 * at[kind]).astype(int) for letter, kind in self._kinds.items()}

    @cached_property
    def many_posteriors(self) -> tuple[np.ndarray, np.ndarray]:
        """Draws from the posteriors of 300 trials, (300, 500), and the truths, (300,)."""
        random = self.random("many posteriors")
        width, shift = random.choice([0.6, 1.6]), random.choice([-0.5, 0.5])
        centres, truths = random.standard_normal((2, 300))
        return (centres + shift)[:, None] + width * random.standard_normal((300, 500)), centres + truths

    @cached_property
    def traces(self) -> dict[str, Trace]:
        """Traces of three cells, "A" to "C"; the leak of one of them is larger than in the model."""
        makes = [(38.0, 7.0), (44.0, 6.0), (52.0, 4.5)]
        return {
            name: self._record({"g_Na": g_Na, "g_K": g_K, "g_L": 0.12 if name == self._odd else 0.1}, name)
            for name, (g_Na, g_K) in zip("ABC", makes, strict=True)
        }

    @cached_property
    def next_amplitude(self) -> float:
        """The current [µA/cm²] of the next sweep of the cell."""
        return float(self.random("next").choice([5.0, 6.0, 7.0]))

    @cached_property
    def first_sweep(self) -> Trace:
        """A sweep of a cell of which nothing is known, under 3.248 µA/cm²."""
        return self._record(self._unknown_cell, "first sweep")

    @cached_property
    def next_sweep(self) -> Trace:
        """A sweep of the same cell under `next_amplitude`."""
        return self._record(self._unknown_cell, "next sweep", self.next_amplitude)

    @cached_property
    def typical_cell(self) -> dict[str, float]:
        """A cell near which recordings are planned; its number of spikes is the same under small changes."""
        random = self.random("typical cell")
        while True:
            g_Na, g_K = random.integers(44, 57), random.integers(42, 60) / 10
            cells = {"g_Na": g_Na + np.repeat([-0.5, 0.0, 0.5], 30), "g_K": g_K + np.tile([-0.05, 0.0, 0.05], 30)}
            counts = [self._under(amplitude, cells, seed=0)[:, 0] for amplitude in AMPLITUDES]
            if all(np.ptp(each) == 0 for each in counts):
                return {"g_Na": float(g_Na), "g_K": float(g_K)}

    @cached_property
    def settled(self) -> dict[int, np.ndarray]:
        """Where V settles [mV] at 0 and at 200 pA, for each of 100 integrate-and-fire neurons."""
        experiment = LifExperiment(currents=(200.0, 0.0))
        x = lif_statistics(experiment, experiment.simulate(WIDE_PRIOR, self._lif_truths, self._number("settled")))
        names = lif_statistic_names(experiment)
        return {current: x[:, names.index(f"settled at {current} pA")] for current in (0, 200)}

    # ---------------------------------------------------------------------------------------------------- experiments
    def plan(self, amplitude: float) -> LocalGaussian:
        """Return the posterior that a step of `amplitude` [µA/cm²] into the typical cell gives; see its `sd`."""
        amplitude = number("amplitude", amplitude, "µA/cm²", low=0.5, high=20.0)

        def run(theta: np.ndarray, seed: int) -> np.ndarray:
            return self._under(amplitude, self.prior.by_name(theta), seed)

        at = np.array(list(self.typical_cell.values()))
        x_o = run(at[None], seed=0)[0]
        return local_gaussian(run, self.prior, at, x_o, seed=3, step=np.array([0.5, 0.05]), repeats=200)

    def predict(self, theta: np.ndarray, observed: Trace, amplitude: float = 3.248) -> PredictiveCheck:
        """Simulate draws `theta` (n, 2) under a step of `amplitude` [µA/cm²] and compare them with a trace."""
        stimulus = step(number("amplitude", amplitude, "µA/cm²"), 10.0, 110.0)
        return predictive_check(Pospischil(), stimulus, self.prior, theta, observed, seed=4, dt=0.02)

    # --------------------------------------------------------------------------------------------------------- checks
    @exercise()
    def check_bayes(self, probability: float) -> Verdict:
        """The probability that a cell that fired five spikes is of kind A."""
        probability = number("probability", probability)
        A, B, share = self.two_cells.values()
        wanted = A * share / (A * share + B * (1.0 - share))
        if close(probability, wanted, absolute=0.005):
            return right(f"{probability:.3f}: more than the {share:g} of before, less than the likelihoods alone say.")
        slips = {
            A / (A + B): "that is for two kinds that are equally common: the prior is missing.",
            A * share: "that is the probability of both. Divide by that of five spikes, from A or from B.",
            1.0 - wanted: "that is the probability of kind B.",
            A: "that is the probability of five spikes if the cell is of kind A, the likelihood.",
            100.0 * wanted: "give it as a number from 0 to 1.",
        }
        return slip(probability, slips, "P(A | five) = P(five | A)·P(A) / P(five), and P(five) sums over A and B.")

    @exercise(_kept)
    def check_rejection(self, kept: list[list[float]]) -> Verdict:
        """The parameters of the simulations that are nearest to the observation."""
        found = numbers("the result", kept, shape=(None, None))
        needs(found.shape[1] == 2, "return rows of theta, with a g_Na and a g_K each.")
        needs(len(found) == KEPT, f"{len(found)} rows came back; asked are the {KEPT} nearest (the last argument).")
        distance = (self.x - self.x_o) / self.x.std(axis=0)
        if _same(found, self._nearest(np.square(distance).sum(axis=1))):
            mean, sd = found.mean(axis=0), found.std(axis=0)
            return right(f"g_Na = {mean[0]:.0f} ± {sd[0]:.0f}, g_K = {mean[1]:.1f} ± {sd[1]:.1f} mS/cm², no network.")
        slips = {
            "these are the farthest ones.": -np.square(distance).sum(axis=1),
            "the variance, in the hundreds, decides alone: divide each statistic by its SD over all simulations.":
                np.square(self.x - self.x_o).sum(axis=1),
            "distances count whatever their sign: square them before you add them up.": distance.sum(axis=1),
        }  # fmt: skip
        words = (words for words, key in slips.items() if _same(found, self._nearest(key)))
        return hint(next(words, "other rows are nearer: argsort the distances, and take the first of them."))

    @exercise()
    def check_ratio(self, sd: float, times: float) -> Verdict:
        """The SD of g_Na/g_K, and how many times as wide it would be without the correlation."""
        g_Na, g_K = self.samples.T
        wanted = float((g_Na / g_K).std())
        relative = g_Na.std() / g_Na.mean(), g_K.std() / g_K.mean()
        apart = float((g_Na / g_K).mean() * np.hypot(*relative))  # propagation of errors, to first order
        sd, times = number("the SD", sd), number("times", times)
        if close(sd, wanted, 0.05):
            if close(times, apart / wanted, 0.15):
                return right(f"{wanted:.2f}, and {times:.1f} times as much for a reader who is given two SDs only.")
            return hint("the SD is right. For `times`, shuffle one column: it keeps its SD, and the correlation goes.")
        slips = {
            wanted**2: "that is the variance.",
            apart: "that is the SD without the correlation: take both conductances from the same draw.",
            float(g_Na.std() / g_K.std()): "the SD of a ratio is not the ratio of two SDs.",
        }
        return slip(sd, slips, "the ratio of each draw is a draw of the ratio; take the SD of those.", 0.04)

    @exercise()
    def check_mystery(self, intervals: list[list[float]]) -> Verdict:
        """Central 95 % intervals of g_Na and g_K."""
        found = numbers("the intervals", intervals, "mS/cm²", shape=(None, None))
        needs(found.shape == (2, 2), f"shape {found.shape}; needed: (lower, upper) for g_Na, then for g_K.")
        needs(
            bool((found[:, 0] < found[:, 1]).all()), "(lower, upper) for g_Na, then for g_K: a lower end comes first."
        )
        if self._agree(found, 95.0):
            inside = [low <= true <= high for (low, high), true in zip(found, self._secret, strict=True)]
            return right(f"{sum(inside)} of 2 hold the true value. Over many cells, one in twenty should not.")
        for level in (50.0, 68.0, 90.0, 99.0):
            needs(not self._agree(found, level), f"these are intervals of {level:g} %.")
        names = [name for name, fits in zip(self.prior.names, self._fits(found, 95.0), strict=True) if not fits]
        return hint(f"{' and '.join(names)}: not the central 95 % of the draws. What share lies below the lower end?")

    @exercise()
    def check_amplitude(self, amplitude: float) -> Verdict:
        """The amplitude [µA/cm²] of the five that tells most about g_Na."""
        needs(amplitude in AMPLITUDES, f"choose among {', '.join(f'{one:g}' for one in AMPLITUDES)} µA/cm².")
        sd = {other: float(self.plan(other).sd[0]) for other in AMPLITUDES}
        better = sum(other < 0.93 * sd[amplitude] for other in sd.values())  # the SDs are known to a few per cent
        if better:
            return hint(f"SD {sd[amplitude]:.3f} at {amplitude:g} µA/cm²; at {better} of the other four it is less.")
        return right(f"g_Na is known to {sd[amplitude]:.3f} mS/cm², at worst to {max(sd.values()):.3f}.")

    @exercise()
    def check_diagnosis(self, kinds: dict[str, str]) -> Verdict:
        """For each of "A" to "D": "good", "wide", "narrow" or "shifted"."""
        needs(isinstance(kinds, dict) and set(kinds) == set("ABCD"), 'give a word for each of "A", "B", "C" and "D".')
        for letter in "ABCD":
            one_of(letter, kinds[letter], ("good", "wide", "narrow", "shifted"))
        wrong = [letter for letter in "ABCD" if kinds[letter] != self._kinds[letter]]
        if not wrong:
            return right("flat, a hill, a U and a slope: learn these four pictures by heart.")
        if {kinds[letter] for letter in wrong} == {"wide", "narrow"}:
            return hint("too narrow a posterior leaves truths outside, at the ends of the ranks. Which one is that?")
        return hint(f"{', '.join(wrong)}: do the truths lie in the middle of the draws, outside, or to one side?")

    @exercise(_coverages)
    def check_coverage(self, found: list[float]) -> Verdict:
        """How often the central interval of the draws holds the truth."""
        values = numbers("the coverage", found, shape=(len(LEVELS),))
        draws, truths = self.many_posteriors
        wanted = np.array([_covered(draws, truths, 0.5 - level / 2, 0.5 + level / 2) for level in LEVELS])
        if np.allclose(values, wanted, atol=0.01):
            kind = "too narrow" if wanted[1] < 0.8 else "too wide"
            shares = ", ".join(f"{share:.0%}" for share in wanted)
            return right(f"{shares}, and 50%, 80%, 95% were promised: this posterior is {kind}.")
        slips = {
            "that is the share of truths outside.": 1.0 - wanted,
            "that is in per cent; return a share from 0 to 1.": 100.0 * wanted,
            "that is how many; divide by the number of trials.": len(truths) * wanted,
            "a central interval leaves half of the rest on either side: for 0.8, from 0.1 to 0.9.":
                np.array([_covered(draws, truths, 0.0, level) for level in LEVELS]),
            "one interval per trial: axis=1, over the draws of that trial.":
                np.array([_covered(draws.ravel()[None], truths, 0.5 - level / 2, 0.5 + level / 2) for level in LEVELS]),
        }  # fmt: skip
        words = (words for words, other in slips.items() if np.allclose(values, other, atol=0.01))
        return hint(next(words, "take two quantiles of each row of draws, and count the truths between them."))

    @exercise()
    def check_odd(self, name: str) -> Verdict:
        """Which of the three cells, "A", "B" or "C", is not one of the model's."""
        if one_of("the cell", name, "ABC") == self._odd:
            return right(f"{name}: the statistics agree, but its spikes come at other times than those of the draws.")
        return hint(f"{name} is one of ours. Look at both p; one small p of six can be chance.")

    @exercise()
    def check_next(self, p: float, holds: bool) -> Verdict:
        """The mid-rank of the next sweep's spike count among the predicted ones, and whether the model holds up."""
        needs(isinstance(holds, bool), "the second answer is True or False.")
        p = number("p", p, low=0.0, high=1.0)
        draws = self.posterior.sample(100, summary_statistics(self.first_sweep), seed=9)
        wanted = self.predict(draws, self.next_sweep, self.next_amplitude).p_count
        if abs(p - wanted) > 0.2:
            repeated = self.predict(draws, self.first_sweep).p_count
            same = abs(p - repeated) < 0.1 and abs(wanted - repeated) > 0.2
            return hint("that is the first sweep, which the posterior has seen." if same else f"p is not near {p:g}.")
        if holds != (0.025 < wanted < 0.975):
            return hint("the number is right. Would a model that holds up give it, once in twenty times or more often?")
        held = "it holds up" if holds else "one sweep did not show that the model is wrong, the second one does"
        return right(f"p = {wanted:.2f}: {held}.")

    @exercise()
    def check_leak(self, g_L: list[float], E_L: list[float]) -> Verdict:
        """The leak conductances [nS] and reversal potentials [mV] of the integrate-and-fire neurons."""
        n = len(self._lif_truths)
        g, E = numbers("g_L", g_L, "nS", shape=(None,)), numbers("E_L", E_L, "mV", shape=(None,))
        needs(len(g) == len(E) == n, f"an array of {n} numbers each is needed, one for each neuron.")
        true_g, true_E = (self._lif_truths[:, WIDE_PRIOR.names.index(name)] for name in ("g_L", "E_L"))
        needs(_off(E, true_E) < 0.3, "E_L: without a current nothing but the leak is left. Where does V settle then?")
        if _off(g, true_g) < 0.5:
            return right("two numbers, and no network: the right experiment makes inference easy.")
        slips = {
            "g_L has the wrong sign.": -true_g,
            "that is 1/g_L, a resistance.": 1.0 / true_g,
            "the current shifts V from where it settles without one, not from 0 mV.": 200.0 / np.abs(self.settled[200]),
        }
        near = (words for words, other in slips.items() if _off(g / other, np.ones(n)) < 0.05)
        return hint(next(near, "E_L is right. By Ohm's law 200 pA shift V by 200/g_L mV."))

    # ---------------------------------------------------------------------------------------------------- the answers
    def _number(self, what: str) -> int:
        return int(self.random(what).integers(2**31))

    @cached_property
    def _secret(self) -> tuple[float, float]:
        random = self.random("secret")
        return float(random.uniform(40.0, 60.0)), float(random.uniform(4.0, 7.0))

    @cached_property
    def _kinds(self) -> dict[str, str]:
        kinds = self.random("kinds").permutation(["good", "wide", "narrow", "shifted"])
        return dict(zip("ABCD", map(str, kinds), strict=True))

    @cached_property
    def _odd(self) -> str:
        return str(self.random("odd").choice(list("ABC")))

    @cached_property
    def _unknown_cell(self) -> dict[str, float]:
        random = self.random("unknown")
        model_is_right = bool(random.integers(2))
        return {"g_Na": 50.0, "g_K": float(random.uniform(4.5, 5.5)), "g_M": 0.07 if model_is_right else 0.05}

    def _under(self, amplitude: float, cells: dict[str, np.ndarray], seed: int) -> np.ndarray:
        """The statistics of cells under a step."""
        return simulate_many(Pospischil(), step(amplitude, 10.0, 110.0), cells, 120.0, 0.025, seed=seed)

    @cached_property
    def _lif_truths(self) -> np.ndarray:
        return WIDE_PRIOR.draw(100, seed=self._number("lif"))

    def _record(self, parameters: dict[str, float], what: str, amplitude: float = 3.248) -> Trace:
        cell, stimulus = replace(Pospischil(), **parameters), step(amplitude, 10.0, 110.0)
        whole = simulate(cell, stimulus, 120.0, seed=self._number(what))
        return replace(whole, states={"V": whole.V}, currents={})

    def _nearest(self, key: np.ndarray) -> np.ndarray:
        return self.theta[np.argsort(key)[:KEPT]]

    def _fits(self, intervals: np.ndarray, level: float) -> np.ndarray:
        ends = np.percentile(self.samples, [50.0 - level / 2, 50.0 + level / 2], axis=0).T
        return (np.abs(intervals - ends) < 0.3 * self.samples.std(axis=0)[:, None]).all(axis=1)

    def _agree(self, intervals: np.ndarray, level: float) -> bool:
        return bool(self._fits(intervals, level).all())


def _same(rows: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether the rows are the same, in whatever order."""
    return bool(np.allclose(np.sort(rows, axis=0), np.sort(wanted, axis=0), rtol=1e-6))


def _covered(draws: np.ndarray, truths: np.ndarray, low: float, high: float) -> float:
    ends = np.quantile(draws, [low, high], axis=1)
    return float(np.mean((ends[0] <= truths) & (truths <= ends[1])))


def _off(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.median(np.abs(found - truth)))
