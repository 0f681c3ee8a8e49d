"""Run notebooks from the command line: to read them as HTML, or to save them with new outputs.

python -m tools.notebooks run [NOTEBOOK...]     execute; leave NAME.html in results/ next to the notebook
python -m tools.notebooks save [NOTEBOOK...]    execute in place, in the form that is committed
"""

from __future__ import annotations

import argparse
import base64
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from PIL import Image  # Pillow comes with matplotlib

from . import LESSONS, NOTEBOOKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; return 0, or 1 if a notebook is missing or fails."""
    parser = argparse.ArgumentParser(prog="tools.notebooks", description="Run notebooks from the command line.")
    parser.add_argument("command", choices=["run", "save"])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: run the lessons, save all")
    chosen = parser.parse_args(arguments)
    paths = chosen.notebooks or (LESSONS if chosen.command == "run" else NOTEBOOKS)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        print(f"no such notebook: {', '.join(missing)}", file=sys.stderr)
        return 1
    if len(paths) > 1:
        return in_processes(chosen.command, paths)
    silence_the_tools()
    return 0 if {"run": run, "save": save}[chosen.command](paths[0]) else 1


def in_processes(command: str, paths: Sequence[Path]) -> int:
    """Carry out a command for each notebook in a process of its own, as many at a time as there are processors."""
    environment = {"OMP_NUM_THREADS": "1", **os.environ}  # threads of several processes wait for each other

    def alone(path: Path) -> int:
        return subprocess.run([sys.executable, "-m", "tools.notebooks", command, path], env=environment).returncode

    with ThreadPoolExecutor(min(len(paths), os.cpu_count() or 1)) as pool:
        return int(any(list(pool.map(alone, paths))))  # negative where a signal ended the process


def silence_the_tools() -> None:
    """Hide the tools' own messages; what a cell warns about stays in the notebook."""
    warnings.simplefilter("ignore")
    logging.getLogger("traitlets").setLevel(logging.ERROR)


def run(path: Path) -> bool:
    """Execute a notebook and write it as HTML, up to the failing cell if there is one; return success."""
    notebook = read(path)
    succeeded = execute(notebook, path)
    drop_widgets(notebook)
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(
        notebook, resources={"metadata": {"name": path.stem, "path": str(path.parent)}}
    )
    target = path.parent / "results" / f"{path.stem}.html"
    target.parent.mkdir(exist_ok=True)
    target.write_text(page, encoding="utf-8")
    print(f"{path.stem}  written to {target}", flush=True)
    return succeeded


def save(path: Path) -> bool:
    """Execute a notebook in place; leave the file alone if a cell fails; return success."""
    notebook = read(path)
    succeeded = execute(notebook, path)
    if succeeded:
        tidy(notebook)
        nbformat.write(notebook, path)
        print(f"{path.stem}  saved", flush=True)
    return succeeded


def read(path: Path) -> NotebookNode:
    """Return the notebook in the current format."""
    return nbformat.read(path, as_version=4)


def execute(notebook: NotebookNode, path: Path) -> bool:
    """Run all cells in a fresh kernel, in the notebook's folder; return whether all of them succeeded."""
    code_cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]

    def report(cell: NotebookNode, cell_index: int) -> None:
        first_line = cell.source.strip().splitlines()[0]
        number = f"{code_cells.index(cell_index) + 1}/{len(code_cells)}"
        print(f"{path.stem}  cell {number}  {first_line[:60]}", flush=True)

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # without messages about the kernel's connection
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=report,
        timeout=None,  # a slow computer may take its time
        record_timing=False,
        coalesce_streams=True,  # whatever the number of flushes
    )
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        print(f"{path.stem}  FAILED\n{strip_ansi(str(error))}", file=sys.stderr)
        return False
    return True


def tidy(notebook: NotebookNode) -> None:
    """Remove what differs between computers and editors, so that a diff shows only real changes."""
    drop_widgets(notebook)
    shrink_pictures(notebook)
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def shrink_pictures(notebook: NotebookNode) -> None:
    """Store pictures with a palette of 128 colours: visually the same in a third of the bytes."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as picture:
                    few = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
                stored = io.BytesIO()
                few.save(stored, "PNG", optimize=True)
                output.data["image/png"] = base64.b64encode(stored.getvalue()).decode()


def drop_widgets(notebook: NotebookNode) -> None:
    """Keep only the still picture of each explorer: without its kernel a widget shows nothing.

    A widget without a picture, such as a progress bar, is removed.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        kept = []
        for output in cell.get("outputs", []):
            was_widget = output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if not was_widget or "image/png" in output.data:
                kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept


if __name__ == "__main__":
    sys.exit(main())
