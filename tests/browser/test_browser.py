"""The notebooks as a learner meets them: opened in a browser, run from the menu, and every slider moved by hand.

In Notebook 7, the cells run that show an explorer and what these build on, as nbval runs every cell anyway: those of
the lessons, and with the first those of docs/deeper. PYHH_BROWSER=whole, which the long tests set, runs every cell of
the lessons, in JupyterLab, too.

No cell may fail, no page may complain, nothing may be asked of another computer. In each explorer every slider is
dragged and keyed and every dropdown is used; then the number in the box, the words and each byte of the picture must be
those that Python has, at once and without a jump of the page. Not covered: other browsers, touch, Colab, VS Code.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("playwright", reason="no Playwright here: pip install -r tests/requirements.txt")

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser, Locator
from support.browser import FRONTENDS, NotebookPage, Server, ShownExplorer, opened, served, wait_until, widget
from support.browser import what_explorers_need as cut_down

import tools
from tools import LESSONS, ROOT

pytestmark = pytest.mark.browser
NOTEBOOKS = [path.name for path in LESSONS]
DEEPER = [path for path in tools.DEEPER if "widgets.explore_" in path.read_text("utf-8")]
WHOLE = os.environ.get("PYHH_BROWSER") == "whole"
USED = FRONTENDS if WHOLE else FRONTENDS[:1]
SHOWN = [(name, frontend) for frontend in USED for name in NOTEBOOKS]
MINUTES = 30  # for all cells of all notebooks at the same time
SETTLED = 30.0  # s until page and Python must agree: 0.1 to 0.4 s alone, but 8 s once beside other tests
SIMULATED = 60.0  # s for a choice that simulates thousands of neurons, the first time with code that must be compiled


def copy(name: str, folder: Path) -> None:
    """A notebook without outputs: widgets of a kernel that is gone would count as errors."""
    notebook = nbformat.read(ROOT / name, as_version=4)
    if not WHOLE:
        deeper = [nbformat.read(path, as_version=4) for path in DEEPER] if name == NOTEBOOKS[0] else []
        codes = [[cell.source for cell in part.cells if cell.cell_type == "code"] for part in (notebook, *deeper)]
        kept = [source for code in codes for source in cut_down(code)]
        notebook.cells = [new_markdown_cell("# Cut down"), *map(new_code_cell, kept)]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / name)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A server for each frontend: of fonts that both have, one server refuses the other's."""
    folder = tmp_path_factory.mktemp("notebooks")
    with ExitStack() as stack:
        running = {}
        for frontend in USED:
            (folder / frontend).mkdir()
            environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            running[frontend] = stack.enter_context(served(folder / frontend, **environment))
        yield running


@pytest.fixture(scope="module")
def pages(servers: dict[str, Server], browser: Browser) -> Iterator[dict[tuple[str, str], NotebookPage]]:
    """The notebooks that are shown, all cells run. All start at once, so that both processors are used."""
    with ExitStack() as stack:
        shown = {}
        for name, frontend in SHOWN:
            copy(name, servers[frontend].folder)
            shown[name, frontend] = stack.enter_context(opened(browser, servers[frontend], name, frontend))
        for page in shown.values():
            page.run_all()
        for page in shown.values():
            page.wait_for_outputs(60.0 * MINUTES)
        yield shown


@pytest.fixture(params=SHOWN, ids=lambda both: both[1] + both[0][0])
def page(request: pytest.FixtureRequest, pages: dict[tuple[str, str], NotebookPage]) -> NotebookPage:
    pages[request.param].page.bring_to_front()
    return pages[request.param]


def test_every_cell_runs_and_nobody_complains(page):
    assert page.failures() == []
    counts = [cell["count"] for cell in page.cells() if cell["kind"] == "code" and cell["source"].strip()]
    assert counts == list(range(1, len(counts) + 1))
    assert page.widgets("Explorer")


def test_every_slider_dragged_shows_what_python_has(page):
    for explorer in page.explorers():
        before, changed = explorer.in_python(), set()
        for name in explorer.slider_names:
            watch(explorer)
            explorer.drag(name, 0.8)
            explorer.settle(SETTLED)
            assert heights(explorer) == 1, f"the picture jumped while {name} was dragged"
            moved = explorer.in_python()
            assert moved["values"][name] != before["values"][name], name
            changed |= {name} if moved["picture"] != before["picture"] else set()
            before = moved
        assert len(changed) >= len(explorer.slider_names) / 2  # some count only for another neuron
        explorer.cell.get_by_role("button", name="reset", exact=True).click()
        explorer.settle(SETTLED)
    assert page.failures() == []


def test_every_slider_keyed_shows_what_python_has(page):
    for explorer in page.explorers():
        for number, name in enumerate(explorer.slider_names):
            low, high = explorer.ends(name)
            seen = []
            explorer.slider(name).scroll_into_view_if_needed()
            explorer.slider(name).focus()
            steps = ("ArrowRight", "ArrowUp", "PageUp") if number == 0 or WHOLE else ()
            for key in ("End", "Home", *steps):  # Notebook 7 must hear nothing of them
                explorer.slider(name).press(key)
                explorer.settle(SETTLED)
                seen.append(explorer.in_python()["values"][name])
            assert seen[:2] == [high, low] and seen[1:] == sorted(set(seen[1:])), (name, seen)
        explorer.cell.get_by_role("button", name="reset", exact=True).click()
        explorer.settle(SETTLED)
    assert page.failures() == []


def test_every_dropdown_shows_what_python_has(page):
    for explorer in page.explorers():
        for name in explorer.dropdown_names:
            chosen = explorer.dropdown(name).evaluate("list => list.selectedIndex")
            ends = {0, explorer.dropdown(name).locator("option").count() - 1}
            for option in sorted(ends, key=lambda index: index != chosen):  # ends off the default, where two are there
                explorer.dropdown(name).select_option(index=option)
                explorer.settle(SIMULATED)
                assert explorer.dropdown(name).evaluate("list => list.selectedIndex") == option
        before = explorer.in_python()["choices"]
        resets = explorer.cell.locator(".control.dropdown .reset:visible")
        for _ in range(resets.count()):  # one for each dropdown that is off its default
            resets.first.click()
            explorer.settle(SETTLED)
        off = [name for name, label in before.items() if label != explorer.in_python()["choices"][name]]
        assert not explorer.dropdown_names or off, "no dropdown was off its default"
        explorer.cell.get_by_role("button", name="reset", exact=True).click()
        explorer.settle(SETTLED)
    assert page.failures() == []


def test_every_slider_of_a_live_bench_shows_what_python_has(page):
    benches = page.widgets("LiveBench")
    if not benches:
        pytest.skip("no live bench in this notebook")
    for index, model in benches:
        bench = page.show(index).locator(".live-bench")
        bench.wait_for()
        first = numbers(page, model)
        for name in bench.locator(".control:visible").evaluate_all("rows => rows.map(row => row.dataset.name)"):
            slider = bench.locator(f'.control[data-name="{name}"] input[type=range]')
            slider.focus()  # a slider that the picture covers comes out from under it
            pictures, seen = {bench.evaluate(PICTURES)}, {first[name]}
            for share in (0.2, 0.7):
                place, mouse = slider.bounding_box(), page.page.mouse
                y = place["y"] + place["height"] / 2
                mouse.move(place["x"] + place["width"] / 2, y)
                mouse.down()
                mouse.move(place["x"] + share * place["width"], y, steps=5)
                mouse.up()
                slider.press("ArrowRight")  # Notebook 7 must hear nothing of it
                seen.add(arrived(page, model, bench, name))
                pictures.add(bench.evaluate(PICTURES))
            assert len(seen) == len(pictures) == 3, (name, seen)
        bench.get_by_role("button", name="reset all").click()
        assert arrived(page, model, bench, name) == first[name]
    assert page.failures() == []


def numbers(page: NotebookPage, model: str) -> dict[str, float]:
    """Every number of a live bench as Python has it."""
    return page.python(f"(lambda s: {{**s['parameters'], **s['stimulus'], **s['command']}})({widget(model)}.setting)")


def arrived(page: NotebookPage, model: str, bench: Locator, name: str) -> float:
    """Wait until Python has what the number box says, and return it."""
    box = bench.locator(f'.control[data-name="{name}"] input[type=number]')
    wait_until(lambda: numbers(page, model)[name] == float(box.input_value()), SETTLED, f"{name} has arrived")
    return float(box.input_value())


PICTURES = "bench => [...bench.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join()"


def watch(explorer: ShownExplorer) -> None:
    """Note the height of the picture in every frame from now on."""
    explorer.frame.evaluate("""frame => {
        frame.heights = new Set();
        const look = () => {
            frame.heights.add(frame.getBoundingClientRect().height);
            frame.watching = requestAnimationFrame(look) };
        cancelAnimationFrame(frame.watching);
        look() }""")


def heights(explorer: ShownExplorer) -> int:
    return explorer.frame.evaluate("frame => { cancelAnimationFrame(frame.watching); return frame.heights.size }")


# ------------------------------------------------------------------------------------------ a slow and a fast explorer

WORKSHOP = """
import time
from helpers.widgets.controls import Slider
from helpers.widgets.explorer import Explorer, canvas
from helpers.neurons.models import HodgkinHuxley

figure, drawn = canvas(2.0), []
line = figure.subplots().axvline(0.0)
def slow(g_K):
    time.sleep(0.4)
    drawn.append(g_K)
    line.set_xdata([g_K / 80, g_K / 80])
    return f"g_K is {g_K:g}"
"""


@pytest.fixture(scope="module")
def workshop(servers: dict[str, Server], browser: Browser) -> Iterator[NotebookPage]:
    """A notebook with an explorer that takes its time."""
    server = servers["notebook"]
    cells = [WORKSHOP, 'Explorer(figure, slow, {"": [Slider(HodgkinHuxley.parameters()["g_K"])]})']
    notebook = new_notebook(cells=list(map(new_code_cell, cells)))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, server.folder / "workshop.ipynb")
    with opened(browser, server, "workshop.ipynb", "notebook") as page:
        page.run_all()
        page.wait_for_outputs(60.0)
        yield page


def test_a_slow_explorer_is_marked_busy_and_leaves_no_queue(workshop):
    (explorer,) = workshop.explorers()
    mark = explorer.cell.get_by_text("computing")
    assert not mark.is_visible()
    workshop.python("drawn.clear()")
    explorer.drag("g_K", 0.9, moves=40)
    wait_until(mark.is_visible, SETTLED, "the mark shows")
    settled = explorer.settle(SETTLED)
    drawn = workshop.python("drawn")
    assert drawn[-1] == explorer.in_python()["values"]["g_K"] and len(drawn) <= 5  # of 40 moves
    assert settled < 6.0 and not mark.is_visible()  # a queue of 40 would take 16 s
    assert workshop.failures() == []


def test_what_python_sets_reaches_the_page(workshop):
    (explorer,) = workshop.explorers()
    assert workshop.python(f"{explorer.python}.set(g_K=12.5)") is None
    explorer.settle(SETTLED)
    assert explorer.on_page()["values"] == {"g_K": 12.5} and explorer.on_page()["words"] == "g_K is 12.5"


def test_an_explorer_can_be_read_aloud_and_fits_at_twice_the_size(workshop):
    """A window of 640 px is one of 1280 px at a zoom of 200 %."""
    (explorer,) = workshop.explorers()
    told = explorer.in_python()
    slider = explorer.cell.get_by_role("slider", name="g_K, maximal potassium conductance", exact=True)
    box = explorer.cell.get_by_role("spinbutton", name="g_K, maximal potassium conductance, mS/cm²", exact=True)
    assert slider.get_attribute("aria-valuetext") == f"{told['values']['g_K']:g} mS/cm²"
    assert float(box.input_value()) == told["values"]["g_K"]
    assert explorer.cell.get_by_role("status").inner_text() == explorer.cell.locator("img").get_attribute("alt")
    reset = explorer.cell.get_by_role("button", name="reset g_K to its default, 36 mS/cm²", exact=True)
    workshop.python(f"{explorer.python}.set(g_K=12.5)")
    explorer.settle(SETTLED)
    assert reset.inner_text() == "↺ 36"
    reset.click()
    explorer.settle(SETTLED)
    assert explorer.in_python()["values"] == {"g_K": 36.0} and not reset.is_visible()
    workshop.page.set_viewport_size({"width": 640, "height": 1000})
    for part in (slider, box, explorer.cell.locator("img")):
        place = part.bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= 640
    workshop.page.set_viewport_size({"width": 1280, "height": 1000})
    assert workshop.failures() == []


def test_an_error_of_a_cell_and_of_the_page_is_noticed(workshop):
    workshop.page.evaluate("setTimeout(() => { throw new Error('of the test') })")
    workshop.page.evaluate("fetch('http://example.org/').catch(() => 0)")
    wait_until(lambda: len(workshop.failures()) >= 2, 5.0, "both are noticed")
    assert "of the test" in workshop.failures() and "request to http://example.org/" in workshop.failures()
    workshop.errors.clear()
    workshop.foreign.clear()
