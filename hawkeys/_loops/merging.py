"""Merging the sorted times of many marks into one sorted sequence."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import merging as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["are_regular", "merge_realizations"]

jit = Compiled("merging")


def merge_realizations(
    flat: FloatArray, bounds: IntArray, windows: FloatArray, times: FloatArray, marks: IntArray
) -> bool:
    """Write times and marks of every realisation in time order; see `hawkeys._jit.merging`."""
    loops = plain if is_small(flat.size + bounds.size) else jit
    return bool(loops.merge_realizations(flat, bounds, windows, times, marks))


def are_regular(flat: FloatArray, offsets: IntArray, windows: FloatArray) -> bool:
    """Tell whether no realisation of a single mark has times that decrease or leave the window."""
    loops = plain if is_small(flat.size + offsets.size) else jit
    return bool(loops.are_regular(flat, offsets, windows))
