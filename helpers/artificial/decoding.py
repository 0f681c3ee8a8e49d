"""Neural codes: what the first milliseconds of a response tell about the stimulus, measured with a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from helpers.neurons.equations import Neuron
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary
from helpers.validation import number, numbers, one_of, whole_number

__all__ = ["CODES", "DecodingResult", "Responses", "decode", "decode_codes", "mutual_information", "simulate_responses"]

MAX_SPIKES = 40  # kept of a response
NO_SPIKE = 1e6  # ms; in place of the time of a spike that is missing
CODES = ("count", "latency", "interval")


@summary(rest=0, **{f"spike_{i + 1}": "ms" for i in range(MAX_SPIKES)})
def first_spikes(sweep):
    """Times [ms] since the onset of the first 40 spikes during the stimulus; 1e6 where there are fewer."""
    during = (sweep.spike_times > sweep.start) & (sweep.spike_times <= sweep.stop)
    found = sweep.spike_times[during][:MAX_SPIKES]
    times = np.full(MAX_SPIKES, NO_SPIKE)
    times[: len(found)] = found - sweep.start
    return times


@dataclass(frozen=True)
class Responses:
    """Spikes in several trials of several stimuli.

    Attributes
    ----------
    stimulus
        Index of the stimulus in each trial (n,).
    spikes
        Times of the spikes since its onset (n, 40) [ms]; 1e6 where there are fewer.
    """

    stimulus: np.ndarray
    spikes: np.ndarray

    def code(self, name: str, window: float) -> np.ndarray:
        """Compute what a decoder of the first `window` [ms] receives, (n,).

        Parameters
        ----------
        name
            "count": the number of spikes. "latency": the time of the first one [ms]. "interval": the mean time between
            two [ms]. If the window holds too few spikes, latency and interval are twice the window.
        window
            Length of the window [ms].

        Raises
        ------
        ValueError
            For another name, and for a window that is not above 0.
        """
        one_of("code", name, CODES)
        window = number("window", window, "ms", above=0.0, high=NO_SPIKE / 10)
        seen = self.spikes <= window
        count = seen.sum(1)
        if name == "count":
            return count.astype(float)
        if name == "latency":
            return np.where(count > 0, self.spikes[:, 0], 2.0 * window)
        last = self.spikes[np.arange(len(count)), np.maximum(count - 1, 0)]
        return np.where(count > 1, (last - self.spikes[:, 0]) / np.maximum(count - 1, 1), 2.0 * window)


def simulate_responses(neuron: Neuron, currents: Sequence[float], trials: int, length: float, seed: int) -> Responses:
    """Simulate the responses of a noisy neuron to step currents that begin after 50 ms without a current.

    Parameters
    ----------
    neuron
        A neuron with noise.
    currents
        Amplitudes of the steps (n_currents,).
    trials
        Repetitions of each.
    length
        Duration of the steps [ms].
    seed
        Seed of the noise.
    """
    levels = numbers("currents", currents, shape=(None,))
    stimulus = np.repeat(np.arange(len(levels)), whole_number("trials", trials, 1))
    length, onset = number("length", length, "ms", above=0.0), 50.0
    pulse, amplitudes = step(0.0, onset, onset + length), {"amplitude": levels[stimulus]}
    spikes = simulate_many(neuron, pulse, amplitudes, onset + length, 0.025, seed=seed, summarise=first_spikes)
    return Responses(stimulus, spikes)


# -------------------------------------------------------------------------------------------------------- decoding


@dataclass(frozen=True)
class DecodingResult:
    """How well a decoder guesses the stimulus.

    Attributes
    ----------
    information
        Mutual information of stimulus and guess [bit].
    chance
        The same with the stimuli shuffled: the bias from a finite number of responses [bit].
    correct
        Fraction of correct guesses.
    """

    information: float
    chance: float
    correct: float


def mutual_information(table: np.ndarray) -> float:
    """Compute the mutual information [bit] of a table of counts (n_stimuli, n_guesses).

    Raises
    ------
    ValueError
        Unless the table has two dimensions and holds counts from 0 up, not all of them 0.
    """
    table = numbers("table", table, shape=(None, None), low=0.0, high=1e100)
    if not table.any():
        raise ValueError("table holds nothing but 0; allowed: counts from 0 up, not all of them 0")
    return float(entropy(table.sum(0), base=2) + entropy(table.sum(1), base=2) - entropy(table.ravel(), base=2))


def decode(features: np.ndarray, stimulus: np.ndarray, seed: int = 0, neighbours: int = 15) -> DecodingResult:
    """Guess the stimulus from features of the responses by k nearest neighbours, with five-fold cross-validation.

    Parameters
    ----------
    features
        Features of the responses, (n,) or (n, n_features).
    stimulus
        Index of the stimulus of each response (n,), at least 5 responses to each.
    seed
        Seed of the folds and of the shuffling.
    neighbours
        Number of neighbours.
    """
    x, given = numbers("features", features, low=-1e100, high=1e100), numbers("stimulus", stimulus, low=0.0, high=1e4)
    if x.ndim not in (1, 2) or given.shape != x.shape[:1]:
        raise ValueError(f"features {x.shape} and stimulus {given.shape}; allowed: one row for each response")
    stimulus = given.astype(int)
    if (stimulus != given).any() or np.unique(stimulus, return_counts=True)[1].min() < 5:
        raise ValueError("stimulus: allowed: integers from 0, at least 5 responses to each stimulus")
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    neighbours = whole_number("neighbours", neighbours, 1, len(x) - -(-len(x) // 5))
    x = x.reshape(len(x), -1)
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1.0)
    random = np.random.default_rng(seed)
    x = x + 1e-6 * random.standard_normal(x.shape)  # equal counts are equally near, whatever their order

    def decoded(labels: np.ndarray) -> tuple[float, float]:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        guess = cross_val_predict(KNeighborsClassifier(neighbours), x, labels, cv=folds)
        return float(mutual_info_score(labels, guess) / np.log(2)), float((guess == labels).mean())

    information, correct = decoded(stimulus)
    return DecodingResult(information, decoded(random.permutation(stimulus))[0], correct)


def decode_codes(responses: Responses, window: float) -> dict[str, DecodingResult]:
    """Guess the stimulus from each of `CODES` in the first `window` [ms] of the responses, as `decode` does."""
    return {code: decode(responses.code(code, window), responses.stimulus) for code in CODES}
