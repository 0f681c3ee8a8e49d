"""f-I curves against published rates, and for every neuron against the spikes of its traces."""

import numpy as np
import pytest

from helpers.experiments.f_I import measure_f_I
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire, Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import spike_count


def test_f_I_curve_of_the_squid_axon():
    rates = measure_f_I(HodgkinHuxley(), np.array([0.0, 6.0, 6.5, 10.0, 20.0, 50.0, 100.0]))
    np.testing.assert_allclose(rates, [0, 0, 55, 68, 86, 117, 0], atol=1)


@pytest.mark.parametrize(
    "neuron", [HindmarshRose(), HodgkinHuxley(), Izhikevich(), LeakyIntegrateAndFire(), Pospischil()]
)
def test_rates_and_counts_are_those_of_the_traces(neuron):
    """Every neuron has its own spike threshold: 1 for Hindmarsh-Rose, whose x never comes near to -20."""
    low, high = sorted((0.0, neuron.current_range[2]))
    currents = np.linspace(low, high, 5)
    pulse, found = step(0.0, 0.0, 1000.0), []
    for number, current in enumerate(currents):
        trace = simulate(neuron, step(current, 0.0, 1000.0), 1000.0, 0.02, seed=(0, number))
        late = trace.spike_times[(trace.spike_times > 500.0) & (trace.spike_times <= 1000.0)]
        found.append((len(trace.spike_times), 1000.0 / np.diff(late).mean() if len(late) > 1 else 2.0 * len(late)))
    counts, rates = np.array(found).T
    assert len(set(counts)) > 2
    varied = {"amplitude": currents}
    many = simulate_many(neuron, pulse, varied, 1000.0, 0.02, seed=0, summarise=spike_count)[:, 0]
    np.testing.assert_array_equal(many, counts)
    np.testing.assert_allclose(measure_f_I(neuron, currents, seconds=1.0), rates, rtol=1e-9)


def test_hindmarsh_rose_fires_in_its_f_I_curve():
    rates = measure_f_I(HindmarshRose(), np.array([0.0, 1.0, 2.0, 3.0]))
    assert (np.diff(rates) > 0).all() and rates[0] > 0
