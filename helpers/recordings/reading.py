"""Read one sweep of a recording from a file, whatever its format.

Every reader returns a `Trace` with t in ms, V in mV and I in pA (µA/cm² where a CSV file says so). Only current clamp
can be read as a `Trace`: in voltage clamp V is the command, not a measured membrane potential.

start and stop are those of the first stimulus: the first stretch in which I differs from its value at the start of
the sweep. A protocol may contain further pulses after `stop`; they remain in I (see `helpers.recordings.passive.crop`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.simulation.trace import Trace

from .abf import count_abf, read_abf
from .csv_table import count_csv, read_csv
from .nwb import count_nwb, read_nwb

__all__ = ["number_of_sweeps", "read"]

FORMATS: Mapping[str, tuple[Callable[..., Trace], Callable[..., int]]] = {
    ".abf": (read_abf, count_abf),
    ".nwb": (read_nwb, count_nwb),
    ".csv": (read_csv, count_csv),
}


def read(path: str | Path, sweep: int = 0) -> Trace:
    """Read one sweep of a recording, in the format that the file name's extension names.

    Parameters
    ----------
    path : str or Path
        A file in Axon Binary Format (.abf), Neurodata Without Borders (.nwb) or comma-separated values (.csv).
    sweep : int
        Counted from 0.

    Raises
    ------
    ValueError
        For another extension, a damaged file or a sweep that is missing.
    FileNotFoundError
        If the file is missing.
    """
    return _format(path)[0](path, sweep=sweep)


def number_of_sweeps(path: str | Path) -> int:
    """Return the number of sweeps in a recording; `read` raises what this function raises."""
    return _format(path)[1](path)


def _format(path: str | Path) -> tuple[Callable[..., Trace], Callable[..., int]]:
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{Path(path).name} ends in {suffix!r}; allowed: {', '.join(FORMATS)}")
    return FORMATS[suffix]
