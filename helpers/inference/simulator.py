"""Simulations of a neuron as inference uses them, and a description of them that a file can hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.neurons.equations import Neuron
from helpers.simulation.arguments import as_stimulus, number_of_steps
from helpers.simulation.batch import simulate_many
from helpers.simulation.integrators import EXPONENTIAL_EULER
from helpers.simulation.spikes import spike_events, spike_rule, times_of
from helpers.simulation.stimuli import Stimulus, Waveform
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.validation import instance

from .fingerprint import fingerprint
from .priors import Prior

__all__ = [
    "DESCRIBED",
    "CombinedSimulator",
    "NeuronSimulator",
    "described",
    "differences",
    "fingerprint_of_equations",
    "without_inferred",
]

DESCRIBED = ("neuron", "stimulus", "duration", "dt", "summarise")


@dataclass(frozen=True)
class NeuronSimulator:
    """A simulator for inference: parameters and a seed in, summary statistics out.

    A posterior that was trained with one (`train_npe(..., simulator=...)`, `truncated_rounds`) remembers what was
    simulated, and refuses observations that were made in another way.

    Parameters
    ----------
    neuron, stimulus
        As in `simulate_many`.
    prior
        Names the parameters that vary.
    duration, dt
        Of a simulation and of its time step [ms].
    summarise
        The summary statistics.

    Examples
    --------
    >>> simulator = NeuronSimulator(Pospischil(), step(3.248, 10.0, 110.0), prior, 120.0)
    >>> x = simulator(theta, seed=1)  # (n, n_statistics) for theta (n, n_parameters)
    """

    neuron: Neuron
    stimulus: Stimulus | np.ndarray
    prior: Prior
    duration: float
    dt: float = 0.01
    summarise: Summary = summary_statistics

    def __post_init__(self) -> None:
        n_steps = number_of_steps(self.duration, self.dt, EXPONENTIAL_EULER, self.neuron)
        instance("prior", self.prior, Prior, "a Prior")
        instance("summarise", self.summarise, Summary, "a Summary, such as summary_statistics")
        object.__setattr__(self, "stimulus", as_stimulus(self.stimulus, n_steps, float(self.dt)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics."""
        return self.summarise.names

    def __call__(self, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the statistics (n, n_statistics) of simulations with parameters `theta` (n, n_parameters)."""
        parameters = self.prior.by_name(theta)
        return simulate_many(
            self.neuron, self.stimulus, parameters, self.duration, self.dt, seed=seed, summarise=self.summarise
        )

    def check_prior(self, prior: Prior) -> None:
        """Raise ValueError unless `prior` has the same parameters in the same order, as columns have no names."""
        if prior.names != self.prior.names:
            wanted = f"{', '.join(self.prior.names)}, in this order"
            raise ValueError(f"a prior over {', '.join(prior.names)}; the simulator takes {wanted}")

    def as_data(self) -> dict[str, Any]:
        """Return what is simulated as plain data, see `described`."""
        assert isinstance(self.stimulus, Stimulus)
        return described(self.neuron, self.stimulus, self.duration, self.dt, self.summarise)


@dataclass(frozen=True)
class CombinedSimulator:
    """Several experiments with the same neuron, as one simulator: their statistics side by side.

    Each experiment has noise of its own. The first one has the noise that it would have alone with the same seed.

    Parameters
    ----------
    experiments
        A `NeuronSimulator` by name for each experiment, all with the same prior.

    Examples
    --------
    >>> both = CombinedSimulator({"up": NeuronSimulator(...), "down": NeuronSimulator(...)})
    >>> both(theta, seed=1)  # (n, 14)
    """

    experiments: Mapping[str, NeuronSimulator]

    def __post_init__(self) -> None:
        instance("experiments", self.experiments, Mapping, "a NeuronSimulator by name for each experiment")
        if not self.experiments:
            raise ValueError("experiments is empty; allowed: at least one NeuronSimulator")
        first = next(iter(self.experiments.values()))
        for name, one in self.experiments.items():
            instance(f"experiments[{name!r}]", one, NeuronSimulator, "a NeuronSimulator")
            if one.prior.as_data() != first.prior.as_data():
                raise ValueError(f"experiments[{name!r}] has another prior than the first; allowed: one for all")
        object.__setattr__(self, "experiments", dict(self.experiments))

    @property
    def prior(self) -> Prior:
        """What parameters are drawn from."""
        return next(iter(self.experiments.values())).prior

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics, each after the name of its experiment."""
        return tuple(f"{name}: {one}" for name, part in self.experiments.items() for one in part.names)

    def __call__(self, theta: np.ndarray, seed: int) -> np.ndarray:
        """Return the statistics (n, n_statistics) of simulations with parameters `theta` (n, n_parameters)."""
        return np.hstack([part(theta, seed + number) for number, part in enumerate(self.experiments.values())])

    def as_data(self) -> dict[str, Any]:
        """Return what is simulated as plain data: that of each experiment by its name."""
        return {name: part.as_data() for name, part in self.experiments.items()}


def described(
    neuron: Neuron, stimulus: Stimulus, duration: float, dt: float, summarise: Summary | Callable[..., Any]
) -> dict[str, Any]:
    """Return what is simulated as plain data that can be stored and compared. Code is represented by a fingerprint."""
    samples = stimulus.samples if isinstance(stimulus, Waveform) else None
    function = summarise.compiled if isinstance(summarise, Summary) else summarise
    detector = (spike_events, times_of, spike_rule(neuron)) if _looks_at_spikes(function) else ()
    return {
        "neuron": {
            "class": type(neuron).__name__,
            "parameters": neuron.values(),
            "equations": fingerprint_of_equations(type(neuron)),
        },
        "stimulus": {
            "class": type(stimulus).__name__,
            "parameters": stimulus.values(),
            "waveform": fingerprint(stimulus.I and stimulus.I.function, samples),
        },
        "summarise": {
            "statistics": list(summarise.names) if isinstance(summarise, Summary) else [],
            "function": fingerprint(function, *detector),
        },
        "duration": round(float(duration), 9),  # 12 000 · 0.01 ms is 120 ms
        "dt": float(dt),
    }


def _looks_at_spikes(function: Any) -> bool:
    """Whether a summary, or a compiled function that it calls, uses the spikes that were found before."""
    plain = getattr(function, "py_func", function)
    names = set(plain.__code__.co_names)
    called = [plain.__globals__[name] for name in names if hasattr(plain.__globals__.get(name), "py_func")]
    return bool(names & {"spikes", "spike_times"}) or any(map(_looks_at_spikes, called))


def fingerprint_of_equations(kind: type[Neuron]) -> str:
    """64 hexadecimal digits that stand for what the equations of a class of neurons compute."""
    return fingerprint({name: (one.kind, one.arguments, one.function) for name, one in kind.equations.items()})


def without_inferred(simulated: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Leave the inferred parameters, of these names, out of a description of simulations: they vary anyway."""
    parts = dict(simulated)
    for name in ("neuron", "stimulus"):
        values = {key: value for key, value in parts[name]["parameters"].items() if key not in names}
        parts[name] = {**parts[name], "parameters": values}
    return parts


def differences(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Yield, in words, which entries of two descriptions differ."""
    for name in {**old, **new}:
        a, b = old.get(name), new.get(name)
        if a == b:
            continue
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, f"{where}{name}: ")
        else:
            short = all(isinstance(value, int | float) or len(str(value)) <= 20 for value in (a, b))
            yield f"{where}{name}" + (f" {a}, now {b}" if short else " differs")
