"""Kernels with a location and a spread: log-normal and gamma densities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import scipy

from hawkeys._loops.delayed import GAMMA, LOG_NORMAL
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_positive, check_square, refuse_labels
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.delayed import TAIL, DelayedKernel
from hawkeys.kernels.gamma_series import log_excess, log_front

__all__ = ["Gamma", "LogNormal"]


class _TwoParameters(DelayedKernel):
    """A kernel with two parameters, each a number or a (target, source) matrix."""

    checks: ClassVar[tuple[Callable[..., FloatArray], ...]]

    def _store(self, *values: ArrayLike | None) -> None:
        """Check and keep the parameters, or keep that they are unknown."""
        named = dict(zip(self.parameter_names, values, strict=True))
        missing = [name for name, value in named.items() if value is None]
        if 0 < len(missing) < len(named):
            raise InvalidParameterError(
                f"{type(self).__name__} needs {' and '.join(named)}, or neither if hawkeys.fit "
                f"is to estimate them; {missing[0]} is missing."
            )
        for check, (name, value) in zip(self.checks, named.items(), strict=True):
            refuse_labels(value, name)
            kept = None if value is None else _matrix_or_number(check(value, name), name)
            setattr(self, name, kept)
        if len({value.shape for value in self._given() if value.ndim}) > 1:
            shapes = " and ".join(f"{name} {getattr(self, name).shape}" for name in named)
            raise InvalidParameterError(
                f"{type(self).__name__}: the parameters are for different numbers of marks: "
                f"{shapes}."
            )

    def unknown(self) -> DelayedKernel:
        """Return the kernel with its parameters left out, for `hawkeys.fit` to estimate."""
        return type(self)()

    def _given(self) -> list[FloatArray]:
        return [getattr(self, name) for name in self.parameter_names] if self.known else []

    @property
    def pair_shape(self) -> tuple[int, ...]:
        """(n_marks, n_marks) if a parameter differs by pair, else ()."""
        return max((value.shape for value in self._given()), key=len, default=())

    def parameters(self) -> tuple[FloatArray, ...]:
        """Return each parameter, one entry per set."""
        shape = self.pair_shape
        return tuple(np.broadcast_to(value, shape).ravel() for value in self._given())


class LogNormal(_TwoParameters):
    r"""Log-normal kernel: the logarithm of the lag is normal.

    .. math:: g_{ij}(u) = \frac{1}{u \rho_{ij} \sqrt{2\pi}}
        \exp\Big(-\frac{(\log u - \eta_{ij})^2}{2 \rho_{ij}^2}\Big)

    Parameters
    ----------
    location : float or array_like, shape () or (n_marks, n_marks), optional
        Mean eta of the log-lag, target by source; exp(eta) is the median lag. Left out together
        with `scale`, both are to be estimated by `hawkeys.fit`.
    scale : float or array_like, shape () or (n_marks, n_marks), optional
        Standard deviation rho > 0 of the log-lag, no unit.

    Attributes
    ----------
    location, scale : ndarray of float64 or None
        The parameters as given, read-only.

    Raises
    ------
    InvalidParameterError
        A value is not finite, a scale not positive, a shape neither of the two, or only one of the
        parameters is given.

    Notes
    -----
    Its horizon is exp(location + 7.03 scale); events further back are left out. The cost is
    O(n_events m), m the number of events within the horizon.

    References
    ----------
    Johnson, N. L., Kotz, S. and Balakrishnan, N. (1994). Continuous Univariate Distributions 1,
    2nd ed., chapter 14. Wiley.

    Examples
    --------
    >>> from hawkeys.kernels import LogNormal
    >>> kernel = LogNormal(location=-2.0, scale=0.5)
    >>> kernel.cdf(0.1353352832366127)  # exp(-2), the median
    array([[0.5]])
    """

    name = "log_normal"
    family = LOG_NORMAL
    parameter_names = ("location", "scale")
    checks = (as_float_array, check_positive)
    location: FloatArray | None
    scale: FloatArray | None

    def __init__(self, location: ArrayLike | None = None, scale: ArrayLike | None = None) -> None:
        self._store(location, scale)

    @staticmethod
    def tabulate(*parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (location, scale, 1 / (scale sqrt(2 pi)), 0) of each set, and its horizon."""
        location, scale = parameters
        height = 1.0 / (scale * math.sqrt(2.0 * math.pi))
        table = np.column_stack((location, scale, height, np.zeros_like(scale)))
        return table, np.exp(location - scipy.special.ndtri(TAIL) * scale)

    def _draw(self, rng: np.random.Generator, sets: IntArray) -> FloatArray:
        location, scale = self.parameters()
        return np.exp(location[sets] + scale[sets] * rng.standard_normal(sets.size))

    def _beyond(self, sets: IntArray, elapsed: FloatArray, share: FloatArray) -> FloatArray:
        location, scale = (value[sets] for value in self.parameters())
        with np.errstate(divide="ignore"):  # nothing elapsed: all of the mass remains
            z = (np.log(elapsed) - location) / scale
        return np.exp(location - scale * scipy.special.ndtri(share * scipy.special.ndtr(-z)))


class Gamma(_TwoParameters):
    r"""Gamma kernel.

    .. math:: g_{ij}(u) = \frac{b_{ij}^{a_{ij}}}{\Gamma(a_{ij})} u^{a_{ij} - 1} e^{-b_{ij} u}

    Parameters
    ----------
    shape : float or array_like, shape () or (n_marks, n_marks), optional
        Shape a > 0, target by source, no unit; above 1 the mode is later than lag 0, at 1 the
        kernel is exponential. Left out together with `rate`, both are to be estimated by
        `hawkeys.fit`.
    rate : float or array_like, shape () or (n_marks, n_marks), optional
        Rate b > 0, per unit of time; the mean lag is shape / rate.

    Attributes
    ----------
    shape, rate : ndarray of float64 or None
        The parameters as given, read-only.

    Raises
    ------
    InvalidParameterError
        A value is not positive and finite, a shape neither of the two, or only one of the
        parameters is given.

    Notes
    -----
    Beyond its horizon (remaining mass 1e-12) events are left out. The cost is O(n_events m), m the
    number of events within the horizon.

    References
    ----------
    Johnson, N. L., Kotz, S. and Balakrishnan, N. (1994). Continuous Univariate Distributions 1,
    2nd ed., chapter 17. Wiley.

    Examples
    --------
    >>> from hawkeys.kernels import Gamma
    >>> Gamma(shape=2.0, rate=4.0).density(0.25).round(6)  # 16 u exp(-4 u)
    array([[1.471518]])
    """

    name = "gamma"
    family = GAMMA
    parameter_names = ("shape", "rate")
    checks = (check_positive, check_positive)
    shape: FloatArray | None
    rate: FloatArray | None

    def __init__(self, shape: ArrayLike | None = None, rate: ArrayLike | None = None) -> None:
        self._store(shape, rate)

    @staticmethod
    def tabulate(*parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (shape, 1 / mean, log K, log shape - digamma) of each set, and its horizon."""
        shape, rate = parameters
        table = np.column_stack((shape, rate / shape, log_front(shape), log_excess(shape)))
        return table, scipy.special.gammainccinv(shape, TAIL) / rate

    def _draw(self, rng: np.random.Generator, sets: IntArray) -> FloatArray:
        shape, rate = self.parameters()
        return rng.standard_gamma(shape[sets]) / rate[sets]

    def _beyond(self, sets: IntArray, elapsed: FloatArray, share: FloatArray) -> FloatArray:
        shape, rate = (value[sets] for value in self.parameters())
        remaining = share * scipy.special.gammaincc(shape, rate * elapsed)
        return scipy.special.gammainccinv(shape, remaining) / rate


def _matrix_or_number(value: FloatArray, name: str) -> FloatArray:
    """Return the value, read-only, if it is one number or a square matrix."""
    if value.ndim:
        check_square(value, name)
    value.flags.writeable = False
    return value
