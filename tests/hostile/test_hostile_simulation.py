"""Hostile input to the simulator, networks, traces, statistics and scaling."""

# ruff: noqa: E501  (the tables below: one function per line)

from functools import partial

import numpy as np
import torch
from hypothesis import strategies as st
from support.strategies import Drawn, Kind, always, array, both_lengths, choice, number, seed, target, thing, whole

from helpers.inference.scaling import Scaling
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.arguments import (
    as_seed,
    as_stimulus,
    number_of_steps,
    prefixed,
    values_of_simulations,
)
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.connections import GapJunction, excitatory
from helpers.simulation.electrophysiology import FEATURES, features, measure_features, measure_spikes
from helpers.simulation.network import simulate_network
from helpers.simulation.single import simulate
from helpers.simulation.spikes import find_spikes
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import spike_timing, statistics_and_timing, summary_statistics
from helpers.simulation.trace import Trace

HH = HodgkinHuxley()
EVERY_FEATURE = features(*FEATURES)
PULSE = step(10.0, 1.0, 4.0)
STIMULUS = {
    "named": {
        "stimulus": "stimulus|samples|unstable",
        "initial_state": r"initial_state|initial_state\[.*\]",
        "duration": "duration|stop",
    }
}


def times(good: float) -> Kind:
    """A duration [ms], or one far too long."""
    return number(good, good, slow=(1e3, 1e7))


def steps(good: float) -> Kind:
    """A time step [ms] for `times`, or one far too short."""
    return number(good, good, slow=(1e-8, 1e-4))


def starts(*names: str) -> Kind:
    """Start values by name."""
    inner = number(-80.0, 0.0).hostile.map(
        lambda d: Drawn({"V": d.value}, None if d.plain is None else {"V": d.plain}, d.refused)
    )
    wrong = st.sampled_from(({"q": 1.0}, {3: 1.0}, 3, "V", [("V", -65.0)])).map(
        lambda value: Drawn(value, refused=True)
    )
    return Kind(st.fixed_dictionaries({name: st.floats(0.1, 0.9) for name in names}), st.one_of(inner, wrong))


def many(g_Na: np.ndarray, amplitude: np.ndarray, **others: object) -> np.ndarray:
    return simulate_many(
        HH, PULSE, {"g_Na": g_Na, "amplitude": amplitude}, **{"duration": 5.0, "dt": 0.05, "seed": 1, **others}
    )


def traces_of(g_Na: np.ndarray, **others: object) -> np.ndarray:
    return simulate_traces(HH, PULSE, {"g_Na": g_Na}, **others)


def statistics(t: np.ndarray, V: np.ndarray, start: float, stop: float) -> np.ndarray:
    return statistics_and_timing(Trace(t, {"V": V}, np.zeros(200), start, stop))


def features_of(t: np.ndarray, V: np.ndarray, start: float, stop: float) -> tuple:
    trace = Trace(t, {"V": V}, np.zeros(200), start, stop)
    measured = measure_features(trace)
    spikes = [dict(spike) for spike in measure_spikes(trace)]
    return dict(measured), dict(measured.absent), spikes, EVERY_FEATURE(trace)


def chosen(name: str, missing: float | None) -> tuple:
    summarise = features(name, missing=missing if missing is None or not isinstance(name, str) else {name: missing})
    return summarise.names, summarise.units


def trace_of(t: np.ndarray, V: np.ndarray, I: np.ndarray, start: float, stop: float) -> Trace:
    return Trace(t, {"V": V}, I, start, stop)


def scaling_of(x: np.ndarray, kind: str) -> tuple:
    scaling = Scaling.of(x, kind)
    rows = np.asarray(x, dtype=float).copy()
    return scaling(torch.as_tensor(rows)), scaling.outside(rows[0])


def pair(V_init: float, g: float, delay: float, **others: object) -> tuple[Trace, ...]:
    """Two neurons, joined both ways."""
    neurons = {"a": HodgkinHuxley(V_init=V_init), "b": HH}
    links = [GapJunction("a", "b", g), excitatory("a", "b", delay=delay)]
    return simulate_network(neurons, PULSE, links, **{"duration": 5.0, "dt": 0.05, **others})


T = always(np.arange(200) * 0.1)
TARGETS = [
    target(simulate, 300, neuron=thing(HH), stimulus=array(101, low=-5.0, high=5.0), duration=times(5.0),
           dt=steps(0.05), method=choice("exponential_euler"), seed=seed(optional=True), initial_state=starts("m", "h"),
           precision=choice("double"), like={"named": {**STIMULUS["named"], "dt": "dt|duration|samples", "duration": "duration|samples", "initial_state": r"initial_state|initial_state\[.*\]|V"}}),
    target(simulate, 150, neuron=thing(HH), stimulus=thing(PULSE), duration=times(5.0), dt=steps(0.05),
           seed=always(1), like={"name": "simulate a step", "named": {"duration": "duration|stop", "dt": "dt|duration", "stimulus": "stimulus|samples"}}),
    target(many, 250, g_Na=array(5, low=50.0, high=150.0), amplitude=array(5, low=0.0, high=20.0), like={"name": "simulate_many", "covers": (simulate_many,), "named": {"g_Na": "g_Na|parameters", "amplitude": "amplitude|parameters"}}),
    target(partial(many, np.array([100.0, 120.0]), np.array([5.0, 9.0])), 250, duration=times(5.0), dt=steps(0.05), seed=seed(optional=True),
           method=choice("exponential_euler"), precision=choice("double"), threads=whole(1, 3, optional=True, none_below=1), like={"name": "simulate_many's settings", "named": {"dt": "dt|duration", "duration": "duration|stop"}}),
    target(partial(traces_of, np.array([100.0, 120.0])), 200, duration=times(5.0), dt=steps(0.05), seed=seed(optional=True), sampling=number(0.1, 0.1, optional=True), method=choice("exponential_euler"),
           precision=choice("double"), threads=whole(1, 3, optional=True, none_below=1), like={"name": "simulate_traces", "covers": (simulate_traces,), "named": {"dt": "dt|duration|sampling", "duration": "duration|stop"}}),
    target(simulate_many, 60, neuron=thing(HH), stimulus=thing(PULSE), parameters=thing({"g_Na": [100.0, 90.0]}), duration=always(5.0), dt=always(0.05), seed=seed(optional=True), like={"name": "simulate_many's objects", "named": {"stimulus": "stimulus|samples"}}),
    target(pair, 300, V_init=number(-70.0, -60.0), g=number(0.0, 1.0), delay=number(0.5, 0.5), duration=times(5.0), dt=steps(0.05), method=choice("exponential_euler"), seed=seed(optional=True),
           like={"name": "simulate_network", "covers": (simulate_network,), "named": {"dt": "dt|duration", "duration": "duration|stop|delay", "V_init": "V_init|V", "g": "g|unstable"}}),
    target(simulate_network, 100, neurons=thing([HH, HH]), stimuli=thing(PULSE), connections=thing([], but=(list, dict, str)), duration=always(5.0), dt=always(0.05), like={"name": "simulate_network's objects", "named": {"stimuli": "stimuli|samples|stimulus|stimulus"}}),
    target(as_seed, 100, seed=whole(0, 2**31, optional=True, none_below=0)),
    target(number_of_steps, 150, duration=number(5.0, 5.0), dt=number(0.05, 0.05), method=choice("rk4"), neuron=always(HH), like={"named": {"dt": "dt|duration"}}),
    target(partial(as_stimulus, n_steps=20, dt=0.1), 150, stimulus=array(21, low=-5.0, high=5.0), like={"name": "as_stimulus", "covers": (as_stimulus,), **STIMULUS}),
    target(partial(values_of_simulations, HH, PULSE), 60, parameters=thing({"g_Na": [1.0, 2.0]}), like={"name": "values_of_simulations", "covers": (values_of_simulations, prefixed)}),
    target(trace_of, 300, t=always(np.arange(20.0)), V=array(20, low=-80.0, high=30.0), I=array(20, low=-9.0, high=9.0), start=number(1.0, 5.0), stop=number(6.0, 15.0), like={"name": "Trace", "covers": (Trace,), "named": {"start": "start|stimulus", "stop": "stop|stimulus"}}),
    target(trace_of, 100, t=array(20, low=0.0, high=19.0, rising=True), V=always(np.zeros(20)), I=always(np.zeros(20)), start=always(9.0), stop=always(10.0), like={"name": "Trace's times", "named": {"t": "t|trace"}}),
    target(find_spikes, 300, t=array(20, low=0.0, high=19.0, rising=True), V=array(20, low=-80.0, high=30.0), threshold=number(-50.0, 0.0), prominence=number(1.0, 20.0), height=number(10.0, 60.0), duration=number(1.0, 90.0)),
    target(statistics, 300, t=T, V=array(200, low=-80.0, high=30.0), start=number(2.0, 5.0), stop=number(9.0, 15.0), like={"name": "summary_statistics", "covers": (summary_statistics, spike_timing, statistics_and_timing), "named": {"start": "start|stimulus", "stop": "stop|stimulus"}}),
    target(features_of, 300, t=T, V=array(200, low=-80.0, high=30.0), start=number(2.0, 5.0), stop=number(9.0, 15.0), like={"name": "features", "covers": (measure_features, measure_spikes), "named": {"start": "start|stimulus", "stop": "stop|stimulus"}}),
    target(chosen, 200, name=choice("latency", "half_width"), missing=number(-1.0, 1.0, optional=True), like={"name": "a choice of features", "covers": (features,), "named": {"name": "feature"}}),
    target(scaling_of, 300, x=array(60, 3, low=-5.0, high=9.0), kind=choice("auto", "standardise", "asinh", "rank"), like={"name": "Scaling", "covers": (Scaling,), "named": {"kind": "kind|scaling"}}),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
