"""The conductance explorer of notebook 2: find the conductances behind a trace by hand.

The distance of a guess is that of rejection ABC: the differences of the summary statistics from the observed ones, each
in units of its scatter over the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.figures.colours import COLOURS, GUIDE
from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import summary_statistics
from helpers.simulation.trace import Trace
from helpers.validation import plain

from .controls import Slider
from .explorer import Explorer, canvas

__all__ = ["Attempt", "attempt", "describe_attempt", "explore_conductances"]

SEED = 0  # of the noise of every attempt: then only the conductances make a difference
FIRST = {"g_Na": 25.0, "g_K": 10.0}  # initial positions of the sliders [mS/cm²]


@dataclass(frozen=True)
class Attempt:
    """A guess and its distance from the observation.

    Attributes
    ----------
    trace
        Of the guessed neuron.
    x, x_o
        Its summary statistics and the observed ones, each of shape (n_statistics,).
    away
        Their differences in units of the scatter over the prior, shape (n_statistics,).
    """

    trace: Trace
    x: np.ndarray
    x_o: np.ndarray
    away: np.ndarray

    @property
    def distance(self) -> float:
        """Root mean square of `away`."""
        return float(np.sqrt(np.mean(self.away**2)))


def attempt(observed: Trace, stimulus: Stimulus, scatter: Sequence[float], **parameters: float) -> Attempt:
    """Simulate a Pospischil neuron and compare its seven summary statistics with those of an observed trace.

    Parameters
    ----------
    observed
        The trace to be explained; its duration and time step are used.
    stimulus
        Under which it was observed.
    scatter
        Scatter of each statistic over the prior, above 0, shape (n_statistics,).
    **parameters
        Parameters of `Pospischil` that differ from their defaults.

    Raises
    ------
    ValueError
        If `scatter` has another shape or a value that is not above 0, or if a parameter is not allowed.
    """
    x_o, unit = summary_statistics(observed), plain("scatter", scatter, "numbers above 0")
    if unit.shape != x_o.shape or not (np.isfinite(unit) & (unit > 0)).all():
        raise ValueError(f"scatter = {unit}; allowed: {len(x_o)} numbers above 0, one for each statistic")
    trace = simulate(Pospischil(**parameters), stimulus, float(observed.t[-1]), observed.dt, seed=SEED)
    x = summary_statistics(trace)
    return Attempt(trace, x, x_o, (x - x_o) / unit)


def describe_attempt(tried: Attempt) -> str:
    """Describe the distance, the spikes, and the statistic that is farthest off."""
    worst = int(np.argmax(np.abs(tried.away)))
    name, unit = list(summary_statistics.units.items())[worst]
    values = " instead of ".join(f"{value:.4g}" for value in (tried.x[worst], tried.x_o[worst]))
    return (
        f"Distance {tried.distance:.3f}. {tried.x[0]:.0f} spikes, observed {tried.x_o[0]:.0f}. "
        f"Farthest off: {name.replace('_', ' ')}, {values}{f' {unit}' * bool(unit)}."
    )


def explore_conductances(observed: Trace, stimulus: Stimulus, scatter: Sequence[float]) -> Explorer:
    """Slide g_Na and g_K until the trace lies on the observed one; see each statistic's difference, and the distance.

    Parameters
    ----------
    observed, stimulus, scatter
        As in `attempt`.
    """
    figure = canvas(5.2)
    for_V, for_x = figure.subplots(2, height_ratios=[3, 2])
    first = attempt(observed, stimulus, scatter, **FIRST)
    for_V.plot(observed.t, observed.V, color=COLOURS["V"], linewidth=1.6)
    (yours,) = for_V.plot(first.trace.t, first.trace.V, color=COLOURS["m"], linestyle="--", linewidth=1.6)
    for_V.set(ylabel="V (mV)", ylim=(-115, 60), xlim=(0, observed.t[-1]), xlabel="time (ms)")
    for_V.set_title("solid, black: observed        dashed, orange: yours", fontsize=12)
    rows = np.arange(len(first.x))
    for_x.axhline(0.0, color=GUIDE, linewidth=1)
    bars = for_x.bar(rows, first.away, color=COLOURS["m"], width=0.5)
    for_x.set_yscale("symlog", linthresh=0.1, linscale=1.0)
    for_x.set(ylabel="yours - observed\n(scatter over prior)", ylim=(-20, 20), yticks=[-10, -1, 0, 1, 10])
    for_x.set_xticks(rows, [name.replace("_", "\n") for name in summary_statistics.names])
    for_x.set_yticklabels(["-10", "-1", "0", "1", "10"])

    def update(**parameters: float) -> str:
        tried = attempt(observed, stimulus, scatter, **parameters)
        yours.set_ydata(tried.trace.V)
        for bar, height in zip(bars, tried.away, strict=True):
            bar.set_height(float(np.clip(height, -20, 20)))
        return describe_attempt(tried)

    declared = Pospischil.parameters()
    sliders = [Slider(replace(declared[name], default=value)) for name, value in FIRST.items()]
    return Explorer(figure, update, {"": sliders})
