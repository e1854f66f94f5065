"""Grouping events by row problem; see `hawkeys._jit.layout`."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import IntArray

__all__ = ["count_events", "owners", "place_events"]


def owners(offsets: IntArray) -> IntArray:
    """Return the realisation of each event."""
    return np.repeat(np.arange(offsets.size - 1), np.diff(offsets))


def count_events(marks: IntArray, offsets: IntArray, n_marks: int) -> IntArray:
    """Return the number of events of each realisation and mark, shape (n_realizations, n_marks)."""
    n = offsets.size - 1
    keys = owners(offsets) * n_marks + marks
    return np.bincount(keys, minlength=n * n_marks).astype(np.int64).reshape(n, n_marks)


def place_events(marks: IntArray, offsets: IntArray, first: IntArray) -> IntArray:
    """Return each event's place in the order of the blocks."""
    keys = owners(offsets) * first.shape[1] + marks
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=first.size)
    rank = np.arange(marks.size) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.empty(marks.size, dtype=np.int64)
    slots[order] = np.repeat(first.ravel(), counts) + rank
    return slots
