"""Spike times against closed forms, and bit for bit against the same formula in NumPy."""

import numpy as np
import pytest

from helpers.simulation.spikes import find_spikes, spike_times


def in_numpy(t, V, threshold):
    before = np.flatnonzero((V[:-1] < threshold) & (V[1:] >= threshold))
    fraction = (threshold - V[before]) / (V[before + 1] - V[before])
    return t[before] + fraction * (t[before + 1] - t[before])


def test_a_straight_rise_is_crossed_where_it_should_be():
    t = np.arange(5.0)
    np.testing.assert_allclose(find_spikes(t, np.array([-60.0, -40.0, 40.0, -40.0, 0.0]), -20.0), [1.25, 3.5])
    assert len(find_spikes(t, np.full(5, -20.0), -20.0)) == 0  # it must rise through the threshold
    np.testing.assert_array_equal(find_spikes(t, np.array([-30.0, -20.0, -20.0, -30.0, -30.0]), -20.0), [1.0])


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_the_same_as_in_numpy_bit_for_bit(precision):
    random = np.random.default_rng(1)
    t = 0.01 * np.arange(20_000)
    V = random.normal(-20.0, 30.0, (3, len(t))).astype(precision)
    for row in (*V, V[0][::-1], np.round(V[1])):
        expected = in_numpy(t, row.astype(float), -20.0)
        assert len(expected) > 1000
        np.testing.assert_array_equal(spike_times(t, row, -20.0), expected)
        np.testing.assert_array_equal(find_spikes(t, row, -20.0), expected)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="t and V differ in length: 3, 4 samples"):
        find_spikes(np.arange(3.0), np.zeros(4), 0.0)
