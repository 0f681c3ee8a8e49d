"""The f-I curves of two recorded cells, a regular-spiking and a fast-spiking one, or of synthetic recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.simulation.summaries import firing_rate
from helpers.simulation.trace import Trace
from helpers.validation import one_of

from .published import RecordingUnavailable, load
from .rig import SYNTHETIC, synthetic_recording

__all__ = ["RecordedFI", "recorded_f_I", "steady_rate"]


@dataclass(frozen=True)
class RecordedFI:
    """The f-I curve of a recorded cell.

    Parameters
    ----------
    currents : ndarray of shape (n,)
        Amplitudes of the steps [pA].
    rates : ndarray of shape (n,)
        Steady firing rates [Hz].
    recorded : bool
        False for a synthetic recording.
    """

    currents: np.ndarray
    rates: np.ndarray
    recorded: bool


def steady_rate(trace: Trace) -> float:
    """Return the `firing_rate` in the second half of the step [Hz]; 0 for a lone spike, such as noise can give."""
    late = (trace.spike_times > (trace.start + trace.stop) / 2) & (trace.spike_times <= trace.stop)
    return float(firing_rate(trace)[0]) if np.count_nonzero(late) > 1 else 0.0


def recorded_f_I(name: str) -> RecordedFI:
    """Return the f-I curve of a published recording, or of a synthetic one if the file is unavailable.

    Parameters
    ----------
    name : {"regular_spiking", "fast_spiking"}
        See `RECORDINGS`.
    """
    one_of("name", name, SYNTHETIC)
    currents = np.arange(-100.0, 301.0, 25.0)  # pA, of the steps in each recording
    try:
        traces, recorded = [load(name, sweep) for sweep in range(len(currents))], True
    except RecordingUnavailable:
        traces = [synthetic_recording(amplitude, name, seed=seed) for seed, amplitude in enumerate(currents)]
        recorded = False
    return RecordedFI(currents, np.array([steady_rate(trace) for trace in traces]), recorded)
