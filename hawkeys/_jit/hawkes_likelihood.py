"""Hawkes processes of one typed text: every mark once per sample, log-normal lags, few edges.

Edges are sorted by target: those into mark m are ``first[m]`` to ``first[m + 1]``. An array `edges`
has the rows (adjacency, location, scale). Arrays (n_edges, n_samples) hold `lags`, the logarithm of
the time from source to target (-inf if the source is not earlier), and `rests`, that of the time
from the source to the end of the window (-inf if none is left).
"""

import math

import numpy as np
from numba import njit

__all__ = ["contributions", "expected_children", "mark_masses"]

_PER_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
# beyond this many standard deviations less than 1e-15 of the mass remains
_FAR = 8.0


@njit(cache=True, nogil=True)
def _density(lag, location, scale):
    """Return the log-normal density at a logarithm of a lag."""
    if lag == -np.inf:
        return 0.0
    z = (lag - location) / scale
    return _PER_ROOT_TWO_PI / scale * math.exp(-0.5 * z * z - lag)


@njit(cache=True, nogil=True)
def _tail(rest, location, scale):
    """Return the log-normal mass beyond a logarithm of a lag."""
    z = (rest - location) / scale
    if z > _FAR:
        return 0.0
    return 0.5 * math.erfc(_ROOT_HALF * z)


@njit(cache=True, nogil=True)
def contributions(lags, rests, windows, first, baseline, edges, logs, masses):
    """Fill `logs` with ln lambda_m at event m, `masses` with the compensator over the window.

    Both have shape (n_marks, n_samples).
    """
    n_samples = windows.size
    for m in range(baseline.size):
        for i in range(n_samples):
            logs[m, i] = baseline[m]
            masses[m, i] = baseline[m] * windows[i]
        for e in range(first[m], first[m + 1]):
            adjacency, location, scale = edges[e]
            for i in range(n_samples):
                logs[m, i] += adjacency * _density(lags[e, i], location, scale)
                masses[m, i] += adjacency * (1.0 - _tail(rests[e, i], location, scale))
        for i in range(n_samples):
            logs[m, i] = math.log(logs[m, i])


@njit(cache=True, nogil=True)
def mark_masses(times, lags, first, baseline, edges, out):
    """Fill `out` (n_marks, n_samples) with the compensator of mark m up to its own event.

    `times` (n_marks, n_samples) are those of the events.
    """
    for m in range(baseline.size):
        for i in range(times.shape[1]):
            out[m, i] = baseline[m] * times[m, i]
        for e in range(first[m], first[m + 1]):
            adjacency, location, scale = edges[e]
            for i in range(times.shape[1]):
                out[m, i] += adjacency * (1.0 - _tail(lags[e, i], location, scale))


@njit(cache=True, nogil=True)
def _add_unseen(rest, weight, edge, moments):
    """Add the children expected after the window, with moments of a truncated normal."""
    location, scale = edge[1], edge[2]
    z = (rest - location) / scale
    mass = _tail(rest, location, scale)
    if mass == 0.0:
        return
    slope = 0.0
    if rest > -np.inf:
        slope = _PER_ROOT_TWO_PI * math.exp(-0.5 * z * z)
        moments[2] += weight * scale * scale * z * slope
    moments[0] += weight * mass
    moments[1] += weight * scale * slope
    moments[2] += weight * scale * scale * mass


@njit(cache=True, nogil=True)
def expected_children(lags, rests, weights, first, baseline, edges, moments, arrivals):
    """Add what an update needs; return the weighted sum of ln lambda minus that of W G.

    `moments` (n_edges, 3) gets the expected number of children of every edge, and the sums of
    their log-lags, and squares, about the location now; `arrivals` (n_marks,) the events expected
    from the baseline. Children after the window are expected from the model. All start at zero.
    """
    n_samples = weights.size
    total = 0.0
    parts = np.empty((np.diff(first).max() + 1, n_samples))
    for m in range(baseline.size):
        begin, end = first[m], first[m + 1]
        rates = parts[end - begin]
        rates[:] = baseline[m]
        for e in range(begin, end):
            adjacency, location, scale = edges[e]
            for i in range(n_samples):
                parts[e - begin, i] = adjacency * _density(lags[e, i], location, scale)
                rates[i] += parts[e - begin, i]
        for i in range(n_samples):
            total += weights[i] * math.log(rates[i])
            arrivals[m] += weights[i] * baseline[m] / rates[i]
        for e in range(begin, end):
            for i in range(n_samples):
                share = weights[i] * parts[e - begin, i] / rates[i]
                if share > 0.0:
                    offset = lags[e, i] - edges[e, 1]
                    moments[e, 0] += share
                    moments[e, 1] += share * offset
                    moments[e, 2] += share * offset * offset
                before = moments[e, 0]
                _add_unseen(rests[e, i], weights[i] * edges[e, 0], edges[e], moments[e])
                total += moments[e, 0] - before - weights[i] * edges[e, 0]
    return total
