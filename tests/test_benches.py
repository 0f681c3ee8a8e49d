"""The benches: what they return, checked by other means, and what the words say of it."""

import numpy as np
import pytest
from scipy.special import exprel

from helpers.benches import (
    PRESETS,
    STEPS,
    clamp_bench,
    clamp_in_words,
    current_clamp_bench,
    current_clamp_in_words,
    integration_in_words,
    integrator_bench,
    phase_plane_bench,
    phase_plane_in_words,
)
from helpers.integrators import METHODS
from helpers.neurons import HodgkinHuxley
from helpers.simulator import simulate
from helpers.stimuli import step

# ---------------------------------------------------------------------------------------------------- current clamp


@pytest.mark.parametrize("amplitude, count", [(2.2, 0), (2.25, 1), (5.0, 1), (10.0, 5), (-20.0, 1)])
def test_the_axon_fires_as_often_as_under_the_reference_integrator(amplitude, count):
    """From rest, as the 200 ms before the picture leave it, and by LSODA instead of exponential Euler."""
    rest = {"V": -64.9964, "m": 0.05296, "h": 0.59599, "n": 0.31773}  # independently by RK4, see facts
    trace = current_clamp_bench(amplitude=amplitude)
    exact = simulate(HodgkinHuxley(), step(amplitude, 10.0, 80.0), 100.0, 0.02, "lsoda", start=rest)
    assert len(trace.spike_times) == len(exact.spike_times) == count
    late = 0.5 if amplitude == 2.25 else 0.05  # so near threshold a spike hesitates for long
    np.testing.assert_allclose(trace.spike_times, exact.spike_times, atol=late)
    assert f"{count} spike{'s' * (count != 1)} (V rising through -20 mV)" in current_clamp_in_words(trace)


def test_before_the_stimulus_the_axon_stands_still_whatever_its_parameters():
    for changes in ({}, {"E_K": -90.0}, {"g_L": 1.0}, {"block_Na": 1.0}, {"temperature": 20.0}, {"noise": 2.0}):
        trace = current_clamp_bench(amplitude=0.0, **{**changes, "noise": 0.0})
        assert np.ptp(trace.V) < 1e-3
    noisy = current_clamp_bench(amplitude=0.0, noise=0.5)
    assert noisy.V[0] == current_clamp_bench(amplitude=0.0).V[0] and np.ptp(noisy.V) > 0.5
    np.testing.assert_array_equal(noisy.V, current_clamp_bench(amplitude=0.0, noise=0.5).V)


@pytest.mark.parametrize(
    "protocol, expected",
    [
        ("step", lambda t: np.where((t >= 10) & (t < 80), 14.0, 0.0)),
        ("ramp", lambda t: np.where((t >= 10) & (t < 80), 14.0 * (t - 10) / 70, 0.0)),
        ("pulse pair", lambda t: np.where(((t >= 10) & (t < 12)) | ((t >= 17) & (t < 19)), 14.0, 0.0)),
    ],
)
def test_each_protocol_injects_what_it_says(protocol, expected):
    trace = current_clamp_bench(protocol, 14.0, width=2.0, interval=7.0)
    np.testing.assert_allclose(trace.I, expected(trace.t + 1e-7), atol=1e-5)


def test_width_and_interval_are_the_pulses_alone():
    """A bad interval may stand in the box while a step is injected."""
    assert len(current_clamp_bench("step", 10.0, width=10.0, interval=90.0).spike_times) == 5
    with pytest.raises(ValueError, match="the end of the second pulse"):
        current_clamp_bench("pulse pair", 10.0, width=10.0, interval=90.0)
    with pytest.raises(ValueError, match="protocol = 'chirp'; allowed: step, ramp, pulse pair"):
        current_clamp_bench("chirp")
    with pytest.raises(ValueError, match="g_Na = -1 mS/cm²; allowed: at least 0"):
        current_clamp_bench(g_Na=-1.0)


def test_every_preset_of_the_bench_does_what_it_stands_for():
    runs = {name: current_clamp_bench(amplitude=10.0, **changes) for name, (_, changes) in PRESETS.items()}
    counts = {name: len(trace.spike_times) for name, trace in runs.items()}
    assert counts == {"squid": 5, "TTX": 0, "TEA": 0, "warm": 14, "braincell": 7, "cold": 3}
    assert not runs["TTX"].I_Na.any() and not runs["TEA"].I_K.any()
    assert len(current_clamp_bench(amplitude=0.0, **PRESETS["braincell"][1]).spike_times) == 3  # fires by itself
    cold, squid = HodgkinHuxley(**PRESETS["cold"][1]), HodgkinHuxley()
    assert cold.time_constant("n", -65.0) / squid.time_constant("n", -65.0) == pytest.approx(2.0, rel=2e-3)


def test_words_on_a_run_give_its_rate_its_range_and_its_currents():
    trace = current_clamp_bench(amplitude=10.0)
    words = current_clamp_in_words(trace)
    intervals = np.diff(trace.spike_times)
    assert f"5 spikes (V rising through -20 mV), {1000 / intervals.mean():.1f} Hz." in words
    assert f"then between {trace.V.min():.1f} and {trace.V.max():.1f} mV" in words
    assert f"I_Na {trace.I_Na.min():.0f}, I_K {trace.I_K.max():.0f}, I_L {trace.I_L.max():.0f} µA/cm²" in words
    assert "Hz" not in current_clamp_in_words(current_clamp_bench(amplitude=5.0))  # one spike has no rate
    assert "I_Na 0," in current_clamp_in_words(current_clamp_bench(block_Na=1.0))  # and no -0


# ---------------------------------------------------------------------------------------------------- voltage clamp


def test_the_clamp_gives_ohms_law_through_open_channels():
    bench = clamp_bench(test=20.0)
    neuron = HodgkinHuxley()
    after = int(np.searchsorted(bench.trace.t, 21.9))  # 20 ms into the step n has settled to a thousandth
    expected = neuron.g_K * neuron.steady_state("n", 20.0) ** 4 * (20.0 - neuron.E_K)
    assert bench.trace.currents["I_K"][after] == pytest.approx(expected, rel=1e-3)
    assert bench.peaks["I_L"] == pytest.approx(neuron.g_L * (20.0 - neuron.E_L))
    assert abs(clamp_bench(test=neuron.E_Na).peaks["I_Na"]) < 1e-9


def test_the_step_lies_on_the_curve_of_all_steps():
    for holding, test in ((-65.0, -20.0), (-90.0, 0.0), (-40.0, 60.0)):
        bench = clamp_bench(holding, test, block_K=0.5, temperature=10.0)
        (at,) = np.flatnonzero(bench.levels == test)
        for name, peak in bench.peaks.items():
            assert peak == pytest.approx(bench.curves[name][at], rel=2e-3)


def test_drugs_act_on_their_current_alone():
    free, blocked = clamp_bench(), clamp_bench(block_Na=1.0, block_K=0.25)
    assert not blocked.curves["I_Na"].any() and blocked.peaks["I_L"] == free.peaks["I_L"]
    np.testing.assert_allclose(blocked.curves["I_K"], 0.75 * free.curves["I_K"], rtol=1e-12)


def test_words_on_a_clamp_step():
    words = clamp_in_words(clamp_bench())
    assert words.startswith("From -65 to 0 mV: I_Na peaks at -1457 µA/cm² after 0.62 ms, I_K at 1890, I_L at 16")
    assert "h = 0.60" in words
    assert "I_Na peaks at 0 µA/cm², I_K" in clamp_in_words(clamp_bench(block_Na=1.0))


# ------------------------------------------------------------------------------------------------------ phase plane


def slopes(V, m, h, n, I):
    """dV/dt and dm/dt as Hodgkin and Huxley wrote them, with the squid's numbers."""
    alpha, beta = 1 / exprel(-(V + 40) / 10), 4 * np.exp(-(V + 65) / 18)
    return I - 120 * m**3 * h * (V - 50) - 36 * n**4 * (V + 77) - 0.3 * (V + 54.387), alpha * (1 - m) - beta * m


@pytest.mark.parametrize("amplitude, moment", [(10.0, 0.5), (10.0, 3.0), (10.0, 4.5), (2.0, 5.0), (-20.0, 15.0)])
def test_neither_state_moves_where_the_nullclines_cross(amplitude, moment):
    plane = phase_plane_bench(amplitude, moment)
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
    plane = phase_plane_bench(10.0, 0.5)
    V, m = plane.points.T
    assert list(plane.stable) == [True, False, True]
    for push in (-0.5, 0.5):
        np.testing.assert_array_equal(np.abs(ends_of(plane, V + push, m) - V) < 0.1, plane.stable)


def test_the_separatrix_parts_the_starts():
    plane = phase_plane_bench(10.0, 0.5)
    V, m = plane.separatrix[plane.separatrix[:, 0] > -100.0][::5].T  # below, m is too fast for these Euler steps
    assert len(V) > 8
    np.testing.assert_allclose(ends_of(plane, V - 0.5, m), plane.points[0, 0], atol=0.1)
    np.testing.assert_allclose(ends_of(plane, V + 0.5, m), plane.points[2, 0], atol=0.1)
    assert len(phase_plane_bench(10.0, 2.0).separatrix) == 0  # no saddle, no border


def test_words_on_the_phase_plane_and_a_moment_that_is_not_there():
    words = phase_plane_in_words(phase_plane_bench())
    assert words.startswith("2 spikes (V rising through -20 mV) in the run, V up to 40.3 mV. At 0.50 ms, with 0 µA/cm²")
    assert words.endswith("cross 3 times: at -65.0 mV (stable), at -62.4 mV (a saddle), at 48.9 mV (stable).")
    assert "cross once: at 48.9 mV (stable)." in phase_plane_in_words(phase_plane_bench(10.0, 2.0))
    with pytest.raises(ValueError, match="moment = 21 ms; allowed: from 0 to 20 ms"):
        phase_plane_bench(10.0, 21.0)


# ------------------------------------------------------------------------------------------------------ integrators


def test_the_error_falls_by_the_order_of_the_method():
    """Second order: exponential Euler advances V and the gates in turn, each with the other's latest value."""
    for method, order, dt in (("euler", 1, 0.002), ("exponential_euler", 2, 0.01), ("rk4", 4, 0.05)):
        coarse, fine = (integrator_bench(method, step).error.max() for step in (dt, dt / 2))
        assert np.log2(coarse / fine) == pytest.approx(order, abs=0.7)
        late, earlier = (abs(integrator_bench(method, step).late[-1]) for step in (dt, dt / 2))
        assert np.log2(late / earlier) == pytest.approx(order, abs=0.7)


def test_below_the_smallest_errors_it_is_the_reference_that_errs():
    """Two methods that share nothing but the equations agree far better with each other than with the reference."""
    first, second = integrator_bench("rk5", 0.002), integrator_bench("rk6", 0.002)
    apart = np.abs(first.trace.V - second.trace.V).max()
    assert apart < 0.01 * first.error.max() and first.error.max() < 1e-4
    assert abs(first.late).max() < 1e-6


def test_a_method_that_fails_says_so_in_the_words_of_the_simulator():
    bench = integrator_bench("rk4", 0.1)
    assert bench.trace is None
    with pytest.raises(ValueError) as failure:
        simulate(HodgkinHuxley(), step(10.0, 5.0, 45.0), 50.0, 0.1, "rk4")
    assert integration_in_words(bench) == f"No trace: {failure.value}."
    assert "unstable" in bench.failure
    assert "dt = 0.1 ms; allowed for euler" in integration_in_words(integrator_bench("euler", 0.1))
    with pytest.raises(ValueError, match="dt = 0.03; allowed: 0.001, 0.002, .* 0.1$"):
        integrator_bench("rk4", 0.03)
    with pytest.raises(ValueError, match="method = 'heun'; allowed: exponential_euler, euler, rk4"):
        integrator_bench("heun")
    with pytest.raises(ValueError, match="precision = 'half'; allowed: double, single"):
        integrator_bench(precision="half")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_counts_the_slopes_that_it_computes(method):
    stages = {"exponential_euler": 1, "euler": 1, "rk4": 4, "rk5": 6, "rk6": 7}[method]
    bench = integrator_bench(method, 0.05)
    assert bench.evaluations == 1000 * stages
    assert f"computed {1000 * stages:,} times" in integration_in_words(bench)
    late = bench.trace.spike_times[-1] - bench.reference.spike_times[-1]
    assert f"{abs(late):.2g} ms {'later' if late > 0 else 'earlier'} than in the reference" in integration_in_words(
        bench
    )


def test_every_step_divides_the_run():
    for dt in STEPS:
        assert integrator_bench("rk5", dt).trace.t[-1] == pytest.approx(50.0)
