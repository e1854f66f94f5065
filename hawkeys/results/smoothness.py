"""Of fits with a changing baseline: its intervals over time, and what smoothing leaves of it."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, brief, check_level
from hawkeys.baselines.checks import checked_basis
from hawkeys.exceptions import InvalidParameterError

__all__ = ["baseline_band", "effective_parameters", "smoothness_note"]

# marks of which a note tells
_SHOWN = 5


def baseline_band(result: Any, times: ArrayLike, level: float) -> tuple[FloatArray, FloatArray]:
    """Return pointwise Wald intervals of each mark's baseline.

    Parameters
    ----------
    result : LikelihoodResult
        A fit.
    times : array_like, shape (n_times,)
        Within the span of the baseline.
    level : float
        Nominal coverage.

    Returns
    -------
    lower, upper : ndarray, shape (n_times, n_marks)
        Bounds, cut at 0; NaN where the rate of a piece that acts there has no standard error and
        is not 0.

    Raises
    ------
    InvalidParameterError
        `level` is not one of an interval, or the times are outside the span.
    """
    reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level))
    function = result.process.baseline_function
    moments = as_float_array(times, "times")
    if moments.ndim != 1:
        raise InvalidParameterError(
            f"times must be a list of times; got shape {moments.shape}. Write [t1, t2, ...]."
        )
    try:
        function.check_windows(moments, moments)
    except InvalidParameterError as error:
        raise InvalidParameterError(
            f"times go from {moments.min():.6g} to {moments.max():.6g}, beyond the baseline "
            f"{brief(function)}. Give times within it."
        ) from error
    basis = checked_basis(function, moments)
    middle, n_pieces = basis @ function.known_rates.T, function.n_pieces
    errors = np.empty(middle.shape)
    for i, whole in enumerate(result.covariance):
        matrix = whole[:n_pieces, :n_pieces]
        unknown = np.isnan(np.diagonal(matrix)) & ~result.at_bound[i, :n_pieces]
        variance = np.einsum("tp,pq,tq->t", basis, np.nan_to_num(matrix), basis)
        lost = (basis[:, unknown] > 0.0).any(axis=1)
        errors[:, i] = np.where(lost, np.nan, np.sqrt(np.maximum(variance, 0.0)))
    return np.maximum(middle - reach * errors, 0.0), middle + reach * errors


def effective_parameters(result: Any) -> FloatArray | None:
    """Return the effective number of parameters of each target, its baseline being smoothed.

    That is tr(A^-1 (A - P)), A minus the second derivatives, the penalty P included; estimates at 0
    do not count.

    Parameters
    ----------
    result : LikelihoodResult
        A fit.

    Returns
    -------
    ndarray of float64, shape (n_marks,), or None
        None if the baseline is not smoothed.
    """
    function = result.process.baseline_function
    matrix, columns = function.roughness, getattr(result, "columns", None)
    if matrix is None or columns is None or not _was_smoothed(result):
        return None
    smoothing = np.broadcast_to(function.smoothing, result.process.n_marks)
    information = np.asarray(result.information)
    numbers = zip(information, smoothing, columns.estimates, strict=True)
    return np.array([_trace(whole, s * matrix, x) for whole, s, x in numbers])


def _was_smoothed(result: Any) -> bool:
    """Return whether the rates were estimated under the penalty, not given."""
    asked = result.options.get("baseline")
    rates = asked.get("rates") if isinstance(asked, dict) else getattr(asked, "rates", None)
    return asked is not None and rates is None


def _trace(information: FloatArray, penalty: FloatArray, x: FloatArray) -> float:
    """Return the effective number of parameters above 0; the penalty is on the columns from 1."""
    index = np.flatnonzero((x > 0.0) & (np.diagonal(information) > 0.0))
    whole = np.zeros_like(information)
    whole[1 : 1 + len(penalty), 1 : 1 + len(penalty)] = penalty
    place = np.ix_(index, index)
    scale = 1.0 / np.sqrt(np.diagonal(information)[index])
    inner, part = (m[place] * np.outer(scale, scale) for m in (information, whole))
    return float(index.size - np.trace(np.linalg.lstsq(inner, part, rcond=None)[0]))


def smoothness_note(result: Any) -> str | None:
    """Return how smooth the baseline is, for the summary; None if it was not smoothed.

    Parameters
    ----------
    result : LikelihoodResult
        A fit.

    Returns
    -------
    str or None
        A sentence.
    """
    counts = effective_parameters(result)
    if counts is None:
        return None
    function, names = result.process.baseline_function, result.process.mark_names[:_SHOWN]
    told = [f"{name} {count:.1f}" for name, count in zip(names, counts, strict=False)]
    more = ", ..." if counts.size > len(told) else ""
    return (
        f"The baseline is smooth: of {function.n_pieces + counts.size} parameters of a target "
        f"this many are left, {', '.join(told)}{more}."
    )
