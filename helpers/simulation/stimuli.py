"""Stimuli: the current injected into a neuron.

    step, ramp                     a constant current, one that grows
    pulse_pair, pulse_train        short pulses, two or many
    sine, chirp                    an oscillation at one frequency, at a rising one
    ornstein_uhlenbeck, recorded   noise, and the current of a trace, sample by sample: a `Waveform`

A stimulus is a frozen dataclass: an equation of time and of declared parameters. Its class is named like a function, as
it is mainly called: `step(10.0, start=5.0, stop=45.0)`. Outside `start` (included) to `stop` (excluded) no current
flows; statistics take this window as "during the stimulus".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

import numpy as np

from helpers.neurons.equations import Equation, equation
from helpers.neurons.functions import sin, where
from helpers.neurons.parameters import Declared, parameter
from helpers.validation import MOST_STEPS, instance, number, numbers, plain, whole_number, whole_steps

from .trace import Trace

__all__ = [
    "Stimulus",
    "Waveform",
    "chirp",
    "formula",
    "ornstein_uhlenbeck",
    "pulse_pair",
    "pulse_train",
    "ramp",
    "recorded",
    "sine",
    "step",
]

formula = equation("formula")  # marks the injected current as a function of t [ms] and declared parameters


class Stimulus(Declared):
    """Base of the stimuli.

    A subclass declares `start` and `stop` [ms] and a `@formula I(t, ...)` [µA/cm²]. `a + b` adds two stimuli of which
    at least one is a `Waveform`.
    """

    I: ClassVar[Equation | None] = None
    start: float
    stop: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_together(self.values())

    def current(self, t: np.ndarray) -> np.ndarray:
        """Return the injected current [µA/cm²] at times `t` [ms]."""
        assert self.I is not None
        return np.asarray(self.I.evaluate({**self.values(), "t": numbers("t", t, "ms")}), dtype=float)

    def jumps(self) -> tuple[float, ...]:
        """Return the times [ms] at which the current or its slope may jump: an adaptive solver restarts there."""
        return (self.start, self.stop)

    @classmethod
    def check_together(cls, values: Mapping[str, Any]) -> None:
        """Raise ValueError for values by name, numbers or arrays, that are allowed but not with one another."""
        _refuse(values["stop"] <= values["start"], "stop = {stop:g} ms is not after start = {start:g} ms", values)

    def sampled(self, duration: float, dt: float) -> Waveform:
        """Return the same current as samples every `dt`, each held until the next, for `duration` [ms]."""
        n_steps = whole_steps("duration", _positive("duration", duration), _positive("dt", dt))
        t = np.arange(n_steps + 1) * dt + 1e-6 * dt  # just inside the interval, where a step has switched
        return Waveform(samples=self.current(t), dt=dt, start=self.start, stop=self.stop)

    def __add__(self, other: object) -> Waveform:
        if not isinstance(other, Stimulus):
            return NotImplemented
        grids = [part for part in (self, other) if isinstance(part, Waveform)]
        if not grids:
            raise ValueError("two formulas cannot be added as such; sample one first: a.sampled(duration, dt) + b")
        n_steps, dt = len(grids[0].samples) - 1, grids[0].dt
        if len(grids[-1].samples) != n_steps + 1 or abs(grids[-1].dt - dt) > 1e-9 * dt:
            described = " and ".join(f"{len(grid.samples)} samples, dt = {grid.dt:g} ms" for grid in grids)
            raise ValueError(f"waveforms to be added must share their samples' times; got {described}")
        a, b = (x.samples if isinstance(x, Waveform) else x.sampled(n_steps * dt, dt).samples for x in (self, other))
        start, stop = min(self.start, other.start), max(self.stop, other.stop)
        return Waveform(samples=a + b, dt=dt, start=start, stop=stop)


def _refuse(bad: Any, message: str, values: Mapping[str, Any]) -> None:
    """Raise ValueError with `message` about the first entry that is bad."""
    if np.any(bad):
        first, shape = int(np.argmax(np.ravel(bad))), np.shape(bad)
        raise ValueError(message.format(**{key: np.broadcast_to(x, shape).flat[first] for key, x in values.items()}))


def _positive(name: str, value: Any) -> float:
    return number(name, value, "ms", above=0.0)


def _start() -> Any:
    return parameter(10.0, "ms", "onset of the stimulus", low=0.0, high=1000.0, minimum=0.0)


def _stop() -> Any:
    return parameter(110.0, "ms", "end of the stimulus", low=0.0, high=1000.0, minimum=0.0)


def _current(default: float, meaning: str) -> Any:
    return parameter(default, "µA/cm²", meaning, low=-20.0, high=100.0)


def _width() -> Any:
    return parameter(1.0, "ms", "duration of a pulse", low=0.1, high=10.0, minimum=0.001)


def _frequency(default: float, meaning: str, minimum: float = 0.001) -> Any:
    return parameter(default, "Hz", meaning, low=1.0, high=200.0, minimum=minimum, maximum=10_000.0)


def _or_none(declared: Any) -> Any:
    """A parameter that may be left out: its value then follows from another one."""
    return field(default=None, metadata=declared.metadata)


# ---------------------------------------------------------------------------------------------- steps and ramps


@dataclass(frozen=True)
class step(Stimulus):
    """A constant current."""

    amplitude: float = _current(10.0, "injected current density")
    start: float = _start()
    stop: float = _stop()

    @formula
    def I(t, amplitude, start, stop):
        return where((t >= start) & (t < stop), amplitude, 0.0)


@dataclass(frozen=True)
class ramp(Stimulus):
    """A current that changes linearly from `first` at `start` to `last` at `stop`, then falls to 0."""

    first: float = _current(0.0, "current density at the onset")
    last: float = _current(20.0, "current density at the end")
    start: float = _start()
    stop: float = _stop()

    @formula
    def I(t, first, last, start, stop):
        return where((t >= start) & (t < stop), first + (last - first) * ((t - start) / (stop - start)), 0.0)


# ------------------------------------------------------------------------------------------------------- pulses


def _edges(onsets: np.ndarray, width: float, stop: float) -> tuple[float, ...]:
    """When pulses begin and end, up to `stop`; of two edges that differ by rounding errors only one is kept."""
    edges = np.sort([*onsets, *(onsets + width)])
    kept = edges[np.diff(edges, prepend=-1.0) > 1e-9]
    return (*kept[kept < stop - 1e-9].tolist(), stop)


@dataclass(frozen=True)
class pulse_pair(Stimulus):
    """Two pulses, the second one `interval` after the first, as for the refractory period.

    Pulses may overlap (`width` above `interval`): there they add. Both must end by `stop`. Without a
    `second_amplitude` they are equal.
    """

    amplitude: float = _current(20.0, "current density of the first pulse")
    width: float = _width()
    interval: float = parameter(10.0, "ms", "time from onset to onset", low=0.0, high=50.0, minimum=0.0)
    start: float = _start()
    stop: float = _stop()
    second_amplitude: float = _or_none(_current(20.0, "current density of the second pulse"))

    def __post_init__(self) -> None:
        if self.second_amplitude is None:
            object.__setattr__(self, "second_amplitude", self.amplitude)
        super().__post_init__()

    @formula
    def I(t, amplitude, second_amplitude, width, interval, start, stop):
        first = where((t >= start) & (t < start + width), amplitude, 0.0)
        second = where((t >= start + interval) & (t < start + interval + width), second_amplitude, 0.0)
        return where(t < stop, first + second, 0.0)

    @classmethod
    def check_together(cls, values: Mapping[str, Any]) -> None:
        super().check_together(values)
        end = values["start"] + values["interval"] + values["width"]
        message = (
            "stop = {stop:g} ms; allowed: at least {end:g} ms, the end of the second pulse (start + interval + width)"
        )
        _refuse(values["stop"] < end * (1 - 1e-12), message, {**values, "end": end})

    def jumps(self) -> tuple[float, ...]:
        return _edges(self.start + np.array([0.0, self.interval]), self.width, self.stop)


@dataclass(frozen=True)
class pulse_train(Stimulus):
    """Pulses at `start` and regularly after it; one that flows at `stop` is cut off there.

    Give either `frequency` [Hz] or `period` [ms], from onset to onset, by name.
    """

    amplitude: float = _current(20.0, "current density of the pulses")
    width: float = _width()
    start: float = _start()
    stop: float = _stop()
    frequency: float = _or_none(_frequency(50.0, "pulses per second"))
    period: InitVar[float | None] = field(default=None, kw_only=True)

    def __post_init__(self, period: float | None) -> None:
        if (self.frequency is None) == (period is None):
            raise ValueError(f"frequency = {self.frequency} Hz, period = {period} ms; allowed: exactly one of the two")
        if period is not None:
            object.__setattr__(self, "frequency", 1000.0 / _positive("period", period))
        super().__post_init__()

    @formula
    def I(t, amplitude, width, frequency, start, stop):
        cycles = (t - start) * frequency / 1000.0 + 1e-12  # an onset counts as reached in spite of rounding errors
        whole = where(1.0 + 1e-9 > 1.0, 6755399441055744.0, 12582912.0)  # rounds to whole cycles, as in `sin`
        since = cycles - ((cycles + whole) - whole)
        since = where(since < 0.0, since + 1.0, since)
        return where((t >= start) & (t < stop) & (since < width * frequency / 1000.0), amplitude, 0.0)

    @classmethod
    def check_together(cls, values: Mapping[str, Any]) -> None:
        super().check_together(values)
        period = 1000.0 / values["frequency"]
        message = "width = {width:g} ms; allowed: at most {period:g} ms, the period at frequency = {frequency:g} Hz"
        _refuse(values["width"] > period * (1 + 1e-12), message, {**values, "period": period})

    def jumps(self) -> tuple[float, ...]:
        return _edges(np.arange(self.start, self.stop, 1000.0 / self.frequency), self.width, self.stop)


# ------------------------------------------------------------------------------------------------- oscillations


@dataclass(frozen=True)
class sine(Stimulus):
    """offset + amplitude·sin(2π·frequency·(t - start) + phase)."""

    amplitude: float = _current(5.0, "amplitude of the oscillation")
    frequency: float = _frequency(20.0, "frequency")
    start: float = _start()
    stop: float = _stop()
    offset: float = _current(0.0, "mean current density")
    phase: float = parameter(0.0, "rad", "phase at the onset", low=-np.pi, high=np.pi)

    @formula
    def I(t, offset, amplitude, frequency, phase, start, stop):
        angle = 6.283185307179586 * ((t - start) * frequency / 1000.0) + phase
        return where((t >= start) & (t < stop), offset + amplitude * sin(angle), 0.0)


@dataclass(frozen=True)
class chirp(Stimulus):
    """offset + amplitude·sin(2π·cycles), with a frequency that changes linearly from `f_0` to `f_1`."""

    amplitude: float = _current(5.0, "amplitude of the oscillation")
    f_0: float = _frequency(1.0, "frequency at the onset", minimum=0.0)
    f_1: float = _frequency(100.0, "frequency at the end", minimum=0.0)
    start: float = _start()
    stop: float = _stop()
    offset: float = _current(0.0, "mean current density")

    @formula
    def I(t, offset, amplitude, f_0, f_1, start, stop):
        since = t - start
        cycles = (f_0 + 0.5 * (f_1 - f_0) * (since / (stop - start))) * since / 1000.0
        return where((t >= start) & (t < stop), offset + amplitude * sin(6.283185307179586 * cycles), 0.0)


# --------------------------------------------------------------------------------------------- sample by sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Waveform(Stimulus):
    """A current given sample by sample, such as a recorded one: `samples[k]` flows from k·dt to (k + 1)·dt.

    `samples`, (n_steps + 1,) [µA/cm²], has one value for each sample of the trace, `dt` [ms] apart; the last one would
    flow after its end.
    """

    samples: np.ndarray
    dt: float
    start: float = _start()
    stop: float = _stop()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "samples", _checked_samples(self.samples))
        object.__setattr__(self, "dt", _positive("dt", self.dt))

    @classmethod
    def from_samples(cls, samples: np.ndarray, dt: float) -> Waveform:
        """Make a waveform whose window runs from the first to the last sample that differs from the first."""
        values, dt = _checked_samples(samples), _positive("dt", dt)
        end = len(values) - 1  # the last sample flows after the end of the trace
        on = np.flatnonzero(values[:end] != values[0])
        first, last = (int(on[0]), int(on[-1]) + 1) if len(on) else (0, end)
        return cls(samples=values, dt=dt, start=first * dt, stop=last * dt)

    def current(self, t: np.ndarray) -> np.ndarray:
        t = numbers("t", t, "ms", low=0.0, high=len(self.samples) * self.dt * (1 - 1e-9))
        return self.samples[np.floor(t / self.dt + 1e-6).astype(int).clip(max=len(self.samples) - 1)]


def _checked_samples(samples: Any) -> np.ndarray:
    values = plain("samples", samples, "an array of numbers [µA/cm²]")
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"samples has shape {values.shape}; allowed: one dimension, at least 2 values [µA/cm²]")
    if not np.isfinite(values).all():
        raise ValueError(f"samples[{np.argmin(np.isfinite(values))}] is not finite; allowed: finite values [µA/cm²]")
    return np.ascontiguousarray(values)


def ornstein_uhlenbeck(
    mean: float, sd: float, tau: float, start: float, stop: float, duration: float, dt: float, seed: int
) -> Waveform:
    """Make coloured noise around a mean, as of many synapses: dI/dt = (mean - I)/tau + sd·sqrt(2/tau)·(white noise).

    It is normally distributed, its correlation at a lag is exp(-lag/tau), and it is stationary from `start` on.

    Parameters
    ----------
    mean, sd
        Mean and standard deviation [µA/cm²].
    tau
        Correlation time [ms].
    start, stop
        When it flows [ms].
    duration, dt
        Those of the simulation [ms].
    seed
        The same seed gives the same samples, however long the simulation goes on after `stop`.

    References
    ----------
    Uhlenbeck & Ornstein 1930, Phys. Rev. 36:823. Exact update: Gillespie 1996, Phys. Rev. E 54:2084.
    """
    from scipy.signal import lfilter  # here, since importing it takes longer than all else in this room

    mean, sd = number("mean", mean, "µA/cm²"), number("sd", sd, "µA/cm²", low=0.0)
    tau, dt = number("tau", tau, "ms", low=0.001), _positive("dt", dt)
    start, stop = step(0.0, start, stop).values()["start"], float(stop)
    n_steps = whole_steps("duration", _positive("duration", duration), dt)
    if stop > duration * (1 + 1e-9):
        raise ValueError(f"stop = {stop:g} ms; allowed: at most the duration, {duration:g} ms")
    first, end = (int(np.ceil(edge / dt - 1e-6)) for edge in (start, stop))
    kicks = np.random.default_rng(whole_number("seed", seed)).standard_normal(end - first)
    kicks[1:] *= np.sqrt(-np.expm1(-2.0 * dt / tau))
    samples = np.zeros(n_steps + 1)
    with np.errstate(over="ignore"):
        samples[first:end] = mean + sd * lfilter([1.0], [1.0, -np.exp(-dt / tau)], kicks)
    if not np.isfinite(samples).all():
        raise ValueError(f"mean = {mean:g}, sd = {sd:g} µA/cm² give a current that is not finite")
    return Waveform(samples=samples, dt=dt, start=start, stop=stop)


def recorded(trace: Trace, dt: float | None = None) -> Waveform:
    """Return the current that was injected into a trace, to inject it again; its time begins at 0.

    Parameters
    ----------
    trace
        A trace whose I is in µA/cm².
    dt
        Time between samples [ms], by default that of the trace. Each sample is held until the next; with a larger `dt`
        samples are skipped.
    """
    instance("trace", trace, Trace, "a Trace")
    if trace.I_unit != "µA/cm²":
        raise ValueError(
            f"I is in {trace.I_unit or 'no unit'}; allowed: µA/cm². helpers.recordings.current_density(trace, "
            "area) turns a recorded current in pA into µA/cm²"
        )
    length, held = float(trace.t[-1] - trace.t[0]), trace.dt
    dt = held if dt is None else _positive("dt", dt)
    if not length / MOST_STEPS <= dt <= length * (1 + 1e-6):
        words = f"at most the length of the trace, {length:g} ms, and at least its {MOST_STEPS:,}th part"
        raise ValueError(f"dt = {dt:g} ms; allowed: {words}")
    n_steps = int(length / dt + 1e-6)
    latest = np.floor(np.arange(n_steps + 1) * (dt / held) + 1e-6).astype(int)
    start, stop = max(float(trace.start - trace.t[0]), 0.0), min(float(trace.stop - trace.t[0]), n_steps * dt)
    return Waveform(samples=trace.I[np.minimum(latest, len(trace.I) - 1)], dt=dt, start=start, stop=stop)
