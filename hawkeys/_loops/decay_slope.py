"""How the log-likelihood changes with the logarithm of each decay."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import decay_slope as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["log_decay_slopes"]

jit = Compiled("decay_slope")
# nanoseconds per event and pair of marks
_PER_EVENT = 15


def log_decay_slopes(
    events: tuple[FloatArray, IntArray, IntArray],
    ends: FloatArray,
    weights: FloatArray,
    decay: FloatArray,
    x: FloatArray,
    out: FloatArray,
) -> None:
    """Fill out[i, j] with dL / dlog decay[i, j]; see `hawkeys._jit.decay_slope`."""
    arrays = events, ends, weights, decay, x, out
    # every event is seen by every pair of marks, but the loops over them are few
    loops = plain if is_small(events[0].size * decay.size // 4) else jit
    in_threads(lambda part: loops.log_decay_slopes(*arrays, part), decay.shape[0],
               _PER_EVENT * events[0].size * decay.size)  # fmt: skip
