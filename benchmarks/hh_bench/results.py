"""The file of results, one JSON object a line, that a stopped run can go on with; and the table that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..inference import head, row
from .methods import METHODS
from .task import tasks

__all__ = ["Results", "table"]

KEY = ("task", "method", "budget", "part")


class Results:
    """A file of results of one setting.

    The first line says what all results share (seed, sizes, versions, machine, tasks). Each other line is what one part
    gave: its `task`, `method`, `budget` and `part` ("start", "calibration" or the number of an observation), and what
    was measured, or `failed` and why. Of two lines for one part the later one counts.

    Parameters
    ----------
    path
        Of the file; it is made if it is missing.
    setting
        What results share.

    Raises
    ------
    ValueError
        For a file of another setting, or a line that cannot be read.
    """

    def __init__(self, path: Path, setting: dict[str, Any]) -> None:
        self.path = path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(setting)
        other = next(self._lines(), {})
        if differ := [name for name in setting if other.get(name) != setting[name]]:
            name = differ[0]
            raise ValueError(
                f"{path} has results with {name} = {other.get(name)}, now {setting[name]}: name another with --results"
            )

    def append(self, task: str, method: str, budget: int, part: str | int, measured: dict[str, Any]) -> None:
        """Add what one part gave."""
        self._write({**dict(zip(KEY, (task, method, budget, part), strict=True)), **measured})

    def parts(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """What was measured, or failed, by (task, method, budget, part)."""
        lines = list(self._lines())[1:]
        return {tuple(line[name] for name in KEY): line for line in lines}

    def _write(self, line: dict[str, Any]) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n")

    def _lines(self) -> Iterator[dict[str, Any]]:
        for number, text in enumerate(self.path.read_text("utf-8").splitlines(), 1):
            try:
                yield json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{self.path}, line {number} cannot be read ({error}): remove it, and --resume measures it again"
                ) from None


def table(results: Results) -> Iterator[str]:
    """The tables, one for each task, in Markdown."""
    parts = results.parts()
    for name, task in tasks.items():
        found = {key[1:3] for key in parts if key[0] == name}
        cells = sorted(found, key=lambda cell: (cell[1], list(METHODS).index(cell[0])))
        if not cells:
            continue
        doubtful = ", ".join(map(str, np.flatnonzero(~task.agree)))
        yield f"### {name}"
        yield ""
        yield f"{task.about[0].upper()}{task.about[1:]}. References: {task.reference}."
        yield f"Left out, for lack of two that agree: observations {doubtful or 'none'}."
        yield ""
        columns = ["method", "simulations", "observations", "C2ST", "SD ratio", "largest shift", "90 % intervals hold",
                   "p of SBC", "s to start", "s for each"]  # fmt: skip
        yield from head(columns, 1)
        for cell in cells:
            yield _line(*cell, {key[3]: one for key, one in parts.items() if key[:3] == (name, *cell)})
        yield ""


def _line(method: str, budget: int, parts: dict[Any, dict[str, Any]]) -> str:
    """What one method reached with one number of simulations; of several observations the median and the range."""
    good = [one for part, one in parts.items() if isinstance(part, int) and "failed" not in one]
    failed = [one["failed"] for one in parts.values() if "failed" in one]
    if "failed" in parts.get("start", {}):
        return row(method, f"{budget:,}", "0", failed[0], *[""] * 6)
    calibrated, start = parts.get("calibration", {}), parts.get("start", {})
    return row(
        method,
        f"{budget:,}",
        f"{len(good)}" + (f" ({len(failed)} failed: {failed[0]})" if failed else ""),
        _median([one["c2st"] for one in good], ".2f"),
        _median([float(np.exp(np.mean(np.log(one["sd_ratio"])))) for one in good], ".3g"),
        _median([float(np.abs(one["shift"]).max()) for one in good], ".3g"),
        f"{100 * np.mean(calibrated['coverage']):.0f} %" if "coverage" in calibrated else "",
        f"{calibrated['p']:.2g}" if "p" in calibrated else "",
        f"{start['busy']:.0f}" if "busy" in start else "",
        f"{np.median([one['busy'] for one in good]):.3g}" if good else "",
    )


def _median(values: Sequence[float], form: str) -> str:
    """The median, and the range if there are several."""
    if not values:
        return ""
    middle, least, most = (format(float(value), form) for value in (np.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"
