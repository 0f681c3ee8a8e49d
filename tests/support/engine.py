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
IN_NODE = f"""import {{ readFileSync }} from "node:fs";
const run = {RUN};
process.stdout.write(JSON.stringify(await run(JSON.parse(readFileSync(0, "utf8")))));"""


def run_module(data: dict[str, Any], settings: list[dict[str, Any]], every: int = 1) -> list[dict[str, Any]]:
    """What the module makes of each setting. Skips the test where there is neither node nor chromium, but not in CI."""
    code = base64.b64encode(LIVE_BENCH_JS.encode()).decode("ascii")
    given = {"code": code, "data": data, "settings": settings, "every": every}
    if node := shutil.which("node"):
        command = [node, "--input-type=module", "-e", IN_NODE]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return _in_chromium(given)


def _in_chromium(given: dict[str, Any]) -> list[dict[str, Any]]:
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
        return json.loads(browser.new_page().evaluate(f"async given => JSON.stringify(await ({RUN})(given))", given))
