"""What a file holds, before anything is chosen: sweeps of signals with the names and units that the file gives them.

Each format has a module that opens a file as `Contents`. What is V, what is I, and when the stimulus is on, is
decided in one place for all formats, `helpers.recordings.choice`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Contents", "FileSweep", "Signal", "absent"]


@dataclass(frozen=True, eq=False)
class Signal:
    """What one input recorded, or one output commanded, during a sweep.

    Parameters
    ----------
    name
        As the file has it ("IN 0", "Cmd 0", "Vm").
    unit
        As the file has it; "" if it has none.
    number
        Of the input or output, counted as the program does that wrote the file.
    load
        Reads the samples, (n,) in `unit`; raises ValueError, with the file's name, if they are damaged.
    why
        Why there are no samples; "" if there are.
    also
        Other names that it goes by, such as that of its electrode.
    flat
        Whether an output stayed at its holding level, with no waveform.
    on_request
        Whether it is taken only when it is asked for by name.
    needed
        Whether a sweep is refused when it cannot be had, unless another current is asked for.
    place
        Where in the file it is, for messages; "" if that needs no words.
    """

    name: str
    unit: str
    number: int
    load: Callable[[], np.ndarray]
    why: str = ""
    also: tuple[str, ...] = ()
    flat: bool = False
    on_request: bool = False
    needed: bool = False
    place: str = ""


def absent(name: str, unit: str, number: int, why: str, *, needed: bool = False) -> Signal:
    """Return a signal that has no samples, for a reason, with which `load` raises ValueError."""

    def load() -> np.ndarray:
        raise ValueError(f"{name}: {why}")

    return Signal(name, unit, number, load, why, needed=needed)


@dataclass(frozen=True, eq=False)
class FileSweep:
    """One sweep of a file.

    Parameters
    ----------
    t
        Times of the samples from the beginning of the sweep, (n,) [ms].
    recorded, commanded
        What the inputs recorded, and what the outputs were told.
    window
        Start and stop of the stimulus [ms], where the file itself says so.
    notes
        What was assumed or changed in reading it, each a sentence without the file's name.
    warnings
        The same, where it may matter for what the numbers mean: `read` warns.
    gap_free
        Whether it is a recording without sweeps, in which no step is expected.
    """

    t: np.ndarray
    recorded: tuple[Signal, ...]
    commanded: tuple[Signal, ...] = ()
    window: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    gap_free: bool = False


@dataclass(frozen=True, eq=False)
class Contents:
    """An opened file.

    Parameters
    ----------
    path
        The file.
    format
        In words: "Axon Binary Format 2", "NWB 2".
    n_sweeps
        How many sweeps it holds.
    sweep
        Gives sweep k; raises ValueError, with the file's name, if it is damaged.
    alike
        Gives the numbers of the sweeps that have the protocol of sweep k, itself included; all sweeps by default.
    names
        What the file calls its sweeps, one each, if it has names for them.
    notes
        What was found or assumed about the whole file, each a sentence.
    """

    path: Path
    format: str
    n_sweeps: int
    sweep: Callable[[int], FileSweep]
    alike: Callable[[int], Sequence[int]] | None = None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
