"""Bits against tables whose information is known; codes against spikes that are known."""

import numpy as np
import pytest

from helpers.artificial.decoding import CODES, Responses, decode, decode_codes, mutual_information, simulate_responses
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step


def spikes(*times: float) -> np.ndarray:
    return np.pad(np.array(times), (0, 40 - len(times)), constant_values=1e6)


RESPONSES = Responses(np.array([0, 1, 2]), np.array([spikes(), spikes(4.0), spikes(3.0, 13.0, 23.0, 70.0)]))


def test_codes_by_hand():
    np.testing.assert_array_equal(RESPONSES.code("count", 50.0), [0, 1, 3])
    np.testing.assert_array_equal(RESPONSES.code("latency", 50.0), [100, 4, 3])
    np.testing.assert_array_equal(RESPONSES.code("interval", 50.0), [100, 100, 10])
    np.testing.assert_array_equal(RESPONSES.code("count", 3.5), [0, 0, 1])


def test_information_of_known_tables():
    assert mutual_information(np.eye(8)) == pytest.approx(3.0)
    assert mutual_information(np.ones((4, 4))) == pytest.approx(0.0)
    share = np.array([0.9, 0.1])  # a binary symmetric channel: 1 bit minus the entropy of its errors
    assert mutual_information([[90, 10], [10, 90]]) == pytest.approx(1.0 + (share * np.log2(share)).sum())
    assert mutual_information([[30, 0], [10, 0]]) == pytest.approx(0.0)


def test_decoder_finds_what_is_there_and_nothing_where_nothing_is():
    random = np.random.default_rng(0)
    stimulus = np.repeat(np.arange(4), 100)
    clear = decode(stimulus + 0.05 * random.standard_normal(400), stimulus)
    assert clear.information == pytest.approx(2.0) and clear.correct == 1.0 and clear.chance < 0.15
    nothing = decode(random.standard_normal(400), stimulus)
    assert nothing.information < 0.15 and nothing.correct < 0.4
    constant = decode(np.ones(400), stimulus)
    assert constant.information < 0.15  # ties must not betray the order of the samples


def test_each_code_is_decoded_as_by_itself():
    responses = simulate_responses(HodgkinHuxley(noise=1.0), [8.0, 30.0], trials=40, length=60.0, seed=0)
    by_code = decode_codes(responses, 50.0)
    assert list(by_code) == list(CODES) and by_code["interval"].correct == 1.0
    assert by_code["latency"] == decode(responses.code("latency", 50.0), responses.stimulus)


def test_responses_are_those_of_the_simulator():
    neuron = HodgkinHuxley(noise=1.0)
    responses = simulate_responses(neuron, [10.0, 20.0], trials=3, length=50.0, seed=4)
    assert responses.stimulus.tolist() == [0, 0, 0, 1, 1, 1]
    alone = simulate(neuron, step(20.0, 50.0, 100.0), 100.0, dt=0.025, seed=(4, 3)).spike_times
    found = responses.spikes[3][responses.spikes[3] < 1e5]
    np.testing.assert_allclose(found, alone[(alone > 50.0) & (alone <= 100.0)] - 50.0, atol=0.03)


@pytest.mark.parametrize(
    ("code", "window", "message"),
    [("rate", 10.0, "code = 'rate'; allowed: count"), ("count", 0.0, "window = 0 ms; allowed: above 0")],
)
def test_bad_codes(code, window, message):
    with pytest.raises(ValueError, match=message):
        RESPONSES.code(code, window)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((2, 2)), "nothing but 0; allowed: counts"),
        (-np.eye(2), "table = -1 .*allowed: from 0"),
        (np.ones(3), r"table has shape \(3,\); allowed: \(n, n\)"),
        (np.full((2, 2), np.nan), "table = nan .*allowed: from 0"),
    ],
)
def test_bad_tables(table, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(table)
