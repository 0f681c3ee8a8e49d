"""The front door and the rooms: what a newcomer imports, and that names mean one thing."""

import importlib
import pkgutil
import subprocess
import sys
from collections import defaultdict

import pytest
from importlinter.cli import lint_imports

import helpers
from helpers.simulation.compiler import kernels

ROOMS = (
    "artificial",
    "campaigns",
    "exercises",
    "experiments",
    "figures",
    "inference",
    "neurons",
    "recordings",
    "simulation",
    "widgets",
)
EVERYDAY = (
    "HindmarshRose", "HodgkinHuxley", "Izhikevich", "LeakyIntegrateAndFire", "Neuron", "Pospischil", "Trace", "ramp",
    "simulate", "simulate_many", "simulate_network", "simulate_traces", "step", "summary_statistics",
)  # fmt: skip


def test_everyday_names_need_neither_torch_nor_matplotlib():
    program = (
        f"from helpers import {', '.join(EVERYDAY)}\n"
        "import sys\n"
        "print(sorted({'torch', 'sbi', 'matplotlib', 'seaborn', 'scipy.signal', 'ipywidgets'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_its_names(room):
    package = importlib.import_module(f"helpers.{room}")
    modules = {found.name for found in pkgutil.iter_modules(package.__path__)}
    assert set(package.__all__) & modules == set(), "a name that is also a module would depend on who imports first"
    for name in package.__all__:
        assert callable(getattr(package, name)) or getattr(package, name) is not None
        assert f"{name}" in (package.__doc__ or ""), f"the docstring of helpers.{room} does not say what {name} is"


def test_a_public_name_means_one_thing():
    meanings = defaultdict(set)
    for found in pkgutil.walk_packages(helpers.__path__, "helpers."):
        module = importlib.import_module(found.name)
        if not hasattr(module, "__path__") and module is not kernels:  # which compiles what neurons.functions holds
            for name in getattr(module, "__all__", ()):
                meanings[name].add(id(getattr(module, name)))
    assert [name for name, things in meanings.items() if len(things) > 1] == []


def test_rooms_import_downwards_only():
    assert lint_imports() == 0
