"""Hostile input to priors, training, posteriors, references, diagnostics, predictive checks and the LIF problem."""

# ruff: noqa: E501  (the tables below: one function per line)

from functools import partial

import numpy as np
from support.strategies import (
    Drawn,
    Kind,
    always,
    array,
    bad_whole,
    both_lengths,
    choice,
    number,
    seed,
    target,
    thing,
    whole,
)

from helpers.inference.density_estimators import Training, new_network
from helpers.inference.diagnostics.c2st import c2st
from helpers.inference.diagnostics.calibration import coverage, local_test, sbc, tarp
from helpers.inference.diagnostics.misspecification import misspecification
from helpers.inference.diagnostics.predictive import predictive_check
from helpers.inference.diagnostics.recovery import recovery, shrinkage, unidentified_parameters
from helpers.inference.diagnostics.spike_trains import interval_distance, spike_distance
from helpers.inference.diagnostics.statistic_information import statistic_information
from helpers.inference.diagnostics.trials import run_trials
from helpers.inference.embedding import Convolutional
from helpers.inference.importance import ImportancePosterior, importance_posterior
from helpers.inference.lif.likelihood import log_likelihood
from helpers.inference.lif.predictive import lif_check
from helpers.inference.lif.problem import PUBLISHED_PRIOR, LifExperiment, clipped_draws, lif_prior
from helpers.inference.lif.statistics import lif_statistic_names, lif_statistics
from helpers.inference.marginals import normal, uniform
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import Prior, box_prior, prior_of
from helpers.inference.references.local_abc import local_abc
from helpers.inference.references.local_gaussian import local_gaussian
from helpers.inference.references.region import find_region
from helpers.inference.references.rejection_abc import rejection_abc
from helpers.inference.references.synthetic_likelihood import synthetic_likelihood
from helpers.inference.rounds import truncated_rounds
from helpers.inference.sharpening import sharpened
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.widgets.conductances import attempt

PRIOR = box_prior(HodgkinHuxley, ["g_Na", "g_K"])
PULSE = step(10.0, 2.0, 6.0)
EXPERIMENT = LifExperiment(duration=20.0)
LIF_PRIOR = PUBLISHED_PRIOR
LIF_THETA = LIF_PRIOR.draw(12, 1)
LIF_X = EXPERIMENT.simulate(LIF_PRIOR, LIF_THETA, 1)
RNG = np.random.default_rng(0)
THETA = PRIOR.draw(60, 1)
X = THETA @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 2.0]]) + RNG.normal(size=(60, 3))
POSTERIOR = train_npe(PRIOR, THETA, X, 1, epochs=1, model="mdn")
TRIALS = run_trials(POSTERIOR, PRIOR, THETA, X, seed=1, samples=60)
OBSERVED = simulate(HodgkinHuxley(), PULSE, 10.0, 0.05, seed=1)


def gaussian(theta: np.ndarray, seed: int) -> np.ndarray:
    """A simulator: sums of the parameters with noise."""
    noise = np.random.default_rng(seed).normal(size=(len(theta), 3))
    return theta @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 2.0]]) + noise


REGION = find_region(gaussian, PRIOR, np.array([100.0, 90.0, 80.0]), seed=1, simulations=2000, accept=100)
LOCAL = local_gaussian(gaussian, PRIOR, np.array([100.0, 40.0]), np.array([100.0, 90.0, 80.0]), seed=1, repeats=100)


def inside(n: int, columns: tuple[float, ...] = (200.0, 80.0)) -> Kind:
    """Parameter sets inside the prior."""
    unit = array(n, len(columns), low=0.0, high=1.0) if n else array(len(columns), low=0.0, high=1.0)
    scale = np.array(columns)

    def scaled(drawn: Drawn) -> Drawn:
        return drawn

    return Kind(unit.good.map(lambda u: u * scale), unit.hostile.map(scaled))


def boxes(low: list[float], high: list[float]) -> Prior:
    return box_prior(HodgkinHuxley, ["g_Na", "g_K"], low, high)


def one(marginal: object) -> Prior:
    return prior_of(HodgkinHuxley, {"g_Na": marginal})


def flat(low: float, high: float) -> np.ndarray:
    return one(uniform(low, high)).draw(3, 1)


def bell(mean: float, sd: float, low: float, high: float) -> np.ndarray:
    return one(normal(mean, sd, low, high)).draw(3, 1)


def log_bell(mean: float, sd: float, low: float, high: float) -> np.ndarray:
    return one(normal(mean, sd, low, high, log=True)).draw(3, 1)


def density(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return PRIOR.contains(theta), PRIOR.check(theta)


def training(**settings: object) -> Training:
    return Training(**settings).for_simulations(100)


def npe(theta: np.ndarray, x: np.ndarray, seed: int) -> np.ndarray:
    return train_npe(PRIOR, theta, x, seed, epochs=1, model="mdn").log_prob(THETA[:2], np.asarray(x)[0])


def npe_settings(**settings: object) -> Posterior:
    return train_npe(PRIOR, THETA, X, **{"seed": 1, "epochs": 1, "model": "mdn", **settings})


def rounds(x_o: np.ndarray, **settings: object) -> int:
    usual = {"seed": 1, "n_round": 50, "n_final": 50, "budget": 110, "ensemble": 1, "epochs": 1, "model": "mdn"}
    return truncated_rounds(gaussian, PRIOR, x_o, **{**usual, **settings}).n_simulations


def weighted(x_o: np.ndarray, tolerance: np.ndarray, **settings: object) -> ImportancePosterior:
    return importance_posterior(gaussian, PRIOR, x_o, tolerance, **{"seed": 1, "n_first": 60, "batch": 20, **settings})


WEIGHTED = weighted(np.array([100.0, 90.0, 80.0]), np.full(3, 5.0), enough=5)
OUTSIDE = "x_o lies outside all simulations"
ON_BOUNDS = r"[\d,]+ of [\d,]+ simulations have a parameter exactly on a bound"
NAMED = {"low": "low|entry 0|mean", "high": "high|entry 1|mean", "sd": "sd", "mean": "mean"}
ENDS = {"low": number(0.0, 40.0, optional=True), "high": number(120.0, 200.0, optional=True)}
X_O = array(3, low=50.0, high=150.0)
SPIKES = array(6, low=0.0, high=90.0, rising=True, empty=True)
TARGETS = [
    target(flat, 150, **ENDS, like={"covers": (uniform, prior_of), "named": NAMED}),
    target(bell, 250, mean=number(60.0, 100.0), sd=number(1.0, 20.0), **ENDS, like={"covers": (normal,), "named": NAMED}),
    target(log_bell, 250, mean=number(60.0, 100.0), sd=number(0.1, 1.0), low=number(1.0, 40.0, optional=True), high=number(120.0, 200.0, optional=True), like={"named": NAMED}),
    target(boxes, 150, low=array(2, low=0.0, high=30.0, optional=True), high=array(2, low=40.0, high=80.0, optional=True), like={"covers": (box_prior,), "named": {"low": "low|lower|entry 0", "high": "high|upper|entry 1"}}),
    target(box_prior, 60, neuron=always(HodgkinHuxley), names=thing(["g_Na", "g_K"], but=(list, dict))),
    target(density, 250, theta=array(9, 2, low=0.0, high=80.0), like={"name": "Prior.check", "covers": (Prior,), "named": {"theta": "theta(\\[\\d+\\])?"}}),
    target(PRIOR.draw, 100, n=whole(1, 9, none_below=0), seed=seed(), first=whole(0, 9, none_below=0), like={"name": "Prior.draw"}),
    target(PRIOR.restricted, 100, lower=array(2, low=0.0, high=30.0, infinite=True), upper=array(2, low=40.0, high=80.0, infinite=True), like={"name": "Prior.restricted", "named": {"lower": "lower|low|g_Na|g_K", "upper": "upper|high|g_Na|g_K"}}),
    target(training, 200, epochs=whole(1, 9, optional=True, none_below=1), batch=whole(1, 99, none_below=1), learning_rate=number(1e-4, 1e-2), patience=whole(1, 9, none_below=1), held_out=number(0.1, 0.4), like={"name": "Training", "covers": (Training,)}),
    target(Convolutional, 100, filters=thing((2, 3)), width=whole(2, 5, none_below=1), strides=always((2, 2)), first=whole(1, 4, none_below=1), n_features=whole(1, 9, none_below=1), like={"compare": False, "named": {"width": "width|filters"}}),
    target(new_network, 40, model=choice("mdn"), n_parameters=whole(1, 3, none_below=1), n_statistics=whole(1, 3, none_below=1)),
    target(npe, 20, theta=array(60, 2, low=0.0, high=80.0), x=array(60, 3, low=0.0, high=9.0), seed=seed(), like={"name": "train_npe", "warns": f"{OUTSIDE}|{ON_BOUNDS}", "covers": (train_npe,), "compare": False, "named": {"theta": "theta(\\[\\d+\\])?|simulations", "x": "x(\\[\\d+\\])?|statistics|simulations"}}),
    target(npe_settings, 30, seed=seed(), model=choice("mdn"), ensemble=whole(1, 1, none_below=1), scaling=choice("auto"), epochs=whole(1, 1, none_below=1), batch=whole(10, 20, none_below=1), like={"name": "train_npe's settings", "compare": False}),
    target(partial(POSTERIOR.sample), 150, n=whole(1, 20, none_below=1), x_o=always(X[0]), seed=seed(), like={"name": "Posterior.sample", "covers": (Posterior,)}),
    target(partial(POSTERIOR.log_prob, x_o=X[0]), 150, theta=array(5, 2, low=0.0, high=80.0, infinite=True), like={"name": "Posterior.log_prob", "undefined": True, "warns": OUTSIDE}),
    target(partial(POSTERIOR.sample, 3, seed=1), 100, x_o=array(3, low=80.0, high=90.0), like={"name": "Posterior at x_o", "warns": OUTSIDE}),
    target(c2st, 25, a=array(60, 2, low=0.0, high=9.0), b=array(60, 2, low=0.0, high=9.0), seed=seed(), at_most=whole(60, 60, none_below=50), classifier=choice("rf"), like={"named": {"a": "a|b|samples", "b": "a|b|samples", "at_most": "at_most|samples"}}),
    target(partial(rejection_abc, PRIOR), 200, theta=array(60, 2, low=1.0, high=79.0), x=array(60, 3, low=0.0, high=9.0), x_o=array(3, low=0.0, high=9.0), accept=whole(10, 50, none_below=1), like={"name": "rejection_abc", "covers": (rejection_abc,), "named": {"theta": "theta(\\[\\d+\\])?"}}),
    target(partial(local_gaussian, gaussian, PRIOR), 60, theta=array(2, low=30.0, high=70.0), x_o=X_O, seed=seed(), repeats=whole(50, 60, none_below=2), like={"name": "local_gaussian", "covers": (local_gaussian,)}),
    target(partial(synthetic_likelihood, gaussian, PRIOR, LOCAL.x_o, LOCAL), 12, seed=seed(), points=whole(60, 60, none_below=1), repeats=whole(300, 300, none_below=1), degree=whole(2, 2, none_below=1), reach=number(4.5, 4.5, slow=(0.0, 1e12)), cells=whole(900, 1600, none_below=1), rounds=whole(6, 6, none_below=1), like={"name": "synthetic_likelihood", "covers": (synthetic_likelihood,), "compare": False, "named": {"seed": "seed"}}),
    target(partial(find_region, gaussian, PRIOR), 20, x_o=X_O, seed=seed(), simulations=whole(2000, 2000, none_below=1), accept=whole(100, 100, none_below=1), like={"name": "find_region", "covers": (find_region,), "compare": False}),
    target(partial(local_abc, gaussian, PRIOR, LOCAL.x_o, REGION), 20, seed=seed(), simulations=whole(3000, 3000, none_below=1), accept=whole(300, 300, none_below=1), reach=number(4.0, 5.0, slow=(0.0, 1e12)), like={"name": "local_abc", "covers": (local_abc,), "compare": False, "named": {"reach": "reach|region"}}),
    target(partial(LOCAL.sample, x_o=LOCAL.x_o), 60, n=whole(1, 9, none_below=1), seed=seed(), like={"name": "LocalGaussian.sample"}),
    target(partial(statistic_information, LOCAL, names=["a", "b", "c"]), 100, x=array(20, 3, low=0.0, high=9.0), like={"name": "statistic_information", "covers": (statistic_information,), "undefined": True}),
    target(partial(run_trials, LOCAL, PRIOR, samples=9), 20, theta=always(THETA), x=array(60, 3, low=0.0, high=9.0), seed=always(1), like={"name": "run_trials", "covers": (run_trials,), "named": {"x": "x(\\[\\d+\\])?|x_o"}}),
    target(partial(run_trials, POSTERIOR, PRIOR), 25, theta=array(25, 2, low=1.0, high=79.0), x=array(25, 3, low=50.0, high=90.0), seed=seed(), samples=whole(5, 9, none_below=1), like={"name": "run_trials of a network", "warns": OUTSIDE, "named": {"theta": "theta(\\[\\d+\\])?", "x": "x(\\[\\d+\\])?"}}),
    target(recovery, 15, trials=thing(TRIALS)),
    target(shrinkage, 15, trials=thing(TRIALS)),
    target(unidentified_parameters, 60, trials=thing(TRIALS), seed=bad_whole(1), observations=bad_whole(1), like={"warm": False}),
    target(sbc, 60, trials=always(TRIALS), seed=bad_whole(1), like={"warm": False}),
    target(coverage, 15, trials=thing(TRIALS)),
    target(tarp, 30, trials=always(TRIALS), seed=seed()),
    target(partial(local_test, TRIALS, POSTERIOR, X[0]), 60, seed=bad_whole(1), null=bad_whole(3), like={"name": "local_test", "warm": False, "warns": OUTSIDE, "covers": (local_test,)}),
    target(partial(misspecification, names=["a", "b", "c"]), 60, x=always(X), x_o=array(3, low=0.0, high=9.0), seed=seed(), like={"name": "misspecification", "covers": (misspecification,), "named": {"x_o": "x_o|simulations", "seed": "seed|simulations"}}),
    target(rounds, 30, x_o=X_O, seed=seed(), n_round=whole(50, 60, none_below=50), n_final=whole(50, 50, none_below=50), margin=number(0.5, 1.0), ensemble=whole(1, 1, none_below=1), like={"name": "truncated_rounds", "warns": "ended", "covers": (truncated_rounds,), "compare": False}),
    target(partial(sharpened, POSTERIOR, gaussian), 20, x_o=X_O, seed=seed(), budget=whole(400, 500, none_below=1), n_step=whole(100, 150, none_below=1), like={"name": "sharpened", "warns": "no parameters near the posterior|too few for the posterior|too wide to be sharpened", "covers": (sharpened,), "compare": False}),
    target(weighted, 60, x_o=X_O, tolerance=array(3, low=1.0, high=9.0), seed=seed(), budget=whole(80, 120, none_below=60), n_first=whole(60, 70, none_below=20), batch=whole(20, 30, none_below=10), enough=number(5.0, 20.0), searches=whole(0, 2), like={"name": "importance_posterior", "warns": ".*simulations are worth", "covers": (importance_posterior,), "compare": False}),
    target(partial(WEIGHTED.sample), 60, n=whole(1, 9, none_below=1), seed=seed(), like={"name": "ImportancePosterior.sample"}),
    target(partial(WEIGHTED.quantile), 60, q=array(3, low=0.0, high=1.0), like={"name": "ImportancePosterior.quantile"}),
    target(spike_distance, 250, a=SPIKES, b=SPIKES, window=number(0.5, 5.0)),
    target(interval_distance, 250, a=SPIKES, b=SPIKES),
    target(partial(predictive_check, HodgkinHuxley(), PULSE, PRIOR, observed=OBSERVED, dt=0.05), 40, theta=array(10, 2, low=30.0, high=79.0), seed=seed(), window=number(1.0, 3.0), like={"name": "predictive_check", "covers": (predictive_check,), "undefined": True, "named": {"theta": "theta(\\[\\d+\\])?"}}),
    target(partial(attempt, OBSERVED, PULSE), 60, scatter=array(7, low=1.0, high=9.0), g_Na=number(20.0, 50.0), like={"name": "attempt", "covers": (attempt,)}),
    target(lif_prior, 100, voltage_sd=number(1.0, 5.0, optional=True), membrane_sd=number(0.1, 0.5), like={"named": {"voltage_sd": "voltage_sd|sd", "membrane_sd": "membrane_sd|sd"}}),
    target(clipped_draws, 60, prior=thing(LIF_PRIOR), n=whole(1, 9, none_below=0), seed=seed()),
    target(LifExperiment, 250, currents=array(2, low=100.0, high=300.0), current_sd=number(1.0, 60.0), duration=number(10.0, 10.0), dt=number(0.2, 0.2), t_ref=number(1.0, 3.0), observation_noise=number(0.1, 2.0), version=choice("original", "corrected")),
    target(partial(EXPERIMENT.simulate, LIF_PRIOR), 60, theta=always(LIF_THETA), seed=seed(), like={"name": "LifExperiment.simulate"}),
    target(lif_statistic_names, 15, experiment=thing(EXPERIMENT), like={"covers": (lif_statistic_names,)}),
    target(partial(lif_statistics, EXPERIMENT), 120, x=array(2, 100, 2, low=-70.0, high=-60.0), like={"name": "lif_statistics", "covers": (lif_statistics,)}),
    target(partial(log_likelihood, EXPERIMENT, LIF_PRIOR), 80, theta=always(LIF_THETA[:, None]), x=array(12, 100, 2, low=-70.0, high=-60.0), like={"name": "log_likelihood", "covers": (log_likelihood,), "undefined": True}),
    target(partial(lif_check, EXPERIMENT, LIF_PRIOR, LIF_THETA), 60, x_o=array(100, 2, low=-70.0, high=-60.0), seed=seed(), compared=whole(5, 10, none_below=2), like={"name": "lif_check", "covers": (lif_check,)}),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
