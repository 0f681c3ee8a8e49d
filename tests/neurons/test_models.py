"""Every neuron against published numbers, its presets, and a sixth one added here in a few lines."""

from dataclasses import dataclass

import numpy as np
import pytest
from support.neurons import MorrisLecar

from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior
from helpers.neurons.equations import Neuron, state
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.neurons.parameters import parameter
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.integrators import METHODS
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary

NEURONS = (HodgkinHuxley, Pospischil, LeakyIntegrateAndFire, Izhikevich, HindmarshRose)


# --------------------------------------------------------------------------------------- a neuron nobody knew before


@summary(rate="Hz", mean="mV", peak="mV")
def rhythm(sweep):
    rises = np.sum((sweep.V[1:] >= -20.0) & (sweep.V[:-1] < -20.0))
    return np.array([1000.0 * rises / (sweep.stop - sweep.start), sweep.V.mean(), sweep.V.max()])


@pytest.mark.parametrize(
    "method", [x if x in ("exponential_euler", "rk4", "lsoda") else pytest.param(x, marks=pytest.mark.long)
               for x in (*METHODS, "lsoda")],
)  # fmt: skip
def test_morris_lecar_runs_by_every_method(method):
    """Type II excitability with these constants: rest and a limit cycle coexist; 100 µA/cm² makes it fire."""
    duration = 300.0 if method == "lsoda" else 1000.0
    quiet, firing = (simulate(MorrisLecar(), step(I, 0.0, duration), duration, 0.05, method) for I in (50.0, 100.0))
    assert len(quiet.spike_times) <= 1
    assert 60 < np.diff(firing.spike_times[1:]).mean() < 110  # ms
    if method != "lsoda":
        reference = simulate(MorrisLecar(), step(100.0, 0.0, 300.0), 300.0, 0.05, "lsoda").spike_times
        np.testing.assert_allclose(
            firing.spike_times[: len(reference)], reference, atol=2.0 if "euler" in method else 1e-3
        )


@pytest.mark.slow
def test_morris_lecar_in_the_batch_path_and_in_inference():
    prior = box_prior(MorrisLecar, ["g_Ca", "g_K"])
    theta = prior.draw(300, seed=0)
    run = dict(stimulus=step(100.0, 0.0, 500.0), duration=500.0, dt=0.05, seed=1, summarise=rhythm)
    x = simulate_many(MorrisLecar(), parameters=prior.by_name(theta), **run)
    single = simulate(MorrisLecar(g_Ca=theta[7, 0], g_K=theta[7, 1]), run["stimulus"], 500.0, 0.05)
    np.testing.assert_array_equal(rhythm(single), x[7])
    posterior = train_npe(prior, theta, x, seed=0, model="mdn")
    x_o = simulate_many(MorrisLecar(), parameters={"g_Ca": [4.4], "g_K": [8.0]}, **run)[0]
    samples = posterior.sample(500, x_o, seed=0)
    assert (samples.std(axis=0) < 0.7 * prior.draw(500, 0).std(axis=0)).any()


# ------------------------------------------------------------------------------------------------- published numbers


# In the short form each neuron by the method that lessons use, and one by each of the others.
WAYS = [("exponential_euler", "double"), ("exponential_euler", "single"), ("rk4", "double")]
SHORT = [*((neuron, *WAYS[0]) for neuron in NEURONS), (NEURONS[0], *WAYS[1]), (HindmarshRose, *WAYS[2])]


@pytest.mark.parametrize(
    ("neuron", "method", "precision"),
    [
        pytest.param(neuron, *way, marks=[] if (neuron, *way) in SHORT else pytest.mark.long)
        for neuron in NEURONS
        for way in WAYS
    ],
)
def test_batch_equals_single_bit_for_bit_for_every_neuron(neuron, method, precision):
    amplitude = {LeakyIntegrateAndFire: 250.0, HindmarshRose: 0.5}.get(neuron, 10.0)
    stimulus = step(amplitude, 5.0, 95.0)
    more = {"dt": 0.01, "method": method, "precision": precision}
    traces = simulate_traces(neuron(), stimulus, {"amplitude": [amplitude] * 2}, 100.0, seed=3, **more)
    for i in range(2):
        single = simulate(neuron(), stimulus, 100.0, seed=(3, i), **more)
        np.testing.assert_array_equal(single.V, traces[i])
        assert single.V.dtype == traces.dtype == {"double": np.float64, "single": np.float32}[precision]
    assert len(single.spike_times) >= 1


def test_the_braincell_preset_gives_its_eight_spikes():
    neuron = HodgkinHuxley.preset("braincell")
    assert (neuron.g_K, neuron.g_L) == (10.0, 0.03)
    assert len(simulate(neuron, step(5.0, 0.0, 100.0), 100.0).spike_times) == 8
    assert len(simulate(HodgkinHuxley(), step(5.0, 0.0, 100.0), 100.0).spike_times) == 1  # the classic model


def test_the_neun_preset_gives_its_eight_and_seven_spikes():
    neuron, stimulus = HodgkinHuxley.preset("neun"), step(0.1 / 7.854e-3, 0.0, 100.0)
    assert stimulus.amplitude == pytest.approx(12.73, abs=0.01)
    seed = simulate(neuron, stimulus, 100.0, 0.001, "rk4", initial_state={"V": -65.0, "m": 0.05, "h": 0.6, "n": 0.3})
    basic = simulate(neuron, stimulus, 100.0, 0.001, "rk4", initial_state={"V": -80.0, "m": 0.1, "h": 0.01, "n": 0.7})
    assert (len(seed.spike_times), len(basic.spike_times)) == (8, 7)
    zero_crossings = seed.t[1:][(seed.V[:-1] < 0) & (seed.V[1:] >= 0)]
    np.testing.assert_allclose(zero_crossings[[0, -1]], [1.55, 96.0], atol=0.05)


def test_the_sodium_scan_of_neun():
    g_Na = np.linspace(50.0, 200.0, 20)
    x = simulate_many(
        HodgkinHuxley(), step(0.1 / 7.854e-3, 0.0, 100.0), {"g_Na": g_Na}, 100.0, seed=0, summarise=rhythm
    )
    counts = (x[:, 0] / 10).round().astype(int)
    assert counts.tolist() == [1, 1, 1, 1, 1, 1, 3, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9]


def test_the_f_I_curve_of_braincell():
    amplitude = np.arange(0.0, 21.0, 2.0)
    x = simulate_many(
        HodgkinHuxley.preset("braincell"),
        step(0.0, 0.0, 500.0),
        {"amplitude": amplitude},
        500.0,
        seed=0,
        summarise=rhythm,
    )
    expected = [15, 28, 35, 39, 42, 46, 48, 50, 53, 55, 56]
    np.testing.assert_allclose(x[:, 0] / 2, expected, atol=1)


def test_presets_say_where_they_are_from_and_unknown_ones_are_refused():
    for neuron in NEURONS:
        for name, (source, changes) in neuron.presets.items():
            assert len(source) > 10
            made = neuron.preset(name)
            assert all(getattr(made, key) == value for key, value in changes.items())
    assert HodgkinHuxley.preset("TTX", g_K=30.0).g_K == 30.0
    with pytest.raises(ValueError, match="preset 'crab'; allowed: squid, TTX, TEA"):
        HodgkinHuxley.preset("crab")


def test_temperature_speeds_all_rates_by_three_per_ten_degrees():
    cold, warm = HodgkinHuxley(), HodgkinHuxley(temperature=16.3)
    for name in ("m", "h", "n"):
        np.testing.assert_allclose(warm.rates(name, -50.0), np.multiply(cold.rates(name, -50.0), 3.0))
    widths = [np.sum(simulate(n, step(20.0, 5.0, 6.0), 30.0).V > -20.0) for n in (cold, warm)]
    assert widths[1] < 0.6 * widths[0]


def test_blocked_channels_carry_no_current():
    for drug, name in (("TTX", "I_Na"), ("TEA", "I_K")):
        trace = simulate(HodgkinHuxley.preset(drug), step(10.0, 5.0, 45.0), 50.0)
        assert np.abs(trace.currents[name]).max() == 0.0
    assert len(simulate(HodgkinHuxley.preset("TTX"), step(10.0, 5.0, 45.0), 50.0).spike_times) == 0


@pytest.mark.parametrize("method", METHODS)
def test_integrate_and_fire_against_its_closed_form(method):
    """Period t_ref + tau_m·ln((RI - (V_reset - E_L)) / (RI - (V_th - E_L))), RI = I/g_L."""
    neuron, I = LeakyIntegrateAndFire(V_reset=-72.0, t_ref=3.0), 230.0
    trace = simulate(neuron, step(I, 0.0, 500.0), 500.0, 0.001, method)
    drive = I / neuron.g_L
    period = 3.0 + 10.0 * np.log((drive + 2.0) / (drive - 15.0))
    np.testing.assert_allclose(np.diff(trace.spike_times), period, atol=0.003)
    held = (trace.t > trace.spike_times[0] + 0.01) & (trace.t < trace.spike_times[0] + 2.99)
    assert (trace.V[held] == -72.0).all()
    assert trace.V.max() == neuron.V_spike
    below = simulate(neuron, step(149.0, 0.0, 500.0), 500.0, 0.1, method)
    assert len(below.spike_times) == 0 and below.V[-1] == pytest.approx(-70.0 + 14.9, abs=1e-3)


def test_integrate_and_fire_refuses_a_reset_above_threshold():
    with pytest.raises(ValueError, match="V_reset = -50 mV; allowed: below V_th = -55 mV"):
        LeakyIntegrateAndFire(V_reset=-50.0)


def test_izhikevich_against_a_loop():
    """Forward Euler at 0.1 ms in plain Python, as the Neun library's example runs it."""
    v, u, spikes = -65.0, -13.0, []
    for k in range(3000):
        v, u = v + 0.1 * (0.04 * v * v + 5 * v + 140 - u + 20.0), u + 0.1 * 0.02 * (0.2 * v - u)
        if v >= 30:
            v, u = -65.0, u + 8.0
            spikes.append(0.1 * (k + 1))
    trace = simulate(Izhikevich(), step(20.0, 0.0, 300.0), 300.0, 0.1, "euler")
    np.testing.assert_allclose(trace.spike_times, spikes, atol=0.2)  # ours: the rise through 15 mV, before the peak


def test_hindmarsh_rose_bursts_75_spikes_and_forgets_its_start():
    run = dict(stimulus=step(0.0, 0.0, 1000.0), duration=1000.0, method="rk4")
    trace = simulate(HindmarshRose(), **run)
    assert len(trace.spike_times) == 75
    gaps = np.diff(trace.spike_times)
    assert gaps.max() > 5 * np.median(gaps)  # pauses between bursts
    long = dict(stimulus=step(0.0, 0.0, 3000.0), duration=3000.0, method="rk4")
    near = [simulate(HindmarshRose(x_init=-1.5 + shift), **long).V for shift in (0.0, 1e-6)]
    apart = np.abs(near[0] - near[1])
    assert apart[1000] < 1e-5 and apart.max() > 1.0  # chaos


def test_an_equation_that_asks_for_something_unknown_is_refused_when_the_class_is_made():
    with pytest.raises(TypeError, match=r"Broken.x uses \['nowhere'\], neither a state nor a parameter"):

        class Broken(Neuron):
            @state
            def x(nowhere):
                return nowhere, 0.0


def test_a_neuron_that_could_be_changed_is_refused():
    @dataclass
    class Loose(Neuron):
        x_init: float = parameter(0.0, "", "start", low=-1.0, high=1.0)

    with pytest.raises(TypeError, match=r"Loose could be changed: write @dataclass\(frozen=True, kw_only=True\) above"):
        Loose()


def test_a_parameter_without_its_range_is_refused():
    with pytest.raises(TypeError, match=r"parameter\(10.0, 'mV', 'a'\) lacks its plausible range.*add low=..., high="):
        parameter(10.0, "mV", "a")
    with pytest.raises(TypeError, match="lacks"):
        parameter(10.0, "mV", "a", low=0.0)
