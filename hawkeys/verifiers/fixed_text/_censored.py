"""Normal variables of which only an interval is known, as a clock's ticks leave it.

A reading x of a clock with ticks of width d stands for the interval (x - d / 2, x + d / 2), cut at
0. Its density is the mass of that interval over d.
"""

from __future__ import annotations

import numpy as np
import scipy

from hawkeys._typing import FloatArray

__all__ = ["bounds", "log_mass", "moments"]

_HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


def bounds(values: FloatArray, width: float) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of the ends of the interval of each reading >= 0; -inf for 0."""
    half = 0.5 * width
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(values - half, 0.0)), np.log(values + half)


def log_mass(
    lower: FloatArray, upper: FloatArray, location: FloatArray, scale: FloatArray
) -> FloatArray:
    """Return ln P(lower < y < upper) of y normal; arrays are broadcast, and lower < upper."""
    return _log_mass(*_standard(lower, upper, location, scale)[:2])


def moments(
    lower: FloatArray, upper: FloatArray, location: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of y, normal, given lower < y < upper; arrays are broadcast."""
    low, high, sign = _standard(lower, upper, location, scale)
    total = _log_mass(low, high)
    at_low, at_high = (np.exp(-0.5 * end**2 - _HALF_LOG_TWO_PI - total) for end in (low, high))
    mean = np.clip(at_low - at_high, low, high)
    with np.errstate(invalid="ignore"):
        ends = np.where(np.isfinite(low), low * at_low, 0.0) - high * at_high
    variance = np.clip(1.0 + ends - mean**2, 0.0, None)
    return location + sign * scale * mean, scale**2 * variance


def _standard(
    lower: FloatArray, upper: FloatArray, location: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return standardised ends, mirrored so that they lie in the lower tail, and the sign."""
    low, high = (lower - location) / scale, (upper - location) / scale
    sign = np.where(low + high > 0.0, -1.0, 1.0)
    return np.where(sign < 0, -high, low), np.where(sign < 0, -low, high), sign


def _log_mass(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return ln(Phi(high) - Phi(low)), exact in the lower tail."""
    above, below = scipy.special.log_ndtr(high), scipy.special.log_ndtr(low)
    return above + np.log(-np.expm1(below - above))
