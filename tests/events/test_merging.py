"""Lists of times per mark become one sequence: as the obvious sort does, ties by mark."""

import numpy as np
import pytest

from hawkeys import Events
from hawkeys.events._merging import merge_checked, merge_quickly
from hawkeys.exceptions import InvalidEventsError

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")


def problems():
    """Random realisations by (number, marks, events each, kind of times)."""
    rng = np.random.default_rng(3)
    for size, n_marks, n_events in [(1, 1, 40), (1, 4, 200), (3, 2, 30), (5, 11, 22), (2, 3, 0)]:
        for kind in ("plain", "ties", "epoch", "bunched", "one time"):
            made = []
            for _ in range(size):
                t = rng.uniform(0.0, 10.0, n_events)
                t = np.round(t) if kind == "ties" else t
                t = 1.7e9 + t if kind == "epoch" else t
                t = t**40 / 1e39 if kind == "bunched" else t
                t = np.full(n_events, 3.0) if kind == "one time" else t
                mark = rng.integers(0, n_marks, n_events)
                made.append([np.sort(t[mark == m]) for m in range(n_marks)])
            yield made


@pytest.mark.parametrize("lists", list(problems()))
def test_merging_is_a_stable_sort(lists):
    n = len(lists)
    quick = merge_quickly(lists, np.zeros(n), np.full(n, 2e9))
    *plain, origins = merge_checked(lists, np.zeros(n))
    assert origins is None
    for mine, expected in zip(quick or plain, plain, strict=True):
        np.testing.assert_array_equal(mine, expected)
        assert mine.dtype == expected.dtype
    order = [sorted((t, m) for m, ts in enumerate(part) for t in ts) for part in lists]
    expected = [t for part in order for t, _ in part]
    np.testing.assert_array_equal(plain[0], expected)


def test_bunched_times_are_left_to_the_sort():
    clock = np.concatenate((np.linspace(0.0, 1e-6, 15_000), [1.0]))
    assert merge_quickly([[clock, clock]], np.zeros(1), np.ones(1)) is None
    np.testing.assert_array_equal(
        Events.from_lists([[clock, clock]], end_times=1.0).times, np.repeat(clock, 2)
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([0.5, 0.2], r"realization 0, mark 1: times must not decrease; times\[1\]=0.2"),
        ([0.5, np.nan], r"realization 0, mark 1: times must be finite; times\[1\]=nan"),
        ([0.5, np.inf], r"realization 0, mark 1: times must be finite; times\[1\]=inf"),
        ([0.5, 2.0], r"realization 0: times\[2\]=2.0 lies outside the window \[0.0, 1.0\]"),
        ([-0.5, 0.2], r"realization 0: times\[0\]=-0.5 lies outside the window"),
    ],
)
def test_arrays_are_checked(column, message):
    with pytest.raises(InvalidEventsError, match=message):
        Events.from_lists([[np.array([0.1]), np.array(column)]], end_times=1.0)


def test_the_result_is_a_copy():
    own = np.array([0.1, 0.2])
    events = Events.from_lists([[own]], end_times=1.0)
    own[0] = 0.15
    assert events.times[0] == 0.1
    assert not events.times.flags.writeable
