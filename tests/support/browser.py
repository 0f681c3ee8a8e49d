"""Drive a notebook in a real browser: Chromium through Playwright, in Notebook 7 and in JupyterLab.

    with served(folder) as server, chromium() as browser, opened(browser, server, "1_HH....ipynb", "notebook") as page:
        page.run_all(seconds=300)
        for explorer in page.explorers(): ...

Every page notes its own errors and every request that leaves this computer; nothing can be reached there anyway.
"""

from __future__ import annotations

import ast
import dis
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

FRONTENDS = ("notebook", "lab")
THUMB = 16  # px, of a slider in Chromium
INSTALLED = (  # by Debian and Ubuntu, on Macs, on Windows
    "chromium",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
# Notebook 7.6 throws these two by itself, before any cell has run (github.com/gilad-rubin/hypster, issue 108).
KNOWN_ERRORS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)
NEWS = "@jupyterlab/apputils-extension:announcements"  # asks for news, and covers the page with a question


def find_chromium() -> str | None:
    """The browser to use: the one that PYHH_BROWSER_PATH names, or the first that is installed; None without any."""
    return next(filter(None, map(shutil.which, (os.environ.get("PYHH_BROWSER_PATH", ""), *INSTALLED))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser that can reach nothing but this computer."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    arguments.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


# ------------------------------------------------------------------------------------------------------- the server


@dataclass(frozen=True)
class Server:
    """A Jupyter server of one folder."""

    folder: Path
    port: int
    token: str
    log: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}{'&' if '?' in path else '?'}token={self.token}"

    def request(self, path: str, method: str = "GET") -> Any:
        with urllib.request.urlopen(urllib.request.Request(self.url(path), method=method), timeout=10) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[Server]:
    """A server whose notebooks lie in `folder`, with settings of its own; `environment` reaches the kernels."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = folder / ".jupyter"
    (home / "labconfig").mkdir(parents=True)
    (home / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": {NEWS: True}}))
    server = Server(folder, port, "of-the-tests", home / "server.log")
    own = {name: str(home / name.lower()) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    command = [
        *(sys.executable, "-m", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={server.token}"),
        *("--expose-app-in-browser", "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"),
    ]
    variables = {**os.environ, **own, "JUPYTER_CONFIG_DIR": str(home), **environment}
    with open(server.log, "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: answers(server, process), 180, "the Jupyter server answers")
        yield server
    finally:
        process.terminate()
        process.wait(30)


def answers(server: Server, process: subprocess.Popen) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the Jupyter server ended:\n{server.log.read_text()}")
    try:
        return bool(server.request("api/status"))
    except OSError:
        return False


def wait_until(condition: Any, seconds: float, what: str) -> float:
    """Ask every 0.1 s until `condition()` is true; return how long that took [s]. Raises TimeoutError.

    More often would keep page, server and kernel busy with the questions.
    """
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            raise TimeoutError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.1)
    return time.monotonic() - begin


# ----------------------------------------------------------------------------------------------------- a notebook

# What a page is asked. `panel` is the notebook that it shows, with its cells and its kernel.
PANEL = "const panel = window.jupyterapp.shell.currentWidget; const cells = [...panel.content.widgets];"
IS_READY = """() => { const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.content?.model?.cells.length > 0 && panel.sessionContext?.isReady &&
        panel.sessionContext.session?.kernel?.status === 'idle' }"""
CELLS = f"""() => {{ {PANEL} return cells.map(cell => ({{
    kind: cell.model.type, source: cell.model.sharedModel.source, count: cell.model.executionCount ?? null,
    outputs: cell.model.type === 'code' ? cell.model.outputs.toJSON() : [] }})) }}"""
FINISHED = f"""() => {{ {PANEL} const code = cells.filter(cell => cell.model.type === 'code');
    return panel.sessionContext.session.kernel.status === 'idle' && (
        code.every(cell => cell.model.executionCount || !cell.model.sharedModel.source.trim()) ||
        code.some(cell => cell.model.outputs.toJSON().some(output => output.output_type === 'error'))) }}"""
SHOW = f"async index => {{ {PANEL} panel.content.activeCellIndex = index; await panel.content.scrollToItem(index); }}"
EVALUATE = f"""async expression => {{ {PANEL}
    const asked = panel.sessionContext.session.kernel.requestExecute(
        {{ code: '', silent: true, store_history: false, user_expressions: {{ value: expression }} }});
    return (await asked.done).content.user_expressions.value }}"""


@dataclass
class NotebookPage:
    """A notebook that is open in a browser. `errors` and `foreign` (requests to other hosts) grow by themselves."""

    page: Page
    name: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def run_all(self) -> None:
        """Choose "Run All Cells" from the menu."""
        self.page.get_by_role("menubar").get_by_text("Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def wait_for_outputs(self, seconds: float) -> None:
        """Wait until every cell has run, or one has failed."""
        self.page.wait_for_function(FINISHED, timeout=1e3 * seconds, polling=200)

    def cells(self) -> list[dict[str, Any]]:
        """Kind, source, execution count and outputs of every cell."""
        return self.page.evaluate(CELLS)

    def failures(self) -> list[str]:
        """What went wrong in the cells and on the page."""
        outputs = [output for cell in self.cells() for output in cell["outputs"]]
        raised = [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]
        return raised + self.errors + [f"request to {url}" for url in self.foreign]

    def python(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel, as JSON carries it."""
        answer = self.page.evaluate(EVALUATE, f"__import__('json').dumps({expression})")
        if answer["status"] != "ok":
            raise RuntimeError(f"{expression}: {answer['ename']}: {answer['evalue']}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def widgets(self, python_class: str) -> list[tuple[int, str]]:
        """Cell number and model id of each shown widget whose class, or a base of it, has this name."""
        view = "application/vnd.jupyter.widget-view+json"
        shown = [
            (index, output["data"][view]["model_id"])
            for index, cell in enumerate(self.cells())
            for output in cell["outputs"]
            if view in output.get("data", {})
        ]
        bases = "[base.__name__ for base in type({}).__mro__]"
        return [(index, model) for index, model in shown if python_class in self.python(bases.format(widget(model)))]

    def explorers(self) -> Iterator[ShownExplorer]:
        """Every explorer of the notebook, one by one scrolled into view: a frontend may leave out what is far away."""
        for index, model in self.widgets("Explorer"):
            yield ShownExplorer(self, index, model)

    def show(self, index: int) -> Locator:
        """Scroll a cell into view."""
        self.page.evaluate(SHOW, index)
        cell = self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]:visible')
        cell.scroll_into_view_if_needed()
        return cell


@dataclass
class ShownExplorer:
    """An explorer in cell `index` of a page, and what Python knows of it."""

    notebook: NotebookPage
    index: int
    model: str

    def __post_init__(self) -> None:
        self.cell = self.notebook.show(self.index)
        self.frame = self.cell.locator(".pyhh-picture")
        self.frame.wait_for()
        controls = f"[(c.name, type(c).__name__) for c in {self.python}.sliders.values()]"
        kinds = self.notebook.python(controls)
        self.slider_names = [name for name, kind in kinds if kind == "Slider"]
        self.dropdown_names = [name for name, kind in kinds if kind == "Dropdown"]

    @property
    def python(self) -> str:
        """The expression of the explorer in Python."""
        return widget(self.model)

    def ends(self, name: str) -> tuple[float, float]:
        return tuple(self.notebook.python(f"{self.python}.sliders[{name!r}].ends"))

    def slider(self, name: str) -> Locator:
        return self.cell.locator(f'.control[data-name="{name}"] input[type=range]')

    def dropdown(self, name: str) -> Locator:
        return self.cell.locator("select").nth(self.dropdown_names.index(name))

    def drag(self, name: str, share: float, moves: int = 8) -> None:
        """Take the handle and move it to a share of the slider's length, as a hand does."""
        mouse, slider = self.notebook.page.mouse, self.slider(name)
        slider.scroll_into_view_if_needed()
        now = slider.evaluate("slider => slider.value / slider.max")
        place = slider.bounding_box()
        left, length = place["x"] + THUMB / 2, place["width"] - THUMB
        y = place["y"] + place["height"] / 2
        mouse.move(left + now * length, y)
        mouse.down()
        mouse.move(left + share * length, y, steps=moves)
        mouse.up()

    def in_python(self) -> dict[str, Any]:
        """What Python has: the value of each slider, each dropdown, the words, and a hash of the picture."""
        sliders = "for name, c in e.sliders.items() if hasattr(c, 'max')"
        parts = {
            "values": f"{{name: c.value {sliders}}}",
            "spoken": f"{{name: float(f'{{c.value:.6g}}') {sliders}}}",  # what a screen reader says of the slider
            "choices": "{name: c.label for name, c in e.sliders.items() if not hasattr(c, 'max')}",
            "words": "' '.join(e.image.words.split())",
            "alt": "' '.join(e.image.words.split())",  # the same for those who cannot see the picture
            "picture": "__import__('hashlib').sha256(e.image.value).hexdigest()",
            "busy": "e.image.busy",
        }
        told = ", ".join(f"{name}={expression}" for name, expression in parts.items())
        return self.notebook.python(f"(lambda e: dict({told}))({self.python})")

    def on_page(self) -> dict[str, Any]:
        """The same as the page shows it now."""
        seen = self.cell.evaluate(SEEN)
        for kind in ("values", "spoken", "choices"):
            names = self.dropdown_names if kind == "choices" else self.slider_names
            seen[kind] = dict(zip(names, seen[kind], strict=True))
        return seen

    def disagreements(self) -> list[str]:
        """In what the page and Python differ now."""
        page, python = self.on_page(), self.in_python()
        return [
            f"{name}: {page[name]}, {python[name]}" for name in python if page[name] != python[name] or python["busy"]
        ]

    def settle(self, seconds: float = 5.0) -> float:
        """Wait until page and Python agree, twice, so that nothing is on its way; return how long that took [s]."""
        found = [["not yet asked"]]

        def twice() -> bool:
            found.append(self.disagreements())
            return found[-2:] == [[], []]

        try:
            return wait_until(twice, seconds, "page and Python agree")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: they differ in {', '.join(found[-1])}") from None


SEEN = """async cell => {
    const all = selector => [...cell.querySelectorAll(selector)], image = cell.querySelector('.pyhh-picture img');
    const seen = {
        values: all('input[type=number]').map(box => Number(box.value)),
        spoken: all('input[type=range]').map(slider => parseFloat(slider.getAttribute('aria-valuetext'))),
        // words are held together by spaces that do not break
        choices: all('select').map(list => list.options[list.selectedIndex].text.replaceAll('\\xa0', ' ')),
        words: cell.querySelector('p[role=status]').innerText.trim().split(/\\s+/).join(' '),
        alt: image.alt.trim().split(/\\s+/).join(' '),
        busy: cell.querySelector('.pyhh-picture').getAttribute('aria-busy') === 'true' };
    const bytes = await (await fetch(image.src)).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return { ...seen, picture: [...hash].map(byte => byte.toString(16).padStart(2, '0')).join('') } }"""


def widget(model: str) -> str:
    """The Python expression of a widget by its model id."""
    return f"__import__('ipywidgets').widgets.widget._instances[{model!r}]"


@contextmanager
def opened(browser: Browser, server: Server, name: str, frontend: str) -> Iterator[NotebookPage]:
    """A notebook of the server in "notebook" or "lab", with its kernel ready. The kernel ends with the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60e3)
    notebook = NotebookPage(page, name)
    page.on("pageerror", lambda error: error.message in KNOWN_ERRORS or notebook.errors.append(error.message))
    page.on("console", lambda message: message.type == "error" and notebook.errors.append(message.text))
    page.on("request", lambda request: is_foreign(request.url) and notebook.foreign.append(request.url))
    # a workspace of its own: JupyterLab would open what was open the last time
    path = f"notebooks/{name}" if frontend == "notebook" else f"lab/workspaces/{time.time_ns()}/tree/{name}?reset"
    try:
        page.goto(server.url(path))
        # A kernel that is not yet connected takes "Run All Cells" and does nothing.
        page.wait_for_function(IS_READY, timeout=60e3)
        yield notebook
    finally:
        page.close()
        for session in server.request("api/sessions"):
            if session["path"] == name:
                server.request(f"api/sessions/{session['id']}", "DELETE")


def what_explorers_need(sources: list[str], chosen: str = r"explore_\w+|live_bench") -> list[str]:
    """Of a notebook's code cells the first, those that show an explorer, and from others imports and what these use.

    `chosen` is a pattern of the names of explorers.
    """
    kept: list[str] = []
    wanted: set[str] = set()
    sources = [source for source in sources if not source.startswith("# Google Colab")]
    for source in reversed(sources):
        shows = re.search(rf"\bwidgets\.({chosen})\(", source)
        whole = source == sources[0] or (shows and ".try_both_ends()" not in source)
        parts = [source] if whole else statements(source)
        taken = []
        for part in reversed(parts):
            made, used = global_names(compile(part, "<cell>", "exec"))
            if whole or made & wanted or part.startswith(("import ", "from ")):
                taken.append(part)
                wanted = (wanted - made) | used
        if taken:
            kept.append("\n".join(reversed(taken)))
    return kept[::-1]


def statements(source: str) -> list[str]:
    """The statements of a cell, one by one."""
    starts = [min([part.lineno, *(line.lineno for line in getattr(part, "decorator_list", []))])
              for part in ast.parse(source).body]  # fmt: skip
    lines = source.splitlines(keepends=True)
    return ["".join(lines[start - 1 : stop - 1]) for start, stop in pairwise([*starts, len(lines) + 1])]


def global_names(code: CodeType) -> tuple[set[str], set[str]]:
    """Which names of the notebook a piece of code makes, and which it uses."""
    steps = list(dis.get_instructions(code))
    made = {step.argval for step in steps if step.opname == "STORE_NAME"}
    used = {step.argval for step in steps if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    for part in code.co_consts:
        if isinstance(part, CodeType):  # a function, a class, a comprehension: what it makes is its own
            used |= global_names(part)[1]
    return made, used


def is_foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:"))
