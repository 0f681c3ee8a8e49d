"""Fixed points, eigenvalues and Hopf points against published numbers, closed forms and long simulations."""

from dataclasses import dataclass

import numpy as np
import pytest
from support.oracles import hodgkin_huxley_slopes

from helpers.experiments.dynamics import (
    eigenvalues,
    fixed_point_current,
    fixed_points,
    hopf_points,
    jacobian,
    nullclines,
    separatrix,
    steady_states,
    unstable_range,
)
from helpers.neurons.equations import Neuron, state
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import parameter
from helpers.simulation.integrators import slopes
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

AXON = HodgkinHuxley()
REST = fixed_points(AXON)[0]
FROZEN = {"h": REST[2], "n": REST[3]}
V, M = np.linspace(-100.0, 60.0, 321), np.linspace(0.0, 1.0, 201)


def test_rest_of_the_squid_axon():
    np.testing.assert_allclose(REST, [-64.9964, 0.05296, 0.59599, 0.31773], atol=5e-5)


@pytest.mark.parametrize("neuron", [AXON, HodgkinHuxley(temperature=20.0), Pospischil(noise=0.0), HindmarshRose()])
@pytest.mark.parametrize("I", [-0.5, 0.0, 1.0])
def test_nothing_moves_at_a_fixed_point(neuron, I):
    points = fixed_points(neuron, I)
    assert len(points) and np.all(np.diff(points[:, 0]) > 0)
    for point in points:
        assert np.abs(slopes(neuron, point, I)).max() < 1e-9
        assert fixed_point_current(neuron, point[0]) == pytest.approx(I, abs=1e-9)


def test_fixed_points_in_closed_form():
    """Izhikevich with u = b·v: 0.04 v² + (5 - b) v + 140 + I = 0, two solutions that meet and vanish."""
    for I in (0.0, 3.0, 3.9):
        v = np.sort(np.roots([0.04, 4.8, 140.0 + I]))
        np.testing.assert_allclose(fixed_points(Izhikevich(), I), np.column_stack([v, 0.2 * v]), rtol=1e-9)
    assert fixed_points(Izhikevich(), 4.1).shape == (0, 2)
    unit = LeakyIntegrateAndFire()
    np.testing.assert_allclose(fixed_points(unit, 100.0, {"refractory": 0.0}), [[unit.E_L + 100.0 / unit.g_L, 0.0]])


def test_jacobian_against_equations_written_out_again():
    state = np.array([-40.5, 0.3, 0.4, 0.5])
    columns = []
    for k, width in enumerate((1e-4, 1e-6, 1e-6, 1e-6)):
        up, down = state.copy(), state.copy()
        up[k] += width
        down[k] -= width
        difference = np.subtract(hodgkin_huxley_slopes(up, 3.0), hodgkin_huxley_slopes(down, 3.0))
        columns.append(difference / (2 * width))
    np.testing.assert_allclose(jacobian(AXON, state), np.transpose(columns), rtol=1e-6, atol=1e-6)
    part = jacobian(AXON, state, {"h": state[2], "n": state[3]})
    np.testing.assert_allclose(part, jacobian(AXON, state)[:2, :2], rtol=1e-9)


def test_eigenvalues_of_many_states_at_once():
    states = steady_states(AXON, np.linspace(-70.0, -40.0, 7))
    together = eigenvalues(AXON, states)
    assert together.shape == (7, 4) and np.all(np.diff(together.real, axis=1) <= 1e-12)
    for k in range(7):
        np.testing.assert_allclose(together[k], eigenvalues(AXON, states[:, k]), rtol=1e-6)
        assert together[k].sum().real == pytest.approx(np.trace(jacobian(AXON, states[:, k])))


def test_hopf_points_of_the_squid_axon():
    """Hassard 1978, J Theor Biol 71:401, and Rinzel & Miller 1980, Math Biosci 49:27: 9.78 and 154.5 µA/cm²."""
    low, high = hopf_points(AXON)
    assert (low.I, high.I) == pytest.approx((9.775, 154.52), abs=5e-3)
    assert (low.state["V"], high.state["V"]) == pytest.approx((-59.65, -43.06), abs=5e-3)


def test_a_hopf_point_in_closed_form_and_a_fold_that_is_none():
    """Izhikevich: J = [[0.08 v + 5, -1], [a b, -a]]. Its trace vanishes at a Hopf point, its determinant at a fold."""
    (point,) = hopf_points(Izhikevich(), span=(-80.0, -50.0))
    v = (0.02 - 5.0) / 0.08
    assert point.state["v"] == pytest.approx(v, abs=1e-6)
    assert point.I == pytest.approx(-(0.04 * v**2 + 4.8 * v + 140.0), abs=1e-6)
    assert point.frequency == pytest.approx(1000.0 * np.sqrt(0.02 * 0.2 - 0.02**2) / (2.0 * np.pi), rel=1e-6)
    assert hopf_points(Izhikevich(a=0.5), span=(-80.0, -50.0)) == []  # the fold, at v = -60, comes first


@pytest.mark.parametrize(("above", "decays"), [(-0.3, True), (0.3, False)])
def test_a_small_perturbation_decays_below_the_first_hopf_point_and_grows_above_it(above, decays):
    low, _ = hopf_points(AXON)
    I = low.I + above
    rest = dict(zip(AXON.states, fixed_points(AXON, I)[0], strict=True))
    trace = simulate(AXON, step(I, 0.0, 60.0), 60.0, 0.001, "rk4", initial_state={**rest, "V": rest["V"] + 0.01})
    deviation = np.abs(trace.V - rest["V"])
    early, late = deviation[5_000:25_000].max(), deviation[-20_000:].max()
    assert (late < early) == decays
    up = np.flatnonzero((trace.V[:-1] < rest["V"]) & (trace.V[1:] >= rest["V"]))
    assert 1.0 / np.diff(trace.t[up]).mean() * 1000.0 == pytest.approx(low.frequency, rel=0.03)


def test_perturbations_grow_at_the_rate_of_the_leading_eigenvalue():
    """A neuron that is kept by a fixed point of one real, growing direction: the saddle of V and m."""
    saddle = fixed_points(AXON, frozen=FROZEN)[1]
    growth = eigenvalues(AXON, saddle, FROZEN)[0].real
    values, vectors = np.linalg.eig(jacobian(AXON, saddle, FROZEN))
    perturbed = saddle.copy()
    perturbed[:2] += 1e-5 * vectors[:, values.argmax()]
    assert slopes(AXON, perturbed, 0.0)[:2] == pytest.approx(growth * (perturbed - saddle)[:2], rel=1e-3)


def test_an_unstable_range_closes():
    found = unstable_range(AXON, "block_Na", np.array([0.0, 0.3, 0.35]))
    np.testing.assert_allclose(found, [[9.775, 154.52], [42.14, 70.90], [np.nan, np.nan]], atol=0.01)


def test_nullclines_are_where_a_slope_vanishes():
    lines = nullclines(AXON, ("V", "m"), V, M, REST)
    assert set(lines) == {"V", "m"}
    (m_line,) = lines["m"]
    np.testing.assert_allclose(m_line[:, 1], AXON.steady_state("m", m_line[:, 0]), atol=2e-3)
    (V_line,) = lines["V"]
    v, m = V_line[(V_line[:, 1] > 0.1) & (V_line[:, 0] < 40.0)].T
    others = AXON.g_K * REST[3] ** 4 * (v - AXON.E_K) + AXON.g_L * (v - AXON.E_L)
    np.testing.assert_allclose(m, np.cbrt(others / (AXON.g_Na * REST[2] * (AXON.E_Na - v))), atol=2e-3)


def test_starts_on_either_side_of_the_separatrix_part():
    """V and m alone, h and n frozen, integrated here: the line tells which starts run up."""
    low, saddle, excited = fixed_points(AXON, frozen=FROZEN)
    line = separatrix(AXON, saddle, FROZEN)
    at = np.abs(line[:, 0] + 75.0).argmin()
    assert line[at, 0] == pytest.approx(-75.0, abs=1.0)
    for side, end in ((-0.01, low[0]), (0.01, excited[0])):
        state = line[at].copy()
        state[1] += side
        for _ in range(4000):
            state[:2] += 0.01 * slopes(AXON, state, 0.0)[:2]
        assert state[0] == pytest.approx(end, abs=0.1)


@dataclass(frozen=True, kw_only=True)
class Chain(Neuron):
    """Its last state follows the second, which follows the first."""

    x_init: float = parameter(0.0, "", "x at the start", low=-1.0, high=1.0)
    y_init: float = parameter(0.0, "", "y at the start", low=-1.0, high=1.0)
    z_init: float = parameter(0.0, "", "z at the start", low=-1.0, high=1.0)

    @state
    def x(z, I):
        return I - z, 1.0

    @state
    def y(x):
        return x, 1.0

    @state
    def z(y):
        return y, 2.0


def test_a_frozen_state_makes_the_rest_solvable():
    """With y = 1: z = 1/2 and x = I - z."""
    np.testing.assert_allclose(fixed_points(Chain(), 3.0, {"y": 1.0}), [[2.5, 1.0, 0.5]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fixed_points(AXON, frozen={"V": -65.0}), "frozen state = 'V'; allowed: m, h, n"),
        (
            lambda: fixed_points(LeakyIntegrateAndFire()),
            "LeakyIntegrateAndFire.refractory has no steady state: freeze it",
        ),
        (lambda: separatrix(AXON, REST, FROZEN), r"eigenvalues .* allowed: two real ones, one below and one above 0"),
        (lambda: separatrix(AXON, REST, {}), "allowed: two real ones"),
        (lambda: fixed_points(Chain()), "Chain.z does not depend on x alone: freeze what it needs"),
        (lambda: fixed_points(AXON, np.nan), "I = nan; allowed: finite"),
        (lambda: fixed_points(AXON, frozen={"h": np.inf}), "frozen h = inf; allowed: from"),
        (lambda: nullclines(AXON, ("V", "q"), V, M, REST), r"plane \('V', 'q'\); allowed: two of V, m, h, n"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
