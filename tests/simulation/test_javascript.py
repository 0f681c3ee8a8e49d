"""The translation of equations into JavaScript: one text, and a refusal of what it cannot express."""

from dataclasses import dataclass

import numpy as np
import pytest
from support.engine import run_module

from helpers.neurons.equations import Neuron, derived, event, state
from helpers.neurons.functions import exp, expm1, linoid, sin, sqrt, where
from helpers.neurons.models import HodgkinHuxley
from helpers.neurons.parameters import parameter
from helpers.simulation.compiler.targets.javascript import javascript, javascript_function
from helpers.widgets.live.bench import NEURONS, live_bench


@dataclass(frozen=True, kw_only=True)
class Everything(Neuron):
    """A neuron that uses every construction that may be translated."""

    max_dt = 1.0
    scale: float = parameter(2.0, "", "a scale", low=0.5, high=4.0)
    new: float = parameter(3.0, "", "a name that JavaScript keeps for itself", low=1.0, high=5.0)
    x_init: float = parameter(0.3, "", "x at the start", low=-1.0, high=1.0)
    y_init: float = parameter(0.1, "", "y at the start", low=-1.0, high=1.0)

    @derived
    def double(scale):
        return 2 * scale if scale > 1.0 else +scale

    @state
    def x(x, y, new, double, I):
        """A docstring is no statement."""
        slow, fast = sin(3.0 * y), sqrt(abs(x) + 1.0)
        if 0.0 < new <= 4.0 and not x > 0.25:
            fast += 0.5
        else:
            fast = fast * linoid(x) - expm1(-(y**2))
        return double**0.5 * exp(-(x**3)) + slow * fast - new**2 * x + 0.01 * I, 0.7

    @state
    def y(x, y):
        return where((x > 0.2) | (y < 0.0), 1.0, -1.0) * x - y**5, 0.3

    @event
    def turn(x, y, scale, dt):
        over = (x >= 0.32) & ~(y > 10.0)
        return where(over, scale, x), where(over, x - 0.5 - dt, x), +y


def test_every_construction_means_the_same():
    bench = live_bench(Everything(), kinds=())
    settings, turns = [], []
    for values in ({}, {"scale": 0.7}, {"new": 4.5}, {"amplitude": 60.0}):
        bench.reset()
        bench.set(**values)
        settings.append(bench.setting)
    for setting, result in zip(settings, run_module(bench.data, settings), strict=True):
        bench.setting = setting
        trace = bench.trace()
        early = slice(0, 80)  # later it makes more and more of the last digits
        np.testing.assert_allclose(result["states"][0][early], trace.V[early], rtol=0, atol=1e-8)
        np.testing.assert_allclose(result["states"][1][early], trace.y[early], rtol=0, atol=1e-8)
        turns.append(np.sum(trace.V[early] == setting["parameters"]["scale"]))
    assert max(turns) > 3  # the event happened


@pytest.mark.parametrize("kind", NEURONS)
def test_the_text_of_a_neuron_names_every_equation_once(kind):
    text = javascript(kind)
    for entry in kind.equations.values():
        assert text.count(f"function {entry.kind}_{entry.name}(") == 1


def test_an_equation_reads_like_the_one_it_came_from():
    written = javascript_function(HodgkinHuxley.equations["I_K"], "I_K")
    assert written.splitlines() == [
        "function I_K(n, g_K, block_K, E_K) {",
        "    $out[0] = ((1.0 - block_K) * g_K) * (n * n * n * n);",
        "    $out[1] = E_K;",
        "    return $out;",
        "}",
    ]


def test_what_cannot_be_translated_is_refused_by_name():
    def of(function):
        @dataclass(frozen=True, kw_only=True)
        class Own(Neuron):
            x_init: float = parameter(0.0, "", "x at the start", low=-1.0, high=1.0)
            x = state(function)

        return Own

    def x(x):
        for _ in range(3):
            x = x + 1.0
        return x, 0.0

    with pytest.raises(TypeError, match="range"):  # already by the class
        of(x)

    def x(x):
        while x > 1.0:
            x = x - 1.0
        return x, 0.0

    with pytest.raises(
        ValueError, match=r"x: 'while x > 1.0.*cannot be translated into JavaScript; allowed: arithmetic"
    ):
        javascript(of(x))

    def x(x):
        return x % 2.0, 0.0

    with pytest.raises(ValueError, match=r"x: 'x % 2.0' cannot be translated"):
        javascript(of(x))

    def x(x):
        return x // 2.0, "text"

    with pytest.raises(ValueError, match="cannot be translated"):
        javascript(of(x))
