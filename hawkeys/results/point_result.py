"""`PointResult`: fits that are a point with a covariance."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_level
from hawkeys.results.fit_result import FitResult
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["PointResult"]


@dataclass(frozen=True, eq=False, repr=False)
class PointResult(FitResult):
    """Estimates with a covariance, and the normal intervals that follow from it."""

    @property
    @abstractmethod
    def covariance(self) -> FloatArray | RowMatrices:
        """Covariance of each target's estimates, (n_marks, n_marks + 1, n_marks + 1), or NaN."""

    @cached_property
    def std_err(self) -> FloatArray:
        """Standard errors, shape (n_marks, n_marks + 1); NaN at the bound and if unidentified."""
        covariance = self.covariance
        if isinstance(covariance, RowMatrices):
            return np.sqrt(covariance.diagonals())
        return np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return normal intervals; the same as `conf_int`."""
        return self.conf_int(level)

    def conf_int(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return normal (Wald) confidence intervals, cut at 0.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray, shape (n_marks, n_marks + 1)
            Baseline, then adjacency row, of each target; NaN at the bound.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level)) * self.std_err
        return np.maximum(self.estimates - reach, 0.0), self.estimates + reach
