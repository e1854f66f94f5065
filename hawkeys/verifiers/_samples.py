"""Training samples: their location and spread, repetitions, weights of recency.

A weight is a number of repetitions, so every function gives with integer weights what it gives
without weights for the samples repeated that often. Without weights it is numpy's own figure.
"""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_count, check_positive_number
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "center_of",
    "check_own",
    "covariance_of",
    "distinct_rows",
    "mean_abs_deviation_of",
    "median_of",
    "merge_repeats",
    "no_zero",
    "recency_weights",
    "std_of",
]

# Scale of a feature that never varied in training: any other value is a certain reject.
_NO_SPREAD = 1e-10


def center_of(samples: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the mean of each column; of a constant column exactly its value."""
    # The mean of equal floats may differ from them in the last digit; their value does not.
    constant = (samples == samples[0]).all(axis=0)
    return np.where(constant, samples[0], np.average(samples, axis=0, weights=weights))


def std_of(
    samples: FloatArray, center: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return the standard deviation of each column, with divisor (sum of weights) - 1."""
    squares = np.square(samples - center)
    if weights is None:
        return np.sqrt(squares.sum(axis=0) / (samples.shape[0] - 1))
    return np.sqrt(weights @ squares / (weights.sum() - 1.0))


def mean_abs_deviation_of(
    samples: FloatArray, center: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return the mean absolute deviation of each column from `center`."""
    return np.average(np.abs(samples - center), axis=0, weights=weights)


def covariance_of(
    samples: FloatArray, center: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return the covariance matrix about `center`, with divisor (sum of weights) - 1."""
    deviation = samples - center
    if weights is None:
        return deviation.T @ deviation / (samples.shape[0] - 1)
    return (deviation * weights[:, None]).T @ deviation / (weights.sum() - 1.0)


def median_of(samples: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the median of each column: the middle value, or the mean of the two middle ones."""
    if weights is None:
        return np.median(samples, axis=0)
    order = np.argsort(samples, axis=0, kind="stable")
    ordered = np.take_along_axis(samples, order, axis=0)
    below = np.cumsum(weights[order], axis=0)
    half = below[-1] / 2.0
    # Equal weights must give the plain median in spite of rounding.
    slack = 1e-12 * below[-1]
    lower = (below >= half - slack).argmax(axis=0)
    upper = (below > half + slack).argmax(axis=0)
    columns = np.arange(samples.shape[1])
    return (ordered[lower, columns] + ordered[upper, columns]) / 2.0


def no_zero(spread: FloatArray) -> FloatArray:
    """Return the spread with 1e-10 where it is zero."""
    return np.where(spread > 0, spread, _NO_SPREAD)


def merge_repeats(
    samples: FloatArray, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the different rows in lexicographic order, and how often each counts.

    An algorithm that sees these only gives the same numbers whatever the order of the training
    samples, and whether a repetition was said by a weight or by a second row.
    """
    rows, places = np.unique(samples, axis=0, return_inverse=True)
    return rows, np.bincount(places.ravel(), weights=weights, minlength=len(rows)).astype(float)


def distinct_rows(samples: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the different rows, sorted, and for each sample the row that it is."""
    rows, which = np.unique(samples, axis=0, return_inverse=True)
    return rows, which.reshape(-1)


def check_own(samples: FloatArray, own: FloatArray) -> FloatArray:
    """Return `samples` if they are the training samples `own`, row by row."""
    if not np.array_equal(samples, own):
        raise InvalidParameterError(
            f"training_scores takes the {own.shape[0]} training samples given to fit, in the same "
            f"order, without those of weight 0; got {samples.shape[0]} samples that differ from "
            "them. Use score_samples for others."
        )
    return samples


def recency_weights(n_samples: int, half_life: float | None) -> FloatArray:
    r"""Return weights of samples that were typed one after the other, oldest first.

    .. math:: w_i \propto 2^{-(n - 1 - i) / h}, \quad i = 0, \ldots, n - 1, \quad
        \sum_i w_i = n

    Parameters
    ----------
    n_samples : int
        Samples n.
    half_life : float or None
        Samples h after which a weight is halved; None for weights that are all 1.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Not decreasing, mean 1; a `sample_weight` for any verifier that takes one.

    Raises
    ------
    InvalidParameterError
        If `n_samples` is no positive int or `half_life` neither None nor one positive number.

    Notes
    -----
    Age is counted in samples, not in days: the data sets tell sessions, not dates.

    Examples
    --------
    >>> from hawkeys.verifiers import ScaledManhattan, recency_weights
    >>> recency_weights(3, half_life=1.0) * 7 / 3
    array([1., 2., 4.])
    >>> X = [[0.0], [3.0], [6.0]]
    >>> ScaledManhattan().fit(X, sample_weight=recency_weights(3, 1.0)).center_.round(9)
    array([4.28571429])
    """
    count = check_count(n_samples, "n_samples")
    if half_life is None:
        return np.ones(count)
    age = np.arange(count - 1, -1, -1)
    weights = np.exp2(-age / check_positive_number(half_life, "half_life"))
    return weights * (count / weights.sum())
