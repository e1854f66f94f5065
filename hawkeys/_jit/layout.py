"""The order of events: grouped by row problem, and merged from many marks, in linear time."""

import math

import numpy as np
from numba import njit

__all__ = ["are_regular", "count_events", "merge_realizations", "place_events"]

# mean square number of events in a bucket, above which the buckets are too uneven to be sorted
_UNEVEN = 32.0
# buckets filled at a time
_BLOCK = 1_024


@njit(cache=True, nogil=True)
def count_events(marks, offsets, n_marks):
    """Return the number of events of each realisation and mark, shape (n_realizations, n_marks)."""
    n = offsets.size - 1
    counts = np.empty((n, n_marks), np.int64)
    # in four tables, so that the same mark twice need not wait for the first
    tables = np.empty((4, n_marks), np.int64)
    for r in range(n):
        for i in range(n_marks):
            tables[0, i], tables[1, i], tables[2, i], tables[3, i] = 0, 0, 0, 0
        for k in range(offsets[r], offsets[r + 1]):
            tables[k & 3, marks[k]] += 1
        for i in range(n_marks):
            counts[r, i] = tables[0, i] + tables[1, i] + tables[2, i] + tables[3, i]
    return counts


@njit(cache=True, nogil=True)
def place_events(marks, offsets, first):
    """Return each event's place in the order of the blocks.

    The events of mark i in realisation r take the places from ``first[r, i]`` on, in their order.
    """
    slots, taken = np.empty(marks.size, np.int64), np.empty(first.shape[1], np.int64)
    for r in range(offsets.size - 1):
        for i in range(taken.size):
            taken[i] = first[r, i]
        for k in range(offsets[r], offsets[r + 1]):
            slots[k] = taken[marks[k]]
            taken[marks[k]] += 1
    return slots


@njit(cache=True, nogil=True)
def _deal(flat, bounds, span, times, marks, work):
    """Order the events of a realisation by bucket, within a bucket by mark.

    span = (earliest time, latest). Bucket b holds the times with
    ``int((t - low) * scale) == b``, one event on average. So many buckets are filled at a time as
    stay in the cache. work = (columns, taken) is overwritten. Tells whether the buckets are even.
    """
    columns, taken = work
    begin, n_marks = bounds[0], bounds.size - 1
    n, low, squares = bounds[n_marks] - begin, span[0], 0.0
    scale, block = (n - 1) / (span[1] - low), taken.size - 1
    for m in range(n_marks):
        columns[0, m] = bounds[m]
    done = begin
    for base in range(0, n, block):
        for b in range(block + 1):
            taken[b] = 0
        taken[0] = done
        for m in range(n_marks):
            k = columns[0, m]
            while k < bounds[m + 1]:
                b = min(int((flat[k] - low) * scale), n - 1) - base
                if b >= block:
                    break
                taken[b + 1] += 1
                k += 1
            columns[1, m] = k
        for b in range(block):
            squares += float(taken[b + 1]) * float(taken[b + 1])
            taken[b + 1] += taken[b]
        if squares > _UNEVEN * n:
            return False
        done = taken[block]
        for m in range(n_marks):
            for k in range(columns[0, m], columns[1, m]):
                b = min(int((flat[k] - low) * scale), n - 1) - base
                times[taken[b]] = flat[k]
                marks[taken[b]] = m
                taken[b] += 1
            columns[0, m] = columns[1, m]
    return True


@njit(cache=True, nogil=True)
def _span(flat, bounds, start, end):
    """Return the earliest and the latest time; NaN if they decrease or leave the window."""
    low, high = math.inf, -math.inf
    for m in range(bounds.size - 1):
        first, last, good = bounds[m], bounds[m + 1] - 1, 0
        if first > last:
            continue
        before, after = flat[first:last], flat[first + 1 : last + 1]
        for k in range(before.size):
            good += before[k] <= after[k]
        if good < last - first or not (start <= flat[first] and flat[last] <= end):
            return math.nan, math.nan
        low = flat[first] if flat[first] < low else low
        high = flat[last] if flat[last] > high else high
    return low, high


@njit(cache=True, nogil=True)
def merge_realizations(flat, bounds, windows, times, marks):
    """Write times and marks of every realisation in time order, simultaneous ones by mark.

    The times of mark m in realisation r are ``flat[bounds[r, m]:bounds[r, m + 1]]`` and must not
    decrease nor leave the window ``windows[:, r]``. Returns False, the outputs undefined, if they
    do, or if they bunch so much that merging by buckets would be slow.
    """
    n_marks = bounds.shape[1] - 1
    columns = np.empty((2, n_marks), np.int64)
    for r in range(bounds.shape[0]):
        begin, end = bounds[r, 0], bounds[r, n_marks]
        span = _span(flat, bounds[r], windows[0, r], windows[1, r])
        if math.isnan(span[0]):
            return False
        if n_marks > 1 and span[1] > span[0]:
            taken = np.empty(min(end - begin, _BLOCK) + 1, np.int64)
            if not _deal(flat, bounds[r], span, times, marks, (columns, taken)):
                return False
            # sorted by insertion, equal times in their order: quick if nearly sorted
            for k in range(begin + 1, end):
                t, m, at = times[k], marks[k], k
                while at > begin and times[at - 1] > t:
                    times[at], marks[at] = times[at - 1], marks[at - 1]
                    at -= 1
                if at < k:
                    times[at], marks[at] = t, m
            continue
        for m in range(n_marks):
            for k in range(bounds[r, m], bounds[r, m + 1]):
                times[k], marks[k] = flat[k], m
    return True


@njit(cache=True, nogil=True)
def are_regular(flat, offsets, windows):
    """Tell whether no realisation of a single mark has times that decrease or leave the window."""
    for r in range(offsets.size - 1):
        first, last, good = offsets[r], offsets[r + 1] - 1, 0
        if first > last:
            continue
        before, after = flat[first:last], flat[first + 1 : last + 1]
        for k in range(before.size):
            good += before[k] <= after[k]
        inside = windows[0, r] <= flat[first] and flat[last] <= windows[1, r]
        if good < last - first or not inside:
            return False
    return True
