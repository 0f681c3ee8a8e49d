"""The benchmark of the integrate-and-fire neuron must tell a right posterior from a wrong one."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import lif as bench
from helpers.inference.diagnostics.calibration import sbc
from helpers.inference.diagnostics.trials import Trials
from helpers.inference.lif.problem import CORRECTED, PUBLISHED_PRIOR


def test_bars_of_right_and_of_narrow_posteriors():
    """Truth and draws from one distribution are calibrated; draws of half the SD are not."""
    prior, rng = PUBLISHED_PRIOR, np.random.default_rng(1)
    theta = prior.draw(1000, seed=1)
    samples = prior.draw(1000 * 100, seed=2).reshape(1000, 100, 6)
    right = Trials(prior, theta, rng.standard_normal((1000, 1)), samples)
    middle = samples.mean(axis=(0, 1))
    narrow = replace(right, samples=middle + 0.5 * (samples - middle))
    assert bench.bars_outside(sbc(right, seed=3)) <= 4  # 1.2 of 120 on average
    assert bench.bars_outside(sbc(narrow, seed=3)) > 20


@pytest.mark.filterwarnings("ignore:ks_2samp")  # few trials
def test_a_table_without_bayesflow(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'bayesflow'")

    few = {"statistics, flow": bench.with_statistics, "BayesFlow, its network": missing}
    monkeypatch.setattr(bench, "METHODS", few)
    lines = list(bench.methods(list(few), replace(bench.QUICK, epochs=20), seed=0))
    assert [line.count("|") for line in lines[:4]] == [13] * 4
    assert lines[2].startswith("| statistics, flow") and lines[3].startswith("| exact |")
    assert lines[4] == "| BayesFlow, its network | left out: No module named 'bayesflow' |"
    assert float(lines[2].split("|")[3]) > 0.8  # r of V_th


def test_training_and_test_data_differ():
    data = bench.Data.of(CORRECTED, PUBLISHED_PRIOR, replace(bench.QUICK, training=60), seed=0)
    assert data.theta.shape == data.theta_test.shape == (60, 6) and data.x.shape == (60, 1000, 2)
    assert not np.isin(data.theta, data.theta_test).any() and not np.array_equal(data.x, data.x_test)
