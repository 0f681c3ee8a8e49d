"""docs/deeper/voltage_clamp: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import widgets

NOTEBOOK = "docs/deeper/voltage_clamp.ipynb"


def test_the_answers_of_the_explorer():
    explorer = widgets.explore_clamp()
    assert "I_Na peaks at -1457 µA/cm² after 0.62 ms, I_K at 1890" in explorer.sentence.value
    explorer.sliders["temperature"].value = 0.0
    assert "I_Na peaks at -1457 µA/cm² after 1.23 ms" in explorer.sentence.value
    sodium = [widgets.clamp_step(test=level).peaks["I_Na"] for level in (0.0, 20.0, 40.0, 50.0, 60.0)]
    assert sodium[0] < sodium[1] < sodium[2] < -400 and abs(sodium[3]) < 1e-9 and sodium[4] > 400
    depolarised, rested = widgets.clamp_step(holding=-40.0), widgets.clamp_step()
    assert [round(depolarised.peaks[name]) for name in ("I_Na", "I_K")] == [-148, 1890]
    assert [round(step.trace.gates["h"][0], 2) for step in (depolarised, rested)] == [0.05, 0.60]


def test_the_potassium_current_begins_flat(lesson):
    tails = lesson.values["tails"]
    first_step = (tails.t > 0.995) & (tails.t < 6.0)
    slope = np.gradient(tails.currents["I_K"][0, first_step], tails.t[first_step])
    assert slope[1] < 0.02 * slope.max()


def test_the_sodium_current_of_the_model_and_of_the_cell(lesson):
    modelled, levels = lesson.values["modelled"], lesson.values["same_levels"]
    smallest = modelled.peak("I_Na")
    at_minus_20 = modelled.currents["I_Na"][levels == -20.0][0]
    assert abs(modelled.t[at_minus_20.argmin()] - 0.4 - 0.89) < 0.02
    assert abs(smallest.min() + 2411) < 2 and levels[smallest.argmin()] == -5.0
    recorded = lesson.values["recorded"]
    if recorded is not None:
        I_peak, t_peak = recorded.peaks(begin=0.6)  # ms; before, the capacitor is charged
        density, rising = I_peak / recorded.capacitance, (recorded.levels >= 20) & (recorded.levels <= 45)
        slope, offset = np.polyfit(recorded.levels[rising], I_peak[rising], 1)
        assert abs(density.min() + 140) < 3 and -25 <= recorded.levels[density.argmin()] <= -20
        assert abs(-offset / slope - 51) < 1.0 and abs(t_peak[recorded.levels == -20][0] - 1.25) < 0.1
