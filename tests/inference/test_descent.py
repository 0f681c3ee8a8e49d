"""Descent: it finds the largest posterior of a problem where that is known, and walks down a bent valley."""

import numpy as np
import pytest

from helpers.inference.descent import descend


def test_a_linear_problem_is_solved_in_a_few_steps():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(12, 5)) * 10.0
    b = A @ rng.normal(size=5) + 0.3 * rng.normal(size=12)
    curvature = A.T @ A + np.eye(5)
    found = descend(lambda z: z @ A.T - b, rng.normal(size=(10, 5)), rng, steps=12)
    assert found.ends[0] == pytest.approx(np.linalg.solve(curvature, A.T @ b), abs=0.01)
    assert found.curvatures[0] == pytest.approx(curvature, rel=1e-6)
    assert len(found.tried) == len(found.residuals) <= 10 + 12 * 10 * 8
    assert found.residuals == pytest.approx(found.tried @ A.T - b)


def test_it_walks_down_a_bent_valley_past_a_plateau():
    def residuals(z):  # Rosenbrock's; where z[0] < -1.5 nothing is said of the rest, as where a neuron does not fire
        r = np.column_stack((100.0 * (z[:, 1] - z[:, 0] ** 2), 20.0 * (1.0 - z[:, 0])))
        return np.where(z[:, :1] < -1.5, [1000.0, 70.0], r)

    rng = np.random.default_rng(1)
    found = descend(residuals, rng.normal(size=(12, 2)) * 1.5, rng, steps=25)
    assert np.abs(found.ends[0] - 1.0).max() < 0.05
