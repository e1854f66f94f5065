"""The order of points by realisation and time, whatever the number of realisations."""

import numpy as np
import pytest

from hawkeys.simulation._clusters import Points, time_order


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_owners", [1, 7, 70_000])
@pytest.mark.parametrize("size", [0, 1, 5_000])
def test_points_are_in_order_and_those_at_once_as_they_came(size, n_owners, ties):
    rng = np.random.default_rng(size + n_owners)
    times = rng.integers(0, 40, size).astype(float) if ties else rng.uniform(size=size)
    owners = rng.integers(n_owners, size=size)
    points = Points(times, owners, owners, owners)
    expected = sorted(range(size), key=lambda k: (owners[k], times[k], k))
    np.testing.assert_array_equal(time_order(points), expected)
