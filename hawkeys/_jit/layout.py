"""Grouping events by row problem, in linear time."""

import numpy as np
from numba import njit

__all__ = ["count_events", "place_events"]


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
