"""Deterministic variational inference, and the evidence bound shared with the stochastic form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._design.bound_rows import BoundRows
from hawkeys._loops import variational as loops
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.options import VIOptions
from hawkeys.inference.priors.row_priors import RowPriors, expected_log_half_normal, weak_prior
from hawkeys.inference.rows.ascent import INNER, Groups, Step, ascend
from hawkeys.inference.rows.bound import (
    bound_under,
    draws_for,
    raise_bound,
    second_moment,
    start_params,
)
from hawkeys.inference.rows.inclusion import inclusion_probability, switched_off
from hawkeys.inference.rows.linear_response import linear_response
from hawkeys.inference.rows.solution import Solution
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["evidence_bound", "fixed_priors", "solve_vi", "variational_solution"]

_OUTER = 0.1  # share of the tolerance: the slope in C is shallow where a group fades

_Found = tuple[FloatArray, RowPriors, FloatArray, dict[str, Any]]


def solve_vi(
    design: BoundRows,
    options: VIOptions,
    seeds: IntArray,
    *,
    keep: bool,
    start: FloatArray | None = None,
) -> Solution:
    """Raise the evidence bound of every row problem by damped Newton steps on fixed draws.

    `keep` asks for the traces, the linear-response covariances and the probabilities that what was
    switched off is on. A `start` holds locations and log scales, (n_blocks, 2, P).
    """
    draws = draws_for(design, options, int(seeds[0]))
    shared = options.relevance_determination and options.prior_sharing != "parameter"
    start = start_params(design, options) if start is None else start
    found = (_shared_coefficients if shared else _own_priors)(design, options, draws, start)
    params, priors, bound, report = found
    off = switched_off(design, params) if options.relevance_determination else None
    if keep:
        report |= _responses(design, params, priors, draws)
        if off is not None:
            # a C of its own follows its parameter, one that is shared is held
            held = priors if shared else RowPriors.half_normal(np.zeros_like(priors.rate))
            report["inclusion"] = inclusion_probability(design, options, (params, held), off, draws)
    else:
        report["traces"] = np.empty((0, 0))
    solution = variational_solution(design, params, priors, off=off, objective=bound, **report)
    if shared or not options.relevance_determination:
        return solution
    # the posterior of a parameter that is switched off is left next to 0, its estimate is 0 itself
    gone = solution.x * design.cost <= 2.0 * loops.SILENT
    return replace(solution, x=np.where(gone, 0.0, solution.x))


def _responses(
    design: BoundRows, params: FloatArray, priors: RowPriors, draws: FloatArray
) -> dict[str, FloatArray]:
    """Return the linear-response covariances by the names of `Solution`."""
    found = linear_response(priors.charged(design), params, priors.terms, draws)
    return dict(zip(("log_covariance", "covariance"), found, strict=True))


def fixed_priors(design: BoundRows, options: VIOptions) -> RowPriors:
    """Return the priors that do not depend on the posterior: half-normal, or the default."""
    if options.prior_coefficient is not None:
        return RowPriors.half_normal(np.full(design.cost.shape, options.prior_coefficient))
    nothing = RowPriors.half_normal(np.zeros(design.cost.shape))
    shape, rate = weak_prior(design, options.likelihood_weight)
    return nothing.with_gamma(shape, rate, np.ones(shape.shape, dtype=bool))


def _own_priors(
    design: BoundRows, options: VIOptions, draws: FloatArray, start: FloatArray
) -> _Found:
    """Solve with every prior fixed, or every C at its own optimum; return bounds and report."""
    if options.relevance_determination:
        priors = RowPriors.half_normal(np.zeros(design.cost.shape))
    else:
        priors = fixed_priors(design, options)
    charged = priors.charged(design)
    params, report, traces = raise_bound(charged, options, priors.terms, draws, start)
    if options.relevance_determination:
        priors = RowPriors.half_normal(2.0 * second_moment(params))
    bound = bound_under(design, params, priors.expected_log(params), draws)
    steps = report[:, 2].astype(np.int64)
    last = np.maximum(steps - 1, 0)[:, None]
    shift = bound[:, None] - np.take_along_axis(traces, last, axis=1)
    return params, priors, bound, {**_outcome(design, options, report), "traces": traces + shift}


def _shared_coefficients(
    design: BoundRows, options: VIOptions, draws: FloatArray, start: FloatArray
) -> _Found:
    """Solve with C shared within groups, each at its optimum, the mean of 2 E theta^2."""
    used = design.cost > 0
    groups = Groups.build(options.prior_sharing, design, common=False)
    inner = replace(options, tolerance=INNER * options.tolerance)

    def optimum(params: FloatArray) -> FloatArray:
        best = np.log(groups.mean(2.0 * second_moment(params), used))
        return np.where(np.isfinite(best), best, 0.0)  # of groups that nothing identifies

    def priors_at(point: FloatArray) -> RowPriors:
        return RowPriors.half_normal(np.exp(point)[groups.labels])

    def step(point: FloatArray, state: Any) -> Step:
        priors = priors_at(point)
        params, report, _ = raise_bound(design, inner, priors.terms, draws, state[0])
        bound = bound_under(design, params, priors.expected_log(params), draws)
        slope = groups.total(second_moment(params) / priors.terms[:, 0] - 0.5, used)
        return Step((params, report, bound), float(bound.sum()), slope, optimum(params))

    tolerance = _OUTER * options.tolerance * design.n_blocks
    end = ascend(step, optimum(start), (start,), tolerance=tolerance)
    params, report, bound = end.state
    outcome = _outcome(design, options, report)
    outcome["converged"] &= end.converged
    outcome["n_iterations"] = np.full(design.n_blocks, end.trace.size)
    # only the sum over blocks is known, and only it is read
    outcome["traces"] = np.tile(end.trace / design.n_blocks, (design.n_blocks, 1))
    return params, priors_at(end.point), bound, outcome


def _outcome(design: BoundRows, options: VIOptions, report: FloatArray) -> dict[str, Any]:
    """Return what the compiled code reports, by the names of `Solution`."""
    return {
        "gap": report[:, 1],
        "converged": report[:, 1] <= options.tolerance * (design.cost.shape[1] + 1),
        "n_iterations": report[:, 2].astype(np.int64),
    }


def variational_solution(
    design: BoundRows,
    params: FloatArray,
    priors: RowPriors | None = None,
    *,
    known: BoolArray | None = None,
    off: BoolArray | None = None,
    **report: Any,
) -> Solution:
    """Wrap locations and log scales (n_blocks, 2, P) into a Solution; the point is the mean.

    `known` (n_blocks, P) says which parameters have a posterior. Default: the identified ones.
    `off` says which of them relevance determination switched off.
    """
    identified = design.cost > 0
    known = identified if known is None else known
    location = np.where(known, params[:, 0], np.nan)
    scale = np.where(known, np.exp(params[:, 1]), np.nan)
    posterior = LogNormalPosterior(location, scale, off)
    coefficient = np.full(identified.shape, np.nan)
    if priors is not None:
        coefficient = np.where(identified & (priors.terms[:, 2] == 0), priors.terms[:, 0], np.nan)
    return Solution(
        x=np.where(known, posterior.mean, 0.0),
        identified=identified,
        posterior=posterior,
        prior_coefficient=coefficient,
        prior=None if priors is None else priors.gamma(identified),
        **report,
    )


def evidence_bound(
    design: BoundRows, params: FloatArray, coefficient: FloatArray, draws: FloatArray
) -> FloatArray:
    """Return the bound of every row problem under half-normal priors; see `bound_under`."""
    log_prior = expected_log_half_normal(np.where(design.cost > 0, coefficient, 1.0), params)
    return bound_under(design, params, log_prior, draws)
