"""The sweeps of a cell as inference sees them: a step, its features, and up to what each of them is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.recordings.passive import crop
from helpers.simulation.electrophysiology import FEATURES
from helpers.simulation.spikes import spike_rule
from helpers.simulation.stimuli import Waveform
from helpers.simulation.summaries import Summary
from helpers.simulation.trace import Trace
from helpers.validation import number

from .instrument import as_recorded, noise_effect, summary_of

__all__ = [
    "ALL_NAMES",
    "DT",
    "FLOORS",
    "REST_BEFORE",
    "CellSweep",
    "Measurement",
    "cell_sweep",
    "features_for",
    "spikes_before",
    "step_of_current",
]

# Of a feature no better known, and of no model better met: what repeats of one cell differ by, and what an
# electrophysiologist would call the same. (absolute, share of the value)
FLOORS: Mapping[str, tuple[float, float]] = {
    "spike_count": (0.5, 0.05),
    "V_rest": (1.0, 0.0),
    "mV": (2.0, 0.0),
    "ms": (1.0, 0.08),
    "mV/ms": (5.0, 0.15),
    "half_width": (0.04, 0.08),
}
DT = 0.05  # ms, of simulations: features differ from those at 0.01 ms by at most an eighth of their tolerance
REST_BEFORE = 150.0  # ms that a simulation rests before the step
AFTER = 20.0  # ms that it goes on after it
MIN_SWEEPS = 3  # with the same step, from which their scatter is known
RECENT = 100.0  # ms before the step, in which a spike changes when the next one comes
MANY = 3  # spikes from which intervals and changes within the train are features

_REST = ("spike_count", "V_rest", "V_steady")
_SAG = (*_REST, "lowest", "sag")
_FEW = (*_REST, "latency", "threshold", "peak", "half_width", "rise_speed", "fall_speed", "ahp_voltage")
_TRAIN = (
    *_FEW, "first_interval", "mean_interval", "last_interval", "first_threshold", "first_peak", "first_half_width",
    "first_ahp_voltage", "ahp_time",
)  # fmt: skip
ALL_NAMES = (*_TRAIN, "lowest", "sag")


@dataclass(frozen=True)
class Measurement:
    """What is assumed of the measurement. Each can be changed, and stands in the report.

    Parameters
    ----------
    junction_potential
        What the electrode adds to V [mV], subtracted before anything else. That of the Allen Cell Types Database is 14
        mV, and most solutions of potassium gluconate are near; a file does not hold it.
    low_pass
        Corner of the amplifier's filter [kHz], of which simulations get a copy, a 4-pole Bessel filter; None for none.
        One above 8 kHz changes no feature of simulations at 0.05 ms, and is left out.
    floors
        Up to what a feature is known at best, by name or unit: absolute, and as a share of its value.
    """

    junction_potential: float = 14.0
    low_pass: float | None = None
    floors: Mapping[str, tuple[float, float]] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        number("junction_potential", self.junction_potential, "mV", low=-100.0, high=100.0)
        if self.low_pass is not None:
            number("low_pass", self.low_pass, "kHz", low=0.5, high=1000.0)
        floors = {**FLOORS, **(self.floors or {})}
        for name, pair in floors.items():
            if name not in FEATURES and name not in FLOORS:
                raise ValueError(f"floors names {name!r}; allowed: units {', '.join(FLOORS)} and names of FEATURES")
            number(f"floors[{name!r}][0]", pair[0], above=0.0)
            number(f"floors[{name!r}][1]", pair[1], low=0.0, high=1.0)
        object.__setattr__(self, "floors", floors)

    def floor(self, name: str, value: float) -> float:
        """Return up to what the feature `name` is known at best, for this `value`."""
        kind = "half_width" if name.endswith("half_width") else FEATURES[name].unit
        absolute, share = self.floors[name if name in self.floors else kind]
        return max(absolute, share * abs(value))


@dataclass(frozen=True)
class CellSweep:
    """One sweep of a cell.

    Parameters
    ----------
    name
        Such as "sweep 8".
    trace
        V inside minus outside [mV], I in pA.
    holding, amplitude
        Current before the step, and what the step adds [pA].
    summarise
        The features that are compared, for recorded and simulated traces.
    observed, tolerance
        Their values, and up to what each is known (SD), (n_features,).
    low_pass
        Corner of the filter that it was recorded with [kHz]; None for none.
    """

    name: str
    trace: Trace
    holding: float
    amplitude: float
    summarise: Summary
    observed: np.ndarray
    tolerance: np.ndarray
    low_pass: float | None = None

    @property
    def count(self) -> int:
        """Spikes during the step."""
        return round(self.value("spike_count"))

    @property
    def length(self) -> float:
        """Length of the step [ms]."""
        return self.trace.stop - self.trace.start

    @property
    def duration(self) -> float:
        """How long a simulation of this sweep lasts [ms]."""
        return REST_BEFORE + self.length + AFTER

    def of_simulations(self, dt: float) -> Summary:
        """Return the features of simulations with a step of `dt` [ms], filtered and sampled as this sweep was."""
        return as_recorded(self.summarise.names, dt, self.low_pass, self.trace.dt, spike_rule(self.trace))

    def value(self, name: str) -> float:
        """Return the observed feature of this name."""
        return float(self.observed[self.summarise.names.index(name)])

    def stimulus(self, area: float, dt: float) -> Waveform:
        """Return the current density [µA/cm²] of a membrane of `area` [cm²], for a simulation of this sweep."""
        return step_of_current(self.holding, self.amplitude, self.length, area, dt)


def step_of_current(holding: float, amplitude: float, length: float, area: float, dt: float) -> Waveform:
    """Return the current density [µA/cm²] in a membrane of `area` [cm²] under a step, with rest before it and after it.

    Parameters
    ----------
    holding, amplitude
        Current all the time, and what the step adds [pA].
    length
        Of the step [ms].
    area, dt
        Of the membrane [cm²], and time step of the simulation [ms].
    """
    stop = REST_BEFORE + length
    t = np.arange(round((stop + AFTER) / dt) + 1) * dt
    on = (t > REST_BEFORE - 0.5 * dt) & (t < stop - 0.5 * dt)
    return Waveform(samples=1e-6 / area * (holding + amplitude * on), dt=dt, start=REST_BEFORE, stop=stop)


def cell_sweep(
    name: str, trace: Trace, holding: float, measurement: Measurement, repeats: Sequence[Trace] = ()
) -> CellSweep:
    """Return a sweep with its features and their tolerance.

    The tolerance is what sweeps with this step scatter by, where there are at least three, but never below the floor of
    the measurement together with what the noise of the recording does to the feature.

    Parameters
    ----------
    trace
        As recorded, I in pA; `start` and `stop` enclose the step.
    holding
        Current before the step [pA].
    repeats
        Other sweeps with the same step.
    """
    corrected = _corrected(trace, measurement)
    during = (trace.t > trace.start + trace.dt) & (trace.t < trace.stop - trace.dt)
    amplitude = float(np.median(trace.I[during])) - holding
    summarise = summary_of(_names(corrected, amplitude))
    observed = summarise(corrected)
    floor = [measurement.floor(name, value) for name, value in zip(summarise.names, observed, strict=True)]
    tolerance = np.hypot(floor, noise_effect(corrected, summarise))
    if len(repeats) >= MIN_SWEEPS - 1:
        again = [observed, *(summarise(_corrected(one, measurement)) for one in repeats)]
        tolerance = np.maximum(tolerance, np.std(again, axis=0, ddof=1))
    return CellSweep(name, corrected, holding, amplitude, summarise, observed, tolerance, measurement.low_pass)


def spikes_before(trace: Trace) -> int:
    """Return how many spikes there are in the 100 ms before the step."""
    peaks = trace.t[trace.spike_events[:, 1]]
    return int(((peaks < trace.start) & (peaks >= trace.start - RECENT)).sum())


def features_for(count: int, downwards: bool) -> tuple[str, ...]:
    """Return the features of a response with so many spikes to a step down or up."""
    return _TRAIN if count >= MANY else _FEW if count else _SAG if downwards else _REST


def _corrected(trace: Trace, measurement: Measurement) -> Trace:
    """The part of a trace around its step, V inside minus outside."""
    cut = crop(trace, max(trace.t[0], trace.start - 2.0 * REST_BEFORE), min(trace.t[-1], trace.stop + AFTER))
    return replace(cut, states={"V": cut.V - measurement.junction_potential})


def _names(trace: Trace, amplitude: float) -> tuple[str, ...]:
    peaks = trace.t[trace.spike_events[:, 1]]
    names = features_for(int(((peaks >= trace.start) & (peaks < trace.stop)).sum()), amplitude < 0.0)
    if spikes_before(trace):  # when the next one comes depends on the last one, not on the step
        names = tuple(name for name in names if name != "latency")
    return names
