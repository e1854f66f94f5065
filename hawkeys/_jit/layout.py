"""Grouping events by row problem, in linear time."""

import numpy as np
from numba import njit

__all__ = ["count_events", "place_events"]


@njit(cache=True, nogil=True)
def count_events(marks, offsets, n_marks):
    """Return the number of events of each realisation and mark, shape (n_realizations, n_marks)."""
    n = offsets.size - 1
    counts = np.zeros((n, n_marks), dtype=np.int64)
    # in four tables, so that the same mark twice need not wait for the first
    tables = np.empty((4, n_marks), dtype=np.int64)
    for r in range(n):
        if n_marks == 1:
            counts[r, 0] = offsets[r + 1] - offsets[r]
            continue
        tables[:] = 0
        for k in range(offsets[r], offsets[r + 1]):
            tables[k & 3, marks[k]] += 1
        for t in range(4):
            counts[r] += tables[t]
    return counts


@njit(cache=True, nogil=True)
def place_events(marks, offsets, first):
    """Return each event's place in the order of the blocks.

    The events of mark i in realisation r take the places from ``first[r, i]`` on, in their order.
    """
    slots = np.empty(marks.size, dtype=np.int64)
    for r in range(offsets.size - 1):
        taken = first[r].copy()
        for k in range(offsets[r], offsets[r + 1]):
            slots[k] = taken[marks[k]]
            taken[marks[k]] += 1
    return slots
