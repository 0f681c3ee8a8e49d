"""Whether the cells run of a notebook of docs/deeper that trains for long: here with little to learn from."""

import pytest
from support.lessons import RunWhole

from helpers import artificial
from tools import ROOT


def test_imitate_a_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    data, fit = artificial.make_spike_dataset, artificial.fit_student
    monkeypatch.setattr(artificial, "make_spike_dataset", lambda cell, seconds, seed: data(cell, seconds // 10, seed))
    monkeypatch.setattr(artificial, "fit_student", lambda *given, epochs, seed: fit(*given, epochs=1, seed=seed))
    monkeypatch.setenv("PYHH_CHECKS", "")  # its claims need all that it trains
    shown = RunWhole(ROOT / "docs/deeper/imitate_a_neuron.ipynb").whole.shown
    assert "4 hidden layers, 16" in "".join(shown.values())
