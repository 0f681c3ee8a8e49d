"""Hostile input to what notebook 3 uses: units, activations, spiking networks, codes, learning rules, the teacher."""

# ruff: noqa: E501  (the tables below: one function per line)

from functools import partial

import numpy as np
import torch
from hypothesis import strategies as st
from support.strategies import Drawn, Kind, always, array, both_lengths, choice, number, seed, target, thing, whole
from torch import nn

from helpers.artificial.activations import Tabulated, as_activation, dead_units, hidden_layer, silence
from helpers.artificial.decoding import Responses, confusion, decode, information, respond
from helpers.artificial.distillation import Lesson, Marks, Student, learn, mark, probabilities, teach
from helpers.artificial.learning_rules import (
    Learned,
    learn_by,
    perturbation_noise,
    start_weights,
    weight_perturbation,
)
from helpers.artificial.rate_laws import (
    RATE_LAWS,
    Fit,
    explained,
    fit_activation,
    lif_rate,
    lif_rheobase,
)
from helpers.artificial.separability import band_separable, separable
from helpers.artificial.spiking import SpikingClassifier, gradient_through_time, price_of_spikes, spike_cost
from helpers.artificial.tasks import Task, digits, which_first
from helpers.artificial.training import History, accuracy, compare, train
from helpers.experiments.f_I import measure_f_I
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire, Pospischil

HH, LIF = HodgkinHuxley(), LeakyIntegrateAndFire()
DRAW = torch.Generator().manual_seed(0)
TASK = Task(
    torch.randn(40, 3, generator=DRAW), torch.arange(40) % 2, torch.randn(20, 3, generator=DRAW), torch.arange(20) % 2
)
WEIGHTS = start_weights(3, 4, 2, 1)
X, Y = TASK.x_train, TASK.y_train
LESSON = Lesson(np.random.default_rng(0).normal(size=2000), (np.random.default_rng(1).random(2000) < 0.05).astype(int))
RESPONSES = Responses(np.repeat([0, 1], 20), np.sort(np.random.default_rng(1).uniform(1.0, 90.0, (40, 40)), axis=1))


class Leaky(nn.Module):
    """A layer of units that spike where their input is above 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(9.0 * x)


def tabulated(z: np.ndarray, values: np.ndarray) -> torch.Tensor:
    return Tabulated(z, values)(torch.linspace(-2.0, 2.0, 9))


def activation(currents: np.ndarray, rates: np.ndarray, zero: float, one: float, spacing: float) -> torch.Tensor:
    return as_activation(currents, rates, zero, one, spacing)(torch.linspace(-2.0, 2.0, 9))


def trained(**settings: object) -> History:
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


def truths(n: int) -> Kind:
    """Yes or no for each sample."""
    good = st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)
    wrong = (None, "ab", np.full(n, np.nan), [True] * (n + 1), [], np.ones((n, 2), bool))
    return Kind(good, st.sampled_from(wrong).map(lambda value: Drawn(value, refused=True)))


CURVE = {"currents": grid(12, 0.0, 20.0), "rates": array(12, low=0.0, high=100.0)}
RATE = {"named": {"currents": "currents|amplitude|unstable", "seconds": "seconds|duration|stop"}}
TARGETS = [
    target(measure_f_I, 100, neuron=thing(HH), currents=array(3, low=0.0, high=20.0), seconds=number(0.02, 0.02, slow=(1.0, 1e4)), like=RATE),
    target(lif_rate, 200, neuron=thing(LIF), currents=array(9, low=0.0, high=900.0)),
    target(lif_rheobase, 20, neuron=thing(LIF)),
    target(explained, 200, rates=array(9, low=0.0, high=90.0), predicted=array(9, low=0.0, high=90.0), like={"named": {"rates": "rates|predicted"}}),
    target(partial(fit_activation, "ReLU"), 25, **CURVE, like={"name": "fit_activation", "compare": False, "covers": (fit_activation,)}),
    target(fit_activation, 60, name=choice(*RATE_LAWS), currents=always(np.arange(9.0)), rates=always(np.arange(9.0)), like={"name": "fit_activation's law", "named": {"name": "activation"}}),
    target(Fit("LIF", 90.0, 1.0, 2.0, 1.0, 5.0), 150, currents=array(9, low=0.0, high=20.0), like={"name": "Fit", "covers": (Fit,)}),
    target(tabulated, 200, z=grid(9, -1.0, 1.0), values=array(9, low=0.0, high=2.0), like={"name": "Tabulated", "covers": (Tabulated,), "named": {"values": "values|z"}}),
    target(activation, 250, **CURVE, zero=number(0.0, 5.0), one=number(8.0, 15.0), spacing=number(0.01, 0.1, slow=(1e-9, 1e-3)), like={"name": "as_activation", "covers": (as_activation,), "named": {"rates": "rates?|values", "currents": "currents|rates|zero|one|z", "one": "one|zero|spacing"}}),
    target(hidden_layer, 60, activation=always(nn.ReLU()), inputs=whole(1, 5, none_below=1), hidden=whole(1, 5, none_below=1), outputs=whole(1, 5, none_below=1)),
    target(dead_units, 20, network=thing(hidden_layer(nn.ReLU(), 3, 4, 2)), x=always(X)),
    target(silence, 20, network=thing(hidden_layer(nn.ReLU(), 3, 4, 2)), x=always(X)),
    target(partial(trained), 80, epochs=whole(1, 2, none_below=1), seed=seed(), rate=number(1e-3, 1e-2), batch=whole(5, 20, none_below=1), like={"name": "train", "covers": (train, hidden_layer), "named": {"rate": "rate"}}),
    target(accuracy, 20, network=thing(hidden_layer(nn.ReLU(), 3, 4, 2)), x=always(X), y=always(Y)),
    target(partial(compare, {"a": partial(hidden_layer, nn.ReLU(), 3, 4, 2)}, TASK, epochs=1), 20, seeds=always([1, 2]), rate=number(1e-3, 1e-2), like={"name": "compare", "covers": (compare,)}),
    target(History(np.array([1.0]), np.array([0.5])).epochs_to, 60, level=number(0.1, 0.9), like={"name": "History.epochs_to", "undefined": True}),
    target(which_first, 120, n=whole(1, 30, none_below=1), steps=whole(15, 30, none_below=2), longest=whole(1, 10, none_below=1), seed=seed()),
    target(digits, 15, seed=whole(0, 9, none_below=0)),
    target(SpikingClassifier, 40, layer=always(Leaky()), hidden=whole(1, 5, none_below=1), classes=whole(1, 5, none_below=1), steps=whole(1, 5, optional=True, none_below=1)),
    target(gradient_through_time, 20, layer=thing(Leaky()), x=always(torch.zeros(2, 3, 1))),
    target(spike_cost, 60, neuron=thing(HH), area=number(1e-6, 1e-4), free_energy=number(40.0, 60.0)),
    target(partial(price_of_spikes, lambda: SpikingClassifier(nn.Sequential(nn.Linear(2, 3), Leaky()), 3, 2), which_first(8, 12, 4)), 25, prices=array(1, low=0.0, high=0.1), seeds=always(range(1)), epochs=whole(1, 1, none_below=1), rate=number(1e-3, 1e-2), like={"name": "price_of_spikes", "covers": (price_of_spikes,)}),
    target(respond, 60, neuron=thing(Pospischil()), currents=array(2, low=0.0, high=5.0), trials=whole(1, 2, none_below=1), length=number(20.0, 20.0, slow=(1e3, 1e7)), seed=seed(), like={"named": {"currents": "currents|amplitude|unstable", "length": "length|duration|stop"}}),
    target(RESPONSES.code, 150, name=choice("count", "latency", "interval"), window=number(5.0, 90.0), like={"name": "Responses.code", "covers": (Responses,), "named": {"name": "code"}}),
    target(information, 200, table=array(3, 4, low=0.0, high=20.0)),
    target(confusion, 100, stimulus=labels(12), guess=labels(12)),
    target(decode, 60, features=array(40, 2, low=0.0, high=9.0), stimulus=labels(40), seed=seed(), neighbours=whole(3, 9, none_below=1)),
    target(separable, 150, x=array(4, 2, low=-1.0, high=1.0), y=truths(4), like={"named": {"x": "x|y"}}),
    target(band_separable, 60, x=array(4, 2, low=-1.0, high=1.0), y=truths(4), like={"named": {"x": "x|y"}}),
    target(start_weights, 60, inputs=whole(1, 5, none_below=1), hidden=whole(1, 5, none_below=1), classes=whole(1, 5, none_below=1), seed=seed()),
    target(weight_perturbation, 40, weights=always(WEIGHTS), x=always(X), y=always(Y), draw=always(DRAW), size=number(1e-3, 1e-2), like={"compare": False}),
    target(partial(perturbation_noise, WEIGHTS, X, Y), 40, draws=whole(2, 5, none_below=1), seed=seed(), like={"name": "perturbation_noise", "covers": (perturbation_noise,)}),
    target(learn_by, 100, rule=choice("backprop"), task=always(TASK), hidden=whole(2, 4, none_below=1), rate=number(0.01, 0.1), steps=whole(3, 5, none_below=1), seed=seed(), every=whole(1, 2, none_below=1), batch=whole(5, 9, none_below=1), like={"covers": (Learned,), "named": {"rate": "rate|loss|weights"}}),
    target(teach, 15, neuron=thing(HH), seconds=whole(1, 1, none_below=1), seed=seed()),
    target(Student, 40, depth=whole(0, 2, none_below=0), width=whole(2, 4, none_below=1), like={"covers": (learn,)}),
    target(partial(probabilities, Student(0)), 100, current=array(200, low=-20.0, high=20.0), like={"name": "probabilities", "covers": (probabilities,)}),
    target(partial(mark, Student(0), LESSON), 40, window=whole(50, 200, none_below=1), like={"name": "mark", "covers": (mark, Marks)}),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
