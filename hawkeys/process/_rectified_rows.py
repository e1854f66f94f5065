"""The rectified link with one decay for each target: closed forms, by the loops."""

from __future__ import annotations

import numpy as np

from hawkeys._loops import rectified as loops
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_positive, check_shape
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError

__all__ = ["as_target_decays", "compensators", "row_terms"]


def compensators(
    rows: FloatArray, events: Events, realization: int, times: FloatArray
) -> FloatArray:
    """Return the integrals of all targets up to sorted times, (n_times, n_marks).

    rows (n_marks, n_marks + 2) holds baseline, adjacency row and decay of each target.
    """
    here = slice(events.offsets[realization], events.offsets[realization + 1])
    path = events.times[here], events.marks[here]
    start = float(events.start_times[realization])
    out = np.empty((len(rows), times.size))
    for row, target in zip(rows, out, strict=True):
        loops.compensator_at(*path, start, row, times, target)
    return out.T


def row_terms(
    events: Events, target: int, theta: FloatArray, weights: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return the weighted log-likelihood of one target mark with its derivatives.

    Parameters
    ----------
    events : Events
        The data.
    target : int
        The mark.
    theta : ndarray of float64, shape (n_marks + 2,)
        Baseline, adjacency row and decay.
    weights : ndarray of float64, shape (n_realizations,)
        Weight of each realisation.

    Returns
    -------
    value : float
        In nats; minus infinity if an event was impossible (the derivatives then mean nothing).
    gradient : ndarray of float64, shape (n_marks + 2,)
        By `theta`.
    curvature : ndarray of float64, shape (n_marks + 1, n_marks + 1)
        Minus the second derivatives by baseline and adjacency row; positive semidefinite.
    """
    out = np.zeros((theta.size, theta.size))
    windows = np.column_stack((events.start_times, events.end_times))
    value = loops.row_log_likelihood(
        events.times, events.marks, events.offsets, windows, weights, target, theta, out
    )
    return value, out[0], out[1:, :-1]


def as_target_decays(decay: ArrayLike, n_marks: int) -> FloatArray:
    """Return the decay of each target mark, shape (n_marks,).

    Raises `InvalidParameterError` if a decay is not positive, the shape is not (), (n_marks,) or
    (n_marks, n_marks), or a matrix is not constant along its rows.
    """
    array = check_positive(decay, "decay")
    if array.ndim == 2:
        check_shape(array, "decay", (n_marks, n_marks), "target by source")
        if (array != array[:, :1]).any():
            raise InvalidParameterError(
                "decay must be the same for all sources of a target mark, so that the moment when "
                f"inhibition ends is explicit; got a row {array[(array != array[:, :1]).any(1)][0]}"
                ". Give one number, or one per target mark."
            )
        return array[:, 0].copy()
    if array.ndim == 0:
        return np.full(n_marks, float(array))
    return check_shape(array, "decay", (n_marks,), "one per target mark")
