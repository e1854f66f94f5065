"""The order of events: grouped by row problem, and merged; see `hawkeys._jit.layout`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "alike_rows",
    "are_regular",
    "merge_realizations",
    "owners",
    "place_events",
    "row_of",
]


def owners(offsets: IntArray) -> IntArray:
    """Return the realisation of each event."""
    return np.repeat(np.arange(offsets.size - 1), np.diff(offsets))


def place_events(marks: IntArray, offsets: IntArray, first: IntArray) -> IntArray:
    """Return each event's place in the order of the blocks."""
    keys = owners(offsets) * first.shape[1] + marks
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=first.size)
    rank = np.arange(marks.size) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.empty(marks.size, dtype=np.int64)
    slots[order] = np.repeat(first.ravel(), counts) + rank
    return slots


def row_of(
    data: tuple[FloatArray, FloatArray, IntArray], n_sources: int, b: int
) -> tuple[FloatArray, FloatArray]:
    """Return v (1 + n_sources, n_events) of one row problem, whose first row is 1, and weights."""
    excitation, weights, offsets = data
    begin, end = offsets[b], offsets[b + 1]
    v = np.ones((n_sources + 1, end - begin))
    v[1:] = excitation[n_sources * begin : n_sources * end].reshape(n_sources, -1)
    return v, weights[begin:end] if weights.size else np.ones(end - begin)


def alike_rows(
    data: tuple[FloatArray, FloatArray, IntArray], n_sources: int, part: tuple[int, int]
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Yield the rows of each number of events n, their v (n_rows, 1 + n_sources, n) and weights."""
    excitation, weights, offsets = data
    begins, sizes = offsets[part[0] : part[1]], np.diff(offsets[part[0] : part[1] + 1])
    for n in np.unique(sizes):
        rows = np.flatnonzero(sizes == n)
        if rows.size == 1:
            v, own = row_of(data, n_sources, part[0] + int(rows[0]))
            yield part[0] + rows, v[None], own[None]
            continue
        v = np.ones((rows.size, n_sources + 1, n))
        own = np.ones((rows.size, n))
        at = begins[rows, None]
        if weights.size:
            own = weights[at + np.arange(n)]
        flat = excitation[n_sources * at + np.arange(n_sources * n)]
        v[:, 1:] = flat.reshape(rows.size, n_sources, n)
        yield part[0] + rows, v, own


def _columns_are_regular(flat: FloatArray, ends: IntArray, windows: FloatArray) -> bool:
    """Tell whether no column decreases or leaves its window (2, n_columns); NaN does."""
    full = ends[:-1] < ends[1:]
    first, last = ends[:-1][full], ends[1:][full] - 1
    inside = (windows[0, full] <= flat[first]) & (flat[last] <= windows[1, full])
    steps = flat[:-1] <= flat[1:]
    steps[first[1:] - 1] = True  # from one column to the next
    return bool(inside.all() and steps.all() and not np.isnan(flat).any())


def merge_realizations(
    flat: FloatArray, bounds: IntArray, windows: FloatArray, times: FloatArray, marks: IntArray
) -> bool:
    """Write times and marks of every realisation in time order, simultaneous ones by mark.

    Returns False, the outputs undefined, if times decrease or leave the window.
    """
    n_marks = bounds.shape[1] - 1
    ends = np.append(bounds[:, :-1].ravel(), flat.size)
    if not _columns_are_regular(flat, ends, np.repeat(windows, n_marks, axis=1)):
        return False
    column = owners(ends)
    order = np.lexsort((flat, column // n_marks))  # stable: simultaneous events stay by mark
    times[:], marks[:] = flat[order], column[order] % n_marks
    return True


def are_regular(flat: FloatArray, offsets: IntArray, windows: FloatArray) -> bool:
    """Tell whether no realisation of a single mark has times that decrease or leave the window."""
    return _columns_are_regular(flat, offsets, windows)
