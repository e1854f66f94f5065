"""Which pairs of marks and which realisations a fit counts, and by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys._validation import check_mask, check_nonnegative, check_shape
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.results.fit_result import FitResult
from hawkeys.results.rectified import RectifiedResult

__all__ = ["about_all", "admissible", "check_support", "check_weights", "leave_out"]

AnyResult = TypeVar("AnyResult", FitResult, RectifiedResult)


def check_support(support: ArrayLike | None, n_marks: int) -> BoolArray:
    """Return the admissible pairs (target, source).

    Parameters
    ----------
    support : array_like of bool, shape (n_marks, n_marks), or None
        True where a mark may excite another; None admits all.
    n_marks : int
        Number of marks.

    Returns
    -------
    ndarray of bool, shape (n_marks, n_marks)
        A mask.

    Raises
    ------
    InvalidParameterError
        The mask has another shape or is not boolean.
    """
    shape = (n_marks, n_marks)
    if support is None:
        return np.ones(shape, dtype=bool)
    return check_mask(support, "support", shape, "target by source, True where admissible")


def check_weights(weights: ArrayLike | None, n_realizations: int) -> FloatArray:
    """Return the weight of each realisation.

    Parameters
    ----------
    weights : array_like, shape (n_realizations,), or None
        Weights >= 0, not all 0; None gives every realisation the weight 1.
    n_realizations : int
        Number of realisations.

    Returns
    -------
    ndarray of float64, shape (n_realizations,)
        The weights.

    Raises
    ------
    InvalidParameterError
        The weights have another shape, or are negative, not finite or all 0.
    """
    if weights is None:
        return np.ones(n_realizations)
    array = check_nonnegative(weights, "weights")
    meaning = "one per realisation"
    if n_realizations == 1:
        meaning += "; [t1, t2, ...] is one with a mark per sequence, [[t1], [t2], ...] are several"
    check_shape(array, "weights", (n_realizations,), meaning)
    if not (array > 0).any():
        raise InvalidParameterError("weights are all 0; at least one realisation must count.")
    return array


def leave_out(events: Events, weights: ArrayLike | None) -> tuple[Events, FloatArray | None]:
    """Return the realisations whose weight is above 0, and their weights.

    A weight of 0 means that a realisation is not there: neither its events nor its window count.

    Parameters
    ----------
    events : Events
        The data.
    weights : array_like, shape (n_realizations,), or None
        As for `check_weights`.

    Returns
    -------
    events : Events
        Those that count; all of them without `weights`.
    weights : ndarray of float64, shape (n_realizations that count,), or None
        Their weights; None without `weights`.

    Raises
    ------
    InvalidParameterError
        As for `check_weights`.
    """
    if weights is None:
        return events, None
    array = check_weights(weights, events.n_realizations)
    counts = array > 0
    return (events, array) if counts.all() else (events[counts], array[counts])


def about_all(found: AnyResult, events: Events, weights: ArrayLike | None) -> AnyResult:
    """Return a fit to the realisations that count with the facts about all of them.

    Parameters
    ----------
    found : FitResult or RectifiedResult
        A fit to the realisations that `leave_out` returned.
    events : Events
        All of them.
    weights : array_like, shape (n_realizations,), or None
        Their weights.

    Returns
    -------
    FitResult or RectifiedResult
        With log-likelihood and counts of all, and all weights among the options.

    Raises
    ------
    InvalidParameterError
        As for `check_weights`.
    """
    given = check_weights(weights, events.n_realizations)
    return replace(
        found,
        log_likelihood=found.process.log_likelihood(events),
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options={**found.options, "weights": given},
    )


def admissible(support: ArrayLike | None, n_marks: int) -> BoolArray:
    """Return which parameters a support admits.

    Parameters
    ----------
    support : array_like of bool, shape (n_marks, n_marks), or None
        As for `check_support`.
    n_marks : int
        Number of marks.

    Returns
    -------
    ndarray of bool, shape (n_marks, n_marks + 1)
        Baseline first, which is always admitted.

    Raises
    ------
    InvalidParameterError
        The mask has another shape or is not boolean.
    """
    return np.column_stack((np.ones(n_marks, dtype=bool), check_support(support, n_marks)))
