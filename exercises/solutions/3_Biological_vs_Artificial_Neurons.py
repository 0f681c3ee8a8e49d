"""Solutions of the exercises for lesson 3. Each block goes into the answer cell of the exercise it is named for.

python exercises/solutions/3_Biological_vs_Artificial_Neurons.py SEED     print what the checks say
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers import artificial, exercises  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 0
mine = exercises.Lesson3(SEED)


# %% rate
# After a spike the neuron waits for t_ref; then V runs from V_reset towards E_L + I/g_L, and the time it takes to V_th
# is tau_m times the logarithm of how much farther it had to go. 1,000 ms make a second.
def my_rate(neuron, current):
    end = neuron.E_L + current / neuron.g_L
    if end <= neuron.V_th:
        return 0.0
    return 1000 / (neuron.t_ref + neuron.tau_m * np.log((end - neuron.V_reset) / (end - neuron.V_th)))


# %% unit
# For each threshold the best weight is a least-squares fit through the threshold. The unit begins below the neuron's
# rheobase: the curve rises so steeply there that a straight line has to start earlier.
best = np.inf
for threshold in np.linspace(0.0, mine.currents[-1] / 2, 501):
    active = np.maximum(0, mine.currents - threshold)
    w = active @ mine.rates / (active @ active)
    error = np.mean((w * active - mine.rates) ** 2)
    if error < best:
        best, my_w, my_b = error, w, -w * threshold

# %% equal
# The bias must make the axon fire by itself. One input lifts it beyond firing, into depolarisation block, the other one
# pulls it below the rheobase, and together they cancel.
my_bias = 60.0
my_weights = 100.0, -100.0


# %% slope
# The slope of a sigmoid s is s·(1 - s), here divided by the width.
def my_slope(d, width):
    s = torch.sigmoid(d / width)
    return s * (1 - s) / width


# %% information
def my_information(table):
    p = table / table.sum()
    by_chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    seen = p > 0
    return np.sum(p[seen] * np.log2(p[seen] / by_chance[seen]))


# %% forget
# Just before the next spike a downward pulse holds V back on its way up. (An upward pulse does it earlier.)
first, last = mine.remember(398.0, 0.0).spike_times[5:7]
moments = np.arange(np.ceil(first), last, 0.5)
hits = [moment for moment in moments if mine.remember(moment).spike_times[-1] < moment]
my_moment = hits[len(hits) // 2]

# %% MACs
energy = mine.ATP_per_spike * 50e3 / 6.022e23  # J
my_MACs = energy / 4.6e-12


# %% trials
# The error of a mean of m estimates is an m-th of that of one, (n + 1)·|g|²; it equals |g|² for m = n + 1, one trial
# for each weight. To measure every single weight by itself would take as many.
def my_average(weights, x, y, draw, trials):
    total = artificial.weight_perturbation(weights, x, y, draw)
    for _ in range(trials - 1):
        once = artificial.weight_perturbation(weights, x, y, draw)
        total = total[0] + once[0], total[1] + once[1]
    return total[0] / trials, total[1] / trials


my_trials = sum(W.numel() for W in mine.weights) + 1

# %% end
if __name__ == "__main__":
    mine.check_rate(my_rate)
    mine.check_unit(my_w, my_b)
    mine.check_equal(my_bias, my_weights)
    mine.check_slope(my_slope)
    mine.check_information(my_information)
    mine.check_forget(my_moment)
    mine.check_MACs(my_MACs)
    mine.check_trials(my_average, my_trials)
