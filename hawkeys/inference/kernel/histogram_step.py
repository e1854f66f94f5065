"""How the masses of a histogram are started and updated from expected lags."""

from __future__ import annotations

import numpy as np
import scipy

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.kernel.families import KernelStep, Parameters, unscaled
from hawkeys.inference.kernel.roughness import penalised_log_heights, roughness, roughness_matrix
from hawkeys.kernels import DelayedKernel, Histogram

__all__ = ["HistogramStep"]

# as in the roughness
_SMALLEST = 1e-300
# of the largest mass, in one Newton step
_AT_ONCE = 0.9


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

    def free(self, parameters: Parameters) -> FloatArray:
        """Return the square roots of the masses."""
        return np.sqrt(parameters[0])

    def of_free(self, free: FloatArray) -> Parameters:
        """Undo `free`."""
        return (free**2 / (free**2).sum(axis=1, keepdims=True),)

    def unpack(self, point: FloatArray, scale: FloatArray, last: Parameters) -> Parameters:
        """Undo `pack`; no mass falls to 0 at once."""
        before = self.free(last)
        return self.of_free(np.maximum(unscaled(point, scale, before), 0.1 * before))

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Masses are not negative; logarithms of ratios have no bound."""
        return np.array(-np.inf if self.smoothing > 0.0 else 0.0), np.array(np.inf)

    def point(self, parameters: Parameters) -> FloatArray:
        """Return all masses but the largest; with a penalty on roughness their log ratios to it."""
        (masses,) = parameters
        rest = _others(masses)
        if self.smoothing == 0.0:
            return masses[rest].reshape(len(masses), -1)
        logs = np.log(np.maximum(masses, _SMALLEST))
        return logs[rest].reshape(len(masses), -1) - logs.max(axis=1, keepdims=True)

    def of_point(self, point: FloatArray, last: Parameters) -> Parameters:
        """Undo `point`, with the bin that was the largest of each set before the step.

        That bin loses nine tenths of its mass at most.
        """
        (before,) = last
        rest = _others(before)
        masses = np.empty_like(before)
        if self.smoothing > 0.0:
            masses[rest], masses[~rest] = point.ravel(), 0.0
            masses = np.exp(masses - masses.max(axis=1, keepdims=True))
        else:
            moved = np.maximum(point, 0.0) - before[rest].reshape(point.shape)
            gain = moved.sum(axis=1, keepdims=True)
            most = _AT_ONCE * before.max(axis=1, keepdims=True)
            masses[rest] = (moved * np.minimum(1.0, most / np.maximum(gain, most))).ravel()
            masses[~rest] = 0.0
            masses = np.maximum(before + masses, 0.0)
            masses[~rest] -= masses.sum(axis=1) - 1.0
            if self.pseudo is not None:  # no mass falls to 0 at once, where the prior has some
                masses = np.maximum(
                    masses, np.where(self.pseudo.parameters[0] > 0, 0.1, 0) * before
                )
        return (masses / masses.sum(axis=1, keepdims=True),)

    def by_point(self, masses: FloatArray, gradient: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how the masses of one set depend on its point, to second order.

        Parameters
        ----------
        masses : ndarray, shape (n_bins,)
            The masses.
        gradient : ndarray, shape (n_bins,)
            Derivatives of a function by them.

        Returns
        -------
        jacobian : ndarray, shape (n_bins, n_bins - 1)
            First derivatives of the masses.
        bend : ndarray, shape (n_bins - 1, n_bins - 1)
            Their second derivatives, times the gradient.
        """
        rest = _others(masses[None])[0]
        jacobian = np.eye(masses.size)[:, rest]
        if self.smoothing == 0.0:
            jacobian[~rest] = -1.0
            return jacobian, np.zeros((masses.size - 1, masses.size - 1))
        own = masses[rest]
        weighted = masses * gradient
        total = float(weighted.sum())
        cross = np.outer(weighted[rest], own)
        bend = np.diag(weighted[rest]) - cross - cross.T + total * np.outer(own, own)
        bend -= total * (np.diag(own) - np.outer(own, own))
        return (jacobian - own) * masses[:, None], bend

    def prior_derivatives(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return gradient (n_sets, k) and Hessian (n_sets, k, k) of `log_prior` by the point."""
        (masses,) = parameters
        rest = _others(masses)
        lags = np.zeros_like(masses)
        if self.pseudo is not None:
            lags = self.pseudo.weight * self.pseudo.parameters[0]
        if self.smoothing > 0.0:
            return self._log_prior_derivatives(masses, rest, lags)
        some = lags > 0
        each = np.where(some, masses, 1.0)
        slope, bend = np.where(some, lags / each, 0.0), np.where(some, lags / each**2, 0.0)
        own = bend[rest].reshape(len(masses), -1)
        gradient = slope[rest].reshape(own.shape) - slope[~rest][:, None]
        return gradient, -_diagonals(own) - bend[~rest][:, None, None]

    def _log_prior_derivatives(
        self, masses: FloatArray, rest: BoolArray, lags: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives by log ratios of masses, in which the roughness is quadratic."""
        matrix = self.smoothing * roughness_matrix(self.edges)
        logs = np.log(np.maximum(masses, _SMALLEST) / np.diff(self.edges))
        n = lags.sum(axis=1)
        gradient = lags - n[:, None] * masses - logs @ matrix
        spread = _diagonals(masses) - masses[:, :, None] * masses[:, None, :]
        hessian = -n[:, None, None] * spread - matrix
        index = [np.flatnonzero(own) for own in rest]
        return (
            gradient[rest].reshape(len(masses), -1),
            np.stack([part[np.ix_(i, i)] for part, i in zip(hessian, index, strict=True)]),
        )

    def log_prior(self, parameters: Parameters) -> float:
        """Return the expected log mass of the pseudo-lags, less the penalty on roughness."""
        (masses,) = parameters
        total = 0.0
        if self.pseudo is not None:
            total += (
                self.pseudo.weight * scipy.special.xlogy(self.pseudo.parameters[0], masses).sum()
            )
        if self.smoothing > 0.0:
            total -= 0.5 * self.smoothing * roughness(masses, self.edges).sum()
        return float(total)

    def tabulate(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return height and mass below of each bin of each set, and its horizon."""
        return self.kernel.tabulate(self.edges, *parameters)

    def build(self, parameters: Parameters) -> DelayedKernel:
        """Return the kernel."""
        return Histogram(self.edges, *parameters)


def _others(masses: FloatArray) -> BoolArray:
    """Return all bins of each set but the one with the largest mass."""
    out = np.ones(masses.shape, dtype=bool)
    out[np.arange(len(masses)), masses.argmax(axis=1)] = False
    return out


def _diagonals(values: FloatArray) -> FloatArray:
    """Return a diagonal matrix of each row, (n_sets, k, k)."""
    return values[:, :, None] * np.eye(values.shape[1])
