"""Percentile bootstrap of a mean over subjects."""

import numpy as np
import pytest

from hawkeys.evaluation.rates.bootstrap import Bootstrap, make_bootstrap
from hawkeys.exceptions import InvalidParameterError


def test_same_seed_same_interval():
    values = np.random.default_rng(3).uniform(size=30)
    one, two = Bootstrap(500, seed=11), Bootstrap(500, seed=11)
    assert one.interval(values) == two.interval(values)
    assert one.interval(values) != Bootstrap(500, seed=12).interval(values)


def test_interval_by_hand():
    """Every resample is repeated by a loop with the same draws."""
    values = np.array([0.0, 1.0, 5.0])
    rng = np.random.default_rng(4)
    means = sorted(np.mean([values[k] for k in draw]) for draw in rng.integers(3, size=(200, 3)))
    expected = np.quantile(means, [0.025, 0.975])
    np.testing.assert_allclose(Bootstrap(200, seed=4).interval(values), expected, rtol=1e-12)


def test_coverage_of_a_normal_mean():
    """About 95 % of the intervals cover the mean: 381 of 400 expected, sd 4.4."""
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(400):
        lower, upper = Bootstrap(300, seed).interval(rng.normal(2.0, 1.0, size=60))
        covered += lower <= 2.0 <= upper
    assert 360 <= covered <= 395


def test_level_widens_the_interval():
    values = np.arange(20.0)
    narrow, wide = Bootstrap(999, 0, level=0.5), Bootstrap(999, 0, level=0.99)
    assert np.ptp(narrow.interval(values)) < np.ptp(wide.interval(values))


def test_seed_is_always_recorded():
    assert make_bootstrap(10, 5).seed == 5
    assert make_bootstrap(10, np.int64(5)).seed == 5
    drawn = make_bootstrap(10, np.random.default_rng(0))
    assert drawn == make_bootstrap(10, np.random.default_rng(0))
    assert make_bootstrap(10, None).seed != make_bootstrap(10, None).seed


@pytest.mark.parametrize(
    ("n_resamples", "random_state", "match"),
    [
        (0, 0, "n_bootstrap must be at least 1; got 0"),
        (10.0, 0, "n_bootstrap must be a whole number"),
        (10, -1, "random_state must be at least 0"),
        (10, True, "random_state must be a whole number"),
        (10, "seed", "random_state must be an int, a numpy Generator"),
    ],
)
def test_bad_arguments(n_resamples, random_state, match):
    with pytest.raises(InvalidParameterError, match=match):
        make_bootstrap(n_resamples, random_state)
