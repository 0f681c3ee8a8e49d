"""Checks of the simulators' arguments: each function returns an argument in its proper form, or refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.validation import MOST_STEPS, did_you_mean, instance, number, one_of, whole_steps

from .integrators import EXPONENTIAL_EULER, METHODS
from .stimuli import Stimulus, Waveform

__all__ = ["as_seed", "as_stimulus", "check_window", "number_of_steps", "prefixed", "values_of_simulations"]


def number_of_steps(duration: float, dt: float, method: str, neuron: Neuron, most: int = MOST_STEPS) -> int:
    """Return how many steps of `dt` make `duration` [ms], at most `most`."""
    one_of("method", method, (*METHODS, "lsoda"))
    instance("neuron", neuron, Neuron, "a neuron, e.g. HodgkinHuxley()")
    dt, duration = number("dt", dt, "ms"), number("duration", duration, "ms")
    # The Runge-Kutta methods of higher order show by overflow when dt is too large; first order errs silently.
    largest = neuron.max_dt if method in (EXPONENTIAL_EULER, "euler") else np.inf
    if not 0 < dt <= largest:
        above = f" and at most {largest:g} ms" if np.isfinite(largest) else ""
        raise ValueError(f"dt = {dt:g} ms; allowed for {method}: above 0{above}")
    if not duration >= dt:
        raise ValueError(f"duration = {duration:g} ms; allowed: at least one step of {dt:g} ms")
    return whole_steps("duration", duration, dt, most=most)


def as_stimulus(stimulus: Stimulus | np.ndarray, n_steps: int, dt: float) -> Stimulus:
    """Return a stimulus unchanged, or an array of samples as a `Waveform` of the right length."""
    if isinstance(stimulus, Waveform) and abs(stimulus.dt - dt) > 1e-9 * dt:
        raise ValueError(f"the waveform is sampled every {stimulus.dt:g} ms, the simulation every dt = {dt:g} ms")
    if not isinstance(stimulus, Stimulus):
        if isinstance(stimulus, type | str | Real | None):
            found = f"is the class {stimulus.__name__}" if isinstance(stimulus, type) else f"= {stimulus!r}"
            example = f"{stimulus:g}" if isinstance(stimulus, Real) and not isinstance(stimulus, bool) else "10.0"
            duration = float(f"{n_steps * dt:.12g}")
            start, stop = (10.0 if duration > 20.0 else 0.0), min(duration, 110.0)
            raise ValueError(
                f"stimulus {found}; allowed: a stimulus, such as step({example}, start={start}, stop={stop}), or an "
                "array of samples"
            )
        stimulus = Waveform.from_samples(stimulus, dt)
    if isinstance(stimulus, Waveform) and len(stimulus.samples) != n_steps + 1:
        raise ValueError(
            f"the stimulus has {len(stimulus.samples)} samples; allowed: {n_steps + 1}, one every {dt:g} ms from 0 to "
            f"{n_steps * dt:g} ms"
        )
    return stimulus


def check_window(stimulus: Stimulus, stop: float | np.ndarray, duration: float) -> None:
    """Refuse a stimulus that ends after the simulation, at `stop` or, in several simulations, at one of these times."""
    last = np.max(stop)
    if last > duration * (1 + 1e-9):
        kind = type(stimulus).__name__
        given = f"; {last:g} ms is the default stop of {kind}" if last == stimulus.parameters()["stop"].default else ""
        raise ValueError(
            f"the stimulus lasts until stop = {last:g} ms; allowed: at most the duration, {duration:g} ms{given}"
        )


def as_seed(seed: int | tuple[int, int] | None) -> tuple[int, int]:
    """Return the seed and the number of the simulation; None draws a seed."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1)), 0
    pair = seed if isinstance(seed, tuple) else (seed, 0)
    whole = [isinstance(n, int | np.integer) and not isinstance(n, bool | np.timedelta64) for n in pair]
    if len(pair) != 2 or not all(whole) or not all(0 <= n < 2**63 for n in pair):
        raise ValueError(f"seed = {seed!r}; allowed: an integer from 0 to 2^63 - 1, or a pair (seed, simulation)")
    return int(pair[0]), int(pair[1])


def values_of_simulations(
    neuron: Neuron, stimulus: Stimulus, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return every constant by name of its row, one number or (n_sims,), and n_sims."""
    values: dict[str, Any] = {**neuron.values(), **prefixed(stimulus.values())}
    known = {**prefixed(stimulus.parameters()), **neuron.parameters()}
    lengths = set()
    for name, given in instance("parameters", parameters, Mapping, "arrays by name").items():
        row = name if name in neuron.parameters() else f"stimulus_{name}"
        if row not in known:
            allowed = (*neuron.parameters(), *stimulus.parameters())
            near = did_you_mean(str(name), allowed)
            raise ValueError(f"unknown parameter {name!r}{near or ';'} allowed: {', '.join(allowed)}")
        values[row] = known[row].check(given)
        lengths.add(values[row].shape)
    if len(lengths) != 1 or len(next(iter(lengths))) != 1 or lengths == {(0,)}:
        shapes = ", ".join(f"{name} {np.shape(given)}" for name, given in parameters.items())
        raise ValueError(f"parameters must be arrays of one and the same length, at least 1; got {shapes or 'none'}")
    stimulus.check_together({name: values[f"stimulus_{name}"] for name in stimulus.parameters()})
    return values, lengths.pop()[0]


def prefixed(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a stimulus under the names of their rows."""
    return {f"stimulus_{name}": value for name, value in entries.items()}
