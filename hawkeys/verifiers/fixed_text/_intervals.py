"""Features of the timing matrix for verifiers that look at intervals and their logarithms."""

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_nonnegative_number, check_positive_number
from hawkeys.datasets.clocks import COARSE, clock_tick
from hawkeys.datasets.timings import split_timings
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import median_of

__all__ = [
    "MAD_TO_STD",
    "check_clock",
    "check_tick",
    "interval_features",
    "interval_ticks",
    "log_intervals",
    "log_ticks",
    "resolution",
    "resolution_of",
    "robust_scale",
    "stated_resolution",
    "tick_of",
]

_POLLED = 0.001
_FINEST, _COARSEST = 1e-6, 1.0

MAD_TO_STD = 1.4826
"""Standard deviation over median absolute deviation, of a normal distribution."""


def check_clock(clock: float | None) -> None:
    """Refuse a resolution that is neither None nor 0 to 1 s; raises `InvalidParameterError`."""
    if clock is not None and check_nonnegative_number(clock, "clock") > _COARSEST:
        raise InvalidParameterError(
            f"clock must be at most {_COARSEST:g} s; got {clock:g}. Give seconds, such as "
            "0.016 for ticks of 16 ms."
        )


def resolution(samples: FloatArray, clock: float | None) -> float:
    """Return the resolution in seconds of training samples, 0 for exact ones.

    The one that is given; else `clock_tick`, if it is coarse or an interval is zero, then at least
    1 ms, which is how often keyboards are asked.
    """
    if clock is not None:
        return stated_resolution(clock)
    zero = (samples[:, 0::3] == 0.0).any() or (samples[:, 1::3] == 0.0).any()
    return resolution_of(clock_tick(samples), bool(zero))


def stated_resolution(clock: float) -> float:
    """Return the resolution that a user states; below a microsecond nothing is read."""
    return float(clock) if clock >= _FINEST else 0.0


def resolution_of(tick: float, any_zero: bool) -> float:
    """Return the resolution of timings with a tick that was found, and zeros or not."""
    if tick >= COARSE:
        return tick
    return max(tick, _POLLED) if any_zero else 0.0


def check_tick(clock: float | None) -> None:
    """Refuse a tick that is neither None nor positive; raises `InvalidParameterError`."""
    if clock is not None:
        check_positive_number(clock, "clock")


def tick_of(samples: FloatArray, clock: float | None) -> float:
    """Return the tick of the clock of training samples: the one given, or found, at least 1 ms."""
    return max(clock_tick(samples), _POLLED) if clock is None else float(clock)


def log_intervals(X: FloatArray, min_interval: float) -> FloatArray:
    """Return ln H and ln DD in seconds, (n_samples, 2 K - 1); shorter ones are as min_interval."""
    hold, down_down, _ = split_timings(X)
    return _logs(hold, down_down, min_interval)


def interval_features(X: FloatArray, min_interval: float) -> FloatArray:
    """Return H, UD, ln H and ln DD in seconds, (n_samples, 4 K - 2)."""
    hold, down_down, up_down = split_timings(X)
    return np.hstack([hold, up_down, _logs(hold, down_down, min_interval)])


def _logs(hold: FloatArray, down_down: FloatArray, min_interval: float) -> FloatArray:
    """Return ln H and ln DD, (n_samples, 2 K - 1); shorter ones are as min_interval."""
    return np.log(np.maximum(np.hstack([hold, down_down]), min_interval))


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
