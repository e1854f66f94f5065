"""Kernels that need not decay from lag 0, pair of events by pair; see `hawkeys._jit.delayed`.

All pairs of a child and a parent within reach are written out, a block of them at a time, so that a
block stays within the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from hawkeys._plain.densities import (
    GAMMA,
    HISTOGRAM,
    LOG_NORMAL,
    QUIETLY,
    bins_of,
    densities_of,
    density_and_mass,
    measures_of,
    pair_densities,
    splits_of,
    tails_of,
)
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
    "own_mass_at",
    "pair_densities",
    "pairs_within",
    "responsibilities",
    "sums_at",
    "tails",
]

# pairs written out together
_BLOCK = 16_384


class _Pairs(NamedTuple):
    """Child (counted from the first of a block), lag, pair target * D + source, and set; (n,)."""

    own: IntArray
    lags: FloatArray
    pair: IntArray
    sets: IntArray


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
    measures = measures_of(family, pairs.lags, sets, pairs.sets)
    return measures, densities_of((family, sets, edges), pairs.lags, measures, pairs.sets)


@QUIETLY
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


@QUIETLY
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
        mass[near] = splits_of((family, sets, edges), lags[near], which[i, marks[near]])[0]
        found = np.bincount(owner * shape[1] + marks, mass, shape[0] * shape[1])
        out[:, same] += found.reshape(shape)[:, None]


@QUIETLY
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
    size = kernel[4].shape[0]
    before = np.searchsorted(times, queries, side="left")
    longest = np.full(queries.size, kernel[4].max(initial=0.0))
    first = first_within(times, queries, np.zeros_like(before), before, longest)
    spent = _counts_before(marks, size)
    excitation[:], integrals[:] = 0.0, spent[first][:, None, :]
    rows = list(_alike(kernel))
    for here, own, earlier, lags in pairs_within(times, first, before, queries):
        where, shape = own * size + marks[earlier], (here.stop - here.start, size)
        for same in rows:
            for out, mass in ((excitation, False), (integrals, True)):
                value = _at_lags(kernel, same[0], marks[earlier], lags, mass)
                found = np.bincount(where, value, shape[0] * size).reshape(shape)
                out[here, same] += found[:, None]


def _counts_before(marks: IntArray, size: int) -> FloatArray:
    """Return the number of events of each mark among the first n, for all n, (n_events + 1, D)."""
    out = np.zeros((marks.size + 1, size))
    out[1:] = np.cumsum(marks[:, None] == np.arange(size), axis=0)
    return out


@QUIETLY
def sums_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    weights: FloatArray,
    queries: FloatArray,
    mass: bool,
    out: FloatArray,
) -> None:
    """Write sum_j weights_ij c_ij, or if `mass` of its integrals, at sorted query times.

    Of one realisation; `out` has the shape (n_queries, n_targets). Events at a query time itself
    are not counted.
    """
    size = len(weights)
    before = np.searchsorted(times, queries, side="left")
    longest = np.full(queries.size, kernel[4].max(initial=0.0))
    first = first_within(times, queries, np.zeros_like(before), before, longest)
    out[:] = _counts_before(marks, size)[first] @ weights.T if mass else 0.0
    rows = list(_alike(kernel))
    for here, own, earlier, lags in pairs_within(times, first, before, queries):
        where, n = own * size + marks[earlier], here.stop - here.start
        for same in rows:
            values = _at_lags(kernel, same[0], marks[earlier], lags, mass)
            found = np.bincount(where, values, n * size).reshape(n, size)
            out[here, same] += found @ weights[same].T


def _at_lags(
    kernel: tuple[Any, ...], targets: Any, sources: IntArray, lags: FloatArray, mass: bool
) -> FloatArray:
    """Return the mass up to lags > 0, or the density there, of pairs of marks."""
    family, sets, edges, which, reach = kernel
    near = lags <= reach[targets, sources]
    out = np.full(lags.size, 1.0 if mass else 0.0)
    lags, s = lags[near], which[targets, sources][near]
    if mass:
        out[near] = splits_of((family, sets, edges), lags, s)[0]
    else:
        measures = measures_of(family, lags, sets, s)
        out[near] = densities_of((family, sets, edges), lags, measures, s)
    return out


@QUIETLY
def own_mass_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    weights: FloatArray,
    queries: FloatArray,
    targets: IntArray,
    out: FloatArray,
) -> None:
    """Write the integrals of one target per query, ``targets[q]``, to ``out[q]``."""
    before = np.searchsorted(times, queries, side="left")
    longest = kernel[4].max(axis=1)[targets]
    first = first_within(times, queries, np.zeros_like(before), before, longest)
    out[:] = (_counts_before(marks, len(weights))[first] * weights[targets]).sum(axis=1)
    for here, own, earlier, lags in pairs_within(times, first, before, queries):
        of, sources = targets[here][own], marks[earlier]
        values = weights[of, sources] * _at_lags(kernel, of, sources, lags, True)
        out[here] += np.bincount(own, values, here.stop - here.start)


@QUIETLY
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
        where = s * width + bins_of(lags, edges)
        moments += np.bincount(where, share, n_sets * width).reshape(moments.shape)
        return
    moments[:, 0] += np.bincount(s, share, n_sets)
    gain = d if family == LOG_NORMAL else lags * sets[s, 1] - 1.0
    moments[:, 1] += np.bincount(s, share * gain, n_sets)
    moments[:, 2] += np.bincount(s, share * (d * d if family == LOG_NORMAL else d), n_sets)


@QUIETLY
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
        below, beyond = tails_of(kernel, lags[near], which[i, j_near])
        mass[near] *= below
        cost[same] += np.bincount(j, mass, size)
        for k in range(moments.shape[2]):
            moments[same, :, k] += np.bincount(j_near, weight[near] * beyond[k], size)
