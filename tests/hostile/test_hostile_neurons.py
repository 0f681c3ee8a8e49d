"""Hostile input to neurons, stimuli, synapses and everything else whose parameters are declared."""

# ruff: noqa: E501  (the tables below: one function per line)

import numpy as np
from support.strategies import Kind, always, array, both_lengths, choice, number, seed, target, thing

from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import Declared
from helpers.recordings.rig import Rig
from helpers.simulation.connections import ChemicalSynapse, GapJunction, excitatory, inhibitory
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import (
    Waveform,
    chirp,
    ornstein_uhlenbeck,
    pulse_pair,
    pulse_train,
    ramp,
    recorded,
    sine,
    step,
)
from helpers.simulation.trace import Trace

NEURONS = (HodgkinHuxley, Pospischil, LeakyIntegrateAndFire, Izhikevich, HindmarshRose)
QUIET = step(0.0, 1.0, 2.0)


def declared(kind: type[Declared]) -> dict[str, Kind]:
    """Every parameter from its own range."""
    return {name: number(entry.low, entry.high) for name, entry in kind.parameters().items()}


def windows(**others: Kind) -> dict[str, Kind]:
    return {**others, "start": number(0.0, 50.0), "stop": number(70.0, 200.0)}


def run(kind: type, **parameters: float) -> Trace:
    """A short simulation of a neuron with these parameters."""
    return simulate(kind(**parameters), QUIET, 5.0, 0.05, seed=1)


def curves(gate: str, V: np.ndarray) -> tuple:
    neuron = HodgkinHuxley()
    return neuron.rates(gate, V), neuron.steady_state(gate, V), neuron.time_constant(gate, V)


def trace_of(**arguments: np.ndarray) -> Trace:
    arrays = {"t": np.arange(20.0), "V": np.zeros(20), "I": np.zeros(20), "start": 2.0, "stop": 9.0, **arguments}
    return Trace(states={"V": arrays.pop("V")}, **arrays)


WAVE = array(21, low=-10.0, high=10.0)
CURRENT = number(-20.0, 100.0)
FIELDS = windows(amplitude=CURRENT)
CHANGED = {"named": {"second_amplitude": "amplitude|second_amplitude"}}
EITHER = {"named": {"pre": "pre|itself", "post": "post|itself"}}
TARGETS = [
    *(target(kind, 250, **declared(kind)) for kind in (*NEURONS, Rig)),
    target(HodgkinHuxley.preset, 60, name=choice(*HodgkinHuxley.presets), like={"named": {"name": "preset"}}),
    *(
        target(run, 150, like={"name": f"run {kind.__name__}"}, kind=always(kind), **declared(kind))
        for kind in (HodgkinHuxley, Pospischil, LeakyIntegrateAndFire)
    ),
    target(curves, 150, gate=choice("m", "h", "n"), V=array(7, low=-100.0, high=50.0)),
    target(step, 200, **FIELDS),
    target(ramp, 200, **windows(first=CURRENT, last=CURRENT)),
    target(pulse_pair, 250, **windows(amplitude=CURRENT, width=number(0.1, 3.0), interval=number(0.0, 5.0)),
           second_amplitude=number(-20.0, 100.0, optional=True)),
    target(pulse_train, 250, **windows(amplitude=CURRENT, width=number(0.1, 3.0)), frequency=number(1.0, 200.0)),
    target(pulse_train, 150, **windows(amplitude=CURRENT, width=number(0.1, 3.0)), period=number(10.0, 50.0), like={"name": "pulse_train by period", "named": {"period": "period|frequency"}}),
    target(sine, 250, **windows(amplitude=CURRENT, frequency=number(1.0, 200.0), offset=CURRENT, phase=number(-3.0, 3.0))),
    target(chirp, 250, **windows(amplitude=CURRENT, f_0=number(1.0, 200.0), f_1=number(1.0, 200.0), offset=CURRENT)),
    target(ornstein_uhlenbeck, 300, **windows(mean=CURRENT, sd=number(0.0, 5.0), tau=number(1.0, 10.0)),
           duration=always(250.0), dt=number(0.5, 0.5), seed=seed(), like={"named": {"dt": "dt|duration"}}),
    target(step(5.0, 1.0, 5.0).sampled, 200, duration=number(10.0, 10.0, slow=(1e3, 1e8)), dt=number(0.05, 0.05, slow=(1e-8, 1e-4)), like={"name": "step.sampled", "named": {"dt": "dt|duration"}}),
    target(step(5.0, 1.0, 5.0).current, 150, t=array(7, low=-5.0, high=10.0), like={"name": "step.current"}),
    target(Waveform(samples=np.arange(20.0), dt=0.5, start=1.0, stop=5.0).current, 150, t=array(7, low=0.0, high=9.0), like={"name": "Waveform.current"}),
    target(Waveform, 250, samples=WAVE, dt=number(0.01, 1.0), start=number(0.0, 5.0), stop=number(6.0, 20.0)),
    target(Waveform.from_samples, 250, samples=WAVE, dt=number(0.01, 1.0), like={"named": {"dt": "dt|stop|start"}}),
    target(recorded, 100, trace=thing(trace_of()), dt=number(0.5, 2.0, optional=True)),
    target(GapJunction, 100, pre=always(0), post=always(1), g=number(0.0, 1.0)),
    target(ChemicalSynapse, 200, pre=always(0), post=always(1), **declared(ChemicalSynapse)),
    target(excitatory, 100, pre=always(0), post=always(1), g=number(0.0, 1.0)),
    target(inhibitory, 100, pre=always(0), post=always(1), g=number(0.0, 1.0)),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
