"""What distances from the mean of the training samples have in common."""

from abc import abstractmethod

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.verifiers._samples import center_of, no_zero
from hawkeys.verifiers.base import WeightedVerifier

__all__ = ["DistanceToMean", "over_lengths", "whiten"]


class DistanceToMean(WeightedVerifier):
    """Score = minus a distance from the (weighted) mean of the training samples."""

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        self.center_ = center_of(samples, weights)

    def _score(self, samples: FloatArray) -> FloatArray:
        return -self._distance(samples - self.center_)

    @abstractmethod
    def _distance(self, deviation: FloatArray) -> FloatArray:
        """Return the length of deviations from the mean, (n_samples, n_features)."""


def over_lengths(scores: FloatArray, samples: FloatArray, center: FloatArray) -> FloatArray:
    """Return scores / (|m| |x|) of every sample x, with 1e-10 where that product is 0.

    Minus infinity where it is beyond floating point, whose quotient would be 0 or NaN: accepted.
    """
    lengths = np.sqrt(np.square(samples).sum(axis=1))
    product = no_zero(lengths * np.sqrt(np.square(center).sum()))
    return np.divide(
        scores, product, out=np.full(scores.shape, -np.inf), where=np.isfinite(product)
    )


def whiten(deviation: FloatArray, whitener: FloatArray) -> FloatArray:
    """Return deviation @ whitener; a row comes out alike to the last bit in whatever company."""
    white = np.zeros((deviation.shape[0], whitener.shape[1]))
    for column, direction in zip(deviation.T, whitener, strict=True):
        white += column[:, None] * direction
    return white
