"""Deterministic variational inference, and the evidence bound shared with the stochastic form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._jit import variational as jit
from hawkeys._typing import FloatArray, IntArray
from hawkeys.inference.linear_response import linear_response
from hawkeys.inference.options import VIOptions
from hawkeys.inference.solution import Solution
from hawkeys.posterior import LogNormalPosterior

__all__ = [
    "base_draws",
    "evidence_bound",
    "raise_bound",
    "solve_vi",
    "start_params",
    "variational_solution",
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


def solve_vi(design: Design, options: VIOptions, seeds: IntArray, *, keep: bool) -> Solution:
    """Raise the evidence bound of every row problem by damped Newton steps on fixed draws.

    `keep` asks for the traces and the linear-response covariances.
    """
    size = design.cost.shape[1]
    draws = base_draws(options.n_draws or max(32, 4 * size), size, int(seeds[0]))
    fixed = 0.0 if options.relevance_determination else options.prior_coefficient
    prior = np.zeros((design.n_blocks, 3, size))
    prior[:, 0] = fixed
    params, report, traces = raise_bound(
        design, options, prior, draws, start_params(design, options)
    )
    location, scale = params[:, 0], np.exp(params[:, 1])
    coefficient = np.full_like(location, fixed)
    if not fixed:
        coefficient = prior[:, 0] = 2.0 * np.exp(2.0 * location + 2.0 * scale**2)
    bound = evidence_bound(design, params, coefficient, draws)
    last = np.maximum(report[:, 2].astype(np.int64) - 1, 0)
    shift = bound - np.take_along_axis(traces, last[:, None], axis=1)[:, 0]
    log_covariance, covariance = (
        linear_response(design, params, prior, draws) if keep else (None, None)
    )
    return variational_solution(
        design,
        params,
        coefficient,
        objective=bound,
        gap=report[:, 1],
        converged=report[:, 1] <= options.tolerance * (size + 1),
        n_iterations=report[:, 2].astype(np.int64),
        traces=traces + shift[:, None] if keep else np.empty((0, 0)),
        log_covariance=log_covariance,
        covariance=covariance,
    )


def raise_bound(
    design: Design, options: VIOptions, prior: FloatArray, draws: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return locations and log scales, report and traces; see `raise_rows`."""
    return jit.raise_rows(
        design.excitation,
        design.weights,
        design.offsets,
        design.cost,
        prior,
        draws,
        start,
        np.array([options.tolerance, options.max_iter]),
    )


def variational_solution(
    design: Design, params: FloatArray, coefficient: FloatArray, **report: Any
) -> Solution:
    """Wrap locations and log scales (n_blocks, 2, P) into a Solution; the point is the mean."""
    identified = design.cost > 0
    location = np.where(identified, params[:, 0], np.nan)
    scale = np.where(identified, np.exp(params[:, 1]), np.nan)
    posterior = LogNormalPosterior(location, scale)
    return Solution(
        x=np.where(identified, posterior.mean, 0.0),
        identified=identified,
        posterior=posterior,
        prior_coefficient=np.where(identified, coefficient, np.nan),
        **report,
    )


def evidence_bound(
    design: Design, params: FloatArray, coefficient: FloatArray, draws: FloatArray
) -> FloatArray:
    """Return the bound of every row problem, in nats, constants included.

    E_q[log L] + E_q[log prior] + entropy of q, with the expected log intensities averaged over
    `draws` and all else in closed form; unidentified parameters add nothing.
    """
    used = design.cost > 0
    location, log_scale = params[:, 0], params[:, 1]
    square = np.exp(2.0 * log_scale)
    scale_c = np.where(used, coefficient, 1.0)
    mean = np.exp(np.where(used, location, 0.0) + 0.5 * square)
    log_prior = (
        -np.exp(2.0 * location + 2.0 * square) / scale_c
        + math.log(2.0)
        - 0.5 * np.log(math.pi * scale_c)
    )
    entropy = location + log_scale + _ENTROPY
    terms = np.where(used, log_prior + entropy - design.cost * mean, 0.0)
    silenced = np.stack((np.where(used, location, -700.0), np.where(used, log_scale, -5.0)), 1)
    expected = jit.expected_log_rows(
        design.excitation, design.weights, design.offsets, draws, silenced
    )
    return expected + terms.sum(axis=1)


def start_params(design: Design, options: VIOptions) -> FloatArray:
    """Start every coordinate with an equal share of the events, whatever the unit of time."""
    size = design.cost.shape[1]
    share = options.likelihood_weight * np.maximum(design.counts, 1)[:, None] / size
    location = np.log(share / np.where(design.cost > 0, design.cost, 1.0))
    return np.stack((location, np.full_like(location, math.log(_START_SCALE))), axis=1)
