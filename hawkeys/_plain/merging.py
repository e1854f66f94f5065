"""Merging the sorted times of many marks into one sorted sequence; see `hawkeys._jit.merging`."""

from __future__ import annotations

import numpy as np

from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = ["are_regular", "merge_realizations"]


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
