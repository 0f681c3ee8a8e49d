"""The explorer of notebook 2: find the conductances behind a trace by hand.

Behind it stands one pure function, `attempt`. It measures how far off a guess is as rejection ABC does (rejection_abc.py):
the statistics' differences from the observed ones, each in units of its scatter over the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.figures.colours import COLOURS
from helpers.neurons.models import Pospischil
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import summary_statistics
from helpers.simulation.trace import Trace
from helpers.validation import plain

from .controls import Dial
from .explorer import Explorer, canvas

__all__ = ["Attempt", "attempt", "attempt_in_words", "explore_conductances"]

SEED = 0  # of the noise of every attempt: then only the conductances make a difference
FIRST = {"g_Na": 25.0, "g_K": 10.0}  # where the dials stand first, mS/cm²


@dataclass(frozen=True)
class Attempt:
    """A guess and how far off it is.

    trace: what the guessed neuron does. x, x_o: (n_statistics,) its statistics and the observed ones. away:
    (n_statistics,) their differences in units of `scatter` over the prior. distance: root mean square of `away`.
    """

    trace: Trace
    x: np.ndarray
    x_o: np.ndarray
    away: np.ndarray

    @property
    def distance(self) -> float:
        return float(np.sqrt(np.mean(self.away**2)))


def attempt(observed: Trace, stimulus: Stimulus, scatter: Sequence[float], **parameters: float) -> Attempt:
    """Simulate a Pospischil neuron with these `parameters` as `observed` was, and compare the seven statistics.

    scatter: (n_statistics,) of each statistic over the prior, above 0.
    Raises ValueError for a scatter that does not fit, and for a bad parameter.
    """
    x_o, unit = summary_statistics(observed), plain("scatter", scatter, "numbers above 0")
    if unit.shape != x_o.shape or not (np.isfinite(unit) & (unit > 0)).all():
        raise ValueError(f"scatter = {unit}; allowed: {len(x_o)} numbers above 0, one for each statistic")
    trace = simulate(Pospischil(**parameters), stimulus, float(observed.t[-1]), observed.dt, seed=SEED)
    x = summary_statistics(trace)
    return Attempt(trace, x, x_o, (x - x_o) / unit)


def attempt_in_words(tried: Attempt) -> str:
    """Spikes, the distance, and the statistic that is farthest off."""
    worst = int(np.argmax(np.abs(tried.away)))
    name, unit = list(summary_statistics.units.items())[worst]
    values = " instead of ".join(f"{value:.4g}" for value in (tried.x[worst], tried.x_o[worst]))
    return (
        f"Distance {tried.distance:.3f}. {tried.x[0]:.0f} spikes, observed {tried.x_o[0]:.0f}. "
        f"Farthest off: {name.replace('_', ' ')}, {values}{f' {unit}' * bool(unit)}."
    )


def explore_conductances(observed: Trace, stimulus: Stimulus, scatter: Sequence[float]) -> Explorer:
    """Slide g_Na and g_K until the trace lies on the observed one; see each statistic's difference, and the distance.

    scatter: see `attempt`.
    """
    figure = canvas(5.2)
    for_V, for_x = figure.subplots(2, height_ratios=[3, 2])
    first = attempt(observed, stimulus, scatter, **FIRST)
    for_V.plot(observed.t, observed.V, color=COLOURS["V"], linewidth=1.6)
    (yours,) = for_V.plot(first.trace.t, first.trace.V, color=COLOURS["m"], linestyle="--", linewidth=1.6)
    for_V.set(ylabel="V (mV)", ylim=(-115, 60), xlim=(0, observed.t[-1]), xlabel="time (ms)")
    for_V.set_title("solid, black: observed        dashed, orange: yours", fontsize=12)
    rows = np.arange(len(first.x))
    for_x.axhline(0.0, color="0.6", linewidth=1)
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
        return attempt_in_words(tried)

    declared = Pospischil.parameters()
    dials = [Dial(replace(declared[name], default=value)) for name, value in FIRST.items()]
    return Explorer(figure, update, {"": dials})
