"""Location and spread of training samples, column by column, with or without weights.

A weight is a number of repetitions, so every function gives with integer weights what it gives
without weights for the samples repeated that often. Without weights it is numpy's own figure.
"""

import numpy as np

from hawkeys._typing import FloatArray

__all__ = [
    "center_of",
    "covariance_of",
    "mean_abs_deviation_of",
    "median_of",
    "no_zero",
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
