"""Excitation by kernels that need not decay from lag 0, evaluated within a finite horizon.

A kernel comes as ``(family, sets, edges, which, reach)``: `family` is one of the codes below; a row
of `sets` is one set of parameters, namely (location, scale, 1 / (scale sqrt(2 pi)), 0), (shape a,
1 / mean, log of a^a e^-a / gamma(a), log a - digamma(a)) or (height of each bin, mass below each
bin); `edges` are the bounds of the bins, empty for the others; ``which[i, j]`` is the set of target
i and source j, and ``reach[i, j]`` the lag beyond which it is over. Times increase, so that the
first source within reach only moves forwards, and the cost is linear in the number of events if the
reach is bounded. Simultaneous events do not excite each other.

A gamma density is written by the ratio r = lag / mean and its deviance D(r) = r - 1 - log r >= 0 as
K exp(-a D(r)) / lag, K = a^a e^-a / gamma(a): no two of its terms cancel, however large the shape.
The expectation of D is log a - digamma(a).
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
    "own_mass_at",
    "pair_densities",
    "responsibilities",
    "sums_at",
    "tails",
]

LOG_NORMAL = 0
GAMMA = 1
HISTOGRAM = 2

_SQRT_HALF = math.sqrt(0.5)
_PHI_0 = 1.0 / math.sqrt(2.0 * math.pi)
_EPSILON = 1e-16
_TINY = 1e-300
_HUGE = 1e300
# the series and the fraction need about six square roots of the shape
_MOST_TERMS = 1_000_000
# relative, of the derivative of the fraction by the shape
_SLOPE_ERROR = 1e-14


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
def _measure(family, lag, sets, s):
    """Return d = log lag - location, the deviance D(lag / mean), or 0 for bins, at a lag > 0."""
    if family == LOG_NORMAL:
        return math.log(lag) - sets[s, 0]
    if family == GAMMA:
        ratio = min(lag * sets[s, 1], _HUGE)
        # near 1 the difference is exact
        return (ratio - 1.0) - math.log(ratio)
    return 0.0


@njit(cache=True, nogil=True)
def _density(family, lag, measure, sets, s, edges):
    """Return the density at a lag > 0 with this `_measure`."""
    if family == LOG_NORMAL:
        z = measure / sets[s, 1]
        return sets[s, 2] * math.exp(-0.5 * z * z) / lag
    if family == GAMMA:
        return math.exp(sets[s, 2] - sets[s, 0] * measure) / lag
    b = _bin(lag, edges)
    return sets[s, b] if b >= 0 else 0.0


@njit(cache=True, nogil=True)
def _gamma_series(shape, ratio):
    """Return T and its derivative by the shape, with P = F T the mass below ratio * mean.

    F = K exp(-shape D(ratio)), T = sum_n x^n / (a (a + 1) ... (a + n)), x = shape * ratio < a + 1.
    """
    x = shape * ratio
    term = 1.0 / shape
    slope = -term
    total, total_slope = term, term * slope
    for n in range(1, _MOST_TERMS):
        term *= x / (shape + n)
        slope += n / (shape * (shape + n))
        total += term
        total_slope += term * slope
        if term * max(1.0, abs(slope) * shape) < total * _EPSILON:
            break
    return total, total_slope


@njit(cache=True, nogil=True)
def _gamma_fraction(shape, ratio):
    """Return f and its derivative by the shape, with Q = F f the mass beyond ratio * mean.

    f is a continued fraction, here by Lentz's method, which converges for shape * ratio > shape.
    """
    slope = ratio - 1.0  # of every b
    b = shape * slope + 1.0
    c, c_slope = 1.0 / _TINY, 0.0
    d = 1.0 / b
    d_slope = -d * d * slope
    total, total_slope = d, d_slope
    for n in range(1, _MOST_TERMS):
        a = -n * (n - shape)
        b += 2.0
        before = n * d + a * d_slope + slope
        d = 1.0 / (a * d + b)
        d_slope = -d * d * before
        c_slope = slope + (n - a * c_slope / c) / c
        c = b + a / c
        factor, change = c * d, c_slope * d + c * d_slope
        total_slope = total_slope * factor + total * change
        total *= factor
        done = abs(factor - 1.0) < _EPSILON
        if done and abs(total * change) <= _SLOPE_ERROR * abs(total_slope):
            break
    return total, total_slope


@njit(cache=True, nogil=True)
def _gamma_split(lag, sets, s):
    """Return the mass below and beyond a lag > 0 and the integral of D beyond it, and F."""
    shape, ratio = sets[s, 0], min(lag * sets[s, 1], _HUGE)
    deviance = (ratio - 1.0) - math.log(ratio)
    front = math.exp(sets[s, 2] - shape * deviance)
    if front == 0.0 and ratio > 1.0:
        return 1.0, 0.0, 0.0, 0.0
    if shape * (ratio - 1.0) < 1.0:
        total, slope = _gamma_series(shape, ratio)
        below = front * (deviance * total - slope)
        return front * total, 1.0 - front * total, sets[s, 3] - below, front
    total, slope = _gamma_fraction(shape, ratio)
    return 1.0 - front * total, front * total, front * (deviance * total - slope), front


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
        return _gamma_split(lag, sets, s)[:2]
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
                measure = _measure(family, lags[k], sets, s)
                out[0, k, s] = _density(family, lags[k], measure, sets, s, edges)
            out[1, k, s], _ = _split(family, lags[k], sets, s, edges)


@njit(cache=True, nogil=True)
def pair_densities(family, lags, which, sets, edges, out):
    """Write the density at each lag > 0 under its own set to `out`, the reach disregarded."""
    for n in range(lags.size):
        s = which[n]
        out[n] = _density(family, lags[n], _measure(family, lags[n], sets, s), sets, s, edges)


@njit(cache=True, nogil=True)
def _longest(reach):
    """Return the largest reach of each target."""
    out = np.zeros(reach.shape[0])
    for i in range(reach.shape[0]):
        for j in range(reach.shape[1]):
            out[i] = max(out[i], reach[i, j])
    return out


@njit(cache=True, nogil=True)
def excitation(times, marks, offsets, kernel, layout, out, part):
    """Add c_ij to `out` at every event of mark i; layout, `out`, `part` as for `Exponential`."""
    family, sets, edges, which, reach = kernel
    slots, block_offsets, stride = layout
    longest, first = _longest(reach), np.empty(reach.shape[0], dtype=np.int64)
    for r in range(part[0], part[1]):
        for i in range(reach.shape[0]):
            first[i] = offsets[r]
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
                    measure = _measure(family, lag, sets, s)
                    out[at + j * width] += _density(family, lag, measure, sets, s, edges)


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
            for j in range(size):
                integrals[q, i, j], excitation[q, i, j] = spent[i, j], 0.0
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
                    measure = _measure(family, lag, sets, s)
                    excitation[q, i, j] += _density(family, lag, measure, sets, s, edges)


@njit(cache=True, nogil=True)
def _share(kernel, lag, s, mass):
    """Return the density at a lag > 0 within reach, or the mass up to it."""
    family, sets, edges, _, _ = kernel
    if mass:
        return _split(family, lag, sets, s, edges)[0]
    return _density(family, lag, _measure(family, lag, sets, s), sets, s, edges)


@njit(cache=True, nogil=True)
def _alike_at(times, marks, kernel, weights, queries, mass, out):
    """Do what `sums_at` does if all pairs have one set of parameters: one density per event."""
    size, s, reach = weights.shape[0], kernel[3][0, 0], kernel[4][0, 0]
    by_source, spent, first = np.empty((weights.shape[1], size)), np.zeros(size), 0
    for i in range(size):
        for j in range(weights.shape[1]):
            by_source[j, i] = weights[i, j]
    for q in range(queries.size):
        while first < times.size and queries[q] - times[first] > reach:
            for i in range(size if mass else 0):
                spent[i] += by_source[marks[first], i]
            first += 1
        for i in range(size):
            out[q, i] = spent[i]
        for e in range(first, times.size):
            lag = queries[q] - times[e]
            if lag <= 0.0:
                break
            share, j = _share(kernel, lag, s, mass), marks[e]
            for i in range(size):
                out[q, i] += share * by_source[j, i]


@njit(cache=True, nogil=True)
def _row_at(path, kernel, weights, query, mass, i, first, spent):
    """Return the sum over sources for one target; the first event within reach, and what is over.

    path = (times, marks); `spent` is the sum over the events before `first`, each of mass 1.
    """
    (times, marks), (_, _, _, which, reach), longest = path, kernel, 0.0
    for j in range(reach.shape[1]):
        longest = max(longest, reach[i, j])
    while first < times.size and query - times[first] > longest:
        if mass:
            spent += weights[i, marks[first]]
        first += 1
    total = spent
    for e in range(first, times.size):
        lag, j = query - times[e], marks[e]
        if lag <= 0.0:
            break
        if weights[i, j] == 0.0:
            continue
        if lag <= reach[i, j]:
            total += weights[i, j] * _share(kernel, lag, which[i, j], mass)
        elif mass:
            total += weights[i, j]
    return total, first, spent


@njit(cache=True, nogil=True)
def sums_at(times, marks, kernel, weights, queries, mass, out):
    """Write sum_j weights_ij c_ij, or if `mass` of its integrals, at sorted query times.

    Of one realisation; `out` has the shape (n_queries, n_targets). Events at a query time itself
    are not counted.
    """
    if kernel[1].shape[0] == 1:
        _alike_at(times, marks, kernel, weights, queries, mass, out)
        return
    first, spent = np.zeros(weights.shape[0], dtype=np.int64), np.zeros(weights.shape[0])
    for i in range(weights.shape[0]):
        for q in range(queries.size):
            out[q, i], first[i], spent[i] = _row_at(
                (times, marks), kernel, weights, queries[q], mass, i, first[i], spent[i]
            )


@njit(cache=True, nogil=True)
def own_mass_at(times, marks, kernel, weights, queries, targets, out):
    """Write the same integrals of one target per query, ``targets[q]``, to ``out[q]``."""
    first, spent = np.zeros(weights.shape[0], dtype=np.int64), np.zeros(weights.shape[0])
    mass = weights.shape[0] > 0  # not the literal True, for which `_row_at` is compiled once more
    for q in range(queries.size):
        i = targets[q]
        out[q], first[i], spent[i] = _row_at(
            (times, marks), kernel, weights, queries[q], mass, i, first[i], spent[i]
        )


@njit(cache=True, nogil=True)
def _add_tail(kernel, lag, amount, s, out):
    """Add the expected statistics of the lags beyond `lag`; return the mass up to it."""
    family, sets, edges, _, _ = kernel
    if family == GAMMA:
        whole = 0.0, 1.0, sets[s, 3], 0.0
        mass, beyond, deviance, front = _gamma_split(lag, sets, s) if lag > 0.0 else whole
        out[0] += amount * beyond
        out[1] += amount * front / sets[s, 0]
        out[2] += amount * deviance
        return mass
    mass, beyond = _split(family, lag, sets, s, edges)
    if family == HISTOGRAM:
        for b in range(edges.size - 1):
            if lag < edges[b + 1]:
                out[b] += amount * sets[s, b] * (edges[b + 1] - max(lag, edges[b]))
        return mass
    z = (math.log(lag) - sets[s, 0]) / sets[s, 1] if lag > 0.0 else 0.0
    phi = _PHI_0 * math.exp(-0.5 * z * z) if lag > 0.0 else 0.0
    out[0] += amount * beyond
    out[1] += amount * sets[s, 1] * phi
    out[2] += amount * sets[s, 1] ** 2 * (beyond + z * phi)
    return mass


@njit(cache=True, nogil=True)
def _weigh_parents(data, k, begin, x, kernel, scratch):
    """Write the possible parents of event k from `begin` on, and their shares of the intensity.

    scratch = (parents, shares, measures). Returns the intensity and the number of parents.
    """
    times, marks, _, _, _ = data
    family, sets, edges, which, reach = kernel
    parents, shares, measures = scratch
    i = marks[k]
    rate = x[i, 0]
    found = 0
    for e in range(begin, k):
        lag = times[k] - times[e]
        j = marks[e]
        if lag <= 0.0:
            break
        if lag <= reach[i, j]:
            s = which[i, j]
            parents[found], measures[found] = e, _measure(family, lag, sets, s)
            shares[found] = x[i, j + 1] * _density(family, lag, measures[found], sets, s, edges)
            rate += shares[found]
            found += 1
    return rate, found


@njit(cache=True, nogil=True)
def responsibilities(data, x, kernel, counts, moments):
    """Share every event among its possible parents; return the weighted sum of log intensities.

    data = (times, marks, offsets, ends, weight of each realisation); x holds the baseline and the
    adjacency row of each target. Adds the expected numbers of events per parent to `counts`, shaped
    as x, and the statistics of the lags to ``moments`` (n_sets, width): the number of lags per bin,
    or the number of lags, and the sums of d and d^2, d the log-lag from the location (log-normal),
    or of r - 1 and D(r) (gamma).
    """
    times, marks, offsets, _, weights = data
    family, sets, edges, which, reach = kernel
    longest, first = _longest(reach), np.empty(reach.shape[0], dtype=np.int64)
    most = 0
    for r in range(offsets.size - 1):
        most = max(most, offsets[r + 1] - offsets[r])
    parents, shares, measures = np.empty(most, dtype=np.int64), np.empty(most), np.empty(most)
    total = 0.0
    for r in range(offsets.size - 1):
        for i in range(reach.shape[0]):
            first[i] = offsets[r]
        for k in range(offsets[r], offsets[r + 1] if weights[r] > 0.0 else offsets[r]):
            i = marks[k]
            while times[k] - times[first[i]] > longest[i]:
                first[i] += 1
            rate, found = _weigh_parents(data, k, first[i], x, kernel, (parents, shares, measures))
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
                d = measures[n]
                moments[s, 0] += part
                moments[s, 1] += part * (d if family == LOG_NORMAL else lag * sets[s, 1] - 1.0)
                moments[s, 2] += part * (d * d if family == LOG_NORMAL else d)
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
                own = moments[i, j]
                cost[i, j] += weights[r] * _add_tail(kernel, lag, weights[r], which[i, j], own)
