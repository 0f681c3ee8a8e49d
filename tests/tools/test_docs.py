"""The Python of the README and of docs/ runs as it is printed, and what is made from the code is up to date."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import step_trace

from benchmarks.hh_bench.methods import METHODS
from helpers.neurons import models
from helpers.recordings.reading import FORMATS
from helpers.simulation.trace import Trace
from tools import features, glossary, layout

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/your_own_neuron.md", "docs/recordings.md", "docs/features.md")


def blocks(page: str) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of sbi
def test_the_python_of_the_page_on_the_benchmark_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # sbi writes a log
    known = {**METHODS}
    use, add = blocks("docs/benchmark.md")
    variables: dict[str, Any] = {}
    try:
        exec(use, variables)  # noqa: S102 - our own page
        exec(add, variables)  # noqa: S102
        assert variables["draws"].shape == variables["reference"].shape == (1000, 2)
        task = variables["task"]
        assert task.agree[4]
        posterior = METHODS["mixture"].start(task, task.simulator, 100, 1)
        assert posterior.sample(10, task.x_o[4], 2).shape == (10, 2)
    finally:
        METHODS.clear()
        METHODS.update(known)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.slow
def test_the_python_of_a_page_runs(page, tmp_path):
    cell = step_trace()
    columns = np.column_stack([cell.t, cell.V, cell.I])
    np.savetxt(tmp_path / "my_cell.csv", columns, delimiter=",", header="t (ms),V (mV),I (pA)", comments="")
    text = "\n".join(blocks(page)).replace("my_cell.abf", str(tmp_path / "my_cell.csv"))
    text = text.replace("sweeps[3]", "sweeps[0]").replace("sweep=3", "sweep=0")
    script = tmp_path / "page.py"
    script.write_text(text, encoding="utf-8")
    assert isinstance(runpy.run_path(str(script))["trace"], Trace)


def test_the_table_of_formats_names_every_ending():
    table = (ROOT / "docs/recordings.md").read_text("utf-8").partition("## Formats")[2].partition("##")[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == set(FORMATS)


def test_the_readme_says_its_lines_of_a_channel_honestly():
    (channel,) = [block for block in blocks("README.md") if "class WithSag" in block]
    body = ast.parse(channel).body[-1]
    assert isinstance(body, ast.ClassDef) and len([n for n in ast.walk(body) if isinstance(n, ast.stmt)]) - 1 <= 12


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 700


def test_the_tables_of_the_layout_are_up_to_date():
    assert layout.main(["--check"]) == 0, "python -m tools.layout"


def test_the_table_of_features_is_up_to_date():
    assert features.PAGE.read_text("utf-8") == features.page(), "python -m tools.features"


def test_every_term_of_the_glossary_has_anchors_and_links_lead_to_one():
    names = re.findall(r'<a id="(.*?)">', glossary.PAGE.read_text("utf-8"))
    assert {"spike", "f-i-curve", "lif", "r2", "surrogate-gradient"} <= set(names) and "" not in names
    assert len(set(names)) == len(names)
    pages = [path for folder in (".", "docs", "docs/deeper", "exercises") for path in (ROOT / folder).glob("*.*")]
    texts = {path.name: path.read_text("utf-8") for path in pages if path.suffix in (".md", ".ipynb")}
    links = [(name, part) for name, text in texts.items() for part in re.findall(r"glossary\.md#([\w-]+)", text)]
    assert [link for link in links if link[1] not in names] == []


def test_the_symbols_of_the_glossary_are_those_of_the_neurons():
    assert glossary.PAGE.read_text("utf-8") == glossary.page(), "python -m tools.glossary"


def test_the_terms_of_the_glossary_agree_with_the_declarations():
    terms = re.findall(
        r"^\| <a .*></a>\*\*(.+?)\*\* \| (.+?) \|$", glossary.PAGE.read_text("utf-8").partition("## Symbols")[0], re.M
    )
    assert len(terms) > 120 and len({term for term, _ in terms}) == len(terms)
    declared: dict[str, set[str]] = {}
    for name in models.__all__:
        for parameter in getattr(models, name).parameters().values():
            declared.setdefault(parameter.name, set()).add(f"({parameter.unit})")
    symbols = {name: meaning for term, meaning in terms for name in term.split(", ") if name in declared}
    assert symbols.keys() >= {"C", "noise", "tau_m"}
    assert [name for name, meaning in symbols.items() if not any(unit in meaning for unit in declared[name])] == []
