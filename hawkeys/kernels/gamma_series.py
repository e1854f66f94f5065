r"""Functions of the shape of a gamma density that keep their digits at any shape.

With :math:`K(a) = a^a e^{-a} / \Gamma(a)`, the terms of log K, of :math:`\log a - \psi(a)` and of
its derivative cancel as the shape a grows: from 10 on they are sums of inverse powers.

References
----------
Abramowitz, M. and Stegun, I. A. (1964). Handbook of Mathematical Functions, eqs. 6.1.40, 6.3.18 and
6.4.12. National Bureau of Standards.
"""

from __future__ import annotations

import numpy as np
import scipy

from hawkeys._typing import FloatArray

__all__ = ["log_excess", "log_excess_slope", "log_front"]

_LARGE = 10.0
# Bernoulli numbers B_2, B_4, ...; at 10 the first one left out counts less than 1e-15
_BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6])
_EVEN = 2.0 * np.arange(1, _BERNOULLI.size + 1)


def log_front(shape: FloatArray) -> FloatArray:
    """Return log K(shape) = shape log(shape) - shape - log gamma(shape)."""
    large, small = _split(shape)
    series = _sum(large, _BERNOULLI / (_EVEN * (_EVEN - 1.0)), _EVEN - 1.0)
    far = 0.5 * np.log(large / (2.0 * np.pi)) - series
    near = scipy.special.xlogy(small, small) - small - scipy.special.gammaln(small)
    return np.where(shape >= _LARGE, far, near)


def log_excess(shape: FloatArray) -> FloatArray:
    """Return log(shape) - digamma(shape), by which the log of the mean exceeds the mean log."""
    large, small = _split(shape)
    far = 0.5 / large + _sum(large, _BERNOULLI / _EVEN, _EVEN)
    return np.where(shape >= _LARGE, far, np.log(small) - scipy.special.digamma(small))


def log_excess_slope(shape: FloatArray) -> FloatArray:
    """Return the derivative of `log_excess`, 1 / shape - trigamma(shape) < 0."""
    large, small = _split(shape)
    far = -0.5 / large**2 - _sum(large, _BERNOULLI, _EVEN + 1.0)
    return np.where(shape >= _LARGE, far, 1.0 / small - scipy.special.polygamma(1, small))


def _split(shape: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.maximum(shape, _LARGE), np.minimum(shape, _LARGE)


def _sum(shape: FloatArray, factors: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return the sum of factor / shape^power."""
    return np.asarray((factors / np.asarray(shape)[..., None] ** powers).sum(axis=-1))
