"""The step of the clock that times were recorded with, if they lie on a grid."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["clock_step"]

_MAX_GAPS, _MAX_DIFFERENT = 20_000, 2000
# the smallest distance is at most so many steps
_MAX_STEPS = 100
# of a step: multiples are told from others
_SURE = 0.1


def clock_step(gaps: FloatArray, rounding: float) -> float | None:
    """Return the largest step of which all distances of events are whole multiples.

    Parameters
    ----------
    gaps : ndarray of float64, shape (n,)
        Distances of successive events; those of 0 do not count.
    rounding : float
        How far a distance may be from a multiple.

    Returns
    -------
    float or None
        The step in the unit of the distances; None if there is none, or the smallest distance is
        more than 100 steps.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.inference.coarse.clock import clock_step
    >>> clock_step(np.array([0.5, 0.75, 1.25]), 1e-12)
    0.25
    """
    some = gaps[:_MAX_GAPS]
    different = np.unique(some[some > rounding])[:_MAX_DIFFERENT].tolist()
    for parts in range(1, _MAX_STEPS + 1) if different else ():
        step = _fitted(different, parts, rounding)
        if step is not None:
            return step
    return None


def _fitted(gaps: list[float], parts: int, rounding: float) -> float | None:
    """Return the step if the first distance has so many, sharpened by longer and longer ones."""
    step, error = gaps[0] / parts, rounding / parts
    for gap in gaps:
        count = round(gap / step)
        tolerance = rounding + count * error
        if tolerance > _SURE * step or abs(gap - count * step) > tolerance:
            return None
        if rounding / count < error:
            step, error = gap / count, rounding / count
    return step
