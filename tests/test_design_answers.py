"""What a design answers: rows, weights, information and where the parameters are."""

import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.baselines import PiecewiseConstant
from hawkeys.kernels import Exponential

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.4, 0.0]], decay=2.0)
EVENTS = hawkeys.simulate(TRUTH, end_time=30.0, n_realizations=3, rng=0)
WEIGHTS = np.array([1.0, 2.0, 0.5])
STEPS = PiecewiseConstant([0.0, 10.0, 30.0])


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("baseline", [None, STEPS], ids=["constant", "steps"])
def test_information_is_minus_the_second_derivative(separate, weights, baseline):
    design = Design.build(
        EVENTS, Exponential(2.0), separate=separate, realization_weights=weights, baseline=baseline
    )
    x = np.full(design.cost.shape, 0.3) + 0.1 * np.random.default_rng(0).random(design.cost.shape)
    step = 1e-5
    for b in range(design.n_blocks):
        assert design.rows(b).shape == (x.shape[1], design.counts[b])
        numeric = np.empty((x.shape[1], x.shape[1]))
        for p in range(x.shape[1]):
            up, down = x.copy(), x.copy()
            up[b, p] += step
            down[b, p] -= step
            slopes = [design.value_and_gradient(point)[1][b] for point in (up, down)]
            numeric[p] = (slopes[1] - slopes[0]) / (2 * step)
        np.testing.assert_allclose(design.information(b, x[b]), numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("separate", [False, True])
def test_the_plain_map_is_a_map(separate):
    design = Design.build(EVENTS, Exponential(2.0), separate=separate)
    assert design.is_plain
    x = np.arange(design.cost.size, dtype=float).reshape(design.cost.shape)
    np.testing.assert_array_equal(design.columns.parameters(x), x)
    np.testing.assert_array_equal(design.columns.blocks, np.arange(design.n_blocks))
