"""The published cells of the lessons: three sweeps of one, f-I curves of two; simulated where the files are missing."""

from __future__ import annotations

import numpy as np

from helpers.simulation.trace import Trace
from helpers.validation import one_of

from .f_I import RecordedFI, f_I_curve
from .published import RecordingUnavailable, fetch, load
from .recording import Recording
from .rig import SYNTHETIC, synthetic_recording
from .steps import Step

__all__ = ["example_cell", "recorded_f_I"]

SWEEPS = {-100: 0, 175: 11, 250: 14}  # by its current [pA], number of the sweep in the file
AMPLITUDES = np.arange(-100.0, 301.0, 25.0)  # pA, of the steps in each recording


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


def recorded_f_I(name: str) -> RecordedFI:
    """Return the f-I curve of a published recording, or of a synthetic one if the file is unavailable.

    Parameters
    ----------
    name : {"regular_spiking", "fast_spiking"}
        See `RECORDINGS`.
    """
    one_of("name", name, SYNTHETIC)
    try:
        return Recording(fetch(name)).f_I()
    except RecordingUnavailable:
        traces = [synthetic_recording(amplitude, name, seed=seed) for seed, amplitude in enumerate(AMPLITUDES)]
        mains = [Step(x.start, x.stop, pA, 0.0) for x, pA in zip(traces, AMPLITUDES.tolist(), strict=True)]
        return f_I_curve(traces, mains, recorded=False)
