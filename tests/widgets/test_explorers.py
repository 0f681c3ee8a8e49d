"""The explorers: what the words say is what the function behind them gives, and every slider reaches both ends."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from support.contrast import too_pale

from helpers.figures.colours import COLOURS, LINES
from helpers.figures.posteriors import plot_posterior
from helpers.figures.style import use_style
from helpers.figures.traces import plot_currents, plot_gates, plot_spike, plot_voltage
from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.widgets.controls import Dropdown, Slider
from helpers.widgets.explorer import Explorer, canvas, describe_spikes
from helpers.widgets.integrators import explore_integrators, run_integrator
from helpers.widgets.phase_plane import explore_phase_plane, phase_plane_at
from helpers.widgets.voltage_clamp import clamp_step, explore_clamp

OF_NOTEBOOK_1 = [explore_clamp, explore_phase_plane, explore_integrators]


def squid_response(amplitude):
    return simulate(HodgkinHuxley(), step(amplitude, 5.0, 95.0), 100.0, dt=0.02)


def explore_spikes():
    """The smallest explorer: slide the injected current; see V and the gates."""
    figure = canvas(5.0)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=[3, 2])
    first = squid_response(0.0)
    (line_V,) = top.plot(first.t, first.V, color=COLOURS["V"])
    top.axhline(first.spike_threshold, color="0.7", linestyle=":", linewidth=1)
    gates = {
        name: bottom.plot(first.t, x, color=COLOURS[name], linestyle=LINES.get(name, "-"), label=name)[0]
        for name, x in list(first.states.items())[1:]
    }
    top.set(ylabel="V (mV)", ylim=(-95, 60))
    bottom.set(ylabel="open fraction", xlabel="time (ms)", ylim=(-0.03, 1.35), yticks=[0, 0.5, 1], xlim=(0, 100))
    bottom.legend(ncols=3, loc="upper right")

    def update(amplitude):
        trace = squid_response(amplitude)
        line_V.set_ydata(trace.V)
        for name, line in gates.items():
            line.set_ydata(trace.states[name])
        return f"{amplitude:.4g} µA/cm² for {trace.stop - trace.start:.0f} ms: {describe_spikes(trace)}."

    amplitude = replace(step.parameters()["amplitude"], default=10.0, low=0.0)
    return Explorer(figure, update, {"": [Slider(amplitude)]})


@pytest.mark.parametrize("make", [explore_spikes])
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
    return explorer.image.words, explorer.image.width, explorer.image.height, explorer.image.value


def from_the_browser(control, **state):
    """As a move of the hand arrives."""
    control.set_state(state)


def test_a_slider_keeps_what_is_typed_and_stays_in_its_range():
    slider = Slider(HodgkinHuxley.parameters()["g_K"])
    seen = []
    slider.observe(lambda change: seen.append(change.new), names="value")
    from_the_browser(slider, value=2.25)
    assert slider.value == 2.25
    from_the_browser(slider, value=4)  # how JavaScript writes 4.0
    assert isinstance(slider.value, float)
    slider.value = slider.max
    slider.value = slider.min
    from_the_browser(slider, value=1e6)  # beyond the range
    assert slider.value == 80.0 and slider.get_state()["value"] == 80.0
    slider.reset()
    assert seen == [2.25, 4.0, 80.0, 0.0, 80.0, 36.0]  # each once
    slider.value = -3.0
    with pytest.raises(ValueError, match="g_K = nan; allowed: from 0 to 80"):
        slider.value = np.nan
    assert slider.value == 0.0


def test_a_dropdown_takes_what_is_on_its_list():
    dropdown = Dropdown("protocol", ["step", "ramp"], "step", "how the current goes")
    from_the_browser(dropdown, index=1)
    assert dropdown.value == dropdown.label == "ramp"
    dropdown.value = "step"
    assert dropdown.index == 0 and dropdown.label == "step"
    with pytest.raises(ValueError, match="protocol = 'chirp'; allowed: step, ramp"):
        dropdown.value = "chirp"
    assert dropdown.value == dropdown.label == "step"
    dropdown = Dropdown("dt", {"one": 1.0, "two": 2.0}, 2.0, "length of a step")
    assert (dropdown.value, dropdown.index, dropdown.label) == (2.0, 1, "two")
    dropdown.value = 1.0
    dropdown.reset()
    assert (dropdown.value, dropdown.index) == (2.0, 1)


def test_a_number_typed_into_an_explorer_stays_exactly_until_reset():
    explorer = explore_spikes()
    words = explorer.sentence.value
    slider = explorer.sliders["amplitude"]
    from_the_browser(slider, value=2.25)
    assert explorer.values == {"amplitude": 2.25}
    explorer.reset()
    assert explorer.values == {"amplitude": 10.0}
    assert explorer.sentence.value == words


def test_the_picture_has_a_description_and_is_not_stretched():
    explorer = explore_spikes()
    alt, width, height, png = shown_by(explorer)
    assert alt == "10 µA/cm² for 90 ms: 7 spikes (V peaking above -20 mV)."
    assert f">{alt}<" in explorer.sentence.value
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    drawn = np.array([int.from_bytes(png[16:20]), int.from_bytes(png[20:24])])
    np.testing.assert_allclose([width, height], 0.8 * drawn, atol=0.5)  # sharp, and not stretched
    still = base64.b64decode(explorer._repr_mimebundle_()["image/png"])
    written, alone = (np.asarray(Image.open(io.BytesIO(data))) for data in (still, png))
    np.testing.assert_array_equal(written[-len(alone) :], alone)
    assert written[: -len(alone)].min() < 50  # a line that says how to make it move
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "run this cell to get the slider"
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("make", [explore_spikes, *OF_NOTEBOOK_1])
def test_a_picture_that_reuses_its_axes_looks_like_one_drawn_whole(make):
    explorer = make()
    for control in explorer.sliders.values():
        control.value = control.ends[-1]
    for artist in [artist for ax in explorer.figure.axes for artist in (*ax.lines, *ax.texts, *ax.patches)]:
        artist.set_animated(False)
    explorer.figure.canvas.draw()
    whole = np.asarray(explorer.figure.canvas.buffer_rgba())[..., :3].astype(float)
    shown = np.asarray(Image.open(io.BytesIO(explorer.image.value))).astype(float)
    assert np.abs(whole - shown).mean() < 0.5 < 5.0 < whole.std()  # of 255: lines now lie over the frame of the axes


def test_the_mark_shows_while_python_computes_and_then_no_more():
    explorer, seen = explore_spikes(), []
    update = explorer.update
    explorer.update = lambda **values: (seen.append(explorer.image.busy), update(**values))[1]
    explorer.sliders["amplitude"].value = 20.0
    explorer.update = lambda **values: 1 / 0
    with pytest.raises(ZeroDivisionError):
        explorer.sliders["amplitude"].value = 30.0
    assert seen == [True] and not explorer.image.busy


def test_the_threshold_at_which_spikes_are_counted_is_drawn():
    explorer = explore_spikes()
    lines = explorer.figure.axes[0].lines
    assert list(lines[1].get_ydata()) == [-20.0, -20.0] and lines[1].get_linestyle() == ":"
    explorer.sliders["amplitude"].value = 100.0
    V = lines[0].get_ydata()
    assert np.sum((V[:-1] < -20.0) & (V[1:] >= -20.0)) == 6
    assert ": 6 spikes (V peaking above -20 mV)" in explorer.sentence.value


def test_words_and_lines_follow_the_slider():
    explorer = explore_spikes()
    line = explorer.figure.axes[0].lines[0]
    for amplitude, words in ((2.0, "0 spikes"), (2.25, "2.25 µA/cm² for 90 ms: 1 spike ("), (10.0, "7 spikes")):
        explorer.sliders["amplitude"].value = amplitude
        assert words in explorer.sentence.value and words in shown_by(explorer)[0]
        np.testing.assert_array_equal(line.get_ydata(), squid_response(amplitude).V)


# ------------------------------------------------------------------------------------- the explorers of notebook 1


@pytest.fixture(scope="module", params=OF_NOTEBOOK_1)
def explorer(request):
    use_style()
    return request.param()


def test_every_explorer_comes_back_from_both_ends(explorer):
    explorer.reset()
    words, picture, values = explorer.sentence.value, explorer.image.value, explorer.values
    explorer.try_both_ends()
    assert (explorer.values, explorer.sentence.value, explorer.image.value) == (values, words, picture)


def test_every_control_of_an_explorer_changes_the_picture(explorer):
    explorer.reset()
    before = explorer.values
    for name, control in explorer.sliders.items():
        pictures = set()
        for value in control.ends:
            control.value = value
            pictures.add(explorer.image.value)
        control.value = before[name]
        assert len(pictures) > 1, name


def test_nothing_that_an_explorer_draws_leaves_its_axes_or_falls_off_the_picture(explorer):
    explorer.reset()
    for name, control in explorer.sliders.items():
        for value in (*control.ends, control.default):
            control.value = value
            for ax in explorer.figure.axes:
                low, high = ax.get_ylim()
                for line in ax.lines:
                    y = np.asarray(line.get_ydata(), dtype=float)
                    inside = y[np.isfinite(y)]
                    if line.get_label() not in ("separatrix", "dV/dt = 0") and inside.size and ax.get_yscale() != "log":
                        assert low <= inside.min() and inside.max() <= high, (name, value, line.get_label())
            width, height = explorer.figure.canvas.get_width_height()
            box = explorer.figure.get_tightbbox(explorer.figure.canvas.get_renderer()).transformed(
                explorer.figure.dpi_scale_trans
            )
            assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, (name, value)


def test_every_slider_of_an_explorer_has_the_label_the_range_and_the_default_of_its_declaration():
    explorer, declared = explore_clamp(), HodgkinHuxley.parameters()
    assert set(declared) & set(explorer.sliders) == {"block_Na", "block_K", "temperature"}
    for name in set(declared) & set(explorer.sliders):
        slider = explorer.sliders[name]
        own = declared[name]
        assert (slider.min, slider.max, slider.value) == (own.low, own.high, own.default)
        assert slider.about["unit"] == own.unit and slider.about["meaning"] == own.meaning
    assert explorer.sliders["test"].about["unit"] == "mV"


def test_several_values_and_a_reset_draw_once():
    drawn, declared = [], HodgkinHuxley.parameters()
    sliders = [Slider(declared["g_K"]), Slider(declared["g_L"])]
    explorer = Explorer(canvas(1.0), lambda **values: (drawn.append(values), "drawn")[1], {"": sliders})
    explorer.set(g_K=10.0, g_L=0.5)
    explorer.reset()
    assert drawn[1:] == [{"g_K": 10.0, "g_L": 0.5}, {"g_K": 36.0, "g_L": 0.3}]


def test_a_callback_that_fails_fails_when_both_ends_are_tried():
    def explorer_of(update):
        return Explorer(canvas(1.0), update, {"": [Slider(HodgkinHuxley.parameters()["g_K"])]})

    def at_the_end(error):
        def update(g_K):
            if g_K == 80.0:
                raise error
            return f"g_K is {g_K:g}"

        return update

    for error in (ZeroDivisionError("broken"), ValueError("too much")):
        with pytest.raises(type(error), match=str(error)):
            explorer_of(at_the_end(error)).try_both_ends()
    explorer = explorer_of(at_the_end(ValueError("80 < x & more")))
    explorer.sliders["g_K"].value = 80.0  # the learner reads why there is no picture
    assert explorer.sentence.value == '<p role="status">No picture: 80 &lt; x &amp; more.</p>'
    assert explorer.image.value == b""
    explorer.reset()
    assert "g_K is 36" in explorer.sentence.value and shown_by(explorer)[0] == "g_K is 36"


def test_the_explorers_draw_what_their_functions_return():
    explorer = explore_clamp()
    explorer.set(holding=-80.0, test=20.0)
    step_, lines = clamp_step(**explorer.values), [ax.lines for ax in explorer.figure.axes]
    for line, values in zip(lines[0], step_.trace.currents.values(), strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values)
    for line, values in zip(lines[1], step_.curves.values(), strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values)
    ringed = lines[1][3]
    assert list(ringed.get_xdata()) == [20.0] * 3 and list(ringed.get_ydata()) == list(step_.peaks.values())

    explorer = explore_phase_plane()
    explorer.sliders["moment"].value = 3.0
    plane, shown = phase_plane_at(10.0, 3.0), {line.get_label(): line for line in explorer.figure.axes[0].lines}
    np.testing.assert_array_equal(shown["stable"].get_xydata(), plane.points[plane.stable])
    np.testing.assert_array_equal(shown["saddle"].get_xydata(), plane.points[~plane.stable])
    np.testing.assert_array_equal(shown["now"].get_xydata(), [[plane.trace.V[plane.k], plane.trace.m[plane.k]]])
    np.testing.assert_array_equal(shown["dV/dt = 0"].get_xydata()[:-1], plane.nullclines["V"][0])

    explorer = explore_integrators()
    explorer.set(method="euler", dt=0.05)
    run, (top, bottom) = run_integrator("euler", 0.05), explorer.figure.axes
    np.testing.assert_array_equal(top.lines[1].get_ydata(), run.trace.V)
    np.testing.assert_array_equal(bottom.lines[0].get_ydata(), run.error)
    explorer.set(method="rk4", dt=0.1)
    assert not len(top.lines[1].get_ydata()) and bottom.texts[0].get_visible()
    assert "No trace: rk4 at dt = 0.1 ms is unstable" in explorer.sentence.value


def test_lines_are_told_apart_by_more_than_colour(explorer):
    explorer.reset()
    for ax in explorer.figure.axes:
        lines = [line for line in ax.lines if len(np.atleast_1d(line.get_xdata())) > 2]
        looks = {(line.get_linestyle(), str(line._dash_pattern), line.get_linewidth()) for line in lines}
        assert len(looks) == len(lines)
    assert too_pale(explorer.figure) == []


# ------------------------------------------------------------------------------------------------- the still figures


def test_figures_draw_the_trace_they_are_given():
    import matplotlib.pyplot as plt

    trace = simulate(Pospischil(), step(3.248, 10.0, 110.0), 120.0, seed=0)
    for plot, names in ((plot_gates, {name: trace.states[name] for name in "mhnp"}), (plot_currents, trace.currents)):
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


def test_a_posterior_figure_shows_every_sample():
    samples = np.random.default_rng(0).standard_normal((100, 3))
    figure = plot_posterior(samples, ["a", "b", "c"], truth=[0, 0, 0], limits=[(-5, 5)] * 3)
    assert len(figure.axes) == 6 + 3  # pairs and diagonal, and the axes of the histograms on top of the latter
    ax = figure.axes[1]  # row 1, column 0
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), samples[:, :2])
    assert ax.get_xlim() == (-5, 5)
    assert ax.lines[0].get_xydata().tolist() == [[0, 0]]
    titles = [axes.get_title() + axes.get_title("left") for axes in figure.axes]
    assert titles == [""] * 6 + ["a", "b", "c"]
