"""Excitation by kernels that need not decay from lag 0, evaluated within a finite horizon.

A kernel comes as ``(family, sets, edges, which, reach)``: `family` is one of the codes below; a row
of `sets` is one set of parameters, namely (location, scale, 1 / (scale sqrt(2 pi)), 0), (shape,
rate, log gamma(shape), log rate) or (height of each bin, mass below each bin); `edges` are the
bounds of the bins, empty for the others; ``which[i, j]`` is the set of target i and source j, and
``reach[i, j]`` the lag beyond which it is over. Times increase, so that the first source within
reach only moves forwards, and the cost is linear in the number of events if the reach is bounded.
Simultaneous events do not excite each other.
"""

import math

import numpy as np
from numba import njit

__all__ = [
    "GAMMA",
    "HISTOGRAM",
    "LOG_NORMAL",
    "density_and_mass",
    "excitation",
    "excitation_at",
    "integrals",
    "nearest_lags",
    "pair_densities",
    "responsibilities",
    "tails",
]

LOG_NORMAL = 0
GAMMA = 1
HISTOGRAM = 2

_SQRT_HALF = math.sqrt(0.5)
_PHI_0 = 1.0 / math.sqrt(2.0 * math.pi)
# of the shape: error 1e-8 by truncation, 1e-12 by rounding
_DIFFERENCE = 1e-4
_EPSILON = 1e-16
_TINY = 1e-300
# the series and the fraction need about six square roots of the shape
_MOST_TERMS = 1_000_000


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _log(family, lag):
    """Return the log of a lag > 0 if the family needs it."""
    return 0.0 if family == HISTOGRAM else math.log(lag)


@njit(cache=True, nogil=True)
def _density(family, lag, log_lag, sets, s, edges):
    """Return the density at a lag > 0."""
    if family == LOG_NORMAL:
        z = (log_lag - sets[s, 0]) / sets[s, 1]
        return sets[s, 2] * math.exp(-0.5 * z * z) / lag
    if family == GAMMA:
        return sets[s, 1] * math.exp(
            (sets[s, 0] - 1.0) * (log_lag + sets[s, 3]) - sets[s, 1] * lag - sets[s, 2]
        )
    b = _bin(lag, edges)
    return sets[s, b] if b >= 0 else 0.0


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _split(family, lag, sets, s, edges):
    """Return the mass up to a lag and the mass beyond it, the smaller one exact."""
    if lag <= 0.0:
        return 0.0, 1.0
    if family == LOG_NORMAL:
        z = (math.log(lag) - sets[s, 0]) / sets[s, 1]
        tail = 0.5 * math.erfc(abs(z) * _SQRT_HALF)
        return (tail, 1.0 - tail) if z < 0.0 else (1.0 - tail, tail)
    if family == GAMMA:
        return _gamma_split(sets[s, 0], sets[s, 1] * lag, sets[s, 2])
    if lag <= edges[0]:
        return 0.0, 1.0
    b = _bin(lag, edges)
    if b < 0:
        return 1.0, 0.0
    mass = min(sets[s, edges.size - 1 + b] + sets[s, b] * (lag - edges[b]), 1.0)
    return mass, 1.0 - mass


@njit(cache=True, nogil=True)
def density_and_mass(family, lags, sets, edges, out):
    """Write density and mass up to a lag, of every set (columns), to ``out[0]`` and ``out[1]``."""
    for k in range(lags.size):
        for s in range(sets.shape[0]):
            out[0, k, s] = 0.0
            if lags[k] > 0.0:
                log_lag = _log(family, lags[k])
                out[0, k, s] = _density(family, lags[k], log_lag, sets, s, edges)
            out[1, k, s], _ = _split(family, lags[k], sets, s, edges)


@njit(cache=True, nogil=True)
def pair_densities(family, lags, which, sets, edges, out):
    """Write the density at each lag > 0 under its own set to `out`, the reach disregarded."""
    for n in range(lags.size):
        out[n] = _density(family, lags[n], _log(family, lags[n]), sets, which[n], edges)


@njit(cache=True, nogil=True)
def _longest(reach):
    """Return the largest reach of each target."""
    out = np.zeros(reach.shape[0])
    for i in range(reach.shape[0]):
        out[i] = reach[i].max()
    return out


@njit(cache=True, nogil=True)
def excitation(times, marks, offsets, kernel, layout, out, part):
    """Add c_ij to `out` at every event of mark i; layout, `out`, `part` as for `Exponential`."""
    family, sets, edges, which, reach = kernel
    slots, block_offsets, stride = layout
    longest = _longest(reach)
    for r in range(part[0], part[1]):
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
                    s = which[i, j]
                    out[at + j * width] += _density(family, lag, _log(family, lag), sets, s, edges)


@njit(cache=True, nogil=True)
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
                    out[r, i, j] += _split(family, lag, sets, which[i, j], edges)[0]


@njit(cache=True, nogil=True)
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
                    s = which[i, j]
                    integrals[q, i, j] += _split(family, lag, sets, s, edges)[0]
                    log_lag = _log(family, lag)
                    excitation[q, i, j] += _density(family, lag, log_lag, sets, s, edges)


@njit(cache=True, nogil=True)
def _statistics(family, lag, log_lag, first, log_rate, rate):
    """Return what determines the parameters of a set, but for bins, besides the number of lags.

    Log-normal: (d, d^2), d the log-lag from the location. Gamma: (v, log v), v = rate * lag.
    Scalars only, because to pass arrays costs more than the sum.
    """
    if family == LOG_NORMAL:
        d = log_lag - first
        return d, d * d
    return rate * lag, log_lag + log_rate


@njit(cache=True, nogil=True)
def _gamma_log_tail(shape, x, log_gamma):
    """Return the integral of log(v) times the unit-rate gamma density from x on.

    It is the derivative of the upper incomplete gamma function by its shape, here by differences.
    """
    step = _DIFFERENCE * shape
    up, down = math.lgamma(shape + step), math.lgamma(shape - step)
    above = _gamma_split(shape + step, x, up)[1] * math.exp(up - log_gamma)
    below = _gamma_split(shape - step, x, down)[1] * math.exp(down - log_gamma)
    return (above - below) / (2.0 * step)


@njit(cache=True, nogil=True)
def _add_tail(kernel, lag, amount, s, out):
    """Add the expected statistics of the lags beyond `lag`; return the mass up to it."""
    family, sets, edges, _, _ = kernel
    mass, beyond = _split(family, lag, sets, s, edges)
    if family == HISTOGRAM:
        for b in range(edges.size - 1):
            if lag < edges[b + 1]:
                out[b] += amount * sets[s, b] * (edges[b + 1] - max(lag, edges[b]))
        return mass
    out[0] += amount * beyond
    if family == LOG_NORMAL:
        z = (math.log(lag) - sets[s, 0]) / sets[s, 1] if lag > 0.0 else 0.0
        phi = _PHI_0 * math.exp(-0.5 * z * z) if lag > 0.0 else 0.0
        out[1] += amount * sets[s, 1] * phi
        out[2] += amount * sets[s, 1] ** 2 * (beyond + z * phi)
    else:
        x = sets[s, 1] * max(lag, 0.0)
        front = math.exp(sets[s, 0] * math.log(x) - x - sets[s, 2]) if x > 0.0 else 0.0
        out[1] += amount * (sets[s, 0] * beyond + front)
        out[2] += amount * _gamma_log_tail(sets[s, 0], x, sets[s, 2])
    return mass


@njit(cache=True, nogil=True)
def _weigh_parents(data, k, begin, x, kernel, scratch):
    """Write the possible parents of event k from `begin` on, and their shares of the intensity.

    scratch = (parents, shares, log lags). Returns the intensity and the number of parents.
    """
    times, marks, _, _, _ = data
    family, sets, edges, which, reach = kernel
    parents, shares, logs = scratch
    i = marks[k]
    rate = x[i, 0]
    found = 0
    for e in range(begin, k):
        lag = times[k] - times[e]
        j = marks[e]
        if lag <= 0.0:
            break
        if lag <= reach[i, j]:
            parents[found], logs[found] = e, _log(family, lag)
            density = _density(family, lag, logs[found], sets, which[i, j], edges)
            shares[found] = x[i, j + 1] * density
            rate += shares[found]
            found += 1
    return rate, found


@njit(cache=True, nogil=True)
def responsibilities(data, x, kernel, counts, moments):
    """Share every event among its possible parents; return the weighted sum of log intensities.

    data = (times, marks, offsets, ends, weight of each realisation); x holds the baseline and the
    adjacency row of each target. Adds the expected numbers of events per parent to `counts`, shaped
    as x, and the statistics of the lags to ``moments`` (n_sets, width): the number of lags per bin,
    or the number of lags and the sums of their `_statistics`.
    """
    times, marks, offsets, _, weights = data
    family, sets, edges, which, reach = kernel
    longest = _longest(reach)
    most = np.max(offsets[1:] - offsets[:-1])
    parents, shares, logs = np.empty(most, dtype=np.int64), np.empty(most), np.empty(most)
    total = 0.0
    for r in range(offsets.size - 1):
        first = np.full(reach.shape[0], offsets[r])
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            i = marks[k]
            while times[k] - times[first[i]] > longest[i]:
                first[i] += 1
            rate, found = _weigh_parents(data, k, first[i], x, kernel, (parents, shares, logs))
            if not rate > 0.0:
                return -math.inf
            total += weights[r] * math.log(rate)
            counts[i, 0] += x[i, 0] * weights[r] / rate
            for n in range(found):
                if shares[n] == 0.0:
                    continue
                part = shares[n] * weights[r] / rate
                lag = times[k] - times[parents[n]]
                s = which[i, marks[parents[n]]]
                counts[i, marks[parents[n]] + 1] += part
                if family == HISTOGRAM:
                    moments[s, _bin(lag, edges)] += part
                    continue
                one, two = _statistics(family, lag, logs[n], sets[s, 0], sets[s, 3], sets[s, 1])
                moments[s, 0] += part
                moments[s, 1] += part * one
                moments[s, 2] += part * two
    return total


@njit(cache=True, nogil=True)
def tails(data, kernel, cost, moments):
    """Add the mass that falls in the window to `cost`, and what falls beyond it to `moments`.

    `cost` (n_targets, n_sources) gets G_ij(T - t_l), `moments` (n_targets, n_sources, width) the
    statistics of the lags that would end beyond the window, both weighted and summed over the
    events of j. Pairs of reach 0 are left out.
    """
    times, marks, offsets, ends, weights = data
    _, _, _, which, reach = kernel
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            j = marks[k]
            lag = ends[r] - times[k]
            for i in range(reach.shape[0]):
                if reach[i, j] == 0.0:
                    continue
                if lag > reach[i, j]:
                    cost[i, j] += weights[r]
                    continue
                mass = _add_tail(kernel, lag, weights[r], which[i, j], moments[i, j])
                cost[i, j] += weights[r] * mass


@njit(cache=True, nogil=True)
def nearest_lags(data, allowed, out):
    """Add (1, log lag, its square) of each event after the latest earlier event of each source.

    `out` has shape (n_targets, n_sources, 3); only pairs `allowed` count.
    """
    times, marks, offsets, _, weights = data
    size = allowed.shape[0]
    for r in range(offsets.size - 1):
        last = np.full(size, -math.inf)
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            while times[applied] < times[k]:
                last[marks[applied]] = times[applied]
                applied += 1
            i = marks[k]
            for j in range(size):
                if allowed[i, j] and last[j] > -math.inf:
                    value = math.log(times[k] - last[j])
                    out[i, j, 0] += weights[r]
                    out[i, j, 1] += weights[r] * value
                    out[i, j, 2] += weights[r] * value * value
