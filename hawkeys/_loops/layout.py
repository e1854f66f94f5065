"""The order of events: grouped by row problem, and merged from many marks, in linear time."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, is_small_sum
from hawkeys._plain import layout as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["are_regular", "count_events", "merge_realizations", "place_events"]

jit = Compiled("layout")


def count_events(marks: IntArray, offsets: IntArray, n_marks: int) -> IntArray:
    """Return the number of events of each realisation and mark, shape (n_realizations, n_marks)."""
    if n_marks == 1:
        return np.diff(offsets)[:, None]
    loops = plain if is_small_sum(marks.size * n_marks) else jit
    counts: IntArray = loops.count_events(marks, offsets, n_marks)
    return counts


def place_events(marks: IntArray, offsets: IntArray, first: IntArray) -> IntArray:
    """Return each event's place in the order of the blocks.

    The events of mark i in realisation r take the places from ``first[r, i]`` on, in their order.
    """
    loops = plain if is_small_sum(marks.size * first.shape[1]) else jit
    slots: IntArray = loops.place_events(marks, offsets, first)
    return slots


def merge_realizations(
    flat: FloatArray, bounds: IntArray, windows: FloatArray, times: FloatArray, marks: IntArray
) -> bool:
    """Write times and marks of every realisation in time order; see `hawkeys._jit.layout`."""
    loops = plain if is_small(flat.size + bounds.size) else jit
    return bool(loops.merge_realizations(flat, bounds, windows, times, marks))


def are_regular(flat: FloatArray, offsets: IntArray, windows: FloatArray) -> bool:
    """Tell whether no realisation of a single mark has times that decrease or leave the window."""
    loops = plain if is_small(flat.size + offsets.size) else jit
    return bool(loops.are_regular(flat, offsets, windows))
