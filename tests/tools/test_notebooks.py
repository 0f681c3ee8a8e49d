"""tools.notebooks on small notebooks, and the form of the three that are committed."""

import base64
import io
import re
import subprocess
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools import LESSONS, NOTEBOOKS
from tools.notebooks import main, shrink_pictures


def notebooks(*arguments: str | Path) -> subprocess.CompletedProcess:
    """Carry out the command line, without a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(err):
        status = main(list(map(str, arguments)))
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def write(path: Path, *sources: str) -> Path:
    """Make a notebook of one heading and these code cells, marked as an editor would have left it."""
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *map(new_code_cell, sources)])
    notebook.cells[-1].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    notebook.metadata["kernelspec"] = {"name": "elsewhere", "display_name": "Elsewhere"}
    nbformat.write(notebook, path)
    return path


def test_run_leaves_a_page_and_a_line_per_cell(tmp_path):
    path = write(tmp_path / "passing.ipynb", "\nx = 6 * 7", "", "print(f'the answer is {x}')")
    before = path.read_bytes()
    done = notebooks("run", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "passing  cell 1/2  x = 6 * 7\npassing  cell 2/2  print(" in done.stdout
    assert "the answer is 42" in (tmp_path / "results/passing.html").read_text("utf-8")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_run_stops_at_a_failing_cell_and_keeps_the_page_so_far(tmp_path):
    path = write(tmp_path / "failing.ipynb", "print('reached')", "1 / 0", "print('never')")
    done = notebooks("run", path)
    assert done.returncode == 1
    assert "failing  FAILED" in done.stderr and "ZeroDivisionError" in done.stderr
    assert done.stdout.splitlines()[-2] == "failing  cell 2/3  1 / 0"
    assert "ZeroDivisionError" in (tmp_path / "results/failing.html").read_text("utf-8")


@pytest.mark.slow
def test_several_run_in_processes_and_one_that_is_killed_counts(tmp_path):
    """A process that a signal ended returns a negative number."""
    good = write(tmp_path / "good.ipynb", "print('good')")
    killed = write(tmp_path / "killed.ipynb", "import os; os.kill(os.getppid(), 9)")
    done = notebooks("run", killed, good)
    assert done.returncode == 1 and (tmp_path / "results/good.html").exists()
    assert not (tmp_path / "results/killed.html").exists()


@pytest.mark.slow
def test_run_reports_a_kernel_that_dies(tmp_path):
    done = notebooks("run", write(tmp_path / "dying.ipynb", "import os; os._exit(1)"))
    assert done.returncode == 1 and "dying  FAILED\nKernel died" in done.stderr


@pytest.mark.slow
def test_save_keeps_outputs_and_drops_what_changes_by_itself(tmp_path):
    path = write(tmp_path / "saved.ipynb", "import ipywidgets as W\nW.IntSlider()", "print('a')\nprint('b')")
    done = notebooks("save", path)
    assert (done.returncode, done.stderr) == (0, "")
    saved = nbformat.read(path, as_version=4)
    assert "widgets" not in saved.metadata and "version" not in saved.metadata.language_info
    assert saved.metadata.kernelspec.name == "python3"
    assert [cell.execution_count for cell in saved.cells[1:]] == [1, 2]
    assert all("execution" not in cell.metadata for cell in saved.cells)
    assert [output.text for output in saved.cells[2].outputs] == ["a\nb\n"]
    assert saved.cells[1].outputs == []  # a slider without its kernel and without a picture

    once = path.read_bytes()
    assert notebooks("save", path).returncode == 0
    assert path.read_bytes() == once


@pytest.mark.slow
def test_save_leaves_a_failing_notebook_alone(tmp_path):
    path = write(tmp_path / "failing.ipynb", "1 / 0")
    before = path.read_bytes()
    assert notebooks("save", path).returncode == 1
    assert path.read_bytes() == before


def test_a_missing_notebook_is_named(tmp_path):
    done = notebooks("run", tmp_path / "absent.ipynb")
    assert done.returncode == 1 and done.stderr == f"no such notebook: {tmp_path}/absent.ipynb\n"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def committed(request) -> Path:
    return request.param


def test_there_are_three_lessons():
    assert [path.name[:2] for path in LESSONS] == ["1_", "2_", "3_"]


def outputs_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text_of(output: nbformat.NotebookNode) -> str:
    """What a reader sees of an output as text."""
    return output.get("text", "") + "".join(f"{k} {v}" for k, v in output.get("data", {}).items() if "image" not in k)


def test_a_committed_notebook_is_small_and_was_run_once_from_top_to_bottom(committed):
    notebook = nbformat.read(committed, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "save it with: python -m tools.notebooks save"
    assert outputs_of(notebook)
    assert "widgets" not in notebook.metadata, "GitHub may refuse to show it"
    assert committed.stat().st_size < 2e6


def test_a_committed_notebook_shows_no_warning_and_no_path_of_this_computer(committed):
    outputs = outputs_of(nbformat.read(committed, as_version=4))
    assert [output.output_type for output in outputs].count("error") == 0
    assert [output.get("name") for output in outputs].count("stderr") == 0
    shown = "\n".join(map(text_of, outputs))
    assert "Warning" not in shown
    assert "%|" not in shown  # a bar of progress
    assert "widget-view" not in shown
    assert not re.findall(r"/(?:work|root|home|tmp|Users)/\S*", shown)


def test_pictures_shrink_and_keep_their_looks():
    canvas = FigureCanvasAgg(Figure(figsize=(4, 3)))
    canvas.figure.subplots().plot([0, 1, 0.5], "--", color="#D55E00", label="line")
    drawn = io.BytesIO()
    canvas.print_png(drawn)
    data = {"image/png": base64.b64encode(drawn.getvalue()).decode()}
    cell = new_code_cell(outputs=[new_output("display_data", data)])
    shrink_pictures(new_notebook(cells=[cell, new_markdown_cell()]))
    small = base64.b64decode(cell.outputs[0].data["image/png"])
    assert len(small) < 0.6 * len(drawn.getvalue())
    before, after = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float) for png in (drawn.getvalue(), small))
    assert np.abs(before - after).mean() < 0.5  # of 255
