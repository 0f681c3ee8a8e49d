"""Solutions of the exercises for lesson 1. Each block goes into the answer cell of the exercise it is named for.

python exercises/solutions/1_HH_model_simulation.py SEED     print what the checks say
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers import exercises  # noqa: E402
from helpers.neurons import Neuron, current, exp, gate, parameter  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 0
mine = exercises.Lesson1(SEED)


@dataclass(frozen=True, kw_only=True)
class Fibre(Neuron):  # as in the notebook
    C: float = parameter(20.0, "µF/cm²", "capacitance", low=10.0, high=30.0)
    g_Ca: float = parameter(4.4, "mS/cm²", "calcium conductance", low=3.0, high=6.0)
    g_K: float = parameter(8.0, "mS/cm²", "potassium conductance", low=4.0, high=12.0)
    g_L: float = parameter(2.0, "mS/cm²", "leak conductance", low=1.0, high=3.0)
    V_init: float = parameter(-60.0, "mV", "V at the start", low=-80.0, high=0.0)

    @current
    def I_L(g_L):
        return g_L, -60.0


# %% nernst
ions = mine.potassium
T = ions["temperature"] + 273.15  # kelvin
my_E_K = 1000 * 8.314 * T / 96485 * np.log(ions["outside"] / ions["inside"])  # mV

# %% rheobase
# Halve the interval between a current that is too small and one that is enough, then round up: rounded down, it would
# be too small again.
low, high = 1.0, 4.0
while high - low > 1e-6:
    middle = (low + high) / 2
    if len(mine.respond(middle).spike_times) >= 1:
        high = middle
    else:
        low = middle
my_current = np.ceil(high * 100) / 100

# %% three
# Scan in steps fine enough to meet a narrow window, and take its middle. A little less current and the train ends after
# two spikes; a little more, and it goes on for as long as the current flows.
hits = [I for I in np.arange(4.0, 8.0, 0.01) if len(mine.respond(I).spike_times) == 3]
my_three = hits[len(hits) // 2]

# %% rise
# During a slow rise h has time to close and n to open: the threshold moves up with the current.
my_rise = max(length for length in range(1, 61) if len(mine.rise(length).spike_times) >= 1)

# %% rebound
# Books often name h, and h does help: it opens, and sodium channels stand ready. But h alone gives no spike. At rest it
# is the open potassium gate n that holds V down; with n closed, the leak and the few open sodium channels win.
low, high = -4.0, -1.0  # fires, does not fire
while high - low > 1e-6:
    middle = (low + high) / 2
    if len(mine.release(middle).spike_times) >= 1:
        low = middle
    else:
        high = middle
my_pull = np.floor(low * 100) / 100  # away from 0, so that it still fires

pulled = mine.release(-10.0)
end = {name: np.interp(25.0, pulled.t, pulled.states[name]) for name in "mhn"}
my_gate = next(name for name in "mhn" if len(mine.from_rest(**{name: end[name]}).spike_times) >= 1)


# %% intervals
# From 6.3 to 18.5 °C the rates grow by a factor of 3^1.22 = 3.8; the refractory period, the time in which h and n come
# back, shrinks nearly as much.
def shortest(temperature):
    candidates = np.round(np.arange(1.0, 20.0, 0.1), 1)
    return next(ms for ms in candidates if len(mine.twice(ms, temperature).spike_times) == 2)


my_cold, my_warm = shortest(6.3), shortest(18.5)


# %% charge
# More than ten times what the capacitor needs: sodium enters while potassium already leaves, and the two cancel. In the
# warm axon the gates h and n end the overlap sooner.
def my_charge(trace):
    return np.trapezoid(trace.I_Na[0] - trace.I_Na, trace.t)


# %% drug
# What the drug takes away has the time course of one of the two currents: it is a share of what TTX or TEA takes away.
t, free = mine.clamped(10.0)
taken = {bath: free - mine.clamped(10.0, bath)[1] for bath in ("drug", "TTX", "TEA")}
misfit = {}
for channel, bath in (("Na", "TTX"), ("K", "TEA")):
    share = np.sum(taken["drug"] * taken[bath]) / np.sum(taken[bath] ** 2)  # least squares
    misfit[channel] = np.sum((taken["drug"] - share * taken[bath]) ** 2), share
my_channel = min(misfit, key=misfit.get)
my_share = misfit[my_channel][1]

# %% integrator
# High order pays where much accuracy is asked for, and only where the method is stable.
METHODS = "euler", "exponential_euler", "rk4", "rk5", "rk6"
STEPS = 0.1, 0.05, 0.025, 0.02, 0.01, 0.005, 0.002  # ms
table = {(method, dt): mine.try_out(method, dt) for method in METHODS for dt in STEPS}
enough = {choice: cost for choice, (error, cost) in table.items() if error <= 0.005}
my_method, my_step = min(enough, key=enough.get)

# %% current
# With q = e^((T - t_ref)/tau_m) the formula says I/g_L + E_L - V_reset = q·(I/g_L + E_L - V_th), which is linear in I.
neuron = mine.lif
q = np.exp((1000 / mine.target_rate - neuron.t_ref) / neuron.tau_m)
my_pA = neuron.g_L * (q * (neuron.V_th - neuron.E_L) - (neuron.V_reset - neuron.E_L)) / (q - 1)


# %% cell
# The M current needs a few hundred ms to build up. A larger leak makes firing slower from the first interval on, and
# does not grow with time.
def slowing(name):
    gaps = np.diff(mine.cells.record(name, 3.0, 500.0).spike_times)
    return gaps[-3:].mean() / gaps[:2].mean()


my_cell = max("XY", key=slowing)


# %% neuron
# Nothing else is needed: the class runs with every integrator, by the thousand, and in the inference of lesson 2.
@dataclass(frozen=True, kw_only=True)
class MyNeuron(Fibre):
    @gate
    def w(V):
        w_inf = 1.0 / (1.0 + exp(-(V - 2.0) / 15.0))
        rate = 0.04 * 0.5 * (exp((V - 2.0) / 60.0) + exp(-(V - 2.0) / 60.0))
        return w_inf * rate, (1.0 - w_inf) * rate

    @current
    def I_Ca(V, g_Ca):
        return g_Ca / (1.0 + exp(-(V + 1.2) / 9.0)), 120.0

    @current
    def I_K(w, g_K):
        return g_K * w, -84.0


# %% end
if __name__ == "__main__":
    mine.check_nernst(my_E_K)
    mine.check_rheobase(my_current)
    mine.check_three(my_three)
    mine.check_rise(my_rise)
    mine.check_rebound(my_pull, my_gate)
    mine.check_intervals(my_cold, my_warm)
    mine.check_charge(my_charge)
    mine.check_drug(my_channel, my_share)
    mine.check_integrator(my_method, my_step)
    mine.check_current(my_pA)
    mine.check_cell(my_cell)
    mine.check_neuron(MyNeuron)
