"""Variational inference over the branching structure, row by row."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import branching as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["raise_rows", "share_events"]

jit = Compiled("branching")
# nanoseconds per event and column, of the steps that a row takes
_PER_EVENT = 50


def raise_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    g: FloatArray,
    b: FloatArray,
    start: FloatArray,
    tolerance: float,
    max_iter: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raise the bound of every row; return shapes, (bound, promise, steps) and traces.

    See `hawkeys._jit.branching`.
    """
    shapes, out = start.copy(), (np.zeros((len(b), 3)), np.full((len(b), max_iter + 1), np.nan))
    data = excitation, weights, offsets
    loops = plain if is_small(excitation.size, len(b)) else jit
    in_threads(
        lambda part: loops.raise_rows(data, g, b, shapes, tolerance, out, part),
        len(b),
        _PER_EVENT * excitation.size * b.shape[1],
    )
    return shapes, *out


def share_events(
    matrix: FloatArray, weights: FloatArray, e: FloatArray, counts: FloatArray, cross: FloatArray
) -> float:
    """Share the events of a row among its parameters; see `hawkeys._jit.branching`."""
    loops = plain if is_small(matrix.size, 1) else jit
    return float(loops.share_events(matrix, weights, e, counts, cross))
