"""The fast path gives the answers of a plain one: the test that a vectorised port once lacked (sbi pull 117)."""

from functools import partial

import numpy as np
import pytest
from numba import njit
from scipy import stats

from helpers.inference.priors import box_prior
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many, simulate_traces
from helpers.simulation.compiler.kernels import random_keys
from helpers.simulation.compiler.spec import KernelSpec
from helpers.simulation.engine import make_workspace, report_overflow, run_kernel
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary_statistics
from helpers.simulation.trace import Sweep

NO_SPIKES = np.empty(0)  # the statistics below count peaks of V themselves
EIGHT = ["g_Na", "g_K", "g_L", "g_M", "tau_max", "V_T", "noise", "E_L"]
STIMULUS = step(3.24806, 10.0, 110.0)
N_STEPS, DT = 12_000, 0.01


def plain_statistics(neuron, number):
    """The same equations with the C library's exp and no shortcut, one simulation at a time."""
    spec = KernelSpec(Pospischil, step, precision="plain")
    stimulus = {f"stimulus_{name}": value for name, value in STIMULUS.values().items()}
    workspace = make_workspace(spec, {**neuron.initial_state(), **neuron.constants(), **stimulus}, 1)
    recorded = np.empty((len(spec.states), N_STEPS + 1))
    report = partial(report_overflow, spec, DT, lambda lane: "plain")
    run_kernel(spec, workspace, random_keys(5, np.array([number])), np.empty(0), DT, N_STEPS, recorded, report)
    t = np.arange(N_STEPS + 1) * DT
    return summary_statistics.compiled(Sweep(t, recorded[0], t, 10.0, 110.0, NO_SPIKES)), recorded[0]


@pytest.mark.parametrize("n_sims", [600, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.slow
def test_against_the_plain_path_on_draws_of_the_eight_parameter_box(noisy, n_sims):
    prior = box_prior(Pospischil, EIGHT)
    theta = prior.draw(n_sims, seed=4)
    if not noisy:
        theta[:, EIGHT.index("noise")] = 0.0
    fast = simulate_many(Pospischil(), STIMULUS, prior.by_name(theta), 120.0, seed=5)
    plain = np.empty_like(fast)
    doubtful = []
    for i, row in enumerate(theta):
        plain[i], V = plain_statistics(Pospischil(**dict(zip(EIGHT, row, strict=True))), i)
        peaks = V[1:-1][(V[1:-1] >= V[:-2]) & (V[1:-1] > V[2:])]
        if plain[i, 0] != fast[i, 0]:
            doubtful.append((i, np.abs(peaks + 10.0).min()))
    # A count may differ only where a peak comes within 1e-6 mV of the -10 mV that decide; they are shown, not hidden.
    print(f"spike counts that differ: {doubtful}")
    assert all(distance < 1e-6 for _, distance in doubtful)
    sure = np.setdiff1d(np.arange(len(theta)), [i for i, _ in doubtful])
    scale = np.maximum(np.abs(plain[sure]), [1, 1, 0, 1, 0, 1, 1])
    error = np.abs(fast[sure] - plain[sure]) / np.where(scale > 0, scale, 1.0)
    print(f"largest relative error of each statistic: {error.max(axis=0)}")
    assert error.max() < 1e-6
    assert len(np.unique(fast[:, 0])) > 10


@njit
def quotient(z):
    return z / (np.exp(z) - 1.0) if abs(z) >= 1e-4 else 1.0 - z / 2.0


@njit
def tutorial(g_Na, g_K, seed):
    """V of sbi's tutorial simulator, written out again from its description: Python loop, math.exp, NumPy's noise."""
    np.random.seed(seed)  # noqa: NPY002 - the generator that compiled code knows
    V = np.empty(N_STEPS + 1)
    V[0] = v = -70.0
    gates = np.zeros(4)
    rate = np.zeros((2, 4))
    for i in range(N_STEPS + 1):
        if i > 0:
            m, h, n, p = gates
            na, k, leak, slow = g_Na * m**3 * h, g_K * n**4, 0.1, 0.07 * p
            total = na + k + leak + slow
            current = 3.24806 if 1000 <= i - 1 < 11_000 else 0.0
            drive = current + 0.1 * np.random.randn() / np.sqrt(DT)  # noqa: NPY002
            v_inf = (na * 53.0 + (k + slow) * -107.0 + leak * -70.0 + drive) / total
            v = v_inf + (v - v_inf) * np.exp(-DT * total)
            V[i] = v
        u = v + 60.0
        rate[0, 0], rate[1, 0] = 0.32 * quotient(-0.25 * (u - 13.0)) / 0.25, 0.28 * quotient(0.2 * (u - 40.0)) / 0.2
        rate[0, 1], rate[1, 1] = 0.128 * np.exp(-(u - 17.0) / 18.0), 4.0 / (1.0 + np.exp(-0.2 * (u - 40.0)))
        rate[0, 2], rate[1, 2] = 0.032 * quotient(-0.2 * (u - 15.0)) / 0.2, 0.5 * np.exp(-(u - 10.0) / 40.0)
        p_inf = 1.0 / (1.0 + np.exp(-0.1 * (v + 35.0)))
        tau_p = 600.0 / (3.3 * np.exp(0.05 * (v + 35.0)) + np.exp(-0.05 * (v + 35.0)))
        rate[0, 3], rate[1, 3] = p_inf / tau_p, (1.0 - p_inf) / tau_p
        for x in range(4):
            alpha, beta = rate[0, x], rate[1, x]
            steady = alpha / (alpha + beta)
            gates[x] = steady if i == 0 else steady + (gates[x] - steady) * np.exp(-DT * (alpha + beta))
    return V


@pytest.mark.slow
def test_against_the_tutorials_simulator_on_2000_draws():
    """All seven statistics are distributed alike (two-sample Kolmogorov-Smirnov), with independent noise."""
    prior = box_prior(Pospischil, ["g_Na", "g_K"])
    theta = prior.draw(2000, seed=6)
    ours = simulate_many(Pospischil(), STIMULUS, prior.by_name(theta), 120.0, seed=7)
    t = np.arange(N_STEPS + 1) * DT
    theirs = np.array(
        [
            summary_statistics.compiled(Sweep(t, tutorial(*row, i), t, 10.0, 110.0, NO_SPIKES))
            for i, row in enumerate(theta)
        ]
    )
    for name, a, b in zip(summary_statistics.names, ours.T, theirs.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > 0.01, name
    same = ours[:, 0] == theirs[:, 0]
    assert same.mean() > 0.97  # near a threshold the noise decides
    # Without the chance of the noise the two agree draw by draw, far closer than draws differ.
    assert np.median(np.abs(ours[same, 3] - theirs[same, 3])) < 0.02 * ours[:, 3].std()


@pytest.mark.slow
def test_mean_and_variance_of_the_noise_match_at_one_point():
    repeats = simulate_many(Pospischil(), STIMULUS, {"g_Na": np.full(800, 50.0)}, 120.0, seed=8)
    t = np.arange(N_STEPS + 1) * DT
    theirs = np.array(
        [summary_statistics.compiled(Sweep(t, tutorial(50.0, 5.0, i), t, 10.0, 110.0, NO_SPIKES)) for i in range(800)]
    )
    for a, b in zip(repeats[:, 1:].T, theirs[:, 1:].T, strict=True):
        assert abs(a.mean() - b.mean()) < 4.5 * np.sqrt((a.var() + b.var()) / 800)
        assert 0.85 < a.std() / b.std() < 1.18


def test_traces_that_are_kept_are_the_traces():
    theta = {"g_Na": np.linspace(20.0, 80.0, 70)}
    whole = simulate_traces(Pospischil(), STIMULUS, theta, 120.0, seed=9)
    thin = simulate_traces(Pospischil(), STIMULUS, theta, 120.0, seed=9, sampling=0.5)
    assert whole.shape == (70, N_STEPS + 1) and thin.shape == (70, 241)
    np.testing.assert_array_equal(thin, whole[:, ::50])
    np.testing.assert_array_equal(whole[69], simulate(Pospischil(g_Na=80.0), STIMULUS, 120.0, seed=(9, 69)).V)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "lsoda"}, "'lsoda' runs one neuron at a time"),
        ({"precision": "half"}, "precision = 'half'; allowed: double, single"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        simulate_many(Pospischil(), STIMULUS, {"g_Na": [50.0]}, 120.0, seed=0, **change)
    with pytest.raises(ValueError, match=message):
        simulate_traces(Pospischil(), STIMULUS, {"g_Na": [50.0]}, 120.0, seed=0, **change)


@pytest.mark.parametrize("sampling", [0.015, 0.0, -0.5])
def test_traces_are_sampled_at_multiples_of_dt(sampling):
    with pytest.raises(ValueError, match=f"sampling = {sampling:g} ms; allowed: a multiple of dt = 0.01 ms"):
        simulate_traces(Pospischil(), STIMULUS, {"g_Na": [50.0]}, 120.0, seed=0, sampling=sampling)
