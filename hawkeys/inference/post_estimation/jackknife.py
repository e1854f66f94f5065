"""How posterior means change with the weight of each realisation: the infinitesimal jackknife."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import numpy as np
import scipy

from hawkeys._design import Design
from hawkeys._loops import variational as loops
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.methods import row_seeds
from hawkeys.inference.options import VIOptions
from hawkeys.inference.post_estimation.fitted_rows import columns_of, rows_again
from hawkeys.inference.priors.row_priors import RowPriors
from hawkeys.inference.rows.ascent import Groups
from hawkeys.inference.rows.bound import draws_for, second_moment
from hawkeys.inference.rows.branching import shared_events
from hawkeys.inference.rows.variational import fixed_priors, solve_vi
from hawkeys.results import VariationalResult
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["posterior_influence"]

# nats to which the optimum is found again
_TOLERANCE = 1e-10
_TILE = 1024


def posterior_influence(fit: VariationalResult, events: Events) -> FloatArray:
    """Return the derivatives of the posterior means by the logarithms of realisations' weights.

    Parameters
    ----------
    fit : VariationalResult
        By "vi", "vi_stochastic" or "vi_branching".
    events : Events
        Its events.

    Returns
    -------
    ndarray of float64, shape (n_realizations, n_marks, P)
        Baseline pieces, then adjacency row, of each target; 0 for what does not move.

    Raises
    ------
    InvalidParameterError
        The second derivatives at the optimum are not those of a maximum.
    """
    where, posterior = columns_of(fit).map, (fit.column_posterior or fit).posterior
    if isinstance(posterior, GammaPosterior):
        each = _of_branching(fit, posterior, events)
    else:
        each = _of_log_normal(fit, posterior, events)
    out = [each[:, b] @ where.matrix(i).T for i, b in enumerate(where.blocks.tolist())]
    return np.stack(out, axis=1)


def _of_branching(fit: VariationalResult, posterior: GammaPosterior, events: Events) -> FloatArray:
    """Return the derivatives by column, (n_realizations, n_blocks, P).

    With m = E log theta = digamma(a) - log b, N(m) the expected children and S = dN/dm, the shapes
    a = g + N answer to a weight that adds n to N and c to the rates b as da = S dm + n.
    """
    design, separate = rows_again(fit, events), rows_again(fit, events, separate=True)
    out = np.zeros((events.n_realizations, *posterior.shape.shape))
    for b in range(design.n_blocks):
        shape, rate = posterior.shape[b], posterior.rate[b]
        used = ~np.isnan(shape)
        e = np.where(used, np.exp(np.where(used, posterior.mean_log[b], 0.0)), 0.0)
        counts, products = shared_events(design, b, e)
        move = (np.diag(counts) - products)[np.ix_(used, used)]
        blocks = range(b, separate.n_blocks, design.n_blocks)
        added = np.array([_children(separate, k, e) for k in blocks])[:, used]
        cost = separate.cost[blocks.start :: design.n_blocks][:, used] / rate[used]
        bend = move * scipy.special.polygamma(1, shape[used])
        shapes = np.linalg.solve(np.eye(len(move)) - bend, (added - cost @ move).T).T
        out[:, b, used] = (shapes - shape[used] * cost) / rate[used]
    return out


def _children(design: Design, block: int, e: FloatArray) -> FloatArray:
    """Return the expected children of each column in one block, (P,)."""
    shares = design.rows(block) * e[:, None]
    return np.asarray((shares / shares.sum(axis=0)) @ design.event_weights(block))


def _of_log_normal(
    fit: VariationalResult, posterior: LogNormalPosterior, events: Events
) -> FloatArray:
    """Return the derivatives by column, (n_realizations, n_blocks, P).

    With F the evidence bound in eta = (location, log scale), an optimum answers to what adds u to
    the slopes of F as (minus the second derivatives of F)^-1 u.
    """
    options = _options(fit)
    weight = options.likelihood_weight
    design = rows_again(fit, events, weight=weight)
    separate = rows_again(fit, events, separate=True, weight=weight)
    draws = draws_for(design, options, int(row_seeds(0, design.n_blocks)[0]))
    params, live, priors = _optimum(posterior, design, options)
    square = np.exp(2.0 * params[:, 1])
    mean = np.exp(params[:, 0] + 0.5 * square)
    slopes = _slopes(separate, params, live, draws)
    if options.prior_coefficient is None and not options.relevance_determination:
        rates = _rate_answers(design, separate, priors.rate, weight)
        slopes[..., 0, :] -= rates * mean
        slopes[..., 1, :] -= rates * mean * square
    curvature = loops.curvature_rows(
        design.excitation,
        design.weights,
        design.offsets,
        priors.charged(design).cost,
        priors.terms,
        draws,
        params,
    )
    moved = _answers(curvature, slopes, live, _ties(design, options, params, priors))
    return np.asarray(mean * (moved[..., 0, :] + square * moved[..., 1, :]) * live)


def _options(fit: VariationalResult) -> VIOptions:
    """Return the options of deterministic inference with the bound of the fit."""
    given = fit.options
    if fit.method == "vi":
        chosen = {f.name: given[f.name] for f in fields(VIOptions) if f.name in given}
        return VIOptions(**{**chosen, "tolerance": _TOLERANCE})
    determined = bool(given["relevance_determination"])
    return VIOptions(
        likelihood_weight=given["likelihood_weight"],
        relevance_determination=determined,
        prior_coefficient=None if determined else given["prior_coefficient"],
        tolerance=_TOLERANCE,
    )


def _optimum(
    posterior: LogNormalPosterior, design: Design, options: VIOptions
) -> tuple[FloatArray, BoolArray, RowPriors]:
    """Return the optimum near a posterior, what is not 0 there, and the priors.

    The optimum is locations and log scales, (n_blocks, 2, P).
    """
    seeds = row_seeds(0, design.n_blocks)
    found = solve_vi(design, options, seeds, keep=False, start=_params(posterior))
    params = _params(cast("LogNormalPosterior", found.posterior))
    live = (design.cost > 0.0) & (found.x > 0.0)
    priors = fixed_priors(design, options)
    if options.relevance_determination:
        coefficient = np.zeros(design.cost.shape)  # at its optimum, whatever that is
        if options.prior_sharing != "parameter":
            coefficient = np.nan_to_num(cast("FloatArray", found.prior_coefficient))
        priors = RowPriors.half_normal(coefficient)
    return params, live, priors


def _params(posterior: LogNormalPosterior) -> FloatArray:
    """Return locations and log scales, (n_blocks, 2, P), 0 where there is no posterior."""
    both = np.stack((posterior.location, np.log(posterior.scale)), axis=1)
    return np.ascontiguousarray(np.nan_to_num(both))


def _slopes(design: Design, params: FloatArray, live: BoolArray, draws: FloatArray) -> FloatArray:
    """Return the slopes of each realisation's part of the bound by location and log scale.

    `design` has blocks for each realisation; (n_realizations, n_blocks, 2, P), 0 where not live.
    """
    n_blocks = len(params)
    out = np.zeros((design.n_blocks, *params.shape[1:]))
    for k in range(design.n_blocks):
        own = live[k % n_blocks]
        location, log_scale = params[k % n_blocks][:, own]
        shock = np.exp(log_scale)[:, None] * draws.T[own]
        theta = np.exp(location[:, None] + shock)
        basis, weights = design.rows(k)[own], design.event_weights(k)
        pull = np.zeros(theta.shape)
        for begin in range(0, weights.size, _TILE):
            part = slice(begin, begin + _TILE)
            intensity = theta.T @ basis[:, part]
            pull += theta * (basis[:, part] @ (weights[part] / intensity).T)
        square = np.exp(2.0 * log_scale)
        spent = design.cost[k, own] * np.exp(location + 0.5 * square)
        out[k, 0, own] = pull.mean(axis=1) - spent
        out[k, 1, own] = (pull * shock).mean(axis=1) - spent * square
    return out.reshape(-1, *params.shape)


def _rate_answers(design: Design, separate: Design, rate: FloatArray, weight: float) -> FloatArray:
    """Return how the rates of the default priors answer to weights, (n_realizations, n_blocks, P).

    Those of baselines are time over events (see `weak_prior`), the others are held.
    """
    n_baselines = design.n_baselines
    time = separate.cost[:, :n_baselines].sum(axis=1).reshape(-1, design.n_blocks)
    amount = np.array([separate.event_weights(k).sum() for k in range(separate.n_blocks)])
    amount = amount.reshape(time.shape)
    total = amount.sum(axis=0)
    of_events = np.where(total > 0.0, rate[:, 0] * amount, 0.0)
    out = np.zeros((*time.shape, design.cost.shape[1]))
    answer = (time - of_events) / np.where(total > 0.0, total, weight)
    out[..., :n_baselines] = answer[..., None]
    return out


def _ties(
    design: Design, options: VIOptions, params: FloatArray, priors: RowPriors
) -> FloatArray | None:
    """Return what prior variances that are shared take off the curvature, or None.

    Columns u, (n_blocks * 2 P, n_groups), of which u u' is to be subtracted: the bound maximised
    over log C of a group of n parameters, whose second derivative is -n / 2 at the optimum.
    """
    if not options.relevance_determination or options.prior_sharing == "parameter":
        return None
    used = design.cost > 0
    groups = Groups.build(options.prior_sharing, design, common=False)
    sizes = groups.total(np.ones(used.shape), used)
    ratio = np.where(used, second_moment(params) / np.where(used, priors.terms[:, 0], 1.0), 0.0)
    by_location = 2.0 * ratio
    by_scale = 2.0 * np.exp(2.0 * params[:, 1]) * ratio
    both = np.stack((by_location, by_scale), axis=1)
    member = groups.labels[:, None, :, None] == np.arange(groups.n)
    scale = np.sqrt(2.0 / np.maximum(sizes, 1.0))
    return np.asarray((both[..., None] * member * scale).reshape(-1, groups.n))


def _answers(
    curvature: FloatArray, slopes: FloatArray, live: BoolArray, ties: FloatArray | None
) -> FloatArray:
    """Return how an optimum answers to slopes (n_realizations, n_blocks, 2, P), of that shape."""
    given = slopes.reshape(len(slopes), len(live), -1)
    out = _solve(curvature, given, live)
    if ties is not None:  # the inverse of a matrix less u u' (Woodbury)
        through = ties.T.reshape(-1, len(live), given.shape[2])
        inner = _solve(curvature, through, live)
        pull = np.einsum("gbp,rbp->gr", through, out)
        system = np.eye(len(through)) - np.einsum("gbp,hbp->gh", through, inner)
        out = out + np.einsum("gbp,gr->rbp", inner, np.linalg.solve(system, pull))
    return out.reshape(slopes.shape)


def _solve(curvature: FloatArray, given: FloatArray, live: BoolArray) -> FloatArray:
    """Return curvature^-1 given over what is live, (n, n_blocks, 2 P)."""
    out = np.zeros(given.shape)
    for b, own in enumerate(live):
        index = np.flatnonzero(np.concatenate((own, own)))
        matrix = curvature[b][np.ix_(index, index)]
        scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        try:
            factor = np.linalg.cholesky(matrix * np.outer(scale, scale))
        except np.linalg.LinAlgError as error:
            raise InvalidParameterError(
                f"the bound of row problem {b} has no proper maximum at the posterior: its second "
                "derivatives are not negative definite. Fit with tighter tolerance, or use "
                "hawkeys.inference.bootstrap."
            ) from error
        half = np.linalg.solve(factor, (given[:, b, index] * scale).T)
        out[:, b, index] = (np.linalg.solve(factor.T, half)).T * scale
    return out
