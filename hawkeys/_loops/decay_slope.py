"""How the log-likelihood changes with the logarithm of each decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import decay_slope as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["decay_curvatures", "log_decay_slopes"]

jit, jit_exponential = Compiled("decay_slope"), Compiled("exponential")
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


def decay_curvatures(
    events: tuple[FloatArray, IntArray, IntArray],
    ends: FloatArray,
    weights: FloatArray,
    decay: FloatArray,
    x: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return first and second derivatives by log decays; see `hawkeys._jit.decay_slope`.

    `decay` is a number, (n_marks,) or (n_marks, n_marks). Of shapes (n_marks, n_marks), (n_marks,
    P, K) and (n_marks, K, K); K is 1 for a number.
    """
    size = len(x)
    n_decays = size if decay.ndim else 1
    out = (
        np.zeros((size, size)),
        np.zeros((size, size + 1, n_decays)),
        np.zeros((size, n_decays, n_decays)),
    )
    rows = np.array(np.broadcast_to(decay, (size if decay.ndim == 2 else 1, size)))
    arrays = events, ends, weights, rows, x
    n_numbers = events[0].size * size
    small = is_small(n_numbers * size // 4 if decay.ndim == 2 else n_numbers)
    if size == 1 and not small:
        _add_alone(arrays, out)
        return out
    loops = plain if small else jit
    in_threads(lambda part: loops.decay_curvatures(*arrays, out, part), size,
               _PER_EVENT * n_numbers * n_decays)  # fmt: skip
    return out


def _add_alone(arrays: tuple[Any, ...], out: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """Add the derivatives of a process of one mark to out = (slopes, mixed, curvatures)."""
    (times, _, offsets), ends, weights, decay, x = arrays
    found = np.zeros(4)
    jit_exponential.curvature_alone(times, offsets, ends, weights, decay[0, 0], x[0], found)
    for whole, part in zip(out, np.split(found, [1, 3]), strict=True):
        whole += part.reshape(whole.shape)
