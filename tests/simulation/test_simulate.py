"""The simulator against LSODA, published numbers, itself in other layouts, and bad input."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.optimize import fsolve
from support import oracles

from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.compiler import cache as generated
from helpers.simulation.compiler.codegen import generated_source
from helpers.simulation.compiler.spec import KernelSpec
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Waveform, step
from helpers.simulation.summaries import summary, summary_statistics

TUTORIAL = step(3.24806, 10.0, 110.0)
REST = {"V": -64.9964, "m": 0.05296, "h": 0.59599, "n": 0.31773}


def spikes(amplitude, duration, threshold=0.0, after=0.0, dt=0.01):
    """Spike count of the squid axon under a constant current from the start."""
    trace = simulate(HodgkinHuxley(), step(amplitude, 0.0, duration), duration, dt)
    rising = (trace.V[:-1] < threshold) & (trace.V[1:] >= threshold)
    return int(np.sum(rising[trace.t[1:] > after]))


# ------------------------------------------------------------------------------------------------- right answers


@pytest.mark.parametrize(("amplitude", "g_Na"), [(10.0, 120.0), (6.0, 120.0), (20.0, 90.0)])
def test_squid_spike_times_against_lsoda(amplitude, g_Na):
    start = oracles.steady_state(oracles.hodgkin_huxley, -65.0)

    def slopes(y, current):
        return oracles.hodgkin_huxley_slopes(y, current, g_Na=g_Na)

    expected = oracles.lsoda_spikes(slopes, start, [(10.0, 0.0), (80.0, amplitude), (10.0, 0.0)])
    trace = simulate(HodgkinHuxley(g_Na=g_Na), step(amplitude, 10.0, 90.0), 100.0)
    assert len(trace.spike_times) == len(expected) > 0
    np.testing.assert_allclose(trace.spike_times, expected, atol=0.02)


@pytest.mark.parametrize(("g_Na", "g_K"), [(50.0, 5.0), (30.0, 8.0), (70.0, 12.0)])
def test_cortical_spike_times_against_lsoda(g_Na, g_K):
    start = oracles.steady_state(oracles.pospischil, -70.0)

    def slopes(y, current):
        return oracles.pospischil_slopes(y, current, g_Na=g_Na, g_K=g_K)

    expected = oracles.lsoda_spikes(slopes, start, [(10.0, 0.0), (100.0, 3.24806), (10.0, 0.0)])
    trace = simulate(Pospischil(g_Na=g_Na, g_K=g_K, noise=0.0), TUTORIAL, 120.0)
    assert len(trace.spike_times) == len(expected) > 0
    np.testing.assert_allclose(trace.spike_times, expected, atol=0.02)


@pytest.mark.parametrize("neuron", [HodgkinHuxley(), Pospischil(noise=0.0)])
def test_the_largest_dt_still_counts_every_spike(neuron):
    fine = simulate(neuron, step(8.0, 10.0, 110.0), 120.0, dt=0.005)
    coarse = simulate(neuron, step(8.0, 10.0, 110.0), 120.0, dt=neuron.max_dt)
    assert len(coarse.spike_times) == len(fine.spike_times) > 5


def test_rest_of_the_squid_axon():
    trace = simulate(HodgkinHuxley(), step(0.0, 10.0, 90.0), 200.0)
    assert abs(trace.V[-1] - REST["V"]) < 1e-4
    for name in ("m", "h", "n"):
        assert abs(trace.states[name][-1] - REST[name]) < 1e-5


@pytest.mark.parametrize(("amplitude", "count"), [(2.23, 0), (2.25, 1), (5.0, 1), (6.0, 2), (6.25, 8), (6.5, 28)])
def test_squid_spike_counts_in_500_ms(amplitude, count):
    assert spikes(amplitude, 500.0, dt=0.002) == count  # at 6.25 each 0.1 ms decides


@pytest.mark.parametrize(("amplitude", "sustained"), [(6.24, False), (6.28, True)])
def test_squid_fires_on_above_6_26(amplitude, sustained):
    assert (spikes(amplitude, 2000.0, after=1500.0) > 20) is sustained


def test_squid_f_I_curve():
    amplitude = np.array([6.5, 7, 8, 10, 12, 15, 20, 30, 40, 50])
    rate = [spikes(value, 2500.0, after=500.0) / 2.0 for value in amplitude]
    np.testing.assert_allclose(rate, [55, 58, 62, 68, 73, 78, 86, 98, 108, 117], atol=1.0)


def test_near_depolarisation_block_the_counting_rule_decides():
    assert [round(spikes(60.0, 2500.0, threshold, 500.0) / 2) for threshold in (0.0, -20.0)] == pytest.approx(
        [125, 124], abs=1
    )
    assert spikes(80.0, 2500.0, 0.0, 500.0) == 0
    assert spikes(80.0, 2500.0, -20.0, 500.0) / 2 == pytest.approx(137, abs=1)
    assert [spikes(100.0, 2500.0, threshold, 500.0) for threshold in (0.0, -20.0)] == [0, 0]


def test_rest_and_firing_coexist_between_6_26_and_9_775():
    start = oracles.steady_state(oracles.hodgkin_huxley, -65.0)
    V, m, h, n = fsolve(oracles.hodgkin_huxley_slopes, start, args=(8.0,), xtol=1e-12)
    quiet = simulate(HodgkinHuxley(), step(8.0, 0.0, 1000.0), 1000.0, initial_state={"V": V, "m": m, "h": h, "n": n})
    assert len(quiet.spike_times) == 0
    assert spikes(8.0, 1000.0) > 50


def test_the_linear_model_is_exact():
    """Without gates V relaxes exponentially: exponential Euler is exact at any dt."""
    passive = HodgkinHuxley(g_Na=0.0, g_K=0.0, g_L=0.2, E_L=-60.0, V_init=-60.0, C=2.0)
    trace = simulate(passive, step(1.0, 0.0, 50.0), 50.0, dt=0.05)
    np.testing.assert_allclose(trace.V, -60.0 + 5.0 * (1 - np.exp(-trace.t * 0.2 / 2.0)), atol=1e-9)


def test_currents_and_gates_of_a_trace_balance():
    trace = simulate(HodgkinHuxley(), step(10.0, 5.0, 45.0), 50.0, dt=0.001)
    slope = np.diff(trace.V) / np.diff(trace.t)
    ionic = sum(trace.currents.values())
    balance = trace.I[:-1] - (ionic[:-1] + ionic[1:]) / 2
    assert np.abs(slope - balance).max() < 0.01 * np.abs(slope).max()
    assert trace.I_Na is trace.currents["I_Na"] and trace.m is trace.states["m"] and trace.V is trace.states["V"]
    assert all(((x >= 0) & (x <= 1)).all() for x in list(trace.states.values())[1:])


def test_the_tutorial_current():
    trace = simulate(Pospischil(), TUTORIAL, 120.0, seed=0)
    assert len(trace.t) == 12_001
    assert np.flatnonzero(trace.I).tolist() == list(range(1000, 11_000))
    assert trace.I[1000] == pytest.approx(5e-4 / (np.pi * 70e-4**2), abs=1e-5)  # µA over the area of the soma in cm²


def test_noise_scales_with_the_square_root_of_dt():
    """Var V of a leaky membrane under white noise is sigma² / (2 g C), whatever dt."""
    passive = HodgkinHuxley(g_Na=0.0, g_K=0.0, g_L=0.5, E_L=-60.0, V_init=-60.0, noise=2.0)
    for dt in (0.01, 0.05):
        V = simulate(passive, step(0.0, 1.0, 2.0), 20_000.0, dt=dt, seed=1).V
        assert V[1000:].var() == pytest.approx(2.0**2 / (2 * 0.5), rel=0.05)
        assert abs(V[1000:].mean() + 60.0) < 0.2


# ------------------------------------------------------------------------------------------ one text, many layouts


def prior_draws(n, seed=0):
    rng = np.random.default_rng(seed)
    return {"g_Na": rng.uniform(0.5, 80, n), "g_K": rng.uniform(1e-4, 15, n)}


def test_single_equals_batch_bit_for_bit():
    draws = prior_draws(150)  # two blocks and a part
    batch = simulate_many(Pospischil(), TUTORIAL, draws, 120.0, seed=3)
    for i in (0, 63, 64, 149):
        neuron = Pospischil(g_Na=draws["g_Na"][i], g_K=draws["g_K"][i])
        single = summary_statistics(simulate(neuron, TUTORIAL, 120.0, seed=(3, i)))
        np.testing.assert_array_equal(single, batch[i])


def test_same_seed_same_result_on_one_and_two_threads_and_in_parts():
    draws = prior_draws(200)
    one, two = (simulate_many(Pospischil(), TUTORIAL, draws, 120.0, seed=5, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    few = simulate_many(Pospischil(), TUTORIAL, {k: v[:10] for k, v in draws.items()}, 120.0, seed=5)
    np.testing.assert_array_equal(few, one[:10])
    other = simulate_many(Pospischil(), TUTORIAL, draws, 120.0, seed=6)
    assert not np.array_equal(other, one)


def test_a_fast_lane_is_computed_again_and_its_neighbours_are_not_touched():
    """C = 0.05 µF/cm² relaxes twenty times faster: beyond what the fastest update covers."""
    capacity = np.array([1.0, 0.05, 1.0])
    batch = simulate_many(HodgkinHuxley(), step(10.0, 10.0, 50.0), {"C": capacity}, 60.0, seed=0)
    for C, row in zip(capacity, batch, strict=True):
        single = simulate(HodgkinHuxley(C=C), step(10.0, 10.0, 50.0), 60.0)
        np.testing.assert_array_equal(row, summary_statistics(single))
    fine = summary_statistics(simulate(HodgkinHuxley(C=0.05), step(10.0, 10.0, 50.0), 60.0, dt=0.001))
    np.testing.assert_allclose(batch[1], fine, rtol=0.05, atol=0.02)


def test_exponential_euler_is_stable_however_fast_a_gate_is():
    """At -390 mV m relaxes 3e6 times within a step of 0.01 ms: it follows V at once, and V is the passive one."""
    neuron = HodgkinHuxley()
    trace = simulate(neuron, step(-100.0, 5.0, 60.0), 60.0)
    passive = neuron.E_L - 100.0 / neuron.g_L
    assert abs(trace.V[-1] - passive) < 0.1
    fine = simulate(neuron, step(-100.0, 5.0, 60.0), 60.0, dt=0.001)
    np.testing.assert_allclose(trace.V[::100], fine.V[::1000], rtol=0, atol=0.5)
    batch = simulate_traces(neuron, step(-100.0, 5.0, 60.0), {"V_init": np.full(3, -65.0)}, 60.0, seed=0)
    np.testing.assert_array_equal(batch[1], trace.V)


def test_threads_may_meet_at_a_module_that_nobody_has_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PYHH_CACHE", str(tmp_path))
    generated._load_once.cache_clear()
    source = generated_source(KernelSpec(HodgkinHuxley, type(step(1.0, 1.0, 2.0)), lanes=8))
    with ThreadPoolExecutor(8) as pool:
        modules = set(pool.map(generated.load_module, [source] * 32))
    assert len(modules) == len(list(tmp_path.glob("kernels/*.py"))) == 1
    assert not list(tmp_path.glob("kernels/*.part"))


@pytest.mark.parametrize("neuron", [HindmarshRose(), Izhikevich(), LeakyIntegrateAndFire(), Pospischil()])
def test_a_trace_has_every_state_by_its_name(neuron):
    trace = simulate(neuron, step(0.0, 1.0, 2.0), 3.0, 0.05, seed=1)
    assert tuple(trace.states) == neuron.states
    for name, value in neuron.initial_state().items():
        assert getattr(trace, name) is trace.states[name] and trace.states[name][0] == value
    assert trace.V is trace.states[neuron.states[0]]
    with pytest.raises(AttributeError, match="a Trace has no 'gates'; this one has t, I, spike_times, [VvxI]"):
        trace.gates  # noqa: B018


def test_stimulus_parameters_can_vary():
    @summary(charge="µC/cm²", onset="ms")
    def injected(sweep):
        on = np.flatnonzero(sweep.I)
        return np.array([sweep.I.sum() * (sweep.t[1] - sweep.t[0]) / 1000.0, sweep.t[on[0]]])

    amplitude, start = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 30.0])
    table = simulate_many(
        HodgkinHuxley(),
        step(1.0, 10.0, 50.0),
        {"amplitude": amplitude, "start": start},
        60.0,
        seed=0,
        summarise=injected,
    )
    np.testing.assert_allclose(table[:, 0], amplitude * (50.0 - start) / 1000.0)
    np.testing.assert_allclose(table[:, 1], start)


def test_a_plain_function_can_summarise():
    def peak(sweep):
        return np.array([sweep.V.max()])

    draws = prior_draws(5)
    table = simulate_many(Pospischil(noise=0.0), TUTORIAL, draws, 120.0, seed=0, summarise=peak)
    neuron = Pospischil(g_Na=draws["g_Na"][4], g_K=draws["g_K"][4], noise=0.0)
    assert table[4, 0] == simulate(neuron, TUTORIAL, 120.0).V.max()


def test_a_waveform_of_samples_equals_the_stimulus_that_made_them():
    samples = simulate(HodgkinHuxley(), step(10.0, 5.0, 45.0), 50.0)
    again = simulate(HodgkinHuxley(), samples.I, 50.0)
    np.testing.assert_array_equal(again.V, samples.V)
    assert (again.start, again.stop) == (5.0, 45.0)


def test_noise_without_a_seed_can_be_repeated():
    first = simulate(Pospischil(), TUTORIAL, 120.0)
    again = simulate(Pospischil(), TUTORIAL, 120.0, seed=first.seed)
    other = simulate(Pospischil(), TUTORIAL, 120.0)
    np.testing.assert_array_equal(first.V, again.V)
    assert not np.array_equal(first.V, other.V)


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": 0.0}, r"dt = 0 ms; allowed for exponential_euler: above 0 and at most 0.05 ms"),
        ({"dt": -0.01}, r"dt = -0.01 ms"),
        ({"dt": np.nan}, r"dt = nan ms"),
        ({"dt": 0.5}, r"dt = 0.5 ms; allowed"),
        ({"dt": 0.03}, r"duration = 50 ms; allowed: a multiple of dt = 0.03 ms"),
        ({"duration": 0.0}, r"duration = 0 ms; allowed: at least one step"),
        ({"duration": np.inf}, r"duration = inf ms"),
        ({"method": "magic"}, r"method = 'magic'; allowed: exponential_euler"),
        ({"stimulus": step(10.0, 5.0, 60.0)}, r"stop = 60 ms; allowed: at most the duration, 50 ms"),
        ({"neuron": HodgkinHuxley}, r"neuron is the class HodgkinHuxley; allowed: a neuron, e.g. HodgkinHuxley\(\)"),
        ({"duration": [[1.0], [2.0, 3.0]]}, r"duration of type list is not a number; allowed: finite numbers"),
        ({"stimulus": 10.0}, r"stimulus = 10.0; allowed: a stimulus, such as step\(10, start"),
        ({"stimulus": step}, r"stimulus is the class step; allowed: a stimulus, such as step\(10.0, start"),
        ({"stimulus": np.zeros(100)}, r"the stimulus has 100 samples; allowed: 5001"),
        ({"stimulus": np.full(5001, np.nan)}, r"samples\[0\] is not finite"),
        ({"stimulus": np.zeros((5001, 2))}, r"samples has shape \(5001, 2\); allowed: one dimension"),
        ({"stimulus": Waveform(samples=np.zeros(5001), dt=0.02, start=1.0, stop=2.0)}, r"sampled every 0.02 ms"),
        ({"seed": -1}, r"seed = -1; allowed"),
        ({"seed": 0.5}, r"seed = 0.5; allowed"),
        ({"initial_state": {"q": 0.1}}, r"initial_state\['q'\] = 0.1; allowed: finite values of V, m, h, n"),
        ({"initial_state": {"V": np.nan}}, r"initial_state\['V'\] = nan"),
    ],
)
def test_bad_arguments_of_simulate(change, message):
    arguments = {"neuron": HodgkinHuxley(), "stimulus": step(10.0, 5.0, 45.0), "duration": 50.0} | change
    with pytest.raises(ValueError, match=message):
        simulate(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {}}, r"one and the same length, at least 1; got none"),
        ({"parameters": {"g_Na": 50.0}}, r"one and the same length.*g_Na \(\)"),
        ({"parameters": {"g_Na": np.zeros(0)}}, r"at least 1; got g_Na \(0,\)"),
        ({"parameters": {"g_Na": [1.0, 2.0], "g_K": [1.0]}}, r"g_Na \(2,\), g_K \(1,\)"),
        ({"parameters": {"g_Na": [50.0, -3.0]}}, r"g_Na = -3 mS/cm² \(entry 1\); allowed: at least 0 mS/cm²"),
        ({"parameters": {"g_Na": [50.0, np.nan]}}, r"g_Na = nan mS/cm² \(entry 1\)"),
        ({"parameters": {"g_Ca": [1.0]}}, r"unknown parameter 'g_Ca'; did you mean g_Na\? allowed: C, g_Na"),
        ({"parameters": {"stop": [80.0, 130.0]}}, r"stop = 130 ms; allowed: at most the duration, 120 ms"),
        ({"parameters": {"start": [80.0, 115.0]}}, r"stop = 110 ms is not after start = 115 ms"),
        ({"parameters": {"start": [80.0, 0.01]}}, r"start = 0.01 ms leaves too little rest"),
        ({"threads": 0}, r"threads = 0; allowed"),
        ({"summarise": lambda sweep: np.array([1.0, np.nan])}, r"simulation 0 \(g_Na = 50\) gives \[ 1. nan\]"),
    ],
)
def test_bad_arguments_of_simulate_many(change, message):
    arguments = {
        "neuron": Pospischil(),
        "stimulus": TUTORIAL,
        "parameters": {"g_Na": [50.0]},
        "duration": 120.0,
        "seed": 0,
    }
    with pytest.raises(ValueError, match=message):
        simulate_many(**arguments | change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.nan, 1.0, 2.0), "amplitude = nan µA/cm²"),
        ((1.0, -1.0, 2.0), "start = -1 ms; allowed: at least 0 ms"),
        ((1.0, 5.0, 5.0), "stop = 5 ms is not after start = 5 ms"),
    ],
)
def test_bad_stimuli(arguments, message):
    with pytest.raises(ValueError, match=message):
        step(*arguments)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_simulations():
    """Twenty times the simulations take at most 30 MB more at the peak: their traces would take 700 MB."""
    program = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from helpers.neurons.models import Pospischil\n"
        "from helpers.simulation.batch import simulate_many\n"
        "from helpers.simulation.stimuli import step\n"
        "for n in (400, 8000):\n"
        "    simulate_many(Pospischil(), step(3.2, 10.0, 110.0), {'g_Na': np.full(n, 50.0)}, 120.0, seed=0)\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    few, many = (int(line) / 1000 for line in done.stdout.split())  # MB
    assert many - few < 30


def test_an_error_in_one_block_stops_the_others_and_a_progress_bar_counts_to_the_end(capsys):
    V_init = np.full(640, -70.0)
    simulate_many(Pospischil(), TUTORIAL, {"V_init": V_init}, 120.0, seed=0, progress=True)
    assert "640/640" in capsys.readouterr().err

    def fails(sweep):
        return np.array([1.0 if sweep.V[0] < -60.0 else np.nan])

    V_init[300] = -50.0
    with pytest.raises(ValueError, match=r"simulation 300 \(V_init = -50\) gives \[nan\]"):
        simulate_many(Pospischil(), TUTORIAL, {"V_init": V_init}, 120.0, seed=0, summarise=fails)
