"""Learning rules against autograd, the noise of weight perturbation against its closed form."""

import numpy as np
import pytest
import torch

from helpers.artificial.learning_rules import (
    _flat,
    backprop,
    cross_entropy,
    feedback_alignment,
    gradient_angle,
    initial_weights,
    perturbation_noise,
    train_by_rule,
    weight_perturbation,
)
from helpers.artificial.tasks import digits, pulse_order

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.randn(20, 6, generator=DRAW, dtype=torch.float64), torch.randint(3, (20,), generator=DRAW)
WEIGHTS = tuple(W.double() for W in initial_weights(6, 5, 3, seed=0))


def test_backprop_is_the_gradient():
    tracked = tuple(W.clone().requires_grad_() for W in WEIGHTS)
    for mine, exact in zip(
        backprop(WEIGHTS, X, Y), torch.autograd.grad(cross_entropy(tracked, X, Y), tracked), strict=True
    ):
        np.testing.assert_allclose(mine, exact, atol=1e-12)


def test_feedback_by_the_true_weights_is_backprop_and_by_others_is_not():
    for mine, exact in zip(feedback_alignment(WEIGHTS, X, Y, WEIGHTS[1]), backprop(WEIGHTS, X, Y), strict=True):
        np.testing.assert_array_equal(mine, exact)
    other = initial_weights(6, 5, 3, seed=1)[1].double()
    random = feedback_alignment(WEIGHTS, X, Y, other)
    assert torch.equal(random[1], backprop(WEIGHTS, X, Y)[1])  # the outputs know their own error
    assert not torch.allclose(random[0], backprop(WEIGHTS, X, Y)[0])


def test_weight_perturbation_is_right_on_average():
    draw = torch.Generator().manual_seed(1)
    mean = torch.stack([_flat(weight_perturbation(WEIGHTS, X, Y, draw)) for _ in range(3000)]).mean(0)
    exact = _flat(backprop(WEIGHTS, X, Y))
    assert (mean - exact).norm() / exact.norm() < 0.25  # expected: sqrt(46 / 3000) = 0.12


@pytest.mark.parametrize("hidden", [3, 30, 100])
def test_noise_of_weight_perturbation_grows_with_the_number_of_weights(hidden):
    n = hidden * (6 + 3)
    weights = initial_weights(6, hidden, 3, seed=0)
    assert perturbation_noise(weights, X, Y, draws=400, seed=0) / (n + 1) == pytest.approx(1.0, abs=0.2)


def test_angles():
    a = (torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0]]))
    b = (torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0]]))
    assert gradient_angle(a, b) == pytest.approx(90.0) and gradient_angle(a, a) == pytest.approx(0.0, abs=1e-4)
    assert gradient_angle(a, (-a[0], a[1])) == pytest.approx(180.0)


def test_each_rule_learns_from_the_same_start():
    task = digits()
    results = {
        rule: train_by_rule(rule, task, hidden=8, learning_rate=rate, steps=200, seed=0)
        for rule, rate in (("backprop", 0.5), ("feedback alignment", 0.5), ("weight perturbation", 0.02))
    }
    final = [result.accuracy[-1] for result in results.values()]
    assert final[0] > 0.75 and final[1] > 0.6 and 0.15 < final[2] < final[0]
    assert results["backprop"].angles.max() < 1.0
    again = train_by_rule("weight perturbation", task, hidden=8, learning_rate=0.02, steps=200, seed=0)
    np.testing.assert_array_equal(again.accuracy, results["weight perturbation"].accuracy)


def test_another_rule_is_refused():
    with pytest.raises(ValueError, match="rule = 'Hebb'; allowed: backprop"):
        train_by_rule("Hebb", digits(), hidden=2, learning_rate=0.1, steps=1, seed=0)


# ------------------------------------------------------------------------------------------------------------- tasks


def test_digits_are_shared_out_evenly():
    task = digits(seed=1)
    assert task.x_train.shape == (1257, 64) and task.x_test.shape == (540, 64)
    assert 0.0 <= task.x_train.min() and task.x_train.max() == 1.0
    shares = torch.bincount(task.y_test) / torch.bincount(task.y_train)
    np.testing.assert_allclose(shares, 540 / 1257, rtol=0.05)


def test_order_is_in_the_time_and_not_in_the_number_of_pulses():
    task = pulse_order(n=300, steps=30, max_lag=10, seed=2)
    assert torch.equal(task.x_train.sum(1), torch.ones(300, 2))
    times = task.x_train.argmax(1)
    assert torch.equal((times[:, 1] < times[:, 0]).long(), task.y_train)
    lag = (times[:, 0] - times[:, 1]).abs()
    assert set(lag.tolist()) == set(range(1, 11))
    assert torch.equal(task.summed().x_test, torch.ones(300, 2)) and task.summed().y_test is task.y_test
    with pytest.raises(ValueError, match="max_lag = 30; allowed: .* from 1 to 29"):
        pulse_order(max_lag=30)
