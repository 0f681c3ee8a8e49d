"""The f-I curve of a recorded cell: how many spikes, and how fast, at each amplitude of the main step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.simulation.summaries import firing_rate
from helpers.simulation.trace import Trace

from .steps import Step

__all__ = ["RecordedFI", "f_I_curve"]


@dataclass(frozen=True, repr=False)
class RecordedFI:
    """The f-I curve of a recorded cell; printed as a table.

    Parameters
    ----------
    currents : ndarray of shape (n,)
        Amplitudes of the steps, counted from the holding current, in `unit`.
    rates : ndarray of shape (n,)
        Steady firing rates [Hz]: between the first and the last spike of the second half of the step; 0 where it holds
        fewer than two.
    counts : ndarray of shape (n,)
        Spikes during the step.
    mean_rates : ndarray of shape (n,)
        Spikes during the step over its length [Hz].
    unit : str
        Of the currents.
    recorded : bool
        False for a synthetic recording.
    """

    currents: np.ndarray
    rates: np.ndarray
    counts: np.ndarray
    mean_rates: np.ndarray
    unit: str = "pA"
    recorded: bool = True

    def __repr__(self) -> str:
        rows = [(f"amplitude ({self.unit})", "spikes", "mean rate (Hz)", "steady rate (Hz), of the second half")]
        for current, count, mean, steady in zip(self.currents, self.counts, self.mean_rates, self.rates, strict=True):
            rate = f"{steady:.1f}" if steady or not count else "fewer than 2 spikes there"
            rows.append((f"{current:.4g}", str(count), f"{mean:.1f}", rate))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        return "\n".join("  ".join([*(row[k].rjust(widths[k]) for k in range(3)), row[3]]) for row in rows)


def f_I_curve(traces: Sequence[Trace], steps: Sequence[Step], *, recorded: bool = True) -> RecordedFI:
    """Return the f-I curve of sweeps, each with its main step."""
    measured = [_spikes_of(trace, step) for trace, step in zip(traces, steps, strict=True)]
    rates, counts, mean_rates = (np.array(values) for values in zip(*measured, strict=True))
    currents = np.array([step.amplitude for step in steps])
    return RecordedFI(currents, rates, counts, mean_rates, traces[0].I_unit, recorded)


def _spikes_of(trace: Trace, step: Step) -> tuple[float, int, float]:
    """Steady rate [Hz], number of spikes, mean rate [Hz]."""
    times = trace.spike_times
    during = (times > step.start) & (times <= step.stop)
    late = during & (times > (step.start + step.stop) / 2)
    count = int(np.count_nonzero(during))
    steady = float(firing_rate(trace)[0]) if np.count_nonzero(late) > 1 else 0.0  # a lone spike has no interval
    return steady, count, 1e3 * count / (step.stop - step.start)
