"""The stimuli against independent formulas, compiled against NumPy, the noise against its theory, and bad input."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numba import njit

from helpers.neurons import functions
from helpers.neurons.equations import Neuron, current
from helpers.neurons.parameters import parameter
from helpers.recordings.passive import current_density
from helpers.recordings.rig import synthetic_recording
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.compiler import kernels
from helpers.simulation.compiler.codegen import function_text
from helpers.simulation.compiler.source import read_function
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import (
    Waveform,
    chirp,
    ornstein_uhlenbeck,
    pulse_pair,
    pulse_train,
    ramp,
    recorded,
    sine,
    step,
)

# Edges between samples: there single precision cannot round a time across an edge.
STIMULI = {
    "step": step(5.0, 8.003, 52.007),
    "ramp": ramp(-3.0, 12.0, 8.003, 52.007),
    "pulse pair": pulse_pair(5.0, 1.5, 7.13, 8.003, 52.007, second_amplitude=-3.0),
    "overlapping pulses": pulse_pair(5.0, 6.01, 2.03, 8.003, 52.007, second_amplitude=4.0),
    "pulse train": pulse_train(5.0, 1.237, 8.003, 52.007, frequency=91.0),
    "sine": sine(5.0, 70.0, 8.003, 52.007, offset=2.0, phase=0.4),
    "chirp": chirp(5.0, 10.0, 300.0, 8.003, 52.007, offset=-1.0),
}
named = pytest.mark.parametrize("stimulus", STIMULI.values(), ids=STIMULI)
both_precisions = pytest.mark.parametrize("precision", ["double", pytest.param("single", marks=pytest.mark.long)])


def formula(stimulus, t):
    """The current of one of `STIMULI` at each time, written without `where` and without helpers."""
    p = stimulus.values()
    s, on = t - p["start"], (p["start"] <= t) * (t < p["stop"])
    match type(stimulus).__name__:
        case "step":
            return on * p["amplitude"]
        case "ramp":
            return on * np.interp(t, [p["start"], p["stop"]], [p["first"], p["last"]])
        case "pulse_pair":
            pulses = (p["amplitude"], 0.0), (p["second_amplitude"], p["interval"])
            return sum(a * (delay <= s) * (s < delay + p["width"]) for a, delay in pulses)
        case "pulse_train":
            onsets = np.arange(0.0, p["stop"] - p["start"], 1000.0 / p["frequency"])[:, None]
            return on * p["amplitude"] * ((onsets <= s) & (s < onsets + p["width"])).any(axis=0)
        case "sine":
            return on * (p["offset"] + p["amplitude"] * np.sin(2e-3 * np.pi * p["frequency"] * s + p["phase"]))
        case "chirp":
            seconds, length = 1e-3 * s, 1e-3 * (p["stop"] - p["start"])
            cycles = p["f_0"] * seconds + (p["f_1"] - p["f_0"]) * seconds**2 / (2.0 * length)
            return on * (p["offset"] + p["amplitude"] * np.sin(2.0 * np.pi * cycles))


@njit
def everything(sweep):
    return sweep.I.copy()


def injected_into_many(stimulus, parameters, dt=0.05, **options):
    """What the compiled code injects into each neuron, (n_sims, n_samples)."""
    return simulate_many(Leak(), stimulus, parameters, 60.0, dt, seed=0, summarise=everything, **options)


@dataclass(frozen=True, kw_only=True)
class Leak(Neuron):
    """The smallest neuron: quickly compiled."""

    C: float = parameter(1.0, "µF/cm²", "capacitance", low=0.5, high=2.0, minimum=0.1)
    g_L: float = parameter(0.3, "mS/cm²", "leak conductance", low=0.1, high=1.0, minimum=0.0)
    E_L: float = parameter(-65.0, "mV", "leak reversal potential", low=-80.0, high=-50.0)
    V_init: float = parameter(-65.0, "mV", "membrane potential at the start", low=-80.0, high=-50.0)

    @current
    def I_L(g_L, E_L):
        return g_L, E_L


# ------------------------------------------------------------------------------------------------- right answers


@named
def test_waveform_against_an_independent_formula(stimulus):
    edges = np.array(stimulus.jumps())
    t = np.concatenate([np.linspace(0.0, 60.0, 100_003), edges - 1e-6, edges + 1e-6])
    np.testing.assert_allclose(stimulus.current(t), formula(stimulus, t), rtol=0, atol=1e-11)
    assert (edges >= 0.0).all() and (np.diff(edges) > 0).all() and edges[0] == stimulus.start


@named
def test_onset_is_included_and_end_excluded(stimulus):
    whole = replace(stimulus, start=8.0, stop=52.0)
    before, onset, end = whole.current(np.array([np.nextafter(8.0, 0.0), 8.0, 52.0]))
    assert before == end == 0.0
    assert onset == pytest.approx(formula(whole, np.array([8.0]))[0]) and (onset != 0.0)


def test_every_edge_of_pulses():
    pair = pulse_pair(5.0, 1.5, 4.0, 8.0, 20.0, second_amplitude=3.0)
    np.testing.assert_array_equal(pair.current(np.array([8.0, 9.5, 12.0, 13.5])), [5.0, 0.0, 3.0, 0.0])
    assert pair.jumps() == (8.0, 9.5, 12.0, 13.5, 20.0)
    train = pulse_train(5.0, 1.5, 8.0, 57.5, period=4.0)
    onsets = 8.0 + 4.0 * np.arange(13)
    np.testing.assert_array_equal(train.current(onsets), np.full(13, 5.0))
    np.testing.assert_array_equal(train.current(onsets[:-1] + 1.5), np.zeros(12))
    np.testing.assert_allclose(train.jumps(), np.sort([*onsets, *(onsets + 1.5)]))  # the last pulse ends at stop
    assert pulse_train(5.0, 1.5, 8.0, 57.0, period=4.0).jumps()[-2:] == (56.0, 57.0)  # the last pulse is cut off


@pytest.mark.parametrize("frequency", [30.0, 70.0, 90.0, 110.0, 317.0])
@pytest.mark.parametrize("start", [0.0, 0.1, 17.3])
def test_rounding_errors_move_no_edge_of_a_train(frequency, start):
    period = 1000.0 / frequency
    train = pulse_train(5.0, 1.0, start, start + 49 * period + 1.0, frequency=frequency)
    edges = np.array(train.jumps())
    assert len(edges) == 100
    np.testing.assert_array_equal(train.current(edges), np.tile([5.0, 0.0], 50))
    without_gaps = pulse_train(5.0, period, start, start + 50 * period, frequency=frequency)
    assert len(without_gaps.jumps()) == 51  # the end of a period is no edge of its own


def test_nothing_flows_after_the_window_even_where_values_vary():
    values = {**STIMULI["pulse pair"].values(), "interval": 60.0}
    assert pulse_pair.I.evaluate({**values, "t": 68.5}) == 0.0


def test_overlapping_pulses_add():
    assert pulse_pair(5.0, 2.0, 1.0, 8.0, 20.0).current(np.array([8.5, 9.5, 10.5])).tolist() == [5.0, 10.0, 5.0]


@pytest.mark.parametrize(("frequency", "dt"), [(30.0, 0.01), (70.0, 0.01), (90.0, 0.025), (1000.0 / 3.0, 0.05)])
def test_a_long_train_has_as_many_pulses_as_its_frequency_says(frequency, dt):
    trace = simulate(Leak(), pulse_train(5.0, 1.0, 10.0, 2010.0, frequency=frequency), 2020.0, dt)
    rises = np.flatnonzero(np.diff(trace.I) > 0) + 1
    expected = 10.0 + np.arange(np.ceil(2.0 * frequency - 1e-9)) * 1000.0 / frequency
    np.testing.assert_array_equal(rises, np.ceil(expected / dt - 1e-6).astype(int))


def test_a_train_without_gaps_is_a_step():
    t = np.linspace(0.0, 60.0, 6001)
    train = pulse_train(5.0, 4.0, 8.0, 52.0, period=4.0)
    np.testing.assert_array_equal(train.current(t), step(5.0, 8.0, 52.0).current(t))


def test_sine_in_numpy_and_in_both_precisions():
    x = np.concatenate([np.random.default_rng(0).uniform(-1e5, 1e5, 100_000), np.arange(-9999, 9999) * np.pi / 2])
    small = np.linspace(-100.0, 100.0, 100_001, dtype=np.float32)
    assert np.abs(functions.sin(x) - np.sin(x)).max() < 1e-14
    assert functions.sin(0.0) == 0.0
    np.testing.assert_allclose(compiled_sine("double")(x), functions.sin(x), rtol=0, atol=1e-15)
    single = compiled_sine("single")(small)
    assert single.dtype == np.float32
    assert np.abs(single - np.sin(small.astype(float))).max() < 5e-7


def compiled_sine(precision):
    real = np.float32 if precision == "single" else np.float64
    names = {"njit": njit, "GENERATED_OPTIONS": kernels.OPTIONS, "where": kernels.where, "real": real}
    exec(function_text(read_function(functions.sin, "sin"), precision), names)
    sin = names["sin"]
    return njit(lambda x: np.array([sin(value) for value in x]))


@pytest.mark.parametrize(("frequency", "phase"), [(5.0, 0.0), (50.0, 1.0), (300.0, -2.0)])
def test_passive_response_to_a_sine_in_closed_form(frequency, phase):
    """Long after the onset V - E_L = offset/g + amplitude/|g + iωC|·sin(angle - arctan(ωC/g))."""
    stimulus = sine(2.0, frequency, 10.0, 210.0, offset=1.0, phase=phase)
    cell = Leak()
    trace = simulate(cell, stimulus, 210.0, 0.02, method="rk4")
    admittance = cell.g_L + 2e-3j * np.pi * frequency * cell.C
    angle = 2e-3 * np.pi * frequency * (trace.t - 10.0) + phase
    V = cell.E_L + 1.0 / cell.g_L + 2.0 / abs(admittance) * np.sin(angle - np.angle(admittance))
    late = trace.t > 120.0  # 33 time constants after the onset
    np.testing.assert_allclose(trace.V[late], V[late], rtol=0, atol=1e-5)


@named
def test_rk4_and_lsoda_agree(stimulus):
    on_grid = replace(stimulus, start=8.0, stop=52.0)
    if "width" in on_grid.parameters():
        on_grid = replace(on_grid, width=1.5)
    if "frequency" in on_grid.parameters():
        on_grid = replace(on_grid, frequency=80.0)
    if "interval" in on_grid.parameters():
        on_grid = replace(on_grid, interval=7.0 if stimulus.interval > stimulus.width else 1.0)
    rk4, lsoda = (simulate(Leak(), on_grid, 60.0, 0.01, method=method) for method in ("rk4", "lsoda"))
    np.testing.assert_allclose(rk4.V, lsoda.V, rtol=0, atol=1e-5)
    assert np.ptp(lsoda.V) > 1.0


# ------------------------------------------------------------------------------------------ compiled against NumPy


@named
@both_precisions
def test_compiled_code_injects_what_numpy_says(stimulus, precision):
    expected = simulate(Leak(), stimulus, 60.0, 0.05).I
    np.testing.assert_allclose(expected, formula(stimulus, 0.05 * np.arange(1201)), rtol=0, atol=1e-4)
    injected = injected_into_many(stimulus, {"C": np.ones(2)}, precision=precision)
    atol = 1e-12 if precision == "double" else 2e-4
    np.testing.assert_allclose(injected, np.stack([expected, expected]), rtol=0, atol=atol)


@named
@both_precisions
def test_the_time_loop_follows_the_same_current(stimulus, precision):
    """V under the formula and under its samples; under the second the loop only reads an array."""
    sampled = stimulus.sampled(60.0, 0.05)
    one = simulate(Leak(), stimulus, 60.0, 0.05, precision=precision)
    many = simulate_traces(Leak(), stimulus, {"C": np.ones(2)}, 60.0, 0.05, seed=0, precision=precision)
    expected = simulate(Leak(), sampled, 60.0, 0.05)
    np.testing.assert_array_equal(one.I, expected.I)
    for V in (one.V, *many):
        np.testing.assert_allclose(V, expected.V, rtol=0, atol=1e-10 if precision == "double" else 2e-3)


@pytest.mark.parametrize(
    ("stimulus", "name"),
    [
        pytest.param(stimulus, name, id=f"{kind}, {name}")
        for kind, stimulus in STIMULI.items()
        for name in stimulus.parameters()
    ],
)
def test_every_parameter_can_vary(stimulus, name):
    values = getattr(stimulus, name) * np.array([1.0, 0.98, 0.93, 0.8])
    injected = injected_into_many(stimulus, {name: values})
    for value, row in zip(values, injected, strict=True):
        one = simulate(Leak(), replace(stimulus, **{name: value}), 60.0, 0.05)
        np.testing.assert_allclose(row, one.I, rtol=0, atol=1e-12)
    only_a_window = name == "stop" and "interval" in stimulus.parameters()  # after the second pulse nothing flows
    assert np.array_equal(injected[0], injected[3]) == only_a_window


# --------------------------------------------------------------------------------------------- sample by sample


def test_noise_has_the_mean_the_spread_and_the_correlation_it_promises():
    """Four standard errors: tau/duration·2 of the variance for the mean, about the same for its square."""
    mean, sd, tau, dt, duration = 5.0, 2.0, 4.0, 0.1, 200_000.0
    noise = ornstein_uhlenbeck(mean, sd, tau, 0.0, duration, duration, dt, seed=1)
    z = (noise.samples[:-1] - mean) / sd
    assert abs(z.mean()) < 4 * np.sqrt(2 * tau / duration)
    assert abs(np.mean(z**2) - 1) < 4 * np.sqrt(2 * tau / duration)  # Var z² = 2, correlated over tau/2
    assert abs(np.mean(z**4) - 3) < 4 * np.sqrt(96 * tau / duration)
    for lag in (1, 10, 40, 80, 200):
        expected = np.exp(-lag * dt / tau)
        assert abs(np.mean(z[lag:] * z[:-lag]) - expected) < 4 * np.sqrt(2 * tau / duration)
    steps = z[1:] - np.exp(-dt / tau) * z[:-1]  # what is left is white
    bound = 4 / np.sqrt(len(steps))
    assert abs(steps.var() / (1 - np.exp(-2 * dt / tau)) - 1) < np.sqrt(2) * bound
    assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < bound
    assert abs(np.corrcoef(steps[1:] ** 2, steps[:-1] ** 2)[0, 1]) < bound


def test_noise_is_stationary_from_its_first_sample_on():
    first = [ornstein_uhlenbeck(5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 0.1, seed=s).samples[10] for s in range(2000)]
    assert abs(np.mean(first) - 5.0) < 4 * 2.0 / np.sqrt(2000)
    assert abs(np.var(first) / 4.0 - 1) < 4 * np.sqrt(2 / 2000)


def test_noise_flows_within_its_window_only_and_repeats_by_its_seed():
    noise = ornstein_uhlenbeck(5.0, 2.0, 4.0, 10.0, 50.0, 60.0, 0.01, seed=3)
    assert np.flatnonzero(noise.samples).tolist() == list(range(1000, 5000))
    longer = ornstein_uhlenbeck(5.0, 2.0, 4.0, 10.0, 50.0, 90.0, 0.01, seed=3)
    np.testing.assert_array_equal(longer.samples[:6001], noise.samples)
    other = ornstein_uhlenbeck(5.0, 2.0, 4.0, 10.0, 50.0, 60.0, 0.01, seed=4)
    assert abs(np.corrcoef(noise.samples[1000:5000], other.samples[1000:5000])[0, 1]) < 4 * np.sqrt(4.0 / 40.0)
    np.testing.assert_array_equal(simulate(Leak(), noise, 60.0).I, noise.samples)


def test_noise_without_spread_is_a_step():
    noise = ornstein_uhlenbeck(5.0, 0.0, 4.0, 10.0, 50.0, 60.0, 0.01, seed=3)
    np.testing.assert_array_equal(noise.samples, step(5.0, 10.0, 50.0).sampled(60.0, 0.01).samples)


def test_the_current_of_a_trace_can_be_injected_again():
    trace = simulate(Leak(), STIMULI["chirp"], 60.0, 0.02)
    again = recorded(trace)
    assert (again.start, again.stop, again.dt) == (8.003, 52.007, pytest.approx(0.02))
    np.testing.assert_array_equal(again.samples, trace.I)
    np.testing.assert_allclose(simulate(Leak(), again, 60.0, 0.02).V, trace.V, rtol=0, atol=1e-9)
    fine = recorded(trace, dt=0.005)
    np.testing.assert_array_equal(fine.samples, np.append(np.repeat(trace.I[:-1], 4), trace.I[-1]))
    np.testing.assert_array_equal(recorded(trace, dt=0.04).samples, trace.I[::2])
    odd = recorded(trace, dt=0.03)
    np.testing.assert_array_equal(odd.samples, trace.I[(3 * np.arange(2001)) // 2])


def test_a_recording_becomes_a_stimulus_by_its_area():
    cell = synthetic_recording(150.0, seed=0)
    again = recorded(current_density(cell, 2.5e-4), dt=0.01)
    trace = simulate(Leak(), again, 1000.0, 0.01)
    np.testing.assert_allclose(trace.I, step(150e-6 / 2.5e-4, 150.0, 650.0).sampled(1000.0, 0.01).samples, rtol=1e-9)
    assert (trace.start, trace.stop) == (150.0, 650.0)


def test_a_recording_that_begins_later_and_is_on_to_its_end():
    trace = simulate(Leak(), step(5.0, 8.0, 60.0), 60.0, 0.05)
    late = replace(trace, t=trace.t + 100.0, start=108.0, stop=160.05)
    again = recorded(late)
    assert (again.start, again.stop) == (pytest.approx(8.0), pytest.approx(60.0))
    np.testing.assert_array_equal(simulate(Leak(), again, 60.0, 0.05).V, trace.V)


def test_sums():
    noise = ornstein_uhlenbeck(0.0, 2.0, 4.0, 20.0, 55.0, 60.0, 0.05, seed=3)
    for both in (noise + STIMULI["sine"], STIMULI["sine"] + noise):
        trace = simulate(Leak(), both, 60.0, 0.05)
        np.testing.assert_allclose(trace.I, noise.samples + simulate(Leak(), STIMULI["sine"], 60.0, 0.05).I, atol=1e-12)
        assert (both.start, both.stop) == (8.003, 55.0)
    np.testing.assert_array_equal((noise + noise).samples, 2 * noise.samples)
    two = STIMULI["sine"].sampled(60.0, 0.05) + STIMULI["ramp"]
    t = np.arange(1201) * 0.05 + 1e-6 * 0.05
    np.testing.assert_array_equal(two.current(t), STIMULI["sine"].current(t) + STIMULI["ramp"].current(t))
    with pytest.raises(TypeError):
        noise + 1.0


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ramp(np.nan, 1.0, 1.0, 2.0), r"first = nan µA/cm²; allowed: a finite number"),
        (lambda: ramp(0.0, np.inf, 1.0, 2.0), r"last = inf µA/cm²; allowed: a finite number"),
        (lambda: ramp(0.0, 1.0, -1.0, 2.0), r"start = -1 ms; allowed: at least 0 ms"),
        (lambda: ramp(0.0, 1.0, 3.0, 2.0), r"stop = 2 ms is not after start = 3 ms"),
        (lambda: ramp([0.0, 1.0], 1.0, 1.0, 2.0), r"first takes one number, got an array of shape \(2,\)"),
        (lambda: pulse_pair(1.0, 0.0, 5.0, 1.0, 20.0), r"width = 0 ms; allowed: at least 0.001 ms"),
        (lambda: pulse_pair(1.0, 1.0, -5.0, 1.0, 20.0), r"interval = -5 ms; allowed: at least 0 ms"),
        (lambda: pulse_pair(1.0, 1.0, 5.0, 1.0, 1.0), r"stop = 1 ms is not after start = 1 ms"),
        (lambda: pulse_pair(1.0, 1.0, 5.0, 1.0, 6.5), r"stop = 6.5 ms; allowed: at least 7 ms, the end of the second"),
        (lambda: pulse_pair(1.0, 1.0, 5.0, 1.0, 20.0, second_amplitude=np.nan), r"second_amplitude = nan µA/cm²"),
        (lambda: pulse_train(1.0, 1.0, 1.0, 20.0, frequency=0.0), r"frequency = 0 Hz; allowed: from 0.001 to 10000 Hz"),
        (lambda: pulse_train(1.0, 1.0, 1.0, 20.0, frequency=-5.0), r"frequency = -5 Hz; allowed: from 0.001"),
        (lambda: pulse_train(1.0, 1.0, 1.0, 20.0, period=0.0), r"period = 0 ms; allowed: above 0 ms"),
        (lambda: pulse_train(1.0, 1.0, 1.0, 20.0), r"frequency = None Hz, period = None ms; allowed: exactly one"),
        (lambda: pulse_train(1.0, 1.0, 1.0, 20.0, frequency=100.0, period=10.0), r"allowed: exactly one of the two"),
        (
            lambda: pulse_train(1.0, 30.0, 1.0, 200.0, frequency=40.0),
            r"width = 30 ms; allowed: at most 25 ms, the period at frequency = 40 Hz",
        ),
        (lambda: pulse_train(1.0, 0.0, 1.0, 200.0, frequency=40.0), r"width = 0 ms; allowed: at least 0.001 ms"),
        (lambda: pulse_train(1.0, 1.0, 20.0, 20.0, frequency=40.0), r"stop = 20 ms is not after start = 20 ms"),
        (lambda: sine(1.0, 0.0, 1.0, 20.0), r"frequency = 0 Hz; allowed: from 0.001 to 10000 Hz"),
        (lambda: sine(1.0, 2e4, 1.0, 20.0), r"frequency = 20000 Hz; allowed: from 0.001 to 10000 Hz"),
        (lambda: sine("much", 10.0, 1.0, 20.0), r"amplitude = 'much' is not a number; allowed: a finite number"),
        (lambda: sine(1.0, 10.0, 1.0, 20.0, phase=np.nan), r"phase = nan rad"),
        (lambda: sine(1.0, 10.0, 1.0, 20.0, offset=np.inf), r"offset = inf µA/cm²"),
        (lambda: sine(1.0, 10.0, 30.0, 20.0), r"stop = 20 ms is not after start = 30 ms"),
        (lambda: chirp(1.0, -1.0, 10.0, 1.0, 20.0), r"f_0 = -1 Hz; allowed: from 0 to 10000 Hz"),
        (lambda: chirp(1.0, 1.0, -10.0, 1.0, 20.0), r"f_1 = -10 Hz; allowed: from 0 to 10000 Hz"),
        (lambda: chirp(1.0, 1.0, 10.0, 1.0, 0.0), r"stop = 0 ms is not after start = 1 ms"),
        (lambda: noise(mean=np.nan), r"mean = nan µA/cm²"),
        (lambda: noise(sd=-1.0), r"sd = -1 µA/cm²; allowed: at least 0 µA/cm²"),
        (lambda: noise(tau=0.0), r"tau = 0 ms; allowed: at least 0.001 ms"),
        (lambda: noise(stop=5.0), r"stop = 5 ms is not after start = 10 ms"),
        (lambda: noise(stop=70.0), r"stop = 70 ms; allowed: at most the duration, 60 ms"),
        (lambda: noise(dt=0.0), r"dt = 0 ms; allowed: above 0 ms"),
        (lambda: noise(duration=-1.0), r"duration = -1 ms; allowed: above 0 ms"),
        (lambda: noise(dt=0.07), r"duration = 60 ms; allowed: a multiple of dt = 0.07 ms"),
        (lambda: noise(seed=-1), r"seed = -1; allowed: an integer from 0"),
        (lambda: noise(seed=None), r"seed = None; allowed: an integer from 0"),
        (lambda: recorded(synthetic_recording(150.0, seed=0)), r"I is in pA; allowed: µA/cm². helpers.recordings"),
        (lambda: recorded(tiny_trace(), dt=-0.01), r"dt = -0.01 ms; allowed: above 0 ms"),
        (lambda: recorded(tiny_trace(), dt=np.nan), r"dt = nan ms; allowed: above 0 ms"),
        (lambda: recorded(tiny_trace(), dt=20.0), r"dt = 20 ms; allowed: at most the length of the trace, 10 ms"),
        (lambda: Waveform(samples=np.zeros(5), dt=0.0), r"dt = 0 ms; allowed: above 0 ms"),
        (lambda: step(1.0, 1.0, 2.0) + step(1.0, 1.0, 2.0), r"sample one first: a.sampled\(duration, dt\) \+ b"),
        (
            lambda: step(1.0, 1.0, 2.0).sampled(10.0, 0.1) + step(1.0, 1.0, 2.0).sampled(10.0, 0.2),
            r"got 101 samples, dt = 0.1 ms and 51 samples, dt = 0.2 ms",
        ),
        (lambda: step(1.0, 1.0, 2.0).sampled(10.0, 3.0), r"duration = 10 ms; allowed: a multiple of dt = 3"),
    ],
)
def test_bad_stimuli(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def noise(**change):
    arguments = {"mean": 5.0, "sd": 2.0, "tau": 4.0, "start": 10.0, "stop": 50.0, "duration": 60.0, "dt": 0.1}
    return ornstein_uhlenbeck(**{**arguments, "seed": 0, **change})


def tiny_trace():
    return simulate(Leak(), step(1.0, 1.0, 9.0), 10.0, 0.05)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("step", {"start": [1.0, 9.0], "stop": 5.0}, r"stop = 5 ms is not after start = 9 ms"),
        ("pulse pair", {"interval": [1.0, 60.0]}, r"stop = 52.007 ms; allowed: at least 69.503 ms, the end of the"),
        ("pulse train", {"width": 2.0, "frequency": [50.0, 800.0]}, r"width = 2 ms; allowed: at most 1.25 ms"),
    ],
)
def test_arrays_of_values_can_be_checked_together(kind, values, message):
    stimulus = STIMULI[kind]
    arrays = {name: np.asarray(value) for name, value in {**stimulus.values(), **values}.items()}
    with pytest.raises(ValueError, match=message):
        stimulus.check_together(arrays)


@pytest.mark.parametrize("kind", [step, ramp, pulse_pair, pulse_train, sine, chirp])
def test_defaults_lie_in_their_ranges_and_the_docstring_lists_every_parameter(kind):
    for name, declared in kind.parameters().items():
        assert declared.minimum <= declared.low <= declared.default <= declared.high <= declared.maximum
        assert f"{name}: {declared.meaning} [{declared.unit}]" in kind.__doc__
    kind(**{name: declared.default for name, declared in kind.parameters().items()})
