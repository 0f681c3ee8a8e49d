"""Typical wrong answers get the hint that helps."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from helpers import HodgkinHuxley, exercises
from helpers.artificial import lif_rate, lif_rheobase, mutual_information, weight_perturbation
from helpers.exercises.lesson_1 import Lesson1
from helpers.exercises.lesson_2 import Lesson2
from helpers.exercises.lesson_3 import Lesson3


@cache
def sheet(lesson: int) -> exercises.Sheet:
    return (Lesson1, Lesson2, Lesson3)[lesson - 1](5)


def nernst(mine: Lesson1, kelvin: float, log=np.log) -> float:
    return 1000 * 8.314 * kelvin / 96485 * log(mine.potassium["outside"] / mine.potassium["inside"])


def kelvin(mine: Lesson1) -> float:
    return mine.potassium["temperature"] + 273.15


def lif_current(mine: Lesson1, t_ref: float) -> float:
    q = np.exp((1000 / mine.target_rate - t_ref) / mine.lif.tau_m)
    return mine.lif.g_L * (q * (mine.lif.V_th - mine.lif.E_L) - (mine.lif.V_reset - mine.lif.E_L)) / (q - 1)


def late_share(mine: Lesson1) -> float:
    """The share that the drug blocks, whichever channel it is."""
    taken = {bath: mine.clamped(10.0)[1] - mine.clamped(10.0, bath)[1] for bath in ("drug", "TTX", "TEA")}
    fits = [np.linalg.lstsq(taken[bath][:, None], taken["drug"], rcond=None)[:2] for bath in ("TTX", "TEA")]
    return float(min(fits, key=lambda fit: fit[1])[0][0])


def blocked(mine: Lesson1) -> str:
    return next(name for name in ("Na", "K") if "channel is right" in told(mine, "drug", name, -9.0))


def told(mine: exercises.Sheet, name: str, *answers: object) -> str:
    """What the check says, and that it is a hint."""
    verdict = getattr(mine, f"check_{name}")(*answers)
    assert verdict.state == "hint" and not verdict
    return verdict.words


FIRST = [
    ("nernst", lambda mine: -nernst(mine, kelvin(mine)), "the sign"),
    ("nernst", lambda mine: nernst(mine, kelvin(mine)) / 1000, "in volts"),
    ("nernst", lambda mine: nernst(mine, kelvin(mine), np.log10), "natural"),
    ("nernst", lambda mine: nernst(mine, mine.potassium["temperature"]), "kelvin"),
    ("nernst", lambda mine: round(-nernst(mine, kelvin(mine))), "the sign"),
    ("nernst", lambda mine: round(nernst(mine, kelvin(mine))) / 1000, "in volts"),
    ("nernst", lambda mine: round(-nernst(mine, kelvin(mine))) / 1000, "in volts, and the sign"),
    ("nernst", lambda mine: -77.7, "write E = "),
    ("nernst", lambda mine: "-90", "not a number"),
    ("rheobase", lambda mine: 1.0, "larger"),
    ("rheobase", lambda mine: 9.0, "smaller"),
    ("rheobase", lambda mine: 1e9, "allowed: from -200 to 1000"),
    ("three", lambda mine: 2.0, "more current"),
    ("three", lambda mine: 20.0, "less current"),
    ("rise", lambda mine: 5, "can be slower"),
    ("rise", lambda mine: 100, "too slow"),
    ("rise", lambda mine: 1, "before the membrane is charged"),
    ("rebound", lambda mine: (-0.5, "n"), "pull harder"),
    ("rebound", lambda mine: (-10.0, "n"), "less pull as well"),
    ("rebound", lambda mine: (2.8, "n"), "allowed: from -100 to 0"),
    ("intervals", lambda mine: (3.0, 3.2), "too early"),
    ("intervals", lambda mine: (15.0, 3.2), "0.1 ms less as well"),
    ("charge", lambda mine: lambda trace: -np.trapezoid(trace.I_Na[0] - trace.I_Na, trace.t), "the sign"),
    ("charge", lambda mine: lambda trace: np.trapezoid(-trace.I_Na, trace.t), "at rest"),
    ("charge", lambda mine: lambda trace: np.trapezoid(trace.I_Na, trace.t), "two things: the sign"),
    ("charge", lambda mine: lambda trace: np.sum(trace.I_Na[0] - trace.I_Na), "time step"),
    ("charge", lambda mine: lambda trace: trace.I_Ca, "your code stopped with AttributeError"),
    ("charge", lambda mine: 1400.0, "your code stopped with TypeError"),
    ("drug", lambda mine: ({"Na": "K", "K": "Na"}[blocked(mine)], 0.5), "when the current changes"),
    ("drug", lambda mine: (blocked(mine), 1 - late_share(mine)), "still open"),
    ("drug", lambda mine: (blocked(mine), 100 * late_share(mine)), "from 0 to 1"),
    ("drug", lambda mine: ("sodium", 0.5), "allowed: Na, K"),
    ("integrator", lambda mine: ("euler", 0.01), "wrong by"),
    ("integrator", lambda mine: ("euler", 0.1), "unstable"),
    ("integrator", lambda mine: ("rk6", 0.01), "cost less"),
    ("integrator", lambda mine: ("rk4", 0.03), "choose a step"),
    ("current", lambda mine: lif_current(mine, 0.0), "refractory time is missing"),
    ("current", lambda mine: lif_current(mine, 2.0) / mine.lif.g_L, "g_L is missing"),
    ("current", lambda mine: lif_current(mine, 2.0) + 5, "not near"),
    ("cell", lambda mine: {True: "Y", False: "X"}[mine.cells.has_M_current("X")], "record for longer"),
    ("cell", lambda mine: "Z", "allowed: X, Y"),
    ("neuron", lambda mine: exercises.Lesson1, "your class"),
    ("neuron", lambda mine: HodgkinHuxley, "the answer has another form|your code stopped"),
]
SECOND = [
    ("bayes", lambda mine: mine.two_cells["A"] / (mine.two_cells["A"] + mine.two_cells["B"]), "prior is missing"),
    ("bayes", lambda mine: mine.two_cells["A"] * mine.two_cells["share_A"], "probability of both"),
    ("bayes", lambda mine: mine.two_cells["A"], "the likelihood"),
    ("rejection", lambda mine: lambda theta, x, x_o, n: nearest(theta, x - x_o, n), "divide each statistic by its SD"),
    ("rejection", lambda mine: lambda theta, x, x_o, n: nearest(theta, (x - x_o) / x.std(axis=0), -n), "farthest"),
    ("rejection", lambda mine: lambda theta, x, x_o, n: theta[:5], "5 rows came back"),
    ("rejection", lambda mine: lambda theta, x, x_o, n: x[:n], "return rows of theta"),
    ("ratio", lambda mine: (np.divide(*mine.samples.T).var(), 3.0), "the variance"),
    ("ratio", lambda mine: (np.divide(*mine.samples.std(axis=0)), 3.0), "is not the ratio"),
    ("ratio", lambda mine: (np.divide(*mine.samples.T).std(), 1.0), "shuffle"),
    ("mystery", lambda mine: np.percentile(mine.samples, [16, 84], axis=0).T, "intervals of 68 %"),
    ("mystery", lambda mine: np.percentile(mine.samples, [2.5, 97.5], axis=0), "lower end|not the central"),
    ("mystery", lambda mine: ((1.0, 2.0), (5.0, 6.0)), "not the central 95 %"),
    ("amplitude", lambda mine: 2.0, "it is less"),
    ("amplitude", lambda mine: 4.0, "choose among"),
    ("diagnosis", lambda mine: dict.fromkeys("ABCD", "good"), "in the middle of the draws"),
    ("diagnosis", lambda mine: {"A": "good"}, 'each of "A", "B"'),
    ("coverage", lambda mine: lambda draws, truths, level: 80.0, "two quantiles"),
    ("coverage", lambda mine: lambda draws, truths, level: one_sided(draws, truths, level), "half of the rest"),
    ("coverage", lambda mine: lambda draws, truths, level: 100 * central(draws, truths, level), "in per cent"),
    ("coverage", lambda mine: lambda draws, truths, level: 1 - central(draws, truths, level), "outside"),
    ("odd", lambda mine: "D", "allowed: A, B, C"),
    ("next", lambda mine: (0.5, "yes"), "True or False"),
    ("next", lambda mine: (0.25, True), "p is not near|the first sweep"),
    ("leak", lambda mine: (np.full(100, 9.0), mine.settled[200]), "E_L: without a current"),
    ("leak", lambda mine: (200 / (mine.settled[0] - mine.settled[200]), mine.settled[0]), "wrong sign"),
    ("leak", lambda mine: ((mine.settled[200] - mine.settled[0]) / 200, mine.settled[0]), "a resistance"),
    ("leak", lambda mine: (9.0, -70.0), "allowed"),
]
THIRD = [
    ("rate", lambda mine: lambda neuron, I: float(lif_rate(neuron, [I])[0]) / 1000, "per ms"),
    ("rate", lambda mine: lambda neuron, I: float(lif_rate(neuron, [max(I, 1.01 * lif_rheobase(neuron))])[0]), "below"),
    ("rate", lambda mine: lambda neuron, I: float(lif_rate(replace(neuron, t_ref=0.0), [I])[0]), "refractory time"),
    ("unit", lambda mine: (0.1, 5.0), "b < 0"),
    ("unit", lambda mine: (-0.1, 5.0), "w should be positive"),
    ("unit", lambda mine: (0.01, -1.0), "are possible"),
    ("equal", lambda mine: (0.0, (50.0, 50.0)), "the bias alone"),
    ("equal", lambda mine: (50.0, (20.0, -20.0)), "two ways to silence it"),
    ("equal", lambda mine: (60.0, 5.0), "shape"),
    ("slope", lambda mine: lambda d, width: torch.sigmoid(d / width), "the sigmoid itself"),
    ("slope", lambda mine: lambda d, width: slope(d, width) * width, "inner derivative"),
    ("slope", lambda mine: lambda d, width: -slope(d, width), "positive"),
    ("slope", lambda mine: lambda d, width: d, "at d = 0"),
    ("information", lambda mine: lambda table: mutual_information(table) * np.log(2), "in nats"),
    ("information", lambda mine: lambda table: np.nan, "0·log"),
    ("information", lambda mine: lambda table: np.log2(len(table)), "a useless reader"),
    ("forget", lambda mine: 300.0, "between two spikes"),
    ("forget", lambda mine: float(mine.remember(398.0, 0.0).spike_times[5]) + 2.0, "of the interval"),
    ("MACs", lambda mine: mine.ATP_per_spike * 50 / 6.022e23 / 4.6e-12, "50 kJ are"),
    ("MACs", lambda mine: mine.ATP_per_spike * 50e3 / 6.022e23 * 1e12, "in pJ"),
    ("MACs", lambda mine: 1e9, "too large by a factor of about 10^"),
    ("MACs", lambda mine: -1.0, "too small."),
    ("trials", lambda mine: (average, 20), "more are needed"),
    ("trials", lambda mine: (lambda *given: average(*given[:4], 1), 290), "one estimate"),
    ("trials", lambda mine: (lambda *given: scaled(average(*given), 300), 300), "it is a sum"),
    ("trials", lambda mine: (average, 10**6), "allowed: an integer from 1 to 2000"),
]  # fmt: skip


def nearest(theta, distance, n):
    order = np.argsort(np.square(distance).sum(axis=1))
    return theta[order[:n] if n > 0 else order[n:]]


def central(draws, truths, level):
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return np.mean((low <= truths) & (truths <= high))


def one_sided(draws, truths, level):
    return np.mean((draws.min(axis=1) <= truths) & (truths <= np.quantile(draws, level, axis=1)))


def slope(d, width):
    s = torch.sigmoid(d / width)
    return s * (1 - s) / width


def average(weights, x, y, draw, trials):
    parts = [weight_perturbation(weights, x, y, draw) for _ in range(trials)]
    return tuple(torch.stack(each).mean(dim=0) for each in zip(*parts, strict=True))


def scaled(weights, factor):
    return tuple(factor * W for W in weights)


CASES = [(lesson, *case) for lesson, cases in enumerate((FIRST, SECOND, THIRD), 1) for case in cases]


@pytest.mark.parametrize(("lesson", "name", "answer", "words"), CASES, ids=[f"{n}-{e}-{w}" for n, e, _, w in CASES])
def test_a_typical_wrong_answer_gets_its_hint(lesson, name, answer, words):
    mine = sheet(lesson)
    given = answer(mine)
    several = isinstance(given, tuple) and name != "mystery"
    found = told(mine, name, *(given if several else (given,)))
    assert any(each in found for each in words.split("|")), found


def test_every_exercise_has_a_wrong_answer():
    for lesson in (1, 2, 3):
        assert {name for n, name, _, _ in CASES if n == lesson} == set(sheet(lesson).exercises())
