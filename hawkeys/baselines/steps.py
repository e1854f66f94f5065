"""What baselines that are constant between knots share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array
from hawkeys.exceptions import InvalidParameterError

__all__ = ["increasing_knots", "indicators", "stretches"]


def increasing_knots(knots: ArrayLike, *, minimum: int) -> FloatArray:
    """Return the knots, read-only; raises unless they are `minimum` or more increasing times."""
    array = as_float_array(knots, "knots")
    if array.ndim != 1 or array.size < minimum:
        raise InvalidParameterError(
            f"knots must be a list of at least {minimum} times; got shape {array.shape}."
        )
    down = np.flatnonzero(np.diff(array) <= 0)
    if down.size:
        k = down[0]
        raise InvalidParameterError(
            f"knots must increase; knots[{k + 1}] = {array[k + 1]:.12g} comes after knots[{k}] = "
            f"{array[k]:.12g}."
        )
    array.flags.writeable = False
    return array


def stretches(bounds: FloatArray) -> tuple[str, ...]:
    """Return each stretch between bounds as "[low, high)"."""
    return tuple(f"[{low:.12g}, {high:.12g})" for low, high in pairwise(bounds))


def indicators(found: IntArray, n_pieces: int) -> FloatArray:
    """Return 1 where each time was found and 0 elsewhere, shape (n_times, n_pieces)."""
    out = np.zeros((found.size, n_pieces))
    out[np.arange(found.size), found] = 1.0
    return out
