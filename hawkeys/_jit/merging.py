"""Merging the sorted times of many marks into one sorted sequence, in linear time."""

import numpy as np
from numba import njit

__all__ = ["are_regular", "merge_realizations"]

# mean square number of events in a bucket, above which the buckets are too uneven to be sorted
_UNEVEN = 32.0
# buckets filled at a time
_BLOCK = 1_024


@njit(cache=True, nogil=True)
def _regular(column, start, end):
    """Tell whether the times never decrease and stay in the window; NaN and infinity do not."""
    n = column.size
    if n == 0:
        return True
    before, after = column[:-1], column[1:]
    good = 0
    for k in range(n - 1):
        good += before[k] <= after[k]
    return good == n - 1 and start <= column[0] and column[n - 1] <= end


@njit(cache=True, nogil=True)
def _deal(flat, bounds, scale, low, times, marks):
    """Order events by bucket, within a bucket by mark; tell whether the buckets are even.

    Bucket b holds the times with ``int((t - low) * scale) == b``, one event on average. So many
    buckets are filled at a time as stay in the cache.
    """
    n, first, stop = flat.size, bounds[:-1].copy(), bounds[:-1].copy()
    last, block = n - 1, min(n, _BLOCK)
    taken = np.empty(block + 1, dtype=np.int64)
    squares, most = 0.0, _UNEVEN * n
    for base in range(0, n, block):
        taken[:] = 0
        taken[0] = first.sum() - bounds[:-1].sum()
        for m in range(first.size):
            k = first[m]
            while k < bounds[m + 1]:
                b = min(int((flat[k] - low) * scale), last) - base
                if b >= block:
                    break
                taken[b + 1] += 1
                k += 1
            stop[m] = k
        for b in range(block):
            squares += float(taken[b + 1]) ** 2
            taken[b + 1] += taken[b]
        if squares > most:
            return False
        for m in range(first.size):
            for k in range(first[m], stop[m]):
                b = min(int((flat[k] - low) * scale), last) - base
                times[taken[b]] = flat[k]
                marks[taken[b]] = m
                taken[b] += 1
            first[m] = stop[m]
    return True


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
def _merge(flat, bounds, times, marks):
    """Merge the columns ``flat[bounds[m]:bounds[m + 1]]``; tell whether that was quick enough."""
    if bounds.size > 2:
        low, high = flat.min(), flat.max()
        if high > low:
            return _deal(flat, bounds, (flat.size - 1) / (high - low), low, times, marks)
    for m in range(bounds.size - 1):
        times[bounds[m] : bounds[m + 1]] = flat[bounds[m] : bounds[m + 1]]
        marks[bounds[m] : bounds[m + 1]] = m
    return True


@njit(cache=True, nogil=True)
def merge_realizations(flat, bounds, windows, times, marks):
    """Write times and marks of every realisation in time order, simultaneous ones by mark.

    The times of mark m in realisation r are ``flat[bounds[r, m]:bounds[r, m + 1]]`` and must not
    decrease nor leave the window ``windows[:, r]``. Returns False, the outputs undefined, if they
    do, or if they bunch so much that merging by buckets would be slow.
    """
    n_marks = bounds.shape[1] - 1
    for r in range(bounds.shape[0]):
        begin, end = bounds[r, 0], bounds[r, n_marks]
        for m in range(n_marks):
            column = flat[bounds[r, m] : bounds[r, m + 1]]
            if not _regular(column, windows[0, r], windows[1, r]):
                return False
        if begin == end:
            continue
        here = slice(begin, end)
        if not _merge(flat[here], bounds[r] - begin, times[here], marks[here]):
            return False
        _insert(times[here], marks[here])
    return True


@njit(cache=True, nogil=True)
def are_regular(flat, offsets, windows):
    """Tell whether no realisation of a single mark has times that decrease or leave the window."""
    for r in range(offsets.size - 1):
        if not _regular(flat[offsets[r] : offsets[r + 1]], windows[0, r], windows[1, r]):
            return False
    return True
