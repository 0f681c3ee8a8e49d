"""The optimised equations against the text as it was written, and the rules one by one."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from numba import njit

from helpers.neurons.equations import Neuron, current, gate, state
from helpers.neurons.functions import exp, linoid
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.neurons.parameters import parameter
from helpers.simulation.compiler import kernels
from helpers.simulation.compiler.codegen import function_text
from helpers.simulation.compiler.optimise import optimise, optimised_equations
from helpers.simulation.compiler.source import read_function

KERNELS = {name: getattr(kernels, name) for name in ("bounded_exp", "exp", "fma", "linoid", "linoid_given", "where")}


def values_of(neuron, name, V, precision="double"):
    """(a, b) of gate `name` by its optimised text, at each V."""
    equations = optimised_equations(type(neuron), precision)
    suffix = "_single" if precision == "single" else ""
    kernel = {name: getattr(kernels, name + suffix, getattr(kernels, name)) for name in KERNELS}
    real = np.float32 if suffix else np.float64
    scope = {"njit": njit, "GENERATED_OPTIONS": {}, "real": real, **kernel}
    for function in equations.functions.values():
        exec(function_text(function, precision), scope)
    names = {key: real(value) for key, value in neuron.constants().items()}
    for row in equations.invariants:
        names[row] = scope[row](*(names[x] for x in equations.functions[row].arguments))
    results = []
    for v in V:
        names["V"] = real(v)
        for entry in equations.exponentials:
            names[entry.row] = kernel["bounded_exp"](real(-float(entry.slope)) * names["V"], real(1 / entry.max_power))
            if entry.inverse:
                names[entry.inverse] = real(1) / names[entry.row]
        results.append(scope[f"gate_{name}"](*(names[x] for x in equations.functions[f"gate_{name}"].arguments)))
    return np.array(results, dtype=float).T


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize(
    ("neuron", "name"),
    [(HodgkinHuxley(temperature=18.5), x) for x in "mhn"] + [(Pospischil(V_T=-56.3, tau_max=812.0), x) for x in "mhnp"],
)
def test_rates_are_those_of_the_text_as_written(neuron, name, precision):
    singular = [-40.0, -55.0, -43.3, -16.3, -41.3]  # where linoid reads 0/0
    V = np.concatenate([np.linspace(-150, 120, 541), *(np.add(singular, h) for h in (0, 1e-9, -1e-6, 1e-3, 0.9, 1.1))])
    V = V.astype(np.float32 if precision == "single" else float).astype(float)
    np.testing.assert_allclose(
        values_of(neuron, name, V, precision), neuron.rates(name, V), rtol=2e-5 if precision == "single" else 1e-11
    )


def test_one_exponential_serves_all_whose_slopes_are_whole_multiples():
    shared = {neuron: optimised_equations(neuron, "double").exponentials for neuron in (HodgkinHuxley, Pospischil)}
    assert [(x.slope, x.max_power) for x in shared[HodgkinHuxley]] == [(Fraction(1, 80), 8)]  # 10, 10, 20, 80; not 18
    assert [(x.slope, x.max_power) for x in shared[Pospischil]] == [(Fraction(1, 40), 10)]  # 4, 5, 10, 20, 40; not 18


def test_plain_text_is_left_alone():
    plain = optimised_equations(Pospischil, "plain")
    assert not plain.rows
    assert "linoid(-(u - 13.0) / 4.0)" in "".join(function.as_python() for function in plain.functions.values())
    assert plain.functions["gate_m"].arguments == ("V", "V_T")


@dataclass(frozen=True, kw_only=True)
class Written(Neuron):
    """Equations of every shape that must not be taken for another."""

    C: float = parameter(1.0, "µF/cm²", "capacitance", low=0.5, high=2.0)
    k: float = parameter(9.0, "mV", "a slope that is a parameter", low=1.0, high=20.0)
    tau: float = parameter(3.0, "ms", "a time constant", low=1.0, high=20.0)
    V_init: float = parameter(-65.0, "mV", "start", low=-100.0, high=50.0)
    c_init: float = parameter(0.1, "", "start", low=0.0, high=1.0)

    @gate
    def twice(V, tau):
        x = V / 20.0
        x = x + 1.0  # a name given twice: left alone
        return exp(x) / tau, 1.0 / (1.0 + exp(-x))

    @gate
    def steep(V, k):
        return exp((V + 40.0) / k), exp(V * V / 4000.0)

    @gate
    def shared(V, k, tau):
        u = (V + 2.0 * k - k / 4.0) / 20.0
        return exp(u) / tau, linoid(-3.0 * u) * (1.0 + tau / k)

    @gate
    def with_a_state(V, c):
        return exp((V + c) / 20.0), exp(-(V - 7.0) / 60.0)

    @state
    def c(c, tau):
        return 0.0, 1.0 / tau

    @current
    def I_L(k, tau):
        return 0.1 * tau / (k + tau), -60.0


@pytest.mark.parametrize("name", ["twice", "steep", "shared"])
def test_only_what_is_understood_is_rewritten(name):
    neuron = Written(k=7.3, tau=2.2)
    V = np.linspace(-120, 60, 91)
    np.testing.assert_allclose(values_of(neuron, name, V), neuron.rates(name, V), rtol=1e-11)


def test_what_depends_on_parameters_only_is_an_invariant_and_a_state_is_not():
    equations = optimised_equations(Written, "double")
    assert [(x.slope, x.max_power) for x in equations.exponentials] == [(Fraction(1, 60), 9)]
    assert not {"k", "tau"} & set(equations.functions["gate_shared"].arguments)
    assert equations.functions["gate_steep"].arguments == ("V", "invariant_0")  # 1/k
    assert equations.functions["gate_with_a_state"].arguments[:2] == ("V", "c")  # V + c is no line in V and parameters
    assert set(equations.functions["current_I_L"].arguments) <= set(equations.invariants)


def test_an_annotated_assignment_reads_like_a_plain_one():
    def plain(V):
        alpha = exp(-V / 4.0)
        return alpha, 1.0

    def annotated(V):
        alpha: float = exp(-V / 4.0)
        return alpha, 1.0

    one, other = (read_function(gate(function), "gate_x") for function in (plain, annotated))
    assert other.is_straight and other.as_python() == one.as_python() and other.foreign == {"exp"}


def test_the_bound_of_a_shared_exponential_is_that_of_its_steepest():
    """In single precision exp overflows at 87: exp(-V/2) at -100 mV must not be cut because exp(-V/4) is shared."""

    def steep(V):
        return exp(-V / 4.0), exp(-V / 2.0)

    entry = gate(steep)
    (shared,) = optimise({"gate_steep": entry}, ["gate_steep"], "V", (), "single").exponentials
    assert (shared.slope, shared.max_power) == (Fraction(1, 4), 2)
