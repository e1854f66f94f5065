"""What baselines that are constant between knots share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array
from hawkeys.exceptions import InvalidParameterError

__all__ = ["increasing_knots", "indicators", "refuse_outside", "stretches"]


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


def refuse_outside(knots: FloatArray, starts: FloatArray, ends: FloatArray, what: str) -> None:
    """Refuse windows, each (n_windows,), that are not within the knots of a baseline."""
    first, last = knots[[0, -1]]
    # an end computed as start + length may miss the knot by rounding
    slack = 4.0 * np.spacing(max(abs(first), abs(last)))
    outside = np.flatnonzero((starts < first - slack) | (ends > last + slack))
    if outside.size:
        r = outside[0]
        raise InvalidParameterError(
            f"realization {r}: the window [{starts[r]:.12g}, {ends[r]:.12g}] is not within the "
            f"knots of the {what} baseline, which go from {first:.12g} to {last:.12g}. Knots are "
            "on the clock of the events; move the first or last one."
        )


def stretches(bounds: FloatArray) -> tuple[str, ...]:
    """Return each stretch between bounds as "[low, high)"."""
    return tuple(f"[{low:.12g}, {high:.12g})" for low, high in pairwise(bounds))


def indicators(found: IntArray, n_pieces: int) -> FloatArray:
    """Return 1 where each time was found and 0 elsewhere, shape (n_times, n_pieces)."""
    out = np.zeros((found.size, n_pieces))
    out[np.arange(found.size), found] = 1.0
    return out
