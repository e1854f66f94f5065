"""Lags between events as they come; see `hawkeys._jit.lags`."""

from __future__ import annotations

import numpy as np

from hawkeys._plain.delayed import first_within, pairs_within
from hawkeys._plain.layout import owners
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["count_lags", "nearest_lags"]


def nearest_lags(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    allowed: BoolArray,
    out: FloatArray,
) -> None:
    """Add (1, log lag, its square) of each event after the latest earlier event of each source.

    `out` has shape (n_targets, n_sources, 3); only pairs `allowed` count.
    """
    times, marks, offsets, _, weights = data
    size = allowed.shape[0]
    owner = owners(offsets)
    index = np.arange(times.size)
    opens = np.ones(times.size, dtype=bool)  # where another time or realisation begins
    opens[1:] = (times[1:] > times[:-1]) | (owner[1:] > owner[:-1])
    earlier = np.maximum.accumulate(np.where(opens, index, 0)) - 1
    for j in range(size):
        latest = np.maximum.accumulate(np.where(marks == j, index, -1))
        source = np.where(earlier >= 0, latest[earlier], -1)
        use = (source >= offsets[owner]) & (weights[owner] > 0.0) & allowed[marks, j]
        value = np.log(times[use] - times[source[use]])
        for k in range(3):
            out[:, j, k] += np.bincount(marks[use], weights[owner[use]] * value**k, size)


def count_lags(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    groups: IntArray,
    first: float,
    width: float,
    out: FloatArray,
) -> None:
    """Add the weights of all pairs of events by group and bin of the log-lag to `out`.

    See the compiled twin.
    """
    times, marks, offsets, _, weights = data
    n_bins, size = out.shape[1], groups.shape[0]
    owner = owners(offsets)
    own = np.flatnonzero(weights[owner] > 0.0)
    longest = np.full(own.size, np.exp(first + n_bins * width))
    begin = first_within(times, times[own], offsets[owner[own]], own, longest)
    for here, child, parents, lags in pairs_within(times, begin, own, times[own]):
        children = own[here][child]
        g = groups.ravel()[marks[children] * size + marks[parents]]
        b = np.ceil((np.log(lags) - first) / width).astype(np.int64) - 1
        where = g * n_bins + np.clip(b, 0, n_bins - 1)
        some = g >= 0
        each = weights[owner[children[some]]]
        out += np.bincount(where[some], each, out.size).reshape(out.shape)
