"""Statistics of intervals, one row per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidTimingsError
from hawkeys.verifiers.event_times.model import check_intervals

__all__ = ["STATISTICS", "interval_statistics"]

_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_SHORTER = (0.05, 0.08, 0.12, 0.18, 0.3)
_LONGER = (0.6, 1.2)
_LAGS = (1, 2, 3)

STATISTICS = (
    "mean log interval",
    "sd of log interval",
    *(f"{q:g} quantile of log interval" for q in _QUANTILES),
    "skewness of log interval",
    "kurtosis of log interval",
    *(f"share shorter than {limit:g} s" for limit in _SHORTER),
    *(f"share longer than {limit:g} s" for limit in _LONGER),
    *(f"autocorrelation of log interval, lag {lag}" for lag in _LAGS),
    "mean step of log interval",
    "median step of log interval",
)
"""Names of the columns of `interval_statistics`; the first two are its shortest form."""


def interval_statistics(samples: Any) -> FloatArray:
    """Compute statistics of the intervals of each sample.

    Parameters
    ----------
    samples : array_like, shape (n_samples, n_intervals)
        Seconds, > 0; five intervals or more.

    Returns
    -------
    ndarray of float64, shape (n_samples, 23)
        In the order of `STATISTICS`. Skewness, kurtosis and autocorrelation of a sample whose
        intervals are all equal are 0.

    Raises
    ------
    InvalidTimingsError
        If samples have fewer than five intervals, or one is not positive.
    InvalidParameterError
        If they are no regular array of finite numbers.

    Examples
    --------
    >>> from hawkeys.verifiers.event_times import STATISTICS, interval_statistics
    >>> row = interval_statistics([[0.1, 0.2, 0.1, 0.2, 0.1]])[0]
    >>> round(float(row[STATISTICS.index("share shorter than 0.12 s")]), 2)
    0.6
    """
    intervals = check_intervals(samples)
    if intervals.shape[1] < 5:
        raise InvalidTimingsError(
            f"samples have {intervals.shape[1]} intervals; five or more are needed for their "
            "statistics."
        )
    log = np.log(intervals)
    centred = log - log.mean(axis=1, keepdims=True)
    spread = log.std(axis=1)
    scaled = centred / np.where(spread > 1e-12, spread, np.inf)[:, None]
    steps = np.abs(np.diff(log, axis=1))
    shares = [(intervals < limit).mean(axis=1) for limit in _SHORTER]
    shares += [(intervals > limit).mean(axis=1) for limit in _LONGER]
    correlations = [(scaled[:, :-lag] * scaled[:, lag:]).mean(axis=1) for lag in _LAGS]
    return np.stack(
        [
            log.mean(axis=1),
            spread,
            *np.quantile(log, _QUANTILES, axis=1),
            (scaled**3).mean(axis=1),
            (scaled**4).mean(axis=1),
            *shares,
            *correlations,
            steps.mean(axis=1),
            np.median(steps, axis=1),
        ],
        axis=1,
    )
