"""The functions behind the explorers of notebook 1, checked by other means, and what the words say of them."""

import numpy as np
import pytest
from scipy.special import exprel

from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.integrators import METHODS
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.widgets.integrators import STEPS, describe_integrator_run, run_integrator
from helpers.widgets.phase_plane import describe_phase_plane, phase_plane_at
from helpers.widgets.voltage_clamp import clamp_step, describe_clamp_step

# ---------------------------------------------------------------------------------------------------- voltage clamp


def test_the_clamp_gives_ohms_law_through_open_channels():
    result = clamp_step(test=20.0)
    neuron = HodgkinHuxley()
    after = int(np.searchsorted(result.trace.t, 21.9))  # 20 ms into the step n has settled to a thousandth
    expected = neuron.g_K * neuron.steady_state("n", 20.0) ** 4 * (20.0 - neuron.E_K)
    assert result.trace.currents["I_K"][after] == pytest.approx(expected, rel=1e-3)
    assert result.peaks["I_L"] == pytest.approx(neuron.g_L * (20.0 - neuron.E_L))
    assert abs(clamp_step(test=neuron.E_Na).peaks["I_Na"]) < 1e-9


def test_the_step_lies_on_the_curve_of_all_steps():
    for holding, test in ((-65.0, -20.0), (-90.0, 0.0), (-40.0, 60.0)):
        result = clamp_step(holding, test, block_K=0.5, temperature=10.0)
        (at,) = np.flatnonzero(result.levels == test)
        for name, peak in result.peaks.items():
            assert peak == pytest.approx(result.curves[name][at], rel=2e-3)


def test_drugs_act_on_their_current_alone():
    free, blocked = clamp_step(), clamp_step(block_Na=1.0, block_K=0.25)
    assert not blocked.curves["I_Na"].any() and blocked.peaks["I_L"] == free.peaks["I_L"]
    np.testing.assert_allclose(blocked.curves["I_K"], 0.75 * free.curves["I_K"], rtol=1e-12)


def test_words_on_a_clamp_step():
    words = describe_clamp_step(clamp_step())
    assert words.startswith("From -65 to 0 mV: I_Na peaks at -1457 µA/cm² after 0.62 ms, I_K at 1890, I_L at 16")
    assert "h = 0.60" in words
    assert "I_Na peaks at 0 µA/cm², I_K" in describe_clamp_step(clamp_step(block_Na=1.0))


# ------------------------------------------------------------------------------------------------------ phase plane


def slopes(V, m, h, n, I):
    """dV/dt and dm/dt as Hodgkin and Huxley wrote them, with the squid's numbers."""
    alpha, beta = 1 / exprel(-(V + 40) / 10), 4 * np.exp(-(V + 65) / 18)
    return I - 120 * m**3 * h * (V - 50) - 36 * n**4 * (V + 77) - 0.3 * (V + 54.387), alpha * (1 - m) - beta * m


@pytest.mark.parametrize("amplitude, moment", [(10.0, 0.5), (10.0, 3.0), (10.0, 4.5), (2.0, 5.0), (-20.0, 15.0)])
def test_neither_state_moves_where_the_nullclines_cross(amplitude, moment):
    plane = phase_plane_at(amplitude, moment)
    trace, k = plane.trace, plane.k
    assert trace.t[k] == pytest.approx(moment)
    h, n, I = trace.h[k], trace.n[k], amplitude if moment >= 1.0 else 0.0
    for V, m in plane.points:
        np.testing.assert_allclose(slopes(V, m, h, n, I), 0.0, atol=1e-8)
    for axis, name in enumerate(("V", "m")):
        scale = np.abs(slopes(*np.meshgrid([-80.0, -30.0, 40.0], [0.1, 0.9]), h, n, I)[axis]).max()
        for V, m in np.concatenate(plane.nullclines[name]):
            assert abs(slopes(V, m, h, n, I)[axis]) < 5e-3 * scale


def ends_of(plane, V, m):
    """V (n,) after 40 ms of Euler steps of the two slopes from (V, m), before any current flows."""
    h, n = plane.trace.h[plane.k], plane.trace.n[plane.k]
    state = np.array([V, m])
    for _ in range(20_000):
        state += 0.002 * np.array(slopes(*state, h, n, 0.0))
    return state[0]


def test_a_push_dies_out_at_a_stable_point_and_grows_at_a_saddle():
    plane = phase_plane_at(10.0, 0.5)
    V, m = plane.points.T
    assert list(plane.stable) == [True, False, True]
    for push in (-0.5, 0.5):
        np.testing.assert_array_equal(np.abs(ends_of(plane, V + push, m) - V) < 0.1, plane.stable)


def test_the_separatrix_parts_the_starts():
    plane = phase_plane_at(10.0, 0.5)
    V, m = plane.separatrix[plane.separatrix[:, 0] > -100.0][::5].T  # below, m is too fast for these Euler steps
    assert len(V) > 8
    np.testing.assert_allclose(ends_of(plane, V - 0.5, m), plane.points[0, 0], atol=0.1)
    np.testing.assert_allclose(ends_of(plane, V + 0.5, m), plane.points[2, 0], atol=0.1)
    assert len(phase_plane_at(10.0, 2.0).separatrix) == 0  # no saddle, no border


def test_words_on_the_phase_plane_and_a_moment_that_is_not_there():
    words = describe_phase_plane(phase_plane_at())
    assert words.startswith("2 spikes (V peaking above -20 mV) in the run, V up to 40.3 mV. At 0.50 ms, with 0 µA/cm²")
    assert words.endswith("cross 3 times: at -65.0 mV (stable), at -62.4 mV (a saddle), at 48.9 mV (stable).")
    assert "cross once: at 48.9 mV (stable)." in describe_phase_plane(phase_plane_at(10.0, 2.0))
    with pytest.raises(ValueError, match="moment = 21 ms; allowed: from 0 to 20 ms"):
        phase_plane_at(10.0, 21.0)


# ------------------------------------------------------------------------------------------------------ integrators


@pytest.mark.slow
def test_the_error_falls_by_the_order_of_the_method():
    """Second order: exponential Euler advances V and the gates in turn, each with the other's latest value."""
    for method, order, dt in (("euler", 1, 0.002), ("exponential_euler", 2, 0.01), ("rk4", 4, 0.05)):
        coarse, fine = (run_integrator(method, step).error.max() for step in (dt, dt / 2))
        assert np.log2(coarse / fine) == pytest.approx(order, abs=0.7)
        late, earlier = (abs(run_integrator(method, step).late[-1]) for step in (dt, dt / 2))
        assert np.log2(late / earlier) == pytest.approx(order, abs=0.7)


def test_below_the_smallest_errors_it_is_the_reference_that_errs():
    """Two methods that share nothing but the equations agree far better with each other than with the reference."""
    first, second = run_integrator("rk5", 0.002), run_integrator("rk6", 0.002)
    apart = np.abs(first.trace.V - second.trace.V).max()
    assert apart < 0.01 * first.error.max() and first.error.max() < 1e-4
    assert abs(first.late).max() < 1e-6


def test_a_method_that_fails_says_so_in_the_words_of_the_simulator():
    result = run_integrator("rk4", 0.1)
    assert result.trace is None
    with pytest.raises(ValueError) as failure:
        simulate(HodgkinHuxley(), step(10.0, 5.0, 45.0), 50.0, 0.1, "rk4")
    assert describe_integrator_run(result) == f"No trace: {failure.value}."
    assert "unstable" in result.failure
    assert "dt = 0.1 ms; allowed for euler" in describe_integrator_run(run_integrator("euler", 0.1))
    with pytest.raises(ValueError, match="dt = 0.03; allowed: 0.001, 0.002, .* 0.1$"):
        run_integrator("rk4", 0.03)
    with pytest.raises(ValueError, match="method = 'heun'; allowed: exponential_euler, euler, rk4"):
        run_integrator("heun")
    with pytest.raises(ValueError, match="precision = 'half'; allowed: double, single"):
        run_integrator(precision="half")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_counts_the_slopes_that_it_computes(method):
    stages = {"exponential_euler": 1, "euler": 1, "rk4": 4, "rk5": 6, "rk6": 7}[method]
    result = run_integrator(method, 0.05)
    assert result.evaluations == 1000 * stages
    assert f"computed {1000 * stages:,} times" in describe_integrator_run(result)
    late = result.trace.spike_times[-1] - result.reference.spike_times[-1]
    assert f"{abs(late):.2g} ms {'later' if late > 0 else 'earlier'} than in the reference" in describe_integrator_run(
        result
    )


def test_every_step_divides_the_run():
    for dt in STEPS:
        assert run_integrator("rk5", dt).trace.t[-1] == pytest.approx(50.0)
