"""How fast the live bench answers: frames a second while a slider is dragged, and the time from a key to the picture.

python -m benchmarks.frames        needs chromium and Playwright (pip install playwright); prints a table

Measured in a headless browser without a graphics card, on a page without Python and in Notebook 7. A frame is a
picture that was simulated and redrawn; the time of a key runs from the browser's own time stamp of the event to the
end of the drawing that shows it.
"""

from __future__ import annotations

import functools
import http.server
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page

from helpers.widgets.assets import LIVE_BENCH_CSS, LIVE_BENCH_JS
from helpers.widgets.live.bench import live_bench, standalone
from tests.support.browser import chromium, opened, served

__all__ = ["bare_page", "drag", "keys", "main", "sweep", "write_page"]

SLIDERS = ("amplitude", "g_K", "temperature")
SECONDS, KEYS = 3.0, 60

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>live bench</title><link rel="stylesheet" href="bench.css"><link rel="icon" href="data:,">
<body><main></main><script type="module">
import bench from "./bench.js";
const state = await (await fetch("bench.json")).json();
const listeners = [];
window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    on: (event, listener) => listeners.push(listener),
    off: () => {},
    save_changes: () => { window.sent = (window.sent ?? 0) + 1; },
    receive: (setting) => { state.setting = setting; listeners.forEach((listener) => listener()); },
};
bench.render({ model: window.model, el: document.querySelector("main") });
</script></body></html>
"""

# Notes every draw and, for every key or move of a slider, how long the next draw takes to be finished.
PROBE = """root => {
    const probe = window.probe = { drawn: 0, delays: [], since: null };
    window.addEventListener("keydown", event => { probe.since = event.timeStamp; }, true);
    new MutationObserver(() => {
        const now = performance.now();
        probe.drawn += 1;
        if (probe.since !== null) probe.delays.push(now - probe.since);
        probe.since = null;
    }).observe(root, { attributeFilter: ["data-drawn"] });
}"""


# Counts the frames of the page until `stop`, which returns them per second.
COUNT = """() => {
    const begin = performance.now();
    let frames = 0, running = true;
    const tick = () => { frames += 1; if (running) requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    window.probe.stop = () => { running = false; return 1000 * frames / (performance.now() - begin); };
}"""

# A new position of a slider in every frame, as the browser sends it. Returns the draws per second.
SWEEP = """async ([name, duration]) => {
    const slider = document.querySelector(`.live-bench [data-name="${name}"] input[type="range"]`);
    const begin = performance.now();
    window.probe.drawn = 0;
    await new Promise(done => {
        let i = 0;
        const tick = () => {
            if (performance.now() - begin > duration) return done();
            slider.value = Number(slider.max) * (0.5 + 0.4 * Math.sin(0.05 * i++));
            slider.dispatchEvent(new Event("input"));
            requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
    });
    return 1000 * window.probe.drawn / (performance.now() - begin);
}"""


def write_page(folder: Path, data: dict | None = None) -> None:
    """A page that shows the bench without Python."""
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(data or standalone(live_bench())), encoding="utf-8")
    (folder / "bench.js").write_text(LIVE_BENCH_JS, encoding="utf-8")
    (folder / "bench.css").write_text(LIVE_BENCH_CSS, encoding="utf-8")


@contextmanager
def bare_page(folder: Path) -> Iterator[str]:
    """The address of the page in `folder`, on this computer."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()
        server.server_close()


def sweep(page: Page, name: str, seconds: float) -> float:
    """Set a slider to a new value in every frame; return the pictures per second."""
    return page.evaluate(SWEEP, [name, 1e3 * seconds])


def drag(page: Page, name: str, seconds: float) -> float:
    """Drag a slider to and fro by the mouse; return the frames per second of the page meanwhile.

    A mouse that is driven from outside moves less often than there are frames: not each brings a new picture.
    """
    slider = page.locator(f'.live-bench [data-name="{name}"] input[type="range"]')
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y, left, right = box["y"] + box["height"] / 2, box["x"] + 0.1 * box["width"], box["x"] + 0.9 * box["width"]
    page.mouse.move(left, y)
    page.mouse.down()
    page.evaluate(COUNT)
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        page.mouse.move(right, y, steps=60)
        left, right = right, left
    frames = page.evaluate("() => window.probe.stop()")
    page.mouse.up()
    return frames


def keys(page: Page, name: str, count: int) -> np.ndarray:
    """Press an arrow key `count` times on a slider; return how long each picture took [ms]."""
    slider = page.locator(f'.live-bench [data-name="{name}"] input[type="range"]')
    slider.evaluate("slider => { slider.value = slider.max / 2; slider.dispatchEvent(new Event('input')); }")
    slider.focus()
    time.sleep(0.5)
    page.evaluate("() => { window.probe.delays = []; }")
    for i in range(count):
        page.keyboard.press("ArrowRight" if i % 10 < 5 else "ArrowLeft")
        page.wait_for_function("count => window.probe.delays.length >= count", arg=i + 1)
        time.sleep(0.005 + 0.02 * (i % 7) / 7)  # at any moment between two frames
    return np.array(page.evaluate("() => window.probe.delays"))


def measure(page: Page, where: str) -> None:
    page.wait_for_selector(".live-bench[data-drawn]", timeout=120e3)
    page.evaluate(PROBE, page.query_selector(".live-bench"))
    for name in SLIDERS:
        drag(page, name, 0.5)  # the first frames compile
        pictures, frames = sweep(page, name, SECONDS), drag(page, name, SECONDS)
        delays = keys(page, name, KEYS)
        p50, p95 = np.quantile(delays, [0.5, 0.95])
        print(f"| {where} | {name} | {pictures:.1f} | {frames:.1f} | {p50:.0f} | {p95:.0f} |", flush=True)


def main() -> int:
    heads = "where", "slider", "pictures per second", "frames per second, mouse", "key to picture, median ms", "95 % ms"
    print(f"| {' | '.join(heads)} |\n| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        (folder / "page").mkdir()
        write_page(folder / "page")
        with bare_page(folder / "page") as address:
            page = browser.new_page(viewport={"width": 1100, "height": 1000})
            page.goto(address)
            measure(page, "page without Python")
            page.close()
        cell = f"import sys\nsys.path.insert(0, {str(Path(__file__).parent.parent)!r})\n"
        cell += "from helpers.widgets.live.bench import live_bench\nlive_bench()"
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = new_notebook(cells=[new_code_cell(cell)], metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / "bench.ipynb")
        with served(folder) as server, opened(browser, server, "bench.ipynb", "notebook") as shown:
            shown.run_all()
            measure(shown.page, "Notebook 7")
    return 0


if __name__ == "__main__":
    sys.exit(main())
