"""Draw docs/picture.png, the picture of the README, from the helpers: python docs/make_picture.py (half a minute)."""

import sys
from pathlib import Path

import matplotlib
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

from helpers.artificial.rate_laws import ACTIVATIONS, fit_activation, measure_f_I  # noqa: E402
from helpers.figures.colours import COLOURS  # noqa: E402
from helpers.figures.firing import plot_f_I  # noqa: E402
from helpers.figures.style import use_style  # noqa: E402
from helpers.figures.traces import plot_currents, plot_voltage  # noqa: E402
from helpers.inference.npe import box_prior, train_npe  # noqa: E402
from helpers.neurons.models import HodgkinHuxley, Pospischil  # noqa: E402
from helpers.simulation.simulate import simulate, simulate_many  # noqa: E402
from helpers.simulation.stimuli import step  # noqa: E402
from helpers.simulation.summaries import summary_statistics  # noqa: E402

use_style()
figure = plt.figure(figsize=(13, 4.4), dpi=100)
grid = figure.add_gridspec(2, 3, width_ratios=[1.1, 1, 1.1])

trace = simulate(HodgkinHuxley(), step(10.0, 3.0, 20.0), 20.0)
top, bottom = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
plot_voltage(top, trace).set_title("1  a spike and its currents")
plot_currents(bottom, trace).set_xlabel("time (ms)")
top.sharex(bottom)

stimulus, truth = step(3.248, 10.0, 110.0), {"g_Na": 50.0, "g_K": 5.0}
prior = box_prior(Pospischil, list(truth))
theta = prior.draw(2000, seed=1)
x = simulate_many(Pospischil(), stimulus, prior.by_name(theta), 120.0, seed=2)
x_o = summary_statistics(simulate(Pospischil(**truth), stimulus, 120.0, seed=11))
g_Na, g_K = train_npe(prior, theta, x, seed=0).sample(2000, x_o, seed=0).T
middle = figure.add_subplot(grid[:, 1])
middle.plot(g_Na, g_K, ".", color=COLOURS["I_K"], alpha=0.3, markersize=4)
middle.plot(*truth.values(), "+", color=COLOURS["I_Na"], markersize=18, markeredgewidth=3)
middle.set(xlabel=prior.labels[0], ylabel=prior.labels[1], title="2  which conductances? (cross: truth)")

currents = np.arange(0.0, 51.0)
rates = measure_f_I(HodgkinHuxley(), currents)
fits = {name: fit_activation(name, currents, rates)(currents) for name in ACTIVATIONS}
plot_f_I(figure.add_subplot(grid[:, 2]), currents, rates, fits).set_title("3  a neuron is no activation function")

figure.savefig(Path(__file__).with_name("picture.png"))
