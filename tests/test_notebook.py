"""What a learner sees after a mistake: the message first, then the line of the cell, and nothing in between."""

import os
import re
from collections.abc import Iterator

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from helpers import notebook

OPENING = """
from dataclasses import dataclass
import numpy as np
from helpers import HodgkinHuxley, Pospischil, experiments, simulate, step
from helpers.neurons import current, gate, parameter
neuron = HodgkinHuxley()
trace = simulate(neuron, step(10.0, 1.0, 5.0), 6.0)
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell as of a notebook in which the first cell has run."""
    monkeypatch.delenv("PYHH_CHECKS")
    found = InteractiveShell.instance()
    found.run_cell(OPENING)
    notebook.set_up()
    yield found
    found.set_custom_exc((), None)


def said(shell: InteractiveShell, source: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a cell that fails, and return what it shows, without colours."""
    assert not shell.run_cell(source).success
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)


MISTAKES = [
    ("HodgkinHuxley(gNa=100)", "TypeError: HodgkinHuxley has no parameter gNa; did you mean g_Na? HodgkinHuxley has C"),
    ("HodgkinHuxley(100)", "takes its parameters by name, such as HodgkinHuxley(C=100)"),
    ("neuron.g_Na = 100", "a neuron cannot be changed; make another one: neuron.with_(g_Na=100)"),
    ("neuron.gNa = 100", "neuron.with_(gNa=100); did you mean g_Na?"),
    ("neuron.gNa", "Did you mean g_Na? a HodgkinHuxley has C"),
    ("simulate(neuron, 12.5, 50.0)", "stimulus = 12.5; allowed: a stimulus, such as step(12.5, start=10.0, stop=50.0)"),
    ("simulate(neuron, step(1.0), durration=50.0)", "Did you mean duration? simulate() has neuron, stimulus, duration"),
    ("trace.spikes", "a Trace has no 'spikes'; did you mean spike_times? this one has t, I, spike_times, V"),
    ("trace.voltage", "a Trace has no 'voltage'; this one has t, I, spike_times, V"),
    ("simulate(neuron, 1.0, 15.0)", "such as step(1, start=0.0, stop=15.0)"),
    ("simulate(neuron, 1.0, 500.0)", "such as step(1, start=10.0, stop=110.0)"),
    ("simulate(neuron, step(10.0), 50.0)", "at most the duration, 50 ms; 110 ms is the default stop of step\n"),
    ("simulate(neuron, step(10.0, stop=60.0), 50.0)", "at most the duration, 50 ms\n"),
    ("parameter(10.0, 'mV', 'a level')", "lacks its plausible range, for sliders and priors; add low=..., high=..."),
    ("experiments.measure_fI", "AttributeError: helpers.experiments has no measure_fI\nDid you mean measure_f_I?"),
    ("experiments.Operation", "Did you mean operations_per_step? helpers.experiments has"),
    ("from helpers import HodgkinHuxly", "Did you mean HodgkinHuxley? helpers has"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message"), MISTAKES)
def test_a_mistake_is_explained(shell, capsys, source, message):
    shown = said(shell, source, capsys)
    assert message in shown
    assert f"----> 1 {source}" in shown and "line 1" in shown
    assert "helpers/" not in shown.replace(os.path.dirname(notebook.__file__), "")
    assert len(shown.splitlines()) < 9


CLASSES = {
    "write @dataclass(frozen=True, kw_only=True) above the line class Mine": """
class Mine(Pospischil):
    g_h: float = parameter(0.02, "mS/cm²", "h-conductance", low=0.0, high=0.1)
Mine(g_h=0.05)""",
    "Mine.r is not marked as an equation: write @gate": """
@dataclass(frozen=True, kw_only=True)
class Mine(Pospischil):
    def r(V): return 1.0, 2.0""",
    "Mine.g_h = 0.02 says neither unit nor meaning": """
@dataclass(frozen=True, kw_only=True)
class Mine(Pospischil):
    g_h: float = 0.02""",
    "Mine.I_h uses ['gK'], neither a state nor a parameter; did you mean g_K?": """
@dataclass(frozen=True, kw_only=True)
class Mine(Pospischil):
    @current
    def I_h(gK, E_K): return gK, E_K""",
    "helpers.neurons; write exp(...) for np.exp(...)": """
@dataclass(frozen=True, kw_only=True)
class Mine(Pospischil):
    @gate
    def r(V): return np.exp(V), 1.0""",
    "Mine.r must return (alpha, beta)": """
@dataclass(frozen=True, kw_only=True)
class Mine(Pospischil):
    @gate
    def r(V): return 1.0""",
    "frozen one\nWrite @dataclass(frozen=True, kw_only=True) above the line class": """
@dataclass
class Mine(Pospischil):
    g_h: float = parameter(0.02, "mS/cm²", "h-conductance", low=0.0, high=0.1)""",
}


@pytest.mark.parametrize("message", CLASSES)
def test_a_mistake_in_a_neuron_of_ones_own_is_explained(shell, capsys, message):
    shown = said(shell, CLASSES[message].strip(), capsys)
    assert message in shown and "np/" not in shown and len(shown.splitlines()) < 16


def test_what_the_series_knows_nothing_about_is_shown_as_always(shell, capsys):
    assert "Traceback (most recent call last)" in said(shell, "1 / 0", capsys)
    assert "Traceback (most recent call last)" in said(shell, "[].spikes", capsys)


def test_one_word_shows_the_whole_traceback(shell, capsys):
    assert "%tb shows it" in said(shell, "simulate(neuron, 10.0, 50.0)", capsys)
    shell.run_line_magic("tb", "")
    assert "as_stimulus" in capsys.readouterr().out


def test_every_call_of_a_cell_is_shown(shell, capsys):
    shown = said(shell, "def run():\n    return simulate(neuron, step(10.0), 50.0)\nrun()", capsys)
    assert "----> 3 run()" in shown and "----> 2     return simulate" in shown


def test_a_failed_cell_is_still_an_error_for_those_who_run_notebooks(monkeypatch):
    """Jupyter stops at it, and so does nbclient."""
    monkeypatch.delenv("PYHH_CHECKS")
    cells = ["from helpers import HodgkinHuxley, notebook\nnotebook.set_up()", "HodgkinHuxley(gNa=1)"]
    mine = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(mine, kernel_name="python3", allow_errors=True).execute()
    [error] = mine.cells[1].outputs
    assert (error.output_type, error.ename) == ("error", "TypeError")
    assert "did you mean g_Na?" in error.evalue and "Traceback" not in "".join(error.traceback)
    nbformat.validate(mine)


FIGURES = """
from matplotlib import pyplot as plt
from helpers import notebook
notebook.set_up()
def make():
    figure, ax = plt.subplots()
    return figure
"""


def test_a_figure_is_shown_once_in_a_cell():
    cells = [FIGURES, "make()", "make()\nplt.show()", "kept = make()", "make()\nmake()", "kept"]
    mine = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(mine, kernel_name="python3").execute()
    shown = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in mine.cells]
    assert shown == [0, 1, 1, 1, 2, 1]


def test_under_the_tests_everything_is_shown(capsys):
    found = InteractiveShell.instance()
    found.run_cell(OPENING)
    notebook.set_up()
    assert "as_stimulus" in said(found, "simulate(neuron, 10.0, 50.0)", capsys)
