"""The order of events: grouped by row problem, and merged; see `hawkeys._jit.layout`."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "are_regular",
    "merge_realizations",
    "owners",
    "place_events",
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
