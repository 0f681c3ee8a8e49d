"""A recording as a whole: all sweeps of a file, their steps, the f-I curve, and what was found and assumed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from helpers.simulation.stimuli import Stimulus
from helpers.simulation.trace import Trace

from .choice import HOW_TO_GIVE, Chosen, choose, sweep_number
from .contents import Signal
from .description import describe, ranges
from .f_I import RecordedFI, f_I_curve
from .quality import Quality, quality
from .reading import open_file
from .step_table import StepTable, SweepSteps
from .steps import Step, find_steps, split_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Recording", "Sweeps"]

SAME_LENGTH = 0.02  # main steps whose lengths differ by more are of different protocols


class Sweeps(Sequence[Trace]):
    """The sweeps of a recording, each read when it is used.

    `sweeps[3]`, `sweeps[-1]`, `sweeps[2:5]` (sweeps again) and, where the file has names for its sweeps,
    `sweeps["name"]`.

    Parameters
    ----------
    read
        Reads the sweep of a number in the file.
    numbers
        Numbers in the file of these sweeps.
    number_of
        Finds the number in the file of a sweep by its name.
    """

    def __init__(
        self, read: Callable[[int], Trace], numbers: Sequence[int], number_of: Callable[[int | str], int]
    ) -> None:
        self._read, self.numbers, self._number_of = read, tuple(numbers), number_of

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int | str) -> Trace: ...
    @overload
    def __getitem__(self, index: slice) -> Sweeps: ...
    def __getitem__(self, index: int | str | slice) -> Trace | Sweeps:
        """Read one sweep by its place (or its name), or choose several by a slice."""
        if isinstance(index, slice):
            return Sweeps(self._read, self.numbers[index], self._number_of)
        if isinstance(index, str):
            number = self._number_of(index)
            if number not in self.numbers:
                raise ValueError(f"sweep {index!r} is not among the sweeps chosen: {self.numbers}")
            return self._read(number)
        if isinstance(index, bool) or not isinstance(index, int | np.integer):
            raise TypeError(f"sweeps[{index!r}]; allowed: an integer, a slice, or a sweep's name")
        if not -len(self) <= index < len(self):
            raise IndexError(f"sweeps[{index}]; allowed: an integer from {-len(self)} to {len(self) - 1}")
        return self._read(self.numbers[index])

    def __repr__(self) -> str:
        return f"<{len(self)} sweeps: {ranges(self.numbers)}>"


class Recording:
    """A file as a whole, in any format: its sweeps, their steps, and what was found and assumed (`print` it).

    Parameters
    ----------
    path : str or Path
        A file in one of the formats of `read`.
    channel, current, units, start, stop
        As in `read`, for all sweeps. Where each sweep has its own current, `current` is a list of stimuli or arrays, or
        a table of samples (n_sweeps, n), for all sweeps of the file.
    sweeps : iterable of int or str, optional
        Numbers or names of the sweeps to take, such as those of one protocol; by default all.

    Attributes
    ----------
    sweeps : Sweeps
        Each a `Trace`, read when it is used.
    steps : StepTable
        For each sweep all steps of the current, and which is the main one.
    refused : dict
        Why, by number, for sweeps that cannot be read.

    Raises
    ------
    ValueError
        As `read`, if no sweep can be read; for sweeps that the file does not have.
    FileNotFoundError
        If the file is missing.

    Examples
    --------
    >>> recording = Recording("cell.abf")  # doctest: +SKIP
    >>> print(recording)  # doctest: +SKIP
    >>> recording.plot()  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channel: int | str | None = None,
        current: Any = None,
        units: Mapping[Any, str | float] | None = None,
        start: float | None = None,
        stop: float | None = None,
        sweeps: Iterable[int | str] | None = None,
    ) -> None:
        self.contents = open_file(path, units)
        self._how: dict[str, Any] = {"channel": channel, "units": units, "start": start, "stop": stop}
        self._currents = _one_each(self.path, current, self.contents.n_sweeps)
        self.numbers = _numbers(self.path, sweeps, lambda sweep: sweep_number(self.contents, sweep), self.n_in_file)
        self._known = self._steps_of_given_samples()
        self._about: dict[int, _About] = {}
        self._warned = False
        self.refused: dict[int, str] = {}
        first: ValueError | None = None
        for number in self.numbers:  # what cannot be read at all is refused here
            try:
                self._chosen(number)
            except ValueError as error:
                first = first or error
            else:
                return
        raise first or ValueError(f"{self.path.name} holds no sweep")

    @property
    def path(self) -> Path:
        """The file."""
        return self.contents.path

    @property
    def format(self) -> str:
        """The format of the file, in words."""
        return self.contents.format

    @property
    def n_in_file(self) -> int:
        """How many sweeps the file has."""
        return self.contents.n_sweeps

    @property
    def sweeps(self) -> Sweeps:
        """The sweeps, each a `Trace`."""
        return Sweeps(self.trace, self.numbers, lambda name: sweep_number(self.contents, name))

    @cached_property
    def steps(self) -> StepTable:
        """The steps of each sweep; sweeps that cannot be read are left out and named in `refused`."""
        self._look_at_all()
        known = [self._about[k] for k in self.numbers if k in self._about]
        has_steps = any(about.steps for about in known)
        rows = [
            SweepSteps(k, None, base=about.base)
            if about.base is None or not (has_steps or self._how["start"] is not None)
            else SweepSteps(k, *split_at(about.steps, about.window, about.base), base=about.base)
            for k, about in ((k, self._about[k]) for k in self.numbers if k in self._about)
        ]
        return StepTable(rows, known[0].unit)

    def f_I(self) -> RecordedFI:
        """Return amplitude of the main step, spike count and firing rate of each sweep, in the order of the file.

        Raises
        ------
        ValueError
            If a sweep cannot be read, has no step or one that is not constant, or main steps differ in length.
        """
        name = self.path.name
        mains = []
        table = self.steps
        for number, why in self.refused.items():
            raise ValueError(f"{why} (sweep {number}; leave it out: sweeps={self._readable()})")
        for row in table:
            if row.main is None:
                why = "the current has no step: start=, stop= set the window of one"
                if row.base is None:
                    why = f"{self._about[row.sweep].I}; give the current, or a list of one a sweep: {HOW_TO_GIVE}"
                raise ValueError(f"{name}, sweep {row.sweep}: no f-I curve without a step: {why}")
            if not row.main.constant:
                raise ValueError(
                    f"{name}, sweep {row.sweep}: the current from {row.main.start:g} to {row.main.stop:g} ms is not "
                    "constant; an f-I curve needs steps: start=, stop= choose another part, sweeps= other sweeps"
                )
            mains.append(row.main)
        lengths = np.array([main.stop - main.start for main in mains])
        if np.ptp(lengths) > SAME_LENGTH * lengths.max():
            odd = int(np.argmax(np.abs(lengths - np.median(lengths))))
            raise ValueError(
                f"{name}: the main steps last from {lengths.min():g} to {lengths.max():g} ms (sweep "
                f"{self.numbers[odd]}: {lengths[odd]:g} ms); sweeps= takes those of one protocol"
            )
        return f_I_curve(list(self.sweeps), mains)

    def quality(self) -> Quality:
        """Return what to look at before use: rest, drift, R_in, clipping, hum, ..; see `helpers.recordings.quality`."""
        return self._quality

    @cached_property
    def _quality(self) -> Quality:
        return quality(self)

    def plot(self, **how: Any) -> Figure:
        """Make a figure of V of all sweeps above I: `helpers.figures.plot_recording`, whose arguments it takes."""
        from helpers.figures.recordings import plot_recording  # here, because drawing is upstairs and needs matplotlib

        return plot_recording(self, **how)

    def __repr__(self) -> str:
        """What was found and assumed."""
        self._warned = True  # the summary lists the warnings
        return describe(self)

    @property
    def notes(self) -> dict[str, tuple[int, ...]]:
        """What was assumed: the sweeps that each sentence is about."""
        self._look_at_all()
        return _gathered({k: about.notes for k, about in self._about.items()})

    @property
    def warnings(self) -> dict[str, tuple[int, ...]]:
        """What may change the meaning of the numbers: the sweeps that each sentence is about."""
        self._look_at_all()
        return _gathered({k: about.warnings for k, about in self._about.items()})

    def signals(self, number: int) -> tuple[Signal, str]:
        """Return which signal is V in a sweep, by its number in the file, and what I is, in words."""
        if number not in self._about:
            self._chosen(number)
        return self._about[number].V, self._about[number].I

    def timing(self, number: int) -> tuple[float, float]:
        """Return sampling interval and length [ms] of a sweep, by its number in the file."""
        if number not in self._about:
            self._chosen(number)
        return self._about[number].dt, self._about[number].length

    def trace(self, number: int) -> Trace:
        """Return a sweep by its number in the file, whichever sweeps were chosen."""
        chosen = self._chosen(number)
        if chosen.warnings and not self._warned:
            self._warned = True
            more = " print(recording) tells what holds for all sweeps" if len(self.numbers) > 1 else ""
            warnings.warn(f"{self.path.name}, sweep {number}: {'; '.join(chosen.warnings)}.{more}", stacklevel=4)
        return chosen.trace

    def _chosen(self, number: int) -> Chosen:
        current = self._currents[number] if isinstance(self._currents, list) else self._currents
        try:
            chosen = choose(self.contents, number, current=current, known=self._known, **self._how)
        except ValueError as error:
            self.refused[number] = str(error)
            raise
        if number not in self._about:
            trace = chosen.trace
            base = None
            if trace.has_current:
                base = chosen.steps[0].base if chosen.steps else float(np.median(trace.I))
            self._about[number] = _About(
                chosen.steps, (trace.start, trace.stop), base, chosen.notes, chosen.warnings, chosen.V, chosen.I,
                trace.I_unit, trace.dt, trace.dt * len(trace.t),
            )  # fmt: skip
        return chosen

    def _steps_of_given_samples(self) -> dict[int, tuple[Step, ...]]:
        """Where each sweep has samples of its own as its current, the steps of all: what differs is the main step."""
        given = self._currents
        if not (isinstance(given, list) and isinstance(given[0], np.ndarray)):
            return {}
        found = [self.contents.sweep(k).t for k in range(len(given))]
        fits = all(len(t) == len(I) for t, I in zip(found, given, strict=True))
        return {k: find_steps(found[k], given[k]) for k in range(len(given))} if fits else {}

    def _look_at_all(self) -> None:
        for number in self.numbers:
            if number not in self._about and number not in self.refused:
                try:
                    self._chosen(number)
                except ValueError:
                    continue  # kept in `refused`, which the summary prints

    def _readable(self) -> list[int]:
        return [number for number in self.numbers if number not in self.refused]


@dataclass(frozen=True)
class _About:
    """What stays of a sweep when its samples are let go."""

    steps: tuple[Step, ...]
    window: tuple[float, float]
    base: float | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    V: Signal
    I: str
    unit: str
    dt: float
    length: float


def _one_each(path: Path, current: Any, count: int) -> Any:
    """A current for all sweeps, or a list of one for each."""
    if isinstance(current, np.ndarray) and current.ndim == 2:
        current = list(current)
    if isinstance(current, list | tuple) and current and all(isinstance(x, Stimulus | np.ndarray) for x in current):
        if len(current) != count:
            raise ValueError(f"{path.name}: current has {len(current)} entries; needed: one for each of {count} sweeps")
        return list(current)
    if isinstance(current, list | tuple):  # samples: of all sweeps, or of each
        try:
            samples = np.array(current, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                f"{path.name}: current is a list of {type(current[0]).__name__}s; allowed: samples in pA, or one "
                "stimulus or array for each sweep"
            ) from None
        return _one_each(path, samples, count) if samples.ndim == 2 else samples
    return current


def _numbers(
    path: Path, sweeps: Iterable[int | str] | None, number_of: Callable[[int | str], int], count: int
) -> tuple[int, ...]:
    if sweeps is None:
        return tuple(range(count))
    if isinstance(sweeps, str) or not isinstance(sweeps, Iterable):
        raise ValueError(f"{path.name}: sweeps = {sweeps!r}; allowed: several, such as [0, 3] or range(5)")
    numbers = tuple(number_of(sweep) for sweep in sweeps)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{path.name}: sweeps = {list(numbers)}; allowed: at least one, each once")
    return numbers


def _gathered(said: Mapping[int, tuple[str, ...]]) -> dict[str, tuple[int, ...]]:
    """By sentence, the sweeps for which it was said."""
    found: dict[str, tuple[int, ...]] = {}
    for number, sentences in said.items():
        for sentence in sentences:
            found[sentence] = (*found.get(sentence, ()), number)
    return found
