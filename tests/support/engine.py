"""Runs the live bench's module outside a notebook: in node where there is one, else in chromium."""

import base64
import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from helpers.widgets.assets import LIVE_BENCH_JS

# A function of (code, data, settings): every setting is simulated, and what comes of it is thinned to every `every`-th.
RUN = """async ({ code, data, settings, every }) => {
    const { makeSimulator, inWords } = await import("data:text/javascript;base64," + code);
    const simulator = makeSimulator(data);
    const thin = (values) => Array.from(values).filter((_, i) => i % every === 0);
    return settings.map((setting) => {
        const voltage = setting.clamp === "voltage";
        const shown = voltage ? simulator.voltageClamp(setting) : simulator.currentClamp(setting);
        return {
            states: shown.states.map(thin), currents: shown.currents.map(thin), I: thin(shown.I),
            spikes: shown.spikes, failure: shown.failure, words: inWords(shown, setting),
            peaks: voltage ? simulator.peaks(setting).map((curve) => Array.from(curve)) : [],
        };
    });
}"""
IN_NODE = """import { readFileSync } from "node:fs";
const run = FUNCTION;
process.stdout.write(JSON.stringify(await run(JSON.parse(readFileSync(0, "utf8")))));"""


def run_module(data: dict[str, Any], settings: list[dict[str, Any]], every: int = 1) -> list[dict[str, Any]]:
    """What the module makes of each setting. Skips the test where there is neither node nor chromium, but not in CI."""
    return _run(RUN, {"data": data, "settings": settings, "every": every})


def _run(function: str, given: dict[str, Any]) -> Any:
    """What an asynchronous function of the module's code and of what is given returns."""
    given = {"code": base64.b64encode(LIVE_BENCH_JS.encode()).decode("ascii"), **given}
    if node := shutil.which("node"):
        command = [node, "--input-type=module", "-e", IN_NODE.replace("FUNCTION", function)]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return _in_chromium(function, given)


SPIKES = """async ({ code, waves, dt, rule }) => {
    const { spikeTimes } = await import("data:text/javascript;base64," + code);
    return waves.map((V) => spikeTimes(V, dt, rule));
}"""


def run_spikes(waves: list[Any], dt: float, rule: Any) -> list[list[float]]:
    """The spikes that the module finds in each V (n,), with a sample every `dt`; skips like `run_module`."""
    return _run(SPIKES, {"waves": [list(map(float, V)) for V in waves], "dt": dt, "rule": list(rule)})


def _in_chromium(function: str, given: dict[str, Any]) -> Any:
    try:
        from .browser import chromium, find_chromium
    except ImportError:  # no Playwright
        found = None
    else:
        found = find_chromium()
    if not found:
        missing = "neither node nor a browser that Playwright can drive runs the live bench here"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with chromium() as browser:
        as_text = f"async given => JSON.stringify(await ({function})(given))"
        return json.loads(browser.new_page().evaluate(as_text, given))
