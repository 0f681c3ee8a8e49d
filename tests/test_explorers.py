"""The explorers: what the words say is what the function behind them gives, and every slider reaches both ends."""

import numpy as np
import pytest

from helpers.explorers import explore_f_I, explore_spikes, held_current
from helpers.figures import (
    COLOURS,
    plot_currents,
    plot_f_I,
    plot_gates,
    plot_posterior,
    plot_predictive,
    plot_spike,
    plot_voltage,
    use_style,
)
from helpers.neurons import Pospischil
from helpers.simulator import simulate
from helpers.stimuli import step


@pytest.fixture(autouse=True)
def look(monkeypatch):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    use_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("make", [explore_spikes, lambda: explore_f_I(plot_f_I)])
def test_every_slider_reaches_both_ends_and_comes_back(make):
    explorer = make()
    words, picture = explorer.sentence.value, explorer.image.value
    explorer.try_both_ends()
    assert explorer.sentence.value == words
    for slider in explorer.sliders.values():
        slider.value = slider.max
        assert explorer.sentence.value != words and explorer.image.value != picture
    explorer.reset()
    assert explorer.sentence.value == words


def test_words_and_lines_follow_the_slider():
    explorer = explore_spikes()
    line = explorer.figure.axes[0].lines[0]
    for amplitude, words in ((2.0, "0 spikes"), (5.0, "1 spike."), (10.0, "7 spikes")):
        explorer.sliders["amplitude"].value = amplitude
        assert words in explorer.sentence.value and words in explorer.image.alt
        np.testing.assert_array_equal(line.get_ydata(), held_current(amplitude).V)


def test_figures_draw_the_trace_they_are_given():
    import matplotlib.pyplot as plt

    trace = simulate(Pospischil(), step(3.248, 10.0, 110.0), 120.0, seed=0)
    for plot, names in ((plot_gates, trace.gates), (plot_currents, trace.currents)):
        ax = plot(plt.subplots()[1], trace)
        assert [line.get_color() for line in ax.lines] == [COLOURS[name] for name in names]
        for line, values in zip(ax.lines, names.values(), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), values)
        assert len({line.get_linestyle() + str(line._dash_pattern) for line in ax.lines}) == len(
            names
        )  # not by colour alone
        assert ax.get_ylabel()
    ax = plot_voltage(plt.subplots()[1], trace)
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), trace.spike_times)
    part = plot_spike(trace, begin=15.0, end=40.0)
    assert part.axes[1].lines[0].get_xdata()[[0, -1]] == pytest.approx([15.0, 40.0])


def test_posterior_and_predictive_figures_show_every_sample():
    import matplotlib.pyplot as plt

    samples = np.random.default_rng(0).standard_normal((100, 3))
    figure = plot_posterior(samples, ["a", "b", "c"], truth=[0, 0, 0], limits=[(-5, 5)] * 3)
    ax = figure.axes[3]  # row 1, column 0
    np.testing.assert_array_equal(np.column_stack([ax.lines[0].get_xdata(), ax.lines[0].get_ydata()]), samples[:, :2])
    assert ax.get_xlim() == (-5, 5)
    traces = [simulate(Pospischil(), step(3.248, 10.0, 110.0), 120.0, seed=s) for s in range(3)]
    ax = plot_predictive(plt.subplots()[1], traces[0], traces[1:])
    assert len(ax.lines) == 3
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), traces[0].V)
