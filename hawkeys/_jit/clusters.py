"""Children of a generation of events, and all generations in time order."""

import numpy as np
from numba import njit

__all__ = ["attach_children", "order_points"]

# mean square number of points in a bucket, above which the buckets are too uneven to be sorted
_UNEVEN = 32.0


@njit(cache=True, nogil=True)
def attach_children(parents, counts, picks, lags, decay, durations, children):
    """Fill the children of one generation, those beyond the windows left out; return their bounds.

    parents and children = (times, owners, bounds): the events of mark i are
    ``bounds[i]:bounds[i + 1]``. counts[i, j] children of mark i pick a parent of mark j each, by a
    uniform number; `lags` are standard exponential.
    """
    times, owners, bounds = parents
    child_times, child_owners, child_bounds = children
    n, k = 0, 0
    for i in range(counts.shape[0]):
        child_bounds[i] = n
        for j in range(counts.shape[1]):
            first, size = bounds[j], bounds[j + 1] - bounds[j]
            scale = 1.0 / decay[i, j]
            for _ in range(counts[i, j]):
                parent = first + min(int(picks[k] * size), size - 1)
                time = times[parent] + scale * lags[k]
                # written in any case, kept by moving on
                child_times[n] = time
                child_owners[n] = owners[parent]
                n += time <= durations[owners[parent]]
                k += 1
    child_bounds[counts.shape[0]] = n


@njit(cache=True, nogil=True)
def _buckets(times, owners, offsets, durations, bucket):
    """Give each point a bucket: as many per realisation as points, evenly over its window."""
    for k in range(times.size):
        r = owners[k]
        n = offsets[r + 1] - offsets[r]
        bucket[k] = offsets[r] + min(int(times[k] / durations[r] * n), n - 1)


@njit(cache=True, nogil=True)
def _insert(times, marks):
    """Sort by insertion, equal times in their order: quick if nearly sorted."""
    for k in range(1, times.size):
        t, m = times[k], marks[k]
        at = k
        while at > 0 and times[at - 1] > t:
            times[at], marks[at] = times[at - 1], marks[at - 1]
            at -= 1
        if at < k:
            times[at], marks[at] = t, m


@njit(cache=True, nogil=True)
def order_points(points, starts, ends, offsets, out_times, out_marks):
    """Write times on the clock and marks by realisation and time, and where each one starts.

    points = (elapsed times, marks, owners). Returns False, the order undone, if the times bunch so
    much that sorting by buckets would be slow.
    """
    times, marks, owners = points
    durations = ends - starts
    for k in range(times.size):
        offsets[owners[k] + 1] += 1
    for r in range(durations.size):
        offsets[r + 1] += offsets[r]
    bucket = np.empty(times.size, dtype=np.int64)
    _buckets(times, owners, offsets, durations, bucket)
    taken = np.zeros(times.size + 1, dtype=np.int64)
    for k in range(times.size):
        taken[bucket[k] + 1] += 1
    squares = 0.0
    for b in range(times.size):
        squares += float(taken[b + 1]) ** 2
        taken[b + 1] += taken[b]
    if squares > _UNEVEN * times.size:
        return False
    for k in range(times.size):
        at = taken[bucket[k]]
        out_times[at], out_marks[at] = times[k], marks[k]
        taken[bucket[k]] += 1
    for r in range(durations.size):
        here = slice(offsets[r], offsets[r + 1])
        _insert(out_times[here], out_marks[here])
        for k in range(offsets[r], offsets[r + 1]):
            out_times[k] = min(out_times[k] + starts[r], ends[r])
    return True
