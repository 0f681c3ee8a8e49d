"""Costs against counts by hand, firing properties against neurons whose answer is known."""

import numpy as np
import pytest

from helpers.experiments.comparison import Operations, firing_properties, operations_per_step
from helpers.neurons.models import HindmarshRose, HodgkinHuxley, Izhikevich, LeakyIntegrateAndFire


@pytest.mark.parametrize(
    ("neuron", "by_hand"),
    [
        # gates m 15, h 13, n 15; I_Na 4, I_K 4, three V - E and g·(V - E), three to sum up, one for C; 2 for each state
        (HodgkinHuxley(), Operations(15 + 13 + 15 + 4 + 4 + 6 + 3 + 1 + 2 * 4, 6)),
        # V: I/g_L, +, /tau, b·V, -; compared three times, joined once; the refractory time only counts down
        (LeakyIntegrateAndFire(), Operations(5 + 4 + 2 * 2, 0)),
        # v: 0.04·v·v, 5·v, and four sums; u: (a·b)·v - a·u; compared, u + d
        (Izhikevich(), Operations(2 + 1 + 4 + 3 + 2 + 2 * 2, 0)),
        # x: b·x·x, a·x·x·x, five sums; y: d·x·x, c - it, 1·y, -; z: x - x_r, its factor, v_h·z, -
        (HindmarshRose(), Operations(2 + 3 + 5 + 2 + 1 + 2 + 2 + 2 + 2 * 3, 0)),
    ],
)
def test_costs_are_those_counted_by_hand(neuron, by_hand):
    assert operations_per_step(neuron) == by_hand


def test_costs_do_not_depend_on_the_values_of_parameters():
    assert operations_per_step(HodgkinHuxley(g_Na=90.0, temperature=20.0)) == operations_per_step(HodgkinHuxley())


def test_the_squid_axon_is_of_type_two_rebounds_and_can_be_silenced():
    can = firing_properties(HodgkinHuxley(), np.array([6.3, 8.0, 200.0]), 10.0, -10.0)
    assert 50 < can.lowest_rate < 56 and can.depolarisation_block and can.rebound
    assert can.adaptation == pytest.approx(1.0, abs=0.03) and can.burst_ratio == pytest.approx(1.0, abs=1e-3)
    assert not firing_properties(HodgkinHuxley(), np.array([6.3, 8.0, 50.0]), 10.0, -1.0).rebound  # too weak a pull


def test_chattering_bursts_and_integrate_and_fire_does_nothing_of_the_kind():
    assert firing_properties(Izhikevich.preset("chattering"), np.array([10.0, 12.0]), 10.0, -10.0).burst_ratio > 5
    can = firing_properties(LeakyIntegrateAndFire(), np.array([150.1, 200.0]), 250.0, -100.0)
    period = 2.0 + 10.0 * np.log((15.01 + 2.0) / (15.01 - 15.0))  # closed form
    assert can.lowest_rate == pytest.approx(1000.0 / period, rel=0.02)
    assert (can.depolarisation_block, can.rebound) == (False, False)


def test_a_drive_that_does_not_make_it_fire_is_refused():
    with pytest.raises(ValueError, match="drive = 1 or currents up to 8 hardly make HodgkinHuxley"):
        firing_properties(HodgkinHuxley(), np.array([6.3, 8.0]), 1.0, -10.0)
