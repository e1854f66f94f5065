"""Lag kernels of the edges of a free-text process: prior parameters, and those of a typist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.verifiers.free_text._backoff import Counts, Kernels, Tree
from hawkeys.verifiers.free_text.recordings import Lags, find_sorted, pair_numbers

__all__ = ["EdgeKernels", "FixedPrior"]


@dataclass(frozen=True)
class FixedPrior:
    """One log-normal kernel for all pairs.

    Attributes
    ----------
    location, scale : float
        Mean and standard deviation of the log of seconds.
    """

    location: float
    scale: float

    def at(self, names: tuple[str, ...], lags: Lags) -> tuple[FloatArray, FloatArray]:
        """Return location and scale at each lag."""
        shape = lags.rows.size
        return np.full(shape, self.location), np.full(shape, self.scale)


@dataclass(frozen=True, eq=False)
class EdgeKernels:
    """Fitted kernels of one edge, on the scale of their prior: y = (ln lag - location) / scale.

    Attributes
    ----------
    prior : FixedPrior or EdgeKernels
        Where they shrink to, and the unit of location and scale.
    names : tuple of str
        Keys seen in training; pair number = place of the first * len(names) + place of the second.
    tree : Tree
        Pairs and classes seen in training.
    kernels : Kernels
        Their parameters.
    weight : ndarray, shape (n_pairs,)
        Lags of each pair.
    location_counts : Counts
        Lags that a parent's location is worth.
    """

    prior: FixedPrior | EdgeKernels
    names: tuple[str, ...]
    tree: Tree
    kernels: Kernels
    weight: FloatArray
    location_counts: Counts

    def at(self, names: tuple[str, ...], lags: Lags) -> tuple[FloatArray, FloatArray]:
        """Return location and scale of the log of seconds at each lag.

        A pair that training did not see has its class's kernel, a class that it did not see the
        typist's. The variance is that of a new lag: it includes how uncertain the location is.
        """
        location, scale = self.standardised(names, lags)
        base_location, base_scale = self.prior.at(names, lags)
        return base_location + base_scale * location, base_scale * scale

    def standardised(self, names: tuple[str, ...], lags: Lags) -> tuple[FloatArray, FloatArray]:
        """Return location and scale at each lag, on the scale of the prior."""
        node, counts = self.kernels, self.location_counts
        location = np.full(lags.rows.size, node.location)
        variance = np.full(lags.rows.size, node.variance * (1.0 + 1.0 / counts.cls))
        known, place = find_sorted(self.tree.classes, lags.classes)
        location[known] = node.class_location[place]
        variance[known] = node.class_variance[place] * (1.0 + 1.0 / counts.pair)
        known, place = find_sorted(self.tree.pairs, pair_numbers(lags, names, self.names))
        location[known] = node.pair_location[place]
        doubt = 1.0 / (self.weight[place] + counts.pair)
        variance[known] = node.pair_variance[place] * (1.0 + doubt)
        return location, np.sqrt(variance)
