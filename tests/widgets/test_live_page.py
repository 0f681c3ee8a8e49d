"""The live bench in a browser, on a page without Python: keyboard, mouse, screen reader, phone, dark theme."""

import pytest

pytest.importorskip("playwright", reason="no Playwright here: pip install -r tests/requirements.txt")

from benchmarks.frames import PROBE, bare_page, keys, sweep, write_page
from helpers.neurons.models import HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire
from helpers.widgets.live.bench import live_bench

pytestmark = pytest.mark.browser
WORDS = ".live-bench .words"
CONTROLS = ".live-bench input, .live-bench select, .live-bench button"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    write_page(folder)
    with bare_page(folder) as served:
        yield served


@pytest.fixture
def show(browser, address):
    """A function that opens the bench; whatever the page complains of fails the test."""
    contexts, errors = [], []

    def opened(width=1100, height=1000, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error.message))
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.goto(address)
        page.wait_for_selector(".live-bench[data-drawn]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def slider(page, name):
    return page.locator(f'.live-bench [data-name="{name}"] input[type="range"]')


def box(page, name):
    return page.locator(f'.live-bench [data-name="{name}"] input[type="number"]')


def dropdown(page, name):
    return page.get_by_role("combobox", name=name, exact=True)


def setting(page):
    return page.evaluate("() => window.model.get('setting')")


def words_of(**values):
    """What the words begin with, by the simulator."""
    bench = live_bench()
    bench.set(**values)
    count = len(bench.trace().spike_times)
    return f"{count} spike{'s' * (count != 1)} (V peaking above -20 mV)"


def wait_for_words(page, words):
    page.wait_for_function(f"words => document.querySelector('{WORDS}').textContent.startsWith(words)", arg=words)


def next_frame(page):
    """Wait until what was done is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page, canvas="canvas >> nth=0"):
    """How many pixels of a picture are painted, and a number that changes with them."""
    return page.locator(f".live-bench {canvas}").evaluate(
        "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0, sum = 0;"
        "for (let i = 3; i < d.length; i += 4) if (d[i]) { n += 1; sum = (sum * 31 + i) % 1e9; } return [n, sum]; }"
    )


def test_keys_move_a_slider_and_the_picture_and_what_python_sees(show):
    page = show()
    before = pixels(page)
    slider(page, "amplitude").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    wait_for_words(page, words_of(amplitude=5.0))
    assert slider(page, "amplitude").get_attribute("aria-valuetext") == "5 µA/cm²"
    assert setting(page)["stimulus"]["amplitude"] == 5.0 and pixels(page) != before
    page.keyboard.press("Home")
    assert setting(page)["stimulus"]["amplitude"] == -20.0
    page.keyboard.press("End")
    assert setting(page)["stimulus"]["amplitude"] == 100.0


def test_a_typed_number_stays_as_it_is_and_a_wild_one_becomes_the_nearer_end(show):
    page = show()
    for typed, kept in (("33.333", 33.333), ("1e6", 80.0), ("-5", 0.0)):
        box(page, "g_K").fill(typed)
        box(page, "g_K").press("Enter")
        assert setting(page)["parameters"]["g_K"] == kept and box(page, "g_K").input_value() == f"{kept:g}"
    HodgkinHuxley(**setting(page)["parameters"])


def test_a_number_beyond_the_range_says_the_range(show):
    page = show()
    said = page.locator('.live-bench [data-name="g_K"] .limits')
    assert not said.is_visible()
    box(page, "g_K").fill("100000")
    box(page, "g_K").press("Enter")
    assert said.inner_text() == "100000 is outside 0 to 80 mS/cm²: set to 80" and said.get_attribute("role") == "status"
    box(page, "g_K").fill("-5")
    box(page, "g_K").press("Enter")
    assert said.inner_text() == "-5 is outside 0 to 80 mS/cm²: set to 0"
    box(page, "g_K").fill("30")
    box(page, "g_K").press("Enter")
    assert not said.is_visible() and setting(page)["parameters"]["g_K"] == 30.0


@pytest.mark.parametrize("width", [1400, 900, 700, 400])
def test_sliders_are_long_enough_to_aim_with(show, width):
    page = show(width)
    for control in page.locator('.live-bench .control input[type="range"]:visible').all():
        assert control.bounding_box()["width"] >= 250


def test_the_traces_stay_in_sight_while_the_last_slider_is_moved(show):
    page = show(1366, 768)
    page.locator('.live-bench .control input[type="range"]').last.scroll_into_view_if_needed()
    for picture in (".traces", ".plane"):
        assert page.locator(f".live-bench {picture}").bounding_box()["y"] >= -1
    slider(page, "g_Na").focus()  # and what has the focus is not below the picture
    picture = page.locator(".live-bench .traces").bounding_box()
    control = slider(page, "g_Na").bounding_box()
    assert control["y"] >= picture["y"] + picture["height"] - 1


def test_what_has_no_units_is_shown_without(show):
    page = show()
    dropdown(page, "neuron").select_option("HindmarshRose")
    page.wait_for_function("() => document.querySelector('.live-bench .words').innerText.includes('one every')")
    text = page.inner_text(".live-bench")
    assert " ms" not in text and "Hz" not in text


def test_what_is_off_its_default_is_marked_and_comes_back(show):
    page = show()
    reset = page.get_by_role("button", name="reset g_K to its default, 36 mS/cm²")
    everything = page.locator(".reset-all")
    assert not reset.is_visible() and everything.is_disabled()
    box(page, "g_K").fill("30")
    box(page, "amplitude").fill("20")
    page.wait_for_function("document.querySelector('.reset-all').textContent.includes('(2)')")
    reset.click()
    next_frame(page)
    assert setting(page)["parameters"]["g_K"] == 36.0 and not reset.is_visible()
    everything.click()
    next_frame(page)
    assert everything.is_disabled() and setting(page)["stimulus"]["amplitude"] == 10.0


def test_a_preset_a_clamp_and_another_neuron(show):
    page = show()
    dropdown(page, "preset").select_option("warm")
    assert HodgkinHuxley(**setting(page)["parameters"]) == HodgkinHuxley.preset("warm")
    wait_for_words(page, words_of(preset="warm"))
    dropdown(page, "preset").select_option("squid")
    dropdown(page, "clamp").select_option("voltage")
    wait_for_words(page, "From -65 to 0 mV")
    bench = live_bench()
    bench.set(clamp="voltage")
    assert f"I_Na {round(float(bench.trace().peak('I_Na')))} after" in page.inner_text(WORDS)
    dropdown(page, "neuron").select_option("Izhikevich")
    assert Izhikevich(**setting(page)["parameters"]) == Izhikevich() and setting(page)["clamp"] == "current"
    dropdown(page, "neuron").select_option("LeakyIntegrateAndFire")
    LeakyIntegrateAndFire(**setting(page)["parameters"])
    assert not dropdown(page, "clamp").is_visible()


def test_every_position_of_every_slider_is_allowed_by_python(show):
    page, bench = show(), live_bench()
    for name in bench.data["neurons"]:
        dropdown(page, "neuron").select_option(name)
        for row in page.locator(".live-bench .control").all():
            for key in ("Home", "PageUp", "End"):
                row.locator('input[type="range"]').press(key)
                bench.setting = setting(page)
            row.locator("button").click() if row.locator("button").is_visible() else None


def test_python_moves_the_sliders(show):
    page, bench = show(), live_bench()
    bench.set(g_K=20.0, amplitude=5.0)
    page.evaluate("setting => window.model.receive(setting)", bench.setting)
    wait_for_words(page, words_of(g_K=20.0, amplitude=5.0))
    assert box(page, "g_K").input_value() == "20" and slider(page, "g_K").get_attribute("aria-valuetext") == "20 mS/cm²"


def test_a_drag_draws_in_frames_and_sends_once(show):
    page = show()
    area = slider(page, "amplitude").bounding_box()
    page.mouse.move(area["x"] + area["width"] / 4, area["y"] + 10)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 10, steps=20)
    assert page.evaluate("() => window.sent ?? 0") == 0
    page.mouse.up()
    assert page.evaluate("() => window.sent") == 1
    assert setting(page)["stimulus"]["amplitude"] > 20


def test_the_cursor_steps_runs_and_pauses_and_says_where_it_is(show):
    page = show()
    clock = page.get_by_label("time cursor", exact=True).and_(page.locator("input"))
    first = clock.get_attribute("aria-valuetext")
    assert first.startswith("10.00 ms: V -65.0 mV, m 0.053".replace("-", "−")) and "I_Na −1.22 µA/cm²" in first
    page.wait_for_timeout(300)
    assert clock.get_attribute("aria-valuetext") == first  # it does not run by itself
    page.get_by_role("button", name="step ▶").click()
    next_frame(page)
    assert clock.get_attribute("aria-valuetext").startswith("10.10 ms")
    run = page.locator(".live-bench .play")
    run.click()
    page.wait_for_function("document.querySelector('.live-bench .moment').textContent > '10.4'")
    run.click()
    next_frame(page)
    paused = page.inner_text(".live-bench .moment")
    page.wait_for_timeout(200)
    assert page.inner_text(".live-bench .moment") == paused


def test_pointing_at_the_picture_reads_out_that_moment(show):
    page = show()
    area = page.locator(".live-bench .traces canvas").bounding_box()
    page.mouse.move(area["x"] + 46 + (area["width"] - 56) * 0.5, area["y"] + area["height"] / 2)
    page.wait_for_function("Math.abs(parseFloat(document.querySelector('.live-bench .moment').textContent) - 50) < 0.5")


def test_a_screen_reader_finds_names_units_and_words(show):
    page = show()
    for control in page.locator(".live-bench input, .live-bench select, .live-bench button:visible").all():
        label = control.evaluate("e => e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText")
        assert label.strip()
    assert box(page, "g_K").get_attribute("aria-label") == "g_K, maximal potassium conductance, mS/cm²"
    page.wait_for_function(
        "document.querySelector('.live-bench [aria-live=polite]').textContent.startsWith('5 spikes')"
    )
    assert page.locator(".live-bench canvas >> nth=0").get_attribute("aria-label").startswith("5 spikes")


def test_the_focus_is_seen_and_tab_reaches_every_control(show):
    page = show()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(f"() => [...document.querySelectorAll('{CONTROLS}')].indexOf(document.activeElement)")
        )
        width = page.evaluate("() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2 or page.evaluate("() => document.activeElement === document.body")
    assert (
        len(reached - {-1}) == page.locator(f"{CONTROLS}:visible:enabled".replace(", ", ":visible:enabled, ")).count()
    )


@pytest.mark.parametrize(("width", "height"), [(400, 800), (550, 500), (320, 640)])
def test_on_a_phone_and_at_200_percent_nothing_is_cut_off(show, width, height):
    page = show(width, height, device_scale_factor=2)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for control in page.locator(".live-bench input:visible, .live-bench button:visible").all():
        area = control.bounding_box()
        assert area["x"] >= 0 and area["x"] + area["width"] <= width and area["height"] >= 24
    real = page.locator(".live-bench canvas >> nth=0").evaluate("c => [c.width, c.clientWidth]")
    assert real[0] == pytest.approx(2 * real[1], abs=2)  # sharp
    assert pixels(page)[0] > 1000 and pixels(page, ".plane canvas")[0] > 500


def test_a_dark_page_has_light_lines(show):
    def brightness(page):
        return page.locator(".live-bench").evaluate(
            "e => ['color', 'backgroundColor'].map(name =>"
            "getComputedStyle(e)[name].match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))"
        )

    for scheme in ("light", "dark"):
        text, back = brightness(page := show(color_scheme=scheme))
        assert (text > back + 400) if scheme == "dark" else (back > text + 400)
        drawn = page.locator(".live-bench canvas >> nth=1").evaluate(
            "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let m = 0, n = 0;"
            "for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 250) { m += d[i]; n += 1; } return m / n; }"
        )
        assert (drawn > 150) if scheme == "dark" else (drawn < 100)


def test_it_is_quick(show):
    """Far from the targets of benchmarks/frames.py, as tests run on busy computers."""
    page = show()
    page.evaluate(PROBE, page.query_selector(".live-bench"))
    sweep(page, "amplitude", 0.5)
    assert sweep(page, "amplitude", 2.0) > 15
    assert sorted(keys(page, "amplitude", 20))[15] < 200
