"""How the masses of a histogram are started and updated from expected lags."""

from __future__ import annotations

import numpy as np
from scipy import special

from hawkeys._typing import FloatArray
from hawkeys.inference.kernel_steps import KernelStep, Parameters, unscaled
from hawkeys.inference.roughness import penalised_log_heights, roughness
from hawkeys.kernels import DelayedKernel, Histogram

__all__ = ["HistogramStep"]


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
