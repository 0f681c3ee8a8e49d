"""What is injected into a neuron: frozen dataclasses whose waveform is an equation of time and their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .equations import Equation, equation
from .functions import where
from .parameters import Declared, parameter

__all__ = ["Step", "Stimulus", "Waveform", "step", "waveform"]

waveform = equation("waveform")  # marks the injected current as a function of t [ms] and declared parameters


class Stimulus(Declared):
    """Base of the stimuli. A subclass declares `start` and `stop` [ms] and a `@waveform I(t, ...)` [µA/cm²]."""

    I: ClassVar[Equation | None] = None
    start: float
    stop: float

    def current(self, t: np.ndarray) -> np.ndarray:
        """The injected current [µA/cm²] at times `t` [ms]."""
        assert self.I is not None
        return np.asarray(self.I.at({**self.values(), "t": np.asarray(t, dtype=float)}), dtype=float)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.start < self.stop:
            raise ValueError(f"stop = {self.stop:g} ms is not after start = {self.start:g} ms")


@dataclass(frozen=True, kw_only=True)
class Step(Stimulus):
    """A constant current from `start` (included) to `stop` (excluded)."""

    amplitude: float = parameter(10.0, "µA/cm²", "injected current density", low=-20.0, high=100.0)
    start: float = parameter(10.0, "ms", "onset of the stimulus", low=0.0, high=1000.0, minimum=0.0)
    stop: float = parameter(110.0, "ms", "end of the stimulus", low=0.0, high=1000.0, minimum=0.0)

    @waveform
    def I(t, amplitude, start, stop):
        return where((t >= start) & (t < stop), amplitude, 0.0)


def step(amplitude: float, start: float, stop: float) -> Step:
    """A step of `amplitude` [µA/cm²] from `start` to `stop` [ms]."""
    return Step(amplitude=amplitude, start=start, stop=stop)


@dataclass(frozen=True, kw_only=True, eq=False)
class Waveform(Stimulus):
    """A current given sample by sample, such as a recorded one: `samples[k]` flows from k·dt to (k + 1)·dt.

    samples: (n_steps + 1,) current density [µA/cm²] at the times of the trace; the last one flows after its end.
    dt: time between samples [ms].
    """

    samples: np.ndarray
    dt: float
    start: float = parameter(10.0, "ms", "onset of the stimulus", low=0.0, high=1000.0, minimum=0.0)
    stop: float = parameter(110.0, "ms", "end of the stimulus", low=0.0, high=1000.0, minimum=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        samples = np.ascontiguousarray(self.samples, dtype=float)
        if samples.ndim != 1 or len(samples) < 2:
            raise ValueError(f"samples has shape {samples.shape}; allowed: one dimension, at least 2 values [µA/cm²]")
        if not np.isfinite(samples).all():
            raise ValueError(
                f"samples[{np.argmin(np.isfinite(samples))}] is not finite; allowed: finite values [µA/cm²]"
            )
        object.__setattr__(self, "samples", samples)

    @classmethod
    def from_samples(cls, samples: np.ndarray, dt: float) -> Waveform:
        """A waveform whose stimulus window runs from the first to the last sample that differs from the first."""
        values = np.asarray(samples, dtype=float)
        end = values.size - 1  # the last sample flows after the end of the trace
        on = np.flatnonzero(values.flat[:end] != values.flat[0]) if values.size else []
        first, last = (on[0], on[-1] + 1) if len(on) else (0, end)
        return cls(samples=values, dt=dt, start=first * dt, stop=last * dt)

    def current(self, t: np.ndarray) -> np.ndarray:
        """The injected current [µA/cm²] at times `t` [ms]."""
        return self.samples[np.floor(np.asarray(t) / self.dt + 1e-6).astype(int)]
