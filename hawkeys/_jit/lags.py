"""Lags between events as they come, from which kernels are started and their limits read."""

import math

import numpy as np
from numba import njit

__all__ = ["count_lags", "nearest_lags"]


@njit(cache=True, nogil=True)
def nearest_lags(data, allowed, out):
    """Add (1, log lag, its square) of each event after the latest earlier event of each source.

    `out` has shape (n_targets, n_sources, 3); only pairs `allowed` count.
    """
    times, marks, offsets, _, weights = data
    size = allowed.shape[0]
    for r in range(offsets.size - 1):
        last = np.full(size, -math.inf)
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            while times[applied] < times[k]:
                last[marks[applied]] = times[applied]
                applied += 1
            i = marks[k]
            for j in range(size):
                if allowed[i, j] and last[j] > -math.inf:
                    value = math.log(times[k] - last[j])
                    out[i, j, 0] += weights[r]
                    out[i, j, 1] += weights[r] * value
                    out[i, j, 2] += weights[r] * value * value


@njit(cache=True, nogil=True)
def count_lags(data, groups, first, width, out):
    """Add the weights of all pairs of events by group and bin of the log-lag to `out`.

    `out` has shape (n_groups, n_bins); bin b holds lags up to exp(first + (b + 1) width), the first
    one also all shorter ones. ``groups[i, j]`` is -1 for pairs (target, source) that do not count.
    """
    times, marks, offsets, _, weights = data
    n_bins = out.shape[1]
    longest = math.exp(first + n_bins * width)
    for r in range(offsets.size - 1):
        begin = offsets[r]
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            while times[k] - times[begin] > longest:
                begin += 1
            for e in range(begin, k):
                lag = times[k] - times[e]
                g = groups[marks[k], marks[e]]
                if lag <= 0.0:
                    break
                if g >= 0:
                    b = math.ceil((math.log(lag) - first) / width) - 1
                    out[g, min(max(b, 0), n_bins - 1)] += weights[r]
