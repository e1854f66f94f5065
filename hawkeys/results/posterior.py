"""`LogNormalPosterior`: independent log-normal marginals of positive parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, RandomState
from hawkeys._validation import as_float_array, as_generator, brief, check_count
from hawkeys.exceptions import InvalidParameterError
from hawkeys.results.marginals import Marginals

__all__ = ["LogNormalPosterior"]


@dataclass(frozen=True, eq=False)
class LogNormalPosterior(Marginals):
    r"""Independent log-normal marginals, :math:`\theta = \exp(a + s e)` with e standard normal.

    Attributes
    ----------
    location, scale : ndarray of float64, any common shape (..., n_marks, n_marks + 1)
        a and s of each parameter: the baseline in column 0 of the last axis, then the adjacency
        row. An unidentified parameter has NaN.
    switched_off : ndarray of bool, the same shape, or None
        What relevance determination switched off: location and scale are where its ascent was
        stopped, and no posterior. Standard deviation and quantiles are NaN. None: nothing.

    References
    ----------
    Salehi, F., Trouleau, W., Grossglauser, M. and Thiran, P. (2019). Learning Hawkes processes from
    a handful of events. NeurIPS 32, section 4. arXiv:1911.00292

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.results.posterior import LogNormalPosterior
    >>> posterior = LogNormalPosterior(np.array([[0.0, -1.0]]), np.array([[0.5, 0.1]]))
    >>> posterior.mode.round(3)
    array([[0.779, 0.364]])
    """

    location: FloatArray
    scale: FloatArray
    switched_off: BoolArray | None = None

    @property
    def mean(self) -> FloatArray:
        """Posterior mean exp(a + s^2 / 2)."""
        return np.exp(self.location + 0.5 * self.scale**2)

    @property
    def mean_log(self) -> FloatArray:
        """Posterior mean of the logarithm, a."""
        return self.location

    @property
    def median(self) -> FloatArray:
        """Posterior median exp(a)."""
        return np.exp(self.location)

    @property
    def mode(self) -> FloatArray:
        """Posterior mode exp(a - s^2)."""
        return np.exp(self.location - self.scale**2)

    @property
    def sd(self) -> FloatArray:
        """Posterior standard deviation."""
        return self._blank(self.mean * np.sqrt(np.expm1(self.scale**2)))

    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Return the posterior quantile of every parameter.

        Parameters
        ----------
        probability : float or array_like
            Between 0 and 1; broadcasts against the parameters.

        Returns
        -------
        ndarray of float64
            exp(a + s z) with z the normal quantile; NaN where switched off.

        Raises
        ------
        InvalidParameterError
            A probability is not strictly between 0 and 1.
        """
        level = as_float_array(probability, "probability")
        if not ((level > 0) & (level < 1)).all():
            raise InvalidParameterError(
                f"probability must lie strictly between 0 and 1; got {brief(probability)}."
            )
        # scipy.special costs a sixth of a second to import, and a fit does not need it
        from scipy.special import ndtri

        return self._blank(np.exp(self.location + self.scale * ndtri(level)))

    def sample(self, size: int, *, rng: RandomState = None) -> FloatArray:
        """Draw from the posterior.

        Parameters
        ----------
        size : int
            Number of draws.
        rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
            Source of randomness.

        Returns
        -------
        ndarray of float64, shape (size, *location.shape)
            Independent draws.

        Raises
        ------
        InvalidParameterError
            `size` is not a positive whole number.
        """
        shape = (check_count(size, "size"), *self.location.shape)
        noise = as_generator(rng).standard_normal(shape)
        return np.exp(self.location + self.scale * noise)

    def _blank(self, values: FloatArray) -> FloatArray:
        """Return the values, NaN where switched off."""
        return values if self.switched_off is None else np.where(self.switched_off, np.nan, values)
