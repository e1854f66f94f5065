"""Grouping events by row problem, in linear time."""

import numpy as np
from numba import njit

__all__ = ["group_events"]


@njit(cache=True)
def group_events(marks, offsets, stride, n_blocks):
    """Return each event's place in the order of the blocks, and the bounds of the blocks.

    Event k of realisation r belongs to block ``r * stride + marks[k]``; within a block the order of
    the events is kept.
    """
    bounds = np.zeros(n_blocks + 1, dtype=np.int64)
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            bounds[r * stride + marks[k] + 1] += 1
    for b in range(n_blocks):
        bounds[b + 1] += bounds[b]
    taken = bounds[:-1].copy()
    slots = np.empty(marks.size, dtype=np.int64)
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            block = r * stride + marks[k]
            slots[k] = taken[block]
            taken[block] += 1
    return slots, bounds
