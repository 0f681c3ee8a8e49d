"""What spikes tell about a stimulus: codes read off the first milliseconds of a response, and their decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from helpers.neurons.equations import Neuron
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary
from helpers.validation import number, numbers, plain, whole_number

__all__ = ["CODES", "Decoded", "Responses", "confusion", "decode", "information", "respond"]

MOST = 40  # spikes kept of a response
NONE = 1e6  # ms; stands for a spike that never came
CODES = ("count", "latency", "interval")


@summary(**{f"spike_{i + 1}": "ms" for i in range(MOST)})
def first_spikes(sweep):
    """Times [ms] since the onset of the first 40 spikes during the stimulus; 1e6 where there are fewer."""
    during = (sweep.spike_times > sweep.start) & (sweep.spike_times <= sweep.stop)
    found = sweep.spike_times[during][:MOST]
    times = np.full(MOST, NONE)
    times[: len(found)] = found - sweep.start
    return times


@dataclass(frozen=True)
class Responses:
    """Which stimulus (n,), counted from 0, and the times of the spikes since its onset, (n, 40) [ms], 1e6 for none."""

    stimulus: np.ndarray
    spikes: np.ndarray

    def code(self, name: str, window: float) -> np.ndarray:
        """What a reader of the first `window` [ms] sees, (n,).

        "count": the number of spikes. "latency": the time of the first one [ms]. "interval": the mean time between two
        [ms]. Where the window holds no spike, or only one, latency and interval are twice the window.
        Raises ValueError for another name, and for a window that is not above 0.
        """
        if not (isinstance(name, str) and name in CODES):
            raise ValueError(f"code {name!r}; allowed: {', '.join(CODES)}")
        window = number("window", window, "ms", above=0.0, high=NONE / 10)
        seen = self.spikes <= window
        count = seen.sum(1)
        if name == "count":
            return count.astype(float)
        if name == "latency":
            return np.where(count > 0, self.spikes[:, 0], 2.0 * window)
        last = self.spikes[np.arange(len(count)), np.maximum(count - 1, 0)]
        return np.where(count > 1, (last - self.spikes[:, 0]) / np.maximum(count - 1, 1), 2.0 * window)


def respond(neuron: Neuron, currents: Sequence[float], trials: int, length: float, seed: int) -> Responses:
    """The spikes of `neuron`, with its noise, to each of some step currents [µA/cm²], `trials` times, for `length` ms.

    Before the step the neuron stands under its noise alone for 50 ms.
    """
    currents = numbers("currents", currents, shape=(None,))
    stimulus = np.repeat(np.arange(len(currents)), whole_number("trials", trials, 1))
    held, length = {"amplitude": currents[stimulus]}, number("length", length, "ms", above=0.0)
    onset = 50.0
    pulse = step(0.0, onset, onset + length)
    spikes = simulate_many(neuron, pulse, held, onset + length, 0.025, seed=seed, summarise=first_spikes)
    return Responses(stimulus, spikes)


# -------------------------------------------------------------------------------------------------------- decoding


@dataclass(frozen=True)
class Decoded:
    """information: [bit] between stimulus and guess. chance: the same with the stimuli shuffled, what a decoder that
    knows nothing seems to have because the responses are finitely many. correct: share of right guesses."""

    information: float
    chance: float
    correct: float


def information(table: np.ndarray) -> float:
    """Mutual information [bit] of a table of counts (n_stimuli, n_guesses): sum of p·log2(p/(p_row·p_column))."""
    p = plain("table", table, "counts from 0 up")
    if p.ndim != 2 or not (np.isfinite(p).all() and (p >= 0).all() and p.sum() > 0):
        raise ValueError(f"table {p.shape}; allowed: two dimensions, counts from 0 up, not all of them 0")
    if p.sum() > 1e100:
        raise ValueError(f"table holds {p.sum():g}; allowed: up to 1e100")
    p = p / p.sum()
    independent = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    some = p > 0
    return float((p[some] * np.log2(p[some] / independent[some])).sum())


def confusion(stimulus: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """How often stimulus i (row) was taken for j (column); both (n,), counted from 0."""
    stimulus, guess = _checked_classes("stimulus", stimulus), _checked_classes("guess", guess)
    if len(stimulus) != len(guess):
        raise ValueError(f"stimulus and guess differ in length: {len(stimulus)}, {len(guess)}")
    size = int(max(stimulus.max(), guess.max())) + 1
    table = np.zeros((size, size), dtype=int)
    np.add.at(table, (stimulus, guess), 1)
    return table


def _checked_classes(name: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 up, (n,)."""
    given = numbers(name, values, shape=(None,), low=0.0, high=1e4)
    if (given != np.round(given)).any():
        raise ValueError(f"{name} holds {given[given != np.round(given)][0]:g}; allowed: whole numbers from 0")
    return given.astype(int)


def decode(features: np.ndarray, stimulus: np.ndarray, seed: int = 0, neighbours: int = 15) -> Decoded:
    """Guess the stimulus (n,) from features (n,) or (n, n_features) of the responses, by the nearest other responses.

    A response is never used to decode itself: five-fold cross-validation, whose folds `seed` makes.
    """
    stimulus, x = _checked_classes("stimulus", stimulus), numbers("features", features, low=-1e100, high=1e100)
    if x.ndim not in (1, 2) or len(x) != len(stimulus):
        raise ValueError(f"features {x.shape} and stimulus ({len(stimulus)},); allowed: one row for each response")
    if np.bincount(stimulus)[np.unique(stimulus)].min() < 5:
        raise ValueError("stimulus: one of them has fewer than 5 responses; allowed: at least 5 of each")
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    neighbours = whole_number("neighbours", neighbours, 1, len(x) - -(-len(x) // 5))
    x = x.reshape(len(x), -1)
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1.0)
    random = np.random.default_rng(seed)
    x = x + 1e-6 * random.standard_normal(x.shape)  # equal counts are equally near, whatever their order
    shuffled = random.permutation(stimulus)

    def guesses(labels: np.ndarray) -> np.ndarray:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        return cross_val_predict(KNeighborsClassifier(neighbours), x, labels, cv=folds)

    guess = guesses(stimulus)
    chance = information(confusion(shuffled, guesses(shuffled)))
    return Decoded(information(confusion(stimulus, guess)), chance, float((guess == stimulus).mean()))
