"""Simulation in bulk: the law of the cluster construction, on windows of every kind."""

import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import Hawkes
from hawkeys._jit.clusters import attach_children, order_points
from hawkeys.exceptions import UnstableProcessError
from hawkeys.simulation._bulk_clusters import is_bulk, simulate_bulk
from hawkeys.simulation.sampling import simulate_clusters

PROCESS = Hawkes([0.5, 0.3], [[0.3, 0.4], [0.0, 0.5]], decay=2.0)


def bulk(process, starts, ends, seed):
    rng = np.random.default_rng(seed)
    return simulate_bulk(process, np.array(starts), np.array(ends), rng, limit=1e7)


def naive_children(parents, counts, picks, lags, decay, durations):
    """Children one by one, as a list of (mark, time, owner)."""
    times, owners, bounds = parents
    out, k = [], 0
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            for _ in range(counts[i, j]):
                own = list(range(bounds[j], bounds[j + 1]))
                parent = own[int(picks[k] * len(own))]
                child = times[parent] + lags[k] / decay[i, j]
                if child <= durations[owners[parent]]:
                    out.append((i, child, owners[parent]))
                k += 1
    return out


def test_children_equal_the_naive_ones():
    rng = np.random.default_rng(0)
    bounds = np.array([0, 3, 3, 8])
    parents = rng.uniform(0, 5, 8), rng.integers(0, 2, 8), bounds
    counts = np.array([[2, 0, 5], [0, 0, 9], [4, 0, 0]])
    picks, lags = rng.random(20), rng.standard_exponential(20)
    decay, durations = rng.uniform(0.5, 2.0, (3, 3)), np.array([5.0, 6.0])
    children = np.empty(21), np.empty(21, dtype=np.int64), np.empty(4, dtype=np.int64)
    attach_children(parents, counts, picks, lags, decay, durations, children)
    expected = naive_children(parents, counts, picks, lags, decay, durations)
    n = len(expected)
    assert 0 < n < 20
    marks = np.repeat(np.arange(3), np.diff(children[2]))
    np.testing.assert_array_equal(marks, [mark for mark, _, _ in expected])
    np.testing.assert_allclose(children[0][:n], [time for _, time, _ in expected], rtol=1e-15)
    np.testing.assert_array_equal(children[1][:n], [owner for _, _, owner in expected])


@pytest.mark.parametrize("kind", ["even", "one time", "bunched", "none"])
def test_order_is_a_sort(kind):
    rng = np.random.default_rng(1)
    n = 0 if kind == "none" else 500
    starts, ends = np.array([0.0, 7.0, 8.0]), np.array([3.0, 8.0, 10.0])
    owners = rng.integers(0, 2, n)  # the last realisation is empty
    times = rng.uniform(0.0, 1.0, n)
    times = {"one time": np.full(n, 0.5), "bunched": times**60}.get(kind, times)
    marks = rng.integers(0, 4, n)
    out = np.zeros(4, dtype=np.int64), np.empty(n), np.empty(n, dtype=np.int64)
    done = order_points((times, marks, owners), starts, ends, *out)
    assert done == (kind in ("even", "none"))
    np.testing.assert_array_equal(np.diff(out[0]), np.bincount(owners, minlength=3))
    if done:
        order = np.lexsort((times, owners))
        np.testing.assert_array_equal(out[1], times[order] + starts[owners[order]])
        np.testing.assert_array_equal(out[2], marks[order])


def test_numbers_of_events_have_mean_and_variance_of_the_law():
    """10,000 windows each way, counts of both marks; five standard errors."""
    n = 10_000
    windows = np.zeros(n), np.full(n, 6.0)
    mine = simulate_bulk(PROCESS, *windows, np.random.default_rng(2), limit=1e7).counts
    other = simulate_clusters(PROCESS, *windows, np.random.default_rng(3), limit=1e7).counts
    for column in range(2):
        a, b = mine[:, column], other[:, column]
        assert abs(a.mean() - b.mean()) < 5 * np.sqrt((a.var() + b.var()) / n)
        spread = np.sqrt((np.var((a - a.mean()) ** 2) + np.var((b - b.mean()) ** 2)) / n)
        assert abs(a.var() - b.var()) < 5 * spread
    together = np.cov(mine.T)[0, 1] - np.cov(other.T)[0, 1]
    assert abs(together) < 5 * np.sqrt(2 * mine[:, 0].var() * mine[:, 1].var() / n)


@pytest.mark.parametrize("decay", [2.0, [1.0, 4.0], [[1.0, 2.0], [3.0, 0.5]]])
def test_residuals_are_exponential_and_not_with_the_wrong_orientation(decay):
    process = Hawkes(PROCESS.baseline, PROCESS.adjacency, decay=decay)
    events = bulk(process, [5.0], [2_000.0], seed=4)
    turned = Hawkes(process.baseline, process.adjacency.T, decay=np.transpose(decay))
    for model, right in ((process, True), (turned, False)):
        pvalues = []
        mass = model.compensator(events, events.times)
        for i in range(2):
            gaps = np.diff(mass[events.marks == i, i])
            pvalues.append(stats.kstest(gaps, "expon").pvalue)
        assert (min(pvalues) > 0.01) == right


def test_windows_of_their_own():
    starts, ends = [0.0, 1.7e9, 3.0], [400.0, 1.7e9 + 300.0, 3.5]
    events = bulk(PROCESS, starts, ends, seed=5)
    for r, part in enumerate(events.to_lists()):
        for times in part:
            assert (np.diff(times) >= 0).all()
            assert ((times >= starts[r]) & (times <= ends[r])).all()
    expected = PROCESS.stationary_rate.sum() * np.array([400.0, 300.0, 0.5])
    assert (np.abs(events.counts.sum(axis=1) - expected) < 6 * np.sqrt(6 * expected)).all()
    checked = hawkeys.Events.from_arrays(
        events.times, events.marks, offsets=events.offsets, start_times=starts, end_times=ends
    )
    assert checked.n_events == events.n_events


def test_tight_bursts_are_sorted_too():
    process = Hawkes([1e-3], [[0.99]], decay=1e9)
    events = bulk(process, [0.0], [1e6], seed=6)
    assert events.n_events > 20_000
    assert (np.diff(events.times) >= 0).all()


def test_what_is_simulated_in_bulk():
    assert is_bulk(PROCESS, np.array([2e4]))
    assert not is_bulk(PROCESS, np.array([1e3]))
    assert not is_bulk(Hawkes([1.0], [[1.0]], decay=1.0), np.array([1e9]))
    slow = hawkeys.kernels.LogNormal(location=0.0, scale=1.0)
    assert not is_bulk(Hawkes([1.0], [[0.5]], kernel=slow), np.array([1e9]))
    silent = bulk(Hawkes([0.0, 0.0], np.zeros((2, 2)), decay=1.0), [0.0], [1e3], seed=0)
    assert silent.n_events == 0


def test_the_same_seed_gives_the_same_events():
    first, again = (hawkeys.simulate(PROCESS, end_time=2e4, rng=7) for _ in range(2))
    np.testing.assert_array_equal(first.times, again.times)
    assert first.n_events > 20_000
    assert not first.times.flags.writeable


def test_too_many_events_are_refused():
    with pytest.raises(UnstableProcessError, match="grow beyond 1e\\+03 events"):
        simulate_bulk(PROCESS, np.zeros(1), np.full(1, 1e4), np.random.default_rng(0), limit=1e3)
