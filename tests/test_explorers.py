"""The explorers: what the words say is what the function behind them gives, and every slider reaches both ends."""

import base64
import re

import numpy as np
import pytest

from helpers.explorers import Dial, explore_f_I, explore_spikes, held_current
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
from helpers.neurons import HodgkinHuxley, Pospischil
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


def shown_by(explorer):
    """What a screen reader says of the picture, its width and height on the page, and its PNG."""
    tag = r'<img width="(\d+)" height="(\d+)" style="max-width: 100%; height: auto" alt="([^"]+)" src="([^"]+)">'
    width, height, alt, source = re.fullmatch(tag, explorer.image.value).groups()
    assert source.startswith("data:image/png;base64,")
    return alt, int(width), int(height), base64.b64decode(source.partition(",")[2])


def test_a_dial_keeps_what_is_typed_and_moves_in_hundredths():
    dial = Dial(HodgkinHuxley.parameters()["g_K"])  # 0 to 80, default 36: the slider moves in steps of 0.8
    seen = []
    dial.observe(lambda change: seen.append(change.new), names="value")
    dial.box.value = 2.25
    assert (dial.value, dial.box.value) == (2.25, 2.25)
    assert dial.slider.value == pytest.approx(2.4)
    dial.slider.value = 4.0
    assert (dial.value, dial.box.value) == (4.0, 4.0)
    for end in (dial.min, dial.max):
        dial.value = end
        assert dial.box.value == dial.slider.value == end
    dial.box.value = 1e6  # beyond the range
    assert dial.value == dial.box.value == dial.slider.value == 80.0
    dial.value = dial.default
    assert dial.value == dial.box.value == dial.slider.value == 36.0
    assert seen == [2.25, 4.0, 0.0, 80.0, 36.0]  # each once


def test_a_number_typed_into_an_explorer_stays_exactly_until_reset():
    explorer = explore_spikes()
    words = explorer.sentence.value
    dial = explorer.sliders["amplitude"]
    dial.box.value = 2.25
    assert explorer.values == {"amplitude": 2.25} and dial.slider.value == 2.0
    explorer.reset()
    assert explorer.values == {"amplitude": 10.0} == {"amplitude": dial.slider.value}
    assert explorer.sentence.value == words


def test_the_picture_has_a_description_and_is_not_stretched():
    explorer = explore_spikes()
    alt, width, height, png = shown_by(explorer)
    assert alt == "10 µA/cm² for 90 ms: 7 spikes (V rising through -20 mV)."
    assert f">{alt}<" in explorer.sentence.value
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (width, height) == (int.from_bytes(png[16:20]), int.from_bytes(png[20:24]))
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == png
    assert bundle["text/plain"] == "run this cell to get the slider"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_threshold_at_which_spikes_are_counted_is_drawn():
    explorer = explore_spikes()
    lines = explorer.figure.axes[0].lines
    assert list(lines[1].get_ydata()) == [-20.0, -20.0] and lines[1].get_linestyle() == ":"
    explorer.sliders["amplitude"].value = 100.0
    V = lines[0].get_ydata()
    assert np.sum((V[:-1] < -20.0) & (V[1:] >= -20.0)) == 6
    assert ": 6 spikes (V rising through -20 mV)" in explorer.sentence.value


def test_words_on_the_f_I_curve_fit_its_ends_and_every_line_lies_within_the_axes():
    explorer = explore_f_I(plot_f_I)
    dial, (ax,) = explorer.sliders["g_K"], explorer.figure.axes
    for g_K, words in (
        (20.0, "g_K = 20 mS/cm²: the neuron fires without any current; the best fit is"),
        (36.5, "g_K = 36.5 mS/cm²: the neuron fires from 7 µA/cm²; the best fit is tanh with R² = 0.9"),
        (52.4, "g_K = 52.4 mS/cm²: the neuron fires from"),
        (60.0, "g_K = 60 mS/cm²: the neuron does not fire up to 50 µA/cm²."),
    ):
        dial.value = g_K
        assert words in explorer.sentence.value
        low, high = ax.get_ylim()
        assert all(low < line.get_ydata().min() and line.get_ydata().max() < high for line in ax.lines)
        renderer = explorer.figure.canvas.get_renderer()
        assert ax.get_legend().get_window_extent(renderer).y0 >= ax.get_window_extent(renderer).y1


def test_words_and_lines_follow_the_slider():
    explorer = explore_spikes()
    line = explorer.figure.axes[0].lines[0]
    for amplitude, words in ((2.0, "0 spikes"), (2.25, "2.25 µA/cm² for 90 ms: 1 spike ("), (10.0, "7 spikes")):
        explorer.sliders["amplitude"].value = amplitude
        assert words in explorer.sentence.value and words in shown_by(explorer)[0]
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
    titles = [(axes.get_title(), axes.get_title("left")) for axes in figure.axes]
    assert ["".join(title) for title in titles] == ["a", "", "", "", "b", "", "", "", "c"]
    traces = [simulate(Pospischil(), step(3.248, 10.0, 110.0), 120.0, seed=s) for s in range(3)]
    ax = plot_predictive(plt.subplots()[1], traces[0], traces[1:])
    assert len(ax.lines) == 3
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), traces[0].V)
