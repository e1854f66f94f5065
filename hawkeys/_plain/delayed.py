"""Kernels that need not decay from lag 0, pair of events by pair; see `hawkeys._jit.delayed`.

All pairs of a child and a parent within reach are written out, a block of them at a time, so that a
block stays within the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "GAMMA",
    "HISTOGRAM",
    "LOG_NORMAL",
    "density_and_mass",
    "excitation",
    "excitation_at",
    "first_within",
    "integrals",
    "pair_densities",
    "pairs_within",
    "responsibilities",
    "tails",
]

# the families, as the compiled code numbers them
LOG_NORMAL, GAMMA, HISTOGRAM = range(3)

_SQRT_HALF = np.sqrt(0.5)
_PHI_0 = 1.0 / np.sqrt(2.0 * np.pi)
_EPSILON = 1e-16
_TINY = 1e-300
_HUGE = 1e300
_MOST_TERMS = 1_000_000
_SLOPE_ERROR = 1e-14
# at much larger ones the series of scipy end too soon: 4 % are missing at 1e7
_MOST_SHAPE = 1e4
# pairs written out together
_BLOCK = 16_384
# squares of far lags in units of a narrow scale may be infinite: their density is 0
_QUIETLY = np.errstate(over="ignore")


class _Pairs(NamedTuple):
    """Child (counted from the first of a block), lag, pair target * D + source, and set; (n,)."""

    own: IntArray
    lags: FloatArray
    pair: IntArray
    sets: IntArray


def _bins(lags: FloatArray, edges: FloatArray) -> IntArray:
    """Return the bin b with edges[b] < lag <= edges[b + 1] of each lag, or -1."""
    found = np.searchsorted(edges, lags, side="left") - 1
    found[lags > edges[-1]] = -1
    return found


def _measures(family: int, lags: FloatArray, sets: FloatArray, s: IntArray) -> FloatArray:
    """Return d = log lag - location, the deviance D(lag / mean), or 0 for bins, at lags > 0."""
    if family == LOG_NORMAL:
        return np.asarray(np.log(lags) - sets[s, 0])
    if family == GAMMA:
        ratio = np.minimum(lags * sets[s, 1], _HUGE)
        return np.asarray((ratio - 1.0) - np.log(ratio))
    return np.zeros_like(lags)


def _densities(
    kernel: tuple[int, FloatArray, FloatArray], lags: FloatArray, measures: FloatArray, s: IntArray
) -> FloatArray:
    """Return the density at each lag > 0 of its set s; kernel = (family, sets, edges)."""
    family, sets, edges = kernel
    if family == LOG_NORMAL:
        z = measures / sets[s, 1]
        return np.asarray(sets[s, 2] * np.exp(-0.5 * z * z) / lags)
    if family == GAMMA:
        return np.asarray(np.exp(sets[s, 2] - sets[s, 0] * measures) / lags)
    b = _bins(lags, edges)
    return np.where(b >= 0, sets[s, b], 0.0)


def _gamma_series(shape: FloatArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return T and its derivative by the shape; see the compiled twin."""
    x = shape * ratio
    term = 1.0 / shape
    slope = -term
    total, total_slope = term.copy(), term * slope
    going = np.arange(shape.size)
    for n in range(1, _MOST_TERMS):
        own = shape[going]
        term = term * (x[going] / (own + n))
        slope = slope + n / (own * (own + n))
        total[going] += term
        total_slope[going] += term * slope
        more = term * np.maximum(1.0, np.abs(slope) * own) >= total[going] * _EPSILON
        if not more.any():
            break
        going, term, slope = going[more], term[more], slope[more]
    return total, total_slope


def _gamma_fraction(shape: FloatArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return f and its derivative by the shape; see the compiled twin."""
    out, out_slope = np.empty_like(shape), np.empty_like(shape)
    going = np.arange(shape.size)
    slope = ratio - 1.0  # of every b
    b = shape * slope + 1.0
    d = 1.0 / b
    d_slope = -d * d * slope
    c, c_slope = np.full_like(b, 1.0 / _TINY), np.zeros_like(b)
    total, total_slope = d, d_slope
    for n in range(1, _MOST_TERMS):
        a = -n * (n - shape)
        b = b + 2.0
        before = n * d + a * d_slope + slope
        d = 1.0 / (a * d + b)
        d_slope = -d * d * before
        c_slope = slope + (n - a * c_slope / c) / c
        c = b + a / c
        factor, change = c * d, c_slope * d + c * d_slope
        total_slope = total_slope * factor + total * change
        total = total * factor
        done = np.abs(factor - 1.0) < _EPSILON
        done &= np.abs(total * change) <= _SLOPE_ERROR * np.abs(total_slope)
        out[going], out_slope[going] = total, total_slope
        if done.all():
            break
        if done.any():
            rows = np.stack((shape, slope, b, c, c_slope, d, d_slope, total, total_slope))
            shape, slope, b, c, c_slope, d, d_slope, total, total_slope = rows[:, ~done]
            going = going[~done]
    return out, out_slope


def _gamma_split(
    lags: FloatArray, sets: FloatArray, s: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the mass below and beyond each lag > 0, the integral of D beyond it, and F."""
    shape, ratio = sets[s, 0], np.minimum(lags * sets[s, 1], _HUGE)
    deviance = (ratio - 1.0) - np.log(ratio)
    front = np.exp(sets[s, 2] - shape * deviance)
    below, beyond, integral = np.ones_like(front), np.zeros_like(front), np.zeros_like(front)
    over = (front == 0.0) & (ratio > 1.0)
    early = ~over & (shape * (ratio - 1.0) < 1.0)
    late = ~over & ~early
    total, slope = _gamma_series(shape[early], ratio[early])
    below[early] = front[early] * total
    beyond[early] = 1.0 - below[early]
    integral[early] = sets[s, 3][early] - front[early] * (deviance[early] * total - slope)
    total, slope = _gamma_fraction(shape[late], ratio[late])
    beyond[late] = front[late] * total
    below[late] = 1.0 - beyond[late]
    integral[late] = front[late] * (deviance[late] * total - slope)
    front[over] = 0.0
    return below, beyond, integral, front


def _gamma_masses(
    lags: FloatArray, sets: FloatArray, s: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mass below and beyond each lag > 0, without the integral of D."""
    shape, ratio = sets[s, 0], np.minimum(lags * sets[s, 1], _HUGE)
    below, beyond = special.gammainc(shape, shape * ratio), special.gammaincc(shape, shape * ratio)
    large = shape > _MOST_SHAPE
    if large.any():
        below[large], beyond[large], _, _ = _gamma_split(lags[large], sets, s[large])
    return below, beyond


def _splits(
    kernel: tuple[int, FloatArray, FloatArray], lags: FloatArray, s: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mass up to each lag and the mass beyond it, the smaller one exact."""
    family, sets, edges = kernel
    below, beyond = np.zeros_like(lags), np.ones_like(lags)
    some = lags > (edges[0] if family == HISTOGRAM else 0.0)
    lags, s = lags[some], s[some]
    if family == LOG_NORMAL:
        z = (np.log(lags) - sets[s, 0]) / sets[s, 1]
        tail = 0.5 * special.erfc(np.abs(z) * _SQRT_HALF)
        below[some] = np.where(z < 0.0, tail, 1.0 - tail)
        beyond[some] = np.where(z < 0.0, 1.0 - tail, tail)
    elif family == GAMMA:
        below[some], beyond[some] = _gamma_masses(lags, sets, s)
    else:
        b = _bins(lags, edges)
        at = np.maximum(b, 0)
        mass = np.minimum(sets[s, edges.size - 1 + at] + sets[s, at] * (lags - edges[at]), 1.0)
        below[some] = np.where(b >= 0, mass, 1.0)
        beyond[some] = 1.0 - below[some]
    return below, beyond


@_QUIETLY
def density_and_mass(
    family: int, lags: FloatArray, sets: FloatArray, edges: FloatArray, out: FloatArray
) -> None:
    """Write density and mass up to a lag, of every set (columns), to ``out[0]`` and ``out[1]``."""
    kernel = family, sets, edges
    every = np.repeat(lags, sets.shape[0])
    s = np.tile(np.arange(sets.shape[0]), lags.size)
    flat = out.reshape(2, -1)
    flat[0] = 0.0
    some = every > 0.0
    measures = _measures(family, every[some], sets, s[some])
    flat[0, some] = _densities(kernel, every[some], measures, s[some])
    flat[1] = _splits(kernel, every, s)[0]
    out[:] = flat.reshape(out.shape)


@_QUIETLY
def pair_densities(
    family: int,
    lags: FloatArray,
    which: IntArray,
    sets: FloatArray,
    edges: FloatArray,
    out: FloatArray,
) -> None:
    """Write the density at each lag > 0 under its own set to `out`, the reach disregarded."""
    measures = _measures(family, lags, sets, which)
    out[:] = _densities((family, sets, edges), lags, measures, which)


def first_within(
    times: FloatArray, now: FloatArray, begin: IntArray, end: IntArray, longest: FloatArray
) -> IntArray:
    """Return the first event from `begin` on, before `end`, that is no more than `longest` ago.

    All but `times` have the shape (n,) of the questions; times increase from `begin` to `end`.
    """
    low, high = begin.copy(), end.copy()
    while (low < high).any():
        middle = (low + high) // 2
        past = (low < high) & (now - times[np.minimum(middle, times.size - 1)] > longest)
        low = np.where(past, middle + 1, low)
        high = np.where(past, high, middle)
    return low


def pairs_within(
    times: FloatArray, first: IntArray, end: IntArray, now: FloatArray
) -> Iterator[tuple[slice, IntArray, IntArray, FloatArray]]:
    """Yield questions, and the pairs of each with the events from `first` to `end`, lag above 0.

    Questions, and of each pair its question, counted from the first of these, event and lag.
    """
    many = end - first
    ends = np.cumsum(many)
    cuts = np.searchsorted(ends, np.arange(_BLOCK, ends[-1] if ends.size else 0, _BLOCK))
    bounds = np.unique(np.concatenate(([0], cuts, [now.size])))
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        here = slice(low, high)
        own = np.repeat(np.arange(high - low), many[here])
        skipped = first[here] - (ends[here] - many[here])
        earlier = skipped[own] + np.arange(ends[low] - many[low], ends[high - 1])
        lags = now[here][own] - times[earlier]
        if not (lags > 0.0).all():
            own, earlier, lags = (a[lags > 0.0] for a in (own, earlier, lags))
        yield here, own, earlier, lags


def _parents(
    data: tuple[FloatArray, IntArray, IntArray], children: IntArray, kernel: tuple[Any, ...]
) -> Iterator[tuple[IntArray, _Pairs]]:
    """Yield some of the events `children`, and their pairs with parents in reach."""
    times, marks, offsets = data
    _, _, _, which, reach = kernel
    begin = offsets[owners(offsets)[children]]
    longest = reach.max(axis=1)[marks[children]]
    first = first_within(times, times[children], begin, children, longest)
    for here, own, parents, lags in pairs_within(times, first, children, times[children]):
        pair = marks[children[here]][own] * reach.shape[0] + marks[parents]
        inside = lags <= reach.ravel()[pair]
        if not inside.all():
            own, lags, pair = own[inside], lags[inside], pair[inside]
        yield children[here], _Pairs(own, lags, pair, which.ravel()[pair])


def _values(pairs: _Pairs, kernel: tuple[Any, ...]) -> tuple[FloatArray, FloatArray]:
    """Return measure and density of each pair."""
    family, sets, edges, _, _ = kernel
    measures = _measures(family, pairs.lags, sets, pairs.sets)
    return measures, _densities((family, sets, edges), pairs.lags, measures, pairs.sets)


@_QUIETLY
def excitation(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    kernel: tuple[Any, ...],
    layout: tuple[Any, ...],
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Add c_ij to `out` at every event of mark i; layout, `out`, `part` as for `Exponential`."""
    slots, block_offsets, stride = layout
    size = kernel[4].shape[0]
    block = owners(offsets) * stride + marks
    width = block_offsets[block + 1] - block_offsets[block]
    at = size * block_offsets[block] + slots - block_offsets[block]
    own = np.arange(offsets[part[0]], offsets[part[1]])
    for children, pairs in _parents((times, marks, offsets), own, kernel):
        density = _values(pairs, kernel)[1]
        found = np.bincount(pairs.own * size + pairs.pair % size, density, children.size * size)
        where = at[children][:, None] + width[children][:, None] * np.arange(size)
        out[where] += found.reshape(-1, size)


def _alike(kernel: tuple[Any, ...]) -> Iterator[IntArray]:
    """Yield the targets that have the same kernels and reaches."""
    rows = np.concatenate(kernel[3:5], axis=1)
    labels = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    for label in range(labels.max(initial=-1) + 1):
        yield np.flatnonzero(labels == label)


@_QUIETLY
def integrals(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    kernel: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Add sum_l G_ij(T - t_l) to ``out[r, i, j]`` for every realisation."""
    family, sets, edges, which, reach = kernel
    shape = out.shape[0], reach.shape[0]
    owner = owners(offsets)
    for same in _alike(kernel):
        i = same[0]
        lags, mass = ends[owner] - times, np.ones(times.size)
        near = lags <= reach[i, marks]
        mass[near] = _splits((family, sets, edges), lags[near], which[i, marks[near]])[0]
        found = np.bincount(owner * shape[1] + marks, mass, shape[0] * shape[1])
        out[:, same] += found.reshape(shape)[:, None]


@_QUIETLY
def excitation_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    queries: FloatArray,
    excitation: FloatArray,
    integrals: FloatArray,
) -> None:
    """Write c_ij and its integral since the start at sorted query times of one realisation.

    Both outputs have shape (n_queries, n_targets, n_sources). Events at a query time itself are
    not counted.
    """
    family, sets, edges, which, reach = kernel
    size = reach.shape[0]
    before = np.searchsorted(times, queries, side="left")
    longest = np.full(queries.size, reach.max(initial=0.0))
    first = first_within(times, queries, np.zeros_like(before), before, longest)
    spent = np.zeros((times.size + 1, size))
    spent[1:] = np.cumsum(marks[:, None] == np.arange(size), axis=0)
    excitation[:], integrals[:] = 0.0, spent[first][:, None, :]
    rows = list(_alike(kernel))
    for here, own, earlier, lags in pairs_within(times, first, before, queries):
        where, shape = own * size + marks[earlier], (here.stop - here.start, size)
        for same in rows:
            near = lags <= reach[same[0], marks[earlier]]
            s = which[same[0], marks[earlier[near]]]
            mass, density = np.ones(lags.size), np.zeros(lags.size)
            mass[near] = _splits((family, sets, edges), lags[near], s)[0]
            measures = _measures(family, lags[near], sets, s)
            density[near] = _densities((family, sets, edges), lags[near], measures, s)
            for out, value in ((excitation, density), (integrals, mass)):
                found = np.bincount(where, value, shape[0] * size).reshape(shape)
                out[here, same] += found[:, None]


@_QUIETLY
def responsibilities(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    x: FloatArray,
    kernel: tuple[Any, ...],
    counts: FloatArray,
    moments: FloatArray,
) -> float:
    """Share every event among its possible parents; return the weighted sum of log intensities.

    See the compiled twin.
    """
    times, marks, offsets, _, weights = data
    size = x.shape[0]
    weight = weights[owners(offsets)]
    total, price = 0.0, np.ascontiguousarray(x[:, 1:]).ravel()
    for children, pairs in _parents((times, marks, offsets), np.flatnonzero(weight > 0), kernel):
        measures, shares = _values(pairs, kernel)
        shares *= price[pairs.pair]
        base, own = x[marks[children], 0], weight[children]
        rate = base + np.bincount(pairs.own, shares, children.size)
        if not (rate > 0.0).all():
            return -np.inf
        total += float(own @ np.log(rate))
        counts[:, 0] += np.bincount(marks[children], base * own / rate, size)
        shares *= (own / rate)[pairs.own]
        counts[:, 1:] += np.bincount(pairs.pair, shares, size * size).reshape(size, size)
        _add_moments(kernel, pairs, measures, shares, moments)
    return total


def _add_moments(
    kernel: tuple[Any, ...],
    pairs: _Pairs,
    measures: FloatArray,
    shares: FloatArray,
    moments: FloatArray,
) -> None:
    """Add the statistics of the lags, each with its share."""
    family, sets, edges, _, _ = kernel
    some = shares > 0.0
    lags, s, d, share = pairs.lags[some], pairs.sets[some], measures[some], shares[some]
    n_sets, width = moments.shape
    if family == HISTOGRAM:
        where = s * width + _bins(lags, edges)
        moments += np.bincount(where, share, n_sets * width).reshape(moments.shape)
        return
    moments[:, 0] += np.bincount(s, share, n_sets)
    gain = d if family == LOG_NORMAL else lags * sets[s, 1] - 1.0
    moments[:, 1] += np.bincount(s, share * gain, n_sets)
    moments[:, 2] += np.bincount(s, share * (d * d if family == LOG_NORMAL else d), n_sets)


@_QUIETLY
def tails(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    kernel: tuple[Any, ...],
    cost: FloatArray,
    moments: FloatArray,
) -> None:
    """Add the mass that falls in the window to `cost`, and what falls beyond it to `moments`.

    See the compiled twin.
    """
    times, marks, offsets, ends, weights = data
    _, _, _, which, reach = kernel
    size = reach.shape[0]
    owner = owners(offsets)
    for same in _alike(kernel):
        i = same[0]
        use = (weights[owner] > 0.0) & (reach[i, marks] > 0.0)
        j, lags, weight = marks[use], (ends[owner] - times)[use], weights[owner[use]]
        mass, near = weight.copy(), lags <= reach[i, j]
        j_near = j[near]
        below, beyond = _tails(kernel, lags[near], which[i, j_near])
        mass[near] *= below
        cost[same] += np.bincount(j, mass, size)
        for k in range(moments.shape[2]):
            moments[same, :, k] += np.bincount(j_near, weight[near] * beyond[k], size)


def _tails(
    kernel: tuple[Any, ...], lags: FloatArray, s: IntArray
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the mass up to each lag, and the expected statistics of the lags beyond it."""
    family, sets, edges, _, _ = kernel
    if family == GAMMA:
        mass, beyond, front = np.zeros_like(lags), np.ones_like(lags), np.zeros_like(lags)
        deviance, some = sets[s, 3], lags > 0.0
        found = _gamma_split(lags[some], sets, s[some])
        mass[some], beyond[some], deviance[some], front[some] = found
        return mass, [beyond, front / sets[s, 0], deviance]
    mass, beyond = _splits((family, sets, edges), lags, s)
    if family == HISTOGRAM:
        left = [
            np.maximum(edges[b + 1] - np.maximum(lags, edges[b]), 0.0) * sets[s, b]
            for b in range(edges.size - 1)
        ]
        return mass, left
    some = lags > 0.0
    z, phi = np.zeros_like(lags), np.zeros_like(lags)
    z[some] = (np.log(lags[some]) - sets[s[some], 0]) / sets[s[some], 1]
    phi[some] = _PHI_0 * np.exp(-0.5 * z[some] ** 2)
    return mass, [beyond, sets[s, 1] * phi, sets[s, 1] ** 2 * (beyond + z * phi)]
