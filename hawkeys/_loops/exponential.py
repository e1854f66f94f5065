"""Excitations of exponential kernels at the events."""

from __future__ import annotations

from typing import Any

from hawkeys._jit import exponential as jit
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["excitation_per_pair", "excitation_per_source", "excitation_shared"]

# nanoseconds per event and mark
_SHARED, _PER_SOURCE, _PER_PAIR = 3, 8, 15


def excitation_shared(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: float,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_j at every event, for one decay; see `hawkeys._jit.exponential`."""
    arrays = times, marks, offsets, decay, layout, out
    in_threads(lambda part: jit.excitation_shared(*arrays, part), offsets.size - 1,
               _SHARED * out.size)  # fmt: skip


def excitation_per_source(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_j at every event, for a decay per source; see `hawkeys._jit.exponential`."""
    arrays = times, marks, offsets, decay, layout, out
    in_threads(lambda part: jit.excitation_per_source(*arrays, part), offsets.size - 1,
               _PER_SOURCE * out.size)  # fmt: skip


def excitation_per_pair(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_ij at every event, for a decay per pair; see `hawkeys._jit.exponential`."""
    arrays = times, marks, offsets, decay, layout, out
    in_threads(lambda part: jit.excitation_per_pair(*arrays, part), offsets.size - 1,
               _PER_PAIR * out.size)  # fmt: skip
