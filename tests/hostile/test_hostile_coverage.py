"""Every public function meets hostile input in one of these files, or stands below with the reason why not."""

# ruff: noqa: E501

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
import test_hostile_experiments
import test_hostile_inference
import test_hostile_networks
import test_hostile_neurons
import test_hostile_recordings
import test_hostile_simulation
from support.strategies import Target

import helpers

FILES = (
    test_hostile_neurons, test_hostile_simulation, test_hostile_experiments, test_hostile_networks,
    test_hostile_inference,
)  # fmt: skip
TARGETS: list[Target] = [tried for file in FILES for tried in file.TARGETS]

SHOWN = "shows what others return; its own tests look at each figure"
TWO_ENDS = "numbers come from sliders with two ends; its tests try both of each"
INNER = "inner part: what reaches it was checked by the functions that call it, and these are tried"
RESULT = "holds what a function returned; nobody else makes one"
FILES_OF = "reads files: tried with thousands of damaged ones in test_hostile_recordings"

MODULES = {
    "figures": SHOWN, "widgets.assets": SHOWN, "widgets.explorer": SHOWN,
    "widgets.rate_law": SHOWN, "widgets.surrogate_gradient": SHOWN, "widgets.posterior": SHOWN, "widgets.controls": SHOWN,
    "widgets.voltage_clamp": TWO_ENDS, "widgets.phase_plane": TWO_ENDS, "widgets.integrators": TWO_ENDS,
    "widgets.live": "tests/widgets/test_live.py",
    "simulation.compiler": INNER, "simulation.engine": INNER, "simulation.integrators": INNER, "simulation.arguments": INNER,
    "simulation.lsoda": INNER, "neurons.functions": INNER, "validation": INNER,
    "checks": "tests/test_checks.py", "neurons.mistakes": "tests/neurons/test_mistakes.py", "notebook": "tests/test_notebook.py", "cache": "tests/test_cache.py", "inference.storage": "reads files: see test_hostile_files", "inference.cache": "tests/inference/test_recipes.py", "inference.warning_classes": "tests/inference/test_warnings.py", "inference.local_noise": "through truncated_rounds and find_region", "inference.proposals": INNER, "inference.truncation": "tests/inference/test_rounds.py", "inference.independent": "through Posterior, tests/inference/test_independent.py",
    "inference.fingerprint": "tests/campaigns/test_campaign_faults.py", "inference.recipe": "tests/inference/test_recipes.py",
    "campaigns": "tests/campaigns", "cells": "tests/cells", "exercises": "tests/exercises", "recordings.abf": FILES_OF, "recordings.abf_header": FILES_OF, "recordings.abf_fields": FILES_OF, "recordings.abf_version_1": FILES_OF, "recordings.abf_version_2": FILES_OF, "recordings.abf_command": FILES_OF, "recordings.nwb": FILES_OF, "recordings.text": FILES_OF,
    "recordings.binary": FILES_OF, "recordings.hdf5": FILES_OF, "recordings.nwb_series": FILES_OF, "recordings.nwb_stimuli": FILES_OF, "recordings.wcp": FILES_OF, "recordings.wavesurfer": FILES_OF, "recordings.heka": FILES_OF, "recordings.igor": FILES_OF, "recordings.axograph": FILES_OF, "recordings.spike2": FILES_OF,
    "recordings.contents": "what a file holds", "recordings.description": "through Recording", "recordings.quality": "tests/recordings/test_quality.py", "recordings.sweep_quality": "tests/recordings/test_quality.py", "recordings.charging": "through passive_properties", "recordings.choice": "through read", "recordings.units": "through read", "recordings.conversion": FILES_OF, "recordings.reading": FILES_OF, "recordings.published": FILES_OF,
}  # fmt: skip

NAMES = {
    "Declared": "base class", "Parameter": "through every neuron", "parameter": "for writers of classes",
    "Equation": "for writers of classes", "source_of": "for the compiler", "Neuron": "base class", "current": "for writers of classes",
    "derived": "for writers of classes", "equation": "for writers of classes", "event": "for writers of classes",
    "gate": "for writers of classes", "state": "for writers of classes", "Stimulus": "base class",
    "Connection": "base class", "LazyArrays": INNER, "Sweep": INNER, "spike_times": "compiled, through find_spikes",
    "spike_events": "compiled, through find_spikes", "times_of": "compiled, through find_spikes", "spike_rule": INNER, "spike_fields": INNER,
    "spike_count": "through strength_duration", "firing_rate": "through measure_f_I",
    "Feature": "a table's entry", "FeatureValues": "through measure_features",
    "Summary": "through summary_statistics", "summary": "for writers of statistics",
    "Sampler": "a protocol", "Simulator": "a type", "Weights": "a type", "Estimator": INNER, "inference.simulator.described": INNER, "inference.simulator.differences": INNER,
    "NeuronSimulator": "tests/inference/test_simulator.py", "CombinedSimulator": "tests/inference/test_simulator.py",
    "LifSimulator": "tests/inference/test_recipes.py",
    "Region": "what find_region returns", "Reference": "what reference returns", "inference.diagnostics.agreement.reference": "its parts are tried; tests/inference/test_reference_posteriors.py", "ReferenceWarning": "tests/inference/test_reference_posteriors.py",
    "without_inferred": INNER, "fingerprint_of_equations": INNER, "statistics_of_sweep": INNER, "repeatable": INNER,
    "Step": "what find_steps returns", "doubts": "through read", "is_noisy": INNER, "main_window": INNER, "split_at": INNER, "f_I_curve": INNER, "Sweeps": "tests/recordings/test_recording.py", "Marginal": "through uniform and normal", "recordings.voltage_clamp.read_family": FILES_OF, "sodium_family": "no arguments",
    "cross_entropy": "a formula on tensors, tried through train_by_rule", "backprop": "a formula on tensors, tried through train_by_rule",
    "feedback_alignment": "a formula on tensors, tried through train_by_rule", "gradient_angle": "a formula on tensors",
    "Descent": "what descend returns", "descend": "through importance_posterior; tests/inference/test_descent.py",
    "CorticalNeuron": "Pospischil with more parameters, which a neuron checks by their declarations", "amplifier_filter": "tests/cells/test_cells_instrument.py",
    "train_network": INNER, "RefiningEstimator": INNER, "exact_recovery": "takes results of others: posterior, trials and their recordings",
    "local_calibration": "takes results of others: a posterior; bad arguments in tests/inference/test_local_calibration.py", "parameter_combinations": "takes results of others: the draws of a posterior",
    "conditional_correlations": "takes results of others: a posterior and its draws", "example_cell": "no arguments",
    "widgets.conductances.explore_conductances": SHOWN, "describe_attempt": SHOWN, "RateLaw": "a table's entry",
    "fit_rate_laws": "fit_rate_law for each law", "decode_codes": "decode for each code",
    "TrainingRuns": RESULT, "Task": RESULT, "read_family": FILES_OF,
}  # fmt: skip
RESULTS = {
    "FiringProperties", "AbcPosterior", "Attempt", "Calibration", "Combinations", "LocalCalibration", "RecordedFI", "SweepSteps", "StepTable", "ClampTrace", "Operations", "Coverage", "UnidentifiedParameters",
    "DecodingResult", "StrengthDurationFit", "GridPosterior", "HopfPoint", "ImportancePosterior", "StatisticInformation", "RuleRun", "SpikeDataset", "LifCheck", "LocalGaussian",
    "LocalTest", "Score", "Misspecification", "PassiveProperties", "Posterior", "PredictiveCheck", "SpikePriceSweep",
    "RecordedFamily", "Recovery", "Responses", "Round", "Rounds", "Sharpened", "SharpeningStep", "Shrinkage", "SpikeCost", "SpikeTrainComparison", "Tarp", "Trials", "TrainingHistory",
}  # fmt: skip


def public() -> Iterator[tuple[str, str, object]]:
    """Module, name and object of everything that a module of helpers declares public and defines itself."""
    for found in pkgutil.walk_packages(helpers.__path__, "helpers."):
        module = importlib.import_module(found.name)
        short = found.name.removeprefix("helpers.")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, "__module__", module.__name__) == module.__name__:
                yield short, name, thing


def tried_functions() -> list[object]:
    """What the targets call, without `partial` and bound objects."""
    found = []
    for tried in TARGETS:
        function = getattr(tried.function, "func", tried.function)
        found += [function, getattr(function, "__func__", None), *tried.covers]
        if hasattr(function, "__self__") and not inspect.ismodule(function.__self__):
            found.append(type(function.__self__))
    return found


@pytest.mark.parametrize(("module", "name", "thing"), [pytest.param(*one, id=f"{one[0]}.{one[1]}") for one in public()])
def test_every_public_function_is_tried_or_excused(module, name, thing):
    parts = module.split(".")
    rooms = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]  # an excuse of a room goes for all that is in it
    excuses = [*map(MODULES.get, rooms), NAMES.get(name), NAMES.get(f"{module}.{name}")]
    if any(excuses) or name in RESULTS:
        return
    assert any(thing is one for one in tried_functions()), f"no target tries {module}.{name}: add one, or say why not"


def test_no_excuse_is_out_of_date():
    modules, names = {one[0] for one in public()}, {one[1] for one in public()}
    known = {found.name.removeprefix("helpers.") for found in pkgutil.walk_packages(helpers.__path__, "helpers.")}
    assert set(MODULES) - known == set()
    assert {name.split(".")[-1] for name in NAMES} - names - {"Simulator", "Weights"} == set()
    assert modules - known == set() and RESULTS - names == set()


def test_the_cases_are_as_many_as_promised():
    assert len({str(tried) for tried in TARGETS}) == len(TARGETS), "two targets of one name"
    assert sum(tried.cases for tried in TARGETS) >= 20_000
    assert sum(test_hostile_recordings.FILES.values()) >= 5_000
