"""The compiled building blocks against the standard library, and the random numbers against what N(0, 1) must be."""

import math

import numpy as np
import pytest
from numba import njit
from scipy import stats

from helpers.neurons import functions
from helpers.simulation.compiler import kernels


@njit
def exponentials(x):
    return np.array([kernels.exp(value) for value in x])


@njit
def exponentials_less_one(x):
    return np.array([kernels.expm1(value) for value in x])


@njit
def singles(x):
    out = np.empty((3, len(x)))
    for i in range(len(x)):
        out[0, i] = kernels.exp_single(x[i])
        out[1, i] = kernels.expm1_single(x[i])
        out[2, i] = kernels.relaxation_single(np.float32(abs(x[i]) / np.float32(80.0)), 2)
    return out


@njit
def relaxations(z, halvings):
    return np.array([kernels.relaxation(value, halvings) for value in z])


@njit
def normals(key, n):
    table = np.empty((n, 2))
    for i in range(n):
        table[i] = kernels.standard_normals(key, i)
    return table.ravel()


def draws(seed, simulation, n=500_000):
    return normals(kernels.random_keys(seed, np.array([simulation]))[0], n)


def test_exp_to_2e_13():
    x = np.concatenate([np.linspace(-700, 700, 200_001), np.linspace(-1e-3, 1e-3, 1001)])
    exact = np.array([math.exp(value) for value in x])
    assert np.max(np.abs(exponentials(x) / exact - 1)) < 2e-13
    assert exponentials(np.array([0.0]))[0] == 1.0
    assert (exponentials(np.array([1e6, -1e6])) == exponentials(np.array([700.0, -700.0]))).all()


def test_expm1_to_2e_13_also_close_to_zero():
    x = np.concatenate([np.linspace(-600, 600, 100_001), -np.logspace(-300, 0, 500), np.logspace(-300, 0, 500)])
    x = x[x != 0]
    exact = np.array([math.expm1(value) for value in x])
    assert np.max(np.abs(exponentials_less_one(x) / exact - 1)) < 2e-13


def test_single_precision_to_4e_7():
    x = np.concatenate([np.linspace(-80, 80, 100_001), np.linspace(-1e-3, 1e-3, 1000)]).astype(np.float32)
    x = x[x != 0]
    exp, expm1, phi = singles(x)
    assert np.max(np.abs(exp / np.exp(x.astype(float)) - 1)) < 4e-7
    assert np.max(np.abs(expm1 / np.expm1(x.astype(float)) - 1)) < 6e-7
    z = np.abs(x.astype(float) / 80.0)
    assert np.max(np.abs(phi / (-np.expm1(-z) / z) - 1)) < 1e-6


@pytest.mark.parametrize("halvings", [0, 2, 3, 5, 9, 11])
def test_relaxation_to_2e_12_over_its_whole_range(halvings):
    z = np.linspace(1e-9, 2**halvings / 2, 50_001)
    exact = -np.expm1(-z) / z
    assert np.max(np.abs(relaxations(z, halvings) / exact - 1)) < 2e-12
    assert relaxations(np.array([0.0]), halvings)[0] == 1.0


def test_linoid_at_and_around_its_singular_point():
    z = np.concatenate([-np.logspace(-12, 2, 400), [0.0], np.logspace(-12, 2, 400)])
    exact = np.array([1.0 if value == 0 else value / math.expm1(value) for value in z])
    assert np.max(np.abs(functions.linoid(z) / exact - 1)) < 1e-13


@pytest.mark.slow
def test_normals_have_the_moments_of_n_0_1():
    x = draws(0, 0)
    n = len(x)
    for measured, expected, error in (
        (x.mean(), 0.0, 1 / np.sqrt(n)),
        (x.var(), 1.0, np.sqrt(2 / n)),
        (stats.skew(x), 0.0, np.sqrt(6 / n)),
        (stats.kurtosis(x), 0.0, np.sqrt(24 / n)),
    ):
        assert abs(measured - expected) < 4 * error
    assert stats.kstest(x, "norm").pvalue > 0.001
    assert 4.3 < np.abs(x).max() < 6.7


def test_normals_are_independent_within_and_between_simulations():
    x, y, other_seed = draws(0, 0), draws(0, 1), draws(1, 0)
    bound = 4.5 / np.sqrt(len(x))
    assert all(abs(np.corrcoef(x[lag:], x[:-lag])[0, 1]) < bound for lag in range(1, 20))
    assert abs(np.corrcoef(x**2, np.roll(x, 1) ** 2)[0, 1]) < bound
    assert abs(np.corrcoef(x, y)[0, 1]) < bound
    assert abs(np.corrcoef(x, other_seed)[0, 1]) < bound


def test_keys_of_a_million_simulations_differ():
    keys = kernels.random_keys(7, np.arange(1_000_000))
    assert len(np.unique(keys)) == len(keys)
    assert kernels.random_keys(7, np.array([12]))[0] == keys[12]
