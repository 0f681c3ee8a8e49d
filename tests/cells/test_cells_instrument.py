"""What the rig does to a recording is done to simulations as well, and what its noise does is known."""

from dataclasses import replace

import numpy as np
import pytest
from support.cells import response

from helpers.cells.choice import cell_of
from helpers.cells.instrument import as_recorded, noise_effect, summary_of
from helpers.cells.problem import CellProblem
from helpers.cells.sweeps import DT, Measurement, cell_sweep
from helpers.cells.unknowns import choose_unknowns
from helpers.recordings.rig import Rig, record_through
from helpers.simulation.spikes import spike_rule
from helpers.simulation.trace import Trace


def truth(dt):
    """Narrow spikes, of 0.33 ms, as a simulation with this step has them: in closed form, so the same at each step."""
    trace = response(200.0, 0, noise=0.0)
    t = np.arange(round(550.0 / dt)) * dt
    V = np.interp(t, trace.t, trace.V)
    for time in np.linspace(230.03, 470.41, 8):
        V = V + 80.0 * np.exp(-(((t - time) / 0.2) ** 2))
    I = np.where((t > 199.99) & (t < 499.99), 200.0, 0.0)
    return Trace(t=t, states={"V": V}, I=I, start=200.0, stop=500.0, I_unit="pA")


def differences(measurement, **rig):
    """By what share the features of a recording differ from those of a simulation of the same cell."""
    trace = record_through(truth(0.01), Rig(drift=0.0, **rig), seed=0)
    offset = measurement.junction_potential
    sweep = cell_sweep("sweep", replace(trace, states={"V": trace.V + offset}), 0.0, measurement)
    simulated = sweep.of_simulations(DT)(truth(DT))
    return dict(zip(sweep.summarise.names, sweep.observed / simulated - 1.0, strict=True))


def test_a_filtered_recording_is_compared_with_filtered_simulations():
    rig = {"cutoff": 2.0, "sampling": 0.1, "electrode_noise": 0.05}
    without, with_it = (differences(Measurement(low_pass=low_pass), **rig) for low_pass in (None, 2.0))
    assert without["half_width"] > 0.08 and abs(with_it["half_width"]) < 0.03
    assert without["rise_speed"] < -0.15 and abs(with_it["rise_speed"]) < 0.05
    assert abs(with_it["peak"]) < 0.05 < abs(without["peak"])


def test_simulations_are_sampled_like_the_recording():
    rig = {"cutoff": 10.0, "electrode_noise": 0.0}
    coarse = differences(Measurement(), sampling=0.2, **rig)
    assert abs(coarse["rise_speed"]) < 0.1
    measure = cell_sweep("sweep", truth(DT), 0.0, Measurement()).summarise
    fine, at = measure(truth(DT)), measure.names.index("rise_speed")
    recorded = measure(record_through(truth(0.01), Rig(drift=0.0, sampling=0.2, **rig), seed=0))
    assert fine[at] > 1.15 * recorded[at]  # without it: at 5 kHz the steepest slope is lost


def test_the_compiled_filter_is_that_of_the_rig():
    trace = truth(DT)
    known = record_through(
        trace, Rig(drift=0.0, electrode_noise=0.0, cutoff=2.0, sampling=0.1, resolution=1e-6), seed=0
    )
    names = cell_sweep("sweep", trace, 0.0, Measurement()).summarise.names
    measured = as_recorded(names, DT, 2.0, 0.1, spike_rule(trace))(trace)
    np.testing.assert_allclose(measured, summary_of(names)(known), rtol=1e-5)
    assert abs(measured - summary_of(names)(trace))[names.index("peak")] > 1.0  # and it does something


def test_a_fit_measures_its_simulations_so(monkeypatch):
    asked = {}
    monkeypatch.setattr("helpers.cells.problem.simulate_many", lambda *_, **how: asked.update(how) or np.zeros((1, 5)))
    cell = cell_of(response(-100.0, 0), None, None, Measurement(low_pass=2.0), {})
    problem = CellProblem(cell.fitted, cell.membrane, choose_unknowns(cell.fitted, cell.membrane))
    problem(problem.unknowns.prior.draw(1, 0), 0)
    assert asked["summarise"] is cell.fitted[0].of_simulations(DT) is not cell.fitted[0].summarise


def test_nothing_is_compiled_where_nothing_is_done():
    names, rule = ("peak", "half_width"), (-20.0, 10.0, 20.0, 50.0)
    plain = summary_of(names)
    assert as_recorded(names, 0.05, None, 0.05, rule) is plain
    assert as_recorded(names, 0.05, 10.0, 0.02, rule) is plain  # beyond what 0.05 ms can show
    assert as_recorded(names, 0.05, 5.0, 0.02, rule) is not plain


def test_a_filter_that_is_left_out_is_said():
    assert "too high to change simulations" in cell_of(response(), None, None, Measurement(low_pass=10.0), {}).words()
    assert "a filter at 2 kHz\n" in cell_of(response(), None, None, Measurement(low_pass=2.0), {}).words()


def test_noise_of_the_recording_widens_the_tolerance():
    names = ("spike_count", "V_rest", "V_steady", "lowest", "sag")
    small, large = (noise_effect(response(-100.0, 0, noise=sd), summary_of(names)) for sd in (0.1, 1.0))
    assert large[3] > 5.0 * small[3] and large[3] > 0.5  # the lowest of 3000 samples lies far out
    # It is the error that noise makes: of V_rest and V_steady what the mean of so many samples has.
    many = np.array([summary_of(names)(response(-100.0, 0, noise=1.0, seed=k)) for k in range(40)])
    assert large[2] == pytest.approx(many[:, 2].std(), rel=0.7)
    quiet = cell_sweep("a", response(-100.0, 0, noise=0.0), 0.0, Measurement())
    noisy = cell_sweep("b", response(-100.0, 0, noise=3.0), 0.0, Measurement())
    lowest = quiet.summarise.names.index("lowest")
    assert quiet.tolerance[lowest] == pytest.approx(2.0) and noisy.tolerance[lowest] > 2.5


def test_noise_of_a_cell_that_never_rests_is_not_guessed():
    assert not noise_effect(response(200.0, 4, early=30), summary_of(("peak", "lowest"))).any()


def test_the_same_noise_each_time():
    trace, summarise = response(), summary_of(("peak", "lowest"))
    np.testing.assert_array_equal(noise_effect(trace, summarise), noise_effect(trace, summarise))
    assert (noise_effect(trace, summarise) != noise_effect(trace, summarise, seed=1)).any()
