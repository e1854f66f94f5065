"""Parameters that relevance determination switched off, and the probability that they are not 0."""

from __future__ import annotations

import math

import numpy as np

from hawkeys._design.bound_rows import BoundRows
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.options import VIOptions
from hawkeys.inference.priors.row_priors import RowPriors, weak_prior
from hawkeys.inference.rows.bound import bound_under, own_terms, raise_bound, start_params

__all__ = ["inclusion_probability", "switched_off"]

# events that a parameter must explain; an ascent stops anywhere below
_SEEN = 0.1


def switched_off(design: BoundRows, params: FloatArray, *, n_realizations: int = 1) -> BoolArray:
    """Return which parameters explain next to nothing: in expectation less than 0.1 events.

    Parameters
    ----------
    design : Design or other BoundRows
        The row problems.
    params : ndarray, shape (n_blocks, 2, P)
        Locations and log scales of the posteriors.
    n_realizations : int, default 1
        Realisations with row problems of their own and one prior; their events count together.

    Returns
    -------
    ndarray of bool, shape (n_blocks, P)
        False where there is nothing to explain.
    """
    used = design.cost > 0
    location = np.where(used, params[:, 0], -math.inf)
    events = design.cost * np.exp(location + 0.5 * np.exp(2.0 * params[:, 1]))
    shape = n_realizations, -1, events.shape[1]
    known = used.reshape(shape).any(axis=0)
    silent = known & (events.reshape(shape).sum(axis=0) < _SEEN)
    return np.tile(silent, (n_realizations, 1))


def inclusion_probability(
    design: BoundRows,
    options: VIOptions,
    solved: tuple[FloatArray, RowPriors],
    off: BoolArray,
    draws: FloatArray,
) -> FloatArray:
    """Return the probability that each parameter switched off is on, under equal prior odds.

    The evidence bound with the parameter on, under its default prior (`weak_prior`) and with the
    posteriors of the row's other parameters found anew, against the bound without it.

    Parameters
    ----------
    design : Design or other BoundRows
        The row problems.
    options : VIOptions
        Of the fit.
    solved : tuple of ndarray (n_blocks, 2, P) and RowPriors
        Locations and log scales of the posteriors, and the priors they were found under.
    off : ndarray of bool, shape (n_blocks, P)
        What was switched off.
    draws : ndarray, shape (n_draws, P)
        Base draws.

    Returns
    -------
    ndarray of float64, shape (n_blocks, P)
        NaN for all others.
    """
    params, priors = solved
    out = np.full(off.shape, np.nan)
    log_prior = priors.expected_log(params)
    without = bound_under(design, params, log_prior, draws)[:, None]
    without = without - own_terms(design, params, log_prior)
    shape, rate = weak_prior(design, options.likelihood_weight)
    start = start_params(design, options)
    rank = np.cumsum(off, axis=1)
    for k in range(1, int(rank.max(initial=0)) + 1):
        on = off & (rank == k)
        slab = priors.with_gamma(shape, rate, on)
        begin = np.where(on[:, None], start, params)
        found = raise_bound(slab.charged(design), options, slab.terms, draws, begin)[0]
        reached = bound_under(design, found, slab.expected_log(found), draws)[:, None]
        odds = np.clip(np.where(on, reached - without, 0.0), -700.0, 700.0)
        out = np.where(on, 1.0 / (1.0 + np.exp(-odds)), out)
    return out
