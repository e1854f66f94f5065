"""The order of events: grouped by row problem, and merged from many marks, in linear time."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small, is_small_sum
from hawkeys._plain import layout as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["are_regular", "merge_realizations", "place_events"]

jit = Compiled("layout")


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
