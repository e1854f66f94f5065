"""The possible parents of events and their shares of the intensity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hawkeys._loops import delayed as loops
from hawkeys._typing import FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.kernels import (
    BlockLayout,
    DelayedKernel,
    DensityKernel,
    Exponential,
    Kernel,
    SumExponential,
)
from hawkeys.kernels.pairs import in_ranges, one_pair, parts_of
from hawkeys.kernels.productive import spread_of
from hawkeys.kernels.shifted import rounding_of, shift_of
from hawkeys.process.hawkes import Hawkes

__all__ = ["Pairs", "find_pairs"]

# parents that together hold less than this of an event's intensity are not looked for
_NEGLIGIBLE = 1e-16


@dataclass(frozen=True, eq=False)
class Pairs:
    """Probabilities of the parents of some events in a row; the fields are those of `Branching`."""

    immigrant: FloatArray
    children: IntArray
    parents: IntArray
    probability: FloatArray

    @classmethod
    def none(cls, size: int) -> Pairs:
        """Return what no event has: no pairs at all."""
        empty = np.empty(0, dtype=np.int64)
        return cls(np.empty(size), empty, empty, np.empty(0))


def find_pairs(process: Hawkes, events: Events, threshold: float) -> Iterator[Pairs]:
    """Yield the pairs at least as probable as `threshold`, some events at a time, in order."""
    ends = events.end_times[events.realization]
    baseline = process.baseline_function.at_within(events.times, ends)
    baseline = baseline[np.arange(events.n_events), events.marks]
    first = _first_candidates(process, events, baseline)
    kernel, shift = shift_of(spread_of(process.kernel))
    productivity = process.productivity
    strengths = None if productivity is None else productivity.strengths(events)
    each = np.arange(events.n_events)
    for rows in parts_of(each - first):
        children, parents = in_ranges(first, each, rows)
        targets, sources = events.marks[children], events.marks[parents]
        lags = events.times[children] - events.times[parents] - shift
        least = rounding_of(events.times[children], events.times[parents]) if shift else 0.0
        possible = (lags > least) & (process.adjacency[targets, sources] > 0)
        children, parents, lags = children[possible], parents[possible], lags[possible]
        pairs = targets[possible], sources[possible]
        share = process.adjacency[pairs] * _densities(kernel, process.n_marks, lags, pairs)
        share = share if strengths is None else share * strengths[parents]
        own = baseline[rows]
        rate = own + np.bincount(children - rows.start, weights=share, minlength=own.size)
        kept = (share > 0) & (share >= threshold * rate[children - rows.start])
        yield Pairs(
            np.divide(own, rate, out=np.full(own.size, np.nan), where=rate > 0),
            children[kept],
            parents[kept],
            share[kept] / rate[children[kept] - rows.start],
        )


def _first_candidates(process: Hawkes, events: Events, baseline: FloatArray) -> IntArray:
    """Return the earliest event that can be a parent of each event, itself if there is none."""
    memory = _memory(process, events, baseline) + shift_of(process.kernel)[1]
    # a little longer, so that rounding loses no parent; what is too early gets density 0
    oldest = events.times - memory * (1.0 + 1e-9)
    out = np.arange(events.n_events)
    for begin, end in zip(events.offsets[:-1], events.offsets[1:], strict=True):
        found = begin + np.searchsorted(events.times[begin:end], oldest[begin:end], side="left")
        out[begin:end] = np.minimum(found, out[begin:end])
    return out


def _memory(process: Hawkes, events: Events, baseline: FloatArray) -> FloatArray:
    """Return the lag beyond which the parents of each event do not count, shape (n_events,)."""
    kernel, size, largest = shift_of(spread_of(process.kernel))[0], process.n_marks, 1.0
    if process.productivity is not None and events.n_events:
        largest = float(process.productivity.strengths(events).max())
    if isinstance(kernel, DelayedKernel):
        reach = np.where(process.adjacency > 0, kernel.compiled(size)[4], 0.0)
        return reach.max(axis=1)[events.marks]
    if isinstance(kernel, DensityKernel):
        return np.full(events.n_events, kernel.reach(float(events.durations.max())))
    parts = _exponentials(kernel, size)
    out = np.full(events.n_events, np.inf if not parts else 0.0)
    if parts:
        rates = baseline + _excited(process, events)
        share = _NEGLIGIBLE / (max(events.n_events, 1) * len(parts))
        least = np.log(share) + np.log(np.maximum(rates, np.finfo(float).tiny))
    for decay, weight in parts:
        height = process.adjacency * weight * decay * largest
        logs = np.log(height, out=np.full_like(height, -np.inf), where=height > 0)
        lags = (logs[events.marks] - least[:, None]) / decay[events.marks]
        out = np.maximum(out, lags.max(axis=1))
    return out


def _excited(process: Hawkes, events: Events) -> FloatArray:
    """Return the intensity of each event's own mark at it that earlier events cause."""
    layout, size = BlockLayout.build(events, separate=False), process.n_marks
    flat = process.kernel.excitation(events, layout)
    out = np.empty(events.n_events)
    for i, (begin, end) in enumerate(zip(layout.offsets[:-1], layout.offsets[1:], strict=True)):
        out[begin:end] = process.adjacency[i] @ flat[size * begin : size * end].reshape(size, -1)
    return out[layout.slots]


def _exponentials(kernel: Kernel, size: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return decay and weight, each (D, D), of each exponential component; none for others."""
    if isinstance(kernel, Exponential):
        return [(kernel.decay_matrix(size), np.ones((size, size)))]
    if isinstance(kernel, SumExponential):
        return [
            (part.decay_matrix(size), np.broadcast_to(weight, (size, size)))
            for part, weight in kernel.parts()
        ]
    return []


def _densities(
    kernel: Kernel, size: int, lags: FloatArray, pairs: tuple[IntArray, IntArray]
) -> FloatArray:
    """Return g_ij(lag) at lags > 0, each of its own pair (target, source)."""
    out = np.zeros(lags.size)
    parts = _exponentials(kernel, size)
    for decay, weight in parts:
        own = decay[pairs]
        out += weight[pairs] * own * np.exp(-own * lags)
    if isinstance(kernel, DelayedKernel):
        family, sets, edges, which, reach = kernel.compiled(size)
        loops.pair_densities(family, lags, which[pairs], sets, edges, out)
        return np.where(lags <= reach[pairs], out, 0.0)
    if isinstance(kernel, DensityKernel):
        return kernel.heights(lags)
    if not parts:
        labels = pairs[0] * size + pairs[1]
        for label in np.unique(labels):
            own_lags = labels == label
            every = kernel.density(lags[own_lags])
            out[own_lags] = one_pair(every, size, *divmod(int(label), size))
    return out
