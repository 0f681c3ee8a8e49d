"""A `Trace` as comma-separated text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from helpers.simulation.trace import Trace

__all__ = ["window_of", "write_csv"]

WINDOW = re.compile(r"# stimulus from ([-+.e\d]+) to ([-+.e\d]+) ms")


def write_csv(trace: Trace, path: str | Path) -> None:
    """Write t, V and I of a trace so that `read` restores them exactly, with start and stop in a comment.

    Where I is unknown (`Trace.has_current`), t and V are written.
    """
    columns = {"t (ms)": trace.t, "V (mV)": trace.V}
    if trace.has_current:
        columns[f"I ({trace.I_unit})"] = trace.I
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    head = [f"# stimulus from {float(trace.start)!r} to {float(trace.stop)!r} ms", ",".join(columns)]
    Path(path).write_text("\n".join([*head, *(",".join(map(repr, row)) for row in rows), ""]), encoding="utf-8")


def window_of(lines: Sequence[str]) -> tuple[float, float] | None:
    """Return start and stop of the stimulus [ms] as `write_csv` wrote them among these lines, or None."""
    try:
        return next(((float(found[1]), float(found[2])) for found in map(WINDOW.fullmatch, lines) if found), None)
    except ValueError:  # damaged
        return None
