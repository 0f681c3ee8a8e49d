"""Hostile input to what notebook 3 uses: units, activations, spiking networks, codes, learning rules, the teacher."""

# ruff: noqa: E501  (the tables below: one function per line)

from functools import partial

import numpy as np
import torch
from hypothesis import strategies as st
from support.strategies import Drawn, Kind, always, array, both_lengths, choice, number, seed, target, thing, whole
from torch import nn

from helpers.artificial.activations import TabulatedActivation, as_activation, hidden_layer, silent_fraction
from helpers.artificial.decoding import Responses, decode, mutual_information, simulate_responses
from helpers.artificial.distillation import (
    Score,
    SpikeDataset,
    Student,
    evaluate_student,
    fit_student,
    make_spike_dataset,
    spike_probability,
)
from helpers.artificial.learning_rules import (
    RuleRun,
    initial_weights,
    perturbation_noise,
    train_by_rule,
    weight_perturbation,
)
from helpers.artificial.rate_laws import (
    RATE_LAWS,
    RateFit,
    fit_rate_law,
    lif_rate,
    lif_rheobase,
    r_squared,
)
from helpers.artificial.spiking import SpikingClassifier, gradient_through_time, spike_cost, sweep_spike_price
from helpers.artificial.tasks import Task, digits, pulse_order
from helpers.artificial.training import TrainingHistory, accuracy, compare, train
from helpers.experiments.f_I import measure_f_I
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire, Pospischil

HH, LIF = HodgkinHuxley(), LeakyIntegrateAndFire()
DRAW = torch.Generator().manual_seed(0)
TASK = Task(
    torch.randn(40, 3, generator=DRAW), torch.arange(40) % 2, torch.randn(20, 3, generator=DRAW), torch.arange(20) % 2
)
WEIGHTS = initial_weights(3, 4, 2, 1)
X, Y = TASK.x_train, TASK.y_train
LESSON = SpikeDataset(
    np.random.default_rng(0).normal(size=2000), (np.random.default_rng(1).random(2000) < 0.05).astype(int)
)
RESPONSES = Responses(np.repeat([0, 1], 20), np.sort(np.random.default_rng(1).uniform(1.0, 90.0, (40, 40)), axis=1))


class Leaky(nn.Module):
    """A layer of units that spike where their input is above 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(9.0 * x)


def tabulated(z: np.ndarray, values: np.ndarray) -> torch.Tensor:
    return TabulatedActivation(z, values)(torch.linspace(-2.0, 2.0, 9))


def activation(currents, rates, zero, one, spacing) -> torch.Tensor:
    return as_activation(currents, rates, zero, one, spacing)(torch.linspace(-2.0, 2.0, 9))


def trained(**settings: object) -> TrainingHistory:
    torch.manual_seed(0)
    return train(hidden_layer(nn.ReLU(), 3, 4, 2), TASK, **{"epochs": 1, "seed": 1, **settings})


def grid(n: int, low: float, high: float) -> Kind:
    """Evenly spaced numbers."""
    kind = array(n, low=low, high=high, rising=True)
    return Kind(st.just(np.linspace(low, high, n)), kind.hostile)


def labels(n: int) -> Kind:
    """Classes 0 and 1, both of which occur."""
    good = st.integers(0, 2**20).map(lambda number: np.random.default_rng(number).permutation(np.arange(n) % 2))
    wrong = (
        np.full(n, -1),
        np.arange(n) % 2 + 0.5,
        None,
        "ab",
        np.full(n, np.nan),
        np.arange(n)[:-1] % 2,
        [],
        np.zeros((n, 2), int),
        np.full(n, 10**9),
    )
    forms = st.sampled_from((list, tuple, np.int8, np.uint16, float))
    same = st.builds(
        lambda y, form: Drawn(form(y.tolist()) if form in (list, tuple) else y.astype(form), y), good, forms
    )
    return Kind(good, st.one_of(same, st.sampled_from(wrong).map(lambda value: Drawn(value, refused=True))))


CURVE = {"currents": grid(12, 0.0, 20.0), "rates": array(12, low=0.0, high=100.0)}
RATE = {"named": {"currents": "currents|amplitude|unstable", "seconds": "seconds|duration|stop"}}
TARGETS = [
    target(measure_f_I, 100, neuron=thing(HH), currents=array(3, low=0.0, high=20.0), seconds=number(0.02, 0.02, slow=(1.0, 1e4)), like=RATE),
    target(lif_rate, 200, neuron=thing(LIF), currents=array(9, low=0.0, high=900.0)),
    target(lif_rheobase, 20, neuron=thing(LIF)),
    target(r_squared, 200, rates=array(9, low=0.0, high=90.0), predicted=array(9, low=0.0, high=90.0), like={"named": {"rates": "rates|predicted"}}),
    target(partial(fit_rate_law, "ReLU"), 25, **CURVE, like={"name": "fit_rate_law", "compare": False, "named": {"currents": "currents|rates"}, "covers": (fit_rate_law,)}),
    target(fit_rate_law, 60, name=choice(*RATE_LAWS), currents=always(np.arange(9.0)), rates=always(np.arange(9.0)), like={"name": "fit_rate_law's law", "named": {"name": "rate law"}}),
    target(RateFit("LIF", 90.0, 1.0, 2.0, 1.0, 5.0), 150, currents=array(9, low=0.0, high=20.0), like={"name": "RateFit", "covers": (RateFit,)}),
    target(tabulated, 200, z=grid(9, -1.0, 1.0), values=array(9, low=0.0, high=2.0), like={"name": "TabulatedActivation", "covers": (TabulatedActivation,), "named": {"values": "values|z", "z": "z|values"}}),
    target(activation, 350, **CURVE, zero=number(0.0, 5.0, optional=True), one=number(8.0, 15.0, optional=True), spacing=number(0.01, 0.1, slow=(1e-9, 1e-3)), like={"name": "as_activation", "covers": (as_activation,), "named": {"rates": "rates?|values", "currents": "currents|rates|zero|one|z", "one": "one|zero|spacing"}}),
    target(hidden_layer, 60, activation=always(nn.ReLU()), inputs=whole(1, 5, none_below=1), hidden=whole(1, 5, none_below=1), outputs=whole(1, 5, none_below=1)),
    target(silent_fraction, 20, network=thing(hidden_layer(nn.ReLU(), 3, 4, 2)), x=always(X)),
    target(partial(trained), 80, epochs=whole(1, 2, none_below=1), seed=seed(), learning_rate=number(1e-3, 1e-2), batch=whole(5, 20, none_below=1), like={"name": "train", "covers": (train, hidden_layer), "named": {}}),
    target(accuracy, 20, network=thing(hidden_layer(nn.ReLU(), 3, 4, 2)), x=always(X), y=always(Y)),
    target(partial(compare, {"a": partial(hidden_layer, nn.ReLU(), 3, 4, 2)}, TASK, epochs=1), 20, seeds=always([1, 2]), learning_rate=number(1e-3, 1e-2), like={"name": "compare", "covers": (compare,)}),
    target(TrainingHistory(np.array([1.0]), np.array([0.5])).epochs_to, 60, level=number(0.1, 0.9), like={"name": "TrainingHistory.epochs_to", "undefined": True}),
    target(pulse_order, 120, n=whole(1, 30, none_below=1), steps=whole(15, 30, none_below=2), max_lag=whole(1, 10, none_below=1), seed=seed()),
    target(digits, 15, seed=whole(0, 9, none_below=0)),
    target(SpikingClassifier, 40, layer=always(Leaky()), hidden=whole(1, 5, none_below=1), classes=whole(1, 5, none_below=1), steps=whole(1, 5, optional=True, none_below=1)),
    target(gradient_through_time, 20, layer=thing(Leaky()), x=always(torch.zeros(2, 3, 1))),
    target(spike_cost, 60, neuron=thing(HH), area=number(1e-6, 1e-4), free_energy=number(40.0, 60.0)),
    target(partial(sweep_spike_price, lambda: SpikingClassifier(nn.Sequential(nn.Linear(2, 3), Leaky()), 3, 2), pulse_order(8, 12, 4)), 25, prices=array(1, low=0.0, high=0.1), seeds=always(range(1)), epochs=whole(1, 1, none_below=1), learning_rate=number(1e-3, 1e-2), like={"name": "sweep_spike_price", "covers": (sweep_spike_price,)}),
    target(simulate_responses, 60, neuron=thing(Pospischil()), currents=array(2, low=0.0, high=5.0), trials=whole(1, 2, none_below=1), length=number(20.0, 20.0, slow=(1e3, 1e7)), seed=seed(), like={"named": {"currents": "currents|amplitude|unstable", "length": "length|duration|stop"}}),
    target(RESPONSES.code, 150, name=choice("count", "latency", "interval"), window=number(5.0, 90.0), like={"name": "Responses.code", "covers": (Responses,), "named": {"name": "code"}}),
    target(mutual_information, 200, table=array(3, 4, low=0.0, high=20.0)),
    target(decode, 60, features=array(40, 2, low=0.0, high=9.0), stimulus=labels(40), seed=seed(), neighbours=whole(3, 9, none_below=1)),
    target(initial_weights, 60, inputs=whole(1, 5, none_below=1), hidden=whole(1, 5, none_below=1), classes=whole(1, 5, none_below=1), seed=seed()),
    target(weight_perturbation, 40, weights=always(WEIGHTS), x=always(X), y=always(Y), generator=always(DRAW), size=number(1e-3, 1e-2), like={"compare": False}),
    target(partial(perturbation_noise, WEIGHTS, X, Y), 40, draws=whole(2, 5, none_below=1), seed=seed(), like={"name": "perturbation_noise", "covers": (perturbation_noise,)}),
    target(train_by_rule, 100, rule=choice("backprop"), task=always(TASK), hidden=whole(2, 4, none_below=1), learning_rate=number(0.01, 0.1), steps=whole(3, 5, none_below=1), seed=seed(), every=whole(1, 2, none_below=1), batch=whole(5, 9, none_below=1), like={"covers": (RuleRun,), "named": {"learning_rate": "learning_rate|weights"}}),
    target(make_spike_dataset, 15, neuron=thing(HH), seconds=whole(1, 1, none_below=1), seed=seed()),
    target(Student, 40, depth=whole(0, 2, none_below=0), width=whole(2, 4, none_below=1), like={"covers": (fit_student,)}),
    target(partial(spike_probability, Student(0)), 100, current=array(200, low=-20.0, high=20.0), like={"name": "spike_probability", "covers": (spike_probability,)}),
    target(partial(evaluate_student, Student(0), LESSON), 40, window=whole(50, 200, none_below=1), like={"name": "evaluate_student", "covers": (evaluate_student, Score)}),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
