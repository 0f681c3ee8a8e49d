"""The integrators: order conditions in exact fractions, orders measured on a spike, and agreement with LSODA."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.simulation.engine import UnstableIntegration
from helpers.simulation.integrators import METHODS, TABLEAUS, exponential_euler_step, runge_kutta_step, slopes
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

# ----------------------------------------------------------- order conditions: one for each rooted tree (Butcher 1963)


@cache
def trees(n):
    """Rooted trees of n nodes, each the sorted tuple of its subtrees."""
    found = set()

    def add(rest, largest, subtrees):
        if rest == 0:
            found.add(tuple(sorted(subtrees)))
        for size in range(min(rest, largest), 0, -1):
            for tree in trees(size):
                add(rest - size, size, [*subtrees, tree])

    add(n - 1, n - 1, [])
    return sorted(found)


def nodes(tree):
    return 1 + sum(nodes(subtree) for subtree in tree)


def density(tree):
    result = nodes(tree)
    for subtree in tree:
        result *= density(subtree)
    return result


def stage_weights(tableau, tree):
    result = [Fraction(1)] * len(tableau.b)
    for subtree in tree:
        inner = stage_weights(tableau, subtree)
        result = [
            x * sum(a * w for a, w in zip(row, inner, strict=False)) for x, row in zip(result, tableau.a, strict=True)
        ]
    return result


def holds(tableau, tree):
    return sum(b * w for b, w in zip(tableau.b, stage_weights(tableau, tree), strict=True)) == Fraction(
        1, density(tree)
    )


@pytest.mark.parametrize("name", TABLEAUS)
def test_order_conditions_hold_up_to_the_order_and_not_beyond(name):
    tableau = TABLEAUS[name]
    assert [len(trees(n)) for n in range(1, 8)] == [1, 1, 2, 4, 9, 20, 48]
    for order in range(1, tableau.order + 1):
        assert all(holds(tableau, tree) for tree in trees(order))
    assert not all(holds(tableau, tree) for tree in trees(tableau.order + 1))


def test_six_stages_sold_as_sixth_order_fail_every_condition_of_order_six():
    assert len(TABLEAUS["rk5"].b) == 6
    assert not any(holds(TABLEAUS["rk5"], tree) for tree in trees(6))


# ------------------------------------------------------------------------------------------------- measured orders

STEPS = {"euler": 0.002, "exponential_euler": 0.002, "rk4": 0.02, "rk5": 0.02, "rk6": 0.04}
ORDERS = {"euler": 1, "exponential_euler": 1, "rk4": 4, "rk5": 5, "rk6": 6}


def shortly(*kept):
    """The methods, of which the short form has those `kept`: each further one costs a compilation."""
    return [method if method in kept else pytest.param(method, marks=pytest.mark.long) for method in METHODS]


def smooth_stretch(method, dt, every=0.2):
    """V of the squid axon every 0.2 ms for 2 ms: from a depolarised start it sinks, without a spike."""
    start = {"V": -60.0, "m": 0.06, "h": 0.6, "n": 0.32}
    trace = simulate(HodgkinHuxley(), step(0.0, 0.0, 2.0), 2.0, dt, method, initial_state=start)
    return trace.V[:: round(every / dt)]


@pytest.mark.parametrize("method", METHODS)
def test_measured_order(method):
    exact, dt = smooth_stretch("rk6", 0.002), STEPS[method]
    errors = [np.sqrt(np.mean((smooth_stretch(method, h) - exact) ** 2)) for h in (dt, dt / 2)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(ORDERS[method], abs=0.2)


def test_lsoda_agrees_with_the_sixth_order():
    np.testing.assert_allclose(smooth_stretch("lsoda", 0.01), smooth_stretch("rk6", 0.005), rtol=1e-7)


@pytest.mark.parametrize("method", shortly("exponential_euler", "rk4", "rk6"))
def test_single_precision_loses_digits_and_no_spikes(method):
    double, single = (
        simulate(HodgkinHuxley(), step(10.0, 5.0, 95.0), 100.0, 0.01, method, precision=p) for p in ("double", "single")
    )
    assert single.V.dtype == np.float32
    assert len(single.spike_times) == len(double.spike_times) == 7
    error = np.abs(single.spike_times - double.spike_times).max()
    assert 0 < error < 0.01  # ms, after 90 ms


@pytest.mark.parametrize(("method", "neuron", "dt"), [
    ("rk4", HodgkinHuxley(), 0.2), ("rk5", HodgkinHuxley(), 0.2), ("rk6", HodgkinHuxley(), 0.2),
    ("rk4", Pospischil(noise=0.0, g_Na=80.0), 0.1),
])  # fmt: skip
def test_instability_is_found_and_named(method, neuron, dt):
    message = rf"{method} at dt = {dt} ms is unstable for .*V is .* at step \d+, [\d.]+ ms"
    with pytest.raises(UnstableIntegration, match=message):
        simulate(neuron, step(10.0, 5.0, 95.0), 100.0, dt, method)


def test_exponential_euler_does_not_blow_up_where_runge_kutta_does():
    trace = simulate(HodgkinHuxley(), step(10.0, 5.0, 95.0), 100.0, 0.05)
    assert len(trace.spike_times) == 7 and np.abs(trace.V).max() < 80


@pytest.mark.parametrize("method", shortly("exponential_euler", "rk4"))
def test_every_method_makes_the_chaotic_burster_burst(method):
    trace = simulate(HindmarshRose(), step(0.0, 0.0, 1000.0), 1000.0, 0.01, method)
    assert 65 <= len(trace.spike_times) <= 85


@pytest.mark.parametrize("method", ["rk4", pytest.param("rk5", marks=pytest.mark.long), "rk6"])
def test_single_precision_switches_a_step_on_time(method):
    """In 24 bits the end of a step of the integrator is the start of the next: its last stage must not look ahead."""
    double, single = (
        simulate(HodgkinHuxley(), step(10.0, 5.0, 45.0), 50.0, 0.05, method, precision=p) for p in ("double", "single")
    )
    assert np.abs(single.spike_times - double.spike_times).max() < 5e-4  # 8e-3 if the edges were missed


@pytest.mark.parametrize(("neuron", "V", "precision"), [
    (HodgkinHuxley, -40.0, "double"), (HodgkinHuxley, -40.0, "single"),
    (HodgkinHuxley, -55.0, "double"), (HodgkinHuxley, -55.0, "single"),
    (Pospischil, -47.0, "double"), pytest.param(Pospischil, -47.0, "single", marks=pytest.mark.long),
])  # fmt: skip
def test_starts_at_the_points_where_a_rate_reads_0_over_0(neuron, V, precision):
    at, near = (
        simulate(neuron(V_init=v, noise=0.0), step(0.0, 0.0, 5.0), 5.0, precision=precision).V for v in (V, V + 1e-4)
    )
    assert np.isfinite(at).all()
    assert np.abs(at - near).max() < 0.05


# ---------------------------------------------------------------------------------- the compiled steps against NumPy

CASES = [
    (HodgkinHuxley(temperature=12.0), step(20.0, 0.5, 3.0), 4.0, 0.01),
    (Pospischil(noise=0.0), step(20.0, 0.5, 3.0), 4.0, 0.01),
    (LeakyIntegrateAndFire(), step(400.0, 1.0, 25.0), 30.0, 0.1),
    (Izhikevich(), step(20.0, 1.0, 25.0), 30.0, 0.1),
    (HindmarshRose(), step(1.0, 1.0, 25.0), 30.0, 0.1),
]


def in_numpy(neuron, stimulus, duration, dt, method):
    """All states (n_states, n_steps + 1), step by step in plain NumPy."""

    def current(t, until):  # an edge of the stimulus lies on the edge of a step
        return float(stimulus.current(np.clip(t, until - (1 - 1e-6) * dt, until - 1e-6 * dt)))

    x = np.array(list(neuron.initial_state().values()))
    recorded = [x]
    for i in range(round(duration / dt)):
        t, until = i * dt, (i + 1) * dt
        if method == "exponential_euler":
            x = exponential_euler_step(neuron, x, current(t, until), dt)
        else:
            tableau = TABLEAUS[method]
            x = runge_kutta_step(tableau, lambda s, y, u=until: slopes(neuron, y, current(s, u)), t, x, dt)
        shown = x
        if neuron.event:
            here = {**neuron.constants(), **dict(zip(neuron.states, x, strict=True)), "dt": dt}
            first, *x = neuron.event.evaluate(here)
            x = np.array(x, dtype=float)
            shown = np.array([first, *x[1:]])
        recorded.append(shown)
    return np.array(recorded).T


# In the short form every method steps a neuron with gates and one that is reset; the others go by two kinds of method.
IN_SHORT = (HodgkinHuxley, LeakyIntegrateAndFire), ("exponential_euler", "rk4")


@pytest.mark.parametrize(
    ("neuron", "stimulus", "duration", "dt", "method"),
    [
        pytest.param(
            *case, method, id=f"{type(case[0]).__name__}-{method}",
            marks=[] if isinstance(case[0], IN_SHORT[0]) or method in IN_SHORT[1] else pytest.mark.long,
        )
        for case in CASES
        for method in METHODS
    ],
)  # fmt: skip
def test_the_compiled_step_is_the_one_in_numpy(neuron, stimulus, duration, dt, method):
    expected = in_numpy(neuron, stimulus, duration, dt, method)
    trace = simulate(neuron, stimulus, duration, dt, method)
    assert len(trace.spike_times) >= 1
    for name, values in zip(neuron.states, expected, strict=True):
        np.testing.assert_allclose(trace.states[name], values, rtol=1e-9, atol=1e-9)
