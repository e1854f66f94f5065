"""Mixtures of chi-square: how a likelihood ratio is distributed where parameters cannot be below 0.

Several parameters at least 0 are tested for 0 together, such as the components of an adjacency
entry whose kernel has its weights estimated.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import scipy

from hawkeys._typing import FloatArray

__all__ = ["mixture_quantile", "mixture_tail", "mixture_weights"]

_RIDGE = 1e-9
_PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53])
_POINTS = 4096


def mixture_weights(information: FloatArray) -> FloatArray:
    r"""Return the weights of chi-square with 0, 1, ..., K degrees of freedom, shape (K + 1,).

    With A the information of K parameters at least 0, :math:`V = A^{-1}` and true values 0, the
    weight of k degrees of freedom is that of k parameters above 0 at the maximum,

    .. math:: w_k = \sum_{|J| = k} P\{N(0, A_{JJ}^{-1}) > 0\}\,
        P\{N(0, V_{\bar J \bar J}^{-1}) > 0\}.

    Parameters
    ----------
    information : ndarray of float64, shape (K, K)
        Of the parameters tested, all others estimated. Those without any are left out.

    Returns
    -------
    ndarray of float64, shape (K + 1,)
        They sum to 1.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82, 605-610. doi:10.1080/01621459.1987.10478472

    Shapiro, A. (1985). Asymptotic distribution of test statistics in the analysis of moment
    structures under inequality constraints. Biometrika 72(1), 133-144, eq. 5.3.
    doi:10.1093/biomet/72.1.133
    """
    out = np.zeros(len(information) + 1)
    told = np.flatnonzero(np.diagonal(information) > 0)
    root = 1.0 / np.sqrt(np.diagonal(information)[told])
    scaled = information[np.ix_(told, told)] * np.outer(root, root) + _RIDGE * np.eye(told.size)
    covariance = _inverse(scaled)
    for k in range(told.size + 1):
        for above in combinations(range(told.size), k):
            rest = np.setdiff1d(np.arange(told.size), above)
            inside = _orthant(_inverse(scaled[np.ix_(above, above)]))
            out[k] += inside * _orthant(_inverse(covariance[np.ix_(rest, rest)]))
    return np.asarray(out / out.sum())


def mixture_tail(statistic: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the probability of at least `statistic`; 1 at 0 and, by rounding, below.

    Parameters
    ----------
    statistic : ndarray of float64, any shape
        Likelihood-ratio statistics, or NaN.
    weights : ndarray of float64, the same shape and (K + 1,)
        Weights of 0, 1, ..., K degrees of freedom.

    Returns
    -------
    ndarray of float64
        p-values, shaped as the statistics.
    """
    from scipy.stats import chi2

    each = chi2.sf(np.asarray(statistic)[..., None], np.arange(1, weights.shape[-1]))
    return np.where(statistic <= 0.0, 1.0, (weights[..., 1:] * each).sum(axis=-1))


def mixture_quantile(probability: float, weights: FloatArray) -> float:
    """Return the quantile of the mixture of chi-square distributions.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    weights : ndarray of float64, shape (K + 1,)
        Weights of 0, 1, ..., K degrees of freedom; NaN has no quantile.

    Returns
    -------
    float
        Quantile; 0 up to the weight of 0 degrees of freedom.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2

    if np.isnan(weights).any() or weights[0] >= probability:
        return math.nan if np.isnan(weights).any() else 0.0
    top = float(chi2.ppf(probability, weights.size - 1)) + 1.0
    missing = 1.0 - probability

    def excess(quantile: float) -> float:
        return float(mixture_tail(np.array(quantile), weights)) - missing

    return float(brentq(excess, 1e-300, top))


def _inverse(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.inv(matrix))


def _orthant(covariance: FloatArray) -> float:
    """Return the probability that a centred normal vector is above 0."""
    size = len(covariance)
    if size < 2:
        return 0.5**size
    # below 0 by rounding only
    root = np.sqrt(np.maximum(np.diagonal(covariance), np.finfo(float).tiny))
    correlation = covariance / np.outer(root, root)
    if size < 4:
        angles = np.arcsin(np.clip(correlation[np.triu_indices(size, 1)], -1.0, 1.0))
        return float(0.5**size + angles.sum() / (2.0 ** (size - 1) * math.pi))
    return _orthant_by_lattice(np.linalg.cholesky(correlation))


def _orthant_by_lattice(factor: FloatArray) -> float:
    """Integrate over an orthant by Genz (1992, J. Comp. Graph. Stat. 1, 141-149) on a lattice."""
    size = len(factor)
    points = np.arange(1, _POINTS + 1)[:, None] * np.sqrt(_PRIMES[: size - 1])
    points = np.abs(2.0 * (points - np.floor(points)) - 1.0)
    drawn = np.zeros((_POINTS, size))
    mass = np.ones(_POINTS)
    for p in range(size):
        below = scipy.special.ndtr(-(drawn[:, :p] @ factor[p, :p]) / factor[p, p])
        mass *= 1.0 - below
        if p < size - 1:
            drawn[:, p] = scipy.special.ndtri(
                np.clip(below + points[:, p] * (1.0 - below), 1e-300, 1.0 - 1e-16)
            )
    return float(mass.mean())
