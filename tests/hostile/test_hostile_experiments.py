"""Hostile input to experiments on neurons, to recordings and to the exercises."""

# ruff: noqa: E501  (the tables below: one function per line)

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import strategies as st
from support.builders import step_trace
from support.strategies import Drawn, Kind, always, array, both_lengths, choice, number, seed, target, thing, whole

from helpers.exercises.lesson_1 import Lesson1
from helpers.exercises.unlabelled import UnlabelledCells
from helpers.experiments.comparison import firing_properties, operations_per_step
from helpers.experiments.current_clamp import (
    conductances,
    find_threshold,
    fit_strength_duration,
    freeze_gate,
    lapicque,
    refractory_threshold,
    steady_currents,
    strength_duration,
    weiss,
)
from helpers.experiments.dynamics import (
    eigenvalues,
    fixed_point_current,
    fixed_points,
    hopf_points,
    jacobian,
    nullclines,
    resting_state,
    separatrix,
    steady_states,
    unstable_range,
)
from helpers.experiments.voltage_clamp import ClampTrace, Command, clamp, peak_currents, step_command
from helpers.neurons.models import HodgkinHuxley, Izhikevich
from helpers.recordings.example import recorded_f_I
from helpers.recordings.passive import crop, current_density, in_model_units, passive_properties
from helpers.recordings.recording import Recording
from helpers.recordings.rig import record_through, synthetic_recording
from helpers.recordings.steps import find_steps
from helpers.recordings.text.writing import write_csv
from helpers.recordings.voltage_clamp import RecordedFamily
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

HH = HodgkinHuxley()
FAMILY = RecordedFamily(
    np.arange(-2.0, 10.0, 0.5), np.array([-50.0, 0.0]), -120.0, np.outer([1.0, 2.0], np.arange(24.0)), 6.0, 5.0
)
PASSIVE = step_trace()
FOLDER = TemporaryDirectory()
CELL = Path(FOLDER.name) / "cell.csv"
write_csv(step_trace(dt=1.0), CELL)
for cell in ("regular_spiking", "fast_spiking"):
    synthetic_recording(0.0, cell, seed=0)  # compiles what a single answer, with its time limit, should not wait for
SPIKING = simulate(HH, step(10.0, 1.0, 18.0), 20.0, 0.02, seed=1)


def recording(**how) -> np.ndarray:
    """The f-I curve of a file, of one point."""
    found = Recording(CELL, **how).f_I()
    return np.concatenate([found.currents, found.rates, found.counts])


def span(low: float, high: float) -> Kind:
    """A pair of potentials, rising."""
    wrong = (
        (high, low),
        (low, low),
        (low,),
        (low, np.nan),
        (-np.inf, high),
        (low, 1e9),
        None,
        "ab",
        3,
        (low, "b"),
        (low, high, high),
    )
    drawn = st.floats(low, high).map(lambda middle: Drawn((middle, middle), refused=True))
    return Kind(
        st.just((low, high)), st.one_of(drawn, st.sampled_from(wrong).map(lambda value: Drawn(value, refused=True)))
    )


def frozen() -> Kind:
    """Frozen states by name."""
    inner = number(0.0, 1.0).hostile.map(
        lambda d: Drawn({"h": d.value}, None if d.plain is None else {"h": d.plain}, d.refused)
    )
    return Kind(st.just({}), inner)


def command(test: np.ndarray, before: float, during: float) -> ClampTrace:
    return clamp(HH, step_command(-65.0, test, before, during), dt=0.1)


def threshold_of(low: np.ndarray, high: np.ndarray, tolerance: float) -> np.ndarray:
    return find_threshold(lambda strength: strength >= 3.0, low, high, tolerance)


POTENTIALS = array(6, low=-100.0, high=50.0)
V_NAME = {"named": {"x": "x|V"}}
TARGETS = [
    target(Lesson1(1).respond, 40, amplitude=number(0.0, 20.0), like={"compare": False, "name": "Lesson1.respond", "named": {"amplitude": "amplitude|unstable"}}),
    target(partial(steady_currents, HH), 250, V=POTENTIALS, like={"name": "steady_currents", "covers": (steady_currents,)}),
    target(resting_state, 150, neuron=thing(HH), span=span(-120.0, 0.0)),
    target(conductances, 40, neuron=thing(HH), trace=thing(SPIKING)),
    target(freeze_gate, 150, neuron=thing(HH), gate=choice("m", "h", "n"), value=number(0.0, 1.0), like={"named": {"value": "frozen"}}),
    target(threshold_of, 250, low=array(4, low=0.0, high=2.0), high=array(4, low=4.0, high=9.0), tolerance=number(1e-4, 1e-2), like={"name": "find_threshold", "covers": (find_threshold,), "undefined": True}),
    target(strength_duration, 40, neuron=always(HH), widths=array(2, low=0.5, high=2.0), max_amplitude=number(100.0, 500.0), tolerance=number(1e-2, 1e-1), dt=always(0.05), like={"undefined": True}),
    target(refractory_threshold, 25, neuron=always(HH), intervals=array(2, low=8.0, high=20.0), width=number(0.5, 0.5), max_relative=number(2.0, 3.0), tolerance=always(0.05), dt=always(0.05), like={"undefined": True, "named": {"width": "width|widths|max_relative|interval|stop"}}),
    target(weiss, 100, widths=array(5, low=0.1, high=9.0), rheobase=number(1.0, 9.0), chronaxie=number(0.5, 2.0)),
    target(lapicque, 100, widths=array(5, low=0.1, high=9.0), rheobase=number(1.0, 9.0), chronaxie=number(0.5, 2.0)),
    target(partial(fit_strength_duration, weiss), 250, widths=array(6, low=0.1, high=9.0), thresholds=array(6, low=5.0, high=20.0), like={"name": "fit_strength_duration", "covers": (fit_strength_duration,), "named": {"widths": "widths|thresholds"}}),
    target(command, 300, test=array(3, low=-100.0, high=50.0), before=number(1.0, 5.0, slow=(1e3, 1e7)), during=number(5.0, 10.0, slow=(1e3, 1e7)), like={"name": "clamp", "covers": (clamp, step_command), "named": {"test": "levels?", "before": "durations|command", "during": "durations|command"}}),
    target(clamp, 100, neuron=thing(HH), command=thing(step_command(-65.0, 0.0)), dt=number(0.1, 0.2, slow=(1e-7, 1e-3)), like={"name": "clamp's objects"}),
    target(Command, 150, levels=array(3, low=-90.0, high=40.0), durations=array(3, low=1.0, high=9.0), like={"named": {"levels": "levels?", "durations": "durations?"}}),
    target(peak_currents, 150, neuron=thing(HH), levels=array(3, low=-90.0, high=40.0), holding=number(-90.0, -60.0), during=number(5.0, 9.0, slow=(1e3, 1e7)), dt=always(0.1), like={"named": {"levels": "levels?", "holding": "levels?", "during": "durations|part|command"}}),
    target(clamp(HH, step_command(-65.0, 0.0), dt=0.1).peak, 100, name=choice("I_Na", "I_K"), part=whole(0, 2, none_below=0), like={"name": "ClampTrace.peak", "named": {"name": "current"}}),
    target(FAMILY.without_steady_current, 100, last=number(1.0, 5.0), like={"name": "RecordedFamily.without_steady_current"}),
    target(FAMILY.peaks, 100, begin=number(0.0, 5.0), like={"name": "RecordedFamily.peaks"}),
    target(steady_states, 200, neuron=thing(HH), x=POTENTIALS, I=number(-5.0, 20.0), frozen=frozen(), like=V_NAME),
    target(fixed_point_current, 150, neuron=thing(HH), x=POTENTIALS, frozen=frozen(), like=V_NAME),
    target(fixed_points, 100, neuron=thing(HH), I=number(-5.0, 20.0), frozen=frozen(), span=span(-120.0, 60.0)),
    target(jacobian, 60, neuron=thing(HH), state=array(4, low=0.0, high=1.0)),
    target(eigenvalues, 60, neuron=thing(HH), state=array(4, low=0.0, high=1.0)),
    target(hopf_points, 25, neuron=thing(HH), span=span(-70.0, -20.0), steps=whole(20, 30, none_below=1)),
    target(unstable_range, 20, neuron=thing(HH), name=choice("g_Na"), values=array(1, low=110.0, high=130.0), span=always((-66.0, -40.0)), like={"undefined": True, "named": {"values": "values|g_Na"}}),
    target(nullclines, 120, neuron=thing(HH), plane=always(("V", "n")), x=array(5, low=-90.0, high=40.0, rising=True), y=array(4, low=0.0, high=1.0, rising=True), state=array(4, low=0.1, high=0.9), I=number(-5.0, 20.0)),
    target(separatrix, 20, neuron=thing(HH), saddle=array(4, low=0.1, high=0.9), frozen=always({"m": 0.1, "h": 0.5}), like={"named": {"saddle": "saddle|eigenvalues"}}),
    target(partial(crop, PASSIVE), 200, begin=number(0.0, 40.0), end=number(260.0, 290.0), like={"name": "crop", "covers": (crop,), "named": {"begin": "begin|stimulus", "end": "end|stimulus|trace"}}),
    target(partial(passive_properties, PASSIVE), 60, window=number(60.0, 120.0), like={"name": "passive_properties", "covers": (passive_properties,), "named": {"window": "window|exponential"}}),
    target(passive_properties, 20, source=thing(PASSIVE), like={"name": "passive_properties of a trace"}),
    target(find_steps, 60, t=array(40, low=0.0, high=40.0, rising=True), I=array(40, low=-100.0, high=300.0), like={"undefined": True}),
    target(current_density, 100, trace=thing(PASSIVE), area=number(1e-5, 1e-3)),
    target(in_model_units, 60, trace=thing(PASSIVE), area=number(1e-5, 1e-3), junction_potential=number(-20.0, 20.0)),
    target(record_through, 100, trace=thing(SPIKING), seed=seed(), rig=thing(None, optional=True)),
    target(synthetic_recording, 60, amplitude=number(-50.0, 200.0), name=choice("regular_spiking", "fast_spiking"), seed=seed(), like={"named": {"amplitude": "amplitude|unstable"}}),
    target(recording, 60, channel=choice("V", optional=True), current=always(None), start=number(20.0, 60.0), stop=number(200.0, 240.0), like={"name": "Recording", "covers": (Recording,), "compare": False, "named": {"start": "start|stop|stimulus|step", "stop": "start|stop|stimulus|step"}}),
    target(recorded_f_I, 60, name=choice()),
    target(operations_per_step, 20, neuron=thing(HH, Izhikevich())),
    target(firing_properties, 12, neuron=thing(Izhikevich()), currents=array(3, low=6.0, high=15.0), drive=number(9.0, 12.0), hyperpolarisation=number(-12.0, -9.0), like={"named": {"drive": "drive|amplitude|unstable", "hyperpolarisation": "hyperpolarisation|amplitude|unstable", "currents": "currents|amplitude|unstable"}}),
    target(UnlabelledCells, 60, seed=seed()),
    target(UnlabelledCells(1).record, 60, cell=choice("X", "Y"), current=number(0.0, 5.0), length=always(50.0), like={"name": "UnlabelledCells.record", "named": {"current": "amplitude|unstable"}}),
]  # fmt: skip

test_answers_or_refuses_by_name, test_answers_or_refuses_by_name_in_more_cases = both_lengths(TARGETS)
