"""Features of the timing matrix for verifiers that look at intervals and their logarithms."""

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.datasets.timings import split_timings
from hawkeys.verifiers._samples import median_of

__all__ = [
    "MAD_TO_STD",
    "interval_features",
    "interval_ticks",
    "log_intervals",
    "log_ticks",
    "robust_scale",
]

MAD_TO_STD = 1.4826
"""Standard deviation over median absolute deviation, of a normal distribution."""


def log_intervals(X: FloatArray, min_interval: float) -> FloatArray:
    """Return ln H and ln DD in seconds, (n_samples, 2 K - 1); shorter ones are as min_interval."""
    hold, down_down, _ = split_timings(X)
    return np.log(np.maximum(np.hstack([hold, down_down]), min_interval))


def interval_features(X: FloatArray, min_interval: float) -> FloatArray:
    """Return H, UD, ln H and ln DD in seconds, (n_samples, 4 K - 2)."""
    hold, _, up_down = split_timings(X)
    return np.hstack([hold, up_down, log_intervals(X, min_interval)])


def robust_scale(
    features: FloatArray, center: FloatArray, ticks: FloatArray, weights: FloatArray | None
) -> FloatArray:
    """Return 1.4826 times the median absolute deviation from `center`, at least `ticks`."""
    return np.maximum(MAD_TO_STD * median_of(np.abs(features - center), weights), ticks)


def interval_ticks(center: FloatArray, clock: float, min_interval: float) -> FloatArray:
    """Return by how much one tick of the clock changes each of the `interval_features`."""
    n_plain = center.size // 2
    return np.concatenate(
        [np.full(n_plain, clock), log_ticks(center[n_plain:], clock, min_interval)]
    )


def log_ticks(center: FloatArray, clock: float, min_interval: float) -> FloatArray:
    """Return by how much one tick changes the logarithms of intervals around exp(center)."""
    return np.asarray(clock / np.maximum(np.exp(center), min_interval))
