"""How the parameters of each kernel family are started and updated from expected lags.

Within expectation-maximisation a set of pairs that share a kernel has expected lags, given by their
statistics (`hawkeys._jit.delayed`): log-normal (n, sum d, sum d^2) with d the log-lag from the
present location, gamma (n, sum v, sum log v) with v = present rate * lag, histogram the number of
lags per bin. A prior adds pseudo-lags to them. Parameters are tuples of arrays, one row per set.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import special

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.roughness import penalised_log_heights, roughness
from hawkeys.kernels import DelayedKernel, Gamma, Histogram, LogNormal

__all__ = ["GammaStep", "HistogramStep", "KernelStep", "LogNormalStep", "Parameters", "Pseudo"]

Parameters: TypeAlias = tuple[FloatArray, ...]

_NEWTON_STEPS = 50
# a parameter is at its bound up to this factor
_AWAY = 1.001


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


class KernelStep(ABC):
    """One kernel family within expectation-maximisation."""

    def __init__(
        self, kernel: DelayedKernel, *, pseudo: Pseudo | None, smoothing: float, min_spread: float
    ) -> None:
        self.kernel = kernel
        self.pseudo = pseudo
        self.smoothing = smoothing
        self.min_spread = min_spread

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
    def pack(self, parameters: Parameters, scale: FloatArray) -> FloatArray:
        """Return free parameters, (n_sets, k), times the square root of the lags of each set."""

    @abstractmethod
    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack` (flattened), within the bounds; a set without lags keeps `last`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that have standard errors, in the order of the free ones; none of bins."""
        return self.kernel.parameter_names

    def inside(self, parameters: Parameters) -> BoolArray:
        """Return which sets are away from the bounds, shape (n_sets,)."""
        return np.zeros(len(parameters[0]), dtype=bool)

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
        return location, np.maximum(spread, self.min_spread)

    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return the weighted mean and standard deviation of the log-lags."""
        location, scale = parameters
        n, first, second = moments.T
        prior_location, prior_scale = self.pseudo.parameters if self.pseudo else parameters
        w = self.pseudo.weight if self.pseudo else 0.0
        v = self.pseudo.location_weight if self.pseudo else 0.0
        away = prior_location - location
        shift = _ratio(first + v * away, n + v)
        squares = second + v * away**2 + w * prior_scale**2
        variance = _ratio(squares - (n + v) * shift**2, n + w)
        spread = np.sqrt(np.maximum(variance, self.min_spread**2))
        return location + shift, np.where(n + w > 0, spread, scale)

    def pack(self, parameters: Parameters, scale: FloatArray) -> FloatArray:
        """Return location and log scale, weighted."""
        location, spread = parameters
        return scale[:, None] * np.column_stack((location, np.log(spread)))

    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack`; the scale stays above its bound."""
        free = _unscaled(point, scale, np.column_stack((last[0], np.log(last[1]))))
        return free[:, 0], np.maximum(np.exp(free[:, 1]), self.min_spread)

    def inside(self, parameters: Parameters) -> BoolArray:
        """Return where the scale is above its bound."""
        return parameters[1] > self.min_spread * _AWAY

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
        shape = 1.0 / np.expm1(np.clip(spread, self.min_spread, 3.0) ** 2)
        return shape, shape / np.exp(location + 0.5 * np.minimum(spread, 3.0) ** 2)

    def _with_pseudo(self, moments: FloatArray, rate: FloatArray) -> tuple[FloatArray, ...]:
        """Return (n, sum v, sum log v) of the lags and the pseudo-lags."""
        n, total, log_total = moments.T
        if self.pseudo is None:
            return n, total, log_total
        w = self.pseudo.weight
        prior_shape, prior_rate = self.pseudo.parameters
        unit = rate / prior_rate
        pseudo_log = w * (special.digamma(prior_shape) + np.log(unit))
        return n + w, total + w * prior_shape * unit, log_total + pseudo_log

    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return shape and rate of greatest weighted likelihood."""
        shape, rate = parameters
        n, total, log_total = self._with_pseudo(moments, rate)
        seen = (n > 0) & (total > 0)
        mean = np.where(seen, total, 1.0) / np.where(seen, n, 1.0)
        excess = np.log(mean) - log_total / np.where(seen, n, 1.0)
        new = _gamma_shape(np.where(seen, excess, 1.0), 1.0 / self.min_spread**2)
        return np.where(seen, new, shape), np.where(seen, new * rate / mean, rate)

    def pack(self, parameters: Parameters, scale: FloatArray) -> FloatArray:
        """Return log mean and log shape, weighted."""
        shape, rate = parameters
        return scale[:, None] * np.column_stack((np.log(shape / rate), np.log(shape)))

    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack`; the shape stays below its bound."""
        before = np.column_stack((np.log(last[0] / last[1]), np.log(last[0])))
        free = _unscaled(point, scale, before)
        shape = np.minimum(np.exp(free[:, 1]), 1.0 / self.min_spread**2)
        return shape, shape / np.exp(free[:, 0])

    def inside(self, parameters: Parameters) -> BoolArray:
        """Return where the shape is below its bound."""
        return parameters[0] * _AWAY < 1.0 / self.min_spread**2

    def score(self, moments: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the gradient by log mean and log shape."""
        shape, rate = parameters
        n, total, log_total = self._with_pseudo(moments, rate)
        by_shape = shape * (log_total - n * special.digamma(shape)) + n * shape - total
        return np.column_stack((total - n * shape, by_shape))

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
        mean_log = special.digamma(prior_shape) - np.log(prior_rate)
        density = shape * np.log(rate) - special.gammaln(shape) + (shape - 1.0) * mean_log
        return float(self.pseudo.weight * (density - rate * prior_shape / prior_rate).sum())

    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel."""
        return Gamma(*parameters)


class HistogramStep(KernelStep):
    """Bin masses in proportion to the lags, or with a penalty on roughness."""

    @property
    def edges(self) -> FloatArray:
        """Bounds of the bins."""
        return self.kernel.edges

    @property
    def width(self) -> int:
        """Number of bins."""
        return self.edges.size - 1

    @property
    def names(self) -> tuple[str, ...]:
        """None: masses have no standard errors."""
        return ()

    @property
    def n_free(self) -> int:
        """Number of free masses per set."""
        return self.width - 1

    def amount(self, moments: FloatArray) -> FloatArray:
        """Return the number of lags of each set."""
        return moments.sum(axis=1)

    def start(self, location: FloatArray, spread: FloatArray) -> Parameters:
        """Return a flat density: the expected log density is concave in the masses."""
        flat = np.diff(self.edges) / (self.edges[-1] - self.edges[0])
        return (np.tile(flat, (location.size, 1)),)

    def maximise(self, moments: FloatArray, parameters: Parameters) -> Parameters:
        """Return the masses; with a penalty by Newton steps that never lower the objective."""
        (masses,) = parameters
        counts = moments
        if self.pseudo is not None:
            counts = counts + self.pseudo.weight * self.pseudo.parameters[0]
        n = counts.sum(axis=1)
        seen = n > 0
        new = masses.copy()
        if self.smoothing == 0.0:
            new[seen] = counts[seen] / n[seen, None]
        elif seen.any():
            heights = penalised_log_heights(counts[seen], masses[seen], self.edges, self.smoothing)
            new[seen] = np.exp(heights) * np.diff(self.edges)
        return (new / new.sum(axis=1, keepdims=True),)

    def pack(self, parameters: Parameters, scale: FloatArray) -> FloatArray:
        """Return the square roots of the masses, weighted."""
        return scale[:, None] * np.sqrt(parameters[0])

    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack`; no mass falls to 0 at once."""
        before = np.sqrt(last[0])
        roots = np.maximum(_unscaled(point, scale, before), 0.1 * before)
        return (roots**2 / (roots**2).sum(axis=1, keepdims=True),)

    def log_prior(self, parameters: Parameters) -> float:
        """Return the expected log mass of the pseudo-lags, less the penalty on roughness."""
        (masses,) = parameters
        total = 0.0
        if self.pseudo is not None:
            total += self.pseudo.weight * special.xlogy(self.pseudo.parameters[0], masses).sum()
        if self.smoothing > 0.0:
            total -= 0.5 * self.smoothing * roughness(masses, self.edges).sum()
        return float(total)

    def tabulate(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return height and mass below of each bin of each set, and its horizon."""
        return self.kernel.tabulate(self.edges, *parameters)

    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel."""
        return Histogram(self.edges, *parameters)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the ratio, 0 where there is nothing to divide by."""
    some = denominator > 0
    return np.where(some, numerator, 0.0) / np.where(some, denominator, 1.0)


def _unscaled(point: FloatArray, scale: FloatArray, last: FloatArray) -> FloatArray:
    """Return free parameters from the weighted ones, or the last ones where the weight is 0."""
    weighted = point.reshape(last.shape)
    some = scale[:, None] > 0
    return np.where(some, weighted / np.where(some, scale[:, None], 1.0), last)


def _gamma_shape(excess: FloatArray, largest: float) -> FloatArray:
    """Solve log(shape) - digamma(shape) = excess, the log of the mean less the mean of the log."""
    target = np.maximum(excess, np.log(largest) - special.digamma(largest))
    shape = (3.0 - target + np.sqrt((target - 3.0) ** 2 + 24.0 * target)) / (12.0 * target)
    for _ in range(_NEWTON_STEPS):
        error = np.log(shape) - special.digamma(shape) - target
        slope = 1.0 / shape - special.polygamma(1, shape)
        # Newton in 1 / shape
        new = 1.0 / (1.0 / shape + error / (shape**2 * slope))
        if (np.abs(new - shape) <= 1e-14 * shape).all():
            break
        shape = new
    return np.minimum(shape, largest)
