"""`GammaPosterior`: independent Gamma marginals of positive parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, RandomState
from hawkeys._validation import as_float_array, as_generator, brief, check_count
from hawkeys.exceptions import InvalidParameterError
from hawkeys.results.marginals import Marginals

__all__ = ["GammaPosterior"]

_MOST_VARIANCE = 1e5
_NEWTON_STEPS = 8  # of quadratic convergence, from a start that is 40 % off at most


@dataclass(frozen=True, eq=False)
class GammaPosterior(Marginals):
    r"""Independent Gamma marginals, density :math:`\propto \theta^{a-1} e^{-b\theta}`.

    Attributes
    ----------
    shape, rate : ndarray of float64, any common shape (..., n_marks, n_marks + 1)
        a and b of each parameter: the baseline in column 0 of the last axis, then the adjacency
        row. The rate of a baseline has the unit of time. An unidentified parameter has NaN.

    References
    ----------
    Linderman, S. W. and Adams, R. P. (2015). Scalable Bayesian inference for excitatory point
    process networks. arXiv:1507.03228, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.results.gamma_posterior import GammaPosterior
    >>> posterior = GammaPosterior(np.array([[3.0, 1.0]]), np.array([[10.0, 4.0]]))
    >>> posterior.mean
    array([[0.3 , 0.25]])
    """

    shape: FloatArray
    rate: FloatArray

    @classmethod
    def from_log_moments(cls, mean: FloatArray, variance: FloatArray) -> GammaPosterior:
        """Return the Gamma marginals with these means and variances of the logarithms.

        Parameters
        ----------
        mean, variance : ndarray of float64, one common shape
            Of the logarithms; NaN where there is no posterior, or a variance is above 1e5, so that
            the rate would be below the smallest double.

        Returns
        -------
        GammaPosterior
            digamma(shape) - log(rate) is `mean`, trigamma(shape) is `variance`.

        Notes
        -----
        Newton steps on 1 / trigamma, which is convex and nearly linear.

        References
        ----------
        Minka, T. P. (2000, revised 2012). Estimating a Dirichlet distribution, appendix C.
        """
        from scipy.special import digamma, polygamma

        known = (variance > 0) & (variance <= _MOST_VARIANCE)
        target = np.where(known, variance, 1.0)
        # trigamma is about 1 / k + 1 / k^2
        shape = (0.5 + np.sqrt(0.25 + target)) / target
        for _ in range(_NEWTON_STEPS):
            value = polygamma(1, shape)
            shape = shape + value * (1.0 - value / target) / polygamma(2, shape)
        shape = np.where(known, shape, np.nan)
        return cls(shape, np.exp(digamma(shape) - mean))

    @property
    def mean(self) -> FloatArray:
        """Posterior mean a / b."""
        return self.shape / self.rate

    @property
    def median(self) -> FloatArray:
        """Posterior median."""
        return self.quantile(0.5)

    @property
    def mode(self) -> FloatArray:
        """Posterior mode (a - 1) / b, 0 if a is below 1."""
        return np.maximum(self.shape - 1.0, 0.0) / self.rate

    @property
    def sd(self) -> FloatArray:
        """Posterior standard deviation, the square root of a over b."""
        return np.sqrt(self.shape) / self.rate

    @property
    def mean_log(self) -> FloatArray:
        """Posterior mean of the logarithm."""
        from scipy.special import digamma

        out: FloatArray = digamma(self.shape) - np.log(self.rate)
        return out

    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Return the posterior quantile of every parameter.

        Parameters
        ----------
        probability : float or array_like
            Between 0 and 1; broadcasts against the parameters.

        Returns
        -------
        ndarray of float64
            Quantiles; NaN where not identified.

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
        from scipy.special import gammaincinv

        out: FloatArray = gammaincinv(self.shape, level) / self.rate
        return out

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
        ndarray of float64, shape (size, *shape.shape)
            Independent draws; NaN where not identified.

        Raises
        ------
        InvalidParameterError
            `size` is not a positive whole number.
        """
        shape = (check_count(size, "size"), *self.shape.shape)
        known = np.where(np.isnan(self.shape), 1.0, self.shape)
        draws = as_generator(rng).standard_gamma(known, shape)
        return draws / self.rate
