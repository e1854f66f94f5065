"""Hawkes processes of one typed text: every mark once per sample, log-normal lags, few edges.

Edges are sorted by target: those into mark m are ``first[m]`` to ``first[m + 1]``. An array `edges`
has the rows (adjacency, location, scale). Arrays (n_edges, n_samples) hold `lags`, the logarithm of
the time from source to target (-inf if the source is not earlier), and `rests`, that of the time
from the source to the end of the window (-inf if none is left).

All is done edge by edge and sample by sample at once, which takes numpy no longer than compiled
code at any size: there is no compiled twin. No operation of `contributions` and `mark_masses` mixes
samples: what is found of one does not depend on those beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy

from hawkeys._typing import FloatArray, IntArray

__all__ = ["contributions", "expected_children", "mark_masses"]

_PER_ROOT_TWO_PI = 1.0 / np.sqrt(2.0 * np.pi)
_ROOT_HALF = np.sqrt(0.5)
# beyond this many standard deviations less than 1e-15 of the mass remains
_FAR = 8.0
# samples done together, so that they stay within the processor's cache
_BLOCK = 256


def _densities(lags: FloatArray, edges: FloatArray) -> FloatArray:
    """Return adjacency times the log-normal density at logarithms of lags, (n_edges, n_samples)."""
    adjacency, location, scale = edges.T[:, :, None]
    seen = lags > -np.inf
    log_lags = np.where(seen, lags, 0.0)
    z = (log_lags - location) / scale
    values = _PER_ROOT_TWO_PI / scale * np.exp(-0.5 * z * z - log_lags)
    return np.where(seen, adjacency * values, 0.0)


def _tails(rests: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the log-normal mass beyond logarithms of lags, (n_edges, n_samples)."""
    z = (rests - edges[:, 1, None]) / edges[:, 2, None]
    return np.where(z > _FAR, 0.0, 0.5 * scipy.special.erfc(_ROOT_HALF * z))


def _add_by_mark(first: IntArray, values: FloatArray, out: FloatArray) -> None:
    """Add the values of the edges (n_edges, n_samples) to their marks, one edge after another."""
    degree = np.diff(first)
    for k in range(degree.max(initial=0)):
        some = np.flatnonzero(degree > k)
        out[some] += values[first[some] + k]


def _blocks(n_samples: int) -> Iterator[slice]:
    for begin in range(0, n_samples, _BLOCK):
        yield slice(begin, begin + _BLOCK)


def contributions(
    lags: FloatArray,
    rests: FloatArray,
    windows: FloatArray,
    first: IntArray,
    baseline: FloatArray,
    edges: FloatArray,
    logs: FloatArray,
    masses: FloatArray,
) -> None:
    """Fill `logs` with ln lambda_m at event m, `masses` with the compensator over the window.

    Both have shape (n_marks, n_samples).
    """
    logs[:] = baseline[:, None]
    masses[:] = baseline[:, None] * windows
    for here in _blocks(windows.size):
        _add_by_mark(first, _densities(lags[:, here], edges), logs[:, here])
        seen = edges[:, :1] * (1.0 - _tails(rests[:, here], edges))
        _add_by_mark(first, seen, masses[:, here])
    with np.errstate(divide="ignore"):  # an impossible event
        np.log(logs, out=logs)


def mark_masses(
    times: FloatArray,
    lags: FloatArray,
    first: IntArray,
    baseline: FloatArray,
    edges: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` (n_marks, n_samples) with the compensator of mark m up to its own event.

    `times` (n_marks, n_samples) are those of the events.
    """
    out[:] = baseline[:, None] * times
    for here in _blocks(times.shape[1]):
        seen = edges[:, :1] * (1.0 - _tails(lags[:, here], edges))
        _add_by_mark(first, seen, out[:, here])


def expected_children(
    lags: FloatArray,
    rests: FloatArray,
    weights: FloatArray,
    first: IntArray,
    baseline: FloatArray,
    edges: FloatArray,
    moments: FloatArray,
    arrivals: FloatArray,
) -> float:
    """Add what an update needs; return the weighted sum of ln lambda minus that of W G.

    `moments` (n_edges, 3) gets the expected number of children of every edge, and the sums of
    their log-lags, and squares, about the location now; `arrivals` (n_marks,) the events expected
    from the baseline. Children after the window are expected from the model. All start at zero.
    """
    total = -float(weights.sum() * edges[:, 0].sum())
    for here in _blocks(weights.size):
        weight = weights[here]
        parts = _densities(lags[:, here], edges)
        rates = np.repeat(baseline[:, None], weight.size, axis=1)
        _add_by_mark(first, parts, rates)
        arrivals += baseline * (weight / rates).sum(axis=1)
        total += float((weight * np.log(rates)).sum())
        share = weight * parts / np.repeat(rates, np.diff(first), axis=0)
        offset = np.where(share > 0.0, lags[:, here] - edges[:, 1, None], 0.0)
        moments[:, 0] += share.sum(axis=1)
        moments[:, 1] += (share * offset).sum(axis=1)
        moments[:, 2] += (share * offset * offset).sum(axis=1)
        total += _add_unseen(rests[:, here], weight, edges, moments)
    return total


def _add_unseen(
    rests: FloatArray, weights: FloatArray, edges: FloatArray, moments: FloatArray
) -> float:
    """Add the children expected after the window, with moments of a truncated normal.

    Returns how many there are.
    """
    adjacency, location, scale = edges.T[:, :, None]
    weight, mass = weights * adjacency, _tails(rests, edges)
    z = np.where(rests > -np.inf, (rests - location) / scale, 0.0)
    some = (mass > 0.0) & (rests > -np.inf)
    slope = np.where(some, _PER_ROOT_TWO_PI * np.exp(-0.5 * z * z), 0.0)
    beyond = (weight * mass).sum(axis=1)
    moments[:, 0] += beyond
    moments[:, 1] += (weight * scale * slope).sum(axis=1)
    moments[:, 2] += (weight * scale * scale * (mass + z * slope)).sum(axis=1)
    return float(beyond.sum())
