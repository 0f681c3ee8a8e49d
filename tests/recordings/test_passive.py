"""Measured properties of known and of real cells."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal
from support.builders import LEVELS, opened, step_trace

from helpers.recordings.passive import crop, current_density, in_model_units, passive_properties
from helpers.recordings.published import RECORDINGS
from helpers.recordings.reading import read
from helpers.recordings.recording import Recording
from helpers.simulation.trace import Trace


@pytest.mark.parametrize(("R", "tau"), [(100.0, 20.0), (400.0, 9.0), (60.0, 45.0)])
def test_passive_properties_of_a_known_cell(R, tau):
    trace = step_trace(R=R, tau=tau, level=-50.0, duration=900.0, off=850.0)
    noisy = Trace(
        trace.t,
        {"V": trace.V + np.random.default_rng(2).normal(0, 0.1, len(trace.t))},
        trace.I,
        50.0,
        850.0,
        I_unit="pA",
    )
    for found, accuracy in ((passive_properties(trace), 1e-5), (passive_properties(noisy), 0.05)):
        assert found.V_rest == pytest.approx(-65.0, abs=0.02)
        assert found.R_in == pytest.approx(R, rel=accuracy)
        assert found.R_steady == pytest.approx(R, rel=max(accuracy, 1e-5))
        assert found.tau_m == pytest.approx(tau, rel=accuracy)
        assert found.area == pytest.approx(tau * 1e-3 / R, rel=2 * accuracy)  # s/MΩ = µF, at 1 µF/cm²


def test_published_area():
    """Gonçalves et al. 2020: 23.4 ms and 126 MΩ give 1.86e-4 cm²."""
    assert passive_properties(step_trace(R=126.0, tau=23.4)).area == pytest.approx(1.86e-4, rel=2e-3)


def test_electrode_drop_and_sag_do_not_count_in_R_in():
    trace = step_trace(R=100.0, tau=20.0, level=-100.0, on=50.0, off=450.0, duration=500.0)
    drop = Trace(trace.t, {"V": trace.V + 0.015 * trace.I}, trace.I, 50.0, 450.0, I_unit="pA")  # 15 MΩ not balanced
    assert passive_properties(drop).R_in == pytest.approx(100.0, rel=1e-4)
    assert passive_properties(drop).R_steady == pytest.approx(115.0, rel=1e-4)
    charging = 0.1 * trace.I * np.exp(-np.clip(trace.t - 50.0, 0.0, None) / 0.1)  # the electrode itself, 0.1 ms
    brief = Trace(trace.t, {"V": trace.V + charging}, trace.I, 50.0, 450.0, I_unit="pA")
    assert passive_properties(brief).R_in == pytest.approx(100.0, rel=1e-4)
    back = np.where((trace.t > 150.0) & (trace.t < 450.0), 3.0, 0.0)
    sag = Trace(trace.t, {"V": trace.V + back}, trace.I, 50.0, 450.0, I_unit="pA")
    assert passive_properties(sag).R_in == pytest.approx(100.0, rel=1e-4)
    assert passive_properties(sag).R_steady == pytest.approx(70.0, rel=1e-4)


def test_real_passive_properties(recordings):
    path = recordings / RECORDINGS["regular_spiking"].file
    found = [passive_properties(read(path, sweep)) for sweep in range(4)]
    steady = np.polyfit(LEVELS[:4], [p.R_steady * level for p, level in zip(found, LEVELS[:4], strict=True)], 1)[0]
    assert steady == pytest.approx(108.0, rel=0.03)  # MΩ, the recordings' README: slope of the steady state
    for p in found:
        assert p.V_rest == pytest.approx(-62.1, abs=0.7)
        assert p.R_steady < p.R_in  # the cell has a sag
        assert 25.0 < p.tau_m < 45.0 and 2.0e-4 < p.area < 3.0e-4
    # I/C at the onset, read off the record between 2 and 4 ms, agrees with the fitted capacitance.
    trace = read(path, 0)
    V = [trace.V[(trace.t >= 146.85 + a) & (trace.t < 147.85 + a)].mean() for a in (2.0, 5.0)]
    slope = (V[1] - V[0]) / 3.0  # mV/ms, at 4 ms
    assert slope == pytest.approx(-100e-6 / found[0].area / 1e0 * np.exp(-4.0 / found[0].tau_m), rel=0.15)


def test_real_fast_spiking_input_resistance_depends_on_voltage(recordings):
    path = recordings / RECORDINGS["fast_spiking"].file
    R = [passive_properties(read(path, sweep)).R_steady for sweep in (0, 1, 2)]
    assert R[0] < R[1] < R[2]  # inward rectification: lowest at the most negative potential
    assert 350.0 < R[0] < 450.0


def noisy(trace, sd, correlation=0.0, *, seed):
    """Noise of a correlation time [ms] on top of V."""
    noise = np.random.default_rng(seed).standard_normal(len(trace.t) + 2000)
    if correlation:
        a = np.exp(-trace.dt / correlation)
        noise = signal.lfilter([np.sqrt(1 - a**2)], [1, -a], noise)
    return replace(trace, states={"V": trace.V + sd * noise[2000:]})


def test_noise_is_not_taken_for_misfit():
    """A residual of 60 % of the amplitude, all of it noise: refused once, and yet R_in is known to a few percent."""
    trace = step_trace(dt=0.05, level=-25.0, R=100.0, tau=20.0, on=300.0, off=700.0, duration=800.0)
    found = passive_properties(noisy(trace, 1.5, seed=3))
    assert found.R_in == pytest.approx(100.0, abs=3 * found.R_in_se) and 1.0 < found.R_in_se < 15.0
    assert found.misfit < 0.25
    bent = replace(trace, states={"V": trace.V + 0.6 * np.sin(2 * np.pi * (trace.t - 300.0) / 80.0) * (trace.t > 300)})
    with pytest.raises(ValueError, match="not exponential: .*misfit beyond the noise 0.3"):
        passive_properties(noisy(bent, 0.1, seed=3))  # less than the noise above, but no noise


@pytest.mark.parametrize("correlation", [0.0, 2.0, 10.0])
def test_standard_errors_are_those_of_repeated_measurements(correlation):
    trace = step_trace(dt=0.5, level=-50.0, on=300.0, off=500.0, duration=600.0)
    found = [passive_properties(noisy(trace, 0.2, correlation, seed=seed)) for seed in range(60)]
    z = np.array([((p.R_in - 100.0) / p.R_in_se, (p.tau_m - 20.0) / p.tau_m_se) for p in found])
    assert np.all(np.abs(z.mean(axis=0)) < 0.5) and np.all((z.std(axis=0) > 0.75) & (z.std(axis=0) < 1.7))


def test_V_recorded_too_coarsely_is_refused():
    trace = noisy(step_trace(), 0.1, seed=0)
    fine = passive_properties(replace(trace, states={"V": np.round(trace.V, 1)}))
    assert fine.R_in == pytest.approx(passive_properties(trace).R_in, rel=0.02)
    depth = np.ptp(step_trace().V)
    with pytest.raises(ValueError, match=r"V is recorded in steps of .* mV, wider than its noise, .*a higher gain"):
        passive_properties(replace(trace, states={"V": np.round(trace.V / (0.4 * depth)) * 0.4 * depth}))


def made(monkeypatch, traces):
    monkeypatch.setattr("helpers.recordings.recording.open_file", lambda path, units: opened(traces))
    return Recording("made.abf")


def test_all_weak_steps_together_are_better_than_one(monkeypatch):
    levels = (-75.0, -50.0, -25.0, 0.0, 25.0)
    traces = [noisy(step_trace(dt=0.1, level=x, on=100.0), 0.2, 2.0, seed=k) for k, x in enumerate(levels)]
    found = passive_properties(made(monkeypatch, traces))
    assert [x.amplitude for x in found.responses] == [-75.0, -50.0, -25.0]
    assert found.R_in == pytest.approx(100.0, abs=3 * found.R_in_se)
    assert found.R_in_se < min(x.R_in_se for x in found.responses)
    with pytest.raises(ValueError, match="no hyperpolarising step of 100 ms or more"):
        passive_properties(made(monkeypatch, traces[3:]))


@pytest.mark.parametrize(
    ("resistances", "rest", "message"),
    [
        ((100.0, 150.0, 220.0, 300.0), -65.0, r"100 to 300 MΩ: the smaller the step, the larger R_in \(100 MΩ at -80"),
        ((180.0, 260.0, 150.0, 200.0), -65.0, "150 to 260 MΩ: in no order: look for spontaneous activity"),
        ((100.0, 150.0, 220.0, 300.0), -50.0, "begin at different potentials, -65 to -50 mV"),
    ],
)
def test_weak_steps_that_disagree_are_spoken_of(monkeypatch, resistances, rest, message):
    rests = (-65.0, rest, -65.0, rest)
    traces = [
        step_trace(dt=0.1, level=level, R=R, rest=V)
        for level, R, V in zip((-80.0, -60.0, -40.0, -20.0), resistances, rests, strict=True)
    ]
    with pytest.warns(UserWarning, match=message):
        assert len(passive_properties(made(monkeypatch, traces)).responses) == 4


def test_weak_steps_too_different_for_one_fit_are_refused(monkeypatch):
    traces = [step_trace(dt=0.1, level=-50.0, R=R) for R in (100.0, 600.0, 150.0, 500.0)]
    with pytest.raises(ValueError, match="not exponential: .*; R_in of the weak steps is from 100 to 600 MΩ"):
        passive_properties(made(monkeypatch, traces))


def test_a_seal_that_changes_is_spoken_of(monkeypatch):
    traces = [step_trace(dt=0.1, R=R) for R in (100.0, 130.0, 160.0, 190.0, 220.0, 250.0)]
    with pytest.warns(UserWarning, match="at -50 pA it rises from 115 MΩ in sweep 0 to 235 MΩ in sweep 5"):
        passive_properties(made(monkeypatch, traces))


def test_a_cell_that_is_not_at_rest(recordings):
    """The published fast-spiking cell: 472, 658, 1,038 and 1,266 MΩ, from one cell."""
    with pytest.warns(UserWarning, match="from 342 to 1,266 MΩ: the smaller the step.*different potentials"):
        found = passive_properties(Recording(recordings / RECORDINGS["fast_spiking"].file))
    main = [x for x in found.responses if x.start < 200.0]
    assert [round(x.R_in) for x in main] == [472, 658, 1038, 1266]


def test_a_measured_current_is_as_good_as_a_command():
    trace = step_trace(dt=0.1)
    measured = replace(trace, I=trace.I + np.random.default_rng(1).normal(0.0, 2.0, len(trace.t)))
    assert passive_properties(measured).R_in == pytest.approx(100.0, rel=0.01)


def altered(trace, **changes):
    return replace(trace, **{"I_unit": "pA", **changes})


@pytest.mark.parametrize(
    ("change", "window", "message"),
    [
        (lambda x: altered(x, I_unit="µA/cm²"), 100.0, "I is in µA/cm²"),
        (lambda x: step_trace(level=50.0), 100.0, r"the current of the step changes by \+50 pA; needed: one negative"),
        (lambda x: step_trace(level=0.0), 100.0, r"changes by \+0 pA"),
        (lambda x: altered(x, I=x.I * x.t), 100.0, "the current of the step is not constant"),
        (
            lambda x: altered(x, states={"V": np.where(abs(x.t - 90) < 1, 20.0, x.V)}),
            100.0,
            "the cell fires during the step",
        ),
        (lambda x: altered(x, start=0.0), 100.0, "the step begins with the trace"),
        (lambda x: x, 201.0, "window = 201 ms; allowed: from 5 to 200 ms"),
        (lambda x: x, 4.0, "window = 4 ms"),
        (lambda x: x, float("nan"), "window = nan ms"),
        (lambda x: step_trace(tau=150.0), 100.0, "not exponential: .* needed: .* time constant below 100 ms"),
        (lambda x: altered(x, states={"V": -130.0 - x.V}), 100.0, "not exponential: amplitude -"),
        (lambda x: altered(x, states={"V": -65.0 + 3.0 * np.sin(x.t)}), 100.0, "exponential"),
        (lambda x: altered(x, states={"V": np.full(len(x.t), -65.0)}), 100.0, "exponential"),
        (lambda x: noisy(x, 6.0, 10.0, seed=1), 100.0, "exponential|without spikes"),
        (lambda x: x.V, 100.0, "source is of type ndarray; allowed: a Trace or a Recording"),
    ],
)
def test_bad_input_of_passive_properties(change, window, message):
    with pytest.raises(ValueError, match=message):
        passive_properties(change(step_trace()), window)


def test_current_density():
    made = current_density(step_trace(level=150.0), 1.5e-4)
    assert made.I_unit == "µA/cm²" and made.I.max() == pytest.approx(1.0)  # 150e-6 µA / 1.5e-4 cm²
    np.testing.assert_array_equal(made.V, step_trace(level=150.0).V)
    with pytest.raises(ValueError, match="I is in µA/cm²; only a current in pA"):
        current_density(made, 1.5e-4)


@pytest.mark.parametrize("area", [15_000.0, 1e-7, 0.0, -1e-4, float("nan"), float("inf"), "large"])
def test_bad_area(area):
    with pytest.raises(ValueError, match=r"area = .*allowed: from 1e-06 to 0\.01 cm²"):
        current_density(step_trace(), area)


def test_crop():
    trace = step_trace()
    gated = Trace(trace.t, {"V": trace.V, "m": trace.t * 2}, trace.I, 50.0, 250.0, currents={"I_K": trace.t * 3})
    cut = crop(gated, 40.0, 260.0)
    assert (cut.t[0], cut.t[-1]) == pytest.approx((40.0, 260.0)) and (cut.start, cut.stop) == (50.0, 250.0)
    np.testing.assert_array_equal(cut.V, trace.V[800:5201])
    np.testing.assert_array_equal(cut.m, 2 * cut.t)
    np.testing.assert_array_equal(cut.I_K, 3 * cut.t)
    for begin, end, message in (
        (60.0, 260.0, "stimulus from 50 to 250 ms lies outside the trace"),
        (0.0, 301.0, r"0 to 301 ms; allowed: within 0 to 299\.95 ms"),
        (-1.0, 260.0, "-1 to 260 ms; allowed"),
        (260.0, 40.0, "260 to 40 ms; allowed"),
        (float("nan"), 260.0, "begin = nan ms; allowed"),
    ):
        with pytest.raises(ValueError, match=message):
            crop(trace, begin, end)


def test_in_model_units():
    trace = step_trace(level=150.0)
    made = in_model_units(trace, 1.5e-4, junction_potential=14.0)
    np.testing.assert_allclose(made.V, trace.V - 14.0)
    assert made.I_unit == "µA/cm²" and made.I.max() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="junction_potential = 200 mV; allowed: from -100 to 100 mV"):
        in_model_units(trace, 1.5e-4, junction_potential=200.0)
