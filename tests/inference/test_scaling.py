"""What the networks see of the statistics."""

import numpy as np
import pytest
import torch
from scipy import stats

from helpers.inference.scaling import SCALINGS, Scaling

RNG = np.random.default_rng(0)
X = np.column_stack(
    [
        RNG.normal(-60.0, 3.0, 4000),
        np.exp(RNG.normal(3.0, 2.0, 4000)),  # heavy-tailed
        np.full(4000, 5.0),  # constant
        RNG.choice([4.0, 5.0], 4000, p=[0.05, 0.95]),  # a count with an interquartile range of 0
    ]
)


def seen(features, x):
    return features(torch.as_tensor(np.asarray(x, dtype=float))).numpy()


@pytest.mark.parametrize("kind", SCALINGS)
def test_features_are_standardised_and_finite(kind):
    out = seen(Scaling.of(X, kind), X)
    assert out.dtype == np.float32 and np.isfinite(out).all()
    np.testing.assert_allclose(out.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(out.std(axis=0), [1, 1, 0, 1], atol=1e-3)
    far = seen(Scaling.of(X, kind), [[0.0, 1e6, 6.0, 9.0], [-200.0, -1e3, 4.0, 0.0]])
    assert np.isfinite(far).all() and (far[:, 2] == 0).all()
    assert (far[0, [0, 1, 3]] > out[:, [0, 1, 3]].max(axis=0)).all()  # beyond the ends it goes on


def test_heavy_tails_are_bent_and_light_ones_are_not():
    auto, straight, bent = (seen(Scaling.of(X, kind), X) for kind in ("auto", "standardise", "asinh"))
    np.testing.assert_array_equal(auto[:, 0], straight[:, 0])
    np.testing.assert_array_equal(auto[:, 1], bent[:, 1])
    assert stats.kurtosis(straight[:, 1]) > 50 and stats.kurtosis(auto[:, 1]) < 5
    np.testing.assert_allclose(straight[:, 0], (X[:, 0] - X[:, 0].mean()) / X[:, 0].std(), atol=1e-4)


def test_ranks_become_normal_quantiles():
    out = seen(Scaling.of(X, "rank"), X)
    for column in out[:, :2].T:
        assert stats.kstest(column, stats.norm.cdf).statistic < 0.02
    order = np.argsort(X[:, 1])
    assert (np.diff(out[order, 1]) >= 0).all()


def test_what_lies_outside_is_noticed():
    features = Scaling.of(X)
    assert not features.outside(X[17]).any()
    np.testing.assert_array_equal(features.outside(np.array([-20.0, 20.0, 6.0, 5.0])), [True, False, True, False])
    np.testing.assert_array_equal(features.outside(np.array([-60.0, -300.0, 5.0, 3.0])), [False, True, False, True])


def test_around_an_observation_the_noise_is_the_unit():
    """Two statistics with correlated noise: uncorrelated with SD 1 on its scale, whatever the parameters do."""
    points = RNG.uniform(-1.0, 1.0, (3000, 2))
    noise = RNG.multivariate_normal([0.0, 0.0], [[0.04, 0.03], [0.03, 0.09]], 3000)
    x = np.column_stack([points + noise, np.full(3000, 5.0)])
    x_o = np.array([0.1, -0.2, 5.0])
    scaling = Scaling.around(x_o, points, x)
    np.testing.assert_array_equal(seen(scaling, x_o), np.zeros(3))
    near = seen(scaling, x_o + np.column_stack([noise, np.zeros(3000)]) / 10)
    assert abs(np.corrcoef(near[:, :2].T)[0, 1]) < 0.06  # 0.5 before
    assert (near[:, 2] == 0).all()  # a statistic that never varied
    assert scaling.outside(np.array([0.1, 9.0, 5.0])).tolist() == [False, True, False]
    again = Scaling("around", 3)
    again.load_state_dict(scaling.state_dict())
    np.testing.assert_array_equal(seen(again, x), seen(scaling, x))
