"""The exercises of lesson 3: a neuron of one's own next to an artificial unit, its spikes, its codes and its costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch

from helpers.artificial.decoding import mutual_information
from helpers.artificial.learning_rules import Weights, backprop, gradient_angle, initial_weights
from helpers.artificial.rate_laws import lif_rate, lif_rheobase
from helpers.artificial.tasks import Task, digits
from helpers.neurons.models import HodgkinHuxley, LeakyIntegrateAndFire
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Waveform, step
from helpers.simulation.trace import Trace
from helpers.validation import number, numbers, whole_number

from .sheet import Sheet, Verdict, close, exercise, hint, needs, right, slip

__all__ = ["Lesson3"]

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
AVOGADRO = 6.022e23
JOULE_PER_MOL = 50e3  # of ATP, in a cell
JOULE_PER_MAC = 4.6e-12  # a multiply-and-add of 32-bit floats: Horowitz 2014
AVERAGES = 6


def _rates(sheet: Lesson3, rate: Callable[[LeakyIntegrateAndFire, float], float]) -> list[Any]:
    return [[[rate(neuron, current) for current in currents] for neuron, currents in sheet.rate_cases]]


def _slopes(sheet: Lesson3, slope: Callable[[torch.Tensor, float], torch.Tensor]) -> list[Any]:
    return [[slope(sheet.distances.clone(), width) for width in sheet.widths]]


def _informations(sheet: Lesson3, information: Callable[[np.ndarray], float]) -> list[Any]:
    return [[information(table.copy()) for table in sheet.tables]]


def _averages(sheet: Lesson3, average: Callable[..., Weights], trials: int) -> list[Any]:
    """The averages themselves, a row each: their angle to the gradient is for the judge."""
    trials = whole_number("trials", trials, 1, 2000)
    draw = torch.Generator().manual_seed(1)
    found = [average(sheet.weights, *sheet.batch, draw, trials) for _ in range(AVERAGES)]
    if any(one is None or one is ... for one in found):
        return [None]
    return [[torch.cat([W.ravel() for W in one]) for one in found], trials]


class Lesson3(Sheet):
    """The exercises of lesson 3 with the values of one student. `seed` is the student number."""

    lesson = 3
    axon = HodgkinHuxley()

    # ------------------------------------------------------------------------------------ what belongs to the student
    @cached_property
    def lif(self) -> LeakyIntegrateAndFire:
        """An integrate-and-fire neuron of one's own."""
        random = self.random("lif")
        return LeakyIntegrateAndFire(
            g_L=float(random.integers(7, 13)),
            tau_m=float(random.integers(8, 15)),
            V_reset=float(random.integers(-75, -64)),
            t_ref=float(random.integers(2, 5)),
        )

    @cached_property
    def rate_cases(self) -> list[tuple[LeakyIntegrateAndFire, tuple[float, ...]]]:
        """Neurons, and currents [pA] below and above the rheobase of each."""
        neurons = self.lif, LeakyIntegrateAndFire(tau_m=15.0, V_reset=-60.0, t_ref=0.0)
        return [(one, tuple(share * lif_rheobase(one) for share in (0.0, 0.9, 1.3, 3.0))) for one in neurons]

    @cached_property
    def currents(self) -> np.ndarray:
        """Constant currents from 0 to three times the rheobase of the neuron [pA], (61,)."""
        return np.linspace(0.0, 3.0 * lif_rheobase(self.lif), 61)

    @cached_property
    def rates(self) -> np.ndarray:
        """The rates of the neuron at these currents [Hz], (61,)."""
        return lif_rate(self.lif, self.currents)

    @cached_property
    def tables(self) -> list[np.ndarray]:
        """Tables of counts: a perfect reader, a useless one, and one of one's own."""
        random = self.random("tables")
        stimulus = np.repeat(np.arange(6), 30)
        guess = np.where(random.random(180) < 0.5, stimulus, random.integers(0, 6, 180))
        own = np.zeros((6, 6))
        np.add.at(own, (stimulus, guess), 1.0)
        own[0, 5] = own[5, 0] = 0.0  # some fields are empty
        return [10.0 * np.eye(8), np.full((4, 4), 5.0), own]

    @cached_property
    def widths(self) -> tuple[float, float]:
        """Two widths of the surrogate."""
        return 0.25, int(self.random("width").integers(6, 21)) / 10

    distances = torch.linspace(-3.0, 3.0, 121, dtype=torch.float64)

    @cached_property
    def pulse(self) -> float:
        """The pulse that shall end the firing [µA/cm²]."""
        return -float(self.random("pulse").choice([4.0, 5.0, 6.0]))

    @cached_property
    def kick(self) -> float:
        """When the pulse comes that starts the firing [ms]."""
        return float(self.random("kick").integers(115, 131))

    @cached_property
    def ATP_per_spike(self) -> float:
        """ATP that a spike along an axon costs."""
        return float(self.random("ATP").integers(20, 56)) * 1e7

    @cached_property
    def hidden(self) -> int:
        """Hidden units of the network."""
        return int(self.random("hidden").integers(2, 6))

    @cached_property
    def weights(self) -> Weights:
        """The weights of a network for 8 × 8 pixels and ten digits."""
        return initial_weights(64, self.hidden, 10, seed=0)

    @cached_property
    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch of 50 digits: pixels (50, 64) and classes (50,)."""
        task: Task = digits(seed=0)
        return task.x_train[:50], task.y_train[:50]

    # ---------------------------------------------------------------------------------------------------- experiments
    def fires(self, current: float) -> bool:
        """Whether the squid axon fires steadily under a constant current [µA/cm²]."""
        current = number("current", current, "µA/cm²", low=-500.0, high=2000.0)
        spikes = simulate(self.axon, step(current, 10.0, 310.0), 320.0, dt=0.02).spike_times
        return bool(((spikes > 160.0) & (spikes < 310.0)).any())  # neither the onset nor a rebound at the end

    def remember(self, moment: float, pulse: float | None = None) -> Trace:
        """Return V of the axon under 8 µA/cm² that a kick makes fire, with a pulse of 1 ms at a `moment` [ms]."""
        moment = number("moment", moment, "ms", low=0.0, high=398.0)
        strength = number("pulse", self.pulse if pulse is None else pulse, "µA/cm²", low=-50.0, high=50.0)
        t = np.arange(0.0, 400.0, 0.025)
        held = 8.0 * np.minimum(t / 80.0, 1.0)  # reached so slowly that nothing fires
        kicked = 20.0 * ((t >= self.kick) & (t < self.kick + 1.0))
        I = held + kicked + strength * ((t >= moment) & (t < moment + 1.0))
        stimulus = Waveform(samples=np.append(I, 0.0), dt=0.025, start=0.0, stop=400.0)
        return simulate(self.axon, stimulus, 400.0, dt=0.025)

    # --------------------------------------------------------------------------------------------------------- checks
    @exercise(_rates)
    def check_rate(self, found: list[list[float]]) -> Verdict:
        """The rate [Hz] of an integrate-and-fire neuron at a constant current [pA]."""
        for (neuron, currents), values in zip(self.rate_cases, found, strict=True):
            for current, value in zip(currents, values, strict=True):
                wanted = float(lif_rate(neuron, np.array([current]))[0])
                if not close(value, wanted, 1e-6, 1e-6):
                    without = 1.0 / (1.0 / wanted - neuron.t_ref / 1000.0) if wanted else np.inf
                    slips = {
                        wanted / 1000.0: "that is per ms; 1,000 ms make a second.",
                        wanted * 1000.0: "that is a thousand times too much: times are in ms already.",
                        without: "the refractory time is missing.",
                    }
                    if wanted == 0.0:
                        return hint(f"{value:.4g} Hz at {current:.0f} pA, below the rheobase; it should be 0.")
                    return slip(value, slips, f"{value:.4g} instead of {wanted:.4g} Hz at {current:.0f} pA.")
        return right("for your neuron and another one, below and above the rheobase.")

    @exercise()
    def check_unit(self, w: float, b: float) -> Verdict:
        """Weight [Hz/pA] and bias [Hz] of the unit max(0, w·I + b) that comes nearest to the neuron's rates."""
        w, b = number("w", w, "Hz/pA"), number("b", b, "Hz")
        needs(w > 0.0, "w should be positive: more current, more spikes.")
        error, best = self._unit_error(w, b), self._best_unit
        if error <= 1.05 * best:
            return right(
                f"{error:.1f} Hz off, threshold {-b / w:.0f} pA where the neuron has {lif_rheobase(self.lif):.0f}."
            )
        if b > 0.0:
            return hint(f"{error:.1f} Hz off. With b > 0 the unit responds without a current; a threshold needs b < 0.")
        return hint(f"{error:.1f} Hz off (root of the mean square); {best:.1f} are possible. Its threshold is -b/w.")

    @exercise()
    def check_equal(self, bias: float, weights: tuple[float, float]) -> Verdict:
        """A bias and two weights [µA/cm²] with which the axon fires for equal inputs only."""
        w = numbers("weights", weights, "µA/cm²", shape=(2,))
        answers = {corner: self.fires(bias + np.dot(corner, w)) for corner in CORNERS}
        if list(answers.values()) == [True, False, False, True]:
            return right("it fires for 0, 0 and for 1, 1 only. No unit with a rising activation can.")
        shown = ", ".join(f"{a}{b} {'fires' if fired else 'silent'}" for (a, b), fired in answers.items())
        if not answers[0, 0]:
            return hint(f"{shown}. For 0, 0 the bias alone must make it fire.")
        if answers[0, 1] and answers[1, 0]:
            return hint(f"{shown}. There are two ways to silence it: too little current, and far too much.")
        return hint(f"{shown}. Let one input pull it down and the other push it beyond firing; both cancel.")

    @exercise(_slopes)
    def check_slope(self, found: list[list[float]]) -> Verdict:
        """The slope of a sigmoid of a given width."""
        s = [torch.sigmoid(self.distances / width).numpy() for width in self.widths]
        wanted = [one * (1.0 - one) / width for one, width in zip(s, self.widths, strict=True)]
        values = [numbers("the slope", one, shape=(len(self.distances),)) for one in found]
        if all(np.allclose(a, b, atol=1e-6) for a, b in zip(values, wanted, strict=True)):
            return right("it is highest at the threshold, 1/(4·width), and vanishes far from it.")
        slips = {
            "that is the sigmoid itself; needed is its slope.": s,
            "the inner derivative is missing: d/width changes by 1/width.":
                [one * width for one, width in zip(wanted, self.widths, strict=True)],
            "the slope of a rising function is positive.": [-one for one in wanted],
            "divide by the width, do not multiply.":
                [one * width**2 for one, width in zip(wanted, self.widths, strict=True)],
        }  # fmt: skip
        close_to = (words for words, other in slips.items() if np.allclose(values[1], other[1], atol=1e-6))
        middle = f"at d = 0 and width {self.widths[1]:g} it should be {wanted[1][60]:.3f}, and is {values[1][60]:.3f}."
        return hint(next(close_to, middle))

    @exercise(_informations)
    def check_information(self, found: list[float]) -> Verdict:
        """The mutual information [bit] of a table of counts."""
        wanted = [mutual_information(table) for table in self.tables]
        needs(not np.isnan(np.array(found, dtype=float)).any(), "nan: 0·log(0) adds nothing; leave empty fields out.")
        values = numbers("the information", found, "bit", shape=(3,))
        if np.allclose(values, wanted, atol=1e-6):
            return right(f"3 bits for the perfect reader, none for the useless one, {wanted[2]:.2f} for yours.")
        slips = {
            "that is in nats: the logarithm to base 2 gives bits.": np.log(2.0) * np.array(wanted),
            "the sign: information is never negative.": -np.array(wanted),
        }
        near = (words for words, other in slips.items() if np.allclose(values, other, atol=1e-6))
        names = "a perfect reader", "a useless reader", "your reader"
        first = next(i for i in range(3) if not close(values[i], wanted[i], 1e-6, 1e-6))
        words = f"{values[first]:.3f} instead of {wanted[first]:.3f} bit for {names[first]}. Do the shares add up to 1?"
        return hint(next(near, words))

    @exercise()
    def check_forget(self, moment: float) -> Verdict:
        """A moment [ms] at which the pulse ends the firing."""
        moment = number("moment", moment, "ms")
        spikes = self.remember(398.0, 0.0).spike_times
        first, last = spikes[5], spikes[6]
        needs(first <= moment <= last, f"choose a moment between two spikes, from {first:.1f} to {last:.1f} ms.")
        end = self.remember(moment).spike_times[-1]
        if end < moment:
            return right("it forgets: V is put where the way leads to rest.")
        phase = (moment - first) / (last - first)
        return hint(f"it goes on. Here {phase:.0%} of the interval have passed; try every half millisecond.")

    @exercise()
    def check_MACs(self, count: float) -> Verdict:
        """How many multiply-and-adds cost as much as a spike."""
        count = number("the number", count)
        energy = self.ATP_per_spike * JOULE_PER_MOL / AVOGADRO
        wanted = energy / JOULE_PER_MAC
        if close(count, wanted, 0.02):
            return right(f"{wanted:.1f}: a spike costs {energy * 1e12:.0f} pJ.")
        slips = {
            wanted / 1000.0: "50 kJ are 50,000 J.",
            energy: "that is the energy of the spike, in joules.",
            energy * 1e12: "that is the energy of the spike, in pJ. How many times 4.6 pJ is it?",
            1.0 / wanted: "that is how many spikes one multiply-and-add is worth.",
            wanted * AVOGADRO: "50 kJ are for a mole of ATP, 6.022·10²³.",
        }
        words = "too large" if count > wanted else "too small"
        if count > 0.0 and abs(power := round(np.log10(count / wanted))) > 0:
            words += f" by a factor of about 10^{abs(power)}"
        return slip(count, slips, f"your number is {words}.", 0.02)

    @exercise(_averages)
    def check_trials(self, found: list[list[float]], trials: int) -> Verdict:
        """A function that averages estimates of the gradient, and how many make an angle of 45°."""
        first, second = self.weights
        rows = torch.tensor(numbers("the average", found, shape=(AVERAGES, first.numel() + second.numel())))
        gradient = torch.cat([W.ravel() for W in backprop(self.weights, *self.batch)]).double()
        nothing = torch.zeros(0)
        angles = [gradient_angle((row, nothing), (gradient, nothing)) for row in rows]
        lengths = float(rows.norm(dim=1).median() / gradient.norm())
        turn = float(np.mean(angles))
        needs(lengths < 4.0 or turn > 70.0, "the direction is right, but it is a sum: divide by the number of trials.")
        words = f"{turn:.0f}° from the gradient with {trials} trials"
        if 40.0 < turn < 50.0:
            return right(f"{words}: about one for each of the {len(gradient)} weights.")
        if turn > 75.0 and trials > len(gradient) / 3:
            return hint(f"{words}: that is one estimate, not the mean of all.")
        return hint(f"{words}: {'more' if turn > 45.0 else 'fewer'} are needed. The variance of one is (n + 1)·|g|².")

    # ---------------------------------------------------------------------------------------------------- the answers
    def _unit_error(self, w: float, b: float) -> float:
        return float(np.sqrt(np.mean(np.square(np.maximum(0.0, w * self.currents + b) - self.rates))))

    @cached_property
    def _best_unit(self) -> float:
        """The least error of any unit: for each threshold the best weight has a closed form."""
        errors = []
        for threshold in np.linspace(-0.5, 2.0, 501) * lif_rheobase(self.lif):
            active = np.maximum(0.0, self.currents - threshold)
            w = active @ self.rates / (active @ active)
            errors.append(self._unit_error(w, -w * threshold))
        return min(errors)
