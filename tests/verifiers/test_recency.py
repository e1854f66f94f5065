"""Weights that favour the latest samples."""

import numpy as np
import pytest

from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan, recency_weights


@pytest.mark.parametrize("half_life", [0.5, 1.0, 30.0, 1e6])
def test_a_weight_is_half_that_of_a_sample_one_half_life_later(half_life):
    weights = recency_weights(100, half_life)
    assert weights.mean() == pytest.approx(1.0, rel=1e-14)
    ages = np.arange(99, -1, -1)
    np.testing.assert_allclose(weights / weights[-1], 0.5 ** (ages / half_life), rtol=1e-12)


def test_known_weights():
    np.testing.assert_allclose(recency_weights(3, 1.0), [3 / 7, 6 / 7, 12 / 7], rtol=1e-15)
    assert recency_weights(1, 5.0).tolist() == [1.0]


def test_without_a_half_life_all_count_alike():
    np.testing.assert_array_equal(recency_weights(4, None), np.ones(4))
    np.testing.assert_allclose(recency_weights(4, 1e15), np.ones(4), rtol=1e-14)


def test_a_short_half_life_leaves_old_samples_nothing():
    assert recency_weights(5000, 1.0)[0] == 0.0
    assert recency_weights(3, 1e-4).tolist() == [0.0, 0.0, 3.0]


def test_a_verifier_follows_the_latest_samples():
    X = np.repeat([[0.0], [1.0]], 50, axis=0)
    center = Manhattan().fit(X, sample_weight=recency_weights(100, 10.0)).center_[0]
    assert center == pytest.approx(1 / (1 + 2**-5), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3.0), r"n_samples must be at least 1; got 0"),
        ((2.0, 3.0), r"n_samples must be a whole number"),
        ((5, 0.0), r"half_life must be one positive number; got 0.0"),
        ((5, np.inf), r"half_life is inf; every value must be finite"),
        ((5, [1.0, 2.0]), r"half_life must be one positive number; got \[1.0, 2.0\]"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        recency_weights(*arguments)
