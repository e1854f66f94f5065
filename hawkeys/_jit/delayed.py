"""Excitation by kernels that need not decay from lag 0, evaluated within a finite horizon.

A kernel comes as ``(family, sets, edges, which, reach)``: `family` is one of the codes below; a row
of `sets` is one set of parameters, namely (location, scale, 1 / (scale sqrt(2 pi))), (shape, rate,
log gamma(shape)) or (height of each bin, mass below each bin); `edges` are the bounds of the bins,
empty for the others; ``which[i, j]`` is the set of target i and source j, and ``reach[i, j]`` the
lag beyond which it is over. Times increase, so that the first source within reach only moves
forwards, and the cost is linear in the number of events if the reach is bounded. Simultaneous
events do not excite each other.
"""

import math

import numpy as np
from numba import njit, prange

__all__ = [
    "GAMMA",
    "HISTOGRAM",
    "LOG_NORMAL",
    "density_and_mass",
    "excitation",
    "excitation_at",
    "integrals",
]

LOG_NORMAL = 0
GAMMA = 1
HISTOGRAM = 2

_SQRT_HALF = math.sqrt(0.5)
_EPSILON = 1e-16
_TINY = 1e-300
# the series and the fraction need about six square roots of the shape
_MOST_TERMS = 1_000_000


@njit(cache=True)
def _bin(lag, edges):
    """Return the bin b with edges[b] < lag <= edges[b + 1], or -1."""
    if lag <= edges[0] or lag > edges[-1]:
        return -1
    low, high = 0, edges.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if lag > edges[middle]:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def _density(family, lag, row, edges):
    """Return the density at a lag > 0."""
    if family == LOG_NORMAL:
        z = (math.log(lag) - row[0]) / row[1]
        return row[2] * math.exp(-0.5 * z * z) / lag
    if family == GAMMA:
        x = row[1] * lag
        if x == 0.0:
            return 0.0
        return row[1] * math.exp((row[0] - 1.0) * math.log(x) - x - row[2])
    b = _bin(lag, edges)
    return row[b] if b >= 0 else 0.0


@njit(cache=True)
def _gamma_split(shape, x, log_gamma):
    """Return the regularised lower and upper incomplete gamma functions, the smaller one exact."""
    if x <= 0.0:
        return 0.0, 1.0
    front = math.exp(shape * math.log(x) - x - log_gamma)
    if x < shape + 1.0:
        term = 1.0 / shape
        total = term
        for n in range(1, _MOST_TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * _EPSILON:
                break
        return front * total, 1.0 - front * total
    # a continued fraction, by Lentz's method
    b = x + 1.0 - shape
    c = 1.0 / _TINY
    d = 1.0 / b
    fraction = d
    for n in range(1, _MOST_TERMS):
        a = -n * (n - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        fraction *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return 1.0 - front * fraction, front * fraction


@njit(cache=True)
def _split(family, lag, row, edges):
    """Return the mass up to a lag and the mass beyond it, the smaller one exact."""
    if lag <= 0.0:
        return 0.0, 1.0
    if family == LOG_NORMAL:
        z = (math.log(lag) - row[0]) / row[1]
        tail = 0.5 * math.erfc(abs(z) * _SQRT_HALF)
        return (tail, 1.0 - tail) if z < 0.0 else (1.0 - tail, tail)
    if family == GAMMA:
        return _gamma_split(row[0], row[1] * lag, row[2])
    if lag <= edges[0]:
        return 0.0, 1.0
    b = _bin(lag, edges)
    if b < 0:
        return 1.0, 0.0
    mass = min(row[edges.size - 1 + b] + row[b] * (lag - edges[b]), 1.0)
    return mass, 1.0 - mass


@njit(cache=True)
def density_and_mass(family, lags, sets, edges, out):
    """Write density and mass up to a lag, of every set (columns), to ``out[0]`` and ``out[1]``."""
    for k in range(lags.size):
        for s in range(sets.shape[0]):
            out[0, k, s] = _density(family, lags[k], sets[s], edges) if lags[k] > 0.0 else 0.0
            out[1, k, s], _ = _split(family, lags[k], sets[s], edges)


@njit(cache=True)
def _longest(reach):
    """Return the largest reach of each target."""
    out = np.zeros(reach.shape[0])
    for i in range(reach.shape[0]):
        out[i] = reach[i].max()
    return out


@njit(cache=True, parallel=True)
def excitation(times, marks, offsets, kernel, layout, out):
    """Add c_ij to `out` at every event of mark i; layout and `out` as for exponential kernels."""
    family, sets, edges, which, reach = kernel
    slots, block_offsets, stride = layout
    longest = _longest(reach)
    # parallel over realisations: each writes to its own events' columns only
    for r in prange(offsets.size - 1):
        first = np.full(reach.shape[0], offsets[r])
        for k in range(offsets[r], offsets[r + 1]):
            i = marks[k]
            while times[k] - times[first[i]] > longest[i]:
                first[i] += 1
            block = r * stride + i
            width = block_offsets[block + 1] - block_offsets[block]
            at = reach.shape[0] * block_offsets[block] + slots[k] - block_offsets[block]
            for e in range(first[i], k):
                lag = times[k] - times[e]
                j = marks[e]
                if lag <= 0.0:
                    break
                if lag <= reach[i, j]:
                    out[at + j * width] += _density(family, lag, sets[which[i, j]], edges)


@njit(cache=True)
def integrals(times, marks, offsets, ends, kernel, out):
    """Add sum_l G_ij(T - t_l) to ``out[r, i, j]`` for every realisation."""
    family, sets, edges, which, reach = kernel
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            j = marks[k]
            lag = ends[r] - times[k]
            for i in range(reach.shape[0]):
                if lag > reach[i, j]:
                    out[r, i, j] += 1.0
                else:
                    out[r, i, j] += _split(family, lag, sets[which[i, j]], edges)[0]


@njit(cache=True)
def excitation_at(times, marks, kernel, queries, excitation, integrals):
    """Write c_ij and its integral since the start at sorted query times of one realisation.

    Both outputs have shape (n_queries, n_targets, n_sources). Events at a query time itself are
    not counted.
    """
    family, sets, edges, which, reach = kernel
    size = reach.shape[0]
    longest = _longest(reach)
    first = np.zeros(size, dtype=np.int64)
    spent = np.zeros((size, size))
    for q in range(queries.size):
        for i in range(size):
            while first[i] < times.size and queries[q] - times[first[i]] > longest[i]:
                spent[i, marks[first[i]]] += 1.0
                first[i] += 1
            integrals[q, i] = spent[i]
            excitation[q, i] = 0.0
            for e in range(first[i], times.size):
                lag = queries[q] - times[e]
                j = marks[e]
                if lag <= 0.0:
                    break
                if lag > reach[i, j]:
                    integrals[q, i, j] += 1.0
                else:
                    row = sets[which[i, j]]
                    integrals[q, i, j] += _split(family, lag, row, edges)[0]
                    excitation[q, i, j] += _density(family, lag, row, edges)
