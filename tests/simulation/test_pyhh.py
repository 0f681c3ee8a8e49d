"""The squid axon against swharden/pyHH, from which the series started (./setup_pyhh.sh pyhh fetches it)."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.spikes import find_spikes
from helpers.simulation.stimuli import step

SOURCE = Path(__file__).parents[2] / "external" / "pyHH" / "src"


@pytest.fixture
def models(monkeypatch):
    if not SOURCE.is_dir():
        pytest.skip("pyHH is not here: ./setup_pyhh.sh pyhh fetches it")
    monkeypatch.syspath_prepend(str(SOURCE))
    yield importlib.import_module("pyhh.models")
    for name in [name for name in sys.modules if name.split(".")[0] == "pyhh"]:
        del sys.modules[name]


@pytest.mark.parametrize("amplitude", [5.0, 10.0, 20.0])
def test_spike_times_against_pyhh(models, amplitude):
    """pyHH counts V from rest at -65 mV, and never sets h at the start: here it is set."""
    dt, duration = 0.001, 60.0
    model = models.HHModel()
    model.h.setInfiniteState()
    V = np.empty(round(duration / dt) + 1)
    V[0] = -65.0
    for k in range(len(V) - 1):
        model.iterate(amplitude if k * dt >= 5.0 else 0.0, dt)
        V[k + 1] = model.Vm - 65.0
    expected = find_spikes(np.arange(len(V)) * dt, V, -20.0)
    ours = simulate(HodgkinHuxley(E_L=-54.4), step(amplitude, 5.0, duration), duration).spike_times
    assert len(ours) == len(expected) > 0
    np.testing.assert_allclose(ours, expected, atol=0.1)  # forward Euler at 0.001 ms is that far off after 60 ms
