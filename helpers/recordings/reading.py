"""Read a recording from a file, whatever its format.

Every format has a module that opens a file as `Contents` (`helpers.recordings.contents`): sweeps of named signals.
What is V, what is I and when the main step is, is chosen for all of them in `helpers.recordings.choice`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from helpers.simulation.trace import Trace

from .choice import check_names, choose
from .contents import Contents
from .conversion import existing
from .units import checked_units

__all__ = ["FORMATS", "number_of_sweeps", "open_file", "read"]

TEXT = (".csv", ".txt", ".tsv", ".asc", ".atf", ".dat")  # whatever programs call an export as text
IGOR = (".ibw", ".pxp", ".pxt")
# By the ending of the file's name: what opens it, imported when it is needed.
FORMATS: Mapping[str, str] = {
    ".abf": "abf:open_abf",
    ".nwb": "nwb:open_nwb",
    **dict.fromkeys(TEXT, "text.reading:open_text"),
    ".dat": "heka:open_dat",
    ".wcp": "wcp:open_wcp",
    **dict.fromkeys(IGOR, "igor:open_igor"),
    ".axgd": "axograph:open_axograph",
    ".axgx": "axograph:open_axograph",
    ".h5": "wavesurfer:open_wavesurfer",
    ".smr": "spike2:open_spike2",
    ".smrx": "spike2:open_smrx",
}


def read(
    path: str | Path,
    sweep: int | str = 0,
    *,
    channel: int | str | None = None,
    current: Any = None,
    start: float | None = None,
    stop: float | None = None,
    units: Mapping[Any, str | float] | None = None,
) -> Trace:
    """Read one sweep of a current-clamp recording, in the format that the file name's extension names.

    What matters for the meaning of the numbers is said in a warning; everything that was found and assumed is in
    `Recording(path)`.

    Parameters
    ----------
    path : str or Path
        A file in one of the `FORMATS`.
    sweep : int or str
        Counted from 0, or the name that the file has for it.
    channel : int or str, optional
        Number or name of the recorded signal that is V; by default the first in a unit of voltage that was not clamped.
    current : optional
        What is I: the name of a recorded or commanded signal, the number of a recorded one, a stimulus such as
        `step(100, 270, 770)` or an array (n,), both in pA, a float (constant, in pA; 0.0 for none), or "unknown" for V
        alone. By default the command that the file's protocol describes; without one, the current that was recorded.
    start, stop : float, optional
        Window of the stimulus [ms], given both or neither; by default that of the main step, see `find_steps`.
    units : mapping, optional
        The right units where the file's are wrong or missing, by the signal's name or by "V" and "I":
        `{"V": "mV", "I": "pA"}`; or the number that its values must be multiplied by: `{"V": 0.1}` where a gain of 10
        was not noted. In text also for "t", and by the number of the column, counted from 0:
        `{0: "ms", 1: "mV", 2: "pA"}`. `{"t": "0.1 ms"}` is the interval between samples, whatever their times say.

    Returns
    -------
    Trace
        t in ms from the beginning of the sweep, V in mV and I in pA (µA/cm² where a text file says so). Where the file
        does not tell the current, the trace has V alone, and says so when its I is used.

    Raises
    ------
    ValueError
        With file, sweep, signal, the reason and the argument that helps, for what cannot be read.
    FileNotFoundError
        If the file is missing.
    ImportError
        With the command that installs it, if the package that reads the format is missing.
    """
    contents = open_file(path, units)
    chosen = choose(contents, sweep, channel=channel, current=current, start=start, stop=stop, units=units)
    check_names(contents.path.name, chosen.found, units)
    for words in chosen.warnings:
        warnings.warn(f"{Path(path).name}, sweep {sweep}: {words}", stacklevel=2)
    return chosen.trace


def number_of_sweeps(path: str | Path) -> int:
    """Return the number of sweeps in a recording. Raises ValueError for a file that is damaged or of another format."""
    return open_file(path).n_sweeps


def open_file(path: str | Path, units: Mapping[Any, str | float] | None = None) -> Contents:
    """Open a recording of any format. Raises ValueError, with the file's name, if it cannot be read.

    Raises ImportError, with the command that installs it, if a package is missing.

    units: as for `read`; a table of numbers without headings, and some waves of Igor, can be opened only with them.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{path.name} ends in {suffix!r}; allowed: {', '.join(FORMATS)}")
    module, function = FORMATS[suffix].split(":")
    try:
        opener = getattr(import_module(f"{__package__}.{module}"), function)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{path.name}: reading {suffix} files needs the package {error.name}: pip install {error.name}"
        ) from error
    named = checked_units(path, units)
    return opener(existing(path), named) if suffix in (*TEXT, *IGOR) else opener(existing(path))
