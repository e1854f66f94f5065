"""Turns solutions by column into solutions by parameter, for models that are not the plain one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.rows.solution import Solution
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["in_parameters"]


def in_parameters(solution: Solution, columns: FittedColumns) -> Solution:
    """Return a solution of row problems by target mark: baseline pieces, then adjacency row.

    A pair with several components is their sum. Its marginal is the log-normal distribution with
    the mean and variance of the sum (Fenton 1960); it has no prior coefficient (NaN). The
    information stays that of the columns.

    References
    ----------
    Fenton, L. F. (1960). The sum of log-normal probability distributions in scatter transmission
    systems. IRE Transactions on Communications Systems 8(1), 57-67.
    doi:10.1109/TCOM.1960.1097606
    """
    where = columns.map
    if solution.information is not None:
        identified = columns.identified(np.asarray(solution.information))
    else:
        identified = where.any_of(solution.identified)
    changed = replace(
        solution,
        x=where.parameters(solution.x),
        identified=identified,
        converged=solution.converged[where.blocks],
    )
    if solution.posterior is None:
        return changed
    posterior = _marginals(where, solution.posterior, identified)
    covariance = _matrices(where, solution.covariance, identified)
    log_covariance = _matrices(where, solution.log_covariance, identified)
    coefficient = solution.prior_coefficient
    if coefficient is not None:
        coefficient = where.parameters(coefficient)
    if where.n_components > 1:
        if coefficient is not None:
            coefficient[:, where.n_pieces :] = np.nan
        log_covariance = None  # sums have no covariance of logarithms but by their moments
        if covariance is not None:
            mean = posterior.mean
            log_covariance = np.log1p(covariance / (mean[:, :, None] * mean[:, None, :]))
    return replace(
        changed,
        posterior=posterior,
        prior_coefficient=coefficient,
        prior=_prior_of_one(where, solution.prior),
        inclusion=None if solution.inclusion is None else _of_one(where, solution.inclusion),
        covariance=covariance,
        log_covariance=log_covariance,
    )


def _prior_of_one(where: ColumnMap, prior: GammaPosterior | None) -> GammaPosterior | None:
    if prior is None:
        return None
    return GammaPosterior(_of_one(where, prior.shape), _of_one(where, prior.rate))


def _of_one(where: ColumnMap, values: FloatArray) -> FloatArray:
    """Return values of columns by parameter; NaN for pairs of several columns."""
    out = where.parameters(values)
    if where.n_components > 1:
        out[:, where.n_pieces :] = np.nan
    return out


def _switched_off(where: ColumnMap, posterior: LogNormalPosterior) -> BoolArray | None:
    """Return which parameters have no column left that is on."""
    off = posterior.switched_off
    if off is None:
        return None
    return where.any_of(off) & ~where.any_of(~off & ~np.isnan(posterior.location))


def _marginals(
    where: ColumnMap, posterior: LogNormalPosterior | GammaPosterior, identified: BoolArray
) -> LogNormalPosterior | GammaPosterior:
    """Return marginals of the parameters of the same family, matched in mean and variance."""
    if isinstance(posterior, GammaPosterior):
        return _gamma_marginals(where, posterior, identified)
    if where.n_components == 1:
        location, scale = (where.parameters(part) for part in (posterior.location, posterior.scale))
    else:
        mean = where.parameters(np.nan_to_num(posterior.mean))
        variance = where.parameters(np.nan_to_num(posterior.sd) ** 2)
        safe = np.where(identified, mean, 1.0)
        square = np.log1p(variance / safe**2)
        location, scale = np.log(safe) - 0.5 * square, np.sqrt(square)
    blank = np.where(identified, 0.0, np.nan)
    off = _switched_off(where, posterior)
    return LogNormalPosterior(location + blank, scale + blank, off)


def _gamma_marginals(
    where: ColumnMap, posterior: GammaPosterior, identified: BoolArray
) -> GammaPosterior:
    blank = np.where(identified, 1.0, np.nan)
    mean = where.parameters(np.nan_to_num(posterior.mean)) * blank
    variance = where.parameters(np.nan_to_num(posterior.sd) ** 2) * blank
    return GammaPosterior(mean**2 / variance, mean / variance)


def _matrices(
    where: ColumnMap, covariance: FloatArray | None, identified: BoolArray
) -> FloatArray | None:
    """Return the covariance of each target's parameters, NaN where not identified."""
    if covariance is None:
        return None
    known = np.nan_to_num(covariance)
    maps = [where.matrix(i) for i in range(len(where.blocks))]
    out = np.array([m @ known[b] @ m.T for m, b in zip(maps, where.blocks, strict=True)])
    out[~(identified[:, :, None] & identified[:, None, :])] = np.nan
    return out
