"""`Marginals`: what posteriors with independent marginals share."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_level

__all__ = ["Marginals"]


class Marginals(ABC):
    """Independent marginals of an array of parameters."""

    @abstractmethod
    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Return the quantile of every parameter."""

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the equal-tailed credible interval of every parameter.

        Parameters
        ----------
        level : float, default 0.95
            Posterior probability inside.

        Returns
        -------
        lower, upper : ndarray of float64, one number per parameter
            The two bounds.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        tail = 0.5 * (1.0 - check_level(level))
        return self.quantile(tail), self.quantile(1.0 - tail)
