import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidParameterError

EVENTS = hawkeys.simulate(
    hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.1], [0.0, 0.4]], decay=2.0),
    end_time=20.0,
    n_realizations=4,
    rng=0,
)
HOW = {"decay": 2.0, "method": "vi_stochastic", "n_steps": 150}


def test_a_realization_with_its_own_seed_is_fitted_as_if_alone():
    seeds = np.array([7, 8, 7, 2**40])
    together = hawkeys.fit_each(EVENTS, rng=seeds, **HOW)
    for r, seed in enumerate(seeds):
        alone = hawkeys.fit_each(EVENTS[r : r + 1], rng=int(seed), **HOW)
        np.testing.assert_array_equal(together.baseline[r], alone.baseline[0])
        np.testing.assert_array_equal(together.adjacency[r], alone.adjacency[0])
        assert together.objective[r] == alone.objective[0]
    other = hawkeys.fit_each(EVENTS, rng=seeds + 1, **HOW)
    assert not np.array_equal(together.adjacency, other.adjacency)


@pytest.mark.parametrize(
    ("rng", "method"),
    [
        (np.arange(3), "vi_stochastic"),
        (np.array([0, 1, 2, -3]), "vi_stochastic"),
        (np.linspace(0, 1, 4), "vi_stochastic"),
        (np.arange(4), "vi"),
    ],
)
def test_wrong_seeds_are_refused(rng, method):
    with pytest.raises(InvalidParameterError, match=r"rng may be an array for method 'vi_.*4 "):
        hawkeys.fit_each(EVENTS, decay=2.0, method=method, rng=rng)
