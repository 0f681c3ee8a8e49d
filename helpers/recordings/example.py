"""The cell of notebook 2, section 9: three sweeps of a recording, or of a simulated cell where there is none."""

from __future__ import annotations

from helpers.simulation.trace import Trace

from .published import RecordingUnavailable, load
from .rig import synthetic_recording

__all__ = ["example_cell"]

SWEEPS = {-100: 0, 175: 11, 250: 14}  # by its current [pA], number of the sweep in the file


def example_cell() -> tuple[str, dict[int, Trace]]:
    """Return three sweeps of the published regular-spiking cell, or of a synthetic one if it is unavailable.

    Returns
    -------
    source : str
        "recorded" or "synthetic"; in the second case the reason is printed.
    sweeps : dict
        By the current of the step [pA], -100, 175 and 250: a trace with I in pA.
    """
    try:
        return "recorded", {pA: load("regular_spiking", sweep=number) for pA, number in SWEEPS.items()}
    except RecordingUnavailable as reason:
        print(f"{reason}. A simulated cell behind a simulated amplifier takes its place.")
        return "synthetic", {pA: synthetic_recording(float(pA), seed=seed) for seed, pA in enumerate(SWEEPS, 1)}
