"""Deterministic variational inference, and the evidence bound shared with the stochastic form."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._loops import variational as loops
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.ascent import INNER, Groups, Step, ascend
from hawkeys.inference.linear_response import linear_response
from hawkeys.inference.options import VIOptions
from hawkeys.inference.solution import Solution
from hawkeys.results.posterior import LogNormalPosterior

__all__ = [
    "base_draws",
    "bound_under",
    "draws_for",
    "evidence_bound",
    "raise_bound",
    "second_moment",
    "solve_vi",
    "start_params",
    "variational_solution",
]

_START_SCALE = 0.3
_OUTER = 0.1  # share of the tolerance: the slope in C is shallow where a group fades
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
    draws = draws_for(design, options, int(seeds[0]))
    shared = options.relevance_determination and options.prior_sharing != "parameter"
    if shared:
        found = _shared_coefficients(design, options, draws)
    else:
        found = _own_coefficients(design, options, draws)
    params, prior, bound, report = found
    if keep:
        log_covariance, covariance = linear_response(design, params, prior, draws)
        report |= {"log_covariance": log_covariance, "covariance": covariance}
    else:
        report["traces"] = np.empty((0, 0))
    solution = variational_solution(design, params, prior[:, 0], objective=bound, **report)
    if shared or not options.relevance_determination:
        return solution
    # the posterior of a parameter that is switched off is left next to 0, its estimate is 0 itself
    off = solution.x * design.cost <= 2.0 * loops.SILENT
    return replace(solution, x=np.where(off, 0.0, solution.x))


def draws_for(design: Design, options: VIOptions, seed: int) -> FloatArray:
    """Return the base draws that the options ask for."""
    size = design.cost.shape[1]
    return base_draws(options.n_draws or max(32, 4 * size), size, seed)


def _own_coefficients(
    design: Design, options: VIOptions, draws: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, dict[str, Any]]:
    """Solve with every C fixed, or at its own optimum; return params, prior, bounds, report."""
    prior = np.zeros((design.n_blocks, 3, design.cost.shape[1]))
    if not options.relevance_determination:
        prior[:, 0] = options.prior_coefficient
    start = start_params(design, options)
    params, report, traces = raise_bound(design, options, prior, draws, start)
    if options.relevance_determination:
        prior[:, 0] = 2.0 * second_moment(params)
    bound = evidence_bound(design, params, prior[:, 0], draws)
    steps = report[:, 2].astype(np.int64)
    last = np.maximum(steps - 1, 0)[:, None]
    shift = bound[:, None] - np.take_along_axis(traces, last, axis=1)
    return params, prior, bound, {**_outcome(design, options, report), "traces": traces + shift}


def _shared_coefficients(
    design: Design, options: VIOptions, draws: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, dict[str, Any]]:
    """Solve with C shared within groups, each at its optimum, the mean of 2 E theta^2."""
    used = design.cost > 0
    groups = Groups.build(options.prior_sharing, design, common=False)
    inner = replace(options, tolerance=INNER * options.tolerance)

    def optimum(params: FloatArray) -> FloatArray:
        best = np.log(groups.mean(2.0 * second_moment(params), used))
        return np.where(np.isfinite(best), best, 0.0)  # of groups that nothing identifies

    def prior_at(point: FloatArray) -> FloatArray:
        prior = np.zeros((design.n_blocks, 3, design.cost.shape[1]))
        prior[:, 0] = np.exp(point)[groups.labels]
        return prior

    def step(point: FloatArray, state: Any) -> Step:
        prior = prior_at(point)
        params, report, _ = raise_bound(design, inner, prior, draws, state[0])
        bound = evidence_bound(design, params, prior[:, 0], draws)
        slope = groups.total(second_moment(params) / prior[:, 0] - 0.5, used)
        return Step((params, report, bound), float(bound.sum()), slope, optimum(params))

    start = start_params(design, options)
    tolerance = _OUTER * options.tolerance * design.n_blocks
    end = ascend(step, optimum(start), (start,), tolerance=tolerance)
    params, report, bound = end.state
    outcome = _outcome(design, options, report)
    outcome["converged"] &= end.converged
    outcome["n_iterations"] = np.full(design.n_blocks, end.trace.size)
    # only the sum over blocks is known, and only it is read
    outcome["traces"] = np.tile(end.trace / design.n_blocks, (design.n_blocks, 1))
    return params, prior_at(end.point), bound, outcome


def _outcome(design: Design, options: VIOptions, report: FloatArray) -> dict[str, Any]:
    """Return what the compiled code reports, by the names of `Solution`."""
    return {
        "gap": report[:, 1],
        "converged": report[:, 1] <= options.tolerance * (design.cost.shape[1] + 1),
        "n_iterations": report[:, 2].astype(np.int64),
    }


def second_moment(params: FloatArray) -> FloatArray:
    """Return E theta^2 of locations and log scales (n_blocks, 2, P)."""
    return np.asarray(np.exp(2.0 * params[:, 0] + 2.0 * np.exp(2.0 * params[:, 1])))


def raise_bound(
    design: Design, options: VIOptions, prior: FloatArray, draws: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return locations and log scales, report and traces; see `raise_rows`."""
    return loops.raise_rows(
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
    design: Design,
    params: FloatArray,
    coefficient: FloatArray,
    *,
    known: BoolArray | None = None,
    **report: Any,
) -> Solution:
    """Wrap locations and log scales (n_blocks, 2, P) into a Solution; the point is the mean.

    `known` (n_blocks, P) says which parameters have a posterior. Default: the identified ones.
    """
    identified = design.cost > 0
    known = identified if known is None else known
    location = np.where(known, params[:, 0], np.nan)
    scale = np.where(known, np.exp(params[:, 1]), np.nan)
    posterior = LogNormalPosterior(location, scale)
    return Solution(
        x=np.where(known, posterior.mean, 0.0),
        identified=identified,
        posterior=posterior,
        prior_coefficient=np.where(identified, coefficient, np.nan),
        **report,
    )


def evidence_bound(
    design: Design, params: FloatArray, coefficient: FloatArray, draws: FloatArray
) -> FloatArray:
    """Return the bound of every row problem under half-normal priors; see `bound_under`."""
    scale_c = np.where(design.cost > 0, coefficient, 1.0)
    log_prior = -second_moment(params) / scale_c + math.log(2.0) - 0.5 * np.log(math.pi * scale_c)
    return bound_under(design, params, log_prior, draws)


def bound_under(
    design: Design, params: FloatArray, log_prior: FloatArray, draws: FloatArray
) -> FloatArray:
    """Return the bound of every row problem, in nats, constants included.

    E_q[log L] + E_q[log prior] + entropy of q, with the expected log intensities averaged over
    `draws` and all else in closed form; `log_prior` holds the expected log prior of each parameter
    (n_blocks, P). Unidentified parameters add nothing.
    """
    used = design.cost > 0
    location, log_scale = params[:, 0], params[:, 1]
    mean = np.exp(np.where(used, location, 0.0) + 0.5 * np.exp(2.0 * log_scale))
    entropy = location + log_scale + _ENTROPY
    terms = np.where(used, log_prior + entropy - design.cost * mean, 0.0)
    silenced = np.stack((np.where(used, location, -700.0), np.where(used, log_scale, -5.0)), 1)
    expected = loops.expected_log_rows(
        design.excitation, design.weights, design.offsets, draws, silenced
    )
    return expected + terms.sum(axis=1)


def start_params(design: Design, options: VIOptions) -> FloatArray:
    """Start every coordinate with an equal share of the events, whatever the unit of time."""
    size = design.cost.shape[1]
    share = options.likelihood_weight * np.maximum(design.counts, 1)[:, None] / size
    location = np.log(share / np.where(design.cost > 0, design.cost, 1.0))
    return np.stack((location, np.full_like(location, math.log(_START_SCALE))), axis=1)
