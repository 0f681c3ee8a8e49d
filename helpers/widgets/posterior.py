"""The posterior explorer of notebook 2: choose a neuron and see at once what can be inferred from its trace."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from helpers.figures.colours import COLOURS
from helpers.inference.posterior import Posterior
from helpers.inference.sharpening import sharpened
from helpers.inference.simulator import NeuronSimulator
from helpers.inference.warning_classes import InferenceWarning
from helpers.neurons.equations import Neuron
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.simulation.trace import Trace

from .controls import Dropdown, Slider
from .explorer import Explorer, canvas

__all__ = ["Inferred", "explore_posterior", "inferred", "describe_inferred"]

DRAWS = 1000
CENTRAL = (2.5, 97.5)  # percentiles: a 95 % interval
CLOSE_UP = 4.0  # how many posterior SDs the close-up shows on either side of the mean


@dataclass(frozen=True)
class Inferred:
    """What a posterior infers from the trace of a neuron whose parameters are known.

    Attributes
    ----------
    posterior
        The posterior.
    truth
        Parameters of the neuron, shape (n_parameters,).
    trace, x_o
        Its trace and summary statistics, shape (n_statistics,).
    samples
        Draws from the posterior, shape (n_draws, n_parameters).
    warned
        What the posterior warned of: an `x_o` outside all training simulations, draws at the edge of the prior; or "".
    n_simulations
        How many simulations sharpened the answer; 0 for that of the network alone.
    """

    posterior: Posterior
    truth: np.ndarray
    trace: Trace
    x_o: np.ndarray
    samples: np.ndarray
    warned: str
    n_simulations: int = 0

    @property
    def interval(self) -> np.ndarray:
        """Ends of the central 95 % interval of each parameter, shape (2, n_parameters)."""
        return np.percentile(self.samples, CENTRAL, axis=0)

    @property
    def inside(self) -> np.ndarray:
        """Whether each interval contains the truth, shape (n_parameters,)."""
        low, high = self.interval
        return (low <= self.truth) & (self.truth <= high)


def inferred(
    posterior: Posterior,
    neuron: Neuron,
    stimulus: Stimulus,
    duration: float,
    *,
    seed: int,
    dt: float | None = None,
    summarise: Summary = summary_statistics,
    sharpen: bool = False,
    **truth: float,
) -> Inferred:
    """Simulate a neuron with known parameters and infer them from its trace.

    Parameters
    ----------
    posterior
        Trained on such simulations.
    neuron, stimulus, duration, summarise
        Those of the training.
    seed
        Of the noise and of the draws.
    dt
        Time step [ms], by default that of the training.
    sharpen
        Whether to sharpen the network's answer with new simulations, see `sharpened`. Where that is not possible, the
        answer is the network's, and `warned` says why.
    **truth
        One value for each parameter of the posterior's prior.

    Raises
    ------
    ValueError
        For other names, a truth outside the prior, or a simulation that differs from those of the training.
    """
    prior = posterior.prior
    if set(truth) != set(prior.names):
        raise ValueError(f"truth names {', '.join(truth) or 'nothing'}; allowed: one value each for {prior.names}")
    values = prior.check(np.array([truth[name] for name in prior.names]), "truth")
    dt = posterior.check_simulation(neuron, stimulus, duration, dt=dt, summarise=summarise)
    chosen = type(neuron)(**{**neuron.values(), **truth})
    trace = simulate(chosen, stimulus, duration, dt, seed=seed)
    x_o, made, refused = summarise(trace), 0, []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        samples = posterior.sample(DRAWS, x_o, seed)
        if sharpen:
            try:
                sharper = sharpened(
                    posterior, NeuronSimulator(neuron, stimulus, prior, duration, dt, summarise), x_o, seed
                )
                samples, made = sharper.sample(DRAWS, x_o, seed), sharper.n_simulations
            except ValueError as failure:
                refused = [f"not sharpened: {failure}"]
    warned = "; ".join([*(str(one.message) for one in said if issubclass(one.category, InferenceWarning)), *refused])
    return Inferred(posterior, values, trace, x_o, samples, warned, made)


def describe_inferred(result: Inferred) -> str:
    """Describe the spikes, the mean and 95 % interval of each parameter, and whether the truth is inside."""
    prior, count = result.posterior.prior, len(result.trace.spike_times)
    rows = zip(prior.parameters, result.truth, result.samples.mean(axis=0), *result.interval, strict=True)
    digits = 5 if result.n_simulations else 3
    found = "; ".join(
        f"{declared.name} {mean:.{digits}g}, 95 % between {low:.{digits}g} and {high:.{digits}g} {declared.unit} "
        f"(truth {value:.{digits}g})"
        for declared, value, mean, low, high in rows
    )
    missed = [name for name, held in zip(prior.names, result.inside, strict=True) if not held]
    verdict = f"The interval of {' and of '.join(missed)} misses the truth" if missed else "Both hold the truth"
    warned = f" Beware: {result.warned}." if result.warned else ""
    how = f" with {result.n_simulations:,} new simulations" if result.n_simulations else ""
    return f"{count} spike{'s' * (count != 1)}. Inferred{how}: {found}. {verdict}.{warned}"


def explore_posterior(
    posterior: Posterior,
    neuron: Neuron,
    stimulus: Stimulus,
    duration: float,
    *,
    seed: int = 0,
    dt: float | None = None,
    summarise: Summary = summary_statistics,
) -> Explorer:
    """Choose the two parameters of a neuron; see its trace and the posterior, on the whole prior and close up.

    Parameters
    ----------
    posterior, neuron, stimulus, duration, seed, dt, summarise
        As in `inferred`.

    Raises
    ------
    ValueError
        If the posterior does not have two parameters or was trained on other simulations.
    """
    prior = posterior.prior
    if len(prior.names) != 2:
        raise ValueError(f"a posterior of {', '.join(prior.names)}; allowed: of two parameters")
    dt = posterior.check_simulation(neuron, stimulus, duration, dt=dt, summarise=summarise)
    figure = canvas(5.2)
    grid = figure.add_gridspec(2, 2, height_ratios=[1, 1.35])
    for_V, for_prior, for_close = (figure.add_subplot(part) for part in (grid[0, :], grid[1, 0], grid[1, 1]))
    (line_V,) = for_V.plot([], [], color=COLOURS["V"])
    for_V.set(xlabel="time (ms)", ylabel="V (mV)", xlim=(0, duration), ylim=(-120, 70))
    clouds, marks = [], []
    shown = (for_prior, "o", "circle", "on the whole prior"), (for_close, "+", "cross", "close up")
    for ax, mark, word, where in shown:
        clouds += ax.plot([], [], ".", color=COLOURS["I_K"], alpha=0.35, markersize=4)
        marks += ax.plot([], [], mark, color=COLOURS["I_Na"], markersize=18, markeredgewidth=2.5, fillstyle="none")
        ax.set(xlabel=prior.labels[0], ylabel=prior.labels[1])
        ax.set_title(f"posterior {where}; {word}: truth", fontsize=11)
        ax.locator_params(nbins=5)
    for_prior.set(xlim=(prior.lower[0], prior.upper[0]), ylim=(prior.lower[1], prior.upper[1]))

    def update(sharpen: bool, **truth: float) -> str:
        result = inferred(
            posterior, neuron, stimulus, duration, dt=dt, seed=seed, summarise=summarise, sharpen=sharpen, **truth
        )
        line_V.set_data(result.trace.t, result.trace.V)
        for cloud, mark in zip(clouds, marks, strict=True):
            cloud.set_data(*result.samples.T)
            mark.set_data(*result.truth[:, None])
        middle, reach = result.samples.mean(axis=0), CLOSE_UP * result.samples.std(axis=0)
        reach = np.maximum(reach, 1.1 * np.abs(result.truth - middle))  # the truth is seen, too
        for_close.set(xlim=middle[0] + reach[0] * np.array([-1, 1]), ylim=middle[1] + reach[1] * np.array([-1, 1]))
        return describe_inferred(result)

    declared = neuron.parameters()
    sliders = [
        Slider(replace(declared[name], low=low, high=high, default=getattr(neuron, name)))
        for name, low, high in zip(prior.names, prior.lower, prior.upper, strict=True)
    ]
    meaning = "simulate 3,000 more neurons around the network's answer, which takes some seconds"
    return Explorer(figure, update, {"": [*sliders, Dropdown("sharpen", {"no": False, "yes": True}, False, meaning)]})
