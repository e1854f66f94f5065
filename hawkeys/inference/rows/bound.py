"""The evidence bound of row problems under independent log-normal posteriors."""

from __future__ import annotations

import math

import numpy as np

from hawkeys._design.bound_rows import BoundRows
from hawkeys._typing import FloatArray
from hawkeys.inference.options import VIOptions

__all__ = [
    "base_draws",
    "bound_under",
    "draws_for",
    "own_terms",
    "raise_bound",
    "second_moment",
    "start_params",
]

_START_SCALE = 0.3
_ENTROPY = 0.5 * math.log(2.0 * math.pi * math.e)


def base_draws(n_draws: int, size: int, seed: int) -> FloatArray:
    """Return antithetic standard-normal draws, shape (n, size), whose covariance is exactly I.

    Pairs (e, -e) make every odd moment exact, and the whitening every second one; it needs more
    pairs than coordinates, so that n is at least ``2 * size + 2``.
    """
    half = max((n_draws + 1) // 2, size + 1)
    draws = np.random.default_rng(seed).standard_normal((half, size))
    factor = np.linalg.cholesky(draws.T @ draws / half)
    white = np.linalg.solve(factor, draws.T).T
    return np.ascontiguousarray(np.concatenate((white, -white)))


def draws_for(design: BoundRows, options: VIOptions, seed: int) -> FloatArray:
    """Return the base draws that the options ask for."""
    size = design.cost.shape[1]
    return base_draws(options.n_draws or max(32, 4 * size), size, seed)


def start_params(design: BoundRows, options: VIOptions) -> FloatArray:
    """Start every coordinate with an equal share of the events, whatever the unit of time."""
    size = design.cost.shape[1]
    share = options.likelihood_weight * np.maximum(design.counts, 1)[:, None] / size
    location = np.log(share / np.where(design.cost > 0, design.cost, 1.0))
    return np.stack((location, np.full_like(location, math.log(_START_SCALE))), axis=1)


def second_moment(params: FloatArray) -> FloatArray:
    """Return E theta^2 of locations and log scales (n_blocks, 2, P)."""
    return np.asarray(np.exp(2.0 * params[:, 0] + 2.0 * np.exp(2.0 * params[:, 1])))


def raise_bound(
    design: BoundRows, options: VIOptions, prior: FloatArray, draws: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return locations and log scales, report and traces; see `raise_rows`."""
    return design.raise_bound(prior, draws, start, (options.tolerance, options.max_iter))


def bound_under(
    design: BoundRows, params: FloatArray, log_prior: FloatArray, draws: FloatArray
) -> FloatArray:
    """Return the bound of every row problem, in nats, constants included.

    E_q[log L] + E_q[log prior] + entropy of q, with the expected log intensities averaged over
    `draws` and all else in closed form; `log_prior` holds the expected log prior of each parameter
    (n_blocks, P). Unidentified parameters add nothing.
    """
    used = design.cost > 0
    location, log_scale = params[:, 0], params[:, 1]
    silenced = np.stack((np.where(used, location, -700.0), np.where(used, log_scale, -5.0)), 1)
    return design.expected_log(draws, silenced) + own_terms(design, params, log_prior).sum(axis=1)


def own_terms(design: BoundRows, params: FloatArray, log_prior: FloatArray) -> FloatArray:
    """Return what each parameter alone adds to the bound, (n_blocks, P): prior, entropy, cost.

    Parameters
    ----------
    design : Design or other BoundRows
        The row problems.
    params : ndarray, shape (n_blocks, 2, P)
        Locations and log scales.
    log_prior : ndarray, shape (n_blocks, P)
        Expected log prior densities.

    Returns
    -------
    ndarray of float64
        In nats; 0 for unidentified parameters.
    """
    used = design.cost > 0
    location, log_scale = params[:, 0], params[:, 1]
    mean = np.exp(np.where(used, location, 0.0) + 0.5 * np.exp(2.0 * log_scale))
    entropy = location + log_scale + _ENTROPY
    return np.where(used, log_prior + entropy - design.cost * mean, 0.0)
