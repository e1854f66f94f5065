"""The resolution of recorded intervals: a grid of ticks, exact or with jitter."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["COARSE", "clock_tick", "interval_tick"]

COARSE = 0.002
"""Ticks in seconds from which a recorded interval stands for all that give the same reading."""

# browsers and files are rarely finer than 0.1 ms; smaller differences are rounding
_ALIKE = 1e-4
# ticks that are looked for behind jitter, in seconds, and the longest interval looked at
_FINEST, _COARSEST, _LONGEST = 0.005, 0.04, 0.5
_MOST = 2_000
# intervals are counted in bins of 1/4 ms for the transform
_BIN, _BINS = 0.00025, 8192
_ALL_RATES = np.fft.rfftfreq(_BINS, _BIN)
_LOOKED_AT = (_ALL_RATES >= 1.0 / _COARSEST) & (_ALL_RATES <= 1.0 / _FINEST)
_RATES = _ALL_RATES[_LOOKED_AT]
# of the mean cosine: at least, in standard errors, and over what columns of other means give
_CLEAR, _SURE, _ALIGNED = 0.15, 5.0, 3.0
_FEWEST_COLUMNS = 12
_OF_BEST = 0.9
# relative difference of one tick found in two ways
_PRECISE = 0.02
# what is below so much of a bound is below it whatever the order in which it was summed
_ROUNDED = 1.0 - 1e-9
# of the intervals that must be multiples of a longer exact tick
_NEARLY_ALL = 0.95


def clock_tick(samples: FloatArray) -> float:
    r"""Return the step in which the intervals of one typist come, 0 if none is found.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, 3 K - 2)
        A timing matrix in seconds.

    Returns
    -------
    float
        The tick in seconds. Ticks of 5 to 40 ms are found behind jitter. Any other exact grid is
        found where at most half of the intervals, to 0.1 ms, differ: its tick is the median gap
        between neighbouring ones.

    Notes
    -----
    Readings of a clock of tick :math:`\Delta` with jitter of standard deviation s give intervals x
    with :math:`C(\Delta) = E \cos(2 \pi x / \Delta) = \exp(-4 \pi^2 s^2 / \Delta^2)`, in all
    columns alike. Without a clock C is near 0, or its columns, each of which may be narrow, point
    in different directions. The mean cosine must exceed 0.15, 5 standard errors
    :math:`(2 n)^{-1/2}`, and 3 times what columns with random directions give; then the longest
    tick with at least 0.9 of the largest mean cosine is the answer.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.datasets.clocks import clock_tick
    >>> rng = np.random.default_rng(0)
    >>> times = np.sort(rng.uniform(0, 2, (50, 22)), axis=1)
    >>> read = 0.016 * np.floor(times / 0.016)
    >>> press, release = read[:, 0::2], read[:, 1::2]
    >>> X = np.zeros((50, 31))
    >>> X[:, 0::3], X[:, 1::3] = release - press, np.diff(press)
    >>> round(clock_tick(X), 4)
    0.016
    """
    once = np.unique(samples, axis=0)  # copies of samples are no clock
    intervals = np.hstack((once[:, 0::3], once[:, 1::3]))
    n_samples, n_columns = intervals.shape
    return interval_tick(intervals.ravel(), np.tile(np.arange(n_columns), n_samples))


def interval_tick(intervals: FloatArray, column: IntArray) -> float:
    """Return the step in which intervals of several kinds come, 0 if none is found.

    Parameters
    ----------
    intervals : ndarray, shape (n,)
        Seconds.
    column : ndarray of int64, shape (n,)
        Kind of each, 0, 1, ...: such as holds of one key.

    Returns
    -------
    float
        As `clock_tick`, which has a column of each hold and press interval of a text.
    """
    if intervals.size == 0:
        return 0.0
    jittered, exact = _jittered_tick(intervals, column), _exact_tick(intervals)
    if jittered == 0.0 or abs(exact / jittered - 1.0) < _PRECISE:
        return exact
    off = np.abs(intervals - exact * np.rint(intervals / exact)) if exact > jittered else intervals
    return exact if (off <= _ALIKE).mean() > _NEARLY_ALL else jittered


def _exact_tick(intervals: FloatArray) -> float:
    """Return the median gap of different intervals (n,), 0 if most differ."""
    steps = np.rint(intervals / _ALIKE)
    distinct = np.unique(steps)
    if 2 * distinct.size > steps.size:
        return 0.0
    low, high = np.quantile(steps, (0.05, 0.95))
    inside = distinct[(distinct >= low) & (distinct <= high)]
    if inside.size < 2:
        return 0.0
    return _ALIKE * float(np.median(np.diff(inside)))


def _jittered_tick(intervals: FloatArray, column: IntArray) -> float:
    """Return the tick behind jitter of intervals (n,) of so many columns, 0 if none is clear."""
    n_columns = int(column.max()) + 1
    if n_columns < _FEWEST_COLUMNS:
        return 0.0
    used = (intervals > 0.0) & (intervals < _LONGEST)
    values = intervals[used]
    count = np.maximum(np.bincount(column[used], minlength=n_columns), 1)
    least = max(_CLEAR, _SURE / np.sqrt(2.0 * count.sum()))
    tables = _tables(values, column[used], n_columns)
    # one transform of all columns together tells whether those of each are worth it
    if (_turns((tables / count[:, None]).mean(axis=0)).real < _ROUNDED * least).all():
        return 0.0
    turn = _turns(tables) / count[:, None]
    mean = turn.real.mean(axis=0)
    apart = np.sqrt((np.abs(turn) ** 2).sum(axis=0)) / n_columns
    clear = mean > np.maximum(least, _ALIGNED * apart)
    if not clear.any():
        return 0.0
    good = [
        (value, 1.0 / rate)
        for value, rate in zip(mean[clear], _RATES[clear], strict=True)
        if value >= _OF_BEST * mean[clear].max()
    ]
    longest = max(tick for _, tick in good)
    near = max((mean, tick) for mean, tick in good if tick > longest / 1.2)[1]
    rates = 1.0 / near + np.linspace(-1.0, 1.0, 41) * (_RATES[1] - _RATES[0])
    values = values[:_MOST]
    return float(1.0 / rates[np.argmax([np.cos(2 * np.pi * r * values).sum() for r in rates])])


def _tables(intervals: FloatArray, column: IntArray, n_columns: int) -> FloatArray:
    """Return how many intervals of each column come in each bin, (n_columns, n_bins)."""
    place = np.rint(intervals / _BIN).astype(np.int64) + _BINS * column
    # counted as doubles: the transform of whole numbers takes four times as long
    counts = np.bincount(place, np.ones(place.size), minlength=_BINS * n_columns)
    return counts.astype(np.float64, copy=False).reshape(n_columns, _BINS)


def _turns(tables: FloatArray) -> np.ndarray:
    """Return the sums of exp(-2 pi i rate x) over tables (..., n_bins), (..., n_rates)."""
    return np.fft.rfft(tables, axis=-1)[..., _LOOKED_AT]
