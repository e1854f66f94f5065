"""Linear-response covariances of deterministic variational inference."""

from __future__ import annotations

import numpy as np

from hawkeys._design.bound_rows import BoundRows
from hawkeys._typing import FloatArray

__all__ = ["linear_response"]


def linear_response(
    design: BoundRows, params: FloatArray, prior: FloatArray, draws: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""Return the covariances of log-parameters and of parameters, each (n_blocks, P, P).

    With F the bound at its optimum in :math:`\eta = (a, b)`, the posterior mean m(eta) of any
    quantity answers to a small tilt :math:`F + t\,m` as

    .. math:: \frac{dm}{dt} = \nabla m^\top (-\nabla^2 F)^{-1} \nabla m,

    which for an exact posterior is its variance. For log-parameters m is a; for parameters it is
    :math:`\exp(a + s^2 / 2)`. The prior is held as it is. NaN for what is not identified, and for
    rows whose second derivatives are not those of a maximum.

    References
    ----------
    Giordano, R., Broderick, T. and Jordan, M. I. (2018). Covariances, robustness, and variational
    Bayes. JMLR 19(51), theorem 1. arXiv:1709.02536
    """
    curvature = design.bound_curvature(prior, draws, params)
    size = design.cost.shape[1]
    log_covariance = np.full((design.n_blocks, size, size), np.nan)
    covariance = np.full_like(log_covariance, np.nan)
    for block, matrix in enumerate(curvature):
        used = np.flatnonzero(design.cost[block] > 0)
        both = np.concatenate((used, used + size))
        inverse = _inverse(matrix[np.ix_(both, both)])
        square = np.exp(2.0 * params[block, 1, used])
        mean = np.exp(params[block, 0, used] + 0.5 * square)
        slope = np.hstack((np.diag(mean), np.diag(mean * square)))
        where = np.ix_(used, used)
        log_covariance[block][where] = inverse[: used.size, : used.size]
        covariance[block][where] = slope @ inverse @ slope.T
    return log_covariance, covariance


def _inverse(matrix: FloatArray) -> FloatArray:
    """Return the inverse of a positive definite matrix, NaN for any other."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    try:
        factor = np.linalg.cholesky(matrix * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)
    half = np.linalg.solve(factor, np.diag(scale))
    return np.asarray(half.T @ half)
