"""The voltage clamp against its closed form, an independent integration, and what Hodgkin and Huxley saw."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import oracles

from helpers.experiments.voltage_clamp import Command, clamp, peak_currents, step_command
from helpers.neurons.equations import current, gate
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire, Pospischil

STEP = step_command(-65.0, -10.0, before=5.0, during=10.0, after=5.0)
LEVELS = np.arange(-80.0, 81.0, 5.0)


def test_gates_relax_exponentially():
    trace = clamp(HodgkinHuxley(), STEP)
    since = trace.t[500:1500] - 5.0
    for name, (alpha, beta) in oracles.hodgkin_huxley(-10.0).items():
        opened, closed = oracles.hodgkin_huxley(-65.0)[name]
        x_0, x_inf = opened / (opened + closed), alpha / (alpha + beta)
        expected = x_inf + (x_0 - x_inf) * np.exp(-(alpha + beta) * since)
        np.testing.assert_allclose(trace.gates[name][500:1500], expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("neuron", "rates"), [(HodgkinHuxley(), oracles.hodgkin_huxley), (Pospischil(), oracles.pospischil)]
)
def test_gates_against_an_integration_at_tight_tolerance(neuron, rates):
    """Three levels one after the other, for lengths that are no multiple of dt."""
    levels, durations = (-90.0, -20.0, -55.0), (1.003, 2.0071, 6.0)
    trace = clamp(neuron, Command(levels, durations))
    state, begin = np.array(oracles.steady_state(rates, levels[0])[1:]), 0.0
    for V, duration in zip(levels, durations, strict=True):
        alpha, beta = np.array(list(rates(V).values())).T
        inside = (trace.t >= begin) & (trace.t < begin + duration)
        solution = solve_ivp(
            lambda t, x, alpha=alpha, beta=beta: alpha * (1 - x) - beta * x,
            (begin, begin + duration),
            state,
            method="DOP853",
            t_eval=np.append(trace.t[inside], begin + duration),
            rtol=1e-11,
            atol=1e-13,
        )
        np.testing.assert_array_equal(trace.V[inside], V)
        for row, name in enumerate(rates(V)):
            np.testing.assert_allclose(trace.gates[name][inside], solution.y[row, :-1], atol=1e-9)
        state, begin = solution.y[:, -1], begin + duration


def test_currents_against_euler_at_a_tiny_step():
    """The squid axon written out again: m, h, n by forward Euler at 0.0001 ms, V held at -10 mV after -65 mV."""
    dt, (_, m, h, n) = 1e-4, oracles.steady_state(oracles.hodgkin_huxley, -65.0)
    (a_m, b_m), (a_h, b_h), (a_n, b_n) = oracles.hodgkin_huxley(-10.0).values()
    I_Na, I_K = [], []
    for _ in range(50_000):
        I_Na.append(120 * m**3 * h * (-10 - 50))
        I_K.append(36 * n**4 * (-10 + 77))
        m, h, n = (
            m + dt * (a_m * (1 - m) - b_m * m),
            h + dt * (a_h * (1 - h) - b_h * h),
            n + dt * (a_n * (1 - n) - b_n * n),
        )
    trace = clamp(HodgkinHuxley(), STEP)
    np.testing.assert_allclose(trace.currents["I_Na"][500:1000], I_Na[::100], atol=0.4)  # of a peak above 1000
    np.testing.assert_allclose(trace.currents["I_K"][500:1000], I_K[::100], atol=0.4)
    np.testing.assert_allclose(trace.currents["I_L"][500:1000], 0.3 * (-10 + 54.387), rtol=1e-12)
    np.testing.assert_array_equal(trace.total, sum(trace.currents.values()))


def test_dt_only_chooses_the_samples():
    fine, coarse = clamp(HodgkinHuxley(), STEP, dt=0.01), clamp(HodgkinHuxley(), STEP, dt=1.0)
    assert len(coarse.t) == 21 and coarse.V.tolist() == [-65.0] * 5 + [-10.0] * 10 + [-65.0] * 6
    np.testing.assert_allclose(coarse.total, fine.total[::100], rtol=1e-9)


def test_sodium_current_is_inward_and_reverses_at_E_Na():
    neuron = HodgkinHuxley()
    assert clamp(neuron, STEP).peak("I_Na") < -500.0
    below, at, above = peak_currents(neuron, np.array([49.0, 50.0, 51.0]))["I_Na"]
    assert below < 0.0 == at < above
    curve = peak_currents(neuron, LEVELS)
    assert -20.0 <= LEVELS[np.argmin(curve["I_Na"])] <= 10.0  # the largest inward current
    assert (np.diff(curve["I_K"][LEVELS >= -50.0]) > 0).all()  # delayed rectifier


def test_potassium_current_ends_at_its_steady_state():
    trace = clamp(HodgkinHuxley(), step_command(-65.0, LEVELS, 1.0, 100.0, 1.0))
    alpha, beta = np.array([oracles.hodgkin_huxley(V)["n"] for V in LEVELS]).T
    expected = 36.0 * (alpha / (alpha + beta)) ** 4 * (LEVELS + 77.0)
    np.testing.assert_allclose(trace.currents["I_K"][:, 10_000], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("drug", "blocked", "left"), [("TTX", "I_Na", "I_K"), ("TEA", "I_K", "I_Na")])
def test_a_drug_removes_its_current_and_nothing_else(drug, blocked, left):
    control, treated = clamp(HodgkinHuxley(), STEP), clamp(HodgkinHuxley.preset(drug), STEP)
    assert not treated.currents[blocked].any() and control.currents[blocked].any()
    np.testing.assert_array_equal(treated.currents[left], control.currents[left])
    np.testing.assert_allclose(control.total - treated.total, control.currents[blocked], rtol=0, atol=1e-10)


def test_half_a_dose_halves_the_current():
    half = clamp(HodgkinHuxley(block_Na=0.5), STEP).currents["I_Na"]
    np.testing.assert_allclose(half, 0.5 * clamp(HodgkinHuxley(), STEP).currents["I_Na"], rtol=1e-12)


def test_tail_currents():
    """At the step back the driving force jumps and the channels do not; then n closes. At E_K there is no tail."""
    returns = np.array([-100.0, -77.0, -50.0])
    trace = clamp(HodgkinHuxley(), Command((-65.0, 0.0, returns), (1.0, 10.0, 10.0)))
    I_K = trace.currents["I_K"]
    alpha, beta = oracles.hodgkin_huxley(0.0)["n"]
    rest = oracles.steady_state(oracles.hodgkin_huxley, -65.0)[3]
    n_end = alpha / (alpha + beta) + (rest - alpha / (alpha + beta)) * np.exp(-(alpha + beta) * 10.0)
    np.testing.assert_allclose(I_K[:, 1100], 36.0 * n_end**4 * (returns + 77.0), rtol=1e-9)
    assert I_K[0, 1100] < 0.0 < I_K[2, 1100] and not I_K[1, 1100:].any()
    assert (np.diff(np.abs(I_K[0, 1100:])) < 0).all()


def test_a_family_is_its_sweeps():
    family = clamp(HodgkinHuxley(), step_command(-65.0, LEVELS))
    assert family.V.shape == family.total.shape == (len(LEVELS), len(family.t))
    for row in (0, 7, 32):
        single = clamp(HodgkinHuxley(), step_command(-65.0, LEVELS[row]))
        np.testing.assert_array_equal(family.V[row], single.V)
        np.testing.assert_allclose(family.total[row], single.total, rtol=1e-12, atol=1e-12)
        assert family.peak("I_Na")[row] == pytest.approx(single.peak("I_Na"), rel=1e-12)


def test_the_peak_is_looked_for_in_one_part_only():
    trace = clamp(HodgkinHuxley(), STEP)
    I_Na = trace.currents["I_Na"]
    assert trace.peak("I_Na") == I_Na[500:1500].min()
    assert trace.peak("I_Na", part=0) == pytest.approx(I_Na[0])
    assert trace.peak("I_Na", part=2) == I_Na[1500:].min() > trace.peak("I_Na")  # most channels are inactivated


def test_command_is_at_rest_before_it_begins():
    trace = clamp(HodgkinHuxley(), Command((-65.0,), (20.0,)))
    assert np.ptp(trace.total) < 1e-12


# ------------------------------------------------------------------------------------------------------ bad input


@dataclass(frozen=True, kw_only=True)
class GateOnGate(HodgkinHuxley):
    """A gate that waits for another one: no closed form."""

    @gate
    def q(V, m):
        return m, 1.0

    @current
    def I_q(q, g_L, E_L):
        return g_L * q, E_L


@pytest.mark.parametrize(
    ("levels", "durations", "message"),
    [
        ((), (), "0 levels and 0 durations; allowed: equally many, at least one"),
        ((-65.0, 0.0), (5.0,), "2 levels and 1 durations"),
        ((-65.0, np.nan), (5.0, 5.0), "levels = nan mV; allowed: from -300 to 300 mV"),
        ((-65.0, [0.0, 1e4]), (5.0, 5.0), "levels = 10000 mV"),
        ((-65.0, "high"), (5.0, 5.0), "levels = 'high' is not a number"),
        (
            ([0.0, 1.0], [0.0, 1.0, 2.0]),
            (5.0, 5.0),
            r"levels have shapes \(2,\), \(3,\); allowed: numbers, and arrays \(n_family,\) of one length",
        ),
        ((-65.0, np.zeros((2, 2))), (5.0, 5.0), r"levels have shapes \(\), \(2, 2\)"),
        ((-65.0, []), (5.0, 5.0), r"levels has shape \(0,\)"),
        ((-65.0, 0.0), (5.0, 0.0), "durations = 0 ms; allowed: above 0"),
        ((-65.0, 0.0), (-5.0, 5.0), "durations"),
        ((-65.0, 0.0), (5.0, np.inf), "durations"),
    ],
)
def test_bad_commands(levels, durations, message):
    with pytest.raises(ValueError, match=message):
        Command(levels, durations)


@pytest.mark.parametrize(
    ("neuron", "dt", "message"),
    [
        (HodgkinHuxley(), 0.0, "dt = 0 ms; allowed: above 0 and at most the 20 ms of the command"),
        (HodgkinHuxley(), np.nan, "dt = nan ms"),
        (HodgkinHuxley(), 30.0, "dt = 30 ms"),
        (LeakyIntegrateAndFire(), 0.01, "LeakyIntegrateAndFire has no ionic currents to clamp"),
        (GateOnGate(), 0.01, "GateOnGate has the state q, which does not depend on V alone"),
    ],
)
def test_bad_arguments_of_clamp(neuron, dt, message):
    with pytest.raises(ValueError, match=message):
        clamp(neuron, STEP, dt=dt)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("I_Ca",), "current = 'I_Ca'; allowed: I_Na, I_K, I_L"),
        (("I_Na", 3), "part = 3; allowed: an integer from 0 to 2"),
        (("I_Na", -1), "part = -1"),
    ],
)
def test_bad_arguments_of_peak(arguments, message):
    with pytest.raises(ValueError, match=message):
        clamp(HodgkinHuxley(), STEP).peak(*arguments)


def test_a_part_between_two_samples_has_no_peak():
    with pytest.raises(ValueError, match="part 1 of the command contains no sample"):
        clamp(HodgkinHuxley(), Command((-65.0, 0.0, -65.0), (1.2, 0.5, 5.0)), dt=1.0).peak("I_Na")
