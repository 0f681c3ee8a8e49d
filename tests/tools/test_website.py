"""The web pages: built from the notebooks, and looked at in a browser, wide and narrow, light and dark."""

import re
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("latex2mathml", reason="no latex2mathml here: pip install -r tools/website/requirements.txt")

import tools
from helpers.figures import drawing
from tools import LESSONS
from tools.website.__main__ import build
from tools.website.pages import BENCH, page_of_notebook
from tools.website.text import Markdown, equation

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
EXERCISES = [f"exercises_{path.stem}.html" for path in tools.EXERCISES]
DEEPER = [f"{path.stem}.html" for path in tools.DEEPER]
OF_EACH_KIND = ["index.html", *(f"{path.stem}.html" for path in LESSONS), "bench.html", "glossary.html", EXERCISES[0]]
PAGES = ["index.html", *(f"{path.stem}.html" for path in LESSONS), "bench.html", "glossary.html", *EXERCISES, *DEEPER]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    build(folder)
    return folder


class Elements(HTMLParser):
    """The elements of a page, in order: (tag, attributes)."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def values(self, attribute: str, tag: str = "") -> list[str]:
        return [found[attribute] or "" for name, found in self.all if attribute in found and tag in ("", name)]


# ----------------------------------------------------------------------------------------------- what is written


@cache
def elements(page: Path) -> Elements:
    return Elements(page)


def test_the_site_is_small_and_has_its_pages(site):
    assert sorted(PAGES) == sorted(path.name for path in site.glob("*.html"))
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 10e6


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_the_site_leads_somewhere(site, name):
    page = elements(site / name)
    links = page.values("href") + page.values("src")
    inside = [link for link in links if not link.startswith(("https://", "data:"))]
    for link in inside:
        file, _, anchor = link.partition("#")
        target = site / (unquote(file) or name)
        assert target.is_file(), link
        assert not anchor or unquote(anchor) in elements(target).values("id"), link
    assert len(inside) > 8
    loaded = page.values("src") + [found["href"] for tag, found in page.all if tag == "link"]
    assert not [address for address in loaded if address.startswith(("http:", "https:", "//"))]


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_in_order_names_are_unique_and_pictures_are_described(site, name):
    page = elements(site / name)
    levels = [int(tag[1]) for tag, _ in page.all if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    names = page.values("id")
    assert len(names) == len(set(names))
    pictures = [found for tag, found in page.all if tag == "img"]
    assert all(len(found["alt"]) > 30 for found in pictures)
    assert all({"width", "height"} <= set(found) for found in pictures if found["src"].startswith("figures/"))


def test_the_pages_hold_what_the_notebooks_hold(site):
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        page = elements(site / f"{path.stem}.html")
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        pictures = sum("image/png" in output.get("data", {}) for output in outputs)
        pictures += sum("image/svg+xml" in output.get("data", {}).get("text/html", "") for output in outputs)
        benches = sum("data-bench" in found for _, found in page.all)
        assert pictures == benches + sum("figures/" in found.get("src", "") for _, found in page.all)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        displayed = sum(found.get("display") == "block" for tag, found in page.all if tag == "math")
        assert displayed == len(re.findall(r"\$\$.+?\$\$", text, flags=re.DOTALL))
        assert sum(tag == "details" for tag, _ in page.all) >= text.count("<details>")


def test_a_small_notebook_becomes_a_page(tmp_path):
    picture = new_output("display_data", {"image/png": PNG, "text/plain": "run this cell to get the slider"})
    bench = new_output("display_data", {"image/png": PNG, "text/plain": "run this cell to get the bench"})
    shown = drawing("gate")._repr_mimebundle_()
    cells = [
        new_markdown_cell("# A <b>title</b>\n\nSee the [glossary](docs/glossary.md#units)."),
        new_markdown_cell("## Part $x_1$"),
        new_code_cell("draw()", outputs=[picture]),
        new_code_cell("assert 1 < 2", metadata={"jupyter": {"source_hidden": True}}),
        new_markdown_cell(
            '*A line, 5 < 6 and "so on".*\n\nMore.\n\n<details><summary>Answer</summary>It is $y$.</details>'
        ),
        new_code_cell("live_bench()", outputs=[bench]),
        new_code_cell('drawing("gate")', outputs=[new_output("execute_result", shown)]),
        new_code_cell("print(1)", outputs=[new_output("stream", text="\x1b[31m<1>\x1b[0m\n")]),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "small.ipynb")
    page = page_of_notebook(tmp_path / "small.ipynb")
    assert page.title == "A title" and page.sections[0][0] == "part-x1" and 'href="glossary.html#units"' in page.content
    assert 'width="1" height="1" alt="A line, 5 &lt; 6 and &quot;so on&quot;."' in page.content
    assert "its sliders need Python" in page.content and "A check of what the text says" in page.content
    assert page.content.count(BENCH) == 1 and page.has_bench and "&lt;1&gt;" in page.content
    assert "<mi>y</mi>" in page.content and list(page.pictures) == ["figures/small-1.png", "figures/small-2.svg"]
    assert page.pictures["figures/small-2.svg"].decode() == drawing("gate").svg
    assert f'alt="{escape(drawing("gate").title)}' in page.content


def test_an_equation_that_has_no_mathml_is_refused():
    assert "<mtext>Na</mtext>" in equation(r"g_\mathrm{Na}", "inline")
    with pytest.raises(ValueError, match="nonsense"):
        Markdown()(r"And $\nonsense{x}$.")


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(ValueError, match="is not a site"):
        build(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


# ------------------------------------------------------------------------------------------------ what is seen

CONTRAST = """() => {
    const numbers = colour => { const c = document.createElement('canvas').getContext('2d');
        c.fillStyle = colour; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data] };
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
    const behind = node => { for (; node; node = node.parentElement) {
        const colour = getComputedStyle(node).backgroundColor;
        if (numbers(colour)[3] === 255) return light(numbers(colour)) } return 1 };
    const worst = {};
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !node.checkVisibility()) continue;
        if (node.closest('script, style, :disabled')) continue;
        const style = getComputedStyle(node), pair = style.color + ' in ' + node.tagName + '.' + node.className;
        if (worst[pair]) continue;
        const [a, b] = [light(numbers(style.color)), behind(node)];
        worst[pair] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }
    return worst }"""


@pytest.mark.browser
@pytest.mark.parametrize(
    "name, scheme, width",
    [
        *((name, "light", 400) for name in PAGES),  # where a page is too wide, if anywhere
        *((name, "light", 1360) for name in OF_EACH_KIND),
        *((name, "dark", 1360) for name in OF_EACH_KIND),
    ],
)
def test_a_page_reads_well_and_asks_nobody_for_anything(site, browser, name, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page, errors, requests = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((site / name).as_uri())
    assert errors == [] and all(url.startswith(("file:", "data:", "blob:")) for url in requests)
    contrast = page.evaluate(CONTRAST)
    assert {pair: found for pair, found in contrast.items() if found < 4.5} == {} and len(contrast) > 8
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.browser
def test_the_menu_and_the_theme_of_a_narrow_page(site, browser):
    page = browser.new_page(color_scheme="light", viewport={"width": 400, "height": 800})
    page.goto((site / PAGES[1]).as_uri())
    link = page.get_by_role("link", name="3. Gates")
    assert not link.is_visible()
    page.get_by_role("button", name="Contents").click()
    link.click()
    assert not link.is_visible() and page.url.endswith("#3-gates")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="switch between light and dark").click()
    assert page.evaluate(paper) != "rgb(255, 255, 255)"
    page.reload()
    assert page.evaluate(paper) != "rgb(255, 255, 255)"  # the choice is kept
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_live_bench_works_without_python(site, browser):
    page = browser.new_page(viewport={"width": 1360, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto((site / "bench.html").as_uri())
    picture = "[...document.querySelectorAll('[data-bench] canvas')].map(canvas => canvas.toDataURL()).join()"
    first = page.evaluate(picture)
    slider = page.locator("[data-bench] input[type=range]:visible").last
    slider.focus()
    slider.press("End")
    page.wait_for_function(f"first => {picture} !== first", arg=first)
    assert errors == [] and len(first) > 5000
    page.close()
