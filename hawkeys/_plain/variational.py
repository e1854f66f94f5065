"""Deterministic variational inference with log-normal posteriors.

See `hawkeys._jit.variational` for the bound and the method, `bound_ascent` for the ascent.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from hawkeys._plain.bound_ascent import (
    SILENT,
    Ask,
    EventSums,
    Problem,
    answered,
    climb_row,
    draws_at,
)
from hawkeys._plain.rows import row_of
from hawkeys._typing import FloatArray, IntArray

__all__ = ["SILENT", "curvature_rows", "expected_log_rows", "raise_rows", "sums_over"]

_LEAST, _MOST = 1e-290, 1e290
# numbers, of events and pairs of coordinates, that are held at once
_AT_ONCE = 500_000


def raise_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    start: FloatArray,
    tolerance: float,
    out: tuple[FloatArray, FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Raise the bound of the row problems ``range(*part)`` from ``start`` (n_blocks, 2, P)."""
    params, report, traces = out
    for b in range(*part):
        v, weights = row_of(data, cost.shape[1] - 1, b)
        terms = np.concatenate((cost[b : b + 1], prior[b]))
        problem = Problem(np.empty(0, int), terms, draws)
        params[b], traces[b] = start[b], np.nan
        acts = np.asarray(((v > 0) & (weights > 0)).any(axis=1))
        ascent = climb_row(problem, acts, params[b], tolerance, traces[b])
        report[b] = answered(ascent, partial(sums_over, v, weights, draws))


def expected_log_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    draws: FloatArray,
    params: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write sum_k w_k E log(v_k . theta) of the row problems ``range(*part)`` to `out`."""
    size = params.shape[2]
    for b in range(*part):
        v, weights = row_of(data, size - 1, b)
        theta, _ = draws_at(np.arange(size), draws, params[b].ravel())
        out[b] = expected_logs(theta.T @ v, weights)


def curvature_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    params: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write minus the second derivatives of F of the row problems ``range(*part)`` to `out`."""
    size = cost.shape[1]
    for b in range(*part):
        idx = np.flatnonzero(cost[b] > 0)
        problem = Problem(idx, np.concatenate((cost[b : b + 1], prior[b])), draws)
        both, point = np.concatenate((idx, idx + size)), params[b][:, idx].ravel()
        sums = sums_over(*row_of(data, size - 1, b), draws, problem.ask(point))
        curvature = problem.derivatives(point, sums)[1]
        out[b][np.ix_(both, both)] = 0.5 * (curvature + curvature.T)


def expected_logs(lam: FloatArray, weights: FloatArray) -> float:
    """Return sum_k w_k of the mean over draws of log lambda_k, of lam (n_draws, n_events)."""
    half = len(lam) // 2
    pairs = lam[:half] * lam[half:]
    with np.errstate(divide="ignore"):
        # one logarithm for two, unless a product leaves the range of doubles
        usual = pairs.size and pairs.min() > _LEAST and pairs.max() < _MOST
        each = 0.5 * np.log(pairs).mean(axis=0) if usual else np.log(lam).mean(axis=0)
    counts = weights > 0
    return float(weights[counts] @ each[counts])


def sums_over(v: FloatArray, weights: FloatArray, draws: FloatArray, ask: Ask) -> EventSums:
    """Return the sums over events with columns v (P, n_events) and weights (n_events,)."""
    total, d = EventSums.nothing(ask), ask.idx.size
    at = draws_at(ask.idx, draws, ask.point)
    many = max(1, _AT_ONCE // (d * (d + 1) // 2 + draws.shape[0]))
    for begin in range(0, v.shape[1], many):
        own = slice(begin, begin + many)
        total += _sums_over_some(v[:, own], weights[own], at, ask)
    return total


def _sums_over_some(
    v: FloatArray, weights: FloatArray, at: tuple[FloatArray, FloatArray], ask: Ask
) -> EventSums:
    """Return the sums over as many events as are held at once.

    They need the draws' intensities alone: sum_k w_k v_ka / lambda_km and sum_k w_k v_ka v_kc /
    lambda_km^2 are products of matrices.
    """
    theta, shock = at
    d, n_draws = shock.shape
    own = v[ask.idx]
    lam = theta.T @ own
    value = expected_logs(lam, weights)
    # scales of each coordinate and of each event, which cancel, keep squares within range
    centre, level = np.exp(ask.point[:d])[:, None], lam.mean(axis=0)
    scaled, inverse, ratio = centre * own / level, level / lam, np.exp(shock)
    weighted = scaled * (weights / n_draws)
    first = ratio * (weighted @ inverse.T)
    a, c = np.tril_indices(d)
    second = (weighted[a] * scaled[c]) @ (inverse * inverse).T * (ratio[a] * ratio[c])
    slope = np.concatenate((first.sum(axis=1), (first * shock).sum(axis=1)))
    curvature = np.zeros((2 * d, 2 * d))
    curvature[a, c] = curvature[c, a] = second.sum(axis=1)
    curvature[d + a, c] = curvature[c, d + a] = (second * shock[a]).sum(axis=1)
    curvature[d + c, a] = curvature[a, d + c] = (second * shock[c]).sum(axis=1)
    both = (second * shock[a] * shock[c]).sum(axis=1)
    curvature[d + a, d + c] = curvature[d + c, d + a] = both
    here, there = np.arange(d), d + np.arange(d)
    curvature[here, here] -= slope[:d]
    curvature[there, here] -= slope[d:]
    curvature[here, there] = curvature[there, here]
    curvature[there, there] -= slope[d:] + (first * shock**2).sum(axis=1)
    share = np.zeros(ask.gone.size)
    if share.size:
        grows = weights / n_draws * v[ask.gone]
        share = np.einsum("am,mk,ak->a", ask.growth, 1.0 / lam, grows, optimize=True)
    return EventSums(value, slope, curvature, share)
