"""Draws of the parameters of a fit: what is not known about them, for forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from hawkeys._design.ties import Ties
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult, VariationalResult
from hawkeys.results.nonlinear import LinkedResult
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["draw_parameters", "draw_positive_normal", "draw_processes"]

_N_SWEEPS = 50


def draw_processes(result: Any, size: int, rng: np.random.Generator) -> list[Any]:
    """Return processes with parameters drawn by `draw_parameters`, and the kernel of the fit.

    Parameters
    ----------
    result : LikelihoodResult, VariationalResult, RectifiedResult or NonlinearResult
        A fit.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of Hawkes or NonlinearHawkes, length size
        Independent draws.

    Raises
    ------
    InvalidParameterError
        The model is a process, or a result of another kind.
    """
    if isinstance(result, LinkedResult):
        return [result.with_parameters(one) for one in _draw_signed(result, size, rng)]
    if not isinstance(result, LikelihoodResult | VariationalResult):
        raise InvalidParameterError(
            "parameter_uncertainty needs the result of a likelihood or variational fit; got "
            f"{type(result).__name__}. Pass such a result instead of its process, or leave "
            "parameter_uncertainty out."
        )
    fitted = result.process
    function, n_pieces = fitted.baseline_function, fitted.baseline_function.n_pieces
    return [
        Hawkes(
            function.with_rates(one[:, :n_pieces]),
            one[:, n_pieces:],
            kernel=fitted.kernel,
            mark_names=fitted.mark_names,
        )
        for one in draw_parameters(result, size, rng)
    ]


def draw_parameters(
    result: LikelihoodResult | VariationalResult, size: int, rng: np.random.Generator
) -> FloatArray:
    """Draw from the posterior of a variational fit, or from the asymptotic normal law of another.

    The posterior is the joint log-normal of linear response if the fit has it; what relevance
    determination switched off stays as it is.
    The normal law has the inverse of the observed information as its covariance and is truncated
    at 0. Parameters without a standard error (at the bound 0, or not identified) stay as they are.

    Parameters
    ----------
    result : LikelihoodResult or VariationalResult
        A fit.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float64, shape (size, n_marks, n_pieces + n_marks)
        Pieces of the baseline (one if it is constant), then adjacency row, of each target.
    """
    if isinstance(result, VariationalResult):
        draws = _draw_posterior(result, size, rng)
        return np.where(np.isnan(draws), result.estimates, draws)
    if result.columns is not None:
        columns = result.columns
        free = columns.used & (columns.estimates > 0)
        drawn = _draw_rows(columns.estimates, result.information, free, size, rng)
        return np.array([columns.map.parameters(one) for one in drawn])
    free = result.identified & ~result.at_bound
    return _draw_rows(result.estimates, result.information, free, size, rng)


def _draw_signed(result: LinkedResult, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw (size, n_marks, P) from the normal law; a baseline below its lowest is drawn again."""
    wide = result.estimates.shape[1]
    out = np.repeat(result.estimates[None], size, axis=0)
    for i, errors in enumerate(result.std_err):
        index = np.flatnonzero(np.isfinite(errors))
        scales, vectors = np.linalg.eigh(result.covariance[i, :wide, :wide][np.ix_(index, index)])
        root = vectors * np.sqrt(np.maximum(scales, 0.0))
        left = np.arange(size)
        for _ in range(_N_SWEEPS):
            noise = rng.standard_normal((left.size, index.size)) @ root.T
            out[left[:, None], i, index] = result.estimates[i, index] + noise
            left = left[(out[left, i] < result.lowest).any(axis=1)]
        out[left, i] = np.maximum(out[left, i], result.lowest)
    return out


def _draw_posterior(result: VariationalResult, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw each row from the joint log-normal of linear response, or from the marginals.

    What is tied to a parameter of a row before has its value, and the rest of the row is drawn
    given that.
    """
    location = result.posterior.mean
    names = _identities(result, location.shape[1] - location.shape[0])
    if result.log_covariance is None:
        draws = result.posterior.sample(size, rng=rng).reshape(size, -1)
        known = np.flatnonzero(~np.isnan(location))
        _, first, where = np.unique(names.ravel()[known], return_index=True, return_inverse=True)
        draws[:, known] = draws[:, known[first[where.ravel()]]]
        return draws.reshape(size, *location.shape)
    location, off = result.posterior.mean_log, result.switched_off
    out = np.full((size, *location.shape), np.nan)
    drawn: dict[int, FloatArray] = {}
    for i, covariance in enumerate(result.log_covariance):
        index = np.flatnonzero(np.isfinite(np.diagonal(covariance)) & ~off[i])
        given = {a: drawn[name] for a, name in enumerate(names[i, index]) if name in drawn}
        logs = _draw_normal(location[i, index], covariance[np.ix_(index, index)], given, size, rng)
        out[:, i, index] = np.exp(logs)
        drawn |= dict(zip(names[i, index].tolist(), logs.T, strict=True))
    return out


def _identities(result: VariationalResult, n_pieces: int) -> IntArray:
    """Return a number for each parameter, the same for those that are tied."""
    tied = result.options.get("tied")
    size = result.process.n_marks
    if tied is None:
        return np.arange(size * (n_pieces + size)).reshape(size, -1)
    return np.concatenate(Ties.check(tied, size).identities(n_pieces, 1), axis=1)


def _draw_normal(
    mean: FloatArray,
    covariance: FloatArray,
    given: dict[int, FloatArray],
    size: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw (size, n) from a normal law given the values (size,) of some coordinates."""
    known = np.array(list(given), dtype=np.int64)
    draws, rest = np.repeat(mean[None], size, axis=0), covariance
    if known.size:
        values = np.column_stack(list(given.values()))
        between = np.linalg.pinv(covariance[np.ix_(known, known)], rcond=1e-12, hermitian=True)
        pull = covariance[:, known] @ between
        draws += (values - mean[known]) @ pull.T
        rest = covariance - pull @ covariance[known]
    scales, vectors = np.linalg.eigh(rest)
    root = vectors * np.sqrt(np.maximum(scales, 0.0))
    draws += rng.standard_normal((size, mean.size)) @ root.T
    if known.size:
        draws[:, known] = values
    return draws


def _draw_rows(
    estimates: FloatArray,
    information: FloatArray | RowMatrices,
    free: BoolArray,
    size: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw the free entries of each row, all others held; shape (size, n_rows, n_columns)."""
    out = np.repeat(estimates[None], size, axis=0)
    for b, matrix in enumerate(information):
        index = np.flatnonzero(free[b] & (np.diagonal(matrix) > 0))
        if index.size:
            precision = matrix[np.ix_(index, index)]
            out[:, b, index] = draw_positive_normal(estimates[b, index], precision, size, rng)
    return out


def draw_positive_normal(
    mean: FloatArray, precision: FloatArray, size: int, rng: np.random.Generator
) -> FloatArray:
    """Draw from a normal law restricted to positive values, each draw by its own Gibbs sampler.

    Parameters
    ----------
    mean : ndarray of float64, shape (n,)
        Mean of the unrestricted law, where every sampler starts; positive.
    precision : ndarray of float64, shape (n, n)
        Inverse of its covariance.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float64, shape (size, n)
        The states after 50 sweeps.

    References
    ----------
    Geweke, J. (1991). Efficient simulation from the multivariate normal and Student-t distributions
    subject to linear constraints. Computing Science and Statistics 23, 571-578.
    """
    draws = np.repeat(mean[None], size, axis=0)
    spread = 1.0 / np.sqrt(np.diagonal(precision))
    for _ in range(_N_SWEEPS):
        for k in range(mean.size):
            pull = (draws - mean) @ precision[k] - precision[k, k] * (draws[:, k] - mean[k])
            centre = mean[k] - spread[k] ** 2 * pull
            # by inversion in the upper tail, in logarithms: the centre may be far below 0
            log_share = np.log1p(-rng.random(size)) + scipy.special.log_ndtr(centre / spread[k])
            draws[:, k] = np.maximum(centre - spread[k] * scipy.special.ndtri_exp(log_share), 0.0)
    return draws
