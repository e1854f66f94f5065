"""How the parameters of each kernel family are started and updated from expected lags.

Within expectation-maximisation a set of pairs that share a kernel has expected lags, given by their
statistics (`hawkeys._jit.delayed`): log-normal (n, sum d, sum d^2) with d the log-lag from the
present location, gamma (n, sum (r - 1), sum (r - 1 - log r)) with r = lag / present mean, histogram
the number of lags per bin. A prior adds pseudo-lags to them. Parameters are tuples of arrays, one
row per set.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy

from hawkeys._typing import FloatArray, IntArray
from hawkeys.kernels import DelayedKernel, Gamma, LogNormal
from hawkeys.kernels.gamma_series import log_excess, log_excess_slope, log_front

__all__ = ["Box", "GammaStep", "KernelStep", "LogNormalStep", "Parameters", "Pseudo", "unscaled"]

Parameters: TypeAlias = tuple[FloatArray, ...]

_NEWTON_STEPS = 50
# differences by a free parameter; the first one's error is about the square of its step over the
# spread
_PROBE, _NARROW = 1e-4, 1e-2
# deviances of equal lags may round below 0
_LEAST_EXCESS = 1e-14
# a free parameter is at its bound within this
_AWAY = 1e-3


@dataclass(frozen=True, eq=False)
class Pseudo:
    """Pseudo-lags of a prior: how many, and the parameters of the kernel they come from.

    Attributes
    ----------
    parameters : tuple of ndarray
        Parameters of the reference kernel, one row per set.
    weight : float
        Number of pseudo-lags.
    location_weight : float
        Number of pseudo-lags behind the location of a log-normal kernel.
    """

    parameters: Parameters
    weight: float
    location_weight: float


@dataclass(frozen=True)
class Box:
    """What the data can tell of a kernel: no parameter leaves it.

    Attributes
    ----------
    location : tuple of float
        Least and largest log of the median lag of a log-normal and of the mean of a gamma kernel.
    spread : tuple of float
        Least and largest standard deviation of the log-lag; of gamma kernels the inverse square
        root of the largest shape, and the inverse of the smallest one.
    """

    location: tuple[float, float] = (-np.inf, np.inf)
    spread: tuple[float, float] = (0.01, np.inf)


class KernelStep(ABC):
    """One kernel family within expectation-maximisation."""

    def __init__(
        self, kernel: DelayedKernel, *, pseudo: Pseudo | None, smoothing: float, box: Box
    ) -> None:
        self.kernel = kernel
        self.pseudo = pseudo
        self.smoothing = smoothing
        self.box = box

    @property
    def width(self) -> int:
        """Number of statistics per set."""
        return 3

    @property
    def n_free(self) -> int:
        """Number of free parameters per set."""
        return 2

    def amount(self, moments: FloatArray) -> FloatArray:
        """Return the number of lags of each set."""
        return moments[:, 0]

    @abstractmethod
    def start(self, location: FloatArray, spread: FloatArray) -> Parameters:
        """Return parameters with about this mean and standard deviation of the log-lag."""

    @abstractmethod
    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return the parameters that maximise the expected log density of the lags and the prior.

        `moments` (n_sets, width) refer to the present `parameters`, which a set without lags keeps.
        """

    @abstractmethod
    def free(self, parameters: Parameters) -> FloatArray:
        """Return free parameters, (n_sets, k)."""

    @abstractmethod
    def of_free(self, free: FloatArray) -> Parameters:
        """Undo `free`."""

    # of the second free parameter as the spread grows
    spread_sign = 1

    def probes(self, parameters: Parameters) -> FloatArray:
        """Return steps of the free parameters for differences, (n_sets, k): small for a density."""
        _, spread = self.log_lags(parameters)
        return np.column_stack((np.minimum(_PROBE, _NARROW * spread), np.full_like(spread, _PROBE)))

    def log_lags(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return about the mean and the standard deviation of the log-lag of each set."""
        return parameters[0], parameters[1]

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Least and largest of what Newton steps move, each of shape (k,), or one for all."""
        return np.array(-np.inf), np.array(np.inf)

    def point(self, parameters: Parameters) -> FloatArray:
        """Return what Newton steps move, (n_sets, k)."""
        return self.free(parameters)

    def of_point(self, point: FloatArray, last: Parameters) -> Parameters:
        """Return the parameters at a point, which is brought within the bounds first.

        `last` are those from which the step was taken.
        """
        return self.of_free(np.clip(point, *self.bounds))

    def edges_met(self, parameters: Parameters) -> IntArray:
        """Return -1 at the least, 1 at the largest free parameter, 0 between, (n_sets, k)."""
        free, (low, high) = self.free(parameters), self.bounds
        return (free >= high - _AWAY).astype(np.int64) - (free <= low + _AWAY)

    def pack(self, parameters: Parameters, scale: FloatArray) -> FloatArray:
        """Return free parameters times the square root of the lags of each set."""
        return scale[:, None] * self.free(parameters)

    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack` (flattened), within the bounds; a set without lags keeps `last`."""
        return self.of_free(np.clip(unscaled(point, scale, self.free(last)), *self.bounds))

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that have standard errors, in the order of the free ones; none of bins."""
        return self.kernel.parameter_names

    def score(self, moments: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the gradient of the objective by the free parameters of `pack`, (n_sets, k).

        `moments` are those of all lags, seen and unseen, under the same `parameters`.
        """
        return np.zeros((len(moments), len(self.names)))

    def jacobian(self, parameters: Parameters) -> FloatArray:
        """Return the derivatives of the parameters by the free ones, (n_sets, k, k)."""
        return np.zeros((len(parameters[0]), len(self.names), len(self.names)))

    @abstractmethod
    def log_prior(self, parameters: Parameters) -> float:
        """Return the log prior density without its constant; 0 without a prior."""

    @abstractmethod
    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel; the leading axes of the parameters are those of the kernel."""

    def tabulate(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return what the compiled code needs of each set, and its horizon."""
        return self.kernel.tabulate(*parameters)


class LogNormalStep(KernelStep):
    r"""Weighted log-moments in closed form.

    The prior, with w pseudo-lags (v for the location) of a kernel (eta_0, rho_0), is

    .. math:: -\frac{v (\eta - \eta_0)^2}{2 \rho^2} - w \log \rho - \frac{w \rho_0^2}{2 \rho^2},

    normal in eta and inverse-gamma in rho^2.
    """

    def start(self, location: FloatArray, spread: FloatArray) -> Parameters:
        """Return the location and the spread themselves."""
        return np.clip(location, *self.box.location), np.clip(spread, *self.box.spread)

    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return the weighted mean and standard deviation of the log-lags."""
        location, scale = parameters
        n, first, second = moments.T
        prior_location, prior_scale = self.pseudo.parameters if self.pseudo else parameters
        w = self.pseudo.weight if self.pseudo else 0.0
        v = self.pseudo.location_weight if self.pseudo else 0.0
        away = prior_location - location
        first, second = first + v * away, second + v * away**2 + w * prior_scale**2
        best = np.clip(location + _ratio(first, n + v), *self.box.location)
        shift = best - location
        variance = _ratio(second - 2.0 * shift * first + (n + v) * shift**2, n + w)
        spread = np.clip(np.sqrt(np.maximum(variance, 0.0)), *self.box.spread)
        return best, np.where(n + w > 0, spread, scale)

    def free(self, parameters: Parameters) -> FloatArray:
        """Return location and log scale."""
        return np.column_stack((parameters[0], np.log(parameters[1])))

    def of_free(self, free: FloatArray) -> Parameters:
        """Undo `free`."""
        return free[:, 0], np.exp(free[:, 1])

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of location and log scale."""
        low, high = np.column_stack((self.box.location, np.log(self.box.spread)))
        return low, high

    def score(self, moments: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the gradient by location and log scale."""
        location, scale = parameters
        n, first, second = moments.T
        if self.pseudo is not None:
            prior_location, prior_scale = self.pseudo.parameters
            w, v = self.pseudo.weight, self.pseudo.location_weight
            away = prior_location - location
            n, first = n + w, first + v * away
            second = second + v * away**2 + w * prior_scale**2
        return np.column_stack((first / scale**2, second / scale**2 - n))

    def jacobian(self, parameters: Parameters) -> FloatArray:
        """Return the derivatives of location and scale by location and log scale."""
        out = np.zeros((len(parameters[0]), 2, 2))
        out[:, 0, 0] = 1.0
        out[:, 1, 1] = parameters[1]
        return out

    def log_prior(self, parameters: Parameters) -> float:
        """Return the log prior density without its constant."""
        if self.pseudo is None:
            return 0.0
        location, scale = parameters
        prior_location, prior_scale = self.pseudo.parameters
        w, v = self.pseudo.weight, self.pseudo.location_weight
        squares = v * (location - prior_location) ** 2 + w * prior_scale**2
        return float((-0.5 * squares / scale**2 - w * np.log(scale)).sum())

    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel."""
        return LogNormal(*parameters)


class GammaStep(KernelStep):
    """Weighted gamma maximum likelihood by Newton steps in 1 / shape.

    The prior is the expected log density of the pseudo-lags, conjugate to the gamma density.

    References
    ----------
    Minka, T. (2002). Estimating a gamma distribution, eq. 10. Microsoft Research technical report.
    """

    def start(self, location: FloatArray, spread: FloatArray) -> Parameters:
        """Return the gamma density with the mean and coefficient of variation of a log-normal."""
        spread = np.clip(spread, self.box.spread[0], 3.0)
        free = np.column_stack((location + 0.5 * spread**2, -np.log(np.expm1(spread**2))))
        return self.of_free(np.clip(free, *self.bounds))

    def _with_pseudo(self, moments: FloatArray, mean: FloatArray) -> tuple[FloatArray, ...]:
        """Return (n, sum (r - 1), sum D(r)) of the lags and the pseudo-lags, r = lag / mean."""
        n, away, deviance = moments.T
        if self.pseudo is None:
            return n, away, deviance
        w = self.pseudo.weight
        away_each, deviance_each = self._of_pseudo(mean)
        return n + w, away + w * away_each, deviance + w * deviance_each

    def _of_pseudo(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expectations of r - 1 and D(r) of a pseudo-lag."""
        prior_shape, prior_rate = self.pseudo.parameters if self.pseudo else (mean, mean)
        ratio = prior_shape / prior_rate / mean
        return ratio - 1.0, (ratio - 1.0) - np.log(ratio) + log_excess(prior_shape)

    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return shape and rate of greatest weighted likelihood."""
        shape, rate = parameters
        mean = shape / rate
        n, away, deviance = self._with_pseudo(moments, mean)
        seen = n > 0
        each = np.where(seen, n, 1.0)
        shift, deviance = np.where(seen, away, 0.0) / each, np.where(seen, deviance, 1.0) / each
        low, high = self.bounds
        move = np.clip(np.log1p(shift), low[0] - np.log(mean), high[0] - np.log(mean))
        # deviance from the new mean: of r e^-move
        excess = deviance + np.expm1(-move) * (1.0 + shift) + move
        new = np.clip(_gamma_shape(excess), *np.exp((low[1], high[1])))
        return np.where(seen, new, shape), np.where(seen, new / (mean * np.exp(move)), rate)

    def free(self, parameters: Parameters) -> FloatArray:
        """Return log mean and log shape."""
        shape, rate = parameters
        return np.column_stack((np.log(shape / rate), np.log(shape)))

    def of_free(self, free: FloatArray) -> Parameters:
        """Undo `free`."""
        shape = np.exp(free[:, 1])
        return shape, shape / np.exp(free[:, 0])

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of log mean and log shape."""
        least, largest = self.box.spread
        low, high = np.column_stack((self.box.location, (-np.log(largest), -2.0 * np.log(least))))
        return low, high

    spread_sign = -1

    def log_lags(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return the mean and the standard deviation of the log-lag."""
        shape, rate = parameters
        mean = np.log(shape / rate) - log_excess(shape)
        return mean, np.sqrt(scipy.special.polygamma(1, shape))

    def score(self, moments: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the gradient by log mean and log shape."""
        shape, rate = parameters
        n, away, deviance = self._with_pseudo(moments, shape / rate)
        return np.column_stack((shape * away, shape * (n * log_excess(shape) - deviance)))

    def jacobian(self, parameters: Parameters) -> FloatArray:
        """Return the derivatives of shape and rate by log mean and log shape."""
        shape, rate = parameters
        out = np.zeros((len(shape), 2, 2))
        out[:, 0, 1] = shape
        out[:, 1, 0], out[:, 1, 1] = -rate, rate
        return out

    def log_prior(self, parameters: Parameters) -> float:
        """Return the expected log density of the pseudo-lags."""
        if self.pseudo is None:
            return 0.0
        shape, rate = parameters
        prior_shape, prior_rate = self.pseudo.parameters
        mean_log = scipy.special.digamma(prior_shape) - np.log(prior_rate)
        density = log_front(shape) - shape * self._of_pseudo(shape / rate)[1] - mean_log
        return float(self.pseudo.weight * density.sum())

    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel."""
        return Gamma(*parameters)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the ratio, 0 where there is nothing to divide by."""
    some = denominator > 0
    return np.where(some, numerator, 0.0) / np.where(some, denominator, 1.0)


def unscaled(point: FloatArray, scale: FloatArray, last: FloatArray) -> FloatArray:
    """Return free parameters from the weighted ones, or the last ones where the weight is 0."""
    weighted = point.reshape(last.shape)
    some = scale[:, None] > 0
    return np.where(some, weighted / np.where(some, scale[:, None], 1.0), last)


def _gamma_shape(excess: FloatArray) -> FloatArray:
    """Solve log(shape) - digamma(shape) = excess, the log of the mean less the mean of the log."""
    target = np.clip(excess, _LEAST_EXCESS, 1.0 / _LEAST_EXCESS)
    shape = (3.0 - target + np.sqrt((target - 3.0) ** 2 + 24.0 * target)) / (12.0 * target)
    for _ in range(_NEWTON_STEPS):
        error = log_excess(shape) - target
        # Newton in 1 / shape
        new = 1.0 / (1.0 / shape + error / (shape**2 * log_excess_slope(shape)))
        if (np.abs(new - shape) <= 1e-14 * shape).all():
            break
        shape = new
    return shape
