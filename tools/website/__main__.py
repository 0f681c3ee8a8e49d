"""Build the series as web pages.

python -m tools.website [FOLDER]        by default site/

There is a start page made from the README, a page for each lesson as it is saved, for its exercises and for what goes
deeper, the live bench and the glossary. They need no server, no network and no Python: the live bench works as in a
notebook, explorers are still pictures.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import jinja2

from helpers.widgets.assets import LIVE_BENCH_CSS, LIVE_BENCH_JS
from helpers.widgets.live.bench import live_bench, standalone

from .. import DEEPER, EXERCISES, LESSONS, ROOT
from .pages import BENCH, Page, page_of_notebook
from .text import Markdown, plain

HERE = Path(__file__).parent
MORE = [*EXERCISES, *DEEPER]
ON_THE_START_PAGE = ("", "Start", "The lessons", "Citing")  # sections of the README
TRY = '<p class="try"><a href="bench.html">Try it now: the live bench runs in your browser</a></p>\n\n'
LIVE = f"""# The live bench

A neuron that your browser integrates while you drag: nothing is sent anywhere, and nothing needs to be installed.
[Notebook 1]({LESSONS[0].name}) has it among the experiments that explain what you see here.

{BENCH}
"""


def build(folder: Path) -> None:
    """Write the whole site into a folder, which may hold an older site; ValueError if it holds other files."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "page.js").exists():
        raise ValueError(f"{folder} is not a site: name an empty folder, or one that does not exist")
    start = page_of_text("index.html", start_page((ROOT / "README.md").read_text("utf-8")))
    series, start.title = start.title, "Start"
    pages = [
        start,
        *map(page_of_notebook, [*LESSONS, *MORE]),
        page_of_text("bench.html", LIVE),
        page_of_text("glossary.html", (ROOT / "docs/glossary.md").read_text("utf-8")),
    ]
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string((HERE / "page.html").read_text("utf-8"))
    bench_data = json.dumps(standalone(live_bench()), ensure_ascii=False).replace("</", "<\\/")

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "figures").mkdir(parents=True)
    for before, page, after in zip([None, *pages], pages, [*pages[1:], None], strict=False):
        shown = template.render(series=series, pages=pages, bench_data=bench_data, bench_module=LIVE_BENCH_JS,
                                page=page, before=before, after=after)  # fmt: skip
        (folder / page.name).write_text(shown, "utf-8")
        for name, picture in page.pictures.items():
            (folder / name).write_bytes(picture)
    (folder / "bench.css").write_text(LIVE_BENCH_CSS, "utf-8")
    for file in (HERE / "style.css", HERE / "page.js", ROOT / "LICENSE"):
        shutil.copy(file, folder / ("LICENSE.txt" if file.name == "LICENSE" else file.name))
    (folder / "docs").mkdir()
    for file in (ROOT / "docs").glob("*.png"):  # of the README
        shutil.copy(file, folder / "docs")


def page_of_text(name: str, source: str) -> Page:
    """A page of Markdown."""
    markdown = Markdown()
    content = markdown(source)
    sections = [(anchor, text) for level, anchor, text in markdown.headings if level == 2]
    return Page(name, plain(markdown.headings[0][2]), content, sections)


def start_page(readme: str) -> str:
    """The sections of the README for visitors, without its badges."""
    sections = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    kept = [part for part in sections if (re.match(r"## (.*)", part) or ["", ""])[1] in ON_THE_START_PAGE]
    kept.insert(1, TRY)
    return re.sub(r"^\[!\[.*\n", "", "".join(kept), flags=re.MULTILINE).replace("(LICENSE)", "(LICENSE.txt)")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    build(target)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"the site is in {target}/, {size / 1e6:.1f} MB: open {target / 'index.html'}")
