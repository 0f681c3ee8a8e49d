"""The drawings can be read: by eye in both themes and in a narrow window, and by a screen reader."""

import base64
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from support.contrast import contrast

from helpers.figures import drawing
from helpers.figures.colours import COLOURS
from helpers.figures.drawings import DARK, DARK_AREAS, DRAWINGS, FOLDER, LIGHT, LIGHT_AREAS, Drawing
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {"membrane", "circuit", "gate", "clamp", "spike", "inference", "unit"}
NARROW = 400  # px, of a window in which a drawing is still read


def tree(name: str) -> ET.Element:
    return ET.fromstring(drawing(name).svg)


def test_the_drawings_of_the_lessons_are_there():
    assert set(DRAWINGS) == NAMES
    with pytest.raises(ValueError, match="drawings: circuit, clamp, gate"):
        drawing("cell")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_one_svg_with_title_and_description(name):
    root, shown = tree(name), drawing(name)
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) and set(root.get("aria-labelledby").split()) <= set(ids)
    assert 10 < len(shown.title) < 60 and 150 < len(shown.words) < 700
    assert root.find(SVG + "title").text == shown.title
    assert 3000 < len(shown.svg) < 40_000


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_fetched_or_run(name):
    svg = drawing(name).svg
    inside = re.sub(r'xmlns="[^"]+"', "", svg)
    assert not re.search(r"https?:|//|<script|<image|<foreignObject|@import|@font-face|\bon\w+=", inside)
    assert set(re.findall(r"url\((.)", svg)) <= {"#"} and "href" not in svg
    assert set(re.findall(r"url\(#([\w-]+)\)", svg)) <= set(re.findall(r'id="([\w-]+)"', svg))


@pytest.mark.parametrize("name", DRAWINGS)
def test_text_is_large_enough_also_in_a_narrow_window(name):
    root = tree(name)
    width = float(root.get("viewBox").split()[2])
    assert width == 720
    sizes = dict(re.findall(r"^\.?(\w+) {[^{}]*font(?:-size)?: (\d+)px", drawing(name).svg, re.MULTILINE))
    assert min(map(float, sizes.values())) >= 11
    assert float(sizes["text"]) * NARROW / width >= 11
    assert not [element for element in root.iter() if element.get("font-size")]


@pytest.mark.parametrize("name", DRAWINGS)
def test_everything_stays_inside(name):
    root = tree(name)
    _, _, width, height = map(float, root.get("viewBox").split())
    for element in root.iter():
        x, y = element.get("x", element.get("cx")), element.get("y", element.get("cy"))
        if x is not None and element.tag != SVG + "rect":
            assert 8 <= float(x) <= width - 8 and 16 <= float(y) <= height - 8, ET.tostring(element)


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_colour_comes_from_the_style(name):
    source = (FOLDER / f"{name}.svg").read_text("utf-8")
    assert "#" not in re.sub(r"&#?\w+;", "", source) and source.count("<style/>") == 1
    known = {*LIGHT, *LIGHT_AREAS} | {"text", "index", "small", "strong", "symbol", "middle", "end"}
    known |= {"line", "thin", "dashed", "thick", "fill", "arrow"}
    assert {word for found in re.findall(r'class="([^"]*)"', source) for word in found.split()} <= known


@pytest.mark.parametrize(("colours", "areas"), [(LIGHT, LIGHT_AREAS), (DARK, DARK_AREAS)])
def test_lines_and_text_stand_out_in_both_themes(colours, areas):
    for name, colour in colours.items():
        assert contrast(colour, areas["paper"]) >= 4.5, name
        assert contrast(colour, areas["cell"]) >= (4.5 if name in ("ink", "V") else 3.0), name
    for name in ("ink", "quiet", "Na", "K"):
        assert contrast(colours[name], areas["fat"]) >= 3.0, name


def test_an_ion_has_the_colour_that_it_has_in_the_figures():
    assert (LIGHT["Na"], LIGHT["K"], LIGHT["L"]) == tuple(COLOURS[f"I_{ion}"] for ion in ("Na", "K", "L"))
    assert LIGHT["h"] == COLOURS["h"] and len(set(DARK.values())) == len(set(LIGHT.values()))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_notebook_gets_a_picture_with_its_description(name):
    shown = drawing(name)
    assert isinstance(shown, Drawing)
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == f"{shown.title}. {shown.words}"
    image = ET.fromstring(bundle["text/html"].removesuffix(">") + "/>")
    assert image.get("alt") == bundle["text/plain"]
    head, _, data = image.get("src").partition(",")
    assert head == "data:image/svg+xml;base64" and base64.b64decode(data).decode() == shown.svg
    assert bundle == drawing(name)._repr_mimebundle_()  # nbval compares it


# ------------------------------------------------------------------------------------- what is said in numbers


def words_of(name: str) -> str:
    return "; ".join("".join(element.itertext()) for element in tree(name).iter(SVG + "text")).replace("−", "-")


def test_the_batteries_of_the_circuit_are_those_of_the_squid_axon():
    squid = HodgkinHuxley()
    found = [int(number) for number in re.findall(r"([+-]\d+) mV", words_of("circuit"))]
    assert found == [round(value) for value in (squid.E_Na, squid.E_K, squid.E_L)]


def test_the_five_pictures_of_a_spike_have_the_numbers_of_a_simulated_one():
    trace = simulate(HodgkinHuxley(), step(20.0, start=2.0, stop=3.0), duration=14.0)
    V, currents = trace.V, trace.currents
    peak, lowest = int(V.argmax()), int(V.argmin())
    rising = int((V > -25).argmax())
    falling = peak + int((V[peak:] < -45).argmax())
    moments = [100, rising, peak, falling, lowest]
    shown = [int(number) for number in re.findall(r"([+-]?\d+) mV", words_of("spike"))]
    assert shown == [round(float(V[k])) for k in moments]
    root = tree("spike")
    for name, ion in (("I_Na", "Na"), ("I_K", "K")):
        texts = [text.text for group in root.iter(SVG + "g") if group.get("class") == ion for text in group.iter()]
        numbers = [int(text.replace("−", "-")) for text in texts if re.fullmatch(r"[+−]?\d+", text or "")]
        assert numbers == [round(float(currents[name][k])) for k in moments], ion


# --------------------------------------------------------------------------------------------------- in a browser

# Where each text is, in the units of the drawing, without the white above and below its letters.
TEXTS = """() => [...document.querySelectorAll('svg text')].map(text => {
    const { x, y, width, height } = text.getBBox();
    return { words: text.textContent, left: x, right: x + width, top: y + 0.2 * height, bottom: y + 0.8 * height } })"""


@pytest.mark.browser
def test_no_text_touches_another_or_the_edge(browser):
    page = browser.new_page()
    for name in DRAWINGS:
        page.set_content(drawing(name).svg)
        texts = page.evaluate(TEXTS)
        width, height = map(float, tree(name).get("viewBox").split()[2:])
        for one in texts:
            assert one["left"] >= 6 and one["right"] <= width - 6 and one["bottom"] <= height - 4, (name, one["words"])
        for one, other in combinations(texts, 2):
            across = min(one["right"], other["right"]) - max(one["left"], other["left"])
            down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            assert across < 0 or down < 0, (name, one["words"], other["words"])
    page.close()


@pytest.mark.browser
def test_a_drawing_follows_the_theme(browser):
    for scheme, areas in (("light", LIGHT_AREAS), ("dark", DARK_AREAS)):
        page = browser.new_page(color_scheme=scheme)
        page.set_content(drawing("membrane").svg)
        fill = page.locator("rect.paper").evaluate("rect => getComputedStyle(rect).fill")
        assert [int(part) for part in re.findall(r"\d+", fill)] == [
            int(areas["paper"][start : start + 2], 16) for start in (1, 3, 5)
        ]
        page.close()
