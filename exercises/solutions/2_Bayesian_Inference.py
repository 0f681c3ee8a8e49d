"""Solutions of the exercises for lesson 2. Each block goes into the answer cell of the exercise it is named for.

python exercises/solutions/2_Bayesian_Inference.py SEED     print what the checks say
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers import exercises, summary_statistics  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 0
mine = exercises.Lesson2(SEED)

# %% bayes
# Five spikes come from a cell of kind A or from one of kind B: P(five) is the sum over both.
cells = mine.two_cells
both = cells["A"] * cells["share_A"]  # of kind A, and five spikes
my_probability = both / (both + cells["B"] * (1 - cells["share_A"]))


# %% rejection
def my_rejection(theta, x, x_o, n):
    distance = (((x - x_o) / x.std(axis=0)) ** 2).sum(axis=1)
    return theta[np.argsort(distance)[:n]]


# %% ratio
# A function of posterior draws is a draw of that function. Shuffling one column makes the two independent and keeps
# their SDs. The conductances rise together, so their ratio is known better than independence allows.
g_Na, g_K = mine.samples.T
my_sd = (g_Na / g_K).std()
my_times = (g_Na / np.random.default_rng(0).permutation(g_K)).std() / my_sd

# %% mystery
# For a bet on one neuron, calibration is what makes 19 to 1 fair.
drawn = mine.posterior.sample(2000, mine.x_o, seed=0)
my_intervals = np.percentile(drawn, [2.5, 97.5], axis=0).T

# %% amplitude
# A stronger step gives more spikes, and each tells something; but a very strong one makes spikes small and alike. An
# experiment can be planned with the tools that analyse it.
sd = {amplitude: mine.plan(amplitude).sd[0] for amplitude in (2.0, 3.248, 5.0, 8.0, 12.0)}
my_amplitude = min(sd, key=sd.get)

# %% diagnosis
# Too narrow a posterior leaves the truth outside, so that extreme ranks are frequent; too wide a one has it in the
# middle; a shifted one has it on one side.
my_diagnosis = {}
for letter, ranks in mine.ranks.items():
    ends, lower = np.mean((ranks < 20) | (ranks >= 80)), np.mean(ranks < 50)  # 0.4 and 0.5 if all is well
    if abs(lower - 0.5) > 0.15:
        my_diagnosis[letter] = "shifted"
    elif abs(ends - 0.4) < 0.1:
        my_diagnosis[letter] = "good"
    else:
        my_diagnosis[letter] = "narrow" if ends > 0.4 else "wide"


# %% coverage
def my_coverage(draws, truths, level):
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return np.mean((low <= truths) & (truths <= high))


# %% odd
# The network finds conductances that give the seven statistics: g_Na and g_K make up for the leak. But then the spikes
# come at other times. A check is the stronger the more it looks at what the network did not see. One small p among six
# is no surprise; in the odd one both are small.
p = {}
for name, trace in mine.traces.items():
    guess = mine.posterior.sample(100, summary_statistics(trace), seed=1)
    predicted = mine.predict(guess, trace)
    p[name] = predicted.p_spikes + predicted.p_intervals
my_odd_one = min(p, key=p.get)

# %% next
guess = mine.posterior.sample(100, summary_statistics(mine.first_sweep), seed=1)
my_p = mine.predict(guess, mine.next_sweep, mine.next_amplitude).p_count
my_holds_up = bool(0.025 < my_p < 0.975)

# %% leak
# Without a current V settles at E_L itself. Ohm's law gives the rest.
my_E_L = mine.settled[0]
my_g_L = 200 / (mine.settled[200] - mine.settled[0])

# %% end
if __name__ == "__main__":
    mine.check_bayes(my_probability)
    mine.check_rejection(my_rejection)
    mine.check_ratio(my_sd, my_times)
    mine.check_mystery(my_intervals)
    mine.check_amplitude(my_amplitude)
    mine.check_diagnosis(my_diagnosis)
    mine.check_coverage(my_coverage)
    mine.check_odd(my_odd_one)
    mine.check_next(my_p, my_holds_up)
    mine.check_leak(my_g_L, my_E_L)
