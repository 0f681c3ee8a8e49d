"""The compiler gets the source of an equation however the class arrives: by value, from a file or from a zip."""

import importlib
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import helpers
from helpers.experiments.current_clamp import freeze_gate
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.batch import simulate_many
from helpers.simulation.compiler.codegen import generated_source
from helpers.simulation.compiler.spec import KernelSpec
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

ROOT = Path(helpers.__file__).parent.parent

CLASSES = '''
from dataclasses import dataclass

import numpy as np

from helpers.neurons.equations import Neuron, current, gate
from helpers.neurons.functions import exp
from helpers.neurons.parameters import parameter
from helpers.simulation.stimuli import Stimulus, formula
from helpers.simulation.summaries import summary


@dataclass(frozen=True, kw_only=True)
class OneGate(Neuron):
    C: float = parameter(1.0, "µF/cm²", "membrane capacitance", low=0.5, high=2.0, minimum=0.1)
    g_L: float = parameter(0.3, "mS/cm²", "leak conductance", low=0.1, high=1.0, minimum=0.0)
    V_init: float = parameter(-60.0, "mV", "membrane potential at the start", low=-80.0, high=0.0)

    @current
    def I_L(g_L):
        return g_L, -60.0  # a comment

    @current
    def I_K(n):
        """A docstring."""
        return 2.0 * n, -77.0

    @gate
    def n(V):
        return 0.1 * exp(V / 50.0), 0.125


@dataclass(frozen=True, kw_only=True)
class Triangle(Stimulus):
    start: float = parameter(1.0, "ms", "onset", low=0.0, high=10.0)
    stop: float = parameter(9.0, "ms", "end", low=0.0, high=10.0)

    @formula
    def I(t, start, stop):
        return (t - start) * (stop - t) * (t >= start) * (t < stop)


@summary(end="mV", mean="mV")
def end(sweep):
    return np.array([sweep.V[-1], sweep.V.mean()])
'''

SEND = """
import sys

import cloudpickle

sys.stdout.buffer.write(cloudpickle.dumps((OneGate(), Triangle(), end)))
"""

RECEIVE = """
import pickle
import sys

from helpers.simulation.batch import simulate_many

neuron, stimulus, summarise = pickle.load(sys.stdin.buffer)
x = simulate_many(neuron, stimulus, {"g_L": [0.1, 0.2, 0.3]}, 10.0, 0.025, seed=0, summarise=summarise)
sys.stdout.buffer.write(x.tobytes())
"""


def python(program: str | Path, *folders: Path, stdin: bytes = b"") -> bytes:
    """What a fresh process writes that runs `program` and may import from `folders`, here and nowhere else."""
    arguments = ["-c", program] if isinstance(program, str) else [str(program)]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        cwd=folders[0] if folders and folders[0].is_dir() else None,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *folders)))},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module with a neuron, a stimulus and a summary in a folder of its own, imported."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "one_gate.py").write_text(CLASSES, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "here")
    yield importlib.import_module("one_gate")
    del sys.modules["one_gate"]


def simulated(module) -> bytes:
    x = simulate_many(
        module.OneGate(), module.Triangle(), {"g_L": [0.1, 0.2, 0.3]}, 10.0, 0.025, seed=0, summarise=module.end
    )
    return x.tobytes()


@pytest.mark.parametrize("way", ["by value", pytest.param("file", marks=pytest.mark.long), "zip"])
@pytest.mark.slow
def test_a_class_that_arrives_in_another_process_computes_the_same_bits(way, module, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    sent, place = pickle.dumps((module.OneGate(), module.Triangle(), module.end)), there
    if way == "by value":  # as from a notebook to a worker: its __main__ is not there, nor is the file
        (there / "sender.py").write_text(CLASSES + SEND, "utf-8")
        sent = python(there / "sender.py")
        (there / "sender.py").unlink()
        assert b"one_gate" not in sent
    elif way == "file":
        (there / "one_gate.py").write_text(CLASSES, "utf-8")
    else:
        place = there / "classes.zip"
        with zipfile.ZipFile(place, "w") as packed:
            packed.writestr("one_gate.py", CLASSES)
    assert python(RECEIVE, place, stdin=sent) == simulated(module)


def test_a_class_made_by_a_function_keeps_its_sources():
    """Pickled by value, since no module holds it by name; a worker then compiles the same module."""
    import cloudpickle

    neuron = freeze_gate(HodgkinHuxley(), "n", 0.3)
    program = (
        "import pickle, sys\nfrom helpers.simulation.compiler.codegen import generated_source\n"
        "from helpers.simulation.compiler.spec import KernelSpec\n"
        "from helpers.simulation.stimuli import step\n"
        "print(generated_source(KernelSpec(type(pickle.load(sys.stdin.buffer)), step, 'exponential_euler')), end='')"
    )
    there = python(program, stdin=cloudpickle.dumps(neuron)).decode()
    assert there == generated_source(KernelSpec(type(neuron), step, "exponential_euler"))


def test_a_file_that_was_edited_after_the_import_does_not_change_the_equations(module, tmp_path):
    before = simulated(module)
    path = tmp_path / "here" / "one_gate.py"
    path.write_text("\n\n\n" + CLASSES.replace("-77.0", "-20.0"), "utf-8")
    source = generated_source(KernelSpec(module.OneGate, module.Triangle, "rk4"))
    assert "-77.0" in source and "-20.0" not in source
    assert simulated(module) == before


def test_a_class_without_source_is_refused_only_where_the_source_is_needed():
    names: dict = {"__name__": "nowhere"}
    exec(CLASSES.split("@summary")[0], names)
    neuron = names["OneGate"]()
    assert neuron.equations["I_L"].source == ""
    assert neuron.steady_state("n", 0.0) == pytest.approx(0.1 / 0.225)
    np.testing.assert_array_equal(names["Triangle"]().current(np.array([0.0, 5.0, 9.5])), [0.0, 16.0, 0.0])
    message = "the text of I_L cannot be read: define it in a file or a notebook cell"
    with pytest.raises(ValueError, match=message):
        simulate(neuron, step(1.0, 1.0, 9.0), 10.0)
