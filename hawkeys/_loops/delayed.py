"""Excitations of kernels within a finite horizon at the events."""

from __future__ import annotations

from typing import Any

from hawkeys._loops.choice import Compiled
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["GAMMA", "HISTOGRAM", "LOG_NORMAL", "excitation"]

# the families, as the compiled code numbers them
LOG_NORMAL, GAMMA, HISTOGRAM = range(3)

jit = Compiled("delayed")
# nanoseconds per event; how many events lie within the horizon is not looked up
_PER_EVENT = 200


def excitation(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    kernel: tuple[Any, ...],
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Add c_ij to `out` at every event of mark i; see `hawkeys._jit.delayed`."""
    arrays = times, marks, offsets, kernel, layout, out
    in_threads(lambda part: jit.excitation(*arrays, part), offsets.size - 1,
               _PER_EVENT * times.size)  # fmt: skip
